"""Do the rows that are there keep a constraint that is added or enabled?"""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import binder, engine_constraints
from oracle_mimic.sql.catalog import Constraint, Table
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Change
from oracle_mimic.sql.ddl.columns import ConstraintSpec, add_constraint
from oracle_mimic.sql.relations import table_relation
from oracle_mimic.sql.transactions import Snapshot


def current_snapshot(change: Change) -> Snapshot:
    """What is committed now: DDL sees nothing else."""
    return change.session.database.registry.snapshot()


def has_rows(change: Change, table: Table) -> bool:
    """Whether the table has any row."""
    return engine_constraints.has_row(change.cursor, table, "TRUE", current_snapshot(change))


def check_rows(change: Change, table: Table, constraint: Constraint) -> None:
    """The live rows keep an enabled and validated constraint, else ORA-02296, 02293, 02437, 02299, 02298."""
    if not constraint.enabled or not (constraint.validated or constraint.kind in ("P", "U")):
        return
    snapshot, cursor, name = current_snapshot(change), change.cursor, f"{table.owner}.{constraint.name}"
    physical = [column.physical for column in table.columns if column.name in constraint.columns]
    missing = " OR ".join(f"{column} IS NULL" for column in physical)
    if constraint.not_null:
        if engine_constraints.has_row(cursor, table, missing, snapshot):
            raise OracleError(2296, f"cannot enable ({table.owner}.) - null values found")
    elif constraint.kind == "C":
        condition = binder.bind_check(constraint.condition or "", table_relation(table, 0), SessionContext(change.session, change.catalog))
        if engine_constraints.has_row(cursor, table, f"({condition}) IS FALSE", snapshot):
            raise OracleError(2293, f"cannot validate ({name}) - check constraint violated")
    elif constraint.kind == "R":
        if engine_constraints.has_orphans(cursor, change.catalog, table, constraint, snapshot):
            raise OracleError(2298, f"cannot validate ({name}) - parent keys not found")
    else:
        key = engine_constraints.UniqueKey(constraint.name, constraint.columns)
        nulls = constraint.kind == "P" and engine_constraints.has_row(cursor, table, missing, snapshot)
        if nulls or engine_constraints.has_duplicates(cursor, table, key, snapshot):
            if constraint.kind == "P":
                raise OracleError(2437, f"cannot validate ({name}) - primary key violated")
            raise OracleError(2299, f"cannot validate ({name}) - duplicate keys found")


def with_constraints(change: Change, table: Table, specs: list[ConstraintSpec]) -> Table:
    """The table with more constraints, all of which its rows keep."""
    for spec in specs:
        before = table
        table = add_constraint(change, table, spec)
        if table is not before:
            check_rows(change, table, table.constraints[-1])
            change.put_table(table)
    return table

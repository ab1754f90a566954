"""A statement as the session keeps it: what the binder made, what it depends on, what the table asks of new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import binder, expressions
from oracle_mimic.sql.bound import BindSlot, BoundDelete, BoundDml, BoundInsert, BoundMerge, BoundMultiInsert, BoundQuery, BoundUpdate
from oracle_mimic.sql.catalog import Catalog, Table, TableColumn
from oracle_mimic.sql.context import Dependencies, SessionContext, next_value
from oracle_mimic.sql.engine_constraints import unique_keys
from oracle_mimic.sql.engine_dml import DmlPlan
from oracle_mimic.sql.parser import parse_statement
from oracle_mimic.sql.relations import missing
from oracle_mimic.sql.row_checks import row_checks
from oracle_mimic.sql.syntax import Insert

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session


@dataclass(slots=True)
class Plan:
    """bound: the translation; dml: for DML, parts: for INSERT ALL into several tables.

    parameters: what the binder folded into parameters (binds are filled in per call).
    small_schema: set when the query's last run gave few rows: the next one takes the path that is fast for few.
    """

    bound: BoundQuery | BoundDml | BoundMultiInsert
    dependencies: Dependencies
    parameters: dict[str, Any]
    dml: DmlPlan | None = None
    parts: tuple[DmlPlan, ...] = ()
    small_schema: pa.Schema | None = None

    def query(self) -> BoundQuery:
        """The bound query; ORA-00900 when the statement is none."""
        if not isinstance(self.bound, BoundQuery):
            raise OracleError(900, "invalid SQL statement")
        return self.bound

    def values(self, session: Session, binds: Binds) -> dict[str, Any]:
        """The parameters of one execution: binds as Python values, and the engine's own."""
        values = {**self.parameters, **session.statement_parameters()}
        for number, column in enumerate(binds.columns, start=1):
            if column is not None:
                values[f"b{number}"] = column[0].as_py()
        return values

    def virtual_rows(self, session: Session) -> dict[str, pa.Table]:
        """The rows of the dictionary views it reads, now."""
        return {name: relation.materialise(session) for name, relation in self.dependencies.virtual.items()}


def bind_slots(binds: Binds) -> list[BindSlot]:
    """What the binder is told about the binds."""
    columns: Sequence[pa.Array | None] = binds.columns or [None] * len(binds.types)
    return [BindSlot(type_, None if column is None else str(column.type)) for type_, column in zip(binds.types, columns, strict=True)]


def make_plan(session: Session, catalog: Catalog, sql: str, binds: Binds, *, array: bool) -> Plan:
    """Bind a query or DML statement for a session."""
    context = SessionContext(session, catalog)
    context.without_values = bool(binds.columns) and all(column is None for column in binds.columns)
    if binds.columns and not array:
        context.parameters.update(
            {f"b{number}": column[0].as_py() for number, column in enumerate(binds.columns, start=1) if column is not None and len(column)}
        )
    bound = binder.bind(sql, bind_slots(binds), context, array=array)
    plan = Plan(bound, context.dependencies, {})
    if isinstance(bound, BoundMultiInsert):
        plan.parts = tuple(dml_plan(context, catalog, part, one_row=False) for part in bound.parts)
    elif not isinstance(bound, BoundQuery):
        plan.dml = dml_plan(context, catalog, bound, one_row=_is_one_row(sql))
    plan.parameters = {name: value for name, value in {**bound.parameters, **context.parameters}.items() if name != "now"}
    return plan


def _is_one_row(sql: str) -> bool:
    """INSERT ... VALUES: exactly one row per execution."""
    statement = parse_statement(sql)
    return isinstance(statement, Insert) and statement.values is not None


def dml_plan(context: SessionContext, catalog: Catalog, bound: BoundDml, *, one_row: bool) -> DmlPlan:
    """Check the right to write, then complete a bound statement with defaults and row checks."""
    table = catalog.objects.get(bound.table.object_id or 0)
    if not isinstance(table, Table):
        raise missing(bound.table.owner, bound.table.name or "")
    for privilege in _privileges(bound):
        context.privileges.require_object(table, privilege)
    needs_stage = not one_row or " data.t" in bound.sql
    inserted = bound.columns if isinstance(bound, BoundInsert) else bound.insert_columns if isinstance(bound, BoundMerge) else ()
    updated = bound.columns if isinstance(bound, BoundUpdate) else bound.update_columns if isinstance(bound, BoundMerge) else ()
    for name in updated:
        column = table.column(name)
        if column is not None and column.identity is not None and column.identity.always:
            raise OracleError(32796, "cannot update a generated always identity column")
    keys = tuple(unique_keys(catalog, table))
    values: tuple[str, ...] = ()
    insert_checks = update_checks = None
    if inserted or isinstance(bound, BoundInsert):
        prefix = "c" if isinstance(bound, BoundInsert) else "i"
        values = tuple(_new_value(context, table, column, inserted, prefix) for column in table.columns)
        insert_checks = row_checks(table, context)
    if updated:
        update_checks = row_checks(table, context, changed=set(updated))
    return DmlPlan(bound, table, catalog, values, insert_checks, update_checks, needs_stage, keys)


def _privileges(bound: BoundDml) -> list[str]:
    if isinstance(bound, BoundInsert):
        return ["INSERT"]
    if isinstance(bound, BoundUpdate):
        return ["UPDATE"]
    if isinstance(bound, BoundDelete):
        return ["DELETE"]
    return [*(["UPDATE"] if bound.update_columns else []), *(["INSERT"] if bound.insert_columns else [])]


def _new_value(context: SessionContext, table: Table, column: TableColumn, given: Sequence[str], prefix: str) -> str:
    """What a new row has in a column: what the statement gives, or the default."""
    if column.name not in given:
        return default_value(context, table, column)
    if column.identity is not None and column.identity.always:
        raise OracleError(32795, "cannot insert into a generated always identity column")
    value = f"s.{prefix}{list(given).index(column.name)}"
    if column.default_on_null or (column.identity is not None and column.identity.on_null):
        return f"coalesce({value}, {default_value(context, table, column)})"
    return value


def default_value(context: SessionContext, table: Table, column: TableColumn) -> str:
    """DuckDB text of a column's DEFAULT, identity value or NULL, in its carrier."""
    del table
    if column.identity is not None:
        return expressions.assign(next_value(column.identity.sequence_id), column.type, context).sql
    if column.default is None:
        return f"CAST(NULL AS {column.carrier})"
    return binder.bind_default(column.default, column.type, context).sql


__all__ = ["Plan", "bind_slots", "make_plan"]

"""ALTER TABLE ... MODIFY of a column: type, default, NOT NULL; what its rows must allow."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import binder, engine_constraints, expressions
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.catalog import Table, TableColumn
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Change
from oracle_mimic.sql.ddl.columns import ColumnSpec, has_not_null, with_nullability
from oracle_mimic.sql.ddl.validation import current_snapshot, with_constraints
from oracle_mimic.sql.engine import run
from oracle_mimic.types import Kind, OracleType

_TEXT = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.RAW})


def existing_column(table: Table, name: str) -> TableColumn:
    """The column of that name; ORA-00904."""
    found = table.column(name)
    if found is None:
        raise OracleError(904, f'"{name}": invalid identifier')
    return found


def modify_column(change: Change, table: Table, spec: ColumnSpec) -> Table:
    """The table with what MODIFY says of one column; ORA-01439, 01440, 01441, 01451, 02296 and others."""
    column = existing_column(table, spec.name)
    changed = column
    if spec.type is not None and spec.type != column.type:
        _change_type(change, table, column, spec.type)
        changed = replace(changed, type=spec.type)
    if spec.default_given:
        if column.identity is not None:
            raise OracleError(30674, "identity column cannot have a default value")
        changed = replace(changed, default=spec.default, default_on_null=spec.default_on_null)
        if spec.default is not None:
            binder.bind_default(spec.default, changed.type, SessionContext(change.session, change.catalog))
    if spec.identity is not None:
        raise OracleError(30673, "column to be modified is not an identity column")
    if spec.invisible is not None:
        changed = replace(changed, invisible=spec.invisible)
    table = replace(table, columns=tuple(changed if c.name == column.name else c for c in table.columns))
    for constraint in [c for c in spec.constraints if c.null]:
        if not has_not_null(table, spec.name):
            raise OracleError(1451, "column to be modified to NULL cannot be modified to NULL")
        kept = tuple(c for c in table.constraints if not (c.not_null and c.columns == (spec.name,)))
        table = with_nullability(replace(table, constraints=kept))
        spec.constraints.remove(constraint)
    change.put_table(table)
    return with_constraints(change, table, spec.constraints)


def _change_type(change: Change, table: Table, column: TableColumn, type_: OracleType) -> None:
    """Check that the rows allow it (ORA-01439, 01440, 01441) and convert the physical column."""
    filled = engine_constraints.has_row(change.cursor, table, f"{column.physical} IS NOT NULL", current_snapshot(change))
    if filled:
        _require_convertible(change, table, column, type_)
    renewed = replace(column, type=type_)
    if renewed.carrier != column.carrier or type_.kind in (Kind.CHAR, Kind.NCHAR):
        typed = Typed(column.physical, column.type, column.carrier)
        context = SessionContext(change.session, change.catalog)
        value = expressions.assign(typed, type_, context).sql if filled else f"CAST(NULL AS {renewed.carrier})"
        run(
            change.cursor,
            f"ALTER TABLE {table.physical} ALTER COLUMN {column.physical} TYPE {renewed.carrier} USING ({value})",
        )


def _require_convertible(change: Change, table: Table, column: TableColumn, type_: OracleType) -> None:
    old = column.type
    texts = {old.kind, type_.kind} in ({Kind.VARCHAR2, Kind.CHAR}, {Kind.NVARCHAR2, Kind.NCHAR})
    if old.kind is not type_.kind and not texts:
        stamps = {old.kind, type_.kind} == {Kind.DATE, Kind.TIMESTAMP}
        if not stamps or type_.kind is Kind.DATE:
            raise OracleError(1439, "column to be modified must be empty to change datatype")
    if type_.kind in _TEXT and type_.length is not None:
        measure = "length" if type_.char_semantics or type_.kind in (Kind.NCHAR, Kind.NVARCHAR2) else "strlen"
        measure = "octet_length" if type_.kind is Kind.RAW else measure
        if engine_constraints.has_row(change.cursor, table, f"{measure}({column.physical}) > {type_.length}", current_snapshot(change)):
            raise OracleError(1441, "cannot decrease column length because some value is too big")
    elif type_.kind in (Kind.NUMBER, Kind.FLOAT) and type_.precision is not None:
        old_digits = None if old.precision is None else old.precision - (old.scale or 0)
        digits = type_.precision - (type_.scale or 0)
        if old_digits is None or digits < old_digits or (type_.scale or 0) < (old.scale or 0):
            raise OracleError(1440, "column to be modified must be empty to decrease precision or scale")
    elif type_.scale is not None and type_.kind not in (Kind.NUMBER, Kind.FLOAT) and type_.scale < (old.scale or 0):
        raise OracleError(
            30082, "datetime/interval column to be modified must be empty to decrease fractional second or leading field precision"
        )

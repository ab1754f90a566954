"""What a row must satisfy by itself: lengths, NOT NULL and CHECK constraints, as DuckDB expressions evaluated while it is written.

A broken rule raises inside DuckDB with Oracle's own text, so a statement needs no second pass over its rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from oracle_mimic.sql import binder
from oracle_mimic.sql.bound import BindContext
from oracle_mimic.sql.catalog import Table, TableColumn
from oracle_mimic.sql.expressions.derive import quote
from oracle_mimic.sql.relations import table_relation
from oracle_mimic.types import Kind

_CHARACTERS = frozenset({Kind.NCHAR, Kind.NVARCHAR2})
_SIZED = frozenset({Kind.VARCHAR2, Kind.CHAR, Kind.RAW}) | _CHARACTERS


@dataclass(frozen=True, slots=True)
class RowChecks:
    """values: per column of the table, the expression over c<n> that is stored; guard: raises or is TRUE; None if nothing to check."""

    values: tuple[str, ...]
    guard: str | None


def _raising(message: str, carrier: str) -> str:
    return f"CAST(error({message}) AS {carrier})"


def _sized(table: Table, column: TableColumn) -> str:
    """The value, or ORA-12899 when it is longer than the column."""
    value = column.physical
    if column.type.kind not in _SIZED or column.type.length is None:
        return value
    if column.type.kind is Kind.RAW:
        measure = f"octet_length({value})"
    elif column.type.char_semantics or column.type.kind in _CHARACTERS:
        measure = f"length({value})"
    else:
        measure = f"strlen({value})"
    start = quote(f'ORA-12899: value too large for column "{table.owner}"."{table.name}"."{column.name}" (actual: ')
    message = f"{start} || {measure} || ', maximum: {column.type.length})'"
    return f"CASE WHEN {measure} > {column.type.length} THEN {_raising(message, column.carrier)} ELSE {value} END"


def _not_null(table: Table, column: TableColumn, *, update: bool) -> str:
    name = f'"{table.owner}"."{table.name}"."{column.name}"'
    text = f"ORA-01407: cannot update ({name}) to NULL" if update else f"ORA-01400: cannot insert NULL into ({name})"
    return f"CASE WHEN {column.physical} IS NULL THEN {_raising(quote(text), 'BOOLEAN')} ELSE TRUE END"


def row_checks(table: Table, context: BindContext, *, changed: Collection[str] | None = None) -> RowChecks:
    """The checks of a row to insert, or of one whose `changed` columns (by name) get new values."""
    touched = [column for column in table.columns if changed is None or column.name in changed]
    values = tuple(_sized(table, column) if column in touched else column.physical for column in table.columns)
    names = {column.name for column in touched}
    guards = [_not_null(table, column, update=changed is not None) for column in touched if not column.nullable]
    relation = table_relation(table, 0)
    for constraint in table.constraints:
        if constraint.kind == "C" and constraint.enabled and not constraint.not_null and (changed is None or names & {*constraint.columns}):
            condition = binder.bind_check(constraint.condition or "", relation, context)
            text = quote(f"ORA-02290: check constraint ({table.owner}.{constraint.name}) violated")
            guards.append(f"CASE WHEN ({condition}) IS FALSE THEN {_raising(text, 'BOOLEAN')} ELSE TRUE END")
    return RowChecks(values, " AND ".join(guards) or None)

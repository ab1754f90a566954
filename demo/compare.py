"""Compares two databases: every column of every row, by plain reads of the driver and nothing that tap or target are made of.

Both sides are read in the order of the key and merged, so memory stays flat at any size.
Columns that only the target has (its metadata) are left out. A row that the target marks as deleted counts as absent.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import oracledb

from demo.ledger import text

FETCH_ROWS = 2_000
DELETED_COLUMN = "_SDC_DELETED_AT"
NO_KEYS: frozenset[int] = frozenset()

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not equal: a value of a column, or a whole row (`column` is then None)."""

    table: str
    key: Row
    column: str | None
    source: str | None
    target: str | None

    def __str__(self) -> str:
        row = f"{self.table} {', '.join(str(part) for part in self.key)}"
        if self.column is None:
            return f"{row}: the row is only in the {'source' if self.target is None else 'target'}"
        return f"{row}: {self.column} is {_short(self.source)} in the source and {_short(self.target)} in the target"


@dataclass(slots=True)
class TableResult:
    """What the comparison of one table found.

    deletes_pending: rows of the target that are known to have been deleted in the source.
    """

    table: str
    columns: int = 0
    rows: int = 0
    differences: int = 0
    deletes_pending: int = 0
    deletes_marked: int = 0
    first: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return self.differences == 0

    def note(self, difference: Difference, most: int = 10) -> None:
        self.differences += 1
        if len(self.first) < most:
            self.first.append(difference)


@dataclass(frozen=True, slots=True)
class Place:
    """A table in one of the two databases."""

    connection: oracledb.Connection
    schema: str
    name: str

    def columns(self) -> list[str]:
        """The table's columns in order; LookupError when the user cannot see the table."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name FROM all_tab_columns WHERE owner = :1 AND table_name = :2 ORDER BY column_id", [self.schema, self.name]
            )
            columns = [name for (name,) in cursor]
        if not columns:
            raise LookupError(f"there is no table {self.schema}.{self.name}, or the user may not read it")
        return columns

    def key(self) -> list[str]:
        """The columns of the primary key, in order; LookupError when there is none."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.column_name FROM all_constraints k JOIN all_cons_columns c "
                "ON c.owner = k.owner AND c.constraint_name = k.constraint_name "
                "WHERE k.owner = :1 AND k.table_name = :2 AND k.constraint_type = 'P' ORDER BY c.position",
                [self.schema, self.name],
            )
            columns = [name for (name,) in cursor]
        if not columns:
            raise LookupError(f"{self.schema}.{self.name} has no primary key to compare by")
        return columns

    def rows(self, columns: list[str], key: list[str]) -> Iterator[Row]:
        """All rows as exact Python values (numbers as Decimal, LOBs as text or bytes), in the order of the key."""
        with self.connection.cursor() as cursor:
            cursor.arraysize = cursor.prefetchrows = FETCH_ROWS
            names, order = (", ".join(f'"{name}"' for name in part) for part in (columns, key))
            cursor.execute(f'SELECT {names} FROM "{self.schema}"."{self.name}" ORDER BY {order}', fetch_lobs=False, fetch_decimals=True)
            yield from cursor


def compare_table(source: Place, target: Place, deleted_in_source: Container[int] = NO_KEYS) -> TableResult:
    """Merge the two tables by the source's primary key.

    `deleted_in_source`: keys that are known to have been deleted there, so that the target's copy of them is late and not wrong.
    """
    columns, key = source.columns(), source.key()
    held = target.columns()
    result = TableResult(source.name, columns=len(columns))
    missing = [name for name in columns if name not in held]
    if missing:
        for name in missing:
            result.note(Difference(source.name, ("every row",), name, "a column", "no column"))
        return result
    positions = [columns.index(name) for name in key]
    marks = [DELETED_COLUMN] if DELETED_COLUMN in held else []
    left, right = source.rows(columns, key), target.rows([*columns, *marks], key)

    def key_of(row: Row | None) -> Row | None:
        return None if row is None else tuple(row[position] for position in positions)

    def next_in_target() -> Row | None:
        for row in right:
            if not marks:
                return row
            if row[-1] is None:
                return row[:-1]
            result.deletes_marked += 1
        return None

    in_source, in_target = next(left, None), next_in_target()
    while in_source is not None or in_target is not None:
        source_key, target_key = key_of(in_source), key_of(in_target)
        if target_key is None or (source_key is not None and source_key < target_key):
            result.rows += 1
            result.note(Difference(source.name, source_key or (), None, "a row", None))
            in_source = next(left, None)
        elif source_key is None or target_key < source_key:
            (single, *more) = target_key
            if not more and isinstance(single, Decimal) and int(single) in deleted_in_source:
                result.deletes_pending += 1
            else:
                result.note(Difference(source.name, target_key, None, None, "a row"))
            in_target = next_in_target()
        else:
            result.rows += 1
            if in_source != in_target:
                for name, a, b in zip(columns, in_source or (), in_target or (), strict=True):
                    if a != b:
                        result.note(Difference(source.name, source_key, name, text(a), text(b)))
            in_source, in_target = next(left, None), next_in_target()
    return result


def _short(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= 60 else f"{value[:57]}... ({len(value):,} characters)"

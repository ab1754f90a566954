"""The data dictionary of the source, as values: tables, columns with exact types, keys, indexes, comments.

A fixed number of queries for an owner, however many tables it has (`describe_tables`). What they tell becomes catalog entries in
`catalog.py`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracle_connection.types import OracleType, UnsupportedTypeError, dictionary_type

from tap_oracle_wms import statements
from tap_oracle_wms.chunks import Extent
from tap_oracle_wms.source import Source
from tap_oracle_wms.statements import Statement, names_filter

TABLE, VIEW = "table", "view"
BIGFILE_RELATIVE_FILE = 1024
"""The relative file number that the dictionary shows for bigfile tablespaces, whose ROWIDs are built otherwise."""

MAX_SEGMENTS_IN_IDENTITY = 100
"""The identity travels in each STATE message; of more segments only a digest does."""

logger = logging.getLogger("tap-oracle-wms")


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """One column. `type` is None for a type that cannot be carried; `refusal` then says which."""

    name: str
    type: OracleType | None
    nullable: bool
    comment: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """One index: its columns in order."""

    name: str
    unique: bool
    columns: tuple[str, ...]


@dataclass(slots=True)
class TableDescription:
    """A table or view as its owner declared it. Figures are those of the last statistics, None where there are none."""

    owner: str
    name: str
    kind: str
    columns: list[ColumnDescription] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    indexes: list[IndexDescription] = field(default_factory=list)
    comment: str | None = None
    rows: int | None = None
    row_bytes: int | None = None
    is_heap: bool = False
    row_movement: bool = False

    @property
    def sql_table(self) -> str:
        """Owner and name, quoted."""
        return f"{statements.quote(self.owner)}.{statements.quote(self.name)}"

    @property
    def full_name(self) -> str:
        """Owner and name for people."""
        return f"{self.owner}.{self.name}"

    def column(self, name: str) -> ColumnDescription | None:
        """The column with that name: exactly, else in other case when that is unambiguous."""
        exact = [column for column in self.columns if column.name == name]
        similar = [column for column in self.columns if column.name.upper() == name.upper()]
        found = exact or (similar if len(similar) == 1 else [])
        return found[0] if found else None

    def key(self) -> tuple[str, ...]:
        """The primary key, else the first unique index whose columns are all NOT NULL, else nothing."""
        if self.primary_key:
            return self.primary_key
        required = {column.name for column in self.columns if not column.nullable}
        for index in sorted(self.indexes, key=lambda each: (len(each.columns), each.name)):
            if index.unique and set(index.columns) <= required:
                return index.columns
        return ()

    def has_index_on(self, column: str) -> bool:
        """True when an index starts with that column."""
        return any(index.columns and index.columns[0] == column for index in self.indexes)


def describe_tables(source: Source, owner: str, names: Sequence[str] | None = None) -> dict[str, TableDescription]:
    """All tables and views of an owner that the user may read, or those of `names`, by name. Seven queries."""

    def ask(statement: Statement, column: str) -> list[tuple[Any, ...]]:
        restriction, binds = names_filter(column, names)
        return source.ask(statement, {"owner": owner, **binds}, names=restriction)

    tables: dict[str, TableDescription] = {}
    for name, rows, row_bytes, _blocks, iot, temporary, movement, _partitioned, cluster in ask(statements.TABLES, "TABLE_NAME"):
        tables[name] = TableDescription(
            owner, name, TABLE, rows=rows, row_bytes=row_bytes, is_heap=iot is None and temporary == "N" and cluster is None,
            row_movement=movement == "ENABLED",
        )  # fmt: skip
    for (name,) in ask(statements.VIEWS, "VIEW_NAME"):
        tables[name] = TableDescription(owner, name, VIEW)
    comments = {(table, column): text for table, column, text in ask(statements.COLUMN_COMMENTS, "TABLE_NAME")}
    for row in ask(statements.COLUMNS, "TABLE_NAME"):
        if row[0] in tables:
            tables[row[0]].columns.append(_column(row[1:], comments.get((row[0], row[1]))))
    for table, columns in _grouped(ask(statements.PRIMARY_KEYS, "C.TABLE_NAME")).items():
        if table in tables:
            tables[table].primary_key = tuple(column for (column,) in columns)
    for table, rows_ in _grouped(ask(statements.INDEXES, "I.TABLE_NAME")).items():
        if table in tables:
            tables[table].indexes = _indexes(rows_)
    for name, text in ask(statements.TABLE_COMMENTS, "TABLE_NAME"):
        if name in tables:
            tables[name].comment = text
    wanted = tables if names is None else {name: table for name, table in tables.items() if name in set(names)}
    return {name: table for name, table in wanted.items() if table.columns}


def describe_columns(source: Source, owner: str, name: str) -> list[ColumnDescription]:
    """The columns of one table as they are now; empty when it is not there or may not be read. One query."""
    restriction, binds = names_filter("TABLE_NAME", [name])
    rows = source.ask(statements.COLUMNS, {"owner": owner, **binds}, names=restriction)
    return [_column(row[1:], None) for row in rows]


def _column(row: Sequence[Any], comment: str | None) -> ColumnDescription:
    """A column from COLUMN_NAME, DATA_TYPE, DATA_TYPE_OWNER, DATA_LENGTH, ..., NULLABLE."""
    name, data_type, owner, length, precision, scale, char_length, char_used, nullable = row
    try:
        oracle = dictionary_type(
            data_type, data_type_owner=owner, data_length=length, data_precision=precision, data_scale=scale,
            char_length=char_length, char_used=char_used,
        )  # fmt: skip
    except UnsupportedTypeError as error:
        return ColumnDescription(name, None, nullable != "N", comment, str(error))
    return ColumnDescription(name, oracle, nullable != "N", comment)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows by their first value, in order."""
    groups: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for first, *rest in rows:
        groups[first].append(tuple(rest))
    return groups


def _indexes(rows: Iterable[tuple[Any, ...]]) -> list[IndexDescription]:
    """Indexes from (INDEX_NAME, UNIQUENESS, COLUMN_NAME) in column order."""
    unique: dict[str, bool] = {}
    columns: dict[str, list[str]] = defaultdict(list)
    for name, uniqueness, column in rows:
        unique[name] = uniqueness == "UNIQUE"
        columns[name].append(column)
    return [IndexDescription(name, unique[name], tuple(columns[name])) for name in unique]


@dataclass(frozen=True, slots=True)
class Storage:
    """What the dictionary says about a table's segments now.

    object_id: for locks; None for a view. identity: changes when rows may have moved (MOVE, TRUNCATE, SHRINK, EXCHANGE).
    segments: data object id by partition name (None for a table without partitions).
    """

    object_id: int | None
    identity: str
    segments: dict[str | None, int] = field(default_factory=dict)


def storage(source: Source, owner: str, name: str, *, row_movement: bool = False) -> Storage:
    """The segments of a table. One query."""
    rows = source.ask(statements.OBJECTS, {"owner": owner, "name": name})
    object_id = next((int(row[1]) for row in rows if row[0] == "TABLE"), None)
    segments = {row[3]: int(row[2]) for row in rows if row[2] is not None}
    identity = ",".join(str(number) for number in sorted(segments.values()))
    if len(segments) > MAX_SEGMENTS_IN_IDENTITY:
        import hashlib

        identity = f"{len(segments)} segments {hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    if row_movement:  # SHRINK moves rows and keeps the segment: its only trace is the time of the last DDL
        identity += "".join(f" {row[4]}" for row in rows if row[0] == "TABLE")
    return Storage(object_id, identity, segments)


def survives(planned: str, now: str) -> bool:
    """True when the segments of a plan are all still there, by their identities.

    New ones (a partition was added) do no harm: their rows are new as well, and the incremental brings them.
    """
    segments, _, stamp = planned.partition(" ")
    segments_now, _, stamp_now = now.partition(" ")
    return stamp == stamp_now and set(segments.split(",")) <= set(segments_now.split(","))


def extents(source: Source, table: TableDescription, segments: dict[str | None, int]) -> tuple[list[Extent], int] | None:
    """The extents of a table and their bytes; None when DBA_EXTENTS is not granted or ROWIDs cannot be built from it."""
    rows = source.ask_if_granted(statements.EXTENTS, {"owner": table.owner, "name": table.name})
    if not rows or any(int(row[1]) == BIGFILE_RELATIVE_FILE or row[0] not in segments for row in rows):
        return None
    found = [Extent(segments[partition], int(file), int(block), int(blocks)) for partition, file, block, blocks, _ in rows]
    return found, sum(int(row[4]) for row in rows)

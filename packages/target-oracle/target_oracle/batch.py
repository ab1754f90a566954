"""A batch: rows of one stream in the load table's columns, with what is known about them.

Rows become fit for a load table here: each column in the Arrow type its Oracle type travels in, keys present, one row per key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from oracle_connection.contract import BatchMetadata, Mode, utc_text
from oracle_connection.types import Kind, arrow_type
from oracle_connection.values import from_json

from target_oracle.columns import DELETED_AT, Column, TableModel
from target_oracle.errors import DataError

MAX_BATCH_ID = 200
"""Characters of an id in WMS_LOAD_AUDIT. What tells batches apart comes first."""


@dataclass(slots=True)
class Batch:
    """Rows to load, in arrival order.

    data: columns named as the load table's. rows_read: before older versions of a key were left out. size_bytes: as it arrived.
    extracted_at, sequence, table_version hold for rows that do not carry their own. metadata: of our tap's files.
    records: where the rows came from RECORDs, those, row by row, for reporting a bad one.
    """

    batch_id: str
    data: pa.Table
    rows_read: int
    size_bytes: int
    extracted_at: str | None = None
    sequence: int | None = None
    table_version: int | None = None
    metadata: BatchMetadata | None = None
    records: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of_file(cls, metadata: BatchMetadata, data: pa.Table | None, size_bytes: int, table: str) -> Batch:
        """A file of our tap for a table. data: its rows; None when another process loads them."""
        return cls(
            f"{metadata.attempt}/{metadata.chunk}/{metadata.part}/{table}"[:MAX_BATCH_ID],
            pa.table({}) if data is None else data,
            metadata.rows,
            size_bytes,
            metadata.extracted_at,
            metadata.read_scn,
            metadata.generation if metadata.mode is Mode.FULL_TABLE else None,
            metadata,
        )

    @property
    def mode(self) -> Mode | None:
        return self.metadata.mode if self.metadata else None

    @property
    def has_deletes(self) -> bool:
        name = DELETED_AT.name
        return name in self.data.column_names and self.data[name].null_count < self.data.num_rows

    def become_chunk(self, stream: str, run_id: str, generation: int, chunk: int) -> None:
        """Count as a whole chunk of a complete load, for rows that came without such a plan."""
        extracted_at = self.extracted_at or utc_text(datetime.now(UTC))
        columns = tuple(self.data.column_names)
        self.metadata = BatchMetadata(
            stream, run_id, Mode.FULL, self.batch_id, extracted_at, self.rows_read, columns, generation, chunk, complete=True
        )

    def part(self, start: int, length: int) -> Batch:
        """Some of the rows, as a batch of its own (same identity)."""
        records = self.records[start : start + length]
        return Batch(
            self.batch_id,
            self.data.slice(start, length),
            length,
            0,
            self.extracted_at,
            self.sequence,
            self.table_version,
            self.metadata,
            records,
        )


def travelling_type(column: Column) -> pa.DataType:
    """The Arrow type in which a column goes to the driver: instants as UTC clock times."""
    type_ = arrow_type(column.sent_as)
    return pa.timestamp(type_.unit) if pa.types.is_timestamp(type_) else type_


def fit(table: pa.Table, model: TableModel) -> pa.Table:
    """The model's data columns of a table whose columns are named by property. Absent ones are NULL. Raises DataError."""
    there = set(table.column_names)
    columns = []
    for column in model.columns:
        wanted = travelling_type(column)
        if column.source in there:
            columns.append(_converted(table[column.source], column, wanted))
        else:
            columns.append(pa.chunked_array([pa.nulls(table.num_rows, wanted)]))
    fitted = pa.table(columns, names=[each.name for each in model.columns])
    check_rows(fitted, model)
    return fitted


def _converted(values: pa.ChunkedArray, column: Column, wanted: pa.DataType) -> pa.ChunkedArray:
    """Values in the type a column travels in; nothing is rounded or cut."""
    given = values.type
    if given == wanted:
        return values
    try:
        if pa.types.is_timestamp(given) and pa.types.is_timestamp(wanted):
            clock = values.cast(pa.timestamp(given.unit)) if given.tz else values
            return clock.cast(wanted)
        if pa.types.is_boolean(given) and column.type.kind is Kind.NUMBER:
            return values.cast(pa.int8()).cast(wanted)
        if pa.types.is_nested(given):
            texts = [None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in values.to_pylist()]
            return pa.chunked_array([pa.array(texts, pa.string())])
        if column.type.kind in {Kind.NUMBER, Kind.FLOAT} and not pa.types.is_integer(given):
            return pa.chunked_array([from_json(values.to_pylist(), column.sent_as)])
        if pa.types.is_decimal(wanted) and pa.types.is_integer(given):  # Arrow wants room for every integer on the way
            return values.cast(pa.decimal128(38, wanted.scale)).cast(wanted)
        return values.cast(wanted)
    except (pa.ArrowException, ValueError, ArithmeticError) as error:
        message = f"column {column.source}: values of type {given} do not fit {column.type}: {error}"
        raise DataError(message) from error


def check_rows(table: pa.Table, model: TableModel) -> None:
    """Refuse what the database would not refuse in a load table: rows without a key, numbers beyond their precision, and blank-padded
    text that is too long (its comparisons would cut it). Raises DataError."""
    for name in model.key:
        values = table[name]
        empty = pc.equal(pc.binary_length(values), 0) if pa.types.is_string(values.type) or pa.types.is_binary(values.type) else None
        absent = values.is_null() if empty is None else pc.or_kleene(values.is_null(), empty)
        if pc.any(absent).as_py():
            position = pc.index(absent, True).as_py()
            row = {each: table[each][position].as_py() for each in model.key}
            message = f"row {position + 1} of the batch has no value for key column {name} (its key is {row}): a key is never NULL"
            raise DataError(message)
    for column in model.columns:
        if column.type.kind is Kind.NUMBER and table.num_rows:
            _check_precision(table[column.name], column)
        if column.type.kind in {Kind.CHAR, Kind.NCHAR} and table.num_rows:
            values = table[column.name]
            longest = pc.max(pc.utf8_length(values) if column.type.char_semantics else pc.binary_length(values)).as_py() or 0
            if longest > (column.type.length or 0):
                message = f"column {column.name} {column.type}: a value has length {longest} (as ORA-12899)"
                raise DataError(message)


def _check_precision(values: pa.ChunkedArray, column: Column) -> None:
    """Numbers that travel as text are left to the server."""
    digits = column.type.precision
    if digits is None or pa.types.is_string(values.type):
        return
    limit = 10 ** (digits - (column.type.scale or 0))
    extremes = pc.min_max(values).as_py()
    for value in (extremes["min"], extremes["max"]):
        if value is not None and not -limit < value < limit:  # abs() of a Decimal rounds to the context's 28 digits
            message = f"column {column.name} {column.type}: {value} has too many digits (as ORA-01438)"
            raise DataError(message)

"""Arrow columns into the rows of a response: every value in wire form, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from oracle_mimic.types import Kind, OracleType
from oracle_mimic.wire import numbers, singles, times
from oracle_mimic.wire.buffer import Writer, counted
from oracle_mimic.wire.cells import Cells
from oracle_mimic.wire.rowid import encode_rowids
from oracle_mimic.wire.slots import Element, Inline, Outside, counted_text, join
from oracle_mimic.wire.typecodes import FORM_NCHAR, LOB_KINDS, NATIONAL_KINDS, always_null
from oracle_mimic.wire.wide import null_flags

MSG_ROW_DATA = b"\x07"
Piece: TypeAlias = Cells | Element
LocatorMaker = Callable[[Kind, object], bytes]  # a LOB value's wire form, locator included
_NOTHING: Mapping[int, int] = {}
_LONG_TRAILER = b"\0\0"  # after every LONG value of a row: null indicator and return code
_WITHOUT_TRAILER = {Kind.LONG: Kind.VARCHAR2, Kind.LONG_RAW: Kind.RAW}


@dataclass(slots=True)
class EncodedRows:
    """Rows as they go out: row i is data[offsets[i]:offsets[i + 1]]."""

    data: memoryview
    offsets: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def part(self, start: int, stop: int) -> memoryview:
        return self.data[self.offsets[start] : self.offsets[stop]]


def encode_rows(
    columns: Sequence[pa.Array], types: Sequence[OracleType], make_locator: LocatorMaker, inline: Mapping[int, int] = _NOTHING
) -> EncodedRows:
    """A batch as row messages. `inline`: the LOB columns that the client has defined as LONG, with the character set form it expects:
    their content is sent instead of a locator.

    ValueError when a column described as always NULL holds a value, or a carrier is none of its kind's.
    """
    rows = len(columns[0])
    if rows <= singles.FEW_ROWS:
        return _encode_few(columns, types, make_locator, inline)
    pieces: list[Piece] = [Inline.constant(MSG_ROW_DATA, rows)]
    for index, (array, type_) in enumerate(zip(columns, types, strict=True)):
        pieces += encode_column(array, type_, make_locator, inline_form=inline.get(index))
    return _join(pieces, rows)


def _encode_few(
    columns: Sequence[pa.Array], types: Sequence[OracleType], make_locator: LocatorMaker, inline: Mapping[int, int]
) -> EncodedRows:
    rows = len(columns[0])
    parts = [[MSG_ROW_DATA] * rows]
    for index, (array, type_) in enumerate(zip(columns, types, strict=True)):
        single = singles.encode(array, type_.kind) if index not in inline and not always_null(type_) else None
        if single is None:
            joined = _join(encode_column(array, type_, make_locator, inline_form=inline.get(index)), rows)
            single = [bytes(joined.part(row, row + 1)) for row in range(rows)]
        parts.append(single)
    made = [b"".join(row) for row in zip(*parts, strict=True)]
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum([len(row) for row in made], out=offsets[1:])
    return EncodedRows(memoryview(b"".join(made)), offsets)


def encode_values(array: pa.Array, type_: OracleType, make_locator: LocatorMaker) -> list[bytes]:
    """The wire form of every value of one column (OUT binds, RETURNING)."""
    if len(array) == 0:
        return []
    kind = _WITHOUT_TRAILER.get(type_.kind, type_.kind)
    joined = _join(encode_column(array, replace(type_, kind=kind), make_locator), len(array))
    return [bytes(joined.part(index, index + 1)) for index in range(len(joined))]


def encode_column(array: pa.Array, type_: OracleType, make_locator: LocatorMaker, *, inline_form: int | None = None) -> list[Piece]:
    """One column as the pieces whose concatenation, row by row, is the wire form of its values."""
    kind = type_.kind
    national = kind in NATIONAL_KINDS if inline_form is None else inline_form == FORM_NCHAR
    if always_null(type_):
        if array.null_count != len(array):
            raise ValueError(f"a {kind.value} of length 0 holds a value")
        return []
    if pa.types.is_null(array.type):
        pieces: list[Piece] = [Inline.constant(b"\0", len(array))]
    elif kind in LOB_KINDS and inline_form is None:
        values = [b"\0" if value is None else make_locator(kind, value) for value in array.to_pylist()]
        return [Outside.of(pa.array(values, pa.binary()))]
    elif kind is Kind.NUMBER and not pa.types.is_binary(array.type):
        pieces = [numbers.encode(array)]
    elif kind in _FIXED:
        pieces = [_FIXED[kind](array)]
    elif national:
        encoded = [None if value is None else value.encode("utf-16-be") for value in array.to_pylist()]
        pieces = [*counted_text(pa.array(encoded, pa.binary()))]
    elif pa.types.is_string(array.type) or pa.types.is_binary(array.type):
        pieces = [*counted_text(array)]
    elif pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type):
        pieces = [*counted_text(array.cast(pa.large_binary()).cast(pa.binary()))]
    else:
        raise ValueError(f"{array.type} is no carrier of {kind.value}")
    if inline_form is not None or kind in (Kind.LONG, Kind.LONG_RAW):
        pieces.append(Inline.constant(_LONG_TRAILER, len(array)))
    return pieces


def _join(pieces: Sequence[Piece], rows: int) -> EncodedRows:
    elements = [Outside.of(piece.to_array()) if isinstance(piece, Cells) else piece for piece in pieces]
    if not elements:  # a column that is always NULL takes no bytes at all
        return EncodedRows(memoryview(b""), np.zeros(rows + 1, np.int32))
    return EncodedRows(*join(elements, rows))


def _encode_doubles(array: pa.Array) -> Inline:
    values = np.frombuffer(array.buffers()[1], "<f8")[array.offset : array.offset + len(array)]
    word = _comparable(np.where(np.isnan(values), np.nan, values).view(np.uint64)).byteswap()
    low = np.uint64(9 | 8 << 32) | word << np.uint64(40)
    return Inline(low, word >> np.uint64(24)).with_nulls(null_flags(array))


def _encode_floats(array: pa.Array) -> Inline:
    values = np.frombuffer(array.buffers()[1], "<f4")[array.offset : array.offset + len(array)]
    word = _comparable(np.where(np.isnan(values), np.float32(np.nan), values).view(np.uint32)).byteswap().astype(np.uint64)
    low = np.uint64(5 | 4 << 32) | word << np.uint64(40)
    return Inline(low, word >> np.uint64(24)).with_nulls(null_flags(array))


def _comparable(word: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.unsignedinteger]:
    """IEEE bits made byte-comparable: the sign bit set for positive values, all bits inverted for negative ones."""
    top = word.dtype.type(1 << (8 * word.itemsize - 1))
    return np.where(word & top, ~word, word | top)


def _encode_booleans(array: pa.Array) -> Cells:
    """True is 02 01 01, False 01 00."""
    nulls = null_flags(array)
    true = array.fill_null(False).to_numpy(zero_copy_only=False)
    rows = len(true)
    values = np.where(true[:, None], np.array([2, 1, 1], np.uint8), np.array([1, 0, 0], np.uint8))
    mask = np.ones((rows, 3), np.bool_)
    mask[:, 2] = true
    lengths = np.where(true, 3, 2).astype(np.int32)
    if nulls is not None:
        values[nulls, 0] = 0
        mask[nulls, 1:] = False
        lengths[nulls] = 1
    return Cells(values, mask, lengths)


_FIXED: dict[Kind, Callable[[pa.Array], Cells | Inline]] = {
    Kind.BINARY_FLOAT: _encode_floats,
    Kind.BINARY_DOUBLE: _encode_doubles,
    Kind.DATE: times.encode_dates,
    Kind.TIMESTAMP: times.encode_timestamps,
    Kind.TIMESTAMP_LTZ: times.encode_timestamps,
    Kind.TIMESTAMP_TZ: times.encode_timestamps_tz,
    Kind.INTERVAL_DS: times.encode_intervals_ds,
    Kind.INTERVAL_YM: times.encode_intervals_ym,
    Kind.BOOLEAN: _encode_booleans,
    Kind.ROWID: encode_rowids,
}


def lob_value(locator: bytes, size: int, chunk_size: int) -> bytes:
    """A LOB as a column value: the locator's length, the LOB's size (characters or bytes), its chunk size, the locator."""
    return bytes(Writer().ub(len(locator), size, chunk_size).data) + counted(locator)

"""The stream of a direct path load: rows cut into pieces, pieces into segments, segments into column values.

A row whose columns are all of fixed or short kinds is one "fast" piece that tells its length; then the row starts are found by hopping
from piece to piece, and the values by walking all rows at once, one column after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from oracle_mimic.types import Column, Kind
from oracle_mimic.wire.buffer import WireError
from oracle_mimic.wire.decode import Located, decode

_FAST, _FIRST, _LAST, _CONTINUES_PREVIOUS, _CONTINUED_IN_NEXT = 0x10, 0x08, 0x04, 0x02, 0x01
_WHOLE_FAST = _FAST | _FIRST | _LAST
_HEADER = 4  # of a fast piece: flags, two bytes of length, number of segments
_LONG, _NULL = 254, 255


def read_batch(stream: bytes, columns: Sequence[Column]) -> pa.RecordBatch:
    """The rows of one stream in carriers of the columns. WireError when the pieces do not fit the columns."""
    starts = _fast_rows(stream, len(columns))
    located = _walk(stream, starts, len(columns)) if starts is not None else _assemble(stream, len(columns))
    arrays = [decode(_sent_kind(column), each) for column, each in zip(columns, located, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _sent_kind(column: Column) -> Kind:
    """How the client sends a column: CLOB data comes as UTF-16 because the database character set has several bytes per character."""
    return Kind.NCLOB if column.type.kind is Kind.CLOB else column.type.kind


def _fast_rows(stream: bytes, columns: int) -> npt.NDArray[np.int64] | None:
    """Where the first segment of every row is; None when a row is no fast piece."""
    starts = []
    pos, end = 0, len(stream)
    while pos < end:
        if stream[pos] & _WHOLE_FAST != _WHOLE_FAST or pos + _HEADER > end:
            return None
        if stream[pos + 3] != columns:
            raise WireError(f"direct path row of {stream[pos + 3]} values for {columns} columns")
        starts.append(pos + _HEADER)
        length = stream[pos + 1] << 8 | stream[pos + 2]
        if length < _HEADER:
            raise WireError("direct path piece shorter than its header")
        pos += length
    if pos != end:
        raise WireError("direct path piece beyond the end of the stream")
    return np.array(starts, np.int64)


def _walk(stream: bytes, starts: npt.NDArray[np.int64], columns: int) -> list[Located]:
    data = np.frombuffer(stream + b"\0\0\0", np.uint8)  # so that looking at a long length never leaves the array
    at = starts
    located = []
    for _ in range(columns):
        if bool(np.any(at >= len(stream))):
            raise WireError("direct path row beyond the end of the stream")
        first = data[at].astype(np.int64)
        long = first == _LONG
        begin = at + 1
        length = first
        if bool(long.any()):
            wide = data[at + 1].astype(np.int64) << 8 | data[at + 2]
            begin = np.where(long, at + 3, begin)
            length = np.where(long, wide, first)
        null = (first == _NULL) | (first == 0)
        length = np.where(null, -1, length)
        at = begin + np.maximum(length, 0)
        located.append(Located(data, begin, length))
    if bool(np.any(at > len(stream))) or bool(np.any(at[:-1] + _HEADER != starts[1:])):
        raise WireError("direct path row that does not end where the next begins")
    return located


def _assemble(stream: bytes, columns: int) -> list[Located]:
    """Piece by piece, for rows with LOBs or values that are split over pieces."""
    rows: list[list[bytes | None]] = []
    row: list[bytes | None] = []
    parts: list[bytes] = []  # of a value that goes on in the next piece
    pos, end = 0, len(stream)
    try:
        while pos < end:
            flags = stream[pos]
            pos += 3 if flags & _FAST else 1
            segments = stream[pos]
            pos += 1
            if flags & _FIRST:
                row = []
            for segment in range(segments):
                value, pos = _segment(stream, pos)
                goes_on = segment == segments - 1 and flags & _CONTINUED_IN_NEXT
                if goes_on or (parts and segment == 0 and flags & _CONTINUES_PREVIOUS):
                    parts.append(value or b"")
                    if not goes_on:
                        row.append(b"".join(parts))
                        parts = []
                else:
                    if parts:  # the split fell exactly on the value's end
                        row.append(b"".join(parts))
                        parts = []
                    row.append(value)
            if flags & _LAST:
                if parts:
                    row.append(b"".join(parts))
                    parts = []
                if len(row) != columns:
                    raise WireError(f"direct path row of {len(row)} values for {columns} columns")
                rows.append(row)
    except IndexError as error:
        raise WireError("direct path piece beyond the end of the stream") from error
    return [Located.of([each[column] for each in rows]) for column in range(columns)]


def _segment(stream: bytes, pos: int) -> tuple[bytes | None, int]:
    length = stream[pos]
    pos += 1
    if length in (0, _NULL):
        return None, pos
    if length == _LONG:
        length = stream[pos] << 8 | stream[pos + 1]
        pos += 2
    if pos + length > len(stream):
        raise IndexError
    return stream[pos : pos + length], pos + length

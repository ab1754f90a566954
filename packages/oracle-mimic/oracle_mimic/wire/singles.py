"""Values one by one into wire form, for results of a few rows: there numpy and Arrow cost more to call than they save.

The kinds that statements return most; the others, and dates outside of Python's calendar, are left to the columns' way (encode.py),
whose bytes these are too.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from oracle_mimic.number import from_decimal, from_text
from oracle_mimic.types import Kind
from oracle_mimic.wire.buffer import CHUNKED, LONGEST_SHORT, counted

FEW_ROWS = 16  # about where both ways cost the same
_NULL = b"\0"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Oracle's DATE and TIMESTAMP have no zone
_FIRST = (datetime.min - _EPOCH) // timedelta(seconds=1)  # noqa: DTZ901 - the same
_LAST = (datetime.max - _EPOCH) // timedelta(seconds=1)  # noqa: DTZ901 - the same
_MICROSECONDS = 1_000_000


def encode(array: pa.Array, kind: Kind) -> list[bytes] | None:
    """Every value of a column in wire form; None when this way does not know the kind, its carrier or a value."""
    encoder = _ENCODERS.get((kind, str(array.type) if not pa.types.is_decimal(array.type) else "decimal"))
    return None if encoder is None else encoder(array)


def _numbers(array: pa.Array) -> list[bytes]:
    values = array.to_pylist()
    if pa.types.is_integer(array.type):
        return [_NULL if value is None else counted(from_text(str(value))) for value in values]
    return [_NULL if value is None else counted(from_decimal(value)) for value in values]


def _texts(array: pa.Array) -> list[bytes]:
    return [_of_any_length(None if value is None else value.encode()) for value in array.to_pylist()]


def _bytes(array: pa.Array) -> list[bytes]:
    return [_of_any_length(value) for value in array.to_pylist()]


def _of_any_length(value: bytes | None) -> bytes:
    """As the columns' way writes it: a chunk's length always in four bytes."""
    if value is None or len(value) <= LONGEST_SHORT:
        return counted(value)
    return b"".join((bytes((CHUNKED, 4)), len(value).to_bytes(4, "big"), value, b"\0"))


def _doubles(array: pa.Array) -> list[bytes]:
    """IEEE bits made byte-comparable: the sign bit set for positive values, all bits inverted for negative ones."""
    out = []
    for value in array.to_pylist():
        if value is None:
            out.append(_NULL)
            continue
        (word,) = struct.unpack(">Q", struct.pack(">d", math.nan if math.isnan(value) else value))
        out.append(b"\x08" + (word ^ (0xFFFFFFFFFFFFFFFF if word >> 63 else 1 << 63)).to_bytes(8, "big"))
    return out


def _clocks(array: pa.Array, *, per_second: int) -> list[bytes] | None:
    out = []
    for value in array.view(pa.int64()).to_pylist():
        if value is None:
            out.append(_NULL)
            continue
        seconds, micros = divmod(value, per_second)
        if not _FIRST <= seconds <= _LAST:
            return None
        at = _EPOCH + timedelta(seconds=seconds)
        clock = bytes((at.year // 100 + 100, at.year % 100 + 100, at.month, at.day, at.hour + 1, at.minute + 1, at.second + 1))
        out.append(b"\x07" + clock if per_second == 1 else b"\x0b" + clock + (micros * 1000).to_bytes(4, "big"))
    return out


_ENCODERS: dict[tuple[Kind, str], Callable[[pa.Array], list[bytes] | None]] = {
    (Kind.NUMBER, "int64"): _numbers,
    (Kind.NUMBER, "decimal"): _numbers,
    (Kind.NUMBER, "binary"): _bytes,
    (Kind.FLOAT, "binary"): _bytes,
    (Kind.VARCHAR2, "string"): _texts,
    (Kind.CHAR, "string"): _texts,
    (Kind.RAW, "binary"): _bytes,
    (Kind.BINARY_DOUBLE, "double"): _doubles,
    (Kind.DATE, "timestamp[s]"): partial(_clocks, per_second=1),
    (Kind.TIMESTAMP, "timestamp[us]"): partial(_clocks, per_second=_MICROSECONDS),
    (Kind.TIMESTAMP_LTZ, "timestamp[us]"): partial(_clocks, per_second=_MICROSECONDS),
}

"""Whole columns of NUMBER bytes at once: the numbers of at most 18 digits that nearly every column holds.

Each function answers a column and says for which rows its answer is right; the rest is for the row by row functions of `number_bytes`.
A number is read as `mantissa * 100 ** power`, both integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PAIRS = 9  # of decimal digits: what an int64 holds
_HUNDREDS = np.array([100**power for power in range(_PAIRS + 1)], dtype=np.int64)
_EXACT_DOUBLE = 2**53
_CLOSING = 0x66  # ends a negative number

Array = np.ndarray[Any, Any]


class Parts(NamedTuple):
    """A column taken apart; what it says about rows that are not `known` means nothing."""

    mantissa: Array
    power: Array
    known: Array


def parts(column: pa.Array) -> Parts:
    """The numbers of a column of NUMBER bytes; NULLs are known, and zero."""
    rows = len(column)
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[column.offset : column.offset + rows + 1].astype(np.int64)
    data = np.zeros(1, dtype=np.uint8) if data_buffer is None or not data_buffer.size else np.frombuffer(data_buffer, dtype=np.uint8)
    starts, lengths = offsets[:-1], np.diff(offsets)
    present = lengths > 0
    last = len(data) - 1
    first = data[np.minimum(starts, last)].astype(np.int64)
    negative = present & (first < 0x80)
    closed = negative & (data[np.clip(starts + lengths - 1, 0, last)] == _CLOSING)
    pairs = np.where(present, lengths - 1 - closed, 0)
    mantissa = np.zeros(rows, dtype=np.int64)
    for position in range(1, _PAIRS + 1):
        inside = pairs >= position
        if not inside.any():
            break
        byte = data[np.minimum(starts + position, last)].astype(np.int64)
        mantissa = np.where(inside, mantissa * 100 + np.where(negative, 101 - byte, byte - 1), mantissa)
    power = np.where(pairs > 0, np.where(negative, 62 - first, first - 193) - pairs + 1, 0)
    return Parts(np.where(negative, -mantissa, mantissa), power, pairs <= _PAIRS)


def _cut(numbers: Parts) -> tuple[Array, Array, Array]:
    """Whole part and what is behind the point (in hundredths to the power that is left), and where both are right."""
    below = np.clip(-numbers.power, 0, _PAIRS)
    above = np.clip(numbers.power, 0, _PAIRS)
    magnitude = np.abs(numbers.mantissa)
    fits = numbers.known & (numbers.power >= -_PAIRS) & (numbers.power <= _PAIRS) & (magnitude < _HUNDREDS[_PAIRS - above])
    whole, behind = np.divmod(magnitude, _HUNDREDS[below])
    return np.where(fits, whole * _HUNDREDS[above], 0), behind, fits


def _nulls(column: pa.Array) -> Array | None:
    """Arrow's mask of the NULLs."""
    return None if column.null_count == 0 else column.is_null().to_numpy(zero_copy_only=False)


def integers(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The whole parts."""
    numbers = parts(column)
    whole, _, fits = _cut(numbers)
    return pa.array(np.where(numbers.mantissa < 0, -whole, whole), pa.int64(), mask=_nulls(column)), pa.array(fits)


def doubles(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The nearest doubles: one division or multiplication of two exact ones rounds correctly."""
    numbers = parts(column)
    exact = numbers.known & (np.abs(numbers.mantissa) < _EXACT_DOUBLE) & (np.abs(numbers.power) <= _PAIRS)
    scale = _HUNDREDS[np.clip(np.abs(numbers.power), 0, _PAIRS)].astype(np.float64)
    mantissa = numbers.mantissa.astype(np.float64)
    values = np.where(numbers.power < 0, mantissa / scale, mantissa * scale)
    return pa.array(values, pa.float64(), mask=_nulls(column)), pa.array(exact)


def texts(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """As TO_CHAR prints them: no zero in front of the point, none at the end."""
    numbers = parts(column)
    whole, behind, fits = _cut(numbers)
    nulls = _nulls(column)
    text = pa.array(whole, pa.int64()).cast(pa.string())
    fractional = fits & (behind > 0)
    for below in np.unique(numbers.power[fractional]):
        chosen = fractional & (numbers.power == below)
        digits = pc.utf8_rtrim(pc.utf8_lpad(pa.array(behind[chosen], pa.int64()).cast(pa.string()), int(-2 * below), "0"), "0")
        front = pa.array(whole[chosen], pa.int64()).cast(pa.string())
        front = pc.if_else(pc.equal(front, "0"), "", front)
        text = pc.replace_with_mask(text, pa.array(chosen), pc.binary_join_element_wise(front, digits, "."))
    minus = numbers.mantissa < 0
    if minus.any():
        text = pc.if_else(pa.array(minus), pc.binary_join_element_wise("-", text, ""), text)
    if nulls is not None:
        text = pc.if_else(pa.array(nulls), None, text)
    return text, pa.array(fits)

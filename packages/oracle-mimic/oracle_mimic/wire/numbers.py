"""Columns of NUMBER values to and from the wire, a whole column at a time.

A NUMBER on the wire is an exponent byte and base-100 digits; `oracle_mimic.number` has the format for one value.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from oracle_mimic.number import to_decimal
from oracle_mimic.wire.buffer import WireError
from oracle_mimic.wire.cells import Cells
from oracle_mimic.wire.slots import Inline
from oracle_mimic.wire.wide import I64, U64, Flags, Limbs, decimal_of_int64, fits_int64, null_flags, validity, words

U8 = npt.NDArray[np.uint8]
_LONGEST = 21
_NEGATIVE_END = 0x66
_FEW = 8  # values up to which plain Python is faster than numpy
_CHUNK = 100_000_000  # four base-100 digits


def encode(array: pa.Array) -> Inline | Cells:
    """int64 or decimal128 values as counted NUMBER bytes."""
    nulls = null_flags(array)
    if pa.types.is_integer(array.type):
        values = np.frombuffer(array.buffers()[1], dtype="<i8")[array.offset : array.offset + len(array)]
        if nulls is not None:
            values = np.where(nulls, 0, values)
        return _encode_narrow(values, 0, nulls)
    low, high = words(array)
    if nulls is not None:
        low, high = np.where(nulls, np.uint64(0), low), np.where(nulls, 0, high)
    if fits_int64(low, high):
        return _encode_narrow(low.view(np.int64), array.type.scale, nulls)
    limbs, negative = Limbs.magnitude(low, high)
    return _encode_limbs(limbs, negative, array.type.scale, nulls)


def _encode_limbs(limbs: Limbs, negative: Flags, scale: int, nulls: Flags | None) -> Cells:
    last = limbs.divide(10).astype(np.uint8) * np.uint8(10) if scale % 2 else None
    chunks = []
    while any(limb.any() for limb in limbs.limbs):
        chunks.append(limbs.divide(_CHUNK).astype(np.uint32))
    pairs = [pair for chunk in reversed(chunks) for pair in _four_pairs(chunk)]
    return _cells(pairs if last is None else [*pairs, last], (scale + 1) // 2, negative, nulls)


def _encode_narrow(values: I64, scale: int, nulls: Flags | None) -> Inline | Cells:
    """Up to eight base-100 digits of every value as the bytes of one 64-bit word, the most significant digit lowest."""
    negative = values < 0
    rest = np.abs(values).view(np.uint64)
    largest = int(rest.max(initial=0))
    last = None
    if scale % 2:
        quotient = rest // np.uint64(10)
        last = (rest - quotient * np.uint64(10)) * np.uint64(10)
        rest, largest = quotient, largest // 10
    if largest >= _CHUNK * _CHUNK // (1 if last is None else 100):
        return _encode_limbs(Limbs.of(np.abs(values).view(np.uint64)), negative, scale, nulls)
    if largest < _CHUNK:
        digits = _digit_bytes(rest.astype(np.uint32)).astype(np.uint64) << np.uint64(32)
    else:
        upper = rest // np.uint64(_CHUNK)
        lower = rest - upper * np.uint64(_CHUNK)
        digits = _digit_bytes(upper.astype(np.uint32)) | _digit_bytes(lower.astype(np.uint32)).astype(np.uint64) << np.uint64(32)
    if last is not None:
        digits = digits >> np.uint64(8) | last << np.uint64(56)
    return _inline(digits, (scale + 1) // 2, negative).with_nulls(nulls)


def _digit_bytes(chunk: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Numbers below 10**8 as four base-100 digits, one per byte, the most significant lowest."""
    upper = chunk // np.uint32(10000)
    lower = chunk - upper * np.uint32(10000)
    first, third = upper // np.uint32(100), lower // np.uint32(100)
    second, fourth = upper - first * np.uint32(100), lower - third * np.uint32(100)
    result: npt.NDArray[np.uint32] = first | second << np.uint32(8) | third << np.uint32(16) | fourth << np.uint32(24)
    return result


def _inline(digits: U64, fraction_pairs: int, negative: Flags) -> Inline:
    """Counted NUMBER bytes of words of eight base-100 digits, of which the last `fraction_pairs` are the fraction."""
    eight = np.uint64(8)
    zero = digits == 0
    # the place of the highest set bit is in the exponent of a word as a double; digits are below 100, so rounding stays within the byte
    lowest = _bit(digits & (~digits + np.uint64(1))) >> np.uint64(3)
    count = (_bit(digits) >> np.uint64(3)) - lowest + np.uint64(1)
    power = np.uint64(193 + 7 - fraction_pairs) - lowest  # the exponent byte of a positive number
    shift = lowest * eight
    body = (digits + np.uint64(0x0101010101010101)) >> shift
    size = count + np.uint64(1)
    high_end = np.zeros(1, np.uint64)
    if bool(negative.any()):
        complement = (np.uint64(0x6565656565656565) - digits) >> shift
        full = count >= eight
        bits = np.where(full, np.uint64(0), count * eight)
        ended = (complement & ((np.uint64(1) << bits) - np.uint64(1))) | np.uint64(_NEGATIVE_END) << bits
        body = np.where(negative, np.where(full, complement, ended), body)
        high_end = np.where(negative & full, np.uint64(_NEGATIVE_END << 48), np.uint64(0))
        power = np.where(negative, np.uint64(255) - power, power)
        size = size + negative
    low = (size + np.uint64(1)) | size << np.uint64(32) | power << np.uint64(40) | body << np.uint64(48)
    return Inline(np.where(zero, np.uint64(2 | 1 << 32 | 0x80 << 40), low), body >> np.uint64(16) | high_end)


def _bit(values: U64) -> U64:
    """The place of the highest set bit (nonsense for 0)."""
    exponent: U64 = (values.astype(np.float64).view(np.uint64) >> np.uint64(52)) - np.uint64(1023)
    return exponent


def _four_pairs(chunk: npt.NDArray[np.uint32]) -> list[U8]:
    upper, lower = chunk // np.uint32(10000), chunk % np.uint32(10000)
    return [
        (part // np.uint32(100) if first else part % np.uint32(100)).astype(np.uint8) for part in (upper, lower) for first in (True, False)
    ]


def _cells(pairs: list[U8], fraction_pairs: int, negative: Flags, nulls: Flags | None) -> Cells:
    """Counted NUMBER bytes from base-100 digit columns, most significant first, of which the last `fraction_pairs` are the fraction."""
    rows, count = len(negative), len(pairs)
    leading = np.zeros(rows, np.uint8)  # zero pairs in front
    still = np.ones(rows, np.bool_)
    for pair in pairs:
        still = still & (pair == 0)
        leading += still
    trailing = np.zeros(rows, np.uint8)
    still = np.ones(rows, np.bool_)
    for pair in reversed(pairs):
        still = still & (pair == 0)
        trailing += still
    zero = leading == count
    digits = np.where(zero, 0, count - leading.astype(np.int16) - trailing)
    closing = negative & (digits < 20)
    power = count - leading.astype(np.int16) - 1 - fraction_pairs
    values = np.empty((rows, count + 3), np.uint8)
    mask = np.empty((rows, count + 3), np.bool_)
    values[:, 0] = np.where(zero, 1, 1 + digits + closing)
    values[:, 1] = np.where(zero, 0x80, np.where(negative, 62 - power, 193 + power))
    any_negative = bool(negative.any())
    for index, pair in enumerate(pairs):
        values[:, 2 + index] = np.where(negative, 101 - pair, pair + 1) if any_negative else pair + 1
        mask[:, 2 + index] = (leading <= index) & (index < count - trailing.astype(np.int16))
    values[:, -1] = _NEGATIVE_END
    mask[:, 0] = True
    mask[:, 1] = True
    mask[:, -1] = closing
    lengths = values[:, 0].astype(np.int32) + 1
    if nulls is not None:
        values[nulls, 0] = 0
        mask[nulls, 1:] = False
        lengths[nulls] = 1
    return Cells(values, mask, lengths)


def decode(data: U8, starts: I64, lengths: I64) -> pa.Array:
    """NUMBER bytes (`lengths` -1 for NULL) into the first carrier that holds all: int64, decimal128(38, s), NUMBER bytes."""
    rows = len(starts)
    nulls = lengths < 0
    if rows == 0 or nulls.all():
        return pa.nulls(rows, pa.int64())
    if rows <= _FEW:
        return _decode_one_by_one(data, starts, lengths)
    width = int(lengths.max())
    if width > _LONGEST or bool(np.any(lengths == 0)):
        raise WireError(f"NUMBER of {width} bytes")
    at = np.where(nulls, 0, starts)
    matrix = data[np.minimum(at[:, None] + np.arange(width), len(data) - 1)]
    matrix[nulls] = 0
    matrix[nulls, 0] = 0x80
    sizes = np.where(nulls, 1, lengths)
    positive = matrix[:, 0] >= 0x80
    last = matrix[np.arange(rows), sizes - 1]
    digits = np.where(~positive & (last == _NEGATIVE_END), sizes - 2, sizes - 1)
    power = np.where(positive, matrix[:, 0].astype(np.int64) - 193, 62 - matrix[:, 0].astype(np.int64))
    present = np.arange(1, width) <= digits[:, None]
    pairs = np.where(positive[:, None], matrix[:, 1:] - np.uint8(1), np.uint8(101) - matrix[:, 1:])
    if bool(np.any(pairs[present] > 99)) or bool(np.any(~positive & (digits < 1))):
        raise WireError("not a NUMBER")
    exponent = np.where(digits > 0, power - digits + 1, 0)  # base-100 exponent of the last digit
    fraction = max(0, -int(exponent.min()))
    scale = 2 * fraction
    if fraction:  # the last pair may be a multiple of ten everywhere: one decimal less
        deepest = (exponent == -fraction) & (digits > 0)
        ends = pairs[np.flatnonzero(deepest), digits[deepest] - 1]
        if bool(np.all(ends % 10 == 0)):
            scale -= 1
    whole_digits = int(np.where(digits > 0, power + 1, 0).max()) + fraction  # base-100 digits of the largest scaled value
    if whole_digits <= 9:
        scaled = np.zeros(rows, np.int64)
        for index in range(width - 1):
            scaled = np.where(present[:, index], scaled * 100 + pairs[:, index], scaled)
        scaled *= np.power(100, np.where(digits > 0, exponent + fraction, 0))
        if scale % 2:
            scaled //= 10
        scaled = np.where(positive, scaled, -scaled)
        if scale == 0:
            return pa.Array.from_buffers(pa.int64(), rows, [validity(nulls), pa.py_buffer(scaled)])
        return decimal_of_int64(scaled, nulls, 38, scale)
    if whole_digits <= 19 and scale <= 38:
        limbs = _scaled_limbs(pairs, present, np.where(digits > 0, exponent + fraction, 0))
        if scale % 2:
            limbs.divide(10)
        return limbs.to_decimal(~positive, nulls, 38, scale)
    return _decode_one_by_one(data, starts, lengths)


def _scaled_limbs(pairs: U8, present: Flags, shift: I64) -> Limbs:
    """The digits read as integers, times 100 to the power of `shift`."""
    rows = len(shift)
    limbs = Limbs.of(np.zeros(rows, np.uint64))
    for index in range(pairs.shape[1]):
        here = present[:, index]
        limbs = _choose(here, limbs, 100, np.where(here, pairs[:, index], 0).astype(np.uint64))
    for step in range(int(shift.max())):
        limbs = _choose(shift > step, limbs, 100, np.zeros(rows, np.uint64))
    return limbs


def _choose(rows: Flags, limbs: Limbs, factor: int, addend: U64) -> Limbs:
    """limbs * factor + addend in the given rows, the same limbs in the others."""
    changed = Limbs(list(limbs.limbs))
    changed.multiply_add(factor, addend)
    return Limbs([np.where(rows, new, old) for new, old in zip(changed.limbs, limbs.limbs, strict=True)])


def _decode_one_by_one(data: U8, starts: I64, lengths: I64) -> pa.Array:
    """The same with the scalar codec: for few values, and for those beyond what the vectorised way holds."""
    raw = [
        None if length < 0 else data[start : start + length].tobytes()
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    try:
        values = [None if value is None else to_decimal(value) for value in raw]
    except ValueError as error:
        raise WireError(str(error)) from error
    scale = max((-_exponent(value) for value in values if value), default=0)
    if scale <= 0 and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    if 0 <= scale <= 38 and all(value is None or abs(value) < Decimal(10) ** (38 - scale) for value in values):
        return pa.array(values, pa.decimal128(38, scale))
    return pa.array(raw, pa.binary())


def _exponent(value: Decimal) -> int:
    """The exponent of the last digit that is not zero."""
    _, digits, exponent = value.as_tuple()
    zeros = 0
    while zeros < len(digits) - 1 and digits[-1 - zeros] == 0:
        zeros += 1
    return int(exponent) + zeros

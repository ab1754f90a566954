"""Arithmetic on columns of 128-bit integers, which numpy has no type for: decimal128 as four 32-bit limbs.

Only what the codecs need: split off a remainder, multiply and add small numbers, and go from and to Arrow's buffers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def words(array: pa.Array) -> tuple[U64, I64]:
    """The low and high 64-bit words of a decimal128 array (what is under a null is undefined)."""
    pairs = np.frombuffer(array.buffers()[1], dtype="<u8").reshape(-1, 2)[array.offset : array.offset + len(array)]
    return pairs[:, 0], pairs[:, 1].view("<i8")


def fits_int64(low: U64, high: I64) -> bool:
    """True when the high word is only the sign of the low one, everywhere."""
    return bool(np.all(high == low.view(np.int64) >> 63))


class Limbs:
    """A column of non-negative 128-bit integers, least significant limb first."""

    def __init__(self, limbs: list[U64]) -> None:
        self.limbs = limbs

    @classmethod
    def magnitude(cls, low: U64, high: I64) -> tuple[Limbs, Flags]:
        """The absolute values and which were negative."""
        negative = high < 0
        flip = np.where(negative, np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0))
        low = low ^ flip
        top = high.view(np.uint64) ^ flip
        low = low + negative
        top = top + (negative & (low == 0))
        return cls([low & _LOW, low >> _32, top & _LOW, top >> _32]), negative

    @classmethod
    def of(cls, values: U64) -> Limbs:
        return cls([values & _LOW, values >> _32, np.zeros_like(values), np.zeros_like(values)])

    def divide(self, divisor: int) -> U64:
        """Divide in place by a number below 2**32; the remainders."""
        rest = np.zeros_like(self.limbs[0])
        by = np.uint64(divisor)
        for index in (3, 2, 1, 0):
            value = (rest << _32) | self.limbs[index]
            quotient = value // by
            rest = value - quotient * by
            self.limbs[index] = quotient
        return rest

    def multiply_add(self, factor: int, addend: U64) -> None:
        """Multiply in place by a number below 2**31 and add numbers below 2**32; the caller knows that 128 bits are enough."""
        carry = addend
        for index in range(4):
            value = self.limbs[index] * np.uint64(factor) + carry
            self.limbs[index] = value & _LOW
            carry = value >> _32

    def low_words(self) -> U64:
        """The values modulo 2**64."""
        return self.limbs[0] | (self.limbs[1] << _32)

    def to_decimal(self, negative: Flags, nulls: Flags | None, precision: int, scale: int) -> pa.Array:
        """As a decimal128 array with signs and nulls applied."""
        low = self.low_words()
        high = self.limbs[2] | (self.limbs[3] << _32)
        flip = np.where(negative, np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0))
        low = (low ^ flip) + negative
        high = (high ^ flip) + (negative & (low == 0))
        return decimal_array(low, high.view(np.int64), nulls, precision, scale)


def decimal_array(low: U64, high: I64, nulls: Flags | None, precision: int, scale: int) -> pa.Array:
    """A decimal128 array from its two words."""
    data = np.empty((len(low), 2), dtype="<u8")
    data[:, 0] = low
    data[:, 1] = high.view(np.uint64)
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(low), [validity(nulls), pa.py_buffer(data)])


def decimal_of_int64(values: I64, nulls: Flags | None, precision: int, scale: int) -> pa.Array:
    return decimal_array(values.view(np.uint64), values >> 63, nulls, precision, scale)


def validity(nulls: Flags | None) -> pa.Buffer | None:
    """Arrow's validity bitmap; None when nothing is null."""
    if nulls is None or not nulls.any():
        return None
    return pa.py_buffer(np.packbits(~nulls, bitorder="little"))


def null_flags(array: pa.Array) -> Flags | None:
    """Which values are null; None when none is."""
    if array.null_count == 0:
        return None
    flags: Flags = array.is_null().to_numpy(zero_copy_only=False)
    return flags

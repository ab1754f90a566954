"""ROWIDs: 18 base-64 characters to people, four numbers on the wire."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from oracle_mimic.wire.cells import Cells
from oracle_mimic.wire.wide import null_flags

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = np.full(256, 255, np.uint8)
_DIGITS[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(64, dtype=np.uint8)
# characters 0-5 object, 6-8 file, 9-14 block, 15-17 slot
_PARTS = ((0, 6), (6, 9), (9, 15), (15, 18))
_WIDTH = 18


def components(rowid: str) -> tuple[int, int, int, int]:
    """Data object, relative file, block and slot number of a ROWID; ValueError if it is none."""
    if len(rowid) != _WIDTH:
        raise ValueError(f"{rowid!r} is no ROWID")
    numbers = []
    for start, stop in _PARTS:
        number = 0
        for character in rowid[start:stop]:
            number = number * 64 + _ALPHABET.index(character.encode())
        numbers.append(number)
    return numbers[0], numbers[1], numbers[2], numbers[3]


def encode_rowids(array: pa.Array) -> Cells:
    """ROWID text as column values: a length byte that is not 0, then ub4 object, ub2 file, a zero, ub4 block, ub2 slot."""
    nulls = null_flags(array)
    filled = array.fill_null("A" * _WIDTH)
    text = b"".join(value.encode() for value in filled.to_pylist())
    if len(text) != _WIDTH * len(array):
        raise ValueError("a ROWID has 18 characters")
    digits = _DIGITS[np.frombuffer(text, np.uint8)].reshape(-1, _WIDTH).astype(np.int64)
    if bool(np.any(digits > 63)):
        raise ValueError("a ROWID is made of base-64 digits")
    object_, file, block, slot = (_number(digits[:, start:stop]) for start, stop in _PARTS)
    rows = len(digits)
    values = np.empty((rows, 18), np.uint8)
    values[:, 0] = 17
    values[:, 1] = 4
    values[:, 2:6] = object_.astype(">u4").view(np.uint8).reshape(-1, 4)
    values[:, 6] = 2
    values[:, 7:9] = file.astype(">u2").view(np.uint8).reshape(-1, 2)
    values[:, 9] = 0
    values[:, 10] = 4
    values[:, 11:15] = block.astype(">u4").view(np.uint8).reshape(-1, 4)
    values[:, 15] = 2
    values[:, 16:18] = slot.astype(">u2").view(np.uint8).reshape(-1, 2)
    mask = np.ones(values.shape, np.bool_)
    lengths = np.full(rows, 18, np.int32)
    if nulls is not None:
        values[nulls, 0] = 0
        mask[nulls, 1:] = False
        lengths[nulls] = 1
    return Cells(values, mask, lengths)


def _number(digits: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    number = np.zeros(len(digits), np.int64)
    for index in range(digits.shape[1]):
        number = number * 64 + digits[:, index]
    return number

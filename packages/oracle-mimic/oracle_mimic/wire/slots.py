"""Rows put together from views: every value is 16 bytes in Arrow's binary-view form, and one cast copies all of them side by side.

A view is a length and either up to 12 bytes themselves, or a buffer's number and an offset into it. With the views of all columns
interleaved row by row, casting to plain binary yields finished rows. (The four-byte prefix of long views serves comparisons only;
none is made, so it stays 0.) Little-endian throughout, as Arrow is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

U64 = npt.NDArray[np.uint64]
INLINE = 12  # bytes a view holds itself
_32 = np.uint64(32)
_40 = np.uint64(40)


@dataclass(slots=True)
class Inline:
    """Values of at most 12 bytes. low: length, then bytes 0-3; high: bytes 4-11. What is behind the length is ignored."""

    low: U64
    high: U64

    def __len__(self) -> int:
        return len(self.low)

    @classmethod
    def constant(cls, data: bytes, rows: int) -> Inline:
        """The same bytes in every row."""
        low = len(data) | int.from_bytes(data[:4], "little") << 32
        return cls(np.full(rows, low, np.uint64), np.full(rows, int.from_bytes(data[4:12], "little"), np.uint64))

    def with_nulls(self, nulls: npt.NDArray[np.bool_] | None) -> Inline:
        """NULL is a single zero byte."""
        if nulls is not None:
            self.low = np.where(nulls, np.uint64(1), self.low)
        return self


@dataclass(slots=True)
class Outside:
    """Values of any length in a buffer of their own; the first 12 bytes of short ones are taken inline when rows are made."""

    buffer: pa.Buffer
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets)

    @classmethod
    def of(cls, array: pa.Array) -> Outside:
        """The values of a binary or string array; null counts as empty."""
        _, offset_buffer, data = array.buffers()
        bounds = np.frombuffer(offset_buffer, np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
        first, last = int(bounds[0]), int(bounds[-1])
        lengths = np.diff(bounds)
        if array.null_count:
            lengths[array.is_null().to_numpy(zero_copy_only=False)] = 0
        part = data.slice(first, last - first) if data is not None else pa.py_buffer(b"")
        return cls(part, bounds[:-1] - first, lengths)

    def words(self, start: int) -> U64:
        """Eight bytes of every value from `start` on (what is behind its end is undefined)."""
        size = self.buffer.size
        padded = np.zeros(size + 24, np.uint8)
        padded[:size] = np.frombuffer(self.buffer, np.uint8)
        everywhere = np.ndarray((size + 16,), np.dtype("<u8"), padded, 0, (1,))
        picked: U64 = everywhere[self.offsets + start]
        return picked


Element = Inline | Outside


def counted_text(array: pa.Array) -> list[Element]:
    """Binary or string values with a length byte in front, NULL as length 0; over 252 bytes as one chunk with its end behind."""
    outside = Outside.of(array)
    lengths = outside.lengths.view(np.uint64)
    longest = int(lengths.max(initial=0))
    if longest < INLINE:  # length and value fit into one view
        low = lengths + np.uint64(1) | lengths << _32 | (outside.words(0) & np.uint64(0xFFFFFF)) << _40
        return [Inline(low, outside.words(3))]
    if longest <= 252:
        return [Inline(np.uint64(1) | lengths << _32, np.zeros(len(lengths), np.uint64)), outside]
    long = lengths > np.uint64(252)
    swapped = lengths.astype(np.uint32).byteswap().astype(np.uint64)  # 254, then the chunk's length as ub4 with four bytes
    front = np.uint64(6 | 254 << 32 | 4 << 40) | swapped << np.uint64(48)
    low = np.where(long, front, np.uint64(1) | lengths << _32)
    end = np.where(long, np.uint64(1), np.uint64(0))
    zeros = np.zeros(len(lengths), np.uint64)
    return [Inline(low, swapped >> np.uint64(16)), outside, Inline(end, zeros)]


def join(elements: Sequence[Element], rows: int) -> tuple[memoryview, npt.NDArray[np.int32]]:
    """The elements of every row side by side: all bytes, and where each row begins (and the last ends)."""
    views = np.empty((rows, len(elements), 2), np.uint64)
    buffers: list[pa.Buffer] = []
    for index, element in enumerate(elements):
        if isinstance(element, Inline):
            views[:, index, 0] = element.low
            views[:, index, 1] = element.high
            continue
        lengths = element.lengths.view(np.uint64)
        low, high = lengths, np.uint64(len(buffers)) | element.offsets.view(np.uint64) << _32
        short = lengths <= np.uint64(INLINE)
        if short.any():
            low = np.where(short, lengths | element.words(0) << _32, low)
            high = np.where(short, element.words(4), high)
        views[:, index, 0] = low
        views[:, index, 1] = high
        buffers.append(element.buffer)
    array = pa.Array.from_buffers(pa.binary_view(), rows * len(elements), [None, pa.py_buffer(views), *buffers])
    _, offsets, data = pc.cast(array, pa.binary()).buffers()
    return memoryview(data) if data is not None else memoryview(b""), np.frombuffer(offsets, np.int32)[:: len(elements)].copy()

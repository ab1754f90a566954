"""Values of one bind or column, found in a message, into an Arrow array in a carrier of `types.CARRIERS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from oracle_mimic.types import Kind
from oracle_mimic.wire import numbers, times
from oracle_mimic.wire.buffer import WireError
from oracle_mimic.wire.typecodes import NATIONAL_KINDS, TEXT_KINDS
from oracle_mimic.wire.wide import validity

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
_SIZES: dict[Kind, tuple[int, ...]] = {
    Kind.BINARY_FLOAT: (4,),
    Kind.BINARY_DOUBLE: (8,),
    Kind.DATE: (7,),
    Kind.TIMESTAMP: (7, 11),
    Kind.TIMESTAMP_LTZ: (7, 11),
    Kind.TIMESTAMP_TZ: (7, 11, 13),
    Kind.INTERVAL_DS: (11,),
    Kind.INTERVAL_YM: (5,),
    Kind.BOOLEAN: (1, 2),
}


@dataclass(slots=True)
class Located:
    """Where the values of a column are: value i is data[starts[i]:starts[i] + lengths[i]], NULL where the length is -1.

    The starts ascend, except when `scattered`: then some values were put together from parts and lie elsewhere.
    """

    data: U8
    starts: I64
    lengths: I64
    scattered: bool = False

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> Located:
        """Values that are apart already."""
        lengths = np.array([-1 if value is None else len(value) for value in values], np.int64)
        sizes = np.maximum(lengths, 0)
        data = np.frombuffer(b"".join(value for value in values if value is not None) or b"\0", np.uint8)
        return cls(data, np.cumsum(sizes) - sizes, lengths)


def decode(kind: Kind, located: Located) -> pa.Array:
    """The values in the first carrier of `kind` that holds every one. WireError for bytes that are no such value."""
    if kind in TEXT_KINDS:
        return _text(located, national=kind in NATIONAL_KINDS)
    if kind in (Kind.RAW, Kind.LONG_RAW, Kind.BLOB):
        return _bytes(located)
    if kind is Kind.NUMBER:
        return numbers.decode(located.data, located.starts, located.lengths)
    if kind is Kind.FLOAT:  # its one carrier is the bytes themselves; decoding them finds those that are no NUMBER
        numbers.decode(located.data, located.starts, located.lengths)
        return _bytes(located)
    sizes = _SIZES.get(kind)
    if sizes is None:
        raise WireError(f"a value of type {kind.value} cannot be bound")
    nulls = located.lengths < 0
    if not bool(np.all(np.isin(located.lengths[~nulls], sizes))):
        raise WireError(f"not a {kind.value}")
    width = int(located.lengths.max(initial=sizes[0]))
    width = max(width, sizes[0])
    at = np.where(nulls, 0, located.starts)
    matrix = located.data[np.minimum(at[:, None] + np.arange(width), len(located.data) - 1)]
    if kind is Kind.DATE:
        return times.decode_dates(matrix, nulls)
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ):
        return times.decode_timestamps(matrix, located.lengths, nulls)
    if kind is Kind.TIMESTAMP_TZ:
        return times.decode_timestamps_tz(matrix, located.lengths, nulls)
    if kind is Kind.INTERVAL_DS:
        return times.decode_intervals_ds(matrix, nulls)
    if kind is Kind.INTERVAL_YM:
        return times.decode_intervals_ym(matrix, nulls)
    if kind is Kind.BOOLEAN:
        return pa.array(matrix[:, 0] == 1, mask=nulls)
    return _ieee(matrix, nulls, np.dtype(">u8") if kind is Kind.BINARY_DOUBLE else np.dtype(">u4"))


def _ieee(matrix: U8, nulls: npt.NDArray[np.bool_], bits: np.dtype[np.unsignedinteger]) -> pa.Array:
    word = np.ascontiguousarray(matrix).view(bits).reshape(-1).astype(bits.newbyteorder("<"))
    top = word.dtype.type(1 << (8 * bits.itemsize - 1))
    word = np.where(word & top, word ^ top, ~word)
    type_ = pa.float64() if bits.itemsize == 8 else pa.float32()
    return pa.Array.from_buffers(type_, len(word), [validity(nulls), pa.py_buffer(word)])


def _text(located: Located, *, national: bool) -> pa.Array:
    raw = _bytes(located)
    if national:
        try:
            return pa.array([None if value is None else value.decode("utf-16-be") for value in raw.to_pylist()], pa.string())
        except UnicodeDecodeError as error:
            raise WireError("not UTF-16") from error
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid as error:
        raise WireError("not UTF-8") from error


def _bytes(located: Located) -> pa.Array:
    """The values side by side: the message is looked at as value, gap, value, gap ..., and the gaps are left out."""
    rows = len(located.starts)
    nulls = located.lengths < 0
    if located.scattered or len(located.data) >= 2**31:
        values = [
            None if length < 0 else located.data[start : start + length].tobytes()
            for start, length in zip(located.starts.tolist(), located.lengths.tolist(), strict=True)
        ]
        return pa.array(values, pa.binary())
    bounds = np.empty(2 * rows + 2, np.int32)
    bounds[0] = 0
    bounds[1:-1:2] = located.starts
    bounds[2::2] = located.starts + np.maximum(located.lengths, 0)
    bounds[-1] = len(located.data)
    everything = pa.Array.from_buffers(pa.binary(), 2 * rows + 1, [None, pa.py_buffer(bounds), pa.py_buffer(located.data)])
    indices = pa.array(np.arange(1, 2 * rows + 1, 2, dtype=np.int32), mask=nulls if nulls.any() else None)
    return everything.take(indices)

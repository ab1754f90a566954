"""Wire values of a column as a matrix of bytes with a mask of those that count: numeric and date kinds in numpy's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(slots=True)
class Cells:
    """One row per value: `values[mask]`, row by row, are the bytes on the wire; `lengths` counts them per row."""

    values: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def counted(cls, values: npt.NDArray[np.uint8], nulls: npt.NDArray[np.bool_] | None) -> Cells:
        """Values that all have the width of the matrix, with a length byte in front; 0 for NULL."""
        rows, width = values.shape
        full = np.empty((rows, width + 1), np.uint8)
        full[:, 0] = width
        full[:, 1:] = values
        mask = np.ones((rows, width + 1), np.bool_)
        lengths = np.full(rows, width + 1, np.int32)
        if nulls is not None:
            full[nulls, 0] = 0
            mask[nulls, 1:] = False
            lengths[nulls] = 1
        return cls(full, mask, lengths)

    def to_array(self) -> pa.Array:
        """As an Arrow binary array."""
        data = self.values[self.mask]
        offsets = np.zeros(len(self) + 1, np.int32)
        np.cumsum(self.lengths, out=offsets[1:])
        return pa.Array.from_buffers(pa.binary(), len(self), [None, pa.py_buffer(offsets), pa.py_buffer(data)])

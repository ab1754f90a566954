"""Record batches to parts, and parts to Arrow files: the form in which rows travel to target-oracle (docs/batch-contract.md).

Pure but for the writing of a file; knows neither Oracle nor Singer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from oracle_connection.contract import BATCH_METADATA_KEY, BatchMetadata

SUFFIX = ".arrow"
UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for one file. `number` counts from 1; `complete` is true for the last part of its chunk, window or read."""

    number: int
    batches: tuple[pa.RecordBatch, ...]
    complete: bool

    @property
    def rows(self) -> int:
        """Rows in all batches."""
        return sum(batch.num_rows for batch in self.batches)


def parts(batches: Iterable[pa.RecordBatch], *, rows: int, size_bytes: int) -> Iterator[Part]:
    """Gather record batches into parts of at most `rows` rows and about `size_bytes` in memory. Lazy, one fetch ahead.

    There is always a last part, with `complete` set, even without any row. A single fetch larger than `rows` is cut.
    """
    number, held, held_rows, held_bytes = 1, list[pa.RecordBatch](), 0, 0
    for batch in batches:
        for piece in _pieces(batch, rows):
            if held and (held_rows + piece.num_rows > rows or held_bytes + piece.nbytes > size_bytes):
                yield Part(number, tuple(held), complete=False)
                number, held, held_rows, held_bytes = number + 1, [], 0, 0
            held.append(piece)
            held_rows += piece.num_rows
            held_bytes += piece.nbytes
    yield Part(number, tuple(held), complete=True)


def _pieces(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """A batch in slices of at most `rows` rows, without copying; nothing for an empty one."""
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def write_file(path: Path, schema: pa.Schema, part: Part, metadata: BatchMetadata, compression: str) -> int:
    """Write a part as an Arrow IPC stream of one record batch (none without rows); the file's size in bytes.

    It appears under its name only when it is whole. Not synced to disk: after a power failure nobody loads it, the rows are read again.
    """
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    described = schema.with_metadata({BATCH_METADATA_KEY: metadata.make()})
    unfinished = path.with_suffix(UNFINISHED)
    with pa.OSFile(str(unfinished), "wb") as sink, pa.ipc.new_stream(sink, described, options=options) as writer:
        if part.rows:
            table = pa.Table.from_batches(part.batches, schema=schema).combine_chunks()
            writer.write_table(table.replace_schema_metadata(described.metadata))
    size = unfinished.stat().st_size
    unfinished.rename(path)
    return size

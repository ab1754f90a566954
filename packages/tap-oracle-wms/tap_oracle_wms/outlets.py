"""The two forms in which rows leave the tap: Arrow files named by BATCH messages, or RECORD messages. The same values in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from oracle_connection.contract import BatchMetadata
from oracle_connection.types import OracleType
from oracle_connection.values import to_json

from tap_oracle_wms.batches import SUFFIX, Part, write_file
from tap_oracle_wms.staging import Staging

if TYPE_CHECKING:
    from tap_oracle_wms.messages import MessageWriter

ROWS_PER_WRITE = 1000


class Sending(Protocol):
    """A part that is on its way out."""

    def finish(self) -> int:
        """Return when the messages for it are written; the bytes that took."""
        ...

    def discard(self) -> None:
        """Take it back: nobody was told of it."""
        ...


class Outlet(Protocol):
    """Where parts go, one after the other: the next one begins when the last is finished or discarded."""

    def begin(self, part: Part, metadata: BatchMetadata) -> Sending:
        """Let a part leave. More rows can be read while it does."""
        ...


@dataclass(slots=True)
class ArrowOutlet:
    """Parts as files in the staging directory, written by a thread (compression needs no Python) while the next rows are fetched.

    announce: writes the BATCH message for a file; told its path, rows and bytes.
    A part without rows makes a file too: its metadata is the message.
    """

    staging: Staging
    schema: pa.Schema
    compression: str
    announce: Callable[[Path, int, int], None]
    prefix: str
    written: int = 0
    _writer: ThreadPoolExecutor | None = None

    def begin(self, part: Part, metadata: BatchMetadata) -> Sending:
        """Wait for room, then have the file written."""
        self.staging.wait_for_room()
        self.written += 1
        path = self.staging.directory / f"{self.prefix}{self.written:06d}{SUFFIX}"
        if self._writer is None:
            self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="arrow-writer")
        return _File(self, path, part.rows, self._writer.submit(write_file, path, self.schema, part, metadata, self.compression))


@dataclass(slots=True)
class _File:
    """A file that is being written."""

    outlet: ArrowOutlet
    path: Path
    rows: int
    size: Future[int]
    announced: bool = False

    def finish(self) -> int:
        """Wait until it is whole, and announce it."""
        size = self.size.result()
        self.announced = True  # before the message: a signal may come between the two, and the target must find what it was told of
        self.outlet.announce(self.path, self.rows, size)
        return size

    def discard(self) -> None:
        """Wait until it is written or has failed, and remove it, unless the target may know of it."""
        wait([self.size])
        if not self.announced:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part that has left already."""

    size: int

    def finish(self) -> int:
        """Nothing remains to be done."""
        return self.size

    def discard(self) -> None:
        """It cannot be taken back; its reader keeps the later reading of a row."""


@dataclass(slots=True)
class RecordOutlet:
    """Parts as RECORD messages.

    transform: applies the stream's maps to a record and yields (stream, record) pairs; None when they change nothing.
    version: of a FULL_TABLE read.
    """

    writer: MessageWriter
    stream: str
    types: Mapping[str, OracleType]
    transform: Callable[[dict[str, Any]], Sequence[tuple[str, dict[str, Any]]]] | None = None
    version: int | None = None

    def begin(self, part: Part, metadata: BatchMetadata) -> Sending:
        """Write the rows as RECORDs, a thousand at a time."""
        size = 0
        common: dict[str, Any] = {"time_extracted": metadata.extracted_at}
        if metadata.read_scn is not None:
            common["sequence"] = metadata.read_scn
        if self.version is not None:
            common["version"] = self.version
        for batch in part.batches:
            for start in range(0, batch.num_rows, ROWS_PER_WRITE):
                size += self.writer.write_objects(self._messages(batch.slice(start, ROWS_PER_WRITE), common))
        return _Sent(size)

    def _messages(self, batch: pa.RecordBatch, common: dict[str, Any]) -> list[dict[str, Any]]:
        names = list(self.types)
        columns = [to_json(column, oracle) for column, oracle in zip(batch.columns, self.types.values(), strict=True)]
        records = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        if self.transform is None:
            return [{"type": "RECORD", "stream": self.stream, "record": record, **common} for record in records]
        return [
            {"type": "RECORD", "stream": stream, "record": mapped, **common}
            for record in records
            for stream, mapped in self.transform(record)
        ]

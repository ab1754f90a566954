"""The two forms in which rows leave the tap: Arrow files named by BATCH messages, or RECORD messages. The same values in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


class Outlet(Protocol):
    """Where parts go."""

    def send(self, part: Part, metadata: BatchMetadata) -> int:
        """Let a part leave; the bytes that took. When this returns the messages for it are on their way."""
        ...


@dataclass(slots=True)
class ArrowOutlet:
    """Parts as files in the staging directory.

    announce: writes the BATCH message for a file; told its path, rows and bytes.
    A part without rows makes a file too: its metadata is the message.
    """

    staging: Staging
    schema: pa.Schema
    compression: str
    announce: Callable[[Path, int, int], None]
    prefix: str
    written: int = 0

    def send(self, part: Part, metadata: BatchMetadata) -> int:
        """Wait for room, write the file, announce it."""
        path, size = self.write(part, metadata)
        self.announce(path, part.rows, size)
        return size

    def write(self, part: Part, metadata: BatchMetadata) -> tuple[Path, int]:
        """Write the file only; its path and size in bytes."""
        self.staging.wait_for_room()
        self.written += 1
        path = self.staging.directory / f"{self.prefix}{self.written:06d}{SUFFIX}"
        return path, write_file(path, self.schema, part, metadata, self.compression)


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

    def send(self, part: Part, metadata: BatchMetadata) -> int:
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
        return size

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

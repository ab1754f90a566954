"""One run of one stream: what full sync, incremental, complete read and backfill have in common.

Reads a range of rows as one attempt after another until it is whole, lets it leave in parts, and counts what it did.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Protocol

import pyarrow as pa
from oracle_connection.contract import BatchMetadata, FullSyncComplete, Mode, Window, utc_text
from oracle_connection.errors import RetriableError, Scope
from oracle_connection.run_record import RunRecord

from tap_oracle_wms.batches import Part, parts
from tap_oracle_wms.bookmarks import Bookmark
from tap_oracle_wms.cost import Cost
from tap_oracle_wms.keys import ReplicationKey
from tap_oracle_wms.outlets import Outlet, Sending
from tap_oracle_wms.selection import Selection, Where
from tap_oracle_wms.settings import Entity, Settings
from tap_oracle_wms.source import Source

SNAPSHOT_ATTEMPTS = 2
"""How often a read whose snapshot was lost is simply repeated before it is cut into pieces."""

logger = logging.getLogger("tap-oracle-wms")


class Announcer(Protocol):
    """What a run says besides rows (implemented by the stream)."""

    def write_schema(self, mode: Mode, generation: int | None, *, redo: bool = False) -> None:
        """The SCHEMA message with `x-wms-run`."""
        ...

    def write_bookmark(self, bookmark: Bookmark) -> None:
        """The STATE message."""
        ...

    def write_version(self, version: int) -> None:
        """The ACTIVATE_VERSION message of a complete read."""
        ...

    def count(self, rows: int) -> None:
        """Rows for the record_count metric."""
        ...


@dataclass(frozen=True, slots=True)
class Label:
    """What the metadata of a read's parts says about the read."""

    mode: Mode
    generation: int | None = None
    chunk: int | None = None
    window: Window | None = None


@dataclass(slots=True)
class StreamRun:
    """A stream in a run: where from, what, where to, and the record of it.

    config: what the settings were made from, for processes that help. helpers_cost: what their sessions cost the source.
    key: None for streams without a replication key. deadline: monotonic seconds after which nothing new is begun; None without.
    on_rows: called with the number of rows of each record batch that has come.
    """

    name: str
    run_id: str
    config: Mapping[str, Any]
    settings: Settings
    entity: Entity
    source: Source
    selection: Selection
    key: ReplicationKey | None
    is_view: bool
    outlet: Outlet
    announcer: Announcer
    record: RunRecord
    deadline: float | None = None
    repeated: int = 0
    helpers_cost: Cost | None = field(default_factory=dict)
    on_rows: Callable[[int], None] | None = None

    @property
    def out_of_time(self) -> bool:
        """True when the run's budget is used up."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def read(
        self,
        pieces: Callable[[], Iterable[Where]],
        label: Label,
        *,
        see: Callable[[pa.RecordBatch], None] | None = None,
        begin: Callable[[], None] | None = None,
        verify: Callable[[], None] | None = None,
        empty_too: bool = True,
        after_snapshot_loss: Callable[[int], bool] | None = None,
    ) -> int:
        """Read a range whole; the number of its rows.

        pieces: the statements' conditions, asked for anew by each attempt; one unless the range was cut.
        begin: called before each attempt, see: with each record batch of it, verify: when all rows are there, before the last part
            leaves (raises to spoil the attempt).
        empty_too: let a part leave even if there is no row.
        after_snapshot_loss: called with the number of lost snapshots; False: give up.
        Raises what the source raises once its patience is at an end.
        """
        losses = failures = 0
        while True:
            try:
                if begin is not None:
                    begin()
                return self._attempt(pieces(), label, see, verify, empty_too=empty_too)
            except RetriableError as error:
                if error.scope is Scope.SNAPSHOT:
                    losses += 1
                    if after_snapshot_loss is None:
                        if losses > self.settings.retry_attempts:
                            raise
                    elif not after_snapshot_loss(losses):
                        raise
                    self.source.pause(min(losses - 1, 3), error)
                else:
                    failures += 1
                    if failures > self.settings.retry_attempts:
                        raise
                    if error.scope is Scope.CONNECTION:
                        self.source.close()
                    self.source.pause(failures - 1, error)
                self.repeated += 1

    def _attempt(
        self,
        pieces: Iterable[Where],
        label: Label,
        see: Callable[[pa.RecordBatch], None] | None,
        verify: Callable[[], None] | None,
        *,
        empty_too: bool,
    ) -> int:
        """One reading: its parts carry one attempt text; a part that left in vain is discarded by the target."""
        attempt = uuid.uuid4().hex
        read_scn = self.source.scn()
        extracted_at = utc_text(datetime.now(UTC))
        schema = self.selection.schema
        rows = 0

        def seen(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                if see is not None:
                    see(batch)
                if self.on_rows is not None:
                    self.on_rows(batch.num_rows)
                yield batch

        batches = chain.from_iterable(self._batches(where, schema) for where in pieces)
        leaving: tuple[Part, Sending] | None = None
        try:
            for part in parts(seen(batches), rows=self.settings.batch_rows, size_bytes=self.settings.batch_bytes):
                if part.complete:
                    if verify is not None:
                        verify()
                    if not part.rows and not rows and not empty_too:
                        break
                self._finish(leaving)
                metadata = self.metadata(
                    label, rows=part.rows, part=part.number, complete=part.complete, attempt=attempt, read_scn=read_scn,
                    extracted_at=extracted_at,
                )  # fmt: skip
                leaving = None
                leaving = part, self.outlet.begin(part, metadata)
                rows += part.rows
            self._finish(leaving)
        except BaseException:
            if leaving is not None:
                leaving[1].discard()
            raise
        return rows

    def _finish(self, leaving: tuple[Part, Sending] | None) -> None:
        """Have a part announced, and count it."""
        if leaving is not None:
            part, sending = leaving
            self.sent(part.rows, sending.finish())

    def _batches(self, where: Where, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        size = self.selection.fetch_rows(self.settings.batch_size)
        doing = f"read {self.selection.owner}.{self.selection.table}"
        return self.source.read(self.selection.statement(where), where.bind, schema, size, doing)

    def sent(self, rows: int, size: int) -> None:
        """Count rows and bytes that left."""
        self.record.rows += rows
        self.record.bytes += size
        self.record.batches = (self.record.batches or 0) + 1
        self.announcer.count(rows)

    def metadata(
        self,
        label: Label,
        *,
        rows: int,
        part: int,
        complete: bool,
        attempt: str,
        read_scn: int | None,
        extracted_at: str,
        full_sync: FullSyncComplete | None = None,
    ) -> BatchMetadata:
        """`wms.batch` for a part of this stream."""
        return BatchMetadata(
            stream=self.name, run_id=self.run_id, mode=label.mode, attempt=attempt, extracted_at=extracted_at, rows=rows,
            columns=tuple(self.selection.columns), generation=label.generation, chunk=label.chunk, window=label.window, part=part,
            complete=complete, read_scn=read_scn, full_sync=full_sync,
        )  # fmt: skip

    def warn(self, message: str) -> None:
        """A warning for the log and the run record."""
        logger.warning("%s: %s", self.name, message)
        self.record.warnings.append(message)

"""The full sync, once, resumable: a plan of chunks, each read by one statement, a ledger in the state, a watermark taken first.

What changes while it runs is read by the incremental, which starts at the watermark; so chunks need not be of one moment. A chunk
that is done is never read again in its generation. Nothing is written to the source.
"""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from oracle_connection.contract import FullSyncComplete, Mode, utc_text
from oracle_connection.errors import ConfigurationError, FatalError, RetriableError, Scope

from tap_oracle_wms import connector, planning, statements
from tap_oracle_wms.batches import Part
from tap_oracle_wms.bookmarks import REDO, Bookmark, FullSync
from tap_oracle_wms.chunks import ROWID, Plan
from tap_oracle_wms.connector import TableDescription
from tap_oracle_wms.horizon import LOOKBACK, NONE
from tap_oracle_wms.incremental import look_at, needed_key, safe_value
from tap_oracle_wms.keys import ReplicationKey
from tap_oracle_wms.outlets import ArrowOutlet
from tap_oracle_wms.planning import ASSUMED_ROW_BYTES
from tap_oracle_wms.progress import Progress
from tap_oracle_wms.run import SNAPSHOT_ATTEMPTS, Label, StreamRun
from tap_oracle_wms.selection import ALL_ROWS, Where, chunk_range

MAX_GENERATIONS = 5
"""How often a run plans anew because the table's storage keeps changing under it."""
ASSUMED_ROWS_PER_SECOND = 50_000
MAX_PIECES = 64
MOST_CUTS = 6
"""After so many halvings the pieces are as small as they get."""

logger = logging.getLogger("tap-oracle-wms")


class StorageChangedError(Exception):
    """The table was moved, truncated, shrunk or exchanged while it was read: its ROWID ranges mean other rows now."""


@dataclass(slots=True)
class FullSyncRun:
    """The full sync of one stream in one run. key: the stream's key properties."""

    run: StreamRun
    table: TableDescription
    key: Sequence[str] = ()
    null_keys: int = 0

    def sync(self, bookmark: Bookmark, generation: int) -> Bookmark:
        """Begin or resume; the bookmark afterwards: done, or running when the time of the run is used up.

        generation: number for a generation that begins now (milliseconds since 1970).
        """
        for _ in range(MAX_GENERATIONS):
            try:
                if bookmark.full_sync is None:
                    bookmark = self.begin(bookmark, generation)
                return self.read_chunks(bookmark)
            except StorageChangedError as error:
                self.run.warn(f"{error}: the full sync begins anew")
                bookmark = Bookmark(bookmark.replication_key, status=REDO if bookmark.redo else None)
                generation = max(generation + 1, int(time.time() * 1000))
                self.run.announcer.write_schema(Mode.FULL, generation, redo=bookmark.redo)
        message = f"{self.table.full_name} was moved or truncated {MAX_GENERATIONS} times while it was read: sync when that has ended"
        raise FatalError(message)

    def begin(self, bookmark: Bookmark, generation: int) -> Bookmark:
        """Take the watermark, then make the plan; tells the state before the first chunk."""
        run, key = self.run, needed_key(self.run)
        horizon = look_at(run)
        largest = None
        if horizon.mode in {LOOKBACK, NONE}:
            largest = run.source.newest(key, run.selection.sql_table)
        watermark = safe_value(run, horizon, largest)
        plan = planning.make_plan(run, self.table, self.key)
        full_sync = FullSync(generation, watermark, plan, redo=bookmark.redo)
        logger.info("%s: full sync begins: %d chunks by %s, watermark %s", run.name, plan.chunks, plan.kind, watermark)
        self.preflight(plan)
        begun = bookmark.running(full_sync)
        run.announcer.write_bookmark(begun)
        return begun

    def preflight(self, plan: Plan) -> None:
        """Say what is about to happen: size, space, undo. Estimates are those of the last statistics."""
        run, table = self.run, self.table
        size = None if table.rows is None else table.rows * (table.row_bytes or ASSUMED_ROW_BYTES)
        free = shutil.disk_usage(run.settings.staging_directory.parent).free if run.settings.staging_directory.parent.exists() else None
        undo = run.source.ask_if_granted(statements.UNDO_RETENTION)
        seconds = None if table.rows is None else table.rows // (ASSUMED_ROWS_PER_SECOND * run.settings.parallelism)
        logger.info(
            "%s: preflight: about %s rows, %s bytes, %s s (at %d rows/s a connection; measured as it goes); %d chunks on %d connections;"
            " undo retention %s s; %s bytes free for staging, quota %d",
            run.name, _figure(table.rows), _figure(size), _figure(seconds), ASSUMED_ROWS_PER_SECOND, plan.chunks, run.settings.parallelism,
            undo[0][0] if undo else "unknown", _figure(free), run.settings.staging_quota_bytes,
        )  # fmt: skip
        if free is not None and free < run.settings.staging_quota_bytes:
            run.warn(f"only {free} bytes are free for staging, less than the quota of {run.settings.staging_quota_bytes}")
        if run.key is not None and not self.table.has_index_on(run.key.column):
            run.warn(f"no index of {table.full_name} starts with {run.key.column}: each incremental run will read the whole table")

    def read_chunks(self, bookmark: Bookmark) -> Bookmark:
        """Read what the ledger lacks, then tell that the generation is complete."""
        run = self.run
        full_sync = bookmark.full_sync
        if full_sync is None:
            message = "no full sync is running"
            raise ValueError(message)
        self.check_storage(full_sync.plan)
        total = full_sync.plan.chunks
        run.record.chunks = {"total": total, "done": len(full_sync.ledger), "repeated": 0}
        run.record.generation, run.record.watermark = full_sync.generation, full_sync.watermark
        progress = Progress(run.name, total, len(full_sync.ledger), full_sync.rows, self.table.rows)
        run.on_rows = progress.read
        for chunk, rows in self.chunks(full_sync):
            full_sync = full_sync.with_chunk(chunk, rows)
            bookmark = bookmark.running(full_sync)
            run.record.chunks = {"total": total, "done": len(full_sync.ledger), "repeated": run.repeated}
            run.announcer.write_bookmark(bookmark)
            progress.chunk_done(rows)
            if run.out_of_time and full_sync.missing:
                break
        progress.tell()
        if full_sync.missing:
            run.warn(f"the time of this run is used up: {len(full_sync.ledger)} of {total} chunks are done, the next run goes on")
            run.record.status = "waiting"
            return bookmark
        return self.complete(bookmark, full_sync)

    def chunks(self, full_sync: FullSync) -> Iterator[tuple[int, int]]:
        """The missing chunks, as they get done: number and rows. Files may be written by several processes, RECORDs by one only."""
        outlet = self.run.outlet
        if self.run.settings.parallelism > 1 and len(full_sync.missing) > 1 and isinstance(outlet, ArrowOutlet):
            from tap_oracle_wms.workers import Workers  # it imports this module

            yield from Workers(self, full_sync, outlet).chunks()
            return
        for chunk in full_sync.missing:
            yield chunk, self.read_chunk(full_sync, chunk)

    def read_chunk(self, full_sync: FullSync, chunk: int) -> int:
        """Read one chunk, again or in ever smaller pieces when its snapshot is lost; its rows."""
        run, plan = self.run, full_sync.plan
        pieces = [chunk_range(plan.range(chunk), plan_columns(plan, self.table))]
        nulls = NullCount(run.key)

        def after_snapshot_loss(losses: int) -> bool:
            nonlocal pieces
            self.check_storage(plan)
            if losses < SNAPSHOT_ATTEMPTS:
                return True
            pieces = self.cut(plan, chunk, min(MAX_PIECES, 2 ** (losses - SNAPSHOT_ATTEMPTS + 1)))
            return losses <= SNAPSHOT_ATTEMPTS + (MOST_CUTS if len(pieces) > 1 else 1)

        rows = run.read(
            lambda: pieces,
            Label(Mode.FULL, generation=full_sync.generation, chunk=chunk),
            see=nulls.see,
            begin=nulls.reset,
            verify=lambda: self.check_storage(plan),
            after_snapshot_loss=after_snapshot_loss,
        )
        self.null_keys += nulls.count
        return rows

    def cut(self, plan: Plan, chunk: int, pieces: int) -> list[Where]:
        """The conditions of a chunk in pieces, by the rows that are in it; in one when looking at them loses its snapshot, too."""
        keys = plan_columns(plan, self.table)
        ranges = [plan.range(chunk)]
        try:
            ranges = planning.cut(self.run, plan.range(chunk), keys, pieces)
        except RetriableError as error:
            if error.scope is not Scope.SNAPSHOT:
                raise
        logger.info("%s: chunk %d is read in %d pieces", self.run.name, chunk, len(ranges))
        return [chunk_range(each, keys) for each in ranges]

    def check_storage(self, plan: Plan) -> None:
        """Raise StorageChangedError when the segments are not those that a ROWID plan was made from."""
        if plan.kind != ROWID:
            return
        now = connector.storage(self.run.source, self.table.owner, self.table.name, row_movement=self.table.row_movement)
        if not connector.survives(plan.storage, now.identity):
            message = f"the storage of {self.table.full_name} changed ({plan.storage} became {now.identity})"
            raise StorageChangedError(message)

    def complete(self, bookmark: Bookmark, full_sync: FullSync) -> Bookmark:
        """Say that every chunk has left, then that the stream is incremental from the watermark on."""
        run = self.run
        metadata = run.metadata(
            Label(Mode.FULL, generation=full_sync.generation), rows=0, part=1, complete=True, attempt=uuid.uuid4().hex, read_scn=None,
            extracted_at=utc_text(datetime.now(UTC)),
            full_sync=FullSyncComplete(full_sync.plan.chunks, full_sync.rows, full_sync.watermark),
        )  # fmt: skip
        run.sent(0, run.outlet.begin(Part(1, (), complete=True), metadata).finish())
        finished = bookmark.done()
        run.announcer.write_bookmark(finished)
        run.record.bookmark = finished.value
        run.record.null_key_rows = self.null_keys
        if self.null_keys:
            run.warn(f"{self.null_keys} rows have no replication key: the full sync brought them, the incremental never sees their changes")
        logger.info("%s: full sync is complete: %d rows, incremental from %s on", run.name, full_sync.rows, finished.value)
        return finished


@dataclass(slots=True)
class NullCount:
    """Rows without a replication key in one reading."""

    key: ReplicationKey | None
    count: int = 0

    def see(self, batch: pa.RecordBatch) -> None:
        """Look at a record batch."""
        if self.key is not None:
            self.count += batch.column(self.key.column).null_count

    def reset(self) -> None:
        """Another attempt counts the same rows."""
        self.count = 0


def plan_columns(plan: Plan, table: TableDescription) -> tuple[ReplicationKey, ...]:
    """The columns of a plan by key, with their types as they are now. Raises ConfigurationError when one is gone."""
    keys = []
    for name in plan.columns:
        column = table.column(name)
        if column is None or column.type is None:
            message = f"{table.full_name} has no column {name} any more, by which its full sync was planned: begin anew with a full refresh"
            raise ConfigurationError(message)
        keys.append(ReplicationKey(column.name, column.type, is_clock=False))
    return tuple(keys)


def read_everything(run: StreamRun, generation: int) -> None:
    """A complete read of a small table (FULL_TABLE): one statement, then ACTIVATE_VERSION."""
    run.record.generation = generation
    run.read(lambda: [ALL_ROWS], Label(Mode.FULL_TABLE, generation=generation))
    run.announcer.write_version(generation)


def _figure(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"

"""A complete load beside the live table: chunks go into a private table, each at most once.

The ledger WMS_LOAD_CHUNK decides what is loaded, not STATE: a chunk's rows and its ledger row are one transaction. Parts of a chunk
wait in load tables of their own until the last one has come; with `parallel_loads` above 1 they are loaded by processes (`loaders.py`)
while earlier chunks are being committed here. The private table has neither key nor indexes until it is complete; how it then becomes
visible is the business of `swap.py`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_connection.errors import ConfigurationError, DatabaseError, FatalError

from target_oracle import statements
from target_oracle.batch import Batch
from target_oracle.columns import TableModel
from target_oracle.control import BatchCounts, ControlRow, ControlTables
from target_oracle.drift import plan_changes
from target_oracle.files import remove
from target_oracle.loaders import Filled, Loaders
from target_oracle.loading import LoadTable
from target_oracle.replacement import require_replaceable
from target_oracle.swap import DONE, LOADING, Swap, finish_swap

if TYPE_CHECKING:
    from target_oracle.connector import Connector
    from target_oracle.writer import TableWriter

PROGRESS_SECONDS = 3.0


@dataclass(slots=True)
class OpenChunk:
    """Parts of a chunk that has not been committed yet.

    loads: load table of each worker (0: this process) that parts went to. waiting: parts that workers are loading, with their files.
    last: the part that completes the chunk, once it has come.
    """

    attempt: str
    loads: dict[int, LoadTable] = field(default_factory=dict)
    parts: set[int] = field(default_factory=set)
    waiting: dict[int, tuple[Path, Batch]] = field(default_factory=dict)
    last: Batch | None = None
    rows: int = 0
    load_seconds: float = 0.0


@dataclass(slots=True)
class FullLoad:
    """One generation of one table's complete load. once: refuse to begin after another generation that is done."""

    writer: TableWriter
    generation: int
    once: bool = False
    beside: TableModel = field(init=False)
    visible: bool = False
    begun: bool = False
    repeated_chunks: int = 0
    _open: dict[int, OpenChunk] = field(default_factory=dict)
    _spare: list[LoadTable] = field(default_factory=list)
    _loaders: Loaders | None = None
    _loaded: int = 0
    _told_at: float = field(default_factory=time.monotonic)

    @property
    def control(self) -> ControlTables:
        return self.writer.run.control

    @property
    def connector(self) -> Connector:
        return self.writer.connector

    @property
    def table(self) -> str:
        return self.writer.table

    @property
    def open_chunks(self) -> frozenset[int]:
        """Chunks of which parts have come, but not the last one."""
        return frozenset(self._open)

    @property
    def _swap(self) -> Swap:
        return Swap(self.writer, self.generation, self.beside)

    def check(self) -> None:
        """Refuse what `begin` would refuse, before a row has come and before a STATE says that the full sync is running."""
        fence = self.writer.open()
        row = self.control.lock(self.table, fence=fence)
        self.writer.run.database.rollback()
        if row.generation != self.generation:
            self._refuse_second(row)

    def _refuse_second(self, row: ControlRow) -> None:
        """Raise ConfigurationError when another generation is done and nobody asked for this one."""
        if self.once and row.generation is not None and row.generation_status == DONE:
            self.writer.run.database.rollback()
            message = (
                f"{self.table}: its full sync (generation {row.generation}) is done, and this run's state does not know it; a full sync"
                f" runs only once. Go on with bin/meltano, which knows; restore the state; or do it again on purpose:"
                f" meltano invoke wms-ops redo {self.writer.stream}"
            )
            raise ConfigurationError(message)

    def begin(self) -> int:
        """Open the table and find or begin the generation; the fence. May be repeated."""
        fence = self.writer.open()
        if self.begun:
            return fence
        row = self.control.lock(self.table, fence=fence)
        if row.generation is not None and self.generation < row.generation:
            self.writer.run.database.rollback()
            message = f"{self.table}: full sync {self.generation} is older than {row.generation}, which has begun since: start it anew"
            raise FatalError(message)
        if row.generation == self.generation and row.generation_status == DONE:
            self.writer.run.database.rollback()
            self.visible = self.begun = True
            return fence
        self._refuse_second(row)
        name = self._beside_name(row)
        if row.generation != self.generation:
            require_replaceable(self.connector, self.table)
            self.control.forget_chunks(self.table, before=self.generation)
            self.control.update(
                self.table,
                generation=self.generation,
                generation_status=LOADING,
                generation_base_at=row.last_batched_at,
                beside_table=name,
                old_table=None,
                watermark=None,
            )
        self.writer.run.database.commit()
        if row.beside_table not in {None, name}:
            self.connector.drop_private(row.beside_table or "")
        self.beside = self.writer.model.renamed(name)
        self._ensure_beside()
        self.begun = True
        return fence

    def _beside_name(self, row: ControlRow) -> str:
        if row.generation == self.generation and row.beside_table is not None:
            return row.beside_table
        return self.connector.private_name(self.table, "beside", self.generation)

    def _ensure_beside(self) -> None:
        """Create the private table, or adapt the one that a killed run began."""
        name = self.beside.name
        existing = self.connector.read_table(name)
        if existing is None:
            if self.control.chunks(self.table, self.generation):
                message = f"{self.table}: {name}, which held the chunks loaded so far, is gone: start the full sync anew (--full-refresh)"
                raise FatalError(message)
            self.control.register(name, self.table, "beside")
            self.connector.create_table(self.beside)
        else:
            self.connector.apply(plan_changes(self.beside, existing.columns, (), policy=self.writer.run.settings.on_schema_drift))

    # --- chunks, loaded here ---

    def write(self, batch: Batch) -> BatchCounts:
        """Load one part of a chunk; commit the chunk with its last part. Zero counts for what is loaded already."""
        counts: BatchCounts = self.writer.repeated(lambda: self._write_once(batch), f"loading a chunk of {self.table}")
        self.writer.run.wrote = True
        self.writer.tally(batch, counts)
        return counts

    def _write_once(self, batch: Batch) -> BatchCounts:
        chunk, part = self._place(batch)
        current = self._open_chunk(chunk, batch)
        if current is None:
            return BatchCounts()
        self.writer.relax_for(batch, self.beside)
        if part not in current.parts:
            started = time.perf_counter()
            if batch.data.num_rows:
                self._load_table(current, 0).append(batch.data)
            current.load_seconds += time.perf_counter() - started
            current.parts.add(part)
            current.rows += batch.data.num_rows
        return BatchCounts() if current.last is None else self._finish_chunk(chunk, current)

    def _place(self, batch: Batch) -> tuple[int, int]:
        """Chunk and part of a batch of a full sync. Raises FatalError."""
        if batch.metadata is None or batch.metadata.chunk is None:
            message = f"{self.table}: a file of a full sync names no chunk"
            raise FatalError(message)
        return batch.metadata.chunk, batch.metadata.part

    def _open_chunk(self, chunk: int, batch: Batch) -> OpenChunk | None:
        """The chunk that a part belongs to, None when it is loaded already. Parts of an attempt that was given up are forgotten."""
        self.begin()
        metadata = batch.metadata
        if metadata is None or self.visible or self.control.chunk_loaded(self.table, self.generation, chunk):
            self.repeated_chunks += metadata is not None and metadata.complete
            self._discard(chunk)
            return None
        current = self._open.get(chunk)
        if current is not None and current.attempt != metadata.attempt:
            self._discard(chunk)
            current = None
        if current is None:
            current = self._open[chunk] = OpenChunk(metadata.attempt)
        if metadata.complete:
            current.last = batch
        return current

    def _load_table(self, current: OpenChunk, worker: int) -> LoadTable:
        """The load table that a worker fills with parts of a chunk: of its own, because a direct path load locks it."""
        if worker not in current.loads:
            if not self._spare:
                self._spare.append(self.writer.new_load_table())
            self._spare[-1].empty()
            current.loads[worker] = self._spare.pop()
        return current.loads[worker]

    def _finish_chunk(self, chunk: int, current: OpenChunk) -> BatchCounts:
        """Commit a chunk of which the last part is here."""
        if current.last is None:
            return BatchCounts()
        missing = set(range(1, self._place(current.last)[1] + 1)) - current.parts
        if missing:
            message = f"{self.table}: parts {sorted(missing)} of chunk {chunk} never came"
            raise FatalError(message)
        counts = self._commit_chunk(current.last, chunk, current, self.begin())
        self._discard(chunk)
        return counts

    # --- chunks, loaded by other processes ---

    def hand_out(self, path: Path, batch: Batch) -> None:
        """Let a process load the file of a part (batch: what is known of it, without rows); it is removed when that is done.

        Commits the chunks that have become complete meanwhile. Waits while as many files as the processes may have are waiting.
        """
        self.writer.repeated(lambda: self._hand_out_once(path, batch), f"loading a chunk of {self.table}")
        self.writer.run.wrote = True
        self.advance(self._loaders.capacity if self._loaders is not None else 0)

    def _hand_out_once(self, path: Path, batch: Batch) -> None:
        chunk, part = self._place(batch)
        current = self._open_chunk(chunk, batch)
        if current is None or part in current.parts or part in current.waiting:
            self.writer.tally(batch, BatchCounts())
            remove(path)
            return
        if self._loaders is None:
            self._loaders = Loaders(self.writer.run, self.writer.model)
        worker = self._loaders.next_worker()
        fresh = worker not in current.loads
        load = self._load_table(current, worker)
        load.rows += batch.rows_read  # as far as is known here: the worker knows better
        self._loaders.hand_out(worker, path, load.name, chunk=chunk, part=part, empty=fresh)
        current.waiting[part] = (path, batch)

    def advance(self, at_most: int | None = None) -> None:
        """Take up what the processes have loaded, and commit chunks that are complete.

        at_most: wait until no more than so many files are on their way; None: do not wait.
        """
        loaders = self._loaders
        while loaders is not None and loaders.waiting:
            filled = loaders.next_filled(wait=at_most is not None and loaders.waiting > at_most)
            if filled is None:
                return
            self._take(filled)

    def _take(self, filled: Filled) -> None:
        """A part is in its load table."""
        current = self._open[filled.chunk]
        path, batch = current.waiting.pop(filled.part)
        if filled.rows != batch.rows_read:
            message = f"{path.name}: {filled.rows} rows were loaded where {batch.rows_read} were announced"
            raise FatalError(message)
        current.parts.add(filled.part)
        current.rows += filled.rows
        current.load_seconds += filled.seconds
        record = self.writer.record
        record.retries = (record.retries or 0) + filled.retries if filled.retries else record.retries
        self.writer.tally(batch, BatchCounts())
        for column in filled.empties:
            self.writer.relax(self.beside, column)
        remove(path)
        if current.last is not None and not current.waiting:
            counts = self.writer.repeated(lambda: self._finish_chunk(filled.chunk, current), f"committing a chunk of {self.table}")
            record.inserted = (record.inserted or 0) + counts.inserted

    def _commit_chunk(self, batch: Batch, chunk: int, current: OpenChunk, fence: int) -> BatchCounts:
        """The chunk's rows and its line in the ledger, in one transaction."""
        started = time.perf_counter()
        row = self.control.lock(self.table, fence=fence)
        if self.control.chunk_loaded(self.table, self.generation, chunk):
            self.writer.run.database.rollback()
            return BatchCounts(inserted=current.rows)
        inserted = 0
        if current.rows:
            loads = [each.name for each in current.loads.values()]
            text = statements.append_rows(self.writer.model, loads, into=self.beside.name)
            inserted = self.writer.execute(text, self.writer.batch_binds(batch, row), doing=f"add chunk {chunk} to {self.beside.name}")
        counts = BatchCounts(inserted=inserted)
        self.control.insert_chunk(
            self.table,
            self.generation,
            chunk,
            attempt=current.attempt,
            rows=inserted,
            read_scn=batch.sequence,
            run_id=batch.metadata.run_id if batch.metadata else self.writer.run.run_id,
        )
        seconds = time.perf_counter() - started
        audit = self.writer.audit(batch, counts, load_seconds=current.load_seconds, merge_seconds=seconds)
        audit.rows_read = current.rows
        audit.batched_at = row.next_batched_at
        self.control.insert_audit(audit)
        self.writer.run.database.commit(doing=f"commit chunk {chunk} of {self.table}")
        self._tell_progress(inserted)
        return counts

    def _tell_progress(self, rows: int) -> None:
        """Every few seconds, what this run has loaded; `wms_ops.progress_bar` knows the form of the line."""
        self._loaded += rows
        if time.monotonic() - self._told_at >= PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self.writer.run.logger.info("%s: %s rows loaded", self.writer.stream, f"{self._loaded:,}")

    def _discard(self, chunk: int) -> None:
        """Forget a chunk's parts. Those that are still being loaded are waited for: their tables will be used again."""
        current = self._open.get(chunk)
        while current is not None and current.waiting and self._loaders is not None:
            filled = self._loaders.next_filled(wait=True)
            if filled is not None and filled.chunk == chunk:
                path, _ = current.waiting.pop(filled.part)
                remove(path)
            elif filled is not None:
                self._take(filled)
        if current is not None:
            self._spare += current.loads.values()
            del self._open[chunk]

    # --- the end ---

    def finish(self, *, chunks: int, rows: int | None, watermark: str | None) -> None:
        """Make the generation visible. May be repeated. Raises FatalError for missing chunks, SwapRefusedError, DeleteCapError."""
        self.advance(0)
        self.writer.repeated(lambda: self._finish_once(chunks, rows, watermark), f"making the full sync of {self.table} visible")
        self.writer.run.wrote = True

    def _finish_once(self, chunks: int, rows: int | None, watermark: str | None) -> None:
        fence = self.begin()
        if self.visible or self._swapped_before(fence):
            return
        ledger = self.control.chunks(self.table, self.generation)
        missing = sorted(set(range(chunks)) - set(ledger))
        if missing:
            shown = ", ".join(map(str, missing[:20])) + (" ..." if len(missing) > 20 else "")
            message = f"{self.table}: the full sync is said to be complete, but of {chunks} chunks these are not loaded: {shown}"
            raise FatalError(message)
        loaded = sum(count for chunk, count in ledger.items() if chunk < chunks)
        if rows is not None and rows != loaded:
            message = f"{self.table}: the full sync is said to have {rows} rows, but {loaded} are loaded"
            raise FatalError(message)
        self._swap.make_visible(fence, loaded=loaded, watermark=watermark)
        self.visible = True

    def _swapped_before(self, fence: int) -> bool:
        """Whether an attempt before this one got as far as the swap; what it left to do is done here."""
        finish_swap(self.control, self.connector, self.table, fence)
        row = self.control.lock(self.table, fence=fence)
        self.writer.run.database.rollback()
        self.visible = row.generation == self.generation and row.generation_status == DONE
        if self.visible:
            self.connector.drop_private(self._swap.old_name)
        return self.visible

    def close(self) -> None:
        """End the loading processes, drop the load tables."""
        if self._loaders is not None:
            self._loaders.stop()
        for load in [*self._spare, *(load for each in self._open.values() for load in each.loads.values())]:
            if load.created:
                try:
                    self.connector.drop_private(load.name)
                except DatabaseError as error:
                    self.writer.run.logger.warning("%s stays behind for the next run's sweep: %s", load.name, error)
                    return

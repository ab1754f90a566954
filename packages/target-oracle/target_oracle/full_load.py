"""A complete load beside the live table: chunks go into a private table, each at most once, which then takes the live one's place.

The ledger WMS_LOAD_CHUNK decides what is loaded, not STATE: a chunk's rows and its ledger row are one transaction. Parts of a chunk
wait in a load table of their own until the last one has come. The private table has neither key nor indexes until it is complete.

It becomes visible by one RENAME, or, when there is a table already, by two (docs/decisions: the time between them is logged). Before
that the new table gets the old one's grants, comments and plain indexes, and rows that the source no longer has are taken over with
their delete mark, so that readers of `_SDC_BATCHED_AT` see the deletion. The control row says how far a swap is; whoever opens the
table next finishes it.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oracle_connection.errors import DatabaseError, FatalError

from target_oracle import statements
from target_oracle.batch import Batch
from target_oracle.columns import BATCHED_AT, TableModel
from target_oracle.control import BatchCounts, ControlRow, ControlTables, moment_text
from target_oracle.database import has_code
from target_oracle.drift import plan_changes
from target_oracle.errors import TargetError
from target_oracle.loading import LoadTable
from target_oracle.naming import qualified, quoted
from target_oracle.replacement import carry_over

if TYPE_CHECKING:
    from target_oracle.connector import Connector
    from target_oracle.writer import TableWriter

LOADING, SWAPPING, DONE = "loading", "swapping", "done"
DUPLICATE_KEYS = "ORA-02437"
ALREADY_INDEXED = ("ORA-00955", "ORA-01408", "ORA-02260")


class SwapRefusedError(TargetError):
    """The complete load may not take the live table's place; the message says why and what to do."""


@dataclass(slots=True)
class OpenChunk:
    """Parts of a chunk that has not been completed yet."""

    attempt: str
    load: LoadTable
    parts: set[int] = field(default_factory=set)
    rows: int = 0
    load_seconds: float = 0.0


@dataclass(slots=True)
class FullLoad:
    """One generation of one table's complete load."""

    writer: TableWriter
    generation: int
    beside: TableModel = field(init=False)
    visible: bool = False
    begun: bool = False
    repeated_chunks: int = 0
    _open: dict[int, OpenChunk] = field(default_factory=dict)
    _spare: list[LoadTable] = field(default_factory=list)

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
    def tag(self) -> str:
        """Keeps names of indexes and constraints apart from those of the table that will be replaced."""
        return "_R" + hashlib.sha256(str(self.generation).encode()).hexdigest()[:8].upper()

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
        name = self._beside_name(row)
        if row.generation != self.generation:
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

    # --- chunks ---

    def write(self, batch: Batch) -> BatchCounts:
        """Load one part of a chunk; commit the chunk with its last part. Zero counts for what is loaded already."""
        counts: BatchCounts = self.writer.repeated(lambda: self._write_once(batch), f"loading a chunk of {self.table}")
        self.writer.run.wrote = True
        self.writer.tally(batch, counts)
        return counts

    def _write_once(self, batch: Batch) -> BatchCounts:
        fence = self.begin()
        metadata = batch.metadata
        if metadata is None or metadata.chunk is None:
            message = f"{self.table}: a file of a full sync names no chunk"
            raise FatalError(message)
        chunk = metadata.chunk
        if self.visible or self.control.chunk_loaded(self.table, self.generation, chunk):
            self.repeated_chunks += metadata.complete
            self._discard(chunk)
            return BatchCounts()
        current = self._open.get(chunk)
        if current is not None and current.attempt != metadata.attempt:
            self._discard(chunk)
            current = None
        if current is None:
            current = self._open[chunk] = OpenChunk(metadata.attempt, self._empty_load_table())
        self.writer.relax_for(batch, self.beside)
        if metadata.part not in current.parts:
            started = time.perf_counter()
            if batch.data.num_rows:
                current.load.append(batch.data)
            current.load_seconds += time.perf_counter() - started
            current.parts.add(metadata.part)
            current.rows += batch.data.num_rows
        if not metadata.complete:
            return BatchCounts()
        missing = set(range(1, metadata.part + 1)) - current.parts
        if missing:
            message = f"{self.table}: parts {sorted(missing)} of chunk {chunk} never came"
            raise FatalError(message)
        counts = self._commit_chunk(batch, chunk, current, fence)
        self._discard(chunk)
        return counts

    def _commit_chunk(self, batch: Batch, chunk: int, current: OpenChunk, fence: int) -> BatchCounts:
        """The chunk's rows and its line in the ledger, in one transaction."""
        started = time.perf_counter()
        row = self.control.lock(self.table, fence=fence)
        if self.control.chunk_loaded(self.table, self.generation, chunk):
            self.writer.run.database.rollback()
            return BatchCounts(inserted=current.rows)
        inserted = 0
        if current.rows:
            current.load.create()
            text = statements.insert_rows(self.writer.model, current.load.name, into=self.beside.name, direct=True)
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
        return counts

    def _empty_load_table(self) -> LoadTable:
        load = self._spare.pop() if self._spare else self.writer.new_load_table()
        load.empty()
        return load

    def _discard(self, chunk: int) -> None:
        current = self._open.pop(chunk, None)
        if current is not None:
            self._spare.append(current.load)

    # --- the end ---

    def finish(self, *, chunks: int, rows: int | None, watermark: str | None) -> None:
        """Make the generation visible. May be repeated. Raises FatalError for missing chunks, SwapRefusedError, DeleteCapError."""
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
        self._build_key()
        row = self.control.lock(self.table, fence=fence)
        self.writer.run.database.rollback()
        live = self.connector.read_table(self.table)
        if live is not None:
            self._check_untouched(row, loaded)
            self.writer.record.deleted = (self.writer.record.deleted or 0) + self._carry_vanished(live.columns, row, fence)
            self._build_indexes()
            for warning in carry_over(self.connector, self.table, self.beside, self.tag):
                self.writer.record.warnings.append(warning)
                self.writer.run.logger.warning("%s", warning)
        else:
            self._build_indexes()
        self._swap(fence, old=None if live is None else self._old_name(), watermark=watermark)
        self.visible = True

    def _swapped_before(self, fence: int) -> bool:
        """Whether an attempt before this one got as far as the swap; what it left to do is done here."""
        finish_swap(self.control, self.connector, self.table, fence)
        row = self.control.lock(self.table, fence=fence)
        self.writer.run.database.rollback()
        self.visible = row.generation == self.generation and row.generation_status == DONE
        if self.visible:
            self.connector.drop_private(self._old_name())
        return self.visible

    def _old_name(self) -> str:
        return self.connector.private_name(self.table, "old", self.generation)

    def _build_key(self) -> None:
        """The primary key, once; duplicates (rows that moved between two chunks' reads) are resolved first when there are any."""
        if not self.writer.keyed or self.connector.read_key(self.beside.name):
            return
        tag = self.tag if self.connector.exists(self.table) else ""
        model = self.beside
        try:
            self._add_key(model, tag)
        except DatabaseError as error:
            if not has_code(error, DUPLICATE_KEYS):
                raise
            count = self.writer.run.database.execute(
                statements.delete_duplicates(model, model.name), doing=f"resolve duplicate keys in {model.name}"
            )
            self.writer.run.database.commit()
            self.writer.run.logger.info("%s: %d rows had a key twice; the one read last was kept", self.table, count)
            self._add_key(model, tag)

    def _add_key(self, model: TableModel, tag: str) -> None:
        """The constraint bears the live table's name, not the private one's."""
        constraint = self.connector.constraint_name(self.table, "_PK", tag)
        text = statements.add_primary_key(model.schema, model.name, constraint, model.key)
        self.writer.run.database.execute(text, doing=f"add the primary key of {model.name}")

    def _build_indexes(self) -> None:
        if not self.beside.metadata:
            return
        tag = self.tag if self.connector.exists(self.table) else ""
        index = self.connector.constraint_name(self.table, "_BATCHED_AT", tag)
        text = statements.create_index(self.beside.schema, self.beside.name, index, [BATCHED_AT.name])
        try:
            self.writer.run.database.execute(text, doing=f"create the index {index}")
        except DatabaseError as error:
            if not has_code(error, *ALREADY_INDEXED):
                raise

    def _check_untouched(self, row: ControlRow, loaded: int) -> None:
        """Refuse to replace a table that was written since this generation began, or to empty one."""
        base = row.generation_base_at
        newest: datetime | None = row.last_batched_at
        if self.writer.model.metadata:
            newest = self.writer.run.database.value(
                f"SELECT MAX({quoted(BATCHED_AT.name)}) FROM {qualified(self.beside.schema, self.table)}",
                doing=f"ask when {self.table} was last written",
            )
        written = any(each is not None and (base is None or each > base) for each in (newest, row.last_batched_at))
        if written:
            message = (
                f"{self.table} was written at {max(each for each in (newest, row.last_batched_at) if each is not None)} (UTC), after this "
                "full sync had begun: it may not be replaced. Start the full sync anew while no other run writes the table"
            )
            raise SwapRefusedError(message)
        if loaded == 0 and not self.writer.run.settings.allow_empty_overwrite:
            count = self.writer.run.database.value(statements.count_rows(self.writer.model), doing=f"count {self.table}")
            if count:
                message = (
                    f"{self.table}: the full sync brought no row; it does not replace {count} rows unless allow_empty_overwrite is set"
                )
                raise SwapRefusedError(message)

    def _carry_vanished(self, live: list[Any], row: ControlRow, fence: int) -> int:
        """Count what the source no longer has, within the cap, and take it over as deleted (soft delete). Returns how many."""
        if not self.writer.keyed:
            return 0
        model, beside = self.writer.model, self.beside.name
        count = int(self.writer.run.database.value(statements.count_vanished(model, beside), doing=f"count what is gone from {self.table}"))
        self.writer.budget.used = 0  # a repetition of the swap counts the same rows again
        self.writer.spend(count)
        if not model.metadata or self.writer.run.settings.hard_delete:
            return count
        shared = [each.name for each in model.all_columns if any(old.name == each.name for old in live)]
        self.control.lock(self.table, fence=fence)
        binds = {"deleted_at": moment_text(row.now), "batched_at": moment_text(row.next_batched_at)}
        self.writer.execute(statements.carry_vanished(model, beside, shared), binds, doing=f"take deleted rows over into {beside}")
        self.writer.run.database.commit()
        return count

    def _swap(self, fence: int, *, old: str | None, watermark: str | None) -> None:
        """Rename; the control row says what is being done, so that a crash in between can be finished."""
        row = self.control.lock(self.table, fence=fence)
        self.control.update(self.table, generation_status=SWAPPING, old_table=old, watermark=watermark, last_batched_at=row.next_batched_at)
        self.writer.run.database.commit()
        if old is not None:
            self.control.register(old, self.table, "old")
        gap = finish_swap(self.control, self.connector, self.table, fence)
        self.writer.changed(f"replaced table {self.table}" if old else f"full sync of {self.table} became visible")
        if old is not None and gap is not None:
            self.writer.run.logger.info("%s: the table was absent for %.1f ms between the two renames", self.table, gap * 1000)

    def close(self) -> None:
        """Drop this process's load tables."""
        for load in [*self._spare, *(each.load for each in self._open.values())]:
            if load.created:
                try:
                    self.connector.drop_private(load.name)
                except DatabaseError as error:
                    self.writer.run.logger.warning("%s stays behind for the next run's sweep: %s", load.name, error)
                    return


def finish_swap(control: ControlTables, connector: Connector, table: str, fence: int) -> float | None:
    """Finish a swap that the control row says has begun. Returns the seconds between the two renames, or None.

    Whatever was done is seen in the dictionary: nothing, the first rename, or both.
    """
    row = control.lock(table, fence=fence)
    connector.database.rollback()
    if row.generation_status != SWAPPING or row.beside_table is None:
        return None
    gap = None
    if connector.exists(row.beside_table):
        started = time.perf_counter()
        if connector.exists(table):
            if row.old_table is None:
                message = f"{table} has appeared since its first full sync was to become visible: drop or rename it, then run again"
                raise SwapRefusedError(message)
            text = statements.rename_table(connector.schema, table, row.old_table)
            started = time.perf_counter()
            connector.database.execute(text, doing=f"rename {table} to {row.old_table}")
        text = statements.rename_table(connector.schema, row.beside_table, table)
        connector.database.execute(text, doing=f"rename {row.beside_table} to {table}")
        gap = time.perf_counter() - started
    control.lock(table, fence=fence)
    control.update(table, generation_status=DONE, beside_table=None, old_table=None)
    connector.database.commit()
    control.unregister(row.beside_table)
    if row.old_table is not None:
        connector.drop_private(row.old_table)
    return gap

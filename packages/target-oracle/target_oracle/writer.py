"""Batches into one table: load table, then one transaction (rows, delete marks, audit row), COMMIT. Repeated as a whole or not at all.

| step | after a crash or a failure here |
|---|---|
| fill the load table | it is private: emptied and filled again, or dropped by the next run's sweep |
| lock the control row | nothing has happened |
| MERGE, marks, audit row | rolled back with the session |
| COMMIT, answer lost | the next attempt locks the control row, which waits for the old session's end, and asks the audit row |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from oracle_connection.contract import Mode
from oracle_connection.errors import DatabaseError, RetriableError
from oracle_connection.run_record import RunRecord

from target_oracle import definitions, statements
from target_oracle.batch import Batch
from target_oracle.columns import DELETED_AT, TableModel
from target_oracle.complete_read import CompleteRead
from target_oracle.connector import Connector
from target_oracle.control import AuditRow, BatchCounts, ControlRow, moment_text
from target_oracle.deletes import DeleteBudget
from target_oracle.errors import StreamError
from target_oracle.loading import LoadTable
from target_oracle.naming import suffixed
from target_oracle.run import Run
from target_oracle.settings import LoadMethod
from target_oracle.versions import latest


class MissingTableError(StreamError):
    """Changes arrived for a table that does not exist: rows of the full sync are missing."""


@dataclass(slots=True)
class TableWriter:
    """Writes one stream's table. All names in the record are those of the run record."""

    run: Run
    stream: str
    model: TableModel
    method: LoadMethod
    record: RunRecord
    connector: Connector = field(init=False)
    load: LoadTable = field(init=False)
    budget: DeleteBudget = field(init=False)
    prepared: bool = False
    opened: bool = False
    complete_read: CompleteRead = field(init=False)
    _mandatory: set[str] = field(default_factory=set)
    _names: int = 0

    def __post_init__(self) -> None:
        settings = self.run.settings
        self.connector = Connector(self.run.database, self.run.control, self.changed)
        self.complete_read = CompleteRead(self)
        self.budget = DeleteBudget(self.model.name, settings.delete_cap_percent, settings.allow_empty_overwrite)
        self._mandatory = {each.name for each in self.model.columns if not each.nullable and each.name not in self.model.key}

    @property
    def table(self) -> str:
        return self.model.name

    @property
    def keyed(self) -> bool:
        """Whether the table has one row per key."""
        return bool(self.model.key) and self.method is not LoadMethod.APPEND

    def changed(self, line: str) -> None:
        self.run.logger.info("%s: %s", self.table, line)
        if self.record.schema_changes is None:
            self.record.schema_changes = []
        if line not in self.record.schema_changes:
            self.record.schema_changes.append(line)

    # --- before the first batch ---

    def open(self) -> int:
        """Take the table: control rows, lease, and what dead runs left of it. Returns the fence. May be repeated."""
        self.run.open()
        if not self.opened:
            self.run.control.add_table(self.table, self.stream)
        fence = self.run.leases.take(self.table)
        if not self.opened:
            self._finish_swap(fence)
            self._sweep()
            self.opened = True
        return fence

    def _finish_swap(self, fence: int) -> None:
        from target_oracle.swap import finish_swap

        finish_swap(self.run.control, self.connector, self.table, fence)

    def _sweep(self) -> None:
        """Drop private tables of dead runs: of this table at once, of others when they are old and nobody holds their table."""
        control = self.run.control
        row = control.lock(self.table, fence=None)
        self.run.database.rollback()
        for name, _ in control.left_behind(self.table):
            if name != row.beside_table or row.generation_status == "done":
                self.connector.drop_private(name)
                self.run.logger.info("dropped %s, left by a dead run", name)
        for name, table in control.left_elsewhere(self.run.settings.load_table_max_age_hours):
            if self.run.leases.is_free(table):
                self.connector.drop_private(name)
                self.run.logger.info("dropped %s, left by a dead run of %s", name, table)

    def prepare(self, mode: Mode | None) -> int:
        """Open, and make the table fit the stream. Returns the fence. May be repeated."""
        fence = self.open()
        if not self.prepared:
            if mode in {Mode.INCREMENTAL, Mode.BACKFILL} and not self.connector.exists(self.table):
                message = (
                    f"{self.run.settings.schema}.{self.table} does not exist, but only changes of it were sent: "
                    "run the full sync again (its bookmark says it is done)"
                )
                raise MissingTableError(message)
            settings = self.run.settings
            self.connector.ensure_table(self.model, policy=settings.on_schema_drift, current_view=settings.current_view, keyed=self.keyed)
            self.load = self.new_load_table()
            self.prepared = True
        return fence

    def private_name(self, purpose: str) -> str:
        """Another name for a private table of this process."""
        self._names += 1
        return self.connector.private_name(self.table, purpose, self._names)

    def new_load_table(self) -> LoadTable:
        """Another load table of this process (not yet created)."""
        return LoadTable(self.connector, self.model, self.private_name("load"), self.run.direct_path, self.run.settings.batch_size_bytes)

    def relax_for(self, batch: Batch, model: TableModel) -> None:
        """Lift NOT NULL of columns for which the batch has no value, whatever the schema promised."""
        data = batch.data
        if self._mandatory and DELETED_AT.name in data.column_names:  # delete marks need no values but their key
            data = data.filter(data[DELETED_AT.name].is_null())
        for name in sorted(self._mandatory):
            if data[name].null_count:
                self.relax(model, name)

    def relax(self, model: TableModel, column: str) -> None:
        """Lift NOT NULL of a column because rows have no value for it."""
        if column in self._mandatory:
            self.connector.relax(model, column, "the data have NULL")
            self._mandatory.discard(column)

    def repeated(self, work: Callable[[], Any], doing: str) -> Any:
        """`Run.repeated`, counted in the run record."""
        return self.run.repeated(work, doing, self._retried)

    def _retried(self, error: RetriableError) -> None:
        self.record.retries = (self.record.retries or 0) + 1

    # --- batches ---

    def write(self, batch: Batch) -> BatchCounts:
        """Load a batch and commit it. Returns what it did; repeating a batch that is committed already does nothing."""
        if self.keyed:
            reduced = latest(batch.data, self.model)
            if reduced is not None:
                batch.data = reduced
                batch.records = []
        counts: BatchCounts = self.repeated(lambda: self._write_once(batch), f"loading a batch into {self.table}")
        self.run.wrote = True
        self.tally(batch, counts)
        return counts

    def _write_once(self, batch: Batch) -> BatchCounts:
        fence = self.prepare(batch.mode)
        self.relax_for(batch, self.model)
        started = time.perf_counter()
        self.load.replace(batch.data)
        loaded = time.perf_counter()
        if batch.table_version is not None and self.keyed:
            self.complete_read.begin(batch.table_version)
        return self._transaction(batch, fence, loaded - started)

    def _transaction(self, batch: Batch, fence: int, load_seconds: float) -> BatchCounts:
        """Rows, delete marks, audit row, COMMIT."""
        started = time.perf_counter()
        control = self.run.control
        row = control.lock(self.table, fence=fence)
        done = control.committed(batch.batch_id)
        if done is not None:
            self.complete_read.remember()
            self.run.database.commit()
            return done
        values = self.batch_binds(batch, row)
        counts = BatchCounts()
        if self.keyed:
            counts = self._merge(values)
            self.complete_read.remember()
            if batch.has_deletes:
                counts.deleted = self._delete(values)
        else:
            text = statements.insert_rows(self.model, self.load.name)
            counts.inserted = self.execute(text, values, doing=f"insert into {self.table}")
        audit = self.audit(batch, counts, load_seconds=load_seconds, merge_seconds=time.perf_counter() - started)
        audit.batched_at = row.next_batched_at
        control.insert_audit(audit)
        control.update(self.table, last_batched_at=row.next_batched_at)
        self.run.database.commit(doing=f"commit a batch of {self.table}")
        return counts

    def _merge(self, values: dict[str, Any]) -> BatchCounts:
        total, matched = self.run.database.query(
            statements.count_matches(self.model, self.load.name), doing=f"match the batch with {self.table}"
        )[0]
        touched = self.execute(statements.merge(self.model, self.load.name), values, doing=f"merge into {self.table}")
        inserted = int(total) - int(matched)
        return BatchCounts(inserted=inserted, updated=touched - inserted, unchanged=int(total) - touched)

    def _delete(self, values: dict[str, Any]) -> int:
        """The batch's delete marks, after its rows."""
        count = int(self.value(statements.count_deletes(self.model, self.load.name), values, doing=f"count the deletes in {self.table}"))
        self.spend(count)
        soft = self.model.metadata and not self.run.settings.hard_delete
        text = statements.mark_deleted(self.model, self.load.name) if soft else statements.delete_rows(self.model, self.load.name)
        return self.execute(text, values, doing=f"delete from {self.table}") if count else 0

    def spend(self, count: int) -> None:
        """Take deletes from the run's budget, which is a share of the rows the table had before its first delete."""
        if count and self.budget.live_rows is None:
            self.budget.live_rows = int(self.value(statements.count_rows(self.model, live=True), {}, doing=f"count {self.table}"))
        self.budget.spend(count)

    # --- bad rows ---

    def try_batch(self, batch: Batch) -> None:
        """Load a batch and roll it back, to see what the table says about its rows. Raises that."""
        if self.keyed:
            reduced = latest(batch.data, self.model)
            batch.data = batch.data if reduced is None else reduced

        def work() -> None:
            fence = self.prepare(None)
            self.load.replace(batch.data)
            row = self.run.control.lock(self.table, fence=fence)
            values = self.batch_binds(batch, row)
            text = statements.merge if self.keyed else statements.insert_rows
            try:
                self.execute(text(self.model, self.load.name), values, doing=f"try rows in {self.table}")
            finally:
                self.run.database.rollback()

        self.repeated(work, f"trying rows in {self.table}")

    def put_aside(self, rows: list[tuple[str, str | None, str, dict[str, Any]]]) -> None:
        """Keep refused rows, (key, code, reason, record), in `<table>__REJECTED`. Commits."""
        import msgspec

        name = suffixed(self.table, "__REJECTED")
        encode = msgspec.json.Encoder(decimal_format="number").encode

        def work() -> None:
            self.open()
            if not self.connector.exists(name):
                text = definitions.create_rejected_table(self.model.schema, name)
                self.run.database.execute(text, doing=f"create {name}")
            text = statements.insert_rejected(self.model.schema, name)
            for key, code, reason, record in rows:
                binds = {
                    "run_id": self.run.run_id,
                    "stream": self.stream,
                    "rejected_at": moment_text(datetime.now(UTC).replace(tzinfo=None)),
                    "ora_code": code,
                    "reason": reason[:1000],
                    "row_key": key,
                    "record": encode(record).decode(),
                }
                self.run.database.execute(text, binds, doing=f"put a row aside in {name}")
            self.run.database.commit()

        self.repeated(work, f"putting rows aside in {name}")
        for key, code, reason, _ in rows:
            self.run.logger.warning("%s: row %s put aside (%s): %s", self.table, key, code or "invalid", reason)

    # --- parts that full_load shares ---

    def batch_binds(self, batch: Batch, row: ControlRow) -> dict[str, Any]:
        """Values that all rows of the batch share, as text."""
        extracted = datetime.fromisoformat(batch.extracted_at) if batch.extracted_at else None
        if extracted is not None and extracted.tzinfo is not None:
            extracted = extracted.astimezone(UTC).replace(tzinfo=None)
        return {
            "extracted_at": moment_text(extracted),
            "received_at": moment_text(row.now),
            "batched_at": moment_text(row.next_batched_at),
            "sequence": None if batch.sequence is None else str(batch.sequence),
            "table_version": None if batch.table_version is None else str(batch.table_version),
        }

    def execute(self, text: str, values: dict[str, Any], *, doing: str) -> int:
        """Run a statement with those of the values that it has binds for."""
        return self.run.database.execute(text, _used(text, values), doing=doing)

    def value(self, text: str, values: dict[str, Any], *, doing: str) -> Any:
        return self.run.database.value(text, _used(text, values), doing=doing)

    def audit(self, batch: Batch, counts: BatchCounts, *, load_seconds: float, merge_seconds: float) -> AuditRow:
        """The audit row of a batch."""
        metadata = batch.metadata
        window = metadata.window if metadata else None
        row = AuditRow(
            batch.batch_id,
            metadata.run_id if metadata else self.run.run_id,
            self.stream,
            self.table,
            str(metadata.mode) if metadata else str(self.method),
            batch.rows_read,
            counts.inserted,
            counts.updated,
            counts.unchanged,
            counts.deleted,
            counts.rejected,
            read_scn=batch.sequence,
            load_seconds=round(load_seconds, 3),
            merge_seconds=round(merge_seconds, 3),
        )
        if metadata is not None:
            row.generation, row.chunk, row.part = metadata.generation, metadata.chunk, metadata.part
        if window is not None:
            row.window_key, row.window_from, row.window_to, row.watermark = window.key, window.from_, window.to, window.to
        self.record.load_seconds = round((self.record.load_seconds or 0) + load_seconds, 3)
        self.record.merge_seconds = round((self.record.merge_seconds or 0) + merge_seconds, 3)
        return row

    def tally(self, batch: Batch, counts: BatchCounts) -> None:
        """Add a committed batch to the run record."""
        record = self.record
        record.rows += batch.rows_read
        record.bytes += batch.size_bytes
        record.batches = (record.batches or 0) + 1
        record.inserted = (record.inserted or 0) + counts.inserted
        record.updated = (record.updated or 0) + counts.updated
        record.unchanged = (record.unchanged or 0) + counts.unchanged
        record.deleted = (record.deleted or 0) + counts.deleted
        record.rejected = (record.rejected or 0) + counts.rejected

    def close(self) -> None:
        """Drop this process's private tables, except a table loaded beside. Failures are left to the next run's sweep."""
        names = [self.load.name] if self.prepared and self.load.created else []
        names += [self.complete_read.keys_table] if self.complete_read.keys_table else []
        for name in names:
            try:
                self.connector.drop_private(name)
            except DatabaseError as error:
                self.run.logger.warning("%s stays behind for the next run's sweep: %s", name, error)
                return


def _used(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """The driver refuses binds that a statement does not have."""
    return {name: each for name, each in values.items() if f":{name}" in text}

"""Complete reads of a table (`FULL_TABLE`): which keys one has brought, and, at its end, what is gone because it has not brought it.

The keys wait in a private table; each batch adds its own in the same transaction as its rows. `ACTIVATE_VERSION` ends the read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_connection.contract import Mode

from target_oracle import definitions, statements
from target_oracle.control import AuditRow, moment_text

if TYPE_CHECKING:
    from target_oracle.writer import TableWriter

ACTIVATE_MODE = "activate"


@dataclass(slots=True)
class CompleteRead:
    """The complete read that a stream's batches belong to, if they do. version: its number, None before the first."""

    writer: TableWriter
    keys_table: str | None = None
    version: int | None = None

    def begin(self, version: int) -> None:
        """The private table of the keys that the complete read `version` has brought."""
        if self.version == version:
            return
        if self.keys_table is not None:
            self.writer.connector.drop_private(self.keys_table)
        name = self.writer.private_name("keys")
        self.writer.connector.create_private(name, self.writer.table, "keys", definitions.create_key_table(self.writer.model, name))
        self.keys_table, self.version = name, version

    def _begin_empty(self, version: int) -> None:
        """For a complete read that brought no row."""
        self.writer.prepare(Mode.FULL_TABLE)
        self.begin(version)

    def remember(self) -> None:
        if self.keys_table is not None:
            self.writer.execute(
                statements.insert_keys(self.writer.model, self.writer.load.name, self.keys_table), {}, doing="remember the keys"
            )

    def activate(self, version: int, *, sequence: int | None, run_id: str) -> int:
        """End a complete read: what it has not brought is deleted, or marked so. Returns how many. Raises DeleteCapError."""
        if self.version != version:
            self.writer.repeated(lambda: self._begin_empty(version), f"preparing {self.writer.table}")
        deleted: int = self.writer.repeated(
            lambda: self._activate_once(version, sequence, run_id), f"activating version {version} of {self.writer.table}"
        )
        self.writer.record.deleted = (self.writer.record.deleted or 0) + deleted
        if self.keys_table is not None:
            self.writer.connector.drop_private(self.keys_table)
            self.keys_table = self.version = None
        return deleted

    def _activate_once(self, version: int, sequence: int | None, run_id: str) -> int:
        writer = self.writer
        fence = writer.prepare(Mode.FULL_TABLE)
        started = time.perf_counter()
        control = writer.run.control
        row = control.lock(writer.table, fence=fence)
        batch_id = f"{ACTIVATE_MODE}/{writer.run.process}/{writer.table}/{version}"
        done = control.committed(batch_id)
        if done is not None:
            writer.run.database.rollback()
            return done.deleted
        keys = self.keys_table or ""
        count = int(writer.value(statements.count_unseen(writer.model, keys), {}, doing=f"count what is gone from {writer.table}"))
        writer.spend(count)
        if count:
            values = {
                "deleted_at": moment_text(row.now),
                "batched_at": moment_text(row.next_batched_at),
                "received_at": moment_text(row.now),
                "sequence": None if sequence is None else str(sequence),
                "table_version": str(version),
            }
            soft = writer.model.metadata and not writer.run.settings.hard_delete
            text = statements.mark_unseen(writer.model, keys) if soft else statements.delete_unseen(writer.model, keys)
            writer.execute(text, values, doing=f"delete what is gone from {writer.table}")
        audit = AuditRow(batch_id, run_id, writer.stream, writer.table, ACTIVATE_MODE, 0, rows_deleted=count, generation=version)
        audit.merge_seconds = round(time.perf_counter() - started, 3)
        audit.batched_at = row.next_batched_at
        control.insert_audit(audit)
        control.update(writer.table, last_batched_at=row.next_batched_at)
        writer.run.database.commit(doing=f"commit version {version} of {writer.table}")
        return count

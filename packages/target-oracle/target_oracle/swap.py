"""The moment a complete load becomes visible: the table loaded beside takes the live one's place.

By one RENAME, or, when there is a table already, by two (docs/decisions: the time between them is logged). Before that the new table
gets its key, its indexes and what people gave the old one (`replacement.py`), and rows that the source no longer has are taken over with
their delete mark, so that readers of `_SDC_BATCHED_AT` see the deletion. The control row says how far a swap is; whoever opens the
table next finishes it.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oracle_connection.errors import DatabaseError

from target_oracle import definitions, statements
from target_oracle.columns import BATCHED_AT, TableModel
from target_oracle.control import ControlRow, ControlTables, moment_text
from target_oracle.database import has_code
from target_oracle.naming import qualified, quoted
from target_oracle.replacement import SwapRefusedError, carry_over

if TYPE_CHECKING:
    from target_oracle.connector import Connector
    from target_oracle.writer import TableWriter

LOADING, SWAPPING, DONE = "loading", "swapping", "done"
DUPLICATE_KEYS = "ORA-02437"
ALREADY_INDEXED = ("ORA-00955", "ORA-01408", "ORA-02260")


@dataclass(frozen=True, slots=True)
class Swap:
    """What is left to do when every chunk of a generation is loaded. May be repeated."""

    writer: TableWriter
    generation: int
    beside: TableModel

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
    def tag(self) -> str:
        """Keeps names of indexes and constraints apart from those of the table that will be replaced."""
        return "_R" + hashlib.sha256(str(self.generation).encode()).hexdigest()[:8].upper()

    @property
    def old_name(self) -> str:
        """Where the replaced table goes until it is dropped."""
        return self.connector.private_name(self.table, "old", self.generation)

    def make_visible(self, fence: int, *, loaded: int, watermark: str | None) -> None:
        """Key, indexes, inheritance, rename. loaded: rows of all chunks. Raises SwapRefusedError, DeleteCapError."""
        self._build_key()
        row = self.control.lock(self.table, fence=fence)
        self.writer.run.database.rollback()
        live = self.connector.read_table(self.table)
        if live is not None:
            self._check_untouched(row, loaded)
            self.writer.record.deleted = (self.writer.record.deleted or 0) + self._carry_vanished(live.columns, row, fence)
            self._build_indexes()
            carry_over(self.connector, self.table, self.beside, self.tag)
        else:
            self._build_indexes()
        self._swap(fence, old=None if live is None else self.old_name, watermark=watermark)

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
        text = definitions.add_primary_key(model.schema, model.name, constraint, model.key)
        self.writer.run.database.execute(text, doing=f"add the primary key of {model.name}")

    def _build_indexes(self) -> None:
        if not self.beside.metadata:
            return
        tag = self.tag if self.connector.exists(self.table) else ""
        index = self.connector.constraint_name(self.table, "_BATCHED_AT", tag)
        text = definitions.create_index(self.beside.schema, self.beside.name, index, [BATCHED_AT.name])
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
            text = definitions.rename_table(connector.schema, table, row.old_table)
            started = time.perf_counter()
            connector.database.execute(text, doing=f"rename {table} to {row.old_table}")
        text = definitions.rename_table(connector.schema, row.beside_table, table)
        connector.database.execute(text, doing=f"rename {row.beside_table} to {table}")
        gap = time.perf_counter() - started
    control.lock(table, fence=fence)
    control.update(table, generation_status=DONE, beside_table=None, old_table=None)
    connector.database.commit()
    control.unregister(row.beside_table)
    if row.old_table is not None:
        connector.drop_private(row.old_table)
    return gap

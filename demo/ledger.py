"""The simulator's own book: from which plan the tables were seeded, and the last committed state of every row that live activity touched.

A test reads from it what both databases must hold. One SQLite file; values are stored as `text` writes them.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from demo.rows import Plan
from demo.schema import TABLES, Table

Row = tuple[str | None, ...]


def text(value: object) -> str | None:
    """One spelling per value: numbers without trailing zeros, times with six digits, bytes as hex; None is NULL."""
    match value:
        case None:
            return None
        case Decimal():
            return format(value.normalize(), "f")
        case datetime():
            return value.isoformat(timespec="microseconds")
        case bytes():
            return value.hex()
        case _:
            return str(value)


class Ledger:
    """Opened by a path; safe to use from several threads. Rows go in after their transaction is committed."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._file.execute("CREATE TABLE IF NOT EXISTS plan (orders INTEGER, seed INTEGER, as_of TEXT)")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS live (table_name TEXT, key INTEGER, row TEXT, committed_at TEXT, PRIMARY KEY (table_name, key))"
        )
        self._file.commit()

    def start(self, plan: Plan) -> None:
        """Forget everything and note the plan of a new seed."""
        with self._lock, self._file:
            self._file.execute("DELETE FROM plan")
            self._file.execute("DELETE FROM live")
            self._file.execute("INSERT INTO plan VALUES (?, ?, ?)", (plan.orders, plan.seed, plan.as_of.isoformat()))

    @property
    def plan(self) -> Plan:
        with self._lock:
            found = self._file.execute("SELECT orders, seed, as_of FROM plan").fetchone()
        if found is None:
            raise LookupError("the ledger has no seed: run `python -m demo seed` first")
        return Plan(found[0], found[1], datetime.fromisoformat(found[2]))

    def record(self, table: Table, rows: Iterable[tuple[object, ...]] = (), deleted: Iterable[int] = ()) -> None:
        """Note committed rows (all columns, in the table's order) and the keys of rows that are gone."""
        now = datetime.now(UTC).isoformat()
        entries = [(table.name, int(str(row[0])), json.dumps([text(value) for value in row]), now) for row in rows]
        entries += [(table.name, key, "null", now) for key in deleted]
        # A row that was only read back, and is as it was, keeps the time of its own commit.
        statement = (
            "INSERT INTO live VALUES (?, ?, ?, ?) ON CONFLICT (table_name, key) DO UPDATE "
            "SET row = excluded.row, committed_at = excluded.committed_at WHERE row <> excluded.row"
        )
        with self._lock, self._file:
            self._file.executemany(statement, entries)

    def live(self, table: Table) -> dict[int, Row | None]:
        """What live activity left: key -> row, or None where the row was deleted."""
        with self._lock:
            found = self._file.execute("SELECT key, row FROM live WHERE table_name = ?", (table.name,)).fetchall()
        return {key: None if row == "null" else tuple(json.loads(row)) for key, row in found}

    def committed_at(self, table: Table) -> dict[int, datetime]:
        """When live activity last changed a row that is still there: key -> UTC time just after COMMIT had returned."""
        with self._lock:
            found = self._file.execute(
                "SELECT key, committed_at FROM live WHERE table_name = ? AND row <> 'null'", (table.name,)
            ).fetchall()
        return {key: datetime.fromisoformat(at) for key, at in found}

    def deleted(self, table_name: str) -> set[int]:
        """Keys of rows that were deleted in the source after the seed."""
        table = TABLES.get(table_name)
        return set() if table is None else {key for key, row in self.live(table).items() if row is None}

    def expected(self, table: Table) -> Iterator[Row]:
        """Every row that the source must hold now, in no particular order: the seed's, overlaid by what happened since."""
        live = self.live(table)
        for seeded, batch in self.plan.batches():
            if seeded.name == table.name:
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    if values[0] not in live:
                        yield tuple(text(value) for value in values)
        yield from (row for row in live.values() if row is not None)

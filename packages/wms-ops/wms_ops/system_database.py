"""What Meltano's system database knows: states, runs, heartbeats. Written only to free a dead run, to redo and to restore.

SQLite by default, PostgreSQL when the URI says so. For SQLite only the standard library is imported: a guard opens this every minute.
Facts about the tables: `runs.job_name` is the state ID, times are UTC, a living run writes its heartbeat each second.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

DEAD_AFTER_SECONDS = 30.0
BUSY_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10


class SystemDatabaseError(Exception):
    """The system database cannot be read or is of an unknown kind; the message says which setting to look at."""


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `runs` in state RUNNING. Times are aware, in UTC."""

    row_id: int
    state_id: str
    run_id: str
    started_at: datetime
    seen_at: datetime

    def silent_seconds(self, now: datetime) -> float:
        """How long ago its last heartbeat was written."""
        return (now - self.seen_at).total_seconds()


class SystemDatabase:
    """One short-lived connection; use as a context manager."""

    def __init__(self, uri: str, root: Path) -> None:
        """Open the database of `database_uri`; a relative SQLite path starts at the project's `root`."""
        kind = urlsplit(uri).scheme.partition("+")[0]
        self._connection: Any
        if kind == "sqlite":
            path = root / unquote(uri.partition("///")[2])
            try:
                self._connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_SECONDS)
            except sqlite3.OperationalError as error:
                raise SystemDatabaseError(f"Meltano's system database {path} cannot be opened ({error}); run ./setup.sh") from error
            self._mark = "?"
        elif kind in {"postgresql", "postgres"}:
            import psycopg

            try:
                self._connection = psycopg.connect("postgresql://" + uri.partition("://")[2], connect_timeout=CONNECT_TIMEOUT_SECONDS)
            except psycopg.OperationalError as error:
                raise SystemDatabaseError(f"Meltano's system database (MELTANO_DATABASE_URI) does not answer: {error}") from error
            self._mark = "%s"
        else:
            raise SystemDatabaseError(f"MELTANO_DATABASE_URI names a {kind!r} database; wms-ops reads sqlite and postgresql")

    def __enter__(self) -> SystemDatabase:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement.replace("?", self._mark), values)
            return list(cursor.fetchall())

    def _write(self, statement: str, *values: object) -> int:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement.replace("?", self._mark), values)
            count = int(cursor.rowcount)
        self._connection.commit()
        return count

    def state(self, state_id: str) -> dict[str, Any]:
        """The Singer state a run of this state ID would start from, the partial merged over the completed one; {} without any."""
        rows = self._query("SELECT completed_state, partial_state FROM state WHERE state_id = ?", state_id)
        if not rows:
            return {}
        completed, partial = (_singer_state(text) for text in rows[0])
        return merge(partial, completed)

    def states(self, prefix: str) -> dict[str, dict[str, Any]]:
        """All states whose ID starts with `prefix`, by ID."""
        rows = self._query("SELECT state_id FROM state ORDER BY state_id")
        return {state_id: self.state(state_id) for (state_id,) in rows if state_id.startswith(prefix)}

    def write_states(self, states: dict[str, dict[str, Any]]) -> None:
        """Replace each state as a whole (Meltano's own merge would keep old keys); one transaction."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        delete = "DELETE FROM state WHERE state_id = ?".replace("?", self._mark)
        # Meltano cannot read a state whose partial half is NULL.
        insert = "INSERT INTO state (state_id, completed_state, partial_state, updated_at) VALUES (?, ?, ?, ?)".replace("?", self._mark)
        with closing(self._connection.cursor()) as cursor:
            for state_id, state in states.items():
                cursor.execute(delete, (state_id,))
                cursor.execute(insert, (state_id, json.dumps({"singer_state": state}), "{}", now))
        self._connection.commit()

    def running_state_ids(self, prefix: str) -> list[str]:
        """The state IDs that start with `prefix` and have a run that is marked as running."""
        rows = self._query("SELECT DISTINCT job_name FROM runs WHERE state = 'RUNNING'")
        return [state_id for (state_id,) in rows if state_id.startswith(prefix)]

    def running(self, state_ids: Iterable[str]) -> list[Run]:
        """The runs of these state IDs that are marked as running, whether they live or not."""
        wanted = set(state_ids)
        rows = self._query("SELECT id, job_name, run_id, started_at, last_heartbeat_at FROM runs WHERE state = 'RUNNING' ORDER BY id")
        return [
            Run(row_id, state_id, str(run_id), _moment(started), _moment(seen or started))
            for row_id, state_id, run_id, started, seen in rows
            if state_id in wanted
        ]

    def reap(self, state_ids: Iterable[str], now: datetime, dead_after_seconds: float = DEAD_AFTER_SECONDS) -> list[Run]:
        """Mark runs as failed whose heartbeat has stopped, so that the next run is let in; the runs that were freed.

        Meltano itself waits five minutes. A heartbeat that moves meanwhile keeps its run: the update names the one that was read.
        """
        freed = []
        for run in self.running(state_ids):
            if run.silent_seconds(now) <= dead_after_seconds:
                continue
            limit = (now - timedelta(seconds=dead_after_seconds)).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
            payload = json.dumps({"error": f"No heartbeat for {run.silent_seconds(now):.0f} seconds: the process was killed."})
            changed = self._write(
                "UPDATE runs SET state = 'FAIL', ended_at = ?, payload = ? "
                "WHERE id = ? AND state = 'RUNNING' AND COALESCE(last_heartbeat_at, started_at) < ?",
                now.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds"),
                payload,
                run.row_id,
                limit,
            )
            if changed:
                freed.append(run)
        return freed

    def forget_runs(self, prefix: str, before: datetime) -> int:
        """Delete the rows of runs that ended before, of states whose ID starts with `prefix`; how many. The states stay."""
        limit = before.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        condition = "state <> 'RUNNING' AND ended_at < ? AND SUBSTR(job_name, 1, ?) = ?"
        return self._write(f"DELETE FROM runs WHERE {condition}", limit, len(prefix), prefix)


def merge(source: dict[str, Any], destination: dict[str, Any]) -> dict[str, Any]:
    """`source` over `destination`, objects key by key, everything else replaced: how Meltano puts a partial state over a completed one."""
    merged = dict(destination)
    for key, value in source.items():
        held = merged.get(key)
        merged[key] = merge(value, held) if isinstance(value, dict) and isinstance(held, dict) else value
    return merged


def _singer_state(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    found = value.get("singer_state", {})
    return found if isinstance(found, dict) else {}


def _moment(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)

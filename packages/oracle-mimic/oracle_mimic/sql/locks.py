"""Enqueues: who holds what, who waits for whom. TX waits (rows, unique keys), TM locks (tables), row locks of SELECT FOR UPDATE.

Everything is in memory: locks do not survive the server. A waiter sleeps on one condition of the database until the transactions
it waits for have ended, its time is up, its session is interrupted or it closes a circle (ORA-00060).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from oracle_mimic.errors import OracleError


class Mode(IntEnum):
    """Lock modes with the numbers that V$LOCK.LMODE shows."""

    NONE = 0
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE = 4
    SHARE_ROW_EXCLUSIVE = 5
    EXCLUSIVE = 6


_COMPATIBLE: dict[Mode, frozenset[Mode]] = {
    Mode.ROW_SHARE: frozenset({Mode.ROW_SHARE, Mode.ROW_EXCLUSIVE, Mode.SHARE, Mode.SHARE_ROW_EXCLUSIVE}),
    Mode.ROW_EXCLUSIVE: frozenset({Mode.ROW_SHARE, Mode.ROW_EXCLUSIVE}),
    Mode.SHARE: frozenset({Mode.ROW_SHARE, Mode.SHARE}),
    Mode.SHARE_ROW_EXCLUSIVE: frozenset({Mode.ROW_SHARE}),
    Mode.EXCLUSIVE: frozenset(),
}


def combined(held: Mode, wanted: Mode) -> Mode:
    """The weakest mode that has the rights of both: S + RX is SRX, otherwise the stronger one."""
    if {held, wanted} == {Mode.SHARE, Mode.ROW_EXCLUSIVE}:
        return Mode.SHARE_ROW_EXCLUSIVE
    return max(held, wanted)


@dataclass(slots=True)
class TableLock:
    """A TM enqueue held by a transaction: ID1 is the object id, CTIME counts from `since`."""

    object_id: int
    mode: Mode
    since: datetime


@dataclass(slots=True)
class Wait:
    """What a session waits for, as V$LOCK (REQUEST) and V$SESSION (BLOCKING_SESSION) show it."""

    session_id: int
    kind: str  # "TX" or "TM"
    holders: frozenset[int]  # session ids
    object_id: int | None
    mode: Mode
    since: datetime


@dataclass(frozen=True, slots=True)
class _Taken:
    """One step of a session: a table's mode before it (None: not locked), or the rows that it locked."""

    object_id: int
    mode: Mode | None = None
    rids: frozenset[int] | None = None


@dataclass(slots=True)
class LockTable:
    """The locks of one database. `condition` guards all of it; sessions are named by their session id."""

    now: Callable[[], datetime]
    condition: threading.Condition = field(default_factory=threading.Condition)
    tables: dict[int, dict[int, TableLock]] = field(default_factory=dict)  # object id -> session id -> lock
    rows: dict[int, dict[int, int]] = field(default_factory=dict)  # object id -> rid -> session id
    waits: dict[int, Wait] = field(default_factory=dict)
    interrupted: set[int] = field(default_factory=set)
    taken: dict[int, list[_Taken]] = field(default_factory=dict)  # session id -> its locks in the order it took them

    def table_holders(self, object_id: int, mode: Mode, session_id: int) -> frozenset[int]:
        """The other sessions whose TM locks on a table forbid a mode."""
        held = self.tables.get(object_id, {})
        return frozenset(other for other, lock in held.items() if other != session_id and lock.mode not in _COMPATIBLE[mode])

    def lock_table(self, session_id: int, object_id: int, mode: Mode, timeout: float | None) -> None:
        """Take or strengthen a TM lock, waiting for incompatible holders. timeout: see `wait`."""
        with self.condition:
            held = self.tables.setdefault(object_id, {}).get(session_id)
            wanted = mode if held is None else combined(held.mode, mode)
            if held is not None and held.mode == wanted:
                return
            self.wait(
                session_id, "TM", lambda: self.table_holders(object_id, wanted, session_id), timeout, object_id=object_id, mode=wanted
            )
            held = self.tables.setdefault(object_id, {}).get(session_id)
            self.taken.setdefault(session_id, []).append(_Taken(object_id, None if held is None else held.mode))
            if held is None:
                self.tables[object_id][session_id] = TableLock(object_id, wanted, self.now())
            else:
                held.mode = wanted

    def row_holder(self, object_id: int, rid: int, session_id: int) -> int | None:
        """The other session that holds a FOR UPDATE lock on a row."""
        holder = self.rows.get(object_id, {}).get(rid)
        return None if holder == session_id else holder

    def rows_of_others(self, object_id: int, session_id: int) -> dict[int, int]:
        """The rows of a table that other sessions hold FOR UPDATE: rid -> session id."""
        with self.condition:
            return {rid: holder for rid, holder in self.rows.get(object_id, {}).items() if holder != session_id}

    def holds_tables(self, session_id: int) -> bool:
        """Whether the session holds any TM lock."""
        with self.condition:
            return any(session_id in held for held in self.tables.values())

    def lock_rows(self, session_id: int, object_id: int, rids: Iterable[int]) -> None:
        """Record FOR UPDATE locks; the caller has checked that nobody else holds them."""
        with self.condition:
            held = self.rows.setdefault(object_id, {})
            new = frozenset(rids) - held.keys()
            held.update(dict.fromkeys(new, session_id))
            self.taken.setdefault(session_id, []).append(_Taken(object_id, rids=new))

    def mark(self, session_id: int) -> int:
        """How many locks a session has taken: what `release_after` goes back to."""
        with self.condition:
            return len(self.taken.get(session_id, ()))

    def release_after(self, session_id: int, mark: int) -> None:
        """ROLLBACK TO SAVEPOINT: give back the locks taken since. Who waits for a row goes on waiting for the transaction."""
        with self.condition:
            taken = self.taken.get(session_id, [])
            while len(taken) > mark:
                last = taken.pop()
                if last.rids is not None:
                    held_rows = self.rows.get(last.object_id, {})
                    for rid in last.rids:
                        held_rows.pop(rid, None)
                elif last.mode is None:
                    self.tables.get(last.object_id, {}).pop(session_id, None)
                elif (held := self.tables.get(last.object_id, {}).get(session_id)) is not None:
                    held.mode = last.mode
            self.condition.notify_all()

    def wait(
        self,
        session_id: int,
        kind: str,
        holders: Callable[[], frozenset[int]],
        timeout: float | None,
        *,
        object_id: int | None = None,
        mode: Mode = Mode.EXCLUSIVE,
    ) -> bool:
        """Sleep until `holders()` is empty; True if it had to wait at all.

        timeout: None = for ever, 0 = NOWAIT (ORA-00054), seconds otherwise (ORA-30006).
        ORA-01013 when interrupted, ORA-00060 when the wait would close a circle.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.condition:
            waited, since = False, self.now()
            try:
                while blockers := holders():
                    waited = True
                    if timeout == 0:
                        raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
                    self.waits[session_id] = Wait(session_id, kind, blockers, object_id, mode, since)
                    if self._closes_circle(session_id):
                        raise OracleError(60, "deadlock detected while waiting for resource")
                    self.raise_if_interrupted(session_id)
                    remaining = None if deadline is None else deadline - time.monotonic()
                    if remaining is not None and remaining <= 0:
                        raise OracleError(30006, "resource busy; acquire with WAIT timeout expired")
                    self.condition.wait(remaining)
                    self.raise_if_interrupted(session_id)
            finally:
                self.waits.pop(session_id, None)
            return waited

    def raise_if_interrupted(self, session_id: int) -> None:
        """ORA-01013 once for a session that was interrupted."""
        with self.condition:
            if session_id in self.interrupted:
                self.resume(session_id)
                raise OracleError(1013, "user requested cancel of current operation")

    def interrupt(self, session_id: int) -> None:
        """Let the session's current (or next) wait end with ORA-01013."""
        with self.condition:
            self.interrupted.add(session_id)
            self.condition.notify_all()

    def resume(self, session_id: int) -> None:
        """Forget an interrupt, met or not."""
        with self.condition:
            self.interrupted.discard(session_id)
            self.condition.notify_all()

    def is_resumed(self, session_id: int, seconds: float) -> bool:
        """Whether within some seconds the session's interrupt has been met or forgotten."""
        with self.condition:
            return self.condition.wait_for(lambda: session_id not in self.interrupted, seconds)

    def sleep(self, session_id: int, seconds: float) -> None:
        """Do nothing for a while; ORA-01013 when interrupted."""
        deadline = time.monotonic() + seconds
        with self.condition:
            while (remaining := deadline - time.monotonic()) > 0:
                self.raise_if_interrupted(session_id)
                self.condition.wait(remaining)
            self.raise_if_interrupted(session_id)

    def release(self, session_id: int) -> None:
        """End of transaction: drop every lock of a session and wake the waiters."""
        with self.condition:
            self.taken.pop(session_id, None)
            for held in self.tables.values():
                held.pop(session_id, None)
            for object_id, rows in list(self.rows.items()):
                kept = {rid: owner for rid, owner in rows.items() if owner != session_id}
                if kept:
                    self.rows[object_id] = kept
                else:
                    del self.rows[object_id]
            self.tables = {object_id: held for object_id, held in self.tables.items() if held}
            self.condition.notify_all()

    def _closes_circle(self, session_id: int) -> bool:
        """Whether somebody the session waits for waits, directly or through others, for the session."""
        pending = list(self.waits[session_id].holders)
        seen: set[int] = set()
        while pending:
            other = pending.pop()
            if other == session_id:
                return True
            if other not in seen:
                seen.add(other)
                wait = self.waits.get(other)
                pending.extend(wait.holders if wait is not None else ())
        return False

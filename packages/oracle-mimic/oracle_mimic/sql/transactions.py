"""Transactions, the versions they write and what a statement may see of them.

A row version's `bx` and `ex` are write ids: transaction number << 24 | statement number within it. A transaction is one row of the
commit log; savepoints and statements are ranges of write ids. `Snapshot` turns "as of this SCN, and my own" into a filter.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import Literal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.scn import Clock, ScnLog

STATEMENT_BITS = 24
LIVE = 2**63 - 1  # `ex` of a version that nobody ended
Isolation = Literal["READ COMMITTED", "SERIALIZABLE", "READ ONLY"]

# What relations carry in their text; `Snapshot.apply` replaces it when transactions have to be left out.
VISIBLE = "bx <= $snapshot AND ex > $snapshot"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The versions a statement sees: those of transactions numbered up to the limit, but for the excluded ones."""

    scn: int
    limit: int  # greatest visible write id
    excluded: tuple[int, ...] = ()  # transaction numbers below the limit that are open or were committed later

    def predicate(self) -> str:
        """The filter with its numbers written out."""
        return self.apply(VISIBLE).replace("$snapshot", str(self.limit))

    def apply(self, sql: str) -> str:
        """A text whose relations carry `VISIBLE`, made to leave out the excluded transactions; `$snapshot` stays a parameter."""
        if not self.excluded:
            return sql
        numbers = ",".join(map(str, self.excluded))
        bits = STATEMENT_BITS
        return sql.replace(
            VISIBLE,
            f"bx <= $snapshot AND (bx >> {bits}) NOT IN ({numbers}) AND (ex > $snapshot OR (ex >> {bits}) IN ({numbers}))",
        )


@dataclass(slots=True)
class Transaction:
    """A transaction that has a number: it changed a row or locked one.

    statement: of the write ids given out; savepoints: name -> statements done when it was set, oldest first;
    tables: object ids whose versions it wrote; direct_tables: those it inserted into by direct path (APPEND),
    not to be read before it ends.
    """

    number: int
    session_id: int
    start_scn: int
    started_at: datetime
    statement: int = 0
    tables: set[int] = field(default_factory=set)
    direct_tables: set[int] = field(default_factory=set)
    row_changes: int = 0

    @property
    def write_id(self) -> int:
        """The write id of the statement that runs now."""
        return self.number << STATEMENT_BITS | self.statement

    def next_statement(self) -> int:
        """Begin a statement; its write id. ORA-01562 after 16 million of them."""
        if self.statement + 1 >= 1 << STATEMENT_BITS:
            raise OracleError(1562, "failed to extend rollback segment: too many statements in one transaction")
        self.statement += 1
        return self.write_id


class TransactionRegistry:
    """The open transactions, the numbers and the SCN log of one database."""

    def __init__(self, clock: Clock, log: ScnLog, next_number: int, retention_seconds: float) -> None:
        self.lock = RLock()
        self.clock = clock
        self.log = log
        self.next_number = next_number
        self.retention_seconds = retention_seconds
        self.open: dict[int, Transaction] = {}
        self.purged_scn = log.scns[0] if log.scns else log.current
        self.held_snapshots: dict[int, int] = {}  # session id -> SCN of its SERIALIZABLE or READ ONLY transaction

    def begin(self, session_id: int) -> Transaction:
        """Give a transaction its number, at its first changed or locked row."""
        with self.lock:
            now = self.clock.now()
            transaction = Transaction(self.next_number, session_id, self.log.tick(now), now)
            self.next_number += 1
            self.open[transaction.number] = transaction
            return transaction

    def current_scn(self) -> int:
        """The SCN of this moment; it may have grown since the last question."""
        with self.lock:
            return self.log.tick(self.clock.now())

    def snapshot(self, scn: int | None = None, own: Transaction | None = None) -> Snapshot:
        """What is visible at an SCN (default: now) to the owner of a transaction.

        ORA-01555 when the undo of that SCN is gone, ORA-08181 for one that was not reached yet.
        """
        with self.lock:
            if scn is not None:
                self.check_retained(scn)
            return self.view(self.log.current if scn is None else scn, own.number if own is not None else 0)

    def view(self, scn: int, own_number: int = 0) -> Snapshot:
        """`snapshot` for an SCN known to be retained."""
        with self.lock:
            hidden = {*self.log.committed_after(scn), *self.open} - {own_number}
            limit = self.next_number - 1
            while limit in hidden:
                limit -= 1
            excluded = tuple(sorted(number for number in hidden if number < limit))
            return Snapshot(scn, (limit << STATEMENT_BITS) | (1 << STATEMENT_BITS) - 1, excluded)

    def check_retained(self, scn: int) -> None:
        """ORA-01555 or ORA-08181 when an SCN cannot be queried."""
        with self.lock:
            if scn > self.log.current and scn > self.current_scn():
                raise OracleError(8181, "specified number is not a valid system change number")
            if scn < self.purged_scn or scn < self.horizon():
                raise OracleError(1555, 'snapshot too old: rollback segment number  with name "" too small')

    def horizon(self) -> int:
        """The oldest SCN whose undo is kept: the one in force `retention_seconds` ago."""
        with self.lock:
            position = bisect_right(self.log.moments, self.clock.now() - timedelta(seconds=self.retention_seconds))
            return self.log.scns[max(position - 1, 0)] if self.log.scns else self.log.current

    def committed(self, transaction: Transaction, scn: int, moment: datetime) -> None:
        """Make a stored commit visible: `scn` is the one that was reserved."""
        with self.lock:
            self.log.append(scn, moment, transaction.number)
            self.open.pop(transaction.number, None)

    def ended(self, transaction: Transaction) -> None:
        """A transaction whose versions are gone."""
        with self.lock:
            self.open.pop(transaction.number, None)

    def sessions_of(self, numbers: set[int]) -> frozenset[int]:
        """The sessions of those transactions that are still open."""
        with self.lock:
            return frozenset(self.open[number].session_id for number in numbers if number in self.open)

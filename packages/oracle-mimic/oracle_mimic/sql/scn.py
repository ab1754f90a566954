"""The server's clock, the system change number, and which of them belong together.

The SCN grows by one at every commit and, like Oracle's, with time: at most once a second, when somebody asks. The log keeps which
transaction numbers were committed at which SCN and when, for as long as undo is kept; a restart reads it back from storage.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oracle_mimic.errors import OracleError

FIRST_SCN = 1_000_000
RESERVED_SCNS = 1_000_000  # added at a restart: more than the ticks (one a second) that were handed out and not stored


@dataclass(slots=True)
class Clock:
    """The server's clock: real time plus an offset, or a moment at which tests have stopped it. Zone: an offset or a region."""

    time_zone: str = "UTC"
    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """This moment, zone-aware UTC."""
        return self.frozen_at if self.frozen_at is not None else datetime.now(UTC) + self.offset

    def freeze(self, moment: datetime | None) -> None:
        """Stop the clock at a zone-aware moment; None lets it run again."""
        self.frozen_at = None if moment is None else moment.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back), frozen or not."""
        if self.frozen_at is not None:
            self.frozen_at += timedelta(seconds=seconds)
        else:
            self.offset += timedelta(seconds=seconds)

    def utc_offset(self, moment: datetime) -> timedelta:
        """How far the server's zone is from UTC at a moment."""
        return zone_offset(self.time_zone, moment)

    def local(self, moment: datetime) -> datetime:
        """The naive wall clock of the server at a moment."""
        return (moment + self.utc_offset(moment)).replace(tzinfo=None)


def zone_offset(zone: str, moment: datetime) -> timedelta:
    """The offset from UTC of '+02:00', 'UTC' or a region name at a moment. ORA-01882 for an unknown zone."""
    if zone[:1] in "+-" and zone[1:2].isdigit():
        hours, _, minutes = zone[1:].partition(":")
        if not (hours.isdigit() and (minutes or "0").isdigit()) or int(hours) > 15 or int(minutes or 0) > 59:
            raise OracleError(1882, "timezone region not found")
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return -offset if zone[0] == "-" else offset
    try:
        found = moment.astimezone(ZoneInfo(zone)).utcoffset()  # ZoneInfo.utcoffset would take UTC's clock for the zone's own
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OracleError(1882, "timezone region not found") from error
    return found or timedelta()


@dataclass(slots=True)
class ScnLog:
    """SCN -> moment and committed transaction, in order. Not thread-safe: the registry's lock guards it.

    scns, moments: parallel and ascending; `transactions[i]` is what was committed at scns[i], 0 for a mere tick of time.
    """

    current: int = FIRST_SCN
    scns: list[int] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    reserved: bool = False  # a commit is being stored under current + 1: time must not take that number

    def reserve(self) -> int:
        """The SCN of a commit that is about to be stored; `append` or `unreserve` follows. One at a time."""
        self.reserved = True
        return self.current + 1

    def unreserve(self) -> None:
        """The commit was not stored after all."""
        self.reserved = False

    def append(self, scn: int, moment: datetime, transaction: int) -> None:
        """Record a commit (or a tick). A clock that was set back does not make time run backwards in the log."""
        self.current = scn
        self.reserved = False
        self.scns.append(scn)
        self.moments.append(max(moment, self.moments[-1]) if self.moments else moment)
        self.transactions.append(transaction)

    def tick(self, now: datetime) -> int:
        """The SCN of this moment: grown if at least a second passed since the last entry."""
        if not self.reserved and (not self.moments or now - self.moments[-1] >= timedelta(seconds=1)):
            self.append(self.current + 1, now, 0)
        return self.current

    def committed_after(self, scn: int) -> list[int]:
        """Transaction numbers committed after an SCN."""
        return [number for number in self.transactions[bisect_right(self.scns, scn) :] if number]

    def at(self, moment: datetime) -> int:
        """The SCN in force at a moment. ORA-08180 before the log begins."""
        position = bisect_right(self.moments, moment)
        if position == 0:
            raise OracleError(8180, "no snapshot found based on specified time")
        return self.scns[position - 1]

    def moment_of(self, scn: int) -> datetime:
        """When an SCN was reached. ORA-08181 outside the log."""
        position = bisect_left(self.scns, scn)
        if not self.scns or scn < self.scns[0] or position == len(self.scns):
            raise OracleError(8181, "specified number is not a valid system change number")
        return self.moments[position]

    def has_commit_before(self, horizon: int) -> bool:
        """Whether `trim` would forget a commit."""
        return any(self.transactions[: max(bisect_right(self.scns, horizon) - 1, 0)])

    def trim(self, horizon: int) -> None:
        """Forget entries before an SCN (the entry in force at it stays, so that its moment is still known)."""
        position = bisect_right(self.scns, horizon) - 1
        if position > 0:
            del self.scns[:position], self.moments[:position], self.transactions[:position]

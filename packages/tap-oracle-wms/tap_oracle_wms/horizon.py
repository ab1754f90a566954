"""Up to which moment every commit is certainly visible to a statement that is sent afterwards.

The guarantee: a row whose change was stamped at or after the horizon may still be uncommitted; every row stamped before it, by the
clock and within the skew, is committed and visible, or was rolled back. Four modes, named as they are in the log and the run record:

locks         the earliest moment since which a session holds, or waits for, a lock that DML takes on this table (GV$LOCK). Taken at
              the start of the statement, before its first row, and held to the commit. Other tables' transactions do not matter.
transactions  the start of the oldest open transaction of the database, and of running statements where they can be seen.
lookback      nothing of that can be seen (no grant, or a standby): the caller bounds the bookmark by the rows and a look-back.
none          the key is no change clock: a horizon would say nothing about it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from oracle_connection.contract import utc_text
from oracle_connection.errors import ConfigurationError, RetriableError, Scope

from tap_oracle_wms import statements
from tap_oracle_wms.keys import REPEATED_HOUR
from tap_oracle_wms.source import Clock, Source

LOCKS, TRANSACTIONS, LOOKBACK, NONE = "locks", "transactions", "lookback", "none"
CTIME_GRANULARITY = timedelta(seconds=4)
"""V$LOCK.CTIME is a whole number of seconds and refreshed about every three: a lock may be this much older than it says."""
DATE_GRANULARITY = timedelta(seconds=1)

logger = logging.getLogger("tap-oracle-wms")


@dataclass(frozen=True, slots=True)
class Horizon:
    """What one look at the database told. `at` is naive UTC: the horizon; in mode `lookback` up to when changes can have arrived
    here at all (now, or the time a standby has applied), None where even that is unknown. `holder` is who holds it back."""

    mode: str
    clock: Clock
    at: datetime | None
    holder: str | None = None

    @property
    def age_seconds(self) -> float | None:
        """How far it lies behind the database's time."""
        return None if self.at is None else max((self.clock.utc - self.at).total_seconds(), 0.0)

    def to_record(self) -> dict[str, object]:
        """For the run record."""
        at = None if self.at is None else utc_text(self.at.replace(tzinfo=UTC))
        return {"mode": self.mode, "at": at, "age_seconds": self.age_seconds}


def observe(
    source: Source,
    *,
    owner: str,
    table: str,
    object_id: int | None,
    wanted: str = "auto",
    server_zone: tzinfo | None = None,
    warn_after_seconds: int = 900,
) -> Horizon:
    """The horizon of a table, by the best mode that is granted, or by the mode `wanted`.

    object_id: of the table; None for a view, whose tables' locks are not known.
    server_zone: of the database's host, when it is known.
    Raises ConfigurationError when the mode that is wanted cannot be had.
    """
    clock = source.clock()
    horizon: Horizon | None = None
    if clock.is_primary and wanted in {"auto", LOCKS} and object_id is not None:
        horizon = _by_locks(source, clock, object_id)
    if horizon is None and clock.is_primary and wanted in {"auto", TRANSACTIONS}:
        horizon = _by_transactions(source, clock, server_zone)
    if horizon is None and wanted in {"auto", LOOKBACK}:
        horizon = Horizon(LOOKBACK, clock, clock.utc if clock.is_primary else _applied(source, clock))
    if horizon is None:
        why = "on a standby" if not clock.is_primary else "without the grants (see docs/grants) or for a view"
        message = f"setting horizon: mode {wanted} is not possible for {owner}.{table} {why}"
        raise ConfigurationError(message)
    age = horizon.age_seconds
    if horizon.mode != LOOKBACK and age is not None and age > warn_after_seconds:
        logger.warning(
            "an open transaction holds the bookmark of %s.%s back by %d s: %s", owner, table, age, horizon.holder or "session unknown"
        )
    return horizon


def _by_locks(source: Source, clock: Clock, object_id: int) -> Horizon | None:
    """By the locks on the table; None when GV$LOCK is not granted.

    The transaction's own lock (TX) counts too: the table lock's CTIME starts anew when its mode is raised.
    """
    instances = _open_instances(source)
    if instances is None:
        return None
    locks = source.ask_if_granted(statements.TABLE_LOCKS, {"object_id": object_id})
    if locks is None:
        return None
    if instances > 1:
        _check_all_answered(source, instances)
    if not locks:
        return Horizon(LOCKS, clock, clock.utc)
    instance, session, age = locks[0]
    at = clock.utc - timedelta(seconds=int(age)) - CTIME_GRANULARITY
    holder = None
    if int(age) > 0:
        holder = _holder(source.ask_if_granted(statements.LOCK_HOLDER, {"inst_id": int(instance), "sid": int(session)}))
    return Horizon(LOCKS, clock, at, holder or f"SID {session} on instance {instance}")


def _by_transactions(source: Source, clock: Clock, server_zone: tzinfo | None) -> Horizon | None:
    """By all open transactions; None when GV$TRANSACTION is not granted.

    START_DATE is local time of the server. Its zone is rarely known, so the difference to SYSDATE is used, and an hour is added
    for a clock that was set back in between.
    """
    if _open_instances(source) is None:
        return None
    rows = source.ask_if_granted(statements.TRANSACTIONS)
    if rows is None:
        return None
    count, start, age = rows[0]
    at = clock.utc
    if count:
        if server_zone is not None:
            local = datetime.fromisoformat(start).replace(tzinfo=server_zone, fold=0)
            at = local.astimezone(UTC).replace(tzinfo=None) - DATE_GRANULARITY
        else:
            at = clock.utc - timedelta(seconds=float(age)) - DATE_GRANULARITY - REPEATED_HOUR
    running = source.ask_if_granted(statements.RUNNING_STATEMENTS)
    if running and running[0][0] is not None:  # a statement's time is fixed before its transaction begins
        at = min(at, clock.utc - timedelta(seconds=float(running[0][0])) - DATE_GRANULARITY)
    holder = _holder(source.ask_if_granted(statements.OLDEST_TRANSACTION_HOLDER)) if count else None
    return Horizon(TRANSACTIONS, clock, min(at, clock.utc), holder)


def _open_instances(source: Source) -> int | None:
    rows = source.ask_if_granted(statements.OPEN_INSTANCES)
    return None if rows is None else int(rows[0][0])


def _check_all_answered(source: Source, instances: int) -> None:
    """Each instance of a cluster always holds some lock; one that shows none did not answer, and its transactions are unseen."""
    rows = source.ask(statements.LOCKING_INSTANCES)
    if int(rows[0][0]) < instances:
        message = f"only {rows[0][0]} of {instances} open instances answered GV$LOCK: open transactions may be unseen"
        raise RetriableError(message, scope=Scope.STATEMENT)


def _applied(source: Source, clock: Clock) -> datetime | None:
    """Up to when a standby has applied the primary's changes; None when it does not tell."""
    rows = source.ask_if_granted(statements.APPLY_LAG)
    if not rows or not rows[0][0]:
        return None
    days, _, time = str(rows[0][0]).strip().lstrip("+").partition(" ")
    hours, minutes, seconds = time.split(":")
    lag = timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return clock.utc - lag - DATE_GRANULARITY


def _holder(rows: list[tuple[object, ...]] | None) -> str | None:
    """One line about a session, for the warning."""
    if not rows:
        return None
    sid, serial, user, machine, program, module = rows[0]
    return f"session {sid},{serial} of {user} on {machine} ({module or program})"

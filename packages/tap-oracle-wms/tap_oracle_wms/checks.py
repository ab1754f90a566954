"""`--test-connection` and `--health-check`: what a person, or a probe, wants to know before a sync runs. They only read.

A check is a line with a result. A sync can run when none of them failed; a warning names what is weaker than it could be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from oracle_connection import probe
from oracle_connection.contract import utc_text
from oracle_connection.errors import DatabaseError, Scope
from oracle_connection.types import ZONED

from tap_oracle_wms import connector, statements
from tap_oracle_wms.catalog import StreamDescription
from tap_oracle_wms.connector import TABLE
from tap_oracle_wms.horizon import LOOKBACK, observe
from tap_oracle_wms.keys import KEY_KINDS, ReplicationKey, default_is_clock
from tap_oracle_wms.settings import Settings, check_zone
from tap_oracle_wms.source import Source

OK, WARNING, FAILED = "ok", "warning", "failed"
CLOCK_TOLERANCE = timedelta(seconds=30)
OLDEST_VERSION = (12, 1)
HEALTHY, DEGRADED, DOWN = 0, 1, 2
NOT_REACHED = frozenset({"DPY-6000", "DPY-6001", "DPY-6003", "DPY-6005", "ORA-12541", "ORA-12514", "ORA-12505", "ORA-12154", "ORA-12545"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `--test-connection`."""

    result: str
    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.result:<8} {self.name}: {self.detail}"


def check_connection(source: Source) -> Iterator[Check]:
    """Reachable, login, version. Ends after the first failure."""
    place = source.parameters.place
    try:
        answer = probe.ask(source.connection)
    except DatabaseError as error:
        if error.code in NOT_REACHED or error.scope is Scope.CONNECTION:
            yield Check(FAILED, "reachable", str(error))
        else:
            yield Check(OK, "reachable", place)
            yield Check(FAILED, "login", str(error))
        return
    yield Check(OK, "reachable", f"{place}, {answer.latency_ms} ms per round trip")
    yield Check(OK, "login", f"as {source.parameters.username}")
    version = tuple(int(part) for part in answer.version.split(".")[:2])
    yield Check(OK if version >= OLDEST_VERSION else FAILED, "version", f"{answer.version}, instance {answer.instance_name}")


def check_source(source: Source, *, now: datetime | None = None) -> Iterator[Check]:
    """What the session may see beside the tables, and the clocks. now: naive UTC of this machine."""
    clock = source.clock()
    difference = clock.utc - (now or datetime.now(UTC).replace(tzinfo=None))
    near = abs(difference) <= CLOCK_TOLERANCE
    yield Check(
        OK if near else WARNING,
        "clock",
        f"the database is {difference.total_seconds():+.1f} s from this machine (only the database's counts)",
    )
    if not clock.is_primary:
        yield Check(WARNING, "role", f"{clock.role}: open transactions of the primary cannot be seen, only a look-back covers late commits")
    for name, statement, binds, buys in (
        ("GV$LOCK", statements.TABLE_LOCKS, {"object_id": 0}, "late commits are found by the locks on each table"),
        ("GV$TRANSACTION", statements.TRANSACTIONS, {}, "late commits are found by all open transactions"),
        ("V$DATABASE", statements.SCN, {}, "rows carry the SCN they were read at"),
        ("V$MYSTAT", statements.SESSION_STATISTICS, {}, "run records tell what a run cost the source"),
    ):  # fmt: skip
        granted = source.ask_if_granted(statement, binds) is not None
        yield Check(OK if granted else WARNING, name, buys if granted else f"not granted, so not: {buys} (docs/grants)")


def check_stream(source: Source, settings: Settings, found: StreamDescription) -> Iterator[Check]:
    """One entity: readable, key, replication key and index, horizon, flashback, plan."""
    table, name = found.table, found.name
    try:
        rows = source.ask(statements.ANY_ROW, table=table.sql_table)
    except DatabaseError as error:
        yield Check(FAILED, name, str(error))
        return
    yield Check(OK, name, f"{table.full_name} is readable{'' if rows else ', and empty'}")
    keys = ", ".join(found.key_properties)
    yield Check(OK if keys else WARNING, f"{name}: key", keys or "none: rows can only be appended in the target")
    for column, why in found.unsupported.items():
        yield Check(WARNING, f"{name}: {column}", f"is left out: {why}")
    if found.replication_key is None:
        candidates = ", ".join(
            c.name for c in table.columns if c.type is not None and c.type.kind in KEY_KINDS and default_is_clock(c.type)
        )
        yield Check(OK, f"{name}: replication key", f"none in the settings of this tap; candidates: {candidates or 'none'}")
    else:
        indexed = table.kind != TABLE or table.has_index_on(found.replication_key)
        yield Check(
            OK if indexed else WARNING,
            f"{name}: replication key",
            found.replication_key + ("" if indexed else ": no index starts with it, each run reads the whole table"),
        )
    storage = connector.storage(source, table.owner, table.name)
    try:
        horizon = observe(
            source,
            owner=table.owner,
            table=table.name,
            object_id=storage.object_id if table.kind == TABLE else None,
            wanted=settings.horizon,
            server_zone=settings.server_time_zone,
        )
        yield Check(WARNING if horizon.mode == LOOKBACK else OK, f"{name}: horizon", f"by {horizon.mode}, now {horizon.age_seconds} s back")
    except DatabaseError as error:
        yield Check(FAILED, f"{name}: horizon", str(error))
    if table.kind == TABLE:
        flashback = source.ask_if_granted(statements.FLASHBACK_CHECK, table=table.sql_table) is not None
        yield Check(
            OK if flashback else WARNING, f"{name}: flashback", "granted" if flashback else "not granted; this tap does not need it"
        )
        extents = connector.extents(source, table, storage.segments) is not None
        yield Check(
            OK,
            f"{name}: full sync",
            "by ROWID ranges" if extents and table.is_heap else "by ranges of the key (DBA_EXTENTS is not granted)",
        )


def can_sync(checks: Sequence[Check]) -> bool:
    """True when nothing failed."""
    return all(check.result != FAILED for check in checks)


@dataclass(slots=True)
class Health:
    """The answer of `--health-check`."""

    status: str = "down"
    latency_ms: float | None = None
    version: str | None = None
    role: str | None = None
    source_time: str | None = None
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def exit_code(self) -> int:
        """0 healthy, 1 degraded, 2 down."""
        return {"healthy": HEALTHY, "degraded": DEGRADED}.get(self.status, DOWN)

    def connected(self, source: Source) -> None:
        """Ask the server about itself."""
        answer, clock = probe.ask(source.connection), source.clock()
        self.latency_ms, self.version, self.role = answer.latency_ms, answer.version, clock.role
        self.source_time = utc_text(clock.utc.replace(tzinfo=UTC))
        if not clock.is_primary:
            self.warnings.append(f"the source is a {clock.role}")
        self.status = "healthy"

    def look_at(self, source: Source, settings: Settings, found: StreamDescription) -> None:
        """The newest replication key of an entity and its age, where an index makes that cheap."""
        table = found.table
        if found.replication_key is None:
            self.entities[found.name] = {"newest_key": None, "age_seconds": None}
            return
        if table.kind == TABLE and not table.has_index_on(found.replication_key):
            self.warnings.append(f"{found.name}: no index starts with {found.replication_key}, its newest value was not looked for")
            self.entities[found.name] = {"newest_key": None, "age_seconds": None}
            return
        column = table.column(found.replication_key)
        assert column is not None  # noqa: S101 - discovery found it
        assert column.type is not None  # noqa: S101 - and its type
        zone = settings.entity(found.name, table.name).replication_key_time_zone or settings.time_zone
        key = ReplicationKey(column.name, column.type, default_is_clock(column.type), check_zone("time_zone", zone))
        newest = source.newest(key, table.sql_table)
        clock = source.clock()
        age = None
        if newest is not None and key.is_time:
            age = round((_clock_now(key, clock.utc, clock.server_offset) - key.parse(newest)).total_seconds(), 3)
        self.entities[found.name] = {"newest_key": newest, "age_seconds": age}

    def degrade(self, error: DatabaseError) -> None:
        """Something about the entities is wrong though the server answers."""
        self.status = "degraded"
        self.warnings.append(str(error))


def _clock_now(key: ReplicationKey, utc: datetime, server_offset: timedelta) -> datetime:
    """What the key's clock shows at an instant."""
    if key.type.kind in ZONED:
        return utc
    if key.zone is None:
        return utc + server_offset
    return utc.replace(tzinfo=UTC).astimezone(key.zone).replace(tzinfo=None)

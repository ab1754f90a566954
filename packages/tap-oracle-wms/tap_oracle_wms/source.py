"""One session on the source database: asks, reads Arrow batches, reconnects. Every failure leaves as a class of `oracle_connection.errors`.

A source only ever sends SELECTs (and one ALTER SESSION when it connects). It knows no stream and no Singer.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from oracle_connection import probe
from oracle_connection.errors import ConfigurationError, DatabaseError, FatalError, RetriableError, Scope, explain
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.types import select_expression

from tap_oracle_wms import statements
from tap_oracle_wms.cost import Reading
from tap_oracle_wms.keys import ReplicationKey
from tap_oracle_wms.statements import Statement

if TYPE_CHECKING:
    import oracledb

MODULE = "tap-oracle-wms"
NOT_GRANTED = frozenset({"ORA-00942", "ORA-01031", "ORA-00904", "ORA-00990", "ORA-01219", "ORA-06550"})
"""What the server answers when a view or package is not granted (or, in thin dictionaries, does not exist)."""
FIRST_PAUSE_SECONDS = 0.5

logger = logging.getLogger(MODULE)
T = TypeVar("T")
BindMaker = Callable[["oracledb.Cursor"], dict[str, Any]]
"""Makes the bind variables of a statement on a cursor: their types are the columns' own."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The database's time at one moment. `utc` is naive UTC; `server_offset` of the host's zone; `role` PRIMARY or a standby's."""

    utc: datetime
    server_offset: timedelta
    role: str

    @property
    def is_primary(self) -> bool:
        """False on a standby, where the primary's transactions cannot be seen."""
        return self.role == "PRIMARY"


class Source:
    """A connection that is opened when first used and again after it was lost.

    attempts, longest_pause_seconds: how retriable errors are answered by `patiently`.
    """

    def __init__(self, parameters: ConnectionParameters, *, attempts: int = 5, longest_pause_seconds: float = 30, run_id: str = "") -> None:
        self.parameters = parameters
        self.attempts = attempts
        self.longest_pause_seconds = longest_pause_seconds
        self.run_id = run_id
        self.retries = 0
        self._connection: oracledb.Connection | None = None
        self._action: str | None = None
        self._missing: set[str] = set()
        self._sessions = 0

    @property
    def connection(self) -> oracledb.Connection:
        """The open connection; one attempt to open it is made when there is none."""
        if self._connection is None:
            self._connection = probe.connect(self.parameters, module=MODULE, action=self._action)
            self._sessions += 1
            if self.run_id:
                self._connection.client_identifier = self.run_id[:64]
        return self._connection

    def set_action(self, action: str) -> None:
        """What V$SESSION shows beside the module, e.g. `allocation full`."""
        self._action = action[:64]
        if self._connection is not None:
            self._connection.action = self._action

    def close(self) -> None:
        """End the session; harmless when it is gone already."""
        connection, self._connection = self._connection, None
        if connection is not None:
            import oracledb

            try:
                connection.close()
            except oracledb.Error as error:
                logger.debug("closing a connection that is gone: %s", error)

    def patiently(self, work: Callable[[], T]) -> T:
        """Do `work`, again after a retriable error: on a new connection when it was lost, with growing pauses and jitter.

        An error about the snapshot of a read (ORA-01555) is not answered here: its reader must decide what to read again.
        """
        for attempt in range(self.attempts + 1):
            try:
                return work()
            except RetriableError as error:
                if error.scope is Scope.SNAPSHOT or attempt == self.attempts:
                    raise
                if error.scope is Scope.CONNECTION:
                    self.close()
                self.pause(attempt, error)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def pause(self, attempt: int, error: DatabaseError) -> None:
        """Count a retry, tell it, and wait: 0.5 s, doubled each time up to the longest pause, with jitter."""
        self.retries += 1
        seconds = min(self.longest_pause_seconds, FIRST_PAUSE_SECONDS * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        logger.warning("attempt %d failed, trying again in %.1f s: %s", attempt + 1, seconds, error)
        time.sleep(seconds)

    def ask(self, statement: Statement, binds: dict[str, Any] | BindMaker | None = None, **parts: str) -> list[tuple[Any, ...]]:
        """All rows of a small query, asked patiently; `parts` fill the braces of its text. `binds`: values, or what makes them."""
        return self.patiently(lambda: self._ask(statement, binds, **parts))

    def _ask(self, statement: Statement, binds: dict[str, Any] | BindMaker | None, **parts: str) -> list[tuple[Any, ...]]:
        import oracledb

        connection = self.connection
        try:
            with connection.cursor() as cursor:
                cursor.arraysize = 1000
                cursor.prefetchrows = 1001
                cursor.execute(statement.fill(**parts), binds(cursor) if callable(binds) else binds or {}, fetch_decimals=True)
                return [tuple(map(_whole, row)) for row in cursor.fetchall()]
        except (oracledb.Error, OSError) as error:
            raise explain(error, f"ask for {statement.name}", secrets=self.parameters.secrets) from error

    def ask_if_granted(self, statement: Statement, binds: dict[str, Any] | None = None, **parts: str) -> list[tuple[Any, ...]] | None:
        """As `ask`, None when the user may not: that is remembered for this session's lifetime."""
        if statement.name in self._missing:
            return None
        try:
            return self.ask(statement, binds, **parts)
        except ConfigurationError as error:
            if error.code not in NOT_GRANTED:
                raise
            logger.debug("not granted: %s (%s)", statement.name, error.code)
            self._missing.add(statement.name)
            return None

    def newest(self, key: ReplicationKey, sql_table: str) -> str | None:
        """The greatest value of a key in its text form; None without rows."""
        greatest = select_expression(key.type, f"MAX({statements.quote(key.column)})")
        ((value,),) = self.ask(statements.NEWEST_KEY, newest=greatest, table=sql_table)
        return value if value is None or isinstance(value, str) else key.format(value)

    def clock(self) -> Clock:
        """The database's time now."""
        ((utc, offset, role),) = self.ask(statements.CLOCK)
        return Clock(utc, parse_offset(offset), role or "PRIMARY")

    def scn(self) -> int | None:
        """The SCN as of which a statement sent from now on is at least current; None when the source tells none."""
        for statement in (statements.SCN, statements.SCN_FLASHBACK):
            rows = self.ask_if_granted(statement)
            if rows:
                return int(rows[0][0])
        return None

    def session_statistics(self) -> Reading | None:
        """What this session has cost the server so far; None where that is not granted."""
        rows = self.ask_if_granted(statements.SESSION_STATISTICS)
        return None if rows is None else Reading(self._sessions, {str(name): int(value) for name, value in rows})

    def read(self, text: str, binds: BindMaker, schema: pa.Schema, size: int, doing: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query as record batches of at most `size` rows, each column exactly as `schema` says.

        binds: makes the bind variables of the statement on a cursor of this session.
        Lazy; a failure while rows arrive is raised from the iterator.
        """
        import oracledb

        fetch_schema = pa.schema([field.with_type(pa.timestamp("us")) if _is_instant(field.type) else field for field in schema])
        connection = self.connection
        try:
            with connection.cursor() as cursor:
                parameters = binds(cursor)
            for frame in connection.fetch_df_batches(text, parameters, size=size, requested_schema=fetch_schema):
                yield from _in_schema(pa.table(frame), schema)
        except (oracledb.Error, OSError) as error:
            raise explain(error, doing, secrets=self.parameters.secrets) from error
        except (ValueError, OverflowError) as error:
            message = (
                f"cannot {doing}: {error} [fatal] a value cannot be carried, such as a date before the year 1: mask its column"
                " (entities.<stream>.mask: null), or read a view without it"
            )
            raise FatalError(message) from error


def _whole(value: Any) -> Any:
    """Whole numbers as int; other numbers stay Decimal, exactly."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _is_instant(data_type: pa.DataType) -> bool:
    return pa.types.is_timestamp(data_type) and data_type.tz is not None


def _in_schema(table: pa.Table, schema: pa.Schema) -> Sequence[pa.RecordBatch]:
    """The driver's columns under the stream's names and types; only instants change type, and that without touching a value."""
    columns = [
        column.cast(field.type) if column.type != field.type else column for column, field in zip(table.columns, schema, strict=True)
    ]
    return [batch for batch in pa.Table.from_arrays(columns, schema=schema).to_batches() if batch.num_rows]


def parse_offset(text: str) -> timedelta:
    """`+02:00` as a duration."""
    sign = -1 if text.startswith("-") else 1
    hours, _, minutes = text.strip().lstrip("+-").partition(":")
    return sign * timedelta(hours=int(hours), minutes=int(minutes or 0))

"""One logged-in user: plans statements, runs them, owns a transaction. The SQL room's side of the door.

A session runs one call at a time on its connection's thread; only `interrupt` comes from another one. What statements do is in other
modules (queries.py, dml.py, ddl*.py, control.py); here is what they share: settings, transaction, snapshot, plans, cancellation.
It is longer than others because the door's Session has that many methods, each a few lines long.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oracle_mimic.door import Binds, DirectPathTable, Outcome, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import control, ddl, direct_path, dml, engine_versions, queries
from oracle_mimic.sql.bound import Nls, Typed
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.engine import Connection, Stream, duckdb_transaction, interrupt, run
from oracle_mimic.sql.expressions import to_python
from oracle_mimic.sql.plans import Plan, make_plan
from oracle_mimic.sql.transactions import Isolation, Snapshot, Transaction
from oracle_mimic.types import Column, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.database import Database
    from oracle_mimic.sql.plsql_session import SessionHost

_MAX_PLANS = 256
BYTES_SENT, BYTES_RECEIVED = "bytes sent via SQL*Net to client", "bytes received via SQL*Net from client"
ROUND_TRIPS = "SQL*Net roundtrips to/from client"
_LOCK_POLL_SECONDS = 0.1
_INTERRUPTS, _INTERRUPT_SECONDS = 100, 0.01  # how often, and how long apart, a running cursor is told to stop


@dataclass(frozen=True, slots=True)
class Savepoint:
    """Where a transaction stood: the statements it had done, and how many locks it had taken."""

    name: str
    statement: int
    locks: int


class Session:
    """See `door.Session`."""

    def __init__(self, database: Database, user: str, session_id: int, serial_number: int, attributes: dict[str, str]) -> None:
        self.database: Database = database
        self.user: str = user
        self.session_id: int = session_id
        self.serial_number: int = serial_number
        self.audit_id: int = session_id * 1000 + serial_number
        self.attributes: dict[str, str] = attributes
        self.client_info: dict[str, str] = {}
        self.statistics: dict[str, int] = {}  # by the names of V$STATNAME: only what is really counted
        self.current_schema: str = user
        self.nls: Nls = Nls()
        self.parameters: dict[str, str] = {}  # other ALTER SESSION settings, as given
        self.sequence_values: dict[int, int] = {}
        self.transaction: Transaction | None = None
        self.savepoints: list[Savepoint] = []
        self.transaction_name: str | None = None
        self.isolation: Isolation = "READ COMMITTED"
        self.default_isolation: Isolation = "READ COMMITTED"
        self.snapshot_scn: int | None = None  # of a SERIALIZABLE or READ ONLY transaction
        self.logged_on_at = database.clock.now()
        self.sql_text: str | None = None
        self.sql_exec_start: datetime | None = None
        self.last_call_at = self.logged_on_at
        self.active = False
        self.statement_time: datetime | None = None
        self._plans: OrderedDict[Any, Plan] = OrderedDict()
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        self._running: Connection | None = None
        self._running_lock = threading.Lock()
        self._calls = threading.RLock()
        self._closed = False
        self.killed = False
        self._idle_limit, self._connect_limit = database.accounts.session_limits(user)
        self.locked_explicitly = False  # by LOCK TABLE
        self.logon_time_zone = self.nls.time_zone
        self._loads = direct_path.Loads(self)
        self._host: SessionHost | None = None

    # statements

    @property
    def in_transaction(self) -> bool:
        """See `door.Session.in_transaction`."""
        return self.transaction is not None or self.database.locks.holds_tables(self.session_id)

    def describe(self, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
        """See `door.Session.describe`."""
        with self.call(sql):
            return queries.describe(self, sql, bind_types)

    def query(self, sql: str, binds: Binds) -> Rows:
        """See `door.Session.query`."""
        with self.call(sql):
            return queries.query(self, sql, binds)

    def execute(self, sql: str, binds: Binds, *, batch_errors: bool = False, array_row_counts: bool = False) -> Outcome:
        """See `door.Session.execute`."""
        with self.call(sql):
            kind = self.database.inspect(sql).kind
            if kind == "dml":
                return dml.execute(self, sql, binds, batch_errors=batch_errors, array_row_counts=array_row_counts)
            if kind == "ddl":
                ddl.execute(self, sql)
                return Outcome()
            if kind == "plsql":
                return self._run_block(sql, binds)
            if kind == "query":
                raise OracleError(900, "invalid SQL statement")
            control.execute(self, sql)
            return Outcome()

    def _run_block(self, sql: str, binds: Binds) -> Outcome:
        from oracle_mimic.sql import plsql, plsql_session

        if self._host is None:
            self._host = plsql_session.SessionHost(self)
        return plsql.execute(self._host, sql, binds)

    def plan(self, sql: str, binds: Binds, *, array: bool = False) -> Plan:
        """The bound statement, from the cache when nothing it depends on has changed. Its parameters hold this call's values."""
        arrows = tuple(None if column is None else str(column.type) for column in binds.columns)
        catalog = self.database.catalog
        key = (sql, tuple(binds.types), arrows, array, catalog.version, self.nls, self.current_schema)
        found = self._plans.get(key)
        if found is None:
            found = make_plan(self, catalog, sql, binds, array=array)
            if not found.dependencies.volatile:
                self._plans[key] = found
                if len(self._plans) > _MAX_PLANS:
                    self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(key)
        if self.transaction is not None and self.transaction.direct_tables & found.dependencies.tables:
            raise OracleError(12838, "cannot read/modify an object after modifying it in parallel")
        return found

    def context(self) -> SessionContext:
        """What the binder asks."""
        return SessionContext(self, self.database.catalog)

    def evaluate(self, typed: Typed, parameters: dict[str, Any]) -> Any:
        """The value of an expression without columns; for `SessionContext.constant`."""
        with self.database.engine.cursor() as cursor, self.running(cursor):
            rows = run(cursor, f"SELECT {typed.sql}", {**parameters, **self.statement_parameters()})
        return to_python(typed.carrier, rows[0][0], typed.type)

    # a call

    @contextmanager
    def call(self, sql: str | None) -> Iterator[None]:
        """What every call begins and ends with: cancellation, statement time, V$SESSION. Calls within calls are part of them."""
        with self._calls:
            if self._closed:
                raise OracleError(28, "your session has been killed", fatal=True) if self.killed else _not_logged_on()
            if self.active:  # a statement of a block has its own time
                self.statement_time = self.database.clock.now()
                yield
                return
            self._require_time_left()
            self.active = True
            self.statement_time = self.sql_exec_start = self.last_call_at = self.database.clock.now()
            self.sql_text = sql
            try:
                yield
            finally:
                self.active = False
                self.sql_exec_start = self.statement_time = None
                self.last_call_at = self.database.clock.now()

    def _require_time_left(self) -> None:
        """ORA-02396 after the profile's IDLE_TIME, ORA-02399 after its CONNECT_TIME: the session is at its end."""
        if self._idle_limit is None and self._connect_limit is None:
            return
        now = self.database.clock.now()
        error: OracleError | None = None
        if self._idle_limit is not None and now - self.last_call_at > self._idle_limit:
            error = OracleError(2396, "exceeded maximum idle time, please connect again", fatal=True)
        elif self._connect_limit is not None and now - self.logged_on_at > self._connect_limit:
            error = OracleError(2399, "exceeded maximum connect time, you are being logged off", fatal=True)
        if error is not None:
            self._idle_limit = self._connect_limit = None  # closing rolls back, which is a call
            self.close()
            raise error

    @contextmanager
    def running(self, cursor: Connection) -> Iterator[None]:
        """The time in which `interrupt` has to stop a cursor."""
        with self._running_lock:
            outer, self._running = self._running, cursor
        try:
            self.database.locks.raise_if_interrupted(self.session_id)
            yield
        except OracleError as error:
            if error.code == 1013:  # by the cursor: the interrupt is met
                self.database.locks.resume(self.session_id)
            raise
        finally:
            with self._running_lock:
                self._running = outer

    def interrupt(self) -> None:
        """See `door.Session.interrupt`. Told to the cursor until it is met: DuckDB forgets what comes before it has begun."""
        locks = self.database.locks
        locks.interrupt(self.session_id)
        for _ in range(_INTERRUPTS):
            with self._running_lock:
                if self._running is None:
                    return
                interrupt(self._running)
            if locks.is_resumed(self.session_id, _INTERRUPT_SECONDS):
                return

    def resume(self) -> None:
        """See `door.Session.resume`."""
        self.database.locks.resume(self.session_id)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the one write lock; waiting for it can be interrupted."""
        lock = self.database.engine.write_lock
        while not lock.acquire(timeout=_LOCK_POLL_SECONDS):
            self.database.locks.raise_if_interrupted(self.session_id)
        try:
            yield
        finally:
            lock.release()

    def keep(self, stream: Stream) -> None:
        """Remember an open query, to close it with the session."""
        self._streams.add(stream)

    def statement_parameters(self) -> dict[str, Any]:
        """The engine's own parameters of a statement: `now` as UTC nanoseconds and the server's zone."""
        moment = self.statement_time or self.database.clock.now()
        nanoseconds = int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
        offset = int(self.database.clock.utc_offset(moment).total_seconds()) // 60
        sign = "-" if offset < 0 else "+"
        return {"now": {"utc": nanoseconds, "tz": f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"}}

    def from_server_time(self, moment: datetime) -> datetime:
        """A naive wall clock time of the server's zone, as SYSDATE tells it, as zone-aware UTC."""
        clock = self.database.clock
        guess = moment.replace(tzinfo=UTC) - clock.utc_offset(moment.replace(tzinfo=UTC))
        return (moment - clock.utc_offset(guess)).replace(tzinfo=UTC)

    # the transaction

    def snapshot(self) -> Snapshot:
        """What a statement that begins now sees."""
        database = self.database
        if database.standby_lag_seconds is not None:
            registry = database.registry
            with registry.lock:
                registry.current_scn()
                edge = database.clock.now() - timedelta(seconds=database.standby_lag_seconds)
                scn = registry.log.at(max(edge, registry.log.moments[0]))
            return registry.snapshot(scn)
        return database.registry.snapshot(self.snapshot_scn, self.transaction)

    def require_writable(self) -> None:
        """ORA-16000 on a standby, ORA-01456 in a READ ONLY transaction."""
        if self.database.standby:
            raise OracleError(16000, "database or pluggable database open for read-only access")
        if self.isolation == "READ ONLY":
            raise OracleError(1456, "may not perform insert, delete, update operation inside a READ ONLY transaction")

    def begin(self) -> Transaction:
        """The open transaction; given its number now if there was none."""
        if self.transaction is None:
            self.transaction = self.database.registry.begin(self.session_id)
        return self.transaction

    def ping(self) -> None:
        """See `door.Session.ping`."""
        with self.call(None):
            pass

    def commit(self) -> None:
        """See `door.Session.commit`."""
        with self.call("COMMIT"):
            transaction = self.transaction
            if transaction is not None:
                with self.database.engine.cursor() as cursor:
                    self._empty_temporary_tables(cursor, transaction)
                    if transaction.statement:
                        self.database.commit(cursor, transaction)
                    else:
                        self.database.registry.ended(transaction)
            self._end_transaction()

    def rollback(self) -> None:
        """See `door.Session.rollback`."""
        with self.call("ROLLBACK"):
            self.undo(0)
            if self.transaction is not None:
                self.database.registry.ended(self.transaction)
            self._end_transaction()

    def set_isolation(self, isolation: Isolation) -> None:
        """The isolation of the transaction that begins now; a SERIALIZABLE or READ ONLY one keeps this moment's snapshot."""
        registry = self.database.registry
        with registry.lock:
            self.isolation = isolation
            if isolation == "READ COMMITTED":
                self.snapshot_scn = None
                registry.held_snapshots.pop(self.session_id, None)
            else:
                self.snapshot_scn = registry.held_snapshots[self.session_id] = registry.current_scn()

    def _end_transaction(self) -> None:
        self.transaction = None
        self.savepoints.clear()
        self.transaction_name = None
        self.locked_explicitly = False
        self.set_isolation(self.default_isolation)
        self.database.locks.release(self.session_id)

    def set_savepoint(self, name: str) -> None:
        """SAVEPOINT; one of the same name moves."""
        self.savepoints = [kept for kept in self.savepoints if kept.name != name]
        statement = self.transaction.statement if self.transaction is not None else 0
        self.savepoints.append(Savepoint(name, statement, self.database.locks.mark(self.session_id)))

    def rollback_to(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT; ORA-01086 for an unknown one. Later savepoints are forgotten, later locks released."""
        position = next((n for n, kept in enumerate(self.savepoints) if kept.name == name), None)
        if position is None:
            raise OracleError(1086, f"savepoint '{name}' never established in this session or is invalid")
        self.undo(self.savepoints[position].statement)
        self.database.locks.release_after(self.session_id, self.savepoints[position].locks)
        del self.savepoints[position + 1 :]

    def undo(self, after_statement: int) -> None:
        """Take back what the transaction did after its n-th statement."""
        transaction = self.transaction
        if transaction is None or transaction.statement <= after_statement:
            return
        database = self.database
        with database.engine.write_lock, database.engine.cursor() as cursor, duckdb_transaction(cursor):
            for object_id in transaction.tables:
                table = database.catalog.objects.get(object_id)
                if isinstance(table, Table):
                    engine_versions.undo(cursor, table, transaction, after_statement)

    def _empty_temporary_tables(self, cursor: Connection, transaction: Transaction) -> None:
        """COMMIT takes the rows of ON COMMIT DELETE ROWS tables with it."""
        tables = [self.database.catalog.objects.get(object_id) for object_id in transaction.tables]
        for table in tables:
            if isinstance(table, Table) and table.temporary == "DELETE":
                with self.database.engine.write_lock, duckdb_transaction(cursor):
                    run(cursor, f"DELETE FROM {table.physical} WHERE sx = {self.session_id}")

    # settings

    def set_current_schema(self, schema: str) -> None:
        """See `door.Session.set_current_schema`."""
        if schema not in self.database.catalog.users:
            raise OracleError(1435, "user does not exist")
        self.current_schema = schema

    def set_client_info(self, info: dict[str, str]) -> None:
        """See `door.Session.set_client_info`."""
        self.client_info.update(info)

    @property
    def has_char_semantics(self) -> bool:
        """Whether VARCHAR2(n) means n characters (NLS_LENGTH_SEMANTICS)."""
        return self.parameters.get("NLS_LENGTH_SEMANTICS") == "CHAR"

    def set_nls(self, **changes: str) -> None:
        """Change formats or the zone."""
        self.nls = replace(self.nls, **changes)

    def note_traffic(self, *, bytes_sent: int, bytes_received: int, round_trips: int) -> None:
        """See `door.Session.note_traffic`."""
        self.statistics[BYTES_SENT] = bytes_sent
        self.statistics[BYTES_RECEIVED] = bytes_received
        self.statistics[ROUND_TRIPS] = round_trips

    # direct path

    def direct_path_prepare(self, schema: str, table: str, columns: Sequence[str]) -> DirectPathTable:
        """See `door.Session.direct_path_prepare`."""
        with self.call("direct path load"):
            return self._loads.prepare(schema, table, columns)

    def direct_path_write(self, table: DirectPathTable, batch: pa.RecordBatch) -> None:
        """See `door.Session.direct_path_write`."""
        with self.call("direct path load"):
            self._loads.write(table, batch)

    def direct_path_finish(self, table: DirectPathTable) -> int:
        """See `door.Session.direct_path_finish`."""
        with self.call("direct path load"):
            return self._loads.finish(table)

    def direct_path_abort(self, table: DirectPathTable) -> None:
        """See `door.Session.direct_path_abort`."""
        with self.call("direct path load"):
            self._loads.abort(table)

    def close(self) -> None:
        """See `door.Session.close`."""
        self.interrupt()
        with self._calls:
            self.resume()
            if self._closed:
                return
            self._loads.close()
            for stream in list(self._streams):
                stream.close()
            self.rollback()
            self._closed = True
            self._drop_private_rows()
            self.database.forget_session(self)

    def _drop_private_rows(self) -> None:
        database = self.database
        private = [table for table in database.catalog.tables() if table.temporary is not None]
        if private:
            with database.engine.write_lock, database.engine.cursor() as cursor, duckdb_transaction(cursor):
                for table in private:
                    run(cursor, f"DELETE FROM {table.physical} WHERE sx = {self.session_id}")


def _not_logged_on() -> OracleError:
    return OracleError(1012, "not logged on", fatal=True)

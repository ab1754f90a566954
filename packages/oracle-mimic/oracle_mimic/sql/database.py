"""The database behind a server: opens the file, holds the dictionary, the transactions, the locks and the sessions.

`open_database` is the only way in. Everything is in one process; every method may be called from any thread.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from oracle_mimic.door import StatementInfo, Verifier
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import dictionary, engine_versions, expressions, inspect
from oracle_mimic.sql.accounts import DEFAULT_PROFILE, Accounts, default_profile, with_password
from oracle_mimic.sql.catalog import Catalog, Role, RoleGrant, SystemGrant, Table, User
from oracle_mimic.sql.engine import Connection, Engine, duckdb_transaction, run
from oracle_mimic.sql.engine_storage import Storage
from oracle_mimic.sql.locks import LockTable
from oracle_mimic.sql.modifications import Modifications
from oracle_mimic.sql.parallel_execute import ParallelExecute
from oracle_mimic.sql.privileges import ROLE_PRIVILEGES, Privileges
from oracle_mimic.sql.relations import VirtualRelations
from oracle_mimic.sql.scn import Clock
from oracle_mimic.sql.session import Session
from oracle_mimic.sql.transactions import Transaction, TransactionRegistry

logger = logging.getLogger(__name__)

NEW_USER_GRANTS = ("CREATE SESSION", "CREATE TABLE", "CREATE VIEW", "CREATE SEQUENCE", "CREATE SYNONYM", "UNLIMITED TABLESPACE")
_FIRST_USER_ID = 100
_PURGE_INTERVAL_SECONDS = 10.0


class Database:
    """See `door.Database`; made by `open_database`.

    catalog: the current dictionary, replaced as a whole by DDL. standby_lag_seconds: None on a primary; on a standby, how far it is
    behind. kill_point: called with a name at the moments a test may want to die at. full_tables: object ids whose next write finds
    no space (ORA-01653), None in it = every table.
    """

    version = (19, 3, 0, 0, 0)

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        *,
        clock: Clock,
        retention_seconds: float,
        services: Sequence[str],
        sids: Sequence[str],
        session_limit: int,
        standby_lag_seconds: float | None,
    ) -> None:
        self.engine = engine
        self.storage = storage
        self.clock = clock
        self.services: tuple[str, ...] = tuple(services)
        self.sids: tuple[str, ...] = tuple(sids)
        self.instance_name: str = self.sids[0]
        self.db_name: str = self.sids[0]
        self.session_limit = session_limit
        self.standby_lag_seconds = standby_lag_seconds
        catalog, log, next_number = storage.load()
        self.registry = TransactionRegistry(clock, log, next_number, retention_seconds)
        engine.install(partial(expressions.define, definition=expressions.scn_function(self._moment_of_scn)))
        self.locks = LockTable(clock.now)
        self.modifications = Modifications()
        self.accounts = Accounts(self)
        self.parallel_execute = ParallelExecute()
        self.virtual = VirtualRelations()
        dictionary.install(self.virtual)
        self.catalog: Catalog = catalog or Catalog()
        self.catalog.profiles.setdefault(DEFAULT_PROFILE, default_profile())  # a file of before profiles has none
        self.started_at = clock.now()
        self.sessions: dict[int, Session] = {}
        self.kill_point: Callable[[str], None] = lambda name: None
        self.full_tables: set[int | None] = set()
        self.ddl_lock = threading.RLock()
        self.sequence_lock = threading.RLock()  # held from NEXTVAL until the session knows its CURRVAL
        self._commit_lock = threading.Lock()
        self._session_lock = threading.Lock()
        self._serials = itertools.count(1001)
        self._ordinals: dict[int, int] = {}
        self._ended: set[int] = {table.object_id for table in self.catalog.tables()}  # tables that may have ended versions
        self._closing = threading.Event()
        self._purger = threading.Thread(target=self._purge_forever, name="oracle-mimic-purge", daemon=True)
        self._purger.start()
        if catalog is None:
            with self.change_catalog() as (_, new):
                _found(new, clock.now())

    @property
    def standby(self) -> bool:
        """Read-only, some seconds behind, blind for open transactions."""
        return self.standby_lag_seconds is not None

    # the door

    def inspect(self, sql: str) -> StatementInfo:
        """See `door.Database.inspect`."""
        return inspect.inspect(sql)

    def verifier(self, user: str) -> Verifier | None:
        """See `door.Database.verifier`."""
        found = self.catalog.users.get(user)
        if found is None or found.salt is None or found.key is None:
            return None
        return Verifier(bytes.fromhex(found.salt), bytes.fromhex(found.key))

    def check_account(self, user: str) -> None:
        """See `door.Database.check_account`."""
        found = self.catalog.users.get(user)
        if found is None:
            raise OracleError(1017, "invalid username/password; logon denied")
        self.accounts.admit(user)
        if not Privileges(self.catalog, user).has_system("CREATE SESSION"):
            raise OracleError(1045, f"user {user} lacks CREATE SESSION privilege; logon denied")
        if len(self.sessions) >= self.session_limit:
            raise OracleError(18, "maximum number of sessions exceeded")

    def logon_failed(self, user: str) -> None:
        """See `door.Database.logon_failed`."""
        self.accounts.failed(user)

    def change_password(self, user: str, password: str) -> None:
        """See `door.Database.change_password`."""
        self.accounts.set_password(user, password)

    def open_session(self, user: str, attributes: dict[str, str]) -> Session:
        """See `door.Database.open_session`."""
        with self._session_lock:
            self.check_account(user)
            session_id = next(number for number in itertools.count(20) if number not in self.sessions)
            session = Session(self, user, session_id, next(self._serials), dict(attributes))
            self.sessions[session_id] = session
            return session

    def forget_session(self, session: Session) -> None:
        """Called by a session that closes."""
        with self._session_lock:
            self.sessions.pop(session.session_id, None)

    def kill_session(self, by: Session, session_id: int, serial_number: int) -> None:
        """ALTER SYSTEM KILL SESSION: roll it back and close it; its next call is ORA-00028. ORA-00030, ORA-00027."""
        found = self.sessions.get(session_id)
        if found is None or found.serial_number != serial_number:
            raise OracleError(30, "User session ID does not exist.")
        if found is by:
            raise OracleError(27, "cannot kill current session")
        found.killed = True
        found.close()

    def close(self) -> None:
        """Roll every session back, stop the purger, close the file."""
        self._closing.set()
        for session in list(self.sessions.values()):
            session.close()
        self._purger.join()
        self.engine.close()

    # transactions

    def commit(self, cursor: Connection, transaction: Transaction) -> None:
        """Store a transaction's commit and make it visible. Killed before the store it never happened, after it it did."""
        registry = self.registry
        self.kill_point("commit:before")
        with self._commit_lock:
            with registry.lock:
                moment = self.clock.now()
                scn = registry.log.reserve()
            try:
                with duckdb_transaction(cursor):
                    self.storage.write_commit(cursor, transaction.number, scn, moment)
            except BaseException:
                with registry.lock:
                    registry.log.unreserve()
                raise
            self.kill_point("commit:stored")
            registry.committed(transaction, scn, moment)
        self.kill_point("commit:after")

    @contextmanager
    def change_catalog(self, prepare: Callable[[Catalog], None] | None = None) -> Iterator[tuple[Connection, Catalog]]:
        """DDL: one DuckDB transaction for the physical change and the dictionary; the new catalog is swapped in when it is stored.

        prepare: long work on the copy of the catalog, done while others may still write and commit, but not change the catalog.
        Yields the cursor of that transaction and the copy to change.
        """
        with self.ddl_lock:
            new = self.catalog.copy()
            if prepare is not None:
                prepare(new)
            with self.engine.write_lock, self.engine.cursor() as cursor, self._commit_lock:
                with self.registry.lock:
                    moment = self.clock.now()
                    scn = self.registry.log.reserve()
                try:
                    with duckdb_transaction(cursor):
                        yield cursor, new
                        self.kill_point("ddl:applied")
                        self.storage.write_catalog(cursor, self.catalog, new, scn)
                except BaseException:
                    with self.registry.lock:
                        self.registry.log.unreserve()
                    raise
                with self.registry.lock:
                    self.registry.log.append(scn, moment, 0)
                    self.catalog = new

    def reserved_scn(self) -> int:
        """Within `change_catalog`: the SCN at which the change will be seen."""
        return self.registry.log.current + 1

    # rows

    def ordinals(self, cursor: Connection, table: Table) -> int:
        """The number of the next row of a table (under the write lock)."""
        found = self._ordinals.get(table.data_object_id)
        return engine_versions.next_ordinal(cursor, table) if found is None else found

    def use_ordinals(self, table: Table, up_to: int) -> None:
        """Numbers below are given out."""
        self._ordinals[table.data_object_id] = up_to

    def has_private_rows(self, cursor: Connection, table: Table) -> bool:
        """Whether sessions have rows in a temporary table."""
        return bool(run(cursor, f"SELECT 1 FROM {table.physical} LIMIT 1"))

    def note_ended(self, object_id: int) -> None:
        """A table has versions to purge some day."""
        self._ended.add(object_id)

    def _moment_of_scn(self, scn: int) -> int:
        """Microseconds since 1970; ORA-08181 for an SCN that the log does not hold."""
        with self.registry.lock:
            self.registry.current_scn()
            return int(self.registry.log.moment_of(scn).timestamp() * 1_000_000)

    def check_space(self, table: Table) -> None:
        """ORA-01653 when a test has filled the disk."""
        if table.object_id in self.full_tables or None in self.full_tables:
            text = f"unable to extend table {table.owner}.{table.name} by 128 in tablespace USERS"
            raise OracleError(1653, text)

    def check_segment_space(self) -> None:
        """ORA-01652 when a test has filled the disk: a table or index that is made of rows begins as a temporary segment."""
        if None in self.full_tables:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace USERS")

    def purge(self) -> int:
        """Delete versions that ended before the retention; how many. Runs by itself every few seconds."""
        registry = self.registry
        purged = 0
        with registry.lock:
            horizon = min([registry.horizon(), *registry.held_snapshots.values()])
            low = min([registry.next_number, *registry.open]) - 1
            registry.purged_scn = max(registry.purged_scn, horizon)
            commits_to_trim = registry.log.has_commit_before(horizon)
            snapshot = registry.view(horizon)
        for object_id in list(self._ended):
            with self.engine.write_lock, self.engine.cursor() as cursor:
                table = self.catalog.objects.get(object_id)
                if not isinstance(table, Table):
                    self._ended.discard(object_id)
                    continue
                with duckdb_transaction(cursor):
                    purged += engine_versions.purge(cursor, table, snapshot)
                if not engine_versions.has_ended(cursor, table):
                    self._ended.discard(object_id)
        if commits_to_trim:
            with self.engine.write_lock, self.engine.cursor() as cursor, duckdb_transaction(cursor):
                self.storage.trim_commits(cursor, low, horizon)
        with registry.lock:
            registry.log.trim(horizon)
        return purged

    def _purge_forever(self) -> None:
        while not self._closing.wait(_PURGE_INTERVAL_SECONDS):
            try:
                self.purge()
            except OracleError as error:
                logger.warning("purge put off: %s", error)


def _found(catalog: Catalog, moment: datetime) -> None:
    """What a new database has: SYS, SYSTEM and the roles."""
    created = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    for name, user_id in (("SYS", 0), ("SYSTEM", 9)):
        catalog.users[name] = User(name, user_id, created, default_tablespace="SYSTEM", oracle_maintained=True)
    for number, (role, privileges) in enumerate(ROLE_PRIVILEGES.items(), start=2):
        catalog.roles[role] = Role(role, number, oracle_maintained=True)
        for privilege in privileges:
            catalog.system_grants[role, privilege] = SystemGrant(role, privilege, admin=role == "DBA")
    for name in ("SYS", "SYSTEM"):
        catalog.role_grants[name, "DBA"] = RoleGrant(name, "DBA", admin=True)
    catalog.role_grants["DBA", "SELECT_CATALOG_ROLE"] = RoleGrant("DBA", "SELECT_CATALOG_ROLE", admin=True)


def open_database(
    path: str | None = None,
    *,
    users: Mapping[str, str] | None = None,
    dba: Collection[str] = (),
    services: Sequence[str] = ("FREEPDB1",),
    sids: Sequence[str] = ("FREE",),
    undo_retention_seconds: float = 900.0,
    clock: Clock | None = None,
    time_zone: str = "UTC",
    standby_lag_seconds: float | None = None,
    session_limit: int = 200,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Database:
    """Open or create a database.

    Args:
        path: the DuckDB file; None keeps everything in memory.
        users: name -> password; created with the rights to own tables when they do not exist (names as stored: upper case).
        dba: those of them that get the role DBA.
        services, sids: what clients may ask for; the first SID names instance and database.
        undo_retention_seconds: how far AS OF reaches back (ORA-01555 beyond).
        clock: the server's clock, else a running one in `time_zone` (an offset or a region name).
        standby_lag_seconds: play a read-only standby that is so far behind.
        session_limit: ORA-00018 beyond.
        threads, memory_limit: DuckDB's settings.
    """
    engine = Engine(path, prepare=expressions.register, threads=threads, memory_limit=memory_limit)
    clock = clock or Clock(time_zone=time_zone)
    clock.utc_offset(clock.now())  # ORA-01882 before anything is opened
    database = Database(
        engine,
        Storage(engine),
        clock=clock,
        retention_seconds=undo_retention_seconds,
        services=services,
        sids=sids,
        session_limit=session_limit,
        standby_lag_seconds=standby_lag_seconds,
    )
    _add_users(database, dict(users or {}), dba)
    return database


def _add_users(database: Database, users: Mapping[str, str], dba: Collection[str]) -> None:
    catalog = database.catalog
    new = [name for name in users if name not in catalog.users or catalog.users[name].key is None]
    promoted = [name for name in dba if (name, "DBA") not in catalog.role_grants]
    if not new and not promoted:
        return
    with database.change_catalog() as (_, changed):
        for name in new:
            known = changed.users.get(name) or User(name, next_user_id(changed), utc_seconds(database.clock.now()))
            changed.users[name] = with_password(known, users[name], utc_seconds(database.clock.now()))
            for privilege in NEW_USER_GRANTS:
                changed.system_grants[name, privilege] = SystemGrant(name, privilege)
        for name in promoted:
            changed.role_grants[name, "DBA"] = RoleGrant(name, "DBA")


def next_user_id(catalog: Catalog) -> int:
    """A user id that no user has."""
    return max([_FIRST_USER_ID, *(user.user_id for user in catalog.users.values())]) + 1


def utc_seconds(moment: datetime) -> datetime:
    """A moment as the dictionary keeps it: UTC, naive, whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


__all__ = ["Database", "open_database"]

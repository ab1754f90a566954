"""No interleaving of transactions loses a row: after each run, what has left so far is what its SELECT could see.

Random histories of three sessions against a server whose clock the test moves, also across the hour that New York has twice.
"""

import io
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import oracledb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tap_oracle_wms.messages import MessageWriter
from tap_oracle_wms.tap import TapOracleWms

pytestmark = [pytest.mark.mimic_only, pytest.mark.skipif("ORACLE_TEST_DSN" in os.environ, reason="needs a server whose clock can be moved")]

PASSWORD = "Tester_1234"
BEFORE_THE_REPEATED_HOUR = datetime(2026, 11, 1, 5, 20, tzinfo=UTC)  # 01:20 in New York; at 06:00 UTC it is 01:00 again
SESSIONS = 3
CASES = {
    # server's zone, type of the key, what sets it, the setting for it, horizon, skew in seconds
    "timestamp by locks": ("UTC", "TIMESTAMP(6)", "SYSTIMESTAMP", "UTC", "locks", 0),
    "date by locks": ("UTC", "DATE", "SYSDATE", "UTC", "locks", 0),
    "date by transactions": ("UTC", "DATE", "SYSDATE", "UTC", "transactions", 0),
    "rounded timestamp, New York": ("America/New_York", "TIMESTAMP(0)", "SYSTIMESTAMP", "America/New_York", "locks", 0),
    "date, New York, by its offset": ("America/New_York", "DATE", "SYSDATE", "server", "locks", 0),
    "date, New York, by transactions": ("America/New_York", "DATE", "SYSDATE", "America/New_York", "transactions", 0),
    "key of the application": ("UTC", "TIMESTAMP(6)", "application", "UTC", "locks", 600),
}
actions = st.one_of(
    st.tuples(st.just("change"), st.integers(0, SESSIONS - 1), st.integers(0, 5)),  # waits when another session holds the row
    st.tuples(st.just("commit"), st.integers(0, SESSIONS - 1)),
    st.tuples(st.just("rollback"), st.integers(0, SESSIONS - 1)),
    st.tuples(st.just("wait"), st.sampled_from([0.3, 1, 59, 600, 1800])),
    st.tuples(st.just("stuck"), st.just(0)),
    st.tuples(st.just("run"), st.just(0)),
)
LATE = [("change", 0, 1), ("wait", 59), ("change", 1, 2), ("commit", 1), ("run", 0), ("wait", 1800), ("run", 0), ("commit", 0), ("run", 0)]
TWICE = [
    ("wait", 1800),
    ("change", 0, 1),
    ("run", 0),
    ("wait", 600),
    ("wait", 600),
    ("commit", 0),
    ("change", 1, 2),
    ("commit", 1),
    ("run", 0),
]


# A statement whose time is fixed long before it changes its first row: it waits for a session that then rolls back.
BEFORE_ITS_TRANSACTION = [
    ("change", 0, 1),
    ("change", 1, 1),
    ("wait", 59),
    ("run", 0),
    ("wait", 1800),
    ("rollback", 0),
    ("run", 0),
    ("wait", 59),
    ("run", 0),
]


END = [("commit", session) for session in range(SESSIONS)]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict]:
    """A server for each zone."""
    from oracle_mimic.server import MimicServer

    started = {zone: MimicServer(users={"TESTER": PASSWORD}, dba=["TESTER"], time_zone=zone) for zone in ("UTC", "America/New_York")}
    yield started
    for server in started.values():
        server.stop()


class History:
    """A table, sessions that change it, a tap that reads it, and a copy made of what the tap emitted."""

    def __init__(self, server, case: str, directory) -> None:
        _, self.kind, self.clock, zone, self.horizon, self.skew = CASES[case]
        self.server = server
        server.database.clock.freeze(BEFORE_THE_REPEATED_HOUR)
        self.sessions = [self.connect() for _ in range(SESSIONS + 1)]
        cursor = self.sessions[-1].cursor()
        for table in ("T", "OTHER"):
            if cursor.execute("SELECT COUNT(*) FROM ALL_TABLES WHERE OWNER = 'TESTER' AND TABLE_NAME = :1", [table]).fetchone()[0]:
                cursor.execute(f"DROP TABLE {table} PURGE")
        cursor.execute(f"CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, N NUMBER(10), UPDATED {self.kind} NOT NULL)")
        cursor.execute("CREATE TABLE OTHER (N NUMBER(10))")
        self.sessions[-1].commit()
        self.config = {
            "dsn": server.dsn, "username": "TESTER", "password": PASSWORD, "transfer": "record", "horizon": self.horizon,
            "skew_seconds": self.skew, "slice_seconds": 100_000_000, "run_record_dir": str(directory), "retry_wait_seconds": 0,
            "entities": {"t": {"table": "T", "replication_key": "UPDATED", "replication_key_time_zone": zone}},
        }  # fmt: skip
        self.state: dict = {}
        self.catalog: dict | None = None
        self.copy: dict[int, int] = {}
        self.changes = 0
        self.locked: dict[int, int] = {}
        self.waiting: dict[int, tuple[int, threading.Thread]] = {}

    def connect(self) -> oracledb.Connection:
        return oracledb.connect(user="TESTER", password=PASSWORD, dsn=self.server.dsn)

    def close(self) -> None:
        for number, session in enumerate(self.sessions):
            if number not in self.waiting:
                session.close()
        for number, (_, thread) in self.waiting.items():
            thread.join()
            self.sessions[number].close()

    def change(self, session: int, row: int) -> None:
        """Insert or update a row; in a thread when another open transaction holds it, if that one is not waiting itself."""
        holder = self.locked.get(row, session)
        if session in self.waiting or holder in self.waiting:
            return
        if holder == session:
            self.locked[row] = session
            self._change(session, row)
        elif row not in {waited for waited, _ in self.waiting.values()}:
            thread = threading.Thread(target=self._change, args=(session, row))
            self.waiting[session] = row, thread
            thread.start()
            deadline = time.monotonic() + 20
            with self.connect() as watcher:
                question = "SELECT COUNT(*) FROM GV$LOCK WHERE REQUEST > 0"
                while watcher.cursor().execute(question).fetchone()[0] < len(self.waiting):
                    assert time.monotonic() < deadline, "the session does not wait"

    def _change(self, session: int, row: int) -> None:
        self.changes += 1
        cursor = self.sessions[session].cursor()
        now, binds = self.clock, {}
        if self.clock == "application":  # a value computed well before the statement, within the skew
            now = "TO_TIMESTAMP(:moment,'YYYY-MM-DD HH24:MI:SS.FF6')"
            binds = {"moment": f"{self.server.database.clock.now().replace(tzinfo=None) - timedelta(seconds=500):%Y-%m-%d %H:%M:%S.%f}"}
        number = self.changes
        update = f"UPDATE T SET N = {number}, UPDATED = {now} WHERE ID = {row}"
        cursor.execute(update, binds)
        if cursor.rowcount == 0:
            try:
                cursor.execute(f"INSERT INTO T VALUES ({row}, {number}, {now})", binds)
            except oracledb.IntegrityError:  # it waited for another session's insert of this row, which was then committed
                cursor.execute(update, binds)

    def end(self, session: int, *, commit: bool) -> None:
        if session in self.waiting:
            return
        if commit:
            self.sessions[session].commit()
        else:
            self.sessions[session].rollback()
        released = {row for row, holder in self.locked.items() if holder == session}
        self.locked = {row: holder for row, holder in self.locked.items() if holder != session}
        for waiter, (row, thread) in list(self.waiting.items()):
            if row in released:
                thread.join()
                del self.waiting[waiter]
                self.locked[row] = waiter

    def run(self) -> None:
        """A run of the tap; then the copy must equal the table as everyone sees it."""
        output = io.BytesIO()
        tap = TapOracleWms(config=self.config, state=self.state, catalog=self.catalog, message_writer=MessageWriter(output))
        self.catalog = self.catalog or tap.catalog_dict
        tap.sync_all()
        tap.writer.flush()
        tap.close()
        for line in output.getvalue().splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                self.copy[message["record"]["ID"]] = message["record"]["N"]
            elif message["type"] == "STATE":
                self.state = message["value"]
        with self.connect() as reader:
            visible = dict(reader.cursor().execute("SELECT ID, N FROM T").fetchall())
        assert self.copy == visible


def live_through(servers, directory, case: str, history: list[tuple]) -> None:
    """Let a history happen, with a run of the tap before it, at its runs, and after everything has ended."""
    server = servers[CASES[case][0]]
    world = History(server, case, directory)
    try:
        world.run()
        for action, *arguments in [*history, *END, *END, ("run", 0)]:  # the first end lets those go on that wait, the second ends them
            if action == "change":
                world.change(*arguments)
            elif action == "wait":
                server.database.clock.advance(arguments[0])
            elif action == "run":
                world.run()
            elif action == "stuck":
                world.sessions[-1].cursor().execute("INSERT INTO OTHER VALUES (1)")
            else:
                world.end(arguments[0], commit=action == "commit")
    finally:
        world.close()


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(actions, min_size=6, max_size=14))
@example(history=LATE)
@example(history=TWICE)
@example(history=BEFORE_ITS_TRANSACTION)
def test_every_committed_change_arrives_in_every_order(servers, tmp_path_factory, case, history):
    live_through(servers, tmp_path_factory.mktemp("records"), case, history)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(actions, min_size=6, max_size=40))
def test_every_committed_change_arrives_in_very_many_orders(servers, tmp_path_factory, case, history):
    live_through(servers, tmp_path_factory.mktemp("records"), case, history)

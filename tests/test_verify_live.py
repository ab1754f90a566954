"""verify beside a working warehouse: transactions and syncs come between any two of its statements, and only what is wrong is found.

Tap, target and verify run in this process, on a mimic of their own. Each history is drawn: what happens, and before which statement.
"""

import io
import json
import uuid
from collections import deque
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import oracledb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from oracle_connection.parameters import ConnectionParameters
from oracle_mimic.server import MimicServer
from tap_oracle_wms.messages import MessageWriter
from tap_oracle_wms.tap import TapOracleWms
from target_oracle.target import TargetOracle
from wms_ops.verify.comparing import Comparison
from wms_ops.verify.database import Database
from wms_ops.verify.entity import Entity, Stream
from wms_ops.verify.ledger import Ledger
from wms_ops.verify.verification import Options, Verification, to_json

from demo.grants import grant_views

pytestmark = [pytest.mark.mimic_only, pytest.mark.timeout(1200)]

USERS = {"WMS": "Wms_1234", "ANALYTICS": "Analytics_1234", "SYSTEM": "System_1234"}
ROWS = 24
PLANTED = {3: "digit", 11: "lost", 19: "silent"}
SESSIONS = 2
BUSY = [key for key in range(1, ROWS + 1) if key not in PLANTED]
NOW = "SYS_EXTRACT_UTC(SYSTIMESTAMP)"

steps = st.one_of(
    st.tuples(st.just("change"), st.integers(0, SESSIONS - 1), st.sampled_from(BUSY)),
    st.tuples(st.just("insert"), st.integers(0, SESSIONS - 1), st.just(0)),
    st.tuples(st.just("commit"), st.integers(0, SESSIONS - 1), st.just(0)),
    st.tuples(st.just("rollback"), st.integers(0, SESSIONS - 1), st.just(0)),
    st.tuples(st.just("sync"), st.just(0), st.just(0)),
)
histories = st.lists(st.tuples(st.integers(0, 6), steps), max_size=14)
BETWEEN = [
    (0, ("change", 0, 5)),
    (1, ("commit", 0, 0)),
    (0, ("sync", 0, 0)),
    (1, ("change", 1, 6)),
    (1, ("commit", 1, 0)),
    (1, ("sync", 0, 0)),
]
LATE = [
    (0, ("change", 0, 5)),
    (0, ("change", 1, 6)),
    (0, ("commit", 1, 0)),
    (0, ("sync", 0, 0)),
    (2, ("commit", 0, 0)),
    (1, ("sync", 0, 0)),
]


@dataclass
class World:
    """Both databases, the sync between them, and two sessions that work in the source."""

    server: Any
    table: str
    home: Any
    flashback: bool
    state: dict[str, Any] = field(default_factory=dict)
    catalog: dict[str, Any] | None = None
    sessions: list[oracledb.Connection] = field(default_factory=list)
    inserted: int = 1000

    @property
    def stream(self) -> str:
        return self.table.lower()

    def connect(self, user: str) -> oracledb.Connection:
        return oracledb.connect(user=user, password=USERS[user], dsn=self.server.dsn)

    def run(self, user: str, *statements: str) -> None:
        with self.connect(user) as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()

    def config(self, user: str) -> dict[str, Any]:
        return {"dsn": self.server.dsn, "username": user, "password": USERS[user], "run_record_dir": str(self.home / "records")}

    def sync(self) -> None:
        """Tap and target, and the state as Meltano would keep it: what the target let through."""
        sent = io.BytesIO()
        entities = {self.stream: {"table": self.table, "replication_key": "LAST_UPDATED"}}
        own = {
            "entities": entities,
            "transfer": "batch",
            "staging_directory": str(self.home / "staging"),
            "skew_seconds": 0,
            "horizon": "locks",
        }
        config = {**self.config("WMS"), **own, "schema": "WMS", "run_id": str(uuid.uuid4())}
        tap = TapOracleWms(
            config=config, catalog=self.catalog, state=json.loads(json.dumps(self.state)), message_writer=MessageWriter(sent)
        )
        self.catalog = self.catalog or json.loads(json.dumps(tap.catalog_dict))
        try:
            tap.sync_all()
        finally:
            tap.writer.flush()
            tap.close()
        let_through = io.StringIO()
        with redirect_stdout(let_through):
            TargetOracle(config=self.config("ANALYTICS")).listen(io.StringIO(sent.getvalue().decode()))
        for line in let_through.getvalue().splitlines():
            self.state = json.loads(line)

    def bookmark(self) -> str:
        return self.state["bookmarks"][self.stream]["replication_key_value"]

    def take(self, step: tuple[str, int, int]) -> None:
        """One step of the history."""
        action, session, key = step
        if action == "sync":
            self.sync()
        elif action == "change":
            text = f"UPDATE {self.table} SET NAME = NAME || '!', LAST_UPDATED = {NOW} WHERE ID = :1"
            held = f"SELECT ID FROM {self.table} WHERE ID = :1 FOR UPDATE SKIP LOCKED"
            if not self.sessions[session].cursor().execute(held, [key]).fetchall():
                return  # the other session has the row
            self.sessions[session].cursor().execute(text, [key])
        elif action == "insert":
            self.inserted += 1
            self.sessions[session].cursor().execute(f"INSERT INTO {self.table} VALUES (:1, 1.5, 'new', {NOW})", [self.inserted])
        elif action == "commit":
            self.sessions[session].commit()
        else:
            self.sessions[session].rollback()

    def verify(self, history: list[tuple[int, tuple[str, int, int]]]) -> dict[str, Any]:
        """Verify, while the history happens: each step so many statements after the one before it."""
        waiting = deque(history)
        gap = waiting[0][0] if waiting else 0

        def between(text: str) -> None:
            nonlocal gap
            while waiting and gap == 0:
                self.take(waiting.popleft()[1])
                gap = waiting[0][0] if waiting else 0
            gap -= 1

        sides = []
        for name, user in (("source", "WMS"), ("target", "ANALYTICS")):
            parameters = ConnectionParameters(username=user, password=USERS[user], dsn=self.server.dsn)
            sides.append(Database(name, parameters, user, before=between))
        columns = ("ID", "QUANTITY", "NAME", "LAST_UPDATED")
        entity = Entity.look_up(Stream(self.stream, "WMS", self.table, ("ID",), "LAST_UPDATED", columns), *sides, self.table)
        comparison = Comparison(entity, self.bookmark, leaf_rows=4)
        if not self.flashback:
            comparison._flashback = {"source": False, "target": False}
        verification = Verification(comparison, Ledger(sides[1], self.table, self.stream, str(uuid.uuid4())), Options(range_rows=8))
        verification.run()
        for side in sides:
            side.close()
        return to_json(verification, self.stream)


@pytest.fixture(scope="module")
def server():
    with MimicServer(users=USERS, dba=["SYSTEM"]) as made:
        with oracledb.connect(user="SYSTEM", password=USERS["SYSTEM"], dsn=made.dsn) as dba:
            grant_views(dba, "WMS")
            dba.cursor().execute("GRANT SELECT ON SYS.V_$DATABASE TO ANALYTICS")
        yield made


def beside_activity(server, home, history, *, flashback: bool) -> None:
    """Plant drift, work and verify; what is found is what was planted."""
    world = World(server, f"L{uuid.uuid4().hex[:8].upper()}", home, flashback)
    world.run(
        "WMS",
        f"CREATE TABLE {world.table} (ID NUMBER(9) PRIMARY KEY, QUANTITY NUMBER(9,4), NAME VARCHAR2(80), LAST_UPDATED TIMESTAMP(6))",
        f"INSERT INTO {world.table} SELECT LEVEL, LEVEL / 8, 'row ' || LEVEL, {NOW} - 1 / 24 FROM DUAL CONNECT BY LEVEL <= {ROWS}",
    )
    world.sync()
    world.sync()
    world.run("ANALYTICS", f"UPDATE {world.table} SET QUANTITY = 0.0001 WHERE ID = 3", f"DELETE FROM {world.table} WHERE ID = 11")
    world.run("WMS", f"UPDATE {world.table} SET NAME = 'silent' WHERE ID = 19")
    world.sessions = [world.connect("WMS") for _ in range(SESSIONS)]
    try:
        found = world.verify(history)
    finally:
        for session in world.sessions:
            session.rollback()
            session.close()
    assert sorted((each["kind"], *each["key"], *each["columns"]) for each in found["rows_found"]) == [
        ("different", "19", "NAME"), ("different", "3", "QUANTITY"), ("missing_in_target", "11"),
    ]  # fmt: skip
    world.run("WMS", f"DROP TABLE {world.table} PURGE")
    world.run("ANALYTICS", f"DROP TABLE {world.table} PURGE")


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(histories, st.booleans())
@example(BETWEEN, False)
@example(LATE, True)
def test_work_and_syncs_in_between_raise_no_false_alarm(server, tmp_path, history, flashback):
    beside_activity(server, tmp_path, history, flashback=flashback)


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(histories, st.booleans())
def test_many_histories_raise_no_false_alarm(server, tmp_path, history, flashback):
    beside_activity(server, tmp_path, history, flashback=flashback)

"""Faults on demand, through the Python object and the control connection. Mimic only."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest
from echo_database import EchoDatabase
from oracle_mimic.control import ControlClient
from oracle_mimic.faults import Fault, Faults
from oracle_mimic.server import MimicServer
from server_process import ServerProcess

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", "Wms_1234"


@pytest.fixture(scope="module")
def database() -> EchoDatabase:
    return EchoDatabase({USER: PASSWORD, "OTHER": PASSWORD})


@pytest.fixture(scope="module")
def server(database: EchoDatabase) -> Iterator[MimicServer]:
    with MimicServer(database, control_port=0) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults_left(server: MimicServer) -> Iterator[None]:
    yield
    server.faults.clear()


def connect(server: MimicServer, user: str = USER) -> oracledb.Connection:
    return oracledb.connect(user=user, password=PASSWORD, dsn=server.dsn)


def execute(connection: oracledb.Connection, sql: str = "INSERT INTO T VALUES (1)") -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_refused_connections(server: MimicServer) -> None:
    number = server.faults.arm("refuse", "connect", times=2)
    for _ in range(2):
        with pytest.raises(oracledb.Error, match="DPY-6005"):
            connect(server)
    connect(server).close()
    assert server.faults.disarm(number) == 2


def test_refused_with_the_listeners_code(server: MimicServer) -> None:
    server.faults.arm("refuse", "connect", code=12528)
    with pytest.raises(oracledb.Error, match="12528"):
        connect(server)


def test_retry_count_outlasts_refused_connections(server: MimicServer) -> None:
    server.faults.arm("refuse", "connect", times=2)
    oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn, retry_count=3, retry_delay=0).close()


@pytest.mark.parametrize(("point", "executed"), [("before_call", 1), ("after_call", 2)])
def test_dropped_before_and_after_the_nth_call(server: MimicServer, database: EchoDatabase, point: str, executed: int) -> None:
    connection = connect(server)
    database.executed.clear()
    session = database.sessions[-1]
    server.faults.arm("drop", point, user=USER, call=2)
    execute(connection)
    with pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        execute(connection)
    assert session.ended.wait(5)
    assert len(database.executed) == executed


def test_dropped_in_the_middle_of_a_message(server: MimicServer) -> None:
    connection = connect(server)
    server.faults.arm("drop", "mid_message")
    with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        cursor.execute("SELECT ECHO(:1)", ["x" * 3000])


@pytest.mark.parametrize(("point", "commits"), [("before_commit", 0), ("after_commit", 1)])
@pytest.mark.parametrize("how", ["commit()", "autocommit", "direct path"])
def test_dropped_around_a_commit(server: MimicServer, database: EchoDatabase, point: str, commits: int, how: str) -> None:
    from oracle_mimic.types import Column, Kind, OracleType

    database.tables["T"] = ((Column("ID", OracleType(Kind.NUMBER)),), None)  # type: ignore[assignment]
    connection = connect(server)
    session = database.sessions[-1]
    server.faults.arm("drop", point)
    connection.autocommit = how == "autocommit"
    if how == "commit()":
        execute(connection)
    calls = {
        "commit()": connection.commit,
        "autocommit": lambda: execute(connection),
        "direct path": lambda: connection.direct_path_load(USER, "T", ["ID"], [(1,)]),
    }
    with pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        calls[how]()
    assert session.ended.wait(5)
    assert session.commits == commits


def test_an_error_for_the_statement_that_matches(server: MimicServer) -> None:
    with connect(server) as connection:
        server.faults.arm("error", "statement", matching=r"INTO\s+ORDERS", code=1555, text="snapshot too old")
        execute(connection, "INSERT INTO OTHERS VALUES (1)")
        with pytest.raises(oracledb.DatabaseError, match="ORA-01555: snapshot too old"):
            execute(connection, "insert into orders values (1)".upper())
        execute(connection, "INSERT INTO ORDERS VALUES (1)")


def test_a_delay_can_be_cancelled(server: MimicServer) -> None:
    with connect(server) as connection:
        server.faults.arm("delay", "statement", seconds=0.2)
        started = time.monotonic()
        execute(connection)
        assert time.monotonic() - started >= 0.2
        server.faults.arm("delay", "statement", seconds=30)
        connection.call_timeout = 200
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            execute(connection)
        execute(connection)


def test_only_the_named_user_is_hit(server: MimicServer) -> None:
    server.faults.arm("error", "statement", user=USER, code=1653, times=None)
    with connect(server, "OTHER") as other, connect(server) as hit:
        execute(other)
        for _ in range(2):
            with pytest.raises(oracledb.DatabaseError, match="ORA-01653"):
                execute(hit)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "explode", "point": "connect"},
        {"action": "drop", "point": "nowhere"},
        {"action": "drop", "point": "connect"},
        {"action": "refuse", "point": "statement"},
        {"action": "delay", "point": "mid_message"},
        {"action": "error", "point": "statement"},
        {"action": "drop", "point": "commit:stored"},
    ],
)
def test_faults_that_make_no_sense_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"fault|cannot be set|code"):
        Fault(**wrong)


def test_kill_is_what_it_says() -> None:
    killed = []
    faults = Faults(kill=lambda: killed.append(True))
    faults.arm("kill", "commit:stored")
    faults.engine_point("commit:before")
    assert not killed
    faults.engine_point("commit:stored")
    assert killed == [True]


def test_the_control_connection_arms_the_same_faults(server: MimicServer) -> None:
    assert server.control_port is not None
    with ControlClient(server.control_port) as control, connect(server) as connection:
        number = control.arm("error", "statement", code=60, text="deadlock detected")
        with pytest.raises(oracledb.DatabaseError, match="ORA-00060"):
            execute(connection)
        assert control.struck(number) == 1
        control.arm("error", "statement", code=60)
        control.clear()
        execute(connection)
        with pytest.raises(ValueError, match="no fault"):
            control.arm("melt", "statement")
        with pytest.raises(ValueError, match="space"):
            control.disk_full(True)


@pytest.mark.parametrize(("point", "rows"), [("commit:before", 0), ("commit:stored", 1), ("after_commit", 1)])
def test_killed_around_a_commit_only_the_uncommitted_is_lost(tmp_path: Path, point: str, rows: int) -> None:
    file = str(tmp_path / "file.duckdb")
    with ServerProcess(tmp_path, "--database", file) as server, ControlClient(server.control_port) as control:
        connection = server.connect()
        execute(connection, "CREATE TABLE T (ID NUMBER(10))")
        execute(connection)
        control.arm("kill", point)
        with pytest.raises(oracledb.DatabaseError):
            connection.commit()
        assert server.process.wait(10) == -signal.SIGKILL
    with ServerProcess(tmp_path, "--database", file) as server:
        with server.connect() as again, again.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM T")
            assert cursor.fetchone() == (rows,)
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_a_full_disk() -> None:
    with MimicServer(users={USER: PASSWORD}) as real, connect(real) as connection:
        execute(connection, "CREATE TABLE T (ID NUMBER(10))")
        execute(connection)
        connection.commit()
        real.faults.disk_full(True)
        for statement in ("INSERT INTO T VALUES (1)", "INSERT INTO T SELECT ID + 1 FROM T", "UPDATE T SET ID = 2"):
            with pytest.raises(oracledb.DatabaseError, match="ORA-01653"):
                execute(connection, statement)
        with pytest.raises(oracledb.DatabaseError, match="ORA-01653"):
            connection.direct_path_load(USER, "T", ["ID"], [(1,)])
        for statement in ("CREATE TABLE U AS SELECT * FROM T", "CREATE INDEX T_ID ON T (ID)"):
            with pytest.raises(oracledb.DatabaseError, match="ORA-01652"):
                execute(connection, statement)
        execute(connection, "DELETE FROM T")
        execute(connection, "CREATE TABLE V (ID NUMBER(10))")
        real.faults.disk_full(False)
        execute(connection)

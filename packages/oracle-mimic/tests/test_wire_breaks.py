"""cancel(), call_timeout, lost connections, and bytes that are no protocol. Mimic only."""

from __future__ import annotations

import asyncio
import logging
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import oracledb
import pytest
from echo_database import EchoDatabase, EchoSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_mimic.server import MimicServer

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", "Wms_1234"


@pytest.fixture(scope="module")
def database() -> EchoDatabase:
    return EchoDatabase({USER: PASSWORD})


@pytest.fixture(scope="module")
def server(database: EchoDatabase) -> Iterator[MimicServer]:
    with MimicServer(database, wire_options={"message_timeout": 0.7}) as running:
        yield running


@pytest.fixture
def connection(server: MimicServer) -> Iterator[oracledb.Connection]:
    with oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn) as opened:
        yield opened


def assert_usable(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ECHO(:1)", ["usable"])
        assert cursor.fetchall() == [("usable",)]


def test_call_timeout_leaves_the_session_usable(connection: oracledb.Connection) -> None:
    for _ in range(2):
        connection.call_timeout = 500
        with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            cursor.execute("SELECT SLEEP")
        connection.call_timeout = 0
        assert_usable(connection)


def test_cancel_leaves_the_session_usable(connection: oracledb.Connection) -> None:
    for _ in range(3):
        timer = threading.Timer(0.15, connection.cancel)
        timer.start()
        with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            cursor.execute("SELECT SLEEP")
        timer.join()
        assert_usable(connection)


def test_cancel_while_idle_hits_the_next_call_only(connection: oracledb.Connection) -> None:
    connection.cancel()
    with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
        connection.ping()
    assert_usable(connection)


def cancel_when_asleep(session: EchoSession, cancel: Callable[[], None]) -> threading.Thread:
    """Cancel as soon as the database stalls behind the rows that it has sent."""

    def wait_and_cancel() -> None:
        assert session.sleeping.wait(20)
        cancel()

    thread = threading.Thread(target=wait_and_cancel)
    thread.start()
    return thread


def test_breaks_behind_the_rows_of_a_response(connection: oracledb.Connection, database: EchoDatabase) -> None:
    """The rows made so far have been sent when the database stalls."""
    with connection.cursor() as cursor:
        cursor.arraysize = 1_000_000
        for _ in range(2):
            thread = cancel_when_asleep(database.sessions[-1], connection.cancel)
            with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
                cursor.execute("SELECT STREAM THEN SLEEP").fetchall()
            thread.join()
            assert_usable(connection)
        connection.call_timeout = 1500  # long enough for all rows to have arrived, also on a busy machine
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            cursor.execute("SELECT STREAM THEN SLEEP").fetchall()
        connection.call_timeout = 0
        assert_usable(connection)


async def test_breaks_behind_the_rows_of_a_response_with_asyncio(server: MimicServer, database: EchoDatabase) -> None:
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            thread = cancel_when_asleep(database.sessions[-1], lambda: loop.call_soon_threadsafe(connection.cancel))
            with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
                await connection.fetchall("SELECT STREAM THEN SLEEP", arraysize=1_000_000)
            thread.join()
            assert await connection.fetchone("SELECT ECHO(:1)", [1]) == (1,)
        connection.call_timeout = 2500
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            await connection.fetchall("SELECT STREAM THEN SLEEP", arraysize=1_000_000)
        connection.call_timeout = 0
        assert await connection.fetchone("SELECT ECHO(:1)", [1]) == (1,)


def fetch_without_end(connection: oracledb.Connection, arraysize: int) -> None:
    with connection.cursor() as cursor:
        cursor.arraysize = arraysize
        cursor.execute("SELECT STREAM THEN SLEEP").fetchall()


INSTANTS = [0.0, 0.0005, 0.001, *(0.002 * 1.25**step for step in range(20))]  # seconds: before, at and after the first rows, to 0.14


@pytest.mark.parametrize("arraysize", [500, 1_000_000])
def test_cancel_at_any_instant_while_rows_arrive(connection: oracledb.Connection, arraysize: int) -> None:
    for delay in INSTANTS:
        timer = threading.Timer(delay, connection.cancel)
        timer.start()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            fetch_without_end(connection, arraysize)
        timer.join()
        assert_usable(connection)


async def test_cancel_at_any_instant_while_rows_arrive_with_asyncio(server: MimicServer) -> None:
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        for delay in INSTANTS:
            asyncio.get_running_loop().call_later(delay, connection.cancel)
            with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
                await connection.fetchall("SELECT STREAM THEN SLEEP", arraysize=1_000_000)
            assert await connection.fetchone("SELECT ECHO(:1)", [1]) == (1,)


def test_call_timeout_at_any_instant_while_rows_arrive(server: MimicServer, database: EchoDatabase) -> None:
    """The server answers every break, and is in step again after one more call.

    The driver takes the first packet after its break for the answer to it, also one with rows that was on its way: its next call then
    reads the rest of them and fails (DPY-5000 and the like, or the ORA-01013 it had not read). When no answer comes within another
    call_timeout, it closes the connection (DPY-4011).
    """
    connection = oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn)
    for timeout in [1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 60]:
        connection.call_timeout = timeout
        with pytest.raises(oracledb.DatabaseError, match=r"DPY-4024|DPY-4011"):
            fetch_without_end(connection, 1_000_000)
        if not connection.is_healthy():
            assert database.sessions[-1].ended.wait(5)
            connection = oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn)
            continue
        connection.call_timeout = 0
        try:
            connection.ping()
        except oracledb.DatabaseError as error:
            if not re.match("DPY-5|ORA-01013", str(error)):
                raise
        assert_usable(connection)
    connection.close()


@pytest.mark.parametrize("arraysize", [100, 1_000_000])
def test_an_error_behind_rows_that_are_sent(database: EchoDatabase, arraysize: int) -> None:
    with (
        MimicServer(database, wire_options={"open_cursors": 3}) as small,
        oracledb.connect(user=USER, password=PASSWORD, dsn=small.dsn, stmtcachesize=0) as connection,
    ):
        for number in range(8):  # more statements than cursors: those that failed are closed
            with connection.cursor() as cursor:
                cursor.arraysize = arraysize
                cursor.execute(f"SELECT STREAM THEN FAIL /* {number} */")
                with pytest.raises(oracledb.DatabaseError, match="ORA-01722"):
                    cursor.fetchall()
        assert_usable(connection)


async def test_call_timeout_with_asyncio(server: MimicServer) -> None:
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        connection.call_timeout = 1000  # also how long the driver waits for the answer to its break
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            await connection.execute("SELECT SLEEP")
        connection.call_timeout = 0
        assert await connection.fetchone("SELECT ECHO(:1)", [1]) == (1,)


async def test_cancel_with_asyncio(server: MimicServer) -> None:
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        asyncio.get_running_loop().call_later(0.15, connection.cancel)
        with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            await connection.execute("SELECT SLEEP")
        assert await connection.fetchone("SELECT ECHO(:1)", [1]) == (1,)


def test_a_value_the_driver_cannot_send_resets_the_message(connection: oracledb.Connection) -> None:
    """The driver notices it in the middle of a message of which a part is sent: BREAK, RESET, and on."""
    rows: list[tuple[object, ...]] = [("x" * 30_000, 1)] * 10
    with connection.cursor() as cursor:
        cursor.setinputsizes(30_000, oracledb.DB_TYPE_BINARY_DOUBLE)
        with pytest.raises((oracledb.Error, TypeError)):
            cursor.executemany("INSERT INTO T VALUES (:1, :2)", [*rows, ("y", object())])
    assert_usable(connection)


def test_a_lost_client_closes_its_session_and_interrupts_its_statement(server: MimicServer, database: EchoDatabase) -> None:
    connection = oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn)
    session = database.sessions[-1]
    failures: list[str] = []

    def run() -> None:
        try:
            connection.cursor().execute("SELECT SLEEP")
        except oracledb.Error as error:
            failures.append(str(error))

    worker = threading.Thread(target=run)
    worker.start()
    assert session.sleeping.wait(5)
    server.disconnect_all()
    worker.join(5)
    assert session.ended.wait(5)
    assert "DPY-4011" in failures[0]


def test_stopping_the_server_ends_its_connections(database: EchoDatabase) -> None:
    with MimicServer(database) as short:
        connection = oracledb.connect(user=USER, password=PASSWORD, dsn=short.dsn)
        session = database.sessions[-1]
    assert session.closed
    with pytest.raises(oracledb.Error, match=r"DPY-4011|DPY-1001"):
        connection.ping()


def closes_within_a_second(sock: socket.socket) -> bool:
    sock.settimeout(1.0)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


FUZZ = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(data=st.binary(min_size=1, max_size=300))
def test_random_bytes_end_the_connection_within_a_second(server: MimicServer, data: bytes) -> None:
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(data)
        assert closes_within_a_second(sock)


def packet(type_: int, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(2, "big") + b"\0\0" + bytes((type_, 0, 0, 0)) + body


def connected(server: MimicServer) -> socket.socket:
    """A socket over which CONNECT and ACCEPT have gone."""
    text = b"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=FREEPDB1)))"
    head = b"\x01\x3f\x01\x2c\x00\x01" + b"\x20\x00" * 2 + b"\x4f\x98\0\0\0\1" + len(text).to_bytes(2, "big") + (74).to_bytes(2, "big")
    sock = socket.create_connection((server.host, server.port))
    sock.sendall(packet(1, head.ljust(66, b"\0") + text))
    sock.settimeout(2)
    assert sock.recv(1000)[4] == 2
    return sock


def data_packet(body: bytes) -> bytes:
    return (len(body) + 10).to_bytes(4, "big") + bytes((6, 0, 0, 0, 0, 0)) + body


@FUZZ
@given(data=st.binary(min_size=1, max_size=200))
def test_random_messages_before_the_logon_end_the_connection(server: MimicServer, data: bytes) -> None:
    with connected(server) as sock:
        sock.sendall(data_packet(data))
        assert closes_within_a_second(sock)


class Tap:
    """Sits between driver and server, so that a test can put bytes of its own on a wire that is logged on."""

    def __init__(self, server: MimicServer) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._server = (server.host, server.port)
        self.upstream: socket.socket | None = None
        self._taken_over = threading.Event()
        self._detached = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        self._listener.close()
        self.upstream = socket.create_connection(self._server)
        threading.Thread(target=self._copy, args=(client, self.upstream), daemon=True).start()
        while not self._taken_over.is_set():
            if select.select([self.upstream], [], [], 0.02)[0]:
                client.sendall(self.upstream.recv(65536))
        client.shutdown(socket.SHUT_RDWR)  # the driver, when it closes its connection, must not wait for an answer
        client.close()
        self._detached.set()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:  # the test is over
            pass

    def take_over(self) -> socket.socket:
        """From now on what the server sends is left to the test."""
        self._taken_over.set()
        assert self._detached.wait(5)
        assert self.upstream is not None
        return self.upstream


def marker(kind: int) -> bytes:
    return (11).to_bytes(4, "big") + bytes((12, 0, 0, 0, 1, 0, kind))


FUNCTIONS = st.sampled_from([4, 5, 9, 14, 15, 78, 94, 96, 105, 128, 129, 130, 135, 147, 152, 154, 176, 200])
REQUESTS = st.builds(
    lambda kind, function, body: bytes((kind, function, 1)) + body, st.sampled_from([3, 17]), FUNCTIONS, st.binary(max_size=120)
)


@settings(FUZZ, max_examples=40)
@given(request=REQUESTS)
def test_random_requests_after_the_logon_are_answered_or_end_the_connection(server: MimicServer, request: bytes) -> None:
    """After any bytes the server either closes or still answers a reset: BREAK and RESET from us, RESET from it."""
    tap = Tap(server)
    connection = oracledb.connect(user=USER, password=PASSWORD, dsn=f"127.0.0.1:{tap.port}/FREEPDB1")
    with tap.take_over() as wire:
        wire.settimeout(1.0)
        received = b""
        try:
            wire.sendall(data_packet(request) + marker(1) + marker(2))
            while marker(2) not in received:
                piece = wire.recv(65536)
                if not piece:
                    break
                received += piece
        except TimeoutError:
            pytest.fail(f"neither an answer nor an end after {request.hex()}: {received.hex()}")
        except OSError:  # closed while we were sending
            pass
    del connection


def test_a_closed_connection_leaves_its_reason_in_the_log(server: MimicServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "oracle_mimic")
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert closes_within_a_second(sock)
    deadline = time.monotonic() + 2
    while "could not be parsed" not in caplog.text and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert "could not be parsed" in caplog.text

"""What takes longer: many connections, many random messages. Mimic only."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import oracledb
import pytest
from echo_database import EchoDatabase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_mimic.server import MimicServer
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.directpath import read_batch
from oracle_mimic.wire.packets import PeerGoneError
from oracle_mimic.wire.requests import Piggybacks, read_direct_prepare, read_execute, read_lob, read_piggyback

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", "Wms_1234"


@pytest.fixture(scope="module")
def server() -> Iterator[MimicServer]:
    with MimicServer(EchoDatabase({USER: PASSWORD})) as running:
        yield running


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def settles(measure: object, limit: int) -> bool:
    """True when a count falls to its limit within five seconds: the server notices a closed connection a moment later."""
    deadline = time.monotonic() + 5
    while callable(measure) and measure() > limit:
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.long)])
def test_connections_leave_no_threads_and_no_files_behind(server: MimicServer, count: int) -> None:
    oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn).close()
    assert settles(threading.active_count, threading.active_count())
    threads, files = threading.active_count(), open_files()
    for number in range(count):
        connection = oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn)
        with connection.cursor() as cursor:
            cursor.execute("SELECT STREAM THEN FAIL")  # leaves a query open with rows encoded ahead
            cursor.fetchmany(10_000)
        if number % 2:
            connection.close()
        del connection
        with socket.create_connection((server.host, server.port)) as sock:
            sock.sendall(b"\0" * (number % 40 + 1))
    assert settles(threading.active_count, threads)
    assert settles(open_files, files)


EXAMPLES = 300


def cut_reader(data: bytes) -> Reader:
    def nothing_more() -> bytes:
        raise PeerGoneError("the data end here")

    reader = Reader(nothing_more)
    reader.data += data
    return reader


@pytest.mark.long
@settings(max_examples=EXAMPLES * 20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400))
def test_every_parser_gives_a_value_or_a_clean_error(data: bytes) -> None:
    parsers = [read_execute, read_lob, read_direct_prepare]
    parsers += [lambda reader, code=code: read_piggyback(reader, code, Piggybacks()) for code in (105, 152, 135, 96, 154, 176, 7)]
    for parser in parsers:
        try:
            parser(cut_reader(data))
        except (WireError, PeerGoneError):
            pass


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(EXAMPLES * 20, marks=pytest.mark.long)])
def test_direct_path_streams_give_rows_or_a_clean_error(examples: int) -> None:
    from oracle_mimic.types import Column, Kind, OracleType

    columns = [Column("A", OracleType(Kind.NUMBER)), Column("B", OracleType(Kind.VARCHAR2, length=10)), Column("C", OracleType(Kind.CLOB))]
    flags = st.sampled_from([0x3C, 0x0C, 0x08, 0x04, 0x02, 0x01, 0x09, 0x06])
    segment = st.one_of(st.just(b"\xff"), st.binary(max_size=12).map(lambda value: bytes((len(value),)) + value), st.binary(max_size=4))
    piece = st.builds(lambda flag, segments: bytes((flag, len(segments))) + b"".join(segments), flags, st.lists(segment, max_size=4))

    @settings(max_examples=examples, deadline=None)
    @given(st.one_of(st.binary(max_size=60), st.lists(piece, max_size=6).map(b"".join)))
    def check(stream: bytes) -> None:
        try:
            assert read_batch(stream, columns).num_columns == 3
        except WireError:
            pass

    check()

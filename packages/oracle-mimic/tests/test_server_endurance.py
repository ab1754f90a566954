"""A server in its own process under load: bounded memory, nothing left behind, and whole transactions after kill -9. Mimic only."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oracledb
import pytest
from server_process import ServerProcess

pytestmark = pytest.mark.mimic_only
MB = 1024  # kB


def settles(measure: Callable[[], int], limit: int) -> bool:
    """Whether a count falls to its limit within ten seconds."""
    deadline = time.monotonic() + 10
    while measure() > limit:
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


def test_memory_is_bounded_while_rows_stream(tmp_path: Path) -> None:
    """400 MB of rows for a client that reads them, and as many for one that does not."""
    query = "select a.pad || b.pad from pads a cross join pads b where b.id <= 200"
    with ServerProcess(tmp_path) as server, server.connect() as stalled, server.connect() as reading:
        with reading.cursor() as cursor:
            cursor.execute("create table pads (id number(9), pad varchar2(1000))")
            cursor.execute("insert into pads select level, rpad('x', 1000, 'y') from dual connect by level <= 1000")
            reading.commit()
            reading.fetch_df_all(f"{query} and b.id <= 5")
        before = server.status("VmRSS")
        stalled_cursor = stalled.cursor()
        stalled_cursor.arraysize = 5_000
        stalled_cursor.execute(query)
        assert len(stalled_cursor.fetchmany(5_000)) == 5_000
        assert sum(batch.num_rows() for batch in reading.fetch_df_batches(query, size=5_000)) == 200_000
        assert server.status("VmHWM") - before < 400 * MB
        stalled_cursor.close()


def _use(server: ServerProcess, number: int, until: float) -> int:
    """One client that comes and goes until some moment: transfers between accounts, queries, loads, errors; the connections it made."""
    chance = random.Random(number)
    connections = 0
    while time.monotonic() < until:
        connection = server.connect()
        connections += 1
        cursor = connection.cursor()
        for _ in range(chance.randrange(1, 30)):
            if time.monotonic() > until:
                break
            what = chance.randrange(8)
            try:
                if what <= 2:
                    giver, taker = chance.sample(range(1, 101), 2)
                    cursor.execute("update account set money = money - 1 where id = :1", [giver])
                    cursor.execute("update account set money = money + 1 where id = :1", [taker])
                    (connection.rollback if chance.random() < 0.2 else connection.commit)()
                elif what == 3:
                    assert cursor.execute("select count(*), sum(money) from account").fetchone() == (100, 10_000)
                elif what == 4:
                    cursor.execute("select level, rpad('x', 100) from dual connect by level <= 5000")
                    cursor.fetchmany(chance.randrange(1, 3000))
                elif what == 5:
                    cursor.executemany("insert into log_entry values (:1, :2)", [(number, "x" * 50)] * 20)
                    cursor.execute("delete from log_entry where client = :1", [number])
                    connection.commit()
                elif what == 6:
                    with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
                        cursor.execute(f"select {chance.random()} from nothing_here")
                else:
                    connection.createlob(oracledb.DB_TYPE_CLOB, "text" * 1000).read()
            except oracledb.DatabaseError as error:
                if error.args[0].code != 60:  # a deadlock ends a transfer, and nothing else
                    raise
                connection.rollback()
        if chance.random() < 0.5:
            connection.close()
        del cursor, connection  # otherwise the socket is simply gone
    return connections


@pytest.mark.parametrize(("sessions", "seconds"), [(10, 4), pytest.param(50, 300, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_many_sessions_leave_nothing_behind(tmp_path: Path, sessions: int, seconds: int) -> None:
    with ServerProcess(tmp_path, "--dba", "WMS") as server, server.connect() as watching:
        with watching.cursor() as cursor:
            cursor.execute("create table account (id number(5) primary key, money number(10))")
            cursor.execute("insert into account select level, 100 from dual connect by level <= 100")
            cursor.execute("create table log_entry (client number(5), entry varchar2(100))")
            watching.commit()
        threads, files = server.status("Threads"), server.open_files()
        started = time.monotonic()
        with ThreadPoolExecutor(sessions) as pool:
            clients = [pool.submit(_use, server, number, started + seconds) for number in range(sessions)]
            settled = started + seconds / 3
            while time.monotonic() < settled:
                threading.Event().wait(0.2)
            memory = server.status("VmRSS")
        assert sum(client.result() for client in clients) >= sessions
        with watching.cursor() as cursor:

            def others() -> int:
                (count,) = cursor.execute("select count(*) from v$session where type = 'USER' and username = 'WMS'").fetchone()
                return int(count) - 1

            assert settles(others, 0)
            assert cursor.execute("select count(*) from v$transaction").fetchone() == (0,)
            assert cursor.execute("select count(*), sum(money) from account").fetchone() == (100, 10_000)
        assert settles(lambda: server.status("Threads"), threads + 4)  # DuckDB's own come with the work
        assert settles(server.open_files, files + 2)
        assert server.status("VmRSS") - memory < 150 * MB


@pytest.mark.long
@pytest.mark.timeout(900)
def test_kill_9_in_the_middle_of_100_commits(tmp_path: Path) -> None:
    """100 transactions of three rows in each of two tables, committed at once; after the kill each is there whole or not at all."""
    file = str(tmp_path / "file.duckdb")
    acknowledged: set[int] = set()
    cut_short = 0
    for attempt, delay in enumerate([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4]):
        with ServerProcess(tmp_path, "--database", file) as server:
            with server.connect() as setup, setup.cursor() as cursor:
                if attempt == 0:
                    cursor.execute("create table head (id number(9) primary key, part number(1))")
                    cursor.execute("create table line (id number(9), part number(1))")
                head = dict(cursor.execute("select trunc(id / 10), count(*) from head group by trunc(id / 10)").fetchall())
                line = dict(cursor.execute("select id, count(*) from line group by id").fetchall())
                assert set(head.values()) | set(line.values()) <= {3}
                assert head.keys() == line.keys()
                assert acknowledged <= head.keys()
            connections = [server.connect() for _ in range(100)]
            for number, connection in enumerate(connections, attempt * 100):
                with connection.cursor() as cursor:
                    cursor.executemany("insert into head values (:1, :2)", [(number * 10 + part, part) for part in range(3)])
                    cursor.executemany("insert into line values (:1, :2)", [(number, part) for part in range(3)])

            def commit(number: int, connection: oracledb.Connection) -> int | None:
                try:
                    connection.commit()
                except oracledb.DatabaseError:
                    return None
                return number

            with ThreadPoolExecutor(20) as pool:
                done = [pool.submit(commit, number, connection) for number, connection in enumerate(connections, attempt * 100)]
                threading.Event().wait(delay)
                server.process.send_signal(signal.SIGKILL)
            results = [future.result() for future in done]
            acknowledged |= {number for number in results if number is not None}
            cut_short += 0 < sum(number is None for number in results) < 100
    assert cut_short

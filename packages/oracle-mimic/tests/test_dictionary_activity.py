"""Sessions, transactions and locks as a DBA sees them, and the instance; with a stopped clock in another time zone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import oracledb
import pytest
from oracle_mimic.server import MimicServer
from oracle_mimic.sql.dictionary.activity import command_number, sql_id
from oracle_mimic.sql.scn import Clock

pytestmark = pytest.mark.mimic_only

USERS = {"WMS": "Wms_1234", "OTHER": "Other_1234", "BOSS": "Boss_1234"}
MOMENT = datetime(2026, 7, 4, 15, 30, 20, tzinfo=UTC)
LOCAL = datetime(2026, 7, 4, 11, 30, 20)  # New York


@pytest.fixture
def clock() -> Clock:
    frozen = Clock(time_zone="America/New_York")
    frozen.freeze(MOMENT)
    return frozen


@pytest.fixture
def server(clock: Clock) -> Iterator[MimicServer]:
    with MimicServer(users=USERS, dba=["BOSS"], clock=clock, undo_retention_seconds=600) as running:
        with connect(running, "WMS") as connection, connection.cursor() as cursor:
            cursor.execute("create table stock (id number(9) primary key, quantity number(9))")
            cursor.execute("insert into stock select level, 0 from dual connect by level <= 3")
            connection.commit()
            cursor.execute("grant select, insert, update on stock to other")
        yield running


def connect(server: MimicServer, user: str) -> oracledb.Connection:
    return oracledb.connect(user=user, password=USERS[user], dsn=server.dsn)


@pytest.fixture
def boss(server: MimicServer) -> Iterator[oracledb.Cursor]:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        yield cursor


def ask(cursor: oracledb.Cursor, sql: str, **binds: Any) -> list[tuple[Any, ...]]:
    return list(cursor.execute(sql, binds).fetchall())


def sid_of(connection: oracledb.Connection) -> int:
    with connection.cursor() as cursor:
        return int(ask(cursor, "select sys_context('userenv', 'sid') from dual")[0][0])


def test_transaction_begins_with_the_first_changed_row(server: MimicServer, boss: oracledb.Cursor, clock: Clock) -> None:
    count = "select count(*) from v$transaction"
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        assert ask(boss, count) == [(0,)]
        ask(cursor, "select * from stock")
        cursor.execute("update stock set quantity = 1 where id = 999")
        assert ask(boss, count) == [(0,)]
        clock.advance(65)
        cursor.execute("update stock set quantity = 1 where id = 1")
        clock.advance(30)
        cursor.execute("update stock set quantity = 1 where id = 2")
        ((start_date, start_time, status, start_scn, records),) = ask(
            boss, "select start_date, start_time, status, start_scn, used_urec from v$transaction"
        )
        assert start_date == LOCAL + timedelta(seconds=65)
        assert start_time == "07/04/26 11:31:25"
        assert status == "ACTIVE"
        assert records >= 1
        ((scn,),) = ask(boss, "select current_scn from v$database")
        assert start_scn < scn
        connection.commit()
        assert ask(boss, count) == [(0,)]


def test_transaction_joins_its_session(server: MimicServer, boss: oracledb.Cursor) -> None:
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        cursor.execute("update stock set quantity = 1 where id = 1")
        expected = [("WMS", sid_of(connection))]
        assert ask(boss, "select s.username, s.sid from v$transaction t join v$session s on t.ses_addr = s.saddr") == expected
        assert (
            ask(boss, "select s.username, s.sid from gv$transaction t, gv$session s where s.taddr = t.addr and s.inst_id = t.inst_id")
            == expected
        )
        ((segment, slot, sequence, xid),) = ask(boss, "select xidusn, xidslot, xidsqn, rawtohex(xid) from v$transaction")
        assert bytes.fromhex(xid) == segment.to_bytes(2, "little") + slot.to_bytes(2, "little") + sequence.to_bytes(4, "little")
        connection.rollback()
        assert ask(boss, "select count(*) from v$session where taddr is not null") == [(0,)]


def test_age_of_the_oldest_transaction(server: MimicServer, boss: oracledb.Cursor, clock: Clock) -> None:
    """What an incremental reader asks before it believes a moment: SYSDATE and START_DATE are on one clock."""
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        cursor.execute("update stock set quantity = 1 where id = 1")
        clock.advance(90)
        assert ask(boss, "select round((sysdate - min(start_date)) * 86400) from gv$transaction") == [(90,)]


def test_session_facts(server: MimicServer, boss: oracledb.Cursor, clock: Clock) -> None:
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        connection.module, connection.action, connection.client_identifier = "loader", "step 1", "run-7"
        ask(cursor, "select 1 from dual")
        clock.advance(12)
        sql = """select username, schemaname, status, module, action, client_identifier, logon_time, type, server, sql_exec_start, taddr,
                        event, state, last_call_et
                 from v$session where sid = :sid and serial# = :serial"""
        ((_, *facts),) = [(None, *row) for row in ask(boss, sql, sid=sid_of(connection), serial=connection.serial_num)]
        assert facts[:9] == ["WMS", "WMS", "INACTIVE", "loader", "step 1", "run-7", LOCAL, "USER", "DEDICATED"]
        assert facts[9:] == [None, None, "SQL*Net message from client", "WAITING", 0]
        ((own_status, started, identity),) = ask(
            boss, "select status, sql_exec_start, sql_id from v$session where sid = sys_context('userenv', 'sid')"
        )
        assert (own_status, started) == ("ACTIVE", LOCAL + timedelta(seconds=12))
        assert len(identity) == 13
        assert ask(boss, "select count(*) from v$session where audsid = sys_context('userenv', 'sessionid')") == [(1,)]
        assert ask(boss, "select command from v$session where status = 'ACTIVE'") == [(3,)]
        assert ask(boss, "select client_driver from v$session_connect_info where sid = :sid", sid=sid_of(connection))[0][0].startswith(
            "python-oracledb"
        )


def test_sql_id_is_oracles() -> None:
    """A well-known pair of text and SQL_ID."""
    assert sql_id("select sysdate from dual")[0] == "7h35uxf5uhmm1"


def test_command_numbers() -> None:
    texts = {"/* a */ -- b\n (select 1 from dual)": 3, "merge into t": 189, "Alter Session set x = 1": 42, "begin null; end;": 47, "'": 0}
    assert {text: command_number(text) for text in texts} == texts


def test_table_locks_and_the_waiter(server: MimicServer, boss: oracledb.Cursor, clock: Clock) -> None:
    ((object_id,),) = ask(boss, "select object_id from dba_objects where owner = 'WMS' and object_name = 'STOCK'")
    with connect(server, "WMS") as holder, connect(server, "OTHER") as waiter:
        holder_sid, waiter_sid = sid_of(holder), sid_of(waiter)
        holder.cursor().execute("update stock set quantity = 1 where id = 1")
        clock.advance(40)
        assert ask(boss, "select sid, id1, id2, lmode, request, ctime, block from v$lock where type = 'TM'") == [
            (holder_sid, object_id, 0, 3, 0, 40, 0)
        ]
        assert ask(
            boss,
            """select l.session_id, o.object_name, l.oracle_username, l.locked_mode, l.xidsqn - t.xidsqn
               from v$locked_object l join dba_objects o on o.object_id = l.object_id join v$transaction t on t.xidusn = l.xidusn
                and t.xidslot = l.xidslot""",
        ) == [(holder_sid, "STOCK", "WMS", 3, 0)]
        thread = threading.Thread(target=lambda: waiter.cursor().execute("update wms.stock set quantity = 2 where id = 1"))
        thread.start()
        try:
            _until(boss, "select count(*) from v$lock where request > 0")
            clock.advance(7)
            assert ask(
                boss,
                """select h.sid, w.sid, h.lmode, w.lmode, w.request, w.ctime, h.block from v$lock h
                   join v$lock w on w.type = h.type and w.id1 = h.id1 and w.id2 = h.id2 and w.request > 0
                   where h.type = 'TX' and h.block = 1""",
            ) == [(holder_sid, waiter_sid, 6, 0, 6, 7, 1)]
            assert ask(
                boss,
                "select blocking_session, blocking_session_status, event, state, seconds_in_wait, status from v$session where sid = :sid",
                sid=waiter_sid,
            ) == [(holder_sid, "VALID", "enq: TX - row lock contention", "WAITING", 7, "ACTIVE")]
            assert ask(boss, "select blocking_session from v$session where sid = :sid", sid=holder_sid) == [(None,)]
        finally:
            holder.rollback()
            thread.join(10)
        assert not thread.is_alive()
        waiter.rollback()
        assert ask(boss, "select count(*) from v$lock where type in ('TM', 'TX')") == [(0,)]


def _until(cursor: oracledb.Cursor, count: str) -> None:
    for _ in range(1000):
        if ask(cursor, count)[0][0]:
            return
    raise AssertionError(f"never true: {count}")


def test_lock_table_is_seen(server: MimicServer, boss: oracledb.Cursor) -> None:
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        cursor.execute("lock table stock in exclusive mode")
        assert ask(boss, "select lmode from v$lock where type = 'TM'") == [(6,)]
        assert ask(boss, "select locked_mode, xidusn from v$locked_object") == [(6, 0)]
        connection.commit()
        assert ask(boss, "select count(*) from gv$lock where type in ('TM', 'TX')") == [(0,)]
        sessions = ask(boss, "select count(*) from v$session")
        assert ask(boss, "select count(*) from gv$lock where type = 'AE' and inst_id = 1 and lmode = 4") == sessions


def test_session_statistics_are_counted(server: MimicServer, boss: oracledb.Cursor) -> None:
    own = """select n.name, s.value from v$mystat s join v$statname n on n.statistic# = s.statistic#
             where n.name in ('bytes sent via SQL*Net to client', 'SQL*Net roundtrips to/from client', 'consistent gets')"""
    before = dict(ask(boss, own))
    assert set(before) == {"bytes sent via SQL*Net to client", "SQL*Net roundtrips to/from client"}
    ask(boss, "select rpad('x', 4000, 'x') from dual connect by level <= 100")
    for _ in range(5):
        boss.connection.ping()
    after = dict(ask(boss, own))
    assert after["bytes sent via SQL*Net to client"] - before["bytes sent via SQL*Net to client"] >= 5000
    assert 6 < after["SQL*Net roundtrips to/from client"] - before["SQL*Net roundtrips to/from client"] <= 12
    with connect(server, "WMS") as connection:
        session_id = sid_of(connection)
        connection.ping()  # by now the first answer has been counted
        ((most,),) = ask(boss, "select max(value) from v$sesstat where sid = :sid", sid=session_id)
        assert most > 0


def test_instance_and_parameters(boss: oracledb.Cursor) -> None:
    assert ask(boss, "select instance_name, status, startup_time, version_full from v$instance") == [("FREE", "OPEN", LOCAL, "19.3.0.0.0")]
    assert ask(boss, "select inst_id, instance_number from gv$instance") == [(1, 1)]
    assert ask(boss, "select open_mode, database_role, name from v$database") == [("READ WRITE", "PRIMARY", "FREE")]
    assert ask(boss, "select value, type from v$parameter where name = 'undo_retention'") == [("600", 3)]
    assert ask(boss, "select count(*) from v$dataguard_stats") == [(0,)]
    boss.execute("alter session set nls_territory = 'BRAZIL'")
    both = """select p.value, s.value from v$parameter p join v$system_parameter s on s.name = p.name
              where p.name in ('nls_territory', 'nls_length_semantics') order by p.name"""
    assert ask(boss, both) == [("BYTE", "BYTE"), ("BRAZIL", "AMERICA")]
    boss.execute("alter system set undo_retention = 1200")
    assert ask(boss, "select value from v$parameter where name = 'undo_retention'") == [("1200",)]


def test_undo_statistics_count_the_commits(server: MimicServer, boss: oracledb.Cursor, clock: Clock) -> None:
    before = sum(count for (count,) in ask(boss, "select txncount from v$undostat"))
    clock.advance(5)
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("update stock set quantity = quantity + 1 where id = 1")
            connection.commit()
    found = ask(boss, "select begin_time, end_time, txncount, tuned_undoretention from v$undostat order by begin_time")
    assert sum(row[2] for row in found) == before + 3
    assert all(begin < end and retention == 600 for begin, end, _, retention in found)


def test_standby_is_read_only_and_behind(tmp_path: Any) -> None:
    path = tmp_path / "standby.duckdb"
    with MimicServer(path, users=USERS, dba=["BOSS"]):
        pass
    with (
        MimicServer(path, users=USERS, dba=["BOSS"], standby_lag_seconds=75) as server,
        connect(server, "BOSS") as connection,
        connection.cursor() as cursor,
    ):
        assert ask(cursor, "select open_mode, database_role, controlfile_type from v$database") == [
            ("READ ONLY WITH APPLY", "PHYSICAL STANDBY", "STANDBY")
        ]
        assert ask(cursor, "select value from v$dataguard_stats where name = 'apply lag'") == [("+00 00:01:15",)]
        assert ask(cursor, "select count(*) from gv$transaction") == [(0,)]
        assert ask(cursor, "select database_role from gv$database") == [("PHYSICAL STANDBY",)]

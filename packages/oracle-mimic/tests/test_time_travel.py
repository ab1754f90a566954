"""SCNs, flashback queries, retention, the server's clock, transactions as V$ shows them, standby."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from oracle_mimic.sql.database import Database, open_database
from oracle_mimic.sql.scn import Clock
from sql_room import Client, client, ora

START = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen_at=START)


@pytest.fixture
def database(clock: Clock) -> Iterator[Database]:
    found = open_database(users={"WMS": "a"}, dba={"WMS"}, clock=clock, undo_retention_seconds=600)
    client(found).run("create table t (id number(10), v number(10))")
    yield found
    found.close()


@pytest.fixture
def wms(database: Database) -> Client:
    return client(database)


def _scn(session: Client) -> int:
    return int(session.value("select current_scn from v$database"))


def test_as_of_shows_the_rows_of_that_scn(wms: Client, clock: Clock) -> None:
    wms.run("insert into t values (1, 1)")
    wms.commit()
    before = _scn(wms)
    clock.advance(5)
    wms.run("update t set v = 2")
    wms.run("insert into t values (2, 2)")
    wms.commit()
    clock.advance(5)
    wms.run("delete from t where id = 1")
    assert wms.query(f"select id, v from t as of scn {before}") == [(1, 1)]
    assert wms.query("select id, v from t as of scn :1", before) == [(1, 1)]
    assert wms.query("select id, v from t as of timestamp timestamp '2026-07-01 12:00:06' order by id") == [(1, 2), (2, 2)]
    assert wms.query("select id, v from t") == [(2, 2)]
    assert wms.query(f"select a.id, b.v from t as of scn {before} a left join t b on a.id = b.id") == [(1, None)]
    assert _scn(wms) > before


def test_beyond_the_retention_is_snapshot_too_old(wms: Client, clock: Clock, database: Database) -> None:
    wms.run("insert into t values (1, 1)")
    wms.commit()
    old = _scn(wms)
    clock.advance(60)
    wms.run("update t set v = 2")
    wms.commit()
    clock.advance(500)
    assert wms.query(f"select v from t as of scn {old}") == [(1,)]
    assert database.purge() == 0
    clock.advance(200)
    with ora(1555):
        wms.query(f"select v from t as of scn {old}")
    assert database.purge() >= 1
    assert wms.query("select v from t") == [(2,)]


def test_scns_to_come_and_times_before_the_log_are_refused(wms: Client) -> None:
    with ora(8181):
        wms.query("select * from t as of scn 999999999999")
    with ora(8180):
        wms.query("select * from t as of timestamp timestamp '2020-01-01 00:00:00'")
    with ora(8180):
        wms.query("select * from t as of timestamp timestamp '2030-01-01 00:00:00'")


def test_a_changed_definition_is_not_read_in_the_past(wms: Client, clock: Clock) -> None:
    before = _scn(wms)
    clock.advance(5)
    wms.run("alter table t add (w number)")
    with ora(1466):
        wms.query(f"select * from t as of scn {before}")
    clock.advance(5)
    after = _scn(wms)
    wms.run("truncate table t")
    with ora(1466):
        wms.query(f"select * from t as of scn {after}")


def test_scn_and_time_belong_together(wms: Client, clock: Clock) -> None:
    wms.run("insert into t values (1, 1)")
    wms.commit()
    scn = _scn(wms)
    clock.advance(30)
    assert wms.value("select timestamp_to_scn(timestamp '2026-07-01 12:00:10') from dual") == scn
    assert wms.value(f"select to_char(scn_to_timestamp({scn}), 'HH24:MI:SS') from dual") == "12:00:00"


def test_an_scn_may_come_from_a_column(wms: Client, clock: Clock) -> None:
    wms.run("create table noted (scn number)")
    wms.run(f"insert into noted values ({_scn(wms)})")
    clock.advance(30)
    wms.run(f"insert into noted values ({_scn(wms)})")
    wms.run("insert into noted values (null)")
    shown = "select to_char(scn_to_timestamp(scn), 'HH24:MI:SS') from noted order by scn"
    assert wms.values(shown) == ["12:00:00", "12:00:30", None]
    wms.run("insert into noted values (1)")
    with ora(8181):
        wms.values(shown)


def test_the_scn_grows_with_time_and_commits(wms: Client, clock: Clock) -> None:
    first = _scn(wms)
    assert _scn(wms) == first
    clock.advance(1)
    second = _scn(wms)
    assert second > first
    wms.run("insert into t values (1, 1)")
    wms.commit()
    assert _scn(wms) > second


def test_systimestamp_is_the_start_of_the_statement_in_the_servers_zone() -> None:
    clock = Clock(time_zone="America/New_York", frozen_at=START)
    database = open_database(users={"WMS": "a"}, clock=clock)
    wms = client(database)
    assert wms.value("select to_char(systimestamp, 'YYYY-MM-DD HH24:MI:SS TZH:TZM') from dual") == "2026-07-01 08:00:00 -04:00"
    assert wms.value("select sysdate from dual") == datetime(2026, 7, 1, 8, 0, 0)
    wms.run("alter session set time_zone = '+02:00'")
    assert wms.value("select to_char(current_timestamp, 'HH24:MI TZH:TZM') from dual") == "14:00 +02:00"
    database.close()


def test_a_transaction_begins_with_its_first_changed_row(wms: Client, clock: Clock, database: Database) -> None:
    wms.run("update t set v = 1 where id = 99")
    assert wms.query("select * from v$transaction") == []
    clock.advance(10)
    other = client(database)
    other.run("insert into t values (1, 1)")
    clock.advance(20)
    [(start, scn)] = wms.query("select start_date, start_scn from v$transaction")
    assert start == datetime(2026, 7, 1, 12, 0, 10)
    assert scn <= _scn(wms)
    [(kind, mode, ctime)] = wms.query("select type, lmode, ctime from v$lock where type = 'TM'")
    assert (kind, mode, ctime) == ("TM", 3, 20)
    other.commit()
    assert wms.query("select * from gv$transaction") == []


def test_fixed_views_are_hidden_without_the_grant(database: Database, wms: Client) -> None:
    wms.run("create user reader identified by pw")
    wms.run("grant create session to reader")
    reader = client(database, "READER")
    with ora(942):
        reader.query("select * from v$transaction")
    wms.run("grant select on sys.v_$transaction to reader")
    assert reader.query("select * from v$transaction") == []
    with ora(942):
        reader.query("select * from v$lock")
    wms.run("grant select_catalog_role to reader")
    assert reader.query("select * from v$lock where type = 'TM'") == []


def test_a_standby_is_late_and_read_only(clock: Clock) -> None:
    database = open_database(users={"WMS": "a"}, clock=clock)
    wms = client(database)
    wms.run("create table t (id number)")
    wms.run("insert into t values (1)")
    wms.commit()
    database.standby_lag_seconds = 30
    clock.advance(60)
    assert wms.values("select id from t") == [1]
    database.standby_lag_seconds = None
    wms.run("insert into t values (2)")
    wms.commit()
    wms.run("insert into t values (3)")
    database.standby_lag_seconds = 30
    late = client(database)
    assert late.values("select id from t") == [1]
    clock.advance(31)
    assert sorted(late.values("select id from t")) == [1, 2]
    for sql in ("insert into t values (4)", "create table u (x number)"):
        with ora(16000):
            late.run(sql)
    database.close()


def test_a_clock_can_be_set_back_without_time_running_backwards_in_the_log(wms: Client, clock: Clock, database: Database) -> None:
    wms.run("insert into t values (1, 1)")
    wms.commit()
    clock.advance(-timedelta(hours=1).total_seconds())
    wms.run("insert into t values (2, 2)")
    wms.commit()
    assert database.registry.log.moments == sorted(database.registry.log.moments)


def test_purging_is_over_when_nothing_old_is_left(wms: Client, clock: Clock, database: Database) -> None:
    wms.run("insert into t select level, 0 from dual connect by level <= 5")
    wms.commit()
    for _ in range(3):
        clock.advance(10)
        wms.run("update t set v = v + 1")
        wms.commit()
    clock.advance(595)
    assert database.purge() == 10, "the third update is younger than the retention"
    clock.advance(10)
    assert database.purge() == 5
    assert database.purge() == 0
    assert len(database.registry.log.scns) < 5
    assert wms.query("select sum(v), count(*) from t") == [(15, 5)]

"""Table and row locks: modes, NOWAIT, WAIT, SKIP LOCKED, DDL against open transactions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.sql.database import Database, open_database
from oracle_mimic.sql.locks import Mode, combined
from sql_room import Background, Client, client, ora, wait_until_blocked


@pytest.fixture
def database() -> Iterator[Database]:
    found = open_database(users={"WMS": "a"})
    setup = client(found)
    setup.run("create table t (id number(10) primary key, v number(10))")
    setup.run("insert into t select level, 0 from dual connect by level <= 3")
    setup.commit()
    yield found
    found.close()


@pytest.fixture
def one(database: Database) -> Client:
    return client(database)


@pytest.fixture
def two(database: Database) -> Client:
    return client(database)


def test_lock_table_keeps_writers_out_but_not_readers(one: Client, two: Client) -> None:
    one.run("lock table t in exclusive mode")
    assert one.session.in_transaction
    assert two.value("select count(*) from t") == 3
    with ora(54):
        two.run("lock table t in row exclusive mode nowait")
    with ora(30006):
        two.run("lock table t in share mode wait 1")
    one.commit()
    two.run("lock table t in exclusive mode nowait")


def test_share_locks_go_together_and_hold_a_writer(database: Database, one: Client, two: Client) -> None:
    one.run("lock table t in share mode")
    two.run("lock table t in share mode")
    two.rollback()
    waiting = Background(lambda: two.run("delete from t").row_count)
    wait_until_blocked(database, two)
    assert database.locks.waits[two.session.session_id].kind == "TM"
    one.rollback()
    assert waiting.result() == 3


def test_dml_holds_a_table_lock_that_ddl_meets(database: Database, one: Client, two: Client) -> None:
    one.run("update t set v = 1 where id = 1")
    [(object_id, held)] = database.locks.tables.items()
    assert held[one.session.session_id].mode is Mode.ROW_EXCLUSIVE
    assert database.catalog.table(object_id).name == "T"
    for ddl in ("truncate table t", "drop table t", "alter table t add (x number)"):
        with ora(54):
            two.run(ddl)
    one.commit()
    assert database.locks.tables == {}
    two.run("alter table t add (x number)")
    assert one.value("select count(x) from t") == 0


def test_a_statement_that_changes_nothing_leaves_no_lock(database: Database, one: Client) -> None:
    one.run("update t set v = 1 where id = 99")
    assert not one.session.in_transaction
    assert database.locks.tables == {}


def test_for_update_locks_rows(database: Database, one: Client, two: Client) -> None:
    assert one.values("select id from t where id <= 2 order by id for update") == [1, 2]
    assert one.session.in_transaction
    with ora(54):
        two.query("select id from t where id = 1 for update nowait")
    with ora(30006):
        two.query("select id from t where id = 1 for update wait 1")
    assert two.values("select id from t order by id for update skip locked") == [3]
    assert two.values("select id from t where id > 100 for update skip locked") == []
    two.rollback()
    waiting = Background(lambda: two.run("update t set v = 5 where id = 1").row_count)
    wait_until_blocked(database, two)
    one.run("update t set v = 1 where id = 1")
    one.commit()
    assert waiting.result() == 1
    two.commit()
    assert one.value("select v from t where id = 1") == 5


def test_for_update_waits_for_a_writer_and_reads_what_it_committed(database: Database, one: Client, two: Client) -> None:
    one.run("update t set v = 7 where id = 1")
    with ora(54):
        two.query("select v from t where id = 1 for update nowait")
    waiting = Background(lambda: two.values("select v from t where id = 1 for update"))
    wait_until_blocked(database, two)
    one.commit()
    assert waiting.result() == [7]


def test_killing_a_session_frees_its_locks(database: Database, one: Client, two: Client) -> None:
    one.run("update t set v = 1")
    database.kill_session(two.session, one.session.session_id, one.session.serial_number)
    assert two.run("update t set v = 2").row_count == 3
    with ora(28) as raised:
        one.query("select 1 from dual")
    assert raised.value.fatal


_MODES = st.sampled_from([mode for mode in Mode if mode is not Mode.NONE])


@given(_MODES, _MODES)
def test_combined_modes_are_at_least_as_strong_as_both(first: Mode, second: Mode) -> None:
    assert combined(first, second) >= max(first, second)
    assert combined(first, second) is combined(second, first)


def test_rollback_to_a_savepoint_gives_back_the_locks_taken_since(one: Client, two: Client) -> None:
    one.query("select id from t where id = 1 for update")
    one.run("savepoint before_more")
    one.query("select id from t where id in (1, 2) for update")
    one.run("lock table t in share row exclusive mode")
    with ora(54):
        two.run("lock table t in row exclusive mode nowait")
    one.run("rollback to before_more")
    two.query("select id from t where id = 2 for update nowait")
    with ora(54):
        two.query("select id from t where id = 1 for update nowait")
    one.run("rollback to before_more")
    one.rollback()
    two.query("select id from t where id = 1 for update nowait")


def test_a_row_changed_after_the_savepoint_is_free_after_the_rollback_to_it(one: Client, two: Client) -> None:
    one.run("update t set v = 1 where id = 1")
    one.run("savepoint s")
    one.run("update t set v = 1 where id = 2")
    one.run("rollback to s")
    two.run("update t set v = 2 where id = 2")
    waiting = Background(lambda: two.run("update t set v = 2 where id = 1"))
    assert not waiting.is_done(0.2)
    one.commit()
    waiting.result()
    assert two.values("select v from t order by id") == [2, 2, 0]


def test_a_transaction_has_a_name(one: Client, database: Database) -> None:
    one.run("set transaction name 'nightly load'")
    one.run("update t set v = 1")
    boss = client(database, "SYS")
    assert boss.values("select name from v$transaction") == ["nightly load"]
    one.commit()
    one.run("update t set v = 1")
    assert boss.values("select name from v$transaction") == [None]
    one.rollback()
    with ora(1780):
        one.run("set transaction name nightly")

"""What sessions see of each other, and a comparison of random interleavings with a simple model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_mimic.sql.database import Database, open_database
from sql_room import Background, Client, client, ora, wait_until_blocked


@pytest.fixture
def database() -> Iterator[Database]:
    found = open_database(users={"WMS": "a"})
    client(found).run("create table t (id number(10) primary key, v number(10))")
    yield found
    found.close()


@pytest.fixture
def one(database: Database) -> Client:
    return client(database)


@pytest.fixture
def two(database: Database) -> Client:
    return client(database)


def test_an_open_transaction_is_invisible_to_others_until_it_commits(one: Client, two: Client) -> None:
    one.run("insert into t values (1, 1)")
    two.run("insert into t values (2, 2)")
    assert one.values("select id from t") == [1]
    assert two.values("select id from t") == [2]
    two.commit()
    assert one.values("select id from t order by id") == [1, 2]
    one.commit()
    assert two.values("select id from t order by id") == [1, 2]


def test_an_open_query_shows_the_moment_it_began_even_after_commits(one: Client, two: Client) -> None:
    one.run("insert into t select level, 0 from dual connect by level <= 100000")
    one.commit()
    rows = one.session.query("select id, v from t", _no_binds())
    batches = iter(rows.batches)
    first = next(batches)
    two.run("update t set v = 1")
    two.commit()
    two.run("delete from t where id > 10")
    two.commit()
    one.run("insert into t values (200000, 5)")
    one.commit()
    total, seen = first.num_rows, set(first.column(1).to_pylist())
    for batch in batches:
        total += batch.num_rows
        seen |= set(batch.column(1).to_pylist())
    assert (total, {int(value) for value in seen}) == (100000, {0})
    assert one.value("select count(*) from t") == 11


def _no_binds() -> Any:
    from oracle_mimic.door import Binds

    return Binds()


def test_two_sessions_change_different_rows_of_one_table(one: Client, two: Client) -> None:
    one.run("insert into t select level, 0 from dual connect by level <= 2")
    one.commit()
    one.run("update t set v = 1 where id = 1")
    two.run("update t set v = 2 where id = 2")
    two.commit()
    one.commit()
    assert one.query("select id, v from t order by id") == [(1, 1), (2, 2)]


def test_a_writer_waits_for_a_row_and_then_sees_its_new_value(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t values (1, 10)")
    one.commit()
    one.run("update t set v = v + 1 where id = 1")
    waiting = Background(lambda: two.run("update t set v = v + 100 where id = 1").row_count)
    wait_until_blocked(database, two)
    one.commit()
    assert waiting.result() == 1
    assert two.value("select v from t") == 111


def test_a_waiting_writer_finds_the_row_gone(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t values (1, 10)")
    one.commit()
    one.run("delete from t")
    waiting = Background(lambda: two.run("update t set v = 0 where id = 1").row_count)
    wait_until_blocked(database, two)
    one.commit()
    assert waiting.result() == 0


def test_a_rolled_back_blocker_leaves_the_row_as_it_was(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t values (1, 10)")
    one.commit()
    one.run("update t set v = 99")
    waiting = Background(lambda: two.run("update t set v = v + 1").row_count)
    wait_until_blocked(database, two)
    one.rollback()
    assert waiting.result() == 1
    assert two.value("select v from t") == 11


@pytest.mark.parametrize(("commits", "code"), [(True, 1), (False, None)])
def test_an_insert_waits_for_an_uncommitted_equal_key(
    database: Database, one: Client, two: Client, commits: bool, code: int | None
) -> None:
    one.run("insert into t values (1, 1)")
    waiting = Background(lambda: two.run("insert into t values (1, 2)").row_count)
    wait_until_blocked(database, two)
    if commits:
        one.commit()
    else:
        one.rollback()
    if code:
        with ora(code):
            waiting.result()
    else:
        assert waiting.result() == 1


def test_a_deadlock_ends_for_one_of_the_two(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t select level, 0 from dual connect by level <= 2")
    one.commit()
    one.run("update t set v = 1 where id = 1")
    two.run("update t set v = 2 where id = 2")
    waiting = Background(lambda: one.run("update t set v = 1 where id = 2").row_count)
    wait_until_blocked(database, one)
    with ora(60):
        two.run("update t set v = 2 where id = 1")
    assert two.values("select v from t where id = 2") == [2], "only the statement was undone"
    two.rollback()
    assert waiting.result() == 1
    assert one.values("select v from t") == [1, 1]


def test_a_wait_can_be_interrupted_and_the_session_goes_on(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t values (1, 1)")
    one.commit()
    one.run("update t set v = 2")
    two.run("insert into t values (5, 5)")
    waiting = Background(lambda: two.run("delete from t where id = 1"))
    wait_until_blocked(database, two)
    two.session.interrupt()
    with ora(1013):
        waiting.result()
    assert two.values("select id from t order by id") == [1, 5]
    one.rollback()
    assert two.run("delete from t where id = 1").row_count == 1


def test_a_running_query_can_be_interrupted(one: Client) -> None:
    one.run("insert into t select level, level from dual connect by level <= 20000")
    running = Background(lambda: one.value("select count(*) from t a, t b, t c where a.v + b.v + c.v > 0"))
    assert not running.is_done(0.3)
    one.session.interrupt()
    with ora(1013):
        running.result()
    assert one.value("select count(*) from t") == 20000


def test_an_interrupt_before_the_call_has_begun_ends_it(one: Client) -> None:
    one.session.interrupt()
    with ora(1013):
        one.run("insert into t values (1, 1)")
    one.session.interrupt()
    one.session.resume()
    assert one.run("insert into t values (1, 1)").row_count == 1


def test_savepoints(one: Client, two: Client) -> None:
    one.run("insert into t values (1, 1)")
    one.run("savepoint a")
    one.run("update t set v = 2")
    one.run("insert into t values (2, 2)")
    one.run("savepoint b")
    one.run("delete from t")
    one.run("rollback to b")
    assert one.query("select * from t order by id") == [(1, 2), (2, 2)]
    one.run("rollback to savepoint a")
    assert one.query("select * from t") == [(1, 1)]
    with ora(1086):
        one.run("rollback to b")
    one.run("update t set v = 7")
    one.commit()
    assert two.query("select * from t") == [(1, 7)]
    with ora(1086):
        one.run("rollback to a")


def test_serializable_and_read_only_transactions_keep_their_moment(one: Client, two: Client) -> None:
    one.run("insert into t values (1, 1)")
    one.commit()
    one.run("set transaction isolation level serializable")
    two.run("update t set v = 2")
    two.commit()
    assert one.value("select v from t") == 1
    with ora(8177):
        one.run("update t set v = v + 1")
    one.rollback()
    assert one.value("select v from t") == 2
    one.run("set transaction read only")
    two.run("update t set v = 3")
    two.commit()
    assert one.value("select v from t") == 2
    with ora(1456):
        one.run("delete from t")
    one.commit()
    assert one.value("select v from t") == 3


def test_ddl_commits_and_a_closed_session_rolls_back(database: Database, one: Client, two: Client) -> None:
    one.run("insert into t values (1, 1)")
    one.run("create table u (x number)")
    assert two.values("select id from t") == [1]
    one.run("insert into t values (2, 2)")
    one.session.close()
    assert two.values("select id from t") == [1]
    assert one.session.session_id not in database.sessions


def test_temporary_tables_are_private(one: Client, two: Client) -> None:
    one.run("create global temporary table g (x number primary key)")
    one.run("create global temporary table p (x number) on commit preserve rows")
    for session in (one, two):
        session.run("insert into g values (1)")
        session.run("insert into p values (1)")
    assert one.values("select x from g") == [1]
    one.commit()
    assert (one.values("select x from g"), one.values("select x from p")) == ([], [1])
    assert two.values("select x from g") == [1]
    two.rollback()
    assert two.values("select x from p") == []
    with ora(14452):
        two.run("drop table p")
    one.run("truncate table p")
    two.run("drop table p")


# --- the model ---------------------------------------------------------------------------------------------------------------

_ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["insert", "update", "delete", "select", "commit", "rollback", "savepoint", "back"]),
        st.integers(1, 4),
        st.integers(0, 9),
    ),
    max_size=40,
)


class _Model:
    """READ COMMITTED in dictionaries: what is committed, and per session its changes (None = deleted) with savepoints."""

    def __init__(self) -> None:
        self.committed: dict[int, int] = {}
        self.own: list[dict[int, int | None]] = [{}, {}, {}]
        self.saved: list[dict[int, int | None] | None] = [None, None, None]
        self.locked: list[set[int]] = [set(), set(), set()]

    def view(self, session: int) -> dict[int, int]:
        merged = {**self.committed, **self.own[session]}
        return {key: value for key, value in merged.items() if value is not None}

    def is_locked(self, session: int, key: int) -> bool:
        return any(key in locked for other, locked in enumerate(self.locked) if other != session)

    def write(self, session: int, key: int, value: int | None) -> None:
        self.own[session][key] = value
        self.locked[session].add(key)

    def end(self, session: int, *, commit: bool) -> None:
        if commit:
            for key, value in self.own[session].items():
                self.committed.pop(key, None)
                if value is not None:
                    self.committed[key] = value
        self.own[session], self.saved[session], self.locked[session] = {}, None, set()


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    found = open_database(users={"WMS": "a"})
    client(found).run("create table t (id number(10) primary key, v number(10))")
    yield found
    found.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ACTIONS)
def test_random_interleavings_match_the_model(shared: Database, actions: list[tuple[int, str, int, int]]) -> None:
    sessions = [client(shared) for _ in range(3)]
    sessions[0].run("truncate table t")
    model = _Model()
    for number, action, key, value in actions:
        session, view = sessions[number], model.view(number)
        if action in ("insert", "update", "delete"):
            exists = key in view
            if model.is_locked(number, key) and (exists or action == "insert"):
                continue  # it would wait
            _write(session, model, number, action, key, value)
        elif action == "select":
            assert dict(session.query("select id, v from t")) == view
        elif action == "savepoint":
            session.run("savepoint s")
            model.saved[number] = dict(model.own[number])
        elif action == "back" and model.saved[number] is not None:
            session.run("rollback to s")
            model.own[number] = dict(model.saved[number] or {})
        elif action in ("commit", "rollback"):
            session.run(action)
            model.end(number, commit=action == "commit")
    for number, session in enumerate(sessions):
        assert dict(session.query("select id, v from t")) == model.view(number)
    for session in sessions:
        session.session.close()
    left = client(shared)
    assert dict(left.query("select id, v from t")) == model.committed
    left.session.close()


def _write(session: Client, model: _Model, number: int, action: str, key: int, value: int) -> None:  # noqa: PLR0917  # a test step
    exists = key in model.view(number)
    if action == "insert" and exists:
        with ora(1):
            session.run("insert into t values (:1, :2)", key, value)
    elif action == "insert":
        session.run("insert into t values (:1, :2)", key, value)
        model.write(number, key, value)
    elif action == "update":
        assert session.run("update t set v = :1 where id = :2", value, key).row_count == int(exists)
        if exists:
            model.write(number, key, value)
    else:
        assert session.run("delete from t where id = :1", key).row_count == int(exists)
        if exists:
            model.write(number, key, None)

"""Many threads on one database: money moves between accounts and never appears or vanishes, whatever else happens."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client

ACCOUNTS = 8
TOTAL = ACCOUNTS * 100
MOVES = 25


def _move(session: Client, source: random.Random) -> bool:
    """One transfer in one of several shapes; False when it met a deadlock and was rolled back."""
    giver, taker = source.sample(range(1, ACCOUNTS + 1), 2)
    amount = source.randint(1, 9)
    try:
        shape = source.randrange(4)
        if shape == 0:
            session.run("update account set money = money - :1 where id = :2", amount, giver)
            session.run("update account set money = money + :1 where id = :2", amount, taker)
        elif shape == 1:
            session.run(
                "update account set money = money + decode(id, :1, :2, :3) where id in (:4, :5)", taker, amount, -amount, giver, taker
            )
        elif shape == 2:
            merge = """merge into account a using (select :1 id, :2 m from dual union all select :3, :4 from dual) s on (a.id = s.id)
                       when matched then update set money = a.money + s.m"""
            session.run(merge, giver, -amount, taker, amount)
        else:
            session.run("savepoint before_it")
            session.run("update account set money = 0 where id = :1", giver)
            session.run("rollback to before_it")
            session.query("select money from account where id in (:1, :2) order by id for update", giver, taker)
            session.run_many("update account set money = money + :1 where id = :2", [(-amount, giver), (amount, taker)])
        if source.random() < 0.2:
            session.rollback()
        else:
            session.commit()
    except OracleError as error:
        if error.code != 60:
            raise
        session.rollback()
        return False
    return True


def _run(database: Database, workers: int) -> None:
    setup = client(database)
    setup.run("create table account (id number(5) primary key, money number(10), constraint not_silly check (abs(money) < 100000))")
    setup.run(f"insert into account select level, 100 from dual connect by level <= {ACCOUNTS}")
    setup.commit()
    failures: list[BaseException] = []
    done = threading.Event()

    def guarded(work: object) -> None:
        try:
            assert callable(work)
            work()
        except BaseException as error:  # noqa: BLE001  # a thread's failure is told to the test, whatever it is
            failures.append(error)
            done.set()

    def writer(seed: int) -> None:
        source, session = random.Random(seed), client(database)
        for _ in range(MOVES):
            _move(session, source)
            if done.is_set():
                break
        session.session.close()

    def reader() -> None:
        session = client(database)
        while not done.is_set():
            assert session.query("select count(*), sum(money) from account") == [(ACCOUNTS, TOTAL)]
            scn = session.value("select dbms_flashback.get_system_change_number from dual")
            assert session.value("select sum(money) from account as of scn :1", int(scn)) == TOTAL
            database.purge()

    writers = [threading.Thread(target=guarded, args=(lambda seed=seed: writer(seed),)) for seed in range(workers)]
    watcher = threading.Thread(target=guarded, args=(reader,))
    for thread in (*writers, watcher):
        thread.start()
    for thread in writers:
        thread.join(120)
        assert not thread.is_alive(), "a writer hangs"
    done.set()
    watcher.join(30)
    assert not watcher.is_alive()
    if failures:
        raise failures[0]
    assert setup.query("select count(*), sum(money) from account") == [(ACCOUNTS, TOTAL)]
    assert database.locks.tables == {}
    assert database.locks.rows == {}
    assert database.registry.open == {}


def test_transfers_keep_the_sum(tmp_path: Path) -> None:
    path = str(tmp_path / "bank.duckdb")
    database = open_database(path, users={"WMS": "a"}, dba={"WMS"}, undo_retention_seconds=60)
    _run(database, workers=4)
    database.close()
    again = open_database(path, users={"WMS": "a"})
    assert client(again).query("select count(*), sum(money) from account") == [(ACCOUNTS, TOTAL)]
    again.close()


def test_currval_is_the_sessions_own_value() -> None:
    database = open_database(users={"WMS": "a"})
    client(database).run("create sequence s")
    wrong: list[tuple[int, int]] = []
    taken: list[int] = []

    def take() -> None:
        session = client(database)
        for _ in range(20):
            value = int(session.value("select s.nextval from dual"))
            taken.append(value)
            if int(session.value("select s.currval from dual")) != value:
                wrong.append((value, int(session.value("select s.currval from dual"))))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert sorted(taken) == list(range(1, 81))
    database.close()

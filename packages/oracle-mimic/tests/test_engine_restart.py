"""What survives: a clean restart, and kill -9 at named points; disk full; direct path loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client, ora


def _open(path: Path) -> Database:
    return open_database(str(path), users={"WMS": "a"})


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    database = _open(path)
    wms = client(database)
    wms.run("create table t (id number(10) primary key, s varchar2(10 char) default 'd' not null, z timestamp(9) with time zone)")
    wms.run("create sequence q start with 5")
    wms.run("create view v as select id from t")
    wms.run("insert into t (id) values (q.nextval)")
    wms.commit()
    wms.run("insert into t (id) values (99)")
    rowid = wms.value("select rowid from t where id = 5")
    scn = database.registry.current_scn()
    verifier = database.verifier("WMS")
    catalog = database.catalog
    database.close()

    again = _open(path)
    wms = client(again)
    assert again.verifier("WMS") == verifier
    assert again.catalog.objects == catalog.objects
    assert again.catalog.system_grants == catalog.system_grants
    assert wms.query("select id, s, rowid from t") == [(5, "d", rowid)]
    assert wms.query("select id from v") == [(5,)]
    assert again.registry.current_scn() > scn
    assert wms.query("select id from t as of scn :1", scn) == [(5,)]
    wms.run("insert into t (id) values (q.nextval)")
    wms.commit()
    assert wms.values("select id from t order by id") == [5, 6]
    again.close()


_CHILD = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from oracle_mimic.sql.database import open_database
    from sql_room import client
    database = open_database({path!r}, users={{"WMS": "a"}})
    wms, other = client(database), client(database)
    wms.run("create table t (id number(10) primary key, v number(10))")
    wms.run("insert into t select level, 0 from dual connect by level <= 5")
    wms.commit()
    other.run("update t set v = 77 where id = 5")
    def die(name):
        if name == {point!r}:
            os.kill(os.getpid(), signal.SIGKILL)
    wms.run("update t set v = 1 where id <= 2")
    wms.run("delete from t where id = 3")
    wms.run("insert into t values (6, 6)")
    database.kill_point = die
    wms.run("insert into t values (7, 7)")
    wms.commit()
    wms.run("create table u (x number)")
"""


@pytest.mark.parametrize(
    ("point", "committed"), [("dml:applied", False), ("commit:before", False), ("commit:stored", True), ("commit:after", True)]
)
def test_kill_9_loses_exactly_what_was_not_committed(tmp_path: Path, point: str, committed: bool) -> None:
    path = tmp_path / "m.duckdb"
    script = textwrap.dedent(_CHILD.format(tests=str(Path(__file__).parent), path=str(path), point=point))
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    database = _open(path)
    wms = client(database)
    expected = [(1, 1), (2, 1), (4, 0), (5, 0), (6, 6), (7, 7)] if committed else [(n, 0) for n in range(1, 6)]
    assert wms.query("select id, v from t order by id") == expected
    wms.run("update t set v = v + 1")
    wms.run("insert into t values (100, 100)")
    wms.commit()
    assert wms.value("select count(*) from t") == len(expected) + 1
    database.close()


def test_kill_9_in_the_middle_of_ddl(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    script = textwrap.dedent(_CHILD.format(tests=str(Path(__file__).parent), path=str(path), point="ddl:applied"))
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    database = _open(path)
    wms = client(database)
    with ora(942):
        wms.query("select * from u")
    wms.run("create table u (x number)")
    assert wms.value("select count(*) from t") == 6
    database.close()


@pytest.fixture
def database() -> Iterator[Database]:
    found = open_database(users={"WMS": "a"})
    yield found
    found.close()


@pytest.fixture
def wms(database: Database) -> Client:
    found = client(database)
    found.run("create table t (id number(10) primary key, s varchar2(5) not null, n number(5,2), extra varchar2(3) default 'x')")
    return found


def _batch(ids: list[int], texts: list[str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(ids, pa.int64()), pa.array(texts, pa.string())], names=["ID", "S"])


def test_a_direct_path_load_commits_at_its_end(database: Database, wms: Client) -> None:
    other = client(database)
    load = wms.session.direct_path_prepare("wms", "t", ["id", "S"])
    assert [column.name for column in load.columns] == ["ID", "S"]
    assert not load.columns[0].nullable
    wms.session.direct_path_write(load, _batch([1, 2], ["a", "b"]))
    wms.session.direct_path_write(load, _batch([3], ["c"]))
    assert other.query("select * from t") == []
    with ora(54):
        other.run("lock table t in row share mode nowait")
    assert wms.session.direct_path_finish(load) == 3
    assert other.query("select id, s, extra from t order by id") == [(1, "a", "x"), (2, "b", "x"), (3, "c", "x")]
    assert other.run("delete from t").row_count == 3


@pytest.mark.parametrize(
    ("ids", "texts", "code"),
    [([3, 4], ["ok", "too long"], 12899), ([3, 4], ["ok", None], 1400), ([3, 3], ["a", "b"], 1), ([10**12], ["a"], 1438)],
)
def test_a_bad_batch_leaves_nothing_and_the_load_can_be_given_up(
    database: Database, wms: Client, ids: list[int], texts: list[str | None], code: int
) -> None:
    load = wms.session.direct_path_prepare("WMS", "T", ["ID", "S"])
    wms.session.direct_path_write(load, _batch([1], ["a"]))
    with ora(code):
        wms.session.direct_path_write(load, _batch(ids, texts))
    assert wms.values("select id from t") == [1]
    wms.session.direct_path_abort(load)
    assert wms.query("select * from t") == []
    assert not wms.session.in_transaction
    assert database.locks.tables == {}


def test_direct_path_names_are_checked(wms: Client) -> None:
    with ora(942):
        wms.session.direct_path_prepare("WMS", "NOPE", ["ID"])
    with ora(904):
        wms.session.direct_path_prepare("WMS", "T", ["NOPE"])


def test_a_full_disk_fails_the_statement_and_nothing_else(database: Database, wms: Client) -> None:
    wms.run("insert into t (id, s) values (1, 'a')")
    table = database.catalog.get("WMS", "T")
    assert isinstance(table, Table)
    database.full_tables.add(table.object_id)
    with ora(1653) as raised:
        wms.run("insert into t (id, s) values (2, 'b')")
    assert "WMS.T" in str(raised.value)
    database.full_tables.clear()
    wms.run("insert into t (id, s) values (2, 'b')")
    wms.commit()
    assert wms.value("select count(*) from t") == 2


def test_the_file_is_not_readable_as_another_process_while_open(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    database = _open(path)
    script = f"from oracle_mimic.sql.database import open_database; open_database({str(path)!r})"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False, env={**os.environ})
    assert child.returncode == 1
    assert b"ORA-" in child.stderr
    database.close()

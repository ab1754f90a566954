"""DBMS_PARALLEL_EXECUTE: chunks by ROWID and by a NUMBER column hold every row exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client, ora

ROWS = 20_000


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    opened = open_database(users={"WMS": "x", "OTHER": "x"}, dba=["WMS"])
    setup = client(opened)
    setup.run(f"create table big as select rownum * 3 - 50 id, 'x' name from xmltable('1 to {ROWS}')")
    setup.run("create table empty_one (id number, name varchar2(10))")
    setup.run("delete from big where mod(id, 7) = 0")
    setup.commit()
    yield opened
    opened.close()


@pytest.fixture
def wms(database: Database) -> Iterator[Client]:
    session = client(database)
    session.run("begin dbms_parallel_execute.create_task('T1', comment => 'a task'); end;")
    yield session
    session.run("begin dbms_parallel_execute.drop_task('T1'); end;")


def chunk(wms: Client, call: str) -> list[tuple[Any, ...]]:
    wms.run(f"begin dbms_parallel_execute.{call}; end;")
    return wms.query("select start_rowid, end_rowid, start_id, end_id, status from user_parallel_execute_chunks order by chunk_id")


@pytest.mark.parametrize(("by_row", "size", "chunks"), [("true", 1000, 24), ("false", 50, 9), ("true", 10**9, 3), ("false", 1, 384)])
def test_chunks_by_rowid_hold_every_row_once(wms: Client, by_row: str, size: int, chunks: int) -> None:
    found = chunk(wms, f"create_chunks_by_rowid('T1', 'WMS', 'BIG', by_row => {by_row}, chunk_size => {size})")
    assert len(found) == chunks
    counted = (
        "select count(*), count(distinct b.id), count(distinct c.chunk_id) from user_parallel_execute_chunks c "
        "join big b on b.rowid between c.start_rowid and c.end_rowid"
    )
    rows = wms.value("select count(*) from big")
    assert [int(n) for n in wms.query(counted)[0][:2]] == [rows, rows]
    some = found[0][:2]
    assert wms.value("select count(*) from big where rowid between :1 and :2", *some) > 0
    status = "select status, chunk_type, table_name, task_comment from user_parallel_execute_tasks"
    assert wms.query(status) == [("CHUNKED", "ROWID_RANGE", "BIG", "a task")]


def test_chunks_by_a_number_column_are_ranges_of_its_values(wms: Client) -> None:
    found = chunk(wms, "create_chunks_by_number_col('T1', 'WMS', 'BIG', 'ID', chunk_size => 10000)")
    assert [(int(first), int(last)) for _, _, first, last, _ in found] == [(-47 + n * 10000, 9952 + n * 10000) for n in range(6)]
    counted = "select count(*), count(distinct b.id) from user_parallel_execute_chunks c join big b on b.id between c.start_id and c.end_id"
    rows = wms.value("select count(*) from big")
    assert [int(n) for n in wms.query(counted)[0]] == [rows, rows]


def test_an_empty_table_has_no_chunks(wms: Client) -> None:
    assert chunk(wms, "create_chunks_by_number_col('T1', 'WMS', 'EMPTY_ONE', 'ID', 10)") == []
    assert chunk(wms, "create_chunks_by_rowid('T1', 'WMS', 'EMPTY_ONE', true, 10)") == []


def test_chunks_have_a_status_and_can_be_dropped(wms: Client) -> None:
    chunk(wms, "create_chunks_by_number_col('T1', 'WMS', 'BIG', 'ID', 30000)")
    number = wms.value("select min(chunk_id) from user_parallel_execute_chunks")
    wms.run(f"begin dbms_parallel_execute.set_chunk_status('T1', {number}, 2); end;")
    assert wms.values("select status from user_parallel_execute_chunks order by chunk_id") == ["PROCESSED", "UNASSIGNED"]
    for call, code in (
        ("create_chunks_by_number_col('T1', 'WMS', 'BIG', 'ID', 5)", 29492),
        (f"set_chunk_status('T1', {number}, 9)", 29493),
        ("set_chunk_status('T1', -1, 2)", 29499),
    ):
        with ora(code):
            wms.run(f"begin dbms_parallel_execute.{call}; end;")
    assert chunk(wms, "drop_chunks('T1')") == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("create_task('T1')", 29497),
        ("drop_task('NONE')", 29498),
        ("create_chunks_by_rowid('NONE', 'WMS', 'BIG', true, 10)", 29498),
        ("create_chunks_by_rowid('T1', 'WMS', 'NONE', true, 10)", 29491),
        ("create_chunks_by_number_col('T1', 'WMS', 'BIG', 'NAME', 10)", 29491),
        ("create_chunks_by_number_col('T1', 'WMS', 'BIG', 'ID', 0)", 6502),
        ("run_task('T1', 'delete from big', 1)", 3001),
    ],
)
def test_what_cannot_be_chunked_is_refused(wms: Client, call: str, code: int) -> None:
    with ora(code):
        wms.run(f"begin dbms_parallel_execute.{call}; end;")


def test_tasks_are_their_owners_own(wms: Client, database: Database) -> None:
    chunk(wms, "create_chunks_by_number_col('T1', 'WMS', 'BIG', 'ID', 30000)")
    other = client(database, "OTHER")
    assert other.value("select count(*) from user_parallel_execute_tasks") == 0
    with ora(29498):
        other.run("begin dbms_parallel_execute.drop_task('T1'); end;")
    other.run("begin dbms_parallel_execute.create_task('T1'); end;")
    with ora(29491):
        other.run("begin dbms_parallel_execute.create_chunks_by_rowid('T1', 'WMS', 'BIG', true, 10); end;")
    assert wms.value("select count(*) from dba_parallel_execute_tasks") == 2
    other.run("begin dbms_parallel_execute.drop_task('T1'); end;")

"""A full sync on several connections: the same rows, the same ledger, and no process left behind."""

import subprocess
import sys

import pytest
from oracle_connection.errors import DatabaseError

ENTITY = {"t": {"table": "T", "replication_key": "UPDATED"}}
ROWS = 3000


@pytest.fixture
def table(database):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, TEXT VARCHAR2(200 CHAR), UPDATED TIMESTAMP(6) NOT NULL)")
    with database.connect() as connection:
        connection.cursor().executemany("INSERT INTO T VALUES (:1, :2, SYSTIMESTAMP)", [(n, f"{n:0200d}") for n in range(ROWS)])
        connection.commit()
    return database


def test_all_rows_arrive_once_on_several_connections(table, run_tap, records):
    output = run_tap(entities=ENTITY, chunk_rows=300, parallelism=3)
    batches = output.batches()
    assert sorted(number for _, rows in batches for number in rows.column("ID").to_pylist()) == list(range(ROWS))
    assert batches[-1][0].full_sync.rows == ROWS
    assert {m.chunk for m, _ in batches[:-1]} == set(range(batches[-1][0].full_sync.chunks))
    assert output.state["bookmarks"]["t"]["full_sync"]["status"] == "done"
    assert records()[-1]["rows"] == ROWS
    assert records()[-1]["source_cost"]["bytes_sent_via_SQLNet_to_client"] > ROWS * 200  # the workers' sessions count


def test_an_error_in_one_process_ends_the_run_and_the_next_goes_on(table, run_tap):
    table.server.faults.arm("error", "statement", matching='SELECT "ID".*ROWID >=', call=4, code=1722)
    broken = run_tap(entities=ENTITY, chunk_rows=300, parallelism=2, fails=True)
    assert isinstance(broken.error, DatabaseError)
    assert broken.error.code == "ORA-01722"
    done = {m.chunk for m, _ in broken.batches() if m.complete}
    resumed = run_tap(broken.state, entities=ENTITY, chunk_rows=300, parallelism=2)
    ledger = {n for first, last in broken.state["bookmarks"]["t"]["full_sync"]["ledger"] for n in range(first, last + 1)}
    assert ledger <= done
    assert ledger.isdisjoint({m.chunk for m, _ in resumed.batches() if m.chunk is not None})
    assert resumed.batches()[-1][0].full_sync.rows == ROWS


def test_a_lost_connection_of_one_process_repeats_its_chunk(table, run_tap, records):
    table.server.faults.arm("drop", "mid_message", matching='SELECT "ID".*ROWID >=', call=2)
    output = run_tap(entities=ENTITY, chunk_rows=300, parallelism=2)
    whole = {m.attempt for m, _ in output.batches() if m.complete}
    assert sorted(n for m, rows in output.batches() if m.attempt in whole for n in rows.column("ID").to_pylist()) == list(range(ROWS))
    assert records()[-1]["chunks"]["repeated"] == 1


def test_a_worker_ends_with_its_parent():
    worker = subprocess.Popen([sys.executable, "-m", "tap_oracle_wms.chunk_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    worker.stdin.close()
    assert worker.wait(timeout=30) == 3
    worker.stdout.close()


def test_a_worker_does_not_load_the_sdk():
    code = "import sys, tap_oracle_wms.chunk_worker; sys.exit(any(name.startswith('singer_sdk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

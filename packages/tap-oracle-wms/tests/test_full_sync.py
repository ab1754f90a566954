"""The full sync: every row once, resumed where it stopped, begun anew only when the table's storage changed."""

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta

import pytest
from oracle_connection.errors import FatalError, RetriableError

TABLE = "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, TEXT VARCHAR2(200 CHAR), UPDATED TIMESTAMP(6) NOT NULL)"
ENTITY = {"t": {"table": "T", "replication_key": "UPDATED"}}
ROWS = 3000


@pytest.fixture
def table(database):
    """A table whose rows fill enough blocks for several ROWID ranges."""
    database.run(TABLE, "CREATE INDEX T_UPDATED ON T (UPDATED)")
    with database.connect() as connection:
        connection.cursor().executemany(
            "INSERT INTO T VALUES (:1, :2, SYSTIMESTAMP)", [(number, f"{number:0200d}") for number in range(ROWS)]
        )
        connection.commit()
    return database


def ids(output) -> list[int]:
    """The keys of all rows of all complete chunks of the last generation, one attempt each."""
    batches = output.batches()
    generation = max(metadata.generation or 0 for metadata, _ in batches)
    whole = {metadata.attempt for metadata, _ in batches if metadata.complete}
    return [
        number
        for metadata, rows in batches
        if metadata.generation == generation and metadata.attempt in whole
        for number in rows.column("ID").to_pylist()
    ]


def test_every_row_arrives_once_and_the_end_is_told(table, run_tap, records):
    output = run_tap(entities=ENTITY, chunk_rows=500)
    assert sorted(ids(output)) == list(range(ROWS))
    batches = output.batches()
    last, rows = batches[-1]
    assert rows.num_rows == 0
    assert (last.full_sync.chunks, last.full_sync.rows) == (len({m.chunk for m, _ in batches[:-1]}), ROWS)
    assert last.full_sync.chunks > 1
    assert all(m.read_scn is not None and m.mode == "full" and m.columns == ("ID", "TEXT", "UPDATED") for m, _ in batches[:-1])
    assert all(m.rows == rows.num_rows for m, rows in batches)
    bookmark = output.state["bookmarks"]["t"]
    assert bookmark["full_sync"]["status"] == "done"
    assert bookmark["replication_key_value"] == last.full_sync.watermark
    assert output.messages[0]["type"] == "SCHEMA"
    assert output.messages[0]["schema"]["x-wms-run"]["generation"] == last.generation
    (record,) = records()
    assert (record["status"], record["rows"], record["chunks"]["done"]) == ("success", ROWS, last.full_sync.chunks)


def test_what_a_run_cost_the_source_is_told_where_it_is_granted_and_never_0_where_not(table, run_tap, records):
    run_tap(entities=ENTITY)
    cost = records()[-1]["source_cost"]
    assert cost["bytes_sent_via_SQLNet_to_client"] > ROWS * 200
    assert cost["SQLNet_roundtrips_to_from_client"] > ROWS / 1000
    table.server.faults.arm("drop", "mid_message", matching='SELECT "ID"')
    run_tap(entities=ENTITY)
    assert records()[-1]["source_cost"] is None  # the lost session took its figures with it
    user = table.restricted("SELECT ON T")
    run_tap(entities={"t": {"table": "TESTER.T", "replication_key": "UPDATED"}}, **user.config())
    assert records()[-1]["source_cost"] is None


def test_the_sdks_record_count_is_right_for_files_too(table, run_tap, caplog):
    caplog.set_level("INFO")
    run_tap(entities=ENTITY, chunk_rows=500)
    metrics = [json.loads(line.partition("METRIC: ")[2]) for line in caplog.messages if line.startswith("METRIC")]
    assert sum(metric["value"] for metric in metrics if metric["metric"] == "record_count") == ROWS


def test_state_never_runs_ahead_of_the_files(table, run_tap):
    """After each STATE, every chunk of its ledger has its complete file before it."""
    output = run_tap(entities=ENTITY, chunk_rows=500)
    complete = set()
    files = iter(output.batches())
    for message in output.messages:
        if message["type"] == "BATCH":
            metadata, _ = next(files)
            if metadata.complete:
                complete.add(metadata.chunk)
        elif message["type"] == "STATE":
            marker = message["value"]["bookmarks"]["t"]["full_sync"]
            ledger = {number for first, last in marker["ledger"] for number in range(first, last + 1)}
            assert ledger <= complete


def test_the_watermark_lies_before_everything_that_changes_while_the_sync_runs(table, run_tap):
    before = table.rows("SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM DUAL")[0][0]
    output = run_tap(entities=ENTITY, skew_seconds=0)
    watermark = datetime.fromisoformat(output.state["bookmarks"]["t"]["replication_key_value"])
    assert watermark >= before - timedelta(seconds=1)
    table.run("UPDATE T SET UPDATED = SYSTIMESTAMP WHERE ID = 7")
    again = run_tap(output.state, entities=ENTITY, skew_seconds=0)
    assert [row["ID"] for row in again.rows()] == [7]
    assert {metadata.mode for metadata, _ in again.batches()} == {"incremental"}


def test_a_transaction_that_is_open_when_the_sync_begins_holds_the_watermark_back(table, run_tap):
    session = table.connect()
    session.cursor().execute("UPDATE T SET TEXT = 'late', UPDATED = SYSTIMESTAMP WHERE ID = 1")
    stamp = session.cursor().execute("SELECT UPDATED FROM T WHERE ID = 1").fetchone()[0]
    output = run_tap(entities=ENTITY, skew_seconds=0)
    assert datetime.fromisoformat(output.state["bookmarks"]["t"]["replication_key_value"]) < stamp
    session.commit()
    assert {row["ID"] for row in run_tap(output.state, entities=ENTITY, skew_seconds=0).rows() if row["TEXT"] == "late"} == {1}


def test_a_run_that_failed_goes_on_where_it_stopped_and_reads_no_chunk_twice(table, run_tap):
    table.server.faults.arm("error", "statement", matching="ROWID >=", call=3, code=1722)
    broken = run_tap(entities=ENTITY, chunk_rows=500, fails=True)
    assert isinstance(broken.error, FatalError)
    done = {m.chunk for m, _ in broken.batches() if m.complete}
    assert done
    resumed = run_tap(broken.state, entities=ENTITY, chunk_rows=17)  # another size changes nothing: the plan is in the state
    again = {m.chunk for m, _ in resumed.batches() if m.chunk is not None}
    assert done.isdisjoint(again)
    assert sorted(ids(broken) + ids(resumed)) == list(range(ROWS))
    assert resumed.batches()[-1][0].full_sync.rows == ROWS
    assert resumed.batches()[-1][0].generation == broken.batches()[0][0].generation


def test_the_time_of_a_run_may_be_used_up_and_the_next_one_goes_on(table, run_tap, records):
    table.server.faults.arm("delay", "statement", matching="ROWID >=", times=None, seconds=0.3)
    first = run_tap(entities=ENTITY, chunk_rows=300, run_budget_seconds=1)
    assert first.state["bookmarks"]["t"]["full_sync"]["status"] == "running"
    assert records()[-1]["status"] == "waiting"
    table.server.faults.clear()
    rest = run_tap(first.state, entities=ENTITY)
    assert sorted(ids(first) + ids(rest)) == list(range(ROWS))


@pytest.mark.parametrize("code", [1555, 1466, 8103, 1410])
def test_a_lost_snapshot_repeats_one_chunk_and_no_other(table, run_tap, records, code):
    table.server.faults.arm("error", "statement", matching="ROWID >=", call=2, code=code)
    output = run_tap(entities=ENTITY, chunk_rows=500)
    assert sorted(ids(output)) == list(range(ROWS))
    assert records()[-1]["chunks"]["repeated"] == 1
    assert Counter(m.complete for m, _ in output.batches() if m.chunk is not None)[True] == output.batches()[-1][0].full_sync.chunks


def test_a_chunk_whose_snapshot_is_lost_again_and_again_is_read_in_pieces(table, run_tap, caplog):
    table.server.faults.arm("error", "statement", matching='SELECT "ID".*CHARTOROWID', times=3, code=1555)
    with caplog.at_level("INFO", "tap-oracle-wms"):
        output = run_tap(entities=ENTITY, chunk_rows=1500)
    assert sorted(ids(output)) == list(range(ROWS))
    assert "is read in 2 pieces" in caplog.text


def test_a_snapshot_that_can_never_be_had_ends_the_run_with_its_code(table, run_tap):
    table.server.faults.arm("error", "statement", matching='FROM "TESTER"."T" WHERE', times=None, code=1555)
    broken = run_tap(entities=ENTITY, chunk_rows=500, fails=True)
    assert isinstance(broken.error, RetriableError)
    assert broken.error.code == "ORA-01555"


@pytest.mark.parametrize("point", ["before_call", "mid_message", "after_call"])
def test_a_connection_lost_in_the_middle_is_made_again(table, run_tap, point):
    table.server.faults.arm("drop", point, user="TESTER", call=25)
    output = run_tap(entities=ENTITY, chunk_rows=500)
    assert sorted(ids(output)) == list(range(ROWS))


def test_a_truncated_table_is_planned_anew_under_a_new_generation(table, run_tap, records):
    table.server.faults.arm("error", "statement", matching="ROWID >=", call=3, code=1722)
    broken = run_tap(entities=ENTITY, chunk_rows=500, fails=True)
    table.run("TRUNCATE TABLE T", "INSERT INTO T VALUES (99999, 'new', SYSTIMESTAMP)")
    resumed = run_tap(broken.state, entities=ENTITY, chunk_rows=500)
    assert ids(resumed) == [99999]
    generations = [message["schema"]["x-wms-run"]["generation"] for message in resumed.of("SCHEMA")]
    assert generations[0] == broken.batches()[0][0].generation
    assert generations[-1] == resumed.batches()[-1][0].generation > generations[0]
    assert any("begins anew" in warning for warning in records()[-1]["warnings"])


def test_an_empty_table_is_a_complete_full_sync(database, run_tap):
    database.run(TABLE)
    output = run_tap(entities=ENTITY)
    assert output.batches()[-1][0].full_sync.rows == 0
    bookmark = output.state["bookmarks"]["t"]
    assert bookmark["full_sync"]["status"] == "done"
    database.run("INSERT INTO T VALUES (1, 'first', SYSTIMESTAMP)")
    assert [row["ID"] for row in run_tap(output.state, entities=ENTITY).rows()] == [1]


def test_a_view_is_read_by_ranges_of_its_key(table, run_tap):
    table.run("CREATE VIEW V AS SELECT ID, TEXT, UPDATED FROM T WHERE ID < 1000")
    entity = {"v": {"table": "V", "key_properties": ["ID"], "replication_key": "UPDATED"}}
    output = run_tap(entities=entity, chunk_rows=300)
    assert sorted(ids(output)) == list(range(1000))


def test_without_the_grant_on_extents_the_key_is_cut_into_ranges(table, run_tap):
    user = table.restricted("SELECT ON T")
    output = run_tap(entities={"t": {"table": "TESTER.T", "replication_key": "UPDATED"}}, chunk_rows=700, **user.config())
    assert sorted(ids(output)) == list(range(ROWS))
    assert output.of("STATE")[0]["value"]["bookmarks"]["t"]["full_sync"]["plan"][0] == "key"
    assert output.batches()[-1][0].full_sync.chunks == -(-ROWS // 700)


def test_text_keys_are_cut_by_rows(table, run_tap):
    table.run(
        "CREATE TABLE C (CODE VARCHAR2(10 CHAR) PRIMARY KEY, UPDATED DATE)", "INSERT INTO C SELECT 'k'||ID, SYSDATE FROM T WHERE ID < 100"
    )
    user = table.restricted("SELECT ON C")
    entity = {"c": {"table": "TESTER.C", "replication_key": "UPDATED"}}
    output = run_tap(entities=entity, chunk_rows=30, **user.config())
    assert sorted(row["CODE"] for row in output.rows()) == sorted(f"k{number}" for number in range(100))
    assert output.batches()[-1][0].full_sync.chunks == 4


def test_rows_without_a_replication_key_are_brought_and_warned_about(database, run_tap, records):
    database.run(
        "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, UPDATED DATE)", "INSERT INTO T VALUES (1, NULL)", "INSERT INTO T VALUES (2, SYSDATE)"
    )
    output = run_tap(entities=ENTITY)
    assert sorted(row["ID"] for row in output.rows()) == [1, 2]
    assert records()[-1]["null_key_rows"] == 1
    assert any("no replication key" in warning for warning in records()[-1]["warnings"])


def test_a_missing_index_on_the_replication_key_is_warned_about(database, run_tap, records):
    database.run(TABLE)
    run_tap(entities=ENTITY)
    assert any("no index" in warning for warning in records()[-1]["warnings"])


def test_a_complete_read_activates_its_version_after_its_rows(table, run_tap):
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}, batch_rows=1000)
    kinds = [message["type"] for message in output.messages if message["type"] != "STATE"]
    assert kinds == ["SCHEMA", "BATCH", "BATCH", "BATCH", "ACTIVATE_VERSION"]
    assert [m.part for m, _ in output.batches()] == [1, 2, 3]
    assert [m.complete for m, _ in output.batches()] == [False, False, True]
    assert sorted(row["ID"] for row in output.rows()) == list(range(ROWS))
    assert output.of("ACTIVATE_VERSION")[0]["version"] == output.batches()[0][0].generation
    assert output.state["bookmarks"]["t"] == {}


def test_an_empty_complete_read_says_so(database, run_tap):
    database.run(TABLE)
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}})
    ((metadata, rows),) = output.batches()
    assert (metadata.complete, rows.num_rows) == (True, 0)


def test_files_are_bounded_by_bytes_too(table, run_tap):
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}, batch_bytes=50_000, batch_size=100)
    assert len(output.files) > 5
    assert all(rows.nbytes < 100_000 for _, rows in output.batches())


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("transfer", ["batch", "record"])
def test_a_million_rows_pass_through_in_250_megabytes(database, command, tmp_path, transfer):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, TEXT VARCHAR2(200 CHAR), UPDATED TIMESTAMP(6) NOT NULL)")
    rows = 1_000_000
    with database.connect() as connection:
        for start in range(0, rows, 50_000):
            moment = datetime(2026, 11, 22)
            data = [(number, f"{number:0100d}", moment) for number in range(start, start + 50_000)]
            connection.direct_path_load("TESTER", "T", ["ID", "TEXT", "UPDATED"], data)
    tap = command(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}, transfer=transfer)
    code = (  # ru_maxrss of a child begins with its parent's memory, which holds the server here
        "import sys; from tap_oracle_wms.tap import TapOracleWms\n"
        "try:\n    TapOracleWms.cli()\n"
        "finally:\n    sys.stderr.write(open('/proc/self/status').read())"
    )
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.run([sys.executable, "-c", code, "--config", tap.config_path], stdout=out, stderr=subprocess.PIPE, check=True)
    (peak,) = [int(line.split()[1]) for line in process.stderr.decode().splitlines() if line.startswith("VmHWM")]
    assert peak / 1024 < 250

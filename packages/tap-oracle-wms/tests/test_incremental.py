"""Changes since the last bookmark: nothing that commits late is lost, whatever the order; nothing moves the bookmark too far."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from oracle_connection.errors import ConfigurationError

TABLE = "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, N NUMBER(10), UPDATED {type} NOT NULL)"
ENTITY = {"t": {"table": "T", "replication_key": "UPDATED"}}


@pytest.fixture
def table(database):
    database.run(TABLE.format(type="TIMESTAMP(6)"), "CREATE INDEX T_UPDATED ON T (UPDATED)")
    database.run(*(f"INSERT INTO T VALUES ({number}, 0, SYSTIMESTAMP)" for number in range(5)))
    return database


def done(output) -> dict:
    return output.state["bookmarks"]["t"]


def test_a_window_without_rows_sends_no_file_only_state(table, run_tap):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    again = run_tap(state, entities=ENTITY, skew_seconds=0)
    assert again.files == []
    assert done(again)["replication_key_value"] > state["bookmarks"]["t"]["replication_key_value"]


def test_a_row_that_commits_late_under_an_older_key_is_read(table, run_tap):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    slow = table.connect()
    slow.cursor().execute("UPDATE T SET N = 1, UPDATED = SYSTIMESTAMP WHERE ID = 1")
    for number in (2, 3):
        table.run(f"UPDATE T SET N = 1, UPDATED = SYSTIMESTAMP WHERE ID = {number}")
        state = run_tap(state, entities=ENTITY, skew_seconds=0).state
    slow.commit()
    assert [row["ID"] for row in run_tap(state, entities=ENTITY, skew_seconds=0).rows() if row["ID"] == 1] == [1]


def test_late_rows_are_counted(table, run_tap, records):
    state = run_tap(entities=ENTITY, skew_seconds=60).state
    state = run_tap(state, entities=ENTITY, skew_seconds=60).state
    slow = table.connect()
    slow.cursor().execute("INSERT INTO T VALUES (100, 0, SYSTIMESTAMP)")
    state = run_tap(state, entities=ENTITY, skew_seconds=60).state
    assert records()[-1]["late_rows"] == 0
    slow.commit()
    run_tap(state, entities=ENTITY, skew_seconds=60)
    assert records()[-1]["late_rows"] == 1


def test_an_open_transaction_on_another_table_holds_nothing_back(table, run_tap, records):
    table.run("CREATE TABLE OTHER (ID NUMBER(10))")
    stuck = table.connect()
    stuck.cursor().execute("INSERT INTO OTHER VALUES (1)")
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    run_tap(state, entities=ENTITY, skew_seconds=0)
    assert records()[-1]["horizon"]["mode"] == "locks"
    assert records()[-1]["horizon"]["age_seconds"] == 0
    assert stuck.transaction_in_progress


def test_a_locked_table_is_read_without_waiting_and_the_lock_holds_the_bookmark_back(table, run_tap, records):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    holder = table.connect()
    holder.cursor().execute("LOCK TABLE T IN EXCLUSIVE MODE")
    output = run_tap(state, entities=ENTITY, skew_seconds=0)
    assert done(output)["replication_key_value"] <= state["bookmarks"]["t"]["replication_key_value"]
    assert records()[-1]["horizon"]["age_seconds"] > 0
    holder.rollback()
    assert done(run_tap(output.state, entities=ENTITY, skew_seconds=0)) != done(output)


def test_all_rows_of_one_instant_are_read_however_they_are_spread_over_runs(table, run_tap):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    table.run("INSERT INTO T SELECT 100, 0, MAX(UPDATED) FROM T")
    state_of_first = state["bookmarks"]["t"]["replication_key_value"]
    table.run("UPDATE T SET UPDATED = TIMESTAMP '2100-01-01 00:00:00'")
    first = run_tap(state, entities=ENTITY, skew_seconds=0)
    assert len(first.rows()) == 6
    table.run("INSERT INTO T VALUES (101, 0, TIMESTAMP '2100-01-01 00:00:00')")
    assert len(run_tap(first.state, entities=ENTITY, skew_seconds=0).rows()) == 7
    assert done(first)["replication_key_value"] > state_of_first


def test_keys_in_the_future_do_not_move_the_bookmark(table, run_tap):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    table.run("INSERT INTO T VALUES (100, 0, TIMESTAMP '2999-01-01 00:00:00')")
    after = run_tap(state, entities=ENTITY, skew_seconds=0)
    assert [row["ID"] for row in after.rows()] == [100]
    assert done(after)["replication_key_value"] < "2999"


@pytest.mark.parametrize(
    "kind", ["DATE", "TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(9)", "TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP(3) WITH LOCAL TIME ZONE"]
)
def test_every_kind_of_time_can_be_the_key(database, run_tap, kind):
    database.run(TABLE.format(type=kind), "INSERT INTO T VALUES (1, 0, SYSTIMESTAMP)")
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    slow = database.connect()
    slow.cursor().execute("INSERT INTO T VALUES (2, 0, SYSTIMESTAMP)")
    state = run_tap(state, entities=ENTITY, skew_seconds=0).state
    slow.commit()
    assert 2 in [row["ID"] for row in run_tap(state, entities=ENTITY, skew_seconds=0).rows()]


def test_a_long_window_is_read_in_slices_and_the_bookmark_follows_each(table, run_tap):
    state = run_tap(entities=ENTITY, skew_seconds=0).state
    now = table.rows("SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM DUAL")[0][0]
    state["bookmarks"]["t"]["replication_key_value"] = (now - timedelta(hours=5)).isoformat(timespec="microseconds")
    table.run(
        *(f"INSERT INTO T VALUES ({100 + hours}, 0, SYS_EXTRACT_UTC(SYSTIMESTAMP) - INTERVAL '{hours}' HOUR)" for hours in range(1, 6))
    )
    output = run_tap(state, entities=ENTITY, skew_seconds=0, slice_seconds=7000)
    windows = [metadata.window for metadata, _ in output.batches()]
    assert len(windows) == 3
    assert windows[0].to == windows[1].from_
    assert windows[-1].to is None
    bookmarks = [message["value"]["bookmarks"]["t"]["replication_key_value"] for message in output.of("STATE")]
    assert bookmarks == sorted(bookmarks)
    assert bookmarks[1:3] == [windows[0].to, windows[1].to]
    assert {100 + hours for hours in range(1, 5)} <= {row["ID"] for row in output.rows()}


@pytest.fixture
def plain(table):
    """A user who sees the table and no V$ view."""
    return table.restricted("SELECT ON T")


def test_without_grants_the_bookmark_follows_the_rows_and_never_the_clock(table, plain, run_tap, records):
    settings = {"entities": {"t": {"table": "TESTER.T", "replication_key": "UPDATED"}}, "lookback_seconds": 10, **plain.config()}
    output = run_tap(**settings)
    assert records()[-1]["horizon"]["mode"] == "lookback"
    newest = table.rows("SELECT MAX(UPDATED) FROM T")[0][0]
    bookmark = datetime.fromisoformat(done(output)["replication_key_value"])
    assert newest - timedelta(seconds=11) < bookmark <= newest - timedelta(seconds=10)
    later = run_tap(output.state, **settings)
    assert done(later)["replication_key_value"] == done(output)["replication_key_value"]  # no new rows: it stands still
    assert len(later.rows()) == 5


def test_a_mode_that_is_asked_for_and_not_granted_is_refused(plain, run_tap):
    settings = {"entities": {"t": {"table": "TESTER.T", "replication_key": "UPDATED"}}, **plain.config()}
    with pytest.raises(ConfigurationError, match="mode locks"):
        run_tap(horizon="locks", **settings)


def test_by_transactions_any_open_transaction_holds_back_and_a_repeated_hour_is_allowed_for(table, run_tap, records):
    table.run("CREATE TABLE OTHER (ID NUMBER(10))")
    stuck = table.connect()
    stuck.cursor().execute("INSERT INTO OTHER VALUES (1)")
    state = run_tap(entities=ENTITY, skew_seconds=0, horizon="transactions").state
    assert records()[-1]["horizon"]["age_seconds"] >= 3600
    run_tap(state, entities=ENTITY, skew_seconds=0, horizon="transactions", server_time_zone="UTC")
    assert records()[-1]["horizon"]["age_seconds"] < 3600
    assert records()[-1]["horizon"]["mode"] == "transactions"


def test_a_number_as_key_goes_on_from_the_greatest_less_the_look_back(database, run_tap, records):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY)", *(f"INSERT INTO T VALUES ({number})" for number in (1, 5, 10)))
    entities = {"t": {"table": "T", "replication_key": "id", "lookback_units": 3}}
    first = run_tap(entities=entities)
    assert done(first)["replication_key_value"] == "7"
    database.run("INSERT INTO T VALUES (8)", "INSERT INTO T VALUES (11)", "INSERT INTO T VALUES (6)")
    second = run_tap(first.state, entities=entities)
    assert sorted(row["ID"] for row in second.rows()) == [8, 10, 11]
    assert done(second)["replication_key_value"] == "8"
    assert records()[-1]["horizon"]["mode"] == "none"
    assert sum("does not tell when a row was changed" in warning for warning in records()[-1]["warnings"]) == 1


def test_a_date_that_is_no_clock_is_bounded_by_the_rows(database, run_tap):
    database.run(TABLE.format(type="DATE"), "INSERT INTO T VALUES (1, 0, DATE '2020-01-01')")
    entities = {"t": {"table": "T", "replication_key": "UPDATED", "replication_key_is_clock": False, "lookback_seconds": 86400}}
    assert done(run_tap(entities=entities))["replication_key_value"] == "2019-12-31T00:00:00"


def test_rows_without_a_key_are_left_to_the_full_sync(database, run_tap):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, UPDATED DATE)")
    state = run_tap(entities=ENTITY).state
    database.run("INSERT INTO T VALUES (1, NULL)")
    assert run_tap(state, entities=ENTITY).files == []


def test_a_range_is_read_again_without_touching_the_bookmark(table, run_tap, records):
    state = run_tap(entities=ENTITY).state
    output = run_tap(state, entities=ENTITY, backfill={"t": {"column": "id", "from": "1", "to": "4"}})
    assert sorted(row["ID"] for row in output.rows()) == [1, 2, 3]
    assert output.state == state
    ((metadata, _),) = output.batches()
    assert (metadata.mode, metadata.window.key, metadata.window.from_, metadata.window.to) == ("backfill", "ID", "1", "4")
    assert records()[-1]["mode"] == "backfill"


@pytest.mark.parametrize("wrong", [{"column": "NOPE"}, {"column": "UPDATED", "from": "yesterday"}])
def test_a_backfill_of_what_is_not_there_is_refused(table, run_tap, wrong):
    with pytest.raises(ConfigurationError, match="backfill"):
        run_tap(entities=ENTITY, backfill={"t": wrong})


def test_a_state_of_another_replication_key_is_refused(table, run_tap):
    state = run_tap(entities=ENTITY).state
    with pytest.raises(ConfigurationError, match="full refresh"):
        run_tap(state, entities={"t": {"table": "T", "replication_key": "N"}})


def test_a_lost_connection_repeats_the_window(table, run_tap, records):
    state = run_tap(entities=ENTITY).state
    table.server.faults.arm("drop", "mid_message", matching='FROM "TESTER"."T"')
    output = run_tap(state, entities=ENTITY)
    assert {row["ID"] for row in output.rows()} == set(range(5))
    assert records()[-1]["retries"] == 1


def test_the_window_and_the_time_of_extraction_travel_with_the_rows(table, run_tap):
    state = run_tap(entities=ENTITY).state
    ((metadata, _),) = run_tap(state, entities=ENTITY).batches()
    assert metadata.window.from_ == state["bookmarks"]["t"]["replication_key_value"]
    assert metadata.window.to is None
    assert metadata.complete
    assert abs(datetime.fromisoformat(metadata.extracted_at) - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_backfill_reads_the_rows_that_a_file_lists_by_key(table, run_tap, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"columns": ["id"], "keys": [["2"], ["3"], ["999"]]}))
    state = run_tap(entities=ENTITY).state
    output = run_tap(state, entities=ENTITY, backfill={"t": {"keys_file": str(path)}})
    assert sorted(row["ID"] for row in output.rows()) == [2, 3]
    path.write_text(json.dumps({"columns": ["id"], "keys": [["2", "3"]]}))
    with pytest.raises(ConfigurationError, match="does not list keys"):
        run_tap(state, entities=ENTITY, backfill={"t": {"keys_file": str(path)}})

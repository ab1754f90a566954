"""A first way through: rows in, table, audit row, STATE."""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle_connection.contract import Mode


def rows(*pairs):
    return [{"ID": number, "NAME": name} for number, name in pairs]


def test_a_batch_file_becomes_a_table_an_audit_row_and_then_state(warehouse, make_stream, make_state, run_records):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1, comments={"NAME": "What it's called"})
    batch = stream.batch(rows((1, "one"), (2, None)), read_scn=77)
    states = warehouse.load([stream.schema(), batch, make_state({"items": {"at": 1}})])
    assert states == [{"bookmarks": {"items": {"at": 1}}}]
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "one", 77), (2, None, 77)]
    assert warehouse.audit("items") == [(2, 2, 0, 0, 0)]
    assert not Path(batch["manifest"][0].removeprefix("file://")).exists()
    assert warehouse.private_tables() == []
    (record,) = run_records()
    assert record["status"] == "success"
    assert (record["rows"], record["inserted"], record["batches"]) == (2, 2, 1)
    comments = warehouse.query(
        "SELECT COMMENTS FROM USER_COL_COMMENTS WHERE TABLE_NAME=:1 AND COLUMN_NAME='NAME'", f"{warehouse.prefix}ITEMS"
    )
    assert comments == [("What it's called",)]


def test_records_become_the_same_table(warehouse, make_stream, make_state):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    messages = [stream.schema(), *(stream.record(row, sequence=77, version=1) for row in rows((1, "one"), (2, None)))]
    states = warehouse.load([*messages, make_state({"items": {"at": 1}})])
    assert states == [{"bookmarks": {"items": {"at": 1}}}]
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "one", 77), (2, None, 77)]


def test_only_changed_rows_are_written_again(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), stream.batch(rows((1, "one"), (2, None), (3, "three")), read_scn=10)])
    before = dict(warehouse.rows("items", '"ID","_SDC_BATCHED_AT"'))
    warehouse.load([stream.schema(), stream.batch(rows((1, "one"), (2, "two"), (3, None), (4, "four")), read_scn=11)])
    assert warehouse.audit("items")[1] == (4, 1, 2, 1, 0)
    after = dict(warehouse.rows("items", '"ID","_SDC_BATCHED_AT"'))
    assert after[1] == before[1]
    assert all(after[each] > before[1] for each in (2, 3, 4))


def test_an_older_version_does_not_overwrite_a_newer_one(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), stream.batch(rows((1, "new")), read_scn=20)])
    warehouse.load([stream.schema(), stream.batch(rows((1, "old")), read_scn=19)])
    assert warehouse.rows("items", '"NAME","_SDC_SEQUENCE"') == [("new", 20)]


def test_the_last_row_of_a_key_in_a_batch_wins(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), stream.batch(rows((1, "first"), (2, "x"), (1, "last")), read_scn=1)])
    assert warehouse.rows("items", '"ID","NAME"') == [(1, "last"), (2, "x")]


def test_a_null_key_is_refused_with_its_row(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    with pytest.raises(Exception, match="row 2 of the batch has no value for key column ID"):
        warehouse.load([stream.schema(), stream.batch(rows((1, "one"), (None, "two")))])


def test_the_full_sync_is_invisible_until_it_is_complete(warehouse, make_stream, make_state):
    stream = make_stream(mode=Mode.FULL, generation=1764000000000)
    table = f"{warehouse.prefix}ITEMS"
    first = [stream.schema(), stream.chunk(0, rows((1, "a"), (2, "b")), read_scn=5), make_state({"chunk": 0})]
    assert warehouse.load(first) == [{"bookmarks": {"chunk": 0}}]
    assert warehouse.query("SELECT COUNT(*) FROM USER_TABLES WHERE TABLE_NAME=:1", table) == [(0,)]
    again = stream.chunk(0, rows((1, "a"), (2, "b")), read_scn=6)
    second = [stream.schema(), again, stream.chunk(1, rows((3, "c"), (1, "later")), read_scn=7), stream.full_sync(2, 4)]
    assert warehouse.load([*second, make_state({"done": 1})]) == [{"bookmarks": {"done": 1}}]
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "later", 7), (2, "b", 5), (3, "c", 7)]
    assert warehouse.query("SELECT COUNT(*) FROM USER_CONSTRAINTS WHERE TABLE_NAME=:1 AND CONSTRAINT_TYPE='P'", table) == [(1,)]
    assert warehouse.private_tables() == []


def test_changes_follow_the_full_sync(warehouse, make_stream, make_state):
    stream = make_stream(mode=Mode.FULL, generation=5)
    warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a"), (2, "b")), read_scn=5), stream.full_sync(1, 2)])
    changes = make_stream(mode=Mode.INCREMENTAL, run_id="run-2")
    warehouse.load([changes.schema(), changes.batch(rows((2, "B"), (3, "c")), read_scn=9)])
    assert warehouse.rows("items", '"ID","NAME"') == [(1, "a"), (2, "B"), (3, "c")]
    assert warehouse.audit("items", "LOAD_MODE,ROWS_INSERTED,ROWS_UPDATED") == [("full", 2, 0), ("incremental", 1, 1)]

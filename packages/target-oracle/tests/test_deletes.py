"""Deletes: after the rows, soft by default, capped; complete reads; the empty extract."""

from __future__ import annotations

import pytest
from oracle_connection.contract import Mode
from target_oracle.deletes import DeleteBudget, DeleteCapError

GONE = "2026-11-22T21:00:00+00:00"


def numbers(*keys, name="x"):
    return [{"ID": key, "NAME": name} for key in keys]


def live(warehouse):
    return [int(key) for (key,) in warehouse.rows("items", '"ID"', where='"_SDC_DELETED_AT" IS NULL')]


@pytest.fixture
def reads(make_stream):
    """Complete reads of a small table: reads(version)."""
    return lambda version: make_stream(mode=Mode.FULL_TABLE, generation=version, run_id=f"run-{version}")


def read(stream, *keys, name="x"):
    version = stream.generation
    return [stream.schema(), stream.batch(numbers(*keys, name=name), read_scn=version), stream.activate(version)]


def test_what_a_complete_read_does_not_bring_is_marked(warehouse, reads):
    warehouse.load(read(reads(1), *range(20)))
    warehouse.load(read(reads(2), *range(19)))
    assert live(warehouse) == list(range(19))
    assert warehouse.rows("items", '"ID","_SDC_TABLE_VERSION","_SDC_SEQUENCE"', where='"ID" IN (0,19)') == [(0, 1, 1), (19, 2, 2)]
    assert warehouse.audit("items", "LOAD_MODE,ROWS_DELETED")[-1] == ("activate", 1)
    assert warehouse.private_tables() == []


def test_a_row_that_comes_back_is_live_again(warehouse, reads):
    for version, keys in ((1, range(20)), (2, range(19)), (3, range(20))):
        warehouse.load(read(reads(version), *keys))
    assert live(warehouse) == list(range(20))


def test_hard_delete_removes_the_rows(warehouse, reads):
    warehouse.load(read(reads(1), *range(20)))
    warehouse.load(read(reads(2), *range(18)), hard_delete=True)
    assert [int(key) for (key,) in warehouse.rows("items", '"ID"')] == list(range(18))


def test_more_than_the_cap_is_refused_and_nothing_is_deleted(warehouse, reads, run_records):
    warehouse.load(read(reads(1), *range(20)))
    with pytest.raises(DeleteCapError, match=r"would delete 3 of 20 rows, more than delete_cap_percent=10 allows \(2\)"):
        warehouse.load(read(reads(2), *range(17)))
    assert live(warehouse) == list(range(20))
    assert run_records()[-1]["status"] == "failed"
    warehouse.load(read(reads(3), *range(17)), delete_cap_percent=20)
    assert live(warehouse) == list(range(17))


def test_an_empty_read_never_empties_the_table_unless_a_setting_says_so(warehouse, reads):
    warehouse.load(read(reads(1), *range(3)))
    empty = [reads(2).schema(), reads(2).activate(2)]
    with pytest.raises(DeleteCapError, match="all 3 rows"):
        warehouse.load(empty, delete_cap_percent=100)
    assert live(warehouse) == [0, 1, 2]
    warehouse.load(empty, allow_empty_overwrite=True)
    assert live(warehouse) == []


def test_a_read_that_was_cut_off_deletes_nothing(warehouse, reads):
    warehouse.load(read(reads(1), *range(20)))
    warehouse.load(read(reads(2), 0, 1)[:-1])
    assert live(warehouse) == list(range(20))


def test_a_foreign_tap_that_announces_its_version_first_deletes_nothing(warehouse):
    schema = {"type": "SCHEMA", "stream": "items", "schema": {"properties": {"ID": {"type": "integer"}}}, "key_properties": ["ID"]}
    version = {"type": "ACTIVATE_VERSION", "stream": "items", "version": 1}
    record = {"type": "RECORD", "stream": "items", "version": 1}
    warehouse.load([schema, version, {**record, "record": {"ID": 1}}, {**record, "record": {"ID": 2}}])
    warehouse.load([schema, {**version, "version": 2}, {**record, "record": {"ID": 1}, "version": 2}], delete_cap_percent=100)
    assert live(warehouse) == [1, 2]
    warehouse.load([schema, {**record, "record": {"ID": 1}, "version": 3}, {**version, "version": 3}], delete_cap_percent=100)
    assert live(warehouse) == [1]


def test_delete_records_take_effect_after_the_rows_of_their_batch(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    rows = [stream.record(row, sequence=1) for row in numbers(*range(20))]
    marks = [stream.record({"ID": 3, "_sdc_deleted_at": GONE}, sequence=2), stream.record({"ID": 99, "_sdc_deleted_at": GONE}, sequence=2)]
    warehouse.load([stream.schema(), *rows, *marks])
    assert live(warehouse) == [key for key in range(20) if key != 3]
    assert warehouse.rows("items", '"NAME","_SDC_SEQUENCE"', where='"ID"=3') == [("x", 2)]
    older = [stream.schema(), stream.record({"ID": 3, "NAME": "old"}, sequence=1)]
    warehouse.load(older)
    assert 3 not in live(warehouse)
    warehouse.load([stream.schema(), stream.record({"ID": 4, "_sdc_deleted_at": GONE}, sequence=5)], hard_delete=True)
    assert warehouse.rows("items", "COUNT(*)", where='"ID"=4') == [(0,)]


def test_the_cap_is_of_the_run_not_of_the_batch(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), stream.batch(numbers(*range(20)), read_scn=1)])
    marks = [stream.record({"ID": key, "_sdc_deleted_at": GONE}, sequence=2) for key in range(3)]
    with pytest.raises(DeleteCapError, match="3 of 20"):
        warehouse.load([stream.schema(), *marks], batch_size_rows=1)
    assert live(warehouse) == list(range(2, 20))


def test_overwrite_replaces_the_table_by_each_complete_read(warehouse, reads):
    warehouse.load(read(reads(1), *range(20)), load_method="overwrite")
    warehouse.load(read(reads(2), *range(19), name="y"), load_method="overwrite")
    assert live(warehouse) == list(range(19))
    assert warehouse.rows("items", 'DISTINCT "NAME"', where='"_SDC_DELETED_AT" IS NULL') == [("y",)]


def test_append_adds_every_row_and_a_file_only_once(warehouse, make_stream, tmp_path):
    import shutil

    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    batch = stream.batch(numbers(1, 1))
    kept = tmp_path / "kept"
    shutil.copytree(stream.directory, kept)
    warehouse.load([stream.schema(), batch], load_method="append")
    shutil.copytree(kept, stream.directory)
    warehouse.load([stream.schema(), batch], load_method="append")
    assert warehouse.rows("items", "COUNT(*)") == [(2,)]


@pytest.mark.parametrize(("percent", "live_rows", "allowed"), [(10, 100, 10), (10, 5, 1), (0, 100, 0), (100, 10, 9), (10, 1, 0)])
def test_the_budget_is_a_share_and_never_all(percent, live_rows, allowed):
    budget = DeleteBudget("T", percent, allow_all=False, live_rows=live_rows)
    for _ in range(allowed):
        budget.spend(1)
    with pytest.raises(DeleteCapError):
        budget.spend(1)


def test_a_delete_mark_needs_no_value_but_its_key(warehouse, make_stream):
    warehouse.load(read(make_stream(mode=Mode.FULL_TABLE, generation=1, mandatory={"NAME"}), *range(20)))
    stream = make_stream(mandatory={"NAME"})
    warehouse.load([stream.schema(), stream.record({"ID": 3, "_sdc_deleted_at": GONE})])
    assert live(warehouse) == [key for key in range(20) if key != 3]
    nullable = "SELECT NULLABLE FROM USER_TAB_COLUMNS WHERE TABLE_NAME=:1 AND COLUMN_NAME='NAME'"
    assert warehouse.query(nullable, f"{warehouse.prefix}ITEMS") == [("N",)]

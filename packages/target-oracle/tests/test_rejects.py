"""Bad rows among RECORDs, and drift, on a real table."""

from __future__ import annotations

import pytest
from oracle_connection.contract import Mode
from target_oracle.drift import DriftError
from target_oracle.rejects import RejectedRowError


def records(stream, *pairs):
    return [stream.record({"ID": key, "NAME": name}) for key, name in pairs]


def loaded(warehouse):
    return warehouse.rows("items", '"ID","NAME"')


@pytest.fixture
def stream(make_stream):
    return make_stream(columns={"ID": "NUMBER(3)", "NAME": "VARCHAR2(5 CHAR)"}, mode=Mode.FULL_TABLE, generation=1)


def test_a_bad_row_fails_the_run_with_key_and_code_and_keeps_the_batches_before_it(warehouse, stream, make_state):
    good = records(stream, (1, "a"), (2, "b"))
    bad = records(stream, (3, "c"), (4, "too long"), (5, "e"))
    with pytest.raises(RejectedRowError, match=r"row ID=4 is refused \(ORA-12899\)") as caught:
        warehouse.load([stream.schema(), *good, make_state({"at": 2}), *bad, make_state({"at": 5})], batch_size_rows=2)
    assert loaded(warehouse)[:2] == [(1, "a"), (2, "b")]
    assert all(name != "too long" for _, name in loaded(warehouse))
    assert caught.value.states == [{"bookmarks": {"at": 2}}]


def test_bad_rows_are_put_aside_up_to_a_limit(warehouse, stream, run_records):
    rows = records(stream, (1, "a"), (2, "far too long"), (1000, "c"), (4, "d"))
    rows.append(stream.record({"ID": "five", "NAME": "e"}))
    warehouse.load([stream.schema(), *rows], max_rejected_rows=3)
    assert loaded(warehouse) == [(1, "a"), (4, "d")]
    aside = warehouse.query(f'SELECT ROW_KEY,ORA_CODE FROM "{warehouse.prefix}ITEMS__REJECTED" ORDER BY ROW_KEY')
    assert aside == [("ID=1000", None), ("ID=2", "ORA-12899"), ("ID=five", None)]
    assert run_records()[-1]["rejected"] == 3
    with pytest.raises(RejectedRowError, match="max_rejected_rows=1 is exceeded"):
        warehouse.load([stream.schema(), *rows], max_rejected_rows=1)


def test_a_check_constraint_of_the_table_is_a_reason_too(warehouse, stream):
    warehouse.load([stream.schema(), *records(stream, (1, "a"))])
    warehouse.execute(f'ALTER TABLE "{warehouse.prefix}ITEMS" ADD CONSTRAINT "{warehouse.prefix}CK" CHECK ("ID" < 10)')
    with pytest.raises(RejectedRowError, match=r"row ID=12 is refused \(ORA-02290\)"):
        warehouse.load([stream.schema(), *records(stream, (2, "b"), (12, "c"))])


def test_drift_in_each_direction(warehouse, stream, run_records):
    warehouse.load([stream.schema(), *records(stream, (1, "a"))])
    stream.columns |= {"NAME": "VARCHAR2(9 CHAR)", "ID": "NUMBER(5)", "EXTRA": "DATE"}
    warehouse.load([stream.schema(), stream.record({"ID": 12345, "NAME": "ninechars", "EXTRA": "2026-01-02T03:04:05"})])
    assert run_records()[-1]["schema_changes"] == [
        "widened column ID from NUMBER(3) to NUMBER(5)",
        "widened column NAME from VARCHAR2(5 CHAR) to VARCHAR2(9 CHAR)",
        "added column EXTRA DATE",
    ]
    del stream.columns["EXTRA"]
    warehouse.load([stream.schema(), *records(stream, (2, "b"))])
    assert run_records()[-1]["schema_changes"] == ["column EXTRA is no longer sent; it stays"]
    assert warehouse.rows("items", "COUNT(*)", where='"EXTRA" IS NOT NULL') == [(1,)]
    stream.columns["NAME"] = "VARCHAR2(5 CHAR)"
    with pytest.raises(DriftError, match=r"column NAME narrowed from VARCHAR2\(9 CHAR\) to VARCHAR2\(5 CHAR\)"):
        warehouse.load([stream.schema(), *records(stream, (3, "c"))])
    warehouse.load([stream.schema(), *records(stream, (3, "c"))], on_schema_drift="keep_wider")
    stream.columns["NAME"] = "DATE"
    with pytest.raises(DriftError, match="changed its kind"):
        warehouse.load([stream.schema(), stream.record({"ID": 4, "NAME": "2026-01-02T03:04:05"})])
    assert len(loaded(warehouse)) == 4


def test_not_null_is_relaxed_when_the_data_need_it(warehouse, make_stream, run_records):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1, mandatory={"NAME"})
    warehouse.load([stream.schema(), stream.batch([{"ID": 1, "NAME": "a"}])])
    nullable = "SELECT NULLABLE FROM USER_TAB_COLUMNS WHERE TABLE_NAME=:1 AND COLUMN_NAME='NAME'"
    assert warehouse.query(nullable, f"{warehouse.prefix}ITEMS") == [("N",)]
    warehouse.load([stream.schema(), stream.batch([{"ID": 2, "NAME": None}])])
    assert warehouse.query(nullable, f"{warehouse.prefix}ITEMS") == [("Y",)]
    assert run_records()[-1]["schema_changes"] == ["relaxed NOT NULL of column NAME: the data have NULL"]


def test_a_change_of_schema_within_a_run_loads_the_rows_before_it_first(warehouse, stream):
    messages = [stream.schema(), *records(stream, (1, "a"))]
    stream.columns["MORE"] = "NUMBER(3)"
    messages += [stream.schema(), stream.record({"ID": 2, "NAME": "b", "MORE": 7})]
    warehouse.load(messages)
    assert warehouse.rows("items", '"ID","NAME","MORE"') == [(1, "a", None), (2, "b", 7)]


def test_records_before_a_file_are_loaded_before_it(warehouse, stream):
    warehouse.load([stream.schema(), *records(stream, (1, "first")), stream.batch([{"ID": 1, "NAME": "last"}])])
    assert loaded(warehouse) == [(1, "last")]


def test_the_current_view_shows_what_is_there(warehouse, stream):
    warehouse.load([stream.schema(), *records(stream, (1, "a"), (2, "b")), stream.activate(1)], current_view=True)
    warehouse.load(
        [stream.schema(), stream.record({"ID": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"})], current_view=True, delete_cap_percent=50
    )
    assert warehouse.query(f'SELECT * FROM "{warehouse.prefix}ITEMS_CURRENT"') == [(2, "b")]

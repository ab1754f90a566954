"""One row per key: the latest version stays, by one order, and says whether it replaced others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_connection.types import parse_type
from target_oracle.columns import Column, TableModel
from target_oracle.versions import latest

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Pure and quick; only a busy machine makes them slow."""
START = datetime(2026, 1, 1)
versions = st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4), st.integers(0, 2), st.booleans())
"""Key, read SCN, time of reading, whether it is a delete mark."""


def model(replication_key=None, **types):
    columns = tuple(Column(name, parse_type(text), source=name) for name, text in types.items())
    return TableModel("WH", "T", columns, ("ID",), replication_key=replication_key)


def test_a_row_that_came_twice_with_one_content_replaced_nothing():
    table = pa.table({"ID": [1, 1, 2, 2], "V": ["a", "a", "a", "b"], "_SDC_SEQUENCE": [1, 2, 1, 2]})
    reduced = latest(table, model(ID="NUMBER(9)", V="VARCHAR2(5 CHAR)"))
    assert reduced.to_pylist() == [
        {"ID": 1, "V": "a", "_SDC_SEQUENCE": 2, "_SDC_REPLACES": None},
        {"ID": 2, "V": "b", "_SDC_SEQUENCE": 2, "_SDC_REPLACES": 1},
    ]


ITEMS = model(ID="NUMBER(9)", PLACE="NUMBER(9)")


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=2)), max_size=30))
def test_the_last_row_of_each_key_stays_in_order(pairs):
    table = pa.table({"ID": pa.array([each[0] for each in pairs], pa.int64()), "V": pa.array([each[1] for each in pairs], pa.string())})
    reduced = latest(table, model(ID="NUMBER(9)", V="VARCHAR2(5 CHAR)"))
    expected = dict(pairs)
    result = table if reduced is None else reduced
    assert dict(zip(result["ID"].to_pylist(), result["V"].to_pylist(), strict=True)) == expected
    assert result.num_rows == len(expected)


@UNHURRIED
@given(st.lists(versions, max_size=20))
def test_the_newest_live_row_stays_and_a_later_mark(rows):
    table = pa.table(
        {
            "ID": pa.array([each[0] for each in rows], pa.int64()),
            "_SDC_SEQUENCE": pa.array([each[1] for each in rows], pa.int64()),
            "_SDC_EXTRACTED_AT": pa.array([START + timedelta(seconds=each[2]) for each in rows], pa.timestamp("us")),
            "_SDC_DELETED_AT": pa.array([START if each[3] else None for each in rows], pa.timestamp("us")),
            "PLACE": pa.array(range(len(rows)), pa.int64()),
        }
    )
    reduced = latest(table, ITEMS)
    result = table if reduced is None else reduced
    kept = result["PLACE"].to_pylist()
    replaces = result["_SDC_REPLACES"].to_pylist() if reduced is not None else [None] * len(kept)
    for key in {each[0] for each in rows}:
        places = [place for place, each in enumerate(rows) if each[0] == key]
        ranked = sorted(places, key=lambda place: (-1 if rows[place][1] is None else rows[place][1], rows[place][2], place))
        assert ranked[-1] in kept
        mine = [place for place in kept if rows[place][0] == key]
        assert sum(not rows[place][3] for place in mine) <= 1
        assert sum(rows[place][3] for place in mine) <= 1
        live = [place for place in ranked if not rows[place][3]]
        if live:
            assert live[-1] in kept
        if len(mine) < len(places):
            assert {replaces[kept.index(place)] for place in mine} == {1}


@pytest.mark.parametrize(("type_", "values"), [("NUMBER(9)", [9, 10, 2]), ("NUMBER", ["9", "10", "2"])])
def test_a_foreign_stream_keeps_the_highest_replication_key_then_the_later_row(type_, values):
    array = pa.array([*values, values[1]], pa.int64() if isinstance(values[0], int) else pa.string())
    times = pa.array([START, START, START, START - timedelta(seconds=1)], pa.timestamp("us"))
    table = pa.table({"ID": [1, 1, 1, 1], "AT": array, "_SDC_EXTRACTED_AT": times, "PLACE": [0, 1, 2, 3]})
    reduced = latest(table, model("AT", ID="NUMBER(9)", AT=type_, PLACE="NUMBER(9)"))
    assert (reduced["PLACE"].to_pylist(), reduced["_SDC_REPLACES"].to_pylist()) == ([1], [1])


@pytest.mark.parametrize(
    ("type_", "values"),
    [("NUMBER", ["1", "1.0", "1E0", "100E-2"]), ("CHAR(3 CHAR)", ["a", "a  "]), ("BINARY_DOUBLE", [0.0, -0.0])],
)
def test_keys_that_are_equal_to_oracle_are_one_key(type_, values):
    array = pa.array(values, pa.float64() if type_ == "BINARY_DOUBLE" else pa.string())
    table = pa.table({"ID": array, "N": list(range(len(values)))})
    assert latest(table, model(ID=type_))["N"].to_pylist() == [len(values) - 1]


def test_keys_that_differ_in_the_last_of_38_digits_are_two_keys():
    table = pa.table({"ID": ["1" * 37 + "1", "1" * 37 + "2"]})
    assert latest(table, model(ID="NUMBER")) is None

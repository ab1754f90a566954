"""Rows made fit for a load table: types, keys, one row per key."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_connection.types import parse_type
from target_oracle.batch import fit, latest, latest_positions
from target_oracle.columns import Column, TableModel
from target_oracle.errors import DataError
from target_oracle.records import InvalidRecordError, make_validator, to_table
from target_oracle.rejects import find_bad_rows

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Pure and quick; only a busy machine makes them slow."""


def model(*key, **types):
    columns = tuple(Column(name, parse_type(text), source=name.lower()) for name, text in types.items())
    return TableModel("WH", "T", columns, key or ("ID",))


def test_columns_are_taken_by_property_and_absent_ones_are_null():
    fitted = fit(pa.table({"other": [1], "id": pa.array([7], pa.int32())}), model(ID="NUMBER(9)", NAME="VARCHAR2(5 CHAR)"))
    assert fitted.to_pylist() == [{"ID": 7, "NAME": None}]
    assert fitted.schema.types == [pa.int64(), pa.string()]


def test_foreign_types_are_converted_without_loss():
    table = pa.table(
        {
            "id": [1],
            "x": [0.1],
            "flag": [True],
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, 6)], pa.timestamp("us", "UTC")),
            "nest": [{"a": [1, 2]}],
            "money": pa.array([Decimal("1.50")], pa.decimal128(9, 2)),
        }
    )
    target = model(
        ID="NUMBER(38)",
        X="NUMBER",
        FLAG="NUMBER(1)",
        AT="TIMESTAMP(6) WITH TIME ZONE",
        NEST="CLOB",
        MONEY="NUMBER(19,4)",
    )
    (row,) = fit(table, target).to_pylist()
    assert row == {
        "ID": Decimal(1),
        "X": "0.1",
        "FLAG": 1,
        "AT": datetime(2026, 1, 2, 3, 4, 5, 6),
        "NEST": '{"a": [1, 2]}',
        "MONEY": Decimal("1.5000"),
    }


def test_a_value_that_would_be_rounded_is_refused_by_column():
    with pytest.raises(DataError, match=r"column x: values of type .* do not fit NUMBER\(9,2\)"):
        fit(pa.table({"id": [1], "x": pa.array([Decimal("1.555")], pa.decimal128(9, 3))}), model(ID="NUMBER(9)", X="NUMBER(9,2)"))


@pytest.mark.parametrize("missing", [None, ""])
def test_a_row_without_key_is_refused(missing):
    with pytest.raises(DataError, match="row 2 of the batch has no value for key column ID"):
        fit(pa.table({"id": pa.array(["a", missing], pa.string())}), model(ID="VARCHAR2(5 CHAR)"))


def test_blank_padded_text_that_is_too_long_is_refused():
    with pytest.raises(DataError, match="length 4"):
        fit(pa.table({"id": [1], "c": ["abcd"]}), model(ID="NUMBER(9)", C="CHAR(3 CHAR)"))


@pytest.mark.parametrize(("type_", "value"), [("NUMBER(3)", 1000), ("NUMBER(5,2)", Decimal("1000.00")), ("NUMBER(3,-2)", 100_000)])
def test_a_number_beyond_its_precision_is_refused(type_, value):
    target = model(ID="NUMBER(9)", N=type_)
    wide = pa.int64() if isinstance(value, int) else pa.decimal128(19, 2)
    with pytest.raises(DataError, match=r"column [Nn]"):
        fit(pa.table({"id": [1], "n": pa.array([value], wide)}), target)
    fit(pa.table({"id": [1], "n": pa.array([value - 1], wide)}), target)


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=2)), max_size=30))
def test_the_last_row_of_each_key_stays_in_order(pairs):
    table = pa.table({"ID": pa.array([each[0] for each in pairs], pa.int64()), "V": pa.array([each[1] for each in pairs], pa.string())})
    reduced = latest(table, ["ID"], [parse_type("NUMBER(9)")])
    expected = dict(pairs)
    result = table if reduced is None else reduced
    assert dict(zip(result["ID"].to_pylist(), result["V"].to_pylist(), strict=True)) == expected
    assert result.num_rows == len(expected)


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4), st.booleans()), max_size=20))
def test_versions_and_delete_marks_keep_the_newest_live_row_and_a_later_mark(rows):
    now = datetime(2026, 1, 1)
    table = pa.table(
        {
            "ID": pa.array([each[0] for each in rows], pa.int64()),
            "_SDC_SEQUENCE": pa.array([each[1] for each in rows], pa.int64()),
            "_SDC_DELETED_AT": pa.array([now if each[2] else None for each in rows], pa.timestamp("us")),
        }
    )
    kept = latest_positions(table, ["ID"], [parse_type("NUMBER(9)")])
    for key in {each[0] for each in rows}:
        ranked = sorted(
            (position for position, each in enumerate(rows) if each[0] == key),
            key=lambda p: (rows[p][1] if rows[p][1] is not None else -1, p),
        )
        assert ranked[-1] in kept
        mine = [position for position in kept if rows[position][0] == key]
        assert sum(not rows[position][2] for position in mine) <= 1
        assert sum(rows[position][2] for position in mine) <= 1
        live = [position for position in ranked if not rows[position][2]]
        if live:
            assert live[-1] in kept


@pytest.mark.parametrize(
    ("type_", "values"),
    [("NUMBER", ["1", "1.0", "1E0", "100E-2"]), ("CHAR(3 CHAR)", ["a", "a  "]), ("BINARY_DOUBLE", [0.0, -0.0])],
)
def test_keys_that_are_equal_to_oracle_are_one_key(type_, values):
    array = pa.array(values, pa.float64() if type_ == "BINARY_DOUBLE" else pa.string())
    table = pa.table({"ID": array, "N": list(range(len(values)))})
    assert latest(table, ["ID"], [parse_type(type_)])["N"].to_pylist() == [len(values) - 1]


def test_keys_that_differ_in_the_last_of_38_digits_are_two_keys():
    table = pa.table({"ID": ["1" * 37 + "1", "1" * 37 + "2"]})
    assert latest(table, ["ID"], [parse_type("NUMBER")]) is None


def test_records_keep_every_digit_and_nested_values_become_json():
    target = model(ID="NUMBER(38)", X="NUMBER", O="CLOB", D="DATE", T="TIMESTAMP(6) WITH TIME ZONE")
    record = {
        "id": 10**30,
        "x": Decimal("0.1000000000000000000000000000000000001"),
        "o": {"a": Decimal("1.10")},
        "d": "2026-01-02",
        "t": "2026-01-02T03:04:05-02:00",
    }
    row = to_table([record], [(None, 5, None)], target).to_pylist()[0]
    assert row == {
        "ID": Decimal(10**30),
        "X": "0.1000000000000000000000000000000000001",
        "O": '{"a":1.10}',
        "D": datetime(2026, 1, 2),
        "T": datetime(2026, 1, 2, 5, 4, 5),
        "_SDC_SEQUENCE": 5,
    }


def test_the_validator_is_compiled_and_names_the_property():
    validate = make_validator(
        {"type": "object", "properties": {"id": {"type": "integer"}, "x": {"type": ["number", "null"], "multipleOf": 0.01}}}
    )
    validate({"id": 10**30, "x": Decimal("0.1"), "unknown": 1})
    with pytest.raises(InvalidRecordError, match="property id: must be integer"):
        validate({"id": "1"})


@UNHURRIED
@given(st.sets(st.integers(0, 40), max_size=6))
def test_bad_rows_are_found_one_by_one(bad):
    def trial(positions):
        if bad & set(positions):
            raise ValueError(str(min(bad & set(positions))))

    assert [each.position for each in find_bad_rows(range(41), trial, limit=10)] == sorted(bad)
    assert len(find_bad_rows(range(41), trial, limit=1)) <= 2

"""Rows made fit for a load table: types, keys, one row per key."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_connection.types import parse_type
from target_oracle.batch import fit
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

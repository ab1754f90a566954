"""Any value of any type survives Arrow -> JSON -> Arrow, through a JSON text."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_connection.types import arrow_type, json_schema, parse_type
from oracle_connection.values import from_json, to_json

encoder = msgspec.json.Encoder(decimal_format="number")


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**precision) + 1, 10**precision - 1).map(lambda digits: Decimal(f"{digits}E{-scale}"))


moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "NUMBER(18)": st.integers(-(10**18) + 1, 10**18 - 1),
    "NUMBER(38)": decimals(38, 0),
    "NUMBER(19,4)": decimals(19, 4),
    "NUMBER(38,38)": decimals(38, 38),
    "NUMBER(5,-2)": st.integers(-99999, 99999).map(lambda value: Decimal(value * 100)),
    "NUMBER": decimals(38, 0).flatmap(lambda value: st.integers(-130, 87).map(lambda power: str(Decimal(f"{value}E{power}")))),
    "FLOAT(126)": st.sampled_from([".5", "-.000000000000000000000000000000000000000000000000000000000000123", "1.5E-130", "9E+125"]),
    "NUMBER(*,0)": st.integers(-(10**40), 10**40).map(str),
    "BINARY_DOUBLE": st.floats(),
    "BINARY_FLOAT": st.floats(width=32),
    "VARCHAR2(4000 CHAR)": st.text(min_size=1),
    "CHAR(3 CHAR)": st.text(min_size=3, max_size=3),
    "RAW(2000)": st.binary(min_size=1),
    "DATE": moments.map(lambda value: value.replace(microsecond=0)),
    "TIMESTAMP(6)": moments,
    "TIMESTAMP(6) WITH TIME ZONE": moments.map(lambda value: value.replace(tzinfo=UTC)),
    "TIMESTAMP(9)": st.just("2026-11-22T20:15:00.123456789"),
    "INTERVAL DAY(2) TO SECOND(6)": st.just("+02 03:04:05.678900"),
}


@pytest.mark.parametrize("text", VALUES)
@given(data=st.data())
def test_every_value_survives(text: str, data: st.DataObject) -> None:
    oracle = parse_type(text)
    column = pa.array(data.draw(st.lists(st.none() | VALUES[text], max_size=5)), arrow_type(oracle))
    line = encoder.encode(to_json(column, oracle))
    back = from_json(json.loads(line, parse_float=Decimal), oracle)
    assert back.type == column.type
    if oracle.kind in {"NUMBER", "FLOAT"} and pa.types.is_string(column.type):
        expected, got = ([None if value is None else Decimal(value) for value in each.to_pylist()] for each in (column, back))
        assert got == expected
    else:
        assert repr(back.to_pylist()) == repr(column.to_pylist())


def test_the_texts_are_those_of_the_contract() -> None:
    moment = datetime(2026, 11, 22, 20, 15, 0, 123456)
    assert to_json(pa.array([moment.replace(microsecond=0)], pa.timestamp("s")), parse_type("DATE")) == ["2026-11-22T20:15:00"]
    assert to_json(pa.array([moment], pa.timestamp("us")), parse_type("TIMESTAMP(6)")) == ["2026-11-22T20:15:00.123456"]
    zoned = pa.array([moment], pa.timestamp("us", tz="UTC"))
    assert to_json(zoned, parse_type("TIMESTAMP(6) WITH TIME ZONE")) == ["2026-11-22T20:15:00.123456+00:00"]
    assert to_json(pa.array([b"\x00\xab"]), parse_type("RAW(2)")) == ["00AB"]
    assert to_json(pa.array([float("nan"), float("inf"), -float("inf")]), parse_type("BINARY_DOUBLE")) == ["NaN", "Infinity", "-Infinity"]
    assert encoder.encode(to_json(pa.array([".5"]), parse_type("NUMBER"))) == b"[0.5]"
    assert encoder.encode(to_json(pa.array([Decimal("1.5000")], pa.decimal128(19, 4)), parse_type("NUMBER(19,4)"))) == b"[1.5000]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NUMBER(5)", Decimal("1.5")),
        ("NUMBER(5,2)", Decimal("1.234")),
        ("NUMBER(5,2)", Decimal(123456)),
        ("TIMESTAMP(6)", "2026-11-22T20:15:00.1234567"),
        ("RAW(2)", "xyz"),
        ("DATE", "soon"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Arrow's and Python's texts differ; that nothing is made of it is the point
        from_json([value], parse_type(text))


def test_a_foreign_taps_values_are_understood() -> None:
    zoned = parse_type("TIMESTAMP(6) WITH TIME ZONE")
    assert (
        from_json(["2026-11-22T20:15:00Z", "2026-11-22T17:15:00-03:00", "2026-11-22T20:15:00"], zoned).to_pylist()
        == [datetime(2026, 11, 22, 20, 15, tzinfo=UTC)] * 3
    )
    assert from_json(["2026-11-22"], parse_type("DATE")).to_pylist() == [datetime(2026, 11, 22)]
    assert from_json([True, False], parse_type("NUMBER(1)")).to_pylist() == [1, 0]
    assert from_json([0.1, "2.5"], parse_type("NUMBER")).to_pylist() == ["0.1", "2.5"]


@pytest.mark.parametrize("text", VALUES)
def test_json_values_match_the_json_schema(text: str) -> None:
    import jsonschema

    oracle = parse_type(text)
    schema = json_schema(oracle)
    example = {"string": "A1", "integer": 1, "number": 1.5}[schema["type"][0]]
    jsonschema.validate(example, schema)
    jsonschema.validate(None, schema)

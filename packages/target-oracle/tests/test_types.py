"""Every type through both inputs, read back equal, value for value (property-based)."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle_connection.contract import Mode
from oracle_connection.types import arrow_type, parse_type, select_expression
from oracle_connection.values import to_json

instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


def decimals(digits, scale):
    return st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda value: Decimal(f"{value}E-{scale}"))


def number_texts():
    """Bare NUMBERs: up to 38 digits, exponents that Oracle holds."""
    mantissa = st.integers(-(10**38) + 1, 10**38 - 1)
    return st.tuples(mantissa, st.integers(-80, 40)).map(lambda pair: f"{pair[0]}E{pair[1]}")


def fine_text(value):
    return value.isoformat(timespec="microseconds") + "789"


def days(value):
    whole = timedelta(microseconds=value)
    sign = "-" if value < 0 else "+"
    whole = abs(whole)
    hours, rest = divmod(whole.seconds, 3600)
    return f"{sign}{whole.days:02d} {hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{whole.microseconds:06d}"


def months(value):
    return f"{'-' if value < 0 else '+'}{abs(value) // 12:02d}-{abs(value) % 12:02d}"


TYPES = {
    "NUMBER(9)": st.integers(-(10**9) + 1, 10**9 - 1),
    "NUMBER(38)": decimals(38, 0),
    "NUMBER(19,4)": decimals(19, 4),
    "NUMBER": number_texts(),
    "FLOAT(53)": st.integers(-(2**40), 2**40).map(str),
    "BINARY_DOUBLE": st.floats(),
    "BINARY_FLOAT": st.floats(width=32),
    "VARCHAR2(12 CHAR)": texts,
    "NVARCHAR2(24)": texts,
    "CHAR(3 CHAR)": st.text("abcé ", min_size=1, max_size=3).map(lambda text: text.ljust(3)),
    "CLOB": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40) | st.just("é" * 3000),
    "BLOB": st.binary(min_size=1, max_size=40) | st.just(b"\1" * 5000),
    "RAW(16)": st.binary(min_size=1, max_size=16),
    "DATE": instants.map(lambda value: value.replace(microsecond=0)),
    "TIMESTAMP(6)": instants,
    "TIMESTAMP(9)": instants.map(fine_text),
    "TIMESTAMP(6) WITH TIME ZONE": instants,
    "TIMESTAMP(6) WITH LOCAL TIME ZONE": instants,
    "INTERVAL DAY(2) TO SECOND(6)": st.integers(-(99 * 86_400 * 10**6), 99 * 86_400 * 10**6).map(days),
    "INTERVAL YEAR(2) TO MONTH": st.integers(-1199, 1199).map(months),
}
NAMES = {f"C{number}": text for number, text in enumerate(TYPES)}
TYPES_OF = NAMES
ROW = st.fixed_dictionaries({name: st.none() | TYPES[text] for name, text in NAMES.items()})


def canonical(text, value):
    """A value in a form in which equal ones are equal: numbers by value, NaN as itself."""
    if value is None:
        return None
    if text in {"NUMBER", "FLOAT(53)"}:
        return Decimal(value)
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def read_back(warehouse, stream):
    """The table's values in the contract's forms, by expressions that the target does not use; numbers as the driver's exact decimals."""
    plain = {"NUMBER", "FLOAT(53)"}
    expressions = [f'"{name}"' if text in plain else select_expression(parse_type(text), f'"{name}"') for name, text in NAMES.items()]
    rows = warehouse.rows(stream, '"ID",' + ",".join(expressions))
    return {row[0]: {name: canonical(text, value) for (name, text), value in zip(NAMES.items(), row[1:], strict=True)} for row in rows}


@pytest.mark.parametrize("how", ["files", "records"])
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_every_value_arrives_equal(warehouse, make_stream, how, rows):
    name = f"types{how}"
    stream = make_stream(name, {"ID": "NUMBER(9)", **NAMES}, mode=Mode.FULL_TABLE, generation=1)
    rows = [{"ID": number, **row} for number, row in enumerate(rows)]
    types = {"ID": "NUMBER(9)", **NAMES}
    arrays = {name: pa.array([row[name] for row in rows], arrow_type(parse_type(text))) for name, text in types.items()}
    if how == "files":
        messages = [stream.batch(pa.table(arrays))]
    else:
        values = {name: to_json(array, parse_type(types[name])) for name, array in arrays.items()}
        messages = [stream.record({name: each[number] for name, each in values.items()}) for number in range(len(rows))]
    import msgspec

    encode = msgspec.json.Encoder(decimal_format="number").encode
    target = warehouse.target()
    target.listen([encode(each).decode() for each in [stream.schema(), *messages]])
    expected = {row["ID"]: {each: canonical(text, row[each]) for each, text in NAMES.items()} for row in rows}
    found = read_back(warehouse, name)
    wrong = [
        (TYPES_OF[each], row[each], found[key][each]) for key, row in expected.items() for each in row if row[each] != found[key][each]
    ]
    assert wrong == []
    # the same rows once more: nothing differs, so nothing is written
    again = warehouse.target()
    again.listen([encode(each).decode() for each in [stream.schema(), *([stream.batch(pa.table(arrays))] if how == "files" else messages)]])
    assert warehouse.audit(name)[-1][1:4] == (0, 0, len(rows))


def test_the_dictionary_shows_the_exact_types(warehouse, make_stream):
    stream = make_stream("exact", {"ID": "NUMBER(9)", **NAMES}, mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), stream.batch([{"ID": 1}])])
    found = warehouse.target()
    found._process_schema_message(stream.schema())
    existing = found._sink("exact").writer.connector.read_table(f"{warehouse.prefix}EXACT")
    found.close("success")
    assert {each.name: str(each.type) for each in existing.columns if each.name in NAMES} == {
        name: str(parse_type(text)) for name, text in NAMES.items()
    }

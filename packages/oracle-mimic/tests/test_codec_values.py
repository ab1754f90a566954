"""Columns of every other kind: to the wire and back gives the same column; some bytes are stated outright."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.types import Kind, OracleType
from oracle_mimic.wire.buffer import Reader, WireError, Writer
from oracle_mimic.wire.decode import Located, decode
from oracle_mimic.wire.encode import encode_rows, encode_values
from oracle_mimic.wire.rowid import components
from oracle_mimic.wire.singles import FEW_ROWS

NANO = 10**9
EPOCH = datetime(1970, 1, 1)
FIRST = (datetime(1, 1, 1) - EPOCH) // timedelta(seconds=1)
LAST = (datetime(9999, 12, 31, 23, 59, 59) - EPOCH) // timedelta(seconds=1)


def no_lobs(kind: Kind, value: object) -> bytes:
    raise AssertionError("no LOB here")


def there_and_back(kind: Kind, array: pa.Array, length: int | None = None) -> pa.Array:
    def reader(data: bytes) -> Reader:
        made = Reader(lambda: pytest.fail("the value is cut"))
        made.data += data
        return made

    values = encode_values(array, OracleType(kind, length=length), no_lobs)
    return decode(kind, Located.of([reader(value).clr() for value in values]))


@given(st.lists(st.none() | st.integers(FIRST, LAST), min_size=1, max_size=20))
def test_dates(seconds: list[int | None]) -> None:
    array = pa.array(seconds, pa.timestamp("s"))
    assert there_and_back(Kind.DATE, array).equals(array)


@given(st.integers(FIRST, LAST))
def test_a_date_is_the_bytes_of_its_clock(seconds: int) -> None:
    value = EPOCH + timedelta(seconds=seconds)
    expected = bytes(
        (7, value.year // 100 + 100, value.year % 100 + 100, value.month, value.day, value.hour + 1, value.minute + 1, value.second + 1)
    )
    assert encode_values(pa.array([seconds], pa.timestamp("s")), OracleType(Kind.DATE), no_lobs) == [expected]


@given(st.lists(st.none() | st.integers(FIRST * 10**6, LAST * 10**6), min_size=1, max_size=20))
def test_timestamps_of_microseconds(micros: list[int | None]) -> None:
    array = pa.array(micros, pa.timestamp("us"))
    assert there_and_back(Kind.TIMESTAMP, array).equals(array)


@given(st.lists(st.none() | st.integers(FIRST * NANO, LAST * NANO), min_size=1, max_size=20))
def test_timestamps_of_nanoseconds(nanos: list[int | None]) -> None:
    back = there_and_back(Kind.TIMESTAMP, pa.array([None if n is None else Decimal(n) for n in nanos], pa.decimal128(38, 0)))
    scale = 1000 if pa.types.is_timestamp(back.type) else 1
    values = back.cast(pa.int64()) if pa.types.is_timestamp(back.type) else back
    assert [None if value is None else int(value) * scale for value in values.to_pylist()] == nanos


@given(st.lists(st.none() | st.tuples(st.integers(FIRST * NANO, LAST * NANO), st.integers(-12 * 60 + 1, 14 * 60)), min_size=1, max_size=10))
def test_timestamps_with_time_zone(values: list[tuple[int, int] | None]) -> None:
    type_ = pa.struct([("utc", pa.decimal128(38, 0)), ("offset", pa.int32())])
    array = pa.array([None if v is None else {"utc": Decimal(v[0]), "offset": v[1]} for v in values], type_)
    assert there_and_back(Kind.TIMESTAMP_TZ, array).to_pylist() == array.to_pylist()


@given(st.lists(st.none() | st.integers(-999_999_999 * 86400 * NANO, 999_999_999 * 86400 * NANO), min_size=1, max_size=20))
def test_intervals_day_to_second(nanos: list[int | None]) -> None:
    array = pa.array([None if n is None else Decimal(n) for n in nanos], pa.decimal128(38, 0))
    assert there_and_back(Kind.INTERVAL_DS, array).equals(array)


@given(st.lists(st.none() | st.integers(-99999, 99999), min_size=1, max_size=20))
def test_intervals_year_to_month(months: list[int | None]) -> None:
    array = pa.array(months, pa.int32())
    assert there_and_back(Kind.INTERVAL_YM, array).equals(array)


@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=20))
def test_doubles(values: list[float | None]) -> None:
    array = pa.array(values, pa.float64())
    assert there_and_back(Kind.BINARY_DOUBLE, array).equals(array)


@given(st.lists(st.none() | st.floats(allow_nan=False, width=32), min_size=1, max_size=20))
def test_floats(values: list[float | None]) -> None:
    array = pa.array(values, pa.float32())
    assert there_and_back(Kind.BINARY_FLOAT, array).equals(array)


def test_nan_and_infinities_have_oracles_bytes() -> None:
    values = encode_values(pa.array([float("nan"), float("inf"), float("-inf"), 1.0]), OracleType(Kind.BINARY_DOUBLE), no_lobs)
    assert [value[1:].hex() for value in values] == ["fff8000000000000", "fff0000000000000", "000fffffffffffff", "bff0000000000000"]
    assert struct.unpack(">d", bytes.fromhex("3ff0000000000000"))[0] == 1.0


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400)


@given(st.lists(st.none() | TEXT, min_size=1, max_size=10))
@pytest.mark.parametrize("kind", [Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR])
def test_text_short_and_long(kind: Kind, values: list[str | None]) -> None:
    array = pa.array(values, pa.string())
    assert there_and_back(kind, array, 4000).equals(array)


@pytest.mark.parametrize("length", [1, 252, 253, 254, 255, 32767, 70000])
def test_lengths_around_the_chunk_limit(length: int) -> None:
    array = pa.array(["x" * length, None, "y"], pa.string())
    assert there_and_back(Kind.VARCHAR2, array).equals(array)


@given(st.lists(st.none() | st.binary(min_size=1, max_size=300), min_size=1, max_size=10))
def test_raw(values: list[bytes | None]) -> None:
    array = pa.array(values, pa.binary())
    assert there_and_back(Kind.RAW, array, 2000).equals(array)


@given(st.lists(st.none() | st.booleans(), min_size=1, max_size=10))
def test_booleans(values: list[bool | None]) -> None:
    array = pa.array(values, pa.bool_())
    assert there_and_back(Kind.BOOLEAN, array).equals(array)


def test_rowids_carry_their_four_numbers() -> None:
    rowid = "AAAR3sAAEAAAACXAAB"
    value = encode_values(pa.array([rowid, None]), OracleType(Kind.ROWID), no_lobs)
    reader = Reader(lambda: pytest.fail("cut"))
    reader.data += value[0]
    assert reader.u1() > 0
    object_, file = reader.ub(4), reader.ub(2)
    reader.u1()
    assert (object_, file, reader.ub(4), reader.ub(2)) == components(rowid)
    assert value[1] == b"\0"


def test_rows_are_their_values_side_by_side() -> None:
    columns = [pa.array([1, None]), pa.array(["a", "b" * 300]), pa.array([None, 2.0])]
    types = [OracleType(Kind.NUMBER), OracleType(Kind.VARCHAR2, length=400), OracleType(Kind.BINARY_DOUBLE)]
    rows = encode_rows(columns, types, no_lobs)
    apart = [encode_values(column, type_, no_lobs) for column, type_ in zip(columns, types, strict=True)]
    assert [bytes(rows.part(i, i + 1)) for i in range(2)] == [b"\x07" + b"".join(values[i] for values in apart) for i in range(2)]


def test_a_column_that_is_always_null_takes_no_bytes() -> None:
    rows = encode_rows(
        [pa.nulls(2, pa.string()), pa.array([1, 2])], [OracleType(Kind.VARCHAR2, length=0), OracleType(Kind.NUMBER)], no_lobs
    )
    assert bytes(rows.part(0, 1)) == b"\x07\x02\xc1\x02"
    with pytest.raises(ValueError, match="length 0"):
        encode_rows([pa.array(["x"])], [OracleType(Kind.VARCHAR2, length=0)], no_lobs)


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.INTERVAL_DS, Kind.BINARY_DOUBLE, Kind.BINARY_FLOAT])
@given(data=st.binary(min_size=1, max_size=14))
def test_random_bytes_decode_or_fail_cleanly(kind: Kind, data: bytes) -> None:
    try:
        assert len(decode(kind, Located.of([data]))) == 1
    except WireError:
        pass


@given(st.integers(0, 2**64 - 1))
def test_universal_integers(value: int) -> None:
    reader = Reader(lambda: pytest.fail("cut"))
    reader.data += Writer().ub(value).data
    assert reader.ub(8) == value


@given(st.integers(-(2**31), 2**31))
def test_signed_universal_integers(value: int) -> None:
    reader = Reader(lambda: pytest.fail("cut"))
    reader.data += Writer().sb(value).data
    assert reader.sb(8) == value


@given(st.binary(max_size=100_000), st.integers(1, 70_000))
def test_counted_bytes_over_any_cut(value: bytes, cut: int) -> None:
    data = bytes(Writer().clr(value).data)
    pieces = iter([data[start : start + cut] for start in range(0, len(data), cut)])
    assert Reader(lambda: next(pieces)).clr() == (value or None)


INT64 = st.integers(-(2**63), 2**63 - 1)
SINGLES = [
    (OracleType(Kind.NUMBER), st.builds(pa.array, st.lists(st.none() | INT64, min_size=1, max_size=5), st.just(pa.int64()))),
    (
        OracleType(Kind.NUMBER),
        st.builds(
            lambda scale, values: pa.array([None if v is None else Decimal(v).scaleb(-scale) for v in values], pa.decimal128(19, scale)),
            st.integers(-3, 19),
            st.lists(st.none() | st.integers(-(10**19) + 1, 10**19 - 1).map(lambda v: v // 10**3), min_size=1, max_size=5),
        ),
    ),
    (
        OracleType(Kind.VARCHAR2, length=4000),
        st.builds(pa.array, st.lists(st.none() | st.text(max_size=300), min_size=1, max_size=5), st.just(pa.string())),
    ),
    (
        OracleType(Kind.RAW, length=2000),
        st.builds(pa.array, st.lists(st.none() | st.binary(max_size=300), min_size=1, max_size=5), st.just(pa.binary())),
    ),
    (OracleType(Kind.BINARY_DOUBLE), st.builds(pa.array, st.lists(st.none() | st.floats(), min_size=1, max_size=5), st.just(pa.float64()))),
    (
        OracleType(Kind.DATE),
        st.builds(pa.array, st.lists(st.none() | st.integers(FIRST, LAST), min_size=1, max_size=5), st.just(pa.timestamp("s"))),
    ),
    (
        OracleType(Kind.TIMESTAMP),
        st.builds(
            pa.array, st.lists(st.none() | st.integers(FIRST * 10**6, LAST * 10**6), min_size=1, max_size=5), st.just(pa.timestamp("us"))
        ),
    ),
]


@given(st.lists(st.sampled_from(SINGLES), min_size=1, max_size=4).flatmap(lambda kinds: st.tuples(st.just(kinds), st.data())))
def test_a_few_rows_are_the_bytes_of_many(case: tuple[list[tuple[OracleType, st.SearchStrategy[pa.Array]]], st.DataObject]) -> None:
    """Few rows are made value by value, many by columns."""
    kinds, data = case
    drawn = [data.draw(strategy) for _, strategy in kinds]
    rows = min(len(array) for array in drawn)
    few = [array.slice(0, rows) for array in drawn]
    many = [pa.concat_arrays([array] * FEW_ROWS + [array]) for array in few]
    types = [type_ for type_, _ in kinds]
    expected = encode_rows(many, types, no_lobs)
    made = encode_rows(few, types, no_lobs)
    assert [bytes(made.part(row, row + 1)) for row in range(rows)] == [bytes(expected.part(row, row + 1)) for row in range(rows)]


def test_a_few_dates_before_pythons_calendar() -> None:
    seconds = FIRST - 86400 * 366 * 3
    made = encode_rows([pa.array([seconds], pa.timestamp("s"))], [OracleType(Kind.DATE)], no_lobs)
    assert bytes(made.data) == b"\x07" + encode_values(pa.array([seconds], pa.timestamp("s")), OracleType(Kind.DATE), no_lobs)[0]

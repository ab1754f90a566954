"""Columns of NUMBER: the vectorised codec against the scalar one, which is tested by itself."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.number import from_decimal, to_decimal
from oracle_mimic.types import Kind, OracleType
from oracle_mimic.wire.buffer import WireError, counted
from oracle_mimic.wire.decode import Located, decode
from oracle_mimic.wire.encode import encode_values

NUMBER = OracleType(Kind.NUMBER)


def no_lobs(kind: Kind, value: object) -> bytes:
    raise AssertionError("no LOB here")


def on_wire(values: list[Decimal | None]) -> list[bytes]:
    return [counted(None if value is None else from_decimal(value)) for value in values]


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30))
def test_int64_is_encoded_as_the_scalar_codec_does(values: list[int | None]) -> None:
    expected = on_wire([None if value is None else Decimal(value) for value in values])
    assert encode_values(pa.array(values, pa.int64()), NUMBER, no_lobs) == expected


@st.composite
def decimal_columns(draw: st.DrawFn) -> tuple[int, list[Decimal | None]]:
    scale = draw(st.integers(0, 38))
    digits = draw(st.sampled_from([5, 17, 18, 19, 30, 38]))
    unscaled = st.integers(-(10**digits) + 1, 10**digits - 1)
    values = draw(st.lists(st.none() | unscaled.map(lambda value: Decimal(f"{value}E-{scale}")), min_size=1, max_size=20))
    return scale, values


@given(decimal_columns())
def test_decimals_are_encoded_as_the_scalar_codec_does(column: tuple[int, list[Decimal | None]]) -> None:
    scale, values = column
    array = pa.array(values, pa.decimal128(38, scale))
    assert encode_values(array, NUMBER, no_lobs) == on_wire(values)
    assert encode_values(array.slice(1), NUMBER, no_lobs) == on_wire(values)[1:]


@given(decimal_columns(), st.sampled_from([1, 9]))
def test_decimals_survive_the_way_back(column: tuple[int, list[Decimal | None]], times: int) -> None:
    values = column[1] * times  # few values are decoded one by one, many as a column
    array = decode(Kind.NUMBER, Located.of([None if value is None else from_decimal(value) for value in values]))
    found = [None if value is None else to_decimal(value) if isinstance(value, bytes) else Decimal(value) for value in array.to_pylist()]
    assert found == values


@given(
    st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12), min_size=1)
)
def test_the_first_carrier_that_fits_is_taken(values: list[Decimal | None]) -> None:
    values = [*values, *[None] * 9] if len(values) % 2 else values
    array = decode(Kind.NUMBER, Located.of([None if value is None else from_decimal(value) for value in values]))
    whole = all(value is None or value == value.to_integral_value() for value in values)
    assert pa.types.is_int64(array.type) == whole
    assert [None if value is None else Decimal(value) for value in array.to_pylist()] == values


def test_far_exponents_stay_number_bytes() -> None:
    far = [from_decimal(Decimal("1E+125")), None, from_decimal(Decimal("1E-130"))]
    array = decode(Kind.NUMBER, Located.of(far))
    assert array.type == pa.binary()
    assert array.to_pylist() == far
    assert encode_values(array, NUMBER, no_lobs) == [counted(value) for value in far]


def test_forty_digits_lose_none() -> None:
    widest = Decimal("1234567890123456789012345678901234567890")
    assert to_decimal(decode(Kind.NUMBER, Located.of([from_decimal(widest)]))[0].as_py()) == widest


@pytest.mark.parametrize("bad", [b"\xc1\xff", b"\xc1" + b"\x02" * 21, b"\x00"])
def test_bytes_that_are_no_number_are_an_error(bad: bytes) -> None:
    for times in (1, 9):
        with pytest.raises(WireError):
            decode(Kind.NUMBER, Located.of([bad] * times))


@given(st.binary(min_size=1, max_size=22))
def test_random_bytes_decode_or_fail_cleanly(data: bytes) -> None:
    for times in (1, 9):
        try:
            array = decode(Kind.NUMBER, Located.of([data] * times))
        except WireError:
            continue
        assert len(array) == times


def test_all_null_is_an_int64_column() -> None:
    array = decode(Kind.NUMBER, Located(np.zeros(1, np.uint8), np.zeros(3, np.int64), np.full(3, -1, np.int64)))
    assert array.to_pylist() == [None, None, None]

"""Whole columns of NUMBERs give what the same functions give row by row."""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.number import from_decimal
from oracle_mimic.sql.expressions import number_bytes, number_columns, octets

NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(Decimal),
    st.decimals(-(10**12), 10**12, places=9, allow_nan=False),
    st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**9), 10**9), st.integers(-120, 110)),
)
FUNCTIONS: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (number_columns.texts, number_bytes.number_text),
    (number_columns.integers, number_bytes.integer),
    (number_columns.doubles, number_bytes.double_of_number),
]


@pytest.mark.parametrize(("quick", "row_by_row"), FUNCTIONS)
@given(values=st.lists(st.none() | NUMBERS, min_size=1), start=st.integers(0, 3))
def test_a_column_gives_what_its_rows_give(
    quick: Callable[..., Any], row_by_row: Callable[..., Any], values: list[Decimal | None], start: int
) -> None:
    column = pa.array([None if value is None else from_decimal(value) for value in values], pa.binary())[start:]
    results, known = quick(column)
    for data, result, right in zip(column.to_pylist(), results.to_pylist(), known.to_pylist(), strict=True):
        if right:
            assert result == (None if data is None else row_by_row(data))


@pytest.mark.parametrize(("quick", "row_by_row"), FUNCTIONS)
def test_ordinary_numbers_are_answered_for_a_whole_column(quick: Callable[..., Any], row_by_row: Callable[..., Any]) -> None:
    texts = ("0", "-1", "99", "100", "-12345.678", "0.05", "-0.0001", "123456789012345678", "1E+16", "0.1")
    column = pa.array([None, *(from_decimal(Decimal(text)) for text in texts)], pa.binary())
    results, known = quick(column)
    answered = [
        (data, result) for data, result, right in zip(column.to_pylist(), results.to_pylist(), known.to_pylist(), strict=True) if right
    ]
    assert len(answered) >= len(column) - 1  # 18 digits are more than a double holds
    assert all(result == (None if data is None else row_by_row(data)) for data, result in answered)


def test_binary_numbers_sort_as_their_bytes_do() -> None:
    values = [float("-inf"), -2.5, -1e-300, 0.0, 1e-300, 1.0, 2.5, float("inf"), float("nan")]
    coded = [octets.double_bytes(value) for value in values]
    assert coded == sorted(coded)
    assert octets.double_bytes(-0.0) == octets.double_bytes(0.0) == bytes([0x80]) + bytes(7)
    assert octets.double_bytes(1.0) == bytes([0xBF, 0xF0]) + bytes(6)
    assert octets.double_bytes(-1.0) == bytes(byte ^ 0xFF for byte in struct.pack(">d", -1.0))
    assert octets.single_bytes(1.0) == bytes([0xBF, 0x80, 0, 0])
    assert octets.single_bytes(-1.0) == bytes(byte ^ 0xFF for byte in struct.pack(">f", -1.0))

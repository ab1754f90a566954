from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.number import from_decimal, to_decimal

numbers = st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 10**38 - 1),
    st.integers(-120, 80),
    st.sampled_from([0, 1]),
)


@given(numbers)
def test_a_number_survives_the_round_trip(value: Decimal) -> None:
    assert to_decimal(from_decimal(value)) == value


@given(numbers, numbers)
def test_bytes_sort_as_numbers_do(a: Decimal, b: Decimal) -> None:
    assert (from_decimal(a) < from_decimal(b)) == (a < b)


@pytest.mark.parametrize(
    ("text", "hexed"),
    [
        ("0", "80"),
        ("1", "c102"),
        ("-1", "3e6466"),
        ("100", "c202"),
        ("0.1", "c00b"),
        ("12.34", "c10d23"),
        ("-12.34", "3e594366"),
    ],
)
def test_bytes_are_those_of_oracle(text: str, hexed: str) -> None:
    assert from_decimal(Decimal(text)).hex() == hexed


@pytest.mark.parametrize("text", ["1E126", "1E-140", "1" * 41, "NaN", "Infinity"])
def test_what_a_number_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NUMBER|finite"):
        from_decimal(Decimal(text))

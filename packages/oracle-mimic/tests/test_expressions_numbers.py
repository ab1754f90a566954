"""NUMBER: decimal arithmetic with Oracle's rounding, numeric functions, and the text of numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import pytest
from binder_bench import Bench
from expression_cases import bench, described, error_code, value
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_mimic.number import from_decimal, to_decimal
from oracle_mimic.sql.expressions import number_bytes
from oracle_mimic.types import Kind, OracleType

__all__ = ["bench"]
FREE = OracleType(Kind.NUMBER)
WIDE = Context(prec=300)
numbers = st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 10**38 - 1),
    st.integers(-60, 20),
    st.sampled_from([0, 1]),
)
# as they are declared: NUMBER(p, s) of every size
declared = st.tuples(st.integers(1, 38), st.integers(0, 38)).map(lambda ps: (ps[0], min(ps)))


def to_number_digits(exact: Decimal) -> Decimal:
    """What a NUMBER keeps of an exact value: 20 base-100 digits, half away from zero."""
    if not exact:
        return Decimal(0)
    place = (exact.adjusted() // 2 - 19) * 2
    return exact.quantize(Decimal((0, (1,), place)), ROUND_HALF_UP, context=WIDE) if exact.as_tuple().exponent < place else exact


@given(numbers, numbers)
@pytest.mark.parametrize("operation", ["add", "subtract", "multiply"])
def test_bytes_are_computed_exactly_and_rounded_once(operation: str, a: Decimal, b: Decimal) -> None:
    computed = getattr(number_bytes, operation)(from_decimal(a), from_decimal(b))
    assert to_decimal(computed) == to_number_digits(getattr(WIDE, operation)(a, b))


@given(numbers, numbers.filter(bool))
def test_a_quotient_is_the_nearest_number(a: Decimal, b: Decimal) -> None:
    assert to_decimal(number_bytes.divide(from_decimal(a), from_decimal(b))) == to_number_digits(WIDE.divide(a, b))


@given(numbers, st.integers(-30, 45))
def test_round_and_trunc_agree_with_decimal(a: Decimal, places: int) -> None:
    step = Decimal((0, (1,), -places))
    rounded = a.quantize(step, ROUND_HALF_UP, context=WIDE)
    assert to_decimal(number_bytes.round_number(from_decimal(a), places)) == to_number_digits(rounded)
    assert to_decimal(number_bytes.trunc_number(from_decimal(a), places)) == a.quantize(step, "ROUND_DOWN", context=WIDE)


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
def test_columns_of_any_size_compute_as_numbers_do(bench: Bench, operator: str, data: st.DataObject) -> None:
    texts, values = [], []
    for _ in range(2):
        precision, scale = data.draw(declared)
        unscaled = data.draw(st.integers(-(10**precision) + 1, 10**precision - 1))
        values.append(Decimal(unscaled).scaleb(-scale, context=WIDE))
        texts.append(f"cast('{values[-1]:f}' as number({precision},{scale}))")
    a, b = values
    if operator == "/" and not b:
        assert error_code(bench, f"{texts[0]} / {texts[1]}") == 1476
        return
    exact = {"+": WIDE.add, "-": WIDE.subtract, "*": WIDE.multiply, "/": WIDE.divide}[operator](a, b)
    assert value(bench, f"{texts[0]} {operator} {texts[1]}") == to_number_digits(exact)


NUMBER_VALUES: list[Any] = [
    ("0.1 + 0.2", "0.3"),
    ("1/3", "0.3333333333333333333333333333333333333333"),
    ("2/3", "0.6666666666666666666666666666666666666667"),
    ("10/3", "3.33333333333333333333333333333333333333"),
    ("99999999999999999999999999999999999999 + 1", "100000000000000000000000000000000000000"),
    ("1e100 * 1e-100", "1"),
    ("-5 - -3", "-2"),
    ("'1.5' + '2'", "3.5"),
    ("abs(-2.5)", "2.5"),
    ("ceil(15.7)", "16"),
    ("ceil(-15.7)", "-15"),
    ("floor(-15.7)", "-16"),
    ("mod(11, 4)", "3"),
    ("mod(11, -4)", "3"),
    ("mod(-11, 4)", "-3"),
    ("mod(-11, 0)", "-11"),
    ("mod(10.5, 3)", "1.5"),
    ("remainder(11, 4)", "-1"),
    ("round(15.193, 1)", "15.2"),
    ("round(15.193, -1)", "20"),
    ("round(2.5)", "3"),
    ("round(-2.5)", "-3"),
    ("round(99.95, 1)", "100"),
    ("trunc(15.79, 1)", "15.7"),
    ("trunc(15.79, -1)", "10"),
    ("trunc(-15.79)", "-15"),
    ("sign(-15)", "-1"),
    ("sign(1e-50)", "1"),
    ("power(3, 2)", "9"),
    ("power(2, -2)", "0.25"),
    ("sqrt(26)", "5.09901951359278483002822410902278198956"),
    ("exp(4)", "54.59815003314423907811026120286087840279"),
    ("ln(95)", "4.55387689160054083460978676511404117676"),
    ("log(10, 1000)", "3"),
    ("bitand(6, 3)", "2"),
    ("width_bucket(35, 0, 100, 10)", "4"),
    ("width_bucket(100, 0, 100, 10)", "11"),
    ("greatest(1, 3.925, '2.4')", "3.925"),
    ("least(1, -2)", "-2"),
    ("to_number('-12.5')", "-12.5"),
    ("to_number('1,234.56', '9,999.99')", "1234.56"),
    ("to_number('-$10.5', '$99.9')", "-10.5"),
    ("to_number('ff', 'xx')", "255"),
    ("to_number('<5>', '9PR')", "-5"),
    ("length(12.50)", "4"),
    ("vsize(100)", "2"),
    ("cast(1234.5678 as number(6,2))", "1234.57"),
    ("cast(155 as number(2,-1))", "160"),
    ("cast(0.00012 as number(2,5))", "0.00012"),
    ("cast(2.5 as integer)", "3"),
    ("cast(123456 as float(10))", "123500"),
]


@pytest.mark.parametrize(("expression", "expected"), NUMBER_VALUES)
def test_a_numeric_expression_has_oracles_value(bench: Bench, expression: str, expected: str) -> None:
    assert value(bench, expression) == Decimal(expected)


NUMBER_ERRORS: list[Any] = [
    ("1/0", 1476),
    ("remainder(1, 0)", 1476),
    ("to_number('1x')", 1722),
    ("'a' + 1", 1722),
    ("to_number('12', '9')", 1722),
    ("to_number('1', '9Q')", 1481),
    ("to_number('1', 'L9')", 3001),
    ("sqrt(-1)", 1428),
    ("ln(0)", 1428),
    ("power(-8, 1/3)", 1428),
    ("power(10, 200)", 1426),
    ("1e100 * 1e100", 1426),
    ("cast(123 as number(2))", 1438),
    ("cast(99.995 as number(4,2))", 1438),
    ("cast(0.01 as number(2,3))", None),
    ("cast(0.1 as number(2,3))", 1438),
    ("date '2020-01-01' * 2", 30081),
    ("abs(date '2020-01-01')", 932),
    ("width_bucket(1, 5, 5, 3)", 30494),
    ("sin(1)", 3001),
    ("nosuch(1)", 904),
    ("abs()", 909),
    ("abs(1, 2)", 909),
]


@pytest.mark.parametrize(("expression", "code"), NUMBER_ERRORS)
def test_a_wrong_number_has_oracles_code(bench: Bench, expression: str, code: int | None) -> None:
    if code is None:
        assert value(bench, expression) == Decimal("0.010")
    else:
        assert error_code(bench, expression) == code


NUMBER_TEXTS: list[Any] = [
    ("0.5", ".5"),
    ("-0.5", "-.5"),
    ("0", "0"),
    ("100", "100"),
    ("12.50", "12.5"),
    ("cast(1.50 as number(10,4))", "1.5"),
    ("cast(0 as number(10,4))", "0"),
    ("cast(-0.25 as number(10,4))", "-.25"),
    ("1/3", ".3333333333333333333333333333333333333333"),
    ("1e39", "1" + "0" * 39),
    ("1e50", "1.0000000000000000000000000000000000E+50"),
    ("1e-50", "1.0000000000000000000000000000000000E-50"),
    ("1.5f", "1.5E+000"),
    ("1d", "1.0E+000"),
    ("0d", "0"),
    ("-1d/0", "-Inf"),
]


@pytest.mark.parametrize(("expression", "expected"), NUMBER_TEXTS)
def test_a_number_as_text_has_no_needless_digit(bench: Bench, expression: str, expected: str) -> None:
    assert value(bench, f"to_char({expression})") == expected
    assert value(bench, f"'' || ({expression})") == expected


# Oracle's documentation, "Results of Number Conversions", and the corners around it
NUMBER_MODELS: list[Any] = [
    ("-1234567890", "9999999999S", "1234567890-"),
    ("0", "99.99", "   .00"),
    ("0.1", "99.99", "   .10"),
    ("-0.2", "99.99", "  -.20"),
    ("0", "90.99", "  0.00"),
    ("0.1", "90.99", "  0.10"),
    ("0", "9999", "    0"),
    ("1", "9999", "    1"),
    ("0", "B9999", "     "),
    ("1", "B9999", "    1"),
    ("123.456", "999.999", " 123.456"),
    ("-123.456", "999.999", "-123.456"),
    ("123.456", "FM999.009", "123.456"),
    ("123.45", "FM999.009", "123.45"),
    ("123.0", "FM999.009", "123.00"),
    ("123", "FM999.99", "123."),
    ("123.45", "999EEEE", "  1E+02"),
    ("123456", "9.9EEEE", "  1.2E+05"),
    ("1234", "9G999", " 1,234"),
    ("12", "9G999", "    12"),
    ("1234567", "9,999", "######"),
    ("5", "000", " 005"),
    ("-5", "MI99", None),
    ("-5", "99MI", " 5-"),
    ("5", "99MI", " 5 "),
    ("-5", "S99", " -5"),
    ("-5", "99PR", " <5>"),
    ("5", "99PR", "  5 "),
    ("12", "$99", " $12"),
    ("12.3", "99V9", " 123"),
    ("255", "XXXX", "   FF"),
    ("255", "FMxx", "ff"),
    ("255", "0XXX", " 00FF"),
    ("-1", "XX", "###"),
    ("1234.5", "TM9", "1234.5"),
    ("99999999999999999999999999999999999998E13", "TM9", "999999999999999999999999999999999999980000000000000"),
    ("-1E-100", "TM9", "-1E-100"),
    ("-0.5", "TM9", "-.5"),
    ("1E63", "TM9", "1" + "0" * 63),
    ("1E64", "TM9", "1E+64"),
    ("1234.5", "TME", "1.2345E+03"),
    ("0.5", "FM0.9", "0.5"),
]


@pytest.mark.parametrize(("number", "model", "expected"), NUMBER_MODELS)
def test_a_number_model_prints_as_oracle_does(bench: Bench, number: str, model: str, expected: str | None) -> None:
    if expected is None:
        assert error_code(bench, f"to_char({number}, '{model}')") == 1481
    else:
        assert value(bench, f"to_char({number}, '{model}')") == expected


def test_the_sessions_decimal_character_is_used_both_ways(bench: Bench) -> None:
    brazil: dict[str, Any] = {"numeric_characters": ",."}
    assert value(bench, "to_char(1234.5)", **brazil) == "1234,5"
    assert value(bench, "to_char(1234.5, 'FM9G999D00')", **brazil) == "1.234,50"
    assert value(bench, "to_number('1234,5')", **brazil) == Decimal("1234.5")
    assert value(bench, "to_number('1.234,5', '9G999D9')", **brazil) == Decimal("1234.5")
    assert error_code(bench, "to_number('1234.5')", **brazil) == 1722
    assert value(bench, "to_char(1.5, '9D9', 'nls_numeric_characters='',.''')") == " 1,5"


def test_binary_doubles_are_ieee(bench: Bench) -> None:
    assert value(bench, "0.1d + 0.2d") == 0.1 + 0.2
    assert value(bench, "1/0d") == float("inf")
    assert value(bench, "nanvl(0d/0, 7)") == 7.0
    assert value(bench, "to_binary_double('Inf')") == float("inf")
    assert value(bench, "to_number(1.5d)") == Decimal("1.5")
    assert value(bench, "round(2.5d)") == 2.0
    assert value(bench, "cast(0.1 as binary_float)") == pytest.approx(0.1, rel=1e-7)


def test_an_expression_is_described_as_number_without_precision(bench: Bench) -> None:
    for expression in ("1", "1 + 1", "length('a')", "round(1.5)", "case when 1 = 1 then 1 end", "nvl(null, 1)", "count(*)", "1/3"):
        assert described(bench, expression).type == FREE
    assert described(bench, "cast(1 as number(10,2))").type == OracleType(Kind.NUMBER, 10, 2)


@pytest.mark.parametrize("scale", [0, 2, 38])
def test_a_sum_does_not_overflow_silently(bench: Bench, scale: int) -> None:
    big = "9" * (38 - scale) + ("." + "9" * scale if scale else "")
    rows = f"select cast({big} as number(38,{scale})) x from dual union all select cast({big} as number(38,{scale})) from dual"
    assert bench.rows(f"select sum(x) from ({rows})")[0][0] == to_number_digits(WIDE.multiply(Decimal(big), Decimal(2)))


@pytest.mark.parametrize(
    ("text", "expected"), [("FF", 255), ("0a", 10), (" 7FFFFFFFFFFFFFF ", 2**59 - 1), ("", None), ("G", 1722), ("-1", 1722)]
)
def test_hexadecimal_text_is_read(bench: Bench, text: str, expected: int | None) -> None:
    expression = f"to_number('{text}', 'XXXXXXXXXXXXXXX')"
    if expected == 1722:
        assert error_code(bench, expression) == 1722
    else:
        assert value(bench, expression) == expected


def test_tm9_of_columns_prints_every_digit(bench: Bench) -> None:
    columns = "cast(1.50 as number(10,2)) p, cast(-0.25 as number(10,4)) q, 1/8 r, 1e70 s, cast(null as number) n"
    shown = ", ".join(f"to_char({name}, 'TM9')" for name in "pqrsn")
    assert bench.rows(f"select {shown} from (select {columns} from dual)") == [("1.5", "-.25", ".125", "1E+70", None)]


@pytest.mark.parametrize("declared", ["number(3,6)", "number(2,2)", "number(38,38)", "number(10,2)", "number(5)", "number"])
@pytest.mark.parametrize("model", ["", ", 'TM9'"])
def test_zero_as_text_is_a_zero(bench: Bench, declared: str, model: str) -> None:
    columns = f"cast(0 as {declared}) z, cast(null as {declared}) n"
    assert bench.rows(f"select to_char(z{model}), to_char(n{model}), z || 'x' from (select {columns} from dual)") == [("0", None, "0x")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("binary_double_infinity", float("inf")),
        ("-binary_float_infinity", float("-inf")),
        ("case when binary_double_nan = binary_float_nan then 1 end", 1),
        ("case when binary_double_nan > binary_double_infinity then 1 end", 1),
        ("case when binary_double_nan is nan and binary_float_infinity is infinite and 1 is not nan then 1 end", 1),
        ("nanvl(binary_double_nan, 5)", 5),
        ("to_char(binary_float_infinity) || to_char(-binary_double_infinity) || to_char(binary_double_nan)", "Inf-InfNan"),
    ],
)
def test_infinity_and_nan_have_names(bench: Bench, expression: str, expected: object) -> None:
    assert value(bench, expression) == expected


def test_a_column_of_such_a_name_comes_first(bench: Bench) -> None:
    assert bench.rows("select binary_double_nan from (select 7 binary_double_nan from dual)") == [(7,)]
    assert described(bench, "binary_float_nan").type.kind is Kind.BINARY_FLOAT

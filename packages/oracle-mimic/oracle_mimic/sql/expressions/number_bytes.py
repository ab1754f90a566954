"""Functions over Oracle NUMBER bytes that DuckDB calls: arithmetic with Oracle's rounding, never floating point.

A NUMBER has 20 base-100 digits. A result is rounded half away from zero to that many; below 1E-130 it is zero, from 1E126 on it is
ORA-01426.
"""

from __future__ import annotations

import math
from decimal import ROUND_05UP, ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

import numpy as np

from oracle_mimic.errors import OracleError
from oracle_mimic.number import from_decimal, from_text, to_decimal
from oracle_mimic.sql.expressions import number_columns
from oracle_mimic.sql.expressions.registry import udf

# ROUND_05UP keeps the later rounding to 20 pairs exact: it never lands on a tie that was not one.
_WIDE = Context(prec=42, rounding=ROUND_05UP, Emin=-400, Emax=400)
EXACT = Context(prec=200, rounding=ROUND_HALF_UP, Emin=-999, Emax=999)
_TRANSCENDENTAL = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-999, Emax=999)
_EVERY_DIGIT = Context(prec=400, Emin=-999, Emax=999)
_LIMIT = Decimal("1E126")
_SMALLEST = Decimal("1E-130")


def rounded(value: Decimal) -> Decimal:
    """The NUMBER nearest to `value`; ORA-01426 when it is too large."""
    if not value:
        return Decimal(0)
    exponent = value.adjusted()
    value = value.quantize(_last_pair(exponent // 2 - 19), ROUND_HALF_UP, EXACT)
    if exponent >= 125 and abs(value) >= _LIMIT:
        raise OracleError(1426, "numeric overflow")
    return value if exponent >= -130 or abs(value) >= _SMALLEST else Decimal(0)


@lru_cache(maxsize=512)
def _last_pair(power: int) -> Decimal:
    """100 to the power."""
    return Decimal((0, (1,), 2 * power))


def plain(value: Decimal) -> tuple[int, str, int]:
    """Sign (1 is negative), significant digits without zeros at either end ("" for zero), exponent of the last digit."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise OracleError(1426, "numeric overflow")
    figures = "".join(map(str, digits)).lstrip("0")
    kept = figures.rstrip("0")
    return sign, kept, exponent + len(figures) - len(kept)


def encode(value: Decimal) -> bytes:
    """NUMBER bytes of the rounded value."""
    try:
        return from_decimal(value)
    except ValueError:  # more digits than a NUMBER has, or out of its range
        return from_decimal(rounded(value))


@lru_cache(maxsize=4096)
def decode(data: bytes) -> Decimal:
    return to_decimal(data)


@udf("VARCHAR", returns="BLOB")
def number(text: str) -> bytes:
    """Plain decimal text, as DuckDB prints a DECIMAL, to NUMBER bytes."""
    return from_text(text)


@udf("BLOB", returns="VARCHAR", quick=number_columns.texts)
def number_digits(data: bytes) -> str:
    """NUMBER bytes as plain decimal text that DuckDB casts to a DECIMAL."""
    return f"{decode(data):f}"


@udf("DOUBLE", returns="BLOB")
def number_of_double(value: float) -> bytes:
    if not math.isfinite(value):
        raise OracleError(1426, "numeric overflow")
    return encode(Decimal(repr(value)))


@udf("BLOB", returns="DOUBLE", quick=number_columns.doubles)
def double_of_number(data: bytes) -> float:
    return float(decode(data))


@udf("BLOB", "BLOB", returns="BLOB")
def add(left: bytes, right: bytes) -> bytes:
    return encode(EXACT.add(decode(left), decode(right)))


@udf("BLOB", "BLOB", returns="BLOB")
def subtract(left: bytes, right: bytes) -> bytes:
    return encode(EXACT.subtract(decode(left), decode(right)))


@udf("BLOB", "BLOB", returns="BLOB")
def multiply(left: bytes, right: bytes) -> bytes:
    return encode(EXACT.multiply(decode(left), decode(right)))


@udf("BLOB", "BLOB", returns="BLOB")
def divide(left: bytes, right: bytes) -> bytes:
    return from_decimal(rounded(quotient(decode(left), decode(right))))


def quotient(left: Decimal, right: Decimal) -> Decimal:
    """Unrounded beyond NUMBER's precision; ORA-01476 for a zero divisor."""
    if not right:
        raise OracleError(1476, "divisor is equal to zero")
    return _WIDE.divide(left, right)


@udf("BLOB", returns="BLOB")
def negative(data: bytes) -> bytes:
    return from_decimal(-decode(data))


@udf("BLOB", returns="BLOB")
def absolute(data: bytes) -> bytes:
    return from_decimal(abs(decode(data)))


@udf("BLOB", "BIGINT", returns="BLOB")
def round_number(data: bytes, places: int) -> bytes:
    return encode(_at(decode(data), places, ROUND_HALF_UP))


@udf("BLOB", "BIGINT", returns="BLOB")
def trunc_number(data: bytes, places: int) -> bytes:
    return encode(_at(decode(data), places, ROUND_DOWN))


@udf("BLOB", returns="BLOB")
def ceil_number(data: bytes) -> bytes:
    return encode(_at(decode(data), 0, ROUND_CEILING))


@udf("BLOB", returns="BLOB")
def floor_number(data: bytes) -> bytes:
    return encode(_at(decode(data), 0, ROUND_FLOOR))


def _at(value: Decimal, places: int, rounding: str) -> Decimal:
    """`value` rounded to `places` digits right (negative: left) of the point."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -places:
        return value
    if places < -value.adjusted() - 2 and rounding in (ROUND_HALF_UP, ROUND_DOWN):
        return Decimal(0)
    return value.quantize(Decimal((0, (1,), -places)), rounding=rounding, context=EXACT)


@udf("BLOB", "BLOB", returns="BLOB")
def mod(value: bytes, divisor: bytes) -> bytes:
    """MOD: the sign of the dividend; MOD(n, 0) is n."""
    m = decode(divisor)
    return encode(_remainder(decode(value), m)) if m else value


def _remainder(value: Decimal, divisor: Decimal) -> Decimal:
    quotient_digits = max(value.adjusted() - divisor.adjusted(), 0) + 60
    context = Context(prec=max(200, quotient_digits), Emin=-999, Emax=999)
    return context.remainder(value, divisor)


@udf("BLOB", "BLOB", returns="BLOB")
def remainder(value: bytes, divisor: bytes) -> bytes:
    """REMAINDER: n - m * ROUND(n / m), ties to even."""
    n, m = decode(value), decode(divisor)
    if not m:
        raise OracleError(1476, "divisor is equal to zero")
    context = Context(prec=max(200, max(n.adjusted() - m.adjusted(), 0) + 60), Emin=-999, Emax=999)
    return encode(context.remainder_near(n, m))


@udf("BLOB", "BLOB", returns="BLOB")
def power(base: bytes, exponent: bytes) -> bytes:
    b, e = decode(base), decode(exponent)
    if not b and e < 0:
        raise OracleError(1428, f"argument '{text_of(b)}' is out of range")
    if b < 0 and e != e.to_integral_value():
        raise OracleError(1428, f"argument '{text_of(b)}' is out of range")
    if not e:
        return encode(Decimal(1))
    if b and abs(float(e)) * abs(float(b.copy_abs().log10())) > 300:
        if (e > 0) == (abs(b) > 1):
            raise OracleError(1426, "numeric overflow")
        return encode(Decimal(0))
    return encode(_TRANSCENDENTAL.power(b, e))


@udf("BLOB", returns="BLOB")
def square_root(data: bytes) -> bytes:
    value = decode(data)
    if value < 0:
        raise OracleError(1428, f"argument '{text_of(value)}' is out of range")
    return encode(_TRANSCENDENTAL.sqrt(value))


@udf("BLOB", returns="BLOB")
def exponential(data: bytes) -> bytes:
    value = decode(data)
    if value > 300:
        raise OracleError(1426, "numeric overflow")
    return encode(_TRANSCENDENTAL.exp(value) if value > -400 else Decimal(0))


@udf("BLOB", returns="BLOB")
def natural_logarithm(data: bytes) -> bytes:
    value = decode(data)
    if value <= 0:
        raise OracleError(1428, f"argument '{text_of(value)}' is out of range")
    return encode(_TRANSCENDENTAL.ln(value))


@udf("BLOB", "BLOB", returns="BLOB")
def logarithm(base: bytes, value: bytes) -> bytes:
    b, v = decode(base), decode(value)
    if b <= 0 or b == 1:
        raise OracleError(1428, f"argument '{text_of(b)}' is out of range")
    if v <= 0:
        raise OracleError(1428, f"argument '{text_of(v)}' is out of range")
    return encode(_WIDE.divide(_TRANSCENDENTAL.ln(v), _TRANSCENDENTAL.ln(b)))


@udf("BLOB[]", returns="BLOB")
def sum_numbers(values: list[bytes | None]) -> bytes | None:
    """SUM over a group, NULLs left out; NULL for none."""
    present = [decode(value) for value in values if value is not None]
    if not present:
        return None
    total = Decimal(0)
    for value in present:
        total = EXACT.add(total, value)
    return encode(total)


# A NUMBER's digits lie between 1E-168 (the last of 40 behind 1E-130) and 1E126: twelve integers of 26 digits hold any of them.
LIMBS = 12
_LIMB = 10**26
_FIRST_DIGIT = 168


@lru_cache(maxsize=8192)  # DuckDB asks for one limb of a whole vector of rows after the other
def limbs(data: bytes) -> tuple[int, ...]:
    """A NUMBER as integers that can be summed one by one, least significant first."""
    sign, digits, exponent = plain(decode(data))
    rest = int(digits) * 10 ** (exponent + _FIRST_DIGIT) if digits else 0
    parts = []
    for _ in range(LIMBS):
        rest, part = divmod(rest, _LIMB)
        parts.append(-part if sign else part)
    return tuple(parts)


@udf("BLOB", "BIGINT", returns="HUGEINT")
def limb(data: bytes, position: int) -> int:
    """One of them, from 0."""
    return limbs(data)[position]


@udf("HUGEINT[]", returns="BLOB")
def number_of_limbs(parts: list[Decimal | None]) -> bytes | None:
    """The inverse, also of sums; NULL when there was nothing to sum."""
    total = 0
    for part in reversed(parts):
        if part is None:
            return None
        total = total * _LIMB + int(part)
    return encode(Decimal(total).scaleb(-_FIRST_DIGIT, context=_EVERY_DIGIT))


def text_of(value: Decimal) -> str:
    """A number as TO_CHAR without a mask prints it: no zero in front of the point, 40 digits, else scientific."""
    if not value:
        return "0"
    sign, figures, exponent = plain(value)
    point = len(figures) + exponent
    minus = "-" if sign else ""
    if exponent >= 0 and point <= 40:
        return minus + figures + "0" * exponent
    if exponent < 0 and point > 0:
        return f"{minus}{figures[:point]}.{figures[point:]}"
    if exponent < 0 and -exponent <= 40:
        return f"{minus}.{'0' * -point}{figures}"
    return _scientific(value, minus)


def _scientific(value: Decimal, minus: str) -> str:
    """d.ddddE+nn in 40 characters, as a number too long for plain digits is printed."""
    room = 33 - len(minus) + (1 if abs(value.adjusted()) < 100 else 0)
    mantissa = abs(value).scaleb(-value.adjusted(), context=EXACT).quantize(Decimal((0, (1,), -room)), ROUND_HALF_UP, context=EXACT)
    return f"{minus}{mantissa}E{value.adjusted():+03d}"


@udf("BLOB", returns="VARCHAR", quick=number_columns.texts)
def number_text(data: bytes) -> str:
    """TO_CHAR(number)."""
    return text_of(decode(data))


@udf("DOUBLE", returns="BLOB")
def number_of_float(value: float) -> bytes:
    """BINARY_FLOAT to NUMBER: the shortest digits that name the single-precision value."""
    return number_of_double(float(str(np.float32(value))))


@udf("BLOB", returns="BIGINT", quick=number_columns.integers)
def integer(data: bytes) -> int:
    """The whole part, held within 62 bits: more than any length or position."""
    return min(max(int(decode(data)), -(2**62)), 2**62)


@udf("DOUBLE", "BOOLEAN", returns="VARCHAR")
def double_text(value: float, single: bool) -> str:
    """TO_CHAR(binary_float or binary_double): 9 or 17 significant digits in scientific notation, Nan, Inf."""
    if math.isnan(value):
        return "Nan"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if not value:
        return "0"
    mantissa, exponent = f"{value:.{8 if single else 16}E}".split("E")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent):+04d}"


@udf("DOUBLE", returns="DOUBLE")
def round_double(value: float) -> float:
    """ROUND(binary_double): to the nearest integer, halves to even."""
    return value if not math.isfinite(value) else float(round(value))


@udf("BLOB", "BLOB", "BLOB", "BIGINT", returns="BIGINT")
def width_bucket(value: bytes, low: bytes, high: bytes, count: int) -> int:
    """The histogram bucket 1..count, 0 below and count + 1 above the range; ORA-30494 for a count below 1."""
    v, a, b = decode(value), decode(low), decode(high)
    if count <= 0:
        raise OracleError(30494, "The argument [4] of WIDTH_BUCKET function is NULL or invalid.")
    if a == b:
        raise OracleError(30494, "The argument [3] of WIDTH_BUCKET function is NULL or invalid.")
    if a > b:
        a, b, v = -a, -b, -v
    if v < a:
        return 0
    if v >= b:
        return count + 1
    return int(EXACT.divide(EXACT.multiply(EXACT.subtract(v, a), Decimal(count)), EXACT.subtract(b, a)).to_integral_value(ROUND_FLOOR)) + 1

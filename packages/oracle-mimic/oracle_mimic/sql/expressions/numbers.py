"""NUMBER expressions: literals, the choice between DuckDB's DECIMAL and Oracle's bytes, arithmetic.

A DECIMAL carrier is computed natively as long as the result provably fits 38 digits; otherwise both sides become NUMBER bytes
and a function with Oracle's own rounding computes. BINARY_FLOAT and BINARY_DOUBLE are IEEE and stay so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from oracle_mimic.errors import OracleError
from oracle_mimic.number import from_decimal
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions import number_bytes
from oracle_mimic.sql.expressions.derive import BINARIES, BINARY_DOUBLE, BINARY_FLOAT, NUMBER, constant, derived, quote_bytes
from oracle_mimic.types import Kind

MAX_DECIMAL = 38
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}


def decimal_shape(carrier: str) -> tuple[int, int] | None:
    """Precision and scale of a DECIMAL carrier."""
    found = _DECIMAL.fullmatch(carrier)
    if found:
        return int(found.group(1)), int(found.group(2))
    return (_INTEGERS[carrier], 0) if carrier in _INTEGERS else None


def decimal(precision: int, scale: int) -> str:
    return f"DECIMAL({precision},{scale})"


def number_literal(value: Decimal) -> Typed:
    """A NUMBER constant in the smallest carrier that holds it."""
    value = number_bytes.rounded(value)
    sign, digits, exponent = number_bytes.plain(value)
    scale = max(-exponent, 0)
    precision = max(len(digits) + max(exponent, 0), scale, 1)
    if precision > MAX_DECIMAL:
        return constant(quote_bytes(from_decimal(value)), NUMBER, NUMBER_BYTES, value)
    text = f"{'-' if sign else ''}{digits or '0'}E{exponent if digits else 0}"
    return constant(f"CAST('{Decimal(text):f}' AS {decimal(precision, scale)})", NUMBER, decimal(precision, scale), value)


def literal_number(text: str) -> Typed:
    """A numeric literal as written: 1, .5, 1e-3, 1.5f, 1.5d; ORA-01426 when too large."""
    if text[-1] in "fFdD":
        return float_literal(float(text[:-1]), single=text[-1] in "fF")
    try:
        return number_literal(Decimal(text))
    except InvalidOperation:
        raise OracleError(1722, "invalid number") from None


def float_literal(value: float, *, single: bool) -> Typed:
    kind, carrier = (BINARY_FLOAT, "FLOAT") if single else (BINARY_DOUBLE, "DOUBLE")
    return constant(f"CAST('{value!r}' AS {carrier})", kind, carrier, value)


_FLOAT_CONSTANTS = {
    "BINARY_FLOAT_NAN": (float("nan"), True),
    "BINARY_FLOAT_INFINITY": (float("inf"), True),
    "BINARY_DOUBLE_NAN": (float("nan"), False),
    "BINARY_DOUBLE_INFINITY": (float("inf"), False),
}


def float_constant(name: str) -> Typed | None:
    """BINARY_DOUBLE_INFINITY and its like; None for another name."""
    found = _FLOAT_CONSTANTS.get(name)
    return None if found is None else float_literal(found[0], single=found[1])


def is_double(x: Typed) -> bool:
    return x.type.kind in BINARIES


def as_bytes(x: Typed) -> str:
    """DuckDB text of a numeric expression as NUMBER bytes."""
    if x.carrier == NUMBER_BYTES:
        return x.sql
    if isinstance(x.literal, Decimal):
        return quote_bytes(from_decimal(x.literal))
    if is_double(x):
        return f"ora_number_of_double(CAST({x.sql} AS DOUBLE))" if x.carrier == "DOUBLE" else f"ora_number_of_float({x.sql})"
    return f"ora_number(CAST({x.sql} AS VARCHAR))"


def as_double(x: Typed) -> str:
    """DuckDB text of a numeric expression as DOUBLE."""
    if x.carrier == "DOUBLE":
        return x.sql
    if x.carrier == NUMBER_BYTES:
        return f"ora_double_of_number({x.sql})"
    return f"CAST({x.sql} AS DOUBLE)"


def as_integer(x: Typed) -> str:
    """DuckDB text of a numeric expression cut off to BIGINT, as positions, lengths and counts are."""
    if isinstance(x.literal, Decimal):
        return str(min(max(int(x.literal), -(2**62)), 2**62))
    if x.carrier == NUMBER_BYTES:
        return f"ora_integer({x.sql})"
    if is_double(x):
        return f"CAST(trunc({x.sql}) AS BIGINT)"
    shape = decimal_shape(x.carrier)
    return f"CAST({x.sql} AS BIGINT)" if shape and shape[1] == 0 else f"CAST(trunc({x.sql}) AS BIGINT)"


def in_bytes(x: Typed) -> Typed:
    """The same number carried as NUMBER bytes."""
    return derived(as_bytes(x), NUMBER, NUMBER_BYTES, x)


def common_decimal(*items: Typed) -> str | None:
    """The DECIMAL that holds every value of all, or None when there is none."""
    shapes = [decimal_shape(item.carrier) for item in items]
    known = [shape for shape in shapes if shape]
    if len(known) < len(shapes) or not known:
        return None
    scale = max(s for _, s in known)
    precision = scale + max(p - s for p, s in known)
    return decimal(precision, scale) if precision <= MAX_DECIMAL else None


def aligned(left: Typed, right: Typed) -> tuple[str, str]:
    """Both sides of a comparison in one carrier whose order is numeric."""
    if is_double(left) or is_double(right):
        return as_double(left), as_double(right)
    if common_decimal(left, right):
        return left.sql, right.sql
    return as_bytes(left), as_bytes(right)


_FOLD: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": number_bytes.EXACT.add,
    "-": number_bytes.EXACT.subtract,
    "*": number_bytes.EXACT.multiply,
    "/": number_bytes.quotient,
}
_FUNCTION = {"+": "ora_add", "-": "ora_subtract", "*": "ora_multiply", "/": "ora_divide"}


def number_arithmetic(op: str, left: Typed, right: Typed) -> Typed:
    """`left op right` of two numeric expressions."""
    if is_double(left) or is_double(right):
        single = left.type.kind is right.type.kind is Kind.BINARY_FLOAT
        kind, carrier = (BINARY_FLOAT, "FLOAT") if single else (BINARY_DOUBLE, "DOUBLE")
        result = f"({as_double(left)} {op} {as_double(right)})"
        return derived(f"CAST(ora_single{result} AS FLOAT)" if single else result, kind, carrier, left, right)
    if isinstance(left.literal, Decimal) and isinstance(right.literal, Decimal) and (op != "/" or right.literal):
        return number_literal(_FOLD[op](left.literal, right.literal))
    native = _native(op, left, right)
    if native:
        return native
    return derived(f"{_FUNCTION[op]}({as_bytes(left)}, {as_bytes(right)})", NUMBER, NUMBER_BYTES, left, right)


def _native(op: str, left: Typed, right: Typed) -> Typed | None:
    """In DuckDB's DECIMAL when the result fits one for certain."""
    a, b = decimal_shape(left.carrier), decimal_shape(right.carrier)
    if not a or not b:
        return None
    if op in "+-":
        scale = max(a[1], b[1])
        precision = max(a[0] - a[1], b[0] - b[1]) + 1 + scale
    elif op == "*":
        scale, precision = a[1] + b[1], a[0] + b[0]
    else:
        return None
    if precision > MAX_DECIMAL:
        return None
    carrier = decimal(precision, scale)
    if op == "*":  # DuckDB multiplies narrow operands in 18 digits even when the product needs more
        wide = f"CAST({left.sql} AS {decimal(19, a[1])})" if max(a[0], b[0]) <= 18 < precision else left.sql
        text = f"CAST(({wide} * {right.sql}) AS {carrier})"
    else:
        text = f"CAST((CAST({left.sql} AS {carrier}) {op} CAST({right.sql} AS {carrier})) AS {carrier})"
    return derived(text, NUMBER, carrier, left, right)


def number_negation(x: Typed) -> Typed:
    if isinstance(x.literal, Decimal):
        return number_literal(-x.literal)
    if isinstance(x.literal, float):
        return float_literal(-x.literal, single=x.type.kind is Kind.BINARY_FLOAT)
    if x.carrier == NUMBER_BYTES:
        return derived(f"ora_negative({x.sql})", NUMBER, NUMBER_BYTES, x)
    return derived(f"(-{x.sql})", x.type if is_double(x) else NUMBER, x.carrier, x)


def number_text(x: Typed) -> str:
    """DuckDB text of TO_CHAR(number): no zero in front of the point, no zeros behind it."""
    if isinstance(x.literal, Decimal):
        return "'" + number_bytes.text_of(x.literal) + "'"
    if is_double(x):
        return f"ora_double_text({as_double(x)}, {'true' if x.carrier == 'FLOAT' else 'false'})"
    shape = decimal_shape(x.carrier)
    if shape is None:
        return f"ora_number_text({x.sql})"
    text = f"CAST({x.sql} AS VARCHAR)"
    if shape[1] == 0:
        return text
    text = rf"regexp_replace(rtrim(rtrim({text}, '0'), '.'), '^(-?)0\.', '\1.')"
    # Where all digits stand behind the point, DuckDB prints zero without one in front of it.
    return text if shape[0] > shape[1] else f"CASE WHEN {x.sql} = 0 THEN '0' ELSE {text} END"


__all__ = [
    "aligned", "as_bytes", "as_double", "as_integer", "common_decimal", "decimal", "decimal_shape", "float_constant", "float_literal",
    "in_bytes", "is_double", "literal_number", "number_arithmetic", "number_literal", "number_negation", "number_text",
]  # fmt: skip

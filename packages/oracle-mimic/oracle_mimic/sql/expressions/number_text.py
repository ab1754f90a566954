"""Text to numbers without a format model, and the shapes a NUMBER column forces on a value."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import numpy as np

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.number_bytes import EXACT, decode, encode
from oracle_mimic.sql.expressions.registry import udf

_NUMBER = re.compile(r"[ \t\n\r]*([+-]?)(\d*)(?:D(\d*))?(?:[eE]([+-]?\d+))?[ \t\n\r]*")


def parse_number(text: str, numeric_characters: str) -> Decimal:
    """Text as a number with the session's decimal character; ORA-01722 for anything else."""
    return _parsed(text, numeric_characters)


@lru_cache(maxsize=4096)
def _parsed(text: str, numeric_characters: str) -> Decimal:
    point = numeric_characters[0]
    if "D" in text:
        raise OracleError(1722, "invalid number")
    found = _NUMBER.fullmatch(text.replace(point, "D", 1))
    if not found or not (found.group(2) or found.group(3)):
        raise OracleError(1722, "invalid number")
    sign, whole, fraction, exponent = found.groups()
    if exponent and abs(int(exponent)) > 400:
        if int(exponent) < 0:
            return Decimal(0)
        raise OracleError(1426, "numeric overflow")
    return Decimal(f"{sign}{whole or '0'}.{fraction or '0'}E{exponent or 0}")


@udf("VARCHAR", "VARCHAR", returns="BLOB")
def parse_number_bytes(text: str, numeric_characters: str) -> bytes:
    """TO_NUMBER(text)."""
    return encode(parse_number(text, numeric_characters))


@udf("VARCHAR", "VARCHAR", returns="DOUBLE")
def parse_double(text: str, numeric_characters: str) -> float:
    """TO_BINARY_DOUBLE(text): also Inf and NaN."""
    special = {"INF": float("inf"), "+INF": float("inf"), "INFINITY": float("inf"), "-INF": float("-inf"),
               "-INFINITY": float("-inf"), "NAN": float("nan")}  # fmt: skip
    name = text.strip().upper()
    return special[name] if name in special else float(parse_number(text, numeric_characters))


@udf("DOUBLE", returns="DOUBLE")
def single(value: float) -> float:
    """Rounded to single precision, infinite beyond its range."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


@udf("BLOB", "BIGINT", "BIGINT", returns="BLOB")
def fit_number(data: bytes, precision: int, scale: int) -> bytes:
    """A value in NUMBER(precision, scale): rounded half away from zero; ORA-01438 when it has too many digits in front."""
    value = decode(data)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -scale:
        value = value.quantize(Decimal((0, (1,), -scale)), ROUND_HALF_UP, context=EXACT)
    if value and value.adjusted() >= precision - scale:
        raise OracleError(1438, "value larger than specified precision allowed for this column")
    return encode(value)


@udf("BLOB", "BIGINT", returns="BLOB")
def round_binary(data: bytes, bits: int) -> bytes:
    """A value in FLOAT(bits): decimal digits = bits * 0.30103, rounded up, as Oracle keeps it."""
    value = decode(data)
    digits = -(-bits * 30103 // 100000)
    if len(value.as_tuple().digits) <= digits:
        return data
    return encode(value.quantize(Decimal((0, (1,), value.adjusted() - digits + 1)), ROUND_HALF_UP, context=EXACT))

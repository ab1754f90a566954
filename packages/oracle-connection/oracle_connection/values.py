"""Values of a column between Arrow and JSON, both ways and exactly, for RECORD messages (docs/batch-contract.md, section 4).

A whole column at a time: the kernels of Arrow do the text, Python only touches what they cannot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from oracle_connection.types import ZONED, Kind, OracleType, arrow_type

NAN, INFINITY, MINUS_INFINITY = "NaN", "Infinity", "-Infinity"
UTC_OFFSET = "+00:00"


def to_json(column: pa.Array, oracle: OracleType) -> list[Any]:
    """A column of `arrow_type(oracle)` as Python values that a JSON encoder writes exactly (Decimal as number, all digits).

    Integers come as int, other numbers as Decimal or float (text for NaN and infinities), times and binary data as text.
    """
    travels_as = column.type
    if oracle.kind in {Kind.NUMBER, Kind.FLOAT} and not pa.types.is_integer(travels_as):
        return _numbers_to_json(column, whole=oracle.kind is Kind.NUMBER and oracle.scale is not None and oracle.scale <= 0)
    if pa.types.is_floating(travels_as):
        return [_float_to_json(value) for value in column.to_pylist()]
    if pa.types.is_binary(travels_as):
        return [None if value is None else value.hex().upper() for value in column.to_pylist()]
    if pa.types.is_timestamp(travels_as):
        import pyarrow.compute as pc  # a tenth of a second that only RECORDs with times need

        clock = column.cast(pa.timestamp(travels_as.unit)) if travels_as.tz else column
        text = pc.replace_substring(clock.cast(pa.string()), " ", "T")
        if travels_as.tz:
            text = pc.binary_join_element_wise(text, UTC_OFFSET, "")
        column = text
    values: list[Any] = column.to_pylist()
    return values


def _numbers_to_json(column: pa.Array, *, whole: bool) -> list[Any]:
    """Decimals, or texts of numbers, as int or Decimal."""
    if pa.types.is_decimal(column.type):
        values = column.to_pylist()
    else:
        values = [None if text is None else Decimal(text) for text in column.to_pylist()]
    return [None if value is None else int(value) for value in values] if whole else values


def _float_to_json(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return NAN
    return INFINITY if value > 0 else MINUS_INFINITY


def from_json(values: Sequence[Any], oracle: OracleType) -> pa.Array:
    """The reverse of `to_json`: JSON values, as any reader decodes them, as a column of `arrow_type(oracle)`.

    Numbers may be int, float, Decimal or text; times without a zone count as UTC where the column has one.
    Raises ValueError (pa.ArrowInvalid is one) when a value does not fit: nothing is rounded or cut.
    """
    travels_as = arrow_type(oracle)
    if oracle.kind in {Kind.NUMBER, Kind.FLOAT}:
        return _numbers_from_json(values, travels_as)
    if pa.types.is_floating(travels_as):
        return pa.array([None if value is None else float(value) for value in values], travels_as)
    if pa.types.is_binary(travels_as):
        return pa.array([None if value is None else bytes.fromhex(value) for value in values], travels_as)
    if pa.types.is_timestamp(travels_as):
        return pa.array([None if value is None else _moment(value, zoned=oracle.kind in ZONED) for value in values], travels_as)
    return pa.array(values, travels_as)


def _numbers_from_json(values: Sequence[Any], travels_as: pa.DataType) -> pa.Array:
    """Numbers as int64, decimal or exact text. Booleans are 0 and 1, as Oracle has them."""
    exact = [None if value is None else _exact(value) for value in values]
    if pa.types.is_string(travels_as):
        return pa.array([None if value is None else str(value) for value in exact], travels_as)
    if pa.types.is_integer(travels_as):
        return pa.array([None if value is None else _whole(value) for value in exact], travels_as)
    return pa.array(exact, travels_as)


def _exact(value: float | Decimal | str) -> Decimal:
    """A JSON number as Decimal; a float by its shortest text, which is what its writer saw."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _whole(value: Decimal) -> int:
    whole = int(value)
    if whole != value:
        message = f"{value} is not a whole number"
        raise ValueError(message)
    return whole


def _moment(value: str | datetime | date, *, zoned: bool) -> datetime:
    """A time of JSON as clock fields (`zoned` False) or as an instant. ISO 8601, up to six fractional digits."""
    if isinstance(value, str):
        value = _parse_moment(value)
    elif not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a date has no zone
    if zoned:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _parse_moment(text: str) -> datetime:
    digits = len(text.partition(".")[2].rstrip("Z").partition("+")[0].partition("-")[0])
    if digits > 6:
        message = f"{text!r} has more than six fractional digits"
        raise ValueError(message)
    return datetime.fromisoformat(text)

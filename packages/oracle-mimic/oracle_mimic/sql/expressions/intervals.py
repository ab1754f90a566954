"""INTERVAL values: literals, text forms, conversion from text.

DAY TO SECOND is carried as nanoseconds (HUGEINT), YEAR TO MONTH as months (INTEGER).
"""

from __future__ import annotations

import re

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.expressions.derive import LARGE_TEXT, TEXT, constant, derived
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.types import Kind, OracleType

SECOND = 1_000_000_000
UNITS = {"DAY": 86400 * SECOND, "HOUR": 3600 * SECOND, "MINUTE": 60 * SECOND, "SECOND": SECOND}
_FIELDS = ("DAY", "HOUR", "MINUTE", "SECOND")
_LIMITS = {"HOUR": (23, 1850, "hour must be between 0 and 23"), "MINUTE": (59, 1851, "minutes must be between 0 and 59"),
           "SECOND": (59, 1852, "seconds must be between 0 and 59")}  # fmt: skip
_TO_SECOND = re.compile(r"\s*([+-])?\s*(\d+)\s+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?\s*")
_TO_MONTH = re.compile(r"\s*([+-])?\s*(\d+)\s*-\s*(\d{1,2})\s*")
_ISO = re.compile(r"([+-])?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?")
_ISO_MONTH = re.compile(r"([+-])?P(?:(\d+)Y)?(?:(\d+)M)?.*")


def _invalid() -> OracleError:
    return OracleError(1867, "the interval is invalid")


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0")[:9])


def literal_interval(
    text: str, first: str, last: str | None = None, *, leading_precision: int | None = None, fraction_precision: int | None = None
) -> Typed:
    """INTERVAL 'text' first[(leading_precision)] [TO last[(fraction_precision)]]; field names in upper case.

    ORA-01867 for text that does not match, ORA-01873 when the leading field has more digits than its precision (2 by default).
    """
    last = last or first
    precision = 2 if leading_precision is None else leading_precision
    if first in ("YEAR", "MONTH"):
        months = _months(text, first, last, precision)
        return constant(f"CAST({months} AS INTEGER)", OracleType(Kind.INTERVAL_YM, precision=precision), "INTEGER", months)
    nanos = _nanos(text, first, last, precision)
    scale = 6 if fraction_precision is None else fraction_precision
    type_ = OracleType(Kind.INTERVAL_DS, precision=precision, scale=scale)
    return constant(f"CAST('{nanos}' AS HUGEINT)", type_, "HUGEINT", nanos)


def _signed(text: str) -> tuple[int, str]:
    text = text.strip()
    if text[:1] in ("+", "-"):
        return (-1 if text[0] == "-" else 1), text[1:].strip()
    return 1, text


def _leading(digits: str, precision: int) -> int:
    if len(digits.lstrip("0")) > precision:
        raise OracleError(1873, "the leading precision of the interval is too small")
    return int(digits)


def _months(text: str, first: str, last: str, precision: int) -> int:
    sign, body = _signed(text)
    if first == last:
        if not body.isdigit():
            raise _invalid()
        value = int(body)
        if first == "MONTH":  # a MONTH literal may exceed a year: its precision counts months
            _leading(body, precision)
            return sign * value
        return sign * _leading(body, precision) * 12
    found = _TO_MONTH.fullmatch(body)
    if not found:
        raise _invalid()
    if int(found.group(3)) > 11:
        raise OracleError(1843, "not a valid month")
    return sign * (_leading(found.group(2), precision) * 12 + int(found.group(3)))


def _nanos(text: str, first: str, last: str, precision: int) -> int:
    sign, body = _signed(text)
    names = _FIELDS[_FIELDS.index(first) : _FIELDS.index(last) + 1]
    whole, _, fraction = body.partition(".") if last == "SECOND" else (body, "", "")
    parts = re.split(r"[ :]+", whole)
    if len(parts) != len(names) or not all(part.isdigit() for part in parts) or (fraction and not fraction.isdigit()):
        raise _invalid()
    total = _fraction(fraction)
    for position, (name, part) in enumerate(zip(names, parts, strict=True)):
        value = _leading(part, precision) if position == 0 else int(part)
        if position and value > _LIMITS[name][0]:
            raise OracleError(_LIMITS[name][1], _LIMITS[name][2])
        total += value * UNITS[name]
    return sign * total


@udf("VARCHAR", returns="HUGEINT")
def parse_interval_ds(text: str) -> int:
    """TO_DSINTERVAL: `[+|-]d hh:mi:ss.ff` or ISO `PnDTnHnMnS`; nanoseconds."""
    iso = _ISO.fullmatch(text.strip())
    if iso and len(text.strip()) > 2:
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups()[1:5])
        sign, fraction = iso.group(1), iso.group(6)
    else:
        found = _TO_SECOND.fullmatch(text)
        if not found:
            raise _invalid()
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:5])
        sign, fraction = found.group(1), found.group(6)
        for name, value in (("HOUR", hours), ("MINUTE", minutes), ("SECOND", seconds)):
            if value > _LIMITS[name][0]:
                raise OracleError(_LIMITS[name][1], _LIMITS[name][2])
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    nanos = total * SECOND + _fraction(fraction)
    return -nanos if sign == "-" else nanos


@udf("VARCHAR", returns="INTEGER")
def parse_interval_ym(text: str) -> int:
    """TO_YMINTERVAL: `[+|-]y-m` or ISO `PnYnM`; months."""
    iso = _ISO_MONTH.fullmatch(text.strip())
    if iso:
        sign, years, months = iso.group(1), int(iso.group(2) or 0), int(iso.group(3) or 0)
    else:
        found = _TO_MONTH.fullmatch(text)
        if not found:
            raise _invalid()
        sign, years, months = found.group(1), int(found.group(2)), int(found.group(3))
        if months > 11:
            raise OracleError(1843, "not a valid month")
    total = years * 12 + months
    return -total if sign == "-" else total


@udf("HUGEINT", "BIGINT", "BIGINT", returns="VARCHAR")
def interval_ds_text(nanos: int, precision: int, scale: int) -> str:
    """`+dd hh:mi:ss.ff` with the type's digits."""
    nanos = int(nanos)
    rest, fraction = divmod(abs(nanos), SECOND)
    minutes, seconds = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    tail = f".{f'{fraction:09d}'[:scale]}" if scale else ""
    return f"{'-' if nanos < 0 else '+'}{days:0{precision}d} {hours:02d}:{minutes:02d}:{seconds:02d}{tail}"


@udf("INTEGER", "BIGINT", returns="VARCHAR")
def interval_ym_text(months: int, precision: int) -> str:
    """`+yy-mm`."""
    return f"{'-' if months < 0 else '+'}{abs(months) // 12:0{precision}d}-{abs(months) % 12:02d}"


def interval_text(x: Typed) -> str:
    """DuckDB text of TO_CHAR(interval)."""
    precision = 2 if x.type.precision is None else x.type.precision
    if x.type.kind is Kind.INTERVAL_YM:
        return f"ora_interval_ym_text({x.sql}, {precision})"
    return f"ora_interval_ds_text({x.sql}, {precision}, {6 if x.type.scale is None else x.type.scale})"


def to_interval(x: Typed, type_: OracleType) -> Typed:
    """An interval of the same kind, or text as one; seconds are rounded to the type's digits; ORA-01873 when it is too long."""
    carrier = "INTEGER" if type_.kind is Kind.INTERVAL_YM else "HUGEINT"
    if x.is_null_literal:
        return derived(f"CAST(NULL AS {carrier})", type_, carrier, x)
    if x.type.kind in TEXT | LARGE_TEXT:
        function = "ora_parse_interval_ym" if type_.kind is Kind.INTERVAL_YM else "ora_parse_interval_ds"
        x = derived(f"{function}({x.sql})", OracleType(type_.kind, precision=9, scale=9), carrier, x)
    if x.type.kind is not type_.kind:
        raise OracleError(932, f"inconsistent datatypes: expected {type_.kind.value} got {x.type.kind.value}")
    if type_.kind is Kind.INTERVAL_YM:
        return derived(_limited(x, type_, x.sql, 12), type_, carrier, x)
    scale, own = 6 if type_.scale is None else type_.scale, 6 if x.type.scale is None else x.type.scale
    sql = f"ora_round_nanos({x.sql}, {scale})" if own > scale else x.sql
    return derived(_limited(x, type_, sql, UNITS["DAY"]), type_, carrier, x)


def _limited(x: Typed, type_: OracleType, sql: str, unit: int) -> str:
    own, target = (2 if t.precision is None else t.precision for t in (x.type, type_))
    if own <= target:
        return sql
    limited = f"ora_limit_interval({sql}, {target}, {unit})"
    return f"CAST({limited} AS INTEGER)" if type_.kind is Kind.INTERVAL_YM else limited


@udf("HUGEINT", "BIGINT", returns="HUGEINT")
def round_nanos(nanos: int, scale: int) -> int:
    """Nanoseconds rounded to `scale` digits of a second, half away from zero."""
    nanos, unit = int(nanos), 10 ** (9 - scale)
    magnitude: int = (abs(nanos) + unit // 2) // unit * unit
    return -magnitude if nanos < 0 else magnitude


@udf("HUGEINT", "BIGINT", "HUGEINT", returns="HUGEINT")
def limit_interval(value: int, precision: int, unit: int) -> int:
    """The interval, or ORA-01873 when its leading field has more than `precision` digits."""
    if abs(int(value)) // int(unit) >= 10**precision:
        raise OracleError(1873, "the leading precision of the interval is too small")
    return int(value)

"""Literals and binds as typed expressions."""

from __future__ import annotations

import re

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.sql.expressions.date_reader import parse_moment
from oracle_mimic.sql.expressions.derive import DATE, constant, null_of, quote, timestamp, timestamp_tz
from oracle_mimic.sql.expressions.zones import NANOS, canonical, offset_of_local
from oracle_mimic.types import Kind, OracleType

_ZONED = re.compile(r"(.*?\d)\s*([+-]\s*\d{1,2}:\d{2}|\s[A-Za-z][\w/+\-]*)\s*", re.DOTALL)


def null() -> Typed:
    """NULL, which takes any type; a describe shows it as VARCHAR2 of no length."""
    return Typed(null_of("VARCHAR"), OracleType(Kind.VARCHAR2, length=0), "VARCHAR", is_null_literal=True)


def literal_string(text: str, national: bool = False) -> Typed:
    """A character literal, which has type CHAR; '' is NULL."""
    if not text:
        return null()
    kind, length = (Kind.NCHAR, len(text)) if national else (Kind.CHAR, len(text.encode()))
    return constant(quote(text), OracleType(kind, length=length, char_semantics=national), "VARCHAR", text)


def literal_date(text: str) -> Typed:
    """DATE 'YYYY-MM-DD'; ORA-018xx as TO_DATE with that mask."""
    nanos = parse_moment(text, "FXYYYY-MM-DD" if re.match(r"\d{4}-\d\d-\d\d$", text) else "SYYYY-MM-DD", "AMERICAN", 0, ".")
    return constant(f"CAST(make_timestamp({nanos // 1000}::BIGINT) AS TIMESTAMP_S)", DATE, "TIMESTAMP_S", nanos)


def literal_timestamp(text: str) -> Typed:
    """TIMESTAMP 'YYYY-MM-DD HH:MI:SS.ff [zone]'; with a zone it is a TIMESTAMP WITH TIME ZONE."""
    found = _ZONED.fullmatch(text) if ":" in text else None
    clock, zone = (found.group(1), found.group(2).replace(" ", "")) if found else (text, None)
    nanos = parse_moment(clock, "SYYYY-MM-DD HH24:MI:SSXFF", "AMERICAN", 0, ".")
    if zone is not None:
        zone = canonical(zone)
        utc = nanos - offset_of_local(zone, nanos // NANOS) * 60 * NANOS
        sql = f"CAST({{'utc': CAST('{utc}' AS HUGEINT), 'tz': {quote(zone)}}} AS {TZ_STRUCT})"
        return constant(sql, timestamp_tz(9), TZ_STRUCT, (utc, zone))
    if nanos % 1000:
        return constant(f"CAST('{nanos}' AS HUGEINT)", timestamp(9), "HUGEINT", nanos)
    return constant(f"make_timestamp({nanos // 1000}::BIGINT)", timestamp(9), "TIMESTAMP", nanos)


def bind(name: str, type_: OracleType, carrier: str) -> Typed:
    """The value of a bind as a named DuckDB parameter, in a carrier the caller has put it in."""
    if not re.fullmatch(r"\w+", name):
        raise OracleError(1745, "invalid host/bind variable name")
    return Typed(f"CAST(${name} AS {carrier})", type_, carrier)


def text_of_literal(x: Typed) -> str | None:
    """The text of a character literal, None when the expression is none."""
    return x.literal if isinstance(x.literal, str) else None

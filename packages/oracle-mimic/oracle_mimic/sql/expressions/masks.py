"""Format models on typed expressions: which mask applies, and the DuckDB text that formats or reads by it.

The common ISO-like masks run natively: formatting by strftime, reading by a cast guarded by the exact shape of the text. Everything
else, and every text the cast does not take, goes through the reader and the writer that know Oracle's rules.
"""

from __future__ import annotations

import re

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.sql.expressions import moments
from oracle_mimic.sql.expressions.calendar_names import names_of
from oracle_mimic.sql.expressions.date_mask import FRACTION, Element, parse_mask
from oracle_mimic.sql.expressions.date_reader import needs_today
from oracle_mimic.sql.expressions.derive import constant, derived, quote, timestamp, varchar2
from oracle_mimic.types import Kind, OracleType

_STRFTIME = {"YYYY": "%Y", "SYYYY": " %Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S", "DDD": "%j"}
_READABLE = {
    "YYYY-MM-DD HH24:MI:SS": r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d",
    "YYYY-MM-DD HH24:MI:SS.FF": r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?",
    "YYYY-MM-DD HH24:MI:SSXFF": r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?",
    "YYYY-MM-DD HH24:MI:SS.FF6": r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?",
    "YYYY-MM-DD HH24:MI:SS.FF3": r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?",
    'YYYY-MM-DD"T"HH24:MI:SS': r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d",
    "YYYY-MM-DD": r"\d{4}-\d{2}-\d{2}",
}
_PLAIN = re.compile(r"[ \-:./,;T_]*")


def text_constant(text: str) -> Typed:
    """A mask or a zone as an expression."""
    return constant(quote(text), varchar2(len(text)), "VARCHAR", text)


def nls_mask(kind: Kind, ctx: BindContext) -> Typed:
    """The session's own mask for a kind of date or timestamp."""
    nls = ctx.nls
    text = {Kind.DATE: nls.date_format, Kind.TIMESTAMP: nls.timestamp_format, Kind.TIMESTAMP_LTZ: nls.timestamp_format}.get(
        kind, nls.timestamp_tz_format
    )
    return text_constant(text)


def format_datetime(x: Typed, mask: Typed, ctx: BindContext, language: str | None = None) -> Typed:
    """TO_CHAR(x, mask): VARCHAR2 of the mask's longest output when the mask is known while binding."""
    text = mask.literal if isinstance(mask.literal, str) else None
    names = language or ctx.nls.date_language
    length = mask_length(text, names) if text is not None else 255
    if text is not None and x.type.kind is Kind.DATE and any(FRACTION.fullmatch(element.name) for element in parse_mask(text)):
        raise OracleError(1821, "date format not recognized")
    written = _written(x, mask, names, ctx)
    native = _native(x, text, ctx) if text is not None else None
    if native is not None:  # before the year 1 DuckDB counts otherwise
        native = f"(CASE WHEN {moments.local_nanos(x, ctx)} >= {moments.FIRST_YEAR_NANOS}::HUGEINT THEN {native} ELSE {written} END)"
    return derived(native or written, varchar2(length), "VARCHAR", x, mask)


def _written(x: Typed, mask: Typed, names: str, ctx: BindContext) -> str:
    """DuckDB text of the writer's call."""
    zoned = x.type.kind is Kind.TIMESTAMP_TZ
    if x.carrier == "TIMESTAMP_S":
        seconds, nanos = f"(epoch_us({x.sql}) // 1000000)", "0"
    else:
        clock = f"({x.sql}).utc" if zoned else moments.local_nanos(x, ctx)
        seconds, nanos = f"CAST({moments.floor_div(clock, moments.SECOND)} AS BIGINT)", moments.below_second(clock)
    zone = f"({x.sql}).tz" if zoned else "''"
    if x.type.kind is Kind.TIMESTAMP_LTZ:
        zone, seconds = quote(ctx.nls.time_zone), _utc_seconds(x, ctx)
    digits = -1 if x.type.kind is Kind.DATE else moments.fraction_digits(x.type)
    return f"ora_format_moment({seconds}, {nanos}, {zone}, {mask.sql}, {quote(names)}, {digits}, {quote(ctx.nls.numeric_characters[0])})"


def _utc_seconds(x: Typed, ctx: BindContext) -> str:
    return f"CAST({moments.floor_div(moments.utc_nanos(x, ctx), moments.SECOND)} AS BIGINT)"


def _native(x: Typed, mask: str, ctx: BindContext) -> str | None:
    """DuckDB text that prints exactly what the mask does for years from 1 on, None when there is none for certain."""
    pieces, layout = [], ""
    fine = x.carrier not in ("TIMESTAMP_S", "TIMESTAMP") or x.type.kind is Kind.TIMESTAMP_LTZ
    clock = moments.from_nanos(moments.local_nanos(x, ctx), "TIMESTAMP") if fine else x.sql
    if x.carrier == "TIMESTAMP_S":  # strftime would take it for nanoseconds, which end in 2262
        clock = f"CAST({x.sql} AS TIMESTAMP)"
    for element in parse_mask(mask):
        if element.name == "LITERAL":
            layout += element.text.replace("%", "%%")
        elif element.name in _STRFTIME and element.fill and not element.ordinal:
            layout += _STRFTIME[element.name]
        elif found := FRACTION.fullmatch(element.name):
            count = int(found.group(1) or moments.fraction_digits(x.type))
            if layout:
                pieces.append(f"strftime({clock}, {quote(layout)})")
                layout = ""
            if count:
                fraction = f"lpad(CAST({moments.below_second(moments.local_nanos(x, ctx))} AS VARCHAR), 9, '0')"
                pieces.append(f"substr({fraction}, 1, {count})" if count < 9 else fraction)
        else:
            return None
    if layout:
        pieces.append(f"strftime({clock}, {quote(layout)})")
    return f"({' || '.join(pieces)})" if pieces else None


def mask_length(mask: str, language: str) -> int:
    """Bytes of the longest text a mask can print."""
    names = names_of(language)
    bytes_of = {"MONTH": max(len(n.encode()) for n in names.months), "DAY": max(len(n.encode()) for n in names.days), "MON": 4, "DY": 4}

    def width(element: Element) -> int:
        name = element.name
        if name == "LITERAL":
            return len(element.text.encode())
        if FRACTION.fullmatch(name):
            return int(name[2:] or 9)
        fixed = {
            "HH24": 2,
            "HH12": 2,
            "TZH": 3,
            "TZM": 2,
            "TZR": 64,
            "TZD": 10,
            "X": 1,
            "J": 7,
            "SYYYY": 5,
            "Q": 1,
            "W": 1,
            "CC": 2,
            "SCC": 3,
            "RM": 4,
        }
        return bytes_of.get(name) or fixed.get(name) or len(name) + (2 if element.ordinal else 0)

    return sum(map(width, parse_mask(mask)))


def parse_datetime(x: Typed, mask: Typed, type_: OracleType, ctx: BindContext, language: str | None = None) -> Typed:
    """Text read by a mask: DATE, TIMESTAMP (fractions as the mask has them) or WITH TIME ZONE as `type_.kind` asks."""
    text = mask.literal if isinstance(mask.literal, str) else None
    names = quote(language or ctx.nls.date_language)
    radix = quote(ctx.nls.numeric_characters[0])
    today = "0" if text is not None and not needs_today(text) else today_months(ctx)
    if type_.kind in (Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
        sql = f"ora_parse_moment_tz({x.sql}, {mask.sql}, {names}, {today}, {radix}, {quote(ctx.nls.time_zone)})"
        return derived(sql, OracleType(Kind.TIMESTAMP_TZ, scale=9), TZ_STRUCT, x, mask)
    if type_.kind is Kind.DATE and text is not None and any(FRACTION.fullmatch(e.name) for e in parse_mask(text)):
        raise OracleError(1821, "date format not recognized")
    carrier = "TIMESTAMP_S" if type_.kind is Kind.DATE else "TIMESTAMP" if text is not None and _micros_suffice(text) else "HUGEINT"
    read = f"ora_parse_moment({x.sql}, {mask.sql}, {names}, {today}, {radix})"
    sql = moments.from_nanos(read, carrier)
    shape = _READABLE.get(text.upper()) if text is not None and carrier != "HUGEINT" else None
    if shape:
        guarded = f"CASE WHEN regexp_full_match({x.sql}, {quote(shape)}) AND {x.sql} >= '0001' THEN TRY_CAST({x.sql} AS {carrier}) END"
        sql = f"coalesce({guarded}, {sql})"
    result = type_ if type_.kind is Kind.DATE else timestamp(9)
    return derived(sql, result, carrier, x, mask)


def _micros_suffice(mask: str) -> bool:
    """No more than six digits of a second can come out of the mask."""
    fractions = [e.name for e in parse_mask(mask) if FRACTION.fullmatch(e.name)]
    return all(name != "FF" and int(name[2:]) <= 6 for name in fractions)


def today_months(ctx: BindContext) -> str:
    """year * 12 + month - 1 of the present in the session's zone, as DuckDB text."""
    clock = moments.from_nanos(moments.utc_to_local(f"({ctx.now().sql}).utc", ctx.nls.time_zone), "TIMESTAMP")
    return f"CAST(year({clock}) * 12 + month({clock}) - 1 AS BIGINT)"

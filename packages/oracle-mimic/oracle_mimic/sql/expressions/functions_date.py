"""Functions over dates, timestamps, intervals and time zones."""

from __future__ import annotations

from decimal import Decimal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES, TZ_STRUCT
from oracle_mimic.sql.expressions import masks, moments
from oracle_mimic.sql.expressions.conversion import inconsistent, null_as, to_datetime, to_number, to_text
from oracle_mimic.sql.expressions.derive import (
    DATE,
    DATETIMES,
    INTERVAL_DS,
    INTERVAL_YM,
    INTERVALS,
    NUMBER,
    NUMERIC,
    OCTETS,
    derived,
    quote,
    timestamp,
    timestamp_tz,
    varchar2,
)
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.functions_text import language_of
from oracle_mimic.sql.expressions.intervals import to_interval
from oracle_mimic.sql.expressions.numbers import as_bytes, as_integer
from oracle_mimic.sql.expressions.zones import canonical
from oracle_mimic.types import Kind, OracleType

# --- the present -----------------------------------------------------------------------------------------------------------


@scalar("SYSTIMESTAMP", least=0, most=1)
def systimestamp(arguments: Arguments, ctx: BindContext) -> Typed:
    return _with_precision(ctx.now(), arguments, Kind.TIMESTAMP_TZ, ctx)


@scalar("SYSDATE", least=0)
def sysdate(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return moments.to_date(ctx.now(), ctx)


@scalar("CURRENT_TIMESTAMP", least=0, most=1)
def current_timestamp(arguments: Arguments, ctx: BindContext) -> Typed:
    return _with_precision(_in_session_zone(ctx), arguments, Kind.TIMESTAMP_TZ, ctx)


@scalar("LOCALTIMESTAMP", least=0, most=1)
def localtimestamp(arguments: Arguments, ctx: BindContext) -> Typed:
    local = moments.to_timestamp(_in_session_zone(ctx), timestamp(6), ctx)
    return _with_precision(local, arguments, Kind.TIMESTAMP, ctx)


@scalar("CURRENT_DATE", least=0)
def current_date(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return moments.to_date(_in_session_zone(ctx), ctx)


def _in_session_zone(ctx: BindContext) -> Typed:
    now = ctx.now()
    return moments.at_zone(f"({now.sql}).utc", quote(canonical(ctx.nls.time_zone)), 6, now)


def _with_precision(now: Typed, arguments: Arguments, kind: Kind, ctx: BindContext) -> Typed:
    if not arguments:
        return now
    precision = arguments[0].literal
    if not isinstance(precision, Decimal) or not 0 <= precision <= 9:
        raise OracleError(30088, "datetime/interval precision is out of range")
    return moments.to_kind(now, OracleType(kind, scale=int(precision)), ctx)


@scalar("DBTIMEZONE", least=0)
def dbtimezone(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return derived(quote(ctx.db_time_zone), varchar2(6), "VARCHAR", nullable=False)


@scalar("SESSIONTIMEZONE", least=0)
def sessiontimezone(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return derived(quote(ctx.nls.time_zone), varchar2(75), "VARCHAR", nullable=False)


# --- text to dates, numbers to intervals -----------------------------------------------------------------------------------


def _from_text(arguments: Arguments, type_: OracleType, ctx: BindContext) -> Typed:
    x = arguments[0]
    if x.is_null_literal:
        return null_as(type_)
    if x.type.kind in OCTETS:
        raise inconsistent(type_, x.type)
    mask = to_text(arguments[1], ctx) if len(arguments) > 1 else masks.nls_mask(type_.kind, ctx)
    language = language_of(arguments[2]) if len(arguments) > 2 else None
    return masks.parse_datetime(to_text(x, ctx), mask, type_, ctx, language)


@scalar("TO_DATE", least=1, most=3)
def to_date(arguments: Arguments, ctx: BindContext) -> Typed:
    return _from_text(arguments, DATE, ctx)


@scalar("TO_TIMESTAMP", least=1, most=3)
def to_timestamp(arguments: Arguments, ctx: BindContext) -> Typed:
    if len(arguments) == 1 and arguments[0].type.kind in DATETIMES:
        return to_datetime(arguments[0], timestamp(moments.fraction_digits(arguments[0].type)), ctx)
    return _from_text(arguments, timestamp(9), ctx)


@scalar("TO_TIMESTAMP_TZ", least=1, most=3)
def to_timestamp_tz(arguments: Arguments, ctx: BindContext) -> Typed:
    return _from_text(arguments, timestamp_tz(9), ctx)


@scalar("TO_DSINTERVAL", least=1)
def to_dsinterval(arguments: Arguments, ctx: BindContext) -> Typed:
    return to_interval(to_text(arguments[0], ctx), INTERVAL_DS)


@scalar("TO_YMINTERVAL", least=1)
def to_yminterval(arguments: Arguments, ctx: BindContext) -> Typed:
    return to_interval(to_text(arguments[0], ctx), INTERVAL_YM)


@scalar("NUMTODSINTERVAL", least=2)
def numtodsinterval(arguments: Arguments, ctx: BindContext) -> Typed:
    number, unit = to_number(arguments[0], ctx), to_text(arguments[1], ctx)
    return derived(f"ora_numtodsinterval({as_bytes(number)}, {unit.sql})", INTERVAL_DS, "HUGEINT", *arguments)


@scalar("NUMTOYMINTERVAL", least=2)
def numtoyminterval(arguments: Arguments, ctx: BindContext) -> Typed:
    number, unit = to_number(arguments[0], ctx), to_text(arguments[1], ctx)
    return derived(f"ora_numtoyminterval({as_bytes(number)}, {unit.sql})", INTERVAL_YM, "INTEGER", *arguments)


# --- calendar arithmetic ---------------------------------------------------------------------------------------------------


def seconds_of(date: Typed) -> str:
    """A DATE as BIGINT seconds since 1970."""
    return f"(epoch_us({date.sql}) // 1000000)"


def date_of(seconds: str, *operands: Typed) -> Typed:
    """BIGINT seconds since 1970 as a DATE."""
    return derived(f"CAST(make_timestamp({seconds} * 1000000) AS TIMESTAMP_S)", DATE, "TIMESTAMP_S", *operands)


def _as_date(x: Typed, ctx: BindContext) -> Typed:
    return to_datetime(x, DATE, ctx)


@scalar("ADD_MONTHS", least=2)
def add_months(arguments: Arguments, ctx: BindContext) -> Typed:
    date, months = _as_date(arguments[0], ctx), to_number(arguments[1], ctx)
    return date_of(f"ora_add_months({seconds_of(date)}, {as_integer(months)})", *arguments)


@scalar("MONTHS_BETWEEN", least=2)
def months_between(arguments: Arguments, ctx: BindContext) -> Typed:
    a, b = (_as_date(argument, ctx) for argument in arguments)
    return derived(f"ora_months_between({seconds_of(a)}, {seconds_of(b)})", NUMBER, NUMBER_BYTES, *arguments)


@scalar("LAST_DAY", least=1)
def last_day(arguments: Arguments, ctx: BindContext) -> Typed:
    return date_of(f"ora_last_day({seconds_of(_as_date(arguments[0], ctx))})", *arguments)


@scalar("NEXT_DAY", least=2)
def next_day(arguments: Arguments, ctx: BindContext) -> Typed:
    date, day = _as_date(arguments[0], ctx), to_text(arguments[1], ctx)
    return date_of(f"ora_next_day({seconds_of(date)}, {day.sql}, {quote(ctx.nls.date_language)})", *arguments)


_NATIVE_TRUNC = {"DD": "day", "DDD": "day", "J": "day", "MM": "month", "MON": "month", "MONTH": "month", "RM": "month", "Q": "quarter",
                 "YYYY": "year", "YEAR": "year", "YYY": "year", "YY": "year", "Y": "year", "SYYYY": "year", "SYEAR": "year",
                 "IW": "week", "HH": "hour", "HH12": "hour", "HH24": "hour", "MI": "minute"}  # fmt: skip


def trunc_date(arguments: Arguments, ctx: BindContext) -> Typed:
    """TRUNC(date, unit): always a DATE."""
    date = _as_date(arguments[0], ctx)
    unit = arguments[1] if len(arguments) > 1 else None
    if unit is None or isinstance(unit.literal, str):
        native = _NATIVE_TRUNC.get("DD" if unit is None else str(unit.literal).upper())
        if native:
            return derived(f"CAST(date_trunc('{native}', {date.sql}) AS TIMESTAMP_S)", DATE, "TIMESTAMP_S", *arguments)
    if unit is None or unit.type.kind in NUMERIC:
        raise OracleError(932, "inconsistent datatypes: expected DATE got NUMBER")
    return date_of(f"ora_trunc_moment({seconds_of(date)}, {to_text(unit, ctx).sql})", *arguments)


def round_date(arguments: Arguments, ctx: BindContext) -> Typed:
    """ROUND(date, unit)."""
    date = _as_date(arguments[0], ctx)
    unit = to_text(arguments[1], ctx).sql if len(arguments) > 1 else "'DD'"
    return date_of(f"ora_round_moment({seconds_of(date)}, {unit})", *arguments)


# --- fields and zones ------------------------------------------------------------------------------------------------------

_DATE_FIELDS = ("YEAR", "MONTH", "DAY")
_TIME_FIELDS = ("HOUR", "MINUTE", "SECOND")
_ZONE_FIELDS = ("TIMEZONE_HOUR", "TIMEZONE_MINUTE", "TIMEZONE_REGION", "TIMEZONE_ABBR")


def _bad_field() -> OracleError:
    return OracleError(30076, "invalid extract field for extract source")


@scalar("EXTRACT", least=2)
def extract(arguments: Arguments, ctx: BindContext) -> Typed:
    """EXTRACT(field FROM x): of a value WITH TIME ZONE in UTC, as Oracle does."""
    field, x = str(arguments[0].literal).upper(), arguments[1]
    kind = x.type.kind
    if kind in INTERVALS:
        return _interval_field(field, x)
    if kind not in DATETIMES:
        raise _bad_field()
    if field in _ZONE_FIELDS:
        return _zone_field(field, x, ctx)
    if field not in _DATE_FIELDS and (field not in _TIME_FIELDS or kind is Kind.DATE):
        raise _bad_field()
    if x.carrier in ("TIMESTAMP_S", "TIMESTAMP") and kind is not Kind.TIMESTAMP_LTZ:
        clock, fraction = x.sql, f"(epoch_us({x.sql}) % 60000000 + 60000000) % 60000000 * 1000"
    else:
        nanos = f"({x.sql}).utc" if kind is Kind.TIMESTAMP_TZ else moments.local_nanos(x, ctx)
        clock = moments.from_nanos(nanos, "TIMESTAMP")
        fraction = f"(({nanos}) % {moments.MINUTE} + {moments.MINUTE}) % {moments.MINUTE}"
    if field == "SECOND":
        return _seconds_with_fraction(f"CAST({fraction} AS BIGINT)", x)
    return derived(f"CAST({field.lower()}({clock}) AS DECIMAL(6,0))", NUMBER, "DECIMAL(6,0)", x)


def _seconds_with_fraction(nanos: str, x: Typed) -> Typed:
    return derived(
        f"CAST(CAST({nanos} AS DECIMAL(11,0)) * CAST('0.000000001' AS DECIMAL(10,9)) AS DECIMAL(20,9))", NUMBER, "DECIMAL(20,9)", x
    )


def _interval_field(field: str, x: Typed) -> Typed:
    if x.type.kind is Kind.INTERVAL_YM:
        parts = {"YEAR": f"({x.sql}) // 12", "MONTH": f"({x.sql}) % 12"}
    else:
        parts = {
            "DAY": f"({x.sql}) // {86400 * moments.SECOND}",
            "HOUR": f"({x.sql}) // {3600 * moments.SECOND} % 24",
            "MINUTE": f"({x.sql}) // {60 * moments.SECOND} % 60",
        }
        if field == "SECOND":
            return _seconds_with_fraction(f"CAST(({x.sql}) % {moments.MINUTE} AS BIGINT)", x)
    if field not in parts:
        raise _bad_field()
    return derived(f"CAST({parts[field]} AS DECIMAL(10,0))", NUMBER, "DECIMAL(10,0)", x)


def _zone_field(field: str, x: Typed, ctx: BindContext) -> Typed:
    if x.type.kind not in (Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
        raise _bad_field()
    utc, zone = moments.utc_nanos(x, ctx), moments.zone_of(x, ctx)
    if field in ("TIMEZONE_HOUR", "TIMEZONE_MINUTE"):
        minutes = moments.offset_minutes_at(utc, zone)
        part = "// 60" if field == "TIMEZONE_HOUR" else "% 60"
        return derived(f"CAST({minutes} {part} AS DECIMAL(2,0))", NUMBER, "DECIMAL(2,0)", x)
    if field == "TIMEZONE_REGION":
        unknown = f"(CASE WHEN left({zone}, 1) IN ('+', '-') THEN 'UNKNOWN' ELSE {zone} END)"
        return derived(unknown, varchar2(64), "VARCHAR", x)
    shown = masks.format_datetime(x, masks.text_constant("TZD"), ctx)
    return derived(f"coalesce({shown.sql}, 'UNK')", varchar2(10), "VARCHAR", x)


@scalar("SYS_EXTRACT_UTC", least=1)
def sys_extract_utc(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    if x.type.kind not in DATETIMES:
        x = to_datetime(x, timestamp_tz(9), ctx)
    digits = moments.fraction_digits(x.type)
    carrier = "HUGEINT" if digits > 6 else "TIMESTAMP"
    return derived(moments.from_nanos(moments.utc_nanos(x, ctx), carrier), timestamp(digits), carrier, x)


@scalar("AT TIME ZONE", least=2)
def at_time_zone(arguments: Arguments, ctx: BindContext) -> Typed:
    """The same instant shown in another zone; a value without zone is read in the session's."""
    x, zone = arguments
    if x.type.kind not in DATETIMES:
        x = to_datetime(x, timestamp_tz(9), ctx)
    return moments.at_zone(moments.utc_nanos(x, ctx), _zone_text(zone, ctx), moments.fraction_digits(x.type), x)


def _zone_text(zone: Typed, ctx: BindContext) -> str:
    if isinstance(zone.literal, str):
        return quote(canonical(zone.literal))
    return f"ora_zone_name({to_text(zone, ctx).sql})"


@scalar("FROM_TZ", least=2)
def from_tz(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    if x.type.kind is not Kind.TIMESTAMP:
        raise inconsistent(Kind.TIMESTAMP, x.type)
    zone = _zone_text(arguments[1], ctx)
    utc = moments.local_to_utc_by(moments.nanos_of(x), zone)
    return derived(moments.tz_struct(utc, zone, x.sql), timestamp_tz(moments.fraction_digits(x.type)), TZ_STRUCT, *arguments)


@scalar("TZ_OFFSET", least=1)
def tz_offset(arguments: Arguments, ctx: BindContext) -> Typed:
    zone = to_text(arguments[0], ctx)
    seconds = f"CAST({moments.floor_div(f'({ctx.now().sql}).utc', moments.SECOND)} AS BIGINT)"
    return derived(f"ora_zone_offset_text({zone.sql}, {seconds})", varchar2(7), "VARCHAR", zone)

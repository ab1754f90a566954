"""Dates, timestamps and intervals in DuckDB text: from one carrier to another, and to and from nanoseconds since 1970."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.sql.expressions.derive import DATE, derived, quote, raising, timestamp, timestamp_tz
from oracle_mimic.sql.expressions.zones import offset_minutes
from oracle_mimic.types import Kind, OracleType

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
FIRST_MICROS = -210866803200000000  # -4712-01-01 in the proleptic Gregorian calendar
LAST_MICROS = 253402300799999999
FIRST_YEAR_NANOS = -62135596800 * SECOND  # 0001-01-01
_BIAS = 10**23  # times any divisor it is more than the oldest moment, so that the dividend is never negative


def floor_div(sql: str, divisor: int) -> str:
    """HUGEINT division towards minus infinity (DuckDB's own truncates); `sql` stands in it once, so nesting stays small."""
    return f"((({sql}) + {_BIAS * divisor}::HUGEINT) // {divisor} - {_BIAS}::HUGEINT)"


def nanos_of(x: Typed) -> str:
    """The stored clock of a DATE, TIMESTAMP or LTZ value as HUGEINT nanoseconds."""
    return x.sql if x.carrier == "HUGEINT" else f"(epoch_us({x.sql})::HUGEINT * 1000)"


def from_nanos(sql: str, carrier: str) -> str:
    """Nanoseconds to a carrier of DATE or TIMESTAMP; fractions that it does not hold are cut off."""
    if carrier == "HUGEINT":
        return sql
    instant = f"make_timestamp(CAST({floor_div(sql, 1000)} AS BIGINT))"
    return f"CAST(date_trunc('second', {instant}) AS TIMESTAMP_S)" if carrier == "TIMESTAMP_S" else instant


def in_range(nanos: str) -> str:
    """The nanoseconds, or ORA-01841 when they leave Oracle's years."""
    complaint = raising(1841, "(full) year must be between -4713 and +9999, and not be 0", "HUGEINT")
    first, last = FIRST_MICROS * 1000, LAST_MICROS * 1000 + 999
    return f"(CASE WHEN {nanos} NOT BETWEEN CAST('{first}' AS HUGEINT) AND CAST('{last}' AS HUGEINT) THEN {complaint} ELSE {nanos} END)"


def offset_nanos(utc: str, zone: str) -> str:
    """How far the clock of a zone (DuckDB text of both) is ahead of UTC, as HUGEINT nanoseconds."""
    return f"({offset_minutes_at(utc, zone)}::HUGEINT * {MINUTE})"


def offset_minutes_at(utc: str, zone: str) -> str:
    """Minutes ahead of UTC, as INTEGER; UTC itself without a call."""
    return f"(CASE WHEN {zone} = '+00:00' THEN 0 ELSE ora_zone_offset(CAST({floor_div(utc, SECOND)} AS BIGINT), {zone}) END)"


def session_zone(ctx: BindContext) -> str:
    return ctx.nls.time_zone


def _fixed_nanos(zone: str) -> int | None:
    minutes = offset_minutes(zone)
    return None if minutes is None else minutes * MINUTE


def utc_to_local(utc: str, zone: str) -> str:
    """HUGEINT nanoseconds in UTC to the clock of a zone known while binding."""
    fixed = _fixed_nanos(zone)
    if fixed is not None:
        return f"({utc} + {fixed})" if fixed else utc
    return f"({utc} + {offset_nanos(utc, quote(zone))})"


def local_to_utc(local: str, zone: str) -> str:
    """The clock of a zone known while binding to HUGEINT nanoseconds in UTC."""
    fixed = _fixed_nanos(zone)
    if fixed is not None:
        return f"({local} - {fixed})" if fixed else local
    return local_to_utc_by(local, quote(zone))


def local_to_utc_by(local: str, zone: str) -> str:
    """The same with the zone as DuckDB text."""
    return f"({local} - ora_local_offset(CAST({floor_div(local, SECOND)} AS BIGINT), {zone})::HUGEINT * {MINUTE})"


def utc_nanos(x: Typed, ctx: BindContext) -> str:
    """The instant as HUGEINT nanoseconds in UTC; a value without zone is read in the session's."""
    if x.type.kind is Kind.TIMESTAMP_TZ:
        return f"({x.sql}).utc"
    if x.type.kind is Kind.TIMESTAMP_LTZ:
        return nanos_of(x)
    return local_to_utc(nanos_of(x), session_zone(ctx))


def local_nanos(x: Typed, ctx: BindContext) -> str:
    """The clock a value shows: its own zone's for WITH TIME ZONE, the session's for WITH LOCAL TIME ZONE."""
    if x.type.kind is Kind.TIMESTAMP_TZ:
        return f"(({x.sql}).utc + {offset_nanos(f'({x.sql}).utc', f'({x.sql}).tz')})"
    if x.type.kind is Kind.TIMESTAMP_LTZ:
        return utc_to_local(nanos_of(x), session_zone(ctx))
    return nanos_of(x)


def zone_of(x: Typed, ctx: BindContext) -> str:
    """DuckDB text of the zone a value is in."""
    return f"({x.sql}).tz" if x.type.kind is Kind.TIMESTAMP_TZ else quote(session_zone(ctx))


def tz_struct(utc: str, zone: str, witness: str) -> str:
    """A WITH TIME ZONE value, NULL when `witness` is."""
    return f"(CASE WHEN ({witness}) IS NULL THEN NULL ELSE CAST({{'utc': {utc}, 'tz': {zone}}} AS {TZ_STRUCT}) END)"


def fraction_digits(type_: OracleType) -> int:
    """Digits of fractional seconds: none for DATE, 6 unless declared."""
    if type_.kind is Kind.DATE:
        return 0
    return 6 if type_.scale is None else type_.scale


def round_nanos(sql: str, digits: int) -> str:
    """Nanoseconds rounded half up to that many digits of a second."""
    if digits >= 9:
        return sql
    unit = 10 ** (9 - digits)
    return f"(({floor_div(f'{sql} + {unit // 2}', unit)}) * {unit})"


def to_date(x: Typed, ctx: BindContext) -> Typed:
    """A date or timestamp as DATE; fractions of a second are cut off."""
    if x.type.kind is Kind.DATE:
        return x
    if x.type.kind is Kind.TIMESTAMP and x.carrier == "TIMESTAMP":
        return derived(f"CAST(date_trunc('second', {x.sql}) AS TIMESTAMP_S)", DATE, None, x)
    return derived(from_nanos(local_nanos(x, ctx), "TIMESTAMP_S"), DATE, None, x)


def to_timestamp(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """A date or timestamp as TIMESTAMP or WITH LOCAL TIME ZONE of `type_`'s precision, rounded to it."""
    target = derived("", type_).carrier
    if x.type.kind is type_.kind and x.carrier == target and fraction_digits(x.type) <= fraction_digits(type_):
        return derived(x.sql, type_, target, x)
    if x.type.kind is Kind.DATE and type_.kind is Kind.TIMESTAMP and target == "TIMESTAMP":
        return derived(f"CAST({x.sql} AS TIMESTAMP)", type_, target, x)
    nanos = utc_nanos(x, ctx) if type_.kind is Kind.TIMESTAMP_LTZ else local_nanos(x, ctx)
    if fraction_digits(x.type) > fraction_digits(type_):
        nanos = round_nanos(nanos, fraction_digits(type_))
    return derived(from_nanos(nanos, target), type_, target, x)


def to_timestamp_tz(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """A date or timestamp as TIMESTAMP WITH TIME ZONE; a value without zone gets the session's."""
    digits = fraction_digits(type_)
    if x.type.kind is Kind.TIMESTAMP_TZ and fraction_digits(x.type) <= digits:
        return derived(x.sql, type_, TZ_STRUCT, x)
    utc = utc_nanos(x, ctx)
    if fraction_digits(x.type) > digits:
        utc = round_nanos(utc, digits)
    return derived(tz_struct(utc, zone_of(x, ctx), x.sql), type_, TZ_STRUCT, x)


def to_kind(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """A date or timestamp as another of these kinds."""
    if type_.kind is Kind.DATE:
        return to_date(x, ctx)
    if type_.kind is Kind.TIMESTAMP_TZ:
        return to_timestamp_tz(x, type_, ctx)
    if type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ):
        return to_timestamp(x, type_, ctx)
    raise OracleError(932, f"inconsistent datatypes: expected {type_.kind.value} got {x.type.kind.value}")


def at_zone(utc: str, zone: str, scale: int, witness: Typed) -> Typed:
    """An instant shown in a zone (DuckDB text, already canonical)."""
    return derived(tz_struct(utc, zone, witness.sql), timestamp_tz(scale), TZ_STRUCT, witness)


def shown_in(x: Typed, ctx: BindContext) -> Typed:
    """The clock of a value as TIMESTAMP(9) in nanoseconds, for masks and fields."""
    return derived(local_nanos(x, ctx), timestamp(9), "HUGEINT", x)


def below_second(nanos: str) -> str:
    """The nanoseconds within the second, as BIGINT."""
    return f"CAST((({nanos}) + {_BIAS}::HUGEINT) % {SECOND} AS BIGINT)"

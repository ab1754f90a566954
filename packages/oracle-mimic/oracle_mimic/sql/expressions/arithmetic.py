"""The operators + - * / and ||, by the types of their sides."""

from __future__ import annotations

from decimal import Decimal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions import moments
from oracle_mimic.sql.expressions.conversion import inconsistent, null_as, to_number, to_text
from oracle_mimic.sql.expressions.derive import (
    CLOB,
    DATE,
    DATETIMES,
    FIXED_TEXT,
    INTERVAL_DS,
    INTERVALS,
    LARGE_TEXT,
    NATIONAL,
    NUMBER,
    NUMERIC,
    TEXT,
    VARCHAR2_MAX,
    byte_length,
    derived,
    varchar2,
)
from oracle_mimic.sql.expressions.numbers import as_bytes, decimal_shape, number_arithmetic, number_negation
from oracle_mimic.types import Kind, OracleType

DAY = 86400


def arithmetic(op: str, left: Typed, right: Typed, ctx: BindContext) -> Typed:
    """`left op right`; text counts as a number; ORA-00932, ORA-30081 or ORA-00975 for types that do not go together."""
    kinds = left.type.kind, right.type.kind
    if DATETIMES & set(kinds) or INTERVALS & set(kinds):
        return _temporal(op, left, right, ctx)
    for side in (left, right):
        if side.type.kind not in NUMERIC | TEXT and not side.is_null_literal:
            raise inconsistent(Kind.NUMBER, side.type)
    return number_arithmetic(op, to_number(left, ctx), to_number(right, ctx))


def negate(x: Typed, ctx: BindContext) -> Typed:
    if x.type.kind in INTERVALS:
        return derived(f"(-{x.sql})", x.type, x.carrier, x)
    return number_negation(to_number(x, ctx))


def concat(left: Typed, right: Typed, ctx: BindContext) -> Typed:
    """`||`: NULL counts as an empty string; CHAR only when both sides are."""
    a, b = to_text(left, ctx), to_text(right, ctx)
    if left.is_null_literal and right.is_null_literal:
        return null_as(varchar2(1))
    type_ = _concat_type(a.type, b.type)
    left_sql, right_sql = _part(_unchecked(a.sql)), _part(_unchecked(b.sql))
    if not a.nullable and not b.nullable:
        joined = f"({left_sql} || {right_sql})"
    elif type_.kind not in LARGE_TEXT and not (a.nullable and b.nullable):
        joined = f"concat({left_sql}, {right_sql})"
    else:
        joined = f"{_NO_EMPTY}{left_sql}, {right_sql}{_NO_EMPTY_END}"
    if type_.kind not in LARGE_TEXT and byte_length(a.type) + byte_length(b.type) > VARCHAR2_MAX:
        joined = f"{_CHECK}{joined})"
    return derived(joined, type_, "VARCHAR", a, b, nullable=a.nullable and b.nullable)


_CHECK = "ora_joined("
_NO_EMPTY, _NO_EMPTY_END = "nullif(concat(", "), '')"


def _unchecked(sql: str) -> str:
    """A part of a longer text need not be checked for its length: the whole will be."""
    return sql[len(_CHECK) : -1] if sql.startswith(_CHECK) else sql


def _part(sql: str) -> str:
    """A part of a longer text may be empty in place of NULL. (DuckDB writes NULLIF's first argument twice: a chain of them explodes.)"""
    whole = sql.startswith(_NO_EMPTY) and sql.endswith(_NO_EMPTY_END)
    return f"concat({sql[len(_NO_EMPTY) : -len(_NO_EMPTY_END)]})" if whole else sql


def _concat_type(a: OracleType, b: OracleType) -> OracleType:
    if a.kind in LARGE_TEXT or b.kind in LARGE_TEXT:
        return CLOB
    if a.kind in NATIONAL or b.kind in NATIONAL:
        return varchar2((a.length or 0) + (b.length or 0), national=True)
    if a.kind in FIXED_TEXT and b.kind in FIXED_TEXT and byte_length(a) + byte_length(b) <= 2000:
        return OracleType(Kind.CHAR, length=byte_length(a) + byte_length(b))
    if a.char_semantics and b.char_semantics:
        return varchar2((a.length or 0) + (b.length or 0), char_semantics=True)
    return varchar2(byte_length(a) + byte_length(b))


def _temporal(op: str, left: Typed, right: Typed, ctx: BindContext) -> Typed:
    a, b = left.type.kind, right.type.kind
    if a in INTERVALS and b in INTERVALS:
        return _intervals(op, left, right)
    if op in "*/":
        return _scaled(op, left, right, ctx)
    if a in DATETIMES and b in DATETIMES:
        if op != "-":
            raise OracleError(975, "date + date not allowed")
        return _difference(left, right, ctx)
    if a in DATETIMES:
        return _shift(op, left, right, ctx)
    if b in DATETIMES and op == "+":
        return _shift(op, right, left, ctx)
    raise OracleError(30081, "invalid data type for datetime/interval arithmetic")


def _difference(left: Typed, right: Typed, ctx: BindContext) -> Typed:
    """DATE - DATE: days as a NUMBER, exact to its digits; with a timestamp: INTERVAL DAY TO SECOND."""
    if left.type.kind is right.type.kind is Kind.DATE:
        seconds = f"((epoch_us({left.sql}) - epoch_us({right.sql})) // 1000000)"
        return derived(f"ora_days({seconds})", NUMBER, NUMBER_BYTES, left, right)
    if {left.type.kind, right.type.kind} & {Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ}:
        a, b = moments.utc_nanos(left, ctx), moments.utc_nanos(right, ctx)
    else:
        a, b = moments.nanos_of(left), moments.nanos_of(right)
    scale = max(moments.fraction_digits(left.type), moments.fraction_digits(right.type))
    return derived(f"({a} - {b})", OracleType(Kind.INTERVAL_DS, precision=9, scale=scale), "HUGEINT", left, right)


def _shift(op: str, moment: Typed, amount: Typed, ctx: BindContext) -> Typed:
    """A date or timestamp plus or minus days (a number: the result is a DATE) or an interval."""
    if amount.type.kind is Kind.INTERVAL_YM:
        return _shift_months(op, moment, amount, ctx)
    if amount.type.kind is Kind.INTERVAL_DS:
        return _shift_nanos(op, moment, amount, ctx)
    if amount.type.kind not in NUMERIC | TEXT and not amount.is_null_literal:
        raise inconsistent(Kind.NUMBER, amount.type)
    date = moments.to_date(moment, ctx)
    seconds = _seconds_of_days(to_number(amount, ctx))
    micros = f"(epoch_us({date.sql})::HUGEINT {op} {seconds}::HUGEINT * 1000000) * 1000"
    return derived(moments.from_nanos(moments.in_range(micros), "TIMESTAMP_S"), DATE, "TIMESTAMP_S", moment, amount)


def _seconds_of_days(days: Typed) -> str:
    """Days as whole seconds, rounded."""
    if isinstance(days.literal, Decimal):
        return str(int((days.literal * DAY).to_integral_value(rounding="ROUND_HALF_UP")))
    shape = decimal_shape(days.carrier)
    if shape and shape[0] <= 30:
        return f"CAST(round({days.sql} * CAST({DAY} AS DECIMAL(5,0))) AS HUGEINT)"
    return f"CAST(ora_seconds_of_days({as_bytes(days)}) AS HUGEINT)"


def _shift_nanos(op: str, moment: Typed, amount: Typed, ctx: BindContext) -> Typed:
    whole = isinstance(amount.literal, int) and amount.literal % 1000 == 0
    kind = moment.type.kind
    if kind is Kind.DATE:
        seconds = f"({moments.floor_div(amount.sql, moments.SECOND)}) * {moments.SECOND}"
        nanos = moments.in_range(f"({moments.nanos_of(moment)} {op} {seconds})")
        return derived(moments.from_nanos(nanos, "TIMESTAMP_S"), DATE, "TIMESTAMP_S", moment, amount)
    if kind is Kind.TIMESTAMP_TZ:
        utc = moments.in_range(f"({moments.utc_nanos(moment, ctx)} {op} {amount.sql})")
        type_ = OracleType(kind, scale=9)
        return derived(
            moments.tz_struct(utc, f"({moment.sql}).tz", f"{amount.sql} + {moment.sql}.utc"), type_, moment.carrier, moment, amount
        )
    carrier = "TIMESTAMP" if whole and moment.carrier == "TIMESTAMP" else "HUGEINT"
    nanos = moments.in_range(f"({moments.nanos_of(moment)} {op} {amount.sql})")
    return derived(moments.from_nanos(nanos, carrier), OracleType(kind, scale=9), carrier, moment, amount)


def _shift_months(op: str, moment: Typed, amount: Typed, ctx: BindContext) -> Typed:
    """ORA-01839 when the day does not exist in the month arrived at (ADD_MONTHS is the lenient form)."""
    local = moments.local_nanos(moment, ctx)
    moved = f"ora_shift_months(CAST({local} AS HUGEINT), CAST({'-' if op == '-' else ''}({amount.sql}) AS BIGINT))"
    if moment.type.kind is Kind.TIMESTAMP_TZ:
        zone = f"({moment.sql}).tz"
        utc = moments.local_to_utc_by(moved, zone)
        return derived(moments.tz_struct(utc, zone, f"{amount.sql} + {moment.sql}.utc"), moment.type, moment.carrier, moment, amount)
    if moment.type.kind is Kind.TIMESTAMP_LTZ:
        moved = moments.local_to_utc(moved, ctx.nls.time_zone)
    return derived(moments.from_nanos(moved, moment.carrier), moment.type, moment.carrier, moment, amount)


def _intervals(op: str, left: Typed, right: Typed) -> Typed:
    if left.type.kind is not right.type.kind or op not in "+-":
        raise OracleError(30081, "invalid data type for datetime/interval arithmetic")
    type_ = OracleType(left.type.kind, precision=9, scale=None if left.type.kind is Kind.INTERVAL_YM else 9)
    return derived(f"({left.sql} {op} {right.sql})", type_, left.carrier, left, right)


def _scaled(op: str, left: Typed, right: Typed, ctx: BindContext) -> Typed:
    """An interval times or divided by a number."""
    if left.type.kind not in INTERVALS:
        left, right = right, left
        if op == "/":
            raise OracleError(30081, "invalid data type for datetime/interval arithmetic")
    if left.type.kind not in INTERVALS or (right.type.kind not in NUMERIC | TEXT and not right.is_null_literal):
        raise OracleError(30081, "invalid data type for datetime/interval arithmetic")
    factor = as_bytes(to_number(right, ctx))
    function = "ora_interval_times" if op == "*" else "ora_interval_divided"
    value = f"{function}(CAST({left.sql} AS HUGEINT), {factor})"
    if left.type.kind is Kind.INTERVAL_YM:
        return derived(f"CAST({value} AS INTEGER)", OracleType(Kind.INTERVAL_YM, precision=9), "INTEGER", left, right)
    return derived(value, INTERVAL_DS, "HUGEINT", left, right)

"""Conditions: comparison, LIKE, IN, BETWEEN, CASE, and the keys of ORDER BY and GROUP BY.

Every function gives DuckDB text. A comparison converts as Oracle does: text meets a number as a number, a date as a date by the
session's format, RAW as hexadecimal; CHAR meets CHAR or a literal with blanks padded, VARCHAR2 meets anything as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.expressions import moments
from oracle_mimic.sql.expressions.conversion import (
    common_carrier,
    common_type,
    convert,
    inconsistent,
    to_datetime,
    to_number,
    to_text,
    to_type,
)
from oracle_mimic.sql.expressions.derive import (
    DATETIMES,
    DECIMALS,
    FIXED_TEXT,
    INTERVALS,
    NUMERIC,
    OCTETS,
    TEXT,
    derived,
    null_of,
    one_or_null,
)
from oracle_mimic.sql.expressions.intervals import to_interval
from oracle_mimic.sql.expressions.numbers import aligned
from oracle_mimic.types import Kind, OracleType

UNKNOWN = "CAST(NULL AS BOOLEAN)"


def _reject_unordered(x: Typed) -> None:
    if x.type.kind is Kind.LONG or x.type.kind is Kind.LONG_RAW:
        raise OracleError(997, "illegal use of LONG datatype")
    if x.type.kind in (Kind.CLOB, Kind.NCLOB, Kind.BLOB):
        raise OracleError(932, f"inconsistent datatypes: expected - got {x.type.kind.value}")


def comparable(left: Typed, right: Typed, ctx: BindContext, *, ordering: bool = True) -> tuple[str, str]:
    """Both sides in one carrier whose order is Oracle's; ORA-00932 when the types do not meet."""
    for side in (left, right):
        _reject_unordered(side)
    a, b = left.type.kind, right.type.kind
    if left.is_null_literal or right.is_null_literal:
        return null_of(left.carrier), null_of(left.carrier)
    if a in NUMERIC or b in NUMERIC:
        if (a in NUMERIC | TEXT) and (b in NUMERIC | TEXT):
            return aligned(to_number(left, ctx), to_number(right, ctx))
        raise inconsistent(left.type, right.type)
    if a in DATETIMES or b in DATETIMES:
        return _datetimes(left, right, ctx)
    if a in INTERVALS or b in INTERVALS:
        target = left.type if a in INTERVALS else right.type
        return to_interval(left, target).sql, to_interval(right, target).sql
    if a in TEXT and b in TEXT:
        return _texts(left, right, ordering=ordering)
    if a in OCTETS or b in OCTETS:
        target = left.type if a in OCTETS else right.type
        return to_type(left, target, ctx).sql, to_type(right, target, ctx).sql
    if Kind.ROWID in (a, b):
        target = OracleType(Kind.ROWID)
        return to_type(left, target, ctx).sql, to_type(right, target, ctx).sql
    raise inconsistent(left.type, right.type)


def _texts(left: Typed, right: Typed, *, ordering: bool) -> tuple[str, str]:
    if left.type.kind not in FIXED_TEXT or right.type.kind not in FIXED_TEXT:
        return left.sql, right.sql
    if left.literal is not None and right.literal is not None and len(left.literal) == len(right.literal):
        return left.sql, right.sql
    if not ordering:
        return f"rtrim({left.sql}, ' ')", f"rtrim({right.sql}, ' ')"
    width = f"CAST(greatest(length({left.sql}), length({right.sql})) AS INTEGER)"
    return f"rpad({left.sql}, {width}, ' ')", f"rpad({right.sql}, {width}, ' ')"


def _datetimes(left: Typed, right: Typed, ctx: BindContext) -> tuple[str, str]:
    if left.type.kind not in DATETIMES:
        left = to_datetime(left, right.type, ctx)
    if right.type.kind not in DATETIMES:
        right = to_datetime(right, left.type, ctx)
    zoned = {Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ}
    if left.type.kind in zoned or right.type.kind in zoned:
        if left.type.kind is right.type.kind is Kind.TIMESTAMP_LTZ and left.carrier == right.carrier:
            return left.sql, right.sql
        return moments.utc_nanos(left, ctx), moments.utc_nanos(right, ctx)
    if left.carrier == right.carrier:
        return left.sql, right.sql
    if "HUGEINT" in (left.carrier, right.carrier):
        return moments.nanos_of(left), moments.nanos_of(right)
    return f"CAST({left.sql} AS TIMESTAMP)", f"CAST({right.sql} AS TIMESTAMP)"


def compare(op: str, left: Typed, right: Typed, ctx: BindContext) -> str:
    """`left op right` as a DuckDB BOOLEAN; NULL when a side is."""
    a, b = comparable(left, right, ctx, ordering=op not in ("=", "<>"))
    return f"({a} {op} {b})"


def is_null(x: Typed, *, negated: bool = False) -> str:
    return f"({x.sql} IS {'NOT ' if negated else ''}NULL)"


def like(value: Typed, pattern: Typed, escape: Typed | None, ctx: BindContext) -> str:
    """LIKE as a DuckDB BOOLEAN; ORA-01425 for an escape that is not one character, ORA-01424 for one before another character."""
    value, pattern = to_text(value, ctx), to_text(pattern, ctx)
    if value.is_null_literal or pattern.is_null_literal:
        return UNKNOWN
    if escape is None:
        return f"({value.sql} LIKE {pattern.sql})"
    character = to_text(escape, ctx)
    if isinstance(character.literal, str) and len(character.literal) != 1:
        raise OracleError(1425, "escape character must be character string of length 1")
    return f"({value.sql} LIKE ora_like_pattern({pattern.sql}, {character.sql}) ESCAPE '\\')"


def in_list(left: Typed, rights: Sequence[Typed], ctx: BindContext) -> str:
    """`left IN (...)`: each element is compared by the rules of its own type."""
    pairs = [comparable(left, right, ctx, ordering=False) for right in rights]
    first = {a for a, _ in pairs}
    if len(first) == 1 and len(pairs) > 1:
        return f"({pairs[0][0]} IN ({', '.join(b for _, b in pairs)}))"
    return "(" + " OR ".join(f"{a} = {b}" for a, b in pairs) + ")"


def between(value: Typed, low: Typed, high: Typed, ctx: BindContext) -> str:
    return f"({compare('>=', value, low, ctx)} AND {compare('<=', value, high, ctx)})"


def case_when(conditions: Sequence[str], values: Sequence[Typed], otherwise: Typed | None, ctx: BindContext) -> Typed:
    """CASE WHEN: all branches in one type; ORA-00932 when they do not mix."""
    branches = [*values, *([otherwise] if otherwise is not None else [])]
    type_ = common_type(branches, ctx)
    if type_.kind in DECIMALS:
        type_ = OracleType(Kind.NUMBER)
    carrier = common_carrier(branches, type_)
    converted = [convert(branch, type_, carrier, ctx) for branch in branches]
    text = "".join(f" WHEN {condition} THEN {value.sql}" for condition, value in zip(conditions, converted, strict=False))
    last = f" ELSE {converted[-1].sql}" if otherwise is not None else ""
    nullable = otherwise is None or any(branch.nullable for branch in branches)
    sql = f"(CASE{text}{last} END)"
    if nullable:
        sql = one_or_null(sql, carrier, (branch.sql for branch in converted))
    return derived(sql, type_, carrier, *branches, nullable=nullable)


def _unfolded(x: Typed) -> str:
    """A text literal stands in a cast: DuckDB takes a bare one in ORDER BY or GROUP BY for a mistake."""
    return f"CAST({x.sql} AS {x.carrier})" if x.sql.startswith("'") else x.sql


def group_key(x: Typed) -> str:
    """What two values of one group have in common: the instant for WITH TIME ZONE, CHAR without its padding is not needed (equal
    lengths); LOBs cannot be grouped (ORA-00932)."""
    _reject_unordered(x)
    return f"({x.sql}).utc" if x.type.kind is Kind.TIMESTAMP_TZ else x.sql


def order_key(x: Typed, descending: bool, nulls_first: bool | None, ctx: BindContext) -> str:
    """One term of an ORDER BY; NULLs sort as the largest value unless told otherwise."""
    del ctx
    first = descending if nulls_first is None else nulls_first
    key = group_key(x) if x.type.kind is Kind.TIMESTAMP_TZ else _unfolded(x)
    _reject_unordered(x)
    return f"{key} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"


__all__ = [
    "between", "case_when", "comparable", "compare", "group_key", "in_list", "is_null", "like", "order_key",
]  # fmt: skip

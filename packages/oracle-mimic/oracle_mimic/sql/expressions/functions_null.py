"""NVL, COALESCE, DECODE and their kin: functions that choose a value."""

from __future__ import annotations

from collections.abc import Sequence

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.expressions.comparison import case_when, comparable, compare
from oracle_mimic.sql.expressions.conversion import common_carrier, common_type, convert, null_as, to_number, to_text, to_type
from oracle_mimic.sql.expressions.derive import (
    DATETIMES,
    DECIMALS,
    FIXED_TEXT,
    LARGE_TEXT,
    NUMBER,
    NUMERIC,
    TEXT,
    byte_length,
    derived,
    one_or_null,
    varchar2,
)
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.types import Kind, OracleType


def as_first(items: Sequence[Typed], ctx: BindContext) -> tuple[list[Typed], OracleType, str]:
    """All converted to the type class of the first that is not the literal NULL; text becomes VARCHAR2."""
    leader = next((item for item in items if not item.is_null_literal), None)
    if leader is None:
        type_ = varchar2(1)
        return [null_as(type_) for _ in items], type_, "VARCHAR"
    kind = leader.type.kind
    if kind in TEXT | LARGE_TEXT:
        prepared = [item if item.is_null_literal else to_text(item, ctx) for item in items]
    elif kind in NUMERIC:
        prepared = [item if item.is_null_literal else to_number(item, ctx) for item in items]
    else:
        prepared = [item if item.is_null_literal or item.type.kind is kind else _like(item, leader.type, ctx) for item in items]
    type_ = common_type(prepared, ctx)
    if type_.kind in DECIMALS:
        type_ = NUMBER
    if type_.kind in FIXED_TEXT:
        type_ = varchar2(byte_length(type_) if type_.kind is Kind.CHAR else type_.length or 1, national=type_.kind is Kind.NCHAR)
    carrier = common_carrier(prepared, type_)
    return [convert(item, type_, carrier, ctx) for item in prepared], type_, carrier


def _like(item: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    if item.type.kind in DATETIMES and type_.kind in DATETIMES:
        return item
    return to_type(item, type_, ctx)


@scalar("NVL", least=2)
def nvl(arguments: Arguments, ctx: BindContext) -> Typed:
    items, type_, carrier = as_first(arguments, ctx)
    nullable = arguments[0].nullable and arguments[1].nullable
    return derived(f"coalesce({items[0].sql}, {items[1].sql})", type_, carrier, *arguments, nullable=nullable)


@scalar("NVL2", least=3)
def nvl2(arguments: Arguments, ctx: BindContext) -> Typed:
    items, type_, carrier = as_first(arguments[1:], ctx)
    case = f"(CASE WHEN {arguments[0].sql} IS NOT NULL THEN {items[0].sql} ELSE {items[1].sql} END)"
    sql = one_or_null(case, carrier, (item.sql for item in items))
    return derived(sql, type_, carrier, *arguments, nullable=items[0].nullable or items[1].nullable)


@scalar("COALESCE", least=2, most=None)
def coalesce(arguments: Arguments, ctx: BindContext) -> Typed:
    type_ = common_type(arguments, ctx)
    if type_.kind in DECIMALS:
        type_ = NUMBER
    if type_.kind in FIXED_TEXT:
        type_ = varchar2(type_.length or 1, national=type_.kind is Kind.NCHAR)
    carrier = common_carrier(arguments, type_)
    texts = ", ".join(convert(argument, type_, carrier, ctx).sql for argument in arguments)
    return derived(f"coalesce({texts})", type_, carrier, *arguments, nullable=all(argument.nullable for argument in arguments))


@scalar("NULLIF", least=2)
def nullif(arguments: Arguments, ctx: BindContext) -> Typed:
    left, right = arguments
    if left.is_null_literal:
        raise OracleError(932, "inconsistent datatypes: expected - got CHAR")
    type_ = OracleType(Kind.VARCHAR2, length=left.type.length) if left.type.kind is Kind.CHAR else left.type
    sql = one_or_null(f"(CASE WHEN {compare('=', left, right, ctx)} THEN NULL ELSE {left.sql} END)", left.carrier, [left.sql])
    return derived(sql, type_, left.carrier, left, right, nullable=True)


@scalar("DECODE", least=3, most=None)
def decode(arguments: Arguments, ctx: BindContext) -> Typed:
    """NULL matches NULL; values are compared in the type of the first search, results have the type of the first result."""
    subject, rest = arguments[0], arguments[1:]
    searches, results = rest[0::2], list(rest[1::2])
    default: Typed | None = None
    if len(rest) % 2:
        default, searches = rest[-1], searches[:-1]
    first = searches[0].type
    target = first if not searches[0].is_null_literal else subject.type
    subject = _decode_side(subject, target, ctx)
    conditions = []
    for search in searches:
        if search.is_null_literal:
            conditions.append(f"({subject.sql} IS NULL)")
            continue
        a, b = comparable(subject, _decode_side(search, target, ctx), ctx, ordering=False)
        conditions.append(f"({a} IS NOT DISTINCT FROM {b})")
    branches = [*results, *([default] if default is not None else [])]
    if results[0].is_null_literal or results[0].type.kind is Kind.CHAR:
        branches = [branch if branch.is_null_literal else to_text(branch, ctx) for branch in branches]
        leader_is_text = varchar2(max([byte_length(b.type) for b in branches if not b.is_null_literal] or [1]))
        converted = [convert(branch, leader_is_text, "VARCHAR", ctx) for branch in branches]
    else:
        converted, _, _ = as_first(branches, ctx)
    otherwise = converted.pop() if default is not None else None
    return case_when(conditions, converted, otherwise, ctx)


def _decode_side(x: Typed, target: OracleType, ctx: BindContext) -> Typed:
    if x.is_null_literal:
        return null_as(target)
    if target.kind in NUMERIC:
        return to_number(x, ctx)
    if target.kind in TEXT and x.type.kind not in TEXT:
        return to_text(x, ctx)
    return x

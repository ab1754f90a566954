"""ROWNUM in WHERE: how many rows a condition on it lets through.

Oracle numbers a row when it has met all other conditions, and only a row that is kept moves the number on. So conditions on ROWNUM
alone keep the first n rows, n being the last number before the first that fails one.
"""

from __future__ import annotations

from collections.abc import Callable

from oracle_mimic.errors import refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.syntax import Between, Comparison, Condition, Expression, Name
from oracle_mimic.sql.walk import walk
from oracle_mimic.types import Kind, OracleType

_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ALL = 9223372036854775807
_FINE = OracleType(Kind.NUMBER, 38, 10)


def is_rownum(node: Expression) -> bool:
    return isinstance(node, Name) and len(node.parts) == 1 and node.parts[0].name == "ROWNUM" and not node.parts[0].quoted


def mentions_rownum(node: Condition | Expression) -> bool:
    return any(isinstance(part, Name) and is_rownum(part) for part in walk(node))


def row_limit(conditions: list[Condition], value: Callable[[Expression], Typed], ctx: BindContext) -> str:
    """DuckDB text of the number of rows that conditions on ROWNUM let through."""
    limits = [limit for condition in conditions for limit in _limits(condition, value, ctx)]
    return limits[0] if len(limits) == 1 else f"least({', '.join(limits)})"


def _limits(node: Condition, value: Callable[[Expression], Typed], ctx: BindContext) -> list[str]:
    if isinstance(node, Between) and not node.negated and is_rownum(node.operand):
        return [_limit(">=", value(node.low), ctx), _limit("<=", value(node.high), ctx)]
    if isinstance(node, Comparison) and node.quantifier is None:
        if is_rownum(node.left) and not mentions_rownum(node.right):
            return [_limit(node.operator, value(node.right), ctx)]
        if is_rownum(node.right) and not mentions_rownum(node.left):
            return [_limit(_MIRRORED[node.operator], value(node.left), ctx)]
    raise refused("this condition on ROWNUM", offset=node.start)


def _limit(operator: str, bound: Typed, ctx: BindContext) -> str:
    """Unknown (NULL) lets nothing through."""
    number = count_of(bound, ctx)
    match operator:
        case "<=":
            kept = f"floor({number})"
        case "<":
            kept = f"ceil({number}) - 1"
        case "=":
            kept = f"CASE WHEN {number} = 1 THEN 1 ELSE 0 END"
        case ">=":
            kept = f"CASE WHEN {number} <= 1 THEN {_ALL} ELSE 0 END"
        case ">":
            kept = f"CASE WHEN {number} < 1 THEN {_ALL} ELSE 0 END"
        case _:
            kept = f"CASE WHEN {number} >= 1 AND {number} = floor({number}) THEN {number} - 1 WHEN {number} IS NOT NULL THEN {_ALL} END"
    return f"CAST(least(greatest(coalesce({kept}, 0), 0), {_ALL}) AS BIGINT)"


def count_of(bound: Typed, ctx: BindContext) -> str:
    """A row count as DECIMAL text."""
    if bound.type.kind in (Kind.CHAR, Kind.VARCHAR2, Kind.NVARCHAR2, Kind.NCHAR) and not bound.is_null_literal:
        bound = expressions.cast(bound, OracleType(Kind.NUMBER), ctx)
    return expressions.convert(bound, _FINE, "DECIMAL(38,10)", ctx).sql

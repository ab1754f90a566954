"""Conditions: from syntax trees to DuckDB BOOLEAN text.

NOT is pushed down to the leaves (three-valued logic allows it), so a subquery condition knows whether unknown must act as false
or as true.
"""

from __future__ import annotations

from abc import abstractmethod

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.body import Body
from oracle_mimic.sql.binder.scope import Scope
from oracle_mimic.sql.binder.values import ValueBinder
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.syntax import (
    And,
    Between,
    CallCondition,
    Comparison,
    Condition,
    Exists,
    Expression,
    In,
    Is,
    Like,
    Not,
    Or,
    Query,
    Row,
    ScalarQuery,
)  # fmt: skip
from oracle_mimic.types import Kind

_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class ConditionBinder(ValueBinder):
    """Binds conditions; a part of the binder."""

    @abstractmethod
    def subquery(self, query: Query, scope: Scope) -> Body: ...

    def condition(self, node: Condition, scope: Scope, *, negated: bool = False) -> str:
        try:
            return self._condition(node, scope, negated=negated)
        except OracleError as error:
            if not error.offset:
                error.offset = node.start
            raise

    def _condition(self, node: Condition, scope: Scope, *, negated: bool) -> str:
        match node:
            case And(items) | Or(items):
                word = " AND " if isinstance(node, And) is not negated else " OR "
                return "(" + word.join(self.condition(item, scope, negated=negated) for item in items) + ")"
            case Not(operand):
                return self.condition(operand, scope, negated=not negated)
            case Comparison():
                return self._comparison(node, scope, negated=negated)
            case In(operand, right, inverted):
                return self._in(operand, right, scope, negated=negated is not inverted)
            case Between(operand, low, high, inverted):
                value, first, last = (self.value(n, scope) for n in (operand, low, high))
                text = expressions.between(value, first, last, self.ctx)
                return f"(NOT {text})" if negated is not inverted else text
            case Like(operand, pattern, escape, inverted):
                mark = None if escape is None else self.value(escape, scope)
                text = expressions.like(self.value(operand, scope), self.value(pattern, scope), mark, self.ctx)
                return f"(NOT {text})" if negated is not inverted else text
            case Is(what, operand, inverted):
                return self._is(what, self.value(operand, scope), negated=negated is not inverted)
            case Exists(query):
                return f"({'NOT ' if negated else ''}EXISTS ({self.subquery(query, scope).sql}))"
            case CallCondition(call):
                return f"({'NOT ' if negated else ''}{self.call(call, scope).sql})"
        raise refused(type(node).__name__)

    def _is(self, what: str, value: Typed, *, negated: bool) -> str:
        if what == "NULL":
            return expressions.is_null(value, negated=negated)
        if value.type.kind not in (Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE, Kind.NUMBER, Kind.FLOAT):
            raise OracleError(932, f"inconsistent datatypes: expected NUMBER got {value.type.kind.value}")
        inverse = "NOT " if negated else ""
        if value.type.kind in (Kind.NUMBER, Kind.FLOAT):
            never = "FALSE" if not negated else "TRUE"
            return f"(CASE WHEN {value.sql} IS NOT NULL THEN {never} END)"
        return f"({inverse}{'isnan' if what == 'NAN' else 'isinf'}({value.sql}))"

    # Comparisons

    def _comparison(self, node: Comparison, scope: Scope, *, negated: bool) -> str:
        operator = _OPPOSITE[node.operator] if negated else node.operator
        if node.quantifier is not None:
            every = (node.quantifier == "ALL") is not negated
            return self._quantified(node.left, operator, node.right, scope, every=every)
        if isinstance(node.left, Row):
            return self._row_comparison(node.left, operator, node.right, scope)
        if isinstance(node.right, Row):
            raise OracleError(920, "invalid relational operator", offset=node.right.start)
        return expressions.compare(operator, self.value(node.left, scope), self.value(node.right, scope), self.ctx)

    def _row_comparison(self, left: Row, operator: str, right: Expression, scope: Scope) -> str:
        if operator not in ("=", "<>"):
            raise OracleError(1796, "this operator cannot be used with lists", offset=left.start)
        items = self.values(left.items, scope)
        if isinstance(right, ScalarQuery):
            raise refused("comparison of a list with a subquery", offset=right.start)
        others = self.values(right.items if isinstance(right, Row) else (right,), scope)
        return self._equal(items, others, operator)

    def _equal(self, left: list[Typed], right: list[Typed], operator: str = "=") -> str:
        if len(left) < len(right):
            raise OracleError(913, "too many values")
        if len(left) > len(right):
            raise OracleError(947, "not enough values")
        pairs = (expressions.compare(operator, a, b, self.ctx) for a, b in zip(left, right, strict=True))
        return "(" + (" AND " if operator == "=" else " OR ").join(pairs) + ")"

    def _quantified(self, left: Expression, operator: str, right: Expression, scope: Scope, *, every: bool) -> str:
        if isinstance(left, Row):
            raise refused("ANY or ALL with a list", offset=left.start)
        value = self.value(left, scope)
        if isinstance(right, ScalarQuery):
            inner, item = self._single_column(right.query, scope)
            a, b = expressions.comparable(value, item, self.ctx, ordering=operator not in ("=", "<>"))
            return f"({a} {operator} {'ALL' if every else 'ANY'} (SELECT {b} FROM {inner}))"
        items = right.items if isinstance(right, Row) else (right,)
        tests = (expressions.compare(operator, value, self.value(item, scope), self.ctx) for item in items)
        return "(" + (" AND " if every else " OR ").join(tests) + ")"

    def _single_column(self, query: Query, scope: Scope) -> tuple[str, Typed]:
        alias = self.alias("q")
        body = self.subquery(query, scope)
        columns = body.columns_of(alias)
        if len(columns) > 1:
            raise OracleError(913, "too many values", offset=query.start)
        return f"({body.sql}) AS {alias}", columns[0]

    # IN

    def _in(self, operand: Expression, right: tuple[Expression, ...], scope: Scope, *, negated: bool) -> str:
        inverse = "NOT " if negated else ""
        query = right[0] if len(right) == 1 else None
        if isinstance(operand, Row):
            items = self.values(operand.items, scope)
            if isinstance(query, ScalarQuery):
                return self._row_in_query(items, query.query, scope, negated=negated)
            rows = [right] if not isinstance(right[0], Row) else [row.items for row in right if isinstance(row, Row)]
            tests = [self._equal(items, self.values(row, scope)) for row in rows]
            return f"({inverse}({' OR '.join(tests)}))"
        value = self.value(operand, scope)
        if isinstance(query, ScalarQuery):
            inner, item = self._single_column(query.query, scope)
            a, b = expressions.comparable(value, item, self.ctx, ordering=False)
            return f"({a} {inverse}IN (SELECT {b} FROM {inner}))"
        if len(right) > 1000:
            raise OracleError(1795, "maximum number of expressions in a list is 1000")
        text = expressions.in_list(value, self.values(right, scope), self.ctx)
        return f"(NOT {text})" if negated else text

    def _row_in_query(self, items: list[Typed], query: Query, scope: Scope, *, negated: bool) -> str:
        """As EXISTS: DuckDB compares rows with NULLs as values, Oracle finds them unknown."""
        alias = self.alias("q")
        body = self.subquery(query, scope)
        columns = body.columns_of(alias)
        test = self._equal(items, columns)
        if not negated:
            return f"(EXISTS (SELECT 1 FROM ({body.sql}) AS {alias} WHERE {test}))"
        known = not any(typed.nullable for typed in [*items, *columns])
        return f"(NOT EXISTS (SELECT 1 FROM ({body.sql}) AS {alias} WHERE {test if known else test + ' IS NOT FALSE'}))"

"""Values: from syntax trees to typed DuckDB text."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.scope import Scope
from oracle_mimic.sql.binder.windows import WindowBinder
from oracle_mimic.sql.bound import OrderTerm, Typed
from oracle_mimic.sql.syntax import (
    AtTimeZone,
    Binary,
    Bind,
    Call,
    Case,
    Cast,
    Condition,
    DateLiteral,
    DefaultValue,
    Expression,
    Extract,
    IntervalConversion,
    IntervalLiteral,
    IntervalUnits,
    Name,
    NullLiteral,
    NumberLiteral,
    OrderItem,
    Query,
    Row,
    ScalarQuery,
    Star,
    StringLiteral,
    TimestampLiteral,
    Trim,
    Unary,
    Window,
)  # fmt: skip
from oracle_mimic.types import Kind, OracleType

_NO_AGGREGATES = frozenset({"FROM", "WHERE", "GROUP BY", "CONNECT BY", "VALUES", "SET", "ON"})
_WINDOWED = frozenset({"SELECT", "ORDER BY"})


class ValueBinder(WindowBinder):
    """Binds values; a part of the binder."""

    @abstractmethod
    def condition(self, node: Condition, scope: Scope, *, negated: bool = False) -> str: ...

    @abstractmethod
    def scalar_query(self, query: Query, scope: Scope) -> Typed:
        """A subquery of one column as a value."""

    def value(self, node: Expression, scope: Scope) -> Typed:
        """Bind one value. An expression that is a GROUP BY expression stands for its group."""
        mark = len(scope.loose)
        typed = self._value(node, scope)
        if (key := scope.group_key(typed.sql)) is not None:
            del scope.loose[mark:]
            return key
        return typed

    def values(self, nodes: tuple[Expression, ...], scope: Scope) -> list[Typed]:
        return [self.value(node, scope) for node in nodes]

    def _value(self, node: Expression, scope: Scope) -> Typed:
        try:
            return self._dispatch(node, scope)
        except OracleError as error:
            if not error.offset:
                error.offset = node.start
            raise

    def _dispatch(self, node: Expression, scope: Scope) -> Typed:
        ctx = self.ctx
        match node:
            case Name():
                return self.name(node, scope)
            case Bind():
                return self.variable(node, scope)
            case NumberLiteral(text):
                return expressions.literal_number(text)
            case StringLiteral(value, national):
                return expressions.literal_string(value, national)
            case NullLiteral():
                return expressions.null()
            case DateLiteral(value):
                return expressions.literal_date(value)
            case TimestampLiteral(value):
                return expressions.literal_timestamp(value)
            case IntervalLiteral(value, units):
                return expressions.literal_interval(
                    value, units.first, units.last, leading_precision=units.precision, fraction_precision=units.fraction
                )
            case Binary():
                return self._binary(node, scope)
            case Unary():
                return self._unary(node, scope)
            case Call():
                typed = self.call(node, scope)
                if typed.type.kind is Kind.BOOLEAN:  # REGEXP_LIKE is a condition
                    raise OracleError(904, f'"{node.name[-1].name}": invalid identifier')
                return typed
            case Case():
                return self._case(node, scope)
            case Cast(operand, type_):
                return expressions.cast(self.value(operand, scope), type_, ctx)
            case Extract(field, operand):
                return expressions.call("EXTRACT", [expressions.literal_string(field), self.value(operand, scope)], ctx)
            case Trim(side, characters, operand):
                return self._trim(side, characters, operand, scope)
            case AtTimeZone(operand, zone):
                zone_value = expressions.literal_string(ctx.nls.time_zone) if zone is None else self.value(zone, scope)
                return expressions.call("AT TIME ZONE", [self.value(operand, scope), zone_value], ctx)
            case IntervalConversion(operand, units):
                return self._interval_conversion(operand, units, scope)
            case ScalarQuery(query):
                return self.scalar_query(query, scope)
            case Row():
                raise OracleError(907, "missing right parenthesis")
            case Star() | DefaultValue():
                raise OracleError(936, "missing expression")
        raise refused(type(node).__name__)

    def _binary(self, node: Binary, scope: Scope) -> Typed:
        """A chain of operators from its left end, without recursion: a client may join hundreds of pieces."""
        chain: list[Binary] = []
        left: Expression = node
        while isinstance(left, Binary):
            chain.append(left)
            left = left.left
        mark = len(scope.loose)
        typed = self.value(left, scope)
        for part in reversed(chain):
            right = self.value(part.right, scope)
            if part.operator == "||":
                typed = expressions.concat(typed, right, self.ctx)
            else:
                typed = expressions.arithmetic(part.operator, typed, right, self.ctx)
            if (key := scope.group_key(typed.sql)) is not None:
                del scope.loose[mark:]
                typed = key
        return typed

    def _unary(self, node: Unary, scope: Scope) -> Typed:
        if node.operator == "-":
            return expressions.negate(self.value(node.operand, scope), self.ctx)
        if node.operator == "+":
            return self.value(node.operand, scope)
        if node.operator == "PRIOR":
            if scope.prior is None:
                raise OracleError(1788, "CONNECT BY clause required in this query block")
            return self.value(node.operand, scope.prior)
        if node in scope.carried:
            return scope.carried[node]
        raise OracleError(1788, "CONNECT BY clause required in this query block")

    def _trim(self, side: str, characters: Expression | None, operand: Expression, scope: Scope) -> Typed:
        arguments = [self.value(operand, scope)]
        if characters is not None:
            what = self.value(characters, scope)
            if isinstance(what.literal, str) and len(what.literal) != 1:
                raise OracleError(30001, "trim set should have only one character")
            arguments.append(what)
        name = {"BOTH": "TRIM", "LEADING": "LTRIM", "TRAILING": "RTRIM"}[side]
        return expressions.call(name, arguments, self.ctx)

    def _interval_conversion(self, operand: Expression, units: IntervalUnits, scope: Scope) -> Typed:
        """(a - b) DAY TO SECOND: DATEs are taken as TIMESTAMPs, whose difference is an interval."""
        if not isinstance(operand, Binary) or operand.operator != "-":
            raise OracleError(30083, "syntax error was found in interval value expression")
        sides = [self._as_timestamp(self.value(side, scope)) for side in (operand.left, operand.right)]
        if units.first == "YEAR":
            raise refused("difference YEAR TO MONTH")
        difference = expressions.arithmetic("-", sides[0], sides[1], self.ctx)
        fraction = 6 if units.fraction is None else units.fraction
        precision = 2 if units.precision is None else units.precision
        return expressions.cast(difference, OracleType(Kind.INTERVAL_DS, precision, fraction), self.ctx)

    def _as_timestamp(self, typed: Typed) -> Typed:
        if typed.type.kind is Kind.DATE:
            return expressions.cast(typed, OracleType(Kind.TIMESTAMP, scale=0), self.ctx)
        return typed

    def _case(self, node: Case, scope: Scope) -> Typed:
        conditions: list[str] = []
        operand = None if node.operand is None else self.value(node.operand, scope)
        for test, _ in node.whens:
            if isinstance(test, Condition):
                conditions.append(self.condition(test, scope))
            elif operand is not None:
                conditions.append(expressions.compare("=", operand, self.value(test, scope), self.ctx))
        results = [self.value(result, scope) for _, result in node.whens]
        otherwise = None if node.otherwise is None else self.value(node.otherwise, scope)
        return expressions.case_when(conditions, results, otherwise, self.ctx)

    # Functions

    def call(self, node: Call, scope: Scope) -> Typed:
        """A scalar, aggregate or analytic function."""
        name = ".".join(part.name for part in node.name)
        name = name.removeprefix("SYS.").removeprefix("STANDARD.")
        if name == "SYS_CONNECT_BY_PATH":
            if node in scope.carried:
                return scope.carried[node]
            raise OracleError(30002, "SYS_CONNECT_BY_PATH function is not allowed here")
        if node.named:
            raise refused(f"{name} with named arguments")
        if name == "COUNT" and not node.arguments:  # the binder's own sign for COUNT(*)
            raise OracleError(909, "invalid number of arguments")
        if node.window is not None:
            return self._analytic(name, node, node.window, scope)
        if not expressions.is_aggregate(name):
            if node.within_group or node.keep_order:
                raise OracleError(30484, "missing window specification for this function")
            if expressions.is_analytic(name):
                raise OracleError(30484, "missing window specification for this function")
            return self._scalar(name, node, scope)
        return self._aggregate(name, node, scope)

    def _scalar(self, name: str, node: Call, scope: Scope) -> Typed:
        if node.distinct:
            raise OracleError(30482, "DISTINCT option not allowed for this function")
        if node.ignore_nulls is not None or node.overflow is not None:
            raise OracleError(907, "missing right parenthesis")
        if any(isinstance(argument, Star) for argument in node.arguments):
            raise OracleError(936, "missing expression")
        return expressions.call(name, self.values(node.arguments, scope), self.ctx)

    def _aggregate(self, name: str, node: Call, scope: Scope) -> Typed:
        if scope.clause in _NO_AGGREGATES:
            raise OracleError(934, "group function is not allowed here")
        if scope.aggregate_depth:
            code, text = (935, "group function is nested too deeply") if scope.grouped else (978, "nested group function without GROUP BY")
            raise OracleError(code, text)
        if name in {"GROUPING", "GROUPING_ID"}:
            return self._grouping(name, node, scope)
        scope.aggregate_depth += 1
        try:
            if node.keep_order:
                typed = self._keep(name, node, scope)
            else:
                typed = expressions.call(name, self._arguments(node, scope), self.ctx, **self._options(node, scope))
        finally:
            scope.aggregate_depth -= 1
        scope.has_aggregates = True
        return replace(typed, aggregate=True)

    def _arguments(self, node: Call, scope: Scope) -> list[Typed]:
        """COUNT(*) is COUNT without arguments."""
        if len(node.arguments) == 1 and isinstance(node.arguments[0], Star):
            if node.name[-1].name != "COUNT" or node.distinct:
                raise OracleError(936, "missing expression")
            return []
        return self.values(node.arguments, scope)

    def _options(self, node: Call, scope: Scope) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if node.distinct:
            options["distinct"] = True
        if node.within_group:
            options["within_group"] = [self._order_term(item, scope) for item in node.within_group]
        if node.ignore_nulls is not None:
            options["ignore_nulls"] = node.ignore_nulls
        if node.overflow is not None and node.overflow.truncate:
            filler = node.overflow.filler
            options["truncation"] = ("..." if filler is None else filler, node.overflow.with_count)
        return options

    def _order_term(self, item: OrderItem, scope: Scope) -> OrderTerm:
        return OrderTerm(self.value(item.expression, scope), item.descending, item.nulls_first)

    def _keep(self, name: str, node: Call, scope: Scope, over: str = "") -> Typed:
        """An aggregate of the rows that come first (or last) in an order."""
        if node.distinct:
            raise OracleError(30482, "DISTINCT option not allowed for this function")
        keys = [self.value(item.expression, scope) for item in node.keep_order]
        order: list[str] = []
        for item, key in zip(node.keep_order, keys, strict=True):
            nulls_first = item.descending if item.nulls_first is None else item.nulls_first
            backwards = not node.keep_first
            order.append(expressions.order_key(key, item.descending != backwards, nulls_first != backwards, self.ctx))
        arguments = self._arguments(node, scope)
        if len(arguments) > 1:
            raise OracleError(909, "invalid number of arguments")
        if name not in ("MIN", "MAX"):
            return expressions.kept(name, arguments[0] if arguments else None, order, keys, over=over, ctx=self.ctx)
        if not arguments:
            raise OracleError(909, "invalid number of arguments")
        value = arguments[0]
        order.append(expressions.order_key(value, name == "MAX", False, self.ctx))
        return replace(value, sql=f"first({value.sql} ORDER BY {', '.join(order)}){over}", nullable=True, literal=None)

    def _grouping(self, name: str, node: Call, scope: Scope) -> Typed:
        if not scope.grouped:
            raise OracleError(979, "not a GROUP BY expression")
        if name == "GROUPING" and len(node.arguments) != 1:
            raise OracleError(909, "invalid number of arguments")
        keys = {key.typed.sql: key.text for key in scope.group_keys.values()}
        arguments = [self.value(argument, scope).sql for argument in node.arguments]
        if any(argument not in keys for argument in arguments):
            raise OracleError(979, "not a GROUP BY expression")
        texts = ", ".join(keys[argument] for argument in arguments)
        return Typed(f"CAST(grouping({texts}) AS DECIMAL(19,0))", OracleType(Kind.NUMBER), "DECIMAL(19,0)", nullable=False, aggregate=True)

    def _analytic(self, name: str, node: Call, window: Window, scope: Scope) -> Typed:
        if scope.clause not in _WINDOWED:
            raise OracleError(30483, "window  functions are not allowed here")
        if node.keep_order:
            if window.order_by:
                raise OracleError(30487, "ORDER BY not allowed here")
            return replace(self._keep(name, node, scope, f" OVER ({self.window(window, scope)})"), windowed=True)
        arguments = self._arguments(node, scope)
        options = self._options(node, scope)
        typed = expressions.call(name, arguments, self.ctx, window=self.window(window, scope), **options)
        return replace(typed, windowed=True)

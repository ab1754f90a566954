"""The grammar of values and conditions.

Values and conditions share one entry (`_general`), because `(` may begin either; a condition where Oracle wants a value, or the
reverse, is told by the node's class and refused with Oracle's code.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, cast

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import RESERVED, TokenKind
from oracle_mimic.sql.parser.calls import CallParser
from oracle_mimic.sql.syntax import (
    And,
    AtTimeZone,
    Between,
    Binary,
    Bind,
    Call,
    CallCondition,
    Case,
    Comparison,
    Condition,
    DateLiteral,
    Exists,
    Expression,
    Identifier,
    In,
    IntervalConversion,
    IntervalLiteral,
    IntervalUnits,
    Is,
    Like,
    Name,
    Not,
    NullLiteral,
    NumberLiteral,
    Or,
    Query,
    Row,
    ScalarQuery,
    StringLiteral,
    TimestampLiteral,
    Unary,
)  # fmt: skip

_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "^=": "<>", "~=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
# Reserved words that are values by themselves.
_VALUE_WORDS = frozenset({"LEVEL", "ROWNUM", "ROWID", "SYSDATE", "UID", "USER", "COLUMN_VALUE"})
_CONDITION_CALLS = frozenset({"REGEXP_LIKE"})
_REFUSED_TESTS = ("MEMBER", "SUBMULTISET", "LIKEC", "LIKE2", "LIKE4", "MULTISET")
_DAY_UNITS = ("DAY", "HOUR", "MINUTE", "SECOND")


class ExpressionParser(CallParser):
    """Reads values and conditions."""

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        binds = (token.start for token in self.tokens if token.kind is TokenKind.BIND)
        self._bind_indices = {start: index for index, start in enumerate(binds)}

    @abstractmethod
    def query(self) -> Query: ...

    @abstractmethod
    def at_query(self) -> bool:
        """True when SELECT or WITH comes next."""

    def expression(self) -> Expression:
        """A value. A condition in its place is ORA-00907 when in parentheses (as Oracle reads on), else left unread."""
        start = self.token.start
        node = self._additive()
        if isinstance(node, Condition):
            raise OracleError(907, "missing right parenthesis", offset=start)
        return node

    def condition(self) -> Condition:
        """A condition; a value alone is ORA-00920."""
        node = self._general()
        if not isinstance(node, Condition):
            raise self.error(920, "invalid relational operator")
        return node

    def _general(self) -> Expression | Condition:
        start = self.token.start
        node = self._conjunction()
        if not self.at_word("OR"):
            return node
        items = [self._as_condition(node)]
        while self.take_word("OR"):
            items.append(self._as_condition(self._conjunction()))
        return Or(tuple(items), start=start, end=self.last_end)

    def _conjunction(self) -> Expression | Condition:
        start = self.token.start
        node = self._negation()
        if not self.at_word("AND"):
            return node
        items = [self._as_condition(node)]
        while self.take_word("AND"):
            items.append(self._as_condition(self._negation()))
        return And(tuple(items), start=start, end=self.last_end)

    def _negation(self) -> Expression | Condition:
        start = self.token.start
        if self.take_word("NOT"):
            return Not(self._as_condition(self._negation()), start=start, end=self.last_end)
        return self._predicate()

    def _as_condition(self, node: Expression | Condition) -> Condition:
        if isinstance(node, Condition):
            return node
        raise self.error(920, "invalid relational operator")

    def _predicate(self) -> Expression | Condition:
        start = self.token.start
        if self.at_word("EXISTS") and self.peek().is_op("("):
            self.advance()
            self.advance()
            query = self.query()
            self.expect_op(")")
            return Exists(query, start=start, end=self.last_end)
        left = self._additive()
        if isinstance(left, Condition):
            return left
        token = self.token
        if token.kind is TokenKind.OP and token.value in _COMPARISONS:
            self.advance()
            return self._comparison(left, _COMPARISONS[token.value], start)
        if self.take_word("IS"):
            negated = self.take_word("NOT") is not None
            if not self.at_word("NULL", "NAN", "INFINITE"):
                if self.at_word("A", "EMPTY", "OF", "JSON", "ANY", "PRESENT"):
                    raise refused(f"condition IS {self.token.value}", offset=self.token.start)
                raise self.error(908, "missing NULL keyword")
            what = cast(Literal["NULL", "NAN", "INFINITE"], self.advance().value)
            return Is(what, left, negated, start=start, end=self.last_end)
        negated = self.at_word("NOT") and self.peek().is_word("IN", "BETWEEN", "LIKE", *_REFUSED_TESTS)
        if negated:
            self.advance()
        if self.take_word("BETWEEN"):
            low = self.expression()
            self.expect_word("AND")
            return Between(left, low, self.expression(), negated, start=start, end=self.last_end)
        if self.take_word("IN"):
            return In(left, self._in_list(), negated, start=start, end=self.last_end)
        if self.take_word("LIKE"):
            pattern = self.expression()
            escape = self.expression() if self.take_word("ESCAPE") else None
            return Like(left, pattern, escape, negated, start=start, end=self.last_end)
        if self.at_word(*_REFUSED_TESTS):
            raise refused(f"condition {self.token.value}", offset=self.token.start)
        if isinstance(left, Call) and left.name[-1].name in _CONDITION_CALLS:
            return CallCondition(left, start=start, end=self.last_end)
        return left

    def _comparison(self, left: Expression, operator: str, start: int) -> Condition:
        quantifier: Literal["ANY", "ALL"] | None = None
        if word := self.take_word("ANY", "SOME", "ALL"):
            quantifier = "ALL" if word.value == "ALL" else "ANY"
            items = self._in_list()
            right: Expression = items[0] if len(items) == 1 and isinstance(items[0], ScalarQuery) else Row(items)
        else:
            right = self.expression()
        op = cast(Literal["=", "<>", "<", "<=", ">", ">="], operator)
        return Comparison(op, left, right, quantifier, start=start, end=self.last_end)

    def _in_list(self) -> tuple[Expression, ...]:
        """(a, b, ..), a query in parentheses, or one value."""
        if not self.at_op("("):
            return (self.expression(),)
        node = self._primary()
        if isinstance(node, Condition):
            raise self.error(907, "missing right parenthesis")
        if isinstance(node, Row):
            return node.items
        return (node,)

    # Values, by rising precedence. `||` binds as + and - do.

    def _additive(self) -> Expression | Condition:
        start = self.token.start
        node = self._multiplicative()
        while not isinstance(node, Condition) and self.at_op("+", "-", "||"):
            operator = cast(Literal["+", "-", "||"], self.advance().value)
            node = Binary(operator, node, self._value(self._multiplicative()), start=start, end=self.last_end)
        return node

    def _multiplicative(self) -> Expression | Condition:
        start = self.token.start
        node = self._unary()
        while not isinstance(node, Condition) and self.at_op("*", "/"):
            operator = cast(Literal["*", "/"], self.advance().value)
            node = Binary(operator, node, self._value(self._unary()), start=start, end=self.last_end)
        return node

    def _unary(self) -> Expression | Condition:
        start = self.token.start
        if token := self.take_op("-", "+") or self.take_word("PRIOR"):
            operator = cast(Literal["-", "+", "PRIOR"], token.value)
            return Unary(operator, self._value(self._unary()), start=start, end=self.last_end)
        if self.at_word("CONNECT_BY_ROOT") and not self.peek().is_op(",", ".", ")"):
            self.advance()
            return Unary("CONNECT_BY_ROOT", self._value(self._unary()), start=start, end=self.last_end)
        node = self._primary()
        while not isinstance(node, Condition):
            if self.take_words("AT", "TIME", "ZONE"):
                node = AtTimeZone(node, self._value(self._primary()), start=start, end=self.last_end)
            elif self.take_words("AT", "LOCAL"):
                node = AtTimeZone(node, None, start=start, end=self.last_end)
            elif self.tokens[self.position - 1].is_op(")") and self._at_interval_units():
                node = IntervalConversion(node, self.interval_units(), start=start, end=self.last_end)
            else:
                break
        return node

    def _value(self, node: Expression | Condition) -> Expression:
        if isinstance(node, Condition):
            raise OracleError(907, "missing right parenthesis", offset=node.start)
        return node

    def _at_interval_units(self) -> bool:
        if not self.at_word("DAY", "YEAR"):
            return False
        ahead = 4 if self.peek().is_op("(") else 1
        return self.peek(ahead).is_word("TO") and self.peek(ahead + 1).is_word("SECOND", "MONTH")

    def interval_units(self) -> IntervalUnits:
        """DAY(p) TO SECOND(s), YEAR TO MONTH, or one unit; ORA-30089 for a pair that does not fit."""
        start = self.token.start
        if not self.at_word("YEAR", "MONTH", *_DAY_UNITS):
            raise self.error(30089, "missing or invalid <datetime field>")
        first = self.advance().value
        precision = fraction = None
        if self.take_op("("):
            precision = self.unsigned_integer()
            if first == "SECOND" and self.take_op(","):
                fraction = self.unsigned_integer()
            self.expect_op(")")
        last = first
        if self.take_word("TO"):
            last = self.expect_word("YEAR", "MONTH", *_DAY_UNITS).value
            family = ("YEAR", "MONTH") if first in ("YEAR", "MONTH") else _DAY_UNITS
            if last not in family or family.index(last) < family.index(first):
                raise OracleError(30089, "missing or invalid <datetime field>", offset=start)
            if last == "SECOND" and self.take_op("("):
                fraction = self.unsigned_integer()
                self.expect_op(")")
        return IntervalUnits(first, last, precision, fraction, start=start, end=self.last_end)

    def _primary(self) -> Expression | Condition:
        token = self.token
        start, end = token.start, token.end
        match token.kind:
            case TokenKind.NUMBER:
                self.advance()
                return NumberLiteral(token.value, start=start, end=end)
            case TokenKind.STRING | TokenKind.NATIONAL:
                self.advance()
                return StringLiteral(token.value, token.kind is TokenKind.NATIONAL, start=start, end=end)
            case TokenKind.BIND:
                self.advance()
                return self._bind(token.value, start, end)
            case TokenKind.QUOTED:
                return self._name()
            case TokenKind.OP if token.value == "(":
                return self._parenthesised()
            case TokenKind.WORD:
                return self._word()
        raise self.error(936, "missing expression")

    def _bind(self, name: str, start: int, end: int) -> Bind:
        return Bind(name, self._bind_indices[start], start=start, end=end)

    def _parenthesised(self) -> Expression | Condition:
        start = self.advance().start
        if self.at_query():
            query = self.query()
            self.expect_op(")")
            return ScalarQuery(query, start=start, end=self.last_end)
        if (nested := self._query_in_parentheses()) is not None:
            return ScalarQuery(nested, start=start, end=self.last_end)
        node = self._general()
        if not self.at_op(","):
            self.expect_op(")")
            return node
        items = [self._value(node)]
        while self.take_op(","):
            items.append(self.expression())
        self.expect_op(")")
        return Row(tuple(items), start=start, end=self.last_end)

    def _query_in_parentheses(self) -> Query | None:
        """After `(` comes `(select ..`: a query such as ((select ..) union ..) read up to its `)`, or None to read a value."""
        ahead = 0
        while self.peek(ahead).is_op("("):
            ahead += 1
        if not ahead or not self.peek(ahead).is_word("SELECT", "WITH"):
            return None
        back = self.position
        try:
            query = self.query()
            self.expect_op(")")
        except OracleError:
            self.position = back  # ((select ..) + 1): a value that begins with a query
            return None
        return query

    def _word(self) -> Expression | Condition:
        token = self.token
        word, start = token.value, token.start
        following = self.peek()
        literal = following.kind in (TokenKind.STRING, TokenKind.NATIONAL)
        if word == "NULL":
            self.advance()
            return NullLiteral(start=start, end=token.end)
        if word == "CASE":
            return self._case()
        if word in ("DATE", "TIMESTAMP") and literal:
            self.advance()
            value = self.advance().value
            node = DateLiteral if word == "DATE" else TimestampLiteral
            return node(value, start=start, end=self.last_end)
        if word == "INTERVAL" and literal:
            self.advance()
            value = self.advance().value
            return IntervalLiteral(value, self.interval_units(), start=start, end=self.last_end)
        if following.is_op("(") and (node_or_none := self.special_call()) is not None:
            return node_or_none
        if word in RESERVED and word not in _VALUE_WORDS:
            raise self.error(936, "missing expression")
        return self._name()

    def _case(self) -> Case:
        start = self.advance().start
        operand = None if self.at_word("WHEN") else self.expression()
        whens: list[tuple[Expression | Condition, Expression]] = []
        while self.take_word("WHEN"):
            test = self.condition() if operand is None else self.expression()
            self.expect_word("THEN")
            whens.append((test, self.expression()))
        if not whens:
            raise self.error(905, "missing keyword")
        otherwise = self.expression() if self.take_word("ELSE") else None
        self.expect_word("END")
        return Case(operand, tuple(whens), otherwise, start=start, end=self.last_end)

    def _name(self) -> Expression:
        """a, a.b, a.b.c, with (+), or a function call."""
        parts = [self._name_part(first=True)]
        while self.take_op("."):
            if self.at_op("*"):
                raise self.error(936, "missing expression")
            parts.append(self._name_part(first=False))
        if self.at_op("@"):
            raise refused("database link", offset=self.token.start)
        start = parts[0].start
        if self.at_op("("):
            if self.peek().is_op("+") and self.peek(2).is_op(")"):
                self.position += 3
                return Name(tuple(parts), outer_join=True, start=start, end=self.last_end)
            return self.call(tuple(parts))
        return Name(tuple(parts), start=start, end=self.last_end)

    def _name_part(self, *, first: bool) -> Identifier:
        token = self.token
        allowed = _VALUE_WORDS if first else ("ROWID", "COLUMN_VALUE")
        if token.is_word(*allowed):
            self.advance()
            return Identifier(token.value, start=token.start, end=token.end)
        if first:
            return self.identifier()
        return self.identifier(1747, "invalid user.table.column, table.column, or column specification")

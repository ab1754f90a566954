"""The grammar of function calls, with the clauses that some functions take (OVER, WITHIN GROUP, KEEP, IGNORE NULLS, ..)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Literal, cast

from oracle_mimic.errors import refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.datatypes import data_type
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.syntax import (
    Call,
    Cast,
    Expression,
    Extract,
    FrameBound,
    Identifier,
    ListOverflow,
    OrderItem,
    Star,
    Trim,
    Window,
)  # fmt: skip

_EXTRACT_FIELDS = (
    "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE", "TIMEZONE_REGION", "TIMEZONE_ABBR",
)  # fmt: skip
_REFUSED_CALLS = ("CURSOR", "MULTISET", "TREAT", "XMLQUERY", "XMLEXISTS", "XMLCAST", "XMLSERIALIZE", "XMLFOREST", "XMLELEMENT", "XMLPARSE")


_OWN_GRAMMAR = frozenset({
    "COLLECT", "JSON_ARRAY", "JSON_ARRAYAGG", "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_QUERY", "JSON_VALUE", "MULTISET",
    "TREAT", "XMLAGG", "XMLELEMENT", "XMLFOREST", "XMLQUERY", "XMLSERIALIZE",
})  # fmt: skip
_NO_PARENTHESES = frozenset({"SYSDATE", "UID", "USER"})


class CallParser(TokenReader):
    """Reads calls; a part of the expression parser."""

    @abstractmethod
    def expression(self) -> Expression: ...

    def special_call(self) -> Expression | None:
        """CAST, EXTRACT and TRIM, whose arguments are not a list; None for every other function."""
        word, start = self.token.value, self.token.start
        if word in _REFUSED_CALLS:
            raise refused(f"function {word}", offset=start)
        if word not in ("CAST", "EXTRACT", "TRIM"):
            return None
        self.position += 2
        if word == "CAST":
            operand = self.expression()
            self.expect_word("AS")
            node: Expression = Cast(operand, data_type(self), start=start)
            if self.at_word("DEFAULT") or self.at_op(","):
                raise refused("CAST with a format or DEFAULT", offset=self.token.start)
        elif word == "EXTRACT":
            if not self.at_word(*_EXTRACT_FIELDS):
                raise self.error(907, "missing right parenthesis")
            field = self.advance().value
            self.expect_word("FROM")
            node = Extract(field, self.expression(), start=start)
        else:
            node = self._trim(start)
        self.expect_op(")")
        return replace(node, end=self.last_end)

    def _trim(self, start: int) -> Trim:
        side = self.take_word("BOTH", "LEADING", "TRAILING")
        which = cast(Literal["BOTH", "LEADING", "TRAILING"], side.value if side else "BOTH")
        if side and self.take_word("FROM"):
            return Trim(which, None, self.expression(), start=start)
        first = self.expression()
        if self.take_word("FROM"):
            return Trim(which, first, self.expression(), start=start)
        if side:
            raise self.error(907, "missing right parenthesis")
        return Trim(which, None, first, start=start)

    def call(self, name: tuple[Identifier, ...]) -> Call:
        """The arguments and clauses of a function whose name was read."""
        plain = name[0].name if len(name) == 1 and not name[0].quoted else ""
        if plain in _OWN_GRAMMAR:  # before their arguments' own words are taken for errors
            raise refused(f"function {plain}", offset=name[0].start)
        if plain in _NO_PARENTHESES:
            raise self.error(923, "FROM keyword not found where expected")
        self.expect_op("(")
        distinct = bool(self.take_word("DISTINCT", "UNIQUE"))
        if not distinct:
            self.take_word("ALL")
        arguments: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not self.at_op(")"):
            if self.at_op("*") and self.peek().is_op(")"):
                star = self.advance()
                arguments.append(Star(start=star.start, end=star.end))
                break
            if self.token.kind in (TokenKind.WORD, TokenKind.QUOTED) and self.peek().is_op("=>"):
                argument = self.identifier().name
                self.advance()
                named.append((argument, self.expression()))
            else:
                arguments.append(self.expression())
            if not self.take_op(","):
                break
            if self.at_op(")"):
                raise self.error(936, "missing expression")
        ignore_nulls = self._nulls()
        overflow = self._overflow()
        if self.at_word("DEFAULT", "USING", "ORDER", "RETURNING", "FORMAT"):
            raise refused(f"{name[-1].name} with {self.token.value}", offset=self.token.start)
        self.expect_op(")")
        if self.at_words("FROM", "FIRST") or self.at_words("FROM", "LAST"):
            if self.peek().is_word("LAST"):
                raise refused(f"{name[-1].name} FROM LAST", offset=self.token.start)
            self.position += 2
        ignore_nulls = self._nulls() if ignore_nulls is None else ignore_nulls
        within: tuple[OrderItem, ...] = ()
        if self.take_words("WITHIN", "GROUP"):
            self.expect_op("(")
            within = self.order_by()
            self.expect_op(")")
        keep_first, keep_order = self._keep()
        window = self._window() if self.at_word("OVER") and self.peek().is_op("(") else None
        return Call(
            name, tuple(arguments), tuple(named), distinct, ignore_nulls, within, keep_first, keep_order, overflow, window,
            start=name[0].start, end=self.last_end,
        )  # fmt: skip

    def _nulls(self) -> bool | None:
        if self.take_words("IGNORE", "NULLS"):
            return True
        return False if self.take_words("RESPECT", "NULLS") else None

    def _overflow(self) -> ListOverflow | None:
        start = self.token.start
        if not self.take_words("ON", "OVERFLOW"):
            return None
        if self.take_word("ERROR"):
            return ListOverflow(truncate=False, start=start, end=self.last_end)
        self.expect_word("TRUNCATE")
        filler = self.advance().value if self.token.kind in (TokenKind.STRING, TokenKind.NATIONAL) else None
        with_count = True
        if word := self.take_word("WITH", "WITHOUT"):
            self.expect_word("COUNT")
            with_count = word.value == "WITH"
        return ListOverflow(truncate=True, filler=filler, with_count=with_count, start=start, end=self.last_end)

    def _keep(self) -> tuple[bool | None, tuple[OrderItem, ...]]:
        if not (self.at_word("KEEP") and self.peek().is_op("(") and self.peek(2).is_word("DENSE_RANK")):
            return None, ()
        self.position += 3
        first = self.expect_word("FIRST", "LAST").value == "FIRST"
        order = self.order_by()
        self.expect_op(")")
        return first, order

    def order_by(self) -> tuple[OrderItem, ...]:
        """ORDER BY and its items."""
        self.expect_word("ORDER")
        self.expect_word("BY")
        return self.order_items()

    def order_items(self) -> tuple[OrderItem, ...]:
        items = [self._order_item()]
        while self.take_op(","):
            items.append(self._order_item())
        return tuple(items)

    def _order_item(self) -> OrderItem:
        start = self.token.start
        expression = self.expression()
        direction = self.take_word("ASC", "DESC")
        nulls_first = None
        if self.take_word("NULLS"):
            nulls_first = self.expect_word("FIRST", "LAST").value == "FIRST"
        descending = direction is not None and direction.value == "DESC"
        return OrderItem(expression, descending, nulls_first, start=start, end=self.last_end)

    def _window(self) -> Window:
        start = self.advance().start
        self.expect_op("(")
        partition: list[Expression] = []
        if self.take_word("PARTITION"):
            self.expect_word("BY")
            partition.append(self.expression())
            while self.take_op(","):
                partition.append(self.expression())
        order = self.order_by() if self.at_word("ORDER") else ()
        frame = frame_start = frame_end = None
        if unit := self.take_word("ROWS", "RANGE"):
            frame = cast(Literal["ROWS", "RANGE"], unit.value)
            if self.take_word("BETWEEN"):
                frame_start = self._frame_bound()
                self.expect_word("AND")
                frame_end = self._frame_bound()
            else:
                frame_start = self._frame_bound()
        elif self.at_word("GROUPS"):
            raise refused("GROUPS frame", offset=self.token.start)
        self.expect_op(")")
        return Window(tuple(partition), order, frame, frame_start, frame_end, start=start, end=self.last_end)

    def _frame_bound(self) -> FrameBound:
        start = self.token.start
        if self.take_words("CURRENT", "ROW"):
            return FrameBound("CURRENT ROW", start=start, end=self.last_end)
        value = None if self.take_word("UNBOUNDED") else self.expression()
        direction = cast(Literal["PRECEDING", "FOLLOWING"], self.expect_word("PRECEDING", "FOLLOWING").value)
        return FrameBound(direction, value, start=start, end=self.last_end)

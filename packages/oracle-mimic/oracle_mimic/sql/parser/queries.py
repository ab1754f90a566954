"""The grammar of queries: WITH, SELECT, FROM, set operations, ORDER BY, OFFSET/FETCH, FOR UPDATE."""

from __future__ import annotations

from typing import Literal, cast

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.expressions import ExpressionParser
from oracle_mimic.sql.parser.relations import RelationParser
from oracle_mimic.sql.syntax import (
    CommonTable,
    Condition,
    Expression,
    Fetch,
    ForUpdate,
    Grouping,
    Hierarchy,
    Identifier,
    Name,
    NumberLiteral,
    OrderItem,
    Query,
    QueryBody,
    Row,
    Select,
    SelectItem,
    SetOperation,
    Star,
)  # fmt: skip

_SET_OPERATORS = ("UNION", "MINUS", "INTERSECT", "EXCEPT")


class QueryParser(ExpressionParser, RelationParser):
    """Reads queries."""

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self._inside_with = False

    def at_query(self) -> bool:
        return self.at_word("SELECT", "WITH")

    def query(self) -> Query:
        start = self.token.start
        with_ = self._with() if self.at_word("WITH") else ()
        body = self._set_operation()
        siblings = False
        order_by: tuple[OrderItem, ...] = ()
        if self.at_words("ORDER", "SIBLINGS"):
            self.position += 2
            self.expect_word("BY")
            siblings, order_by = True, self.order_items()
        elif self.at_word("ORDER"):
            order_by = self.order_by()
        fetch = self._fetch()
        for_update = self._for_update() if self.at_words("FOR", "UPDATE") else None
        if not with_ and not order_by and fetch is None and for_update is None and isinstance(body, Query):
            return body
        return Query(body, with_, order_by, siblings, fetch, for_update, start=start, end=self.last_end)

    def _with(self) -> tuple[CommonTable, ...]:
        if self._inside_with:
            raise self.error(32034, "unsupported use of WITH clause")
        self.advance()
        if self.at_word("FUNCTION", "PROCEDURE"):
            raise refused("WITH FUNCTION", offset=self.token.start)
        tables = [self._common_table()]
        while self.take_op(","):
            tables.append(self._common_table())
        return tuple(tables)

    def _common_table(self) -> CommonTable:
        start = self.token.start
        name = self.identifier()
        columns = self.identifier_list() if self.at_op("(") else ()
        self.expect_word("AS")
        self.expect_op("(")
        self._inside_with = True
        query = self.query()
        self._inside_with = False
        self.expect_op(")")
        if self.at_word("SEARCH", "CYCLE") and not self.at_op(","):
            raise refused(f"{self.token.value} clause of WITH", offset=self.token.start)
        return CommonTable(name, columns, query, start=start, end=self.last_end)

    def identifier_list(self) -> tuple[Identifier, ...]:
        """(a, b, ..)"""
        self.expect_op("(")
        names = [self.identifier()]
        while self.take_op(","):
            names.append(self.identifier())
        self.expect_op(")")
        return tuple(names)

    def _set_operation(self) -> QueryBody:
        """Oracle gives all set operators the same precedence: left to right."""
        start = self.token.start
        left = self._query_term()
        while self.at_word(*_SET_OPERATORS):
            word = self.advance()
            operator = word.value
            if operator == "EXCEPT" or (operator != "UNION" and self.at_word("ALL")):
                raise OracleError(933, "SQL command not properly ended", offset=word.start)  # both came with 21c
            if operator == "UNION" and self.take_word("ALL"):
                operator = "UNION ALL"
            op = cast(Literal["UNION", "UNION ALL", "MINUS", "INTERSECT"], operator)
            left = SetOperation(op, left, self._query_term(), start=start, end=self.last_end)
        return left

    def _query_term(self) -> QueryBody:
        if self.at_op("("):
            self.advance()
            offset = self.token.start
            query = self.query()
            self.expect_op(")")
            if query.with_ and self.at_word(*_SET_OPERATORS):
                raise OracleError(32034, "unsupported use of WITH clause", offset=offset)
            return query
        return self._select()

    def _select(self) -> Select:
        start = self.token.start
        self.expect_word("SELECT")
        self.take_hint()
        distinct = bool(self.take_word("DISTINCT", "UNIQUE"))
        if not distinct:
            self.take_word("ALL")
        items = self._select_list()
        if self.at_word("INTO", "BULK"):
            raise self.error(905, "missing keyword")  # INTO belongs to PL/SQL, which takes it off first
        self.expect_word("FROM")
        from_ = [self.table_reference()]
        while self.take_op(","):
            from_.append(self.table_reference())
        where = self.condition() if self.take_word("WHERE") else None
        hierarchy = self._hierarchy()
        group_by, having = self._grouping()
        if self.at_word("MODEL", "MATCH_RECOGNIZE"):
            raise refused(f"{self.token.value} clause", offset=self.token.start)
        return Select(items, tuple(from_), distinct, where, hierarchy, group_by, having, start=start, end=self.last_end)

    def _select_list(self) -> tuple[SelectItem, ...]:
        if self.at_op("*"):
            star = self.advance()
            return (SelectItem(Star(start=star.start, end=star.end), start=star.start, end=star.end),)
        items = [self._select_item()]
        while self.take_op(","):
            items.append(self._select_item())
        return tuple(items)

    def _select_item(self) -> SelectItem:
        start = self.token.start
        if (star := self._qualified_star()) is not None:
            return SelectItem(star, start=start, end=self.last_end)
        expression = self.expression()
        end = self.last_end
        alias = None
        if self.take_word("AS"):
            alias = self.identifier(923, "FROM keyword not found where expected")
        elif self.at_identifier() and not self.at_words("BULK", "COLLECT"):
            alias = self.identifier()
        return SelectItem(expression, alias, start=start, end=end)

    def _qualified_star(self) -> Star | None:
        """t.* or s.t.*"""
        for parts in (1, 2):
            dotted = all(self.peek(2 * part - 1).is_op(".") for part in range(1, parts + 1))
            if dotted and self.peek(2 * parts).is_op("*"):
                start = self.token.start
                names = [self.identifier()]
                while self.take_op("."):
                    if not self.take_op("*"):
                        names.append(self.identifier())
                return Star(tuple(names), start=start, end=self.last_end)
        return None

    def _hierarchy(self) -> Hierarchy | None:
        start = self.token.start
        start_with: Condition | None = None
        if self.take_words("START", "WITH"):
            start_with = self.condition()
        if not self.take_words("CONNECT", "BY"):
            if start_with is not None:
                raise self.error(1788, "CONNECT BY clause required in this query block")
            return None
        no_cycle = bool(self.take_word("NOCYCLE"))
        connect_by = self.condition()
        if start_with is None and self.take_words("START", "WITH"):
            start_with = self.condition()
        return Hierarchy(connect_by, start_with, no_cycle, start=start, end=self.last_end)

    def _grouping(self) -> tuple[tuple[Grouping, ...], Condition | None]:
        having = self.condition() if self.take_word("HAVING") else None
        groups: list[Grouping] = []
        if self.take_word("GROUP"):
            self.expect_word("BY")
            groups.append(self._group())
            while self.take_op(","):
                groups.append(self._group())
        if having is None and self.take_word("HAVING"):
            having = self.condition()
        return tuple(groups), having

    def _group(self) -> Grouping:
        start = self.token.start
        if self.at_word("ROLLUP", "CUBE") and self.peek().is_op("("):
            kind = cast(Literal["ROLLUP", "CUBE"], self.advance().value)
            return Grouping(self._group_sets(), kind, start=start, end=self.last_end)
        if self.take_words("GROUPING", "SETS"):
            return Grouping(self._group_sets(), "GROUPING SETS", start=start, end=self.last_end)
        return Grouping((self._group_set(),), start=start, end=self.last_end)

    def _group_sets(self) -> tuple[tuple[Expression, ...], ...]:
        self.expect_op("(")
        sets = [self._group_set()]
        while self.take_op(","):
            sets.append(self._group_set())
        self.expect_op(")")
        return tuple(sets)

    def _group_set(self) -> tuple[Expression, ...]:
        if self.at_word("ROLLUP", "CUBE", "GROUPING") and self.peek().is_op("("):
            raise refused(f"{self.token.value} inside another grouping", offset=self.token.start)
        if self.at_op("(") and self.peek().is_op(")"):
            self.position += 2
            return ()
        expression = self.expression()
        return expression.items if isinstance(expression, Row) else (expression,)

    def _fetch(self) -> Fetch | None:
        start = self.token.start
        offset = count = None
        percent = with_ties = False
        if self.at_word("OFFSET"):
            self.advance()
            offset = self.expression()
            self.expect_word("ROW", "ROWS")
        if self.at_word("FETCH") and self.peek().is_word("FIRST", "NEXT"):
            self.position += 2
            if not self.at_word("ROW", "ROWS"):
                count = self.expression()
                percent = bool(self.take_word("PERCENT"))
            self.expect_word("ROW", "ROWS")
            if self.take_word("WITH"):
                self.expect_word("TIES")
                with_ties = True
            else:
                self.expect_word("ONLY")
            if count is None:
                count = NumberLiteral("1", start=start, end=start)
        if offset is None and count is None:
            return None
        return Fetch(offset, count, percent, with_ties, start=start, end=self.last_end)

    def _for_update(self) -> ForUpdate:
        start = self.token.start
        self.position += 2
        columns: list[Name] = []
        if self.take_word("OF"):
            columns.append(self.column_name())
            while self.take_op(","):
                columns.append(self.column_name())
        wait: int | None = None
        if self.take_word("NOWAIT"):
            wait = 0
        elif self.take_words("SKIP", "LOCKED"):
            wait = -1
        elif self.take_word("WAIT"):
            if self.token.kind is not TokenKind.NUMBER:
                raise self.error(30005, "missing or invalid WAIT interval")
            wait = self.unsigned_integer(30005, "missing or invalid WAIT interval")
        return ForUpdate(tuple(columns), wait, start=start, end=self.last_end)

    def column_name(self) -> Name:
        """A column that is written to or locked: a, t.a or s.t.a."""
        parts = [self.identifier()]
        while self.take_op("."):
            parts.append(self.identifier(1747, "invalid user.table.column, table.column, or column specification"))
        return Name(tuple(parts), start=parts[0].start, end=self.last_end)

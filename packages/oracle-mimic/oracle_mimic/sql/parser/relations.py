"""The grammar of FROM: tables with flashback and sample, derived tables, joins, PIVOT and UNPIVOT."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Literal, cast

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.calls import CallParser
from oracle_mimic.sql.syntax import (
    Call,
    Condition,
    DerivedTable,
    Expression,
    Flashback,
    Identifier,
    Join,
    Pivot,
    PivotAggregate,
    PivotValue,
    Query,
    Row,
    Sample,
    StringLiteral,
    Table,
    TableReference,
    Unpivot,
    UnpivotValue,
    ValueTable,
    XmlSeries,
)  # fmt: skip

# Words that are no alias where the grammar goes on with them: word -> what must follow (empty: anything).
_NOT_AN_ALIAS: dict[str, tuple[str, ...]] = {
    "JOIN": (),
    "INNER": ("JOIN",),
    "LEFT": ("JOIN", "OUTER"),
    "RIGHT": ("JOIN", "OUTER"),
    "FULL": ("JOIN", "OUTER"),
    "CROSS": ("JOIN", "APPLY"),
    "OUTER": ("APPLY",),
    "NATURAL": ("JOIN", "INNER", "LEFT", "RIGHT", "FULL"),
    "FETCH": ("FIRST", "NEXT"),
    "VERSIONS": ("BETWEEN",),
    "USING": (),
    "WHEN": (),
    "RETURNING": (),
    "RETURN": (),
    "LOG": ("ERRORS",),
    "MODEL": ("DIMENSION", "PARTITION", "RETURN", "IGNORE", "KEEP", "MAIN", "UNIQUE", "REFERENCE"),
}
_REFUSED_TABLES = ("THE", "ONLY", "JSON_TABLE", "GRAPH_TABLE", "CONTAINERS", "SHARDS")


class RelationParser(CallParser):
    """Reads what stands in FROM; a part of the query parser."""

    @abstractmethod
    def query(self) -> Query: ...

    @abstractmethod
    def at_query(self) -> bool: ...

    @abstractmethod
    def condition(self) -> Condition: ...

    @abstractmethod
    def identifier_list(self) -> tuple[Identifier, ...]: ...

    def table_reference(self) -> TableReference:
        """One element of FROM with the joins that follow it."""
        start = self.token.start
        left = self._table_primary()
        while (kind := self._join_kind()) is not None:
            joined, natural = kind
            right = self._table_primary()
            on: Condition | None = None
            using: tuple[Identifier, ...] = ()
            if not natural and joined in ("INNER", "LEFT", "RIGHT", "FULL"):
                if self.take_word("ON"):
                    on = self.condition()
                elif self.take_word("USING"):
                    using = self.identifier_list()
                else:
                    raise self.error(905, "missing keyword")
            left = Join(joined, left, right, on, using, natural, start=start, end=self.last_end)
        return left

    def _join_kind(
        self,
    ) -> tuple[Literal["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "CROSS APPLY", "OUTER APPLY"], bool] | None:
        if self.take_word("JOIN"):
            return "INNER", False
        if self.take_words("CROSS", "APPLY"):
            return "CROSS APPLY", False
        if self.take_words("OUTER", "APPLY"):
            return "OUTER APPLY", False
        if self.take_words("CROSS", "JOIN"):
            return "CROSS", False
        natural = self.at_word("NATURAL") and self.peek().is_word(*_NOT_AN_ALIAS["NATURAL"])
        if natural:
            self.advance()
        if natural and self.take_word("JOIN"):
            return "INNER", True
        if self.take_words("INNER", "JOIN"):
            return "INNER", natural
        if self.at_word("LEFT", "RIGHT", "FULL") and self.peek().is_word("JOIN", "OUTER"):
            kind = cast(Literal["LEFT", "RIGHT", "FULL"], self.advance().value)
            self.take_word("OUTER")
            self.expect_word("JOIN")
            return kind, natural
        return None

    def _table_primary(self) -> TableReference:
        start = self.token.start
        if self.at_word("TABLE") and self.peek().is_op("("):
            return self._value_table()
        if self.at_word(*_REFUSED_TABLES) and self.peek().is_op("("):
            raise refused(f"{self.token.value} in FROM", offset=start)
        if self.at_word("XMLTABLE") and self.peek().is_op("("):
            return self._xml_series()
        if self.at_word("LATERAL") and self.peek().is_op("("):
            self.position += 2
            query = self.query()
            self.expect_op(")")
            return DerivedTable(query, self._alias(), lateral=True, start=start, end=self.last_end)
        if self.at_op("("):
            return self._parenthesised_table()
        table = self.table()
        if self.at_op("("):
            raise refused(f"table function {table.parts[-1].name}", offset=start)
        return table

    def _parenthesised_table(self) -> TableReference:
        start = self.advance().start
        back = self.position
        query: Query | None = None
        if self.at_query():
            query = self.query()
            self.expect_op(")")
        elif self.at_op("("):
            try:
                query = self.query()
                self.expect_op(")")
            except OracleError:
                query, self.position = None, back  # ((a join b on ..) join c on ..)
        if query is None:
            inner = self.table_reference()
            self.expect_op(")")
            return inner
        if self.at_words("AS", "OF"):
            raise refused("flashback of a subquery", offset=self.token.start)
        pivot = self._pivot()
        return DerivedTable(query, self._alias(), pivot=pivot, start=start, end=self.last_end)

    def table(self) -> Table:
        """A table by name, with its clauses and alias; ORA-00903 for what is no name."""
        start = self.token.start
        parts = [self.identifier(903, "invalid table name")]
        if self.take_op("."):
            parts.append(self.identifier(903, "invalid table name"))
        if self.at_op("@"):
            raise refused("database link", offset=self.token.start)
        if self.at_word("PARTITION", "SUBPARTITION") and self.peek().is_op("(", "FOR"):
            raise refused(f"{self.token.value} of a table", offset=self.token.start)
        sample = self._sample()
        flashback = self._flashback()
        pivot = self._pivot()
        table = Table(tuple(parts), self._alias(), flashback, sample, pivot, start=start)
        return replace(table, end=self.last_end)

    def _alias(self) -> Identifier | None:
        if not self.at_identifier():
            return None
        token = self.token
        if token.kind is TokenKind.WORD and token.value in _NOT_AN_ALIAS:
            following = _NOT_AN_ALIAS[token.value]
            if not following or self.peek().is_word(*following):
                return None
        if token.is_word("OFFSET") and self.peek().kind in (TokenKind.NUMBER, TokenKind.BIND):
            return None
        return self.identifier()

    def _sample(self) -> Sample | None:
        if not (self.at_word("SAMPLE") and (self.peek().is_op("(") or self.peek().is_word("BLOCK"))):
            return None
        start = self.advance().start
        block = bool(self.take_word("BLOCK"))
        self.expect_op("(")
        percent = self.expression()
        self.expect_op(")")
        seed: Expression | None = None
        if self.take_word("SEED"):
            self.expect_op("(")
            seed = self.expression()
            self.expect_op(")")
        return Sample(percent, block, seed, start=start, end=self.last_end)

    def _flashback(self) -> Flashback | None:
        if self.at_word("VERSIONS") and self.peek().is_word("BETWEEN"):
            raise refused("VERSIONS BETWEEN", offset=self.token.start)
        start = self.token.start
        if not self.at_words("AS", "OF"):
            return None
        self.position += 2
        kind = cast(Literal["SCN", "TIMESTAMP"], self.expect_word("SCN", "TIMESTAMP").value)
        return Flashback(kind, self.expression(), start=start, end=self.last_end)

    def _xml_series(self) -> XmlSeries:
        """XMLTABLE('1 to n'), or '1 to ' || expression: the only XQuery that is spoken."""
        start = self.token.start
        self.position += 2
        text = self.expression()
        self.expect_op(")")
        if not isinstance(text, StringLiteral):
            raise refused("XMLTABLE of other than 'a to b'", offset=start)
        words = text.value.split()
        if len(words) != 3 or words[1].lower() != "to" or not (words[0].isdigit() and words[2].isdigit()):
            raise refused("XMLTABLE of other than 'a to b'", offset=start)
        return XmlSeries(int(words[0]), int(words[2]), self._alias(), start=start, end=self.last_end)

    def _value_table(self) -> ValueTable:
        """TABLE(collection): of the collection types of SYS that hold plain values."""
        start = self.token.start
        self.position += 2
        call = self.expression()
        self.expect_op(")")
        name = call.name[-1].name if isinstance(call, Call) and not call.named else ""
        if not isinstance(call, Call) or name not in ("ODCINUMBERLIST", "ODCIVARCHAR2LIST", "ODCIDATELIST"):
            raise refused("TABLE in FROM", offset=start)
        kind = cast(Literal["ODCINUMBERLIST", "ODCIVARCHAR2LIST", "ODCIDATELIST"], name)
        return ValueTable(kind, call.arguments, self._alias(), start=start, end=self.last_end)

    def _pivot(self) -> Pivot | Unpivot | None:
        if self.at_word("PIVOT") and (self.peek().is_op("(") or self.peek().is_word("XML")):
            return self._read_pivot()
        if self.at_word("UNPIVOT") and (self.peek().is_op("(") or self.peek().is_word("INCLUDE", "EXCLUDE")):
            return self._read_unpivot()
        return None

    def _read_pivot(self) -> Pivot:
        start = self.advance().start
        if self.at_word("XML"):
            raise refused("PIVOT XML", offset=self.token.start)
        self.expect_op("(")
        aggregates = [self._pivot_aggregate()]
        while self.take_op(","):
            aggregates.append(self._pivot_aggregate())
        self.expect_word("FOR")
        columns = self._one_or_list()
        self.expect_word("IN")
        self.expect_op("(")
        values = [self._pivot_value()]
        while self.take_op(","):
            values.append(self._pivot_value())
        self.expect_op(")")
        self.expect_op(")")
        return Pivot(tuple(aggregates), columns, tuple(values), start=start, end=self.last_end)

    def _pivot_aggregate(self) -> PivotAggregate:
        start = self.token.start
        call = self.expression()
        if not isinstance(call, Call):
            raise OracleError(56902, "expect aggregate function inside pivot operation", offset=start)
        return PivotAggregate(call, self._as_alias(), start=start, end=self.last_end)

    def _pivot_value(self) -> PivotValue:
        start = self.token.start
        value = self.expression()
        end = self.last_end
        items = value.items if isinstance(value, Row) else (value,)
        return PivotValue(items, self._as_alias(), start=start, end=end)

    def _as_alias(self) -> Identifier | None:
        if self.take_word("AS"):
            return self.identifier()
        return self.identifier() if self.at_identifier() else None

    def _one_or_list(self) -> tuple[Identifier, ...]:
        return self.identifier_list() if self.at_op("(") else (self.identifier(),)

    def _read_unpivot(self) -> Unpivot:
        start = self.advance().start
        include = False
        if word := self.take_word("INCLUDE", "EXCLUDE"):
            self.expect_word("NULLS")
            include = word.value == "INCLUDE"
        self.expect_op("(")
        values = self._one_or_list()
        self.expect_word("FOR")
        labels = self._one_or_list()
        self.expect_word("IN")
        self.expect_op("(")
        inputs = [self._unpivot_value()]
        while self.take_op(","):
            inputs.append(self._unpivot_value())
        self.expect_op(")")
        self.expect_op(")")
        return Unpivot(values, labels, tuple(inputs), include, start=start, end=self.last_end)

    def _unpivot_value(self) -> UnpivotValue:
        start = self.token.start
        columns = self._one_or_list()
        labels: tuple[Expression, ...] = ()
        if self.take_word("AS"):
            label = self.expression()
            labels = label.items if isinstance(label, Row) else (label,)
        return UnpivotValue(columns, labels, start=start, end=self.last_end)

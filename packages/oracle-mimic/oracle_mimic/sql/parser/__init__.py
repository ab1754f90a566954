"""Oracle's queries and DML as syntax trees (`syntax.py`).

A parser of Oracle's own grammar, by recursive descent over Oracle's own tokens. A general SQL parser was tried and set aside: it
reads what Oracle refuses (LIMIT, `::`, ILIKE, SELECT without FROM, reserved words as names), reads some of what Oracle accepts with
another meaning (`'a' || 1 + 2`, SAMPLE (10) as an alias), and knows neither Oracle's error codes nor the text of a select item,
which names the column. Here a construct that has no rule is an error with Oracle's code, so nothing can fall through.
"""

from __future__ import annotations

from functools import lru_cache

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.parser.datatypes import data_type
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.syntax import Condition, Expression, Query, Statement

__all__ = ["TokenReader", "data_type", "parse_condition", "parse_expression", "parse_query", "parse_statement"]


_KEPT_CHARACTERS = 20_000  # trees of longer texts are not kept: they come once, and are large


def parse_statement(sql: str) -> Statement:
    """The tree of one query or DML statement; ORA-009xx where it is not one. Trees are immutable, so short ones are kept by text."""
    return _kept_statement(sql) if len(sql) <= _KEPT_CHARACTERS else _read_statement(sql)


def _read_statement(sql: str) -> Statement:
    parser = DmlParser(sql)
    try:
        statement = parser.statement()
    except RecursionError as error:
        raise refused("an expression nested this deeply", offset=parser.token.start) from error
    parser.finish()
    return statement


_kept_statement = lru_cache(maxsize=512)(_read_statement)


def parse_query(sql: str) -> Query:
    """The tree of a text that must be a query: a view's, or what follows CREATE TABLE .. AS."""
    statement = parse_statement(sql)
    if not isinstance(statement, Query):
        raise OracleError(928, "missing SELECT keyword", offset=statement.start)
    return statement


@lru_cache(maxsize=1024)
def parse_expression(sql: str) -> Expression:
    """The tree of one value, e.g. a column's DEFAULT."""
    parser = DmlParser(sql)
    expression = parser.expression()
    parser.finish()
    return expression


@lru_cache(maxsize=1024)
def parse_condition(sql: str) -> Condition:
    """The tree of one condition, e.g. a CHECK constraint's."""
    parser = DmlParser(sql)
    condition = parser.condition()
    parser.finish()
    return condition

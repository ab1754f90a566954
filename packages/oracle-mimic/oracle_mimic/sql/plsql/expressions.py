"""Expressions and SQL of a block as SQL texts with binds.

A variable becomes a bind of a name that the binder knows: in SQL statements a column of the same name comes first, as in Oracle.
Words that are PL/SQL's own (SQLCODE, SQL%ROWCOUNT, TRUE, cursor%FOUND, BOOLEAN variables) are replaced before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.binder import VARIABLE_PREFIX
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.parser import parse_condition, parse_expression, parse_statement
from oracle_mimic.sql.plsql.syntax import Fragment
from oracle_mimic.sql.plsql.values import Cursor, Frame, Record, Variable
from oracle_mimic.sql.syntax import Assignment, Condition, Expression, ForUpdate, Merge, Name, Node
from oracle_mimic.sql.walk import walk
from oracle_mimic.types import Kind

# In expressions there are no columns, so the variable needs no second look.
EXPRESSION_PREFIX = "PLSQL "
# Constants of supplied packages that clients name.
_CONSTANTS = {
    "DBMS_STATS.AUTO_SAMPLE_SIZE": "0",
    "DBMS_STATS.AUTO_DEGREE": "32768",
    "DBMS_STATS.AUTO_CASCADE": "NULL",
    "DBMS_STATS.AUTO_INVALIDATE": "NULL",
    "DBMS_STATS.DEFAULT_DEGREE": "32767",
}
_TRUTH = {True: "(1 = 1)", False: "(1 = 0)", None: "(NULL = 1)"}


@dataclass(slots=True)
class Status:
    """What SQL%.. and SQLCODE/SQLERRM tell."""

    row_count: int | None = None
    error: OracleError | None = None

    def code(self) -> int:
        if self.error is None:
            return 0
        return 100 if self.error.code == 1403 else -self.error.code

    def message(self) -> str:
        if self.error is None:
            return "ORA-0000: normal, successful completion"
        return f"ORA-{self.error.code:05d}: {self.error.text}"


class Texts:
    """Makes SQL texts of fragments in the light of what is declared."""

    def __init__(self, sql: str, status: Status) -> None:
        self.sql = sql
        self.status = status

    def expression_node(self, fragment: Fragment, frame: Frame) -> Expression:
        """The tree of an expression."""
        return parse_expression(self._prepared(fragment.tokens, frame))

    def condition_node(self, fragment: Fragment, frame: Frame) -> Condition:
        """The tree of a condition."""
        return parse_condition(self._prepared(fragment.tokens, frame))

    def expression(self, fragment: Fragment, frame: Frame) -> str:
        """An expression with its variables as binds."""
        text = self._prepared(fragment.tokens, frame)
        return _with_binds(text, list(walk(parse_expression(text), into_queries=True)), frame, EXPRESSION_PREFIX)

    def condition(self, fragment: Fragment, frame: Frame) -> str:
        """A condition with its variables as binds."""
        text = self._prepared(fragment.tokens, frame)
        return _with_binds(text, list(walk(parse_condition(text), into_queries=True)), frame, EXPRESSION_PREFIX)

    def statement(self, fragment: Fragment, frame: Frame, suffix: str = "") -> str:
        """A SQL statement with its variables as binds; names that are written to are columns."""
        text = self._prepared(fragment.tokens, frame) + suffix
        if not fragment.tokens[0].is_word("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"):
            return text
        nodes = list(walk(parse_statement(text), into_queries=True))
        written: set[int] = set()
        for node in nodes:
            names: Sequence[Name] = ()
            if isinstance(node, (Assignment, ForUpdate)):
                names = node.columns
            elif isinstance(node, Merge):
                names = node.insert_columns
            written.update(name.start for name in names)
        return _with_binds(text, [node for node in nodes if node.start not in written], frame, VARIABLE_PREFIX)

    def _prepared(self, tokens: Sequence[Token], frame: Frame) -> str:
        """The text of tokens with PL/SQL's own words replaced, one blank between tokens."""
        parts: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            following = tokens[position + 1] if position + 1 < len(tokens) else None
            after_dot = bool(position) and tokens[position - 1].is_op(".")
            if token.kind in (TokenKind.WORD, TokenKind.QUOTED) and following is not None and following.is_op("%"):
                attribute = tokens[position + 2].value if position + 2 < len(tokens) else ""
                parts.append(self._attribute(token, attribute, frame))
                position += 3
                continue
            replaced = None if after_dot else self._own_word(token, following, frame)
            parts.append(replaced if replaced is not None else self._text(token))
            position += 1
        return " ".join(parts)

    def _text(self, token: Token) -> str:
        return token.value if token.kind is TokenKind.OP else self.sql[token.start : token.end]

    def _own_word(self, token: Token, following: Token | None, frame: Frame) -> str | None:
        if token.kind is not TokenKind.WORD:
            return None
        if token.value in ("TRUE", "FALSE"):
            return _TRUTH[token.value == "TRUE"]
        if token.value == "SQLCODE":
            return str(self.status.code())
        if token.value == "SQLERRM":
            if following is not None and following.is_op("("):
                raise refused("SQLERRM with an argument", offset=token.start)
            return "'" + self.status.message().replace("'", "''") + "'"
        entry = frame.find(token.value)
        if isinstance(entry, Variable) and entry.type.kind is Kind.BOOLEAN:
            return _TRUTH[entry.value.python()]
        return None

    def _attribute(self, token: Token, attribute: str, frame: Frame) -> str:
        """SQL%ROWCOUNT, cursor%FOUND, ..."""
        if token.value == "SQL":
            count = self.status.row_count
            found = None if count is None else count > 0
        else:
            entry = frame.find(token.value)
            if not isinstance(entry, Cursor):
                raise OracleError(6550, f"PLS-00201: identifier '{token.value}' must be declared", offset=token.start)
            if attribute == "ISOPEN":
                return _TRUTH[entry.rows is not None]
            if entry.rows is None:
                raise OracleError(1001, "invalid cursor")
            count, found = entry.row_count, entry.found
        if attribute == "ROWCOUNT":
            return "NULL" if count is None else str(count)
        if attribute == "FOUND":
            return _TRUTH[found]
        if attribute == "NOTFOUND":
            return _TRUTH[None if found is None else not found]
        if attribute == "ISOPEN":
            return _TRUTH[False]
        raise refused(f"attribute %{attribute}", offset=token.start)


def _with_binds(text: str, nodes: Sequence[Node], frame: Frame, prefix: str) -> str:
    """The text with each name that is a variable replaced by a bind."""
    places: dict[int, tuple[int, str]] = {}
    for node in nodes:
        if not isinstance(node, Name) or node.outer_join:
            continue
        name = ".".join(part.name for part in node.parts)
        entry = frame.find(name)
        if isinstance(entry, Variable):
            places[node.start] = (node.end, f':"{prefix}{name}"')
        elif name.removeprefix("SYS.") in _CONSTANTS:
            places[node.start] = (node.end, _CONSTANTS[name.removeprefix("SYS.")])
        elif isinstance(entry, Record):
            raise refused(f"the record {name} as a value")
    for start in sorted(places, reverse=True):
        end, bind = places[start]
        text = text[:start] + bind + text[end:]
    return text

"""Oracle SQL and PL/SQL text as tokens with positions.

The one place that knows Oracle's lexical rules: quoting (q'[..]', N'..'), comments, hints, binds, number literals, which words are
reserved. The statement classifier, the SQL parser, DDL and PL/SQL all read these tokens, so a bind inside a literal or a comment
is never taken for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from oracle_mimic.errors import OracleError

MAX_IDENTIFIER_BYTES = 128

# Words that Oracle 19c reserves (V$RESERVED_WORDS with RESERVED = 'Y'): never an unquoted name of a column, table or alias.
_RESERVED_WORDS = """
    ACCESS ADD ALL ALTER AND ANY AS ASC AUDIT BETWEEN BY CHAR CHECK CLUSTER COLUMN COLUMN_VALUE COMMENT COMPRESS CONNECT CREATE
    CURRENT DATE DECIMAL DEFAULT DELETE DESC DISTINCT DROP ELSE EXCLUSIVE EXISTS FILE FLOAT FOR FROM GRANT GROUP HAVING IDENTIFIED
    IMMEDIATE IN INCREMENT INDEX INITIAL INSERT INTEGER INTERSECT INTO IS LEVEL LIKE LOCK LONG MAXEXTENTS MINUS MLSLABEL MODE
    MODIFY NESTED_TABLE_ID NOAUDIT NOCOMPRESS NOT NOWAIT NULL NUMBER OF OFFLINE ON ONLINE OPTION OR ORDER PCTFREE PRIOR PUBLIC RAW
    RENAME RESOURCE REVOKE ROW ROWID ROWNUM ROWS SELECT SESSION SET SHARE SIZE SMALLINT START SUCCESSFUL SYNONYM SYSDATE TABLE THEN
    TO TRIGGER UID UNION UNIQUE UPDATE USER VALIDATE VALUES VARCHAR VARCHAR2 VIEW WHENEVER WHERE WITH
"""
RESERVED = frozenset(_RESERVED_WORDS.split())

_HINTED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
_CLOSING = {"[": "]", "(": ")", "{": "}", "<": ">"}
_TWO = ("||", "<>", "!=", "^=", "~=", "<=", ">=", ":=", "=>", "**", "..", "<<", ">>")
_ONE = "()+-*/,.;=<>@%&|"
_BLANK = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_][\w$#]*")
# A number never swallows the dots of a PL/SQL range (1..10); f and d make it a BINARY_FLOAT or BINARY_DOUBLE.
_NUMBER = re.compile(r"(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?:[fFdD](?![\w$#]))?")
_QUOTED = re.compile(r'"([^"\0]*)"')
_STRING = re.compile(r"'((?:[^']|'')*)'")
_BIND = re.compile(r':\s*(?:(\d+)|"([^"]+)"|([^\W\d_][\w$#]*))')
_HINT_START = re.compile(r"/\*\+|--\+")


class TokenKind(Enum):
    WORD = "word"  # unquoted; value upper case
    QUOTED = "quoted name"  # value as written between the quotes
    STRING = "string"
    NATIONAL = "national string"
    NUMBER = "number"
    BIND = "bind"  # value: the name, upper case unless quoted; "1" for :1
    OP = "operator"
    HINT = "hint"  # only where Oracle reads one: after SELECT, INSERT, UPDATE, DELETE, MERGE; value without the marks
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `value` is its meaning, sql[start:end] its text."""

    kind: TokenKind
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind is TokenKind.WORD and self.value in words

    def is_op(self, *operators: str) -> bool:
        return self.kind is TokenKind.OP and self.value in operators


def tokenize(sql: str) -> list[Token]:
    """All tokens of a text, the last one of kind END.

    Errors: ORA-00911 invalid character, ORA-00972 name too long, ORA-01740/01741 bad quoted name, ORA-01742 open comment,
    ORA-01756 open string.
    """
    tokens: list[Token] = []
    position, length = 0, len(sql)
    while position < length:
        if match := _BLANK.match(sql, position):
            position = match.end()
            continue
        if sql.startswith(("/*", "--"), position):
            end = _comment_end(sql, position)
            if tokens and tokens[-1].is_word(*_HINTED) and _HINT_START.match(sql, position):
                text = sql[position + 3 : end].removesuffix("*/") if sql[position] == "/" else sql[position + 3 : end]
                tokens.append(Token(TokenKind.HINT, text.strip(), position, end))
            position = end
            continue
        token = _token(sql, position)
        tokens.append(token)
        position = token.end
    tokens.append(Token(TokenKind.END, "", length, length))
    return tokens


def identifier_name(text: str, *, offset: int = 0) -> str:
    """A name as the dictionary stores it, from its text: upper case unless in double quotes."""
    token = _token(text, 0)
    if token.kind not in (TokenKind.WORD, TokenKind.QUOTED) or token.end != len(text):
        raise OracleError(904, f"{text}: invalid identifier", offset=offset)
    return token.value


def _comment_end(sql: str, position: int) -> int:
    """Comments do not nest: the first */ ends one."""
    if sql[position] == "-":
        end = sql.find("\n", position)
        return len(sql) if end < 0 else end + 1
    end = sql.find("*/", position + 2)
    if end < 0:
        raise OracleError(1742, "comment not terminated properly", offset=position)
    return end + 2


def _token(sql: str, position: int) -> Token:
    char = sql[position]
    if (char in "'nNqQ") and (token := _string(sql, position)):
        return token
    if match := _WORD.match(sql, position):
        return Token(TokenKind.WORD, _checked(match[0].upper(), position), position, match.end())
    if (char.isdigit() or char == ".") and (match := _NUMBER.match(sql, position)):
        return Token(TokenKind.NUMBER, match[0], position, match.end())
    if char == '"':
        return _quoted(sql, position)
    if sql[position : position + 2] in _TWO:
        return Token(TokenKind.OP, sql[position : position + 2], position, position + 2)
    if char == ":" and (match := _BIND.match(sql, position)):
        name = match[1] or match[2] or match[3].upper()
        return Token(TokenKind.BIND, name, position, match.end())
    if char == ":":
        raise OracleError(911, "invalid character", offset=position)
    if char in _ONE:
        return Token(TokenKind.OP, char, position, position + 1)
    raise OracleError(911, "invalid character", offset=position)


def _string(sql: str, position: int) -> Token | None:
    """'..', N'..', q'[..]', nq'[..]', or None when these letters begin a name."""
    at = position
    national = sql[at] in "nN"
    at += national
    quoting = sql[at : at + 1] in ("q", "Q")
    at += quoting
    if sql[at : at + 1] != "'":
        return None
    kind = TokenKind.NATIONAL if national else TokenKind.STRING
    if quoting:
        opening = sql[at + 1 : at + 2]
        end = sql.find(_CLOSING.get(opening, opening) + "'", at + 2) if opening else -1
        if end < 0:
            raise OracleError(1756, "quoted string not properly terminated", offset=position)
        return Token(kind, sql[at + 2 : end], position, end + 2)
    match = _STRING.match(sql, at)
    if match is None:
        raise OracleError(1756, "quoted string not properly terminated", offset=position)
    return Token(kind, match[1].replace("''", "'"), position, match.end())


def _quoted(sql: str, position: int) -> Token:
    match = _QUOTED.match(sql, position)
    if match is None:
        raise OracleError(1740, "missing double quote in identifier", offset=position)
    if not match[1]:
        raise OracleError(1741, "illegal zero-length identifier", offset=position)
    return Token(TokenKind.QUOTED, _checked(match[1], position), position, match.end())


def _checked(name: str, position: int) -> str:
    if len(name) > MAX_IDENTIFIER_BYTES // 4 and len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise OracleError(972, "identifier is too long", offset=position)
    return name

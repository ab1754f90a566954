"""What the text of a statement alone tells: its kind and its binds (`StatementInfo`). Touches no data."""

from __future__ import annotations

from functools import lru_cache

from oracle_mimic.door import StatementInfo
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.lexer import Token, TokenKind, tokenize

_KINDS = {
    "query": ("SELECT", "WITH"),
    "dml": ("INSERT", "UPDATE", "DELETE", "MERGE"),
    "ddl": (
        "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "COMMENT", "GRANT", "REVOKE", "ANALYZE", "PURGE", "FLASHBACK",
        "AUDIT", "NOAUDIT", "ASSOCIATE", "DISASSOCIATE",
    ),
    "plsql": ("BEGIN", "DECLARE", "CALL"),
    "other": ("COMMIT", "ROLLBACK", "SAVEPOINT", "SET", "LOCK", "EXPLAIN"),
}  # fmt: skip
_KIND_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words}
_NO_DDL = ("SESSION", "SYSTEM")  # ALTER SESSION / SYSTEM neither commit nor change the dictionary


_KEPT_CHARACTERS = 20_000


def inspect(sql: str) -> StatementInfo:
    """Classify a statement and list its binds: per occurrence for SQL, per distinct name for PL/SQL.

    Errors: ORA-00900 for a first word that begins no statement, and the lexer's.
    """
    return _kept(sql) if len(sql) <= _KEPT_CHARACTERS else _inspected(sql)


def _inspected(sql: str) -> StatementInfo:
    tokens = tokenize(sql)
    first = next((i for i, token in enumerate(tokens) if not token.is_op("(")), 0)
    kind = _classify(tokens, first)
    binds = [i for i, token in enumerate(tokens) if token.kind is TokenKind.BIND]
    if kind == "plsql":
        return StatementInfo(kind, tuple(dict.fromkeys(tokens[i].value for i in binds)))
    if kind == "ddl":
        return StatementInfo(kind)  # :new in a trigger's body is no bind
    names = tuple(tokens[i].value for i in binds)
    returning = _returning_into(tokens) if kind == "dml" else len(tokens)
    return StatementInfo(kind, names, tuple(n for n, i in enumerate(binds) if i > returning))


_kept = lru_cache(maxsize=2048)(_inspected)


def _classify(tokens: list[Token], first: int) -> str:
    word = tokens[first]
    if word.is_op("<<"):
        return "plsql"
    kind = _KIND_BY_WORD.get(word.value) if word.kind is TokenKind.WORD else None
    if kind is None or (first and kind != "query"):
        raise OracleError(900, "invalid SQL statement", offset=word.start)
    if word.value == "ALTER" and tokens[first + 1].is_word(*_NO_DDL):
        return "other"
    return kind


def _returning_into(tokens: list[Token]) -> int:
    """Index of the INTO of a RETURNING clause: every bind after it gives values back. The length of the list without one."""
    seen = False
    for index, token in enumerate(tokens):
        if token.is_word("RETURNING", "RETURN"):
            seen = True
        elif seen and token.is_word("INTO"):
            return index
    return len(tokens)

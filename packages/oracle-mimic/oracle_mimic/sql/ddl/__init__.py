"""DDL: each statement is parsed into an action first, then the open transaction is committed, then the action changes a copy of the
dictionary (and the physical tables) in one DuckDB transaction.

A statement that cannot be parsed commits nothing; one that fails later has committed what was open, as in Oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.ddl import alter_table, comments, grants, indexes, profiles, sequences, synonyms, tables, users, views
from oracle_mimic.sql.ddl.change import Action, Change
from oracle_mimic.sql.parser.dml import DmlParser

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

Parser = Callable[["Session", DmlParser], Action]

_REFUSED_OBJECTS = (
    "TRIGGER", "PACKAGE", "TYPE", "DATABASE", "TABLESPACE", "DIRECTORY", "CLUSTER", "CONTEXT", "LIBRARY", "OPERATOR", "JAVA",
    "EDITION", "PROCEDURE", "FUNCTION", "MATERIALIZED",
)  # fmt: skip


def execute(session: Session, sql: str) -> None:
    """Run one DDL statement. ORA-009xx from the parser, ORA-16000 on a standby."""
    if session.database.standby:
        raise OracleError(16000, "database or pluggable database open for read-only access")
    parser = DmlParser(sql)
    action = _parse(session, parser)
    parser.take_op(";")
    parser.finish()
    session.commit()
    _apply(session, action)


def _apply(session: Session, action: Action) -> None:
    database = session.database
    with database.change_catalog(lambda catalog: action.prepare(session, catalog)) as (cursor, catalog):
        action.apply(Change(session, cursor, catalog))
    action.done(session)


def _parse(session: Session, parser: DmlParser) -> Action:
    word = parser.advance().value
    if word == "CREATE":
        return _create(session, parser)
    if word == "ALTER":
        return _by_object(session, parser, _ALTER, 940, "invalid ALTER command")
    if word == "DROP":
        return _by_object(session, parser, _DROP, 950, "invalid DROP option")
    if word == "TRUNCATE":
        parser.expect_word("TABLE")
        return tables.parse_truncate(parser)
    if word == "RENAME":
        return tables.parse_rename(parser)
    if word == "COMMENT":
        return comments.parse_comment(parser)
    if word == "GRANT":
        return grants.parse_grant(parser)
    if word == "REVOKE":
        return grants.parse_revoke(parser)
    if word == "ANALYZE":
        return tables.parse_analyze(parser)
    if word == "PURGE":
        return tables.parse_purge(parser)
    raise refused(f"statement {word}")


def _create(session: Session, parser: DmlParser) -> Action:
    replace = parser.take_words("OR", "REPLACE")
    for _ in range(3):
        parser.take_word("EDITIONABLE", "NONEDITIONABLE")
    if parser.at_words("GLOBAL", "TEMPORARY") or parser.at_words("PRIVATE", "TEMPORARY"):
        if parser.advance().value == "PRIVATE":
            raise refused("CREATE PRIVATE TEMPORARY TABLE")
        parser.advance()
        parser.expect_word("TABLE")
        return tables.parse_create(session, parser, temporary=True)
    if parser.take_word("TABLE"):
        return tables.parse_create(session, parser, temporary=False)
    force = parser.take_words("NO", "FORCE") is False and parser.take_word("FORCE") is not None
    if parser.take_word("VIEW"):
        return views.parse_create(parser, replace=replace, force=force)
    if parser.take_words("PUBLIC", "SYNONYM"):
        return synonyms.parse_create(parser, replace=replace, public=True)
    if parser.take_word("SYNONYM"):
        return synonyms.parse_create(parser, replace=replace, public=False)
    if parser.take_words("UNIQUE", "INDEX"):
        return indexes.parse_create(parser, unique=True)
    if parser.take_word("INDEX"):
        return indexes.parse_create(parser, unique=False)
    if parser.take_word("SEQUENCE"):
        return sequences.parse_create(parser)
    if parser.take_word("USER"):
        return users.parse_create_user(parser)
    if parser.take_word("ROLE"):
        return users.parse_create_role(parser)
    if parser.take_word("PROFILE"):
        return profiles.parse_create(parser)
    if parser.at_word(*_REFUSED_OBJECTS, "BITMAP", "PUBLIC", "SHARED"):
        raise refused(f"CREATE {parser.token.value}")
    raise OracleError(901, "invalid CREATE command", offset=parser.token.start)


def _by_object(session: Session, parser: DmlParser, handlers: dict[str, Parser], code: int, text: str) -> Action:
    for words, handler in handlers.items():
        if parser.take_words(*words.split()):
            return handler(session, parser)
    if parser.at_word(*_REFUSED_OBJECTS, "VIEW", "ROLE", "PUBLIC", "SYNONYM", "SESSION", "SYSTEM"):
        raise refused(f"this statement on {parser.token.value}")
    raise OracleError(code, text, offset=parser.token.start)


_ALTER: dict[str, Parser] = {
    "TABLE": lambda session, parser: alter_table.parse_alter(parser, char_semantics=session.has_char_semantics),
    "INDEX": lambda _, parser: indexes.parse_alter(parser),
    "SEQUENCE": lambda _, parser: sequences.parse_alter(parser),
    "USER": lambda _, parser: users.parse_alter_user(parser),
    "PROFILE": lambda _, parser: profiles.parse_alter(parser),
    "VIEW": lambda _, parser: views.parse_compile(parser),
}
_DROP: dict[str, Parser] = {
    "TABLE": lambda _, parser: tables.parse_drop(parser),
    "VIEW": lambda _, parser: views.parse_drop(parser),
    "PUBLIC SYNONYM": lambda _, parser: synonyms.parse_drop(parser, public=True),
    "SYNONYM": lambda _, parser: synonyms.parse_drop(parser, public=False),
    "INDEX": lambda _, parser: indexes.parse_drop(parser),
    "SEQUENCE": lambda _, parser: sequences.parse_drop(parser),
    "USER": lambda _, parser: users.parse_drop_user(parser),
    "ROLE": lambda _, parser: users.parse_drop_role(parser),
    "PROFILE": lambda _, parser: profiles.parse_drop(parser),
    "MATERIALIZED VIEW": lambda _, parser: views.parse_drop_materialized(parser),
}

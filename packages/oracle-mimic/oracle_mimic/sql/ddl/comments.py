"""COMMENT ON TABLE | COLUMN ... IS '...'."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.catalog import Table, View
from oracle_mimic.sql.ddl.change import Action, Change, ObjectName, object_name
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader

_MAX_BYTES = 4000


def parse_comment(reader: TokenReader) -> Action:
    """'' takes a comment away."""
    reader.expect_word("ON")
    column: str | None = None
    if reader.take_word("TABLE"):
        name = object_name(reader)
    elif reader.take_word("COLUMN"):
        parts = [reader.identifier().name]
        while reader.take_op("."):
            parts.append(reader.identifier().name)
        if len(parts) not in (2, 3):
            raise OracleError(904, "invalid identifier", offset=reader.token.start)
        column = parts[-1]
        name = ObjectName(parts[0] if len(parts) == 3 else None, parts[-2])
    else:
        raise refused(f"COMMENT ON {reader.token.value}", offset=reader.token.start)
    reader.expect_word("IS")
    if reader.token.kind not in (TokenKind.STRING, TokenKind.NATIONAL):
        raise reader.error(1780, "string literal required")
    text = reader.advance().value
    if len(text.encode()) > _MAX_BYTES:
        raise OracleError(1704, "string literal too long")
    return Action(lambda change: _comment(change, name, column, text or None))


def _comment(change: Change, name: ObjectName, column: str | None, text: str | None) -> None:
    owner = name.owner or change.session.current_schema
    found = change.catalog.get(owner, name.name)
    if not isinstance(found, (Table, View)):
        raise OracleError(942, "table or view does not exist")
    if not change.may(found, "COMMENT"):
        seen = change.privileges.sees(found)
        raise OracleError(1031, "insufficient privileges") if seen else OracleError(942, "table or view does not exist")
    if column is None:
        change.catalog.put(replace(found, comment=text))
        return
    if column not in {known.name for known in found.columns}:
        raise OracleError(904, f'"{column}": invalid identifier')
    if isinstance(found, Table):
        columns = tuple(replace(known, comment=text) if known.name == column else known for known in found.columns)
        change.catalog.put(replace(found, columns=columns))
    else:
        comments = {**found.column_comments, column: text or ""}
        change.catalog.put(replace(found, column_comments={known: value for known, value in comments.items() if value}))

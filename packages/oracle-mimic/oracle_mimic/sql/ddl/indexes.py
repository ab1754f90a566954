"""CREATE [UNIQUE] INDEX, ALTER INDEX, DROP INDEX: entries of the dictionary; unique ones are enforced."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import binder, engine_constraints
from oracle_mimic.sql.catalog import Index, IndexColumn, Table
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Action, Change, object_name
from oracle_mimic.sql.ddl.clauses import physical_clause
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.sql.relations import table_relation
from oracle_mimic.types import Kind

_MISSING = OracleError(1418, "specified index does not exist")


def _attributes(parser: DmlParser) -> tuple[dict[str, str], bool]:
    attributes: dict[str, str] = {}
    visible = True
    while True:
        if parser.take_word("ONLINE", "REVERSE", "SORT", "NOSORT", "VISIBLE", "LOCAL"):
            continue
        if parser.take_word("INVISIBLE"):
            visible = False
        elif parser.take_words("COMPUTE", "STATISTICS"):
            continue
        elif not physical_clause(parser, attributes):
            return attributes, visible


def parse_create(parser: DmlParser, *, unique: bool) -> Action:
    """CREATE INDEX name ON table (column | expression [ASC|DESC], ...)."""
    name = object_name(parser, 953, "missing or invalid index name")
    parser.expect_word("ON")
    table_name = object_name(parser)
    parser.expect_op("(")
    parts: list[IndexColumn] = []
    while True:
        start = parser.token.start
        parser.expression()
        text = parser.text_since(start)
        token = parser.tokens[parser.position - 1]
        simple = token.start == start and token.kind in (TokenKind.WORD, TokenKind.QUOTED)
        descending = parser.take_word("ASC", "DESC")
        parts.append(IndexColumn(token.value if simple else text, bool(descending and descending.value == "DESC"), not simple))
        if not parser.take_op(","):
            break
    parser.expect_op(")")
    attributes, visible = _attributes(parser)

    def apply(change: Change) -> None:
        owner = change.owner_of(name)
        table = change.find_table(table_name, privilege="INDEX")
        if owner != change.session.user:
            change.privileges.require_system("CREATE ANY INDEX")
        if (owner, name.name) in change.catalog.index_names:
            raise OracleError(955, "name is already used by an existing object")
        change.lock(table)
        _check_parts(change, table, parts, unique=unique)
        if change.session.database.ordinals(change.cursor, table):
            change.session.database.check_segment_space()
        index = Index(
            change.catalog.allot_object_id(), owner, name.name, change.moment, change.moment, table.object_id, tuple(parts), unique,
            attributes=attributes, visible=visible, index_type="FUNCTION-BASED NORMAL" if any(p.expression for p in parts) else "NORMAL",
        )  # fmt: skip
        if unique:
            key = engine_constraints.UniqueKey(index.name, tuple(part.text for part in parts))
            if engine_constraints.has_duplicates(change.cursor, table, key, change.session.database.registry.snapshot()):
                raise OracleError(1452, "cannot CREATE UNIQUE INDEX; duplicate keys found")
        change.put(index)
        change.catalog.put(replace(table, last_ddl=change.moment))

    return Action(apply)


def _check_parts(change: Change, table: Table, parts: list[IndexColumn], *, unique: bool) -> None:
    context = SessionContext(change.session, change.catalog)
    for part in parts:
        if part.expression:
            if unique:
                raise refused("unique index on an expression")
            binder.bind_expression(part.text, table_relation(table, 0), context)
            continue
        column = table.column(part.text)
        if column is None:
            raise OracleError(904, f'"{part.text}": invalid identifier')
        if column.type.kind in (Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.LONG, Kind.LONG_RAW):
            raise OracleError(2327, f"cannot create index on expression with datatype {column.type.kind.value}")
    names = [part.text for part in parts]
    for index in change.catalog.indexes_of(table.object_id):
        if [(p.text, p.descending) for p in index.columns] == [(p.text, p.descending) for p in parts] and index.visible:
            raise OracleError(1408, "such column list already indexed")
    if len({*names}) != len(names):
        raise OracleError(957, "duplicate column name")


def parse_drop(parser: DmlParser) -> Action:
    """DROP INDEX; ORA-02429 for one that enforces a key."""
    name = object_name(parser, 953, "missing or invalid index name")
    parser.take_word("ONLINE", "FORCE")

    def apply(change: Change) -> None:
        index = change.find(name, Index, _MISSING)
        change.require(index, "DROP")
        table = change.catalog.table(index.table_id)
        if any(c.index_id == index.object_id and c.enabled for c in table.constraints):
            raise OracleError(2429, "cannot drop index used for enforcement of unique/primary key")
        change.lock(table)
        change.catalog.remove(index.object_id)
        change.catalog.put(replace(table, last_ddl=change.moment))

    return Action(apply)


def parse_alter(parser: DmlParser) -> Action:
    """ALTER INDEX ... REBUILD | RENAME TO | [IN]VISIBLE | MONITORING | physical clauses. UNUSABLE is refused."""
    name = object_name(parser, 953, "missing or invalid index name")
    new_name: str | None = None
    if parser.take_words("RENAME", "TO"):
        new_name = parser.identifier(953, "missing or invalid index name").name
    elif parser.at_word("UNUSABLE"):
        raise refused("ALTER INDEX ... UNUSABLE", offset=parser.token.start)
    else:
        parser.take_word("REBUILD", "COALESCE")
        parser.take_word("MONITORING", "NOMONITORING")
        parser.take_word("USAGE")
    attributes, visible = _attributes(parser)

    def apply(change: Change) -> None:
        index = change.find(name, Index, _MISSING)
        change.require(index, "ALTER")
        if new_name is not None and (index.owner, new_name) in change.catalog.index_names:
            raise OracleError(955, "name is already used by an existing object")
        change.put(replace(index, name=new_name or index.name, attributes={**index.attributes, **attributes}, visible=visible))

    return Action(apply)

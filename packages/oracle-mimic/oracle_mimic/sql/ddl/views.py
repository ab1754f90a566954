"""CREATE [OR REPLACE] [FORCE] VIEW, DROP VIEW, ALTER VIEW COMPILE. A view is kept as text and bound anew wherever it is read."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import binder
from oracle_mimic.sql.catalog import View
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Action, Change, object_name
from oracle_mimic.sql.ddl.columns import parse_constraint
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.types import Column

_MISSING = OracleError(942, "table or view does not exist")


def parse_create(parser: DmlParser, *, replace: bool, force: bool) -> Action:
    """CREATE VIEW; the caller has read OR REPLACE and FORCE."""
    name = object_name(parser)
    aliases: list[str] = []
    if parser.take_op("("):
        while True:
            if parser.at_word("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN"):
                parse_constraint(parser)  # only DISABLE NOVALIDATE is allowed there: information, not a rule
            else:
                aliases.append(parser.identifier().name)
                parser.take_word("VISIBLE")
            if not parser.take_op(","):
                break
        parser.expect_op(")")
    if parser.take_word("BEQUEATH"):
        if parser.take_word("CURRENT_USER"):
            raise refused("BEQUEATH CURRENT_USER")
        parser.expect_word("DEFINER")
    parser.expect_word("AS")
    start = parser.token.start
    parser.query()
    text = parser.text_since(start)
    read_only = check_option = False
    if parser.take_word("WITH"):
        if parser.take_words("READ", "ONLY"):
            read_only = True
        else:
            parser.expect_word("CHECK")
            parser.expect_word("OPTION")
            check_option = True
        if parser.take_word("CONSTRAINT"):
            parser.identifier()

    def apply(change: Change) -> None:
        owner = change.owner_of(name)
        change.require_create(owner, "VIEW")
        old = change.catalog.get(owner, name.name)
        if old is not None and not (replace and isinstance(old, View)):
            raise OracleError(955, "name is already used by an existing object")
        columns, valid = _described(change, owner, text, tuple(aliases), force=force)
        object_id = old.object_id if old is not None else change.catalog.allot_object_id()
        created = old.created if old is not None else change.moment
        change.put(View(object_id, owner, name.name, created, change.moment, text, columns, tuple(aliases), read_only, check_option, valid))

    return Action(apply)


def _described(change: Change, owner: str, text: str, aliases: tuple[str, ...], *, force: bool) -> tuple[tuple[Column, ...], bool]:
    """The view's columns, as its owner would see them; with FORCE a text that cannot be bound gives an invalid view."""
    context = SessionContext(change.session, change.catalog, user=owner, schema=owner)
    try:
        bound = binder.bind_query(text, (), context)
    except OracleError:
        if not force:
            raise
        return (), False
    if aliases and len(aliases) != len(bound.columns):
        raise OracleError(1730, "invalid number of column names specified")
    names = aliases or tuple(column.name for column in bound.columns)
    for position, name in enumerate(names):
        if name in names[:position]:
            raise OracleError(957, "duplicate column name")
        if not aliases and any(character in "(+-*/|' ," for character in name):
            raise OracleError(998, "must name this expression with a column alias")
    columns = tuple(Column(name, column.type, column.nullable) for name, column in zip(names, bound.columns, strict=True))
    return columns, True


def parse_drop(parser: DmlParser) -> Action:
    """DROP VIEW."""
    name = object_name(parser)
    parser.take_words("CASCADE", "CONSTRAINTS")

    def apply(change: Change) -> None:
        view = change.find(name, View, _MISSING)
        if not change.may(view, "DROP"):
            raise OracleError(1031, "insufficient privileges") if change.privileges.sees(view) else _MISSING
        change.catalog.remove(view.object_id)
        change.catalog.drop_grants(view.owner, view.name)

    return Action(apply)


def parse_drop_materialized(parser: DmlParser) -> Action:
    """DROP MATERIALIZED VIEW: there can be none. ORA-12003."""
    name = object_name(parser)
    parser.take_words("PRESERVE", "TABLE")

    def apply(change: Change) -> None:
        owner = name.owner or change.session.current_schema
        raise OracleError(12003, f'materialized view or zonemap "{owner}"."{name.name}" does not exist')

    return Action(apply)


def parse_compile(parser: DmlParser) -> Action:
    """ALTER VIEW ... COMPILE: describe it again."""
    name = object_name(parser)
    if not parser.take_word("COMPILE"):
        raise refused("this form of ALTER VIEW", offset=parser.token.start)

    def apply(change: Change) -> None:
        view = change.find(name, View, _MISSING)
        change.require(view, "DROP")
        columns, valid = _described(change, view.owner, view.text, view.aliases, force=True)
        change.put(replace(view, columns=columns or view.columns, valid=valid))

    return Action(apply)

"""From Oracle's statements to DuckDB's: typed translation of queries and DML.

The binder walks Oracle's own syntax tree. Every expression becomes a `Typed` (made by `expressions`), every name is resolved against
the relations that the session offers, and the result is one of the dataclasses of `bound`. What has no rule here is refused by name.
A translation depends on the text, the binds' types and carriers, the catalog, the session's user, schema and NLS: nothing else, so
the session may keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.body import Body
from oracle_mimic.sql.binder.merge import MergeBinder
from oracle_mimic.sql.binder.names import VARIABLE_PREFIX
from oracle_mimic.sql.binder.queries import Outer
from oracle_mimic.sql.binder.scope import Scope, table_source
from oracle_mimic.sql.bound import BindContext, BindSlot, BoundDml, BoundMultiInsert, BoundQuery, Relation, Typed
from oracle_mimic.sql.parser import parse_condition, parse_expression, parse_query, parse_statement
from oracle_mimic.sql.syntax import Delete, Dml, Insert, InsertAll, Query, Update
from oracle_mimic.types import Column, OracleType


def bind(sql: str, binds: Sequence[BindSlot], ctx: BindContext, *, array: bool = False) -> BoundQuery | BoundDml | BoundMultiInsert:
    """Translate one query or DML statement. A query's columns have the shapes that cross the door.

    array: DML runs once for many executions; binds are the columns of the relation `binds`, and the rows carry `execution`.
    """
    statement = parse_statement(sql)
    try:
        if isinstance(statement, Query):
            return _bound_query(statement, sql, binds, ctx, output=True)
        return _bound_dml(statement, MergeBinder(sql, binds, ctx, array=array))
    except RecursionError as error:
        raise refused("an expression nested this deeply") from error


def bind_query(sql: str, binds: Sequence[BindSlot], ctx: BindContext) -> BoundQuery:
    """Translate a query whose rows stay in the SQL room, in the carriers of their types: a view's, or that of CREATE TABLE AS."""
    return _bound_query(parse_query(sql), sql, binds, ctx, output=False)


def bind_default(sql: str, type_: OracleType, ctx: BindContext) -> Typed:
    """A column's DEFAULT, converted as an assignment to the column; ORA-00984 for a column in it."""
    binder = MergeBinder(sql, (), ctx)
    try:
        value = binder.value(parse_expression(sql), Scope(clause="VALUES"))
    except OracleError as error:
        if error.code == 904:
            raise OracleError(984, "column not allowed here", offset=error.offset) from error
        raise
    return expressions.assign(value, type_, ctx)


def bind_check(sql: str, relation: Relation, ctx: BindContext) -> str:
    """A CHECK condition over a row whose columns are the relation's physical names, without a qualifier."""
    binder = MergeBinder(sql, (), ctx)
    source = table_source("", relation, relation.name, relation.owner)
    for column in source.columns:
        column.typed = _unqualified(column.typed)
    return binder.condition(parse_condition(sql), Scope(sources=[source], clause="WHERE"))


def bind_expression(sql: str, relation: Relation, ctx: BindContext) -> Typed:
    """A value over a row, as `bind_check`: an index expression or a virtual column."""
    binder = MergeBinder(sql, (), ctx)
    source = table_source("", relation, relation.name, relation.owner)
    for column in source.columns:
        column.typed = _unqualified(column.typed)
    return binder.value(parse_expression(sql), Scope(sources=[source], clause="VALUES"))


def _unqualified(typed: Typed) -> Typed:
    return replace(typed, sql=typed.sql.removeprefix("."))


def _bound_query(query: Query, sql: str, binds: Sequence[BindSlot], ctx: BindContext, *, output: bool) -> BoundQuery:
    binder = MergeBinder(sql, binds, ctx)
    outer = Outer(output=output)
    body = binder.query(query, None, outer)
    columns, carriers = _described(body)
    lock = outer.lock
    if lock is None:
        return BoundQuery(body.sql, columns, carriers, dict(ctx.parameters))
    return BoundQuery(body.sql, columns, carriers, dict(ctx.parameters), lock.wait, True, lock.object_ids)


def _described(body: Body) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    columns = tuple(Column(column.name, column.typed.type, column.typed.nullable) for column in body.columns)
    return columns, tuple(column.typed.carrier for column in body.columns)


def _bound_dml(statement: Dml, binder: MergeBinder) -> BoundDml | BoundMultiInsert:
    match statement:
        case Insert():
            return binder.insert(statement)
        case InsertAll():
            return binder.insert_all(statement)
        case Update():
            return binder.update(statement)
        case Delete():
            return binder.delete(statement)
        case _:
            return binder.merge(statement)


__all__ = ["VARIABLE_PREFIX", "bind", "bind_check", "bind_default", "bind_expression", "bind_query"]

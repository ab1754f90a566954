"""PIVOT and UNPIVOT as plain queries over the relation they stand behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.scope import Scope, quoted, table_source
from oracle_mimic.sql.bound import Relation, RelationColumn, Typed
from oracle_mimic.sql.syntax import Call, Name, Pivot, Star, Unpivot, UnpivotValue
from oracle_mimic.types import OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.binder.values import ValueBinder


def pivoted(binder: ValueBinder, relation: Relation, node: Pivot | Unpivot, outer: Scope) -> Relation:
    """The relation that PIVOT or UNPIVOT makes of another."""
    if isinstance(node, Pivot):
        return _pivot(binder, relation, node, outer)
    return _unpivot(binder, relation, node, outer)


def _scope(binder: ValueBinder, relation: Relation, outer: Scope) -> tuple[Scope, str]:
    alias = binder.alias("p")
    scope = Scope(parent=outer.parent, sources=[table_source(alias, relation, None, None)], clause="SELECT")
    return scope, alias


def _pivot(binder: ValueBinder, relation: Relation, node: Pivot, outer: Scope) -> Relation:
    """GROUP BY every column that is not named in the clause; one aggregate for each listed value, over the rows that have it."""
    scope, alias = _scope(binder, relation, outer)
    used = {column.name for column in node.columns}
    for aggregate in node.aggregates:
        used |= {part.parts[-1].name for part in aggregate.call.arguments if isinstance(part, Name)}
    kept = [column for column in scope.sources[0].columns if column.name not in used and not column.hidden]
    columns: list[tuple[str, Typed]] = [(column.name, column.typed) for column in kept]
    keys = [binder.value(Name((column,)), scope) for column in node.columns]
    if len(node.aggregates) > 1 and any(aggregate.alias is None for aggregate in node.aggregates):
        raise OracleError(918, "column ambiguously defined", offset=node.start)
    for value in node.values:
        if len(value.values) != len(keys):
            raise OracleError(56901, "non-constant expression is not allowed for pivot|unpivot values", offset=value.start)
        literals = [binder.value(item, scope) for item in value.values]
        tests = [
            expressions.compare("=", key, literal, binder.ctx) if not literal.is_null_literal else expressions.is_null(key)
            for key, literal in zip(keys, literals, strict=True)
        ]
        label = value.alias.name if value.alias is not None else "_".join(binder.text_of(item) for item in value.values)
        for aggregate in node.aggregates:
            typed = _aggregate(binder, aggregate.call, " AND ".join(tests), scope)
            name = label if aggregate.alias is None else f"{label}_{aggregate.alias.name}"
            columns.append((name, typed))
    grouped = ", ".join(expressions.group_key(column.typed) for column in kept)
    group_by = f" GROUP BY {grouped}" if kept else ""
    return _relation(columns, f"FROM {relation.sql} AS {alias}{group_by}")


def _aggregate(binder: ValueBinder, call: Call, test: str, scope: Scope) -> Typed:
    """An aggregate over the rows that meet a test: the others count as NULL."""
    name = call.name[-1].name
    if not expressions.is_aggregate(name):
        raise OracleError(56902, "expect aggregate function inside pivot operation", offset=call.start)
    if call.within_group or call.keep_order or call.window:
        raise refused(f"{name} with this clause inside PIVOT", offset=call.start)
    starred = any(isinstance(argument, Star) for argument in call.arguments)
    arguments = [expressions.literal_number("1")] if starred else binder.values(call.arguments, scope)
    arguments[0] = replace(arguments[0], sql=f"(CASE WHEN {test} THEN {arguments[0].sql} END)", nullable=True, literal=None)
    return expressions.call(name, arguments, binder.ctx, distinct=call.distinct)


def _unpivot(binder: ValueBinder, relation: Relation, node: Unpivot, outer: Scope) -> Relation:
    """One copy of the rows for each listed column; rows whose values are all NULL are left out unless INCLUDE NULLS."""
    scope, alias = _scope(binder, relation, outer)
    inputs = [[binder.value(Name((column,)), scope) for column in item.columns] for item in node.inputs]
    if any(len(item) != len(node.values) for item in inputs):
        raise OracleError(56903, "sys_op_pivot function is not allowed here", offset=node.start)
    types = [_common_type([item[i] for item in inputs], binder) for i in range(len(node.values))]
    carriers = [expressions.common_carrier([item[i] for item in inputs], type_) for i, type_ in enumerate(types)]
    labels = [_labels(binder, item, scope) for item in node.inputs]
    if any(len(label) != len(node.labels) for label in labels):
        raise refused("UNPIVOT with labels for some columns only", offset=node.start)
    label_types = [expressions.common_type([label[i] for label in labels], binder.ctx) for i in range(len(node.labels))]
    label_carriers = [expressions.common_carrier([label[i] for label in labels], type_) for i, type_ in enumerate(label_types)]
    used = {column.name for item in node.inputs for column in item.columns}
    kept = [column for column in scope.sources[0].columns if column.name not in used and not column.hidden]
    branches: list[str] = []
    columns: list[tuple[str, Typed]] = []
    for label, item in zip(labels, inputs, strict=True):
        made = [expressions.convert(x, t, c, binder.ctx) for x, t, c in zip(label, label_types, label_carriers, strict=True)]
        values = [expressions.convert(x, t, c, binder.ctx) for x, t, c in zip(item, types, carriers, strict=True)]
        columns = [(column.name, column.typed) for column in kept]
        columns += [(name.name, typed) for name, typed in zip(node.labels, made, strict=True)]
        columns += [(name.name, replace(typed, nullable=True)) for name, typed in zip(node.values, values, strict=True)]
        present = "" if node.include_nulls else " WHERE " + " OR ".join(expressions.is_null(v, negated=True) for v in values)
        branches.append(_select(columns) + f" FROM {relation.sql} AS {alias}{present}")
    return replace(_relation(columns, ""), sql="(" + " UNION ALL ".join(branches) + ")")


def _common_type(items: list[Typed], binder: ValueBinder) -> OracleType:
    """ORA-01790 when the columns do not mix."""
    try:
        return expressions.common_type(items, binder.ctx)
    except OracleError as error:
        raise OracleError(1790, "expression must have same datatype as corresponding expression") from error


def _labels(binder: ValueBinder, item: UnpivotValue, scope: Scope) -> list[Typed]:
    if item.labels:
        return [binder.value(label, scope) for label in item.labels]
    return [expressions.literal_string("_".join(column.name for column in item.columns))]


def _select(columns: list[tuple[str, Typed]]) -> str:
    return "SELECT " + ", ".join(f"{typed.sql} AS {quoted(f'c{number}')}" for number, (_, typed) in enumerate(columns))


def _relation(columns: list[tuple[str, Typed]], rest: str) -> Relation:
    made = tuple(
        RelationColumn(name, typed.type, typed.carrier, f"c{number}", typed.nullable) for number, (name, typed) in enumerate(columns)
    )
    return Relation(f"({_select(columns)} {rest})", made)

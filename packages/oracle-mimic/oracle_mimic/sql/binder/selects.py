"""One SELECT block: select list, WHERE with ROWNUM, CONNECT BY, GROUP BY, HAVING, DISTINCT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.body import Body, OutputColumn
from oracle_mimic.sql.binder.hierarchy import HierarchyBinder
from oracle_mimic.sql.binder.rownum import is_rownum, mentions_rownum, row_limit
from oracle_mimic.sql.binder.scope import GroupKey, Scope
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.expressions.derive import same_text
from oracle_mimic.sql.lexer import tokenize
from oracle_mimic.sql.syntax import (
    Call,
    Condition,
    DerivedTable,
    Exists,
    Expression,
    Grouping,
    Identifier,
    Name,
    Node,
    OrderItem,
    Query,
    ScalarQuery,
    Select,
    SelectItem,
    Star,
)
from oracle_mimic.sql.walk import conjuncts, transform, walk
from oracle_mimic.types import Kind, OracleType

ROWNUM_TYPE = OracleType(Kind.NUMBER)
MAX_COLUMN_NAME = 128


@dataclass(slots=True)
class BoundSelect:
    """A SELECT block whose clauses are bound and whose text is still to be put together."""

    scope: Scope
    items: list[OutputColumn]
    tail: str  # FROM .. HAVING
    distinct: bool = False
    limit: str = ""  # of a condition on ROWNUM, when nothing else needs the numbers

    def columns(self) -> tuple[OutputColumn, ...]:
        return tuple(self.items)

    def check_grouping(self) -> None:
        """ORA-00979 and ORA-00937: in a grouped block every column is in GROUP BY or inside an aggregate."""
        scope = self.scope
        if (scope.grouped or scope.has_aggregates) and scope.loose:
            code, text = (979, "not a GROUP BY expression") if scope.grouped else (937, "not a single-group group function")
            raise OracleError(code, text, offset=scope.loose[0].offset)

    def text(self, values: list[str], rowids: list[Typed], extra: list[str] | None = None) -> str:
        """SELECT .. as DuckDB text, with columns c0.., ROWIDs r0.. and whatever else is asked for."""
        selected = [f"{value} AS c{number}" for number, value in enumerate(values)]
        selected += [f"{typed.sql} AS r{number}" for number, typed in enumerate(rowids)]
        selected += extra or []
        return f"SELECT {self._distinct()}{', '.join(selected)} FROM {self.tail}{self.limit}"

    def _distinct(self) -> str:
        if not self.distinct:
            return ""
        keys = [expressions.group_key(item.typed) for item in self.items]
        return "DISTINCT " if keys == [item.typed.sql for item in self.items] else f"DISTINCT ON ({', '.join(keys)}) "

    def body(self) -> Body:
        return Body(self.text([item.typed.sql for item in self.items], []), self.columns())


class SelectBinder(HierarchyBinder):
    """Binds SELECT blocks; a part of the binder."""

    def select(
        self, node: Select, parent: Scope, order_by: tuple[OrderItem, ...] = (), *, plain: bool = False, siblings: bool = False
    ) -> BoundSelect:
        """Bind every clause of a block; ORDER BY and what follows it are added by the query around it.

        plain: nothing follows. siblings: ORDER BY orders the children of each row of a hierarchy, here and not around.
        """
        if node.group_by and (nested := self._nested_aggregates(node)) is not None:
            node = nested
        scope = Scope(parent=parent)
        source, conditions = self.from_clause(node.from_, conjuncts(node.where), scope)
        numbered = [condition for condition in conditions if mentions_rownum(condition)]
        others = [condition for condition in conditions if condition not in numbered]
        if node.hierarchy is not None:
            parts = [node.where] if node.where is not None else []
            carrying = [part for clause in (*parts, *self._clauses(node, order_by)) for part in walk(clause)]
            source, others = self.hierarchy(node.hierarchy, source, others, scope, used=carrying, siblings=siblings)
        tail = source + self._where(others, scope)
        limit = self._row_limit(numbered, scope)
        if not (plain and self._rows_as_they_come(node)):
            tail, limit = self._numbered(node, order_by, tail, limit, scope), ""
        grouping = self._group_by(node.group_by, scope)
        scope.clause = "SELECT"
        items = [column for item in node.items for column in self._item(item, scope)]
        having = ""
        if node.having is not None:
            scope.clause = "HAVING"
            having = f" HAVING {self.condition(node.having, scope)}"
            scope.has_aggregates = True
        return BoundSelect(scope, items, tail + grouping + having, node.distinct, limit)

    def _where(self, conditions: list[Condition], scope: Scope) -> str:
        scope.clause = "WHERE"
        if not conditions:
            return ""
        return " WHERE " + " AND ".join(self.condition(condition, scope) for condition in conditions)

    def _row_limit(self, conditions: list[Condition], scope: Scope) -> str:
        """LIMIT for the conditions on ROWNUM."""
        if not conditions:
            return ""
        outer = Scope(parent=scope.parent, clause="WHERE")
        return f" LIMIT {row_limit(conditions, lambda node: self.value(node, outer), self.ctx)}"

    def _rows_as_they_come(self, node: Select) -> bool:
        """True when a row of FROM and WHERE is a row of the result and its number is not asked for."""
        if node.distinct or node.group_by or node.having is not None or node.hierarchy is not None:
            return False
        for part in self._after_where(node, ()):
            if isinstance(part, Name) and is_rownum(part):
                return False
            if isinstance(part, Call) and (part.window is not None or expressions.is_aggregate(part.name[-1].name)):
                return False
        return True

    def _numbered(self, node: Select, order_by: tuple[OrderItem, ...], tail: str, limit: str, scope: Scope) -> str:
        """ROWNUM: the rows that met the other conditions are counted in a query of their own."""
        scope.loose.clear()
        if not limit and not any(isinstance(part, Name) and is_rownum(part) for part in self._after_where(node, order_by)):
            return tail
        alias = self.alias("n")
        selected = ", ".join(text for text, _ in scope.remap(alias))
        scope.rownum = Typed(f"{alias}.rn", ROWNUM_TYPE, "DECIMAL(19,0)", nullable=False)
        return f"(SELECT {selected}, CAST(row_number() OVER () AS DECIMAL(19,0)) AS rn FROM {tail}{limit}) AS {alias}"

    def _clauses(self, node: Select, order_by: tuple[OrderItem, ...]) -> list[Node]:
        """The clauses that come after WHERE."""
        return [*node.items, *order_by, *node.group_by, *([node.having] if node.having is not None else [])]

    def _after_where(self, node: Select, order_by: tuple[OrderItem, ...]) -> list[Node]:
        """The nodes of the clauses that come after WHERE."""
        return [part for clause in self._clauses(node, order_by) for part in walk(clause)]

    def _nested_aggregates(self, node: Select) -> Select | None:
        """MAX(COUNT(*)) .. GROUP BY: the outer aggregates over a query of the inner ones. None when there is no such thing."""
        inner: list[SelectItem] = []

        def is_aggregate(part: Node) -> bool:
            return isinstance(part, Call) and part.window is None and expressions.is_aggregate(part.name[-1].name)

        def taken_out(part: Node) -> Node:
            if not isinstance(part, Call) or not is_aggregate(part):
                return part
            name = Identifier(f"NESTED{len(inner)}", start=part.start, end=part.end)
            inner.append(SelectItem(part, name, start=part.start, end=part.end))
            return Name((name,), start=part.start, end=part.end)

        def changed(part: Node) -> Node:
            if not isinstance(part, Call) or not is_aggregate(part):
                return part
            return replace(part, arguments=tuple(transform(argument, taken_out) for argument in part.arguments))

        def is_nested(part: Node) -> bool:
            return isinstance(part, Call) and is_aggregate(part) and any(is_aggregate(a) for arg in part.arguments for a in walk(arg))

        nested = [part for item in node.items for part in walk(item) if is_nested(part)]
        if not nested:
            return None
        for part in nested:
            if any(inside is not part and is_nested(inside) for inside in walk(part)):
                raise OracleError(935, "group function is nested too deeply", offset=part.start)
        items = tuple(replace(item, expression=_outermost(item.expression, is_aggregate, changed)) for item in node.items)
        for part in (part for item in items for part in walk(item) if isinstance(part, Name)):
            if not part.parts[0].name.startswith("NESTED"):
                raise OracleError(937, "not a single-group group function", offset=part.start)
        query = Query(replace(node, items=tuple(inner)), start=node.start, end=node.end)
        return Select(items, (DerivedTable(query, start=node.start, end=node.end),), start=node.start, end=node.end)

    # The select list

    def _item(self, item: SelectItem, scope: Scope) -> list[OutputColumn]:
        node = item.expression
        if isinstance(node, Star):
            qualifier = tuple(part.name for part in node.qualifier)
            columns = list(scope.star(qualifier))
            for column in columns:
                self._used(column.typed, (column.name,), item.start, scope)
            return [OutputColumn(column.name, scope.group_key(column.typed.sql) or column.typed) for column in columns]
        typed = self.value(node, scope)
        return [OutputColumn(self._column_name(item), typed)]

    def _column_name(self, item: SelectItem) -> str:
        """The alias, a column's own name, or the text: upper case, without blanks and comments."""
        if item.alias is not None:
            return item.alias.name
        if isinstance(item.expression, Name):
            return item.expression.parts[-1].name
        tokens = tokenize(self.text_of(item))
        text = "".join("".join(self.text_of(item)[token.start : token.end].split()) for token in tokens).upper()
        return text.encode()[:MAX_COLUMN_NAME].decode(errors="ignore")

    # GROUP BY

    def _group_by(self, groups: tuple[Grouping, ...], scope: Scope) -> str:
        scope.loose.clear()
        if not groups:
            return ""
        scope.clause = "GROUP BY"
        texts: list[str] = []
        keys: dict[str, GroupKey] = {}
        for group in groups:
            sets = [[self._group_key(expression, scope, keys, group) for expression in part] for part in group.sets]
            if group.kind is None:
                texts.extend(key for part in sets for key in part)
                if not any(sets):
                    texts.append("()")
            else:
                inner = ", ".join(f"({', '.join(part)})" for part in sets)
                texts.append(f"{group.kind} ({inner})")
        scope.grouped = True
        scope.group_keys = keys
        scope.loose.clear()
        return f" GROUP BY {', '.join(texts)}"

    def _group_key(self, node: Expression, scope: Scope, keys: dict[str, GroupKey], group: Grouping) -> str:
        if any(isinstance(part, (ScalarQuery, Exists)) for part in walk(node)):
            raise OracleError(22818, "Subquery expressions not allowed here", offset=node.start)
        typed = self.value(node, scope)
        key = expressions.group_key(typed)
        nullable = typed.nullable or group.kind is not None
        # Values of one group may look different (time zones): any of them stands for it.
        standing = typed if key == typed.sql else replace(typed, sql=f"any_value({typed.sql})")
        keys[same_text(typed.sql)] = GroupKey(replace(standing, nullable=nullable), key)
        return key


def _outermost(node: Expression, test: Callable[[Node], bool], change: Callable[[Node], Node]) -> Expression:
    """A copy in which the outermost nodes that pass a test are changed."""
    if test(node):
        result: Any = change(node)
        return result  # type: ignore[no-any-return]  # a call stays a call
    values = {field.name: _outermost_value(getattr(node, field.name), test, change) for field in fields(node)}
    return replace(node, **values)


def _outermost_value(value: Any, test: Callable[[Node], bool], change: Callable[[Node], Node]) -> Any:
    if isinstance(value, Expression):
        return _outermost(value, test, change)
    if isinstance(value, tuple):
        return tuple(_outermost_value(item, test, change) for item in value)
    return value

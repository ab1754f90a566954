"""Queries: WITH, SELECT blocks, set operations, ORDER BY, OFFSET/FETCH, FOR UPDATE."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.body import Body, OutputColumn
from oracle_mimic.sql.binder.rownum import count_of
from oracle_mimic.sql.binder.scope import Scope
from oracle_mimic.sql.binder.selects import BoundSelect, SelectBinder
from oracle_mimic.sql.bound import Relation, RelationColumn, Typed
from oracle_mimic.sql.expressions.derive import same_text
from oracle_mimic.sql.syntax import (
    CommonTable,
    Expression,
    Fetch,
    ForUpdate,
    Name,
    NumberLiteral,
    OrderItem,
    Query,
    QueryBody,
    Select,
    SetOperation,
    Table,
)  # fmt: skip
from oracle_mimic.sql.walk import walk

_SQL_OPERATOR = {"UNION": "UNION", "UNION ALL": "UNION ALL", "MINUS": "EXCEPT", "INTERSECT": "INTERSECT"}


@dataclass(frozen=True, slots=True)
class Lock:
    """FOR UPDATE: the ROWID columns that were added, the tables they are of, and how long to wait."""

    object_ids: tuple[int, ...]
    wait: int | None


@dataclass(slots=True)
class Outer:
    """What the outermost query is bound for. output: its columns take the shapes that cross the door."""

    output: bool = False
    lock: Lock | None = None
    columns: list[Typed] = field(default_factory=list)


class QueryBinder(SelectBinder):
    """Binds queries; a part of the binder."""

    def subquery(self, query: Query, scope: Scope) -> Body:
        """A query inside another statement."""
        if query.for_update is not None:
            raise OracleError(907, "missing right parenthesis", offset=query.for_update.start)
        return self.query(query, scope, Outer())

    def scalar_query(self, query: Query, scope: Scope) -> Typed:
        body = self.subquery(query, scope)
        if len(body.columns) > 1:
            raise OracleError(913, "too many values", offset=query.start)
        return replace(body.columns[0].typed, sql=f"({body.sql})", nullable=True, literal=None, aggregate=False, windowed=False)

    def query(self, query: Query, parent: Scope | None, outer: Outer) -> Body:
        """A whole query with its WITH and ORDER BY."""
        scope = Scope(parent=parent)
        prefix = self._with(query.with_, scope)
        if isinstance(query.body, Select):
            body = self._ordered_select(query.body, query, scope, outer)
        elif isinstance(query.body, Query) and query.order_by == () and query.fetch is None and query.for_update is None:
            body = self.query(query.body, scope, outer)
        else:
            body = self._ordered_set(query, scope, outer)
        return replace(body, sql=prefix + body.sql)

    # WITH

    def _with(self, tables: tuple[CommonTable, ...], scope: Scope) -> str:
        texts: list[str] = []
        recursive = False
        for table in tables:
            if table.name.name in scope.common_tables:
                raise OracleError(32031, "illegal reference of a query name in WITH clause", offset=table.name.start)
            names = [column.name for column in table.columns]
            if len(set(names)) < len(names):
                raise OracleError(957, "duplicate column name", offset=table.start)
            alias = self.alias("w")
            if any(isinstance(node, Table) and node.parts[-1].name == table.name.name and len(node.parts) == 1
                   for node in walk(table.query, into_queries=True)):  # fmt: skip
                body = self._recursive(table, alias, scope)
                recursive = True
            else:
                body = self.subquery(table.query, scope)
            scope.common_tables[table.name.name] = self._common_relation(table, body, alias)
            texts.append(f"{alias} AS ({body.sql})")
        if not texts:
            return ""
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(texts)} "

    def _common_relation(self, table: CommonTable, body: Body, alias: str) -> Relation:
        if table.columns and len(table.columns) != len(body.columns):
            raise OracleError(32038, "number of WITH clause column names does not match number of elements in select list",
                              offset=table.start)  # fmt: skip
        names = [name.name for name in table.columns] or [column.name for column in body.columns]
        columns = tuple(
            RelationColumn(name, column.typed.type, column.typed.carrier, f"c{number}", column.typed.nullable)
            for number, (name, column) in enumerate(zip(names, body.columns, strict=True))
        )
        return Relation(alias, columns)

    def _recursive(self, table: CommonTable, alias: str, scope: Scope) -> Body:
        """anchor UNION ALL recursive branch: the anchor's types hold for both."""
        if not table.columns:
            raise OracleError(32039, "recursive WITH clause must have column alias list", offset=table.start)
        operation = table.query.body
        plain = not (table.query.order_by or table.query.fetch or table.query.with_)
        if not isinstance(operation, SetOperation) or operation.operator != "UNION ALL" or not plain:
            raise OracleError(32040, "recursive WITH clause must use a UNION ALL operation", offset=table.start)
        anchor = self._branch(operation.left, scope)
        columns = tuple(replace(column, typed=replace(column.typed, nullable=True)) for column in anchor.columns)
        inner = Scope(parent=scope, common_tables={table.name.name: self._common_relation(table, replace(anchor, columns=columns), alias)})
        branch = self._branch(operation.right, inner)
        if len(branch.columns) != len(columns):
            raise OracleError(1789, "query block has incorrect number of result columns", offset=operation.start)
        targets = [column.typed for column in columns]
        return Body(f"{anchor.sql} UNION ALL {self._converted(branch, targets)}", columns)

    # SELECT with the clauses around it

    def _ordered_select(self, node: Select, query: Query, scope: Scope, outer: Outer) -> Body:
        plain = not query.order_by and query.fetch is None and query.for_update is None
        siblings = query.order_siblings
        if siblings and node.hierarchy is None:
            raise OracleError(30929, "ORDER SIBLINGS BY clause not allowed here", offset=query.order_by[0].start)
        select = self.select(node, scope, query.order_by, plain=plain, siblings=siblings)
        keys = self._order_keys(() if siblings else query.order_by, select)
        if query.for_update is not None:
            self._lock(query.for_update, query, select, outer)
        limit = self._fetch(query.fetch, select.scope)
        if query.fetch is not None and (query.fetch.with_ties or query.fetch.percent):
            return self._fetched(query.fetch, select, keys, outer)
        shaped = [self._shaped(item.typed, outer) for item in select.items]
        if select.distinct and (keys or any(a.sql != b.typed.sql for a, b in zip(shaped, select.items, strict=True))):
            return self._around(select.body(), self._keys_by_position(query.order_by, select), limit, outer)
        sql = select.text([typed.sql for typed in shaped], outer.columns)
        if keys:
            sql += " ORDER BY " + ", ".join(keys)
        return Body(sql + limit, _typed_as(select.columns(), shaped))

    def _shaped(self, typed: Typed, outer: Outer) -> Typed:
        return expressions.to_output(typed, self.ctx) if outer.output else typed

    def _order_keys(self, items: tuple[OrderItem, ...], select: BoundSelect) -> list[str]:
        select.scope.clause = "ORDER BY"
        for column in select.items:
            select.scope.aliases.setdefault(column.name, []).append(column.typed)
        keys: list[str] = []
        for item in items:
            position = _position(item.expression)
            typed = self._at_position(position, select, item) if position is not None else self.value(item.expression, select.scope)
            if typed.literal is not None or typed.is_null_literal:
                continue  # a constant orders nothing
            keys.append(expressions.order_key(typed, item.descending, item.nulls_first, self.ctx))
        select.check_grouping()
        return keys

    def _at_position(self, position: int, select: BoundSelect, item: OrderItem) -> Typed:
        if not 1 <= position <= len(select.items):
            raise OracleError(1785, "ORDER BY item must be the number of a SELECT-list expression", offset=item.start)
        return select.items[position - 1].typed

    def _keys_by_position(self, items: tuple[OrderItem, ...], select: BoundSelect) -> list[tuple[int, OrderItem]]:
        """ORDER BY of a DISTINCT query: each term must be in the select list (ORA-01791)."""
        texts = [same_text(item.typed.sql) for item in select.items]
        positions: list[tuple[int, OrderItem]] = []
        for item in items:
            position = _position(item.expression)
            if position is None:
                typed = self.value(item.expression, select.scope)
                if same_text(typed.sql) not in texts:
                    raise OracleError(1791, "not a SELECTed expression", offset=item.start)
                position = texts.index(same_text(typed.sql)) + 1
            positions.append((position - 1, item))
        return positions

    def _around(self, body: Body, keys: list[tuple[int, OrderItem]], limit: str, outer: Outer) -> Body:
        """Order, limit and shape a query from outside."""
        if not keys and not limit and not outer.output:
            return body
        alias = self.alias("q")
        columns = body.columns_of(alias)
        shaped = [self._shaped(typed, outer) for typed in columns]
        sql = f"SELECT {_select_list(shaped)} FROM ({body.sql}) AS {alias}"
        if keys:
            terms = (expressions.order_key(columns[n], item.descending, item.nulls_first, self.ctx) for n, item in keys)
            sql += " ORDER BY " + ", ".join(terms)
        return Body(sql + limit, _typed_as(body.columns, shaped))

    def _fetch(self, fetch: Fetch | None, scope: Scope) -> str:
        if fetch is None:
            return ""
        text = ""
        if fetch.count is not None:
            text += f" LIMIT {self._row_count(fetch.count)}"
        if fetch.offset is not None:
            text += f" OFFSET {self._row_count(fetch.offset)}"
        return text

    def _row_count(self, node: Expression) -> str:
        number = count_of(self.value(node, Scope(clause="FETCH")), self.ctx)
        return f"CAST(greatest(coalesce(floor({number}), 0), 0) AS BIGINT)"

    def _fetched(self, fetch: Fetch, select: BoundSelect, keys: list[str], outer: Outer) -> Body:
        """FETCH .. WITH TIES or PERCENT: the rows are counted in a query around the select."""
        if select.distinct or fetch.count is None:
            raise refused("FETCH WITH TIES or PERCENT of DISTINCT rows", offset=fetch.start)
        if fetch.with_ties and (fetch.offset is not None or fetch.percent):
            raise refused("FETCH WITH TIES together with OFFSET or PERCENT", offset=fetch.start)
        over = f"OVER ({'ORDER BY ' + ', '.join(keys) if keys else ''})"
        number = "rank()" if fetch.with_ties and keys else "row_number()"
        count = self._row_count(fetch.count)
        if fetch.percent:
            share = count_of(self.value(fetch.count, Scope(clause="FETCH")), self.ctx)
            count = f"ceil(count(*) OVER () * greatest(coalesce({share}, 0), 0) / 100)"
        skipped = "0" if fetch.offset is None else self._row_count(fetch.offset)
        extra = [f"row_number() {over} AS n", f"{number} {over} AS r", f"{count} AS m"]
        alias = self.alias("q")
        inner = select.text([item.typed.sql for item in select.items], [], extra)
        columns = [replace(typed, sql=f"{alias}.c{n}") for n, typed in enumerate(select.body().columns_of(alias))]
        shaped = [self._shaped(typed, outer) for typed in columns]
        sql = f"SELECT {_select_list(shaped)} FROM ({inner}) AS {alias} WHERE {alias}.r - {skipped} <= {alias}.m AND {alias}.n > {skipped}"
        return Body(f"{sql} ORDER BY {alias}.n", _typed_as(select.columns(), shaped))

    def _lock(self, lock: ForUpdate, query: Query, select: BoundSelect, outer: Outer) -> None:
        """FOR UPDATE: add the ROWIDs of the tables to lock; ORA-02014 where rows of the result are not rows of tables."""
        if select.distinct or select.scope.grouped or select.scope.has_aggregates or query.fetch is not None:
            raise OracleError(2014, "cannot select FOR UPDATE from view with DISTINCT, GROUP BY, etc.", offset=lock.start)
        sources = select.scope.sources
        if lock.columns:
            wanted = {self._owner_of(column, select.scope) for column in lock.columns}
            sources = [source for source in sources if source.alias in wanted]
        object_ids: list[int] = []
        for source in sources:
            relation = source.relation
            if relation is not None and relation.name == "DUAL" and relation.owner == "SYS":
                continue
            if relation is None or relation.object_id is None or source.rowid is None:
                raise refused("FOR UPDATE of other than tables", offset=lock.start)
            object_ids.append(relation.object_id)
            outer.columns.append(source.rowid)
        outer.lock = Lock(tuple(object_ids), lock.wait)

    def _owner_of(self, column: Name, scope: Scope) -> str:
        typed = self.name(column, scope)
        for source in scope.sources:
            if any(c.typed.sql == typed.sql for c in source.columns):
                return source.alias
        raise OracleError(904, f'"{column.parts[-1].name}": invalid identifier', offset=column.start)

    # Set operations

    def _ordered_set(self, query: Query, scope: Scope, outer: Outer) -> Body:
        if query.for_update is not None:
            raise OracleError(2014, "cannot select FOR UPDATE from view with DISTINCT, GROUP BY, etc.", offset=query.for_update.start)
        body = self._branch(query.body, scope)
        if query.fetch is not None and (query.fetch.with_ties or query.fetch.percent):
            raise refused("FETCH WITH TIES or PERCENT of a set operation", offset=query.fetch.start)
        names = [column.name for column in body.columns]
        keys: list[tuple[int, OrderItem]] = []
        for item in query.order_by:
            position = _position(item.expression)
            if position is None:
                node = item.expression
                name = node.parts[0].name if isinstance(node, Name) and len(node.parts) == 1 else None
                if name is None:
                    raise OracleError(1785, "ORDER BY item must be the number of a SELECT-list expression", offset=item.start)
                if name not in names:
                    raise OracleError(904, f'"{name}": invalid identifier', offset=item.start)
                position = names.index(name) + 1
            if not 1 <= position <= len(names):
                raise OracleError(1785, "ORDER BY item must be the number of a SELECT-list expression", offset=item.start)
            keys.append((position - 1, item))
        return self._around(body, keys, self._fetch(query.fetch, scope), outer)

    def _branch(self, node: QueryBody, scope: Scope) -> Body:
        if isinstance(node, Select):
            return self._plain_select(node, scope)
        if isinstance(node, Query):
            return self.query(node, scope, Outer())
        if isinstance(node, SetOperation):
            return self._set_operation(node, scope)
        raise refused(type(node).__name__, offset=node.start)

    def _plain_select(self, node: Select, scope: Scope) -> Body:
        select = self.select(node, scope, plain=True)
        select.check_grouping()
        return select.body()

    def _set_operation(self, node: SetOperation, scope: Scope) -> Body:
        left, right = self._branch(node.left, scope), self._branch(node.right, scope)
        if len(left.columns) != len(right.columns):
            raise OracleError(1789, "query block has incorrect number of result columns", offset=node.start)
        targets: list[Typed] = []
        for a, b in zip(left.columns, right.columns, strict=True):
            targets.append(self._common(a.typed, b.typed, node))
        sql = f"({self._converted(left, targets)}) {_SQL_OPERATOR[node.operator]} ({self._converted(right, targets)})"
        columns = tuple(OutputColumn(c.name, t) for c, t in zip(left.columns, targets, strict=True))
        if node.operator != "UNION ALL":
            alias = self.alias("q")
            keys = [expressions.group_key(typed) for typed in Body("", columns).columns_of(alias)]
            plain = [typed.sql for typed in Body("", columns).columns_of(alias)]
            if keys != plain:
                if node.operator != "UNION":
                    raise refused(f"{node.operator} of TIMESTAMP WITH TIME ZONE", offset=node.start)
                both = f"({self._converted(left, targets)}) UNION ALL ({self._converted(right, targets)})"
                return Body(f"SELECT DISTINCT ON ({', '.join(keys)}) * FROM ({both}) AS {alias}", columns)
        return Body(sql, columns)

    def _common(self, a: Typed, b: Typed, node: SetOperation) -> Typed:
        try:
            type_ = expressions.common_type([a, b], self.ctx)
        except OracleError as error:
            if error.code != 932:
                raise
            raise OracleError(1790, "expression must have same datatype as corresponding expression", offset=node.start) from error
        carrier = expressions.common_carrier([a, b], type_)
        return Typed("", type_, carrier, a.nullable or b.nullable, is_null_literal=a.is_null_literal and b.is_null_literal)

    def _converted(self, body: Body, targets: list[Typed]) -> str:
        """The query with its columns in the given types and carriers."""
        if all(column.typed.carrier == target.carrier for column, target in zip(body.columns, targets, strict=True)):
            return body.sql
        alias = self.alias("q")
        values = [
            typed if typed.carrier == target.carrier else expressions.convert(typed, target.type, target.carrier, self.ctx)
            for typed, target in zip(body.columns_of(alias), targets, strict=True)
        ]
        return f"SELECT {_select_list(values)} FROM ({body.sql}) AS {alias}"


def _position(node: Expression) -> int | None:
    """ORDER BY 2: a select item by its number. Other constants order nothing."""
    return int(node.text) if isinstance(node, NumberLiteral) and node.text.isdigit() else None


def _select_list(values: list[Typed]) -> str:
    return ", ".join(f"{typed.sql} AS c{number}" for number, typed in enumerate(values))


def _typed_as(columns: tuple[OutputColumn, ...], shaped: list[Typed]) -> tuple[OutputColumn, ...]:
    return tuple(OutputColumn(column.name, typed) for column, typed in zip(columns, shaped, strict=True))

"""INSERT, UPDATE, DELETE: the query that gives the rows to write, for the engine to write them."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.body import Body
from oracle_mimic.sql.binder.queries import QueryBinder
from oracle_mimic.sql.binder.returning import into_bind
from oracle_mimic.sql.binder.rownum import mentions_rownum, row_limit
from oracle_mimic.sql.binder.scope import Scope, Source, table_source
from oracle_mimic.sql.binder.selects import ROWNUM_TYPE
from oracle_mimic.sql.binder.state import BINDS
from oracle_mimic.sql.bound import (
    MULTI,
    BoundDelete,
    BoundInsert,
    BoundMultiInsert,
    BoundUpdate,
    Relation,
    RelationColumn,
    Returning,
    Typed,
)
from oracle_mimic.sql.parser import parse_expression
from oracle_mimic.sql.syntax import (
    Assignment,
    Condition,
    DefaultValue,
    Delete,
    Expression,
    Identifier,
    Insert,
    InsertAll,
    InsertBranch,
    Name,
    Query,
    ReturningInto,
    ScalarQuery,
    Select,
    Table,
    Update,
)  # fmt: skip
from oracle_mimic.sql.walk import conjuncts
from oracle_mimic.types import Kind

_PLAIN_TEXT = frozenset({Kind.VARCHAR2, Kind.CHAR})
_ROW_ALIAS = "r"  # the row that RETURNING reads, as the engine offers it


class DmlBinder(QueryBinder):
    """Binds INSERT, UPDATE and DELETE; a part of the binder."""

    def target(self, table: Table) -> tuple[Relation, Source]:
        """The table that is changed, and its row as a source."""
        relation = self.relation(table, Scope(), dml=True)
        if relation.object_id is None:
            raise refused("data manipulation on other than a table", offset=table.start)
        self.ctx.parameters.update(relation.parameters)
        if table.alias is not None:
            return relation, table_source(self.alias(), relation, table.alias.name, None)
        owner = table.parts[0].name if len(table.parts) == 2 else relation.owner
        return relation, table_source(self.alias(), relation, table.parts[-1].name, owner)

    def columns_of(self, relation: Relation, names: tuple[Identifier, ...]) -> list[RelationColumn]:
        """The columns named, or all; ORA-00904, ORA-00957."""
        if not names:
            return [column for column in relation.columns if not column.hidden]
        by_name = {column.name: column for column in relation.columns}
        seen: set[str] = set()
        for name in names:
            if name.name not in by_name:
                raise OracleError(904, f'"{name.name}": invalid identifier', offset=name.start)
            if name.name in seen:
                raise OracleError(957, "duplicate column name", offset=name.start)
            seen.add(name.name)
        return [by_name[name.name] for name in names]

    def assigned(self, typed: Typed, column: RelationColumn) -> Typed:
        """A value as the column stores it."""
        return expressions.assign(typed, column.type, self.ctx)

    def default(self, column: RelationColumn, offset: int) -> Typed:
        """The value of the keyword DEFAULT."""
        if column.identity:
            raise refused("DEFAULT of an identity column", offset=offset)
        if column.default is None:
            return expressions.null()
        return self.value(parse_expression(column.default), Scope(clause="VALUES"))

    # INSERT

    def insert(self, node: Insert) -> BoundInsert:
        relation, _ = self.target(node.table)
        columns = self.columns_of(relation, node.columns)
        if node.query is not None:
            sql = self._inserted_query(node, columns, self.query_of_rows(node))
        elif node.values is not None:
            columns, sql = self._inserted_values(columns, node.values, node.start)
        else:
            raise OracleError(926, "missing VALUES keyword", offset=node.start)
        names = tuple(column.name for column in columns)
        returning = self.returning(node.returning, relation, node.table)
        return BoundInsert(relation, names, sql, dict(self.ctx.parameters), self.array, node.append, returning)

    def query_of_rows(self, node: Insert) -> Body:
        if node.query is None:
            raise OracleError(928, "missing SELECT keyword", offset=node.start)
        return self.subquery(node.query, Scope())

    def _inserted_query(self, node: Insert, columns: list[RelationColumn], body: Body) -> str:
        _check_counts(len(columns), len(body.columns), node.start)
        alias = self.alias("q")
        values = [self.assigned(typed, column) for typed, column in zip(body.columns_of(alias), columns, strict=True)]
        return self._rows_of(_selected(values), f"({body.sql}) AS {alias}")

    def _inserted_values(
        self, columns: list[RelationColumn], nodes: tuple[Expression, ...], start: int
    ) -> tuple[list[RelationColumn], str]:
        _check_counts(len(columns), len(nodes), start)
        scope = Scope(clause="VALUES")
        given = [(column, node) for column, node in zip(columns, nodes, strict=True) if not isinstance(node, DefaultValue)]
        values = [self.assigned(self.value(node, scope), column) for column, node in given]
        selected = _selected(values) or "1 AS nothing"
        sql = f"SELECT {selected}, {BINDS}.execution AS execution FROM {BINDS}" if self.array else f"SELECT {selected}"
        return [column for column, _ in given], sql

    def _rows_of(self, selected: str, source: str, rest: str = "") -> str:
        """A SELECT over a source; with an array of binds once per execution."""
        if self.array:
            return f"SELECT {selected}, {BINDS}.execution AS execution FROM {BINDS}, LATERAL {source}{rest}"
        return f"SELECT {selected} FROM {source}{rest}"

    def insert_all(self, node: InsertAll) -> BoundInsert | BoundMultiInsert:
        """INSERT ALL or FIRST: the rows of every branch whose condition holds for a row of the query."""
        branches = [(condition, branch) for condition, group in self._conditional(node) for branch in group]
        relations = [self.target(branch.table)[0] for _, branch in branches]
        lists = [self.columns_of(relation, branch.columns) for relation, (_, branch) in zip(relations, branches, strict=True)]
        if len({(relation.object_id, *columns) for relation, columns in zip(relations, lists, strict=True)}) > 1:
            return self._multi_insert(node, branches, relations, lists)
        relation, columns = relations[0], lists[0]
        body = self.subquery(node.query, Scope())
        alias = self.alias("q")
        source = Scope(clause="VALUES", sources=[table_source(alias, body.relation(), None, None)])
        rows = [self._branch_values(branch, columns, source) for _, branch in branches]
        tests = [self._branch_test(conditions, source) for conditions, _ in branches]
        constant = not any(tests) and not any(f"{alias}." in value.sql for values in rows for value in values)
        if constant and _is_one_row_of_dual(node.query):
            sql = self._listed_rows(columns, rows)
        else:
            assigned = ([self.assigned(value, c) for value, c in zip(values, columns, strict=True)] for values in rows)
            texts = (
                self._rows_of(_selected(values), f"({body.sql}) AS {alias}", test) for values, test in zip(assigned, tests, strict=True)
            )
            sql = " UNION ALL ".join(texts)
        names = tuple(column.name for column in columns)
        return BoundInsert(relation, names, sql, dict(self.ctx.parameters), self.array, node.append)

    def _multi_insert(
        self,
        node: InsertAll,
        branches: list[tuple[list[tuple[Condition, bool]], InsertBranch]],
        relations: list[Relation],
        lists: list[list[RelationColumn]],
    ) -> BoundMultiInsert:
        """One insert per table and list of columns, over the kept rows of the query."""
        if self.array:
            raise refused("INSERT ALL into several tables with an array of binds", offset=node.start)
        body = self.subquery(node.query, Scope())
        shape = body.relation()
        cells = ", ".join(f"CAST({column.physical} AS {column.carrier}) AS {column.physical}" for column in shape.columns)
        kept = replace(shape, sql=f"(SELECT {cells} FROM {MULTI})")
        alias = self.alias("q")
        source = Scope(clause="VALUES", sources=[table_source(alias, kept, None, None)])
        texts: dict[int, list[str]] = {}
        places: list[tuple[Relation, list[RelationColumn]]] = []
        for (conditions, branch), relation, columns in zip(branches, relations, lists, strict=True):
            values = self._branch_values(branch, columns, source)
            test = self._branch_test(conditions, source)
            selected = _selected([self.assigned(value, column) for value, column in zip(values, columns, strict=True)])
            text = f"SELECT {selected} FROM {kept.sql} AS {alias}{test}"
            if " data.t" in text:  # it would see what the branch before it has written
                raise refused("a subquery in a branch of INSERT ALL into several tables", offset=branch.start)
            place = next((n for n, (r, c) in enumerate(places) if r.object_id == relation.object_id and c == columns), None)
            if place is None:
                place = len(places)
                places.append((relation, columns))
            texts.setdefault(place, []).append(text)
        parameters = dict(self.ctx.parameters)
        parts = (
            BoundInsert(relation, tuple(column.name for column in columns), " UNION ALL ".join(texts[n]), parameters, False, node.append)
            for n, (relation, columns) in enumerate(places)
        )
        return BoundMultiInsert(body.sql, tuple(parts), parameters)

    def _conditional(self, node: InsertAll) -> list[tuple[list[tuple[Condition, bool]], tuple[InsertBranch, ...]]]:
        """Each group of branches with the conditions that must hold (True) or must not (False): FIRST and ELSE need the latter."""
        found: list[tuple[list[tuple[Condition, bool]], tuple[InsertBranch, ...]]] = []
        failed: list[tuple[Condition, bool]] = []
        for condition, group in node.groups:
            own = [] if condition is None else [(condition, True)]
            found.append((failed + own if node.first else own, group))
            failed = failed + [(test, False) for test, _ in own]
        if node.otherwise:
            found.append((failed, node.otherwise))
        return found

    def _branch_test(self, conditions: list[tuple[Condition, bool]], source: Scope) -> str:
        source.clause = "WHERE"
        tests = [f"coalesce({self.condition(test, source)}, FALSE) IS {str(wanted).upper()}" for test, wanted in conditions]
        source.clause = "VALUES"
        return " WHERE " + " AND ".join(tests) if tests else ""

    def _listed_rows(self, columns: list[RelationColumn], rows: list[list[Typed]]) -> str:
        """Rows of constants as one VALUES list. A column whose values have a common type is converted once, not cell by cell."""
        cells: list[list[str]] = []
        outer: list[Typed] = []
        for number, column in enumerate(columns):
            values = [row[number] for row in rows]
            kinds = {value.type.kind for value in values if not value.is_null_literal}
            if len(kinds) == 1 or (kinds and kinds <= _PLAIN_TEXT):
                type_ = expressions.common_type(values, self.ctx)
                carrier = expressions.common_carrier(values, type_)
                cells.append([expressions.convert(value, type_, carrier, self.ctx).sql for value in values])
                outer.append(self.assigned(Typed(f"v.c{number}", type_, carrier), column))
            else:  # a common type might not be exact for each: every value finds its own way to the column
                cells.append([self.assigned(value, column).sql for value in values])
                outer.append(Typed(f"v.c{number}", column.type, column.carrier))
        listed = ", ".join("(" + ", ".join(row) + ")" for row in zip(*cells, strict=True))
        names = ", ".join(f"c{number}" for number in range(len(columns)))
        return self._rows_of(_selected(outer), f"(VALUES {listed}) AS v({names})")

    def _branch_values(self, branch: InsertBranch, columns: list[RelationColumn], source: Scope) -> list[Typed]:
        if branch.values is None:
            values = [column.typed for column in source.sources[0].columns]
        else:
            _check_counts(len(columns), len(branch.values), branch.start)
            values = [
                self.default(column, value.start) if isinstance(value, DefaultValue) else self.value(value, source)
                for column, value in zip(columns, branch.values, strict=True)
            ]
        _check_counts(len(columns), len(values), branch.start)
        return values

    # UPDATE and DELETE

    def update(self, node: Update) -> BoundUpdate:
        relation, source = self.target(node.table)
        scope = Scope(sources=[source])
        if not self.array:
            scope.rownum = Typed("CAST(row_number() OVER () AS DECIMAL(19,0))", ROWNUM_TYPE, "DECIMAL(19,0)", nullable=False)
        assigned = self.assignments(node.assignments, relation, source, scope)
        selected = f"{_rid(source)} AS rid, {_selected([value for _, value in assigned])}"
        sql = self._changed_rows(selected, relation, source, node.where, scope)
        returning = self.returning(node.returning, relation, node.table)
        names = tuple(column.name for column, _ in assigned)
        return BoundUpdate(relation, names, sql, dict(self.ctx.parameters), self.array, returning)

    def delete(self, node: Delete) -> BoundDelete:
        relation, source = self.target(node.table)
        sql = self._changed_rows(f"{_rid(source)} AS rid", relation, source, node.where, Scope(sources=[source]))
        returning = self.returning(node.returning, relation, node.table)
        return BoundDelete(relation, sql, dict(self.ctx.parameters), self.array, returning)

    def _changed_rows(self, selected: str, relation: Relation, source: Source, where: Condition | None, scope: Scope) -> str:
        scope.clause = "WHERE"
        conditions = conjuncts(where)
        numbered = [condition for condition in conditions if mentions_rownum(condition)]
        tests = [self.condition(condition, scope) for condition in conditions if condition not in numbered]
        rest = " WHERE " + " AND ".join(tests) if tests else ""
        if numbered:
            if self.array:
                raise refused("ROWNUM in a statement with an array of binds", offset=numbered[0].start)
            limit = row_limit(numbered, lambda node: self.value(node, Scope(clause="WHERE")), self.ctx)
            rest += f" LIMIT {limit}"
        execution = f", {BINDS}.execution AS execution" if self.array else ""
        binds = f"{BINDS}, " if self.array else ""
        return f"SELECT {selected}{execution} FROM {binds}{relation.sql} AS {source.alias}{rest}"

    def assignments(
        self, nodes: tuple[Assignment, ...], relation: Relation, source: Source, scope: Scope
    ) -> list[tuple[RelationColumn, Typed]]:
        """SET: each column with its new value."""
        scope.clause = "SET"
        result: list[tuple[RelationColumn, Typed]] = []
        for node in nodes:
            columns = [self.assigned_column(name, relation, source) for name in node.columns]
            if isinstance(node.value, DefaultValue):
                values = [self.default(columns[0], node.start)]
            elif isinstance(node.value, ScalarQuery):
                values = self._query_values(node.value, len(columns), scope)
            else:
                values = [self.value(node.value, scope)]
            result.extend((column, self.assigned(value, column)) for column, value in zip(columns, values, strict=True))
        names = [column.name for column, _ in result]
        if len(set(names)) < len(names):
            raise OracleError(957, "duplicate column name", offset=nodes[0].start)
        return result

    def _query_values(self, node: ScalarQuery, count: int, scope: Scope) -> list[Typed]:
        body = self.subquery(node.query, scope)
        _check_counts(count, len(body.columns), node.start)
        alias = self.alias("q")
        return [replace(typed, sql=f"(SELECT {typed.sql} FROM ({body.sql}) AS {alias})", nullable=True) for typed in body.columns_of(alias)]

    def assigned_column(self, name: Name, relation: Relation, source: Source) -> RelationColumn:
        """The column that a name on the left of = means; ORA-00904."""
        parts = tuple(part.name for part in name.parts)
        text = ".".join(f'"{part}"' for part in parts)
        owner = parts[0] if len(parts) == 3 else None
        qualified = len(parts) == 1 or (parts[-2] == source.name and owner in (None, source.owner))
        found = [column for column in relation.columns if column.name == parts[-1]] if qualified else []
        if not found:
            raise OracleError(904, f"{text}: invalid identifier", offset=name.start)
        return found[0]

    def returning(self, node: ReturningInto | None, relation: Relation, table: Table) -> Returning | None:
        """RETURNING: expressions over the row `r` that the engine offers."""
        if node is None:
            return None
        name = table.alias.name if table.alias is not None else table.parts[-1].name
        scope = Scope(sources=[table_source(_ROW_ALIAS, relation, name, None)], clause="VALUES")
        values = self.values(node.expressions, scope)
        taken = [into_bind(value, target, self.slots, self.ctx) for value, target in zip(values, node.into, strict=True)]
        return Returning(tuple(expressions.to_output(value, self.ctx) for value in taken))


def _rid(source: Source) -> str:
    if source.rowid is None:
        raise refused("data manipulation on a table without ROWID")
    return source.rowid.sql


def _selected(values: list[Typed], prefix: str = "c") -> str:
    return ", ".join(f"{value.sql} AS {prefix}{number}" for number, value in enumerate(values))


def _is_one_row_of_dual(query: Query) -> bool:
    """SELECT .. FROM DUAL, whose only use is that INSERT ALL must have a query."""
    body = query.body
    if not isinstance(body, Select) or query.with_ or query.fetch or len(body.from_) != 1:
        return False
    table = body.from_[0]
    plain = not (body.where or body.hierarchy or body.group_by or body.having)
    return plain and isinstance(table, Table) and table.parts[-1].name == "DUAL" and table.sample is None


def _check_counts(columns: int, values: int, offset: int) -> None:
    if values > columns:
        raise OracleError(913, "too many values", offset=offset)
    if values < columns:
        raise OracleError(947, "not enough values", offset=offset)

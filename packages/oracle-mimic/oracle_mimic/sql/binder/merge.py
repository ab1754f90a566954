"""MERGE: one row per source row and matching target row, with what is to be done with it."""

from __future__ import annotations

from dataclasses import replace

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.binder.dml import DmlBinder
from oracle_mimic.sql.binder.scope import Scope, Source, SourceColumn
from oracle_mimic.sql.binder.state import BINDS
from oracle_mimic.sql.bound import BoundMerge, RelationColumn, Typed
from oracle_mimic.sql.syntax import Condition, DefaultValue, Expression, Identifier, Merge, Name
from oracle_mimic.sql.walk import walk


class MergeBinder(DmlBinder):
    """Binds MERGE; the last part of the binder."""

    def merge(self, node: Merge) -> BoundMerge:
        relation, target = self.target(node.table)
        outer = Scope(sources=[])
        source = self._reference(node.source, outer)
        both = Scope(sources=[target, *source.sources], merged=source.merged, clause="ON")
        rid = target.rowid.sql if target.rowid is not None else "NULL"
        on = self.condition(node.on, both)
        updates = self.assignments(node.assignments, relation, target, both)
        self._check_on(node.on, {column.name for column, _ in updates}, both, target)
        inserts = self._inserts(node, relation.columns, source.sources, target)
        only_source = Scope(sources=source.sources, merged=source.merged, clause="WHERE")
        do_update = f"({rid} IS NOT NULL{self._and(node.update_where, both)})" if updates else "FALSE"
        do_delete = "FALSE"
        if node.delete_where is not None:
            do_delete = f"({do_update}{self._and(node.delete_where, self._after_update(both, target, updates))})"
        do_insert = "FALSE"
        if node.insert_values is not None:
            do_insert = f"({rid} IS NULL{self._and(node.insert_where, only_source)})"
        selected = [f"{rid} AS rid"]
        selected += [f"CASE WHEN {rid} IS NOT NULL THEN {typed.sql} END AS u{n}" for n, (_, typed) in enumerate(updates)]
        selected += [f"{do_update} AS do_update", f"{do_delete} AS do_delete"]
        selected += [f"CASE WHEN {rid} IS NULL THEN {typed.sql} END AS i{n}" for n, (_, typed) in enumerate(inserts)]
        selected.append(f"{do_insert} AS do_insert")
        join = "LEFT JOIN" if node.insert_values is not None else "JOIN"
        from_ = source.sql
        if self.array:
            selected.append(f"{BINDS}.execution AS execution")
            from_ = f"{BINDS} CROSS JOIN LATERAL {source.sql}"
        rows = f"SELECT {', '.join(selected)} FROM {from_} {join} {relation.sql} AS {target.alias} ON {on}"
        return BoundMerge(
            relation,
            tuple(column.name for column, _ in updates),
            tuple(column.name for column, _ in inserts),
            f"SELECT * FROM ({rows}) AS m WHERE m.do_update OR m.do_insert",
            dict(self.ctx.parameters),
            self.array,
        )

    def _and(self, where: Condition | None, scope: Scope) -> str:
        scope.clause = "WHERE"
        return "" if where is None else f" AND coalesce({self.condition(where, scope)}, FALSE)"

    def _check_on(self, on: Condition, updated: set[str], scope: Scope, target: Source) -> None:
        """ORA-38104: a column that decides the match cannot change."""
        texts = {column.typed.sql: column.name for column in target.columns if column.name in updated}
        for node in walk(on):
            if isinstance(node, Name) and (name := texts.get(self.name(node, scope).sql)) is not None:
                text = f'Columns referenced in the ON Clause cannot be updated: "{target.name}"."{name}"'
                raise OracleError(38104, text, offset=node.start)

    def _inserts(
        self, node: Merge, columns: tuple[RelationColumn, ...], sources: list[Source], target: Source
    ) -> list[tuple[RelationColumn, Typed]]:
        if node.insert_values is None:
            return []
        named: list[RelationColumn] = [column for column in columns if not column.hidden]
        if node.insert_columns:
            relation = target.relation
            if relation is None:
                return []
            named = [self.assigned_column(name, relation, target) for name in node.insert_columns]
            identifiers = tuple(Identifier(column.name, start=node.start) for column in named)
            self.columns_of(relation, identifiers)
        if len(node.insert_values) != len(named):
            short = len(node.insert_values) < len(named)
            raise OracleError(947 if short else 913, "not enough values" if short else "too many values", offset=node.start)
        scope = Scope(sources=sources, clause="VALUES")
        result: list[tuple[RelationColumn, Typed]] = []
        for column, value in zip(named, node.insert_values, strict=True):
            if isinstance(value, DefaultValue):
                continue
            result.append((column, self.assigned(self._source_value(value, scope, target), column)))
        return result

    def _source_value(self, node: Expression, scope: Scope, target: Source) -> Typed:
        try:
            return self.value(node, scope)
        except OracleError as error:
            name = node.parts[-1].name if isinstance(node, Name) else None
            if error.code == 904 and name is not None and target.find(name):
                text = f'Invalid column in the INSERT VALUES Clause: "{target.name}"."{name}"'
                raise OracleError(38101, text, offset=node.start) from error
            raise

    def _after_update(self, both: Scope, target: Source, updates: list[tuple[RelationColumn, Typed]]) -> Scope:
        """DELETE WHERE sees the row as the update leaves it."""
        new = {column.name: typed for column, typed in updates}
        columns = [SourceColumn(c.name, new.get(c.name, c.typed), c.hidden) for c in target.columns]
        return Scope(sources=[replace(target, columns=columns), *both.sources[1:]], merged=both.merged, clause="WHERE")

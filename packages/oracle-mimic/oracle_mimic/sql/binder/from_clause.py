"""FROM: tables, derived tables, joins, Oracle's (+), flashback and samples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.conditions import ConditionBinder
from oracle_mimic.sql.binder.pivot import pivoted
from oracle_mimic.sql.binder.scope import Scope, Source, SourceColumn, table_source
from oracle_mimic.sql.bound import AsOf, Relation, RelationColumn, Typed
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.sql.syntax import (
    Condition,
    DerivedTable,
    Flashback,
    Identifier,
    Join,
    Name,
    Node,
    Or,
    Sample,
    Table,
    TableReference,
    ValueTable,
    XmlSeries,
)  # fmt: skip
from oracle_mimic.sql.walk import transform, walk
from oracle_mimic.types import Kind, OracleType

_DUAL = Relation(
    "(SELECT 'X' AS \"DUMMY\")", (RelationColumn("DUMMY", OracleType(Kind.VARCHAR2, length=1), "VARCHAR", "DUMMY"),), "SYS", "DUAL"
)
_LIST_TYPES = {
    "ODCINUMBERLIST": OracleType(Kind.NUMBER),
    "ODCIVARCHAR2LIST": OracleType(Kind.VARCHAR2, length=4000),
    "ODCIDATELIST": OracleType(Kind.DATE),
}
_SERIES_TYPE = OracleType(Kind.VARCHAR2, length=4000)


@dataclass(slots=True)
class Joined:
    """A part of FROM: its text, its sources, the columns merged by USING."""

    sql: str
    sources: list[Source]
    merged: list[SourceColumn] = field(default_factory=list)

    def names(self) -> list[str]:
        merged = [column.name for column in self.merged]
        return merged + [c.name for s in self.sources for c in s.columns if not (c.hidden or c.joined)]


class FromBinder(ConditionBinder):
    """Binds FROM; a part of the binder."""

    def from_clause(self, references: tuple[TableReference, ...], where: list[Condition], scope: Scope) -> tuple[str, list[Condition]]:
        """The text after FROM, and the conditions of WHERE that are left once (+) has made joins of some."""
        parts: list[Joined] = []
        for reference in references:
            part = self._reference(reference, scope)
            parts.append(part)
            scope.sources.extend(part.sources)
            scope.merged.extend(part.merged)
        scope.clause = "WHERE"
        marked = [condition for condition in where if _has_mark(condition)]
        if not marked:
            return ", ".join(part.sql for part in parts), where
        if any(isinstance(reference, Join) for reference in references):
            raise OracleError(25156, "old style outer join (+) cannot be used with ANSI joins", offset=marked[0].start)
        return self._outer_joined(parts, marked, scope), [condition for condition in where if condition not in marked]

    def _reference(self, node: TableReference, scope: Scope) -> Joined:
        match node:
            case Table():
                return self._table(node, scope)
            case DerivedTable():
                return self._derived(node, scope)
            case XmlSeries(first, last, alias):
                text = f'(SELECT CAST(x AS VARCHAR) AS "COLUMN_VALUE" FROM range({first}, {last + 1}) AS r(x))'
                columns = (RelationColumn("COLUMN_VALUE", _SERIES_TYPE, "VARCHAR", "COLUMN_VALUE", nullable=False),)
                return self._source(Relation(text, columns), alias)
            case ValueTable():
                return self._value_table(node, scope)
            case Join():
                return self._join(node, scope)
        raise refused(f"{type(node).__name__} in FROM", offset=node.start)

    def _source(self, relation: Relation, alias: Identifier | None, owner: str | None = None, name: str | None = None) -> Joined:
        self.ctx.parameters.update(relation.parameters)
        sql_alias = self.alias()
        if alias is not None:
            owner, name = None, alias.name
        source = table_source(sql_alias, relation, name, owner)
        return Joined(f"{relation.sql} AS {sql_alias}", [source])

    def _value_table(self, node: ValueTable, scope: Scope) -> Joined:
        type_ = _LIST_TYPES[node.kind]
        carrier = duckdb_type(type_)
        outer = Scope(parent=scope.parent, clause="VALUES")
        values = [expressions.assign(self.value(item, outer), type_, self.ctx) for item in node.values]
        rows = ", ".join(f"({value.sql})" for value in values) or f"(CAST(NULL AS {carrier}))"
        text = f'(SELECT * FROM (VALUES {rows}) AS v("COLUMN_VALUE"){"" if values else " WHERE FALSE"})'
        return self._source(Relation(text, (RelationColumn("COLUMN_VALUE", type_, carrier, "COLUMN_VALUE"),)), node.alias)

    # Tables

    def _table(self, node: Table, scope: Scope) -> Joined:
        relation = self.relation(node, scope)
        owner, name = relation.owner, node.parts[-1].name
        if len(node.parts) == 2:
            owner = node.parts[0].name
        if node.sample is not None:
            relation = self._sampled(relation, node.sample, scope)
        if node.pivot is not None:
            relation = pivoted(self, relation, node.pivot, scope)
        return self._source(relation, node.alias, owner, name)

    def relation(self, node: Table, scope: Scope, *, dml: bool = False) -> Relation:
        """The relation a table reference names; ORA-00942."""
        owner = node.parts[0].name if len(node.parts) == 2 else None
        name = node.parts[-1].name
        if owner is None and not dml and (common := scope.common_table(name)) is not None:
            if node.flashback is not None:
                raise refused("flashback of a WITH table", offset=node.start)
            return common
        if name == "DUAL" and owner in (None, "SYS") and not dml:
            return _DUAL
        as_of = None if node.flashback is None else self._as_of(node.flashback, scope)
        try:
            return self.ctx.relation(owner, name, as_of=as_of, dml=dml)
        except OracleError as error:
            error.offset = node.start
            raise

    def _as_of(self, node: Flashback, scope: Scope) -> AsOf:
        moment = self.value(node.moment, Scope(clause="FROM"))
        if node.kind == "SCN":
            return AsOf(scn=moment)
        return AsOf(timestamp=moment)

    def _sampled(self, relation: Relation, sample: Sample, scope: Scope) -> Relation:
        """Each row with the given chance. SAMPLE BLOCK is rows here: blocks are an Oracle's own affair."""
        if relation.folds_rows:
            text = "cannot select ROWID from, or sample, a view with DISTINCT, GROUP BY, etc."
            raise OracleError(1446, text, offset=sample.start)
        percent = self.ctx.constant(self.value(sample.percent, Scope(clause="FROM")))
        if percent is None or not 0.000001 <= float(percent) < 100:
            raise OracleError(30562, "SAMPLE percentage must be in the range [0.000001,100)", offset=sample.start)
        if sample.seed is None:
            chance = "random() * 100"
        elif relation.rowid_physical is not None:
            seed = self.ctx.constant(self.value(sample.seed, Scope(clause="FROM")))
            chance = f'(hash("{relation.rowid_physical}", {int(seed)}) % 100000000) / 1000000.0'
        else:
            raise refused("SEED for a sample of a view", offset=sample.start)
        return replace(relation, sql=f"(SELECT * FROM {relation.sql} WHERE {chance} < {float(percent)!r})")

    def _derived(self, node: DerivedTable, scope: Scope) -> Joined:
        outer = scope if node.lateral else (scope.parent or Scope())
        body = self.subquery(node.query, outer)
        relation = body.relation()
        if node.pivot is not None:
            relation = pivoted(self, relation, node.pivot, scope)
        joined = self._source(relation, node.alias)
        if node.lateral:
            joined.sql = "LATERAL " + joined.sql
        return joined

    # Joins

    def _join(self, node: Join, scope: Scope) -> Joined:
        left = self._reference(node.left, scope)
        inner = Scope(parent=scope.parent, sources=[*scope.sources, *left.sources], common_tables=scope.common_tables)
        if node.kind in ("CROSS APPLY", "OUTER APPLY"):
            return self._apply(node, left, inner)
        right = self._reference(node.right, inner if isinstance(node.right, DerivedTable) and node.right.lateral else scope)
        merged: list[SourceColumn] = []
        condition = ""
        if node.kind != "CROSS":
            on = Scope(parent=scope.parent, sources=[*left.sources, *right.sources], merged=left.merged + right.merged, clause="ON")
            using = [name.name for name in node.using]
            if node.natural:
                using = [name for name in dict.fromkeys(left.names()) if name in right.names()]
            if using:
                tests = [self._using(name, node, left, right, merged) for name in using]
                condition = " ON " + " AND ".join(tests)
            elif node.on is not None:
                condition = " ON " + self.condition(node.on, on)
        if node.kind in ("LEFT", "FULL"):
            _null_supplied(right)
        if node.kind in ("RIGHT", "FULL"):
            _null_supplied(left)
        kind = node.kind if condition else "CROSS"
        rest = [c for c in left.merged + right.merged if c.name not in {m.name for m in merged}]
        return Joined(f"({left.sql} {kind} JOIN {right.sql}{condition})", left.sources + right.sources, merged + rest)

    def _apply(self, node: Join, left: Joined, inner: Scope) -> Joined:
        right_node = replace(node.right, lateral=True) if isinstance(node.right, DerivedTable) else node.right
        right = self._reference(right_node, inner)
        if node.kind == "OUTER APPLY":
            _null_supplied(right)
        join = "CROSS JOIN" if node.kind == "CROSS APPLY" else "LEFT JOIN"
        condition = "" if node.kind == "CROSS APPLY" else " ON TRUE"
        return Joined(f"({left.sql} {join} {right.sql}{condition})", left.sources + right.sources, left.merged)

    def _using(self, name: str, node: Join, left: Joined, right: Joined, merged: list[SourceColumn]) -> str:
        a, b = (_one_column(part, name) for part in (left, right))
        test = expressions.compare("=", a.typed, b.typed, self.ctx)
        if node.kind == "RIGHT":
            typed = b.typed
        elif node.kind == "FULL":
            typed = self._first_of(a.typed, b.typed)
        else:
            typed = a.typed
        a.joined = b.joined = True
        merged.append(SourceColumn(name, typed))
        return test

    def _first_of(self, a: Typed, b: Typed) -> Typed:
        return expressions.case_when([expressions.is_null(a, negated=True)], [a], b, self.ctx)

    # (+)

    def _outer_joined(self, parts: list[Joined], marked: list[Condition], scope: Scope) -> str:
        """Tables that carry (+) are joined to the others by LEFT JOIN, each once the tables it depends on are there."""
        texts = {part.sources[0].alias: part for part in parts}
        conditions: dict[str, list[Condition]] = {}
        needs: dict[str, set[str]] = {}
        for condition in marked:
            if isinstance(condition, Or):
                raise OracleError(1719, "outer join operator (+) not allowed in operand of OR or IN", offset=condition.start)
            optional, others = self._sides(condition, scope)
            if len(optional) != 1:
                raise OracleError(1468, "a predicate may reference only one outer-joined table", offset=condition.start)
            alias = optional.pop()
            conditions.setdefault(alias, []).append(condition)
            needs.setdefault(alias, set()).update(others - {alias})
        placed = [alias for alias in texts if alias not in conditions]
        if not placed:
            raise OracleError(1416, "two tables cannot be outer-joined to each other")
        sql = " CROSS JOIN ".join(texts[alias].sql for alias in placed)
        for alias in conditions:
            _null_supplied(texts[alias])
        waiting = dict(conditions)
        while waiting:
            ready = next((alias for alias in waiting if needs[alias] <= set(placed)), None)
            if ready is None:
                raise OracleError(1416, "two tables cannot be outer-joined to each other")
            tests = [self.condition(transform(condition, _without_mark), scope) for condition in waiting.pop(ready)]
            sql = f"({sql} LEFT JOIN {texts[ready].sql} ON {' AND '.join(tests)})"
            placed.append(ready)
        return sql

    def _sides(self, condition: Condition, scope: Scope) -> tuple[set[str], set[str]]:
        """DuckDB aliases of the tables whose columns carry (+) in a condition, and of all others in it."""
        optional: set[str] = set()
        others: set[str] = set()
        for node in walk(condition):
            if isinstance(node, Name):
                typed = self.name(replace(node, outer_join=False), scope)
                alias = typed.sql.split(".", 1)[0]
                if any(source.alias == alias for source in scope.sources):
                    (optional if node.outer_join else others).add(alias)
        return optional, others


def _has_mark(condition: Condition) -> bool:
    return any(isinstance(node, Name) and node.outer_join for node in walk(condition))


def _without_mark(node: Node) -> Node:
    return replace(node, outer_join=False) if isinstance(node, Name) else node


def _null_supplied(part: Joined) -> None:
    for source in part.sources:
        source.null_supplied()
    for column in part.merged:
        column.typed = replace(column.typed, nullable=True)


def _one_column(part: Joined, name: str) -> SourceColumn:
    found = [column for column in part.merged if column.name == name]
    if not found:
        found = [column for source in part.sources for column in source.find(name)]
    if not found:
        raise OracleError(904, f'"{name}": invalid identifier')
    if len(found) > 1:
        raise OracleError(918, "column ambiguously defined")
    return found[0]

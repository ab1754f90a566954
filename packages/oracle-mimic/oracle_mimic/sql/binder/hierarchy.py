"""CONNECT BY as a recursive query.

Each row carries its level and its path (the row numbers from its root down), which gives Oracle's order (a row, then its children)
and finds loops: ORA-01436.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from oracle_mimic.errors import refused
from oracle_mimic.sql.binder.from_clause import FromBinder
from oracle_mimic.sql.binder.rownum import row_limit
from oracle_mimic.sql.binder.scope import Scope, SourceColumn
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.syntax import Comparison, Condition, Expression, Hierarchy, Identifier, Name, Node, Unary
from oracle_mimic.sql.walk import conjuncts, transform, walk
from oracle_mimic.types import Kind, OracleType

_NUMBER = OracleType(Kind.NUMBER)
_CARRIER = "DECIMAL(19,0)"


class HierarchyBinder(FromBinder):
    """Binds CONNECT BY; a part of the binder."""

    def hierarchy(self, node: Hierarchy, source: str, where: list[Condition], scope: Scope) -> tuple[str, list[Condition]]:
        """The text for FROM in which the rows are connected, and the conditions that hold after it.

        Conditions of WHERE that join tables come before CONNECT BY, all others after it, as Oracle has it.
        """
        if node.no_cycle:
            raise refused("CONNECT BY NOCYCLE", offset=node.start)
        joins = [condition for condition in where if len(scope.sources) > 1 and self._joins(condition, scope)]
        rest = [condition for condition in where if condition not in joins]
        before = " WHERE " + " AND ".join(self.condition(condition, scope) for condition in joins) if joins else ""
        scope.clause = "CONNECT BY"
        if node.start_with is None and not before and (series := self._series(node, source, scope)) is not None:
            return series, rest
        base, recursion = self.alias("h"), self.alias("h")
        selected = scope.remap(base)
        rows = f"(SELECT {', '.join(text for text, _ in selected)}, row_number() OVER () AS rn FROM {source}{before})"
        scope.level = Typed(f"CAST(1 AS {_CARRIER})", _NUMBER, _CARRIER, nullable=False)
        start = "TRUE" if node.start_with is None else self.condition(node.start_with, scope)
        parent_level = Typed(f"{recursion}.lvl", _NUMBER, _CARRIER, nullable=False)
        prior = _moved(scope, lambda sql: sql.replace(f"{base}.", f"{recursion}.", 1), parent_level)
        next_level = Typed(f"CAST({recursion}.lvl + 1 AS {_CARRIER})", _NUMBER, _CARRIER, nullable=False)
        connecting = _moved(scope, lambda sql: sql, next_level, prior)
        tests = [self.condition(condition, connecting) for condition in conjuncts(node.connect_by)]
        has_prior = any(isinstance(part, Unary) and part.operator == "PRIOR" for part in walk(node.connect_by))
        loop = f"list_contains({recursion}.path, {base}.rn)" if has_prior else "FALSE"
        path = f"CASE WHEN {loop} THEN error('ORA-01436: CONNECT BY loop in user data') ELSE list_append({recursion}.path, {base}.rn) END"
        names = [f"k{number}" for number in range(len(selected))]
        kept = ", ".join(f"{base}.{name} AS {name}" for name in names)
        none = ", ".join(f"CAST(NULL AS {carrier}) AS p{name}" for name, (_, carrier) in zip(names, selected, strict=True))
        parents = ", ".join(f"{recursion}.{name} AS p{name}" for name in names)
        anchor = f"SELECT {kept}, {none}, CAST(1 AS {_CARRIER}) AS lvl, [{base}.rn] AS path FROM {base}_rows AS {base} WHERE {start}"
        step = f"SELECT {kept}, {parents}, {next_level.sql}, {path} FROM {recursion}, {base}_rows AS {base} WHERE {' AND '.join(tests)}"
        sql = (
            f"(WITH RECURSIVE {base}_rows AS MATERIALIZED {rows}, {recursion} AS ({anchor} UNION ALL {step}) "
            f"SELECT * FROM {recursion} ORDER BY path) AS {base}"
        )
        scope.level = Typed(f"{base}.lvl", _NUMBER, _CARRIER, nullable=False)
        scope.prior = _moved(scope, lambda sql: sql.replace(f"{base}.", f"{base}.p", 1), scope.level)
        return sql, rest

    def _series(self, node: Hierarchy, source: str, scope: Scope) -> str | None:
        """CONNECT BY LEVEL <= n (or ROWNUM) over DUAL: the first n numbers, at least one row."""
        relation = scope.sources[0].relation
        is_dual = len(scope.sources) == 1 and relation is not None and relation.owner == "SYS" and relation.name == "DUAL"
        if not is_dual or not isinstance(node.connect_by, Comparison) or not _counts(node.connect_by):
            return None
        outer = Scope(parent=scope.parent, clause="CONNECT BY")

        def value(expression: Expression) -> Typed:
            return self.value(expression, outer)

        count = row_limit([transform(node.connect_by, _level_as_rownum)], value, self.ctx)
        alias = self.alias("h")
        scope.level = Typed(f"CAST({alias}.lvl AS {_CARRIER})", _NUMBER, _CARRIER, nullable=False)
        return f"{source}, range(1, greatest({count}, 1) + 1) AS {alias}(lvl)"

    def _joins(self, condition: Condition, scope: Scope) -> bool:
        """True when a condition relates two tables of FROM."""
        aliases: set[str] = set()
        for node in walk(condition):
            if isinstance(node, Name) and node.parts[-1].name not in ("LEVEL", "ROWNUM"):
                aliases.add(self.name(node, scope).sql.split(".", 1)[0])
        return len(aliases & {source.alias for source in scope.sources}) > 1


def _counts(node: Comparison) -> bool:
    """LEVEL or ROWNUM on one side only, nothing of the row on the other."""
    names = [part.parts[-1].name for part in walk(node) if isinstance(part, Name)]
    return names in (["LEVEL"], ["ROWNUM"]) and isinstance(node.left if node.operator in ("<", "<=") else node.right, Name)


def _level_as_rownum(node: Node) -> Node:
    if isinstance(node, Name) and node.parts[-1].name == "LEVEL":
        return replace(node, parts=(Identifier("ROWNUM", start=node.start, end=node.end),))
    return node


def _moved(scope: Scope, change: Callable[[str], str], level: Typed, prior: Scope | None = None) -> Scope:
    """A scope of the same columns, found elsewhere."""

    def column(old: SourceColumn) -> SourceColumn:
        return replace(old, typed=replace(old.typed, sql=change(old.typed.sql), nullable=True))

    sources = [replace(source, columns=[column(c) for c in source.columns]) for source in scope.sources]
    merged = [column(c) for c in scope.merged]
    return Scope(scope.parent, sources, merged, "CONNECT BY", level=level, prior=prior, common_tables=scope.common_tables)

"""CONNECT BY as a recursive query.

Each row carries its level and its path (the row numbers from its root down), which gives Oracle's order (a row, then its children)
and finds loops: ORA-01436.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.from_clause import FromBinder
from oracle_mimic.sql.binder.rownum import row_limit
from oracle_mimic.sql.binder.scope import Scope, SourceColumn
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.syntax import Call, Comparison, Condition, Expression, Hierarchy, Identifier, Name, Node, OrderItem, Unary
from oracle_mimic.sql.walk import conjuncts, transform, walk
from oracle_mimic.types import Kind, OracleType

_NUMBER = OracleType(Kind.NUMBER)
_CARRIER = "DECIMAL(19,0)"


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that rows hand down: what a root begins with, and what a child makes of its parent's."""

    node: Unary | Call
    first: Typed
    further: str


class HierarchyBinder(FromBinder):
    """Binds CONNECT BY; a part of the binder."""

    def hierarchy(
        self, node: Hierarchy, source: str, where: list[Condition], scope: Scope, *, used: list[Node], siblings: bool
    ) -> tuple[str, list[Condition]]:
        """The text for FROM in which the rows are connected, and the conditions that hold after it.

        Conditions of WHERE that join tables come before CONNECT BY, all others after it, as Oracle has it.
        used: the nodes of the block's other clauses, which may ask for roots and paths. siblings: ORDER BY in them is of siblings.
        """
        joins = [condition for condition in where if len(scope.sources) > 1 and self._joins(condition, scope)]
        rest = [condition for condition in where if condition not in joins]
        before = " WHERE " + " AND ".join(self.condition(condition, scope) for condition in joins) if joins else ""
        scope.clause = "CONNECT BY"
        if node.start_with is None and not before and (series := self._series(node, source, scope)) is not None:
            return series, rest
        base, recursion = self.alias("h"), self.alias("h")
        order = ""
        if siblings:
            keys = self.order_keys(tuple(part for part in used if isinstance(part, OrderItem)), scope)
            order = f"ORDER BY {', '.join(keys)}"
        selected = scope.remap(base)
        rows = f"(SELECT {', '.join(text for text, _ in selected)}, row_number() OVER ({order}) AS rn FROM {source}{before})"
        scope.level = Typed(f"CAST(1 AS {_CARRIER})", _NUMBER, _CARRIER, nullable=False)
        start = "TRUE" if node.start_with is None else self.condition(node.start_with, scope)
        parent_level = Typed(f"{recursion}.lvl", _NUMBER, _CARRIER, nullable=False)
        prior = _moved(scope, lambda sql: sql.replace(f"{base}.", f"{recursion}.", 1), parent_level)
        next_level = Typed(f"CAST({recursion}.lvl + 1 AS {_CARRIER})", _NUMBER, _CARRIER, nullable=False)
        connecting = _moved(scope, lambda sql: sql, next_level, prior)
        tests = [self.condition(condition, connecting) for condition in conjuncts(node.connect_by)]
        has_prior = any(isinstance(part, Unary) and part.operator == "PRIOR" for part in walk(node.connect_by))
        loop = f"list_contains({recursion}.path, {base}.rn)" if has_prior else "FALSE"
        if node.no_cycle:
            tests.append(f"NOT {loop}")
            loop = "FALSE"
        path = f"CASE WHEN {loop} THEN error('ORA-01436: CONNECT BY loop in user data') ELSE list_append({recursion}.path, {base}.rn) END"
        carried = [self._carried(part, number, recursion, scope) for number, part in enumerate(_carrying(used))]
        names = [f"k{number}" for number in range(len(selected))]
        kept = ", ".join(f"{base}.{name} AS {name}" for name in names)
        none = ", ".join(f"CAST(NULL AS {carrier}) AS p{name}" for name, (_, carrier) in zip(names, selected, strict=True))
        parents = ", ".join(f"{recursion}.{name} AS p{name}" for name in names)
        first = "".join(f", {part.first.sql} AS s{number}" for number, part in enumerate(carried))
        further = "".join(f", {part.further}" for part in carried)
        anchor = f"SELECT {kept}, {none}, CAST(1 AS {_CARRIER}) AS lvl, [{base}.rn] AS path{first} FROM {base}_rows AS {base} WHERE {start}"
        step = (
            f"SELECT {kept}, {parents}, {next_level.sql}, {path}{further} "
            f"FROM {recursion}, {base}_rows AS {base} WHERE {' AND '.join(tests)}"
        )
        leaf = "CASE WHEN lead(lvl) OVER (ORDER BY path) > lvl THEN 0 ELSE 1 END"
        sql = (
            f"(WITH RECURSIVE {base}_rows AS MATERIALIZED {rows}, {recursion} AS ({anchor} UNION ALL {step}) "
            f"SELECT *, CAST({leaf} AS {_CARRIER}) AS leaf FROM {recursion} ORDER BY path) AS {base}"
        )
        scope.hierarchy["CONNECT_BY_ISLEAF"] = Typed(f"{base}.leaf", _NUMBER, _CARRIER, nullable=False)
        for number, part in enumerate(carried):
            scope.carried[part.node] = replace(part.first, sql=f"{base}.s{number}", literal=None, nullable=True)
        scope.level = Typed(f"{base}.lvl", _NUMBER, _CARRIER, nullable=False)
        scope.prior = _moved(scope, lambda sql: sql.replace(f"{base}.", f"{base}.p", 1), scope.level)
        return sql, rest

    def _carried(self, node: Unary | Call, number: int, recursion: str, scope: Scope) -> Carried:
        """CONNECT_BY_ROOT stays as the root had it; SYS_CONNECT_BY_PATH grows by each row."""
        if isinstance(node, Unary):
            return Carried(node, self.value(node.operand, scope), f"{recursion}.s{number}")
        if len(node.arguments) != 2:
            raise OracleError(909, "invalid number of arguments", offset=node.start)
        value, separator = self.values(node.arguments, scope)
        if not isinstance(separator.literal, str):
            raise OracleError(30003, "illegal parameter in SYS_CONNECT_BY_PATH function", offset=node.start)
        step = expressions.concat(separator, value, self.ctx)
        whole = replace(step, type=OracleType(Kind.VARCHAR2, length=4000), literal=None)
        return Carried(node, whole, f"concat({recursion}.s{number}, {step.sql})")

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


def _carrying(nodes: list[Node]) -> list[Unary | Call]:
    found: list[Unary | Call] = []
    for node in nodes:
        is_root = isinstance(node, Unary) and node.operator == "CONNECT_BY_ROOT"
        is_path = isinstance(node, Call) and node.name[-1].name == "SYS_CONNECT_BY_PATH"
        if (is_root or is_path) and isinstance(node, (Unary, Call)) and node not in found:
            found.append(node)
    return found

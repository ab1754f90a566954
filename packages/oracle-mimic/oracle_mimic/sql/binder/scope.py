"""What names mean at a place of a statement: the sources in FROM, outer scopes, and the bookkeeping for GROUP BY.

Every column is a `Typed` whose text refers to its source by a DuckDB alias of ours, so Oracle's names never reach DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import Relation, Typed
from oracle_mimic.sql.expressions.derive import same_text
from oracle_mimic.sql.syntax import Expression
from oracle_mimic.types import Kind, OracleType


def quoted(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(slots=True)
class SourceColumn:
    """A column of a source under Oracle's name."""

    name: str
    typed: Typed
    hidden: bool = False
    joined: bool = False  # merged by USING or NATURAL: no longer to be qualified (ORA-25154), named once in `*`


@dataclass(slots=True)
class Source:
    """One element of FROM. `name`: what qualifies its columns; `owner`: set only for a table without an alias."""

    alias: str
    name: str | None
    columns: list[SourceColumn]
    owner: str | None = None
    relation: Relation | None = None
    rowid: Typed | None = None
    nullable: bool = False  # the null-supplying side of an outer join

    def find(self, name: str) -> list[SourceColumn]:
        return [column for column in self.columns if column.name == name]

    def null_supplied(self) -> None:
        """Its columns may be NULL whatever the table says."""
        self.nullable = True
        for column in self.columns:
            column.typed = replace(column.typed, nullable=True)
        if self.rowid is not None:
            self.rowid = replace(self.rowid, nullable=True)


def table_source(alias: str, relation: Relation, name: str | None, owner: str | None) -> Source:
    """A relation in FROM under a DuckDB alias."""
    columns = [
        SourceColumn(c.name, Typed(f"{alias}.{quoted(c.physical)}", c.type, c.carrier, nullable=c.nullable), hidden=c.hidden)
        for c in relation.columns
    ]
    rowid = None
    if relation.rowid_physical is not None:
        rowid = Typed(f"{alias}.{quoted(relation.rowid_physical)}", OracleType(Kind.ROWID), "HUGEINT", nullable=False)
    return Source(alias, name, columns, owner, relation, rowid)


@dataclass(slots=True)
class LooseColumn:
    """A column used outside aggregates in a block that may turn out to be grouped."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A GROUP BY expression: what stands for it elsewhere, and its DuckDB text in GROUP BY."""

    typed: Typed
    text: str


@dataclass(slots=True)
class Scope:
    """One query block (or DML statement): its sources and what holds while its clauses are bound.

    clause: for ORA-00934 and ORA-30483. loose: columns outside aggregates, judged when the block is known to be grouped.
    group_keys: meaning (`same_text`) of a GROUP BY expression -> what stands for it in the select list, and its text in GROUP BY.
    """

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: list[SourceColumn] = field(default_factory=list)
    clause: str = "FROM"
    rownum: Typed | None = None
    level: Typed | None = None
    hierarchy: dict[str, Typed] = field(default_factory=dict)
    carried: dict[Expression, Typed] = field(default_factory=dict)  # CONNECT_BY_ROOT and SYS_CONNECT_BY_PATH, by their node
    prior: Scope | None = None
    aliases: dict[str, list[Typed]] = field(default_factory=dict)
    grouped: bool = False
    group_keys: dict[str, GroupKey] = field(default_factory=dict)
    loose: list[LooseColumn] = field(default_factory=list)
    aggregate_depth: int = 0
    has_aggregates: bool = False
    common_tables: dict[str, Relation] = field(default_factory=dict)

    def group_key(self, sql: str) -> Typed | None:
        """What stands for an expression that is a GROUP BY expression; None for any other."""
        if not self.group_keys or self.aggregate_depth:
            return None
        found = self.group_keys.get(same_text(sql))
        return None if found is None else found.typed

    def common_table(self, name: str) -> Relation | None:
        """A table of a WITH clause that is visible here."""
        at: Scope | None = self
        while at is not None:
            if name in at.common_tables:
                return at.common_tables[name]
            at = at.parent
        return None

    def lookup(self, name: str) -> Typed | None:
        """An unqualified column of this block; ORA-00918 when two sources have it."""
        merged = [column.typed for column in self.merged if column.name == name]
        if merged:
            return merged[0]
        found = [column.typed for source in self.sources for column in source.find(name)]
        if len(found) > 1:
            raise OracleError(918, "column ambiguously defined")
        return found[0] if found else None

    def sources_named(self, qualifier: tuple[str, ...]) -> list[Source]:
        """The sources that T or S.T means."""
        name = qualifier[-1]
        owner = qualifier[0] if len(qualifier) == 2 else None
        return [s for s in self.sources if s.name == name and (owner is None or s.owner == owner)]

    def qualified(self, qualifier: tuple[str, ...], name: str) -> Typed | None:
        """T.C or S.T.C in this block."""
        sources = self.sources_named(qualifier)
        found = [column for source in sources for column in source.find(name)]
        if len(found) > 1:
            raise OracleError(918, "column ambiguously defined")
        if found and found[0].joined:
            raise OracleError(25154, "column part of USING clause cannot have qualifier")
        if found:
            return found[0].typed
        if name == "ROWID" and sources:
            return self._rowid(sources)
        return None

    def rowid_alone(self) -> Typed | None:
        """ROWID without a qualifier: of the only source that has one."""
        return self._rowid(self.sources) if self.sources else None

    def _rowid(self, sources: list[Source]) -> Typed:
        rowids = [source.rowid for source in sources if source.rowid is not None]
        if len(rowids) > 1:
            raise OracleError(918, "column ambiguously defined")
        if not rowids:
            raise OracleError(1446, "cannot select ROWID from, or sample, a view with DISTINCT, GROUP BY, etc.")
        return rowids[0]

    def star(self, qualifier: tuple[str, ...]) -> Iterator[SourceColumn]:
        """The columns of `*` or T.*; ORA-00904 for an unknown T, ORA-00918 for a name that a derived table has twice."""
        sources = self.sources_named(qualifier) if qualifier else self.sources
        if qualifier and not sources:
            raise OracleError(904, ".".join(f'"{part}"' for part in qualifier) + ": invalid identifier")
        if not qualifier:
            yield from self.merged
        for source in sources:
            names = [column.name for column in source.columns]
            for column in source.columns:
                if column.hidden or (column.joined and not qualifier):
                    continue
                if names.count(column.name) > 1:
                    raise OracleError(918, "column ambiguously defined")
                yield column

    def remap(self, alias: str) -> list[tuple[str, str]]:
        """Make every column refer to one derived table `alias` with columns k0.. that selects them all; (its select list, carriers)."""
        selected: list[tuple[str, str]] = []

        def moved(typed: Typed) -> Typed:
            name = f"k{len(selected)}"
            selected.append((f"{typed.sql} AS {name}", typed.carrier))
            return replace(typed, sql=f"{alias}.{name}")

        for scope in (self, self.prior):
            if scope is not None:
                for column in [*scope.merged, *(column for source in scope.sources for column in source.columns)]:
                    column.typed = moved(column.typed)
        for source in self.sources:
            if source.rowid is not None:
                source.rowid = moved(source.rowid)
        if self.level is not None:
            self.level = moved(self.level)
        for name, typed in self.hierarchy.items():
            self.hierarchy[name] = moved(typed)
        for node, typed in self.carried.items():
            self.carried[node] = moved(typed)
        return selected or [("1 AS k0", "INTEGER")]

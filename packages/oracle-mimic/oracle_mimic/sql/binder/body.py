"""A query that was bound: its DuckDB text and what its columns are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from oracle_mimic.sql.bound import Relation, RelationColumn, Typed


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a query: Oracle's name, and its type and carrier (the text of `typed` means nothing outside the query)."""

    name: str
    typed: Typed


@dataclass(frozen=True, slots=True)
class Body:
    """`sql` gives the columns c0, c1, ... in order, in their carriers."""

    sql: str
    columns: tuple[OutputColumn, ...]

    def columns_of(self, alias: str) -> list[Typed]:
        """The columns as values of this query under an alias."""
        return [_plain(column.typed, f"{alias}.c{number}") for number, column in enumerate(self.columns)]

    def relation(self) -> Relation:
        """The query as something in FROM."""
        columns = tuple(
            RelationColumn(column.name, column.typed.type, column.typed.carrier, f"c{number}", column.typed.nullable)
            for number, column in enumerate(self.columns)
        )
        return Relation(f"({self.sql})", columns)


def _plain(typed: Typed, sql: str) -> Typed:
    return replace(typed, sql=sql, literal=None, aggregate=False, windowed=False)

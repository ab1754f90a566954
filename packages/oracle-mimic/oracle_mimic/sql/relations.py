"""What a name in FROM stands for: base tables as filtered row versions, views, virtual relations (the dictionary), synonyms.

`VirtualRelation` is how the dictionary and the fixed (V$) views come in: columns and a function that makes their rows for a session
when a statement runs. They are found under SYS and through the public names given at registration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import rowids
from oracle_mimic.sql.bound import Relation, RelationColumn
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.privileges import Privileges
from oracle_mimic.sql.transactions import VISIBLE
from oracle_mimic.types import Column

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

ROWID_COLUMN = "row_id"


@dataclass(frozen=True, slots=True)
class VirtualRelation:
    """A relation whose rows are computed: dictionary and fixed views.

    name: as SYS owns it, e.g. ALL_TABLES or V_$SESSION; synonyms: public names, e.g. V$SESSION.
    columns: names and types; the table that `rows` returns has one Arrow column for each, in order, in the carrier's Arrow type.
    open_to_all: every user may select (ALL_, USER_, ...); otherwise it takes a grant on it, SELECT_CATALOG_ROLE or
    SELECT ANY DICTIONARY, and is ORA-00942 without.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Session], pa.Table]
    open_to_all: bool = True
    synonyms: tuple[str, ...] = ()

    @property
    def registered_name(self) -> str:
        """The DuckDB name under which a statement's rows are registered."""
        return "v_" + "".join(character if character.isalnum() else "_" for character in self.name.lower())

    def relation(self) -> Relation:
        """As the binder sees it."""
        columns = tuple(
            RelationColumn(column.name, column.type, duckdb_type(column.type), f"c{number}", column.nullable)
            for number, column in enumerate(self.columns)
        )
        selected = ", ".join(f"CAST(c{number} AS {column.carrier}) AS c{number}" for number, column in enumerate(columns))
        return Relation(f"(SELECT {selected} FROM {self.registered_name})", columns, "SYS", self.name)

    def materialise(self, session: Session) -> pa.Table:
        """Its rows now, with the physical column names."""
        return self.rows(session).rename_columns([f"c{number}" for number in range(len(self.columns))])


@dataclass(slots=True)
class VirtualRelations:
    """The registered ones, by SYS's names and by public synonym."""

    by_name: dict[str, VirtualRelation] = field(default_factory=dict)
    by_synonym: dict[str, VirtualRelation] = field(default_factory=dict)

    def register(self, relation: VirtualRelation) -> None:
        """Make a relation known under its name and its synonyms. V_$ and GV_$ names are SYS's alone: no synonym is spelled like them."""
        self.by_name[relation.name] = relation
        public = () if relation.name.startswith(("V_$", "GV_$")) else (relation.name,)
        for name in (*public, *relation.synonyms):
            self.by_synonym[name] = relation

    def find(self, owner: str | None, name: str, privileges: Privileges, schema: str | None = None) -> VirtualRelation | None:
        """The relation a name stands for; None when there is none or it may not be seen. schema: the session's current one."""
        if owner == "SYS" or (owner is None and schema == "SYS" and name in self.by_name):
            found = self.by_name.get(name)
        else:
            found = self.by_synonym.get(name) if owner in (None, "PUBLIC") else None
        if found is None or found.open_to_all:
            return found
        allowed = (
            privileges.has_role("SELECT_CATALOG_ROLE")
            or privileges.has_role("DBA")
            or privileges.has_system("SELECT ANY DICTIONARY")
            or privileges.has_named("SYS", found.name, "SELECT", "READ")
        )
        return found if allowed else None


def table_columns(table: Table) -> tuple[RelationColumn, ...]:
    """A table's columns as the binder sees them; invisible ones are not in `*`."""
    return tuple(
        RelationColumn(
            column.name,
            column.type,
            column.carrier,
            column.physical,
            column.nullable,
            column.invisible,
            column.default,
            column.identity is not None,
        )
        for column in table.columns
    )


def table_relation(table: Table, session_id: int, visible: str = VISIBLE, parameters: Mapping[str, Any] | None = None) -> Relation:
    """A base table: the versions a statement sees, without the hidden columns, with the ROWID."""
    columns = "".join(f", {column.physical}" for column in table.columns)
    private = f" AND sx = {session_id}" if table.temporary is not None else ""
    offset = rowids.rowid_offset(table.data_object_id)
    return Relation(
        f"(SELECT (rid::HUGEINT + {offset}::HUGEINT) AS {ROWID_COLUMN}{columns} FROM {table.physical} WHERE {visible}{private})",
        table_columns(table),
        table.owner,
        table.name,
        table.object_id,
        ROWID_COLUMN,
        dict(parameters or {}),
    )


def missing(owner: str | None, name: str) -> OracleError:
    """ORA-00942."""
    del owner, name  # Oracle 19c does not name it
    return OracleError(942, "table or view does not exist")

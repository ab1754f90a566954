"""How a dictionary view is declared, and how the declaration becomes a relation of the engine.

Columns are written as Oracle's documentation lists them, one a line: name, type, `NOT NULL`, and `= constant` for what every row of
the mimic has (a row may still say otherwise). A row is a dict from column name to Python value; a column it leaves out is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from oracle_mimic import number
from oracle_mimic.sql.catalog import AnyObject, Catalog, Index, Synonym
from oracle_mimic.sql.parser import TokenReader, data_type
from oracle_mimic.sql.privileges import Privileges
from oracle_mimic.sql.relations import VirtualRelation
from oracle_mimic.types import Column, Kind, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.database import Database
    from oracle_mimic.sql.session import Session

Level = Literal["ALL", "USER", "DBA"]
Value = str | int | float | Decimal | bytes | datetime | None
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Scope:
    """Who looks at a view and how far he sees; one per statement and view."""

    session: Session
    catalog: Catalog
    privileges: Privileges
    level: Level = "DBA"

    @property
    def database(self) -> Database:
        return self.session.database

    @property
    def user(self) -> str:
        """The user logged in: USER_ views are about him, whatever CURRENT_SCHEMA says."""
        return self.session.user

    def shows(self, entry: AnyObject) -> bool:
        """Whether a view of this level lists the object. An index is seen by who sees its table, a synonym by who sees its target."""
        if self.level == "USER":
            return entry.owner == self.user
        return self.level == "DBA" or self.sees(entry)

    def sees(self, entry: AnyObject) -> bool:
        """Whether the user has any right on the object."""
        if entry.owner == self.user:
            return True
        if isinstance(entry, Index):
            table = self.catalog.objects.get(entry.table_id)
            return table is not None and self.sees(table)
        if isinstance(entry, Synonym):
            target = self.catalog.get(entry.target_owner, entry.target_name)
            return entry.owner == "PUBLIC" or (target is not None and not isinstance(target, Synonym) and self.sees(target))
        return self.privileges.sees(entry)

    def local(self, moment: datetime | None) -> datetime | None:
        """A moment (naive = UTC, as the catalog keeps it) on the server's wall clock, as a DATE shows it."""
        if moment is None:
            return None
        return self.database.clock.local(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).replace(microsecond=0)

    def dictionary_views(self) -> Iterator[VirtualRelation]:
        """The views of SYS that the user may query, by name; none is his own but for SYS."""
        if self.level == "USER" and self.user != "SYS":
            return iter(())
        virtual = self.database.virtual
        return (view for name, view in sorted(virtual.by_name.items()) if virtual.find("SYS", name, self.privileges) is not None)


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of a dictionary view; `constant` is its value in rows that do not give one."""

    column: Column
    constant: Value = None


@dataclass(frozen=True, slots=True)
class DictionaryView:
    """One view of SYS.

    name, synonyms, open_to_all: see `VirtualRelation`. rows: makes the rows. lasting: they depend on nothing but the catalog and the
    user, so they may be kept until DDL changes the catalog.
    """

    name: str
    columns: tuple[ColumnDefinition, ...]
    rows: Callable[[Scope], Iterable[Row]]
    level: Level = "DBA"
    open_to_all: bool = True
    synonyms: tuple[str, ...] = ()
    lasting: bool = False

    def table(self, session: Session) -> pa.Table:
        """The rows that a session sees now, each column in its carrier's Arrow type."""
        catalog = session.database.catalog
        rows = list(self.rows(Scope(session, catalog, Privileges(catalog, session.user), self.level)))
        given = {name for row in rows for name in row}
        arrays = [
            arrow_array(defined.column.type, [row.get(defined.column.name, defined.constant) for row in rows])
            if defined.column.name in given
            else pa.repeat(arrow_array(defined.column.type, [defined.constant])[0], len(rows))
            for defined in self.columns
        ]
        return pa.Table.from_arrays(arrays, [defined.column.name for defined in self.columns])

    def relation(self) -> VirtualRelation:
        """As the engine knows it: one per database, because a lasting view keeps its last rows."""
        make = _Kept(self).table if self.lasting else self.table
        return VirtualRelation(self.name, tuple(d.column for d in self.columns), make, self.open_to_all, self.synonyms)


class _Kept:
    """The rows of a lasting view by user, for as long as the catalog is the same object."""

    def __init__(self, view: DictionaryView) -> None:
        self._view = view
        self._tables: dict[str, tuple[Catalog, pa.Table]] = {}

    def table(self, session: Session) -> pa.Table:
        catalog = session.database.catalog
        kept = self._tables.get(session.user)
        if kept is not None and kept[0] is catalog:
            return kept[1]
        made = self._view.table(session)
        self._tables[session.user] = (catalog, made)
        return made


# declaring


def family(
    name: str,
    columns: str,
    rows: Callable[[Scope], Iterable[Row]],
    *,
    user_without: Sequence[str] = ("OWNER",),
    user_synonym: str | None = None,
    levels: Sequence[Level] = ("ALL", "USER", "DBA"),
    lasting: bool = True,
) -> list[DictionaryView]:
    """ALL_name, USER_name and DBA_name: the same columns, but for those that the USER_ view does without.

    user_synonym: the short public name of the USER_ view, e.g. TABS.
    """
    defined = definitions(columns)
    without = tuple(d for d in defined if d.column.name not in user_without)
    made = {
        "ALL": DictionaryView(f"ALL_{name}", defined, rows, "ALL", lasting=lasting),
        "USER": DictionaryView(f"USER_{name}", without, rows, "USER", synonyms=(user_synonym,) if user_synonym else (), lasting=lasting),
        "DBA": DictionaryView(f"DBA_{name}", defined, rows, "DBA", open_to_all=False, lasting=lasting),
    }
    return [made[level] for level in levels]


def single(
    name: str,
    columns: str,
    rows: Callable[[Scope], Iterable[Row]],
    *,
    level: Level = "DBA",
    open_to_all: bool = True,
    synonyms: Sequence[str] = (),
    lasting: bool = False,
) -> list[DictionaryView]:
    """A view that is no family's."""
    return [DictionaryView(name, definitions(columns), rows, level, open_to_all, tuple(synonyms), lasting)]


def fixed(name: str, columns: str, rows: Callable[[Scope], Iterable[Row]], *, open_to_all: bool = False) -> list[DictionaryView]:
    """V_$name with the public synonym V$name, and GV_$name, GV$name with INST_ID in front."""
    defined = definitions(columns)
    instance = definitions("INST_ID NUMBER = 1")
    return [
        DictionaryView(f"V_${name}", defined, rows, open_to_all=open_to_all, synonyms=(f"V${name}",)),
        DictionaryView(f"GV_${name}", instance + defined, rows, open_to_all=open_to_all, synonyms=(f"GV${name}",)),
    ]


def empty(scope: Scope) -> Iterable[Row]:
    """The rows of a view of things that a mimic never has."""
    del scope
    return ()


def definitions(columns: str) -> tuple[ColumnDefinition, ...]:
    """Read a list of columns, one a line."""
    return tuple(_definition(line.strip()) for line in columns.strip().splitlines())


def _definition(line: str) -> ColumnDefinition:
    declared, _, constant = line.partition(" = ")
    name, _, rest = declared.partition(" ")
    type_text = rest.removesuffix(" NOT NULL")
    type_ = data_type(TokenReader(type_text))
    value: Value = (int(constant) if type_.kind is Kind.NUMBER else constant) if constant else None
    return ColumnDefinition(Column(name, type_, nullable=type_text == rest), value)


# values


@lru_cache(maxsize=8192)
def number_bytes(value: int | Decimal) -> bytes:
    """Oracle's NUMBER bytes; the dictionary's numbers are few and come back often."""
    return number.from_decimal(Decimal(value))


_ARROW_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.VARCHAR2: pa.string(),
    Kind.LONG: pa.string(),
    Kind.CLOB: pa.string(),
    Kind.RAW: pa.binary(),
    Kind.DATE: pa.timestamp("s"),
    Kind.ROWID: pa.decimal128(38, 0),
}


def arrow_array(type_: OracleType, values: Sequence[Value]) -> pa.Array:
    """Values in the Arrow type of their carrier; '' is NULL, text that is too long is cut."""
    if type_.kind is Kind.NUMBER:
        return pa.array([None if value is None else number_bytes(_numeric(value)) for value in values], pa.binary())
    if type_.length is not None:
        return pa.array([_cut(value, type_.length) for value in values], _ARROW_TYPES[type_.kind])
    return pa.array([None if value == "" else value for value in values], _ARROW_TYPES[type_.kind])


def _cut(value: Value, length: int) -> Value:
    """What fits into the declared bytes: Oracle cuts, too, where a view's column is narrower than what it shows (MODULE, PROGRAM)."""
    if isinstance(value, str) and len(value) * 4 > length:
        return value.encode()[:length].decode(errors="ignore") or None
    return value or None


def _numeric(value: Value) -> int | Decimal:
    if not isinstance(value, (int, Decimal)):
        raise TypeError(f"{value!r} in a NUMBER column")
    return value

"""What a DDL action works with: the session, the DuckDB transaction's cursor and the new dictionary; names, rights, locks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import AnyObject, Catalog, Index, Sequence, Synonym, Table, View
from oracle_mimic.sql.engine import Connection
from oracle_mimic.sql.locks import Mode
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.privileges import ANY_PRIVILEGE, Privileges, object_type

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

Entry = TypeVar("Entry", Table, View, Sequence, Synonym, Index)


@dataclass(frozen=True, slots=True)
class ObjectName:
    """[owner.]name as written."""

    owner: str | None
    name: str


def object_name(reader: TokenReader, code: int = 903, text: str = "invalid table name") -> ObjectName:
    """Read [owner.]name."""
    first = reader.identifier(code, text).name
    if reader.take_op("."):
        return ObjectName(first, reader.identifier(code, text).name)
    if reader.at_op("@"):
        raise OracleError(2021, "DDL operations are not allowed on a remote database")
    return ObjectName(None, first)


@dataclass
class Change:
    """One DDL statement at work."""

    session: Session
    cursor: Connection
    catalog: Catalog

    @cached_property
    def privileges(self) -> Privileges:
        """Of the user, in the dictionary before the change."""
        return Privileges(self.catalog, self.session.user)

    @cached_property
    def moment(self) -> datetime:
        """Now, as the dictionary keeps it."""
        return self.session.database.clock.now().replace(tzinfo=None, microsecond=0)

    @property
    def scn(self) -> int:
        """The SCN at which the change will be seen."""
        return self.session.database.reserved_scn()

    def owner_of(self, name: ObjectName) -> str:
        """The schema a new object goes to; ORA-01918 for an unknown one."""
        owner = name.owner or self.session.current_schema
        if owner not in self.catalog.users:
            raise OracleError(1918, f"user '{owner}' does not exist")
        return owner

    def require_create(self, owner: str, kind: str) -> None:
        """CREATE kind for the own schema, CREATE ANY kind for others: ORA-01031."""
        own = () if owner != self.session.user else (f"CREATE {kind}",)
        self.privileges.require_system(*own, f"CREATE ANY {kind}")

    def require_free(self, owner: str, name: str) -> None:
        """ORA-00955 when the name is taken in the shared name space."""
        if self.catalog.get(owner, name) is not None:
            raise OracleError(955, "name is already used by an existing object")

    def find(self, name: ObjectName, kind: type[Entry], missing: OracleError) -> Entry:
        """The object of a kind under its own name (synonyms are not followed), else the given error."""
        owner = name.owner or self.session.current_schema
        if kind is Index:
            found: AnyObject | None = self.catalog.objects.get(self.catalog.index_names.get((owner, name.name), 0))
        else:
            found = self.catalog.get(owner, name.name)
        if not isinstance(found, kind):
            raise missing
        return found

    def find_table(self, name: ObjectName, *, privilege: str = "ALTER") -> Table:
        """A table one may alter: ORA-00942 when it cannot be seen, ORA-01031 when it can."""
        table = self.find(name, Table, OracleError(942, "table or view does not exist"))
        if not self.may(table, privilege):
            seen = self.privileges.sees(table)
            raise OracleError(1031, "insufficient privileges") if seen else OracleError(942, "table or view does not exist")
        return table

    def may(self, entry: AnyObject, what: str) -> bool:
        """Owner, an ANY privilege, or (ALTER, INDEX) an object grant."""
        if self.session.user in ("SYS", entry.owner):
            return True
        if isinstance(entry, (Table, View, Sequence)) and self.privileges.has_object(entry, what):
            return True
        needed = ANY_PRIVILEGE.get((object_type(entry), what), ())
        return bool(needed) and entry.owner != "SYS" and self.privileges.has_system(*needed)

    def require(self, entry: AnyObject, what: str) -> None:
        """ORA-01031 unless `may`."""
        if not self.may(entry, what):
            raise OracleError(1031, "insufficient privileges")

    def lock(self, table: Table) -> None:
        """DDL needs the table for itself: ORA-00054 while a transaction holds it."""
        locks = self.session.database.locks
        if locks.table_holders(table.object_id, Mode.EXCLUSIVE, self.session.session_id):
            raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
        if table.temporary is not None and self.session.database.has_private_rows(self.cursor, table):
            raise OracleError(14452, "attempt to create, alter or drop an index on temporary table already in use")

    def put(self, entry: AnyObject) -> None:
        """Store a new or changed object with the time of the change."""
        self.catalog.put(replace(entry, last_ddl=self.moment))

    def put_table(self, table: Table) -> None:
        """Store a table whose shape changed: older SCNs are not readable any more (ORA-01466)."""
        self.put(replace(table, changed_scn=self.scn))


def _nothing(_: Session) -> None:
    return None


def _nothing_to_prepare(_: Session, __: Catalog) -> None:
    return None


@dataclass(slots=True)
class Action:
    """A parsed statement. prepare: long work before the locks are taken; apply: the change; done: after it is stored."""

    apply: Callable[[Change], None]
    prepare: Callable[[Session, Catalog], None] = field(default=_nothing_to_prepare)
    done: Callable[[Session], None] = field(default=_nothing)

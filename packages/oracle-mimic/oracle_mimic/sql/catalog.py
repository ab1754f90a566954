"""The data dictionary as values: users, roles, grants, tables, constraints, indexes, views, sequences, synonyms.

A `Catalog` is a set of plain dictionaries of frozen dataclasses. DDL works on a `copy()`, the engine stores the difference and the
database swaps the new catalog in: a reader that holds a catalog sees one consistent dictionary for ever. Nothing here runs SQL;
privileges are judged in `privileges.py`, storage is in `catalog_codec.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import carriers
from oracle_mimic.types import Column, OracleType

PUBLIC = "PUBLIC"
ROW_ID, BEGIN_WRITE, END_WRITE, SESSION_ID = "rid", "bx", "ex", "sx"  # hidden physical columns of every table (sx: temporary ones)

ConstraintKind = Literal["P", "U", "R", "C"]
DeleteRule = Literal["NO ACTION", "CASCADE", "SET NULL"]


@dataclass(frozen=True, slots=True)
class Identity:
    """GENERATED [ALWAYS | BY DEFAULT [ON NULL]] AS IDENTITY; `sequence_id` is the object id of the sequence that feeds it."""

    sequence_id: int
    always: bool
    on_null: bool


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column as declared. `number` names the physical column (c<number>) and is never used again after DROP COLUMN."""

    name: str
    type: OracleType
    number: int
    nullable: bool = True
    default: str | None = None  # the text after DEFAULT
    default_on_null: bool = False
    identity: Identity | None = None
    invisible: bool = False
    comment: str | None = None

    @property
    def physical(self) -> str:
        """The DuckDB column that holds it."""
        return f"c{self.number}"

    @property
    def carrier(self) -> str:
        """The DuckDB type that holds it."""
        return carriers.duckdb_type(self.type)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table; `kind` as in ALL_CONSTRAINTS.CONSTRAINT_TYPE (NOT NULL is a check on one column).

    condition: the text of a check; `not_null`: this check is the NOT NULL of its only column.
    parent_table, parent_constraint: for 'R', the object id and the name of the key referred to.
    index_id: for 'P' and 'U', the index that enforces it.
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...]
    condition: str | None = None
    not_null: bool = False
    parent_table: int | None = None
    parent_constraint: str | None = None
    delete_rule: DeleteRule = "NO ACTION"
    enabled: bool = True
    validated: bool = True
    generated_name: bool = False
    index_id: int | None = None
    last_change: datetime | None = None


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """What every object of a schema has. `created` and `last_ddl` are UTC, naive, to the second."""

    object_id: int
    owner: str
    name: str
    created: datetime
    last_ddl: datetime


@dataclass(frozen=True, slots=True)
class Table(SchemaObject):
    """A table. `temporary`: None, or what happens to a session's rows at COMMIT.

    changed_scn: rows as of an older SCN are refused (ORA-01466). attributes: physical clauses that change no meaning, as given
    (TABLESPACE, PCT_FREE, LOGGING, COMPRESSION, DEGREE, ...), for the dictionary. statistics: what ANALYZE/DBMS_STATS stored.
    """

    data_object_id: int
    columns: tuple[TableColumn, ...]
    constraints: tuple[Constraint, ...] = ()
    temporary: Literal["DELETE", "PRESERVE"] | None = None
    comment: str | None = None
    changed_scn: int = 0
    next_column_number: int = 1
    attributes: dict[str, str] = field(default_factory=dict)
    num_rows: int | None = None
    last_analyzed: datetime | None = None

    @property
    def physical(self) -> str:
        """The DuckDB table that holds its row versions."""
        return f"data.t{self.object_id}"

    def column(self, name: str) -> TableColumn | None:
        """The column of that exact name."""
        return next((column for column in self.columns if column.name == name), None)

    def constraint(self, name: str) -> Constraint | None:
        """The constraint of that exact name."""
        return next((constraint for constraint in self.constraints if constraint.name == name), None)

    @property
    def primary_key(self) -> Constraint | None:
        """The primary key, enabled or not."""
        return next((constraint for constraint in self.constraints if constraint.kind == "P"), None)


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """An index key part: the name of a column, or an expression's text (then `expression` is True)."""

    text: str
    descending: bool = False
    expression: bool = False


@dataclass(frozen=True, slots=True)
class Index(SchemaObject):
    """A catalog entry: DuckDB scans. Unique ones are enforced. `generated`: made for a constraint without naming it."""

    table_id: int
    columns: tuple[IndexColumn, ...]
    unique: bool
    generated: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    usable: bool = True
    visible: bool = True
    index_type: str = "NORMAL"


@dataclass(frozen=True, slots=True)
class View(SchemaObject):
    """A stored query text. `columns` is its describe when it was created (or last compiled); valid=False: FORCE with errors."""

    text: str
    columns: tuple[Column, ...]
    aliases: tuple[str, ...] = ()
    read_only: bool = False
    check_option: bool = False
    valid: bool = True
    comment: str | None = None
    column_comments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sequence(SchemaObject):
    """A sequence's definition; its next value lives in the engine (it does not roll back). `identity`: feeds an identity column."""

    start: int = 1
    increment: int = 1
    minimum: int = 1
    maximum: int = 10**28 - 1
    cycle: bool = False
    cache: int = 20
    ordered: bool = False
    identity: bool = False


@dataclass(frozen=True, slots=True)
class Synonym(SchemaObject):
    """A name for (target_owner, target_name); owner PUBLIC for a public one."""

    target_owner: str
    target_name: str


AnyObject = Table | View | Sequence | Synonym | Index


@dataclass(frozen=True, slots=True)
class User:
    """A schema. Without a verifier nobody can log in as it (SYS, SYSTEM unless given a password).

    locked_by_failures: the lock ends by itself (PASSWORD_LOCK_TIME). password_at: when the password was set; expired: it must be
    changed (PASSWORD EXPIRE); grace_until: the end of the days of grace, from the first logon after PASSWORD_LIFE_TIME on.
    """

    name: str
    user_id: int
    created: datetime
    salt: str | None = None  # hex
    key: str | None = None  # hex
    locked_at: datetime | None = None
    default_tablespace: str = "USERS"
    temporary_tablespace: str = "TEMP"
    quotas: dict[str, str] = field(default_factory=dict)  # tablespace -> UNLIMITED or bytes
    oracle_maintained: bool = False
    profile: str = "DEFAULT"
    locked_by_failures: bool = False
    password_at: datetime | None = None
    expired: bool = False
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of users: resource name -> number, UNLIMITED or DEFAULT (what the profile DEFAULT says)."""

    name: str
    limits: dict[str, str]


@dataclass(frozen=True, slots=True)
class Role:
    """A role; oracle_maintained for those every database has."""

    name: str
    role_id: int
    oracle_maintained: bool = False


@dataclass(frozen=True, slots=True)
class ObjectGrant:
    """GRANT privilege ON object TO grantee. `object_id` 0 = a dictionary view of SYS, then `name` tells which."""

    grantee: str
    owner: str
    name: str
    object_id: int
    privilege: str
    grantor: str
    grantable: bool = False
    column: str | None = None


@dataclass(frozen=True, slots=True)
class SystemGrant:
    """GRANT system privilege TO grantee [WITH ADMIN OPTION]."""

    grantee: str
    privilege: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """GRANT role TO grantee [WITH ADMIN OPTION]."""

    grantee: str
    role: str
    admin: bool = False


@dataclass(slots=True)
class Catalog:
    """One version of the dictionary. Tables, views, sequences and synonyms share a name space per owner, indexes have their own."""

    version: int = 0
    next_object_id: int = 70001
    next_constraint_number: int = 8001
    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    objects: dict[int, AnyObject] = field(default_factory=dict)
    object_grants: dict[tuple[str, str, str, str, str], ObjectGrant] = field(default_factory=dict)
    system_grants: dict[tuple[str, str], SystemGrant] = field(default_factory=dict)
    role_grants: dict[tuple[str, str], RoleGrant] = field(default_factory=dict)
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    index_names: dict[tuple[str, str], int] = field(default_factory=dict)

    def copy(self) -> Catalog:
        """A catalog of the next version that shares every definition with this one."""
        return replace(
            self,
            version=self.version + 1,
            users=dict(self.users),
            roles=dict(self.roles),
            profiles=dict(self.profiles),
            objects=dict(self.objects),
            object_grants=dict(self.object_grants),
            system_grants=dict(self.system_grants),
            role_grants=dict(self.role_grants),
            names=dict(self.names),
            index_names=dict(self.index_names),
        )

    def allot_object_id(self) -> int:
        """A number no object of this database had before."""
        number = self.next_object_id
        self.next_object_id += 1
        return number

    def allot_constraint_name(self) -> str:
        """SYS_Cnnnnnnn, as Oracle names constraints without a name."""
        number = self.next_constraint_number
        self.next_constraint_number += 1
        return f"SYS_C{number:07d}"

    def put(self, entry: AnyObject) -> None:
        """Add an object or replace the one of its object id (a changed name included)."""
        self.remove(entry.object_id)
        self.objects[entry.object_id] = entry
        (self.index_names if isinstance(entry, Index) else self.names)[entry.owner, entry.name] = entry.object_id

    def remove(self, object_id: int) -> None:
        """Forget an object; its grants stay until `drop_grants`."""
        old = self.objects.pop(object_id, None)
        if old is not None:
            (self.index_names if isinstance(old, Index) else self.names).pop((old.owner, old.name), None)

    def drop_grants(self, owner: str, name: str) -> None:
        """Forget the grants on an object, as DROP does."""
        for key in [key for key, grant in self.object_grants.items() if grant.owner == owner and grant.name == name]:
            del self.object_grants[key]

    def get(self, owner: str, name: str) -> Table | View | Sequence | Synonym | None:
        """The object of that exact name in the shared name space; synonyms are not followed."""
        found = self.objects.get(self.names.get((owner, name), 0))
        return found if found is None or not isinstance(found, Index) else None

    def table(self, object_id: int) -> Table:
        """The table of an object id known to exist. ORA-08103 when it was dropped meanwhile."""
        found = self.objects.get(object_id)
        if not isinstance(found, Table):
            raise OracleError(8103, "object no longer exists")
        return found

    def resolve(self, schema: str, owner: str | None, name: str) -> tuple[str, str]:
        """Follow synonyms from a name as written to (owner, name) of what it stands for, which need not exist.

        schema: the session's current schema, looked in first; then PUBLIC synonyms. ORA-01775 for a chain that loops.
        """
        seen: set[tuple[str, str]] = set()
        key = (owner or schema, name)
        while True:
            found = self.get(*key)
            if found is None and owner is None and not seen:
                found = self.get(PUBLIC, name)
            if not isinstance(found, Synonym):
                return key
            key = (found.target_owner, found.target_name)
            if key in seen:
                raise OracleError(1775, "looping chain of synonyms")
            seen.add(key)

    def tables(self) -> Iterator[Table]:
        """Every table."""
        return (entry for entry in self.objects.values() if isinstance(entry, Table))

    def indexes_of(self, table_id: int) -> list[Index]:
        """The indexes of a table, oldest first."""
        return [entry for entry in self.objects.values() if isinstance(entry, Index) and entry.table_id == table_id]

    def children_of(self, table_id: int) -> list[tuple[Table, Constraint]]:
        """The foreign keys that refer to a table."""
        return [(t, c) for t in self.tables() for c in t.constraints if c.kind == "R" and c.parent_table == table_id]

    def constraint_owner(self, owner: str, name: str) -> Table | None:
        """The table whose constraint has that name in that schema (constraint names are unique per schema)."""
        return next((t for t in self.tables() if t.owner == owner and t.constraint(name) is not None), None)

    def grantees(self, user: str) -> frozenset[str]:
        """The user, PUBLIC and every role that reaches the user, directly or through roles."""
        reached = {user, PUBLIC}
        pending = [user, PUBLIC]
        while pending:
            grantee = pending.pop()
            for grant in self.role_grants.values():
                if grant.grantee == grantee and grant.role not in reached:
                    reached.add(grant.role)
                    pending.append(grant.role)
        return frozenset(reached)

"""What passes between the modules of the SQL room: typed expressions, relations, bound statements.

binder:       text -> syntax tree -> bound statements (DuckDB SQL text whose every expression had an Oracle type)
expressions:  operators, conversions and functions on `Typed` values
engine:       executes bound statements; supplies relations, snapshot parameters and session values
No module of this room lets text through that was not built from typed parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from oracle_mimic.types import Column, Kind, OracleType


@dataclass(frozen=True, slots=True)
class Typed:
    """A DuckDB expression and what it means in Oracle.

    sql: DuckDB text, safe to embed (parenthesised when it is not atomic).
    type: Oracle's type, as a describe of this expression tells it.
    carrier: the DuckDB type of the expression, exactly as `carriers.duckdb_type` spells it, e.g. 'DECIMAL(19,4)', 'BLOB'.
    literal: the Python value when it is a constant known at bind time, else None (lets masks and scales be read early).
    is_null_literal: NULL or '' itself: takes any type.
    aggregate / windowed: contains an aggregate (not inside OVER) / a window function.
    """

    sql: str
    type: OracleType
    carrier: str
    nullable: bool = True
    literal: Any = None
    is_null_literal: bool = False
    aggregate: bool = False
    windowed: bool = False


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One term of the ORDER BY inside an aggregate (WITHIN GROUP, KEEP); nulls_first None: Oracle's default."""

    value: Typed
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class BindSlot:
    """One bind of a statement as the client declared it: `arrow` is the str() of its values' Arrow type, e.g. 'int64'; None: none
    is known (describe without values, RETURNING)."""

    type: OracleType
    arrow: str | None = None


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """One column of something in FROM: `name` as Oracle knows it (exact spelling), `physical` the DuckDB column name (unquoted)."""

    name: str
    type: OracleType
    carrier: str
    physical: str
    nullable: bool = True
    hidden: bool = False  # not in `*`
    default: str | None = None  # Oracle's text of the DEFAULT; base tables only
    identity: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table expression in DuckDB SQL: `sql` goes after FROM, without alias.

    For a base table it is a parenthesised SELECT with the visibility filter in it (named parameters such as $snapshot that the
    engine supplies at execution), and it exposes `rowid_physical`, a HUGEINT that sorts as Oracle's ROWID does.
    """

    sql: str
    columns: tuple[RelationColumn, ...]
    owner: str | None = None
    name: str | None = None
    object_id: int | None = None  # base tables only: the DML target
    rowid_physical: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)  # only for relations with their own (AS OF)
    folds_rows: bool = False  # a view with DISTINCT, GROUP BY or a set operation: its rows are no table's rows


@dataclass(frozen=True, slots=True)
class AsOf:
    """A flashback clause: exactly one is set. `scn` and `timestamp` are typed expressions (a bind or a constant expression)."""

    scn: Typed | None = None
    timestamp: Typed | None = None


@dataclass(frozen=True, slots=True)
class Nls:
    """The session's formats and zone, as ALTER SESSION sets them."""

    date_format: str = "DD-MON-RR"
    timestamp_format: str = "DD-MON-RR HH.MI.SSXFF AM"
    timestamp_tz_format: str = "DD-MON-RR HH.MI.SSXFF AM TZR"
    numeric_characters: str = ".,"
    date_language: str = "AMERICAN"
    territory: str = "AMERICA"
    time_zone: str = "+00:00"  # the session's; an offset or a region name


class BindContext(Protocol):
    """What the binder may ask of the session that binds (implemented by the engine's session)."""

    nls: Nls
    user: str
    current_schema: str
    db_time_zone: str
    parameters: dict[str, Any]
    """Named DuckDB parameters of the statement being bound; the binder adds `b1`, `b2`, ... for binds that it cannot fold,
    the engine adds its own (`snapshot`, ...) at execution."""

    def relation(self, owner: str | None, name: str, *, as_of: AsOf | None = None, dml: bool = False) -> Relation:
        """A table, view (already expanded), dictionary view or synonym by exact name; ORA-00942 when missing or not granted.
        dml=True: the target of DML; checks INSERT/UPDATE/DELETE are made by the engine."""
        ...

    def sequence(self, owner: str | None, name: str, which: Literal["NEXTVAL", "CURRVAL"]) -> Typed:
        """ORA-02289 when missing, ORA-08002 for CURRVAL before NEXTVAL. NEXTVAL is one value per row of the result."""
        ...

    def now(self) -> Typed:
        """The statement's fixed SYSTIMESTAMP: TIMESTAMP(6) WITH TIME ZONE in the server's zone, as a parameter ($now)."""
        ...

    def sys_context(self, namespace: str, parameter: str) -> str | None:
        """USERENV values; ORA-02003 for an unknown parameter."""
        ...

    def may_execute(self, package: str) -> bool:
        """Whether the user may call functions of a package of SYS; without it they do not exist (ORA-00904)."""
        ...

    def constant(self, typed: Typed) -> Any:
        """Evaluate an expression without columns now (masks in binds, AS OF, FETCH FIRST :n); Python value in `to_python` form."""
        ...

    def current_scn(self) -> int: ...

    def scn_to_time(self, scn: int) -> datetime:
        """ORA-08181 outside the known range. Server-zone-aware UTC datetime."""
        ...

    def time_to_scn(self, moment: datetime) -> int:
        """ORA-08180 outside the known range."""
        ...


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A SELECT: DuckDB text with named parameters; its columns in order have the physical names c0, c1, ... .

    for_update: (wait seconds | None = for ever | 0 = NOWAIT | -1 = SKIP LOCKED); then the text has one more column per base
    table, `r0`, `r1`, ..., the ROWIDs to lock, which `locked_tables` names by object id.
    """

    sql: str
    columns: tuple[Column, ...]
    carriers: tuple[str, ...]
    parameters: dict[str, Any]
    for_update: float | None = None
    locks_rows: bool = False
    locked_tables: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Returning:
    """RETURNING ... INTO: expressions over the new (DELETE: old) row whose columns are physical names of the table."""

    expressions: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class BoundInsert:
    """Rows to insert: `sql` yields one column per entry of `columns`, named c0.., each already converted to its column's
    carrier (assignment conversion), unchecked for length, precision, NOT NULL: the engine checks and names the column.
    When `defaults_for` columns are absent the engine fills DEFAULT or NULL. sql_per_execution: VALUES of binds; the engine runs
    it once over the whole bind array (relation `binds` with columns b1.. and `execution`), keeping the execution index."""

    table: Relation
    columns: tuple[str, ...]
    sql: str
    parameters: dict[str, Any]
    from_binds: bool = False
    direct: bool = False  # an APPEND hint was seen: ORA-12838 rules may apply
    returning: Returning | None = None


@dataclass(frozen=True, slots=True)
class BoundUpdate:
    """`sql` yields `rid` and the new values c0.. of `columns` (converted), one row per row to change; joins to the bind array
    give `execution`. A rid twice is ORA-30926 only for MERGE; for UPDATE the last execution wins."""

    table: Relation
    columns: tuple[str, ...]
    sql: str
    parameters: dict[str, Any]
    from_binds: bool = False
    returning: Returning | None = None


@dataclass(frozen=True, slots=True)
class BoundDelete:
    """`sql` yields `rid`."""

    table: Relation
    sql: str
    parameters: dict[str, Any]
    from_binds: bool = False
    returning: Returning | None = None


@dataclass(frozen=True, slots=True)
class BoundMerge:
    """`sql` yields, for each source row and matching target row: `rid` (NULL when not matched), u0.. the values of
    `update_columns`, `do_update` and `do_delete` BOOLEANs (WHERE of the branches), i0.. the values of `insert_columns`,
    `do_insert`. A matched rid that would change twice is ORA-30926."""

    table: Relation
    update_columns: tuple[str, ...]
    insert_columns: tuple[str, ...]
    sql: str
    parameters: dict[str, Any]
    from_binds: bool = False


@dataclass(frozen=True, slots=True)
class BoundMultiInsert:
    """INSERT ALL or FIRST into several tables or columns: `source` is run once, its rows (c0..) are the relation MULTI of every part."""

    source: str
    parts: tuple[BoundInsert, ...]
    parameters: dict[str, Any]


MULTI = "multi_insert_rows"
BoundDml = BoundInsert | BoundUpdate | BoundDelete | BoundMerge

__all__ = [
    "AsOf", "BindContext", "BoundDelete", "BoundDml", "BoundInsert", "BoundMerge", "BoundQuery", "BoundUpdate", "Kind", "Nls",
    "Relation", "RelationColumn", "Returning", "Typed",
]  # fmt: skip

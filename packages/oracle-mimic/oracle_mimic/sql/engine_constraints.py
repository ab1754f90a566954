"""Keys: unique and foreign key constraints checked over the versions a statement wrote, inside its DuckDB transaction.

Every check is one join of the statement's versions with the table. A key that depends on an open transaction of somebody else is
neither broken nor kept: the statement has to wait (BlockedError).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Catalog, Constraint, Index, Table
from oracle_mimic.sql.engine import Connection, run
from oracle_mimic.sql.engine_versions import BlockedError
from oracle_mimic.sql.transactions import LIVE, STATEMENT_BITS, Snapshot


@dataclass(frozen=True, slots=True)
class Check:
    """The circumstances of a check: the dictionary, the statement's write id and who else is open."""

    catalog: Catalog
    write_id: int
    open_numbers: frozenset[int]  # of other transactions

    def open_list(self) -> str:
        """The numbers for an IN list; -1 when there are none."""
        return ",".join(map(str, sorted(self.open_numbers))) or "-1"

    def is_open(self, mark: str) -> str:
        """Condition: the transaction of a write id is open and not ours."""
        return f"({mark} >> {STATEMENT_BITS}) IN ({self.open_list()})"


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """What must not occur twice, and the name ORA-00001 gives it."""

    name: str
    columns: tuple[str, ...]


def unique_keys(catalog: Catalog, table: Table) -> list[UniqueKey]:
    """Enabled primary and unique keys, then unique indexes that no key stands for."""
    keys = [c for c in table.constraints if c.kind in ("P", "U") and c.enabled]
    found = [UniqueKey(key.name, key.columns) for key in keys]
    enforced = {key.index_id for key in keys}
    found += [
        UniqueKey(index.name, tuple(column.text for column in index.columns))
        for index in catalog.indexes_of(table.object_id)
        if index.unique and index.object_id not in enforced
    ]
    return found


def index_columns(index: Index) -> tuple[str, ...]:
    """The key parts of an index as text."""
    return tuple(column.text for column in index.columns)


def _physical(table: Table, names: Sequence[str]) -> list[str]:
    found = {column.name: column for column in table.columns}
    return [found[name].physical for name in names]


def check_unique(cursor: Connection, table: Table, key: UniqueKey, check: Check) -> None:
    """ORA-00001 when a version this statement wrote has the key of another live row. Rows whose key is all NULL never clash."""
    columns = _physical(table, key.columns)
    nullable = [column.physical for column in table.columns if column.nullable]
    same = " AND ".join(f"v.{c} IS NOT DISTINCT FROM n.{c}" if c in nullable and len(columns) > 1 else f"v.{c} = n.{c}" for c in columns)
    some = f" AND coalesce({', '.join(f'n.{c} IS NOT NULL OR NULL' for c in columns)}, FALSE)" if set(columns) <= set(nullable) else ""
    session = " AND v.sx = n.sx" if table.temporary else ""
    clashes = run(
        cursor,
        f"SELECT v.bx >> {STATEMENT_BITS}, v.ex FROM {table.physical} v JOIN "
        f"(SELECT * FROM {table.physical} WHERE bx = $write_id AND ex = {LIVE}) n ON {same}{session} "
        f"WHERE v.rid <> n.rid AND (v.ex = {LIVE} OR {check.is_open('v.ex')}){some} LIMIT 1000",
        {"write_id": check.write_id},
    )
    _judge(clashes, table, key, check)


def clashing_rids(cursor: Connection, table: Table, key: UniqueKey, check: Check) -> list[int]:
    """Which of the rows the statement added have the key of a settled row, or of a row it added before them."""
    columns = _physical(table, key.columns)
    same = " AND ".join(f"v.{c} IS NOT DISTINCT FROM n.{c}" for c in columns)
    some = " OR ".join(f"n.{c} IS NOT NULL" for c in columns)
    rows = run(
        cursor,
        f"SELECT DISTINCT n.rid FROM {table.physical} v JOIN "
        f"(SELECT * FROM {table.physical} WHERE bx = {check.write_id} AND ex = {LIVE}) n ON {same} "
        f"WHERE v.ex = {LIVE} AND NOT {check.is_open('v.bx')} AND (v.bx <> {check.write_id} OR v.rid < n.rid) AND ({some})",
    )
    return [row[0] for row in rows]


def check_unique_row(cursor: Connection, table: Table, key: UniqueKey, values: Sequence[Any], check: Check) -> None:
    """`check_unique` for the one row the statement wrote, with the values of its key at hand: a search, not a join."""
    columns = _physical(table, key.columns)
    carriers = {column.physical: column.carrier for column in table.columns}
    if all(value is None for value in values):
        return
    tests = [
        f"{column} IS NULL" if value is None else f"{column} = CAST($k{n} AS {carriers[column]})"
        for n, (column, value) in enumerate(zip(columns, values, strict=True))
    ]
    clashes = run(
        cursor,
        f"SELECT bx >> {STATEMENT_BITS}, ex FROM {table.physical} WHERE {' AND '.join(tests)} AND bx <> $write_id "
        f"AND (ex = {LIVE} OR {check.is_open('ex')}) LIMIT 1000",
        {"write_id": check.write_id, **{f"k{n}": value for n, value in enumerate(values)}},
    )
    _judge(clashes, table, key, check)


def _judge(clashes: list[tuple[Any, ...]], table: Table, key: UniqueKey, check: Check) -> None:
    """Of (transaction, end) of the rows with the same key: ORA-00001 if one is settled, else wait for the open ones."""
    if any(ended == LIVE and number not in check.open_numbers for number, ended in clashes):
        raise OracleError(1, f"unique constraint ({table.owner}.{key.name}) violated")
    if clashes:
        involved = {number for number, _ in clashes} | {ended >> STATEMENT_BITS for _, ended in clashes}
        raise BlockedError(involved & check.open_numbers)


def check_parents(cursor: Connection, table: Table, foreign_key: Constraint, check: Check) -> None:
    """ORA-02291 when a version this statement wrote refers to a key that no live row of the parent has."""
    parent, columns, parent_columns = _ends(check.catalog, table, foreign_key)
    written = " AND ".join([f"bx = {check.write_id}", f"ex = {LIVE}", *(f"{c} IS NOT NULL" for c in columns)])
    same = " AND ".join(f"p.{p} = n.{c}" for p, c in zip(parent_columns, columns, strict=True))
    orphans = f"SELECT * FROM (SELECT * FROM {table.physical} WHERE {written}) n WHERE "
    settled = f"p.ex = {LIVE} AND NOT {check.is_open('p.bx')}"
    unsettled = f"(p.ex = {LIVE} OR {check.is_open('p.ex')})"
    if not run(cursor, f"{orphans} NOT EXISTS (SELECT 1 FROM {parent.physical} p WHERE {same} AND {settled}) LIMIT 1"):
        return
    if not run(cursor, f"{orphans} NOT EXISTS (SELECT 1 FROM {parent.physical} p WHERE {same} AND {unsettled}) LIMIT 1"):
        rows = run(
            cursor,
            f"SELECT DISTINCT p.bx >> {STATEMENT_BITS}, p.ex >> {STATEMENT_BITS} FROM {parent.physical} p JOIN "
            f"(SELECT * FROM {table.physical} WHERE {written}) n ON {same} WHERE {unsettled}",
        )
        blockers = {number for row in rows for number in row} & check.open_numbers
        if blockers:
            raise BlockedError(blockers)
    raise OracleError(2291, f"integrity constraint ({table.owner}.{foreign_key.name}) violated - parent key not found")


def orphaned_children(cursor: Connection, parent: Table, child: Table, foreign_key: Constraint, check: Check) -> str:
    """Children whose parent key this statement took away, as a query of their `rid`s. BlockedError for children of open transactions.

    A key counts as taken away when the statement ended a version with it and no live row of the parent has it now.
    """
    _, columns, parent_columns = _ends(check.catalog, child, foreign_key)
    keys = ", ".join(parent_columns)
    same = " AND ".join(f"k.{p} = c.{c}" for p, c in zip(parent_columns, columns, strict=True))
    kept = " AND ".join(f"l.{p} = o.{p}" for p in parent_columns)
    gone = (
        f"(SELECT DISTINCT {keys} FROM {parent.physical} o WHERE o.ex = {check.write_id} AND o.bx <> {check.write_id} "
        f"AND NOT EXISTS (SELECT 1 FROM {parent.physical} l WHERE l.ex = {LIVE} AND {kept}))"
    )
    source = f"FROM {child.physical} c JOIN {gone} k ON {same} WHERE"
    rows = run(
        cursor,
        f"SELECT DISTINCT c.bx >> {STATEMENT_BITS}, c.ex >> {STATEMENT_BITS} {source} "
        f"({check.is_open('c.bx')} AND c.ex = {LIVE}) OR {check.is_open('c.ex')}",
    )
    if blockers := {number for row in rows for number in row} & check.open_numbers:
        raise BlockedError(blockers)
    return f"SELECT c.rid {source} c.ex = {LIVE}"


def child_found(parent_owner: str, foreign_key: Constraint) -> OracleError:
    """ORA-02292."""
    return OracleError(2292, f"integrity constraint ({parent_owner}.{foreign_key.name}) violated - child record found")


def _ends(catalog: Catalog, child: Table, foreign_key: Constraint) -> tuple[Table, list[str], list[str]]:
    parent = catalog.table(foreign_key.parent_table or 0)
    key = parent.constraint(foreign_key.parent_constraint or "")
    if key is None:
        raise OracleError(2270, "no matching unique or primary key for this column-list")
    return parent, _physical(child, foreign_key.columns), _physical(parent, key.columns)


# --- existing rows, when a constraint is added or enabled ------------------------------------------------------------------


def has_duplicates(cursor: Connection, table: Table, key: UniqueKey, snapshot: Snapshot) -> bool:
    """Whether live rows share a key (rows whose key is all NULL do not count)."""
    columns = _physical(table, key.columns)
    some = " OR ".join(f"{c} IS NOT NULL" for c in columns)
    rows = f"SELECT 1 FROM {table.physical} WHERE {snapshot.predicate()} AND ({some})"
    return bool(run(cursor, f"{rows} GROUP BY {', '.join(columns)} HAVING count(*) > 1 LIMIT 1"))


def has_orphans(cursor: Connection, catalog: Catalog, table: Table, foreign_key: Constraint, snapshot: Snapshot) -> bool:
    """Whether live rows refer to keys that no live row of the parent has."""
    parent, columns, parent_columns = _ends(catalog, table, foreign_key)
    same = " AND ".join(f"p.{p} = n.{c}" for p, c in zip(parent_columns, columns, strict=True))
    complete = " AND ".join(f"{c} IS NOT NULL" for c in columns)
    rows = f"(SELECT * FROM {table.physical} WHERE {snapshot.predicate()} AND {complete}) n"
    parents = f"SELECT 1 FROM (SELECT * FROM {parent.physical} WHERE {snapshot.predicate()}) p WHERE {same}"
    return bool(run(cursor, f"SELECT 1 FROM {rows} WHERE NOT EXISTS ({parents}) LIMIT 1"))


def has_row(cursor: Connection, table: Table, condition: str, snapshot: Snapshot) -> bool:
    """Whether a live row fulfils a condition over the physical columns."""
    return bool(run(cursor, f"SELECT 1 FROM {table.physical} WHERE {snapshot.predicate()} AND ({condition}) LIMIT 1"))

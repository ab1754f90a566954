"""Row versions: how rows are added, ended, replaced, taken back and purged. All of it runs inside the caller's DuckDB transaction.

A row is a `rid`; a version of it is one line of the physical table with the write id that began it (`bx`) and the one that ended it
(`ex`, LIVE while nobody did). No version is changed but for its `ex`. A statement has a write id of its own, so `bx = write id`
names exactly the versions it wrote and `ex = write id` those it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracle_mimic.sql import rowids
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.engine import Connection, changed, run
from oracle_mimic.sql.transactions import LIVE, STATEMENT_BITS, VISIBLE, Snapshot, Transaction

STAGE = "temp.stage"


class BlockedError(Exception):
    """The statement met rows or keys of open transactions: undo it, wait for them, start again."""

    def __init__(self, transactions: set[int]) -> None:
        super().__init__(f"blocked by transactions {sorted(transactions)}")
        self.transactions = transactions


class ChangedError(Exception):
    """Rows were changed by transactions committed after the statement's snapshot: start again (ORA-08177 when serializable)."""


@dataclass(frozen=True, slots=True)
class Write:
    """One statement's writing to one table.

    values: for each column of the table, in order, the DuckDB expression of its new value over the source `s` (and, for an update,
    the old version `t`), already checked; guard: an expression over the new values that raises when a row constraint is broken,
    and is never NULL (TRUE when there is none); parameters: of source and expressions.
    """

    table: Table
    write_id: int
    snapshot: Snapshot
    values: Sequence[str]
    checked: Sequence[str]
    guard: str | None = None
    session_id: int | None = None  # temporary tables
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def values_of(self, **more: int) -> dict[str, Any]:
        """The parameters of a text: those of source and expressions, and the numbers that are others each time."""
        return {**self.parameters, "write_id": self.write_id, "snapshot": self.snapshot.limit, **more}


def _targets(table: Table) -> str:
    hidden = ["rid", "bx", "ex", *(["sx"] if table.temporary else [])]
    return ", ".join([*hidden, *(column.physical for column in table.columns)])


def _insert(write: Write, rid: str, source: str) -> str:
    """INSERT of new versions: the inner SELECT names the new values c1.., the outer one checks them."""
    table = write.table
    inner = ", ".join(f"{value} AS {column.physical}" for value, column in zip(write.values, table.columns, strict=True))
    session = f"{write.session_id}, " if table.temporary else ""
    guarded = "rid" if write.guard is None else f"CASE WHEN {write.guard} THEN rid END"
    return (
        f"INSERT INTO {table.physical} ({_targets(table)}) SELECT {guarded}, $write_id, {LIVE}, {session}{', '.join(write.checked)} "
        f"FROM (SELECT {rid} AS rid, {inner} FROM {source}) v"
    )


def insert_rows(cursor: Connection, write: Write, source: str, *, first_ordinal: int, ordinal: str | None) -> int:
    """Add rows from a source `s`. ordinal: expression that numbers its rows from 0; None = in the order they come."""
    number = "$first + " + (ordinal or "(row_number() OVER () - 1)")
    return changed(cursor, _insert(write, rowids.rid_sql(number), f"{source} s"), write.values_of(first=first_ordinal))


def insert_row(cursor: Connection, write: Write, source: str, *, ordinal: int, returning: Sequence[str]) -> list[tuple[Any, ...]]:
    """Add the only row of a source `s`; what it holds in the physical columns asked for, to check its keys with."""
    text = _insert(write, "CAST($rid AS BIGINT)", f"{source} s")
    return run(cursor, f"{text} RETURNING {', '.join(returning)}", write.values_of(rid=rowids.rid_of(ordinal)))


def replace_rows(cursor: Connection, write: Write, source: str, expected: int) -> None:
    """New versions for the rows whose `rid`s are in the source; their old versions end. BlockedError, ChangedError."""
    table, visible = write.table, write.snapshot.apply(VISIBLE)
    joined = f"{source} s JOIN {table.physical} t ON t.rid = s.rid WHERE t.ex = {LIVE} AND t.bx <> $write_id AND {visible}"
    if changed(cursor, _insert(write, "t.rid", joined), write.values_of()) != expected:
        raise ChangedError
    end_rows(cursor, write, source, expected)


def end_rows(cursor: Connection, write: Write, source: str, expected: int) -> None:
    """End the visible versions of the rows whose `rid`s are in the source. BlockedError, ChangedError."""
    table, visible = write.table, write.snapshot.apply(VISIBLE)
    ended = changed(
        cursor,
        f"UPDATE {table.physical} t SET ex = $write_id FROM (SELECT rid FROM {source}) s "
        f"WHERE t.rid = s.rid AND t.ex = {LIVE} AND t.bx <> $write_id AND {visible}",
        write.values_of(),
    )
    if ended != expected:
        raise ChangedError


def writers_of(cursor: Connection, table: Table, source: str, open_numbers: set[int]) -> set[int]:
    """Which of the open transactions wrote or ended versions of the rows in the source."""
    if not open_numbers:
        return set()
    numbers = ",".join(map(str, sorted(open_numbers)))
    found: set[int] = set()
    for mark in ("bx", "ex"):
        rows = run(
            cursor,
            f"SELECT DISTINCT t.{mark} >> {STATEMENT_BITS} FROM {table.physical} t JOIN (SELECT rid FROM {source}) s ON t.rid = s.rid "
            f"WHERE (t.{mark} >> {STATEMENT_BITS}) IN ({numbers})",
        )
        found.update(row[0] for row in rows)
    return found


def locked_rids(cursor: Connection, table: Table, source: str, open_numbers: set[int]) -> dict[int, int]:
    """Rows of the source that open transactions wrote or ended: rid -> transaction number."""
    if not open_numbers:
        return {}
    numbers = ",".join(map(str, sorted(open_numbers)))
    found: dict[int, int] = {}
    for mark in ("bx", "ex"):
        found.update(
            run(
                cursor,
                f"SELECT t.rid, t.{mark} >> {STATEMENT_BITS} FROM {table.physical} t JOIN {source} s ON t.rid = s.rid "
                f"WHERE (t.{mark} >> {STATEMENT_BITS}) IN ({numbers})",
            )
        )
    return found


def unchanged(cursor: Connection, table: Table, source: str, snapshot: Snapshot) -> int:
    """How many rows of the source still have the version that the snapshot shows as their last one."""
    rows = run(
        cursor,
        f"SELECT count(DISTINCT t.rid) FROM {table.physical} t JOIN {source} s ON t.rid = s.rid "
        f"WHERE t.ex = {LIVE} AND {snapshot.predicate()}",
    )
    return int(rows[0][0])


def undo(cursor: Connection, table: Table, transaction: Transaction, after_statement: int) -> None:
    """Take back what a transaction did to a table after its n-th statement (0 = everything)."""
    first = (transaction.number << STATEMENT_BITS) + after_statement + 1
    last = (transaction.number + 1 << STATEMENT_BITS) - 1
    run(cursor, f"DELETE FROM {table.physical} WHERE bx BETWEEN {first} AND {last}")
    run(cursor, f"UPDATE {table.physical} SET ex = {LIVE} WHERE ex BETWEEN {first} AND {last}")


def purge(cursor: Connection, table: Table, snapshot: Snapshot) -> int:
    """Delete the versions that ended before a snapshot: nobody may ask for them any more."""
    bits = STATEMENT_BITS
    excluded = f" AND (ex >> {bits}) NOT IN ({','.join(map(str, snapshot.excluded))})" if snapshot.excluded else ""
    return changed(cursor, f"DELETE FROM {table.physical} WHERE ex <= {snapshot.limit}{excluded}")


def has_ended(cursor: Connection, table: Table) -> bool:
    """Whether any version of the table has ended: then there is, or will be, something to purge."""
    return bool(run(cursor, f"SELECT 1 FROM {table.physical} WHERE ex < {LIVE} LIMIT 1"))


def next_ordinal(cursor: Connection, table: Table) -> int:
    """The number of the next row ever to be put in a table's segment."""
    rows = run(cursor, f"SELECT max(rid) FROM {table.physical}")
    return 0 if rows[0][0] is None else rowids.ordinal_of(rows[0][0]) + 1

"""DBMS_PARALLEL_EXECUTE: tasks and the chunks that a table is cut into. Kept in memory: a restart forgets them.

Running a task is refused: chunking is what clients use to read or write a table piece by piece over connections of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING

from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import quotas, rowids
from oracle_mimic.sql.catalog import Table
from oracle_mimic.types import Kind

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

_LAST_ROW_OF_BLOCK = 32767
Range = tuple[str, str] | tuple[Decimal, Decimal]
STATUSES = ("UNASSIGNED", "ASSIGNED", "PROCESSED", "PROCESSED_WITH_ERROR")


@dataclass(slots=True)
class Chunk:
    """A range of ROWIDs (as text) or of a NUMBER column, both ends included."""

    number: int
    start: str | Decimal
    end: str | Decimal
    status: str = "UNASSIGNED"


@dataclass(slots=True)
class Task:
    """A task of a user; kind: ROWID_RANGE or NUMBER_RANGE once it is cut into chunks."""

    owner: str
    name: str
    comment: str | None
    status: str = "CREATED"
    kind: str = "UNDELARED"  # spelled so by Oracle
    table_owner: str | None = None
    table: str | None = None
    column: str | None = None
    chunks: list[Chunk] = field(default_factory=list)


class ParallelExecute:
    """The tasks of one database."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str], Task] = {}
        self._numbers = itertools.count(1)
        self._lock = RLock()

    def tasks(self) -> list[Task]:
        """All, by owner and name."""
        with self._lock:
            return [task for _, task in sorted(self._tasks.items())]

    def create(self, session: Session, name: str, comment: str | None) -> None:
        """CREATE_TASK: ORA-29497 for a name that the user has a task of."""
        with self._lock:
            if (session.user, name) in self._tasks:
                raise OracleError(29497, "duplicate task name")
            self._tasks[session.user, name] = Task(session.user, name, comment)

    def drop(self, session: Session, name: str) -> None:
        """DROP_TASK: ORA-29498 for an unknown one."""
        with self._lock:
            self._task(session, name)
            del self._tasks[session.user, name]

    def drop_chunks(self, session: Session, name: str) -> None:
        """DROP_CHUNKS."""
        with self._lock:
            task = self._task(session, name)
            task.chunks, task.status = [], "CREATED"

    def chunk_by_rowid(self, session: Session, name: str, owner: str, table_name: str, *, by_row: bool, size: int) -> None:
        """CREATE_CHUNKS_BY_ROWID: every row of every extent lies in exactly one chunk, also rows that come into these blocks later.

        size: rows (by_row), rounded up to whole blocks, or blocks; no chunk reaches over the end of an extent.
        """
        table = self._table(session, owner, table_name)
        if table.temporary is not None:
            raise OracleError(29491, "invalid table for chunking")
        with session.database.engine.cursor() as cursor:
            extents = quotas.extents(session.database.ordinals(cursor, table))
        blocks = max(-(-size // rowids.ROWS_PER_BLOCK) if by_row else size, 1)
        session.commit()
        self._store(session, name, table, None, list(_rowid_ranges(table, extents, blocks)))

    def chunk_by_number(self, session: Session, name: str, owner: str, table_name: str, *, column: str, size: int) -> None:
        """CREATE_CHUNKS_BY_NUMBER_COL: ranges of `size` values from the smallest to the largest; NULLs are in none."""
        table = self._table(session, owner, table_name)
        found = table.column(column)
        if found is None or found.type.kind not in (Kind.NUMBER, Kind.FLOAT):
            raise OracleError(29491, "invalid table for chunking")
        texts = ", ".join(f"TO_CHAR({function}(\"{column}\"), 'TM9')" for function in ("MIN", "MAX"))
        (batch,) = (batch for batch in session.query(f'SELECT {texts} FROM "{owner}"."{table_name}"', Binds()).batches if batch.num_rows)
        low, high = (value.as_py() for value in (batch.column(0)[0], batch.column(1)[0]))
        session.commit()
        ranges: list[tuple[Decimal, Decimal]] = []
        start = Decimal(low or 0)
        while low is not None and start <= Decimal(high):
            ranges.append((start, start + size - 1))
            start += size
        self._store(session, name, table, column, ranges)

    def set_status(self, session: Session, name: str, number: int, status: int) -> None:
        """SET_CHUNK_STATUS with 0 to 3: ORA-29493 for another status, ORA-29499 for an unknown chunk."""
        with self._lock:
            if not 0 <= status < len(STATUSES):
                raise OracleError(29493, "invalid chunk status")
            for chunk in self._task(session, name).chunks:
                if chunk.number == number:
                    chunk.status = STATUSES[status]
                    return
            raise OracleError(29499, "chunk not found")

    def _task(self, session: Session, name: str) -> Task:
        found = self._tasks.get((session.user, name))
        if found is None:
            raise OracleError(29498, "task not found")
        return found

    def _table(self, session: Session, owner: str, name: str) -> Table:
        found = session.database.catalog.get(owner, name)
        if not isinstance(found, Table) or not session.context().privileges.sees(found):
            raise OracleError(29491, "invalid table for chunking")
        return found

    def _store(self, session: Session, name: str, table: Table, column: str | None, ranges: Sequence[Range]) -> None:
        kind = "ROWID_RANGE" if column is None else "NUMBER_RANGE"
        with self._lock:
            task = self._task(session, name)
            if task.chunks:
                raise OracleError(29492, "invalid state for chunking")
            task.kind, task.table_owner, task.table, task.column, task.status = kind, table.owner, table.name, column, "CHUNKED"
            task.chunks = [Chunk(next(self._numbers), start, end) for start, end in ranges]


def _rowid_ranges(table: Table, extents: int, blocks: int) -> Iterator[tuple[str, str]]:
    """First and last ROWID of each piece of each extent."""
    for extent in range(extents):
        first, behind = extent * rowids.BLOCKS_PER_EXTENT, (extent + 1) * rowids.BLOCKS_PER_EXTENT
        for block in range(first, behind, blocks):
            last = min(block + blocks, behind) - 1
            yield _rowid(table, block, 0), _rowid(table, last, _LAST_ROW_OF_BLOCK)


def _rowid(table: Table, block: int, row: int) -> str:
    rid = rowids.FILE_NUMBER << rowids.FILE_SHIFT | block << rowids.BLOCK_SHIFT | row
    return rowids.to_text(rowids.rowid_offset(table.data_object_id) + rid)

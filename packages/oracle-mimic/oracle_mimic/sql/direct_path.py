"""Direct path loads: batches become row versions of the session's transaction at once, `finish` checks nothing more and commits.

The table is locked for others while a load is open, as Oracle does. A batch that fails leaves nothing; `abort` takes back all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from oracle_mimic.door import Binds, DirectPathTable
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import dml
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.locks import Mode
from oracle_mimic.types import Column

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session


@dataclass(slots=True)
class _Load:
    sql: str
    columns: tuple[Column, ...]
    first_statement: int  # of the transaction, when the load began
    rows: int = 0


class Loads:
    """The open loads of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[int, _Load] = {}
        self._tokens = itertools.count(1)

    def prepare(self, schema: str, table: str, columns: Sequence[str]) -> DirectPathTable:
        """ORA-00942, ORA-00904, ORA-01031; ORA-00054 while others hold the table. Names are tried as given, then in upper case."""
        session = self._session
        session.require_writable()
        found = self._find(schema, table)
        if found is None:
            raise OracleError(942, "table or view does not exist")
        session.context().privileges.require_object(found, "INSERT")
        described: list[Column] = []
        for name in columns:
            column = found.column(name) or found.column(name.upper())
            if column is None:
                raise OracleError(904, f'"{name}": invalid identifier')
            described.append(Column(column.name, column.type, column.nullable))
        session.database.locks.lock_table(session.session_id, found.object_id, Mode.EXCLUSIVE, 0)
        names = ", ".join(f'"{column.name}"' for column in described)
        values = ", ".join(f":{number}" for number in range(1, len(described) + 1))
        sql = f'INSERT INTO "{found.owner}"."{found.name}" ({names}) VALUES ({values})'
        transaction = session.transaction
        token = next(self._tokens)
        self._open[token] = _Load(sql, tuple(described), transaction.statement if transaction is not None else 0)
        return DirectPathTable(token, tuple(described))

    def _find(self, schema: str, table: str) -> Table | None:
        catalog = self._session.database.catalog
        for owner, name in ((schema, table), (schema.upper(), table), (schema, table.upper()), (schema.upper(), table.upper())):
            found = catalog.get(*catalog.resolve(self._session.current_schema, owner or None, name))
            if isinstance(found, Table):
                return found
        return None

    def _load(self, table: DirectPathTable) -> _Load:
        found = self._open.get(table.token)
        if found is None:
            raise OracleError(1002, "fetch out of sequence")
        return found

    def write(self, table: DirectPathTable, batch: pa.RecordBatch) -> None:
        """Write a batch. An error names no row of the batch as done: all of it is taken back."""
        load, session = self._load(table), self._session
        if not batch.num_rows:
            return
        before = session.transaction.statement if session.transaction is not None else 0
        binds = Binds([column.type for column in load.columns], batch.columns, batch.num_rows)
        try:
            outcome = dml.execute(session, load.sql, binds, batch_errors=False, array_row_counts=False)
        except BaseException:
            session.undo(before)
            raise
        load.rows += outcome.row_count

    def finish(self, table: DirectPathTable) -> int:
        """Commit; how many rows."""
        load = self._load(table)
        del self._open[table.token]
        self._session.commit()
        return load.rows

    def abort(self, table: DirectPathTable) -> None:
        """Take everything back that the load wrote."""
        load = self._open.pop(table.token, None)
        if load is not None:
            self._session.undo(load.first_statement)
            if not self._session.savepoints and load.first_statement == 0:
                self._session.rollback()

    def close(self) -> None:
        """The session ends: its rollback takes the rows."""
        self._open.clear()

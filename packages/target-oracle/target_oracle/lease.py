"""One writer per table: a row of WMS_LOAD_LEASE stays locked on a second connection for the life of the run.

The lock needs no clean-up: when the process dies, so does its session, and the lock with it. Who holds it is written in
WMS_LOAD_CONTROL by the first connection, because a commit on the second one would give up its locks.
"""

from __future__ import annotations

import os
import socket

from oracle_connection.errors import DatabaseError, RetriableError
from oracle_connection.parameters import ConnectionParameters

from target_oracle.control import LEASE, ControlTables
from target_oracle.database import Database, has_code
from target_oracle.naming import qualified

LOCKED = ("ORA-00054", "ORA-30006")


class TableInUseError(RetriableError):
    """Another run is writing the table; the message says which."""


class Leases:
    """The tables that this run may write."""

    def __init__(self, parameters: ConnectionParameters, control: ControlTables, *, run_id: str, wait_seconds: int) -> None:
        self.database = Database(parameters, action="lease")
        self.control = control
        self.run_id = run_id
        self.wait_seconds = wait_seconds
        self._fences: dict[str, int] = {}

    @property
    def holder(self) -> str:
        """This run, for the loser's message."""
        return f"run {self.run_id} on {socket.gethostname()}, process {os.getpid()}"

    def take(self, table: str) -> int:
        """Take a table and return its fence; the same one while the lease lasts. TableInUseError when another run holds it."""
        if not self.database.is_alive():
            self._take_again()
        if table not in self._fences:
            self._lock(table)
            self._fences[table] = self.control.take_fence(table, holder=self.holder, run_id=self.run_id)
        return self._fences[table]

    def _take_again(self) -> None:
        """After the lease's connection was lost: lock the tables anew. Their fences stay: if another run came in between, the fence has
        grown, which ends this run here (and, if it grows later, in the next transaction)."""
        for table, fence in self._fences.items():
            self._lock(table)
            self.control.check_fence(table, fence)

    def _lock(self, table: str) -> None:
        wait = f"WAIT {self.wait_seconds}" if self.wait_seconds else "NOWAIT"
        sql = f'SELECT "TABLE_NAME" FROM {qualified(self.control.schema, LEASE)} WHERE "TABLE_NAME"=:table_name FOR UPDATE {wait}'
        try:
            self.database.query(sql, {"table_name": table}, doing=f"take the lease of {table}")
        except DatabaseError as error:
            if not has_code(error, *LOCKED):
                raise
            message = f"{table} is being written by {self.control.holder(table)} ({error.code}); this run stops"
            raise TableInUseError(message, code=error.code) from error

    def is_free(self, table: str) -> bool:
        """Whether no run holds a table, tried on a connection of its own."""
        probe = Database(self.database.parameters, action="sweep")
        sql = f'SELECT "TABLE_NAME" FROM {qualified(self.control.schema, LEASE)} WHERE "TABLE_NAME"=:table_name FOR UPDATE NOWAIT'
        try:
            probe.query(sql, {"table_name": table}, doing=f"see whether {table} is in use")
        except DatabaseError as error:
            if not has_code(error, *LOCKED):
                raise
            return False
        finally:
            probe.close()
        return True

    def close(self) -> None:
        """Give all tables free."""
        self.database.close()
        self._fences.clear()

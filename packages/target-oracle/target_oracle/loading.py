"""A private load table: rows go in by direct path or array insert and out by one statement of the target's transaction.

Direct path (python-oracledb thin) writes blocks past the buffer cache and commits by itself, which here makes nothing visible. It
converts no characters, so it needs a database in UTF-8; and its three round trips do not pay for a few rows. Otherwise: array insert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from oracle_connection.errors import FatalError

from target_oracle import definitions, statements
from target_oracle.columns import TableModel
from target_oracle.connector import Connector
from target_oracle.database import Database
from target_oracle.naming import qualified

DIRECT_PATH_MINIMUM_ROWS = 1000
UTF8_CHARACTER_SETS = frozenset({"AL32UTF8", "UTF8"})
MAX_ROWS_A_MESSAGE = 50_000


def direct_path_possible(database: Database) -> bool:
    """Whether rows may be loaded by direct path: thin driver, and a database whose characters are UTF-8."""
    if not database.thin:
        return False
    sql = "SELECT VALUE FROM NLS_DATABASE_PARAMETERS WHERE PARAMETER='NLS_CHARACTERSET'"
    return str(database.value(sql, doing="ask for the database character set")) in UTF8_CHARACTER_SETS


@dataclass(slots=True)
class LoadTable:
    """One load table of this process.

    rows: what it certainly holds. pending: rows of a fill that began and did not return; whether they are in is settled by counting.
    """

    connector: Connector
    model: TableModel
    name: str
    direct_path: bool
    message_bytes: int
    rows: int = 0
    pending: int = 0
    created: bool = False

    @property
    def database(self) -> Database:
        return self.connector.database

    def create(self) -> None:
        """Create the table if this object has not done so."""
        if not self.created:
            text = definitions.create_load_table(self.model, self.name)
            self.connector.create_private(self.name, self.model.name, "load", text)
            self.created = True

    def empty(self) -> None:
        """Make it hold nothing."""
        self.create()
        if self.rows or self.pending:
            self.database.execute(definitions.truncate_table(self.model.schema, self.name), doing=f"empty {self.name}")
            self.rows = self.pending = 0

    def replace(self, data: pa.Table) -> None:
        """Make it hold exactly these rows. May be repeated after any failure."""
        self.empty()
        self.pending = data.num_rows
        self._fill(data)
        self.rows, self.pending = data.num_rows, 0

    def append(self, data: pa.Table) -> None:
        """Add rows. A repetition after a failure of unknown outcome counts what is there first."""
        self.create()
        if self.pending and self._arrived():
            return
        self.pending = data.num_rows
        self._fill(data)
        self.rows, self.pending = self.rows + data.num_rows, 0

    def _arrived(self) -> bool:
        """Whether the fill that did not return has arrived all the same. Raises FatalError when a part of it has."""
        sql = f"SELECT COUNT(*) FROM {qualified(self.model.schema, self.name)}"
        there = int(self.database.value(sql, doing=f"count the rows of {self.name}"))
        if there not in {self.rows, self.rows + self.pending}:
            message = f"{self.name} has {there} rows where {self.rows} or {self.rows + self.pending} were expected"
            raise FatalError(message)
        arrived = there != self.rows
        self.rows, self.pending = there, 0
        return arrived

    def _fill(self, data: pa.Table) -> None:
        """Send the rows and commit them."""
        if data.num_rows == 0:
            return
        names = data.column_names
        rows_a_message = message_rows(data, self.message_bytes)
        doing = f"load {data.num_rows} rows into {self.name}"
        if self.direct_path and data.num_rows >= DIRECT_PATH_MINIMUM_ROWS:
            with self.database.explained(doing):
                self._direct_path_load(data, rows_a_message)
            return
        text = statements.array_insert(self.model.schema, self.name, names)
        with self.database.explained(doing), self.database.connection.cursor() as cursor:
            cursor.executemany(text, _combined(data), batch_size=rows_a_message)
        self.database.commit(doing=doing)

    def _direct_path_load(self, data: pa.Table, rows_a_message: int) -> None:
        connection = self.database.connection
        try:
            connection.direct_path_load(
                schema_name=self.model.schema,
                table_name=self.name,
                column_names=list(data.column_names),
                data=_combined(data),
                batch_size=rows_a_message,
            )
        except AttributeError as error:  # the driver wants to abort the load on a connection that it has closed when it was lost
            if connection.is_healthy():
                raise
            message = "the connection was lost during a direct path load"
            raise ConnectionError(message) from error


def message_rows(data: pa.Table, limit: int) -> int:
    """How many rows one message takes so that it stays below `limit` bytes, on average."""
    width = max(int(data.nbytes) // max(int(data.num_rows), 1), 1)
    return max(1, min(MAX_ROWS_A_MESSAGE, limit // width))


def _combined(data: pa.Table) -> Any:
    """One chunk for each column: the driver makes a round trip or more for each chunk."""
    return data.combine_chunks() if data.num_columns and data.column(0).num_chunks > 1 else data

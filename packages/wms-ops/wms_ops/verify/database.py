"""One session on one of the two databases: asks, measures what it asked, and knows as of which SCN it reads.

Every failure leaves as a class of `oracle_connection.errors`. A session of verify writes only its own ledger (`ledger.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oracle_connection.errors import ConfigurationError, DatabaseError, explain
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.probe import connect

from wms_ops.verify.canonical import quoted

if TYPE_CHECKING:
    import oracledb

MODULE = "wms-ops verify"
SCN_QUERIES = ("SELECT CURRENT_SCN FROM V$DATABASE", "SELECT DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER FROM DUAL")
NOT_GRANTED = frozenset({"ORA-00942", "ORA-01031", "ORA-00904", "ORA-00990", "ORA-01219", "ORA-06550"})
FETCH_ROWS = 2000

Row = tuple[Any, ...]


@dataclass(slots=True)
class Database:
    """A lazily opened connection. name: `source` or `target`, for messages.

    before: called before each statement; the budget and tests look there.
    statements, seconds: what was asked so far and how long the answers took.
    """

    name: str
    parameters: ConnectionParameters
    schema: str
    before: Callable[[str], None] | None = None
    statements: int = 0
    seconds: float = 0.0
    _connection: oracledb.Connection | None = None
    _missing: set[str] = field(default_factory=set)

    @property
    def connection(self) -> oracledb.Connection:
        """The connection, opened at first use."""
        if self._connection is None:
            self._connection = connect(self.parameters, module=MODULE)
        return self._connection

    def query(self, text: str, binds: Mapping[str, Any] | None = None, *, doing: str) -> list[Row]:
        """All rows of a query, numbers exactly."""
        import oracledb

        if self.before is not None:
            self.before(text)
        started = time.perf_counter()
        try:
            with self.connection.cursor() as cursor:
                cursor.arraysize = cursor.prefetchrows = FETCH_ROWS
                cursor.execute(text, binds or {}, fetch_decimals=True)
                return list(cursor.fetchall())
        except (oracledb.Error, OSError) as error:
            raise self._explained(error, doing) from error
        finally:
            self.statements += 1
            self.seconds += time.perf_counter() - started

    def execute(self, text: str, binds: Mapping[str, Any] | None = None, *, doing: str) -> int:
        """A statement that is no query; the number of rows it touched."""
        import oracledb

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(text, binds or {})
                return int(cursor.rowcount)
        except (oracledb.Error, OSError) as error:
            raise self._explained(error, doing) from error

    def commit(self) -> None:
        import oracledb

        try:
            self.connection.commit()
        except (oracledb.Error, OSError) as error:
            raise self._explained(error, "commit the ledger of proofs") from error

    def if_granted(self, text: str, binds: Mapping[str, Any] | None = None, *, doing: str) -> list[Row] | None:
        """As `query`; None when the user may not, which is remembered."""
        if text in self._missing:
            return None
        try:
            return self.query(text, binds, doing=doing)
        except ConfigurationError as error:
            if error.code not in NOT_GRANTED:
                raise
            self._missing.add(text)
            return None

    def scn(self) -> int | None:
        """The SCN now; None where no grant shows it."""
        for text in SCN_QUERIES:
            rows = self.if_granted(text, doing=f"ask the {self.name} for its SCN")
            if rows:
                return int(rows[0][0])
        return None

    def close(self) -> None:
        """End the session; harmless when it is gone already."""
        import oracledb

        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (oracledb.Error, OSError):
                return

    def _explained(self, error: Exception, doing: str) -> DatabaseError:
        explained = explain(error, f"{doing} ({self.name})", secrets=self.parameters.secrets)
        if self._connection is not None and not self._connection.is_healthy():
            self.close()
        return explained


def table_name(schema: str, table: str) -> str:
    """Owner and table, quoted."""
    return f"{quoted(schema)}.{quoted(table)}"

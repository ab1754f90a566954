"""One connection to the target database that can be made anew: every driver error leaves as configuration, retriable or fatal.

Statement texts come from `statements.py` and the modules that own the control tables; nothing here knows tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from oracle_connection.errors import DatabaseError, explain
from oracle_connection.parameters import ConnectionParameters

if TYPE_CHECKING:
    import oracledb

MODULE = "target-oracle"
DDL_LOCK_TIMEOUT_SECONDS = 30
SESSION_STATEMENTS = (
    f"ALTER SESSION SET DDL_LOCK_TIMEOUT={DDL_LOCK_TIMEOUT_SECONDS}",
    "ALTER SESSION SET NLS_COMP=BINARY NLS_SORT=BINARY",
)
"""DDL waits a little for other sessions' transactions; text compares as bytes whatever the database's default is."""

Binds = Mapping[str, Any] | Sequence[Any]


class Database:
    """A lazily opened connection. Not thread-safe: one thread uses it."""

    def __init__(self, parameters: ConnectionParameters, *, action: str | None = None) -> None:
        self.parameters = parameters
        self.action = action
        self._connection: oracledb.Connection | None = None

    @property
    def connection(self) -> oracledb.Connection:
        """The connection, opened at first use. Raises the classes of `oracle_connection.errors`."""
        if self._connection is None:
            from oracle_connection.probe import connect

            connection = connect(self.parameters, module=MODULE, action=self.action)
            try:
                with connection.cursor() as cursor:
                    for statement in SESSION_STATEMENTS:
                        cursor.execute(statement)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def is_alive(self) -> bool:
        """Whether the connection is open and answers."""
        if self._connection is None:
            return False
        import oracledb

        try:
            self._connection.ping()
        except (oracledb.Error, OSError):
            self.close()
            return False
        return True

    @property
    def thin(self) -> bool:
        """Whether the thin driver is used; only it can load by direct path."""
        return not self.parameters.thick_mode

    def close(self) -> None:
        """Forget the connection; what was not committed is rolled back by the server. Errors are of no interest here."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with _driver_errors_ignored():
                connection.close()

    def query(self, sql: str, binds: Binds = (), *, doing: str) -> list[tuple[Any, ...]]:
        """All rows of a small query."""
        with self.explained(doing), self.connection.cursor() as cursor:
            cursor.arraysize = 1000
            cursor.prefetchrows = 1001
            cursor.execute(sql, binds)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def value(self, sql: str, binds: Binds = (), *, doing: str) -> Any:
        """The first column of the first row, or None without rows."""
        rows = self.query(sql, binds, doing=doing)
        return rows[0][0] if rows else None

    def execute(self, sql: str, binds: Binds = (), *, doing: str) -> int:
        """Run a statement that is no query; the number of rows it touched."""
        with self.explained(doing), self.connection.cursor() as cursor:
            cursor.execute(sql, binds)
            return int(cursor.rowcount)

    def execute_many(self, sql: str, data: Any, *, doing: str) -> int:
        """An array DML with an Arrow table or a list of rows; the number of rows it touched."""
        with self.explained(doing), self.connection.cursor() as cursor:
            cursor.executemany(sql, data)
            return int(cursor.rowcount)

    def commit(self, *, doing: str = "commit") -> None:
        with self.explained(doing):
            self.connection.commit()

    def rollback(self) -> None:
        """Give up the open transaction, if there still is a connection that could hold one."""
        if self._connection is not None:
            with self.explained("roll back"):
                self._connection.rollback()

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn driver errors inside into DatabaseError. A connection that was lost is forgotten, so that the next use opens one."""
        import oracledb

        try:
            yield
        except (oracledb.Error, OSError) as error:
            explained = explain(error, doing, secrets=self.parameters.secrets)
            if self._connection is not None and not self._connection.is_healthy():
                self.close()
            raise explained from error


@contextmanager
def _driver_errors_ignored() -> Iterator[None]:
    import oracledb

    try:
        yield
    except (oracledb.Error, OSError):
        return


def has_code(error: DatabaseError, *codes: str) -> bool:
    """Whether the error's code is one of these."""
    return error.code in codes

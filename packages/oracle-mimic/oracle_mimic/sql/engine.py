"""The one place that holds a DuckDB database: connections, transactions, errors, streaming; knows no Oracle semantics.

Reads run on cursors of a pool, each with its own DuckDB snapshot; an open result keeps its cursor until it is read or closed.
Writes run one at a time, each in one DuckDB transaction, under `write_lock`, so DuckDB never meets a conflict.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions import from_duckdb_error

logger = logging.getLogger(__name__)

Connection: TypeAlias = duckdb.DuckDBPyConnection


class WriteConflictError(Exception):
    """DuckDB saw two writers of one row: the statement has to start again."""


@contextmanager
def oracle_errors(what: str) -> Iterator[None]:
    """Turn DuckDB's exceptions into Oracle's. What nobody foresaw is ORA-00604 and logged: a fault of the mimic."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise OracleError(1013, "user requested cancel of current operation") from error
    except duckdb.TransactionException as error:
        if "onflict" in str(error):
            raise WriteConflictError(str(error)) from error
        raise _unforeseen(what, error) from error
    except duckdb.OutOfMemoryException as error:
        if known := from_duckdb_error(error):
            raise known from error
        raise OracleError(4030, "out of process memory when trying to allocate bytes") from error
    except duckdb.IOException as error:
        if "No space left" in str(error):
            raise OracleError(1653, "unable to extend table in tablespace USERS: the server's disk is full") from error
        raise _unforeseen(what, error) from error
    except duckdb.Error as error:
        raise from_duckdb_error(error) or _unforeseen(what, error) from error


def _unforeseen(what: str, error: Exception) -> OracleError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    logger.error("DuckDB refused %s: %s", what, error)
    return OracleError(604, f"error occurred at recursive SQL level 1: oracle-mimic cannot run {what}: {first_line}")


class Engine:
    """A DuckDB database and its cursors.

    Args:
        path: the database file, None for one in memory.
        prepare: called once with the first connection, to install functions (they are shared by all cursors).
        threads, memory_limit: DuckDB's own settings.
    """

    def __init__(
        self,
        path: str | None,
        *,
        prepare: Callable[[Connection], None],
        threads: int | None = None,
        memory_limit: str | None = None,
    ) -> None:
        config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        if threads is not None:
            config["threads"] = threads
        if memory_limit is not None:
            config["memory_limit"] = memory_limit
        with oracle_errors("opening the database file"):
            self._root = duckdb.connect(path or ":memory:", config=config)
            prepare(self._root)
        self.write_lock = threading.RLock()
        self._idle: list[Connection] = []
        self._idle_lock = threading.Lock()
        self._closed = False

    def install(self, prepare: Callable[[Connection], None]) -> None:
        """Add functions that were not known when the database was opened; no cursor may be running."""
        prepare(self._root)

    def acquire(self) -> Connection:
        """A cursor with no open result; give it back with `release`."""
        with self._idle_lock:
            if self._closed:
                raise OracleError(1012, "not logged on", fatal=True)
            return self._idle.pop() if self._idle else self._root.cursor()

    def release(self, cursor: Connection) -> None:
        """Take a cursor back; its results must have been read or dropped."""
        with self._idle_lock:
            if not self._closed and len(self._idle) < 16:
                self._idle.append(cursor)
                return
        with suppress(duckdb.Error):
            cursor.close()

    @contextmanager
    def cursor(self) -> Iterator[Connection]:
        """A cursor for a few statements."""
        found = self.acquire()
        try:
            yield found
        finally:
            self.release(found)

    def close(self) -> None:
        """Close every cursor and the database."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for cursor in idle:
            with suppress(duckdb.Error):
                cursor.close()
        with oracle_errors("closing the database file"):
            self._root.close()


_PARAMETER = re.compile(r"\$(\w+)")


@lru_cache(maxsize=1024)
def _mentioned(sql: str) -> frozenset[str]:
    return frozenset(_PARAMETER.findall(sql))


def used(sql: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Those of the parameters that the text mentions: DuckDB refuses the others."""
    if not parameters:
        return {}
    return {name: parameters[name] for name in _mentioned(sql) if name in parameters}


def run(cursor: Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement and read all it returns. A text that comes again (its numbers are parameters) is parsed once only."""
    values = used(sql, parameters)
    with oracle_errors("a statement"):
        statement = _parsed(sql) if sql.startswith(_REPEATED) else sql
        result: list[tuple[Any, ...]] = cursor.execute(statement, values).fetchall() if values else cursor.execute(statement).fetchall()
        return result


def changed(cursor: Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT, UPDATE or DELETE; how many rows it touched."""
    rows = run(cursor, sql, parameters)
    return int(rows[0][0]) if rows else 0


def arrow_table(cursor: Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """Run a query and read it whole as Arrow."""
    with oracle_errors("a query"):
        return cursor.sql(sql, params=used(sql, parameters)).to_arrow_table()


_REPEATED = ("SELECT ", "INSERT ", "UPDATE ", "CREATE OR REPLACE TEMP TABLE stage ", "BEGIN ")


@lru_cache(maxsize=512)
def _parsed(sql: str) -> Any:
    """A statement that DuckDB has parsed; it may be run many times, on any cursor."""
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1:
        raise OracleError(604, "error occurred at recursive SQL level 1: oracle-mimic made more than one statement")
    return statements[0]


def few_rows(cursor: Connection, sql: str, parameters: Mapping[str, Any], limit: int) -> list[tuple[Any, ...]] | None:
    """The rows of a query if there are at most `limit`, else None."""
    with oracle_errors("a query"):
        found: list[tuple[Any, ...]] = cursor.execute(_parsed(sql), used(sql, parameters)).fetchmany(limit + 1)
        if len(found) <= limit:
            return found
        cursor.execute("SELECT 1").fetchall()  # drops the rest of the open result
        return None


@contextmanager
def duckdb_transaction(cursor: Connection) -> Iterator[None]:
    """All or nothing: COMMIT at the end, ROLLBACK when anything is raised."""
    run(cursor, "BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        raise
    with oracle_errors("a commit"):
        try:
            cursor.execute("COMMIT")
        except duckdb.Error:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            raise


@contextmanager
def registered(cursor: Connection, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Arrow tables as relations of one cursor, for the time of a statement."""
    try:
        for name, table in tables.items():
            cursor.register(name, table)
        yield
    finally:
        for name in tables:
            with suppress(duckdb.Error):
                cursor.unregister(name)


def interrupt(cursor: Connection) -> None:
    """End what the cursor runs, from any thread."""
    with suppress(duckdb.Error):
        cursor.interrupt()


class Stream:
    """An open query as record batches; closes (and gives its cursor back) at the end, on an error or on `close`."""

    def __init__(
        self,
        engine: Engine,
        sql: str,
        parameters: Mapping[str, Any],
        *,
        tables: Mapping[str, pa.Table],
        rows_per_batch: int,
        guard: Callable[[Connection, Callable[[], Any]], Any],
    ) -> None:
        self._engine = engine
        self._tables = dict(tables)
        self._guard = guard
        self._cursor: Connection | None = engine.acquire()
        self._reader: Any = None
        try:
            self._guard(self._cursor, lambda: self._open(sql, parameters, rows_per_batch))
        except BaseException:
            self.close()
            raise

    def _open(self, sql: str, parameters: Mapping[str, Any], rows_per_batch: int) -> None:
        cursor = self._cursor
        if cursor is None:
            raise OracleError(1002, "fetch out of sequence")
        with oracle_errors("a query"):
            for name, table in self._tables.items():
                cursor.register(name, table)
            self._reader = cursor.sql(sql, params=used(sql, parameters)).to_arrow_reader(rows_per_batch)
            self.schema: pa.Schema = self._reader.schema

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._cursor is None:
            raise StopIteration
        try:
            batch: pa.RecordBatch = self._guard(self._cursor, self._read)
        except BaseException:
            self.close()
            raise
        if batch is None:
            self.close()
            raise StopIteration
        return batch

    def _read(self) -> pa.RecordBatch | None:
        with oracle_errors("a query"):
            try:
                return self._reader.read_next_batch()
            except StopIteration:
                return None
            except (pa.ArrowException, OSError) as error:  # the reader wraps DuckDB's exceptions as Arrow's
                raise _from_arrow(error) from error

    def close(self) -> None:
        """Drop the rest of the result; harmless when called twice."""
        cursor, self._cursor = self._cursor, None
        if cursor is None:
            return
        self._reader = None
        for name in self._tables:
            with suppress(duckdb.Error):
                cursor.unregister(name)
        self._engine.release(cursor)


def _from_arrow(error: Exception) -> OracleError:
    if "Interrupt" in str(error):
        return OracleError(1013, "user requested cancel of current operation")
    return from_duckdb_error(error) or _unforeseen("a query", error)

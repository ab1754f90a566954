"""The SQL room through its door, for tests: sessions that speak in Python values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from oracle_mimic.door import Binds, Outcome
from oracle_mimic.errors import OracleError
from oracle_mimic.number import to_decimal
from oracle_mimic.sql.database import Database
from oracle_mimic.sql.session import Session
from oracle_mimic.types import Kind, OracleType


def _column(values: list[Any]) -> tuple[OracleType, pa.Array]:
    some = next((value for value in values if value is not None), None)
    if isinstance(some, bool):
        raise TypeError("no BOOLEAN binds")
    if isinstance(some, int):
        return OracleType(Kind.NUMBER), pa.array(values, pa.int64())
    if isinstance(some, Decimal):
        return OracleType(Kind.NUMBER), pa.array(values, pa.decimal128(38, 6))
    if isinstance(some, datetime):
        return OracleType(Kind.DATE), pa.array(values, pa.timestamp("s"))
    if isinstance(some, bytes):
        return OracleType(Kind.RAW, length=2000), pa.array(values, pa.binary())
    return OracleType(Kind.VARCHAR2, length=4000), pa.array(values, pa.string())


def make_binds(rows: list[tuple[Any, ...]]) -> Binds:
    """Binds of one execution per row."""
    columns = [_column(list(values)) for values in zip(*rows, strict=True)]
    return Binds([type_ for type_, _ in columns], [array for _, array in columns], len(rows))


class Client:
    """A session with Python values in and out."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def query(self, sql: str, *binds: Any) -> list[tuple[Any, ...]]:
        """All rows; NUMBERs as Decimal."""
        rows = self.session.query(sql, make_binds([binds]) if binds else Binds())
        result: list[tuple[Any, ...]] = []
        for batch in rows.batches:
            columns = [
                [to_decimal(v) if isinstance(v, bytes) and column.type.kind in (Kind.NUMBER, Kind.FLOAT) else v for v in values.to_pylist()]
                for column, values in zip(rows.columns, batch.columns, strict=True)
            ]
            result += zip(*columns, strict=True)
        return result

    def value(self, sql: str, *binds: Any) -> Any:
        """The first column of the only row."""
        rows = self.query(sql, *binds)
        assert len(rows) == 1
        return rows[0][0]

    def values(self, sql: str, *binds: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.query(sql, *binds)]

    def run(self, sql: str, *binds: Any) -> Outcome:
        """DML, DDL or control."""
        return self.session.execute(sql, make_binds([binds]) if binds else Binds())

    def run_many(self, sql: str, rows: list[tuple[Any, ...]], *, batch_errors: bool = False, counts: bool = False) -> Outcome:
        """An array of executions."""
        return self.session.execute(sql, make_binds(rows), batch_errors=batch_errors, array_row_counts=counts)

    def commit(self) -> None:
        self.session.commit()

    def rollback(self) -> None:
        self.session.rollback()


def client(database: Database, user: str = "WMS") -> Client:
    """Log in, without the wire's password check."""
    return Client(database.open_session(user, {}))


@contextmanager
def ora(code: int) -> Iterator[pytest.ExceptionInfo[OracleError]]:
    """The block ends with this ORA code."""
    with pytest.raises(OracleError) as raised:
        yield raised
    assert raised.value.code == code, raised.value


class Background:
    """A call on a thread of its own; `result` waits for it and raises what it raised."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._error: list[BaseException] = []

        def run() -> None:
            try:
                self._outcome.append(function())
            except OracleError as error:
                self._error.append(error)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def is_done(self, within: float = 0.3) -> bool:
        """Whether it ends within a time (seconds)."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def result(self, timeout: float = 10) -> Any:
        """What it returned."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "still waiting"
        if self._error:
            raise self._error[0]
        return self._outcome[0] if self._outcome else None


def wait_until_blocked(database: Database, waiter: Client) -> None:
    """Return when the session sleeps in a lock wait."""
    done = threading.Event()
    for _ in range(500):
        if waiter.session.session_id in database.locks.waits:
            return
        done.wait(0.01)
    raise AssertionError("the session never waited")

"""THE DOOR between the wire room and the SQL room: what a connection may ask of a session, and what it gets.

Plain values and protocols only. The wire room calls these from the connection's own worker thread (one statement at a time per
session); only `Session.interrupt` may be called from another thread, at any moment. Every method raises `OracleError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from oracle_mimic.errors import OracleError
from oracle_mimic.types import Column, OracleType


@dataclass(frozen=True, slots=True)
class StatementInfo:
    """What the text alone tells, before binds are read. Made by `Database.inspect` (cached by text; touches no data).

    bind_names: one per OCCURRENCE for SQL, one per distinct name for PL/SQL, upper case unless quoted ("1" for :1).
    returning_binds: indices into bind_names of the DML RETURNING ... INTO binds (they carry no value on the way in).
    """

    kind: str  # "query" | "dml" | "ddl" | "plsql" | "other" (COMMIT, ALTER SESSION, SET TRANSACTION, LOCK TABLE, ...)
    bind_names: tuple[str, ...] = ()
    returning_binds: tuple[int, ...] = ()


@dataclass(slots=True)
class Binds:
    """Values of one execution or of an array of executions, column by column.

    types[i] is what the client declared (length = its buffer size); columns[i] an Arrow array of `rows` values in a carrier of
    `types.CARRIERS`; None for a bind without a value (RETURNING, OUT only). PL/SQL index-by arrays are refused.
    Temporary LOBs arrive already resolved to their text or bytes.
    """

    types: Sequence[OracleType] = ()
    columns: Sequence[pa.Array | None] = ()
    rows: int = 1


@dataclass(slots=True)
class Rows:
    """An open query: its describe, and the rows, lazily, in carriers of `types.CARRIERS` (the same ones in every batch).

    The reader must stay valid while other statements of the same session run, and after COMMIT (Oracle's cursors do).
    """

    columns: tuple[Column, ...]
    batches: Iterator[pa.RecordBatch]  # advanced by one thread at a time, not always the worker's (large results are encoded ahead)

    def close(self) -> None:
        """Release what the query holds; harmless when called twice."""
        close = getattr(self.batches, "close", None)
        if close is not None:
            close()


@dataclass(slots=True)
class Outcome:
    """What a statement that is not a query did.

    row_count: rows touched in all; array_row_counts: per execution, when asked for.
    batch_errors: (execution index, error), when asked for; the good rows stay done.
    returning: per RETURNING bind, per execution, the list of values (Arrow array in a carrier).
    out_values: PL/SQL: per bind, an Arrow array of one value (or Rows for a REF CURSOR), None for IN binds.
    last_rowid: of the last row touched by a single-row DML, as text, or None.
    """

    row_count: int = 0
    array_row_counts: list[int] | None = None
    batch_errors: list[tuple[int, OracleError]] = field(default_factory=list)
    returning: list[list[pa.Array]] = field(default_factory=list)
    returning_types: list[OracleType] = field(default_factory=list)
    out_values: list[Any] | None = None
    out_types: list[OracleType | None] | None = None
    last_rowid: str | None = None
    implicit_results: list[Rows] = field(default_factory=list)
    compiled_with_errors: bool = False


@dataclass(frozen=True, slots=True)
class DirectPathTable:
    """A prepared direct path load: the table's columns in the order asked for."""

    token: int
    columns: tuple[Column, ...]


class Session(Protocol):
    """One logged-in user. Closing without commit rolls back."""

    session_id: int
    serial_number: int
    user: str

    @property
    def in_transaction(self) -> bool:
        """True when this session changed rows or holds locks that COMMIT or ROLLBACK would end."""
        ...

    def describe(self, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
        """The columns a query would return, none for DML. Plans, never executes. ORA-00942 etc. as a parse would raise."""
        ...

    def query(self, sql: str, binds: Binds) -> Rows:
        """Run a query at the SCN of this moment. The rows are those committed at that SCN and the session's own."""
        ...

    def execute(self, sql: str, binds: Binds, *, batch_errors: bool = False, array_row_counts: bool = False) -> Outcome:
        """Run DML, DDL, PL/SQL or a control statement. A failure undoes only the failing execution (row) of the statement;
        with batch_errors the others go on."""
        ...

    def ping(self) -> None:
        """A call that does nothing; ORA-00028 for a session that was killed."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def set_current_schema(self, schema: str) -> None:
        """The piggyback of `connection.current_schema`; ORA-01435 for an unknown one."""
        ...

    def set_client_info(self, info: dict[str, str]) -> None:
        """`module`, `action`, `client_identifier`, `client_info`, `dbop` for V$SESSION; only the keys that were sent."""
        ...

    def note_traffic(self, *, bytes_sent: int, bytes_received: int, round_trips: int) -> None:
        """What the connection has carried since it began, told after every answer, for V$MYSTAT."""
        ...

    def direct_path_prepare(self, schema: str, table: str, columns: Sequence[str]) -> DirectPathTable: ...

    def direct_path_write(self, table: DirectPathTable, batch: pa.RecordBatch) -> None:
        """Stage rows, in carriers of the table's columns; errors (ORA-12899, 01438, 01400) by row leave nothing behind."""
        ...

    def direct_path_finish(self, table: DirectPathTable) -> int:
        """Make the staged rows part of the table and commit; the number of rows."""
        ...

    def direct_path_abort(self, table: DirectPathTable) -> None: ...

    def interrupt(self) -> None:
        """From another thread: end the running call with ORA-01013, also while it waits for a lock. The session stays usable.

        An interrupt that comes before the call has begun ends it when it begins: it is kept until it is met or `resume` is called.
        """
        ...

    def resume(self) -> None:
        """Forget an interrupt that nothing has met; the connection does so before each request."""
        ...

    def close(self) -> None:
        """Roll back and forget the session."""
        ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """A password as the server stores it (12c, type 0x4815): never the password itself."""

    salt: bytes
    key: bytes


class Database(Protocol):
    """The one database behind a server."""

    version: tuple[int, int, int, int, int]  # (19, 3, 0, 0, 0)
    instance_name: str
    db_name: str

    def inspect(self, sql: str) -> StatementInfo:
        """Classify a statement and find its binds from its text; OracleError (ORA-00900, 01756, ...) if it cannot be read."""
        ...

    def verifier(self, user: str) -> Verifier | None:
        """The user's stored verifier, None if there is no such user. Names are as stored (upper case unless quoted)."""
        ...

    def check_account(self, user: str) -> None:
        """After a right password: ORA-28000 locked, ORA-28001 expired, ORA-01045 without CREATE SESSION, ORA-02391 too many sessions of
        the user, ORA-00018 too many sessions."""
        ...

    def logon_failed(self, user: str) -> None:
        """After a wrong password: counts it, which may lock the account. ORA-28000 when it is locked already."""
        ...

    def change_password(self, user: str, password: str) -> None:
        """A new password for a user who has proved the old one; ORA-28000 when the account is locked."""
        ...

    def open_session(self, user: str, attributes: dict[str, str]) -> Session:
        """attributes: `program`, `machine`, `osuser`, `terminal`, `process`, `driver` as the client sent them."""
        ...

    def close(self) -> None: ...

"""The cursors of one session: parsed statements, their describes, defines and open queries, and the calls that run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import pyarrow as pa

from oracle_mimic.door import Binds, Database, Outcome, Rows, Session, StatementInfo
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.types import Column, Kind, OracleType
from oracle_mimic.wire import bindrows, messages, requests
from oracle_mimic.wire.buffer import Reader, Writer
from oracle_mimic.wire.encode import encode_values
from oracle_mimic.wire.lobs import LobStore
from oracle_mimic.wire.messages import Ending
from oracle_mimic.wire.queries import OpenQuery
from oracle_mimic.wire.requests import Execute, Reexecute
from oracle_mimic.wire.typecodes import BLOB, CLOB, CODES, LOB_KINDS, LONG, LONG_RAW, RAW, TEXT_KINDS, BindItem

_PLAIN_KINDS = (TEXT_KINDS | {Kind.RAW, Kind.LONG_RAW}) - LOB_KINDS
MAX_CURSORS = 65535  # a cursor id is two bytes on the wire
_OUT_TRAILER = bytes(1)  # after every OUT or RETURNING value: an sb4 0, "not truncated"


class UnreadableError(Exception):
    """The rest of the request cannot be parsed because of an error in its statement: drain it, then answer the error."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Cursor:
    """One parsed statement. `sql` is None for a REF CURSOR, which can only be fetched from."""

    id: int
    sql: str | None
    info: StatementInfo
    binds: list[BindItem]
    columns: tuple[Column, ...] | None = None  # as the client knows them; None before the first describe
    defines: list[BindItem] | None = None
    query: OpenQuery | None = None
    rows: Rows | None = None  # of a query with LOBs that waits for its define

    def close_query(self) -> None:
        if self.query is not None:
            self.query.close()
            self.query = None
        if self.rows is not None:
            self.rows.close()
            self.rows = None


@dataclass(slots=True)
class Call:
    """One statement call as read: what the worker then runs."""

    cursor: Cursor
    binds: Binds
    is_new: bool
    options: int
    flags: int = 0
    rows_wanted: int = 0
    commit: bool = False
    defining: bool = False

    def has(self, option: int) -> bool:
        return bool(self.options & option)


class Statements:
    """The statement cache of one session. Methods return the response's parts; errors become messages in the connection's one handler.

    commit: how an autocommit is done (it passes the points where faults may be set).
    """

    def __init__(self, database: Database, session: Session, lobs: LobStore, max_cursors: int, commit: Callable[[], None]) -> None:
        self._database = database
        self._session = session
        self._commit = commit
        self._lobs = lobs
        self._max_cursors = min(max_cursors, MAX_CURSORS)
        self._cursors: dict[int, Cursor] = {}

    # -- reading -------------------------------------------------------------------------------------------------------------

    def read_execute(self, reader: Reader) -> Call:
        """Read an EXECUTE to its end. UnreadableError when the statement's text does not tell where that is."""
        request = requests.read_execute(reader)
        try:
            cursor, is_new = self._cursor_for(request)
        except OracleError as error:
            if request.binds and not request.has(requests.DEFINE):
                raise UnreadableError(error) from error
            raise
        call = Call(cursor, Binds(), is_new, request.options, request.flags, request.rows_wanted, request.has(requests.AUTOCOMMIT))
        if request.has(requests.DEFINE):
            cursor.defines = request.defines
            call.defining = True
            return call
        if request.binds:
            if problem := bindrows.readable(request.binds):
                raise UnreadableError(problem)
            cursor.binds = request.binds
        executions = 1 if cursor.info.kind == "query" else max(request.executions, 1)
        call.binds = self._read_binds(reader, cursor, cursor.binds if request.binds else [], executions)
        return call

    def read_reexecute(self, reader: Reader, *, fetch: bool) -> Call:
        """Read the short form to its end."""
        request: Reexecute = requests.read_reexecute(reader)
        cursor = self._cursors.get(request.cursor_id)
        if cursor is None:
            raise UnreadableError(OracleError(1001, "invalid cursor"))
        executions = 1 if fetch or cursor.info.kind == "query" else max(request.count, 1)
        options = requests.RUN | (requests.WITH_ROWS if fetch else 0)
        call = Call(cursor, Binds(), False, options, rows_wanted=request.count if fetch else 0, commit=request.commit)
        call.binds = self._read_binds(reader, cursor, cursor.binds, executions)
        return call

    def _read_binds(self, reader: Reader, cursor: Cursor, items: Sequence[BindItem], executions: int) -> Binds:
        plsql = cursor.info.kind == "plsql"
        valueless = cursor.info.returning_binds
        try:
            return bindrows.read_binds(reader, items, valueless, executions, plsql=plsql, lobs=self._lobs.content)
        except OracleError as error:  # a LOB that is gone: the values after it are unread
            raise UnreadableError(error) from error

    def _cursor_for(self, request: Execute) -> tuple[Cursor, bool]:
        cursor = self._cursors.get(request.cursor_id)
        if request.sql is None:
            if cursor is None:
                raise OracleError(1001, "invalid cursor")
            return cursor, False
        info = self._database.inspect(request.sql)
        if request.flags & requests.SCROLLABLE:
            raise refused("scrollable cursor")
        if cursor is not None:
            cursor.close_query()
            cursor.sql, cursor.info, cursor.columns, cursor.defines = request.sql, info, None, None
            return cursor, False
        return self._new_cursor(request.sql, info), True

    def _new_cursor(self, sql: str | None, info: StatementInfo) -> Cursor:
        if len(self._cursors) >= self._max_cursors:
            raise OracleError(1000, "maximum open cursors exceeded")
        number = next(candidate for candidate in count(1) if candidate not in self._cursors)
        cursor = Cursor(number, sql, info, [])
        self._cursors[number] = cursor
        return cursor

    # -- running -------------------------------------------------------------------------------------------------------------

    def run(self, call: Call) -> Iterable[bytes | memoryview]:
        """Run a call; its response, the rows lazily. OracleError: a cursor opened for it is gone again."""
        cursor = call.cursor
        try:
            if cursor.info.kind == "query":
                return self._run_query(call)
            if not call.has(requests.RUN) and cursor.info.kind != "ddl":  # parse only; to parse DDL is to run it
                if cursor.info.kind == "dml":
                    self._session.describe(cursor.sql or "", _unknown_types(cursor))
                return [self._ending(cursor)]
            if cursor.info.kind == "plsql" and cursor.binds:
                return self._run_block(call)
            return self._run_statement(call)
        except BaseException:
            self.abandon(call)
            raise

    def abandon(self, call: Call) -> None:
        """The client does not get this call's response: forget what only the response would have told it."""
        call.cursor.close_query()
        call.cursor.columns = call.cursor.defines = None
        if call.is_new:
            self._cursors.pop(call.cursor.id, None)

    def _run_query(self, call: Call) -> Iterable[bytes | memoryview]:
        cursor = call.cursor
        if call.has(requests.DESCRIBE_ONLY):
            cursor.columns = self._session.describe(cursor.sql or "", _unknown_types(cursor))
            return [messages.describe(cursor.columns), self._ending(cursor)]
        out: list[bytes | memoryview] = []
        if call.has(requests.RUN) and cursor.sql is not None:
            cursor.close_query()
            rows = self._session.query(cursor.sql, call.binds)
            if cursor.columns != rows.columns:
                cursor.defines = _defines_after_change(cursor, rows.columns)
                cursor.columns = rows.columns
                out.append(messages.describe(rows.columns))
            cursor.rows = rows
        if cursor.rows is not None and (cursor.defines is not None or not _has_lobs(cursor.rows.columns)):
            inline = _inline_lobs(cursor.rows.columns, cursor.defines)
            cursor.query = OpenQuery(cursor.rows, inline, self._lobs.column_value)
            cursor.rows = None
        if call.commit:
            self._commit()
        wants_rows = call.has(requests.WITH_ROWS) or cursor.sql is None  # a REF CURSOR is fetched from with EXECUTE
        if cursor.query is None or not wants_rows:
            return [*out, self._ending(cursor)]
        return chain(out, self._rows(cursor, cursor.query, call.rows_wanted))

    def fetch(self, cursor_id: int, wanted: int) -> Iterable[bytes | memoryview]:
        """The next rows of an open query."""
        cursor = self._cursors.get(cursor_id)
        if cursor is None:
            raise OracleError(1001, "invalid cursor")
        if cursor.query is None:
            raise OracleError(1002, "fetch out of sequence")
        return self._rows(cursor, cursor.query, wanted)

    def _rows(self, cursor: Cursor, query: OpenQuery, wanted: int) -> Iterator[bytes | memoryview]:
        """Rows as they become ready; the query is closed with the last one, and when they are not all taken."""
        complete = False
        try:
            yield messages.row_header()
            yield from query.take(wanted)
            complete = not query.finished
        finally:
            if not complete:
                cursor.close_query()
        if query.finished:
            yield self._ending(cursor, messages.NO_DATA_FOUND, "ORA-01403: no data found", row_count=query.sent)
        else:
            yield self._ending(cursor, row_count=query.sent)

    def _run_statement(self, call: Call) -> list[bytes | memoryview]:
        cursor = call.cursor
        with_counts = bool(call.flags & requests.ROW_COUNTS)
        outcome = self._session.execute(
            cursor.sql or "", call.binds, batch_errors=call.has(requests.BATCH_ERRORS), array_row_counts=with_counts
        )
        if call.commit:
            self._commit()
        out: list[bytes | memoryview] = []
        if outcome.implicit_results:
            children = [(rows.columns, self._ref_cursor(rows)) for rows in outcome.implicit_results]
            out.append(messages.implicit_results(children))
        if cursor.info.returning_binds:
            out.append(self._returned(outcome))
        if with_counts:
            out.append(messages.array_row_counts(outcome.array_row_counts or []))
        errors = outcome.batch_errors
        code, text = (messages.ARRAY_ERRORS, "ORA-24381: error(s) in array DML") if errors else (0, "")
        ending = Ending(
            self._session.in_transaction,
            code,
            text,
            cursor_id=cursor.id,
            row_count=outcome.row_count,
            rowid=outcome.last_rowid,
            batch_errors=errors,
            compiled_with_errors=outcome.compiled_with_errors,
        )
        return [*out, messages.error(ending)]

    def _returned(self, outcome: Outcome) -> bytes:
        """One row message per execution: for each RETURNING bind the number of values, then each value."""
        out = Writer()
        if not outcome.returning:
            return b""
        for execution in range(len(outcome.returning[0])):
            out.u1(7)
            for values, type_ in zip(outcome.returning, outcome.returning_types, strict=True):
                encoded = encode_values(values[execution], type_, self._lobs.column_value)
                out.ub(len(encoded))
                for value in encoded:
                    out.raw(value).raw(_OUT_TRAILER)
        return bytes(out.data)

    def _run_block(self, call: Call) -> list[bytes | memoryview]:
        """A PL/SQL block with binds: execution by execution, because one may feed the next through its OUT binds."""
        cursor, out = call.cursor, Writer()
        children: list[bytes] = []
        row_count = 0
        for execution in range(call.binds.rows):
            columns = [None if column is None else column.slice(execution, 1) for column in call.binds.columns]
            outcome = self._session.execute(cursor.sql or "", Binds(call.binds.types, columns, 1))
            row_count += outcome.row_count
            values = outcome.out_values or [None] * len(cursor.binds)
            is_out = [value is not None for value in values]
            if execution == 0:
                out.raw(messages.io_vector(is_out))
            if any(is_out):
                out.u1(7)
                for index, value in enumerate(values):
                    if value is not None:
                        out.raw(self._out_value(value, cursor.binds[index], (outcome.out_types or [])[index])).raw(_OUT_TRAILER)
            if outcome.implicit_results:
                children.append(messages.implicit_results([(rows.columns, self._ref_cursor(rows)) for rows in outcome.implicit_results]))
        if call.commit:
            self._commit()
        return [bytes(out.data), *children, self._ending(cursor, row_count=row_count)]

    def _out_value(self, value: pa.Array | Rows, item: BindItem, type_: OracleType | None) -> bytes:
        if isinstance(value, Rows):
            return messages.cursor_value(value.columns, self._ref_cursor(value))
        return b"".join(encode_values(value, type_ or item.oracle_type(), self._lobs.column_value))

    def _ref_cursor(self, rows: Rows) -> int:
        cursor = self._new_cursor(None, StatementInfo("query"))
        cursor.columns = rows.columns
        cursor.rows = rows
        return cursor.id

    def _ending(self, cursor: Cursor, code: int = 0, text: str = "", *, row_count: int = 0) -> bytes:
        return messages.error(Ending(self._session.in_transaction, code, text, cursor_id=cursor.id, row_count=row_count))

    # -- closing -------------------------------------------------------------------------------------------------------------

    def close(self, cursor_id: int) -> None:
        cursor = self._cursors.pop(cursor_id, None)
        if cursor is not None:
            cursor.close_query()

    def close_all(self) -> None:
        for cursor_id in list(self._cursors):
            self.close(cursor_id)


def _unknown_types(cursor: Cursor) -> list[OracleType]:
    """Types of binds that a parse alone does not tell: text, which converts to anything."""
    return [OracleType(Kind.VARCHAR2, length=2000)] * len(cursor.info.bind_names)


def _has_lobs(columns: Sequence[Column]) -> bool:
    return any(column.type.kind in LOB_KINDS for column in columns)


def _inline_lobs(columns: Sequence[Column], defines: Sequence[BindItem] | None) -> dict[int, int]:
    """The LOB columns that the client has not defined as locators, with the character set form of its define: they are sent as LONG."""
    if defines is None:
        return {}
    defined = zip(columns, defines, strict=False)
    return {
        index: define.form
        for index, (column, define) in enumerate(defined)
        if column.type.kind in LOB_KINDS and define.code not in (CLOB, BLOB)
    }


def _defines_after_change(cursor: Cursor, columns: Sequence[Column]) -> list[BindItem] | None:
    """The defines left after a statement's columns have changed: none, unless the client goes on by itself.

    A client that has read a column as text, RAW or LONG and is told that it is a LOB now goes on reading it as LONG, in the character
    set form it had. For a column that is a LOB to it, it sends a new define.
    """
    if cursor.columns is None or not _has_lobs(columns):
        return None
    defines = []
    for index, column in enumerate(columns):
        known = cursor.columns[index].type.kind if index < len(cursor.columns) else None
        define = cursor.defines[index] if cursor.defines is not None and index < len(cursor.defines) else None
        if known in LOB_KINDS and define is not None and define.code in (LONG, LONG_RAW):
            defines.append(define)
        elif column.type.kind not in LOB_KINDS or known in _PLAIN_KINDS:
            code, form = CODES[known or column.type.kind]
            defines.append(BindItem(LONG_RAW if code == RAW else LONG, form, 0, False))
        else:
            return None
    return defines

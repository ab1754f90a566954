"""The calls of a session that is logged on: each is first read to its end, then run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from oracle_mimic.door import Database, DirectPathTable, Session
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.wire import directpath, logon, messages, requests
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.lobs import LobStore
from oracle_mimic.wire.requests import Piggybacks
from oracle_mimic.wire.statements import Call, Statements, UnreadableError

Part = bytes | memoryview
Run = Callable[[], Iterable[Part]]  # the response, which may be made while it is sent
Reach = Callable[[str], None]  # tells that a point is reached where a fault may be set
_COMMIT_TEXT = re.compile(r"\s*COMMIT\b", re.IGNORECASE)
_MOST_LOADS = 65535  # a load's cursor id is two bytes


class SessionCalls:
    """A dispatch table from function code to handler. `sql` and `call` are those of the statement call read last.

    Args:
        reach: called with a point's name; ConnectionDroppedError or OracleError when a fault is set there.
        open_cursors: ORA-01000 beyond.
        change_password: does what a logon message on an open connection asks for.
    """

    def __init__(
        self,
        database: Database,
        session: Session,
        reader: Reader,
        reach: Reach,
        open_cursors: int,
        *,
        change_password: Callable[[logon.LogonRequest], None],
    ) -> None:
        self.session = session
        self._change_password = change_password
        self.sql: str | None = None
        self._call: Call | None = None
        self._reader = reader
        self._reach = reach
        self._lobs = LobStore()
        self._loads: dict[int, DirectPathTable] = {}
        self._statements = Statements(database, session, self._lobs, open_cursors, self._commit)
        self._handlers: dict[int, Callable[[], Run]] = {
            requests.EXECUTE: self._read_execute,
            requests.REEXECUTE: lambda: self._read_reexecute(fetch=False),
            requests.REEXECUTE_AND_FETCH: lambda: self._read_reexecute(fetch=True),
            requests.FETCH: self._read_fetch,
            requests.COMMIT: lambda: self._commit_call,
            requests.ROLLBACK: lambda: self._rollback_call,
            requests.PING: lambda: self._ping_call,
            requests.LOGOFF: lambda: self._rollback_call,
            requests.LOB_OP: self._read_lob,
            requests.DIRECT_PREPARE: self._read_direct_prepare,
            requests.DIRECT_STREAM: self._read_direct_stream,
            requests.DIRECT_OP: self._read_direct_op,
            requests.AUTH_TWO: self._read_password_change,
        }

    def read(self) -> Run:
        """Read one request, piggybacks and call; what it does when run. UnreadableError when its end cannot be found."""
        self.sql = self._call = None
        reader, piggybacks = self._reader, Piggybacks()
        kind = reader.u1()
        while kind == requests.MSG_PIGGYBACK:
            function = reader.u1()
            reader.u1()
            requests.read_piggyback(reader, function, piggybacks)
            kind = reader.u1()
        if kind != requests.MSG_FUNCTION:
            raise WireError(f"message type {kind}")
        function = reader.u1()
        reader.u1()
        for cursor_id in piggybacks.close_cursors:
            self._statements.close(cursor_id)
        handler = self._handlers.get(function)
        if handler is None:
            refusal = requests.REFUSED_FUNCTIONS.get(function)
            if refusal is None:
                raise WireError(f"function {function}")
            raise UnreadableError(refusal())
        try:
            call = handler()
        except OracleError as error:
            call = raiser(error)  # read to its end, but it cannot be run
        if reader.unread:
            raise WireError(f"{reader.unread} bytes behind function {function}")

        def run() -> Iterable[Part]:
            self._reach("before_call")
            self._apply(piggybacks)
            parts = call()
            self._reach("after_call")
            return parts

        return run

    def _apply(self, piggybacks: Piggybacks) -> None:
        for locator in piggybacks.free_lobs:
            self._lobs.free(locator)
        if piggybacks.application_context is not None:
            raise refused(f"application context {piggybacks.application_context}")
        if piggybacks.client_info:
            self.session.set_client_info(piggybacks.client_info)
        if piggybacks.schema is not None:
            self.session.set_current_schema(piggybacks.schema)

    def abandon(self) -> None:
        """The client does not get the answer of the call read last."""
        if self._call is not None:
            self._statements.abandon(self._call)

    def close(self) -> None:
        """Close every cursor and the session; an open transaction rolls back."""
        self._statements.close_all()
        self._lobs.clear()
        self.session.close()

    # -- statements ----------------------------------------------------------------------------------------------------------

    def _read_execute(self) -> Run:
        return self._statement_run(self._statements.read_execute(self._reader))

    def _read_reexecute(self, *, fetch: bool) -> Run:
        return self._statement_run(self._statements.read_reexecute(self._reader, fetch=fetch))

    def _statement_run(self, call: Call) -> Run:
        self._call = call
        self.sql = call.cursor.sql

        def run() -> Iterable[Part]:
            self._reach("statement")
            if call.cursor.info.kind == "other" and _COMMIT_TEXT.match(self.sql or ""):
                self._reach("before_commit")
                parts = self._statements.run(call)
                self._reach("after_commit")
                return parts
            return self._statements.run(call)

        return run

    def _read_fetch(self) -> Run:
        cursor_id, wanted = requests.read_fetch(self._reader)
        return lambda: self._statements.fetch(cursor_id, wanted)

    # -- transactions and LOBs -----------------------------------------------------------------------------------------------

    def _status(self) -> Sequence[Part]:
        return [messages.status(self.session.in_transaction)]

    def _commit(self) -> None:
        self._reach("before_commit")
        self.session.commit()
        self._reach("after_commit")

    def _commit_call(self) -> Sequence[Part]:
        self._commit()
        return self._status()

    def _ping_call(self) -> Sequence[Part]:
        self.session.ping()
        return self._status()

    def _rollback_call(self) -> Sequence[Part]:
        self.session.rollback()
        return self._status()

    def _read_lob(self) -> Run:
        request = requests.read_lob(self._reader)
        return lambda: [self._lobs.operate(request), *self._status()]

    def _read_password_change(self) -> Run:
        request = logon.read_request(self._reader)

        def run() -> Sequence[Part]:
            self._change_password(request)
            return self._status()

        return run

    # -- direct path ---------------------------------------------------------------------------------------------------------

    def _read_direct_prepare(self) -> Run:
        request = requests.read_direct_prepare(self._reader)

        def run() -> Sequence[Part]:
            table = self.session.direct_path_prepare(request.schema, request.table, request.columns)
            cursor_id = next(number for number in range(1, _MOST_LOADS) if number not in self._loads)
            self._loads[cursor_id] = table
            return [messages.direct_path_prepared(table.columns, cursor_id), *self._status()]

        return run

    def _read_direct_stream(self) -> Run:
        cursor_id, length = requests.read_direct_stream(self._reader)
        stream = self._reader.raw(length)

        def run() -> Sequence[Part]:
            table = self._load(cursor_id)
            self.session.direct_path_write(table, directpath.read_batch(stream, table.columns))
            return [messages.direct_path_done(), *self._status()]

        return run

    def _read_direct_op(self) -> Run:
        operation, cursor_id = requests.read_direct_op(self._reader)

        def run() -> Sequence[Part]:
            table = self._load(cursor_id)
            del self._loads[cursor_id]
            if operation == requests.DIRECT_FINISH:
                self._reach("before_commit")
                self.session.direct_path_finish(table)
                self._reach("after_commit")
            else:
                self.session.direct_path_abort(table)
            return [messages.direct_path_done(), *self._status()]

        return run

    def _load(self, cursor_id: int) -> DirectPathTable:
        table = self._loads.get(cursor_id)
        if table is None:
            raise OracleError(1001, "invalid cursor")
        return table


def raiser(error: OracleError) -> Run:
    """A call that only fails."""

    def run() -> NoReturn:
        raise error

    return run

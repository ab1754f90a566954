"""One client connection: handshake, logon, then request after request until it ends.

Two threads: this one reads requests from a queue, runs them and answers; the packet stream's thread sees a MARKER at once and
interrupts the running statement. A response is sent whole or not at all, so a break never leaves half of one behind.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from oracle_mimic.door import Binds, Database, DirectPathTable, Session
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.faults import ConnectionDroppedError, Faults
from oracle_mimic.wire import directpath, logon, messages, negotiate, packets, requests
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.lobs import LobStore
from oracle_mimic.wire.messages import Ending
from oracle_mimic.wire.packets import Channel, PacketStream, PeerGoneError, PeerSilentError
from oracle_mimic.wire.requests import Piggybacks
from oracle_mimic.wire.statements import Call, Statements, UnreadableError

logger = logging.getLogger(__name__)

Part = bytes | memoryview
Run = Callable[[], Sequence[Part]]
CANCELLED = (1013, "user requested cancel of current operation")
_DRAIN_SILENCE = 0.05  # seconds without a packet after which an unreadable request is taken to be over
_COMMIT_TEXT = re.compile(r"\s*COMMIT\b", re.IGNORECASE)
_MAX_IDENTIFIER = 128


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What every connection of a server shares.

    services, sids: names the listener knows (any case). login_timeout: seconds between the messages before the logon is through.
    handshake_timeout, message_timeout: seconds of silence inside a message, before and after logon. open_cursors: per session.
    """

    services: tuple[str, ...]
    sids: tuple[str, ...]
    faults: Faults = field(default_factory=Faults)
    login_timeout: float = 60.0
    handshake_timeout: float = 0.8
    message_timeout: float = 20.0
    open_cursors: int = 1000


class _BreakInMessageError(Exception):
    """The client gave its own request up in the middle and sent a BREAK."""


class Connection:
    """Serves one client; `run` returns when the connection has ended and its session is closed."""

    def __init__(self, channel: Channel, peer: str, database: Database, settings: ConnectionSettings) -> None:
        self._database = database
        self._settings = settings
        self._faults = settings.faults
        self._peer = peer
        self._stream = PacketStream(channel, self._on_break, settings.handshake_timeout)
        self._reader = Reader(self._refill)
        self._lobs = LobStore()
        self._session: Session | None = None
        self._statements: Statements | None = None
        self._service = ""
        self._logon: logon.Logon | None = None
        self._logon_user = ""
        self._attributes: dict[str, str] = {}
        self._round_trips = 0
        self._loads: dict[int, DirectPathTable] = {}
        self._sql: str | None = None  # of the running call, for faults and logs
        self._call: Call | None = None
        self._ended = False
        self._lock = threading.Lock()
        self._running = False
        self._break = threading.Event()
        self._handlers: dict[int, Callable[[], Run]] = {
            requests.EXECUTE: self._read_execute,
            requests.REEXECUTE: lambda: self._read_reexecute(fetch=False),
            requests.REEXECUTE_AND_FETCH: lambda: self._read_reexecute(fetch=True),
            requests.FETCH: self._read_fetch,
            requests.COMMIT: lambda: self._commit_call,
            requests.ROLLBACK: lambda: self._rollback_call,
            requests.PING: lambda: self._status,
            requests.LOGOFF: lambda: self._logoff,
            requests.LOB_OP: self._read_lob,
            requests.DIRECT_PREPARE: self._read_direct_prepare,
            requests.DIRECT_STREAM: self._read_direct_stream,
            requests.DIRECT_OP: self._read_direct_op,
            requests.AUTH_TWO: self._read_password_change,
        }

    # -- the life of a connection ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            if self._handshake():
                self._stream.start_reading(f"{threading.current_thread().name}-reader")
                self._log_on()
                self._stream.message_timeout = self._settings.message_timeout
                while not self._ended:
                    self._serve()
        except PeerGoneError as gone:
            logger.debug("%s: %s", self._peer, gone)
        except WireError as error:
            logger.warning("%s: closed, because a message could not be parsed: %s", self._peer, error)
        except ConnectionDroppedError as dropped:
            logger.info("%s: %s", self._peer, dropped)
        finally:
            self.close()
            if self._statements is not None:
                self._statements.close_all()
            if self._session is not None:
                self._session.close()

    def close(self) -> None:
        """End the connection, also from another thread; `run` then cleans up."""
        self._on_break()
        self._stream.close()

    def _handshake(self) -> bool:
        """CONNECT and ACCEPT; False when the service was refused."""
        wanted = negotiate.read_connect(self._stream, self._settings.login_timeout)
        if fault := self._faults.take("connect"):
            if fault.code:
                self._stream.send_packet(packets.REFUSE, negotiate.refuse_body(fault.code))
            return False
        code = 0
        if wanted.service_name is not None:
            known = {name.upper() for name in self._settings.services}
            code = 0 if wanted.service_name.upper() in known else negotiate.SERVICE_UNKNOWN
            self._service = wanted.service_name
        elif wanted.sid is not None:
            code = 0 if wanted.sid.upper() in {name.upper() for name in self._settings.sids} else negotiate.SID_UNKNOWN
            self._service = self._settings.services[0]
        else:
            code = negotiate.NO_SERVICE_NAMED
        if code:
            logger.info("%s: refused with %d: %s", self._peer, code, wanted)
            self._stream.send_packet(packets.REFUSE, negotiate.refuse_body(code))
            return False
        self._stream.send_packet(packets.ACCEPT, negotiate.accept_body())
        self._stream.large = True
        return True

    def _next_message(self, timeout: float | None) -> bool:
        """Wait for a message to begin; False when the client says goodbye. Breaks between messages are answered here."""
        if self._reader.unread:
            return True
        while True:
            packet = self._stream.next_packet(timeout)
            if packet.type == packets.MARKER:
                self._answer_break()
            elif packet.type == packets.CONNECT:
                raise WireError("CONNECT in an open connection")
            elif packet.flags & packets.END_OF_FILE:
                return False
            elif packet.body:
                self._reader.start_message()
                self._reader.data += packet.body
                return True

    def _refill(self) -> bytes:
        """The next DATA of the message that is being read."""
        while True:
            packet = self._stream.next_packet(self._stream.message_timeout)
            if packet.type == packets.DATA:
                if packet.flags & packets.END_OF_FILE:
                    raise PeerGoneError("closed by the client in the middle of a message")
                return packet.body
            if packet.type == packets.CONNECT:
                raise WireError("CONNECT in the middle of a message")
            if len(packet.body) >= 3 and packet.body[2] != packets.MARKER_INTERRUPT:
                raise _BreakInMessageError

    # -- logon ---------------------------------------------------------------------------------------------------------------

    def _log_on(self) -> None:
        version = ".".join(map(str, self._database.version))
        while self._session is None:
            if not self._next_message(self._settings.login_timeout):
                raise PeerGoneError("closed by the client before the logon")
            kind = self._reader.u1()
            if kind == negotiate.MSG_PROTOCOL:
                negotiate.read_protocol(self._reader)
                self._stream.send_data([negotiate.protocol_reply(f"oracle-mimic {version}")])
            elif kind == negotiate.MSG_DATA_TYPES:
                negotiate.read_data_types(self._reader)
                self._stream.send_data([negotiate.data_types_reply()])
            elif kind == requests.MSG_FUNCTION:
                function = self._reader.u1()
                self._reader.u1()
                if function not in (requests.AUTH_ONE, requests.AUTH_TWO):
                    raise WireError(f"function {function} before the logon")
                request = logon.read_request(self._reader)
                try:
                    answer = self._challenge(request) if function == requests.AUTH_ONE else self._authenticate(request)
                except OracleError as error:
                    self._stream.send_data([messages.error(Ending(code=error.code, text=str(error)))])
                    raise PeerGoneError(f"logon of {request.user} denied with ORA-{error.code:05d}") from error
                self._stream.send_data([answer, messages.status(False)])
            else:
                raise WireError(f"message type {kind} before the logon")

    def _challenge(self, request: logon.LogonRequest) -> bytes:
        self._logon_user = request.user
        self._attributes = {
            "program": request.pairs.get("AUTH_PROGRAM_NM", ""),
            "machine": request.pairs.get("AUTH_MACHINE", ""),
            "osuser": request.pairs.get("AUTH_SID", ""),
            "terminal": request.pairs.get("AUTH_TERMINAL", ""),
            "process": request.pairs.get("AUTH_PID", ""),
        }
        self._logon = logon.Logon(self._database.verifier(request.user))
        return self._logon.challenge()

    def _authenticate(self, request: logon.LogonRequest) -> bytes:
        if self._logon is None or request.user != self._logon_user:
            raise OracleError(1017, "invalid username/password; logon denied")
        proof = self._logon.check(request)
        if request.mode & logon.MODE_ADMINISTRATIVE:
            raise OracleError(1031, "insufficient privileges")
        if "PROXY_CLIENT_NAME" in request.pairs:
            raise refused("proxy authentication")
        if "AUTH_NEWPASSWORD" in request.pairs:
            raise refused("a new password at logon")
        if "AUTH_APPCTX_NSPACE" in request.pairs:
            raise refused("application context at logon")
        if "AUTH_ORA_EDITION" in request.pairs:
            raise refused("editions")
        self._database.check_account(request.user)
        attributes = {**self._attributes, "driver": request.pairs.get("SESSION_CLIENT_DRIVER_NAME", ""), "service": self._service}
        session = self._database.open_session(request.user, attributes)
        try:
            if statement := request.pairs.get("AUTH_ALTER_SESSION"):
                session.execute(statement, Binds())
        except BaseException:
            session.close()
            raise
        self._session = session
        self._statements = Statements(self._database, session, self._lobs, self._settings.open_cursors, self._commit)
        major, release, update, patch, port = self._database.version
        return logon.reply(
            {
                "AUTH_SVR_RESPONSE": proof,
                "AUTH_VERSION_NO": str(major << 24 | release << 16 | update << 12 | patch << 4 | port),
                "AUTH_SESSION_ID": str(session.session_id),
                "AUTH_SERIAL_NUM": str(session.serial_number & 0xFFFF),
                "AUTH_MAX_OPEN_CURSORS": str(self._settings.open_cursors),
                "AUTH_MAX_IDEN_LENGTH": str(_MAX_IDENTIFIER),
                "AUTH_SC_SERVICE_NAME": self._service,
                "AUTH_SC_DBUNIQUE_NAME": self._database.db_name,
                "AUTH_SC_REAL_DBUNIQUE_NAME": self._database.db_name,
                "AUTH_INSTANCENAME": self._database.instance_name,
                "AUTH_SC_DB_DOMAIN": "",
            }
        )

    # -- serving -------------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """One request: read it whole, run it, answer it."""
        if not self._next_message(None):
            self._ended = True
            return
        self._sql, self._call = None, None
        piggybacks = Piggybacks()
        fatal = False
        try:
            try:
                run = self._read_request(piggybacks)
            except UnreadableError as unreadable:
                self._drain()
                run = _raiser(unreadable.error)
            except OracleError as error:
                run = _raiser(error)
        except _BreakInMessageError:
            self._answer_break()
            return
        try:
            parts = self._run(run, piggybacks)
        except OracleError as error:
            fatal = error.fatal
            parts = [self._error(error)]
        except (WireError, PeerGoneError, ConnectionDroppedError):
            raise
        except Exception:  # whatever went wrong inside must reach the client as an error and the log as a traceback
            logger.exception("%s: internal error, statement: %s", self._peer, self._sql)
            parts = [self._error(OracleError(604, "error occurred at recursive SQL level 1: internal error of oracle-mimic, see its log"))]
        if self._break.is_set():
            if self._call is not None and self._statements is not None:
                self._statements.abandon(self._call)
            self._answer_break()
            return
        if self._faults.take("mid_message", self._user, self._sql):
            self._stream.send_part_of(parts)
            raise ConnectionDroppedError("fault in the middle of a message")
        self._stream.send_data(parts)
        self._round_trips += 1
        if self._session is not None:
            stream = self._stream
            self._session.note_traffic(bytes_sent=stream.bytes_sent, bytes_received=stream.bytes_received, round_trips=self._round_trips)
        self._ended = self._ended or fatal

    def _read_request(self, piggybacks: Piggybacks) -> Run:
        reader = self._reader
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
        handler = self._handlers.get(function)
        if handler is None:
            refusal = requests.REFUSED_FUNCTIONS.get(function)
            if refusal is None:
                raise WireError(f"function {function}")
            raise UnreadableError(refusal())
        if piggybacks.close_cursors and self._statements is not None:
            for cursor_id in piggybacks.close_cursors:
                self._statements.close(cursor_id)
        run = handler()
        if reader.unread:
            raise WireError(f"{reader.unread} bytes behind function {function}")
        return run

    def _run(self, run: Run, piggybacks: Piggybacks) -> Sequence[Part]:
        """Run a request that has been read; interruptible while it runs."""
        with self._lock:
            self._running = True
        try:
            self._reach("before_call")
            for locator in piggybacks.free_lobs:
                self._lobs.free(locator)
            if piggybacks.application_context is not None:
                raise refused(f"application context {piggybacks.application_context}")
            if piggybacks.client_info:
                self._open_session.set_client_info(piggybacks.client_info)
            if piggybacks.schema is not None:
                self._open_session.set_current_schema(piggybacks.schema)
            if self._break.is_set():
                raise OracleError(*CANCELLED)
            parts = run()
            self._reach("after_call")
            return parts
        finally:
            with self._lock:
                self._running = False

    def _error(self, error: OracleError) -> bytes:
        open_transaction = self._session is not None and self._session.in_transaction
        return messages.error(Ending(open_transaction, error.code, str(error), error.offset, row_count=error.rows_done))

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise WireError("a call before the logon")
        return self._session

    @property
    def _open_statements(self) -> Statements:
        if self._statements is None:
            raise WireError("a call before the logon")
        return self._statements

    @property
    def _user(self) -> str | None:
        return self._session.user if self._session else None

    def _reach(self, point: str) -> None:
        self._faults.reach(point, self._user, self._sql, self._break.wait)

    # -- breaks --------------------------------------------------------------------------------------------------------------

    def _on_break(self) -> None:
        """Called by the reading thread when a break arrives or the client is gone."""
        with self._lock:
            self._break.set()
            if self._running and self._session is not None:
                self._session.interrupt()

    def _drain(self) -> None:
        """Throw the rest of an unreadable request away: it is over when nothing more comes."""
        self._reader.pos = len(self._reader.data)
        while True:
            try:
                packet = self._stream.next_packet(_DRAIN_SILENCE)
            except PeerSilentError:
                return
            if packet.type == packets.MARKER:
                raise _BreakInMessageError

    def _answer_break(self) -> None:
        """BREAK to the client, wait for its RESET, RESET back, then ORA-01013. What it sent before the RESET is void."""
        self._reader.pos = len(self._reader.data)
        self._stream.send_marker(packets.MARKER_BREAK)
        while True:
            packet = self._stream.next_packet(None)
            if packet.type == packets.MARKER and len(packet.body) >= 3 and packet.body[2] == packets.MARKER_RESET:
                break
        self._break.clear()
        self._stream.send_marker(packets.MARKER_RESET)
        self._stream.send_data([self._error(OracleError(*CANCELLED))])

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def _read_execute(self) -> Run:
        return self._statement_run(self._open_statements.read_execute(self._reader))

    def _read_reexecute(self, *, fetch: bool) -> Run:
        return self._statement_run(self._open_statements.read_reexecute(self._reader, fetch=fetch))

    def _statement_run(self, call: Call) -> Run:
        self._call = call
        self._sql = call.cursor.sql

        def run() -> Sequence[Part]:
            self._reach("statement")
            commits = self._sql is not None and call.cursor.info.kind == "other" and _COMMIT_TEXT.match(self._sql)
            if commits:
                self._reach("before_commit")
            parts = self._open_statements.run(call)
            if commits:
                self._reach("after_commit")
            return parts

        return run

    def _read_fetch(self) -> Run:
        cursor_id, wanted = requests.read_fetch(self._reader)
        return lambda: self._open_statements.fetch(cursor_id, wanted)

    def _status(self) -> Sequence[Part]:
        return [messages.status(self._open_session.in_transaction)]

    def _commit(self) -> None:
        self._reach("before_commit")
        self._open_session.commit()
        self._reach("after_commit")

    def _commit_call(self) -> Sequence[Part]:
        self._commit()
        return self._status()

    def _rollback_call(self) -> Sequence[Part]:
        self._open_session.rollback()
        return self._status()

    def _logoff(self) -> Sequence[Part]:
        self._open_session.rollback()
        return self._status()

    def _read_lob(self) -> Run:
        request = requests.read_lob(self._reader)
        return lambda: [self._lobs.operate(request), *self._status()]

    def _read_password_change(self) -> Run:
        logon.read_request(self._reader)
        return _raiser(refused("changing a password through the driver (ALTER USER ... IDENTIFIED BY does it)"))

    # -- direct path ---------------------------------------------------------------------------------------------------------

    def _read_direct_prepare(self) -> Run:
        request = requests.read_direct_prepare(self._reader)

        def run() -> Sequence[Part]:
            table = self._open_session.direct_path_prepare(request.schema, request.table, request.columns)
            cursor_id = next(number for number in range(1, 65536) if number not in self._loads)
            self._loads[cursor_id] = table
            return [messages.direct_path_prepared(table.columns, cursor_id), *self._status()]

        return run

    def _read_direct_stream(self) -> Run:
        cursor_id, length = requests.read_direct_stream(self._reader)
        stream = self._reader.raw(length)

        def run() -> Sequence[Part]:
            table = self._load(cursor_id)
            self._open_session.direct_path_write(table, directpath.read_batch(stream, table.columns))
            return [messages.direct_path_done(), *self._status()]

        return run

    def _read_direct_op(self) -> Run:
        operation, cursor_id = requests.read_direct_op(self._reader)

        def run() -> Sequence[Part]:
            table = self._load(cursor_id)
            del self._loads[cursor_id]
            if operation == requests.DIRECT_FINISH:
                self._reach("before_commit")
                self._open_session.direct_path_finish(table)
                self._reach("after_commit")
            else:
                self._open_session.direct_path_abort(table)
            return [messages.direct_path_done(), *self._status()]

        return run

    def _load(self, cursor_id: int) -> DirectPathTable:
        table = self._loads.get(cursor_id)
        if table is None:
            raise OracleError(1001, "invalid cursor")
        return table


def _raiser(error: OracleError) -> Run:
    def run() -> NoReturn:
        raise error

    return run

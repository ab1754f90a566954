"""One client connection: handshake, logon, then request after request until it ends.

Two threads: this one reads requests from a queue, runs them and answers; the packet stream's thread sees a MARKER at once and
interrupts the running statement. Rows are sent while further ones are made; every part of a response is whole messages, so an error
can end it at any part, and a break between two packets.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from dataclasses import dataclass, field

from oracle_mimic.door import Database
from oracle_mimic.errors import OracleError
from oracle_mimic.faults import ConnectionDroppedError, Faults
from oracle_mimic.wire import logon, messages, negotiate, packets, requests
from oracle_mimic.wire.authentication import Authentication
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.calls import Part, Run, SessionCalls, raiser
from oracle_mimic.wire.messages import Ending
from oracle_mimic.wire.packets import Channel, PacketStream, PeerGoneError, PeerSilentError
from oracle_mimic.wire.statements import UnreadableError

logger = logging.getLogger(__name__)

CANCELLED = (1013, "user requested cancel of current operation")
_DRAIN_SILENCE = 0.05  # seconds without a packet after which an unreadable request is taken to be over


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
    handshake_timeout: float = 0.5
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
        self._calls: SessionCalls | None = None
        self._round_trips = 0
        self._lock = threading.Lock()
        self._running = False
        self._fatal = False  # the last error ended the session
        self._break = threading.Event()

    # -- the life of a connection ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            service = self._handshake()
            if service is not None:
                self._stream.start_reading(f"{threading.current_thread().name}-reader")
                calls = self._log_on(service)
                self._stream.message_timeout = self._settings.message_timeout
                while self._serve(calls):
                    pass
        except PeerGoneError as gone:
            logger.debug("%s: %s", self._peer, gone)
        except WireError as error:
            logger.warning("%s: closed, because a message could not be parsed: %s", self._peer, error)
        except ConnectionDroppedError as dropped:
            logger.info("%s: %s", self._peer, dropped)
        finally:
            self.close()
            if self._calls is not None:
                self._calls.close()

    def close(self) -> None:
        """End the connection, also from another thread; `run` then cleans up."""
        self._on_break()
        self._stream.close()

    def _handshake(self) -> str | None:
        """CONNECT and ACCEPT; the service's name, None when it was refused."""
        wanted = negotiate.read_connect(self._stream, self._settings.login_timeout)
        if fault := self._faults.take("connect"):
            if fault.code:
                self._stream.send_packet(packets.REFUSE, negotiate.refuse_body(fault.code))
            return None
        services, sids = ({name.upper() for name in names} for names in (self._settings.services, self._settings.sids))
        if wanted.service_name is not None:
            code = 0 if wanted.service_name.upper() in services else negotiate.SERVICE_UNKNOWN
        elif wanted.sid is not None:
            code = 0 if wanted.sid.upper() in sids else negotiate.SID_UNKNOWN
        else:
            code = negotiate.NO_SERVICE_NAMED
        if not code and wanted.server is not None and wanted.server.upper() != "DEDICATED":
            code = negotiate.NO_SUCH_HANDLER  # neither dispatchers nor a connection pool are started here
        if code:
            logger.info("%s: refused with %d: %s", self._peer, code, wanted)
            self._stream.send_packet(packets.REFUSE, negotiate.refuse_body(code))
            return None
        self._stream.send_packet(packets.ACCEPT, negotiate.accept_body())
        self._stream.large = True
        return wanted.service_name or self._settings.services[0]

    def _log_on(self, service: str) -> SessionCalls:
        """Protocol and data types, then the two phases of the logon."""
        authentication = Authentication(self._database, service, self._settings.open_cursors)
        banner = f"oracle-mimic {'.'.join(map(str, self._database.version))}"
        reader = self._reader
        while self._calls is None:
            if not self._next_message(self._settings.login_timeout):
                raise PeerGoneError("closed by the client before the logon")
            kind = reader.u1()
            if kind == negotiate.MSG_PROTOCOL:
                negotiate.read_protocol(reader)
                self._stream.send_data([negotiate.protocol_reply(banner)])
            elif kind == negotiate.MSG_DATA_TYPES:
                negotiate.read_data_types(reader)
                self._stream.send_data([negotiate.data_types_reply()])
            elif kind == requests.MSG_FUNCTION:
                function = reader.u1()
                reader.u1()
                if function not in (requests.AUTH_ONE, requests.AUTH_TWO):
                    raise WireError(f"function {function} before the logon")
                request = logon.read_request(reader)
                try:
                    if function == requests.AUTH_ONE:
                        answer = authentication.phase_one(request)
                    else:
                        session, answer = authentication.phase_two(request)
                        self._calls = SessionCalls(
                            self._database,
                            session,
                            reader,
                            self._reach,
                            self._settings.open_cursors,
                            change_password=authentication.change_password,
                        )
                except OracleError as error:
                    self._stream.send_data([self._error(error)])
                    raise PeerGoneError(f"logon of {request.user} denied with ORA-{error.code:05d}") from error
                self._stream.send_data([answer, messages.status(False)])
            else:
                raise WireError(f"message type {kind} before the logon")
        return self._calls

    # -- reading -------------------------------------------------------------------------------------------------------------

    def _next_message(self, timeout: float | None) -> bool:
        """Wait for a message to begin; False when the client says goodbye. Breaks between messages are answered here."""
        if self._reader.unread:
            return True
        while True:
            packet = self._stream.next_packet(timeout)
            if packet.type == packets.MARKER:
                if packet.marker != packets.MARKER_RESET:  # a RESET alone: asyncio clients send a second one, and wait for nothing
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
            if packet.marker != packets.MARKER_INTERRUPT:
                raise _BreakInMessageError

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

    # -- serving -------------------------------------------------------------------------------------------------------------

    def _serve(self, calls: SessionCalls) -> bool:
        """One request: read it whole, run it, answer it. False when the client has left or may not go on."""
        if not self._next_message(None):
            return False
        try:
            try:
                run = calls.read()
            except UnreadableError as unreadable:
                self._drain()
                run = raiser(unreadable.error)
        except _BreakInMessageError:
            self._answer_break()
            return True
        self._fatal = False
        with self._lock:
            self._running = True  # from here to the last byte of the response a break interrupts the session
            if not self._break.is_set():
                calls.session.resume()
        parts = self._response(run, calls)
        try:
            if self._break.is_set():
                sent = False
            elif self._faults.take("mid_message", calls.session.user, calls.sql):
                self._stream.send_part_of(parts)
                raise ConnectionDroppedError("fault in the middle of a message")
            else:
                sent = self._stream.send_data(parts, self._break.is_set)
        finally:
            parts.close()
            with self._lock:
                self._running = False
        if not sent:
            calls.abandon()
            self._answer_break()
            return True
        self._round_trips += 1
        sent_bytes, received_bytes = self._stream.bytes_sent, self._stream.bytes_received
        calls.session.note_traffic(bytes_sent=sent_bytes, bytes_received=received_bytes, round_trips=self._round_trips)
        return not self._fatal

    def _response(self, run: Run, calls: SessionCalls) -> Generator[Part, None, None]:
        """The parts of a response, whole messages each; an error on the way becomes its last message."""
        try:
            yield from run()
        except OracleError as error:
            self._fatal = error.fatal
            calls.abandon()
            yield self._error(error)
        except (WireError, PeerGoneError, ConnectionDroppedError):
            raise
        except Exception:  # whatever went wrong inside must reach the client as an error and the log as a traceback
            logger.exception("%s: internal error, statement: %s", self._peer, calls.sql)
            calls.abandon()
            yield self._error(OracleError(604, "error occurred at recursive SQL level 1: internal error of oracle-mimic, see its log"))

    def _reach(self, point: str) -> None:
        calls = self._calls
        if calls is not None:
            self._faults.reach(point, calls.session.user, calls.sql, self._break.wait)

    def _error(self, error: OracleError) -> bytes:
        open_transaction = self._calls is not None and self._calls.session.in_transaction
        return messages.error(Ending(open_transaction, error.code, str(error), error.offset, row_count=error.rows_done))

    # -- breaks --------------------------------------------------------------------------------------------------------------

    def _on_break(self) -> None:
        """Called by the reading thread when a break arrives or the client is gone."""
        with self._lock:
            self._break.set()
            session = self._calls.session if self._running and self._calls is not None else None
        if session is not None:
            session.interrupt()

    def _answer_break(self) -> None:
        """BREAK to the client, wait for its RESET, RESET back, then ORA-01013. What it sent before the RESET is void."""
        self._reader.pos = len(self._reader.data)
        self._stream.send_marker(packets.MARKER_BREAK)
        while self._stream.next_packet(None).marker != packets.MARKER_RESET:
            pass
        self._break.clear()
        self._stream.send_marker(packets.MARKER_RESET)
        self._stream.send_data([self._error(OracleError(*CANCELLED))])

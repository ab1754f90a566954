"""Packets: framing on a socket, and the thread that reads them while a statement runs.

A packet is 8 bytes of header (length, type, flags) and a body; a message may be cut at any byte between DATA packets. One thread
per connection reads, so that a MARKER (cancel, call timeout) is seen at once; DATA waits in a queue for the worker.
"""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from oracle_mimic.wire.buffer import WireError

CONNECT, ACCEPT, REFUSE, DATA, MARKER = 1, 2, 4, 6, 12
MARKER_BREAK, MARKER_RESET, MARKER_INTERRUPT = 1, 2, 3
END_OF_FILE = 0x0040  # data flag of the client's last, empty packet
SDU = 65535
_HEADER = 8
_DATA_HEADER = 10
_PAYLOAD = SDU - _DATA_HEADER
_SEND_AT = 1 << 20  # bytes of a response that are sent without waiting for its end
_QUEUE_LIMIT = 16 << 20  # bytes that may wait for the worker before the reading thread pauses
_BUFFERS_PER_SEND = 512  # below the kernel's limit of one gathering write (IOV_MAX, 1024)


class PeerGoneError(Exception):
    """The client closed the connection, or the server is stopping."""


class PeerSilentError(WireError):
    """The client stopped in the middle of a message."""


class Channel(Protocol):
    """What framing needs of a socket, plain or TLS. `recv` and `send` may run in two threads at once."""

    def recv(self, size: int, timeout: float | None) -> bytes:
        """At least one byte, b"" at the end; TimeoutError after `timeout` seconds without any."""
        ...

    def send(self, buffers: list[bytes | memoryview]) -> None: ...

    def close(self) -> None: ...


def wait_readable(sock: socket.socket, timeout: float | None) -> None:
    """TimeoutError when nothing arrives in time. The socket itself has no timeout: a slow reader must not fail our writes."""
    if timeout is None:
        return
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    if not poll.poll(timeout * 1000):
        raise TimeoutError("nothing received")


class PlainChannel:
    """A TCP socket; writes gather many buffers in one call."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock

    def recv(self, size: int, timeout: float | None) -> bytes:
        wait_readable(self._sock, timeout)
        return self._sock.recv(size)

    def send(self, buffers: list[bytes | memoryview]) -> None:
        for start in range(0, len(buffers), _BUFFERS_PER_SEND):
            group = [memoryview(buffer) for buffer in buffers[start : start + _BUFFERS_PER_SEND]]
            sent = self._sock.sendmsg(group)
            left = sum(map(len, group)) - sent
            while left:
                while sent >= len(group[0]):
                    sent -= len(group.pop(0))
                group[0] = group[0][sent:]
                sent = self._sock.sendmsg(group)
                left -= sent

    def close(self) -> None:
        """Wake up whoever reads or writes, then close."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # already gone: closing is all that is left to do
            pass
        self._sock.close()


class Packet(NamedTuple):
    type: int
    flags: int  # data flags for DATA, else 0
    body: bytes

    @property
    def marker(self) -> int:
        """The kind of a MARKER, 0 for another packet."""
        return self.body[2] if self.type == MARKER and len(self.body) >= 3 else 0


class PacketStream:
    """Packets both ways over one channel. `large` lengths (4 bytes) begin after ACCEPT has been sent."""

    def __init__(self, channel: Channel, on_break: Callable[[], None], message_timeout: float) -> None:
        self._channel = channel
        self._on_break = on_break
        self.message_timeout = message_timeout  # seconds of silence allowed inside a packet
        self._pending = bytearray()
        self._queue: deque[Packet | Exception] = deque()
        self._queued_bytes = 0
        self._ready = threading.Condition()
        self._send_lock = threading.Lock()
        self.large = False
        self.bytes_sent = self.bytes_received = 0

    # -- reading -------------------------------------------------------------------------------------------------------------

    def read_packet(self, timeout: float | None) -> Packet:
        """The next packet straight from the channel (only before the reading thread runs, or from it).

        `timeout` is for its first byte. WireError for what is no packet, PeerSilentError, PeerGoneError.
        """
        header = self._take(_HEADER, timeout)
        length = int.from_bytes(header[:4], "big") if self.large else int.from_bytes(header[:2], "big")
        type_ = header[4]
        limit = SDU + _HEADER if self.large else 0xFFFF
        if not _HEADER <= length <= limit:
            raise WireError(f"packet of {length} bytes")
        if type_ not in (CONNECT, DATA, MARKER):
            raise WireError(f"packet type {type_}")
        body = self._take(length - _HEADER, self.message_timeout)
        if type_ != DATA:
            return Packet(type_, 0, body)
        if len(body) < 2:
            raise WireError("DATA packet without data flags")
        return Packet(DATA, int.from_bytes(body[:2], "big"), body[2:])

    def _take(self, size: int, timeout: float | None) -> bytes:
        while len(self._pending) < size:
            try:
                piece = self._channel.recv(262144, self.message_timeout if self._pending else timeout)
            except TimeoutError as error:
                raise PeerSilentError("the client stopped in the middle of a message") from error
            except OSError as error:
                raise PeerGoneError(str(error)) from error
            if not piece:
                raise PeerGoneError("closed by the client")
            self._pending += piece
            self.bytes_received += len(piece)
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def start_reading(self, name: str) -> None:
        """From now on packets come through `next_data`; the channel is read by a thread of its own."""
        threading.Thread(target=self._read_forever, name=name, daemon=True).start()

    def _read_forever(self) -> None:
        try:
            while True:
                packet = self.read_packet(None)
                if packet.marker in (MARKER_BREAK, MARKER_INTERRUPT):
                    self._on_break()
                with self._ready:
                    self._queue.append(packet)
                    self._queued_bytes += len(packet.body)
                    self._ready.notify_all()
                    while self._queued_bytes > _QUEUE_LIMIT:
                        self._ready.wait()
        except (WireError, PeerGoneError) as error:
            with self._ready:
                self._queue.append(error)
                self._ready.notify_all()
            self._on_break()  # a statement nobody waits for any more must not run on

    def next_packet(self, timeout: float | None) -> Packet:
        """The next packet; PeerSilentError after `timeout` seconds, PeerGoneError at the end."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._queue, timeout):
                raise PeerSilentError("the client stopped in the middle of a message")
            packet = self._queue[0]
            if isinstance(packet, Exception):
                raise packet
            self._queue.popleft()
            self._queued_bytes -= len(packet.body)
            self._ready.notify_all()
            return packet

    # -- writing -------------------------------------------------------------------------------------------------------------

    def send_packet(self, type_: int, body: bytes) -> None:
        length = _HEADER + len(body)
        size = length.to_bytes(4, "big") if self.large else length.to_bytes(2, "big") + b"\0\0"
        self._send([size + bytes((type_, 0, 0, 0)) + body])

    def send_marker(self, kind: int) -> None:
        self.send_packet(MARKER, bytes((1, 0, kind)))

    def send_data(self, parts: Iterable[bytes | bytearray | memoryview], is_cancelled: Callable[[], bool] | None = None) -> bool:
        """One response, cut into packets of at most the SDU without copying the parts, sent while they are made.

        `is_cancelled` is asked before each piece goes out: then nothing more is sent, and the answer is False.
        """
        out: list[bytes | memoryview] = []
        packet: list[bytes | memoryview] = []
        size = waiting = 0
        for part in parts:
            view = memoryview(part)
            while view:
                piece = view[: _PAYLOAD - size]
                packet.append(piece)
                size += len(piece)
                view = view[len(piece) :]
                if size == _PAYLOAD:
                    out += [_data_header(size), *packet]
                    packet, size, waiting = [], 0, waiting + size
            if waiting >= _SEND_AT:
                if is_cancelled is not None and is_cancelled():
                    return False
                self._send(out)
                out, waiting = [], 0
        if packet:
            out += [_data_header(size), *packet]
        if is_cancelled is not None and is_cancelled():
            return False
        self._send(out)
        return True

    def send_part_of(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Half of a response under a header that promises all of it (a fault: cut in the middle of a message)."""
        data = b"".join(parts)
        self._send([_data_header(len(data)) + data[: len(data) // 2]])

    def _send(self, buffers: list[bytes | memoryview]) -> None:
        try:
            with self._send_lock:
                self._channel.send(buffers)
                self.bytes_sent += sum(map(len, buffers))
        except OSError as error:
            raise PeerGoneError(str(error)) from error

    def close(self) -> None:
        self._channel.close()
        with self._ready:
            self._queued_bytes = 0
            self._queue.append(PeerGoneError("closed by the server"))
            self._ready.notify_all()


def _data_header(size: int) -> bytes:
    return (size + _DATA_HEADER).to_bytes(4, "big") + bytes((DATA, 0, 0, 0, 0, 0))

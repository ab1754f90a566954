"""TLS over a socket that one thread reads while another writes.

OpenSSL's objects must not be used by two threads at once, and Python's `SSLSocket` would hold a read for ever. So the TLS engine runs
on memory buffers under a lock, and only the plain socket is waited for outside it.
"""

from __future__ import annotations

import socket
import ssl
import threading

from oracle_mimic.wire.packets import wait_readable


class TlsChannel:
    """A `packets.Channel` that speaks TLS.

    Args:
        sock: a connected socket.
        context: a server context with the certificate loaded.
        timeout: seconds until the client begins. handshake_timeout: seconds of silence within the handshake.

    OSError (ssl.SSLError, TimeoutError) when the handshake fails.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, timeout: float, handshake_timeout: float) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._lock = threading.Lock()
        wait_readable(sock, timeout)
        sock.settimeout(handshake_timeout)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            else:
                break
            finally:
                self._flush()
        sock.settimeout(None)

    def _feed(self, timeout: float | None = None) -> None:
        wait_readable(self._sock, timeout)
        data = self._sock.recv(262144)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        """Send what the engine has produced; the lock keeps TLS records in order on the socket."""
        with self._lock:
            data = self._outgoing.read()
            if data:
                self._sock.sendall(data)

    def recv(self, size: int, timeout: float | None) -> bytes:
        while True:
            with self._lock:
                try:
                    return self._tls.read(size)
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._feed(timeout)

    def send(self, buffers: list[bytes | memoryview]) -> None:
        for buffer in buffers:
            with self._lock:
                self._tls.write(buffer)
                data = self._outgoing.read()
                self._sock.sendall(data)

    def close(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # already gone: closing is all that is left to do
            pass
        self._sock.close()

"""Accepts clients, plain or TLS, and runs each connection in a thread of its own."""

from __future__ import annotations

import itertools
import logging
import socket
import ssl
import threading

from oracle_mimic.door import Database
from oracle_mimic.wire.connection import Connection, ConnectionSettings
from oracle_mimic.wire.packets import Channel, PlainChannel
from oracle_mimic.wire.tls import TlsChannel

logger = logging.getLogger(__name__)
_STOP_SECONDS = 10.0  # how long stopping waits for a connection's thread


class Listener:
    """One listening socket.

    Args:
        host, port: where to listen; port 0 takes a free one (see `port`).
        tls: a server context with its certificate for TCPS; None for plain TCP.
    """

    def __init__(self, host: str, port: int, database: Database, settings: ConnectionSettings, tls: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=128)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._database = database
        self._settings = settings
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: dict[int, tuple[Connection, threading.Thread]] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, name=f"oracle-mimic-{self.port}", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._socket.accept()
            except OSError:
                if self._stopping:
                    return
                logger.exception("a client could not be accepted")
                continue
            number = next(self._numbers)
            thread = threading.Thread(
                target=self._serve,
                args=(number, sock, f"{address[0]}:{address[1]}"),
                name=f"oracle-mimic-{self.port}-{number}",
                daemon=True,
            )
            thread.start()

    def _serve(self, number: int, sock: socket.socket, peer: str) -> None:
        try:
            channel = self._channel(sock)
        except OSError as error:  # ssl.SSLError among them
            logger.warning("%s: closed, because the TLS handshake failed: %s", peer, error)
            sock.close()
            return
        connection = Connection(channel, peer, self._database, self._settings)
        with self._lock:
            if self._stopping:
                connection.close()
                return
            self._connections[number] = (connection, threading.current_thread())
        try:
            connection.run()
        except Exception:  # a connection's failure must not be lost with its thread
            logger.exception("%s: connection failed", peer)
        finally:
            with self._lock:
                self._connections.pop(number, None)

    def _channel(self, sock: socket.socket) -> Channel:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a client that vanished must not hold its locks for ever
        if self._tls is None:
            return PlainChannel(sock)
        return TlsChannel(sock, self._tls, self._settings.login_timeout, self._settings.handshake_timeout)

    def disconnect_all(self) -> None:
        """End every connection, as a lost network would; the listener goes on."""
        with self._lock:
            connections = list(self._connections.values())
        for connection, _ in connections:
            connection.close()

    def stop(self) -> None:
        """Close the socket and every connection; their open transactions roll back."""
        self._stopping = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes up accept()
        except OSError:  # not everywhere allowed on a listening socket; closing is then enough
            pass
        self._socket.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection, _ in connections:
            connection.close()
        self._thread.join(_STOP_SECONDS)
        for _, thread in connections:
            thread.join(_STOP_SECONDS)

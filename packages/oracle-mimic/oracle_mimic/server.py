"""The server as a library: a database, a listener, and the doors for tests.

with MimicServer(users={"WMS": "secret"}) as server:
    connection = oracledb.connect(user="WMS", password="secret", dsn=server.dsn)
"""

from __future__ import annotations

import ipaddress
import logging
import ssl
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from oracle_mimic.control import ControlServer
from oracle_mimic.door import Database
from oracle_mimic.faults import Faults
from oracle_mimic.wire.connection import ConnectionSettings
from oracle_mimic.wire.listener import Listener

logger = logging.getLogger(__name__)

DEFAULT_SERVICES = ("FREEPDB1",)
DEFAULT_SIDS = ("FREE",)


def is_loopback(host: str) -> bool:
    """True for `localhost` and addresses of the loopback network."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class MimicServer:
    """A running oracle-mimic; starts when made, `stop` (or leaving the `with` block) ends it.

    Args:
        database: a DuckDB file, None for one in memory, or an opened `door.Database` (which then stays open).
        host, port: where to listen. Port 0 takes a free one. Any address but loopback needs `allow_remote`.
        users: name -> password; created when they do not exist.
        dba: those of them with the role DBA.
        services, sids: what clients may name.
        certificate, key: PEM files for TCPS on `tls_port` (0 takes a free one).
        control_port: loopback port of the control connection (0 takes a free one); None: there is none.
        wire_options: further fields of `ConnectionSettings` (timeouts, open_cursors).
        database_options: passed on to `open_database` (time_zone, clock, undo_retention_seconds, standby_lag_seconds, session_limit, ...).

    ValueError for settings that make no sense, OSError when a port is taken.
    """

    def __init__(
        self,
        database: Path | str | Database | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str] | None = None,
        dba: Collection[str] = (),
        services: Sequence[str] = DEFAULT_SERVICES,
        sids: Sequence[str] = DEFAULT_SIDS,
        allow_remote: bool = False,
        certificate: Path | str | None = None,
        key: Path | str | None = None,
        tls_port: int = 0,
        control_port: int | None = None,
        wire_options: Mapping[str, Any] | None = None,
        **database_options: Any,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            raise ValueError(f"{host} is not a loopback address; oracle-mimic is for demos and tests, allow_remote makes it listen there")
        if not services or not sids:
            raise ValueError("at least one service and one SID are needed")
        self.users = dict(users or {})
        self.service = services[0]
        self.sid = sids[0]
        self.host = host
        self.faults = Faults()
        self._owns_database = database is None or isinstance(database, Path | str)
        if database is None or isinstance(database, Path | str):
            from oracle_mimic.sql.database import open_database

            opened = open_database(
                None if database is None else str(database), users=self.users, dba=dba, services=services, sids=sids, **database_options
            )
            opened.kill_point = self.faults.engine_point
            self.faults.set_disk_full = lambda full: opened.full_tables.add(None) if full else opened.full_tables.discard(None)
            self.database: Database = opened
        else:
            self.database = database
        settings = ConnectionSettings(tuple(services), tuple(sids), self.faults, **(wire_options or {}))
        self._closers: list[Any] = []
        try:
            self._listener = Listener(host, port, self.database, settings)
            self._closers.append(self._listener)
            self.port = self._listener.port
            self.tls_port: int | None = None
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate, key)
                tls_listener = Listener(host, tls_port, self.database, settings, context)
                self._closers.append(tls_listener)
                self.tls_port = tls_listener.port
            self.control_port: int | None = None
            if control_port is not None:
                control = ControlServer(self.faults, control_port)
                self._closers.append(control)
                self.control_port = control.port
        except BaseException:
            self.stop()
            raise
        logger.info("oracle-mimic listens on %s:%d, services %s, SIDs %s", host, self.port, ", ".join(services), ", ".join(sids))

    @property
    def dsn(self) -> str:
        """Easy Connect string of the first service."""
        return f"{self.host}:{self.port}/{self.service}"

    @property
    def tls_dsn(self) -> str:
        """Easy Connect string for TCPS; ValueError without a certificate."""
        if self.tls_port is None:
            raise ValueError("this server has no certificate")
        return f"tcps://{self.host}:{self.tls_port}/{self.service}"

    def disconnect_all(self) -> None:
        """End every connection without a word, as a lost network would; new ones are accepted."""
        self._listener.disconnect_all()

    def stop(self) -> None:
        """End every connection (open transactions roll back), then close the database if the server opened it."""
        for closer in self._closers:
            closer.stop()
        self._closers = []
        if self._owns_database:
            self.database.close()
            self._owns_database = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

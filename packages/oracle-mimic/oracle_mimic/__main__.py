"""`python -m oracle_mimic`: run the server until it is told to stop (SIGINT, SIGTERM).

Passwords never stand on the command line: the password of user WMS comes from the environment variable ORACLE_MIMIC_PASSWORD_WMS,
or from a file of lines `WMS=password`.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from oracle_mimic.errors import OracleError
from oracle_mimic.server import DEFAULT_SERVICES, DEFAULT_SIDS, MimicServer, is_loopback

PASSWORD_VARIABLE = "ORACLE_MIMIC_PASSWORD_"  # noqa: S105 - the name of a variable, not a password
READY = "oracle-mimic is ready on"
_LAST_PORT = 65535


def port_number(text: str) -> int:
    """ArgumentTypeError for what is no port."""
    if not text.isdigit() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to {_LAST_PORT})")
    return int(text)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="oracle-mimic",
        description="A small server that unmodified clients take for an Oracle 19c. For demos and tests, not for production use.",
    )
    made.add_argument("--database", metavar="FILE", help="DuckDB file; without it everything is in memory")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    made.add_argument("--allow-remote", action="store_true", help="allow an address that other machines can reach")
    made.add_argument("--port", type=port_number, default=1521, help="port, 0 for a free one (default: %(default)s)")
    made.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME",
        help="user to create (one that is there keeps its password); may be given several times",
    )
    made.add_argument("--dba", action="append", default=[], metavar="NAME", help="user with the role DBA; may be given several times")
    made.add_argument("--password-file", type=Path, metavar="FILE", help="lines NAME=password; else ORACLE_MIMIC_PASSWORD_<NAME> is used")
    made.add_argument("--service", action="append", default=[], metavar="NAME", help=f"service name (default: {DEFAULT_SERVICES[0]})")
    made.add_argument("--sid", action="append", default=[], metavar="NAME", help=f"SID (default: {DEFAULT_SIDS[0]})")
    made.add_argument("--certificate", type=Path, metavar="PEM", help="certificate for TCPS")
    made.add_argument("--key", type=Path, metavar="PEM", help="its private key, if not in the same file")
    made.add_argument("--tls-port", type=port_number, default=2484, help="port for TCPS (default: %(default)s)")
    made.add_argument("--control-port", type=port_number, help="loopback port of the control connection for faults; off by default")
    made.add_argument("--time-zone", default="UTC", help="the server's time zone, an offset or a region (default: %(default)s)")
    made.add_argument(
        "--undo-retention", type=float, default=900.0, metavar="SECONDS", help="how far AS OF reaches back (default: %(default)s)"
    )
    made.add_argument("--standby-lag", type=float, metavar="SECONDS", help="play a read-only standby that is so far behind")
    made.add_argument("--session-limit", type=int, default=200, help="ORA-00018 beyond (default: %(default)s)")
    made.add_argument("--memory-limit", metavar="SIZE", help="DuckDB's memory limit, e.g. 2GB")
    made.add_argument("--threads", type=int, help="DuckDB's threads")
    made.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return made


def passwords(names: Sequence[str], password_file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """User name (upper case) -> password. ValueError naming the user whose password is nowhere."""
    from_file: dict[str, str] = {}
    if password_file is not None:
        for line in password_file.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                name, separator, secret = line.partition("=")
                if not separator:
                    raise ValueError(f"{password_file}: a line without '='")
                from_file[name.strip().upper()] = secret
    found = {}
    for name in (each.upper() for each in names):
        password = from_file.get(name) or environment.get(PASSWORD_VARIABLE + name)
        if not password:
            raise ValueError(f"no password for user {name}: set {PASSWORD_VARIABLE}{name} or give --password-file")
        found[name] = password
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    dba = [name.upper() for name in options.dba]
    try:
        users = passwords([*options.user, *options.dba], options.password_file, os.environ)
        if not options.allow_remote and not is_loopback(options.host):
            raise ValueError(f"{options.host} is not a loopback address: say --allow-remote if that is really wanted")
        if not users and options.database is None:
            raise ValueError("a database in memory has no users: name one with --user or --dba")
        for option, file in (("--certificate", options.certificate), ("--key", options.key)):
            if file is not None and not file.is_file():
                raise ValueError(f"{option}: there is no file {file}")
        server = MimicServer(
            options.database,
            host=options.host,
            port=options.port,
            users=users,
            dba=dba,
            services=options.service or DEFAULT_SERVICES,
            sids=options.sid or DEFAULT_SIDS,
            allow_remote=options.allow_remote,
            certificate=options.certificate,
            key=options.key,
            tls_port=options.tls_port,
            control_port=options.control_port,
            time_zone=options.time_zone,
            undo_retention_seconds=options.undo_retention,
            standby_lag_seconds=options.standby_lag,
            session_limit=options.session_limit,
            memory_limit=options.memory_limit,
            threads=options.threads,
        )
    except (ValueError, OSError, OracleError) as error:
        print(f"oracle-mimic: {error}", file=sys.stderr)
        return 2
    with server:
        control = f", control port {server.control_port}" if server.control_port else ""
        tls = f", TCPS port {server.tls_port}" if server.tls_port else ""
        print(f"{READY} {server.dsn}{tls}{control}", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

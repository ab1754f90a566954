"""Connect to a database and ask it the first questions. Every failure is one of the classes in `errors.py`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_connection.errors import explain
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.types import session_statement

if TYPE_CHECKING:
    import oracledb


@dataclass(frozen=True, slots=True)
class Answer:
    """What a database said about itself. `latency_ms` is the time of one round trip."""

    version: str
    latency_ms: float
    service_name: str | None
    instance_name: str | None


def connect(parameters: ConnectionParameters, *, module: str, action: str | None = None) -> oracledb.Connection:
    """A connection whose session has a fixed zone (UTC) and number format, and which a DBA can recognise by module and action.

    Raises ConfigurationError, RetriableError or FatalError with the ORA-/DPY- code.
    """
    import oracledb

    doing = f"connect to {parameters.place} as {parameters.username}"
    try:
        if parameters.thick_mode and oracledb.is_thin_mode():
            oracledb.init_oracle_client(lib_dir=parameters.client_directory)
        connection = oracledb.connect(**parameters.connect_arguments())
    except (oracledb.Error, OSError) as error:
        raise explain(error, doing, secrets=parameters.secrets) from error
    try:
        connection.module = module
        if action is not None:
            connection.action = action
        connection.call_timeout = parameters.call_timeout_seconds * 1000
        with connection.cursor() as cursor:
            cursor.execute(session_statement())
    except oracledb.Error as error:
        connection.close()
        raise explain(error, f"set up the session at {parameters.place}", secrets=parameters.secrets) from error
    return connection


def ask(connection: oracledb.Connection) -> Answer:
    """Version, names and the latency of a round trip (the best of three)."""
    import oracledb

    best = float("inf")
    try:
        for _ in range(3):
            started = time.perf_counter()
            connection.ping()
            best = min(best, time.perf_counter() - started)
        return Answer(connection.version, round(best * 1000, 3), connection.service_name, connection.instance_name)
    except oracledb.Error as error:
        raise explain(error, "ask the database for its version") from error

"""A source database for the tests: oracle-mimic, or a real Oracle when ORACLE_TEST_DSN is set; and a tap that runs in this process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import oracledb
import pyarrow as pa
import pytest
from hypothesis import settings
from oracle_connection.contract import BatchMetadata
from oracle_connection.errors import DatabaseError
from tap_oracle_wms.messages import MessageWriter
from tap_oracle_wms.tap import TapOracleWms

# Machines that run tests are shared: how long one example takes says nothing about the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


@dataclass
class Restricted:
    """A user who may read some tables and nothing else."""

    user: str
    password: str

    def config(self) -> dict[str, Any]:
        """Settings that make a tap log in as this user."""
        return {"username": self.user, "password": self.password}


@dataclass
class Database:
    """One user's view of the source; `server` is the mimic, None for a real Oracle."""

    dsn: str
    user: str
    password: str
    server: Any = None
    _open: list[oracledb.Connection] = field(default_factory=list)
    _users: list[str] = field(default_factory=list)

    def connect(self, user: str | None = None, password: str | None = None) -> oracledb.Connection:
        """A new session; closed when the test ends."""
        connection = oracledb.connect(user=user or self.user, password=password or self.password, dsn=self.dsn)
        self._open.append(connection)
        return connection

    def run(self, *statements: str) -> None:
        """Run statements in a session of their own, and commit."""
        with oracledb.connect(user=self.user, password=self.password, dsn=self.dsn) as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with oracledb.connect(user=self.user, password=self.password, dsn=self.dsn) as connection:
            return connection.cursor().execute(statement).fetchall()

    def config(self, **settings: Any) -> dict[str, Any]:
        """Settings of a tap on this database."""
        return {"dsn": self.dsn, "username": self.user, "password": self.password, "retry_wait_seconds": 0, **settings}

    def restricted(self, *grants: str) -> Restricted:
        """A new user with CREATE SESSION and these grants, e.g. `SELECT ON T`."""
        name, password = f"T{uuid.uuid4().hex[:10].upper()}", "Restricted_1234"
        self.run(
            f'CREATE USER {name} IDENTIFIED BY "{password}"', f"GRANT CREATE SESSION TO {name}", *(f"GRANT {g} TO {name}" for g in grants)
        )
        self._users.append(name)
        return Restricted(name, password)

    def drop_everything(self) -> None:
        """Leave no table or view of the user behind."""
        for connection in self._open:
            if connection.is_healthy():
                connection.close()
        self._open.clear()
        while self._users:
            self.run(f"DROP USER {self._users.pop()} CASCADE")
        for (view,) in self.rows(f"SELECT VIEW_NAME FROM ALL_VIEWS WHERE OWNER = '{self.user}'"):
            self.run(f'DROP VIEW "{view}"')
        for (table,) in self.rows(f"SELECT TABLE_NAME FROM ALL_TABLES WHERE OWNER = '{self.user}'"):
            self.run(f'DROP TABLE "{table}" CASCADE CONSTRAINTS PURGE')


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The source, empty before and after."""
    dsn = os.environ.get("ORACLE_TEST_DSN")
    if dsn:
        found = Database(dsn, os.environ["ORACLE_TEST_USER"].upper(), os.environ["ORACLE_TEST_PASSWORD"])
    else:
        server = request.getfixturevalue("oracle_mimic")
        found = Database(server.dsn, "TESTER", server.users["TESTER"], server)
    found.drop_everything()
    yield found
    if found.server is not None:
        found.server.faults.clear()
    found.drop_everything()


@dataclass
class Output:
    """What a tap wrote, and how it ended."""

    text: str
    exit_code: int = 0
    log: str = ""
    error: DatabaseError | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages; fails when a line is not JSON."""
        return [json.loads(line, parse_float=_Decimal) for line in self.text.split("\n") if line]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        return self.of("STATE")[-1]["value"]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all RECORD messages."""
        return [message["record"] for message in self.of("RECORD")]

    @property
    def files(self) -> list[Path]:
        """The files of all BATCH messages, in order."""
        return [Path(unquote(urlparse(url).path)) for message in self.of("BATCH") for url in message["manifest"]]

    def batches(self) -> list[tuple[BatchMetadata, pa.Table]]:
        """Metadata and rows of each file, in order."""
        found = []
        for path in self.files:
            with pa.ipc.open_stream(path) as reader:
                found.append((BatchMetadata.parse(reader.schema.metadata[b"wms.batch"]), reader.read_all()))
        return found

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all files."""
        return [row for _, table in self.batches() for row in table.to_pylist()]


def _Decimal(text: str) -> Any:  # noqa: N802 - it stands for the class
    from decimal import Decimal

    return Decimal(text)


Run = Callable[..., Output]


@pytest.fixture
def run_tap(database: Database, tmp_path: Path) -> Run:
    """Run a tap in this process: run_tap(state=..., **settings). With fails=True its error is in the output, else it is raised."""

    def run(state: dict[str, Any] | None = None, catalog: dict[str, Any] | None = None, *, fails: bool = False, **changes: Any) -> Output:
        output = io.BytesIO()
        defaults = {"transfer": "batch", "staging_directory": str(tmp_path / "staging"), "run_record_dir": str(tmp_path / "records")}
        config = database.config(**{**defaults, "run_id": str(uuid.uuid4()), **changes})
        tap = TapOracleWms(config=config, state=json.loads(json.dumps(state or {})), catalog=catalog, message_writer=MessageWriter(output))
        failure = None
        try:
            tap.check_selection()
            tap.sync_all()
        except DatabaseError as error:
            failure = error
        finally:
            tap.writer.flush()
            tap.close()
        if failure is not None and not fails:
            raise failure
        return Output(output.getvalue().decode(), error=failure)

    return run


@pytest.fixture
def records(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """The run records written so far."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for path in sorted((tmp_path / "records").glob("*.jsonl")) for line in path.read_text().splitlines()]

    return read


@dataclass
class Command:
    """The tap as a process."""

    config_path: Path

    def start(self, *options: str, **popen: Any) -> subprocess.Popen[str]:
        """Start it with `--config`."""
        command = [
            sys.executable,
            "-c",
            "from tap_oracle_wms.tap import TapOracleWms; TapOracleWms.cli()",
            "--config",
            str(self.config_path),
        ]
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **popen}
        return subprocess.Popen([*command, *options], **popen)

    def __call__(self, *options: str) -> Output:
        """Run it to its end."""
        process = self.start(*options)
        text, log = process.communicate(timeout=120)
        return Output(text, process.returncode, log)


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Callable[..., Command]:
    """Make the tap's command line: command(**settings)(*options)."""

    def make(**settings: Any) -> Command:
        path = tmp_path / f"config-{uuid.uuid4().hex}.json"
        defaults = {"transfer": "batch", "staging_directory": str(tmp_path / "staging"), "run_record_dir": str(tmp_path / "records")}
        path.write_text(json.dumps(database.config(**{**defaults, **settings})))
        return Command(path)

    return make


@pytest.fixture
def entity() -> Callable[..., dict[str, Any]]:
    """The setting `entities` with one stream: entity("t", "TABLE", replication_key="UPDATED", ...)."""

    def make(stream: str, table: str, **settings: Any) -> dict[str, Any]:
        return {stream: {"table": table, **settings}}

    return make


@pytest.fixture
def sent(database: Database) -> Iterator[list[str]]:
    """The text of each statement that the source gets from the tap's user, in order; needs the mimic."""
    texts: list[str] = []
    faults = database.server.faults
    take = faults.take

    def listen(point: str, user: str | None = None, sql: str | None = None) -> Any:
        if point == "statement" and sql is not None and user == database.user:
            texts.append(sql)
        return take(point, user, sql)

    faults.arm("delay", "statement", matching="matches nothing", times=None)  # the server asks only while something is armed
    faults.take = listen
    yield texts
    faults.take = take


@pytest.fixture
def read_output() -> Callable[[str], Output]:
    """Read what a tap wrote that the test started itself."""
    return Output

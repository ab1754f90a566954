"""A warehouse to load into, and messages to feed: what every integration test of the target uses.

The database is oracle-mimic, or the real one that ORACLE_TEST_DSN, ORACLE_TEST_USER and ORACLE_TEST_PASSWORD name. Each test has its
own table prefix, so that tests do not meet.
"""

from __future__ import annotations

import io
import json
import os
import uuid
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import oracledb
import pyarrow as pa
import pytest
from oracle_connection.contract import BATCH_METADATA_KEY, BatchMetadata, FullSyncComplete, Mode, RunMetadata, Window
from oracle_connection.types import arrow_type, json_schema, parse_type, session_statement

READ_AT = "2026-11-22T20:15:00.123456Z"


def exact_numbers(cursor, metadata):
    """Fetch NUMBERs as Decimal: the driver's float would hide a lost digit."""
    return cursor.var(Decimal, arraysize=cursor.arraysize) if metadata.type_code is oracledb.DB_TYPE_NUMBER else None


@dataclass
class Warehouse:
    """The target database as tests see it: settings for the target, and a connection of their own to look at tables."""

    config: dict[str, Any]
    prefix: str
    faults: Any = None
    _connection: Any = None

    @property
    def connection(self):
        if self._connection is None:
            settings = self.config
            self._connection = oracledb.connect(user=settings["username"], password=settings["password"], dsn=settings["dsn"])
            self._connection.cursor().execute(session_statement())
        return self._connection

    @property
    def owner(self) -> str:
        return self.config["username"].upper()

    def query(self, sql, *binds):
        with self.connection.cursor() as cursor:
            cursor.outputtypehandler = exact_numbers
            cursor.execute(sql, binds)
            rows = cursor.fetchall()
        return [tuple(each.read() if isinstance(each, oracledb.LOB) else each for each in row) for row in rows]

    def execute(self, sql, *binds):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, binds)
        self.connection.commit()

    def rows(self, stream, columns="*", where="1=1", order="1"):
        return self.query(f'SELECT {columns} FROM "{self.prefix}{stream.upper()}" WHERE {where} ORDER BY {order}')

    def audit(self, stream, columns="ROWS_READ,ROWS_INSERTED,ROWS_UPDATED,ROWS_UNCHANGED,ROWS_DELETED"):
        sql = f"SELECT {columns} FROM WMS_LOAD_AUDIT WHERE TABLE_NAME=:1 ORDER BY LOADED_AT"
        return self.query(sql, f"{self.prefix}{stream.upper()}")

    def private_tables(self):
        like = self.prefix.replace("_", "\\_") + "%\\_\\_%"
        return [name for (name,) in self.query("SELECT TABLE_NAME FROM USER_TABLES WHERE TABLE_NAME LIKE :1 ESCAPE '\\'", like)]

    def target(self, **settings):
        from target_oracle.target import TargetOracle

        return TargetOracle(config={**self.config, **settings})

    def load(self, messages, **settings):
        """Run the target in this process over messages; the STATEs it let through."""
        return run_target(self.target(**settings), messages)

    def feed(self, target, messages):
        """The same with a target that has begun already."""
        return run_target(target, messages)


def run_target(target, messages):
    """Feed a target to its end; the STATEs it let through. On an error the target is closed as its command does."""
    out = io.StringIO()
    with redirect_stdout(out):
        try:
            target.listen(io.StringIO("".join(json.dumps(each) + "\n" for each in messages)))
        except BaseException as error:
            target.close("failed", error)
            error.states = [json.loads(line) for line in out.getvalue().splitlines()]
            raise
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def warehouse(request, tmp_path) -> Warehouse:
    """An empty corner of the target database."""
    prefix = f"T{uuid.uuid4().hex[:8].upper()}_"
    faults = None
    if dsn := os.environ.get("ORACLE_TEST_DSN"):
        login = {"dsn": dsn, "username": os.environ["ORACLE_TEST_USER"], "password": os.environ["ORACLE_TEST_PASSWORD"]}
    else:
        mimic = request.getfixturevalue("oracle_mimic")
        faults = mimic.faults
        login = {"dsn": mimic.dsn, "username": "ANALYTICS", "password": mimic.users["ANALYTICS"]}
    settings = {
        "table_prefix": prefix,
        "run_record_dir": str(tmp_path / "records"),
        "retry_backoff_ms": 10,
        "lease_wait_seconds": 1,
    }
    result = Warehouse({**login, **settings}, prefix, faults)
    yield result
    if faults is not None:
        faults.clear()
    result.connection.close()


@dataclass
class Stream:
    """A stream of our tap: columns by their Oracle type, messages in both forms."""

    name: str
    columns: dict[str, str]
    key: list[str]
    directory: Path
    mode: Mode = Mode.INCREMENTAL
    run_id: str = "run-1"
    generation: int | None = None
    redo: bool = False
    mandatory: set[str] = field(default_factory=set)
    comments: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def schema(self, **changes):
        columns = {**self.columns, **changes}
        properties = {
            name: json_schema(parse_type(text), nullable=name not in self.mandatory, description=self.comments.get(name))
            for name, text in columns.items()
        }
        run = RunMetadata(self.run_id, self.mode, self.generation, redo=self.redo).make()
        return {
            "type": "SCHEMA",
            "stream": self.name,
            "schema": {"type": "object", "properties": properties, "x-wms-run": run},
            "key_properties": self.key,
        }

    def table(self, rows):
        types = {name: arrow_type(parse_type(text)) for name, text in self.columns.items()}
        return pa.table({name: pa.array([row.get(name) for row in rows], type_) for name, type_ in types.items()})

    def batch(self, rows, **metadata):
        """A BATCH message and its file. rows: dicts, or an Arrow table."""
        table = rows if isinstance(rows, pa.Table) else self.table(rows)
        self.made += 1
        values = {
            "stream": self.name,
            "run_id": self.run_id,
            "mode": self.mode,
            "attempt": f"attempt-{uuid.uuid4().hex}",
            "extracted_at": READ_AT,
            "rows": table.num_rows,
            "columns": tuple(table.column_names),
            "generation": self.generation,
            "complete": True,
            **metadata,
        }
        table = table.replace_schema_metadata({BATCH_METADATA_KEY: BatchMetadata(**values).make()})
        self.directory.mkdir(exist_ok=True, parents=True)
        path = self.directory / f"{self.name}-{self.made}.arrow"
        with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(table)
        return {"type": "BATCH", "stream": self.name, "encoding": {"format": "arrow", "compression": "lz4"}, "manifest": [path.as_uri()]}

    def chunk(self, number, rows, **metadata):
        return self.batch(rows, chunk=number, **metadata)

    def full_sync(self, chunks, rows, watermark="2026-11-22T20:10:00.000000"):
        return self.batch([], full_sync=FullSyncComplete(chunks, rows, watermark))

    def record(self, row, **message):
        return {"type": "RECORD", "stream": self.name, "record": row, "time_extracted": READ_AT, **message}

    def activate(self, version):
        return {"type": "ACTIVATE_VERSION", "stream": self.name, "version": version}


def state(value):
    return {"type": "STATE", "value": {"bookmarks": value}}


@pytest.fixture
def make_stream(tmp_path):
    """Make a stream: make_stream("items", {"ID": "NUMBER(19)"}, key=["ID"])."""

    def make(name="items", columns=None, key=("ID",), **rest):
        return Stream(name, columns or {"ID": "NUMBER(19)", "NAME": "VARCHAR2(20 CHAR)"}, list(key), tmp_path / "files", **rest)

    return make


@pytest.fixture
def make_state():
    return state


@pytest.fixture
def window():
    return Window("LAST_UPDATED", "2026-11-22T20:00:00", "2026-11-22T20:10:00")


@pytest.fixture
def run_records(tmp_path):
    """The run records written so far."""

    def read():
        paths = sorted((tmp_path / "records").glob("runs-*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]

    return read

"""How fast the tap reads, as ratios of bare `fetch_df_batches` on the same server in the same run.

    python bench/tap_speed.py [--rows 1000000] [--wide-rows 100000] [--rounds 3] [--latency-ms 10]

1. Tap alone, Arrow files, 15 and 100 columns, against the driver's loop into /dev/null with the same Arrow schema and fetch size.
   By wall time and by CPU seconds of the client, which is steadier on a shared machine; start-up is not counted on either side.
2. Rows per fetch (setting batch_size): 1,000, 5,000, 20,000 and 50,000.
3. Connections (setting parallelism) 1, 2 and 4 with latency added to each call.
4. Tap alone in RECORD form, the Singer SDK's default SQL tap, and dlt's `sql_database` source (pyarrow backend) on the same table, per row.
   dlt comes from the registry into an environment of its own, made for the run by uv.

Goals: at least 85 % of the bare driver at 15 and at 100 columns, by wall time; at least 15 times the SDK's default tap, at least twice dlt.
Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import oracledb
import pyarrow as pa

PASSWORD = "Bench_1234"
FETCH = 20_000
GOALS = {"15 columns": 0.85, "100 columns": 0.85, "SDK default": 15.0, "dlt": 2.0}
ROWS_OF_DEFAULT = 20_000
DLT = "dlt[sql-database]==1.31.0"
NARROW = (
    ["ID NUMBER(18)"] + [f"N{n} NUMBER(18)" for n in range(3)] + [f"D{n} NUMBER(19,4)" for n in range(3)] + ["F BINARY_DOUBLE"]
    + [f"T{n} VARCHAR2(100 CHAR)" for n in range(4)] + ["DAY DATE", "CREATED TIMESTAMP(6)", "UPDATED TIMESTAMP(6)"]
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of the benchmark: name, column definitions, rows."""

    name: str
    columns: list[str]
    rows: int

    def data(self, start: int, rows: int) -> pa.Table:
        """Some of its rows; the same ones for the same numbers."""
        number = np.arange(start, start + rows)
        arrays = {}
        for definition in self.columns:
            name, kind = definition.split()[:2]
            arrays[name] = {
                "NUMBER(18)": lambda: pa.array(number),
                "NUMBER(19,4)": lambda: _decimals(number * 12_345 + 1),
                "BINARY_DOUBLE": lambda: pa.array(number / 7),
                "VARCHAR2(100": lambda: pa.array([f"value of {n % 9973:08d}" for n in number]),
                "DATE": lambda: pa.array(1_700_000_000 + number // 7, pa.timestamp("s")),
                "TIMESTAMP(6)": lambda: pa.array(1_700_000_000_000_000 + number, pa.timestamp("us")),
            }[kind]()
        return pa.table(arrays)


def _decimals(values: np.ndarray) -> pa.Array:
    whole = pa.array(values).cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(19, 4), len(whole), whole.buffers())


class Server:
    """oracle-mimic in a process of its own, with a control port for latency."""

    def __init__(self) -> None:
        self.port, self.control_port = _free_port(), _free_port()
        code = (
            "import signal; from oracle_mimic.server import MimicServer;"
            f"MimicServer(port={self.port}, control_port={self.control_port}, users={{'WMS': {PASSWORD!r}}}, dba=['WMS']); signal.pause()"
        )
        self.process = subprocess.Popen([sys.executable, "-c", code])
        self.dsn = f"127.0.0.1:{self.port}/FREEPDB1"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.connect().close()
                return
            except oracledb.Error:
                time.sleep(0.2)
        raise SystemExit("the server does not answer")

    def connect(self) -> oracledb.Connection:
        return oracledb.connect(user="WMS", password=PASSWORD, dsn=self.dsn, sdu=65535)

    def delay(self, milliseconds: float) -> None:
        """Add latency to each call; 0 takes it away."""
        from oracle_mimic.control import ControlClient

        control = ControlClient(self.control_port)
        control.clear()
        if milliseconds:
            control.arm("delay", "before_call", times=None, seconds=milliseconds / 1000)

    def seed(self, table: Table) -> None:
        with self.connect() as connection:
            connection.cursor().execute(f"CREATE TABLE {table.name} ({', '.join(table.columns)}, PRIMARY KEY (ID))")
            for start in range(0, table.rows, 50_000):
                data = table.data(start, min(50_000, table.rows - start))
                connection.direct_path_load("WMS", table.name, data.column_names, data)
            connection.cursor().execute(f"CREATE INDEX {table.name}_U ON {table.name} (UPDATED)")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Measured:
    """Rows, wall seconds and client CPU seconds of one reading."""

    rows: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def bare(server: Server, table: Table) -> Measured:
    """The driver's loop with the schema that the tap asks for; every batch becomes Arrow and is thrown away."""
    from oracle_connection.types import arrow_type, parse_type

    types = {definition.split(maxsplit=1)[0]: parse_type(definition.split(maxsplit=1)[1]) for definition in table.columns}
    schema = pa.schema([(name, arrow_type(oracle)) for name, oracle in types.items()])
    with server.connect() as connection:
        started, cpu, rows = time.perf_counter(), time.process_time(), 0
        for frame in connection.fetch_df_batches(f"SELECT {', '.join(types)} FROM {table.name}", size=FETCH, requested_schema=schema):
            rows += pa.table(frame).num_rows
        return Measured(rows, time.perf_counter() - started, time.process_time() - cpu)


def tap(server: Server, table: Table, folder: Path, **settings: object) -> Measured:
    """The tap as a process, its files removed as they come, as a target would; seconds are those of its run record."""
    number = len(list(folder.iterdir()))
    records = folder / f"records-{number}"
    method = {"replication_method": "FULL_TABLE"} if settings.get("parallelism", 0) == 0 else {"replication_key": "UPDATED"}
    config = {
        "dsn": server.dsn, "username": "WMS", "password": PASSWORD, "transfer": "batch", "batch_size": FETCH,
        "run_record_dir": str(records), "staging_directory": str(folder / f"staging-{number}"),
        "entities": {"t": {"table": table.name, **method}},
        "chunk_rows": 100_000, **{name: value for name, value in settings.items() if value},
    }  # fmt: skip
    path = folder / f"config-{number}.json"
    path.write_text(json.dumps(config))
    before = _children_cpu()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from tap_oracle_wms.tap import TapOracleWms; TapOracleWms.cli()", "--config", str(path)],
            stdout=subprocess.PIPE, stderr=log, env={**os.environ, "LOGLEVEL": "WARNING"},
        )  # fmt: skip
        for line in process.stdout:
            if line.startswith(b'{"type":"BATCH"'):
                Path(json.loads(line)["manifest"][0].removeprefix("file://")).unlink()
        if process.wait() != 0:
            raise SystemExit((folder / "log").read_text()[-2000:])
    (record,) = [json.loads(line) for file in records.glob("*") for line in file.read_text().splitlines()]
    if record["rows"] != table.rows:
        raise SystemExit(f"{record['rows']} rows left the tap, {table.rows} were there")
    return Measured(record["rows"], record["seconds"], _children_cpu() - before - start_up())


_START_UP: list[float] = []


def start_up() -> float:
    """CPU seconds of a tap that does nothing."""
    if not _START_UP:
        before = _children_cpu()
        subprocess.run([sys.executable, "-c", "import tap_oracle_wms.tap, oracledb, pyarrow"], check=True)
        _START_UP.append(_children_cpu() - before)
    return _START_UP[0]


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def default(server: Server, rows: int, folder: Path) -> Measured:
    """The SDK's default SQL tap (bench/sdk_default.py), its RECORDs thrown away; start-up taken off by a run on an empty table."""
    path = folder / "default.json"
    path.write_text(json.dumps({"sqlalchemy_url": f"oracle+oracledb://WMS:{PASSWORD}@127.0.0.1:{server.port}/?service_name=FREEPDB1"}))
    catalog = folder / "default-catalog.json"
    command = [sys.executable, str(Path(__file__).with_name("sdk_default.py")), "tap", "--config", str(path)]
    environment = {**os.environ, "LOGLEVEL": "WARNING"}

    def run(expected: int) -> tuple[float, float]:
        before, started = _children_cpu(), time.perf_counter()
        with (folder / "default.log").open("wb") as log, (folder / "default.out").open("wb") as out:
            subprocess.run([*command, "--catalog", str(catalog)], stdout=out, stderr=log, check=True, env=environment)
        measured = time.perf_counter() - started, _children_cpu() - before
        if (folder / "default.out").read_bytes().count(b'"type":"RECORD"') != expected:
            raise SystemExit("the SDK's default tap did not read every row")
        return measured

    with server.connect() as connection:
        connection.cursor().execute("CREATE TABLE BENCH_SOME AS SELECT * FROM NARROW WHERE 1 = 0")
        found = json.loads(subprocess.run([*command, "--discover"], capture_output=True, check=True, env=environment).stdout)
        for entry in found["streams"]:
            for each in entry["metadata"]:
                each["metadata"]["selected"] = True
        catalog.write_text(json.dumps(found))
        idle = run(0)
        connection.cursor().execute(f"INSERT INTO BENCH_SOME SELECT * FROM NARROW WHERE ID < {rows}")
        connection.commit()
    busy = run(rows)
    return Measured(rows, max(busy[0] - idle[0], 0.001), max(busy[1] - idle[1], 0.001))


def dlt_environment(folder: Path) -> Path:
    """A Python with dlt in it, from the registry."""
    found = shutil.which("uv") or str(Path(__file__).parents[1] / ".tools" / "bin" / "uv")
    python = folder / "dlt" / "bin" / "python"
    drivers = [f"{name}=={version(name)}" for name in ("oracledb", "pyarrow")]
    subprocess.run([found, "venv", "--quiet", "--python", sys.executable, str(folder / "dlt")], check=True)
    subprocess.run([found, "pip", "install", "--quiet", "--python", str(python), DLT, *drivers], check=True)
    return python


def dlt(server: Server, table: Table, python: Path) -> Measured:
    """dlt's reading of a table, its Arrow tables thrown away (bench/dlt_reader.py)."""
    url = f"oracle+oracledb://WMS:{PASSWORD}@127.0.0.1:{server.port}/?service_name=FREEPDB1"
    command = [str(python), str(Path(__file__).with_name("dlt_reader.py")), url, table.name, str(FETCH)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"})
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found = json.loads(done.stdout.splitlines()[-1])
    if found["rows"] != table.rows:
        raise SystemExit(f"dlt read {found['rows']} rows, {table.rows} were there")
    return Measured(found["rows"], found["seconds"], found["cpu"])


def median(rounds: int, measure: Callable[[], Measured]) -> Measured:
    """The median of some rounds, by wall and by CPU."""
    found = [measure() for _ in range(rounds)]
    return Measured(found[0].rows, statistics.median(m.seconds for m in found), statistics.median(m.cpu for m in found))


def line(name: str, measured: Measured, base: Measured | None = None) -> float:
    """Print a line; the ratio to `base` by wall time."""
    million = 1_000_000 / measured.rows
    text = f"{name:<44}{measured.rate:>12,.0f} rows/s{measured.cpu * million:>8.2f} client CPU s per million"
    if base is None:
        print(text, flush=True)
        return 1.0
    wall, cpu = measured.rate / base.rate, (base.cpu / base.rows) / (measured.cpu / measured.rows)
    print(f"{text}  {wall:>7.2f} by wall {cpu:>7.2f} by CPU", flush=True)
    return wall


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--wide-rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=10.0)
    options = parser.parse_args()
    narrow = Table("NARROW", NARROW, options.rows)
    fillers = [f"{name}_{n} {kind}" for n in range(17) for name, kind in (each.split(maxsplit=1) for each in NARROW[4:9])]
    wide = Table("WIDE", [*NARROW, *fillers], options.wide_rows)
    server = Server()
    reached: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            for table in (narrow, wide):
                server.seed(table)
            for table, name in ((narrow, "15 columns"), (wide, "100 columns")):
                base = median(options.rounds, lambda table=table: bare(server, table))
                line(f"bare fetch_df_batches, {name}", base)
                measured = median(options.rounds, lambda table=table: tap(server, table, folder))
                reached[name] = line(f"tap, Arrow files, {name}", measured, base)
            base = None
            for size in (1000, 5000, 20_000, 50_000):
                measured = median(options.rounds, lambda size=size: tap(server, narrow, folder, batch_size=size))
                line(f"tap, {size:,} rows per fetch", measured, base)
                base = base or measured
            server.delay(options.latency_ms)
            base = None
            for count in (1, 2, 4):
                measured = median(1, lambda count=count: tap(server, narrow, folder, batch_size=1000, parallelism=count))
                line(f"tap, {count} connections, {options.latency_ms:.0f} ms, 1,000 rows per fetch", measured, base)
                base = base or measured
            server.delay(0)
            few = default(server, ROWS_OF_DEFAULT, folder)
            line("SDK default tap", few)
            line("tap, RECORDs", median(1, lambda: tap(server, narrow, folder, transfer="record")), few)
            ours = median(options.rounds, lambda: tap(server, narrow, folder))
            reached["SDK default"] = line("tap, Arrow files", ours, few)
            python = dlt_environment(folder)
            theirs = median(options.rounds, lambda: dlt(server, narrow, python))
            line("dlt sql_database, pyarrow", theirs)
            reached["dlt"] = line("tap, Arrow files", ours, theirs)
        finally:
            server.process.kill()
            server.process.wait()
    missed = [name for name, goal in GOALS.items() if reached[name] < goal]
    for name, goal in GOALS.items():
        print(f"{name}: {reached[name]:.2f}, goal {goal}{' MISSED' if name in missed else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Rows from one Oracle to another, through tap and target, as ratios of the driver's own pipeline on the same server in the same run.

    python bench/end_to_end.py [--rows 2000000] [--rounds 1] [--default-rows 50000] [--parallel-loads 2]

One oracle-mimic process holds source and target. Measured, each in processes of their own, with wall time, client CPU and server CPU:
- bare: `fetch_df_batches` -> `direct_path_load`, in one process and in two (the ceiling; no types, no keys, no audit, no resume);
- ours: `tap-oracle-wms | target-oracle`, the full sync of an empty bookmark, start-up included; what start-up takes is shown apart, as the
  same on an empty table;
- the SDK's default SQL stream and SQL sink on the same table, with fewer rows (RECORDs, one dictionary a row).
Goals of the full sync: at least 75 % of the faster bare pipeline's rows/s, at most 1.5 times its client CPU; of the default pair: at least
12 times its rows/s, at most a fortieth of its client CPU. Exit code 1 when a goal is missed. Figures of a machine that does other work
mean little: compare the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import oracledb
import pyarrow as pa

USERS = {"WMS": "Bench_1234", "ANALYTICS": "Bench_1234"}
BATCH = 50_000
LOADS = 2
OURS = "tap-oracle-wms | target-oracle"
TYPES = {
    "ID": "NUMBER(19)",
    "ORDER_ID": "NUMBER(19)",
    "ITEM_ID": "NUMBER(19)",
    "LINE": "NUMBER(6)",
    "QUANTITY": "NUMBER(19,4)",
    "PRICE": "NUMBER(19,4)",
    "TOTAL": "NUMBER(19,2)",
    "RATIO": "BINARY_DOUBLE",
    "STATUS": "VARCHAR2(20 CHAR)",
    "LOT": "VARCHAR2(60 CHAR)",
    "OWNER_NAME": "VARCHAR2(100 CHAR)",
    "NOTE": "VARCHAR2(100 CHAR)",
    "PICKED": "TIMESTAMP(6)",
    "CREATED": "TIMESTAMP(6)",
    "LAST_UPDATED": "TIMESTAMP(6)",
}
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """What one way of copying took. rows: 0 where only the start-up was measured."""

    name: str
    rows: int
    seconds: float
    client_cpu: float
    server_cpu: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds

    def line(self) -> str:
        if not self.rows:
            return f"{self.name:<34}{'':>10}{self.seconds:>9.1f} s{'':>17}{self.client_cpu:>7.1f} s{self.server_cpu:>7.1f} s"
        million = 1_000_000 / self.rows
        return (
            f"{self.name:<34}{self.rows:>10,}{self.seconds:>9.1f} s{self.rows_per_second:>10,.0f} rows/s"
            f"{self.client_cpu * million:>9.1f}{self.server_cpu * million:>9.1f}"
        )


class Server:
    """oracle-mimic in a process of its own."""

    def __init__(self) -> None:
        environment = {**os.environ, **{f"ORACLE_MIMIC_PASSWORD_{name}": password for name, password in USERS.items()}}
        self.port = _free_port()
        users = [part for name in USERS for part in ("--user", name)]
        command = [sys.executable, "-m", "oracle_mimic", "--port", str(self.port), *users, "--log-level", "ERROR"]
        self.process = subprocess.Popen(command, env=environment)
        self.dsn = f"127.0.0.1:{self.port}/FREEPDB1"
        for _ in range(200):
            try:
                self.connect("WMS").close()
            except oracledb.Error:
                time.sleep(0.1)
            else:
                return
        raise SystemExit("the server does not answer")

    def connect(self, user: str) -> oracledb.Connection:
        return oracledb.connect(user=user, password=USERS[user], dsn=self.dsn)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sample(start: int, rows: int) -> pa.Table:
    """15 mixed columns; the same rows for the same numbers."""
    number = np.arange(start, start + rows)

    def decimals(values: np.ndarray, digits: int, scale: int) -> pa.Array:
        whole = pa.array(values).cast(pa.decimal128(38, 0))
        return pa.Array.from_buffers(pa.decimal128(digits, scale), len(whole), whole.buffers())

    statuses = np.array(["ALLOCATED", "RESERVED", "PICKED", "SHIPPED", "CANCELLED"])
    second = (1_700_000_000 + number // 7) * 1_000_000
    columns = [
        pa.array(number + 10_000_000_000).cast(pa.decimal128(19, 0)),
        pa.array(number // 5 + 1).cast(pa.decimal128(19, 0)),
        pa.array(number % 50_000 + 1).cast(pa.decimal128(19, 0)),
        pa.array(number % 5 + 1),
        decimals(number * 7919 % 10**9, 19, 4),
        decimals(number * 104_729 % 10**8, 19, 4),
        decimals(number * 15_485_863 % 10**10, 19, 2),
        pa.array((number % 1000) / 7.0),
        pa.array(statuses[number % 5]),
        pa.array([f"LOT-{each % 9973:08d}" for each in number]),
        pa.array([f"usuário número {each % 997}" for each in number]),
        pa.array([f"observação {each * 31 % 100_003} da linha de alocação" for each in number], mask=number % 11 == 3),
        pa.array(second + 60, pa.timestamp("us"), mask=number % 3 == 0),
        pa.array(second + number % 1_000_000, pa.timestamp("us")),
        pa.array(second + 5, pa.timestamp("us")),
    ]
    return pa.table(columns, names=list(TYPES))


def create(connection: oracledb.Connection, name: str, *, key: bool) -> None:
    columns = ", ".join(f'"{column}" {type_}' for column, type_ in TYPES.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} ({columns}{', PRIMARY KEY (ID)' if key else ''})")


def seed(server: Server, rows: int) -> None:
    with server.connect("WMS") as connection:
        create(connection, "BENCH_NONE", key=True)
        create(connection, "BENCH_ROWS", key=True)
        for start in range(0, rows, 100_000):
            data = sample(start, min(100_000, rows - start))
            connection.direct_path_load(schema_name="WMS", table_name="BENCH_ROWS", column_names=list(TYPES), data=data, batch_size=BATCH)


BARE = """
import sys, oracledb
dsn, password, first, last, table = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
source = oracledb.connect(user="WMS", password=password, dsn=dsn)
target = oracledb.connect(user="ANALYTICS", password=password, dsn=dsn)
names = sys.argv[6].split(",")
text = "SELECT %s FROM BENCH_ROWS WHERE ID BETWEEN :1 AND :2" % ",".join(names)
for frame in source.fetch_df_batches(text, [first, last], size=50000, fetch_decimals=True):
    target.direct_path_load(schema_name="ANALYTICS", table_name=table, column_names=names, data=frame)
"""


def bare(server: Server, rows: int, processes: int) -> Measured:
    """The driver's own pipeline; with two processes each copies one half by key into a table of its own (direct path locks tables)."""
    tables = [f"BARE_{number}_{time.monotonic_ns()}" for number in range(processes)]
    with server.connect("ANALYTICS") as connection:
        for table in tables:
            create(connection, table, key=False)
    share = -(-rows // processes)
    commands = []
    for number in range(processes):
        first = 10_000_000_000 + number * share
        arguments = [server.dsn, USERS["WMS"], str(first), str(first + share - 1), tables[number], ",".join(TYPES)]
        commands.append([sys.executable, "-c", BARE, *arguments])
    measured = run(server, f"bare, {processes} process{'es' if processes > 1 else ''}", rows, commands, pipe=False)
    check(server, tables, rows)
    return measured


def ours(server: Server, rows: int, folder: Path, number: int, *, loads: int = LOADS, table: str = "BENCH_ROWS") -> Measured:
    """tap-oracle-wms | target-oracle, a full sync. loads: the target's connections that load."""
    batches = {"encoding": {"format": "arrow", "compression": "lz4"}}
    login = {"dsn": server.dsn, "password": USERS["WMS"], "run_record_dir": str(folder / "records"), "run_id": f"bench-{number}"}
    entity = {"table": table, "replication_key": "LAST_UPDATED", "replication_method": "INCREMENTAL"}
    tap, target = folder / "tap.json", folder / "target.json"
    tap.write_text(
        json.dumps(
            {
                **login,
                "username": "WMS",
                "entities": {table.lower(): entity},
                "staging_directory": str(folder / "staging"),
                "batch_size": 10_000,
                "batch_config": batches,
            }
        )
    )
    target.write_text(json.dumps({**login, "username": "ANALYTICS", "table_prefix": f"OURS{number}_", "parallel_loads": loads}))
    commands = [
        [script("tap-oracle-wms"), "--config", str(tap)],
        [script("target-oracle"), "--config", str(target)],
    ]
    if not rows:
        return run(server, "  of which start-up (empty table)", 0, commands, pipe=True)
    measured = run(server, OURS, rows, commands, pipe=True)
    check(server, [f"OURS{number}_{table}"], rows)
    return measured


def default(server: Server, rows: int, folder: Path) -> Measured:
    """The SDK's default SQL stream and sink, on the first rows. Discovery and the choice of the stream are not measured."""
    here = Path(__file__).with_name("sdk_default.py")
    with server.connect("WMS") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE BENCH_SOME AS SELECT * FROM BENCH_ROWS WHERE ID < 10000000000 + {rows}")
    url = f"oracle+oracledb://{{user}}:{USERS['WMS']}@127.0.0.1:{server.port}/?service_name=FREEPDB1"
    for name, user in (("tap", "WMS"), ("target", "ANALYTICS")):
        (folder / f"default-{name}.json").write_text(json.dumps({"sqlalchemy_url": url.format(user=user)}))
    tap, target = ([sys.executable, str(here), name, "--config", str(folder / f"default-{name}.json")] for name in ("tap", "target"))
    catalog = json.loads(subprocess.run([*tap, "--discover"], check=True, capture_output=True).stdout)
    catalog["streams"][0]["metadata"].append({"breadcrumb": [], "metadata": {"selected": True, "replication-method": "FULL_TABLE"}})
    (folder / "default-catalog.json").write_text(json.dumps(catalog))
    commands = [[*tap, "--catalog", str(folder / "default-catalog.json")], target]
    measured = run(server, "SDK default tap | target", rows, commands, pipe=True)
    with server.connect("ANALYTICS") as connection, connection.cursor() as cursor:
        (there,) = cursor.execute("SELECT COUNT(*) FROM BENCH_SOME").fetchone()
    if there != rows:
        raise SystemExit(f"the SDK's default pair brought {there} of {rows} rows")
    return measured


def script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run(server: Server, name: str, rows: int, commands: list[list[str]], *, pipe: bool) -> Measured:
    """Run processes side by side, or as a pipe; their CPU is that of all children (and grandchildren) that were waited for."""
    server_before = server.cpu_seconds()
    started = time.perf_counter()
    before = _children_cpu()
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as log:
        for command in commands:
            source = processes[-1].stdout if pipe and processes else subprocess.DEVNULL
            out = subprocess.PIPE if pipe and len(processes) + 1 < len(commands) else subprocess.DEVNULL
            processes.append(subprocess.Popen(command, stdin=source, stdout=out, stderr=log, env={**os.environ, "LOGLEVEL": "WARNING"}))
            if source not in {subprocess.DEVNULL, None}:
                source.close()
        codes = [each.wait() for each in processes]
        seconds = time.perf_counter() - started
        if any(codes):
            log.seek(0)
            raise SystemExit(f"{name} failed {codes}: {log.read()[-3000:].decode(errors='replace')}")
    return Measured(name, rows, seconds, _children_cpu() - before, server.cpu_seconds() - server_before)


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def check(server: Server, tables: list[str], rows: int) -> None:
    """Stop unless the copies have what the source has (count and two sums)."""
    sums = "SELECT COUNT(*), SUM(QUANTITY), SUM(LENGTH(NOTE)) FROM"
    with server.connect("ANALYTICS") as connection, connection.cursor() as cursor:
        parts = [cursor.execute(f"{sums} {table}").fetchone() for table in tables]
    with server.connect("WMS") as connection, connection.cursor() as cursor:
        source = cursor.execute(f"{sums} BENCH_ROWS").fetchone()
    there = tuple(sum(each) for each in zip(*parts, strict=True))
    if source != there or there[0] != rows:
        raise SystemExit(f"{tables} have {there}, the source has {source}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--default-rows", type=int, default=50_000, help="0 leaves the SDK's default pair out")
    parser.add_argument("--parallel-loads", type=int, default=LOADS, help="the target's setting of that name")
    options = parser.parse_args()
    server = Server()
    results: list[Measured] = []
    try:
        seed(server, options.rows)
        print(f"{'':<34}{'rows':>10}{'wall':>11}{'':>17}{'CPU seconds per million rows':>20}")
        print(f"{'':<72}{'client':>9}{'server':>9}")
        with tempfile.TemporaryDirectory() as folder:
            for number in range(options.rounds):
                for measured in (
                    bare(server, options.rows, 1),
                    bare(server, options.rows, 2),
                    ours(server, options.rows, Path(folder), number, loads=options.parallel_loads),
                    ours(server, 0, Path(folder), number, loads=options.parallel_loads, table="BENCH_NONE"),
                ):
                    results.append(measured)
                    print(measured.line(), flush=True)
            if options.default_rows:
                results.append(default(server, options.default_rows, Path(folder)))
                print(results[-1].line(), flush=True)
    finally:
        server.stop()
    return judge(results)


def judge(results: list[Measured]) -> int:
    """Print the ratios beside their goals; 1 when one is missed."""
    best = {
        name: min((each for each in results if each.name == name), key=lambda each: each.seconds / max(each.rows, 1))
        for name in {r.name for r in results}
    }
    mine = best[OURS]
    ceiling = max((each for name, each in best.items() if name.startswith("bare")), key=lambda each: each.rows_per_second)
    goals = [
        ("rows/s, of the faster bare pipeline's", mine.rows_per_second / ceiling.rows_per_second, 0.75, True),
        ("client CPU, times the bare pipeline's", mine.client_cpu / ceiling.client_cpu, 1.5, False),
    ]
    plain = best.get("SDK default tap | target")
    if plain is not None:
        goals.append(("rows/s, times the SDK default pair's", mine.rows_per_second / plain.rows_per_second, 12, True))
        goals.append(("client CPU per row, times less", (plain.client_cpu / plain.rows) / (mine.client_cpu / mine.rows), 40, True))
    start = next((each.seconds for name, each in best.items() if not each.rows), 0.0)
    rate = mine.rows / (mine.seconds - start) / ceiling.rows_per_second
    print(f"       without our start-up the rows/s would be {rate:.2f} of the faster bare pipeline's (no goal)")
    missed = 0
    for name, value, goal, more in goals:
        good = value >= goal if more else value <= goal
        missed += not good
        print(f"{'ok    ' if good else 'MISSED'} {name}: {value:.2f} (goal {'at least' if more else 'at most'} {goal})")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

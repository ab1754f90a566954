"""How fast oracle-mimic is, as ratios of the driver's own ceiling in the same run.

    python bench/mimic_speed.py [--rows 1000000] [--rounds 2]

Two servers run in processes of their own: the real one, and one that serves the very same bytes encoded beforehand from memory. What the
driver fetches from that one is its ceiling on this machine. Measured against it: fetch_df_batches, direct_path_load and Arrow
executemany on 12 mixed columns; also the round trip of a cached statement and the server's largest memory while it streams.
Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import oracledb
import pyarrow as pa

USER, PASSWORD = "WMS", "Bench_1234"
BATCH = 50_000
GOALS = {"fetch_df_batches": 0.60, "direct_path_load": 0.15, "Arrow executemany": 0.12}
ROUND_TRIP_GOAL_MS = 2.0
DDL = """CREATE TABLE {name} (
    ID NUMBER(19) NOT NULL, ORDER_ID NUMBER(19) NOT NULL, LINE NUMBER(6), QUANTITY NUMBER(19,4), PRICE NUMBER(12,2), RATIO BINARY_DOUBLE,
    STATUS VARCHAR2(20 CHAR), OWNER_NAME VARCHAR2(100 CHAR), LOT VARCHAR2(60 CHAR), DAY DATE, CREATED TIMESTAMP(6), UPDATED TIMESTAMP(6))"""


def sample(rows: int) -> pa.Table:
    """12 mixed columns, the same ones for the same number of rows; some values NULL."""
    random = np.random.default_rng(7)
    number = np.arange(rows)
    statuses = np.array(["ALLOCATED", "RESERVED", "PICKED", "SHIPPED", "CANCELLED"])
    second = 1_700_000_000 + number // 7
    some = number % 11 == 3

    def decimals(values: np.ndarray, digits: int, scale: int) -> pa.Array:
        whole = pa.array(values).cast(pa.decimal128(38, 0))
        return pa.Array.from_buffers(pa.decimal128(digits, scale), len(whole), whole.buffers())

    return pa.table(
        {
            "ID": pa.array(number + 10_000_000_000),
            "ORDER_ID": pa.array(number // 5 + 1),
            "LINE": pa.array(number % 5 + 1),
            "QUANTITY": decimals(random.integers(1, 10**9, rows), 19, 4),
            "PRICE": decimals(random.integers(-(10**6), 10**8, rows), 12, 2),
            "RATIO": pa.array(random.random(rows)),
            "STATUS": pa.array(statuses[number % 5]),
            "OWNER_NAME": pa.array([f"usuário número {i % 997}" for i in range(rows)], mask=some),
            "LOT": pa.array([f"LOT-{i % 9973:08d}" for i in range(rows)], mask=number % 13 == 5),
            "DAY": pa.array(second, pa.timestamp("s")),
            "CREATED": pa.array(second * 1_000_000 + number % 1_000_000, pa.timestamp("us")),
            "UPDATED": pa.array(second * 1_000_000 + 5, pa.timestamp("us"), mask=some),
        }
    )


# -- the ceiling: pre-encoded rows from memory ------------------------------------------------------------------------------------


def serve_ceiling(rows: int) -> None:
    """Run in a process of its own: the wire room with encoding taken out. Its first query encodes and keeps, later ones only send."""
    from oracle_mimic.door import Binds, Outcome, Rows, StatementInfo
    from oracle_mimic.server import MimicServer
    from oracle_mimic.types import Column, Kind, OracleType
    from oracle_mimic.verifier import make_verifier
    from oracle_mimic.wire import statements
    from oracle_mimic.wire.queries import OpenQuery

    def text_of(length: int) -> OracleType:
        return OracleType(Kind.VARCHAR2, length=length, char_semantics=True)

    key, instant = OracleType(Kind.NUMBER, 19, 0), OracleType(Kind.TIMESTAMP, scale=6)
    numbers = [key, key, OracleType(Kind.NUMBER, 6, 0), OracleType(Kind.NUMBER, 19, 4), OracleType(Kind.NUMBER, 12, 2)]
    types = [*numbers, OracleType(Kind.BINARY_DOUBLE), text_of(20), text_of(100), text_of(60), OracleType(Kind.DATE), instant, instant]
    table = sample(rows)
    columns = tuple(Column(name, type_) for name, type_ in zip(table.column_names, types, strict=True))
    kept: list[object] = []

    class Replayed(OpenQuery):
        def _encode(self):
            if not kept:
                kept.extend(super()._encode())
            return iter(kept)

    statements.OpenQuery = Replayed  # type: ignore[misc]

    class Ceiling:
        version = (19, 3, 0, 0, 0)
        instance_name = db_name = "CEILING"
        session_id, serial_number, user, in_transaction = 1, 1, USER, False

        def inspect(self, sql: str) -> StatementInfo:
            return StatementInfo("query" if sql.startswith("SELECT") else "other")

        def verifier(self, user: str) -> object:
            return make_verifier(PASSWORD)

        def check_account(self, user: str) -> None: ...

        def open_session(self, user: str, attributes: dict[str, str]) -> Ceiling:
            return self

        def query(self, sql: str, binds: Binds) -> Rows:
            return Rows(columns, iter(table.to_batches(max_chunksize=BATCH)))

        def execute(self, sql: str, binds: Binds, **options: bool) -> Outcome:
            return Outcome()

        def rollback(self) -> None: ...

        def resume(self) -> None: ...

        def note_traffic(self, **counts: int) -> None: ...

        def interrupt(self) -> None: ...

        def close(self) -> None: ...

    with MimicServer(Ceiling()) as server:  # type: ignore[arg-type]
        print(f"oracle-mimic is ready on {server.dsn}", flush=True)
        sys.stdin.read()


class Server:
    """A server in a process of its own."""

    def __init__(self, *command: str) -> None:
        environment = {**os.environ, f"ORACLE_MIMIC_PASSWORD_{USER}": PASSWORD}
        self.process = subprocess.Popen(
            [sys.executable, *command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline() if self.process.stdout else ""
        if "ready on " not in line:
            raise SystemExit(f"a server did not start: {line!r}")
        self.dsn = line.split("ready on ")[1].split(",")[0].strip()

    def connect(self) -> oracledb.Connection:
        return oracledb.connect(user=USER, password=PASSWORD, dsn=self.dsn)

    def memory_mb(self, field: str = "VmRSS") -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


def best(rounds: int, work: Callable[[], int]) -> float:
    """Rows per second of the best round."""
    rates = []
    for _ in range(rounds):
        started = time.perf_counter()
        rows = work()
        rates.append(rows / (time.perf_counter() - started))
    return max(rates)


def fetch(connection: oracledb.Connection, name: str) -> int:
    return sum(frame.num_rows() for frame in connection.fetch_df_batches(f"SELECT * FROM {name}", size=BATCH))


def load(connection: oracledb.Connection, name: str, table: pa.Table) -> int:
    connection.direct_path_load(USER, name, table.column_names, table, batch_size=BATCH)
    return table.num_rows


def insert(connection: oracledb.Connection, name: str, table: pa.Table) -> int:
    places = ", ".join(f":{i + 1}" for i in range(table.num_columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {name} VALUES ({places})", table, batch_size=BATCH)
    connection.commit()
    return table.num_rows


def round_trip_ms(connection: oracledb.Connection, table: pa.Table) -> float:
    """The median of a cached statement with a bind that gives one row."""
    times = []
    with connection.cursor() as cursor:
        for number in range(300):
            started = time.perf_counter()
            cursor.execute("SELECT :1 FROM DUAL", [number])
            cursor.fetchone()
            times.append(time.perf_counter() - started)
    return statistics.median(times[50:]) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve-ceiling", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_ceiling:
        serve_ceiling(options.rows)
        return 0
    table = sample(options.rows)
    failed = False

    def report(what: str, rate: float, ceiling: float) -> None:
        nonlocal failed
        goal = GOALS[what]
        failed |= rate / ceiling < goal
        print(f"{what:18} {rate:12,.0f} rows/s {rate / ceiling:6.1%} of the ceiling (goal {goal:.0%})", flush=True)

    ceiling_server = Server(__file__, "--serve-ceiling", "--rows", str(options.rows))
    with ceiling_server.connect() as connection:
        fetch(connection, "T")
        ceiling = best(options.rounds, lambda: fetch(connection, "T"))
    ceiling_server.stop()
    print(
        f"{'ceiling':18} {ceiling:12,.0f} rows/s (the driver on pre-encoded bytes, {options.rows:,} rows, best of {options.rounds})",
        flush=True,
    )

    server = Server("-m", "oracle_mimic", "--port", "0", "--user", USER, "--log-level", "WARNING")
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(DDL.format(name="LOADED"))
        cursor.execute(DDL.format(name="INSERTED"))
        report("direct_path_load", best(1, lambda: load(connection, "LOADED", table)), ceiling)
        report("Arrow executemany", best(1, lambda: insert(connection, "INSERTED", table)), ceiling)
        before = server.memory_mb()
        report("fetch_df_batches", best(options.rounds, lambda: fetch(connection, "LOADED")), ceiling)
        print(
            f"server memory: {before:,.0f} MB before fetching, {server.memory_mb():,.0f} MB after, peak {server.memory_mb('VmHWM'):,.0f} MB"
        )
        trip = round_trip_ms(connection, table)
        failed |= trip > ROUND_TRIP_GOAL_MS
        print(f"round trip of a cached statement: {trip:.2f} ms (goal {ROUND_TRIP_GOAL_MS:.0f} ms)")
    server.stop()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""How long seeding ALLOCATION takes through bulk loading, and what the file and the server's memory grow to.

    python bench/mimic_seed.py [--rows 10000000]

The goal is 10 million rows within 10 minutes. Exit code 1 when the rate is below that.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from mimic_speed import USER, Server

CHUNK = 250_000
GOAL_ROWS_PER_SECOND = 10_000_000 / 600
DDL = """CREATE TABLE ALLOCATION (
    ALLOCATION_ID NUMBER(19) NOT NULL, ORDER_ID NUMBER(19) NOT NULL, ORDER_DETAIL_ID NUMBER(19) NOT NULL, ITEM_ID NUMBER(19) NOT NULL,
    LOCATION_ID NUMBER(19) NOT NULL, WAVE_ID NUMBER(19), QUANTITY_ALLOCATED NUMBER(19,4) NOT NULL, QUANTITY_PICKED NUMBER(19,4),
    UNIT_OF_MEASURE VARCHAR2(10 CHAR), ALLOCATION_STATUS VARCHAR2(20 CHAR) NOT NULL, PRIORITY_LEVEL NUMBER(3),
    ALLOCATED_BY_USER VARCHAR2(100 CHAR), PICKED_BY_USER VARCHAR2(100 CHAR), LOT_NUMBER VARCHAR2(60 CHAR), PICKED_TS TIMESTAMP(6),
    SHIPPED_TS TIMESTAMP(6), CREATED_DATE TIMESTAMP(6) NOT NULL, LAST_UPDATED TIMESTAMP(6) NOT NULL,
    CONSTRAINT ALLOCATION_PK PRIMARY KEY (ALLOCATION_ID))"""


def rows(first: int, count: int) -> pa.Table:
    """A chunk of allocations, the same ones for the same numbers."""
    number = np.arange(first, first + count)
    statuses = np.array(["ALLOCATED", "RESERVED", "PICKED", "SHIPPED", "CANCELLED"])
    users = np.array([f"operador.{i:03d}" for i in range(200)])
    lots = np.array([f"LOTE-{i:06d}" for i in range(5000)])
    created = 1_700_000_000_000_000 + number * 1_000_003
    waiting = number % 5 < 2
    quantity = pa.array(number % 9973 * 1000 + 10_000).cast(pa.decimal128(38, 0))
    quantity = pa.Array.from_buffers(pa.decimal128(19, 4), count, quantity.buffers())
    return pa.table(
        {
            "ALLOCATION_ID": pa.array(number + 1),
            "ORDER_ID": pa.array(number // 12 + 1),
            "ORDER_DETAIL_ID": pa.array(number // 3 + 1),
            "ITEM_ID": pa.array(number * 7919 % 20_000 + 1),
            "LOCATION_ID": pa.array(number * 104_729 % 50_000 + 1),
            "WAVE_ID": pa.array(number // 400 + 1, mask=number % 17 == 0),
            "QUANTITY_ALLOCATED": quantity,
            "QUANTITY_PICKED": quantity,
            "UNIT_OF_MEASURE": pa.array(np.array(["UN", "CX", "KG"])[number % 3]),
            "ALLOCATION_STATUS": pa.array(statuses[number % 5]),
            "PRIORITY_LEVEL": pa.array(number % 9 + 1),
            "ALLOCATED_BY_USER": pa.array(users[number % 200]),
            "PICKED_BY_USER": pa.array(users[number * 31 % 200], mask=waiting),
            "LOT_NUMBER": pa.array(lots[number * 13 % 5000]),
            "PICKED_TS": pa.array(created + 60_000_000, pa.timestamp("us"), mask=waiting),
            "SHIPPED_TS": pa.array(created + 120_000_000, pa.timestamp("us"), mask=number % 5 != 3),
            "CREATED_DATE": pa.array(created, pa.timestamp("us")),
            "LAST_UPDATED": pa.array(created + 180_000_000, pa.timestamp("us")),
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    total = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "seed.duckdb"
        server = Server("-m", "oracle_mimic", "--port", "0", "--user", USER, "--database", str(file), "--log-level", "WARNING")
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(DDL)
            started = time.perf_counter()
            for first in range(0, total, CHUNK):
                table = rows(first, min(CHUNK, total - first))
                connection.direct_path_load(USER, "ALLOCATION", table.column_names, table, batch_size=50_000)
            seconds = time.perf_counter() - started
            rate = total / seconds
            size = file.stat().st_size / 2**20
            print(f"{total:,} rows in {seconds:,.0f} s: {rate:,.0f} rows/s (goal {GOAL_ROWS_PER_SECOND:,.0f})")
            print(f"server memory: {server.memory_mb():,.0f} MB, peak {server.memory_mb('VmHWM'):,.0f} MB; file {size:,.0f} MB")
            counted = cursor.execute("SELECT COUNT(*), MAX(ALLOCATION_ID) FROM ALLOCATION").fetchone()
        server.stop()
    if counted != (total, total):
        print(f"the table holds {counted}")
        return 1
    return int(rate < GOAL_ROWS_PER_SECOND)


if __name__ == "__main__":
    sys.exit(main())

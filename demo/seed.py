"""Creates the tables and fills them by direct path load from Arrow; seconds for a demo, minutes for ten million allocations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import oracledb

from demo.ledger import Ledger
from demo.rows import Plan
from demo.schema import TABLES

_TABLE_DOES_NOT_EXIST = 942
LOAD_ROWS = 20_000


def create_tables(connection: oracledb.Connection) -> None:
    """Drop what is there and create all tables empty."""
    with connection.cursor() as cursor:
        for table in TABLES.values():
            try:
                cursor.execute(f'DROP TABLE "{table.name}" CASCADE CONSTRAINTS PURGE')
            except oracledb.DatabaseError as error:
                if error.args[0].code != _TABLE_DOES_NOT_EXIST:
                    raise
            for statement in table.ddl():
                cursor.execute(statement)


def seed(connection: oracledb.Connection, schema: str, plan: Plan, ledger: Ledger, progress: Callable[[str], None]) -> Counter[str]:
    """Create and fill all tables; the number of rows by table. `progress` gets a line now and then."""
    create_tables(connection)
    ledger.start(plan)
    rows: Counter[str] = Counter()
    started = reported = time.monotonic()
    for table, batch in plan.batches():
        connection.direct_path_load(schema, table.name, batch.column_names, batch, batch_size=LOAD_ROWS)
        rows[table.name] += batch.num_rows
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            progress(f"{rows.total():,} rows, {rows.total() / (reported - started):,.0f} rows/s")
    return rows

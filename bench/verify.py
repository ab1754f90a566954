"""What verify costs beside a plain read: a table of ALLOCATION's shape and its equal copy, then the same with drift in it.

    python bench/verify.py [--rows 1000000]

The plain read fetches every column of every row of both sides as Arrow and compares nothing. Both sides are one oracle-mimic, whose
functions are Python and DuckDB: the ratio says how much verify asks for, not how long a real Oracle takes for it.
Exit code 1 when equal tables are not proven, or drift is not found exactly.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from mimic_seed import CHUNK, DDL, rows
from mimic_speed import PASSWORD, USER, Server, fetch
from oracle_connection.parameters import ConnectionParameters
from wms_ops.verify.comparing import Comparison
from wms_ops.verify.database import Database
from wms_ops.verify.entity import Entity, Stream
from wms_ops.verify.keys import KeyRange
from wms_ops.verify.ledger import Ledger
from wms_ops.verify.verification import Options, Result, Verification

COPY = "ALLOCATION_COPY"
BOOKMARK = "2100-01-01T00:00:00.000000"
DRIFT = (1, 10, 1000)


def fill(server: Server, total: int) -> tuple[str, ...]:
    """Both tables; the columns."""
    with server.connect() as connection, connection.cursor() as cursor:
        for name in ("ALLOCATION", COPY):
            cursor.execute(DDL.replace("TABLE ALLOCATION (", f"TABLE {name} (").replace("ALLOCATION_PK", f"{name}_PK"))
            for first in range(0, total, CHUNK):
                table = rows(first, min(CHUNK, total - first))
                connection.direct_path_load(USER, name, table.column_names, table, batch_size=50_000)
        return tuple(table.column_names)


def plain_read(server: Server) -> tuple[float, int]:
    """Seconds and rows of a full read of both sides."""
    started, count = time.perf_counter(), 0
    for name in ("ALLOCATION", COPY):
        with server.connect() as connection:
            count += fetch(connection, name)
    return time.perf_counter() - started, count


def verify(server: Server, columns: tuple[str, ...]) -> tuple[float, Result, int]:
    """Seconds, the result, and the statements it took."""
    parameters = ConnectionParameters(username=USER, password=PASSWORD, dsn=server.dsn)
    source, target = Database("source", parameters, USER.upper()), Database("target", parameters, USER.upper())
    stream = Stream("allocation", USER.upper(), "ALLOCATION", ("ALLOCATION_ID",), "LAST_UPDATED", columns)
    started = time.perf_counter()
    entity = Entity.look_up(stream, source, target, COPY)
    whole = Options(ranges=(KeyRange(),))
    verification = Verification(Comparison(entity, lambda: BOOKMARK), Ledger(target, COPY, "allocation", "bench"), whole)
    result = verification.run()
    seconds = time.perf_counter() - started
    source.close()
    target.close()
    return seconds, result, source.statements + target.statements


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    total = parser.parse_args().rows
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "verify.duckdb"
        server = Server("-m", "oracle_mimic", "--port", "0", "--user", USER, "--database", str(file), "--log-level", "WARNING")
        columns = fill(server, total)
        reading, count = plain_read(server)
        print(f"plain read of both sides: {reading:.1f} s, {count / reading:,.0f} rows/s")
        seconds, result, statements = verify(server, columns)
        failed |= bool(result.findings) or result.rows != total
        print(f"verify, all equal:        {seconds:.1f} s, {seconds / reading:.2f} of the read; {statements} statements")
        chance, planted = random.Random(1), set[int]()
        for count in DRIFT:
            fresh = chance.sample([key for key in range(1, total + 1) if key not in planted], min(count, total // 10))
            with server.connect() as connection, connection.cursor() as cursor:
                update = f"UPDATE {COPY} SET QUANTITY_ALLOCATED = QUANTITY_ALLOCATED + 0.0001 WHERE ALLOCATION_ID = :1"
                cursor.executemany(update, [[key] for key in fresh])
                connection.commit()
            planted |= set(fresh)
            seconds, result, statements = verify(server, columns)
            failed |= {int(each.key[0]) for each in result.findings} != planted
            print(f"verify, {len(planted):>5,} different:  {seconds:.1f} s, {seconds / reading:.2f} of the read; {statements} statements")
        server.stop()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

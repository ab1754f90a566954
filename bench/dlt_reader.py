"""Read a table with dlt's `sql_database` source, pyarrow backend, and print what it took. For comparison (bench/tap_speed.py).

    python bench/dlt_reader.py URL TABLE CHUNK_ROWS

Runs in an environment of its own with dlt in it. The Arrow tables are thrown away, as the tap's files are. Start-up, the connection
and the reflection of the table are not counted: the clock runs from the first demand for rows.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Read, count, print one JSON object."""
    from dlt.sources.sql_database import sql_table
    from sqlalchemy import create_engine

    url, table, chunk_rows = sys.argv[1:]
    resource = sql_table(
        create_engine(url, arraysize=int(chunk_rows)), table=table.lower(), schema="wms", backend="pyarrow", chunk_size=int(chunk_rows),
        reflection_level="full_with_precision",
    )  # fmt: skip
    started, cpu, rows = time.perf_counter(), time.process_time(), 0
    for item in resource:
        rows += item.num_rows
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()

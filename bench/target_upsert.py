"""An upsert of changed rows into a large table: seconds, and the share of client CPU that is not the driver's.

    python bench/target_upsert.py [--table-rows 5000000] [--changed-rows 100000]

The table is loaded by target-oracle itself (a full sync of Arrow files made here); then one window of changes comes, half updates, half
new rows, with one unchanged row for each changed one. The target's own figures (its run record) are printed beside the wall time, the
process's CPU and the server's. The share of our code: client CPU of the run less that of a bare process that only loads the same rows
into an empty table with the driver.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from end_to_end import TYPES, Measured, Server, create, run, sample, script
from oracle_connection.contract import BATCH_METADATA_KEY, BatchMetadata, FullSyncComplete, Mode, RunMetadata
from oracle_connection.types import arrow_type, json_schema, parse_type

FILE_ROWS = 100_000
BARE_LOAD = """
import sys, oracledb, pyarrow as pa
dsn, password, table = sys.argv[1:4]
connection = oracledb.connect(user="ANALYTICS", password=password, dsn=dsn)
for path in sys.argv[4:]:
    with pa.OSFile(path) as source, pa.ipc.open_stream(source) as reader:
        data = reader.read_all()
    connection.direct_path_load(schema_name="ANALYTICS", table_name=table, column_names=data.column_names, data=data, batch_size=50000)
"""


def write(folder: Path, name: str, table: pa.Table, **metadata: Any) -> dict[str, Any]:
    """One file of the contract and its BATCH message."""
    typed = pa.table({column: table[column].cast(arrow_type(parse_type(text))) for column, text in TYPES.items()})
    values = BatchMetadata(
        "bench", "bench", attempt=name, extracted_at="2026-11-22T20:15:00.000000Z", rows=typed.num_rows, columns=tuple(TYPES), **metadata
    )
    typed = typed.replace_schema_metadata({BATCH_METADATA_KEY: values.make()})
    path = folder / f"{name}.arrow"
    with pa.ipc.new_stream(path, typed.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(typed)
    return {"type": "BATCH", "stream": "bench", "encoding": {"format": "arrow", "compression": "lz4"}, "manifest": [path.as_uri()]}


def schema(mode: Mode, generation: int | None = None) -> dict[str, Any]:
    properties = {name: json_schema(parse_type(text)) for name, text in TYPES.items()}
    body = {"type": "object", "properties": properties, "x-wms-run": RunMetadata("bench", mode, generation).make()}
    return {"type": "SCHEMA", "stream": "bench", "schema": body, "key_properties": ["ID"]}


def load(server: Server, folder: Path, name: str, rows: int, messages: list[dict[str, Any]]) -> tuple[Measured, dict[str, Any]]:
    """Run the target over messages; what it took, and its run record."""
    records = folder / f"records-{name.replace(' ', '-')}"
    settings, feed = folder / "target.json", folder / "feed.singer"
    login = {"dsn": server.dsn, "username": "ANALYTICS", "password": "Bench_1234", "run_record_dir": str(records)}
    settings.write_text(json.dumps(login))
    feed.write_text("".join(json.dumps(each) + "\n" for each in messages))
    measured = run(server, name, rows, [[script("target-oracle"), "--config", str(settings), "--input", str(feed)]], pipe=False)
    line = next(records.glob("*.jsonl")).read_text().splitlines()[-1]
    return measured, json.loads(line)


def bare_load(server: Server, folder: Path, rows: int, tables: list[pa.Table]) -> Measured:
    with server.connect("ANALYTICS") as connection:
        create(connection, "BENCH_BARE", key=False)
    paths = []
    for number, table in enumerate(tables):
        write(folder, f"bare-{number}", table, mode=Mode.INCREMENTAL)
        paths.append(str(folder / f"bare-{number}.arrow"))
    command = [sys.executable, "-c", BARE_LOAD, server.dsn, "Bench_1234", "BENCH_BARE", *paths]
    return run(server, "bare load of the same rows", rows, [command], pipe=False)


def window(table_rows: int, changed_rows: int) -> list[pa.Table]:
    """Changed, new and unchanged rows, in files."""
    half = changed_rows // 2
    old = sample(0, half)
    changed = old.set_column(old.column_names.index("STATUS"), "STATUS", pa.array(["REOPENED"] * half))
    rows = pa.concat_tables([changed, sample(table_rows, changed_rows - half), sample(half, changed_rows)])
    return [rows.slice(start, FILE_ROWS).combine_chunks() for start in range(0, rows.num_rows, FILE_ROWS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--table-rows", type=int, default=5_000_000)
    parser.add_argument("--changed-rows", type=int, default=100_000)
    options = parser.parse_args()
    server = Server()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            chunks = range(0, options.table_rows, FILE_ROWS)
            messages = [schema(Mode.FULL, 1)]
            for number, start in enumerate(chunks):
                table = sample(start, min(FILE_ROWS, options.table_rows - start))
                messages.append(
                    write(folder, f"chunk-{number}", table, mode=Mode.FULL, generation=1, chunk=number, complete=True, read_scn=1)
                )
            end = FullSyncComplete(len(chunks), options.table_rows, None)
            messages.append(write(folder, "end", sample(0, 0), mode=Mode.FULL, generation=1, full_sync=end))
            measured, _ = load(server, folder, "full load", options.table_rows, messages)
            print(measured.line(), flush=True)
            tables = window(options.table_rows, options.changed_rows)
            rows = sum(each.num_rows for each in tables)
            bare = bare_load(server, folder, rows, tables)
            print(bare.line(), flush=True)
            messages = [schema(Mode.INCREMENTAL)]
            messages += [
                write(folder, f"window-{number}", each, mode=Mode.INCREMENTAL, read_scn=2, part=number + 1)
                for number, each in enumerate(tables)
            ]
            measured, record = load(server, folder, "upsert", rows, messages)
            print(measured.line())
    finally:
        server.stop()
    counts = {
        each: record[each] for each in ("rows", "inserted", "updated", "unchanged", "batches", "load_seconds", "merge_seconds", "seconds")
    }
    print(f"the target's run record: {counts}")
    share = max(0.0, 1 - bare.client_cpu / measured.client_cpu)
    print(f"share of client CPU beyond the driver's load of the same rows (start-up included): {share:.0%}")
    expected = (options.changed_rows - options.changed_rows // 2, options.changed_rows // 2, options.changed_rows)
    if (record["inserted"], record["updated"], record["unchanged"]) != expected:
        print(f"WRONG counts: expected inserted, updated, unchanged = {expected}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

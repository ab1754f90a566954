"""Rows in every form in which they may come: Arrow files in each compression, Parquet of other taps, RECORDs, a tap of the registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle_connection.contract import ContractError, Mode

UV = Path(__file__).resolve().parents[3] / ".tools" / "bin" / "uv"
COLUMNS = {
    "ID": "NUMBER(19)",
    "AMOUNT": "NUMBER(19,4)",
    "RATIO": "BINARY_DOUBLE",
    "NAME": "VARCHAR2(20 CHAR)",
    "NOTE": "CLOB",
    "CODE": "RAW(8)",
    "DAY": "DATE",
    "AT": "TIMESTAMP(6) WITH TIME ZONE",
}
ROWS = [
    {
        "ID": 10**18, "AMOUNT": Decimal("-12345678901.2345"), "RATIO": 0.1, "NAME": "São João", "NOTE": "x" * 5000, "CODE": b"\x00\xff",
        "DAY": datetime(2026, 2, 28, 23, 59, 59), "AT": datetime(2026, 10, 25, 0, 30, 0, 123456),
    },
    {"ID": 2},
]  # fmt: skip
RECORDS = [
    {
        "ID": 10**18, "AMOUNT": -12345678901.2345, "RATIO": 0.1, "NAME": "São João", "NOTE": "x" * 5000, "CODE": "00FF",
        "DAY": "2026-02-28T23:59:59", "AT": "2026-10-24T22:30:00.123456-02:00",
    },
    {"ID": 2},
]  # fmt: skip


def in_parquet(message, **options):
    """The same rows as a foreign tap's Parquet file."""
    path = Path(message["manifest"][0].removeprefix("file://"))
    with pa.ipc.open_stream(path) as reader:
        table = reader.read_all()
    path.unlink()
    other = path.with_suffix(".parquet")
    pq.write_table(table.replace_schema_metadata(None), other, **options)
    return {**message, "encoding": {"format": "parquet", "compression": "gzip"}, "manifest": [other.as_uri()]}


def in_arrow(message, compression):
    """The same file in another compression."""
    path = Path(message["manifest"][0].removeprefix("file://"))
    with pa.ipc.open_stream(path) as reader:
        table = reader.read_all()
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    with pa.ipc.new_stream(path, table.schema, options=options) as writer:
        writer.write_table(table)
    return {**message, "encoding": {"format": "arrow", "compression": compression}}


FORMS = {
    "arrow lz4": lambda message: in_arrow(message, "lz4"),
    "arrow zstd": lambda message: in_arrow(message, "zstd"),
    "arrow none": lambda message: in_arrow(message, "none"),
    "parquet": in_parquet,
    "parquet zstd": lambda message: in_parquet(message, compression="zstd", use_dictionary=False),
}


def test_files_in_every_form_and_records_give_the_same_rows(warehouse, make_stream):
    tables = []
    for number, change in enumerate(FORMS.values()):
        stream = make_stream(f"f{number}", COLUMNS, mode=Mode.FULL_TABLE, generation=1)
        warehouse.load([stream.schema(), change(stream.batch(ROWS, read_scn=5))])
        tables.append(warehouse.rows(stream.name, ",".join(f'"{each}"' for each in COLUMNS), order='"ID"'))
        assert not stream.directory.exists()
        again = [stream.record(row, sequence=6) for row in RECORDS]
        warehouse.load([stream.schema(), *again])
        assert warehouse.audit(stream.name)[-1] == (2, 0, 0, 2, 0), list(FORMS)[number]
    stream = make_stream("records", COLUMNS, mode=Mode.FULL_TABLE, generation=1)
    warehouse.load([stream.schema(), *(stream.record(row) for row in RECORDS)])
    tables.append(warehouse.rows("records", ",".join(f'"{each}"' for each in COLUMNS), order='"ID"'))
    assert tables[0][1][:2] == (10**18, Decimal("-12345678901.2345"))
    assert all(each == tables[0] for each in tables)


def test_an_encoding_that_is_not_read_is_named(warehouse, make_stream):
    stream = make_stream()
    message = {**stream.batch([{"ID": 1}]), "encoding": {"format": "jsonl", "compression": "gzip"}}
    with pytest.raises(ContractError, match="BATCH encoding jsonl/gzip is not read: use arrow with lz4, zstd, none, or parquet"):
        warehouse.load([stream.schema(), message])


ORDERS = [
    {
        "id": 1, "price": 0.1, "weight": 12345678901234.568, "open": True, "note": None,
        "address": {"street": "Rua São João", "geo": {"lat": -23.5505199, "lon": -46.6333094}},
        "lines": [{"sku": "A", "qty": 1.5}, {"sku": "B", "qty": 2}],
    },
    {"id": 2, "price": 1e-7, "weight": 3, "open": False, "note": "it's \"quoted\"", "address": None, "lines": []},
]  # fmt: skip


@pytest.mark.long
@pytest.mark.skipif(not UV.exists() and shutil.which("uv") is None, reason="needs uv to run another project's tap")
def test_a_tap_of_the_registry_with_nested_objects_and_floats(warehouse, tmp_path):
    source, config = tmp_path / "orders.jsonl", tmp_path / "tap.json"
    source.write_text("".join(json.dumps(each) + "\n" for each in ORDERS))
    config.write_text(json.dumps({"path": str(source), "stream_name": "orders", "primary_keys": ["id"]}))
    command = [str(UV) if UV.exists() else "uv", "tool", "run", "--python", sys.executable, "tap-jsonl@0.3.1", "--config", str(config)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    feed = [json.loads(line) for line in output.splitlines()]
    assert {each["type"] for each in feed} >= {"SCHEMA", "RECORD", "STATE"}
    for inserted in (2, 0):
        states = warehouse.load(feed)
        assert states[-1] == [each["value"] for each in feed if each["type"] == "STATE"][-1]
        assert warehouse.audit("orders", "ROWS_INSERTED,ROWS_UPDATED")[-1] == (inserted, 0)
    rows = warehouse.rows("orders", '"ID","PRICE","WEIGHT","OPEN","NOTE","ADDRESS","LINES"')
    assert [row[:5] for row in rows] == [
        (1, Decimal("0.1"), Decimal("12345678901234.568"), 1, None),
        (2, Decimal("1E-7"), 3, 0, 'it\'s "quoted"'),
    ]
    nested = [(each["address"], each["lines"]) for each in ORDERS]
    assert [tuple(None if text is None else json.loads(text) for text in row[5:]) for row in rows] == nested

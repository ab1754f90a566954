"""Hostile names, wide tables, large values, two targets at once, and a million rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pyarrow as pa
import pytest
from oracle_connection.contract import Mode
from target_oracle.naming import column_names

HOSTILE = [
    "ID",
    "with space",
    'with "quotes"',
    "lower",
    "Lower",
    "LOWER",
    "😀",
    "SELECT",
    "LEVEL",
    "_leading",
    "x" * 128,
    "y" * 200,
    "é" * 100,
    ":bind",
    "'apostrophe'",
    "semi;colon",
    "_SDC_MINE",
    "a.b",
    "ROWID",
]


def test_hostile_names_arrive_in_both_forms(warehouse, make_stream):
    stream = make_stream("hos tile", dict.fromkeys(HOSTILE, "NUMBER(9)"), mode=Mode.FULL_TABLE, generation=1)
    names = column_names(HOSTILE)
    row = {name: number for number, name in enumerate(HOSTILE)}
    warehouse.load([stream.schema(), stream.batch([row]), stream.record({**row, "ID": 100}), stream.record({**row, "LEVEL": 7})])
    columns = ",".join(f'"{names[each]}"' for each in HOSTILE)
    assert warehouse.rows("hos tile", columns) == [
        tuple(7 if name == "LEVEL" else number for name, number in row.items()),
        (100, *range(1, len(HOSTILE))),
    ]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_table_of_994_columns(warehouse, make_stream):
    names = [f"C{number}" for number in range(994)]
    stream = make_stream("wide", dict.fromkeys(names, "NUMBER(9)"), key=["C0"], mode=Mode.FULL_TABLE, generation=1)
    row = dict.fromkeys(names, 1)
    warehouse.load([stream.schema(), stream.batch([row])])
    warehouse.load([stream.schema(), stream.batch([{**row, "C993": 2}])])
    assert warehouse.audit("wide") == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0)]
    assert warehouse.rows("wide", '"C993"') == [(2,)]


def test_large_texts_arrive_whole_and_are_compared_by_content(warehouse, make_stream):
    stream = make_stream("lobs", {"ID": "NUMBER(9)", "T": "CLOB", "B": "BLOB"}, mode=Mode.FULL_TABLE, generation=1)
    text, data = "Grüße 😀 " * 20_000, bytes(range(256)) * 400
    warehouse.load([stream.schema(), stream.batch([{"ID": 1, "T": text, "B": data}])])
    assert warehouse.rows("lobs", '"T","B"', order='"ID"') == [(text, data)]
    warehouse.load([stream.schema(), stream.record({"ID": 1, "T": text, "B": data.hex()})])
    assert warehouse.audit("lobs")[-1] == (1, 0, 0, 1, 0)
    warehouse.load([stream.schema(), stream.record({"ID": 1, "T": text + "!", "B": data.hex()})])
    assert warehouse.audit("lobs")[-1] == (1, 0, 1, 0, 0)


TELLING_MEMORY = """
import atexit, pathlib, re, runpy, sys
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: sys.stderr.write(re.search(r"VmHWM:.*", status.read_text())[0]))
runpy.run_module("target_oracle", run_name="__main__")
"""
"""The target as a process that says at its end how much memory it had at most (what wait4 says includes its parent's)."""


def start(warehouse, messages, folder, name):
    settings = folder / f"{name}.json"
    settings.write_text(json.dumps(warehouse.config))
    feed = folder / f"{name}.singer"
    feed.write_text("".join(json.dumps(each) + "\n" for each in messages))
    command = [sys.executable, "-c", TELLING_MEMORY, "--config", str(settings)]
    with feed.open() as source:
        return subprocess.Popen(
            command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "LOGLEVEL": "WARNING"}
        )


def test_two_targets_load_two_tables_at_once(warehouse, make_stream, tmp_path):
    processes = []
    for name in ("one", "two"):
        stream = make_stream(name, mode=Mode.FULL, generation=1)
        chunks = [stream.chunk(number, [{"ID": number * 10 + each, "NAME": name} for each in range(10)]) for number in range(5)]
        messages = [stream.schema(), *chunks, stream.full_sync(5, 50), {"type": "STATE", "value": {"done": name}}]
        processes.append((name, start(warehouse, messages, tmp_path, name)))
    for name, process in processes:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
        assert json.loads(out) == {"done": name}
        assert warehouse.rows(name, "COUNT(*)") == [(50,)]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_million_rows_stay_below_250_megabytes(warehouse, make_stream, tmp_path):
    columns = {"ID": "NUMBER(19)", **{f"T{number}": "VARCHAR2(40 CHAR)" for number in range(4)}, "AT": "TIMESTAMP(6)"}
    stream = make_stream("million", columns, mode=Mode.FULL, generation=1)
    messages = [stream.schema()]
    for number in range(10):
        ids = pa.array(range(number * 100_000, (number + 1) * 100_000)).cast(pa.decimal128(19, 0))
        text = pa.array([f"a text of some length, number {each}" for each in range(100_000)])
        at = pa.array(range(100_000), pa.timestamp("us"))
        table = pa.table([ids, text, text, text, text, at], names=list(columns))
        messages.append(stream.chunk(number, table))
    messages.append(stream.full_sync(10, 1_000_000))
    process = start(warehouse, messages, tmp_path, "million")
    _, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    assert warehouse.rows("million", "COUNT(*)") == [(1_000_000,)]
    assert int(err.split()[-2]) / 1024 < 250

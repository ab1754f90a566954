"""The process is killed at each step of a batch and of a full sync; the next run ends as if nothing had happened.

The server is told to dawdle at the step, so that the signal meets the process exactly there; both halves of each step are tried: before
the server does it, and after, before it answers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from oracle_connection.contract import Mode

pytestmark = pytest.mark.mimic_only

BATCH_STEPS = {
    "lease": "FOR UPDATE WAIT 5$",
    "register": 'INSERT INTO .*"WMS_LOAD_TABLE"',
    "create load table": "CREATE TABLE .*__L_",
    "fill": "INSERT INTO .*__L_",
    "lock control row": "WATERMARK.*FOR UPDATE WAIT 60",
    "merge": "MERGE INTO",
    "audit": 'INSERT INTO .*"WMS_LOAD_AUDIT"',
    "update control row": "UPDATE .*LAST_BATCHED_AT",
    "drop load table": "DROP TABLE .*__L_",
}
SYNC_STEPS = {
    "begin generation": 'UPDATE .*"GENERATION"=',
    "create beside": "CREATE TABLE .*__B_",
    "append": r"INSERT /\*\+ APPEND",
    "ledger": 'INSERT INTO .*"WMS_LOAD_CHUNK"',
    "key": "ADD CONSTRAINT",
    "index": "CREATE INDEX",
    "swapping": 'SET "GENERATION_STATUS"=.*WATERMARK',
    "rename": "RENAME TO",
}
ALWAYS = {"fill", "merge", "append", "rename"}
"""Steps that every run of the suite tries; the others take minutes (--long)."""
COMMITS = {"before commit": "before_commit", "after commit": "after_commit"}


def rows(*pairs):
    return [{"ID": number, "NAME": name} for number, name in pairs]


def run_until(warehouse, messages, tmp_path, arm, signal_number, **changes):
    """Run the target as a process and send it the signal when the fault strikes. Returns (exit code, STATEs it let through)."""
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({**warehouse.config, "lease_wait_seconds": 5, **changes}))
    feed = tmp_path / "feed.singer"
    feed.write_text("".join(json.dumps(each) + "\n" for each in messages))
    number = arm(warehouse.faults)
    command = [sys.executable, "-m", "target_oracle", "--config", str(settings)]
    with (
        feed.open() as source,
        subprocess.Popen(
            command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "LOGLEVEL": "WARNING"}
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while not warehouse.faults.struck(number) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)  # waits for a moment inside another process
        assert warehouse.faults.struck(number), f"the step was never reached: {process.stderr.read()}"
        process.send_signal(signal_number)
        out, _ = process.communicate(timeout=30)
    warehouse.faults.clear()
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def at(point, matching=None, call=1):
    def arm(faults):
        return faults.arm("delay", point, matching=matching, user="ANALYTICS", seconds=1.0, call=call)

    return arm


def batch_points():
    for name, text in BATCH_STEPS.items():
        for moment in ("before_call", "after_call"):
            for number in (signal.SIGKILL, signal.SIGTERM):
                marks = () if name in ALWAYS and number == signal.SIGKILL else pytest.mark.long
                yield pytest.param(at(moment, text), number, id=f"{name}-{moment}-{number.name}", marks=marks)
    for name, point in COMMITS.items():
        for call in (4, 5, 6):  # of the private table's registration, of its rows, of the batch
            yield pytest.param(
                at(point, call=call), signal.SIGKILL, id=f"{name}-{call}-SIGKILL", marks=() if call == 6 else pytest.mark.long
            )
        yield pytest.param(at(point, call=6), signal.SIGTERM, id=f"{name}-6-SIGTERM")


@pytest.mark.parametrize(("arm", "signal_number"), list(batch_points()))
def test_a_batch(warehouse, make_stream, tmp_path, run_records, *, arm, signal_number):
    stream = make_stream(mode=Mode.FULL, generation=1)
    warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a"), (2, "b")), read_scn=1), stream.full_sync(1, 2)])
    changes = make_stream(run_id="run-2")

    def feed():
        return [changes.schema(), changes.batch(rows((2, "B"), (3, "c")), read_scn=2), {"type": "STATE", "value": {"at": 2}}]

    code, states = run_until(warehouse, feed(), tmp_path, arm, signal_number)
    assert code in {-signal.SIGKILL, 128 + signal.SIGTERM}
    if signal_number == signal.SIGTERM:
        assert run_records()[-1]["status"] == "interrupted"
    if states:
        assert states == [{"at": 2}]
        assert warehouse.rows("items", '"ID","NAME"') == [(1, "a"), (2, "B"), (3, "c")]
    assert warehouse.load(feed(), lease_wait_seconds=10) == [{"at": 2}]
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "a", 1), (2, "B", 2), (3, "c", 2)]
    totals = warehouse.query(
        "SELECT SUM(ROWS_INSERTED),SUM(ROWS_UPDATED) FROM WMS_LOAD_AUDIT WHERE TABLE_NAME=:1", f"{warehouse.prefix}ITEMS"
    )
    assert totals == [(3, 1)]
    assert warehouse.private_tables() == []


def sync_points():
    for name, text in SYNC_STEPS.items():
        for moment in ("before_call", "after_call"):
            for number in (signal.SIGKILL, signal.SIGTERM):
                for loads in (1, 2):
                    marks = () if name in ALWAYS and number == signal.SIGKILL and loads == 1 else pytest.mark.long
                    yield pytest.param(at(moment, text), number, loads, id=f"{name}-{moment}-{number.name}-{loads}", marks=marks)


@pytest.mark.parametrize(("arm", "signal_number", "loads"), list(sync_points()))
def test_a_full_sync(warehouse, make_stream, tmp_path, *, arm, signal_number, loads):
    """With loads=2 other processes fill the load tables; whatever they do when their parent ends is private."""
    stream = make_stream(mode=Mode.FULL, generation=7)

    def feed():
        chunks = [stream.chunk(0, rows((1, "a"), (2, "b")), read_scn=1), stream.chunk(1, rows((3, "c"), (1, "a")), read_scn=2)]
        return [stream.schema(), *chunks, stream.full_sync(2, 4), {"type": "STATE", "value": {"done": 1}}]

    run_until(warehouse, feed(), tmp_path, arm, signal_number, parallel_loads=loads)
    assert warehouse.load(feed(), lease_wait_seconds=10) == [{"done": 1}]
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "a", 2), (2, "b", 1), (3, "c", 2)]
    assert warehouse.private_tables() == []
    keys = "SELECT COUNT(*) FROM USER_CONSTRAINTS WHERE TABLE_NAME=:1 AND CONSTRAINT_TYPE='P'"
    assert warehouse.query(keys, f"{warehouse.prefix}ITEMS") == [(1,)]

"""Messages delivered again, from the beginning and in part, any number of times, leave the same table (property-based)."""

from __future__ import annotations

import shutil
import uuid
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle_connection.contract import Mode

GONE = "2026-11-22T21:00:00+00:00"
COLUMNS = '"ID","NAME","_SDC_SEQUENCE","_SDC_DELETED_AT","_SDC_BATCHED_AT"'
change = st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", None, "deleted"]))
deliveries = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=3)
"""How much is delivered again, and in batches of how many RECORDs."""
SOME = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read_at(number):
    """The time at which the statement was sent that brought message `number`."""
    return (datetime(2026, 11, 22, 20) + timedelta(milliseconds=number)).isoformat() + "Z"


@SOME
@given(
    batches=st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.lists(change, min_size=1, max_size=4)), min_size=1, max_size=4),
    again=deliveries,
)
def test_prefixes_delivered_again_change_nothing(warehouse, make_stream, tmp_path, *, batches, again):
    """Several versions of a key may have one read SCN; deletes travel as RECORDs only."""
    name = f"r{uuid.uuid4().hex[:8]}"
    stream = make_stream(name, mode=Mode.FULL_TABLE, generation=1)
    messages = []
    scn = 10
    for as_file, step, changes in batches:
        scn += step
        live = [{"ID": key, "NAME": value} for key, value in changes if value != "deleted"]
        if as_file and live:
            messages.append(stream.batch(live, read_scn=scn, extracted_at=read_at(len(messages))))
        else:
            for key, value in changes:
                row = {"ID": key, "_sdc_deleted_at": GONE} if value == "deleted" else {"ID": key, "NAME": value}
                messages.append(stream.record(row, sequence=scn, time_extracted=read_at(len(messages))))
    kept = tmp_path / name
    if stream.directory.exists():
        shutil.copytree(stream.directory, kept)

    def deliver(some, rows):
        if kept.exists():
            shutil.copytree(kept, stream.directory, dirs_exist_ok=True)
        warehouse.load([stream.schema(), *some], batch_size_rows=rows, delete_cap_percent=100, allow_empty_overwrite=True)
        table = f'"{warehouse.prefix}{name.upper()}"'
        return warehouse.query(f"SELECT {COLUMNS} FROM {table} ORDER BY 1") if some else None

    whole = deliver(messages, again[0][1])
    if not any(as_file for as_file, _, _ in batches):  # a file's deletes were left out above
        newest = {key: value for _, _, changes in batches for key, value in changes}
        assert {row[0]: row[1] for row in whole if row[3] is None} == {key: each for key, each in newest.items() if each != "deleted"}
    for length, rows in again:
        assert deliver(messages[:length], rows) in (None, whole)
    assert deliver(messages, 3) == whole


@SOME
@given(
    rows=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["a", "b"])), min_size=1, max_size=10),
    again=deliveries,
)
def test_a_foreign_tap_s_prefixes_change_nothing_by_its_replication_key(warehouse, *, rows, again):
    name = f"r{uuid.uuid4().hex[:8]}"
    properties = {"id": {"type": "integer"}, "changed": {"type": "integer"}, "name": {"type": "string"}}
    schema = {
        "type": "SCHEMA", "stream": name, "schema": {"type": "object", "properties": properties},
        "key_properties": ["id"], "bookmark_properties": ["changed"],
    }  # fmt: skip
    messages = [
        {"type": "RECORD", "stream": name, "record": dict(zip(properties, row, strict=True)), "time_extracted": read_at(number)}
        for number, row in enumerate(rows)
    ]

    def deliver(some, batch_rows):
        warehouse.load([schema, *some], batch_size_rows=batch_rows)
        return warehouse.rows(name, '"ID","CHANGED","NAME"') if some else None

    whole = deliver(messages, again[0][1])
    newest = {}
    for number, (key, changed, value) in enumerate(rows):
        newest[key] = max(newest.get(key, (0, 0, "")), (changed, number, value))
    assert whole == [(key, changed, value) for key, (changed, _, value) in sorted(newest.items())]
    for length, batch_rows in again:
        assert deliver(messages[:length], batch_rows) in (None, whole)
    assert deliver(messages, 3) == whole

"""A full sync whose files are loaded by other processes: the same table, each chunk once, whatever dies."""

from __future__ import annotations

import os
import signal

import pytest
from oracle_connection.contract import Mode
from oracle_connection.errors import FatalError
from target_oracle.errors import DataError

PARALLEL = {"parallel_loads": 2}


def rows(*numbers, name="x"):
    return [{"ID": number, "NAME": f"{name}{number}"} for number in numbers]


@pytest.fixture
def stream(make_stream):
    return make_stream(mode=Mode.FULL, generation=1, mandatory={"NAME"})


def parts(stream, chunk, *groups, attempt="one", **metadata):
    """A chunk in parts."""
    return [
        stream.chunk(chunk, group, attempt=attempt, part=number, complete=number == len(groups), read_scn=chunk + 1, **metadata)
        for number, group in enumerate(groups, 1)
    ]


def test_chunks_in_parts_arrive_once_and_their_states_after_them(warehouse, stream, make_state, run_records):
    feed = [stream.schema(), *parts(stream, 0, rows(1, 2), rows(3), rows(4)), make_state({"at": 0})]
    feed += [*parts(stream, 1, rows(5, 6), [{"ID": 7}]), make_state({"at": 1}), stream.full_sync(2, 7), make_state({"at": 2})]
    states = warehouse.load(feed, **PARALLEL)
    assert states[-1] == {"bookmarks": {"at": 2}}
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [
        *[(number, f"x{number}", 1) for number in range(1, 5)], (5, "x5", 2), (6, "x6", 2), (7, None, 2),
    ]  # fmt: skip
    assert warehouse.audit("items", "CHUNK,ROWS_READ,ROWS_INSERTED") == [(0, 4, 4), (1, 3, 3)]
    assert warehouse.private_tables() == []
    assert not stream.directory.exists()
    record = run_records()[-1]
    assert (record["rows"], record["inserted"], record["batches"]) == (7, 7, 5)
    assert "relaxed NOT NULL of column NAME: the data have NULL" in record["schema_changes"]


def test_a_chunk_that_is_loaded_and_an_attempt_that_was_given_up_change_nothing(warehouse, stream):
    warehouse.load([stream.schema(), *parts(stream, 0, rows(1, 2))], **PARALLEL)
    feed = [stream.schema(), *parts(stream, 0, rows(1, 2, name="late"), attempt="again")]
    feed.append(stream.chunk(1, rows(3, name="stale"), attempt="given up", part=1, complete=False))
    feed += [*parts(stream, 1, rows(3), rows(4), attempt="second"), stream.full_sync(2, 4)]
    warehouse.load(feed, **PARALLEL)
    assert warehouse.rows("items", '"ID","NAME"') == [(number, f"x{number}") for number in range(1, 5)]
    assert not stream.directory.exists()


def test_a_value_that_does_not_fit_is_named_by_the_process_that_met_it(warehouse, make_stream):
    stream = make_stream(mode=Mode.FULL, generation=1)
    broken = stream.chunk(1, [{"ID": None, "NAME": "nobody"}])
    with pytest.raises(DataError, match="no value for key column ID"):
        warehouse.load([stream.schema(), *parts(stream, 0, rows(1)), broken], **PARALLEL)
    assert warehouse.private_tables() != []  # the table beside, with what was committed, and nothing else
    again = [stream.schema(), *parts(stream, 0, rows(1)), *parts(stream, 1, rows(2)), stream.full_sync(2, 2)]
    warehouse.load(again, **PARALLEL)
    assert warehouse.rows("items", '"ID"') == [(1,), (2,)]
    assert warehouse.private_tables() == []


def test_a_loading_process_that_dies_ends_the_run_and_the_next_one_goes_on(warehouse, stream):
    target = warehouse.target(**PARALLEL)
    target._process_schema_message(stream.schema())
    for message in parts(stream, 0, rows(1), rows(2))[:1]:
        target._process_batch_message(message)
    sink = target._sink("items")
    for process in sink.full_load._loaders._processes:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    feed = [*parts(stream, 1, rows(3)), *parts(stream, 2, rows(4)), stream.full_sync(3, 4)]
    with pytest.raises(FatalError, match="a process that loads rows ended with code -9"):
        warehouse.feed(target, feed)
    warehouse.load([stream.schema(), *parts(stream, 0, rows(1), rows(2)), stream.full_sync(1, 2)], **PARALLEL)
    assert warehouse.rows("items", '"ID"') == [(1,), (2,)]
    assert warehouse.private_tables() == []


@pytest.mark.mimic_only
def test_a_connection_lost_by_a_loading_process_is_made_anew(warehouse, stream, run_records):
    warehouse.faults.arm("drop", "after_call", matching="INSERT INTO .*__L_", user="ANALYTICS")
    warehouse.load([stream.schema(), *parts(stream, 0, rows(1, 2), rows(3)), stream.full_sync(1, 3)], **PARALLEL)
    assert warehouse.rows("items", '"ID"') == [(1,), (2,), (3,)]
    assert run_records()[-1]["retries"] == 1

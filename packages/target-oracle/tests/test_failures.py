"""Failures of database and network at each step of a batch: what is repeated, what stops, and that the table is right afterwards."""

from __future__ import annotations

import pytest
from oracle_connection.contract import Mode
from oracle_connection.errors import ConfigurationError, FatalError, RetriableError
from target_oracle.lease import TableInUseError
from target_oracle.writer import MissingTableError

pytestmark = pytest.mark.mimic_only

STEPS = {
    "control tables": "WMS_LOAD_LEASE",
    "lease": "FOR UPDATE WAIT 1$",
    "control row": "FOR UPDATE WAIT 60",
    "dictionary": "ALL_TAB_COLUMNS",
    "register": 'INSERT INTO .*"WMS_LOAD_TABLE"',
    "create load table": "CREATE TABLE .*__L_",
    "fill": "INSERT INTO .*__L_",
    "count": "SELECT COUNT.*COUNT",
    "merge": "MERGE INTO",
    "audit": 'INSERT INTO .*"WMS_LOAD_AUDIT"',
    "update control row": "UPDATE .*LAST_BATCHED_AT",
    "drop load table": "DROP TABLE .*__L_",
}


def rows(*pairs):
    return [{"ID": number, "NAME": name} for number, name in pairs]


@pytest.fixture
def first(warehouse, make_stream):
    """A table with one row, so that a batch meets something."""
    stream = make_stream(mode=Mode.FULL, generation=1)
    warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a")), read_scn=1), stream.full_sync(1, 1)])
    changes = make_stream(run_id="run-2")
    return changes, [changes.schema(), changes.batch(rows((1, "A"), (2, "b")), read_scn=2), {"type": "STATE", "value": {"at": 2}}]


def check(warehouse):
    assert warehouse.rows("items", '"ID","NAME","_SDC_SEQUENCE"') == [(1, "A", 2), (2, "b", 2)]
    assert warehouse.audit("items", "LOAD_MODE,ROWS_INSERTED,ROWS_UPDATED") == [("full", 1, 0), ("incremental", 1, 1)]


@pytest.mark.parametrize("moment", ["before_call", "after_call"])
@pytest.mark.parametrize("step", STEPS)
def test_a_connection_lost_at_any_step_is_made_anew_and_the_batch_repeated(warehouse, first, run_records, step, moment):
    _, messages = first
    warehouse.faults.arm("drop", moment, matching=STEPS[step], user="ANALYTICS")
    assert warehouse.load(messages) == [{"at": 2}]
    check(warehouse)
    if step not in {"control tables", "drop load table"}:
        assert run_records()[-1]["retries"] == 1


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
def test_a_commit_whose_answer_is_lost_is_not_done_twice(warehouse, first, moment, call):
    """Each commit of a run in turn: those of the control tables, of the load table, and of the batch itself."""
    _, messages = first
    warehouse.faults.arm("drop", moment, user="ANALYTICS", call=call)
    assert warehouse.load(messages) == [{"at": 2}]
    warehouse.faults.clear()
    check(warehouse)


@pytest.mark.parametrize("code", [60, 54, 30006, 8177, 4068, 1013, 8103])
def test_a_passing_error_repeats_the_batch(warehouse, first, run_records, code):
    _, messages = first
    warehouse.faults.arm("error", "statement", matching="MERGE INTO", code=code, times=2, user="ANALYTICS")
    assert warehouse.load(messages) == [{"at": 2}]
    check(warehouse)
    assert run_records()[-1]["retries"] == 2


@pytest.mark.parametrize(
    ("code", "step"), [(1653, "fill"), (1653, "merge"), (1653, "create load table"), (1654, "merge"), (1536, "fill"), (30036, "merge")]
)
def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(warehouse, first, run_records, code, step):
    _, messages = first
    warehouse.faults.arm("error", "statement", matching=STEPS[step], code=code, user="ANALYTICS")
    with pytest.raises(ConfigurationError, match=f"ORA-{code:05d}") as caught:
        warehouse.load(messages)
    assert caught.value.states == []
    assert run_records()[-1]["error"]["code"] == f"ORA-{code:05d}"
    assert warehouse.load(messages) == [{"at": 2}]
    check(warehouse)
    assert warehouse.private_tables() == []


def test_a_passing_error_that_does_not_pass_ends_the_run(warehouse, first, run_records):
    _, messages = first
    warehouse.faults.arm("error", "statement", matching="MERGE INTO", code=60, times=None, user="ANALYTICS")
    with pytest.raises(RetriableError, match="ORA-00060"):
        warehouse.load(messages, retry_attempts=3)
    assert run_records()[-1]["error"] == {**run_records()[-1]["error"], "class": "retriable", "code": "ORA-00060"}
    warehouse.faults.clear()
    warehouse.load(messages)
    check(warehouse)


def test_a_busy_table_delays_its_widening(warehouse, first, make_stream):
    stream, _ = first
    stream.columns["NAME"] = "VARCHAR2(40 CHAR)"
    warehouse.faults.arm("error", "statement", matching="ALTER TABLE .* MODIFY", code=54, times=2, user="ANALYTICS")
    warehouse.load([stream.schema(), stream.batch(rows((1, "x" * 40)), read_scn=3)])
    assert warehouse.rows("items", '"NAME"') == [("x" * 40,)]


def test_rows_of_a_batch_that_failed_for_good_leave_nothing_and_no_state(warehouse, first):
    _, messages = first
    warehouse.faults.arm("error", "statement", matching="MERGE INTO", code=3001, user="ANALYTICS")
    with pytest.raises(FatalError, match="ORA-03001") as caught:
        warehouse.load(messages)
    assert caught.value.states == []
    assert warehouse.rows("items", '"ID","NAME"') == [(1, "a")]


def test_the_loser_says_who_writes_the_table(warehouse, first):
    _, messages = first
    winner = warehouse.target(run_id="the-winner")
    winner._process_schema_message(messages[0])
    winner._process_batch_message(messages[1])
    other = [messages[0], {**messages[1]}]
    run = warehouse.target(run_id="the-loser", lease_wait_seconds=0)
    run._process_schema_message(other[0])
    sink = run._sink("items")
    with pytest.raises(TableInUseError, match=r"is being written by run the-winner on \S+, process \d+, since 20"):
        sink.writer.open()
    winner.process_endofpipe()
    run.close("failed")
    check(warehouse)


def test_a_run_that_lost_its_table_to_another_does_not_write(warehouse, first):
    stream, messages = first
    old = warehouse.target(run_id="orphan")
    old._process_schema_message(messages[0])
    old._process_batch_message(messages[1])
    old._run.leases.database.close()  # its lease's session dies, the process lives on
    newer = stream.batch(rows((1, "newest")), read_scn=9)
    warehouse.load([messages[0], newer], run_id="successor")
    with pytest.raises(FatalError, match=r"another run has taken .* over: run successor"):
        old._process_batch_message(stream.batch(rows((1, "orphan's")), read_scn=10))
    old.close("failed")
    assert warehouse.rows("items", '"NAME"', where='"ID"=1') == [("newest",)]


def test_changes_for_a_table_that_is_gone_are_refused(warehouse, first):
    _, messages = first
    warehouse.execute(f'DROP TABLE "{warehouse.prefix}ITEMS" PURGE')
    with pytest.raises(MissingTableError, match="run the full sync again"):
        warehouse.load(messages)


def test_a_call_that_takes_too_long_is_cancelled_and_repeated(warehouse, first, run_records):
    _, messages = first
    warehouse.faults.arm("delay", "before_call", matching="MERGE INTO", seconds=4, user="ANALYTICS")
    assert warehouse.load(messages, call_timeout_seconds=2, lease_wait_seconds=10) == [{"at": 2}]
    check(warehouse)
    assert run_records()[-1]["retries"] >= 1


def leave_behind(warehouse, name, table, hours):
    """A load table that a dead run left for another table, so many hours ago."""
    warehouse.execute(f'CREATE TABLE "{name}" ("A" NUMBER)')
    warehouse.execute(
        "INSERT INTO WMS_LOAD_TABLE (PRIVATE_TABLE,TABLE_NAME,PURPOSE,PROCESS,CREATED_AT) "
        "VALUES (:1,:2,'load','dead',SYS_EXTRACT_UTC(SYSTIMESTAMP)-NUMTODSINTERVAL(:3,'HOUR'))",
        name,
        table,
        hours,
    )


def test_the_sweep_takes_old_tables_of_dead_runs_and_never_a_living_one_s(warehouse, first, make_stream):
    _, messages = first
    other = make_stream("other", mode=Mode.FULL, generation=1)
    warehouse.load([other.schema(), other.chunk(0, rows((1, "a"))), other.full_sync(1, 1)])
    living = warehouse.target()
    living._process_schema_message(other.schema())
    lock = living._sink("other").writer
    lock.run.open()
    lock.run.leases.take(f"{warehouse.prefix}OTHER")  # a living run holds the table
    old, young = f"{warehouse.prefix}OTHER__L_OLD", f"{warehouse.prefix}OTHER__L_YOUNG"
    leave_behind(warehouse, old, f"{warehouse.prefix}OTHER", 30)
    leave_behind(warehouse, young, f"{warehouse.prefix}OTHER", 1)
    warehouse.load(messages)
    assert set(warehouse.private_tables()) == {old, young}
    living.close("success")
    warehouse.load([messages[0], make_stream(run_id="run-3").batch(rows((9, "z")), read_scn=3)])
    assert warehouse.private_tables() == [young]


@pytest.mark.parametrize("moment", ["before_call", "after_call"])
def test_a_direct_path_load_that_is_cut_is_repeated_and_arrives_once(warehouse, make_stream, moment):
    """Cut in each of its calls in turn: prepare, rows, finish (where the outcome is unknown until the rows are counted)."""
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    target = warehouse.target()
    target._process_schema_message(stream.schema())
    writer = target._sink("items").writer
    writer.prepare(Mode.FULL_TABLE)
    data = stream.table(rows(*((number, "x") for number in range(1500))))
    for loaded, call in enumerate((1, 2, 3), 1):
        writer.load.create()
        warehouse.faults.arm("drop", moment, user="ANALYTICS", call=call)
        writer.repeated(lambda: writer.load.append(data), "loading")
        warehouse.faults.clear()
        assert writer.record.retries == loaded
        assert warehouse.query(f'SELECT COUNT(*) FROM "{writer.load.name}"') == [(1500 * loaded,)]
    target.close("success")

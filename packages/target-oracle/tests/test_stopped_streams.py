"""An error that concerns one stream stops it; the others go on, its bookmark stays, and the run fails in the end."""

from __future__ import annotations

import pytest
from oracle_connection.contract import Mode
from target_oracle.deletes import DeleteCapError
from target_oracle.drift import DriftError


def rows(*pairs):
    return [{"ID": number, "NAME": name} for number, name in pairs]


@pytest.fixture
def streams(warehouse, make_stream):
    """Two tables with a row each; `items` then narrows."""
    for name in ("items", "orders"):
        stream = make_stream(name, mode=Mode.FULL, generation=1)
        warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a")), read_scn=1), stream.full_sync(1, 1)])
    return make_stream("items", {"ID": "NUMBER(19)", "NAME": "VARCHAR2(5 CHAR)"}, run_id="run-2"), make_stream("orders", run_id="run-2")


def feed(items, orders, make_state, *, first_state=True):
    begin = [make_state({"items": {"v": 1}, "orders": {"v": 1}})] if first_state else []
    return [
        *begin,
        items.schema(),
        items.batch(rows((2, "b")), read_scn=5),
        items.batch(rows((3, "c")), read_scn=5),
        make_state({"items": {"v": 5}, "orders": {"v": 1}}),
        orders.schema(),
        orders.batch(rows((2, "b")), read_scn=6),
        make_state({"items": {"v": 5}, "orders": {"v": 6}}),
    ]


def test_a_narrowed_stream_stops_and_the_others_go_on(warehouse, streams, make_state, run_records):
    items, orders = streams
    with pytest.raises(DriftError, match="column NAME narrowed") as caught:
        warehouse.load(feed(items, orders, make_state))
    held = {"v": 1}
    assert [each["bookmarks"] for each in caught.value.states] == [
        {"items": held, "orders": {"v": 1}},
        {"items": held, "orders": {"v": 1}},
        {"items": held, "orders": {"v": 6}},
    ]
    assert warehouse.rows("items", '"ID"') == [(1,)]
    assert warehouse.rows("orders", '"ID"') == [(1,), (2,)]
    status = {each["stream"]: (each["status"], bool(each["error"])) for each in run_records()[-2:]}
    assert status == {"items": ("failed", True), "orders": ("success", False)}
    assert not items.directory.exists()


def test_without_an_earlier_state_none_goes_out_because_the_old_bookmark_is_unknown(warehouse, streams, make_state):
    items, orders = streams
    with pytest.raises(DriftError) as caught:
        warehouse.load(feed(items, orders, make_state, first_state=False))
    assert caught.value.states == []
    assert warehouse.rows("orders", '"ID"') == [(1,), (2,)]


def test_records_of_a_stopped_stream_are_passed_over(warehouse, streams, make_state):
    items, orders = streams
    messages = [make_state({"items": {"v": 1}}), items.schema(), orders.schema()]
    for number in range(2, 6):
        messages += [items.record({"ID": number, "NAME": "x"}), orders.record({"ID": number, "NAME": "x"})]
    messages.append(make_state({"items": {"v": 2}, "orders": {"v": 2}}))
    with pytest.raises(DriftError) as caught:
        warehouse.load(messages, batch_size_rows=2)
    assert caught.value.states[-1] == {"bookmarks": {"items": {"v": 1}, "orders": {"v": 2}}}
    assert warehouse.rows("items", "COUNT(*)") == [(1,)]
    assert warehouse.rows("orders", "COUNT(*)") == [(5,)]


def test_a_delete_beyond_the_cap_stops_its_stream_only(warehouse, make_stream, make_state):
    streams = [make_stream(name, mode=Mode.FULL_TABLE, generation=1) for name in ("items", "orders")]
    for stream in streams:
        warehouse.load([stream.schema(), stream.batch(rows(*((number, "a") for number in range(10)))), stream.activate(1)])
    again = [make_stream(name, mode=Mode.FULL_TABLE, generation=2, run_id="run-2") for name in ("items", "orders")]
    messages = [make_state({})]
    for stream, left in zip(again, (5, 10), strict=True):
        messages += [stream.schema(), stream.batch(rows(*((number, "b") for number in range(left)))), stream.activate(2)]
    with pytest.raises(DeleteCapError, match="5 of 10 rows"):
        warehouse.load(messages)
    assert warehouse.rows("items", "COUNT(*)", where='"_SDC_DELETED_AT" IS NULL') == [(10,)]
    assert warehouse.rows("orders", 'DISTINCT "NAME"') == [("b",)]


def test_what_the_stopped_stream_had_not_committed_is_not_committed_by_another(warehouse, make_stream):
    for name in ("items", "orders"):
        stream = make_stream(name, mode=Mode.FULL_TABLE, generation=1)
        warehouse.load([stream.schema(), stream.batch(rows(*((number, "a") for number in range(10)))), stream.activate(1)])
    items, orders = make_stream("items", run_id="run-2"), make_stream("orders", run_id="run-2")
    gone = [items.record({"ID": number, "_sdc_deleted_at": "2026-11-22T21:00:00+00:00"}) for number in range(5)]
    feed = [items.schema(), orders.schema(), items.record({"ID": 9, "NAME": "new"}), *gone, orders.record({"ID": 9, "NAME": "new"})]
    with pytest.raises(DeleteCapError, match="5 of 10 rows"):
        warehouse.load(feed)
    assert warehouse.rows("items", "COUNT(*)", where='"NAME"=\'a\' AND "_SDC_DELETED_AT" IS NULL') == [(10,)]
    assert warehouse.rows("orders", '"NAME"', where='"ID"=9') == [("new",)]

"""The bookmark survives the state, Meltano's merge of it included."""

import json

import pytest
from oracle_connection.errors import ConfigurationError
from tap_oracle_wms.bookmarks import DONE, REDO, RUNNING, Bookmark, FullSync, Overlap
from tap_oracle_wms.chunks import Extent, Ledger, Plan, rowid_plan
from tap_oracle_wms.connector import survives

PLAN = rowid_plan([Extent(74213, 4, 0, 100)], 6, "74213")
RUNNING_SYNC = Bookmark("UPDATED").running(FullSync(1764, "2026-11-22T20:10:00", PLAN, Ledger.of([0, 1, 2, 5]), 4000))


def through_state(bookmark: Bookmark, before: dict | None = None) -> Bookmark:
    state = dict(before or {})
    bookmark.write_to(state)
    return Bookmark.from_state(json.loads(json.dumps(state)), "s", "UPDATED")


def test_a_running_full_sync_is_read_back():
    assert through_state(RUNNING_SYNC) == RUNNING_SYNC
    assert RUNNING_SYNC.full_sync.missing == [3, 4]


def test_a_done_one_starts_at_exactly_the_watermark():
    done = through_state(RUNNING_SYNC.done())
    assert (done.status, done.value, done.full_sync) == (DONE, "2026-11-22T20:10:00", None)


def test_a_redo_is_remembered_until_it_is_done():
    asked = Bookmark.from_state({"full_sync": {"status": "redo"}}, "s", "UPDATED")
    assert (asked.status, asked.full_sync, asked.redo) == (REDO, None, True)
    running = through_state(asked.running(FullSync(1765, None, PLAN, redo=asked.redo)))
    assert (running.status, running.redo) == (RUNNING, True)
    assert not through_state(running.done()).redo
    assert not through_state(RUNNING_SYNC).redo


def test_overlap_and_largest_key_are_read_back():
    bookmark = RUNNING_SYNC.done().advanced("2026-11-22T21:00:00", Overlap("a", "b", 7), "z")
    assert through_state(bookmark) == bookmark
    assert through_state(bookmark.advanced("2026-11-22T22:00:00")).overlap is None


def test_the_state_is_the_one_of_the_contract():
    state: dict = {}
    RUNNING_SYNC.write_to(state)
    assert state["full_sync"]["status"] == RUNNING
    assert state["full_sync"]["plan"][:3] == ["rowid", 6, "74213"]
    assert state["full_sync"]["ledger"] == [[0, 2], [5, 5]]
    RUNNING_SYNC.done().write_to(state)
    assert (state["full_sync"]["plan"], state["full_sync"]["ledger"]) == ([], [])
    assert state["replication_key_value"] == "2026-11-22T20:10:00"


def test_a_merge_that_never_deletes_keys_does_no_harm():
    """A redo (`--full-refresh`) that was interrupted: Meltano lays its partial state over the old, complete one."""
    old: dict = {}
    RUNNING_SYNC.done().advanced("2026-11-22T21:00:00", Overlap("a", "b", 7), "z").write_to(old)
    new: dict = {}
    RUNNING_SYNC.write_to(new)
    merged = {**old, **new, "full_sync": {**old["full_sync"], **new["full_sync"]}}
    assert Bookmark.from_state(merged, "s", "UPDATED").full_sync == RUNNING_SYNC.full_sync
    assert Bookmark.from_state(merged, "s", "UPDATED").status == RUNNING


def test_no_state_begins_and_a_bare_value_is_incremental():
    assert Bookmark.from_state({}, "s", "UPDATED").status is None
    assert Bookmark.from_state({"replication_key_value": "2026"}, "s", "UPDATED").status == DONE


@pytest.mark.parametrize("marker", [{"status": "running"}, {"status": "running", "generation": 1, "plan": [], "ledger": []}])
def test_a_broken_state_is_refused_and_says_what_to_do(marker):
    with pytest.raises(ConfigurationError, match="full refresh"):
        Bookmark.from_state({"full_sync": marker}, "s", "UPDATED")


@pytest.mark.parametrize(
    ("planned", "now", "alive"),
    [
        ("7", "7", True), ("7", "8", False), ("7,8", "7,8,9", True), ("7,8", "7,9", False), ("7", "", False),
        ("7 2026-01-01", "7 2026-01-01", True), ("7 2026-01-01", "7 2026-01-02", False),
        ("200 segments ab", "200 segments ab", True), ("200 segments ab", "201 segments cd", False),
    ],
)  # fmt: skip
def test_a_plan_survives_as_long_as_its_segments_do(planned, now, alive):
    assert survives(planned, now) is alive


def test_plans_by_key_and_whole_have_no_storage():
    assert Plan("whole").storage == ""

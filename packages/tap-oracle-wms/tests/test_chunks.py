"""Plans without gap or overlap, and a ledger that survives its own text."""

import json
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_oracle_wms.chunks import (
    KEY,
    MAX_CHUNKS,
    ROWID,
    Extent,
    Ledger,
    Plan,
    Range,
    RowId,
    rowid_plan,
    split_at,
    split_rowids,
    stepped_plan,
)

numbers = st.sets(st.integers(0, 60))


@given(numbers, st.integers(0, 60))
def test_a_ledger_holds_what_was_added_and_nothing_else(done: set[int], one_more: int) -> None:
    ledger = Ledger.of(done).add(one_more)
    assert set(ledger) == done | {one_more}
    assert len(ledger) == len(done | {one_more})
    assert Ledger.from_state(json.loads(json.dumps(ledger.to_state()))) == ledger
    assert ledger.missing(61) == [number for number in range(61) if number not in done | {one_more}]


def test_a_ledgers_ranges_are_closed_sorted_and_do_not_touch() -> None:
    assert Ledger.of([3, 0, 1, 2, 5]).to_state() == [[0, 3], [5, 5]]


extents = st.lists(
    st.builds(Extent, st.integers(1, 3), st.integers(1, 4), st.integers(0, 50).map(lambda n: n * 100), st.integers(1, 99)),
    max_size=20,
    unique_by=lambda extent: (extent.data_object, extent.file, extent.first_block),
)
rowids = st.builds(RowId, st.integers(0, 2**32 - 1), st.integers(0, 1023), st.integers(0, 2**22 - 1), st.integers(0, 2**15))


@given(rowids)
def test_a_rowid_is_read_back_from_its_18_characters(rowid: RowId) -> None:
    assert len(str(rowid)) == 18
    assert RowId.parse(str(rowid)) == rowid


def test_a_rowid_has_oracles_own_text() -> None:
    assert str(RowId(74213, 4, 151, 0)) == "AAASHlAAEAAAACXAAA"


def test_a_universal_rowid_is_refused() -> None:
    with pytest.raises(ValueError, match="extended"):
        RowId.parse("*BAFAB4wCwQL+")


@given(extents, st.integers(1, 40), rowids)
def test_every_row_is_in_exactly_one_rowid_range(found: list[Extent], chunks: int, row: RowId) -> None:
    plan = rowid_plan(found, chunks, "7")
    limits = [RowId.parse(limit) for (limit,) in plan.limits]
    assert limits == sorted(set(limits))
    assert plan.chunks <= max(chunks, 1)
    holding = [number for number in range(plan.chunks) if _holds(plan.range(number), row)]
    assert len(holding) == 1


def _holds(part: Range, row: RowId) -> bool:
    return (part.lower is None or row >= RowId.parse(*part.lower)) and (part.upper is None or row < RowId.parse(*part.upper))


@given(extents.filter(bool), st.integers(2, 10))
def test_rowid_ranges_hold_the_same_number_of_blocks(found: list[Extent], chunks: int) -> None:
    plan = rowid_plan(found, chunks, "7")
    limits = [RowId.parse(limit) for (limit,) in plan.limits]
    counts = [0] * plan.chunks
    for extent in found:
        for block in range(extent.first_block, extent.first_block + extent.blocks):
            counts[bisect_right(limits, RowId(extent.data_object, extent.file, block))] += 1
    assert max(counts) - min(counts) <= 1


def test_a_plan_never_has_more_chunks_than_the_state_can_carry() -> None:
    assert rowid_plan([Extent(1, 1, 0, 10**6)], 10**6, "1").chunks == MAX_CHUNKS
    assert stepped_plan(KEY, ((str(number),) for number in range(10**5)), columns=("ID",)).chunks <= MAX_CHUNKS


keys = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30)


@given(keys, st.tuples(st.integers(-1, 10), st.integers(-1, 10)))
def test_every_key_is_in_exactly_one_range_however_often_a_border_was_found(found: list[tuple[int, int]], row: tuple[int, int]) -> None:
    plan = stepped_plan(KEY, ((str(a), str(b)) for a, b in sorted(found)), columns=("A", "B"))
    assert len(set(plan.limits)) == len(plan.limits)
    holding = [number for number in range(plan.chunks) if _between(plan.range(number), row)]
    assert len(holding) == 1


def _between(part: Range, row: tuple[int, int]) -> bool:
    lower, upper = (None if limit is None else tuple(map(int, limit)) for limit in (part.lower, part.upper))
    return (lower is None or row >= lower) and (upper is None or row < upper)


def test_too_many_borders_are_thinned_evenly() -> None:
    plan = stepped_plan(KEY, ((str(number),) for number in range(1, 3 * MAX_CHUNKS)), columns=("ID",))
    assert plan.limits[:2] == (("4",), ("8",))
    assert MAX_CHUNKS // 2 < plan.chunks <= MAX_CHUNKS


@given(extents, st.integers(1, 40))
def test_a_plan_survives_the_state(found: list[Extent], chunks: int) -> None:
    plan = rowid_plan(found, chunks, "74213")
    assert Plan.from_state(json.loads(json.dumps(plan.to_state()))) == plan


@given(keys)
def test_a_plan_by_several_columns_survives_the_state(found: list[tuple[int, int]]) -> None:
    plan = stepped_plan(KEY, ((str(a), str(b)) for a, b in sorted(found)), columns=("A", "B"))
    assert Plan.from_state(json.loads(json.dumps(plan.to_state()))) == plan


@pytest.mark.parametrize(
    "broken",
    [[], ["rowid", 12, "74213"], ["rowid", 3, "1", ["a"], None], ["moon", 1, "", [], None], [1, 2, 3, 4, 5], ["key", 2, "", ["1"], []]],
)
def test_a_broken_plan_is_refused(broken: list) -> None:
    with pytest.raises(ValueError, match="plan in the state"):
        Plan.from_state(broken)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(2, 64), st.integers(0, 2000))
def test_a_range_that_is_cut_still_holds_each_row_once(first: int, width: int, pieces: int, block: int) -> None:
    whole = Range(ROWID, (str(RowId(7, 1, 0)),), None)
    cut = split_rowids(whole, str(RowId(7, 1, first, 3)), str(RowId(7, 1, first + width, 9)), pieces)
    assert sum(_holds(part, RowId(7, 1, block, 5)) for part in cut) == 1
    assert len(cut) <= pieces


def test_empty_ranges_are_not_cut() -> None:
    part = Range(ROWID)
    assert split_rowids(part, None, None, 4) == [part]


def test_a_range_is_cut_inside_and_never_at_its_own_ends() -> None:
    part = Range(KEY, ("a",), ("z",), ("CODE",))
    assert split_at(part, [("a",), ("m",), ("m",)]) == [Range(KEY, ("a",), ("m",), ("CODE",)), Range(KEY, ("m",), ("z",), ("CODE",))]
    assert split_at(part, []) == [part]

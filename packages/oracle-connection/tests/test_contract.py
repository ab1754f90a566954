"""`wms.batch` and `x-wms-run` are read back as they were written."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_connection.contract import BatchMetadata, ContractError, FullSyncComplete, Mode, RunMetadata, Window, utc_text

text = st.text(max_size=20)
maybe = st.none() | st.integers(0, 2**62)
metadata = st.builds(
    BatchMetadata,
    stream=text,
    run_id=text,
    mode=st.sampled_from(Mode),
    attempt=text,
    extracted_at=text,
    rows=st.integers(0, 2**40),
    columns=st.lists(text, max_size=5).map(tuple),
    generation=maybe,
    chunk=maybe,
    window=st.none() | st.builds(Window, key=text, from_=st.none() | text, to=st.none() | text),
    part=st.integers(1, 1000),
    complete=st.booleans(),
    read_scn=maybe,
    full_sync=st.none() | st.builds(FullSyncComplete, chunks=st.integers(0, 9), rows=st.integers(0, 9), watermark=st.none() | text),
)


@given(metadata)
def test_batch_metadata_is_read_back(value: BatchMetadata) -> None:
    assert BatchMetadata.parse(value.make()) == value


@given(metadata)
def test_batch_metadata_has_the_fields_of_the_contract_and_no_others(value: BatchMetadata) -> None:
    assert set(json.loads(value.make())) == {
        "contract", "stream", "run_id", "mode", "generation", "chunk", "window", "part", "complete", "attempt", "read_scn",
        "extracted_at", "rows", "full_sync", "columns",
    }  # fmt: skip


def test_a_field_of_a_later_minor_addition_is_ignored() -> None:
    value = RunMetadata("r", Mode.FULL, 7)
    assert RunMetadata.parse({**value.make(), "new": 1}) == value


def test_a_higher_version_is_refused_and_both_versions_are_named() -> None:
    with pytest.raises(ContractError, match=r"version 2.*up to 1"):
        RunMetadata.parse({"contract": 2, "run_id": "r", "mode": "full"})
    with pytest.raises(ContractError, match=r"version 2.*up to 1"):
        BatchMetadata.parse(b'{"contract": 2}')


@pytest.mark.parametrize("broken", [b"", b"[]", b"{}", b'{"contract": 1}', b'{"contract": "1"}'])
def test_nonsense_is_refused(broken: bytes) -> None:
    with pytest.raises(ContractError):
        BatchMetadata.parse(broken)


def test_times_are_written_in_utc() -> None:
    assert utc_text(datetime(2026, 11, 22, 20, 15, tzinfo=UTC)) == "2026-11-22T20:15:00.000000Z"
    assert utc_text(datetime(2026, 11, 22, 20, 15, 0, 5, tzinfo=timezone(timedelta(hours=-3)))) == "2026-11-22T23:15:00.000005Z"

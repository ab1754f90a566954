"""Replication keys: their text, their rounding, and clocks that are set back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_connection.errors import ConfigurationError
from oracle_connection.types import arrow_type, parse_type
from oracle_connection.values import to_json
from tap_oracle_wms.keys import ReplicationKey, check_key_type, default_is_clock

TIME_TYPES = ["DATE", "TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP(9)", "TIMESTAMP(6) WITH TIME ZONE"]
ZONES = [UTC, ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")]
NO_OFFSET = timedelta()


def key(text: str, zone: object = UTC) -> ReplicationKey:
    return ReplicationKey("K", parse_type(text), is_clock=True, zone=zone)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", TIME_TYPES)
@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_a_value_is_read_back_from_its_text(text: str, moment: datetime) -> None:
    rounded = key(text).round_down(moment)
    assert key(text).parse(key(text).format(rounded)) == rounded


@pytest.mark.parametrize("text", ["DATE", "TIMESTAMP(6)", "TIMESTAMP(6) WITH TIME ZONE"])
def test_the_text_of_a_key_is_that_of_a_record(text: str) -> None:
    oracle = parse_type(text)
    moment = datetime(2026, 11, 22, 20, 15)
    assert key(text).format(moment) == to_json(pa.array([moment], arrow_type(oracle)), oracle)[0]


@pytest.mark.parametrize("text", TIME_TYPES)
@given(instant=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_a_bookmark_lies_before_any_way_of_rounding_the_instant(text: str, instant: datetime) -> None:
    replication_key = key(text)
    bookmark = replication_key.bookmark_at(instant, NO_OFFSET)
    unit = replication_key.unit
    assert bookmark < replication_key.round_down(instant) <= instant
    assert instant - bookmark <= 2 * unit


@pytest.mark.parametrize("zone", ZONES)
@given(
    instant=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),
    later=st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_whatever_is_stamped_after_the_instant_lies_after_the_bookmark_also_in_the_repeated_hour(
    zone: ZoneInfo, instant: datetime, later: timedelta
) -> None:
    replication_key = key("TIMESTAMP(6)", zone)
    stamp = (instant + later).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    assert replication_key.bookmark_at(instant, NO_OFFSET) < stamp


def test_the_window_reaches_back_across_the_hour_that_comes_again() -> None:
    new_york = key("DATE", ZoneInfo("America/New_York"))
    before = datetime(2026, 11, 1, 5, 50)  # 01:50 of summer time; at 06:00 UTC the clock goes back to 01:00
    assert new_york.clock_reading(before, NO_OFFSET) == datetime(2026, 11, 1, 1, 0)
    assert new_york.clock_reading(datetime(2026, 11, 1, 6, 10), NO_OFFSET) == datetime(2026, 11, 1, 1, 10)
    assert new_york.clock_reading(datetime(2026, 10, 31, 12, 0), NO_OFFSET) == datetime(2026, 10, 31, 8, 0)


def test_a_servers_zone_known_only_by_its_offset_always_leaves_room_for_that_hour() -> None:
    assert key("DATE", None).clock_reading(datetime(2026, 6, 1, 12), timedelta(hours=-3)) == datetime(2026, 6, 1, 8)


def test_a_key_with_its_own_zone_is_compared_by_instants() -> None:
    zoned = key("TIMESTAMP(6) WITH TIME ZONE", ZoneInfo("America/New_York"))
    assert zoned.clock_reading(datetime(2026, 11, 1, 5, 50), NO_OFFSET) == datetime(2026, 11, 1, 5, 50)


def test_a_look_back_is_in_the_units_of_the_key() -> None:
    assert key("NUMBER(38)").look_back(Decimal(10**37), 60, 5) == Decimal(10**37 - 5)
    assert key("DATE").look_back(datetime(2026, 1, 1), 60, 5) == datetime(2025, 12, 31, 23, 59)
    assert key("DATE").look_back(datetime(1, 1, 1), 60, 0) == datetime.min
    assert key("VARCHAR2(9 CHAR)").look_back("b", 60, 5) == "b"


@pytest.mark.parametrize(
    ("text", "values", "greatest"),
    [
        ("NUMBER(10)", [3, None, 12], "12"),
        ("NUMBER", ["9", "10", None], "10"),
        ("VARCHAR2(5 CHAR)", ["a", "b"], "b"),
        ("DATE", [datetime(2026, 1, 1), None], "2026-01-01T00:00:00"),
        ("NUMBER(10,2)", [None], None),
        ("NUMBER(10,2)", [], None),
        ("NUMBER(10,2)", [Decimal("1.50"), Decimal("1.5")], "1.50"),
    ],
)
def test_the_greatest_value_is_found_by_meaning_not_by_text(text: str, values: list, greatest: str | None) -> None:
    oracle = parse_type(text)
    assert key(text).maximum(pa.array(values, arrow_type(oracle))) == greatest


def test_lobs_and_intervals_cannot_be_replication_keys() -> None:
    for text in ("CLOB", "RAW(16)", "INTERVAL DAY(2) TO SECOND(6)", "BINARY_DOUBLE"):
        with pytest.raises(ConfigurationError, match="replication key"):
            check_key_type("s", "K", parse_type(text))


def test_only_times_are_taken_for_clocks() -> None:
    assert default_is_clock(parse_type("DATE"))
    assert not default_is_clock(parse_type("NUMBER(10)"))
    assert not default_is_clock(parse_type("VARCHAR2(10 CHAR)"))

"""Dates, timestamps, intervals and zones: format models both ways, arithmetic, calendar functions. The clock stands at NOW."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from binder_bench import Bench
from expression_cases import bench, described, error_code, value
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.sql.expressions.date_mask import civil_from_days, days_from_civil, iso_week
from oracle_mimic.sql.expressions.date_reader import parse_moment
from oracle_mimic.sql.expressions.date_writer import format_moment
from oracle_mimic.types import Kind, OracleType

__all__ = ["bench"]
EPOCH = datetime(1970, 1, 1)
DAY = 86400 * 10**9


def nanos(text: str) -> int:
    """Nanoseconds since 1970 of an ISO clock reading."""
    whole, _, fraction = text.partition(".")
    return (datetime.fromisoformat(whole) - EPOCH) // timedelta(seconds=1) * 10**9 + int(fraction.ljust(9, "0") or 0)


def clock(value_: Any) -> str:
    """A DATE or TIMESTAMP as ISO text."""
    if isinstance(value_, Decimal | int):
        seconds, rest = divmod(int(value_), 10**9)
        return (EPOCH + timedelta(seconds=seconds)).isoformat(" ") + f".{rest:09d}".rstrip("0").rstrip(".")
    return value_.isoformat(" ").rstrip("0").rstrip(".") if value_.microsecond else value_.isoformat(" ")


@given(st.integers(-1_721_000, 2_932_896))
def test_the_calendar_is_its_own_inverse(days: int) -> None:
    assert days_from_civil(*civil_from_days(days)) == days


@given(st.dates())
def test_the_calendar_agrees_with_pythons(day: Any) -> None:
    days = (day - EPOCH.date()).days
    assert civil_from_days(days) == (day.year, day.month, day.day)
    assert iso_week(days) == day.isocalendar()[:2]


@given(
    st.datetimes(),
    st.sampled_from(
        [
            "YYYY-MM-DD HH24:MI:SSXFF6",
            "DD.MON.YYYY HH:MI:SS.FF6 AM",
            "FMDay, DD Month YYYY HH24:MI:SS FF9",
            "J SSSSS FF6",
            "YYYYMMDDHH24MISSFF6",
        ]
    ),
)
def test_what_a_mask_writes_it_reads(moment: datetime, mask: str) -> None:
    expected = (moment - EPOCH) // timedelta(microseconds=1) * 1000
    seconds, rest = divmod(expected, 10**9)
    text = format_moment(seconds, rest, "", mask, "AMERICAN", 9, ".")
    assert parse_moment(text, mask, "AMERICAN", 0, ".") == expected


DATE_READS: list[Any] = [
    ("2024-02-29 23:59:58", "YYYY-MM-DD HH24:MI:SS", "2024-02-29 23:59:58"),
    ("2024-02-29", "YYYY-MM-DD", "2024-02-29 00:00:00"),
    ("2024/2/9", "YYYY-MM-DD", "2024-02-09 00:00:00"),
    ("20240229", "YYYYMMDD", "2024-02-29 00:00:00"),
    ("20240229", "YYYY-MM-DD", "2024-02-29 00:00:00"),
    ("2024-02-29 10", "YYYY-MM-DD HH24:MI:SS", "2024-02-29 10:00:00"),
    ("  29-feb-24 ", "DD-MON-RR", "2024-02-29 00:00:00"),
    ("29-FEBRUARY-2024", "DD-MON-RR", "2024-02-29 00:00:00"),
    ("29FEB2024", "DD-MON-YYYY", "2024-02-29 00:00:00"),
    ("01-FEB-99", "DD-MON-RR", "1999-02-01 00:00:00"),
    ("01-FEB-49", "DD-MON-RR", "2049-02-01 00:00:00"),
    ("01-FEB-99", "DD-MON-YY", "2099-02-01 00:00:00"),
    ("1-1-50", "DD-MM-RRRR", "1950-01-01 00:00:00"),
    ("2024", "YYYY", "2024-03-01 00:00:00"),
    ("15", "DD", "2024-03-15 00:00:00"),
    ("12:30 AM", "HH:MI AM", "2024-03-01 00:30:00"),
    ("12:30 p.m.", "HH12:MI AM", "2024-03-01 12:30:00"),
    ("2024-060", "YYYY-DDD", "2024-02-29 00:00:00"),
    ("2460370", "J", "2024-02-29 00:00:00"),
    ("2024-02-29T10:11:12", 'YYYY-MM-DD"T"HH24:MI:SS', "2024-02-29 10:11:12"),
    ("86399 2024-01-01", "SSSSS YYYY-MM-DD", "2024-01-01 23:59:59"),
    ("Thursday, 29 February 2024", "Day, DD Month YYYY", "2024-02-29 00:00:00"),
    ("29 II 2024", "DD RM YYYY", "2024-02-29 00:00:00"),
    ("0044-03-15 BC", "YYYY-MM-DD BC", None),
]


@pytest.mark.parametrize(("text", "mask", "expected"), DATE_READS)
def test_to_date_reads_as_oracle_does(bench: Bench, text: str, mask: str, expected: str | None) -> None:
    found = (
        value(bench, f"to_date('{text}', '{mask}')") if expected else value(bench, f"to_char(to_date('{text}', '{mask}'), 'SYYYY-MM-DD')")
    )
    assert (clock(found) if expected else found) == (expected or "-0044-03-15")
    through_column = bench.rows(f"select to_date(t, m) from (select '{text}' t, '{mask}' m from dual)")[0][0]
    if expected:
        assert clock(through_column) == expected


DATE_READ_ERRORS: list[Any] = [
    ("2024-02-29 10:00", "YYYY-MM-DD", 1830),
    ("2024-13-01", "YYYY-MM-DD", 1843),
    ("2024-02-30", "YYYY-MM-DD", 1839),
    ("2023-02-29", "YYYY-MM-DD", 1839),
    ("2024-01-32", "YYYY-MM-DD", 1847),
    ("2024-01-00", "YYYY-MM-DD", 1847),
    ("0000-01-01", "YYYY-MM-DD", 1841),
    ("2024", "YYYY-MM", 1840),
    ("2024-01-01 24:00:00", "YYYY-MM-DD HH24:MI:SS", 1850),
    ("2024-01-01 10:60:00", "YYYY-MM-DD HH24:MI:SS", 1851),
    ("2024-01-01 10:00:60", "YYYY-MM-DD HH24:MI:SS", 1852),
    ("2024-01-01 86400", "YYYY-MM-DD SSSSS", 1853),
    ("13:00 PM", "HH:MI PM", 1849),
    ("10:00 XX", "HH:MI AM", 1855),
    ("2024-01-XX", "YYYY-MM-DD", 1858),
    ("XX-JAN-24", "DD-MON-RR", 1858),
    ("2024-01-01", "DD-MON-RR", 1861),
    ("01-XXX-24", "DD-MON-RR", 1843),
    ("2024-01-01x10", 'YYYY-MM-DD"T"HH24', 1861),
    ("2024-366", "YYYY-DDD", None),
    ("2023-366", "YYYY-DDD", 1848),
    ("Monday 29 02 2024", "Day DD MM YYYY", 1835),
    ("Noday 29 02 2024", "Day DD MM YYYY", 1846),
    ("24-1-1", "FXYY-MM-DD", 1862),
    ("2024-01-01", "YYYY-MM-DDD-DD-DD", 1810),
    ("2024-01", "YYYY-IW", 1820),
    ("2024-01", "YYYY-QQQQ", 1820),
    ("10 AM", "HH24 AM", 1818),
    ("2024-01", "YYYY-ZZ", 1821),
]


@pytest.mark.parametrize(("text", "mask", "code"), DATE_READ_ERRORS)
def test_to_date_fails_with_oracles_code(bench: Bench, text: str, mask: str, code: int | None) -> None:
    if code is None:
        assert clock(value(bench, f"to_date('{text}', '{mask}')")) == "2024-12-31 00:00:00"
    else:
        assert error_code(bench, f"to_date('{text}', '{mask}')") == code


DATE_WRITES: list[Any] = [
    ("YYYY-MM-DD HH24:MI:SS", "2024-03-05 13:04:09"),
    ("DD-MON-RR", "05-MAR-24"),
    ("Dd Mon yyyy", "05 Mar 2024"),
    ("fmDay, DD Month YYYY", "Tuesday, 5 March 2024"),
    ("Day|Month|", "Tuesday  |March    |"),
    ("DY dy Dy", "TUE tue Tue"),
    ("HH:MI:SS AM", "01:04:09 PM"),
    ("hh12 a.m.", "01 p.m."),
    ("SSSSS", "47049"),
    ("D DD DDD", "3 05 065"),
    ("Q W WW IW", "1 1 10 10"),
    ("IYYY-IW-D", "2024-10-3"),
    ("CC SCC", "21  21"),
    ("YYY YY Y Y,YYY", "024 24 4 2,024"),
    ("SYYYY", " 2024"),
    ("RM|", "III |"),
    ("J", "2460375"),
    ("DDTH", "05TH"),
    ("fmddth", "5th"),
    ('YYYY"T"MM', "2024T03"),
    ("BC", "AD"),
    ("FMHH24:MI:SS", "13:4:9"),
    ("FMMM/FMDD", "3/05"),
    ("", None),
]


@pytest.mark.parametrize(("mask", "expected"), DATE_WRITES)
def test_to_char_writes_as_oracle_does(bench: Bench, mask: str, expected: str | None) -> None:
    assert value(bench, f"to_char(date '2024-03-05' + 47049/86400, '{mask}')") == expected
    through_column = f"select to_char(d, m) from (select to_date('2024-03-05 13:04:09', 'YYYY-MM-DD HH24:MI:SS') d, '{mask}' m from dual)"
    assert bench.rows(through_column)[0][0] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("to_char(timestamp '2024-03-05 13:04:09.123456789', 'SS.FF')", "09.123456789"),
        ("to_char(timestamp '2024-03-05 13:04:09.123456789', 'SSXFF3 FF1')", "09.123 1"),
        ("to_char(timestamp '2024-03-05 13:04:09', 'FF6')", "000000"),
        ("to_char(cast(timestamp '2024-03-05 13:04:09.5' as timestamp(3)), 'FF')", "500"),
        ("to_char(timestamp '2024-03-05 13:04:09 -03:30', 'HH24 TZH:TZM TZR')", "13 -03:30 -03:30"),
        ("to_char(timestamp '2024-07-05 13:04:09 America/New_York', 'HH24 TZR TZD TZH')", "13 America/New_York EDT -04"),
        ("to_char(timestamp '2024-03-05 13:04:09.123456789', 'SYYYYMMDDHH24MISSFF9 FF FF2')", " 20240305130409123456789 123456789 12"),
        ("to_char(sys_extract_utc(timestamp '2024-03-05 13:04:09.5 +05:00'), 'SYYYYMMDDHH24MISSFF9')", " 20240305080409500000000"),
        ("to_char(timestamp '2024-03-05 13:04:09.5 +05:00', 'YYYY-MM-DD\"%d\"HH24:MI:SS.FF')", "2024-03-05%d13:04:09.500000000"),
        ("to_char(date '-0044-03-15', 'YYYY-MM-DD')", "0044-03-15"),
        ("to_char(date '-0044-03-15', 'SYYYYMMDD')", "-00440315"),
        ("to_char(date '2024-03-05', 'FF3')", 1821),
        ("to_char(date '2024-03-05', 'TZH')", 1821),
        ("to_char(date '2024-03-05', 'YEAR')", 3001),
        ("to_char(systimestamp)", "15-MAR-24 01.45.30.123456 PM +00:00"),
        ("to_char(sysdate)", "15-MAR-24"),
        ("'' || localtimestamp", "15-MAR-24 01.45.30.123456 PM"),
        ("to_char(interval '5' day)", "+05 00:00:00.000000"),
        ("to_char(interval '-1-2' year to month)", "-01-02"),
    ],
)
def test_timestamps_and_intervals_as_text(bench: Bench, expression: str, expected: str | int) -> None:
    if isinstance(expected, int):
        assert error_code(bench, expression) == expected
    else:
        assert value(bench, expression) == expected


def test_names_follow_the_language(bench: Bench) -> None:
    brazil = {"date_language": "BRAZILIAN PORTUGUESE"}
    assert value(bench, "to_char(date '2024-03-02', 'fmDay, DD Month DY MON')", **brazil) == "Sábado, 2 Março SÁB MAR"
    assert clock(value(bench, "to_date('07-SET-2024', 'DD-MON-YYYY')", **brazil)) == "2024-09-07 00:00:00"
    assert clock(value(bench, "next_day(date '2024-03-15', 'SEGUNDA-FEIRA')", **brazil)) == "2024-03-18 00:00:00"
    assert error_code(bench, "to_date('07-SEP-2024', 'DD-MON-YYYY')", **brazil) == 1843
    assert value(bench, "to_char(date '2024-03-02', 'MON', 'NLS_DATE_LANGUAGE = AMERICAN')", **brazil) == "MAR"
    assert clock(value(bench, "to_date('07-SEP-2024', 'DD-MON-YYYY', 'nls_date_language=''american''')", **brazil)) == "2024-09-07 00:00:00"


def test_text_becomes_a_date_by_the_sessions_format(bench: Bench) -> None:
    assert bench.rows("select name from worker where hired = '01-JAN-24'") == [("EVE",)]
    assert error_code(bench, "date '2024-01-01' - to_date('2024-01-01')") == 1861
    assert clock(value(bench, "to_date('2024-01-02')", date_format="YYYY-MM-DD")) == "2024-01-02 00:00:00"
    assert clock(value(bench, "cast('2024-01-02 03:04:05.6' as timestamp)", timestamp_format="YYYY-MM-DD HH24:MI:SS.FF")) == (
        "2024-01-02 03:04:05.6"
    )


DATE_VALUES: list[Any] = [
    ("date '2024-02-28' + 1.5", "2024-02-29 12:00:00"),
    ("date '2024-03-01' - 1", "2024-02-29 00:00:00"),
    ("date '2024-03-01' + 1/3", "2024-03-01 08:00:00"),
    ("date '2024-03-01' + 1/86400", "2024-03-01 00:00:01"),
    ("1 + date '2024-03-01'", "2024-03-02 00:00:00"),
    ("date '2024-03-01' + '1'", "2024-03-02 00:00:00"),
    ("timestamp '2024-03-01 10:00:00.9' + 1", "2024-03-02 10:00:00"),
    ("date '2024-03-01' + interval '1' hour", "2024-03-01 01:00:00"),
    ("date '2024-03-31' - interval '1' month", 1839),
    ("timestamp '2024-03-01 10:00:00.5' - interval '0.25' second", "2024-03-01 10:00:00.25"),
    ("timestamp '2024-03-01 10:00:00.123456789' + interval '1' day", "2024-03-02 10:00:00.123456789"),
    ("timestamp '2024-01-31 10:00:00' + interval '1-1' year to month", 1839),
    ("add_months(date '2024-01-31', 1)", "2024-02-29 00:00:00"),
    ("add_months(date '2024-02-29', 12)", "2025-02-28 00:00:00"),
    ("add_months(date '2023-02-28', 12)", "2024-02-29 00:00:00"),
    ("add_months(date '2024-01-15', -13.7)", "2022-12-15 00:00:00"),
    ("last_day(date '2023-02-03')", "2023-02-28 00:00:00"),
    ("next_day(date '2024-03-15', 'FRI')", "2024-03-22 00:00:00"),
    ("next_day(date '2024-03-15', 'xx')", 1846),
    ("trunc(date '2024-03-15' + 0.7)", "2024-03-15 00:00:00"),
    ("trunc(date '2024-03-15', 'YYYY')", "2024-01-01 00:00:00"),
    ("trunc(date '2024-03-15', 'Q')", "2024-01-01 00:00:00"),
    ("trunc(date '2024-03-15', 'month')", "2024-03-01 00:00:00"),
    ("trunc(date '2024-03-15', 'IW')", "2024-03-11 00:00:00"),
    ("trunc(date '2024-03-15', 'D')", "2024-03-10 00:00:00"),
    ("trunc(date '2024-03-15', 'WW')", "2024-03-11 00:00:00"),
    ("trunc(date '2024-03-15', 'W')", "2024-03-15 00:00:00"),
    ("trunc(date '2024-03-15', 'IYYY')", "2024-01-01 00:00:00"),
    ("trunc(date '2024-03-15', 'CC')", "2001-01-01 00:00:00"),
    ("trunc(timestamp '2024-03-15 10:59:59', 'HH')", "2024-03-15 10:00:00"),
    ("trunc(timestamp '2024-03-15 10:59:59', 'MI')", "2024-03-15 10:59:00"),
    ("trunc(date '2024-03-15', 'ZZ')", 1821),
    ("round(date '2024-03-16', 'MM')", "2024-04-01 00:00:00"),
    ("round(date '2024-07-01', 'YYYY')", "2025-01-01 00:00:00"),
    ("round(timestamp '2024-03-15 12:00:00')", "2024-03-16 00:00:00"),
    ("round(date '2024-05-16', 'Q')", "2024-07-01 00:00:00"),
    ("date '9999-12-31' + 1", 1841),
    ("date '2024-01-01' + date '2024-01-01'", 975),
    ("sysdate", "2024-03-15 13:45:30"),
    ("trunc(sysdate)", "2024-03-15 00:00:00"),
    ("localtimestamp(3)", "2024-03-15 13:45:30.123"),
    ("cast(timestamp '2024-03-15 10:00:00.9' as date)", "2024-03-15 10:00:00"),
    ("cast(timestamp '2024-03-15 10:00:00.9999' as timestamp(3))", "2024-03-15 10:00:01"),
    ("sys_extract_utc(timestamp '2024-03-15 10:00:00 -03:00')", "2024-03-15 13:00:00"),
    ("cast(timestamp '2024-03-15 10:00:00 -03:00' as timestamp)", "2024-03-15 10:00:00"),
    ("cast(timestamp '2024-03-15 10:00:00 -03:00' as date)", "2024-03-15 10:00:00"),
    ("to_timestamp('2026-11-22 19:21:45.307519', 'yyyy/mm/dd hh24:mi:ss.FF')", "2026-11-22 19:21:45.307519"),
    ("to_timestamp('2025-01-01 08:00:00', 'YYYY-MM-DD HH24:MI:SS.FF')", "2025-01-01 08:00:00"),
]


@pytest.mark.parametrize(("expression", "expected"), DATE_VALUES)
def test_date_arithmetic(bench: Bench, expression: str, expected: str | int) -> None:
    if isinstance(expected, int):
        assert error_code(bench, expression) == expected
    else:
        assert clock(value(bench, expression)) == expected


DATE_NUMBERS: list[Any] = [
    ("date '2024-03-01' - date '2024-02-01'", "29"),
    ("to_date('10', 'HH24') - to_date('02', 'HH24')", "0.3333333333333333333333333333333333333333"),
    ("months_between(date '1995-02-02', date '1995-01-01')", "1.03225806451612903225806451612903225806"),
    ("months_between(date '2024-02-29', date '2024-01-31')", "1"),
    ("months_between(date '2024-01-01', date '2024-03-01')", "-2"),
    ("extract(year from date '2024-03-05')", "2024"),
    ("extract(month from sysdate)", "3"),
    ("extract(second from timestamp '2024-03-05 01:02:03.25')", "3.25"),
    ("extract(hour from timestamp '2024-03-05 01:02:03 +02:00')", "23"),
    ("extract(timezone_hour from timestamp '2024-03-05 01:02:03 -03:30')", "-3"),
    ("extract(timezone_minute from timestamp '2024-03-05 01:02:03 -03:30')", "-30"),
    ("extract(day from interval '3 04:05:06.7' day to second)", "3"),
    ("extract(second from interval '3 04:05:06.7' day to second)", "6.7"),
    ("extract(month from interval '-1-2' year to month)", "-2"),
    ("extract(day from (timestamp '2024-03-02 00:00:00' - timestamp '2024-03-01 12:00:00'))", "0"),
]


@pytest.mark.parametrize(("expression", "expected"), DATE_NUMBERS)
def test_numbers_out_of_dates(bench: Bench, expression: str, expected: str) -> None:
    assert value(bench, expression) == Decimal(expected)


def test_a_time_of_day_cannot_be_extracted_from_a_date(bench: Bench) -> None:
    assert error_code(bench, "extract(hour from date '2024-03-05')") == 30076
    assert error_code(bench, "extract(year from interval '5' day)") == 30076


INTERVAL_VALUES: list[Any] = [
    ("interval '5' day", 5 * DAY),
    ("interval '1 12' day to hour", 3 * DAY // 2),
    ("interval '-0:30' minute to second", -30 * 10**9),
    ("timestamp '2024-03-02 00:00:00' - timestamp '2024-03-01 12:00:00'", DAY // 2),
    ("timestamp '2024-03-02 00:00:00' - date '2024-03-01'", DAY),
    ("timestamp '2024-03-02 00:00:00 +02:00' - timestamp '2024-03-01 22:00:00 +00:00'", 0),
    ("interval '1' day * 1.5", 3 * DAY // 2),
    ("2 * interval '12' hour", DAY),
    ("interval '1' day / 2", DAY // 2),
    ("interval '1' day - interval '1' hour", 23 * 3600 * 10**9),
    ("-interval '1' day", -DAY),
    ("numtodsinterval(1.5, 'day')", 3 * DAY // 2),
    ("numtodsinterval(0.000000001, 'second')", 1),
    ("to_dsinterval('P1DT12H')", 3 * DAY // 2),
    ("to_dsinterval('-1 12:00:00')", -3 * DAY // 2),
    ("numtoyminterval(1.5, 'year')", 18),
    ("to_yminterval('1-6')", 18),
    ("interval '1-6' year to month * 2", 36),
]


@pytest.mark.parametrize(("expression", "expected"), INTERVAL_VALUES)
def test_intervals(bench: Bench, expression: str, expected: int) -> None:
    assert int(value(bench, expression)) == expected


DATE_ERRORS: list[Any] = [
    ("interval '123' day", 1873),
    ("interval '1 25' day to hour", 1850),
    ("interval 'x' day", 1867),
    ("numtodsinterval(1, 'YEAR')", 1760),
    ("interval '1' day + interval '1' month", 30081),
    ("interval '1' day + 1", 30081),
    ("to_dsinterval('x')", 1867),
    ("from_tz(timestamp '2024-03-10 02:30:00', 'America/New_York')", 1878),
    ("systimestamp at time zone 'Nowhere/Land'", 1882),
    ("systimestamp at time zone '+16:00'", 1874),
    ("timestamp '2024-02-30 00:00:00'", 1839),
    ("date '2024-1'", 1840),
    ("new_time(sysdate, 'EST', 'PST')", 3001),
]


@pytest.mark.parametrize(("expression", "code"), DATE_ERRORS)
def test_what_time_cannot_do(bench: Bench, expression: str, code: int) -> None:
    assert error_code(bench, expression) == code


@pytest.mark.parametrize(
    ("expression", "utc", "offset"),
    [
        ("timestamp '2024-03-15 10:00:00 America/New_York'", "2024-03-15 14:00:00", -240),
        ("timestamp '2024-01-15 10:00:00 America/New_York'", "2024-01-15 15:00:00", -300),
        ("timestamp '2024-11-03 01:30:00 America/New_York'", "2024-11-03 06:30:00", -300),
        ("from_tz(timestamp '2024-03-15 10:00:00', '-03:00')", "2024-03-15 13:00:00", -180),
        ("timestamp '2024-03-15 10:00:00 +00:00' at time zone 'America/Sao_Paulo'", "2024-03-15 10:00:00", -180),
        ("cast(timestamp '2024-03-15 10:00:00' as timestamp with time zone)", "2024-03-15 13:00:00", -180),
        ("systimestamp", "2024-03-15 13:45:30.123456", 0),
        ("systimestamp at local", "2024-03-15 13:45:30.123456", -180),
        ("current_timestamp", "2024-03-15 13:45:30.123456", -180),
        ("systimestamp + interval '1' day", "2024-03-16 13:45:30.123456", 0),
        ("least(timestamp '2024-03-15 10:00:00 +02:00', timestamp '2024-03-15 09:00:00 +00:00')", "2024-03-15 08:00:00", 120),
        ("greatest(timestamp '2024-03-15 10:00:00 +02:00', timestamp '2024-03-15 09:00:00 +00:00')", "2024-03-15 09:00:00", 0),
        ("timestamp '2024-03-09 10:00:00 America/New_York' + interval '1' day", "2024-03-10 15:00:00", -240),
        ("timestamp '2024-02-10 10:00:00 America/New_York' + interval '1' month", "2024-03-10 14:00:00", -240),
        ("to_timestamp_tz('2024-03-15 10:00 +02:00', 'YYYY-MM-DD HH24:MI TZH:TZM')", "2024-03-15 08:00:00", 120),
        ("to_timestamp_tz('2024-03-15 10:00 -00:30', 'YYYY-MM-DD HH24:MI TZH:TZM')", "2024-03-15 10:30:00", -30),
        ("to_timestamp_tz('2024-03-15 10:00 America/New_York', 'YYYY-MM-DD HH24:MI TZR')", "2024-03-15 14:00:00", -240),
        ("to_timestamp_tz('2024-03-15 10:00', 'YYYY-MM-DD HH24:MI')", "2024-03-15 13:00:00", -180),
    ],
)
def test_instants_keep_their_zone(bench: Bench, expression: str, utc: str, offset: int) -> None:
    assert value(bench, expression, time_zone="-03:00") == (nanos(utc), offset)


def test_the_present_in_the_sessions_zone(bench: Bench) -> None:
    assert clock(value(bench, "current_date", time_zone="America/New_York")) == "2024-03-15 09:45:30"
    assert clock(value(bench, "sysdate", time_zone="America/New_York")) == "2024-03-15 13:45:30"
    assert value(bench, "sessiontimezone", time_zone="America/New_York") == "America/New_York"
    assert value(bench, "dbtimezone") == "+00:00"
    assert value(bench, "tz_offset('America/New_York')") == "-04:00"


def test_types_of_moments(bench: Bench) -> None:
    def type_of(expression: str) -> OracleType:
        return described(bench, expression).type

    assert type_of("sysdate") == OracleType(Kind.DATE)
    assert type_of("systimestamp") == OracleType(Kind.TIMESTAMP_TZ, scale=6)
    assert type_of("sysdate - 1") == OracleType(Kind.DATE)
    assert type_of("localtimestamp") == OracleType(Kind.TIMESTAMP, scale=6)
    assert type_of("sysdate - sysdate") == OracleType(Kind.NUMBER)
    assert type_of("to_char(sysdate, 'YYYY-MM-DD')").length == 10
    assert type_of("cast(sysdate as timestamp(3))") == OracleType(Kind.TIMESTAMP, scale=3)
    assert type_of("systimestamp - systimestamp").kind is Kind.INTERVAL_DS

"""Any value that can be written to the source arrives equal, in Arrow files and in RECORDs: one table with a column of each type."""

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal

import oracledb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle_connection.types import parse_type
from oracle_connection.values import from_json


def whole(digits):
    return st.integers(-(10**digits) + 1, 10**digits - 1).map(Decimal)


def fixed(digits, scale):
    return st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda number: Decimal(number).scaleb(-scale, Context(prec=60)))


def text(length, last=0x10FFFF):
    """Oracle's '' is NULL, so there is no empty text."""
    return st.text(st.characters(max_codepoint=last, exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=length)


def moments(digits, zone=None):
    """Clock fields and the ninth digit of the second, as text."""
    unit = 10 ** (9 - digits)
    zones = st.integers(-12 * 60, 14 * 60) if zone else st.none()
    years = {"min_value": datetime(2, 1, 1), "max_value": datetime(9998, 12, 31)}
    return st.builds(
        lambda clock, fraction, offset: (clock.replace(microsecond=0), fraction // unit * unit, offset),
        st.datetimes(**years), st.integers(0, 999_999_999), zones,
    )  # fmt: skip


def written(moment):
    """As TO_TIMESTAMP_TZ and TO_TIMESTAMP read it."""
    clock, fraction, offset = moment
    head = f"{clock.isoformat()}.{fraction:09d}"
    return head if offset is None else f"{head}{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def instant(moment):
    clock, fraction, offset = moment
    zoned = clock if offset is None else clock.replace(tzinfo=timezone(timedelta(minutes=offset))).astimezone(UTC)
    return zoned, fraction


def as_fields(value):
    """A moment as it arrived: Arrow's datetime, or the text of nine digits."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0), value.microsecond * 1000
    head, _, rest = value.partition(".")
    zone = UTC if rest.endswith("+00:00") else None
    return datetime.fromisoformat(head).replace(tzinfo=zone), int(rest.removesuffix("+00:00"))


def as_seconds(value):
    days, _, clock = value.partition(" ")
    hours, minutes, seconds = clock.split(":")
    within = Decimal(hours) * 3600 + Decimal(minutes) * 60 + Decimal(seconds)
    return int(days) * 86400 + (-within if days.startswith("-") else within)


def of_seconds(microseconds):
    sign, rest = "-" if microseconds < 0 else "+", abs(microseconds)
    seconds, micro = divmod(rest, 10**6)
    days, clock = divmod(seconds, 86400)
    return f"{sign}{days} {clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}.{micro:06d}"


def same_float(value):
    return "nan" if math.isnan(value) else value


BMP = 0xFFFF  # beyond it a character counts twice in NCHAR and NVARCHAR2
MOMENT, ZONED = "TO_TIMESTAMP(:{n},'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')", "TO_TIMESTAMP_TZ(:{n},'YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM')"
# type: (values, SQL of the bind, type of the bind, value to bind, what must arrive, what arrived in comparable form)
SAME = lambda value: value  # noqa: E731 - a name for the table below
EXPONENTS = st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**37), 10**37), st.integers(-100, 80))
TYPES = {
    "NUMBER(18)": (whole(18), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER(38)": (whole(38), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER(38,10)": (fixed(38, 10), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER(19,4)": (fixed(19, 4), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER(5,-2)": (whole(5).map(lambda v: v * 100), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER(3,6)": (fixed(3, 6), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "NUMBER": (EXPONENTS, ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "FLOAT(126)": (fixed(30, 12), ":{n}", oracledb.DB_TYPE_NUMBER, SAME, SAME, Decimal),
    "BINARY_DOUBLE": (st.floats(), ":{n}", oracledb.DB_TYPE_BINARY_DOUBLE, SAME, same_float, same_float),
    "BINARY_FLOAT": (st.floats(width=32), ":{n}", oracledb.DB_TYPE_BINARY_FLOAT, SAME, same_float, same_float),
    "CHAR(5 CHAR)": (text(5), ":{n}", oracledb.DB_TYPE_CHAR, SAME, lambda v: v.ljust(5), SAME),
    "VARCHAR2(100 CHAR)": (text(100), ":{n}", oracledb.DB_TYPE_VARCHAR, SAME, SAME, SAME),
    "NCHAR(5)": (text(5, BMP), ":{n}", oracledb.DB_TYPE_NCHAR, SAME, lambda v: v.ljust(5), SAME),
    "NVARCHAR2(50)": (text(50, BMP), ":{n}", oracledb.DB_TYPE_NVARCHAR, SAME, SAME, SAME),
    "CLOB": (text(60), ":{n}", oracledb.DB_TYPE_CLOB, SAME, SAME, SAME),
    "NCLOB": (text(60), ":{n}", oracledb.DB_TYPE_NCLOB, SAME, SAME, SAME),
    "RAW(20)": (st.binary(min_size=1, max_size=20), ":{n}", oracledb.DB_TYPE_RAW, SAME, SAME, SAME),
    "BLOB": (st.binary(min_size=1, max_size=60), ":{n}", oracledb.DB_TYPE_BLOB, SAME, SAME, SAME),
    "DATE": (moments(0), MOMENT, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(0)": (moments(0), MOMENT, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(6)": (moments(6), MOMENT, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(9)": (moments(9), MOMENT, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(6) WITH TIME ZONE": (moments(6, UTC), ZONED, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(9) WITH TIME ZONE": (moments(9, UTC), ZONED, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "TIMESTAMP(6) WITH LOCAL TIME ZONE": (moments(6, UTC), ZONED, oracledb.DB_TYPE_VARCHAR, written, instant, as_fields),
    "INTERVAL DAY(9) TO SECOND(6)": (st.integers(-(10**20), 10**20), "TO_DSINTERVAL(:{n})", oracledb.DB_TYPE_VARCHAR, of_seconds,
                                     lambda v: Decimal(v).scaleb(-6), as_seconds),
    "INTERVAL YEAR(4) TO MONTH": (st.integers(-119_999, 119_999), "TO_YMINTERVAL(:{n})", oracledb.DB_TYPE_VARCHAR,
                                  lambda v: f"{'-' if v < 0 else '+'}{abs(v) // 12}-{abs(v) % 12}", SAME,
                                  lambda v: (int(v[1:].split("-")[0]) * 12 + int(v[1:].split("-")[1])) * (-1 if v[0] == "-" else 1)),
}  # fmt: skip
KINDS = list(TYPES)
rows = st.lists(st.tuples(*(st.none() | values for values, *_ in TYPES.values())), min_size=1, max_size=8)


@pytest.fixture
def write(database):
    """Put rows into a table with a column of each type, in place of those before."""
    columns = ", ".join(f"C{number} {kind}" for number, kind in enumerate(KINDS))
    database.run(f"CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, {columns})")
    connection = database.connect()
    binds = ", ".join(sql.format(n=number + 2) for number, (_, sql, *_) in enumerate(TYPES.values()))

    def replace(written_rows):
        cursor = connection.cursor()
        cursor.execute("DELETE FROM T")
        cursor.setinputsizes(None, *(kind for _, _, kind, *_ in TYPES.values()))
        cursor.executemany(
            f"INSERT INTO T VALUES (:1, {binds})",
            [
                (number, *(None if value is None else bind(value) for value, (_, _, _, bind, *_) in zip(row, TYPES.values(), strict=True)))
                for number, row in enumerate(written_rows)
            ],
        )
        connection.commit()

    return replace


def check(write, run_tap, written_rows):
    entities = {"t": {"table": "T", "replication_method": "FULL_TABLE"}}
    write(written_rows)
    ((_, table),) = run_tap(entities=entities).batches()
    records = {record["ID"]: record for record in run_tap(entities=entities, transfer="record").records}
    order = table.column("ID").to_pylist()
    assert sorted(order) == sorted(records) == list(range(len(written_rows)))
    for number, (kind, (_, _, _, _, expected, arrived)) in enumerate(TYPES.items()):
        column = table.column(f"C{number}")
        values = dict(zip(order, column.to_pylist(), strict=True))
        for row, value in enumerate(written_rows):
            got, want = values[row], value[number]
            assert (None if got is None else arrived(got)) == (None if want is None else expected(want)), (kind, got, want)
        again = from_json([records[row][f"C{number}"] for row in order], parse_type(kind))
        if kind in {"NUMBER", "NUMBER(3,6)", "FLOAT(126)"}:  # text of numbers: 1E+2 and 100 are one
            texts = [[None if each is None else Decimal(each) for each in values_.to_pylist()] for values_ in (again, column)]
            assert texts[0] == texts[1], kind
        else:
            assert [repr(each) for each in again.to_pylist()] == [repr(each) for each in column.to_pylist()], kind


@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # shrinking takes minutes
@given(written_rows=rows)
def test_any_value_arrives_equal_in_both_forms(write, run_tap, written_rows):
    check(write, run_tap, written_rows)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=200, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(written_rows=rows)
def test_very_many_values_arrive_equal_in_both_forms(write, run_tap, written_rows):
    check(write, run_tap, written_rows)

"""Every kind of value through the unmodified driver: bound, echoed by the database behind the door, fetched.

Mimic only: the statements are the echo database's, which exists to judge the wire apart from SQL.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import oracledb
import pyarrow as pa
import pytest
from echo_database import EchoDatabase
from oracle_mimic.server import MimicServer
from oracle_mimic.types import Column, Kind, OracleType
from oracle_mimic.wire import lobs

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", "Wms_1234"


@pytest.fixture(scope="module")
def database() -> EchoDatabase:
    return EchoDatabase({USER: PASSWORD})


@pytest.fixture(scope="module")
def server(database: EchoDatabase) -> Iterator[MimicServer]:
    with MimicServer(database) as running:
        yield running


@pytest.fixture
def connection(server: MimicServer) -> Iterator[oracledb.Connection]:
    with oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn) as opened:
        yield opened


def echo(connection: oracledb.Connection, *values: Any, types: list[Any] | None = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        if types:
            cursor.setinputsizes(*types)
        places = ", ".join(f":{number}" for number in range(1, len(values) + 1))
        cursor.execute(f"SELECT ECHO({places})", list(values))
        row = cursor.fetchone()
        assert cursor.fetchone() is None
        return row


NUMBERS = [
    0, 1, -1, 9, 10, 99, 100, -100, 12345678901234567890123456789012345678, -(10**37), 2**63, -(2**63),
    Decimal("0.1"), Decimal("-0.01"), Decimal("1E-20"), Decimal("123456.789"), Decimal("99999999999999999999999999999999999999"),
    Decimal("1E+40"), Decimal("-1E-84"),
]  # fmt: skip


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers(connection: oracledb.Connection, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_decimals", True)
    assert echo(connection, value) == (Decimal(value),)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("texto ção 😀", None),
        ("x" * 4000, None),
        ("é" * 2000, oracledb.DB_TYPE_NVARCHAR),
        ("padded  ", oracledb.DB_TYPE_CHAR),
        ("nchar", oracledb.DB_TYPE_NCHAR),
        (b"\x00\xff" * 100, None),
        (None, None),
        (datetime.datetime(1, 1, 1), None),
        (datetime.datetime(9999, 12, 31, 23, 59, 59), None),
        (datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), oracledb.DB_TYPE_TIMESTAMP),
        (datetime.datetime(2024, 2, 29, 12, 30, 15), oracledb.DB_TYPE_TIMESTAMP),
        (datetime.datetime(2024, 2, 29, 12, 30, 15, 1), oracledb.DB_TYPE_TIMESTAMP_TZ),
        (datetime.datetime(2024, 2, 29, 12, 30, 15, 999999), oracledb.DB_TYPE_TIMESTAMP_LTZ),
        (datetime.timedelta(days=-3, hours=4, microseconds=5), None),
        (datetime.timedelta(days=99999, seconds=1), None),
        (oracledb.IntervalYM(-4, -7), None),
        (1.5, oracledb.DB_TYPE_BINARY_DOUBLE),
        (float("inf"), oracledb.DB_TYPE_BINARY_DOUBLE),
        (-0.25, oracledb.DB_TYPE_BINARY_FLOAT),
        ("l" * 40000, None),
        (b"r" * 40000, None),
    ],
)
def test_scalars(connection: oracledb.Connection, value: Any, type_: Any) -> None:
    assert echo(connection, value, types=[type_] if type_ else None) == (value,)


def test_nan_comes_back_as_nan(connection: oracledb.Connection) -> None:
    (value,) = echo(connection, float("nan"), types=[oracledb.DB_TYPE_BINARY_DOUBLE])
    assert math.isnan(value)


def test_many_values_of_mixed_sizes_keep_their_order(connection: oracledb.Connection) -> None:
    values = ("a", "b" * 40000, 3, "c" * 253, b"d" * 33000, None, "e")
    assert echo(connection, *values) == values


@pytest.mark.parametrize(
    ("type_", "value"),
    [(oracledb.DB_TYPE_CLOB, "çã" * 50_000), (oracledb.DB_TYPE_NCLOB, "n😀" * 10_000), (oracledb.DB_TYPE_BLOB, b"\x00\x01" * 60_000)],
)
def test_temporary_lobs_as_locators_and_as_values(connection: oracledb.Connection, type_: Any, value: Any) -> None:
    lob = connection.createlob(type_)
    half = len(value) // 2
    lob.write(value[:half])
    lob.write(value[half:], lob.size() + 1)
    units = len(value) if isinstance(value, bytes) else len(value.encode("utf-16-le")) // 2  # what Oracle counts in a CLOB
    assert lob.size() == units
    (found,) = echo(connection, lob)
    assert found.size() == units
    assert found.read(1, 4) == value[: 3 if type_ is oracledb.DB_TYPE_NCLOB and value[1] > "\uffff" else 4]
    assert found.read() == value
    assert found.getchunksize() > 0
    found.open()
    assert found.isopen()
    found.close()


@pytest.mark.parametrize("value", ["text" * 20_000, b"bytes" * 20_000])
def test_lobs_as_text_and_bytes(connection: oracledb.Connection, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_lobs", False)
    type_ = oracledb.DB_TYPE_CLOB if isinstance(value, str) else oracledb.DB_TYPE_BLOB
    assert echo(connection, value, types=[type_]) == (value,)


def test_a_trimmed_and_overwritten_lob(connection: oracledb.Connection) -> None:
    lob = connection.createlob(oracledb.DB_TYPE_CLOB, "0123456789")
    lob.write("abc", 4)
    lob.trim(8)
    assert lob.read() == "012abc67"
    lob.write("z", 11)
    assert lob.read() == "012abc67  z"


def test_writing_through_a_querys_locator_is_refused(connection: oracledb.Connection) -> None:
    (found,) = echo(connection, connection.createlob(oracledb.DB_TYPE_CLOB, "x" * 10))
    with pytest.raises(oracledb.DatabaseError, match="ORA-03001"):
        found.write("y")


def test_dropped_lobs_are_freed_on_the_server(connection: oracledb.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobs, "SESSION_LIMIT", 4_000_000)  # 1 GiB would take its time
    part = b"x" * 500_000
    for _ in range(30):
        lob = connection.createlob(oracledb.DB_TYPE_BLOB, part)
        del lob
    connection.ping()
    kept = [connection.createlob(oracledb.DB_TYPE_BLOB, part) for _ in range(7)]
    with pytest.raises(oracledb.DatabaseError, match="ORA-"):
        kept += [connection.createlob(oracledb.DB_TYPE_BLOB, part) for _ in range(2)]
    assert all(lob.size() == len(part) for lob in kept)


COLUMNS = [
    Column("ID", OracleType(Kind.NUMBER, 10, 0), nullable=False),
    Column("AMOUNT", OracleType(Kind.NUMBER, 12, 3)),
    Column("NAME", OracleType(Kind.VARCHAR2, length=40, char_semantics=True)),
    Column("CODE", OracleType(Kind.CHAR, length=4)),
    Column("DAY", OracleType(Kind.DATE)),
    Column("AT", OracleType(Kind.TIMESTAMP, scale=6)),
    Column("RATIO", OracleType(Kind.BINARY_DOUBLE)),
    Column("DATA", OracleType(Kind.RAW, length=16)),
    Column("NOTE", OracleType(Kind.CLOB)),
    Column("PICTURE", OracleType(Kind.BLOB)),
    Column("RID", OracleType(Kind.ROWID)),
    Column("NIL", OracleType(Kind.VARCHAR2, length=0)),
]


FRAME_COLUMNS = [column for column in COLUMNS if column.name != "RID"]  # the driver has no Arrow type for ROWID


def table(rows: int) -> pa.Table:
    return pa.table(
        [
            pa.array(range(rows), pa.int64()),
            pa.array([None if i % 7 == 3 else Decimal(i) / 8 for i in range(rows)], pa.decimal128(12, 3)),
            pa.array([None if i % 5 == 2 else f"name {i} é" for i in range(rows)], pa.string()),
            pa.array([f"{i % 1000:4d}" for i in range(rows)], pa.string()),
            pa.array([datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i) for i in range(rows)], pa.timestamp("s")),
            pa.array([datetime.datetime(2024, 1, 1) + datetime.timedelta(microseconds=i) for i in range(rows)], pa.timestamp("us")),
            pa.array([i / 3 for i in range(rows)], pa.float64()),
            pa.array([i.to_bytes(8, "big") for i in range(rows)], pa.binary()),
            pa.array([None if i % 3 == 1 else f"note {i} " * 40 for i in range(rows)], pa.string()),
            pa.array([None if i % 4 == 1 else bytes([i % 256]) * 300 for i in range(rows)], pa.binary()),
            pa.array([f"AAAR3sAAEAAAACX{i % 62:0>3}".replace("0", "A") for i in range(rows)], pa.string()),
            pa.nulls(rows, pa.string()),
        ],
        names=[column.name for column in COLUMNS],
    )


@pytest.fixture(scope="module")
def mixed(database: EchoDatabase) -> pa.Table:
    made = table(2_500)
    database.add("MIXED", COLUMNS, made)
    database.add("NOTHING", COLUMNS, made.slice(0, 0))
    database.add("FRAME", FRAME_COLUMNS, made.select([column.name for column in FRAME_COLUMNS]))
    database.add("NO_FRAME", FRAME_COLUMNS, made.select([column.name for column in FRAME_COLUMNS]).slice(0, 0))
    return made


def expected_rows(mixed: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(float(v) if isinstance(v, Decimal) else v for v in row.values()) for row in mixed.to_pylist()]


@pytest.mark.parametrize("arraysize", [1, 7, 100, 5000])
@pytest.mark.parametrize("fetch_lobs", [True, False])
def test_rows_in_every_fetch_size(connection: oracledb.Connection, mixed: pa.Table, arraysize: int, fetch_lobs: bool) -> None:
    some = mixed.slice(0, 400 if fetch_lobs or arraysize == 1 else mixed.num_rows)
    for _ in range(2):  # parsed, then from the statement cache
        with connection.cursor() as cursor:
            cursor.arraysize = arraysize
            cursor.execute("SELECT * FROM MIXED", fetch_lobs=fetch_lobs)
            rows = cursor.fetchmany(some.num_rows)
            found = [tuple(v.read() if isinstance(v, oracledb.LOB) else v for v in row) for row in rows]
            assert found == expected_rows(some)


def test_a_describe_is_right_without_rows(connection: oracledb.Connection, mixed: pa.Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM NOTHING")
        assert cursor.fetchall() == []
        assert [info.name for info in cursor.description] == [column.name for column in COLUMNS]
        described = {info.name: info for info in cursor.description}
    assert (described["ID"].precision, described["ID"].scale, described["ID"].null_ok) == (10, 0, False)
    assert (described["AMOUNT"].precision, described["AMOUNT"].scale) == (12, 3)
    assert (described["NAME"].type_code, described["NAME"].internal_size, described["NAME"].display_size) == (
        oracledb.DB_TYPE_VARCHAR,
        160,
        40,
    )
    assert described["CODE"].type_code is oracledb.DB_TYPE_CHAR
    assert described["AT"].scale == 6
    assert described["NOTE"].type_code is oracledb.DB_TYPE_CLOB


def test_parse_describes_without_running(connection: oracledb.Connection, mixed: pa.Table) -> None:
    with connection.cursor() as cursor:
        cursor.parse("SELECT * FROM MIXED")
        assert len(cursor.description) == len(COLUMNS)
        cursor.execute("SELECT * FROM MIXED")
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize("size", [100, 1000, 10_000])
def test_data_frames(connection: oracledb.Connection, mixed: pa.Table, size: int) -> None:
    frames = [pa.table(frame) for frame in connection.fetch_df_batches("SELECT * FROM FRAME", size=size)]
    whole = pa.concat_tables(frames)
    assert whole.num_rows == mixed.num_rows
    assert whole.column("ID").to_pylist() == mixed.column("ID").to_pylist()
    for name in ("NAME", "CODE", "NOTE", "PICTURE", "DATA", "RATIO", "NIL"):
        assert whole.column(name).to_pylist() == mixed.column(name).to_pylist(), name
    assert whole.column("AT").cast(pa.timestamp("us")).to_pylist() == mixed.column("AT").to_pylist()
    assert pa.table(connection.fetch_df_all("SELECT * FROM NO_FRAME")).num_rows == 0


def test_data_frames_with_a_requested_schema(connection: oracledb.Connection, mixed: pa.Table) -> None:
    schema = pa.schema(
        [
            ("ID", pa.int64()),
            ("AMOUNT", pa.decimal128(12, 3)),
            ("NAME", pa.string()),
            ("CODE", pa.string()),
            ("DAY", pa.timestamp("s")),
            ("AT", pa.timestamp("us")),
            ("RATIO", pa.float64()),
            ("DATA", pa.binary()),
            ("NOTE", pa.large_string()),
            ("PICTURE", pa.large_binary()),
            ("NIL", pa.string()),
        ]
    )
    frame = pa.table(connection.fetch_df_all("SELECT * FROM FRAME", requested_schema=schema))
    assert frame.schema.types == schema.types
    assert frame.column("AMOUNT").to_pylist() == mixed.column("AMOUNT").to_pylist()
    assert frame.column("NOTE").to_pylist() == mixed.column("NOTE").to_pylist()


def test_two_queries_are_fetched_in_turns(connection: oracledb.Connection, mixed: pa.Table) -> None:
    with connection.cursor() as one, connection.cursor() as two:
        one.execute("SELECT * FROM MIXED", fetch_lobs=False)
        two.execute("SELECT * FROM MIXED", fetch_lobs=False)
        for start in range(0, 1000, 100):
            assert one.fetchmany(100) == two.fetchmany(100), start

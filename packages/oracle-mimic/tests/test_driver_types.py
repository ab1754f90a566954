"""Every scalar type, both ways and exactly: the same cases through python-oracledb sync and async, as data frames, and SQLAlchemy.

Runs on the mimic, and on a real Oracle when ORACLE_TEST_DSN is set.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import oracledb
import pyarrow as pa
import pytest
import sqlalchemy as sa
from oracle_mimic.pytest_plugin import OracleTarget

D = Decimal
dt = datetime.datetime


@dataclass(frozen=True)
class Case:
    """A column type, how its values are bound (None: by the Python type), and the values."""

    ddl: str
    values: tuple[Any, ...]
    bind: Any = None

    @property
    def name(self) -> str:
        return self.ddl


CASES = [
    Case("NUMBER(10)", (0, 1, -1, 9_999_999_999, None)),
    Case("NUMBER(38)", (10**38 - 1, -(10**38) + 1, 0)),
    Case("NUMBER(12,3)", (D("0.001"), D("-999999999.999"), D("1.5"), None)),
    Case("NUMBER(5,-2)", (1200, -9_999_900, 0)),
    Case("NUMBER(3,5)", (D("0.00999"), D("-0.00001"))),
    Case("NUMBER(38,127)", (D("1E-127"), D("-5E-100"))),
    Case("NUMBER", (D("1E+125"), D("-1E-130"), D("0.1"), D(10**37 + 1), D("1.2345678901234567890123456789012345678"), None)),
    Case("FLOAT(126)", (D("0.1"), D("1E+100"), None)),
    Case("BINARY_DOUBLE", (0.1, -1.7976931348623157e308, 5e-324, math.inf, -math.inf, None), oracledb.DB_TYPE_BINARY_DOUBLE),
    Case("BINARY_FLOAT", (0.5, -3.4028234663852886e38, math.inf, None), oracledb.DB_TYPE_BINARY_FLOAT),
    Case("VARCHAR2(4000)", ("a", "ção 😀", "x" * 4000, None)),
    Case("VARCHAR2(10 CHAR)", ("ééééééééé€", None)),
    Case("CHAR(5)", ("abcde", None)),
    Case("NVARCHAR2(2000)", ("日本語 😀", None), oracledb.DB_TYPE_NVARCHAR),
    Case("NCHAR(3)", ("日本語", None), oracledb.DB_TYPE_NCHAR),
    Case("DATE", (dt(1, 1, 1), dt(9999, 12, 31, 23, 59, 59), dt(2024, 2, 29, 12, 0, 1), None)),
    Case("TIMESTAMP(0)", (dt(2024, 2, 29, 12, 0, 1), None), oracledb.DB_TYPE_TIMESTAMP),
    Case("TIMESTAMP(6)", (dt(2024, 2, 29, 12, 0, 1, 123456), dt(1, 1, 1, 0, 0, 0, 1), dt.max, None), oracledb.DB_TYPE_TIMESTAMP),
    Case("TIMESTAMP(9)", (dt(2024, 2, 29, 12, 0, 1, 123456), None), oracledb.DB_TYPE_TIMESTAMP),
    Case("TIMESTAMP(6) WITH TIME ZONE", (dt(2024, 2, 29, 12, 0, 1, 123456), None), oracledb.DB_TYPE_TIMESTAMP_TZ),
    Case("TIMESTAMP(6) WITH LOCAL TIME ZONE", (dt(2024, 2, 29, 12, 0, 1, 123456), None), oracledb.DB_TYPE_TIMESTAMP_LTZ),
    Case("INTERVAL DAY(9) TO SECOND(9)", (datetime.timedelta(days=-3, microseconds=5), datetime.timedelta(days=99999), None)),
    Case("INTERVAL YEAR(9) TO MONTH", (oracledb.IntervalYM(-4, -7), oracledb.IntervalYM(12345, 11), None)),
    Case("RAW(2000)", (b"\x00\xff", b"x" * 2000, None)),
    Case("CLOB", ("short", "ç" * 100_000, None), oracledb.DB_TYPE_CLOB),
    Case("NCLOB", ("日本語" * 10_000, None), oracledb.DB_TYPE_NCLOB),
    Case("BLOB", (b"\x00" * 200_000, b"1", None), oracledb.DB_TYPE_BLOB),
    Case("LONG", ("text" * 20_000, None)),
]  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.ddl)


@pytest.fixture(scope="module")
def connection(oracle_target: OracleTarget) -> Iterator[oracledb.Connection]:
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as opened:
        yield opened


@pytest.fixture
def table(connection: oracledb.Connection, request: pytest.FixtureRequest) -> Iterator[str]:
    """A table with a key and a column of the case's type."""
    case = request.node.callspec.params["case"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE DRIVER_TYPES (ID NUMBER(5) PRIMARY KEY, V {case.ddl})")
        yield "DRIVER_TYPES"
        connection.rollback()
        cursor.execute("DROP TABLE DRIVER_TYPES PURGE")


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_decimals", True)
    monkeypatch.setattr(oracledb.defaults, "fetch_lobs", False)


def insert(connection: oracledb.Connection, case: Case, table: str) -> None:
    with connection.cursor() as cursor:
        if case.bind is not None:
            cursor.setinputsizes(None, case.bind)
        for number, value in enumerate(case.values):
            cursor.execute(f"INSERT INTO {table} VALUES (:1, :2)", [number, value])
            if case.bind is not None:
                cursor.setinputsizes(None, case.bind)
    connection.commit()


@each_case
def test_sync(connection: oracledb.Connection, case: Case, table: str) -> None:
    insert(connection, case, table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT V FROM {table} ORDER BY ID")
        assert tuple(value for (value,) in cursor) == case.values


@each_case
def test_array_insert(connection: oracledb.Connection, case: Case, table: str) -> None:
    with connection.cursor() as cursor:
        if case.bind is not None:
            cursor.setinputsizes(None, case.bind)
        cursor.executemany(f"INSERT INTO {table} VALUES (:1, :2)", list(enumerate(case.values)))
        assert cursor.rowcount == len(case.values)
        cursor.execute(f"SELECT V FROM {table} ORDER BY ID")
        assert tuple(value for (value,) in cursor) == case.values


@each_case
async def test_async(oracle_target: OracleTarget, case: Case, table: str) -> None:
    async with oracledb.connect_async(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        with connection.cursor() as cursor:
            for number, value in enumerate(case.values):
                if case.bind is not None:
                    cursor.setinputsizes(None, case.bind)
                await cursor.execute(f"INSERT INTO {table} VALUES (:1, :2)", [number, value])
            await cursor.execute(f"SELECT V FROM {table} ORDER BY ID")
            assert tuple([value async for (value,) in cursor]) == case.values


NO_ARROW = ("INTERVAL", "NUMBER", "FLOAT", "TIMESTAMP(9)")  # no Arrow type in the driver, or one that is not exact


@each_case
def test_data_frames(connection: oracledb.Connection, case: Case, table: str) -> None:
    if case.ddl.startswith(NO_ARROW):
        pytest.skip("the driver's data frames have no exact type for it")
    insert(connection, case, table)
    frame = pa.table(connection.fetch_df_all(f"SELECT V FROM {table} ORDER BY ID"))
    assert tuple(frame.column("V").to_pylist()) == case.values


@each_case
def test_direct_path_load(connection: oracledb.Connection, case: Case, table: str, oracle_target: OracleTarget) -> None:
    if case.ddl == "LONG":
        pytest.skip("not offered for LONG")
    connection.direct_path_load(oracle_target.user, table, ["ID", "V"], list(enumerate(case.values)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT V FROM {table} ORDER BY ID")
        assert tuple(value for (value,) in cursor) == case.values


NOT_SQLALCHEMY = {
    "FLOAT(126)": "SQLAlchemy turns FLOAT into float",
    "BINARY_FLOAT": "SQLAlchemy reads BINARY_FLOAT as text and fails for infinities",
    "INTERVAL YEAR(9) TO MONTH": "SQLAlchemy does not know the type",
}


@each_case
def test_sqlalchemy(oracle_target: OracleTarget, connection: oracledb.Connection, case: Case, table: str) -> None:
    if case.ddl in NOT_SQLALCHEMY:
        pytest.skip(NOT_SQLALCHEMY[case.ddl])
    insert(connection, case, table)
    host, _, service = oracle_target.dsn.rpartition("/")
    engine = sa.create_engine(f"oracle+oracledb://{oracle_target.user}:{oracle_target.password}@{host}/?service_name={service}")
    with engine.connect() as opened:
        found = tuple(opened.execute(sa.text(f"SELECT V FROM {table} ORDER BY ID")).scalars())
        reflected = {column["name"] for column in sa.inspect(opened).get_columns(table.lower())}
    engine.dispose()
    assert found == case.values
    assert reflected == {"id", "v"}

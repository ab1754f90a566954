"""Column types as the dictionary prints them, against what Oracle's documentation says. On a real Oracle when ORACLE_TEST_DSN is set."""

from __future__ import annotations

from collections.abc import Iterator

import oracledb
import pytest
from oracle_mimic.pytest_plugin import OracleTarget

# declared: DATA_TYPE, DATA_LENGTH, DATA_PRECISION, DATA_SCALE, CHAR_LENGTH, CHAR_USED, CHARACTER_SET_NAME
PRINTED: dict[str, tuple[str, int, int | None, int | None, int, str | None, str | None]] = {
    "number": ("NUMBER", 22, None, None, 0, None, None),
    "number(12)": ("NUMBER", 22, 12, 0, 0, None, None),
    "number(15,4)": ("NUMBER", 22, 15, 4, 0, None, None),
    "number(5,-2)": ("NUMBER", 22, 5, -2, 0, None, None),
    "number(*,3)": ("NUMBER", 22, None, 3, 0, None, None),
    "integer": ("NUMBER", 22, None, 0, 0, None, None),
    "decimal(9)": ("NUMBER", 22, 9, 0, 0, None, None),
    "float": ("FLOAT", 22, 126, None, 0, None, None),
    "float(24)": ("FLOAT", 22, 24, None, 0, None, None),
    "real": ("FLOAT", 22, 63, None, 0, None, None),
    "binary_float": ("BINARY_FLOAT", 4, None, None, 0, None, None),
    "binary_double": ("BINARY_DOUBLE", 8, None, None, 0, None, None),
    "varchar2(30)": ("VARCHAR2", 30, None, None, 30, "B", "CHAR_CS"),
    "varchar2(30 char)": ("VARCHAR2", 120, None, None, 30, "C", "CHAR_CS"),
    "varchar2(4000 char)": ("VARCHAR2", 4000, None, None, 4000, "C", "CHAR_CS"),
    "char": ("CHAR", 1, None, None, 1, "B", "CHAR_CS"),
    "char(7 char)": ("CHAR", 28, None, None, 7, "C", "CHAR_CS"),
    "nvarchar2(20)": ("NVARCHAR2", 40, None, None, 20, "C", "NCHAR_CS"),
    "nchar(3)": ("NCHAR", 6, None, None, 3, "C", "NCHAR_CS"),
    "date": ("DATE", 7, None, None, 0, None, None),
    "timestamp": ("TIMESTAMP(6)", 11, None, 6, 0, None, None),
    "timestamp(0)": ("TIMESTAMP(0)", 7, None, 0, 0, None, None),
    "timestamp(9)": ("TIMESTAMP(9)", 11, None, 9, 0, None, None),
    "timestamp with time zone": ("TIMESTAMP(6) WITH TIME ZONE", 13, None, 6, 0, None, None),
    "timestamp(3) with local time zone": ("TIMESTAMP(3) WITH LOCAL TIME ZONE", 11, None, 3, 0, None, None),
    "interval day to second": ("INTERVAL DAY(2) TO SECOND(6)", 11, 2, 6, 0, None, None),
    "interval year(4) to month": ("INTERVAL YEAR(4) TO MONTH", 5, 4, 0, 0, None, None),
    "raw(16)": ("RAW", 16, None, None, 0, None, None),
    "clob": ("CLOB", 4000, None, None, 0, None, "CHAR_CS"),
    "nclob": ("NCLOB", 4000, None, None, 0, None, "NCHAR_CS"),
    "blob": ("BLOB", 4000, None, None, 0, None, None),
    "rowid": ("ROWID", 10, None, None, 0, None, None),
}


@pytest.fixture(scope="module")
def connection(oracle_target: OracleTarget) -> Iterator[oracledb.Connection]:
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connected:
        columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(PRINTED))
        with connected.cursor() as cursor:
            cursor.execute(f"create table every_type ({columns})")
            cursor.execute("create view every_type_seen as select * from every_type")
            try:
                yield connected
            finally:
                cursor.execute("drop view every_type_seen")
                cursor.execute("drop table every_type purge")


@pytest.fixture
def cursor(connection: oracledb.Connection) -> Iterator[oracledb.Cursor]:
    """A cursor, and afterwards the tables DEFAULTS and NUMBERED are gone."""
    with connection.cursor() as opened:
        yield opened
        opened.execute("select table_name from user_tables where table_name in ('DEFAULTS', 'NUMBERED')")
        for (name,) in opened.fetchall():
            opened.execute(f"drop table {name} purge")


@pytest.mark.parametrize("relation", ["EVERY_TYPE", "EVERY_TYPE_SEEN"])
@pytest.mark.parametrize("view", ["user_tab_columns", "all_tab_cols"])
@pytest.mark.parametrize(("number", "declared"), list(enumerate(PRINTED)))
def test_printed_type(cursor: oracledb.Cursor, relation: str, view: str, number: int, declared: str) -> None:
    sql = f"""select data_type, data_length, data_precision, data_scale, char_length, char_used, character_set_name
              from {view} where table_name = :1 and column_name = :2"""
    assert cursor.execute(sql, [relation, f"C{number}"]).fetchall() == [PRINTED[declared]]


def test_order_defaults_and_invisible_columns(cursor: oracledb.Cursor) -> None:
    cursor.execute(
        """create table defaults
           (a number default 7, hidden varchar2(3) invisible, b varchar2(9) default on null 'it''s', c date not null)"""
    )
    cursor.execute(
        """select column_name, column_id, data_default, default_length, nullable, default_on_null, hidden_column, virtual_column
           from user_tab_cols where table_name = 'DEFAULTS' order by internal_column_id"""
    )
    assert cursor.fetchall() == [
        ("A", 1, "7", 1, "Y", "NO", "NO", "NO"),
        ("HIDDEN", None, None, None, "Y", "NO", "YES", "NO"),
        ("B", 2, "'it''s'", 7, "N", "YES", "NO", "NO"),
        ("C", 3, None, None, "N", "NO", "NO", "NO"),
    ]


def test_data_default_is_a_long(cursor: oracledb.Cursor) -> None:
    cursor.execute("select data_default, low_value, last_analyzed, data_length from user_tab_columns where 1 = 0")
    assert [column[1] for column in cursor.description] == [
        oracledb.DB_TYPE_LONG, oracledb.DB_TYPE_RAW, oracledb.DB_TYPE_DATE, oracledb.DB_TYPE_NUMBER,
    ]  # fmt: skip


def test_identity_column(cursor: oracledb.Cursor) -> None:
    cursor.execute("create table numbered (id number generated always as identity, x number)")
    cursor.execute("select identity_column, data_default, nullable from user_tab_columns where table_name = 'NUMBERED' and column_id = 1")
    ((identity, default, nullable),) = cursor.fetchall()
    assert (identity, nullable) == ("YES", "N")
    cursor.execute("select generation_type, sequence_name, identity_options from user_tab_identity_cols where table_name = 'NUMBERED'")
    ((generation, sequence, options),) = cursor.fetchall()
    assert generation == "ALWAYS"
    assert default == f'"{cursor.connection.username.upper()}"."{sequence}".nextval'
    assert options == (
        "START WITH: 1, INCREMENT BY: 1, MAX_VALUE: 9999999999999999999999999999, MIN_VALUE: 1, CYCLE_FLAG: N, CACHE_SIZE: 20, "
        "ORDER_FLAG: N, SCALE_FLAG: N, EXTEND_FLAG: N, SESSION_FLAG: N, KEEP_VALUE: N"
    )
    cursor.execute("select has_identity from user_tables where table_name = 'NUMBERED'")
    assert cursor.fetchall() == [("YES",)]

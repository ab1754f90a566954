"""Statements that clients send to the dictionary, recorded from them, give what those clients go on to work with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest
from oracle_mimic.server import MimicServer

pytestmark = pytest.mark.mimic_only

USERS = {"WMS_MART": "Mart_1234", "SNAPSHOTS": "Snap_1234", "READER": "Reader_1234"}
STATEMENTS: dict[str, str] = json.loads((Path(__file__).parent / "data" / "dbt_dictionary_statements.json").read_text())
SCHEMA = """
create table m_table (code varchar2(20 char), rate number(9,4), free number, made timestamp(6), note clob, flag varchar2(1))
create view m_view as select code, rate from m_table
create global temporary table o$pt_m_inc_append192034767939 on commit preserve rows as select code, rate from m_table
comment on table m_table is 'a model'
comment on column m_table.code is 'its key'
grant select on m_table to reader
"""


@pytest.fixture(scope="module")
def cursor() -> Iterator[oracledb.Cursor]:
    with (
        MimicServer(users=USERS, sids=["WAREHOUSE"]) as server,
        oracledb.connect(user="WMS_MART", password=USERS["WMS_MART"], dsn=server.dsn) as connection,
        connection.cursor() as cursor,
    ):
        for statement in SCHEMA.strip().splitlines():
            cursor.execute(statement)
        yield cursor


def answer(cursor: oracledb.Cursor, name: str) -> tuple[list[str], list[tuple[object, ...]]]:
    cursor.execute(STATEMENTS[name])
    return [column[0] for column in cursor.description], cursor.fetchall()


def test_schemas(cursor: oracledb.Cursor) -> None:
    names, rows = answer(cursor, "schemas")
    assert names == ["name"]
    assert rows == sorted(rows)
    assert {("WMS_MART",), ("SNAPSHOTS",), ("SYS",)} <= set(rows)
    assert answer(cursor, "schema exists")[1] == [(1,)]


def test_relations(cursor: oracledb.Cursor) -> None:
    names, rows = answer(cursor, "relations")
    assert names == ["database_name", "name", "schema_name", "kind"]
    assert sorted(rows) == [("WAREHOUSE", "M_TABLE", "WMS_MART", "table"), ("WAREHOUSE", "M_VIEW", "WMS_MART", "view")]


def test_columns(cursor: oracledb.Cursor) -> None:
    names, rows = answer(cursor, "columns of a table")
    assert names == ["name", "type", "character_maximum_length", "numeric_precision", "numeric_scale", "char_length_unit"]
    assert rows == [
        ("CODE", "VARCHAR2", 20, None, None, "C"),
        ("RATE", "NUMBER", 0, 9, 4, None),
        ("FREE", "NUMBER", 0, None, None, None),
        ("MADE", "TIMESTAMP(6)", 0, None, 6, None),
        ("NOTE", "CLOB", 0, None, None, None),
        ("FLAG", "VARCHAR2", 1, None, None, "B"),
    ]


def test_columns_of_a_temporary_table_in_whatever_schema(cursor: oracledb.Cursor) -> None:
    assert answer(cursor, "columns of a temporary table")[1] == [
        ("CODE", "VARCHAR2", 20, None, None, "C"),
        ("RATE", "NUMBER", 0, 9, 4, None),
    ]


def test_grants(cursor: oracledb.Cursor) -> None:
    assert answer(cursor, "grants") == (["grantee", "privilege_type"], [("READER", "SELECT")])


def test_catalog(cursor: oracledb.Cursor) -> None:
    names, rows = answer(cursor, "catalog")
    assert names == [
        "table_database", "table_schema", "table_name", "table_type", "table_comment", "column_name", "column_index", "column_type",
        "column_comment", "table_owner",
    ]  # fmt: skip
    assert [row[2:9] for row in rows] == [
        ("M_TABLE", "BASE TABLE", "a model", "CODE", 1, "VARCHAR2(20 CHAR )", "its key"),
        ("M_TABLE", "BASE TABLE", "a model", "RATE", 2, "NUMBER", None),
        ("M_TABLE", "BASE TABLE", "a model", "FREE", 3, "NUMBER", None),
        ("M_TABLE", "BASE TABLE", "a model", "MADE", 4, "TIMESTAMP(6)", None),
        ("M_TABLE", "BASE TABLE", "a model", "NOTE", 5, "CLOB", None),
        ("M_TABLE", "BASE TABLE", "a model", "FLAG", 6, "VARCHAR2(1)", None),
        ("M_VIEW", "VIEW", None, "CODE", 1, "VARCHAR2(20 CHAR )", None),
        ("M_VIEW", "VIEW", None, "RATE", 2, "NUMBER", None),
    ]


def test_what_is_asked_about_the_database_itself(cursor: oracledb.Cursor) -> None:
    """Version, character sets and settings, as tools ask for them after connecting."""
    cursor.execute("select banner from v$version")
    assert cursor.fetchall() == [("Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production",)]
    cursor.execute("select version, version_full from product_component_version")
    assert cursor.fetchall() == [("19.0.0.0.0", "19.3.0.0.0")]
    cursor.execute("select value from nls_database_parameters where parameter in ('NLS_CHARACTERSET', 'NLS_NCHAR_CHARACTERSET') order by 1")
    assert cursor.fetchall() == [("AL16UTF16",), ("AL32UTF8",)]
    cursor.execute("alter session set nls_date_format = 'YYYY-MM-DD'")
    cursor.execute("select value from nls_session_parameters where parameter = 'NLS_DATE_FORMAT'")
    assert cursor.fetchall() == [("YYYY-MM-DD",)]
    cursor.execute("select value from v$nls_parameters where parameter = 'NLS_DATE_FORMAT'")
    assert cursor.fetchall() == [("YYYY-MM-DD",)]
    cursor.execute("select property_value from database_properties where property_name = 'DBTIMEZONE'")
    assert cursor.fetchall() == [("+00:00",)]

"""Dictionary views as relations like any other: in views, joins, DML, PL/SQL, open cursors, during DDL, after a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.server import MimicServer
from oracle_mimic.sql.dictionary import VIEWS
from oracle_mimic.sql.dictionary.printed_types import printed_type
from oracle_mimic.sql.parser import TokenReader, data_type
from oracle_mimic.types import Kind, OracleType

pytestmark = pytest.mark.mimic_only

USERS = {"WMS": "Wms_1234"}


def connect(server: MimicServer) -> oracledb.Connection:
    return oracledb.connect(user="WMS", password=USERS["WMS"], dsn=server.dsn)


@pytest.fixture(scope="module")
def cursor() -> Iterator[oracledb.Cursor]:
    with MimicServer(users=USERS, dba=["WMS"]) as server, connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("create table seen (name varchar2(128), bytes number)")
        yield cursor


def test_in_a_view(cursor: oracledb.Cursor) -> None:
    cursor.execute("create or replace view my_columns as select table_name t, count(*) n from user_tab_columns group by table_name")
    assert ("SEEN", 2) in cursor.execute("select t, n from my_columns where t = 'SEEN'").fetchall()


def test_joined_with_itself_and_with_tables(cursor: oracledb.Cursor) -> None:
    cursor.execute(
        """select a.column_name, b.column_name from user_tab_columns a join user_tab_columns b on a.table_name = b.table_name
           where a.table_name = 'SEEN' and a.column_id < b.column_id"""
    )
    assert cursor.fetchall() == [("NAME", "BYTES")]
    cursor.execute(
        """select t.table_name, (select count(*) from user_tab_columns c where c.table_name = t.table_name) columns
           from user_tables t, seen s where s.name(+) = t.table_name and t.table_name = 'SEEN'"""
    )
    assert cursor.fetchall() == [("SEEN", 2)]


def test_as_the_source_of_dml(cursor: oracledb.Cursor) -> None:
    cursor.execute("insert into seen select segment_name, bytes from user_segments where segment_name = 'SEEN'")
    assert cursor.rowcount == 1
    cursor.execute(
        """merge into seen s using (select table_name, column_id from user_tab_columns where column_name = 'NAME' and table_name = 'SEEN') d
           on (s.name = d.table_name) when matched then update set s.bytes = d.column_id"""
    )
    assert cursor.execute("select name, bytes from seen").fetchall() == [("SEEN", 1)]
    cursor.execute("create table kept as select table_name, num_rows from user_tables where table_name = 'SEEN'")
    assert cursor.execute("select * from kept").fetchall() == [("SEEN", None)]
    cursor.execute("drop table kept purge")


def test_in_plsql(cursor: oracledb.Cursor) -> None:
    number = cursor.var(oracledb.DB_TYPE_NUMBER)
    cursor.execute(
        """declare n number := 0; columns number;
           begin
             select count(*) into columns from user_tab_columns where table_name = 'SEEN';
             for t in (select table_name from user_tables where table_name = 'SEEN') loop n := n + 1; end loop;
             :result := columns * 10 + n;
           end;""",
        result=number,
    )
    assert number.getvalue() == 21


@pytest.mark.parametrize(
    "statement", ["delete from user_tables", "insert into v$session (sid) values (1)", "update all_users set username = 'X'"]
)
def test_cannot_be_changed(cursor: oracledb.Cursor, statement: str) -> None:
    with pytest.raises(oracledb.DatabaseError, match=r"ORA-(01031|02030|01732)"):
        cursor.execute(statement)


def test_a_cursor_keeps_its_rows_while_the_dictionary_changes(cursor: oracledb.Cursor) -> None:
    with cursor.connection.cursor() as reading:
        reading.arraysize, reading.prefetchrows = 1, 1
        reading.execute("select table_name from all_tab_columns where owner = 'SYS' order by table_name, column_id")
        first = reading.fetchone()
        cursor.execute("create table one_more (id number)")
        cursor.execute("drop table one_more purge")
        rest = reading.fetchmany(500)
        assert first == ("ALL_ARGUMENTS",)
        assert len(rest) == 500


def test_reading_storage_while_tables_come_and_go(cursor: oracledb.Cursor) -> None:
    server_dsn = cursor.connection.dsn
    failures: list[oracledb.DatabaseError] = []

    def make_and_drop() -> None:
        with oracledb.connect(user="WMS", password=USERS["WMS"], dsn=server_dsn) as other, other.cursor() as ddl:
            try:
                for _ in range(25):
                    ddl.execute("create table brief (id number)")
                    ddl.execute("create sequence brief_numbers")
                    ddl.execute("drop table brief purge")
                    ddl.execute("drop sequence brief_numbers")
            except oracledb.DatabaseError as error:
                failures.append(error)

    thread = threading.Thread(target=make_and_drop)
    thread.start()
    while thread.is_alive():
        cursor.execute("select count(*) from user_segments").fetchall()
        cursor.execute("select count(*) from user_sequences").fetchall()
        cursor.execute("select count(*) from dba_extents").fetchall()
    thread.join()
    assert not failures


def test_everything_is_the_same_after_a_restart(tmp_path: Path) -> None:
    def snapshot(server: MimicServer) -> dict[str, list[tuple[object, ...]]]:
        with connect(server) as connection, connection.cursor() as cursor:
            return {
                name: sorted(cursor.execute(f"select * from sys.{name}").fetchall(), key=repr)
                for name, view in VIEWS.items()
                if (view.lasting and view.level == "DBA") or name in ("DBA_SEQUENCES", "DBA_SEGMENTS", "DBA_EXTENTS")
            }

    path = tmp_path / "wms.duckdb"
    with MimicServer(path, users=USERS, dba=["WMS"]) as server:
        with connect(server) as connection, connection.cursor() as cursor:
            cursor.execute(
                "create table parent (id number generated always as identity primary key, name nvarchar2(9) default 'é' not null)"
            )
            cursor.execute("create table child (id interval day(4) to second(3), parent_id number references parent on delete set null)")
            cursor.execute("create index ix on parent (upper(name), id desc)")
            cursor.execute("create view names as select name from parent with read only")
            cursor.execute("create sequence numbers start with 7 increment by 3")
            cursor.execute("select numbers.nextval from dual").fetchall()
            cursor.execute("comment on column parent.name is 'ação'")
            cursor.execute("create role reader")
            cursor.execute("grant select on parent to reader")
            cursor.execute("create public synonym everybodys for parent")
            cursor.execute("insert into parent (name) values ('x')")
            connection.commit()
        before = snapshot(server)
    with MimicServer(path, users=USERS, dba=["WMS"]) as server:
        after = snapshot(server)
    assert before == after
    assert any("EVERYBODYS" in row for row in before["DBA_SYNONYMS"])


sized = st.one_of(
    st.builds(lambda p, s: OracleType(Kind.NUMBER, p, s), st.integers(1, 38), st.integers(-84, 127)),
    st.just(OracleType(Kind.NUMBER)),
    st.just(OracleType(Kind.NUMBER, None, 0)),
    st.builds(lambda p: OracleType(Kind.FLOAT, p), st.integers(1, 126)),
    st.builds(
        lambda k, s: OracleType(k, scale=s), st.sampled_from([Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ]), st.integers(0, 9)
    ),
    st.builds(lambda p, s: OracleType(Kind.INTERVAL_DS, p, s), st.integers(0, 9), st.integers(0, 9)),
    st.builds(lambda p: OracleType(Kind.INTERVAL_YM, p), st.integers(0, 9)),
    st.builds(lambda n, c: OracleType(Kind.VARCHAR2, length=n, char_semantics=c), st.integers(1, 4000), st.booleans()),
    st.builds(lambda n, c: OracleType(Kind.CHAR, length=n, char_semantics=c), st.integers(1, 2000), st.booleans()),
    st.builds(lambda n: OracleType(Kind.NVARCHAR2, length=n, char_semantics=True), st.integers(1, 2000)),
    st.builds(lambda n: OracleType(Kind.RAW, length=n), st.integers(1, 2000)),
    st.sampled_from(
        [OracleType(k) for k in (Kind.DATE, Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.ROWID, Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE)]
    ),
)


@given(sized)
def test_what_is_printed_declares_the_same_type_again(type_: OracleType) -> None:
    """A tool that builds DDL from the dictionary's columns gets the column it saw."""
    printed = printed_type(type_)
    text = printed.data_type
    if text in ("VARCHAR2", "CHAR"):
        text += f"({printed.char_length} {'CHAR' if printed.char_used == 'C' else 'BYTE'})"
    elif text == "NVARCHAR2":
        text += f"({printed.char_length})"
    elif text == "RAW":
        text += f"({printed.data_length})"
    elif text == "NUMBER" and printed.data_scale is not None:
        text += f"({'*' if printed.data_precision is None else printed.data_precision},{printed.data_scale})"
    elif text == "FLOAT":
        text += f"({printed.data_precision})"
    assert data_type(TokenReader(text)) == type_

"""DML, PL/SQL, LOB locators, cancel and session state through the unmodified driver. On a real Oracle when ORACLE_TEST_DSN is set."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import oracledb
import pyarrow as pa
import pytest
from oracle_mimic.pytest_plugin import OracleTarget
from oracle_mimic.server import MimicServer


def connect(target: OracleTarget) -> oracledb.Connection:
    return oracledb.connect(user=target.user, password=target.password, dsn=target.dsn)


@pytest.fixture
def connection(oracle_target: OracleTarget) -> Iterator[oracledb.Connection]:
    with connect(oracle_target) as opened, opened.cursor() as cursor:
        cursor.execute("CREATE TABLE DRIVER_T (ID NUMBER(10) PRIMARY KEY, NAME VARCHAR2(10) NOT NULL, QTY NUMBER(10,2), NOTE CLOB)")
        yield opened
        opened.rollback()
        opened.call_timeout = 0
        cursor.execute("DROP TABLE DRIVER_T PURGE")


@pytest.fixture
def cursor(connection: oracledb.Connection) -> Iterator[oracledb.Cursor]:
    with connection.cursor() as opened:
        yield opened


def ids(cursor: oracledb.Cursor) -> list[int]:
    cursor.execute("SELECT ID FROM DRIVER_T ORDER BY ID")
    return [row[0] for row in cursor]


def test_the_quick_start_of_the_drivers_manual(cursor: oracledb.Cursor) -> None:
    cursor.executemany("INSERT INTO DRIVER_T (ID, NAME, QTY) VALUES (:1, :2, :3)", [(1, "one", 1.5), (2, "two", None)])
    for name, quantity in cursor.execute("SELECT NAME, QTY FROM DRIVER_T WHERE ID < :max ORDER BY ID", max=10):
        assert (name, quantity) in (("one", 1.5), ("two", None))
    assert cursor.rowcount == 2


def test_row_counts(cursor: oracledb.Cursor) -> None:
    cursor.executemany("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, :2)", [(i, "n") for i in range(10)])
    assert cursor.rowcount == 10
    cursor.executemany("UPDATE DRIVER_T SET NAME = 'x' WHERE ID < :1", [(3,), (0,), (5,)], arraydmlrowcounts=True)
    assert cursor.getarraydmlrowcounts() == [3, 0, 5]
    assert cursor.rowcount == 8
    cursor.execute("DELETE FROM DRIVER_T WHERE ID >= 8")
    assert cursor.rowcount == 2


def test_batch_errors_keep_the_good_rows(cursor: oracledb.Cursor) -> None:
    rows = [(1, "a"), (1, "again"), (2, None), (3, "c"), (4, "far too long a name")]
    cursor.executemany("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, :2)", rows, batcherrors=True)
    assert [(error.offset, error.code) for error in cursor.getbatcherrors()] == [(1, 1), (2, 1400), (4, 12899)]
    assert ids(cursor) == [1, 3]


def test_an_array_that_fails_keeps_the_rows_before(cursor: oracledb.Cursor) -> None:
    with pytest.raises(oracledb.IntegrityError, match="ORA-00001"):
        cursor.executemany("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, :2)", [(1, "a"), (2, "b"), (1, "c"), (4, "d")])
    assert cursor.rowcount == 2
    assert ids(cursor) == [1, 2]


def test_a_failed_statement_undoes_only_itself(cursor: oracledb.Cursor) -> None:
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'a')")
    with pytest.raises(oracledb.IntegrityError, match="ORA-00001"):
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) SELECT LEVEL, 'x' FROM DUAL CONNECT BY LEVEL <= 3")
    assert ids(cursor) == [1]


def test_returning_into(cursor: oracledb.Cursor) -> None:
    identity, name = cursor.var(int), cursor.var(str)
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, :2) RETURNING ID, NAME INTO :3, :4", [7, "seven", identity, name])
    assert (identity.getvalue(), name.getvalue()) == ([7], ["seven"])
    cursor.executemany("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, 'many')", [(8,), (9,)])
    cursor.execute("UPDATE DRIVER_T SET QTY = ID * 2 WHERE ID > 7 RETURNING ID, NAME INTO :1, :2", [identity, name])
    assert sorted(identity.getvalue()) == [8, 9]
    assert name.getvalue() == ["many", "many"]
    cursor.execute("DELETE FROM DRIVER_T WHERE ID > 100 RETURNING ID INTO :1", [identity])
    assert identity.getvalue() == []


RETURNED: list[tuple[str, Any, Any]] = [
    ("ID", str, "7"),
    ("ID", oracledb.DB_TYPE_NVARCHAR, "7"),
    ("ID", oracledb.DB_TYPE_BINARY_DOUBLE, 7.0),
    ("NAME", int, 12),
    ("NAME", oracledb.DB_TYPE_NVARCHAR, "12"),
    ("NAME", oracledb.DB_TYPE_RAW, b"\x12"),
    ("DATE '2024-02-03'", str, "2024-02-03"),
    ("TIMESTAMP '2024-02-03 04:05:06.7'", oracledb.DB_TYPE_DATE, datetime.datetime(2024, 2, 3, 4, 5, 6)),
    ("HEXTORAW('0AFF')", str, "0AFF"),
    ("QTY / 4", str, ".375"),
]


@pytest.mark.parametrize(("expression", "bind", "expected"), RETURNED)
def test_returned_values_become_what_the_bind_is(cursor: oracledb.Cursor, expression: str, bind: Any, expected: object) -> None:
    cursor.execute("ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD'")
    value = cursor.var(bind)
    cursor.execute(f"INSERT INTO DRIVER_T (ID, NAME, QTY) VALUES (7, '12', 1.5) RETURNING {expression} INTO :1", [value])
    assert value.getvalue() == [expected]


def test_a_returned_rowid_finds_its_row(cursor: oracledb.Cursor) -> None:
    for bind in (oracledb.DB_TYPE_ROWID, str):
        rowid = cursor.var(bind)
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'x') RETURNING ROWID INTO :1", [rowid])
        assert cursor.execute("SELECT ID FROM DRIVER_T WHERE ROWID = :1", rowid.getvalue()).fetchall() == [(1,)]
        cursor.connection.rollback()


def test_a_returned_value_of_another_kind_is_refused_and_nothing_is_done(cursor: oracledb.Cursor) -> None:
    with pytest.raises(oracledb.DatabaseError, match="ORA-00932"):
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'x') RETURNING ID INTO :1", [cursor.var(oracledb.DB_TYPE_DATE)])
    with pytest.raises(oracledb.DatabaseError, match="ORA-01722"):
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'x') RETURNING NAME INTO :1", [cursor.var(int)])
    assert ids(cursor) == []


@pytest.mark.parametrize(
    ("bind", "value", "expected"),
    [
        (oracledb.DB_TYPE_LONG, "'abc'", "abc"),
        (oracledb.DB_TYPE_LONG, "NULL", None),
        (oracledb.DB_TYPE_LONG_RAW, "HEXTORAW('00FF')", b"\x00\xff"),
        (oracledb.DB_TYPE_NVARCHAR, "'ação'", "ação"),
    ],
)
def test_out_binds_of_kinds_that_columns_send_otherwise(cursor: oracledb.Cursor, bind: Any, value: str, expected: object) -> None:
    out, after = cursor.var(bind), cursor.var(int)
    cursor.execute(f"BEGIN :1 := {value}; :2 := 5; END;", [out, after])
    assert (out.getvalue(), after.getvalue()) == (expected, 5)


@pytest.mark.mimic_only
def test_a_killed_session_is_told_so_by_its_next_call(oracle_mimic: MimicServer) -> None:
    dba = oracledb.connect(user="TESTER", password=oracle_mimic.users["TESTER"], dsn=oracle_mimic.dsn)
    for call in ("ping", "commit"):
        victim = oracledb.connect(user="WMS", password=oracle_mimic.users["WMS"], dsn=oracle_mimic.dsn)
        dba.cursor().execute(f"ALTER SYSTEM KILL SESSION '{victim.session_id},{victim.serial_num}'")
        with pytest.raises(oracledb.DatabaseError, match=r"ORA-00028|DPY-4011"):
            getattr(victim, call)()
        assert not victim.is_healthy()
    dba.close()


def test_merge_from_an_arrow_table(cursor: oracledb.Cursor) -> None:
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME, QTY) VALUES (1, 'old', 1)")
    frame = pa.table({"ID": [1, 2], "NAME": ["new", "two"], "QTY": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2))})
    cursor.executemany(
        """MERGE INTO DRIVER_T T USING (SELECT :1 AS ID, :2 AS NAME, :3 AS QTY FROM DUAL) S ON (T.ID = S.ID)
        WHEN MATCHED THEN UPDATE SET T.NAME = S.NAME, T.QTY = S.QTY
        WHEN NOT MATCHED THEN INSERT (ID, NAME, QTY) VALUES (S.ID, S.NAME, S.QTY)""",
        frame,
    )
    assert cursor.execute("SELECT ID, NAME, QTY FROM DRIVER_T ORDER BY ID").fetchall() == [(1, "new", 1.25), (2, "two", None)]


def test_the_last_rowid_finds_its_row(cursor: oracledb.Cursor) -> None:
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (5, 'five')")
    rowid = cursor.lastrowid
    assert cursor.execute("SELECT ID, ROWID FROM DRIVER_T WHERE ROWID = :1", [rowid]).fetchall() == [(5, rowid)]


def test_lob_locators(connection: oracledb.Connection, cursor: oracledb.Cursor) -> None:
    text = "çã" * 60_000
    lob = connection.createlob(oracledb.DB_TYPE_CLOB, text)
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME, NOTE) VALUES (1, 'a', :1)", [lob])
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME, NOTE) VALUES (2, 'b', NULL)")
    (found,), (nothing,) = cursor.execute("SELECT NOTE FROM DRIVER_T ORDER BY ID").fetchall()
    assert nothing is None
    assert (found.size(), found.read(100, 5)) == (len(text), text[99:104])
    connection.commit()
    assert found.read() == text


@pytest.mark.parametrize("type_", [oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB])
def test_fifty_megabytes(oracle_target: OracleTarget, type_: Any) -> None:
    name = "CLOB" if type_ is oracledb.DB_TYPE_CLOB else "BLOB"
    value = "0123456789" * 5_000_000 if name == "CLOB" else bytes(range(250)) * 200_000
    with connect(oracle_target) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE DRIVER_BIG (V {name})")
        try:
            cursor.setinputsizes(type_)
            cursor.execute("INSERT INTO DRIVER_BIG VALUES (:1)", [value])
            cursor.execute("SELECT V FROM DRIVER_BIG")
            assert cursor.fetchone()[0].read() == value
            cursor.execute("SELECT V AS WHOLE FROM DRIVER_BIG", fetch_lobs=False)  # another text: the driver caches how it fetched
            assert cursor.fetchone()[0] == value
        finally:
            connection.rollback()
            cursor.execute("DROP TABLE DRIVER_BIG PURGE")


def test_out_binds_of_a_block(cursor: oracledb.Cursor) -> None:
    out = cursor.var(int)
    cursor.execute("BEGIN :out := :a + :b; END;", out=out, a=2, b=3)
    assert out.getvalue() == 5


def test_parsing_alone(cursor: oracledb.Cursor) -> None:
    cursor.parse("SELECT ID, NAME FROM DRIVER_T WHERE ID = :1 AND NAME = :2")
    assert [info.name for info in cursor.description] == ["ID", "NAME"]
    cursor.parse("INSERT INTO DRIVER_T (ID, NAME) VALUES (:1, :2)")
    with pytest.raises(oracledb.DatabaseError, match="ORA-00904"):
        cursor.parse("UPDATE DRIVER_T SET NOSUCH = :1")
    assert ids(cursor) == []


def test_a_ref_cursor(cursor: oracledb.Cursor) -> None:
    opened = cursor.var(oracledb.DB_TYPE_CURSOR)
    cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'a')")
    cursor.execute("BEGIN OPEN :1 FOR SELECT ID, NAME, NOTE FROM DRIVER_T; END;", [opened])
    assert opened.getvalue().fetchall() == [(1, "a", None)]


def test_a_describe_follows_the_table(oracle_target: OracleTarget, cursor: oracledb.Cursor) -> None:
    """The statement stays in the driver's cache while the table changes under it."""
    with connect(oracle_target) as other, other.cursor() as ddl:
        cursor.execute("SELECT * FROM DRIVER_T")
        assert cursor.fetchall() == []
        assert len(cursor.description) == 4
        ddl.execute("ALTER TABLE DRIVER_T ADD (EXTRA VARCHAR2(5))")
        ddl.execute("INSERT INTO DRIVER_T (ID, NAME, EXTRA) VALUES (1, 'a', 'more')")
        other.commit()
        cursor.execute("SELECT * FROM DRIVER_T")
        assert cursor.fetchall() == [(1, "a", None, None, "more")]


def test_call_timeout_and_cancel_while_waiting_for_a_lock(oracle_target: OracleTarget, connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor, connect(oracle_target) as holder, holder.cursor() as holding:
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'a')")
        connection.commit()
        holding.execute("UPDATE DRIVER_T SET NAME = 'held' WHERE ID = 1")
        connection.call_timeout = 300
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            cursor.execute("UPDATE DRIVER_T SET NAME = 'mine' WHERE ID = 1")
        connection.call_timeout = 0
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            cursor.execute("UPDATE DRIVER_T SET NAME = 'mine' WHERE ID = 1")
        timer.join()
        with pytest.raises(oracledb.DatabaseError, match="ORA-00054"):
            cursor.execute("SELECT ID FROM DRIVER_T WHERE ID = 1 FOR UPDATE NOWAIT")
        holder.rollback()
        cursor.execute("UPDATE DRIVER_T SET NAME = 'mine' WHERE ID = 1")
        assert cursor.rowcount == 1


def test_cancel_of_a_running_query(connection: oracledb.Connection, cursor: oracledb.Cursor) -> None:
    slow = """SELECT COUNT(*) FROM (SELECT LEVEL AS N FROM DUAL CONNECT BY LEVEL <= 30000) A
        JOIN (SELECT LEVEL AS N FROM DUAL CONNECT BY LEVEL <= 30000) B ON MOD(A.N * B.N, 7919) = 1"""
    timer = threading.Timer(0.4, connection.cancel)
    timer.start()
    with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
        cursor.execute(slow)
    timer.join()
    assert cursor.execute("SELECT 1 FROM DUAL").fetchone() == (1,)


@pytest.mark.mimic_only
def test_a_lost_connection_rolls_back(oracle_mimic: MimicServer, connection: oracledb.Connection, oracle_target: OracleTarget) -> None:
    lost = connect(oracle_target)
    with lost.cursor() as losing:
        losing.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'lost')")
    oracle_mimic.faults.arm("drop", "before_call")
    with pytest.raises(oracledb.DatabaseError, match="DPY-4011"):
        lost.ping()
    with connection.cursor() as cursor:
        connection.call_timeout = 5000  # the row's lock goes with the session
        cursor.execute("INSERT INTO DRIVER_T (ID, NAME) VALUES (1, 'kept')")
        assert cursor.execute("SELECT NAME FROM DRIVER_T").fetchall() == [("kept",)]


def test_application_info_is_seen_in_v_session(connection: oracledb.Connection, cursor: oracledb.Cursor) -> None:
    connection.module, connection.action, connection.client_identifier = "loader", "step", "someone"
    cursor.execute("SELECT MODULE, ACTION, CLIENT_IDENTIFIER FROM V$SESSION WHERE SID = SYS_CONTEXT('USERENV', 'SID') AND USERNAME = USER")
    assert cursor.fetchall() == [("loader", "step", "someone")]


def test_current_schema(connection: oracledb.Connection, cursor: oracledb.Cursor) -> None:
    connection.current_schema = "SYS"
    assert cursor.execute("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM DUAL").fetchone() == ("SYS",)
    connection.current_schema = connection.username
    assert cursor.execute("SELECT COUNT(*) FROM DRIVER_T").fetchone() == (0,)


@pytest.mark.mimic_only
def test_the_limit_on_sessions_and_locked_accounts() -> None:
    users = {"ADMIN": "Admin_1234", "WMS": "Wms_1234"}
    with (
        MimicServer(users=users, dba=["ADMIN"], session_limit=2) as server,
        oracledb.connect(user="ADMIN", password="Admin_1234", dsn=server.dsn) as admin,
        admin.cursor() as cursor,
    ):
        with (
            oracledb.connect(user="WMS", password="Wms_1234", dsn=server.dsn),
            pytest.raises(oracledb.DatabaseError, match="ORA-00018"),
        ):
            oracledb.connect(user="WMS", password="Wms_1234", dsn=server.dsn)
        cursor.execute("ALTER USER WMS ACCOUNT LOCK")
        with pytest.raises(oracledb.DatabaseError, match="ORA-28000"):
            oracledb.connect(user="WMS", password="Wms_1234", dsn=server.dsn)
        cursor.execute('ALTER USER WMS IDENTIFIED BY "New_1234" ACCOUNT UNLOCK')
        oracledb.connect(user="WMS", password="New_1234", dsn=server.dsn).close()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01017"):
            oracledb.connect(user="WMS", password="Wms_1234", dsn=server.dsn)


def test_a_flashback_query_is_described_before_it_has_values(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        for form in ("SCN :1", "TIMESTAMP :1"):
            cursor.parse(f"SELECT ID, NAME FROM DRIVER_T AS OF {form} WHERE ID > :2")
            assert [column.name for column in cursor.description] == ["ID", "NAME"]


@pytest.mark.mimic_only
def test_what_is_not_spoken_is_refused_by_name_and_leaves_the_session_usable(connection: oracledb.Connection) -> None:
    def bind(type_: Any, value: Any) -> None:
        with connection.cursor() as cursor:
            cursor.setinputsizes(type_)
            cursor.execute("INSERT INTO DRIVER_T (NAME) VALUES (:1)", [value])

    calls = [
        lambda: connection.tpc_begin(connection.xid(1, "a", "b")),
        lambda: connection.queue("Q").deqone(),
        lambda: connection.cursor(scrollable=True).execute("SELECT 1 FROM DUAL"),
        lambda: bind(oracledb.DB_TYPE_JSON, {"a": 1}),
        lambda: bind(oracledb.DB_TYPE_VECTOR, [1.0, 2.0]),
    ]
    for call in calls:
        with pytest.raises(oracledb.DatabaseError, match="ORA-03001"):
            call()
        connection.ping()

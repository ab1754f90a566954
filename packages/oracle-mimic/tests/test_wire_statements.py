"""The wire part of DML, PL/SQL, direct path load and session state, against the echo database. Mimic only."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import oracledb
import pyarrow as pa
import pytest
from echo_database import EchoDatabase
from oracle_mimic.server import MimicServer
from oracle_mimic.types import Column, Kind, OracleType

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", "Wms_1234"

COLUMNS = [
    Column("ID", OracleType(Kind.NUMBER, 10, 0), nullable=False),
    Column("AMOUNT", OracleType(Kind.NUMBER, 12, 3)),
    Column("NAME", OracleType(Kind.VARCHAR2, length=4000)),
    Column("DAY", OracleType(Kind.DATE)),
    Column("AT", OracleType(Kind.TIMESTAMP, scale=6)),
    Column("RATIO", OracleType(Kind.BINARY_DOUBLE)),
    Column("NOTE", OracleType(Kind.CLOB)),
    Column("DATA", OracleType(Kind.BLOB)),
]


@pytest.fixture(scope="module")
def database() -> EchoDatabase:
    made = EchoDatabase({USER: PASSWORD})
    made.add("TARGET", COLUMNS, pa.table({column.name: [] for column in COLUMNS}))
    return made


@pytest.fixture(scope="module")
def server(database: EchoDatabase) -> Iterator[MimicServer]:
    with MimicServer(database) as running:
        yield running


@pytest.fixture
def connection(server: MimicServer, database: EchoDatabase) -> Iterator[oracledb.Connection]:
    database.executed.clear()
    database.loaded.clear()
    with oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn) as opened:
        yield opened


def bound(database: EchoDatabase) -> list[tuple[Any, ...]]:
    """The rows of the last statement as the database saw them."""
    columns = [[None] * database.executed[-1][1].rows if c is None else c.to_pylist() for c in database.executed[-1][1].columns]
    return list(zip(*columns, strict=True))


def test_named_binds_are_sent_per_occurrence(connection: oracledb.Connection, database: EchoDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE T SET A = :a, B = :b WHERE C = :a", {"a": 1, "b": "two"})
        assert cursor.rowcount == 1
    assert bound(database) == [(1, "two", 1)]


def test_executemany_with_lists(connection: oracledb.Connection, database: EchoDatabase) -> None:
    rows = [
        (i, None if i % 3 else f"row {i}", Decimal(i) / 4, datetime.datetime(2024, 1, 1) + datetime.timedelta(days=i)) for i in range(5000)
    ]
    with connection.cursor() as cursor:
        for _ in range(2):  # the full EXECUTE, then the short form
            cursor.executemany("INSERT INTO T VALUES (:1, :2, :3, :4)", rows)
            assert cursor.rowcount == 5000
            assert bound(database) == rows


def test_executemany_over_many_packets(connection: oracledb.Connection, database: EchoDatabase) -> None:
    rows = [(i, "x" * (i % 4000)) for i in range(2000)]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO T VALUES (:1, :2)", rows)
    assert bound(database) == [(i, text or None) for i, text in rows]


def test_executemany_with_long_values_last(connection: oracledb.Connection, database: EchoDatabase) -> None:
    rows = [("l" * 40_000, i, b"r" * 33_000) for i in range(20)] + [(None, 21, None)]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO T VALUES (:1, :2, :3)", rows)
    assert bound(database) == rows


def test_executemany_with_an_arrow_table(connection: oracledb.Connection, database: EchoDatabase) -> None:
    frame = pa.table(
        {
            "ID": pa.array(range(3000), pa.int64()),
            "NAME": [None if i % 7 == 0 else f"n{i}" for i in range(3000)],
            "AMOUNT": pa.array([Decimal(i) / 8 for i in range(3000)], pa.decimal128(12, 3)),
            "RATIO": pa.array([i / 7 for i in range(3000)], pa.float64()),
        }
    )
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO T VALUES (:1, :2, :3, :4)", frame)
        assert cursor.rowcount == 3000
    found = bound(database)
    assert [row[:3] for row in found] == [tuple(row.values())[:3] for row in frame.to_pylist()]
    assert [float(row[3]) for row in found] == frame.column("RATIO").to_pylist()


def test_batch_errors_and_array_row_counts(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO T VALUES (:1, :2)", [(1, "a"), (None, "b"), (3, "c"), (None, "d" * 300)], batcherrors=True, arraydmlrowcounts=True
        )
        assert [(error.code, error.offset) for error in cursor.getbatcherrors()] == [(1400, 1), (1400, 3)]
        assert 'cannot insert NULL into ("T"."C")' in cursor.getbatcherrors()[0].message
        assert cursor.getarraydmlrowcounts() == [1, 1, 1, 1]
        assert cursor.rowcount == 2
        cursor.executemany("INSERT INTO T VALUES (:1, :2)", [(1, "a")], batcherrors=True)
        assert cursor.getbatcherrors() == []


def test_returning_into(connection: oracledb.Connection, database: EchoDatabase) -> None:
    with connection.cursor() as cursor:
        out = cursor.var(int, arraysize=3)
        cursor.setinputsizes(None, out)
        cursor.executemany("INSERT INTO T VALUES (:1) RETURNING ID INTO :2", [(5,), (6,), (7,)])
        assert [out.getvalue(i) for i in range(3)] == [[5], [6], [7]]
        single = cursor.var(str)
        for _ in range(2):
            cursor.execute("INSERT INTO T VALUES (:1) RETURNING NAME INTO :2", ["abc", single])
            assert single.getvalue() == ["abc"]


def test_out_binds_of_a_block(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        number, text = cursor.var(int), cursor.var(str)
        number.setvalue(0, 42)
        text.setvalue(0, "out")
        for _ in range(2):
            cursor.execute("BEGIN p(:n, :t); END;", n=number, t=text)
            assert (number.getvalue(), text.getvalue()) == (42, "out")
        lob = cursor.var(oracledb.DB_TYPE_CLOB)
        lob.setvalue(0, connection.createlob(oracledb.DB_TYPE_CLOB, "content"))
        cursor.execute("BEGIN q(:l); END;", l=lob)
        assert lob.getvalue().read() == "content"


def test_index_by_arrays_are_refused(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        array = cursor.arrayvar(int, [1, 2, 3])
        with pytest.raises(oracledb.DatabaseError, match=r"ORA-03001.*index-by array"):
            cursor.execute("BEGIN p(:a); END;", a=array)
        cursor.execute("SELECT ECHO(:1)", [1])  # the session goes on
        assert cursor.fetchone() == (1,)


def test_an_error_while_parsing_a_statement_with_binds_leaves_the_session_usable(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        with pytest.raises(oracledb.DatabaseError, match="ORA-00900"):
            cursor.executemany("NONSENSE :1, :2", [(i, "x" * 3000) for i in range(500)])
        cursor.execute("SELECT ECHO(:1)", ["still here"])
        assert cursor.fetchone() == ("still here",)


def test_errors_carry_code_text_and_offset(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError) as caught:
        cursor.execute("SELECT * FROM MISSING")
    (error,) = caught.value.args
    assert (error.code, error.full_code, error.offset) == (942, "ORA-00942", 14)
    assert error.message.startswith("ORA-00942: table or view does not exist")


def test_commit_rollback_autocommit_and_the_transaction_flag(connection: oracledb.Connection, database: EchoDatabase) -> None:
    session = database.sessions[-1]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO T VALUES (1)")
        assert connection.transaction_in_progress
        connection.rollback()
        assert not connection.transaction_in_progress
        connection.autocommit = True
        cursor.execute("INSERT INTO T VALUES (1)")
        cursor.execute("INSERT INTO T VALUES (1)")
        assert session.commits == 2
        assert not connection.transaction_in_progress


def test_application_info_reaches_the_session(connection: oracledb.Connection, database: EchoDatabase) -> None:
    connection.module, connection.action = "loader", "step 1"
    connection.client_identifier, connection.clientinfo, connection.dbop = "me", "info é", "op"
    connection.ping()
    session = database.sessions[-1]
    assert session.info == {"module": "loader", "action": "step 1", "client_identifier": "me", "client_info": "info é", "dbop": "op"}
    connection.action = None
    connection.ping()
    assert session.info["action"] == ""
    assert session.attributes["program"]
    assert session.attributes["driver"].startswith("python-oracledb")


def test_current_schema(connection: oracledb.Connection, database: EchoDatabase) -> None:
    connection.current_schema = "ANALYTICS"
    connection.ping()
    assert database.sessions[-1].schema == "ANALYTICS"
    connection.current_schema = "NOBODY"
    with pytest.raises(oracledb.DatabaseError, match="ORA-01435"):
        connection.ping()


def test_more_statements_than_the_cache_holds(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        for number in range(300):
            cursor.execute(f"SELECT ECHO(:b{number})", [number])
            assert cursor.fetchone() == (number,)


def test_too_many_open_cursors(database: EchoDatabase) -> None:
    with (
        MimicServer(database, wire_options={"open_cursors": 5}) as small,
        oracledb.connect(user=USER, password=PASSWORD, dsn=small.dsn) as one,
    ):
        cursors = [one.cursor() for _ in range(6)]
        for number, cursor in enumerate(cursors[:5]):
            cursor.execute(f"SELECT ECHO(:b{number})", [number])
        with pytest.raises(oracledb.DatabaseError, match="ORA-01000"):
            cursors[5].execute("SELECT ECHO(:more)", [1])


def load_rows(count: int) -> list[tuple[Any, ...]]:
    return [
        (
            i,
            None if i % 4 == 1 else Decimal(i) / 8,
            f"name {i}" * (i % 3) or None,
            datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i),
            datetime.datetime(2024, 1, 1) + datetime.timedelta(microseconds=i),
            i / 3,
            None if i % 5 == 2 else "çlob " * (i % 100 + 1),
            None if i % 5 == 3 else bytes([i % 256]) * (i % 400 + 1),
        )
        for i in range(count)
    ]


def loaded(database: EchoDatabase) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for batch in database.loaded for row in batch.to_pylist()]


@pytest.mark.parametrize("width", [6, 8], ids=["fast rows", "rows with LOBs"])
@pytest.mark.parametrize("batch_size", [1000, 2**31 - 1])
def test_direct_path_load_of_lists(connection: oracledb.Connection, database: EchoDatabase, width: int, batch_size: int) -> None:
    rows = [row[:width] for row in load_rows(2500)]
    names = [column.name for column in COLUMNS[:width]]
    connection.direct_path_load("WMS", "TARGET", names, rows, batch_size=batch_size)
    assert loaded(database) == rows


def test_direct_path_load_of_an_arrow_table(connection: oracledb.Connection, database: EchoDatabase) -> None:
    rows = [row[:6] for row in load_rows(3000)]
    names = [column.name for column in COLUMNS[:6]]
    types = [pa.int64(), pa.decimal128(12, 3), pa.string(), pa.timestamp("s"), pa.timestamp("us"), pa.float64()]
    arrays = [pa.array([row[i] for row in rows], type_) for i, type_ in enumerate(types)]
    connection.direct_path_load("WMS", "TARGET", names, pa.table(arrays, names=names))
    assert loaded(database) == rows


def test_direct_path_load_of_long_values(connection: oracledb.Connection, database: EchoDatabase) -> None:
    rows = [(1, "s" * 4000, "c" * 200_000, b"b" * 300_000), (2, None, None, b"b" * 65_517), (3, "x", "c" * 32_757, None)]
    connection.direct_path_load("WMS", "TARGET", ["ID", "NAME", "NOTE", "DATA"], rows)
    assert loaded(database) == rows


def test_direct_path_refuses_null_where_the_describe_forbids_it(connection: oracledb.Connection) -> None:
    with pytest.raises(oracledb.DatabaseError, match="DPY-"):
        connection.direct_path_load("WMS", "TARGET", ["ID"], [(None,)])
    connection.ping()


async def test_asyncio(server: MimicServer, database: EchoDatabase) -> None:
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        assert await connection.fetchone("SELECT ECHO(:1, :2)", [1, "é" * 3000]) == (1, "é" * 3000)
        rows = [(i, "x" * (i % 500)) for i in range(3000)]
        await connection.executemany("INSERT INTO T VALUES (:1, :2)", rows)
        assert bound(database) == [(i, text or None) for i, text in rows]
        lob = await connection.createlob(oracledb.DB_TYPE_CLOB, "async" * 20_000)
        (found,) = await connection.fetchone("SELECT ECHO(:1)", [lob])
        assert await found.read() == "async" * 20_000
        await connection.commit()
        assert not connection.transaction_in_progress


async def test_asyncio_fetches_over_many_packets(server: MimicServer, database: EchoDatabase) -> None:
    rows = 20_000
    columns = [Column("ID", OracleType(Kind.NUMBER)), Column("T", OracleType(Kind.VARCHAR2, length=400))]
    database.add("BIG", columns, pa.table({"ID": range(rows), "T": [f"{i:300d}" for i in range(rows)]}))
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=server.dsn) as connection:
        found = await connection.fetchall("SELECT * FROM BIG", arraysize=7000)
        assert found == [(i, f"{i:300d}") for i in range(rows)]
        frames = [pa.table(frame) async for frame in connection.fetch_df_batches("SELECT * FROM BIG", size=6000)]
        assert pa.concat_tables(frames).column("T").to_pylist() == [f"{i:300d}" for i in range(rows)]


async def test_asyncio_pool(server: MimicServer) -> None:
    pool = oracledb.create_pool_async(user=USER, password=PASSWORD, dsn=server.dsn, min=1, max=3)
    for _ in range(5):
        async with pool.acquire() as connection:
            assert await connection.fetchone("SELECT ECHO(:1)", [7]) == (7,)
    await pool.close()


def test_pool(server: MimicServer, database: EchoDatabase) -> None:
    before = len(database.sessions)
    pool = oracledb.create_pool(user=USER, password=PASSWORD, dsn=server.dsn, min=2, max=4, increment=1)
    with pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        for connection in (one, two, three):
            with connection.cursor() as cursor:
                cursor.execute("SELECT ECHO(:1)", ["p"])
                assert cursor.fetchall() == [("p",)]
    assert pool.opened == 3
    pool.close()
    assert len(database.sessions) == before + 3

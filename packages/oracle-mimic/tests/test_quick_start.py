"""What a new user does first, in the forms the driver's documentation teaches: it runs on the mimic (or a real Oracle) as it stands."""

from __future__ import annotations

import datetime

import oracledb
import pyarrow as pa
import pytest
import sqlalchemy
from oracle_mimic.pytest_plugin import OracleTarget


def test_the_first_query(oracle_target: OracleTarget) -> None:
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        with connection.cursor() as cursor:
            for (today,) in cursor.execute("select sysdate from dual"):
                assert abs(today - datetime.datetime.now()) < datetime.timedelta(days=2)
        assert connection.version.startswith("19.") or not oracle_target.is_mimic


def test_a_table_of_things_to_do(oracle_target: OracleTarget) -> None:
    """Drop if there, create with an identity column and a default, insert many, commit, read by columns' names."""
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        cursor = connection.cursor()
        for _ in range(2):  # the second time the table is there
            cursor.execute("""
                begin
                    execute immediate 'drop table quick_todo';
                exception
                    when others then
                        if sqlcode <> -942 then
                            raise;
                        end if;
                end;""")
            cursor.execute("""
                create table quick_todo (
                    id number generated always as identity,
                    what varchar2(4000),
                    since timestamp with time zone default current_timestamp,
                    done number(1,0),
                    primary key (id))""")
        todo = [("Receive", 0), ("Put away", 0), ("Count", 1), ("Ship", 0), ("Invoice", 1)]
        cursor.executemany("insert into quick_todo (what, done) values (:1, :2)", todo)
        assert cursor.rowcount == 5
        connection.commit()
        cursor.execute("select id, what, done, since from quick_todo order by id")
        names = [column.name.lower() for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        assert [(row["what"], row["done"]) for row in rows] == todo
        assert [row["id"] for row in rows] == [1, 2, 3, 4, 5]
        assert {type(row["since"]) for row in rows} == {datetime.datetime}
        cursor.execute(
            "update quick_todo set done = 1 where what = :what returning id into :id", what="Ship", id=(found := cursor.var(int))
        )
        assert found.getvalue() == [4]
        connection.rollback()
        cursor.execute("select count(*) from quick_todo where done = :done", {"done": 1})
        assert cursor.fetchone() == (2,)
        cursor.execute("drop table quick_todo")


def test_a_pool_and_a_data_frame(oracle_target: OracleTarget) -> None:
    pool = oracledb.create_pool(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn, min=1, max=2)
    with pool.acquire() as connection:
        frame = connection.fetch_df_all("select level as n, 'row ' || level as label from dual connect by level <= 3")
        assert frame.column_names() == ["N", "LABEL"]
        assert pa.table(frame).to_pydict() == {"N": [1, 2, 3], "LABEL": ["row 1", "row 2", "row 3"]}
    pool.close()


async def test_asyncio(oracle_target: OracleTarget) -> None:
    async with oracledb.connect_async(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        with connection.cursor() as cursor:
            await cursor.execute("select user from dual")
            assert await cursor.fetchone() == (oracle_target.user.upper(),)


def test_sqlalchemy(oracle_target: OracleTarget) -> None:
    host, service = oracle_target.dsn.split("/", 1)
    engine = sqlalchemy.create_engine(f"oracle+oracledb://{oracle_target.user}:{oracle_target.password}@{host}?service_name={service}")
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select :a + 1 as total from dual"), {"a": 41}).scalar_one() == 42
    engine.dispose()


def test_what_is_wrong_is_said_with_its_code_and_place(oracle_target: OracleTarget) -> None:
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError) as caught:
            cursor.execute("select nothing from dual")
        (error,) = caught.value.args
        assert (error.full_code, error.offset, error.isrecoverable) == ("ORA-00904", 7, False)
        assert '"NOTHING": invalid identifier' in error.message

"""Extents and ROWIDs: ranges of ROWIDs planned from the dictionary cover every row exactly once."""

from __future__ import annotations

from collections.abc import Iterator

import oracledb
import pytest
from oracle_mimic.server import MimicServer

pytestmark = pytest.mark.mimic_only

USERS = {"WMS": "Wms_1234", "BOSS": "Boss_1234"}
ROWS_PER_EXTENT = 64 * 128


@pytest.fixture(scope="module")
def cursor() -> Iterator[oracledb.Cursor]:
    with (
        MimicServer(users=USERS, dba=["BOSS"]) as server,
        oracledb.connect(user="BOSS", password=USERS["BOSS"], dsn=server.dsn) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("create table wms.numbers (n number(9))")
        cursor.execute("create table wms.empty_one (n number(9))")
        cursor.execute("create global temporary table wms.scratch (n number(9))")
        cursor.executemany("insert into wms.numbers values (:1)", [(n,) for n in range(3 * ROWS_PER_EXTENT + 10)])
        connection.commit()
        cursor.execute("delete from wms.numbers where mod(n, 7) = 0")
        connection.commit()
        yield cursor


def extents(cursor: oracledb.Cursor, table: str) -> list[tuple[int, int, int, int]]:
    cursor.execute(
        "select extent_id, relative_fno, block_id, blocks from dba_extents where owner = 'WMS' and segment_name = :1 order by 1", [table]
    )
    return list(cursor.fetchall())


def test_extents_are_as_many_as_the_rows_need(cursor: oracledb.Cursor) -> None:
    assert len(extents(cursor, "NUMBERS")) == 4
    assert extents(cursor, "EMPTY_ONE") == [(0, 4, 0, 128)]
    assert extents(cursor, "SCRATCH") == []


def test_rowid_ranges_of_the_extents_cover_every_row_once(cursor: oracledb.Cursor) -> None:
    cursor.execute("select data_object_id from dba_objects where owner = 'WMS' and object_name = 'NUMBERS' and object_type = 'TABLE'")
    ((data_object_id,),) = cursor.fetchall()
    seen: list[int] = []
    for _, file_number, first_block, blocks in extents(cursor, "NUMBERS"):
        cursor.execute(
            """select n from wms.numbers where rowid between dbms_rowid.rowid_create(1, :object_id, :fno, :low, 0)
                                                 and dbms_rowid.rowid_create(1, :object_id, :fno, :high, 32767)""",
            {"object_id": data_object_id, "fno": file_number, "low": first_block, "high": first_block + blocks - 1},
        )
        seen += [n for (n,) in cursor.fetchall()]
    assert len(seen) == len(set(seen))
    assert set(seen) == {n for n in range(3 * ROWS_PER_EXTENT + 10) if n % 7}


def test_segments_add_up_to_their_extents(cursor: oracledb.Cursor) -> None:
    cursor.execute(
        """select s.segment_name, s.extents, s.bytes, s.blocks, e.extents, e.bytes, e.blocks
           from dba_segments s join (select owner, segment_name, count(*) extents, sum(bytes) bytes, sum(blocks) blocks
                                     from dba_extents group by owner, segment_name) e
             on e.owner = s.owner and e.segment_name = s.segment_name
           where s.owner = 'WMS' order by 1"""
    )
    found = cursor.fetchall()
    assert [row[0] for row in found] == ["EMPTY_ONE", "NUMBERS"]
    assert all(row[1:4] == row[4:7] for row in found)
    assert found[1][2] == 4 * 1024 * 1024


def test_truncate_makes_a_new_segment(cursor: oracledb.Cursor) -> None:
    ids = "select object_id, data_object_id from dba_objects where owner = 'WMS' and object_name = 'EMPTY_ONE'"
    cursor.execute("insert into wms.empty_one values (1)")
    cursor.connection.commit()
    ((object_id, before),) = cursor.execute(ids).fetchall()
    cursor.execute("truncate table wms.empty_one")
    ((same, after),) = cursor.execute(ids).fetchall()
    assert same == object_id
    assert after != before


def test_space(cursor: oracledb.Cursor) -> None:
    cursor.execute("select tablespace_name, contents from dba_tablespaces order by 1")
    assert cursor.fetchall() == [("SYSTEM", "PERMANENT"), ("TEMP", "TEMPORARY"), ("UNDOTBS1", "UNDO"), ("USERS", "PERMANENT")]
    cursor.execute("select sum(bytes) from dba_free_space where tablespace_name = 'USERS'")
    assert cursor.fetchall()[0][0] > 0
    cursor.execute("create user limited identified by Limited_1234 quota 2m on users")
    cursor.execute("select tablespace_name, max_bytes, bytes from dba_ts_quotas where username = 'LIMITED'")
    assert cursor.fetchall() == [("USERS", 2 * 1024 * 1024, 0)]


def test_user_views_name_own_segments_only(cursor: oracledb.Cursor) -> None:
    cursor.execute("select count(*) from user_segments")
    assert cursor.fetchall() == [(0,)]
    cursor.execute("select count(*) from user_extents")
    assert cursor.fetchall() == [(0,)]

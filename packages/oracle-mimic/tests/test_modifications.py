"""ALL_TAB_MODIFICATIONS: what was changed since statistics were gathered."""

from collections.abc import Iterator
from typing import Any

import pytest
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client, ora

COUNTS = "select inserts, updates, deletes, truncated from user_tab_modifications where table_name = 'STOCK'"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    opened = open_database(users={"WMS": "x", "OTHER": "x"}, dba=["WMS"])
    yield opened
    opened.close()


@pytest.fixture
def wms(database: Database) -> Iterator[Client]:
    session = client(database)
    session.run("create table stock (id number primary key, quantity number)")
    yield session
    session.run("drop table stock purge")


def counted(session: Client) -> list[tuple[Any, ...]]:
    return [(int(i), int(u), int(d), t) for i, u, d, t in session.query(COUNTS)]


def test_every_kind_of_statement_is_counted_until_statistics_are_gathered(wms: Client) -> None:
    assert counted(wms) == []
    wms.run("insert into stock select rownum, 0 from xmltable('1 to 10')")
    wms.run("insert into stock values (11, 0)")
    wms.run_many("insert into stock values (:1, :2)", [(12, 0), (13, 0)])
    wms.run("update stock set quantity = 1 where id <= 4")
    wms.run("delete from stock where id = 13")
    assert counted(wms) == [(13, 4, 1, "NO")]
    wms.run(
        "merge into stock t using (select 1 id from dual union all select 2 from dual union all select 99 from dual) s on (t.id = s.id) "
        "when matched then update set quantity = 5 delete where t.id = 2 when not matched then insert values (s.id, 1)"
    )
    wms.run("update stock set quantity = 1 where id = -1")
    assert counted(wms) == [(14, 5, 2, "NO")]
    wms.commit()
    wms.run("truncate table stock")
    assert counted(wms) == [(14, 5, 14, "YES")]
    wms.run("begin dbms_stats.flush_database_monitoring_info; dbms_stats.gather_table_stats(user, 'STOCK'); end;")
    assert counted(wms) == []
    wms.run("insert into stock values (1, 1)")
    assert counted(wms) == [(1, 0, 0, "NO")]


def test_others_see_it_only_with_a_right_on_the_table(wms: Client, database: Database) -> None:
    wms.run("insert into stock values (1, 1)")
    other = client(database, "OTHER")
    of_wms = "select count(*) from all_tab_modifications where table_owner = 'WMS' and table_name = 'STOCK'"
    assert other.value(of_wms) == 0
    wms.run("grant select on stock to other")
    assert other.value(of_wms) == 1
    with ora(20000):
        other.run("begin dbms_stats.flush_database_monitoring_info; end;")
    with ora(20000):
        other.run("begin dbms_stats.gather_table_stats('WMS', 'STOCK'); end;")

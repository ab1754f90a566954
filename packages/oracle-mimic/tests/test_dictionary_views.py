"""Every view of the dictionary: it can be queried, its columns are those that were declared, its rows obey them; who may see what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest
from oracle_mimic.server import MimicServer
from oracle_mimic.sql.dictionary import VIEWS
from oracle_mimic.sql.dictionary.definition import Scope
from oracle_mimic.sql.privileges import Privileges

pytestmark = pytest.mark.mimic_only

USERS = {"WMS": "Wms_1234", "OTHER": "Other_1234", "BOSS": "Boss_1234"}
SCHEMA = """
create table item (id number primary key, name varchar2(10 char) not null, price number(9,2) default 1.5 check (price > 0))
create table empty_one (id number references item, made date, constraint u_made unique (made))
create index ix_name on item (upper(name))
create view item_names as select name from item
create sequence numbers
create synonym goods for item
create global temporary table scratch (id number)
comment on column item.name is 'the name'
grant select on item to other
grant insert on item to other with grant option
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MimicServer]:
    with MimicServer(users=USERS, dba=["BOSS"]) as running:
        with connect(running, "WMS") as connection, connection.cursor() as cursor:
            for statement in SCHEMA.strip().splitlines():
                cursor.execute(statement)
            cursor.execute("insert into item (id, name) values (1, 'one')")
            connection.commit()
        yield running


def connect(server: MimicServer, user: str) -> oracledb.Connection:
    return oracledb.connect(user=user, password=USERS[user], dsn=server.dsn)


def rows(server: MimicServer, user: str, sql: str, **binds: object) -> list[tuple[object, ...]]:
    with connect(server, user) as connection, connection.cursor() as cursor:
        return list(cursor.execute(sql, binds).fetchall())


def code_of(server: MimicServer, user: str, sql: str) -> str:
    with pytest.raises(oracledb.DatabaseError) as caught:
        rows(server, user, sql)
    return str(caught.value.args[0].full_code)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_can_be_queried(server: MimicServer, name: str) -> None:
    view = VIEWS[name]
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        cursor.execute(f"select * from sys.{name}")
        assert [column[0] for column in cursor.description] == [defined.column.name for defined in view.columns]
        for row in cursor.fetchall():
            required = [(d.column.name, value) for d, value in zip(view.columns, row, strict=True) if not d.column.nullable]
            assert all(value is not None for _, value in required), required


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_rows_name_no_column_that_no_view_has(server: MimicServer, name: str) -> None:
    """A misspelt column would silently be NULL: every name that a view's rows give is a column of it or of its siblings."""
    view = VIEWS[name]
    siblings = [other for other in VIEWS.values() if other.rows is view.rows]
    known = {defined.column.name for other in siblings for defined in other.columns}
    with connect(server, "BOSS"):
        session = next(iter(server.database.sessions.values()))
        catalog = session.database.catalog
        given = {name for row in view.rows(Scope(session, catalog, Privileges(catalog, session.user), view.level)) for name in row}
    assert given <= known


@pytest.mark.parametrize("name", ["DBA_TABLES", "DBA_USERS", "DBA_EXTENTS", "SYS.DBA_SEGMENTS", "V$SESSION", "GV$LOCK", "SYS.V_$PARAMETER"])
def test_administrators_views_do_not_exist_for_others(server: MimicServer, name: str) -> None:
    assert code_of(server, "WMS", f"select * from {name}") == "ORA-00942"
    assert rows(server, "BOSS", f"select count(*) from {name}") is not None


@pytest.mark.parametrize("name", ["V_$SESSION", "GV_$SESSION", "SYS.V$SESSION", "WMS.ALL_TABLES"])
def test_names_that_stand_for_nothing(server: MimicServer, name: str) -> None:
    """V_$ names are SYS's and have no public synonym; V$ names are public synonyms and not SYS's; a schema has no view of SYS."""
    assert code_of(server, "BOSS", f"select * from {name}") == "ORA-00942"


def test_current_schema_sys_makes_its_names_short(server: MimicServer) -> None:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        cursor.execute("alter session set current_schema = sys")
        assert cursor.execute("select count(*) from v_$instance").fetchall() == [(1,)]
        assert cursor.execute("select count(*) from v$instance").fetchall() == [(1,)]
        assert cursor.execute("select username from user_users").fetchall() == [("BOSS",)]


def test_grants_open_fixed_views(server: MimicServer) -> None:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        cursor.execute("create user watcher identified by Watcher_1234")
        cursor.execute("grant create session to watcher")
        cursor.execute("grant select on sys.v_$transaction to watcher")
        with oracledb.connect(user="watcher", password="Watcher_1234", dsn=server.dsn) as watching, watching.cursor() as other:
            other.execute("select count(*) from v$transaction")
            assert other.fetchall() == [(0,)]
            with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
                other.execute("select count(*) from v$session")
            with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
                other.execute("select count(*) from gv$transaction")
            cursor.execute("grant select_catalog_role to watcher")
            other.execute("select count(*) from v$session where username = 'WATCHER'")
            assert other.fetchall() == [(1,)]
            cursor.execute("revoke select_catalog_role from watcher")
            cursor.execute("grant select any dictionary to watcher")
            other.execute("select inst_id from gv$session where username = 'WATCHER'")
            assert other.fetchall() == [(1,)]
            cursor.execute("revoke select any dictionary from watcher")
            cursor.execute("revoke select on sys.v_$transaction from watcher")
            with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
                other.execute("select count(*) from v$transaction")
        with pytest.raises(oracledb.DatabaseError, match="ORA-02030"):
            cursor.execute("grant select on v$transaction to watcher")
        cursor.execute("drop user watcher")


def test_synonym_of_a_granted_dictionary_view(server: MimicServer) -> None:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        cursor.execute("create synonym my_extents for sys.dba_extents")
        cursor.execute("select count(*) from my_extents")
        assert cursor.fetchall()[0][0] >= 2
        cursor.execute("drop synonym my_extents")


def test_all_and_user_views_show_what_may_be_seen(server: MimicServer) -> None:
    own = "select table_name from user_tables order by 1"
    every = "select owner, table_name from all_tables where owner in ('WMS', 'OTHER') order by 2"
    assert rows(server, "WMS", own) == [("EMPTY_ONE",), ("ITEM",), ("SCRATCH",)]
    assert rows(server, "OTHER", own) == []
    assert rows(server, "OTHER", every) == [("WMS", "ITEM")]
    assert len(rows(server, "BOSS", every)) == 3
    assert rows(server, "OTHER", "select column_name from all_tab_columns where owner = 'WMS' order by column_id") == [
        ("ID",), ("NAME",), ("PRICE",),
    ]  # fmt: skip
    assert rows(server, "OTHER", "select index_name from all_indexes where owner = 'WMS' and index_name = 'IX_NAME'") == [("IX_NAME",)]
    assert rows(server, "OTHER", "select object_name from all_objects where owner = 'WMS' and object_type <> 'INDEX' order by 1") == [
        ("GOODS",), ("ITEM",),
    ]  # fmt: skip


def test_user_views_follow_the_login_not_the_current_schema(server: MimicServer) -> None:
    with connect(server, "OTHER") as connection, connection.cursor() as cursor:
        cursor.execute("alter session set current_schema = wms")
        assert cursor.execute("select count(*) from user_tables").fetchall() == [(0,)]


def test_ddl_shows_at_once_to_everybody(server: MimicServer) -> None:
    with connect(server, "WMS") as writing, connect(server, "BOSS") as reading:
        writer, reader = writing.cursor(), reading.cursor()
        count = "select count(*) from dba_tables where table_name = 'SHORT_LIVED'"
        assert reader.execute(count).fetchall() == [(0,)]
        writer.execute("create table short_lived (id number)")
        assert reader.execute(count).fetchall() == [(1,)]
        writer.execute("drop table short_lived purge")
        assert reader.execute(count).fetchall() == [(0,)]


def test_table_attributes(server: MimicServer) -> None:
    sql = """select temporary, duration, tablespace_name, partitioned, num_rows, last_analyzed, degree, logging
             from user_tables where table_name = :name"""
    assert rows(server, "WMS", sql, name="ITEM") == [("N", None, "USERS", "NO", None, None, "         1", "YES")]
    assert rows(server, "WMS", sql, name="SCRATCH") == [("Y", "SYS$TRANSACTION", None, "NO", None, None, "         1", "NO")]


def test_not_null_checks_and_generated_names(server: MimicServer) -> None:
    found = rows(
        server,
        "WMS",
        "select constraint_name, constraint_type, search_condition, generated from user_constraints where table_name = 'ITEM'",
    )
    conditions = {condition: (kind, generated) for _, kind, condition, generated in found}
    assert conditions['"NAME" IS NOT NULL'] == ("C", "GENERATED NAME")
    assert conditions["price > 0"] == ("C", "GENERATED NAME")
    assert all(str(name).startswith("SYS_C") for name, *_ in found)
    referring = rows(
        server, "WMS", "select r_owner, r_constraint_name, delete_rule, status from user_constraints where constraint_type = 'R'"
    )
    primary = rows(server, "WMS", "select constraint_name from user_constraints where constraint_type = 'P' and table_name = 'ITEM'")
    assert referring == [("WMS", primary[0][0], "NO ACTION", "ENABLED")]
    assert rows(server, "WMS", "select column_name, position from user_cons_columns where constraint_name = 'U_MADE'") == [("MADE", 1)]


def test_grants_are_listed(server: MimicServer) -> None:
    sql = "select grantee, privilege, grantable, type from {} where table_name = 'ITEM' order by 2"
    expected = [("OTHER", "INSERT", "YES", "TABLE"), ("OTHER", "SELECT", "NO", "TABLE")]
    for user, view in (("WMS", "user_tab_privs"), ("OTHER", "all_tab_privs"), ("BOSS", "dba_tab_privs"), ("WMS", "user_tab_privs_made")):
        assert rows(server, user, sql.format(view)) == expected
    assert rows(server, "OTHER", "select owner, privilege from user_tab_privs_recd order by 2") == [("WMS", "INSERT"), ("WMS", "SELECT")]
    assert ("CREATE TABLE",) in rows(server, "WMS", "select privilege from session_privs")
    assert ("DBA",) in rows(server, "BOSS", "select role from session_roles")
    assert rows(server, "WMS", "select role from session_roles") == []
    assert rows(server, "BOSS", "select granted_role from user_role_privs") == [("DBA",)]


def test_short_public_names(server: MimicServer) -> None:
    assert rows(server, "WMS", "select count(*) from tabs") == rows(server, "WMS", "select count(*) from user_tables")
    assert ("ITEM", "TABLE", None) in rows(server, "WMS", "select * from tab")
    assert ("USER_TABLES",) in rows(server, "WMS", "select table_name from dict")
    assert ("V$SESSION",) not in rows(server, "WMS", "select table_name from dict")


def test_the_dictionary_lists_itself_for_those_who_may_query_it(server: MimicServer) -> None:
    count = "select count(*) from all_objects where owner = 'SYS' and object_name = 'DBA_TABLES'"
    assert rows(server, "BOSS", count) == [(1,)]
    assert rows(server, "WMS", count) == [(0,)]
    named = "select table_owner, table_name from all_synonyms where owner = 'PUBLIC' and synonym_name = 'V$VERSION'"
    assert rows(server, "WMS", named) == [("SYS", "V_$VERSION")]
    described = "select data_type from all_tab_columns where owner = 'SYS' and table_name = 'ALL_VIEWS' and column_name = 'TEXT'"
    assert rows(server, "WMS", described) == [("LONG",)]


def test_sequences(server: MimicServer) -> None:
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        sql = """select min_value, max_value, increment_by, cycle_flag, cache_size, last_number
                 from user_sequences where sequence_name = 'NUMBERS'"""
        assert cursor.execute(sql).fetchall() == [(1, 9999999999999999999999999999, 1, "N", 20, 1)]
        cursor.execute("select numbers.nextval from dual").fetchall()
        assert cursor.execute(sql).fetchall()[0][-1] == 2


def test_objects_have_ids_and_times(server: MimicServer) -> None:
    found = rows(
        server,
        "WMS",
        """select object_type, object_id, data_object_id, status, created <= last_ddl_time, to_char(last_ddl_time, 'YYYY-MM-DD:HH24:MI:SS'),
                  timestamp from user_objects where object_name in ('ITEM', 'ITEM_NAMES')""".replace(
            "created <= last_ddl_time", "case when created <= last_ddl_time then 1 else 0 end"
        ),
    )
    kinds = {kind: rest for kind, *rest in found}
    assert set(kinds) == {"TABLE", "VIEW"}
    assert kinds["TABLE"][1] is not None
    assert kinds["VIEW"][1] is None
    assert all(status == "VALID" and ordered == 1 and printed == stamp for _, _, _, status, ordered, printed, stamp in found)


def test_accounts(server: MimicServer) -> None:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        status = "select account_status, lock_date, default_tablespace, authentication_type from dba_users where username = 'SLEEPER'"
        cursor.execute("create user sleeper identified by Sleeper_1234")
        assert cursor.execute(status).fetchall() == [("OPEN", None, "USERS", "PASSWORD")]
        cursor.execute("alter user sleeper account lock")
        ((locked, since, *_),) = cursor.execute(status).fetchall()
        assert locked == "LOCKED"
        assert since is not None
        assert cursor.execute("select account_status from dba_users where username = 'SYS'").fetchall() == [("OPEN",)]
        cursor.execute("drop user sleeper")
        assert cursor.execute(status).fetchall() == []
    assert rows(server, "WMS", "select username, account_status from user_users") == [("WMS", "OPEN")]


def test_statistics_are_there_after_they_were_gathered(server: MimicServer) -> None:
    with connect(server, "WMS") as connection, connection.cursor() as cursor:
        facts = "select num_rows, blocks, sample_size, global_stats from user_tables where table_name = 'COUNTED'"
        cursor.execute("create table counted as select level n from dual connect by level <= 130")
        cursor.execute("analyze table counted compute statistics")
        assert cursor.execute(facts).fetchall() == [(130, 3, 130, "YES")]
        cursor.execute("select last_analyzed from user_tables where table_name = 'COUNTED'")
        assert cursor.fetchall()[0][0] is not None
        cursor.execute("drop table counted purge")


def test_text_longer_than_its_column_is_cut(server: MimicServer) -> None:
    with connect(server, "BOSS") as connection, connection.cursor() as cursor:
        connection.module = "é" * 40
        cursor.execute("select module, lengthb(module) from v$session where sid = sys_context('userenv', 'sid')")
        assert cursor.fetchall() == [("é" * 32, 64)]


def test_the_documentation_lists_every_view() -> None:
    text = (Path(__file__).parents[3] / "docs" / "oracle-mimic.md").read_text()
    families, single, fixed = (
        re.findall(r"`([A-Z$_]+)`", part.split(":", 1)[1])
        for part in text.split("<!-- views: begin -->")[1].split("<!-- views: end -->")[0].split("\n- ")[1:]
    )
    listed = {f"{level}_{name}" for name in families for level in ("ALL", "USER", "DBA")} | set(single)
    listed |= {prefix + name.removeprefix("V$") for name in fixed for prefix in ("V_$", "GV_$")}
    assert listed == set(VIEWS)

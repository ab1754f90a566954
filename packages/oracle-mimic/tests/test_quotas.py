"""Quotas on tablespaces: ORA-01950 without any, ORA-01536 beyond."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oracle_mimic.sql.database import Database, open_database
from oracle_mimic.sql.rowids import EXTENT_SIZE_BYTES, ROWS_PER_EXTENT
from sql_room import Client, client, ora

ROWS = f"select rownum, 'x' from xmltable('1 to {ROWS_PER_EXTENT}')"


@pytest.fixture
def database() -> Iterator[Database]:
    opened = open_database(users={"BOSS": "x"}, dba=["BOSS"])
    yield opened
    opened.close()


@pytest.fixture
def boss(database: Database) -> Client:
    found = client(database, "BOSS")
    found.run("create user tenant identified by x")
    found.run("grant create session, create table to tenant")
    return found


@pytest.fixture
def tenant(database: Database, boss: Client) -> Client:
    return client(database, "TENANT")


def test_without_a_quota_a_table_may_be_made_but_not_filled(boss: Client, tenant: Client) -> None:
    tenant.run("create table t (id number, name varchar2(10))")
    with ora(1950) as raised:
        tenant.run("insert into t values (1, 'x')")
    assert raised.value.text == "no privileges on tablespace 'USERS'"
    assert not tenant.session.in_transaction
    with ora(1950):
        tenant.run("create table c as select 1 x from dual")
    tenant.run("create table empty_one as select 1 x from dual where 1 = 0")
    with ora(1950):  # whose tables they are counts, not who writes
        boss.run("insert into tenant.t values (1, 'x')")
    tenant.run("create global temporary table g (x number) on commit preserve rows")
    tenant.run("insert into g values (1)")
    boss.run("grant unlimited tablespace to tenant")
    tenant.run("insert into t values (1, 'x')")
    assert tenant.value("select count(*) from t") == 1


def test_a_quota_is_counted_over_all_tables(boss: Client, tenant: Client) -> None:
    boss.run(f"alter user tenant quota {2 * EXTENT_SIZE_BYTES // 1024}K on users")
    tenant.run("create table t (id number, name varchar2(10))")
    tenant.run("create table u (id number, name varchar2(10))")
    tenant.run(f"insert into t {ROWS}")
    tenant.run("insert into u values (1, 'x')")
    with ora(1536) as raised:
        tenant.run("insert into t values (0, 'x')")
    assert raised.value.text == "space quota exceeded for tablespace 'USERS'"
    assert tenant.query("select bytes, max_bytes from user_ts_quotas") == [(2 * EXTENT_SIZE_BYTES, 2 * EXTENT_SIZE_BYTES)]
    tenant.run("update t set name = 'y' where id = 5")
    tenant.run("insert into u values (2, 'x')")
    assert [tenant.value("select count(*) from t"), tenant.value("select count(*) from u")] == [ROWS_PER_EXTENT, 2]
    with ora(1536):
        tenant.run("merge into t using (select -1 id from dual) s on (t.id = s.id) when not matched then insert values (s.id, 'm')")
    tenant.commit()
    tenant.run("truncate table t")
    tenant.run("insert into t values (0, 'x')")
    boss.run("alter user tenant quota unlimited on users")
    tenant.run(f"insert into t {ROWS}")
    boss.run("alter user tenant quota 0 on users")
    with ora(1536):
        tenant.run(f"insert into u {ROWS}")

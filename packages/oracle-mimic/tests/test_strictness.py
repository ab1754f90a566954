"""What Oracle 19c refuses, each with its code, the name as Oracle prints it where there is one, and the position where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client, ora

SETUP = (
    "create table t (id number(4) primary key, name varchar2(5), d date, n number(5,2), c varchar2(3 char))",
    "create table u (id number, tid number)",
    "insert into t values (1, 'a', date '2024-01-01', 1.5, 'x')",
    "insert into t values (2, 'b', null, null, null)",
    "insert into u values (10, 1)",
    "insert into u values (11, 1)",
    "commit",
    "create view folded as select distinct name from t",
    "create view plain as select name from t where id > 0",
)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    opened = open_database(users={"WMS": "x", "GUEST": "x"}, dba=["WMS"])
    setup = client(opened)
    for sql in SETUP:
        setup.run(sql)
    yield opened
    opened.close()


@pytest.fixture
def wms(database: Database) -> Iterator[Client]:
    session = client(database)
    yield session
    session.session.close()


LONG = "x" * 129
QUERIES = [
    # what other databases take
    ("select id from t limit 1", 933, 23),
    ("select 1", 923, 8),
    ("select id from t where exists (select 1)", 923, 39),
    ("select id from t except select tid from u", 933, 24),
    ("select id from t where name ilike 'a'", 920, 28),
    ("select id::varchar2 from t", 911, 9),
    ("select ~1 from dual", 911, 7),
    ("select t.id from t as t", 933, 19),
    ("select id from t where id == 1", 936, 27),
    ("select sysdate() from dual", 923, 14),
    ("select now() from dual", 904, 7),
    ("select if(1, 2, 3) from dual", 904, 7),
    ("select 1 from dual d1 cross join dual d2 on 1 = 1", 933, 41),
    ("select id from t;", 933, 16),
    # boolean values
    ("select true from dual", 904, 7),
    ("select 1 = 1 from dual", 923, 9),
    ("select id > 1 from t", 923, 10),
    ("select 1 from t where 1", 920, 23),
    ("select case when id then 1 end from t", 920, 20),
    # where an alias is known, and where not
    ("select id as x from t where x = 1", 904, 28),
    ("select id x, count(*) from t group by x", 904, 38),
    ("select id from t group by id having x > 1", 904, 36),
    ("select name x from t order by x", None, None),
    # names
    ("select _id from t", 911, 7),
    ("select id as _x from t", 911, 13),
    ("select level from t", 1788, 7),
    ("select date from t", 936, 7),
    ("select number from t", 936, 7),
    ("select size from t", 936, 7),
    ("select t.access from t", 1747, 9),
    ("create table z (level number)", 904, 16),
    ("create table z (date date)", 904, 16),
    ("create table z (size number, access number)", 904, 16),
    ("create table select (x number)", 903, 13),
    (f"select 1 as {LONG} from dual", 972, 12),
    ('select 1 as "' + "é" * 65 + '" from dual', 972, 12),
    (f"create table {LONG} (x number)", 972, 13),
    (f"select 1 as {LONG[:128]} from dual", None, None),
    # select lists, WITH
    ("select *, id from t", 923, 8),
    ("select id, * from t", 936, 11),
    ("select t.*, id from t", None, None),
    ("with a as (with b as (select 1 x from dual) select * from b) select * from a", 32034, 11),
    ("select * from (with a as (select 1 x from dual) select * from a)", None, None),
    # groups
    ("select name, count(*) from t", 937, 7),
    ("select name, max(id) from t group by id", 979, 7),
    ("select count(count(*)) from t", 978, 13),
    ("select max(id) from t where max(id) = 1", 934, 28),
    ("select distinct name from t order by id", 1791, 37),
    ("select count(id, name) from t", 909, 7),
    ("select rank() from t", 30484, 7),
    ("select rank() over () from t", 30485, 7),
    ("select sum(id) over (order by id rows between 1 following and 1 preceding) from t", 30486, 7),
    ("select median(id) over (order by id) from t", 30487, 7),
    ("select listagg(name) over (order by id) from t", 30487, 7),
    ("select percentile_cont(2) within group (order by id) from t", 30495, 7),
    # names that are not there, as Oracle prints them
    ("select nope from t", 904, 7),
    ("select nofunc(1) from dual", 904, 7),
    ("select seq.nextval from dual", 2289, 7),
    ("select * from nothing", 942, 14),
    ("select id from t t1 join t t2 using (nope)", 904, None),
    ("select id from t, u", 918, 7),
    ("select t.id from t, u where tid = id", 918, 34),
    # values
    ("select name from t where id = (select id from t)", 1427, None),
    ("select * from t where d = '2024-01-01'", 1861, None),
    ("select * from t where d > 'hello'", 1858, None),
    ("select * from t where d = '01-JAN-24'", None, None),
    ("select id / 0 from t", 1476, None),
    ("select sum(name) from t", 1722, None),
    ("select case id when 1 then 'a' else 2 end from t", 932, 7),
    ("select id from t union select name from t", 1790, None),
    ("select id from t union select id, name from t", 1789, None),
    ("select 1 from t where id in ()", 936, 29),
    ("select interval '1' fortnight from dual", 30089, None),
    # joins and trees
    ("select a.id from t a left join u b on a.id = b.tid where b.id(+) = 1", 25156, 57),
    ("select t.id from t, u where t.id(+) = u.tid(+)", 1468, 28),
    ("select id from t connect by prior id = id", 1436, None),
    # texts that do not end
    ("select 'a", 1756, 7),
    ('select "a from dual', 1740, 7),
    ("select 1 /* x from dual", 1742, 9),
    # refused by name: not known to be faithful
    ("select cast(multiset(select 1 from dual) as x) from dual", 3001, 12),
    ("select json_object('a' value 1) from dual", 3001, 7),
    ("select ora_hash('x') from dual", 3001, 7),
    ("select dbms_metadata.get_ddl('TABLE', 'T') from dual", 3001, 7),
    ("select utl_encode.base64_encode('41') from dual", 3001, 7),
    ("select * from folded sample (10)", 1446, None),
    ("select * from plain sample (10)", None, None),
    ("select connect_by_iscycle from t connect by nocycle prior id = id", 3001, 7),
]


@pytest.mark.parametrize(("sql", "code", "offset"), QUERIES, ids=[sql[:60] for sql, _, _ in QUERIES])
def test_a_query_is_taken_or_refused_as_by_oracle(wms: Client, sql: str, code: int | None, offset: int | None) -> None:
    act = wms.query if sql.startswith(("select", "with")) else wms.run
    if code is None:
        act(sql)
        return
    with ora(code) as raised:
        act(sql)
    if offset is not None:
        assert raised.value.offset == offset


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("select nope from t", '"NOPE": invalid identifier'),
        ("select t.nope from t", '"T"."NOPE": invalid identifier'),
        ("select wms.t.nope from t", '"WMS"."T"."NOPE": invalid identifier'),
        ('select "Nope" from t', '"Nope": invalid identifier'),
        ("select x.id from t", '"X"."ID": invalid identifier'),
        ("select dbms_nothing.x(1) from dual", '"DBMS_NOTHING"."X": invalid identifier'),
        ("insert into t (nope) values (1)", '"NOPE": invalid identifier'),
        ("update t set nope = 1", '"NOPE": invalid identifier'),
        ("create table z (level number)", ": invalid identifier"),
    ],
)
def test_an_unknown_name_is_printed_as_oracle_prints_it(wms: Client, sql: str, text: str) -> None:
    with ora(904) as raised:
        (wms.query if sql.startswith("select") else wms.run)(sql)
    assert raised.value.text == text


CHANGES = [
    ("insert into t (id, name) values (3, 'toolong')", 12899, 'value too large for column "WMS"."T"."NAME" (actual: 7, maximum: 5)'),
    ("insert into t (id, name) values (3, 'ééé')", 12899, 'value too large for column "WMS"."T"."NAME" (actual: 6, maximum: 5)'),
    ("insert into t (id, c) values (3, 'éééé')", 12899, 'value too large for column "WMS"."T"."C" (actual: 4, maximum: 3)'),
    ("insert into t (id, c) values (3, 'ééé')", None, ""),
    ("insert into t (id, n) values (4, 1000)", 1438, ""),
    ("insert into t (id, n) values (4, 999.994)", None, ""),
    ("insert into t (id, n) values (4, 999.995)", 1438, ""),
    ("insert into t (id) values (99999)", 1438, ""),
    ("insert into t (id) values (null)", 1400, 'cannot insert NULL into ("WMS"."T"."ID")'),
    ("insert into t (id, name) values (1, 'x')", 1, ""),
    ("insert into t (id) values (1, 2)", 913, ""),
    ("insert into t (id, name) values (5)", 947, ""),
    ("insert into t (id, id) values (5, 5)", 957, ""),
    ("insert into t (id, d) values (6, '2024-01-01')", 1861, ""),
    ("insert into t (id, d) values (6, '01-FOO-24')", 1843, ""),
    ("insert into t (id, d) values (6, 5)", 932, ""),
    ("insert into t (id) values (1), (2)", 933, ""),
    ("update t set id = 1 where id = 2", 1, ""),
    ("update t set name = null, id = null", 1407, 'cannot update ("WMS"."T"."ID") to NULL'),
    ("update t set (id, name) = (select 1 from dual)", 947, ""),
    ("update t set id = (select id from u)", 1427, ""),
    ("delete t where id = 77", None, ""),
    ("merge into t using u on (t.id = u.tid) when matched then update set id = 5", 38104, "Columns referenced in the ON Clause"),
    ("merge into t using u on (t.id = u.tid) when matched then update set name = 'z'", 30926, ""),
    ("create table t (x number)", 955, ""),
    ("create table z (x number, x number)", 957, ""),
    ("create table z (x varchar2)", 906, ""),
    ("create table z (x varchar2(4001))", 910, ""),
    ("create table z (x number(39))", 1727, ""),
    ("create table z (x number(5, 128))", 1728, ""),
    ("create table z as select 1 + 1 from dual", 998, ""),
    ("alter table t add (id number)", 1430, ""),
    ("alter table t drop column nope", 904, ""),
    ("alter table t modify (id varchar2(10))", 1439, ""),
    ("drop table nope", 942, ""),
    ("drop sequence nope", 2289, ""),
    ("rollback to nope", 1086, ""),
    ("create or replace procedure p as begin null; end;", 3001, ""),
    ("create or replace package p as end;", 3001, ""),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "code", "text"), CHANGES, ids=[sql[:60] for sql, _, _ in CHANGES])
def test_a_change_is_taken_or_refused_as_by_oracle(wms: Client, sql: str, code: int | None, text: str) -> None:
    try:
        if code is None:
            wms.run(sql)
            return
        with ora(code) as raised:
            wms.run(sql)
        assert raised.value.text.startswith(text)
    finally:
        wms.rollback()


def test_a_direct_path_insert_hides_its_table_until_the_commit(wms: Client) -> None:
    wms.run("insert /*+ append */ into u select 1, 2 from dual")
    for sql in ("select * from u", "select 1 from dual where exists (select * from u)"):
        with ora(12838):
            wms.query(sql)
    for sql in (
        "insert into u values (1, 1)",
        "update u set tid = 1",
        "merge into u using t on (t.id = u.tid) when matched then update set id = 1",
    ):
        with ora(12838):
            wms.run(sql)
    wms.rollback()
    wms.run("insert /*+ append */ into u values (1, 1)")  # one row of values is an ordinary insert
    assert wms.value("select count(*) from u") == 3
    wms.rollback()


def test_a_temporary_table_in_use_cannot_be_changed(wms: Client, database: Database) -> None:
    wms.run("create global temporary table scratch (x number) on commit preserve rows")
    wms.run("insert into scratch values (1)")
    for sql in ("drop table scratch", "alter table scratch add (y number)", "create index i on scratch (x)"):
        with ora(14452):
            wms.run(sql)
    other = client(database)
    with ora(14452):
        other.run("drop table scratch")
    wms.run("truncate table scratch")
    wms.run("drop table scratch")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("select * from wms.t", 942),
        ("insert into wms.u values (1, 1)", 1031),
        ("delete from wms.u", 1031),
        ("drop table wms.u", 1031),
        ("create table wms.mine (x number)", 1031),
        ("create user x identified by y", 1031),
        ("grant select on wms.u to public", 1031),
        ("truncate table wms.u", 1031),
        ("alter system checkpoint", 1031),
        ("select * from v$session", 942),
        ("select * from dba_users", 942),
    ],
)
def test_rights_are_asked_for(wms: Client, database: Database, sql: str, code: int) -> None:
    wms.run("grant select on u to guest")
    guest = client(database, "GUEST")
    with ora(code):
        (guest.query if sql.startswith("select") else guest.run)(sql)


def test_a_territory_brings_its_formats(wms: Client) -> None:
    wms.run("alter session set nls_territory = brazil")
    shown = "select to_char(date '2024-03-05'), 1/2 || '', to_char(timestamp '2024-03-05 13:04:05.5'), to_char(1234.5, '9G999D9') from dual"
    assert wms.query(shown) == [("05/03/24", ",5", "05/03/24 13:04:05,500000000", " 1.234,5")]
    assert wms.value("select value from nls_session_parameters where parameter = 'NLS_TERRITORY'") == "BRAZIL"
    wms.run("alter session set nls_territory = 'AMERICA'")
    assert wms.query(shown)[0][:2] == ("05-MAR-24", ".5")
    for territory, code in (("GERMANY", 3001), ("ATLANTIS", 12705)):
        with ora(code):
            wms.run(f"alter session set nls_territory = {territory}")

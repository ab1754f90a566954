"""DDL: what it makes of the dictionary and of the rows, and its errors by code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from oracle_mimic.sql.catalog import Index, Sequence, Table
from oracle_mimic.sql.database import Database, open_database
from oracle_mimic.types import Kind, OracleType
from sql_room import Client, client, ora


@pytest.fixture
def database() -> Iterator[Database]:
    found = open_database(users={"WMS": "a", "DW": "b"}, dba={"DW"})
    yield found
    found.close()


@pytest.fixture
def wms(database: Database) -> Client:
    return client(database)


@pytest.fixture
def dba(database: Database) -> Client:
    return client(database, "DW")


def _table(database: Database, name: str, owner: str = "WMS") -> Table:
    found = database.catalog.get(owner, name)
    assert isinstance(found, Table)
    return found


ALL_TYPES = """create table every_type (
  n number, n10 number(10), n19_4 number(19,4), nneg number(5,-2), i integer, f float, f20 float(20), bf binary_float, bd binary_double,
  v varchar2(10), vb varchar2(10 byte), vc varchar2(10 char), c char, c5 char(5), nv nvarchar2(7), nc nchar(3),
  d date, t timestamp, t0 timestamp(0), t9 timestamp(9), tz timestamp(3) with time zone, lt timestamp with local time zone,
  ym interval year(4) to month, ds interval day(3) to second(2), r raw(16), cl clob, ncl nclob, bl blob, ri rowid
) tablespace users pctfree 5 initrans 2 nologging compress for oltp parallel 4 segment creation deferred storage (initial 64k next 1m)"""


def test_every_type_is_kept_as_declared(database: Database, wms: Client) -> None:
    wms.run(ALL_TYPES)
    table = _table(database, "EVERY_TYPE")
    types = {column.name: column.type for column in table.columns}
    assert types["N"] == OracleType(Kind.NUMBER)
    assert types["NNEG"] == OracleType(Kind.NUMBER, 5, -2)
    assert types["I"] == OracleType(Kind.NUMBER, None, 0)
    assert types["F20"] == OracleType(Kind.FLOAT, 20)
    assert types["VC"] == OracleType(Kind.VARCHAR2, length=10, char_semantics=True)
    assert types["C"].length == 1
    assert types["T"].scale == 6
    assert types["TZ"] == OracleType(Kind.TIMESTAMP_TZ, scale=3)
    assert types["YM"].precision == 4
    assert (types["DS"].precision, types["DS"].scale) == (3, 2)
    assert table.attributes["COMPRESS_FOR"] == "ADVANCED"
    assert table.attributes["DEGREE"] == "4"
    assert wms.query("select * from every_type") == []


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("create table a (x nonsense)", 902),
        ("create table a (x number, x number)", 957),
        ("create table a (x varchar2(5000))", 910),
        ("create table a (x varchar2(0))", 1723),
        ("create table a (x number(40))", 1727),
        ("create table a (x number) partition by hash (x)", 439),
        ("create table a (x number generated always as (1) virtual)", 3001),
        ("create table a (x number organization index)", 907),
        ("create table a (x number default y)", 984),
        ("create table a (x number check (y > 0))", 904),
        ("create table a (x number primary key, primary key (x))", 2260),
        ("create table a (x number references nope)", 942),
        ("create table a (x number, constraint k foreign key (x) references t (v))", 2270),
        ("create table t (x number)", 955),
        ("create table nobody.a (x number)", 1918),
        ("create table dw.a (x number)", 1031),
        ("create table a", 906),
        ("create table 1a (x number)", 903),
        ("create table select (x number)", 903),
        ("create table a as select 1 + 1 from dual", 998),
        ("create table a as select null x from dual", 1723),
        ("create table a (x number) nonsense", 922),
        ("create nonsense a", 901),
        ("create trigger a before insert on t begin null; end;", 3001),
        ("create index i on t (nope)", 904),
        ("create unique index i on t (v)", 1452),
        ("create index i on nope (x)", 942),
        ("alter table t add id number", 1430),
        ("alter table t add (w number not null)", 1758),
        ("alter table t modify (v varchar2(10))", 1439),
        ("alter table t modify (v number(2))", 1440),
        ("alter table t modify (s varchar2(1))", 1441),
        ("alter table t modify (id null)", 1451),
        ("alter table t modify (s not null)", 2296),
        ("alter table t drop column nope", 904),
        ("alter table t drop constraint nope", 2443),
        ("alter table t add constraint t_pk2 primary key (v)", 2260),
        ("alter table t add constraint t_u unique (v)", 2299),
        ("alter table t add constraint t_c check (v > 1)", 2293),
        ("alter table t nonsense", 1735),
        ("alter table nope add (x number)", 942),
        ("drop table nope", 942),
        ("drop view t", 942),
        ("drop index nope", 1418),
        ("drop index t_pk", 2429),
        ("drop sequence nope", 2289),
        ("drop synonym nope", 1434),
        ("truncate table nope", 942),
        ("rename nope to a", 4043),
        ("comment on table nope is 'x'", 942),
        ("comment on column t.nope is 'x'", 904),
        ("grant select on t to nobody", 1917),
        ("grant nonsense on t to dw", 990),
        ("grant dba to dw", 1932),
        ("create user x identified by y", 1031),
        ("create sequence s increment by 0", 4002),
        ("create sequence s minvalue 5 maxvalue 4", 4004),
        ("alter session set nonsense = 1", 2248),
        ("create view v as select 1 + 1 from dual", 998),
        ("create view v as select nope from t", 904),
        ("create view t as select 1 x from dual", 955),
        ("create materialized view m as select 1 x from dual", 3001),
        ("set constraints all deferred", 3001),
    ],
)
def test_errors_have_oracles_codes(wms: Client, sql: str, code: int) -> None:
    wms.run("create table t (id number(10) constraint t_pk primary key, v number(5), s varchar2(10))")
    wms.run("insert into t select level, 1, decode(level, 1, 'long') from dual connect by level <= 2")
    wms.commit()
    with ora(code):
        wms.run(sql)
    assert wms.value("select count(*) from t") == 2


def test_a_foreign_key_column_takes_the_type_of_what_it_refers_to(database: Database, wms: Client) -> None:
    wms.run("create table parent (id number(10, 0) primary key, code varchar2(7) unique)")
    wms.run(
        "create table child (p references parent, c constraint to_code references parent (code) on delete cascade, own number primary key)"
    )
    wms.run("create table other (p, foreign key (p) references parent)")
    wms.run("create table tree (id number(5) primary key, above references tree)")
    wms.run("alter table other add (again references parent)")
    types = {name: [column.type for column in _table(database, name).columns] for name in ("PARENT", "CHILD", "OTHER", "TREE")}
    number, text = types["PARENT"]
    assert types["CHILD"][:2] == [number, text]
    assert types["OTHER"] == [number, number]
    assert types["TREE"][0] == types["TREE"][1]
    with ora(2291):
        wms.run("insert into child values (1, null, 1)")
    for sql, code in (("create table x (a)", 2263), ("create table x (a not null)", 2263), ("create table x (a references nothing)", 942)):
        with ora(code):
            wms.run(sql)
    with ora(2263):
        wms.run("alter table other add (x)")


def test_a_statement_that_cannot_be_parsed_does_not_commit(database: Database, wms: Client) -> None:
    wms.run("create table t (id number)")
    wms.run("insert into t values (1)")
    with ora(902):
        wms.run("create table a (x nonsense)")
    assert wms.session.in_transaction
    wms.rollback()
    assert wms.query("select * from t") == []


def test_create_table_as_takes_types_and_rows(database: Database, wms: Client) -> None:
    wms.run("create table t (id number(10), s varchar2(10 char), d date, z timestamp(3) with time zone, n number)")
    wms.run("insert into t values (1, 'é', date '2026-01-02', timestamp '2026-01-02 03:04:05.123 +02:00', 1.25)")
    wms.run("create table c as select id, s, d, z, n, n * 2 twice, id || s txt, sysdate now from t")
    table = _table(database, "C")
    assert [column.type for column in table.columns][:5] == [column.type for column in _table(database, "T").columns]
    assert wms.query("select id, s, d, n, twice, txt from c") == [(1, "é", datetime(2026, 1, 2), Decimal("1.25"), Decimal("2.5"), "1é")]
    assert wms.value("select to_char(z, 'HH24:MI:SS.FF3 TZH:TZM') from c") == "03:04:05.123 +02:00"
    wms.run("create table e as select * from t where 1 = 0")
    wms.run("create table named (a, b not null) as select id, s from t")
    assert [column.name for column in _table(database, "NAMED").columns] == ["A", "B"]
    wms.run("update c set n = 3")
    assert wms.value("select n from c") == 3


def test_a_failed_create_table_as_leaves_no_table(wms: Client) -> None:
    with ora(1476):
        wms.run("create table c as select 1 / (2 - level) x from dual connect by level <= 3")
    with ora(2437):
        wms.run("create table c (x primary key) as select 1 from dual connect by level <= 2")
    wms.run("create table c as select level x from dual connect by level <= 3")
    assert wms.value("select sum(x) from c") == 6


def test_alter_table_add_modify_drop_rename(database: Database, wms: Client) -> None:
    wms.run("create table t (id number(5) primary key, s varchar2(3))")
    wms.run("insert into t values (1, 'abc')")
    wms.run("alter table t add (d date default date '2026-01-01' not null, n number(5,2) default 1.5, x char(2))")
    wms.run("alter table t add y varchar2(5) default 'why'")
    assert wms.query("select id, s, d, n, x, y from t") == [(1, "abc", datetime(2026, 1, 1), Decimal("1.50"), None, "why")]
    wms.run("alter table t modify (s varchar2(30) default 'dflt', n number(10,4), id number)")
    wms.run("alter table t modify y not null")
    with ora(1442):
        wms.run("alter table t modify y not null")
    wms.run("alter table t rename column s to label")
    wms.run("alter table t add constraint label_ck check (label <> 'no')")
    wms.run("alter table t rename column label to tag")
    with ora(2290):
        wms.run("update t set tag = 'no'")
    wms.run("alter table t drop column x")
    wms.run("alter table t drop (d, n)")
    wms.run("insert into t (id) values (2)")
    assert wms.query("select * from t order by id") == [(1, "abc", "why"), (2, "dflt", "why")]
    wms.run("alter table t rename to u")
    assert wms.value("select count(*) from u") == 2
    wms.run("rename u to w")
    assert [column.name for column in _table(database, "W").columns] == ["ID", "TAG", "Y"]


def test_constraints_can_be_disabled_and_enabled(wms: Client) -> None:
    wms.run("create table t (id number constraint pk primary key, n number constraint ck check (n > 0))")
    wms.run("alter table t disable constraint ck")
    wms.run("insert into t values (1, -1)")
    with ora(2293):
        wms.run("alter table t enable constraint ck")
    wms.run("alter table t enable novalidate constraint ck")
    with ora(2290):
        wms.run("insert into t values (2, -1)")
    wms.run("alter table t disable primary key")
    wms.run("insert into t values (1, 1)")
    wms.commit()
    with ora(2437):
        wms.run("alter table t enable primary key")
    wms.run("delete from t where n = 1")
    wms.run("alter table t enable primary key")
    wms.run("alter table t drop primary key")
    wms.run("insert into t values (null, 1)")


def test_dropping_a_parent_needs_cascade_constraints(wms: Client) -> None:
    wms.run("create table p (id number primary key)")
    wms.run("create table c (id number references p)")
    for sql, code in (("drop table p", 2449), ("truncate table p", 2266), ("alter table p drop primary key", 2273)):
        with ora(code):
            wms.run(sql)
    wms.run("drop table p cascade constraints purge")
    wms.run("insert into c values (5)")


def test_truncate_and_move_give_new_segments(database: Database, wms: Client) -> None:
    wms.run("create table t (id number)")
    wms.run("insert into t select level from dual connect by level <= 10")
    wms.commit()
    first = _table(database, "T").data_object_id
    rowid = wms.value("select rowid from t where id = 3")
    wms.run("alter table t move")
    assert _table(database, "T").data_object_id > first
    assert wms.value("select rowid from t where id = 3") != rowid
    assert wms.value("select sum(id) from t") == 55
    wms.run("update t set id = id + 1")
    wms.commit()
    moved = _table(database, "T").data_object_id
    wms.run("truncate table t")
    assert _table(database, "T").data_object_id > moved
    assert wms.query("select * from t") == []
    assert _table(database, "T").object_id == first


def test_views_synonyms_and_other_schemas(wms: Client, dba: Client) -> None:
    wms.run("create table t (id number, secret varchar2(10))")
    wms.run("insert into t values (1, 's')")
    wms.commit()
    wms.run("create or replace view v (number_of_it) as select id from t where secret = 's'")
    assert wms.query("select number_of_it from v") == [(1,)]
    wms.run("grant select on v to public")
    dba.run("create user reader identified by pw quota unlimited on users")
    dba.run("grant create session, create synonym to reader")
    reader = client(dba.session.database, "READER")
    reader.run("create synonym mine for wms.v")
    assert reader.query("select * from mine") == [(1,)]
    with ora(942):
        reader.query("select * from wms.t")
    wms.run("alter table t rename column secret to hidden")
    with ora(4063):
        reader.query("select * from mine")
    wms.run("create or replace view v as select id, hidden from t")
    dba.run("create public synonym everyones for wms.v")
    assert reader.query("select hidden from everyones") == [("s",)]
    reader.run("alter session set current_schema = wms")
    assert reader.query("select id from v") == [(1,)]
    with ora(1435):
        reader.run("alter session set current_schema = nobody")


def test_grants_pass_on_and_are_taken_back_in_a_chain(wms: Client, dba: Client) -> None:
    wms.run("create table t (id number)")
    for user in ("a", "b"):
        dba.run(f"create user {user} identified by x")
        dba.run(f"grant create session to {user}")
    first, second = client(dba.session.database, "A"), client(dba.session.database, "B")
    wms.run("grant select on t to a with grant option")
    first.run("grant select on wms.t to b")
    assert second.query("select * from wms.t") == []
    wms.run("revoke select on t from a")
    with ora(942):
        second.query("select * from wms.t")
    with ora(1927):
        wms.run("revoke select on t from a")
    dba.run("create role readers")
    dba.run("grant readers to a, b")
    wms.run("grant select, insert on t to readers")
    assert second.query("select * from wms.t") == []
    dba.run("drop role readers")
    with ora(942):
        second.query("select * from wms.t")


def test_users_are_locked_changed_and_dropped(database: Database, wms: Client, dba: Client) -> None:
    dba.run('create user u identified by "Secret 1" default tablespace users quota 10m on users account lock')
    dba.run("grant create session, create table to u")
    with ora(28000):
        database.check_account("U")
    dba.run("alter user u account unlock")
    database.check_account("U")
    before = database.verifier("U")
    dba.run("alter user u identified by other")
    assert database.verifier("U") != before
    session = client(database, "U")
    session.run("create table mine (x number)")
    with ora(1940):
        dba.run("drop user u cascade")
    session.session.close()
    with ora(1922):
        dba.run("drop user u")
    dba.run("drop user u cascade")
    assert database.verifier("U") is None
    dba.run("create user v identified by x")
    with ora(1045):
        database.check_account("V")
    with ora(1017):
        database.check_account("NOBODY")


def test_sequences(database: Database, wms: Client) -> None:
    wms.run("create sequence s start with 5 increment by 2 maxvalue 9 cycle cache 2 minvalue 1")
    assert [int(wms.value("select s.nextval from dual")) for _ in range(4)] == [5, 7, 9, 1]
    wms.run("alter sequence s increment by 10 maxvalue 100 nocycle")
    assert wms.value("select s.nextval from dual") == 11
    wms.run("drop sequence s")
    assert not any(isinstance(entry, Sequence) for entry in database.catalog.objects.values())
    with ora(2289):
        wms.query("select s.nextval from dual")


def test_indexes_are_entries_and_unique_ones_are_enforced(database: Database, wms: Client) -> None:
    wms.run("create table t (id number primary key, a varchar2(5), b number)")
    wms.run("create index t_ab on t (a desc, upper(a)) tablespace users parallel 2 nologging online")
    wms.run("create unique index t_u on t (a, b) compress 1")
    with ora(1408):
        wms.run("create index t_u2 on t (a, b)")
    with ora(955):
        wms.run("create index t_u on t (b)")
    wms.run("insert into t values (1, 'x', null)")
    with ora(1) as raised:
        wms.run("insert into t values (2, 'x', null)")
    assert "WMS.T_U" in str(raised.value)
    wms.run("insert into t values (3, null, null)")
    wms.run("insert into t values (4, null, null)")
    wms.run("alter index t_u rename to t_unique")
    wms.run("drop index t_unique")
    wms.run("insert into t values (5, 'x', null)")
    names = {entry.name for entry in database.catalog.objects.values() if isinstance(entry, Index)}
    assert "T_AB" in names


def test_comments_quoted_names_and_case(database: Database, wms: Client) -> None:
    wms.run('create table "Mixed Case" ("a b" number, c number)')
    wms.run('insert into "Mixed Case" values (1, 2)')
    assert wms.query('select "a b", C from "Mixed Case"') == [(1, 2)]
    wms.run("""comment on column "Mixed Case"."a b" is 'it''s' """)
    wms.run("""comment on table "Mixed Case" is 'whole' """)
    table = _table(database, "Mixed Case")
    assert (table.comment, table.columns[0].comment) == ("whole", "it's")
    with ora(942):
        wms.query("select * from mixed_case")


def test_alter_session_changes_formats(wms: Client) -> None:
    wms.run("alter session set nls_date_format = 'YYYY-MM-DD' nls_numeric_characters = ',.'")
    assert wms.value("select to_char(date '2026-02-03') || ' ' || 1.5 from dual") == "2026-02-03 1,5"
    wms.run("alter session set time_zone = 'America/Sao_Paulo'")
    assert wms.value("select sessiontimezone from dual") == "America/Sao_Paulo"
    with ora(1882):
        wms.run("alter session set time_zone = 'Nowhere/Land'")
    wms.run("alter session enable parallel dml")
    wms.run("alter session set optimizer_mode = all_rows")


def test_length_semantics_follow_the_session(database: Database, wms: Client) -> None:
    wms.run("alter session set nls_length_semantics = char")
    wms.run("create table t (a varchar2(3), b varchar2(3 byte))")
    wms.run("alter table t add c varchar2(3)")
    assert [column.type.char_semantics for column in _table(database, "T").columns] == [True, False, True]
    wms.run("insert into t (a, c) values ('ééé', 'ééé')")
    with ora(12899):
        wms.run("insert into t (b) values ('ééé')")

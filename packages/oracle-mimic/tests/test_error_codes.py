"""Oracle's own errors by code: one statement that earns each, through the driver; also for a real Oracle."""

from collections.abc import Iterator

import oracledb
import pytest
from oracle_mimic.pytest_plugin import OracleTarget

MERGE_TWICE = """merge into error_codes t using (select 1 a, 'x' b from dual union all select 1, 'y' from dual) s on (t.a = s.a)
    when matched then update set b = s.b"""
# (code, statement); the table ERROR_CODES has A NUMBER(10) primary key, B VARCHAR2(10) and two rows.
CASES = [
    (1, "insert into error_codes (a) values (1)"),
    (900, "frobnicate error_codes"),
    (901, "create nonsense x"),
    (902, "create table error_codes_x (a nonsense)"),
    (903, "select * from 1"),
    (904, "select nope from error_codes"),
    (905, "select case when 1 = 1 then 1 from dual"),
    (906, "create table error_codes_x"),
    (907, "select (1 from dual"),
    (908, "select a from error_codes where a is 1"),
    (909, "select nvl(1) from dual"),
    (910, "create table error_codes_x (a varchar2(40000))"),
    (911, "select _a from error_codes"),
    (913, "insert into error_codes (a) values (1, 2)"),
    (917, "insert into error_codes (a b) values (1)"),
    (918, "select a from error_codes x, error_codes y"),
    (920, "select a from error_codes where (a)"),
    (922, "create table error_codes_x (a number) nonsense"),
    (923, "select 1 where 1 = 1"),
    (924, "select a from error_codes order a"),
    (925, "insert error_codes values (1)"),
    (926, "insert into error_codes (a)"),
    (927, "update error_codes set a"),
    (928, "create view error_codes_v as nonsense"),
    (933, "select a from error_codes limit 1"),
    (934, "select a from error_codes where count(*) > 1"),
    (935, "select max(max(max(a))) from error_codes group by a"),
    (936, "select from error_codes"),
    (937, "select a, count(*) from error_codes"),
    (938, "select substr('a') from dual"),
    (939, "select to_char(1, '9', 'x', 'y') from dual"),
    (940, "alter nonsense x"),
    (942, "select * from error_codes_nowhere"),
    (947, "insert into error_codes (a, b) values (1)"),
    (955, "create table error_codes (a number)"),
    (972, f"select 1 as {'x' * 129} from dual"),
    (975, "select date '2024-01-01' + date '2024-01-01' from dual"),
    (979, "select a, b, count(*) from error_codes group by a"),
    (1086, "rollback to error_codes_nowhere"),
    (1400, "insert into error_codes (b) values ('x')"),
    (1407, "update error_codes set a = null"),
    (1427, "select (select a from error_codes) from dual"),
    (1430, "alter table error_codes add (a number)"),
    (1438, "update error_codes set a = 99999999999"),
    (1476, "select 1 / 0 from dual"),
    (1722, "select to_number('a') from dual"),
    (1785, "select a from error_codes order by 5"),
    (1788, "select level from dual"),
    (1789, "select 1, 2 from dual union select 1 from dual"),
    (1790, "select 1 from dual union select 'a' from dual"),
    (1821, "select to_char(sysdate, 'QQQZ') from dual"),
    (1830, "select to_date('2024-01-01 10', 'YYYY-MM-DD') from dual"),
    (1839, "select to_date('2024-02-30', 'YYYY-MM-DD') from dual"),
    (1840, "select to_date('2024', 'YYYY-MM') from dual"),
    (1841, "select to_date('0000-01-01', 'YYYY-MM-DD') from dual"),
    (1843, "select to_date('13', 'MM') from dual"),
    (1846, "select to_date('Foo', 'DAY') from dual"),
    (1847, "select to_date('32', 'DD') from dual"),
    (1848, "select to_date('400-2024', 'DDD-YYYY') from dual"),
    (1849, "select to_date('13', 'HH') from dual"),
    (1850, "select to_date('24', 'HH24') from dual"),
    (1851, "select to_date('60', 'MI') from dual"),
    (1852, "select to_date('60', 'SS') from dual"),
    (1853, "select to_date('90000', 'SSSSS') from dual"),
    (1854, "select to_date('0', 'J') from dual"),
    (1855, "select to_date('10 XX', 'HH AM') from dual"),
    (1858, "select to_date('x', 'DD') from dual"),
    (1861, "select to_date('2024-01', '\"Y\"YYYY') from dual"),
    (2289, "select error_codes_nowhere.nextval from dual"),
    (2290, "insert into error_codes (a, b) values (9, 'forbidden')"),
    (2291, "insert into error_codes_child values (99)"),
    (2292, "delete from error_codes where a = 1"),
    (12899, "update error_codes set b = '12345678901'"),
    (30926, MERGE_TWICE),
    (32034, "with a as (with b as (select 1 x from dual) select * from b) select * from a"),
    (38104, "merge into error_codes t using (select 1 a from dual) s on (t.a = s.a) when matched then update set a = 2"),
]  # fmt: skip


@pytest.fixture(scope="module")
def cursor(oracle_target: OracleTarget) -> Iterator[oracledb.Cursor]:
    with oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection:
        cursor = connection.cursor()
        for table in ("error_codes_child", "error_codes"):
            cursor.execute(f"begin execute immediate 'drop table {table} purge'; exception when others then null; end;")
        cursor.execute("create table error_codes (a number(10) primary key, b varchar2(10) check (b <> 'forbidden'))")
        cursor.execute("create table error_codes_child (a number(10) references error_codes)")
        cursor.executemany("insert into error_codes values (:1, :2)", [(1, "abc"), (2, "abd")])
        cursor.execute("insert into error_codes_child values (1)")
        connection.commit()
        yield cursor
        for table in ("error_codes_child", "error_codes"):
            cursor.execute(f"drop table {table} purge")


@pytest.mark.parametrize(("code", "statement"), CASES, ids=[f"ORA-{code:05d} {text[:40]}" for code, text in CASES])
def test_a_statement_earns_its_code(cursor: oracledb.Cursor, code: int, statement: str) -> None:
    with pytest.raises(oracledb.DatabaseError) as raised:
        cursor.execute(statement).fetchall()
    assert raised.value.args[0].code == code

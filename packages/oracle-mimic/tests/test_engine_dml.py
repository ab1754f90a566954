"""INSERT, UPDATE, DELETE, MERGE through the door: values, constraints, arrays, RETURNING, atomicity."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from oracle_mimic.sql.database import Database, open_database
from sql_room import Client, client, ora


@pytest.fixture
def database() -> Iterator[Database]:
    with_users = open_database(users={"WMS": "a", "DW": "b"})
    yield with_users
    with_users.close()


@pytest.fixture
def wms(database: Database) -> Client:
    found = client(database)
    found.run(
        "create table item (id number(10) constraint item_pk primary key, code varchar2(5) not null, qty number(6,2), note varchar2(20))"
    )
    return found


def test_rows_are_inserted_updated_and_deleted(wms: Client) -> None:
    assert wms.run("insert into item values (1, 'A', 1.5, null)").row_count == 1
    assert wms.run("insert into item (id, code) values (2, 'B')").row_count == 1
    assert wms.run("update item set qty = nvl(qty, 0) + 1 where id in (1, 2)").row_count == 2
    assert wms.query("select id, code, qty from item order by id") == [(1, "A", Decimal("2.50")), (2, "B", Decimal("1.00"))]
    assert wms.run("delete from item where id = 1").row_count == 1
    assert wms.run("delete from item where id = 99").row_count == 0
    assert wms.values("select id from item") == [2]


def test_a_statement_with_binds_runs_again_with_other_values(wms: Client) -> None:
    for number in range(5):
        wms.run("insert into item (id, code, note) values (:1, :2, :3)", number, f"c{number}", None)
    assert wms.values("select code from item where id = :1", 3) == ["c3"]
    assert wms.values("select code from item where id = :1", 4) == ["c4"]


def test_two_updates_of_one_row_in_one_transaction_show_the_last(wms: Client) -> None:
    wms.run("insert into item (id, code) values (1, 'A')")
    wms.run("update item set note = 'x'")
    wms.run("update item set note = note || 'y'")
    assert wms.query("select code, note from item") == [("A", "xy")]
    wms.rollback()
    assert wms.query("select * from item") == []


@pytest.mark.parametrize(
    ("sql", "code", "text"),
    [
        ("insert into item (id, code) values (1, 'B')", 1, "WMS.ITEM_PK"),
        ("insert into item (id) values (2)", 1400, '("WMS"."ITEM"."CODE")'),
        ("update item set code = null", 1407, '("WMS"."ITEM"."CODE")'),
        ("insert into item (id, code) values (2, '123456')", 12899, '"WMS"."ITEM"."CODE" (actual: 6, maximum: 5)'),
        ("update item set code = 'é' || 'éé'", 12899, "(actual: 6, maximum: 5)"),
        ("insert into item (id, code, qty) values (2, 'B', 10000)", 1438, "precision"),
        ("insert into item (id, code) values ('x', 'B')", 1722, "invalid number"),
        ("insert into item (id, code) values (1/0, 'B')", 1476, "divisor"),
        ("insert into item (id, code) values (1)", 947, "not enough values"),
        ("insert into item (id) values (1, 2)", 913, "too many values"),
        ("insert into item (nope) values (1)", 904, '"NOPE"'),
        ("insert into nope values (1)", 942, "does not exist"),
    ],
)
def test_a_failed_statement_names_its_fault_and_leaves_nothing(wms: Client, sql: str, code: int, text: str) -> None:
    wms.run("insert into item (id, code) values (1, 'A')")
    with ora(code) as raised:
        wms.run(sql)
    assert text in str(raised.value)
    assert wms.query("select id, code from item") == [(1, "A")]


def test_a_failing_row_of_many_undoes_the_statement_but_not_the_transaction(wms: Client) -> None:
    wms.run("insert into item (id, code) values (1, 'A')")
    with ora(1):
        wms.run("insert into item (id, code) select 3 - level, 'L' from dual connect by level <= 2")
    assert wms.values("select id from item") == [1]


def test_an_array_keeps_the_executions_before_the_failing_one(wms: Client) -> None:
    with ora(1) as raised:
        wms.run_many("insert into item (id, code) values (:1, :2)", [(1, "a"), (2, "b"), (1, "c"), (4, "d")])
    assert raised.value.rows_done == 2
    assert wms.values("select id from item order by id") == [1, 2]


def test_batch_errors_keep_all_good_executions(wms: Client) -> None:
    rows = [(1, "a"), (2, "toolong"), (1, "c"), (4, None), (5, "e")]
    outcome = wms.run_many("insert into item (id, code) values (:1, :2)", rows, batch_errors=True, counts=True)
    assert [(offset, error.code) for offset, error in outcome.batch_errors] == [(1, 12899), (2, 1), (3, 1400)]
    assert outcome.row_count == 2
    assert outcome.array_row_counts == [1, 0, 0, 0, 1]
    assert wms.values("select id from item order by id") == [1, 5]


def test_executions_of_an_array_see_what_earlier_ones_did(wms: Client) -> None:
    wms.run("insert into item (id, code, qty) values (1, 'A', 0)")
    outcome = wms.run_many("update item set qty = qty + :1 where id = :2", [(1, 1), (2, 1), (3, 1)], counts=True)
    assert outcome.array_row_counts == [1, 1, 1]
    assert wms.value("select qty from item") == 6
    merge = """merge into item t using (select :1 id, :2 q from dual) s on (t.id = s.id)
               when matched then update set qty = s.q when not matched then insert (id, code, qty) values (s.id, 'M', s.q)"""
    assert wms.run_many(merge, [(7, 1), (7, 2), (8, 3)]).row_count == 3
    assert wms.query("select id, qty from item where code = 'M' order by id") == [(7, 2), (8, 3)]


def test_an_update_that_changes_what_a_later_execution_finds(wms: Client) -> None:
    wms.run("insert into item (id, code, qty) values (1, 'A', 0)")
    outcome = wms.run_many("update item set qty = :1 where qty = :2", [(1, 0), (2, 1), (3, 2)], counts=True)
    assert outcome.array_row_counts == [1, 1, 1]
    assert wms.value("select qty from item") == 3


def test_merge_updates_inserts_and_deletes(wms: Client) -> None:
    wms.run_many("insert into item (id, code, qty) values (:1, :2, :3)", [(1, "a", 1), (2, "b", 2), (3, "c", 3)])
    sql = """merge into item t using (select level + 1 id, level * 10 q from dual connect by level <= 3) s on (t.id = s.id)
             when matched then update set qty = s.q where t.id <> 99 delete where qty = 20
             when not matched then insert (id, code, qty) values (s.id, 'new', s.q) where s.q > 0"""
    assert wms.run(sql).row_count == 3
    assert wms.query("select id, code, qty from item order by id") == [(1, "a", 1), (2, "b", 10), (4, "new", 30)]


def test_merge_with_two_source_rows_for_one_target_is_refused(wms: Client) -> None:
    wms.run("insert into item (id, code) values (1, 'a')")
    with ora(30926):
        source = "(select 1 id, level q from dual connect by level <= 2)"
        wms.run(f"merge into item t using {source} s on (t.id = s.id) when matched then update set qty = s.q")


def test_returning_gives_new_values_per_execution(wms: Client) -> None:
    one = wms.run("insert into item (id, code) values (1, lower('ABC')) returning code, id into :1, :2")
    assert [[array.to_pylist() for array in values] for values in one.returning] == [[["abc"]], [[1]]]
    wms.run("insert into item (id, code) values (2, 'z')")
    many = wms.run_many("update item set note = code || :1 where id >= :2 returning id into :3", [("x", 1, None), ("y", 2, None)])
    assert [array.to_pylist() for array in many.returning[0]] == [["1", "2"], ["2"]]  # a bind of text
    gone = wms.run("delete from item where id = 1 returning code into :1")
    assert gone.returning[0][0].to_pylist() == ["abc"]


def test_defaults_sequences_and_identity(wms: Client) -> None:
    wms.run("create sequence seq start with 10 increment by 5")
    identity = "number generated by default on null as identity"
    wms.run(f"create table d (id {identity}, s number default 7, t varchar2(3) default on null 'x', u date default sysdate)")
    wms.run("insert into d (s) values (default)")
    wms.run("insert into d (id, s, t) values (null, null, null)")
    wms.run("insert into d (id) values (100)")
    assert wms.query("select id, s, t from d order by id") == [(1, 7, "x"), (2, None, "x"), (100, 7, "x")]
    assert wms.value("select count(*) from d where u is not null") == 3
    wms.run("insert into item (id, code) values (seq.nextval, 'a')")
    wms.run("insert into item (id, code) values (seq.nextval, 'b')")
    wms.rollback()
    assert wms.value("select seq.nextval from dual") == 20
    assert wms.value("select seq.currval from dual") == 20
    wms.run("create table a (id number generated always as identity, v number)")
    with ora(32795):
        wms.run("insert into a (id) values (1)")


def test_char_is_padded_and_the_empty_string_is_null(wms: Client) -> None:
    wms.run("create table c (k char(4), v varchar2(10))")
    wms.run("insert into c values ('ab', '')")
    assert wms.query("select k, v, length(k) from c where k = 'ab'") == [("ab  ", None, 4)]


def test_foreign_keys_and_checks(wms: Client) -> None:
    key = "number(10) constraint line_fk references item"
    wms.run(f"create table line (id number primary key, item_id {key}, n number constraint n_ck check (n > 0))")
    wms.run("insert into item (id, code) values (1, 'a')")
    wms.run("insert into line values (1, 1, 5)")
    wms.run("insert into line values (2, null, null)")
    with ora(2291) as raised:
        wms.run("insert into line values (3, 9, 1)")
    assert "(WMS.LINE_FK) violated - parent key not found" in str(raised.value)
    with ora(2292):
        wms.run("delete from item")
    with ora(2292):
        wms.run("update item set id = 2")
    with ora(2290) as raised:
        wms.run("update line set n = -1 where id = 1")
    assert "(WMS.N_CK)" in str(raised.value)
    wms.run("update item set code = 'b'")
    wms.run("delete from line where id = 1")
    assert wms.run("delete from item").row_count == 1


def test_on_delete_cascade_and_set_null(wms: Client) -> None:
    wms.run("create table child (id number primary key, item_id number(10) references item on delete cascade)")
    wms.run("create table grandchild (id number, child_id number references child on delete set null)")
    wms.run("insert into item (id, code) select level, 'c' from dual connect by level <= 2")
    wms.run("insert into child select level, level from dual connect by level <= 2")
    wms.run("insert into grandchild select level, level from dual connect by level <= 2")
    wms.commit()
    wms.run("delete from item where id = 1")
    assert wms.values("select id from child") == [2]
    assert wms.query("select id, child_id from grandchild order by id") == [(1, None), (2, 2)]
    wms.rollback()
    assert wms.values("select id from child order by id") == [1, 2]
    assert wms.query("select id, child_id from grandchild order by id") == [(1, 1), (2, 2)]


def test_privileges_are_checked_by_object(database: Database, wms: Client) -> None:
    dw = client(database, "DW")
    wms.run("insert into item (id, code) values (1, 'a')")
    wms.commit()
    with ora(942):
        dw.query("select * from wms.item")
    wms.run("grant select on item to dw")
    assert dw.values("select id from wms.item") == [1]
    for sql in ("insert into wms.item (id, code) values (2, 'b')", "update wms.item set code = 'x'", "delete from wms.item"):
        with ora(1031):
            dw.run(sql)
    wms.run("grant all on item to dw")
    assert dw.run("update wms.item set code = 'x'").row_count == 1
    dw.rollback()
    wms.run("revoke all on item from dw")
    with ora(942):
        dw.query("select * from wms.item")


def test_rowids_are_stable_and_order_like_rows_came(wms: Client) -> None:
    wms.run("insert into item (id, code) select level, 'r' from dual connect by level <= 200")
    wms.commit()
    before = dict(wms.query("select id, rowid from item"))
    wms.run("update item set code = 'q' where mod(id, 3) = 0")
    wms.commit()
    assert dict(wms.query("select id, rowid from item")) == before
    low, high = before[50], before[60]
    assert sorted(wms.values("select id from item where rowid between chartorowid(:1) and chartorowid(:2)", low, high)) == list(
        range(50, 61)
    )
    assert wms.run("update item set code = 'one' where rowid = :1", low).last_rowid == low


def test_a_direct_path_insert_must_be_committed_before_the_table_is_read(wms: Client) -> None:
    wms.run("create table load (id number)")
    wms.run("insert /*+ append */ into load select level from dual connect by level <= 3")
    for sql in ("select count(*) from load", "select 1 from item where id in (select id from load)"):
        with ora(12838):
            wms.query(sql)
    with ora(12838):
        wms.run("insert into load values (4)")
    wms.commit()
    assert wms.value("select count(*) from load") == 3


def test_two_columns_that_could_overflow_do_not_disturb_each_other(wms: Client) -> None:
    wms.run("create table two (a number(19), b number(19,4), c number(5))")
    assert wms.run("insert into two select level, level, level from dual connect by level <= 3").row_count == 3
    with ora(1438):
        wms.run("insert into two select 1, 1, level * 100000 from dual connect by level <= 3")
    assert wms.run("update two set a = a + 1, b = b + 1, c = c + 1").row_count == 3


def test_many_clashing_keys_in_one_array(wms: Client) -> None:
    wms.run("insert into item (id, code) select level * 2, 'old' from dual connect by level <= 1000")
    rows = [(number // 2 + 1, f"n{number % 10}") for number in range(2000)]  # every key twice; the even ones exist
    outcome = wms.run_many("insert into item (id, code) values (:1, :2)", rows, batch_errors=True, counts=True)
    good = [number for number in range(2000) if number % 2 == 0 and (number // 2 + 1) % 2 == 1]
    assert outcome.row_count == len(good) == 500
    assert [execution for execution, _ in outcome.batch_errors] == [number for number in range(2000) if number not in set(good)]
    assert {error.code for _, error in outcome.batch_errors} == {1}
    assert [n for n, count in enumerate(outcome.array_row_counts or []) if count] == good
    with ora(1) as raised:
        wms.run_many("insert into item (id, code) values (:1, :2)", [(5000, "a"), (5001, "b"), (1, "c"), (5000, "d")])
    assert raised.value.rows_done == 2
    assert wms.values("select id from item where id >= 5000 order by id") == [5000, 5001]


def test_returning_of_an_array_with_batch_errors_keeps_to_its_executions(wms: Client) -> None:
    wms.run("insert into item (id, code) values (2, 'old')")
    sql = "insert into item (id, code) values (:1, :2) returning code || id into :3"
    outcome = wms.run_many(sql, [(1, "a", None), (2, "b", None), (3, "c", None)], batch_errors=True)
    assert [values.to_pylist() for values in outcome.returning[0]] == [["a1"], [], ["c3"]]
    assert wms.values("select count(distinct rowid) from item") == [3]


def test_insert_all_into_several_tables_reads_its_query_once(database: Database) -> None:
    wms = client(database)
    wms.run("create table source (id number(10), zoned timestamp(9) with time zone, amount number, raw_id raw(4), born date)")
    wms.run(
        "insert into source select rownum, timestamp '2026-01-02 03:04:05.123456789 +02:00', rownum / 4, hextoraw('0A0B'), "
        "date '2026-01-02' from xmltable('1 to 5')"
    )
    wms.run("create table small (id number(10) primary key, amount number)")
    wms.run("create table large (id number(10), zoned timestamp(9) with time zone, raw_id raw(4), born date)")
    wms.run("create sequence numbered start with 100")
    wms.commit()
    outcome = wms.run(
        """insert all
             when amount < 0.5 then into small (id, amount) values (id, amount) into small (id) values (id + 100)
             when amount >= 1 then into large values (id, zoned, raw_id, born)
             else into source (id) values (-id)
           select * from source"""
    )
    assert outcome.row_count == 2 * 1 + 2 + 2
    assert wms.query("select id, amount from small order by id")[0] == (1, Decimal("0.25"))
    assert wms.values("select id from small where amount is null") == [101]
    assert wms.values("select to_char(zoned, 'SS.FF9 TZH:TZM') || rawtohex(raw_id) || to_char(born, 'DD') from large where id = 5") == [
        "05.123456789 +02:000A0B02"
    ]
    assert wms.values("select id from source where id < 0 order by id") == [-3, -2]
    with ora(1):
        wms.run("insert all into large (id) values (id) into small (id) values (id) select id from source where id in (1, 4)")
    assert wms.value("select count(*) from large") == 2
    wms.rollback()
    assert not wms.session.in_transaction
    with ora(12899):
        wms.run("insert all into small (id) values (1) into large (raw_id) values ('0102030405') select * from dual")
    assert wms.value("select count(*) from small") == 0
    assert not wms.session.in_transaction
    wms.run(
        "insert first when id < 3 then into small (id) values (numbered.nextval) else into large (id) values (id) select id from source"
    )
    assert wms.values("select id from small order by id") == [100, 101]
    assert wms.values("select id from large order by id") == [3, 4, 5]
    wms.rollback()
    for sql, code in (
        ("insert all into small (id) values ((select 1 from source where rownum = 1)) into large (id) values (1) select * from dual", 3001),
        ("insert all into small (id) values (1) into nothing (id) values (1) select * from dual", 942),
        ("insert all into small (id) values (1) into large (nope) values (1) select * from dual", 904),
        ("insert all into small (id) values (1, 2) into large (id) values (1) select * from dual", 913),
    ):
        with ora(code):
            wms.run(sql)
    with ora(3001):
        wms.run_many("insert all into small (id) values (:1) into large (id) values (:2) select * from dual", [(1, 2), (3, 4)])

"""DML bound by the binder: the rows it gives to the engine."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from binder_bench import Bench
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BoundDelete, BoundInsert, BoundMerge, BoundUpdate

MERGE = (
    "merge into worker w using stage s on (w.id = s.id) when matched then update set w.pay = s.pay where w.pay <> s.pay"
    " delete where w.pay > 9050 when not matched then insert (id, pay) values (s.id, s.pay) where s.old = 'N'"
)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.connection.close()


def test_insert_values(bench: Bench) -> None:
    bound = bench.bind("insert into worker (name, id) values (:1, :2)", ("X", 7))
    assert isinstance(bound, BoundInsert)
    assert bound.columns == ("NAME", "ID")
    assert bench.changes("insert into worker (name, id) values (:1, :2)", "X", 7) == [{"c0": "X", "c1": Decimal(7)}]


def test_values_are_converted_to_the_columns(bench: Bench) -> None:
    (row,) = bench.changes("insert into worker (pay, name, hired) values ('12.345', 5, date '2024-02-29')")
    assert (row["c0"], row["c1"]) == (Decimal("12.35"), "5")


def test_default_leaves_the_column_to_the_engine(bench: Bench) -> None:
    bound = bench.bind("insert into stage values (1, default, 'x')")
    assert isinstance(bound, BoundInsert)
    assert bound.columns == ("ID", "OLD")


def test_insert_select_and_append(bench: Bench) -> None:
    bound = bench.bind("insert /*+ append */ into stage (id) select id from worker where id < 3")
    assert isinstance(bound, BoundInsert)
    assert bound.direct
    assert bench.changes("insert into stage (id) select id from worker where id < 3") == [{"c0": Decimal(1)}, {"c0": Decimal(2)}]


def test_insert_all_gives_the_rows_of_every_branch(bench: Bench) -> None:
    sql = "insert all into stage (id, old) values (:1, 'a') into stage (id, old) values (:2, 'b') select * from dual"
    assert bench.changes(sql, 1, 2) == [{"c0": Decimal(1), "c1": "a"}, {"c0": Decimal(2), "c1": "b"}]


def test_insert_all_of_mixed_values_and_of_a_query(bench: Bench) -> None:
    sql = "insert all into stage (id, old) values (:1, 'a') into stage (id, old) values ('2', 3) select * from dual"
    assert bench.changes(sql, 1) == [{"c0": Decimal(1), "c1": "a"}, {"c0": Decimal(2), "c1": "3"}]
    sql = "insert all into site values (id, 'low') into site values (id + 100, name) select id, name from worker where id = 2"
    assert sorted(row["c0"] for row in bench.changes(sql)) == [2, 102]


@pytest.mark.parametrize(
    ("which", "expected"), [("all", [(1, "a"), (1, "b"), (2, "b"), (3, "else")]), ("first", [(1, "a"), (2, "b"), (3, "else")])]
)
def test_conditional_insert(bench: Bench, which: str, expected: list[tuple[int, str]]) -> None:
    sql = (
        f"insert {which} when id = 1 then into site values (id, 'a') when id < 3 or pay < 0 then into site values (id, 'b')"
        " else into site values (id, 'else') select id, pay from worker where id < 4"
    )
    assert sorted((row["c0"], row["c1"]) for row in bench.changes(sql)) == expected


def test_insert_all_with_many_rows_is_one_list(bench: Bench) -> None:
    bound = bench.bind("insert all " + "into site (id) values (1) " * 300 + "select * from dual")
    assert "UNION" not in bound.sql
    assert len(bench.run(bound.sql, {})) == 300


def test_update(bench: Bench) -> None:
    bound = bench.bind("update worker set pay = pay * 2 where id = :1", (3,))
    assert isinstance(bound, BoundUpdate)
    assert bound.columns == ("PAY",)
    assert bench.changes("update worker w set w.pay = pay * 2, name = lower(name) where id = :1", 3) == [
        {"rid": 1003, "c0": Decimal(10000), "c1": "cid"}
    ]


def test_update_of_several_columns_from_a_query(bench: Bench) -> None:
    sql = "update worker w set (pay, name) = (select s.pay, s.old from stage s where s.id = w.id) where id in (4, 5) "
    assert sorted(bench.changes(sql), key=lambda row: row["rid"]) == [
        {"rid": 1004, "c0": Decimal(3000), "c1": "Y"},
        {"rid": 1005, "c0": None, "c1": None},
    ]


def test_the_keyword_default(bench: Bench) -> None:
    assert [row["c0"] for row in bench.changes("update stage set old = default where id = 1")] == ["new"]
    assert [row["c0"] for row in bench.changes("update stage set pay = default where id = 1")] == [None]
    sql = "insert all into stage (id, old) values (1, default) into stage (id, old) values (2, 'x') select * from dual"
    assert [row["c1"] for row in bench.changes(sql)] == ["new", "x"]


def test_update_numbers_its_rows(bench: Bench) -> None:
    assert [(row["rid"], row["c0"]) for row in bench.changes("update worker set bonus = rownum where pay < 6000")] == [
        (1002, 1), (1003, 2), (1004, 3), (1005, 4)
    ]  # fmt: skip


def test_delete(bench: Bench) -> None:
    bound = bench.bind("delete from worker where rownum <= 2")
    assert isinstance(bound, BoundDelete)
    assert [row["rid"] for row in bench.changes("delete from worker where rownum <= 2")] == [1001, 1002]
    assert [row["rid"] for row in bench.changes("delete worker where rowid = (select rowid from worker where id = 4)")] == [1004]


def test_merge_tells_what_to_do_with_each_row(bench: Bench) -> None:
    bound = bench.bind(MERGE)
    assert isinstance(bound, BoundMerge)
    assert (bound.update_columns, bound.insert_columns) == (("PAY",), ("ID", "PAY"))
    rows = {row["rid"]: row for row in bench.changes(MERGE)}
    assert set(rows) == {1001, None}  # worker 4 has the same pay
    assert (rows[1001]["do_update"], rows[1001]["do_delete"], rows[1001]["u0"]) == (True, True, Decimal(9100))
    assert (rows[None]["do_insert"], rows[None]["i0"], rows[None]["i1"]) == (True, Decimal(9), Decimal(1000))


def test_merge_delete_sees_the_row_after_the_update(bench: Bench) -> None:
    assert [row["do_delete"] for row in bench.changes(MERGE.replace("w.pay > 9050", "w.pay < 9050")) if row["rid"]] == [False]


def test_an_array_of_executions_is_one_query(bench: Bench) -> None:
    rows = bench.array_changes("insert into worker (id, name) values (:1, :2)", [(1, "a"), (2, None)])
    assert [(row["c0"], row["c1"], row["execution"]) for row in rows] == [(1, "a", 0), (2, None, 1)]
    rows = bench.array_changes("update worker set pay = :1 where id = :2", [(1, 1), (2, 9), (3, 2)])
    assert sorted((row["rid"], row["c0"], row["execution"]) for row in rows) == [(1001, 1, 0), (1002, 3, 2)]
    rows = bench.array_changes("delete worker where id = :1", [(1,), (9,)])
    assert [(row["rid"], row["execution"]) for row in rows] == [(1001, 0)]


def test_merge_of_an_array(bench: Bench) -> None:
    sql = (
        "merge into worker w using (select :1 id, :2 name from dual) s on (w.id = s.id)"
        " when matched then update set w.name = s.name when not matched then insert (id, name) values (s.id, s.name)"
    )
    rows = sorted(bench.array_changes(sql, [(1, "a"), (77, "b")]), key=lambda row: row["execution"])
    assert [(row["rid"], row["u0"], row["i0"]) for row in rows] == [(1001, "a", None), (None, None, 77)]


def test_returning(bench: Bench) -> None:
    bound = bench.bind("update worker set pay = 1 where id = 1 returning id, upper(name) || '!', rowid into :1, :2, :3", (1, "", ""))
    assert isinstance(bound, BoundUpdate)
    assert bound.returning is not None
    texts = ", ".join(expression.sql for expression in bound.returning.expressions)
    assert bench.run(f'SELECT {texts} FROM "vWORKER" r WHERE p0 = 1', {})[0][:2] == (1, "ANA!")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("insert into nowhere values (1)", 942),
        ("insert into worker (nope) values (1)", 904),
        ("insert into worker (id, id) values (1, 2)", 957),
        ("insert into site values (1)", 947),
        ("insert into site values (1, 2, 3)", 913),
        ("insert into site select 1 from dual", 947),
        ("insert into site (id) values (city)", 904),
        ("insert into site (id) values (count(*))", 934),
        ("insert into worker (hired) values (1)", 932),
        ("update worker set nope = 1", 904),
        ("update worker set id = 1, id = 2", 957),
        ("update worker w set s.id = 1", 904),
        ("update worker set (id, pay) = (select 1 from dual)", 947),
        ("update worker set id = sum(id)", 934),
        ("delete from worker where nope = 1", 904),
        ("merge into worker w using stage s on (w.id = s.id) when matched then update set id = s.pay", 38104),
        ("merge into worker w using stage s on (w.id = s.id) when matched then update set pay = pay", 918),
        ("merge into worker w using stage s on (w.id = s.id) when not matched then insert (id) values (w.id)", 38101),
        ("merge into worker w using stage s on (w.id = s.id) when not matched then insert (id) values (1, 2)", 913),
        ("insert all into site values (1, 'a') into stage (nope) values (1) select * from dual", 904),
        ("insert all when nope = 1 then into site values (1, 'a') select * from dual", 904),
    ],
)
def test_errors(bench: Bench, sql: str, code: int) -> None:
    with pytest.raises(OracleError) as caught:
        bench.bind(sql)
    assert caught.value.code == code

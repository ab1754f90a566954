"""Oracle's grammar of queries and DML: what is read, and the code with which the rest is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.parser import parse_condition, parse_expression, parse_query, parse_statement
from oracle_mimic.sql.syntax import Binary, Merge, Name, Or, Query, Select, SetOperation

REFUSED_AS_ORACLE_DOES = [
    ("select 1", 923, 8),
    ("select *, a from t", 923, 8),
    ("select a, * from t", 936, 10),
    ("select a from t limit 5", 933, 22),
    ("select a = 1 from t", 923, 9),
    ("select a date from t", 923, 9),
    ("select date from t", 936, 7),
    ("select a from t where a", 920, 23),
    ("select (a = 1) from t", 907, None),
    ("select a from t where (a, b", 907, 27),
    ("select a from t where a in (select 1 from dual", 907, 46),
    ("select a from t as x", 933, 16),
    ("select a from t group a", 924, 22),
    ("select a from t where true", 920, 26),
    ("select a::int from t", 911, None),
    ("select a from t where a ilike 'x'", 920, 24),
    ("select f(a,) from t", 936, 11),
    ("select a from t x join u", 905, 24),
    ("select a from t except select a from u", 933, 23),
    ("select a from t minus all select a from u", 933, 16),
    ("select a from t.size", 903, 16),
    ("select a.b.size from t", 1747, 11),
    ("select a from _t", 911, 14),
    ("select a into b from t", 905, 9),
    ("with a as (with b as (select 1 from dual) select * from b) select * from a", 32034, 11),
    ("insert t values (1)", 925, 7),
    ("insert into t (a)", 926, 17),
    ("insert into t values (1), (2)", 933, 24),
    ("update t a = 1", 971, 11),
    ("update t set a", 927, 14),
    ("update t set (a, b) = 1", 1767, 22),
    ("merge into t using u on a = b when matched then update set a = 1", 906, 24),
    ("delete from t returning a, b into :1", 947, 14),
    ("select a from t start with a = 1", 1788, 32),
    ("explain plan for select 1 from dual", 900, 0),
]


@pytest.mark.parametrize(("sql", "code", "offset"), REFUSED_AS_ORACLE_DOES)
def test_errors_carry_oracles_code_and_position(sql: str, code: int, offset: int | None) -> None:
    with pytest.raises(OracleError) as caught:
        parse_statement(sql)
    assert caught.value.code == code
    assert offset is None or caught.value.offset == offset


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t@link",
        "select a from t partition (p)",
        "select a from table(f(1))",
        "select cursor(select 1 from dual) from dual",
        "select a from t versions between scn 1 and 2",
        "select * from t model dimension by (a) measures (b) rules ()",
        "insert into t values (1) log errors",
        "select a from t where a is json",
        "with function f return number is begin return 1; end; select f from dual",
    ],
)
def test_what_is_not_spoken_is_refused_by_name(sql: str) -> None:
    with pytest.raises(OracleError, match="ORA-03001"):
        parse_statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from a, b where a.x = b.x(+) and rownum <= :1 order by 1 desc nulls last",
        "select ((select 1 from dual) + 1) from dual",
        "(select 1 from dual) union all (select 2 from dual) order by 1",
        "select a from t as of scn :1 x where (a, b) in ((1, 2), (3, 4)) for update of x.a skip locked",
        "select listagg(distinct a, ',' on overflow truncate '...' with count) within group (order by b) from t",
        "select max(a) keep (dense_rank last order by b desc) over (partition by c), a.* from t a",
        "select count(*) over (order by a rows between 1 preceding and current row) from t",
        "select (systimestamp - d) day(3) to second(6) from t sample block (5) x",
        "select * from (a join b on a.x = b.x) join c using (y) where not (a = 1 or (b = 2 and c in (1, 2)))",
        "select level from dual connect by nocycle prior a = b start with a is null order siblings by a",
        "select * from t pivot (sum(x) s for y in ('A' as a, 'B' b)) p",
        "select * from t unpivot include nulls (v for n in (a as 'A', b))",
        "select a from t offset :1 rows fetch next 10 percent rows with ties",
        "insert /*+ append */ into t (t.a, b) select 1, 2 from dual",
        "insert all when a > 1 then into t values (a) into u (x) values (1) else into v select a from w",
        "insert all into t(a) values(:p1) into t(a) values(:p2) select * from dual",
        "update t x set x.a = default, (b, c) = (select 1, 2 from dual) where rowid = :r returning a into :o",
        "delete t where a between 1 and 2 and b not like 'x%' escape '\\'",
        "select interval '1 2:03:04.5' day(3) to second(2), interval '3' month, date '2020-01-01', :b from dual",
        "select extract(year from d), trim(both 'x' from a), cast(a as varchar2(10 char)), d at time zone 'UTC' from t",
        "select left, right, inner.x from t left, u inner",
    ],
)
def test_oracles_forms_are_read(sql: str) -> None:
    assert parse_statement(sql).end == len(sql)


def test_concatenation_binds_as_addition_does() -> None:
    node = parse_expression("'a' || 1 + 2")
    assert isinstance(node, Binary)
    assert node.operator == "+"


def test_set_operators_go_left_to_right() -> None:
    query = parse_query("select a from t union select a from u intersect select a from v")
    assert isinstance(query, Query)
    assert isinstance(query.body, SetOperation)
    assert query.body.operator == "INTERSECT"
    assert isinstance(query.body.left, SetOperation)


def test_or_binds_looser_than_and() -> None:
    assert isinstance(parse_condition("a = 1 or b = 2 and c = 3"), Or)


def test_nodes_know_their_text() -> None:
    sql = "select  count( * ) , a.b+1 x from t a"
    query = parse_query(sql)
    assert isinstance(query.body, Select)
    assert [sql[item.start : item.end] for item in query.body.items] == ["count( * )", "a.b+1"]


def test_outer_join_marks_are_kept() -> None:
    condition = parse_condition("a.x = b.x (+)")
    names = [node for node in (condition.left, condition.right) if isinstance(node, Name)]
    assert [name.outer_join for name in names] == [False, True]


def test_both_branches_of_merge() -> None:
    merge = parse_statement(
        "merge into t using (select :1 a from dual) s on (t.id = s.a) when not matched then insert (id) values (s.a) where s.a > 1"
        " when matched then update set t.b = s.a where t.c < s.a delete where t.b = 1"
    )
    assert isinstance(merge, Merge)
    assert merge.insert_where
    assert merge.update_where
    assert merge.delete_where


_WORDS = "select a b ( ) , from t where = and or not in 1 'x' * . order by case when then end union"


@given(st.lists(st.sampled_from(_WORDS.split())))
def test_any_words_are_a_statement_or_an_oracle_error(words: list[str]) -> None:
    sql = " ".join(["select", *words])
    try:
        statement = parse_statement(sql)
    except OracleError:
        return
    assert statement.end == len(sql)

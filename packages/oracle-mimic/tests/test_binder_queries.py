"""Queries bound by the binder and run on DuckDB: what Oracle's constructs mean."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from binder_bench import Bench


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.connection.close()


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.as_of.clear()
    return shared


def first(rows: list[tuple[Any, ...]]) -> list[Any]:
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("sql", "values", "expected"),
    [
        # joins
        ("select w.name from worker w join site s on w.site_id = s.id where s.city = 'OLINDA' order by 1", (), ["CID", "DEB"]),
        ("select s.city from worker w left join site s on w.site_id = s.id where w.id = 5", (), [None]),
        ("select city from worker right join site on worker.site_id = site.id where worker.id is null", (), ["NATAL"]),
        ("select w.name from worker w full join site s on w.site_id = s.id where s.id is null", (), ["EVE"]),
        ("select s.city from worker w, site s where w.site_id = s.id(+) and w.id in (1, 5) order by w.id", (), ["RECIFE", None]),
        ("select w.name from site s, worker w where s.id = w.site_id(+) and w.pay(+) > 6000 and s.id = 20", (), [None]),
        ("select count(*) from worker cross join site", (), [15]),
        ("select id from worker join stage using (id) order by id", (), [1, 4]),
        ("select city from site natural join (select 10 id from dual)", (), ["RECIFE"]),
        ("select x.name from worker w cross apply (select b.name from worker b where b.id = w.boss_id) x where w.id = 4", (), ["BEN"]),
        ("select x.name from worker w outer apply (select b.name from worker b where b.id = w.boss_id) x where w.id = 1", (), [None]),
        ("select b.name from worker w, lateral (select name from worker i where i.id = w.boss_id) b where w.id = 5", (), ["BEN"]),
        # subqueries
        ("select name from worker where id in (select boss_id from worker) order by 1", (), ["ANA", "BEN"]),
        ("select name from worker where id not in (select boss_id from worker)", (), []),
        ("select name from worker w where not exists (select 1 from worker where boss_id = w.id) order by 1", (), ["CID", "DEB", "EVE"]),
        ("select name from worker where pay > (select avg(pay) from worker) order by 1", (), ["ANA", "BEN", "CID"]),
        ("select name from worker where pay >= all (select pay from worker)", (), ["ANA"]),
        ("select name from worker where pay < any (select 3500 from dual) order by 1", (), ["DEB", "EVE"]),
        ("select name from worker where id = any (1, 2) and id <> all (2, 3)", (), ["ANA"]),
        ("select name from worker where (id, site_id) in ((1, 10), (2, 20))", (), ["ANA"]),
        ("select name from worker where (id, site_id) not in (select 1, 10 from dual) order by id", (), ["BEN", "CID", "DEB", "EVE"]),
        ("select name from worker where (site_id, bonus) not in (select 30, null from dual) order by id", (), ["ANA", "BEN", "CID", "DEB"]),
        ("select (select city from site s where s.id = w.site_id) from worker w where id = 3", (), ["OLINDA"]),
        # WITH
        ("with a as (select id x from worker), b (y) as (select x + 1 from a) select max(y) from b", (), [6]),
        ("with r (n) as (select 1 from dual union all select n + 1 from r where n < 4) select n from r order by n", (), [1, 2, 3, 4]),
        # set operations
        ("select id from worker union select id from site minus select 1 from dual order by 1", (), [2, 3, 4, 5, 10, 20, 30]),
        ("select 1 a from dual union all select 2 from dual intersect select 2 from dual", (), [2]),
        ("select null from dual union select name from worker where id = 1 order by 1 nulls first", (), [None, "ANA"]),
        # ROWNUM
        ("select count(*) from (select * from worker where rownum <= :1)", (2,), [2]),
        ("select name from worker where rownum = 1", (), ["ANA"]),
        ("select name from worker where rownum = 2", (), []),
        ("select name from worker where rownum > 1", (), []),
        ("select name from worker where 2 >= rownum and pay < 9000 order by name desc", (), ["CID", "BEN"]),
        ("select count(*) from worker where rownum < 3", (), [2]),
        ("select count(*) from worker where rownum <> 3", (), [2]),
        ("select count(*) from worker where rownum between 1 and 4", (), [4]),
        ("select count(*) from worker where rownum <= :1", (None,), [0]),
        ("select rownum from worker where pay < 4000 order by id desc", (), [2, 1]),
        ("select name from (select name from worker order by pay) where rownum <= 2", (), ["EVE", "DEB"]),
        ("select r from (select rownum r, name from (select name from worker order by name)) where r between 2 and 3", (), [2, 3]),
        # ORDER BY, FETCH
        ("select bonus from worker order by bonus", (), [50, 100, None, None, None]),
        ("select bonus from worker order by bonus desc", (), [None, None, None, 100, 50]),
        ("select bonus from worker order by bonus desc nulls last fetch first row only", (), [100]),
        ("select upper(name) n from worker order by n desc fetch first 2 rows only", (), ["EVE", "DEB"]),
        ("select name from worker order by pay desc, 1 offset :1 rows fetch next :2 rows only", (1, 2), ["BEN", "CID"]),
        ("select name from worker order by pay desc fetch first 2 rows with ties", (), ["ANA", "BEN", "CID"]),
        ("select name from worker order by id fetch first 50 percent rows only", (), ["ANA", "BEN", "CID"]),
        ("select name from worker order by id offset 3 rows", (), ["DEB", "EVE"]),
        ("select distinct pay from worker order by pay desc", (), [9000, 5000, 3000, 2000]),
        # groups
        ("select count(*) from worker group by site_id order by site_id", (), [2, 2, 1]),
        ("select site_id from worker group by site_id having sum(pay) > 9000", (), [10]),
        ("select upper(name) from worker group by upper(name), pay order by pay fetch first 1 rows only", (), ["EVE"]),
        ("select sum(pay) from worker group by rollup (site_id) order by 1", (), [2000, 8000, 14000, 24000]),
        ("select grouping(site_id) from worker group by rollup (site_id) order by 1", (), [0, 0, 0, 1]),
        ("select max(name) keep (dense_rank last order by hired) from worker", (), ["EVE"]),
        ("select min(name) keep (dense_rank first order by pay desc, id desc) from worker", (), ["ANA"]),
        ("select count(bonus) from worker", (), [2]),
        ("select sum(pay) from worker where 1 = 0", (), [None]),
        ("select hired + 1, count(*) from worker group by hired + 1 having hired + 1 > date '2023-06-01' order by hired + 1", (),
         [datetime(2024, 1, 2)]),
        ("select distinct hired + 1 from worker where id < 3 order by hired + 1 desc", (), [datetime(2021, 1, 2), datetime(2020, 1, 2)]),
        # analytic
        ("select row_number() over (partition by site_id order by pay desc) from worker order by id", (), [1, 2, 1, 2, 1]),
        ("select sum(count(*)) over (order by site_id) from worker group by site_id order by 1", (), [2, 4, 5]),
        ("select lag(name) over (order by id) from worker order by id", (), [None, "ANA", "BEN", "CID", "DEB"]),
        (
            "select sum(id) over (order by id rows between 1 preceding and current row) from worker order by id",
            (), [1, 3, 5, 7, 9],
        ),
        ("select sum(id) over (order by hired range between 366 preceding and current row) from worker order by id", (), [1, 3, 5, 7, 9]),
        ("select count(*) over (order by hired range interval '1' year preceding) from worker order by id", (), [1, 2, 2, 2, 2]),
        ("select max(name) keep (dense_rank first order by pay) over (partition by site_id) from worker order by id", (),
         ["BEN", "BEN", "DEB", "DEB", "EVE"]),
        ("select max(count(*)) from worker group by site_id", (), [2]),
        # hierarchies
        ("select level from dual connect by level <= 3", (), [1, 2, 3]),
        ("select count(*) from dual connect by level <= 0", (), [1]),
        ("select date '2024-01-01' + level - 1 from dual connect by level <= :1", (1,), [datetime(2024, 1, 1)]),
        ("select name from worker start with boss_id is null connect by prior id = boss_id", (), ["ANA", "BEN", "DEB", "EVE", "CID"]),
        ("select level from worker start with id = 2 connect by prior id = boss_id order by name", (), [1, 2, 2]),
        ("select prior name from worker where level = 2 start with boss_id is null connect by boss_id = prior id", (), ["ANA", "ANA"]),
        ("select name from worker start with id = 1 connect by prior id = boss_id order siblings by name desc", (),
         ["ANA", "CID", "BEN", "EVE", "DEB"]),
        ("select sys_connect_by_path(name, '/') from worker where level = 3 start with id = 1 connect by prior id = boss_id order by 1", (),
         ["/ANA/BEN/DEB", "/ANA/BEN/EVE"]),
        ("select connect_by_root id from worker start with id in (2, 3) connect by prior id = boss_id order by 1", (), [2, 2, 2, 3]),
        ("select name from worker where connect_by_isleaf = 1 start with id = 1 connect by prior id = boss_id order by 1", (),
         ["CID", "DEB", "EVE"]),
        ("select count(*) from worker start with id = 1 connect by nocycle prior id = boss_id or prior boss_id = id", (), [5]),
        ("select prior name || rownum from worker where rownum <= 2 start with id = 1 connect by prior id = boss_id", (), ["1", "ANA2"]),
        ("select count(*) from worker start with id = 1 connect by prior id = boss_id having max(level) = 3", (), [5]),
        # other sources
        ("select sum(column_value) from table(sys.odcinumberlist(1, 2.5, :1))", (4,), [Decimal("7.5")]),
        ("select name from worker where name in (select column_value from table(odcivarchar2list('EVE', 'ZOE')))", (), ["EVE"]),
        ("select count(*) from table(sys.odcidatelist()) t", (), [0]),
        ("select column_value from xmltable('1 to 3')", (), ["1", "2", "3"]),
        ("select n from (select id, pay from worker where id = 1) unpivot (v for n in (id, pay)) order by n", (), ["ID", "PAY"]),
        (
            "select * from (select site_id, pay from worker) pivot (sum(pay) for site_id in (10 as ten, 20)) where 1 = 1",
            (), [14000],
        ),
        ("select name from worker as of scn 4711 where id = 1", (), ["ANA"]),
        ("select dummy from sys.dual", (), ["X"]),
        # values
        ("select case id when 1 then 'one' else 'many' end from worker where id < 3 order by id", (), ["one", "many"]),
        ("select case when bonus is null then 'none' end from worker where id in (1, 2) order by id", (), ["none", None]),
        ("select extract(year from hired) from worker where id = 3", (), [2022]),
        ("select trim(leading 'A' from name) from worker where id = 1", (), ["NA"]),
        ("select cast('12' as number(4)) from dual", (), [12]),
        ("select 'a' || null || 1 from dual", (), ["a1"]),
        ("select :1 || :1 from dual", ("a", "b"), ["ab"]),
        ("select -id from worker where id = 1", (), [-1]),
        ("select worker.\"NAME\" from wms.worker where wms.worker.id = 1", (), ["ANA"]),
        ("select \"mixed Case\" from log where \"mixed Case\" = 'a'", (), ["a"]),
        ("select name from worker where not (id = 1 or (site_id = 20 and id in (3, 4)))", (), ["BEN", "EVE"]),
        ("select name from worker where name like 'B%' or name like '%\\_' escape '\\'", (), ["BEN"]),
        ("select name from worker where hired > date '2022-06-01' order by hired", (), ["DEB", "EVE"]),
        ("select count(distinct pay) from worker", (), [4]),
        ("select (date '2024-01-02' - date '2024-01-01') day to second from dual", (), [86_400_000_000_000]),
        ("select count(*) from worker sample (99.9999)", (), [5]),
        ("select count(*) from (select name from worker union all select city from site)", (), [8]),
    ],
)  # fmt: skip
def test_first_column(bench: Bench, sql: str, values: tuple[Any, ...], expected: list[Any]) -> None:
    found = first(bench.rows(sql, *values))
    if "order by" not in sql and "start with" not in sql and "level" not in sql:
        found, expected = sorted(found, key=_sort_key), sorted(expected, key=_sort_key)
    assert found == expected


def _sort_key(value: Any) -> tuple[bool, str]:
    return value is None, str(value)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select 1, 'Ab c', count ( * ) /* x */, a.id + 1 from worker a group by a.id", ["1", "'ABC'", "COUNT(*)", "A.ID+1"]),
        ('select w.name, "mixed Case", w.id ident, log.id as "Id" from worker w, log', ["NAME", "mixed Case", "IDENT", "Id"]),
        ("select * from site", ["ID", "CITY"]),
        ("select s.*, 1 one from wms.site s", ["ID", "CITY", "ONE"]),
        ("select wms.site.* from wms.site", ["ID", "CITY"]),
        ("select * from stage join site using (id)", ["ID", "PAY", "OLD", "CITY"]),
        ("select * from worker natural join site where 1 = 0", ["ID", "NAME", "BOSS_ID", "HIRED", "PAY", "BONUS", "SITE_ID", "CITY"]),
        ("select seq.nextval, rowid, rownum from site", ["NEXTVAL", "ROWID", "ROWNUM"]),
        (
            "select * from (select site_id, pay from worker) pivot (sum(pay) s, count(*) for site_id in (10 ten))",
            None,
        ),
        ("select * from (select site_id, pay from worker) pivot (sum(pay) s, count(*) n for site_id in (10 ten))", ["TEN_S", "TEN_N"]),
    ],
)
def test_column_names(bench: Bench, sql: str, names: list[str] | None) -> None:
    if names is None:
        with pytest.raises(Exception, match="ORA-00918"):
            bench.names(sql)
    else:
        assert bench.names(sql) == names


def test_distinct_and_groups_take_one_instant_in_two_zones_for_one(bench: Bench) -> None:
    assert len(bench.rows("select distinct at from log")) == 1
    assert first(bench.rows("select count(*) from log group by at")) == [2]
    assert len(bench.rows("select at from log union select at from log")) == 1


def test_zoned_times_leave_with_their_offset(bench: Bench) -> None:
    assert bench.rows('select at from log order by "mixed Case"') == [((0, 0),), ((0, 120),)]


def test_rownum_conditions_become_a_limit(bench: Bench) -> None:
    bound = bench.bind("select name from worker where rownum <= 10")
    assert "LIMIT" in bound.sql
    assert "row_number" not in bound.sql


def test_flashback_moments_reach_the_session(bench: Bench) -> None:
    bench.rows("select name from worker as of scn :1 where id = 1", 4711)
    bench.rows("select name from worker as of timestamp systimestamp - interval '1' minute where id = 1")
    assert [(bench.as_of[0].scn is None), (bench.as_of[1].timestamp is None)] == [False, False]


def test_for_update_adds_the_rowids_to_lock(bench: Bench) -> None:
    bound = bench.bind("select name from worker w, site s where w.site_id = s.id for update of w.pay wait 3")
    assert bound.locks_rows
    assert bound.locked_tables == (100,)
    assert bound.for_update == 3
    assert len(bench.run(bound.sql, {})[0]) == 2
    assert bench.bind("select name from worker for update").for_update is None
    assert bench.bind("select name from worker for update skip locked").for_update == -1


def test_types_are_told_as_a_describe_tells_them(bench: Bench) -> None:
    bound = bench.bind("select id, name, pay, hired, rowid, bonus from worker")
    assert [(c.name, c.type.kind.value, c.nullable) for c in bound.columns] == [
        ("ID", "NUMBER", False),
        ("NAME", "VARCHAR2", True),
        ("PAY", "NUMBER", True),
        ("HIRED", "DATE", True),
        ("ROWID", "ROWID", False),
        ("BONUS", "NUMBER", True),
    ]
    assert (bound.columns[2].type.precision, bound.columns[2].type.scale) == (7, 2)


def test_the_optional_side_of_an_outer_join_is_nullable(bench: Bench) -> None:
    bound = bench.bind("select s.id from worker w left join site s on w.site_id = s.id")
    assert bound.columns[0].nullable


def test_a_loop_in_the_data_ends_the_hierarchy(bench: Bench) -> None:
    with pytest.raises(Exception, match="ORA-01436"):
        bench.rows("select name from worker start with id = 1 connect by prior id = boss_id or prior boss_id = id or prior id = id")


def test_sequence_values(bench: Bench) -> None:
    one, two = (bench.rows("select seq.nextval from dual")[0][0] for _ in range(2))
    assert two == one + 1
    assert isinstance(one, Decimal)

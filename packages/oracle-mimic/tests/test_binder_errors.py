"""What Oracle refuses, the binder refuses: the same code, the same place."""

from collections.abc import Iterator

import pytest
from binder_bench import Bench
from oracle_mimic.errors import OracleError


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.connection.close()


@pytest.mark.parametrize(
    ("sql", "code", "offset"),
    [
        ("select a from nowhere", 942, 14),
        ("select a from other.worker", 942, 14),
        ("select nope from worker", 904, 7),
        ("select w.nope from worker w", 904, 7),
        ("select worker.id from worker w", 904, 7),
        ('select "id" from worker', 904, 7),
        ("select x.* from worker", 904, None),
        ("select nope(id) from worker", 904, 7),
        ("select id from worker, site", 918, 7),
        ("select * from (select id, id from worker)", 918, None),
        ("select site.id from worker join site using (id)", 25154, 7),
        ("select upper(name) n from worker where n = 'A'", 904, 39),
        ("select site_id s, count(*) from worker group by s", 904, 48),
        ("select name, count(*) from worker", 937, 7),
        ("select name, count(*) from worker group by site_id", 979, 7),
        ("select * from worker group by id", 979, None),
        ("select site_id from worker group by site_id order by name", 979, 53),
        ("select count(*) from worker where count(*) > 1", 934, 34),
        ("select max(count(*)) from worker", 978, 11),
        ("select count() from worker", 909, 7),
        ("select max(min(count(*))) from worker group by site_id", 935, None),
        ("select 1 from worker group by (select max(id) from site)", 22818, 30),
        ("select id from worker where row_number() over (order by id) = 1", 30483, 28),
        ("select row_number() from worker", 30484, None),
        ("select id from worker union select id, name from worker", 1789, 0),
        ("select id from worker union select name from worker", 1790, 0),
        ("select id from worker order by 2", 1785, 31),
        ("select distinct id from worker order by name", 1791, 40),
        ("select id from worker union select id from site order by nope", 904, 57),
        ("select id from worker where id = (select id, name from worker)", 913, None),
        ("select id from worker where id in (select id, name from worker)", 913, None),
        ("select id from worker where (id, name) in (select id from worker)", 947, None),
        ("select id from worker where hired > 5", 932, None),
        ("select level from worker", 1788, 7),
        ("select prior id from worker", 1788, 7),
        ("select connect_by_root id from worker", 1788, 7),
        ("select sys_connect_by_path(name, '/') from worker", 30002, 7),
        ("select name from worker order siblings by name", 30929, None),
        ("select site_id, max(count(*)) from worker group by site_id", 937, 7),
        ("select count(*) over (order by id, pay range 1 preceding) from worker", 30486, None),
        ("select count(*) over (rows 1 preceding) from worker", 30485, None),
        ("select seq.nextval from worker where seq.nextval > 1", 2287, 37),
        ("select nope.nextval from dual", 2289, 7),
        ("select worker.id from worker, worker", 918, 7),
        ("select id from worker w, site s where w.site_id = s.id(+) and w.id(+) = s.id", 1416, None),
        ("select w.id from worker w join site s on w.id = s.id(+)", 25156, None),
        ("select w.id from worker w, site s where w.id = s.id(+) or w.id = 1", 1719, None),
        ("select distinct id from worker for update", 2014, None),
        ("select count(*) from worker for update", 2014, None),
        ("select a.id from worker a, (select a.id from dual) b", 904, None),
        ("select :1 from dual", 1008, 7),
        ("select distinct count(distinct *) from worker", 936, None),
        ("with a as (select 1 x from dual), a as (select 2 x from dual) select * from a", 32031, None),
        ("with r (n) as (select 1 from dual union select n + 1 from r) select n from r", 32040, None),
        ("with r as (select 1 n from dual union all select n + 1 from r) select n from r", 32039, None),
        ("select * from worker sample (0)", 30562, None),
    ],
)
def test_codes(bench: Bench, sql: str, code: int, offset: int | None) -> None:
    with pytest.raises(OracleError) as caught:
        bench.bind(sql)
    assert caught.value.code == code
    assert offset is None or caught.value.offset == offset


def test_what_is_nested_too_deeply_is_refused_and_long_chains_are_not(bench: Bench) -> None:
    with pytest.raises(OracleError, match="nested this deeply"):
        bench.bind("select " + "(" * 5000 + "1" + ")" * 5000 + " from dual")
    with pytest.raises(OracleError, match="nested this deeply"):
        bench.bind("select " + "nvl(" * 700 + "1" + ", 2)" * 700 + " from dual")
    with pytest.raises(OracleError, match="nested this deeply"):
        bench.rows("select " + " || ".join("'a'" for _ in range(2000)) + " from dual")
    assert bench.rows("select " + " || ".join("'a'" for _ in range(200)) + " from dual") == [("a" * 200,)]
    assert bench.rows("select count(*) from worker where " + " or ".join(f"id = {n}" for n in range(3000))) == [(5,)]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("select nope from worker", '"NOPE": invalid identifier'),
        ('select w."no pe" from worker w', '"W"."no pe": invalid identifier'),
        ("select wms.worker.nope from worker", '"WMS"."WORKER"."NOPE": invalid identifier'),
    ],
)
def test_unknown_names_are_printed_as_oracle_does(bench: Bench, sql: str, text: str) -> None:
    with pytest.raises(OracleError) as caught:
        bench.bind(sql)
    assert caught.value.text == text


@pytest.mark.parametrize(
    "sql",
    [
        "select ora_rowscn from worker",
        "select count(*) over (order by name range between 1 preceding and current row) from worker",
        "select id from worker where rownum <= 1 or id = 2",
        "select ora_hash(id) from worker",
        "select stddev(pay) keep (dense_rank first order by id) from worker",
    ],
)
def test_what_is_not_known_to_be_faithful_is_refused(bench: Bench, sql: str) -> None:
    with pytest.raises(OracleError, match="ORA-03001"):
        bench.bind(sql)

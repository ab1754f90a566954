"""Every function, mask and form that part 2 of the mimic names, with the arguments that other databases take otherwise.

NULL and '', zero, negative and fractional positions, text of several bytes; a number is the ORA code of a refusal.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from binder_bench import Bench
from expression_cases import bench
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import Nls

__all__ = ["bench"]


class Refused(int):
    """An ORA code."""


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


TEXT = [
    ("'a' || null || 'b'", "ab"),
    ("null || null", None),
    ("'' || ''", None),
    ("nvl2(null, 1, 2)", 2),
    ("nvl2('', 1, 2)", 2),
    ("nvl2(0, 1, 2)", 1),
    ("nvl('', 'x')", "x"),
    ("greatest(1, null, 3)", None),
    ("least('a', 'b', null)", None),
    ("greatest('10', 9)", "9"),  # the first argument's type decides
    ("greatest(10, '9')", 10),
    ("greatest(date '2024-01-01', '02-JAN-24')", day("2024-01-02")),
    ("substr('hello', 0, 2)", "he"),
    ("substr('hello', -3, 2)", "ll"),
    ("substr('hello', -10)", None),
    ("substr('hello', 2, 0)", None),
    ("substr('hello', 2, -1)", None),
    ("substr('hello', 2.9, 1.9)", "e"),
    ("substr('héllo', 2, 1)", "é"),
    ("substr('', 1)", None),
    ("substr('abc', null)", None),
    ("instr('banana', 'a', 1, 2)", 4),
    ("instr('banana', 'a', -1)", 6),
    ("instr('banana', 'a', -1, 2)", 4),
    ("instr('banana', 'a', 0)", 0),
    ("instr('banana', '')", None),
    ("instr('banana', 'a', 1, 0)", Refused(1428)),
    ("instr('maçã', 'ã')", 4),
    ("lpad('abc', 2)", "ab"),
    ("lpad('abc', 5, 'xy')", "xyabc"),
    ("lpad('abc', 0)", None),
    ("lpad('abc', -1)", None),
    ("lpad('abc', 5, '')", None),
    ("rpad('é', 3, '*')", "é**"),
    ("rpad(null, 3, '*')", None),
    ("trim('  a ')", "a"),
    ("trim(both 'x' from 'xxaxx')", "a"),
    ("trim(leading from '  a ')", "a "),
    ("trim(trailing 'é' from 'aéé')", "a"),
    ("trim('xy' from 'xya')", Refused(30001)),
    ("trim('')", None),
    ("trim('x' from 'xx')", None),
    ("regexp_like('x', '')", Refused(904)),  # a condition, not a value
    ("regexp_substr('a1b22', '[0-9]+', 1, 2)", "22"),
    ("regexp_substr('abc', '(a)(b)', 1, 1, 'i', 2)", "b"),
    ("regexp_substr('', 'a')", None),
    ("regexp_replace('aaa', 'a', 'b', 1, 2)", "aba"),
    ("regexp_replace('John Smith', '(\\w+) (\\w+)', '\\2 \\1')", "Smith John"),
    ("regexp_replace('aaa', 'a')", None),
    ("regexp_count('ababab', 'ab', 3)", 2),
    ("regexp_count('', 'x')", None),
    ("regexp_count('ÁÉ', '[[:alpha:]]')", 2),
    ("translate('abc', 'ab', 'x')", "xc"),
    ("translate('abc', 'abc', '')", None),
    ("translate('ação', 'çã', 'ca')", "acao"),
    ("initcap('hello wORLD-foo o''neil')", "Hello World-Foo O'Neil"),
    ("initcap('')", None),
    ("q'[it's]' || nq'{x}'", "it'sx"),
    ("q'!a'b!'", "a'b"),
    ("length('')", None),
    ("length('é')", 1),
    ("lengthb('é')", 2),
    ("replace('abc', 'b')", "ac"),
    ("replace('abc', '', 'x')", "abc"),
    ("decode(null, null, 'n', 'x')", "n"),
    ("decode(1, 2, 'a')", None),
    ("coalesce(null, '', 'x')", "x"),
    ("nullif('x', 'x')", None),
]

NUMBERS = [
    ("0.1 + 0.2", Decimal("0.3")),
    ("1 / 3", Decimal("0." + "3" * 40)),
    ("2 / 3", Decimal("0." + "6" * 39 + "7")),
    ("1e38 + 1", Decimal("1" + "0" * 37 + "1")),
    ("1 / 0", Refused(1476)),
    ("1e126", Refused(1426)),
    ("1e-131", 0),
    ("mod(-5, 3)", -2),
    ("mod(5, 0)", 5),
    ("remainder(5, 3)", -1),
    ("power(-8, 1/3)", Refused(1428)),
    ("sqrt(-1)", Refused(1428)),
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(1.005, 2)", Decimal("1.01")),
    ("round(12345.678, -2)", 12300),
    ("round(null)", None),
    ("round(1.5, null)", None),
    ("trunc(-12.789, 1)", Decimal("-12.7")),
    ("trunc(12345, -3)", 12000),
    ("ceil(-1.5)", -1),
    ("floor(-1.5)", -2),
    ("sign(-0.0)", 0),
    ("width_bucket(5, 0, 10, 5)", 3),
    ("width_bucket(-1, 0, 10, 5)", 0),
    ("width_bucket(10, 0, 10, 5)", 6),
    ("width_bucket(5, 10, 0, 5)", 3),
    ("width_bucket(null, 0, 10, 5)", None),
    ("width_bucket(5, 0, 10, 0)", Refused(30494)),
    ("width_bucket(date '2024-01-05', date '2024-01-01', date '2024-01-11', 10)", 5),
    ("to_number('')", None),
    ("to_number(' 12 ')", 12),
    ("to_number('1e3')", 1000),
    ("to_number('abc')", Refused(1722)),
    ("to_number('1,234.5', '9,999.9')", Decimal("1234.5")),
    ("to_number('$12', '$99')", 12),
    ("to_number('5-', '99S')", -5),
    ("to_number('<5>', '99PR')", -5),
    ("to_number('123', '99')", Refused(1722)),
    ("to_char(1234.567, '9,999.99')", " 1,234.57"),
    ("to_char(-1, 'S99')", " -1"),
    ("to_char(-1, '99MI')", " 1-"),
    ("to_char(0, 'FM999')", "0"),
    ("to_char(0, 'FM990.99')", "0."),
    ("to_char(12345, '999')", "####"),
    ("to_char(0.5)", ".5"),
    ("to_char(-0.5)", "-.5"),
    ("to_char(null, '99')", None),
    ("to_char(5, 'RN')", Refused(3001)),
    ("to_char(5, 'Z')", Refused(1481)),
    ("ora_hash('x')", Refused(3001)),
]

DATES = [
    ("to_char(date '2024-12-30', 'IYYY-IW')", "2025-01"),
    ("to_char(date '2027-01-01', 'IYYY-IW')", "2026-53"),
    ("to_char(date '2024-12-30', 'WW W Q D DDD')", "53 5 4 2 365"),
    ("to_char(date '2024-03-05', 'fmDay, DD Month YYYY')", "Tuesday, 5 March 2024"),
    ("to_char(date '2024-03-05', 'DAY') || '|'", "TUESDAY  |"),
    ("to_char(date '2024-03-05', 'Dy dy DY')", "Tue tue TUE"),
    ("to_char(date '2024-03-05', 'DY', 'NLS_DATE_LANGUAGE=''BRAZILIAN PORTUGUESE''')", "TER"),
    ("to_char(date '2024-03-05', 'MON', 'NLS_DATE_LANGUAGE=KLINGON')", Refused(12702)),
    ("to_char(timestamp '2024-03-05 01:02:03.123456789', 'FF1 FF2 FF3 FF4 FF5 FF6 FF7 FF8 FF9')",
     "1 12 123 1234 12345 123456 1234567 12345678 123456789"),
    ("to_char(timestamp '2024-03-05 01:02:03 -03:30', 'TZH:TZM')", "-03:30"),
    ("to_char(date '2024-03-05' + 0.5, 'SSSSS HH12 HH24 AM')", "43200 12 12 PM"),
    ("to_char(date '2024-03-05', '\"Day \"DD')", "Day 05"),
    ("to_char(date '2024-03-05', 'nonsense')", Refused(1821)),
    ("to_char(to_date('49', 'RR'), 'YYYY')", "2049"),
    ("to_char(to_date('50', 'RR'), 'YYYY')", "1950"),
    ("to_date('', 'YYYY')", None),
    ("to_date('2024-02-30', 'YYYY-MM-DD')", Refused(1839)),
    ("to_date('2024-13-01', 'YYYY-MM-DD')", Refused(1843)),
    ("to_date('2024-01-01 ', 'YYYY-MM-DD')", day("2024-01-01")),
    ("to_date('2024-01-01x', 'YYYY-MM-DD')", Refused(1830)),
    ("to_date('2024/01/01', 'YYYY-MM-DD')", day("2024-01-01")),  # punctuation stands for punctuation
    ("to_date('2024/01/01', 'FXYYYY-MM-DD')", Refused(1861)),
    ("to_date('5 MARÇO 2024', 'DD MONTH YYYY', 'NLS_DATE_LANGUAGE=''BRAZILIAN PORTUGUESE''')", day("2024-03-05")),
    ("trunc(date '2024-03-05', 'IW')", day("2024-03-04")),
    ("trunc(date '2024-03-05', 'D')", day("2024-03-03")),
    ("trunc(date '2024-03-05', 'WW')", day("2024-03-04")),
    ("trunc(date '2024-03-05', 'Q')", day("2024-01-01")),
    ("trunc(date '2024-03-05', 'CC')", day("2001-01-01")),
    ("trunc(date '2024-03-05', 'XX')", Refused(1821)),
    ("trunc(timestamp '2024-03-05 13:59:59.9', 'HH')", day("2024-03-05T13:00")),
    ("round(date '2024-07-01', 'YYYY')", day("2025-01-01")),
    ("round(date '2024-03-16', 'MM')", day("2024-04-01")),
    ("round(date '2024-03-05' + 0.5)", day("2024-03-06")),
    ("add_months(date '2024-01-31', 1)", day("2024-02-29")),
    ("add_months(date '2024-02-29', 12)", day("2025-02-28")),
    ("add_months(date '2024-02-29', -1)", day("2024-01-31")),  # the last day stays the last day
    ("add_months(date '2024-01-31', 1.9)", day("2024-02-29")),
    ("add_months(null, 1)", None),
    ("last_day(date '2024-02-10')", day("2024-02-29")),
    ("next_day(date '2024-03-05', 'MONDAY')", day("2024-03-11")),
    ("next_day(date '2024-03-05', 'TUESDAY')", day("2024-03-12")),
    ("next_day(date '2024-03-05', 'FOO')", Refused(1846)),
    ("months_between(date '2024-03-31', date '2024-02-29')", 1),
    ("months_between(date '2024-03-15', date '2024-03-31')", Decimal(-16) / 31),
    ("numtodsinterval(90, 'minute')", 90 * 60 * 10**9),
    ("numtodsinterval(1, 'fortnight')", Refused(1760)),
    ("numtoyminterval(1.5, 'year')", 18),
    ("extract(hour from timestamp '2024-03-05 13:00:00')", 13),
    ("extract(hour from date '2024-03-05')", Refused(30076)),
    ("extract(year from interval '1-2' year to month)", 1),
    ("extract(timezone_hour from timestamp '2024-03-05 13:00:00 -03:30')", -3),
    ("to_char(from_tz(timestamp '2024-03-05 13:00:00', 'America/Sao_Paulo') at time zone 'UTC', 'HH24:MI TZR')", "16:00 UTC"),
    ("to_char(timestamp '2024-03-05 13:00:00 +01:00' at time zone 'Asia/Tokyo', 'HH24')", "21"),
    ("from_tz(timestamp '2024-03-05 13:00:00', 'Nowhere/X')", Refused(1882)),
    ("date '2024-01-31' + interval '1' month", Refused(1839)),
    ("date '2024-01-02' - date '2024-01-01'", 1),
    ("timestamp '2024-01-02 00:00:00' - timestamp '2024-01-01 12:00:00'", 12 * 3600 * 10**9),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), TEXT + NUMBERS + DATES)
def test_a_function_at_its_edges(bench: Bench, expression: str, expected: Any) -> None:
    bench.nls = Nls()
    query = f"select {expression} from dual"
    if isinstance(expected, Refused):
        with pytest.raises(OracleError) as raised:
            bench.rows(query)
        assert raised.value.code == expected
        return
    found = bench.rows(query)[0][0]
    if isinstance(expected, Decimal) and isinstance(found, Decimal):
        assert abs(found - expected) <= Decimal("1e-27")  # Python's quotient has 28 digits
    else:
        assert found == expected


WORKERS = [
    ("listagg(name, ';' on overflow truncate '..' with count) within group (order by id)", "ANA;BEN;CID;DEB;EVE"),
    ("listagg(bonus) within group (order by id)", "10050"),
    ("percentile_cont(0.5) within group (order by hired)", day("2022-01-01")),
    ("median(hired)", day("2022-01-01")),
    ("median(to_binary_double(pay))", 5000.0),
    ("percentile_disc(1) within group (order by pay)", 9000),
    ("percentile_cont(0) within group (order by pay desc)", 9000),
    ("median(null)", None),
    ("rank() over (order by id)", Refused(937)),
    ("count(distinct bonus)", 2),
    ("avg(bonus)", 75),
    ("sum(null)", None),
]


@pytest.mark.parametrize(("aggregate", "expected"), WORKERS)
def test_an_aggregate_at_its_edges(bench: Bench, aggregate: str, expected: Any) -> None:
    bench.nls = Nls()
    query = f"select {aggregate}, max(1) from worker"
    if isinstance(expected, Refused):
        with pytest.raises(OracleError) as raised:
            bench.rows(query)
        assert raised.value.code == expected
    else:
        assert bench.rows(query)[0][0] == expected


FORMS = [
    ("select median(pay) over (partition by site_id) from worker where id <= 2 order by id", [(7000,), (7000,)]),
    ("select percentile_cont(0.5) within group (order by id) over (partition by site_id) from worker where id = 1", [(1,)]),
    ("select ratio_to_report(bonus) over () from worker where bonus is not null order by id", [(2 / Decimal(3),), (1 / Decimal(3),)]),
    ("select * from (select site_id, name from worker) pivot (count(name) as n for site_id in (10 as rec, 20 as oli))", [(2, 2)]),
    ("select k, v from (select 1 a, 2 b from dual) unpivot (v for k in (a as 'x', b)) order by v", [("x", 1), ("B", 2)]),
    ("select k, v from (select 1 a, cast(null as number) b from dual) unpivot include nulls (v for k in (a, b)) order by k",
     [("A", 1), ("B", None)]),
    ("select k, v from (select 1 a, cast(null as number) b from dual) unpivot (v for k in (a, b))", [("A", 1)]),
    ("select name, prior name, level from worker start with boss_id is null connect by prior id = boss_id and level < 3 order by id",
     [("ANA", None, 1), ("BEN", "ANA", 2), ("CID", "ANA", 2)]),
    ("select sys_connect_by_path(name, '/') from worker where id = 4 start with id = 1 connect by prior id = boss_id", [("/ANA/BEN/DEB",)]),
    ("select connect_by_root name, connect_by_isleaf from worker where id = 4 start with id = 1 connect by prior id = boss_id",
     [("ANA", 1)]),
    ("select site_id from worker minus select id from site", [(None,)]),
    ("select site_id from worker intersect select id from site order by 1", [(10,), (20,)]),
    ("select s.id, w.id from site s, worker w where s.id = w.site_id(+) and w.id(+) > 2 order by 1, 2",
     [(10, None), (20, 3), (20, 4), (30, None)]),
    ("select column_value from xmltable('2 to 3')", [("2",), ("3",)]),
    ("select rownum n from xmltable('1 to 3')", [(1,), (2,), (3,)]),
    ("select /*+ full(w) no_such_hint */ count(*) from worker w", [(5,)]),
    ("select first_value(bonus) ignore nulls over (order by id) from worker order by id", [(None,), (100,), (100,), (100,), (100,)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), FORMS, ids=[query[:70] for query, _ in FORMS])
def test_a_form_of_query(bench: Bench, query: str, expected: Any) -> None:
    bench.nls = Nls()
    if isinstance(expected, Refused):
        with pytest.raises(OracleError) as raised:
            bench.rows(query)
        assert raised.value.code == expected
        return
    found = bench.rows(query)
    if any(isinstance(value, Decimal) for row in expected for value in row):
        assert [[round(value, 20) for value in row] for row in found] == [[round(value, 20) for value in row] for row in expected]
    else:
        assert found == expected

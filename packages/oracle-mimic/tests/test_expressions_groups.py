"""Aggregate and analytic functions, exact to NUMBER's digits."""

from __future__ import annotations

import statistics
from decimal import Context, Decimal
from typing import Any

import pytest
from binder_bench import Bench
from expression_cases import bench, error_code
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_mimic.errors import OracleError
from oracle_mimic.number import from_decimal, to_decimal
from oracle_mimic.sql.expressions.functions_aggregate import interpolated, spread
from oracle_mimic.sql.expressions.number_bytes import limbs, multiply, number_of_limbs, sum_numbers

__all__ = ["bench"]
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False)


def one(bench: Bench, aggregate: str, source: str = "worker") -> Any:
    return bench.rows(f"select {aggregate} from {source}")[0][0]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("count(*)", 5),
        ("count(bonus)", 2),
        ("count(distinct pay)", 4),
        ("sum(pay)", 24000),
        ("sum(distinct pay)", 19000),
        ("sum(bonus)", 150),
        ("avg(pay)", 4800),
        ("avg(bonus)", 75),
        ("avg(id / 3)", 1),
        ("avg(distinct pay)", 4750),
        ("min(pay)", 2000),
        ("max(pay)", 9000),
        ("min(name)", "ANA"),
        ("max(to_char(id))", "5"),
        ("median(pay)", 5000),
        ("median(bonus)", 75),
        ("stddev(bonus)", "35.35533905932737622004221810524245196424"),
        ("variance(bonus)", 1250),
        ("var_pop(bonus)", 625),
        ("stddev_pop(bonus)", 25),
        ("stddev(case when id = 1 then pay end)", 0),
        ("stddev_samp(case when id = 1 then pay end)", None),
        ("percentile_cont(0.25) within group (order by pay)", 3000),
        ("percentile_cont(0.1) within group (order by pay desc)", 7400),
        ("percentile_disc(0.5) within group (order by pay)", 5000),
        ("percentile_disc(0.2) within group (order by pay)", 2000),
        ("percentile_disc(0.5) within group (order by name desc)", "CID"),
        ("listagg(name, ', ') within group (order by pay desc, name)", "ANA, BEN, CID, DEB, EVE"),
        ("listagg(bonus, '+') within group (order by id)", "100+50"),
        ("listagg(name) within group (order by id)", "ANABENCIDDEBEVE"),
        ("min(name) keep (dense_rank first order by pay)", "EVE"),
        ("max(name) keep (dense_rank last order by hired)", "EVE"),
        ("sum(pay) keep (dense_rank last order by pay)", 9000),
        ("sum(pay) keep (dense_rank first order by bonus nulls first)", 16000),
        ("count(*) keep (dense_rank first order by case when pay > 2500 then 1 else 2 end)", 4),
        ("count(bonus) keep (dense_rank last order by 1)", 2),
        ("avg(pay) keep (dense_rank first order by case when pay > 2500 then 1 else 2 end)", 5500),
        ("sum(pay) / count(*)", 4800),
        ("sum('1')", 5),
        ("max(hired) - min(hired)", 1461),
    ],
)
def test_an_aggregate_has_oracles_value(bench: Bench, aggregate: str, expected: Any) -> None:
    found = one(bench, aggregate)
    assert found == (Decimal(expected) if isinstance(found, Decimal) else expected)


def test_no_rows_give_null_or_zero(bench: Bench) -> None:
    nothing = "worker where 1 = 0"
    for aggregate in ("sum(pay)", "avg(pay)", "min(pay)", "median(pay)", "stddev(pay)", "listagg(name, ',') within group (order by id)"):
        assert one(bench, aggregate, nothing) is None
    assert one(bench, "count(*)", nothing) == 0


@given(st.lists(amounts, min_size=1, max_size=30))
def test_sums_and_spreads_are_exact(values: list[Decimal]) -> None:
    data = [from_decimal(value) for value in values]
    total = sum_numbers(data)
    assert total is not None
    assert to_decimal(total) == sum(values, Decimal(0))
    parts = [sum(column, Decimal(0)) for column in zip(*map(limbs, data), strict=True)]
    assert number_of_limbs(parts) == total
    squares = sum_numbers([multiply(value, value) for value in data])
    assert squares is not None
    population = spread(len(values), total, squares, "VAR_POP")
    assert population is not None
    exact = Context(prec=80)
    mean = exact.divide(sum(values, Decimal(0)), Decimal(len(values)))
    expected = exact.divide(sum((exact.power(exact.subtract(v, mean), 2) for v in values), Decimal(0)), Decimal(len(values)))
    assert abs(to_decimal(population) - expected) <= abs(expected) * Decimal("1E-20") + Decimal("1E-20")


@given(st.lists(amounts, min_size=1, max_size=30))
def test_the_median_agrees_with_pythons(values: list[Decimal]) -> None:
    ordered, middle = sorted(values), (len(values) - 1) // 2
    around = ordered[middle], ordered[min(middle + 1, len(values) - 1)]
    found = interpolated(from_decimal(around[0]), from_decimal(around[1]), len(values), "0.5")
    assert to_decimal(found) == statistics.median(values)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-99, 99)), min_size=1, max_size=12))
def test_analytic_sums_agree_with_python(bench: Bench, rows: list[tuple[int, int]]) -> None:
    source = " union all ".join(f"select {n} n, {group} g, {amount} x from dual" for n, (group, amount) in enumerate(rows))
    columns = "g, x, sum(x) over (partition by g), avg(x) over (partition by g), row_number() over (order by n)"
    found = bench.rows(f"select {columns} from ({source}) order by n")
    for position, (group, amount, total, mean, number) in enumerate(found, start=1):
        members = [x for g, x in rows if g == group]
        assert (group, amount) == rows[position - 1]
        assert total == sum(members)
        assert abs(mean - Context(prec=60).divide(Decimal(sum(members)), Decimal(len(members)))) < Decimal("1E-36")
        assert number == position


@pytest.mark.parametrize(
    ("analytic", "expected"),
    [
        ("row_number() over (order by pay desc, id)", [1, 2, 3, 4, 5]),
        ("rank() over (order by pay desc)", [1, 2, 2, 4, 5]),
        ("dense_rank() over (order by pay desc)", [1, 2, 2, 3, 4]),
        ("ntile(2) over (order by id)", [1, 1, 1, 2, 2]),
        ("lag(pay) over (order by id)", [None, 9000, 5000, 5000, 3000]),
        ("lag(pay, 2, 0) over (order by id)", [0, 0, 9000, 5000, 5000]),
        ("lead(name, 1, 'none') over (order by id)", ["BEN", "CID", "DEB", "EVE", "none"]),
        ("lag(bonus ignore nulls) over (order by id)", [None, None, 100, 100, 50]),
        ("first_value(name) over (order by id)", ["ANA"] * 5),
        ("last_value(name) over (order by id rows between unbounded preceding and unbounded following)", ["EVE"] * 5),
        ("nth_value(name, 2) over (order by id rows between unbounded preceding and unbounded following)", ["BEN"] * 5),
        ("sum(pay) over (order by id)", [9000, 14000, 19000, 22000, 24000]),
        ("count(*) over ()", [5] * 5),
        ("max(pay) over (partition by site_id)", [9000, 9000, 5000, 5000, 2000]),
        ("ratio_to_report(pay) over ()", ["0.375", None, None, "0.125", None]),
        ("percent_rank() over (order by pay desc)", [0, "0.25", "0.25", "0.75", 1]),
        ("cume_dist() over (order by pay desc)", ["0.2", "0.6", "0.6", "0.8", 1]),
        ("median(pay) over (partition by site_id)", [7000, 7000, 4000, 4000, 2000]),
        ("listagg(name, ',') within group (order by id) over (partition by site_id)", ["ANA,BEN", "ANA,BEN", "CID,DEB", "CID,DEB", "EVE"]),
        ("percentile_cont(0.5) within group (order by pay) over (partition by site_id)", [7000, 7000, 4000, 4000, 2000]),
    ],
)
def test_an_analytic_function_has_oracles_values(bench: Bench, analytic: str, expected: list[Any]) -> None:
    found = [row[0] for row in bench.rows(f"select v from (select id, {analytic} v from worker) order by id")]
    pairs = [(f, e) for f, e in zip(found, expected, strict=True) if not (e is None and "ratio" in analytic)]
    assert [f for f, _ in pairs] == [Decimal(e) if isinstance(f, Decimal) else e for f, e in pairs]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("sum(hired)", 932),
        ("avg(name)", 1722),
        ("row_number()", 30484),
        ("rank() over ()", 30485),
        ("lag(pay) over ()", 30485),
        ("ratio_to_report(pay) over (order by pay)", 30487),
        ("sum(distinct pay) over (order by pay)", 30487),
        ("median(pay) over (order by pay)", 30487),
        ("percentile_cont(2) within group (order by pay)", 30495),
        ("median(name)", 1722),
        ("max(to_clob(name))", 932),
        ("corr(pay, bonus)", 3001),
        ("sum(pay, bonus)", 909),
        ("listagg(rpad(name, 2000), ',') within group (order by id)", 1489),
    ],
)
def test_a_wrong_aggregate_has_oracles_code(bench: Bench, expression: str, code: int) -> None:
    with pytest.raises(OracleError) as caught:
        bench.rows(f"select {expression} from worker")
    assert caught.value.code == code


def test_sum_of_wide_numbers_goes_beyond_38_digits(bench: Bench) -> None:
    assert one(bench, "sum(x)", "(select 9e125 x from dual union all select -9e125 from dual union all select 1 from dual)") == 1
    assert error_code(bench, "sum(9e125) + 9e125") == 1426


@given(st.integers(-(10**38), 10**38), st.integers(-130, 88))
def test_a_number_goes_through_limbs_unharmed(digits: int, exponent: int) -> None:
    data = from_decimal(Decimal(digits).scaleb(exponent, context=Context(prec=60)))
    assert number_of_limbs([Decimal(part) for part in limbs(data)]) == data


def test_running_sums_of_free_numbers_take_linear_time(bench: Bench) -> None:
    series = "(select to_number(column_value) n, column_value / 3 x from xmltable('1 to 5000'))"
    found = bench.rows(f"select max(s), max(a), max(d) from (select sum(x) over (order by n) s, avg(x) over (order by n) a, "
                       f"stddev(x) over (order by n) d from {series})")[0]  # fmt: skip
    assert abs(found[0] - Decimal(5000 * 5001) / 6) < Decimal("1E-25")
    assert abs(found[1] - Decimal(5001) / 6) < Decimal("1E-25")


def test_a_list_that_is_too_long_is_cut_where_oracle_cuts_it(bench: Bench) -> None:
    series = "(select to_number(column_value) n from xmltable('1 to 900'))"

    def listed(overflow: str) -> str:
        return one(bench, f"listagg(lpad(n, 9, '0'), ',' on overflow {overflow}) within group (order by n)", series)

    values = [f"{n:09d}" for n in range(1, 901)]
    counted = listed("truncate")
    kept = (4000 - 3 - 24) // 10
    assert counted == ",".join(values[:kept]) + f",...({900 - kept})"
    assert listed("truncate '~' without count") == ",".join([*values[: 3999 // 10], "~"])
    assert listed("truncate '~' with count").endswith(f"~({900 - (4000 - 1 - 24) // 10})")
    assert one(bench, "listagg(name, ',' on overflow truncate) within group (order by id)") == "ANA,BEN,CID,DEB,EVE"
    with pytest.raises(OracleError, match="ORA-01489"):
        listed("error")


def test_keep_stands_with_a_partition_and_counts_nothing_as_zero(bench: Bench) -> None:
    over = "keep (dense_rank first order by pay) over (partition by boss_id)"
    rows = bench.rows(f"select name, sum(id) {over}, count(*) {over}, avg(id) {over} from worker order by id")
    assert rows == [("ANA", 1, 1, 1), ("BEN", 5, 2, Decimal("2.5")), ("CID", 5, 2, Decimal("2.5")), ("DEB", 5, 1, 5), ("EVE", 5, 1, 5)]
    empty = "keep (dense_rank last order by pay) from worker where 1 = 0"
    assert bench.rows(f"select count(*) {empty}") == [(0,)]
    assert bench.rows(f"select sum(pay) {empty}") == [(None,)]
    for aggregate, code in (("listagg(name)", 3001), ("sum(distinct pay)", 30482), ("min(*)", 936)):
        with pytest.raises(OracleError) as raised:
            bench.rows(f"select {aggregate} keep (dense_rank last order by pay) from worker")
        assert raised.value.code == code

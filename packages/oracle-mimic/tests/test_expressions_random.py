"""Random expressions of every sort, nested: each has rows or an error of Oracle's, never one of DuckDB's or Python's."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from binder_bench import Bench
from expression_cases import bench
from oracle_mimic.errors import OracleError

__all__ = ["bench"]
ATOMS = {
    "number": ["id", "pay", "bonus", "1", "0.5", "-3", "1e10", "null", "length(name)", "to_number('12.5')", "1.5d"],
    "text": ["name", "'abc'", "'  x '", "'Ação'", "null", "''", "to_char(pay)", "'12'", "cast('q' as char(5))"],
    "date": [
        "hired",
        "sysdate",
        "date '2024-02-29'",
        "systimestamp",
        "timestamp '2024-02-29 10:11:12.123456789'",
        "null",
        "localtimestamp",
    ],
}
# {n} {t} {d} are further expressions of the sort, {c} a condition
SHAPES = {
    "number": [
        "({n} + {n})", "({n} - {n})", "({n} * {n})", "({n} / {n})", "abs({n})", "round({n}, 2)", "trunc({n}, {n})", "mod({n}, {n})",
        "nvl({n}, {n})", "coalesce({n}, {n}, 0)", "case when {c} then {n} else {n} end", "decode({n}, {n}, {n}, {n})", "instr({t}, {t})",
        "months_between({d}, {d})", "extract(month from {d})", "greatest({n}, {n})", "(cast({d} as date) - cast({d} as date))",
        "cast({n} as number(20,3))", "sign(-{n})",
    ],
    "text": [
        "({t} || {t})", "({t} || {n})", "({t} || {d})", "upper({t})", "substr({t}, {n}, {n})", "nvl({t}, {t})", "replace({t}, {t}, {t})",
        "lpad({t}, {n}, {t})", "trim({t})", "to_char({n})", "to_char({d}, 'YYYY-MM-DD HH24:MI')", "decode({t}, {t}, {t}, {t})",
        "case when {c} then {t} end", "nullif({t}, {t})", "regexp_replace({t}, '[a-z]', {t})", "cast({t} as varchar2(7))",
    ],
    "date": [
        "({d} + {n})", "({d} - {n})", "trunc({d}, 'MM')", "trunc({d}, 'IW')", "add_months({d}, {n})", "last_day({d})",
        "({d} + interval '5' hour)", "nvl({d}, {d})", "cast({d} as timestamp(9))", "cast({d} as timestamp with time zone)",
        "case when {c} then {d} else {d} end", "sys_extract_utc(cast({d} as timestamp with time zone))", "least({d}, {d})",
    ],
    "condition": [
        "{n} = {n}", "{n} < {n}", "{t} >= {t}", "{d} <> {d}", "{t} like {t}", "{d} is not null", "{n} between {n} and {n}",
        "{n} in ({n}, {n})", "not ({n} = {n} or {t} = {n})",
    ],
}  # fmt: skip
_SORTS = {"n": "number", "t": "text", "d": "date", "c": "condition"}


def expression(sort: str, depth: int, source: random.Random) -> str:
    if depth == 0 and sort != "condition":
        return source.choice(ATOMS[sort])
    text = source.choice(SHAPES[sort])
    for letter, inner in _SORTS.items():
        while "{" + letter + "}" in text:
            text = text.replace("{" + letter + "}", expression(inner, max(depth - 1, 0), source), 1)
    return text


def query(source: random.Random) -> str:
    made: Callable[[int], str] = lambda depth: expression(source.choice(["number", "text", "date"]), depth, source)  # noqa: E731
    value = made(source.randint(1, 3))
    if source.random() < 0.2:
        return f"select {source.choice(['min', 'max', 'count'])}({value}), count(*) from worker group by {made(1)}"
    where = f" where {expression('condition', 2, source)}" if source.random() < 0.3 else ""
    return f"select {value} v from worker{where}" + (" order by 1" if source.random() < 0.3 else "")


@pytest.mark.parametrize(
    ("first", "number"), [(0, 100), *(pytest.param(first, 500, marks=pytest.mark.long) for first in range(1000, 4000, 500))]
)
def test_a_random_query_has_rows_or_an_error_of_oracles(bench: Bench, first: int, number: int) -> None:
    answered = 0
    for seed in range(first, first + number):
        text = query(random.Random(seed))
        try:
            bench.rows(text)
            answered += 1
        except OracleError:
            continue
    assert answered > number / 2

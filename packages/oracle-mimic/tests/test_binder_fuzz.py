"""Invented queries: each must run on DuckDB, or be refused with one of Oracle's codes that its construction allows.

A DuckDB error, or a syntax error, is a fault of the binder: the grammar below makes only queries that Oracle would accept.
"""

import random
from collections.abc import Iterator

import pytest
from binder_bench import Bench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_mimic.errors import OracleError

Sources = list[tuple[str, str]]
NUMBERS = {"WORKER": ("id", "boss_id", "pay", "bonus"), "SITE": ("id",), "STAGE": ("id", "pay"), "LOG": ("id",)}
TEXTS = {"WORKER": ("name",), "SITE": ("city",), "STAGE": ("old",), "LOG": ()}
DATES = {"WORKER": ("hired",)}
# ORA-22818: a subquery in GROUP BY; ORA-01427, ORA-01722: values
ALLOWED = {22818, 1427, 1722, 1476}


class Grammar:
    """Makes queries from a seed."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)

    def columns(self, kinds: dict[str, tuple[str, ...]], sources: Sources) -> list[str]:
        return [f"{alias}.{column}" for table, alias in sources for column in kinds.get(table, ())]

    def number(self, sources: Sources, depth: int = 0) -> str:
        n, t, d = self.number, self.text, self.date
        simple = [*self.columns(NUMBERS, sources), str(self.choose.randint(0, 20)), "1.5"]
        if depth > 1 or self.choose.random() < 0.3:
            return self.choose.choice(simple)
        down = depth + 1
        match self.choose.randint(0, 11):
            case 0:
                return f"({n(sources, down)} {self.choose.choice('+-*')} {n(sources, down)})"
            case 1:
                return f"nvl({n(sources, down)}, {n(sources, down)})"
            case 2:
                return f"case when {self.condition(sources, down)} then {n(sources, down)} else {n(sources, down)} end"
            case 3:
                return f"decode({n(sources, down)}, 1, {n(sources, down)}, 2)"
            case 4:
                return f"length({t(sources, down)})"
            case 5:
                return f"extract(year from {d(sources, down)})"
            case 6:
                return f"greatest({n(sources, down)}, {n(sources, down)})"
            case 7:
                return f"({d(sources, down)} - {d(sources, down)})"
            case 8:
                return f"(select max({n([('SITE', 'z')], 2)}) from site z where z.id = {n(sources, down)})"
            case 9:
                return f"(select count(*) from stage y where {self.condition([*sources, ('STAGE', 'y')], 2)})"
            case 10:
                return f"round({n(sources, down)}, 1)"
        return f"mod({n(sources, down)}, 3)"

    def text(self, sources: Sources, depth: int = 0) -> str:
        simple = [*self.columns(TEXTS, sources), "'A'", "''", "null"]
        if depth > 1 or self.choose.random() < 0.3:
            return self.choose.choice(simple)
        inner = self.text(sources, depth + 1)
        return self.choose.choice(
            [
                f"({inner} || {self.text(sources, depth + 1)})", f"upper({inner})", f"substr({inner}, 1, 2)", f"nvl({inner}, 'q')",
                f"to_char({self.number(sources, depth + 1)})", f"to_char({self.date(sources, depth + 1)}, 'YYYY-MM')",
                f"lpad({inner}, 4, '*')", f"case {inner} when 'A' then 'B' end",
            ]
        )  # fmt: skip

    def date(self, sources: Sources, depth: int = 0) -> str:
        simple = [*self.columns(DATES, sources), "date '2024-01-31'", "sysdate"]
        if depth > 1 or self.choose.random() < 0.4:
            return self.choose.choice(simple)
        inner = self.date(sources, depth + 1)
        return self.choose.choice([f"({inner} + 1)", f"trunc({inner}, 'MM')", f"add_months({inner}, 2)", f"coalesce({inner}, sysdate)"])

    def condition(self, sources: Sources, depth: int = 0) -> str:
        n, t, d = self.number, self.text, self.date
        maybe_not = self.choose.choice(["", "not "])
        simple = [
            f"{n(sources, 2)} {self.choose.choice(['=', '<', '>=', '<>'])} {n(sources, 2)}", f"{t(sources, 2)} = {t(sources, 2)}",
            f"{t(sources, 2)} is {maybe_not}null", f"{d(sources, 2)} < {d(sources, 2)}",
        ]  # fmt: skip
        if depth > 1 or self.choose.random() < 0.4:
            return self.choose.choice(simple)
        match self.choose.randint(0, 7):
            case 0:
                word = self.choose.choice(["and", "or"])
                return f"({self.condition(sources, depth + 1)} {word} {self.condition(sources, depth + 1)})"
            case 1:
                return f"not {self.condition(sources, depth + 1)}"
            case 2:
                return f"{n(sources, 2)} {maybe_not}in ({n(sources, 2)}, {n(sources, 2)})"
            case 3:
                return f"{n(sources, 2)} {maybe_not}between {n(sources, 2)} and {n(sources, 2)}"
            case 4:
                return f"{maybe_not}exists (select 1 from stage y where {self.condition([*sources, ('STAGE', 'y')], 2)})"
            case 5:
                return f"{n(sources, 2)} {maybe_not}in (select z.id from site z where {self.condition([('SITE', 'z')], 2)})"
            case 6:
                return f"({n(sources, 2)}, {t(sources, 2)}) {maybe_not}in (select z.id, z.city from site z)"
        return f"{n(sources, 2)} {self.choose.choice(['>', '='])} {self.choose.choice(['any', 'all'])} (select z.id from site z)"

    def any_value(self, sources: Sources) -> str:
        return self.choose.choice([self.number, self.text, self.date])(sources)

    def from_(self, sources: Sources) -> str:
        text = f"{sources[0][0]} {sources[0][1]}"
        for table, alias in sources[1:]:
            kind = self.choose.choice([",", "join", "left join", "full join", "cross join"])
            on = "" if kind in (",", "cross join") else f" on {self.number([(table, alias)], 2)} = {self.number(sources[:1], 2)}"
            text += f" {kind} {table} {alias}{on}"
        return text

    def query(self) -> str:
        sources = [(self.choose.choice(list(NUMBERS)), alias) for alias in "ab"[: self.choose.randint(1, 2)]]
        from_, where = self.from_(sources), f" where {self.condition(sources)}"
        match self.choose.randint(0, 4):
            case 0:
                key = self.any_value(sources)
                aggregate = self.choose.choice(["count(*)", f"sum({self.number(sources, 1)})", f"max({self.any_value(sources)})"])
                return f"select {key}, {aggregate} from {from_}{where} group by {key} having count(*) > 0 order by 2, 1"
            case 1:
                over = f"partition by {self.any_value(sources)} order by {self.any_value(sources)} desc"
                return f"select * from (select row_number() over ({over}) n, {self.number(sources)} x from {from_}{where}) where n = 1"
            case 2:
                operator = self.choose.choice(["union", "union all", "minus", "intersect"])
                branches = [f"select {self.number(sources)}, {self.text(sources)} from {from_}" for _ in range(2)]
                return f" {operator} ".join(branches) + " order by 2, 1 desc"
            case 3:
                inner = f"select {self.number(sources)} a, {self.text(sources)} b from {from_}{where}"
                return f"with q as ({inner}) select q.a, count(q.b) from q, site s where q.a = s.id(+) group by q.a order by 2 desc, 1"
        limit = self.choose.choice(["", f" and rownum <= {self.choose.randint(0, 4)}"])
        distinct = self.choose.choice(["", "distinct "])
        items = f"{self.any_value(sources)} c, rownum r"
        return f"select {distinct}{items} from {from_}{where}{limit} order by c nulls first fetch first 9 rows only"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.connection.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_an_invented_query_runs_or_is_refused_as_oracle_would(bench: Bench, seed: int) -> None:
    sql = Grammar(seed).query()
    try:
        bench.rows(sql)
    except OracleError as error:
        if error.code not in ALLOWED:
            raise AssertionError(sql) from error

"""Conditions: three values, implicit conversions, blank-padding; conversion on assignment; common types; sorting and grouping."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from binder_bench import Bench
from expression_cases import bench, described, error_code, truth
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.types import Kind, OracleType

__all__ = ["bench"]


TRUTHS: list[Any] = [
    ("1 = 1.0", "T"),
    ("null = null", "U"),
    ("'' = ''", "U"),
    ("'' is null", "T"),
    ("1 = '1.0'", "T"),
    ("'01' = 1", "T"),
    ("'10' > '9'", "F"),
    ("'10' > 9", "T"),
    ("'a' = 'a   '", "T"),
    ("cast('a' as char(5)) = 'a'", "T"),
    ("cast('a' as char(5)) = cast('a' as varchar2(5))", "F"),
    ("cast('a ' as varchar2(5)) = 'a'", "F"),
    ("'a' < 'a' || chr(9)", "T"),
    ("'a' < cast('a' || chr(9) as char(2))", "F"),
    ("'ä' > 'z'", "T"),
    ("'B' < 'a'", "T"),
    ("date '2024-01-01' = '01-JAN-24'", "T"),
    ("'01-JAN-24' < date '2024-01-02'", "T"),
    ("date '2024-01-01' < timestamp '2024-01-01 00:00:00.000000001'", "T"),
    ("timestamp '2024-01-01 10:00:00 +02:00' = timestamp '2024-01-01 08:00:00 +00:00'", "T"),
    ("timestamp '2024-01-01 10:00:00' = timestamp '2024-01-01 10:00:00 +00:00'", "T"),
    ("interval '24' hour = interval '1' day", "T"),
    ("hextoraw('FF') = 'ff'", "T"),
    ("hextoraw('00') < hextoraw('FF')", "T"),
    ("1f = 1", "T"),
    ("0d/0 = 0d/0", "T"),
    ("0d/0 > 1d/0", "T"),
    ("1 in (2, null)", "U"),
    ("1 in (1, null)", "T"),
    ("1 in (2, 3)", "F"),
    ("'1' in (1, 2)", "T"),
    ("2 between 1 and 3", "T"),
    ("2 between 3 and null", "F"),
    ("'b' between 'a' and 'c'", "T"),
    ("'abc' like 'a%'", "T"),
    ("'abc' like 'A%'", "F"),
    ("'a_c' like 'a\\_c' escape '\\'", "T"),
    ("'abc' like 'a\\_c' escape '\\'", "F"),
    ("'50%' like '%!%' escape '!'", "T"),
    ("'a\\b' like 'a\\b'", "T"),
    ("'a\\b' like 'a\\%b' escape '!'", "T"),
    ("'a' like null", "U"),
    ("12 like '1%'", "T"),
    ("to_clob('abc') like '%b%'", "T"),
    ("1e-130 > 0", "T"),
    ("99999999999999999999999999999999999999.5 > 99999999999999999999999999999999999999", "T"),
    ("chartorowid('AAARFxAAEAAAACDAAH') = 'AAARFxAAEAAAACDAAH'", "T"),
]


@pytest.mark.parametrize(("condition", "expected"), TRUTHS)
def test_a_condition_has_oracles_truth(bench: Bench, condition: str, expected: str) -> None:
    assert truth(bench, condition) == expected


COMPARISON_ERRORS: list[Any] = [
    ("1 = 'x'", 1722),
    ("date '2024-01-01' = '2024-01-01'", 1861),
    ("date '2024-01-01' = 'xx'", 1858),
    ("date '2024-01-01' = 1", 932),
    ("to_clob('a') = 'a'", 932),
    ("interval '1' day = 1", 932),
    ("hextoraw('FF') = 'zz'", 1465),
    ("'a' like 'b' escape 'xx'", 1425),
    ("'a' like 'a!b' escape '!'", 1424),
    ("chartorowid('x') = 'y'", 1410),
]


@pytest.mark.parametrize(("condition", "code"), COMPARISON_ERRORS)
def test_what_cannot_be_compared_has_oracles_code(bench: Bench, condition: str, code: int) -> None:
    assert error_code(bench, f"case when {condition} then 1 end") == code


def test_sorting_puts_nulls_last_and_instants_in_order(bench: Bench) -> None:
    assert bench.rows("select bonus from worker order by bonus")[-1][0] is None
    assert bench.rows("select bonus from worker order by bonus desc")[0][0] is None
    assert bench.rows("select bonus from worker order by bonus desc nulls last")[0][0] == 100
    zones = "(select timestamp '2024-01-01 10:00:00 +02:00' t from dual union all select timestamp '2024-01-01 09:00:00 +00:00' from dual)"
    assert [row[0][1] for row in bench.rows(f"select t from {zones} order by t")] == [120, 0]
    assert bench.rows("select count(distinct at), count(at) from log") == [(Decimal(1), Decimal(2))]


# --- assignment ------------------------------------------------------------------------------------------------------------


def assigned(bench: Bench, source: Typed, target: OracleType) -> object:
    """What a column of the type gets; DuckDB's type must be the carrier of the column."""
    typed = expressions.assign(source, target, bench)
    assert typed.carrier == duckdb_type(target)
    try:
        found, carrier = bench.connection.execute(f"SELECT v, typeof(v) FROM (SELECT {typed.sql} AS v)").fetchall()[0]
    except duckdb.Error as error:
        raise expressions.from_duckdb_error(error) or error from error
    assert carrier.replace(" ", "") == typed.carrier.replace(" ", "")
    return expressions.to_python(typed.carrier, found, target)


def column(sql: str, type_: OracleType) -> Typed:
    carrier = duckdb_type(type_)
    return Typed(f"CAST({sql} AS {carrier})", type_, carrier)


FREE = OracleType(Kind.NUMBER)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (expressions.literal_number("1.005"), OracleType(Kind.NUMBER, 5, 2), Decimal("1.01")),
        (expressions.literal_number("-1.005"), OracleType(Kind.NUMBER, 5, 2), Decimal("-1.01")),
        (expressions.literal_number("155"), OracleType(Kind.NUMBER, 3, -1), Decimal(160)),
        (expressions.literal_number("0.00125"), OracleType(Kind.NUMBER, 2, 4), Decimal("0.0013")),
        (expressions.literal_number("1.5"), OracleType(Kind.NUMBER, None, 0), Decimal(2)),
        (expressions.literal_string("12.5"), OracleType(Kind.NUMBER, 5, 2), Decimal("12.5")),
        (column("ora_number('12.345')", FREE), OracleType(Kind.NUMBER, 5, 2), Decimal("12.35")),
        (column("'12.34'", OracleType(Kind.NUMBER, 10, 2)), FREE, Decimal("12.34")),
        (column("'12.34'", OracleType(Kind.NUMBER, 10, 2)), OracleType(Kind.NUMBER, 10, 2), Decimal("12.34")),
        (expressions.literal_number("1.5"), OracleType(Kind.VARCHAR2, length=10), "1.5"),
        (expressions.literal_string("ab"), OracleType(Kind.CHAR, length=4), "ab  "),
        (expressions.literal_string("ç"), OracleType(Kind.CHAR, length=4), "ç  "),
        (expressions.literal_string("ç"), OracleType(Kind.CHAR, length=4, char_semantics=True), "ç   "),
        (expressions.literal_string("abcdef"), OracleType(Kind.CHAR, length=4), "abcdef"),
        (expressions.literal_string("01-JAN-24"), OracleType(Kind.DATE), datetime(2024, 1, 1)),
        (expressions.literal_timestamp("2024-01-01 10:00:00.99951"), OracleType(Kind.TIMESTAMP, scale=3), datetime(2024, 1, 1, 10, 0, 1)),
        (expressions.literal_timestamp("2024-01-01 10:00:00.5"), OracleType(Kind.DATE), datetime(2024, 1, 1, 10)),
        (expressions.literal_timestamp("2024-01-01 10:00:00 +02:00"), OracleType(Kind.TIMESTAMP_LTZ, scale=6), datetime(2024, 1, 1, 8)),
        (expressions.literal_timestamp("2024-01-01 10:00:00"), OracleType(Kind.TIMESTAMP, scale=9), 1704103200 * 10**9),
        (expressions.literal_string("FF"), OracleType(Kind.RAW, length=4), b"\xff"),
        (expressions.literal_string("abc"), OracleType(Kind.CLOB), "abc"),
        (expressions.literal_string(""), OracleType(Kind.VARCHAR2, length=4), None),
        (expressions.literal_number("2"), OracleType(Kind.BINARY_DOUBLE), 2.0),
        (expressions.literal_number("1234567"), OracleType(Kind.FLOAT, 10), Decimal(1235000)),
    ],
)  # fmt: skip
def test_assignment_converts_to_the_column(bench: Bench, source: Typed, target: OracleType, expected: object) -> None:
    assert assigned(bench, source, target) == expected


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        (expressions.literal_number("1000"), OracleType(Kind.NUMBER, 5, 2), 1438),
        (expressions.literal_number("999.995"), OracleType(Kind.NUMBER, 5, 2), 1438),
        (expressions.literal_number("0.01"), OracleType(Kind.NUMBER, 2, 4), 1438),
        (expressions.literal_number("9999"), OracleType(Kind.NUMBER, 2, -1), 1438),
        (column("ora_number('1000')", FREE), OracleType(Kind.NUMBER, 5, 2), 1438),
        (expressions.literal_number("1e40"), OracleType(Kind.NUMBER, 38, 0), 1438),
        (expressions.literal_string("x"), OracleType(Kind.NUMBER, 5, 2), 1722),
        (expressions.literal_string("2024-01-01"), OracleType(Kind.DATE), 1861),
        (expressions.literal_number("1"), OracleType(Kind.DATE), 932),
        (expressions.literal_date("2024-01-01"), OracleType(Kind.NUMBER, 5, 0), 932),
        (expressions.literal_string("xx"), OracleType(Kind.RAW, length=4), 1465),
        (expressions.literal_number("1"), OracleType(Kind.BLOB), 932),
    ],
)
def test_assignment_refuses_what_does_not_fit(bench: Bench, source: Typed, target: OracleType, code: int) -> None:
    with pytest.raises(OracleError) as caught:
        assigned(bench, source, target)
    assert caught.value.code == code


def test_an_error_that_is_not_oracles_is_not_translated() -> None:
    assert expressions.from_duckdb_error(RuntimeError("Catalog Error: no such table")) is None
    found = expressions.from_duckdb_error(RuntimeError("Invalid Input Error: ORA-01722: invalid number\nLINE 1: x"))
    assert found is not None
    assert (found.code, found.text) == (1722, "invalid number")


def test_a_null_that_was_given_a_type_keeps_it(bench: Bench) -> None:
    for expression, kind in (("cast(null as date)", Kind.DATE), ("to_number(null)", Kind.NUMBER), ("to_char(null)", Kind.VARCHAR2)):
        for wrapped in (expression, f"case when 1 = 1 then {expression} else null end", f"nvl({expression}, null)"):
            assert described(bench, wrapped).type.kind is kind


@pytest.mark.parametrize(
    "case",
    [
        "case when pay = 0 then 'abc' end",
        "nullif('abc', name)",
        "nvl2(bonus, 'abc', null)",
        "decode(id, 99, 'abc')",
        "nullif('a' || 'bc', name)",
    ],
)
def test_one_text_or_null_can_be_compared(bench: Bench, case: str) -> None:
    assert bench.rows(f"select count(*) from worker where {case} = 'x'") == [(0,)]
    assert bench.rows(f"select count(*) from worker where {case} like '12'") == [(0,)]
    assert bench.rows(f"select count(*) from worker where 'a' || 'b' = {case}") == [(0,)]


def test_a_constant_may_be_sorted_and_grouped_by(bench: Bench) -> None:
    assert len(bench.rows("select cast('a' as varchar2(7)) v from worker order by 1, 'x', null")) == 5
    assert bench.rows("select 'a', count(*) from worker group by 'a'") == [("a", 5)]
    assert bench.rows("select max(n) from (select row_number() over (partition by 'a' order by 'b', id) n from worker)") == [(5,)]

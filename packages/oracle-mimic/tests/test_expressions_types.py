"""Every function and operator with every type: a value in the carrier that was promised, or an error of Oracle's, nothing else."""

from __future__ import annotations

import itertools

import duckdb
import pytest
from binder_bench import Bench
from expression_cases import bench
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions
from oracle_mimic.sql.bound import OrderTerm, Typed
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.sql.expressions.functions import CATALOGUE
from oracle_mimic.types import Kind, OracleType

__all__ = ["bench"]

TYPES = {
    "number": (OracleType(Kind.NUMBER, 10, 2), "CAST('12.50' AS DECIMAL(10,2))"),
    "negative": (OracleType(Kind.NUMBER, 5, 0), "CAST('-7' AS DECIMAL(5,0))"),
    "wide": (OracleType(Kind.NUMBER, 38, 10), "CAST('1234567890123456789.0123456789' AS DECIMAL(38,10))"),
    "free": (OracleType(Kind.NUMBER), "ora_number('3.7')"),
    "float": (OracleType(Kind.BINARY_FLOAT), "CAST(1.5 AS FLOAT)"),
    "double": (OracleType(Kind.BINARY_DOUBLE), "CAST(2.5 AS DOUBLE)"),
    "text": (OracleType(Kind.VARCHAR2, length=20), "'ação 1'"),
    "digits": (OracleType(Kind.VARCHAR2, length=20, char_semantics=True), "'42'"),
    "char": (OracleType(Kind.CHAR, length=5), "'ab   '"),
    "nchar": (OracleType(Kind.NVARCHAR2, length=20), "'ñ'"),
    "clob": (OracleType(Kind.CLOB), "'a long text'"),
    "date": (OracleType(Kind.DATE), "TIMESTAMP_S '2024-02-29 10:11:12'"),
    "timestamp": (OracleType(Kind.TIMESTAMP, scale=6), "TIMESTAMP '2024-02-29 10:11:12.123456'"),
    "fine": (OracleType(Kind.TIMESTAMP, scale=9), "CAST('1709201472123456789' AS HUGEINT)"),
    "zoned": (OracleType(Kind.TIMESTAMP_TZ, scale=6), "{'utc': CAST('1709201472123456000' AS HUGEINT), 'tz': 'America/Sao_Paulo'}"),
    "local": (OracleType(Kind.TIMESTAMP_LTZ, scale=6), "TIMESTAMP '2024-02-29 10:11:12.123456'"),
    "seconds": (OracleType(Kind.INTERVAL_DS, 2, 6), "CAST('93784500000000' AS HUGEINT)"),
    "months": (OracleType(Kind.INTERVAL_YM, 2), "CAST(14 AS INTEGER)"),
    "raw": (OracleType(Kind.RAW, length=8), r"'\x01\xFF'::BLOB"),
    "blob": (OracleType(Kind.BLOB), r"'\x01\xFF'::BLOB"),
    "rowid": (OracleType(Kind.ROWID), "CAST('4722366482941646962694' AS HUGEINT)"),
}  # fmt: skip
# Names that need a literal or a whole statement around them
_LITERAL = {"EXTRACT": "YEAR", "STANDARD_HASH": "MD5"}
_CONSTANT = {"SYS_CONTEXT", "UID", "USERENV", "SCN_TO_TIMESTAMP", "TIMESTAMP_TO_SCN"}  # evaluated before the statement runs
SCALARS = sorted(name for name, function in CATALOGUE.items() if function.scalar is not None and name not in _CONSTANT)
GROUPS = sorted(name for name, function in CATALOGUE.items() if function.aggregate is not None)


@pytest.fixture(scope="module")
def samples(bench: Bench) -> dict[str, Typed]:
    """One column of each type; the table has a row of values and a row of NULLs."""
    columns = ", ".join(f"CAST({sql} AS {duckdb_type(type_)}) AS s_{name}" for name, (type_, sql) in TYPES.items())
    nulls = ", ".join("NULL" for _ in TYPES)
    bench.connection.execute(f"CREATE TABLE samples AS SELECT {columns} UNION ALL SELECT {nulls}")
    return {name: Typed(f"s_{name}", type_, duckdb_type(type_)) for name, (type_, _) in TYPES.items()}


def check(bench: Bench, typed: Typed, what: str) -> None:
    """Run it over the table, and as the top of a select list; it has the promised carrier or fails as Oracle does."""
    output = expressions.to_output(typed, bench)
    query = f"SELECT DISTINCT typeof(v), typeof(w) FROM (SELECT {typed.sql} AS v, {output.sql} AS w FROM samples)"
    fault: duckdb.Error | None = None
    found: list[tuple[str, str]] = []
    try:
        found = bench.connection.execute(query).fetchall()
    except duckdb.Error as error:
        fault = error
    if fault is not None:
        assert expressions.from_duckdb_error(fault) is not None, f"{what}: {fault}\n{typed.sql}"
        return
    for made, carriers in zip((typed, output), zip(*found, strict=True), strict=True):
        assert {_plain(carrier) for carrier in carriers} <= {_plain(made.carrier), "NULL"}, f"{what}: {carriers} {made.carrier}"


def _plain(carrier: str) -> str:
    return carrier.replace(" ", "").replace('"', "").upper()


def try_call(bench: Bench, what: str, build) -> None:
    try:
        typed = build()
    except OracleError:
        return
    check(bench, typed, what)


@pytest.mark.long
@pytest.mark.parametrize("name", SCALARS)
def test_a_scalar_function_of_one_or_two_types(bench: Bench, samples: dict[str, Typed], name: str) -> None:
    function = CATALOGUE[name]
    fillers = [expressions.literal_number("2"), expressions.literal_string(_LITERAL.get(name, "YYYY"))]
    least, most = function.least, function.most if function.most is not None else function.least + 1
    for count in range(max(least, 1), most + 1):
        for kind, sample in [*samples.items(), ("null", expressions.null())]:
            for filler in fillers:
                for position in range(min(count, 2)):
                    arguments = [filler] * count
                    arguments[position] = sample
                    try_call(bench, f"{name} of {kind} at {position} of {count}", lambda: expressions.call(name, arguments, bench))  # noqa: B023
    if least == 0:
        try_call(bench, name, lambda: expressions.call(name, [], bench))


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_function_of_every_type(bench: Bench, samples: dict[str, Typed], name: str) -> None:
    function = CATALOGUE[name]
    windows = ["ORDER BY s_number", ""] if function.needs_window else [None, ""]
    half = expressions.literal_number("0.5")
    for (kind, sample), window in itertools.product([*samples.items(), ("null", expressions.null())], windows):
        terms = [OrderTerm(sample)] if "within_group" in function.options else []
        arguments = [half if name.startswith("PERCENTILE") else sample] * function.least
        if len(arguments) == 2:
            arguments[1] = expressions.literal_number("1")
        build = lambda: expressions.call(name, arguments, bench, within_group=terms, window=window)  # noqa: B023, E731
        try_call(bench, f"{name} of {kind} over {window}", build)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "||"])
def test_an_operator_between_any_two_types(bench: Bench, samples: dict[str, Typed], operator: str) -> None:
    for (a, left), (b, right) in itertools.product(samples.items(), samples.items()):
        if operator == "||":
            try_call(bench, f"{a} || {b}", lambda: expressions.concat(left, right, bench))  # noqa: B023
        else:
            try_call(bench, f"{a} {operator} {b}", lambda: expressions.arithmetic(operator, left, right, bench))  # noqa: B023


def test_a_comparison_of_any_two_types(bench: Bench, samples: dict[str, Typed]) -> None:
    for (a, left), (b, right) in itertools.product(samples.items(), samples.items()):
        for operator in ("=", "<"):
            try_call(bench, f"{a} {operator} {b}", lambda: _truth(expressions.compare(operator, left, right, bench)))  # noqa: B023
        try_call(bench, f"{a} in {b}", lambda: _truth(expressions.in_list(left, [right, right], bench)))  # noqa: B023
        try_call(bench, f"{a} like {b}", lambda: _truth(expressions.like(left, right, None, bench)))  # noqa: B023
        try_call(bench, f"case {a} {b}", lambda: expressions.case_when(["true", "false"], [left, right], None, bench))  # noqa: B023


def _truth(condition: str) -> Typed:
    return Typed(condition, OracleType(Kind.BOOLEAN), "BOOLEAN")


def test_a_conversion_from_any_type_to_any_other(bench: Bench, samples: dict[str, Typed]) -> None:
    targets = [type_ for type_, _ in TYPES.values()]
    targets += [
        OracleType(Kind.NUMBER, 3, -2),
        OracleType(Kind.NUMBER, None, 0),
        OracleType(Kind.FLOAT, 20),
        OracleType(Kind.TIMESTAMP, scale=0),
    ]
    targets += [OracleType(Kind.TIMESTAMP_TZ, scale=9), OracleType(Kind.NCLOB), OracleType(Kind.NCHAR, length=3), OracleType(Kind.LONG)]
    for (kind, sample), target in itertools.product([*samples.items(), ("null", expressions.null())], targets):
        for convert in (expressions.cast, expressions.assign):
            try_call(bench, f"{convert.__name__} {kind} to {target}", lambda: _in_carrier(convert(sample, target, bench), target))  # noqa: B023


def _in_carrier(typed: Typed, target: OracleType) -> Typed:
    assert typed.carrier == duckdb_type(target)
    assert typed.type == target
    return typed


def test_sort_and_group_keys_of_every_type(bench: Bench, samples: dict[str, Typed]) -> None:
    for kind, sample in samples.items():
        if kind in ("clob", "blob"):
            with pytest.raises(OracleError, match="ORA-00932"):
                expressions.group_key(sample)
            continue
        order, group = expressions.order_key(sample, True, None, bench), expressions.group_key(sample)
        bench.connection.execute(f"SELECT {group} FROM samples GROUP BY {group}").fetchall()
        bench.connection.execute(f"SELECT {sample.sql} FROM samples ORDER BY {order}").fetchall()

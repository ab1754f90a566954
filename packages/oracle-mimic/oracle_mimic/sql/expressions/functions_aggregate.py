"""Aggregate functions, which also stand with OVER.

SUM is native where the sum of any realistic number of rows fits DuckDB's 38 digits; otherwise, and for AVG's division, the numbers
go through NUMBER bytes. MEDIAN, PERCENTILE_*, STDDEV and VARIANCE are computed exactly from the ordered values of the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.bound import BindContext, OrderTerm, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions.comparison import group_key, order_key
from oracle_mimic.sql.expressions.conversion import inconsistent, to_number, to_text
from oracle_mimic.sql.expressions.derive import (
    BINARY_DOUBLE,
    DATETIMES,
    DECIMALS,
    INTERVALS,
    NUMBER,
    NUMERIC,
    TEXT,
    VARCHAR2_MAX,
    quote,
    same_text,
    varchar2,
)
from oracle_mimic.sql.expressions.functions import Arguments, Options, aggregate
from oracle_mimic.sql.expressions.number_bytes import EXACT, LIMBS, decode, encode, quotient
from oracle_mimic.sql.expressions.numbers import as_bytes, decimal, decimal_shape, is_double, number_arithmetic
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.types import Kind, OracleType

COUNT = "DECIMAL(19,0)"
_SUMMABLE_DIGITS = 28  # ten more digits remain for the number of rows


def grouped(sql: str, type_: OracleType, carrier: str, options: Options, *operands: Typed) -> Typed:
    """The result of an aggregate: one value per group, or per row with OVER."""
    aggregated = options.window is None or any(operand.aggregate for operand in operands)
    return Typed(sql, type_, carrier, aggregate=aggregated, windowed=options.window is not None)


def numeric(x: Typed, ctx: BindContext) -> Typed:
    if x.type.kind not in NUMERIC | TEXT and not x.is_null_literal:
        raise inconsistent(Kind.NUMBER, x.type)
    return to_number(x, ctx)


def _distinct(options: Options) -> str:
    return "DISTINCT " if options.distinct else ""


@aggregate("COUNT", least=0, most=1, options="distinct")
def count(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del ctx
    counted = "*" if not arguments else _distinct(options) + (group_key(arguments[0]) if options.distinct else arguments[0].sql)
    if arguments and arguments[0].type.kind is Kind.TIMESTAMP_TZ:
        counted = _distinct(options) + group_key(arguments[0])
    typed = grouped(f"CAST({options.over(f'count({counted})')} AS {COUNT})", NUMBER, COUNT, options, *arguments)
    return Typed(typed.sql, typed.type, typed.carrier, nullable=False, aggregate=typed.aggregate, windowed=typed.windowed)


def _sum_of(x: Typed, options: Options) -> tuple[str, str]:
    """The text of SUM over a NUMBER, and its carrier."""
    shape = decimal_shape(x.carrier)
    if shape and shape[0] <= _SUMMABLE_DIGITS:
        carrier = decimal(38, shape[1])
        return f"CAST({options.over(f'sum({_distinct(options)}CAST({x.sql} AS {decimal(*shape)}))')} AS {carrier})", carrier
    if options.window is not None and not options.distinct:  # a list for every row of a running window would be quadratic
        sums = ", ".join(options.over(f"sum(ora_limb({as_bytes(x)}, {position}))") for position in range(LIMBS))
        return f"ora_number_of_limbs([{sums}])", NUMBER_BYTES
    return f"ora_sum_numbers({options.over(f'list({_distinct(options)}{as_bytes(x)})')})", NUMBER_BYTES


@aggregate("SUM", least=1, options="distinct")
def sum_(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = numeric(arguments[0], ctx)
    if is_double(x):
        return grouped(options.over(f"sum({_distinct(options)}CAST({x.sql} AS DOUBLE))"), BINARY_DOUBLE, "DOUBLE", options, *arguments)
    sql, carrier = _sum_of(x, options)
    return grouped(sql, NUMBER, carrier, options, *arguments)


@aggregate("AVG", least=1, options="distinct")
def avg(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = numeric(arguments[0], ctx)
    if is_double(x):
        return grouped(options.over(f"avg({_distinct(options)}CAST({x.sql} AS DOUBLE))"), BINARY_DOUBLE, "DOUBLE", options, *arguments)
    sql, carrier = _sum_of(x, options)
    total = as_bytes(Typed(sql, NUMBER, carrier))
    number = f"ora_number(CAST({options.over(f'count({_distinct(options)}{x.sql})')} AS VARCHAR))"
    return grouped(f"ora_average({total}, {number})", NUMBER, NUMBER_BYTES, options, *arguments)


@udf("BLOB", "BLOB", returns="BLOB")
def average(total: bytes, number: bytes) -> bytes:
    """The sum over the count; a group has at least one value when its sum is not NULL."""
    return encode(quotient(decode(total), decode(number)))


def _extreme(name: str, arguments: Arguments, options: Options) -> Typed:
    x = arguments[0]
    key = group_key(x)  # refuses LOBs
    if x.is_null_literal:
        return grouped(options.over(f"{name}({x.sql})"), x.type, x.carrier, options, x)
    picked = f"arg_{name}({x.sql}, {key})" if key != x.sql else f"{name}({x.sql})"
    type_ = NUMBER if x.type.kind in DECIMALS else x.type
    return grouped(options.over(picked), type_, x.carrier, options, x)


@aggregate("MIN", least=1, options="distinct")
def min_(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del ctx
    return _extreme("min", arguments, options)


@aggregate("MAX", least=1, options="distinct")
def max_(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del ctx
    return _extreme("max", arguments, options)


def kept(name: str, argument: Typed | None, order: Sequence[str], keys: Sequence[Typed], *, over: str, ctx: BindContext) -> Typed:
    """COUNT, SUM or AVG KEEP (DENSE_RANK ..): over the rows of a group whose keys are those of the first in an order.

    argument: None for COUNT(*); order: DuckDB text of the order; over: the window with its OVER, or nothing.
    """
    if name not in ("COUNT", "SUM", "AVG") or (argument is None and name != "COUNT"):
        raise refused(f"{name} KEEP (DENSE_RANK ..)")
    x = argument if argument is None or name == "COUNT" else numeric(argument, ctx)
    value = "TRUE" if x is None else x.sql if name == "COUNT" or is_double(x) else as_bytes(x)
    rows = f"list({{'k': row({', '.join(group_key(key) for key in keys)}), 'v': {value}}} ORDER BY {', '.join(order)}){over}"
    values = f"list_transform(list_filter({rows}, lambda r: r.k IS NOT DISTINCT FROM ({rows})[1].k AND r.v IS NOT NULL), lambda r: r.v)"
    options = Options(window=over or None)
    count_text = f"coalesce(len({values}), 0)"
    if name == "COUNT":
        counted = grouped(f"CAST({count_text} AS {COUNT})", NUMBER, COUNT, options)
        return replace(counted, nullable=False)
    if x is not None and is_double(x):
        return grouped(f"CAST(list_{name.lower()}({values}) AS DOUBLE)", BINARY_DOUBLE, "DOUBLE", options)
    total = f"ora_sum_numbers({values})"
    if name == "SUM":
        return grouped(total, NUMBER, NUMBER_BYTES, options)
    return grouped(f"ora_average({total}, ora_number(CAST({count_text} AS VARCHAR)))", NUMBER, NUMBER_BYTES, options)


# --- statistics ------------------------------------------------------------------------------------------------------------


def _statistic(kind: str, arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = numeric(arguments[0], ctx)
    if is_double(x):
        native = {"STDDEV": "stddev_samp", "VARIANCE": "var_samp"}.get(kind, kind.lower())
        value = options.over(f"{native}({x.sql})")
        if kind in ("STDDEV", "VARIANCE"):
            value = f"(CASE WHEN {options.over(f'count({x.sql})')} = 1 THEN 0 ELSE {value} END)"
        return grouped(f"CAST({value} AS DOUBLE)", BINARY_DOUBLE, "DOUBLE", options, *arguments)
    if options.distinct:
        raise refused(f"{kind}(DISTINCT)")
    total, carrier = _sum_of(x, options)
    squares, square_carrier = _sum_of(number_arithmetic("*", x, x), options)
    sums = (as_bytes(Typed(total, NUMBER, carrier)), as_bytes(Typed(squares, NUMBER, square_carrier)))
    sql = f"ora_spread({options.over(f'count({x.sql})')}, {sums[0]}, {sums[1]}, {quote(kind)})"
    return grouped(sql, NUMBER, NUMBER_BYTES, options, *arguments)


@udf("BIGINT", "BLOB", "BLOB", "VARCHAR", returns="BLOB")
def spread(count_: int, total: bytes, squares: bytes, kind: str) -> bytes | None:
    """Variance or standard deviation; STDDEV and VARIANCE of one value are 0, their _SAMP forms NULL."""
    if count_ == 1:
        return None if kind.endswith("_SAMP") else encode(Decimal(0))
    sum_, number = decode(total), Decimal(count_)
    deviation = EXACT.subtract(EXACT.multiply(decode(squares), number), EXACT.multiply(sum_, sum_))
    divisor = number if kind.endswith("_POP") else number - 1
    variance = max(EXACT.divide(deviation, EXACT.multiply(number, divisor)), Decimal(0))
    return encode(EXACT.sqrt(variance) if kind.startswith("STDDEV") else variance)


def _register_statistics() -> None:
    for kind, name in (("STDDEV", "STDDEV"), ("STDDEV_SAMP", "STDDEV_SAMP"), ("STDDEV_POP", "STDDEV_POP"), ("VARIANCE", "VARIANCE"),
                       ("VAR_SAMP", "VAR_SAMP"), ("VAR_POP", "VAR_POP")):  # fmt: skip

        def statistic(arguments: Arguments, ctx: BindContext, options: Options, kind: str = kind) -> Typed:
            return _statistic(kind, arguments, ctx, options)

        aggregate(name, least=1, options="distinct")(statistic)


_register_statistics()


# --- ordered sets ----------------------------------------------------------------------------------------------------------


def _ordered_values(term: OrderTerm, ctx: BindContext, options: Options) -> str:
    """The values of a group as a list in the order asked for, without NULLs, in their own carrier."""
    x = term.value
    return options.over(f"list({x.sql} ORDER BY {order_key(x, term.descending, term.nulls_first, ctx)}) FILTER (WHERE {x.sql} IS NOT NULL)")


@aggregate("MEDIAN", least=1)
def median(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = numeric(arguments[0], ctx) if arguments[0].type.kind not in DATETIMES | INTERVALS else arguments[0]
    return _percentile_cont(OrderTerm(x), Decimal("0.5"), ctx, options, arguments)


def _percentile_cont(term: OrderTerm, fraction: Decimal, ctx: BindContext, options: Options, operands: Arguments) -> Typed:
    x = term.value
    values = _ordered_values(term, ctx, options)
    low = f"CAST(floor(CAST('{fraction}' AS DECIMAL(20,18)) * CAST(len({values}) - 1 AS DECIMAL(18,0))) AS BIGINT) + 1"
    first, second = (Typed(f"list_extract({values}, {at})", x.type, x.carrier) for at in (low, f"least({low} + 1, len({values}))"))
    if is_double(x) or x.carrier in ("TIMESTAMP_S", "TIMESTAMP"):
        share = f"(CAST('{fraction}' AS DOUBLE) * (len({values}) - 1) % 1)"
        if is_double(x):
            sql = f"({first.sql} + {share} * ({second.sql} - {first.sql}))"
            return grouped(f"CAST({sql} AS {x.carrier})", x.type, x.carrier, options, *operands, x)
        micros = f"CAST(floor({share} * (epoch_us({second.sql}) - epoch_us({first.sql}))) AS BIGINT)"
        instant = f"make_timestamp(epoch_us({first.sql}) + {micros})"
        sql = f"CAST(date_trunc('second', {instant}) AS TIMESTAMP_S)" if x.carrier == "TIMESTAMP_S" else instant
        return grouped(sql, x.type, x.carrier, options, *operands, x)
    if x.type.kind not in NUMERIC:
        raise refused(f"a median or percentile of {x.type.kind.value}")
    sql = f"ora_interpolated({as_bytes(first)}, {as_bytes(second)}, len({values}), {quote(str(fraction))})"
    return grouped(sql, NUMBER, NUMBER_BYTES, options, *operands, x)


@udf("BLOB", "BLOB", "BIGINT", "VARCHAR", returns="BLOB")
def interpolated(first: bytes, second: bytes, number: int, fraction: str) -> bytes:
    """Between the two values around row 1 + fraction * (number - 1)."""
    part = Decimal(fraction) * (number - 1) % 1
    low, high = decode(first), decode(second)
    return encode(EXACT.add(low, EXACT.multiply(part, EXACT.subtract(high, low))))


def _fraction(arguments: Arguments) -> Decimal:
    fraction = arguments[0].literal
    if not isinstance(fraction, Decimal):
        raise refused("a percentile that is not a literal")
    if not 0 <= fraction <= 1:
        raise OracleError(30495, "The percentile value should be between 0 and 1.")
    return fraction


def _single_term(options: Options) -> OrderTerm:
    if len(options.within_group) != 1:
        raise OracleError(30491, "missing ORDER BY clause for this function")
    return options.within_group[0]


@aggregate("PERCENTILE_CONT", least=1, options="within_group")
def percentile_cont_function(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    term = _single_term(options)
    return _percentile_cont(OrderTerm(to_number(term.value, ctx) if term.value.type.kind in TEXT else term.value, term.descending,
                                      term.nulls_first), _fraction(arguments), ctx, options, arguments)  # fmt: skip


@aggregate("PERCENTILE_DISC", least=1, options="within_group")
def percentile_disc(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    """The first value whose cumulative distribution reaches the fraction."""
    term, fraction = _single_term(options), _fraction(arguments)
    x = term.value
    values = _ordered_values(term, ctx, options)
    position = f"greatest(1, ceil(CAST('{fraction}' AS DECIMAL(20,18)) * CAST(len({values}) AS DECIMAL(18,0))))"
    type_ = NUMBER if x.type.kind in DECIMALS else x.type
    return grouped(f"list_extract({values}, CAST({position} AS BIGINT))", type_, x.carrier, options, *arguments, x)


@aggregate("LISTAGG", least=1, most=2, options="distinct within_group")
def listagg(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    """Text of a group joined in order; NULLs are left out; ORA-01489 beyond 4000 bytes unless it is to be truncated."""
    x = to_text(arguments[0], ctx)
    separator = f"coalesce({to_text(arguments[1], ctx).sql}, '')" if len(arguments) > 1 else "''"
    keys = [order_key(term.value, term.descending, term.nulls_first, ctx) for term in options.within_group]
    if options.distinct and any(same_text(term.value.sql) != same_text(x.sql) for term in options.within_group):
        raise refused("LISTAGG(DISTINCT) ordered by another expression")
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    if options.truncation is not None:
        indicator, counted = options.truncation
        values = options.over(f"list({_distinct(options)}{x.sql}{order}) FILTER (WHERE {x.sql} IS NOT NULL)")
        sql = f"ora_truncated_list({values}, {separator}, {quote(indicator)}, {str(counted).lower()})"
        return grouped(sql, varchar2(VARCHAR2_MAX), "VARCHAR", options, *arguments)
    joined = options.over(f"string_agg({_distinct(options)}{x.sql}, {separator}{order})")
    return grouped(f"ora_joined({joined})", varchar2(VARCHAR2_MAX), "VARCHAR", options, *arguments)


_ROOM_FOR_COUNT = 24  # bytes that Oracle keeps free for the number in parentheses


@udf("VARCHAR[]", "VARCHAR", "VARCHAR", "BOOLEAN", returns="VARCHAR")
def truncated_list(values: list[str], separator: str, indicator: str, counted: bool) -> str | None:
    """LISTAGG with ON OVERFLOW TRUNCATE: as many values as leave room for a separator, the indicator and the count."""
    sizes = [len(value.encode()) for value in values]
    between = len(separator.encode())
    if sum(sizes) + between * (len(sizes) - 1) <= VARCHAR2_MAX:
        return separator.join(values) or None
    room = VARCHAR2_MAX - len(indicator.encode()) - (_ROOM_FOR_COUNT if counted else 0)
    kept = 0
    for size in sizes:
        room -= size + between
        if room < 0:
            break
        kept += 1
    shown = separator.join([*values[:kept], indicator])
    return f"{shown}({len(values) - kept})" if counted else shown

"""Functions that need OVER: ranks, neighbours, shares."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions.conversion import common_carrier, convert, to_number
from oracle_mimic.sql.expressions.derive import DECIMALS, NUMBER
from oracle_mimic.sql.expressions.functions import Arguments, Options, aggregate
from oracle_mimic.sql.expressions.functions_aggregate import COUNT, grouped, numeric, sum_
from oracle_mimic.sql.expressions.numbers import as_bytes, as_integer


def _rank(name: str, options: Options) -> Typed:
    return grouped(f"CAST({options.over(f'{name}()')} AS {COUNT})", NUMBER, COUNT, options)


@aggregate("ROW_NUMBER", least=0, needs_window=True)
def row_number(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del arguments, ctx
    _require_order(options)
    return _rank("row_number", options)


@aggregate("RANK", least=0, needs_window=True)
def rank(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del arguments, ctx
    _require_order(options)
    return _rank("rank", options)


@aggregate("DENSE_RANK", least=0, needs_window=True)
def dense_rank(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del arguments, ctx
    _require_order(options)
    return _rank("dense_rank", options)


def _require_order(options: Options) -> None:
    if "ORDER BY" not in (options.window or ""):
        raise OracleError(30485, "missing ORDER BY expression in the window specification")


@aggregate("NTILE", least=1, needs_window=True)
def ntile(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    _require_order(options)
    buckets = as_integer(to_number(arguments[0], ctx))
    return grouped(f"CAST({options.over(f'ntile({buckets})')} AS {COUNT})", NUMBER, COUNT, options, *arguments)


def _neighbour(name: str, arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    _require_order(options)
    x = arguments[0]
    offset = as_integer(to_number(arguments[1], ctx)) if len(arguments) > 1 else "1"
    type_ = NUMBER if x.type.kind in DECIMALS else x.type
    items = [x, *arguments[2:]]
    carrier = common_carrier(items, type_) if type_ == NUMBER else x.carrier
    texts = [convert(item, type_, carrier, ctx).sql for item in items]
    default = f", {texts[1]}" if len(texts) > 1 else ""
    nulls = " IGNORE NULLS" if options.ignore_nulls else ""
    return grouped(options.over(f"{name}({texts[0]}, {offset}{default}{nulls})"), type_, carrier, options, *arguments)


@aggregate("LAG", least=1, most=3, needs_window=True, options="ignore_nulls")
def lag(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    return _neighbour("lag", arguments, ctx, options)


@aggregate("LEAD", least=1, most=3, needs_window=True, options="ignore_nulls")
def lead(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    return _neighbour("lead", arguments, ctx, options)


def _picked(name: str, arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = arguments[0]
    position = f", {as_integer(to_number(arguments[1], ctx))}" if len(arguments) > 1 else ""
    nulls = " IGNORE NULLS" if options.ignore_nulls else ""
    type_ = NUMBER if x.type.kind in DECIMALS else x.type
    return grouped(options.over(f"{name}({x.sql}{position}{nulls})"), type_, x.carrier, options, *arguments)


@aggregate("FIRST_VALUE", least=1, needs_window=True, options="ignore_nulls")
def first_value(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    return _picked("first_value", arguments, ctx, options)


@aggregate("LAST_VALUE", least=1, needs_window=True, options="ignore_nulls")
def last_value(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    return _picked("last_value", arguments, ctx, options)


@aggregate("NTH_VALUE", least=2, needs_window=True, options="ignore_nulls")
def nth_value(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    return _picked("nth_value", arguments, ctx, options)


@aggregate("RATIO_TO_REPORT", least=1, needs_window=True)
def ratio_to_report(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    x = numeric(arguments[0], ctx)
    total = sum_(arguments, ctx, options)
    sql = f"(CASE WHEN {as_bytes(total)} <> '\\x80'::BLOB THEN ora_divide({as_bytes(x)}, {as_bytes(total)}) END)"
    return grouped(sql, NUMBER, NUMBER_BYTES, options, *arguments)


def _share(name: str, less: int, options: Options) -> Typed:
    """A rank over a count: DuckDB's double tells the rank, which is a whole number, and the division is done in decimal."""
    whole = f"(count(*) OVER ({options.window} RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - {less})"
    rank_text = f"CAST(CAST(round({options.over(f'{name}()')} * {whole}) AS BIGINT) AS VARCHAR)"
    divided = f"ora_divide(ora_number({rank_text}), ora_number(CAST(greatest({whole}, 1) AS VARCHAR)))"
    return grouped(divided, NUMBER, NUMBER_BYTES, options)


@aggregate("CUME_DIST", least=0, needs_window=True)
def cume_dist(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del arguments, ctx
    _require_order(options)
    return _share("cume_dist", 0, options)


@aggregate("PERCENT_RANK", least=0, needs_window=True)
def percent_rank(arguments: Arguments, ctx: BindContext, options: Options) -> Typed:
    del arguments, ctx
    _require_order(options)
    return _share("percent_rank", 1, options)

"""Numeric functions."""

from __future__ import annotations

from decimal import Decimal

from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions.conversion import to_datetime, to_double, to_number
from oracle_mimic.sql.expressions.derive import (
    BINARY_DOUBLE,
    BINARY_FLOAT,
    DATETIMES,
    NUMBER,
    derived,
    null_of,
    timestamp,
)
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.functions_date import round_date, trunc_date
from oracle_mimic.sql.expressions.functions_null import as_first
from oracle_mimic.sql.expressions.numbers import (
    aligned,
    as_bytes,
    as_double,
    as_integer,
    common_decimal,
    decimal,
    decimal_shape,
    is_double,
    number_literal,
)


def _through_bytes(function: str, *operands: Typed) -> Typed:
    arguments = ", ".join(as_bytes(operand) for operand in operands)
    return derived(f"{function}({arguments})", NUMBER, NUMBER_BYTES, *operands)


def _native_double(function: str, x: Typed) -> Typed:
    return derived(f"CAST({function}({as_double(x)}) AS DOUBLE)", BINARY_DOUBLE, "DOUBLE", x)


@scalar("ABS", least=1)
def absolute(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_number(arguments[0], ctx)
    if x.carrier == NUMBER_BYTES:
        return _through_bytes("ora_absolute", x)
    return derived(f"CAST(abs({x.sql}) AS {x.carrier})", x.type if is_double(x) else NUMBER, x.carrier, x)


def _whole(name: str, arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_number(arguments[0], ctx)
    if is_double(x):
        return derived(f"CAST({name}({x.sql}) AS {x.carrier})", x.type, x.carrier, x)
    shape = decimal_shape(x.carrier)
    if shape is None or shape[0] - shape[1] + 1 > 38:
        return _through_bytes(f"ora_{name}_number", x)
    if shape[1] == 0:
        return derived(x.sql, NUMBER, x.carrier, x)
    carrier = decimal(shape[0] - shape[1] + 1, 0)
    return derived(f"CAST({name}(CAST({x.sql} AS {decimal(min(shape[0] + 1, 38), shape[1])})) AS {carrier})", NUMBER, carrier, x)


@scalar("CEIL", least=1)
def ceil(arguments: Arguments, ctx: BindContext) -> Typed:
    return _whole("ceil", arguments, ctx)


@scalar("FLOOR", least=1)
def floor(arguments: Arguments, ctx: BindContext) -> Typed:
    return _whole("floor", arguments, ctx)


@scalar("SIGN", least=1)
def sign(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_number(arguments[0], ctx)
    if x.carrier == NUMBER_BYTES:
        zero = r"'\x80'::BLOB"
        text = f"(CASE WHEN {x.sql} > {zero} THEN 1 WHEN {x.sql} < {zero} THEN -1 WHEN {x.sql} = {zero} THEN 0 END)"
    else:
        text = f"sign({x.sql})"
    return derived(f"CAST({text} AS DECIMAL(1,0))", NUMBER, "DECIMAL(1,0)", x)


@scalar("ROUND", least=1, most=2)
def rounded(arguments: Arguments, ctx: BindContext) -> Typed:
    if arguments[0].type.kind in DATETIMES:
        return round_date(arguments, ctx)
    return _to_places(arguments, ctx, "round")


@scalar("TRUNC", least=1, most=2)
def truncated(arguments: Arguments, ctx: BindContext) -> Typed:
    if arguments[0].type.kind in DATETIMES:
        return trunc_date(arguments, ctx)
    return _to_places(arguments, ctx, "trunc")


def _to_places(arguments: Arguments, ctx: BindContext, name: str) -> Typed:
    """ROUND and TRUNC of a number: native when the number of places is known and the carrier is a DECIMAL."""
    x = to_number(arguments[0], ctx)
    places = to_number(arguments[1], ctx) if len(arguments) > 1 else number_literal(Decimal(0))
    if is_double(x) and len(arguments) == 1:
        text = f"ora_round_double({as_double(x)})" if name == "round" else f"trunc({x.sql})"
        return derived(f"CAST({text} AS {x.carrier})", x.type, x.carrier, x)
    shape = decimal_shape(x.carrier)
    known = int(places.literal) if isinstance(places.literal, Decimal) else None
    if shape and known is not None and known >= 0:
        if known >= shape[1]:
            return derived(x.sql, NUMBER, x.carrier, x)
        if name == "trunc":
            carrier = decimal(max(shape[0] - shape[1] + known, 1), known)
            return derived(f"CAST(trunc({x.sql}, {known}) AS {carrier})", NUMBER, carrier, x)
        carrier = decimal(shape[0] - shape[1] + 1 + known, known)
        return derived(f"CAST({x.sql} AS {carrier})", NUMBER, carrier, x)
    return derived(f"ora_{name}_number({as_bytes(x)}, {as_integer(places)})", NUMBER, NUMBER_BYTES, x, places)


@scalar("MOD", least=2)
def mod(arguments: Arguments, ctx: BindContext) -> Typed:
    x, m = (to_number(argument, ctx) for argument in arguments)
    if is_double(x) or is_double(m):
        a, b = as_double(x), as_double(m)
        return derived(f"(CASE WHEN {b} = 0 THEN {a} ELSE fmod({a}, {b}) END)", BINARY_DOUBLE, "DOUBLE", x, m)
    common = common_decimal(x, m)
    if common is None:
        return _through_bytes("ora_mod", x, m)
    a, b = f"CAST({x.sql} AS {common})", f"CAST({m.sql} AS {common})"
    if isinstance(m.literal, Decimal) and m.literal:
        return derived(f"CAST(({a} % {b}) AS {common})", NUMBER, common, x, m)
    return derived(f"CAST((CASE WHEN {b} = 0 THEN {a} ELSE {a} % {b} END) AS {common})", NUMBER, common, x, m)


@scalar("REMAINDER", least=2)
def remainder(arguments: Arguments, ctx: BindContext) -> Typed:
    return _through_bytes("ora_remainder", *(to_number(argument, ctx) for argument in arguments))


@scalar("POWER", least=2)
def power(arguments: Arguments, ctx: BindContext) -> Typed:
    x, y = (to_number(argument, ctx) for argument in arguments)
    if is_double(x) or is_double(y):
        return derived(f"power({as_double(x)}, {as_double(y)})", BINARY_DOUBLE, "DOUBLE", x, y)
    return _through_bytes("ora_power", x, y)


@scalar("LOG", least=2)
def log(arguments: Arguments, ctx: BindContext) -> Typed:
    return _through_bytes("ora_logarithm", *(to_number(argument, ctx) for argument in arguments))


def _transcendental(number_function: str, double_function: str, arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_number(arguments[0], ctx)
    return _native_double(double_function, x) if is_double(x) else _through_bytes(number_function, x)


@scalar("SQRT", least=1)
def square_root(arguments: Arguments, ctx: BindContext) -> Typed:
    return _transcendental("ora_square_root", "sqrt", arguments, ctx)


@scalar("EXP", least=1)
def exponential(arguments: Arguments, ctx: BindContext) -> Typed:
    return _transcendental("ora_exponential", "exp", arguments, ctx)


@scalar("LN", least=1)
def natural_logarithm(arguments: Arguments, ctx: BindContext) -> Typed:
    return _transcendental("ora_natural_logarithm", "ln", arguments, ctx)


@scalar("BITAND", least=2)
def bitand(arguments: Arguments, ctx: BindContext) -> Typed:
    a, b = (as_integer(to_number(argument, ctx)) for argument in arguments)
    return derived(f"CAST(({a})::BIGINT & ({b})::BIGINT AS DECIMAL(19,0))", NUMBER, "DECIMAL(19,0)", *arguments)


@scalar("WIDTH_BUCKET", least=4)
def width_bucket(arguments: Arguments, ctx: BindContext) -> Typed:
    if arguments[0].type.kind in DATETIMES:  # microseconds are as good as days
        micros = (to_datetime(argument, timestamp(6), ctx) for argument in arguments[:3])
        arguments = [*(derived(f"epoch_us({moment.sql})", NUMBER, "BIGINT", moment) for moment in micros), arguments[3]]
    x, low, high, count = (to_number(argument, ctx) for argument in arguments)
    text = f"ora_width_bucket({as_bytes(x)}, {as_bytes(low)}, {as_bytes(high)}, {as_integer(count)})"
    return derived(f"CAST({text} AS DECIMAL(19,0))", NUMBER, "DECIMAL(19,0)", *arguments)


@scalar("NANVL", least=2)
def nanvl(arguments: Arguments, ctx: BindContext) -> Typed:
    x, other = (to_number(argument, ctx) for argument in arguments)
    if not is_double(x):
        return x
    a, b = aligned(x, other)
    return derived(f"(CASE WHEN isnan({a}) THEN {b} ELSE {a} END)", BINARY_DOUBLE, "DOUBLE", x, other)


@scalar("TO_BINARY_DOUBLE", least=1)
def to_binary_double(arguments: Arguments, ctx: BindContext) -> Typed:
    return to_double(arguments[0], BINARY_DOUBLE, ctx)


@scalar("TO_BINARY_FLOAT", least=1)
def to_binary_float(arguments: Arguments, ctx: BindContext) -> Typed:
    return to_double(arguments[0], BINARY_FLOAT, ctx)


@scalar("GREATEST", least=1, most=None)
def greatest(arguments: Arguments, ctx: BindContext) -> Typed:
    return _extreme("greatest", arguments, ctx)


@scalar("LEAST", least=1, most=None)
def least(arguments: Arguments, ctx: BindContext) -> Typed:
    return _extreme("least", arguments, ctx)


def _extreme(name: str, arguments: Arguments, ctx: BindContext) -> Typed:
    """All are converted to the type of the first; NULL when one of them is."""
    items, type_, carrier = as_first(arguments, ctx)
    some_null = " OR ".join(f"{item.sql} IS NULL" for item in items if item.nullable)
    texts = ", ".join(item.sql for item in items)
    best = f"{name}({texts})"  # values with a zone are compared by their first field, the instant
    sql = f"(CASE WHEN {some_null} THEN {null_of(carrier)} ELSE {best} END)" if some_null else best
    return derived(sql, type_, carrier, *arguments)

"""Conversions: the implicit ones that operators make, CAST, assignment to a column, and the common type of several branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES, duckdb_type
from oracle_mimic.sql.expressions import intervals, masks, moments, rowid_text
from oracle_mimic.sql.expressions.derive import (
    BINARIES,
    CLOB,
    DATETIMES,
    DECIMALS,
    FIXED_TEXT,
    INTERVALS,
    LARGE_TEXT,
    NATIONAL,
    NUMBER,
    NUMERIC,
    OCTETS,
    ROWID,
    TEXT,
    VARCHAR2_MAX,
    byte_length,
    derived,
    null_of,
    quote,
    raising,
    varchar2,
)
from oracle_mimic.sql.expressions.number_bytes import text_of
from oracle_mimic.sql.expressions.number_text import parse_number
from oracle_mimic.sql.expressions.numbers import as_bytes, as_double, decimal_shape, in_bytes, number_literal, number_text
from oracle_mimic.types import Kind, OracleType


def inconsistent(expected: OracleType | Kind | str, got: OracleType) -> OracleError:
    """ORA-00932 with the names of the types as Oracle prints them."""
    return OracleError(932, f"inconsistent datatypes: expected {_spelled(expected)} got {_spelled(got)}")


def _spelled(type_: OracleType | Kind | str) -> str:
    if isinstance(type_, str):
        return type_
    kind = type_.kind if isinstance(type_, OracleType) else type_
    names = {Kind.VARCHAR2: "CHAR", Kind.NVARCHAR2: "NCHAR", Kind.RAW: "BINARY", Kind.FLOAT: "NUMBER"}
    return names.get(kind, kind.value)


def null_as(type_: OracleType, carrier: str | None = None) -> Typed:
    """NULL of a type: unlike the literal NULL it takes no other."""
    carrier = carrier or duckdb_type(type_)
    return Typed(null_of(carrier), type_, carrier)


# --- to numbers ------------------------------------------------------------------------------------------------------------


def to_number(x: Typed, ctx: BindContext) -> Typed:
    """A numeric expression from a number or from text (ORA-01722); ORA-00932 from anything else."""
    if x.type.kind in NUMERIC:
        return x
    if x.is_null_literal:
        return null_as(NUMBER)
    if x.type.kind in TEXT or x.type.kind in LARGE_TEXT:
        if isinstance(x.literal, str):
            try:
                return number_literal(Decimal(parse_number_text(x.literal, ctx)))
            except OracleError:
                pass  # raised when the row is computed, as Oracle does, not while the statement is parsed
        return derived(f"ora_parse_number_bytes({x.sql}, {quote(ctx.nls.numeric_characters)})", NUMBER, NUMBER_BYTES, x)
    raise inconsistent(Kind.NUMBER, x.type)


def parse_number_text(text: str, ctx: BindContext) -> Decimal:
    return parse_number(text, ctx.nls.numeric_characters)


def to_double(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """BINARY_FLOAT or BINARY_DOUBLE from a number or from text (`Inf` and `NaN` are numbers here)."""
    carrier = duckdb_type(type_)
    if x.carrier == carrier:
        return derived(x.sql, type_, carrier, x)
    if x.type.kind in TEXT:
        return derived(f"CAST(ora_parse_double({x.sql}, {quote(ctx.nls.numeric_characters)}) AS {carrier})", type_, carrier, x)
    value = as_double(to_number(x, ctx))
    if carrier == "FLOAT":
        value = f"ora_single({value})"
    return derived(f"CAST({value} AS {carrier})", type_, carrier, x)


def to_decimal(x: Typed, type_: OracleType, carrier: str, ctx: BindContext, complaint: tuple[int, str]) -> Typed:
    """A number in a DECIMAL carrier: rounded half away from zero to its scale; `complaint` when it is too large for `type_`."""
    x = to_number(x, ctx)
    if x.type.kind in BINARIES:
        x = in_bytes(x)
    shape, target = decimal_shape(x.carrier), decimal_shape(carrier)
    if target is None:
        raise refused(f"the carrier {carrier} for a number")
    negative_scale = type_.scale is not None and type_.scale < 0
    if negative_scale:
        x = derived(f"ora_round_number({as_bytes(x)}, {type_.scale})", NUMBER, NUMBER_BYTES, x)
        shape = None
    text = x.sql if shape else f"ora_number_digits({x.sql})"
    if shape and not type_too_narrow(type_) and shape[1] <= target[1] and shape[0] - shape[1] <= target[0] - target[1]:
        return derived(text if x.carrier == carrier else f"CAST({text} AS {carrier})", type_, carrier, x)
    result = f"TRY_CAST({text} AS {carrier})"
    if type_too_narrow(type_):
        limit = "0." + "0" * ((type_.scale or 0) - (type_.precision or 0)) + "9" * (type_.precision or 0)
        result = f"(CASE WHEN abs({result}) <= CAST('{limit}' AS {carrier}) THEN {result} END)"
    checked = f"coalesce({result}, {raising(*complaint, carrier)})"
    if x.nullable:
        checked = f"(CASE WHEN {x.sql} IS NOT NULL THEN {checked} END)"
    return derived(checked, type_, carrier, x)


def type_too_narrow(type_: OracleType) -> bool:
    """NUMBER(p,s) with s > p: the carrier has room for more digits than the type allows."""
    return type_.precision is not None and type_.scale is not None and type_.scale > type_.precision


# --- to text ---------------------------------------------------------------------------------------------------------------


def text_type(x: OracleType) -> OracleType:
    """The VARCHAR2 an expression of this type becomes when it is used as text."""
    if x.kind in TEXT or x.kind in LARGE_TEXT:
        return x
    if x.kind in NUMERIC:
        return varchar2(40)
    if x.kind in OCTETS:
        return varchar2(2 * (x.length or 2000))
    if x.kind is Kind.ROWID:
        return varchar2(18)
    return varchar2(75)


def to_text(x: Typed, ctx: BindContext) -> Typed:
    """Any scalar as text, by the session's formats."""
    kind = x.type.kind
    if kind in TEXT or kind in LARGE_TEXT:
        return x
    type_ = text_type(x.type)
    if kind in NUMERIC:
        text = number_text(x)
        if ctx.nls.numeric_characters[0] != ".":
            text = f"replace({text}, '.', {quote(ctx.nls.numeric_characters[0])})"
        return replace(derived(text, type_, "VARCHAR", x), literal=text_of(x.literal) if isinstance(x.literal, Decimal) else None)
    if kind in DATETIMES:
        return masks.format_datetime(x, masks.nls_mask(x.type.kind, ctx), ctx)
    if kind in INTERVALS:
        return derived(intervals.interval_text(x), varchar2(30), "VARCHAR", x)
    if kind is Kind.RAW:
        return derived(f"hex({x.sql})", type_, "VARCHAR", x)
    if kind is Kind.ROWID:
        return derived(rowid_text.encode_sql(x.sql), type_, "VARCHAR", x)
    raise inconsistent(Kind.VARCHAR2, x.type)


# --- to everything else ----------------------------------------------------------------------------------------------------


def to_datetime(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """DATE or a TIMESTAMP kind from another of them or from text by the session's format (ORA-018xx)."""
    if x.is_null_literal:
        return null_as(type_)
    if x.type.kind in TEXT or x.type.kind in LARGE_TEXT:
        parsed = masks.parse_datetime(x, masks.nls_mask(type_.kind, ctx), type_, ctx)
        return moments.to_kind(parsed, type_, ctx)
    if x.type.kind in DATETIMES:
        return moments.to_kind(x, type_, ctx)
    raise inconsistent(type_, x.type)


def to_type(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """Implicit conversion to a kind, in the carrier of `type_`; lengths are not checked; ORA-00932 when there is none."""
    kind = type_.kind
    if x.is_null_literal:
        return null_as(type_)
    if kind in TEXT or kind in LARGE_TEXT:
        if x.type.kind in OCTETS and kind in LARGE_TEXT:
            raise inconsistent(type_, x.type)
        text = to_text(x, ctx)
        return derived(text.sql, type_, "VARCHAR", x)
    if kind in DECIMALS:
        return _to_number_type(x, type_, ctx)
    if kind in BINARIES:
        return to_double(x, type_, ctx)
    if kind in DATETIMES:
        return to_datetime(x, type_, ctx)
    if kind in INTERVALS:
        return intervals.to_interval(x, type_)
    if kind in OCTETS:
        if x.type.kind in TEXT:
            return derived(f"ora_hex_to_raw({x.sql})", type_, "BLOB", x)
        if x.type.kind in OCTETS:
            return derived(x.sql, type_, "BLOB", x)
    if kind is Kind.ROWID:
        if x.type.kind is Kind.ROWID:
            return x
        if x.type.kind in TEXT:
            return derived(rowid_text.decode_sql(x.sql), ROWID, "HUGEINT", x)
    raise inconsistent(type_, x.type)


def _to_number_type(x: Typed, type_: OracleType, ctx: BindContext, complaint: tuple[int, str] | None = None) -> Typed:
    carrier = duckdb_type(type_)
    complaint = complaint or (1438, "value larger than specified precision allowed for this column")
    if carrier != NUMBER_BYTES:
        return to_decimal(x, type_, carrier, ctx, complaint)
    number = to_number(x, ctx)
    sql = as_bytes(number)
    if type_.kind is Kind.FLOAT and type_.precision is not None and type_.precision < 126:
        sql = f"ora_round_binary({sql}, {type_.precision})"
    elif type_.kind is Kind.NUMBER and type_.scale is not None:
        shape = decimal_shape(number.carrier)
        if type_.precision is None and shape and shape[1] <= type_.scale:
            return derived(sql, type_, NUMBER_BYTES, number)
        sql = f"ora_fit_number({sql}, {type_.precision or 40}, {type_.scale})"
    return derived(sql, type_, NUMBER_BYTES, number)


# --- CAST and assignment ---------------------------------------------------------------------------------------------------


def cast(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """CAST(x AS type): character values are cut to the length and CHAR is padded; numbers are rounded (ORA-01438 too large)."""
    kind = type_.kind
    if x.is_null_literal:
        return null_as(type_)
    if kind in LARGE_TEXT and x.type.kind in NATIONAL | TEXT | LARGE_TEXT:
        return derived(x.sql, type_, "VARCHAR", x)
    if kind in TEXT:
        if x.type.kind in OCTETS - {Kind.RAW}:
            raise inconsistent(Kind.VARCHAR2, x.type)
        text = to_text(x, ctx)
        if x.type.kind in LARGE_TEXT:
            text = lob_text(text, byte_length(type_))
        elif x.type.kind not in TEXT and _longest(x, text) > (type_.length or 1):
            fitting = f"ora_in_length({text.sql}, {type_.length or 1})"
            text = derived(fitting, varchar2(type_.length or 1), "VARCHAR", text)
        return _cut(text, type_)
    if kind in DATETIMES and x.type.kind in NUMERIC:
        raise inconsistent(type_, x.type)
    if kind in INTERVALS:
        return intervals.to_interval(x, type_)
    if kind is Kind.RAW and x.type.kind in OCTETS:
        return derived(f"ora_cut_raw({x.sql}, {type_.length})", type_, "BLOB", x)
    return to_type(x, type_, ctx)


def lob_text(text: Typed, length: int) -> Typed:
    """A CLOB as VARCHAR2; ORA-22835 when it is longer than `length` bytes."""
    return derived(f"ora_lob_text({text.sql}, {length})", varchar2(length), "VARCHAR", text)


def _longest(x: Typed, text: Typed) -> int:
    """Characters that the text of a number, date or RAW may have."""
    shape = decimal_shape(x.carrier) if x.type.kind in NUMERIC else None
    return shape[0] + 2 if shape else byte_length(text.type)


def _cut(text: Typed, type_: OracleType) -> Typed:
    length = type_.length or 1
    if type_.char_semantics or type_.kind in NATIONAL:
        fits = text.type.length is not None and text.type.kind not in LARGE_TEXT and text.type.length <= length
        sql = text.sql if fits else f"substr({text.sql}, 1, {length})"
        padded = f"rpad({sql}, {length}, ' ')"
    else:
        fits = text.type.kind not in LARGE_TEXT and byte_length(text.type) <= length
        sql = text.sql if fits else f"ora_cut_bytes({text.sql}, {length})"
        padded = f"ora_pad_bytes({sql}, {length})"
    return derived(padded if type_.kind in FIXED_TEXT else sql, type_, "VARCHAR", text)


def assign(x: Typed, type_: OracleType, ctx: BindContext) -> Typed:
    """Assignment conversion to a column's carrier, as INSERT, UPDATE and MERGE make it.

    NUMBER is rounded half away from zero to the scale, ORA-01438 when too large. CHAR is padded; nothing is cut: lengths are for
    the engine's checks (ORA-12899), which know the column's name.
    """
    kind = type_.kind
    if x.is_null_literal:
        return null_as(type_)
    if kind in FIXED_TEXT and type_.length:
        text = to_text(x, ctx)
        if type_.char_semantics or kind is Kind.NCHAR:
            sql = f"(CASE WHEN length({text.sql}) < {type_.length} THEN rpad({text.sql}, {type_.length}, ' ') ELSE {text.sql} END)"
        else:
            sql = f"ora_pad_bytes({text.sql}, {type_.length})"
        return derived(sql, type_, "VARCHAR", x)
    if kind in OCTETS and x.type.kind in LARGE_TEXT:
        raise inconsistent(type_, x.type)
    if kind in DATETIMES | INTERVALS and x.type.kind in NUMERIC:
        raise inconsistent(type_, x.type)
    return to_type(x, type_, ctx)


# --- common types ----------------------------------------------------------------------------------------------------------


def common_type(items: Sequence[Typed], ctx: BindContext) -> OracleType:
    """The type of CASE, NVL, COALESCE and set operations over `items`; ORA-00932 when they do not mix."""
    del ctx
    known = [item.type for item in items if not item.is_null_literal]
    if not known:
        return varchar2(1)
    result = known[0]
    for other in known[1:]:
        result = _common(result, other)
    return result


def _common(a: OracleType, b: OracleType) -> OracleType:
    if a == b:
        return a
    kinds = {a.kind, b.kind}
    if kinds <= NUMERIC:
        if kinds <= DECIMALS:
            return NUMBER
        return OracleType(Kind.BINARY_DOUBLE if kinds != {Kind.BINARY_FLOAT} else Kind.BINARY_FLOAT)
    if kinds <= TEXT | LARGE_TEXT:
        return _common_text(a, b)
    if kinds <= DATETIMES:
        return _common_datetime(a, b)
    if len(kinds) == 1 and a.kind in INTERVALS:
        return OracleType(a.kind, precision=max(a.precision or 2, b.precision or 2), scale=max(a.scale or 0, b.scale or 0))
    if kinds == {Kind.RAW}:
        return OracleType(Kind.RAW, length=max(a.length or 1, b.length or 1))
    if kinds == {Kind.BLOB}:
        return a
    raise OracleError(932, f"inconsistent datatypes: expected {_spelled(a)} got {_spelled(b)}")


def _common_text(a: OracleType, b: OracleType) -> OracleType:
    national = a.kind in NATIONAL or b.kind in NATIONAL
    if a.kind in LARGE_TEXT or b.kind in LARGE_TEXT:
        return OracleType(Kind.NCLOB) if national else CLOB
    if national:
        return varchar2(max(a.length or 1, b.length or 1), national=True)
    same_length = byte_length(a) == byte_length(b) and a.length == b.length
    if a.kind in FIXED_TEXT and b.kind in FIXED_TEXT and same_length:
        return a
    if a.char_semantics == b.char_semantics:
        return varchar2(max(a.length or VARCHAR2_MAX, b.length or VARCHAR2_MAX), char_semantics=a.char_semantics)
    return varchar2(max(byte_length(a), byte_length(b)))


def _common_datetime(a: OracleType, b: OracleType) -> OracleType:
    rank = [Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ, Kind.TIMESTAMP_TZ]
    kind = max(a.kind, b.kind, key=rank.index)
    return OracleType(kind, scale=max(moments.fraction_digits(a), moments.fraction_digits(b)))


def common_carrier(items: Sequence[Typed], type_: OracleType) -> str:
    """The carrier in which every item holds its value exactly: for NUMBER a DECIMAL when one fits them all."""
    if type_.kind is not Kind.NUMBER or type_.precision is not None:
        return duckdb_type(type_)
    shapes = [decimal_shape(item.carrier) for item in items if not item.is_null_literal]
    known = [shape for shape in shapes if shape]
    if not known or len(known) < len(shapes):
        return NUMBER_BYTES
    scale = max(s for _, s in known)
    precision = scale + max(p - s for p, s in known)
    return f"DECIMAL({precision},{scale})" if precision <= 38 else NUMBER_BYTES


def convert(x: Typed, type_: OracleType, carrier: str, ctx: BindContext) -> Typed:
    """A branch of a common type, in the carrier all branches share (for NUMBER any that `common_carrier` may give)."""
    if x.is_null_literal:
        return null_as(type_, carrier)
    if type_.kind is Kind.NUMBER and x.type.kind in NUMERIC:
        if x.carrier == carrier:
            return derived(x.sql, type_, carrier, x)
        if carrier == NUMBER_BYTES:
            return derived(as_bytes(x), type_, carrier, x)
        return to_decimal(x, type_, carrier, ctx, (1426, "numeric overflow"))
    result = to_type(x, type_, ctx)
    if result.carrier != carrier:
        raise refused(f"conversion of {x.type.kind.value} to the carrier {carrier}")
    return result

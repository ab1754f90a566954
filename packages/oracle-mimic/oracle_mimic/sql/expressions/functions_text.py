"""Character functions. '' is NULL: whatever could come out empty comes out NULL."""

from __future__ import annotations

import re
from decimal import Decimal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions import masks
from oracle_mimic.sql.expressions.arithmetic import concat
from oracle_mimic.sql.expressions.conversion import inconsistent, lob_text, null_as, to_number, to_text
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
    TEXT,
    VARCHAR2_MAX,
    byte_length,
    derived,
    quote,
    raising,
    varchar2,
)
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.intervals import interval_text
from oracle_mimic.sql.expressions.numbers import as_bytes, as_integer, number_text
from oracle_mimic.types import Kind, OracleType

COUNT = "DECIMAL(10,0)"


def text_result(source: Typed, length: int | None = None) -> OracleType:
    """The type of a text function over `source`: a CLOB stays one; else VARCHAR2 of `length` bytes, or of the source's size."""
    if source.type.kind in LARGE_TEXT:
        return CLOB if source.type.kind is not Kind.NCLOB else source.type
    national = source.type.kind in NATIONAL
    if length is not None:
        return varchar2(length, national=national)
    return varchar2(source.type.length or VARCHAR2_MAX, national=national, char_semantics=source.type.char_semantics)


def language_of(argument: Typed) -> str | None:
    """The language of an 'NLS_DATE_LANGUAGE = x' argument."""
    if not isinstance(argument.literal, str):
        raise refused("NLS parameters that are not a literal")
    found: str | None = None
    for setting in argument.literal.split(";"):
        name, _, value = setting.partition("=")
        if name.strip().upper() == "NLS_DATE_LANGUAGE":
            found = value.strip().strip("'").upper()
        elif name.strip():
            raise refused(f"the NLS parameter {name.strip()} in a function")
    return found


def _simple(function: str, arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    type_ = x.type if x.type.kind in FIXED_TEXT and x.literal is None else text_result(x)
    return derived(f"{function}({x.sql})", type_, "VARCHAR", x)


@scalar("UPPER", least=1)
def upper(arguments: Arguments, ctx: BindContext) -> Typed:
    """The sharp s has no capital in Oracle; DuckDB knows one."""
    typed = _simple("upper", arguments, ctx)
    return typed if _is_ascii(arguments[0]) else derived(f"replace({typed.sql}, 'ẞ', 'ß')", typed.type, "VARCHAR", typed)


def _is_ascii(x: Typed) -> bool:
    """True for what can only print ASCII."""
    return x.type.kind not in TEXT | LARGE_TEXT or (isinstance(x.literal, str) and x.literal.isascii())


@scalar("LOWER", least=1)
def lower(arguments: Arguments, ctx: BindContext) -> Typed:
    return _simple("lower", arguments, ctx)


@scalar("INITCAP", least=1)
def initcap(arguments: Arguments, ctx: BindContext) -> Typed:
    return _simple("ora_initcap", arguments, ctx)


@scalar("REVERSE", least=1)
def reverse(arguments: Arguments, ctx: BindContext) -> Typed:
    return _simple("ora_reverse_ascii", arguments, ctx)


@scalar("SUBSTR", least=2, most=3)
def substr(arguments: Arguments, ctx: BindContext) -> Typed:
    """Position 0 counts as 1, a negative one from the end; NULL for a length below 1 or a start outside the text."""
    x, position = to_text(arguments[0], ctx), to_number(arguments[1], ctx)
    length = to_number(arguments[2], ctx) if len(arguments) > 2 else None
    known = int(length.literal) if length is not None and isinstance(length.literal, Decimal) else None
    size = None if known is None else max(1, min(byte_length(x.type), max(known, 1) * 4))
    if known is not None and x.type.char_semantics and x.type.kind is Kind.VARCHAR2:
        size = max(1, min(byte_length(x.type), known * 4))
    start = as_integer(position)
    count = "" if length is None else f", greatest({as_integer(length)}, 0)" if known is None else f", {max(known, 0)}"
    if isinstance(position.literal, Decimal):
        first = int(position.literal)
        if first >= 0:
            sql = f"substr({x.sql}, {max(first, 1)}{count})"
        else:
            sql = f"(CASE WHEN length({x.sql}) >= {-first} THEN substr({x.sql}, length({x.sql}) - {-first - 1}{count}) END)"
    else:
        sql = (
            f"(CASE WHEN {start} >= 0 THEN substr({x.sql}, greatest({start}, 1){count}) "
            f"WHEN length({x.sql}) >= -({start}) THEN substr({x.sql}, length({x.sql}) + ({start}) + 1{count}) END)"
        )
    return derived(f"nullif({sql}, '')", text_result(x, size), "VARCHAR", *arguments, nullable=True)


@scalar("SUBSTRB", least=2, most=3)
def substrb(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    start = as_integer(to_number(arguments[1], ctx))
    count = as_integer(to_number(arguments[2], ctx)) if len(arguments) > 2 else str(2**40)
    return derived(f"ora_substr_bytes({x.sql}, {start}, {count})", text_result(x), "VARCHAR", *arguments, nullable=True)


@scalar("INSTR", least=2, most=4)
def instr(arguments: Arguments, ctx: BindContext) -> Typed:
    x, sought = to_text(arguments[0], ctx), to_text(arguments[1], ctx)
    if len(arguments) == 2:
        return derived(f"CAST(instr({x.sql}, {sought.sql}) AS {COUNT})", NUMBER, COUNT, *arguments)
    start = as_integer(to_number(arguments[2], ctx))
    nth = as_integer(to_number(arguments[3], ctx)) if len(arguments) > 3 else "1"
    return derived(f"CAST(ora_instr({x.sql}, {sought.sql}, {start}, {nth}) AS {COUNT})", NUMBER, COUNT, *arguments)


@scalar("LENGTH", "DBMS_LOB.GETLENGTH", least=1)
def length(arguments: Arguments, ctx: BindContext) -> Typed:
    if arguments[0].type.kind in OCTETS - {Kind.RAW}:
        return derived(f"CAST(octet_length({arguments[0].sql}) AS {COUNT})", NUMBER, COUNT, *arguments)
    return derived(f"CAST(length({to_text(arguments[0], ctx).sql}) AS {COUNT})", NUMBER, COUNT, *arguments)


@scalar("LENGTHB", least=1)
def lengthb(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(f"CAST(strlen({to_text(arguments[0], ctx).sql}) AS {COUNT})", NUMBER, COUNT, *arguments)


_LONGEST_PAD = 50_000_000  # characters of a CLOB


def _pad(function: str, arguments: Arguments, ctx: BindContext) -> Typed:
    x, width = to_text(arguments[0], ctx), to_number(arguments[1], ctx)
    filler = to_text(arguments[2], ctx).sql if len(arguments) > 2 else "' '"
    size = as_integer(width)
    known = int(width.literal) * 4 if isinstance(width.literal, Decimal) else VARCHAR2_MAX + 1
    limit = _LONGEST_PAD if x.type.kind in LARGE_TEXT else VARCHAR2_MAX
    sql = f"(CASE WHEN {size} > 0 THEN {function}({x.sql}, CAST(least({size}, {limit}) AS INTEGER), {filler}) END)"
    if x.type.kind not in LARGE_TEXT and known > VARCHAR2_MAX:
        sql = f"ora_cut_bytes({sql}, {VARCHAR2_MAX})"  # without an error, as Oracle does
    return derived(sql, text_result(x, max(known, 1)), "VARCHAR", *arguments, nullable=True)


@scalar("LPAD", least=2, most=3)
def lpad(arguments: Arguments, ctx: BindContext) -> Typed:
    return _pad("lpad", arguments, ctx)


@scalar("RPAD", least=2, most=3)
def rpad(arguments: Arguments, ctx: BindContext) -> Typed:
    return _pad("rpad", arguments, ctx)


def _trim(function: str, arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    characters = to_text(arguments[1], ctx).sql if len(arguments) > 1 else "' '"
    return derived(f"nullif({function}({x.sql}, {characters}), '')", text_result(x), "VARCHAR", *arguments, nullable=True)


@scalar("TRIM", least=1, most=2)
def trim(arguments: Arguments, ctx: BindContext) -> Typed:
    return _trim("trim", arguments, ctx)


@scalar("LTRIM", least=1, most=2)
def ltrim(arguments: Arguments, ctx: BindContext) -> Typed:
    return _trim("ltrim", arguments, ctx)


@scalar("RTRIM", least=1, most=2)
def rtrim(arguments: Arguments, ctx: BindContext) -> Typed:
    return _trim("rtrim", arguments, ctx)


@scalar("REPLACE", least=2, most=3)
def replace(arguments: Arguments, ctx: BindContext) -> Typed:
    x, old = to_text(arguments[0], ctx), to_text(arguments[1], ctx)
    new = f"coalesce({to_text(arguments[2], ctx).sql}, '')" if len(arguments) > 2 else "''"
    sql = f"nullif(replace({x.sql}, coalesce({old.sql}, ''), {new}), '')"
    grows = len(arguments) > 2 and not (isinstance(arguments[2].literal, str) and isinstance(old.literal, str)
                                        and len(arguments[2].literal.encode()) <= len(old.literal.encode()))  # fmt: skip
    return derived(sql, text_result(x, VARCHAR2_MAX) if grows else text_result(x), "VARCHAR", *arguments, nullable=True)


@scalar("TRANSLATE", least=3)
def translate(arguments: Arguments, ctx: BindContext) -> Typed:
    x, old, new = (to_text(argument, ctx) for argument in arguments)
    return derived(f"ora_translate({x.sql}, {old.sql}, {new.sql})", text_result(x), "VARCHAR", *arguments, nullable=True)


@scalar("CONCAT", least=2)
def concatenation(arguments: Arguments, ctx: BindContext) -> Typed:
    return concat(arguments[0], arguments[1], ctx)


@scalar("ASCII", least=1)
def ascii_code(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(f"CAST(ora_ascii({to_text(arguments[0], ctx).sql}) AS {COUNT})", NUMBER, COUNT, *arguments)


@scalar("CHR", least=1)
def chr_(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(f"ora_chr({as_integer(to_number(arguments[0], ctx))})", varchar2(4), "VARCHAR", *arguments)


@scalar("NCHR", least=1)
def nchr(arguments: Arguments, ctx: BindContext) -> Typed:
    sql = f"chr(CAST({as_integer(to_number(arguments[0], ctx))} AS INTEGER))"
    return derived(sql, varchar2(1, national=True), "VARCHAR", *arguments)


@scalar("UNISTR", least=1)
def unistr(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    return derived(f"ora_unistr({x.sql})", varchar2(x.type.length or 1, national=True), "VARCHAR", *arguments)


@scalar("ASCIISTR", least=1)
def asciistr(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    return derived(f"ora_asciistr({x.sql})", varchar2(byte_length(x.type) * 5), "VARCHAR", *arguments)


@scalar("TO_CHAR", least=1, most=3)
def to_char(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    kind = x.type.kind
    if x.is_null_literal:
        return null_as(varchar2(1))
    if len(arguments) == 1:
        text = to_text(x, ctx)
        if kind in LARGE_TEXT:
            return lob_text(text, VARCHAR2_MAX)
        if kind in FIXED_TEXT or kind in NATIONAL:
            return derived(text.sql, varchar2(byte_length(x.type)), "VARCHAR", x)
        return text
    mask = to_text(arguments[1], ctx)
    if kind in TEXT:  # an implicit number, as Oracle decides when there is a mask
        x, kind = to_number(x, ctx), Kind.NUMBER
    if kind in DATETIMES:
        return masks.format_datetime(x, mask, ctx, language_of(arguments[2]) if len(arguments) > 2 else None)
    if kind in INTERVALS:
        return derived(interval_text(x), varchar2(30), "VARCHAR", x)
    if kind in NUMERIC:
        characters = _numeric_characters(arguments[2]) if len(arguments) > 2 else ctx.nls.numeric_characters
        length = len(mask.literal) + 12 if isinstance(mask.literal, str) else 64
        return derived(_format_number(x, mask, characters), varchar2(length), "VARCHAR", x, mask)
    raise inconsistent(Kind.NUMBER, x.type)


def _format_number(x: Typed, mask: Typed, characters: str) -> str:
    """DuckDB text of TO_CHAR(number, mask); TM9 prints what needs no exponent as TO_CHAR without a mask does."""
    written = f"ora_format_number({as_bytes(x)}, {mask.sql}, {quote(characters)})"
    if str(mask.literal).upper() not in ("TM", "TM9") or x.type.kind in BINARIES or characters[0] != ".":
        return written
    plain = number_text(x)
    return plain if x.carrier != NUMBER_BYTES else f"(CASE WHEN contains({plain}, 'E') THEN {written} ELSE {plain} END)"


def _numeric_characters(argument: Typed) -> str:
    """The decimal and group characters of an 'NLS_NUMERIC_CHARACTERS = ''dg''' argument."""
    if not isinstance(argument.literal, str):
        raise refused("NLS parameters that are not a literal")
    name, _, value = argument.literal.partition("=")
    characters = value.strip().strip("'")
    if name.strip().upper() != "NLS_NUMERIC_CHARACTERS" or len(characters) != 2:
        raise refused("NLS parameters of a number format other than NLS_NUMERIC_CHARACTERS")
    return characters


@scalar("TO_NCHAR", least=1, most=3)
def to_nchar(arguments: Arguments, ctx: BindContext) -> Typed:
    text = to_char(arguments, ctx)
    return derived(text.sql, varchar2(text.type.length or 1, national=True), "VARCHAR", *arguments)


@scalar("TO_NUMBER", least=1, most=3)
def to_number_function(arguments: Arguments, ctx: BindContext) -> Typed:
    if len(arguments) == 1 or arguments[0].type.kind in DECIMALS:
        x = to_number(arguments[0], ctx)
        return x if x.type.kind in DECIMALS else derived(as_bytes(x), NUMBER, "BLOB", x)
    text, mask = to_text(arguments[0], ctx), to_text(arguments[1], ctx)
    characters = _numeric_characters(arguments[2]) if len(arguments) > 2 else ctx.nls.numeric_characters
    if isinstance(mask.literal, str) and re.fullmatch("X{1,15}", mask.literal):
        return derived(_read_hexadecimal(text.sql, len(mask.literal)), NUMBER, "DECIMAL(19,0)", *arguments)
    return derived(f"ora_parse_number_mask({text.sql}, {mask.sql}, {quote(characters)})", NUMBER, "BLOB", *arguments)


def _read_hexadecimal(text: str, digits: int) -> str:
    """DuckDB text of TO_NUMBER(text, 'XX..'), for as many digits as a BIGINT holds."""
    checked = f"regexp_full_match(trim({text}), '[0-9A-Fa-f]{{1,{digits}}}')"
    complaint = raising(1722, "invalid number", "DECIMAL(19,0)")
    read = f"CAST(CAST('0x' || trim({text}) AS BIGINT) AS DECIMAL(19,0))"
    return f"(CASE WHEN {checked} THEN {read} WHEN {text} IS NOT NULL THEN {complaint} END)"


@scalar("TO_CLOB", least=1)
def to_clob(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(to_text(arguments[0], ctx).sql, CLOB, "VARCHAR", *arguments)


@scalar("TO_NCLOB", least=1)
def to_nclob(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(to_text(arguments[0], ctx).sql, OracleType(Kind.NCLOB), "VARCHAR", *arguments)


@scalar("DBMS_LOB.SUBSTR", least=1, most=3)
def lob_substr(arguments: Arguments, ctx: BindContext) -> Typed:
    """DBMS_LOB.SUBSTR(lob, amount, offset): the arguments stand the other way round, and the result is VARCHAR2 (or RAW)."""
    lob = arguments[0]
    amount = as_integer(to_number(arguments[1], ctx)) if len(arguments) > 1 else "32767"
    offset = as_integer(to_number(arguments[2], ctx)) if len(arguments) > 2 else "1"
    if lob.type.kind in OCTETS:
        sql = f"ora_slice_raw({lob.sql}, {offset}, {amount})"
        return derived(sql, OracleType(Kind.RAW, length=2000), "BLOB", *arguments, nullable=True)
    text = to_text(lob, ctx)
    sql = f"(CASE WHEN {offset} >= 1 AND {amount} >= 1 THEN nullif(substr({text.sql}, {offset}, {amount}), '') END)"
    return derived(sql, varchar2(VARCHAR2_MAX), "VARCHAR", *arguments, nullable=True)


@scalar("DBMS_LOB.COMPARE", least=2)
def lob_compare(arguments: Arguments, ctx: BindContext) -> Typed:
    a, b = (x if x.type.kind in OCTETS else to_text(x, ctx) for x in arguments)
    if a.carrier != b.carrier:
        raise OracleError(6553, "PLS-306: wrong number or types of arguments in call to 'COMPARE'")
    sql = f"(CASE WHEN {a.sql} = {b.sql} THEN 0 WHEN {a.sql} < {b.sql} THEN -1 WHEN {a.sql} > {b.sql} THEN 1 END)"
    return derived(f"CAST({sql} AS DECIMAL(1,0))", NUMBER, "DECIMAL(1,0)", *arguments)


@scalar("EMPTY_CLOB", least=0)
def empty_clob(arguments: Arguments, ctx: BindContext) -> Typed:
    """An empty LOB, which is not NULL in Oracle; '' in a VARCHAR is how it is carried."""
    del arguments, ctx
    return Typed("CAST('' AS VARCHAR)", CLOB, "VARCHAR", nullable=False)


@scalar("EMPTY_BLOB", least=0)
def empty_blob(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments, ctx
    return Typed("CAST('' AS BLOB)", OracleType(Kind.BLOB), "BLOB", nullable=False)

"""Functions over RAW and ROWID values, hashes, and what the session and the database know about themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import rowids
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.sql.expressions import moments, rowid_text
from oracle_mimic.sql.expressions.conversion import null_as, to_number, to_text, to_type
from oracle_mimic.sql.expressions.derive import (
    BINARIES,
    BLOB,
    DECIMALS,
    LARGE_TEXT,
    NUMBER,
    OCTETS,
    ROWID,
    TEXT,
    byte_length,
    derived,
    quote,
    timestamp,
    varchar2,
)
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.functions_date import seconds_of
from oracle_mimic.sql.expressions.numbers import as_bytes, as_integer, number_literal
from oracle_mimic.types import Kind, OracleType

COUNT = "DECIMAL(10,0)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def raw(length: int) -> OracleType:
    return OracleType(Kind.RAW, length=max(1, min(length, 2000)))


# --- RAW -------------------------------------------------------------------------------------------------------------------


@scalar("RAWTOHEX", least=1)
def rawtohex(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    if x.type.kind not in OCTETS:
        x = derived(f"encode({to_text(x, ctx).sql})", raw(byte_length(to_text(x, ctx).type)), "BLOB", x)
    return derived(f"hex({x.sql})", varchar2(2 * (x.type.length or 2000)), "VARCHAR", x)


@scalar("HEXTORAW", least=1)
def hextoraw(arguments: Arguments, ctx: BindContext) -> Typed:
    x = to_text(arguments[0], ctx)
    return derived(f"ora_hex_to_raw({x.sql})", raw((byte_length(x.type) + 1) // 2), "BLOB", x)


@scalar("UTL_RAW.CAST_TO_RAW", "UTL_I18N.STRING_TO_RAW", least=1, most=2)
def cast_to_raw(arguments: Arguments, ctx: BindContext) -> Typed:
    if len(arguments) > 1 and str(arguments[1].literal).upper() not in ("AL32UTF8", "UTF8"):
        raise refused("UTL_I18N.STRING_TO_RAW in another character set than AL32UTF8")
    x = to_text(arguments[0], ctx)
    return derived(f"encode({x.sql})", raw(byte_length(x.type)), "BLOB", x)


@scalar("UTL_RAW.CAST_TO_VARCHAR2", least=1)
def cast_to_varchar2(arguments: Arguments, ctx: BindContext) -> Typed:
    x = _as_raw(arguments[0], ctx)
    return derived(f"ora_text_of_raw({x.sql})", varchar2(4000), "VARCHAR", x)


@scalar("UTL_RAW.LENGTH", least=1)
def raw_length(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(f"CAST(octet_length({_as_raw(arguments[0], ctx).sql}) AS {COUNT})", NUMBER, COUNT, *arguments)


@scalar("UTL_RAW.SUBSTR", least=2, most=3)
def raw_substr(arguments: Arguments, ctx: BindContext) -> Typed:
    x = _as_raw(arguments[0], ctx)
    count = as_integer(to_number(arguments[2], ctx)) if len(arguments) > 2 else "32767"
    sql = f"ora_slice_raw({x.sql}, {as_integer(to_number(arguments[1], ctx))}, {count})"
    return derived(sql, raw(x.type.length or 2000), "BLOB", *arguments)


@scalar("TO_BLOB", least=1)
def to_blob(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(_as_raw(arguments[0], ctx).sql, BLOB, "BLOB", *arguments)


def _as_raw(x: Typed, ctx: BindContext) -> Typed:
    return x if x.type.kind in OCTETS else to_type(x, raw(byte_length(x.type)), ctx)


@scalar("SYS_GUID", least=0)
def sys_guid(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments, ctx
    return derived("ora_sys_guid(CAST(random() * 1000000000 AS BIGINT))", raw(16), "BLOB", nullable=False)


# --- internal bytes and hashes ---------------------------------------------------------------------------------------------


def internal_bytes(x: Typed, ctx: BindContext) -> str:
    """DuckDB text of a value's bytes as Oracle keeps them."""
    kind = x.type.kind
    if kind in TEXT:
        return f"encode({x.sql})"
    if kind in DECIMALS:
        return as_bytes(x)
    if kind is Kind.DATE:
        return f"ora_date_bytes({seconds_of(x)})"
    if kind is Kind.TIMESTAMP:
        return f"ora_timestamp_bytes({moments.nanos_of(x)})"
    if kind is Kind.RAW:
        return x.sql
    if kind in BINARIES:
        return f"ora_{'double' if kind is Kind.BINARY_DOUBLE else 'single'}_bytes({x.sql})"
    if kind in LARGE_TEXT or kind in OCTETS:
        raise OracleError(902, "invalid datatype")
    raise refused(f"the internal bytes of {kind.value}")


@scalar("STANDARD_HASH", least=1, most=2)
def standard_hash(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    method = "SHA1"
    if len(arguments) > 1:
        if not isinstance(arguments[1].literal, str):
            raise refused("STANDARD_HASH with a method that is not a literal")
        method = arguments[1].literal.upper()
    lengths = {"SHA1": 20, "SHA256": 32, "SHA384": 48, "SHA512": 64, "MD5": 16}
    if method not in lengths:
        raise OracleError(904, f'"{method}": invalid identifier')
    data = "CAST(NULL AS BLOB)" if x.is_null_literal else internal_bytes(x, ctx)
    if method in ("SHA1", "SHA256", "MD5"):
        sql = f"unhex({method.lower()}(coalesce({data}, CAST('' AS BLOB))))"
    else:
        sql = f"ora_standard_hash({data}, {quote(method)})"
    return derived(sql, raw(lengths[method]), "BLOB", x, nullable=False)


@scalar("DBMS_CRYPTO.HASH", least=2)
def crypto_hash(arguments: Arguments, ctx: BindContext) -> Typed:
    x = arguments[0]
    data = f"encode({x.sql})" if x.type.kind in LARGE_TEXT else _as_raw(x, ctx).sql
    return derived(f"ora_crypto_hash({data}, {as_integer(to_number(arguments[1], ctx))})", raw(64), "BLOB", *arguments)


@scalar("VSIZE", least=1)
def vsize(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(f"CAST(octet_length({internal_bytes(arguments[0], ctx)}) AS {COUNT})", NUMBER, COUNT, *arguments)


# --- ROWID -----------------------------------------------------------------------------------------------------------------


@scalar("ROWIDTOCHAR", least=1)
def rowidtochar(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(rowid_text.encode_sql(_rowid(arguments[0], ctx).sql), varchar2(18), "VARCHAR", *arguments)


@scalar("ROWIDTONCHAR", least=1)
def rowidtonchar(arguments: Arguments, ctx: BindContext) -> Typed:
    return derived(rowid_text.encode_sql(_rowid(arguments[0], ctx).sql), varchar2(18, national=True), "VARCHAR", *arguments)


@scalar("CHARTOROWID", least=1)
def chartorowid(arguments: Arguments, ctx: BindContext) -> Typed:
    return _rowid(to_text(arguments[0], ctx), ctx)


def _rowid(x: Typed, ctx: BindContext) -> Typed:
    return to_type(x, ROWID, ctx)


def _rowid_part(arguments: Arguments, ctx: BindContext, shift: int, bits: int) -> Typed:
    x = _rowid(arguments[0], ctx)
    sql = f"CAST(({x.sql} // CAST('{2**shift}' AS HUGEINT)) % CAST('{2**bits}' AS HUGEINT) AS DECIMAL(19,0))"
    return derived(sql, NUMBER, "DECIMAL(19,0)", x)


@scalar("DBMS_ROWID.ROWID_OBJECT", least=1)
def rowid_object(arguments: Arguments, ctx: BindContext) -> Typed:
    return _rowid_part(arguments, ctx, rowids.OBJECT_SHIFT, 36)


@scalar("DBMS_ROWID.ROWID_RELATIVE_FNO", least=1, most=2)
def rowid_relative_fno(arguments: Arguments, ctx: BindContext) -> Typed:
    return _rowid_part(arguments, ctx, rowids.FILE_SHIFT, 18)


@scalar("DBMS_ROWID.ROWID_BLOCK_NUMBER", least=1, most=2)
def rowid_block_number(arguments: Arguments, ctx: BindContext) -> Typed:
    return _rowid_part(arguments, ctx, rowids.BLOCK_SHIFT, 36)


@scalar("DBMS_ROWID.ROWID_ROW_NUMBER", least=1)
def rowid_row_number(arguments: Arguments, ctx: BindContext) -> Typed:
    return _rowid_part(arguments, ctx, 0, 18)


@scalar("DBMS_ROWID.ROWID_CREATE", least=5)
def rowid_create(arguments: Arguments, ctx: BindContext) -> Typed:
    """ROWID_CREATE(1, object, file, block, row); restricted ROWIDs (type 0) are refused."""
    kind, *rest = (to_number(argument, ctx) for argument in arguments)
    if kind.literal is not None and kind.literal != 1:
        raise refused("restricted ROWIDs")
    shifts = (rowids.OBJECT_SHIFT, rowids.FILE_SHIFT, rowids.BLOCK_SHIFT, 0)
    parts = (f"CAST({as_integer(part)} AS HUGEINT) * CAST('{2**shift}' AS HUGEINT)" for part, shift in zip(rest, shifts, strict=True))
    return derived(f"({' + '.join(parts)})", ROWID, "HUGEINT", *arguments)


# --- session and database --------------------------------------------------------------------------------------------------


@scalar("USER", least=0)
def user(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return derived(quote(ctx.user), varchar2(128), "VARCHAR", nullable=False)


@scalar("UID", least=0)
def uid(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return number_literal(Decimal(ctx.sys_context("USERENV", "SESSION_USERID") or 0))


def known(x: Typed, function: str, ctx: BindContext) -> Any:
    """The value of an argument that must be known before the statement runs; refused for a column (whose name is quoted)."""
    if x.literal is not None:
        return x.literal
    if '"' in x.sql:
        raise refused(f"{function} of a column")
    return ctx.constant(x)


def _context_value(namespace: str, parameter: str, length: int, ctx: BindContext) -> Typed:
    value = ctx.sys_context(namespace, parameter)
    type_ = varchar2(length)
    return null_as(type_) if not value else derived(quote(value), type_, "VARCHAR", nullable=False)


@scalar("SYS_CONTEXT", least=2, most=3)
def sys_context(arguments: Arguments, ctx: BindContext) -> Typed:
    namespace, parameter = (known(argument, "SYS_CONTEXT", ctx) for argument in arguments[:2])
    length = int(arguments[2].literal) if len(arguments) > 2 and isinstance(arguments[2].literal, Decimal) else 256
    if namespace is None or parameter is None:
        return null_as(varchar2(length))
    return _context_value(str(namespace), str(parameter), length, ctx)


@scalar("USERENV", least=1)
def userenv(arguments: Arguments, ctx: BindContext) -> Typed:
    parameter = str(arguments[0].literal).upper()
    if parameter not in ("SESSIONID", "LANG", "LANGUAGE", "TERMINAL", "ISDBA", "CLIENT_INFO", "SID", "INSTANCE"):
        raise OracleError(2003, "invalid USERENV parameter")
    if parameter in ("SESSIONID", "SID", "INSTANCE"):
        return number_literal(Decimal(ctx.sys_context("USERENV", parameter) or 0))
    return _context_value("USERENV", parameter, 64, ctx)


@scalar("DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER", least=0)
def get_system_change_number(arguments: Arguments, ctx: BindContext) -> Typed:
    del arguments
    return number_literal(Decimal(ctx.current_scn()))


@scalar("TIMESTAMP_TO_SCN", least=1)
def timestamp_to_scn(arguments: Arguments, ctx: BindContext) -> Typed:
    """The SCN of a moment, which must be known before the statement runs. Without a zone it is in the server's."""
    x = arguments[0]
    if x.type.kind is Kind.TIMESTAMP_TZ:
        nanos = known(derived(f"CAST(({x.sql}).utc AS HUGEINT)", timestamp(9), "HUGEINT", x), "TIMESTAMP_TO_SCN", ctx)
        zone: tzinfo | None = UTC
    else:
        nanos = known(moments.to_kind(x, timestamp(9), ctx), "TIMESTAMP_TO_SCN", ctx)
        zone = None
    if nanos is None:
        return null_as(NUMBER)
    moment = (_EPOCH + timedelta(microseconds=int(nanos) // 1000)).replace(tzinfo=zone)
    return number_literal(Decimal(ctx.time_to_scn(moment)))


@scalar("SCN_TO_TIMESTAMP", least=1)
def scn_to_timestamp(arguments: Arguments, ctx: BindContext) -> Typed:
    """The moment of an SCN in the server's zone: TIMESTAMP(9). ORA-08181 outside what the database remembers."""
    x = to_number(arguments[0], ctx)
    if x.literal is None and '"' in x.sql:
        utc = f"(ora_moment_of_scn({as_integer(x)})::HUGEINT * 1000)"
    else:
        scn = known(x, "SCN_TO_TIMESTAMP", ctx)
        if scn is None:
            return null_as(timestamp(9))
        utc = f"CAST('{(ctx.scn_to_time(int(scn)) - _EPOCH) // timedelta(microseconds=1) * 1000}' AS HUGEINT)"
    now = ctx.now()
    shown = derived(moments.tz_struct(utc, f"({now.sql}).tz", x.sql), now.type, TZ_STRUCT, x)
    return moments.to_timestamp(shown, timestamp(9), ctx)

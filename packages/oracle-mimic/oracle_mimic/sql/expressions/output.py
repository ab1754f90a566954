"""The shapes that cross the door, and DuckDB results as Python values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oracle_mimic.number import to_decimal
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions import moments, rowid_text
from oracle_mimic.sql.expressions.derive import DECIMALS, derived, null_of
from oracle_mimic.types import Kind, OracleType

OUTPUT_TZ = 'STRUCT(utc DECIMAL(38,0), "offset" INTEGER)'


def to_output(x: Typed, ctx: BindContext) -> Typed:
    """The last step of a top-level select item: its carrier becomes one that `types.CARRIERS` lists."""
    kind, type_ = x.type.kind, x.type
    if x.is_null_literal and kind is Kind.VARCHAR2:
        return Typed(null_of("VARCHAR"), type_, "VARCHAR", is_null_literal=True)
    if kind is Kind.TIMESTAMP_TZ:
        utc = f"({x.sql}).utc"
        offset = moments.offset_minutes_at(utc, f"({x.sql}).tz")
        value = f"CAST({{'utc': CAST({utc} AS DECIMAL(38,0)), 'offset': {offset}}} AS {OUTPUT_TZ})"
        return derived(f"(CASE WHEN {x.sql} IS NOT NULL THEN {value} END)", type_, OUTPUT_TZ, x)
    if kind is Kind.TIMESTAMP_LTZ:
        local = moments.utc_to_local(moments.nanos_of(x), ctx.nls.time_zone)
        if x.carrier == "HUGEINT":
            return derived(f"CAST({local} AS DECIMAL(38,0))", type_, "DECIMAL(38,0)", x)
        shifted = x.sql if local == moments.nanos_of(x) else moments.from_nanos(local, "TIMESTAMP")
        return derived(shifted, type_, "TIMESTAMP", x)
    if x.carrier == "HUGEINT" and kind is Kind.ROWID:
        return derived(rowid_text.encode_sql(x.sql), type_, "VARCHAR", x)
    if x.carrier == "HUGEINT":
        return derived(f"CAST({x.sql} AS DECIMAL(38,0))", type_, "DECIMAL(38,0)", x)
    return x


def to_python(carrier: str, value: Any, type_: OracleType | None = None) -> Any:
    """A value of a carrier, as DuckDB's client gives it, in its Python form: NUMBER as Decimal, WITH TIME ZONE as (utc
    nanoseconds, zone), intervals and fine timestamps as int; the rest as it is. A BLOB is a NUMBER unless `type_` says RAW or LOB."""
    if value is None:
        return None
    if carrier == NUMBER_BYTES and (type_ is None or type_.kind in DECIMALS):
        return to_decimal(bytes(value))
    if carrier.startswith("DECIMAL"):
        return Decimal(value)
    if isinstance(value, dict):
        return int(value["utc"]), value["tz"]
    return value

"""In which DuckDB type each Oracle type is stored and computed, and how a carrier crosses the door as Arrow.

The rule: a carrier holds every value of its Oracle type exactly, and DuckDB's own comparison of carriers is Oracle's order.

| Oracle | DuckDB |
|---|---|
| NUMBER(p,s), 0 <= s, max(p,s) <= 38 | DECIMAL(max(p,s), s) |
| NUMBER(p,-s), p+s <= 38 | DECIMAL(p+s, 0) |
| NUMBER, NUMBER(*,0), FLOAT, other NUMBER | BLOB: Oracle's own NUMBER bytes (memcmp order = numeric order) |
| BINARY_FLOAT / BINARY_DOUBLE | FLOAT / DOUBLE |
| character kinds, CLOB, LONG | VARCHAR (never '': that is NULL; CHAR is stored blank-padded) |
| DATE | TIMESTAMP_S |
| TIMESTAMP(0..6), LTZ(0..6) (UTC) | TIMESTAMP |
| TIMESTAMP(7..9), LTZ(7..9) (UTC) | HUGEINT nanoseconds since 1970 |
| TIMESTAMP WITH TIME ZONE | STRUCT(utc HUGEINT, tz VARCHAR): nanoseconds in UTC; '+02:00' or a region name |
| INTERVAL DAY TO SECOND / YEAR TO MONTH | HUGEINT nanoseconds / INTEGER months |
| RAW, BLOB, LONG RAW | BLOB |
| ROWID | HUGEINT, sorts as Oracle's ROWID |
"""

from __future__ import annotations

from oracle_mimic.types import Kind, OracleType

NUMBER_BYTES = "BLOB"
TZ_STRUCT = "STRUCT(utc HUGEINT, tz VARCHAR)"

_FIXED: dict[Kind, str] = {
    Kind.FLOAT: NUMBER_BYTES,
    Kind.BINARY_FLOAT: "FLOAT",
    Kind.BINARY_DOUBLE: "DOUBLE",
    Kind.VARCHAR2: "VARCHAR",
    Kind.NVARCHAR2: "VARCHAR",
    Kind.CHAR: "VARCHAR",
    Kind.NCHAR: "VARCHAR",
    Kind.LONG: "VARCHAR",
    Kind.CLOB: "VARCHAR",
    Kind.NCLOB: "VARCHAR",
    Kind.RAW: "BLOB",
    Kind.LONG_RAW: "BLOB",
    Kind.BLOB: "BLOB",
    Kind.DATE: "TIMESTAMP_S",
    Kind.TIMESTAMP_TZ: TZ_STRUCT,
    Kind.INTERVAL_DS: "HUGEINT",
    Kind.INTERVAL_YM: "INTEGER",
    Kind.ROWID: "HUGEINT",
    Kind.BOOLEAN: "BOOLEAN",
}


def duckdb_type(type_: OracleType) -> str:
    """The carrier of a column or value of this type; the spelling is the one `Typed.carrier` uses."""
    if type_.kind is Kind.NUMBER:
        if type_.precision is None or type_.scale is None:
            return NUMBER_BYTES
        digits = type_.precision - type_.scale if type_.scale < 0 else max(type_.precision, type_.scale)
        return f"DECIMAL({digits},{max(type_.scale, 0)})" if digits <= 38 else NUMBER_BYTES
    if type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ):
        return "TIMESTAMP" if (6 if type_.scale is None else type_.scale) <= 6 else "HUGEINT"
    return _FIXED[type_.kind]

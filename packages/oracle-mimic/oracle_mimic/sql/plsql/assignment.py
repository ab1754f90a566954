"""Assignment: a value becomes one of the variable's type."""

from __future__ import annotations

import pyarrow as pa

from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.values import Value
from oracle_mimic.types import Kind, OracleType

_TEXT = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.CLOB, Kind.NCLOB, Kind.LONG})
_OCTETS = frozenset({Kind.RAW, Kind.LONG_RAW, Kind.BLOB})
# What a failed conversion is called in PL/SQL.
_REASONS = {1722: "character to number conversion error", 1438: "number precision too large", 1426: "number precision too large"}


def type_text(type_: OracleType) -> str:
    """A type as CAST writes it. Texts are cast to the longest, so that what is too long is seen and not cut."""
    kind = type_.kind
    if kind in _TEXT:
        return "NVARCHAR2(2000)" if kind in (Kind.NVARCHAR2, Kind.NCHAR, Kind.NCLOB) else "VARCHAR2(4000)"
    if kind is Kind.NUMBER and type_.precision is not None:
        return f"NUMBER({type_.precision}, {type_.scale or 0})"
    if kind is Kind.NUMBER:
        return "NUMBER" if type_.scale is None else "INTEGER"
    if kind is Kind.FLOAT:
        return f"FLOAT({type_.precision or 126})"
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
        return f"TIMESTAMP({6 if type_.scale is None else type_.scale})" + str(kind.value).removeprefix("TIMESTAMP")
    if kind is Kind.INTERVAL_DS:
        return f"INTERVAL DAY({type_.precision or 2}) TO SECOND({6 if type_.scale is None else type_.scale})"
    if kind is Kind.INTERVAL_YM:
        return f"INTERVAL YEAR({type_.precision or 2}) TO MONTH"
    if kind in _OCTETS:
        return "RAW(2000)"
    return str(kind.value)


class Assigner:
    """Converts values, by the session's own CAST where kinds differ."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def converted(self, value: Value, type_: OracleType) -> Value:
        """The value in the given type; ORA-06502 for what does not fit."""
        if value.is_null:
            return values.null(type_)
        same = value.type.kind is type_.kind or (value.type.kind in _TEXT and type_.kind in _TEXT)
        same = same or (value.type.kind in _OCTETS and type_.kind in _OCTETS)
        if type_.kind is Kind.BOOLEAN or value.type.kind is Kind.BOOLEAN:
            if not same:
                raise OracleError(6550, "PLS-00382: expression is of wrong type")
            return value
        if type_.kind is Kind.NUMBER and same:
            return values.rounded(value, type_)
        if same and type_.kind not in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
            return values.fitted(value, type_)
        return values.fitted(self._cast(value, type_), type_)

    def _cast(self, value: Value, type_: OracleType) -> Value:
        sql = f"SELECT CAST(:1 AS {type_text(type_)}) FROM DUAL"
        try:
            rows = self.host.query(sql, Binds((value.type,), (value.array,)))
            batches = [batch for batch in rows.batches if batch.num_rows]
        except OracleError as error:
            if error.code in _REASONS:
                raise values.value_error(_REASONS[error.code]) from error
            raise
        if not batches:
            raise refused(f"conversion to {type_.kind.value}")
        return Value(type_, pa.concat_arrays([batch.column(0) for batch in batches]))

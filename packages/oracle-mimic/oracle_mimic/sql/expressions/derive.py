"""Building blocks for typed expressions: derived values, quoted constants, errors raised from DuckDB text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.types import Kind, OracleType

NUMBER = OracleType(Kind.NUMBER)
BINARY_FLOAT = OracleType(Kind.BINARY_FLOAT)
BINARY_DOUBLE = OracleType(Kind.BINARY_DOUBLE)
DATE = OracleType(Kind.DATE)
CLOB = OracleType(Kind.CLOB)
BLOB = OracleType(Kind.BLOB)
ROWID = OracleType(Kind.ROWID)
INTERVAL_DS = OracleType(Kind.INTERVAL_DS, precision=9, scale=9)
INTERVAL_YM = OracleType(Kind.INTERVAL_YM, precision=9)

TEXT = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR})
LARGE_TEXT = frozenset({Kind.CLOB, Kind.NCLOB, Kind.LONG})
FIXED_TEXT = frozenset({Kind.CHAR, Kind.NCHAR})
NATIONAL = frozenset({Kind.NVARCHAR2, Kind.NCHAR, Kind.NCLOB})
DECIMALS = frozenset({Kind.NUMBER, Kind.FLOAT})
BINARIES = frozenset({Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE})
NUMERIC = DECIMALS | BINARIES
TIMESTAMPS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ})
DATETIMES = TIMESTAMPS | {Kind.DATE}
INTERVALS = frozenset({Kind.INTERVAL_DS, Kind.INTERVAL_YM})
OCTETS = frozenset({Kind.RAW, Kind.LONG_RAW, Kind.BLOB})

VARCHAR2_MAX = 4000  # bytes: MAX_STRING_SIZE = STANDARD


def varchar2(length: int, *, national: bool = False, char_semantics: bool = False) -> OracleType:
    """VARCHAR2 (or NVARCHAR2) of `length`, at least 1 and at most what a column may hold."""
    kind = Kind.NVARCHAR2 if national else Kind.VARCHAR2
    limit = VARCHAR2_MAX // 2 if national else VARCHAR2_MAX
    return OracleType(kind, length=max(1, min(length, limit)), char_semantics=char_semantics or national)


def timestamp(scale: int = 6) -> OracleType:
    return OracleType(Kind.TIMESTAMP, scale=scale)


def timestamp_tz(scale: int = 6) -> OracleType:
    return OracleType(Kind.TIMESTAMP_TZ, scale=scale)


def derived(sql: str, type_: OracleType, carrier: str | None = None, *operands: Typed, nullable: bool | None = None) -> Typed:
    """An expression over `operands`: nullable when one of them is, aggregate or windowed when one of them is."""
    return Typed(
        sql,
        type_,
        carrier or duckdb_type(type_),
        nullable=any(o.nullable for o in operands) if nullable is None else nullable,
        aggregate=any(o.aggregate for o in operands),
        windowed=any(o.windowed for o in operands),
    )


def constant(sql: str, type_: OracleType, carrier: str, value: Any) -> Typed:
    """A literal whose Python value is known while binding."""
    return Typed(sql, type_, carrier, nullable=False, literal=value)


END_OF_ERROR = "\x1f"
_raised = itertools.count()
_ERROR_NUMBER = re.compile(re.escape(END_OF_ERROR) + r"\d+")


def quote(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_bytes(data: bytes) -> str:
    """A DuckDB BLOB literal."""
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"


def null_of(carrier: str) -> str:
    return f"CAST(NULL AS {carrier})"


def raising(code: int, text: str, carrier: str) -> str:
    """DuckDB text that fails with an Oracle error when it is evaluated; typed so that it fits a CASE branch.

    A cast that cannot succeed, not `error()`: that one is volatile, which DuckDB refuses in PARTITION BY and ORDER BY of windows and
    never pushes into a scan. END_OF_ERROR ends the text inside DuckDB's own message; the number after it makes every text another
    one, else DuckDB would compute two equal casts once, in advance, and fail although no branch needs them.
    """
    return f"([{null_of(carrier)}])[CAST({quote(f'ORA-{code:05d}: {text}{END_OF_ERROR}{next(_raised)}')} AS BIGINT)]"


def same_text(sql: str) -> str:
    """What two bindings of one expression have in common: texts of errors carry a number that makes each another."""
    return _ERROR_NUMBER.sub(END_OF_ERROR, sql) if END_OF_ERROR in sql else sql


def one_or_null(case: str, carrier: str, branches: Iterable[str]) -> str:
    """A CASE whose branches are one text or NULL, kept from DuckDB's optimizer.

    DuckDB 2.0 fails on `CASE WHEN c THEN 'a' END = 'b'` (it turns it into a call that it cannot bind). Trimming nothing hides the CASE.
    """
    values = set(branches) - {null_of(carrier), "NULL"}
    return f"ltrim({case}, '')" if carrier == "VARCHAR" and len(values) == 1 else case


def byte_length(type_: OracleType) -> int:
    """How many bytes a value of a character or RAW type may take."""
    if type_.kind is Kind.ROWID:
        return 18
    if type_.length is None:
        return VARCHAR2_MAX
    if type_.kind in (Kind.NCHAR, Kind.NVARCHAR2):
        return type_.length * 2
    return min(type_.length * 4, VARCHAR2_MAX) if type_.char_semantics else type_.length

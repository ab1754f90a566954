"""THE type table: Oracle type text <-> Arrow <-> JSON Schema, exact in both directions (docs/batch-contract.md, section 4).

Both sides of the pipeline read it, so tap and target cannot disagree about a value's type. It also says how a client must ask for
a column so that the driver loses nothing (`select_expression`, `fetch_type`). Values themselves are in `values.py`; what a column
may be widened to is the target's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import pyarrow as pa

SQL_DATATYPE = "x-sql-datatype"
"""The key of a JSON Schema property that holds the exact Oracle type text."""

MAX_INT64_DIGITS = 18
MAX_DECIMAL_DIGITS = 38
MAX_ARROW_FRACTION_DIGITS = 6
"""Fractional digits of a second that an Arrow timestamp[us] holds; finer ones travel as text."""


class Kind(StrEnum):
    """An Oracle data type without its size; the value is its name in type text."""

    NUMBER = "NUMBER"
    FLOAT = "FLOAT"
    BINARY_FLOAT = "BINARY_FLOAT"
    BINARY_DOUBLE = "BINARY_DOUBLE"
    CHAR = "CHAR"
    VARCHAR2 = "VARCHAR2"
    NCHAR = "NCHAR"
    NVARCHAR2 = "NVARCHAR2"
    LONG = "LONG"
    CLOB = "CLOB"
    NCLOB = "NCLOB"
    RAW = "RAW"
    LONG_RAW = "LONG RAW"
    BLOB = "BLOB"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_TZ = "TIMESTAMP WITH TIME ZONE"
    TIMESTAMP_LTZ = "TIMESTAMP WITH LOCAL TIME ZONE"
    INTERVAL_DS = "INTERVAL DAY TO SECOND"
    INTERVAL_YM = "INTERVAL YEAR TO MONTH"
    ROWID = "ROWID"
    UROWID = "UROWID"
    JSON = "JSON"
    XMLTYPE = "XMLTYPE"


TIMESTAMPS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ})
ZONED = frozenset({Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ})
CHARACTERS = frozenset({Kind.CHAR, Kind.VARCHAR2, Kind.NCHAR, Kind.NVARCHAR2})
NATIONAL = frozenset({Kind.NCHAR, Kind.NVARCHAR2})
LOBS = frozenset({Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.LONG, Kind.LONG_RAW, Kind.JSON, Kind.XMLTYPE})
"""Kinds whose values have no useful upper bound on their size."""


class UnsupportedTypeError(ValueError):
    """An Oracle type that this pipeline cannot carry exactly; the message names it."""


@dataclass(frozen=True, slots=True)
class OracleType:
    """A data type as a column declares it. `str()` is its canonical text, which `parse_type` reads back.

    precision, scale: NUMBER (None, None = unconstrained; None, s = NUMBER(*,s)); FLOAT: precision in binary digits;
        timestamps and INTERVAL DAY TO SECOND: `scale` is the number of fractional digits (0..9);
        intervals: `precision` is the number of digits of the leading field.
    length: in characters when `char_semantics`, else in bytes; RAW and UROWID in bytes.
    """

    kind: Kind
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    char_semantics: bool = False

    def __str__(self) -> str:
        match self.kind:
            case Kind.NUMBER:
                if self.precision is None:
                    return "NUMBER" if self.scale is None else f"NUMBER(*,{self.scale})"
                return f"NUMBER({self.precision},{self.scale})" if self.scale else f"NUMBER({self.precision})"
            case Kind.FLOAT:
                return f"FLOAT({self.precision})"
            case Kind.CHAR | Kind.VARCHAR2:
                return f"{self.kind}({self.length} {'CHAR' if self.char_semantics else 'BYTE'})"
            case Kind.NCHAR | Kind.NVARCHAR2 | Kind.RAW | Kind.UROWID:
                return f"{self.kind}({self.length})"
            case Kind.TIMESTAMP | Kind.TIMESTAMP_TZ | Kind.TIMESTAMP_LTZ:
                return f"TIMESTAMP({self.scale}){self.kind.removeprefix('TIMESTAMP')}"
            case Kind.INTERVAL_DS:
                return f"INTERVAL DAY({self.precision}) TO SECOND({self.scale})"
            case Kind.INTERVAL_YM:
                return f"INTERVAL YEAR({self.precision}) TO MONTH"
            case _:
                return str(self.kind)


_SIZED = re.compile(
    r"^(?P<name>NUMBER|DECIMAL|NUMERIC|FLOAT|N?CHAR|N?VARCHAR2|RAW|UROWID|LONG RAW|LONG|N?CLOB|BLOB|DATE"
    r"|BINARY_FLOAT|BINARY_DOUBLE|ROWID|JSON|XMLTYPE)"
    r"(?: ?\( ?(?P<first>\d+|\*)(?: ?, ?(?P<second>-?\d+))?(?: (?P<unit>CHAR|BYTE))? ?\))?$"
)
_TIMESTAMP = re.compile(r"^TIMESTAMP(?: ?\( ?(?P<digits>\d) ?\))?(?P<zone> WITH(?: LOCAL)? TIME ZONE)?$")
_INTERVAL_DS = re.compile(r"^INTERVAL DAY(?: ?\( ?(?P<days>\d) ?\))? TO SECOND(?: ?\( ?(?P<digits>\d) ?\))?$")
_INTERVAL_YM = re.compile(r"^INTERVAL YEAR(?: ?\( ?(?P<years>\d) ?\))? TO MONTH$")
_SYNONYMS = {
    "INTEGER": "NUMBER(*,0)",
    "INT": "NUMBER(*,0)",
    "SMALLINT": "NUMBER(*,0)",
    "FLOAT": "FLOAT(126)",
    "REAL": "FLOAT(63)",
    "DOUBLE PRECISION": "FLOAT(126)",
}


@cache
def parse_type(text: str) -> OracleType:
    """An Oracle type text, as `str(OracleType)` writes it or as a DDL statement may, e.g. `NUMBER(19,4)`, `VARCHAR2(20 CHAR)`.

    Sizes left out get Oracle's defaults (`TIMESTAMP` has 6 fractional digits, `CHAR` length 1, `NUMBER` none).
    Raises UnsupportedTypeError for a type outside `Kind` (BFILE, BOOLEAN, VECTOR, object types, ...) and for nonsense.
    """
    normal = " ".join(text.upper().split())
    normal = _SYNONYMS.get(normal, normal)
    if match := _TIMESTAMP.match(normal):
        digits = match["digits"]
        return OracleType(Kind("TIMESTAMP" + (match["zone"] or "")), scale=int(digits) if digits else 6)
    if match := _INTERVAL_DS.match(normal):
        return OracleType(Kind.INTERVAL_DS, precision=int(match["days"] or 2), scale=int(match["digits"] or 6))
    if match := _INTERVAL_YM.match(normal):
        return OracleType(Kind.INTERVAL_YM, precision=int(match["years"] or 2))
    match = _SIZED.match(normal)
    if match is None:
        message = f"Oracle type {text!r} cannot be carried"
        raise UnsupportedTypeError(message)
    return _sized(match["name"], match["first"], match["second"], match["unit"], text)


def _sized(name: str, first: str | None, second: str | None, unit: str | None, text: str) -> OracleType:
    """A type from the parts of its text; sizes that its kind does not take are refused."""
    kind = Kind.NUMBER if name in {"DECIMAL", "NUMERIC"} else Kind(name)
    result: OracleType | None = None
    if kind is Kind.NUMBER and unit is None:
        if first is None:
            result = OracleType(kind)
        elif first == "*":
            result = OracleType(kind, scale=int(second or 0))
        elif 1 <= int(first) <= MAX_DECIMAL_DIGITS and -84 <= int(second or 0) <= 127:
            result = OracleType(kind, int(first), int(second or 0))
    elif kind is Kind.FLOAT:
        if first not in {None, "*"} and second is None and unit is None:
            result = OracleType(kind, precision=int(first or 0))
    elif kind in CHARACTERS or kind in {Kind.RAW, Kind.UROWID}:
        default = {Kind.CHAR: "1", Kind.NCHAR: "1", Kind.UROWID: "4000"}.get(kind)
        length = first or default
        if length not in {None, "*"} and second is None:
            result = OracleType(kind, length=int(length or 0), char_semantics=kind in NATIONAL or unit == "CHAR")
    elif first is None:
        result = OracleType(kind)
    if result is None:
        message = f"{text!r} is not an Oracle type"
        raise UnsupportedTypeError(message)
    return result


def dictionary_type(
    data_type: str,
    *,
    data_type_owner: str | None = None,
    data_length: int | None = None,
    data_precision: int | None = None,
    data_scale: int | None = None,
    char_length: int | None = None,
    char_used: str | None = None,
) -> OracleType:
    """The type of a column from its row in ALL_TAB_COLUMNS. Raises UnsupportedTypeError, as `parse_type` does."""
    if data_type == "XMLTYPE" and data_type_owner in {None, "SYS", "PUBLIC"}:
        return OracleType(Kind.XMLTYPE)
    if data_type_owner is not None:
        message = f"Oracle object type {data_type_owner}.{data_type} cannot be carried"
        raise UnsupportedTypeError(message)
    if data_type == "NUMBER":
        if data_precision is None:
            return OracleType(Kind.NUMBER, scale=data_scale)
        return OracleType(Kind.NUMBER, data_precision, data_scale or 0)
    if data_type == "FLOAT":
        return OracleType(Kind.FLOAT, precision=126 if data_precision is None else data_precision)
    if data_type in {"CHAR", "VARCHAR2"}:
        in_characters = char_used == "C"
        return OracleType(Kind(data_type), length=char_length if in_characters else data_length, char_semantics=in_characters)
    if data_type in {"NCHAR", "NVARCHAR2"}:
        return OracleType(Kind(data_type), length=char_length, char_semantics=True)
    if data_type in {"RAW", "UROWID"}:
        return OracleType(Kind(data_type), length=data_length)
    return parse_type(data_type)


def arrow_type(oracle: OracleType) -> pa.DataType:
    """The Arrow type in which every value of `oracle` travels without loss."""
    kind = oracle.kind
    if kind is Kind.NUMBER:
        digits, scale = oracle.precision, oracle.scale or 0
        if digits is None or scale > digits:
            return pa.string()
        if scale < 0:
            digits, scale = digits - scale, 0
            return pa.decimal128(digits, 0) if digits <= MAX_DECIMAL_DIGITS else pa.string()
        return pa.int64() if scale == 0 and digits <= MAX_INT64_DIGITS else pa.decimal128(digits, scale)
    if kind is Kind.BINARY_FLOAT:
        return pa.float32()
    if kind is Kind.BINARY_DOUBLE:
        return pa.float64()
    if kind in {Kind.RAW, Kind.BLOB, Kind.LONG_RAW}:
        return pa.binary()
    if kind is Kind.DATE:
        return pa.timestamp("s")
    if kind in TIMESTAMPS and (oracle.scale or 0) <= MAX_ARROW_FRACTION_DIGITS:
        return pa.timestamp("us", tz="UTC") if kind in ZONED else pa.timestamp("us")
    return pa.string()


def fetch_type(oracle: OracleType) -> pa.DataType:
    """The Arrow type to request from the driver for `select_expression(oracle, ...)`.

    It is `arrow_type`, but for instants: the driver hands over the clock fields, and their zone (UTC) is added afterwards.
    """
    travels_as = arrow_type(oracle)
    return pa.timestamp("us") if pa.types.is_timestamp(travels_as) and travels_as.tz else travels_as


_NANOSECONDS = """'YYYY-MM-DD"T"HH24:MI:SS.FF9'"""
_NANOSECONDS_UTC = """'YYYY-MM-DD"T"HH24:MI:SS.FF9"+00:00"'"""  # in the format: NULL||'+00:00' would not be NULL


def select_expression(oracle: OracleType, column: str) -> str:
    """SQL that yields `column` (already quoted) in a form that the driver passes on exactly.

    Text of numbers assumes NLS_NUMERIC_CHARACTERS '.,': the session must set it, as `session_statement` does.
    """
    kind = oracle.kind
    fine = (oracle.scale or 0) > MAX_ARROW_FRACTION_DIGITS
    if kind in {Kind.NUMBER, Kind.FLOAT} and arrow_type(oracle) == pa.string():
        return f"TO_CHAR({column},'TM9')"
    if kind in ZONED:
        return f"TO_CHAR(SYS_EXTRACT_UTC({column}),{_NANOSECONDS_UTC})" if fine else f"SYS_EXTRACT_UTC({column})"
    if kind is Kind.TIMESTAMP and fine:
        return f"TO_CHAR({column},{_NANOSECONDS})"
    if kind in {Kind.INTERVAL_DS, Kind.INTERVAL_YM}:
        return f"TO_CHAR({column})"
    if kind is Kind.ROWID:
        return f"ROWIDTOCHAR({column})"
    if kind is Kind.UROWID:
        return f"CAST({column} AS VARCHAR2(4000))"
    if kind is Kind.JSON:
        return f"JSON_SERIALIZE({column} RETURNING CLOB)"
    if kind is Kind.XMLTYPE:
        return f"XMLSERIALIZE(CONTENT {column} AS CLOB)"
    return column


def json_schema(oracle: OracleType, *, nullable: bool = True, description: str | None = None) -> dict[str, Any]:
    """The JSON Schema of a column: what RECORD values look like, with the exact Oracle type and the column's comment."""
    schema = _json_form(oracle)
    if nullable:
        schema["type"] = [*schema["type"], "null"]
    schema[SQL_DATATYPE] = str(oracle)
    if description:
        schema["description"] = description
    return schema


def _json_form(oracle: OracleType) -> dict[str, Any]:
    """Type keywords of the JSON value. Times finer than a microsecond have no `format`: readers of `date-time` cut them."""
    travels_as = arrow_type(oracle)
    if oracle.kind in {Kind.NUMBER, Kind.FLOAT}:
        whole = oracle.kind is Kind.NUMBER and oracle.scale is not None and oracle.scale <= 0
        return {"type": ["integer" if whole else "number"]}
    if pa.types.is_floating(travels_as):
        return {"type": ["number", "string"]}  # NaN and the infinities are text
    if pa.types.is_binary(travels_as):
        form: dict[str, Any] = {"type": ["string"], "contentEncoding": "base16"}
        return form if oracle.length is None else {**form, "maxLength": 2 * oracle.length}
    if pa.types.is_timestamp(travels_as):
        return {"type": ["string"], "format": "date-time"}
    if oracle.kind in CHARACTERS and oracle.length is not None:
        return {"type": ["string"], "maxLength": oracle.length}
    return {"type": ["string"]}


def schema_type(schema: dict[str, Any]) -> OracleType:
    """The Oracle type of a JSON Schema property: its `x-sql-datatype`, else the nearest type that holds what the schema allows.

    The fallback serves other people's taps. A schema without `maxLength` allows text of any length: CLOB.
    """
    text = schema.get(SQL_DATATYPE)
    if text is not None:
        return parse_type(text)
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    for alternative in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        inner = alternative.get("type")
        types |= {inner} if isinstance(inner, str) else set(inner or ())
        schema = {**alternative, **schema}
    types.discard("null")
    if types == {"integer"}:
        return OracleType(Kind.NUMBER, MAX_DECIMAL_DIGITS, 0)
    if types and types <= {"number", "integer"}:
        return OracleType(Kind.NUMBER)
    if types == {"boolean"}:
        return OracleType(Kind.NUMBER, 1, 0)
    if types == {"string"}:
        return _text_type(schema)
    return OracleType(Kind.CLOB)


def _text_type(schema: dict[str, Any]) -> OracleType:
    """The Oracle type of a JSON string."""
    length = schema.get("maxLength")
    if schema.get("contentEncoding") == "base16":
        return OracleType(Kind.RAW, length=(length + 1) // 2) if length and length <= 4000 else OracleType(Kind.BLOB)
    if schema.get("format") == "date-time":
        return OracleType(Kind.TIMESTAMP_TZ, scale=6)
    if schema.get("format") == "date":
        return OracleType(Kind.DATE)
    if length and length <= 4000:
        return OracleType(Kind.VARCHAR2, length=length, char_semantics=True)
    return OracleType(Kind.CLOB)


SESSION_TIME_ZONE = "+00:00"


def session_statement() -> str:
    """The statement that fixes what the texts and instants of this table depend on; needs no privilege.

    Text is compared and sorted by its bytes, as its indexes are: a linguistic sort would pass them by and disagree with ranges.
    """
    return (
        f"ALTER SESSION SET TIME_ZONE='{SESSION_TIME_ZONE}' NLS_NUMERIC_CHARACTERS='.,' NLS_CALENDAR='GREGORIAN'"
        " NLS_SORT=BINARY NLS_COMP=BINARY"
        " NLS_DATE_FORMAT='YYYY-MM-DD\"T\"HH24:MI:SS' NLS_TIMESTAMP_FORMAT='YYYY-MM-DD\"T\"HH24:MI:SS.FF'"
    )

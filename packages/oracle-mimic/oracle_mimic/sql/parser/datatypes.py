"""Data types as CAST, column definitions and PL/SQL declarations write them."""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.types import Kind, OracleType

_CHARACTER = {
    "VARCHAR2": (Kind.VARCHAR2, 4000),
    "VARCHAR": (Kind.VARCHAR2, 4000),
    "NVARCHAR2": (Kind.NVARCHAR2, 2000),
    "CHAR": (Kind.CHAR, 2000),
    "CHARACTER": (Kind.CHAR, 2000),
    "NCHAR": (Kind.NCHAR, 1000),
}
_SIMPLE = {
    "DATE": OracleType(Kind.DATE),
    "CLOB": OracleType(Kind.CLOB),
    "NCLOB": OracleType(Kind.NCLOB),
    "BLOB": OracleType(Kind.BLOB),
    "ROWID": OracleType(Kind.ROWID),
    "BINARY_FLOAT": OracleType(Kind.BINARY_FLOAT),
    "BINARY_DOUBLE": OracleType(Kind.BINARY_DOUBLE),
    "INTEGER": OracleType(Kind.NUMBER, None, 0),
    "INT": OracleType(Kind.NUMBER, None, 0),
    "SMALLINT": OracleType(Kind.NUMBER, None, 0),
    "REAL": OracleType(Kind.FLOAT, 63),
}
_REFUSED = ("UROWID", "XMLTYPE", "JSON", "BFILE", "SDO_GEOMETRY", "ANYDATA", "BOOLEAN", "VECTOR")
PLSQL_MAXIMUM = 32767


def data_type(reader: TokenReader, *, char_semantics: bool = False, plsql: bool = False) -> OracleType:
    """Read one data type.

    char_semantics: NLS_LENGTH_SEMANTICS is CHAR. plsql: a parameter or variable (longer strings, PL/SQL's own types).
    Errors: ORA-00902 unknown, ORA-00906, 00907, ORA-00910 too long, ORA-01723 zero length, ORA-01727/01728 precision and scale,
    ORA-30088 fractional seconds.
    """
    if reader.take_word("NATIONAL"):
        reader.expect_word("CHARACTER", "CHAR")
        name = "NVARCHAR2" if reader.take_word("VARYING") else "NCHAR"
    else:
        name = reader.token.value
        if not reader.token.is_word(name):
            raise reader.error(902, "invalid datatype")
        offset = reader.advance().start
        if name in ("CHAR", "CHARACTER", "NCHAR") and reader.take_word("VARYING"):
            name = "NVARCHAR2" if name == "NCHAR" else "VARCHAR2"
    if name in _CHARACTER:
        return _character(reader, name, char_semantics=char_semantics, plsql=plsql)
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name in ("NUMBER", "NUMERIC", "DECIMAL", "DEC"):
        return _number(reader, name)
    if name == "FLOAT":
        return _float(reader)
    if name == "DOUBLE":
        reader.expect_word("PRECISION")
        return OracleType(Kind.FLOAT, 126)
    if name == "TIMESTAMP":
        return _timestamp(reader)
    if name == "INTERVAL":
        return interval_type(reader)
    if name == "RAW":
        reader.expect_op("(")
        length = _length(reader, PLSQL_MAXIMUM if plsql else 2000)
        reader.expect_op(")")
        return OracleType(Kind.RAW, length=length)
    if name == "LONG":
        return OracleType(Kind.LONG_RAW if reader.take_word("RAW") else Kind.LONG)
    if plsql and name in ("PLS_INTEGER", "BINARY_INTEGER", "SIMPLE_INTEGER", "NATURAL", "POSITIVE"):
        return OracleType(Kind.NUMBER, 10, 0)
    if plsql and name == "BOOLEAN":
        return OracleType(Kind.BOOLEAN)
    if name in _REFUSED:
        raise refused(f"data type {name}", offset=offset)
    raise OracleError(902, "invalid datatype", offset=offset)


def interval_type(reader: TokenReader) -> OracleType:
    """YEAR(p) TO MONTH or DAY(p) TO SECOND(s)."""
    first = reader.expect_word("YEAR", "DAY").value
    precision = _parenthesised(reader, 9, (30088, "datetime/interval precision is out of range"))
    reader.expect_word("TO")
    if first == "YEAR":
        reader.expect_word("MONTH")
        return OracleType(Kind.INTERVAL_YM, 2 if precision is None else precision)
    reader.expect_word("SECOND")
    fraction = _parenthesised(reader, 9, (30088, "datetime/interval precision is out of range"))
    return OracleType(Kind.INTERVAL_DS, 2 if precision is None else precision, 6 if fraction is None else fraction)


def _character(reader: TokenReader, name: str, *, char_semantics: bool, plsql: bool) -> OracleType:
    kind, maximum = _CHARACTER[name]
    national = kind in (Kind.NCHAR, Kind.NVARCHAR2)
    if plsql:
        maximum = PLSQL_MAXIMUM
    if not reader.take_op("("):
        if kind in (Kind.CHAR, Kind.NCHAR):
            return OracleType(kind, length=1, char_semantics=char_semantics or national)
        raise reader.error(906, "missing left parenthesis")
    length = _length(reader, maximum)
    if not national and (unit := reader.take_word("BYTE", "CHAR")):
        char_semantics = unit.value == "CHAR"
    reader.expect_op(")")
    return OracleType(kind, length=length, char_semantics=char_semantics or national)


def _length(reader: TokenReader, maximum: int) -> int:
    offset = reader.token.start
    length = reader.unsigned_integer(910, "specified length too long for its datatype")
    if length == 0:
        raise OracleError(1723, "zero-length columns are not allowed", offset=offset)
    if length > maximum:
        raise OracleError(910, "specified length too long for its datatype", offset=offset)
    return length


def _number(reader: TokenReader, name: str) -> OracleType:
    default_scale = None if name == "NUMBER" else 0
    if not reader.take_op("("):
        return OracleType(Kind.NUMBER, None, default_scale)
    precision = None
    if not reader.take_op("*"):
        precision = reader.unsigned_integer(1727, "numeric precision specifier is out of range (1 to 38)")
        if not 1 <= precision <= 38:
            raise reader.error(1727, "numeric precision specifier is out of range (1 to 38)")
        default_scale = 0
    scale = default_scale
    if reader.take_op(","):
        sign = -1 if reader.take_op("-") else 1
        scale = sign * reader.unsigned_integer(1728, "numeric scale specifier is out of range (-84 to 127)")
        if not -84 <= scale <= 127:
            raise reader.error(1728, "numeric scale specifier is out of range (-84 to 127)")
    reader.expect_op(")")
    return OracleType(Kind.NUMBER, precision, scale)


def _float(reader: TokenReader) -> OracleType:
    precision = 126
    if reader.take_op("("):
        precision = reader.unsigned_integer()
        if not 1 <= precision <= 126:
            raise reader.error(1726, "floating-point precision is out of range (1 to 126)")
        reader.expect_op(")")
    return OracleType(Kind.FLOAT, precision)


def _timestamp(reader: TokenReader) -> OracleType:
    fraction = _parenthesised(reader, 9, (30088, "datetime/interval precision is out of range"))
    scale = 6 if fraction is None else fraction
    if reader.take_words("WITH", "TIME", "ZONE"):
        return OracleType(Kind.TIMESTAMP_TZ, scale=scale)
    if reader.take_words("WITH", "LOCAL", "TIME", "ZONE"):
        return OracleType(Kind.TIMESTAMP_LTZ, scale=scale)
    return OracleType(Kind.TIMESTAMP, scale=scale)


def _parenthesised(reader: TokenReader, maximum: int, error: tuple[int, str]) -> int | None:
    if not reader.take_op("("):
        return None
    number = reader.unsigned_integer()
    if number > maximum:
        raise reader.error(*error)
    reader.expect_op(")")
    return number

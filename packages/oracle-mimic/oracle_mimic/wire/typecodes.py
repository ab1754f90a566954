"""Oracle's data types as the protocol numbers and describes them."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_mimic.types import Column, Kind, OracleType
from oracle_mimic.wire.buffer import Writer
from oracle_mimic.wire.negotiate import CHARSET_UTF8, CHARSET_UTF16

VARCHAR, NUMBER, BINARY_INTEGER, LONG, ROWID, DATE, RAW, LONG_RAW = 1, 2, 3, 8, 11, 12, 23, 24
CHAR, BINARY_FLOAT, BINARY_DOUBLE, CURSOR, CLOB, BLOB = 96, 100, 101, 102, 112, 113
TIMESTAMP, TIMESTAMP_TZ, INTERVAL_YM, INTERVAL_DS, TIMESTAMP_LTZ, BOOLEAN = 180, 181, 182, 183, 231, 252
FORM_CHAR, FORM_NCHAR = 1, 2  # character set form: database or national character set
LONGEST_VARCHAR = 32767
_UNLIMITED = 2147483647  # the buffer size of LONG kinds

# kind -> (type code, character set form)
CODES: dict[Kind, tuple[int, int]] = {
    Kind.VARCHAR2: (VARCHAR, FORM_CHAR),
    Kind.NVARCHAR2: (VARCHAR, FORM_NCHAR),
    Kind.CHAR: (CHAR, FORM_CHAR),
    Kind.NCHAR: (CHAR, FORM_NCHAR),
    Kind.NUMBER: (NUMBER, 0),
    Kind.FLOAT: (NUMBER, 0),
    Kind.BINARY_FLOAT: (BINARY_FLOAT, 0),
    Kind.BINARY_DOUBLE: (BINARY_DOUBLE, 0),
    Kind.DATE: (DATE, 0),
    Kind.TIMESTAMP: (TIMESTAMP, 0),
    Kind.TIMESTAMP_TZ: (TIMESTAMP_TZ, 0),
    Kind.TIMESTAMP_LTZ: (TIMESTAMP_LTZ, 0),
    Kind.INTERVAL_DS: (INTERVAL_DS, 0),
    Kind.INTERVAL_YM: (INTERVAL_YM, 0),
    Kind.RAW: (RAW, 0),
    Kind.LONG: (LONG, FORM_CHAR),
    Kind.LONG_RAW: (LONG_RAW, 0),
    Kind.CLOB: (CLOB, FORM_CHAR),
    Kind.NCLOB: (CLOB, FORM_NCHAR),
    Kind.BLOB: (BLOB, 0),
    Kind.ROWID: (ROWID, 0),
    Kind.CURSOR: (CURSOR, 0),
    Kind.BOOLEAN: (BOOLEAN, 0),
}
KINDS: dict[tuple[int, int], Kind] = {code: kind for kind, code in CODES.items() if kind is not Kind.FLOAT}
LOB_KINDS = frozenset({Kind.CLOB, Kind.NCLOB, Kind.BLOB})
NATIONAL_KINDS = frozenset({Kind.NVARCHAR2, Kind.NCHAR, Kind.NCLOB})
TEXT_KINDS = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.LONG, Kind.CLOB, Kind.NCLOB})

_FIXED_SIZES: dict[Kind, int] = {
    Kind.NUMBER: 22,
    Kind.FLOAT: 22,
    Kind.BINARY_FLOAT: 4,
    Kind.BINARY_DOUBLE: 8,
    Kind.DATE: 7,
    Kind.TIMESTAMP: 11,
    Kind.TIMESTAMP_TZ: 13,
    Kind.TIMESTAMP_LTZ: 11,
    Kind.INTERVAL_DS: 11,
    Kind.INTERVAL_YM: 5,
    Kind.CLOB: 4000,
    Kind.NCLOB: 4000,
    Kind.BLOB: 4000,
    Kind.LONG: _UNLIMITED,
    Kind.LONG_RAW: _UNLIMITED,
    Kind.ROWID: 18,
    Kind.CURSOR: 4,
    Kind.BOOLEAN: 4,
}


@dataclass(frozen=True, slots=True)
class BindItem:
    """One bind or define as the client declares it."""

    code: int
    form: int
    buffer_size: int
    is_array: bool

    @property
    def kind(self) -> Kind | None:
        """The kind of its values; None for a type the mimic does not know (objects, JSON, vectors)."""
        if self.code == BINARY_INTEGER:
            return Kind.NUMBER
        if self.code == LONG and self.form == FORM_NCHAR:
            return Kind.NCLOB  # LONG NVARCHAR: how the client sends long national text
        return KINDS.get((self.code, self.form)) or KINDS.get((self.code, 0)) or KINDS.get((self.code, FORM_CHAR))

    def oracle_type(self) -> OracleType:
        """The declared type; the length is the buffer's, in bytes."""
        kind = self.kind
        if kind is None:
            raise ValueError(f"type code {self.code}")
        if kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
            return OracleType(kind, scale=9)
        if kind is Kind.INTERVAL_DS:
            return OracleType(kind, precision=9, scale=9)
        if kind is Kind.INTERVAL_YM:
            return OracleType(kind, precision=9)
        sized = kind in TEXT_KINDS or kind is Kind.RAW
        return OracleType(kind, length=self.buffer_size if sized and kind not in LOB_KINDS else None)


def always_null(type_: OracleType) -> bool:
    """True for a column described with buffer size 0: the client then reads no value for it at all."""
    return type_.length == 0


def buffer_size(type_: OracleType) -> int:
    """The most bytes a value takes on the client's side; 0 says that every value is NULL."""
    fixed = _FIXED_SIZES.get(type_.kind)
    if fixed is not None:
        return fixed
    length = 4000 if type_.length is None else type_.length
    if type_.kind in NATIONAL_KINDS:
        return min(length * 2, LONGEST_VARCHAR)
    return min(length * 4 if type_.char_semantics else length, LONGEST_VARCHAR)


def precision_and_scale(type_: OracleType) -> tuple[int, int]:
    """As a describe tells them: an unconstrained NUMBER is (0, -127), INTEGER (38, 0), FLOAT (binary precision, -127)."""
    if type_.kind is Kind.NUMBER:
        if type_.precision is None:
            return (0, -127) if type_.scale is None else (38, type_.scale)
        return type_.precision, type_.scale or 0
    if type_.kind is Kind.FLOAT:
        return 126 if type_.precision is None else type_.precision, -127
    if type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ):
        return 0, 6 if type_.scale is None else type_.scale
    if type_.kind is Kind.INTERVAL_DS:
        return 2 if type_.precision is None else type_.precision, 6 if type_.scale is None else type_.scale
    if type_.kind is Kind.INTERVAL_YM:
        return 2 if type_.precision is None else type_.precision, 0
    return 0, 0


def write_column(out: Writer, column: Column, position: int, *, lob_limit: bool = True) -> None:
    """One column of a describe. `lob_limit` False (direct path) tells a size of 0 for LOBs, or the client refuses larger values."""
    type_ = column.type
    code, form = CODES[type_.kind]
    precision, scale = precision_and_scale(type_)
    size = buffer_size(type_)
    sized = type_.kind in (Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR)
    if not lob_limit and type_.kind in (Kind.LONG, Kind.LONG_RAW):
        size = 0
    out.u1(code, 0, precision & 0xFF, scale & 0xFF).ub(size, 0, 0, 0, 0)  # elements, flags, object id, version
    out.ub({FORM_CHAR: CHARSET_UTF8, FORM_NCHAR: CHARSET_UTF16}.get(form, 0)).u1(form)
    length = 0
    if sized:
        length = 4000 if type_.length is None else type_.length
        if not lob_limit and (type_.char_semantics or form == FORM_NCHAR):
            length = size  # direct path: the client compares this with the value's bytes
    out.ub(length, 0).u1(int(column.nullable), min(len(column.name), 255))
    out.two(column.name).two("").two("").ub(position, 0)

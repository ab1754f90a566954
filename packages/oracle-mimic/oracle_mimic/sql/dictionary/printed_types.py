"""How the dictionary prints a data type: DATA_TYPE, the lengths in bytes and characters, precision and scale."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_mimic.types import Kind, OracleType

BYTES_PER_CHARACTER = 4  # AL32UTF8
_NATIONAL = (Kind.NCHAR, Kind.NVARCHAR2)
_LIMIT = {Kind.VARCHAR2: 4000, Kind.CHAR: 2000, Kind.NVARCHAR2: 4000, Kind.NCHAR: 2000}  # bytes, MAX_STRING_SIZE = STANDARD
_FIXED_LENGTH = {
    Kind.NUMBER: 22,
    Kind.FLOAT: 22,
    Kind.BINARY_FLOAT: 4,
    Kind.BINARY_DOUBLE: 8,
    Kind.DATE: 7,
    Kind.TIMESTAMP_TZ: 13,
    Kind.INTERVAL_DS: 11,
    Kind.INTERVAL_YM: 5,
    Kind.LONG: 0,
    Kind.LONG_RAW: 0,
    Kind.CLOB: 4000,
    Kind.NCLOB: 4000,
    Kind.BLOB: 4000,
    Kind.ROWID: 10,
}


@dataclass(frozen=True, slots=True)
class PrintedType:
    """A data type as TAB_COLUMNS shows it; the fields are its columns."""

    data_type: str
    data_length: int
    data_precision: int | None = None
    data_scale: int | None = None
    character_set_name: str | None = None
    char_col_decl_length: int | None = None
    char_length: int = 0
    char_used: str | None = None


def printed_type(type_: OracleType) -> PrintedType:
    """The dictionary's view of a type."""
    kind, precision, scale = type_.kind, type_.precision, type_.scale
    if kind in _LIMIT:
        return _character(type_)
    if kind is Kind.RAW:
        return PrintedType("RAW", type_.length or 0)
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ, Kind.TIMESTAMP_TZ):
        digits = 6 if scale is None else scale
        length = _FIXED_LENGTH.get(kind, 11 if digits else 7)
        return PrintedType(kind.value.replace("TIMESTAMP", f"TIMESTAMP({digits})"), length, None, digits)
    if kind is Kind.INTERVAL_DS:
        leading, digits = (2 if precision is None else precision), (6 if scale is None else scale)
        return PrintedType(f"INTERVAL DAY({leading}) TO SECOND({digits})", 11, leading, digits)
    if kind is Kind.INTERVAL_YM:
        leading = 2 if precision is None else precision
        return PrintedType(f"INTERVAL YEAR({leading}) TO MONTH", 5, leading, 0)
    if kind in (Kind.CLOB, Kind.NCLOB, Kind.LONG):
        national = kind is Kind.NCLOB
        length = _FIXED_LENGTH[kind]
        return PrintedType(
            kind.value, length, None, None, "NCHAR_CS" if national else "CHAR_CS", length // 2 if national else length or None
        )
    return PrintedType(kind.value, _FIXED_LENGTH[kind], precision, None if kind is Kind.FLOAT else scale)


def _character(type_: OracleType) -> PrintedType:
    characters = type_.length or 0
    if type_.kind in _NATIONAL:
        return PrintedType(type_.kind.value, 2 * characters, None, None, "NCHAR_CS", characters, characters, "C")
    width = BYTES_PER_CHARACTER if type_.char_semantics else 1
    length = min(characters * width, _LIMIT[type_.kind])
    return PrintedType(type_.kind.value, length, None, None, "CHAR_CS", length, characters, "C" if type_.char_semantics else "B")

"""Values and variables of a block.

A value is one Arrow scalar in a carrier of its type, exactly as it came out of a query and as it goes into the next as a bind:
the interpreter never computes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pyarrow as pa

from oracle_mimic.door import Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.number import from_decimal, to_decimal
from oracle_mimic.types import Kind, OracleType

_TEXT = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.CLOB, Kind.NCLOB, Kind.LONG})
_ARROW: dict[Kind, pa.DataType] = {
    Kind.NUMBER: pa.int64(),
    Kind.FLOAT: pa.binary(),
    Kind.BINARY_FLOAT: pa.float32(),
    Kind.BINARY_DOUBLE: pa.float64(),
    Kind.DATE: pa.timestamp("s"),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.TIMESTAMP_LTZ: pa.timestamp("us"),
    Kind.TIMESTAMP_TZ: pa.struct([("utc", pa.decimal128(38, 0)), ("offset", pa.int32())]),
    Kind.INTERVAL_DS: pa.decimal128(38, 0),
    Kind.INTERVAL_YM: pa.int32(),
    Kind.RAW: pa.binary(),
    Kind.LONG_RAW: pa.binary(),
    Kind.BLOB: pa.binary(),
    Kind.BOOLEAN: pa.bool_(),
}
BOOLEAN = OracleType(Kind.BOOLEAN)
INTEGER = OracleType(Kind.NUMBER, 10, 0)
TEXT = OracleType(Kind.VARCHAR2, length=32767)


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its type: an Arrow array of length one."""

    type: OracleType
    array: pa.Array

    @property
    def is_null(self) -> bool:
        return self.array[0].as_py() is None

    def python(self) -> Any:
        """The value as Python has it: NUMBER as int or Decimal."""
        value = self.array[0].as_py()
        return to_decimal(value) if isinstance(value, bytes) and self.type.kind in (Kind.NUMBER, Kind.FLOAT) else value


def null(type_: OracleType) -> Value:
    return Value(type_, pa.array([None], _ARROW.get(type_.kind, pa.string())))


def text(value: str | None) -> Value:
    return Value(TEXT, pa.array([value or None], pa.string()))


def integer(value: int) -> Value:
    return Value(INTEGER, pa.array([value], pa.int64()))


def boolean(value: bool | None) -> Value:
    return Value(BOOLEAN, pa.array([value], pa.bool_()))


def value_error(reason: str) -> OracleError:
    """ORA-06502, PL/SQL's own for a value that a variable cannot take."""
    return OracleError(6502, f"PL/SQL: numeric or value error: {reason}")


def fitted(value: Value, type_: OracleType) -> Value:
    """A value that has the kind of its variable, checked for length; ORA-06502 when it is too long."""
    content = value.array[0].as_py()
    if type_.kind in _TEXT and type_.length is not None and isinstance(content, str):
        size = len(content) if type_.char_semantics else len(content.encode())
        if size > type_.length:
            raise value_error("character string buffer too small")
        if type_.kind in (Kind.CHAR, Kind.NCHAR) and size < type_.length:
            return Value(type_, pa.array([content + " " * (type_.length - size)], pa.string()))
    if type_.kind is Kind.RAW and type_.length is not None and isinstance(content, bytes) and len(content) > type_.length:
        raise value_error("raw variable length too long")
    return Value(type_, value.array)


def rounded(value: Value, type_: OracleType) -> Value:
    """A NUMBER as a NUMBER(p, s) holds it: rounded half away from zero; ORA-06502 when it has too many digits."""
    if type_.scale is None or value.type == type_:
        return Value(type_, value.array)
    with localcontext(prec=80):
        number = Decimal(value.python()).quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_UP)
    if type_.precision is not None and abs(number) >= Decimal(10) ** (type_.precision - type_.scale):
        raise value_error("number precision too large")
    if number == int(number) and abs(number) < 10**18:
        return Value(type_, pa.array([int(number)], pa.int64()))
    return Value(type_, pa.array([from_decimal(number)], pa.binary()))


@dataclass(slots=True)
class Variable:
    type: OracleType
    value: Value
    constant: bool = False
    not_null: bool = False


@dataclass(slots=True)
class Record:
    """A row: of %ROWTYPE or of a cursor loop."""

    fields: dict[str, Variable]


@dataclass(slots=True)
class Cursor:
    """A cursor. query: how it is opened, None for SYS_REFCURSOR until OPEN FOR."""

    open: Callable[[tuple[Any, ...]], Rows] | None = None
    rows: Rows | None = None
    reader: Iterator[list[Value]] | None = None
    found: bool | None = None
    row_count: int = 0
    parameters: tuple[tuple[str, OracleType], ...] = ()


Entry = Variable | Record | Cursor


@dataclass(slots=True)
class Frame:
    """The names that a block declares; inner blocks see those of the outer ones."""

    outer: Frame | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    exceptions: dict[str, int | None] = field(default_factory=dict)  # None: raised by name only (ORA-06510)
    label: str | None = None

    def find(self, name: str) -> Entry | None:
        """A variable, record or cursor; `record.field` and `label.name` too."""
        first, _, rest = name.partition(".")
        at: Frame | None = self
        while at is not None:
            entry = at.entries.get(first)
            if entry is not None and rest:
                return entry.fields.get(rest) if isinstance(entry, Record) else None
            if entry is not None:
                return entry
            if rest and at.label == first:
                return at.find(rest)
            at = at.outer
        return None

    def exception(self, name: str) -> tuple[bool, int | None]:
        """(declared, its ORA code or None)."""
        at: Frame | None = self
        while at is not None:
            if name in at.exceptions:
                return True, at.exceptions[name]
            at = at.outer
        return False, None

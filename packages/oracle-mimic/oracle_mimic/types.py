"""Oracle's data types as values, and the Arrow types that carry them between the SQL room and the wire room.

Shared by both rooms, so it knows neither bytes of the protocol nor SQL text. `CARRIERS` is the agreement of the two rooms:
the wire room must encode each Arrow type listed for a kind, and decodes binds into the first one that holds every value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """An Oracle data type without its size. The value is the name as the dictionary prints it (DATA_TYPE)."""

    VARCHAR2 = "VARCHAR2"
    NVARCHAR2 = "NVARCHAR2"
    CHAR = "CHAR"
    NCHAR = "NCHAR"
    NUMBER = "NUMBER"
    FLOAT = "FLOAT"  # a NUMBER with binary precision; on the wire a NUMBER with scale -127
    BINARY_FLOAT = "BINARY_FLOAT"
    BINARY_DOUBLE = "BINARY_DOUBLE"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_TZ = "TIMESTAMP WITH TIME ZONE"
    TIMESTAMP_LTZ = "TIMESTAMP WITH LOCAL TIME ZONE"
    INTERVAL_DS = "INTERVAL DAY TO SECOND"
    INTERVAL_YM = "INTERVAL YEAR TO MONTH"
    RAW = "RAW"
    LONG = "LONG"
    LONG_RAW = "LONG RAW"
    CLOB = "CLOB"
    NCLOB = "NCLOB"
    BLOB = "BLOB"
    ROWID = "ROWID"
    CURSOR = "REF CURSOR"  # OUT binds of PL/SQL only
    BOOLEAN = "BOOLEAN"  # PL/SQL only before 23ai: never a column


@dataclass(frozen=True, slots=True)
class OracleType:
    """A data type with its size, as declared or as Oracle derives it for an expression.

    precision, scale: NUMBER (None, None = unconstrained; None, 0 = INTEGER i.e. NUMBER(*,0)); FLOAT: binary precision;
        TIMESTAMP kinds and INTERVAL DS: `scale` is the fractional seconds (0..9); INTERVAL: `precision` the leading field's digits.
    length: characters or bytes as `char_semantics` says, for character kinds; bytes for RAW.
    """

    kind: Kind
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    char_semantics: bool = False

    def sized(self, length: int) -> OracleType:
        """The same kind with another length."""
        return replace(self, length=length)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result or of a table: what a describe tells."""

    name: str
    type: OracleType
    nullable: bool = True


# Kind -> the Arrow types (by their str()) in which a column of that kind may cross the door; NULL is Arrow's null everywhere.
# NUMBER as `binary` holds Oracle's own NUMBER bytes (at most 21, byte-comparable): exact over Oracle's whole range.
# Nanoseconds are counted from 1970-01-01T00:00:00 (for TIMESTAMP_TZ and _LTZ: UTC); negative before it.
CARRIERS: dict[Kind, tuple[str, ...]] = {
    Kind.NUMBER: ("int64", "decimal128(p, s)", "binary"),
    Kind.FLOAT: ("binary",),
    Kind.BINARY_FLOAT: ("float",),
    Kind.BINARY_DOUBLE: ("double",),
    Kind.VARCHAR2: ("string",),
    Kind.NVARCHAR2: ("string",),
    Kind.CHAR: ("string",),
    Kind.NCHAR: ("string",),
    Kind.LONG: ("string",),
    Kind.CLOB: ("string",),
    Kind.NCLOB: ("string",),
    Kind.BLOB: ("binary",),
    Kind.RAW: ("binary",),
    Kind.LONG_RAW: ("binary",),
    Kind.ROWID: ("string",),
    Kind.DATE: ("timestamp[s]",),
    Kind.TIMESTAMP: ("timestamp[us]", "decimal128(38, 0)"),  # decimal: nanoseconds
    Kind.TIMESTAMP_LTZ: (
        "timestamp[us]",
        "decimal128(38, 0)",
    ),  # in the session's zone on the way out, as Oracle sends it
    # nanoseconds in UTC, and the offset in minutes that shows the local clock
    Kind.TIMESTAMP_TZ: ("struct<utc: decimal128(38, 0), offset: int32>",),
    Kind.INTERVAL_DS: ("decimal128(38, 0)",),  # nanoseconds
    Kind.INTERVAL_YM: ("int32",),  # months
    Kind.BOOLEAN: ("bool",),
}

"""Columns of a target table: which Oracle type each one has, and how its values get through a load table without loss.

A stream's SCHEMA decides. With `x-sql-datatype` a column has exactly the source's type; without it, one rule:

| JSON Schema | Oracle |
|---|---|
| integer | NUMBER(38) |
| number | NUMBER (every digit; never a rounding default) |
| boolean | NUMBER(1) |
| string, `format: date-time` | TIMESTAMP(6) WITH TIME ZONE |
| string, `format: date` | DATE |
| string, `contentEncoding: base16` | RAW up to 2000 bytes, else BLOB |
| string with `maxLength` whose longest value fits into 4000 bytes | VARCHAR2(n CHAR) |
| any other string, object, array, mixture | CLOB (JSON text for objects and arrays); VARCHAR2(1000 CHAR) when it is a key |

Types that no client should create any more, or that compare badly, become what carries the same values:
LONG, JSON, XMLTYPE -> CLOB, LONG RAW -> BLOB, UROWID -> VARCHAR2(4000 BYTE).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from oracle_connection.types import CHARACTERS, MAX_ARROW_FRACTION_DIGITS, SQL_DATATYPE, ZONED, Kind, OracleType, schema_type

from target_oracle.errors import StreamError
from target_oracle.naming import MAX_IDENTIFIER_BYTES, column_names, quoted

MAX_TEXT_BYTES = 4000
MAX_BYTES_PER_CHARACTER = 4
MAX_COLUMNS = 1000
KEY_TEXT_LENGTH = MAX_TEXT_BYTES // MAX_BYTES_PER_CHARACTER
LOB_KINDS = frozenset({Kind.CLOB, Kind.NCLOB, Kind.BLOB})
_NANOSECONDS = """'YYYY-MM-DD"T"HH24:MI:SS.FF9'"""

DATA_TYPES = {
    Kind.LONG: OracleType(Kind.CLOB),
    Kind.JSON: OracleType(Kind.CLOB),
    Kind.XMLTYPE: OracleType(Kind.CLOB),
    Kind.LONG_RAW: OracleType(Kind.BLOB),
    Kind.UROWID: OracleType(Kind.VARCHAR2, length=MAX_TEXT_BYTES),
}


class SchemaError(StreamError):
    """A stream's SCHEMA cannot become a table; the message names stream, property and remedy."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the target table. `source` is the property that fills it; None for a metadata column.

    travels: the type by which the values travel (`oracle_connection.types.arrow_type`), where it is not `type`.
    """

    name: str
    type: OracleType
    source: str | None = None
    nullable: bool = True
    comment: str | None = None
    travels: OracleType | None = None

    @property
    def sent_as(self) -> OracleType:
        """The type whose Arrow form the values have on arrival."""
        return self.travels or self.type


_INSTANT = OracleType(Kind.TIMESTAMP, scale=6)
EXTRACTED_AT = Column("_SDC_EXTRACTED_AT", _INSTANT, comment="When the row was read from the source (UTC)")
RECEIVED_AT = Column("_SDC_RECEIVED_AT", _INSTANT, comment="When the target received the row (UTC)")
BATCHED_AT = Column("_SDC_BATCHED_AT", _INSTANT, comment="When the row was last really written (UTC, ascending within the table)")
DELETED_AT = Column("_SDC_DELETED_AT", _INSTANT, comment="When the row was seen to be gone from the source (UTC); NULL: it is there")
SEQUENCE = Column("_SDC_SEQUENCE", OracleType(Kind.NUMBER, 20, 0), comment="Read SCN of the source: the row is at least as new as this")
TABLE_VERSION = Column("_SDC_TABLE_VERSION", OracleType(Kind.NUMBER, 19, 0), comment="Version of the complete read that wrote the row")
METADATA_COLUMNS = (EXTRACTED_AT, RECEIVED_AT, BATCHED_AT, DELETED_AT, SEQUENCE, TABLE_VERSION)
REPLACES = Column("_SDC_REPLACES", OracleType(Kind.NUMBER, 1, 0))
"""Only in load tables: 1 for a row that replaced other contents of its key in the batch."""
LOADED_METADATA = (EXTRACTED_AT, DELETED_AT, SEQUENCE, TABLE_VERSION)
"""The metadata that may differ from RECORD to RECORD, so that the load table carries it."""


@dataclass(frozen=True, slots=True)
class TableModel:
    """The table that a stream wants: its name, its data columns in order, its key, and whether metadata columns follow."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    metadata: bool = True
    replication_key: str | None = None

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return self.columns + (METADATA_COLUMNS if self.metadata else ())

    def column(self, name: str) -> Column:
        return next(each for each in self.all_columns if each.name == name)

    def renamed(self, name: str) -> TableModel:
        """The same table under another name (a table loaded beside the live one)."""
        return replace(self, name=name)


def property_type(schema: Mapping[str, Any], *, is_key: bool) -> OracleType:
    """The type in which values of a property travel. Raises UnsupportedTypeError for a type text that is no Oracle type."""
    travels = schema_type(dict(schema))
    if SQL_DATATYPE in schema:
        return travels
    if travels.kind is Kind.VARCHAR2 and (travels.length or 0) * MAX_BYTES_PER_CHARACTER > MAX_TEXT_BYTES:
        travels = OracleType(Kind.CLOB)
    if is_key and travels.kind is Kind.CLOB:
        return OracleType(Kind.VARCHAR2, length=KEY_TEXT_LENGTH, char_semantics=True)
    return travels


def _nullable(schema: Mapping[str, Any]) -> bool:
    """Whether a column must take NULL: only a source that names its exact type promises NOT NULL, foreign schemas often lie."""
    declared = schema.get("type", "null")
    return SQL_DATATYPE not in schema or "null" in ([declared] if isinstance(declared, str) else declared)


def table_model(
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Sequence[str],
    *,
    owner: str,
    table: str,
    metadata: bool = True,
    replication_key: str | None = None,
    limit: int = MAX_IDENTIFIER_BYTES,
) -> TableModel:
    """The table for a stream's SCHEMA message. Raises SchemaError, naming what is wrong and what to do."""
    reserved = {each.name for each in METADATA_COLUMNS} if metadata else set()
    properties: dict[str, Any] = {
        name: each for name, each in schema["properties"].items() if not (name.upper().startswith("_SDC_") and _is_metadata(name))
    }
    if not properties:
        message = f"stream {stream}: the schema has no properties, so there is no table to create"
        raise SchemaError(message)
    missing = [each for each in key_properties if each not in properties]
    if missing:
        message = f"stream {stream}: key property {missing[0]} is not among the schema's properties"
        raise SchemaError(message)
    allowed = MAX_COLUMNS - len(METADATA_COLUMNS) * metadata
    if len(properties) > allowed:
        message = f"stream {stream}: {len(properties)} columns, but a table takes {allowed} beside the metadata columns: deselect some"
        raise SchemaError(message)
    names = column_names(properties, reserved=reserved, limit=limit)
    columns = []
    for name, each in properties.items():
        is_key = name in key_properties
        travels = property_type(each, is_key=is_key)
        stored = DATA_TYPES.get(travels.kind, travels)
        columns.append(
            Column(
                names[name],
                stored,
                source=name,
                nullable=_nullable(each) and not is_key,
                comment=each.get("description"),
                travels=travels if stored != travels else None,
            )
        )
    for each in columns:
        if each.source in key_properties and each.type.kind in LOB_KINDS:
            message = f"stream {stream}: key property {each.source} is {each.type}, which Oracle cannot index: choose another key"
            raise SchemaError(message)
    return TableModel(
        owner,
        table,
        tuple(columns),
        tuple(names[each] for each in key_properties),
        metadata,
        names.get(replication_key) if replication_key else None,
    )


def _is_metadata(name: str) -> bool:
    """Whether a property is one of Singer's record metadata: the target fills those itself."""
    return name.upper() in {each.name for each in METADATA_COLUMNS} or name.lower() == "_sdc_sync_started_at"


def load_type(column: Column) -> OracleType:
    """The type of the column in a load table: one the driver fills exactly in both ways, direct path and array insert.

    A direct path load checks and converts nothing. So lengths and national characters are left to the statement that moves the rows on:
    text is wide VARCHAR2 in the database character set, instants are UTC clock times. Precisions are checked before (`batch.check_rows`).
    """
    kind = column.type.kind
    if kind in CHARACTERS:
        wide = (column.type.length or 0) > MAX_TEXT_BYTES
        national_wide = kind in {Kind.NCHAR, Kind.NVARCHAR2} and (column.type.length or 0) > KEY_TEXT_LENGTH
        if wide or national_wide:
            return OracleType(Kind.CLOB)
        return OracleType(Kind.VARCHAR2, length=MAX_TEXT_BYTES)
    if kind is Kind.NCLOB:
        return OracleType(Kind.CLOB)
    if travels_as_text(column.type):
        return OracleType(Kind.VARCHAR2, length=MAX_TEXT_BYTES)
    if kind in {Kind.TIMESTAMP, *ZONED}:
        return OracleType(Kind.TIMESTAMP, scale=6)
    return column.type


def travels_as_text(type_: OracleType) -> bool:
    """Whether values that are no text arrive as text and are converted by the statement that moves them on."""
    if type_.kind in {Kind.INTERVAL_DS, Kind.INTERVAL_YM, Kind.ROWID, Kind.FLOAT}:
        return True
    if type_.kind is Kind.NUMBER:
        digits, scale = type_.precision, type_.scale or 0
        return digits is None or scale > digits or (scale < 0 and digits - scale > 38)
    return type_.kind in {Kind.TIMESTAMP, *ZONED} and (type_.scale or 0) > MAX_ARROW_FRACTION_DIGITS


def value_expression(column: Column, alias: str = "l") -> str:
    """SQL that makes the column's value of the load table's one: exact, with fixed masks, whatever the session's NLS settings."""
    loaded = f"{alias}.{quoted(column.name)}"
    kind, type_ = column.type.kind, column.type
    if kind in {Kind.NUMBER, Kind.FLOAT} and travels_as_text(type_):
        return f"TO_NUMBER({loaded})"
    if kind in {Kind.TIMESTAMP, *ZONED}:
        clock = f"TO_TIMESTAMP(SUBSTR({loaded},1,29),{_NANOSECONDS})" if travels_as_text(type_) else loaded
        if kind not in ZONED:
            return clock
        instant = f"FROM_TZ({clock},'+00:00')"
        return f"CAST({instant} AS {type_})" if kind is Kind.TIMESTAMP_LTZ else instant
    match kind:
        case Kind.INTERVAL_DS:
            return f"TO_DSINTERVAL({loaded})"
        case Kind.INTERVAL_YM:
            return f"TO_YMINTERVAL({loaded})"
        case Kind.ROWID:
            return f"CHARTOROWID({loaded})"
        case Kind.NCHAR | Kind.NVARCHAR2:
            return f"TO_NCHAR({loaded})"
        case Kind.NCLOB:
            return f"TO_NCLOB({loaded})"
        case _:
            return loaded


def by_name(columns: Iterable[Column]) -> dict[str, Column]:
    return {each.name: each for each in columns}

"""Table descriptions and settings to streams: names, schemas, keys, metadata. And back: what a catalog says about a stream.

Pure values; `connector.py` asks the dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oracle_connection.errors import ConfigurationError
from oracle_connection.types import LOBS, TIMESTAMPS, Kind, OracleType, json_schema, parse_type, select_expression

from tap_oracle_wms.connector import TableDescription
from tap_oracle_wms.keys import KEY_KINDS, check_key_type
from tap_oracle_wms.settings import Entity, Settings
from tap_oracle_wms.statements import quote

_PLAIN_NAME = re.compile(r"^[A-Z][A-Z0-9_$#]*$")
_OWNER_AND_NAME = re.compile(r'^(?:(?P<quoted>"[^"]+")|(?P<owner>[^".]+))\.(?P<name>"[^"]+"|[^"]+)$')
REDACTED = "'****'"
REDACTED_TYPE = OracleType(Kind.VARCHAR2, length=4)
HASH_TYPE = OracleType(Kind.VARCHAR2, length=64)


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """A stream as discovery finds it."""

    name: str
    table: TableDescription
    schema: dict[str, Any]
    key_properties: tuple[str, ...]
    replication_method: str
    replication_key: str | None
    valid_replication_keys: tuple[str, ...]
    unsupported: Mapping[str, str]


def place_of(entity: Entity, default_owner: str) -> tuple[str, str]:
    """Owner and table of an entity. Names without double quotes are upper-cased when they are plain, as SQL does."""
    match = _OWNER_AND_NAME.match(entity.table)
    if match:
        return _identifier(match["quoted"] or match["owner"]), _identifier(match["name"])
    return default_owner, _identifier(entity.table)


def _identifier(text: str) -> str:
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    return text.upper() if re.fullmatch(r"\w[\w$#]*", text, re.ASCII) else text


def default_owner(settings: Settings, username: str) -> str:
    """The owner of tables that name none."""
    return _identifier(settings.schema or username)


def stream_names(tables: Iterable[str]) -> dict[str, str]:
    """Stream names for tables that the settings do not name: plain names in lower case, others as they are.

    A quoted table whose name equals another's lower case keeps its double quotes.
    """
    names: dict[str, str] = {}
    tables = list(tables)
    plain = {table.lower() for table in tables if _PLAIN_NAME.match(table)}
    for table in tables:
        if _PLAIN_NAME.match(table):
            names[table] = table.lower()
        else:
            names[table] = quote(table) if table in plain else table
    return names


def describe_stream(entity: Entity, table: TableDescription) -> StreamDescription:
    """The stream of a table. Raises ConfigurationError for settings that name what is not there."""
    unsupported = {column.name: column.refusal for column in table.columns if column.refusal}
    keys = tuple(_named(entity, table, name, "key_properties") for name in entity.key_properties or ()) or table.key()
    replication_key = _named(entity, table, entity.replication_key, "replication_key") if entity.replication_key else None
    masks = column_masks(entity, table, [*keys, *([replication_key] if replication_key else [])])
    for name in [*keys, *([replication_key] if replication_key else [])]:
        if name in unsupported:
            message = f"stream {entity.stream}: {name} cannot be a key: {unsupported[name]}"
            raise ConfigurationError(message)
    properties = {
        column.name: json_schema(
            masked_type(column.type, masks.get(column.name)),
            nullable=column.nullable or column.name in masks,
            description=column.comment,
        )
        for column in table.columns
        if column.type is not None
    }
    if not properties:
        message = f"stream {entity.stream}: no column of {table.full_name} can be carried: {'; '.join(unsupported.values())}"
        raise ConfigurationError(message)
    if replication_key is not None:
        column = table.column(replication_key)
        assert column is not None  # noqa: S101 - _named found it
        assert column.type is not None  # noqa: S101 - not among the unsupported
        check_key_type(entity.stream, replication_key, column.type)
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if table.comment:
        schema["description"] = table.comment
    method = entity.replication_method or ("INCREMENTAL" if replication_key else "FULL_TABLE")
    return StreamDescription(
        name=entity.stream,
        table=table,
        schema=schema,
        key_properties=keys,
        replication_method=method,
        replication_key=replication_key,
        valid_replication_keys=tuple(column.name for column in table.columns if column.type and column.type.kind in KEY_KINDS),
        unsupported=unsupported,
    )


def _named(entity: Entity, table: TableDescription, name: str, setting: str) -> str:
    column = table.column(name)
    if column is None:
        message = f"setting entities.{entity.stream}.{setting}: {table.full_name} has no column {name}"
        raise ConfigurationError(message)
    return column.name


def column_masks(entity: Entity, table: TableDescription, keys: Iterable[str]) -> dict[str, str]:
    """The masks of a stream by exact column name. A key may be hashed; removing it would merge rows into one."""
    masks = {_named(entity, table, name, "mask"): mask for name, mask in entity.mask.items()}
    for name, mask in masks.items():
        if name in set(keys) and mask != "hash":
            message = f"setting entities.{entity.stream}.mask: {name} is a key and cannot be masked by {mask}"
            raise ConfigurationError(message)
        column = table.column(name)
        if mask == "hash" and column is not None and column.type is not None and column.type.kind in LOBS:
            message = f"setting entities.{entity.stream}.mask: {name} is {column.type}, which cannot be hashed in SQL; use redact or null"
            raise ConfigurationError(message)
    return masks


def masked_type(oracle: OracleType, mask: str | None) -> OracleType:
    """The type in which a masked column leaves the database."""
    return {None: oracle, "null": oracle, "redact": REDACTED_TYPE, "hash": HASH_TYPE}[mask]


def masked_expression(oracle: OracleType, column: str, mask: str | None, *, salt: str = "") -> str:
    """SQL for a column (quoted), masked. `oracle` is the column's own type.

    The hash is over a text of the value that depends on nothing but the value, so the same value hashes alike in every table. The
    salt is put in as a literal: it must be the same text in each statement.
    """
    plain = select_expression(oracle, column)
    if mask is None:
        return plain
    if mask == "null":
        return f"CASE WHEN 1 = 0 THEN {plain} END"
    if mask == "redact":
        return f"CASE WHEN {column} IS NOT NULL THEN {REDACTED} END"
    literal = salt.replace("'", "''")
    text = _text_of(oracle, column, plain)
    salted = f"'{literal}'||{text}" if salt else text
    return f"CASE WHEN {column} IS NOT NULL THEN RAWTOHEX(STANDARD_HASH({salted},'SHA256')) END"


def _text_of(oracle: OracleType, column: str, plain: str) -> str:
    """SQL for the text of a value."""
    if oracle.kind in {Kind.NUMBER, Kind.FLOAT, Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE}:
        return f"TO_CHAR({column},'TM9')"
    if oracle.kind is Kind.DATE:
        return f"TO_CHAR({column},'YYYY-MM-DD\"T\"HH24:MI:SS')"
    if oracle.kind in TIMESTAMPS:
        return f"TO_CHAR({column if oracle.kind is Kind.TIMESTAMP else plain},'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')"
    return f"RAWTOHEX({column})" if oracle.kind is Kind.RAW else plain


def column_types(schema: Mapping[str, Any]) -> dict[str, OracleType]:
    """The Oracle type of each property of a stream's schema.

    Raises ConfigurationError for a property without `x-sql-datatype`: the catalog is not one of this tap.
    """
    types: dict[str, OracleType] = {}
    for name, property_schema in schema.get("properties", {}).items():
        text = property_schema.get("x-sql-datatype")
        if text is None:
            message = f"the catalog has no x-sql-datatype for {name}: discover again with this tap"
            raise ConfigurationError(message)
        types[name] = parse_type(text)
    return types

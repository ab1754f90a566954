"""What is compared: the entity's table on both sides, its key, its columns in pairs, and what is left out and why.

The catalog says which columns the sync selects, the two dictionaries what they are now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oracle_connection.errors import ConfigurationError
from oracle_connection.types import OracleType, UnsupportedTypeError, dictionary_type

from wms_ops.verify.canonical import Form, Setting, forms, quoted, row_hashes, why_not
from wms_ops.verify.database import Database, table_name
from wms_ops.verify.keys import KeyColumn, key_columns

DELETED_AT = "_SDC_DELETED_AT"
COLUMNS = (
    "SELECT COLUMN_NAME, DATA_TYPE, DATA_TYPE_OWNER, DATA_LENGTH, DATA_PRECISION, DATA_SCALE, CHAR_LENGTH, CHAR_USED"
    " FROM ALL_TAB_COLUMNS WHERE OWNER = :owner AND TABLE_NAME = :name ORDER BY COLUMN_ID"
)
CHARACTER_SET = "SELECT VALUE FROM NLS_DATABASE_PARAMETERS WHERE PARAMETER = 'NLS_CHARACTERSET'"
LOB_HASH = "SELECT DBMS_CRYPTO.HASH(TO_CLOB('x'), 4) FROM DUAL"


@dataclass(frozen=True, slots=True)
class Stream:
    """What catalog and settings say about an entity. columns: the selected ones; masked: those that leave the source changed.

    known: all columns that the catalog has, selected or not; None when it is not known.
    """

    name: str
    owner: str
    table: str
    key: tuple[str, ...]
    replication_key: str | None
    columns: tuple[str, ...]
    masked: frozenset[str] = frozenset()
    known: frozenset[str] | None = None

    @classmethod
    def from_catalog(cls, catalog: Mapping[str, Any], config: Mapping[str, Any], name: str) -> Stream:
        """The stream `name` of a catalog that tap-oracle-wms made. Raises ConfigurationError when it is not in it or has no key."""
        entry = next((each for each in catalog.get("streams", ()) if each["tap_stream_id"] == name), None)
        if entry is None:
            message = f"there is no stream {name} in the catalog of the tap"
            raise ConfigurationError(message)
        metadata = {tuple(each["breadcrumb"]): each["metadata"] for each in entry["metadata"]}
        root = metadata[()]
        properties = entry["schema"]["properties"]
        key = tuple(_named(each, properties) for each in entry.get("key_properties") or root.get("table-key-properties") or ())
        if not key:
            message = f"stream {name} has no key: verify compares rows by key; set entities.{name}.key_properties"
            raise ConfigurationError(message)
        given = entry.get("replication_key") or root.get("replication-key")
        replication_key = None if given is None else _named(given, properties)
        always = {*key, replication_key}
        columns = [each for each in properties if each in always or _selected(metadata.get(("properties", each), {}))]
        masks = ((config.get("entities") or {}).get(name) or {}).get("mask") or {}
        masked = {each for each in columns if each.upper() in {mask.upper() for mask in masks}}
        known = frozenset(properties) | {each[1] for each in metadata if len(each) == 2}
        return cls(name, root["schema-name"], entry["table_name"], key, replication_key, tuple(columns), frozenset(masked), known)


def _named(name: str, properties: Mapping[str, Any]) -> str:
    """The property of that name; settings may write it in other case."""
    return next((each for each in properties if each.upper() == name.upper()), name)


def _selected(metadata: Mapping[str, Any]) -> bool:
    if metadata.get("inclusion") == "unsupported":
        return False
    selected = metadata.get("selected")
    return bool(metadata.get("selected-by-default", True) if selected is None else selected)


@dataclass(frozen=True, slots=True)
class Side:
    """The entity's table in one database, and the SQL of its rows' texts. live: the condition on rows that count; empty for all."""

    database: Database
    table: str
    key: tuple[KeyColumn, ...]
    row_hash: str
    columns: tuple[Form, ...]
    live: str = ""

    @property
    def sql_table(self) -> str:
        return table_name(self.database.schema, self.table)


@dataclass(slots=True)
class Entity:
    """A stream with both of its sides. left_out: column -> why it is not compared; missing: selected columns the target lacks."""

    stream: Stream
    source: Side
    target: Side
    columns: tuple[str, ...]
    replication_type: OracleType | None
    left_out: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @classmethod
    def look_up(cls, stream: Stream, source: Database, target: Database, table: str) -> Entity:
        """Ask both dictionaries. Raises ConfigurationError when a table is not there, or the key cannot be compared."""
        here = _columns(source, stream.owner, stream.table)
        there = _columns(target, target.schema, table)
        setting, notes = _setting(source, target)
        known = here.keys() if stream.known is None else stream.known
        left_out = {name: "new in the source: the next sync discovers it" for name in here if name not in known}
        pairs, missing = list[tuple[str, str]](), list[str]()
        for name in stream.columns:
            found = name if name in there else name.upper()
            if name in stream.masked:
                left_out[name] = "masked: it leaves the source changed"
            elif name not in here:
                left_out[name] = "not in the source any more"
            elif found not in there:
                missing.append(name)
            elif isinstance(own := here[name], str) or isinstance(other := there[found], str):
                left_out[name] = str(here[name] if isinstance(here[name], str) else there[found])
            elif (reason := why_not(own, other)) is not None:
                left_out[name] = reason
            else:
                pairs.append((name, found))
        types = {name: each for name, each in here.items() if isinstance(each, OracleType)}
        target_types = {name: each for name, each in there.items() if isinstance(each, OracleType)}
        keys = [(name, found) for name, found in pairs if name in stream.key]
        if len(keys) != len(stream.key):
            message = f"{stream.name}: the key {', '.join(stream.key)} is not on both sides ({'; '.join(left_out.values()) or 'missing'})"
            raise ConfigurationError(message)
        keys.sort(key=lambda pair: stream.key.index(pair[0]))
        own_key, other_key = key_columns(keys, types, target_types, same_characters=setting.same_characters)
        made = [forms(name, found, types[name], target_types[found], setting) for name, found in pairs]
        hashes = row_hashes(made)
        live = f"{quoted(DELETED_AT)} IS NULL" if DELETED_AT in there else ""
        if not setting.lob_hash and any("DBMS_LOB" in form.text for form, _ in made):
            notes.append("LOBs are compared by length and beginning: grant EXECUTE on DBMS_CRYPTO on both sides to compare them whole")
        return cls(
            stream,
            Side(source, stream.table, own_key, hashes[0], tuple(pair[0] for pair in made)),
            Side(target, table, other_key, hashes[1], tuple(pair[1] for pair in made), live),
            tuple(name for name, _ in pairs),
            types.get(stream.replication_key or ""),
            left_out,
            tuple(missing),
            notes,
        )


def _columns(database: Database, owner: str, table: str) -> dict[str, OracleType | str]:
    """The columns of a table with their types, or why they have none."""
    rows = database.query(COLUMNS, {"owner": owner, "name": table}, doing=f"look up {owner}.{table}")
    if not rows:
        message = f"{owner}.{table} does not exist in the {database.name}, or may not be read (ORA-00942)"
        raise ConfigurationError(message, code="ORA-00942")
    found: dict[str, OracleType | str] = {}
    for name, data_type, data_type_owner, length, precision, scale, char_length, char_used in rows:
        sizes = {"data_length": length, "data_precision": precision, "data_scale": scale, "char_length": char_length}
        whole = {field: None if size is None else int(size) for field, size in sizes.items()}
        try:
            found[name] = dictionary_type(data_type, data_type_owner=data_type_owner, char_used=char_used, **whole)
        except UnsupportedTypeError as error:
            found[name] = str(error)
    return found


def _setting(source: Database, target: Database) -> tuple[Setting, list[str]]:
    """What both databases can."""
    sets = [database.query(CHARACTER_SET, doing="ask for the character set")[0][0] for database in (source, target)]
    hashes = [database.if_granted(LOB_HASH, doing="try DBMS_CRYPTO.HASH") is not None for database in (source, target)]
    notes = [] if sets[0] == sets[1] else [f"character sets differ ({sets[0]}, {sets[1]}): text is compared by ASCIISTR"]
    return Setting(sets[0] == sets[1], all(hashes)), notes

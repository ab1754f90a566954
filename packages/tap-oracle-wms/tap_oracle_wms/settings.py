"""The tap's settings: their JSON Schema, which is also their documentation (`--about`), and a frozen value made from them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oracle_connection.contract import ARROW_FORMAT, COMPRESSIONS
from oracle_connection.errors import ConfigurationError
from oracle_connection.parameters import SETTINGS as CONNECTION_SETTINGS

SERVER_ZONE = "server"
MASKS = ("null", "redact", "hash")
REPLICATION_METHODS = ("INCREMENTAL", "FULL_TABLE")

_ENTITY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["table"],
    "properties": {
        "table": {"type": "string", "description": "Table or view: `NAME` (of the owner in the setting `schema`) or `OWNER.NAME`."},
        "key_properties": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Key columns. Default: the primary key, else a unique index on columns that are NOT NULL.",
        },
        "replication_method": {"type": "string", "enum": list(REPLICATION_METHODS), "description": "INCREMENTAL needs a replication key."},
        "replication_key": {"type": "string", "description": "Column that grows with each change, e.g. LAST_UPDATED."},
        "replication_key_time_zone": {
            "type": "string",
            "description": "Zone of the clock that sets the key: UTC, an IANA name, or `server`. Default: the setting `time_zone`.",
        },
        "replication_key_is_clock": {
            "type": "boolean",
            "description": "False when the key does not tell when the row changed (an order date, a number): then only the look-back covers"
            " late commits. Default: true for times, false for numbers and text.",
        },
        "lookback_seconds": {
            "type": "integer",
            "minimum": 0,
            "description": "How far a run reaches back where open transactions cannot be seen. Default: the setting of the same name.",
        },
        "lookback_units": {"type": "integer", "minimum": 0, "description": "The look-back of a numeric key, in its own units. Default 0."},
        "mask": {
            "type": "object",
            "additionalProperties": {"type": "string", "enum": list(MASKS)},
            "description": "Columns to hide, in SQL, before they leave the database: `null`, `redact` (asterisks), `hash` (SHA-256).",
        },
    },
}

SETTINGS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["username", "password"],
    "properties": {
        **CONNECTION_SETTINGS,
        "schema": {"type": "string", "description": "Owner of the tables. Default: the user."},
        "entities": {
            "type": "object",
            "additionalProperties": _ENTITY,
            "description": "Stream name to what is said about it. Without it every table and view of the owner is a stream. Fields: "
            + " ".join(f"**`{name}`**: {field_schema['description']}" for name, field_schema in _ENTITY["properties"].items()),
        },
        "batch_size": {
            "type": "integer",
            "default": 1000,
            "minimum": 1,
            "maximum": 100_000,
            "description": "Rows per fetch from the database (WMS_BATCH_SIZE). Very wide rows are fetched in smaller steps.",
        },
        "batch_rows": {"type": "integer", "default": 100_000, "minimum": 1, "description": "Rows per Arrow file at most."},
        "batch_bytes": {
            "type": "integer",
            "default": 32 * 1024 * 1024,
            "minimum": 1024,
            "description": "Bytes (in memory) per Arrow file at most; one fetch may exceed it.",
        },
        "parallelism": {
            "type": "integer",
            "default": 1,
            "minimum": 1,
            "maximum": 64,
            "description": "Connections that read chunks of the full sync at the same time, each in a process of its own.",
        },
        "chunk_rows": {
            "type": "integer",
            "default": 500_000,
            "minimum": 1,
            "description": "Rows per chunk of the full sync, about. A chunk is one statement: it should end well inside undo retention.",
        },
        "staging_directory": {
            "type": "string",
            "description": "Where Arrow files wait for the target. Default: a private directory among the temporary files.",
        },
        "staging_quota_bytes": {
            "type": "integer",
            "default": 1024**3,
            "minimum": 1,
            "description": "No further file is written while more than this waits for the target.",
        },
        "staging_wait_seconds": {
            "type": "integer",
            "default": 3600,
            "minimum": 1,
            "description": "Give up when the target has not taken a single file for this long.",
        },
        "run_id": {
            "type": "string",
            "description": "Identifies the run in files, logs and run records. Default: MELTANO_RUN_ID, else a new UUID.",
        },
        "run_record_dir": {"type": "string", "description": "Directory of the run records. Without it they go to stderr."},
        "run_budget_seconds": {
            "type": "integer",
            "default": 0,
            "minimum": 0,
            "description": "After this many seconds no further chunk or slice is begun; the next run goes on. 0: no limit.",
        },
        "horizon": {
            "type": "string",
            "enum": ["auto", "locks", "transactions", "lookback"],
            "default": "auto",
            "description": "How late commits are found: by the locks on the table, by all open transactions, or by a look-back only."
            " `auto` takes the best that the grants allow; the others fail when it is not granted.",
        },
        "horizon_warning_seconds": {
            "type": "integer",
            "default": 900,
            "minimum": 0,
            "description": "Warn, naming the session, when an open transaction holds the bookmark back for longer.",
        },
        "skew_seconds": {
            "type": "integer",
            "default": 300,
            "minimum": 0,
            "description": "How much earlier than its statement's start a transaction may have computed the key, and how far clocks of a"
            " cluster's hosts may differ: not 0 in production. The bookmark stays back by it;"
            " rows read twice cost nothing, the target skips unchanged ones.",
        },
        "lookback_seconds": {
            "type": "integer",
            "default": 900,
            "minimum": 0,
            "description": "How far a run reaches back where open transactions cannot be seen (horizon mode `lookback`).",
        },
        "slice_seconds": {
            "type": "integer",
            "default": 3600,
            "minimum": 1,
            "description": "A longer window, after an outage, is read in slices of this length, the bookmark following each of them.",
        },
        "time_zone": {
            "type": "string",
            "default": "UTC",
            "description": "Zone of the clock that sets the replication keys without a zone of their own: UTC, an IANA name, or `server`.",
        },
        "server_time_zone": {
            "type": "string",
            "description": "IANA name of the database host's zone, if known. Without it an hour is added wherever a repeated hour of a"
            " daylight saving zone could hide.",
        },
        "transfer": {
            "type": "string",
            "enum": ["auto", "batch", "record"],
            "default": "auto",
            "description": "`batch`: Arrow files for target-oracle; `record`: RECORDs for any target; `auto`: batch when `batch_config`"
            " is given. A stream map that changes rows always means record.",
        },
        "batch_config": {
            "type": "object",
            "description": "Encoding of the Arrow files: {encoding: {format: arrow, compression: lz4, zstd or none}}.",
            "properties": {
                "encoding": {
                    "type": "object",
                    "description": "Format and compression.",
                    "properties": {
                        "format": {"type": "string", "enum": [ARROW_FORMAT], "description": "`arrow`: Arrow IPC streams."},
                        "compression": {"type": "string", "enum": list(COMPRESSIONS), "description": "`lz4` (default), `zstd` or `none`."},
                    },
                },
                "storage": {"type": "object", "description": "`root` is another way to say `staging_directory`."},
            },
        },
        "backfill": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "oneOf": [{"required": ["column"]}, {"required": ["keys_file"]}],
                "properties": {
                    "column": {"type": "string"},
                    "from": {"type": "string"},
                    "to": {"type": "string"},
                    "keys_file": {"type": "string"},
                },
            },
            "description": "Stream name to {column, from, to}: read these rows again (from <= column < to) and leave the bookmark alone."
            " Or to {keys_file}: a JSON file {columns, keys} that lists the rows by key.",
        },
        "mask_salt": {
            "type": "string",
            "secret": True,
            "description": "Put before values that `mask` hashes, so that they cannot be guessed.",
        },
        "retry_attempts": {
            "type": "integer",
            "default": 5,
            "minimum": 0,
            "description": "How often a retriable error is answered by trying again.",
        },
        "retry_wait_seconds": {"type": "integer", "default": 30, "minimum": 0, "description": "The longest pause between two attempts."},
    },
}


@dataclass(frozen=True, slots=True)
class Entity:
    """What the settings say about one stream; None where the dictionary or a default decides."""

    stream: str
    table: str
    key_properties: tuple[str, ...] | None = None
    replication_method: str | None = None
    replication_key: str | None = None
    replication_key_time_zone: str | None = None
    replication_key_is_clock: bool | None = None
    lookback_seconds: int | None = None
    lookback_units: int = 0
    mask: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backfill:
    """Rows of one stream to read again: from <= column < to, in the column's text form, or those that a file lists by key."""

    column: str | None
    from_: str | None = None
    to: str | None = None
    keys_file: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that are not about the connection, checked, with their defaults."""

    schema: str | None
    entities: Mapping[str, Entity]
    batch_size: int
    batch_rows: int
    batch_bytes: int
    parallelism: int
    chunk_rows: int
    staging_directory: Path
    staging_quota_bytes: int
    staging_wait_seconds: int
    run_record_dir: str | None
    run_budget_seconds: int
    horizon: str
    horizon_warning_seconds: int
    skew_seconds: int
    lookback_seconds: int
    slice_seconds: int
    time_zone: str
    server_time_zone: tzinfo | None
    use_batches: bool
    compression: str
    backfill: Mapping[str, Backfill]
    mask_salt: str = field(repr=False)
    retry_attempts: int
    retry_wait_seconds: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """From the plugin's configuration. Raises ConfigurationError, naming the setting."""
        given = {name: _value(config, name, schema) for name, schema in SETTINGS_SCHEMA["properties"].items()}
        batch_config = given["batch_config"] or {}
        encoding = batch_config.get("encoding") or {}
        root = (batch_config.get("storage") or {}).get("root")
        server_zone = given["server_time_zone"]
        check_zone("time_zone", given["time_zone"])
        return cls(
            schema=given["schema"],
            entities={stream: _entity(stream, entity) for stream, entity in (given["entities"] or {}).items()},
            batch_size=given["batch_size"],
            batch_rows=given["batch_rows"],
            batch_bytes=given["batch_bytes"],
            parallelism=given["parallelism"],
            chunk_rows=given["chunk_rows"],
            staging_directory=Path(given["staging_directory"] or _plain_path(root) or default_staging_directory()),
            staging_quota_bytes=given["staging_quota_bytes"],
            staging_wait_seconds=given["staging_wait_seconds"],
            run_record_dir=given["run_record_dir"],
            run_budget_seconds=given["run_budget_seconds"],
            horizon=given["horizon"],
            horizon_warning_seconds=given["horizon_warning_seconds"],
            skew_seconds=given["skew_seconds"],
            lookback_seconds=given["lookback_seconds"],
            slice_seconds=given["slice_seconds"],
            time_zone=given["time_zone"],
            server_time_zone=check_zone("server_time_zone", server_zone) if server_zone else None,
            use_batches=given["transfer"] == "batch" or (given["transfer"] == "auto" and bool(batch_config)),
            compression=encoding.get("compression") or "lz4",
            backfill={
                stream: Backfill(each.get("column"), each.get("from"), each.get("to"), each.get("keys_file"))
                for stream, each in (given["backfill"] or {}).items()
            },
            mask_salt=given["mask_salt"] or "",
            retry_attempts=given["retry_attempts"],
            retry_wait_seconds=given["retry_wait_seconds"],
        )

    def entity(self, stream: str, table: str) -> Entity:
        """The settings of a stream; those of a stream that is not in `entities` are all defaults."""
        return self.entities.get(stream) or Entity(stream, table)


def _value(config: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> Any:
    value = config.get(name)
    return schema.get("default") if value in (None, "", {}) else value


def _entity(stream: str, given: Mapping[str, Any]) -> Entity:
    zone = given.get("replication_key_time_zone")
    if zone is not None:
        check_zone(f"entities.{stream}.replication_key_time_zone", zone)
    keys = given.get("key_properties")
    return Entity(
        stream=stream,
        table=given["table"],
        key_properties=tuple(keys) if keys else None,
        replication_method=given.get("replication_method"),
        replication_key=given.get("replication_key"),
        replication_key_time_zone=zone,
        replication_key_is_clock=given.get("replication_key_is_clock"),
        lookback_seconds=given.get("lookback_seconds"),
        lookback_units=given.get("lookback_units") or 0,
        mask=given.get("mask") or {},
    )


def check_zone(setting: str, name: str) -> tzinfo | None:
    """The zone of that name; None for `server`, which only the database knows. Raises ConfigurationError."""
    if name == SERVER_ZONE:
        return None
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"setting {setting}: {name!r} is no time zone; give UTC, an IANA name such as America/Sao_Paulo, or {SERVER_ZONE}"
        raise ConfigurationError(message) from error


def default_staging_directory() -> Path:
    """A directory for this user only."""
    return Path(tempfile.gettempdir()) / f"tap-oracle-wms-{os.getuid()}"


def _plain_path(root: str | None) -> str | None:
    """`file:///x` or `/x` as `/x`. Raises ConfigurationError for anything that is not a local path."""
    if root is None:
        return None
    path = root.removeprefix("file://")
    if "://" in path:
        message = f"setting batch_config.storage.root: {root!r} is not a local directory"
        raise ConfigurationError(message)
    return path


def check_stream_maps(config: Mapping[str, Any]) -> None:
    """Refuse `stream_maps: {x: {replication_method: ...}}`, which would make a column of that name; show how Singer says it."""
    for stream, definition in (config.get("stream_maps") or {}).items():
        if isinstance(definition, Mapping) and {"replication_method", "replication_key"} & set(definition):
            method = definition.get("replication_method", "INCREMENTAL")
            key = definition.get("replication_key")
            lines = [f"metadata:\n  {stream}:\n    replication-method: {method}", *([f"    replication-key: {key}"] if key else [])]
            message = (
                f"setting stream_maps.{stream}: replication_method and replication_key are no stream map. Say instead, beside config:\n"
                + "\n".join(lines)
                + f"\nor in the setting entities.{stream} of this tap"
            )
            raise ConfigurationError(message)


def check_secrets(config: Mapping[str, Any]) -> None:
    """Refuse a secret that is no text: the SDK's validation would print the value with what is wrong about it."""
    for name, schema in SETTINGS_SCHEMA["properties"].items():
        if schema.get("secret") and not isinstance(config.get(name, ""), str):
            message = f"setting {name} is no text: put it in quotes"
            raise ConfigurationError(message)

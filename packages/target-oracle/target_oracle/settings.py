"""The target's settings: their schema, which is also their documentation, and the frozen value that the modules read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from oracle_connection.parameters import SETTINGS as CONNECTION_SETTINGS
from oracle_connection.parameters import ConnectionParameters

from target_oracle.drift import DriftPolicy


class LoadMethod(StrEnum):
    """How a batch changes its table."""

    UPSERT = "upsert"
    APPEND = "append"
    OVERWRITE = "overwrite"


_OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "schema": {"type": "string", "description": "Schema (owner) of the tables. Default: the schema of `username`."},
    "table_prefix": {"type": "string", "default": "", "description": "Text before each table's name, e.g. `WMS_`."},
    "load_method": {
        "type": "string",
        "enum": [str(each) for each in LoadMethod],
        "default": str(LoadMethod.UPSERT),
        "description": "`upsert`: one row per key, changed rows are updated. `append`: every row is added. "
        "`overwrite`: each complete read replaces the table. Streams without key are appended to, or replaced by complete reads.",
    },
    "batch_size_rows": {"type": "integer", "default": 5000, "minimum": 1, "description": "RECORDs that make a batch."},
    "batch_size_bytes": {
        "type": "integer",
        "default": 33554432,
        "minimum": 65536,
        "description": "Bytes of RECORD lines that make a batch, and of rows that one network message carries.",
    },
    "add_record_metadata": {
        "type": "boolean",
        "default": True,
        "description": "Add the columns _SDC_EXTRACTED_AT, _SDC_RECEIVED_AT, _SDC_BATCHED_AT, _SDC_DELETED_AT, _SDC_SEQUENCE and "
        "_SDC_TABLE_VERSION. Without them an older version of a row may overwrite a newer one and deletes are always hard.",
    },
    "hard_delete": {
        "type": "boolean",
        "default": False,
        "description": "Delete rows that are gone from the source, instead of setting their _SDC_DELETED_AT.",
    },
    "delete_cap_percent": {
        "type": "integer",
        "default": 10,
        "minimum": 0,
        "maximum": 100,
        "description": "Largest share of a table, in percent, that one run may delete or mark deleted; never all of it.",
    },
    "allow_empty_overwrite": {
        "type": "boolean",
        "default": False,
        "description": "Let a complete read that brought no row empty its table. Off: the run stops and the table stays.",
    },
    "on_schema_drift": {
        "type": "string",
        "enum": [str(each) for each in DriftPolicy],
        "default": str(DriftPolicy.EVOLVE),
        "description": "`evolve`: add columns, widen sizes, relax NOT NULL; stop when a column narrowed or changed its kind. "
        "`keep_wider`: also go on when a column narrowed. `fail`: stop at any difference.",
    },
    "parallel_loads": {
        "type": "integer",
        "default": 1,
        "minimum": 1,
        "maximum": 16,
        "description": "Connections that load files of a full sync at the same time; from 2 on each in a process of its own.",
    },
    "lease_wait_seconds": {
        "type": "integer",
        "default": 10,
        "minimum": 0,
        "maximum": 3600,
        "description": "Seconds to wait for another run that is writing the same table, before this one gives up and says who it is.",
    },
    "retry_attempts": {
        "type": "integer",
        "default": 5,
        "minimum": 1,
        "description": "How often a batch is tried when the database or the network fails for a while.",
    },
    "retry_backoff_ms": {
        "type": "integer",
        "default": 1000,
        "minimum": 0,
        "description": "Milliseconds before the first repetition; doubled each time, with jitter.",
    },
    "max_rejected_rows": {
        "type": "integer",
        "default": 0,
        "minimum": 0,
        "description": "Rows of one run that may go to `<table>__REJECTED` with the reason instead of failing the run (RECORDs only).",
    },
    "validate_records": {"type": "boolean", "default": True, "description": "Check each RECORD against the stream's JSON Schema."},
    "current_view": {
        "type": "boolean",
        "default": False,
        "description": "Also keep a view `<table>_CURRENT` of the rows that are not marked deleted.",
    },
    "audit_retention_days": {
        "type": "integer",
        "default": 30,
        "minimum": 0,
        "description": "Days that rows of WMS_LOAD_AUDIT are kept; 0: for ever.",
    },
    "load_table_max_age_hours": {
        "type": "integer",
        "default": 24,
        "minimum": 1,
        "description": "Age in hours from which load tables that a dead run left for other tables are dropped.",
    },
    "run_id": {"type": "string", "description": "Identifies the run in WMS_LOAD_AUDIT and the run record. Default: the tap's."},
    "run_record_dir": {"type": "string", "description": "Directory of the run records. Default: they go to stderr."},
}

SETTINGS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {**CONNECTION_SETTINGS, **_OWN_SETTINGS},
    "required": ["username", "password"],
}


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """The target's own settings, with defaults filled in."""

    schema: str
    table_prefix: str
    load_method: LoadMethod
    batch_size_rows: int
    batch_size_bytes: int
    add_record_metadata: bool
    hard_delete: bool
    delete_cap_percent: int
    allow_empty_overwrite: bool
    on_schema_drift: DriftPolicy
    parallel_loads: int
    lease_wait_seconds: int
    retry_attempts: int
    retry_backoff_ms: int
    max_rejected_rows: int
    validate_records: bool
    current_view: bool
    audit_retention_days: int
    load_table_max_age_hours: int
    run_id: str | None
    run_record_dir: str | None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], parameters: ConnectionParameters) -> TargetSettings:
        """From the plugin's configuration. Empty texts count as not given."""
        values: dict[str, Any] = {}
        for name, schema in _OWN_SETTINGS.items():
            given = config.get(name)
            values[name] = schema.get("default") if given in {None, ""} else given
        values["schema"] = (values["schema"] or parameters.username).upper()
        values["table_prefix"] = str(values["table_prefix"]).upper()
        values["load_method"] = LoadMethod(values["load_method"])
        values["on_schema_drift"] = DriftPolicy(values["on_schema_drift"])
        return cls(**values)

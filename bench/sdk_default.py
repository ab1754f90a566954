"""The Singer SDK's default SQL tap and target on Oracle, as its documentation builds them: what a project without own code would run.

    python bench/sdk_default.py tap|target --config FILE

The table BENCH_SOME goes to ANALYTICS.BENCH_SOME as RECORDs. Only for comparison (bench/end_to_end.py).
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from singer_sdk import typing as th
from singer_sdk.sql import SQLConnector, SQLSink, SQLStream, SQLTap, SQLTarget

SETTINGS = th.PropertiesList(th.Property("sqlalchemy_url", th.StringType, required=True)).to_dict()


class Connector(SQLConnector):
    """The default, but for two things Oracle insists on: VARCHAR2 has a length, and there is no DATETIME."""

    def to_sql_type(self, jsonschema_type: dict) -> sa.types.TypeEngine:
        found = super().to_sql_type(jsonschema_type)
        if isinstance(found, sa.DATETIME):
            return sa.TIMESTAMP()
        return sa.VARCHAR(4000) if isinstance(found, sa.VARCHAR) else found

    def discover_catalog_entries(self, **arguments: object) -> list[dict]:
        entries = super().discover_catalog_entries(**arguments)
        return [each for each in entries if each["tap_stream_id"].lower().endswith("bench_some")]

    def get_schema_names(self, engine: sa.engine.Engine, inspected: sa.Inspector) -> list[str]:
        del engine, inspected
        return ["wms"]


class Stream(SQLStream):
    connector_class = Connector


class Tap(SQLTap):
    name = "tap-default"
    config_jsonschema = SETTINGS
    default_stream_class = Stream
    default_connector_class = Connector


class Sink(SQLSink):
    connector_class = Connector

    @property
    def schema_name(self) -> str | None:
        return None


class Target(SQLTarget):
    name = "target-default"
    config_jsonschema = SETTINGS
    default_sink_class = Sink


if __name__ == "__main__":
    which = sys.argv.pop(1)
    (Tap if which == "tap" else Target).cli()

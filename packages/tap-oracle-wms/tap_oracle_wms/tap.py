"""The plugin: settings, discovery, the command line, how it ends.

Exit codes: 0 done; 1 fatal error; 78 configuration (someone must change something); 75 retriable error whose attempts are used up;
143 and 130 when it was told to stop by SIGTERM and SIGINT.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from oracle_connection.errors import ConfigurationError, DatabaseError, Recovery
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.run_record import RunRecord
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._util import load_json
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import _ConfigInput

from tap_oracle_wms import catalog, connector
from tap_oracle_wms.checks import FAILED, Check, Health, can_sync, check_connection, check_source, check_stream
from tap_oracle_wms.messages import MessageWriter
from tap_oracle_wms.select_rules import check_metadata, check_rules, column_names, named_streams
from tap_oracle_wms.settings import SETTINGS_SCHEMA, Entity, Settings, check_secrets, check_stream_maps
from tap_oracle_wms.source import Source
from tap_oracle_wms.staging import Staging
from tap_oracle_wms.streams import TableStream

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

EXIT_CODES = {Recovery.FATAL: 1, Recovery.RETRIABLE: 75, Recovery.CONFIGURATION: 78}
STOPPED_BY_SIGNAL = 128
MELTANOS_CATALOG = "tap.properties.json"
"""The name of the file to which Meltano has applied its rules; any other catalog is somebody's own."""

logger = logging.getLogger("tap-oracle-wms")


class TapOracleWms(Tap):
    """Singer tap for an Oracle WMS, or any Oracle schema: exact types, Arrow batches, late commits included, resumable full sync."""

    name = "tap-oracle-wms"
    dynamic_catalog = True
    message_writer_class = MessageWriter
    catalog_file: Path | None = None
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(SETTINGS_SCHEMA)  # the SDK adds its own settings to it in place
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *, config: dict[str, Any] | None = None, **kwargs: Any) -> None:
        given = {name: value for name, value in (config or {}).items() if value not in ("", None)}
        check_stream_maps(given)
        check_secrets(given)
        self._source: Source | None = None
        self._staging: Staging | None = None
        self.records_written = 0
        try:
            super().__init__(config=given, **kwargs)
        except ConfigValidationError as error:
            message = f"the settings are not valid: {'; '.join(error.errors)}"
            raise ConfigurationError(message) from error

    # --- what the settings make ----------------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return Settings.from_config(self.config)

    @cached_property
    def run_id(self) -> str:
        """Identifies this run; tap and target share it.

        Meltano's own run id comes by the environment: as a setting, which changes each run, it would spoil Meltano's cached catalog.
        """
        return str(self.config.get("run_id") or os.environ.get("MELTANO_RUN_ID") or uuid.uuid4())

    @cached_property
    def deadline(self) -> float | None:
        """When the run's time is used up, in monotonic seconds."""
        budget = self.settings.run_budget_seconds
        return time.monotonic() + budget if budget else None

    @property
    def source(self) -> Source:
        """The session on the source, shared by the streams, opened when first used."""
        if self._source is None:
            self._source = Source(
                ConnectionParameters.from_config(self.config),
                attempts=self.settings.retry_attempts,
                longest_pause_seconds=self.settings.retry_wait_seconds,
                run_id=self.run_id,
            )
        return self._source

    @property
    def staging(self) -> Staging:
        """This run's directory for Arrow files, made when first used."""
        if self._staging is None:
            self._staging = Staging.open(
                self.settings.staging_directory,
                f"{self.run_id}-{uuid.uuid4().hex[:8]}",
                quota_bytes=self.settings.staging_quota_bytes,
                wait_seconds=self.settings.staging_wait_seconds,
            )
        return self._staging

    @property
    def writer(self) -> MessageWriter:
        """The writer of messages."""
        writer = self.message_writer
        if not isinstance(writer, MessageWriter):
            message = "this tap needs its own message writer"
            raise TypeError(message)
        return writer

    def outdate_catalog(self) -> None:
        """Make Meltano discover again before its next run: the key that vouches for its cached catalog lies beside it."""
        if self.catalog_file is not None:
            self.catalog_file.with_suffix(".cache_key").unlink(missing_ok=True)

    def close(self) -> None:
        """Let messages, files and the session go."""
        if self._staging is not None:
            self._staging.close()
            self._staging = None
        if self._source is not None:
            self._source.close()

    # --- streams -------------------------------------------------------------------------------------------------------------

    def place_of(self, entity: Entity) -> tuple[str, str]:
        """Owner and table of an entity."""
        return catalog.place_of(entity, catalog.default_owner(self.settings, str(self.config["username"])))

    def discover_streams(self) -> Sequence[TableStream]:
        """The selected streams of a given catalog, without asking the database; else what the dictionary shows."""
        given = self.input_catalog
        if given is not None:
            return [TableStream.from_entry(self, entry) for entry in given.streams if entry.metadata.resolve_selection()[()]]
        return [TableStream.from_description(self, found) for found in self.describe_streams()]

    def describe_streams(self) -> list[catalog.StreamDescription]:
        """Streams of the entities in the settings, or of every table and view of the owner."""
        settings = self.settings
        if settings.entities:
            wanted = {stream: self.place_of(entity) for stream, entity in settings.entities.items()}
        else:
            owner = catalog.default_owner(settings, str(self.config["username"]))
            tables = connector.describe_tables(self.source, owner)
            if not tables:
                message = f"{owner} has no table or view that the user may read: check the setting schema and the grants"
                raise ConfigurationError(message)
            names = catalog.stream_names(tables)
            return [catalog.describe_stream(Entity(names[name], name), table) for name, table in tables.items()]
        owners = sorted({owner for owner, _ in wanted.values()})
        found = {
            owner: connector.describe_tables(self.source, owner, sorted({table for own, table in wanted.values() if own == owner}))
            for owner in owners
        }
        streams = []
        for stream, (owner, name) in wanted.items():
            table = found[owner].get(name)
            if table is None:
                message = f"setting entities.{stream}: {owner}.{name} does not exist or may not be read (ORA-00942)"
                raise ConfigurationError(message, code="ORA-00942")
            streams.append(catalog.describe_stream(settings.entities[stream], table))
        for each in streams:
            for column, why in each.unsupported.items():
                logger.warning("%s: column %s is left out: %s", each.name, column, why)
        return streams

    def check_selection(self) -> None:
        """Raise ConfigurationError when nothing would be read, or a setting names a stream that is not there."""
        names = set(self.input_catalog or self.streams)
        if self.input_catalog is not None:
            check_metadata(self.input_catalog)
            if self.catalog_file is None or self.catalog_file.name == MELTANOS_CATALOG:
                try:
                    check_rules(os.environ, column_names(self.input_catalog))
                except ConfigurationError:
                    self.outdate_catalog()  # it may be older than what the rule names: the next run discovers again
                    raise
        for setting in ("backfill", "stream_maps"):
            patterns = [name for name in self.config.get(setting) or {} if not name.startswith("__") and not set(name) & set("*?[")]
            for name in patterns:
                definition = (self.config[setting] or {}).get(name)
                origin = definition.get("__source__", name) if isinstance(definition, dict) else name
                if origin not in names:
                    message = f"setting {setting}: there is no stream {origin}; there are {', '.join(sorted(names)[:20])}"
                    raise ConfigurationError(message)
        if not any(stream.selected for stream in self.streams.values()):
            message = f"no stream is selected: check select; there are {', '.join(sorted(names)[:20])}"
            raise ConfigurationError(message)

    # --- the command line ----------------------------------------------------------------------------------------------------

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop, and say so with the exit code. The last STATE has left already: nothing after it is lost by ending here."""
        signal.signal(signum, signal.SIG_IGN)
        logger.warning("told to stop by %s", signal.Signals(signum).name)
        sys.exit(STOPPED_BY_SIGNAL + signum)

    @classmethod
    def invoke(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Sync: what the command does without another option. kwargs: `config`, and `state` and `catalog` as open files."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        config: _ConfigInput = kwargs.get("config") or _ConfigInput()
        state: IO[str] | None = kwargs.get("state")
        catalog: IO[str] | None = kwargs.get("catalog")
        tap: TapOracleWms | None = None
        try:
            tap = cls(
                config=config.config,
                state=None if state is None else load_json(state.read()),
                catalog=None if catalog is None else load_json(catalog.read()),
                parse_env_config=config.parse_env,
            )
            tap.catalog_file = None if catalog is None else Path(catalog.name)
            tap.check_selection()
            tap.sync_all()
            tap.writer.flush()
        except DatabaseError as error:
            logger.error("%s", error)
            if tap is None or not tap.records_written:
                cls._record_failure(tap, config, error)
            sys.exit(EXIT_CODES[error.recovery])
        finally:
            if tap is not None:
                tap.close()

    @classmethod
    def _record_failure(cls, tap: TapOracleWms | None, given: _ConfigInput, error: DatabaseError) -> None:
        """A run record for each stream that was meant, when a run ends before its first stream begins."""
        entities = given.config.get("entities")
        if tap is not None and tap.input_catalog is not None:
            names = [entry.tap_stream_id for entry in tap.input_catalog.streams if entry.metadata.resolve_selection()[()]]
        else:
            names = named_streams(os.environ) or list(entities if isinstance(entities, dict) else ())
        run_id = str(given.config.get("run_id") or os.environ.get("MELTANO_RUN_ID") or uuid.uuid4())
        for name in names or ["*"]:
            record = RunRecord(cls.name, cls.get_plugin_version(), run_id, name)
            record.fail(error)
            record.finish()
            record.append(given.config.get("run_record_dir") or None)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's options, and the two checks."""
        command = super().get_singer_command()
        command.params += [
            click.Option(
                ["--test-connection"], is_flag=True, expose_value=False, callback=cls._on_test_connection,
                help="Check connection, grants and entities, each on a line of its own; exit 0 only if a sync can run.",
            ),
            click.Option(
                ["--health-check"], is_flag=True, expose_value=False, callback=cls._on_health_check,
                help="Print one JSON object; exit 0 healthy, 1 degraded, 2 down.",
            ),
        ]  # fmt: skip
        return command

    @classmethod
    def _for_checks(cls, ctx: click.Context) -> TapOracleWms:
        given: _ConfigInput = ctx.params.get("config") or _ConfigInput()
        return cls(config={**given.config, "retry_attempts": 0}, parse_env_config=given.parse_env, setup_mapper=False)

    @classmethod
    def _on_test_connection(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """`--test-connection`."""
        if not value or ctx.resilient_parsing:
            return
        checks: list[Check] = []

        def tell(found: Iterable[Check]) -> bool:
            for check in found:
                checks.append(check)
                click.echo(str(check))
            return can_sync(checks)

        try:
            tap = cls._for_checks(ctx)
            with closing(tap):
                if tell(check_connection(tap.source)) and tell(check_source(tap.source)):
                    for found in tap.describe_streams():
                        tell(check_stream(tap.source, tap.settings, found))
        except DatabaseError as error:
            tell([Check(FAILED, "settings" if error.code is None else "source", str(error))])
        ctx.exit(0 if can_sync(checks) else 1)

    @classmethod
    def _on_health_check(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """`--health-check`."""
        if not value or ctx.resilient_parsing:
            return
        health = Health()
        try:
            tap = cls._for_checks(ctx)
            with closing(tap):
                health.connected(tap.source)
                try:
                    for found in tap.describe_streams():
                        health.look_at(tap.source, tap.settings, found)
                except DatabaseError as error:
                    health.degrade(error)
        except DatabaseError as error:
            health.error = str(error)
        click.echo(json.dumps(asdict(health)))
        ctx.exit(health.exit_code)

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """`--discover`, with errors that say what to do."""
        try:
            super().cb_discover(ctx, param, value)
        except DatabaseError as error:
            logger.error("%s", error)
            cls._record_failure(None, ctx.params.get("config") or _ConfigInput(), error)
            ctx.exit(EXIT_CODES[error.recovery])

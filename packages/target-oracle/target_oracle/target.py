"""target-oracle: the command, its settings, and the order in which messages take effect.

A STATE goes out when everything that arrived before it is committed: at once when nothing waits, else after the commit that ends the
wait (`states.py`). The SDK's base class would hold it back until the end of the input. An error that concerns one stream only stops
that stream: its further messages are passed over, its bookmark stays, and the exit code is 1 when the others are done.
"""

from __future__ import annotations

import copy
import logging
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import IO, TYPE_CHECKING, Any

import click
from oracle_connection.contract import ContractError, RunMetadata
from oracle_connection.errors import DatabaseError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.run_record import RunRecord
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.target_base import Target

from target_oracle.errors import StreamError, TargetError, TerminatedError
from target_oracle.messages import MessageReader
from target_oracle.run import Run
from target_oracle.settings import SETTINGS_SCHEMA, TargetSettings
from target_oracle.sinks import OracleSink
from target_oracle.states import StateQueue

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput

MAX_STATE_DELAY_SECONDS = 10.0
"""RECORDs that a STATE waits for are loaded after this time, even if they do not fill a batch."""

KNOWN_ERRORS = (TargetError, DatabaseError, ContractError, MissingKeyPropertiesError, RecordsWithoutSchemaException, InvalidInputLine)
"""Errors whose message says everything; others are defects and leave a traceback."""


class TargetOracle(Target):
    """Loads Singer streams into an Oracle database: each batch once, whole, and provably."""

    name = "target-oracle"
    config_jsonschema = copy.deepcopy(SETTINGS_SCHEMA)  # the SDK adds its own settings to it in place
    default_sink_class = OracleSink
    message_reader_class = MessageReader
    capabilities: list[CapabilitiesEnum] = [  # type: ignore[misc] # noqa: RUF012 - the SDK declares it so
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._max_parallelism = 1
        self._run: Run | None = None
        self._records: dict[str, RunRecord] = {}
        self._replication_keys: dict[str, str | None] = {}
        self._sinks_made: list[OracleSink] = []
        self._states = StateQueue(self.logger)
        self._origins: dict[str, str] = {}  # sink -> the tap's name of its stream
        self._stopped: dict[str, StreamError] = {}
        self._rows_since_state: set[str] = set()

    @property
    def parameters(self) -> ConnectionParameters:
        """How to reach the database. Raises ConfigurationError."""
        return ConnectionParameters.from_config(self.config)

    # --- what sinks ask for ---

    def run_of(self, tap_run: RunMetadata | None) -> Run:
        """The run, made for the first stream: its id is the setting's, else the tap's, else a new one."""
        if self._run is None:
            parameters = self.parameters
            settings = TargetSettings.from_config(self.config, parameters)
            run_id = settings.run_id or (tap_run.run_id if tap_run else None) or str(uuid.uuid4())
            self._run = Run(settings, parameters, run_id, self.logger)
        return self._run

    def run_record(self, stream: str, table: str, run: Run) -> RunRecord:
        """The stream's run record; one for all of its schemas."""
        if stream not in self._records:
            version = metadata.version(self.name)
            self._records[stream] = RunRecord(self.name, version, run.run_id, stream, table, str(run.settings.load_method))
        return self._records[stream]

    def replication_key(self, stream: str) -> str | None:
        """The stream's replication key, as its SCHEMA names it."""
        return self._replication_keys.get(stream)

    # --- messages ---

    @property
    def _sinks(self) -> list[OracleSink]:
        return [each for each in (*self._sinks_to_clear, *self._sinks_active.values()) if isinstance(each, OracleSink)]

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict.get("stream", "")
        keys = message_dict.get("bookmark_properties")
        self._replication_keys[stream] = keys[0] if keys else None
        self._flush_all()  # rows of the old schema, before the table changes
        with self._stopping_only(stream):
            super()._process_schema_message(message_dict)
            self._origins |= {each.stream_alias: stream for each in self.mapper.stream_maps[stream]}
            for sink in self._sinks:
                if self._origins.get(sink.stream_name) == stream:
                    sink.check_once()
        self._sinks_made += [each for each in self._sinks if each not in self._sinks_made]

    @contextmanager
    def _stopping_only(self, stream: str) -> Iterator[None]:
        """Work on one stream, by the tap's name: an error that concerns no other stops it, and the others go on."""
        try:
            yield
        except StreamError as error:
            self.logger.error("stream %s stops, others go on: %s", stream, error)
            self._stopped.setdefault(stream, error)
            self._states.stopped.add(stream)
            for name in {stream, *(each for each, origin in self._origins.items() if origin == stream)}:
                sink = self._sinks_active.pop(name, None)
                if isinstance(sink, OracleSink):
                    sink.abandon()
                if name in self._records:
                    self._records[name].fail(error)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        if stream not in self._stopped:
            with self._stopping_only(stream):
                self._take_record(stream, message_dict)
        if self._states and self._overdue():
            self._flush_all()

    def _take_record(self, stream: str, message_dict: dict[str, Any]) -> None:
        maps = self.mapper.stream_maps.get(stream)
        if maps is None:
            self._assert_sink_exists(stream)
            maps = []
        for stream_map in maps:
            record = message_dict["record"]
            plain = type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
            transformed = record if plain else stream_map.transform(dict(record))
            if transformed is None:
                continue
            sink = self._sink(stream_map.stream_alias)
            sink.add(transformed, message_dict, self.message_reader.line_bytes if isinstance(self.message_reader, MessageReader) else 0)
            self._rows_since_state.add(sink.stream_name)
            if sink.is_full:
                self._flush_all()

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        if stream in self._stopped:
            pass_over(message_dict["manifest"])
            return
        with self._stopping_only(stream):
            self._take_batch(stream, message_dict)
        if stream in self._stopped:
            pass_over(message_dict["manifest"])
        self._rows_since_state.add(stream)
        self._release()

    def _take_batch(self, stream: str, message_dict: dict[str, Any]) -> None:
        from singer_sdk.helpers._batch import BaseBatchFileEncoding

        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)
        for stream_map in self.mapper.stream_maps[stream]:
            if type(stream_map) is not SameRecordTransform or stream_map.flattening_enabled:
                text = (
                    f"stream {stream}: a BATCH file cannot pass through a stream map; let the tap send RECORDs, or put the map into the tap"
                )
                raise TargetError(text)
            encoding = BaseBatchFileEncoding.from_dict(message_dict["encoding"])
            self._sink(stream_map.stream_alias).process_batch_files(encoding, message_dict["manifest"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        if stream in self._stopped:
            return
        with self._stopping_only(stream):
            for stream_map in self.mapper.stream_maps[stream]:
                sink = self._sink(stream_map.stream_alias)
                if sink.process_activate_version_messages:
                    sink.activate_version(message_dict["version"])
        self._release()

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        self._rows_since_state.clear()
        self._states.add(message_dict["value"], self._pending())
        self._release()
        if self._states and self._overdue():
            self._flush_all()

    def _sink(self, name: str) -> OracleSink:
        self._assert_sink_exists(name)
        sink = self._sinks_active[name]
        if not isinstance(sink, OracleSink):
            text = f"stream {name} has a sink of another class"
            raise TypeError(text)
        return sink

    # --- STATE ---

    def _pending(self) -> set[str]:
        """What has arrived and is not committed yet."""
        return set().union(*(each.pending() for each in self._sinks))

    def _overdue(self) -> bool:
        now = time.monotonic()
        return any(each.current_size and now - each.buffered_since > MAX_STATE_DELAY_SECONDS for each in self._sinks)

    def _flush_all(self) -> None:
        """Load everything that waits, and let the STATEs through that waited for it."""
        for sink in self._sinks:
            with self._stopping_only(self._origins.get(sink.stream_name, sink.stream_name)):
                sink.drain()
        self._release()

    def _release(self) -> None:
        """Take up what has been committed meanwhile; let STATEs through."""
        for sink in self._sinks:
            with self._stopping_only(self._origins.get(sink.stream_name, sink.stream_name)):
                sink.advance()
        if self._states:
            self._states.release(self._pending())

    # --- the end ---

    def process_endofpipe(self) -> None:
        """The input has ended: load what waits, end complete reads, let the last STATE through, tidy up."""
        self._flush_all()
        for sink in self._sinks:
            with self._stopping_only(self._origins.get(sink.stream_name, sink.stream_name)):
                sink.finish(complete=sink.stream_name not in self._rows_since_state)
        self._release()
        self._purge_audit()
        self.close("success")
        for error in self._stopped.values():
            raise error

    def _purge_audit(self) -> None:
        """Delete old audit rows. All data are committed: a failure here is none of the run's."""
        run = self._run
        if run is not None and run.wrote and run.settings.audit_retention_days:
            try:
                run.control.purge_audit(run.settings.audit_retention_days)
            except DatabaseError as error:
                self.logger.warning("old rows of WMS_LOAD_AUDIT stay for now: %s", error)

    def close(self, status: str, error: BaseException | None = None) -> None:
        """Drop private tables, close connections, write the run records. Once."""
        for sink in self._sinks_made:
            if status != "interrupted" and (error is None or self._run is None or self._run.database.is_open):
                sink.clean_up()
        self._sinks_made = []
        if self._run is not None:
            self._run.close()
        for record in self._records.values():
            if error is not None and record.error is None:
                record.fail(error)
            record.finish("failed" if status == "success" and record.error is not None else status)
            self._log_metrics(record)
            record.append(self.config.get("run_record_dir") or None)
        self._records = {}

    def _log_metrics(self, record: RunRecord) -> None:
        """The run record's figures as SDK metrics."""
        from target_oracle.metrics import log_metrics

        log_metrics(record)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """A signal: stop here. What is not committed is not there; a next run takes it up. Never exit code 0."""
        del frame
        raise TerminatedError(signum)

    # --- the command ---

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
        test_connection: bool = False,
        health_check: bool = False,
    ) -> None:
        """Run the command. Ends the process with exit code 1 for a known error, 128 + n for signal n."""
        from singer_sdk.plugin_base import _ConfigInput

        if about:
            cls.print_about(about_format)
            sys.exit(0)
        config = config or _ConfigInput()
        target = cls(config=config.config, validate_config=True, parse_env_config=config.parse_env)
        if test_connection or health_check:
            from target_oracle import checks

            check = checks.test_connection if test_connection else checks.health_check
            sys.exit(check(target.config, sys.stdout))
        cls.print_version(print_fn=cls.logger.info)
        try:
            target.listen(file_input)
        except TerminatedError as error:
            target.close("interrupted", error)
            raise
        except KNOWN_ERRORS as error:
            target.close("failed", error)
            cls.logger.error("%s", error)
            sys.exit(1)
        except BaseException as error:
            target.close("failed", error)
            raise

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with the two checks."""
        command = super().get_singer_command()
        command.params.extend(
            [
                click.Option(["--test-connection"], is_flag=True, help="Check connection, privileges and space, one line each, and exit."),
                click.Option(["--health-check"], is_flag=True, help="Print one JSON object about the database's health and exit."),
            ]
        )
        return command


def pass_over(manifest: list[str]) -> None:
    """Remove the files of a stream that was stopped: its bookmark stays, so its next run brings the rows again."""
    from target_oracle.files import local_path, remove

    for url in manifest:
        remove(local_path(url))


logging.getLogger("target-oracle").addHandler(logging.NullHandler())

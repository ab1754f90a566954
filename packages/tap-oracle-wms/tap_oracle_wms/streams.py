"""A table or view as a Singer stream: which mode a run is in, what leaves before and after its rows, and the record of the run.

The SDK's own loops are not used: they serialise record by record, move the bookmark before rows have left, and read whole tables
under `--test`. Everything goes through `_sync_batches`, in BATCH and in RECORD form.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import singer_sdk.singerlib as singer
from oracle_connection.contract import ARROW_FORMAT, RUN_METADATA_KEY, Mode, RunMetadata
from oracle_connection.errors import ConfigurationError
from oracle_connection.run_record import RunRecord
from oracle_connection.types import OracleType, json_schema
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig, SDKBatchMessage, StorageTarget
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams import Stream

from tap_oracle_wms import connector, cost, full_sync, incremental
from tap_oracle_wms.bookmarks import DONE, RUNNING, Bookmark
from tap_oracle_wms.catalog import StreamDescription, column_types
from tap_oracle_wms.connector import VIEW, ColumnDescription, TableDescription
from tap_oracle_wms.drift import compare
from tap_oracle_wms.keys import ReplicationKey, check_key_type, default_is_clock
from tap_oracle_wms.outlets import ArrowOutlet, Outlet, RecordOutlet
from tap_oracle_wms.run import Label, StreamRun
from tap_oracle_wms.select_rules import selects
from tap_oracle_wms.selection import Selection, first_rows
from tap_oracle_wms.settings import check_zone

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_oracle_wms.tap import TapOracleWms

INCREMENTAL = "INCREMENTAL"


class TableStream(Stream):
    """A stream whose rows come from one table or view."""

    def __init__(self, tap: TapOracleWms, name: str, owner: str, table: str, *, is_view: bool, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema, name=name)
        self.tap = tap
        self.owner = owner
        self.table = table
        self.is_view = is_view
        self.description: StreamDescription | None = None
        self._run: StreamRun | None = None
        self._added: Mapping[str, ColumnDescription] = {}
        self._mode = Mode.INCREMENTAL
        self._generation: int | None = None

    @classmethod
    def from_description(cls, tap: TapOracleWms, found: StreamDescription) -> TableStream:
        """The stream of what discovery found."""
        table = found.table
        stream = cls(tap, found.name, table.owner, table.name, is_view=table.kind == VIEW, schema=found.schema)
        stream.description = found
        stream.primary_keys = found.key_properties
        stream.replication_key = found.replication_key
        stream.forced_replication_method = found.replication_method
        return stream

    @classmethod
    def from_entry(cls, tap: TapOracleWms, entry: singer.CatalogEntry) -> TableStream:
        """The stream of a catalog entry; the database is not asked."""
        entity = tap.settings.entities.get(entry.tap_stream_id)
        owner, table = entry.metadata.root.schema_name, entry.table
        if owner is None or table is None:
            if entity is None:
                message = f"the catalog does not say which table stream {entry.tap_stream_id} is: discover again with this tap"
                raise ConfigurationError(message)
            owner, table = tap.place_of(entity)
        return cls(tap, entry.tap_stream_id, owner, table, is_view=bool(entry.is_view), schema=entry.schema.to_dict())

    # --- what the catalog says ------------------------------------------------------------------------------------------------

    @property
    def metadata(self) -> singer.MetadataMapping:
        """Singer metadata: keys are always selected, columns that cannot be carried never."""
        if self._metadata is None and self.description is not None and self._tap_input_catalog is None:
            found = self.description
            mapping = singer.MetadataMapping.get_standard_metadata(
                schema=self.schema, schema_name=self.owner, key_properties=list(found.key_properties),
                replication_method=found.replication_method,
            )  # fmt: skip
            mapping.root.valid_replication_keys = list(found.valid_replication_keys)
            mapping.root.replication_key = found.replication_key
            mapping.root.selected = True
            if found.replication_key is not None:
                mapping["properties", found.replication_key].inclusion = singer.Metadata.InclusionType.AUTOMATIC
            for column in found.unsupported:
                mapping["properties", column] = singer.Metadata(inclusion=singer.Metadata.InclusionType.UNSUPPORTED)
            self._metadata = mapping
        return super().metadata

    @property
    def _singer_catalog_entry(self) -> singer.CatalogEntry:
        entry = super()._singer_catalog_entry
        entry.table = self.table
        entry.is_view = self.is_view
        if self.description is not None:
            entry.row_count = self.description.table.rows
        return entry

    def apply_catalog(self, catalog: singer.Catalog) -> None:
        """Take keys and methods from a catalog. Names may be written in other case. Raises ConfigurationError for unknown ones."""
        super().apply_catalog(catalog)
        if self.replication_method != INCREMENTAL:
            self.replication_key = None  # metadata for `*` names one for every stream, also for those that are read completely
        elif self.replication_key is not None:
            self.replication_key = self._column_named(self.replication_key, "replication-key")
        self.primary_keys = tuple(self._column_named(name, "key properties") for name in self.primary_keys)
        if self.replication_method == INCREMENTAL and self.replication_key is None and self.selected:
            message = f"stream {self.name}: INCREMENTAL needs a replication key (metadata replication-key, or entities.{self.name})"
            raise ConfigurationError(message)

    def _column_named(self, name: str, where: str) -> str:
        properties = self.effective_schema.get("properties", {})
        if name in properties:
            return name
        similar: list[str] = [each for each in properties if each.upper() == name.upper()]
        if len(similar) != 1:
            message = f"stream {self.name}: {where} names {name}, which {self.owner}.{self.table} does not have"
            raise ConfigurationError(message)
        return similar[0]

    # --- a run ----------------------------------------------------------------------------------------------------------------

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the clock of this machine says nothing about the source."""
        return

    @property
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send the message before the rows; it is sent after them."""
        return False

    def get_batch_config(self, config: Any) -> BatchConfig:
        """Always one, so that the SDK calls `_sync_batches`, whatever form the rows take."""
        return BatchConfig(encoding=self._encoding, storage=StorageTarget(root=str(self.tap.settings.staging_directory)))

    @property
    def _encoding(self) -> BaseBatchFileEncoding:
        return BaseBatchFileEncoding(format=ARROW_FORMAT, compression=self.tap.settings.compression)

    @property
    def changes_rows(self) -> bool:
        """True when a stream map is not the identity: then rows must pass through it one by one."""
        return [type(each) for each in self.stream_maps] != [SameRecordTransform] or self.stream_maps[0].stream_alias != self.name

    @property
    def uses_batches(self) -> bool:
        """True when rows leave as Arrow files."""
        return self.tap.settings.use_batches and not self.changes_rows and self.ABORT_AT_RECORD_COUNT is None

    def _write_schema_message(self) -> None:
        """Look at the source, decide the mode, and send SCHEMA with `x-wms-run`."""
        with self._recorded():
            self._run = self._begin()
            self.write_schema(self._mode, self._generation, redo=self._mode is Mode.FULL and self._bookmark.redo)

    def _sync_batches(self, batch_config: BatchConfig, context: Context | None = None) -> None:
        """Do what the mode says."""
        run = self._run
        if run is None:
            message = "the stream was not begun"
            raise ValueError(message)
        with self._recorded(ends=True), self.get_record_counter() as counter, self.get_sync_timer():
            self._counter = counter
            before = run.source.session_statistics()
            if self.ABORT_AT_RECORD_COUNT is not None:
                run.read(lambda: [first_rows(self.ABORT_AT_RECORD_COUNT or 1)], Label(self._mode))
                self.tap.state_writer.write_state(self.tap_state)
            elif self._mode is Mode.BACKFILL:
                incremental.backfill(run, self.tap.settings.backfill[self.name])
            elif self._mode is Mode.FULL_TABLE:
                full_sync.read_everything(run, self._generation or self.tap.initialized_at)
            elif self._mode is Mode.FULL:
                bookmark = full_sync.FullSyncRun(run, self._describe(), self.primary_keys).sync(
                    self._bookmark, self._generation or self.tap.initialized_at
                )
                if bookmark.status == DONE:
                    run.record.generation = bookmark.generation
            else:
                incremental.sync_changes(run, self._bookmark)
            self.tap.writer.flush()
            run.record.source_cost = cost.together(cost.between(before, run.source.session_statistics()), run.helpers_cost)
            run.record.retries = run.source.retries
            if run.record.status != "waiting":
                run.record.status = "success"

    def _begin(self) -> StreamRun:
        """The run: mode, bookmark, columns as they are now, the way out."""
        settings = self.tap.settings
        self._bookmark = Bookmark.from_state(self.stream_state, self.name, self.replication_key)
        self._decide_mode()
        self._record.mode = str(self._mode)
        source = self.tap.source
        source.set_action(f"{self.name} {self._mode}")
        entity = settings.entity(self.name, self.table)
        self._columns = self._live_columns()
        masks = {self._column_named(name, "mask"): mask for name, mask in entity.mask.items()}
        selection = Selection(
            self.owner, self.table, self._columns, {name: masks[name] for name in self._columns if name in masks}, settings.mask_salt
        )
        key = None
        if self.replication_key is not None and self.replication_method == INCREMENTAL:
            oracle = self._columns.get(self.replication_key)
            if oracle is None:
                message = f"stream {self.name}: the replication key {self.replication_key} is not in {self.owner}.{self.table} any more"
                raise ConfigurationError(message)
            check_key_type(self.name, self.replication_key, oracle)
            is_clock = default_is_clock(oracle) if entity.replication_key_is_clock is None else entity.replication_key_is_clock
            zone = entity.replication_key_time_zone or settings.time_zone
            key = ReplicationKey(self.replication_key, oracle, is_clock, check_zone("replication_key_time_zone", zone))
        return StreamRun(
            name=self.name, run_id=self.tap.run_id, config=self.tap.config, settings=settings, entity=entity, source=source,
            selection=selection, key=key, is_view=self.is_view, outlet=self._outlet(selection), announcer=self, record=self._record,
            deadline=self.tap.deadline,
        )  # fmt: skip

    def _decide_mode(self) -> None:
        """Which rows this run is about, from the settings, the method and the bookmark."""
        self._generation = None
        if self.name in self.tap.settings.backfill:
            self._mode = Mode.BACKFILL
        elif self.replication_method != INCREMENTAL:
            self._mode, self._generation = Mode.FULL_TABLE, self.tap.initialized_at
        elif self._bookmark.status == DONE:
            self._mode = Mode.INCREMENTAL
        else:
            running = self._bookmark.full_sync if self._bookmark.status == RUNNING else None
            self._mode = Mode.FULL
            self._generation = running.generation if running else self.tap.initialized_at

    def _live_columns(self) -> dict[str, OracleType]:
        """The selected columns with their types in the database now, which may have moved on since discovery.

        A column that is gone is left out, one that is new is read where it is selected; both are noted. Raises ConfigurationError
        (ORA-00942) when the table itself is not there or may not be read.
        """
        live = connector.describe_columns(self.tap.source, self.owner, self.table)
        if not live:
            message = (
                f"stream {self.name}: {self.owner}.{self.table} does not exist or may not be read (ORA-00942): check the settings schema"
                " and entities, the selection, and the grants"
            )
            raise ConfigurationError(message, code="ORA-00942")
        always = {*self.primary_keys, *([self.replication_key] if self.replication_key else [])}
        chosen = [name for name in self.effective_schema.get("properties", {}) if name in always or self.mask["properties", name]]
        masked = {name.upper() for name in self.tap.settings.entity(self.name, self.table).mask}
        declared = {name: oracle for name, oracle in column_types(self.schema).items() if name.upper() not in masked}
        drift = compare(live, chosen, declared, self._known_columns(), self._selects)
        if drift.has_new:
            self.tap.outdate_catalog()
        for change in drift.changes:
            self.logger.warning("%s: %s", self.name, change)
        self._record.schema_changes = list(drift.changes) or None
        if not drift.columns:
            message = f"stream {self.name}: none of the selected columns is in {self.owner}.{self.table}"
            raise ConfigurationError(message)
        if lost := [name for name in self.primary_keys if name not in drift.columns]:
            self.tap.outdate_catalog()
            message = (
                f"stream {self.name}: {self.owner}.{self.table} has no column {', '.join(lost)} any more, which was its key: discover again"
                f" (the next run does), or set entities.{self.name}.key_properties"
            )
            raise ConfigurationError(message)
        self._added = drift.added
        return dict(drift.columns)

    def _selects(self, column: str) -> bool:
        """True when a column that the catalog does not know is wanted. Stream maps know the catalog's columns only."""
        return not self.changes_rows and selects(os.environ, self.name, column)

    def _known_columns(self) -> set[str]:
        """Columns that the catalog knows, selected or not, carried or not."""
        known = set(self.effective_schema.get("properties", {}))
        return known | {breadcrumb[1] for breadcrumb in self.metadata if len(breadcrumb) == 2}

    def _describe(self) -> TableDescription:
        """The table as the dictionary has it now, for the plan of a full sync."""
        found = connector.describe_tables(self.tap.source, self.owner, [self.table])
        return found[self.table]

    def _outlet(self, selection: Selection) -> Outlet:
        if self.uses_batches:
            staging = self.tap.staging
            return ArrowOutlet(
                staging, selection.schema, self.tap.settings.compression, self._announce, f"{self._mode}-{uuid.uuid4().hex[:8]}-"
            )
        version = self._generation if self._mode is Mode.FULL_TABLE else None
        return RecordOutlet(self.tap.writer, self.name, selection.types, self._transform if self.changes_rows else None, version)

    def _transform(self, record: dict[str, Any]) -> Sequence[tuple[str, dict[str, Any]]]:
        mapped = ((each.stream_alias, each.transform(dict(record))) for each in self.stream_maps)
        return [(alias, value) for alias, value in mapped if value is not None]

    # --- messages -------------------------------------------------------------------------------------------------------------

    def write_schema(self, mode: Mode, generation: int | None, *, redo: bool = False) -> None:
        """SCHEMA with `x-wms-run` at its root."""
        self._generation = generation
        about = RunMetadata(self.tap.run_id, mode, generation, redo=redo).make()
        keys = [self.replication_key] if self.replication_key else None
        if self.changes_rows:
            for each in self.stream_maps:
                if not isinstance(each, RemoveRecordTransform):
                    schema = {**each.transformed_schema, RUN_METADATA_KEY: about}
                    self.tap.write_message(singer.SchemaMessage(each.stream_alias, schema, each.transformed_key_properties, keys))
            return
        run = self._run
        types = run.selection.types if run is not None else column_types(self.schema)
        properties = {name: self._property_schema(name, oracle) for name, oracle in types.items()}
        root = {name: value for name, value in self.effective_schema.items() if name != "properties"}
        schema = {**root, "properties": properties, RUN_METADATA_KEY: about}
        self.tap.write_message(singer.SchemaMessage(self.name, schema, list(self.primary_keys), keys))

    def _property_schema(self, name: str, oracle: OracleType) -> dict[str, Any]:
        """The catalog's schema of a column with its type as it is now."""
        if (new := self._added.get(name)) is not None:
            return json_schema(oracle, nullable=new.nullable, description=new.comment)
        declared = self.effective_schema["properties"][name]
        return json_schema(oracle, nullable="null" in declared.get("type", ()), description=declared.get("description"))

    def write_bookmark(self, bookmark: Bookmark) -> None:
        """STATE, now that everything before it has left."""
        self._bookmark = bookmark
        bookmark.write_to(self.stream_state)
        self.tap.state_writer.write_state(self.tap_state)

    def write_version(self, version: int) -> None:
        """ACTIVATE_VERSION, after every row of a complete read."""
        for each in self.stream_maps:
            if not isinstance(each, RemoveRecordTransform):
                self.tap.write_message(singer.ActivateVersionMessage(each.stream_alias, version))

    def count(self, rows: int) -> None:
        """Rows for the SDK's record_count metric, which would else be 0 in BATCH form."""
        self._counter.increment(rows)

    def _announce(self, path: Path, rows: int, size: int) -> None:
        self.tap.write_message(SDKBatchMessage(stream=self.name, encoding=self._encoding, manifest=[path.resolve().as_uri()]))

    # --- the run record -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _recorded(self, *, ends: bool = False) -> Iterator[None]:
        """Write the run record when the stream ends, whatever the outcome."""
        if not ends:
            self._record = RunRecord(
                "tap-oracle-wms", self.tap.plugin_version, self.tap.run_id, self.name, table=f"{self.owner}.{self.table}"
            )  # fmt: skip
            self._started = time.monotonic()
        try:
            yield
        except BaseException as error:
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                self._record.status = "interrupted"
            else:
                self._record.fail(error)
            self._end_record()
            raise
        if ends:
            self._end_record()

    def _end_record(self) -> None:
        self._record.retries = self.tap.source.retries
        self._record.finish()
        if self.ABORT_AT_RECORD_COUNT is None:  # `--test` is no run
            self._record.append(self.tap.settings.run_record_dir)
            self.tap.records_written += 1
        record = self._record
        self.logger.info(
            "%s: %s, %s: %d rows, %d bytes, %.1f s, bookmark %s", self.name, record.status, record.mode, record.rows, record.bytes,
            record.seconds, record.bookmark,
        )  # fmt: skip

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Not used: rows never pass through the SDK one by one."""
        return ()

"""One stream's way from messages to its table: RECORDs gather in a buffer, files go in one by one, and order is kept.

The sink decides what a message means for the table (a batch, a chunk of a complete load, the end of a complete read); how rows get
into the table is the business of `writer.py` and `full_load.py`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oracle_connection.contract import RUN_METADATA_KEY, Mode, RunMetadata, utc_text
from oracle_connection.errors import DatabaseError
from singer_sdk.exceptions import MissingKeyPropertiesError
from singer_sdk.sinks import Sink

from target_oracle.columns import table_model
from target_oracle.errors import TargetError
from target_oracle.naming import identifier
from target_oracle.records import InvalidRecordError, RecordBuffer, make_validator, to_table
from target_oracle.rejects import RejectedRowError, find_bad_rows, is_about_data, row_key
from target_oracle.settings import LoadMethod
from target_oracle.writer import TableWriter

if TYPE_CHECKING:
    from pathlib import Path

    from oracle_connection.contract import BatchMetadata
    from singer_sdk.helpers._batch import BaseBatchFileEncoding

    from target_oracle.batch import Batch
    from target_oracle.full_load import FullLoad
    from target_oracle.target import TargetOracle


class OracleSink(Sink):
    """Writes one stream."""

    def __init__(self, target: TargetOracle, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        run_metadata = schema.get(RUN_METADATA_KEY)
        self.tap_run = RunMetadata.parse(run_metadata) if run_metadata else None
        self.run = target.run_of(self.tap_run)
        settings = self.run.settings
        table = identifier(settings.table_prefix + stream_name)
        self.record_of_run = target.run_record(stream_name, f"{settings.schema}.{table}", self.run)
        model = table_model(
            stream_name,
            schema,
            list(self.key_properties),
            owner=settings.schema,
            table=table,
            metadata=settings.add_record_metadata,
            replication_key=None if self.tap_run else target.replication_key(stream_name),
        )
        self.writer = TableWriter(self.run, stream_name, model, self._method(settings.load_method), self.record_of_run)
        self.buffer = RecordBuffer(model)
        self.buffered_since = 0.0
        self.validate_record = make_validator(schema) if settings.validate_records else None
        self.full_load: FullLoad | None = None
        self.versions_seen: set[int] = set()
        self.version_pending: int | None = None
        self.rows_came = False
        self.highest_sequence: int | None = None
        self._unknown_properties: set[str] = set()
        self._chunks_made = 0

    def _method(self, method: LoadMethod) -> LoadMethod:
        """A stream without key can only be appended to or, by complete reads, replaced."""
        if method is not LoadMethod.UPSERT or self.key_properties:
            return method
        replaced = self.tap_run is not None and self.tap_run.mode is Mode.FULL_TABLE
        return LoadMethod.OVERWRITE if replaced else LoadMethod.APPEND

    @property
    def include_sdc_metadata_properties(self) -> bool:
        """The SDK is not to add its columns: the target's table model has its own."""
        return False

    def get_validator(self) -> None:
        """Validation is compiled; see `records.make_validator`."""
        return

    def check_once(self) -> None:
        """Raise ConfigurationError for a full sync of our tap that is done already and that nobody asked for again."""
        run = self.tap_run
        if run is not None and run.mode is Mode.FULL and run.generation is not None and not run.redo:
            from target_oracle.full_load import FullLoad

            load = FullLoad(self.writer, run.generation, once=True)
            self.writer.repeated(load.check, f"looking at the last full sync of {self.writer.table}")

    # --- RECORDs ---

    @property
    def current_size(self) -> int:
        return len(self.buffer)

    @property
    def is_full(self) -> bool:
        settings = self.run.settings
        return len(self.buffer) >= settings.batch_size_rows or self.buffer.size_bytes >= settings.batch_size_bytes

    def add(self, record: dict[str, Any], message: dict[str, Any], size_bytes: int) -> None:
        """Validate a record and keep it for the next batch."""
        if any(each not in record for each in self.key_properties):
            text = f"stream {self.stream_name}: a record lacks one of its key properties {list(self.key_properties)}; it has {list(record)}"
            raise MissingKeyPropertiesError(text)
        if self.validate_record is not None:
            try:
                self.validate_record(record)
            except InvalidRecordError as error:
                self._reject_early(record, error)
                return
        if not self.buffer.records:
            self.buffered_since = time.monotonic()
        version = message.get("version")
        if version is None and self.tap_run is not None and self.tap_run.mode is Mode.FULL_TABLE:
            version = self.tap_run.generation  # our tap names it once, in the schema
        if version is not None:
            self.versions_seen.add(version)
        self.rows_came = True
        try:
            self.buffer.add(record, message, version)
        except InvalidRecordError as error:
            self._reject_early(record, error)
            return
        self.buffer.size_bytes += size_bytes
        self.record_counter_metric.increment()

    def _reject_early(self, record: dict[str, Any], error: InvalidRecordError) -> None:
        """A record that never comes near the database."""
        self._reject([(record, None, str(error))])

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """The SDK's entry for one record; the target calls `add`, which also takes the message."""
        self.add(record, context, 0)

    def process_batch(self, context: dict[str, Any]) -> None:
        """The SDK's entry for draining."""
        self.flush()

    def flush(self) -> None:
        """Load the RECORDs that wait, as one batch."""
        if not self.buffer.records:
            return
        batch_id, records, messages, size_bytes = self.buffer.take()
        with self.batch_processing_timer:
            try:
                self._write(self._batch(batch_id, records, messages, size_bytes))
            except (DatabaseError, TargetError, ValueError) as error:
                if not is_about_data(error):
                    raise
                self._write_good_ones(batch_id, records, messages, size_bytes)

    def _batch(
        self,
        batch_id: str,
        records: list[dict[str, Any]],
        messages: list[tuple[str | None, int | None, int | None]],
        size_bytes: int,
    ) -> Batch:
        from target_oracle.batch import Batch, check_rows

        data = to_table(records, messages, self.writer.model)
        check_rows(data, self.writer.model)
        versions = {each[2] for each in messages} - {None}
        sequences = [each[1] for each in messages if each[1] is not None]
        self._see_sequence(max(sequences, default=None))
        version = max((each for each in versions if each is not None), default=None)
        return Batch(batch_id, data, len(records), size_bytes, utc_text(datetime.now(UTC)), None, version)

    def _see_sequence(self, sequence: int | None) -> None:
        if sequence is not None:
            self.highest_sequence = max(sequence, self.highest_sequence or 0)

    def _write_good_ones(
        self,
        batch_id: str,
        records: list[dict[str, Any]],
        messages: list[tuple[str | None, int | None, int | None]],
        size_bytes: int,
    ) -> None:
        """After a batch was refused because of a row: find the bad ones, put them aside if that is allowed, load the others."""

        def trial(positions: Sequence[int]) -> None:
            some = [records[each] for each in positions]
            self.writer.try_batch(self._batch(batch_id, some, [messages[each] for each in positions], 0))

        allowed = self.run.settings.max_rejected_rows - (self.record_of_run.rejected or 0)
        bad = find_bad_rows(range(len(records)), trial, limit=allowed)
        self._reject([(records[each.position], each.code, each.reason) for each in bad])
        positions = sorted(set(range(len(records))) - {each.position for each in bad})
        if positions:
            good = [records[each] for each in positions]
            self._write(self._batch(batch_id, good, [messages[each] for each in positions], size_bytes))

    def _reject(self, rows: list[tuple[dict[str, Any], str | None, str]]) -> None:
        """Put rows aside with the reason, if the setting allows that many; else stop with the first one's key and code."""
        if not rows:
            return
        settings = self.run.settings
        taken = (self.record_of_run.rejected or 0) + len(rows)
        if taken > settings.max_rejected_rows:
            record, code, reason = rows[0]
            message = f"stream {self.stream_name}: row {row_key(record, self.key_properties)} is refused ({code or 'invalid'}): {reason}"
            if settings.max_rejected_rows:
                message += f" (max_rejected_rows={settings.max_rejected_rows} is exceeded)"
            raise RejectedRowError(message)
        self.writer.put_aside([(row_key(record, self.key_properties), code, reason, record) for record, code, reason in rows])
        self.record_of_run.rejected = taken

    # --- batches, from wherever ---

    def _write(self, batch: Batch) -> None:
        """A batch by the load method. Changes are never a complete read, whatever the setting says."""
        if self.writer.method is LoadMethod.OVERWRITE and batch.mode not in {Mode.INCREMENTAL, Mode.BACKFILL}:
            self._write_beside(batch)
        else:
            self.writer.write(batch)

    def _write_beside(self, batch: Batch) -> None:
        """A batch of a complete read, as a chunk of its own."""
        load = self._full_load(batch.table_version or self.sync_started_at)
        batch.become_chunk(self.stream_name, self.run.run_id, load.generation, self._chunks_made)
        load.write(batch)
        self._chunks_made += 1

    def _full_load(self, generation: int) -> FullLoad:
        """The complete load of a generation; a new generation ends the one before."""
        from target_oracle.full_load import FullLoad

        if self.full_load is None or self.full_load.generation != generation:
            if self.full_load is not None:
                self.full_load.close()
            once = self.tap_run is not None and self.tap_run.mode is Mode.FULL and not self.tap_run.redo
            self.full_load = FullLoad(self.writer, generation, once)
            self._chunks_made = 0
        return self.full_load

    # --- files ---

    def process_batch_files(self, encoding: BaseBatchFileEncoding, files: Sequence[str]) -> None:
        """Load the files of a BATCH message, after the RECORDs that came before it; remove each once it is committed."""
        from target_oracle import files as batch_files

        format_ = str(getattr(encoding.format, "value", encoding.format))
        batch_files.check_encoding(format_, encoding.compression)
        self.flush()
        for url in files:
            path = batch_files.local_path(url)
            with self.batch_processing_timer:
                if format_ == batch_files.PARQUET_FORMAT:
                    for number, table in enumerate(batch_files.read_parquet(path)):
                        self._load_file(table, None, f"{path.name}/{number}", table.nbytes)
                elif self._hand_out(path):
                    continue  # a loading process has it; it is removed when it is loaded
                else:
                    size_bytes = path.stat().st_size if path.exists() else 0
                    table, metadata = batch_files.read_arrow(path)
                    self._load_file(table, metadata, path.name, size_bytes)
            batch_files.remove(path)

    def _hand_out(self, path: Path) -> bool:
        """Give a file of a full sync to a loading process, if the setting wants any. False: it is to be loaded here."""
        from target_oracle.batch import Batch
        from target_oracle.files import read_metadata

        if self.run.settings.parallel_loads == 1:
            return False
        metadata = read_metadata(path)
        if metadata is None or metadata.mode is not Mode.FULL or metadata.generation is None or metadata.full_sync is not None:
            return False
        batch = Batch.of_file(metadata, None, path.stat().st_size, self.writer.table)
        self._see_file(metadata)
        self.record_of_run.generation = metadata.generation
        self._full_load(metadata.generation).hand_out(path, batch)
        return True

    def _load_file(self, table: Any, metadata: BatchMetadata | None, name: str, size_bytes: int) -> None:
        """One table of rows, as what its metadata says it is."""
        from target_oracle.batch import MAX_BATCH_ID, Batch, fit

        data = fit(table, self.writer.model)
        if metadata is None:
            self.rows_came |= data.num_rows > 0
            self._write(
                Batch(f"file/{uuid.uuid4().hex}/{name}"[:MAX_BATCH_ID], data, data.num_rows, size_bytes, utc_text(datetime.now(UTC)))
            )
            self.record_counter_metric.increment(data.num_rows)
            return
        self._see_file(metadata)
        batch = Batch.of_file(metadata, data, size_bytes, self.writer.table)
        if metadata.mode is Mode.FULL:
            self._load_chunk(batch)
        else:
            if metadata.generation is not None:
                self.versions_seen.add(metadata.generation)
            if data.num_rows:
                self._write(batch)

    def _see_file(self, metadata: BatchMetadata) -> None:
        """What the stream and its run record learn from a file, whoever loads it."""
        self.rows_came |= metadata.rows > 0
        self._see_sequence(metadata.read_scn)
        self.record_of_run.mode = str(metadata.mode)
        self.record_counter_metric.increment(metadata.rows)

    def _load_chunk(self, batch: Batch) -> None:
        """A file of the once-only full sync."""
        metadata = batch.metadata
        if metadata is None or metadata.generation is None:
            message = f"stream {self.stream_name}: a file of the full sync names no generation"
            raise TargetError(message)
        load = self._full_load(metadata.generation)
        self.record_of_run.generation = metadata.generation
        if metadata.full_sync is None:
            load.write(batch)
            return
        end = metadata.full_sync
        load.finish(chunks=end.chunks, rows=end.rows, watermark=end.watermark)
        self.record_of_run.watermark = end.watermark
        self.record_of_run.chunks = {"total": end.chunks, "done": end.chunks, "repeated": load.repeated_chunks}

    # --- the end of a complete read ---

    def activate_version(self, new_version: int) -> None:
        """What a complete read has not brought is gone. Only after rows of that version: an early message is only remembered."""
        self.flush()
        if new_version in self.versions_seen:
            self._activate(new_version)
            self.version_pending = None
        else:
            self.version_pending = new_version

    def _activate(self, version: int) -> None:
        self.run.wrote = True
        if self.writer.method is LoadMethod.OVERWRITE:
            load = self._full_load(version)
            load.finish(chunks=self._chunks_made, rows=None, watermark=None)
        elif self.writer.keyed:
            self.writer.complete_read.activate(version, sequence=self.highest_sequence, run_id=self.run.run_id)
        else:
            self.logger.warning(
                "stream %s has no key: rows that are gone cannot be told from others; use load_method overwrite", self.stream_name
            )

    def finish(self, *, complete: bool) -> None:
        """The input has ended. complete: a STATE followed the stream's last row, so nothing was cut off."""
        self.flush()
        version = self.version_pending
        if version is not None and version not in self.versions_seen:
            self._activate_empty(version)
        elif complete and self._chunks_made and self.full_load is not None and not self.full_load.visible:
            self.full_load.finish(chunks=self._chunks_made, rows=None, watermark=None)

    def _activate_empty(self, version: int) -> None:
        """A complete read that brought no row: it empties the table if a setting says so, and is refused if there is anything."""
        if self.rows_came or (self.tap_run is None and not self.run.settings.allow_empty_overwrite):
            self.logger.warning(
                "stream %s: no row of version %s came with or before its ACTIVATE_VERSION: nothing is deleted", self.stream_name, version
            )
            return
        self._activate(version)

    # --- what STATE waits for ---

    def advance(self) -> None:
        """Take up what loading processes have finished, without waiting."""
        if self.full_load is not None:
            self.full_load.advance()

    def drain(self) -> None:
        """Load the RECORDs that wait, and wait for loading processes."""
        self.flush()
        if self.full_load is not None:
            self.full_load.advance(0)

    def pending(self) -> set[str]:
        """What has arrived and is not committed: a batch of RECORDs, chunks of which parts are still to come."""
        tokens = {f"{id(self)}/{self.buffer.batch_id}"} if self.buffer.records else set()
        if self.full_load is not None:
            tokens |= {f"{id(self)}/{self.full_load.generation}/{chunk}" for chunk in self.full_load.open_chunks}
        return tokens

    def abandon(self) -> None:
        """The stream was stopped: undo and forget what is not committed. It comes again with the next run."""
        self.run.undo()
        self.buffer.take()
        if self.full_load is not None:
            self.full_load.close()
            self.full_load = None

    def clean_up(self) -> None:
        """Drop private tables."""
        super().clean_up()
        if self.full_load is not None:
            self.full_load.close()
        self.writer.close()

"""Changes since the last bookmark, without losing a row that commits late; and ranges read again on purpose (backfill).

The order is the guarantee: first the database's time and the horizon, then the SELECT, then the bookmark from the horizon. A row
that was not yet visible to the SELECT is stamped at or after the horizon (see horizon.py), so the next run reads it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from oracle_connection.contract import Mode, Window
from oracle_connection.errors import ConfigurationError
from oracle_connection.key_text import KEY_KINDS
from oracle_connection.types import OracleType
from oracle_connection.values import from_json

from tap_oracle_wms import connector
from tap_oracle_wms.bookmarks import Bookmark, Overlap
from tap_oracle_wms.horizon import LOCKS, LOOKBACK, NONE, TRANSACTIONS, Horizon, observe
from tap_oracle_wms.keys import ReplicationKey, check_key_type
from tap_oracle_wms.run import Label, StreamRun
from tap_oracle_wms.selection import Where, key_range, rows_by_key
from tap_oracle_wms.settings import Backfill

BOUNDED = frozenset({LOCKS, TRANSACTIONS})
"""Modes in which the horizon itself, not the rows, says where the bookmark may stand."""

KEYS_PER_STATEMENT = 200

logger = logging.getLogger("tap-oracle-wms")


@dataclass(slots=True)
class KeyWatch:
    """What the key's values in the rows of a run tell.

    largest: the greatest seen. again: rows in the range of the last run's overlap; ahead: rows in this run's.
    """

    key: ReplicationKey
    again_range: tuple[str, str] | None = None
    ahead_range: tuple[str, str] | None = None
    largest: str | None = None
    again: int = 0
    ahead: int = 0

    def see(self, batch: pa.RecordBatch) -> None:
        """Look at a record batch."""
        column = batch.column(self.key.column)
        greatest = self.key.maximum(column)
        if greatest is not None:
            self.largest = later(self.key, self.largest, greatest)
        self.again += _count_between(column, self.key, self.again_range)
        self.ahead += _count_between(column, self.key, self.ahead_range)


def _count_between(column: pa.Array, key: ReplicationKey, limits: tuple[str, str] | None) -> int:
    """Rows with lower <= key < upper, for time keys; the text of the finest ones sorts as the times do."""
    if limits is None:
        return 0
    import pyarrow.compute as pc  # see keys.py

    lower, upper = from_json(limits, key.type)
    inside = pc.and_(pc.greater_equal(column, lower), pc.less(column, upper))
    return int(pc.sum(inside).as_py() or 0)


def later(key: ReplicationKey, one: str | None, other: str | None) -> str | None:
    """The greater of two key values in text form; None counts as smallest."""
    if one is None or other is None:
        return one or other
    return other if key.parse(other) > key.parse(one) else one


def look_at(run: StreamRun) -> Horizon:
    """The horizon of the stream's table now, by the mode that settings and grants allow; noted in the run record."""
    key = needed_key(run)
    if not key.is_clock:
        horizon = Horizon(NONE, run.source.clock(), None)
    else:
        owner, table = run.selection.owner, run.selection.table
        object_id = None if run.is_view else connector.storage(run.source, owner, table).object_id
        horizon = observe(
            run.source, owner=owner, table=table, object_id=object_id, wanted=run.settings.horizon,
            server_zone=run.settings.server_time_zone, warn_after_seconds=run.settings.horizon_warning_seconds,
        )  # fmt: skip
    run.record.horizon = horizon.to_record()
    logger.info("%s: horizon by %s: %s", run.name, horizon.mode, horizon.at or "bounded by the rows")
    return horizon


def safe_value(run: StreamRun, horizon: Horizon, largest: str | None) -> str | None:
    """From which key value on the next run must read; None when nothing bounds it yet.

    largest: the greatest key value of the rows, for the modes in which only that bounds it.
    """
    key = needed_key(run)
    if horizon.mode in BOUNDED and horizon.at is not None:
        skew = timedelta(seconds=run.settings.skew_seconds)
        return key.format(key.bookmark_at(horizon.at - skew, horizon.clock.server_offset))
    if largest is None:
        return None
    bound = key.parse(largest)
    if horizon.mode == LOOKBACK and horizon.at is not None:
        bound = min(bound, key.clock_reading(horizon.at, horizon.clock.server_offset))
    if horizon.mode == LOOKBACK:
        bound = key.round_down(bound) - key.unit
    return key.format(key.look_back(bound, lookback_seconds(run), run.entity.lookback_units))


def lookback_seconds(run: StreamRun) -> int:
    """The look-back of the stream in seconds."""
    own = run.entity.lookback_seconds
    return run.settings.lookback_seconds if own is None else own


def sync_changes(run: StreamRun, bookmark: Bookmark) -> Bookmark:
    """Read everything since the bookmark; returns the new one. STATE follows each slice of a long window."""
    key = needed_key(run)
    horizon = look_at(run)
    if horizon.mode == NONE:
        run.warn(
            f"{key.column} does not tell when a row was changed: late commits and changes of older rows are covered by the look-back"
            f" only ({run.entity.lookback_units} units, {lookback_seconds(run)} s)"
        )
    bounded = horizon.mode in BOUNDED
    goal = later(key, bookmark.value, safe_value(run, horizon, None)) if bounded else None
    now = key.format(key.clock_reading(horizon.clock.utc, horizon.clock.server_offset)) if key.is_clock else None
    before = bookmark.overlap
    watch = KeyWatch(
        key,
        again_range=(before.from_, before.to) if before else None,
        ahead_range=(goal, now) if goal is not None and now is not None else None,
        largest=bookmark.largest,
    )
    run.record.window = {"key": key.column, "from": bookmark.value, "to": None}
    for lower, upper in slices(run, bookmark.value, goal if bounded else now):
        _read_window(run, watch, lower, upper)
        reached = goal if bounded else safe_value(run, horizon, watch.largest)
        if upper is not None:
            reached = upper if bounded else earlier(key, upper, reached)
        overlap = Overlap(goal, now, watch.ahead) if upper is None and goal is not None and now is not None else None
        bookmark = bookmark.advanced(later(key, bookmark.value, reached), overlap, None if bounded else watch.largest)
        run.record.bookmark = bookmark.value
        run.announcer.write_bookmark(bookmark)
        if upper is not None and run.out_of_time:
            run.warn(f"the time of this run is used up; the next goes on from {bookmark.value}")
            run.record.window["to"] = upper
            run.record.status = "waiting"
            return bookmark
    if before is not None:
        run.record.late_rows = max(0, watch.again - before.rows)
    return bookmark


def _read_window(run: StreamRun, watch: KeyWatch, lower: str | None, upper: str | None) -> None:
    """Read one window; nothing leaves when it is empty."""
    counts = (watch.again, watch.ahead)

    def begin() -> None:
        watch.again, watch.ahead = counts  # another attempt counts the same rows

    run.read(
        lambda: [key_range(watch.key, lower, upper, not_null=True)],
        Label(Mode.INCREMENTAL, window=Window(watch.key.column, lower, upper)),
        see=watch.see,
        begin=begin,
        empty_too=False,
    )


def earlier(key: ReplicationKey, one: str, other: str | None) -> str | None:
    """The smaller of two key values in text form; None when the other is unknown."""
    if other is None:
        return None
    return other if key.parse(other) < key.parse(one) else one


def slices(run: StreamRun, lower: str | None, end: str | None) -> Iterator[tuple[str | None, str | None]]:
    """A window in pieces of `slice_seconds`, the last one open at its upper end. One piece for keys that are no clock."""
    key = needed_key(run)
    if key.is_clock and lower is not None and end is not None:
        step = timedelta(seconds=run.settings.slice_seconds)
        at, stop = key.parse(lower), key.parse(end)
        while stop - at > step:
            yield key.format(at), key.format(at + step)
            at += step
        lower = key.format(at)
    yield lower, None


def backfill(run: StreamRun, wanted: Backfill) -> None:
    """Read rows again, by a range of any column that can be a key or by a list of keys, without touching the bookmark."""
    if wanted.keys_file is not None:
        conditions = _listed_rows(run, wanted.keys_file)
        if conditions:
            run.read(lambda: conditions, Label(Mode.BACKFILL), empty_too=False)
        return
    name, oracle = _selected_column(run, wanted.column or "")
    check_key_type(run.name, name, oracle)
    key = ReplicationKey(name, oracle, is_clock=False)
    for text in (wanted.from_, wanted.to):
        try:
            if text is not None:
                key.parse(text)
        except (ValueError, ArithmeticError) as error:
            message = f"setting backfill.{run.name}: {text!r} is no value of {name} ({oracle})"
            raise ConfigurationError(message) from error
    run.record.window = Window(name, wanted.from_, wanted.to).to_json()
    run.read(
        lambda: [key_range(key, wanted.from_, wanted.to)],
        Label(Mode.BACKFILL, window=Window(name, wanted.from_, wanted.to)),
        empty_too=False,
    )


def _selected_column(run: StreamRun, column: str) -> tuple[str, OracleType]:
    """The exact name and the type of a selected column, whatever case it is written in. Raises ConfigurationError."""
    name = next((each for each in run.selection.columns if each.upper() == column.upper()), None)
    if name is None:
        message = f"setting backfill.{run.name}: there is no selected column {column}"
        raise ConfigurationError(message)
    return name, run.selection.columns[name]


def _listed_rows(run: StreamRun, path: str) -> list[Where]:
    """The rows of a keys_file as conditions, some hundred keys each. Raises ConfigurationError for a file that lists no keys."""
    try:
        given = json.loads(Path(path).read_text())
        columns = [_selected_column(run, str(name)) for name in given["columns"]]
        keys = [tuple(str(value) for value in key) for key in given["keys"]]
        if not columns or any(len(key) != len(columns) for key in keys):
            raise ValueError("each key needs one value for each column")
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"setting backfill.{run.name}.keys_file: {path} does not list keys as {{columns, keys}}: {error}"
        raise ConfigurationError(message) from error
    for name, oracle in columns:
        if oracle.kind not in KEY_KINDS:
            message = f"setting backfill.{run.name}.keys_file: {name} is {oracle}, which cannot be a key"
            raise ConfigurationError(message)
    return [rows_by_key(columns, keys[start : start + KEYS_PER_STATEMENT]) for start in range(0, len(keys), KEYS_PER_STATEMENT)]


def needed_key(run: StreamRun) -> ReplicationKey:
    """The stream's replication key. Raises ConfigurationError without one."""
    if run.key is None:
        message = f"stream {run.name}: INCREMENTAL needs a replication key; set entities.{run.name}.replication_key, or FULL_TABLE"
        raise ConfigurationError(message)
    return run.key

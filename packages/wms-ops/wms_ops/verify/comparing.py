"""Compares ranges of keys, splits what differs down to rows, and looks at each suspect once more before it becomes a finding.

Why live activity raises no false alarm: a finding needs three looks in this order: the bookmark, the target's row, the source's row. A row
whose source version lies below that bookmark was committed in the target before the bookmark was written, so the target's row, read
later, must be that very version. Rows at or above it are in flight and no finding, whatever they look like. The snapshots only make the
comparison cheap; the order alone makes it right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from oracle_connection.errors import ConfigurationError

from wms_ops.verify.entity import Entity
from wms_ops.verify.keys import Key, KeyRange
from wms_ops.verify.reading import RowState, Total, View, Watermark

LEAF_ROWS = 2000
"""Of a range of at most so many rows, the hashes of all rows are read; a larger one is cut."""
FAN_OUT = 16
SOURCE_TIME = "SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP), TO_CHAR(SYSTIMESTAMP,'TZH:TZM') FROM DUAL"


class Kind(StrEnum):
    """What is wrong with a row."""

    MISSING_IN_TARGET = "missing_in_target"
    MISSING_IN_SOURCE = "missing_in_source"
    DIFFERENT = "different"
    EXTRA_VERSION = "extra_version"


@dataclass(slots=True)
class Finding:
    """One row that is not right, seen twice. columns: those that differ. repaired: None when no repair was tried."""

    kind: Kind
    key: Key
    columns: tuple[str, ...] = ()
    scn: int | None = None
    repaired: bool | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        found = {"kind": str(self.kind), "key": list(self.key), "columns": list(self.columns)}
        return found | {"repaired": self.repaired, "note": self.note}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a comparison looks at: the bookmark, then the target, then the source. taken_at: the source's clock, naive UTC."""

    watermark: Watermark | None
    target: View
    source: View
    taken_at: datetime
    server_offset: str


@dataclass(slots=True)
class Outcome:
    """Of one range: rows on the source, and what is wrong. empty_source: the source has no row in it, so nothing of it is deleted."""

    keys: KeyRange
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    empty_source: bool = False

    @property
    def proven(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class Comparison:
    """bookmark: reads the entity's replication key value from Meltano's state, now; None when the sync promises every row at once."""

    entity: Entity
    bookmark: Callable[[], str | None]
    leaf_rows: int = LEAF_ROWS
    _flashback: dict[str, bool] = field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        """A new moment to compare as of: bookmark first, source last."""
        watermark = self.watermark()
        target = View(self.entity.target, self._scn("target"))
        source = View(self.entity.source, self._scn("source"), watermark)
        taken_at, offset = self.entity.source.database.query(SOURCE_TIME, doing="ask the source for its time")[0]
        return Snapshot(watermark, target, source, taken_at, offset)

    def watermark(self) -> Watermark | None:
        """The bookmark as it is now."""
        value = self.bookmark()
        if value is None:
            return None
        column, oracle = self.entity.stream.replication_key, self.entity.replication_type
        if column is None or oracle is None:
            message = f"{self.entity.stream.name}: the state has a bookmark, but the source has no column {column}"
            raise ConfigurationError(message)
        return Watermark(column, oracle, value)

    @property
    def flashback(self) -> dict[str, bool]:
        """Which sides could be read as of one SCN."""
        return dict(self._flashback)

    def _scn(self, name: str) -> int | None:
        """The SCN to read a side as of; None where a grant is missing: then each statement is consistent in itself only."""
        side = self.entity.source if name == "source" else self.entity.target
        if self._flashback.get(name) is False:
            return None
        scn = side.database.scn()
        if name not in self._flashback:
            self._flashback[name] = scn is not None and View(side, scn).can_flash_back()
        return scn if self._flashback[name] else None

    # --- ranges ---

    def compare(self, keys: KeyRange, snapshot: Snapshot) -> Outcome:
        """One range. What is equal costs one statement on each side."""
        target, source = snapshot.target.total(keys), snapshot.source.total(keys)
        outcome = Outcome(keys, source.rows)
        if target != source:
            outcome.empty_source = source.rows == 0 and not snapshot.source.in_flight(keys)
            suspects = self._suspects(keys, target, source, snapshot)
            outcome.findings = self.confirm(suspects)
        return outcome

    def _suspects(self, keys: KeyRange, target: Total, source: Total, snapshot: Snapshot) -> list[Key]:
        """Keys of a range that are not equal on both sides, or that cannot be told from such in the range's totals."""
        flying = snapshot.source.in_flight(keys)
        if flying:
            held = snapshot.target.hashes_of(flying)
            target = target.without(digest for digests in held.values() for digest in digests)
            if target == source:
                return []
        if max(target.rows, source.rows) <= self.leaf_rows:
            return self._suspect_rows(keys, set(flying), snapshot)
        larger = snapshot.target if target.rows >= source.rows else snapshot.source
        rows = max(target.rows, source.rows)
        limits = larger.limits(keys, max(math.ceil(rows / FAN_OUT), self.leaf_rows // 2))
        if not limits:  # one key many times, or rows that came and went in between
            return self._suspect_rows(keys, set(flying), snapshot)
        suspects: list[Key] = []
        totals = zip(snapshot.target.totals(keys, limits), snapshot.source.totals(keys, limits), strict=True)
        for piece, (there, here) in zip(keys.cut(limits), totals, strict=True):
            if there != here:
                suspects += self._suspects(piece, there, here, snapshot)
        return suspects

    def _suspect_rows(self, keys: KeyRange, flying: set[Key], snapshot: Snapshot) -> list[Key]:
        """Row by row."""
        target, source = snapshot.target.hashes(keys), snapshot.source.hashes(keys)
        return sorted(key for key in target.keys() | source.keys() if key not in flying and target.get(key) != source.get(key))

    # --- rows ---

    def confirm(self, suspects: Sequence[Key]) -> list[Finding]:
        """The suspects that are wrong now, too: bookmark, target, source, in this order (see the module)."""
        if not suspects:
            return []
        watermark = self.watermark()
        target = View(self.entity.target).states(suspects)
        scn = self.entity.source.database.scn()
        source = View(self.entity.source, None, watermark).states(suspects)
        findings = (self._judge(key, target.get(key, []), source.get(key, [])) for key in suspects)
        found = [each for each in findings if each is not None]
        for each in found:
            each.scn = scn
        return found

    def _judge(self, key: Key, target: list[RowState], source: list[RowState]) -> Finding | None:
        if not source:
            return Finding(Kind.MISSING_IN_SOURCE, key) if target else None
        row = source[0]
        if len(source) > 1:
            message = f"{self.entity.stream.name}: key {', '.join(key)} is there {len(source)} times in the source; it is no key"
            raise ConfigurationError(message)
        if len(target) > 1:
            return Finding(Kind.EXTRA_VERSION, key, note=f"{len(target)} rows in the target")
        if row.in_flight:
            return None
        if not target:
            return Finding(Kind.MISSING_IN_TARGET, key)
        if target[0].digest == row.digest:
            return None
        differing = zip(self.entity.columns, target[0].texts, row.texts, strict=True)
        return Finding(Kind.DIFFERENT, key, tuple(name for name, there, here in differing if there != here))

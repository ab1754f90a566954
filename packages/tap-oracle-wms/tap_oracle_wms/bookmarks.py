"""A stream's bookmark: what the next run must know, read from and written to the Singer state (docs/batch-contract.md, section 5)."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from oracle_connection.errors import ConfigurationError

from tap_oracle_wms.chunks import Ledger, Plan

RUNNING, DONE, REDO = "running", "done", "redo"


@dataclass(frozen=True, slots=True)
class FullSync:
    """A full sync that has begun: its generation, where the incremental will start, its plan and what is done of it.

    rows: of the finished chunks. redo: it repeats, on somebody's decision, one that was done.
    """

    generation: int
    watermark: str | None
    plan: Plan
    ledger: Ledger = field(default_factory=Ledger)
    rows: int = 0
    redo: bool = False

    def with_chunk(self, chunk: int, rows: int) -> FullSync:
        """With one more chunk done."""
        return replace(self, ledger=self.ledger.add(chunk), rows=self.rows + rows)

    @property
    def missing(self) -> list[int]:
        """The chunks that are still to be read."""
        return self.ledger.missing(self.plan.chunks)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many rows the last run saw between two key values that the next run reads again: more of them later means late commits."""

    from_: str
    to: str
    rows: int


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a stream stands.

    value: the replication key value the next run starts from; largest: the greatest one ever seen, where only that bounds it.
    status: None (nothing yet: the full sync begins), REDO (it begins once more), RUNNING or DONE.
    generation: of the full sync, also when it is done.
    """

    replication_key: str | None = None
    value: str | None = None
    status: str | None = None
    full_sync: FullSync | None = None
    generation: int | None = None
    watermark: str | None = None
    overlap: Overlap | None = None
    largest: str | None = None

    @classmethod
    def from_state(cls, state: Mapping[str, Any], stream: str, replication_key: str | None) -> Bookmark:
        """From the stream's part of the state. Raises ConfigurationError when it belongs to another replication key, or is broken.

        A state with a value but without the marker was written by other hands: the stream is incremental from that value on.
        """
        value = state.get("replication_key_value")
        key = state.get("replication_key")
        marker = state.get("full_sync") or {}
        if key is not None and replication_key is not None and key != replication_key:
            message = (
                f"stream {stream}: the state was written with the replication key {key}, the settings say {replication_key}."
                " Go back to the old key, or begin anew with a full refresh"
            )
            raise ConfigurationError(message)
        status = marker.get("status") or (DONE if value is not None else None)
        overlap = state.get("overlap")
        try:
            return cls(
                replication_key=replication_key,
                value=value,
                status=status,
                full_sync=_full_sync(marker) if status == RUNNING else None,
                generation=marker.get("generation"),
                watermark=marker.get("watermark"),
                overlap=Overlap(*overlap) if overlap else None,
                largest=state.get("largest_key"),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"stream {stream}: the state cannot be read ({error}); restore it, or begin anew with a full refresh"
            raise ConfigurationError(message) from error

    def write_to(self, state: MutableMapping[str, Any]) -> None:
        """Put this bookmark into the stream's part of the state, in place of what was there."""
        state.clear()
        state["replication_key"] = self.replication_key
        if self.status == DONE:
            state["replication_key_value"] = self.value
        full_sync = self.full_sync
        if full_sync is not None and self.status == RUNNING:
            state["full_sync"] = {
                "status": RUNNING,
                "redo": full_sync.redo,
                "generation": full_sync.generation,
                "watermark": full_sync.watermark,
                "rows": full_sync.rows,
                "plan": full_sync.plan.to_state(),
                "ledger": full_sync.ledger.to_state(),
            }
        elif self.status == DONE:
            state["full_sync"] = {
                "status": DONE, "redo": False, "generation": self.generation, "watermark": self.watermark, "rows": 0,
                "plan": [], "ledger": [],
            }  # fmt: skip
        state["overlap"] = [] if self.overlap is None else [self.overlap.from_, self.overlap.to, self.overlap.rows]
        if self.largest is not None:
            state["largest_key"] = self.largest

    @property
    def redo(self) -> bool:
        """Whether the full sync that is to be done, or under way, repeats one that was done."""
        return self.status == REDO or (self.full_sync is not None and self.full_sync.redo)

    def running(self, full_sync: FullSync) -> Bookmark:
        """In the middle of a full sync."""
        return replace(self, status=RUNNING, full_sync=full_sync, generation=full_sync.generation, watermark=full_sync.watermark)

    def done(self) -> Bookmark:
        """After a full sync: incremental from exactly the watermark."""
        if self.full_sync is None:
            message = "no full sync is running"
            raise ValueError(message)
        return replace(self, status=DONE, value=self.full_sync.watermark, full_sync=None)

    def advanced(self, value: str | None, overlap: Overlap | None = None, largest: str | None = None) -> Bookmark:
        """After a window of changes."""
        return replace(self, status=DONE, value=value, overlap=overlap, largest=largest or self.largest)


def _full_sync(marker: Mapping[str, Any]) -> FullSync:
    return FullSync(
        generation=int(marker["generation"]),
        watermark=marker.get("watermark"),
        plan=Plan.from_state(marker["plan"]),
        ledger=Ledger.from_state(marker["ledger"]),
        rows=int(marker.get("rows") or 0),
        redo=marker.get("redo") is True,
    )

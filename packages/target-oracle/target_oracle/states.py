"""STATE messages on their way out: each leaves when everything that came before it is committed, and never for more than that.

A stream that was stopped keeps the bookmark it had in the last STATE that went out, so that its next run begins there; as long as none
has gone out, its bookmark is not known here, and no STATE goes out at all (the next run repeats what the others did, which changes
nothing).
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

BOOKMARKS = "bookmarks"


@dataclass(slots=True)
class StateQueue:
    """The STATEs that wait. stopped: streams whose bookmarks may not move any more."""

    logger: logging.Logger
    stopped: set[str] = field(default_factory=set)
    _waiting: deque[tuple[dict[str, Any], Set[str]]] = field(default_factory=deque)
    _last: dict[str, Any] | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, state: dict[str, Any], pending: Set[str]) -> None:
        """A STATE has come. pending: what had arrived before it and is not committed yet."""
        self._waiting.append((state, pending))

    def release(self, pending: Set[str]) -> None:
        """Emit the latest STATE of which nothing before is uncommitted. pending: what is not committed now."""
        latest = None
        while self._waiting and not self._waiting[0][1] & pending:
            latest, _ = self._waiting.popleft()
        if latest is not None:
            self._emit(latest)

    def _emit(self, state: dict[str, Any]) -> None:
        if self.stopped:
            kept = self._held_back(state)
            if kept is None:
                self.logger.warning("no STATE goes out: the bookmarks of %s before this run are not known", ", ".join(sorted(self.stopped)))
                return
            state = kept
        self._last = state
        sys.stdout.write(json.dumps(state, default=_json_number) + "\n")
        sys.stdout.flush()

    def _held_back(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """The STATE with the stopped streams' bookmarks as they were in the last one; None when that cannot be said."""
        before = self._last.get(BOOKMARKS) if self._last is not None else None
        now = state.get(BOOKMARKS)
        if not isinstance(before, dict) or not isinstance(now, dict):
            return None
        others = {stream: each for stream, each in now.items() if stream not in self.stopped}
        return {**state, BOOKMARKS: {**others, **{stream: before[stream] for stream in self.stopped if stream in before}}}


def _json_number(value: Any) -> Any:
    """A Decimal of a STATE, as the number it was."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    text = f"{type(value).__name__} in a STATE"
    raise TypeError(text)

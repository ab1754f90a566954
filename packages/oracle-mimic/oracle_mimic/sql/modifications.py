"""How much was changed in each table since its statistics were gathered: what ALL_TAB_MODIFICATIONS shows.

Kept in memory only: a restart forgets it, as an Oracle forgets what it had not yet flushed. Rolled back rows count, as they do there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import Lock


@dataclass(slots=True)
class Changes:
    """Rows inserted, updated and deleted, the moment of the last change, and whether the table was truncated."""

    moment: datetime
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    truncated: bool = False


class Modifications:
    """The changes of every table, by object id."""

    def __init__(self) -> None:
        self._changes: dict[int, Changes] = {}
        self._lock = Lock()

    def count(
        self, object_id: int, moment: datetime, *, inserts: int = 0, updates: int = 0, deletes: int = 0, truncated: bool = False
    ) -> None:
        """Add the rows of one statement."""
        if not (inserts or updates or deletes or truncated):
            return
        with self._lock:
            found = self._changes.setdefault(object_id, Changes(moment))
            found.moment = moment
            found.inserts += inserts
            found.updates += updates
            found.deletes += deletes
            found.truncated |= truncated

    def forget(self, object_id: int) -> None:
        """Statistics were gathered."""
        with self._lock:
            self._changes.pop(object_id, None)

    def of(self, object_id: int) -> Changes | None:
        """The changes of a table, None when there were none."""
        return self._changes.get(object_id)

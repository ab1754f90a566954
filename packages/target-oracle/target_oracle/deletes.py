"""How many rows one run may delete, or mark deleted: a cap in percent, and never all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from target_oracle.errors import StreamError


class DeleteCapError(StreamError):
    """A run would delete more than its setting allows; nothing of that batch is done."""


@dataclass(slots=True)
class DeleteBudget:
    """The deletes of one run in one table. live_rows: of the table before the run's first delete; None until then."""

    table: str
    percent: int
    allow_all: bool
    live_rows: int | None = None
    used: int = 0

    def spend(self, count: int) -> None:
        """Take `count` deletes from the budget. Raises DeleteCapError, saying how many, of how many, and which setting."""
        if count == 0:
            return
        live = self.live_rows or 0
        total = self.used + count
        if total >= live and not self.allow_all:
            message = (
                f"{self.table}: this run would delete all {live} rows; nothing was deleted. If the source is really empty, set "
                "allow_empty_overwrite"
            )
            raise DeleteCapError(message)
        allowed = math.ceil(live * self.percent / 100)
        if total > allowed and not (self.allow_all and total >= live):
            message = (
                f"{self.table}: this run would delete {total} of {live} rows, more than delete_cap_percent={self.percent} allows "
                f"({allowed}); nothing of this batch was deleted. Look at the source first, then raise the cap for one run"
            )
            raise DeleteCapError(message)
        self.used = total

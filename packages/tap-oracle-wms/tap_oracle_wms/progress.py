"""How far the reading of a full sync is, told every few seconds: share, rows, rows per second, time left.

The lines have one form, `allocation: 42 % read, 1,234,567 rows, 53,210 rows/s, 2 min 5 s left`, which a person reads in a log and
`wms_ops.progress_bar` turns into a bar in a terminal. The target follows at most by what may be staged, and tells what it has loaded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

INTERVAL_SECONDS = 3.0
MOST_BEFORE_THE_END = 0.99
"""An estimate never says that all is done."""

logger = logging.getLogger("tap-oracle-wms")


@dataclass(slots=True)
class Progress:
    """What is done and what is under way.

    chunks: of the plan; done, rows: chunks finished and their rows, those of earlier runs included; reading: rows of chunks that are
    not finished; expected_rows: of the whole table by its statistics, None when it has none; clock: in seconds.
    """

    name: str
    chunks: int
    done: int = 0
    rows: int = 0
    expected_rows: int | None = None
    clock: Callable[[], float] = time.monotonic
    reading: int = 0
    _started: float = field(init=False)
    _told: float = field(init=False)
    _rows_before: int = field(init=False)
    _share_before: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self._told = self.clock()
        self._rows_before, self._share_before = self.rows, self.share

    def read(self, rows: int) -> None:
        """Rows of an unfinished chunk have come."""
        self.reading += rows
        self._tell_now_and_then()

    def chunk_done(self, rows: int) -> None:
        """A chunk is finished; its rows were counted as `read` before."""
        self.done += 1
        self.rows += rows
        self.reading = max(self.reading - rows, 0)
        self._tell_now_and_then()

    @property
    def share(self) -> float:
        """Between 0 and 1. A chunk that is under way counts by its rows, against those of the finished ones or of the statistics."""
        if self.done >= self.chunks:
            return 1.0
        if self.done and self.rows:
            rows_of_a_chunk = self.rows / self.done
        elif self.expected_rows:
            rows_of_a_chunk = self.expected_rows / self.chunks
        else:
            return self.done / self.chunks
        return min((self.done + self.reading / rows_of_a_chunk) / self.chunks, MOST_BEFORE_THE_END)

    def line(self) -> str:
        """What is told; without the time left where nothing tells it."""
        seconds = max(self.clock() - self._started, 0.001)
        rows, share = self.rows + self.reading, self.share
        gained = share - self._share_before
        said = f"{self.name}: {int(share * 100)} % read, {rows:,} rows, {(rows - self._rows_before) / seconds:,.0f} rows/s"
        return f"{said}, {duration(seconds / gained * (1 - share))} left" if gained > 0 and share < 1 else said

    def tell(self) -> None:
        """Now, whatever was told before."""
        self._told = self.clock()
        logger.info("%s", self.line())

    def _tell_now_and_then(self) -> None:
        if self.clock() - self._told >= INTERVAL_SECONDS:
            self.tell()


def duration(seconds: float) -> str:
    """`5 s`, `2 min 5 s`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

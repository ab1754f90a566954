"""An open query on the server: its rows, encoded ahead of the client's fetches.

Memory stays bounded: at most a few batches are encoded and not yet sent. The first batch is encoded where it is asked for; only for
large results does a thread of its own encode while the worker sends and the client decodes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping

import pyarrow as pa

from oracle_mimic.door import Rows
from oracle_mimic.types import Column
from oracle_mimic.wire.encode import EncodedRows, LocatorMaker, encode_rows
from oracle_mimic.wire.typecodes import LOB_KINDS

BATCH_ROWS = 16384  # rows encoded at once: large enough for numpy, small enough to start sending early
_BATCH_BYTES = 8 << 20  # a batch of long values is cut further
_LOCATOR_ROWS = 100  # with locators: no more LOBs are kept than the client is about to see
_SMALL = BATCH_ROWS // 2  # fewer rows are not worth a thread
_AHEAD = 3  # encoded batches that may wait


class OpenQuery:
    """Rows of one execution, handed out in the sizes that the client asks for.

    Args:
        rows: from the door.
        inline: the LOB columns that are sent as LONG instead of as locators, with the character set form the client expects.
        make_locator: keeps a LOB and gives its wire form.
    """

    def __init__(self, rows: Rows, inline: Mapping[int, int], make_locator: LocatorMaker) -> None:
        self.columns: tuple[Column, ...] = rows.columns
        self.sent = 0  # rows handed out so far
        self._rows = rows
        self._types = tuple(column.type for column in rows.columns)
        self._inline = inline
        self._make_locator = make_locator
        self._with_locators = any(type_.kind in LOB_KINDS and index not in inline for index, type_ in enumerate(self._types))
        self._encoded = self._encode()
        self._current: EncodedRows | None = None
        self._position = 0
        self._taken_rows = 0
        self._ahead: _EncodeAhead | None = None
        self.finished = False

    def _encode(self) -> Iterator[EncodedRows]:
        for batch in self._rows.batches:
            step = _LOCATOR_ROWS if self._with_locators else BATCH_ROWS
            if batch.nbytes > _BATCH_BYTES:
                step = max(1, min(step, batch.num_rows * _BATCH_BYTES // batch.nbytes))
            for start in range(0, batch.num_rows, step):
                part: pa.RecordBatch = batch.slice(start, step)
                yield encode_rows(part.columns, self._types, self._make_locator, self._inline)

    def _advance(self) -> EncodedRows | None:
        """The batch with the next row; None at the end. This is also the look-ahead that tells the last rows to be the last."""
        while self._current is None or self._position >= len(self._current):
            if self._ahead is None and self._taken_rows >= _SMALL and not self._with_locators:
                self._ahead = _EncodeAhead(self._encoded)
            following = self._ahead.take() if self._ahead else next(self._encoded, None)
            if following is None:
                self.finished = True
                return None
            self._taken_rows += len(following)
            self._current, self._position = following, 0
        return self._current

    def take(self, wanted: int) -> Iterator[memoryview]:
        """At most `wanted` rows as they go out, in parts of whole rows; `finished` is set with the last ones."""
        while wanted and (current := self._advance()) is not None:
            stop = min(self._position + wanted, len(current))
            part = current.part(self._position, stop)
            wanted -= stop - self._position
            self.sent += stop - self._position
            self._position = stop
            yield part
        if not self.finished:
            self._advance()

    def close(self) -> None:
        """Release what the query holds; harmless when called twice."""
        self.finished = True
        self._current = None
        if self._ahead is not None:
            self._ahead.stop()
        self._rows.close()


class _EncodeAhead:
    """Runs an iterator of encoded batches in a thread, a few batches ahead of the taker."""

    def __init__(self, source: Iterator[EncodedRows]) -> None:
        self._queue: queue.Queue[EncodedRows | BaseException | None] = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(source,), name="oracle-mimic-encode", daemon=True)
        self._thread.start()

    def _run(self, source: Iterator[EncodedRows]) -> None:
        last: BaseException | None = None
        try:
            for encoded in source:
                if not self._put(encoded):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that takes, whatever it is
            last = error
        self._put(last)

    def _put(self, item: EncodedRows | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def take(self) -> EncodedRows | None:
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def stop(self) -> None:
        """End the thread before the rows under it are closed."""
        self._stopped.set()
        while True:  # room for a producer that is waiting to put
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        self._thread.join(timeout=5)

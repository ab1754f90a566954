"""Several connections that read chunks of a full sync at the same time, each in a process (`chunk_worker.py`).

The parent hands out chunk numbers, announces the files, and keeps the ledger; messages and state stay in one hand.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle_connection.errors import ConfigurationError, DatabaseError, FatalError, Recovery, RetriableError

from tap_oracle_wms.bookmarks import FullSync
from tap_oracle_wms.chunk_worker import describe
from tap_oracle_wms.cost import together
from tap_oracle_wms.full_sync import FullSyncRun, StorageChangedError
from tap_oracle_wms.outlets import ArrowOutlet

COMMAND = [sys.executable, "-m", "tap_oracle_wms.chunk_worker"]
_ERRORS: dict[str, type[DatabaseError]] = {
    Recovery.CONFIGURATION: ConfigurationError,
    Recovery.RETRIABLE: RetriableError,
    Recovery.FATAL: FatalError,
}


@dataclass(slots=True)
class Workers:
    """The reading processes of one full sync."""

    sync: FullSyncRun
    full_sync: FullSync
    outlet: ArrowOutlet
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _answers: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = field(default_factory=queue.SimpleQueue)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Read every missing chunk; each number with its rows as it gets done, in no order.

        After the run's time is used up no chunk is begun, but those that were are finished. Raises what a worker failed with.
        """
        waiting = self.full_sync.missing
        waiting.reverse()
        run = self.sync.run
        try:
            for number in range(min(run.settings.parallelism, len(waiting))):
                self._start(number)
            open_chunks = sum(self._hand_out(number, waiting) for number in range(len(self._processes)))
            while open_chunks:
                number, answer = self._answers.get()
                if answer is None:
                    code = self._processes[number].wait()
                    message = f"a process that reads chunks ended with code {code}"
                    raise FatalError(message)
                if "file" in answer:
                    self.outlet.announce(Path(answer["file"]), answer["rows"], answer["bytes"])
                    run.sent(answer["rows"], answer["bytes"])
                    if run.on_rows is not None:
                        run.on_rows(answer["rows"])
                    continue
                self._check(answer)
                open_chunks -= 1
                self.sync.null_keys += answer["null_keys"]
                run.repeated += answer["repeated"]
                run.source.retries += answer["retries"]
                run.helpers_cost = together(run.helpers_cost, answer["cost"])
                yield answer["done"], answer["rows"]
                if not run.out_of_time:
                    open_chunks += self._hand_out(number, waiting)
        finally:
            self._stop()

    def _start(self, number: int) -> None:
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        self._processes.append(process)
        self._write(process, describe(self.sync, self.full_sync, self.outlet.staging, number))
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()

    def _listen(self, number: int, process: subprocess.Popen[str]) -> None:
        """Pass a worker's answers on; None when it has ended."""
        if process.stdout is not None:
            for line in process.stdout:
                self._answers.put((number, json.loads(line)))
        self._answers.put((number, None))

    def _hand_out(self, number: int, waiting: list[int]) -> int:
        """Give a worker its next chunk; 1 if there was one."""
        if not waiting:
            return 0
        self._write(self._processes[number], {"chunk": waiting.pop()})
        return 1

    @staticmethod
    def _write(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
        if process.stdin is not None:
            with suppress(BrokenPipeError):  # it has ended: its reader tells
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()

    @staticmethod
    def _check(answer: dict[str, Any]) -> None:
        if "storage_changed" in answer:
            raise StorageChangedError(answer["storage_changed"])
        if "failed" in answer:
            raise _ERRORS[answer["recovery"]](answer["failed"], code=answer["code"])

    def _stop(self) -> None:
        """End the workers, whatever they do: what they had not finished is read again."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()

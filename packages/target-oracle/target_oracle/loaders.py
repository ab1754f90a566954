"""Several connections that fill load tables at the same time, each in a process (`load_worker.py`).

The parent decides which file goes into which load table, commits, and lets STATE through; a worker only ever writes private tables.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle_connection.contract import ContractError
from oracle_connection.errors import ConfigurationError, DatabaseError, FatalError, Recovery, RetriableError

from target_oracle.columns import TableModel
from target_oracle.errors import DataError
from target_oracle.load_worker import describe
from target_oracle.run import Run

COMMAND = [sys.executable, "-m", "target_oracle.load_worker"]
FILES_A_WORKER = 2
"""One being loaded, one waiting, so that no worker idles while the parent commits."""
_DATABASE_ERRORS: dict[str, type[DatabaseError]] = {
    Recovery.CONFIGURATION: ConfigurationError,
    Recovery.RETRIABLE: RetriableError,
    Recovery.FATAL: FatalError,
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A part of a chunk that is in its load table. empties: mandatory columns for which rows have no value."""

    chunk: int
    part: int
    rows: int
    seconds: float
    empties: tuple[str, ...]
    retries: int


@dataclass(slots=True)
class Loaders:
    """The loading processes of one complete load. They start with the first file."""

    run: Run
    model: TableModel
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _listeners: list[threading.Thread] = field(default_factory=list)
    _waiting: list[int] = field(default_factory=list)
    _answers: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = field(default_factory=queue.SimpleQueue)

    @property
    def waiting(self) -> int:
        """Files that were handed out and are not filled in yet."""
        return sum(self._waiting)

    @property
    def capacity(self) -> int:
        """How many files may wait."""
        return self.run.settings.parallel_loads * FILES_A_WORKER

    def next_worker(self) -> int:
        """The number of the one with the least to do; all of them are started by the first call."""
        while len(self._processes) < self.run.settings.parallel_loads:
            self._start(len(self._processes))
        return min(range(len(self._waiting)), key=self._waiting.__getitem__)

    def hand_out(self, number: int, path: Path, table: str, *, chunk: int, part: int, empty: bool) -> None:
        """Let a worker add a file to a load table. empty: the table has been emptied, or is new."""
        self._write(number, {"path": str(path), "table": table, "chunk": chunk, "part": part, "empty": empty})
        self._waiting[number] += 1

    def next_filled(self, *, wait: bool) -> Filled | None:
        """The next part that is in its table; None when there is none yet and it is not to be waited for. Raises what a worker met."""
        try:
            number, answer = self._answers.get(block=wait)
        except queue.Empty:
            return None
        if answer is None:
            code = self._processes[number].wait()
            message = f"a process that loads rows ended with code {code}; what was not committed comes again"
            raise FatalError(message)
        self._waiting[number] -= 1
        if "failed" in answer:
            raise _error(answer)
        return Filled(answer["chunk"], answer["part"], answer["rows"], answer["seconds"], tuple(answer["nulls"]), answer["retries"])

    def _start(self, number: int) -> None:
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        self._processes.append(process)
        self._waiting.append(0)
        self._write(number, describe(self.run, self.model))
        listener = threading.Thread(target=self._listen, args=(number, process), daemon=True)
        listener.start()
        self._listeners.append(listener)

    def _listen(self, number: int, process: subprocess.Popen[str]) -> None:
        """Pass a worker's answers on; None when it has ended."""
        if process.stdout is not None:
            for line in process.stdout:
                self._answers.put((number, json.loads(line)))
        self._answers.put((number, None))

    def _write(self, number: int, message: dict[str, Any]) -> None:
        pipe = self._processes[number].stdin
        if pipe is not None:
            with suppress(BrokenPipeError):  # it has ended: its listener tells
                pipe.write(json.dumps(message) + "\n")
                pipe.flush()

    def stop(self) -> None:
        """End the workers, whatever they do: what they had not filled in is private and will be dropped."""
        processes, self._processes, self._waiting = self._processes, [], []
        for process in processes:
            process.kill()
        for listener in self._listeners:
            listener.join()  # each ends with its process's output
        for process in processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()


def _error(answer: dict[str, Any]) -> Exception:
    """A worker's error as the parent would have met it."""
    if answer["class"] in _DATABASE_ERRORS:
        return _DATABASE_ERRORS[answer["class"]](answer["failed"], code=answer["code"])
    return ContractError(answer["failed"]) if answer["class"] == ContractError.__name__ else DataError(answer["failed"])

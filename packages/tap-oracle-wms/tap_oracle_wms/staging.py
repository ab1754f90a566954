"""The directory in which Arrow files wait for the target: private, bounded, and swept when its run is dead.

A run's directory `<root>/<run>` belongs to one tap process, which holds a lock on `<root>/<run>.lock` beside it as long as it lives.
The target removes each file once its rows are committed, and the directory with the last one (docs/batch-contract.md, section 3).
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from oracle_connection.errors import ConfigurationError, FatalError

ABANDONED_AFTER_SECONDS = 3600
POLL_SECONDS = 0.02
IN_USE = ".in-use"
"""An empty file in the directory as long as its tap lives: without it the target, having taken the last file so far, would remove the
directory just as the next one is written."""
LONGEST_POLL_SECONDS = 0.5

logger = logging.getLogger("tap-oracle-wms")


@dataclass(slots=True)
class Staging:
    """The directory of one run, and how much may lie in it."""

    directory: Path
    quota_bytes: int
    wait_seconds: float
    _lock: int = -1

    @classmethod
    def open(cls, root: Path, name: str, *, quota_bytes: int, wait_seconds: float) -> Staging:
        """Sweep `root`, then make the run's directory (mode 0700) and take its lock. Raises ConfigurationError, naming the setting."""
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if root.stat().st_uid != os.getuid():
                message = f"setting staging_directory: {root} belongs to another user, who could read or change the rows in it"
                raise ConfigurationError(message)
            sweep(root)
            staging = cls(root / name, quota_bytes, wait_seconds)
            staging.directory.mkdir(mode=0o700)
            (staging.directory / IN_USE).touch()
            staging._lock = os.open(staging.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            os.write(staging._lock, str(os.getppid()).encode())
            fcntl.flock(staging._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = f"setting staging_directory: cannot use {root}: {error.strerror or error}"
            raise ConfigurationError(message) from error
        return staging

    @property
    def lock_path(self) -> Path:
        """The file whose lock says that the tap lives."""
        return self.directory.with_name(f"{self.directory.name}.lock")

    def waiting_bytes(self) -> int:
        """The size of the files that the target has not taken yet."""
        total = 0
        try:
            with os.scandir(self.directory) as entries:
                for entry in entries:
                    try:
                        total += entry.stat().st_size
                    except FileNotFoundError:
                        continue  # taken while we looked
        except FileNotFoundError:
            return 0
        return total

    def wait_for_room(self) -> float:
        """Return when less than the quota waits for the target; the seconds that took.

        Raises FatalError when nothing was taken for `wait_seconds`, or when nobody reads our messages any more.
        """
        started = since_progress = time.monotonic()
        waiting, pause = self.waiting_bytes(), POLL_SECONDS
        while waiting >= self.quota_bytes:
            if time.monotonic() - since_progress > self.wait_seconds:
                message = f"the target has taken no file for {self.wait_seconds:.0f} s while {waiting} bytes wait in {self.directory}"
                raise FatalError(message)
            check_reader()
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_SECONDS)
            now_waiting = self.waiting_bytes()
            if now_waiting < waiting:
                since_progress, pause = time.monotonic(), POLL_SECONDS
            waiting = now_waiting
        return time.monotonic() - started

    def close(self) -> None:
        """Give the directory over to the target: it is removed now when empty, else by the target with its last file."""
        (self.directory / IN_USE).unlink(missing_ok=True)
        try:
            self.directory.rmdir()
        except OSError:
            logger.debug("files still wait for the target in %s", self.directory)
        if self._lock >= 0:
            if not self.directory.exists():
                self.lock_path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


def check_reader() -> None:
    """Raise FatalError when the reader of our standard output is gone: nobody would ever take the files."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # captured by a test or closed: nothing to poll
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(event & select.POLLERR for _, event in poll.poll(0)):
        message = "the reader of the tap's output has ended"
        raise FatalError(message)


def sweep(root: Path, *, abandoned_after_seconds: float = ABANDONED_AFTER_SECONDS) -> list[Path]:
    """Remove the directories of dead runs below `root`; returns them.

    Dead: the tap's lock is free, and the process that started it is gone too (so that a target that still loads is left alone)
    or nothing has changed in the directory for `abandoned_after_seconds`.
    """
    removed: list[Path] = []
    for lock_path in root.glob("*.lock"):
        directory = lock_path.with_suffix("")
        try:
            descriptor = os.open(lock_path, os.O_RDWR)
        except OSError:
            continue  # someone else sweeps, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            parent = os.read(descriptor, 20).decode() or "0"
            if directory.exists():
                idle = time.time() - directory.stat().st_mtime
                if _is_alive(int(parent)) and idle < abandoned_after_seconds:
                    continue
                shutil.rmtree(directory, ignore_errors=True)
                removed.append(directory)
                logger.info("removed %s of a run that is dead", directory)
            lock_path.unlink(missing_ok=True)
        except BlockingIOError:
            continue  # its tap lives
        finally:
            os.close(descriptor)
    return removed


def _is_alive(pid: int) -> bool:
    if pid <= 1:
        return False  # adopted by init: whoever started it is gone
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

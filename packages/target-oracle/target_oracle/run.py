"""What all streams of one run share: settings, connections, control tables, and the rule by which failed work is repeated."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from oracle_connection.errors import RetriableError, Scope
from oracle_connection.parameters import ConnectionParameters

from target_oracle.control import ControlTables
from target_oracle.database import Database
from target_oracle.lease import Leases, TableInUseError
from target_oracle.loading import direct_path_possible
from target_oracle.settings import TargetSettings

_T = TypeVar("_T")
MAX_BACKOFF_SECONDS = 60.0


@dataclass(slots=True)
class Run:
    """One run of the target."""

    settings: TargetSettings
    parameters: ConnectionParameters
    run_id: str
    logger: logging.Logger
    process: str = field(default_factory=lambda: uuid.uuid4().hex)
    database: Database = field(init=False)
    control: ControlTables = field(init=False)
    leases: Leases = field(init=False)
    wrote: bool = False
    _direct_path: bool | None = None
    _ready: bool = False

    def __post_init__(self) -> None:
        self.database = Database(self.parameters, action=f"run {self.run_id}"[:60])
        self.control = ControlTables(self.database, self.settings.schema, self.process)
        self.leases = Leases(self.parameters, self.control, run_id=self.run_id, wait_seconds=self.settings.lease_wait_seconds)

    def open(self) -> None:
        """Make sure of the control tables, once."""
        if not self._ready:
            self.control.create()
            self._ready = True

    @property
    def direct_path(self) -> bool:
        """Whether rows may be loaded by direct path (asked once)."""
        if self._direct_path is None:
            self._direct_path = direct_path_possible(self.database)
        return self._direct_path

    def repeated(self, work: Callable[[], _T], doing: str, retried: Callable[[RetriableError], None]) -> _T:
        """Do work that may be repeated from its beginning; repeat it while it fails for a reason that passes.

        Before a repetition the open transaction is rolled back, or the connection, when it is lost, made anew. A table that another
        run holds is not waited for here: the lease has waited already.
        """
        for attempt in range(1, self.settings.retry_attempts + 1):
            try:
                return work()
            except TableInUseError:
                raise
            except RetriableError as error:
                if error.scope is Scope.CONNECTION:
                    self.database.close()
                if attempt == self.settings.retry_attempts:
                    raise
                retried(error)
                self.logger.warning("%s failed (attempt %d of %d), repeating: %s", doing, attempt, self.settings.retry_attempts, error)
                self._pause(attempt)
                self.undo()
        message = "retry_attempts is at least 1"
        raise AssertionError(message)

    def _pause(self, attempt: int) -> None:
        """Wait longer each time, never in step with others that failed at the same moment."""
        seconds = min(self.settings.retry_backoff_ms / 1000 * 2 ** (attempt - 1), MAX_BACKOFF_SECONDS)
        time.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    def undo(self) -> None:
        """Roll the open transaction back; without an answer, give the connection up, which does the same."""
        try:
            self.database.rollback()
        except RetriableError:
            self.database.close()

    def close(self) -> None:
        """Close all connections."""
        self.leases.close()
        self.database.close()

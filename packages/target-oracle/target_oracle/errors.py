"""What stops a stream without the database being at fault. Database errors are in `oracle_connection.errors`."""

from __future__ import annotations


class TargetError(Exception):
    """The target refuses to go on; the message says which stream or table, why, and what to do."""


class StreamError(TargetError):
    """One stream cannot go on; nothing is said about the others. It stops, they go on, and the run fails in the end."""


class DataError(TargetError):
    """A row or value that the target cannot take; the message names column and, where known, the row's key."""


class TerminatedError(SystemExit):
    """A signal asked the process to end. It is no success: the exit code is 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(128 + signal_number)
        self.signal_number = signal_number

    def __str__(self) -> str:
        return f"ended by signal {self.signal_number}; what was not committed comes again"

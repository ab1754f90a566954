"""Bad rows among RECORDs: found one by one, reported with key and ORA code, and, within a limit, put aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oracle_connection.errors import DatabaseError

from target_oracle.errors import DataError, TargetError

DATA_CODES = frozenset(
    [
        "ORA-00001",
        "ORA-01400",
        "ORA-01401",
        "ORA-01407",
        "ORA-01426",
        "ORA-01438",
        "ORA-01722",
        "ORA-01830",
        "ORA-01840",
        "ORA-01841",
        "ORA-01843",
        "ORA-01847",
        "ORA-01858",
        "ORA-01861",
        "ORA-01867",
        "ORA-01873",
        "ORA-02290",
        "ORA-02291",
        "ORA-06502",
        "ORA-12899",
        "ORA-20000",
        "DPY-8000",
        "DPY-8001",
        "DPY-4036",
    ]
)
"""Codes that are about a row, not about the database: another row may be fine."""


class RejectedRowError(TargetError):
    """A row cannot be loaded and may not be put aside."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that the table refuses, and why."""

    position: int
    code: str | None
    reason: str


def is_about_data(error: BaseException) -> bool:
    """Whether an error blames a row."""
    if isinstance(error, DatabaseError):
        return error.code in DATA_CODES
    return isinstance(error, (ValueError, DataError))


def find_bad_rows(positions: Sequence[int], trial: Callable[[Sequence[int]], None], *, limit: int) -> list[BadRow]:
    """The rows for which `trial` fails, by halving. trial: try to load these rows and undo it; it raises what the table says.

    Stops as soon as more than `limit` are found.
    """
    try:
        trial(positions)
    except (DatabaseError, TargetError, ValueError) as error:
        if not is_about_data(error):
            raise
        if len(positions) == 1:
            code = error.code if isinstance(error, DatabaseError) else None
            return [BadRow(positions[0], code, str(error))]
    else:
        return []
    middle = len(positions) // 2
    found = find_bad_rows(positions[:middle], trial, limit=limit)
    if len(found) <= limit:
        found += find_bad_rows(positions[middle:], trial, limit=limit - len(found))
    return found


def row_key(record: dict[str, Any], key: Sequence[str]) -> str:
    """A row's key for a message, or its first properties where the stream has no key."""
    names = list(key) or list(record)[:3]
    return ", ".join(f"{each}={record.get(each)!s}" for each in names)[:1000]

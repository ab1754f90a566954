"""The run record: what one component did to one stream in one run, as one JSON line (docs/run-record.schema.json)."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oracle_connection.contract import utc_text
from oracle_connection.errors import DatabaseError

RECORD_VERSION = 1
FILE_MODE = 0o600
STDERR_PREFIX = "RUN "


@dataclass(slots=True)
class RunRecord:
    """One run of one stream by one component. Filled while it works; `finish` and `append` close it.

    None means "does not apply or cannot be told"; a figure that was not measured is never 0.
    """

    component: str
    component_version: str
    run_id: str
    stream: str
    table: str | None = None
    mode: str | None = None
    status: str = "failed"
    started_at: str = field(default_factory=lambda: utc_text(datetime.now(UTC)))
    ended_at: str = ""
    seconds: float = 0.0
    rows: int = 0
    bytes: int = 0
    rows_per_second: float | None = None
    generation: int | None = None
    window: dict[str, Any] | None = None
    bookmark: str | None = None
    horizon: dict[str, Any] | None = None
    late_rows: int | None = None
    null_key_rows: int | None = None
    chunks: dict[str, int] | None = None
    retries: int | None = None
    source_cost: dict[str, int] | None = None
    inserted: int | None = None
    updated: int | None = None
    unchanged: int | None = None
    deleted: int | None = None
    rejected: int | None = None
    batches: int | None = None
    load_seconds: float | None = None
    merge_seconds: float | None = None
    watermark: str | None = None
    schema_changes: list[str] | None = None
    verify: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    version: int = RECORD_VERSION

    def fail(self, error: BaseException) -> None:
        """Note the exception that ended the run: its class and code when it came from the database."""
        recovery = str(error.recovery) if isinstance(error, DatabaseError) else "fatal"
        code = error.code if isinstance(error, DatabaseError) else None
        self.status = "failed"
        self.error = {"class": recovery, "code": code, "message": str(error) or type(error).__name__}

    def finish(self, status: str | None = None) -> None:
        """Set the end, the duration in seconds and the rate. `status` overrides the one noted so far."""
        if status is not None:
            self.status = status
        now = datetime.now(UTC)
        self.ended_at = utc_text(now)
        self.seconds = round(max((now - datetime.fromisoformat(self.started_at)).total_seconds(), 0.0), 3)
        self.rows_per_second = round(self.rows / self.seconds, 1) if self.seconds > 0 else None

    def line(self) -> str:
        """The JSON object on one line, without a line feed."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    def append(self, directory: str | Path | None) -> Path | None:
        """Write the line to the day's file in `directory` (made when missing, mode 0700), or to stderr without one.

        One write to a file opened with O_APPEND: lines of several processes never mix. Returns the file.
        """
        if directory is None:
            sys.stderr.write(f"{STDERR_PREFIX}{self.line()}\n")
            return None
        folder = Path(directory)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        day = self.ended_at[:10] or datetime.now(UTC).date().isoformat()
        path = folder / f"runs-{day}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
        try:
            os.write(descriptor, f"{self.line()}\n".encode())
        finally:
            os.close(descriptor)
        return path

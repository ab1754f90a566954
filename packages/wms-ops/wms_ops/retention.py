"""Throws away what runs leave behind: three a minute make 4,320 log directories and rows of `runs` a day, which Meltano keeps for ever.

Run records older than the days that are kept go too. States are never touched, and neither is anything of a run that is not ended.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wms_ops.project import Project
from wms_ops.system_database import SystemDatabase

KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was thrown away."""

    logs: int
    runs: int
    records: int

    def __str__(self) -> str:
        return f"removed {self.logs} run logs, {self.runs} rows of Meltano's runs, {self.records} files of run records"


def purge(project: Project, now: datetime, days: int = KEEP_DAYS) -> Purged:
    """Remove what ended more than `days` days before `now`. Raises SystemDatabaseError."""
    limit = now - timedelta(days=days)
    with SystemDatabase(project.database_uri, project.root) as database:
        runs = database.forget_runs(f"{project.environment}:", limit)
    return Purged(_purge_logs(project, limit), runs, _purge_records(project, limit))


def _purge_logs(project: Project, limit: datetime) -> int:
    """Directories of runs whose log was last written before `limit`; none when Meltano's logs are not the project's own."""
    if project.run_logs is None:
        return 0
    count = 0
    for log in project.run_logs.glob("*/*/elt.log"):
        if datetime.fromtimestamp(log.stat().st_mtime, UTC) < limit:
            shutil.rmtree(log.parent, ignore_errors=True)
            count += 1
    return count


def _purge_records(project: Project, limit: datetime) -> int:
    old = [path for path in project.records.glob("runs-*.jsonl") if path.stem.removeprefix("runs-") < f"{limit:%Y-%m-%d}"]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)

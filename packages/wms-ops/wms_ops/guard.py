"""The guard in front of each job: may this entity's full or incremental sync start now?

Starts in a few hundredths of a second, because it runs each minute: standard library only, until there is something to refuse.
It first frees runs of the entity that were killed, so that the job behind it is let in.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wms_ops.project import Project, ProjectError
from wms_ops.system_database import SystemDatabase, SystemDatabaseError

FULL = "require-full-open"
INCREMENTAL = "require-full-done"
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_LATER = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, it is only too early


@dataclass(frozen=True, slots=True)
class Decision:
    """status: `go`, `waiting` (too early), `running` (another run holds the entity) or `refused` (not without a person's decision)."""

    status: str
    message: str
    freed: int = 0

    @property
    def exit_code(self) -> int:
        return {"go": 0, "refused": EXIT_REFUSED}.get(self.status, EXIT_LATER)


def decide(project: Project, requirement: str, entity: str, now: datetime | None = None) -> Decision:
    """Ask Meltano's system database. Frees dead runs of the entity as a side effect. Raises SystemDatabaseError."""
    now = now or datetime.now(UTC)
    state_ids = [project.state_id(entity), project.plain_state_id]
    with SystemDatabase(project.database_uri, project.root) as database:
        freed = database.reap(state_ids, now)
        living = database.running(state_ids)
        states = [database.state(state_id) for state_id in state_ids]
    if freed:
        sweep_secrets(project, now)
    if living:
        run = living[0]
        message = f"{entity}: run {run.run_id} is at work since {run.started_at:%Y-%m-%d %H:%M:%S} UTC; this one does not start beside it."
        return Decision("running", message, len(freed))
    status, by_plain = (_full_sync(state, entity) for state in states)
    if requirement == INCREMENTAL:
        if status.get("status") == "done":
            return Decision("go", f"{entity}: the full sync is done.", len(freed))
        begun = "is not finished" if status.get("status") == "running" else "has not been done"
        return Decision("waiting", f"{entity}: waiting for the full sync, which {begun}: meltano run {entity}_full_sync", len(freed))
    if status.get("status") == "done" or by_plain.get("status") == "done":
        where = "" if status.get("status") == "done" else f" (by `meltano run {project.plain_state_id.split(':')[1].replace('-to-', ' ')}`)"
        message = f"{entity}: the full sync is done{where}; it runs only once. To do it again: meltano invoke wms-ops redo {entity}"
        return Decision("refused", message, len(freed))
    return Decision("go", f"{entity}: the full sync is open.", len(freed))


def _full_sync(state: dict[str, Any], entity: str) -> dict[str, Any]:
    marker = state.get("bookmarks", {}).get(entity, {}).get("full_sync")
    return marker if isinstance(marker, dict) else {}


def sweep_secrets(project: Project, now: datetime) -> list[str]:
    """Remove configuration files, which hold passwords, that killed runs left in `.meltano/run`; the names of those removed.

    A file that a living process has on its command line stays, and so does a very young one (its plugin may not have started yet).
    """
    import subprocess

    old = [path for path in project.run_directory.glob("*/*.config.json") if now.timestamp() - path.stat().st_mtime > 20]
    if not old:
        return []
    listing = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True).stdout  # noqa: S607 - POSIX
    dead = [path for path in old if path.name not in listing]
    for path in dead:
        path.unlink(missing_ok=True)
    return [path.name for path in dead]


def record(project: Project, entity: str, decision: Decision) -> None:
    """Write the outcome to the run records, because Meltano turns every block's exit code into 1."""
    from importlib.metadata import version

    from oracle_connection.run_record import RunRecord

    run = RunRecord("wms-ops", version("wms-ops"), project.run_id, entity, mode="guard")
    if decision.status == "refused":
        run.error = {"class": "configuration", "code": None, "message": decision.message}
    else:
        run.warnings.append(decision.message)
    run.finish("refused" if decision.status == "refused" else "waiting")
    run.append(project.records)


def main(arguments: list[str] | None = None) -> int:
    """`wms-ops-guard require-full-open|require-full-done ENTITY`; exit code 0 go, 1 refused, 2 wrong usage, 75 later."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 2 or arguments[0] not in {FULL, INCREMENTAL}:
        sys.stderr.write(f"usage: wms-ops-guard {FULL}|{INCREMENTAL} ENTITY\n")
        return EXIT_USAGE
    requirement, entity = arguments
    try:
        project = Project.from_environment()
        decision = decide(project, requirement, entity)
    except (ProjectError, SystemDatabaseError) as error:
        sys.stderr.write(f"wms-ops: {error}\n")
        return EXIT_REFUSED
    if decision.freed:
        sys.stderr.write(f"{entity}: freed {decision.freed} run(s) that had been killed.\n")
    if decision.exit_code:
        sys.stderr.write(f"{decision.message}\n")
        record(project, entity, decision)
    return decision.exit_code


if __name__ == "__main__":
    sys.exit(main())

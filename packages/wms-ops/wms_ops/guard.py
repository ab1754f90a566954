"""The guard in front of each job: may this entity's full or incremental sync, or the plain command, start now?

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
PLAIN = "require-no-second-full"
PLAIN_COMMAND = "meltano run tap-oracle-wms target-oracle"
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


def decide(project: Project, requirement: str, *entities: str, now: datetime | None = None) -> Decision:
    """Ask Meltano's system database whether `requirement` holds for the entities. Raises SystemDatabaseError.

    Side effects: dead runs are freed; a full sync that was done under the other of an entity's two states (the jobs' own, the plain
    command's) is adopted, so that whichever goes on, goes on incrementally.
    """
    now = now or datetime.now(UTC)
    plain, own = project.plain_state_id, {entity: project.state_id(entity) for entity in entities}
    with SystemDatabase(project.database_uri, project.root) as database:
        freed = database.reap([plain, *own.values()], now)
        living = database.running([plain, *own.values()])
        states = {state_id: database.state(state_id) for state_id in [plain, *own.values()]}
        if freed:
            sweep_secrets(project, now)
        if living:
            run = living[0]
            message = f"{', '.join(entities)}: run {run.run_id} ({run.state_id}) is at work since {run.started_at:%Y-%m-%d %H:%M:%S} UTC"
            return Decision("running", f"{message}; this one does not start beside it.", len(freed))
        adopted: dict[str, dict[str, Any]] = {}
        for entity, state_id in own.items():
            by_jobs, by_plain = _bookmark(states[state_id], entity), _bookmark(states[plain], entity)
            here, there = (by_plain, by_jobs) if requirement == PLAIN else (by_jobs, by_plain)
            decision = _judge(requirement, entity, _status(here), _status(there))
            if decision is not None:
                return Decision(*decision, len(freed))
            if _status(here) != "done" and _status(there) == "done":
                into = plain if requirement == PLAIN else state_id
                adopted.setdefault(into, states[into]).setdefault("bookmarks", {})[entity] = there
        if adopted:
            database.write_states(adopted)
    return Decision("go", f"{', '.join(entities)}: may start.", len(freed))


def _judge(requirement: str, entity: str, here: str, there: str) -> tuple[str, str] | None:
    """Why this entity may not start, as status and message; None when it may. `here`: the full sync under the state this run would use."""
    job = f"meltano run {entity}_full_sync"
    if requirement == INCREMENTAL:
        if "done" in {here, there}:
            return None
        begun = "is not finished" if "running" in {here, there} else "has not been done"
        return "waiting", f"{entity}: waiting for the full sync, which {begun}: {job}"
    if requirement == FULL and "done" in {here, there}:
        return "refused", f"{entity}: the full sync is done; it runs only once. To do it again: meltano invoke wms-ops redo {entity}"
    if here == "none" and there in {"running", "redo"}:
        other = job if requirement == PLAIN else PLAIN_COMMAND
        what = "was begun by another command and is not finished; go on with it" if there == "running" else "is to be done again"
        return "refused", f"{entity}: a full sync {what}: {other}"
    return None


def _bookmark(state: dict[str, Any], entity: str) -> dict[str, Any]:
    found = state.get("bookmarks", {}).get(entity)
    return found if isinstance(found, dict) else {}


def _status(bookmark: dict[str, Any]) -> str:
    """Of the full sync: `none`, `redo` (it is to be done again), `running` or `done`."""
    marker = bookmark.get("full_sync")
    return str(marker.get("status", "none")) if isinstance(marker, dict) else "none"


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
    """`wms-ops-guard REQUIREMENT ENTITY...`; exit code 0 go, 1 refused, 2 wrong usage, 75 later."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) < 2 or arguments[0] not in {FULL, INCREMENTAL, PLAIN}:
        sys.stderr.write(f"usage: wms-ops-guard {FULL}|{INCREMENTAL}|{PLAIN} ENTITY...\n")
        return EXIT_USAGE
    requirement, *entities = arguments
    try:
        project = Project.from_environment()
        if project.missing:
            message = f"{', '.join(project.missing)}: not set; fill it in in {project.env_file.name} (.env.example says what it means)"
            decision = Decision("refused", message)
        else:
            decision = decide(project, requirement, *entities)
    except (ProjectError, SystemDatabaseError) as error:
        sys.stderr.write(f"wms-ops: {error}\n")
        return EXIT_REFUSED
    if decision.freed:
        sys.stderr.write(f"{', '.join(entities)}: freed {decision.freed} run(s) that had been killed.\n")
    if decision.exit_code:
        sys.stderr.write(f"{decision.message}\n")
        for entity in entities:
            record(project, entity, decision)
    return decision.exit_code


if __name__ == "__main__":
    sys.exit(main())

"""What a person does with states: show them, save them to a file, put them back, and start an entity's full sync again (redo)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wms_ops.project import Project
from wms_ops.system_database import SystemDatabase


class StateError(Exception):
    """What was asked for cannot be done now; the message says why and what to do."""


def _open(project: Project) -> SystemDatabase:
    return SystemDatabase(project.database_uri, project.root)


def show(project: Project) -> list[str]:
    """One line per stream of this environment: its full sync, its bookmark, and the run at work on it, if any."""
    lines = []
    with _open(project) as database:
        states = database.states(f"{project.environment}:")
        running = {run.state_id: run for run in database.running(states)}
        for state_id, state in states.items():
            for stream, bookmark in sorted(state.get("bookmarks", {}).items()):
                marker = bookmark.get("full_sync") or {}
                status = {"done": "full sync done", "running": "full sync not finished", "redo": "full sync to be redone"}.get(
                    str(marker.get("status")), "no full sync"
                )
                key = bookmark.get("replication_key_value")
                at = f"incremental from {bookmark.get('replication_key')} {key}" if key else "no bookmark"
                busy = f", run {running[state_id].run_id} at work" if state_id in running else ""
                lines.append(f"{stream:<14} {status:<24} {at}{busy}   [{state_id}]")
    return lines or [f"no state in environment {project.environment}: no sync has run yet"]


def export(project: Project, path: Path) -> int:
    """Write all states of this environment to a JSON file that only the user can read; the number of states."""
    with _open(project) as database:
        states = database.states(f"{project.environment}:")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"environment": project.environment, "saved_at": datetime.now(UTC).isoformat(), "states": states}, indent=1))
    return len(states)


def restore(project: Project, path: Path) -> int:
    """Put back the states of a file that `export` wrote; states that it does not name stay. The number of states. Raises StateError."""
    try:
        saved = json.loads(path.read_text())
        environment, states = saved["environment"], saved["states"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} is not a file that `state export` wrote: {error}") from error
    if environment != project.environment:
        raise StateError(f"{path} holds states of environment {environment}; this is {project.environment}")
    _replace(project, states)
    return len(states)


def redo(project: Project, entity: str, reader: str | None) -> Path:
    """Let the entity's job do its full sync again, also when the states are lost; the file the old states were saved to.

    The mark it leaves in the state is what makes the target replace a full sync that it knows to be done. The rows in the target stay
    visible until the new full sync is complete. `reader`: whose state it is, behind `tap-oracle-wms--`.
    Raises StateError while a run is at work.
    """
    if reader is None:
        raise StateError(f"meltano.yml has no job {entity}_full_sync and no incremental reader of {entity}")
    saved = project.root / ".meltano" / "wms-ops" / f"states-{project.environment}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.json"
    export(project, saved)
    fresh: dict[str, dict[str, Any]] = {project.state_id(reader): {"bookmarks": {entity: {"full_sync": {"status": "redo"}}}}}
    with _open(project) as database:
        plain = database.state(project.plain_state_id)
    if entity in plain.get("bookmarks", {}):
        fresh[project.plain_state_id] = {"bookmarks": {name: value for name, value in plain["bookmarks"].items() if name != entity}}
    _replace(project, fresh)
    return saved


def _replace(project: Project, states: dict[str, dict[str, Any]]) -> None:
    with _open(project) as database:
        database.reap(states, datetime.now(UTC))
        for run in database.running(states):
            raise StateError(
                f"run {run.run_id} of {run.state_id} is at work since {run.started_at:%H:%M:%S} UTC; stop it or let it finish first"
            )
        database.write_states(states)

"""Runs jobs of meltano.yml as Meltano processes, and reads from it what is scheduled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wms_ops.guard import FULL, INCREMENTAL, decide
from wms_ops.project import Project

_GUARD = re.compile(r"wms-ops:(\w+)-(full-open|full-done)\b")
_REQUIREMENTS = {"full-open": FULL, "full-done": INCREMENTAL}


class MeltanoError(Exception):
    """Meltano could not tell its schedules; the message is its own."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule of meltano.yml: its cron expression (UTC) and the guard in front of its job, if it has one."""

    name: str
    job: str
    cron: str
    requirement: str | None
    entity: str | None


def meltano(project: Project) -> str:
    """The project's own Meltano (bin/meltano), or the one on PATH where the project has none."""
    own = project.root / "bin" / "meltano"
    return str(own) if own.exists() else "meltano"


def schedules(project: Project) -> list[Schedule]:
    """What meltano.yml schedules, as Meltano itself reads it. Raises MeltanoError."""
    command = [meltano(project), "--log-level", "error", "schedule", "list", "--format", "json"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeltanoError(f"meltano schedule list failed: {(done.stderr or done.stdout).strip()}")
    found = []
    for entry in json.loads(done.stdout)["schedules"]["job"]:
        guard = _GUARD.search(" ".join(entry["job"]["tasks"]))
        found.append(
            Schedule(
                entry["name"],
                entry["job"]["name"],
                entry["cron_interval"],
                _REQUIREMENTS[guard.group(2)] if guard else None,
                guard.group(1) if guard else None,
            )
        )
    return found


def start(
    project: Project, job: str, variables: Mapping[str, str] | None = None, output: int | None = None
) -> tuple[str, subprocess.Popen[str]]:
    """Start `meltano run JOB` in a session of its own, so that a signal to us is not one to it; its run id and the process.

    output: subprocess.PIPE to read what it says (both streams in one), None to let it say so itself.
    """
    run_id = str(uuid.uuid4())
    variables = {**(os.environ if variables is None else variables), "MELTANO_RUN_ID": run_id, "MELTANO_ENVIRONMENT": project.environment}
    process = subprocess.Popen(
        [meltano(project), "run", job],
        cwd=project.root,
        env=variables,
        start_new_session=True,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return run_id, process


def full_sync_remaining(project: Project, entities: list[str]) -> int:
    """Run the full sync of each entity for which it is open, one after the other; 0 when all of them ended well.

    What is done already is left alone and said so: this never does a full sync a second time.
    """
    failed = 0
    for entity in entities:
        decision = decide(project, FULL, entity)
        if decision.status == "go":
            _, process = start(project, f"{entity}_full_sync")
            failed += process.wait() != 0
        elif decision.status == "refused":
            sys.stderr.write(f"{entity}: the full sync is done already; left as it is.\n")
        else:
            sys.stderr.write(f"{decision.message}\n")
            failed += 1
    return 1 if failed else 0


def full_sync_reader(root: Path, entity: str) -> str | None:
    """Behind `tap-oracle-wms--`, the name of the reader that does the entity's full sync; None when meltano.yml has none.

    It is that of the job `<entity>_full_sync`; for master data, whose complete reads are no full sync, the incremental reader.
    """
    names = set(re.findall(r"^\s*-\s+name:\s+(\S+)\s*$", (root / "meltano.yml").read_text(), re.MULTILINE))
    if {f"{entity}_full_sync", f"tap-oracle-wms--{entity}"} <= names:
        return entity
    if f"tap-oracle-wms--{entity}_incremental" in names:
        return f"{entity}_incremental"
    return None

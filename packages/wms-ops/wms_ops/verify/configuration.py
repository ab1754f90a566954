"""What the configured plugins say: verify reads the settings of the tap and the target that the sync itself uses, from Meltano.

The catalog is the one of the entity's last run: what that run selected is what must have arrived.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oracle_connection.errors import ConfigurationError

from wms_ops.jobs import meltano
from wms_ops.project import TAP, TARGET, Project
from wms_ops.system_database import SystemDatabase

INCREMENTAL_SUFFIX = "_incremental"
SERVER_ZONE = "server"


class NotPromisedError(Exception):
    """No sync has promised any row yet, a full sync has begun again, or a verify is at work: nothing is wrong, it is only too early."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The tap whose state holds the entity's bookmark, and that state's id."""

    tap: str
    state_id: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of both plugins, as Meltano resolves them, and the catalog of the reader's last run."""

    reader: Reader
    tap: Mapping[str, Any]
    target: Mapping[str, Any]
    catalog: Mapping[str, Any]

    @classmethod
    def of(cls, project: Project, reader: Reader) -> Configuration:
        """Ask Meltano. Raises ConfigurationError with what Meltano said."""
        kept = project.run_directory / reader.tap / "tap.properties.json"
        wanted = [(reader.tap, "config"), (TARGET, "config"), *([] if kept.exists() else [(reader.tap, "catalog")])]
        with ThreadPoolExecutor(len(wanted)) as pool:
            tap, target, *catalog = pool.map(lambda each: _dump(project, *each), wanted)
        return cls(reader, tap, target, catalog[0] if catalog else json.loads(kept.read_text()))

    def zone(self, entity: str) -> tzinfo | None:
        """The zone of the clock that sets the replication key; None for the server's. Raises ConfigurationError."""
        own = ((self.tap.get("entities") or {}).get(entity) or {}).get("replication_key_time_zone")
        name = own or self.tap.get("time_zone") or "UTC"
        if name.upper() == "UTC":
            return UTC
        try:
            return None if name == SERVER_ZONE else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"setting time_zone: {name!r} is no time zone"
            raise ConfigurationError(message) from error

    def is_clock(self, entity: str) -> bool:
        """Whether the replication key tells when a row was changed, as far as the settings say."""
        own = ((self.tap.get("entities") or {}).get(entity) or {}).get("replication_key_is_clock")
        return own is not False


def _dump(project: Project, plugin: str, what: str) -> dict[str, Any]:
    command = [meltano(project), "--log-level", "error", "invoke", f"--dump={what}", plugin]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False, env=environment(project))
    try:
        value = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError as error:
        said = (done.stderr or done.stdout).strip().splitlines()
        message = f"Meltano does not tell the {what} of {plugin}: {said[-1] if said else f'exit code {done.returncode}'}"
        raise ConfigurationError(message) from error
    return dict(value)


def environment(project: Project, **more: str) -> dict[str, str]:
    """The variables to call Meltano with: the same environment and run id as this run."""
    own = project.variables_for_runs(os.environ)
    return {**own, "MELTANO_ENVIRONMENT": project.environment, "MELTANO_RUN_ID": project.run_id, **more}


def readers(project: Project, entity: str) -> list[Reader]:
    """The taps that may hold a bookmark of the entity: its own, the one that reads its changes, and the plain one."""
    names = (f"{TAP}--{entity}", f"{TAP}--{entity}{INCREMENTAL_SUFFIX}")
    own = [Reader(name, project.state_id(name.removeprefix(f"{TAP}--"))) for name in names]
    return [*own, Reader(TAP, project.plain_state_id)]


def find_reader(project: Project, entity: str) -> Reader:
    """The reader with a bookmark of the entity, the one that is furthest. Raises NotPromisedError."""
    held = []
    with SystemDatabase(project.database_uri, project.root) as database:
        for reader in readers(project, entity):
            bookmark = _bookmark(database, reader, entity)
            status = (bookmark.get("full_sync") or {}).get("status")
            if bookmark.get("replication_key_value") is not None and status in {None, "done"}:
                held.append((str(bookmark["replication_key_value"]), reader))
    if not held:
        message = f"{entity}: no sync has promised anything yet: environment {project.environment} has no bookmark of a finished full sync"
        raise NotPromisedError(message)
    return max(held, key=lambda each: each[0])[1]


def read_bookmark(project: Project, reader: Reader, entity: str) -> str:
    """The replication key value below which every row has arrived, now. Raises NotPromisedError when a full sync has begun again."""
    with SystemDatabase(project.database_uri, project.root) as database:
        bookmark = _bookmark(database, reader, entity)
    value, status = bookmark.get("replication_key_value"), (bookmark.get("full_sync") or {}).get("status")
    if value is None or status not in {None, "done"}:
        message = f"{entity}: the full sync has begun again; verify when it is done"
        raise NotPromisedError(message)
    return str(value)


def _bookmark(database: SystemDatabase, reader: Reader, entity: str) -> dict[str, Any]:
    found = database.state(reader.state_id).get("bookmarks", {}).get(entity)
    return found if isinstance(found, dict) else {}


def secret_file(path: Path, text: str) -> None:
    """Write a file that only the user can read; keys of rows may be personal data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)

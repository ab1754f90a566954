"""A process that reads chunks of a full sync on a connection of its own: `python -m tap_oracle_wms.chunk_worker`.

Threads gain nothing here: decoding rows is Python's work on one core. The parent (`workers.py`) sends one JSON line that says what the
stream is, then one line per chunk; the worker answers with a line per file, per finished chunk and per failure. It ends when the
parent's pipe does, so it never outlives a tap that was killed. Singer and its SDK are not loaded.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle_connection.contract import Mode
from oracle_connection.errors import DatabaseError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.run_record import RunRecord
from oracle_connection.types import parse_type

from tap_oracle_wms import cost
from tap_oracle_wms.bookmarks import Bookmark, FullSync
from tap_oracle_wms.chunks import Plan
from tap_oracle_wms.connector import ColumnDescription, TableDescription
from tap_oracle_wms.full_sync import FullSyncRun, StorageChangedError
from tap_oracle_wms.keys import ReplicationKey
from tap_oracle_wms.outlets import ArrowOutlet
from tap_oracle_wms.run import StreamRun
from tap_oracle_wms.selection import Selection
from tap_oracle_wms.settings import Settings
from tap_oracle_wms.source import Source
from tap_oracle_wms.staging import Staging

PARENT_IS_GONE = 3


@dataclass(frozen=True, slots=True)
class SilentAnnouncer:
    """A worker says nothing to the target: its parent does."""

    def write_schema(self, mode: Mode, generation: int | None, *, redo: bool = False) -> None:
        """Nothing."""

    def write_bookmark(self, bookmark: Bookmark) -> None:
        """Nothing."""

    def write_version(self, version: int) -> None:
        """Nothing."""

    def count(self, rows: int) -> None:
        """Nothing."""


SILENT = SilentAnnouncer()


def describe(sync: FullSyncRun, full_sync: FullSync, staging: Staging, number: int) -> dict[str, Any]:
    """What a worker must know, as JSON (the parent's side). Holds the password: it goes through a pipe, never onto a command line."""
    run, table = sync.run, sync.table
    return {
        "config": dict(run.config),
        "stream": run.name,
        "run_id": run.run_id,
        "selection": {
            "owner": run.selection.owner,
            "table": run.selection.table,
            "columns": {name: str(oracle) for name, oracle in run.selection.columns.items()},
            "masks": dict(run.selection.masks),
            "salt": run.selection.salt,
        },
        "key": run.key.column if run.key is not None else None,
        "table": {"kind": table.kind, "is_heap": table.is_heap, "row_movement": table.row_movement},
        "plan": full_sync.plan.to_state(),
        "generation": full_sync.generation,
        "directory": str(staging.directory),
        "number": number,
    }


def _make(job: Mapping[str, Any]) -> tuple[FullSyncRun, FullSync]:
    """The reverse of `describe`: a run that can read chunks."""
    config = job["config"]
    settings = Settings.from_config(config)
    given = job["selection"]
    columns = {name: parse_type(text) for name, text in given["columns"].items()}
    selection = Selection(given["owner"], given["table"], columns, given["masks"], given["salt"])
    source = Source(
        ConnectionParameters.from_config(config), attempts=settings.retry_attempts,
        longest_pause_seconds=settings.retry_wait_seconds, run_id=job["run_id"],
    )  # fmt: skip
    source.set_action(f"{job['stream']} full {job['number']}")
    staging = Staging(Path(job["directory"]), settings.staging_quota_bytes, settings.staging_wait_seconds)
    record = RunRecord("tap-oracle-wms", "", job["run_id"], job["stream"])

    prefix = f"full-{job['number']}-{os.getpid()}-"

    def announce(path: Path, rows: int, size: int) -> None:
        _say({"file": str(path), "rows": rows, "bytes": size})

    run = StreamRun(
        name=job["stream"], run_id=job["run_id"], config=config, settings=settings, entity=settings.entity(job["stream"], given["table"]),
        source=source, selection=selection,
        key=ReplicationKey(job["key"], columns[job["key"]], is_clock=True) if job["key"] is not None else None,
        is_view=False, outlet=ArrowOutlet(staging, selection.schema, settings.compression, announce, prefix),
        announcer=SILENT, record=record,
    )  # fmt: skip
    table = TableDescription(
        given["owner"], given["table"], **job["table"],
        columns=[ColumnDescription(name, oracle, nullable=True) for name, oracle in columns.items()],
    )  # fmt: skip
    return FullSyncRun(run, table), FullSync(job["generation"], None, Plan.from_state(job["plan"]))


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _listen(jobs: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Take the parent's lines; end the process at once when there will be no more."""
    for line in sys.stdin:
        jobs.put(json.loads(line))
    os._exit(PARENT_IS_GONE)


def main() -> None:
    """Read what the parent asks for until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told as well, and decides
    logging.basicConfig(level=os.environ.get("LOGLEVEL", "INFO").upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    sync, full_sync = _make(jobs.get())
    while True:
        chunk = jobs.get()["chunk"]
        sync.null_keys = sync.run.repeated = sync.run.source.retries = 0
        source = sync.run.source
        try:
            before = source.session_statistics()
            rows = sync.read_chunk(full_sync, chunk)
            spent = cost.between(before, source.session_statistics())
        except StorageChangedError as error:
            _say({"storage_changed": str(error)})
        except DatabaseError as error:
            _say({"failed": str(error), "recovery": str(error.recovery), "code": error.code})
        else:
            _say(
                {
                    "done": chunk,
                    "rows": rows,
                    "null_keys": sync.null_keys,
                    "repeated": sync.run.repeated,
                    "retries": source.retries,
                    "cost": spent,
                }
            )


if __name__ == "__main__":
    main()

"""Repairs through the configured tap and target, so that the audit, the cap on deletes and the one-writer lease hold as in any run.

Rows are read again by `meltano run TAP TARGET` with the tap's setting `backfill`, which leaves the bookmark alone. Deletes are RECORDs
with `_sdc_deleted_at`, given to `meltano invoke TARGET`.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oracle_connection.contract import RUN_METADATA_KEY, Mode, RunMetadata
from oracle_connection.types import TIMESTAMPS, ZONED, Kind, OracleType

from wms_ops.jobs import meltano
from wms_ops.project import TARGET, Project
from wms_ops.system_database import SystemDatabase
from wms_ops.verify.configuration import Configuration, environment, secret_file
from wms_ops.verify.keys import Key

WAIT_SECONDS = 300.0
POLL_SECONDS = 1.0
ARROW_DIGITS = 6
_ERROR = re.compile(r"(ORA-\d{5}|would delete|delete_cap_percent|already running|is being written)")


@dataclass(slots=True)
class MeltanoRepair:
    """types: of the key's columns in the source, by name. table_key: their names."""

    project: Project
    configuration: Configuration
    stream: str
    types: Mapping[str, OracleType]
    table_key: Sequence[str]

    def read_again(self, keys: Sequence[Key]) -> str | None:
        """Read these rows from the source and load them."""
        path = self.project.root / ".meltano" / "wms-ops" / f"verify-{self.project.run_id}.json"
        secret_file(path, json.dumps({"columns": list(self.table_key), "keys": [list(key) for key in keys]}))
        tap = self.configuration.reader.tap
        setting = f"{tap.upper().replace('-', '_')}_BACKFILL"
        variables = environment(self.project, **{setting: json.dumps({self.stream: {"keys_file": str(path)}})})
        try:
            self._wait_for_turn()
            command = [meltano(self.project), "run", tap, TARGET]
            return _reason(subprocess.run(command, cwd=self.project.root, env=variables, capture_output=True, text=True, check=False))
        finally:
            with suppress(FileNotFoundError):
                path.unlink()

    def delete(self, keys: Sequence[Key], scn: int | None) -> str | None:
        """Mark these rows as deleted, as of an SCN of the source; with the target's setting hard_delete, remove them."""
        variables = environment(self.project)
        command = [meltano(self.project), "invoke", TARGET]
        messages = "".join(f"{json.dumps(each)}\n" for each in self._messages(keys, scn))
        done = subprocess.run(command, cwd=self.project.root, env=variables, input=messages, capture_output=True, text=True, check=False)
        return _reason(done)

    def _messages(self, keys: Sequence[Key], scn: int | None) -> list[dict[str, Any]]:
        """SCHEMA and one RECORD for each key."""
        entry = next(each for each in self.configuration.catalog["streams"] if each["tap_stream_id"] == self.stream)
        run = RunMetadata(self.project.run_id, Mode.BACKFILL).make()
        schema = {**entry["schema"], RUN_METADATA_KEY: run}
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        messages: list[dict[str, Any]] = [
            {"type": "SCHEMA", "stream": self.stream, "schema": schema, "key_properties": list(self.table_key)}
        ]
        for key in keys:
            record = {name: _json_value(text, self.types[name]) for name, text in zip(self.table_key, key, strict=True)}
            message = {"type": "RECORD", "stream": self.stream, "record": {**record, "_sdc_deleted_at": now}, "time_extracted": now}
            messages.append(message if scn is None else {**message, "sequence": scn})
        return messages

    def _wait_for_turn(self) -> None:
        """Let a sync of the entity that is at work finish. If it takes too long, Meltano refuses the run, and that is the reason told."""
        deadline = time.monotonic() + WAIT_SECONDS
        state_ids = [self.configuration.reader.state_id]
        while time.monotonic() < deadline:
            with SystemDatabase(self.project.database_uri, self.project.root) as database:
                database.reap(state_ids, datetime.now(UTC))
                if not database.running(state_ids):
                    return
            time.sleep(POLL_SECONDS)  # the run is another process's; Meltano's database is all that tells of its end


def _json_value(text: str, oracle: OracleType) -> Any:
    """A key's text as the JSON value of a RECORD. Numbers stay text until the target: no digit is lost."""
    if oracle.kind in TIMESTAMPS and (oracle.scale or 0) <= ARROW_DIGITS:
        head, _, fraction = text.removesuffix("+00:00").partition(".")
        return f"{head}.{fraction[:ARROW_DIGITS]}" + ("+00:00" if oracle.kind in ZONED else "")
    if oracle.kind is Kind.NUMBER and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return text


def _reason(done: subprocess.CompletedProcess[str]) -> str | None:
    """Why a command failed, in one line; None when it did not."""
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    telling = [line for line in lines if _ERROR.search(line)] or lines
    return telling[-1][-500:] if telling else f"exit code {done.returncode}"

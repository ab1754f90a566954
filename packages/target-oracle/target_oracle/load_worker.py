"""A process that fills load tables on a connection of its own: `python -m target_oracle.load_worker`.

Encoding rows is Python's work on one core, so threads gain nothing here. The parent (`loaders.py`) sends one JSON line that says which
table the rows are for, then a line for each file; the answer is a line for each. It ends when the parent's pipe does, so it never
outlives a target that was killed; what it then leaves is a private table, which the next run's sweep drops. Singer and its SDK are not
loaded.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from oracle_connection.contract import ContractError
from oracle_connection.errors import DatabaseError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.types import parse_type

from target_oracle.batch import fit
from target_oracle.columns import Column, TableModel
from target_oracle.connector import Connector
from target_oracle.errors import TargetError
from target_oracle.files import read_arrow
from target_oracle.loading import LoadTable
from target_oracle.run import Run
from target_oracle.settings import TargetSettings

PARENT_IS_GONE = 3


def describe(run: Run, model: TableModel) -> dict[str, Any]:
    """What a worker must know, as JSON (the parent's side). Holds the password: it goes through a pipe, never onto a command line."""
    columns = [
        [each.name, str(each.type), each.source, each.nullable, str(each.travels) if each.travels else None] for each in model.columns
    ]
    return {
        "parameters": asdict(run.parameters),
        "settings": asdict(run.settings),
        "run_id": run.run_id,
        "table": {"schema": model.schema, "name": model.name, "columns": columns, "key": model.key, "metadata": model.metadata},
    }


def _model(table: Mapping[str, Any]) -> TableModel:
    """The reverse of `describe`'s `table`."""
    columns = tuple(
        Column(name, parse_type(type_), source, nullable, None, parse_type(travels) if travels else None)
        for name, type_, source, nullable, travels in table["columns"]
    )
    return TableModel(table["schema"], table["name"], columns, tuple(table["key"]), table["metadata"])


@dataclass(slots=True)
class Worker:
    """Fills load tables of one stream; the parent has created them."""

    run: Run
    model: TableModel
    tables: dict[str, LoadTable] = field(default_factory=dict)
    retries: int = 0

    @classmethod
    def from_description(cls, given: Mapping[str, Any]) -> Worker:
        """The reverse of `describe`."""
        parameters = ConnectionParameters.from_config(given["parameters"])
        settings = TargetSettings.from_config(given["settings"], parameters)
        run = Run(settings, parameters, given["run_id"], logging.getLogger("target-oracle"), process=uuid.uuid4().hex)
        return cls(run, _model(given["table"]))

    def fill(self, path: Path, table: str, *, empty: bool) -> dict[str, Any]:
        """Add a file's rows to a load table. empty: the parent has emptied it since this worker last filled it.

        Returns the rows, the seconds, and the mandatory columns for which rows have no value. Raises DatabaseError, TargetError,
        ContractError.
        """
        started = time.perf_counter()
        rows, _ = read_arrow(path)
        data = fit(rows, self.model)
        if empty or table not in self.tables:
            connector = Connector(self.run.database, self.run.control, self.run.logger.info)
            size = self.run.settings.batch_size_bytes
            self.tables[table] = LoadTable(connector, self.model, table, self.run.direct_path, size, created=True)
        load = self.tables[table]
        self.run.repeated(lambda: load.append(data), f"loading {path.name} into {table}", self._retried)
        empties = [each.name for each in self.model.columns if not each.nullable and data[each.name].null_count]
        return {"rows": data.num_rows, "seconds": time.perf_counter() - started, "nulls": empties}

    def _retried(self, error: DatabaseError) -> None:
        self.retries += 1

    def answer(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What became of one of the parent's lines."""
        self.retries = 0
        try:
            done = self.fill(Path(job["path"]), job["table"], empty=job["empty"])
        except DatabaseError as error:
            done = {"failed": str(error), "class": str(error.recovery), "code": error.code}
        except (TargetError, ContractError) as error:
            done = {"failed": str(error), "class": type(error).__name__}
        return {"chunk": job["chunk"], "part": job["part"], "retries": self.retries, **done}


def _listen(jobs: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Take the parent's lines; end the process at once when there will be no more."""
    for line in sys.stdin:
        jobs.put(json.loads(line))
    os._exit(PARENT_IS_GONE)


def main() -> None:
    """Do what the parent asks for until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told as well, and decides
    logging.basicConfig(level=os.environ.get("LOGLEVEL", "INFO").upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    worker = Worker.from_description(jobs.get())
    while True:
        sys.stdout.write(json.dumps(worker.answer(jobs.get())) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Runs dbt commands in one process: a list of arguments as JSON per line of standard input, an answer as JSON per line of standard output.

It runs on dbt's own environment (not the workspace's), through dbtRunner, which is what the dbt command itself calls.
"""

import json
import os
import sys

from dbt.cli.main import dbtRunner


def answer(arguments: list[str]) -> dict:
    """Whether dbt succeeded, what it raised, and the status of each node by its name."""
    outcome = dbtRunner().invoke(arguments)
    results = getattr(outcome.result, "results", None) or []
    nodes = {result.node.name: str(result.status) for result in results if getattr(result, "node", None)}
    return {"success": outcome.success, "exception": str(outcome.exception or ""), "nodes": nodes}


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what dbt prints goes where errors go
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers)

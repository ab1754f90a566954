"""dbt on the project as it is, in a process that stays: one import of dbt for many commands. Tests and the benchmark use it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TRANSFORM = ROOT / "transform"
DBT_PYTHON = ROOT / ".tools" / "dbt" / "bin" / "python"

# A line of JSON in: arguments of dbt. A line of JSON out: whether it succeeded, and the results by node.
_SERVE = """
import json, sys
from dbt.cli.main import dbtRunner
runner, answers = dbtRunner(), sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    outcome = runner.invoke(json.loads(line))
    results = getattr(outcome.result, "results", None) or []
    results = [each for each in results if hasattr(each, "node")]
    nodes = {each.node.name: [str(each.status), each.failures, each.message, each.execution_time] for each in results}
    for each in results:
        if each.node.name == "inline_query":
            nodes["inline_query"][2] = each.node.compiled_code
    print(json.dumps([outcome.success, nodes, str(outcome.exception or "")]), file=answers, flush=True)
"""


class DbtError(AssertionError):
    """A dbt command failed; what it said is in the message."""


class Dbt:
    """One environment: a database, a user, a directory for what dbt writes."""

    def __init__(self, home: Path, *, port: int, service: str, username: str, password: str, **variables: str) -> None:
        self.home = home
        self.variables = {
            "TARGET_ORACLE_HOST": "127.0.0.1",
            "TARGET_ORACLE_PORT": str(port),
            "TARGET_ORACLE_SERVICE_NAME": service,
            "TARGET_ORACLE_USERNAME": username,
            "TARGET_ORACLE_PASSWORD": password,
            "MELTANO_ENVIRONMENT": "dev",
            "DBT_DATABASE": "FREE",
            "DBT_TARGET_PATH": str(home / "target"),
            "DBT_LOG_PATH": str(home / "logs"),
            "DBT_PROJECT_DIR": str(TRANSFORM),
            "DBT_PROFILES_DIR": str(TRANSFORM / "profiles"),
            **variables,
        }
        self.said = home / "dbt.out"
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with self.said.open("a") as log:
            self._process = subprocess.Popen(
                [DBT_PYTHON, "-c", _SERVE],
                env={**own, **self.variables},
                cwd=TRANSFORM,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ask(self, *arguments: str) -> tuple[bool, dict[str, list[Any]], str]:
        """Run a command: whether it succeeded, {node: [status, failures, message, seconds]}, and the error that stopped it."""
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise DbtError(self.said.read_text()[-4000:])
        return tuple(json.loads(answer))

    def __call__(self, *arguments: str, **dbt_variables: str) -> dict[str, list[Any]]:
        """Run a command that must succeed; dbt_variables go to --vars. Its results by node."""
        given = ["--vars", json.dumps(dbt_variables)] if dbt_variables else []
        success, nodes, error = self.ask(*arguments, *given)
        if not success:
            failed = {name: result for name, result in nodes.items() if result[0] in {"error", "fail"}}
            raise DbtError(f"{arguments}: {error} {failed}")
        return nodes

    def sql(self, inline: str) -> str:
        """What a piece of jinja and SQL becomes, with this project's macros."""
        return str(self("compile", "--inline", inline)["inline_query"][2])

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

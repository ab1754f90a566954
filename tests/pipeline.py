"""A project of its own for each test: this repository's meltano.yml, its installed plugins, a mimic in its own process, its own states."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import oracledb
import yaml

from demo.grants import grant_views

ROOT = Path(__file__).parents[1]
PASSWORDS = {"WMS": "Wms_1234", "ANALYTICS": "Analytics_1234", "SYSTEM": "System_1234"}
RUN_SECONDS = 240


def until(condition: Callable[[], Any], seconds: float = 60.0, pause: float = 0.1) -> Any:
    """Poll what another process does; there is nothing of ours to wait on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause)
    raise AssertionError("did not happen in time")


class Mimic:
    """oracle-mimic in a process of its own, with its data in a file, so that it can be killed and started again on the same port."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self.service = ""
        self.start()
        with oracledb.connect(
            user="SYSTEM", password=PASSWORDS["SYSTEM"], host="127.0.0.1", port=self.port, service_name=self.service
        ) as dba:
            grant_views(dba, "WMS")

    def start(self) -> None:
        secrets = {f"ORACLE_MIMIC_PASSWORD_{name}": password for name, password in PASSWORDS.items()}
        command = [sys.executable, "-m", "oracle_mimic", "--port", str(self.port), "--database", str(self.home / "mimic.duckdb")]
        self.log = (self.home / "mimic.log").open("a")
        self.process = subprocess.Popen(
            [*command, "--user", "WMS", "--user", "ANALYTICS", "--dba", "SYSTEM"],
            env={**os.environ, **secrets},
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        line = self.process.stdout.readline()
        assert "ready on" in line, (self.home / "mimic.log").read_text()
        address, _, self.service = line.split()[-1].rstrip(",").partition("/")
        self.port = int(address.rpartition(":")[2])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()


class Pipeline:
    """The product as a user meets it, in a directory of its own."""

    def __init__(self, home: Path, mimic: Mimic) -> None:
        self.home, self.mimic = home, mimic
        self.started: list[subprocess.Popen[str]] = []
        self.root = home / "project"
        (self.root / "bin").mkdir(parents=True)
        (self.root / ".meltano").mkdir(mode=0o700)
        shutil.copy(ROOT / "meltano.yml", self.root)
        shutil.copy(ROOT / "bin" / "meltano", self.root / "bin")
        (self.root / ".tools").symlink_to(ROOT / ".tools")
        for kind in ("extractors", "loaders", "utilities"):
            (self.root / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
        self.ledger = home / "ledger.db"
        self.write_env(".env", self.connection())
        own = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONUNBUFFERED"}
        self.variables = {name: value for name, value in os.environ.items() if name in own}

    def connection(self) -> dict[str, str]:
        """The variables of both databases."""
        found = {}
        for prefix, user in (("WMS", "WMS"), ("TARGET", "ANALYTICS")):
            found |= {
                f"{prefix}_ORACLE_HOST": "127.0.0.1",
                f"{prefix}_ORACLE_PORT": str(self.mimic.port),
                f"{prefix}_ORACLE_SERVICE_NAME": self.mimic.service,
                f"{prefix}_ORACLE_USERNAME": user,
                f"{prefix}_ORACLE_PASSWORD": PASSWORDS[user],
            }
        return found

    def write_env(self, name: str, values: dict[str, str]) -> None:
        (self.root / name).write_text("".join(f"{key}={value}\n" for key, value in values.items()))

    def configure_tap(self, **settings: object) -> None:
        """Settings under the tap's `config:`, as the README says."""
        path = self.root / "meltano.yml"
        project = yaml.safe_load(path.read_text())
        project["plugins"]["extractors"][0]["config"] |= settings
        path.write_text(yaml.safe_dump(project, sort_keys=False))

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Meltano in the background, both outputs in one pipe."""
        return self._start([str(self.root / "bin" / "meltano"), *arguments], self.root, {**self.variables, **variables})

    def _start(self, command: list[str], directory: Path, variables: dict[str, str]) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        process = subprocess.Popen(command, cwd=directory, env=variables, start_new_session=True, **pipes)
        self.started.append(process)
        return process

    def meltano(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run Meltano, check its exit code, return what it said."""
        return self._said(self.start(*arguments, **variables), code)

    def bare_meltano(self, *arguments: str, code: int = 0) -> str:
        """The same without bin/meltano, as somebody's own Meltano would."""
        return self._said(
            self._start([str(self.root / ".tools" / "meltano" / "bin" / "meltano"), *arguments], self.root, self.variables), code
        )

    def script(self, name: str, code: int = 0) -> str:
        """Run `scripts/<name>` on this project, dbt included; check its exit code, return what it said."""
        if not (self.root / "scripts").exists():
            shutil.copy(ROOT / "bin" / "dbt", self.root / "bin")
            for directory in ("scripts", "transform"):
                (self.root / directory).symlink_to(ROOT / directory)
        variables = {**self.variables, "DBT_TARGET_PATH": str(self.home / "dbt-target")}
        return self._said(self._start([str(self.root / "scripts" / name)], self.root, variables), code)

    @staticmethod
    def _said(process: subprocess.Popen[str], code: int) -> str:
        said, _ = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == code, said
        return said

    def demo(self, *arguments: str, code: int = 0) -> str:
        """`python -m demo ...` on this project's databases."""
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--ledger", str(self.ledger), *arguments],
            cwd=ROOT,
            env={**self.variables, **self.connection()},
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start_demo(self, *arguments: str) -> subprocess.Popen[str]:
        """The same in the background."""
        command = [sys.executable, "-m", "demo", "--ledger", str(self.ledger), *arguments]
        return self._start(command, ROOT, {**self.variables, **self.connection()})

    def execute(self, user: str, statement: str, *binds: object) -> None:
        """One statement as `user`, committed."""
        with oracledb.connect(
            user=user, password=PASSWORDS[user], host="127.0.0.1", port=self.mimic.port, service_name=self.mimic.service
        ) as connection:
            connection.cursor().execute(statement, binds)
            connection.commit()

    def query(self, user: str, statement: str) -> list[tuple[Any, ...]]:
        with oracledb.connect(
            user=user, password=PASSWORDS[user], host="127.0.0.1", port=self.mimic.port, service_name=self.mimic.service
        ) as connection:
            return connection.cursor().execute(statement, fetch_lobs=False, fetch_decimals=True).fetchall()

    def records(self, **wanted: object) -> list[dict[str, Any]]:
        """The run records whose fields have these values, in the order they were written."""
        files = sorted((self.root / "logs" / "monitoring").glob("runs-*.jsonl"))
        found = [json.loads(line) for path in files for line in path.read_text().splitlines()]
        return [record for record in found if all(record[name] == value for name, value in wanted.items())]

    def bookmark(self, entity: str) -> dict[str, Any]:
        """What the next run of this entity would start from."""

        path = self.root / ".meltano" / "meltano.db"
        if not path.exists():
            return {}
        state_id = f"dev:tap-oracle-wms--{entity}-to-target-oracle"
        with closing(sqlite3.connect(path)) as database:
            if not database.execute("SELECT name FROM sqlite_master WHERE name = 'state'").fetchall():
                return {}  # Meltano is still making its database
            rows = database.execute("SELECT completed_state, partial_state FROM state WHERE state_id = ?", (state_id,)).fetchall()
        merged: dict[str, Any] = {}
        for text in rows[0] if rows else ():
            merged |= (json.loads(text or "{}").get("singer_state") or {}).get("bookmarks", {}).get(entity, {})
        return merged

    def stop(self) -> None:
        """End what a test that failed left running."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()

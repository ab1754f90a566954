"""A server in a process of its own, as a user starts it, to be killed and looked at from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import oracledb

USER, PASSWORD = "WMS", "Wms_1234"


class ServerProcess:
    """Runs for the time of a `with` block; at its end it is killed when it still runs."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        environment = {**os.environ, f"ORACLE_MIMIC_PASSWORD_{USER}": PASSWORD}
        command = [sys.executable, "-m", "oracle_mimic", "--port", "0", "--control-port", "0", "--user", USER, *arguments]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=directory)

    def __enter__(self) -> ServerProcess:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("oracle-mimic is ready on "), line
        self.dsn, _, rest = line.removeprefix("oracle-mimic is ready on ").partition(",")
        self.control_port = int(rest.rsplit(None, 1)[-1])
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def connect(self) -> oracledb.Connection:
        return oracledb.connect(user=USER, password=PASSWORD, dsn=self.dsn)

    def status(self, field: str) -> int:
        """A number of /proc/PID/status: Threads, VmRSS (kB), VmHWM (kB)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

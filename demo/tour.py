"""The demo from beginning to end: two empty databases, a full sync, a working warehouse, incremental syncs, and the comparison.

Every figure it shows is measured: by the clock around a command, from the run records of tap and target, or by asking the databases.
Nothing of the user's own is touched: the demo is a Meltano project of its own under var/demo (settings, states, records, databases), which
borrows only what `./setup.sh` has installed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import oracledb

from demo.compare import DELETED_COLUMN
from demo.grants import grant_views
from demo.ledger import Ledger
from demo.schema import TABLES

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "demo"
PLUGIN_KINDS = ("extractors", "loaders", "utilities", "transformers")
OWN = {".git", ".meltano", ".venv", "logs", "var"}
"""What the demo's project does not borrow from this one, besides `.env` files."""
ENTITIES = ("allocation", "order_hdr", "order_dtl")
MASTER = ("item_master", "location")
MIMIC_READY_SECONDS = 60
LATE_SECONDS = 12.0
"""How long the late transactions stay open; less when the whole activity is short."""


class TourError(Exception):
    """A step failed; the message says which and where its output is."""


@dataclass(slots=True)
class Tour:
    """One demo. seconds: of live activity; spoil: change one digit in the target before the comparison; home: a directory of its own."""

    orders: int = 1000
    seconds: float = 60.0
    keep: bool = False
    spoil: bool = False
    home: Path = HOME
    started: float = field(default_factory=time.monotonic)
    variables: dict[str, str] = field(default_factory=dict)
    mimic: subprocess.Popen[str] | None = None

    def run(self) -> int:
        """0 when source and target are equal at the end, 1 when they are not. Raises TourError when a step fails."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the databases end with it
        with ExitStack() as cleanup:
            self._make_project()
            self._start_mimic(cleanup)
            self._seed()
            self._full_syncs()
            rounds = self._live_and_incrementals() if self.seconds else 0
            if self.seconds:
                self._transform()
            if self.spoil:
                self._spoil_one_digit("As you wished: one digit of one value in the target is changed")
            equal = self._compare()
            if equal:
                self._prove()
            self._summary(rounds, equal=equal)
            if self.keep:
                cleanup.pop_all()
                self._how_to_play()
        return 0 if equal else 1

    # --- steps ---

    @property
    def _late_seconds(self) -> float:
        return min(LATE_SECONDS, self.seconds / 5)

    @property
    def _project(self) -> Path:
        return self.home / "project"

    def _make_project(self) -> None:
        """An empty project beside the user's: the same files and plugins, nothing that a run of theirs has written or will read."""
        for old in (self._project, self.home / "meltano-logs"):
            shutil.rmtree(old, ignore_errors=True)
        for pattern in ("mimic.duckdb*", "ledger.db*", "*.log", "live.json"):
            for path in self.home.glob(pattern):
                path.unlink()
        (self._project / ".meltano").mkdir(parents=True, mode=0o700)
        for path in ROOT.iterdir():
            if path.name not in OWN and not (path.name.startswith(".env") and path.name != ".env.example"):
                (self._project / path.name).symlink_to(path)
        (self._project / "meltano.yml").unlink()
        shutil.copy(ROOT / "meltano.yml", self._project)  # Meltano refuses a link to one outside
        for kind in PLUGIN_KINDS:
            (self._project / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)

    def _start_mimic(self, cleanup: ExitStack) -> None:
        self._say("Two databases: the WMS and the analytics one, played by oracle-mimic")
        passwords = {name: secrets.token_urlsafe(16) for name in ("WMS", "ANALYTICS", "SYSTEM")}
        secret = {f"ORACLE_MIMIC_PASSWORD_{name}": password for name, password in passwords.items()}
        command = [sys.executable, "-m", "oracle_mimic", "--port", "0", "--database", str(self.home / "mimic.duckdb")]
        log = cleanup.enter_context((self.home / "mimic.log").open("w"))
        self.mimic = subprocess.Popen(
            [*command, "--user", "WMS", "--user", "ANALYTICS", "--dba", "SYSTEM"],
            env={**os.environ, **secret},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        cleanup.callback(self._stop_mimic)
        line = self.mimic.stdout.readline() if self.mimic.stdout else ""
        if "ready on" not in line:
            raise TourError(f"oracle-mimic did not start; see {self.home / 'mimic.log'}")
        dsn = line.split()[-1]
        with oracledb.connect(user="SYSTEM", password=passwords["SYSTEM"], dsn=dsn) as dba:
            grant_views(dba, "WMS")
        address, _, service = dsn.partition("/")
        host, _, port = address.partition(":")
        self.variables = {
            "MELTANO_ENVIRONMENT": "dev",
            "DBT_TARGET_PATH": str(self.home / "dbt"),
            "DBT_LOG_PATH": str(self.home / "dbt"),
        }
        for prefix, user in (("WMS", "WMS"), ("TARGET", "ANALYTICS")):
            self.variables |= {
                f"{prefix}_ORACLE_HOST": host,
                f"{prefix}_ORACLE_PORT": port,
                f"{prefix}_ORACLE_SERVICE_NAME": service,
                f"{prefix}_ORACLE_USERNAME": user,
                f"{prefix}_ORACLE_PASSWORD": passwords[user],
            }
        path = self.home / "env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in self.variables.items()))
        self._done()

    def _stop_mimic(self) -> None:
        if self.mimic is not None:
            self.mimic.send_signal(signal.SIGTERM)
            self.mimic.wait(30)

    def _seed(self) -> None:
        self._say(f"A warehouse with {self.orders:,} orders and what belongs to them")
        self._command("seed", self._demo("seed", "--orders", str(self.orders)))
        self._done()

    def _full_syncs(self) -> None:
        for entity in ENTITIES:
            self._say(f"meltano run {entity}_full_sync")
            self._meltano("run", f"{entity}_full_sync")
            self._done()
        jobs = [f"{entity}_sync" for entity in MASTER]
        self._say(f"meltano run {' '.join(jobs)}")
        self._meltano("run", *jobs)
        self._done()

    def _live_and_incrementals(self) -> int:
        """Live activity for a while, and incremental syncs of all three entities round after round; the number of rounds."""
        self._say(f"{self.seconds:.0f} s of work in the warehouse, some of it committed late; incremental syncs meanwhile")
        command = self._demo(
            "live", "--seconds", str(self.seconds), "--late-seconds", str(self._late_seconds), "--report", str(self.home / "live.json")
        )
        rounds = 0
        with (
            (self.home / "live.log").open("w") as log,
            subprocess.Popen(command, env=self._environment(), cwd=ROOT, stdout=log, stderr=log) as live,
        ):
            while live.poll() is None:
                self._incremental()
                rounds += 1
            if live.returncode:
                raise TourError(f"live activity failed; see {self.home / 'live.log'}")
        self._done()
        self._say("A last incremental sync, and the master data")
        self._incremental()
        self._meltano("run", *(f"{entity}_sync" for entity in MASTER))
        self._done()
        return rounds + 1

    def _incremental(self) -> None:
        self._meltano("run", *(f"{entity}_incremental_sync" for entity in ENTITIES))

    def _transform(self) -> None:
        """Views, marts and their tests; then how many rows break each rule of data quality, which the seed has planted."""
        self._say("meltano invoke dbt-oracle-wms:build")
        self._meltano("invoke", "dbt-oracle-wms:build")
        self._done()
        self._say("meltano invoke dbt-oracle-wms:quality")
        command = [str(ROOT / "bin" / "meltano"), "--log-level", "error", "invoke", "dbt-oracle-wms:quality"]
        done = subprocess.run(command, env=self._environment(), cwd=self._project, capture_output=True, text=True, check=False)
        self._done()
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
            raise TourError("the rules of data quality could not be checked")
        print("".join(f"     {line}\n" for line in done.stdout.splitlines() if not line.endswith("  ok")), end="")

    def _spoil_one_digit(self, text: str) -> None:
        """What the comparison must find: the last digit of one quantity in the target, changed by one, of the row changed longest ago."""
        self._say(text)
        name, key, column = f'"{self.variables["TARGET_ORACLE_USERNAME"]}"."ALLOCATION"', '"ALLOCATION_ID"', '"QUANTITY_ALLOCATED"'
        with self._connect() as target, target.cursor() as cursor:
            cursor.execute(f"SELECT {key}, {column} FROM {name} ORDER BY LAST_UPDATED, {key} FETCH FIRST 1 ROWS ONLY", fetch_decimals=True)
            ((row, quantity),) = cursor.fetchall()
            digits = int(quantity.scaleb(4))  # NUMBER(19,4)
            step = -1 if digits % 10 == 9 else 1
            cursor.execute(f"UPDATE {name} SET {column} = :1 WHERE {key} = :2", [Decimal(digits + step).scaleb(-4), row])
            target.commit()
        self._done()

    def _compare(self) -> bool:
        self._say("Compare every column of every row of both databases")
        done = subprocess.run(self._demo("compare"), env=self._environment(), cwd=ROOT, capture_output=True, text=True, check=False)
        self._done()
        print("".join(f"     {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="")
        if done.returncode > 1:
            raise TourError("the comparison could not be made")
        return done.returncode == 0

    def _prove(self) -> None:
        """The product's own proof, by hashes in both databases.

        It finds and marks the rows that were deleted in the source, if any, which no incremental sync can see; then it passes; then it
        finds one digit that is wrong and puts it right.
        """
        self._verify({0, 1}, "--repair")
        self._verify({0})
        self._spoil_one_digit("One digit of one value in the target is changed")
        self._verify({1}, "--repair")

    def _verify(self, codes: set[int], *options: str) -> None:
        command = ["invoke", "wms-ops", "verify", "allocation", *options]
        self._say(f"meltano {' '.join(command)}")
        done = subprocess.run(
            [str(ROOT / "bin" / "meltano"), "--log-level", "error", *command],
            env=self._environment(),
            cwd=self._project,
            capture_output=True,
            text=True,
            check=False,
        )
        self._done()
        print("".join(f"     {line}\n" for line in done.stdout.splitlines()), end="")
        if done.returncode not in codes:
            print(done.stderr, file=sys.stderr)
            expected = " or ".join(map(str, sorted(codes)))
            raise TourError(f"`meltano {' '.join(command)}` ended with exit code {done.returncode} in place of {expected}")

    # --- the summary ---

    def _summary(self, rounds: int, *, equal: bool) -> None:
        full, incremental = self._records()
        print(f"\n{_bold('What was moved')}\n")
        changes = {"rows": "read", "inserted": "inserted", "updated": "updated", "unchanged": "unchanged"}
        print(
            f"  {'table':<14}{'full sync':>14}{'rows/s':>12}{'':>4}{'incremental:':<14}"
            + "".join(f"{title:>11}" for title in changes.values())
        )
        for entity in (*ENTITIES, *MASTER):
            loaded, changed = full[entity], incremental[entity]
            rate = f"{loaded['rows'] / loaded['seconds']:,.0f}" if loaded["seconds"] else "-"
            counts = "".join(f"{int(changed[name]):>11,}" for name in changes) if entity in ENTITIES else ""
            print(f"  {entity:<14}{int(loaded['rows']):>9,} rows{rate:>12}{'':>18}{counts}")
        if rounds:
            self._live_summary(rounds)
        verdict = _green("Source and target are equal.") if equal else _red("Source and target DIFFER.")
        print(f"\n  {_bold(verdict)} The whole demo took {time.monotonic() - self.started:.0f} s.\n")

    def _live_summary(self, rounds: int) -> None:
        live: dict[str, Any] = json.loads((self.home / "live.json").read_text())
        print(f"\n  {live['transactions']} transactions in {live['seconds']:.0f} s, and {rounds} rounds of incremental syncs beside them.")
        late = f"{live['late']} of them stayed open for {self._late_seconds:.0f} s"
        print(f"  {late}: {live['late_rows']:,} changes came late, under an early time.")
        lags = self._lags()
        if lags:
            middle, most = lags[len(lags) // 2], lags[int(len(lags) * 0.95)]
            print(f"  From COMMIT in the source to the row in the target: {middle:.1f} s in the middle, {most:.1f} s for 95 of 100 rows.")

    def _records(self) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        """Sums by entity over this demo's run records: of the full syncs (and complete reads) and of the incremental ones."""
        full: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        incremental: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for path in sorted((self._project / "logs" / "monitoring").glob("runs-*.jsonl")):
            for line in path.read_text().splitlines():
                record = json.loads(line)
                if record["component"] == "target-oracle":
                    if record["mode"] in {"full", "full_table"} and not full[record["stream"]]["rows"]:
                        full[record["stream"]] = {"rows": record["rows"], "seconds": record["seconds"]}
                    elif record["mode"] == "incremental":
                        for name in ("inserted", "updated", "unchanged"):
                            incremental[record["stream"]][name] += record[name] or 0
                elif record["component"] == "tap-oracle-wms" and record["mode"] == "incremental":
                    incremental[record["stream"]]["rows"] += record["rows"]
        return full, incremental

    def _lags(self) -> list[float]:
        """Seconds between the simulator's COMMIT and the time the target wrote the row, of every row live activity changed; sorted."""
        ledger = Ledger(self.home / "ledger.db")
        lags = []
        with self._connect() as target, target.cursor() as cursor:
            for name in ("ALLOCATION", "ORDER_HDR", "ORDER_DTL"):
                table = TABLES[name]
                committed = ledger.committed_at(table)
                owner = self.variables["TARGET_ORACLE_USERNAME"]
                cursor.execute(f'SELECT "{table.key}", "_SDC_BATCHED_AT" FROM "{owner}"."{name}" WHERE "{DELETED_COLUMN}" IS NULL')
                for key, at in cursor:
                    if int(key) in committed and at is not None:
                        lags.append((at.replace(tzinfo=UTC) - committed[int(key)]) / timedelta(seconds=1))
        return sorted(lag for lag in lags if lag >= 0)

    def _how_to_play(self) -> None:
        env, ledger = self.home / "env", self.home / "ledger.db"
        print("Everything is still running. To play with it:\n")
        print(f"  cd {self._project}")
        print(f'  export PATH="$PWD/bin:$PATH" MELTANO_ENV_FILE={env}')
        print("  meltano invoke wms-ops state show")
        print("  meltano run allocation_incremental_sync")
        print(f"  (set -a; . {env}; cd {ROOT}; .venv/bin/python -m demo --ledger {ledger} live --seconds 30)")
        print(f"  kill {self.mimic.pid if self.mimic else ''}        # stops the databases\n")

    # --- how steps are run and shown ---

    def _environment(self) -> dict[str, str]:
        """Ours with the demo's on top; nothing that would lead to the user's own project or databases."""
        theirs = ("MELTANO_", "WMS_", "TAP_ORACLE_", "TARGET_ORACLE_")
        outside = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        own = {"MELTANO_ENV_FILE": str(self.home / "env"), "MELTANO_LOG_HOME": str(self.home / "meltano-logs")}
        return {**outside, **self.variables, **own}

    def _demo(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "demo", "--ledger", str(self.home / "ledger.db"), *arguments]

    def _connect(self) -> oracledb.Connection:
        """To the target."""
        return oracledb.connect(
            user=self.variables["TARGET_ORACLE_USERNAME"],
            password=self.variables["TARGET_ORACLE_PASSWORD"],
            host=self.variables["TARGET_ORACLE_HOST"],
            port=int(self.variables["TARGET_ORACLE_PORT"]),
            service_name=self.variables["TARGET_ORACLE_SERVICE_NAME"],
        )

    def _meltano(self, *arguments: str) -> None:
        self._command("meltano", [str(ROOT / "bin" / "meltano"), *arguments], self._project)

    def _command(self, name: str, command: list[str], directory: Path = ROOT) -> None:
        path = self.home / f"{name}.log"
        with path.open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            if subprocess.run(command, env=self._environment(), cwd=directory, stdout=log, stderr=log, check=False).returncode:
                print()
                print("".join(path.read_text().splitlines(keepends=True)[-15:]), file=sys.stderr)
                raise TourError(f"`{' '.join(command[-3:])}` failed; its whole output is in {path}")

    def _say(self, text: str) -> None:
        self._step_started = time.monotonic()
        last = text.rsplit("\n", 1)[-1]
        print(f"  -- {text}{' ' * max(72 - len(last), 1)}", end="", flush=True)

    def _done(self) -> None:
        print(f"{time.monotonic() - self._step_started:6.1f} s", flush=True)

    _step_started: float = 0.0


def _paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def _bold(text: str) -> str:
    return _paint(text, "1")


def _green(text: str) -> str:
    return _paint(text, "32")


def _red(text: str) -> str:
    return _paint(text, "31")

"""dbt: an incremental run after a change of 1 % of one day, against a full refresh; and whether it grows with the change or with the table.

    python -m bench.transform [--allocations 1000000] [--directory DIR]

The raw tables are filled as target-oracle leaves them (its DDL, the simulator's rows of 90 days, stamps and audit rows); oracle-mimic
runs in a process of its own. Three incremental runs are measured: nothing changed, 1 % of one day, 1 % of each of five days. Exit code 1
when the second takes more than 15 % of the full refresh.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import oracledb

from demo.rows import Plan
from tests.raw_tables import RawTables
from tests.transform import Dbt

GOAL = 0.15
ALLOCATIONS_PER_ORDER = 4.9
TABLES = ("run", "--select", "config.materialized:incremental")
USER = "ANALYTICS"


@contextmanager
def mimic(home: Path, password: str) -> Iterator[tuple[int, str]]:
    """Port and service of oracle-mimic in a process of its own, with its data in a file."""
    command = [sys.executable, "-m", "oracle_mimic", "--port", "0", "--database", str(home / "mimic.duckdb"), "--user", USER]
    environment = {**os.environ, f"ORACLE_MIMIC_PASSWORD_{USER}": password}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            address, _, service = process.stdout.readline().split()[-1].rstrip(",").partition("/")
            yield int(address.rpartition(":")[2]), service
        finally:
            process.terminate()
            process.wait(60)


def touch(raw: RawTables, days: int) -> int:
    """One load that changes 1 % of the allocations of the last `days` days; how many rows."""
    listed = raw.query(f'SELECT TRUNC(CREATED_DATE), COUNT(*) FROM "{USER}"."ALLOCATION" GROUP BY TRUNC(CREATED_DATE) ORDER BY 1 DESC')
    changed = 0
    with raw.load("ALLOCATION") as at:
        for day, count in listed[1 : days + 1]:
            wanted = max(int(count) // 100, 1)
            keys = raw.query(
                f'SELECT ALLOCATION_ID FROM "{USER}"."ALLOCATION" WHERE CREATED_DATE >= :d AND CREATED_DATE < :d + 1 '
                f"ORDER BY 1 FETCH FIRST {wanted} ROWS ONLY",
                {"d": day},
            )
            for first in range(0, len(keys), 500):
                part = [int(key) for (key,) in keys[first : first + 500]]
                changed += raw.update("ALLOCATION", part, at, quantity_allocated="=QUANTITY_ALLOCATED+1")
    return changed


def timed(dbt: Dbt, *arguments: str) -> tuple[float, dict[str, float]]:
    """Seconds of a run, and of each model."""
    started = time.perf_counter()
    results = dbt(*arguments, as_of="2026-06-30")
    return time.perf_counter() - started, {name: float(result[3]) for name, result in results.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--allocations", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="for the database (default: a temporary one)")
    options = parser.parse_args()
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(dir=options.directory) as folder, mimic(Path(folder), password) as (port, service):
        home = Path(folder)
        with (
            oracledb.connect(user=USER, password=password, host="127.0.0.1", port=port, service_name=service) as connection,
            closing(Dbt(home, port=port, service=service, username=USER, password=password)) as dbt,
        ):
            raw = RawTables(connection, USER)
            started = time.perf_counter()
            raw.create(Plan(int(options.allocations / ALLOCATIONS_PER_ORDER), as_of=datetime(2026, 6, 30, tzinfo=UTC)))
            [(rows,)] = raw.query(f'SELECT COUNT(*) FROM "{USER}"."ALLOCATION"')
            print(f"{int(rows):,} allocations in {time.perf_counter() - started:.0f} s; load before: {os.getloadavg()[0]:.1f}")
            dbt("run", as_of="2026-06-30")
            full, by_model = timed(dbt, *TABLES, "--full-refresh")
            shown = {"full refresh": (full, by_model, 0)}
            for title, days in (("nothing changed", 0), ("1 % of one day", 1), ("1 % of five days", 5)):
                changed = touch(raw, days) if days else 0
                shown[title] = (*timed(dbt, *TABLES), changed)
    print(f"\n{'run':<20}{'rows changed':>14}{'seconds':>10}{'of full':>10}")
    for title, (seconds, _, changed) in shown.items():
        print(f"{title:<20}{changed:>14,}{seconds:>10.1f}{seconds / full:>10.1%}")
    print(f"\n{'model':<32}" + "".join(f"{title:>20}" for title in shown))
    for model in by_model:
        print(f"{model:<32}" + "".join(f"{models.get(model, 0):>20.2f}" for _, models, _ in shown.values()))
    share = shown["1 % of one day"][0] / full
    print(f"\ngoal: at most {GOAL:.0%} of a full refresh; {'met' if share <= GOAL else 'MISSED'}")
    return 0 if share <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

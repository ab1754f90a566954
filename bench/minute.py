"""What the minute costs and how late rows are: `python -m bench.minute [--minutes N]`, against a mimic of its own.

1. CPU seconds of an idle minute: one incremental run of each entity with nothing changed. Budget: 12.
2. Seconds and CPU seconds of one `meltano run allocation_incremental_sync` with 0, 1,000 and 10,000 changed rows.
3. Seconds from COMMIT in the source to COMMIT in the target under the every-minute schedule, with live activity: p50 and p95; then the
   comparison of every value. COMMIT in the source is when it returned to the simulator; in the target, when its transaction wrote its
   audit row, which is the last thing it does.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import tempfile
import time
from datetime import UTC, timedelta
from pathlib import Path

from demo.ledger import Ledger
from demo.schema import TABLES
from tests.pipeline import Mimic, Pipeline

ENTITIES = ("allocation", "order_hdr", "order_dtl")
BUDGET_CPU_SECONDS = 12.0


def measured(pipeline: Pipeline, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of a Meltano command with all its processes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    pipeline.meltano(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def idle_minute(pipeline: Pipeline) -> bool:
    total = 0.0
    for entity in ENTITIES:
        measured(pipeline, "run", f"{entity}_incremental_sync")  # the first one discovers
        wall, cpu = min((measured(pipeline, "run", f"{entity}_incremental_sync") for _ in range(3)), key=lambda pair: pair[1])
        total += cpu
        print(f"  {entity:<12} {wall:6.2f} s, {cpu:5.2f} CPU s")
    print(f"  idle minute  {total:5.2f} CPU s of a budget of {BUDGET_CPU_SECONDS:.0f}")
    return total <= BUDGET_CPU_SECONDS


def changed_rows(pipeline: Pipeline) -> None:
    for count in (0, 1_000, 10_000):
        if count:
            pipeline.execute(
                "WMS",
                "UPDATE ALLOCATION SET PRIORITY_LEVEL = MOD(NVL(PRIORITY_LEVEL, 0) + 1, 9), LAST_UPDATED = SYS_EXTRACT_UTC(SYSTIMESTAMP) "
                "WHERE ALLOCATION_ID IN (SELECT ALLOCATION_ID FROM ALLOCATION ORDER BY ALLOCATION_ID FETCH FIRST :1 ROWS ONLY)",
                count,
            )
        wall, cpu = measured(pipeline, "run", "allocation_incremental_sync")
        record = pipeline.records(component="target-oracle", stream="allocation")[-1]
        updated, unchanged = record["updated"] or 0, record["unchanged"] or 0
        print(f"  {count:>6,} changed rows: {wall:6.2f} s, {cpu:5.2f} CPU s, {updated:,} updated, {unchanged:,} unchanged")


def schedule(pipeline: Pipeline, minutes: float) -> None:
    pipeline.meltano("run", *(f"{entity}_incremental_sync" for entity in ENTITIES))
    scheduler = pipeline.start("invoke", "wms-ops", "scheduler", *(w for e in ENTITIES for w in ("--only", f"{e}_incremental_sync")))
    pipeline.demo("live", "--seconds", str(minutes * 60), "--late-seconds", "10", "--pause-seconds", "0.5")
    time.sleep(75)
    scheduler.send_signal(signal.SIGTERM)
    scheduler.communicate(timeout=180)
    ledger, lags = Ledger(pipeline.ledger), []
    for name in ("ALLOCATION", "ORDER_HDR", "ORDER_DTL"):
        committed = ledger.committed_at(TABLES[name])
        arrived = (
            f'SELECT r."{TABLES[name].key}", a."LOADED_AT" FROM "{name}" r JOIN "WMS_LOAD_AUDIT" a '
            f'ON a."TABLE_NAME" = \'{name}\' AND a."BATCHED_AT" = r."_SDC_BATCHED_AT"'
        )
        for key, at in pipeline.query("ANALYTICS", arrived):
            if int(key) in committed:
                lags.append((at.replace(tzinfo=UTC) - committed[int(key)]) / timedelta(seconds=1))
    lags.sort()
    print(f"  {len(lags):,} rows: p50 {lags[len(lags) // 2]:.1f} s, p95 {lags[int(len(lags) * 0.95)]:.1f} s, most {lags[-1]:.1f} s")
    pipeline.demo("compare", "--tables", "ALLOCATION", "ORDER_HDR", "ORDER_DTL")
    print("  source and target are equal")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=3.0, help="of live activity under the schedule (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        pipeline = Pipeline(Path(home), Mimic(Path(home)))
        try:
            pipeline.demo("seed", "--orders", str(options.orders))
            pipeline.meltano("run", *(f"{entity}_full_sync" for entity in ENTITIES))
            print("An idle minute")
            within = idle_minute(pipeline)
            print("One run of allocation_incremental_sync")
            changed_rows(pipeline)
            print(f"From COMMIT to COMMIT, every minute, {options.minutes:.0f} minutes")
            schedule(pipeline, options.minutes)
        finally:
            pipeline.stop()
            pipeline.mimic.kill()
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())

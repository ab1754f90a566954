"""The scheduler over minutes of live activity, while everything that can be killed is killed. Long: run by ./scripts/test-all.sh --long."""

import json
import os
import signal
import time

import pytest

from tests.pipeline import Pipeline, until
from tests.test_resume import children

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

ENTITIES = ("allocation", "order_hdr", "order_dtl")
TABLES = ("ALLOCATION", "ORDER_HDR", "ORDER_DTL")
INCREMENTALS = [f"{entity}_incremental_sync" for entity in ENTITIES]


@pytest.fixture
def synced(pipeline):
    pipeline.demo("seed", "--orders", "500")
    pipeline.meltano("run", *(f"{entity}_full_sync" for entity in ENTITIES))
    return pipeline


def tallies(pipeline: Pipeline) -> dict[str, dict]:
    path = pipeline.root / "logs" / "monitoring" / "scheduler.json"
    return json.loads(path.read_text())["jobs"] if path.exists() else {}


def scheduler(pipeline: Pipeline):
    """Started, and alive by its own word."""
    process = pipeline.start("invoke", "wms-ops", "scheduler", *(word for job in INCREMENTALS for word in ("--only", job)))
    until(lambda: tallies(pipeline) or process.poll() is not None)
    return process


def stop(process) -> str:
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said
    return said


def test_minutes_of_live_activity_with_a_kill_of_everything(synced):
    live = synced.start_demo("live", "--seconds", "300", "--late-seconds", "75", "--pause-seconds", "1")
    process = scheduler(synced)
    killed = set()
    deadline = time.monotonic() + 280
    while time.monotonic() < deadline and len(killed) < 3:
        for name in ("tap-oracle-wms", "target-oracle", "meltano"):
            # The first Meltano is the scheduler's own; its children are the runs.
            victims = [pid for pid in children(process.pid, name) if name not in killed]
            if victims:
                os.kill(victims[-1], signal.SIGKILL)
                killed.add(name)
                time.sleep(20)  # so that the next kill meets another run
        time.sleep(0.2)
    assert killed == {"tap-oracle-wms", "target-oracle", "meltano"}
    synced.mimic.kill()
    time.sleep(5)
    synced.mimic.start()
    said, _ = live.communicate(timeout=400)
    assert live.returncode == 0, said
    stop(process)
    # Whoever was killed is freed; then one quiet run of each, and everything is equal.
    until(lambda: synced.start("run", *INCREMENTALS).wait() == 0, 180, pause=2)
    synced.demo("compare", "--tables", *TABLES)


def test_the_source_is_away_for_a_minute(synced):
    process = scheduler(synced)
    until(lambda: all(tallies(synced)[job]["runs"] for job in INCREMENTALS), 150)
    synced.mimic.kill()
    time.sleep(65)
    synced.mimic.start()
    synced.demo("live", "--transactions", "10", "--pause-seconds", "0", "--late-seconds", "0.1")
    runs = {job: tallies(synced)[job]["runs"] for job in INCREMENTALS}
    until(
        lambda: all(tallies(synced)[job]["runs"] >= runs[job] + 2 and tallies(synced)[job]["last_exit_code"] == 0 for job in INCREMENTALS),
        400,
    )
    stop(process)
    synced.demo("compare", "--tables", *TABLES)


def test_a_wrong_password_is_tried_once(synced):
    synced.write_env(".env", {**synced.connection(), "WMS_ORACLE_PASSWORD": "not-the-password"})
    process = scheduler(synced)
    until(lambda: all(tallies(synced)[job]["held"] for job in INCREMENTALS), 200)
    time.sleep(65)  # a further tick, which must start nothing
    assert {job: tallies(synced)[job]["runs"] for job in INCREMENTALS} == dict.fromkeys(INCREMENTALS, 1)
    synced.write_env(".env", synced.connection())
    until(lambda: all(tallies(synced)[job]["last_exit_code"] == 0 for job in INCREMENTALS), 200)
    said = stop(process)
    assert "not-the-password" not in said

"""The scheduler with real Meltano processes."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wms_ops.jobs import Schedule, schedules
from wms_ops.scheduler import Scheduler, SchedulerError, configuration_error, select

SYNC = Schedule("allocation_full_sync", "allocation_full_sync", "* * * * *", None, None)


def until(condition, seconds: float = 30.0):
    """Poll other processes' doings; there is nothing of ours to wait on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("did not happen in time")


@pytest.fixture
def one(meltano_sqlite):
    """A project with its own bin/meltano, as in the repository."""
    (meltano_sqlite.root / "bin").mkdir()
    link = meltano_sqlite.root / "bin" / "meltano"
    link.symlink_to(Path(__file__).parents[3] / "bin" / "meltano")
    return meltano_sqlite


def test_schedules_and_their_guards_come_from_meltano_yml(one):
    text = (one.root / "meltano.yml").read_text()
    task = "tap-oracle-wms--allocation target-oracle"
    guarded = text.replace(f"tasks: [{task}]", f"tasks: [wms-ops:allocation-full-open {task}]")
    (one.root / "meltano.yml").write_text(guarded)
    (found,) = schedules(one.project)
    assert found == Schedule("allocation_full_sync", "allocation_full_sync", "* * * * *", "require-full-open", "allocation")
    with pytest.raises(SchedulerError, match="nothing"):
        select(one.project, ["nothing"])


def test_a_tick_runs_the_job_and_counts_it(one):
    one.finish()
    scheduler = Scheduler(one.project, [SYNC])
    scheduler._tick(SYNC)
    tally = scheduler.tallies["allocation_full_sync"]
    assert (tally.runs, tally.failures, tally.last_exit_code) == (1, 0, 0)


def test_one_run_per_job_at_a_time_and_ticks_that_meet_it_are_counted(one):
    scheduler = Scheduler(one.project, [SYNC], limit_seconds=20)
    scheduler._engine.reschedule_job(SYNC.name, trigger="interval", seconds=0.5)
    scheduler._engine.start()
    tally = scheduler.tallies[SYNC.name]
    try:
        until(lambda: tally.missed >= 3)
        assert (tally.runs, len(scheduler._processes)) == (0, 1)
    finally:
        one.finish()
        scheduler.stop()
    assert (tally.runs, tally.failures, tally.last_exit_code) == (1, 0, 0)
    assert heartbeat(one)["jobs"][SYNC.name]["missed"] == tally.missed


def test_a_failed_run_is_counted_and_the_next_one_starts_all_the_same(one):
    (one.root / "target.sh").write_text("#!/bin/sh\ncat; exit 3\n")
    one.finish()
    scheduler = Scheduler(one.project, [SYNC])
    scheduler._tick(SYNC)
    (one.root / "target.sh").write_text("#!/bin/sh\nexec cat\n")
    scheduler._tick(SYNC)
    tally = scheduler.tallies["allocation_full_sync"]
    assert (tally.runs, tally.failures, tally.last_exit_code) == (2, 1, 0)


def test_waiting_starts_no_process_and_is_no_failure(one):
    waiting = Schedule("allocation_full_sync", "allocation_full_sync", "* * * * *", "require-full-done", "allocation")
    scheduler = Scheduler(one.project, [waiting])
    scheduler._tick(waiting)
    scheduler._tick(waiting)
    tally = scheduler.tallies["allocation_full_sync"]
    assert (tally.runs, tally.failures, tally.waiting) == (0, 0, 2)


def test_a_configuration_error_holds_the_job_until_the_configuration_changes(one):
    # The tap of this project fails as ours does on a wrong password: one run record of class `configuration`, exit code 1.
    failing = f"""\
import json, os, sys
error = {{"class": "configuration", "code": "ORA-01017", "message": "wrong password"}}
os.makedirs("{one.project.records}", exist_ok=True)
with open("{one.project.records}/runs-{datetime.now(UTC):%Y-%m-%d}.jsonl", "a") as file:
    file.write(json.dumps({{"run_id": os.environ["MELTANO_RUN_ID"], "error": error}}) + "\\n")
sys.exit(1)
"""
    (one.root / "tap.sh").write_text(f"#!{sys.executable}\n{failing}")
    scheduler = Scheduler(one.project, [SYNC])
    for _ in range(3):
        scheduler._tick(SYNC)
    tally = scheduler.tallies["allocation_full_sync"]
    assert (tally.runs, tally.failures, tally.held) == (1, 1, "wrong password")
    one.finish()
    (one.root / "tap.sh").write_text("#!/bin/sh\ntrue\n")
    (one.root / ".env").write_text("A=b\n")
    future = time.time() + 5
    os.utime(one.root / ".env", (future, future))
    scheduler._tick(SYNC)
    assert (tally.runs, tally.failures, tally.held) == (2, 1, None)


def test_a_configuration_error_before_there_is_a_record_holds_the_job_too(one):
    """Discovery fails on a wrong password; what the tap said is all there is."""
    said = "cannot connect to 127.0.0.1:1521/WMS as WMS: ORA-01017: invalid username/password [configuration] check the settings"
    (one.root / "tap.sh").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 78\n")
    scheduler = Scheduler(one.project, [SYNC])
    for _ in range(3):
        scheduler._tick(SYNC)
    tally = scheduler.tallies["allocation_full_sync"]
    assert (tally.runs, tally.failures, tally.held) == (1, 1, said)


def test_other_errors_hold_nothing(tmp_path):
    record = {"run_id": "r1", "error": {"class": "retriable", "code": "ORA-12541", "message": "no listener"}}
    (tmp_path / "runs-2026-11-22.jsonl").write_text(json.dumps(record) + "\n")
    assert configuration_error(tmp_path, "r1") is None


def command(meltano, *arguments: str) -> subprocess.Popen[str]:
    variables = {**meltano.variables, "MELTANO_PROJECT_ROOT": str(meltano.root), "MELTANO_ENVIRONMENT": "dev"}
    full = [sys.executable, "-m", "wms_ops", "scheduler", *arguments]
    return subprocess.Popen(full, env=variables, cwd=meltano.root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def heartbeat(meltano) -> dict:
    path = meltano.project.records / "scheduler.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_a_second_scheduler_is_refused_and_the_first_stops_cleanly(one):
    first = command(one)
    until(lambda: heartbeat(one))
    assert heartbeat(one)["pid"] == first.pid
    second = command(one)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 1
    assert str(first.pid) in said
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=30)
    assert first.returncode == 0, said
    assert heartbeat(one)["stopped"] is True
    third = command(one)
    until(lambda: not heartbeat(one)["stopped"])
    third.kill()  # the lock dies with its process
    third.communicate()
    fourth = command(one)
    until(lambda: heartbeat(one)["pid"] == fourth.pid)
    fourth.terminate()
    fourth.communicate(timeout=30)
    assert fourth.returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("finishes", [True, False])
def test_sigterm_lets_a_running_sync_finish_within_the_limit(one, finishes):
    """Waits for the next full minute, so up to 60 s."""
    scheduler = command(one, "--limit-seconds", "30" if finishes else "1")
    until(lambda: heartbeat(one).get("jobs", {}).get("allocation_full_sync", {}).get("running_run_id"), 80)
    scheduler.send_signal(signal.SIGTERM)
    if finishes:
        one.finish()
    _, said = scheduler.communicate(timeout=60)
    assert scheduler.returncode == 0, said
    tally = heartbeat(one)["jobs"]["allocation_full_sync"]
    assert tally["runs"] == 1
    assert (tally["last_exit_code"] == 0) is finishes

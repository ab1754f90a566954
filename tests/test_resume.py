"""Whatever is killed in the middle of a full sync: the same command again ends equal, and is let in within forty seconds."""

import os
import signal
import subprocess
import time

import pytest

from tests.pipeline import Pipeline, until

pytestmark = pytest.mark.timeout(900)

# The quota lets the tap run ahead of the target by a chunk or two only, so that a kill finds both at work.
SMALL_CHUNKS = {"chunk_rows": 1500, "staging_quota_bytes": 150_000}


def half_way(pipeline: Pipeline) -> subprocess.Popen[str]:
    """A full sync of many chunks, of which some are loaded and some are not."""
    pipeline.demo("seed", "--orders", "4000")
    pipeline.configure_tap(**SMALL_CHUNKS)
    process = pipeline.start("run", "allocation_full_sync")
    until(lambda: pipeline.bookmark("allocation").get("full_sync", {}).get("ledger") or process.poll() is not None)
    assert pipeline.bookmark("allocation")["full_sync"]["status"] == "running", "too late: the full sync was done already"
    return process


def children(pid: int, name: str) -> list[int]:
    """Process ids below `pid` whose command line names `name`."""
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    below, found = {pid}, []
    for child, parent, *arguments in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in below:
            below.add(int(child))
            if arguments and f"/bin/{name}" in arguments[0]:
                found.append(int(child))
    return found


def finish_and_compare(pipeline: Pipeline) -> None:
    pipeline.meltano("run", "allocation_full_sync")
    assert pipeline.bookmark("allocation")["full_sync"]["status"] == "done"
    pipeline.demo("compare", "--tables", "ALLOCATION")
    pipeline.meltano("run", "allocation_incremental_sync")
    pipeline.demo("compare", "--tables", "ALLOCATION")


def test_meltano_killed_in_the_middle_of_the_full_sync(pipeline):
    process = half_way(pipeline)
    killed_at = time.monotonic()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    # Refused while the dead run's heartbeat is young; let in within forty seconds of the kill.
    assert "at work since" in pipeline.meltano("run", "allocation_full_sync", code=1)
    until(lambda: "freed" in pipeline.start("run", "wms-ops:allocation-full-open").communicate()[0], 60, pause=1)
    assert time.monotonic() - killed_at < 40
    finish_and_compare(pipeline)
    # Finished chunks were not read again: both runs together read each row about once.
    target = pipeline.records(component="target-oracle", stream="allocation", mode="full", status="success")
    assert len(target) == 1
    # The passwords the killed run left on disk are gone.
    run = pipeline.root / ".meltano" / "run"
    assert list(run.glob("*/*.config.json")) == []


@pytest.mark.parametrize("name", ["tap-oracle-wms", "target-oracle"])
def test_a_plugin_killed_in_the_middle_of_the_full_sync(pipeline, name):
    process = half_way(pipeline)
    (victim,) = children(process.pid, name)
    os.kill(victim, signal.SIGKILL)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1, said
    finish_and_compare(pipeline)


def test_the_database_killed_in_the_middle_of_the_full_sync(pipeline):
    process = half_way(pipeline)
    pipeline.mimic.kill()
    pipeline.mimic.start()
    process.communicate(timeout=240)
    # Whether the run survived by reconnecting or not: what follows ends equal.
    if process.returncode == 0:
        pipeline.demo("compare", "--tables", "ALLOCATION")
    else:
        finish_and_compare(pipeline)


def test_meltano_told_to_stop_is_no_success(pipeline):
    process = half_way(pipeline)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode not in {0, None}
    finish_and_compare(pipeline)

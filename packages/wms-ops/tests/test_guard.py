"""The guard against a system database that Meltano itself wrote."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from wms_ops.guard import EXIT_LATER, EXIT_REFUSED, FULL, INCREMENTAL, PLAIN, decide, sweep_secrets
from wms_ops.project import Project

STATE_ID = "dev:tap-oracle-wms--allocation-to-target-oracle"
PLAIN_STATE_ID = "dev:tap-oracle-wms-to-target-oracle"


def bookmark(status: str) -> str:
    return json.dumps({"singer_state": {"bookmarks": {"allocation": {"full_sync": {"status": status}}}}})


def guard(meltano, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "MELTANO_PROJECT_ROOT": str(meltano.root), "MELTANO_ENVIRONMENT": "dev"}
    variables["MELTANO_DATABASE_URI"] = meltano.project.database_uri
    return subprocess.run([sys.executable, "-m", "wms_ops.guard", *arguments], env=variables, capture_output=True, text=True, check=False)


def test_before_the_full_sync_full_goes_and_incremental_waits(meltano):
    assert guard(meltano, FULL, "allocation").returncode == 0
    waiting = guard(meltano, INCREMENTAL, "allocation")
    assert waiting.returncode == EXIT_LATER
    assert "waiting for the full sync" in waiting.stderr
    (record,) = [json.loads(line) for path in meltano.project.records.glob("runs-*.jsonl") for line in path.read_text().splitlines()]
    assert (record["component"], record["status"], record["stream"], record["error"]) == ("wms-ops", "waiting", "allocation", None)


def test_a_full_sync_half_way_may_go_on(meltano):
    assert meltano("state", "set", "--force", STATE_ID, bookmark("running")).returncode == 0
    assert decide(meltano.project, FULL, "allocation").status == "go"
    assert decide(meltano.project, INCREMENTAL, "allocation").status == "waiting"


def test_after_the_full_sync_full_is_refused_and_incremental_goes(meltano):
    assert meltano("state", "set", "--force", STATE_ID, bookmark("done")).returncode == 0
    refused = guard(meltano, FULL, "allocation")
    assert refused.returncode == EXIT_REFUSED
    assert "meltano invoke wms-ops redo allocation" in refused.stderr
    (record,) = [json.loads(line) for path in meltano.project.records.glob("runs-*.jsonl") for line in path.read_text().splitlines()]
    assert (record["status"], record["error"]["class"]) == ("refused", "configuration")
    assert decide(meltano.project, INCREMENTAL, "allocation").status == "go"
    assert decide(meltano.project, FULL, "order_hdr").status == "go"


def test_a_full_sync_by_the_plain_command_counts_for_the_jobs(meltano):
    assert meltano("state", "set", "--force", PLAIN_STATE_ID, bookmark("running")).returncode == 0
    refused = decide(meltano.project, FULL, "allocation")
    assert refused.status == "refused"
    assert "meltano run tap-oracle-wms target-oracle" in refused.message
    assert decide(meltano.project, INCREMENTAL, "allocation").status == "waiting"
    assert decide(meltano.project, PLAIN, "allocation", "order_hdr").status == "go"
    assert meltano("state", "set", "--force", PLAIN_STATE_ID, bookmark("done")).returncode == 0
    assert decide(meltano.project, FULL, "allocation").status == "refused"
    assert decide(meltano.project, INCREMENTAL, "allocation").status == "go"
    assert json.loads(meltano("state", "get", STATE_ID).stdout) == json.loads(bookmark("done"))


def test_the_plain_command_never_does_what_a_job_has_done(meltano):
    assert decide(meltano.project, PLAIN, "allocation", "order_hdr").status == "go"
    assert meltano("state", "set", "--force", STATE_ID, bookmark("running")).returncode == 0
    refused = decide(meltano.project, PLAIN, "allocation", "order_hdr")
    assert refused.status == "refused"
    assert "allocation_full_sync" in refused.message
    assert meltano("state", "set", "--force", STATE_ID, bookmark("done")).returncode == 0
    assert decide(meltano.project, PLAIN, "allocation", "order_hdr").status == "go"
    # The plain command's own state now says so too: the tap starts incrementally.
    assert json.loads(meltano("state", "get", PLAIN_STATE_ID).stdout) == json.loads(bookmark("done"))


def test_environments_have_their_own_state(meltano):
    assert meltano("state", "set", "--force", STATE_ID, bookmark("done")).returncode == 0
    prod = Project(meltano.root, "prod", meltano.project.database_uri, "r", meltano.root)
    assert decide(prod, FULL, "allocation").status == "go"


def test_a_run_at_work_keeps_others_out_and_a_killed_one_is_freed(meltano):
    process = meltano.start()
    running = decide(meltano.project, FULL, "allocation")
    assert (running.status, running.exit_code) == ("running", EXIT_LATER)
    process.kill()
    process.wait()
    killed_at = datetime.now(UTC)
    assert decide(meltano.project, FULL, "allocation", now=killed_at + timedelta(seconds=20)).status == "running"
    freed = decide(meltano.project, FULL, "allocation", now=killed_at + timedelta(seconds=39))
    assert (freed.status, freed.freed) == ("go", 1)
    meltano.finish()
    again = meltano("run", "allocation_full_sync")
    assert again.returncode == 0, again.stderr


def test_a_living_run_is_never_freed(meltano):
    process = meltano.start()
    for _ in range(3):
        assert decide(meltano.project, FULL, "allocation", now=datetime.now(UTC) + timedelta(seconds=28)).freed == 0
    meltano.finish()
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("variables", "name"),
    [({}, "MELTANO_PROJECT_ROOT"), ({"MELTANO_PROJECT_ROOT": "/"}, "MELTANO_ENVIRONMENT")],
)
def test_a_missing_variable_is_named(variables, name):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MELTANO_")}
    done = subprocess.run(
        [sys.executable, "-m", "wms_ops.guard", FULL, "allocation"], env={**clean, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == EXIT_REFUSED
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_starting_costs_no_heavy_import():
    heavy = ("oracledb", "pyarrow", "apscheduler", "psycopg", "asyncio", "subprocess")
    code = f"import sys; import wms_ops.guard; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_passwords_that_killed_runs_left_are_removed_and_those_in_use_stay(tmp_path):
    project = Project(tmp_path, "dev", "sqlite:///x", "r", tmp_path)
    directory = project.run_directory / "target-oracle"
    directory.mkdir(parents=True)
    dead, used, young = (directory / f"target.{name}.config.json" for name in ("dead", "used", "young"))
    for path in (dead, used, young):
        path.write_text("{}")
    for path in (dead, used):
        os.utime(path, (1, 1))
    with subprocess.Popen([sys.executable, "-c", "input()", "--config", str(used)], stdin=subprocess.PIPE) as process:
        assert sweep_secrets(project, datetime.now(UTC)) == [dead.name]
        process.communicate(b"\n")
    assert used.exists()
    assert young.exists()
    assert not dead.exists()

"""Old logs, rows and records go; states, young ones and what is not ended stay."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wms_ops.project import Project
from wms_ops.retention import Purged, purge
from wms_ops.system_database import SystemDatabase

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)


def insert_run(meltano, state_id: str, state: str, ended_at: datetime | None) -> None:
    with SystemDatabase(meltano.project.database_uri, meltano.root) as database:
        text = f"{ended_at or OLD:%Y-%m-%d %H:%M:%S.%f}"
        columns = "job_name, run_id, state, started_at, ended_at, last_heartbeat_at, payload, payload_flags, trigger"
        values = (state_id, os.urandom(16).hex(), state, text, text if ended_at else None, text, "{}", 0, "cli")
        database._write(f"INSERT INTO runs ({columns}) VALUES ({', '.join('?' * len(values))})", *values)


def run_log(logs: Path, run: str, written: datetime) -> Path:
    path = logs / "devtap-to-target" / run / "elt.log"
    path.parent.mkdir(parents=True)
    path.write_text("said\n")
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path


def test_what_is_old_goes_and_everything_else_stays(meltano):
    assert meltano("state", "set", "--force", "dev:tap-to-target", '{"singer_state": {"bookmarks": {}}}').returncode == 0
    for state_id, state, ended_at in (
        ("dev:tap-to-target", "SUCCESS", OLD),
        ("dev:tap-to-target", "FAIL", OLD),
        ("dev:tap-to-target", "SUCCESS", YOUNG),
        ("dev:tap-to-target", "RUNNING", None),
        ("prod:tap-to-target", "SUCCESS", OLD),
    ):
        insert_run(meltano, state_id, state, ended_at)
    given = {"MELTANO_PROJECT_ROOT": str(meltano.root), "MELTANO_ENVIRONMENT": "dev", "XDG_STATE_HOME": str(meltano.root / "state")}
    project = Project.from_environment({**given, "MELTANO_DATABASE_URI": meltano.project.database_uri})
    logs = meltano.root / "state" / "meltano" / "log" / "elt"
    old, young = run_log(logs, "a", OLD), run_log(logs, "b", YOUNG)
    project.records.mkdir(parents=True)
    for day in (OLD, YOUNG):
        (project.records / f"runs-{day:%Y-%m-%d}.jsonl").write_text("{}\n")

    assert purge(project, NOW) == Purged(logs=1, runs=2, records=1)
    assert not old.parent.exists()
    assert young.exists()
    assert [path.name for path in project.records.iterdir()] == [f"runs-{YOUNG:%Y-%m-%d}.jsonl"]
    assert meltano("state", "get", "dev:tap-to-target").returncode == 0
    assert purge(project, NOW) == Purged(0, 0, 0)


def test_logs_that_may_be_other_projects_are_left_alone(tmp_path):
    given = {"MELTANO_PROJECT_ROOT": str(tmp_path), "MELTANO_ENVIRONMENT": "dev"}
    assert Project.from_environment(given).run_logs is None
    assert Project.from_environment({**given, "XDG_STATE_HOME": "/home/somebody/.local/state"}).run_logs is None
    shared = {**given, "XDG_STATE_HOME": "/var/log/wms", "MELTANO_LOG_HOME": "/var/log/wms"}
    assert Project.from_environment(shared).run_logs == Path("/var/log/wms/meltano/log/elt")

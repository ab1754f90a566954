"""States are shown, saved, restored and reopened; Meltano reads back what was written."""

import json
import os

import pytest
from wms_ops import states
from wms_ops.__main__ import main
from wms_ops.guard import FULL, INCREMENTAL, PLAIN, decide
from wms_ops.states import StateError

STATE_ID = "dev:tap-oracle-wms--allocation-to-target-oracle"
DONE = {
    "bookmarks": {
        "allocation": {
            "replication_key": "LAST_UPDATED",
            "replication_key_value": "2026-11-22T20:10:00.000000",
            "full_sync": {"status": "done", "generation": 1},
        }
    }
}


@pytest.fixture
def synced(meltano):
    assert meltano("state", "set", "--force", STATE_ID, json.dumps({"singer_state": DONE})).returncode == 0
    return meltano


def meltano_reads(meltano) -> dict:
    return json.loads(meltano("state", "get", STATE_ID).stdout)["singer_state"]


def test_show_names_stream_and_bookmark(synced):
    (line,) = states.show(synced.project)
    assert "allocation" in line
    assert "full sync done" in line
    assert "2026-11-22T20:10:00.000000" in line


def test_redo_opens_the_full_sync_and_can_be_taken_back(synced):
    saved = states.redo(synced.project, "allocation", "allocation")
    assert saved.stat().st_mode & 0o077 == 0
    assert decide(synced.project, FULL, "allocation").status == "go"
    assert decide(synced.project, INCREMENTAL, "allocation").status == "waiting"
    assert meltano_reads(synced) == {"bookmarks": {"allocation": {"full_sync": {"status": "redo"}}}}
    assert "full sync to be redone" in states.show(synced.project)[0]
    refused = decide(synced.project, PLAIN, "allocation")
    assert (refused.status, "allocation_full_sync" in refused.message) == ("refused", True)
    assert states.restore(synced.project, saved) == 1
    assert meltano_reads(synced) == DONE


def test_redo_works_when_the_states_are_lost(meltano):
    states.redo(meltano.project, "allocation", "allocation")
    assert meltano_reads(meltano) == {"bookmarks": {"allocation": {"full_sync": {"status": "redo"}}}}


def test_redo_of_one_entity_leaves_the_others_of_the_plain_state(synced):
    plain = {"bookmarks": {name: {"full_sync": {"status": "done"}} for name in ("allocation", "order_hdr")}}
    state_id = synced.project.plain_state_id
    assert synced("state", "set", "--force", state_id, json.dumps({"singer_state": plain})).returncode == 0
    states.redo(synced.project, "allocation", "allocation")
    assert list(json.loads(synced("state", "get", state_id).stdout)["singer_state"]["bookmarks"]) == ["order_hdr"]


def test_redo_of_an_unknown_entity_is_refused(synced):
    with pytest.raises(StateError, match="nothing_full_sync"):
        states.redo(synced.project, "nothing", None)


def test_redo_during_a_run_is_refused(synced):
    process = synced.start()
    with pytest.raises(StateError, match="at work"):
        states.redo(synced.project, "allocation", "allocation")
    synced.finish()
    assert process.wait(30) == 0


@pytest.fixture
def own_umask():
    """The command sets one for its process, which here is the tests'."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("own_umask")
def test_the_command_shows_saves_and_puts_back(synced, tmp_path, monkeypatch, capsys):
    given = {"PROJECT_ROOT": str(synced.root), "ENVIRONMENT": "dev", "DATABASE_URI": synced.project.database_uri}
    for name, value in given.items():
        monkeypatch.setenv(f"MELTANO_{name}", value)
    saved = tmp_path / "states.json"
    assert main(["state", "show"]) == 0
    assert "full sync done" in capsys.readouterr().out
    assert main(["state", "export", str(saved)]) == 0
    assert saved.stat().st_mode & 0o077 == 0
    assert synced("state", "clear", "--force", STATE_ID).returncode == 0
    assert main(["state", "restore", str(saved)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"1 states saved to {saved}", f"1 states restored from {saved}"]
    assert meltano_reads(synced) == DONE
    assert main(["state", "export"]) == 2
    assert main(["state", "restore", str(tmp_path / "nothing.json")]) == 1
    assert "nothing.json" in capsys.readouterr().err


def test_a_file_of_another_environment_or_kind_is_refused(synced, tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"environment": "prod", "states": {}}))
    with pytest.raises(StateError, match="prod"):
        states.restore(synced.project, path)
    path.write_text("[]")
    with pytest.raises(StateError, match=r"saved\.json"):
        states.restore(synced.project, path)

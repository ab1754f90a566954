"""--test-connection, --health-check, the command line, and what reaches standard output."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import oracledb
import pytest
from oracle_connection.contract import Mode
from target_oracle import checks


@pytest.fixture
def settings_file(warehouse, tmp_path):
    def write(**changes):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**warehouse.config, **changes}))
        return str(path)

    return write


def command(*arguments, stdin=""):
    done = subprocess.run(
        [sys.executable, "-m", "target_oracle", *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_connection_test_prints_a_line_for_each_check(warehouse, settings_file):
    code, out, _ = command("--config", settings_file(), "--test-connection")
    lines = out.splitlines()
    assert code == 0, out
    found = {line[9:].partition(":")[0]: line.split()[0] for line in lines}
    assert set(found) == {
        "connect and log in", "schema", "privileges", "quota and free space", "free space", "create, load and drop a table",
        "direct path", "clock",
    }  # fmt: skip
    assert set(found.values()) <= {"ok", "warning"}
    assert (found["create, load and drop a table"], found["direct path"]) == ("ok", "ok")
    assert warehouse.query("SELECT COUNT(*) FROM USER_TABLES WHERE TABLE_NAME LIKE 'WMS\\_CHECK\\_%' ESCAPE '\\'") == [(0,)]


@pytest.fixture
def tenant(oracle_mimic):
    """A user that may create tables and has no quota."""
    name = f"TENANT_{uuid.uuid4().hex[:8].upper()}"
    boss = oracledb.connect(user="TESTER", password=oracle_mimic.users["TESTER"], dsn=oracle_mimic.dsn)
    for statement in (f'CREATE USER {name} IDENTIFIED BY "Tenant_1234"', f"GRANT CREATE SESSION, CREATE TABLE TO {name}"):
        boss.cursor().execute(statement)
    yield {"username": name, "password": "Tenant_1234"}
    boss.cursor().execute(f"DROP USER {name} CASCADE")
    boss.close()


@pytest.mark.mimic_only
def test_a_user_without_quota_fails_at_each_check_that_writes(settings_file, tenant):
    code, out, _ = command("--config", settings_file(**tenant), "--test-connection")
    found = {line[9:].partition(":")[0]: line for line in out.splitlines() if not line.startswith("ok")}
    assert code == 1
    assert set(found) == {"quota and free space", "create, load and drop a table", "direct path"}, out
    assert "no quota" in found["quota and free space"]
    assert "ORA-01950" in found["create, load and drop a table"]
    assert found["direct path"].startswith("warning")
    assert "ORA-01950" in found["direct path"]


def test_a_wrong_password_fails_with_code_and_remedy_and_shows_no_password(settings_file):
    code, out, err = command("--config", settings_file(password="Wrong_secret_1"), "--test-connection")
    assert code == 1
    assert "ORA-01017" in out
    assert "username and password" in out
    assert "Wrong_secret_1" not in out + err


def test_health_is_one_object(warehouse, settings_file, make_stream):
    stream = make_stream(mode=Mode.FULL, generation=3)
    warehouse.load([stream.schema(), stream.chunk(0, [{"ID": 1}]), stream.full_sync(1, 1)])
    code, out, _ = command("--config", settings_file(), "--health-check")
    answer = json.loads(out)
    assert (code, answer["status"]) in {(0, "healthy"), (1, "degraded")}
    assert answer["direct_path"] is True
    (table,) = [each for each in answer["tables"] if each["table"] == f"{warehouse.prefix}ITEMS"]
    assert table["full_sync"] == "done"
    assert table["age_seconds"] >= 0


def test_a_database_that_is_down_is_down(settings_file):
    code, out, _ = command("--config", settings_file(dsn="127.0.0.1:1/NOWHERE", connect_timeout_seconds=1), "--health-check")
    answer = json.loads(out)
    assert (code, answer["status"], answer["error"]["class"]) == (2, "down", "retriable")


def test_a_failed_run_says_why_in_one_line_and_exits_1(settings_file, make_stream):
    stream = make_stream()
    code, out, err = command("--config", settings_file(), stdin=json.dumps(stream.schema()) + "\nnot json\n")
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert "is not a JSON message" in err


def test_standard_output_holds_states_only_and_the_file_is_gone(settings_file, make_stream):
    stream = make_stream(mode=Mode.FULL_TABLE, generation=1)
    batch = stream.batch([{"ID": 1, "NAME": "a"}])
    feed = [stream.schema(), batch, {"type": "STATE", "value": {"n": 1.5, "big": 10**20}}]
    code, out, err = command("--config", settings_file(), stdin="".join(json.dumps(each) + "\n" for each in feed))
    assert code == 0, err
    assert out == '{"n": 1.5, "big": 100000000000000000000}\n'
    assert not Path(stream.directory).exists()


def test_an_idle_run_neither_connects_nor_loads_what_it_does_not_need(settings_file, make_stream):
    stream = make_stream()
    feed = [stream.schema(), {"type": "STATE", "value": {"n": 1}}]
    program = (
        "import sys; sys.argv[0]='target-oracle'\n"
        "from target_oracle.target import TargetOracle\n"
        "import atexit\n"
        "atexit.register(lambda: sys.stderr.write('LOADED ' + ' '.join(sorted({'oracledb','sqlalchemy'} & set(sys.modules)))))\n"
        "TargetOracle.cli()\n"
    )
    arguments = ["--config", settings_file(dsn="127.0.0.1:1/NOWHERE")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input="".join(json.dumps(each) + "\n" for each in feed),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"n": 1}\n'
    assert done.stderr.rstrip().endswith("LOADED")


def test_every_setting_is_documented(settings_file):
    code, out, _ = command("--about", "--format=json")
    assert code == 0
    settings = json.loads(out)["settings"]["properties"]
    assert all(each.get("description") for each in settings.values())
    assert settings["batch_size_rows"]["default"] == 5000
    assert settings["add_record_metadata"]["default"] is True


def test_no_privilege_no_pass(warehouse):
    missing = checks.Checks({**warehouse.config, "schema": "NOBODY_AT_ALL"})
    with pytest.raises(ValueError, match="does not exist"):
        missing.schema()
    missing.close()

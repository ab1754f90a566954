"""A selected name that does not exist is an error that says which one is meant, whoever applies the selection."""

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
from oracle_connection.errors import ConfigurationError
from tap_oracle_wms.select_rules import check_rules

STREAMS = {"allocation": {"ALLOCATION_ID", "LAST_UPDATED"}, "order_hdr": {"ORDER_ID"}, "a.b": {"X"}}
MELTANO = Path(__file__).parents[3] / ".tools" / "meltano" / "bin" / "meltano"


def rules(select=None, metadata=None, **more):
    given = {"MELTANO_EXTRACT__SELECT": select, "MELTANO_EXTRACT__METADATA": metadata}
    return {name: json.dumps(value) for name, value in given.items() if value is not None} | more


@pytest.mark.parametrize(
    "select",
    [["*.*"], ["allocation.*", "!allocation.LAST_*"], ["order_hdr"], ["*.ORDER_ID"], ["a\\.b.X"], ["!order_hdr.*", "*.*", "!*.*SSN*"], []],
)
def test_rules_that_match_something_are_let_through(select):
    check_rules(rules(select), STREAMS)


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (["alocation.*"], "did you mean allocation"),
        (["allocation.*", "nothing_like_it.*"], "there are a.b, allocation, order_hdr"),
        (["allocation.LAST_UPDATE"], "did you mean LAST_UPDATED"),
        (["!allocation.last_updated"], "did you mean LAST_UPDATED"),
        (["x*"], "no stream x"),
        (["allocation.Z*"], r"no column Z\*"),
    ],
)
def test_rules_that_match_nothing_are_errors(select, message):
    with pytest.raises(ConfigurationError, match=message):
        check_rules(rules(select), STREAMS)
    with pytest.raises(ConfigurationError, match="select_filter"):
        check_rules({"MELTANO_EXTRACT__SELECT_FILTER": '["nope"]'}, STREAMS)


def test_names_in_the_metadata_are_checked_too():
    check_rules(rules(metadata={"*": {"replication-key": "X"}, "allocation": {"LAST_UPDATED": {"selected": True}}}), STREAMS)
    with pytest.raises(ConfigurationError, match="no stream order_hdrs; did you mean order_hdr"):
        check_rules(rules(metadata={"order_hdrs": {"replication-method": "FULL_TABLE"}}), STREAMS)
    check_rules(rules(metadata={"allocation.replication-key": "X", "allocation.LAST_UPDATED.selected": True}), STREAMS)
    for wrong in (
        {"allocation": {"LAST": {"selected": True}}},
        {"allocation.LAST": {"selected": True}},
        {"allocation.LAST.selected": True},
    ):
        with pytest.raises(ConfigurationError, match="no column LAST"):
            check_rules(rules(metadata=wrong), STREAMS)


def test_outside_of_meltano_and_with_a_catalog_of_ones_own_there_are_no_rules():
    check_rules({}, STREAMS)
    check_rules(rules(["nope.*"], MELTANO_EXTRACT__CATALOG="catalog.json"), STREAMS)


def test_meltanos_rules_are_for_meltanos_catalog_only(database, command, tmp_path, monkeypatch):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY)")
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["u.*"]')
    catalog = command()("--discover").text
    for name, code in (("my-own.json", 0), ("tap.properties.json", 78)):
        path = tmp_path / name
        path.write_text(catalog)
        key = path.with_suffix(".cache_key")
        key.touch()
        assert command()("--catalog", str(path)).exit_code == code
        assert key.exists() is (code == 0)  # a rule that matches nothing makes the next run discover again


def test_a_catalog_that_selects_a_column_its_schema_lacks_is_refused(database, command, run_tap):
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY)")
    catalog = json.loads(command()("--discover").text)
    wrong = copy.deepcopy(catalog)
    wrong["streams"][0]["metadata"].append({"breadcrumb": ["properties", "NOPE"], "metadata": {"selected": True}})
    assert run_tap(catalog=catalog).of("SCHEMA")
    with pytest.raises(ConfigurationError, match="column NOPE of stream t"):
        run_tap(catalog=wrong)


@pytest.mark.skipif(not MELTANO.exists(), reason="needs the Meltano that ./setup.sh installs")
def test_meltano_fails_on_a_name_that_does_not_exist(database, tmp_path):
    """Without the check it says a warning, reads nothing and succeeds."""
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, N NUMBER(5))")
    tap = tmp_path / "tap"
    tap.write_text(f'#!/bin/sh\nexec {os.sys.executable} -c "from tap_oracle_wms.tap import TapOracleWms; TapOracleWms.cli()" "$@"\n')
    tap.chmod(0o700)
    plugin = {
        "name": "tap-x", "namespace": "tap_x", "executable": str(tap), "capabilities": ["catalog", "discover", "state"],
        "settings": [{"name": "dsn"}, {"name": "username"}, {"name": "password", "sensitive": True}],
        "config": {name: value for name, value in database.config().items() if name in {"dsn", "username", "password"}},
        "select": ["t.N", "t.NN"],
    }  # fmt: skip
    project = {
        "project_id": "5c0d0f5e-6f0c-4b0e-9a57-2f5f3f1d8a11", "send_anonymous_usage_stats": False, "cli": {"disable_version_check": True},
        "default_environment": "dev", "environments": [{"name": "dev"}], "plugins": {"extractors": [plugin]},
    }  # fmt: skip
    (tmp_path / "meltano.yml").write_text(json.dumps(project))

    run = subprocess.run([MELTANO, "invoke", "tap-x"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "was not found in the schema" in run.stderr  # Meltano's own warning: it would have gone on
    assert "no column NN; did you mean N?" in run.stderr

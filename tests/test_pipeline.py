"""The pipeline end to end: every entity, full and then incremental, and what must never happen by accident."""

import json
import os
import re
import subprocess
import textwrap

import jsonschema
import pytest
import yaml

from tests.pipeline import PASSWORDS, ROOT, Pipeline

pytestmark = pytest.mark.timeout(900)

ENTITIES = ("allocation", "order_hdr", "order_dtl")
INCREMENTALS = tuple(f"{entity}_incremental_sync" for entity in ENTITIES)


def private(pipeline: Pipeline) -> None:
    """Nothing with a password is left behind, and nobody else could have read it."""
    run = pipeline.root / ".meltano" / "run"
    left = [path for path in run.rglob("*") if path.is_file() and any(word in path.read_text() for word in PASSWORDS.values())]
    assert left == []
    assert [path for path in run.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077] == []


def test_full_then_incremental_of_all_entities(pipeline):
    pipeline.demo("seed", "--orders", "300")

    said = pipeline.meltano("run", "allocation_incremental_sync", code=1)
    assert "waiting for the full sync" in said
    assert [record["status"] for record in pipeline.records(component="wms-ops")] == ["waiting"]

    said = pipeline.meltano("run", "allocation_full_sync")
    assert re.search(r"allocation: 100 % read, [\d,]+ rows, [\d,]+ rows/s", said)
    assert pipeline.bookmark("allocation")["full_sync"]["status"] == "done"
    said = pipeline.meltano("run", "allocation_full_sync", code=1)
    assert "meltano invoke wms-ops redo allocation" in said
    before = len(pipeline.records(component="target-oracle", stream="allocation"))

    # What is done stays done; the rest and the master data follow.
    said = pipeline.meltano("run", "wms_full_sync")
    assert "allocation: the full sync is done already" in said
    assert len(pipeline.records(component="target-oracle", stream="allocation")) == before
    pipeline.demo("compare")

    pipeline.demo("live", "--transactions", "25", "--pause-seconds", "0", "--late-seconds", "0.2")
    pipeline.meltano("run", *INCREMENTALS, "item_master_incremental_sync", "location_incremental_sync")
    pipeline.demo("compare")
    private(pipeline)

    schema = json.loads((ROOT / "docs" / "run-record.schema.json").read_text())
    records = pipeline.records()
    for record in records:
        jsonschema.validate(record, schema)
    for tap in pipeline.records(component="tap-oracle-wms"):
        (target,) = pipeline.records(component="target-oracle", run_id=tap["run_id"], stream=tap["stream"])
        assert (tap["status"], target["status"]) == ("success", "success")

    # One digit of one value is enough.
    ((key,),) = pipeline.query("ANALYTICS", "SELECT MIN(ALLOCATION_ID) FROM ALLOCATION")
    pipeline.execute("ANALYTICS", "UPDATE ALLOCATION SET QUANTITY_ALLOCATED = QUANTITY_ALLOCATED + 0.0001 WHERE ALLOCATION_ID = :1", key)
    said = pipeline.demo("compare", code=1)
    assert f"ALLOCATION {key}: QUANTITY_ALLOCATED is" in said
    assert "1 DIFFERENCES" in said


def test_a_second_full_sync_is_never_an_accident_and_redo_repairs(pipeline):
    pipeline.demo("seed", "--orders", "100")
    pipeline.meltano("run", "order_hdr_full_sync")
    pipeline.execute("ANALYTICS", "UPDATE ORDER_HDR SET SHIP_TO_CITY = 'Nowhere' WHERE ORDER_ID = 1000005")
    # What meets no guard meets the target, and leaves the state as it was.
    before = pipeline.bookmark("order_hdr")
    said = pipeline.meltano("run", "--full-refresh", "tap-oracle-wms--order_hdr", "target-oracle", code=1)
    assert "meltano invoke wms-ops redo order_hdr" in said
    assert pipeline.bookmark("order_hdr") == before
    pipeline.demo("compare", "--tables", "ORDER_HDR", code=1)
    assert "open again" in pipeline.meltano("invoke", "wms-ops", "redo", "order_hdr")
    pipeline.meltano("run", "order_hdr_full_sync")
    pipeline.demo("compare", "--tables", "ORDER_HDR")


def test_the_plain_command_is_full_first_and_incremental_from_then_on(pipeline):
    pipeline.demo("seed", "--orders", "100")
    pipeline.meltano("run", "allocation_full_sync")
    # Meltano itself, past the guard that bin/meltano puts in front of the plain pair.
    assert "meltano invoke wms-ops redo allocation" in pipeline.bare_meltano("run", "tap-oracle-wms", "target-oracle", code=1)
    pipeline.meltano("run", "tap-oracle-wms", "target-oracle")
    modes = {record["stream"]: record["mode"] for record in pipeline.records(component="tap-oracle-wms")[-3:]}
    assert modes == {"allocation": "incremental", "order_hdr": "full", "order_dtl": "full"}
    pipeline.demo("compare", "--tables", "ALLOCATION", "ORDER_HDR", "ORDER_DTL")
    pipeline.demo("live", "--transactions", "10", "--pause-seconds", "0", "--late-seconds", "0.1")
    pipeline.meltano("run", "tap-oracle-wms", "target-oracle")
    pipeline.demo("compare", "--tables", "ALLOCATION", "ORDER_HDR", "ORDER_DTL")
    # The jobs know what the plain command has done.
    assert "runs only once" in pipeline.meltano("run", "order_hdr_full_sync", code=1)
    pipeline.meltano("run", "order_hdr_incremental_sync")


def test_a_new_column_in_the_source_arrives(pipeline):
    pipeline.demo("seed", "--orders", "50")
    pipeline.meltano("run", "order_hdr_full_sync")
    pipeline.execute("WMS", "ALTER TABLE ORDER_HDR ADD (GIFT_MESSAGE VARCHAR2(80 CHAR))")
    pipeline.execute(
        "WMS", "UPDATE ORDER_HDR SET GIFT_MESSAGE = 'Parabéns!', LAST_UPDATED = SYS_EXTRACT_UTC(SYSTIMESTAMP) WHERE ORDER_ID = 1000007"
    )
    # The first run notices and tells; the next one knows the column, and reads again what changed within the skew.
    assert "GIFT_MESSAGE is new" in pipeline.meltano("run", "order_hdr_incremental_sync")
    pipeline.meltano("run", "order_hdr_incremental_sync")
    assert "24 columns: equal" in pipeline.demo("compare", "--tables", "ORDER_HDR")
    assert pipeline.query("ANALYTICS", "SELECT GIFT_MESSAGE FROM ORDER_HDR WHERE ORDER_ID = 1000007") == [("Parabéns!",)]
    drift = [record["schema_changes"] for record in pipeline.records(stream="order_hdr") if record["schema_changes"]]
    assert any("GIFT_MESSAGE" in change for changes in drift for change in changes)


def test_a_wrong_password_fails_once_clearly_and_leaves_no_secret(pipeline):
    pipeline.demo("seed", "--orders", "20")
    pipeline.write_env(".env", {**pipeline.connection(), "WMS_ORACLE_PASSWORD": "not-the-password"})
    said = pipeline.meltano("run", "allocation_full_sync", code=1)
    assert "ORA-01017" in said
    assert "not-the-password" not in said


def test_the_connections_are_tested_one_line_each(pipeline):
    pipeline.demo("seed", "--orders", "20")
    names = ("source (tap-oracle-wms)", "target (target-oracle)", "transformations (dbt)")
    said = pipeline.script("test-connections.sh").splitlines()
    assert [line for line in said if line.startswith("ok ")] == [f"ok      {name}" for name in names]
    pipeline.write_env(".env", {**pipeline.connection(), "TARGET_ORACLE_PASSWORD": "not-the-password"})
    said = pipeline.script("test-connections.sh", code=1)
    failed = [line for line in said.splitlines() if line.startswith("FAILED")]
    assert [line.split(":")[0] for line in failed] == [f"FAILED  {name}" for name in names[1:]]
    assert "TARGET_ORACLE_* in .env" in failed[0]
    assert "ORA-01017" in said
    assert "not-the-password" not in said


def test_each_environment_reads_its_own_variables(pipeline):
    pipeline.demo("seed", "--orders", "20")
    pipeline.write_env(".env", {**pipeline.connection(), "WMS_ORACLE_HOST": "dev.invalid"})
    pipeline.write_env(".env.staging", {**pipeline.connection(), "WMS_ORACLE_HOST": "staging.invalid"})
    pipeline.write_env(".env.prod", pipeline.connection())
    for environment, host in (("dev", "dev.invalid"), ("staging", "staging.invalid"), ("prod", "127.0.0.1")):
        config = pipeline.meltano("--log-level", "error", f"--environment={environment}", "config", "print", "tap-oracle-wms--allocation")
        assert json.loads(config[config.index("{") :])["host"] == host
    # The common file may also say which environment this machine is.
    pipeline.write_env(".env", {"MELTANO_ENVIRONMENT": "prod"})
    assert "Environment 'prod' is active" in pipeline.meltano("run", "allocation_full_sync")
    pipeline.demo("compare", "--tables", "ALLOCATION")


def test_a_missing_variable_gives_one_clear_line(pipeline):
    pipeline.write_env(".env", {**pipeline.connection(), "WMS_ORACLE_USERNAME": "", "TARGET_ORACLE_HOST": ""})
    said = pipeline.meltano("run", "allocation_full_sync", code=1)
    (line,) = [line for line in said.splitlines() if "WMS_ORACLE_USERNAME" in line]
    assert "TARGET_ORACLE_HOST or TARGET_ORACLE_DSN" in line
    assert "not set; fill it in in .env" in line
    (record,) = pipeline.records()
    assert (record["component"], record["error"]["class"]) == ("wms-ops", "configuration")


def test_a_wrong_variable_is_named_with_its_value(pipeline):
    pipeline.write_env(".env", {**pipeline.connection(), "WMS_ORACLE_SERVICE_NAME": "NOWHERE"})
    said = pipeline.meltano("run", "allocation_full_sync", code=1)
    assert f"cannot connect to 127.0.0.1:{pipeline.mimic.port}/NOWHERE as WMS" in said
    assert "ORA-12514" in said
    assert not any(password in said for password in PASSWORDS.values())


def test_meltano_reads_no_setting_that_the_plugins_do_not_have(installed):
    """meltano.yml declares a subset of the plugins' own settings, under the same names."""
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
    for kind, name in (("extractors", "tap-oracle-wms"), ("loaders", "target-oracle")):
        executable = ROOT / ".meltano" / kind / name / "venv" / "bin" / name
        about = subprocess.run([executable, "--about", "--format=json"], capture_output=True, text=True, check=True, env={**os.environ})
        own = set(json.loads(about.stdout)["settings"]["properties"])
        declared = {setting["name"] for plugin in plugins[kind] if plugin["name"] == name for setting in plugin["settings"]}
        assert declared <= own


def test_an_entity_is_added_by_following_the_page(pipeline):
    page = (ROOT / "docs" / "adding-an-entity.md").read_text()
    blocks = [textwrap.dedent(block) for block in re.findall(r"^ *```yaml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)]
    tap, guards, jobs, schedules = (yaml.safe_load(block) for block in blocks)
    project = yaml.safe_load((pipeline.root / "meltano.yml").read_text())
    project["plugins"]["extractors"] += tap
    project["plugins"]["utilities"][0]["commands"] |= guards
    project["jobs"] += jobs
    project["schedules"] += schedules
    (pipeline.root / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    pipeline.execute(
        "WMS",
        "CREATE TABLE SHIPMENT (SHIPMENT_ID NUMBER(19) PRIMARY KEY, CARRIER VARCHAR2(30 CHAR), WEIGHT NUMBER, "
        "LAST_UPDATED TIMESTAMP(6) NOT NULL)",
    )
    insert = "INSERT INTO SHIPMENT VALUES (:1, 'Própria', 1.5, SYS_EXTRACT_UTC(SYSTIMESTAMP))"
    pipeline.execute("WMS", insert, 1)
    assert "waiting" in pipeline.meltano("run", "shipment_incremental_sync", code=1)
    pipeline.meltano("run", "shipment_full_sync")
    pipeline.execute("WMS", insert, 2)
    pipeline.meltano("run", "shipment_incremental_sync")
    assert "2 rows" in pipeline.demo("compare", "--tables", "SHIPMENT")
    assert "runs only once" in pipeline.meltano("run", "shipment_full_sync", code=1)

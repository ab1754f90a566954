"""The Singer SDK's own tests for taps, and a foreign target: RECORD mode is plain Singer."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.testing.suites import tap_stream_attribute_tests, tap_stream_tests, tap_tests
from tap_oracle_wms.tap import TapOracleWms

DDL = (
    "CREATE TABLE T (ID NUMBER(19) PRIMARY KEY, AMOUNT NUMBER(19,4), WEIGHT NUMBER, NAME VARCHAR2(50 CHAR), BORN DATE,"
    " UPDATED TIMESTAMP(6), ZONED TIMESTAMP(6) WITH TIME ZONE, FILE_DATA BLOB)"
)
INSERT = "INSERT INTO T VALUES ({id}, 1.5, 0.1, 'Ação', DATE '1990-02-01', SYSTIMESTAMP, SYSTIMESTAMP, HEXTORAW('00FF'))"  # fmt: skip
UV = Path(__file__).parents[3] / ".tools" / "bin" / "uv"


@pytest.fixture
def table(database):
    database.run(DDL, *(INSERT.format(id=number) for number in range(3)))
    return database


def test_the_sdks_standard_tests_pass(table, tmp_path):
    config = table.config(run_record_dir=str(tmp_path), entities={"t": {"table": "T", "replication_key": "UPDATED"}})
    suite_config = SuiteConfig(max_records_limit=2)
    runner = TapTestRunner(TapOracleWms, config=config, suite_config=suite_config)
    runner.sync_all()
    ran = []
    for test in tap_tests.tests:
        test().run(suite_config, None, runner)
        ran.append(test.name)
    for stream in runner.new_tap().streams.values():
        for test in tap_stream_tests.tests:
            test().run(suite_config, None, runner, stream)
            ran.append(test.name)
        for test in tap_stream_attribute_tests.tests:
            for name, schema in stream.schema["properties"].items():
                if test.evaluate(stream, name, schema):
                    test().run(suite_config, None, runner, stream, name)
                    ran.append(test.name)
    assert {"discovery", "stream_connections", "valid_final_state", "record_matches_stream_schema", "primary_keys", "is_datetime"} <= set(
        ran
    )
    assert len(runner.records["t"]) == 2


@pytest.mark.long
@pytest.mark.skipif(not UV.exists() and shutil.which("uv") is None, reason="needs uv to run another project's target")
def test_target_jsonl_of_the_registry_takes_our_records(table, command, tmp_path):
    output = command(entities={"t": {"table": "T", "replication_key": "UPDATED"}}, transfer="auto")()
    uv = str(UV) if UV.exists() else "uv"
    config = tmp_path / "jsonl.json"
    config.write_text(json.dumps({"destination_path": str(tmp_path), "do_timestamp_file": False}))
    target = subprocess.run(
        [uv, "tool", "run", "target-jsonl@0.1.4", "--config", str(config)], input=output.text, text=True, capture_output=True, check=False
    )
    assert target.returncode == 0, target.stderr
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    assert [json.loads(line)["ID"] for line in lines] == [0, 1, 2]
    assert all('"AMOUNT": 1.5' in line and '"NAME": ' in line for line in lines)

"""The run record against docs/run-record.schema.json."""

import json
from pathlib import Path

import jsonschema
import pytest
from oracle_connection.errors import ConfigurationError
from oracle_connection.run_record import RunRecord

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "run-record.schema.json").read_text())


def _record() -> RunRecord:
    return RunRecord("tap-oracle-wms", "0.1.0", "run-1", "allocation", table="WMS.ALLOCATION", mode="full")


def test_a_finished_record_is_valid_and_has_every_field_of_the_schema() -> None:
    record = _record()
    record.rows = 10
    record.finish("success")
    value = json.loads(record.line())
    jsonschema.validate(value, SCHEMA)
    assert set(value) == set(SCHEMA["properties"])


def test_a_failure_is_noted_with_class_and_code() -> None:
    record = _record()
    record.fail(ConfigurationError("cannot read", code="ORA-00942"))
    record.finish()
    value = json.loads(record.line())
    jsonschema.validate(value, SCHEMA)
    assert value["status"] == "failed"
    assert value["error"] == {"class": "configuration", "code": "ORA-00942", "message": "cannot read"}


def test_lines_are_appended_to_the_days_file_which_only_its_owner_may_read(tmp_path: Path) -> None:
    for _ in range(2):
        record = _record()
        record.finish("success")
        path = record.append(tmp_path / "monitoring")
    assert path is not None
    assert path.name == f"runs-{record.ended_at[:10]}.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 2


def test_without_a_directory_the_line_goes_to_stderr_and_never_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    record = _record()
    record.finish("success")
    record.append(None)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("RUN {")

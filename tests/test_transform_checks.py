"""What is checked of the transformations without a database: style, dbt's own parse, and what Oracle rejects."""

import json
import subprocess
import sys

import pytest

from scripts import data_models_doc
from scripts.check_oracle_sql import findings
from tests.transform import DBT_PYTHON, ROOT, TRANSFORM


def run(*command, **variables):
    done = subprocess.run(command, cwd=TRANSFORM, env=variables or None, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_gate_finds_nothing_in_the_project():
    code, said = run(sys.executable, ROOT / "scripts" / "check_oracle_sql.py")
    assert (code, said.strip()) == (0, "0 findings")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select a = 1 as flag from t", "ORA-00923"),
        ("select true as flag from t", "ORA-00904"),
        ("select a from t limit 5", "ORA-00933"),
        ("select _sdc_batched_at from t", "ORA-00911"),
        ("select t.level from t", "ORA-00904"),
        ("select a as date from t", "ORA-00904"),
        ("select 1 as id", "ORA-00923"),
        ("select *, a from t", "ORA-00923"),
        ("with a as (with b as (select x from t) select x from b) select x from a", "ORA-32034"),
        ("select upper(a) as name, count(*) from t group by name", "ORA-00904"),
        ("select a from t where b = ''", "NULL"),
        ("select extract(dow from a) from t", "ORA-00907"),
        ("select to_date(a) from t", "ORA-01861"),
        ("select to_timestamp(substr(a, 1)) from t", "ORA-01861"),
        ("select a, from t where", "ORA-00900"),
    ],
)
def test_the_gate_rejects(sql, said):
    assert said in "\n".join(findings(sql))


@pytest.mark.parametrize(
    "sql",
    [
        'select t."_SDC_BATCHED_AT" as batched_at, t."LEVEL" as shelf from t where rownum < 5 fetch first 3 rows only',
        "select t.*, case when a = 1 then 'Y' else 'N' end as flag from t",
        "with a as (select x from t), b as (select x from a) select x from b",
        "select trunc(a) as a, b as b, count(*) as n from t group by trunc(a), b",
        "select to_date(a, 'YYYY-MM-DD'), extract(hour from b), to_char(c, 'DY', 'NLS_DATE_LANGUAGE=ENGLISH') from t",
    ],
)
def test_the_gate_lets_pass(sql):
    assert list(findings(sql)) == []


def test_style():
    code, said = run(sys.executable, "-m", "sqlfluff", "lint", "--disable-progress-bar", "models", "tests/rules")
    assert code == 0, said


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """dbt's own description of the project, by a parse that may not even warn."""
    tmp_path = tmp_path_factory.mktemp("parse")
    nowhere = {
        "TARGET_ORACLE_USERNAME": "NOBODY",
        "TARGET_ORACLE_PASSWORD": "none",
        "TARGET_ORACLE_HOST": "127.0.0.1",
        "PATH": "/usr/bin:/bin",
    }
    own = {"DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    code, said = run(DBT_PYTHON.with_name("dbt"), "--warn-error", "parse", "--profiles-dir", "profiles", **nowhere, **own)
    assert code == 0, said
    return json.loads((tmp_path / "manifest.json").read_text())


def test_everything_is_described_and_marts_have_contracts(manifest):
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert [node["name"] for node in models if not node["description"]] == []
    assert [f"{node['name']}.{name}" for node in models for name, column in node["columns"].items() if not column["description"]] == []
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert [node["name"] for node in tests if not node["description"]] == []
    assert [node["name"] for node in models if node["path"].startswith("marts") and not node["contract"]["enforced"]] == []
    macros = [each for each in manifest["macros"].values() if each["package_name"] == "wms" and each["name"].startswith("oracle_")]
    documented = {each["name"] for each in macros if each["description"] and all(argument["description"] for argument in each["arguments"])}
    assert {"oracle_analyze_table", "oracle_running_totals", "oracle_percentile_analysis", "oracle_data_quality_checks"} <= documented


def test_the_documentation_is_of_this_project(manifest):
    """If this fails: .venv/bin/python scripts/data_models_doc.py"""
    assert data_models_doc.PAGE.read_text() == data_models_doc.page(manifest)
    assert data_models_doc.PICTURE.read_text() == data_models_doc.picture(manifest)

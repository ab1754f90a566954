"""What the environment and its files say."""

import pytest
from wms_ops.project import Project, ProjectError, read_env_file


def project(root, **variables: str) -> Project:
    return Project.from_environment({"MELTANO_PROJECT_ROOT": str(root), "MELTANO_ENVIRONMENT": "prod", **variables})


def test_runs_get_our_variables_without_those_of_the_env_file(tmp_path):
    (tmp_path / ".env").write_text("# comment\nWMS_ORACLE_PASSWORD='old one'\nexport WMS_ORACLE_HOST=a\nWMS_ORACLE_PORT=1521\n")
    given = {"WMS_ORACLE_PASSWORD": "old one", "WMS_ORACLE_HOST": "a", "WMS_ORACLE_PORT": "1600", "PATH": "/bin"}
    # The port was set by hand: it wins over the file, and goes on winning.
    assert project(tmp_path).variables_for_runs(given) == {"WMS_ORACLE_PORT": "1600", "PATH": "/bin"}


def test_an_environment_s_own_file_takes_the_place_of_the_common_one(tmp_path):
    (tmp_path / ".env").write_text("A=1\n")
    assert read_env_file(project(tmp_path).env_file) == {"A": "1"}
    (tmp_path / ".env.prod").write_text("B=2\n")
    assert read_env_file(project(tmp_path).env_file) == {"B": "2"}
    assert project(tmp_path, MELTANO_ENV_FILE="var/x").env_file == tmp_path / "var" / "x"


def test_states_that_are_elsewhere_are_refused(tmp_path):
    with pytest.raises(ProjectError, match="MELTANO_STATE_BACKEND_URI"):
        project(tmp_path, MELTANO_STATE_BACKEND_URI="s3://bucket")


def test_state_ids_are_those_of_meltano(tmp_path):
    assert project(tmp_path).state_id("allocation") == "prod:tap-oracle-wms--allocation-to-target-oracle"
    assert project(tmp_path, MELTANO_STATE_ID_SUFFIX="x").plain_state_id == "prod:tap-oracle-wms-to-target-oracle:x"


def test_missing_variables_are_named_with_their_alternatives(tmp_path):
    given = {"WMS_OPS_REQUIRED_VARIABLES": "A|B C D", "B": "1", "C": "", "D": "2"}
    assert project(tmp_path, **given).missing == ("C",)
    assert project(tmp_path, **{**given, "B": ""}).missing == ("A or B", "C")
    assert project(tmp_path).missing == ()

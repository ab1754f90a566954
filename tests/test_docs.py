"""What README, .env.example and the other pages name exists: commands, jobs, variables, paths."""

import configparser
import re
import shlex

import pytest
import yaml
from wms_ops.__main__ import main as wms_ops
from wms_ops.scheduler import TERMINATE_SECONDS

from tests.pipeline import ROOT

PAGES = ["README.md", "CONTRIBUTING.md", "docs/adding-an-entity.md"]
MELTANO = yaml.safe_load((ROOT / "meltano.yml").read_text())
JOBS = {job["name"] for job in MELTANO["jobs"]}
SCHEDULES = {schedule["name"] for schedule in MELTANO["schedules"]}
PLUGINS = {plugin["name"] for kind in MELTANO["plugins"].values() for plugin in kind}
COMMANDS = {plugin["name"]: plugin.get("commands", {}) for kind in MELTANO["plugins"].values() for plugin in kind}
NOT_YET_MADE = {"shipment_full_sync", "shipment_incremental_sync"}  # made by following docs/adding-an-entity.md


def code(page: str) -> list[str]:
    """Code spans and lines of code blocks that are commands."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [each for each in lines + spans if each]


def commands(page: str, first: str) -> list[list[str]]:
    return [shlex.split(each) for each in code(page) if each.split()[0] == first]


@pytest.mark.parametrize("page", PAGES)
def test_jobs_that_meltano_runs_exist(page):
    for words in commands(page, "meltano"):
        if "run" not in words:
            continue
        for name in words[words.index("run") + 1 :]:
            assert name.startswith("-") or name in JOBS | PLUGINS | NOT_YET_MADE, words


@pytest.mark.parametrize("page", PAGES)
def test_what_meltano_invokes_exists(page, capsys):
    for words in commands(page, "meltano"):
        if words[1] != "invoke":
            continue
        plugin, _, command = words[2].partition(":")
        assert plugin in PLUGINS, words
        if command:
            assert command in COMMANDS[plugin], words
        elif plugin == "wms-ops":
            with pytest.raises(SystemExit) as ended:
                wms_ops([words[3], "--help"])
            assert ended.value.code == 0, words
            said = capsys.readouterr().out
            assert all(word in said for word in words if word.startswith("--")), words
            if "--only" in words:
                assert words[words.index("--only") + 1] in SCHEDULES
        elif words[3].startswith("--"):
            source = ROOT / "packages" / words[2] / words[2].replace("-", "_")
            assert any(words[3] in path.read_text() for path in source.glob("*.py")), words


def test_job_names_in_the_readme_exist():
    text = (ROOT / "README.md").read_text()
    assert set(re.findall(r"\b\w+_(?:full_sync|incremental_sync|sync|verify)\b", text)) <= JOBS
    named = set(re.findall(r"`(\w+)`", text[text.index("### The jobs") : text.index("## Configuration")]))
    assert named == JOBS, "the table of jobs"


def test_schedules_have_the_names_of_their_jobs():
    assert {(schedule["name"], schedule["job"]) for schedule in MELTANO["schedules"]} == {(name, name) for name in SCHEDULES}
    assert SCHEDULES <= JOBS


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page):
    text = (ROOT / page).read_text()
    links = [target for target in re.findall(r"\]\(([^)#][^)]*)\)", text) if "://" not in target]
    for target in links:
        assert (ROOT / page).parent.joinpath(target).exists(), target
    rooms = {path.name for path in ROOT.iterdir()} - {"logs", ".env"}
    for word in (each.split()[0].removeprefix("./") for each in code(page)):
        if word.split("/")[0] in rooms and re.fullmatch(r"[\w./-]+", word):
            assert (ROOT / word).exists() or "shipment" in word, word


def variables_of_example() -> dict[str, str]:
    found = {}
    for line in (ROOT / ".env.example").read_text().splitlines():
        if line and not line.startswith("#"):
            name, separator, value = line.partition("=")
            assert separator, line
            found[name] = value
    return found


def test_variables_of_the_example_are_read_by_something():
    text = (ROOT / "meltano.yml").read_text() + (ROOT / "bin" / "meltano").read_text()
    models = "".join(path.read_text() for path in (ROOT / "transform").rglob("*.yml") if "target" not in path.parts)
    for name in variables_of_example():
        assert re.search(rf"\$\{{?{name}\b", text) or f"env_var('{name}'" in models, name


def test_every_variable_that_meltano_yml_reads_is_explained():
    used = set(re.findall(r"\$([A-Z_]+)", (ROOT / "meltano.yml").read_text())) - {"MELTANO_PROJECT_ROOT"}
    example = (ROOT / ".env.example").read_text()
    assert {name for name in used if name not in example} == set()


def test_the_readme_names_the_variables_of_the_example_and_their_defaults():
    readme = (ROOT / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", readme, re.MULTILINE))
    for name, value in variables_of_example().items():
        assert f"`{name}`" in readme, name
        if value:
            assert rows[name] == value, name


def test_the_example_suits_docker_and_dotenv():
    for name, value in variables_of_example().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        assert value == value.strip()
        assert not set(value) & set("\"'#$ "), name


def test_the_crontab_says_what_meltano_yml_says():
    lines = [line for line in (ROOT / "orchestrate" / "crontab").read_text().splitlines() if "bin/meltano run" in line]
    found = {(re.search(r"meltano run (\w+)", line).group(1), line.split(" cd ")[0]) for line in lines}
    assert found == {(schedule["job"], schedule["interval"]) for schedule in MELTANO["schedules"]}


def test_the_two_commands_come_first():
    head = (ROOT / "README.md").read_text().split("## ")[0]
    assert head.index("./scripts/demo.sh") < head.index("./scripts/test-all.sh")


def test_the_systemd_unit_starts_the_scheduler_and_waits_for_it_to_stop(capsys):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(ROOT / "orchestrate" / "wms-scheduler.service")
    service = unit["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == f"{service['WorkingDirectory']}/bin/meltano"
    assert arguments[:2] == ["invoke", "wms-ops"]
    with pytest.raises(SystemExit) as ended:
        wms_ops([*arguments[2:], "--help"])
    assert ended.value.code == 0, capsys.readouterr().err
    limit = float(arguments[arguments.index("--limit-seconds") + 1])
    assert float(service["TimeoutStopSec"]) > limit + TERMINATE_SECONDS
    # To the scheduler alone: it decides when its runs are told.
    assert (service["KillMode"], service["UMask"]) == ("mixed", "0077")

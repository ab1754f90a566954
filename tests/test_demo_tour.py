"""The demo itself, from its databases to its exit code: it must fail when the target is wrong in a single digit."""

import re
import subprocess
import sys

import pytest

from tests.pipeline import ROOT

pytestmark = pytest.mark.timeout(900)


def tour(home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What ./scripts/demo.sh starts after its set-up."""
    command = [sys.executable, "-m", "demo", "tour", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


def test_one_changed_digit_in_the_target_makes_the_demo_fail(installed, tmp_path):
    done = tour(tmp_path, "--orders", "20", "--seconds", "0", "--spoil")
    assert done.returncode == 1, done.stdout + done.stderr
    found = re.findall(r"ALLOCATION (\d+): QUANTITY_ALLOCATED is ([\d.-]+) in the source and ([\d.-]+) in the target", done.stdout)
    ((_, source, target),) = found
    assert abs(round((float(target) - float(source)) * 10_000)) == 1
    assert "1 DIFFERENCES" in done.stdout
    assert "Source and target DIFFER." in done.stdout
    assert done.stdout.count(": equal") == 4  # the other tables


@pytest.mark.long
def test_the_whole_demo_by_its_script(tmp_path):
    """As a visitor starts it, set-up included; it leaves nothing running."""
    command = [str(ROOT / "scripts" / "demo.sh"), "--home", str(tmp_path), "--orders", "200", "--seconds", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Source and target are equal." in done.stdout
    assert done.stdout.count("columns: equal") == 5
    assert re.search(r"allocation: [\d,]+ rows x 18 columns in 1 range as of SCN \d+: equal", done.stdout)
    assert re.search(r"\d+: different \(QUANTITY_ALLOCATED\): repaired", done.stdout)
    assert str(tmp_path) not in subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True).stdout

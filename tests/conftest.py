"""Fixtures of the tests that run the whole pipeline."""

import fcntl
import subprocess

import pytest

from tests.pipeline import ROOT, Mimic, Pipeline


@pytest.fixture(scope="session")
def installed():
    """Meltano and the plugins as ./setup.sh installs them, of this very source; one process at a time."""
    marker = ROOT / "var" / "installed"
    marker.parent.mkdir(exist_ok=True)
    with (ROOT / "var" / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = [*ROOT.glob("packages/*/*_*/**/*.py"), *ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("requirements/*")]
        newest = max(path.stat().st_mtime for path in sources)
        if not marker.exists() or marker.stat().st_mtime < newest:
            done = subprocess.run([ROOT / "setup.sh", "--quiet"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            marker.touch()


@pytest.fixture
def pipeline(installed, tmp_path):
    mimic = Mimic(tmp_path)
    made = Pipeline(tmp_path, mimic)
    yield made
    made.stop()
    mimic.kill()

"""The staging directory: private, bounded, and only dead runs are swept."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from oracle_connection.errors import ConfigurationError, FatalError
from tap_oracle_wms.staging import Staging, sweep


def opened(root: Path, name: str = "run", quota: int = 100, wait: float = 5) -> Staging:
    return Staging.open(root, name, quota_bytes=quota, wait_seconds=wait)


def test_the_directory_is_private_and_goes_when_it_is_empty(tmp_path: Path) -> None:
    staging = opened(tmp_path / "root")
    assert staging.directory.stat().st_mode & 0o777 == 0o700
    staging.close()
    assert list((tmp_path / "root").iterdir()) == []


def test_files_that_the_target_has_not_taken_survive_the_tap(tmp_path: Path) -> None:
    staging = opened(tmp_path)
    (staging.directory / "a.arrow").write_bytes(b"rows")
    staging.close()
    assert [path.name for path in staging.directory.iterdir()] == ["a.arrow"]  # the target's rmdir works once it has taken it
    assert sweep(tmp_path) == []  # our parent lives, so the target may


def test_a_run_of_a_living_tap_is_never_swept(tmp_path: Path) -> None:
    staging = opened(tmp_path)
    (staging.directory / "a.arrow").write_bytes(b"rows")
    os.utime(staging.directory, (0, 0))
    assert sweep(tmp_path) == []
    staging.close()


@pytest.mark.parametrize("parent", ["dead", "idle"])
def test_a_dead_run_is_swept_when_its_parent_is_gone_or_an_hour_has_passed(tmp_path: Path, parent: str) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    directory = tmp_path / "old"
    directory.mkdir()
    (directory / "a.arrow").write_bytes(b"rows")
    (tmp_path / "old.lock").write_text(str(dead.pid if parent == "dead" else os.getpid()))
    if parent == "idle":
        os.utime(directory, (0, 0))
    assert sweep(tmp_path) == [directory]
    assert list(tmp_path.iterdir()) == []


def test_opening_sweeps_what_a_killed_tap_left_behind(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from tap_oracle_wms.staging import Staging;"
        f"s = Staging.open(pathlib.Path({str(tmp_path)!r}), 'killed', quota_bytes=9, wait_seconds=1);"
        "(s.directory / 'a.arrow').write_bytes(b'rows'); os.kill(os.getpid(), 9)"
    )
    subprocess.run(["sh", "-c", f'{sys.executable} -c "{code}"; true'], check=True)  # the shell is the parent, and gone afterwards
    assert (tmp_path / "killed").exists()
    opened(tmp_path, "next").close()
    assert not (tmp_path / "killed").exists()


def test_a_lock_file_that_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "busy").mkdir()
    descriptor = os.open(tmp_path / "busy.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert sweep(tmp_path, abandoned_after_seconds=0) == []
    os.close(descriptor)


def test_no_file_is_written_while_the_quota_waits_and_the_next_one_once_the_target_took_some(tmp_path: Path) -> None:
    staging = opened(tmp_path, quota=100)
    first = staging.directory / "a.arrow"
    first.write_bytes(b"x" * 100)
    taken = threading.Event()

    def target() -> None:
        taken.wait(5)
        first.unlink()

    thread = threading.Thread(target=target)
    thread.start()
    started = time.monotonic()
    threading.Timer(0.2, taken.set).start()
    staging.wait_for_room()
    assert time.monotonic() - started >= 0.2
    assert staging.waiting_bytes() == 0
    thread.join()
    staging.close()


def test_a_target_that_takes_nothing_ends_the_wait_with_an_error(tmp_path: Path) -> None:
    staging = opened(tmp_path, quota=1, wait=0.1)
    (staging.directory / "a.arrow").write_bytes(b"x")
    with pytest.raises(FatalError, match="has taken no file"):
        staging.wait_for_room()
    staging.close()


def test_the_target_cannot_remove_the_directory_while_the_tap_may_still_write_into_it(tmp_path: Path) -> None:
    staging = opened(tmp_path)
    with pytest.raises(OSError, match="not empty"):
        staging.directory.rmdir()
    staging.close()
    assert not staging.directory.exists()


def test_a_directory_that_cannot_be_used_is_a_matter_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="staging_directory"):
        opened(tmp_path / "file")

"""What is told of a full sync's progress, by a clock of the test's own."""

import pytest
from tap_oracle_wms.progress import INTERVAL_SECONDS, Progress, duration


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_share_rate_and_time_left():
    clock = Clock()
    progress = Progress("allocation", 4, clock=clock)
    clock.now += 10
    progress.read(50_000)
    assert progress.line() == "allocation: 0 % read, 50,000 rows, 5,000 rows/s"  # nothing tells how many rows a chunk has
    progress.chunk_done(50_000)
    assert progress.line() == "allocation: 25 % read, 50,000 rows, 5,000 rows/s, 30 s left"
    progress.read(25_000)
    assert progress.line() == "allocation: 37 % read, 75,000 rows, 7,500 rows/s, 17 s left"


def test_statistics_tell_the_share_before_the_first_chunk_is_done_but_never_the_end():
    progress = Progress("s", 1, expected_rows=1000, clock=(clock := Clock()))
    clock.now += 1
    progress.read(500)
    assert progress.line().startswith("s: 50 % read, 500 rows, 500 rows/s, 1 s left")
    progress.read(5000)  # the statistics are old
    assert progress.line().startswith("s: 99 % read")
    progress.chunk_done(5500)
    assert progress.line() == "s: 100 % read, 5,500 rows, 5,500 rows/s"


def test_a_resumed_sync_counts_what_was_done_before_but_not_for_its_pace():
    progress = Progress("s", 10, done=5, rows=5000, clock=(clock := Clock()))
    clock.now += 2
    progress.read(1000)
    progress.chunk_done(1000)
    assert progress.line() == "s: 60 % read, 6,000 rows, 500 rows/s, 8 s left"


def test_lines_come_every_few_seconds_however_many_rows(caplog):
    caplog.set_level("INFO", "tap-oracle-wms")
    progress = Progress("s", 1000, clock=(clock := Clock()))
    for _ in range(600):
        clock.now += 0.1
        progress.read(10)
        progress.chunk_done(10)
    assert len(caplog.messages) == pytest.approx(60 / INTERVAL_SECONDS, abs=1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (12_000, "3 h 20 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text

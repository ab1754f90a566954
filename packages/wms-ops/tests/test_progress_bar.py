"""The bar in a real pseudo-terminal; the command below it is a shell script that says what the tap says."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

BLUE = "\x1b[34m"


class Terminal:
    """A terminal of 100 columns with a command in it; `screen()` is what it has been told."""

    def __init__(self, script: str, columns: int = 100) -> None:
        self._ours, theirs = pty.openpty()
        subprocess.run(["stty", "cols", str(columns)], stdin=theirs, check=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wms_ops.progress_bar", "sh", "-c", script],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            text=True,
        )
        os.close(theirs)
        self._text = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 4096)
            except OSError:
                return
            self._text += data

    def text(self) -> str:
        return self._text.decode()

    def end(self) -> tuple[int, str, str]:
        """Exit code, standard output, and everything written to the terminal."""
        output, _ = self.process.communicate(timeout=30)
        self._reader.join(10)
        os.close(self._ours)
        return self.process.returncode, output, self.text()


def visible(text: str) -> list[str]:
    """The lines that remain on the screen: what was cleared is gone."""
    return [re.sub(r"\x1b\[[\d;]*m", "", line.rpartition("\x1b[2K")[2].rstrip("\r")) for line in text.split("\n")]


SCRIPT = rf"""
printf '{BLUE}info\033[0m begin\n' >&2
printf 'x [info] tap allocation: 40 %% read, 4,000 rows, 1,000 rows/s, 6 s left\n' >&2
printf 'something else\n' >&2
printf 'x [info] target allocation: 3,000 rows loaded\n' >&2
printf 'x [info] tap allocation: 100 %% read, 10,000 rows, 1,000 rows/s\n' >&2
printf 'the end\n' >&2
echo out
exit 7
"""


def test_progress_becomes_a_bar_and_everything_else_passes():
    code, output, text = Terminal(SCRIPT).end()
    assert (code, output) == (7, "out\n")
    assert BLUE in text  # colours are left alone
    assert "allocation  " + "█" * 12 + "░" * 18 + "   40 %  4,000 rows  1,000 rows/s  6 s left" in text
    assert "6 s left  3,000 loaded" in text
    assert "█" * 30 + "  100 %  10,000 rows  1,000 rows/s  3,000 loaded" in text
    assert visible(text) == ["info begin", "something else", "the end", ""]


def test_the_bar_comes_back_below_each_line():
    _, _, text = Terminal(SCRIPT).end()
    after = text.split("something else", 1)[1]
    assert after.startswith("\r\nallocation  ")


def test_a_narrow_terminal_gets_the_figures_without_the_bar():
    _, _, text = Terminal(SCRIPT, columns=60).end()
    assert "█" not in text
    assert "allocation   40 %  4,000 rows" in text


def test_a_question_without_a_line_feed_is_shown_at_once():
    terminal = Terminal("printf 'Really? ' >&2; read answer; echo \"$answer\"")
    deadline = time.monotonic() + 20
    while "Really?" not in terminal.text():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # another process writes; there is nothing to wait on
    os.write(terminal._ours, b"yes\n")
    assert terminal.end()[1] == "yes\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_handed_on(number):
    terminal = Terminal("printf 'ready\n' >&2; exec sleep 60")
    deadline = time.monotonic() + 20
    while "ready" not in terminal.text():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # another process writes; there is nothing to wait on
    terminal.process.send_signal(number)
    assert terminal.end()[0] == 128 + number

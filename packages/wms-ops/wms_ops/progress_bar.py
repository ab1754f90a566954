"""Meltano in a terminal, with a bar for the full sync below its log: `wms-ops-progress COMMAND...`, which `bin/meltano` starts.

Tap and target tell in log lines every few seconds what is read and what is loaded (`tap_oracle_wms.progress`,
`target_oracle.full_load`); here they become one bar that stays on the last line of the screen. Everything else passes as it is, colours
included, because the command's standard error is a terminal too. Where standard error is a file, `bin/meltano` starts Meltano itself
and the lines stay lines. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass

READ = re.compile(r"(\w+): (\d+) % read, ([\d,]+) rows, ([\d,]+) rows/s(?:, (.+?) left)?\s*$")
LOADED = re.compile(r"(\w+): ([\d,]+) rows loaded\s*$")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_CLEAR = "\r\x1b[2K"
BAR_CELLS = 30
PARTIAL_LINE_SECONDS = 0.2
READ_BYTES = 65_536


@dataclass(slots=True)
class Screen:
    """The terminal: lines scroll, the bar stays below them. columns: its width; cells: a full and an empty one of the bar."""

    descriptor: int
    columns: int
    cells: tuple[str, str]
    bar: str = ""
    loaded: str = ""
    _read: re.Match[str] | None = None
    _inside_a_line: bool = False

    def line(self, text: str) -> None:
        """One whole line of the command, without its line feed: the bar's new figures, or something to let through."""
        plain = _COLOURS.sub("", text)
        read, loaded = READ.search(plain), LOADED.search(plain)
        if read is not None:
            if self._read is None or self._read[1] != read[1]:
                self.loaded = ""  # another stream
            self._read = read
        if loaded is not None:
            self.loaded = loaded[2]
        if self._read is not None and (read is not None or loaded is not None):
            self.bar = self._drawn(self._read)
            self._write(_CLEAR + self.bar)
            return
        self._write(("" if self._inside_a_line else _CLEAR) + text + "\n" + self.bar)
        self._inside_a_line = False

    def beginning_of_a_line(self, text: str) -> None:
        """What has no line feed yet and may wait for an answer."""
        self._write(("" if self._inside_a_line else _CLEAR) + text)
        self._inside_a_line = True

    def end(self) -> None:
        """Leave the screen without the bar."""
        if self.bar:
            self._write(_CLEAR)
            self.bar = ""

    def _drawn(self, found: re.Match[str]) -> str:
        name, percent, rows, rate, left = found.groups()
        full = int(percent) * BAR_CELLS // 100
        bar = self.cells[0] * full + self.cells[1] * (BAR_CELLS - full)
        figures = f"{percent:>3} %  {rows} rows  {rate} rows/s"
        figures += (f"  {left} left" if left else "") + (f"  {self.loaded} loaded" if self.loaded else "")
        whole = f"{name}  {bar}  {figures}"
        return (whole if len(whole) < self.columns else f"{name}  {figures}")[: max(self.columns - 1, 0)]

    def _write(self, text: str) -> None:
        data = text.encode(errors="surrogateescape")
        while data:
            data = data[os.write(self.descriptor, data) :]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code (128 + n when signal n ended it)."""
    command = sys.argv[1:] if arguments is None else arguments
    if not command:
        sys.stderr.write("usage: wms-ops-progress COMMAND [ARGUMENT...]\n")
        return 2
    terminal = sys.stderr.fileno()
    ours, theirs = os.openpty()
    _same_size(terminal, theirs)
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # line feeds arrive as they were written; the real terminal treats them
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    with subprocess.Popen(command, stderr=theirs) as process:
        os.close(theirs)
        # Ctrl-C reaches the command as well, and it decides. What is sent to us alone is handed on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: process.send_signal(number))
        signal.signal(signal.SIGWINCH, lambda *_: _same_size(terminal, ours))
        unicode = "utf" in (sys.stderr.encoding or "").lower()
        _relay(ours, Screen(terminal, _columns(terminal), ("█", "░") if unicode else ("#", ".")))
        code = process.wait()
    os.close(ours)
    return code if code >= 0 else 128 - code


def _relay(source: int, screen: Screen) -> None:
    """Until the command and all that have its standard error are gone."""
    rest = b""
    shown = 0
    while True:
        ready, _, _ = select.select([source], [], [], PARTIAL_LINE_SECONDS if len(rest) > shown else None)
        if not ready:
            screen.beginning_of_a_line(rest[shown:].decode(errors="surrogateescape"))
            shown = len(rest)
            continue
        try:
            data = os.read(source, READ_BYTES)
        except OSError:  # EIO is how a pseudo-terminal says that its other end is closed
            data = b""
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            screen.line(line[shown:].decode(errors="surrogateescape"))
            shown = 0
    if rest[shown:]:
        screen.line(rest[shown:].decode(errors="surrogateescape"))
    screen.end()


def _columns(terminal: int) -> int:
    return os.get_terminal_size(terminal).columns or 80


def _same_size(source: int, destination: int) -> None:
    size = fcntl.ioctl(source, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    fcntl.ioctl(destination, termios.TIOCSWINSZ, size)


if __name__ == "__main__":
    sys.exit(main())

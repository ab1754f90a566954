"""Faults on demand: what tests set so that a connection breaks, stalls or lies at a chosen moment.

    server.faults.arm("drop", "after_commit", user="WMS")
    server.faults.arm("error", "statement", matching="MERGE INTO", code=1555, text="snapshot too old")
    server.faults.arm("refuse", "connect", times=3)
    server.faults.arm("kill", "commit:stored")
    server.faults.disk_full(True)

`oracle_mimic.control.ControlClient` offers the same `arm`, `disarm` and `clear` for a server in another process.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from oracle_mimic.errors import OracleError

ACTIONS = ("refuse", "drop", "delay", "error", "kill")
POINTS = ("connect", "before_call", "statement", "mid_message", "after_call", "before_commit", "after_commit")


class ConnectionDroppedError(Exception):
    """A fault ends the connection here, without a word to the client."""


@dataclass(slots=True)
class Fault:
    """One armed fault.

    action: refuse (at "connect" only) | drop | delay | error | kill (SIGKILL of this process).
    point: connect | before_call (read, not run) | statement (a statement is about to run) | mid_message (half of the response is sent)
        | after_call (run, not answered) | before_commit | after_commit (durable, not answered). mid_message can only drop.
        A name with a colon is a point inside the engine (commit:stored, dml:applied, ...), where only kill and delay are possible.
    matching: regular expression searched in the statement's text; only calls with a text can match.
    user: only connections of this user. call: the how-maniest matching moment it strikes at first, from 1.
    times: how often it strikes, None for ever. seconds: of a delay.
    code, text: of an error; of a refused connection the listener's code (0: the socket is closed without an answer).
    """

    action: str
    point: str
    matching: str | None = None
    user: str | None = None
    call: int = 1
    times: int | None = 1
    seconds: float = 0.0
    code: int = 0
    text: str = "error set by a test"
    number: int = 0
    seen: int = 0
    struck: int = 0
    pattern: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS or (self.point not in POINTS and ":" not in self.point):
            raise ValueError(f"no fault {self.action!r} at {self.point!r}; actions are {ACTIONS}, points {POINTS}")
        if (self.action == "refuse") != (self.point == "connect") or (self.point == "mid_message" and self.action != "drop"):
            raise ValueError(f"{self.action!r} cannot be set at {self.point!r}")
        if ":" in self.point and self.action not in ("kill", "delay"):
            raise ValueError(f"{self.action!r} cannot be set inside the engine")
        if self.action == "error" and not self.code:
            raise ValueError("an error needs its code")
        if self.matching is not None:
            self.pattern = re.compile(self.matching, re.IGNORECASE | re.DOTALL)


class Faults:
    """The faults armed on one server. All methods may be called from any thread.

    kill: what the action "kill" does; the default is the real thing.
    set_disk_full: how the database is told that it finds no space (set by the server).
    """

    def __init__(self, kill: Callable[[], None] | None = None) -> None:
        self.set_disk_full: Callable[[bool], None] | None = None
        self._armed: dict[int, Fault] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._kill = kill or _kill_this_process

    def arm(
        self,
        action: str,
        point: str,
        *,
        matching: str | None = None,
        user: str | None = None,
        call: int = 1,
        times: int | None = 1,
        seconds: float = 0.0,
        code: int = 0,
        text: str = "error set by a test",
    ) -> int:
        """Arm a fault (see `Fault`); its number. ValueError for one that makes no sense."""
        number = next(self._numbers)
        fault = Fault(action, point, matching, user, call, times, seconds, code, text, number)
        with self._lock:
            self._armed[number] = fault
        return number

    def disk_full(self, full: bool) -> None:
        """From now on every statement that needs space fails with ORA-01653; False ends that."""
        if self.set_disk_full is None:
            raise ValueError("this database cannot run out of space")
        self.set_disk_full(full)

    def engine_point(self, point: str) -> None:
        """The engine reaches one of its points."""
        self.reach(point, None, None, time.sleep)

    def disarm(self, number: int) -> int:
        """Take a fault away; how often it struck."""
        with self._lock:
            fault = self._armed.pop(number, None)
        return fault.struck if fault else 0

    def clear(self) -> None:
        """Take every fault away."""
        with self._lock:
            self._armed.clear()

    def struck(self, number: int) -> int:
        """How often an armed fault has struck."""
        with self._lock:
            fault = self._armed.get(number)
            return fault.struck if fault else 0

    def take(self, point: str, user: str | None = None, sql: str | None = None) -> Fault | None:
        """The fault that strikes at this moment, if any; it is counted as having struck."""
        if not self._armed:
            return None
        with self._lock:
            for fault in self._armed.values():
                if fault.point != point or (fault.user is not None and fault.user != user):
                    continue
                if fault.pattern is not None and (sql is None or not fault.pattern.search(sql)):
                    continue
                fault.seen += 1
                if fault.seen >= fault.call and (fault.times is None or fault.struck < fault.times):
                    fault.struck += 1
                    return fault
        return None

    def reach(self, point: str, user: str | None, sql: str | None, wait: Callable[[float], object]) -> None:
        """A connection reaches a point: do what is armed there. ConnectionDroppedError, OracleError, a wait, or the end of the process."""
        fault = self.take(point, user, sql)
        if fault is None:
            return
        if fault.action == "delay":
            wait(fault.seconds)
        elif fault.action == "error":
            raise OracleError(fault.code, fault.text)
        elif fault.action == "kill":
            self._kill()
        else:
            raise ConnectionDroppedError(f"fault {fault.number} at {point}")


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

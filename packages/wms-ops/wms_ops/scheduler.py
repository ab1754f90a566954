"""Starts what meltano.yml schedules, on APScheduler: one run per job at a time, each in its own Meltano process.

The guard is asked first, so waiting for a full sync costs no process and is no failure. A run that failed because of the configuration (a
wrong password, a missing grant) holds its job until .env or meltano.yml changes: repeating would lock the account and help nobody.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from wms_ops.guard import decide
from wms_ops.jobs import Schedule, schedules, start
from wms_ops.project import Project
from wms_ops.retention import purge
from wms_ops.system_database import SystemDatabaseError

HEARTBEAT_SECONDS = 10
PURGE_HOUR = 1
GRACE_SECONDS = 30
TERMINATE_SECONDS = 20
_PLUGIN_LINE = re.compile(r"^\S+ \[\w+ *\] \S+ +")


def utc_now() -> str:
    """ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class SchedulerError(Exception):
    """The scheduler cannot start; the message says why."""


@dataclass(slots=True)
class Tally:
    """What became of one job's ticks since the scheduler started. Times are ISO 8601, UTC."""

    runs: int = 0
    failures: int = 0
    missed: int = 0
    waiting: int = 0
    last_started_at: str | None = None
    last_ended_at: str | None = None
    last_exit_code: int | None = None
    running_run_id: str | None = None
    held: str | None = None


@dataclass(slots=True)
class Scheduler:
    """limit_seconds: how long `stop` lets running syncs finish before it tells them to stop."""

    project: Project
    planned: list[Schedule]
    limit_seconds: float = 60.0
    started_at: str = field(default_factory=utc_now)
    tallies: dict[str, Tally] = field(default_factory=dict)
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _held_since: dict[str, float] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _engine: BackgroundScheduler = field(init=False)
    _variables: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.tallies = {schedule.name: Tally() for schedule in self.planned}
        self._variables = self.project.variables_for_runs()
        self._engine = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(self.planned) + 2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_SECONDS},
        )
        self._engine.add_listener(self._count_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR)
        for schedule in self.planned:
            self._engine.add_job(self._tick, CronTrigger.from_crontab(schedule.cron, timezone=UTC), [schedule], id=schedule.name)
        self._engine.add_job(self.write_heartbeat, "interval", seconds=HEARTBEAT_SECONDS, id="heartbeat")
        self._engine.add_job(self._purge, "cron", hour=PURGE_HOUR, id="purge")

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; then let running syncs finish, within the limit. SchedulerError if another is at work."""
        with self._lock():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stopping.set())
            self._engine.start()
            self.write_heartbeat()
            _say(f"{len(self.planned)} schedules; the next: " + ", ".join(self._next()))
            while not self._stopping.wait(3600):
                pass
            self.stop()
        return 0

    def stop(self) -> None:
        """No new run starts; the running ones get `limit_seconds` to finish, then SIGTERM, then SIGKILL."""
        self._stopping.set()
        self._engine.pause()
        running = dict(self._processes)
        if running:
            _say(f"stopping; up to {self.limit_seconds:.0f} s for {', '.join(running)}")
        _wait(running, self.limit_seconds)
        for name, process in running.items():
            if process.poll() is None:
                _say(f"{name}: told to stop")
                process.terminate()
        _wait(running, TERMINATE_SECONDS)
        for process in running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        self._engine.shutdown(wait=True)
        self.write_heartbeat(stopped=True)
        _say("stopped")

    def _next(self) -> list[str]:
        jobs = [job for job in self._engine.get_jobs() if job.id in self.tallies]
        return [f"{job.id} at {job.next_run_time:%H:%M}" for job in sorted(jobs, key=lambda job: job.next_run_time)[:3]]

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Held until the block ends; the operating system frees it however this process dies."""
        path = self.project.root / ".meltano" / f"scheduler-{self.project.environment}.lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise SchedulerError(f"a scheduler is at work already ({file.read().strip()}); stop it first") from None
            file.truncate(0)
            file.write(f"process {os.getpid()}, since {self.started_at}")
            file.flush()
            yield

    def _tick(self, schedule: Schedule) -> None:
        """One tick of one job: ask the guard, run, count. A failure of any kind stays inside this tick."""
        tally = self.tallies[schedule.name]
        if self._stopping.is_set() or self._is_held(schedule.name):
            return
        if schedule.requirement and schedule.entity:
            try:
                decision = decide(self.project, schedule.requirement, schedule.entity)
            except SystemDatabaseError as error:
                tally.failures += 1
                _say(f"{schedule.name}: {error}")
                return
            if decision.status != "go":
                if tally.waiting == 0 or decision.status == "refused":
                    _say(decision.message)
                tally.waiting += 1
                return
            tally.waiting = 0
        tally.last_started_at = utc_now()
        run_id, process = start(self.project, schedule.job, self._variables, subprocess.PIPE)
        tally.running_run_id = run_id
        self._processes[schedule.name] = process
        said = _relay(process)
        tally.last_exit_code = process.wait()
        self._processes.pop(schedule.name, None)
        tally.running_run_id, tally.last_ended_at, tally.runs = None, utc_now(), tally.runs + 1
        if tally.last_exit_code:
            tally.failures += 1
            reason = configuration_error(self.project.records, run_id) or said
            _say(f"{schedule.name}: run {run_id} failed with exit code {tally.last_exit_code}" + (f": {reason}" if reason else ""))
            if reason:
                tally.held = reason
                self._held_since[schedule.name] = self._configured_at()
                _say(f"{schedule.name}: held until .env or meltano.yml changes")

    def _is_held(self, name: str) -> bool:
        if name not in self._held_since:
            return False
        if self._configured_at() == self._held_since[name]:
            return True
        del self._held_since[name]
        self.tallies[name].held = None
        return False

    def _configured_at(self) -> float:
        return max(path.stat().st_mtime for path in (self.project.root / "meltano.yml", self.project.env_file) if path.exists())

    def _purge(self) -> None:
        """What old runs left behind, each day."""
        try:
            _say(str(purge(self.project, datetime.now(UTC))))
        except (SystemDatabaseError, OSError) as error:
            _say(f"purge: {error}")

    def _count_missed(self, event: JobExecutionEvent) -> None:
        if event.job_id not in self.tallies:
            return
        if getattr(event, "exception", None) is not None:
            self.tallies[event.job_id].failures += 1
            _say(f"{event.job_id}: {event.exception}")
        else:
            self.tallies[event.job_id].missed += 1
            _say(f"{event.job_id}: tick missed, the run before it is still at work")

    def write_heartbeat(self, *, stopped: bool = False) -> Path:
        """Replace `scheduler.json` beside the run records: who, since when, alive at, and every job's tally."""
        directory = self.project.records
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / "scheduler.json"
        content = {
            "pid": os.getpid(),
            "environment": self.project.environment,
            "started_at": self.started_at,
            "heartbeat_at": utc_now(),
            "stopped": stopped,
            "jobs": {name: asdict(tally) for name, tally in self.tallies.items()},
        }
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(content, indent=1))
        scratch.replace(path)
        return path


def _relay(process: subprocess.Popen[str]) -> str | None:
    """Say what a run says; the last line that tells of a configuration error, which may end a run before it has a record."""
    found = None
    if process.stdout is not None:
        with process.stdout as lines:
            for line in lines:
                sys.stderr.write(line)
                if "[configuration]" in line:
                    found = _PLUGIN_LINE.sub("", line.strip())[:300]
    return found


def configuration_error(records: Path, run_id: str) -> str | None:
    """The message of the configuration error that ended this run, from its run records; None when it was something else."""
    for path in sorted(records.glob("runs-*.jsonl"))[-2:]:
        for line in path.read_text().splitlines():
            if run_id not in line:
                continue
            error = json.loads(line).get("error")
            if error and error["class"] == "configuration":
                return str(error["message"])
    return None


def select(project: Project, only: list[str]) -> list[Schedule]:
    """The schedules of meltano.yml, or those named. Raises SchedulerError for a name it does not have."""
    found = schedules(project)
    unknown = set(only) - {schedule.name for schedule in found}
    if unknown:
        raise SchedulerError(f"meltano.yml has no schedule {', '.join(sorted(unknown))}; it has {', '.join(each.name for each in found)}")
    return [schedule for schedule in found if not only or schedule.name in only]


def _wait(processes: dict[str, subprocess.Popen[str]], seconds: float) -> None:
    deadline = datetime.now(UTC).timestamp() + seconds
    for process in processes.values():
        try:
            process.wait(max(deadline - datetime.now(UTC).timestamp(), 0.0))
        except subprocess.TimeoutExpired:
            return


def _say(message: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} scheduler: {message}\n")
    sys.stderr.flush()

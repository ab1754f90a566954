"""`meltano invoke wms-ops ...`: redo, reap, purge, state, full-sync-remaining, scheduler."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from wms_ops import jobs, states
from wms_ops.guard import sweep_secrets
from wms_ops.project import Project, ProjectError
from wms_ops.retention import KEEP_DAYS, purge
from wms_ops.system_database import SystemDatabase, SystemDatabaseError
from wms_ops.verify.command import add_arguments as add_verify_arguments


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 it could not be done (one line says why), 2 wrong usage."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        return int(options.verb(Project.from_environment(), options))
    except (ProjectError, SystemDatabaseError, states.StateError, jobs.MeltanoError) as error:
        sys.stderr.write(f"wms-ops: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="meltano invoke wms-ops", description="Operates the jobs of meltano.yml.")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    verb = verbs.add_parser("redo", help="let an entity's full sync run once more")
    verb.add_argument("entity")
    verb.set_defaults(verb=_redo)

    verb = verbs.add_parser("reap", help="free runs that were killed, and remove the passwords they left on disk")
    verb.set_defaults(verb=_reap)

    verb = verbs.add_parser("purge", help="remove old logs, rows of runs and run records; the scheduler does it each day")
    verb.add_argument("--days", type=int, default=KEEP_DAYS, help="that are kept (default: %(default)s)")
    verb.set_defaults(verb=_purge)

    verb = verbs.add_parser("state", help="show, export or restore the states of this environment")
    verb.add_argument("action", choices=["show", "export", "restore"])
    verb.add_argument("file", type=Path, nargs="?", help="of export and restore")
    verb.set_defaults(verb=_state)

    verb = verbs.add_parser("full-sync-remaining", help="run every full sync that is still open")
    verb.add_argument("entities", nargs="+", metavar="entity")
    verb.set_defaults(verb=lambda project, options: jobs.full_sync_remaining(project, options.entities))

    verb = verbs.add_parser(
        "verify", help="compare source and target, every column of every row; exit code 0 proven, 1 different, 2 not compared"
    )
    add_verify_arguments(verb)

    verb = verbs.add_parser("scheduler", help="start what meltano.yml schedules, until SIGTERM")
    verb.add_argument("--only", action="append", default=[], metavar="SCHEDULE", help="only this one; may be repeated")
    verb.add_argument("--limit-seconds", type=float, default=60.0, help="for running syncs to finish at the end (default: %(default)s)")
    verb.set_defaults(verb=_scheduler)
    return parser


def _redo(project: Project, options: argparse.Namespace) -> int:
    reader = jobs.full_sync_reader(project.root, options.entity)
    saved = states.redo(project, options.entity, reader)
    job = f"{options.entity}_full_sync" if reader == options.entity else f"{reader}_sync"
    print(f"{options.entity}: the full sync is open again: meltano run {job}")
    print(f"The states as they were are in {saved}; to go back: meltano invoke wms-ops state restore {saved}")
    return 0


def _reap(project: Project, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with SystemDatabase(project.database_uri, project.root) as database:
        freed = database.reap(database.running_state_ids(f"{project.environment}:"), now)
    for run in freed:
        print(f"freed {run.state_id}: run {run.run_id}, silent for {run.silent_seconds(now):.0f} s")
    for name in sweep_secrets(project, now):
        print(f"removed {name}")
    return 0


def _purge(project: Project, options: argparse.Namespace) -> int:
    print(purge(project, datetime.now(UTC), options.days))
    return 0


def _state(project: Project, options: argparse.Namespace) -> int:
    if options.action == "show":
        print("\n".join(states.show(project)))
        return 0
    if options.file is None:
        sys.stderr.write(f"wms-ops: state {options.action} needs a file\n")
        return 2
    action = states.export if options.action == "export" else states.restore
    count = action(project, options.file)
    print(f"{count} states {'saved to' if options.action == 'export' else 'restored from'} {options.file}")
    return 0


def _scheduler(project: Project, options: argparse.Namespace) -> int:
    from wms_ops.scheduler import Scheduler, SchedulerError, select

    try:
        return Scheduler(project, select(project, options.only), options.limit_seconds).run()
    except SchedulerError as error:
        sys.stderr.write(f"wms-ops: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())

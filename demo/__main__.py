"""`python -m demo seed | live | compare | tour`: fills the invented warehouse, works in it, compares it with its copy, or all of it.

Connections come from the environment, under the names of `.env.example` (WMS_ORACLE_*, TARGET_ORACLE_*).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import oracledb

from demo import connections
from demo.compare import Place, compare_table
from demo.ledger import Ledger
from demo.live import Pace, live
from demo.rows import Plan
from demo.schema import TABLES
from demo.seed import seed
from demo.tour import HOME, Tour, TourError


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done (compare: equal), 1 a difference, 2 a wrong argument or variable, 3 the database refused."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.verb(options))
    except KeyError as missing:
        print(f"demo: the variable {missing.args[0]} is not set", file=sys.stderr)
        return 2
    except LookupError as wrong:
        print(f"demo: {wrong}", file=sys.stderr)
        return 2
    except oracledb.Error as error:
        print(f"demo: {error}", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--ledger", type=Path, default=Path("var/demo/ledger.db"), help="the simulator's own book (default: %(default)s)")
    verbs = parser.add_subparsers(required=True)

    verb = verbs.add_parser("seed", help="create the tables and fill them")
    verb.add_argument(
        "--orders", type=int, default=1000, help="orders to make; about 3.8 lines and 5 allocations each (default: %(default)s)"
    )
    verb.add_argument("--seed", type=int, default=1, help="of the random generator (default: %(default)s)")
    verb.add_argument("--as-of", type=_utc, default=None, help="end of the history, ISO 8601 in UTC (default: the start of this UTC day)")
    verb.set_defaults(verb=_seed)

    verb = verbs.add_parser("live", help="change rows in transactions, some of which commit late")
    verb.add_argument("--connections", type=int, default=2, help="besides the late one (default: %(default)s)")
    verb.add_argument("--seconds", type=float, default=None, help="how long; without --transactions: until SIGTERM")
    verb.add_argument("--transactions", type=int, default=None, help="per connection; makes the history the same each time")
    verb.add_argument("--pause-seconds", type=float, default=0.2, help="between two transactions (default: %(default)s)")
    verb.add_argument("--late-seconds", type=float, default=20.0, help="the late connection commits after so long (default: %(default)s)")
    verb.add_argument("--report", type=Path, help="write the tally there as JSON")
    verb.set_defaults(verb=_live)

    verb = verbs.add_parser("tour", help="the whole demo (scripts/demo.sh)")
    verb.add_argument("--orders", type=int, default=1000, help="size of the invented warehouse (default: %(default)s)")
    verb.add_argument("--seconds", type=float, default=60.0, help="of live activity; 0: none (default: %(default)s)")
    verb.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    verb.add_argument("--spoil", action="store_true", help="change one digit of one value in the target, to see the comparison find it")
    verb.add_argument("--home", type=Path, default=HOME, help="where it works; an earlier demo there is removed (default: %(default)s)")
    verb.set_defaults(verb=_tour)

    verb = verbs.add_parser("compare", help="compare source and target: every column of every row")
    verb.add_argument("--tables", nargs="+", default=list(TABLES), help="(default: all five)")
    verb.add_argument("--target-prefix", default="", help="in front of each table's name in the target")
    verb.add_argument("--report", type=Path, help="write the result there as JSON")
    verb.set_defaults(verb=_compare)
    return parser


def _tour(options: argparse.Namespace) -> int:
    try:
        return Tour(options.orders, options.seconds, options.keep, options.spoil, options.home.resolve()).run()
    except TourError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 3


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _seed(options: argparse.Namespace) -> int:
    as_of = options.as_of or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with connections.connect("source") as connection:
        plan = Plan(options.orders, options.seed, as_of)
        rows = seed(connection, connections.schema("source"), plan, Ledger(options.ledger), lambda line: print(f"  {line}", flush=True))
    seconds = time.monotonic() - started
    print(", ".join(f"{name} {count:,}" for name, count in rows.items()))
    print(f"{rows.total():,} rows in {seconds:.1f} s ({rows.total() / seconds:,.0f} rows/s)")
    return 0


def _live(options: argparse.Namespace) -> int:
    closing = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: closing.set())
    pace = Pace(options.connections, options.seconds, options.transactions, options.pause_seconds, options.late_seconds)
    ledger = Ledger(options.ledger)
    started = time.monotonic()
    tally = live(ledger.plan, pace, ledger, lambda: connections.connect("source"), closing)
    seconds = time.monotonic() - started
    print(f"{tally.transactions.total()} transactions in {seconds:.0f} s, {tally.late} of them late; {tally.rolled_back} rolled back")
    print(", ".join(f"{name} {count}" for name, count in tally.transactions.most_common()))
    print("row changes: " + ", ".join(f"{name} {count:,}" for name, count in tally.rows.most_common()))
    if options.report:
        report = {
            "transactions": tally.transactions.total(),
            "late": tally.late,
            "late_rows": tally.late_rows,
            "rolled_back": tally.rolled_back,
            "reconnects": tally.reconnects,
            "rows": dict(tally.rows),
            "seconds": round(seconds, 3),
        }
        options.report.write_text(json.dumps(report))
    return 0


def _compare(options: argparse.Namespace) -> int:
    ledger = Ledger(options.ledger) if options.ledger.exists() else None
    started = time.monotonic()
    results = []
    with connections.connect("source") as source, connections.connect("target") as target:
        for name in options.tables:
            result = compare_table(
                Place(source, connections.schema("source"), name),
                Place(target, connections.schema("target"), options.target_prefix + name),
                ledger.deleted(name) if ledger else frozenset(),
            )
            results.append(result)
            verdict = "equal" if result.equal else f"{result.differences:,} DIFFERENCES"
            deletes = f"; {result.deletes_pending:,} deleted in the source, still in the target" if result.deletes_pending else ""
            deletes += f"; {result.deletes_marked:,} marked as deleted in the target" if result.deletes_marked else ""
            print(f"{name:<12} {result.rows:>12,} rows x {result.columns} columns: {verdict}{deletes}", flush=True)
            for difference in result.first:
                print(f"  {difference}")
    values = sum(result.rows * result.columns for result in results)
    print(f"{values:,} values compared in {time.monotonic() - started:.1f} s")
    if options.report:
        columns = ("table", "columns", "rows", "differences", "deletes_pending", "deletes_marked")
        options.report.write_text(json.dumps([{name: getattr(result, name) for name in columns} for result in results]))
    return 0 if all(result.equal for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())

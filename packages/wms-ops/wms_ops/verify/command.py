"""`wms-ops verify ENTITY`: options in, a report or JSON out, and the exit code: 0 proven, 1 differences, 2 could not compare."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from oracle_connection.errors import ConfigurationError, DatabaseError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.run_record import RunRecord

from wms_ops.jobs import MeltanoError
from wms_ops.project import Project
from wms_ops.system_database import SystemDatabaseError
from wms_ops.verify.comparing import Comparison
from wms_ops.verify.configuration import Configuration, NotPromisedError, find_reader, read_bookmark
from wms_ops.verify.database import Database, table_name
from wms_ops.verify.entity import Entity, Stream
from wms_ops.verify.keys import parse_range
from wms_ops.verify.ledger import CONTROL, VERIFY, Ledger
from wms_ops.verify.repair import MeltanoRepair
from wms_ops.verify.verification import RANGE_ROWS, Options, Verification, to_json

EXIT_PROVEN, EXIT_DIFFERENT, EXIT_NOT_COMPARED = 0, 1, 2
SHOWN = 20


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """The options of the command."""
    verb.add_argument("entity")
    verb.add_argument("--repair", action="store_true", help="read wrong rows again through tap and target, mark deleted ones")
    verb.add_argument("--range", action="append", default=[], metavar="FROM..TO", help="only keys FROM <= key < TO; may be repeated")
    verb.add_argument("--rolling", action="store_true", help="go on with the ranges that were proven longest ago")
    verb.add_argument("--seconds", type=float, help="budget: begin no further range after so many seconds")
    verb.add_argument("--rows", type=int, help="budget: begin no further range after so many rows of the source")
    verb.add_argument("--range-rows", type=int, default=RANGE_ROWS, help="rows of a range (default: %(default)s)")
    verb.add_argument("--json", action="store_true", help="print one JSON object")
    verb.set_defaults(verb=verify)


def verify(project: Project, options: argparse.Namespace) -> int:
    """Run the command."""
    record = RunRecord("wms-ops", version("wms-ops"), project.run_id, options.entity, mode=VERIFY)
    try:
        with _alone(project, options.entity):
            verification = _prepare(project, options, record)
            try:
                verification.run()
            finally:
                for side in (verification.comparison.entity.source, verification.comparison.entity.target):
                    side.database.close()
    except NotPromisedError as error:
        record.warnings.append(str(error))
        record.finish("waiting")
        record.append(project.records)
        _tell_failure(options, str(error))
        return EXIT_NOT_COMPARED
    except (DatabaseError, SystemDatabaseError, MeltanoError, ValueError) as error:
        record.fail(error)
        record.finish("failed")
        record.append(project.records)
        _tell_failure(options, str(error))
        return EXIT_NOT_COMPARED
    found = to_json(verification, options.entity)
    code = _exit_code(verification)
    _record(record, verification, found, code)
    record.append(project.records)
    said = json.dumps(found, ensure_ascii=False) if options.json else "\n".join(_report(found, verification))
    sys.stdout.write(f"{said}\n")
    return code


@contextmanager
def _alone(project: Project, entity: str) -> Iterator[None]:
    """One verify of an entity at a time; the operating system frees the lock however the process dies. Raises NotPromisedError."""
    path = project.root / ".meltano" / "wms-ops" / f"verify-{project.environment}-{entity}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{entity}: another verify is at work"
            raise NotPromisedError(message) from None
        yield


def _prepare(project: Project, options: argparse.Namespace, record: RunRecord) -> Verification:
    """Everything that has to be known before the first range."""
    reader = find_reader(project, options.entity)
    configuration = Configuration.of(project, reader)
    stream = Stream.from_catalog(configuration.catalog, configuration.tap, options.entity)
    source = Database("source", ConnectionParameters.from_config(configuration.tap), stream.owner)
    to = ConnectionParameters.from_config(configuration.target)
    target = Database("target", to, str(configuration.target.get("schema") or to.username).upper())
    table = _target_table(target, stream.name, str(configuration.target.get("table_prefix") or "").upper())
    record.table = f"{target.schema}.{table}"
    entity = Entity.look_up(stream, source, target, table)
    ranges = tuple(parse_range(text, len(stream.key)) for text in options.range)
    types = {column.name: column.type for column in entity.source.key}
    return Verification(
        Comparison(entity, lambda: read_bookmark(project, reader, options.entity)),
        Ledger(target, table, stream.name, project.run_id),
        Options(options.range_rows, ranges, options.rolling, options.seconds, options.rows),
        MeltanoRepair(project, configuration, stream.name, types, stream.key) if options.repair else None,
        configuration.zone(options.entity),
        configuration.is_clock(options.entity),
    )


def _target_table(target: Database, stream: str, prefix: str) -> str:
    """The table that the target loads the stream into, by its own control table. Raises ConfigurationError when there is none."""
    text = f'SELECT "TABLE_NAME" FROM {table_name(target.schema, CONTROL)} WHERE "STREAM"=:stream ORDER BY "TAKEN_AT" DESC NULLS LAST'
    names = [str(name) for (name,) in target.query(text, {"stream": stream}, doing=f"look for the table of {stream}")]
    found = next((name for name in names if name.startswith(prefix)), None)
    if found is None:
        message = f"{target.schema}.{CONTROL} knows no table of stream {stream}: nothing has been loaded yet"
        raise ConfigurationError(message)
    return found


def _exit_code(verification: Verification) -> int:
    result = verification.result
    if result.findings or result.open_column:
        return EXIT_DIFFERENT
    return EXIT_PROVEN if result.complete or verification.options.rolling else EXIT_NOT_COMPARED


def _record(record: RunRecord, verification: Verification, found: dict[str, Any], code: int) -> None:
    """Fill the run record."""
    result = verification.result
    record.rows = result.rows
    record.watermark = result.watermark
    names = ("complete", "ranges", "findings", "repaired", "proven_until", "columns", "not_compared", "columns_missing_in_target")
    record.verify = {name: found[name] for name in names} | {"open_ranges": len(result.proof.open_ranges) if result.proof else None}
    record.warnings += _warnings(found)
    if result.unrepaired or result.open_column:
        message = f"{result.unrepaired} differences are not repaired" if result.unrepaired else "columns are missing in the target"
        record.error = {"class": "fatal", "code": None, "message": message}
    elif code == EXIT_NOT_COMPARED:
        record.error = {"class": "retriable", "code": None, "message": f"not everything was compared: {result.stopped_by}"}
    record.finish("success" if code == EXIT_PROVEN or (code == EXIT_DIFFERENT and record.error is None) else "failed")


def _warnings(found: dict[str, Any]) -> list[str]:
    lines = list(found["notes"])
    lines += [f"{name} is not compared: {reason}" for name, reason in found["not_compared"].items()]
    lines += [f"{name} is selected but not in the target: meltano run --refresh-catalog" for name in found["columns_missing_in_target"]]
    if found["flashback"].get("source") is False:
        lines.append(
            "the source is not read as of one SCN: that takes FLASHBACK on the table, and V_$DATABASE or DBMS_FLASHBACK (docs/verify.md)"
        )
    if found["stopped_by"]:
        lines.append(f"stopped by {found['stopped_by']}")
    return lines


def _report(found: dict[str, Any], verification: Verification) -> list[str]:
    """The result for a person."""
    counts = {name: count for name, count in found["findings"].items() if count}
    verdict = "equal" if found["equal"] else ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) or "not equal"
    scn = "" if found["source_scn"] is None else f" as of SCN {found['source_scn']}"
    ranges = f"{found['ranges']} range{'' if found['ranges'] == 1 else 's'}"
    lines = [f"{found['entity']}: {found['rows']:,} rows x {found['columns']} columns in {ranges}{scn}: {verdict}"]
    for each in verification.result.findings[:SHOWN]:
        what = f" ({', '.join(each.columns)})" if each.columns else ""
        mended = {None: "", True: ": repaired", False: f": not repaired, {each.note}"}[each.repaired]
        lines.append(f"  {', '.join(each.key)}: {each.kind.replace('_', ' ')}{what}{mended}")
    if len(verification.result.findings) > SHOWN:
        lines.append(f"  and {len(verification.result.findings) - SHOWN:,} more (--json has all)")
    lines += [f"  {line}" for line in _warnings(found)]
    if verification.result.proof is not None:
        open_ranges = verification.result.proof.open_ranges
        until = found["proven_until"] or "not yet: a range has never been proven"
        lines.append(f"  proven until: {until}" + (f"; open: {', '.join(map(str, open_ranges[:SHOWN]))}" if open_ranges else ""))
    return lines


def _tell_failure(options: argparse.Namespace, message: str) -> None:
    if options.json:
        sys.stdout.write(json.dumps({"entity": options.entity, "error": message}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"wms-ops: {message}\n")

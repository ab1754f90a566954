"""What the server keeps beside the rows: dictionary entries, the commit log, counters; and the repair after a crash.

Schema `meta` of the DuckDB file: entries (JSON), counters, commits. Schema `data`: one table per Oracle table, one sequence per
Oracle sequence. A version whose transaction is neither in the commit log nor older than it was never committed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import catalog_codec
from oracle_mimic.sql.catalog import BEGIN_WRITE, END_WRITE, ROW_ID, SESSION_ID, Catalog, Sequence, Table
from oracle_mimic.sql.engine import Connection, Engine, duckdb_transaction, run
from oracle_mimic.sql.scn import FIRST_SCN, RESERVED_SCNS, ScnLog
from oracle_mimic.sql.transactions import LIVE, STATEMENT_BITS

FORMAT = 1
_SEQUENCE_LIMIT = 2**63 - 1


class Storage:
    """Reads and writes schema `meta` and creates the physical tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def load(self) -> tuple[Catalog | None, ScnLog, int]:
        """The dictionary (None in a new database), the SCN log and the next transaction number. Repairs after a crash first."""
        with self.engine.cursor() as cursor, duckdb_transaction(cursor):
            run(cursor, "CREATE SCHEMA IF NOT EXISTS meta")
            run(cursor, "CREATE SCHEMA IF NOT EXISTS data")
            run(cursor, "CREATE TABLE IF NOT EXISTS meta.counters(name VARCHAR, value BIGINT)")
            run(cursor, "CREATE TABLE IF NOT EXISTS meta.entries(kind VARCHAR, key VARCHAR, body VARCHAR)")
            run(cursor, "CREATE TABLE IF NOT EXISTS meta.commits(number BIGINT, scn BIGINT, moment TIMESTAMP)")
            counters = {str(name): int(value) for name, value in run(cursor, "SELECT name, value FROM meta.counters")}
            if not counters:
                for name, value in (("format", FORMAT), ("low_transaction", 0)):
                    run(cursor, "INSERT INTO meta.counters VALUES ($name, $value)", {"name": name, "value": value})
                return None, ScnLog(), 1
            if counters["format"] != FORMAT:
                raise OracleError(1130, f"database file version {counters['format']} incompatible with ORACLE version {FORMAT}")
            entries = run(cursor, "SELECT kind, key, body FROM meta.entries")
            catalog = catalog_codec.load(
                entries, counters["catalog_version"], counters["next_object_id"], counters["next_constraint_number"]
            )
            self._drop_strays(cursor, catalog)
            low = counters["low_transaction"]
            self._remove_uncommitted(cursor, catalog, low)
            commits = run(cursor, "SELECT number, scn, moment FROM meta.commits ORDER BY scn")
        log = ScnLog(current=max((row[1] for row in commits), default=max(FIRST_SCN, counters.get("scn", FIRST_SCN))))
        for number, scn, moment in commits:
            log.append(scn, moment.replace(tzinfo=UTC), number)
        log.current += RESERVED_SCNS
        return catalog, log, max([low, *(row[0] for row in commits)]) + 1

    def _drop_strays(self, cursor: Connection, catalog: Catalog) -> None:
        """Tables that a CREATE TABLE AS had filled when the server died, before the dictionary knew them."""
        known = {f"t{table.object_id}" for table in catalog.tables()}
        for (name,) in run(cursor, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'data'"):
            if name not in known:
                run(cursor, f"DROP TABLE data.{name}")

    def _remove_uncommitted(self, cursor: Connection, catalog: Catalog, low: int) -> None:
        """Undo what transactions that died with the server had written."""
        dead = f"$low AND ({{0}} >> {STATEMENT_BITS}) NOT IN (SELECT number FROM meta.commits)"
        edge = {"low": (low + 1 << STATEMENT_BITS) - 1}
        for table in catalog.tables():
            if table.temporary is not None:
                run(cursor, f"DELETE FROM {table.physical}")
                continue
            run(cursor, f"DELETE FROM {table.physical} WHERE bx > " + dead.format("bx"), edge)
            run(cursor, f"UPDATE {table.physical} SET ex = {LIVE} WHERE ex < {LIVE} AND ex > " + dead.format("ex"), edge)

    def write_catalog(self, cursor: Connection, old: Catalog, new: Catalog, scn: int) -> None:
        """Store what DDL changed, inside the caller's DuckDB transaction."""
        removed, changed = catalog_codec.difference(old, new)
        for kind, key in removed:
            run(cursor, "DELETE FROM meta.entries WHERE kind = $kind AND key = $key", {"kind": kind, "key": key})
        for kind, key, body in changed:
            run(cursor, "INSERT INTO meta.entries VALUES ($kind, $key, $body)", {"kind": kind, "key": key, "body": body})
        for name, value in (
            ("catalog_version", new.version), ("next_object_id", new.next_object_id),
            ("next_constraint_number", new.next_constraint_number), ("scn", scn),
        ):  # fmt: skip
            run(cursor, "DELETE FROM meta.counters WHERE name = $name", {"name": name})
            run(cursor, "INSERT INTO meta.counters VALUES ($name, $value)", {"name": name, "value": value})

    def write_commit(self, cursor: Connection, number: int, scn: int, moment: datetime) -> None:
        """One row of the commit log: with it every version of the transaction is committed."""
        row = {"number": number, "scn": scn, "moment": moment.astimezone(UTC).replace(tzinfo=None)}
        run(cursor, "INSERT INTO meta.commits VALUES ($number, $scn, $moment)", row)

    def trim_commits(self, cursor: Connection, low: int, horizon: int) -> None:
        """Forget commits before an SCN of transactions numbered up to `low`, all of which have ended and left no dead versions."""
        run(cursor, "DELETE FROM meta.commits WHERE number <= $low AND scn < $horizon", {"low": low, "horizon": horizon})
        run(cursor, "UPDATE meta.counters SET value = $low WHERE name = 'low_transaction'", {"low": low})


def create_table(cursor: Connection, table: Table) -> None:
    """The physical table: hidden columns first, then the carriers."""
    hidden = [ROW_ID, BEGIN_WRITE, END_WRITE, *([SESSION_ID] if table.temporary else [])]
    columns = [f"{name} BIGINT" for name in hidden] + [f"{column.physical} {column.carrier}" for column in table.columns]
    run(cursor, f"CREATE TABLE {table.physical} ({', '.join(columns)})")


def drop_table(cursor: Connection, table: Table) -> None:
    """Drop the physical table; readers that have it open keep their snapshot."""
    run(cursor, f"DROP TABLE {table.physical}")


def sequence_name(object_id: int) -> str:
    """The DuckDB sequence behind an Oracle sequence."""
    return f"data.s{object_id}"


def create_sequence(cursor: Connection, sequence: Sequence, start: int | None = None) -> None:
    """The DuckDB sequence; values never roll back. Bounds beyond 64 bits are cut: 2**63 - 1 is not reached by counting."""
    minimum, maximum = (max(min(bound, _SEQUENCE_LIMIT), -_SEQUENCE_LIMIT) for bound in (sequence.minimum, sequence.maximum))
    run(
        cursor,
        f"CREATE SEQUENCE {sequence_name(sequence.object_id)} START {sequence.start if start is None else start} "
        f"INCREMENT {sequence.increment} MINVALUE {minimum} MAXVALUE {maximum} {'CYCLE' if sequence.cycle else 'NO CYCLE'}",
    )


def drop_sequence(cursor: Connection, object_id: int) -> None:
    """Drop the DuckDB sequence."""
    run(cursor, f"DROP SEQUENCE {sequence_name(object_id)}")

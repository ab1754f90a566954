"""`--test-connection` and `--health-check`: can this target load, and how is it doing. Neither changes data.

Test connection prints one line per check and ends with 0 only if a load can run; it creates one tiny private table, loads a row into
it and drops it, because that is what decides. Health check prints one JSON object; 0 healthy, 1 degraded, 2 down.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from oracle_connection.errors import DatabaseError
from oracle_connection.parameters import ConnectionParameters

from target_oracle import definitions
from target_oracle.control import CONTROL, NOW
from target_oracle.database import Database
from target_oracle.loading import direct_path_possible
from target_oracle.naming import qualified, quoted
from target_oracle.settings import TargetSettings

MAX_CLOCK_DIFFERENCE_SECONDS = 5.0
MIN_FREE_BYTES = 100 * 1024 * 1024
HEALTHY, DEGRADED, DOWN = 0, 1, 2


@dataclass(slots=True)
class Check:
    """One line: `ok`, `warning` or `FAILED`, what was looked at, and what was found."""

    name: str
    run: Callable[[], str]
    needed: bool = True


class Checks:
    """What can be asked of one target database."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.parameters = ConnectionParameters.from_config(config)
        self.settings = TargetSettings.from_config(config, self.parameters)
        self.database = Database(self.parameters, action="check")

    @property
    def own_schema(self) -> bool:
        return self.settings.schema == self.parameters.username.upper()

    def all(self) -> list[Check]:
        """The checks of `--test-connection`, in order; later ones need the first."""
        return [
            Check("connect and log in", self.version),
            Check("schema", self.schema),
            Check("privileges", self.privileges),
            Check("quota and free space", self.space),
            Check("free space", self.tablespace, needed=False),
            Check("create, load and drop a table", self.round_trip),
            Check("direct path", self.direct_path, needed=False),
            Check("clock", self.clock, needed=False),
        ]

    def version(self) -> str:
        from oracle_connection.probe import ask

        answer = ask(self.database.connection)
        return f"Oracle {answer.version} at {self.parameters.place}, {answer.latency_ms} ms a round trip"

    def schema(self) -> str:
        sql = "SELECT COUNT(*) FROM ALL_USERS WHERE USERNAME=:owner"
        if not self.database.value(sql, {"owner": self.settings.schema}, doing="look for the schema"):
            message = f"schema {self.settings.schema} does not exist: check the setting schema"
            raise ValueError(message)
        return self.settings.schema

    def privileges(self) -> str:
        """The system privileges that a load needs; in another user's schema they are the ANY ones."""
        held = {name for (name,) in self.database.query("SELECT PRIVILEGE FROM SESSION_PRIVS", doing="read the session's privileges")}
        needed = ["CREATE TABLE"] if self.own_schema else ["CREATE ANY TABLE", "ALTER ANY TABLE", "DROP ANY TABLE", "CREATE ANY INDEX"]
        if self.settings.current_view:
            needed.append("CREATE VIEW" if self.own_schema else "CREATE ANY VIEW")
        missing = [each for each in needed if each not in held]
        if missing:
            message = f"missing: {', '.join(missing)} (docs/grants/target.sql)"
            raise ValueError(message)
        return ", ".join(needed)

    def space(self) -> str:
        """How many bytes the user may still use; unknown when neither quota nor privilege tells."""
        free = self.free_bytes()
        if free is None:
            return "no limit is known (UNLIMITED TABLESPACE)"
        if free < MIN_FREE_BYTES:
            message = f"{free // 1024 // 1024} MB are left of the quota: raise it"
            raise ValueError(message)
        return f"{free // 1024 // 1024} MB are left of the quota"

    def free_bytes(self) -> int | None:
        """Bytes left of the quota on the user's default tablespace, None when it is unlimited. ValueError without any quota."""
        sql = "SELECT COUNT(*) FROM SESSION_PRIVS WHERE PRIVILEGE='UNLIMITED TABLESPACE'"
        if self.database.value(sql, doing="ask for the quota"):
            return None
        rows = self.database.query(
            "SELECT q.BYTES,q.MAX_BYTES FROM USER_TS_QUOTAS q JOIN USER_USERS u ON u.DEFAULT_TABLESPACE=q.TABLESPACE_NAME",
            doing="ask for the quota",
        )
        if not rows:
            message = "the user has no quota on its default tablespace: ALTER USER ... QUOTA (docs/grants/target.sql)"
            raise ValueError(message)
        used, limit = rows[0]
        return None if limit is None or limit < 0 else int(limit) - int(used)

    def tablespace(self) -> str:
        """How many bytes are free in the files of the user's default tablespace, as large as they are now."""
        rows = self.database.query(
            "SELECT u.DEFAULT_TABLESPACE,SUM(f.BYTES) FROM USER_USERS u LEFT JOIN USER_FREE_SPACE f "
            "ON f.TABLESPACE_NAME=u.DEFAULT_TABLESPACE GROUP BY u.DEFAULT_TABLESPACE",
            doing="ask for free space",
        )
        name, free = rows[0][0], int(rows[0][1] or 0)
        found = f"{free // 1024 // 1024} MB are free in {name}"
        if free < MIN_FREE_BYTES:
            message = f"{found}: let the DBA add space, unless its files extend themselves (ORA-01653 stops a run; nothing is lost)"
            raise ValueError(message)
        return found

    @contextmanager
    def _private_table(self) -> Iterator[str]:
        """A table of one column that lives as long as a check."""
        name = f"WMS_CHECK_{uuid.uuid4().hex[:12].upper()}"
        self.database.execute(f'CREATE TABLE {qualified(self.settings.schema, name)} ("A" NUMBER(9))', doing=f"create {name}")
        try:
            yield name
        finally:
            self.database.execute(definitions.drop_table(self.settings.schema, name), doing=f"drop {name}")

    def _count(self, name: str) -> None:
        """Raise ValueError unless the table has its one row."""
        count = self.database.value(f'SELECT COUNT(*) FROM {qualified(self.settings.schema, name)} WHERE "A"=1', doing=f"read {name}")
        if count != 1:
            message = f"the row that was loaded was not found ({count})"
            raise ValueError(message)

    def round_trip(self) -> str:
        """Create a private table, insert one row, read it back, drop the table."""
        with self._private_table() as name:
            self.database.execute(f'INSERT INTO {qualified(self.settings.schema, name)} ("A") VALUES (1)', doing=f"insert into {name}")
            self.database.commit()
            self._count(name)
        return f"in {self.settings.schema}"

    def direct_path(self) -> str:
        """The same by a direct path load."""
        if not direct_path_possible(self.database):
            message = "not possible (thick mode, or the database character set is not UTF-8); rows are loaded by array insert"
            raise ValueError(message)
        import pyarrow as pa

        with self._private_table() as name, self.database.explained(f"load {name} by direct path"):
            self.database.connection.direct_path_load(
                schema_name=self.settings.schema, table_name=name, column_names=["A"], data=pa.table({"A": [1]})
            )
            self._count(name)
        return "a row was loaded and read"

    def clock_difference_seconds(self) -> float:
        """How far the database's clock is from this machine's, in seconds."""
        there = self.database.value(f"SELECT {NOW} FROM DUAL", doing="ask for the time")
        return abs(float((datetime.now(UTC).replace(tzinfo=None) - there).total_seconds()))

    def clock(self) -> str:
        difference = self.clock_difference_seconds()
        if difference > MAX_CLOCK_DIFFERENCE_SECONDS:
            message = f"the database's clock differs by {difference:.1f} s"
            raise ValueError(message)
        return f"differs by {difference:.1f} s"

    def tables(self) -> list[dict[str, Any]]:
        """What the control table says about each target table; empty before the first load."""
        sql = "SELECT COUNT(*) FROM ALL_TABLES WHERE OWNER=:owner AND TABLE_NAME=:table_name"
        if not self.database.value(sql, {"owner": self.settings.schema, "table_name": CONTROL}, doing="look for the control table"):
            return []
        rows = self.database.query(
            f'SELECT "TABLE_NAME","LAST_BATCHED_AT","GENERATION_STATUS","HOLDER","TAKEN_AT",{NOW} '
            f"FROM {qualified(self.settings.schema, CONTROL)} ORDER BY {quoted('TABLE_NAME')}",
            doing="read the control table",
        )
        return [
            {
                "table": name,
                "last_written_at": None if written is None else written.isoformat() + "Z",
                "age_seconds": None if written is None else round((now - written).total_seconds(), 3),
                "full_sync": status,
                "last_run": holder,
                "last_run_at": None if taken is None else taken.isoformat() + "Z",
            }
            for name, written, status, holder, taken, now in rows
        ]

    def close(self) -> None:
        self.database.close()


def test_connection(config: Mapping[str, Any], out: IO[str]) -> int:
    """Print each check on its own line; 0 when every one that a load needs passed, else 1."""
    try:
        checks = Checks(config)
    except DatabaseError as error:
        out.write(f"FAILED   settings: {error}\n")
        return 1
    failed = False
    try:
        for check in checks.all():
            try:
                found = check.run()
            except (DatabaseError, ValueError) as error:
                out.write(f"{'FAILED ' if check.needed else 'warning'}  {check.name}: {error}\n")
                failed |= check.needed
                if not checks.database.is_open:
                    break
            else:
                out.write(f"ok       {check.name}: {found}\n")
    finally:
        checks.close()
    return int(failed)


def health_check(config: Mapping[str, Any], out: IO[str]) -> int:
    """Print one JSON object; 0 healthy, 1 degraded, 2 down."""
    answer: dict[str, Any] = {"component": "target-oracle", "status": "down", "latency_ms": None, "warnings": []}
    code = DOWN
    try:
        checks = Checks(config)
        try:
            code = _examine(checks, answer)
        finally:
            checks.close()
    except DatabaseError as error:
        answer["error"] = {"class": str(error.recovery), "code": error.code, "message": str(error)}
    answer["status"] = {HEALTHY: "healthy", DEGRADED: "degraded", DOWN: "down"}[code]
    out.write(json.dumps(answer) + "\n")
    return code


def _examine(checks: Checks, answer: dict[str, Any]) -> int:
    """Fill the answer; the health's code."""
    from oracle_connection.probe import ask

    found = ask(checks.database.connection)
    answer["latency_ms"], answer["version"] = found.latency_ms, found.version
    answer["database_time"] = checks.database.value(f"SELECT {NOW} FROM DUAL", doing="ask for the time").isoformat() + "Z"
    answer["clock_difference_seconds"] = round(checks.clock_difference_seconds(), 3)
    answer["tables"] = checks.tables()
    warnings: list[str] = answer["warnings"]
    answer["direct_path"] = direct_path_possible(checks.database)
    examined = (("clock", checks.clock), ("privileges", checks.privileges), ("space", checks.space), ("free space", checks.tablespace))
    for name, run in examined:
        try:
            run()
        except ValueError as error:
            warnings.append(f"{name}: {error}")
    return DEGRADED if warnings else HEALTHY

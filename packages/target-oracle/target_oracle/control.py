"""The target's own tables: who writes which table, what each batch did, which chunk is loaded, which tables are private.

| table | one row per |
|---|---|
| WMS_LOAD_LEASE | target table; locked, and never changed, by a second connection for the life of a run |
| WMS_LOAD_CONTROL | target table: fence, holder, last write, state of the full sync; locked by each transaction that writes the table |
| WMS_LOAD_AUDIT | committed batch |
| WMS_LOAD_CHUNK | chunk of a full sync that is loaded |
| WMS_LOAD_TABLE | private table (load, keys, beside, old) that exists or is about to |

The fence is a number that each new holder of the lease raises. A transaction locks the control row and compares the fence before it
writes: an orphan of a killed run can therefore neither write after its successor nor between two of its statements.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from oracle_connection.errors import ConfigurationError, DatabaseError, FatalError

from target_oracle.database import Database, has_code
from target_oracle.naming import qualified
from target_oracle.statements import moment

LEASE, CONTROL, AUDIT, CHUNK, PRIVATE = "WMS_LOAD_LEASE", "WMS_LOAD_CONTROL", "WMS_LOAD_AUDIT", "WMS_LOAD_CHUNK", "WMS_LOAD_TABLE"
NAME_IN_USE, NO_SUCH_TABLE, DUPLICATE, COLUMN_EXISTS = "ORA-00955", "ORA-00942", "ORA-00001", "ORA-01430"
ROW_LOCK_WAIT_SECONDS = 60
_TABLE_NAME = '"TABLE_NAME" VARCHAR2(128 CHAR)'

DEFINITIONS = {
    LEASE: f"({_TABLE_NAME} PRIMARY KEY)",
    CONTROL: f"""({_TABLE_NAME} PRIMARY KEY, "STREAM" VARCHAR2(400 CHAR), "FENCE" NUMBER(19) NOT NULL, "HOLDER" VARCHAR2(1000 CHAR),
        "RUN_ID" VARCHAR2(100 CHAR), "TAKEN_AT" TIMESTAMP(6), "LAST_BATCHED_AT" TIMESTAMP(6), "GENERATION" NUMBER(19),
        "GENERATION_STATUS" VARCHAR2(10 CHAR), "GENERATION_BASE_AT" TIMESTAMP(6), "BESIDE_TABLE" VARCHAR2(128 CHAR),
        "OLD_TABLE" VARCHAR2(128 CHAR), "WATERMARK" VARCHAR2(100 CHAR))""",
    AUDIT: """("BATCH_ID" VARCHAR2(200 CHAR) PRIMARY KEY, "RUN_ID" VARCHAR2(100 CHAR) NOT NULL, "STREAM" VARCHAR2(400 CHAR) NOT NULL,
        "TABLE_NAME" VARCHAR2(128 CHAR) NOT NULL, "LOADED_AT" TIMESTAMP(6) NOT NULL, "LOAD_MODE" VARCHAR2(20 CHAR) NOT NULL,
        "GENERATION" NUMBER(19), "CHUNK" NUMBER(10), "PART" NUMBER(10), "WINDOW_KEY" VARCHAR2(128 CHAR), "WINDOW_FROM" VARCHAR2(100 CHAR),
        "WINDOW_TO" VARCHAR2(100 CHAR), "READ_SCN" NUMBER(20), "ROWS_READ" NUMBER(19) NOT NULL, "ROWS_INSERTED" NUMBER(19) NOT NULL,
        "ROWS_UPDATED" NUMBER(19) NOT NULL, "ROWS_UNCHANGED" NUMBER(19) NOT NULL, "ROWS_DELETED" NUMBER(19) NOT NULL,
        "ROWS_REJECTED" NUMBER(19) NOT NULL, "WATERMARK" VARCHAR2(100 CHAR), "LOAD_SECONDS" NUMBER(12,3), "MERGE_SECONDS" NUMBER(12,3),
        "BATCHED_AT" TIMESTAMP(6))""",
    CHUNK: f"""({_TABLE_NAME}, "GENERATION" NUMBER(19), "CHUNK" NUMBER(10), "ATTEMPT" VARCHAR2(100 CHAR), "ROWS_LOADED" NUMBER(19) NOT NULL,
        "READ_SCN" NUMBER(20), "RUN_ID" VARCHAR2(100 CHAR) NOT NULL, "LOADED_AT" TIMESTAMP(6) NOT NULL,
        PRIMARY KEY ("TABLE_NAME","GENERATION","CHUNK"))""",
    PRIVATE: f"""("PRIVATE_TABLE" VARCHAR2(128 CHAR) PRIMARY KEY, {_TABLE_NAME} NOT NULL, "PURPOSE" VARCHAR2(10 CHAR) NOT NULL,
        "PROCESS" VARCHAR2(40 CHAR) NOT NULL, "CREATED_AT" TIMESTAMP(6) NOT NULL)""",
}
NOW = "SYS_EXTRACT_UTC(SYSTIMESTAMP)"
ONE_TICK = timedelta(microseconds=1)


class LostLeaseError(FatalError):
    """Another run has taken the table over since this one began."""


@dataclass(slots=True)
class ControlRow:
    """What the control row of a table says about it; `now` is the database's time in UTC."""

    now: datetime
    fence: int
    last_batched_at: datetime | None
    generation: int | None
    generation_status: str | None
    generation_base_at: datetime | None
    beside_table: str | None
    old_table: str | None
    watermark: str | None

    @property
    def next_batched_at(self) -> datetime:
        """The moment to stamp on rows: the database's time, and later than every stamp given before."""
        return self.now if self.last_batched_at is None else max(self.now, self.last_batched_at + ONE_TICK)


@dataclass(slots=True)
class BatchCounts:
    """What a batch did to its table."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0


@dataclass(slots=True)
class AuditRow:
    """One committed batch, as WMS_LOAD_AUDIT keeps it; field names are the column names in lower case."""

    batch_id: str
    run_id: str
    stream: str
    table_name: str
    load_mode: str
    rows_read: int
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_deleted: int = 0
    rows_rejected: int = 0
    generation: int | None = None
    chunk: int | None = None
    part: int | None = None
    window_key: str | None = None
    window_from: str | None = None
    window_to: str | None = None
    read_scn: int | None = None
    watermark: str | None = None
    load_seconds: float | None = None
    merge_seconds: float | None = None
    batched_at: datetime | None = None
    """The start of the batch's transaction, which its rows carry as _SDC_BATCHED_AT; ascending within a table in the order of commits."""


def moment_text(value: datetime | None) -> str | None:
    """A UTC clock time in the form that `statements.moment` reads."""
    return None if value is None else value.isoformat(sep=" ", timespec="microseconds")


class ControlTables:
    """Reads and writes the control tables of one schema. Transactions are the caller's, unless a method says that it commits."""

    def __init__(self, database: Database, schema: str, process: str) -> None:
        """process: a name for this process, unique for ever, under which its private tables are registered."""
        self.database = database
        self.schema = schema
        self.process = process

    def name(self, table: str) -> str:
        return qualified(self.schema, table)

    def create(self) -> None:
        """Create those that are missing. Two targets may do so at the same moment."""
        owned = "SELECT TABLE_NAME FROM ALL_TABLES WHERE OWNER=:owner AND TABLE_NAME IN (:t1,:t2,:t3,:t4,:t5)"
        binds = {"owner": self.schema, **{f"t{number}": each for number, each in enumerate(DEFINITIONS, 1)}}
        there = {name for (name,) in self.database.query(owned, binds, doing="look for the control tables")}
        for table, definition in DEFINITIONS.items():
            if table in there:
                continue
            try:
                self.database.execute(f"CREATE TABLE {self.name(table)} {' '.join(definition.split())}", doing=f"create {table}")
            except DatabaseError as error:
                if not has_code(error, NAME_IN_USE):
                    raise
        if AUDIT in there:
            self._add_batched_at()

    def _add_batched_at(self) -> None:
        """Give an audit table of before the column existed its BATCHED_AT; NULL for the batches of that time."""
        has = "SELECT COUNT(*) FROM ALL_TAB_COLUMNS WHERE OWNER=:owner AND TABLE_NAME=:table_name AND COLUMN_NAME='BATCHED_AT'"
        if self.database.value(has, {"owner": self.schema, "table_name": AUDIT}, doing="look at the columns of the audit"):
            return
        try:
            self.database.execute(f'ALTER TABLE {self.name(AUDIT)} ADD ("BATCHED_AT" TIMESTAMP(6))', doing=f"widen {AUDIT}")
        except DatabaseError as error:
            if not has_code(error, COLUMN_EXISTS):  # another target was faster
                raise

    def add_table(self, table: str, stream: str) -> None:
        """Make sure that a target table has its lease and control rows. Commits."""
        known = (
            f'SELECT COUNT(*) FROM {self.name(CONTROL)} c WHERE c."TABLE_NAME"=:table_name AND EXISTS (SELECT 1 FROM {self.name(LEASE)} l '
        )
        known += 'WHERE l."TABLE_NAME"=c."TABLE_NAME")'
        if self.database.value(known, {"table_name": table}, doing=f"look for the control row of {table}"):
            return
        statements = (
            (f'INSERT INTO {self.name(LEASE)} ("TABLE_NAME") VALUES (:table_name)', {"table_name": table}),
            (
                f'INSERT INTO {self.name(CONTROL)} ("TABLE_NAME","STREAM","FENCE") VALUES (:table_name,:stream,0)',
                {"table_name": table, "stream": stream},
            ),
        )
        for statement, binds in statements:
            try:
                self.database.execute(statement, binds, doing=f"register {table}")
            except DatabaseError as error:
                if not has_code(error, DUPLICATE):
                    raise
            self.database.commit()

    # --- the control row ---

    def take_fence(self, table: str, *, holder: str, run_id: str) -> int:
        """Raise the fence, as the lease's new holder; the new fence. Commits. Waits for a transaction of the previous holder."""
        row = self.lock(table, fence=None)
        fence = row.fence + 1
        self.database.execute(
            f'UPDATE {self.name(CONTROL)} SET "FENCE"=:fence,"HOLDER"=:holder,"RUN_ID"=:run_id,"TAKEN_AT"={NOW} '
            'WHERE "TABLE_NAME"=:table_name',
            {"fence": fence, "holder": holder, "run_id": run_id, "table_name": table},
            doing=f"take {table}",
        )
        self.database.commit()
        return fence

    def holder(self, table: str) -> str:
        """Who took the table last, for people."""
        sql = (
            f"""SELECT "HOLDER",TO_CHAR("TAKEN_AT",'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM {self.name(CONTROL)} WHERE "TABLE_NAME"=:table_name"""
        )
        rows = self.database.query(sql, {"table_name": table}, doing=f"ask who holds {table}")
        if not rows or rows[0][0] is None:
            return "a run that has not said who it is"
        return f"{rows[0][0]}, since {rows[0][1]}"

    def check_fence(self, table: str, fence: int) -> None:
        """Raise LostLeaseError when another run has taken the table since `fence` was given."""
        sql = f'SELECT "FENCE" FROM {self.name(CONTROL)} WHERE "TABLE_NAME"=:table_name'
        if self.database.value(sql, {"table_name": table}, doing=f"read the control row of {table}") != fence:
            message = f"another run has taken {table} over: {self.holder(table)}"
            raise LostLeaseError(message)

    def lock(self, table: str, *, fence: int | None) -> ControlRow:
        """Begin a transaction that writes `table`: lock its control row and read it.

        fence: the caller's own; raises LostLeaseError when the row has another. None: do not compare.
        ORA-30006 after a minute when a dead run's transaction still holds the row.
        """
        rows = self.database.query(
            f'SELECT {NOW},"FENCE","LAST_BATCHED_AT","GENERATION","GENERATION_STATUS","GENERATION_BASE_AT","BESIDE_TABLE","OLD_TABLE",'
            f'"WATERMARK" '
            f'FROM {self.name(CONTROL)} WHERE "TABLE_NAME"=:table_name FOR UPDATE WAIT {ROW_LOCK_WAIT_SECONDS}',
            {"table_name": table},
            doing=f"lock the control row of {table}",
        )
        if not rows:
            message = f"{self.schema}.{CONTROL} has lost its row for {table}: somebody deleted it; run again"
            raise FatalError(message)
        row = ControlRow(*rows[0])
        if fence is not None and row.fence != fence:
            self.database.rollback()
            message = f"another run has taken {table} over: {self.holder(table)}"
            raise LostLeaseError(message)
        return row

    def update(self, table: str, **values: Any) -> None:
        """Set columns of the control row; moments as datetime."""
        binds = {name: moment_text(each) if isinstance(each, datetime) else each for name, each in values.items()}
        items = ",".join(f'"{name.upper()}"={moment(name) if name.endswith("_at") else ":" + name}' for name in values)
        self.database.execute(
            f'UPDATE {self.name(CONTROL)} SET {items} WHERE "TABLE_NAME"=:table_name',
            {**binds, "table_name": table},
            doing=f"update the control row of {table}",
        )

    # --- the audit ---

    def insert_audit(self, row: AuditRow) -> None:
        names = [each.name for each in fields(AuditRow)]
        columns = ",".join(f'"{each.upper()}"' for each in names)
        values = ",".join(moment(each) if each == "batched_at" else f":{each}" for each in names)
        self.database.execute(
            f'INSERT INTO {self.name(AUDIT)} ({columns},"LOADED_AT") VALUES ({values},{NOW})',
            {each: getattr(row, each) for each in names} | {"batched_at": moment_text(row.batched_at)},
            doing=f"write {AUDIT}",
        )

    def committed(self, batch_id: str) -> BatchCounts | None:
        """What a batch did, if it is committed; None if it is not."""
        rows = self.database.query(
            f'SELECT "ROWS_INSERTED","ROWS_UPDATED","ROWS_UNCHANGED","ROWS_DELETED","ROWS_REJECTED" FROM {self.name(AUDIT)} '
            'WHERE "BATCH_ID"=:batch_id',
            {"batch_id": batch_id},
            doing=f"ask {AUDIT} for a batch",
        )
        return BatchCounts(*(int(each) for each in rows[0])) if rows else None

    def purge_audit(self, days: int) -> int:
        """Delete audit rows that are older. Commits."""
        count = self.database.execute(
            f"DELETE FROM {self.name(AUDIT)} WHERE \"LOADED_AT\"<{NOW}-NUMTODSINTERVAL(:days,'DAY')",
            {"days": days},
            doing=f"purge {AUDIT}",
        )
        self.database.commit()
        return count

    # --- the ledger of chunks ---

    def chunk_loaded(self, table: str, generation: int, chunk: int) -> bool:
        sql = f'SELECT COUNT(*) FROM {self.name(CHUNK)} WHERE "TABLE_NAME"=:table_name AND "GENERATION"=:generation AND "CHUNK"=:chunk'
        binds = {"table_name": table, "generation": generation, "chunk": chunk}
        return bool(self.database.value(sql, binds, doing="read the ledger of chunks"))

    def chunks(self, table: str, generation: int) -> dict[int, int]:
        """Chunk -> rows of everything loaded in a generation."""
        rows = self.database.query(
            f'SELECT "CHUNK","ROWS_LOADED" FROM {self.name(CHUNK)} WHERE "TABLE_NAME"=:table_name AND "GENERATION"=:generation '
            'ORDER BY "CHUNK"',
            {"table_name": table, "generation": generation},
            doing="read the ledger of chunks",
        )
        return {int(chunk): int(count) for chunk, count in rows}

    def insert_chunk(self, table: str, generation: int, chunk: int, *, attempt: str, rows: int, read_scn: int | None, run_id: str) -> None:
        self.database.execute(
            f'INSERT INTO {self.name(CHUNK)} ("TABLE_NAME","GENERATION","CHUNK","ATTEMPT","ROWS_LOADED","READ_SCN","RUN_ID","LOADED_AT") '
            f"VALUES (:table_name,:generation,:chunk,:attempt,:rows_loaded,:read_scn,:run_id,{NOW})",
            {
                "table_name": table,
                "generation": generation,
                "chunk": chunk,
                "attempt": attempt,
                "rows_loaded": rows,
                "read_scn": read_scn,
                "run_id": run_id,
            },
            doing="write the ledger of chunks",
        )

    def forget_chunks(self, table: str, *, before: int) -> None:
        """Drop the ledger of older generations."""
        self.database.execute(
            f'DELETE FROM {self.name(CHUNK)} WHERE "TABLE_NAME"=:table_name AND "GENERATION"<:generation',
            {"table_name": table, "generation": before},
            doing="purge the ledger of chunks",
        )

    # --- private tables ---

    def register(self, private: str, table: str, purpose: str) -> None:
        """Announce a private table before it is created, so that no crash leaves an unknown one. Commits."""
        try:
            self.database.execute(
                f'INSERT INTO {self.name(PRIVATE)} ("PRIVATE_TABLE","TABLE_NAME","PURPOSE","PROCESS","CREATED_AT") '
                f"VALUES (:private_table,:table_name,:purpose,:process,{NOW})",
                {"private_table": private, "table_name": table, "purpose": purpose, "process": self.process},
                doing=f"register {private}",
            )
        except DatabaseError as error:
            if not has_code(error, DUPLICATE):  # an attempt whose answer was lost had registered it
                raise
        self.database.commit()

    def unregister(self, private: str) -> None:
        """Forget a private table that was dropped or became public. Commits."""
        sql = f'DELETE FROM {self.name(PRIVATE)} WHERE "PRIVATE_TABLE"=:private_table'
        self.database.execute(sql, {"private_table": private}, doing=f"unregister {private}")
        self.database.commit()

    def left_behind(self, table: str) -> list[tuple[str, str]]:
        """(private table, purpose) of what other processes registered for a table whose lease this one holds: their owners are dead."""
        return self.database.query(
            f'SELECT "PRIVATE_TABLE","PURPOSE" FROM {self.name(PRIVATE)} WHERE "TABLE_NAME"=:table_name AND "PROCESS"<>:process',
            {"table_name": table, "process": self.process},
            doing="look for tables of dead runs",
        )

    def left_elsewhere(self, hours: int) -> list[tuple[str, str]]:
        """(private table, target table) of load and key tables of other processes that are older than this."""
        return self.database.query(
            f'SELECT "PRIVATE_TABLE","TABLE_NAME" FROM {self.name(PRIVATE)} WHERE "PROCESS"<>:process AND "PURPOSE" IN (\'load\',\'keys\') '
            f"AND \"CREATED_AT\"<{NOW}-NUMTODSINTERVAL(:hours,'HOUR')",
            {"process": self.process, "hours": hours},
            doing="look for tables of dead runs",
        )


def require(condition: bool, message: str) -> None:
    """Raise ConfigurationError unless the condition holds."""
    if not condition:
        raise ConfigurationError(message)

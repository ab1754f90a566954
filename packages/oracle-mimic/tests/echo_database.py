"""Another database behind the door, for the tests of the wire: it serves fixed Arrow tables and gives back what was bound.

It stands where the SQL room stands, so that bytes can be judged apart from SQL. Statements it knows:

- SELECT * FROM <name>: the Arrow table registered under that name
- SELECT ECHO(:1, ...): one row with the bound values, in the types they were bound with
- INSERT/UPDATE/DELETE ...: remembers the binds in `executed`; each value of the first column counts as one row
- SELECT SLEEP: waits until interrupted
- SELECT STREAM THEN SLEEP / STREAM THEN FAIL: 100,000 / 20,000 rows, then waits until interrupted, or fails with ORA-01722
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from oracle_mimic.door import Binds, DirectPathTable, Outcome, Rows, StatementInfo, Verifier
from oracle_mimic.errors import OracleError
from oracle_mimic.types import Column, Kind, OracleType
from oracle_mimic.verifier import make_verifier

_BIND = re.compile(r":(\w+)")
_STREAMED = [
    pa.RecordBatch.from_pydict({"N": range(start, start + 5_000), "T": [f"{n:050d}" for n in range(start, start + 5_000)]})
    for start in range(0, 100_000, 5_000)
]


@dataclass
class EchoDatabase:
    """See the module."""

    users: dict[str, str]
    tables: dict[str, tuple[tuple[Column, ...], pa.Table]] = field(default_factory=dict)
    executed: list[tuple[str, Binds]] = field(default_factory=list)
    loaded: list[pa.RecordBatch] = field(default_factory=list)
    version: tuple[int, int, int, int, int] = (19, 3, 0, 0, 0)
    instance_name: str = "ECHO"
    db_name: str = "ECHO"

    def __post_init__(self) -> None:
        self._verifiers = {name: make_verifier(password) for name, password in self.users.items()}
        self.failed_logons: list[str] = []
        self.sessions: list[EchoSession] = []

    def add(self, name: str, columns: Sequence[Column], table: pa.Table) -> None:
        self.tables[name.upper()] = (tuple(columns), table)

    def inspect(self, sql: str) -> StatementInfo:
        names = tuple(_BIND.findall(sql))
        word = sql.split(None, 1)[0].upper()
        returning = ()
        if "RETURNING" in sql:
            into = sql.index("INTO", sql.index("RETURNING"))
            returning = tuple(i for i, found in enumerate(_BIND.finditer(sql)) if found.start() > into)
        if word == "SELECT":
            return StatementInfo("query", names)
        if word == "BEGIN":
            return StatementInfo("plsql", tuple(dict.fromkeys(names)))
        if word in ("INSERT", "UPDATE", "DELETE"):
            return StatementInfo("dml", names, returning)
        if word in ("COMMIT", "ALTER"):
            return StatementInfo("other", names)
        raise OracleError(900, "invalid SQL statement")

    def verifier(self, user: str) -> Verifier | None:
        return self._verifiers.get(user)

    def check_account(self, user: str) -> None:
        if user == "LOCKED":
            raise OracleError(28000, "The account is locked.")

    def logon_failed(self, user: str) -> None:
        self.failed_logons.append(user)

    def change_password(self, user: str, password: str) -> None:
        self._verifiers[user] = make_verifier(password)

    def open_session(self, user: str, attributes: dict[str, str]) -> EchoSession:
        session = EchoSession(self, user, attributes, len(self.sessions) + 1)
        self.sessions.append(session)
        return session

    def close(self) -> None:
        pass


class EchoSession:
    """See the module."""

    def __init__(self, database: EchoDatabase, user: str, attributes: dict[str, str], number: int) -> None:
        self.database = database
        self.user = user
        self.attributes = attributes
        self.session_id = number
        self.serial_number = 1
        self.in_transaction = False
        self.info: dict[str, str] = {}
        self.schema = user
        self.closed = False
        self.commits = 0
        self.traffic = (0, 0, 0)
        self.sleeping = threading.Event()
        self.ended = threading.Event()
        self._interrupted = threading.Event()

    def _table(self, sql: str) -> tuple[tuple[Column, ...], pa.Table]:
        name = sql.rsplit(None, 1)[-1].upper()
        if name not in self.database.tables:
            raise OracleError(942, "table or view does not exist", offset=14)
        return self.database.tables[name]

    def describe(self, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
        return self._table(sql)[0]

    def query(self, sql: str, binds: Binds) -> Rows:
        if "STREAM" in sql:
            return Rows((Column("N", OracleType(Kind.NUMBER)), Column("T", OracleType(Kind.VARCHAR2, length=100))), self._stream(sql))
        if "SLEEP" in sql:
            self._sleep()
        if "ECHO" in sql:
            columns = tuple(Column(f"C{i}", _as_result(type_)) for i, type_ in enumerate(binds.types))
            batch = pa.RecordBatch.from_arrays(list(binds.columns), names=[column.name for column in columns])
            return Rows(columns, iter([batch]))
        columns, table = self._table(sql)
        return Rows(columns, iter(table.to_batches()))

    def _sleep(self) -> None:
        self.sleeping.set()
        self._interrupted.wait(30)
        self.sleeping.clear()
        raise OracleError(1013, "user requested cancel of current operation")

    def _stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        if "SLEEP" in sql:
            yield from _STREAMED
            self._sleep()
        yield from _STREAMED[:4]
        raise OracleError(1722, "invalid number")

    def execute(self, sql: str, binds: Binds, *, batch_errors: bool = False, array_row_counts: bool = False) -> Outcome:
        self.database.executed.append((sql, binds))
        if sql.startswith("ALTER"):
            return Outcome()
        if sql.startswith("BEGIN"):
            return Outcome(out_values=list(binds.columns), out_types=list(binds.types))
        self.in_transaction = True
        outcome = Outcome(binds.rows, last_rowid="AAAR3sAAEAAAACXAAA")
        first = next((column for column in binds.columns if column is not None), None)
        if batch_errors and first is not None:
            for index, value in enumerate(first.to_pylist()):
                if value is None:
                    outcome.batch_errors.append((index, OracleError(1400, 'cannot insert NULL into ("T"."C")')))
            outcome.row_count -= len(outcome.batch_errors)
        if array_row_counts:
            outcome.array_row_counts = [1] * binds.rows
        info = self.database.inspect(sql)
        if info.returning_binds:
            assert first is not None
            for index in info.returning_binds:
                outcome.returning.append([first.slice(row, 1) for row in range(binds.rows)])
                outcome.returning_types.append(binds.types[index])
        return outcome

    def ping(self) -> None:
        pass

    def commit(self) -> None:
        self.commits += 1
        self.in_transaction = False

    def rollback(self) -> None:
        self.in_transaction = False

    def set_current_schema(self, schema: str) -> None:
        if schema == "NOBODY":
            raise OracleError(1435, "user does not exist")
        self.schema = schema

    def set_client_info(self, info: dict[str, str]) -> None:
        self.info.update(info)

    def direct_path_prepare(self, schema: str, table: str, columns: Sequence[str]) -> DirectPathTable:
        known = {column.name: column for column in self.database.tables[table.upper()][0]}
        return DirectPathTable(1, tuple(known[name.upper()] for name in columns))

    def direct_path_write(self, table: DirectPathTable, batch: pa.RecordBatch) -> None:
        self.database.loaded.append(batch)

    def direct_path_finish(self, table: DirectPathTable) -> int:
        self.commits += 1
        return sum(batch.num_rows for batch in self.database.loaded)

    def direct_path_abort(self, table: DirectPathTable) -> None:
        self.database.loaded.clear()

    def note_traffic(self, *, bytes_sent: int, bytes_received: int, round_trips: int) -> None:
        self.traffic = (bytes_sent, bytes_received, round_trips)

    def interrupt(self) -> None:
        self._interrupted.set()

    def resume(self) -> None:
        self._interrupted.clear()

    def close(self) -> None:
        self.closed = True
        self.ended.set()


def _as_result(type_: OracleType) -> OracleType:
    if type_.kind in (Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.RAW):
        return OracleType(type_.kind, length=4000)
    return type_

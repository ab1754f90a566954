"""Queries: describe, open as a stream of record batches, lock rows FOR UPDATE."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oracle_mimic.door import Binds, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import engine_versions, rowids
from oracle_mimic.sql.bound import BoundQuery
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.engine import Connection, Stream, arrow_table, few_rows, registered, run
from oracle_mimic.sql.locks import Mode
from oracle_mimic.sql.plans import Plan, make_plan
from oracle_mimic.sql.transactions import Snapshot
from oracle_mimic.types import Column, Kind, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

ROWS_PER_BATCH = 16_384
_LONG_ROWS_PER_BATCH = 2048  # the fewest that DuckDB makes at once
_LONG_KINDS = (Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.LONG, Kind.LONG_RAW)
SMALL_ROWS = 500
SKIP_LOCKED = -1.0


def describe(session: Session, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
    """The columns of a query, from its binding alone; DML is bound all the same and has none."""
    plan = make_plan(session, session.database.catalog, sql, Binds(bind_types, [None] * len(bind_types)), array=False)
    return plan.query().columns if session.database.inspect(sql).kind == "query" else ()


def query(session: Session, sql: str, binds: Binds) -> Rows:
    """Open a query at the SCN of this moment; its first batch is read here, so that errors of execution come from here."""
    database = session.database
    catalog = database.catalog
    plan = session.plan(sql, binds)
    try:
        with database.sequence_lock if plan.dependencies.sequences else nullcontext():
            return _query(session, plan, binds)
    except OracleError as error:
        if error.code == 604 and database.catalog is not catalog:  # DDL came between binding and running
            return _query(session, session.plan(sql, binds), binds)
        raise


def _query(session: Session, plan: Plan, binds: Binds) -> Rows:
    bound = plan.query()
    values = plan.values(session, binds)
    tables = plan.virtual_rows(session)
    if bound.locks_rows:
        return Rows(bound.columns, iter(_lock_rows(session, bound, values, tables)))
    snapshot = session.snapshot()
    sql, values = snapshot.apply(bound.sql), {**values, "snapshot": snapshot.limit}
    batches: Iterator[pa.RecordBatch] | None = None
    if plan.small_schema is not None:
        batches = _few_rows(session, plan, sql, values, tables)
    if batches is None:
        has_long_values = any(column.type.kind in _LONG_KINDS for column in bound.columns)
        stream = _Guarded(session, sql, values, tables, _LONG_ROWS_PER_BATCH if has_long_values else ROWS_PER_BATCH)
        session.keep(stream.stream)
        if stream.is_small and not plan.dependencies.sequences:
            plan.small_schema = stream.stream.schema
        batches = stream
    rows = Rows(bound.columns, batches)
    if snapshot.scn < session.database.registry.purged_scn:
        rows.close()
        raise OracleError(1555, 'snapshot too old: rollback segment number  with name "" too small')
    _note_sequences(session, plan)
    return rows


def _few_rows(
    session: Session, plan: Plan, sql: str, values: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> Iterator[pa.RecordBatch] | None:
    """A result of few rows by way of Python values: quicker than opening a stream. None when there are more rows than thought."""
    schema = plan.small_schema
    if schema is None:
        return None
    engine = session.database.engine
    with engine.cursor() as cursor, session.running(cursor), registered(cursor, tables):
        found = few_rows(cursor, sql, values, SMALL_ROWS)
    try:
        if found is not None:
            arrays = [pa.array([row[number] for row in found], column.type) for number, column in enumerate(schema)]
            return iter([pa.RecordBatch.from_arrays(arrays, schema=schema)])
    except (pa.ArrowException, ValueError, OverflowError):  # what Python's own types do not hold, e.g. dates before the year 1
        found = None
    plan.small_schema = None
    return None


class _Guarded:
    """A stream whose first batches are there already and whose further ones can be interrupted."""

    def __init__(self, session: Session, sql: str, values: Mapping[str, Any], tables: Mapping[str, pa.Table], rows_per_batch: int) -> None:
        self._session = session
        self.stream = Stream(session.database.engine, sql, values, tables=tables, rows_per_batch=rows_per_batch, guard=self._guard)
        self._ready: list[pa.RecordBatch] = []
        self.is_small = True
        first = next(self.stream, None)
        if first is None:
            self._ready.append(pa.RecordBatch.from_pylist([], schema=self.stream.schema))
            return
        self._ready.append(first)
        self.is_small = first.num_rows <= SMALL_ROWS
        if first.num_rows < rows_per_batch and (second := next(self.stream, None)) is not None:
            self.is_small = False
            self._ready.append(second)  # most often there is none, and the cursor is free again

    def _guard(self, cursor: Connection, read: Callable[[], Any]) -> Any:
        with self._session.call(self._session.sql_text), self._session.running(cursor):
            return read()

    def __iter__(self) -> _Guarded:
        return self

    def __next__(self) -> pa.RecordBatch:
        return self._ready.pop(0) if self._ready else next(self.stream)

    def close(self) -> None:
        self._ready.clear()
        self.stream.close()


def _note_sequences(session: Session, plan: Plan) -> None:
    """CURRVAL of the sequences that the statement took values from."""
    for object_id in plan.dependencies.sequences:
        note_sequence(session, object_id)


def note_sequence(session: Session, object_id: int, cursor: Connection | None = None) -> None:
    """Remember a sequence's last value as the session's CURRVAL."""
    text = f"SELECT currval('data.s{object_id}')"
    if cursor is not None:
        session.sequence_values[object_id] = run(cursor, text)[0][0]
        return
    with session.database.engine.cursor() as own:
        session.sequence_values[object_id] = run(own, text)[0][0]


def _lock_rows(session: Session, bound: BoundQuery, values: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> list[pa.RecordBatch]:
    """SELECT FOR UPDATE: run, lock what was found, or wait and run again; the rows as they were when all were locked."""
    session.require_writable()
    wait = bound.for_update
    deadline = None if wait is None or wait < 0 else time.monotonic() + wait
    locked = [session.database.catalog.table(object_id) for object_id in bound.locked_tables]
    for table in locked:
        timeout = None if deadline is None else max(deadline - time.monotonic(), 0)
        session.database.locks.lock_table(session.session_id, table.object_id, Mode.ROW_EXCLUSIVE, timeout)
    while True:
        snapshot = session.snapshot()
        with session.database.engine.cursor() as cursor, session.running(cursor), registered(cursor, tables):
            found = arrow_table(cursor, snapshot.apply(bound.sql), {**values, "snapshot": snapshot.limit})
            with session.writing():
                blockers, changed, kept = _blocked(session, cursor, found, locked, snapshot, skip=wait == SKIP_LOCKED)
                if not blockers and not changed:
                    rows = found.filter(kept) if kept is not None else found
                    for number, table in enumerate(locked):
                        rids = _rids(rows.column(f"r{number}"), table)
                        if rids:
                            session.begin()
                            session.database.locks.lock_rows(session.session_id, table.object_id, rids)
                    width = len(bound.columns)
                    return list(rows.select(range(width)).to_batches(max_chunksize=ROWS_PER_BATCH)) or [
                        pa.RecordBatch.from_pylist([], schema=rows.select(range(width)).schema)
                    ]
        if changed and not blockers:
            if session.snapshot_scn is not None:
                raise OracleError(8177, "can't serialize access for this transaction")
            continue
        timeout = None if deadline is None else max(deadline - time.monotonic(), 0)
        session.database.locks.wait(session.session_id, "TX", still_held(session, blockers), 0 if wait == 0 else timeout)


def still_held(session: Session, sessions: frozenset[int]) -> Callable[[], frozenset[int]]:
    """Which of the sessions still have the transaction they have now."""
    registry = session.database.registry
    numbers = {number for number, transaction in registry.open.items() if transaction.session_id in sessions}
    return lambda: registry.sessions_of(numbers)


def _rids(column: pa.ChunkedArray, table: Table) -> list[int]:
    offset = rowids.rowid_offset(table.data_object_id)
    return [int(value) - offset for value in column.to_pylist() if value is not None]


def _blocked(
    session: Session, cursor: Connection, found: pa.Table, tables: Sequence[Table], snapshot: Snapshot, *, skip: bool
) -> tuple[frozenset[int], bool, pa.Array | None]:
    """(sessions in the way, rows changed since the snapshot, for SKIP LOCKED: which rows are free)."""
    registry, locks = session.database.registry, session.database.locks
    own = session.transaction.number if session.transaction is not None else 0
    blockers: frozenset[int] = frozenset()
    changed = False
    free = [True] * found.num_rows
    for number, table in enumerate(tables):
        column = found.column(f"r{number}")
        rids = _rids(column, table)
        if not rids:
            continue
        cursor.register("locking", pa.table({"rid": pa.array(rids, pa.int64())}))
        with registry.lock:
            open_numbers = {*registry.open} - {own}
        writers = engine_versions.locked_rids(cursor, table, "locking", open_numbers)
        held = {rid: session_id for rid in rids if (session_id := locks.row_holder(table.object_id, rid, session.session_id)) is not None}
        live = engine_versions.unchanged(cursor, table, "locking", snapshot)
        cursor.unregister("locking")
        changed = changed or live != len({*rids})
        if skip:
            taken = writers.keys() | held.keys()
            offset = rowids.rowid_offset(table.data_object_id)
            free = [ok and (value is None or int(value) - offset not in taken) for ok, value in zip(free, column.to_pylist(), strict=True)]
        else:
            blockers |= registry.sessions_of(set(writers.values())) | frozenset(held.values())
    return blockers, changed and not skip, pa.array(free, pa.bool_()) if skip else None

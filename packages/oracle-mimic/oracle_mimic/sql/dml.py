"""INSERT, UPDATE, DELETE, MERGE for a session: locks, waiting and starting again, arrays of executions, what goes back to the client.

One execution, or as many of an array as do not depend on each other, is one try (`engine_dml`). When a try over several executions
fails, it is halved, until the execution at fault stands alone: so every execution has its own fate, as in Oracle, and good arrays
cost one try.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oracle_mimic.door import Binds, Outcome
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import engine_versions, quotas, rowids
from oracle_mimic.sql.bound import MULTI, BoundDelete, BoundInsert, BoundMerge, BoundMultiInsert
from oracle_mimic.sql.engine import Connection, WriteConflictError, arrow_table, duckdb_transaction, registered, run
from oracle_mimic.sql.engine_constraints import Check
from oracle_mimic.sql.engine_dml import DmlPlan, DmlTry, KeyClashError, OrderDependentError, Staged, Written
from oracle_mimic.sql.engine_versions import STAGE, BlockedError, ChangedError
from oracle_mimic.sql.locks import Mode
from oracle_mimic.sql.plans import Plan
from oracle_mimic.sql.queries import note_sequence

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

BINDS = "binds"
_MAX_RESTARTS = 10_000
# Errors that are not one row's fault: the call ends, whatever batch errors were asked for.
_OF_THE_CALL = frozenset({28, 54, 60, 604, 1012, 1013, 1536, 1562, 1653, 1950, 4030, 8177, 12838, 16000})


class _StalePlanError(Exception):
    """DDL changed the table while the statement waited: it has to be bound again."""


@dataclass(slots=True)
class _Run:
    """One call of `execute`: the statement, its executions, and what they came to so far. part: of INSERT ALL into several tables."""

    session: Session
    sql: str
    binds: Binds
    plan: Plan
    dml: DmlPlan
    values: dict[str, Any]
    virtual: Mapping[str, pa.Table]
    array: pa.Table | None
    batch_errors: bool
    left_out: set[int] = field(default_factory=set)
    row_count: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    returning: dict[int, pa.Table] = field(default_factory=dict)
    errors: list[tuple[int, OracleError]] = field(default_factory=list)
    last_rid: int | None = None
    part: int | None = None


def execute(session: Session, sql: str, binds: Binds, *, batch_errors: bool, array_row_counts: bool) -> Outcome:
    """Run a DML statement. An error carries `rows_done`: the rows of the executions before it, which stay done."""
    session.require_writable()
    array = binds.rows > 1 or (batch_errors and bool(binds.columns))
    if binds.rows == 0:
        return Outcome()
    plan = session.plan(sql, binds, array=array)
    if isinstance(plan.bound, BoundMultiInsert):
        return _insert_all(session, plan, plan.bound, sql, binds)
    plan, bound = _planned(session, sql, binds, array=array)
    values = plan.values(session, Binds() if array else binds)
    virtual = plan.virtual_rows(session)
    running = _Run(session, sql, binds, plan, bound, values, virtual, _bind_table(binds) if array else None, batch_errors)
    if array:
        _run_executions(running, 0, binds.rows)
    else:
        _add(running, _until_done(running, None))
    return _outcome(running, binds.rows if array else 1, array_row_counts=array_row_counts)


def _insert_all(session: Session, plan: Plan, bound: BoundMultiInsert, sql: str, binds: Binds) -> Outcome:
    """INSERT ALL into several tables: the query's rows are read once and kept, then each table gets its own; all or nothing."""
    database = session.database
    values, virtual = plan.values(session, binds), plan.virtual_rows(session)
    open_before = session.transaction
    done_before = open_before.statement if open_before is not None else 0
    snapshot = session.snapshot()
    with database.engine.cursor() as cursor, session.running(cursor), registered(cursor, virtual):
        rows = arrow_table(cursor, snapshot.apply(bound.source), {**values, "snapshot": snapshot.limit})
    inserted = 0
    try:
        for number, part in enumerate(plan.parts):
            running = _Run(session, sql, binds, plan, part, values, {**virtual, MULTI: rows}, None, batch_errors=False, part=number)
            inserted += _until_done(running, None).rows
    except BaseException:
        session.undo(done_before)
        if open_before is None and session.transaction is not None:
            database.registry.ended(session.transaction)
            session.transaction = None
            if not _keeps_locks(session):
                database.locks.release(session.session_id)
        raise
    return Outcome(inserted)


def _planned(session: Session, sql: str, binds: Binds, *, array: bool, part: int | None = None) -> tuple[Plan, DmlPlan]:
    plan = session.plan(sql, binds, array=array)
    if part is not None and part < len(plan.parts):
        return plan, plan.parts[part]
    if plan.dml is None:
        raise OracleError(900, "invalid SQL statement")
    return plan, plan.dml


def _bind_table(binds: Binds) -> pa.Table:
    columns = {f"b{number}": column for number, column in enumerate(binds.columns, start=1) if column is not None}
    return pa.table({**columns, "execution": pa.array(range(binds.rows), pa.int64())})


def _run_executions(running: _Run, start: int, stop: int) -> None:
    """Executions start..stop-1, together if they can be, else in halves."""
    reads_own_table = isinstance(running.dml.bound, BoundInsert) and f"{running.dml.table.physical} " in running.dml.bound.sql
    try:
        if reads_own_table and stop - start > 1:
            raise OrderDependentError
        _add(running, _until_done(running, range(start, stop)))
    except KeyClashError as clash:
        _leave_out(running, start, stop, clash)
    except (OracleError, OrderDependentError) as error:
        if isinstance(error, OracleError) and (error.code in _OF_THE_CALL or error.fatal):
            error.rows_done = running.row_count
            raise
        if stop - start > 1:
            middle = (start + stop) // 2
            _run_executions(running, start, middle)
            _run_executions(running, middle, stop)
            return
        if not isinstance(error, OracleError):
            raise OracleError(30926, "unable to get a stable set of rows in the source tables") from error
        if not running.batch_errors:
            error.rows_done = running.row_count
            raise
        running.errors.append((start, error))


def _leave_out(running: _Run, start: int, stop: int, clash: KeyClashError) -> None:
    """Go on without the executions whose keys clash; without batch errors only up to the first of them."""
    if running.batch_errors:
        running.left_out |= clash.executions
        running.errors += [(execution, OracleError(clash.code, clash.text)) for execution in clash.executions]
        _run_executions(running, start, stop)
        return
    first = min(clash.executions)
    if first > start:
        _run_executions(running, start, first)
    raise OracleError(clash.code, clash.text, rows_done=running.row_count)


def _add(running: _Run, written: Written) -> None:
    running.row_count += written.rows
    running.counts.update(written.counts)
    running.returning.update(written.returning)
    running.last_rid = written.last_rid if written.last_rid is not None else running.last_rid


def _outcome(running: _Run, executions: int, *, array_row_counts: bool) -> Outcome:
    outcome = Outcome(running.row_count, batch_errors=sorted(running.errors, key=lambda found: found[0]))
    if array_row_counts:
        counts = running.counts if running.array is not None else {0: running.row_count}
        outcome.array_row_counts = [counts.get(execution, 0) for execution in range(executions)]
    bound = running.dml.bound
    if not isinstance(bound, BoundMerge) and bound.returning is not None:
        outcome.returning_types = [expression.type for expression in bound.returning.expressions]
        some = next(iter(running.returning.values()), None)
        for number in range(len(bound.returning.expressions)):
            values: list[pa.Array] = []
            for execution in range(executions):
                found = running.returning.get(execution)
                if found is not None:
                    values.append(found.column(number).combine_chunks())
                else:
                    values.append(pa.array([], pa.null() if some is None else some.schema.field(number).type))
            outcome.returning.append(values)
    if running.last_rid is not None and running.row_count == 1:
        outcome.last_rowid = rowids.to_text(rowids.rowid_offset(running.dml.table.data_object_id) + running.last_rid)
    return outcome


def _until_done(running: _Run, executions: range | None) -> Written:
    """Try until nobody is in the way; a first statement that fails leaves no lock behind."""
    session = running.session
    locked_before = session.in_transaction
    try:
        return _try_again(running, executions, locked_before=locked_before)
    except BaseException:
        if not locked_before and session.transaction is None and not _keeps_locks(session):
            session.database.locks.release(session.session_id)
        raise


def _try_again(running: _Run, executions: range | None, *, locked_before: bool) -> Written:
    """One try after another. The table's lock, taken when the statement starts, is held while it waits for rows and keys.

    ORA-08177 when that cannot be in a SERIALIZABLE transaction.
    """
    session = running.session
    for _ in range(_MAX_RESTARTS):
        try:
            return _try(running, executions, locked_before=locked_before)
        except _StalePlanError:
            running.plan, running.dml = _planned(session, running.sql, running.binds, array=running.array is not None, part=running.part)
        except BlockedError as blocked:
            registry = session.database.registry
            numbers = blocked.transactions
            session.database.locks.wait(session.session_id, "TX", partial(registry.sessions_of, numbers), None)
        except (ChangedError, WriteConflictError) as changed:
            if session.snapshot_scn is not None:
                raise OracleError(8177, "can't serialize access for this transaction") from changed
    raise OracleError(604, "error occurred at recursive SQL level 1: oracle-mimic gave a statement up that others kept changing rows of")


def _try(running: _Run, executions: range | None, *, locked_before: bool) -> Written:
    session, plan, table = running.session, running.dml, running.dml.table
    database = session.database
    if not isinstance(plan.bound, BoundDelete):  # whose undo has a place of its own
        database.check_space(table)
    if table.temporary is None:
        mode = Mode.EXCLUSIVE if plan.is_direct_path else Mode.ROW_EXCLUSIVE
        database.locks.lock_table(session.session_id, table.object_id, mode, None)
    _require_current(running)
    tables = dict(running.virtual)
    if running.array is not None and executions is not None:
        part = running.array.slice(executions.start, len(executions))
        if running.left_out:
            part = part.filter(pa.array([execution not in running.left_out for execution in executions]))
        tables[BINDS] = part
    numbering = database.sequence_lock if running.plan.dependencies.sequences else nullcontext()
    with numbering, database.engine.cursor() as cursor, session.running(cursor), registered(cursor, tables):
        attempt = DmlTry(
            cursor,
            plan,
            session.snapshot(),
            running.values,
            executions=executions,
            left_out=running.left_out,
            session_id=session.session_id,
        )
        staged = attempt.stage()
        if staged.rows == 0:
            if not locked_before:
                database.locks.release(session.session_id)
            return Written(counts=dict.fromkeys(executions or (), 0))
        with session.writing():
            written = _write(running, cursor, attempt, staged)
        attempt.drop_stage(staged.rows)
        for object_id in running.plan.dependencies.sequences:
            note_sequence(session, object_id, cursor)
    return written


def _require_current(running: _Run) -> None:
    table = running.dml.table
    if running.session.database.catalog.objects.get(table.object_id) is not table:
        raise _StalePlanError


def _write(running: _Run, cursor: Connection, attempt: DmlTry, staged: Staged) -> Written:
    """Under the write lock: one DuckDB transaction. A failed first statement leaves no transaction behind."""
    session, table = running.session, running.dml.table
    database = session.database
    _require_current(running)
    had_transaction = session.transaction is not None
    transaction = session.begin()
    write_id = transaction.next_statement()
    with database.registry.lock:
        open_numbers = frozenset(database.registry.open) - {transaction.number}
    check = Check(running.dml.catalog, write_id, open_numbers)
    first = database.ordinals(cursor, table)
    try:
        with duckdb_transaction(cursor):
            _raise_if_held(running, cursor)
            try:
                written = attempt.write(staged, check, first)
            except ChangedError:
                run(cursor, "ROLLBACK")
                run(cursor, "BEGIN TRANSACTION")
                if isinstance(running.dml.bound, BoundInsert):
                    raise
                blockers = engine_versions.writers_of(cursor, table, STAGE, set(open_numbers))
                raise (BlockedError(blockers) if blockers else ChangedError()) from None
            quotas.require(running.dml.catalog, table, first, first + written.inserted, partial(database.ordinals, cursor))
            database.kill_point("dml:applied")
    except BaseException:
        if not had_transaction:
            database.registry.ended(transaction)
            session.transaction = None
        raise
    transaction.tables |= attempt.touched
    transaction.row_changes += written.rows
    inserts = written.rows - written.updated - written.deleted
    database.modifications.count(table.object_id, database.clock.now(), inserts=inserts, updates=written.updated, deletes=written.deleted)
    if isinstance(running.dml.bound, BoundInsert) and running.dml.is_direct_path:
        transaction.direct_tables.add(table.object_id)
    database.use_ordinals(table, first + written.inserted)
    if not isinstance(running.dml.bound, BoundInsert):
        for object_id in attempt.touched:
            database.note_ended(object_id)
    return written


def _keeps_locks(session: Session) -> bool:
    """Whether LOCK TABLE took locks that must outlive a failed statement."""
    return session.locked_explicitly


def _raise_if_held(running: _Run, cursor: Connection) -> None:
    """BlockedError for rows that others hold FOR UPDATE."""
    if isinstance(running.dml.bound, BoundInsert):
        return
    database, table = running.session.database, running.dml.table
    held = database.locks.rows_of_others(table.object_id, running.session.session_id)
    if not held:
        return
    cursor.register("held", pa.table({"rid": pa.array(list(held), pa.int64())}))
    met = run(cursor, f"SELECT DISTINCT rid FROM held SEMI JOIN {STAGE} USING (rid)")
    cursor.unregister("held")
    sessions = {held[rid] for (rid,) in met}
    if sessions:
        registry = database.registry
        with registry.lock:
            raise BlockedError({number for number, open_ in registry.open.items() if open_.session_id in sessions})

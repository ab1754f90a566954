"""How a full sync is cut into chunks: by the blocks of the table, else by its key, where the rows really are.

Key values are rarely spread evenly: gaps would make thousands of empty chunks, and dense stretches a few huge ones. So the borders are
values that are found in the table, every so many rows, by one query whatever the table: over a sample of its blocks when statistics
call it large, else over its key's index. An estimate that is wrong makes chunks of other sizes, never a lost row: ranges are open at
both ends and follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

from oracle_connection.errors import RetriableError, Scope
from oracle_connection.types import select_expression

from tap_oracle_wms import connector, statements
from tap_oracle_wms.chunks import KEY, MAX_CHUNKS, ROWID, WHOLE, Limit, Plan, Range, rowid_plan, split_at, split_rowids, stepped_plan
from tap_oracle_wms.connector import TableDescription
from tap_oracle_wms.keys import KEY_KINDS, ReplicationKey
from tap_oracle_wms.run import StreamRun
from tap_oracle_wms.selection import ALL_ROWS, Where, chunk_range
from tap_oracle_wms.statements import quote

ASSUMED_ROW_BYTES = 200
SAMPLE_FROM_ROWS = 1_000_000
"""Smaller tables are not sampled: counting through the index of their key takes a second."""
SAMPLED_ROWS_PER_CHUNK = 5_000
"""Whole blocks are sampled, of some hundred index entries each: this many rows make a chunk's size right to a third or so."""
LARGEST_SAMPLE_PERCENT = 20


def make_plan(run: StreamRun, table: TableDescription, key: Sequence[str]) -> Plan:
    """Ranges of ROWIDs where extents can be seen, else of the key, else of ROWIDs that are in the table, else of the replication key.

    key: the stream's key properties.
    """
    storage = None
    if table.kind == connector.TABLE and table.is_heap:
        storage = connector.storage(run.source, table.owner, table.name, row_movement=table.row_movement)
        found = connector.extents(run.source, table, storage.segments)
        if found is not None:
            extents, size_bytes = found
            rows = table.rows or size_bytes // (table.row_bytes or ASSUMED_ROW_BYTES)
            chunks = max(1, min(MAX_CHUNKS, -(-rows // run.settings.chunk_rows)))
            return rowid_plan(extents, chunks, storage.identity)
    keys = plan_keys(run, table, key)
    if not keys and storage is not None:
        return stepped_plan(ROWID, _steps(run, table, ()), storage=storage.identity)
    if not keys and run.key is not None:
        keys = plan_keys(run, table, [run.key.column])
    if not keys:
        return Plan(WHOLE)
    return stepped_plan(KEY, _steps(run, table, keys), columns=tuple(each.column for each in keys))


def plan_keys(run: StreamRun, table: TableDescription, names: Sequence[str]) -> tuple[ReplicationKey, ...]:
    """The columns of a key by which rows can be cut: from the first on, as long as they have an order, and no NULL behind the first.

    Values of masked columns must not show up in the state, so they end the list too.
    """
    keys: list[ReplicationKey] = []
    for name in names:
        column = table.column(name)
        if column is None or column.type is None or column.type.kind not in KEY_KINDS or column.name in run.selection.masks:
            break
        if keys and column.nullable:
            break
        keys.append(ReplicationKey(column.name, column.type, is_clock=False))
    return tuple(keys)


@dataclass(frozen=True, slots=True)
class _Sample:
    """The part of a table that is looked at: a hint and a clause in SQL, and every how many rows of it a border is."""

    hint: str
    clause: str
    step: int


def _all_rows(run: StreamRun) -> _Sample:
    return _Sample("", "", run.settings.chunk_rows)


def _sample(run: StreamRun, keys: Sequence[ReplicationKey]) -> _Sample:
    """A sample of blocks for borders every `chunk_rows` rows; all rows where the sample would be most of them."""
    percent = 100 * SAMPLED_ROWS_PER_CHUNK / run.settings.chunk_rows
    if percent > LARGEST_SAMPLE_PERCENT:
        return _all_rows(run)
    # blocks are sampled in a full scan of an index or table only, and without the hint the order might be taken from the index
    return _Sample(f"/*+ {'INDEX_FFS' if keys else 'FULL'}(T) */ ", f"SAMPLE BLOCK ({percent:.6f}) ", SAMPLED_ROWS_PER_CHUNK)


def _steps(run: StreamRun, table: TableDescription, keys: Sequence[ReplicationKey]) -> list[Limit]:
    """The key (the ROWID without one) of every `chunk_rows`-th row, about: of a sample where statistics call the table large.

    They may be old: where the look at all rows outlives its snapshot, a sample is taken after all. Views cannot be sampled.
    """
    where = Where(f"WHERE {quote(keys[0].column)} IS NOT NULL") if keys else ALL_ROWS
    if table.kind == connector.TABLE and (table.rows or 0) >= SAMPLE_FROM_ROWS:
        return _values_at(run, keys, _sample(run, keys), where)
    try:
        return _values_at(run, keys, _all_rows(run), where)
    except RetriableError as error:
        if error.scope is not Scope.SNAPSHOT or table.kind != connector.TABLE:
            raise
        return _values_at(run, keys, _sample(run, keys), where)


def _values_at(run: StreamRun, keys: Sequence[ReplicationKey], sample: _Sample, where: Where) -> list[Limit]:
    """The key of every `step`-th row among those of the condition and the sample, in order."""
    names = [f"K{number}" for number in range(len(keys) or 1)]
    values = [select_expression(key.type, quote(key.column)) for key in keys] or ["ROWIDTOCHAR(ROWID)"]
    rows = run.source.ask(
        statements.KEY_STEPS,
        lambda cursor: {"step": sample.step, **where.bind(cursor)},
        names=", ".join(names),
        hint=sample.hint,
        values=", ".join(f"{value} {name}" for value, name in zip(values, names, strict=True)),
        keys=", ".join(quote(key.column) for key in keys) or "ROWID",
        table=run.selection.sql_table,
        sample=sample.clause,
        where=where.text,
    )
    if not keys:
        return [(str(rowid),) for (rowid,) in rows]
    return [tuple(starmap(_text, zip(keys, row, strict=True))) for row in rows if None not in row]


def _text(key: ReplicationKey, value: object) -> str:
    return value if isinstance(value, str) else key.format(value)


def cut(run: StreamRun, part: Range, keys: Sequence[ReplicationKey], pieces: int) -> list[Range]:
    """A range in about `pieces` narrower ones with as many rows each; the range itself when it cannot be cut."""
    where = chunk_range(part, keys)
    if part.kind == ROWID:
        ((lowest, highest),) = run.source.ask(statements.ROWID_LIMITS, where.bind, table=run.selection.sql_table, where=where.text)
        return split_rowids(part, lowest, highest, pieces)
    if part.kind != KEY:
        return [part]
    ((rows,),) = run.source.ask(statements.ROW_COUNT, where.bind, table=run.selection.sql_table, where=where.text)
    return split_at(part, _values_at(run, keys, _Sample("", "", max(1, -(-int(rows) // pieces))), where))

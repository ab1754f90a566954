"""Pure: the text of every statement about rows of a target table, and the names of its binds.

Nothing here talks to a database. Binds are named; all metadata binds are text (or None) and converted in SQL with fixed masks, because
a driver binds Python datetimes as DATE and would lose their fractions. Aliases: t the target table, s the rows of a batch in the
target's own types, l the load table, k the keys of a complete read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oracle_connection.types import Kind

from target_oracle.columns import (
    BATCHED_AT,
    DELETED_AT,
    EXTRACTED_AT,
    LOADED_METADATA,
    LOB_KINDS,
    RECEIVED_AT,
    REPLACES,
    SEQUENCE,
    TABLE_VERSION,
    Column,
    TableModel,
    value_expression,
)
from target_oracle.naming import listed, qualified, quoted

MOMENT_MASK = "'YYYY-MM-DD HH24:MI:SS.FF6'"
BATCH_BINDS = ("extracted_at", "received_at", "batched_at", "sequence", "table_version")
"""Values that all rows of a batch share; a row of the load table may have its own for some of them."""

_PADDED = {Kind.CHAR, Kind.NCHAR}
_ORDINARY = {Kind.NUMBER, Kind.FLOAT, Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE, Kind.CHAR, Kind.VARCHAR2, Kind.DATE, Kind.TIMESTAMP}
"""Kinds that DECODE compares in their own type, NULL equal to NULL."""


def moment(bind: str) -> str:
    """A TIMESTAMP from a text bind of the form `2026-11-22 20:15:00.123456`."""
    return f"TO_TIMESTAMP(:{bind},{MOMENT_MASK})"


# --- rows --------------------------------------------------------------------------------------------------------------------


def array_insert(schema: str, table: str, columns: Sequence[str]) -> str:
    """An INSERT for array binding; bind n is column n."""
    binds = ",".join(f":{number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {qualified(schema, table)} ({listed(columns)}) VALUES ({binds})"


def merge(model: TableModel, load: str) -> str:
    """Insert new keys, update changed rows, leave unchanged and newer ones alone. Binds: BATCH_BINDS.

    The key is in ON only (ORA-38104). Rows with a delete mark are not part of it: see `mark_deleted`.
    """
    updated = [each for each in model.columns if each.name not in model.key]
    assignments = [f"t.{quoted(each.name)}=s.{quoted(each.name)}" for each in (*updated, *_metadata(model))]
    names = [each.name for each in model.all_columns]
    rows = batch_rows(model, load, replaces=True)
    parts = [f"MERGE INTO {qualified(model.schema, model.name)} t USING ({rows}) s ON ({_same_key(model, 's')})"]
    if assignments:
        parts.append(f"WHEN MATCHED THEN UPDATE SET {','.join(assignments)} WHERE {_newer(model)}({_changed(model, updated)})")
    values = ",".join(f"s.{quoted(each)}" for each in names)
    parts.append(f"WHEN NOT MATCHED THEN INSERT ({','.join(f't.{quoted(each)}' for each in names)}) VALUES ({values})")
    return " ".join(parts)


def insert_rows(model: TableModel, load: str) -> str:
    """Add the batch's rows without looking at keys (`append`). Binds: BATCH_BINDS."""
    names = listed(each.name for each in model.all_columns)
    return f"INSERT INTO {qualified(model.schema, model.name)} ({names}) {batch_rows(model, load)}"


def append_rows(model: TableModel, loads: Sequence[str], *, into: str) -> str:
    """Move the rows of load tables into a table loaded beside, past the buffer cache. Binds: BATCH_BINDS.

    One statement, whatever the number of load tables: after an APPEND a transaction may not touch the table again (ORA-12838).
    """
    names = listed(each.name for each in model.all_columns)
    rows = " UNION ALL ".join(batch_rows(model, each) for each in loads)
    return f"INSERT /*+ APPEND */ INTO {qualified(model.schema, into)} ({names}) {rows}"


def batch_rows(model: TableModel, load: str, *, replaces: bool = False) -> str:
    """The batch's live rows, in the target's types and column order. Binds: BATCH_BINDS when the table has metadata columns.

    replaces: with the mark of rows that are the latest of several (`versions.latest`).
    """
    items = [f"{value_expression(each)} AS {quoted(each.name)}" for each in model.columns]
    if model.metadata:
        own = {each.name: f"l.{quoted(each.name)}" for each in LOADED_METADATA}
        items += [
            f"NVL({own[EXTRACTED_AT.name]},{moment('extracted_at')}) AS {quoted(EXTRACTED_AT.name)}",
            f"{moment('received_at')} AS {quoted(RECEIVED_AT.name)}",
            f"{moment('batched_at')} AS {quoted(BATCHED_AT.name)}",
            f"CAST(NULL AS TIMESTAMP(6)) AS {quoted(DELETED_AT.name)}",
            f"NVL({own[SEQUENCE.name]},TO_NUMBER(:sequence)) AS {quoted(SEQUENCE.name)}",
            f"NVL({own[TABLE_VERSION.name]},TO_NUMBER(:table_version)) AS {quoted(TABLE_VERSION.name)}",
        ]
        if replaces:
            items.append(f"l.{quoted(REPLACES.name)} AS {quoted(REPLACES.name)}")
    return f"SELECT {','.join(items)} FROM {qualified(model.schema, load)} l WHERE l.{quoted(DELETED_AT.name)} IS NULL"


def count_matches(model: TableModel, load: str) -> str:
    """One row: how many live rows the batch has, and how many of their keys the table has already."""
    keys = ",".join(f"{value_expression(model.column(each))} AS {quoted(each)}" for each in model.key)
    return (
        f"SELECT COUNT(*), COUNT(t.{quoted(model.key[0])}) FROM "
        f"(SELECT {keys} FROM {qualified(model.schema, load)} l WHERE l.{quoted(DELETED_AT.name)} IS NULL) s "
        f"LEFT JOIN {qualified(model.schema, model.name)} t ON ({_same_key(model, 's')})"
    )


def count_rows(model: TableModel, *, live: bool = False) -> str:
    where = f" WHERE {quoted(DELETED_AT.name)} IS NULL" if live and model.metadata else ""
    return f"SELECT COUNT(*) FROM {qualified(model.schema, model.name)}{where}"


def insert_rejected(schema: str, name: str) -> str:
    return (
        f'INSERT INTO {qualified(schema, name)} ("RUN_ID","STREAM","REJECTED_AT","ORA_CODE","REASON","ROW_KEY","RECORD") '
        f"VALUES (:run_id,:stream,{moment('rejected_at')},:ora_code,:reason,:row_key,:record)"
    )


# --- deletes -----------------------------------------------------------------------------------------------------------------


def count_deletes(model: TableModel, load: str) -> str:
    """How many rows the batch's delete marks would end. No binds but :sequence."""
    return f"SELECT COUNT(*) FROM {qualified(model.schema, model.name)} t WHERE {_doomed_by_batch(model, load)}"


def mark_deleted(model: TableModel, load: str) -> str:
    """Soft delete: the batch's delete marks onto rows that are there and not newer. Binds: batched_at,
    received_at, sequence, extracted_at."""
    keys = ",".join(f"{value_expression(model.column(each))} AS {quoted(each)}" for each in model.key)
    own_sequence, own_time = _own_version()
    return (
        f"MERGE INTO {qualified(model.schema, model.name)} t "
        f"USING (SELECT {keys},l.{quoted(DELETED_AT.name)} AS {quoted(DELETED_AT.name)},{own_sequence} AS {quoted(SEQUENCE.name)},"
        f"{own_time} AS {quoted(EXTRACTED_AT.name)} "
        f"FROM {qualified(model.schema, load)} l WHERE l.{quoted(DELETED_AT.name)} IS NOT NULL) s "
        f"ON ({_same_key(model, 's')}) WHEN MATCHED THEN UPDATE SET t.{quoted(DELETED_AT.name)}=s.{quoted(DELETED_AT.name)},"
        f"t.{quoted(BATCHED_AT.name)}={moment('batched_at')},t.{quoted(RECEIVED_AT.name)}={moment('received_at')},"
        f"t.{quoted(SEQUENCE.name)}=NVL(s.{quoted(SEQUENCE.name)},t.{quoted(SEQUENCE.name)}),"
        f"t.{quoted(EXTRACTED_AT.name)}=NVL(s.{quoted(EXTRACTED_AT.name)},t.{quoted(EXTRACTED_AT.name)}) "
        f"WHERE {_newer_version(*_version('s'))} AND t.{quoted(DELETED_AT.name)} IS NULL"
    )


def delete_rows(model: TableModel, load: str) -> str:
    """Hard delete of what the batch's delete marks name. Bind: sequence (with metadata columns)."""
    return f"DELETE FROM {qualified(model.schema, model.name)} t WHERE {_doomed_by_batch(model, load)}"


def insert_keys(model: TableModel, load: str, keys: str) -> str:
    """Remember the keys of a batch of a complete read."""
    items = ",".join(value_expression(model.column(each)) for each in model.key)
    source = f"{qualified(model.schema, load)} l WHERE l.{quoted(DELETED_AT.name)} IS NULL"
    return f"INSERT INTO {qualified(model.schema, keys)} ({listed(model.key)}) SELECT {items} FROM {source}"


def count_unseen(model: TableModel, keys: str) -> str:
    """How many live rows a complete read has not brought."""
    return f"SELECT COUNT(*) FROM {qualified(model.schema, model.name)} t WHERE {_unseen(model, keys)}"


def mark_unseen(model: TableModel, keys: str) -> str:
    """Soft delete of what a complete read has not brought. Binds: deleted_at, batched_at, received_at, sequence, table_version."""
    return (
        f"UPDATE {qualified(model.schema, model.name)} t SET t.{quoted(DELETED_AT.name)}={moment('deleted_at')},"
        f"t.{quoted(BATCHED_AT.name)}={moment('batched_at')},t.{quoted(RECEIVED_AT.name)}={moment('received_at')},"
        f"t.{quoted(SEQUENCE.name)}=NVL(TO_NUMBER(:sequence),t.{quoted(SEQUENCE.name)}),"
        f"t.{quoted(TABLE_VERSION.name)}=TO_NUMBER(:table_version) WHERE {_unseen(model, keys)}"
    )


def delete_unseen(model: TableModel, keys: str) -> str:
    """Hard delete of what a complete read has not brought."""
    return f"DELETE FROM {qualified(model.schema, model.name)} t WHERE {_unseen(model, keys)}"


# --- tables loaded beside ----------------------------------------------------------------------------------------------------


def delete_duplicates(model: TableModel, beside: str) -> str:
    """Of rows with one key keep the one read at the highest SCN; with equal ones, the one written last."""
    order = [f"{quoted(each.name)} DESC NULLS LAST" for each in (SEQUENCE, EXTRACTED_AT, BATCHED_AT)] if model.metadata else []
    table = qualified(model.schema, beside)
    ranked = (
        f'SELECT ROWID AS "RID", ROW_NUMBER() OVER (PARTITION BY {listed(model.key)} ORDER BY {",".join([*order, "ROWID DESC"])}) AS "RN" '
        f"FROM {table}"
    )
    return f'DELETE FROM {table} WHERE ROWID IN (SELECT "RID" FROM ({ranked}) WHERE "RN" > 1)'


def count_vanished(model: TableModel, beside: str) -> str:
    """How many live rows of the table the one loaded beside does not have."""
    return f"SELECT COUNT(*) FROM {qualified(model.schema, model.name)} t WHERE {_vanished(model, beside, live=True)}"


def carry_vanished(model: TableModel, beside: str, columns: Iterable[str]) -> str:
    """Take rows that the source no longer has over into the new table, with their delete mark, so that readers see the deletion.

    columns: those that both tables have. Binds: deleted_at, batched_at.
    """
    shared = [each for each in columns if each not in {DELETED_AT.name, BATCHED_AT.name}]
    items = ",".join(f"t.{quoted(each)}" for each in shared)
    deleted, batched = quoted(DELETED_AT.name), quoted(BATCHED_AT.name)
    return (
        f"INSERT INTO {qualified(model.schema, beside)} ({listed(shared)},{deleted},{batched}) SELECT {items},"
        f"NVL(t.{deleted},{moment('deleted_at')}),CASE WHEN t.{deleted} IS NULL THEN {moment('batched_at')} ELSE t.{batched} END "
        f"FROM {qualified(model.schema, model.name)} t WHERE {_vanished(model, beside, live=False)}"
    )


# --- parts -------------------------------------------------------------------------------------------------------------------


def _metadata(model: TableModel) -> Sequence[Column]:
    return model.all_columns[len(model.columns) :]


def _own_type(column: Column, expression: str) -> str:
    """A value of a batch in the blank-padded type of its column, so that comparing it pads too."""
    return f"CAST({expression} AS {column.type})" if column.type.kind in _PADDED else expression


def _same_key(model: TableModel, alias: str) -> str:
    return " AND ".join(f"t.{quoted(each)}={_own_type(model.column(each), f'{alias}.{quoted(each)}')}" for each in model.key)


def _key_of_load(model: TableModel) -> str:
    """The key condition against the load table itself, converting on the way."""
    columns = [model.column(each) for each in model.key]
    return " AND ".join(f"t.{quoted(each.name)}={_own_type(each, value_expression(each))}" for each in columns)


def _changed(model: TableModel, columns: Iterable[Column]) -> str:
    """True when a column differs, NULL-safely, when the row comes back from the deleted, or was another in between."""
    conditions = [differs(each) for each in columns]
    if model.metadata:
        other_version = " OR ".join(f"DECODE({old},{new},0,1)=1" for old, new in zip(_version("t"), _version("s"), strict=True))
        conditions += [f"t.{quoted(DELETED_AT.name)} IS NOT NULL", f"(s.{quoted(REPLACES.name)}=1 AND ({other_version}))"]
    return " OR ".join(conditions)


def differs(column: Column) -> str:
    """True when t's and s's value of a column differ; NULL equals NULL and nothing else."""
    old, new = f"t.{quoted(column.name)}", f"s.{quoted(column.name)}"
    new_typed = _own_type(column, new)
    if column.type.kind in _ORDINARY:
        return f"DECODE({old},{new_typed},0,1)=1"
    comparison = f"DBMS_LOB.COMPARE({old},{new})<>0" if column.type.kind in LOB_KINDS else f"{old}<>{new_typed}"
    return f"{comparison} OR ({old} IS NULL AND {new} IS NOT NULL) OR ({old} IS NOT NULL AND {new} IS NULL)"


def _version(alias: str) -> tuple[str, str]:
    """Read SCN and time of reading of a row that has both."""
    return f"{alias}.{quoted(SEQUENCE.name)}", f"{alias}.{quoted(EXTRACTED_AT.name)}"


def _own_version() -> tuple[str, str]:
    """Read SCN and time of reading of a row of the load table: its own, else the batch's."""
    sequence, time = _version("l")
    return f"NVL({sequence},TO_NUMBER(:sequence))", f"NVL({time},{moment('extracted_at')})"


def _newer_version(sequence: str, time: str) -> str:
    """The condition that a version, by its SCN and time, is not older than the table's."""
    old_sequence, old_time = _version("t")
    return _not_before(old_sequence, sequence, tie=_not_before(old_time, time))


def _not_before(old: str, new: str, *, tie: str | None = None) -> str:
    """True unless both are known and the new one is the smaller, or they are equal and `tie` is false."""
    equal = f"{new}>={old}" if tie is None else f"{new}>{old} OR ({new}={old} AND {tie})"
    return f"({old} IS NULL OR {new} IS NULL OR {equal})"


def _newer(model: TableModel) -> str:
    """The condition, with AND, that the batch's version of a row is not older than the table's (the order of `versions.py`)."""
    conditions = []
    tie = None
    if model.metadata:
        tie = _not_before(_version("t")[1], _version("s")[1])
        conditions.append(_newer_version(*_version("s")))
        conditions.append(_not_before(f"t.{quoted(TABLE_VERSION.name)}", f"s.{quoted(TABLE_VERSION.name)}"))
    if model.replication_key is not None and model.replication_key not in model.key:
        old, new = f"t.{quoted(model.replication_key)}", f"s.{quoted(model.replication_key)}"
        conditions.append(_not_before(old, new, tie=tie))
    return "".join(f"{each} AND " for each in conditions)


def _doomed_by_batch(model: TableModel, load: str) -> str:
    guard = ""
    alive = ""
    if model.metadata:
        guard = f" AND {_newer_version(*_own_version())}"
        alive = f"t.{quoted(DELETED_AT.name)} IS NULL AND "
    return (
        f"{alive}EXISTS (SELECT 1 FROM {qualified(model.schema, load)} l "
        f"WHERE l.{quoted(DELETED_AT.name)} IS NOT NULL AND {_key_of_load(model)}{guard})"
    )


def _unseen(model: TableModel, keys: str) -> str:
    alive = f"t.{quoted(DELETED_AT.name)} IS NULL AND " if model.metadata else ""
    return f"{alive}NOT EXISTS (SELECT 1 FROM {qualified(model.schema, keys)} k WHERE {_plain_key(model, 'k')})"


def _vanished(model: TableModel, beside: str, *, live: bool) -> str:
    alive = f"t.{quoted(DELETED_AT.name)} IS NULL AND " if live and model.metadata else ""
    return f"{alive}NOT EXISTS (SELECT 1 FROM {qualified(model.schema, beside)} k WHERE {_plain_key(model, 'k')})"


def _plain_key(model: TableModel, alias: str) -> str:
    """The key condition between two tables of the same column types."""
    return " AND ".join(f"t.{quoted(each)}={alias}.{quoted(each)}" for each in model.key)

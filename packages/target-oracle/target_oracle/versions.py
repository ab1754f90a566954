"""Which version of a row stays when a batch has several: one order of versions, the same here as in the statements that merge.

| from | a version is later by |
|---|---|
| our tap | its read SCN, then the time it was read, then its place in the batch |
| foreign taps, with a replication key | the replication key, then the time it was read, then its place |
| other foreign taps | its place |

Messages that are delivered again then change nothing: what they bring is older than what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from oracle_connection.types import Kind, OracleType

from target_oracle.columns import DELETED_AT, EXTRACTED_AT, REPLACES, SEQUENCE, TableModel

_EVERY_DIGIT = Context(prec=200)  # the default context rounds to 28 digits
_SEVERAL = 2


def latest(table: pa.Table, model: TableModel) -> pa.Table | None:
    """Without the rows that a later one of the same key replaces; None when there are none.

    A delete mark does not replace the live row before it. Rows that replace other contents are marked as such: they are written even if
    they are what the table has, because it was something else in between, and would be again if only that were delivered anew.
    """
    if not model.key or table.num_rows < _SEVERAL:
        return None
    keys = [_comparable(table[each], model.column(each).sent_as) for each in model.key]
    numbered = pa.table([*keys, pa.array(range(table.num_rows), pa.int64())], names=[*model.key, "position"])
    groups = numbered.group_by(list(model.key), use_threads=False).aggregate([("position", "max")])
    if groups.num_rows == table.num_rows:
        return None
    if _ranked_by(table, model):
        kept, groups_of = _latest_positions(table, model, _rows_of(keys))
        if len(kept) == table.num_rows:
            return None
    else:
        kept = groups.sort_by("position_max")["position_max"].to_pylist()
        groups_of = _groups(_rows_of(keys))
    marks = pa.array(_replacing(table, model, kept, groups_of), pa.int64())
    return table.take(pa.array(kept, pa.int64())).append_column(REPLACES.name, marks)


def _rows_of(columns: Sequence[pa.ChunkedArray]) -> list[tuple[Any, ...]]:
    return list(zip(*(each.to_pylist() for each in columns), strict=True))


def _groups(keys: Sequence[tuple[Any, ...]]) -> dict[int, list[int]]:
    """For each position the positions of all rows of its key."""
    together: dict[tuple[Any, ...], list[int]] = {}
    for position, key in enumerate(keys):
        together.setdefault(key, []).append(position)
    return {position: group for group in together.values() for position in group}


def _replacing(table: pa.Table, model: TableModel, kept: Sequence[int], groups_of: Mapping[int, list[int]]) -> list[int | None]:
    """1 for each row that stays and of whose key the batch has other contents, or a delete mark."""
    several = sorted({position for each in kept if len(groups_of[each]) >= _SEVERAL for position in groups_of[each]})
    contents = [each.name for each in model.columns] + [DELETED_AT.name] * (DELETED_AT.name in table.column_names)
    some = table.select([each for each in contents if each in table.column_names]).take(pa.array(several, pa.int64()))
    rows = dict(zip(several, _rows_of(some.columns), strict=True))
    return [1 if any(rows[other] != rows[each] for other in groups_of[each] if other != each) else None for each in kept]


def _ranked_by(table: pa.Table, model: TableModel) -> list[str]:
    """The columns that tell versions apart, the strongest first. Empty when all rows have the same version."""
    first = SEQUENCE.name if model.replication_key is None else model.replication_key
    there = [each for each in (first, EXTRACTED_AT.name, DELETED_AT.name) if each in table.column_names]
    return [each for each in there if table[each].null_count < table.num_rows]


def _latest_positions(table: pa.Table, model: TableModel, keys: Sequence[tuple[Any, ...]]) -> tuple[list[int], dict[int, list[int]]]:
    """The positions of the rows that stay, ascending, and for each position those of its key."""
    columns = [_ordered(table[each], model.column(each).sent_as) for each in _ranked_by(table, model) if each != DELETED_AT.name]
    deleted = table[DELETED_AT.name].is_valid().to_pylist() if DELETED_AT.name in table.column_names else [False] * table.num_rows
    ranks = [
        (*((value is not None, 0 if value is None else value) for value in values), position)
        for position, values in enumerate(zip(*columns, strict=True) if columns else [()] * table.num_rows)
    ]
    live: dict[tuple[Any, ...], int] = {}
    dead: dict[tuple[Any, ...], int] = {}
    for position, key in enumerate(keys):
        group = dead if deleted[position] else live
        if key not in group or ranks[position] > ranks[group[key]]:
            group[key] = position
    kept = list(live.values())
    kept += [position for key, position in dead.items() if key not in live or ranks[position] > ranks[live[key]]]
    kept.sort()
    return kept, _groups(keys)


def _ordered(values: pa.ChunkedArray, type_: OracleType) -> list[Any]:
    """Values in a form that Python orders as Oracle does."""
    if type_.kind in {Kind.NUMBER, Kind.FLOAT} and pa.types.is_string(values.type):
        return [None if text is None else Decimal(text) for text in values.to_pylist()]
    return list(values.to_pylist())


def _comparable(values: pa.ChunkedArray, type_: OracleType) -> pa.ChunkedArray:
    """Key values in a form in which equal ones are equal to Arrow as they are to Oracle."""
    if type_.kind in {Kind.CHAR, Kind.NCHAR}:
        return pc.utf8_rtrim(values, " ")
    if type_.kind in {Kind.NUMBER, Kind.FLOAT} and pa.types.is_string(values.type):
        plain = [None if text is None else str(_EVERY_DIGIT.normalize(Decimal(text))) for text in values.to_pylist()]
        return pa.chunked_array([pa.array(plain, pa.string())])
    if pa.types.is_floating(values.type):
        return pc.add(values, pa.scalar(0, values.type))  # -0.0 becomes 0.0, as Oracle stores it
    return values

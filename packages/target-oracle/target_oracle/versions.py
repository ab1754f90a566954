"""Which version of a row stays when a batch has several: one order of versions, the same here as in the statements that merge.

| from | a version is later by |
|---|---|
| our tap | its read SCN, then the time it was read, then its place in the batch |
| foreign taps, with a replication key | the replication key, then the time it was read, then its place |
| other foreign taps | its place |

Messages that are delivered again then change nothing: what they bring is older than what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    A delete mark does not replace the live row before it. Rows that replace others are marked as such: they are written even if they
    are what the table has, because it was something else in between, and would be again if only that were delivered anew.
    """
    if not model.key or table.num_rows < _SEVERAL:
        return None
    keys = [_comparable(table[each], model.column(each).sent_as) for each in model.key]
    numbered = pa.table([*keys, pa.array(range(table.num_rows), pa.int64())], names=[*model.key, "position"])
    groups = numbered.group_by(list(model.key), use_threads=False).aggregate([("position", "max"), ("position", "count")])
    if groups.num_rows == table.num_rows:
        return None
    if _ranked_by(table, model):
        plain = [each.to_pylist() for each in keys]
        kept, several = _latest_positions(table, model, list(zip(*plain, strict=True)))
        if len(kept) == table.num_rows:
            return None
    else:
        ordered = groups.sort_by("position_max")
        kept = ordered["position_max"].to_pylist()
        several = pc.greater_equal(ordered["position_count"], _SEVERAL).to_pylist()
    marks = pa.array([1 if each else None for each in several], pa.int64())
    return table.take(pa.array(kept, pa.int64())).append_column(REPLACES.name, marks)


def _ranked_by(table: pa.Table, model: TableModel) -> list[str]:
    """The columns that tell versions apart, the strongest first. Empty when all rows have the same version."""
    first = SEQUENCE.name if model.replication_key is None else model.replication_key
    there = [each for each in (first, EXTRACTED_AT.name, DELETED_AT.name) if each in table.column_names]
    return [each for each in there if table[each].null_count < table.num_rows]


def _latest_positions(table: pa.Table, model: TableModel, keys: Sequence[tuple[Any, ...]]) -> tuple[list[int], list[bool]]:
    """The positions of the rows that stay, ascending, and whether each of them is one of several of its key."""
    columns = [_ordered(table[each], model.column(each).sent_as) for each in _ranked_by(table, model) if each != DELETED_AT.name]
    deleted = table[DELETED_AT.name].is_valid().to_pylist() if DELETED_AT.name in table.column_names else [False] * table.num_rows
    ranks = [
        (*((value is not None, 0 if value is None else value) for value in values), position)
        for position, values in enumerate(zip(*columns, strict=True) if columns else [()] * table.num_rows)
    ]
    live: dict[tuple[Any, ...], int] = {}
    dead: dict[tuple[Any, ...], int] = {}
    seen: dict[tuple[Any, ...], int] = {}
    for position, key in enumerate(keys):
        group = dead if deleted[position] else live
        seen[key] = seen.get(key, 0) + 1
        if key not in group or ranks[position] > ranks[group[key]]:
            group[key] = position
    kept = list(live.values())
    kept += [position for key, position in dead.items() if key not in live or ranks[position] > ranks[live[key]]]
    kept.sort()
    return kept, [seen[keys[each]] >= _SEVERAL for each in kept]


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

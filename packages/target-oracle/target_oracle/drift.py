"""Pure: what must change in an existing table so that a stream's rows fit, or why they never will.

New columns are added, sizes are widened, NOT NULL is relaxed. Nothing is ever narrowed or dropped, and no column changes its kind:
then the stream stops with a DriftError that names the column, both types and the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from oracle_connection.types import CHARACTERS, NATIONAL, TIMESTAMPS, Kind, OracleType

from target_oracle.columns import Column, TableModel
from target_oracle.definitions import add_column, modify_column, relax_column
from target_oracle.errors import StreamError


class DriftPolicy(StrEnum):
    """What to do when a stream's schema and its table differ (setting on_schema_drift)."""

    EVOLVE = "evolve"
    KEEP_WIDER = "keep_wider"
    FAIL = "fail"


class DriftError(StreamError):
    """The stream's schema and the table contradict each other."""


@dataclass(frozen=True, slots=True)
class Change:
    """One ALTER TABLE and the line about it in the run record; a statement of None only tells."""

    statement: str | None
    line: str


@dataclass(frozen=True, slots=True)
class ExistingColumn:
    """A column as the dictionary describes it. type is None for one that this pipeline cannot carry (and never fills)."""

    name: str
    type: OracleType | None
    nullable: bool
    has_default: bool = False


def plan_changes(
    model: TableModel, existing: Sequence[ExistingColumn], key: Sequence[str], *, policy: DriftPolicy = DriftPolicy.EVOLVE
) -> list[Change]:
    """What to do to the table so that `model` fits, in order. key: the table's primary key columns, empty without one.

    Raises DriftError.
    """
    there = {each.name: each for each in existing}
    changes: list[Change] = []
    if key and model.key and set(key) != set(model.key):
        message = (
            f"{model.name}: the key changed from ({', '.join(key)}) to ({', '.join(model.key)}): correct the stream's key properties, "
            "or load the table anew (drop it, then run the full sync)"
        )
        raise DriftError(message)
    for column in model.all_columns:
        old = there.get(column.name)
        if old is None:
            changes.append(Change(add_column(model.schema, model.name, column), f"added column {column.name} {column.type}"))
            continue
        changes += _column_changes(model, column, old, policy)
    wanted = {each.name for each in model.all_columns}
    for name, old in there.items():
        if name in wanted:
            continue
        changes.append(Change(None, f"column {name} is no longer sent; it stays"))
        if not old.nullable and not old.has_default and name not in key:
            changes.append(_relaxed(model, name, "is no longer sent"))
    if policy is DriftPolicy.FAIL and any(each.statement for each in changes):
        lines = "; ".join(each.line for each in changes if each.statement)
        message = f"{model.name}: the stream's schema differs from the table ({lines}) and on_schema_drift is 'fail'"
        raise DriftError(message)
    return changes


def _column_changes(model: TableModel, column: Column, old: ExistingColumn, policy: DriftPolicy) -> list[Change]:
    changes = []
    if old.type != column.type:
        wider = None if old.type is None else widened(old.type, column.type)
        if wider is None:
            _refuse(model, column, old, policy)
        elif wider != old.type:
            statement = modify_column(model.schema, model.name, column.name, wider)
            changes.append(Change(statement, f"widened column {column.name} from {old.type} to {wider}"))
    if column.nullable and not old.nullable and column.name not in model.key:
        changes.append(_relaxed(model, column.name, "may be NULL now"))
    return changes


def _relaxed(model: TableModel, column: str, reason: str) -> Change:
    return Change(relax_column(model.schema, model.name, column), f"relaxed NOT NULL of column {column}: it {reason}")


def _refuse(model: TableModel, column: Column, old: ExistingColumn, policy: DriftPolicy) -> None:
    """Stop, unless the table's column holds everything the stream may send and the setting allows that."""
    narrowing = old.type is not None and widened(column.type, old.type) == old.type
    if narrowing and policy is DriftPolicy.KEEP_WIDER:
        return
    remedy = (
        "set on_schema_drift to 'keep_wider' to keep the wider column, or load the table anew"
        if narrowing
        else "correct the source or the stream's schema, or load the table anew (drop it, then run the full sync)"
    )
    what = "narrowed" if narrowing else "changed its kind or meaning"
    message = f"{model.name}: column {column.name} {what} from {old.type or 'a type that cannot be carried'} to {column.type}: {remedy}"
    raise DriftError(message)


def widened(old: OracleType, new: OracleType) -> OracleType | None:
    """The type that holds every value of both, when ALTER TABLE can make it of `old` with rows in it and it is `new` or `old`.

    None when `new` is narrower in some respect, or another kind. `old` itself comes back when it is as good as `new`.
    """
    if old == new:
        return old
    if old.kind is not new.kind:
        return None
    kind = old.kind
    if kind is Kind.NUMBER:
        return new if _number_fits(old, new) else None
    if kind in CHARACTERS:
        return _wider_text(old, new)
    if kind in {Kind.RAW, Kind.UROWID}:
        return new if (new.length or 0) >= (old.length or 0) else None
    if kind is Kind.FLOAT:
        return new if (new.precision or 0) >= (old.precision or 0) else None
    if kind in TIMESTAMPS or kind in {Kind.INTERVAL_DS, Kind.INTERVAL_YM}:
        wide = (new.precision or 0) >= (old.precision or 0) and (new.scale or 0) >= (old.scale or 0)
        return new if wide else None
    return None


def _number_fits(old: OracleType, new: OracleType) -> bool:
    """Whether every NUMBER of `old` is one of `new`: as many digits before the point and after it."""
    if new.precision is None:
        return new.scale is None or (old.scale is not None and old.scale <= new.scale)
    if old.precision is None:
        return False
    old_scale, new_scale = old.scale or 0, new.scale or 0
    return new_scale >= old_scale and new.precision - new_scale >= old.precision - old_scale


def _wider_text(old: OracleType, new: OracleType) -> OracleType | None:
    """Text lengths count characters or bytes; a column in characters holds at least as much as one of that many bytes."""
    old_length, new_length = old.length or 0, new.length or 0
    if old.kind in NATIONAL or old.char_semantics == new.char_semantics or new.char_semantics:
        return new if new_length >= old_length else None
    return None

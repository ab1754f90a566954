"""What became of a table since its catalog was made: a run reads the columns that are there now, and tells the difference.

A catalog may be cached for months, so each run looks at the dictionary. A new column is read by the very run that finds it when
Meltano's rules select it (select_rules.py); where the catalog is the only one to say what is selected, it is only told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from oracle_connection.types import OracleType

from tap_oracle_wms.connector import ColumnDescription


@dataclass(frozen=True, slots=True)
class Drift:
    """The columns to read, by name in order, with their types now; those of them that the catalog lacks; what is different, as text."""

    columns: Mapping[str, OracleType]
    added: Mapping[str, ColumnDescription]
    changes: Sequence[str]
    has_new: bool


def compare(
    live: Sequence[ColumnDescription],
    chosen: Sequence[str],
    declared: Mapping[str, OracleType],
    known: Collection[str],
    is_selected: Callable[[str], bool],
) -> Drift:
    """The columns in the dictionary against the catalog's.

    chosen: the selected ones of the catalog; declared: their types there, less those that a mask changes; known: all it knows of.
    is_selected: whether a column that it does not know is wanted.
    """
    now = {column.name: column for column in live}
    changes: list[str] = []
    columns: dict[str, OracleType] = {}
    for name in chosen:
        column = now.get(name)
        if column is None:
            changes.append(f"column {name} is gone")
        elif column.type is None:
            changes.append(f"column {name} is left out: {column.refusal}")
        else:
            columns[name] = column.type
            if name in declared and column.type != declared[name]:
                changes.append(f"column {name} is {column.type}, the catalog says {declared[name]}")
    added: dict[str, ColumnDescription] = {}
    new = [column for column in live if column.name not in known]
    for column in new:
        if column.type is None:
            changes.append(f"column {column.name} is new and left out: {column.refusal}")
        elif is_selected(column.name):
            added[column.name] = column
            columns[column.name] = column.type
            changes.append(f"column {column.name} is new: it is read from now on; rows that do not change keep NULL (see backfill)")
        else:
            changes.append(f"column {column.name} is new and not selected, as far as the catalog tells: discover again to read it")
    return Drift(columns, added, changes, bool(new))

"""Foreign keys: the parent's key that one refers to, and the type of a column that is declared by its reference alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Constraint, Table
from oracle_mimic.sql.ddl.change import Change, ObjectName
from oracle_mimic.types import OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.ddl.columns import ConstraintSpec


def refer(change: Change, table: Table, spec: ConstraintSpec, constraint: Constraint) -> Constraint:
    """The constraint with its parent. ORA-00942, ORA-01031, ORA-02256, ORA-02267, ORA-02268, ORA-02270, ORA-14455."""
    parent = _parent(change, table, spec)
    if table.temporary is not None or parent.temporary is not None:
        raise OracleError(14455, "attempt to create referential integrity constraint on temporary table")
    key = _key(parent, spec)
    if spec.parent_columns and len(spec.columns) == len(key.columns):
        order = [spec.parent_columns.index(column) for column in key.columns]
        constraint = replace(constraint, columns=tuple(spec.columns[position] for position in order))
    if len(constraint.columns) != len(key.columns):
        raise OracleError(2256, "number of referencing columns must match referenced columns")
    for child_name, parent_name in zip(constraint.columns, key.columns, strict=True):
        child_column, parent_column = table.column(child_name), parent.column(parent_name)
        if child_column is None or parent_column is None or child_column.carrier != parent_column.carrier:
            raise OracleError(2267, "column type incompatible with referenced column type")
    return replace(constraint, parent_table=parent.object_id, parent_constraint=key.name)


def _parent(change: Change, table: Table, spec: ConstraintSpec) -> Table:
    target = spec.parent or ObjectName(None, "")
    owner, name = change.catalog.resolve(change.session.current_schema, target.owner, target.name)
    parent = table if (owner, name) == (table.owner, table.name) else change.catalog.get(owner, name)
    if not isinstance(parent, Table):
        raise OracleError(942, "table or view does not exist")
    if parent is not table and not change.privileges.has_object(parent, "REFERENCES"):
        raise (
            OracleError(1031, "insufficient privileges")
            if change.privileges.sees(parent)
            else OracleError(942, "table or view does not exist")
        )
    return parent


def _key(parent: Table, spec: ConstraintSpec) -> Constraint:
    """The primary or unique key that is referred to."""
    if not spec.parent_columns:
        if parent.primary_key is None:
            raise OracleError(2268, "referenced table does not have a primary key")
        return parent.primary_key
    keys = [c for c in parent.constraints if c.kind in ("P", "U") and {*c.columns} == {*spec.parent_columns}]
    if not keys:
        raise OracleError(2270, "no matching unique or primary key for this column-list")
    return keys[0]


def referred_type(change: Change, table: Table, column: str, constraints: Sequence[ConstraintSpec]) -> OracleType | None:
    """The type of a column without one: that of the column it refers to, None when it refers to none."""
    for spec in constraints:
        if spec.kind == "R" and column in spec.columns:
            parent = _parent(change, table, spec)
            own = next((key.columns for key in constraints if key.kind == "P"), None) if parent is table else None
            names = spec.parent_columns or own or _key(parent, spec).columns
            position = spec.columns.index(column)
            found = parent.column(names[position]) if position < len(names) else None
            if found is not None:
                return found.type
    return None


def is_referring(column: str, constraints: Iterable[ConstraintSpec]) -> bool:
    """Whether a foreign key is declared over the column, which then needs no type."""
    return any(spec.kind == "R" and column in spec.columns for spec in constraints)

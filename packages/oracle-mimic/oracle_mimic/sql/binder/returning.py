"""RETURNING ... INTO: a value becomes one of the type that the client has declared for its bind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_mimic.sql import expressions
from oracle_mimic.sql.bound import BindContext, BindSlot, Typed
from oracle_mimic.sql.syntax import OWN_RETURNING, Bind, Node
from oracle_mimic.types import Kind, OracleType

# A bind takes text and bytes of any length as they are: neither padded nor with what follows a LONG column's value.
_TAKEN_AS = {Kind.CHAR: Kind.VARCHAR2, Kind.NCHAR: Kind.NVARCHAR2, Kind.LONG: Kind.VARCHAR2, Kind.LONG_RAW: Kind.RAW}


def into_bind(value: Typed, target: Node, slots: Sequence[BindSlot], ctx: BindContext) -> Typed:
    """The value by assignment conversion, ORA-00932 and the like; as it is for a PL/SQL block, which assigns it to its own variables."""
    if not isinstance(target, Bind) or target.name.startswith(OWN_RETURNING) or target.index >= len(slots):
        return value
    declared = slots[target.index].type
    kind = _TAKEN_AS.get(declared.kind, declared.kind)
    if kind is _TAKEN_AS.get(value.type.kind, value.type.kind):
        return value
    return expressions.assign(value, _wide(replace(declared, kind=kind)), ctx)


def _wide(type_: OracleType) -> OracleType:
    """A number's precision and scale are the value's own."""
    return OracleType(type_.kind) if type_.kind in (Kind.NUMBER, Kind.FLOAT) else type_

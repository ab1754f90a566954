"""What one statement's translation carries along: the session's answers, the binds, fresh aliases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions
from oracle_mimic.sql.bound import BindContext, BindSlot, Typed
from oracle_mimic.sql.carriers import duckdb_type
from oracle_mimic.sql.syntax import Bind, Node
from oracle_mimic.types import Kind, OracleType

BINDS = "binds"  # the relation of the bind array, and its alias
# Clients declare a bind's buffer, not its precision: the value decides.
_NUMBER = OracleType(Kind.NUMBER)


class StatementState:
    """The start of the binder's class chain: no grammar, only state.

    Args:
        sql: the statement's text, for the names of select items.
        array: binds are columns of the relation `binds`, one row per execution, instead of parameters.
    """

    def __init__(self, sql: str, binds: Sequence[BindSlot], ctx: BindContext, *, array: bool = False) -> None:
        self.sql = sql
        self.slots = binds
        self.ctx = ctx
        self.array = array
        self.binds_used: set[int] = set()
        self._aliases = 0

    def alias(self, prefix: str = "t") -> str:
        """A DuckDB alias used nowhere else in this statement."""
        self._aliases += 1
        return f"{prefix}{self._aliases - 1}"

    def bind_value(self, node: Bind) -> Typed:
        """The value of a bind in its carrier; ORA-01008 when the client sent none."""
        if node.index >= len(self.slots):
            raise OracleError(1008, "not all variables bound", offset=node.start)
        self.binds_used.add(node.index)
        slot = self.slots[node.index]
        name = f"b{node.index + 1}"
        type_, carrier, value = _carried(slot, f"{BINDS}.{name}" if self.array else f"${name}")
        if not self.array:
            self.ctx.parameters.setdefault(name, None)
        if value is None:
            typed = expressions.bind(name, type_, carrier)
            return replace(typed, sql=f"CAST({BINDS}.{name} AS {carrier})") if self.array else typed
        return Typed(value, type_, carrier)

    def text_of(self, node: Node) -> str:
        """A node's text as the statement has it."""
        return self.sql[node.start : node.end]


def _carried(slot: BindSlot, reference: str) -> tuple[OracleType, str, str | None]:
    """A bind's type, its carrier, and the DuckDB text that makes the carrier when a cast does not."""
    type_, arrow = slot.type, slot.arrow
    if type_.kind in (Kind.NUMBER, Kind.FLOAT):
        if arrow == "int64":
            return _NUMBER, "DECIMAL(19,0)", None
        if arrow is not None and arrow.startswith("decimal128"):
            precision, scale = (int(part) for part in arrow[len("decimal128(") : -1].split(","))
            return _NUMBER, f"DECIMAL({max(precision, scale)},{max(scale, 0)})", None
        return _NUMBER, "BLOB", None
    if type_.kind is Kind.TIMESTAMP_TZ:
        carrier = duckdb_type(type_)
        minutes = f'CAST({reference}."offset" AS INTEGER)'
        zone = f"printf('%s%02d:%02d', CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END, abs({minutes}) // 60, abs({minutes}) % 60)"
        whole = f"{{'utc': CAST({reference}.utc AS HUGEINT), 'tz': {zone}}}"
        return type_, carrier, f"(CASE WHEN {reference} IS NOT NULL THEN CAST({whole} AS {carrier}) END)"
    if type_.kind is Kind.ROWID:
        return OracleType(Kind.VARCHAR2, length=18), "VARCHAR", None
    if type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_LTZ) and arrow is not None:
        scale = 6 if arrow == "timestamp[us]" else 9
        carried = OracleType(type_.kind, scale=scale)
        return carried, duckdb_type(carried), None
    if type_.kind is Kind.BOOLEAN:
        raise OracleError(3115, "unsupported network datatype or representation")
    return type_, duckdb_type(type_), None

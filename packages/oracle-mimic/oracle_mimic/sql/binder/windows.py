"""OVER (..): partitions, order and frames of analytic functions."""

from __future__ import annotations

from abc import abstractmethod

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.names import NameBinder
from oracle_mimic.sql.binder.scope import Scope
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.syntax import Expression, FrameBound, OrderItem, Window
from oracle_mimic.types import Kind, OracleType

_COUNT = OracleType(Kind.NUMBER, 18, 0)


class WindowBinder(NameBinder):
    """Binds windows; a part of the binder."""

    @abstractmethod
    def value(self, node: Expression, scope: Scope) -> Typed: ...

    def window(self, window: Window, scope: Scope) -> str:
        """The text inside OVER (..)."""
        parts: list[str] = []
        if window.partition_by:
            keys = (expressions.group_key(self.value(node, scope)) for node in window.partition_by)
            parts.append("PARTITION BY " + ", ".join(keys))
        if window.order_by:
            parts.append("ORDER BY " + ", ".join(self._window_keys(window, scope)))
        if window.frame is not None and window.frame_start is not None:
            if not window.order_by:
                raise OracleError(30485, "missing ORDER BY expression in the window specification")
            parts.append(self._frame(window, window.frame_start, scope))
        return " ".join(parts)

    def order_keys(self, items: tuple[OrderItem, ...], scope: Scope) -> list[str]:
        """ORDER BY terms as DuckDB writes them."""
        return [expressions.order_key(self.value(item.expression, scope), item.descending, item.nulls_first, self.ctx) for item in items]

    def _window_keys(self, window: Window, scope: Scope) -> list[str]:
        keys = self.order_keys(window.order_by, scope)
        if not _has_offset(window):
            return keys
        if len(keys) > 1:
            raise OracleError(30486, "invalid window aggregation group in the window specification")
        key = self._range_key(window, scope)
        item = window.order_by[0]
        return [expressions.order_key(key, item.descending, item.nulls_first, self.ctx)]

    def _range_key(self, window: Window, scope: Scope) -> Typed:
        """The key that offsets are added to: a DECIMAL or a TIMESTAMP."""
        key = self.value(window.order_by[0].expression, scope)
        if key.carrier == "TIMESTAMP_S":
            return Typed(f"CAST({key.sql} AS TIMESTAMP)", OracleType(Kind.TIMESTAMP, scale=0), "TIMESTAMP", key.nullable)
        if key.carrier == "TIMESTAMP" or key.carrier.startswith("DECIMAL"):
            return key
        raise refused(f"RANGE window with an offset over {key.type.kind.value}")

    def _frame(self, window: Window, start: FrameBound, scope: Scope) -> str:
        first = self._frame_bound(window, start, scope)
        backwards = {("FOLLOWING", "PRECEDING"), ("FOLLOWING", "CURRENT ROW"), ("CURRENT ROW", "PRECEDING")}
        end = window.frame_end
        unbounded = start.direction == "FOLLOWING" and start.value is None
        if unbounded or (end is not None and (start.direction, end.direction) in backwards):
            raise OracleError(30486, "invalid window aggregation group in the window specification")
        if window.frame_end is None:
            return f"{window.frame} {first}"
        return f"{window.frame} BETWEEN {first} AND {self._frame_bound(window, window.frame_end, scope)}"

    def _frame_bound(self, window: Window, bound: FrameBound, scope: Scope) -> str:
        if bound.direction == "CURRENT ROW":
            return "CURRENT ROW"
        if bound.value is None:
            return f"UNBOUNDED {bound.direction}"
        offset = self.value(bound.value, scope)
        if window.frame == "ROWS":
            count = expressions.convert(offset, _COUNT, "DECIMAL(18,0)", self.ctx)
            return f"CAST({count.sql} AS BIGINT) {bound.direction}"
        return f"{self._distance(offset, self._range_key(window, scope))} {bound.direction}"

    def _distance(self, offset: Typed, key: Typed) -> str:
        """A RANGE offset in the key's own measure; days for a date."""
        if key.carrier.startswith("DECIMAL"):
            return expressions.convert(offset, key.type, key.carrier, self.ctx).sql
        if offset.type.kind is Kind.INTERVAL_DS:
            return f"to_microseconds(CAST({offset.sql} // 1000 AS BIGINT))"
        if offset.type.kind is Kind.INTERVAL_YM:
            return f"to_months({offset.sql})"
        days = expressions.convert(offset, OracleType(Kind.NUMBER, 38, 10), "DECIMAL(38,10)", self.ctx)
        return f"to_microseconds(CAST(round({days.sql} * 86400000000) AS BIGINT))"


def _has_offset(window: Window) -> bool:
    bounds = (window.frame_start, window.frame_end)
    return window.frame == "RANGE" and any(bound is not None and bound.value is not None for bound in bounds)

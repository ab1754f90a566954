"""What a name in an expression is: a column, a pseudo column, a value of a sequence, a function without parentheses."""

from __future__ import annotations

from typing import Literal, cast

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import expressions
from oracle_mimic.sql.binder.scope import LooseColumn, Scope
from oracle_mimic.sql.binder.state import StatementState
from oracle_mimic.sql.bound import Typed
from oracle_mimic.sql.expressions.derive import same_text
from oracle_mimic.sql.syntax import Bind, Name

# Functions that take no parentheses. Oracle looks for a column first, except for the reserved ones.
_RESERVED_FUNCTIONS = frozenset({"SYSDATE", "UID", "USER"})
_FUNCTIONS = frozenset({"SYSTIMESTAMP", "CURRENT_DATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "DBTIMEZONE", "SESSIONTIMEZONE"})
_HIERARCHICAL = frozenset({"CONNECT_BY_ISLEAF", "CONNECT_BY_ISCYCLE"})
_REFUSED = frozenset({"ORA_ROWSCN", "VERSIONS_STARTSCN", "VERSIONS_ENDSCN", "OBJECT_ID", "OBJECT_VALUE", "XMLDATA"})
_SEQUENCE_CLAUSES = frozenset({"SELECT", "VALUES", "SET"})
# PL/SQL hands its variables over as binds of this name: a column of the same name comes first, as in Oracle.
VARIABLE_PREFIX = "PL/SQL "


class NameBinder(StatementState):
    """Resolves names; a part of the binder."""

    def name(self, node: Name, scope: Scope) -> Typed:
        """ORA-00904 with the name as Oracle prints it, ORA-00918 when it is ambiguous."""
        if node.outer_join:
            raise OracleError(25156, "old style outer join (+) cannot be used with ANSI joins", offset=node.start)
        parts = tuple(part.name for part in node.parts)
        found = self._column(parts, node, scope)
        if found is None and len(parts) > 1 and parts[-1] in ("NEXTVAL", "CURRVAL") and not node.parts[-1].quoted:
            return self._sequence_value(parts, node, scope)
        if found is None and not any(part.quoted for part in node.parts):
            found = self._function(parts, node)
        if found is None:
            text = ".".join(f'"{part}"' for part in parts)
            raise OracleError(904, f"{text}: invalid identifier", offset=node.start)
        return found

    def variable(self, node: Bind, scope: Scope) -> Typed:
        """A bind; PL/SQL's variables give way to columns of their name."""
        if node.name.startswith(VARIABLE_PREFIX):
            parts = tuple(node.name.removeprefix(VARIABLE_PREFIX).split("."))
            column = self._column(parts, node, scope)
            if column is not None:
                return column
        return self.bind_value(node)

    def _column(self, parts: tuple[str, ...], node: Name | Bind, scope: Scope) -> Typed | None:
        quoted = isinstance(node, Name) and any(part.quoted for part in node.parts)
        if len(parts) == 1 and scope.clause == "ORDER BY" and (aliased := self._select_alias(parts[0], node, scope)) is not None:
            return aliased
        at: Scope | None = scope
        while at is not None:
            try:
                found = self._in_block(parts, at, quoted=quoted)
            except OracleError as error:
                error.offset = node.start
                raise
            if found is not None:
                return self._used(found, parts, node.start, at)
            at = at.parent
        return None

    def _select_alias(self, name: str, node: Name | Bind, scope: Scope) -> Typed | None:
        """ORDER BY looks among the select list's names first; what it finds was judged there."""
        same = scope.aliases.get(name, [])
        if len({same_text(typed.sql) for typed in same}) > 1:
            raise OracleError(918, "column ambiguously defined", offset=node.start)
        return same[0] if same else None

    def _in_block(self, parts: tuple[str, ...], scope: Scope, *, quoted: bool) -> Typed | None:
        name = parts[-1]
        if len(parts) > 1:
            return scope.qualified(parts[:-1], name) if len(parts) <= 3 else None
        if not quoted:
            if name == "ROWNUM":
                return scope.rownum
            if name == "LEVEL":
                return scope.level
            if name == "ROWID":
                return scope.rowid_alone()
            if name == "CONNECT_BY_ISCYCLE" and scope.level is not None:
                raise refused("pseudo column CONNECT_BY_ISCYCLE")
            if name in _HIERARCHICAL and name in scope.hierarchy:
                return scope.hierarchy[name]
        return scope.lookup(name)

    def _used(self, typed: Typed, parts: tuple[str, ...], offset: int, scope: Scope) -> Typed:
        """Note a column used outside aggregates: it must be a GROUP BY expression if the block is grouped."""
        if (key := scope.group_key(typed.sql)) is not None:
            return key
        if not scope.aggregate_depth and not typed.aggregate and parts != ("ROWNUM",):
            scope.loose.append(LooseColumn(".".join(parts), offset))
        return typed

    def _sequence_value(self, parts: tuple[str, ...], node: Name, scope: Scope) -> Typed:
        if len(parts) > 3:
            raise OracleError(904, ".".join(f'"{part}"' for part in parts) + ": invalid identifier", offset=node.start)
        if scope.clause not in _SEQUENCE_CLAUSES:
            raise OracleError(2287, "sequence number not allowed here", offset=node.start)
        owner = parts[0] if len(parts) == 3 else None
        which = cast(Literal["NEXTVAL", "CURRVAL"], parts[-1])
        try:
            return self.ctx.sequence(owner, parts[-2], which)
        except OracleError as error:
            error.offset = node.start
            raise

    def _function(self, parts: tuple[str, ...], node: Name) -> Typed | None:
        name = parts[-1]
        if len(parts) == 1:
            if name in _RESERVED_FUNCTIONS or name in _FUNCTIONS:
                return expressions.call(name, [], self.ctx)
            if (constant := expressions.float_constant(name)) is not None:
                return constant
            if name == "ROWNUM":
                raise OracleError(976, "Specified pseudocolumn or operator not allowed here.", offset=node.start)
            if name == "LEVEL" or name in _HIERARCHICAL:
                raise OracleError(1788, "CONNECT BY clause required in this query block", offset=node.start)
            if name in _REFUSED:
                raise refused(f"pseudo column {name}", offset=node.start)
            return None
        if parts[0].startswith("DBMS_") or (len(parts) == 3 and parts[0] == "SYS"):
            return expressions.call(".".join(part for part in parts if part != "SYS"), [], self.ctx)
        return None

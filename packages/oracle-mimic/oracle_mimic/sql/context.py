"""What a session answers to the binder while a statement is bound: names, sequences, time, the session's settings.

A context lives for one binding. It notes what the bound text depends on (virtual relations, flashback, sequences, session values), so
that the session knows whether the plan may be kept and what to supply when it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import binder, expressions, userenv
from oracle_mimic.sql.bound import AsOf, Nls, Relation, RelationColumn, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT, duckdb_type
from oracle_mimic.sql.catalog import Catalog, Sequence, Table, View
from oracle_mimic.sql.engine_storage import sequence_name
from oracle_mimic.sql.parser import parse_query
from oracle_mimic.sql.privileges import Privileges
from oracle_mimic.sql.relations import VirtualRelation, missing, table_relation
from oracle_mimic.sql.syntax import Select
from oracle_mimic.types import Kind, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

NOW_TYPE = OracleType(Kind.TIMESTAMP_TZ, scale=6)
_SEQUENCE_TYPE = OracleType(Kind.NUMBER, 28, 0)
_MAX_VIEW_DEPTH = 64


@dataclass(slots=True)
class Dependencies:
    """What a bound text needs or depends on; shared by the contexts of nested views."""

    virtual: dict[str, VirtualRelation] = field(default_factory=dict)
    tables: set[int] = field(default_factory=set)
    sequences: dict[int, Sequence] = field(default_factory=dict)
    volatile: bool = False  # folded a value of this execution: the plan must not be kept


class SessionContext:
    """`bound.BindContext` for a session, or for the owner of a view within it."""

    def __init__(
        self,
        session: Session,
        catalog: Catalog,
        *,
        user: str | None = None,
        schema: str | None = None,
        dependencies: Dependencies | None = None,
        as_of: AsOf | None = None,
        depth: int = 0,
    ) -> None:
        self.session = session
        self.catalog = catalog
        self.nls: Nls = session.nls
        self.user = user or session.user
        self.current_schema = schema or session.current_schema
        self.db_time_zone = "+00:00"
        self.parameters: dict[str, Any] = {}
        self.without_values = False  # a describe: binds have no values yet
        self.dependencies = dependencies or Dependencies()
        self.privileges = Privileges(catalog, self.user)
        self._as_of = as_of
        self._depth = depth

    # names

    def relation(self, owner: str | None, name: str, *, as_of: AsOf | None = None, dml: bool = False) -> Relation:
        """See `bound.BindContext.relation`."""
        as_of = as_of or self._as_of
        resolved_owner, resolved_name = self.catalog.resolve(self.current_schema, owner, name)
        found = self.catalog.get(resolved_owner, resolved_name)
        if isinstance(found, Table):
            self._require_select(found, as_of, dml=dml)
            self.dependencies.tables.add(found.object_id)
            return self._table_relation(found, as_of, dml=dml)
        if isinstance(found, View):
            if dml:
                raise refused(f"data manipulation on the view {found.owner}.{found.name}")
            self._require_select(found, as_of, dml=False)
            return self._view_relation(found, as_of)
        if (resolved_owner, resolved_name) != (owner or self.current_schema, name):
            owner, name = resolved_owner, resolved_name
        virtual = self.session.database.virtual.find(owner, name, self.privileges, self.current_schema)
        if virtual is None:
            raise missing(owner, name)
        if dml:
            raise OracleError(1031, "insufficient privileges")
        self.dependencies.virtual[virtual.registered_name] = virtual
        return virtual.relation()

    def _require_select(self, entry: Table | View, as_of: AsOf | None, *, dml: bool) -> None:
        if dml:
            if not self.privileges.sees(entry):
                raise missing(entry.owner, entry.name)
            return
        self.privileges.require_object(entry, "SELECT", "READ")
        if as_of is not None and not self.privileges.has_object(entry, "FLASHBACK"):
            raise OracleError(1031, "insufficient privileges")

    def _table_relation(self, table: Table, as_of: AsOf | None, *, dml: bool) -> Relation:
        session_id = self.session.session_id
        if as_of is None:
            return table_relation(table, session_id)
        if dml:
            raise refused("AS OF in the target of data manipulation")
        self.dependencies.volatile = True
        scn = self._scn_of(as_of)
        snapshot = self.session.database.registry.snapshot(scn)
        if scn < table.changed_scn:
            raise OracleError(1466, "unable to read data - table definition has changed")
        return table_relation(table, session_id, snapshot.predicate())

    def _scn_of(self, as_of: AsOf) -> int:
        if self.without_values:  # the columns of then are those of now, else the query itself is refused (ORA-01466)
            return self.current_scn()
        if as_of.scn is not None:
            value = self.constant(as_of.scn)
            if value is None:
                raise OracleError(8181, "specified number is not a valid system change number")
            return int(value)
        if as_of.timestamp is None:
            raise refused("this form of flashback query")
        value = self.constant(expressions.call("TIMESTAMP_TO_SCN", [as_of.timestamp], self))
        if value is None:
            raise OracleError(8180, "no snapshot found based on specified time")
        return int(value)

    def _view_relation(self, view: View, as_of: AsOf | None) -> Relation:
        if self._depth >= _MAX_VIEW_DEPTH:
            raise OracleError(1731, "circular view definition encountered")
        inner = SessionContext(
            self.session, self.catalog, user=view.owner, schema=view.owner, dependencies=self.dependencies, as_of=as_of,
            depth=self._depth + 1,
        )  # fmt: skip
        inner.without_values = self.without_values
        inner.parameters.update(self.parameters)  # AS OF may hold a bind
        try:
            bound = binder.bind_query(view.text, (), inner)
        except OracleError as error:
            if error.code in (942, 904, 1031, 2289):
                text = f'view "{view.owner}.{view.name}" has errors'
                raise OracleError(4063, text) from error
            raise
        if len(bound.columns) != len(view.columns):
            raise OracleError(4063, f'view "{view.owner}.{view.name}" has errors')
        self.parameters.update(bound.parameters)
        columns = tuple(
            RelationColumn(kept.name, column.type, carrier, f"c{number}", column.nullable)
            for number, (kept, column, carrier) in enumerate(zip(view.columns, bound.columns, bound.carriers, strict=True))
        )
        return Relation(f"({bound.sql})", columns, view.owner, view.name, folds_rows=_folds_rows(view))

    def sequence(self, owner: str | None, name: str, which: Literal["NEXTVAL", "CURRVAL"]) -> Typed:
        """See `bound.BindContext.sequence`."""
        found = self.catalog.get(*self.catalog.resolve(self.current_schema, owner, name))
        if not isinstance(found, Sequence):
            raise OracleError(2289, "sequence does not exist")
        self.privileges.require_object(found, "SELECT")
        if which == "CURRVAL":
            self.dependencies.volatile = True
            value = self.session.sequence_values.get(found.object_id)
            if value is None:
                raise OracleError(8002, f"sequence {found.name}.CURRVAL is not yet defined in this session")
            return Typed(f"CAST({value} AS {duckdb_type(_SEQUENCE_TYPE)})", _SEQUENCE_TYPE, duckdb_type(_SEQUENCE_TYPE), nullable=False)
        if found.object_id in self.dependencies.sequences:
            raise refused(f"two references to {found.name}.NEXTVAL in one statement")
        if self.session.database.standby:
            raise OracleError(16000, "database or pluggable database open for read-only access")
        self.dependencies.sequences[found.object_id] = found
        return next_value(found.object_id)

    # time

    def now(self) -> Typed:
        """The statement's SYSTIMESTAMP, as parameter $now."""
        self.parameters["now"] = None
        return Typed(f"CAST($now AS {TZ_STRUCT})", NOW_TYPE, TZ_STRUCT, nullable=False)

    def current_scn(self) -> int:
        """Now's SCN; the bound text has it folded in."""
        self.dependencies.volatile = True
        return self.session.database.registry.current_scn()

    def scn_to_time(self, scn: int) -> datetime:
        """ORA-08181 outside the log."""
        self.dependencies.volatile = True
        registry = self.session.database.registry
        with registry.lock:
            registry.current_scn()
            return registry.log.moment_of(scn)

    def time_to_scn(self, moment: datetime) -> int:
        """ORA-08180 before the log and for moments to come."""
        self.dependencies.volatile = True
        registry = self.session.database.registry
        moment = moment.astimezone(UTC) if moment.tzinfo is not None else self.session.from_server_time(moment)
        with registry.lock:
            registry.current_scn()
            if moment > registry.clock.now():
                raise OracleError(8180, "no snapshot found based on specified time")
            return registry.log.at(moment)

    # values

    def sys_context(self, namespace: str, parameter: str) -> str | None:
        """USERENV values of the session."""
        self.dependencies.volatile = True
        return userenv.sys_context(self.session, namespace, parameter)

    def may_execute(self, package: str) -> bool:
        """See `bound.BindContext.may_execute`."""
        return self.privileges.may_execute(package)

    def constant(self, typed: Typed) -> Any:
        """The value of an expression without columns, now."""
        if typed.literal is not None:
            return typed.literal
        if typed.is_null_literal:
            return None
        self.dependencies.volatile = True
        return self.session.evaluate(typed, self.parameters)


def _folds_rows(view: View) -> bool:
    body = parse_query(view.text).body
    return not isinstance(body, Select) or body.distinct or bool(body.group_by)


def next_value(sequence_id: int) -> Typed:
    """A new value of a sequence for every row."""
    carrier = duckdb_type(_SEQUENCE_TYPE)
    return Typed(f"CAST(nextval('{sequence_name(sequence_id)}') AS {carrier})", _SEQUENCE_TYPE, carrier, nullable=False)

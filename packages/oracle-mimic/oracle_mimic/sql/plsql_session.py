"""PL/SQL blocks on a session: what the interpreter asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from oracle_mimic.door import Binds, Outcome, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.ddl.change import Change
from oracle_mimic.sql.ddl.tables import gather_statistics
from oracle_mimic.sql.plans import make_plan
from oracle_mimic.sql.plsql.host import ServerOutput
from oracle_mimic.types import Column, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.parallel_execute import ParallelExecute
    from oracle_mimic.sql.session import Session


class SessionHost:
    """`plsql.Host` for a session; lives as long as the session does (its DBMS_OUTPUT buffer stays)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.output = ServerOutput()
        self.call_depth = 0

    def describe(self, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
        """See `plsql.Host.describe`."""
        return self._session.describe(sql, bind_types)

    def check(self, sql: str, bind_types: Sequence[OracleType]) -> None:
        """See `plsql.Host.check`."""
        session = self._session
        make_plan(session, session.database.catalog, sql, Binds(bind_types, [None] * len(bind_types)), array=False)

    def query(self, sql: str, binds: Binds) -> Rows:
        """See `plsql.Host.query`."""
        return self._session.query(sql, binds)

    def execute(self, sql: str, binds: Binds) -> Outcome:
        """See `plsql.Host.execute`."""
        return self._session.execute(sql, binds)

    def set_client_info(self, info: dict[str, str]) -> None:
        """See `plsql.Host.set_client_info`."""
        self._session.set_client_info(info)

    def client_info(self, key: str) -> str | None:
        """See `plsql.Host.client_info`."""
        return self._session.client_info.get(key)

    def sleep(self, seconds: float) -> None:
        """See `plsql.Host.sleep`."""
        self._session.database.locks.sleep(self._session.session_id, seconds)

    def gather_statistics(self, owner: str | None, table: str) -> None:
        """See `plsql.Host.gather_statistics`; commits, as DDL does."""
        session = self._session
        schema = owner or session.current_schema
        found = session.database.catalog.get(schema, table)
        privileges = session.context().privileges
        if not isinstance(found, Table) or (schema != session.user and not privileges.has_system("ANALYZE ANY")):
            raise OracleError(20000, f"Unable to analyze TABLE {schema}.{table}, insufficient privileges or does not exist")
        session.commit()
        with session.database.change_catalog() as (cursor, catalog):
            gather_statistics(Change(session, cursor, catalog), found)
        session.database.modifications.forget(found.object_id)

    def flush_modifications(self) -> None:
        """See `plsql.Host.flush_modifications`."""
        if not self._session.context().privileges.has_system("ANALYZE ANY"):
            raise OracleError(20000, "Insufficient privileges")

    def parallel_execute(self, action: Callable[[ParallelExecute, Session], None]) -> None:
        """See `plsql.Host.parallel_execute`."""
        action(self._session.database.parallel_execute, self._session)

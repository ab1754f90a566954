"""Creates and widens target tables, and knows the private ones. Never narrows a column, never drops a table that holds data.

Data definition commits: nothing here may be called inside a transaction that is to stay open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from oracle_connection.errors import DatabaseError
from oracle_connection.types import UnsupportedTypeError, dictionary_type

from target_oracle import definitions
from target_oracle.columns import BATCHED_AT, TableModel
from target_oracle.control import NAME_IN_USE, NO_SUCH_TABLE, ControlTables
from target_oracle.database import Database, has_code
from target_oracle.drift import Change, DriftPolicy, ExistingColumn, plan_changes
from target_oracle.naming import MAX_IDENTIFIER_BYTES, suffixed

ALREADY_SO = ("ORA-01442", "ORA-01451", "ORA-01430")
"""Codes of an ALTER TABLE that found its work done: NOT NULL already set or lifted, column already there."""


@dataclass(slots=True)
class ExistingTable:
    """A table as the dictionary describes it."""

    columns: list[ExistingColumn]
    key: list[str]

    def has_column(self, name: str) -> bool:
        return any(each.name == name for each in self.columns)


@dataclass(slots=True)
class Connector:
    """Tables of one schema. `changed` is called with a line for each change to a table, for the log and the run record."""

    database: Database
    control: ControlTables
    changed: Callable[[str], None]
    limit: int = field(default=MAX_IDENTIFIER_BYTES)

    @property
    def schema(self) -> str:
        return self.control.schema

    def read_table(self, table: str) -> ExistingTable | None:
        """What the dictionary knows of a table, or None when there is none. Two queries at most."""
        rows = self.database.query(
            "SELECT COLUMN_NAME,DATA_TYPE,DATA_TYPE_OWNER,DATA_LENGTH,DATA_PRECISION,DATA_SCALE,CHAR_LENGTH,CHAR_USED,NULLABLE,"
            "DEFAULT_LENGTH "
            "FROM ALL_TAB_COLUMNS WHERE OWNER=:owner AND TABLE_NAME=:table_name ORDER BY COLUMN_ID",
            {"owner": self.schema, "table_name": table},
            doing=f"read the columns of {self.schema}.{table}",
        )
        if not rows:
            return None
        columns = []
        for name, data_type, owner, length, precision, scale, char_length, char_used, nullable, default_length in rows:
            try:
                type_ = dictionary_type(
                    data_type,
                    data_type_owner=owner,
                    data_length=length,
                    data_precision=precision,
                    data_scale=scale,
                    char_length=char_length,
                    char_used=char_used,
                )
            except UnsupportedTypeError:
                type_ = None
            columns.append(ExistingColumn(name, type_, nullable == "Y", has_default=bool(default_length)))
        return ExistingTable(columns, self.read_key(table))

    def read_key(self, table: str) -> list[str]:
        """The columns of the primary key, in order; empty without one."""
        rows = self.database.query(
            "SELECT c.COLUMN_NAME FROM ALL_CONSTRAINTS k "
            "JOIN ALL_CONS_COLUMNS c ON c.OWNER=k.OWNER AND c.CONSTRAINT_NAME=k.CONSTRAINT_NAME "
            "WHERE k.OWNER=:owner AND k.TABLE_NAME=:table_name AND k.CONSTRAINT_TYPE='P' ORDER BY c.POSITION",
            {"owner": self.schema, "table_name": table},
            doing=f"read the key of {self.schema}.{table}",
        )
        return [name for (name,) in rows]

    def exists(self, table: str) -> bool:
        sql = "SELECT COUNT(*) FROM ALL_TABLES WHERE OWNER=:owner AND TABLE_NAME=:table_name"
        return bool(self.database.value(sql, {"owner": self.schema, "table_name": table}, doing=f"look for {self.schema}.{table}"))

    def ensure_table(self, model: TableModel, *, policy: DriftPolicy, current_view: bool, keyed: bool = True) -> None:
        """Create the table, or change it so that the stream's rows fit. Raises DriftError.

        keyed: give a new table its primary key (not for tables that are appended to).
        """
        existing = self.read_table(model.name)
        if existing is None:
            self.create_table(model)
            if keyed:
                self.add_key(model)
            self.add_batched_index(model)
            self.changed(f"created table {model.schema}.{model.name}")
        else:
            self.apply(plan_changes(model, existing.columns, existing.key if keyed else (), policy=policy))
            self.update_comments(model)
            if keyed and model.key and not existing.key:
                self.add_key(model)
                self.changed(f"added the primary key of {model.schema}.{model.name}")
        if current_view and model.metadata:
            self.ensure_view(model)

    def create_table(self, model: TableModel) -> None:
        """The table with its comments, without key and indexes."""
        self.database.execute(definitions.create_table(model), doing=f"create {model.schema}.{model.name}")
        self._comment(model, {})

    def update_comments(self, model: TableModel) -> None:
        """Comments that the source has changed, and those of new columns. What only the table has, stays."""
        rows = self.database.query(
            "SELECT COLUMN_NAME,COMMENTS FROM ALL_COL_COMMENTS WHERE OWNER=:owner AND TABLE_NAME=:table_name AND COMMENTS IS NOT NULL",
            {"owner": self.schema, "table_name": model.name},
            doing=f"read the comments of {model.schema}.{model.name}",
        )
        self._comment(model, dict(rows))

    def _comment(self, model: TableModel, there: Mapping[str, str]) -> None:
        for column in model.all_columns:
            if column.comment and there.get(column.name) != column.comment:
                text = definitions.comment_on_column(model.schema, model.name, column.name, column.comment)
                self.database.execute(text, doing=f"comment on {model.name}.{column.name}")

    def constraint_name(self, table: str, suffix: str, tag: str = "") -> str:
        """The name of a key or index. tag keeps it apart from the one of the table that will be replaced."""
        return suffixed(table, suffix + tag, limit=self.limit)

    def add_key(self, model: TableModel) -> None:
        """The primary key, if the stream has one."""
        if model.key:
            name = self.constraint_name(model.name, "_PK")
            text = definitions.add_primary_key(model.schema, model.name, name, model.key)
            self.database.execute(text, doing=f"add the primary key of {model.schema}.{model.name}")

    def add_batched_index(self, model: TableModel) -> None:
        """The index by which readers find what was written since their last look."""
        if model.metadata:
            name = self.constraint_name(model.name, "_BATCHED_AT")
            text = definitions.create_index(model.schema, model.name, name, [BATCHED_AT.name])
            self.database.execute(text, doing=f"create the index {name}")

    def ensure_view(self, model: TableModel) -> None:
        """The view of current rows; made anew when the columns changed."""
        view = suffixed(model.name, "_CURRENT", limit=self.limit)
        rows = self.database.query(
            "SELECT COLUMN_NAME FROM ALL_TAB_COLUMNS WHERE OWNER=:owner AND TABLE_NAME=:table_name ORDER BY COLUMN_ID",
            {"owner": model.schema, "table_name": view},
            doing=f"read the view {view}",
        )
        if [name for (name,) in rows] != [each.name for each in model.columns]:
            self.database.execute(definitions.create_current_view(model, view), doing=f"create the view {view}")

    def apply(self, changes: Sequence[Change]) -> None:
        """Run a plan of `drift.plan_changes`, one line each."""
        for change in changes:
            if change.statement is not None:
                try:
                    self.database.execute(change.statement, doing=change.line)
                except DatabaseError as error:
                    if not has_code(error, *ALREADY_SO):
                        raise
            self.changed(change.line)

    def relax(self, model: TableModel, column: str, reason: str) -> None:
        """Lift NOT NULL because the data need it."""
        self.apply([Change(definitions.relax_column(model.schema, model.name, column), f"relaxed NOT NULL of column {column}: {reason}")])

    # --- private tables ---

    def private_name(self, table: str, purpose: str, number: int = 0) -> str:
        """A name that no other process uses: `<table>__L_<eight digits>` and alike."""
        digest = hashlib.sha256(f"{self.control.process}/{purpose}/{number}".encode()).hexdigest()[:8].upper()
        return suffixed(table, f"__{purpose[0].upper()}_{digest}", limit=self.limit)

    def create_private(self, name: str, table: str, purpose: str, text: str) -> None:
        """Register, then create. A table of that name that a dead attempt of this process left is dropped first."""
        self.control.register(name, table, purpose)
        try:
            self.database.execute(text, doing=f"create {self.schema}.{name}")
        except DatabaseError as error:
            if not has_code(error, NAME_IN_USE):
                raise
            self.database.execute(definitions.drop_table(self.schema, name), doing=f"drop {self.schema}.{name}")
            self.database.execute(text, doing=f"create {self.schema}.{name}")

    def drop_private(self, name: str) -> None:
        """Drop and unregister; harmless when it is gone already."""
        try:
            self.database.execute(definitions.drop_table(self.schema, name), doing=f"drop {self.schema}.{name}")
        except DatabaseError as error:
            if not has_code(error, NO_SUCH_TABLE):
                raise
        self.control.unregister(name)

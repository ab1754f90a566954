"""Pure: the text of every statement that creates, changes or drops a table, an index or a view of the target's.

Nothing here talks to a database, and nothing takes binds: data definition has none. Statements about rows are in `statements.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from oracle_connection.types import OracleType

from target_oracle.columns import DELETED_AT, LOADED_METADATA, REPLACES, Column, TableModel, load_type
from target_oracle.naming import listed, qualified, quoted


def create_table(model: TableModel, *, logging: bool = True) -> str:
    """The target table. Key columns and columns the source promises are NOT NULL; the key itself is added separately."""
    lines = []
    for column in model.all_columns:
        mandatory = not column.nullable or column.name in model.key
        lines.append(f"{quoted(column.name)} {column.type}{' NOT NULL' if mandatory else ''}")
    return f"CREATE TABLE {qualified(model.schema, model.name)} ({', '.join(lines)}){'' if logging else ' NOLOGGING'}"


def create_load_table(model: TableModel, name: str) -> str:
    """A private table that takes a batch: every column nullable, in types that both ways of loading fill exactly."""
    columns = [f"{quoted(each.name)} {load_type(each)}" for each in load_columns(model)]
    return f"CREATE TABLE {qualified(model.schema, name)} ({', '.join(columns)}) NOLOGGING"


def load_columns(model: TableModel) -> tuple[Column, ...]:
    """The columns of a load table, in order: the data, then the metadata that may differ from row to row."""
    return (*model.columns, *LOADED_METADATA, REPLACES)


def create_key_table(model: TableModel, name: str) -> str:
    """A private table of the keys that a complete read has brought."""
    columns = [f"{quoted(each)} {model.column(each).type}" for each in model.key]
    return f"CREATE TABLE {qualified(model.schema, name)} ({', '.join(columns)}) NOLOGGING"


def create_rejected_table(schema: str, name: str) -> str:
    """Where rows go that the target table refused."""
    return (
        f"CREATE TABLE {qualified(schema, name)} ("
        '"RUN_ID" VARCHAR2(100 CHAR), "STREAM" VARCHAR2(400 CHAR), "REJECTED_AT" TIMESTAMP(6), "ORA_CODE" VARCHAR2(20 CHAR), '
        '"REASON" VARCHAR2(1000 CHAR), "ROW_KEY" VARCHAR2(1000 CHAR), "RECORD" CLOB)'
    )


def add_primary_key(schema: str, table: str, constraint: str, key: Sequence[str]) -> str:
    return f"ALTER TABLE {qualified(schema, table)} ADD CONSTRAINT {quoted(constraint)} PRIMARY KEY ({listed(key)})"


def add_constraint(schema: str, table: str, constraint: str, rest: str) -> str:
    """rest: the constraint's own text, e.g. `CHECK (...)`."""
    return f"ALTER TABLE {qualified(schema, table)} ADD CONSTRAINT {quoted(constraint)} {rest}"


def references(columns: Sequence[str], owner: str, parent: str, parent_columns: Sequence[str], delete_rule: str | None) -> str:
    """The text of a foreign key. delete_rule: as the dictionary names it."""
    rule = f" ON DELETE {delete_rule}" if delete_rule in {"CASCADE", "SET NULL"} else ""
    return f"FOREIGN KEY ({listed(columns)}) REFERENCES {qualified(owner, parent)} ({listed(parent_columns)}){rule}"


def create_index(schema: str, table: str, index: str, columns: Sequence[str]) -> str:
    return create_index_of(schema, table, index, [quoted(each) for each in columns])


def create_index_of(schema: str, table: str, index: str, items: Sequence[str], *, unique: bool = False) -> str:
    """items: quoted columns or expressions, each perhaps with DESC."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    return f"CREATE {kind} {qualified(schema, index)} ON {qualified(schema, table)} ({','.join(items)})"


def create_current_view(model: TableModel, view: str) -> str:
    """The rows that are there: current, not deleted, without the metadata columns."""
    return (
        f"CREATE OR REPLACE VIEW {qualified(model.schema, view)} AS SELECT {listed(each.name for each in model.columns)} "
        f"FROM {qualified(model.schema, model.name)} WHERE {quoted(DELETED_AT.name)} IS NULL"
    )


def comment_on_column(schema: str, table: str, column: str, text: str) -> str:
    return f"COMMENT ON COLUMN {qualified(schema, table)}.{quoted(column)} IS {literal(text)}"


def comment_on_table(schema: str, table: str, text: str) -> str:
    return f"COMMENT ON TABLE {qualified(schema, table)} IS {literal(text)}"


def add_column(schema: str, table: str, column: Column) -> str:
    """A new column is always nullable: the rows that are already there have no value for it."""
    return f"ALTER TABLE {qualified(schema, table)} ADD ({quoted(column.name)} {column.type})"


def modify_column(schema: str, table: str, column: str, type_: OracleType) -> str:
    return f"ALTER TABLE {qualified(schema, table)} MODIFY ({quoted(column)} {type_})"


def relax_column(schema: str, table: str, column: str) -> str:
    return f"ALTER TABLE {qualified(schema, table)} MODIFY ({quoted(column)} NULL)"


def rename_table(schema: str, old: str, new: str) -> str:
    return f"ALTER TABLE {qualified(schema, old)} RENAME TO {quoted(new)}"


def drop_table(schema: str, table: str) -> str:
    return f"DROP TABLE {qualified(schema, table)} CASCADE CONSTRAINTS PURGE"


def truncate_table(schema: str, table: str) -> str:
    return f"TRUNCATE TABLE {qualified(schema, table)} REUSE STORAGE"


def grant(privilege: str, schema: str, table: str, grantee: str, *, grantable: bool) -> str:
    option = " WITH GRANT OPTION" if grantable else ""
    return f"GRANT {privilege} ON {qualified(schema, table)} TO {quoted(grantee)}{option}"


def literal(text: str) -> str:
    """A text literal for the few statements that take no bind (COMMENT ON)."""
    return "'" + text.replace("'", "''").replace("\0", " ") + "'"

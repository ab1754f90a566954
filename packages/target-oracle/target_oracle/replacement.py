"""What a table that takes another one's place inherits from it: grants, comments, plain indexes. What cannot be inherited is told."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from oracle_connection.errors import DatabaseError

from target_oracle import definitions
from target_oracle.columns import BATCHED_AT, TableModel
from target_oracle.database import has_code

if TYPE_CHECKING:
    from target_oracle.connector import Connector

_TAG = re.compile(r"_R[0-9A-F]{8}$")
ALREADY_INDEXED = ("ORA-00955", "ORA-01408")


def carry_over(connector: Connector, live: str, new: TableModel, tag: str) -> list[str]:
    """Give the new table what the live one has. May be repeated. Returns a line for each thing that is lost by the replacement."""
    _copy_grants(connector, live, new)
    _copy_comments(connector, live, new)
    return [*_copy_indexes(connector, live, new, tag), *_triggers(connector, live)]


def _copy_grants(connector: Connector, live: str, new: TableModel) -> None:
    rows = connector.database.query(
        "SELECT GRANTEE,PRIVILEGE,GRANTABLE FROM ALL_TAB_PRIVS WHERE TABLE_SCHEMA=:owner AND TABLE_NAME=:table_name "
        "ORDER BY GRANTEE,PRIVILEGE",
        {"owner": connector.schema, "table_name": live},
        doing=f"read the grants on {live}",
    )
    for grantee, privilege, grantable in rows:
        text = definitions.grant(privilege, connector.schema, new.name, grantee, grantable=grantable == "YES")
        connector.database.execute(text, doing=f"grant {privilege} on {new.name} to {grantee}")


def _copy_comments(connector: Connector, live: str, new: TableModel) -> None:
    """Comments of the live table that the stream's schema does not bring."""
    binds = {"owner": connector.schema, "table_name": live}
    rows = connector.database.query(
        "SELECT COLUMN_NAME,COMMENTS FROM ALL_COL_COMMENTS WHERE OWNER=:owner AND TABLE_NAME=:table_name AND COMMENTS IS NOT NULL",
        binds,
        doing=f"read the comments of {live}",
    )
    bare = {each.name for each in new.all_columns if not each.comment}
    for column, comment in rows:
        if column in bare:
            text = definitions.comment_on_column(connector.schema, new.name, column, comment)
            connector.database.execute(text, doing=f"comment on {new.name}.{column}")
    comment = connector.database.value(
        "SELECT COMMENTS FROM ALL_TAB_COMMENTS WHERE OWNER=:owner AND TABLE_NAME=:table_name", binds, doing=f"read the comment of {live}"
    )
    if comment:
        connector.database.execute(definitions.comment_on_table(connector.schema, new.name, comment), doing=f"comment on {new.name}")


def _copy_indexes(connector: Connector, live: str, new: TableModel, tag: str) -> list[str]:
    rows = connector.database.query(
        "SELECT i.INDEX_NAME,i.INDEX_TYPE,i.UNIQUENESS,c.COLUMN_NAME FROM ALL_INDEXES i JOIN ALL_IND_COLUMNS c "
        "ON c.INDEX_OWNER=i.OWNER AND c.INDEX_NAME=i.INDEX_NAME "
        "WHERE i.TABLE_OWNER=:owner AND i.TABLE_NAME=:table_name ORDER BY i.INDEX_NAME,c.COLUMN_POSITION",
        {"owner": connector.schema, "table_name": live},
        doing=f"read the indexes of {live}",
    )
    columns: dict[str, list[str]] = defaultdict(list)
    kinds: dict[str, tuple[str, str]] = {}
    for index, kind, uniqueness, column in rows:
        columns[index].append(column)
        kinds[index] = (kind, uniqueness)
    lost = []
    for index, names in columns.items():
        kind, uniqueness = kinds[index]
        if tuple(names) == new.key or names == [BATCHED_AT.name]:
            continue
        if kind != "NORMAL":
            lost.append(f"{live}: index {index} ({kind}) was not built on the new table: create it again")
            continue
        name = connector.constraint_name(_TAG.sub("", index), "", tag)
        text = definitions.create_index(connector.schema, new.name, name, names, unique=uniqueness == "UNIQUE")
        try:
            connector.database.execute(text, doing=f"create the index {name}")
        except DatabaseError as error:
            if not has_code(error, *ALREADY_INDEXED):
                raise
    return lost


def _triggers(connector: Connector, live: str) -> list[str]:
    rows = connector.database.query(
        "SELECT TRIGGER_NAME FROM ALL_TRIGGERS WHERE TABLE_OWNER=:owner AND TABLE_NAME=:table_name",
        {"owner": connector.schema, "table_name": live},
        doing=f"read the triggers of {live}",
    )
    return [f"{live}: trigger {name} does not come along to the new table: create it again" for (name,) in rows]

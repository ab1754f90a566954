"""What a table that takes another one's place inherits from it; what it could not inherit refuses the replacement, by name.

| of the live table | at a replacement |
|---|---|
| grants on the table and on columns, comments | given to the new one |
| indexes, also on expressions and descending | built on the new one |
| CHECK, UNIQUE and foreign key constraints | added to the new one; rows that break them refuse the replacement |
| views | find the new table by its name at their next use |
| triggers, foreign keys of other tables to it, bitmap and domain indexes, partitions | refuse the replacement: drop them first |

Names of indexes and constraints are unique in a schema, so that the new ones bear a tag until the next replacement.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from oracle_connection.errors import DatabaseError

from target_oracle import definitions
from target_oracle.columns import BATCHED_AT, TableModel
from target_oracle.database import has_code
from target_oracle.errors import StreamError
from target_oracle.naming import listed, quoted

if TYPE_CHECKING:
    from target_oracle.connector import Connector

_TAG = re.compile(r"_R[0-9A-F]{8}$")
ALREADY_THERE = ("ORA-00955", "ORA-01408", "ORA-02260", "ORA-02261", "ORA-02264", "ORA-02275")
"""Codes of a definition that an attempt before this one has made."""
BROKEN_BY_ROWS = ("ORA-02290", "ORA-02291", "ORA-02293", "ORA-02298", "ORA-02299", "ORA-01452")
_INDEX_KINDS = {"NORMAL", "FUNCTION-BASED NORMAL"}


class SwapRefusedError(StreamError):
    """The complete load may not take the live table's place; the message says why and what to do."""


def require_replaceable(connector: Connector, live: str) -> None:
    """Raise SwapRefusedError when the table has what a new one could not inherit."""
    lost = [
        *(f"the trigger {name}" for (name,) in _ask(connector, live, _TRIGGERS, "triggers")),
        *(f"the foreign key {name} of {owner}.{table}" for owner, table, name in _ask(connector, live, _CHILDREN, "foreign keys to")),
        *(f"the index {name} ({kind})" for name, kind, *_ in _ask(connector, live, _INDEXES, "indexes") if kind not in _INDEX_KINDS),
        *("its partitions" for (partitioned,) in _ask(connector, live, _PARTITIONED, "storage") if partitioned == "YES"),
    ]
    if lost:
        message = (
            f"{live} has {', '.join(dict.fromkeys(lost))}, which a table in its place would not have: drop that before the full sync is "
            "done again, and create it again afterwards"
        )
        raise SwapRefusedError(message)


def carry_over(connector: Connector, live: str, new: TableModel, tag: str) -> None:
    """Give the new table what the live one has. May be repeated. Raises SwapRefusedError."""
    require_replaceable(connector, live)
    _copy_grants(connector, live, new)
    _copy_comments(connector, live, new)
    _copy_constraints(connector, live, new, tag)
    _copy_indexes(connector, live, new, tag)


_TRIGGERS = "SELECT TRIGGER_NAME FROM ALL_TRIGGERS WHERE TABLE_OWNER=:owner AND TABLE_NAME=:table_name ORDER BY 1"
_PARTITIONED = "SELECT PARTITIONED FROM ALL_TABLES WHERE OWNER=:owner AND TABLE_NAME=:table_name"
_CHILDREN = (
    "SELECT k.OWNER,k.TABLE_NAME,k.CONSTRAINT_NAME FROM ALL_CONSTRAINTS k JOIN ALL_CONSTRAINTS p "
    "ON p.OWNER=k.R_OWNER AND p.CONSTRAINT_NAME=k.R_CONSTRAINT_NAME "
    "WHERE k.CONSTRAINT_TYPE='R' AND p.OWNER=:owner AND p.TABLE_NAME=:table_name AND NOT (k.OWNER=p.OWNER AND k.TABLE_NAME=p.TABLE_NAME) "
    "ORDER BY 1,2,3"
)
_TABLE_GRANTS = (
    "SELECT GRANTEE,PRIVILEGE,GRANTABLE FROM ALL_TAB_PRIVS WHERE TABLE_SCHEMA=:owner AND TABLE_NAME=:table_name ORDER BY GRANTEE,PRIVILEGE"
)
_COLUMN_GRANTS = (
    "SELECT GRANTEE,PRIVILEGE,GRANTABLE,COLUMN_NAME FROM ALL_COL_PRIVS WHERE TABLE_SCHEMA=:owner AND TABLE_NAME=:table_name "
    "ORDER BY GRANTEE,PRIVILEGE,COLUMN_NAME"
)
_INDEXES = (
    "SELECT i.INDEX_NAME,i.INDEX_TYPE,i.UNIQUENESS,c.COLUMN_NAME,c.COLUMN_POSITION,c.DESCEND FROM ALL_INDEXES i JOIN ALL_IND_COLUMNS c "
    "ON c.INDEX_OWNER=i.OWNER AND c.INDEX_NAME=i.INDEX_NAME "
    "WHERE i.TABLE_OWNER=:owner AND i.TABLE_NAME=:table_name ORDER BY i.INDEX_NAME,c.COLUMN_POSITION"
)
_EXPRESSIONS = (
    "SELECT INDEX_NAME,COLUMN_POSITION,COLUMN_EXPRESSION FROM ALL_IND_EXPRESSIONS WHERE TABLE_OWNER=:owner AND TABLE_NAME=:table_name"
)
_CONSTRAINTS = (
    "SELECT CONSTRAINT_NAME,CONSTRAINT_TYPE,SEARCH_CONDITION_VC,R_OWNER,R_CONSTRAINT_NAME,DELETE_RULE,INDEX_NAME FROM ALL_CONSTRAINTS "
    "WHERE OWNER=:owner AND TABLE_NAME=:table_name AND STATUS='ENABLED' AND CONSTRAINT_TYPE IN ('C','U','R') ORDER BY CONSTRAINT_NAME"
)
_CONSTRAINT_COLUMNS = (
    "SELECT TABLE_NAME,COLUMN_NAME FROM ALL_CONS_COLUMNS WHERE OWNER=:owner AND CONSTRAINT_NAME=:constraint_name ORDER BY POSITION"
)


def _ask(connector: Connector, live: str, sql: str, what: str) -> list[tuple[Any, ...]]:
    return connector.database.query(sql, {"owner": connector.schema, "table_name": live}, doing=f"read the {what} of {live}")


def _copy_grants(connector: Connector, live: str, new: TableModel) -> None:
    for grantee, privilege, grantable in _ask(connector, live, _TABLE_GRANTS, "grants"):
        text = definitions.grant(privilege, connector.schema, new.name, grantee, grantable=grantable == "YES")
        connector.database.execute(text, doing=f"grant {privilege} on {new.name} to {grantee}")
    there = {each.name for each in new.all_columns}
    for grantee, privilege, grantable, column in _ask(connector, live, _COLUMN_GRANTS, "grants on columns"):
        if column in there:
            of_column = f"{privilege} ({quoted(column)})"
            text = definitions.grant(of_column, connector.schema, new.name, grantee, grantable=grantable == "YES")
            connector.database.execute(text, doing=f"grant {of_column} on {new.name} to {grantee}")


def _copy_comments(connector: Connector, live: str, new: TableModel) -> None:
    """Comments of the live table that the stream's schema does not bring."""
    sql = "SELECT COLUMN_NAME,COMMENTS FROM ALL_COL_COMMENTS WHERE OWNER=:owner AND TABLE_NAME=:table_name AND COMMENTS IS NOT NULL"
    bare = {each.name for each in new.all_columns if not each.comment}
    for column, comment in _ask(connector, live, sql, "comments"):
        if column in bare:
            text = definitions.comment_on_column(connector.schema, new.name, column, comment)
            connector.database.execute(text, doing=f"comment on {new.name}.{column}")
    sql = "SELECT COMMENTS FROM ALL_TAB_COMMENTS WHERE OWNER=:owner AND TABLE_NAME=:table_name AND COMMENTS IS NOT NULL"
    for (comment,) in _ask(connector, live, sql, "comment"):
        connector.database.execute(definitions.comment_on_table(connector.schema, new.name, comment), doing=f"comment on {new.name}")


def _copy_constraints(connector: Connector, live: str, new: TableModel, tag: str) -> None:
    """CHECK, UNIQUE and foreign keys; NOT NULL and the primary key are the table's own definition."""
    there = {each.name for each in new.all_columns}
    for name, kind, condition, parent_owner, parent_key, rule, _ in _ask(connector, live, _CONSTRAINTS, "constraints"):
        columns = [column for _, column in _columns_of(connector, connector.schema, name)]
        if (kind == "C" and re.fullmatch(r'"[^"]+" IS NOT NULL', condition or "")) or not there.issuperset(columns):
            continue
        if kind == "C":
            rest = f"CHECK ({condition})"
        elif kind == "U":
            rest = f"UNIQUE ({listed(columns)})"
        else:
            parent = _columns_of(connector, parent_owner, parent_key)
            table = new.name if (parent_owner, parent[0][0]) == (connector.schema, live) else parent[0][0]
            rest = definitions.references(columns, parent_owner, table, [column for _, column in parent], rule)
        inherited = connector.constraint_name(_TAG.sub("", name), "", tag)
        _define(connector, new, definitions.add_constraint(connector.schema, new.name, inherited, rest), f"the constraint {name}")


def _columns_of(connector: Connector, owner: str, constraint: str) -> list[tuple[str, str]]:
    """Table and column of each part of a constraint, in order."""
    binds = {"owner": owner, "constraint_name": constraint}
    rows: list[tuple[str, str]] = connector.database.query(_CONSTRAINT_COLUMNS, binds, doing=f"read the constraint {constraint}")
    return rows


def _copy_indexes(connector: Connector, live: str, new: TableModel, tag: str) -> None:
    """All but those that belong to a constraint or that every table of ours has."""
    expressions = {(index, position): text for index, position, text in _ask(connector, live, _EXPRESSIONS, "indexes on expressions")}
    of_constraints = {index for *_, index in _ask(connector, live, _CONSTRAINTS, "constraints")}
    there = {each.name for each in new.all_columns}
    items: dict[str, list[str]] = defaultdict(list)
    plain: dict[str, list[str]] = defaultdict(list)
    unique: set[str] = set()
    for index, _, uniqueness, column, position, descend in _ask(connector, live, _INDEXES, "indexes"):
        expression = expressions.get((index, position))
        items[index].append((expression or quoted(column)) + (" DESC" if descend == "DESC" else ""))
        plain[index].append(column if expression is None else "")
        if uniqueness == "UNIQUE":
            unique.add(index)
    for index, columns in plain.items():
        ours = tuple(columns) == new.key or columns == [BATCHED_AT.name]
        if ours or index in of_constraints or not there.issuperset(filter(None, columns)):
            continue
        name = connector.constraint_name(_TAG.sub("", index), "", tag)
        text = definitions.create_index_of(connector.schema, new.name, name, items[index], unique=index in unique)
        _define(connector, new, text, f"the index {index}")


def _define(connector: Connector, new: TableModel, text: str, what: str) -> None:
    """Run a definition that an attempt before this one may have made. Raises SwapRefusedError when rows contradict it."""
    try:
        connector.database.execute(text, doing=f"give {new.name} {what}")
    except DatabaseError as error:
        if has_code(error, *BROKEN_BY_ROWS):
            message = f"{what} does not hold for the rows of the full sync ({error.code}): drop it, or correct the source, then run again"
            raise SwapRefusedError(message) from error
        if not has_code(error, *ALREADY_THERE):
            raise

"""Quotas: how much of a tablespace a user's tables may take, counted in whole extents.

As with deferred segment creation: a table takes its first extent with its first row.
"""

from __future__ import annotations

from collections.abc import Callable

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Catalog, Table
from oracle_mimic.sql.privileges import Privileges
from oracle_mimic.sql.rowids import EXTENT_SIZE_BYTES, ROWS_PER_EXTENT

Ordinals = Callable[[Table], int]
"""How many row numbers a table has given out."""


def extents(rows: int) -> int:
    """Extents that so many row numbers need."""
    return -(-rows // ROWS_PER_EXTENT)


def tablespace_of(catalog: Catalog, table: Table) -> str:
    """Where a table's segment lies: as declared, else its owner's default."""
    return table.attributes.get("TABLESPACE_NAME") or catalog.users[table.owner].default_tablespace


def quota(catalog: Catalog, owner: str, tablespace: str) -> int | None:
    """Bytes that a user may take; None without limit."""
    if Privileges(catalog, owner).has_system("UNLIMITED TABLESPACE"):
        return None
    given = catalog.users[owner].quotas.get(tablespace, "0")
    return None if given == "UNLIMITED" else int(given)


def used_bytes(catalog: Catalog, owner: str, tablespace: str, ordinals: Ordinals) -> int:
    """What a user's tables have taken of a tablespace."""
    own = (table for table in catalog.tables() if table.owner == owner and table.temporary is None)
    return sum(extents(ordinals(table)) for table in own if tablespace_of(catalog, table) == tablespace) * EXTENT_SIZE_BYTES


def require(catalog: Catalog, table: Table, before: int, after: int, ordinals: Ordinals) -> None:
    """ORA-01950 without any quota, ORA-01536 beyond it, when a table grows from so many row numbers to so many."""
    grown = extents(after) - extents(before)
    if grown <= 0 or table.temporary is not None:
        return
    tablespace = tablespace_of(catalog, table)
    most = quota(catalog, table.owner, tablespace)
    if most is None:
        return
    if most == 0 and before == 0:
        raise OracleError(1950, f"no privileges on tablespace '{tablespace}'")
    others = used_bytes(catalog, table.owner, tablespace, lambda one: before if one.object_id == table.object_id else ordinals(one))
    if others + grown * EXTENT_SIZE_BYTES > most:
        raise OracleError(1536, f"space quota exceeded for tablespace '{tablespace}'")

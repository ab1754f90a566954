"""Where rows lie: SEGMENTS, EXTENTS, TABLESPACES, DATA_FILES, FREE_SPACE, TS_QUOTAS.

A segment is a permanent table (indexes have none: DuckDB scans). Its extents cover every block in which a row was ever put, up to the
high water mark, so a range of ROWIDs made from each extent together covers the table exactly once. The blocks of each segment are
numbered from 0 in the one data file: ROWIDs of two tables differ by their object, and block ranges of different segments overlap.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from oracle_mimic.sql import quotas, rowids
from oracle_mimic.sql.catalog import Table
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, family, single
from oracle_mimic.sql.dictionary.tables import tablespace_of, visible_tables
from oracle_mimic.sql.engine import duckdb_transaction, run
from oracle_mimic.sql.rowids import BLOCK_SIZE_BYTES, EXTENT_SIZE_BYTES

USERS_TABLESPACE = "USERS"

_SEGMENTS = """
    OWNER VARCHAR2(128)
    SEGMENT_NAME VARCHAR2(128)
    PARTITION_NAME VARCHAR2(128)
    SEGMENT_TYPE VARCHAR2(18) = TABLE
    SEGMENT_SUBTYPE VARCHAR2(10) = ASSM
    TABLESPACE_NAME VARCHAR2(30)
    HEADER_FILE NUMBER
    HEADER_BLOCK NUMBER
    BYTES NUMBER
    BLOCKS NUMBER
    EXTENTS NUMBER
    INITIAL_EXTENT NUMBER
    NEXT_EXTENT NUMBER
    MIN_EXTENTS NUMBER = 1
    MAX_EXTENTS NUMBER = 2147483645
    MAX_SIZE NUMBER = 2147483645
    RETENTION VARCHAR2(7)
    MINRETENTION NUMBER
    PCT_INCREASE NUMBER
    FREELISTS NUMBER
    FREELIST_GROUPS NUMBER
    RELATIVE_FNO NUMBER
    BUFFER_POOL VARCHAR2(7) = DEFAULT
    FLASH_CACHE VARCHAR2(7) = DEFAULT
    CELL_FLASH_CACHE VARCHAR2(7) = DEFAULT
"""
_EXTENTS = """
    OWNER VARCHAR2(128)
    SEGMENT_NAME VARCHAR2(128)
    PARTITION_NAME VARCHAR2(128)
    SEGMENT_TYPE VARCHAR2(18) = TABLE
    TABLESPACE_NAME VARCHAR2(30)
    EXTENT_ID NUMBER
    FILE_ID NUMBER
    BLOCK_ID NUMBER
    BYTES NUMBER
    BLOCKS NUMBER
    RELATIVE_FNO NUMBER
"""
_TABLESPACES = f"""
    TABLESPACE_NAME VARCHAR2(30) NOT NULL
    BLOCK_SIZE NUMBER NOT NULL = {BLOCK_SIZE_BYTES}
    INITIAL_EXTENT NUMBER = {EXTENT_SIZE_BYTES}
    NEXT_EXTENT NUMBER
    MIN_EXTENTS NUMBER NOT NULL = 1
    MAX_EXTENTS NUMBER = 2147483645
    MAX_SIZE NUMBER = 2147483645
    PCT_INCREASE NUMBER
    MIN_EXTLEN NUMBER = 65536
    STATUS VARCHAR2(9) = ONLINE
    CONTENTS VARCHAR2(21)
    LOGGING VARCHAR2(9)
    FORCE_LOGGING VARCHAR2(3) = NO
    EXTENT_MANAGEMENT VARCHAR2(10) = LOCAL
    ALLOCATION_TYPE VARCHAR2(9)
    SEGMENT_SPACE_MANAGEMENT VARCHAR2(6)
    DEF_TAB_COMPRESSION VARCHAR2(8) = DISABLED
    RETENTION VARCHAR2(11)
    BIGFILE VARCHAR2(3) = NO
    ENCRYPTED VARCHAR2(3) = NO
    COMPRESS_FOR VARCHAR2(30)
"""
_DATA_FILES = """
    FILE_NAME VARCHAR2(513)
    FILE_ID NUMBER
    TABLESPACE_NAME VARCHAR2(30)
    BYTES NUMBER
    BLOCKS NUMBER
    STATUS VARCHAR2(9) = AVAILABLE
    RELATIVE_FNO NUMBER
    AUTOEXTENSIBLE VARCHAR2(3) = YES
    ONLINE_STATUS VARCHAR2(7) = ONLINE
"""
_FREE_SPACE = """
    TABLESPACE_NAME VARCHAR2(30)
    FILE_ID NUMBER
    BLOCK_ID NUMBER
    BYTES NUMBER
    BLOCKS NUMBER
    RELATIVE_FNO NUMBER
"""
_TS_QUOTAS = """
    TABLESPACE_NAME VARCHAR2(30) NOT NULL
    BYTES NUMBER
    MAX_BYTES NUMBER
    BLOCKS NUMBER
    MAX_BLOCKS NUMBER
    DROPPED VARCHAR2(3) = NO
"""

# name, contents, logging, allocation, segment space, retention
_TABLESPACE_ROWS = (
    ("SYSTEM", "PERMANENT", "LOGGING", "SYSTEM", "MANUAL", "NOT APPLY"),
    ("UNDOTBS1", "UNDO", "LOGGING", "SYSTEM", "MANUAL", "NOGUARANTEE"),
    ("TEMP", "TEMPORARY", "NOLOGGING", "UNIFORM", "MANUAL", "NOT APPLY"),
    (USERS_TABLESPACE, "PERMANENT", "LOGGING", "UNIFORM", "AUTO", "NOT APPLY"),
)


def _row_numbers(scope: Scope) -> list[tuple[Table, int]]:
    """The permanent tables and how many row numbers each has given out.

    All is read in one DuckDB transaction, so that a table dropped at this moment is either there with its rows or left out.
    """
    tables = [table for table in visible_tables(scope) if table.temporary is None]
    with scope.database.engine.cursor() as cursor, duckdb_transaction(cursor):
        existing = {name for (name,) in run(cursor, "SELECT schema_name || '.' || table_name FROM duckdb_tables()")}
        return [(table, scope.database.ordinals(cursor, table)) for table in tables if table.physical in existing]


def _extent_counts(scope: Scope) -> Iterator[tuple[Table, int]]:
    """The permanent tables and how many extents each shows: at least one, as with DEFERRED_SEGMENT_CREATION = FALSE."""
    return ((table, max(quotas.extents(rows), 1)) for table, rows in _row_numbers(scope))


def _segments(scope: Scope) -> Iterator[Row]:
    for table, extents in _extent_counts(scope):
        yield {
            "OWNER": table.owner,
            "SEGMENT_NAME": table.name,
            "TABLESPACE_NAME": tablespace_of(scope, table),
            "HEADER_FILE": rowids.FILE_NUMBER,
            "HEADER_BLOCK": 0,
            "BYTES": extents * EXTENT_SIZE_BYTES,
            "BLOCKS": extents * rowids.BLOCKS_PER_EXTENT,
            "EXTENTS": extents,
            "INITIAL_EXTENT": EXTENT_SIZE_BYTES,
            "NEXT_EXTENT": EXTENT_SIZE_BYTES,
            "RELATIVE_FNO": rowids.FILE_NUMBER,
        }


def _extents(scope: Scope) -> Iterator[Row]:
    for table, extents in _extent_counts(scope):
        for number in range(extents):
            yield {
                "OWNER": table.owner,
                "SEGMENT_NAME": table.name,
                "TABLESPACE_NAME": tablespace_of(scope, table),
                "EXTENT_ID": number,
                "FILE_ID": rowids.FILE_NUMBER,
                "BLOCK_ID": number * rowids.BLOCKS_PER_EXTENT,
                "BYTES": EXTENT_SIZE_BYTES,
                "BLOCKS": rowids.BLOCKS_PER_EXTENT,
                "RELATIVE_FNO": rowids.FILE_NUMBER,
            }


def _tablespaces(scope: Scope) -> Iterator[Row]:
    del scope
    for name, contents, logging, allocation, space, retention in _TABLESPACE_ROWS:
        yield {
            "TABLESPACE_NAME": name, "CONTENTS": contents, "LOGGING": logging, "ALLOCATION_TYPE": allocation,
            "SEGMENT_SPACE_MANAGEMENT": space, "RETENTION": retention,
        }  # fmt: skip


def _file(scope: Scope) -> Path | None:
    """The database file; None when everything is in memory."""
    with scope.database.engine.cursor() as cursor:
        rows = run(cursor, "SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
    return Path(rows[0][0]) if rows and rows[0][0] else None


def _free_bytes(scope: Scope) -> int:
    """How much the database may grow: the disk's free space, or the memory's; 0 when a test has filled the disk."""
    if None in scope.database.full_tables:
        return 0
    path = _file(scope)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if path is None else shutil.disk_usage(path.parent).free
    return free // BLOCK_SIZE_BYTES * BLOCK_SIZE_BYTES


def _data_files(scope: Scope) -> Iterator[Row]:
    path = _file(scope)
    size = path.stat().st_size if path is not None else 0
    yield {
        "FILE_NAME": str(path) if path is not None else None,
        "FILE_ID": rowids.FILE_NUMBER,
        "TABLESPACE_NAME": USERS_TABLESPACE,
        "BYTES": size,
        "BLOCKS": size // BLOCK_SIZE_BYTES,
        "RELATIVE_FNO": rowids.FILE_NUMBER,
    }


def _free_space(scope: Scope) -> Iterator[Row]:
    free = _free_bytes(scope)
    if free:
        yield {
            "TABLESPACE_NAME": USERS_TABLESPACE,
            "FILE_ID": rowids.FILE_NUMBER,
            "BYTES": free,
            "BLOCKS": free // BLOCK_SIZE_BYTES,
            "RELATIVE_FNO": rowids.FILE_NUMBER,
        }


def _ts_quotas(scope: Scope) -> Iterator[Row]:
    rows = {table.object_id: rows for table, rows in _row_numbers(Scope(scope.session, scope.catalog, scope.privileges, "DBA"))}
    for user in scope.catalog.users.values():
        if scope.level == "USER" and user.name != scope.user:
            continue
        for tablespace, quota in user.quotas.items():
            most = -1 if quota == "UNLIMITED" else int(quota)
            used = quotas.used_bytes(scope.catalog, user.name, tablespace, lambda table: rows.get(table.object_id, 0))
            yield {
                "USERNAME": user.name,
                "TABLESPACE_NAME": tablespace,
                "BYTES": used,
                "MAX_BYTES": most,
                "BLOCKS": used // BLOCK_SIZE_BYTES,
                "MAX_BLOCKS": -1 if most < 0 else most // BLOCK_SIZE_BYTES,
            }


VIEWS: tuple[DictionaryView, ...] = (
    *family(
        "SEGMENTS", _SEGMENTS, _segments, user_without=("OWNER", "HEADER_FILE", "HEADER_BLOCK", "RELATIVE_FNO"), levels=("USER", "DBA"),
        lasting=False,
    ),
    *family(
        "EXTENTS", _EXTENTS, _extents, user_without=("OWNER", "FILE_ID", "BLOCK_ID", "RELATIVE_FNO"), levels=("USER", "DBA"),
        lasting=False,
    ),
    *family("TABLESPACES", _TABLESPACES, _tablespaces, user_without=(), levels=("USER", "DBA")),
    *single("DBA_DATA_FILES", _DATA_FILES, _data_files, open_to_all=False),
    *family("FREE_SPACE", _FREE_SPACE, _free_space, user_without=(), levels=("USER", "DBA"), lasting=False),
    *single("USER_TS_QUOTAS", _TS_QUOTAS, _ts_quotas, level="USER"),
    *single("DBA_TS_QUOTAS", f"    USERNAME VARCHAR2(128) NOT NULL{_TS_QUOTAS}", _ts_quotas, open_to_all=False),
)  # fmt: skip

"""Tables and their columns: TABLES, TAB_COLS, TAB_COLUMNS, TAB_COMMENTS, COL_COMMENTS, TAB_IDENTITY_COLS, TAB_MODIFICATIONS, and TAB."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from oracle_mimic.sql import quotas
from oracle_mimic.sql.catalog import Sequence, Table, TableColumn, View
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, family, single
from oracle_mimic.sql.dictionary.printed_types import printed_type
from oracle_mimic.sql.rowids import EXTENT_SIZE_BYTES, ROWS_PER_BLOCK
from oracle_mimic.types import Column, OracleType

_TABLES = f"""
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    TABLESPACE_NAME VARCHAR2(30)
    CLUSTER_NAME VARCHAR2(128)
    IOT_NAME VARCHAR2(128)
    STATUS VARCHAR2(8) = VALID
    PCT_FREE NUMBER = 10
    PCT_USED NUMBER
    INI_TRANS NUMBER = 1
    MAX_TRANS NUMBER = 255
    INITIAL_EXTENT NUMBER = {EXTENT_SIZE_BYTES}
    NEXT_EXTENT NUMBER = {EXTENT_SIZE_BYTES}
    MIN_EXTENTS NUMBER = 1
    MAX_EXTENTS NUMBER = 2147483645
    PCT_INCREASE NUMBER
    FREELISTS NUMBER
    FREELIST_GROUPS NUMBER
    LOGGING VARCHAR2(3) = YES
    BACKED_UP VARCHAR2(1) = N
    NUM_ROWS NUMBER
    BLOCKS NUMBER
    EMPTY_BLOCKS NUMBER
    AVG_SPACE NUMBER
    CHAIN_CNT NUMBER
    AVG_ROW_LEN NUMBER
    AVG_SPACE_FREELIST_BLOCKS NUMBER
    NUM_FREELIST_BLOCKS NUMBER
    DEGREE VARCHAR2(10)
    INSTANCES VARCHAR2(10)
    CACHE VARCHAR2(5)
    TABLE_LOCK VARCHAR2(8) = ENABLED
    SAMPLE_SIZE NUMBER
    LAST_ANALYZED DATE
    PARTITIONED VARCHAR2(3) = NO
    IOT_TYPE VARCHAR2(12)
    TEMPORARY VARCHAR2(1) = N
    SECONDARY VARCHAR2(1) = N
    NESTED VARCHAR2(3) = NO
    BUFFER_POOL VARCHAR2(7) = DEFAULT
    FLASH_CACHE VARCHAR2(7) = DEFAULT
    CELL_FLASH_CACHE VARCHAR2(7) = DEFAULT
    ROW_MOVEMENT VARCHAR2(8) = DISABLED
    GLOBAL_STATS VARCHAR2(3) = NO
    USER_STATS VARCHAR2(3) = NO
    DURATION VARCHAR2(15)
    SKIP_CORRUPT VARCHAR2(8) = DISABLED
    MONITORING VARCHAR2(3) = YES
    CLUSTER_OWNER VARCHAR2(128)
    DEPENDENCIES VARCHAR2(8) = DISABLED
    COMPRESSION VARCHAR2(8) = DISABLED
    COMPRESS_FOR VARCHAR2(30)
    DROPPED VARCHAR2(3) = NO
    READ_ONLY VARCHAR2(3) = NO
    SEGMENT_CREATED VARCHAR2(3) = YES
    RESULT_CACHE VARCHAR2(7) = DEFAULT
    CLUSTERING VARCHAR2(3) = NO
    ACTIVITY_TRACKING VARCHAR2(23)
    DML_TIMESTAMP VARCHAR2(25)
    HAS_IDENTITY VARCHAR2(3) = NO
    CONTAINER_DATA VARCHAR2(3) = NO
    INMEMORY VARCHAR2(8) = DISABLED
    INMEMORY_PRIORITY VARCHAR2(8)
    INMEMORY_DISTRIBUTE VARCHAR2(15)
    INMEMORY_COMPRESSION VARCHAR2(17)
    INMEMORY_DUPLICATE VARCHAR2(13)
    DEFAULT_COLLATION VARCHAR2(100) = USING_NLS_COMP
    DUPLICATED VARCHAR2(1) = N
    SHARDED VARCHAR2(1) = N
    EXTERNALLY_SHARDED VARCHAR2(1) = N
    EXTERNALLY_DUPLICATED VARCHAR2(1) = N
    EXTERNAL VARCHAR2(3) = NO
    HYBRID VARCHAR2(3) = NO
    CELLMEMORY VARCHAR2(24)
    CONTAINERS_DEFAULT VARCHAR2(3) = NO
    CONTAINER_MAP VARCHAR2(3) = NO
    EXTENDED_DATA_LINK VARCHAR2(3) = NO
    EXTENDED_DATA_LINK_MAP VARCHAR2(3) = NO
    INMEMORY_SERVICE VARCHAR2(12)
    INMEMORY_SERVICE_NAME VARCHAR2(1000)
    CONTAINER_MAP_OBJECT VARCHAR2(3) = NO
    MEMOPTIMIZE_READ VARCHAR2(8) = DISABLED
    MEMOPTIMIZE_WRITE VARCHAR2(8) = DISABLED
    HAS_SENSITIVE_COLUMN VARCHAR2(3) = NO
    ADMIT_NULL VARCHAR2(3) = NO
    DATA_LINK_DML_ENABLED VARCHAR2(3) = NO
    LOGICAL_REPLICATION VARCHAR2(8) = ENABLED
"""

_TAB_MODIFICATIONS = """
    TABLE_OWNER VARCHAR2(128)
    TABLE_NAME VARCHAR2(128)
    PARTITION_NAME VARCHAR2(128)
    SUBPARTITION_NAME VARCHAR2(128)
    INSERTS NUMBER
    UPDATES NUMBER
    DELETES NUMBER
    TIMESTAMP DATE
    TRUNCATED VARCHAR2(3)
    DROP_SEGMENTS NUMBER = 0
"""

_COLUMN_HEAD = """
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(128) NOT NULL
    DATA_TYPE VARCHAR2(128)
    DATA_TYPE_MOD VARCHAR2(3)
    DATA_TYPE_OWNER VARCHAR2(128)
    DATA_LENGTH NUMBER NOT NULL
    DATA_PRECISION NUMBER
    DATA_SCALE NUMBER
    NULLABLE VARCHAR2(1)
    COLUMN_ID NUMBER
    DEFAULT_LENGTH NUMBER
    DATA_DEFAULT LONG
    NUM_DISTINCT NUMBER
    LOW_VALUE RAW(1000)
    HIGH_VALUE RAW(1000)
    DENSITY NUMBER
    NUM_NULLS NUMBER
    NUM_BUCKETS NUMBER
    LAST_ANALYZED DATE
    SAMPLE_SIZE NUMBER
    CHARACTER_SET_NAME VARCHAR2(44)
    CHAR_COL_DECL_LENGTH NUMBER
    GLOBAL_STATS VARCHAR2(3) = NO
    USER_STATS VARCHAR2(3) = NO
    AVG_COL_LEN NUMBER
    CHAR_LENGTH NUMBER = 0
    CHAR_USED VARCHAR2(1)
    V80_FMT_IMAGE VARCHAR2(3) = NO
    DATA_UPGRADED VARCHAR2(3) = YES
"""
_COLUMN_TAIL = """
    DEFAULT_ON_NULL VARCHAR2(3) = NO
    IDENTITY_COLUMN VARCHAR2(3) = NO
    EVALUATION_EDITION VARCHAR2(128)
    UNUSABLE_BEFORE VARCHAR2(128)
    UNUSABLE_BEGINNING VARCHAR2(128)
    COLLATION VARCHAR2(100)
"""
_TAB_COLUMNS = f"{_COLUMN_HEAD.rstrip()}\n    HISTOGRAM VARCHAR2(15) = NONE{_COLUMN_TAIL}"
_TAB_COLS = f"""{_COLUMN_HEAD.rstrip()}
    HIDDEN_COLUMN VARCHAR2(3) = NO
    VIRTUAL_COLUMN VARCHAR2(3) = NO
    SEGMENT_COLUMN_ID NUMBER
    INTERNAL_COLUMN_ID NUMBER NOT NULL
    HISTOGRAM VARCHAR2(15) = NONE
    QUALIFIED_COL_NAME VARCHAR2(4000)
    USER_GENERATED VARCHAR2(3) = YES{_COLUMN_TAIL.rstrip()}
    COLLATED_COLUMN_ID NUMBER
"""

_TAB_COMMENTS = """
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    TABLE_TYPE VARCHAR2(11)
    COMMENTS VARCHAR2(4000)
    ORIGIN_CON_ID NUMBER = 0
"""
_COL_COMMENTS = """
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(128) NOT NULL
    COMMENTS VARCHAR2(4000)
    ORIGIN_CON_ID NUMBER = 0
"""
_TAB_IDENTITY_COLS = """
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(128) NOT NULL
    GENERATION_TYPE VARCHAR2(10)
    SEQUENCE_NAME VARCHAR2(128) NOT NULL
    IDENTITY_OPTIONS VARCHAR2(298)
"""
_TAB = """
    TNAME VARCHAR2(128) NOT NULL
    TABTYPE VARCHAR2(13)
    CLUSTERID NUMBER
"""
_DECLARED = (
    "PCT_FREE", "PCT_USED", "INI_TRANS", "MAX_TRANS", "LOGGING", "MONITORING", "DEPENDENCIES", "COMPRESSION", "COMPRESS_FOR",
    "ROW_MOVEMENT",
)  # fmt: skip


def visible_tables(scope: Scope) -> Iterator[Table]:
    """The tables a view of this scope lists."""
    return (table for table in scope.catalog.tables() if scope.shows(table))


def visible_views(scope: Scope) -> Iterator[View]:
    """The users' views a view of this scope lists."""
    return (entry for entry in scope.catalog.objects.values() if isinstance(entry, View) and scope.shows(entry))


def tablespace_of(scope: Scope, table: Table) -> str:
    """Where a table's segment lies: as declared, else its owner's default."""
    return quotas.tablespace_of(scope.catalog, table)


def _tables(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        row: Row = {
            "OWNER": table.owner,
            "TABLE_NAME": table.name,
            "NUM_ROWS": table.num_rows,
            "BLOCKS": None if table.num_rows is None else -(-table.num_rows // ROWS_PER_BLOCK),
            "SAMPLE_SIZE": table.num_rows,
            "LAST_ANALYZED": scope.local(table.last_analyzed),
            "GLOBAL_STATS": "NO" if table.last_analyzed is None else "YES",
            "DEGREE": table.attributes.get("DEGREE", "1").rjust(10),
            "INSTANCES": "1".rjust(10),
            "CACHE": table.attributes.get("CACHE", "N").rjust(5),
            "HAS_IDENTITY": "YES" if any(column.identity for column in table.columns) else "NO",
        }
        if table.temporary is None:
            row |= declared(table.attributes, _DECLARED)
            row["TABLESPACE_NAME"] = tablespace_of(scope, table)
        else:
            row |= {
                "TEMPORARY": "Y",
                "DURATION": "SYS$SESSION" if table.temporary == "PRESERVE" else "SYS$TRANSACTION",
                "LOGGING": "NO",
                "SEGMENT_CREATED": "NO",
                "INITIAL_EXTENT": None,
                "NEXT_EXTENT": None,
                "MIN_EXTENTS": None,
                "MAX_EXTENTS": None,
            }
        yield row


def declared(attributes: dict[str, str], names: tuple[str, ...]) -> Row:
    """Those of the physical attributes that were declared, under the names that the dictionary gives them; digits are numbers."""
    return {name: int(attributes[name]) if attributes[name].isdigit() else attributes[name] for name in names if name in attributes}


@lru_cache(maxsize=4096)
def _type_values(type_: OracleType) -> Row:
    """The values that tell a column's type, under the names that TAB_COLUMNS gives them. Not to be changed: they are kept."""
    printed = printed_type(type_)
    return {
        "DATA_TYPE": printed.data_type,
        "DATA_LENGTH": printed.data_length,
        "DATA_PRECISION": printed.data_precision,
        "DATA_SCALE": printed.data_scale,
        "CHARACTER_SET_NAME": printed.character_set_name,
        "CHAR_COL_DECL_LENGTH": printed.char_col_decl_length,
        "CHAR_LENGTH": printed.char_length,
        "CHAR_USED": printed.char_used,
        "COLLATION": "USING_NLS_COMP" if printed.char_used else None,
    }


def _columns(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        primary_key = table.primary_key
        keys = primary_key.columns if primary_key is not None and primary_key.enabled else ()
        column_id = 0
        for position, column in enumerate(table.columns, start=1):
            column_id += not column.invisible
            default = _default_text(scope, table, column)
            yield {
                **_type_values(column.type),
                "OWNER": table.owner,
                "TABLE_NAME": table.name,
                "COLUMN_NAME": column.name,
                "QUALIFIED_COL_NAME": column.name,
                "NULLABLE": "Y" if column.nullable and column.name not in keys else "N",
                "COLUMN_ID": None if column.invisible else column_id,
                "SEGMENT_COLUMN_ID": position,
                "INTERNAL_COLUMN_ID": position,
                "DEFAULT_LENGTH": None if default is None else len(default),
                "DATA_DEFAULT": default,
                "HIDDEN_COLUMN": "YES" if column.invisible else "NO",
                "DEFAULT_ON_NULL": "YES" if column.default_on_null or (column.identity and column.identity.on_null) else "NO",
                "IDENTITY_COLUMN": "YES" if column.identity else "NO",
            }
    for view in visible_views(scope):
        for position, viewed in enumerate(view.columns, start=1):
            yield _view_column(view.owner, view.name, viewed, position)
    for relation in scope.dictionary_views():
        for position, viewed in enumerate(relation.columns, start=1):
            yield _view_column("SYS", relation.name, viewed, position)


def _view_column(owner: str, view: str, column: Column, position: int) -> Row:
    return {
        **_type_values(column.type),
        "OWNER": owner,
        "TABLE_NAME": view,
        "COLUMN_NAME": column.name,
        "QUALIFIED_COL_NAME": column.name,
        "NULLABLE": "Y" if column.nullable else "N",
        "COLUMN_ID": position,
        "SEGMENT_COLUMN_ID": position,
        "INTERNAL_COLUMN_ID": position,
    }


def _default_text(scope: Scope, table: Table, column: TableColumn) -> str | None:
    if column.identity is None:
        return column.default
    sequence = scope.catalog.objects[column.identity.sequence_id]
    return f'"{table.owner}"."{sequence.name}".nextval'


def _tab_comments(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        yield {"OWNER": table.owner, "TABLE_NAME": table.name, "TABLE_TYPE": "TABLE", "COMMENTS": table.comment}
    for view in visible_views(scope):
        yield {"OWNER": view.owner, "TABLE_NAME": view.name, "TABLE_TYPE": "VIEW", "COMMENTS": view.comment}


def _col_comments(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        for column in table.columns:
            yield {"OWNER": table.owner, "TABLE_NAME": table.name, "COLUMN_NAME": column.name, "COMMENTS": column.comment}
    for view in visible_views(scope):
        for viewed in view.columns:
            comment = view.column_comments.get(viewed.name)
            yield {"OWNER": view.owner, "TABLE_NAME": view.name, "COLUMN_NAME": viewed.name, "COMMENTS": comment}


def _identity_columns(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        for column in table.columns:
            if column.identity is None:
                continue
            sequence = scope.catalog.objects[column.identity.sequence_id]
            if not isinstance(sequence, Sequence):
                raise TypeError(f"object {sequence.object_id} is no sequence")
            yield {
                "OWNER": table.owner,
                "TABLE_NAME": table.name,
                "COLUMN_NAME": column.name,
                "GENERATION_TYPE": "ALWAYS" if column.identity.always else "BY DEFAULT",
                "SEQUENCE_NAME": sequence.name,
                "IDENTITY_OPTIONS": _identity_options(sequence),
            }


def _identity_options(sequence: Sequence) -> str:
    return (
        f"START WITH: {sequence.start}, INCREMENT BY: {sequence.increment}, MAX_VALUE: {sequence.maximum}, MIN_VALUE: {sequence.minimum}, "
        f"CYCLE_FLAG: {'Y' if sequence.cycle else 'N'}, CACHE_SIZE: {sequence.cache}, ORDER_FLAG: {'Y' if sequence.ordered else 'N'}, "
        "SCALE_FLAG: N, EXTEND_FLAG: N, SESSION_FLAG: N, KEEP_VALUE: N"
    )


def _tab(scope: Scope) -> Iterator[Row]:
    for entry in sorted((*visible_tables(scope), *visible_views(scope)), key=lambda entry: entry.name):
        yield {"TNAME": entry.name, "TABTYPE": "TABLE" if isinstance(entry, Table) else "VIEW"}


def _modifications(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        changes = scope.database.modifications.of(table.object_id)
        if changes is not None and table.temporary is None:
            yield {
                "TABLE_OWNER": table.owner,
                "TABLE_NAME": table.name,
                "INSERTS": changes.inserts,
                "UPDATES": changes.updates,
                "DELETES": changes.deletes,
                "TIMESTAMP": scope.local(changes.moment),
                "TRUNCATED": "YES" if changes.truncated else "NO",
            }


VIEWS: tuple[DictionaryView, ...] = (
    *family("TABLES", _TABLES, _tables, user_synonym="TABS"),
    *family("TAB_COLUMNS", _TAB_COLUMNS, _columns, user_synonym="COLS"),
    *family("TAB_COLS", _TAB_COLS, _columns),
    *family("TAB_COMMENTS", _TAB_COMMENTS, _tab_comments),
    *family("COL_COMMENTS", _COL_COMMENTS, _col_comments),
    *family("TAB_IDENTITY_COLS", _TAB_IDENTITY_COLS, _identity_columns),
    *family("TAB_MODIFICATIONS", _TAB_MODIFICATIONS, _modifications, user_without=("TABLE_OWNER",), lasting=False),
    *single("TAB", _TAB, _tab, level="USER", lasting=True),
)

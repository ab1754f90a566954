"""Constraints and indexes: CONSTRAINTS, CONS_COLUMNS, INDEXES, IND_COLUMNS, IND_EXPRESSIONS.

A key part that is an expression, or descending, is a hidden column SYS_NCnnnnn$ whose text is in IND_EXPRESSIONS, as in Oracle.
"""

from __future__ import annotations

from collections.abc import Iterator

from oracle_mimic.sql.catalog import Index, IndexColumn, Table
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, family
from oracle_mimic.sql.dictionary.printed_types import printed_type
from oracle_mimic.sql.dictionary.tables import declared, tablespace_of, visible_tables
from oracle_mimic.sql.lexer import TokenKind, tokenize
from oracle_mimic.sql.rowids import EXTENT_SIZE_BYTES

_CONSTRAINTS = """
    OWNER VARCHAR2(128)
    CONSTRAINT_NAME VARCHAR2(128) NOT NULL
    CONSTRAINT_TYPE VARCHAR2(1)
    TABLE_NAME VARCHAR2(128) NOT NULL
    SEARCH_CONDITION LONG
    SEARCH_CONDITION_VC VARCHAR2(4000)
    R_OWNER VARCHAR2(128)
    R_CONSTRAINT_NAME VARCHAR2(128)
    DELETE_RULE VARCHAR2(9)
    STATUS VARCHAR2(8)
    DEFERRABLE VARCHAR2(14) = NOT DEFERRABLE
    DEFERRED VARCHAR2(9) = IMMEDIATE
    VALIDATED VARCHAR2(13)
    GENERATED VARCHAR2(14)
    BAD VARCHAR2(3)
    RELY VARCHAR2(4)
    LAST_CHANGE DATE
    INDEX_OWNER VARCHAR2(128)
    INDEX_NAME VARCHAR2(128)
    INVALID VARCHAR2(7)
    VIEW_RELATED VARCHAR2(14)
    ORIGIN_CON_ID NUMBER = 0
"""
_CONS_COLUMNS = """
    OWNER VARCHAR2(128) NOT NULL
    CONSTRAINT_NAME VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(4000)
    POSITION NUMBER
"""
_INDEXES = f"""
    OWNER VARCHAR2(128) NOT NULL
    INDEX_NAME VARCHAR2(128) NOT NULL
    INDEX_TYPE VARCHAR2(27)
    TABLE_OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    TABLE_TYPE VARCHAR2(11) = TABLE
    UNIQUENESS VARCHAR2(9)
    COMPRESSION VARCHAR2(13) = DISABLED
    PREFIX_LENGTH NUMBER
    TABLESPACE_NAME VARCHAR2(30)
    INI_TRANS NUMBER = 2
    MAX_TRANS NUMBER = 255
    INITIAL_EXTENT NUMBER = {EXTENT_SIZE_BYTES}
    NEXT_EXTENT NUMBER = {EXTENT_SIZE_BYTES}
    MIN_EXTENTS NUMBER = 1
    MAX_EXTENTS NUMBER = 2147483645
    PCT_INCREASE NUMBER
    PCT_THRESHOLD NUMBER
    INCLUDE_COLUMN NUMBER
    FREELISTS NUMBER
    FREELIST_GROUPS NUMBER
    PCT_FREE NUMBER = 10
    LOGGING VARCHAR2(3) = YES
    BLEVEL NUMBER
    LEAF_BLOCKS NUMBER
    DISTINCT_KEYS NUMBER
    AVG_LEAF_BLOCKS_PER_KEY NUMBER
    AVG_DATA_BLOCKS_PER_KEY NUMBER
    CLUSTERING_FACTOR NUMBER
    STATUS VARCHAR2(8)
    NUM_ROWS NUMBER
    SAMPLE_SIZE NUMBER
    LAST_ANALYZED DATE
    DEGREE VARCHAR2(40) = 1
    INSTANCES VARCHAR2(40) = 1
    PARTITIONED VARCHAR2(3) = NO
    TEMPORARY VARCHAR2(1)
    GENERATED VARCHAR2(1)
    SECONDARY VARCHAR2(1) = N
    BUFFER_POOL VARCHAR2(7) = DEFAULT
    FLASH_CACHE VARCHAR2(7) = DEFAULT
    CELL_FLASH_CACHE VARCHAR2(7) = DEFAULT
    USER_STATS VARCHAR2(3) = NO
    DURATION VARCHAR2(15)
    PCT_DIRECT_ACCESS NUMBER
    ITYP_OWNER VARCHAR2(128)
    ITYP_NAME VARCHAR2(128)
    PARAMETERS VARCHAR2(1000)
    GLOBAL_STATS VARCHAR2(3) = NO
    DOMIDX_STATUS VARCHAR2(12)
    DOMIDX_OPSTATUS VARCHAR2(6)
    FUNCIDX_STATUS VARCHAR2(8)
    JOIN_INDEX VARCHAR2(3) = NO
    IOT_REDUNDANT_PKEY_ELIM VARCHAR2(3) = NO
    DROPPED VARCHAR2(3) = NO
    VISIBILITY VARCHAR2(9)
    DOMIDX_MANAGEMENT VARCHAR2(14)
    SEGMENT_CREATED VARCHAR2(3)
    ORPHANED_ENTRIES VARCHAR2(3) = NO
    INDEXING VARCHAR2(7) = FULL
    AUTO VARCHAR2(3) = NO
"""
_IND_COLUMNS = """
    INDEX_OWNER VARCHAR2(128) NOT NULL
    INDEX_NAME VARCHAR2(128) NOT NULL
    TABLE_OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(4000)
    COLUMN_POSITION NUMBER NOT NULL
    COLUMN_LENGTH NUMBER
    CHAR_LENGTH NUMBER
    DESCEND VARCHAR2(4)
    COLLATED_COLUMN_ID NUMBER
"""
_IND_EXPRESSIONS = """
    INDEX_OWNER VARCHAR2(128) NOT NULL
    INDEX_NAME VARCHAR2(128) NOT NULL
    TABLE_OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_EXPRESSION LONG
    COLUMN_POSITION NUMBER NOT NULL
"""
_FUNCTION_BASED = "FUNCTION-BASED "


def _constraints(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        for constraint in table.constraints:
            condition = f'"{constraint.columns[0]}" IS NOT NULL' if constraint.not_null else constraint.condition
            index = scope.catalog.objects.get(constraint.index_id or 0)
            parent = scope.catalog.objects.get(constraint.parent_table or 0)
            yield {
                "OWNER": table.owner,
                "CONSTRAINT_NAME": constraint.name,
                "CONSTRAINT_TYPE": constraint.kind,
                "TABLE_NAME": table.name,
                "SEARCH_CONDITION": condition,
                "SEARCH_CONDITION_VC": condition,
                "R_OWNER": parent.owner if parent is not None else None,
                "R_CONSTRAINT_NAME": constraint.parent_constraint,
                "DELETE_RULE": constraint.delete_rule if constraint.kind == "R" else None,
                "STATUS": "ENABLED" if constraint.enabled else "DISABLED",
                "VALIDATED": "VALIDATED" if constraint.validated else "NOT VALIDATED",
                "GENERATED": "GENERATED NAME" if constraint.generated_name else "USER NAME",
                "LAST_CHANGE": scope.local(constraint.last_change or table.created),
                "INDEX_OWNER": index.owner if index is not None else None,
                "INDEX_NAME": index.name if index is not None else None,
            }


def _constraint_columns(scope: Scope) -> Iterator[Row]:
    for table in visible_tables(scope):
        for constraint in table.constraints:
            for position, column in enumerate(constraint.columns, start=1):
                yield {
                    "OWNER": table.owner,
                    "CONSTRAINT_NAME": constraint.name,
                    "TABLE_NAME": table.name,
                    "COLUMN_NAME": column,
                    "POSITION": None if constraint.kind == "C" else position,
                }


def is_computed(part: IndexColumn) -> bool:
    """Whether a key part is kept as a hidden column of its own."""
    return part.expression or part.descending


def _visible_indexes(scope: Scope) -> Iterator[tuple[Index, Table]]:
    for entry in scope.catalog.objects.values():
        if isinstance(entry, Index) and scope.shows(entry):
            yield entry, scope.catalog.table(entry.table_id)


def _index_type(index: Index) -> str:
    base = index.index_type.removeprefix(_FUNCTION_BASED)
    return _FUNCTION_BASED + base if any(is_computed(part) for part in index.columns) else base


def printed_expression(text: str, table: Table) -> str:
    """An index expression as Oracle keeps it: columns quoted, the rest in capitals, blanks only where words would run together."""
    printed: list[str] = []
    after_word = False
    for token in tokenize(text):
        if token.kind is TokenKind.END:
            break
        word = token.kind in (TokenKind.WORD, TokenKind.NUMBER)
        column = token.kind in (TokenKind.WORD, TokenKind.QUOTED) and table.column(token.value) is not None
        spelled = f'"{token.value}"' if column or token.kind is TokenKind.QUOTED else text[token.start : token.end]
        printed.append((" " if word and after_word else "") + (spelled.upper() if word and not column else spelled))
        after_word = word or token.kind is TokenKind.STRING
    return "".join(printed)


def _indexes(scope: Scope) -> Iterator[Row]:
    for index, table in _visible_indexes(scope):
        row: Row = {
            "OWNER": index.owner,
            "INDEX_NAME": index.name,
            "INDEX_TYPE": _index_type(index),
            "TABLE_OWNER": table.owner,
            "TABLE_NAME": table.name,
            "UNIQUENESS": "UNIQUE" if index.unique else "NONUNIQUE",
            "STATUS": "VALID" if index.usable else "UNUSABLE",
            "TEMPORARY": "N" if table.temporary is None else "Y",
            "GENERATED": "Y" if index.generated else "N",
            "FUNCIDX_STATUS": "ENABLED" if any(is_computed(part) for part in index.columns) else None,
            "VISIBILITY": "VISIBLE" if index.visible else "INVISIBLE",
            "SEGMENT_CREATED": "YES" if table.temporary is None else "NO",
        }
        row |= declared(index.attributes, ("LOGGING", "COMPRESSION", "PREFIX_LENGTH", "PCT_FREE", "INI_TRANS", "MAX_TRANS"))
        row["DEGREE"] = index.attributes.get("DEGREE", "1")
        if table.temporary is None:
            row["TABLESPACE_NAME"] = index.attributes.get("TABLESPACE_NAME") or tablespace_of(scope, table)
        else:
            row["DURATION"] = "SYS$SESSION" if table.temporary == "PRESERVE" else "SYS$TRANSACTION"
        yield row


def hidden_names(scope: Scope, table: Table) -> dict[tuple[int, int], str]:
    """(index object id, position) -> SYS_NCnnnnn$ of the computed key parts of a table's indexes, numbered after its columns."""
    computed = [
        (index.object_id, position)
        for index in sorted(scope.catalog.indexes_of(table.object_id), key=lambda index: index.object_id)
        for position, part in enumerate(index.columns, start=1)
        if is_computed(part)
    ]
    return {key: f"SYS_NC{number:05d}$" for number, key in enumerate(computed, start=len(table.columns) + 1)}


def _index_columns(scope: Scope) -> Iterator[Row]:
    for index, table in _visible_indexes(scope):
        computed = any(is_computed(part) for part in index.columns)
        hidden = hidden_names(scope, table) if computed else {}
        for position, part in enumerate(index.columns, start=1):
            column = None if part.expression else table.column(part.text)
            printed = None if column is None else printed_type(column.type)
            yield {
                "INDEX_OWNER": index.owner,
                "INDEX_NAME": index.name,
                "TABLE_OWNER": table.owner,
                "TABLE_NAME": table.name,
                "COLUMN_NAME": hidden.get((index.object_id, position), part.text),
                "COLUMN_POSITION": position,
                "COLUMN_LENGTH": None if printed is None else printed.data_length,
                "CHAR_LENGTH": None if printed is None else printed.char_length,
                "DESCEND": "DESC" if part.descending else "ASC",
            }


def _index_expressions(scope: Scope) -> Iterator[Row]:
    for index, table in _visible_indexes(scope):
        for position, part in enumerate(index.columns, start=1):
            if is_computed(part):
                yield {
                    "INDEX_OWNER": index.owner,
                    "INDEX_NAME": index.name,
                    "TABLE_OWNER": table.owner,
                    "TABLE_NAME": table.name,
                    "COLUMN_EXPRESSION": printed_expression(part.text, table) if part.expression else f'"{part.text}"',
                    "COLUMN_POSITION": position,
                }


VIEWS: tuple[DictionaryView, ...] = (
    *family("CONSTRAINTS", _CONSTRAINTS, _constraints, user_without=()),
    *family("CONS_COLUMNS", _CONS_COLUMNS, _constraint_columns, user_without=()),
    *family("INDEXES", _INDEXES, _indexes, user_synonym="IND"),
    *family("IND_COLUMNS", _IND_COLUMNS, _index_columns, user_without=("INDEX_OWNER", "TABLE_OWNER")),
    *family("IND_EXPRESSIONS", _IND_EXPRESSIONS, _index_expressions, user_without=("INDEX_OWNER", "TABLE_OWNER")),
)

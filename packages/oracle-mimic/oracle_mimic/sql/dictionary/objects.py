"""Schema objects of every kind: OBJECTS, CATALOG, VIEWS, SEQUENCES, SYNONYMS, and the list of the dictionary itself.

The dictionary's own views are listed in ALL_OBJECTS, ALL_VIEWS, ALL_SYNONYMS and ALL_TAB_COLUMNS for those who may query them. They
have no text (TEXT is NULL), because in a mimic they are not queries.
"""

from __future__ import annotations

from collections.abc import Iterator

from oracle_mimic.sql.catalog import PUBLIC, AnyObject, Index, Sequence, Synonym, Table, View
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, family, single
from oracle_mimic.sql.dictionary.tables import visible_views
from oracle_mimic.sql.engine import run
from oracle_mimic.sql.engine_storage import sequence_name
from oracle_mimic.sql.privileges import object_type

_OBJECTS = """
    OWNER VARCHAR2(128) NOT NULL
    OBJECT_NAME VARCHAR2(128) NOT NULL
    SUBOBJECT_NAME VARCHAR2(128)
    OBJECT_ID NUMBER NOT NULL
    DATA_OBJECT_ID NUMBER
    OBJECT_TYPE VARCHAR2(23)
    CREATED DATE NOT NULL
    LAST_DDL_TIME DATE NOT NULL
    TIMESTAMP VARCHAR2(19)
    STATUS VARCHAR2(7) = VALID
    TEMPORARY VARCHAR2(1) = N
    GENERATED VARCHAR2(1) = N
    SECONDARY VARCHAR2(1) = N
    NAMESPACE NUMBER NOT NULL = 1
    EDITION_NAME VARCHAR2(128)
    SHARING VARCHAR2(18) = NONE
    EDITIONABLE VARCHAR2(1)
    ORACLE_MAINTAINED VARCHAR2(1) = N
    APPLICATION VARCHAR2(1) = N
    DEFAULT_COLLATION VARCHAR2(100)
    DUPLICATED VARCHAR2(1) = N
    SHARDED VARCHAR2(1) = N
    CREATED_APPID NUMBER
    CREATED_VSNID NUMBER
    MODIFIED_APPID NUMBER
    MODIFIED_VSNID NUMBER
"""
_CATALOG = """
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    TABLE_TYPE VARCHAR2(11)
"""
_VIEWS = """
    OWNER VARCHAR2(128) NOT NULL
    VIEW_NAME VARCHAR2(128) NOT NULL
    TEXT_LENGTH NUMBER
    TEXT LONG
    TEXT_VC VARCHAR2(4000)
    TYPE_TEXT_LENGTH NUMBER
    TYPE_TEXT VARCHAR2(4000)
    OID_TEXT_LENGTH NUMBER
    OID_TEXT VARCHAR2(4000)
    VIEW_TYPE_OWNER VARCHAR2(128)
    VIEW_TYPE VARCHAR2(128)
    SUPERVIEW_NAME VARCHAR2(128)
    EDITIONING_VIEW VARCHAR2(1) = N
    READ_ONLY VARCHAR2(1) = N
    CONTAINER_DATA VARCHAR2(1) = N
    BEQUEATH VARCHAR2(12) = DEFINER
    ORIGIN_CON_ID NUMBER = 0
    DEFAULT_COLLATION VARCHAR2(100) = USING_NLS_COMP
    CONTAINERS_DEFAULT VARCHAR2(3) = NO
    CONTAINER_MAP VARCHAR2(3) = NO
    EXTENDED_DATA_LINK VARCHAR2(3) = NO
    EXTENDED_DATA_LINK_MAP VARCHAR2(3) = NO
    HAS_SENSITIVE_COLUMN VARCHAR2(3) = NO
    ADMIT_NULL VARCHAR2(3) = NO
    PDB_LOCAL_ONLY VARCHAR2(3) = NO
"""
_SEQUENCES = """
    SEQUENCE_OWNER VARCHAR2(128) NOT NULL
    SEQUENCE_NAME VARCHAR2(128) NOT NULL
    MIN_VALUE NUMBER
    MAX_VALUE NUMBER
    INCREMENT_BY NUMBER NOT NULL
    CYCLE_FLAG VARCHAR2(1)
    ORDER_FLAG VARCHAR2(1)
    CACHE_SIZE NUMBER NOT NULL
    LAST_NUMBER NUMBER NOT NULL
    SCALE_FLAG VARCHAR2(1) = N
    EXTEND_FLAG VARCHAR2(1) = N
    SHARDED_FLAG VARCHAR2(1) = N
    SESSION_FLAG VARCHAR2(1) = N
    KEEP_VALUE VARCHAR2(1) = N
"""
_SYNONYMS = """
    OWNER VARCHAR2(128)
    SYNONYM_NAME VARCHAR2(128) NOT NULL
    TABLE_OWNER VARCHAR2(128)
    TABLE_NAME VARCHAR2(128) NOT NULL
    DB_LINK VARCHAR2(128)
    ORIGIN_CON_ID NUMBER = 0
"""
_DICTIONARY = """
    TABLE_NAME VARCHAR2(128)
    COMMENTS VARCHAR2(4000)
"""
_FIRST_VIEW_ID = 2000  # object ids of the dictionary's own views; users' objects begin far above


def _objects(scope: Scope) -> Iterator[Row]:
    for entry in scope.catalog.objects.values():
        if scope.shows(entry):
            yield _object(scope, entry)
    created = scope.local(scope.catalog.users["SYS"].created)
    for relation in scope.dictionary_views():
        object_id = _FIRST_VIEW_ID + sorted(scope.database.virtual.by_name).index(relation.name)
        common: Row = {
            "OBJECT_ID": object_id, "CREATED": created, "LAST_DDL_TIME": created, "TIMESTAMP": f"{created:%Y-%m-%d:%H:%M:%S}",
            "ORACLE_MAINTAINED": "Y",
        }  # fmt: skip
        yield {"OWNER": "SYS", "OBJECT_NAME": relation.name, "OBJECT_TYPE": "VIEW", **common}


def _object(scope: Scope, entry: AnyObject) -> Row:
    created, last_ddl = scope.local(entry.created), scope.local(entry.last_ddl)
    row: Row = {
        "OWNER": entry.owner,
        "OBJECT_NAME": entry.name,
        "OBJECT_ID": entry.object_id,
        "OBJECT_TYPE": object_type(entry),
        "CREATED": created,
        "LAST_DDL_TIME": last_ddl,
        "TIMESTAMP": f"{last_ddl:%Y-%m-%d:%H:%M:%S}",
    }
    if isinstance(entry, Table):
        temporary = entry.temporary is not None
        row |= {"DATA_OBJECT_ID": entry.data_object_id, "TEMPORARY": "Y" if temporary else "N", "DEFAULT_COLLATION": "USING_NLS_COMP"}
    elif isinstance(entry, Index):
        temporary = scope.catalog.table(entry.table_id).temporary is not None
        row |= {"DATA_OBJECT_ID": entry.object_id, "NAMESPACE": 4, "TEMPORARY": "Y" if temporary else "N"}
        row["GENERATED"] = "Y" if entry.generated else "N"
    elif isinstance(entry, View):
        row |= {"STATUS": "VALID" if entry.valid else "INVALID", "EDITIONABLE": "Y", "DEFAULT_COLLATION": "USING_NLS_COMP"}
    elif isinstance(entry, Sequence):
        row["GENERATED"] = "Y" if entry.identity else "N"
    else:
        row["EDITIONABLE"] = "Y"
    return row


def _catalog(scope: Scope) -> Iterator[Row]:
    for entry in scope.catalog.objects.values():
        if not isinstance(entry, Index) and scope.shows(entry):
            yield {"OWNER": entry.owner, "TABLE_NAME": entry.name, "TABLE_TYPE": object_type(entry)}


def _views(scope: Scope) -> Iterator[Row]:
    for view in visible_views(scope):
        yield {
            "OWNER": view.owner,
            "VIEW_NAME": view.name,
            "TEXT_LENGTH": len(view.text),
            "TEXT": view.text,
            "TEXT_VC": view.text[:4000],
            "READ_ONLY": "Y" if view.read_only else "N",
        }
    for relation in scope.dictionary_views():
        yield {"OWNER": "SYS", "VIEW_NAME": relation.name}


def _sequences(scope: Scope) -> Iterator[Row]:
    found = [entry for entry in scope.catalog.objects.values() if isinstance(entry, Sequence) and scope.shows(entry)]
    next_values = _next_values(scope, found)
    for sequence in found:
        if sequence.object_id not in next_values:
            continue  # dropped a moment ago
        yield {
            "SEQUENCE_OWNER": sequence.owner,
            "SEQUENCE_NAME": sequence.name,
            "MIN_VALUE": sequence.minimum,
            "MAX_VALUE": sequence.maximum,
            "INCREMENT_BY": sequence.increment,
            "CYCLE_FLAG": "Y" if sequence.cycle else "N",
            "ORDER_FLAG": "Y" if sequence.ordered else "N",
            "CACHE_SIZE": sequence.cache,
            "LAST_NUMBER": next_values[sequence.object_id],
        }


def _next_values(scope: Scope, sequences: list[Sequence]) -> dict[int, int]:
    """What each sequence would give next. Oracle shows the number after the cached ones; nothing is cached here."""
    if not sequences:
        return {}
    with scope.database.engine.cursor() as cursor:
        rows = run(cursor, "SELECT schema_name || '.' || sequence_name, start_value, increment_by, last_value FROM duckdb_sequences()")
    known = {name: start if last is None else last + step for name, start, step, last in rows}
    named = ((sequence.object_id, sequence_name(sequence.object_id)) for sequence in sequences)
    return {object_id: known[name] for object_id, name in named if name in known}


def _synonyms(scope: Scope) -> Iterator[Row]:
    for entry in scope.catalog.objects.values():
        if isinstance(entry, Synonym) and scope.shows(entry):
            yield {
                "OWNER": entry.owner, "SYNONYM_NAME": entry.name, "TABLE_OWNER": entry.target_owner, "TABLE_NAME": entry.target_name,
            }  # fmt: skip
    if scope.level == "USER":
        return
    for relation in scope.database.virtual.by_name.values():
        for name in relation.synonyms:
            yield {"OWNER": PUBLIC, "SYNONYM_NAME": name, "TABLE_OWNER": "SYS", "TABLE_NAME": relation.name}


def _dictionary(scope: Scope) -> Iterator[Row]:
    for relation in scope.dictionary_views():
        for name in relation.synonyms if relation.name.startswith(("V_$", "GV_$")) else (relation.name,):
            yield {"TABLE_NAME": name}


VIEWS: tuple[DictionaryView, ...] = (
    *family("OBJECTS", _OBJECTS, _objects, user_synonym="OBJ"),
    *family("CATALOG", _CATALOG, _catalog, user_synonym="CAT"),
    *family("VIEWS", _VIEWS, _views),
    *family(
        "SEQUENCES", _SEQUENCES, _sequences, user_without=("SEQUENCE_OWNER",), user_synonym="SEQ",
        lasting=False,
    ),
    *family("SYNONYMS", _SYNONYMS, _synonyms, user_synonym="SYN"),
    *single("DICTIONARY", _DICTIONARY, _dictionary, synonyms=("DICT",), lasting=True),
)  # fmt: skip

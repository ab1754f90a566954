"""Every SQL text that the tap sends: what it needs (privilege, version, edition) and where Oracle's manual describes it.

Nothing else in the tap spells SQL, so this module is the list a DBA wants to read; `docs/grants/tap-statements.md` is generated
from it. Texts in braces are filled by this package's own code with quoted identifiers; values are always bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ANY_EDITION = "any"
DICTIONARY = "none: ALL_ views show what the user may read"


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text. `since`: oldest server version; `manual`: title of the chapter or view in the Oracle Database 19c library."""

    name: str
    text: str
    privilege: str
    manual: str
    since: str = "11.2"
    edition: str = ANY_EDITION

    def fill(self, **parts: str) -> str:
        """The text with its braces filled."""
        return self.text.format(**parts).rstrip() if parts else self.text


def quote(name: str) -> str:
    """An identifier in double quotes. Oracle allows no double quote and no NUL inside one."""
    if not name or '"' in name or "\0" in name:
        message = f"{name!r} cannot be an Oracle identifier"
        raise ValueError(message)
    return f'"{name}"'


# --- the clock, the role, the SCN ---------------------------------------------------------------------------------------------
CLOCK = Statement(
    "clock",
    "SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP), TO_CHAR(SYSTIMESTAMP,'TZH:TZM'), SYS_CONTEXT('USERENV','DATABASE_ROLE') FROM DUAL",
    "none",
    "SQL Language Reference: SYSTIMESTAMP, SYS_CONTEXT",
)
SCN = Statement("scn", "SELECT CURRENT_SCN FROM V$DATABASE", "SELECT on V_$DATABASE", "Database Reference: V$DATABASE")
SCN_FLASHBACK = Statement(
    "scn_flashback",
    "SELECT DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER FROM DUAL",
    "EXECUTE on DBMS_FLASHBACK",
    "PL/SQL Packages and Types Reference: DBMS_FLASHBACK",
)
APPLY_LAG = Statement(
    "apply_lag",
    "SELECT VALUE FROM V$DATAGUARD_STATS WHERE NAME = 'apply lag'",
    "SELECT on V_$DATAGUARD_STATS",
    "Database Reference: V$DATAGUARD_STATS",
    edition="Enterprise (Active Data Guard standby only)",
)

# --- the horizon ----------------------------------------------------------------------------------------------------------------
OPEN_INSTANCES = Statement(
    "open_instances", "SELECT COUNT(*) FROM GV$INSTANCE WHERE STATUS = 'OPEN'", "SELECT on GV_$INSTANCE", "Database Reference: V$INSTANCE"
)
LOCKING_INSTANCES = Statement(
    "locking_instances", "SELECT COUNT(DISTINCT INST_ID) FROM GV$LOCK", "SELECT on GV_$LOCK", "Database Reference: V$LOCK"
)
TABLE_LOCKS = Statement(
    "table_locks",
    "SELECT INST_ID, SID, MAX(CTIME) FROM GV$LOCK"
    " WHERE (TYPE = 'TM' AND ID1 = :object_id AND (LMODE IN (3, 5, 6) OR REQUEST IN (3, 5, 6))) OR (TYPE = 'TX' AND LMODE = 6)"
    " GROUP BY INST_ID, SID HAVING COUNT(CASE WHEN TYPE = 'TM' THEN 1 END) > 0 ORDER BY 3 DESC",
    "SELECT on GV_$LOCK",
    "Database Reference: V$LOCK",
)
TRANSACTIONS = Statement(
    "transactions",
    "SELECT COUNT(*), TO_CHAR(MIN(START_DATE),'YYYY-MM-DD\"T\"HH24:MI:SS'), MAX((SYSDATE - START_DATE) * 86400) FROM GV$TRANSACTION",
    "SELECT on GV_$TRANSACTION",
    "Database Reference: V$TRANSACTION",
)
RUNNING_STATEMENTS = Statement(
    "running_statements",
    "SELECT MAX((SYSDATE - SQL_EXEC_START) * 86400) FROM GV$SESSION"
    " WHERE STATUS = 'ACTIVE' AND TYPE = 'USER' AND COMMAND IN (2, 6, 7, 47, 189)",
    "SELECT on GV_$SESSION",
    "Database Reference: V$SESSION",
)
LOCK_HOLDER = Statement(
    "lock_holder",
    "SELECT SID, SERIAL#, USERNAME, MACHINE, PROGRAM, MODULE FROM GV$SESSION WHERE INST_ID = :inst_id AND SID = :sid",
    "SELECT on GV_$SESSION",
    "Database Reference: V$SESSION",
)
OLDEST_TRANSACTION_HOLDER = Statement(
    "oldest_transaction_holder",
    "SELECT S.SID, S.SERIAL#, S.USERNAME, S.MACHINE, S.PROGRAM, S.MODULE FROM GV$TRANSACTION T"
    " JOIN GV$SESSION S ON S.INST_ID = T.INST_ID AND S.SADDR = T.SES_ADDR"
    " WHERE T.START_DATE = (SELECT MIN(START_DATE) FROM GV$TRANSACTION)",
    "SELECT on GV_$TRANSACTION, GV_$SESSION",
    "Database Reference: V$TRANSACTION, V$SESSION",
)

# --- the dictionary: a fixed number of queries for an owner, however many tables ------------------------------------------------
TABLES = Statement(
    "tables",
    "SELECT TABLE_NAME, NUM_ROWS, AVG_ROW_LEN, BLOCKS, IOT_TYPE, TEMPORARY, ROW_MOVEMENT, PARTITIONED, CLUSTER_NAME FROM ALL_TABLES"
    " WHERE OWNER = :owner AND NESTED = 'NO' AND SECONDARY = 'N' AND DROPPED = 'NO' AND (IOT_TYPE IS NULL OR IOT_TYPE = 'IOT') {names}",
    DICTIONARY,
    "Database Reference: ALL_TABLES",
)
VIEWS = Statement("views", "SELECT VIEW_NAME FROM ALL_VIEWS WHERE OWNER = :owner {names}", DICTIONARY, "Database Reference: ALL_VIEWS")
COLUMNS = Statement(
    "columns",
    "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, DATA_TYPE_OWNER, DATA_LENGTH, DATA_PRECISION, DATA_SCALE, CHAR_LENGTH, CHAR_USED, NULLABLE"
    " FROM ALL_TAB_COLUMNS WHERE OWNER = :owner {names} ORDER BY TABLE_NAME, COLUMN_ID",
    DICTIONARY,
    "Database Reference: ALL_TAB_COLUMNS",
)
PRIMARY_KEYS = Statement(
    "primary_keys",
    "SELECT C.TABLE_NAME, K.COLUMN_NAME FROM ALL_CONSTRAINTS C"
    " JOIN ALL_CONS_COLUMNS K ON K.OWNER = C.OWNER AND K.CONSTRAINT_NAME = C.CONSTRAINT_NAME AND K.TABLE_NAME = C.TABLE_NAME"
    " WHERE C.OWNER = :owner AND C.CONSTRAINT_TYPE = 'P' AND C.STATUS = 'ENABLED' {names} ORDER BY C.TABLE_NAME, K.POSITION",
    DICTIONARY,
    "Database Reference: ALL_CONSTRAINTS, ALL_CONS_COLUMNS",
)
INDEXES = Statement(
    "indexes",
    "SELECT I.TABLE_NAME, I.INDEX_NAME, I.UNIQUENESS, K.COLUMN_NAME FROM ALL_INDEXES I"
    " JOIN ALL_IND_COLUMNS K ON K.INDEX_OWNER = I.OWNER AND K.INDEX_NAME = I.INDEX_NAME"
    " WHERE I.TABLE_OWNER = :owner AND I.INDEX_TYPE IN ('NORMAL', 'IOT - TOP', 'NORMAL/REV') {names}"
    " ORDER BY I.TABLE_NAME, I.INDEX_NAME, K.COLUMN_POSITION",
    DICTIONARY,
    "Database Reference: ALL_INDEXES, ALL_IND_COLUMNS",
)
TABLE_COMMENTS = Statement(
    "table_comments",
    "SELECT TABLE_NAME, COMMENTS FROM ALL_TAB_COMMENTS WHERE OWNER = :owner AND COMMENTS IS NOT NULL {names}",
    DICTIONARY,
    "Database Reference: ALL_TAB_COMMENTS",
)
COLUMN_COMMENTS = Statement(
    "column_comments",
    "SELECT TABLE_NAME, COLUMN_NAME, COMMENTS FROM ALL_COL_COMMENTS WHERE OWNER = :owner AND COMMENTS IS NOT NULL {names}",
    DICTIONARY,
    "Database Reference: ALL_COL_COMMENTS",
)
OBJECTS = Statement(
    "objects",
    "SELECT OBJECT_TYPE, OBJECT_ID, DATA_OBJECT_ID, SUBOBJECT_NAME, TO_CHAR(LAST_DDL_TIME,'YYYY-MM-DD\"T\"HH24:MI:SS') FROM ALL_OBJECTS"
    " WHERE OWNER = :owner AND OBJECT_NAME = :name AND OBJECT_TYPE IN ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION', 'VIEW')"
    " ORDER BY OBJECT_ID",
    DICTIONARY,
    "Database Reference: ALL_OBJECTS",
)

# --- the plan of a full sync ----------------------------------------------------------------------------------------------------
EXTENTS = Statement(
    "extents",
    "SELECT PARTITION_NAME, RELATIVE_FNO, BLOCK_ID, BLOCKS, BYTES FROM DBA_EXTENTS WHERE OWNER = :owner AND SEGMENT_NAME = :name"
    " AND SEGMENT_TYPE IN ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION') ORDER BY RELATIVE_FNO, BLOCK_ID",
    "SELECT on DBA_EXTENTS (SELECT_CATALOG_ROLE is not needed)",
    "Database Reference: DBA_EXTENTS",
)
ROW_COUNT = Statement("row_count", "SELECT COUNT(*) FROM {table} {where}", "SELECT on the table", "SQL Language Reference: COUNT")
KEY_STEPS = Statement(
    "key_steps",
    "SELECT {names} FROM (SELECT {hint}{values}, ROW_NUMBER() OVER (ORDER BY {keys}) N FROM {table} {sample}T {where})"
    " WHERE MOD(N, :step) = 0 ORDER BY N",
    "SELECT on the table",
    "SQL Language Reference: ROW_NUMBER, sample_clause; SQL Tuning Guide: INDEX_FFS hint",
)
ROWID_LIMITS = Statement(
    "rowid_limits",
    "SELECT ROWIDTOCHAR(MIN(ROWID)), ROWIDTOCHAR(MAX(ROWID)) FROM {table} {where}",
    "SELECT on the table",
    "SQL Language Reference: ROWID Pseudocolumn",
)
UNDO_RETENTION = Statement(
    "undo_retention",
    "SELECT VALUE FROM V$PARAMETER WHERE NAME = 'undo_retention'",
    "SELECT on V_$PARAMETER",
    "Database Reference: UNDO_RETENTION",
)

# --- rows -----------------------------------------------------------------------------------------------------------------------
ROWS = Statement("rows", "SELECT {columns} FROM {table} {where}", "SELECT on the table", "SQL Language Reference: SELECT")
NEWEST_KEY = Statement("newest_key", "SELECT {newest} FROM {table}", "SELECT on the table", "SQL Language Reference: MAX")
ANY_ROW = Statement("any_row", "SELECT 1 FROM {table} WHERE ROWNUM = 1", "SELECT on the table", "SQL Language Reference: ROWNUM")
FLASHBACK_CHECK = Statement(
    "flashback_check",
    "SELECT COUNT(*) FROM {table} AS OF TIMESTAMP SYSTIMESTAMP WHERE ROWNUM = 1",
    "FLASHBACK on the table",
    "SQL Language Reference: flashback_query_clause",
)

# --- what it cost ---------------------------------------------------------------------------------------------------------------
SESSION_STATISTICS = Statement(
    "session_statistics",
    "SELECT N.NAME, S.VALUE FROM V$MYSTAT S JOIN V$STATNAME N ON N.STATISTIC# = S.STATISTIC#"
    " WHERE N.NAME IN ('consistent gets', 'physical reads', 'CPU used by this session', 'bytes sent via SQL*Net to client',"
    " 'SQL*Net roundtrips to/from client')",
    "SELECT on V_$MYSTAT, V_$STATNAME",
    "Database Reference: V$MYSTAT, V$STATNAME",
)

FUNCTIONS = {
    "CAST": ("9.2", "CAST"),
    "ROWIDTOCHAR": ("9.2", "ROWIDTOCHAR"),
    "CHARTOROWID": ("9.2", "CHARTOROWID"),
    "SYS_EXTRACT_UTC": ("9.2", "SYS_EXTRACT_UTC"),
    "TO_CHAR": ("9.2", "TO_CHAR (number), TO_CHAR (datetime)"),
    "RAWTOHEX": ("9.2", "RAWTOHEX"),
    "XMLSERIALIZE": ("10.2", "XMLSERIALIZE"),
    "STANDARD_HASH": ("12.1", "STANDARD_HASH"),
    "JSON_SERIALIZE": ("21.1", "JSON_SERIALIZE, for columns of type JSON"),
}
"""The functions that may stand in {columns}, {values} and {where}: oldest version, and their names in the SQL Language Reference."""


def all_statements() -> list[Statement]:
    """Every statement of this module, in the order of its text."""
    return [value for value in globals().values() if isinstance(value, Statement)]


def names_filter(column: str, names: Sequence[str] | None) -> tuple[str, dict[str, str]]:
    """The `{names}` part that limits a dictionary query to some tables, and its binds. Long lists are not sent: all tables are read."""
    if names is None or len(names) > MAX_NAMED_TABLES:
        return "", {}
    binds = {f"t{number}": name for number, name in enumerate(names)}
    return f"AND {column} IN ({', '.join(f':{bind}' for bind in binds)})", binds


MAX_NAMED_TABLES = 100

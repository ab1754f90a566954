"""Transaction control and ALTER SESSION: COMMIT, ROLLBACK, SAVEPOINT, SET TRANSACTION, LOCK TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.catalog import Table, View
from oracle_mimic.sql.expressions.zones import canonical
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.locks import Mode
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.relations import missing

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

_LOCK_MODES = {
    "ROW SHARE": Mode.ROW_SHARE,
    "ROW EXCLUSIVE": Mode.ROW_EXCLUSIVE,
    "SHARE UPDATE": Mode.ROW_SHARE,
    "SHARE": Mode.SHARE,
    "SHARE ROW EXCLUSIVE": Mode.SHARE_ROW_EXCLUSIVE,
    "EXCLUSIVE": Mode.EXCLUSIVE,
}
# What a territory brings along. In both the week begins on Sunday; the others are refused.
_TERRITORIES = {
    "AMERICA": {
        "date_format": "DD-MON-RR", "timestamp_format": "DD-MON-RR HH.MI.SSXFF AM", "timestamp_tz_format": "DD-MON-RR HH.MI.SSXFF AM TZR",
        "numeric_characters": ".,",
    },
    "BRAZIL": {
        "date_format": "DD/MM/RR", "timestamp_format": "DD/MM/RR HH24:MI:SSXFF", "timestamp_tz_format": "DD/MM/RR HH24:MI:SSXFF TZR",
        "numeric_characters": ",.",
    },
}  # fmt: skip
_OTHER_TERRITORIES = frozenset({"UNITED KINGDOM", "GERMANY", "FRANCE", "SPAIN", "PORTUGAL", "ITALY", "JAPAN", "CHINA", "CANADA", "MEXICO"})
# Settings that change nothing here: kept, and shown by V$PARAMETER-like views.
_HARMLESS = frozenset({
    "CURSOR_SHARING", "DDL_LOCK_TIMEOUT", "DEFERRED_SEGMENT_CREATION", "EDITION", "MAX_DUMP_FILE_SIZE", "NLS_CURRENCY",
    "NLS_DUAL_CURRENCY", "NLS_ISO_CURRENCY", "NLS_NCHAR_CONV_EXCP", "OPTIMIZER_DYNAMIC_SAMPLING", "OPTIMIZER_FEATURES_ENABLE",
    "OPTIMIZER_MODE", "PARALLEL_DEGREE_POLICY", "PLSQL_CODE_TYPE", "PLSQL_OPTIMIZE_LEVEL", "PLSQL_WARNINGS", "QUERY_REWRITE_ENABLED",
    "RECYCLEBIN", "RESULT_CACHE_MODE", "RESUMABLE", "SKIP_UNUSABLE_INDEXES", "SORT_AREA_SIZE", "SQL_TRACE", "STATISTICS_LEVEL",
    "TIMED_STATISTICS", "TRACEFILE_IDENTIFIER", "WORKAREA_SIZE_POLICY",
})  # fmt: skip


def execute(session: Session, sql: str) -> None:
    """Run one control statement; ORA-00900 for what is none."""
    reader = TokenReader(sql)
    word = reader.advance().value
    handler = _STATEMENTS.get(word)
    if handler is None:
        raise refused(f"statement {word}")
    handler(session, reader)
    reader.take_op(";")
    reader.finish()


def _commit(session: Session, reader: TokenReader) -> None:
    reader.take_word("WORK")
    if reader.take_word("COMMENT"):
        reader.advance()
    if reader.take_word("WRITE"):
        while reader.take_word("WAIT", "NOWAIT", "IMMEDIATE", "BATCH"):
            pass
    if reader.at_word("FORCE"):
        raise refused("COMMIT FORCE")
    session.commit()


def _rollback(session: Session, reader: TokenReader) -> None:
    reader.take_word("WORK")
    if reader.take_word("TO"):
        reader.take_word("SAVEPOINT")
        session.rollback_to(reader.identifier().name)
        return
    if reader.at_word("FORCE"):
        raise refused("ROLLBACK FORCE")
    session.rollback()


def _savepoint(session: Session, reader: TokenReader) -> None:
    session.set_savepoint(reader.identifier(3001, "savepoint name expected").name)


def _set(session: Session, reader: TokenReader) -> None:
    if reader.take_word("TRANSACTION"):
        _set_transaction(session, reader)
        return
    if reader.take_word("ROLE"):
        if reader.take_word("ALL"):
            return
        raise refused("SET ROLE")
    if reader.take_word("CONSTRAINT", "CONSTRAINTS"):
        raise refused("SET CONSTRAINTS")
    raise OracleError(922, "missing or invalid option", offset=reader.token.start)


def _set_transaction(session: Session, reader: TokenReader) -> None:
    if session.in_transaction or session.snapshot_scn is not None:
        raise OracleError(1453, "SET TRANSACTION must be first statement of transaction")
    if reader.take_word("READ"):
        if reader.take_word("ONLY"):
            session.set_isolation("READ ONLY")
        else:
            reader.expect_word("WRITE")
    elif reader.take_words("ISOLATION", "LEVEL"):
        if reader.take_word("SERIALIZABLE"):
            session.set_isolation("SERIALIZABLE")
        else:
            reader.expect_word("READ")
            reader.expect_word("COMMITTED")
            session.set_isolation("READ COMMITTED")
    elif not reader.at_word("NAME"):
        raise OracleError(2179, "valid options: ISOLATION LEVEL { SERIALIZABLE | READ COMMITTED }")
    if reader.take_word("NAME"):
        if reader.token.kind is not TokenKind.STRING:
            raise reader.error(1780, "string literal required")
        session.transaction_name = reader.advance().value


def _lock(session: Session, reader: TokenReader) -> None:
    reader.expect_word("TABLE")
    tables = [_table(session, reader)]
    while reader.take_op(","):
        tables.append(_table(session, reader))
    reader.expect_word("IN")
    words: list[str] = []
    while not reader.at_word("MODE") and reader.token.kind is TokenKind.WORD:
        words.append(reader.advance().value)
    reader.expect_word("MODE")
    mode = _LOCK_MODES.get(" ".join(words))
    if mode is None:
        raise OracleError(1737, "valid modes: [ROW] SHARE, [[SHARE] ROW] EXCLUSIVE, SHARE UPDATE", offset=reader.token.start)
    timeout: float | None = None
    if reader.take_word("NOWAIT"):
        timeout = 0
    elif reader.take_word("WAIT"):
        timeout = reader.unsigned_integer()
    session.require_writable()
    for table in tables:
        session.database.locks.lock_table(session.session_id, table.object_id, mode, timeout)
        session.locked_explicitly = True


def _table(session: Session, reader: TokenReader) -> Table:
    name = reader.identifier(903, "invalid table name").name
    owner = None
    if reader.take_op("."):
        owner, name = name, reader.identifier(903, "invalid table name").name
    if reader.at_word("PARTITION", "SUBPARTITION"):
        raise refused("LOCK TABLE ... PARTITION")
    context = session.context()
    found = context.catalog.get(*context.catalog.resolve(session.current_schema, owner, name))
    if isinstance(found, View):
        raise refused("LOCK TABLE on a view")
    if not isinstance(found, Table):
        raise missing(owner, name)
    context.privileges.require_object(found, "SELECT", "INSERT", "UPDATE", "DELETE", "ALTER", "LOCK")
    return found


def _alter(session: Session, reader: TokenReader) -> None:
    if reader.take_word("SYSTEM"):
        _alter_system(session, reader)
        return
    reader.expect_word("SESSION")
    if reader.take_word("ENABLE", "DISABLE", "FORCE"):
        if reader.take_word("PARALLEL"):
            reader.expect_word("DML", "DDL", "QUERY")
            if reader.take_word("PARALLEL"):
                reader.unsigned_integer()
            return
        if reader.take_words("COMMIT", "IN", "PROCEDURE") or reader.take_word("RESUMABLE"):
            return
        raise refused("this form of ALTER SESSION")
    if reader.at_word("CLOSE", "ADVISE", "SYNC"):
        raise refused(f"ALTER SESSION {reader.token.value}")
    reader.expect_word("SET")
    set_any = False
    while reader.token.kind is TokenKind.WORD:
        _alter_session_setting(session, reader)
        reader.take_op(",")
        set_any = True
    if not set_any:
        raise OracleError(2248, "invalid option for ALTER SESSION", offset=reader.token.start)


def _alter_system(session: Session, reader: TokenReader) -> None:
    session.context().privileges.require_system("ALTER SYSTEM")
    if reader.take_words("SWITCH", "LOGFILE") or reader.take_word("CHECKPOINT"):
        return
    if reader.take_word("FLUSH"):
        reader.expect_word("SHARED_POOL", "BUFFER_CACHE")
        return
    if reader.take_words("KILL", "SESSION"):
        numbers = reader.advance().value.split(",")
        reader.take_word("IMMEDIATE")
        session.database.kill_session(session, *(int(number) for number in numbers[:2]))
        return
    if reader.take_words("SET", "UNDO_RETENTION"):
        reader.expect_op("=")
        session.database.registry.retention_seconds = reader.unsigned_integer()
        while reader.token.kind is not TokenKind.END:
            reader.advance()
        return
    raise refused("this form of ALTER SYSTEM")


def _alter_session_setting(session: Session, reader: TokenReader) -> None:
    """One NAME = VALUE; ORA-02248 for an unknown name."""
    token = reader.advance()
    name = token.value
    reader.expect_op("=")
    value_token = reader.advance()
    value = value_token.value
    if name == "CURRENT_SCHEMA":
        session.set_current_schema(value)
    elif name == "NLS_TERRITORY":
        territory = _territory(value)
        session.set_nls(territory=territory, **_TERRITORIES[territory])
    elif name in _NLS:
        setting = _NLS[name]
        session.set_nls(**{setting.attribute: setting.check(value)})
    elif name == "TIME_ZONE":
        session.set_nls(time_zone=_time_zone(session, value, value_token.kind))
    elif name == "ISOLATION_LEVEL":
        session.default_isolation = "SERIALIZABLE" if value == "SERIALIZABLE" else "READ COMMITTED"
        if value != "SERIALIZABLE":
            reader.take_word("COMMITTED")
        session.set_isolation(session.default_isolation)
    elif name in ("NLS_SORT", "NLS_COMP", "NLS_LENGTH_SEMANTICS", "NLS_CALENDAR", "CONSTRAINTS", "CONSTRAINT"):
        expected = {"NLS_LENGTH_SEMANTICS": ("BYTE", "CHAR"), "NLS_CALENDAR": ("GREGORIAN",), "CONSTRAINT": ("IMMEDIATE",)}
        if value.upper() not in expected.get(name.removesuffix("S") if name.startswith("CONSTR") else name, ("BINARY",)):
            raise refused(f"ALTER SESSION SET {name} = {value}")
        session.parameters[name] = value.upper()
    elif name == "EVENTS":
        raise refused("ALTER SESSION SET EVENTS")
    elif name in _HARMLESS or name.startswith("_"):
        session.parameters[name] = value
    else:
        raise OracleError(2248, "invalid option for ALTER SESSION", offset=token.start)


@dataclass(frozen=True, slots=True)
class _NlsSetting:
    attribute: str
    check: Callable[[str], str]


def _as_is(value: str) -> str:
    return value


def _territory(value: str) -> str:
    if value.upper() in _OTHER_TERRITORIES:
        raise refused(f"the territory {value.upper()}")
    if value.upper() not in _TERRITORIES:
        raise OracleError(12705, "Cannot access NLS data files or invalid environment specified")
    return value.upper()


def _language(value: str) -> str:
    from oracle_mimic.sql.expressions.calendar_names import LANGUAGES

    if value.upper() not in LANGUAGES:
        raise OracleError(12705, "Cannot access NLS data files or invalid environment specified")
    return value.upper()


def _numeric_characters(value: str) -> str:
    if len(value) != 2 or value[0] == value[1] or any(character.isdigit() or character in "+-<>" for character in value):
        raise OracleError(12705, "Cannot access NLS data files or invalid environment specified")
    return value


_NLS = {
    "NLS_DATE_FORMAT": _NlsSetting("date_format", _as_is),
    "NLS_TIMESTAMP_FORMAT": _NlsSetting("timestamp_format", _as_is),
    "NLS_TIMESTAMP_TZ_FORMAT": _NlsSetting("timestamp_tz_format", _as_is),
    "NLS_NUMERIC_CHARACTERS": _NlsSetting("numeric_characters", _numeric_characters),
    "NLS_DATE_LANGUAGE": _NlsSetting("date_language", _language),
    "NLS_LANGUAGE": _NlsSetting("date_language", _language),
}


def _time_zone(session: Session, value: str, kind: TokenKind) -> str:
    """LOCAL is the client's zone, which it told at logon; DBTIMEZONE is UTC."""
    if kind is TokenKind.WORD:
        if value == "LOCAL":
            return session.logon_time_zone
        if value == "DBTIMEZONE":
            return "+00:00"
    return canonical(value)


def _explain(session: Session, reader: TokenReader) -> None:
    raise refused("EXPLAIN PLAN")


_STATEMENTS: dict[str, Callable[[Session, TokenReader], None]] = {
    "COMMIT": _commit,
    "ROLLBACK": _rollback,
    "SAVEPOINT": _savepoint,
    "SET": _set,
    "LOCK": _lock,
    "ALTER": _alter,
    "EXPLAIN": _explain,
}

"""What goes on now: V$SESSION, V$SESSION_CONNECT_INFO, V$TRANSACTION, V$LOCK, V$LOCKED_OBJECT.

Times are the server's own wall clock; times passed are whole seconds. An address is made from a number, so that the joins hold that
DBAs write: TRANSACTION.SES_ADDR = SESSION.SADDR, TRANSACTION.ADDR = SESSION.TADDR.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, fixed
from oracle_mimic.sql.locks import Mode, TableLock, Wait
from oracle_mimic.sql.transactions import Transaction

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

_SESSION = """
    SADDR RAW(8)
    SID NUMBER
    SERIAL# NUMBER
    AUDSID NUMBER
    USER# NUMBER
    USERNAME VARCHAR2(128)
    COMMAND NUMBER
    TADDR VARCHAR2(16)
    LOCKWAIT VARCHAR2(16)
    STATUS VARCHAR2(8)
    SERVER VARCHAR2(9) = DEDICATED
    SCHEMA# NUMBER
    SCHEMANAME VARCHAR2(128)
    OSUSER VARCHAR2(128)
    PROCESS VARCHAR2(24)
    MACHINE VARCHAR2(64)
    TERMINAL VARCHAR2(30)
    PROGRAM VARCHAR2(84)
    TYPE VARCHAR2(10) = USER
    SQL_HASH_VALUE NUMBER
    SQL_ID VARCHAR2(13)
    SQL_EXEC_START DATE
    MODULE VARCHAR2(64)
    ACTION VARCHAR2(64)
    CLIENT_INFO VARCHAR2(64)
    ROW_WAIT_OBJ# NUMBER
    LOGON_TIME DATE
    LAST_CALL_ET NUMBER
    CLIENT_IDENTIFIER VARCHAR2(64)
    BLOCKING_SESSION_STATUS VARCHAR2(11)
    BLOCKING_INSTANCE NUMBER
    BLOCKING_SESSION NUMBER
    FINAL_BLOCKING_SESSION_STATUS VARCHAR2(11)
    FINAL_BLOCKING_INSTANCE NUMBER
    FINAL_BLOCKING_SESSION NUMBER
    EVENT VARCHAR2(64)
    WAIT_CLASS VARCHAR2(64)
    SECONDS_IN_WAIT NUMBER
    STATE VARCHAR2(19)
    SERVICE_NAME VARCHAR2(64)
    CON_ID NUMBER = 0
"""
_SESSION_CONNECT_INFO = """
    SID NUMBER
    SERIAL# NUMBER
    AUTHENTICATION_TYPE VARCHAR2(26) = DATABASE
    OSUSER VARCHAR2(128)
    NETWORK_SERVICE_BANNER VARCHAR2(4000)
    CLIENT_DRIVER VARCHAR2(30)
    CON_ID NUMBER = 0
"""
_TRANSACTION = """
    ADDR RAW(8)
    XIDUSN NUMBER
    XIDSLOT NUMBER
    XIDSQN NUMBER
    STATUS VARCHAR2(16) = ACTIVE
    START_TIME VARCHAR2(20)
    START_SCNB NUMBER
    START_SCNW NUMBER
    SES_ADDR RAW(8)
    SPACE VARCHAR2(3) = NO
    RECURSIVE VARCHAR2(3) = NO
    NOUNDO VARCHAR2(3) = NO
    PTX VARCHAR2(3) = NO
    NAME VARCHAR2(256)
    USED_UREC NUMBER
    START_DATE DATE
    START_SCN NUMBER
    XID RAW(8)
    CON_ID NUMBER = 0
"""
_LOCK = """
    ADDR RAW(8)
    KADDR RAW(8)
    SID NUMBER
    TYPE VARCHAR2(2)
    ID1 NUMBER
    ID2 NUMBER
    LMODE NUMBER
    REQUEST NUMBER
    CTIME NUMBER
    BLOCK NUMBER
    CON_ID NUMBER = 0
"""
_LOCKED_OBJECT = """
    XIDUSN NUMBER
    XIDSLOT NUMBER
    XIDSQN NUMBER
    OBJECT_ID NUMBER
    SESSION_ID NUMBER
    ORACLE_USERNAME VARCHAR2(128)
    OS_USER_NAME VARCHAR2(128)
    PROCESS VARCHAR2(24)
    LOCKED_MODE NUMBER
    CON_ID NUMBER = 0
"""

_SESSION_BASE, _TRANSACTION_BASE, _LOCK_BASE = 0x6_0000_0000, 0x7_0000_0000, 0x8_0000_0000
_EDITION_OBJECT_ID = 134  # ORA$BASE, which every session holds in share mode
_UNDO_SEGMENTS, _SLOTS = 10, 34
_SQL_ID_DIGITS = "0123456789abcdfghjkmnpqrstuvwxyz"
# V$SQLCOMMAND: what a statement begins with -> its number
_COMMANDS = {
    "SELECT": 3, "WITH": 3, "INSERT": 2, "UPDATE": 6, "DELETE": 7, "MERGE": 189, "BEGIN": 47, "DECLARE": 47, "COMMIT": 44, "ROLLBACK": 45,
    "SAVEPOINT": 46, "LOCK": 26, "SET": 48, "GRANT": 17, "REVOKE": 18, "COMMENT": 29, "RENAME": 28, "ANALYZE": 62, "EXPLAIN": 50,
    "ALTER SESSION": 42, "ALTER SYSTEM": 49, "CREATE TABLE": 1, "CREATE GLOBAL": 1, "ALTER TABLE": 15, "DROP TABLE": 12,
    "TRUNCATE TABLE": 85, "CREATE INDEX": 9, "CREATE UNIQUE": 9, "ALTER INDEX": 11, "DROP INDEX": 10, "CREATE VIEW": 21, "CREATE OR": 21,
    "DROP VIEW": 22, "CREATE SEQUENCE": 13, "ALTER SEQUENCE": 14, "DROP SEQUENCE": 16, "CREATE SYNONYM": 19, "DROP SYNONYM": 20,
    "CREATE USER": 51, "ALTER USER": 43, "DROP USER": 53, "CREATE ROLE": 52, "DROP ROLE": 54,
}  # fmt: skip
# The text is not read with the lexer: it may be long, and may be one that the lexer refuses.
_FIRST_WORDS = re.compile(r"(?:\s|\(|/\*.*?\*/|--[^\n]*\n)*([A-Za-z]+)(?:\s+([A-Za-z]+))?", re.DOTALL)
_ENQUEUE_EVENTS = {"TX": "enq: TX - row lock contention", "TM": "enq: TM - contention"}


def _address(base: int, number: int) -> bytes:
    return (base + number * 0x200).to_bytes(8, "big")


def _transaction_address(transaction: Transaction) -> bytes:
    return _address(_TRANSACTION_BASE, transaction.number)


def undo_position(number: int) -> tuple[int, int, int]:
    """(undo segment, slot, sequence): how Oracle names the transaction of a number."""
    turn, slot = divmod(number, _SLOTS * _UNDO_SEGMENTS)
    return slot % _UNDO_SEGMENTS + 1, slot // _UNDO_SEGMENTS, turn + 1


def sql_id(text: str) -> tuple[str, int]:
    """SQL_ID and SQL_HASH_VALUE of a statement: the last 8 bytes of the MD5 of its text and a NUL."""
    digest = hashlib.md5(text.encode() + b"\0", usedforsecurity=False).digest()
    high, low = int.from_bytes(digest[8:12], "little"), int.from_bytes(digest[12:16], "little")
    value = high << 32 | low
    return "".join(_SQL_ID_DIGITS[value >> shift & 31] for shift in range(60, -5, -5)), low


def command_number(text: str) -> int:
    """V$SESSION.COMMAND of a statement; 0 for what has no number of its own."""
    found = _FIRST_WORDS.match(text)
    if found is None:
        return 0
    first, second = found[1].upper(), (found[2] or "").upper()
    return _COMMANDS.get(first) or _COMMANDS.get(f"{first} {second}", 0)


def _seconds(scope: Scope, since: datetime) -> int:
    return max(int((scope.database.clock.now() - since).total_seconds()), 0)


# copies made under the locks that guard the originals


def _sessions(scope: Scope) -> list[Session]:
    return sorted(scope.database.sessions.values(), key=lambda session: session.session_id)


def _open_transactions(scope: Scope) -> list[Transaction]:
    registry = scope.database.registry
    with registry.lock:
        return [replace(transaction) for _, transaction in sorted(registry.open.items())]


def _waits(scope: Scope) -> dict[int, Wait]:
    locks = scope.database.locks
    with locks.condition:
        return dict(locks.waits)


def _table_locks(scope: Scope) -> list[tuple[int, TableLock]]:
    """(session id, lock), by object and session."""
    locks = scope.database.locks
    with locks.condition:
        return [(sid, replace(lock)) for _, held in sorted(locks.tables.items()) for sid, lock in sorted(held.items())]


def _session_rows(scope: Scope) -> Iterator[Row]:
    transactions = {transaction.session_id: transaction for transaction in _open_transactions(scope)}
    waits = _waits(scope)
    users = scope.catalog.users
    for session in _sessions(scope):
        transaction, wait = transactions.get(session.session_id), waits.get(session.session_id)
        info, attributes = session.client_info, session.attributes
        user, schema = users.get(session.user), users.get(session.current_schema)
        running, started = session.sql_text if session.active else None, session.sql_exec_start
        identity, hash_value = sql_id(running) if running is not None else (None, 0)
        yield {
            "SADDR": _address(_SESSION_BASE, session.session_id),
            "SID": session.session_id,
            "SERIAL#": session.serial_number,
            "AUDSID": session.audit_id,
            "USER#": user.user_id if user is not None else None,
            "USERNAME": session.user,
            "COMMAND": 0 if running is None else command_number(running),
            "TADDR": _transaction_address(transaction).hex().upper() if transaction is not None else None,
            "LOCKWAIT": _address(_LOCK_BASE, session.session_id).hex().upper() if wait is not None else None,
            "STATUS": "ACTIVE" if session.active else "INACTIVE",
            "SCHEMA#": schema.user_id if schema is not None else None,
            "SCHEMANAME": session.current_schema,
            "OSUSER": attributes.get("osuser"),
            "PROCESS": attributes.get("process"),
            "MACHINE": attributes.get("machine"),
            "TERMINAL": attributes.get("terminal"),
            "PROGRAM": attributes.get("program"),
            "SQL_HASH_VALUE": hash_value,
            "SQL_ID": identity,
            "SQL_EXEC_START": scope.local(started) if running is not None else None,
            "MODULE": info.get("module") or attributes.get("program"),
            "ACTION": info.get("action"),
            "CLIENT_INFO": info.get("client_info"),
            "CLIENT_IDENTIFIER": info.get("client_identifier"),
            "LOGON_TIME": scope.local(session.logged_on_at),
            "LAST_CALL_ET": _seconds(scope, session.last_call_at),
            "SERVICE_NAME": attributes.get("service") or scope.database.services[0],
            **_wait_values(scope, session, wait, waits),
        }


def _wait_values(scope: Scope, session: Session, wait: Wait | None, waits: dict[int, Wait]) -> Row:
    if wait is not None:
        blocker = min(wait.holders)
        final = _final_blocker(blocker, waits)
        return {
            "ROW_WAIT_OBJ#": -1 if wait.object_id is None else wait.object_id,
            "BLOCKING_SESSION_STATUS": "VALID",
            "BLOCKING_INSTANCE": 1,
            "BLOCKING_SESSION": blocker,
            "FINAL_BLOCKING_SESSION_STATUS": "VALID",
            "FINAL_BLOCKING_INSTANCE": 1,
            "FINAL_BLOCKING_SESSION": final,
            "EVENT": _ENQUEUE_EVENTS[wait.kind],
            "WAIT_CLASS": "Application",
            "SECONDS_IN_WAIT": _seconds(scope, wait.since),
            "STATE": "WAITING",
        }
    active = session.active
    return {
        "ROW_WAIT_OBJ#": -1,
        "BLOCKING_SESSION_STATUS": "NOT IN WAIT" if active else "NO HOLDER",
        "FINAL_BLOCKING_SESSION_STATUS": "NOT IN WAIT" if active else "NO HOLDER",
        "EVENT": "SQL*Net message to client" if active else "SQL*Net message from client",
        "WAIT_CLASS": "Network" if active else "Idle",
        "SECONDS_IN_WAIT": _seconds(scope, session.last_call_at),
        "STATE": "WAITED SHORT TIME" if active else "WAITING",
    }


def _final_blocker(blocker: int, waits: dict[int, Wait]) -> int:
    """The end of the chain of waiters; a circle (about to be broken by ORA-00060) ends where it began."""
    seen: set[int] = set()
    while blocker in waits and blocker not in seen:
        seen.add(blocker)
        blocker = min(waits[blocker].holders)
    return blocker


def _connect_info(scope: Scope) -> Iterator[Row]:
    for session in _sessions(scope):
        yield {
            "SID": session.session_id, "SERIAL#": session.serial_number, "OSUSER": session.attributes.get("osuser"),
            "CLIENT_DRIVER": session.attributes.get("driver"),
        }  # fmt: skip


def _transactions(scope: Scope) -> Iterator[Row]:
    for transaction in _open_transactions(scope):
        segment, slot, sequence = undo_position(transaction.number)
        started = scope.local(transaction.started_at)
        session = scope.database.sessions.get(transaction.session_id)
        yield {
            "ADDR": _transaction_address(transaction),
            "XIDUSN": segment,
            "XIDSLOT": slot,
            "XIDSQN": sequence,
            "START_TIME": f"{started:%m/%d/%y %H:%M:%S}",
            "START_SCNB": transaction.start_scn & 0xFFFFFFFF,
            "START_SCNW": transaction.start_scn >> 32,
            "SES_ADDR": _address(_SESSION_BASE, transaction.session_id),
            "NAME": None if session is None else session.transaction_name,
            "USED_UREC": transaction.row_changes,
            "START_DATE": started,
            "START_SCN": transaction.start_scn,
            "XID": segment.to_bytes(2, "little") + slot.to_bytes(2, "little") + sequence.to_bytes(4, "little"),
        }


def _lock_rows(scope: Scope) -> Iterator[Row]:
    """An AE row for every session, TX rows of transactions, TM rows of tables, and a request for every waiter."""
    for session in _sessions(scope):
        address = _address(_SESSION_BASE, session.session_id)
        yield {
            "ADDR": address, "KADDR": address, "SID": session.session_id, "TYPE": "AE", "ID1": _EDITION_OBJECT_ID, "ID2": 0,
            "LMODE": int(Mode.SHARE), "REQUEST": 0, "CTIME": _seconds(scope, session.logged_on_at), "BLOCK": 0,
        }  # fmt: skip
    transactions = _open_transactions(scope)
    waits = _waits(scope)
    waited_for = {(wait.kind, holder, wait.object_id if wait.kind == "TM" else None) for wait in waits.values() for holder in wait.holders}
    for transaction in transactions:
        blocks = ("TX", transaction.session_id, None) in waited_for
        yield {
            **_transaction_lock(transaction),
            "ADDR": _transaction_address(transaction),
            "KADDR": _transaction_address(transaction),
            "SID": transaction.session_id,
            "LMODE": int(Mode.EXCLUSIVE),
            "REQUEST": 0,
            "CTIME": _seconds(scope, transaction.started_at),
            "BLOCK": int(blocks),
        }
    upgrades = {(wait.session_id, wait.object_id): wait for wait in waits.values() if wait.kind == "TM"}
    for session_id, lock in _table_locks(scope):
        wait = upgrades.pop((session_id, lock.object_id), None)
        yield {
            **_table_lock(scope, session_id, lock.object_id),
            "LMODE": int(lock.mode),
            "REQUEST": 0 if wait is None else int(wait.mode),
            "CTIME": _seconds(scope, lock.since if wait is None else wait.since),
            "BLOCK": int(("TM", session_id, lock.object_id) in waited_for),
        }
    for (session_id, object_id), wait in upgrades.items():
        yield {
            **_table_lock(scope, session_id, object_id or 0), "LMODE": 0, "REQUEST": int(wait.mode), "CTIME": _seconds(scope, wait.since),
            "BLOCK": 0,
        }  # fmt: skip
    by_session = {transaction.session_id: transaction for transaction in transactions}
    for wait in waits.values():
        holder = next((by_session[session_id] for session_id in sorted(wait.holders) if session_id in by_session), None)
        if wait.kind == "TX" and holder is not None:
            address = _address(_LOCK_BASE, wait.session_id)
            yield {
                **_transaction_lock(holder), "ADDR": address, "KADDR": address, "SID": wait.session_id, "LMODE": 0,
                "REQUEST": int(wait.mode), "CTIME": _seconds(scope, wait.since), "BLOCK": 0,
            }  # fmt: skip


def _transaction_lock(transaction: Transaction) -> Row:
    segment, slot, sequence = undo_position(transaction.number)
    return {"TYPE": "TX", "ID1": segment << 16 | slot, "ID2": sequence}


def _table_lock(scope: Scope, session_id: int, object_id: int) -> Row:
    address = _address(_LOCK_BASE, session_id << 20 | (object_id & 0xFFFFF))
    return {"ADDR": address, "KADDR": address, "SID": session_id, "TYPE": "TM", "ID1": object_id, "ID2": 0}


def _locked_objects(scope: Scope) -> Iterator[Row]:
    transactions = {transaction.session_id: transaction for transaction in _open_transactions(scope)}
    sessions = {session.session_id: session for session in _sessions(scope)}
    for session_id, lock in _table_locks(scope):
        session, transaction = sessions.get(session_id), transactions.get(session_id)
        segment, slot, sequence = (0, 0, 0) if transaction is None else undo_position(transaction.number)
        if session is not None:
            yield {
                "XIDUSN": segment,
                "XIDSLOT": slot,
                "XIDSQN": sequence,
                "OBJECT_ID": lock.object_id,
                "SESSION_ID": session_id,
                "ORACLE_USERNAME": session.user,
                "OS_USER_NAME": session.attributes.get("osuser"),
                "PROCESS": session.attributes.get("process"),
                "LOCKED_MODE": int(lock.mode),
            }


VIEWS: tuple[DictionaryView, ...] = (
    *fixed("SESSION", _SESSION, _session_rows),
    *fixed("SESSION_CONNECT_INFO", _SESSION_CONNECT_INFO, _connect_info, open_to_all=True),
    *fixed("TRANSACTION", _TRANSACTION, _transactions),
    *fixed("LOCK", _LOCK, _lock_rows),
    *fixed("LOCKED_OBJECT", _LOCKED_OBJECT, _locked_objects),
)

"""DBMS_PARALLEL_EXECUTE as blocks call it; what it does is in `oracle_mimic.sql.parallel_execute`."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.packages import Arguments, procedure

_PACKAGE = "DBMS_PARALLEL_EXECUTE"


def _required(arguments: Arguments, name: str) -> str:
    text = arguments.text(name)
    if text is None:
        raise OracleError(6502, "PL/SQL: numeric or value error")
    return text


def _size(arguments: Arguments) -> int:
    size = arguments.number("CHUNK_SIZE")
    if size is None or size < 1:
        raise OracleError(6502, "PL/SQL: numeric or value error")
    return int(size)


@procedure(f"{_PACKAGE}.CREATE_TASK", "TASK_NAME", "COMMENT", required=1)
def _create_task(host: Host, arguments: Arguments) -> None:
    name, comment = _required(arguments, "TASK_NAME"), arguments.text("COMMENT")
    host.parallel_execute(lambda tasks, session: tasks.create(session, name, comment))


@procedure(f"{_PACKAGE}.DROP_TASK", "TASK_NAME")
def _drop_task(host: Host, arguments: Arguments) -> None:
    name = _required(arguments, "TASK_NAME")
    host.parallel_execute(lambda tasks, session: tasks.drop(session, name))


@procedure(f"{_PACKAGE}.DROP_CHUNKS", "TASK_NAME")
def _drop_chunks(host: Host, arguments: Arguments) -> None:
    name = _required(arguments, "TASK_NAME")
    host.parallel_execute(lambda tasks, session: tasks.drop_chunks(session, name))


@procedure(f"{_PACKAGE}.CREATE_CHUNKS_BY_ROWID", "TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "BY_ROW", "CHUNK_SIZE")
def _by_rowid(host: Host, arguments: Arguments) -> None:
    name, owner, table = (_required(arguments, parameter) for parameter in ("TASK_NAME", "TABLE_OWNER", "TABLE_NAME"))
    by_row, size = bool(arguments.given["BY_ROW"].python()), _size(arguments)
    host.parallel_execute(lambda tasks, session: tasks.chunk_by_rowid(session, name, owner, table, by_row=by_row, size=size))


@procedure(f"{_PACKAGE}.CREATE_CHUNKS_BY_NUMBER_COL", "TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "TABLE_COLUMN", "CHUNK_SIZE")
def _by_number(host: Host, arguments: Arguments) -> None:
    name, owner, table, column = (_required(arguments, p) for p in ("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "TABLE_COLUMN"))
    size = _size(arguments)
    host.parallel_execute(lambda tasks, session: tasks.chunk_by_number(session, name, owner, table, column=column, size=size))


@procedure(f"{_PACKAGE}.SET_CHUNK_STATUS", "TASK_NAME", "CHUNK_ID", "STATUS", "ERR_NUM", "ERR_MSG", required=3)
def _set_status(host: Host, arguments: Arguments) -> None:
    name, number, status = _required(arguments, "TASK_NAME"), int(_required(arguments, "CHUNK_ID")), int(_required(arguments, "STATUS"))
    host.parallel_execute(lambda tasks, session: tasks.set_status(session, name, number, status))

"""Responses as bytes: ERROR, STATUS, DESCRIBE, the row header and the vectors around PL/SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from oracle_mimic.errors import OracleError
from oracle_mimic.types import Column
from oracle_mimic.wire.buffer import Writer, counted
from oracle_mimic.wire.rowid import components
from oracle_mimic.wire.typecodes import buffer_size, write_column

ERROR, ROW_HEADER, PARAMETER, STATUS, IO_VECTOR, LOB_DATA, DESCRIBE, IMPLICIT_RESULTS = 4, 6, 8, 9, 11, 14, 16, 27
NO_DATA_FOUND = 1403
ARRAY_ERRORS = 24381
CALL_IN_TRANSACTION = 0x2  # call status: a transaction is open
_COMPILED_WITH_ERRORS = 0x20
_DIRECTION_IN, _DIRECTION_IN_OUT = 32, 48


@dataclass(slots=True)
class Ending:
    """What the ERROR message at the end of a call tells; code 0 is success."""

    in_transaction: bool = False
    code: int = 0
    text: str = ""
    offset: int = 0
    cursor_id: int = 0
    row_count: int = 0
    rowid: str | None = None
    batch_errors: Sequence[tuple[int, OracleError]] = field(default_factory=list)
    compiled_with_errors: bool = False


def error(ending: Ending) -> bytes:
    """ERROR: the end of every execute and fetch, also of one that went well."""
    out = Writer().u1(ERROR).ub(CALL_IN_TRANSACTION if ending.in_transaction else 0, 0, 0, min(ending.code, 65535), 0, 0)
    out.ub(ending.cursor_id).sb(min(ending.offset, 32767)).raw(bytes(5))
    out.u1(_COMPILED_WITH_ERRORS if ending.compiled_with_errors else 0)
    object_, file, block, slot = components(ending.rowid) if ending.rowid else (0, 0, 0, 0)
    out.ub(object_, file).u1(0).ub(block, slot)
    out.ub(0).u1(0, 0).ub(0, 0, 0)  # operating system error, statement and call number, padding, iterations, logical ROWID
    errors = ending.batch_errors
    out.ub(len(errors))
    if errors:
        out.u1(0)  # packed size; must not be 254
        for _, problem in errors:
            out.ub(problem.code)
    out.ub(len(errors))
    if errors:
        out.u1(0)
        for row, _ in errors:
            out.ub(row)
    out.ub(len(errors))
    if errors:
        out.u1(0)
        for _, problem in errors:
            text = str(problem).encode()
            out.ub(min(len(text), 65535)).clr(text).raw(bytes(2))
    out.ub(ending.code, ending.row_count)
    if ending.code:
        out.clr(ending.text.encode())
    return bytes(out.data)


def status(in_transaction: bool) -> bytes:
    """STATUS: the end of commit, rollback, ping, logoff, LOB and direct path calls."""
    return bytes(Writer().u1(STATUS).ub(CALL_IN_TRANSACTION if in_transaction else 0, 0).data)


def describe_body(columns: Sequence[Column]) -> bytes:
    """The columns of a query, as in DESCRIBE and in a REF CURSOR."""
    out = Writer().ub(sum(min(buffer_size(column.type), 65535) for column in columns), len(columns))
    if columns:
        out.u1(0)
    for position, column in enumerate(columns, 1):
        write_column(out, column, position)
    out.ub(0, 0, 0, 0, 0, 0)  # date, four flags, query key
    return bytes(out.data)


def describe(columns: Sequence[Column]) -> bytes:
    return bytes((DESCRIBE, 0)) + describe_body(columns)


def row_header() -> bytes:
    """In front of the rows of a response; without a bit vector every column of every row is sent."""
    return bytes((ROW_HEADER, 0, 0, 0, 0, 0, 0, 0))


def io_vector(is_out: Sequence[bool]) -> bytes:
    """Which binds of a PL/SQL block come back. They are told as IN OUT, so that the client keeps sending a value for each."""
    count = len(is_out)
    out = Writer().u1(IO_VECTOR, 0).ub(count % 256, count // 256, 1, 0, 0, 0)
    return bytes(out.u1(*(_DIRECTION_IN_OUT if each else _DIRECTION_IN for each in is_out)).data)


def array_row_counts(counts: Sequence[int]) -> bytes:
    """The row count of every execution of an array DML, in front of its ERROR message."""
    return bytes(Writer().u1(PARAMETER).ub(0, 0, 0, 0, len(counts), *counts).data)


def cursor_value(columns: Sequence[Column], cursor_id: int) -> bytes:
    """A REF CURSOR as a value: its describe and the cursor id to fetch from."""
    return b"\x01" + describe_body(columns) + bytes(Writer().ub(cursor_id).data)


def implicit_results(cursors: Sequence[tuple[Sequence[Column], int]]) -> bytes:
    """The cursors a block returned with DBMS_SQL.RETURN_RESULT."""
    out = Writer().u1(IMPLICIT_RESULTS).ub(len(cursors))
    for columns, cursor_id in cursors:
        out.u1(0).raw(describe_body(columns)).ub(cursor_id)
    return bytes(out.data)


def direct_path_prepared(columns: Sequence[Column], cursor_id: int) -> bytes:
    """The columns of a table prepared for direct path load, and the cursor id of the load (the fourth of four numbers)."""
    out = Writer().u1(PARAMETER).ub(len(columns))
    for position, column in enumerate(columns, 1):
        write_column(out, column, position, lob_limit=False)
    return bytes(out.ub(0, 4, 0, 0, 0, cursor_id).data)


def direct_path_done() -> bytes:
    return bytes((PARAMETER, 0))


def lob_data(data: bytes) -> bytes:
    return bytes((LOB_DATA,)) + counted(data)

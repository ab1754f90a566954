"""Requests as dataclasses: EXECUTE and its short forms, FETCH, LOB operations, direct path, and the piggybacks in front of them.

Piggybacks carry no length and get no answer, so the layout of every one that a client may send must be known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.typecodes import BindItem

MSG_FUNCTION, MSG_PIGGYBACK = 3, 17
REEXECUTE, FETCH, LOGOFF, COMMIT, ROLLBACK, REEXECUTE_AND_FETCH, EXECUTE, LOB_OP = 4, 5, 9, 14, 15, 78, 94, 96
CLOSE_CURSORS, AUTH_TWO, AUTH_ONE, DIRECT_PREPARE, DIRECT_STREAM, DIRECT_OP, END_TO_END, PING = 105, 115, 118, 128, 129, 130, 135, 147
SET_SCHEMA, APPLICATION_CONTEXT, SESSION_STATE = 152, 154, 176

# calls of the driver that the mimic knows by number only
REFUSED_FUNCTIONS: dict[int, Callable[[], OracleError]] = {
    **dict.fromkeys((103, 104), lambda: refused("two-phase commit (TPC) and sessionless transactions")),
    **dict.fromkeys((121, 122, 145), lambda: refused("Advanced Queuing")),
    **dict.fromkeys((125, 187), lambda: refused("subscriptions")),
    **dict.fromkeys((162, 163), lambda: refused("database resident connection pooling")),
}

PARSE, BIND, DEFINE, RUN, WITH_ROWS, AUTOCOMMIT = 0x1, 0x8, 0x10, 0x20, 0x40, 0x100
DESCRIBE_ONLY, BATCH_ERRORS = 0x20000, 0x80000
ROW_COUNTS, SCROLLABLE = 0x4000, 0x2
_COMMIT_AFTER_REEXECUTE = 0x1
_BIND_ARRAY = 0x40
_MOST_ITEMS = 65535

DIRECT_ABORT, DIRECT_FINISH = 1, 2
_KEY_TABLE, _KEY_SCHEMA, _KEY_COLUMN = 1, 3, 4


@dataclass(slots=True)
class Execute:
    """EXECUTE up to and without the bind rows, which only the statement's text tells how to read."""

    options: int
    cursor_id: int
    sql: str | None
    rows_wanted: int
    executions: int
    flags: int
    binds: list[BindItem] = field(default_factory=list)
    defines: list[BindItem] = field(default_factory=list)

    def has(self, option: int) -> bool:
        return bool(self.options & option)


def read_execute(reader: Reader) -> Execute:
    options = reader.ub(4)
    cursor_id = reader.ub(4)
    has_sql = reader.u1()
    reader.ub(4)
    reader.u1()
    array_length = reader.ub(4)
    reader.skip_u1(2)
    reader.ub(4)
    rows_wanted = reader.ub(4)
    reader.ub(4)  # longest LONG
    reader.u1()
    bind_count = reader.ub(4)
    reader.skip_u1(5)
    reader.u1()
    define_count = reader.ub(4)
    reader.ub(4)  # registration id, low half
    reader.skip_u1(3)
    reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.ub(4)  # registration id, high half
    reader.u1()
    reader.ub(4)  # array DML row counts
    reader.u1()
    reader.u1()
    reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.u1()  # SQL signature and id
    reader.u1()
    reader.ub(4)  # chunk ids
    if max(bind_count, define_count) > _MOST_ITEMS or array_length != 13:
        raise WireError("EXECUTE with impossible counts")
    sql = None
    if has_sql:
        try:
            sql = (reader.clr() or b"").decode()
        except UnicodeDecodeError as error:
            raise WireError("SQL text that is not UTF-8") from error
    numbers = [reader.ub(4) for _ in range(array_length)]
    request = Execute(options, cursor_id, sql, rows_wanted, numbers[1], numbers[9])
    request.defines = [_read_item(reader) for _ in range(define_count)]
    request.binds = [_read_item(reader) for _ in range(bind_count)]
    return request


def _read_item(reader: Reader) -> BindItem:
    code = reader.u1()
    flags = reader.u1()
    reader.skip_u1(2)
    size = reader.ub(4)
    reader.ub(4)
    reader.ub(8)
    if reader.ub(4):
        reader.clr()
    reader.ub(4)
    reader.ub(2)
    form = reader.u1()
    reader.ub(4)
    reader.ub(4)
    return BindItem(code, form, size, bool(flags & _BIND_ARRAY))


@dataclass(slots=True)
class Reexecute:
    """The short form for a cursor whose binds have kept their types: bind rows follow without metadata."""

    cursor_id: int
    count: int  # executions, or rows wanted when it fetches
    commit: bool


def read_reexecute(reader: Reader) -> Reexecute:
    cursor_id = reader.ub(4)
    count = reader.ub(4)
    reader.ub(4)
    return Reexecute(cursor_id, count, bool(reader.ub(4) & _COMMIT_AFTER_REEXECUTE))


def read_fetch(reader: Reader) -> tuple[int, int]:
    """Cursor id and number of rows wanted."""
    return reader.ub(4), reader.ub(4)


# -- LOBs --------------------------------------------------------------------------------------------------------------------

LOB_LENGTH, LOB_READ, LOB_TRIM, LOB_WRITE, LOB_CREATE, LOB_FREE = 0x1, 0x2, 0x20, 0x40, 0x110, 0x111
LOB_CHUNK_SIZE, LOB_OPEN, LOB_CLOSE, LOB_IS_OPEN, LOB_ARRAY = 0x4000, 0x8000, 0x10000, 0x11000, 0x80000
LOCATOR_SIZE = 40


@dataclass(slots=True)
class LobRequest:
    operation: int
    locator: bytes
    source_offset: int
    destination_offset: int
    has_amount: bool
    data: bytes = b""
    amount: int = 0


def read_lob(reader: Reader) -> LobRequest:
    has_source = reader.u1()
    locator_length = reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.ub(4)
    reader.ub(4)
    reader.skip_u1(3)
    operation = reader.ub(4)
    reader.skip_u1(2)
    source_offset = reader.ub(8)
    destination_offset = reader.ub(8)
    has_amount = bool(reader.u1())
    reader.skip_u1(6)
    if has_source and locator_length > 4096:
        raise WireError("LOB locator of impossible length")
    locator = reader.raw(locator_length) if has_source else b""
    request = LobRequest(operation, locator, source_offset, destination_offset, has_amount)
    if operation == LOB_CREATE:
        reader.ub(4)  # character set
    if operation == LOB_WRITE:
        if reader.u1() != 14:
            raise WireError("LOB write without data")
        request.data = reader.clr() or b""
    if has_amount:
        request.amount = reader.ub(8)
    return request


# -- direct path -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class DirectPrepare:
    schema: str
    table: str
    columns: list[str]


def read_direct_prepare(reader: Reader) -> DirectPrepare:
    reader.ub(4)
    reader.u1()
    keywords = reader.ub(4)
    reader.u1()
    inputs = reader.ub(2)
    reader.skip_u1(6)
    if keywords > _MOST_ITEMS:
        raise WireError("direct path load of impossible size")
    request = DirectPrepare("", "", [])
    for _ in range(keywords):
        if reader.ub(2):
            reader.clr()
        value = (reader.clr() or b"").decode(errors="replace") if reader.ub(2) else ""
        match reader.ub(2):
            case 3:
                request.schema = value
            case 1:
                request.table = value
            case 4:
                request.columns.append(value)
    for _ in range(inputs):
        reader.ub(4)
    return request


def read_direct_stream(reader: Reader) -> tuple[int, int]:
    """Cursor id and the byte length of the pieces that follow."""
    cursor_id = reader.ub(2)
    reader.u1()
    length = reader.ub(4)
    reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.skip_u1(2)
    return cursor_id, length


def read_direct_op(reader: Reader) -> tuple[int, int]:
    """Operation (abort or finish) and cursor id."""
    operation = reader.ub(4)
    cursor_id = reader.ub(2)
    reader.u1()
    reader.ub(4)
    reader.skip_u1(2)
    return operation, cursor_id


# -- piggybacks --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Piggybacks:
    """What the piggybacks of one request ask for."""

    close_cursors: list[int] = field(default_factory=list)
    free_lobs: list[bytes] = field(default_factory=list)
    schema: str | None = None
    client_info: dict[str, str] = field(default_factory=dict)
    application_context: str | None = None  # its namespace


def read_piggyback(reader: Reader, function: int, into: Piggybacks) -> None:
    """The body of one piggyback; WireError for one that is not known, because its end cannot be found."""
    if function == CLOSE_CURSORS:
        reader.u1()
        into.close_cursors += [reader.ub(4) for _ in range(_count(reader))]
    elif function == SET_SCHEMA:
        reader.u1()
        into.schema = reader.two().decode(errors="replace")
    elif function == END_TO_END:
        _read_end_to_end(reader, into)
    elif function == LOB_OP:
        _read_free_lobs(reader, into)
    elif function == APPLICATION_CONTEXT:
        reader.u1()
        reader.ub(4)
        reader.u1()
        entries = _count(reader)
        reader.ub(2)
        reader.u1()
        namespace = (reader.clr() or b"").decode(errors="replace")
        for _ in range(entries):
            reader.two()
            reader.two()
            reader.ub(4)
        into.application_context = namespace
    elif function == SESSION_STATE:
        reader.ub(8)
    else:
        raise WireError(f"piggyback {function}")


def _count(reader: Reader) -> int:
    count = reader.ub(4)
    if count > _MOST_ITEMS:
        raise WireError("piggyback of impossible size")
    return count


def _read_end_to_end(reader: Reader, into: Piggybacks) -> None:
    reader.skip_u1(2)
    reader.ub(4)
    names = ("client_identifier", "module", "action", None, None, "client_info", None, None, "dbop")
    sent: list[tuple[str, int]] = []
    for name in names:
        present = reader.u1()
        length = reader.ub(4)
        if name is not None and present:
            sent.append((name, length))
    for name, length in sent:
        into.client_info[name] = (reader.clr() or b"").decode(errors="replace") if length else ""


def _read_free_lobs(reader: Reader, into: Piggybacks) -> None:
    reader.u1()
    total = reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.ub(4)
    reader.ub(4)
    reader.skip_u1(3)
    reader.ub(4)
    reader.u1()
    reader.ub(4)
    reader.ub(8)
    reader.ub(8)
    reader.u1()
    for _ in range(3):
        reader.u1()
        reader.ub(4)
    if total % LOCATOR_SIZE or total > LOCATOR_SIZE * 10_000_000:
        raise WireError("temporary LOBs of impossible size")
    for _ in range(total // LOCATOR_SIZE):
        into.free_lobs.append(reader.raw(LOCATOR_SIZE))

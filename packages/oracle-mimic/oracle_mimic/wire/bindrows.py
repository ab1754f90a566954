"""The rows of bind values behind an EXECUTE: found in the message value by value, then decoded column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.types import Kind
from oracle_mimic.wire.buffer import CHUNKED, NULL, Reader, WireError
from oracle_mimic.wire.decode import Located, decode
from oracle_mimic.wire.typecodes import BLOB, BOOLEAN, CLOB, CURSOR, LONGEST_VARCHAR, BindItem

MSG_ROW = 7
_SPECIAL = (CLOB, BLOB, CURSOR, BOOLEAN)
_ESCAPE = 253  # in front of a NULL BOOLEAN
LobReader = Callable[[bytes], str | bytes]  # a locator's content


def readable(items: Sequence[BindItem]) -> OracleError | None:
    """None when values of these binds can be read; else the refusal, and where the message ends is then unknown."""
    for item in items:
        if item.is_array:
            return refused("PL/SQL index-by array as a bind")
        if item.kind is None:
            return refused(f"a bind of type code {item.code} (objects, JSON and vectors)")
    return None


def read_binds(
    reader: Reader, items: Sequence[BindItem], valueless: Sequence[int], executions: int, *, plsql: bool, lobs: LobReader
) -> Binds:
    """Read `executions` rows of values.

    Args:
        valueless: indices of binds that send no value (RETURNING ... INTO).
        plsql: values then come in the order of the binds; in SQL those with buffers over 32767 bytes come last.
        lobs: resolves temporary LOBs to their text or bytes.
    """
    types = [item.oracle_type() for item in items]
    sending = [index for index in range(len(items)) if index not in set(valueless)]
    if not sending:
        return Binds(types, [None] * len(items), executions)
    order = sending
    if not plsql:
        order = sorted(sending, key=lambda index: items[index].buffer_size > LONGEST_VARCHAR)
    # a long value read again from its start with every packet would cost the square of its length
    special = any(items[index].code in _SPECIAL or items[index].buffer_size > LONGEST_VARCHAR for index in order)
    if special:
        columns = _read_one_by_one(reader, [items[index] for index in order], executions, lobs)
    else:
        columns = _scan(reader, len(order), executions)
    arrays: list[pa.Array | None] = [None] * len(items)
    for index, located in zip(order, columns, strict=True):
        if types[index].kind is Kind.CURSOR:
            continue  # what a block opens comes back in its outcome
        is_locator = items[index].code in (CLOB, BLOB)  # its content is at hand as UTF-8, whatever the LOB's own character set
        kind = Kind.CLOB if is_locator and types[index].kind is Kind.NCLOB else types[index].kind
        arrays[index] = decode(kind, located)
    return Binds(types, arrays, executions)


def _scan(reader: Reader, columns: int, rows: int) -> list[Located]:
    """Where every value is. A tight loop over length bytes: this is where the speed of array DML is decided."""
    marks: list[int] = []
    add = marks.append
    joined: dict[int, bytes] = {}  # values that came in chunks, by their place in `marks`
    for _ in range(rows):
        while True:
            data, pos, size = reader.data, reader.pos, len(reader.data)
            before = len(marks)
            try:
                if data[pos] != MSG_ROW:
                    raise WireError(f"bind row starts with {data[pos]}")
                pos += 1
                for _ in range(columns):
                    length = data[pos]
                    add(pos)
                    if length < _ESCAPE:
                        pos += length + 1
                    elif length == NULL:
                        pos += 1
                    elif length == CHUNKED:
                        pos, value = _chunks(data, pos + 1)
                        joined[len(marks) - 1] = value
                    else:
                        raise WireError("bind value with an escape code")
                if pos <= size:
                    reader.pos = pos
                    break
            except IndexError:
                pass  # the row goes on in the next packet
            del marks[before:]
            reader.more()
    message = np.frombuffer(reader.data, np.uint8)
    reader.data, reader.pos = reader.data[reader.pos :], 0  # the arrays keep the old buffer
    at = np.array(marks, np.int64).reshape(rows, columns)
    sizes = message[at].astype(np.int64)
    sizes[(sizes == 0) | (sizes == NULL)] = -1
    located = []
    by_column: list[dict[int, bytes]] = [{} for _ in range(columns)]
    for place, value in joined.items():
        by_column[place % columns][place // columns] = value
    for column in range(columns):
        found = Located(message, at[:, column] + 1, np.ascontiguousarray(sizes[:, column]))
        located.append(_with_joined(found, by_column[column]) if by_column[column] else found)
    return located


def _chunks(data: bytearray, pos: int) -> tuple[int, bytes]:
    """A value in chunks; IndexError when it is not all there yet."""
    parts: list[bytes] = []
    while True:
        width = data[pos]
        if width > 4:
            raise WireError("chunk length of more than four bytes")
        size = int.from_bytes(data[pos + 1 : pos + 1 + width], "big")
        pos += 1 + width
        if pos > len(data):
            raise IndexError
        if size == 0:
            return pos, b"".join(parts)
        if pos + size > len(data):
            raise IndexError
        parts.append(bytes(data[pos : pos + size]))
        pos += size


def _with_joined(located: Located, values: dict[int, bytes]) -> Located:
    """The same column, with the values that came in chunks put behind the message."""
    start = len(located.data)
    tail = []
    for row, value in values.items():
        located.starts[row] = start
        located.lengths[row] = len(value) or -1
        start += len(value)
        tail.append(value)
    data = np.concatenate([located.data, np.frombuffer(b"".join(tail), np.uint8)])
    return Located(data, located.starts, located.lengths, scattered=True)


def _read_one_by_one(reader: Reader, items: Sequence[BindItem], rows: int, lobs: LobReader) -> list[Located]:
    """The slower way for rows with LOB locators, cursors or booleans among the values."""
    values: list[list[bytes | None]] = [[] for _ in items]
    for _ in range(rows):
        if (start := reader.u1()) != MSG_ROW:
            raise WireError(f"bind row starts with {start}")
        for item, column in zip(items, values, strict=True):
            column.append(_read_value(reader, item, lobs))
    return [Located.of(column) for column in values]


def _read_value(reader: Reader, item: BindItem, lobs: LobReader) -> bytes | None:
    if item.code in (CLOB, BLOB):
        locator = reader.two()
        if not locator:
            return None
        content = lobs(locator)
        return (content.encode() if isinstance(content, str) else content) or None
    if item.code == CURSOR:
        if reader.ub(4) and reader.ub(4):
            raise refused("an open cursor as an IN bind")
        return None
    if item.code == BOOLEAN:
        length = reader.u1()
        if length == _ESCAPE:
            reader.u1()
            return None
        return reader.raw(length) if length else None
    return reader.clr()

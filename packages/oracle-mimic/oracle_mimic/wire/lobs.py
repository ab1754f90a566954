"""LOB locators and what they stand for: temporary LOBs a client writes, and the LOB values of query rows.

Locators of query rows are marked temporary too, so that the client tells when it has dropped them and their memory can go.
"""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.types import Kind
from oracle_mimic.wire import messages, requests
from oracle_mimic.wire.buffer import WireError, Writer
from oracle_mimic.wire.encode import lob_value
from oracle_mimic.wire.requests import LOCATOR_SIZE, LobRequest
from oracle_mimic.wire.typecodes import KINDS

CHUNK_SIZE = 8132  # what LOB.getchunksize() tells: the usable part of a database block
SESSION_LIMIT = 1 << 30  # bytes of LOB values one session may hold
_FLAG_BLOB = 0x01
_FLAG_ABSTRACT = 0x40
_FLAG_INITIALIZED = 0x08
_FLAG_UTF16 = 0x80
_FLAG_TEMPORARY = 0x01


class Lob:
    """One LOB: text as str, or bytes. Appended parts are joined when they are next looked at.

    Offsets and sizes of text count UTF-16 units, as Oracle does for CLOBs: a character beyond the basic plane counts twice.
    """

    def __init__(self, kind: Kind, content: str | bytes, *, writable: bool) -> None:
        self.kind = kind
        self.writable = writable
        self.is_open = False
        self._content = content
        self._tail: list[str | bytes] = []
        self.size = _size(content)

    @property
    def content(self) -> str | bytes:
        if self._tail:
            if isinstance(self._content, str):
                self._content = "".join([self._content, *(part for part in self._tail if isinstance(part, str))])
            else:
                self._content = b"".join([self._content, *(part for part in self._tail if isinstance(part, bytes))])
            self._tail = []
        return self._content

    def read(self, offset: int, amount: int) -> str | bytes:
        """At most `amount` units from the 1-based offset on."""
        start = max(offset, 1) - 1
        content = self.content
        if isinstance(content, bytes) or self.size == len(content):
            return content[start : start + amount]
        return content.encode("utf-16-le")[2 * start : 2 * (start + amount)].decode("utf-16-le", errors="replace")

    def write(self, offset: int, data: str | bytes) -> None:
        """Overwrite from the 1-based offset on; a gap behind the end is filled with blanks (text) or zeros."""
        start = max(offset, 1) - 1
        if start == self.size:
            self._tail.append(data)
            self.size += _size(data)
            return
        front, back = self.read(1, start), self.read(start + _size(data) + 1, self.size)
        if isinstance(front, str) and isinstance(back, str) and isinstance(data, str):
            self._content = front + " " * (start - _size(front)) + data + back
        elif isinstance(front, bytes) and isinstance(back, bytes) and isinstance(data, bytes):
            self._content = front.ljust(start, b"\0") + data + back
        self.size = _size(self._content)

    def trim(self, size: int) -> None:
        if size > self.size:
            raise OracleError(22926, "specified trim length is greater than current LOB value's length")
        self._content = self.read(1, size)
        self.size = size


def _size(content: str | bytes) -> int:
    """Bytes, or UTF-16 units."""
    if isinstance(content, bytes) or content.isascii():
        return len(content)
    return len(content.encode("utf-16-le")) // 2


class LobStore:
    """The LOBs of one session, by the key in their locator."""

    def __init__(self) -> None:
        self._lobs: dict[int, Lob] = {}
        self._next_key = 1
        self._bytes = 0

    def add(self, lob: Lob) -> bytes:
        """Keep a LOB; its locator. ORA-01652 when the session holds too much already."""
        if self._bytes + lob.size > SESSION_LIMIT:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace TEMP")
        self._bytes += lob.size
        key = self._next_key
        self._next_key += 1
        self._lobs[key] = lob
        return _locator(key, lob)

    def column_value(self, kind: Kind, content: object) -> bytes:
        """A LOB of a row in wire form: size and locator in front of the client's later reads."""
        if not isinstance(content, str | bytes):
            raise TypeError(f"a {kind.value} held as {type(content).__name__}")
        lob = Lob(kind, content, writable=False)
        return lob_value(self.add(lob), lob.size, CHUNK_SIZE)

    def get(self, locator: bytes) -> Lob:
        """ORA-22922 for a locator that stands for nothing (any more)."""
        lob = self._lobs.get(_key(locator))
        if lob is None:
            raise OracleError(22922, "nonexistent LOB value")
        return lob

    def content(self, locator: bytes) -> str | bytes:
        return self.get(locator).content

    def free(self, locator: bytes) -> None:
        lob = self._lobs.pop(_key(locator), None)
        if lob is not None:
            self._bytes -= lob.size

    def clear(self) -> None:
        self._lobs.clear()
        self._bytes = 0

    def operate(self, request: LobRequest) -> bytes:
        """Run one LOB operation; its answer without the closing STATUS."""
        operation = request.operation
        if operation == requests.LOB_CREATE:
            kind = KINDS.get((request.destination_offset, request.source_offset)) or KINDS.get((request.destination_offset, 0))
            if kind not in (Kind.CLOB, Kind.NCLOB, Kind.BLOB):
                raise refused("a temporary LOB of this type")
            locator = self.add(Lob(kind, b"" if kind is Kind.BLOB else "", writable=True))
            return bytes(Writer().u1(messages.PARAMETER).raw(locator).ub(0).u1(0).data)
        lob = self.get(request.locator)
        amount = request.amount
        answer = b""
        if operation == requests.LOB_LENGTH:
            amount = lob.size
        elif operation == requests.LOB_READ:
            part = lob.read(request.source_offset, amount)
            amount = _size(part)
            if part:
                answer = messages.lob_data(_encoded(lob, part))
        elif operation == requests.LOB_WRITE:
            self._write(lob, request)
        elif operation == requests.LOB_TRIM:
            self._check_writable(lob)
            self._bytes -= lob.size
            lob.trim(amount)
            self._bytes += lob.size
        elif operation == requests.LOB_CHUNK_SIZE:
            amount = CHUNK_SIZE
        elif operation == requests.LOB_OPEN:
            if lob.is_open:
                raise OracleError(22293, "LOB already opened in the same transaction")
            lob.is_open = True
        elif operation == requests.LOB_CLOSE:
            if not lob.is_open:
                raise OracleError(22289, "cannot perform operation on an unopened file or LOB")
            lob.is_open = False
        elif operation == requests.LOB_FREE:
            self.free(request.locator)
        elif operation != requests.LOB_IS_OPEN:
            raise refused(f"LOB operation {operation:#x}")
        out = Writer().raw(answer).u1(messages.PARAMETER).raw(request.locator)
        if request.has_amount:
            out.ub(amount)
        if operation == requests.LOB_IS_OPEN:
            out.u1(int(lob.is_open))
        return bytes(out.data)

    def _write(self, lob: Lob, request: LobRequest) -> None:
        self._check_writable(lob)
        try:
            data = request.data if lob.kind is Kind.BLOB else request.data.decode("utf-16-be" if lob.kind is Kind.NCLOB else "utf-8")
        except UnicodeDecodeError as error:
            raise WireError("LOB text in a wrong encoding") from error
        if self._bytes + len(data) > SESSION_LIMIT:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace TEMP")
        self._bytes -= lob.size
        lob.write(request.source_offset, data)
        self._bytes += lob.size

    @staticmethod
    def _check_writable(lob: Lob) -> None:
        if not lob.writable:
            raise refused("writing into a table's LOB through its locator (bind a new value instead)")


def _encoded(lob: Lob, part: str | bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    return part.encode("utf-16-be" if lob.kind is Kind.NCLOB else "utf-8")


def _locator(key: int, lob: Lob) -> bytes:
    locator = bytearray(LOCATOR_SIZE)
    locator[1] = LOCATOR_SIZE - 2
    locator[4] = _FLAG_ABSTRACT | (_FLAG_BLOB if lob.kind is Kind.BLOB else 0)
    locator[5] = _FLAG_INITIALIZED
    locator[6] = _FLAG_UTF16 if lob.kind is Kind.NCLOB else 0
    locator[7] = _FLAG_TEMPORARY
    locator[10:18] = key.to_bytes(8, "big")
    return bytes(locator)


def _key(locator: bytes) -> int:
    if len(locator) != LOCATOR_SIZE:
        raise WireError(f"LOB locator of {len(locator)} bytes")
    return int.from_bytes(locator[10:18], "big")

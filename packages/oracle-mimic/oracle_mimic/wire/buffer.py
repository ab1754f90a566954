"""Reading and writing the protocol's primitive values: universal integers, counted bytes, fixed big-endian integers.

The reader pulls: it asks for the next piece of the message only when it runs dry, because the client marks no end of a request.
"""

from __future__ import annotations

from collections.abc import Callable

CHUNKED = 254  # length byte: chunks follow, each with its own ub4 length, closed by 0
NULL = 255
LONGEST_SHORT = 252  # 253 is an escape code, never a length


class WireError(Exception):
    """A message that cannot be parsed; the connection is closed with this reason in the log."""


class Reader:
    """Pulls values out of a stream of byte pieces.

    Args:
        refill: gives the next piece; raises when the peer is gone or silent in the middle of a message.
    """

    __slots__ = ("_refill", "data", "pos")

    def __init__(self, refill: Callable[[], bytes]) -> None:
        self._refill = refill
        self.data = bytearray()
        self.pos = 0

    def start_message(self) -> None:
        """Forget what was consumed; a fresh buffer, so that arrays made from the old one stay valid."""
        self.data = self.data[self.pos :]
        self.pos = 0

    @property
    def unread(self) -> int:
        return len(self.data) - self.pos

    def more(self) -> None:
        """Append the next piece."""
        self.data += self._refill()

    def need(self, count: int) -> None:
        """Make sure that `count` bytes are there."""
        while len(self.data) - self.pos < count:
            self.more()

    def raw(self, count: int) -> bytes:
        self.need(count)
        start = self.pos
        self.pos = start + count
        return bytes(self.data[start : self.pos])

    def u1(self) -> int:
        if self.pos >= len(self.data):
            self.need(1)
        value = self.data[self.pos]
        self.pos += 1
        return value

    def skip_u1(self, count: int) -> None:
        self.need(count)
        self.pos += count

    def u16be(self) -> int:
        return int.from_bytes(self.raw(2), "big")

    def u32be(self) -> int:
        return int.from_bytes(self.raw(4), "big")

    def ub(self, width: int = 4) -> int:
        """A universal unsigned integer of at most `width` bytes."""
        length = self.u1()
        if length == 0:
            return 0
        if length > width:
            raise WireError(f"integer of {length} bytes where at most {width} are allowed")
        return int.from_bytes(self.raw(length), "big")

    def sb(self, width: int = 4) -> int:
        """A universal signed integer: the high bit of the length byte is the sign."""
        length = self.u1()
        size = length & 0x7F
        if size > width:
            raise WireError(f"integer of {size} bytes where at most {width} are allowed")
        value = int.from_bytes(self.raw(size), "big")
        return -value if length & 0x80 else value

    def clr(self) -> bytes | None:
        """Counted bytes; None for NULL (which is also the empty value)."""
        length = self.u1()
        if length in (0, NULL):
            return None
        if length != CHUNKED:
            return self.raw(length)
        parts = []
        while size := self.ub(4):
            parts.append(self.raw(size))
        return b"".join(parts)

    def two(self) -> bytes:
        """Bytes with two lengths: a ub4, and when that is not 0 counted bytes."""
        if self.ub(4) == 0:
            return b""
        return self.clr() or b""


class Writer:
    """Appends values to a growing message."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data = bytearray()

    def u1(self, *values: int) -> Writer:
        self.data += bytes(values)
        return self

    def raw(self, value: bytes | bytearray | memoryview) -> Writer:
        self.data += value
        return self

    def u16be(self, value: int) -> Writer:
        self.data += value.to_bytes(2, "big")
        return self

    def u32be(self, value: int) -> Writer:
        self.data += value.to_bytes(4, "big")
        return self

    def ub(self, *values: int) -> Writer:
        """Universal unsigned integers, each in as few bytes as it needs."""
        for value in values:
            if value == 0:
                self.data.append(0)
            elif value < 256:
                self.data += bytes((1, value))
            else:
                size = (value.bit_length() + 7) // 8
                self.data.append(size)
                self.data += value.to_bytes(size, "big")
        return self

    def sb(self, value: int) -> Writer:
        size = (abs(value).bit_length() + 7) // 8
        self.data.append(size | (0x80 if value < 0 else 0))
        self.data += abs(value).to_bytes(size, "big")
        return self

    def clr(self, value: bytes | None) -> Writer:
        self.data += counted(value)
        return self

    def two(self, value: bytes | str) -> Writer:
        if isinstance(value, str):
            value = value.encode()
        self.ub(len(value))
        return self.clr(value) if value else self


def counted(value: bytes | None) -> bytes:
    """A value as counted bytes: one length byte up to 252, one single chunk above."""
    if not value:
        return b"\0"
    length = len(value)
    if length <= LONGEST_SHORT:
        return bytes((length,)) + value
    size = (length.bit_length() + 7) // 8
    return b"".join((bytes((CHUNKED, size)), length.to_bytes(size, "big"), value, b"\0"))

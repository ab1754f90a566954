"""Oracle's NUMBER bytes to and from Python's decimal: the one scalar codec both rooms need.

The format is byte-comparable (memcmp order = numeric order), which is why the SQL room may store unconstrained NUMBERs as such.
A pair of decimal digits is one byte, so both ways go through hexadecimal text and a table: no arithmetic on single digits.
Source: the driver's own encoder and decoder; `oracle-wire.md` section 12.
"""

from __future__ import annotations

from decimal import Decimal

ZERO = b"\x80"
MAX_DIGITS = 40  # 20 base-100 pairs
MAX_PAIRS = 20
_CLOSING = b"\x66"
_BAD = 0xFF

# from a byte whose two hexadecimal digits are the decimal ones to Oracle's byte, and back
_PACKED = [(tens << 4 | ones, tens * 10 + ones) for tens in range(10) for ones in range(10)]


def _table(entries: dict[int, int]) -> bytes:
    return bytes(entries.get(byte, _BAD) for byte in range(256))


_TO_POSITIVE = _table({packed: pair + 1 for packed, pair in _PACKED})
_TO_NEGATIVE = _table({packed: 101 - pair for packed, pair in _PACKED})
_FROM_POSITIVE = _table({pair + 1: packed for packed, pair in _PACKED})
_FROM_NEGATIVE = _table({101 - pair: packed for packed, pair in _PACKED})


def from_decimal(value: Decimal) -> bytes:
    """NUMBER bytes of a finite decimal; ValueError when it needs more than 20 base-100 pairs or its exponent leaves -130..125."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    if abs(value.adjusted()) > 400:
        raise ValueError(f"{value} is outside the range of NUMBER")
    return from_text(f"{value:f}")


def from_text(text: str) -> bytes:
    """NUMBER bytes of plain decimal text, `-12.340`; ValueError as `from_decimal`."""
    negative = text[0] == "-"
    whole, _, fraction = (text[1:] if negative else text).partition(".")
    whole = whole.lstrip("0")
    fraction = fraction.rstrip("0")
    if len(whole) % 2:
        whole = "0" + whole
    if len(fraction) % 2:
        fraction += "0"
    packed = bytes.fromhex(whole + fraction)
    body = packed.lstrip(b"\0")
    power = len(whole) // 2 - 1 - (len(packed) - len(body))
    body = body.rstrip(b"\0")
    if not body:
        return ZERO
    if len(body) > MAX_PAIRS:
        raise ValueError(f"{text} has more digits than a NUMBER holds")
    if not -65 <= power <= 62:
        raise ValueError(f"{text} is outside the range of NUMBER")
    if negative:
        return bytes((62 - power,)) + body.translate(_TO_NEGATIVE) + (_CLOSING if len(body) < MAX_PAIRS else b"")
    return bytes((193 + power,)) + body.translate(_TO_POSITIVE)


def to_decimal(data: bytes) -> Decimal:
    """The exact decimal of NUMBER bytes; ValueError for bytes that are none."""
    if data == ZERO:
        return Decimal(0)
    if not data or len(data) > 21:
        raise ValueError(f"not a NUMBER: {data.hex()}")
    if data[0] & 0x80:
        sign, power = "", data[0] - 193
        body = data[1:].translate(_FROM_POSITIVE)
    else:
        sign, power = "-", 62 - data[0]
        body = (data[1:-1] if data[-1] == _CLOSING[0] else data[1:]).translate(_FROM_NEGATIVE)
    if not body or _BAD in body:
        raise ValueError(f"not a NUMBER: {data.hex()}")
    return Decimal(f"{sign}{body.hex()}E{2 * (power - len(body) + 1)}")

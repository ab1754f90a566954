"""Oracle's NUMBER bytes to and from Python's decimal: the one scalar codec both rooms need.

The format is byte-comparable (memcmp order = numeric order), which is why the SQL room may store unconstrained NUMBERs as such.
Source: the driver's own encoder and decoder; `oracle-wire.md` section 12.
"""

from __future__ import annotations

from decimal import Decimal

ZERO = b"\x80"
MAX_DIGITS = 40  # 20 base-100 pairs


def from_decimal(value: Decimal) -> bytes:
    """NUMBER bytes of a finite decimal; ValueError when it needs more than 20 base-100 pairs or its exponent leaves -130..125."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a finite number")
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    exponent += len(text) - len(stripped)
    if not stripped:
        return ZERO
    if exponent % 2:
        stripped += "0"
        exponent -= 1
    if len(stripped) % 2:
        stripped = "0" + stripped
    pairs = [int(stripped[i : i + 2]) for i in range(0, len(stripped), 2)]
    if len(pairs) > 20:
        raise ValueError(f"{value} has more digits than a NUMBER holds")
    power = exponent // 2 + len(pairs) - 1
    if not -65 <= power <= 62:
        raise ValueError(f"{value} is outside the range of NUMBER")
    if sign:
        body = bytes(101 - pair for pair in pairs)
        return bytes([62 - power]) + body + (b"\x66" if len(pairs) < 20 else b"")
    return bytes([193 + power]) + bytes(pair + 1 for pair in pairs)


def to_decimal(data: bytes) -> Decimal:
    """The exact decimal of NUMBER bytes; ValueError for bytes that are none."""
    if data == ZERO:
        return Decimal(0)
    if not data or len(data) > 21:
        raise ValueError(f"not a NUMBER: {data.hex()}")
    if data[0] & 0x80:
        power = data[0] - 193
        pairs = [byte - 1 for byte in data[1:]]
        sign = 0
    else:
        power = 62 - data[0]
        body = data[1:-1] if data[-1] == 0x66 else data[1:]
        pairs = [101 - byte for byte in body]
        sign = 1
    if not pairs or not all(0 <= pair <= 99 for pair in pairs):
        raise ValueError(f"not a NUMBER: {data.hex()}")
    digits = tuple(int(c) for pair in pairs for c in f"{pair:02d}")
    return Decimal((sign, digits, 2 * (power - len(pairs) + 1)))

"""Functions over text and bytes that DuckDB calls, where its own differ from Oracle's or do not exist."""

from __future__ import annotations

import binascii
import builtins
import re
from functools import lru_cache

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.expressions.derive import VARCHAR2_MAX
from oracle_mimic.sql.expressions.registry import udf


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def cut_bytes(text: str, length: int) -> str | None:
    """At most `length` bytes of UTF-8, whole characters only."""
    data = text.encode()
    return text if len(data) <= length else data[:length].decode(errors="ignore") or None


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def in_length(text: str, length: int) -> str:
    """The text of a number or a date, which is never cut; ORA-25137 when it does not fit."""
    if len(text) > length:
        raise OracleError(25137, "Data value out of range")
    return text


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def lob_text(text: str, length: int) -> str | None:
    """A CLOB within `length` bytes; ORA-22835."""
    actual = len(text.encode())
    if actual > length:
        complaint = f"Buffer too small for CLOB to CHAR or BLOB to RAW conversion (actual: {actual}, maximum: {length})"
        raise OracleError(22835, complaint)
    return text or None


@udf("VARCHAR", returns="VARCHAR")
def joined(text: str) -> str:
    """The result of `||` or LISTAGG; ORA-01489 beyond what a VARCHAR2 holds."""
    if len(text) > VARCHAR2_MAX or len(text.encode()) > VARCHAR2_MAX:
        raise OracleError(1489, "result of string concatenation is too long")
    return text


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def pad_bytes(text: str, length: int) -> str:
    """Blanks behind the text up to `length` bytes of UTF-8."""
    return text + " " * (length - len(text.encode()))


@udf("BLOB", "BIGINT", returns="BLOB")
def cut_raw(data: bytes, length: int) -> bytes:
    return data[:length]


@udf("VARCHAR", returns="BLOB")
def hex_to_raw(text: str) -> bytes:
    """HEXTORAW: an odd number of digits gets a zero in front; ORA-01465 for anything but digits."""
    digits = text.strip(" ")
    try:
        return binascii.unhexlify("0" + digits if len(digits) % 2 else digits)
    except ValueError:
        raise OracleError(1465, "invalid hex number") from None


@udf("VARCHAR", "VARCHAR", returns="VARCHAR")
def like_pattern(pattern: str, escape: str) -> str:
    """A LIKE pattern with any escape character as one with the backslash."""
    if len(escape) != 1:
        raise OracleError(1425, "escape character must be character string of length 1")
    return _rewritten(pattern, escape)


@lru_cache(maxsize=256)
def _rewritten(pattern: str, escape: str) -> str:
    out, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        if character == escape:
            at += 1
            character = pattern[at : at + 1]
            if character not in ("%", "_", escape) or not character:
                raise OracleError(1424, "missing or illegal character following the escape character")
            out.append("\\" + character)
        else:
            out.append("\\\\" if character == "\\" else character)
        at += 1
    return "".join(out)


@udf("VARCHAR", "BIGINT", "BIGINT", returns="VARCHAR")
def substr_bytes(text: str, start: int, count: int) -> str | None:
    """SUBSTRB; the halves of characters that are cut become blanks."""
    data = text.encode()
    if count < 1 or (start < 0 and -start > len(data)):
        return None
    first = max(start, 1) - 1 if start >= 0 else len(data) + start
    piece = data[first : first + count]
    out = []
    at = 0
    while at < len(piece):
        width = 1 if piece[at] < 0x80 else 2 if piece[at] >> 5 == 6 else 3 if piece[at] >> 4 == 14 else 4 if piece[at] >> 3 == 30 else 0
        try:
            out.append(piece[at : at + width].decode() if width else " ")
        except UnicodeDecodeError:
            out.append(" " * len(piece[at : at + width]))
        at += width or 1
    return "".join(out) or None


@udf("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", returns="BIGINT")
def instr(text: str, sought: str, start: int, nth: int) -> int:
    """INSTR with a start (negative: backwards from the end) and an occurrence; ORA-01428 for an occurrence below 1."""
    if nth < 1:
        raise OracleError(1428, f"argument '{nth}' is out of range")
    if start == 0:
        return 0
    at = start - 1 if start > 0 else len(text) + start
    step = 1 if start > 0 else -1
    if start < 0:
        at = min(at, len(text) - len(sought))
    while 0 <= at <= len(text) - len(sought):
        at = text.find(sought, at) if step > 0 else text.rfind(sought, 0, at + len(sought))
        if at < 0:
            return 0
        nth -= 1
        if nth == 0:
            return at + 1
        at += step
    return 0


@udf("VARCHAR", returns="VARCHAR")
def initcap(text: str) -> str:
    """The first letter of each run of letters and digits upper case, the others lower."""
    out, inside = [], False
    for character in text:
        out.append(character.lower() if inside else character.upper())
        inside = character.isalnum()
    return "".join(out)


@udf("VARCHAR", returns="VARCHAR")
def reverse_ascii(text: str) -> str:
    """REVERSE, which works on bytes: refused for what is not ASCII."""
    if not text.isascii():
        raise refused("REVERSE of multi-byte text")
    return text[::-1]


@udf("VARCHAR", "VARCHAR", "VARCHAR", returns="VARCHAR")
def translate(text: str, old: str, new: str) -> str | None:
    return text.translate(_translation(old, new)) or None


@lru_cache(maxsize=256)
def _translation(old: str, new: str) -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for index, character in enumerate(old):
        table.setdefault(ord(character), new[index] if index < len(new) else None)
    return table


@udf("VARCHAR", returns="BIGINT")
def ascii(text: str) -> int:  # noqa: A001 - named after the SQL function
    """The bytes of the first character as a number."""
    return int.from_bytes(text[0].encode(), "big")


@udf("BIGINT", returns="VARCHAR")
def chr(code: int) -> str:  # noqa: A001 - named after the SQL function
    """The character of these UTF-8 bytes; refused when they are none."""
    if code < 0:
        raise OracleError(1428, f"argument '{code}' is out of range")
    data = code.to_bytes(max(1, (code.bit_length() + 7) // 8), "big")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise refused(f"CHR({code}), which is no character in AL32UTF8") from None


_ESCAPE = re.compile(r"\\(\\|[0-9A-Fa-f]{4})")


@udf("VARCHAR", returns="VARCHAR")
def unistr(text: str) -> str:
    """UNISTR: \\xxxx is a UTF-16 code unit; ORA-30186 for a lone backslash."""
    if "\\" in _ESCAPE.sub("", text):
        raise OracleError(30186, "'\\' must be followed by four hexdecimal characters or another '\\'")
    units = _ESCAPE.sub(lambda m: "\\" if m.group(1) == "\\" else builtins.chr(int(m.group(1), 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


@udf("VARCHAR", returns="VARCHAR")
def asciistr(text: str) -> str:
    units = text.encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(builtins.chr(c) if c < 128 and c != 92 else f"\\{c:04X}" for c in codes)


@udf("BLOB", "BIGINT", "BIGINT", returns="BLOB")
def slice_raw(data: bytes, offset: int, amount: int) -> bytes | None:
    """Bytes from a 1-based (negative: from the end) offset; NULL outside."""
    if amount < 1 or offset == 0 or abs(offset) > len(data):
        return None
    first = offset - 1 if offset > 0 else len(data) + offset
    return data[first : first + amount] or None

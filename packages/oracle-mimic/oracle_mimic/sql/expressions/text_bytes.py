"""Functions over text and bytes that DuckDB calls, where its own differ from Oracle's or do not exist."""

from __future__ import annotations

import binascii
from functools import lru_cache

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.registry import udf


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def cut_bytes(text: str, length: int) -> str | None:
    """At most `length` bytes of UTF-8, whole characters only."""
    data = text.encode()
    return text if len(data) <= length else data[:length].decode(errors="ignore") or None


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

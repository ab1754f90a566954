"""Names in the target: one spelling for each thing, upper case, always quoted in SQL.

Oracle's limit is in bytes (128, or 30 for `compatible` below 12.2). A name that is too long, or that holds a character no
identifier may hold, gets a stable short form: as much of it as fits, `_`, and eight hexadecimal digits of its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

MAX_IDENTIFIER_BYTES = 128
_FORBIDDEN = str.maketrans({'"': "_", "\0": "_"})
_DIGITS = 8


def quoted(name: str) -> str:
    """An identifier for SQL text. The name must come from this module or from the dictionary: it holds no quote."""
    return f'"{name}"'


def listed(names: Iterable[str]) -> str:
    """`"A","B"`."""
    return ",".join(quoted(each) for each in names)


def qualified(schema: str, name: str) -> str:
    """`"SCHEMA"."NAME"`."""
    return f"{quoted(schema)}.{quoted(name)}"


def identifier(text: str, *, limit: int = MAX_IDENTIFIER_BYTES) -> str:
    """The identifier for a stream or property name: upper case, legal, and at most `limit` bytes. ValueError for an empty name."""
    if not text:
        message = "a stream or property without a name has no identifier"
        raise ValueError(message)
    upper = text.upper()
    legal = upper.translate(_FORBIDDEN)
    if legal == upper and len(legal.encode()) <= limit:
        return legal
    return _with_digest(legal, text, limit)


def suffixed(name: str, suffix: str, *, limit: int = MAX_IDENTIFIER_BYTES) -> str:
    """`name` with `suffix`, made short enough by cutting the name; a cut name gets its digest, so that two never meet."""
    whole = name + suffix
    if len(whole.encode()) <= limit:
        return whole
    return _with_digest(name, name, limit - len(suffix.encode())) + suffix


def column_names(properties: Iterable[str], *, reserved: Iterable[str] = (), limit: int = MAX_IDENTIFIER_BYTES) -> Mapping[str, str]:
    """Property -> column, in order. Properties that differ in case only, or that meet a reserved name, get their digest.

    A property that is already in upper case keeps its plain name, whatever its neighbours are called.
    """
    names = list(properties)
    plain = {each: identifier(each, limit=limit) for each in names}
    taken = Counter(plain.values())
    held = set(reserved)
    result = {}
    for each in names:
        column = plain[each]
        clash = column in held or (taken[column] > 1 and each != column)
        result[each] = _with_digest(column, each, limit) if clash else column
    return result


def _with_digest(name: str, source: str, limit: int) -> str:
    digest = hashlib.sha256(source.encode()).hexdigest()[:_DIGITS].upper()
    room = limit - _DIGITS - 1
    return name.encode()[:room].decode(errors="ignore") + "_" + digest

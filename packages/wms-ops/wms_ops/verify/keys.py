"""Keys of rows as values: their text, their order, and ranges of them. Composite keys and keys of text included.

A key is a tuple of texts in the form of docs/batch-contract.md, section 4, so it can be printed, stored and typed in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from oracle_connection.errors import ConfigurationError
from oracle_connection.key_text import KEY_KINDS, bind_text, text_of, value_of
from oracle_connection.types import CHARACTERS, NATIONAL, OracleType

from wms_ops.verify.canonical import NUMERIC, PADDED, quoted

Key = tuple[str, ...]

KEYS_PER_STATEMENT = 200


class Binds(dict[str, Any]):
    """Bind variables of one statement: `add` names a value."""

    def add(self, value: Any) -> str:
        """The placeholder of a new bind variable."""
        name = f"v{len(self)}"
        self[name] = value
        return f":{name}"


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One column of the key on one side. by_code_point: text is put in order by ASCIISTR, because the character sets differ."""

    name: str
    type: OracleType
    trim: bool = False
    by_code_point: bool = False

    @property
    def text(self) -> str:
        """SQL of the key's text."""
        own = text_of(self.type, quoted(self.name))
        return f"RTRIM({own})" if self.trim else own

    @property
    def ordered(self) -> str:
        """SQL to compare and sort by."""
        return f"ASCIISTR({quoted(self.name)})" if self.by_code_point else quoted(self.name)

    def value(self, text: str, binds: Binds, *, for_order: bool = False) -> str:
        """SQL of a key's value."""
        made = value_of(self.type, binds.add(bind_text(self.type, text)))
        return f"ASCIISTR({made})" if for_order and self.by_code_point else made


def key_columns(
    names: Sequence[tuple[str, str]], source: dict[str, OracleType], target: dict[str, OracleType], *, same_characters: bool
) -> tuple[tuple[KeyColumn, ...], tuple[KeyColumn, ...]]:
    """The key on the source and on the target. names: pairs of column names. Raises ConfigurationError for a type without an order."""
    made: tuple[list[KeyColumn], list[KeyColumn]] = ([], [])
    for source_name, target_name in names:
        both = (source[source_name], target[target_name])
        for oracle in both:
            if oracle.kind not in KEY_KINDS:
                message = f"key column {source_name} is {oracle}; verify needs a key of numbers, texts, times or RAW"
                raise ConfigurationError(message)
        if both[0].kind != both[1].kind and not any({each.kind for each in both} <= family for family in (NUMERIC, CHARACTERS)):
            message = f"key column {source_name} is {both[0]} in the source and {both[1]} in the target; verify needs one kind of key"
            raise ConfigurationError(message)
        trim = both[0] != both[1] and any(each.kind in PADDED for each in both)
        by_code_point = not same_characters and all(each.kind in CHARACTERS - NATIONAL for each in both)
        for side, name, oracle in zip(made, (source_name, target_name), both, strict=True):
            side.append(KeyColumn(name, oracle, trim, by_code_point))
    return tuple(made[0]), tuple(made[1])


@dataclass(frozen=True, slots=True)
class KeyRange:
    """lower <= key < upper; None is an open end."""

    lower: Key | None = None
    upper: Key | None = None

    def __str__(self) -> str:
        return f"{_end(self.lower)}..{_end(self.upper)}"

    def to_json(self) -> dict[str, list[str] | None]:
        return {"from": list(self.lower) if self.lower else None, "to": list(self.upper) if self.upper else None}

    def condition(self, columns: Sequence[KeyColumn], binds: Binds) -> str:
        """SQL of the range on one side; empty for all rows."""
        parts = []
        if self.lower is not None:
            parts.append(_compared(columns, self.lower, ">", ">=", binds))
        if self.upper is not None:
            parts.append(_compared(columns, self.upper, "<", "<", binds))
        return " AND ".join(parts)

    def cut(self, limits: Sequence[Key]) -> list[KeyRange]:
        """The range in pieces at `limits`, which are inside of it and in order."""
        ends: list[Key | None] = [self.lower, *limits, self.upper]
        return [KeyRange(lower, upper) for lower, upper in pairwise(ends)]


def _compared(columns: Sequence[KeyColumn], key: Key, sign: str, last_sign: str, binds: Binds) -> str:
    """(k1, k2, ...) compared with a key: SQL has no such comparison, so it is spelled out, the first column also alone for the index."""
    values = [column.value(text, binds, for_order=True) for column, text in zip(columns, key, strict=True)]
    names = [column.ordered for column in columns]
    condition = f"{names[-1]}{last_sign}{values[-1]}"
    for name, value in reversed(list(zip(names[:-1], values[:-1], strict=True))):
        condition = f"({name}{sign}{value} OR ({name}={value} AND {condition}))"
    return condition if len(names) == 1 else f"{names[0]}{sign}={values[0]} AND {condition}"


def among(columns: Sequence[KeyColumn], keys: Sequence[Key], binds: Binds) -> str:
    """SQL: the row has one of these keys."""
    if len(columns) == 1:
        return f"{quoted(columns[0].name)} IN ({','.join(columns[0].value(key[0], binds) for key in keys)})"
    rows = (
        " AND ".join(f"{quoted(column.name)}={column.value(text, binds)}" for column, text in zip(columns, key, strict=True))
        for key in keys
    )
    return "(" + " OR ".join(f"({row})" for row in rows) + ")"


def parse_range(text: str, columns: int) -> KeyRange:
    """`FROM..TO`, either end may be empty. A composite key is a list with commas, or a JSON list. Raises ValueError."""
    lower, dots, upper = text.partition("..")
    if not dots:
        message = f"--range {text}: give FROM..TO, for example 1000..2000 or ..2000"
        raise ValueError(message)
    return KeyRange(_parse_end(lower, columns), _parse_end(upper, columns))


def _parse_end(text: str, columns: int) -> Key | None:
    if not text.strip():
        return None
    parts = [str(part) for part in json.loads(text)] if text.startswith("[") else [text] if columns == 1 else text.split(",")
    if len(parts) != columns:
        message = f"--range: {text} has {len(parts)} values, but the key has {columns} columns"
        raise ValueError(message)
    return tuple(parts)


def _end(key: Key | None) -> str:
    return "" if key is None else key[0] if len(key) == 1 else json.dumps(list(key))


def batches(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Keys in lists that fit into one statement."""
    return (keys[start : start + KEYS_PER_STATEMENT] for start in range(0, len(keys), KEYS_PER_STATEMENT))

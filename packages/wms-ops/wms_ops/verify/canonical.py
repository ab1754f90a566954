"""One canonical text of each Oracle type, as SQL that runs alike on 12.1 to 23ai and on both sides; and a row's hash made from it.

| type | text |
|---|---|
| NUMBER, FLOAT | every digit, `TO_CHAR(x,'TM9')` |
| BINARY_FLOAT, BINARY_DOUBLE | hash of the internal bytes (NaN and infinities have their own) |
| CHAR, VARCHAR2 | length, `:`, the text; over 1000 bytes its hash. Of CHAR, blanks at the end count only where both sides have one type |
| NCHAR, NVARCHAR2, and any text when the two character sets differ | `ASCIISTR` of it |
| DATE, TIMESTAMP | all fields, nine fractional digits unless both sides are DATE |
| TIMESTAMP WITH [LOCAL] TIME ZONE | the instant in UTC |
| INTERVAL | seconds, or months, as a number |
| RAW | hexadecimal digits, or a hash |
| CLOB, NCLOB, BLOB, JSON, XMLTYPE | SHA-256 where DBMS_CRYPTO is granted on both sides, else length and hash of the beginning |

A NULL is no text at all, nor is an empty LOB (the target stores NULL); each text ends with `;` or begins with its length, so that no two
rows have the same text.
Nothing here talks to a database. The session must be set up as `oracle_connection.types.session_statement` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oracle_connection.types import CHARACTERS, NATIONAL, ZONED, Kind, OracleType, select_expression

GROUP_BYTES = 3800
"""Texts are put together up to this; a VARCHAR2 expression of SQL holds 4000 bytes unless the database is set otherwise."""
INLINE_BYTES = 1000
BYTES_PER_CHARACTER = 4
ASCII_CHUNK = 400
"""Characters that ASCIISTR turns into at most 4000 bytes: ten for one outside of the basic plane."""
ASCII_BYTES = 10
LOB_PREFIX = 1000
HASH_SH256 = 4
HEX_BYTES = 64
SLICE_DIGITS = 15
"""Hexadecimal digits of a row's hash that are summed as one number: 60 bits, so that the sum over 10**12 rows has 31 digits."""

PADDED = frozenset({Kind.CHAR, Kind.NCHAR})
NUMERIC = frozenset({Kind.NUMBER, Kind.FLOAT})
FLOATING = frozenset({Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE})
CLOCK = frozenset({Kind.DATE, Kind.TIMESTAMP})
TEXT_LOBS = frozenset({Kind.CLOB, Kind.NCLOB, Kind.JSON, Kind.XMLTYPE})
ROW_ADDRESSES = frozenset({Kind.ROWID, Kind.UROWID})
UNREADABLE = frozenset({Kind.LONG, Kind.LONG_RAW})
FAMILIES: tuple[frozenset[Kind], ...] = (
    NUMERIC, FLOATING, CHARACTERS | ROW_ADDRESSES, CLOCK, ZONED, frozenset({Kind.RAW}), TEXT_LOBS, frozenset({Kind.BLOB}),
    frozenset({Kind.INTERVAL_DS}), frozenset({Kind.INTERVAL_YM}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """The canonical text of a column on one side: SQL, and how many bytes it has at most."""

    text: str
    width: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What the two databases have in common: same_characters: one character set; lob_hash: both grant DBMS_CRYPTO."""

    same_characters: bool = True
    lob_hash: bool = False


def quoted(name: str) -> str:
    """An identifier for SQL text. ValueError for one that Oracle cannot have."""
    if not name or '"' in name or "\0" in name:
        message = f"{name!r} cannot be an Oracle identifier"
        raise ValueError(message)
    return f'"{name}"'


def why_not(source: OracleType, target: OracleType) -> str | None:
    """Why two columns cannot be compared; None when they can."""
    for side, oracle in (("source", source), ("target", target)):
        if oracle.kind in UNREADABLE:
            return f"{oracle} in the {side}: no SQL function reads it"
    if not any({source.kind, target.kind} <= family for family in FAMILIES):
        return f"{source} in the source, {target} in the target"
    return None


def forms(name: str, target_name: str, source: OracleType, target: OracleType, setting: Setting) -> tuple[Form, Form]:
    """The column's text on the source and on the target; both are built alike, in the wider of the two types."""
    both = (source, target)
    return _form(quoted(name), source, both, setting), _form(quoted(target_name), target, both, setting)


def _form(column: str, own: OracleType, both: tuple[OracleType, OracleType], setting: Setting) -> Form:
    kinds = {each.kind for each in both}
    if kinds <= NUMERIC:
        return Form(f"TO_CHAR({column},'TM9')||';'", 65)
    if kinds <= FLOATING:
        wide = f"TO_BINARY_DOUBLE({column})" if len(kinds) > 1 else column
        return _hashed(column, wide)
    if kinds <= CLOCK:
        if kinds == {Kind.DATE}:
            return Form(f"TO_CHAR({column},'SYYYYMMDDHH24MISS')||';'", 16)
        fine = f"CAST({column} AS TIMESTAMP(9))" if own.kind is Kind.DATE else column
        return Form(f"TO_CHAR({fine},'SYYYYMMDDHH24MISSFF9')||';'", 25)
    if kinds <= ZONED:
        return Form(f"TO_CHAR(SYS_EXTRACT_UTC({column}),'SYYYYMMDDHH24MISSFF9')||';'", 25)
    if kinds == {Kind.RAW}:
        width = 2 * max(each.length or 0 for each in both)
        return Form(f"RAWTOHEX({column})||';'", width + 1) if width <= INLINE_BYTES else _hashed(column, column)
    if kinds == {Kind.INTERVAL_DS}:
        seconds = "+".join(f"EXTRACT({field} FROM {column})*{unit}" for field, unit in (("DAY", 86400), ("HOUR", 3600), ("MINUTE", 60)))
        return Form(f"TO_CHAR({seconds}+EXTRACT(SECOND FROM {column}),'TM9')||';'", 40)
    if kinds == {Kind.INTERVAL_YM}:
        return Form(f"TO_CHAR(EXTRACT(YEAR FROM {column})*12+EXTRACT(MONTH FROM {column}),'TM9')||';'", 20)
    if kinds <= TEXT_LOBS or kinds == {Kind.BLOB}:
        return _lob(column, own, both, setting)
    return _text(column, own, both, setting)


def _hashed(column: str, value: str) -> Form:
    """The hash of a value in place of its text."""
    return Form(f"NVL2({column},RAWTOHEX(STANDARD_HASH({value},'SHA256')),NULL)||';'", HEX_BYTES + 1)


def _text(column: str, own: OracleType, both: tuple[OracleType, OracleType], setting: Setting) -> Form:
    """Text, with its length in front."""
    value = select_expression(own, column) if own.kind in ROW_ADDRESSES else column
    blanks_count = both[0] == both[1] or not any(each.kind in PADDED for each in both)
    if not blanks_count:  # a value of blanks only is no NULL
        value = f"RTRIM({value})||NVL2({column},'.',NULL)"
    national = any(each.kind in NATIONAL for each in both)
    if setting.same_characters and not national:
        width = max(_bytes(each) for each in both)
        return Form(f"LENGTH({value})||':'||{value}", width + 8) if width <= INLINE_BYTES else _hashed(column, value)
    characters = max(_characters(each) for each in both) + 1
    if characters * ASCII_BYTES <= INLINE_BYTES:
        return Form(f"LENGTH({value})||':'||TO_CHAR(ASCIISTR({value}))", characters * ASCII_BYTES + 8)
    starts = range(1, characters + 1, ASCII_CHUNK)
    hashes = "||".join(f"RAWTOHEX(STANDARD_HASH(TO_CHAR(ASCIISTR(SUBSTR({value},{start},{ASCII_CHUNK}))),'SHA256'))" for start in starts)
    return Form(f"NVL2({column},{hashes},NULL)||';'", HEX_BYTES * len(starts) + 1)


def _lob(column: str, own: OracleType, both: tuple[OracleType, OracleType], setting: Setting) -> Form:
    """A LOB, whole or by length and beginning. The target cannot tell an empty one from NULL."""
    value = select_expression(own, column)
    if setting.lob_hash:
        content = f"RAWTOHEX(DBMS_CRYPTO.HASH({value},{HASH_SH256}))"
    else:
        beginning = f"DBMS_LOB.SUBSTR({value},{LOB_PREFIX},1)"
        if own.kind is not Kind.BLOB and (not setting.same_characters or any(each.kind is Kind.NCLOB for each in both)):
            beginning = f"TO_CHAR(ASCIISTR(DBMS_LOB.SUBSTR({value},{ASCII_CHUNK},1)))"
        content = f"TO_CHAR(DBMS_LOB.GETLENGTH({value}))||':'||RAWTOHEX(STANDARD_HASH({beginning},'SHA256'))"
    return Form(f"CASE WHEN DBMS_LOB.GETLENGTH({value})>0 THEN {content} END||';'", HEX_BYTES + 24)


def _bytes(oracle: OracleType) -> int:
    return (oracle.length or 4000) * (BYTES_PER_CHARACTER if oracle.char_semantics else 1)


def _characters(oracle: OracleType) -> int:
    return oracle.length or 4000


def row_hashes(pairs: Sequence[tuple[Form, Form]]) -> tuple[str, str]:
    """SQL of a row's SHA-256 in hexadecimal digits, on the source and on the target, from its columns' forms."""
    groups: list[list[tuple[Form, Form]]] = []
    room = 0
    for pair in pairs:
        width = max(form.width for form in pair)
        if width > room:
            groups.append([])
            room = GROUP_BYTES
        groups[-1].append(pair)
        room -= width
    return (_hash_of_groups([[pair[0] for pair in group] for group in groups]), _hash_of_groups([[pair[1] for pair in g] for g in groups]))


def _hash_of_groups(groups: Iterable[Iterable[Form]]) -> str:
    hashes = [_sha256("||".join(form.text for form in group)) for group in groups]
    return hashes[0] if len(hashes) == 1 else _sha256("||".join(hashes))


def _sha256(text: str) -> str:
    return f"RAWTOHEX(STANDARD_HASH({text},'SHA256'))"


def slices(digest: str) -> tuple[int, int]:
    """The two numbers that a row adds to the sums of its range; as `sums` in SQL."""
    return int(digest[:SLICE_DIGITS], 16), int(digest[SLICE_DIGITS : 2 * SLICE_DIGITS], 16)


def sums(digest: str) -> str:
    """SQL of a range's sums over `digest`, a column of hashes. Their order does not matter, and they are exact NUMBERs."""
    mask = "X" * SLICE_DIGITS
    return ",".join(f"NVL(SUM(TO_NUMBER(SUBSTR({digest},{start},{SLICE_DIGITS}),'{mask}')),0)" for start in (1, SLICE_DIGITS + 1))

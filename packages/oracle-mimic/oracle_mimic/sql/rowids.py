"""ROWIDs: how a row's number becomes file, block and row, and how DuckDB carries the whole as one sortable HUGEINT.

A ROWID's 18 base-64 digits (6 object, 3 file, 6 block, 3 row) are read as one 108-bit number, so that number order is text order by
digit value, Oracle's own ROWID order. The hidden column `rid` holds the lower 72 bits (file, block, row), of which 63 are ever used.
"""

from __future__ import annotations

from oracle_mimic.errors import OracleError

OBJECT_SHIFT, FILE_SHIFT, BLOCK_SHIFT = 72, 54, 18
FILE_NUMBER = 4
ROWS_PER_BLOCK = 64
BLOCKS_PER_EXTENT = 128
BLOCK_SIZE_BYTES = 8192
ROWS_PER_EXTENT = ROWS_PER_BLOCK * BLOCKS_PER_EXTENT
EXTENT_SIZE_BYTES = BLOCKS_PER_EXTENT * BLOCK_SIZE_BYTES
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def rid_of(ordinal: int) -> int:
    """The `rid` of the n-th row (from 0) ever put in a segment."""
    return FILE_NUMBER << FILE_SHIFT | ordinal // ROWS_PER_BLOCK << BLOCK_SHIFT | ordinal % ROWS_PER_BLOCK


def ordinal_of(rid: int) -> int:
    """The inverse of `rid_of`."""
    return (rid >> BLOCK_SHIFT & (1 << 36) - 1) * ROWS_PER_BLOCK + (rid & (1 << BLOCK_SHIFT) - 1)


def rid_sql(ordinal: str) -> str:
    """DuckDB expression of `rid_of` over a BIGINT expression."""
    number = f"CAST({ordinal} AS BIGINT)"
    return f"({FILE_NUMBER << FILE_SHIFT} + (({number} // {ROWS_PER_BLOCK}) << {BLOCK_SHIFT}) + ({number} % {ROWS_PER_BLOCK}))"


def rowid_offset(data_object_id: int) -> int:
    """What to add to `rid` to get the ROWID as a HUGEINT."""
    return data_object_id << OBJECT_SHIFT


def to_text(rowid: int) -> str:
    """The 18 characters of a ROWID."""
    return "".join(_DIGITS[rowid >> shift & 63] for shift in range(102, -6, -6))


def from_text(text: str) -> int:
    """The number of a ROWID's 18 characters; ORA-01410 otherwise."""
    if len(text) != 18 or any(character not in _VALUES for character in text):
        raise OracleError(1410, "invalid ROWID")
    number = 0
    for character in text:
        number = number << 6 | _VALUES[character]
    return number

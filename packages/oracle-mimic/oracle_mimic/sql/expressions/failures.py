"""Oracle errors that come out of DuckDB: raised by our functions inside it, or its own in Oracle's words."""

from __future__ import annotations

import re

from oracle_mimic.errors import OracleError, refused

_MARKER = re.compile(r"ORA-(\d{5}): ([^\n\x1f]*)")
_NATIVE = (
    (re.compile(r"Overflow in|out of range|Out of Range", re.IGNORECASE), OracleError(1426, "numeric overflow")),
    (re.compile(r"Scalar subquery .*more than one row|More than one row returned by a subquery", re.IGNORECASE),
     OracleError(1427, "single-row subquery returns more than one row")),
    (re.compile(r"Max expression depth limit"), refused("an expression nested this deeply")),
)  # fmt: skip


def from_duckdb_error(error: BaseException) -> OracleError | None:
    """The Oracle error a DuckDB exception stands for, or None when it is not one of ours (a fault of the mimic)."""
    text = str(error)
    if found := _MARKER.search(text):
        return OracleError(int(found.group(1)), found.group(2).rstrip())
    for pattern, meaning in _NATIVE:
        if pattern.search(text):
            return OracleError(meaning.code, meaning.text)
    return None

"""ROWIDs as Oracle shows them, for SQL text that prints or reads one."""

from __future__ import annotations

import base64

from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.sql.rowids import from_text


@udf("HUGEINT", returns="VARCHAR")
def rowid_text(rowid: int) -> str:
    """The 18 digits: 108 bits in base 64, most significant first."""
    return base64.b64encode((int(rowid) << 4).to_bytes(14, "big"))[:18].decode("ascii")


@udf("VARCHAR", returns="HUGEINT")
def rowid_number(text: str) -> int:
    """The inverse; ORA-01410 for text that is no ROWID."""
    return from_text(text.rstrip(" "))


def encode_sql(sql: str) -> str:
    return f"ora_rowid_text({sql})"


def decode_sql(sql: str) -> str:
    return f"ora_rowid_number({sql})"

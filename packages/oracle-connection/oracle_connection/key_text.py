"""Key values as text in SQL: what prints a key column's value, and what reads the text back as a value of the column's own type.

The texts are those of docs/batch-contract.md, section 4, but times always have nine fractional digits (DATE has none). Because the
value has the column's own type, an index on the column is used. The session must be set up as `types.session_statement` does.
"""

from __future__ import annotations

from oracle_connection.types import CHARACTERS, ZONED, Kind, OracleType

SECOND_MASK = "'YYYY-MM-DD\"T\"HH24:MI:SS'"
FRACTION_MASK = "'YYYY-MM-DD\"T\"HH24:MI:SS.FF9'"
UTC_SUFFIX = "+00:00"
KEY_KINDS = CHARACTERS | ZONED | {Kind.NUMBER, Kind.FLOAT, Kind.DATE, Kind.TIMESTAMP, Kind.RAW}
"""Kinds that this module can print and read back."""


def text_of(oracle: OracleType, column: str) -> str:
    """SQL of the text of `column`, which is quoted already."""
    match oracle.kind:
        case Kind.NUMBER | Kind.FLOAT:
            return f"TO_CHAR({column},'TM9')"
        case Kind.DATE:
            return f"TO_CHAR({column},{SECOND_MASK})"
        case Kind.TIMESTAMP:
            return f"TO_CHAR({column},{FRACTION_MASK})"
        case Kind.TIMESTAMP_TZ | Kind.TIMESTAMP_LTZ:
            return f"TO_CHAR(SYS_EXTRACT_UTC({column}),{FRACTION_MASK})||'{UTC_SUFFIX}'"
        case Kind.RAW:
            return f"RAWTOHEX({column})"
        case _:
            return column


def value_of(oracle: OracleType, placeholder: str) -> str:
    """SQL of the value whose text, prepared by `bind_text`, is in the bind variable `placeholder`."""
    match oracle.kind:
        case Kind.NUMBER | Kind.FLOAT:
            return f"TO_NUMBER({placeholder})"
        case Kind.DATE:
            return f"TO_DATE({placeholder},{SECOND_MASK})"
        case Kind.TIMESTAMP:
            return f"TO_TIMESTAMP({placeholder},{FRACTION_MASK})"
        case Kind.TIMESTAMP_TZ:
            return f"FROM_TZ(TO_TIMESTAMP({placeholder},{FRACTION_MASK}),'{UTC_SUFFIX}')"
        case Kind.TIMESTAMP_LTZ:
            return f"CAST(FROM_TZ(TO_TIMESTAMP({placeholder},{FRACTION_MASK}),'{UTC_SUFFIX}') AS {oracle})"
        case Kind.RAW:
            return f"HEXTORAW({placeholder})"
        case Kind.CHAR:
            return f"CAST({placeholder} AS {oracle})"
        case Kind.NCHAR | Kind.NVARCHAR2:
            return f"CAST(TO_NCHAR({placeholder}) AS {oracle})"
        case _:
            return placeholder


def bind_text(oracle: OracleType, text: str) -> str:
    """The text as `value_of` reads it: an instant without its offset."""
    return text.removesuffix(UTC_SUFFIX) if oracle.kind in ZONED else text

"""Oracle's expressions as typed DuckDB text: literals, operators, conversions, conditions, functions.

Nothing here runs a query. `register` puts the Python functions that the text calls on a DuckDB connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oracle_mimic.sql.expressions import (
    date_arithmetic,
    date_reader,
    date_writer,
    functions_aggregate,
    functions_analytic,
    functions_date,
    functions_null,
    functions_number,
    functions_session,
    functions_text,
    number_bytes,
    number_mask,
    number_text,
    octets,
    random_values,
    regular_expressions,
    text_bytes,
    zones,
)
from oracle_mimic.sql.expressions.arithmetic import arithmetic, concat, negate
from oracle_mimic.sql.expressions.comparison import (
    between,
    case_when,
    comparable,
    compare,
    group_key,
    in_list,
    is_null,
    like,
    order_key,
)
from oracle_mimic.sql.expressions.conversion import assign, cast, common_carrier, common_type, convert, null_as
from oracle_mimic.sql.expressions.failures import from_duckdb_error
from oracle_mimic.sql.expressions.functions import call, is_aggregate, is_analytic
from oracle_mimic.sql.expressions.functions_aggregate import kept
from oracle_mimic.sql.expressions.intervals import literal_interval
from oracle_mimic.sql.expressions.literals import bind, literal_date, literal_string, literal_timestamp, null
from oracle_mimic.sql.expressions.numbers import float_constant, literal_number
from oracle_mimic.sql.expressions.output import to_output, to_python
from oracle_mimic.sql.expressions.registry import DEFINITIONS, Definition, arrow_function

# Imported for the functions they define.
_DEFINING = (
    date_arithmetic, date_reader, date_writer, functions_aggregate, functions_analytic, functions_date, functions_null,
    functions_number, functions_session, functions_text, number_bytes, number_mask, number_text, octets, random_values, regular_expressions,
    text_bytes, zones,
)  # fmt: skip


def register(connection: Any) -> None:
    """Define the Python functions on a DuckDB connection, once per database; cursors of the same database see them."""
    for definition in DEFINITIONS.values():
        define(connection, definition)


def define(connection: Any, definition: Definition) -> None:
    """Define one function."""
    connection.create_function(
        definition.name,
        arrow_function(definition),
        list(definition.parameters),
        definition.returns,
        type="arrow",
        null_handling="special",
        side_effects=definition.volatile,
    )


def scn_function(microseconds_of: Callable[[int], int]) -> Definition:
    """The function behind SCN_TO_TIMESTAMP of columns: from an SCN to microseconds since 1970, as one database's log has it."""
    return Definition("ora_moment_of_scn", ("BIGINT",), "BIGINT", microseconds_of, nulls=False, volatile=True)


__all__ = [
    "arithmetic", "assign", "between", "bind", "call", "case_when", "cast", "common_carrier", "common_type", "comparable", "compare",
    "concat", "convert", "define", "float_constant", "from_duckdb_error", "group_key", "in_list", "is_aggregate", "is_analytic",
    "is_null", "kept", "like", "literal_date", "literal_interval", "literal_number", "literal_string", "literal_timestamp", "negate",
    "null", "null_as", "order_key", "register", "scn_function", "to_output", "to_python",
]  # fmt: skip

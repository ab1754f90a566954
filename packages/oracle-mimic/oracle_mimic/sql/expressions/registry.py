"""Python functions inside DuckDB: a row-wise definition here, called with Arrow columns at run time.

A definition names the DuckDB types of its parameters and of its result. Rows with a NULL argument give NULL without a call,
unless it asks for them. `quick` gives it a way to answer most rows of a column at once. A failure is an `OracleError`, whose text
DuckDB passes on and `failures` reads back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

Function = TypeVar("Function", bound=Callable[..., Any])
Quick = Callable[[pa.Array], tuple[pa.Array, pa.Array]]
"""From a column to its results, and which of them are right (BOOLEAN, NULL rows are); the others are asked for row by row."""

_ARROW: dict[str, pa.DataType] = {
    "BLOB": pa.binary(),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "HUGEINT": pa.decimal128(38, 0),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "STRUCT(utc HUGEINT, tz VARCHAR)": pa.struct([("utc", pa.decimal128(38, 0)), ("tz", pa.string())]),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A function as DuckDB is told of it. `volatile`: called for every row (SYS_GUID), never folded."""

    name: str
    parameters: tuple[str, ...]
    returns: str
    function: Callable[..., Any]
    nulls: bool
    volatile: bool
    quick: Quick | None = None


DEFINITIONS: dict[str, Definition] = {}


def udf(
    *parameters: str, returns: str, nulls: bool = False, volatile: bool = False, quick: Quick | None = None
) -> Callable[[Function], Function]:
    """Make the decorated function callable from DuckDB text under its own name with `ora_` in front."""

    def define(function: Function) -> Function:
        name = "ora_" + function.__name__
        if name in DEFINITIONS:
            raise ValueError(f"two functions are called {name}")
        DEFINITIONS[name] = Definition(name, parameters, returns, function, nulls, volatile, quick)
        return function

    return define


def arrow_function(definition: Definition) -> Callable[..., pa.Array]:
    """The function over whole columns that DuckDB calls."""
    function, result = definition.function, _ARROW[definition.returns]

    def one(column: pa.ChunkedArray) -> pa.Array:
        return pa.array([None if value is None else function(value) for value in column.to_pylist()], result)

    def mostly_quick(column: pa.ChunkedArray) -> pa.Array:
        whole = column.combine_chunks()
        results, known = definition.quick(whole)  # type: ignore[misc] # chosen only when there is one
        if known.false_count == 0:
            return results
        slow = one(pa.chunked_array([whole.filter(pc.invert(known))]))
        return pc.replace_with_mask(results, pc.invert(known), slow)

    def many(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([None if any(value is None for value in row) else function(*row) for row in rows], result)

    def with_nulls(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([function(*row) for row in rows], result)

    chosen: Any = with_nulls if definition.nulls else mostly_quick if definition.quick else one if len(definition.parameters) == 1 else many
    names = [Parameter(f"p{index}", Parameter.POSITIONAL_ONLY) for index in range(len(definition.parameters))]
    chosen.__signature__ = Signature(names)  # DuckDB counts the parameters of what it is given
    function_over_columns: Callable[..., pa.Array] = chosen
    return function_over_columns

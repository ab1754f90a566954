"""What the tests of expressions share: Oracle expressions evaluated through the binder, each twice: as written, and over columns.

A literal may be folded while binding; the same value as a column of a derived table cannot. Both must agree with Oracle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from binder_bench import Bench
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BoundQuery, Nls
from oracle_mimic.types import Column


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.connection.close()


def value(bench: Bench, expression: str, *binds: Any, **nls: Any) -> Any:
    """The value of one Oracle expression."""
    bench.nls = Nls(**nls)
    return bench.rows(f"select {expression} from dual", *binds)[0][0]


def truth(bench: Bench, condition: str, *binds: Any, **nls: Any) -> str:
    """T, F or U for a condition that is true, false or unknown."""
    bench.nls = Nls(**nls)
    return bench.rows(f"select case when {condition} then 'T' when not ({condition}) then 'F' else 'U' end from dual", *binds * 2)[0][0]


def error_code(bench: Bench, expression: str, **nls: Any) -> int:
    """The ORA code with which an expression fails, while binding or running."""
    bench.nls = Nls(**nls)
    with pytest.raises(OracleError) as caught:
        bench.rows(f"select {expression} from dual")
    return caught.value.code


def described(bench: Bench, expression: str) -> Column:
    """What a describe tells of an expression."""
    bench.nls = Nls()
    bound = bench.bind(f"select {expression} from dual")
    assert isinstance(bound, BoundQuery)
    return bound.columns[0]

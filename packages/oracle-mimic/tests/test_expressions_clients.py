"""The tables of expressions through the driver: on the mimic, and on a real Oracle, which judges the tables themselves.

Left out: what depends on the test bench's clock, user or session, and what the mimic refuses by design (ORA-03001).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import oracledb
import pytest
from oracle_mimic.pytest_plugin import OracleTarget
from test_expressions_conditions import COMPARISON_ERRORS, TRUTHS
from test_expressions_dates import DATE_ERRORS, DATE_NUMBERS, DATE_READ_ERRORS, DATE_READS, DATE_VALUES, DATE_WRITES, INTERVAL_VALUES
from test_expressions_numbers import NUMBER_ERRORS, NUMBER_MODELS, NUMBER_TEXTS, NUMBER_VALUES
from test_expressions_text import REGULAR_EXPRESSIONS, TEXT_ERRORS, TEXT_VALUES

_BENCH_ONLY = ("sysdate", "systimestamp", "localtimestamp", "sys_context", "user")
_REFUSED = 3001


@pytest.fixture(scope="module")
def cursor(oracle_target: OracleTarget) -> Iterator[oracledb.Cursor]:
    with (
        oracledb.connect(user=oracle_target.user, password=oracle_target.password, dsn=oracle_target.dsn) as connection,
        connection.cursor() as cursor,
    ):
        connection.outputtypehandler = _exactly
        cursor.execute("alter session set time_zone = '+00:00' nls_date_format = 'DD-MON-RR'")
        yield cursor


def _exactly(cursor: oracledb.Cursor, metadata: oracledb.FetchInfo) -> Any:
    if metadata.type_code is oracledb.DB_TYPE_NUMBER:
        return cursor.var(Decimal, arraysize=cursor.arraysize)
    if metadata.type_code is oracledb.DB_TYPE_CLOB:
        return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
    return None


def fetched(cursor: oracledb.Cursor, expression: str) -> Any:
    return cursor.execute(f"select {expression} from dual").fetchone()[0]


def failed(cursor: oracledb.Cursor, expression: str) -> int:
    """The ORA code, 0 when there is a value."""
    try:
        fetched(cursor, expression)
    except oracledb.DatabaseError as error:
        return error.args[0].code
    return 0


def differences(cases: list[Any], found: Callable[[Any], Any], expected: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
    """Each case whose answer differs, with the answer."""
    usable = [case for case in cases if not any(word in str(case[0]) for word in _BENCH_ONLY)]
    assert len(usable) > len(cases) / 2
    answers = ((case, found(case)) for case in usable)
    return [(case, answer) for case, answer in answers if answer != expected(case)]


def as_clock(value: Any) -> str | None:
    if isinstance(value, datetime):
        text = value.isoformat(" ")
        return text.rstrip("0") if value.microsecond else text
    return value


def as_nanos(value: Any) -> int:
    if isinstance(value, oracledb.IntervalYM):
        return value.years * 12 + value.months
    return value // timedelta(microseconds=1) * 1000


def test_numbers(cursor: oracledb.Cursor) -> None:
    assert not differences(NUMBER_VALUES, lambda c: fetched(cursor, c[0]), lambda c: Decimal(c[1]))
    assert not differences(NUMBER_TEXTS, lambda c: fetched(cursor, f"to_char({c[0]})"), lambda c: c[1])
    models = [case for case in NUMBER_MODELS if case[2] is not None]
    assert not differences(models, lambda c: fetched(cursor, f"to_char({c[0]}, '{c[1]}')"), lambda c: c[2])


def test_text(cursor: oracledb.Cursor) -> None:
    assert not differences(TEXT_VALUES, lambda c: fetched(cursor, c[0]), lambda c: c[1])
    assert not differences(REGULAR_EXPRESSIONS, lambda c: fetched(cursor, c[0]), lambda c: c[1])


def test_dates(cursor: oracledb.Cursor) -> None:
    reads = [case for case in DATE_READS if case[2] is not None and case[2].startswith(("2024-02-", "2024-01-", "1999", "2049"))]
    assert not differences(reads, lambda c: as_clock(fetched(cursor, f"to_date('{c[0]}', '{c[1]}')")), lambda c: c[2])
    moment = "date '2024-03-05' + 47049/86400"
    assert not differences(DATE_WRITES, lambda c: fetched(cursor, f"to_char({moment}, '{c[0]}')"), lambda c: c[1])
    assert not differences(DATE_NUMBERS, lambda c: fetched(cursor, c[0]), lambda c: Decimal(c[1]))
    values = [case for case in DATE_VALUES if isinstance(case[1], str) and len(case[1]) <= len("2024-03-15 13:45:30.123456")]
    assert not differences(values, lambda c: as_clock(fetched(cursor, c[0])), lambda c: c[1])
    whole = [case for case in INTERVAL_VALUES if case[1] % 1000 == 0 or "year" in case[0]]
    assert not differences(whole, lambda c: as_nanos(fetched(cursor, c[0])), lambda c: c[1])


def test_conditions(cursor: oracledb.Cursor) -> None:
    def truth(condition: str) -> Any:
        return fetched(cursor, f"case when {condition} then 'T' when not ({condition}) then 'F' else 'U' end")

    assert not differences(TRUTHS, lambda c: truth(c[0]), lambda c: c[1])


def test_errors(cursor: oracledb.Cursor) -> None:
    cases = [case for case in (*NUMBER_ERRORS, *TEXT_ERRORS, *DATE_ERRORS) if case[1] not in (None, _REFUSED)]
    cases += [(f"to_date('{text}', '{mask}')", code) for text, mask, code in DATE_READ_ERRORS if code is not None]
    cases += [(f"case when {condition} then 1 end", code) for condition, code in COMPARISON_ERRORS]
    cases += [case for case in DATE_VALUES if isinstance(case[1], int)]
    assert not differences([c for c in cases if c[1] != _REFUSED], lambda c: failed(cursor, c[0]), lambda c: c[1])

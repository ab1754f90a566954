"""Functions over dates and intervals that DuckDB calls: days, months, scaling."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.date_mask import civil_from_days, days_from_civil, month_days
from oracle_mimic.sql.expressions.number_bytes import EXACT, decode, encode, quotient
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.sql.expressions.zones import NANOS

DAY_NANOS = 86400 * NANOS


def check_year(year: int) -> None:
    """ORA-01841 outside Oracle's years (0 is 1 BC)."""
    if not -4712 <= year <= 9999:
        raise OracleError(1841, "(full) year must be between -4713 and +9999, and not be 0")


@udf("BIGINT", returns="BLOB")
def days(seconds: int) -> bytes:
    """DATE - DATE."""
    whole, rest = divmod(seconds, 86400)
    return encode(Decimal(whole) if not rest else quotient(Decimal(seconds), Decimal(86400)))


@udf("BLOB", returns="HUGEINT")
def seconds_of_days(number: bytes) -> int:
    """Days as whole seconds, rounded half away from zero."""
    return int(EXACT.multiply(decode(number), Decimal(86400)).to_integral_value(rounding=ROUND_HALF_UP))


@udf("HUGEINT", "BIGINT", returns="HUGEINT")
def shift_months(nanos: int, months: int) -> int:
    """The same day and time of another month; ORA-01839 when that month has no such day."""
    day_number, rest = divmod(int(nanos), DAY_NANOS)
    year, month, day = civil_from_days(day_number)
    year, month = divmod(year * 12 + month - 1 + months, 12)
    check_year(year)
    if day > month_days(year, month + 1):
        raise OracleError(1839, "date not valid for month specified")
    return days_from_civil(year, month + 1, day) * DAY_NANOS + rest


@udf("HUGEINT", "BLOB", returns="HUGEINT")
def interval_times(value: int, factor: bytes) -> int:
    return int(EXACT.multiply(Decimal(int(value)), decode(factor)).to_integral_value(rounding=ROUND_HALF_UP))


@udf("HUGEINT", "BLOB", returns="HUGEINT")
def interval_divided(value: int, divisor: bytes) -> int:
    return int(quotient(Decimal(int(value)), decode(divisor)).to_integral_value(rounding=ROUND_HALF_UP))

"""Functions over dates and intervals that DuckDB calls: days, months, scaling."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from oracle_mimic.errors import OracleError
from oracle_mimic.number import from_text
from oracle_mimic.sql.expressions.calendar_names import names_of
from oracle_mimic.sql.expressions.date_mask import civil_from_days, days_from_civil, iso_week, month_days
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
    return from_text(str(whole)) if not rest else encode(quotient(Decimal(seconds), Decimal(86400)))


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


@udf("BIGINT", "BIGINT", returns="BIGINT")
def add_months(seconds: int, months: int) -> int:
    """ADD_MONTHS: the last day of a month stays the last; a day that the month lacks becomes its last."""
    day_number, rest = divmod(seconds, 86400)
    year, month, day = civil_from_days(day_number)
    last = day == month_days(year, month)
    year, month = divmod(year * 12 + month - 1 + months, 12)
    check_year(year)
    days_there = month_days(year, month + 1)
    return days_from_civil(year, month + 1, days_there if last else min(day, days_there)) * 86400 + rest


@udf("BIGINT", "BIGINT", returns="BLOB")
def months_between(first: int, second: int) -> bytes:
    """Whole months between equal days or last days; else the rest counts in 31sts of a month, with the time of day."""
    (a_days, a_rest), (b_days, b_rest) = divmod(first, 86400), divmod(second, 86400)
    (ay, am, ad), (by, bm, bd) = civil_from_days(a_days), civil_from_days(b_days)
    months = Decimal((ay - by) * 12 + am - bm)
    if ad == bd or (ad == month_days(ay, am) and bd == month_days(by, bm)):
        return encode(months)
    seconds = (ad - bd) * 86400 + a_rest - b_rest
    return encode(EXACT.add(months, quotient(Decimal(seconds), Decimal(31 * 86400))))


@udf("BIGINT", returns="BIGINT")
def last_day(seconds: int) -> int:
    day_number, rest = divmod(seconds, 86400)
    year, month, _ = civil_from_days(day_number)
    return days_from_civil(year, month, month_days(year, month)) * 86400 + rest


@udf("BIGINT", "VARCHAR", "VARCHAR", returns="BIGINT")
def next_day(seconds: int, day: str, language: str) -> int:
    """The next such weekday after the date; ORA-01846."""
    names = names_of(language)
    wanted = day.strip().upper()
    short = len(names.short_days[0])
    found = next((i for i, name in enumerate(names.short_days) if wanted[:short] == name.upper()), None)
    if found is None:
        raise OracleError(1846, "not a valid day of the week")
    today = (seconds // 86400 + 4) % 7
    return seconds + ((found - today - 1) % 7 + 1) * 86400


_YEARS = ("SYYYY", "YYYY", "YEAR", "SYEAR", "YYY", "YY", "Y")


@udf("BIGINT", "VARCHAR", returns="BIGINT")
def trunc_moment(seconds: int, unit: str) -> int:
    """TRUNC(date, unit); ORA-01899 for a unit that cannot be truncated to."""
    unit = unit.upper()
    day_number, rest = divmod(seconds, 86400)
    year, month, day = civil_from_days(day_number)
    if unit in ("DD", "DDD", "J"):
        result = day_number
    elif unit in ("MM", "MON", "MONTH", "RM"):
        result = day_number - day + 1
    elif unit == "Q":
        result = days_from_civil(year, (month - 1) // 3 * 3 + 1, 1)
    elif unit in _YEARS:
        result = days_from_civil(year, 1, 1)
    elif unit in ("CC", "SCC"):
        result = days_from_civil((year - 1) // 100 * 100 + 1, 1, 1)
    elif unit in ("IYYY", "IYY", "IY", "I"):
        january_4 = days_from_civil(iso_week(day_number)[0], 1, 4)
        result = january_4 - (january_4 + 3) % 7
    elif unit == "IW":
        result = day_number - (day_number + 3) % 7
    elif unit == "WW":
        result = day_number - (day_number - days_from_civil(year, 1, 1)) % 7
    elif unit == "W":
        result = day_number - (day - 1) % 7
    elif unit in ("DAY", "DY", "D"):
        result = day_number - (day_number + 4) % 7
    elif unit in ("HH", "HH12", "HH24"):
        return seconds - rest % 3600
    elif unit == "MI":
        return seconds - rest % 60
    else:
        raise (
            OracleError(1898, "too many precision specifiers")
            if unit in ("SS", "SSSSS")
            else OracleError(1821, "date format not recognized")
        )
    return result * 86400


@udf("BIGINT", "VARCHAR", returns="BIGINT")
def round_moment(seconds: int, unit: str) -> int:
    """ROUND(date, unit): months from the 16th on, years from July on, quarters from the 16th of their second month on."""
    unit = unit.upper()
    start = trunc_moment(seconds, unit)
    year, month, day = civil_from_days(seconds // 86400)
    if unit in ("HH", "HH12", "HH24"):
        return start + (3600 if seconds - start >= 1800 else 0)
    if unit == "MI":
        return start + (60 if seconds - start >= 30 else 0)
    if unit in ("DD", "DDD", "J"):
        return start + (86400 if seconds - start >= 43200 else 0)
    if unit in ("MM", "MON", "MONTH", "RM"):
        return start if day < 16 else _month_start(year, month + 1)
    if unit == "Q":
        first = (month - 1) // 3 * 3 + 1
        return start if (month, day) < (first + 1, 16) else _month_start(year, first + 3)
    if unit in _YEARS:
        return start if month < 7 else _month_start(year + 1, 1)
    if unit in ("CC", "SCC"):
        return start if (year - 1) % 100 < 50 else _month_start((year - 1) // 100 * 100 + 101, 1)
    if unit in ("IYYY", "IYY", "IY", "I"):
        return start if month < 7 else trunc_moment(_month_start(year + 1, 1) + 3 * 86400, "IYYY")
    return start + (7 * 86400 if seconds - start >= 7 * 43200 else 0)


def _month_start(year: int, month: int) -> int:
    return days_from_civil(year + (month - 1) // 12, (month - 1) % 12 + 1, 1) * 86400


@udf("BLOB", "VARCHAR", returns="HUGEINT")
def numtodsinterval(number: bytes, unit: str) -> int:
    """ORA-01760 for an unknown unit."""
    nanos = {"DAY": DAY_NANOS, "HOUR": 3600 * NANOS, "MINUTE": 60 * NANOS, "SECOND": NANOS}.get(unit.strip().upper())
    if nanos is None:
        raise OracleError(1760, "illegal argument for function")
    value = int(EXACT.multiply(decode(number), Decimal(nanos)).to_integral_value(rounding=ROUND_HALF_UP))
    if abs(value) >= 10**9 * DAY_NANOS:
        raise OracleError(1873, "the leading precision of the interval is too small")
    return value


@udf("BLOB", "VARCHAR", returns="INTEGER")
def numtoyminterval(number: bytes, unit: str) -> int:
    """Whole months, rounded; ORA-01760 for an unknown unit."""
    months = {"YEAR": 12, "MONTH": 1}.get(unit.strip().upper())
    if months is None:
        raise OracleError(1760, "illegal argument for function")
    value = int(EXACT.multiply(decode(number), Decimal(months)).to_integral_value(rounding=ROUND_HALF_UP))
    if abs(value) >= 2**31:
        raise OracleError(1873, "the leading precision of the interval is too small")
    return value

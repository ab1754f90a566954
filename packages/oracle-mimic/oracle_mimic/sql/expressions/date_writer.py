"""TO_CHAR of dates and timestamps: a format model applied to a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.calendar_names import Names, names_of
from oracle_mimic.sql.expressions.date_mask import (
    FRACTION,
    JULIAN_OF_1970,
    ZONED,
    Element,
    civil_from_days,
    days_from_civil,
    iso_week,
    parse_mask,
)
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.sql.expressions.zones import instant, offset_at, offset_text, zone

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


@dataclass(slots=True)
class Moment:
    """A clock reading: its calendar fields (year 0 is 1 BC), and the zone it was read in."""

    days: int
    year: int
    month: int
    day: int
    second_of_day: int
    nanos: int
    zone: str
    offset: int  # minutes


Writer = Callable[[Moment], str]


def _cased(name: str, text: str) -> str:
    """A name in the case in which its element was written: MONTH, Month, month."""
    if len(text) > 1 and text[0].isupper():
        return name.upper() if text[1].isupper() else name
    return name.upper() if text[0].isupper() else name.lower()


def _absolute_year(m: Moment) -> int:
    return m.year if m.year > 0 else 1 - m.year


def _century(m: Moment) -> int:
    return (_absolute_year(m) + 99) // 100


_NUMBERS: dict[str, tuple[int, Callable[[Moment], int]]] = {
    "YYYY": (4, _absolute_year),
    "RRRR": (4, _absolute_year),
    "YYY": (3, lambda m: _absolute_year(m) % 1000),
    "YY": (2, lambda m: _absolute_year(m) % 100),
    "RR": (2, lambda m: _absolute_year(m) % 100),
    "Y": (1, lambda m: _absolute_year(m) % 10),
    "IYYY": (4, lambda m: iso_week(m.days)[0]),
    "IYY": (3, lambda m: iso_week(m.days)[0] % 1000),
    "IY": (2, lambda m: iso_week(m.days)[0] % 100),
    "I": (1, lambda m: iso_week(m.days)[0] % 10),
    "IW": (2, lambda m: iso_week(m.days)[1]),
    "CC": (2, _century),
    "Q": (1, lambda m: (m.month + 2) // 3),
    "MM": (2, lambda m: m.month),
    "WW": (2, lambda m: (m.days - days_from_civil(m.year, 1, 1)) // 7 + 1),
    "W": (1, lambda m: (m.day - 1) // 7 + 1),
    "DDD": (3, lambda m: m.days - days_from_civil(m.year, 1, 1) + 1),
    "DD": (2, lambda m: m.day),
    "D": (1, lambda m: (m.days + 4) % 7 + 1),
    "J": (7, lambda m: m.days + JULIAN_OF_1970),
    "HH24": (2, lambda m: m.second_of_day // 3600),
    "HH12": (2, lambda m: (m.second_of_day // 3600 + 11) % 12 + 1),
    "HH": (2, lambda m: (m.second_of_day // 3600 + 11) % 12 + 1),
    "MI": (2, lambda m: m.second_of_day // 60 % 60),
    "SS": (2, lambda m: m.second_of_day % 60),
    "SSSSS": (5, lambda m: m.second_of_day),
}


def _ordinal(number: int) -> str:
    return "TH" if number // 10 % 10 == 1 else {1: "ST", 2: "ND", 3: "RD"}.get(number % 10, "TH")


def _number_writer(element: Element) -> Writer:
    width, value = _NUMBERS[element.name]
    width = width if element.fill else 0
    if element.ordinal:
        ending = str.upper if element.text[0].isupper() else str.lower
        return lambda m: f"{value(m):0{width}d}{ending(_ordinal(value(m)))}"
    return lambda m: f"{value(m):0{width}d}"


def _name_writer(element: Element, names: Names) -> Writer:
    name, text = element.name, element.text
    if name in ("MONTH", "MON"):
        table, width = (names.months, names.month_width) if name == "MONTH" else (names.short_months, 0)
        return lambda m: _cased(table[m.month - 1], text).ljust(width if element.fill else 0)
    if name in ("DAY", "DY"):
        table, width = (names.days, names.day_width) if name == "DAY" else (names.short_days, 0)
        return lambda m: _cased(table[(m.days + 4) % 7], text).ljust(width if element.fill else 0)
    return lambda m: _cased(_ROMAN[m.month - 1], text).ljust(4 if element.fill else 0)


def _meridian_writer(element: Element) -> Writer:
    dotted = "." in element.text
    if element.name in ("AM", "PM", "A.M.", "P.M."):
        words = ("A.M.", "P.M.") if dotted else ("AM", "PM")
        return lambda m: _cased(words[m.second_of_day >= 43200], element.text)
    words = ("B.C.", "A.D.") if dotted else ("BC", "AD")
    return lambda m: _cased(words[m.year > 0], element.text)


def _zone_abbreviation(m: Moment) -> str:
    rules = zone(m.zone)
    if not isinstance(rules, ZoneInfo):
        return ""
    return instant(m.days * 86400 + m.second_of_day - m.offset * 60).astimezone(rules).tzname() or ""


def _writer(element: Element, names: Names, digits: int, radix: str) -> Writer:
    name, fill = element.name, element.fill
    if name == "LITERAL":
        return lambda m: element.text
    if name in _NUMBERS:
        return _number_writer(element)
    if name in ("MONTH", "MON", "DAY", "DY", "RM"):
        return _name_writer(element, names)
    if name in ("AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C."):
        return _meridian_writer(element)
    if name == "SYYYY":
        return lambda m: f"{'-' if m.year <= 0 else ' ' if fill else ''}{_absolute_year(m):0{4 if fill else 0}d}"
    if name == "SCC":
        return lambda m: f"{'-' if m.year <= 0 else ' ' if fill else ''}{_century(m):0{2 if fill else 0}d}"
    if name == "Y,YYY":
        return lambda m: f"{_absolute_year(m) // 1000},{_absolute_year(m) % 1000:03d}"
    if fraction := FRACTION.fullmatch(name):
        count = int(fraction.group(1) or digits)
        return lambda m: f"{m.nanos:09d}"[:count]
    if name == "X":
        return lambda m: radix
    return {
        "TZH": lambda m: f"{'-' if m.offset < 0 else '+'}{abs(m.offset) // 60:02d}",
        "TZM": lambda m: f"{abs(m.offset) % 60:02d}",
        "TZR": lambda m: m.zone,
        "TZD": _zone_abbreviation,
    }[name]


@lru_cache(maxsize=1024)
def writers(mask: str, language: str, digits: int, radix: str) -> tuple[Writer, ...]:
    """One function per element. digits: of the type's fractional seconds, -1 for DATE, which has neither fraction nor zone."""
    elements = parse_mask(mask)
    if digits < 0 and any(FRACTION.fullmatch(e.name) or e.name in ZONED for e in elements):
        raise OracleError(1821, "date format not recognized")
    names = names_of(language)
    return tuple(_writer(element, names, digits, radix) for element in elements)


@udf("BIGINT", "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", returns="VARCHAR")
def format_moment(seconds: int, nanos: int, zone_text: str, mask: str, language: str, digits: int, radix: str) -> str | None:  # noqa: PLR0917 - DuckDB calls by position
    """A clock reading by a mask; seconds and nanoseconds since 1970 on that clock; zone '' for types without one.

    For a value with a zone the seconds are UTC.
    """
    parts = writers(mask, language, digits, radix)
    offset = offset_at(zone_text, seconds) if zone_text else 0
    days, second_of_day = divmod(seconds + offset * 60, 86400)
    year, month, day = civil_from_days(days)
    moment = Moment(days, year, month, day, second_of_day, nanos, zone_text or offset_text(0), offset)
    return "".join([part(moment) for part in parts]) or None

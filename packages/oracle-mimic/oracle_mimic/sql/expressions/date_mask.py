"""A date format model as a list of elements; the calendar arithmetic its reader and its writer share.

Source: Oracle's SQL Language Reference, "Datetime Format Models". What is refused: spelled numbers (SP), years in words, and the
territory's own DL, DS and TS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from oracle_mimic.errors import OracleError, refused

_ELEMENTS = (
    "Y,YYY", "SYYYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "IW", "I", "RRRR", "RR", "RM", "MONTH", "MON", "MM", "MI",
    "DDD", "DD", "DAY", "DY", "DL", "DS", "D", "HH24", "HH12", "HH", "SSSSS", "SS", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "FF7",
    "FF8", "FF9", "FF", "FM", "FX", "AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C.", "SCC", "CC", "Q", "WW", "W", "J",
    "TZH", "TZM", "TZR", "TZD", "TS", "X", "SYEAR", "YEAR", "EE", "E",
)  # fmt: skip
_REFUSED = {"SYEAR", "YEAR", "EE", "E", "DL", "DS", "TS"}
_TOKEN = re.compile(
    r'(?P<quoted>"[^"]*"?)|(?P<element>' + "|".join(re.escape(e) for e in sorted(_ELEMENTS, key=len, reverse=True)) + r")|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_SUFFIX = re.compile(r"(TH|SPTH|THSP|SP)", re.IGNORECASE)
NUMERIC = {
    "SYYYY", "YYYY", "YYY", "YY", "Y", "Y,YYY", "IYYY", "IYY", "IY", "I", "IW", "RRRR", "RR", "MM", "MI", "DDD", "DD", "D", "HH24",
    "HH12", "HH", "SSSSS", "SS", "SCC", "CC", "Q", "WW", "W", "J",
}  # fmt: skip
FRACTION = re.compile(r"FF([1-9])?")
ZONED = {"TZH", "TZM", "TZR", "TZD"}


@dataclass(frozen=True, slots=True)
class Element:
    """One part of a mask. name: upper case, or LITERAL (`text` is what to print); text: as written, its case matters.

    fill: FM is off here, so that numbers have leading zeros and names are padded; exact: FX is on.
    """

    name: str
    text: str
    fill: bool = True
    exact: bool = False
    ordinal: bool = False


@lru_cache(maxsize=1024)
def parse_mask(mask: str) -> tuple[Element, ...]:
    """ORA-01821 for what is not a format element."""
    elements: list[Element] = []
    fill, exact = True, False
    position = 0
    while position < len(mask):
        found = _TOKEN.match(mask, position)
        if found is None:
            raise OracleError(1821, "date format not recognized")
        position = found.end()
        if found.lastgroup == "quoted":
            elements.append(Element("LITERAL", found.group().strip('"'), fill, exact))
            continue
        if found.lastgroup == "other":
            if found.group().isalnum():
                raise OracleError(1821, "date format not recognized")
            elements.append(Element("LITERAL", found.group(), fill, exact))
            continue
        name = found.group().upper()
        if name in _REFUSED:
            raise refused(f"date format element {name}")
        if name == "FM":
            fill = not fill
            continue
        if name == "FX":
            exact = not exact
            continue
        suffix = _SUFFIX.match(mask, position) if name in NUMERIC else None
        if suffix:
            if suffix.group().upper() != "TH":
                raise refused("date format element SP")
            position = suffix.end()
        elements.append(Element(name, found.group(), fill, exact, suffix is not None))
    return tuple(elements)


def mask_names(mask: str) -> set[str]:
    """The upper-case names of a mask's elements."""
    return {element.name for element in parse_mask(mask)}


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year (0 = 1 BC), month, day of the proleptic Gregorian calendar from days since 1970-01-01."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def iso_week(days: int) -> tuple[int, int]:
    """ISO year and week."""
    weekday = (days + 3) % 7  # Monday = 0
    thursday = days - weekday + 3
    year = civil_from_days(thursday)[0]
    return year, (thursday - days_from_civil(year, 1, 1)) // 7 + 1


JULIAN_OF_1970 = 2440588
LAST_JULIAN_DAY = 5373484  # 31 December 9999

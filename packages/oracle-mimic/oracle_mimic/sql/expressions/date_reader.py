"""TO_DATE and TO_TIMESTAMP: text read by a format model, with Oracle's leniency and Oracle's errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.calendar_names import Names, names_of
from oracle_mimic.sql.expressions.date_mask import (
    FRACTION,
    JULIAN_OF_1970,
    LAST_JULIAN_DAY,
    NUMERIC,
    Element,
    civil_from_days,
    days_from_civil,
    is_leap,
    month_days,
    parse_mask,
)
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.sql.expressions.zones import NANOS, canonical, offset_of_local, offset_text

_OUTPUT_ONLY = {"Q", "WW", "W", "IW", "IYYY", "IYY", "IY", "I", "CC", "SCC"}
_TIME = {"HH24", "HH12", "HH", "MI", "SS", "SSSSS", "X", "AM", "PM", "A.M.", "P.M.", "TZH", "TZM", "TZR", "TZD", "LITERAL"}
_WIDTH = {"SYYYY": 4, "YYYY": 4, "RRRR": 4, "YYY": 3, "YY": 2, "RR": 2, "Y": 1, "MM": 2, "DD": 2, "DDD": 3, "D": 1, "HH24": 2, "HH12": 2,
          "HH": 2, "MI": 2, "SS": 2, "SSSSS": 5, "J": 7}  # fmt: skip
_YEARS = {"SYYYY", "YYYY", "RRRR", "YYY", "YY", "RR", "Y", "Y,YYY"}
_MONTHS = {"MM", "MON", "MONTH", "RM"}
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ALPHABETIC = {"MON", "MONTH", "DAY", "DY", "RM", "AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C."}
_REGION = re.compile(r"[+-]?\d{1,2}:\d{2}|[A-Za-z][A-Za-z0-9_+\-/]*")
_MERIDIAN = re.compile(r"([AP])\.?M\.?", re.IGNORECASE)
_ERA = re.compile(r"(AD|A\.D\.|BC|B\.C\.)", re.IGNORECASE)
_RANGES = {
    "HH24": (0, 23, 1850, "hour must be between 0 and 23"),
    "HH12": (1, 12, 1849, "hour must be between 1 and 12"),
    "HH": (1, 12, 1849, "hour must be between 1 and 12"),
    "MI": (0, 59, 1851, "minutes must be between 0 and 59"),
    "SS": (0, 59, 1852, "seconds must be between 0 and 59"),
    "SSSSS": (0, 86399, 1853, "seconds in day must be between 0 and 86399"),
    "MM": (1, 12, 1843, "not a valid month"),
    "DD": (1, 31, 1847, "day of month must be between 1 and last day of month"),
    "DDD": (1, 366, 1848, "day of year must be between 1 and 365 (366 for leap year)"),
    "D": (1, 7, 1846, "not a valid day of the week"),
}


@dataclass(slots=True)
class Reading:
    """What was found in the text, by group of elements."""

    values: dict[str, int] = field(default_factory=dict)
    nanos: int = 0
    afternoon: bool | None = None
    before_christ: bool = False
    zone: str | None = None
    zone_sign: int = 1
    zone_hours: int | None = None
    zone_minutes: int = 0


def _year_error() -> OracleError:
    return OracleError(1841, "(full) year must be between -4713 and +9999, and not be 0")


@lru_cache(maxsize=1024)
def input_elements(mask: str) -> tuple[Element, ...]:
    """The mask, checked for input: ORA-01820, ORA-01810, ORA-01818."""
    elements = parse_mask(mask)
    seen: set[str] = set()
    for element in elements:
        if element.name in _OUTPUT_ONLY:
            raise OracleError(1820, "format code cannot appear in date input format")
        if element.name != "LITERAL":
            group = _group(element.name)
            if group in seen:
                raise OracleError(1810, "format code appears twice")
            seen.add(group)
    if "HH24" in seen and "MERIDIAN" in seen:
        raise OracleError(1818, "'HH24' precludes use of meridian indicator")
    return elements


def _group(name: str) -> str:
    if name in _YEARS:
        return "YEAR"
    if name in _MONTHS:
        return "MONTH"
    if name in ("AM", "PM", "A.M.", "P.M."):
        return "MERIDIAN"
    if name in ("AD", "BC", "A.D.", "B.C."):
        return "ERA"
    return "HH12" if name == "HH" else "FF" if FRACTION.fullmatch(name) else name


class _Reader:
    """Walks the text by the mask's elements."""

    def __init__(self, text: str, names: Names, radix: str) -> None:
        self.text = text.rstrip(" ")
        self.at = 0
        self.names = names
        self.radix = radix
        self.reading = Reading()

    def read(self, elements: tuple[Element, ...]) -> Reading:
        for index, element in enumerate(elements):
            if not element.exact and element.name != "LITERAL":
                self._skip_blanks()
            if self.at >= len(self.text):
                self._end_early(elements[index:])
                break
            if element.name == "LITERAL":
                self._literal(element, elements[index + 1 :])
            else:
                self._element(element)
        if self.at < len(self.text):
            raise OracleError(1830, "date format picture ends before converting entire input string")
        return self.reading

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def _end_early(self, rest: tuple[Element, ...]) -> None:
        """Elements of the time may be left out at the end of the text, elements of the date may not."""
        for element in rest:
            if (element.exact and element.name != "LITERAL") or (element.name not in _TIME and not FRACTION.fullmatch(element.name)):
                raise OracleError(1840, "input value not long enough for date format")

    def _literal(self, element: Element, rest: tuple[Element, ...]) -> None:
        wanted = element.text
        if element.exact or any(character.isalnum() for character in wanted):
            if self.text[self.at : self.at + len(wanted)] != wanted:
                raise OracleError(1861, "literal does not match format string")
            self.at += len(wanted)
            return
        for character in wanted:
            if character == " ":
                self._skip_blanks_or_mark()
                continue
            self._skip_blanks()
            here = self.text[self.at : self.at + 1]
            if here and not here.isalnum() and not (here in "+-" and self._zone_follows(rest)):
                self.at += 1
            elif here and not self._fits(here, rest):
                raise OracleError(1861, "literal does not match format string")

    def _skip_blanks_or_mark(self) -> None:
        """A blank in the mask stands for blanks, for one punctuation mark, or for nothing."""
        start = self.at
        self._skip_blanks()
        here = self.text[self.at : self.at + 1]
        if self.at == start and here and not here.isalnum() and here not in "+-.":
            self.at += 1

    @staticmethod
    def _zone_follows(rest: tuple[Element, ...]) -> bool:
        return bool(rest) and rest[0].name in ("TZH", "TZR", "SYYYY")

    @staticmethod
    def _fits(character: str, rest: tuple[Element, ...]) -> bool:
        """Punctuation of the mask may be missing in the text when what follows is of the next element's sort."""
        for element in rest:
            if element.name != "LITERAL":
                return character.isalpha() if element.name in _ALPHABETIC else True
        return False

    def _element(self, element: Element) -> None:
        name = element.name
        if name in ("MON", "MONTH") or (name == "MM" and self.text[self.at].isalpha()):
            self.reading.values["MM"] = self._month_name()
        elif name == "RM":
            self.reading.values["MM"] = self._one_of(_ROMAN, (), 1843, "not a valid month") + 1
        elif name in ("DAY", "DY"):
            days = self._one_of(self.names.days, self.names.short_days, 1846, "not a valid day of the week")
            self.reading.values["D"] = days + 1
        elif name in _YEARS:
            self._year(element)
        elif name in NUMERIC:
            self._number(element)
        elif FRACTION.fullmatch(name):
            self._fraction(int(name[2:] or 9))
        elif name == "X":
            if self.text[self.at] not in (".", self.radix):
                raise OracleError(1861, "literal does not match format string")
            self.at += 1
        else:
            self._word(name)

    def _month_name(self) -> int:
        return self._one_of(self.names.months, self.names.short_months, 1843, "not a valid month") + 1

    def _one_of(self, full: tuple[str, ...], short: tuple[str, ...], code: int, text: str) -> int:
        rest = self.text[self.at :].upper()
        for table in (full, short):
            for index in sorted(range(len(table)), key=lambda i: -len(table[i])):
                if rest.startswith(table[index].upper()):
                    self.at += len(table[index])
                    return index
        raise OracleError(code, text)

    def _digits(self, width: int, *, exact: bool = False, code: int = 1858) -> int:
        start = self.at
        while self.at < len(self.text) and self.at - start < width and self.text[self.at] in "0123456789":
            self.at += 1
        if self.at == start:
            if code == 1841:
                raise _year_error()
            raise OracleError(1858, "a non-numeric character was found where a numeric was expected")
        if exact and self.at - start < width:
            raise OracleError(1862, "the numeric value does not match the length of the format item")
        return int(self.text[start : self.at])

    def _number(self, element: Element) -> None:
        value = self._digits(_WIDTH[element.name], exact=element.exact and element.fill)
        low, high, code, text = _RANGES.get(element.name, (0, 9999999, 0, ""))
        if not low <= value <= high:
            raise OracleError(code, text)
        self.reading.values["HH12" if element.name == "HH" else element.name] = value

    def _year(self, element: Element) -> None:
        name, width = element.name, _WIDTH.get(element.name, 5)
        negative = False
        if name == "SYYYY" and self.text[self.at] in "+-":
            negative = self.text[self.at] == "-"
            self.at += 1
        if name in ("YY", "RR") and not element.exact and re.match(r"\d{4}(?!\d)", self.text[self.at :]):
            name, width = "YYYY", 4
        start = self.at
        if name == "Y,YYY":
            thousands = self._digits(1, code=1841)
            if self.text[self.at : self.at + 1] == ",":
                self.at += 1
            value, name = thousands * 1000 + self._digits(3, code=1841), "YYYY"
        else:
            value = self._digits(width, exact=element.exact and element.fill, code=1841)
        if name == "RRRR":
            name = "RR" if self.at - start <= 2 else "YYYY"
        if name in ("YYYY", "SYYYY"):
            if value == 0:
                raise _year_error()
            self.reading.values["YYYY"] = -value if negative else value
        else:
            self.reading.values[name] = value

    def _fraction(self, width: int) -> None:
        start = self.at
        self._digits(width)
        self.reading.nanos = int(self.text[start : self.at].ljust(9, "0"))

    def _word(self, name: str) -> None:
        reading = self.reading
        if _group(name) == "MERIDIAN":
            found = _MERIDIAN.match(self.text, self.at)
            if not found:
                raise OracleError(1855, "AM/A.M. or PM/P.M. required")
            reading.afternoon = found.group(1).upper() == "P"
            self.at = found.end()
        elif _group(name) == "ERA":
            found = _ERA.match(self.text, self.at)
            if not found:
                raise OracleError(1856, "BC/B.C. or AD/A.D. required")
            reading.before_christ = found.group(1).upper().startswith("B")
            self.at = found.end()
        elif name == "TZH":
            sign = -1 if self.text[self.at] == "-" else 1
            self.at += self.text[self.at] in "+-"
            hours = self._digits(2)
            if hours > 15:
                raise OracleError(1874, "time zone hour must be between -15 and 15")
            reading.zone_sign, reading.zone_hours = sign, hours
        elif name == "TZM":
            minutes = self._digits(2)
            if minutes > 59:
                raise OracleError(1875, "time zone minute must be between -59 and 59")
            reading.zone_minutes = minutes
        else:  # TZR, TZD
            found = _REGION.match(self.text, self.at)
            if not found:
                raise OracleError(1882, "timezone region not found")
            self.at = found.end()
            if name == "TZR":
                reading.zone = canonical(found.group())

    def zone(self) -> str | None:
        """The zone that was read, None when there was none."""
        reading = self.reading
        if reading.zone is not None:
            return reading.zone
        if reading.zone_hours is None:
            return None
        return offset_text(reading.zone_sign * (reading.zone_hours * 60 + reading.zone_minutes))


def _full_year(values: dict[str, int], this_year: int) -> int:
    if "YYYY" in values:
        return values["YYYY"]
    if "RR" in values:
        two, century = values["RR"], this_year // 100
        if two < 50:
            return (century + (this_year % 100 >= 50)) * 100 + two
        return (century - (this_year % 100 < 50)) * 100 + two
    for name, modulus in (("YYY", 1000), ("YY", 100), ("Y", 10)):
        if name in values:
            return this_year // modulus * modulus + values[name]
    return this_year


def _day_number(reading: Reading, today: int) -> int:
    """Days since 1970 of what was read; `today` is year * 12 + month - 1 of the present, for what was not."""
    values = reading.values
    if "J" in values:
        if not 1 <= values["J"] <= LAST_JULIAN_DAY:
            raise OracleError(1854, f"julian date must be between 1 and {LAST_JULIAN_DAY}")
        return values["J"] - JULIAN_OF_1970
    year = _full_year(values, today // 12)
    if not -4713 <= year <= 9999:
        raise _year_error()
    if reading.before_christ:
        year = 1 - year
    elif year < 0:
        year += 1
    if "DDD" in values:
        if values["DDD"] > (366 if is_leap(year) else 365):
            raise OracleError(1848, "day of year must be between 1 and 365 (366 for leap year)")
        days = days_from_civil(year, 1, 1) + values["DDD"] - 1
        if "MM" in values and civil_from_days(days)[1] != values["MM"]:
            raise OracleError(1833, "month conflicts with Julian date")
    else:
        month, day = values.get("MM", today % 12 + 1), values.get("DD", 1)
        if day > month_days(year, month):
            raise OracleError(1839, "date not valid for month specified")
        days = days_from_civil(year, month, day)
    if "D" in values and (days + 4) % 7 + 1 != values["D"]:
        raise OracleError(1835, "day of week conflicts with Julian date")
    return days


def _second_of_day(reading: Reading) -> int:
    values = reading.values
    hour = values.get("HH24")
    if hour is None and "HH12" in values:
        hour = values["HH12"] % 12 + (12 if reading.afternoon else 0)
    if "SSSSS" in values:
        return values["SSSSS"]
    return (hour or 0) * 3600 + values.get("MI", 0) * 60 + values.get("SS", 0)


@lru_cache(maxsize=8192)
def _read(text: str, mask: str, language: str, today: int, radix: str) -> tuple[int, str | None]:
    reader = _Reader(text, names_of(language), radix)
    reading = reader.read(input_elements(mask))
    seconds = _day_number(reading, today) * 86400 + _second_of_day(reading)
    return seconds * NANOS + reading.nanos, reader.zone()


@udf("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", returns="HUGEINT")
def parse_moment(text: str, mask: str, language: str, today: int, radix: str) -> int:
    """Nanoseconds since 1970 on the clock that the text shows; a zone in it is read and ignored."""
    return _read(text, mask, language, today, radix)[0]


@udf("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", "VARCHAR", returns="STRUCT(utc HUGEINT, tz VARCHAR)")
def parse_moment_tz(text: str, mask: str, language: str, today: int, radix: str, session_zone: str) -> dict[str, object]:  # noqa: PLR0917 - DuckDB calls by position
    """The instant and the zone; the session's zone when the text has none."""
    nanos, zone = _read(text, mask, language, today, radix)
    zone = zone or canonical(session_zone)
    return {"utc": nanos - offset_of_local(zone, nanos // NANOS) * 60 * NANOS, "tz": zone}


def needs_today(mask: str) -> bool:
    """True when a mask does not give both year and month in full."""
    names = {element.name for element in parse_mask(mask)}
    return "J" not in names and not (names & {"YYYY", "SYYYY", "Y,YYY"} and names & (_MONTHS | {"DDD"}))

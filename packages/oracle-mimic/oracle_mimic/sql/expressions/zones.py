"""Time zones: offsets and region names to minutes from UTC, as Oracle reads them.

A zone is text: `+02:00` or a region name. A local time that a region has twice is its standard time; one that it never has is
ORA-01878.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.registry import udf

NANOS = 1_000_000_000
_OFFSET = re.compile(r"\s*([+-])?(\d{1,2}):(\d{1,2})\s*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62135596800, 253402300799  # the seconds that Python's datetime covers


def offset_minutes(text: str) -> int | None:
    """Minutes of an offset like `-03:00`; None for a region name; ORA-01874 or ORA-01875 for an impossible offset."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    hours, minutes = int(found.group(2)), int(found.group(3))
    if hours > 15:
        raise OracleError(1874, "time zone hour must be between -15 and 15")
    if minutes > 59:
        raise OracleError(1875, "time zone minute must be between -59 and 59")
    total = hours * 60 + minutes
    return -total if found.group(1) == "-" else total


def offset_text(minutes: int) -> str:
    """`+02:00` for 120."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@lru_cache(maxsize=256)
def zone(text: str) -> int | ZoneInfo:
    """Minutes, or the rules of a region; ORA-01882 for an unknown region."""
    minutes = offset_minutes(text)
    if minutes is not None:
        return minutes
    name = text.strip()
    for spelling in (name, name.upper(), name.title(), "/".join(part.title() for part in name.split("/"))):
        try:
            return ZoneInfo(spelling)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise OracleError(1882, "timezone region not found")


def canonical(text: str) -> str:
    """The zone as it is stored: offsets with two digits, regions as written; checks that it exists."""
    found = zone(text)
    return offset_text(found) if isinstance(found, int) else found.key


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as a datetime, held within the years Python knows (zone rules do not change outside them)."""
    return _EPOCH + timedelta(seconds=min(max(seconds, _FIRST + 86400), _LAST - 86400))


def offset_at(text: str, utc_seconds: int) -> int:
    """Minutes from UTC of a zone at a moment."""
    rules = zone(text)
    if isinstance(rules, int):
        return rules
    offset = instant(utc_seconds).astimezone(rules).utcoffset()
    return int((offset or timedelta()).total_seconds() // 60)


def offset_of_local(text: str, local_seconds: int) -> int:
    """Minutes from UTC of a zone at a local clock time."""
    rules = zone(text)
    if isinstance(rules, int):
        return rules
    wall = instant(local_seconds).replace(tzinfo=rules)
    early, late = (wall.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    if early < late and wall.astimezone(UTC).astimezone(rules).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise OracleError(1878, "specified field not found in datetime or interval")
    return int(min(early, late).total_seconds() // 60)


@udf("BIGINT", "VARCHAR", returns="INTEGER")
def zone_offset(utc_seconds: int, text: str) -> int:
    """Minutes from UTC."""
    return offset_at(text, utc_seconds)


@udf("BIGINT", "VARCHAR", returns="INTEGER")
def local_offset(local_seconds: int, text: str) -> int:
    """Minutes from UTC of a local clock time."""
    return offset_of_local(text, local_seconds)


@udf("VARCHAR", returns="VARCHAR")
def zone_name(text: str) -> str:
    return canonical(text)


@udf("VARCHAR", "BIGINT", returns="VARCHAR")
def zone_offset_text(text: str, utc_seconds: int) -> str:
    """TZ_OFFSET."""
    return offset_text(offset_at(text, utc_seconds))

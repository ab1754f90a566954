"""Replication keys as values: their text in state and messages, their smallest unit, their arithmetic, and how they are bound.

A key's text is its RECORD form (docs/batch-contract.md, section 4), so state, windows and rows are comparable by eye. Nothing here
talks to a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from oracle_connection.errors import ConfigurationError
from oracle_connection.types import CHARACTERS, TIMESTAMPS, ZONED, Kind, OracleType
from oracle_connection.values import to_json

if TYPE_CHECKING:
    import oracledb

MICROSECOND_DIGITS = 6
REPEATED_HOUR = timedelta(hours=1)
DST_SEARCH = timedelta(hours=3)
QUARTER = timedelta(minutes=15)
"""Zones change their offset at whole quarters of an hour, and never by more than DST_SEARCH at once."""

NUMERIC = frozenset({Kind.NUMBER, Kind.FLOAT})
KEY_KINDS = frozenset({Kind.DATE, *TIMESTAMPS, *NUMERIC, Kind.CHAR, Kind.VARCHAR2})


@dataclass(frozen=True, slots=True)
class ReplicationKey:
    """A replication key column.

    is_clock: the key tells when the row was changed; then a horizon makes late commits safe. Else only the look-back does.
    zone: of the clock that sets a key without a zone of its own; None when it is the server's, known by its offset only.
    """

    column: str
    type: OracleType
    is_clock: bool
    zone: tzinfo | None = UTC

    @property
    def is_time(self) -> bool:
        """True for dates and timestamps."""
        return self.type.kind is Kind.DATE or self.type.kind in TIMESTAMPS

    @property
    def unit(self) -> timedelta:
        """The smallest step of a time key, at least a microsecond: what rounding may have moved a value by."""
        digits = 0 if self.type.kind is Kind.DATE else min(self.type.scale or 0, MICROSECOND_DIGITS)
        return timedelta(microseconds=10 ** (MICROSECOND_DIGITS - digits))

    def round_down(self, moment: datetime) -> datetime:
        """The greatest key value not after `moment`."""
        step = self.unit // timedelta(microseconds=1)
        if step >= 1_000_000:
            return moment.replace(microsecond=0)
        return moment.replace(microsecond=moment.microsecond // step * step)

    def parse(self, text: str) -> Any:
        """A value from its text: datetime (naive clock fields; an instant in UTC for zoned keys), Decimal or str."""
        if self.is_time:
            head, dot, fraction = text.removesuffix("+00:00").partition(".")
            return datetime.fromisoformat(f"{head}.{fraction[:MICROSECOND_DIGITS]}" if dot else head)
        return Decimal(text) if self.type.kind in NUMERIC else text

    def format(self, value: Any) -> str:
        """The text of a value, as RECORD messages show it."""
        if not self.is_time:
            return str(value)
        if self.type.kind is Kind.DATE:
            return str(value.isoformat(timespec="seconds"))
        text = value.isoformat(timespec="microseconds")
        if (self.type.scale or 0) > MICROSECOND_DIGITS:
            text += "000"
        return f"{text}+00:00" if self.type.kind in ZONED else str(text)

    def clock_reading(self, instant: datetime, server_offset: timedelta) -> datetime:
        """The earliest reading of the key's clock at or after `instant` (naive, UTC): what a change from then on is stamped with.

        In a zone with daylight saving the clock is set back once a year; a reading taken before that must not hide the hour that
        comes again, so changes of the offset in the next hours are looked for. A server's zone is known by its offset only, so the
        hour is always allowed for.
        """
        if self.type.kind in ZONED:
            return instant
        if self.zone is None:
            return instant + server_offset - REPEATED_HOUR
        readings = [_reading(instant, self.zone)]
        quarter = instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0) + QUARTER
        while quarter <= instant + DST_SEARCH:
            readings.append(_reading(quarter, self.zone))
            quarter += QUARTER
        return min(readings)

    def bookmark_at(self, instant: datetime, server_offset: timedelta) -> datetime:
        """From which key value on the next run must read when everything changed before `instant` has been seen.

        One unit is taken off after rounding down: DATE and TIMESTAMP(0) keys may have been rounded as they were stored.
        """
        return self.round_down(self.clock_reading(instant, server_offset)) - self.unit

    def look_back(self, value: Any, seconds: int, units: int) -> Any:
        """A key value further back, by seconds for times and by units for numbers; text keys have no arithmetic."""
        if self.is_time:
            try:
                return value - timedelta(seconds=seconds)
            except OverflowError:
                return datetime.min  # noqa: DTZ901 - clock fields without a zone, as the key has
        if self.type.kind in NUMERIC:
            with localcontext() as context:
                context.prec = 60
                return value - units
        return value

    def maximum(self, column: pa.Array) -> str | None:
        """The text of the greatest value of a column of rows; None when all are NULL."""
        if column.null_count == len(column):
            return None
        if self.type.kind in NUMERIC and pa.types.is_string(column.type):  # text sorts otherwise than the numbers it spells
            return str(max(Decimal(text) for text in column.to_pylist() if text is not None))
        import pyarrow.compute as pc  # a tenth of a second that a run without rows need not spend

        greatest = pa.array([pc.max(column).as_py()], column.type)
        return str(to_json(greatest, self.type)[0])

    def bind(self, cursor: oracledb.Cursor, text: str) -> Any:
        """A bind variable of the column's own type, so that an index on it is used and its statistics apply.

        A Python datetime alone would be bound as DATE and lose its fraction.
        """
        import oracledb

        value = self.parse(text)
        if self.type.kind is Kind.DATE:
            kind = oracledb.DB_TYPE_DATE
        elif self.type.kind is Kind.TIMESTAMP_TZ:
            kind = oracledb.DB_TYPE_TIMESTAMP_TZ
        elif self.type.kind is Kind.TIMESTAMP_LTZ:
            kind = oracledb.DB_TYPE_TIMESTAMP_LTZ
        elif self.type.kind is Kind.TIMESTAMP:
            kind = oracledb.DB_TYPE_TIMESTAMP
        elif self.type.kind in NUMERIC:
            kind = oracledb.DB_TYPE_NUMBER
        else:
            kind = oracledb.DB_TYPE_VARCHAR
        variable = cursor.var(kind)
        variable.setvalue(0, value)
        return variable


def _reading(instant: datetime, zone: tzinfo) -> datetime:
    """What a clock in `zone` shows at a UTC instant."""
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def check_key_type(stream: str, column: str, oracle: OracleType) -> None:
    """Raise ConfigurationError for a column whose values cannot be ordered and bound as a replication key."""
    if oracle.kind not in KEY_KINDS:
        message = f"stream {stream}: {column} is {oracle}; a replication key is a date, a timestamp, a number or a text"
        raise ConfigurationError(message)


def default_is_clock(oracle: OracleType) -> bool:
    """Times are taken for change clocks, numbers and texts are not."""
    return oracle.kind not in CHARACTERS and oracle.kind not in NUMERIC

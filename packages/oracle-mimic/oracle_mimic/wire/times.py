"""Columns of dates, timestamps and intervals to and from the wire, a whole column at a time.

Days are turned into year, month, day by integer arithmetic on the proleptic Gregorian calendar, which is exact for every year and far
faster here than numpy's own calendar casts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from oracle_mimic.wire.buffer import WireError
from oracle_mimic.wire.cells import Cells
from oracle_mimic.wire.slots import Inline
from oracle_mimic.wire.wide import I64, U64, Flags, Limbs, decimal_of_int64, null_flags, validity, words

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
_DAY = 86400
_NANO = 1_000_000_000
_MARCH_0000 = 719468  # days from 0000-03-01 to 1970-01-01
_ERA_DAYS = 146097  # 400 years
_ERAS_BEFORE = 30  # shifts every day Oracle knows (from -4712) above zero
_BIAS_SECONDS = 1 << 38  # makes every second Oracle knows positive
_SECOND = np.arange(_DAY, dtype=np.uint64)
# for every second of a day: hour, minute and second, each plus one, in bytes 1 to 3
_SECONDS_OF_DAY: npt.NDArray[np.uint64] = (
    (_SECOND // np.uint64(3600) + np.uint64(1)) << np.uint64(8)
    | (_SECOND // np.uint64(60) % np.uint64(60) + np.uint64(1)) << np.uint64(16)
    | (_SECOND % np.uint64(60) + np.uint64(1)) << np.uint64(24)
)
_MIDDLE = 1 << 31  # intervals: days, years and nanoseconds are counted from here


def encode_dates(array: pa.Array) -> Inline:
    """timestamp[s] as DATE: 7 bytes."""
    nulls = null_flags(array)
    low, high = _clock_words(_int64(array, nulls))
    return Inline(low | np.uint64(8 | 7 << 32), high).with_nulls(nulls)


def encode_timestamps(array: pa.Array) -> Inline:
    """timestamp[us], or decimal128 nanoseconds, as TIMESTAMP: 11 bytes."""
    nulls = null_flags(array)
    seconds, nanoseconds = _seconds_and_nanoseconds(array, nulls)
    low, high = _clock_words(seconds)
    fraction = nanoseconds.astype(np.uint32).byteswap().astype(np.uint64) << np.uint64(32)
    return Inline(low | np.uint64(12 | 11 << 32), high | fraction).with_nulls(nulls)


def _clock_words(seconds: I64) -> tuple[U64, U64]:
    """Century, year and month where a view's length byte leaves room for them, then day, hour, minute and second."""
    days = seconds // _DAY
    of_day = _SECONDS_OF_DAY[seconds - days * _DAY]
    first, last = int(days.min(initial=0)), int(days.max(initial=0))
    if last - first <= len(days):  # fewer days than values: work each day out once
        table = _date_words(np.arange(first, last + 1, dtype=np.int64) * _DAY)
        dates = table[days - first]
    else:
        dates = _date_words(seconds)
    return (dates & np.uint64(0xFFFFFF)) << np.uint64(40), dates >> np.uint64(24) | of_day


def _date_words(seconds: I64) -> U64:
    """The four bytes of the date in the low half of a word."""
    words_: U64 = np.ascontiguousarray(_clock(seconds)[:, :4]).view("<u4").reshape(-1).astype(np.uint64)
    return words_


def encode_timestamps_tz(array: pa.Array) -> Cells:
    """struct<utc, offset> as TIMESTAMP WITH TIME ZONE: the clock in UTC and the offset, 13 bytes."""
    nulls = null_flags(array)
    utc, offset = array.field(0), array.field(1)
    seconds, nanoseconds = _seconds_and_nanoseconds(utc, nulls)
    minutes = offset.fill_null(0).to_numpy().astype(np.int32)
    sign = np.where(minutes < 0, -1, 1)
    hours, minutes = sign * (np.abs(minutes) // 60), sign * (np.abs(minutes) % 60)
    zone = np.stack([hours + 20, minutes + 60], axis=1).astype(np.uint8)
    return Cells.counted(np.concatenate([_clock(seconds), _u32(nanoseconds), zone], axis=1), nulls)


def encode_intervals_ds(array: pa.Array) -> Cells:
    """decimal128 nanoseconds as INTERVAL DAY TO SECOND: 11 bytes; every field has the sign of the whole."""
    nulls = null_flags(array)
    low, high = words(array)
    if nulls is not None:
        low = np.where(nulls, np.uint64(0), low)
        high = np.where(nulls, 0, high)
    limbs, negative = Limbs.magnitude(low, high)
    nanoseconds = limbs.divide(_NANO).astype(np.int64)
    seconds = limbs.divide(60).astype(np.int64)
    minutes = limbs.divide(60).astype(np.int64)
    hours = limbs.divide(24).astype(np.int64)
    days = limbs.low_words().astype(np.int64)
    sign = np.where(negative, -1, 1)
    clock = np.stack([sign * hours + 60, sign * minutes + 60, sign * seconds + 60], axis=1).astype(np.uint8)
    return Cells.counted(np.concatenate([_u32(sign * days + _MIDDLE), clock, _u32(sign * nanoseconds + _MIDDLE)], axis=1), nulls)


def encode_intervals_ym(array: pa.Array) -> Cells:
    """int32 months as INTERVAL YEAR TO MONTH: 5 bytes."""
    nulls = null_flags(array)
    months = array.fill_null(0).to_numpy().astype(np.int64)
    sign = np.where(months < 0, -1, 1)
    years, months = sign * (np.abs(months) // 12), sign * (np.abs(months) % 12)
    return Cells.counted(np.concatenate([_u32(years + _MIDDLE), (months + 60).astype(np.uint8)[:, None]], axis=1), nulls)


def _int64(array: pa.Array, nulls: Flags | None) -> I64:
    values: I64 = np.frombuffer(array.buffers()[1], dtype="<i8")[array.offset : array.offset + len(array)]
    return values if nulls is None else np.where(nulls, 0, values)


def _seconds_and_nanoseconds(array: pa.Array, nulls: Flags | None) -> tuple[I64, I64]:
    if pa.types.is_timestamp(array.type):
        micros = _int64(array, nulls)
        seconds = micros // 1_000_000
        return seconds, (micros - seconds * 1_000_000) * 1000
    low, high = words(array)
    if nulls is not None:
        low = np.where(nulls, np.uint64(0), low)
        high = np.where(nulls, 0, high)
    bias = _BIAS_SECONDS * _NANO
    biased = low + np.uint64(bias & 0xFFFFFFFFFFFFFFFF)
    carry = biased < low
    top = high.view(np.uint64) + np.uint64(bias >> 64) + carry
    limbs, _ = Limbs.magnitude(biased, top.view(np.int64))
    nanoseconds = limbs.divide(_NANO)
    return limbs.low_words().astype(np.int64) - _BIAS_SECONDS, nanoseconds.astype(np.int64)


def _u32(values: npt.NDArray[np.int64]) -> U8:
    """Four big-endian bytes per value."""
    return values.astype(">u4").view(np.uint8).reshape(-1, 4)


def _clock(seconds: I64) -> U8:
    """The 7 bytes of a DATE for seconds since 1970."""
    days = seconds // _DAY
    of_day = (seconds - days * _DAY).astype(np.int32)
    shifted = (days + (_MARCH_0000 + _ERAS_BEFORE * _ERA_DAYS)).astype(np.int32)
    era = shifted // _ERA_DAYS
    day_of_era = shifted - era * _ERA_DAYS
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    month = np.where(from_march < 10, from_march + 3, from_march - 9)
    year = year_of_era + (era - _ERAS_BEFORE) * 400 + (month <= 2)
    out = np.empty((len(seconds), 7), np.uint8)
    century = np.where(year < 0, -(-year // 100), year // 100)
    out[:, 0] = century + 100
    out[:, 1] = year - century * 100 + 100
    out[:, 2] = month
    out[:, 3] = day_of_year - (153 * from_march + 2) // 5 + 1
    hour = of_day // 3600
    rest = of_day - hour * 3600
    minute = rest // 60
    out[:, 4] = hour + 1
    out[:, 5] = minute + 1
    out[:, 6] = rest - minute * 60 + 1
    return out


# -- from the wire -----------------------------------------------------------------------------------------------------------


def decode_dates(matrix: U8, nulls: Flags) -> pa.Array:
    """7-byte DATEs into timestamp[s]."""
    return _timestamp_array(_seconds(matrix, nulls), nulls, "s")


def decode_timestamps(matrix: U8, sizes: I64, nulls: Flags) -> pa.Array:
    """7 or 11 bytes each into timestamp[us], or decimal128 nanoseconds when microseconds would lose digits."""
    seconds, nanoseconds = _seconds(matrix, nulls), _nanoseconds(matrix, sizes)
    if not np.any(nanoseconds % 1000):
        return _timestamp_array(seconds * 1_000_000 + nanoseconds // 1000, nulls, "us")
    return _nanosecond_array(seconds, nanoseconds, nulls)


def decode_timestamps_tz(matrix: U8, sizes: I64, nulls: Flags) -> pa.Array:
    """13 bytes each (UTC clock and offset) into struct<utc, offset>."""
    utc = _nanosecond_array(_seconds(matrix, nulls), _nanoseconds(matrix, sizes), nulls)
    if matrix.shape[1] >= 13:
        zoned = sizes >= 13
        hours = np.where(zoned, matrix[:, 11].astype(np.int32) - 20, 0)
        minutes = np.where(zoned, matrix[:, 12].astype(np.int32) - 60, 0)
        if bool(np.any(np.abs(hours) > 15)) or bool(np.any(np.abs(minutes) > 59)):
            raise WireError("not a time zone offset")  # a region number among them: clients of this driver never send one
        offset = (hours * 60 + minutes).astype(np.int32)
    else:
        offset = np.zeros(len(matrix), np.int32)
    offsets = pa.Array.from_buffers(pa.int32(), len(offset), [validity(nulls), pa.py_buffer(offset)])
    fields = [pa.field("utc", pa.decimal128(38, 0)), pa.field("offset", pa.int32())]
    return pa.StructArray.from_arrays([utc, offsets], fields=fields, mask=pa.array(nulls))


def decode_intervals_ds(matrix: U8, nulls: Flags) -> pa.Array:
    """11 bytes each into decimal128 nanoseconds."""
    days = _from_u32(matrix[:, 0:4]) - _MIDDLE
    clock = matrix[:, 4:7].astype(np.int64) - 60
    seconds = days * _DAY + clock[:, 0] * 3600 + clock[:, 1] * 60 + clock[:, 2]
    nanoseconds = _from_u32(matrix[:, 7:11]) - _MIDDLE
    return _nanosecond_array(np.where(nulls, 0, seconds), np.where(nulls, 0, nanoseconds), nulls)


def decode_intervals_ym(matrix: U8, nulls: Flags) -> pa.Array:
    """5 bytes each into int32 months."""
    months = ((_from_u32(matrix[:, 0:4]) - _MIDDLE) * 12 + matrix[:, 4].astype(np.int64) - 60).astype(np.int32)
    return pa.Array.from_buffers(pa.int32(), len(months), [validity(nulls), pa.py_buffer(np.where(nulls, np.int32(0), months))])


def _seconds(matrix: U8, nulls: Flags) -> I64:
    fields = np.where(nulls[:, None], np.array([119, 170, 1, 1, 1, 1, 1], np.uint8), matrix[:, :7]).astype(np.int64)
    year = (fields[:, 0] - 100) * 100 + fields[:, 1] - 100
    month, day = fields[:, 2], fields[:, 3]
    hour, minute, second = fields[:, 4] - 1, fields[:, 5] - 1, fields[:, 6] - 1
    wrong = (month < 1) | (month > 12) | (day < 1) | (day > 31) | (hour < 0) | (hour > 23)
    wrong |= (minute < 0) | (minute > 59) | (second < 0) | (second > 59) | (year < -4712) | (year > 9999)
    if bool(wrong.any()):
        raise WireError("not a DATE")
    from_march = (month + 9) % 12
    adjusted = year - (month <= 2) + _ERAS_BEFORE * 400
    era = adjusted // 400
    year_of_era = adjusted - era * 400
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + (153 * from_march + 2) // 5 + day - 1
    days = (era - _ERAS_BEFORE) * _ERA_DAYS + day_of_era - _MARCH_0000
    result: I64 = days * _DAY + hour * 3600 + minute * 60 + second
    return result


def _nanoseconds(matrix: U8, sizes: I64) -> I64:
    if matrix.shape[1] < 11:
        return np.zeros(len(matrix), np.int64)
    nanoseconds = np.where(sizes >= 11, _from_u32(matrix[:, 7:11]), 0)
    if bool(np.any(nanoseconds >= _NANO)):
        raise WireError("not a TIMESTAMP")
    return nanoseconds


def _from_u32(matrix: U8) -> I64:
    return np.ascontiguousarray(matrix).view(">u4").reshape(-1).astype(np.int64)


def _nanosecond_array(seconds: I64, nanoseconds: I64, nulls: Flags) -> pa.Array:
    """seconds * 10**9 + nanoseconds as decimal128(38, 0); beyond 64 bits (after 2262) in two words."""
    if bool(np.all(np.abs(seconds) < 9_000_000_000)):
        return decimal_of_int64(seconds * _NANO + nanoseconds, nulls, 38, 0)
    total = np.where(seconds < 0, -seconds, seconds)
    negative = (seconds < 0) | ((seconds == 0) & (nanoseconds < 0))
    part = np.where(negative, -nanoseconds, nanoseconds)  # of the magnitude; below zero it borrows a second
    borrow = part < 0
    total, part = total - borrow, part + borrow * _NANO
    limbs = Limbs.of(total.astype(np.uint64))
    limbs.multiply_add(_NANO, part.astype(np.uint64))
    return limbs.to_decimal(negative, nulls, 38, 0)


def _timestamp_array(values: I64, nulls: Flags, unit: str) -> pa.Array:
    return pa.Array.from_buffers(pa.timestamp(unit), len(values), [validity(nulls), pa.py_buffer(np.ascontiguousarray(values))])

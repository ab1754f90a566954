"""The plan of a full sync and its ledger: which ranges there are, and which of them are done. Pure values.

Ranges follow each other without gap or overlap and are open at both ends, so a row is in exactly one of them wherever it is stored
and whenever it was inserted. The plan travels in the state (docs/batch-contract.md, section 5): a resumed run has the same ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

ROWID, KEY, WHOLE = "rowid", "key", "whole"
MAX_CHUNKS = 2000
"""The plan travels in each STATE message; more limits than this would make the state larger than it is worth."""

_ROWID_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ROWID_WIDTHS = (6, 3, 6, 3)  # object, file, block, row


Limit = tuple[str, ...]
"""A border between two ranges: a text for each key column, or a ROWID's text alone."""


@dataclass(frozen=True, slots=True)
class Range:
    """One range of the plan: lower <= value < upper; None is an open end. `columns`: of the key; empty for ROWID and the whole table."""

    kind: str
    lower: Limit | None = None
    upper: Limit | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The ranges of one generation.

    storage: identifies the segments that a ROWID plan was made from; when it changes the plan is worthless. Empty for others.
    limits: the borders between the ranges, in text form, ascending; there is one range more than limits.
    columns: of the key that is cut, most significant first.
    """

    kind: str
    storage: str = ""
    limits: tuple[Limit, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def chunks(self) -> int:
        """How many ranges there are."""
        return len(self.limits) + 1

    def range(self, chunk: int) -> Range:
        """The range with that number, from 0."""
        lower = self.limits[chunk - 1] if chunk > 0 else None
        upper = self.limits[chunk] if chunk < len(self.limits) else None
        return Range(self.kind, lower, upper, self.columns)

    def to_state(self) -> list[Any]:
        """As the state holds it; lists, because Meltano's merge never deletes keys of an object."""
        limits = [limit[0] if len(limit) == 1 else list(limit) for limit in self.limits]
        return [self.kind, self.chunks, self.storage, limits, list(self.columns)]

    @classmethod
    def from_state(cls, value: Sequence[Any]) -> Plan:
        """The reverse of `to_state`. Raises ValueError for anything else."""
        try:
            kind, chunks, storage, limits, columns = value
            plan = cls(kind, storage, tuple((limit,) if isinstance(limit, str) else tuple(limit) for limit in limits), tuple(columns or ()))
        except (TypeError, ValueError) as error:
            message = f"the plan in the state cannot be read: {value!r}"
            raise ValueError(message) from error
        widths = {len(limit) for limit in plan.limits}
        if plan.chunks != chunks or kind not in {ROWID, KEY, WHOLE} or not widths <= {len(plan.columns) if kind == KEY else 1}:
            message = f"the plan in the state contradicts itself: {chunks} chunks, {len(plan.limits)} limits, kind {kind!r}"
            raise ValueError(message)
        return plan


@dataclass(frozen=True, slots=True)
class Ledger:
    """Numbers of finished chunks, as sorted closed ranges that do not touch."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Ledger:
        """The ledger that holds these numbers."""
        ranges: list[tuple[int, int]] = []
        for number in sorted(set(numbers)):
            if ranges and ranges[-1][1] == number - 1:
                ranges[-1] = (ranges[-1][0], number)
            else:
                ranges.append((number, number))
        return cls(tuple(ranges))

    @classmethod
    def from_state(cls, value: Iterable[Sequence[int]]) -> Ledger:
        """From a list of [first, last]; ranges that overlap or touch are joined."""
        return cls.of(number for first, last in value for number in range(int(first), int(last) + 1))

    def to_state(self) -> list[list[int]]:
        return [list(each) for each in self.ranges]

    def add(self, number: int) -> Ledger:
        """With one more chunk done."""
        return Ledger.of([*self, number])

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def missing(self, chunks: int) -> list[int]:
        """The numbers below `chunks` that are not done."""
        return [number for number in range(chunks) if number not in self]


@dataclass(frozen=True, slots=True, order=True)
class RowId:
    """An extended ROWID: data object, relative file, block, row. Ordered as Oracle orders ROWIDs."""

    data_object: int
    file: int
    block: int
    row: int = 0

    def __str__(self) -> str:
        return "".join(_encode(part, width) for part, width in zip(self._parts(), _ROWID_WIDTHS, strict=True))

    def _parts(self) -> tuple[int, int, int, int]:
        return (self.data_object, self.file, self.block, self.row)

    @classmethod
    def parse(cls, text: str) -> RowId:
        """From its 18 characters. Raises ValueError for a universal (UROWID) one."""
        if len(text) != sum(_ROWID_WIDTHS):
            message = f"{text!r} is not an extended ROWID"
            raise ValueError(message)
        numbers, start = [], 0
        for width in _ROWID_WIDTHS:
            numbers.append(_decode(text[start : start + width]))
            start += width
        return cls(*numbers)


def _encode(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 64)
        digits = _ROWID_DIGITS[digit] + digits
    return digits


def _decode(text: str) -> int:
    number = 0
    for character in text:
        number = number * 64 + _ROWID_DIGITS.index(character)
    return number


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of blocks of the table's segments."""

    data_object: int
    file: int
    first_block: int
    blocks: int


def rowid_plan(extents: Iterable[Extent], chunks: int, storage: str) -> Plan:
    """Cut the table's blocks into `chunks` ranges of the same number of blocks, in ROWID order."""
    ordered = sorted(extents, key=lambda extent: (extent.data_object, extent.file, extent.first_block))
    total = sum(extent.blocks for extent in ordered)
    chunks = max(1, min(chunks, MAX_CHUNKS, total))
    limits: list[Limit] = []
    passed = 0
    for extent in ordered:
        while len(limits) < chunks - 1:
            border = total * (len(limits) + 1) // chunks
            if border >= passed + extent.blocks:
                break
            limits.append((str(RowId(extent.data_object, extent.file, extent.first_block + border - passed)),))
        passed += extent.blocks
    return Plan(ROWID, storage, tuple(limits))


def stepped_plan(kind: str, steps: Iterable[Limit], *, storage: str = "", columns: tuple[str, ...] = ()) -> Plan:
    """A plan with borders at values that were found in the table, in the table's order; repeated ones count once.

    Of more borders than a plan may have, every second (third, ...) one is kept.
    """
    limits = list(dict.fromkeys(steps))
    every = -(-len(limits) // (MAX_CHUNKS - 1)) or 1
    return Plan(kind, storage, tuple(limits[every - 1 :: every]), columns)


def split_at(part: Range, limits: Iterable[Limit]) -> list[Range]:
    """A range in narrower ones, with borders inside of it; the range itself when there are none."""
    borders = [part.lower, *dict.fromkeys(limit for limit in limits if limit not in {part.lower, part.upper}), part.upper]
    return [replace(part, lower=lower, upper=upper) for lower, upper in pairwise(borders)]


def split_rowids(part: Range, lowest: str | None, highest: str | None, pieces: int) -> list[Range]:
    """A range of ROWIDs in `pieces` narrower ones, cut by block inside one file, by the least and greatest ROWID in it."""
    if lowest is None or highest is None:
        return [part]
    first, last = RowId.parse(lowest), RowId.parse(highest)
    if (first.data_object, first.file) != (last.data_object, last.file):
        limits = [str(RowId(last.data_object, last.file, 0))]
    else:
        limits = [str(replace(first, block=block, row=0)) for block in _cuts(first.block, last.block, pieces)]
    return split_at(part, [(limit,) for limit in limits])


def _cuts(first: int, last: int, pieces: int) -> list[int]:
    """Borders inside first..last; none when it is a single value."""
    pieces = min(pieces, last - first + 1)
    return [first + (last - first + 1) * number // pieces for number in range(1, pieces)]

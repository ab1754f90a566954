"""The questions verify asks about ranges and rows, on one side and as of one moment. Texts of statements are made here and nowhere else.

Source rows that were changed at or after the bookmark are "in flight": the sync has not promised them yet, so they do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from oracle_connection.key_text import bind_text, value_of
from oracle_connection.types import OracleType

from wms_ops.verify.canonical import quoted, slices, sums
from wms_ops.verify.entity import Side
from wms_ops.verify.keys import Binds, Key, KeyRange, among, batches


class Total(NamedTuple):
    """A range as numbers: its rows, and two sums over slices of their hashes."""

    rows: int
    first: int
    second: int

    def without(self, digests: Iterable[str]) -> Total:
        """The range without rows of these hashes."""
        rows, first, second = self
        for digest in digests:
            one, other = slices(digest)
            rows, first, second = rows - 1, first - one, second - other
        return Total(rows, first, second)


class RowState(NamedTuple):
    """A row as it is now: in_flight: the sync has not promised it yet; texts: the canonical text of each column."""

    digest: str
    in_flight: bool
    texts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Watermark:
    """The bookmark: rows whose replication key is below it, or NULL, must have arrived. None: every row must have."""

    column: str
    type: OracleType
    value: str

    def settled(self, binds: Binds) -> str:
        """SQL: the row must have arrived."""
        column = quoted(self.column)
        return f"({column}<{self._value(binds)} OR {column} IS NULL)"

    def in_flight(self, binds: Binds) -> str:
        return f"{quoted(self.column)}>={self._value(binds)}"

    def _value(self, binds: Binds) -> str:
        return value_of(self.type, binds.add(bind_text(self.type, self.value)))


@dataclass(frozen=True, slots=True)
class View:
    """One side as of an SCN (None: as it is when asked), and up to a watermark (None on the target)."""

    side: Side
    scn: int | None = None
    watermark: Watermark | None = None

    def total(self, keys: KeyRange) -> Total:
        """Count and sums of a range: one statement, whatever the range's size."""
        binds = Binds()
        inner = f"SELECT /*+ NO_MERGE */ {self.side.row_hash} AS H FROM {self._from(binds)}{self._where(keys, binds)}"
        rows = self._query(f"SELECT COUNT(*),{sums('H')} FROM ({inner})", binds, "sum up a range")
        return Total(*(int(value) for value in rows[0]))

    def totals(self, keys: KeyRange, limits: Sequence[Key]) -> list[Total]:
        """Count and sums of each piece of a range that is cut at `limits`: one statement, which reads the range once."""
        binds = Binds()
        columns = self.side.key
        pieces = (f"WHEN {KeyRange(None, limit).condition(columns, binds)} THEN {number}" for number, limit in enumerate(limits))
        piece = f"CASE {' '.join(pieces)} ELSE {len(limits)} END"
        inner = f"SELECT /*+ NO_MERGE */ {piece} AS B,{self.side.row_hash} AS H FROM {self._from(binds)}{self._where(keys, binds)}"
        rows = self._query(f"SELECT B,COUNT(*),{sums('H')} FROM ({inner}) GROUP BY B", binds, "sum up the pieces of a range")
        found = {int(number): Total(*(int(value) for value in values)) for number, *values in rows}
        return [found.get(number, Total(0, 0, 0)) for number in range(len(limits) + 1)]

    def hashes(self, keys: KeyRange) -> dict[Key, list[str]]:
        """The hashes of a range's rows, by key; more than one where a key is there more than once."""
        binds = Binds()
        text = f"SELECT {self._key},{self.side.row_hash} FROM {self._from(binds)}{self._where(keys, binds)}"
        return _by_key(self._query(text, binds, "read the hashes of a range"))

    def hashes_of(self, wanted: Sequence[Key]) -> dict[Key, list[str]]:
        """The hashes of the rows with these keys."""
        found: dict[Key, list[str]] = {}
        for some in batches(wanted):
            binds = Binds()
            text = f"SELECT {self._key},{self.side.row_hash} FROM {self._from(binds)}"
            found |= _by_key(self._query(text + self._where_keys(some, binds), binds, "read the hashes of rows"))
        return found

    def in_flight(self, keys: KeyRange) -> list[Key]:
        """The keys of a range's rows that have not been promised yet."""
        if self.watermark is None:
            return []
        binds = Binds()
        conditions = [keys.condition(self.side.key, binds), self.watermark.in_flight(binds)]
        text = f"SELECT {self._key} FROM {self._from(binds)} WHERE {' AND '.join(each for each in conditions if each)}"
        return [tuple(row) for row in self._query(text, binds, "list rows in flight")]

    def states(self, wanted: Sequence[Key]) -> dict[Key, list[RowState]]:
        """The rows with these keys, column by column."""
        found: dict[Key, list[RowState]] = {}
        for some in batches(wanted):
            binds = Binds()
            flying = "0" if self.watermark is None else f"CASE WHEN {self.watermark.in_flight(binds)} THEN 1 ELSE 0 END"
            texts = ",".join(form.text for form in self.side.columns)
            text = f"SELECT {self._key},{self.side.row_hash},{flying},{texts} FROM {self._from(binds)}"
            for row in self._query(text + self._where_keys(some, binds), binds, "read rows again"):
                width = len(self.side.key)
                state = RowState(row[width], bool(row[width + 1]), tuple(row[width + 2 :]))
                found.setdefault(tuple(row[:width]), []).append(state)
        return found

    def after(self, keys: KeyRange, rows: int) -> Key | None:
        """The key that so many rows of the range, in order of the key, are below; None when the range has no more rows than that."""
        binds = Binds()
        condition = keys.condition(self.side.key, binds)
        where = f" WHERE {condition}" if condition else ""
        names = ",".join(quoted(column.name) for column in self.side.key)
        ordered = f"SELECT {names} FROM {self._from(binds)}{where} ORDER BY {','.join(column.ordered for column in self.side.key)}"
        numbered = f"SELECT {names},ROWNUM AS N FROM ({ordered}) WHERE ROWNUM<={binds.add(rows + 1)}"
        found = self._query(f"SELECT {self._key} FROM ({numbered}) WHERE N={binds.add(rows + 1)}", binds, "find the end of a range")
        return tuple(found[0]) if found else None

    def limits(self, keys: KeyRange, step: int) -> list[Key]:
        """The keys that cut a range into pieces of `step` rows, in order."""
        binds = Binds()
        order = ",".join(column.ordered for column in self.side.key)
        names = ",".join(quoted(column.name) for column in self.side.key)
        numbered = f"SELECT {names},ROW_NUMBER() OVER (ORDER BY {order}) AS N FROM {self._from(binds)}{self._where(keys, binds)}"
        text = f"SELECT {self._key} FROM ({numbered}) WHERE N>1 AND MOD(N,{binds.add(step)})=1 ORDER BY N"
        found = [tuple(row) for row in self._query(text, binds, "cut a range")]
        return [limit for limit in dict.fromkeys(found) if limit != keys.lower]

    def can_flash_back(self) -> bool:
        """Whether the table may be read as of the view's SCN."""
        binds = Binds()
        text = f"SELECT COUNT(*) FROM {self._from(binds)} WHERE ROWNUM=1"
        return self.side.database.if_granted(text, binds, doing="read as of an SCN") is not None

    @property
    def _key(self) -> str:
        return ",".join(column.text for column in self.side.key)

    def _from(self, binds: Binds) -> str:
        return self.side.sql_table if self.scn is None else f"{self.side.sql_table} AS OF SCN {binds.add(self.scn)}"

    def _where(self, keys: KeyRange, binds: Binds) -> str:
        return self._all((keys.condition(self.side.key, binds), self.watermark.settled(binds) if self.watermark else "", self.side.live))

    def _where_keys(self, wanted: Sequence[Key], binds: Binds) -> str:
        return self._all((among(self.side.key, wanted, binds), self.side.live))

    def _all(self, conditions: Iterable[str]) -> str:
        given = [each for each in conditions if each]
        return f" WHERE {' AND '.join(given)}" if given else ""

    def _query(self, text: str, binds: Binds, what: str) -> list[tuple[Any, ...]]:
        return self.side.database.query(text, binds, doing=f"{what} of {self.side.database.schema}.{self.side.table}")


def _by_key(rows: Iterable[Sequence[object]]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for *key, digest in rows:
        found.setdefault(tuple(str(part) for part in key), []).append(str(digest))
    return found

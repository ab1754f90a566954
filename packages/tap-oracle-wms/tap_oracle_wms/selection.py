"""What a stream selects: the columns in order, their SQL, their Arrow schema, and which rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from oracle_connection.key_text import bind_text, value_of
from oracle_connection.types import CHARACTERS, LOBS, OracleType, arrow_type

from tap_oracle_wms import statements
from tap_oracle_wms.catalog import masked_expression, masked_type
from tap_oracle_wms.chunks import ROWID, WHOLE, Range
from tap_oracle_wms.keys import ReplicationKey
from tap_oracle_wms.statements import quote

if TYPE_CHECKING:
    import oracledb

FETCH_BYTES = 32 * 1024 * 1024
"""What one fetch may bring into memory, by estimate."""
LOB_BYTES = 32 * 1024
"""What a LOB is taken for when the size of a fetch is chosen: LOBs arrive whole, inside the row."""
Binds = Callable[["oracledb.Cursor"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected columns of a table, by exact name in order, with the columns' own types, and the masks among them."""

    owner: str
    table: str
    columns: Mapping[str, OracleType]
    masks: Mapping[str, str] = field(default_factory=dict)
    salt: str = field(default="", repr=False)

    @property
    def sql_table(self) -> str:
        """Owner and table, quoted."""
        return f"{quote(self.owner)}.{quote(self.table)}"

    @property
    def types(self) -> dict[str, OracleType]:
        """The types in which the columns leave the database, masked ones as text."""
        return {name: masked_type(oracle, self.masks.get(name)) for name, oracle in self.columns.items()}

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return pa.schema([pa.field(name, arrow_type(oracle)) for name, oracle in self.types.items()])

    def statement(self, where: Where) -> str:
        """The SELECT. Its columns are told apart by position, so names of up to 128 bytes with any character do no harm."""
        columns = ", ".join(
            masked_expression(oracle, quote(name), self.masks.get(name), salt=self.salt) for name, oracle in self.columns.items()
        )
        return statements.ROWS.fill(columns=columns, table=self.sql_table, where=where.text)

    def fetch_rows(self, wanted: int) -> int:
        """Rows per fetch: what is wanted, less when the rows may be very wide."""
        width = sum(_width(oracle) for oracle in self.types.values())
        return max(1, min(wanted, FETCH_BYTES // max(width, 1)))


def _width(oracle: OracleType) -> int:
    """Bytes of a value, by estimate: text columns are rarely filled."""
    if oracle.kind in LOBS:
        return LOB_BYTES
    if oracle.kind in CHARACTERS or oracle.length is not None:
        return 8 + (oracle.length or 0) // 4
    return 16


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind variable's value in text form, and the key whose type it takes; None when the statement itself converts the text."""

    name: str
    text: str
    key: ReplicationKey | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on rows, with binds of the columns' own types. Empty text: all rows."""

    text: str = ""
    binds: tuple[Bind, ...] = ()

    def bind(self, cursor: oracledb.Cursor) -> dict[str, Any]:
        """The bind variables on a cursor."""
        return {each.name: each.text if each.key is None else each.key.bind(cursor, each.text) for each in self.binds}


ALL_ROWS = Where()


def first_rows(count: int) -> Where:
    """Some rows, for a test."""
    return Where(f"WHERE ROWNUM <= {int(count)}")


def key_range(key: ReplicationKey, lower: str | None, upper: str | None, *, not_null: bool = False) -> Where:
    """lower <= key < upper; with both ends open all rows, or all whose key is not NULL."""
    column = quote(key.column)
    conditions, binds = [], list[Bind]()
    if lower is not None:
        conditions.append(f"{column} >= :lower_key")
        binds.append(Bind("lower_key", lower, key))
    if upper is not None:
        conditions.append(f"{column} < :upper_key")
        binds.append(Bind("upper_key", upper, key))
    if not conditions and not_null:
        conditions.append(f"{column} IS NOT NULL")
    return Where(f"WHERE {' AND '.join(conditions)}" if conditions else "", tuple(binds))


def rows_by_key(columns: Sequence[tuple[str, OracleType]], keys: Sequence[Sequence[str]]) -> Where:
    """The rows with these keys. columns: of the key, with their types; keys: their texts (oracle_connection.key_text)."""
    rows, binds = [], list[Bind]()
    for key in keys:
        equal = []
        for (name, oracle), text in zip(columns, key, strict=True):
            bind = f"k{len(binds)}"
            binds.append(Bind(bind, bind_text(oracle, text)))
            equal.append(f"{quote(name)} = {value_of(oracle, f':{bind}')}")
        rows.append(f"({' AND '.join(equal)})")
    return Where(f"WHERE {' OR '.join(rows)}", tuple(binds))


def chunk_range(part: Range, keys: Sequence[ReplicationKey]) -> Where:
    """The rows of a range of a full sync's plan. keys: of the range's columns, for ranges by key.

    The first range by key also takes the rows whose key is NULL.
    """
    if part.kind == WHOLE or (part.lower is None and part.upper is None):
        return ALL_ROWS
    if part.kind == ROWID:
        ends = ((">=", "lower_rowid", part.lower), ("<", "upper_rowid", part.upper))
        conditions = [f"ROWID {sign} CHARTOROWID(:{name})" for sign, name, limit in ends if limit is not None]
        return Where(f"WHERE {' AND '.join(conditions)}", tuple(Bind(name, limit[0]) for _, name, limit in ends if limit is not None))
    conditions, binds = [], list[Bind]()
    for beyond, name, limit in ((">", "lower", part.lower), ("<", "upper", part.upper)):
        if limit is not None:
            conditions.append(_from(keys, beyond, name, 0))
            binds += [Bind(f"{name}_{number}", text, key) for number, (text, key) in enumerate(zip(limit, keys, strict=True))]
    condition = " AND ".join(conditions)
    if part.lower is None:
        condition = f"({condition} OR {quote(keys[0].column)} IS NULL)"
    return Where(f"WHERE {condition}", tuple(binds))


def _from(keys: Sequence[ReplicationKey], beyond: str, name: str, number: int) -> str:
    """SQL for "the key's columns from `number` on are at or above a limit" (`beyond` is >), or below it (<).

    A key of several columns is compared one after the other; the comparison of the first stands alone, so that its index is used.
    """
    column, bind = quote(keys[number].column), f":{name}_{number}"
    if number == len(keys) - 1:
        return f"{column} {'>=' if beyond == '>' else '<'} {bind}"
    rest = _from(keys, beyond, name, number + 1)
    return f"{column} {beyond}= {bind} AND ({column} {beyond} {bind} OR ({rest}))"

"""What the tests of the binder share: a session that offers a few hand-made tables in a bare DuckDB, and runs what is bound.

The tables have what the engine's have for the binder: physical column names of their own and a ROWID.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import binder, expressions
from oracle_mimic.sql.bound import AsOf, BindSlot, BoundDml, BoundQuery, Nls, Relation, RelationColumn, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT, duckdb_type
from oracle_mimic.types import Kind, OracleType

NOW = datetime(2024, 3, 15, 13, 45, 30, 123456, tzinfo=UTC)
_NOW_NANOS = 1710510330123456000
NUMBER4 = OracleType(Kind.NUMBER, 4, 0)
MONEY = OracleType(Kind.NUMBER, 7, 2)
TEXT10 = OracleType(Kind.VARCHAR2, length=10)
DATE = OracleType(Kind.DATE)
FREE = OracleType(Kind.NUMBER)
ZONED = OracleType(Kind.TIMESTAMP_TZ, scale=6)

# name -> (Oracle's name, type, nullable) of each column
TABLES: dict[str, tuple[tuple[str, OracleType, bool], ...]] = {
    "WORKER": (
        ("ID", NUMBER4, False), ("NAME", TEXT10, True), ("BOSS_ID", NUMBER4, True), ("HIRED", DATE, True), ("PAY", MONEY, True),
        ("BONUS", MONEY, True), ("SITE_ID", NUMBER4, True),
    ),
    "SITE": (("ID", NUMBER4, False), ("CITY", TEXT10, True)),
    "STAGE": (("ID", NUMBER4, False), ("PAY", MONEY, True), ("OLD", TEXT10, True)),
    "LOG": (("ID", FREE, True), ("AT", ZONED, True), ("mixed Case", TEXT10, True)),
}  # fmt: skip
DEFAULTS = {"OLD": "'n' || 'ew'"}
ROWS: dict[str, str] = {
    "WORKER": """(1, 'ANA', NULL, TIMESTAMP_S '2020-01-01', 9000.00, NULL, 10), (2, 'BEN', 1, TIMESTAMP_S '2021-01-01', 5000, 100, 10),
        (3, 'CID', 1, TIMESTAMP_S '2022-01-01', 5000, NULL, 20), (4, 'DEB', 2, TIMESTAMP_S '2023-01-01', 3000, 50, 20),
        (5, 'EVE', 2, TIMESTAMP_S '2024-01-01', 2000, NULL, NULL)""",
    "SITE": "(10, 'RECIFE'), (20, 'OLINDA'), (30, 'NATAL')",
    "STAGE": "(1, 9100, 'N'), (4, 3000, 'Y'), (9, 1000, 'N')",
    "LOG": """(ora_number('1'), {'utc': 0::HUGEINT, 'tz': '+00:00'}, 'a'),
        (ora_number('2'), {'utc': 0::HUGEINT, 'tz': '+02:00'}, 'b')""",
}


@dataclass
class Bench:
    """`bound.BindContext` over the tables above, and a DuckDB connection that has them."""

    nls: Nls = field(default_factory=Nls)
    user: str = "WMS"
    current_schema: str = "WMS"
    db_time_zone: str = "+00:00"
    parameters: dict[str, Any] = field(default_factory=dict)
    as_of: list[AsOf] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        expressions.register(self.connection)
        self.connection.execute("CREATE SEQUENCE seq")
        for number, (name, columns) in enumerate(TABLES.items(), start=1):
            types = ", ".join(f'"p{n}" {duckdb_type(type_)}' for n, (_, type_, _) in enumerate(columns))
            self.connection.execute(f'CREATE TABLE "{name}" ({types})')
            self.connection.execute(f'INSERT INTO "{name}" VALUES {ROWS[name]}')
            self.connection.execute(
                f'CREATE VIEW "v{name}" AS SELECT *, ({number}000 + row_number() OVER ())::HUGEINT AS row_id FROM "{name}"'
            )

    # what the binder asks

    def relation(self, owner: str | None, name: str, *, as_of: AsOf | None = None, dml: bool = False) -> Relation:
        if name not in TABLES or owner not in (None, "WMS"):
            raise OracleError(942, "table or view does not exist")
        if as_of is not None:
            self.as_of.append(as_of)
        columns = tuple(
            RelationColumn(column, type_, duckdb_type(type_), f"p{number}", nullable, default=DEFAULTS.get(column))
            for number, (column, type_, nullable) in enumerate(TABLES[name])
        )
        object_id = 100 + list(TABLES).index(name)
        return Relation(f'(SELECT * FROM "v{name}")', columns, "WMS", name, object_id, "row_id")

    def sequence(self, owner: str | None, name: str, which: str) -> Typed:
        if name != "SEQ":
            raise OracleError(2289, "sequence does not exist")
        return Typed(f"CAST({which.lower()}('seq') AS DECIMAL(28,0))", OracleType(Kind.NUMBER, 28, 0), "DECIMAL(28,0)", nullable=False)

    def now(self) -> Typed:
        sql = f"CAST({{'utc': CAST('{_NOW_NANOS}' AS HUGEINT), 'tz': '+00:00'}} AS {TZ_STRUCT})"
        return Typed(sql, ZONED, TZ_STRUCT, nullable=False)

    def sys_context(self, namespace: str, parameter: str) -> str | None:
        return self.current_schema

    def may_execute(self, package: str) -> bool:
        return bool(package)

    def constant(self, typed: Typed) -> Any:
        value = self.connection.execute(f"SELECT {typed.sql}", self.parameters or None).fetchall()[0][0]
        return expressions.to_python(typed.carrier, value)

    def current_scn(self) -> int:
        return 4711

    def scn_to_time(self, scn: int) -> datetime:
        return NOW

    def time_to_scn(self, moment: datetime) -> int:
        return 4711

    # what tests ask

    def bind(self, sql: str, values: Sequence[Any] = (), *, array: bool = False) -> BoundQuery | BoundDml:
        slots = [slot_of(value) for value in (values[0] if array else values)]
        self.parameters = {} if array else {f"b{n}": value for n, value in enumerate(values, start=1)}
        return binder.bind(sql, slots, self, array=array)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, numbers as Decimal."""
        bound = self.bind(sql, values)
        assert isinstance(bound, BoundQuery)
        rows = self.run(bound.sql, {name: value for name, value in self.parameters.items() if f"${name}" in bound.sql})
        width = len(bound.columns)
        return [tuple(_python(c, v) for c, v in zip(bound.carriers, row[:width], strict=True)) for row in rows]

    def names(self, sql: str) -> list[str]:
        bound = self.bind(sql)
        assert isinstance(bound, BoundQuery)
        return [column.name for column in bound.columns]

    def changes(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """The rows that a DML statement gives to the engine."""
        bound = self.bind(sql, values)
        return self._dicts(bound.sql, {name: value for name, value in self.parameters.items() if f"${name}" in bound.sql})

    def array_changes(self, sql: str, executions: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """As `changes`, for an array of binds."""
        bound = self.bind(sql, executions, array=True)
        columns = {f"b{n}": list(values) for n, values in enumerate(zip(*executions, strict=True), start=1)}
        self.connection.register("binds", pa.table({**columns, "execution": list(range(len(executions)))}))
        return self._dicts(bound.sql, {})

    def run(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql, parameters or None).fetchall()
        except duckdb.Error as error:
            raise expressions.from_duckdb_error(error) or error from error

    def _dicts(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        rows = self.run(sql, parameters)
        names = [column[0] for column in self.connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]


def slot_of(value: Any) -> BindSlot:
    if isinstance(value, int):
        return BindSlot(FREE, "int64")
    if isinstance(value, datetime):
        return BindSlot(DATE, "timestamp[s]")
    return BindSlot(OracleType(Kind.VARCHAR2, length=4000), "string")


def _python(carrier: str, value: Any) -> Any:
    """WITH TIME ZONE has left the room: nanoseconds in UTC and the offset in minutes."""
    if isinstance(value, dict):
        return int(value["utc"]), value["offset"]
    return expressions.to_python(carrier, value)

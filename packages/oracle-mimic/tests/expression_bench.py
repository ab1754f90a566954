"""What the tests of expressions share: a session's settings, and a DuckDB that evaluates one typed expression."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import expressions as ex
from oracle_mimic.sql.bound import Nls, Typed
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.types import Kind, OracleType

NOW = datetime(2024, 3, 15, 13, 45, 30, 123456, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Settings:
    """A session as expressions see it: fixed clock, no tables."""

    nls: Nls = field(default_factory=Nls)
    user: str = "WMS"
    current_schema: str = "WMS"
    db_time_zone: str = "+00:00"
    parameters: dict[str, Any] = field(default_factory=dict)
    engine: Engine | None = None

    def now(self) -> Typed:
        nanos = (NOW - EPOCH) // timedelta(microseconds=1) * 1000
        sql = f"CAST({{'utc': CAST('{nanos}' AS HUGEINT), 'tz': '+00:00'}} AS {TZ_STRUCT})"
        return Typed(sql, OracleType(Kind.TIMESTAMP_TZ, scale=6), TZ_STRUCT, nullable=False)

    def sys_context(self, namespace: str, parameter: str) -> str | None:
        values = {
            "CURRENT_SCHEMA": self.current_schema,
            "SESSION_USER": self.user,
            "SESSIONID": "17",
            "SESSION_USERID": "107",
            "LANGUAGE": "AMERICAN_AMERICA.AL32UTF8",
        }
        if namespace.upper() != "USERENV" or parameter.upper() not in values:
            raise OracleError(2003, "invalid USERENV parameter")
        return values[parameter.upper()]

    def constant(self, typed: Typed) -> Any:
        assert self.engine is not None
        return self.engine.value(typed)

    def current_scn(self) -> int:
        return 4711

    def scn_to_time(self, scn: int) -> datetime:
        if scn > 4711:
            raise OracleError(8181, "specified number is not a valid system change number")
        return NOW

    def time_to_scn(self, moment: datetime) -> int:
        return 4711 - int((NOW - moment).total_seconds())


class Engine:
    """A DuckDB connection with the functions registered."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        ex.register(self.connection)

    def value(self, typed: Typed, source: str = "", parameters: dict[str, Any] | None = None) -> Any:
        """The Python value of an expression; DuckDB's type must be the carrier that was promised."""
        relation = f"SELECT {typed.sql} AS v, typeof({typed.sql}) AS t {source}"
        try:
            value, carrier = self.connection.execute(relation, parameters or None).fetchall()[0]
        except duckdb.Error as error:
            raise ex.from_duckdb_error(error) or error from error
        assert carrier in (typed.carrier, '"NULL"') or same_carrier(carrier, typed.carrier), f"{carrier} is not {typed.carrier}"
        return ex.to_python(typed.carrier, value, typed.type)

    def truth(self, condition: str) -> bool | None:
        try:
            return self.connection.execute(f"SELECT {condition}").fetchall()[0][0]
        except duckdb.Error as error:
            raise ex.from_duckdb_error(error) or error from error


def same_carrier(actual: str, promised: str) -> bool:
    return actual.replace(" ", "").replace('"', "").upper() == promised.replace(" ", "").replace('"', "").upper()


@contextmanager
def engine_with_settings(**nls: Any) -> Iterator[tuple[Engine, Settings]]:
    engine = Engine()
    settings = Settings(nls=Nls(**nls), engine=engine)
    try:
        yield engine, settings
    finally:
        engine.connection.close()


def number(value: Any) -> Typed:
    return ex.literal_number(str(value))


def column(sql: str, type_: OracleType, carrier: str) -> Typed:
    """Something that is not a literal, as a column is not."""
    return Typed(sql, type_, carrier)

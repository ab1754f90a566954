"""DBMS_RANDOM, as far as SQL uses it: VALUE and STRING. Every row gets its own."""

from __future__ import annotations

import random
import string
from decimal import Decimal

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.carriers import NUMBER_BYTES
from oracle_mimic.sql.expressions.conversion import to_number, to_text
from oracle_mimic.sql.expressions.derive import NUMBER, VARCHAR2_MAX, derived, varchar2
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.number_bytes import EXACT, decode, encode
from oracle_mimic.sql.expressions.numbers import as_bytes, as_integer, number_literal
from oracle_mimic.sql.expressions.registry import udf

_LETTERS = {
    "U": string.ascii_uppercase,
    "L": string.ascii_lowercase,
    "A": string.ascii_letters,
    "X": string.ascii_uppercase + string.digits,
    "P": "".join(chr(code) for code in range(32, 127)),
}
_ROW = "CAST(random() * 1000000000 AS BIGINT)"  # makes DuckDB call the function for every row
_generator = random.SystemRandom()


@udf("BLOB", "BLOB", "BIGINT", returns="BLOB", volatile=True)
def random_value(low: bytes, high: bytes, row: int) -> bytes:
    """low <= value < high, with 38 digits."""
    del row
    share = Decimal(_generator.randrange(10**38)).scaleb(-38, context=EXACT)
    start, end = decode(low), decode(high)
    return encode(EXACT.add(start, EXACT.multiply(share, EXACT.subtract(end, start))))


@udf("VARCHAR", "BIGINT", "BIGINT", returns="VARCHAR", volatile=True)
def random_string(kind: str, length: int, row: int) -> str | None:
    """Letters of a kind: U, L, A, X or P; anything else counts as U."""
    del row
    letters = _LETTERS.get(kind[:1].upper(), string.ascii_uppercase)
    return "".join(_generator.choices(letters, k=min(max(length, 0), VARCHAR2_MAX))) or None


@scalar("DBMS_RANDOM.VALUE", least=0, most=2)
def value(arguments: Arguments, ctx: BindContext) -> Typed:
    if len(arguments) == 1:
        raise OracleError(6553, "PLS-306: wrong number or types of arguments in call to 'VALUE'")
    bounds = [to_number(argument, ctx) for argument in arguments] or [number_literal(Decimal(0)), number_literal(Decimal(1))]
    texts = ", ".join(as_bytes(bound) for bound in bounds)
    return derived(f"ora_random_value({texts}, {_ROW})", NUMBER, NUMBER_BYTES, *arguments)


@scalar("DBMS_RANDOM.STRING", least=2)
def text(arguments: Arguments, ctx: BindContext) -> Typed:
    kind, length = to_text(arguments[0], ctx), as_integer(to_number(arguments[1], ctx))
    return derived(f"ora_random_string({kind.sql}, {length}, {_ROW})", varchar2(VARCHAR2_MAX), "VARCHAR", *arguments, nullable=True)

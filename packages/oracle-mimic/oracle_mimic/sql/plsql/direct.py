"""Expressions that need no session: exact sums and products of NUMBERs, joined texts, comparisons of them.

Loops of a block mostly count and compare; asking the session for each step would take milliseconds. Whatever is not certain to come
out as the session would have it (rounding, dates, CHAR, functions) raises `AskSessionError`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Context, Decimal, Inexact
from typing import Any

import pyarrow as pa

from oracle_mimic.number import from_decimal
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.values import Value
from oracle_mimic.sql.syntax import (
    And,
    Binary,
    Bind,
    Call,
    Comparison,
    Condition,
    Expression,
    Identifier,
    Is,
    Name,
    Node,
    Not,
    NullLiteral,
    NumberLiteral,
    Or,
    StringLiteral,
    Unary,
)  # fmt: skip
from oracle_mimic.types import Kind, OracleType

_DIGITS = 38
_EXACT = Context(prec=_DIGITS, traps=[Inexact])
_ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {"+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NUMBER = OracleType(Kind.NUMBER)


class AskSessionError(Exception):
    """The expression is not for here."""


Lookup = Callable[[Name | Bind], Value | None]


def value(node: Expression, lookup: Lookup) -> Value:
    """The value of an expression."""
    found = _value(node, lookup)
    if isinstance(found, Decimal):
        if found == int(found) and abs(found) < 10**18:
            return Value(_NUMBER, pa.array([int(found)], pa.int64()))
        return Value(_NUMBER, pa.array([from_decimal(found)], pa.binary()))
    if found is None:
        raise AskSessionError  # the type of NULL is the session's to tell
    return values.text(found)


def holds(node: Condition, lookup: Lookup) -> bool | None:
    """A condition; None is unknown."""
    match node:
        case And(items):
            answers = [holds(item, lookup) for item in items]
            return False if False in answers else None if None in answers else True
        case Or(items):
            answers = [holds(item, lookup) for item in items]
            return True if True in answers else None if None in answers else False
        case Not(operand):
            answer = holds(operand, lookup)
            return None if answer is None else not answer
        case Is("NULL", operand, negated):
            return (_value(operand, lookup) is None) is not negated
        case Comparison(name, left, right, None):
            a, b = _value(left, lookup), _value(right, lookup)
            if a is None or b is None:
                return None
            if type(a) is not type(b) or (isinstance(left, StringLiteral) and isinstance(right, StringLiteral)):
                raise AskSessionError
            return _COMPARE[name](a, b)
    raise AskSessionError


def _value(node: Node, lookup: Lookup) -> Decimal | str | None:
    match node:
        case NullLiteral():
            return None
        case NumberLiteral(text) if text.replace(".", "", 1).isdigit():
            return _within(Decimal(text))
        case StringLiteral(text, False):
            return text or None
        case Name() | Bind():
            return _known(lookup(node))
        case Unary("-", operand):
            number = _value(operand, lookup)
            if isinstance(number, Decimal):
                return -number
        case Binary("||", left, right):
            joined = _text(_value(left, lookup)) + _text(_value(right, lookup))
            return joined or None
        case Binary(name, left, right) if name in _ARITHMETIC:
            return _calculated(_ARITHMETIC[name], left, right, lookup)
        case Call((Identifier("MOD"),), (left, right)):
            return _calculated(_modulo, left, right, lookup)
    raise AskSessionError


def _calculated(function: Callable[[Decimal, Decimal], Decimal], left: Node, right: Node, lookup: Lookup) -> Decimal:
    a, b = _value(left, lookup), _value(right, lookup)
    if not isinstance(a, Decimal) or not isinstance(b, Decimal):
        raise AskSessionError
    try:
        return function(a, b)
    except Inexact as error:
        raise AskSessionError from error


def _modulo(a: Decimal, b: Decimal) -> Decimal:
    """MOD has the sign of its first argument; by 0 it gives that back."""
    return _EXACT.remainder(a, b) if b else a


def _known(found: Value | None) -> Decimal | str | None:
    if found is None:
        raise AskSessionError
    if found.type.kind is Kind.NUMBER:
        number = found.python()
        return None if number is None else _within(Decimal(number))
    if found.type.kind is Kind.VARCHAR2:
        text: str | None = found.python()
        return text
    raise AskSessionError


def _within(number: Decimal) -> Decimal:
    if len(number.as_tuple().digits) > _DIGITS:
        raise AskSessionError
    return number


def _text(found: Decimal | str | None) -> str:
    if not isinstance(found, Decimal):
        return found or ""
    if found != int(found):
        raise AskSessionError  # its text depends on NLS_NUMERIC_CHARACTERS
    return str(int(found))

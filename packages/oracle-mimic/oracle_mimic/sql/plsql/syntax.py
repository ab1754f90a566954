"""The statements of a block. Expressions and SQL are kept as ranges of tokens: they are read when they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle_mimic.sql.lexer import Token
from oracle_mimic.types import OracleType


@dataclass(frozen=True, slots=True)
class Fragment:
    """Tokens of an expression, a condition or a SQL statement."""

    tokens: tuple[Token, ...]

    @property
    def offset(self) -> int:
        return self.tokens[0].start if self.tokens else 0


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be assigned to: a variable, a field of a record, or a bind."""

    name: str
    is_bind: bool
    offset: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """name%TYPE or name%ROWTYPE: resolved when the block begins."""

    name: tuple[str, ...]
    whole_row: bool


@dataclass(frozen=True, slots=True)
class VariableDeclaration:
    name: str
    type: OracleType | TypeOf
    initial: Fragment | None
    constant: bool
    not_null: bool
    offset: int


@dataclass(frozen=True, slots=True)
class ExceptionDeclaration:
    name: str


@dataclass(frozen=True, slots=True)
class ExceptionInit:
    """PRAGMA EXCEPTION_INIT(name, code)."""

    name: str
    code: int
    offset: int


@dataclass(frozen=True, slots=True)
class CursorDeclaration:
    """query None: a REF CURSOR variable (SYS_REFCURSOR)."""

    name: str
    parameters: tuple[VariableDeclaration, ...]
    query: Fragment | None


Declaration = VariableDeclaration | ExceptionDeclaration | ExceptionInit | CursorDeclaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Where it begins in the text, for ORA-06512."""

    offset: int


@dataclass(frozen=True, slots=True)
class Null(Statement):
    pass


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    target: Target
    value: Fragment


@dataclass(frozen=True, slots=True)
class If(Statement):
    branches: tuple[tuple[Fragment, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] | None


@dataclass(frozen=True, slots=True)
class Case(Statement):
    """operand None: the branches hold conditions. otherwise None: ORA-06592 when no branch fits."""

    operand: Fragment | None
    branches: tuple[tuple[Fragment, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] | None


@dataclass(frozen=True, slots=True)
class Loop(Statement):
    """LOOP (condition None) or WHILE."""

    condition: Fragment | None
    body: tuple[Statement, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class RangeLoop(Statement):
    variable: str
    first: Fragment
    last: Fragment
    reverse: bool
    body: tuple[Statement, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class CursorLoop(Statement):
    """FOR record IN (query) or IN cursor(arguments)."""

    variable: str
    query: Fragment | None
    cursor: str | None
    arguments: tuple[Fragment, ...]
    body: tuple[Statement, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class Exit(Statement):
    """EXIT or CONTINUE."""

    goes_on: bool
    label: str | None
    condition: Fragment | None


@dataclass(frozen=True, slots=True)
class Return(Statement):
    pass


@dataclass(frozen=True, slots=True)
class Raise(Statement):
    """name None: the exception being handled, again."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ExecuteImmediate(Statement):
    text: Fragment
    into: tuple[Target, ...]
    using: tuple[tuple[Literal["IN", "OUT", "IN OUT"], Fragment], ...]


@dataclass(frozen=True, slots=True)
class Sql(Statement):
    """A SQL statement; into: of SELECT INTO or RETURNING INTO."""

    fragment: Fragment
    into: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCursor(Statement):
    cursor: Target
    arguments: tuple[Fragment, ...]
    query: Fragment | None
    text: Fragment | None
    using: tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class FetchCursor(Statement):
    cursor: str
    into: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class CloseCursor(Statement):
    cursor: str


@dataclass(frozen=True, slots=True)
class CallProcedure(Statement):
    """name: upper case with dots; arguments: (name of a named one, tokens)."""

    name: str
    arguments: tuple[tuple[str | None, Fragment], ...]


@dataclass(frozen=True, slots=True)
class Handler:
    """names: upper case; OTHERS alone catches all."""

    names: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Block(Statement):
    declarations: tuple[Declaration, ...]
    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...]
    label: str | None = None

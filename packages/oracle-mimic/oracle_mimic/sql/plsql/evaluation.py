"""Values and conditions of a block, what they are assigned to, and the binds of what is run for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from oracle_mimic.door import Binds, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.binder import VARIABLE_PREFIX
from oracle_mimic.sql.inspect import inspect
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.plsql import direct, values
from oracle_mimic.sql.plsql.assignment import Assigner
from oracle_mimic.sql.plsql.expressions import EXPRESSION_PREFIX, Status, Texts
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.syntax import Fragment, Target
from oracle_mimic.sql.plsql.values import Cursor, Frame, Record, Value, Variable
from oracle_mimic.sql.syntax import OWN_RETURNING, Bind, Name
from oracle_mimic.types import Column, Kind, OracleType

_INTO_COUNT = "PLS-00394: wrong number of values in the INTO list of a FETCH statement"


@dataclass(slots=True)
class Client:
    """A bind of the client: its declared type and what it holds now."""

    type: OracleType
    value: Value | Rows | None
    assigned: bool = False


class Evaluator:
    """Evaluates and assigns; the base of the interpreter."""

    def __init__(self, sql: str, clients: dict[str, Client], host: Host) -> None:
        self.sql = sql
        self.clients = clients
        self.host = host
        self.status = Status()
        self.texts = Texts(sql, self.status)
        self.assigner = Assigner(host)
        self.failed_at = 0
        self._failure: OracleError | None = None

    def evaluate(self, fragment: Fragment, frame: Frame, wanted: OracleType | None = None) -> Value:
        """The value of an expression, as `SELECT expression FROM DUAL` gives it."""
        if (simple := self.simple(fragment, frame)) is not None:
            return simple
        if wanted is not None and wanted.kind is Kind.BOOLEAN:
            return self._boolean(fragment, frame)
        try:
            with suppress(direct.AskSessionError):
                return direct.value(self.texts.expression_node(fragment, frame), self._lookup(frame))
            text = self.texts.expression(fragment, frame)
            found = self._first_row(f"SELECT {text} FROM DUAL", frame)
        except OracleError as error:
            raise self.compiled(error, fragment) from error
        return found[0]

    def _boolean(self, fragment: Fragment, frame: Frame) -> Value:
        text = self.texts.condition(fragment, frame)
        found = self._first_row(f"SELECT CASE WHEN {text} THEN 1 WHEN NOT ({text}) THEN 0 END FROM DUAL", frame)
        answer = found[0].python()
        return values.boolean(None if answer is None else bool(answer))

    def simple(self, fragment: Fragment, frame: Frame) -> Value | None:
        """A variable, a bind or a literal, without asking the session."""
        token = fragment.tokens[0]
        if len(fragment.tokens) > 1:
            return None
        if token.kind is TokenKind.BIND:
            client = self.clients[token.value].value
            return client if isinstance(client, Value) else None
        if token.kind is TokenKind.STRING:
            return values.text(token.value)
        if token.kind is TokenKind.NUMBER and token.value.isdigit() and len(token.value) < 18:
            return values.integer(int(token.value))
        if token.is_word("TRUE", "FALSE"):
            return values.boolean(token.value == "TRUE")
        if token.is_word("NULL"):
            return values.text(None)
        entry = frame.find(token.value) if token.kind in (TokenKind.WORD, TokenKind.QUOTED) else None
        return entry.value if isinstance(entry, Variable) else None

    def compiled(self, error: OracleError, fragment: Fragment) -> OracleError:
        """A name that is neither a variable nor a function is a matter of compilation."""
        if error.code not in (904, 911, 920, 923, 936, 907):
            return error
        offset = fragment.offset
        if error.code == 904:
            name = error.text.split(":", 1)[0].replace('"', "")
            return compile_error(self.sql, offset, f"PLS-00201: identifier '{name}' must be declared")
        return compile_error(self.sql, offset, f"PL/SQL: ORA-{error.code:05d}: {error.text}")

    def holds(self, fragment: Fragment, frame: Frame) -> bool:
        """A condition; unknown does not hold."""
        simple = self.simple(fragment, frame)
        if simple is not None and simple.type.kind is Kind.BOOLEAN:
            return bool(simple.python())
        try:
            with suppress(direct.AskSessionError):
                return bool(direct.holds(self.texts.condition_node(fragment, frame), self._lookup(frame)))
            text = self.texts.condition(fragment, frame)
            return bool(self._first_row(f"SELECT CASE WHEN {text} THEN 1 ELSE 0 END FROM DUAL", frame)[0].python())
        except OracleError as error:
            raise self.compiled(error, fragment) from error

    def _lookup(self, frame: Frame) -> direct.Lookup:
        """The value of a variable or bind; None for any other name."""

        def find(node: Name | Bind) -> Value | None:
            if isinstance(node, Bind):
                held = self.clients[node.name].value
                return held if isinstance(held, Value) else None
            entry = frame.find(".".join(part.name for part in node.parts))
            return entry.value if isinstance(entry, Variable) else None

        return find

    def integer(self, fragment: Fragment, frame: Frame) -> int:
        value = self.assigner.converted(self.evaluate(fragment, frame), values.INTEGER).python()
        if value is None:
            raise values.value_error("NULL as a bound of a loop")
        return int(value)

    def binds(self, text: str, frame: Frame) -> Binds:
        """The values of the binds in a text: variables by the prefixes of `Texts`, the client's own by their names."""
        types: list[OracleType] = []
        columns: list[pa.Array | None] = []
        for name in inspect(text).bind_names:
            value = values.text(None) if name.startswith(OWN_RETURNING) else self._bound(name, frame)
            types.append(value.type)
            columns.append(value.array)
        return Binds(types, columns)

    def _bound(self, name: str, frame: Frame) -> Value:
        for prefix in (VARIABLE_PREFIX, EXPRESSION_PREFIX):
            if name.startswith(prefix):
                entry = frame.find(name.removeprefix(prefix))
                if isinstance(entry, Variable):
                    return entry.value
        client = self.clients.get(name)
        if client is None or not isinstance(client.value, Value):
            raise OracleError(1008, "not all variables bound")
        return client.value

    def statement_text(self, fragment: Fragment, frame: Frame, suffix: str = "") -> str:
        """Static SQL is read when the block is compiled: what is wrong with its grammar is ORA-06550."""
        try:
            return self.texts.statement(fragment, frame, suffix)
        except OracleError as error:
            if error.code == 3001:
                raise
            raise compile_error(self.sql, fragment.offset, f"PL/SQL: ORA-{error.code:05d}: {error.text}") from error

    def into_clause(self, count: int) -> str:
        """INTO for the values of RETURNING, whose targets are assigned afterwards."""
        return " INTO " + ", ".join(f':"{OWN_RETURNING}{number}"' for number in range(count)) if count else ""

    def type_bound(self, name: str, frame: Frame) -> OracleType:
        """The type of a bind: of a variable, of the client's, or of a value that RETURNING gives back."""
        return values.TEXT if name.startswith(OWN_RETURNING) else self._bound(name, frame).type

    def _first_row(self, text: str, frame: Frame) -> list[Value]:
        return next(values_of(self.host.query(text, self.binds(text, frame))))

    def assign(self, target: Target, value: Value | Rows, frame: Frame) -> None:
        """ORA-06502 for what does not fit, ORA-06550 for what cannot be assigned to."""
        if target.is_bind:
            client = self.clients[target.name]
            client.assigned = True
            client.value = value if isinstance(value, Rows) else self.assigner.converted(value, client.type)
            return
        entry = frame.find(target.name)
        if isinstance(entry, Cursor) and isinstance(value, Rows):
            entry.rows = value
            return
        if not isinstance(entry, Variable) or isinstance(value, Rows):
            raise compile_error(self.sql, target.offset, f"PLS-00201: identifier '{target.name}' must be declared")
        if entry.constant:
            raise compile_error(self.sql, target.offset, f"PLS-00363: expression '{target.name}' cannot be used as an assignment target")
        if entry.not_null and value.is_null:
            raise values.value_error("cannot assign a NULL value to a NOT NULL variable")
        entry.value = self.assigner.converted(value, entry.type)

    def assign_row(self, targets: Sequence[Target], row: Sequence[Value], frame: Frame) -> None:
        """SELECT INTO and FETCH: into variables one by one, or into one record."""
        if len(targets) == 1 and not targets[0].is_bind:
            entry = frame.find(targets[0].name)
            if isinstance(entry, Record):
                if len(entry.fields) != len(row):
                    raise compile_error(self.sql, targets[0].offset, _INTO_COUNT)
                for variable, value in zip(entry.fields.values(), row, strict=True):
                    variable.value = self.assigner.converted(value, variable.type)
                return
        if len(targets) != len(row):
            code, text = (947, "not enough values") if len(targets) > len(row) else (913, "too many values")
            raise compile_error(self.sql, targets[0].offset, f"PL/SQL: ORA-{code:05d}: {text}")
        for target, value in zip(targets, row, strict=True):
            self.assign(target, value, frame)


def record_of(columns: Sequence[Column]) -> Record:
    return Record({column.name: Variable(column.type, values.null(column.type)) for column in columns})


def values_of(rows: Rows) -> Iterator[list[Value]]:
    for batch in rows.batches:
        for number in range(batch.num_rows):
            yield [Value(column.type, batch.column(n).slice(number, 1)) for n, column in enumerate(rows.columns)]

"""Runs anonymous blocks.

A block that ends with an exception leaves nothing behind: its work is undone to a savepoint set before it, as Oracle undoes a failed
call. Expressions and SQL run through the session, so locks, isolation and errors are those of any statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from oracle_mimic.door import Binds, Outcome, Rows
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.binder import VARIABLE_PREFIX
from oracle_mimic.sql.inspect import inspect
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.assignment import Assigner
from oracle_mimic.sql.plsql.exceptions import PREDEFINED, TEXTS, UserException, catches, traced
from oracle_mimic.sql.plsql.expressions import EXPRESSION_PREFIX, Status, Texts
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.packages import PROCEDURES, Arguments
from oracle_mimic.sql.plsql.parser import BlockParser, compile_error
from oracle_mimic.sql.plsql.syntax import (
    Assign,
    Block,
    CallProcedure,
    Case,
    CloseCursor,
    CursorDeclaration,
    CursorLoop,
    ExceptionDeclaration,
    ExceptionInit,
    ExecuteImmediate,
    Exit,
    FetchCursor,
    Fragment,
    If,
    Loop,
    Null,
    OpenCursor,
    Raise,
    RangeLoop,
    Return,
    Sql,
    Statement,
    Target,
    VariableDeclaration,
)  # fmt: skip
from oracle_mimic.sql.plsql.values import Cursor, Frame, Record, Value, Variable
from oracle_mimic.types import Column, Kind, OracleType

_RAISE_OUTSIDE = "PLS-00367: a RAISE statement with no exception name must be inside an exception handler"
_INTO_COUNT = "PLS-00394: wrong number of values in the INTO list of a FETCH statement"


class _ExitLoop(Exception):  # noqa: N818  # control flow of the interpreted program, not an error
    def __init__(self, label: str | None, *, goes_on: bool) -> None:
        super().__init__(label)
        self.label = label
        self.goes_on = goes_on


class _ReturnFromBlock(Exception):  # noqa: N818  # as above
    pass


@dataclass(slots=True)
class Client:
    """A bind of the client: its declared type and what it holds now."""

    type: OracleType
    value: Value | Rows | None
    assigned: bool = False


def execute(host: Host, sql: str, binds: Binds) -> Outcome:
    """Run a block, once for each row of its binds. Errors leave as they are in Oracle: with ORA-06512 and the line."""
    block = BlockParser(sql).parse()
    names = inspect(sql).bind_names
    outputs = _assigned_binds(block)
    unknown = len(names) - len(binds.types)
    if unknown > 0:
        raise OracleError(1008, "not all variables bound")
    if any(entry for entry in binds.types if entry.kind is Kind.CURSOR) and binds.rows > 1:
        raise refused("an array of executions with a REF CURSOR")
    rows: list[dict[str, Client]] = []
    for number in range(max(binds.rows, 1)):
        clients = {name: _client(binds, position, number) for position, name in enumerate(names)}
        Interpreter(sql, clients, host).run(block)
        rows.append(clients)
    outcome = Outcome(row_count=0)
    outcome.out_values = [_output([row[name] for row in rows]) if name in outputs else None for name in names]
    outcome.out_types = [_output_type(rows[0][name]) if name in outputs else None for name in names]
    return outcome


def _client(binds: Binds, position: int, row: int) -> Client:
    column = binds.columns[position] if position < len(binds.columns) else None
    type_ = binds.types[position]
    if type_.kind is Kind.CURSOR:
        return Client(type_, None)
    return Client(type_, values.null(type_) if column is None else Value(type_, column.slice(row, 1)))


def _output(clients: list[Client]) -> Any:
    found = [client.value for client in clients]
    if isinstance(found[0], Rows):
        return found[0]
    arrays = [value.array for value in found if isinstance(value, Value)]
    if not arrays:
        return None
    common = next((array.type for array in arrays if array.null_count < len(array)), arrays[0].type)
    return pa.concat_arrays([array if array.type == common else _recast(array, common) for array in arrays])


def _recast(array: pa.Array, type_: pa.DataType) -> pa.Array:
    return pa.array(array.to_pylist(), type_)


def _output_type(client: Client) -> OracleType:
    return client.type


def _assigned_binds(block: Block) -> set[str]:
    """The binds that a block may assign to: they go back to the client whether or not it did."""
    found: set[str] = set()
    stack: list[Any] = [block]
    while stack:
        item = stack.pop()
        if isinstance(item, Target):
            if item.is_bind:
                found.add(item.name)
        elif isinstance(item, CallProcedure):
            found.update(_assigned_arguments(item))
        elif isinstance(item, ExecuteImmediate):
            stack.extend(item.into)
            found.update(part.tokens[0].value for mode, part in item.using if mode != "IN" and part.tokens[0].kind is TokenKind.BIND)
        elif isinstance(item, tuple):
            stack.extend(item)
        elif hasattr(item, "__dataclass_fields__") and not isinstance(item, Fragment):
            stack.extend(getattr(item, name) for name in item.__dataclass_fields__)
    return found


def _assigned_arguments(call: CallProcedure) -> set[str]:
    procedure = PROCEDURES.get(call.name.removeprefix("SYS."))
    if procedure is None:
        return set()
    found: set[str] = set()
    for position, (name, fragment) in enumerate(call.arguments):
        parameter = name or (procedure.parameters[position] if position < len(procedure.parameters) else "")
        if parameter in procedure.out and fragment.tokens[0].kind is TokenKind.BIND:
            found.add(fragment.tokens[0].value)
    return found


class Interpreter:
    """One execution of one block."""

    _savepoints = 0

    def __init__(self, sql: str, clients: dict[str, Client], host: Host) -> None:
        self.sql = sql
        self.clients = clients
        self.host = host
        self.status = Status()
        self.texts = Texts(sql, self.status)
        self.assigner = Assigner(host)
        self.failed_at = 0
        self._failure: OracleError | None = None

    def run(self, block: Block) -> None:
        """The outermost block: all of it or, when it fails, nothing."""
        Interpreter._savepoints += 1
        savepoint = f'"PL/SQL call {Interpreter._savepoints}"'
        self.host.execute(f"SAVEPOINT {savepoint}", Binds())
        try:
            self._block(block, None)
        except _ReturnFromBlock:
            return
        except _ExitLoop as stray:
            raise compile_error(self.sql, block.offset, "PLS-00376: illegal EXIT/CONTINUE statement") from stray
        except OracleError as error:
            if not error.fatal:
                self._undo(savepoint)
            if error.code == 6550:
                raise
            raise traced(error, self.sql, self.failed_at) from error

    def _undo(self, savepoint: str) -> None:
        try:
            self.host.execute(f"ROLLBACK TO SAVEPOINT {savepoint}", Binds())
        except OracleError as error:
            if error.code != 1086:  # the block committed: what it committed stays
                raise

    # Blocks

    def _block(self, block: Block, outer: Frame | None) -> None:
        frame = Frame(outer, label=block.label)
        self._declare(block, frame)
        try:
            self._run(block.body, frame)
        except OracleError as error:
            handler = next((h for h in block.handlers if catches(h, error, frame.exception)), None)
            if handler is None:
                raise
            before = self.status.error
            self.status.error = error
            try:
                self._run(handler.body, frame)
            finally:
                self.status.error = before

    def _declare(self, block: Block, frame: Frame) -> None:
        for declaration in block.declarations:
            match declaration:
                case VariableDeclaration():
                    frame.entries[declaration.name] = self._variable(declaration, frame)
                case ExceptionDeclaration(name):
                    frame.exceptions[name] = None
                case ExceptionInit(name, code, offset):
                    if name not in frame.exceptions:
                        raise compile_error(self.sql, offset, f"PLS-00109: unknown exception name '{name}' in PRAGMA EXCEPTION_INIT")
                    frame.exceptions[name] = code
                case CursorDeclaration():
                    frame.entries[declaration.name] = self._declared_cursor(declaration, frame)

    def _variable(self, declaration: VariableDeclaration, frame: Frame) -> Variable | Record:
        found = self._resolved(declaration, frame)
        if isinstance(found, Record):
            return found
        value = values.null(found)
        if declaration.initial is not None:
            value = self.assigner.converted(self._evaluate(declaration.initial, frame, found), found)
        if declaration.not_null and value.is_null:
            raise values.value_error("cannot assign a NULL value to a NOT NULL variable")
        return Variable(found, value, declaration.constant, declaration.not_null)

    def _resolved(self, declaration: VariableDeclaration, frame: Frame) -> OracleType | Record:
        """The declared type; %TYPE and %ROWTYPE are looked up now."""
        type_ = declaration.type
        if isinstance(type_, OracleType):
            return type_
        name = ".".join(type_.name)
        entry = frame.find(name)
        if isinstance(entry, Variable) and not type_.whole_row:
            return entry.type
        if isinstance(entry, Cursor) and type_.whole_row:
            raise refused("cursor%ROWTYPE", offset=declaration.offset)
        source = ".".join(f'"{part}"' for part in (type_.name if type_.whole_row else type_.name[:-1]))
        column = "*" if type_.whole_row else f'"{type_.name[-1]}"'
        if not source:
            raise compile_error(self.sql, declaration.offset, f"PLS-00201: identifier '{name}' must be declared")
        try:
            columns = self.host.describe(f"SELECT {column} FROM {source} WHERE 1 = 0", ())
        except OracleError as error:
            text = f"PLS-00201: identifier '{name}' must be declared"
            raise compile_error(self.sql, declaration.offset, text) from error
        if type_.whole_row:
            return _record(columns)
        return columns[0].type

    def _declared_cursor(self, declaration: CursorDeclaration, frame: Frame) -> Cursor:
        parameters: list[tuple[str, OracleType]] = []
        for parameter in declaration.parameters:
            resolved = self._resolved(parameter, frame)
            if isinstance(resolved, Record):
                raise refused("a record as a cursor's parameter", offset=parameter.offset)
            parameters.append((parameter.name, resolved))
        query = declaration.query

        def open_(arguments: tuple[Any, ...]) -> Rows:
            inner = Frame(frame)
            for (name, type_), value in zip(parameters, arguments, strict=True):
                inner.entries[name] = Variable(type_, self.assigner.converted(value, type_))
            if query is None:
                raise OracleError(1001, "invalid cursor")
            return self._query(query, inner)

        return Cursor(open_ if query is not None else None, parameters=tuple(parameters))

    # Values

    def _evaluate(self, fragment: Fragment, frame: Frame, wanted: OracleType | None = None) -> Value:
        """The value of an expression, as `SELECT expression FROM DUAL` gives it."""
        if (simple := self._simple(fragment, frame)) is not None:
            return simple
        if wanted is not None and wanted.kind is Kind.BOOLEAN:
            return self._boolean(fragment, frame)
        try:
            text = self.texts.expression(fragment, frame)
            found = self._first_row(f"SELECT {text} FROM DUAL", frame)
        except OracleError as error:
            raise self._compiled(error, fragment) from error
        return found[0]

    def _boolean(self, fragment: Fragment, frame: Frame) -> Value:
        text = self.texts.condition(fragment, frame)
        found = self._first_row(f"SELECT CASE WHEN {text} THEN 1 WHEN NOT ({text}) THEN 0 END FROM DUAL", frame)
        answer = found[0].python()
        return values.boolean(None if answer is None else bool(answer))

    def _simple(self, fragment: Fragment, frame: Frame) -> Value | None:
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

    def _compiled(self, error: OracleError, fragment: Fragment) -> OracleError:
        """A name that is neither a variable nor a function is a matter of compilation."""
        if error.code not in (904, 911, 920, 923, 936, 907):
            return error
        offset = fragment.offset
        if error.code == 904:
            name = error.text.split(":", 1)[0].replace('"', "")
            return compile_error(self.sql, offset, f"PLS-00201: identifier '{name}' must be declared")
        return compile_error(self.sql, offset, f"PL/SQL: ORA-{error.code:05d}: {error.text}")

    def _holds(self, fragment: Fragment, frame: Frame) -> bool:
        """A condition; unknown does not hold."""
        simple = self._simple(fragment, frame)
        if simple is not None and simple.type.kind is Kind.BOOLEAN:
            return bool(simple.python())
        try:
            text = self.texts.condition(fragment, frame)
            return bool(self._first_row(f"SELECT CASE WHEN {text} THEN 1 ELSE 0 END FROM DUAL", frame)[0].python())
        except OracleError as error:
            raise self._compiled(error, fragment) from error

    def _binds(self, text: str, frame: Frame, extra: dict[str, Value] | None = None) -> Binds:
        """The values of the binds in a text: variables by the prefixes of `Texts`, the client's own by their names."""
        types: list[OracleType] = []
        columns: list[pa.Array | None] = []
        for name in inspect(text).bind_names:
            value = (extra or {}).get(name) or self._bound(name, frame)
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

    def _first_row(self, text: str, frame: Frame) -> list[Value]:
        return next(_values(self.host.query(text, self._binds(text, frame))))

    # Assignment

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

    # Statements

    def _run(self, statements: Sequence[Statement], frame: Frame) -> None:
        for statement in statements:
            try:
                self._statement(statement, frame)
            except OracleError as error:
                if self._failure is not error:
                    self._failure, self.failed_at = error, statement.offset
                raise

    def _statement(self, statement: Statement, frame: Frame) -> None:
        match statement:
            case Null():
                pass
            case Assign(target, value):
                self._assign(target, value, frame)
            case If(branches, otherwise):
                chosen = next((body for condition, body in branches if self._holds(condition, frame)), otherwise)
                self._run(chosen or (), frame)
            case Case():
                self._case(statement, frame)
            case Loop() | RangeLoop() | CursorLoop():
                self._loop(statement, frame)
            case Exit(goes_on, label, condition):
                if condition is None or self._holds(condition, frame):
                    raise _ExitLoop(label, goes_on=goes_on)
            case Return():
                raise _ReturnFromBlock
            case Raise(name):
                raise self._raised(name, statement, frame)
            case ExecuteImmediate():
                self._execute_immediate(statement, frame)
            case Sql(fragment, into):
                self._sql(fragment, into, frame)
            case OpenCursor():
                self._open(statement, frame)
            case FetchCursor(name, into):
                self._fetch(self._cursor(name, statement.offset, frame), into, frame)
            case CloseCursor(name):
                self._close(self._cursor(name, statement.offset, frame))
            case CallProcedure():
                self._call(statement, frame)
            case Block():
                self._block(statement, frame)
            case _:
                raise refused(type(statement).__name__)

    def _assign(self, target: Target, value: Fragment, frame: Frame) -> None:
        entry = None if target.is_bind else frame.find(target.name)
        source = frame.find(value.tokens[0].value) if len(value.tokens) == 1 and value.tokens[0].kind is TokenKind.WORD else None
        if isinstance(source, Cursor) and source.rows is not None:
            self.assign(target, source.rows, frame)
            return
        wanted = entry.type if isinstance(entry, Variable) else None
        self.assign(target, self._evaluate(value, frame, wanted), frame)

    def _case(self, statement: Case, frame: Frame) -> None:
        for test, body in statement.branches:
            condition = test
            if statement.operand is not None:
                equals = Token(TokenKind.OP, "=", test.offset, test.offset)
                condition = Fragment((*statement.operand.tokens, equals, *test.tokens))
            if self._holds(condition, frame):
                self._run(body, frame)
                return
        if statement.otherwise is None:
            raise OracleError(6592, TEXTS[6592])
        self._run(statement.otherwise, frame)

    def _raised(self, name: str | None, statement: Statement, frame: Frame) -> OracleError:
        if name is None:
            if self.status.error is None:
                return compile_error(self.sql, statement.offset, _RAISE_OUTSIDE)
            return self.status.error
        declared, code = frame.exception(name)
        if declared:
            return UserException(name) if code is None else OracleError(code, TEXTS.get(code, f"Message {code} not found"))
        if name in PREDEFINED:
            return OracleError(PREDEFINED[name], TEXTS[PREDEFINED[name]])
        return compile_error(self.sql, statement.offset, f"PLS-00201: identifier '{name}' must be declared")

    # Loops

    def _loop(self, statement: Loop | RangeLoop | CursorLoop, frame: Frame) -> None:
        for inner in self._rounds(statement, frame):
            try:
                self._run(statement.body, inner)
            except _ExitLoop as leaving:
                if leaving.label not in (None, statement.label):
                    raise
                if not leaving.goes_on:
                    return

    def _rounds(self, statement: Loop | RangeLoop | CursorLoop, frame: Frame) -> Iterator[Frame]:
        if isinstance(statement, Loop):
            while statement.condition is None or self._holds(statement.condition, frame):
                yield frame
        elif isinstance(statement, RangeLoop):
            first, last = (self._integer(part, frame) for part in (statement.first, statement.last))
            numbers = range(first, last + 1)
            for number in reversed(numbers) if statement.reverse else numbers:
                yield Frame(frame, {statement.variable: Variable(values.INTEGER, values.integer(number), constant=True)})
        else:
            rows = self._loop_rows(statement, frame)
            try:
                for row in _values(rows):
                    record = _record(rows.columns)
                    for variable, value in zip(record.fields.values(), row, strict=True):
                        variable.value = value
                    yield Frame(frame, {statement.variable: record})
            finally:
                rows.close()

    def _integer(self, fragment: Fragment, frame: Frame) -> int:
        value = self.assigner.converted(self._evaluate(fragment, frame), values.INTEGER).python()
        if value is None:
            raise values.value_error("NULL as a bound of a loop")
        return int(value)

    def _loop_rows(self, statement: CursorLoop, frame: Frame) -> Rows:
        if statement.query is not None:
            return self._query(statement.query, frame)
        cursor = self._cursor(statement.cursor or "", statement.offset, frame)
        if cursor.open is None:
            raise compile_error(self.sql, statement.offset, f"PLS-00221: '{statement.cursor}' is not a procedure or is undefined")
        return cursor.open(tuple(self._evaluate(argument, frame) for argument in statement.arguments))

    # Cursors

    def _cursor(self, name: str, offset: int, frame: Frame) -> Cursor:
        entry = frame.find(name)
        if not isinstance(entry, Cursor):
            raise compile_error(self.sql, offset, f"PLS-00201: identifier '{name}' must be declared")
        return entry

    def _open(self, statement: OpenCursor, frame: Frame) -> None:
        rows: Rows
        if statement.query is not None:
            rows = self._query(statement.query, frame)
        elif statement.text is not None:
            text = str(self._evaluate(statement.text, frame).python() or "")
            given = [self._evaluate(part, frame) for part in statement.using]
            rows = self.host.query(text, Binds([v.type for v in given], [v.array for v in given]))
        else:
            cursor = self._cursor(statement.cursor.name, statement.offset, frame)
            if cursor.rows is not None:
                raise OracleError(6511, TEXTS[6511])
            if cursor.open is None:
                raise OracleError(1001, "invalid cursor")
            rows = cursor.open(tuple(self._evaluate(argument, frame) for argument in statement.arguments))
        if statement.cursor.is_bind:
            self.assign(statement.cursor, rows, frame)
            return
        cursor = self._cursor(statement.cursor.name, statement.offset, frame)
        cursor.rows, cursor.reader, cursor.found, cursor.row_count = rows, _values(rows), None, 0

    def _fetch(self, cursor: Cursor, into: Sequence[Target], frame: Frame) -> None:
        if cursor.rows is None or cursor.reader is None:
            raise OracleError(1001, "invalid cursor")
        row = next(cursor.reader, None)
        cursor.found = row is not None
        if row is not None:
            cursor.row_count += 1
            self.assign_row(into, row, frame)

    def _close(self, cursor: Cursor) -> None:
        if cursor.rows is None:
            raise OracleError(1001, "invalid cursor")
        cursor.rows.close()
        cursor.rows = cursor.reader = None

    # SQL

    def _query(self, fragment: Fragment, frame: Frame) -> Rows:
        text = self._statement_text(fragment, frame)
        return self.host.query(text, self._binds(text, frame))

    def _statement_text(self, fragment: Fragment, frame: Frame, suffix: str = "") -> str:
        """Static SQL is read when the block is compiled: what is wrong with its grammar is ORA-06550."""
        try:
            return self.texts.statement(fragment, frame, suffix)
        except OracleError as error:
            if error.code == 3001:
                raise
            raise compile_error(self.sql, fragment.offset, f"PL/SQL: ORA-{error.code:05d}: {error.text}") from error

    def _sql(self, fragment: Fragment, into: Sequence[Target], frame: Frame) -> None:
        if fragment.tokens[0].is_word("SELECT", "WITH"):
            self._select_into(self._query(fragment, frame), into, frame)
            return
        names = [f"RETURNED {number}" for number in range(len(into))]
        text = self._statement_text(fragment, frame, " INTO " + ", ".join(f':"{name}"' for name in names) if into else "")
        if not fragment.tokens[0].is_word("INSERT", "UPDATE", "DELETE", "MERGE"):
            self.host.execute(text, Binds())
            return
        extra = {name: values.text(None) for name in names}
        binds = self._binds(text, frame, extra)
        if names:
            binds.columns = [*binds.columns[: -len(names)], *([None] * len(names))]
        outcome = self.host.execute(text, binds)
        self.status.row_count = outcome.row_count
        if into:
            self._returned(outcome, into, frame)

    def _returned(self, outcome: Outcome, into: Sequence[Target], frame: Frame) -> None:
        arrays = [per_execution[0] for per_execution in outcome.returning]
        if not arrays or len(arrays[0]) == 0:
            return
        if len(arrays[0]) > 1:
            raise OracleError(1422, TEXTS[1422])
        row = [Value(type_, array.slice(0, 1)) for type_, array in zip(outcome.returning_types, arrays, strict=True)]
        self.assign_row(into, row, frame)

    def _select_into(self, rows: Rows, into: Sequence[Target], frame: Frame) -> None:
        found = list(islice(_values(rows), 2))
        rows.close()
        if not found:
            self.status.row_count = 0
            raise OracleError(1403, TEXTS[1403])
        if len(found) > 1:
            self.status.row_count = 1
            raise OracleError(1422, TEXTS[1422])
        self.status.row_count = 1
        self.assign_row(into, found[0], frame)

    def _execute_immediate(self, statement: ExecuteImmediate, frame: Frame) -> None:
        """Dynamic SQL: USING gives the binds by position (PL/SQL: by first appearance)."""
        text = str(self._evaluate(statement.text, frame).python() or "")
        info = inspect(text)
        if info.kind != "plsql":
            text = text.rstrip()
        if info.kind in ("ddl", "other"):
            if statement.using:
                raise OracleError(1027, "bind variables not allowed for data definition operations")
            self.host.execute(text, Binds())
            return
        if len(statement.using) < len(info.bind_names):
            raise OracleError(1008, "not all variables bound")
        if len(statement.using) > len(info.bind_names):
            raise OracleError(1006, "bind variable does not exist")
        given = [self._evaluate(part, frame) if mode != "OUT" else self._type_of(part, frame) for mode, part in statement.using]
        columns = [None if mode == "OUT" and info.kind == "dml" else v.array for (mode, _), v in zip(statement.using, given, strict=True)]
        binds = Binds([value.type for value in given], columns)
        if info.kind == "query":
            rows = self.host.query(text, binds)
            if statement.into:
                self._select_into(rows, statement.into, frame)
            else:
                rows.close()
            return
        outcome = self.host.execute(text, binds)
        if info.kind == "dml":
            self.status.row_count = outcome.row_count
        outputs = [part for mode, part in statement.using if mode != "IN"]
        if info.kind == "dml" and outputs:
            self._returned(outcome, [_target_of(part) for part in outputs], frame)
        elif outputs and outcome.out_values is not None:
            for (mode, part), array, value in zip(statement.using, outcome.out_values, given, strict=True):
                if mode != "IN" and array is not None:
                    self.assign(_target_of(part), Value(value.type, array), frame)

    def _type_of(self, fragment: Fragment, frame: Frame) -> Value:
        """An OUT argument: nothing but its type."""
        value = self._simple(fragment, frame)
        return values.null(value.type if value is not None else values.TEXT)

    # Procedures

    def _call(self, statement: CallProcedure, frame: Frame) -> None:
        name = statement.name.removeprefix("SYS.")
        if name == "RAISE_APPLICATION_ERROR":
            raise self._application_error(statement, frame)
        procedure = PROCEDURES.get(name)
        if procedure is None:
            raise self._unknown_procedure(name, statement)
        given: dict[str, Value] = {}
        outputs: dict[str, Target] = {}
        for position, (named, fragment) in enumerate(statement.arguments):
            parameter = named or (procedure.parameters[position] if position < len(procedure.parameters) else "")
            if not parameter or (parameter not in procedure.parameters and not procedure.others):
                text = f"PLS-00306: wrong number or types of arguments in call to '{name.rsplit('.', 1)[-1]}'"
                raise compile_error(self.sql, statement.offset, text)
            if parameter in procedure.out:
                outputs[parameter] = _target_of(fragment)
            else:
                given[parameter] = self._argument(fragment, frame)
        if len(given) + len(outputs) < procedure.required:
            text = f"PLS-00306: wrong number or types of arguments in call to '{name.rsplit('.', 1)[-1]}'"
            raise compile_error(self.sql, statement.offset, text)
        arguments = Arguments(given)
        procedure.run(self.host, arguments)
        for parameter, target in outputs.items():
            self.assign(target, arguments.out[parameter], frame)

    def _argument(self, fragment: Fragment, frame: Frame) -> Value:
        """An argument as text or number. Dates and the like become text as TO_CHAR makes them."""
        value = self._evaluate(fragment, frame)
        if value.type.kind in (Kind.NUMBER, Kind.VARCHAR2, Kind.CHAR, Kind.NVARCHAR2, Kind.NCHAR, Kind.BOOLEAN, Kind.CLOB):
            return value
        return self.assigner.converted(value, values.TEXT)

    def _application_error(self, statement: CallProcedure, frame: Frame) -> OracleError:
        if not 2 <= len(statement.arguments) <= 3:
            return compile_error(
                self.sql, statement.offset, "PLS-00306: wrong number or types of arguments in call to 'RAISE_APPLICATION_ERROR'"
            )
        code = self._integer(statement.arguments[0][1], frame)
        message = self.assigner.converted(self._evaluate(statement.arguments[1][1], frame), values.TEXT).python()
        if not -20999 <= code <= -20000:
            return OracleError(21000, f"error number argument to raise_application_error of {code} is out of range")
        return OracleError(-code, message or "")

    def _unknown_procedure(self, name: str, statement: CallProcedure) -> OracleError:
        if name.startswith(("DBMS_", "UTL_", "CTX_", "APEX_", "OWA_")):
            return refused(f"procedure {name}", offset=statement.offset)
        return compile_error(self.sql, statement.offset, f"PLS-00201: identifier '{name}' must be declared")


def _target_of(fragment: Fragment) -> Target:
    token = fragment.tokens[0]
    if len(fragment.tokens) == 1 and token.kind is TokenKind.BIND:
        return Target(token.value, True, token.start)
    return Target("".join(part.value for part in fragment.tokens), False, token.start)


def _record(columns: Sequence[Column]) -> Record:
    return Record({column.name: Variable(column.type, values.null(column.type)) for column in columns})


def _values(rows: Rows) -> Iterator[list[Value]]:
    for batch in rows.batches:
        for number in range(batch.num_rows):
            yield [Value(column.type, batch.column(n).slice(number, 1)) for n, column in enumerate(rows.columns)]

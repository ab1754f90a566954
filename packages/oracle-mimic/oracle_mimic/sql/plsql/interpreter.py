"""Runs anonymous blocks.

A block that ends with an exception leaves nothing behind: its work is undone to a savepoint set before it, as Oracle undoes a failed
call. Expressions and SQL run through the session, so locks, isolation and errors are those of any statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from oracle_mimic.door import Binds, Outcome, Rows
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.inspect import inspect
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.calls import ProcedureCaller
from oracle_mimic.sql.plsql.evaluation import Client, record_of, values_of
from oracle_mimic.sql.plsql.exceptions import PREDEFINED, TEXTS, UserException, catches, traced
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.packages import PROCEDURES
from oracle_mimic.sql.plsql.parser import BlockParser
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
from oracle_mimic.types import Kind, OracleType

_RAISE_OUTSIDE = "PLS-00367: a RAISE statement with no exception name must be inside an exception handler"


class _ExitLoop(Exception):  # noqa: N818  # control flow of the interpreted program, not an error
    def __init__(self, label: str | None, *, goes_on: bool) -> None:
        super().__init__(label)
        self.label = label
        self.goes_on = goes_on


class _ReturnFromBlock(Exception):  # noqa: N818  # as above
    pass


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
        interpreter = Interpreter(sql, clients, host)
        if not number:
            interpreter.compile(block, None)
        interpreter.run(block)
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


class Interpreter(ProcedureCaller):
    """One execution of one block."""

    def run(self, block: Block) -> None:
        """The outermost block: all of it or, when it fails, nothing."""
        self.host.call_depth += 1
        savepoint = f'"PL/SQL call {self.host.call_depth}"'
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
        finally:
            self.host.call_depth -= 1

    def _undo(self, savepoint: str) -> None:
        try:
            self.host.execute(f"ROLLBACK TO SAVEPOINT {savepoint}", Binds())
        except OracleError as error:
            if error.code != 1086:  # the block committed: what it committed stays
                raise

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
        found = self.resolved(declaration, frame)
        if isinstance(found, Record):
            return found
        value = values.null(found)
        if declaration.initial is not None:
            value = self.assigner.converted(self.evaluate(declaration.initial, frame, found), found)
        if declaration.not_null and value.is_null:
            raise values.value_error("cannot assign a NULL value to a NOT NULL variable")
        return Variable(found, value, declaration.constant, declaration.not_null)

    def _declared_cursor(self, declaration: CursorDeclaration, frame: Frame) -> Cursor:
        parameters: list[tuple[str, OracleType]] = []
        for parameter in declaration.parameters:
            resolved = self.resolved(parameter, frame)
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
            return self.query(query, inner)

        return Cursor(open_ if query is not None else None, parameters=tuple(parameters))

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
                chosen = next((body for condition, body in branches if self.holds(condition, frame)), otherwise)
                self._run(chosen or (), frame)
            case Case():
                self._case(statement, frame)
            case Loop() | RangeLoop() | CursorLoop():
                self._loop(statement, frame)
            case Exit(goes_on, label, condition):
                if condition is None or self.holds(condition, frame):
                    raise _ExitLoop(label, goes_on=goes_on)
            case Return():
                raise _ReturnFromBlock
            case Raise(name):
                raise self._raised(name, statement, frame)
            case ExecuteImmediate():
                self.execute_immediate(statement, frame)
            case Sql(fragment, into):
                self.run_sql(fragment, into, frame)
            case OpenCursor():
                self.open(statement, frame)
            case FetchCursor(name, into):
                self.fetch(self.cursor(name, statement.offset, frame), into, frame)
            case CloseCursor(name):
                self.close(self.cursor(name, statement.offset, frame))
            case CallProcedure():
                self.call(statement, frame)
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
        self.assign(target, self.evaluate(value, frame, wanted), frame)

    def _case(self, statement: Case, frame: Frame) -> None:
        for test, body in statement.branches:
            condition = test
            if statement.operand is not None:
                equals = Token(TokenKind.OP, "=", test.offset, test.offset)
                condition = Fragment((*statement.operand.tokens, equals, *test.tokens))
            if self.holds(condition, frame):
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
            while statement.condition is None or self.holds(statement.condition, frame):
                yield frame
        elif isinstance(statement, RangeLoop):
            first, last = (self.integer(part, frame) for part in (statement.first, statement.last))
            numbers = range(first, last + 1)
            for number in reversed(numbers) if statement.reverse else numbers:
                yield Frame(frame, {statement.variable: Variable(values.INTEGER, values.integer(number), constant=True)})
        else:
            rows = self._loop_rows(statement, frame)
            try:
                for row in values_of(rows):
                    record = record_of(rows.columns)
                    for variable, value in zip(record.fields.values(), row, strict=True):
                        variable.value = value
                    yield Frame(frame, {statement.variable: record})
            finally:
                rows.close()

    def _loop_rows(self, statement: CursorLoop, frame: Frame) -> Rows:
        if statement.query is not None:
            return self.query(statement.query, frame)
        cursor = self.cursor(statement.cursor or "", statement.offset, frame)
        if cursor.open is None:
            raise compile_error(self.sql, statement.offset, f"PLS-00221: '{statement.cursor}' is not a procedure or is undefined")
        return cursor.open(tuple(self.evaluate(argument, frame) for argument in statement.arguments))

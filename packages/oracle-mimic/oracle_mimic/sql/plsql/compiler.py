"""What Oracle notices before a block runs: names and static SQL that do not hold are ORA-06550, and no handler sees it."""

from __future__ import annotations

from collections.abc import Sequence

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.inspect import inspect
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.evaluation import Evaluator, record_of
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.syntax import (
    Block,
    Case,
    CursorDeclaration,
    CursorLoop,
    Fragment,
    If,
    Loop,
    OpenCursor,
    RangeLoop,
    Sql,
    Statement,
    TypeOf,
    VariableDeclaration,
)  # fmt: skip
from oracle_mimic.sql.plsql.values import Cursor, Frame, Record, Variable
from oracle_mimic.types import OracleType

_CHECKED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE")


def _is_static(code: int) -> bool:
    """Whether an error is one of the text: values (a moment of AS OF, say) are not there before the block runs."""
    return 900 <= code <= 999 or code in (1031, 1446, 1747, 1785, 1789, 1790, 1791, 2289, 4063, 38101, 38104)


class Compiler(Evaluator):
    """Checks a block against the dictionary; the interpreter runs only what passed."""

    def compile(self, block: Block, outer: Frame | None) -> None:
        """Every SQL statement of a block and of those inside it."""
        frame = Frame(outer, label=block.label)
        for declaration in block.declarations:
            if isinstance(declaration, VariableDeclaration):
                found = self.resolved(declaration, frame)
                frame.entries[declaration.name] = found if isinstance(found, Record) else Variable(found, values.null(found))
            elif isinstance(declaration, CursorDeclaration):
                self._cursor(declaration, frame)
        self._statements(block.body, frame)
        for handler in block.handlers:
            self._statements(handler.body, frame)

    def _cursor(self, declaration: CursorDeclaration, frame: Frame) -> None:
        inner = Frame(frame)
        for parameter in declaration.parameters:
            found = self.resolved(parameter, frame)
            if isinstance(found, OracleType):
                inner.entries[parameter.name] = Variable(found, values.null(found))
        frame.entries[declaration.name] = Cursor()
        if declaration.query is not None:
            self._check(declaration.query, inner)

    def _statements(self, statements: Sequence[Statement], frame: Frame) -> None:
        for statement in statements:
            match statement:
                case Block():
                    self.compile(statement, frame)
                case If(branches, otherwise) | Case(_, branches, otherwise):
                    for _, body in branches:
                        self._statements(body, frame)
                    self._statements(otherwise or (), frame)
                case Loop():
                    self._statements(statement.body, frame)
                case RangeLoop():
                    number = Variable(values.INTEGER, values.integer(0))
                    self._statements(statement.body, Frame(frame, {statement.variable: number}))
                case CursorLoop():
                    self._cursor_loop(statement, frame)
                case Sql(fragment, into):
                    self._check(fragment, frame, len(into))
                case OpenCursor(query=query) if query is not None:
                    self._check(query, frame)

    def _cursor_loop(self, statement: CursorLoop, frame: Frame) -> None:
        if statement.query is None:
            return  # the record's fields are known when the cursor opens
        text = self._check(statement.query, frame)
        record = record_of(self.host.describe(text, self.bind_types(text, frame)))
        self._statements(statement.body, Frame(frame, {statement.variable: record}))

    def _check(self, fragment: Fragment, frame: Frame, into: int = 0) -> str:
        if not fragment.tokens[0].is_word(*_CHECKED):
            return ""
        returning = into and not fragment.tokens[0].is_word("SELECT", "WITH")
        text = self.statement_text(fragment, frame, self.into_clause(into) if returning else "")
        try:
            self.host.check(text, self.bind_types(text, frame))
        except OracleError as error:
            if error.code == 3001:
                raise
            if not _is_static(error.code):
                return text
            raise compile_error(self.sql, fragment.offset, f"PL/SQL: ORA-{error.code:05d}: {error.text}") from error
        return text

    def bind_types(self, text: str, frame: Frame) -> list[OracleType]:
        """The types of the binds in a text; INTO has none of its own."""
        return [self.type_bound(name, frame) for name in inspect(text).bind_names]

    def resolved(self, declaration: VariableDeclaration, frame: Frame) -> OracleType | Record:
        """The declared type; %TYPE and %ROWTYPE are looked up."""
        type_ = declaration.type
        if not isinstance(type_, TypeOf):
            return type_
        name = ".".join(type_.name)
        entry = frame.find(name)
        if isinstance(entry, Variable) and not type_.whole_row:
            return entry.type
        source = ".".join(f'"{part}"' for part in (type_.name if type_.whole_row else type_.name[:-1]))
        column = "*" if type_.whole_row else f'"{type_.name[-1]}"'
        text = f"PLS-00201: identifier '{name}' must be declared"
        if not source or isinstance(entry, Cursor):
            raise compile_error(self.sql, declaration.offset, text)
        try:
            columns = self.host.describe(f"SELECT {column} FROM {source} WHERE 1 = 0", ())
        except OracleError as error:
            raise compile_error(self.sql, declaration.offset, text) from error
        return record_of(columns) if type_.whole_row else columns[0].type

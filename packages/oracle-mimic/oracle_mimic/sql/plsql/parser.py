"""The grammar of anonymous blocks: their parts and declarations."""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.datatypes import data_type
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.statement_parser import StatementParser
from oracle_mimic.sql.plsql.syntax import (
    Block,
    CursorDeclaration,
    Declaration,
    ExceptionDeclaration,
    ExceptionInit,
    Handler,
    TypeOf,
    VariableDeclaration,
)  # fmt: skip
from oracle_mimic.types import Kind, OracleType


class BlockParser(StatementParser):
    """Reads one anonymous block, or a CALL statement."""

    def parse(self) -> Block:
        """The whole text. Errors: ORA-06550 with PLS-00103 at the token that does not fit, ORA-03001 for what is not spoken."""
        if self.take_word("CALL"):
            call = self._call_or_assignment()
            self.finish_block()
            return Block((), (call,), (), offset=0)
        block = self._block()
        self.finish_block()
        return block

    def finish_block(self) -> None:
        self.take_op("/")
        if self.token.kind is not TokenKind.END:
            raise self._unexpected()

    def _block(self, label: str | None = None) -> Block:
        label = label or self._label()
        offset = self.token.start
        declarations = self._declarations() if self.take_word("DECLARE") else ()
        self._expect("BEGIN")
        body = self._statements("EXCEPTION", "END")
        handlers: list[Handler] = []
        if self.take_word("EXCEPTION"):
            while self.at_word("WHEN"):
                handlers.append(self._handler())
        self._expect("END")
        if not self.at_op(";") and self.token.kind is not TokenKind.END:
            self._name()
        self._expect_op(";")
        return Block(declarations, body, tuple(handlers), label, offset=offset)

    def _handler(self) -> Handler:
        self.advance()
        names = [self._name()]
        while self.take_word("OR"):
            names.append(self._name())
        self._expect("THEN")
        return Handler(tuple(names), self._statements("WHEN", "END"))

    def _declarations(self) -> tuple[Declaration, ...]:
        found: list[Declaration] = []
        while not self.at_word("BEGIN"):
            found.append(self._declaration())
        return tuple(found)

    def _declaration(self) -> Declaration:
        offset = self.token.start
        if self.at_word("PROCEDURE", "FUNCTION", "TYPE", "SUBTYPE"):
            raise refused(f"PL/SQL {self.token.value} in a block", offset=offset)
        if self.take_word("PRAGMA"):
            return self._pragma(offset)
        if self.take_word("CURSOR"):
            return self._cursor()
        name = self._name()
        if self.take_word("EXCEPTION"):
            self._expect_op(";")
            return ExceptionDeclaration(name)
        if self.take_word("SYS_REFCURSOR"):
            self._expect_op(";")
            return CursorDeclaration(name, (), None)
        constant = bool(self.take_word("CONSTANT"))
        type_ = self._type()
        not_null = self.take_words("NOT", "NULL")
        initial = self._fragment(";") if self.take_op(":=") or self.take_word("DEFAULT") else None
        self._expect_op(";")
        return VariableDeclaration(name, type_, initial, constant, not_null, offset)

    def _pragma(self, offset: int) -> Declaration:
        what = self._name()
        if what != "EXCEPTION_INIT":
            raise refused(f"PRAGMA {what}", offset=offset)
        self._expect_op("(")
        name = self._name()
        self._expect_op(",")
        sign = -1 if self.take_op("-") else 1
        code = sign * self.unsigned_integer()
        self._expect_op(")")
        self._expect_op(";")
        if code > 0 and code != 100:
            raise compile_error(self.sql, offset, "PLS-00701: illegal ORACLE error number for PRAGMA EXCEPTION_INIT")
        return ExceptionInit(name, abs(code) if code != 100 else 1403, offset)

    def _cursor(self) -> CursorDeclaration:
        name = self._name()
        parameters: list[VariableDeclaration] = []
        if self.take_op("("):
            while True:
                offset = self.token.start
                parameter = self._name()
                self.take_word("IN")
                parameters.append(VariableDeclaration(parameter, self._parameter_type(), None, True, False, offset))
                if not self.take_op(","):
                    break
            self._expect_op(")")
        self._expect("IS")
        query = self._fragment(";")
        self._expect_op(";")
        return CursorDeclaration(name, tuple(parameters), query)

    def _parameter_type(self) -> OracleType | TypeOf:
        """A cursor's parameter: a type without length."""
        if self.at_word("VARCHAR2", "VARCHAR") and not self.peek().is_op("("):
            self.advance()
            return OracleType(Kind.VARCHAR2, length=32767)
        return self._type()

    def _type(self) -> OracleType | TypeOf:
        if self.peek().is_op("%", "."):
            names = [self._name()]
            while self.take_op("."):
                names.append(self._name())
            self._expect_op("%")
            return TypeOf(tuple(names), self._expect("TYPE", "ROWTYPE").value == "ROWTYPE")
        if self.at_word("TABLE", "VARRAY", "RECORD", "REF"):
            raise refused(f"PL/SQL type {self.token.value}", offset=self.token.start)
        offset = self.token.start
        try:
            return data_type(self, plsql=True)
        except OracleError as error:
            if error.code != 902:
                raise
            text = f"PLS-00201: identifier '{self.sql[offset : self.tokens[self.position - 1].end].upper()}' must be declared"
            raise compile_error(self.sql, offset, text) from error

"""The grammar of anonymous blocks."""

from __future__ import annotations

from typing import Literal, cast

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.parser.datatypes import data_type
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.plsql.syntax import (
    Assign,
    Block,
    CallProcedure,
    Case,
    CloseCursor,
    CursorDeclaration,
    CursorLoop,
    Declaration,
    ExceptionDeclaration,
    ExceptionInit,
    ExecuteImmediate,
    Exit,
    FetchCursor,
    Fragment,
    Handler,
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
    TypeOf,
    VariableDeclaration,
)  # fmt: skip
from oracle_mimic.types import Kind, OracleType

_SQL = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "COMMIT", "ROLLBACK", "SAVEPOINT", "SET", "LOCK")
_REFUSED = {"GOTO": "GOTO", "FORALL": "FORALL", "PIPE": "PIPE ROW"}
_NO_DDL = ("CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE", "COMMENT", "RENAME")


def line_and_column(sql: str, offset: int) -> tuple[int, int]:
    """1-based, as Oracle counts them in messages."""
    line_start = sql.rfind("\n", 0, offset) + 1
    return sql.count("\n", 0, offset) + 1, offset - line_start + 1


def compile_error(sql: str, offset: int, text: str) -> OracleError:
    """ORA-06550: the block is not compiled, nothing of it runs."""
    line, column = line_and_column(sql, offset)
    return OracleError(6550, f"line {line}, column {column}:\n{text}", offset=offset)


class BlockParser(TokenReader):
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

    def _unexpected(self, token: Token | None = None) -> OracleError:
        token = token or self.token
        seen = self.sql[token.start : token.end].upper() or "end-of-file"
        return compile_error(self.sql, token.start, f'PLS-00103: Encountered the symbol "{seen}"')

    def _expect(self, *words: str) -> Token:
        if token := self.take_word(*words):
            return token
        raise self._unexpected()

    def _expect_op(self, operator: str) -> None:
        if not self.take_op(operator):
            raise self._unexpected()

    def _name(self) -> str:
        token = self.token
        if token.kind not in (TokenKind.WORD, TokenKind.QUOTED):
            raise self._unexpected()
        self.advance()
        return token.value

    def _label(self) -> str | None:
        if not self.take_op("<<"):
            return None
        name = self._name()
        self._expect_op(">>")
        return name

    # Blocks and declarations

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

    # Fragments: the tokens up to one of some words or operators outside parentheses

    def _fragment(self, *ends: str) -> Fragment:
        start, depth, cases = self.position, 0, 0
        while True:
            token = self.token
            if token.kind is TokenKind.END:
                raise self._unexpected()
            if depth == 0 and cases == 0 and ((token.kind is TokenKind.OP or token.kind is TokenKind.WORD) and token.value in ends):
                break
            if token.is_op("("):
                depth += 1
            elif token.is_op(")"):
                depth -= 1
                if depth < 0:
                    raise self._unexpected()
            elif token.is_word("CASE"):
                cases += 1
            elif token.is_word("END") and cases:
                cases -= 1
            self.advance()
        if self.position == start:
            raise self._unexpected()
        return Fragment(tuple(self.tokens[start : self.position]))

    def _target(self) -> Target:
        token = self.token
        if token.kind is TokenKind.BIND:
            self.advance()
            return Target(token.value, True, token.start)
        name = self._name()
        while self.take_op("."):
            name += "." + self._name()
        return Target(name, False, token.start)

    def _targets(self) -> tuple[Target, ...]:
        targets = [self._target()]
        while self.take_op(","):
            targets.append(self._target())
        return tuple(targets)

    # Statements

    def _statements(self, *ends: str) -> tuple[Statement, ...]:
        body: list[Statement] = []
        while not self.at_word(*ends):
            body.append(self._statement())
        if not body:
            raise self._unexpected()
        return tuple(body)

    def _statement(self) -> Statement:
        label = self._label()
        token = self.token
        word = token.value if token.kind is TokenKind.WORD else ""
        if word in _REFUSED:
            raise refused(_REFUSED[word], offset=token.start)
        if word in _NO_DDL and not self.peek().is_op(":=", ".", "("):
            raise self._unexpected()
        if word in ("BEGIN", "DECLARE"):
            return self._block(label)
        if word in ("LOOP", "WHILE", "FOR"):
            return self._loop(label)
        if word == "EXECUTE" and self.peek().is_word("IMMEDIATE"):
            return self._execute_immediate()
        if word in _SQL and not self.peek().is_op(":=", ".") and not (word == "SET" and not self.peek().is_word("TRANSACTION", "ROLE")):
            return self._sql()
        handler = {
            "NULL": self._null, "IF": self._if, "CASE": self._case, "EXIT": self._exit, "CONTINUE": self._exit, "RETURN": self._return,
            "RAISE": self._raise, "OPEN": self._open, "FETCH": self._fetch, "CLOSE": self._close,
        }.get(word)  # fmt: skip
        if handler is not None and not self.peek().is_op(":=", ".", "("):
            return handler()
        if word == "CASE" or (word == "IF" and self.peek().is_op("(")):
            return self._case() if word == "CASE" else self._if()
        statement = self._call_or_assignment()
        self._expect_op(";")
        return statement

    def _null(self) -> Statement:
        offset = self.advance().start
        self._expect_op(";")
        return Null(offset=offset)

    def _return(self) -> Statement:
        offset = self.advance().start
        self._expect_op(";")
        return Return(offset=offset)

    def _raise(self) -> Statement:
        offset = self.advance().start
        name = None if self.at_op(";") else self._name()
        self._expect_op(";")
        return Raise(name, offset=offset)

    def _exit(self) -> Statement:
        word = self.advance()
        label = None if self.at_op(";") or self.at_word("WHEN") else self._name()
        condition = self._fragment(";") if self.take_word("WHEN") else None
        self._expect_op(";")
        return Exit(word.value == "CONTINUE", label, condition, offset=word.start)

    def _if(self) -> Statement:
        offset = self.advance().start
        branches: list[tuple[Fragment, tuple[Statement, ...]]] = []
        while True:
            condition = self._fragment("THEN")
            self._expect("THEN")
            branches.append((condition, self._statements("ELSIF", "ELSE", "END")))
            if not self.take_word("ELSIF"):
                break
        otherwise = self._statements("END") if self.take_word("ELSE") else None
        self._expect("END")
        self._expect("IF")
        self._expect_op(";")
        return If(tuple(branches), otherwise, offset=offset)

    def _case(self) -> Statement:
        offset = self.advance().start
        operand = None if self.at_word("WHEN") else self._fragment("WHEN")
        branches: list[tuple[Fragment, tuple[Statement, ...]]] = []
        while self.take_word("WHEN"):
            test = self._fragment("THEN")
            self._expect("THEN")
            branches.append((test, self._statements("WHEN", "ELSE", "END")))
        otherwise = self._statements("END") if self.take_word("ELSE") else None
        self._expect("END")
        self._expect("CASE")
        self._expect_op(";")
        return Case(operand, tuple(branches), otherwise, offset=offset)

    def _loop(self, label: str | None) -> Statement:
        word = self.advance()
        offset = word.start
        if word.value == "WHILE":
            condition = self._fragment("LOOP")
            return Loop(condition, self._loop_body(), label, offset=offset)
        if word.value == "LOOP":
            self.position -= 1
            return Loop(None, self._loop_body(), label, offset=offset)
        variable = self._name()
        self._expect("IN")
        reverse = bool(self.take_word("REVERSE"))
        if self.at_op("(") and self.peek().is_word("SELECT", "WITH"):
            self.advance()
            query = self._fragment(")")
            self._expect_op(")")
            return CursorLoop(variable, query, None, (), self._loop_body(), label, offset=offset)
        first = self._fragment("..", "LOOP")
        if self.take_op(".."):
            last = self._fragment("LOOP")
            return RangeLoop(variable, first, last, reverse, self._loop_body(), label, offset=offset)
        name, arguments = first.tokens[0].value, self._loop_arguments(first)
        return CursorLoop(variable, None, name, arguments, self._loop_body(), label, offset=offset)

    def _loop_arguments(self, call: Fragment) -> tuple[Fragment, ...]:
        """cursor(a, b) in the head of a loop."""
        if len(call.tokens) == 1:
            return ()
        inner = BlockParser(self.sql, [*call.tokens, Token(TokenKind.END, "", 0, 0)])
        inner.advance()
        return tuple(fragment for _, fragment in inner._arguments())

    def _loop_body(self) -> tuple[Statement, ...]:
        self._expect("LOOP")
        body = self._statements("END")
        self._expect("END")
        self._expect("LOOP")
        if not self.at_op(";"):
            self._name()
        self._expect_op(";")
        return body

    def _execute_immediate(self) -> Statement:
        offset = self.advance().start
        self.advance()
        text = self._fragment(";", "INTO", "USING", "RETURNING", "RETURN", "BULK")
        into: tuple[Target, ...] = ()
        if self.at_word("BULK"):
            raise refused("BULK COLLECT", offset=self.token.start)
        if self.take_word("INTO"):
            into = self._targets()
        using: list[tuple[Literal["IN", "OUT", "IN OUT"], Fragment]] = []
        if self.take_word("USING"):
            while True:
                mode = "IN" if self.take_word("IN") else ""
                mode = f"{mode} OUT".strip() if self.take_word("OUT") else mode or "IN"
                using.append((cast(Literal["IN", "OUT", "IN OUT"], mode), self._fragment(",", ";", "RETURNING", "RETURN")))
                if not self.take_op(","):
                    break
        if self.at_word("RETURNING", "RETURN"):
            raise refused("EXECUTE IMMEDIATE RETURNING", offset=self.token.start)
        self._expect_op(";")
        return ExecuteImmediate(text, into, tuple(using), offset=offset)

    def _sql(self) -> Statement:
        """A SQL statement; INTO is taken out of SELECT, and noted of RETURNING."""
        offset, start = self.token.start, self.position
        returning = False
        into: tuple[Target, ...] = ()
        kept: list[Token] = []
        depth = 0
        query = self.at_word("SELECT", "WITH")
        while not (depth == 0 and self.at_op(";")):
            token = self.token
            if token.kind is TokenKind.END:
                raise self._unexpected()
            depth += token.is_op("(") - token.is_op(")")
            if depth == 0 and token.is_word("BULK"):
                raise refused("BULK COLLECT", offset=token.start)
            if depth == 0 and token.is_word("RETURNING", "RETURN"):
                returning = True
            if depth == 0 and token.is_word("INTO") and (query or returning) and not into:
                self.advance()
                into = self._targets()
                continue
            kept.append(self.advance())
        self.advance()
        if query and not into:
            raise compile_error(self.sql, self.tokens[start].start, "PLS-00428: an INTO clause is expected in this SELECT statement")
        return Sql(Fragment(tuple(kept)), into, offset=offset)

    def _open(self) -> Statement:
        offset = self.advance().start
        cursor = self._target()
        arguments = tuple(fragment for _, fragment in self._arguments()) if self.at_op("(") else ()
        query = text = None
        using: list[Fragment] = []
        if self.take_word("FOR"):
            if self.at_word("SELECT", "WITH"):
                query = self._fragment(";")
            else:
                text = self._fragment(";", "USING")
                if self.take_word("USING"):
                    using.append(self._fragment(",", ";"))
                    while self.take_op(","):
                        using.append(self._fragment(",", ";"))
        self._expect_op(";")
        return OpenCursor(cursor, arguments, query, text, tuple(using), offset=offset)

    def _fetch(self) -> Statement:
        offset = self.advance().start
        name = self._name()
        if self.at_word("BULK"):
            raise refused("BULK COLLECT", offset=self.token.start)
        self._expect("INTO")
        into = self._targets()
        self._expect_op(";")
        return FetchCursor(name, into, offset=offset)

    def _close(self) -> Statement:
        offset = self.advance().start
        name = self._name()
        self._expect_op(";")
        return CloseCursor(name, offset=offset)

    def _call_or_assignment(self) -> Statement:
        offset = self.token.start
        target = self._target()
        if self.take_op(":="):
            return Assign(target, self._fragment(";"), offset=offset)
        if target.is_bind:
            raise self._unexpected()
        arguments = self._arguments() if self.at_op("(") else ()
        return CallProcedure(target.name, arguments, offset=offset)

    def _arguments(self) -> tuple[tuple[str | None, Fragment], ...]:
        self._expect_op("(")
        found: list[tuple[str | None, Fragment]] = []
        while not self.at_op(")"):
            name = None
            if self.peek().is_op("=>"):
                name = self._name()
                self.advance()
            found.append((name, self._argument()))
            if not self.take_op(","):
                break
        self._expect_op(")")
        return tuple(found)

    def _argument(self) -> Fragment:
        return self._fragment(",", ")")

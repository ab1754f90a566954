"""The grammar of PL/SQL's statements."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, cast

from oracle_mimic.errors import refused
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.plsql.fragments import FragmentReader, compile_error
from oracle_mimic.sql.plsql.syntax import (
    Assign,
    Block,
    CallProcedure,
    Case,
    CloseCursor,
    CursorLoop,
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
)  # fmt: skip

_SQL = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "COMMIT", "ROLLBACK", "SAVEPOINT", "SET", "LOCK")
_REFUSED = {"GOTO": "GOTO", "FORALL": "FORALL", "PIPE": "PIPE ROW"}
_NO_DDL = ("CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE", "COMMENT", "RENAME")


class StatementParser(FragmentReader):
    """Reads statements; a part of the block parser."""

    @abstractmethod
    def _block(self, label: str | None = None) -> Block: ...

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
        inner = FragmentReader(self.sql, [*call.tokens, Token(TokenKind.END, "", 0, 0)])
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

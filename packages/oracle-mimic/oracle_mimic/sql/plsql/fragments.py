"""Reading the pieces of PL/SQL that are kept as tokens, and the errors of its compiler."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.lexer import Token, TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.plsql.syntax import Fragment, Target


def line_and_column(sql: str, offset: int) -> tuple[int, int]:
    """1-based, as Oracle counts them in messages."""
    line_start = sql.rfind("\n", 0, offset) + 1
    return sql.count("\n", 0, offset) + 1, offset - line_start + 1


def compile_error(sql: str, offset: int, text: str) -> OracleError:
    """ORA-06550: the block is not compiled, nothing of it runs."""
    line, column = line_and_column(sql, offset)
    return OracleError(6550, f"line {line}, column {column}:\n{text}", offset=offset)


class FragmentReader(TokenReader):
    """Reads names, targets, arguments and fragments; the base of the block parser."""

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

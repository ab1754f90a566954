"""Walking through tokens: what every parser of Oracle's text shares."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.lexer import RESERVED, Token, TokenKind, tokenize
from oracle_mimic.sql.syntax import Identifier

# What Oracle says when this word or operator is missing; every other word is ORA-00905.
_MISSING = {
    "(": (906, "missing left parenthesis"),
    ")": (907, "missing right parenthesis"),
    ",": (917, "missing comma"),
    "=": (927, "missing equal sign"),
    "FROM": (923, "FROM keyword not found where expected"),
    "BY": (924, "missing BY keyword"),
    "INTO": (925, "missing INTO keyword"),
    "VALUES": (926, "missing VALUES keyword"),
    "SELECT": (928, "missing SELECT keyword"),
    "SET": (971, "missing SET keyword"),
    "ON": (969, "missing ON keyword"),
}


class TokenReader:
    """A position in the tokens of one text."""

    def __init__(self, sql: str, tokens: list[Token] | None = None) -> None:
        self.sql = sql
        self.tokens = tokenize(sql) if tokens is None else tokens
        self.position = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    @property
    def last_end(self) -> int:
        """Where the last token read ends in the text."""
        return self.tokens[self.position - 1].end if self.position else 0

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def advance(self) -> Token:
        token = self.token
        if token.kind is not TokenKind.END:
            self.position += 1
        return token

    def at_word(self, *words: str) -> bool:
        return self.token.is_word(*words)

    def at_op(self, *operators: str) -> bool:
        return self.token.is_op(*operators)

    def at_words(self, *words: str) -> bool:
        """True when the next tokens are these words, in this order."""
        return all(self.peek(i).is_word(word) for i, word in enumerate(words))

    def take_word(self, *words: str) -> Token | None:
        return self.advance() if self.token.is_word(*words) else None

    def take_words(self, *words: str) -> bool:
        if not self.at_words(*words):
            return False
        self.position += len(words)
        return True

    def take_op(self, *operators: str) -> Token | None:
        return self.advance() if self.token.is_op(*operators) else None

    def expect_word(self, *words: str) -> Token:
        if token := self.take_word(*words):
            return token
        raise self.error(*_MISSING.get(words[0], (905, "missing keyword")))

    def expect_op(self, operator: str) -> Token:
        if token := self.take_op(operator):
            return token
        raise self.error(*_MISSING.get(operator, (933, "SQL command not properly ended")))

    def take_hint(self) -> str | None:
        return self.advance().value if self.token.kind is TokenKind.HINT else None

    def at_identifier(self) -> bool:
        """True for a quoted name, or a word that Oracle does not reserve."""
        token = self.token
        return token.kind is TokenKind.QUOTED or (token.kind is TokenKind.WORD and token.value not in RESERVED)

    def identifier(self, code: int = 904, text: str = "invalid identifier") -> Identifier:
        """The next name; the given error (default ORA-00904) when a reserved word or something else stands there."""
        token = self.token
        if not self.at_identifier():
            raise self.error(code, ": invalid identifier" if code == 904 else text)
        self.position += 1
        return Identifier(token.value, token.kind is TokenKind.QUOTED, start=token.start, end=token.end)

    def unsigned_integer(self, code: int = 2017, text: str = "integer value required") -> int:
        token = self.token
        if token.kind is not TokenKind.NUMBER or not token.value.isdigit():
            raise self.error(code, text)
        self.position += 1
        return int(token.value)

    def text_since(self, start: int) -> str:
        """The text from a position up to the end of the last token read."""
        return self.sql[start : self.last_end]

    def finish(self) -> None:
        """Nothing may follow: ORA-00933."""
        if self.token.kind is not TokenKind.END:
            raise self.error(933, "SQL command not properly ended")

    def error(self, code: int, text: str) -> OracleError:
        """An error at the next token."""
        return OracleError(code, text, offset=self.token.start)

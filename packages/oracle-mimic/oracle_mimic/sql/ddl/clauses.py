"""Physical clauses: accepted, kept for the dictionary, without effect on what statements mean. One explicit list; others are errors."""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader

_NUMBERS = {"PCTFREE": "PCT_FREE", "PCTUSED": "PCT_USED", "INITRANS": "INI_TRANS", "MAXTRANS": "MAX_TRANS"}
_FLAGS: dict[str, tuple[str, str]] = {
    "LOGGING": ("LOGGING", "YES"),
    "NOLOGGING": ("LOGGING", "NO"),
    "FILESYSTEM_LIKE_LOGGING": ("LOGGING", "YES"),
    "CACHE": ("CACHE", "Y"),
    "NOCACHE": ("CACHE", "N"),
    "NOPARALLEL": ("DEGREE", "1"),
    "MONITORING": ("MONITORING", "YES"),
    "NOMONITORING": ("MONITORING", "NO"),
    "ROWDEPENDENCIES": ("DEPENDENCIES", "ENABLED"),
    "NOROWDEPENDENCIES": ("DEPENDENCIES", "DISABLED"),
}


def skip_parentheses(reader: TokenReader) -> str:
    """Read a balanced ( ... ); its text."""
    start = reader.expect_op("(").start
    depth = 1
    while depth:
        token = reader.advance()
        if token.kind is TokenKind.END:
            raise OracleError(907, "missing right parenthesis", offset=token.start)
        depth += token.is_op("(") - token.is_op(")")
    return reader.text_since(start)


def physical_clause(reader: TokenReader, attributes: dict[str, str]) -> bool:
    """Read one physical clause of a table, an index or a constraint's index into `attributes`; False when none stands there."""
    word = reader.token.value if reader.token.kind is TokenKind.WORD else ""
    if word in _NUMBERS:
        reader.advance()
        attributes[_NUMBERS[word]] = str(reader.unsigned_integer())
    elif word in _FLAGS:
        reader.advance()
        name, value = _FLAGS[word]
        attributes[name] = value
    elif word == "TABLESPACE":
        reader.advance()
        attributes["TABLESPACE_NAME"] = reader.identifier(959, "tablespace does not exist").name
    elif word == "STORAGE":
        reader.advance()
        skip_parentheses(reader)
    elif word == "PARALLEL":
        reader.advance()
        _parallel(reader, attributes)
    elif (
        word in ("COMPRESS", "NOCOMPRESS") or reader.at_words("ROW", "STORE", "COMPRESS") or reader.at_words("COLUMN", "STORE", "COMPRESS")
    ):
        _compression(reader, attributes)
    elif reader.take_words("SEGMENT", "CREATION"):
        attributes["SEGMENT_CREATED"] = "YES" if reader.expect_word("IMMEDIATE", "DEFERRED").value == "IMMEDIATE" else "NO"
    elif reader.take_words("ENABLE", "ROW", "MOVEMENT"):
        attributes["ROW_MOVEMENT"] = "ENABLED"
    elif reader.take_words("DISABLE", "ROW", "MOVEMENT"):
        attributes["ROW_MOVEMENT"] = "DISABLED"
    elif word == "RESULT_CACHE":
        reader.advance()
        skip_parentheses(reader)
    elif word in ("INMEMORY", "LOB") or reader.at_words("NO", "INMEMORY"):
        _skipped(reader, word)
    elif reader.take_words("ORGANIZATION", "HEAP"):
        attributes["ORGANIZATION"] = "HEAP"
    elif word == "ORGANIZATION":
        raise refused("ORGANIZATION other than HEAP", offset=reader.token.start)
    elif word == "PARTITION":
        raise OracleError(439, "feature not enabled: Partitioning", offset=reader.token.start)
    elif word == "CLUSTER":
        raise refused("CREATE TABLE in a CLUSTER", offset=reader.token.start)
    else:
        return False
    return True


def _parallel(reader: TokenReader, attributes: dict[str, str]) -> None:
    if reader.take_op("("):
        reader.expect_word("DEGREE")
        attributes["DEGREE"] = "DEFAULT" if reader.take_word("DEFAULT") else str(reader.unsigned_integer())
        if reader.take_word("INSTANCES"):
            reader.advance()
        reader.expect_op(")")
    elif reader.token.kind is TokenKind.NUMBER:
        attributes["DEGREE"] = str(reader.unsigned_integer())
    else:
        attributes["DEGREE"] = "DEFAULT"


def _compression(reader: TokenReader, attributes: dict[str, str]) -> None:
    if reader.take_word("NOCOMPRESS"):
        attributes["COMPRESSION"] = "DISABLED"
        return
    reader.take_words("ROW", "STORE") or reader.take_words("COLUMN", "STORE")
    reader.expect_word("COMPRESS")
    attributes["COMPRESSION"] = "ENABLED"
    kind = "BASIC"
    if reader.take_word("FOR"):
        words = [reader.advance().value]
        while reader.at_word("LOW", "HIGH", "OPERATIONS"):
            words.append(reader.advance().value)
        kind = "ADVANCED" if words[0] in ("OLTP", "ALL") else " ".join(words)
    elif reader.at_word("BASIC", "ADVANCED"):
        kind = reader.advance().value
        reader.take_word("LOW", "HIGH")
    elif reader.token.kind is TokenKind.NUMBER:
        attributes["PREFIX_LENGTH"] = reader.advance().value
    attributes["COMPRESS_FOR"] = kind


def _skipped(reader: TokenReader, word: str) -> None:
    if word == "LOB":
        reader.advance()
        skip_parentheses(reader)
        reader.expect_word("STORE")
        reader.expect_word("AS")
        reader.take_word("SECUREFILE", "BASICFILE")
        if reader.at_identifier() and not reader.at_op("("):
            reader.identifier()
        if reader.at_op("("):
            skip_parentheses(reader)
        return
    reader.take_word("NO")
    reader.expect_word("INMEMORY")
    while reader.at_word("MEMCOMPRESS", "FOR", "QUERY", "CAPACITY", "DML", "LOW", "HIGH", "PRIORITY", "NONE", "MEDIUM", "CRITICAL"):
        reader.advance()

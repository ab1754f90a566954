"""REGEXP_LIKE, _SUBSTR, _REPLACE, _INSTR and _COUNT.

A pattern is rewritten for Python's engine: POSIX classes, brackets in which a backslash is itself, `$` at the very end only. Where
the two disagree, in the choice among alternatives of different lengths, the first one that matches wins here. Collating elements,
equivalence classes and look-around are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.bound import BindContext, Typed
from oracle_mimic.sql.expressions.conversion import to_number, to_text
from oracle_mimic.sql.expressions.derive import NUMBER, VARCHAR2_MAX, derived
from oracle_mimic.sql.expressions.functions import Arguments, scalar
from oracle_mimic.sql.expressions.functions_text import text_result
from oracle_mimic.sql.expressions.numbers import as_integer
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.types import Kind, OracleType

_CLASSES = {
    "alpha": r"^\W\d_", "digit": r"0-9", "alnum": r"^\W_", "upper": "A-ZÀ-ÖØ-Þ", "lower": "a-zß-öø-ÿ", "space": r"\s",
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "cntrl": r"\x00-\x1f\x7f", "xdigit": "0-9A-Fa-f", "print": r"\x20-\x7e\x80-\U0010ffff",
    "graph": r"\x21-\x7e\x80-\U0010ffff",
}  # fmt: skip
_ALTERNATIVES = {"alpha": r"[^\W\d_]", "alnum": r"[^\W_]"}


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """A bracket expression from its `[`: Python text for it, and where it ends. ORA-12726 without an end."""
    start = at
    at += 1
    negated = pattern[at : at + 1] == "^"
    at += negated
    members: list[str] = []
    alternatives: list[str] = []
    first = True
    while True:
        if at >= len(pattern):
            raise OracleError(12726, "unmatched bracket in regular expression")
        character = pattern[at]
        if character == "]" and not first:
            break
        first = False
        if pattern.startswith("[:", at):
            end = pattern.find(":]", at)
            name = pattern[at + 2 : end] if end > 0 else ""
            if name not in _CLASSES:
                raise OracleError(12729, "invalid character class in regular expression")
            if name in _ALTERNATIVES:
                alternatives.append(_ALTERNATIVES[name])
            else:
                members.append(_CLASSES[name])
            at = end + 2
            continue
        if pattern.startswith(("[=", "[."), at):
            raise refused(f"collating element {pattern[start : at + 2]} in a regular expression")
        members.append("\\" + character if character in "\\[]^&~|" else character)
        at += 1
    plain = f"[{''.join(members)}]" if members else ""
    choices = [*alternatives, *([plain] if plain else [])]
    if negated:
        return "(?:" + "".join(f"(?!{choice})" for choice in choices) + r"[\s\S])", at + 1
    return (choices[0] if len(choices) == 1 else "(?:" + "|".join(choices) + ")"), at + 1


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> re.Pattern[str]:
    """The pattern for Python; flags i, c, n, m, x; ORA-01760 for another one, ORA-127xx for a broken pattern."""
    if set(flags) - set("icnmx"):
        raise OracleError(1760, "illegal argument for function")
    options = re.NOFLAG
    for flag in flags:
        options = options & ~re.IGNORECASE if flag == "c" else options | {"i": re.I, "n": re.S, "m": re.M, "x": re.X}[flag]
    out: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "[":
            text, at = _bracket(pattern, at)
            out.append(text)
            continue
        if character == "\\" and at + 1 < len(pattern):
            following = pattern[at + 1]
            out.append("\\" + following if following in "dDwWsS123456789AZ" or not following.isalnum() else re.escape(following))
            at += 2
            continue
        if pattern.startswith("(?", at):
            raise refused("(? in a regular expression")
        if character == "$" and "m" not in flags:
            out.append(r"\Z")
        else:
            out.append(character)
        at += 1
    try:
        return re.compile("".join(out), options)
    except re.error as error:
        unmatched = "parenthes" in str(error) or "missing )" in str(error)
        code, text = (12725, "unmatched parentheses") if unmatched else (12728, "invalid range")
        raise OracleError(code, f"{text} in regular expression") from None


def _check_position(position: int) -> None:
    if position < 1:
        raise OracleError(1428, f"argument '{position}' is out of range")


def _nth(text: str, pattern: str, position: int, occurrence: int, flags: str) -> re.Match[str] | None:
    _check_position(position)
    if occurrence < 1:
        raise OracleError(1428, f"argument '{occurrence}' is out of range")
    for found in compiled(pattern, flags).finditer(text, position - 1):
        occurrence -= 1
        if occurrence == 0:
            return found
    return None


@udf("VARCHAR", "VARCHAR", "VARCHAR", returns="BOOLEAN")
def regexp_like(text: str, pattern: str, flags: str) -> bool:
    return compiled(pattern, flags).search(text) is not None


@udf("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "VARCHAR", "BIGINT", returns="VARCHAR")
def regexp_substr(text: str, pattern: str, position: int, occurrence: int, flags: str, group: int) -> str | None:  # noqa: PLR0917 - DuckDB calls by position
    found = _nth(text, pattern, position, occurrence, flags)
    if found is None or group > (found.re.groups if found else 0):
        return None
    return found.group(group) or None


@udf("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "BIGINT", "VARCHAR", "BIGINT", returns="BIGINT")
def regexp_instr(text: str, pattern: str, position: int, occurrence: int, after: int, flags: str, group: int) -> int:  # noqa: PLR0917 - DuckDB calls by position
    found = _nth(text, pattern, position, occurrence, flags)
    if found is None or group > found.re.groups or found.start(group) < 0:
        return 0
    return (found.end(group) if after else found.start(group)) + 1


@udf("VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", returns="BIGINT")
def regexp_count(text: str, pattern: str, position: int, flags: str) -> int:
    _check_position(position)
    return sum(1 for _ in compiled(pattern, flags).finditer(text, position - 1))


@udf("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "VARCHAR", returns="VARCHAR")
def regexp_replace(text: str, pattern: str, new: str, position: int, occurrence: int, flags: str) -> str | None:  # noqa: PLR0917 - DuckDB calls by position
    """occurrence 0: all of them; \\1 to \\9 in the new text stand for groups."""
    _check_position(position)
    out, at, seen = [text[: position - 1]], position - 1, 0
    for found in compiled(pattern, flags).finditer(text, position - 1):
        seen += 1
        if occurrence not in (0, seen):
            continue
        out.append(text[at : found.start()])
        out.append(_expanded(new, found))
        at = found.end()
    return "".join([*out, text[at:]]) or None


def _expanded(new: str, found: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        mark = reference.group(1)
        if mark == "\\":
            return "\\"
        return (found.group(int(mark)) or "") if int(mark) <= found.re.groups else ""

    return re.sub(r"\\([1-9\\])", group, new)


# --- as SQL functions ------------------------------------------------------------------------------------------------------


def _flags(arguments: Arguments, index: int, ctx: BindContext) -> str:
    """Match parameters; NULL or absent: none."""
    return f"coalesce({to_text(arguments[index], ctx).sql}, '')" if len(arguments) > index else "''"


def _integer(arguments: Arguments, index: int, default: int, ctx: BindContext) -> str:
    return as_integer(to_number(arguments[index], ctx)) if len(arguments) > index else str(default)


def _subject(arguments: Arguments, ctx: BindContext) -> tuple[Typed, str]:
    return to_text(arguments[0], ctx), to_text(arguments[1], ctx).sql


@scalar("REGEXP_LIKE", least=2, most=3)
def like(arguments: Arguments, ctx: BindContext) -> Typed:
    x, pattern = _subject(arguments, ctx)
    return derived(f"ora_regexp_like({x.sql}, {pattern}, {_flags(arguments, 2, ctx)})", OracleType(Kind.BOOLEAN), "BOOLEAN", *arguments)


@scalar("REGEXP_SUBSTR", least=2, most=6)
def substr(arguments: Arguments, ctx: BindContext) -> Typed:
    x, pattern = _subject(arguments, ctx)
    sql = (
        f"ora_regexp_substr({x.sql}, {pattern}, {_integer(arguments, 2, 1, ctx)}, {_integer(arguments, 3, 1, ctx)}, "
        f"{_flags(arguments, 4, ctx)}, {_integer(arguments, 5, 0, ctx)})"
    )
    return derived(sql, text_result(x), "VARCHAR", *arguments, nullable=True)


@scalar("REGEXP_INSTR", least=2, most=7)
def instr(arguments: Arguments, ctx: BindContext) -> Typed:
    x, pattern = _subject(arguments, ctx)
    sql = (
        f"ora_regexp_instr({x.sql}, {pattern}, {_integer(arguments, 2, 1, ctx)}, {_integer(arguments, 3, 1, ctx)}, "
        f"{_integer(arguments, 4, 0, ctx)}, {_flags(arguments, 5, ctx)}, {_integer(arguments, 6, 0, ctx)})"
    )
    return derived(f"CAST({sql} AS DECIMAL(10,0))", NUMBER, "DECIMAL(10,0)", *arguments)


@scalar("REGEXP_COUNT", least=2, most=4)
def count(arguments: Arguments, ctx: BindContext) -> Typed:
    x, pattern = _subject(arguments, ctx)
    sql = f"ora_regexp_count({x.sql}, {pattern}, {_integer(arguments, 2, 1, ctx)}, {_flags(arguments, 3, ctx)})"
    return derived(f"CAST({sql} AS DECIMAL(10,0))", NUMBER, "DECIMAL(10,0)", *arguments)


@scalar("REGEXP_REPLACE", least=2, most=6)
def replace(arguments: Arguments, ctx: BindContext) -> Typed:
    x, pattern = _subject(arguments, ctx)
    new = f"coalesce({to_text(arguments[2], ctx).sql}, '')" if len(arguments) > 2 else "''"
    called = (
        f"ora_regexp_replace({x.sql}, {pattern}, {new}, {_integer(arguments, 3, 1, ctx)}, {_integer(arguments, 4, 0, ctx)}, "
        f"{_flags(arguments, 5, ctx)})"
    )
    sql = f"(CASE WHEN {pattern} IS NULL THEN {x.sql} ELSE {called} END)"
    return derived(sql, text_result(x, VARCHAR2_MAX), "VARCHAR", *arguments, nullable=True)

"""Oracle's lexical rules."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.lexer import Token, TokenKind, identifier_name, tokenize


def kinds_and_values(sql: str) -> list[tuple[str, str]]:
    return [(token.kind.name, token.value) for token in tokenize(sql)[:-1]]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("'it''s'", "STRING", "it's"),
        ("''", "STRING", ""),
        ("q'[it's]'", "STRING", "it's"),
        ("Q'!a'b!'", "STRING", "a'b"),
        ("q'<a>b>'", "STRING", "a>b"),
        ("N'é'", "NATIONAL", "é"),
        ("nq'{x}'", "NATIONAL", "x"),
        ("t$a_1#", "WORD", "T$A_1#"),
        ("ação", "WORD", "AÇÃO"),
        ('"Mixed Case"', "QUOTED", "Mixed Case"),
        (":1", "BIND", "1"),
        (":name", "BIND", "NAME"),
        (':"Name"', "BIND", "Name"),
        ("12", "NUMBER", "12"),
        (".5", "NUMBER", ".5"),
        ("1.", "NUMBER", "1."),
        ("1.5e-3", "NUMBER", "1.5e-3"),
        ("2d", "NUMBER", "2d"),
        ("1.5F", "NUMBER", "1.5F"),
        ("||", "OP", "||"),
        ("^=", "OP", "^="),
    ],
)
def test_one_token(text: str, kind: str, value: str) -> None:
    assert kinds_and_values(text) == [(kind, value)]


def test_a_range_is_no_fraction() -> None:
    assert kinds_and_values("1..10") == [("NUMBER", "1"), ("OP", ".."), ("NUMBER", "10")]


def test_words_that_begin_like_strings() -> None:
    assert kinds_and_values("n q nq qty") == [("WORD", "N"), ("WORD", "Q"), ("WORD", "NQ"), ("WORD", "QTY")]


def test_comments_are_skipped_and_do_not_nest() -> None:
    assert kinds_and_values("a /* :x /* ' */ b -- :y ' \n c") == [("WORD", "A"), ("WORD", "B"), ("WORD", "C")]


def test_hints_are_read_only_after_the_verbs_that_take_them() -> None:
    tokens = tokenize("select /*+ parallel(4) */ a /*+ no */ from t")
    assert [t.value for t in tokens if t.kind is TokenKind.HINT] == ["parallel(4)"]


def test_positions_cut_the_text() -> None:
    sql = "select a, q'[b]' from \"T\" where x >= :v"
    assert [sql[t.start : t.end] for t in tokenize(sql)[:-1]] == ["select", "a", ",", "q'[b]'", "from", '"T"', "where", "x", ">=", ":v"]


@pytest.mark.parametrize(
    ("sql", "code", "offset"),
    [
        ("select 'a", 1756, 7),
        ("select q'[a]", 1756, 7),
        ('select "a', 1740, 7),
        ('select ""', 1741, 7),
        ("select /* a", 1742, 7),
        ("select _a", 911, 7),
        ("select #a", 911, 7),
        ("select a ? b", 911, 9),
        ("select " + "a" * 129, 972, 7),
        ("select " + "é" * 65, 972, 7),
    ],
)
def test_errors_carry_oracles_code_and_position(sql: str, code: int, offset: int) -> None:
    with pytest.raises(OracleError) as caught:
        tokenize(sql)
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_a_name_of_128_bytes_is_allowed() -> None:
    assert tokenize("a" * 128)[0].value == "A" * 128


def test_identifier_names() -> None:
    assert identifier_name("abc") == "ABC"
    assert identifier_name('"abc d"') == "abc d"
    with pytest.raises(OracleError, match="ORA-00904"):
        identifier_name("a b")


@given(st.text())
def test_any_string_survives_its_literal(value: str) -> None:
    assert tokenize("'" + value.replace("'", "''") + "'")[0] == Token(TokenKind.STRING, value, 0, 2 + len(value) + value.count("'"))


@given(st.text())
def test_any_text_is_tokens_or_an_oracle_error(sql: str) -> None:
    try:
        tokens = tokenize(sql)
    except OracleError:
        return
    assert tokens[-1].kind is TokenKind.END
    assert all(a.end <= b.start for a, b in itertools.pairwise(tokens))

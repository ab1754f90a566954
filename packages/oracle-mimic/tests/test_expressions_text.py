"""Character, RAW, ROWID, hash and regular-expression functions; what a describe tells of text; '' is NULL."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from binder_bench import Bench
from expression_cases import bench, described, error_code, value
from oracle_mimic.errors import OracleError
from oracle_mimic.types import Kind, OracleType

__all__ = ["bench"]


TEXT_VALUES: list[Any] = [
    ("''", None),
    ("'a' || ''", "a"),
    ("'' || ''", None),
    ("'a' || null || 'b'", "ab"),
    ("'a' || 1", "a1"),
    ("length('')", None),
    ("replace('a', 'a')", None),
    ("trim('   ')", None),
    ("upper('grüße ção')", "GRÜßE ÇÃO"),
    ("lower('ÇÃO')", "ção"),
    ("initcap('the soap')", "The Soap"),
    ("initcap('o''neil_x-y 1st')", "O'Neil_X-Y 1st"),
    ("substr('ABCDEFG', 3, 4)", "CDEF"),
    ("substr('ABCDEFG', -5, 4)", "CDEF"),
    ("substr('ABCDEFG', 0, 2)", "AB"),
    ("substr('ABCDEFG', 3)", "CDEFG"),
    ("substr('ABCDEFG', 9)", None),
    ("substr('ABCDEFG', -9)", None),
    ("substr('ABCDEFG', 2, 0)", None),
    ("substr('ABCDEFG', 2, -1)", None),
    ("substr('ABCDEFG', 2.9, 1.9)", "B"),
    ("substr('ação', 2, 2)", "çã"),
    ("substr(12345, 2, 2)", "23"),
    ("substrb('ação', 1, 3)", "aç"),
    ("substrb('ação', 3, 2)", " ã"[:1] + " "),
    ("instr('CORPORATE FLOOR', 'OR', 3, 2)", 14),
    ("instr('CORPORATE FLOOR', 'OR', -3, 2)", 2),
    ("instr('abc', 'z')", 0),
    ("instr('abc', '')", None),
    ("length('CANDIDE')", 7),
    ("length('ação')", 4),
    ("lengthb('ação')", 6),
    ("lpad('Page 1', 15, '*.')", "*.*.*.*.*Page 1"),
    ("rpad('MORRISON', 12, 'ab')", "MORRISONabab"),
    ("lpad('abc', 2)", "ab"),
    ("lpad('abc', 0)", None),
    ("lpad('abc', 5, '')", None),
    ("lpad(7, 3, '0')", "007"),
    ("ltrim('<=====>BROWNING<=====>', '<>=')", "BROWNING<=====>"),
    ("rtrim('BROWNING: ./=./=./=./=./=.=', '/=.')", "BROWNING: "),
    ("trim(both 'x' from 'xxaxx')", "a"),
    ("trim(trailing from ' a ')", " a"),
    ("replace('JACK and JUE', 'J', 'BL')", "BLACK and BLUE"),
    ("replace('abc', '', 'x')", "abc"),
    ("replace('abc', 'b', null)", "ac"),
    ("translate('SQL*Plus User''s Guide', ' */''', '___')", "SQL_Plus_Users_Guide"),
    ("translate('aab', 'aa', 'xy')", "xxb"),
    ("translate('abc', 'ab', '')", None),
    ("ascii('Q')", 81),
    ("ascii('é')", 50089),
    ("chr(67) || chr(65) || chr(84)", "CAT"),
    ("chr(50089)", "é"),
    ("nchr(233)", "é"),
    ("unistr('abc\\00e5\\\\')", "abcå\\"),
    ("asciistr('ABÄCDE')", "AB\\00C4CDE"),
    ("concat(concat('a', 1), 'b')", "a1b"),
    ("reverse('abc')", "cba"),
    ("to_char('abc')", "abc"),
    ("to_clob('abc')", "abc"),
    ("nvl('', 'x')", "x"),
    ("nvl(1, 2)", 1),
    ("nvl2('a', 'b', 'c')", "b"),
    ("coalesce(null, '', 'z')", "z"),
    ("nullif('a', 'b')", "a"),
    ("nullif('a', 'a')", None),
    ("decode(null, null, 'yes', 'no')", "yes"),
    ("decode(2, 1, 'one', 2, 'two')", "two"),
    ("decode(9, 1, 'one', 2, 'two')", None),
    ("decode('2', 2, 'two')", "two"),
    ("decode(1, 1, null, 5)", None),
    ("decode(0, 1, null, 5)", "5"),
    ("greatest('HARRY', 'HARRIOT', 'HAROLD')", "HARRY"),
    ("greatest('a', null)", None),
    ("least(date '2024-01-01', date '2023-01-01') - date '2023-01-01'", 0),
    ("cast('abc' as char(5))", "abc  "),
    ("cast('abcdef' as varchar2(3))", "abc"),
    ("cast('ação' as varchar2(3))", "aç"),
    ("cast('ação' as varchar2(3 char))", "açã"),
    ("cast(12 as varchar2(10))", "12"),
    ("rawtohex(hextoraw('7D'))", "7D"),
    ("rawtohex(hextoraw('abc'))", "0ABC"),
    ("rawtohex('ab')", "6162"),
    ("rawtohex(utl_raw.cast_to_raw('é'))", "C3A9"),
    ("utl_raw.cast_to_varchar2(hextoraw('C3A9'))", "é"),
    ("utl_raw.length(hextoraw('C3A9'))", 2),
    ("rawtohex(utl_raw.substr(hextoraw('010203'), 2, 1))", "02"),
    ("dbms_lob.substr(to_clob('abcdef'), 2, 3)", "cd"),
    ("dbms_lob.getlength(to_clob('abcdef'))", 6),
    ("dbms_lob.compare(to_clob('a'), to_clob('b'))", -1),
    ("user", "WMS"),
    ("sys_context('userenv', 'current_schema')", "WMS"),
    ("q'[it's]'", "it's"),
    ("n'ção'", "ção"),
]


@pytest.mark.parametrize(("expression", "expected"), TEXT_VALUES)
def test_a_text_expression_has_oracles_value(bench: Bench, expression: str, expected: Any) -> None:
    assert value(bench, expression) == expected


TEXT_ERRORS: list[Any] = [
    ("hextoraw('xyz')", 1465),
    ("instr('abc', 'b', 1, 0)", 1428),
    ("trim(both 'xy' from 'a')", 30001),
    ("nvl(to_number(null), 'x')", 1722),
    ("coalesce(1, 'x')", 932),
    ("case when 1 = 1 then 1 else 'x' end", 932),
    ("case when 1 = 1 then sysdate else 1 end", 932),
    ("substr('a')", 938),
    ("upper('a', 'b')", 909),
    ("soundex('a')", 3001),
    ("ora_hash('a')", 3001),
    ("chr(200)", 3001),
    ("cast(12345 as varchar2(4))", 25137),
    ("cast(sysdate as varchar2(4))", 25137),
    ("cast(to_clob('abc') as varchar2(2))", 22835),
    ("to_char(to_clob(rpad('a', 4000, 'b')) || 'c')", 22835),
    ("rpad('a', 4000) || 'b'", 1489),
    ("'x' || rpad('a', 2000, 'é') || rpad('a', 2000, 'é')", 1489),
    ("dbms_random.value(1)", 6553),
    ("regexp_like('a', 'a')", 904),
    ("unistr('\\zz')", 30186),
    ("standard_hash('a', 'SHA9')", 904),
    ("chartorowid('x')", 1410),
    ("regexp_substr('a', '(')", 12725),
    ("regexp_substr('a', '[a')", 12726),
    ("regexp_substr('a', '[[:nope:]]')", 12729),
    ("regexp_substr('a', 'a', 0)", 1428),
    ("regexp_replace('a', 'a', 'b', 1, 0, 'q')", 1760),
    ("regexp_like_not('a', 'a')", 904),
    ("utl_raw.cast_to_varchar2(hextoraw('FF'))", 29275),
]


@pytest.mark.parametrize(("expression", "code"), TEXT_ERRORS)
def test_a_wrong_text_expression_has_oracles_code(bench: Bench, expression: str, code: int) -> None:
    assert error_code(bench, expression) == code


def test_functions_see_columns_as_they_see_literals(bench: Bench) -> None:
    source = "(select 'ABCDEFG' s, 3 p, 2 n, 'C' c, cast(null as varchar2(5)) nothing from dual)"
    expected = ("CD", "FG", Decimal(3), "  ABCDEFG", "AB-DEFG", None, "ABCDEFG", None)
    row = bench.rows(
        f"select substr(s, p, n), substr(s, -n), instr(s, c), lpad(s, p * p), replace(s, c, '-'), substr(s, p, -n), s || nothing, "
        f"nothing || nothing from {source}"
    )[0]
    assert row == expected


REGULAR_EXPRESSIONS: list[Any] = [
    ("regexp_substr('500 Oracle Parkway, Redwood Shores, CA', ',[^,]+,')", ", Redwood Shores,"),
    ("regexp_substr('http://www.example.com/products', 'http://([[:alnum:]]+\\.?){3,4}/?')", "http://www.example.com/"),
    ("regexp_substr('1234567890', '(123)(4(56)(78))', 1, 1, 'i', 4)", "78"),
    ("regexp_substr('abc', 'z')", None),
    ("regexp_substr('a,b,c', '[^,]+', 1, 2)", "b"),
    ("regexp_instr('500 Oracle Parkway', '[^ ]+', 1, 2)", 5),
    ("regexp_instr('500 Oracle Parkway', 'o', 1, 1, 1, 'i')", 6),
    ("regexp_count('123123123123', '123', 3, 'i')", 3),
    ("regexp_replace('500   Oracle     Parkway', '( ){2,}', ' ')", "500 Oracle Parkway"),
    ("regexp_replace('6505551212', '([0-9]{3})([0-9]{3})([0-9]{4})', '(\\1) \\2-\\3')", "(650) 555-1212"),
    ("regexp_replace('aaa', 'a', 'b', 1, 2)", "aba"),
    ("regexp_replace('abc', 'b')", "ac"),
    ("regexp_replace('a\\b', '[\\]', '/')", "a/b"),
    ("regexp_replace('x^y', '[\\^x]', '-')", "--y"),
    ("regexp_replace('día 1', '[^[:alpha:]]', '')", "día"),
    ("case when regexp_like('Steven', '^Ste(v|ph)en$') then 'y' else 'n' end", "y"),
    ("case when regexp_like('a' || chr(10) || 'b', 'a$') then 'y' else 'n' end", "n"),
    ("case when regexp_like('a' || chr(10) || 'b', 'a$', 'm') then 'y' else 'n' end", "y"),
    ("case when regexp_like('a' || chr(10) || 'b', 'a.b') then 'y' else 'n' end", "n"),
    ("case when regexp_like('a' || chr(10) || 'b', 'a.b', 'n') then 'y' else 'n' end", "y"),
    ("case when regexp_like('ABC', 'b', 'i') then 'y' else 'n' end", "y"),
]


@pytest.mark.parametrize(("expression", "expected"), REGULAR_EXPRESSIONS)
def test_regular_expressions(bench: Bench, expression: str, expected: Any) -> None:
    assert value(bench, expression) == expected


@pytest.mark.parametrize("method", ["SHA1", "SHA256", "SHA384", "SHA512", "MD5"])
def test_standard_hash_is_the_hash_of_the_bytes(bench: Bench, method: str) -> None:
    def digest(data: bytes) -> str:
        return hashlib.new(method, data, usedforsecurity=False).hexdigest().upper()

    def hashed(expression: str) -> str:
        return value(bench, f"rawtohex(standard_hash({expression}, '{method}'))")

    assert hashed("'ação'") == digest("ação".encode())
    assert hashed("null") == digest(b"")
    assert hashed("12.5") == digest(bytes([0xC1, 13, 51]))
    assert hashed("date '2024-03-05'") == digest(bytes([120, 124, 3, 5, 1, 1, 1]))
    assert hashed("hextoraw('00FF')") == digest(b"\x00\xff")


def test_rowids_fall_apart_and_come_together(bench: Bench) -> None:
    rowid = "dbms_rowid.rowid_create(1, 70001, 4, 131, 7)"
    text = value(bench, f"rowidtochar({rowid})")
    assert text == "AAARFxAAEAAAACDAAH"
    assert value(bench, f"dbms_rowid.rowid_object(chartorowid('{text}'))") == 70001
    assert value(bench, f"dbms_rowid.rowid_relative_fno('{text}')") == 4
    assert value(bench, f"dbms_rowid.rowid_block_number('{text}')") == 131
    assert value(bench, f"dbms_rowid.rowid_row_number('{text}')") == 7
    assert value(bench, rowid) == text
    assert described(bench, rowid).type == OracleType(Kind.ROWID)


def test_text_may_have_4000_bytes_and_no_more(bench: Bench) -> None:
    assert value(bench, "lengthb('a' || rpad('a', 3998) || 'b')") == 4000
    assert value(bench, "lengthb(rpad('a', 5000))") == 4000
    assert value(bench, "lengthb(rpad('é', 4000, 'é'))") == 4000
    assert value(bench, "length(to_clob(rpad('a', 4000)) || 'b')") == 4001
    assert value(bench, "cast(1234 as varchar2(4))") == "1234"


def test_random_values_differ_and_stay_within_bounds(bench: Bench) -> None:
    rows = bench.rows("select dbms_random.value, dbms_random.value(5, 6), dbms_random.string('x', 12) from worker")
    assert all(0 <= share < 1 and 5 <= between < 6 and len(text) == 12 and text == text.upper() for share, between, text in rows)
    assert len({row[0] for row in rows}) == len({row[2] for row in rows}) == 5


@pytest.mark.parametrize("function", ["timestamp_to_scn(hired)", "sys_context('userenv', name)"])
def test_what_must_be_known_beforehand_is_refused_of_a_column(bench: Bench, function: str) -> None:
    with pytest.raises(OracleError, match="of a column") as caught:
        bench.rows(f"select {function} from worker")
    assert caught.value.code == 3001


def test_sys_guid_is_new_for_every_row(bench: Bench) -> None:
    rows = bench.rows("select rawtohex(sys_guid()) from worker")
    assert len({row[0] for row in rows}) == len(rows)
    assert all(len(row[0]) == 32 for row in rows)


TEXT_TYPES: list[Any] = [
    ("'abc'", OracleType(Kind.CHAR, length=3)),
    ("'ç'", OracleType(Kind.CHAR, length=2)),
    ("'a' || 'b'", OracleType(Kind.CHAR, length=2)),
    ("dummy || 'b'", OracleType(Kind.VARCHAR2, length=2)),
    ("substr('abcdef', 1, 1)", OracleType(Kind.VARCHAR2, length=4)),
    ("upper(dummy)", OracleType(Kind.VARCHAR2, length=1)),
    ("cast('x' as varchar2(30 char))", OracleType(Kind.VARCHAR2, length=30, char_semantics=True)),
    ("cast('x' as char(3))", OracleType(Kind.CHAR, length=3)),
    ("nvl(dummy, 'abc')", OracleType(Kind.VARCHAR2, length=3)),
    ("case when 1 = 1 then 'a' else 'b' end", OracleType(Kind.CHAR, length=1)),
    ("case when 1 = 1 then 'a' else 'bb' end", OracleType(Kind.VARCHAR2, length=2)),
    ("to_clob('a') || 'b'", OracleType(Kind.CLOB)),
    ("hextoraw('FF')", OracleType(Kind.RAW, length=1)),
    ("standard_hash('a', 'SHA256')", OracleType(Kind.RAW, length=32)),
    ("sys_guid()", OracleType(Kind.RAW, length=16)),
    ("user", OracleType(Kind.VARCHAR2, length=128)),
]


@pytest.mark.parametrize(("expression", "expected"), TEXT_TYPES)
def test_text_is_described_with_its_length(bench: Bench, expression: str, expected: OracleType) -> None:
    assert described(bench, expression).type == expected

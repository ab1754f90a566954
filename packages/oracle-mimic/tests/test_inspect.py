"""Classification of statements and their binds."""

import pytest
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.inspect import inspect


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1 from dual", "query"),
        ("/* c */ with a as (select 1 from dual) select * from a", "query"),
        ("(select 1 from dual) union select 2 from dual", "query"),
        ("insert into t values (1)", "dml"),
        ("merge into t using u on (1=1) when matched then update set a=1", "dml"),
        ("create table t (a number)", "ddl"),
        ("alter table t add (b number)", "ddl"),
        ("alter session set nls_date_format = 'YYYY'", "other"),
        ("begin null; end;", "plsql"),
        ("<<outer>> begin null; end;", "plsql"),
        ("declare x number; begin null; end;", "plsql"),
        ("call p(1)", "plsql"),
        ("commit", "other"),
        ("lock table t in exclusive mode nowait", "other"),
        ("set transaction read only", "other"),
    ],
)
def test_kinds(sql: str, kind: str) -> None:
    assert inspect(sql).kind == kind


@pytest.mark.parametrize("sql", ["", "show tables", "123", "(delete from t)", "'select'"])
def test_what_begins_no_statement_is_ora_00900(sql: str) -> None:
    with pytest.raises(OracleError) as caught:
        inspect(sql)
    assert caught.value.code == 900


def test_sql_binds_are_listed_per_occurrence() -> None:
    info = inspect("select :a, ':b', :A, q'[:c]' from t where x = :\"d\" -- :e\n and y = :2")
    assert info.bind_names == ("A", "A", "d", "2")
    assert info.returning_binds == ()


def test_plsql_binds_are_listed_once() -> None:
    assert inspect("begin :a := :b; :c := :a; end;").bind_names == ("A", "B", "C")


@pytest.mark.parametrize("word", ["returning", "RETURN"])
def test_returning_binds(word: str) -> None:
    info = inspect(f"insert into t (a, b) values (:1, :2) {word} a, b into :3, :4")
    assert info.bind_names == ("1", "2", "3", "4")
    assert info.returning_binds == (2, 3)


def test_the_into_of_insert_is_no_returning() -> None:
    assert inspect("insert into t values (:1)").returning_binds == ()


def test_ddl_has_no_binds() -> None:
    assert inspect("create trigger g before insert on t for each row begin :new.a := 1; end;").bind_names == ()

"""Anonymous blocks on a real session."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from oracle_mimic.door import Binds, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.database import open_database
from oracle_mimic.types import Kind, OracleType
from sql_room import Client, make_binds


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    database = open_database(users={"WMS": "secret"}, dba=["WMS"])
    client = Client(database.open_session("WMS", {}))
    client.run("create table item (id number(6) primary key, name varchar2(10), price number(7, 2))")
    yield client
    client.session.close()
    database.close()


@pytest.fixture
def client(shared: Client) -> Iterator[Client]:
    shared.run("insert into item values (1, 'bolt', 1.5)")
    shared.run("insert into item values (2, 'nut', 0.25)")
    yield shared
    shared.session.rollback()
    shared.run("truncate table item")


def outputs(client: Client, sql: str, *binds: Any) -> list[Any]:
    """The values of a block's OUT binds, None for IN binds."""
    outcome = client.session.execute(sql, make_binds([binds]))
    return [None if array is None else array[0].as_py() for array in outcome.out_values or []]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("begin :1 := 'a' || 1; end;", "a1"),
        ("declare n number := 2; begin n := n * n + 1; :1 := n; end;", "5"),
        ("declare v varchar2(5) default 'x'; begin declare v varchar2(5) := 'y'; begin :1 := v; end; end;", "y"),
        ("<<outer>> declare v varchar2(5) := 'x'; begin declare v varchar2(5) := 'y'; begin :1 := outer.v; end; end;", "x"),
        ("declare v item.name%type; begin select name into v from item where id = 2; :1 := v; end;", "nut"),
        ("declare r item%rowtype; begin select * into r from item where id = 1; :1 := r.name || r.price; end;", "bolt1.5"),
        ("begin if 1 = 2 then :1 := 'a'; elsif null = 1 then :1 := 'b'; else :1 := 'c'; end if; end;", "c"),
        ("declare b boolean := 1 < 2; begin if b and not false then :1 := 'yes'; end if; end;", "yes"),
        ("begin case 2 when 1 then :1 := 'one'; when 2 then :1 := 'two'; end case; end;", "two"),
        ("begin case when 1 = 2 then null; else :1 := case when 1 = 1 then 'in' end; end case; end;", "in"),
        ("declare i number := 0; begin loop i := i + 1; exit when i = 3; :1 := :1 || i; end loop; end;", "12"),
        ("declare i number := 0; begin while i < 4 loop i := i + 1; continue when i = 2; :1 := :1 || i; end loop; end;", "134"),
        ("begin for i in 1..3 loop :1 := :1 || i; end loop; for i in reverse 1..2 loop :1 := :1 || i; end loop; end;", "12321"),
        ("begin <<a>> for i in 1..3 loop for j in 1..3 loop exit a when j = 2; :1 := :1 || i || j; end loop; end loop; end;", "11"),
        ("begin for r in (select id, name from item order by id) loop :1 := :1 || r.id || r.name; end loop; end;", "1bolt2nut"),
        (
            "declare cursor c (x number) is select name from item where id = x; begin for r in c(2) loop :1 := r.name; end loop; end;",
            "nut",
        ),
        (
            """declare cursor c is select name from item order by id; v varchar2(10); begin open c; fetch c into v; fetch c into v;
            :1 := v || c%rowcount; fetch c into v; if c%notfound then :1 := :1 || '!'; end if; close c; end;""",
            "nut2!",
        ),
        ("begin select name into :1 from item where id = 1; end;", "bolt"),
        ("begin update item set price = 9 where id > 0; :1 := sql%rowcount; end;", "2"),
        ("begin delete from item; if sql%found then :1 := 'gone'; end if; end;", "gone"),
        ("declare n number; begin update item set price = price * 2 where id = 1 returning price into n; :1 := n; end;", "3"),
        ("begin execute immediate 'select name from item where id = :x' into :1 using 2; end;", "nut"),
        ("begin execute immediate 'update item set name = :n where id = :i' using 'x', 1; :1 := sql%rowcount; end;", "1"),
        ("begin execute immediate 'begin :o := :i || ''!''; end;' using out :1, in 'hey'; end;", "hey!"),
        ("declare name varchar2(10) := 'no such'; begin select count(*) into :1 from item where name = name; end;", "2"),
        ("declare v varchar2(10) := 'nut'; begin select id into :1 from item where name = v; end;", "2"),
        ("declare price number := 7; begin update item set price = price where id = 1; select price into :1 from item where id = 1; end;",
         "1.5"),
        ("begin savepoint a; delete from item; rollback to a; select count(*) into :1 from item; end;", "2"),
        ("begin :1 := 'a'; return; :1 := 'b'; end;", "a"),
        ("begin :1 := to_char(date '2024-02-29', 'DD/MM/YYYY'); end;", "29/02/2024"),
        ("declare c clob := 'long'; begin :1 := c; end;", "long"),
    ],
)  # fmt: skip
def test_statements(client: Client, sql: str, expected: str) -> None:
    assert outputs(client, sql, "") == [expected]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("begin select name into :1 from item where id = 9; exception when no_data_found then :1 := sqlcode; end;", "100"),
        ("begin select name into :1 from item; exception when too_many_rows then :1 := sqlerrm; end;", "ORA-01422: exact fetch returns"),
        ("begin insert into item values (1, 'x', 1); exception when dup_val_on_index then :1 := sqlcode; end;", "-1"),
        ("begin :1 := 1 / 0; exception when zero_divide then :1 := 'zero'; end;", "zero"),
        ("declare n number; begin n := 'x'; exception when value_error then :1 := 'value'; end;", "value"),
        ("declare v varchar2(2); begin v := 'xxx'; exception when others then :1 := sqlcode; end;", "-6502"),
        ("declare n number(2); begin n := 100; exception when others then :1 := sqlcode; end;", "-6502"),
        ("declare e exception; begin raise e; exception when e then :1 := 'mine'; end;", "mine"),
        ("declare e exception; begin begin raise e; exception when no_data_found then null; end; exception when e then :1 := 'out'; end;",
         "out"),
        ("""declare e exception; pragma exception_init(e, -942); begin execute immediate 'drop table nope'; exception when e then
         :1 := 'dropped'; end;""", "dropped"),
        ("""declare e exception; pragma exception_init(e, -20005); begin raise_application_error(-20005, 'm'); exception when e then
         :1 := sqlerrm; end;""", "ORA-20005: m"),
        ("begin begin raise no_data_found; exception when others then raise; end; exception when others then :1 := sqlcode; end;", "100"),
        ("begin case 1 when 2 then null; end case; exception when case_not_found then :1 := 'none'; end;", "none"),
        ("declare c sys_refcursor; v varchar2(9); begin fetch c into v; exception when invalid_cursor then :1 := 'closed'; end;", "closed"),
        ("begin null; exception when others then null; end;", None),
        ("declare e exception; begin raise e; exception when no_data_found or e then :1 := 'either'; end;", "either"),
    ],
)  # fmt: skip
def test_exceptions(client: Client, sql: str, expected: str | None) -> None:
    found = outputs(client, sql, "") if ":1" in sql else [client.run(sql).row_count or None]
    assert (found[0] or "").startswith(expected or "")
    assert (found[0] is None) is (expected is None)


@pytest.mark.parametrize(
    ("sql", "code", "text"),
    [
        ("begin null end;", 6550, 'PLS-00103: Encountered the symbol "END"'),
        ("begin nope; end;", 6550, "PLS-00201: identifier 'NOPE' must be declared"),
        ("begin\n  nope;\nend;", 6550, "line 2, column 3:"),
        ("begin :1 := nope; end;", 6550, "PLS-00201"),
        ("declare x nope; begin null; end;", 6550, "PLS-00201: identifier 'NOPE' must be declared"),
        ("declare x nope.a%type; begin null; end;", 6550, "PLS-00201"),
        ("begin select name from item; end;", 6550, "PLS-00428"),
        ("begin raise; end;", 6550, "PLS-00367"),
        ("begin raise nope; end;", 6550, "PLS-00201"),
        ("begin create table x (a number); end;", 6550, "PLS-00103"),
        ("declare c constant number := 1; begin c := 2; end;", 6550, "PLS-00363"),
        ("begin insert into nope values (1); exception when others then null; end;", 6550, "PL/SQL: ORA-00942"),
        ("begin update item set nope = 1; exception when others then null; end;", 6550, "PL/SQL: ORA-00904"),
        ("begin select id, name into :1 from item where id = 1; end;", 6550, "ORA-00913"),
        ("declare e exception; begin raise e; end;", 6510, "unhandled user-defined exception"),
        ("begin\n  raise_application_error(-20001, 'stop');\nend;", 20001, "stop\nORA-06512: at line 2"),
        ("begin raise_application_error(-1, 'm'); end;", 21000, "out of range"),
        ("begin\n\n  execute immediate 'drop table nope';\nend;", 942, "ORA-06512: at line 3"),
        ("begin execute immediate 'select 1 from dual where 1 = :a'; end;", 1008, "not all variables bound"),
        ("begin execute immediate 'create table x (a number)' using 1; end;", 1027, "bind variables not allowed"),
        ("begin goto a; end;", 3001, "GOTO"),
        ("declare type t is table of number; begin null; end;", 3001, "TYPE"),
        ("declare procedure p is begin null; end; begin null; end;", 3001, "PROCEDURE"),
        ("begin utl_file.fclose_all; end;", 3001, "UTL_FILE.FCLOSE_ALL"),
        ("begin select name bulk collect into :1 from item; end;", 3001, "BULK COLLECT"),
    ],
)
def test_errors(client: Client, sql: str, code: int, text: str) -> None:
    with pytest.raises(OracleError) as caught:
        client.session.execute(sql, make_binds([("",)]) if ":1" in sql else Binds())
    assert caught.value.code == code
    assert text in str(caught.value)


def test_a_failed_block_leaves_nothing_behind_but_what_came_before_it(client: Client) -> None:
    client.run("insert into item values (3, 'pin', 1)")
    with pytest.raises(OracleError, match="ORA-20001"):
        client.run("begin delete from item; raise_application_error(-20001, 'no'); end;")
    assert client.value("select count(*) from item") == 3


def test_a_handled_error_keeps_what_was_done_before_it(client: Client) -> None:
    client.run("begin delete from item where id = 1; insert into item values (2, 'x', 1); exception when others then null; end;")
    assert client.values("select id from item") == [2]


def test_an_inner_block_that_fails_undoes_itself_only(client: Client) -> None:
    client.run(
        "begin delete from item where id = 1; begin execute immediate 'begin delete from item; raise no_data_found; end;';"
        " exception when no_data_found then null; end; end;"
    )
    assert client.values("select id from item") == [2]
    assert len(client.session.savepoints) <= 2


def test_a_committed_part_stays(client: Client) -> None:
    with pytest.raises(OracleError, match="ORA-20001"):
        client.run("begin delete from item where id = 1; commit; raise_application_error(-20001, 'no'); end;")
    client.session.rollback()
    assert client.values("select id from item") == [2]


def test_compile_errors_come_before_anything_runs(client: Client) -> None:
    with pytest.raises(OracleError, match="PLS-00103"):
        client.run("begin delete from item; commit; if; end;")
    client.session.rollback()
    with pytest.raises(OracleError, match="PL/SQL: ORA-00942"):
        client.run("begin execute immediate 'truncate table item'; insert into nope values (1); end;")


def test_binds_keep_their_type(client: Client) -> None:
    outcome = client.session.execute("begin :n := '12'; :d := date '2024-02-29'; end;", Binds(
        [OracleType(Kind.NUMBER), OracleType(Kind.DATE)], [None, None]
    ))  # fmt: skip
    assert [type_.kind for type_ in outcome.out_types or [] if type_] == [Kind.NUMBER, Kind.DATE]
    assert str((outcome.out_values or [])[1].type) == "timestamp[s]"


def test_only_assigned_binds_go_back(client: Client) -> None:
    assert outputs(client, "declare v varchar2(9); begin v := :1; :2 := v; end;", "x", "") == [None, "x"]


def test_an_out_bind_that_is_too_short(client: Client) -> None:
    with pytest.raises(OracleError, match="ORA-06502"):
        client.session.execute("begin :1 := 'abc'; end;", Binds([OracleType(Kind.VARCHAR2, length=2)], [None]))


def test_a_ref_cursor_goes_to_the_client(client: Client) -> None:
    outcome = client.session.execute(
        "begin open :c for select name from item where id > :n order by id; end;",
        Binds([OracleType(Kind.CURSOR), OracleType(Kind.NUMBER)], [None, pa.array([0], pa.int64())]),
    )
    rows = (outcome.out_values or [None])[0]
    assert isinstance(rows, Rows)
    assert [value for batch in rows.batches for value in batch.column(0).to_pylist()] == ["bolt", "nut"]


def test_an_array_of_executions(client: Client) -> None:
    binds = Binds([OracleType(Kind.VARCHAR2, length=9), OracleType(Kind.NUMBER)], [None, pa.array([1, 2])], 2)
    outcome = client.session.execute("begin select name into :name from item where id = :id; end;", binds)
    assert (outcome.out_values or [])[0].to_pylist() == ["bolt", "nut"]


def test_dbms_output(client: Client) -> None:
    client.run("begin dbms_output.enable(null); dbms_output.put('a'); dbms_output.put_line('b'); dbms_output.put_line(1.5); end;")
    assert outputs(client, "begin dbms_output.get_line(:1, :2); end;", "", 0) == ["ab", 0]
    assert outputs(client, "begin dbms_output.get_line(line => :1, status => :2); end;", "", 0) == ["1.5", 0]
    assert outputs(client, "begin dbms_output.get_line(:1, :2); end;", "", 0) == [None, 1]
    client.run("begin dbms_output.disable; dbms_output.put_line('x'); end;")
    assert outputs(client, "begin dbms_output.get_line(:1, :2); end;", "", 0) == [None, 1]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("n * 3 - 1", "5"), ("n || '-' || v", "2-x"), ("mod(-7, n)", "-1"), ("-n", "-2"), ("n / 4", ".5"), ("1.5 * n", "3"),
        ("n * 0.25", ".5"), ("v || null", "x"), ("99999999999999999999999999999999999999 * n", "199999999999999999999999999999999999998"),
        ("case when n = 2 and v <> 'y' then 'in' end", "in"), ("length(v) + n", "3"), ("n + z", None), ("v || e || w", "x"),
    ],
)  # fmt: skip
def test_what_is_computed_here_is_what_the_session_computes(client: Client, expression: str, expected: str | None) -> None:
    declared = "declare n number := 2; v varchar2(9) := 'x'; z number; e varchar2(9) := ''; w varchar2(9);"
    assert outputs(client, f"{declared} begin :1 := {expression}; end;", "") == [expected]
    assert outputs(client, f"{declared} r varchar2(99); begin select {expression} into r from dual; :1 := r; end;", "") == [expected]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("n > 1 and v = 'x'", "yes"), ("z = 1 or n = 2", "yes"), ("not (z = 1)", "no"), ("z is null and e is null", "yes"),
        ("v < 'y' and 'a' = 'a '", "yes"), ("n = '2'", "yes"), ("n between 1 and 3", "yes"), ("v in ('q', 'x')", "yes"), ("z <> 1", "no"),
    ],
)  # fmt: skip
def test_conditions(client: Client, condition: str, expected: str) -> None:
    declared = "declare n number := 2; v varchar2(9) := 'x'; z number; e varchar2(9) := '';"
    assert outputs(client, f"{declared} begin if {condition} then :1 := 'yes'; else :1 := 'no'; end if; end;", "") == [expected]


@pytest.mark.parametrize(("value", "expected"), [("2.5", 3), ("-2.5", -3), ("2.4999", 2), ("'7'", 7), ("999.4", 999)])
def test_numbers_are_rounded_to_their_variable(client: Client, value: str, expected: int) -> None:
    assert outputs(client, f"declare n number(3) := {value}; begin :1 := n; end;", 0) == [expected]


def test_application_info(client: Client) -> None:
    client.run("begin dbms_application_info.set_module(module_name => 'm', action_name => 'a'); dbms_session.set_identifier('i'); end;")
    assert outputs(client, "begin dbms_application_info.read_module(:1, :2); end;", "", "") == ["m", "a"]
    assert client.value("select sys_context('userenv', 'client_identifier') from dual") == "i"


def test_statistics(client: Client) -> None:
    client.run(
        "begin dbms_stats.gather_table_stats(ownname => 'WMS', tabname => upper('item'),"
        " estimate_percent => dbms_stats.auto_sample_size, cascade => true, no_invalidate => false); end;"
    )
    assert client.value("select num_rows from user_tables where table_name = 'ITEM'") == 2
    with pytest.raises(OracleError, match="ORA-20000"):
        client.run("begin dbms_stats.gather_table_stats('WMS', 'NOPE'); end;")


def test_what_dbt_sends_to_drop_what_may_not_be_there(client: Client) -> None:
    client.run(
        """DECLARE dne_942 EXCEPTION; PRAGMA EXCEPTION_INIT(dne_942, -942); attempted_ddl_on_in_use_GTT EXCEPTION;
        pragma EXCEPTION_INIT(attempted_ddl_on_in_use_GTT, -14452); mv_dne_12003 EXCEPTION; PRAGMA EXCEPTION_INIT(mv_dne_12003, -12003);
        BEGIN SAVEPOINT start_transaction;EXECUTE IMMEDIATE 'DROP table nope cascade constraints purge';COMMIT;
        EXCEPTION WHEN attempted_ddl_on_in_use_GTT THEN NULL; -- if it its a global temporary table, leave it alone.
        WHEN dne_942 THEN NULL; WHEN mv_dne_12003 THEN NULL; END;"""
    )
    assert not client.session.in_transaction or client.value("select count(*) from item") == 2


def test_each_statement_of_a_block_has_its_own_time(client: Client) -> None:
    block = """
        declare a timestamp; b timestamp; c timestamp;
        begin
            select systimestamp into a from dual;
            dbms_session.sleep(0.02);
            select systimestamp into b from dual;
            dbms_session.sleep(0.02);
            c := systimestamp;
            :1 := case when b - a >= interval '0.02' second and c - b >= interval '0.02' second then 'later' else 'same' end;
        end;"""
    assert outputs(client, block, "?") == ["later"]

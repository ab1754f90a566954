"""Accounts: passwords that change, expire and are guessed at; profiles and their limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import oracledb
import pytest
from oracle_mimic.server import MimicServer
from oracle_mimic.sql.database import open_database
from oracle_mimic.sql.scn import Clock
from sql_room import Client, client, ora

pytestmark = pytest.mark.mimic_only
DAY = 86400


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(frozen_at=datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def server(clock: Clock) -> Iterator[MimicServer]:
    database = open_database(users={"BOSS": "boss"}, dba=["BOSS"], clock=clock)
    with MimicServer(database, users={}) as running:
        yield running
    database.close()


@pytest.fixture
def boss(server: MimicServer) -> Iterator[Client]:
    """A DBA; what a test makes for USER1 is gone afterwards."""
    found = Client(server.database.open_session("SYS", {})) if "SYS" in server.database.catalog.users else client(server.database)
    found.run("create profile strict limit failed_login_attempts 2 password_lock_time 1/24 sessions_per_user 1")
    found.run("create user user1 identified by First_1 profile strict")
    found.run("grant create session to user1")
    yield found
    found.run("alter profile default limit password_life_time 180 password_grace_time 7")
    for session in list(server.database.sessions.values()):
        if session.user == "USER1":
            session.close()
    found.run("drop user user1 cascade")
    found.run("drop profile strict cascade")
    found.session.close()


FIRST = "First_1"


def log_on(server: MimicServer, password: str = FIRST, **options: str) -> oracledb.Connection:
    return oracledb.connect(user="user1", password=password, dsn=server.dsn, **options)


def code_of(server: MimicServer, password: str = FIRST, **options: str) -> int:
    """The ORA code of a logon, 0 when it succeeds."""
    try:
        log_on(server, password, **options).close()
    except oracledb.DatabaseError as error:
        return error.args[0].code
    return 0


def account(boss: Client) -> str:
    return boss.value("select account_status from dba_users where username = 'USER1'")


def test_wrong_passwords_lock_the_account_for_a_while(server: MimicServer, boss: Client, clock: Clock) -> None:
    assert [code_of(server, "wrong"), code_of(server), code_of(server, "wrong")] == [1017, 0, 1017]
    assert account(boss) == "OPEN"
    assert code_of(server, "wrong") == 1017
    assert account(boss) == "LOCKED(TIMED)"
    assert [code_of(server), code_of(server, "wrong")] == [28000, 28000]
    clock.advance(3700)
    assert code_of(server) == 0
    assert account(boss) == "OPEN"


def test_an_account_is_locked_and_unlocked_by_hand(server: MimicServer, boss: Client, clock: Clock) -> None:
    boss.run("alter user user1 account lock")
    clock.advance(3700)
    assert (account(boss), code_of(server)) == ("LOCKED", 28000)
    boss.run("alter user user1 account unlock")
    assert (account(boss), code_of(server)) == ("OPEN", 0)
    assert code_of(server, "nonsense") == 1017
    assert oracledb_code_of_unknown_user(server) == 1017


def oracledb_code_of_unknown_user(server: MimicServer) -> int:
    with pytest.raises(oracledb.DatabaseError) as raised:
        oracledb.connect(user="nobody", password="x", dsn=server.dsn)
    return raised.value.args[0].code


def test_an_expired_password_must_be_changed_at_logon(server: MimicServer, boss: Client) -> None:
    boss.run("alter user user1 password expire")
    assert (account(boss), code_of(server)) == ("EXPIRED", 28001)
    assert code_of(server, "wrong", newpassword="Other_2") == 1017
    assert code_of(server, newpassword="Second_2") == 0
    assert (account(boss), code_of(server, "Second_2"), code_of(server)) == ("OPEN", 0, 1017)


def test_a_password_ages_and_has_days_of_grace(server: MimicServer, boss: Client, clock: Clock) -> None:
    boss.run("alter profile default limit password_life_time 30 password_grace_time 3")
    assert (
        boss.value("select expiry_date - (select created from dba_users where username = 'USER1') from dba_users where username = 'USER1'")
        == 30
    )
    clock.advance(29 * DAY)
    assert code_of(server) == 0
    clock.advance(10 * DAY)
    assert (code_of(server), account(boss)) == (0, "EXPIRED(GRACE)")
    clock.advance(2 * DAY)
    assert code_of(server) == 0
    clock.advance(1 * DAY)
    assert (code_of(server), account(boss)) == (28001, "EXPIRED")
    boss.run("alter user user1 identified by Third_3")
    assert (code_of(server, "Third_3"), account(boss)) == (0, "OPEN")
    boss.run("alter profile strict limit password_life_time unlimited")
    assert boss.value("select expiry_date from dba_users where username = 'USER1'") is None


def test_the_driver_changes_a_password(server: MimicServer, boss: Client) -> None:
    with log_on(server) as connection:
        with pytest.raises(oracledb.DatabaseError) as raised:
            connection.changepassword("wrong", "Second_2")
        assert raised.value.args[0].code == 28008
        connection.changepassword("First_1", "Second_2")
        connection.changepassword("Second_2", "Drittes Paßwort 3")
    assert code_of(server, "Drittes Paßwort 3") == 0


def test_a_user_changes_his_own_password_by_statement(server: MimicServer, boss: Client) -> None:
    own = client(server.database, "USER1")
    with ora(28008):
        own.run("alter user user1 identified by Second_2 replace wrong")
    own.run("alter user user1 identified by Second_2 replace First_1")
    for sql, code in (("alter user user1 identified by x account lock", 1031), ("alter user boss identified by x", 1031)):
        with ora(code):
            own.run(sql)
    own.session.close()
    assert (code_of(server, "First_1"), code_of(server, "Second_2")) == (1017, 0)


def test_a_user_has_only_so_many_sessions(server: MimicServer, boss: Client) -> None:
    with log_on(server):
        assert code_of(server) == 2391
        boss.run("alter profile strict limit sessions_per_user 2")
        assert code_of(server) == 0
    assert code_of(server) == 0


@pytest.mark.parametrize(("limit", "code"), [("idle_time", 2396), ("connect_time", 2399)])
def test_sessions_end_after_their_time(server: MimicServer, boss: Client, clock: Clock, limit: str, code: int) -> None:
    boss.run(f"alter profile strict limit {limit} 10")
    with log_on(server) as connection, connection.cursor() as cursor:
        clock.advance(599)
        cursor.execute("select 1 from dual")
        clock.advance(601)
        with pytest.raises(oracledb.DatabaseError) as raised:
            cursor.execute("select 1 from dual")
        assert raised.value.args[0].code == code
        with pytest.raises(oracledb.Error):
            cursor.execute("select 1 from dual")
    assert boss.value("select count(*) from v$session where username = 'USER1'") == 0


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("create profile p", 2376),
        ("create profile p limit nonsense 1", 2376),
        ("create profile p limit idle_time 1 idle_time 2", 2376),
        ("create profile p limit idle_time 0", 2377),
        ("create profile p limit sessions_per_user 1.5", 2377),
        ("create profile p limit idle_time null", 2377),
        ("create profile p limit cpu_per_call 5", 3001),
        ("create profile strict limit idle_time 5", 2379),
        ("alter profile nothing limit idle_time 5", 2380),
        ("alter profile default limit idle_time default", 2377),
        ("drop profile strict", 2382),
        ("drop profile nothing", 2380),
        ("drop profile default cascade", 2381),
        ("alter user user1 profile nothing", 2380),
        ("create user user2 identified by x profile nothing", 2380),
    ],
)
def test_profiles_have_oracles_errors(boss: Client, sql: str, code: int) -> None:
    with ora(code):
        boss.run(sql)


def test_the_dictionary_shows_limits(server: MimicServer, boss: Client) -> None:
    limits = "select limit from dba_profiles where profile = 'STRICT' and resource_name = '{}'"
    assert boss.value(limits.format("PASSWORD_LOCK_TIME")) == "0.0417"
    assert boss.value(limits.format("IDLE_TIME")) == "DEFAULT"
    own = client(server.database, "USER1")
    assert own.value("select limit from user_password_limits where resource_name = 'FAILED_LOGIN_ATTEMPTS'") == "2"
    assert own.value("select limit from user_password_limits where resource_name = 'PASSWORD_LIFE_TIME'") == "180"
    assert own.value("select limit from user_resource_limits where resource_name = 'IDLE_TIME'") == "UNLIMITED"
    assert own.value("select account_status from user_users") == "OPEN"
    with ora(1031):
        own.run("create profile p limit idle_time 5")
    own.session.close()

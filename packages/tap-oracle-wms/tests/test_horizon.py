"""What the source tells about open transactions, and what is done where it does not."""

from datetime import datetime, timedelta

import pytest
from oracle_connection.errors import ConfigurationError, RetriableError
from oracle_connection.parameters import ConnectionParameters
from tap_oracle_wms import statements
from tap_oracle_wms.connector import storage
from tap_oracle_wms.horizon import CTIME_GRANULARITY, observe
from tap_oracle_wms.source import Source


@pytest.fixture
def source(database):
    database.run("CREATE TABLE T (ID NUMBER(10))")
    made = Source(ConnectionParameters.from_config(database.config()), attempts=0)
    yield made
    made.close()


def look(source, **wanted):
    object_id = storage(source, "TESTER", "T").object_id
    return observe(source, owner="TESTER", table="T", **{"object_id": object_id, **wanted})


def test_without_an_open_transaction_the_horizon_is_now(source):
    horizon = look(source)
    assert (horizon.mode, horizon.at, horizon.holder) == ("locks", horizon.clock.utc, None)


def test_a_lock_on_the_table_holds_it_back_and_its_session_is_named(source, database, caplog):
    session = database.connect()
    session.cursor().execute("INSERT INTO T VALUES (1)")
    database.server.database.clock.advance(1000)
    try:
        horizon = look(source, warn_after_seconds=900)
    finally:
        database.server.database.clock.advance(-1000)
    assert timedelta(seconds=999) <= horizon.clock.utc - horizon.at <= timedelta(seconds=1010) + CTIME_GRANULARITY
    assert "of TESTER on" in horizon.holder
    assert "holds the bookmark of TESTER.T back" in caplog.text


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_it_moves_on_when_the_transaction_ends(source, database, end):
    session = database.connect()
    session.cursor().execute("INSERT INTO T VALUES (1)")
    assert look(source).at < look(source).clock.utc
    getattr(session, end)()
    horizon = look(source)
    assert horizon.at == horizon.clock.utc


def test_a_session_that_only_waits_for_the_table_counts_too(source, database):
    """Its statement's time is fixed already, though it has changed nothing yet."""
    import threading

    blocker, waiter = database.connect(), database.connect()
    blocker.cursor().execute("LOCK TABLE T IN EXCLUSIVE MODE")
    thread = threading.Thread(target=lambda: waiter.cursor().execute("INSERT INTO T VALUES (1)"))
    thread.start()
    locks = []
    deadline = datetime.now() + timedelta(seconds=20)
    while len(locks) < 2 and datetime.now() < deadline:
        locks = source.ask(statements.TABLE_LOCKS, {"object_id": storage(source, "TESTER", "T").object_id})
    blocker.rollback()
    thread.join()
    waiter.rollback()
    assert len(locks) == 2


def test_a_cluster_of_which_an_instance_does_not_answer_is_not_believed(source, database):
    """The user's own view stands in for a cluster of two: GV$LOCK then shows fewer instances than are open."""
    database.run("CREATE VIEW \"GV$INSTANCE\" AS SELECT 'OPEN' STATUS FROM DUAL UNION ALL SELECT 'OPEN' FROM DUAL")
    with pytest.raises(RetriableError, match="of 2 open instances"):
        look(source)


def test_a_view_has_no_locks_of_its_own(source):
    assert look(source, object_id=None).mode == "transactions"
    with pytest.raises(ConfigurationError, match="mode locks"):
        look(source, object_id=None, wanted="locks")


def test_a_standby_is_bounded_by_what_it_has_applied():
    from oracle_mimic.server import MimicServer

    with MimicServer(users={"TESTER": "Tester_1234"}, dba=["TESTER"], standby_lag_seconds=120) as server:
        made = Source(ConnectionParameters.from_config({"dsn": server.dsn, "username": "TESTER", "password": "Tester_1234"}), attempts=0)
        horizon = observe(made, owner="TESTER", table="T", object_id=1)
        made.close()
    assert horizon.mode == "lookback"
    assert not horizon.clock.is_primary
    assert horizon.at is None or horizon.clock.utc - horizon.at >= timedelta(seconds=120)


def test_a_call_that_takes_too_long_is_cancelled_and_said_so(database):
    made = Source(ConnectionParameters.from_config(database.config(call_timeout_seconds=1)), attempts=0)
    made.clock()
    database.server.faults.arm("delay", "statement", matching="GV.INSTANCE", seconds=3)
    with pytest.raises(RetriableError, match="call_timeout_seconds") as caught:
        made.ask(statements.OPEN_INSTANCES)
    assert caught.value.code in {"DPY-4024", "DPY-4011", "ORA-01013"}
    made.close()

"""ORA-/DPY- codes to what can be done about them."""

import pickle
import socket

import oracledb
import pytest
from oracle_connection.errors import CATALOGUE, ConfigurationError, DatabaseError, FatalError, Recovery, RetriableError, Scope, explain

LOGIN, HOST = "settings username and password", "is the database up, are host and port right"
SERVICE = "settings service_name, host and port"


@pytest.mark.parametrize(
    ("text", "kind", "code", "remedy"),
    [
        ("ORA-01017: invalid username/password; logon denied", ConfigurationError, "ORA-01017", LOGIN),
        ("DPY-6001: Service \"X\" is not registered (Similar to ORA-12514)", ConfigurationError, "DPY-6001", SERVICE),
        ("ORA-00942: table or view does not exist", ConfigurationError, "ORA-00942", "settings schema and entities, and the grants"),
        ("ORA-01031: insufficient privileges", ConfigurationError, "ORA-01031", "docs/grants"),
        ("ORA-28000: the account is locked", ConfigurationError, "ORA-28000", "unlock the account"),
        ("DPY-6005: cannot connect to database. Connection refused", RetriableError, "DPY-6005", HOST),
        ("DPY-6005: cannot connect\nDPY-6001: Service X is not registered (Similar to ORA-12514)", ConfigurationError, "DPY-6001", SERVICE),
        ("ORA-12541: TNS:no listener", RetriableError, "ORA-12541", HOST),
        ("DPY-4011: the connection was closed\nORA-03113: end-of-file", RetriableError, "DPY-4011", "the connection was lost"),
        ("DPY-6005: cannot connect\nORA-12514: TNS:service is unknown", ConfigurationError, "ORA-12514", SERVICE),
        ("ORA-12514: TNS:listener does not currently know of service", ConfigurationError, "ORA-12514", SERVICE),
        ("DPY-6005: cannot connect\nDPY-6003: SID X is unknown (Similar to ORA-12505)", ConfigurationError, "DPY-6003", "settings sid"),
        ("ORA-12505: TNS:listener does not currently know of SID", ConfigurationError, "ORA-12505", "settings sid, host and port"),
        ("DPY-6005: cannot connect to database\n[Errno -2] Name or service not known", ConfigurationError, "DPY-6005", "setting host"),
        ("ORA-03113: end-of-file", RetriableError, "ORA-03113", "the connection was lost"),
        ("DPI-1047: Cannot locate a 64-bit Oracle Client library", ConfigurationError, "DPI-1047", "client_directory"),
        ("ORA-01013: user requested cancel of current operation", RetriableError, "ORA-01013", "call_timeout_seconds"),
        ("ORA-01555: snapshot too old", RetriableError, "ORA-01555", "chunk_rows, or a longer undo retention"),
        ("ORA-01722: invalid number", FatalError, "ORA-01722", "cannot be converted"),
        ("ORA-31415: never heard of it", FatalError, "ORA-31415", "not in the error catalogue"),
    ],
)  # fmt: skip
def test_a_code_has_a_class_and_a_message_that_says_what_to_do(text: str, kind: type[DatabaseError], code: str, remedy: str) -> None:
    explained = explain(oracledb.DatabaseError(text), "read WMS.ALLOCATION")
    assert type(explained) is kind
    assert explained.code == code
    assert str(explained).startswith("cannot read WMS.ALLOCATION")
    assert code in str(explained)
    assert f"[{explained.recovery}]" in str(explained)
    assert remedy in str(explained)


def test_a_name_that_does_not_exist_is_a_matter_of_configuration_and_a_resolver_that_is_silent_is_not() -> None:
    assert "setting host" in str(explain(socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "connect"))
    assert explain(socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "connect").recovery is Recovery.CONFIGURATION
    assert explain(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "connect").recovery is Recovery.RETRIABLE


@pytest.mark.parametrize("code", ["ORA-01555", "ORA-01466", "ORA-08103", "ORA-01410", "ORA-08180", "ORA-08181"])
def test_a_lost_snapshot_is_read_again_on_the_same_connection(code: str) -> None:
    assert explain(oracledb.DatabaseError(f"{code}: gone"), "read").scope is Scope.SNAPSHOT


def test_no_message_shows_a_secret_even_when_the_server_repeats_it() -> None:
    explained = explain(oracledb.DatabaseError("ORA-01017: invalid hunter2"), "connect", secrets=("hunter2", None))
    assert "hunter2" not in str(explained)


def test_a_certificate_that_is_not_trusted_is_a_matter_of_configuration() -> None:
    error = oracledb.OperationalError("DPY-6005: cannot connect. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    assert explain(error, "connect").recovery is Recovery.CONFIGURATION


def test_a_socket_error_without_code_asks_for_a_new_connection() -> None:
    assert explain(ConnectionResetError(104, "reset by peer"), "read").scope is Scope.CONNECTION


def test_an_error_crosses_a_process_border_whole() -> None:
    original = RetriableError("cannot read", code="ORA-01555", scope=Scope.SNAPSHOT)
    copy = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.code, copy.scope) == (RetriableError, "cannot read", "ORA-01555", Scope.SNAPSHOT)


def test_every_retriable_code_says_what_to_do_again_and_every_entry_has_a_remedy() -> None:
    for entry in CATALOGUE.values():
        assert entry.remedy
        assert (entry.scope is not None) == (entry.recovery is Recovery.RETRIABLE)

"""Connecting: what a session is set up with, what TLS insists on, and what each failure is called."""

import datetime
import ipaddress
import os
import subprocess
import sys

import pytest
from oracle_connection.errors import ConfigurationError, DatabaseError, RetriableError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.probe import ask, connect

pytestmark = pytest.mark.skipif("ORACLE_TEST_DSN" in os.environ, reason="starts servers of its own")
PASSWORD = "Tester_1234"


def parameters(dsn: str, **settings: object) -> ConnectionParameters:
    return ConnectionParameters.from_config({"dsn": dsn, "username": "TESTER", "password": PASSWORD, **settings})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A self-made authority and a certificate for 127.0.0.1, as PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("tls")
    now = datetime.datetime.now(datetime.UTC)

    def made(name, issuer=None, issuer_key=None):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )  # fmt: skip
        if issuer is not None:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        return key, builder.sign(issuer_key or key, hashes.SHA256())

    authority_key, authority = made("Test Authority")
    key, certificate = made("127.0.0.1", authority, authority_key)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder


@pytest.fixture(scope="module")
def server(certificates):
    from oracle_mimic.server import MimicServer

    with MimicServer(
        users={"TESTER": PASSWORD}, dba=["TESTER"], certificate=certificates / "server.pem", key=certificates / "key.pem"
    ) as running:
        yield running


def test_a_session_has_a_fixed_zone_and_number_format_and_can_be_recognised(server):
    with connect(parameters(server.dsn), module="the module", action="the action") as connection:
        cursor = connection.cursor()
        row = cursor.execute("SELECT SESSIONTIMEZONE, TO_CHAR(1.5), TO_CHAR(DATE '2026-11-22') FROM DUAL").fetchone()
        assert row == ("+00:00", "1.5", "2026-11-22T00:00:00")
        cursor.execute("SELECT MODULE, ACTION FROM V$SESSION WHERE SID = SYS_CONTEXT('USERENV','SID')")
        assert cursor.fetchone() == ("the module", "the action")


def test_a_server_tells_its_version_and_the_time_of_a_round_trip(server):
    with connect(parameters(server.dsn), module="m") as connection:
        answer = ask(connection)
    assert answer.version.startswith("19.")
    assert 0 < answer.latency_ms < 10_000


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"password": "wrong"}, ConfigurationError, "ORA-01017"),
        ({"dsn": "127.0.0.1:1/X"}, RetriableError, "DPY-6005"),
        ({"service": "NOPE"}, ConfigurationError, "DPY-6001"),
        ({"sid": "NOPE"}, ConfigurationError, "DPY-6003"),
    ],
)
def test_a_failure_has_a_class_a_code_and_no_secret(server, settings, kind, code):
    config = {"host": "127.0.0.1", "port": server.port, "username": "TESTER", "password": PASSWORD}
    if "service" in settings:
        config["service_name"] = settings["service"]
    elif "sid" in settings:
        config["sid"] = settings["sid"]
    else:
        config = {"dsn": server.dsn, "username": "TESTER", "password": PASSWORD, **settings}
    with pytest.raises(DatabaseError) as caught:
        connect(ConnectionParameters.from_config(config), module="m")
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert PASSWORD not in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_thick_mode_without_an_instant_client_says_what_to_install(tmp_path):
    """In a process of its own: one that has connected in thin mode stays there."""
    code = (
        "import sys; from oracle_connection.parameters import ConnectionParameters; from oracle_connection.probe import connect\n"
        "config = {'dsn': '127.0.0.1:1/X', 'username': 'U', 'password': 'P', 'thick_mode': True, 'client_directory': sys.argv[1]}\n"
        "connect(ConnectionParameters.from_config(config), module='m')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert "ConfigurationError: cannot connect" in last
    assert "DPI-1047" in last
    assert "client_directory" in last


def secure(server, certificates, **settings):
    return ConnectionParameters.from_config(
        {
            "host": "127.0.0.1", "port": server.tls_port, "service_name": server.service, "protocol": "tcps", "username": "TESTER",
            "password": PASSWORD, "ssl_ca_file": str(certificates / "ca.pem"), **settings,
        }
    )  # fmt: skip


def test_tls_with_the_authoritys_file(server, certificates):
    with connect(secure(server, certificates), module="m") as connection:
        assert connection.cursor().execute("SELECT 1 FROM DUAL").fetchone() == (1,)


def test_tls_with_a_certificate_of_an_unknown_authority_is_a_matter_of_configuration(server, certificates):
    with pytest.raises(ConfigurationError, match="ssl_ca_file"):
        connect(secure(server, certificates, ssl_ca_file=None), module="m")


def test_tls_with_another_name_in_the_certificate_is_refused(server, certificates):
    with pytest.raises(ConfigurationError, match="do not switch ssl_server_dn_match off"):
        connect(secure(server, certificates, ssl_server_cert_dn="CN=someone else"), module="m")
    with connect(secure(server, certificates, ssl_server_cert_dn="CN=127.0.0.1"), module="m"):
        pass

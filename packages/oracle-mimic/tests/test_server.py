"""Starting the server: command line, passwords, addresses, services, TCPS, logon. Mimic only."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from echo_database import EchoDatabase
from oracle_mimic.__main__ import main, passwords
from oracle_mimic.server import MimicServer, is_loopback
from oracle_mimic.wire.logon import stored_name

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "WMS", 'Wms "1234" ç'


@pytest.fixture(scope="module")
def database() -> EchoDatabase:
    return EchoDatabase({USER: PASSWORD, "LOCKED": PASSWORD, "MixedCase": PASSWORD})


@pytest.fixture(scope="module")
def server(database: EchoDatabase) -> Iterator[MimicServer]:
    with MimicServer(database, services=["FREEPDB1", "analytics.example"], sids=["FREE", "OLD"]) as running:
        yield running


def connect(server: MimicServer, dsn: str | None = None, user: str = USER, password: str = PASSWORD, **more: object) -> oracledb.Connection:
    return oracledb.connect(user=user, password=password, dsn=dsn or server.dsn, **more)


@pytest.mark.parametrize(
    "form",
    [
        "{host}:{port}/FREEPDB1",
        "{host}:{port}/freepdb1",
        "{host}:{port}/ANALYTICS.EXAMPLE",
        "tcp://{host}:{port}/FREEPDB1?retry_count=2&retry_delay=1",
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port}))(CONNECT_DATA=(SERVICE_NAME=FREEPDB1)))",
        "(DESCRIPTION=(RETRY_COUNT=1)(ADDRESS_LIST=(ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port})))(CONNECT_DATA=(SID=old)))",
    ],
)
def test_ways_to_name_the_database(server: MimicServer, form: str) -> None:
    with connect(server, form.format(host=server.host, port=server.port)) as connection:
        assert connection.version == "19.3.0.0.0"
        assert connection.instance_name == "ECHO"


def test_a_descriptor_too_long_for_one_packet(server: MimicServer) -> None:
    with connect(server, program="p" * 300) as connection:
        connection.ping()
        assert connection.service_name == "FREEPDB1"


def test_pooled_and_shared_servers_are_not_started(server: MimicServer) -> None:
    with pytest.raises(oracledb.Error, match="12520"):
        connect(server, dsn=f"{server.dsn}:pooled")
    connect(server, dsn=f"{server.dsn}:dedicated").close()


def test_unknown_services_and_sids(server: MimicServer) -> None:
    with pytest.raises(oracledb.OperationalError, match="ORA-12514"):
        connect(server, f"{server.host}:{server.port}/NOSUCH")
    with pytest.raises(oracledb.OperationalError, match="ORA-12505"):
        oracledb.connect(user=USER, password=PASSWORD, host=server.host, port=server.port, sid="NOSUCH")


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), (USER, PASSWORD + " "), ("NOBODY", PASSWORD), ("mixedcase", PASSWORD)])
def test_wrong_passwords_and_unknown_users(server: MimicServer, user: str, password: str) -> None:
    with pytest.raises(oracledb.DatabaseError, match="ORA-01017"):
        connect(server, user=user, password=password)


def test_user_names_are_folded_unless_quoted(server: MimicServer) -> None:
    connect(server, user="wms").close()
    connect(server, user='"MixedCase"').close()
    assert stored_name('"MixedCase"') == "MixedCase"


def test_a_locked_account(server: MimicServer) -> None:
    with pytest.raises(oracledb.DatabaseError, match="ORA-28000"):
        connect(server, user="locked")


def test_administrative_logons_are_denied(server: MimicServer) -> None:
    with pytest.raises(oracledb.DatabaseError, match="ORA-01031"):
        connect(server, mode=oracledb.AUTH_MODE_SYSDBA)


@pytest.mark.parametrize("option", [{"appcontext": [("CLIENTCONTEXT", "A", "b")]}, {"edition": "E2"}, {"user": f"{USER}[OTHER]"}])
def test_logon_options_that_are_not_honoured_are_refused(server: MimicServer, option: dict[str, Any]) -> None:
    with pytest.raises(oracledb.DatabaseError, match="ORA-03001"):
        connect(server, **option)


def test_the_time_zone_of_the_client_reaches_the_session(server: MimicServer, database: EchoDatabase) -> None:
    database.executed.clear()
    connect(server).close()
    assert database.executed[0][0].startswith("ALTER SESSION SET TIME_ZONE=")


def test_other_addresses_need_a_flag(database: EchoDatabase) -> None:
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")  # noqa: S104 - that it is not taken for loopback is the point
    assert not is_loopback("example.org")
    with pytest.raises(ValueError, match="loopback"):
        MimicServer(database, host="0.0.0.0")  # noqa: S104 - refused
    MimicServer(database, host="0.0.0.0", allow_remote=True).stop()  # noqa: S104 - allowed, and stopped at once


def test_the_command_refuses_other_addresses_and_missing_passwords(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORACLE_MIMIC_PASSWORD_NOPASS", raising=False)
    assert main(["--host", "0.0.0.0", "--port", "0"]) == 2  # noqa: S104 - refused
    assert "--allow-remote" in capsys.readouterr().err
    assert main(["--port", "0", "--user", "NOPASS"]) == 2
    assert "ORACLE_MIMIC_PASSWORD_NOPASS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--user"),
        (["--user", "WMS", "--time-zone", "Nowhere/At_All"], "ORA-01882"),
        (["--user", "WMS", "--database", "/nowhere/at/all.duckdb"], "/nowhere/at/all.duckdb"),
        (["--user", "WMS", "--certificate", "/nowhere/at/all.pem"], "/nowhere/at/all.pem"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORACLE_MIMIC_PASSWORD_WMS", PASSWORD)
    assert main(["--port", "0", *arguments]) == 2
    printed = capsys.readouterr().err.splitlines()
    assert says in printed[-1]
    assert printed[-1].startswith("oracle-mimic: ")
    with pytest.raises(SystemExit):
        main(["--port", "99999", "--user", "WMS"])


def test_passwords_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("# comment\nwms=a=b\n\n")
    assert passwords(["WMS", "analytics"], file, {"ORACLE_MIMIC_PASSWORD_ANALYTICS": "c"}) == {"WMS": "a=b", "ANALYTICS": "c"}
    file.write_text("secret-without-a-name\n")
    with pytest.raises(ValueError, match="without '='") as caught:
        passwords(["WMS"], file, {})
    assert "secret" not in str(caught.value)


def certificate(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for loopback with this common name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate_file, key_file


@pytest.fixture(scope="module")
def tls_server(database: EchoDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MimicServer, Path]]:
    certificate_file, key_file = certificate(tmp_path_factory.mktemp("tls"), "mimic.test")
    with MimicServer(database, certificate=certificate_file, key=key_file) as running:
        yield running, certificate_file


def trusting(certificate_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate_file)


def test_tcps(tls_server: tuple[MimicServer, Path]) -> None:
    server, certificate_file = tls_server
    with connect(server, server.tls_dsn, ssl_context=trusting(certificate_file), ssl_server_cert_dn="CN=mimic.test") as connection:
        big = "x" * 3000
        with connection.cursor() as cursor:
            cursor.execute("SELECT ECHO(:1)", [big])
            assert cursor.fetchone() == (big,)
            cursor.executemany("INSERT INTO T VALUES (:1, :2)", [(i, big) for i in range(500)])
            assert cursor.rowcount == 500
        connection.call_timeout = 200
        with connection.cursor() as cursor, pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            cursor.execute("SELECT SLEEP")
        connection.ping()


async def test_tcps_with_asyncio(tls_server: tuple[MimicServer, Path]) -> None:
    server, certificate_file = tls_server
    context = trusting(certificate_file)
    async with oracledb.connect_async(
        user=USER, password=PASSWORD, dsn=server.tls_dsn, ssl_context=context, ssl_server_cert_dn="CN=mimic.test"
    ) as connection:
        assert await connection.fetchone("SELECT ECHO(:1)", ["tls"]) == ("tls",)


def test_a_certificate_with_another_name_is_refused_by_the_client(tls_server: tuple[MimicServer, Path]) -> None:
    server, certificate_file = tls_server
    with pytest.raises(oracledb.Error, match=r"DPY-6000|distinguished name|DPY-6005"):
        connect(server, server.tls_dsn, ssl_context=trusting(certificate_file), ssl_server_cert_dn="CN=someone.else")


def test_a_certificate_nobody_vouches_for_is_refused_by_the_client(tls_server: tuple[MimicServer, Path]) -> None:
    server, _ = tls_server
    with pytest.raises(oracledb.Error, match="DPY-6005"):
        connect(server, server.tls_dsn)


def test_plain_text_on_the_tls_port_ends_cleanly(tls_server: tuple[MimicServer, Path]) -> None:
    server, certificate_file = tls_server
    with pytest.raises(oracledb.Error, match=r"DPY-6005|DPY-4011"):
        connect(server, f"{server.host}:{server.tls_port}/FREEPDB1")
    connect(server, server.tls_dsn, ssl_context=trusting(certificate_file), ssl_server_cert_dn="CN=mimic.test").close()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00\x01", b"\x16"])
def test_random_bytes_on_the_tls_port_end_within_a_second(tls_server: tuple[MimicServer, Path], data: bytes) -> None:
    server, _ = tls_server
    assert server.tls_port is not None
    with socket.create_connection((server.host, server.tls_port)) as sock:
        sock.sendall(data)
        sock.settimeout(1.0)
        while sock.recv(1000):
            pass


def test_the_fixture_is_a_running_server(oracle_mimic: MimicServer) -> None:
    for user, password in oracle_mimic.users.items():
        with oracledb.connect(user=user, password=password, dsn=oracle_mimic.dsn) as connection:
            connection.ping()

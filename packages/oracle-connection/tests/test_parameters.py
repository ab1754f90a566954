"""Settings to connect arguments."""

import pytest
from oracle_connection.errors import ConfigurationError
from oracle_connection.parameters import SETTINGS, ConnectionParameters

GIVEN = {"host": "wms.example", "service_name": "WMSPDB", "username": "TAP", "password": "correct horse"}


def test_the_password_is_never_shown() -> None:
    parameters = ConnectionParameters.from_config({**GIVEN, "wallet_password": "battery staple"})
    assert "correct horse" not in repr(parameters)
    assert "battery staple" not in repr(parameters)
    assert parameters.connect_arguments()["password"] == "correct horse"


def test_the_port_is_1521_and_the_name_is_checked_unless_said_otherwise() -> None:
    arguments = ConnectionParameters.from_config(GIVEN).connect_arguments()
    assert arguments["port"] == 1521
    assert arguments["ssl_server_dn_match"] is True
    assert arguments["protocol"] == "tcp"


@pytest.mark.parametrize("places", [{}, {"sid": "A", "service_name": "B"}, {"dsn": "h/s", "sid": "A"}])
def test_one_place_is_needed(places: dict) -> None:
    config = {name: value for name, value in GIVEN.items() if name != "service_name"}
    with pytest.raises(ConfigurationError, match="exactly one of"):
        ConnectionParameters.from_config({**config, **places})


@pytest.mark.parametrize("missing", ["host", "username", "password"])
def test_a_missing_setting_is_named(missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        ConnectionParameters.from_config({name: value for name, value in GIVEN.items() if name != missing})


def test_empty_texts_of_an_environment_count_as_not_given() -> None:
    parameters = ConnectionParameters.from_config({**GIVEN, "sid": "", "wallet_location": None})
    assert parameters.sid is None


def test_a_wallet_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigurationError, match="wallet_location"):
        ConnectionParameters.from_config({**GIVEN, "wallet_location": "/nowhere/at/all"})


def test_every_setting_has_a_description_and_every_field_a_setting() -> None:
    assert all(setting["description"] for setting in SETTINGS.values())
    assert set(SETTINGS) == set(ConnectionParameters.__dataclass_fields__)


def test_a_dsn_replaces_host_and_service_and_its_credentials_are_not_shown() -> None:
    config = {"dsn": "someone/secret@wms.example/WMSPDB", "username": "TAP", "password": "x"}
    parameters = ConnectionParameters.from_config(config)
    assert "host" not in parameters.connect_arguments()
    assert parameters.place == "wms.example/WMSPDB"

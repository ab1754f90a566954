"""Settings: checked, with defaults, and documented."""

import subprocess
import sys
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from oracle_connection.errors import ConfigurationError
from tap_oracle_wms.settings import SETTINGS_SCHEMA, Settings, check_stream_maps, check_zone

LOGIN = {"username": "TAP", "password": "secret", "dsn": "h/s"}


def test_the_specifications_batch_size_is_the_default():
    assert Settings.from_config(LOGIN).batch_size == 1000


def test_every_setting_has_a_type_and_a_description():
    for name, schema in SETTINGS_SCHEMA["properties"].items():
        assert schema["type"], name
        assert schema["description"], name
    jsonschema.Draft202012Validator.check_schema(SETTINGS_SCHEMA)


def test_the_documentation_names_every_field_of_an_entity():
    done = subprocess.run(
        [sys.executable, "-c", "from tap_oracle_wms.tap import TapOracleWms; TapOracleWms.cli()", "--about", "--format=markdown"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (entities,) = [line for line in done.stdout.splitlines() if line.startswith("| entities ")]
    for name, field in SETTINGS_SCHEMA["properties"]["entities"]["additionalProperties"]["properties"].items():
        assert f"**`{name}`**: {field['description']}" in entities
    for line in done.stdout.splitlines():
        if line.startswith("|"):
            assert line.count("|") == 5, line


def test_no_setting_is_a_fraction_because_meltano_cannot_pass_one():
    assert "number" not in {schema["type"] for schema in SETTINGS_SCHEMA["properties"].values()}


def test_secrets_are_marked_and_never_shown():
    assert {name for name, schema in SETTINGS_SCHEMA["properties"].items() if schema.get("secret")} == {
        "password",
        "wallet_password",
        "mask_salt",
    }
    assert "pepper" not in repr(Settings.from_config({**LOGIN, "mask_salt": "pepper"}))


@pytest.mark.parametrize(
    ("given", "batches", "compression"),
    [
        ({}, False, "lz4"),
        ({"transfer": "batch"}, True, "lz4"),
        ({"batch_config": {"encoding": {"format": "arrow", "compression": "zstd"}}}, True, "zstd"),
        ({"batch_config": {"encoding": {"format": "arrow"}}, "transfer": "record"}, False, "lz4"),
        ({"batch_config": {}}, False, "lz4"),
    ],
)
def test_the_form_of_rows_follows_batch_config_and_transfer(given, batches, compression):
    settings = Settings.from_config({**LOGIN, **given})
    assert (settings.use_batches, settings.compression) == (batches, compression)


def test_the_staging_directory_may_be_said_as_singer_says_it():
    config = {**LOGIN, "batch_config": {"encoding": {"format": "arrow"}, "storage": {"root": "file:///data/staging"}}}
    assert Settings.from_config(config).staging_directory == Path("/data/staging")
    with pytest.raises(ConfigurationError, match="local"):
        Settings.from_config({**LOGIN, "batch_config": {"storage": {"root": "s3://bucket"}}})


def test_zones_are_checked_by_name():
    assert check_zone("x", "utc") is UTC
    assert check_zone("x", "server") is None
    assert check_zone("x", "America/Sao_Paulo") == ZoneInfo("America/Sao_Paulo")
    with pytest.raises(ConfigurationError, match="setting x"):
        check_zone("x", "Brasília")


@pytest.mark.parametrize("definition", [None, "__NULL__", {"TEXT": "'x'"}, {"__filter__": "True"}])
def test_stream_maps_of_the_sdk_are_let_through(definition):
    check_stream_maps({"stream_maps": {"t": definition}})


def test_a_replication_method_is_no_stream_map():
    with pytest.raises(ConfigurationError, match="replication-method: FULL_TABLE"):
        check_stream_maps({"stream_maps": {"order_dtl": {"replication_method": "FULL_TABLE"}}})

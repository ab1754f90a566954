"""The SDK's standard target tests, as they are, against a database."""

from __future__ import annotations

import uuid

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.runners import TargetTestRunner
from target_oracle.target import TargetOracle


class TestStandard(get_target_test_class(TargetOracle, config={"username": "-", "password": "-", "dsn": "-"})):
    """Each standard test, with the fixture's database in place of the class's configuration."""

    @pytest.fixture
    def runner(self, warehouse):
        prefix = f"S{uuid.uuid4().hex[:6].upper()}_"
        return TargetTestRunner(TargetOracle, config={**warehouse.config, "table_prefix": prefix}, parse_env_config=False)

"""pytest fixtures: `oracle_mimic`, a server for the whole test session, and `oracle_target`, the database that integration tests run on.

`oracle_target` is the mimic, or a real Oracle when ORACLE_TEST_DSN, ORACLE_TEST_USER and ORACLE_TEST_PASSWORD are set; then tests marked
`mimic_only` are left out. The user needs the right to create tables and views, and room for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from oracle_mimic.server import MimicServer

USERS = {"WMS": "Wms_1234", "ANALYTICS": "Analytics_1234", "TESTER": "Tester_1234"}
_DSN = "ORACLE_TEST_DSN"


class OracleTarget(NamedTuple):
    """Where to connect to, and whether it is the mimic."""

    dsn: str
    user: str
    password: str
    is_mimic: bool


@pytest.fixture(scope="session")
def oracle_mimic() -> Iterator[MimicServer]:
    """A running server with the users WMS, ANALYTICS and TESTER; TESTER is a DBA. Attributes: dsn, host, port, users, faults."""
    from oracle_mimic.server import MimicServer  # here, so that test runs without the fixture do not load the server

    with MimicServer(users=USERS, dba=["TESTER"]) as server:
        yield server


@pytest.fixture(scope="session")
def oracle_target(request: pytest.FixtureRequest) -> OracleTarget:
    """The database of the integration tests."""
    if dsn := os.environ.get(_DSN):
        return OracleTarget(dsn, os.environ["ORACLE_TEST_USER"], os.environ["ORACLE_TEST_PASSWORD"], False)
    server: MimicServer = request.getfixturevalue("oracle_mimic")
    return OracleTarget(server.dsn, "TESTER", USERS["TESTER"], True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only makes sense on the mimic when the tests run on a real Oracle."""
    if os.environ.get(_DSN):
        left_out = pytest.mark.skip(reason=f"mimic only, and {_DSN} is set")
        for item in items:
            if item.get_closest_marker("mimic_only"):
                item.add_marker(left_out)

"""pytest fixture `oracle_mimic`: one server for the whole test session, in memory, on a free port.

Attributes of the fixture: `dsn`, `host`, `port`, `users` (name -> password), `faults`. Other settings: make a `MimicServer` yourself.
"""

from __future__ import annotations

from collections.abc import Iterator

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from oracle_mimic.server import MimicServer

USERS = {"WMS": "Wms_1234", "ANALYTICS": "Analytics_1234", "TESTER": "Tester_1234"}


@pytest.fixture(scope="session")
def oracle_mimic() -> Iterator[MimicServer]:
    """A running server with the users WMS, ANALYTICS and TESTER; TESTER is a DBA."""
    from oracle_mimic.server import MimicServer  # here, so that test runs without the fixture do not load the server

    with MimicServer(users=USERS, dba=["TESTER"]) as server:
        yield server

"""Functions of SYS's packages that take EXECUTE do not exist for a user without it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from oracle_mimic.sql.database import Database, open_database
from sql_room import client, ora

SCN = "select dbms_flashback.get_system_change_number from dual"
HASH = "select rawtohex(dbms_crypto.hash(utl_raw.cast_to_raw('a'), 4)) from dual"


@pytest.fixture
def database() -> Iterator[Database]:
    found = open_database(users={"WMS": "a", "READER": "b"}, dba={"WMS"})
    yield found
    found.close()


@pytest.mark.parametrize("package", ["dbms_flashback", "sys.dbms_flashback"])
def test_the_scn_takes_execute_on_dbms_flashback(database: Database, package: str) -> None:
    dba, reader = client(database), client(database, "READER")
    assert dba.value(SCN) > 0
    with ora(904) as caught:
        reader.query(SCN)
    assert caught.value.text == '"DBMS_FLASHBACK"."GET_SYSTEM_CHANGE_NUMBER": invalid identifier'
    dba.run(f"grant execute on {package} to reader")
    assert reader.value(SCN) > 0
    dba.run(f"revoke execute on {package} from reader")
    with ora(904):
        reader.query(SCN)


def test_a_role_brings_the_packages(database: Database) -> None:
    dba, reader = client(database), client(database, "READER")
    dba.run("create role hashers")
    dba.run("grant execute on dbms_crypto to hashers")
    with ora(904):
        reader.query(HASH)
    dba.run("grant hashers to reader")
    assert reader.value(HASH) == hashlib.sha256(b"a").hexdigest().upper()
    with ora(904):
        reader.query(SCN)
    dba.run("grant execute_catalog_role to reader")
    assert reader.value(SCN) > 0


def test_only_execute_can_be_granted_on_a_package(database: Database) -> None:
    dba, reader = client(database), client(database, "READER")
    with ora(2205):
        dba.run("grant select on dbms_flashback to reader")
    with ora(1031):
        reader.run("grant execute on dbms_flashback to wms")

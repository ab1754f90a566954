"""The simulator against the mimic: its ledger is the truth, its history depends on its seed, its late commits are late."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo.ledger import Ledger, text
from demo.schema import TABLES
from tests.pipeline import Mimic, Pipeline

HISTORY = ("live", "--transactions", "20", "--pause-seconds", "0", "--late-seconds", "0.2")


@pytest.fixture
def warehouse(tmp_path):
    """A pipeline whose Meltano is never used: the databases and the simulator."""
    mimic = Mimic(tmp_path)
    made = Pipeline(tmp_path, mimic)
    made.demo("seed", "--orders", "200", "--as-of", "2026-11-22")
    yield made
    made.stop()
    mimic.kill()


def rows(warehouse: Pipeline, name: str, columns: list[str] | None = None) -> set[tuple[str | None, ...]]:
    names = ", ".join(f'"{column}"' for column in columns or [column.name for column in TABLES[name].columns])
    return {tuple(text(value) for value in row) for row in warehouse.query("WMS", f'SELECT {names} FROM "{name}"')}


def test_the_ledger_is_what_the_database_holds(warehouse):
    warehouse.demo(*HISTORY)
    ledger = Ledger(warehouse.ledger)
    for table in TABLES.values():
        assert rows(warehouse, table.name) == set(ledger.expected(table)), table.name
    assert ledger.live(TABLES["ALLOCATION"])


def test_the_same_seed_gives_the_same_history(warehouse):
    """All but the times, which are the database's own."""
    stable = {name: [c.name for c in table.columns if "TS" not in c.name and "DATE" not in c.name] for name, table in TABLES.items()}
    stable["ALLOCATION"].remove("WAVE_ID")
    warehouse.demo(*HISTORY)
    first = {name: rows(warehouse, name, columns) for name, columns in stable.items()}
    warehouse.demo("seed", "--orders", "200", "--as-of", "2026-11-22")
    assert {name: rows(warehouse, name, columns) for name, columns in stable.items()} != first
    warehouse.demo(*HISTORY)
    assert {name: rows(warehouse, name, columns) for name, columns in stable.items()} == first


def test_comparing_a_table_with_its_copy_and_with_a_changed_one(warehouse):
    """`compare` by itself: source and target are two users' tables of the same name."""
    for name in ("ITEM_MASTER", "ORDER_HDR"):
        warehouse.execute("WMS", f"GRANT SELECT ON {name} TO ANALYTICS")
        columns = ", ".join(column.ddl for column in TABLES[name].columns)
        warehouse.execute("ANALYTICS", f'CREATE TABLE {name} ({columns}, "_SDC_DELETED_AT" TIMESTAMP(6))')
        names = ", ".join(f'"{column.name}"' for column in TABLES[name].columns)
        warehouse.execute("ANALYTICS", f"INSERT INTO {name} ({names}) SELECT {names} FROM WMS.{name}")
    both = ("compare", "--tables", "ITEM_MASTER", "ORDER_HDR")
    assert "equal" in warehouse.demo(*both)

    changes = {
        # the twentieth digit behind the point of a bare NUMBER
        "UPDATE ITEM_MASTER SET ITEM_WEIGHT = ITEM_WEIGHT + 0.00000000000000000001 WHERE ITEM_ID = 5001": "ITEM_MASTER 5001: ITEM_WEIGHT",
        # a blank in a CLOB
        "UPDATE ORDER_HDR SET SPECIAL_INSTRUCTIONS = SPECIAL_INSTRUCTIONS || ' ' WHERE ORDER_ID = 1000192": "SPECIAL_INSTRUCTIONS",
        # a second
        "UPDATE ORDER_HDR SET ORDER_DATE = ORDER_DATE + 1/86400 WHERE ORDER_ID = 1000003": "ORDER_HDR 1000003: ORDER_DATE",
        # NULL is not a text
        "UPDATE ORDER_HDR SET CARRIER_CODE = NULL WHERE ORDER_ID = 1000004": "CARRIER_CODE",
        # a row too few, a row too many, a row marked as deleted that is there
        "DELETE FROM ORDER_HDR WHERE ORDER_ID = 1000005": "ORDER_HDR 1000005: the row is only in the source",
        "UPDATE ORDER_HDR SET ORDER_ID = 99 WHERE ORDER_ID = 1000006": "ORDER_HDR 99: the row is only in the target",
        'UPDATE ORDER_HDR SET "_SDC_DELETED_AT" = SYSTIMESTAMP WHERE ORDER_ID = 1000007': "1000007: the row is only in the source",
    }
    for statement in changes:
        warehouse.execute("ANALYTICS", statement)
    said = warehouse.demo(*both, code=1)
    for expected in changes.values():
        assert expected in said, said


def test_a_missing_variable_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "demo", "compare"], cwd=Path(__file__).parents[1], env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "WMS_ORACLE" in done.stderr

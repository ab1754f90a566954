"""Unmodified dbt-oracle on the mimic: every command and every kind of model, in one dbt process and one server.

The tests are steps of one story and run in their order; what dbt says is compared with what python-oracledb then finds.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest
from oracle_mimic.server import MimicServer

PROJECT = Path(__file__).parent / "dbt_project"
DBT_PYTHON = Path(__file__).parents[3] / ".tools" / "dbt" / "bin" / "python"
PASSWORD = "Secret_1"
USERS = dict.fromkeys(("DBT", "RESULTS", "HISTORY", "REPORTER"), PASSWORD)
MODELS = {"m_view", "m_table", "m_contract", "m_append", "m_merge", "m_merge_columns", "m_delete_insert", "m_microbatch", "m_of_ephemeral"}

# dbt imports much and starts slowly on a busy machine.
pytestmark = [pytest.mark.mimic_only, pytest.mark.timeout(900)]


class Dbt:
    """dbt's process, and a connection to see what it did."""

    def __init__(self, process: subprocess.Popen[str], connection: oracledb.Connection, target: Path, log: Path) -> None:
        self._process, self.connection, self.target, self._log = process, connection, target, log

    def invoke(self, *arguments: str) -> dict[str, Any]:
        """Run one dbt command, which must succeed; its nodes' statuses by name."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline() or '{"success": false}')
        assert answer["success"], f"{arguments}: {answer}\n{self._log.read_text()[-4000:]}"
        return answer["nodes"]

    def rows(self, sql: str, *binds: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            return list(cursor.execute(sql, binds))

    def change(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
        self.connection.commit()


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    assert DBT_PYTHON.exists(), "dbt is not installed: run ./setup.sh"
    folder = tmp_path_factory.mktemp("dbt")
    with MimicServer(users=USERS, dba=["DBT"]) as server, (folder / "output.txt").open("w") as output:
        settings = {
            "MIMIC_HOST": "127.0.0.1",
            "MIMIC_PORT": str(server.port),
            "MIMIC_SERVICE": server.service,
            "MIMIC_DATABASE": "FREE",
            "MIMIC_USER": "DBT",
            "MIMIC_PASSWORD": PASSWORD,
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        process = subprocess.Popen(
            [str(DBT_PYTHON), "-P", str(PROJECT / "invocations.py")],
            cwd=PROJECT,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        with process, oracledb.connect(user="DBT", password=PASSWORD, dsn=server.dsn) as connection:
            yield Dbt(process, connection, folder / "target", folder / "output.txt")
            assert process.stdin
            process.stdin.close()


def test_debug_connects(dbt: Dbt) -> None:
    dbt.invoke("debug")


def test_build_makes_seeds_models_snapshots_and_tests_on_four_threads(dbt: Dbt) -> None:
    nodes = dbt.invoke("build", "--threads", "4")
    assert {*MODELS, "rates", "snap_check", "snap_timestamp", "ut_table_keeps_rows"} <= nodes.keys()
    assert {name for name, status in nodes.items() if status == "warn"} == {"rate_is_known"}
    assert {status for name, status in nodes.items() if name != "rate_is_known"} <= {"success", "pass"}
    assert dbt.rows("select note, rate from rates where id = 5") == [("it's", 99999999999.9999)]
    for model in MODELS - {"m_of_ephemeral"}:
        assert dbt.rows(f"select count(*) from {model}") == [(5,)], model


def test_comments_grants_and_contracts_are_in_the_dictionary(dbt: Dbt) -> None:
    assert dbt.rows("select comments from user_tab_comments where table_name = 'M_VIEW'") == [
        ("a view's description; with a semicolon: and :colons",)
    ]
    assert dbt.rows("select comments from user_col_comments where table_name = 'M_VIEW' and column_name = 'RATE'") == [
        ("São Paulo's rate",)
    ]
    assert dbt.rows("select grantee, privilege from user_tab_privs_made where table_name = 'M_TABLE'") == [("REPORTER", "SELECT")]
    kinds = dbt.rows("select constraint_type from user_constraints where table_name = 'M_CONTRACT' order by 1")
    assert kinds == [("C",), ("C",), ("P",)]
    assert dbt.rows("select num_rows from user_tables where table_name = 'M_TABLE'") == [(5,)]


def test_seeds_again_and_incremental_models_by_each_strategy(dbt: Dbt) -> None:
    dbt.invoke("seed")
    dbt.change("update rates set rate = 2, valid_from = timestamp '2026-11-21 00:00:00' where id = 2")
    dbt.change("delete from rates where id = 4")
    dbt.invoke("run", "--vars", "{from_id: 3}")
    assert dbt.rows("select id, count(*) from m_append group by id order by id") == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)]
    assert dbt.rows("select id, rate from m_merge where id in (1, 2, 4) order by id") == [(1, 1.25), (2, 3), (4, -7)]
    assert dbt.rows("select count(*), count(distinct widened), max(length(widened)) from m_merge_columns") == [(5, 2, 40)]
    assert dbt.rows("select char_length from user_tab_columns where table_name = 'M_MERGE_COLUMNS' and column_name = 'WIDENED'") == [(40,)]
    # The row with the new date is another row by this model's key.
    assert dbt.rows("select id from m_delete_insert order by id") == [(1,), (2,), (2,), (3,), (4,), (5,)]
    assert dbt.rows("select id from m_microbatch order by id") == [(1,), (2,), (3,), (5,)]
    assert dbt.rows("select table_name from all_tables where table_name like 'O$PT%' or table_name like '%\\_\\_DBT\\_%' escape '\\'") == []


def test_tests_store_what_failed(dbt: Dbt) -> None:
    nodes = dbt.invoke("test", "--store-failures")
    assert nodes["rate_is_known"] == "warn"
    assert nodes["ut_table_keeps_rows"] == "pass"
    assert dbt.rows("select null_count from results.rate_is_known") == [(1,)]
    assert dbt.rows("select count(*) from results.no_negative_ids") == [(0,)]


def test_a_second_snapshot_keeps_both_versions(dbt: Dbt) -> None:
    dbt.invoke("snapshot")
    versions = "select id, rate, nvl2(dbt_valid_to, 'ended', 'current') from {} where id in (2, 4) order by id, dbt_valid_from"
    assert dbt.rows(versions.format("history.snap_timestamp")) == [(2, 0.1, "ended"), (2, 2, "current"), (4, -7, "ended")]
    assert dbt.rows(versions.format("history.snap_check")) == [(2, 0.1, "ended"), (2, 2, "current"), (4, -7, "current")]


def test_freshness_and_documentation_are_generated(dbt: Dbt) -> None:
    dbt.invoke("source", "freshness")
    (source,) = json.loads((dbt.target / "sources.json").read_text())["results"]
    assert (source["status"], source["max_loaded_at"][:10]) == ("pass", "2026-11-21")
    dbt.invoke("docs", "generate")
    catalog = json.loads((dbt.target / "catalog.json").read_text())
    assert catalog["errors"] is None
    contract = catalog["nodes"]["model.mimic_check.m_contract"]
    assert [(c["name"], c["type"]) for c in contract["columns"].values()] == [
        ("ID", "NUMBER"),
        ("CODE", "VARCHAR2(10)"),
        ("VALID_FROM", "TIMESTAMP(6)"),
    ]
    assert catalog["nodes"]["model.mimic_check.m_view"]["metadata"]["type"] == "VIEW"


def test_an_operation_reads_the_database(dbt: Dbt) -> None:
    dbt.invoke("run-operation", "check_rows", "--args", "{relation_name: m_table, expected: 4}")


def test_a_full_refresh_and_new_columns(dbt: Dbt) -> None:
    dbt.invoke("run", "--full-refresh", "--select", "m_append", "m_merge", "m_delete_insert", "m_microbatch", "m_table")
    for model in ("m_append", "m_merge", "m_delete_insert", "m_microbatch", "m_table"):
        assert dbt.rows(f"select count(*) from {model}") == [(4,)], model
    dbt.invoke("run", "--vars", "{extra_column: true}", "--select", "m_merge", "m_merge_columns")
    assert dbt.rows("select shouted from m_merge where id = 2") == [("QUOTED, WITH A COMMA",)]
    assert dbt.rows("select count(rate) from m_merge_columns") == [(3,)]
    dbt.invoke("run", "--select", "m_merge_columns")
    assert dbt.rows("select count(*) from user_tab_columns where table_name = 'M_MERGE_COLUMNS' and column_name = 'RATE'") == [(0,)]

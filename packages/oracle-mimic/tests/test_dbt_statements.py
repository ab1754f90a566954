"""Every distinct statement that dbt-oracle 1.12.0 sent while it was recorded, run unchanged through python-oracledb.

data/dbt_statements.json is the recording, in its order: 205 statements. The recorder had folded white space; the ends of `--` comments are
line ends again. Objects that a statement needs are made in front of it ("prepare"): the recording lists a statement once per command, and
24 more, the longest, only up to their 1,500th character; what those do is tested by test_dbt.py, which runs dbt itself.
"ora": what Oracle 19c refuses. It is dbt's own SQL of unit tests, which no Oracle before 23ai takes.
"""

from __future__ import annotations

import json
from pathlib import Path

import oracledb
import pytest
from oracle_mimic.server import MimicServer

STEPS = json.loads((Path(__file__).parent / "data" / "dbt_statements.json").read_text())
SCHEMAS = ("SNAPSHOTS", "REPORTER", "DBT_TEST__AUDIT", "TEST_RESULTS", "WMS_SYNC")


def test_the_recording_is_whole() -> None:
    assert sum("command" in step for step in STEPS) == 205
    assert {step["command"] for step in STEPS if "command" in step} >= {
        "debug", "seed", "run1", "run2", "test", "testsf", "snap1", "snap2", "fresh", "docs", "op", "fr", "show", "clone"
    }  # fmt: skip


@pytest.mark.mimic_only
def test_every_recorded_statement_runs() -> None:
    users = dict.fromkeys(("WMS_MART", *SCHEMAS), "Secret_1")
    failures: list[str] = []
    with (
        MimicServer(users=users, dba=["WMS_MART"]) as server,
        oracledb.connect(user="WMS_MART", password="Secret_1", dsn=server.dsn) as connection,
        connection.cursor() as cursor,
    ):
        for number, step in enumerate(STEPS):
            code = 0
            try:
                cursor.execute(step["sql"], step.get("binds", []))
                if cursor.description:
                    cursor.fetchall()
            except oracledb.DatabaseError as error:
                code = error.args[0].code
            if code != step.get("ora", 0):
                failures.append(f"{number} {step.get('command', 'prepare')}: ORA-{code:05d} {step['sql'][:200]}")
    assert not failures, "\n".join(failures)

"""The list of statements for DBAs (docs/grants/tap-statements.md) is true: complete, current, and nothing else is ever sent."""

import re
from pathlib import Path

import pytest
from oracle_connection.types import session_statement
from tap_oracle_wms import statements

DOCS = Path(__file__).parents[3] / "docs" / "grants"
GOLDEN = DOCS / "tap-statements.md"


def page() -> str:
    """The page as it must be."""
    lines = [
        "# Every statement that tap-oracle-wms sends",
        "",
        "Written by `python packages/tap-oracle-wms/tests/test_statements.py`; a test fails when it is not current, and another one when",
        "the tap sends anything that is not here. Parts in braces are quoted identifiers and conditions that the tap fills in; every",
        "value is a bind variable. All statements are SELECTs, but for the one that sets up the session. Which grant buys what:",
        "[tap.md](tap.md).",
        "",
        "| statement | privilege | since | edition | manual (Oracle Database 19c) |",
        "|---|---|---|---|---|",
        "| session | none | 11.2 | any | SQL Language Reference: ALTER SESSION |",
    ]
    lines += [f"| {s.name} | {s.privilege} | {s.since} | {s.edition} | {s.manual} |" for s in statements.all_statements()]
    lines += ["", "```sql", "-- session", session_statement(), ""]
    for each in statements.all_statements():
        lines += [f"-- {each.name}", each.text, ""]
    return "\n".join([*lines, "```", ""])


def test_the_page_is_current():
    assert GOLDEN.read_text() == page()


def test_every_statement_is_a_select_and_says_what_it_needs():
    for each in statements.all_statements():
        assert each.text.startswith("SELECT ")
        assert each.privilege
        assert each.manual
        assert not re.search(r"\b(INSERT|UPDATE|DELETE|MERGE|FOR UPDATE|LOCK TABLE|EXECUTE IMMEDIATE)\b", each.text)
    assert len({each.name for each in statements.all_statements()}) == len(statements.all_statements())


def test_the_grant_script_gives_what_the_statements_need():
    script = (DOCS / "tap.sql").read_text().upper()
    for each in statements.all_statements():
        for view in re.findall(r"\b(?:G?V_\$\w+|DBA_\w+)", each.privilege.upper()):
            assert view in script, each.name


def test_nothing_else_is_sent(database, run_tap, command, sent):
    """Everything the server was asked, in each mode, is a statement of the list with its braces filled."""
    database.run(
        "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, UPDATED DATE)", "CREATE INDEX T_U ON T (UPDATED)",
        "INSERT INTO T VALUES (1, SYSDATE)", "CREATE VIEW V AS SELECT ID, UPDATED FROM T",
    )  # fmt: skip
    entities = {
        "t": {"table": "T", "replication_key": "UPDATED"},
        "v": {"table": "V", "key_properties": ["ID"], "replication_key": "UPDATED"},
        "f": {"table": "T", "replication_method": "FULL_TABLE"},
    }
    sent.clear()
    state = run_tap(entities=entities).state
    run_tap(state, entities=entities)
    run_tap(state, entities=entities, horizon="transactions", backfill={"t": {"column": "ID", "from": "0"}})
    assert command(entities=entities)("--test-connection").exit_code == 0
    assert command(entities=entities)("--health-check").exit_code == 0
    patterns = [re.compile(_pattern(each.text), re.DOTALL) for each in statements.all_statements()]
    unknown = {sql for sql in sent if sql != session_statement() and not any(pattern.fullmatch(sql) for pattern in patterns)}
    assert len(sent) > 50
    assert unknown == set()


def _pattern(text: str) -> str:
    """A statement's text as a regular expression: what stands in braces may be anything; an empty end is cut off."""
    return ".*".join(re.escape(part) for part in re.split(r" ?\{\w+\}", text))


@pytest.mark.parametrize("name", ["", 'a"b', "a\0b"])
def test_what_cannot_be_an_identifier_is_refused(name):
    with pytest.raises(ValueError, match="identifier"):
        statements.quote(name)


if __name__ == "__main__":
    GOLDEN.write_text(page())

"""The list of statements for DBAs (docs/grants/tap-statements.md) is true: complete, current, and nothing else is ever sent."""

import re
from pathlib import Path

import pytest
from oracle_connection.types import Kind, OracleType, parse_type, select_expression, session_statement
from tap_oracle_wms import statements
from tap_oracle_wms.catalog import masked_expression
from tap_oracle_wms.settings import MASKS

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
    lines += [
        "",
        "What stands for a column in `{columns}`, so that its value arrives exactly. Other types stand as they are; masks (setting",
        "`entities.<stream>.mask`) replace them.",
        "",
        "| type or mask | expression | since | manual: SQL Language Reference |",
        "|---|---|---|---|",
    ]
    for name, expression in expressions().items():
        used = [statements.FUNCTIONS[function] for function in re.findall(r"(\w+)\(", expression) if function in statements.FUNCTIONS]
        since = max((version for version, _ in used), key=lambda text: [int(part) for part in text.split(".")], default="9.2")
        lines.append(f"| {name} | `{expression}` | {since} | {', '.join(manual for _, manual in used) or 'CASE Expressions'} |")
    lines += ["", "```sql", "-- session", session_statement(), ""]
    for each in statements.all_statements():
        lines += [f"-- {each.name}", each.text, ""]
    return "\n".join([*lines, "```", ""])


def expressions() -> dict[str, str]:
    """The SQL for a column C, by type, where it is not the column itself; and by mask."""
    texts = [
        "NUMBER", "FLOAT(126)", "TIMESTAMP(9)", "TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP(9) WITH TIME ZONE",
        "TIMESTAMP(6) WITH LOCAL TIME ZONE", "INTERVAL DAY(2) TO SECOND(6)", "INTERVAL YEAR(2) TO MONTH", "ROWID", "UROWID(4000)", "JSON",
        "XMLTYPE",
    ]  # fmt: skip
    found = {text: select_expression(parse_type(text), '"C"') for text in texts}
    for mask in MASKS:
        found[f"mask {mask}"] = masked_expression(parse_type("VARCHAR2(9 CHAR)"), '"C"', mask)
    return found


def test_every_function_of_an_expression_is_listed():
    for expression in expressions().values():
        assert set(re.findall(r"(\w+)\(", expression)) <= {*statements.FUNCTIONS, "VARCHAR2"}
    for kind in Kind:
        plain = OracleType(kind, precision=3, scale=9, length=5)
        assert set(re.findall(r"(\w+)\(", select_expression(plain, "C"))) <= {*statements.FUNCTIONS, "VARCHAR2"}


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

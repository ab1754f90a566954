"""Rejects in the transformations what Oracle 19c rejects, or silently reads otherwise, and a stand-in might accept. Needs no database.

Models and rules are rendered as sqlfluff renders them (jinja, our own macros), parsed, and looked through.
`python scripts/check_oracle_sql.py` prints one line a finding, with the ORA code; the exit code is 1 when there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

TRANSFORM = Path(__file__).resolve().parents[1] / "transform"
LONGEST_NAME = 128 - len("o$pt_123456789012")  # what dbt-oracle makes of a model's name for its temporary table
PREDICATES = (exp.Predicate, exp.And, exp.Or, exp.Not, exp.Boolean)
# Words that Oracle reserves (V$RESERVED_WORDS, RESERVED = 'Y'), which no unquoted name may be. ROWNUM and LEVEL are pseudo-columns.
RESERVED = frozenset(
    """
    ACCESS ADD ALL ALTER AND ANY AS ASC AUDIT BETWEEN BY CHAR CHECK CLUSTER COLUMN COMMENT COMPRESS CONNECT CREATE CURRENT DATE DECIMAL
    DEFAULT DELETE DESC DISTINCT DROP ELSE EXCLUSIVE EXISTS FILE FLOAT FOR FROM GRANT GROUP HAVING IDENTIFIED IMMEDIATE IN INCREMENT INDEX
    INITIAL INSERT INTEGER INTERSECT INTO IS LEVEL LIKE LOCK LONG MAXEXTENTS MINUS MLSLABEL MODE MODIFY NOAUDIT NOCOMPRESS NOT NOWAIT NULL
    NUMBER OF OFFLINE ON ONLINE OPTION OR ORDER PCTFREE PRIOR PUBLIC RAW RENAME RESOURCE REVOKE ROW ROWID ROWS SELECT SESSION SET SHARE SIZE
    SMALLINT START SUCCESSFUL SYNONYM SYSDATE TABLE THEN TO TRIGGER UID UNION UNIQUE UPDATE USER VALIDATE VALUES VARCHAR VARCHAR2 VIEW
    WHENEVER WHERE WITH
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)
_WITHOUT_MASK = re.compile(r"\bto_(?:date|timestamp|timestamp_tz)\s*\((?:[^(),]|\([^()]*\))*\)", re.IGNORECASE)
_EXTRACTED = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE", "TIMEZONE_REGION", "TIMEZONE_ABBR"}


def findings(sql: str) -> Iterator[str]:
    """What Oracle would say to a query, one text a finding."""
    if match := _WITHOUT_MASK.search(sql):
        yield f"{match.group(0)}: no format mask, so the session's NLS settings decide (ORA-01861)"
    try:
        tree = sqlglot.parse_one(sql, read="oracle")
    except sqlglot.errors.ParseError as error:
        yield f"cannot be parsed: {str(error).splitlines()[0]} (ORA-00900)"
        return
    for select in tree.find_all(exp.Select):
        yield from _select_findings(select)
    if tree.find(exp.Boolean):
        yield "true or false: there is no boolean in SQL before 23ai (ORA-00904)"
    if tree.find(exp.Limit):
        yield "LIMIT: say FETCH FIRST n ROWS ONLY (ORA-00933)"
    for name in tree.find_all(exp.Identifier):
        if not name.quoted and name.name.startswith("_"):
            yield f"{name.name}: a name that begins with _ must be quoted (ORA-00911)"
        if not name.quoted and name.name.upper() in RESERVED:
            yield f"{name.name}: a reserved word must be quoted (ORA-00904)"
    for inner in tree.find_all(exp.With):
        if inner.find_ancestor(exp.CTE):
            yield "WITH inside WITH (ORA-32034)"
    for literal in tree.find_all(exp.Literal):
        if literal.is_string and not literal.name:
            yield "'' is NULL in Oracle, and nothing equals it"
    for extract in tree.find_all(exp.Extract):
        if extract.name.upper() not in _EXTRACTED:
            yield f"EXTRACT({extract.name} ...) does not exist (ORA-00907)"


def _select_findings(select: exp.Select) -> Iterator[str]:
    if not select.args.get("from_") and not select.args.get("from"):
        yield "SELECT without FROM: say FROM DUAL (ORA-00923)"
    items = select.expressions
    if len(items) > 1 and any(isinstance(each, exp.Star) for each in items):
        yield "* beside other columns: say alias.* (ORA-00923)"
    computed = {}
    for item in items:
        value = item.this if isinstance(item, exp.Alias) else item
        if isinstance(value, PREDICATES):
            yield f"{item.sql('oracle')}: a condition is no value before 23ai; say CASE WHEN ... THEN 'Y' ELSE 'N' END (ORA-00923)"
        if isinstance(item, exp.Alias) and not (isinstance(value, exp.Column) and value.name.upper() == item.alias.upper()):
            computed[item.alias.upper()] = item
    group = select.args.get("group")
    for each in group.expressions if group else ():
        if isinstance(each, exp.Column) and not each.table and each.name.upper() in computed:
            yield f"GROUP BY {each.name}: an alias is not known there (ORA-00904)"


def rendered(path: Path) -> str:
    """The SQL of a model or rule, with this project's macros, as an incremental run has it."""
    linter = Linter(config=FluffConfig.from_path(str(path)))
    variants = linter.render_file(str(path), linter.config).templated_variants
    if not variants:
        raise ValueError(f"{path} cannot be rendered")
    return str(variants[0])


def main() -> int:
    """Look through the whole project."""
    found = 0
    for path in sorted([*TRANSFORM.glob("models/**/*.sql"), *TRANSFORM.glob("tests/rules/*.sql")]):
        name = path.relative_to(TRANSFORM)
        problems = list(findings(rendered(path)))
        if len(path.stem) > LONGEST_NAME:
            problems.append(f"the name has more than {LONGEST_NAME} characters (ORA-00972)")
        for each in problems:
            sys.stdout.write(f"{name}: {each}\n")
        found += len(problems)
    sys.stdout.write(f"{found} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

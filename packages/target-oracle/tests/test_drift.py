"""Schema drift: what is widened, and what stops the stream."""

from datetime import datetime
from decimal import Decimal

import pytest
from oracle_connection.contract import Mode
from oracle_connection.types import parse_type
from target_oracle.columns import Column, TableModel
from target_oracle.drift import DriftError, DriftPolicy, ExistingColumn, plan_changes, widened


def model(**types):
    columns = tuple(Column(name, parse_type(text), source=name) for name, text in types.items())
    return TableModel("WH", "T", columns, ("ID",), metadata=False)


def existing(**types):
    return [ExistingColumn(name, parse_type(text), nullable=name != "ID") for name, text in types.items()]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("NUMBER(5)", "NUMBER(9)", "NUMBER(9)"),
        ("NUMBER(10,2)", "NUMBER(12,4)", "NUMBER(12,4)"),
        ("NUMBER(10,2)", "NUMBER", "NUMBER"),
        ("NUMBER(10,2)", "NUMBER(11,4)", None),  # fewer digits before the point
        ("NUMBER(9)", "NUMBER(5)", None),
        ("NUMBER", "NUMBER(38)", None),
        ("VARCHAR2(10 CHAR)", "VARCHAR2(20 CHAR)", "VARCHAR2(20 CHAR)"),
        ("VARCHAR2(10 BYTE)", "VARCHAR2(10 CHAR)", "VARCHAR2(10 CHAR)"),
        ("VARCHAR2(10 CHAR)", "VARCHAR2(20 BYTE)", None),
        ("VARCHAR2(20 CHAR)", "VARCHAR2(10 CHAR)", None),
        ("VARCHAR2(20 CHAR)", "CLOB", None),
        ("TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP(6)"),
        ("TIMESTAMP(6)", "TIMESTAMP(3)", None),
        ("TIMESTAMP(6)", "TIMESTAMP(6) WITH TIME ZONE", None),
        ("DATE", "TIMESTAMP(0)", None),
        ("RAW(8)", "RAW(16)", "RAW(16)"),
        ("INTERVAL DAY(2) TO SECOND(3)", "INTERVAL DAY(4) TO SECOND(6)", "INTERVAL DAY(4) TO SECOND(6)"),
    ],
)
def test_widening(old, new, expected):
    result = widened(parse_type(old), parse_type(new))
    assert result == (None if expected is None else parse_type(expected))


def test_a_new_column_is_added_and_nullable():
    (change,) = plan_changes(model(ID="NUMBER(9)", B="DATE"), existing(ID="NUMBER(9)"), ["ID"])
    assert change.statement == 'ALTER TABLE "WH"."T" ADD ("B" DATE)'
    assert change.line == "added column B DATE"


def test_a_wider_column_is_modified():
    (change,) = plan_changes(model(ID="NUMBER(9)", B="VARCHAR2(40 CHAR)"), existing(ID="NUMBER(9)", B="VARCHAR2(10 CHAR)"), ["ID"])
    assert change.statement == 'ALTER TABLE "WH"."T" MODIFY ("B" VARCHAR2(40 CHAR))'
    assert change.line == "widened column B from VARCHAR2(10 CHAR) to VARCHAR2(40 CHAR)"


def test_a_vanished_column_stays_and_loses_its_not_null():
    old = [*existing(ID="NUMBER(9)"), ExistingColumn("GONE", parse_type("DATE"), nullable=False)]
    changes = plan_changes(model(ID="NUMBER(9)"), old, ["ID"])
    assert [each.statement for each in changes] == [None, 'ALTER TABLE "WH"."T" MODIFY ("GONE" NULL)']


def test_not_null_is_relaxed_when_the_schema_allows_null():
    old = [ExistingColumn("ID", parse_type("NUMBER(9)"), nullable=False), ExistingColumn("B", parse_type("DATE"), nullable=False)]
    (change,) = plan_changes(model(ID="NUMBER(9)", B="DATE"), old, ["ID"])
    assert change.statement == 'ALTER TABLE "WH"."T" MODIFY ("B" NULL)'


@pytest.mark.parametrize(("old", "new"), [("NUMBER(9)", "NUMBER(5)"), ("DATE", "TIMESTAMP(6)"), ("VARCHAR2(9 CHAR)", "CLOB")])
def test_narrowing_or_another_kind_stops_with_column_types_and_remedy(old, new):
    with pytest.raises(DriftError) as caught:
        plan_changes(model(ID="NUMBER(9)", B=new), existing(ID="NUMBER(9)", B=old), ["ID"])
    for part in ("T: column B", str(parse_type(old)), str(parse_type(new)), "full sync" if new != "NUMBER(5)" else "on_schema_drift"):
        assert part in str(caught.value)


def test_keep_wider_keeps_a_wider_column_but_not_another_kind():
    assert (
        plan_changes(model(ID="NUMBER(9)", B="NUMBER(5)"), existing(ID="NUMBER(9)", B="NUMBER(9)"), ["ID"], policy=DriftPolicy.KEEP_WIDER)
        == []
    )
    with pytest.raises(DriftError):
        plan_changes(model(ID="NUMBER(9)", B="DATE"), existing(ID="NUMBER(9)", B="NUMBER(9)"), ["ID"], policy=DriftPolicy.KEEP_WIDER)


def test_fail_stops_at_any_change_but_not_at_a_vanished_nullable_column():
    with pytest.raises(DriftError, match="added column B DATE"):
        plan_changes(model(ID="NUMBER(9)", B="DATE"), existing(ID="NUMBER(9)"), ["ID"], policy=DriftPolicy.FAIL)
    plan_changes(model(ID="NUMBER(9)"), existing(ID="NUMBER(9)", B="DATE"), ["ID"], policy=DriftPolicy.FAIL)


def test_another_key_stops():
    with pytest.raises(DriftError, match="key changed"):
        plan_changes(model(ID="NUMBER(9)", B="NUMBER(9)"), existing(ID="NUMBER(9)", B="NUMBER(9)"), ["B"])


BEFORE = {"ID": "NUMBER(9)", "NAME": "VARCHAR2(5 CHAR)", "N": "NUMBER(5,2)", "MUST": "NUMBER(3)", "GONE": "DATE", "AT": "TIMESTAMP(3)"}
AFTER = {"ID": "NUMBER(12)", "NAME": "VARCHAR2(50 CHAR)", "N": "NUMBER(9,4)", "MUST": "NUMBER(3)", "AT": "TIMESTAMP(6)", "NEW": "CLOB"}


def test_a_table_drifts_with_its_stream_and_keeps_its_rows(warehouse, make_stream, run_records):
    stream = make_stream(columns=BEFORE, mode=Mode.FULL_TABLE, generation=1, mandatory={"MUST", "GONE"})
    first = {"ID": 1, "NAME": "short", "N": Decimal("123.45"), "MUST": 1, "GONE": datetime(2026, 1, 1), "AT": datetime(2026, 1, 1)}
    warehouse.load([stream.schema(), stream.batch([first])])
    later = make_stream(columns=AFTER, run_id="run-2", mandatory={"MUST"}, comments={"NEW": "Added", "NAME": "Renamed"})
    second = {"ID": 10**11, "NAME": "n" * 50, "N": Decimal("12345.6789"), "NEW": "text", "AT": datetime(2026, 1, 1, 0, 0, 0, 7)}
    warehouse.load([later.schema(), later.batch([second], read_scn=2)])
    assert warehouse.rows("items", '"ID","NAME","N","MUST","GONE","AT","NEW"') == [
        (1, "short", Decimal("123.45"), 1, datetime(2026, 1, 1), datetime(2026, 1, 1), None),
        (10**11, "n" * 50, Decimal("12345.6789"), None, None, datetime(2026, 1, 1, 0, 0, 0, 7), "text"),
    ]
    assert run_records()[-1]["schema_changes"] == [
        "widened column ID from NUMBER(9) to NUMBER(12)",
        "widened column NAME from VARCHAR2(5 CHAR) to VARCHAR2(50 CHAR)",
        "widened column N from NUMBER(5,2) to NUMBER(9,4)",
        "widened column AT from TIMESTAMP(3) to TIMESTAMP(6)",
        "added column NEW CLOB",
        "column GONE is no longer sent; it stays",
        "relaxed NOT NULL of column GONE: it is no longer sent",
        "relaxed NOT NULL of column MUST: the data have NULL",
    ]
    comments = "SELECT COLUMN_NAME,COMMENTS FROM USER_COL_COMMENTS WHERE TABLE_NAME=:1 AND COLUMN_NAME IN ('NAME','NEW') ORDER BY 1"
    assert warehouse.query(comments, f"{warehouse.prefix}ITEMS") == [("NAME", "Renamed"), ("NEW", "Added")]

"""Statement texts: exact where a reader of the DBA's trace would look, structural elsewhere."""

import re

import pytest
from oracle_connection.types import parse_type
from target_oracle import definitions, statements
from target_oracle.columns import Column, TableModel, load_type, table_model, value_expression


def model(key=("ID",), *, metadata=True, **types):
    columns = tuple(Column(name, parse_type(text), source=name, nullable=name not in key) for name, text in types.items())
    return TableModel("WH", "T", columns, tuple(key), metadata=metadata)


def test_create_table_has_the_exact_types_and_the_metadata_columns():
    text = definitions.create_table(model(ID="NUMBER(19)", LEVEL="VARCHAR2(10 CHAR)", Q="NUMBER(19,4)"))
    assert text == (
        'CREATE TABLE "WH"."T" ("ID" NUMBER(19) NOT NULL, "LEVEL" VARCHAR2(10 CHAR), "Q" NUMBER(19,4), "_SDC_EXTRACTED_AT" TIMESTAMP(6), '
        '"_SDC_RECEIVED_AT" TIMESTAMP(6), "_SDC_BATCHED_AT" TIMESTAMP(6), "_SDC_DELETED_AT" TIMESTAMP(6), "_SDC_SEQUENCE" NUMBER(20), '
        '"_SDC_TABLE_VERSION" NUMBER(19))'
    )


def test_merge_without_metadata_is_the_plain_statement():
    assert statements.merge(model(metadata=False, ID="NUMBER(19)", B="DATE"), "L") == (
        'MERGE INTO "WH"."T" t USING (SELECT l."ID" AS "ID",l."B" AS "B" FROM "WH"."L" l WHERE l."_SDC_DELETED_AT" IS NULL) s '
        'ON (t."ID"=s."ID") WHEN MATCHED THEN UPDATE SET t."B"=s."B" WHERE (DECODE(t."B",s."B",0,1)=1) '
        'WHEN NOT MATCHED THEN INSERT (t."ID",t."B") VALUES (s."ID",s."B")'
    )


def test_merge_never_updates_the_key():
    text = statements.merge(model(key=("A", "B"), A="NUMBER(1)", B="NUMBER(1)", C="NUMBER(1)"), "L")
    assignments = re.search(r"UPDATE SET (.*?) WHERE", text).group(1)
    assert 't."A"=' not in assignments
    assert 't."B"=' not in assignments
    assert assignments.startswith('t."C"=s."C",')


def test_merge_of_keys_only_revives_deleted_rows_and_inserts():
    text = statements.merge(model(ID="NUMBER(1)"), "L")
    assert 't."_SDC_DELETED_AT" IS NOT NULL' in text
    assert "WHEN NOT MATCHED" in text
    assert "WHEN MATCHED" not in statements.merge(model(metadata=False, ID="NUMBER(1)"), "L")


def test_merge_compares_lobs_by_content_and_everything_else_null_safely():
    column = Column("C", parse_type("CLOB"))
    assert statements.differs(column).startswith('DBMS_LOB.COMPARE(t."C",s."C")<>0 OR (t."C" IS NULL AND s."C" IS NOT NULL)')
    assert statements.differs(Column("C", parse_type("CHAR(3 CHAR)"))) == 'DECODE(t."C",CAST(s."C" AS CHAR(3 CHAR)),0,1)=1'
    assert statements.differs(Column("C", parse_type("RAW(3)"))).startswith('t."C"<>s."C" OR ')


TIME_NOT_BEFORE = '(t."_SDC_EXTRACTED_AT" IS NULL OR s."_SDC_EXTRACTED_AT" IS NULL OR s."_SDC_EXTRACTED_AT">=t."_SDC_EXTRACTED_AT")'


def test_an_older_version_does_not_overwrite():
    text = statements.merge(model(ID="NUMBER(1)", B="NUMBER(1)"), "L")
    newer = f's."_SDC_SEQUENCE">t."_SDC_SEQUENCE" OR (s."_SDC_SEQUENCE"=t."_SDC_SEQUENCE" AND {TIME_NOT_BEFORE})'
    assert f'(t."_SDC_SEQUENCE" IS NULL OR s."_SDC_SEQUENCE" IS NULL OR {newer}) AND' in text


def test_a_foreign_stream_is_ordered_by_its_replication_key():
    columns = model(ID="NUMBER(1)", CHANGED="DATE").columns
    text = statements.merge(TableModel("WH", "T", columns, ("ID",), replication_key="CHANGED"), "L")
    changed = f's."CHANGED">t."CHANGED" OR (s."CHANGED"=t."CHANGED" AND {TIME_NOT_BEFORE})'
    assert f'(t."CHANGED" IS NULL OR s."CHANGED" IS NULL OR {changed}) AND' in text


@pytest.mark.parametrize(
    ("type_", "load", "expression"),
    [
        ("NUMBER(19,4)", "NUMBER(19,4)", 'l."C"'),
        ("NUMBER", "VARCHAR2(4000 BYTE)", 'TO_NUMBER(l."C")'),
        ("NUMBER(*,2)", "VARCHAR2(4000 BYTE)", 'TO_NUMBER(l."C")'),
        ("NUMBER(5,-2)", "NUMBER(5,-2)", 'l."C"'),
        ("NUMBER(38,-2)", "VARCHAR2(4000 BYTE)", 'TO_NUMBER(l."C")'),
        ("NUMBER(3,5)", "VARCHAR2(4000 BYTE)", 'TO_NUMBER(l."C")'),
        ("FLOAT(53)", "VARCHAR2(4000 BYTE)", 'TO_NUMBER(l."C")'),
        ("BINARY_DOUBLE", "BINARY_DOUBLE", 'l."C"'),
        ("VARCHAR2(20 CHAR)", "VARCHAR2(4000 BYTE)", 'l."C"'),
        ("NVARCHAR2(20)", "VARCHAR2(4000 BYTE)", 'TO_NCHAR(l."C")'),
        ("NVARCHAR2(2000)", "CLOB", 'TO_NCHAR(l."C")'),
        ("CLOB", "CLOB", 'l."C"'),
        ("NCLOB", "CLOB", 'TO_NCLOB(l."C")'),
        ("RAW(16)", "RAW(16)", 'l."C"'),
        ("DATE", "DATE", 'l."C"'),
        ("TIMESTAMP(3)", "TIMESTAMP(6)", 'l."C"'),
        ("TIMESTAMP(9)", "VARCHAR2(4000 BYTE)", 'TO_TIMESTAMP(SUBSTR(l."C",1,29),\'YYYY-MM-DD"T"HH24:MI:SS.FF9\')'),
        ("TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP(6)", "FROM_TZ(l.\"C\",'+00:00')"),
        (
            "TIMESTAMP(6) WITH LOCAL TIME ZONE",
            "TIMESTAMP(6)",
            "CAST(FROM_TZ(l.\"C\",'+00:00') AS TIMESTAMP(6) WITH LOCAL TIME ZONE)",
        ),
        ("INTERVAL DAY(2) TO SECOND(6)", "VARCHAR2(4000 BYTE)", 'TO_DSINTERVAL(l."C")'),
        ("INTERVAL YEAR(2) TO MONTH", "VARCHAR2(4000 BYTE)", 'TO_YMINTERVAL(l."C")'),
        ("ROWID", "VARCHAR2(4000 BYTE)", 'CHARTOROWID(l."C")'),
    ],
)
def test_values_pass_through_the_load_table_exactly(type_, load, expression):
    column = Column("C", parse_type(type_))
    assert str(load_type(column)) == load
    assert value_expression(column) == expression


def test_binds_of_the_merge_are_those_that_are_documented():
    text = statements.merge(model(ID="NUMBER(1)", B="NUMBER(1)"), "L")
    outside = re.sub(r"'[^']*'", "", text)
    assert set(re.findall(r":(\w+)", outside)) == set(statements.BATCH_BINDS)


def test_comments_are_literals():
    assert definitions.comment_on_column("WH", "T", "A", "it's") == 'COMMENT ON COLUMN "WH"."T"."A" IS \'it\'\'s\''


def test_a_foreign_schema_gets_its_types_by_the_documented_rule():
    schema = {
        "properties": {
            "id": {"type": "string"},
            "n": {"type": ["null", "integer"]},
            "x": {"type": "number"},
            "b": {"type": "boolean"},
            "short": {"type": "string", "maxLength": 1000},
            "long": {"type": "string", "maxLength": 1001},
            "text": {"type": ["string", "null"]},
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "raw": {"type": "string", "contentEncoding": "base16", "maxLength": 32},
            "o": {"type": "object"},
            "a": {"type": "array"},
            "_sdc_batched_at": {"type": "string"},
        }
    }
    table = table_model("s", schema, ["id"], owner="WH", table="S")
    assert {each.name: str(each.type) for each in table.columns} == {
        "ID": "VARCHAR2(1000 CHAR)",
        "N": "NUMBER(38)",
        "X": "NUMBER",
        "B": "NUMBER(1)",
        "SHORT": "VARCHAR2(1000 CHAR)",
        "LONG": "CLOB",
        "TEXT": "CLOB",
        "AT": "TIMESTAMP(6) WITH TIME ZONE",
        "DAY": "DATE",
        "RAW": "RAW(16)",
        "O": "CLOB",
        "A": "CLOB",
    }
    assert [each.name for each in table.columns if not each.nullable] == ["ID"]


def test_nine_hundred_and_ninety_four_columns_are_the_limit():
    schema = {"properties": {f"c{number}": {"type": "integer"} for number in range(995)}}
    with pytest.raises(Exception, match="995 columns, but a table takes 994"):
        table_model("s", schema, ["c1"], owner="WH", table="S")
    del schema["properties"]["c0"]
    assert len(table_model("s", schema, ["c1"], owner="WH", table="S").all_columns) == 1000

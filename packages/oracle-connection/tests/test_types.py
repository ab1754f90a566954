"""The type table against docs/batch-contract.md, section 4."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_connection.types import (
    Kind,
    OracleType,
    UnsupportedTypeError,
    arrow_type,
    dictionary_type,
    fetch_type,
    json_schema,
    parse_type,
    schema_type,
    select_expression,
)

fractions = st.integers(0, 9)
oracle_types = st.one_of(
    st.builds(OracleType, st.just(Kind.NUMBER), st.integers(1, 38), st.integers(-84, 127)),
    st.builds(OracleType, st.just(Kind.NUMBER), st.none(), st.none() | st.integers(-84, 127)),
    st.builds(OracleType, st.just(Kind.FLOAT), st.integers(1, 126)),
    st.builds(
        OracleType, st.sampled_from([Kind.CHAR, Kind.VARCHAR2]), length=st.integers(1, 32767), char_semantics=st.booleans()
    ),
    st.builds(OracleType, st.sampled_from([Kind.NCHAR, Kind.NVARCHAR2]), length=st.integers(1, 16383), char_semantics=st.just(True)),
    st.builds(OracleType, st.sampled_from([Kind.RAW, Kind.UROWID]), length=st.integers(1, 2000)),
    st.builds(OracleType, st.sampled_from([Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_LTZ]), scale=fractions),
    st.builds(OracleType, st.just(Kind.INTERVAL_DS), st.integers(0, 9), fractions),
    st.builds(OracleType, st.just(Kind.INTERVAL_YM), st.integers(0, 9)),
    st.builds(
        OracleType,
        st.sampled_from([
            Kind.BINARY_FLOAT, Kind.BINARY_DOUBLE, Kind.LONG, Kind.LONG_RAW, Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.DATE,
            Kind.ROWID, Kind.JSON, Kind.XMLTYPE,
        ]),
    ),
)  # fmt: skip


@given(oracle_types)
def test_a_type_is_read_back_from_its_text(oracle: OracleType) -> None:
    assert parse_type(str(oracle)) == oracle


@given(oracle_types, st.booleans())
def test_a_type_is_read_back_from_its_json_schema(oracle: OracleType, nullable: bool) -> None:
    schema = json_schema(oracle, nullable=nullable, description="a column")
    assert schema_type(schema) == oracle
    assert ("null" in schema["type"]) is nullable
    assert schema["description"] == "a column"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NUMBER(18)", pa.int64()),
        ("NUMBER(19)", pa.decimal128(19, 0)),
        ("NUMBER(1,0)", pa.int64()),
        ("NUMBER(19,4)", pa.decimal128(19, 4)),
        ("NUMBER(38,38)", pa.decimal128(38, 38)),
        ("NUMBER(5,-2)", pa.decimal128(7, 0)),
        ("NUMBER(38,-1)", pa.string()),
        ("NUMBER(3,5)", pa.string()),
        ("NUMBER", pa.string()),
        ("INTEGER", pa.string()),
        ("FLOAT(126)", pa.string()),
        ("BINARY_FLOAT", pa.float32()),
        ("BINARY_DOUBLE", pa.float64()),
        ("VARCHAR2(20 CHAR)", pa.string()),
        ("CLOB", pa.string()),
        ("RAW(16)", pa.binary()),
        ("BLOB", pa.binary()),
        ("DATE", pa.timestamp("s")),
        ("TIMESTAMP", pa.timestamp("us")),
        ("TIMESTAMP(0)", pa.timestamp("us")),
        ("TIMESTAMP(7)", pa.string()),
        ("TIMESTAMP(6) WITH TIME ZONE", pa.timestamp("us", tz="UTC")),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", pa.timestamp("us", tz="UTC")),
        ("TIMESTAMP(9) WITH TIME ZONE", pa.string()),
        ("INTERVAL DAY(2) TO SECOND(6)", pa.string()),
        ("ROWID", pa.string()),
        ("XMLTYPE", pa.string()),
    ],
)
def test_the_arrow_type_is_the_one_of_the_contract(text: str, expected: pa.DataType) -> None:
    assert arrow_type(parse_type(text)) == expected


@given(oracle_types)
def test_the_driver_is_never_asked_for_a_type_it_would_change(oracle: OracleType) -> None:
    requested = fetch_type(oracle)
    assert not pa.types.is_large_string(requested)
    assert not pa.types.is_large_binary(requested)
    assert not (pa.types.is_timestamp(requested) and requested.tz)
    # text of a number, an interval, a row id or a fine timestamp only exists when SQL makes it
    if requested == pa.string() and oracle.kind in {
        Kind.NUMBER, Kind.FLOAT, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.INTERVAL_DS, Kind.INTERVAL_YM, Kind.ROWID, Kind.UROWID,
    }:  # fmt: skip
        assert select_expression(oracle, '"C"') != '"C"'


@pytest.mark.parametrize(
    "text", ["BFILE", "VECTOR", "BOOLEAN", "MDSYS.SDO_GEOMETRY", "NUMBER(39)", "NUMBER(3,200)", "DATE(3)", "VARCHAR2", "TIMESTAMP(10)", ""]
)
def test_what_cannot_be_carried_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=text.split("(", maxsplit=1)[0] or "''"):
        parse_type(text)


def test_the_dictionary_tells_the_same_type_as_the_declaration() -> None:
    assert str(dictionary_type("NUMBER", data_length=22, data_precision=19, data_scale=4)) == "NUMBER(19,4)"
    assert str(dictionary_type("NUMBER", data_length=22)) == "NUMBER"
    assert str(dictionary_type("NUMBER", data_length=22, data_scale=0)) == "NUMBER(*,0)"
    assert str(dictionary_type("FLOAT", data_length=22, data_precision=126)) == "FLOAT(126)"
    assert str(dictionary_type("VARCHAR2", data_length=80, char_length=20, char_used="C")) == "VARCHAR2(20 CHAR)"
    assert str(dictionary_type("VARCHAR2", data_length=20, char_length=20, char_used="B")) == "VARCHAR2(20 BYTE)"
    assert str(dictionary_type("NVARCHAR2", data_length=40, char_length=20, char_used="C")) == "NVARCHAR2(20)"
    assert str(dictionary_type("TIMESTAMP(6) WITH TIME ZONE", data_length=13, data_scale=6)) == "TIMESTAMP(6) WITH TIME ZONE"
    assert str(dictionary_type("INTERVAL DAY(3) TO SECOND(2)", data_precision=3, data_scale=2)) == "INTERVAL DAY(3) TO SECOND(2)"
    assert str(dictionary_type("XMLTYPE", data_type_owner="SYS", data_length=2000)) == "XMLTYPE"
    with pytest.raises(UnsupportedTypeError, match=r"WMS\.ADDRESS"):
        dictionary_type("ADDRESS", data_type_owner="WMS")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["integer", "null"]}, "NUMBER(38)"),
        ({"type": "number"}, "NUMBER"),
        ({"type": ["boolean", "null"]}, "NUMBER(1)"),
        ({"type": "string", "maxLength": 30}, "VARCHAR2(30 CHAR)"),
        ({"type": "string"}, "CLOB"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP(6) WITH TIME ZONE"),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "TIMESTAMP(6) WITH TIME ZONE"),
        ({"type": ["object", "null"]}, "CLOB"),
        ({}, "CLOB"),
    ],
)
def test_a_foreign_taps_schema_gets_the_nearest_type(schema: dict, expected: str) -> None:
    assert str(schema_type(schema)) == expected

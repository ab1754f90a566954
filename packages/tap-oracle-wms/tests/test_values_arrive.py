"""Every value of every type arrives equal, in Arrow files and in RECORD messages, under any name a table may have."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from oracle_connection.errors import ConfigurationError, FatalError
from oracle_connection.types import parse_type
from oracle_connection.values import from_json

# ruff: noqa: E501 - a table of cases is read by its lines
# type: (SQL literals, values in Arrow, values in JSON)
NULL = ("NULL", None, None)
CASES = {
    "NUMBER(18)": [("999999999999999999", 999999999999999999, 999999999999999999), ("-1", -1, -1), NULL],
    "NUMBER(1)": [("1", 1, 1), ("0", 0, 0)],
    "NUMBER(38)": [("99999999999999999999999999999999999999", Decimal("9" * 38), int("9" * 38)), ("-1", Decimal(-1), -1), NULL],
    "NUMBER(38,10)": [
        ("1234567890123456789012345678.0123456789", Decimal("1234567890123456789012345678.0123456789"), Decimal("1234567890123456789012345678.0123456789")),
        ("-0.0000000001", Decimal("-0.0000000001"), Decimal("-0.0000000001")),
    ],
    "NUMBER(19,4)": [("0.1", Decimal("0.1000"), Decimal("0.1")), NULL],
    "NUMBER(5,-2)": [("12345", Decimal(12300), 12300)],
    "NUMBER": [("0.5", ".5", Decimal("0.5")), ("-1E-100", "-1E-100", Decimal("-1E-100")), ("3", "3", 3), ("1E100", "1E100", Decimal("1E100")), NULL],
    "NUMBER(*,0)": [("123456789012345678901234567890", "123456789012345678901234567890", 123456789012345678901234567890)],
    "FLOAT(126)": [("1.25", "1.25", Decimal("1.25"))],
    "BINARY_DOUBLE": [("0.1d", 0.1, Decimal("0.1")), ("TO_BINARY_DOUBLE('INF')", float("inf"), "Infinity"), NULL],
    "BINARY_FLOAT": [("1.5f", 1.5, Decimal("1.5")), ("TO_BINARY_FLOAT('-INF')", -float("inf"), "-Infinity")],
    "CHAR(5 CHAR)": [("'ab'", "ab   ", "ab   "), NULL],
    "VARCHAR2(100 CHAR)": [("'Ação çãê 🚚 日本'", "Ação çãê 🚚 日本", "Ação çãê 🚚 日本"), ("''", None, None), ("'a\"b\\c'", 'a"b\\c', 'a"b\\c')],
    "NCHAR(3)": [("N'ã'", "ã  ", "ã  ")],
    "NVARCHAR2(20)": [("N'日本 🚚'", "日本 🚚", "日本 🚚")],
    "RAW(4)": [("HEXTORAW('00FF10')", b"\x00\xff\x10", "00FF10"), NULL],
    "DATE": [("TO_DATE('2026-11-22 20:15:07','YYYY-MM-DD HH24:MI:SS')", datetime(2026, 11, 22, 20, 15, 7), "2026-11-22T20:15:07"),
             ("DATE '0001-01-01'", datetime(1, 1, 1), "0001-01-01T00:00:00"), ("DATE '9999-12-31'", datetime(9999, 12, 31), "9999-12-31T00:00:00"), NULL],
    "TIMESTAMP(0)": [("TIMESTAMP '2026-11-22 20:15:07'", datetime(2026, 11, 22, 20, 15, 7), "2026-11-22T20:15:07.000000")],
    "TIMESTAMP(6)": [("TIMESTAMP '2026-11-22 20:15:07.123456'", datetime(2026, 11, 22, 20, 15, 7, 123456), "2026-11-22T20:15:07.123456"), NULL],
    "TIMESTAMP(9)": [("TIMESTAMP '2026-11-22 20:15:07.123456789'", "2026-11-22T20:15:07.123456789", "2026-11-22T20:15:07.123456789"), NULL],
    "TIMESTAMP(6) WITH TIME ZONE": [
        ("TIMESTAMP '2026-11-22 20:15:07.123456 -03:00'", datetime(2026, 11, 22, 23, 15, 7, 123456, UTC), "2026-11-22T23:15:07.123456+00:00"), NULL],
    "TIMESTAMP(9) WITH TIME ZONE": [
        ("TIMESTAMP '2026-11-22 20:15:07.123456789 +05:30'", "2026-11-22T14:45:07.123456789+00:00", "2026-11-22T14:45:07.123456789+00:00"), NULL],
    "TIMESTAMP(3) WITH LOCAL TIME ZONE": [
        ("TIMESTAMP '2026-11-22 20:15:07.125 -03:00'", datetime(2026, 11, 22, 23, 15, 7, 125000, UTC), "2026-11-22T23:15:07.125000+00:00")],
    "INTERVAL DAY(2) TO SECOND(6)": [("INTERVAL '2 03:04:05.6789' DAY TO SECOND", "+02 03:04:05.678900", "+02 03:04:05.678900"), NULL],
    "INTERVAL YEAR(2) TO MONTH": [("INTERVAL '1-6' YEAR TO MONTH", "+01-06", "+01-06")],
    "CLOB": [("TO_CLOB('x')", "x", "x"), NULL],
    "BLOB": [("HEXTORAW('00FF')", b"\x00\xff", "00FF"), NULL],
}  # fmt: skip


@pytest.fixture
def typed(database, request):
    kind = request.param
    database.run(
        f"CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, V {kind})",
        *(f"INSERT INTO T VALUES ({number}, {literal})" for number, (literal, _, _) in enumerate(CASES[kind])),
    )
    return kind


@pytest.mark.parametrize("typed", CASES, indirect=True)
def test_values_arrive_in_arrow_files(typed, run_tap):
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}})
    assert output.messages[0]["schema"]["properties"]["V"]["x-sql-datatype"] == str(parse_type(typed))
    rows = {row["ID"]: row["V"] for row in output.rows()}
    for number, (_, value, _) in enumerate(CASES[typed]):
        if parse_type(typed).kind in {"NUMBER", "FLOAT"} and isinstance(value, str):
            assert Decimal(rows[number]) == Decimal(value)  # plain or scientific is the server's choice
            continue
        assert repr(rows[number]).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc") == repr(value)


@pytest.mark.parametrize("typed", CASES, indirect=True)
def test_values_arrive_in_records(typed, run_tap):
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}, transfer="record")
    values = {record["ID"]: record["V"] for record in output.records}
    assert values == {number: value for number, (_, _, value) in enumerate(CASES[typed])}
    oracle = parse_type(typed)
    arrow = from_json([values[number] for number in range(len(values))], oracle)
    for number, (_, value, _) in enumerate(CASES[typed]):
        if value is not None and not (pa.types.is_string(arrow.type) and oracle.kind in {"NUMBER", "FLOAT"}):
            assert arrow[number].as_py() == value


def test_nan_arrives(database, run_tap):
    database.run("CREATE TABLE T (V BINARY_DOUBLE)", "INSERT INTO T VALUES (TO_BINARY_DOUBLE('NAN'))")
    entities = {"t": {"table": "T", "replication_method": "FULL_TABLE"}}
    assert (
        run_tap(entities=entities).batches()[0][1].column("V")[0].as_py()
        != run_tap(entities=entities).batches()[0][1].column("V")[0].as_py()
    )
    assert run_tap(entities=entities, transfer="record").records == [{"V": "NaN"}]


def test_rowids_arrive_as_text(database, run_tap):
    database.run(
        "CREATE TABLE T (ID NUMBER(10))", "INSERT INTO T VALUES (1)", "CREATE TABLE R (V ROWID)", "INSERT INTO R SELECT ROWID FROM T"
    )
    expected = database.rows("SELECT ROWIDTOCHAR(ROWID) FROM T")[0][0]
    assert run_tap(entities={"r": {"table": "R", "replication_method": "FULL_TABLE"}}).rows() == [{"V": expected}]


def test_large_objects_arrive_whole(database, run_tap):
    text, data = "ção" * 400_000, bytes(range(256)) * 4000
    database.run("CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, C CLOB, B BLOB)")
    with database.connect() as connection:
        import oracledb

        cursor = connection.cursor()
        cursor.setinputsizes(None, oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
        cursor.execute("INSERT INTO T VALUES (:1, :2, :3)", [1, text, data])
        connection.commit()
    ((_, rows),) = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}).batches()
    assert rows.column("C")[0].as_py() == text
    assert rows.column("B")[0].as_py() == data


HOSTILE = [
    "a b",
    "lower",
    "MiXeD",
    "SELECT",
    "LEVEL",
    "ROWID_",
    "_lead",
    "ção",
    "🚚",
    "a.b",
    "semi;colon",
    "it's",
    ":bind",
    "N" * 128,
    "$",
    "%s",
    "{x}",
    "back\\slash",
]


@pytest.mark.parametrize("transfer", ["batch", "record"])
def test_a_hostile_table_is_read_as_it_is(database, run_tap, transfer):
    table = 'Tab le "x'.replace('"', "'")
    columns = ", ".join(f'"{name}" NUMBER(10)' for name in HOSTILE)
    database.run(
        f'CREATE TABLE "{table}" ({columns}, PRIMARY KEY ("a b"))',
        f'INSERT INTO "{table}" VALUES ({", ".join(map(str, range(len(HOSTILE))))})',
    )
    output = run_tap(transfer=transfer)
    assert output.messages[0]["stream"] == table
    assert output.messages[0]["key_properties"] == ["a b"]
    expected = dict(zip(HOSTILE, range(len(HOSTILE)), strict=True))
    assert (output.rows() if transfer == "batch" else output.records) == [expected]


@pytest.mark.parametrize("transfer", ["batch", "record"])
def test_a_thousand_columns_are_read(database, run_tap, transfer):
    columns = [f"C{number}" for number in range(1000)]
    database.run(
        f"CREATE TABLE WIDE ({', '.join(f'{name} VARCHAR2(10 CHAR)' for name in columns)})",
        f"INSERT INTO WIDE VALUES ({', '.join(repr(name) for name in columns)})",
    )
    output = run_tap(transfer=transfer)
    assert (output.rows() if transfer == "batch" else output.records) == [{name: name for name in columns}]


def test_types_that_cannot_be_carried_are_refused_by_name_at_discovery(database, command, run_tap):
    """No server of ours has such types: the user's own view of the dictionary says that the columns are of them."""
    others = {"F": "BFILE", "O": "SDO_GEOMETRY", "B": "BOOLEAN"}
    cases = " ".join(f"WHEN '{name}' THEN '{kind}'" for name, kind in others.items())
    database.run(
        f"CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, {', '.join(f'{name} DATE' for name in others)}, X CLOB)",
        "INSERT INTO T (ID, X) VALUES (1, 'text')",
        "CREATE VIEW ALL_TAB_COLUMNS AS SELECT OWNER, TABLE_NAME, COLUMN_NAME, COLUMN_ID, DATA_LENGTH, DATA_PRECISION, DATA_SCALE, CHAR_LENGTH,"
        f" CHAR_USED, NULLABLE, CASE COLUMN_NAME {cases}"
        " ELSE DATA_TYPE END DATA_TYPE, CASE COLUMN_NAME WHEN 'O' THEN 'MDSYS' ELSE DATA_TYPE_OWNER END DATA_TYPE_OWNER"
        " FROM SYS.ALL_TAB_COLUMNS",
    )
    entities = {"t": {"table": "T", "replication_method": "FULL_TABLE"}}
    found = command(entities=entities)("--discover")
    (entry,) = json.loads(found.text)["streams"]
    assert list(entry["schema"]["properties"]) == ["ID", "X"]
    metadata = {tuple(each["breadcrumb"]): each["metadata"] for each in entry["metadata"]}
    for name, kind in others.items():
        assert metadata["properties", name]["inclusion"] == "unsupported"
        assert f"column {name} is left out" in found.log
        assert kind in found.log
    assert run_tap(entities=entities).rows() == [{"ID": 1, "X": "text"}]
    with pytest.raises(ConfigurationError, match=r"F cannot be a key: .*BFILE"):
        run_tap(entities={"t": {**entities["t"], "key_properties": ["F"]}})


def test_a_date_before_the_year_1_ends_the_run_with_a_message_that_names_the_table_and_a_way_out(database, run_tap):
    database.run("CREATE TABLE T (ID NUMBER(10), BORN DATE)", "INSERT INTO T VALUES (1, TO_DATE('-0044-03-15', 'SYYYY-MM-DD'))")
    entity = {"table": "T", "replication_method": "FULL_TABLE"}
    with pytest.raises(FatalError, match=r"cannot read TESTER\.T.*before the year 1: mask its column"):
        run_tap(entities={"t": entity})
    assert run_tap(entities={"t": {**entity, "mask": {"born": "null"}}}).rows() == [{"ID": 1, "BORN": None}]


def test_masked_columns_never_leave_the_database_as_they_are(database, run_tap):
    database.run(
        "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, NAME VARCHAR2(50 CHAR), MAIL VARCHAR2(50 CHAR), PHONE NUMBER(12), BORN DATE)",
        "INSERT INTO T VALUES (1, 'Maria', 'maria@example.com', 551199, DATE '1990-01-01')",
        "INSERT INTO T VALUES (2, NULL, NULL, NULL, NULL)",
    )
    import hashlib

    entities = {
        "t": {"table": "T", "replication_method": "FULL_TABLE", "mask": {"name": "redact", "mail": "hash", "phone": "hash", "born": "null"}}
    }
    output = run_tap(entities=entities, mask_salt="s'alt")
    digest = lambda text: hashlib.sha256(("s'alt" + text).encode()).hexdigest().upper()  # noqa: E731
    assert {row["ID"]: tuple(row.values())[1:] for row in output.rows()} == {
        1: ("****", digest("maria@example.com"), digest("551199"), None),
        2: (None, None, None, None),
    }
    assert output.messages[0]["schema"]["properties"]["MAIL"]["x-sql-datatype"] == "VARCHAR2(64 BYTE)"
    assert "maria" not in json.dumps(output.messages)

"""verify on two databases: what is equal is proven, what is not is found, whatever the types, the keys and the grants."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import oracledb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_connection.errors import ConfigurationError
from oracle_connection.parameters import ConnectionParameters
from oracle_connection.types import parse_type, session_statement
from wms_ops.verify.canonical import Setting, forms, row_hashes, slices
from wms_ops.verify.comparing import Comparison
from wms_ops.verify.database import Database
from wms_ops.verify.entity import Entity, Stream
from wms_ops.verify.keys import KeyRange, parse_range
from wms_ops.verify.ledger import Ledger
from wms_ops.verify.verification import Options, Verification, to_json

BOOKMARK = "2026-06-01T00:00:00.000000"
AUDIT = """CREATE TABLE WMS_LOAD_AUDIT ("BATCH_ID" VARCHAR2(200 CHAR) PRIMARY KEY, "RUN_ID" VARCHAR2(100 CHAR), "STREAM" VARCHAR2(400 CHAR),
    "TABLE_NAME" VARCHAR2(128 CHAR), "LOADED_AT" TIMESTAMP(6), "LOAD_MODE" VARCHAR2(20 CHAR), "READ_SCN" NUMBER(20), "ROWS_READ" NUMBER(19),
    "ROWS_INSERTED" NUMBER(19), "ROWS_UPDATED" NUMBER(19), "ROWS_UNCHANGED" NUMBER(19), "ROWS_DELETED" NUMBER(19),
    "ROWS_REJECTED" NUMBER(19), "WATERMARK" VARCHAR2(100 CHAR), "LOAD_SECONDS" NUMBER(12,3))"""
COLUMNS = "ID NUMBER(19), QUANTITY NUMBER(19,4), NAME VARCHAR2(40 CHAR), LAST_UPDATED TIMESTAMP(6)"


@dataclass
class Pair:
    """A table in the WMS and its copy in the warehouse, and verify over them."""

    server: Any
    source: oracledb.Connection
    target: oracledb.Connection
    bookmark: str | None = BOOKMARK
    table: str = field(default_factory=lambda: f"T{uuid.uuid4().hex[:10].upper()}")
    key: tuple[str, ...] = ("ID",)
    replication_key: str | None = "LAST_UPDATED"
    asked: list[tuple[str, str]] = field(default_factory=list)
    repairer: Any = None

    def create(self, columns: str = COLUMNS, *, target: str | None = None) -> None:
        self.source.cursor().execute(f"CREATE TABLE {self.table} ({columns})")
        self.target.cursor().execute(f'CREATE TABLE {self.table} ({target or columns}, "_SDC_DELETED_AT" TIMESTAMP(6))')

    def fill(self, rows: int, *, day: int = 1) -> None:
        """Rows whose keys are 1 to `rows`, on both sides."""
        select = (
            "SELECT LEVEL, LEVEL / 7, 'row ' || LEVEL, TIMESTAMP '2026-01-01 00:00:00' + NUMTODSINTERVAL(:day + LEVEL / 1000, 'DAY')"
            " FROM DUAL CONNECT BY LEVEL <= :how_many"
        )
        self.run("source", f"INSERT INTO {self.table} {select}", day=day, how_many=rows)
        self.copy()

    def copy(self) -> None:
        self.source.cursor().execute(f"GRANT SELECT ON {self.table} TO ANALYTICS")
        self.run("target", f"INSERT INTO {self.table} SELECT S.*, NULL FROM WMS.{self.table} S")

    def run(self, side: str, statement: str, **binds: Any) -> None:
        connection = self.source if side == "source" else self.target
        connection.cursor().execute(statement.replace("{t}", self.table), binds)
        connection.commit()

    def database(self, name: str) -> Database:
        user = "WMS" if name == "source" else "ANALYTICS"
        parameters = ConnectionParameters(username=user, password=self.server.users[user], dsn=self.server.dsn)
        return Database(name, parameters, user, before=lambda text: self.asked.append((name, text)))

    def columns(self) -> tuple[str, ...]:
        rows = self.source.cursor().execute(
            "SELECT COLUMN_NAME FROM USER_TAB_COLUMNS WHERE TABLE_NAME = :1 ORDER BY COLUMN_ID", [self.table]
        )
        return tuple(name for (name,) in rows)

    def verify(self, **options: Any) -> dict[str, Any]:
        """Verify; the result as JSON has it."""
        source, target = self.database("source"), self.database("target")
        stream = Stream(self.table.lower(), "WMS", self.table, self.key, self.replication_key, self.columns())
        try:
            entity = Entity.look_up(stream, source, target, self.table)
            self.asked.clear()
            comparison = Comparison(entity, lambda: self.bookmark, options.pop("leaf_rows", 2000))
            ledger = Ledger(target, self.table, stream.name, str(uuid.uuid4()))
            verification = Verification(comparison, ledger, Options(**options), self.repairer)
            verification.run()
        finally:
            source.close()
            target.close()
        return json.loads(json.dumps(to_json(verification, stream.name)))

    def found(self, **options: Any) -> list[tuple[Any, ...]]:
        """Findings as (kind, key, columns...)."""
        return [(each["kind"], *each["key"], *each["columns"]) for each in self.verify(**options)["rows_found"]]

    def totals_asked(self) -> list[str]:
        """On which side aggregates over a range were asked for, in order."""
        return [side for side, text in self.asked if text.startswith("SELECT COUNT(*),NVL(SUM(")]


@pytest.fixture(scope="module")
def server(oracle_mimic):
    with oracledb.connect(user="TESTER", password=oracle_mimic.users["TESTER"], dsn=oracle_mimic.dsn) as dba:
        dba.cursor().execute("GRANT SELECT ON SYS.V_$DATABASE TO WMS")
    with oracledb.connect(user="ANALYTICS", password=oracle_mimic.users["ANALYTICS"], dsn=oracle_mimic.dsn) as warehouse:
        warehouse.cursor().execute(AUDIT)
        yield oracle_mimic
        warehouse.cursor().execute("DROP TABLE WMS_LOAD_AUDIT")


@pytest.fixture
def pair(server):
    connections = []
    for user in ("WMS", "ANALYTICS"):
        connections.append(oracledb.connect(user=user, password=server.users[user], dsn=server.dsn))
        connections[-1].cursor().execute(session_statement())
    made = Pair(server, *connections)
    yield made
    for connection in connections:
        if connection.cursor().execute("SELECT 1 FROM USER_TABLES WHERE TABLE_NAME = :1", [made.table]).fetchall():
            connection.cursor().execute(f"DROP TABLE {made.table} PURGE")
        connection.close()


# --- what is equal ---


def test_equal_tables_are_proven_by_one_statement_a_range_on_each_side(pair):
    pair.create()
    pair.fill(1000)
    found = pair.verify(range_rows=250)
    assert (found["equal"], found["complete"], found["rows"], found["ranges"]) == (True, True, 1000, 4)
    assert found["proven_until"] == "2026-06-01T00:00:00.000000Z"
    assert found["open_ranges"] == []
    assert pair.totals_asked() == ["target", "source"] * 4
    assert not [text for _, text in pair.asked if '"LAST_UPDATED">=' in text], "no row had to be looked at by itself"


def test_the_source_is_read_as_of_one_scn(pair):
    pair.create()
    pair.fill(100)
    found = pair.verify(range_rows=30)
    reads = [text for side, text in pair.asked if side == "source" and text.startswith("SELECT COUNT(*),NVL(SUM(")]
    assert len(reads) == 4
    assert all("AS OF SCN" in text for text in reads)
    assert found["source_scn"] is not None


def test_rows_that_the_sync_has_not_promised_yet_do_not_count(pair):
    pair.create()
    pair.fill(100)
    pair.run("source", "UPDATE {t} SET NAME = 'changed', LAST_UPDATED = TIMESTAMP '2026-06-01 00:00:00' WHERE ID IN (5, 50)")
    pair.run("source", "INSERT INTO {t} VALUES (200, 1, 'new', TIMESTAMP '2026-07-01 00:00:00')")
    found = pair.verify(range_rows=30)
    assert found["equal"]
    assert found["open_ranges"] == []
    pair.bookmark = "2026-06-01T00:00:00.000001"
    assert sorted(pair.found()) == [("different", "5", "NAME", "LAST_UPDATED"), ("different", "50", "NAME", "LAST_UPDATED")]


def test_an_empty_table_is_proven(pair):
    pair.create()
    found = pair.verify()
    assert (found["equal"], found["rows"], found["proven_until"]) == (True, 0, "2026-06-01T00:00:00.000000Z")


# --- what is not ---


def test_each_kind_of_drift_is_found_down_to_the_row_and_the_column(pair):
    pair.create()
    pair.fill(3000)
    pair.run("target", "UPDATE {t} SET QUANTITY = QUANTITY + 0.0001 WHERE ID = 7")  # one digit
    pair.run("source", "UPDATE {t} SET NAME = 'silent' WHERE ID = 8")  # an update that leaves LAST_UPDATED alone
    pair.run("target", "DELETE FROM {t} WHERE ID = 1500")  # a lost row
    pair.run("source", "DELETE FROM {t} WHERE ID = 2999")  # a deleted row
    pair.run("source", "UPDATE {t} SET ID = 9000 WHERE ID = 20")  # a changed key
    pair.run("target", "INSERT INTO {t} SELECT * FROM {t} WHERE ID = 30")  # the target's table has no key
    found = pair.found(range_rows=1000, leaf_rows=100)
    assert sorted(found) == [
        ("different", "7", "QUANTITY"), ("different", "8", "NAME"), ("extra_version", "30"), ("missing_in_source", "20"),
        ("missing_in_source", "2999"), ("missing_in_target", "1500"), ("missing_in_target", "9000"),
    ]  # fmt: skip


def test_a_row_marked_as_deleted_counts_as_absent(pair):
    pair.create()
    pair.fill(20)
    pair.run("target", 'UPDATE {t} SET "_SDC_DELETED_AT" = SYSTIMESTAMP WHERE ID IN (3, 4)')
    pair.run("source", "DELETE FROM {t} WHERE ID = 3")
    assert pair.found() == [("missing_in_target", "4")]


def test_a_null_replication_key_promises_nothing_later_so_it_counts(pair):
    pair.create()
    pair.fill(20)
    pair.run("source", "INSERT INTO {t} VALUES (100, 1, 'never read', NULL)")
    assert pair.found() == [("missing_in_target", "100")]


def test_an_empty_target_is_all_missing(pair):
    pair.create()
    pair.fill(120)
    pair.run("target", "DELETE FROM {t}")
    found = pair.found(range_rows=50, leaf_rows=30)
    assert len(found) == 120
    assert {kind for kind, _ in found} == {"missing_in_target"}


class Nothing:
    """A repair that has nothing to do."""

    def read_again(self, keys):
        raise AssertionError(keys)

    def delete(self, keys, scn):
        raise AssertionError(keys)


def test_a_key_that_is_there_twice_is_left_to_a_new_full_sync(pair):
    pair.create()
    pair.fill(10)
    pair.run("target", "INSERT INTO {t} SELECT * FROM {t} WHERE ID = 3")
    pair.repairer = Nothing()
    (row,) = pair.verify()["rows_found"]
    assert (row["kind"], row["repaired"]) == ("extra_version", False)
    assert "2 rows in the target" in row["note"]
    assert "wms-ops redo" in row["note"]


def test_an_empty_source_range_is_never_a_delete(pair):
    pair.create()
    pair.fill(100)
    pair.run("source", "DELETE FROM {t} WHERE ID > 50")
    pair.repairer = Nothing()
    found = pair.verify(range_rows=50)
    assert found["findings"]["missing_in_source"] == 50
    assert found["repaired"] == 0
    assert {each["repaired"] for each in found["rows_found"]} == {False}
    assert "--range-rows" in found["rows_found"][0]["note"]


# --- keys ---


def test_composite_and_textual_keys_are_cut_and_compared(pair):
    pair.key = ("FACILITY", "LINE")
    pair.create("FACILITY VARCHAR2(10 CHAR), LINE NUMBER(9), LAST_UPDATED TIMESTAMP(6), PRIMARY KEY (FACILITY, LINE)")
    names = ["A", "AB", "a", "Ä", "b b", "é", "'x", "Z;9", "日本"]
    for name in names:
        pair.run(
            "source",
            "INSERT INTO {t} SELECT :name, LEVEL * 10, TIMESTAMP '2026-01-01 00:00:00' FROM DUAL CONNECT BY LEVEL <= 40",
            name=name,
        )
    pair.copy()
    assert pair.verify(range_rows=50, leaf_rows=10)["equal"]
    pair.run("target", "DELETE FROM {t} WHERE FACILITY = 'Ä' AND LINE = 200")
    pair.run("source", "DELETE FROM {t} WHERE FACILITY = 'b b' AND LINE = 10")
    pair.run("target", "UPDATE {t} SET LAST_UPDATED = NULL WHERE FACILITY = '日本' AND LINE = 400")
    assert sorted(pair.found(range_rows=50, leaf_rows=10)) == [
        ("different", "日本", "400", "LAST_UPDATED"), ("missing_in_source", "b b", "10"), ("missing_in_target", "Ä", "200"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("NUMBER", ["-1E-100", "0", "1.5", "12345678901234567890123456789012345678", "9E120"]),
        ("DATE", ["DATE '1999-12-31'", "DATE '2026-01-01'", "DATE '2026-01-02'"]),
        ("TIMESTAMP(9)", ["TIMESTAMP '2026-01-01 00:00:00.000000001'", "TIMESTAMP '2026-01-01 00:00:00.000000002'"]),
        ("TIMESTAMP(6) WITH TIME ZONE", ["TIMESTAMP '2026-01-01 01:00:00 +01:00'", "TIMESTAMP '2026-01-01 00:00:01 +00:00'"]),
        ("RAW(8)", ["HEXTORAW('00')", "HEXTORAW('00FF')", "HEXTORAW('A0')"]),
        ("CHAR(5 CHAR)", ["'A'", "'AB'", "'a'"]),
        ("NVARCHAR2(5)", ["N'a'", "N'ä'", "N'日'"]),
    ],
)
def test_a_key_of_any_kind_finds_its_row(pair, type_, values):
    pair.create(f"ID {type_}, LAST_UPDATED TIMESTAMP(6)")
    for value in values:
        pair.run("source", f"INSERT INTO {{t}} VALUES ({value}, TIMESTAMP '2026-01-01 00:00:00')")
    pair.copy()
    assert pair.verify(range_rows=1, leaf_rows=1)["equal"]
    pair.run("target", f"DELETE FROM {{t}} WHERE ID = {values[1]}")
    assert [kind for kind, *_ in pair.found(range_rows=1, leaf_rows=1)] == ["missing_in_target"]


def test_ranges_given_by_hand_are_compared_and_leave_the_ledger_alone(pair):
    pair.create()
    pair.fill(100)
    pair.run("target", "DELETE FROM {t} WHERE ID IN (10, 60)")
    found = pair.verify(ranges=(parse_range("50..70", 1), parse_range("80..", 1)))
    assert [each["key"] for each in found["rows_found"]] == [["60"]]
    assert (found["rows"], found["proven_until"], found["open_ranges"]) == (41, None, None)


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("1000..2000", 1, KeyRange(("1000",), ("2000",))),
        ("..2000", 1, KeyRange(None, ("2000",))),
        ("A,1..B,2", 2, KeyRange(("A", "1"), ("B", "2"))),
        ('["a,b",1]..', 2, KeyRange(("a,b", "1"), None)),
        ("2026-01-01T00:00:00..", 1, KeyRange(("2026-01-01T00:00:00",), None)),
    ],
)
def test_a_range_is_read_as_it_is_typed(text, columns, expected):
    assert parse_range(text, columns) == expected


@pytest.mark.parametrize(("text", "columns"), [("1000", 1), ("1,2..3", 2), ("1..2", 2)])
def test_a_range_that_does_not_fit_the_key_is_refused(text, columns):
    with pytest.raises(ValueError, match="--range"):
        parse_range(text, columns)


# --- the ledger ---


def test_a_rolling_run_proves_a_slice_and_the_next_goes_on_with_the_oldest(pair):
    pair.create()
    pair.fill(400)
    first = pair.verify(range_rows=100, rolling=True, rows=150)
    assert (first["rows"], first["complete"], first["proven_until"]) == (200, False, None)
    assert first["stopped_by"] == "the budget of 150 rows"
    assert first["open_ranges"] == [{"from": ["201"], "to": None}]
    pair.bookmark = "2026-06-02T00:00:00.000000"
    second = pair.verify(range_rows=100, rolling=True, rows=150)
    assert (second["rows"], second["proven_until"]) == (200, "2026-06-01T00:00:00.000000Z")
    pair.bookmark = "2026-06-03T00:00:00.000000"
    third = pair.verify(range_rows=100, rolling=True, rows=150)
    assert third["proven_until"] == "2026-06-02T00:00:00.000000Z"
    ((until, ranges, open_ranges),) = pair.target.cursor().execute(
        "SELECT PROVEN_UNTIL, RANGES, OPEN_RANGES FROM WMS_LOAD_PROOF WHERE TABLE_NAME = :1", [pair.table]
    )
    assert (until.replace(tzinfo=UTC), ranges, open_ranges) == (datetime(2026, 6, 2, tzinfo=UTC), 4, 0)
    audit = "SELECT ROWS_READ, WATERMARK FROM WMS_LOAD_AUDIT WHERE TABLE_NAME = :1 AND LOAD_MODE = 'verify' ORDER BY LOADED_AT"
    assert pair.target.cursor().execute(audit, [pair.table]).fetchall() == [
        (200, None), (200, "2026-06-01T00:00:00.000000"), (200, "2026-06-02T00:00:00.000000"),
    ]  # fmt: skip


def test_a_range_with_findings_stays_open_and_keeps_its_older_proof(pair):
    pair.create()
    pair.fill(200)
    pair.verify(range_rows=100)
    pair.run("target", "DELETE FROM {t} WHERE ID = 150")
    pair.bookmark = "2026-06-05T00:00:00.000000"
    found = pair.verify(range_rows=100)
    assert (found["proven_until"], found["open_ranges"]) == ("2026-06-01T00:00:00.000000Z", [{"from": ["101"], "to": None}])


def test_the_time_budget_ends_a_run_after_the_range_it_is_in(pair):
    pair.create()
    pair.fill(100)
    found = pair.verify(range_rows=10, seconds=0)
    assert (found["ranges"], found["complete"], found["stopped_by"]) == (1, False, "the budget of 0 seconds")


# --- types ---

AWKWARD = {
    "NUMBER": ["0", "-0.1", "1E-130", "9.9E125", "1234567890123456789012345678901234567890", "-12345678901234567890.123456789", "1/3"],
    "NUMBER(38,10)": ["1234567890123456789012345678.0123456789", "-0.0000000001"],
    "NUMBER(3,-2)": ["12300"],
    "FLOAT(63)": ["0.1"],
    "BINARY_DOUBLE": ["BINARY_DOUBLE_NAN", "BINARY_DOUBLE_INFINITY", "-BINARY_DOUBLE_INFINITY", "0.1", "1E-300"],
    "BINARY_FLOAT": ["BINARY_FLOAT_NAN", "-BINARY_FLOAT_INFINITY", "0.1"],
    "VARCHAR2(60 CHAR)": ["'a'", "'a '", "' '", "';'", "'1:a;'", "'O''Brien'", "'ação 日本 😀'", "CHR(10)||CHR(9)"],
    "VARCHAR2(4000 BYTE)": ["RPAD('x',4000,'x')", "RPAD('x',3999,'x')", "'x'"],
    "VARCHAR2(4000 CHAR)": ["RPAD('é',2000,'é')"],
    "CHAR(10)": ["'a'", "' '"],
    "NVARCHAR2(20)": ["N'ação'", "N'日本'", "N'a\\b'"],
    "NVARCHAR2(2000)": ["TO_NCHAR(RPAD('é',1000,'é'))"],
    "DATE": ["DATE '0001-01-01'", "DATE '9999-12-31'", "TO_DATE('2026-03-29 02:30:00','YYYY-MM-DD HH24:MI:SS')"],
    "TIMESTAMP(9)": ["TIMESTAMP '2026-01-01 00:00:00.000000001'", "TIMESTAMP '1582-10-15 00:00:00'"],
    "TIMESTAMP(3)": ["TIMESTAMP '2026-01-01 00:00:00.999'"],
    "TIMESTAMP(6) WITH TIME ZONE": ["TIMESTAMP '2026-10-25 02:30:00 +02:00'", "TIMESTAMP '2026-10-25 02:30:00 +01:00'"],
    "TIMESTAMP(6) WITH LOCAL TIME ZONE": ["TIMESTAMP '2026-10-25 02:30:00 +01:00'"],
    "INTERVAL DAY(9) TO SECOND(9)": ["INTERVAL '-1 02:03:04.000000001' DAY TO SECOND(9)", "INTERVAL '0' DAY"],
    "INTERVAL YEAR(4) TO MONTH": ["INTERVAL '-1-11' YEAR TO MONTH"],
    "RAW(2000)": ["HEXTORAW('00')", "HEXTORAW('0000')"],
    "RAW(16)": ["HEXTORAW('FF')"],
    "CLOB": ["TO_CLOB('a')", "TO_CLOB(RPAD('x',4000,'x'))||TO_CLOB(RPAD('y',4000,'y'))"],
    "NCLOB": ["TO_NCLOB('ação')"],
    "BLOB": ["TO_BLOB(HEXTORAW('00'))"],
}


def test_every_type_in_its_awkward_values_is_equal_to_its_copy_and_to_nothing_else(pair):
    """All values of all types in one table; then each value takes the place of each other of its column, which must be seen."""
    names = {type_: f"C{number}" for number, type_ in enumerate(AWKWARD)}
    pair.create("ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), " + ", ".join(f"{name} {type_}" for type_, name in names.items()))
    pair.run("source", "INSERT INTO {t} (ID) VALUES (1)")  # NULL everywhere
    row = 1
    rows: dict[str, list[int]] = {}
    for type_, values in AWKWARD.items():
        rows[type_] = [1]
        for value in values:
            row += 1
            pair.run("source", f"INSERT INTO {{t}} (ID, {names[type_]}) VALUES ({row}, {value})")
            rows[type_].append(row)
    pair.copy()
    found = pair.verify()
    assert (found["equal"], found["rows"], found["not_compared"]) == (True, row, {})
    expected = []
    for type_, ids in rows.items():  # every value moves to the next row of its column
        name = names[type_]
        for here, there in zip(ids[1:], [*ids[2:], 1], strict=True):
            pair.run("target", f"UPDATE {{t}} SET {name} = (SELECT {name} FROM WMS.{{t}} WHERE ID = {there}) WHERE ID = {here}")
            expected.append(("different", str(here), name))
    assert sorted(pair.found()) == sorted(expected)


def test_a_value_in_another_form_of_its_type_is_the_same_value(pair):
    pair.create(
        "ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), N NUMBER(9,2), C CHAR(5 CHAR), T TIMESTAMP(3), Z TIMESTAMP(6) WITH TIME ZONE, D DATE,"
        " I INTERVAL DAY(2) TO SECOND(3), F BINARY_FLOAT, L CLOB",
        target="ID NUMBER(38), LAST_UPDATED TIMESTAMP(9), N NUMBER, C VARCHAR2(20 BYTE), T TIMESTAMP(9),"
        " Z TIMESTAMP(9) WITH LOCAL TIME ZONE, D TIMESTAMP(0), I INTERVAL DAY(9) TO SECOND(9), F BINARY_DOUBLE, L NCLOB",
    )
    pair.run(
        "source",
        "INSERT INTO {t} VALUES (1, TIMESTAMP '2026-01-01 00:00:00', 1.50, 'ab', TIMESTAMP '2026-01-01 00:00:00.5',"
        " TIMESTAMP '2026-10-25 02:30:00 +02:00', DATE '2026-01-01', INTERVAL '1 02:03:04.5' DAY TO SECOND, 0.5, 'ação')",
    )
    pair.run(
        "target",
        "INSERT INTO {t} VALUES (1, TIMESTAMP '2026-01-01 00:00:00', 1.5, 'ab', TIMESTAMP '2026-01-01 00:00:00.500000000',"
        " TIMESTAMP '2026-10-25 00:30:00 +00:00', TIMESTAMP '2026-01-01 00:00:00', INTERVAL '1 02:03:04.5' DAY TO SECOND, 0.5,"
        " TO_NCLOB('ação'), NULL)",
    )
    assert pair.verify()["equal"]
    pair.run("target", "UPDATE {t} SET C = NULL, Z = Z + INTERVAL '1' HOUR, F = 0.25")
    assert pair.found() == [("different", "1", "C", "Z", "F")]


def test_what_cannot_be_compared_is_named(pair):
    pair.create(
        "ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), A NUMBER, B VARCHAR2(5), D DATE",
        target="ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), A VARCHAR2(9), B VARCHAR2(5)",
    )
    pair.run("source", "INSERT INTO {t} (ID) VALUES (1)")
    pair.run("target", "INSERT INTO {t} (ID) VALUES (1)")
    found = pair.verify()
    assert found["not_compared"] == {"A": "NUMBER in the source, VARCHAR2(9 BYTE) in the target"}
    assert (found["columns_missing_in_target"], found["equal"], found["proven_until"]) == (["D"], False, None)


def test_a_table_that_is_not_there_is_no_difference_but_an_error(pair):
    pair.create()
    pair.run("target", "DROP TABLE {t}")
    with pytest.raises(ConfigurationError, match="ORA-00942"):
        pair.verify()


def test_lobs_are_compared_whole_where_dbms_crypto_is_granted(pair, server):
    pair.create("ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), L CLOB")
    pair.run("source", "INSERT INTO {t} VALUES (1, NULL, TO_CLOB(RPAD('x',4000,'x'))||TO_CLOB('a'))")
    pair.copy()
    pair.run("target", "UPDATE {t} SET L = TO_CLOB(RPAD('x',4000,'x'))||TO_CLOB('b')")
    without = pair.verify()
    assert without["equal"]
    assert "DBMS_CRYPTO" in without["notes"][0]
    with oracledb.connect(user="TESTER", password=server.users["TESTER"], dsn=server.dsn) as dba:
        for user in ("WMS", "ANALYTICS"):
            dba.cursor().execute(f"GRANT EXECUTE ON SYS.DBMS_CRYPTO TO {user}")
        try:
            assert pair.found() == [("different", "1", "L")]
        finally:
            for user in ("WMS", "ANALYTICS"):
                dba.cursor().execute(f"REVOKE EXECUTE ON SYS.DBMS_CRYPTO FROM {user}")


def test_text_of_two_character_sets_is_compared_by_code_point(pair):
    """Both mimics are AL32UTF8: the form for unequal ones is run as it is, to see that it is SQL and tells texts apart."""
    values = ["a", "ä", "a\\00E4", "日本😀", "x" * 450, "x" * 449 + "y"]
    for declared in ("VARCHAR2(20 CHAR)", "VARCHAR2(600 CHAR)"):
        own = parse_type(declared)
        both = forms("V", "V", own, own, Setting(same_characters=False))
        text = row_hashes([both])[0]
        fitting = [value for value in values if len(value) <= (own.length or 0)]
        found = {
            pair.source.cursor().execute(f'SELECT {text} FROM (SELECT :v AS "V" FROM DUAL)', v=value).fetchone()[0] for value in fitting
        }
        assert len(found) == len(fitting)


def test_wide_rows_are_hashed_in_groups(pair):
    columns = ", ".join(f"C{number} VARCHAR2(240 CHAR)" for number in range(30))
    pair.create(f"ID NUMBER(9), LAST_UPDATED TIMESTAMP(6), {columns}")
    pair.run("source", f"INSERT INTO {{t}} VALUES (1, NULL, {', '.join(f'RPAD({number}, 240, {number})' for number in range(30))})")
    pair.copy()
    assert pair.verify()["equal"]
    pair.run("target", "UPDATE {t} SET C29 = NULL, C0 = C0 || NULL")
    assert pair.found() == [("different", "1", "C29")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text("ab;:1 \\", max_size=3), st.text("ab;:1 \\", max_size=3)), min_size=2, max_size=12, unique=True))
def test_no_two_rows_have_the_same_text(pair, rows):
    """Values wander over the borders of their columns: '' is NULL, and ('a', 'b;') is not ('a;', 'b')."""
    own = parse_type("VARCHAR2(20 CHAR)")
    text = row_hashes([forms(name, name, own, own, Setting()) for name in ("A", "B")])[0]
    select = " UNION ALL ".join(f'SELECT :a{number} AS "A", :b{number} AS "B" FROM DUAL' for number in range(len(rows)))
    binds = {f"{name}{number}": value for number, row in enumerate(rows) for name, value in zip("ab", row, strict=True)}
    found = [digest for (digest,) in pair.source.cursor().execute(f"SELECT {text} FROM ({select})", binds)]
    assert len(set(found)) == len(rows)


def test_slices_of_a_hash_are_two_numbers_of_sixty_bits():
    assert slices("0" * 14 + "1" + "F" * 15 + "0" * 34) == (1, 2**60 - 1)


# --- grants ---


def test_without_flashback_it_still_proves_and_says_so(pair, server):
    pair.create()
    pair.fill(50)
    with oracledb.connect(user="TESTER", password=server.users["TESTER"], dsn=server.dsn) as dba:
        dba.cursor().execute("REVOKE SELECT ON SYS.V_$DATABASE FROM WMS")
        try:
            found = pair.verify(range_rows=20)
        finally:
            dba.cursor().execute("GRANT SELECT ON SYS.V_$DATABASE TO WMS")
    assert (found["equal"], found["source_scn"], found["flashback"]["source"]) == (True, None, False)


# --- the catalog ---


def test_the_stream_is_what_the_catalog_selects(pair):
    def column(name, **metadata):
        return {"breadcrumb": ["properties", name], "metadata": metadata}

    entry = {
        "tap_stream_id": "t", "table_name": "T", "key_properties": ["ID"], "replication_key": "UPDATED",
        "schema": {"properties": {"ID": {}, "UPDATED": {}, "A": {}, "B": {}, "SECRET": {}}},
        "metadata": [
            {"breadcrumb": [], "metadata": {"schema-name": "WMS"}}, column("ID", inclusion="automatic"), column("A", selected=True),
            column("B", selected=False), column("SECRET", selected=True), column("OBJECT", inclusion="unsupported"),
        ],
    }  # fmt: skip
    stream = Stream.from_catalog({"streams": [entry]}, {"entities": {"t": {"mask": {"secret": "hash"}}}}, "t")
    assert stream == Stream(
        "t", "WMS", "T", ("ID",), "UPDATED", ("ID", "UPDATED", "A", "SECRET"), frozenset({"SECRET"}),
        frozenset({"ID", "UPDATED", "A", "B", "SECRET", "OBJECT"}),
    )  # fmt: skip
    pair.create("ID NUMBER, UPDATED DATE, A NUMBER, B NUMBER, SECRET NUMBER, OBJECT BLOB, FRESH NUMBER")
    stream = Stream("t", "WMS", pair.table, *(getattr(stream, name) for name in ("key", "replication_key", "columns", "masked", "known")))
    source, target = pair.database("source"), pair.database("target")
    entity = Entity.look_up(stream, source, target, pair.table)
    source.close()
    target.close()
    assert entity.columns == ("ID", "UPDATED", "A")
    assert entity.left_out == {"FRESH": "new in the source: the next sync discovers it", "SECRET": "masked: it leaves the source changed"}
    with pytest.raises(ConfigurationError, match="has no key"):
        Stream.from_catalog({"streams": [{**entry, "key_properties": []}]}, {}, "t")

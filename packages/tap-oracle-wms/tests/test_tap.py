"""The tap from outside: its command line, how it ends, what is on its standard output, what discovery finds."""

import json
import os
import random
import signal
import time

import pytest
from oracle_connection.errors import ConfigurationError
from tap_oracle_wms.tap import TapOracleWms

TABLE = "CREATE TABLE T (ID NUMBER(10) PRIMARY KEY, TEXT VARCHAR2(200 CHAR), UPDATED TIMESTAMP(6) NOT NULL)"
ENTITY = {"t": {"table": "T", "replication_key": "updated"}}
ROWS = 3000
PASSWORD = "Tester_1234"


@pytest.fixture
def table(database):
    database.run(
        TABLE, "CREATE INDEX T_UPDATED ON T (UPDATED)", "COMMENT ON COLUMN T.TEXT IS 'what was said'", "COMMENT ON TABLE T IS 'Talk'"
    )
    with database.connect() as connection:
        connection.cursor().executemany("INSERT INTO T VALUES (:1, :2, SYSTIMESTAMP)", [(n, f"{n:0200d}") for n in range(ROWS)])
        connection.commit()
    return database


@pytest.fixture
def files(tmp_path):
    """Write JSON files for the command line."""

    def write(name, value):
        path = tmp_path / name
        path.write_text(json.dumps(value))
        return str(path)

    return write


def test_discovery_tells_types_keys_comments_and_what_could_be_a_replication_key(table, command):
    output = command()("--discover")
    assert output.exit_code == 0
    (entry,) = json.loads(output.text)["streams"]
    assert entry["tap_stream_id"] == "t"
    assert entry["key_properties"] == ["ID"]
    properties = entry["schema"]["properties"]
    assert {name: schema["x-sql-datatype"] for name, schema in properties.items()} == {
        "ID": "NUMBER(10)", "TEXT": "VARCHAR2(200 CHAR)", "UPDATED": "TIMESTAMP(6)",
    }  # fmt: skip
    assert properties["TEXT"]["description"] == "what was said"
    assert entry["schema"]["description"] == "Talk"
    metadata = {tuple(each["breadcrumb"]): each["metadata"] for each in entry["metadata"]}
    assert set(metadata[()]["valid-replication-keys"]) == {"ID", "TEXT", "UPDATED"}
    assert metadata[()]["schema-name"] == "TESTER"
    assert metadata["properties", "ID"]["inclusion"] == "automatic"
    assert metadata["properties", "TEXT"]["inclusion"] == "available"


def test_discovery_takes_a_fixed_number_of_queries(database, sent):
    counts = []
    for tables in (1, 20):
        database.run(*(f"CREATE TABLE T{tables}_{number} (ID NUMBER(10) PRIMARY KEY)" for number in range(tables)))
        sent.clear()
        tap = TapOracleWms(config=database.config())
        assert len(tap.streams) == (1 if tables == 1 else 21)
        tap.close()
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 8


def test_a_unique_index_on_mandatory_columns_stands_in_for_a_primary_key(database, command):
    database.run(
        "CREATE TABLE T (A NUMBER(5) NOT NULL, B NUMBER(5) NOT NULL, C NUMBER(5))",
        "CREATE UNIQUE INDEX T_C ON T (C)",
        "CREATE UNIQUE INDEX T_AB ON T (B, A)",
    )
    assert json.loads(command()("--discover").text)["streams"][0]["key_properties"] == ["B", "A"]


def test_a_run_with_a_catalog_discovers_nothing_and_asks_little(table, command, run_tap, sent):
    catalog = json.loads(command(entities=ENTITY)("--discover").text)
    state = run_tap(entities=ENTITY, catalog=catalog).state
    sent.clear()
    run_tap(state, entities=ENTITY, catalog=catalog)
    assert [sql for sql in sent if "FROM ALL_TABLES" in sql or "FROM ALL_CONSTRAINTS" in sql] == []
    assert len(sent) <= 10, sent


def select(catalog, **metadata):
    """A catalog with other metadata at the root of its only stream, as Meltano writes it."""
    (entry,) = catalog["streams"]
    for each in entry["metadata"]:
        if each["breadcrumb"] == []:
            each["metadata"].update(metadata)
    return catalog


def test_columns_and_methods_are_chosen_by_the_catalog(table, command, run_tap):
    catalog = select(json.loads(command()("--discover").text), **{"replication-key": "updated", "forced-replication-method": "INCREMENTAL"})
    catalog["streams"][0].pop("replication_method")
    for each in catalog["streams"][0]["metadata"]:
        if each["breadcrumb"] == ["properties", "TEXT"]:
            each["metadata"]["selected"] = False
    output = run_tap(catalog=catalog)
    assert list(output.messages[0]["schema"]["properties"]) == ["ID", "UPDATED"]
    assert output.batches()[0][0].columns == ("ID", "UPDATED")
    assert output.state["bookmarks"]["t"]["replication_key"] == "UPDATED"


def test_a_replication_key_that_does_not_exist_is_an_error(table, command, run_tap):
    catalog = select(json.loads(command()("--discover").text), **{"replication-key": "NOPE", "forced-replication-method": "INCREMENTAL"})
    catalog["streams"][0].pop("replication_method")
    with pytest.raises(ConfigurationError, match="NOPE"):
        run_tap(catalog=catalog)


def test_a_key_named_for_every_stream_does_no_harm_to_those_that_are_read_completely(table, command, run_tap):
    catalog = select(json.loads(command()("--discover").text), **{"replication-key": "NOPE", "forced-replication-method": "FULL_TABLE"})
    catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    assert len(run_tap(catalog=catalog).rows()) == ROWS


def test_nothing_selected_is_an_error_and_not_a_run_without_rows(table, command, files):
    catalog = select(json.loads(command()("--discover").text), selected=False)
    output = command()("--catalog", files("catalog.json", catalog))
    assert output.exit_code == 78
    assert "no stream is selected" in output.log


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"entities": {"t": {"table": "NOPE"}}}, "NOPE"),
        ({"entities": {"t": {"table": "T", "replication_key": "NOPE"}}}, "NOPE"),
        ({"entities": {"t": {"table": "T", "mask": {"NOPE": "hash"}}}}, "NOPE"),
        ({"entities": {"t": {"table": "T", "mask": {"ID": "null"}}}}, "is a key"),
        ({"schema": "NOBODY"}, "NOBODY"),
        ({"backfill": {"u": {"column": "ID"}}}, "no stream u"),
        ({"stream_maps": {"u": {"A": "B"}}}, "no stream u"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
def test_what_the_settings_name_and_is_not_there_is_an_error(table, run_tap, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        run_tap(**settings)


def test_a_replication_method_among_the_stream_maps_is_answered_with_the_right_form(table, command):
    output = command(stream_maps={"t": {"replication_method": "INCREMENTAL", "replication_key": "last_updated"}})()
    assert output.exit_code == 78
    assert "replication-method: INCREMENTAL" in output.log
    assert "replication-key: last_updated" in output.log


def test_a_stream_map_that_changes_rows_is_applied_and_never_bypassed_by_files(table, run_tap):
    output = run_tap(entities={"t": {"table": "T", "replication_method": "FULL_TABLE"}}, stream_maps={"t": {"TEXT": "'hidden'"}})
    assert output.of("BATCH") == []
    assert {record["TEXT"] for record in output.records} == {"hidden"}
    assert len(output.records) == ROWS


def test_only_messages_are_on_standard_output_and_no_secret_anywhere(table, command):
    output = command(entities=ENTITY)()
    assert output.exit_code == 0
    assert {message["type"] for message in output.messages} == {"SCHEMA", "BATCH", "STATE"}
    assert PASSWORD not in output.text + output.log


def test_records_come_out_without_a_batch_configuration(table, command):
    output = command(entities=ENTITY, transfer="auto")()
    assert len(output.records) == ROWS
    message = output.of("RECORD")[0]
    assert set(message) == {"type", "stream", "record", "time_extracted", "sequence"}
    output = command(entities=ENTITY, transfer="auto", batch_config={"encoding": {"format": "arrow", "compression": "zstd"}})()
    assert output.records == []
    assert output.of("BATCH")[0]["encoding"] == {"format": "arrow", "compression": "zstd"}


def test_the_test_option_reads_a_few_rows_only(table, command, tmp_path):
    output = command(entities=ENTITY)("--test")
    assert output.exit_code == 0
    assert len(output.records) == 1
    assert not (tmp_path / "records").exists()


def test_the_connection_test_has_a_line_for_each_check(table, command):
    output = command(entities=ENTITY)("--test-connection")
    assert output.exit_code == 0
    results = {line.split(":")[0].split(maxsplit=1)[1]: line.split()[0] for line in output.text.splitlines()}
    for name in ("reachable", "login", "version", "clock", "GV$LOCK", "GV$TRANSACTION", "t"):
        assert results[name] == "ok"
    assert "t: key: ID" in output.text
    assert "by locks" in output.text


@pytest.mark.parametrize(
    ("settings", "failing", "hint"),
    [
        ({"password": "wrong"}, "login", "ORA-01017"),
        ({"dsn": "127.0.0.1:1/NOWHERE"}, "reachable", "DPY-6005"),
        ({"entities": {"t": {"table": "NOPE"}}}, "source", "ORA-00942"),
        ({"username": None}, "settings", "username"),
    ],
)
def test_a_connection_test_that_fails_says_what_to_do_and_exits_1(table, command, settings, failing, hint):
    output = command(**{"entities": ENTITY, **settings})("--test-connection")
    assert output.exit_code == 1
    (line,) = [line for line in output.text.splitlines() if line.startswith("failed")]
    assert failing in line
    assert hint in line
    assert "wrong" not in output.text


def test_the_health_check_is_one_object(table, command):
    output = command(entities=ENTITY)("--health-check")
    health = json.loads(output.text)
    assert (output.exit_code, health["status"]) == (0, "healthy")
    assert health["entities"]["t"]["newest_key"] is not None
    assert 0 <= health["entities"]["t"]["age_seconds"] < 600
    assert health["latency_ms"] > 0


def test_a_health_check_is_degraded_or_down_by_its_exit_code(table, command):
    degraded = command(entities={"t": {"table": "NOPE"}})("--health-check")
    assert (degraded.exit_code, json.loads(degraded.text)["status"]) == (1, "degraded")
    down = command(dsn="127.0.0.1:1/NOWHERE")("--health-check")
    assert (down.exit_code, json.loads(down.text)["status"]) == (2, "down")


@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [({"password": "wrong"}, 78, "ORA-01017"), ({"dsn": "127.0.0.1:1/X", "retry_attempts": 1}, 75, "DPY-6005")],
)
def test_the_exit_code_tells_the_class_of_the_error_and_a_run_that_never_began_has_its_record(command, records, settings, code, text):
    output = command(entities=ENTITY, **settings)()
    assert output.exit_code == code
    assert text in output.log
    assert "Traceback" not in output.log
    (record,) = records()
    assert (record["stream"], record["status"], record["error"]["code"]) == ("t", "failed", text)


def test_a_discovery_that_fails_leaves_a_record_of_the_streams_that_were_meant(command, records, monkeypatch):
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["allocation.*", "order_hdr.ORDER_ID", "!x.*", "*.Y"]')
    monkeypatch.setenv("MELTANO_RUN_ID", "the-run")
    assert command(password="wrong")("--discover").exit_code == 78
    assert [(r["stream"], r["run_id"], r["error"]["code"]) for r in records()] == [
        ("allocation", "the-run", "ORA-01017"),
        ("order_hdr", "the-run", "ORA-01017"),
    ]


def test_settings_that_are_not_valid_are_named_and_the_exit_code_says_configuration(command, records):
    output = command(chunk_rows="many")()
    assert output.exit_code == 78
    assert "chunk_rows" in output.log
    assert "Traceback" not in output.log
    assert records()[0]["error"]["class"] == "configuration"
    number = command(password=98765432)()
    assert number.exit_code == 78
    assert "setting password" in number.log
    assert "98765432" not in number.log


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_tap_that_is_stopped_never_says_success_and_the_next_goes_on(  # noqa: PLR0917 - fixtures
    table, command, files, read_output, tmp_path, signum
):
    """Stopped at a random moment of the full sync; what left before stays, what the ledger has is not read again."""
    table.server.faults.arm("delay", "statement", matching="ROWID >=", times=None, seconds=0.2)
    tap = command(entities=ENTITY, chunk_rows=300)
    process = tap.start()
    lines = [process.stdout.readline() for _ in range(random.randint(2, 7))]
    time.sleep(random.random() * 0.3)
    os.kill(process.pid, signum)
    rest, log = process.communicate(timeout=60)
    assert process.returncode == (-9 if signum == signal.SIGKILL else 128 + signum), log
    table.server.faults.clear()
    broken = read_output("".join(lines) + rest)
    state = files("state.json", broken.state)
    resumed = tap("--state", state)
    assert resumed.exit_code == 0, resumed.log
    ledger = {n for first, last in broken.state["bookmarks"]["t"]["full_sync"]["ledger"] for n in range(first, last + 1)}
    assert ledger.isdisjoint({m.chunk for m, _ in resumed.batches() if m.chunk is not None})
    kept = [number for m, rows in broken.batches() if m.chunk in ledger for number in rows.column("ID").to_pylist()]
    assert sorted(kept + [row["ID"] for row in resumed.rows()]) == list(range(ROWS))
    if signum != signal.SIGKILL:
        records = [json.loads(line) for path in (tmp_path / "records").glob("*") for line in path.read_text().splitlines()]
        assert [record["status"] for record in records] == ["interrupted", "success"]


def test_a_column_that_is_gone_and_one_that_is_new_are_told(table, command, run_tap, records):
    catalog = json.loads(command(entities=ENTITY)("--discover").text)
    table.run("ALTER TABLE T DROP COLUMN TEXT", "ALTER TABLE T ADD (EXTRA NUMBER(5))", "ALTER TABLE T MODIFY (ID NUMBER(12))")
    output = run_tap(entities=ENTITY, catalog=catalog)
    assert output.messages[0]["schema"]["properties"]["ID"]["x-sql-datatype"] == "NUMBER(12)"
    assert list(output.messages[0]["schema"]["properties"]) == ["ID", "UPDATED"]
    changes = records()[-1]["schema_changes"]
    assert any("TEXT is gone" in change for change in changes)
    assert any("EXTRA is new" in change for change in changes)
    assert any("NUMBER(12)" in change for change in changes)


def test_a_new_column_that_meltano_selects_is_read_by_the_run_that_finds_it(table, command, run_tap, records, monkeypatch):
    catalog = json.loads(command(entities=ENTITY)("--discover").text)
    table.run("ALTER TABLE T ADD (EXTRA NUMBER(5), OTHER DATE)", "UPDATE T SET EXTRA = ID WHERE ID < 10")
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["t.*", "!t.OTH*"]')
    output = run_tap(entities=ENTITY, catalog=catalog)
    properties = output.messages[0]["schema"]["properties"]
    assert list(properties) == ["ID", "TEXT", "UPDATED", "EXTRA"]
    assert properties["EXTRA"] == {"type": ["integer", "null"], "x-sql-datatype": "NUMBER(5)"}
    assert {row["EXTRA"] for row in output.rows()} == {None, *range(10)}
    assert any("EXTRA is new: it is read from now on" in change for change in records()[-1]["schema_changes"])
    assert any("OTHER is new and not selected" in change for change in records()[-1]["schema_changes"])
    record = run_tap(output.state, entities=ENTITY, catalog=catalog, transfer="record").records[0]
    assert set(record) == {"ID", "TEXT", "UPDATED", "EXTRA"}


def test_a_key_column_that_is_gone_is_an_error_and_not_a_stream_without_a_key(table, command, run_tap):
    catalog = json.loads(command(entities=ENTITY)("--discover").text)
    table.run("ALTER TABLE T RENAME COLUMN ID TO NUMMER")
    with pytest.raises(ConfigurationError, match="no column ID any more"):
        run_tap(entities=ENTITY, catalog=catalog)


def test_a_table_that_is_gone_is_named_with_its_code(table, command, run_tap):
    catalog = json.loads(command(entities=ENTITY)("--discover").text)
    table.run("DROP TABLE T")
    with pytest.raises(ConfigurationError, match=r"TESTER\.T .*ORA-00942"):
        run_tap(entities=ENTITY, catalog=catalog)

"""Chunks where ROWID ranges cannot be computed: as many rows in each, wherever the keys are, by one planning query."""

from collections import Counter

import pytest
from tap_oracle_wms import planning

ROWS = 3000
CHUNK_ROWS = 500
TABLES = (
    "CREATE TABLE GAPS (ID NUMBER(38) PRIMARY KEY, UPDATED DATE)",
    "CREATE TABLE SITES (SITE NUMBER(5), CODE VARCHAR2(10 CHAR), UPDATED DATE, PRIMARY KEY (SITE, CODE))",
    "CREATE TABLE HEAP (ID RAW(8), UPDATED DATE)",
    "CREATE VIEW KEYED AS SELECT SITE, CODE, UPDATED FROM SITES",
    "CREATE VIEW KEYLESS AS SELECT SITE||CODE ID, UPDATED FROM SITES",
    (
        "CREATE VIEW DBA_EXTENTS AS SELECT 'P' PARTITION_NAME, 1 RELATIVE_FNO, 1 BLOCK_ID, 1 BLOCKS, 1 BYTES, USER OWNER, 'T' SEGMENT_NAME"
        ", 'TABLE' SEGMENT_TYPE FROM DUAL WHERE 1 = 0"
    ),  # the user's own view hides the dictionary's: nothing is granted
)
ENTITIES = {
    "gaps": {"table": "GAPS", "replication_key": "UPDATED"},
    "sites": {"table": "SITES", "replication_key": "UPDATED"},
    "heap": {"table": "HEAP", "replication_key": "UPDATED"},
    "keyed": {"table": "KEYED", "key_properties": ["SITE", "CODE"], "replication_key": "UPDATED"},
    "keyless": {"table": "KEYLESS", "replication_key": "UPDATED"},
}
PLANS = {"gaps": ("key", ["ID"]), "sites": ("key", ["SITE", "CODE"]), "heap": ("rowid", []), "keyed": ("key", ["SITE", "CODE"]),
         "keyless": ("key", ["UPDATED"])}  # fmt: skip


@pytest.fixture
def tables(database):
    """Rows whose keys have huge gaps, or one value in their first column; and rows without a key."""
    database.run(*TABLES)
    with database.connect() as connection:
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO GAPS VALUES (:1, DATE '2026-01-01')", [(number**6,) for number in range(ROWS)])
        cursor.executemany(
            "INSERT INTO SITES VALUES (7, :1, DATE '2026-01-01' + :2 / 24)", [(f"{n * 7919 % ROWS:05d}", n) for n in range(ROWS)]
        )
        cursor.executemany("INSERT INTO HEAP VALUES (:1, DATE '2026-01-01')", [(number.to_bytes(8),) for number in range(ROWS)])
        connection.commit()
    return database


def test_chunks_hold_as_many_rows_wherever_the_keys_are_and_each_row_once(tables, run_tap, sent):
    sent.clear()
    output = run_tap(entities=ENTITIES, chunk_rows=CHUNK_ROWS)
    for stream, (kind, columns) in PLANS.items():
        begun = next(m["value"]["bookmarks"][stream] for m in output.of("STATE") if stream in m["value"]["bookmarks"])
        plan = begun["full_sync"]["plan"]
        assert (plan[0], plan[4]) == (kind, columns), stream
        batches = [(metadata, rows) for metadata, rows in output.batches() if metadata.stream == stream]
        sizes = Counter()
        for metadata, rows in batches:
            sizes[metadata.chunk] += rows.num_rows
        assert batches[-1][0].full_sync.rows == ROWS
        assert len({tuple(row.values()) for _, rows in batches for row in rows.to_pylist()}) == ROWS
        assert max(sizes.values()) <= CHUNK_ROWS + 1, stream
        assert ROWS // CHUNK_ROWS <= plan[1] <= ROWS // CHUNK_ROWS + 1, stream
    assert sum("ROW_NUMBER()" in sql for sql in sent) == len(PLANS)
    assert not any('COUNT(*) FROM "' in sql for sql in sent)  # no table is counted to plan


def test_a_large_table_is_planned_from_a_sample_of_its_blocks(tables, run_tap, sent, monkeypatch):
    monkeypatch.setattr(planning, "SAMPLE_FROM_ROWS", ROWS)
    monkeypatch.setattr(planning, "SAMPLED_ROWS_PER_CHUNK", CHUNK_ROWS // 5)
    tables.run("BEGIN DBMS_STATS.GATHER_TABLE_STATS('TESTER', 'GAPS'); END;")
    tables.server.faults.arm("error", "statement", matching='ROW_NUMBER.*"HEAP"', code=1555)  # without statistics, and larger than thought
    sent.clear()
    output = run_tap(entities={name: ENTITIES[name] for name in ("gaps", "heap")}, chunk_rows=CHUNK_ROWS)
    assert sum("SAMPLE BLOCK (20.000000) T" in sql for sql in sent) == 2
    for stream in ("gaps", "heap"):
        sizes = Counter()
        for metadata, rows in output.batches():
            if metadata.stream == stream:
                sizes[metadata.chunk] += rows.num_rows
        assert sum(sizes.values()) == ROWS
        assert max(sizes.values()) < ROWS // 2
        assert len(sizes) > 3


def test_a_chunk_by_key_whose_snapshot_is_lost_is_cut_where_its_rows_are(tables, run_tap, caplog):
    caplog.set_level("INFO", "tap-oracle-wms")
    tables.server.faults.arm("error", "statement", matching='^SELECT "SITE".*CODE" <', times=3, code=1555)
    output = run_tap(entities={"sites": ENTITIES["sites"]}, chunk_rows=ROWS // 2)
    whole = {metadata.attempt for metadata, _ in output.batches() if metadata.complete}
    codes = [code for m, rows in output.batches() if m.attempt in whole for code in rows.column("CODE").to_pylist()]
    assert sorted(codes) == [f"{number:05d}" for number in range(ROWS)]
    assert "is read in 2 pieces" in caplog.text


def test_the_values_of_a_masked_key_are_not_in_the_state(tables, run_tap):
    entities = {"sites": {**ENTITIES["sites"], "mask": {"code": "hash"}}}
    output = run_tap(entities=entities, chunk_rows=CHUNK_ROWS)
    assert "02999" not in output.text
    assert output.of("STATE")[0]["value"]["bookmarks"]["sites"]["full_sync"]["plan"][4] == ["SITE"]

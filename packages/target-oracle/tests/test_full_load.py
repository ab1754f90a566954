"""The full sync beside the live table: the ledger, the swap, and what survives a redo."""

from __future__ import annotations

import pytest
from oracle_connection.contract import Mode
from oracle_connection.errors import ConfigurationError, FatalError, RetriableError
from target_oracle.deletes import DeleteCapError
from target_oracle.swap import SwapRefusedError


def rows(*pairs):
    return [{"ID": number, "NAME": name} for number, name in pairs]


def numbers(count, name="x"):
    return rows(*((number, name) for number in range(count)))


@pytest.fixture
def sync(make_stream):
    """A stream in full mode of a generation: sync(5). Those after the first repeat it on purpose."""

    def make(generation, **rest):
        return make_stream(mode=Mode.FULL, generation=generation, redo=generation > 1, run_id=f"run-{generation}", **rest)

    return make


def loaded(warehouse):
    return warehouse.rows("items", '"ID","NAME"')


def test_a_chunk_is_loaded_once_however_often_it_is_sent(warehouse, sync):
    stream = sync(1)
    for _ in range(3):
        warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a")), read_scn=1)])
    warehouse.load([stream.schema(), stream.chunk(1, rows((2, "b"))), stream.full_sync(2, 2), stream.full_sync(2, 2)])
    assert loaded(warehouse) == [(1, "a"), (2, "b")]
    warehouse.load([stream.schema(), stream.chunk(0, rows((9, "z"))), stream.full_sync(2, 2)])
    assert loaded(warehouse) == [(1, "a"), (2, "b")]


def test_parts_of_an_attempt_that_was_given_up_are_discarded(warehouse, sync):
    stream = sync(1)
    parts = [
        stream.chunk(0, rows((1, "stale")), attempt="one", part=1, complete=False),
        stream.chunk(0, rows((2, "a")), attempt="two", part=1, complete=False),
        stream.chunk(0, rows((3, "b")), attempt="two", part=2, complete=True),
    ]
    warehouse.load([stream.schema(), *parts, stream.full_sync(1, 2)])
    assert loaded(warehouse) == [(2, "a"), (3, "b")]


def test_a_missing_part_stops_the_stream(warehouse, sync):
    stream = sync(1)
    with pytest.raises(FatalError, match=r"parts \[1\] of chunk 0 never came"):
        warehouse.load([stream.schema(), stream.chunk(0, rows((3, "b")), part=2, complete=True)])


def test_missing_chunks_are_named(warehouse, sync):
    stream = sync(1)
    with pytest.raises(FatalError, match="of 4 chunks these are not loaded: 1, 3"):
        warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a"))), stream.chunk(2, rows((2, "b"))), stream.full_sync(4, 2)])


def test_a_wrong_number_of_rows_stops_the_stream(warehouse, sync):
    stream = sync(1)
    with pytest.raises(FatalError, match="said to have 5 rows, but 1 are loaded"):
        warehouse.load([stream.schema(), stream.chunk(0, rows((1, "a"))), stream.full_sync(1, 5)])


def test_state_waits_for_open_chunks_only(warehouse, sync, make_state):
    stream = sync(1)
    part = {"attempt": "two"}
    messages = [
        stream.schema(),
        stream.chunk(0, rows((1, "a"))),
        make_state({"at": 1}),
        stream.chunk(1, rows((2, "b")), part=1, complete=False, **part),
        make_state({"at": 2}),
        stream.chunk(2, rows((3, "c"))),
        make_state({"at": 3}),
    ]
    assert warehouse.load(messages) == [{"bookmarks": {"at": 1}}]
    stream.made = 100
    messages = [
        stream.schema(),
        stream.chunk(1, rows((2, "b")), part=1, complete=False, **part),
        make_state({"at": 2}),
        stream.chunk(2, rows((3, "c"))),
        make_state({"at": 3}),
        stream.chunk(1, rows((4, "d")), part=2, complete=True, **part),
        make_state({"at": 4}),
    ]
    assert warehouse.load(messages) == [{"bookmarks": {"at": 3}}, {"bookmarks": {"at": 4}}]


def test_a_full_sync_that_pauses_stays_beside_also_with_overwrite(warehouse, sync, make_state):
    stream = sync(1)
    feed = [stream.schema(), stream.chunk(0, rows((1, "a"))), make_state({"at": 0})]
    assert warehouse.load(feed, load_method="overwrite") == [{"bookmarks": {"at": 0}}]
    assert warehouse.query("SELECT COUNT(*) FROM USER_TABLES WHERE TABLE_NAME=:1", f"{warehouse.prefix}ITEMS") == [(0,)]
    feed = [stream.schema(), stream.chunk(1, rows((2, "b"))), stream.full_sync(2, 2), make_state({"at": 1})]
    warehouse.load(feed, load_method="overwrite")
    assert loaded(warehouse) == [(1, "a"), (2, "b")]


def test_an_empty_table_becomes_visible_too(warehouse, sync):
    stream = sync(1)
    warehouse.load([stream.schema(), stream.full_sync(0, 0)])
    assert loaded(warehouse) == []


def test_an_older_generation_is_refused(warehouse, sync):
    warehouse.load([sync(2).schema(), sync(2).chunk(0, rows((1, "a")))])
    with pytest.raises(FatalError, match="full sync 1 is older than 2"):
        warehouse.load([sync(1).schema(), sync(1).chunk(0, rows((1, "a")))])


def test_a_new_generation_forgets_the_unfinished_one(warehouse, sync):
    warehouse.load([sync(1).schema(), sync(1).chunk(0, rows((1, "old")))])
    stream = sync(2)
    warehouse.load([stream.schema(), stream.chunk(0, rows((1, "new"))), stream.full_sync(1, 1)])
    assert loaded(warehouse) == [(1, "new")]
    assert warehouse.private_tables() == []


@pytest.fixture
def live(warehouse, sync):
    """A table of twenty rows, with what people add to a table."""
    stream = sync(1)
    warehouse.load([stream.schema(), stream.chunk(0, numbers(20)), stream.full_sync(1, 20)])
    table = f'"{warehouse.prefix}ITEMS"'
    warehouse.execute(f"COMMENT ON TABLE {table} IS 'Things'")
    warehouse.execute(f"COMMENT ON COLUMN {table}.\"NAME\" IS 'Its name'")
    warehouse.execute(f'CREATE INDEX "{warehouse.prefix}BY_NAME" ON {table} ("NAME")')
    warehouse.execute(f'CREATE VIEW "{warehouse.prefix}VIEW" AS SELECT "ID" FROM {table}')
    if warehouse.faults is not None:
        warehouse.execute(f"GRANT SELECT ON {table} TO WMS")
        warehouse.execute(f"GRANT UPDATE ON {table} TO TESTER WITH GRANT OPTION")
    return table


def test_a_redo_replaces_the_table_and_keeps_what_people_added(warehouse, sync, live):
    stream = sync(2)
    table = f"{warehouse.prefix}ITEMS"
    messages = [stream.schema(), stream.chunk(0, numbers(10, "y")), stream.chunk(1, numbers(20, "y")[10:] + rows((20, "new")))]
    warehouse.load([*messages, stream.full_sync(2, 21)])
    assert loaded(warehouse) == [(number, "y") for number in range(20)] + [(20, "new")]
    assert warehouse.query("SELECT COMMENTS FROM USER_TAB_COMMENTS WHERE TABLE_NAME=:1", table) == [("Things",)]
    assert ("NAME", "Its name") in warehouse.query(
        "SELECT COLUMN_NAME,COMMENTS FROM USER_COL_COMMENTS WHERE TABLE_NAME=:1 AND COMMENTS IS NOT NULL", table
    )
    indexed = warehouse.query("SELECT COLUMN_NAME FROM USER_IND_COLUMNS WHERE TABLE_NAME=:1", table)
    assert sorted(name for (name,) in indexed) == ["ID", "NAME", "_SDC_BATCHED_AT"]
    assert len(warehouse.query(f'SELECT * FROM "{warehouse.prefix}VIEW"')) == 21
    if warehouse.faults is not None:
        privileges = "SELECT GRANTEE,PRIVILEGE,GRANTABLE FROM USER_TAB_PRIVS_MADE WHERE TABLE_NAME=:1 ORDER BY 1"
        assert warehouse.query(privileges, table) == [("TESTER", "UPDATE", "YES"), ("WMS", "SELECT", "NO")]
    assert warehouse.private_tables() == []


def test_a_second_full_sync_that_nobody_asked_for_is_refused(warehouse, make_stream, live):
    """Its state was lost, or Meltano was started past the guards: the table stays, and the message says what to do."""
    stream = make_stream(mode=Mode.FULL, generation=2)
    for messages in ([stream.schema()], [stream.schema(), stream.chunk(0, numbers(20, "y")), stream.full_sync(1, 20)]):
        with pytest.raises(ConfigurationError, match="wms-ops redo items"):
            warehouse.load(messages)
    assert loaded(warehouse)[0] == (0, "x")
    assert warehouse.private_tables() == []


@pytest.fixture
def guarded(warehouse, live):
    """The table with what its owner may build on it beside plain indexes."""
    parent = f'"{warehouse.prefix}NAMES"'
    for statement in (
        f'CREATE TABLE {parent} ("NAME" VARCHAR2(20 CHAR) PRIMARY KEY)',
        f"INSERT INTO {parent} VALUES ('x')",
        f"INSERT INTO {parent} VALUES ('y')",
        f'CREATE INDEX "{warehouse.prefix}BY_UPPER" ON {live} (UPPER("NAME"),"ID" DESC)',
        f'ALTER TABLE {live} ADD CONSTRAINT "{warehouse.prefix}CK" CHECK ("ID">=0)',
        f'ALTER TABLE {live} ADD CONSTRAINT "{warehouse.prefix}UQ" UNIQUE ("NAME","ID")',
        f'ALTER TABLE {live} ADD CONSTRAINT "{warehouse.prefix}FK" FOREIGN KEY ("NAME") REFERENCES {parent} ("NAME")',
    ):
        warehouse.execute(statement)
    return live


def test_indexes_on_expressions_and_constraints_come_along_twice(warehouse, sync, guarded):
    for generation in (2, 3):
        stream = sync(generation)
        warehouse.load([stream.schema(), stream.chunk(0, numbers(20, "y")), stream.full_sync(1, 20)])
    table = f"{warehouse.prefix}ITEMS"
    expressions = "SELECT COLUMN_POSITION,COLUMN_EXPRESSION FROM USER_IND_EXPRESSIONS WHERE TABLE_NAME=:1 ORDER BY 1"
    assert warehouse.query(expressions, table) == [(1, 'UPPER("NAME")'), (2, '"ID"')]
    descending = "SELECT COUNT(*) FROM USER_IND_COLUMNS WHERE TABLE_NAME=:1 AND DESCEND='DESC'"
    assert warehouse.query(descending, table) == [(1,)]
    kinds = (
        "SELECT CONSTRAINT_TYPE FROM USER_CONSTRAINTS WHERE TABLE_NAME=:1 AND (SEARCH_CONDITION_VC IS NULL OR "
        "SEARCH_CONDITION_VC NOT LIKE '%NOT NULL') ORDER BY 1"
    )
    assert [kind for (kind,) in warehouse.query(kinds, table)] == ["C", "P", "R", "U"]
    assert warehouse.private_tables() == []


@pytest.mark.parametrize(("name", "constraint"), [("z", "the constraint T.*FK does not hold"), ("y", "foreign key .* of .*CHILD")])
def test_a_redo_that_would_lose_a_foreign_key_is_refused_by_name(warehouse, sync, guarded, name, constraint):
    if name == "y":
        warehouse.execute(f'CREATE TABLE "{warehouse.prefix}CHILD" ("ID" NUMBER(19) REFERENCES {guarded} ("ID"))')
    stream = sync(2)
    with pytest.raises(SwapRefusedError, match=constraint):
        warehouse.load([stream.schema(), stream.chunk(0, numbers(20, name)), stream.full_sync(1, 20)])
    assert loaded(warehouse)[0] == (0, "x")


def test_a_second_redo_works_too(warehouse, sync, live):
    for generation in (2, 3, 4):
        stream = sync(generation)
        warehouse.load([stream.schema(), stream.chunk(0, numbers(20, f"g{generation}")), stream.full_sync(1, 20)])
    assert loaded(warehouse)[0] == (0, "g4")


def test_rows_that_are_gone_are_taken_over_as_deleted(warehouse, sync, live):
    stream = sync(2)
    warehouse.load([stream.schema(), stream.chunk(0, numbers(19, "y")), stream.full_sync(1, 19)])
    gone = warehouse.rows("items", '"ID","NAME"', where='"_SDC_DELETED_AT" IS NOT NULL')
    assert gone == [(19, "x")]
    newest = warehouse.rows("items", 'MAX("_SDC_BATCHED_AT")')[0][0]
    assert warehouse.rows("items", '"_SDC_BATCHED_AT"', where='"ID"=19') == [(newest,)]


def test_a_redo_that_would_delete_too_much_is_refused(warehouse, sync, live):
    stream = sync(2)
    with pytest.raises(DeleteCapError, match="3 of 20 rows"):
        warehouse.load([stream.schema(), stream.chunk(0, numbers(17, "y")), stream.full_sync(1, 17)])
    assert loaded(warehouse)[0] == (0, "x")
    warehouse.load([stream.schema(), stream.full_sync(1, 17)], delete_cap_percent=15)
    assert loaded(warehouse)[0] == (0, "y")


def test_an_empty_redo_never_empties_the_table_unless_a_setting_says_so(warehouse, sync, live):
    stream = sync(2)
    with pytest.raises(SwapRefusedError, match="allow_empty_overwrite"):
        warehouse.load([stream.schema(), stream.full_sync(0, 0)], delete_cap_percent=100)
    assert len(loaded(warehouse)) == 20
    warehouse.load([stream.schema(), stream.full_sync(0, 0)], allow_empty_overwrite=True)
    assert warehouse.rows("items", "COUNT(*)", where='"_SDC_DELETED_AT" IS NULL') == [(0,)]


def test_a_table_that_was_written_meanwhile_is_not_replaced(warehouse, sync, make_stream, live):
    stream = sync(2)
    warehouse.load([stream.schema(), stream.chunk(0, numbers(20, "y"))])
    changes = make_stream(mode=Mode.INCREMENTAL, run_id="other")
    warehouse.load([changes.schema(), changes.batch(rows((1, "changed")), read_scn=9)])
    with pytest.raises(SwapRefusedError, match="after this full sync had begun"):
        warehouse.load([stream.schema(), stream.full_sync(1, 20)])
    assert (1, "changed") in loaded(warehouse)


@pytest.mark.mimic_only
@pytest.mark.parametrize("statement", ["GENERATION_STATUS", "RENAME TO", "RENAME TO#2", "GENERATION_STATUS#2", "DROP TABLE"])
def test_a_swap_that_stopped_anywhere_is_finished_by_the_next_run(warehouse, sync, live, statement):
    """The connection is cut before each statement of the swap, and every repetition fails too; then another run opens the table."""
    stream = sync(2)
    text, _, call = statement.partition("#")
    warehouse.load([stream.schema(), stream.chunk(0, numbers(20, "y"))])
    warehouse.faults.arm("drop", "before_call", matching=text, user="ANALYTICS", call=int(call or 1), times=None)
    with pytest.raises(RetriableError):
        warehouse.load([stream.schema(), stream.full_sync(1, 20)], retry_attempts=2)
    warehouse.faults.clear()
    warehouse.load([stream.schema(), stream.full_sync(1, 20)])
    assert loaded(warehouse) == [(number, "y") for number in range(20)]
    assert warehouse.private_tables() == []

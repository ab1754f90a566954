"""The seed: the same for the same plan, whole, and faulty exactly where it says."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from demo.faults import FAULTS
from demo.rows import BLOCK_ORDERS, Plan, order_block
from demo.schema import TABLES


@pytest.fixture(scope="module")
def seeded() -> dict[str, pa.Table]:
    tables: dict[str, pa.Table] = {}
    for table, rows in Plan(orders=4000).batches():
        tables[table.name] = pa.concat_tables([tables[table.name], rows]) if table.name in tables else rows
    return tables


def test_the_same_plan_gives_the_same_rows(seeded):
    again = {table.name: rows for table, rows in Plan(orders=4000).batches()}
    assert all(again[name].equals(seeded[name]) for name in TABLES)
    other = {table.name: rows for table, rows in Plan(orders=4000, seed=2).batches()}
    assert not other["ALLOCATION"].equals(seeded["ALLOCATION"])


def test_a_block_can_be_made_alone():
    plan = Plan(orders=BLOCK_ORDERS + 10)
    whole = [rows for table, rows in plan.batches() if table.name == "ALLOCATION"]
    alone = [rows for table, rows in order_block(plan, BLOCK_ORDERS, 10) if table.name == "ALLOCATION"]
    assert alone[0].equals(whole[1])


@pytest.mark.parametrize("name", list(TABLES))
def test_columns_are_whole_and_keys_unique(seeded, name):
    table, rows = TABLES[name], seeded[name]
    rows.validate(full=True)
    assert len(rows[table.key].unique()) == len(rows)
    for column in table.columns:
        if not column.nullable:
            assert rows[column.name].null_count == 0, column.name
        elif column.name != "QUANTITY_PICKED":
            assert pc.max(pc.utf8_length(rows[column.name])).as_py() if rows[column.name].type == pa.string() else True
        limit = column.oracle_type.removeprefix("VARCHAR2(").removesuffix(" CHAR)")
        if limit.isdigit():
            assert pc.max(pc.utf8_length(rows[column.name])).as_py() <= int(limit), column.name


def keys_where(rows: pa.Table, key: str, condition: pa.ChunkedArray) -> set[int]:
    return set(rows.filter(condition)[key].to_pylist())


def expected(seeded, fault: str) -> set[int]:
    rule = FAULTS[fault]
    keys = seeded[rule.table][TABLES[rule.table].key].to_numpy()
    found = set(keys[rule.hits(keys)].tolist())
    assert found, f"no row carries {fault}"
    return found


def test_faults_stand_exactly_where_the_rules_say(seeded):
    header, line, allocation = seeded["ORDER_HDR"], seeded["ORDER_DTL"], seeded["ALLOCATION"]
    item, location = seeded["ITEM_MASTER"], seeded["LOCATION"]
    sums = line.group_by("ORDER_ID").aggregate([("LINE_TOTAL", "sum")])
    joined = header.select(["ORDER_ID", "TOTAL_AMOUNT"]).join(sums, "ORDER_ID")
    unknown = pc.invert(pc.is_in(line["ITEM_ID"], item["ITEM_ID"]))
    found = {
        "order_total_mismatch": keys_where(joined, "ORDER_ID", pc.not_equal(joined["TOTAL_AMOUNT"], joined["LINE_TOTAL_sum"])),
        "ship_date_before_order": keys_where(header, "ORDER_ID", pc.less(header["REQUESTED_SHIP_DATE"], header["ORDER_DATE"])),
        "customer_name_missing": keys_where(header, "ORDER_ID", pc.is_null(header["SHIP_TO_NAME"])),
        "line_with_unknown_item": keys_where(line, "ORDER_DETAIL_ID", unknown),
        "allocation_not_positive": keys_where(allocation, "ALLOCATION_ID", pc.less_equal(allocation["QUANTITY_ALLOCATED"], 0)),
        "picked_above_allocated": keys_where(
            allocation, "ALLOCATION_ID", pc.greater(allocation["QUANTITY_PICKED"], allocation["QUANTITY_ALLOCATED"])
        ),
        "location_over_capacity": keys_where(location, "LOCATION_ID", pc.greater(location["CURRENT_VOLUME"], location["CAPACITY_VOLUME"])),
        "item_without_description": keys_where(item, "ITEM_ID", pc.is_null(item["ITEM_DESCRIPTION"])),
        "item_code_convention": keys_where(item, "ITEM_ID", pc.invert(pc.match_substring_regex(item["ITEM_CODE"], "^[A-Z]{3}-[0-9]{6}$"))),
    }
    assert found.keys() == FAULTS.keys()
    assert {name: found[name] for name in FAULTS} == {name: expected(seeded, name) for name in FAULTS}


def test_nothing_happened_after_the_end_of_the_history(seeded):
    end = Plan(orders=4000).as_of.replace(tzinfo=None)
    assert all(pc.max(rows["LAST_UPDATED"]).as_py() < end for rows in seeded.values())

"""`meltano invoke wms-ops verify` and the jobs `*_verify`, end to end: drift is found exactly, repaired by tap and target, and proven."""

import json
import os
import random

import jsonschema
import pytest

from tests.pipeline import ROOT

pytestmark = pytest.mark.timeout(900)


def verify(pipeline, *arguments, code=0):
    """The command's JSON."""
    said = pipeline.meltano("--log-level", "error", "invoke", "wms-ops", "verify", *arguments, "--json", code=code)
    return json.loads(said[said.index("{") :])


def rows_found(found):
    return sorted((each["kind"], int(each["key"][0]), *each["columns"]) for each in found["rows_found"])


def test_drift_is_found_repaired_and_proven(pipeline):
    pipeline.demo("seed", "--orders", "150")
    said = pipeline.meltano("invoke", "wms-ops", "verify", "order_hdr", code=2)
    assert "no sync has promised anything yet" in said

    pipeline.meltano("run", "order_hdr_full_sync", "item_master_sync", "item_master_incremental_sync")
    ((count,),) = pipeline.query("WMS", "SELECT COUNT(*) FROM ORDER_HDR")
    found = verify(pipeline, "order_hdr")
    assert (found["equal"], found["rows"], found["open_ranges"]) == (True, count, [])
    assert found["flashback"]["source"] is True
    until = found["proven_until"]
    assert until is not None

    # Everything that an incremental sync cannot see, and two things that only an accident can do.
    keys = [int(key) for (key,) in pipeline.query("WMS", "SELECT ORDER_ID FROM ORDER_HDR ORDER BY ORDER_ID")]
    digit, silent, lost, deleted, moved = (keys[position] for position in (3, 20, 60, 90, 120))
    pipeline.execute("ANALYTICS", "UPDATE ORDER_HDR SET TOTAL_AMOUNT = TOTAL_AMOUNT + 0.01 WHERE ORDER_ID = :1", digit)
    pipeline.execute("WMS", "UPDATE ORDER_HDR SET SHIP_TO_CITY = 'Parnaíba', CARRIER_CODE = NULL WHERE ORDER_ID = :1", silent)
    pipeline.execute("ANALYTICS", "DELETE FROM ORDER_HDR WHERE ORDER_ID = :1", lost)
    pipeline.execute("WMS", "DELETE FROM ORDER_HDR WHERE ORDER_ID = :1", deleted)
    pipeline.execute("WMS", "UPDATE ORDER_HDR SET ORDER_ID = 5000000 WHERE ORDER_ID = :1", moved)
    ((carrier,),) = pipeline.query("ANALYTICS", f"SELECT CARRIER_CODE FROM ORDER_HDR WHERE ORDER_ID = {silent}")
    expected = sorted(
        [
            ("different", digit, "TOTAL_AMOUNT"),
            ("different", silent, *(["CARRIER_CODE", "SHIP_TO_CITY"] if carrier else ["SHIP_TO_CITY"])),
            ("missing_in_target", lost), ("missing_in_source", deleted), ("missing_in_source", moved), ("missing_in_target", 5000000),
        ]
    )  # fmt: skip
    untouched = "SELECT * FROM ORDER_HDR WHERE ORDER_ID NOT IN ({}) ORDER BY ORDER_ID"
    untouched = untouched.format(", ".join(map(str, (digit, silent, lost, deleted, moved, 5000000))))
    before = pipeline.query("ANALYTICS", untouched)
    bookmark = pipeline.bookmark("order_hdr")

    found = verify(pipeline, "order_hdr", "--repair", code=1)
    assert rows_found(found) == expected
    assert found["repaired"] == len(expected)
    assert found["open_ranges"] == [], "what was repaired is compared once more, and proven"
    pipeline.demo("compare", "--tables", "ORDER_HDR")
    assert pipeline.query("ANALYTICS", untouched) == before, "a repair touches nothing else, not even the time of a row's last write"
    assert pipeline.bookmark("order_hdr") == bookmark
    marked = pipeline.query("ANALYTICS", 'SELECT ORDER_ID FROM ORDER_HDR WHERE "_SDC_DELETED_AT" IS NOT NULL ORDER BY ORDER_ID')
    assert [int(key) for (key,) in marked] == sorted((deleted, moved))

    # The audit holds: the rows that were read again and the marks are batches like any other, under the run's id.
    records = pipeline.records(component="wms-ops", mode="verify")
    repaired = next(record for record in records if record["verify"] and record["verify"]["repaired"])
    assert [record["status"] for record in records] == ["waiting", "success", "success"]
    audit = "SELECT LOAD_MODE, SUM(ROWS_READ), SUM(ROWS_INSERTED), SUM(ROWS_UPDATED), SUM(ROWS_DELETED) FROM WMS_LOAD_AUDIT"
    audit += f" WHERE RUN_ID = '{repaired['run_id']}' GROUP BY LOAD_MODE ORDER BY LOAD_MODE"
    loads = {mode: tuple(map(int, figures)) for mode, *figures in pipeline.query("ANALYTICS", audit)}
    assert loads["backfill"] == (4, 2, 2, 0)
    assert loads["upsert"] == (2, 0, 0, 2)
    assert loads["verify"][0] == count - 1
    schema = json.loads((ROOT / "docs" / "run-record.schema.json").read_text())
    for record in pipeline.records():
        jsonschema.validate(record, schema)

    # As a job, and of an entity whose changes another tap reads.
    pipeline.execute("ANALYTICS", "UPDATE ITEM_MASTER SET ITEM_DESCRIPTION = 'no' WHERE ITEM_ID = (SELECT MIN(ITEM_ID) FROM ITEM_MASTER)")
    said = pipeline.meltano("run", "item_master_verify", code=1)
    assert "different (ITEM_DESCRIPTION): repaired" in said
    pipeline.demo("compare", "--tables", "ITEM_MASTER")

    # More deletes than the cap allows are refused by the target, and what was proven does not advance while a range is open.
    pipeline.execute("WMS", "DELETE FROM ORDER_HDR WHERE MOD(ORDER_ID, 2) = 0")
    found = verify(pipeline, "order_hdr", "--repair", code=1)
    assert (found["findings"]["missing_in_source"] > 70, found["repaired"]) == (True, 0)
    assert "delete_cap_percent=10" in found["rows_found"][0]["note"]
    assert (found["proven_until"], len(found["open_ranges"])) == (until, 1)
    still = pipeline.query("ANALYTICS", 'SELECT ORDER_ID FROM ORDER_HDR WHERE "_SDC_DELETED_AT" IS NOT NULL ORDER BY ORDER_ID')
    assert still == marked


MILLION = """INSERT INTO ALLOCATION SELECT LEVEL + 10000000, MOD(LEVEL, 5000), LEVEL, MOD(LEVEL, 997), MOD(LEVEL, 499), NULL, LEVEL / 8,
    NULL,
    'EA', 'OPEN', 1, 'user ' || MOD(LEVEL, 50), NULL, 'lot ' || MOD(LEVEL, 9000), NULL, NULL, TIMESTAMP '2026-01-01 00:00:00',
    TIMESTAMP '2026-01-01 00:00:00' + NUMTODSINTERVAL(LEVEL, 'SECOND') FROM DUAL CONNECT BY LEVEL <= :1"""
NEVER_SEEN = 50_000_000


def plant(pipeline, keys, chance):
    """Drift of a random kind in each of the rows; what verify has to say of it."""
    planted = []
    for key in keys:
        kind = chance.choice(("digit", "silent", "lost", "deleted", "moved"))
        if kind == "digit":
            pipeline.execute(
                "ANALYTICS", "UPDATE ALLOCATION SET QUANTITY_ALLOCATED = QUANTITY_ALLOCATED + 0.0001 WHERE ALLOCATION_ID = :1", key
            )
            planted.append(("different", key, "QUANTITY_ALLOCATED"))
        elif kind == "silent":
            pipeline.execute("WMS", "UPDATE ALLOCATION SET LOT_NUMBER = LOT_NUMBER || ' ' WHERE ALLOCATION_ID = :1", key)
            planted.append(("different", key, "LOT_NUMBER"))
        elif kind == "lost":
            pipeline.execute("ANALYTICS", "DELETE FROM ALLOCATION WHERE ALLOCATION_ID = :1", key)
            planted.append(("missing_in_target", key))
        elif kind == "deleted":
            pipeline.execute("WMS", "DELETE FROM ALLOCATION WHERE ALLOCATION_ID = :1", key)
            planted.append(("missing_in_source", key))
        else:
            pipeline.execute("WMS", "UPDATE ALLOCATION SET ALLOCATION_ID = :1 WHERE ALLOCATION_ID = :2", key + NEVER_SEEN, key)
            planted += [("missing_in_source", key), ("missing_in_target", key + NEVER_SEEN)]
    return sorted(planted)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_drift_in_a_million_rows_is_found_exactly_and_repaired(pipeline):
    """1, 10 and 1,000 rows, of random kinds in random places; the rest keeps even the time of its last write."""
    rows, chance = int(os.environ.get("VERIFY_TEST_ROWS", "1000000")), random.Random(6)
    most = min(1000, rows // 50)  # of a smaller table, no more than the cap lets the target delete
    pipeline.demo("seed", "--orders", "1")
    pipeline.execute("WMS", MILLION, rows)
    pipeline.meltano("run", "allocation_full_sync")
    written = 'SELECT MAX("_SDC_BATCHED_AT") FROM ALLOCATION'
    ((loaded,),) = pipeline.query("ANALYTICS", written)
    fresh = iter(chance.sample(range(10_000_001, 10_000_001 + rows), 11 + most))
    touched = set()
    for count in (1, 10, most):
        planted = plant(pipeline, [next(fresh) for _ in range(count)], chance)
        touched |= {key for _, key, *_ in planted}
        found = verify(pipeline, "allocation", "--repair", code=1)
        assert rows_found(found) == planted
        assert (found["repaired"], found["open_ranges"]) == (len(planted), [])
    pipeline.demo("compare", "--tables", "ALLOCATION")
    later = pipeline.query("ANALYTICS", f"SELECT ALLOCATION_ID FROM ALLOCATION WHERE \"_SDC_BATCHED_AT\" > TIMESTAMP '{loaded}'")
    assert {int(key) for (key,) in later} <= touched
    assert verify(pipeline, "allocation")["equal"]

"""The dbt project on the mimic, with the simulator's rows: it builds, its rules find what was planted, its figures are right."""

from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import oracledb
import pytest
from oracle_mimic.server import MimicServer

from demo.faults import FAULTS
from demo.rows import Plan
from demo.schema import TABLES
from tests.raw_tables import RawTables
from tests.transform import Dbt

USER, PASSWORD = "ANALYTICS", "Analytics_1234"
AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
PLAN = Plan(orders=400, seed=5, as_of=AS_OF)
FAR_FUTURE = {"as_of": "2026-06-30"}

# Rule (test) -> the fault of the simulator that it has to find, all of it and nothing else.
RULES = {
    "item_code_follows_convention": "item_code_convention",
    "item_has_description": "item_without_description",
    "location_capacity_respected": "location_over_capacity",
    "order_total_matches_lines": "order_total_mismatch",
    "order_ship_date_not_before_order": "ship_date_before_order",
    "order_has_receiver": "customer_name_missing",
    "order_line_item_exists": "line_with_unknown_item",
    "allocation_quantity_positive": "allocation_not_positive",
    "allocation_pick_within_quantity": "picked_above_allocated",
}


class Warehouse:
    """A mimic with the simulator's rows in raw tables, and dbt on it."""

    def __init__(self, server: MimicServer, home) -> None:
        self.connection = oracledb.connect(user=USER, password=PASSWORD, dsn=server.dsn)
        self.raw = RawTables(self.connection, USER)
        self.dbt = Dbt(home, port=server.port, service="FREEPDB1", username=USER, password=PASSWORD)

    def close(self) -> None:
        self.dbt.close()
        self.connection.close()

    def rows(self, relation: str, *columns: str) -> list[dict[str, object]]:
        """Rows of a model as dicts; all columns when none is named."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"select {', '.join(columns) or '*'} from {relation}", fetch_decimals=True)
            names = [each[0].lower() for each in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    with MimicServer(users={USER: PASSWORD}) as server, closing(Warehouse(server, tmp_path_factory.mktemp("transform"))) as made:
        made.raw.create(PLAN)
        made.results = made.dbt("build", "--store-failures", **FAR_FUTURE)
        yield made


@pytest.fixture(scope="module")
def truth():
    """The rows the simulator made, by table: list of dicts in exact types."""
    found = defaultdict(list)
    for table, batch in PLAN.batches():
        found[table.name] += [{name.lower(): value for name, value in row.items()} for row in batch.to_pylist()]
    return found


def test_everything_is_built_and_no_test_fails(warehouse):
    states = {name: result[0] for name, result in warehouse.results.items()}
    assert len(states) >= 85
    assert set(states.values()) == {"success", "pass", "warn"}, states
    assert {name for name, state in states.items() if state == "warn"} <= {*RULES, "allocation_item_exists", "allocation_fact_item_exists"}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_exactly_the_planted_rows(warehouse, truth, rule):
    fault = FAULTS[RULES[rule]]
    key = TABLES[fault.table].key.lower()
    keys = np.array([row[key] for row in truth[fault.table]])
    planted = set(keys[fault.hits(keys)].tolist())
    assert planted, "the plan is too small for this fault"
    assert {int(row[key]) for row in warehouse.rows(f"dq_{rule}")} == planted


# --- figures, computed again from the simulator's rows ---


def pct(part, whole):
    return rounded(Decimal(100) * part / whole, 2) if whole and whole > 0 else None


def rounded(value, digits):
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def seconds(earlier, later):
    return int((later.replace(microsecond=0) - earlier.replace(microsecond=0)).total_seconds()) if later else None


def average(values):
    return rounded(Decimal(sum(values)) / len(values), 4) if values else None


def percentile(values, share):
    """PERCENTILE_CONT: linear between the two rows around (n - 1) * share."""
    ordered, place = sorted(Decimal(value) for value in values), Decimal(str(share)) * (len(values) - 1)
    if not ordered:
        return None
    low, high = int(place), min(int(place) + 1, len(ordered) - 1)
    return rounded(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 4)


def counted(row):
    return row["allocation_status"] != "CANCELLED"


def day(moment):
    return datetime.combine(moment.date(), datetime.min.time())


def test_order_fulfilment_per_order_and_day(warehouse, truth):
    lines = defaultdict(list)
    for line in truth["ORDER_DTL"]:
        lines[line["order_id"]].append(line)
    found = {int(row["order_id"]): row for row in warehouse.rows("fact_order_fulfillment")}
    assert found.keys() == {order["order_id"] for order in truth["ORDER_HDR"]}
    ordered, shipped = defaultdict(Decimal), defaultdict(Decimal)
    for order in truth["ORDER_HDR"]:
        mine = lines[order["order_id"]]
        wanted = sum(line["quantity_ordered"] for line in mine)
        sent = sum(line["quantity_shipped"] or 0 for line in mine)
        row = found[order["order_id"]]
        cancelled = order["order_status"] == "CANCELLED"
        assert (row["quantity_ordered"], row["quantity_shipped"], row["line_count"]) == (wanted, sent, len(mine))
        assert row["fulfillment_rate_pct"] == (None if cancelled else pct(sent, wanted))
        assert row["fulfillment_rate_empty_reason"] == ("the order is cancelled" if cancelled else None)
        assert row["amount_variance"] == order["total_amount"] - sum(line["line_total"] for line in mine)
        tier = next(
            name
            for limit, name in ((100, "Small"), (1000, "Medium"), (10000, "Large"), (Decimal("inf"), "Enterprise"))
            if order["total_amount"] < limit
        )
        assert row["order_size_category"] == tier
        if not cancelled:
            ordered[day(order["order_date"])] += wanted
            shipped[day(order["order_date"])] += sent
    daily = {row["order_day"]: row["fulfillment_rate_pct"] for row in warehouse.rows("fact_daily_fulfillment")}
    assert {each: rate for each, rate in daily.items() if rate is not None} == {
        each: pct(shipped[each], total) for each, total in ordered.items()
    }


def test_location_utilisation(warehouse, truth):
    found = {int(row["location_id"]): row for row in warehouse.rows("dim_locations")}
    assert len(found) == len(truth["LOCATION"])
    for location in truth["LOCATION"]:
        volume = pct(location["current_volume"], location["capacity_volume"])
        weight = pct(location["current_weight"], location["capacity_weight"])
        row = found[location["location_id"]]
        assert (row["volume_utilization_pct"], row["weight_utilization_pct"], row["max_utilization_pct"]) == (
            volume,
            weight,
            max(volume, weight),
        )


def test_user_productivity(warehouse, truth):
    lines, quantity, hours = defaultdict(int), defaultdict(Decimal), defaultdict(set)
    for row in truth["ALLOCATION"]:
        for activity, user, at, amount in (
            ("ALLOCATION", row["allocated_by_user"], row["created_date"], row["quantity_allocated"]),
            ("PICK", row["picked_by_user"], row["picked_ts"], row["quantity_picked"]),
        ):
            if at is not None and counted(row):
                group = (day(at), user, activity)
                lines[group] += 1
                quantity[group] += amount or 0
                hours[group].add(at.replace(minute=0, second=0, microsecond=0))
    found = {(row["activity_day"], row["user_name"], row["activity"]): row for row in warehouse.rows("fact_user_productivity")}
    assert {group for group, row in found.items() if row["user_hours"]} == lines.keys()
    for group, row in found.items():
        if row["user_hours"]:
            assert row["lines_per_user_hour"] == rounded(Decimal(lines[group]) / len(hours[group]), 4)
            assert row["quantity_per_user_hour"] == rounded(quantity[group] / len(hours[group]), 4)
        else:
            assert (row["lines_per_user_hour"], row["empty_reason"]) == (None, "every line of the day is cancelled or deleted")


def test_allocation_performance(warehouse, truth):
    groups = defaultdict(list)
    for row in truth["ALLOCATION"]:
        groups[(day(row["created_date"]), row["location_id"], row["item_id"], row["allocated_by_user"])].append(row)
    found = warehouse.rows("fact_allocation_performance")
    assert len(found) == len(groups)
    for row in found:
        mine = groups[(row["allocation_date"], row["location_id"], row["item_id"], row["allocated_by_user"])]
        live = [each for each in mine if counted(each)]
        times = [seconds(each["created_date"], each["picked_ts"]) for each in live if each["picked_ts"]]
        shipped = [each for each in live if each["allocation_status"] == "SHIPPED"]
        assert (row["row_count"], row["allocation_count"], row["shipped_count"]) == (len(mine), len(live), len(shipped))
        assert row["quantity_allocated"] == sum(each["quantity_allocated"] for each in live)
        assert row["avg_processing_seconds"] == average(times)
        assert (row["processing_seconds_p50"], row["processing_seconds_p90"]) == (percentile(times, 0.5), percentile(times, 0.9))
        assert row["fulfillment_rate_pct"] == pct(len(shipped), len(live))
        assert row["within_1hour_rate_pct"] == pct(sum(each <= 3600 for each in times), len(times))


def test_items_with_their_velocity(warehouse, truth):
    moved, quantity, wanted = defaultdict(list), defaultdict(Decimal), defaultdict(Decimal)
    first = day(AS_OF.replace(tzinfo=None)) - timedelta(days=90)
    for row in truth["ALLOCATION"]:
        if counted(row) and day(row["created_date"]) >= first:
            moved[row["item_id"]].append(day(row["created_date"]))
            quantity[row["item_id"]] += row["quantity_allocated"]
    placed = {order["order_id"]: order for order in truth["ORDER_HDR"]}
    for line in truth["ORDER_DTL"]:
        order = placed[line["order_id"]]
        if order["order_status"] != "CANCELLED" and day(order["order_date"]) >= first:
            wanted[line["item_id"]] += line["quantity_ordered"]
    found = {int(row["item_id"]): row for row in warehouse.rows("dim_items")}
    assert len(found) == len(truth["ITEM_MASTER"])
    for item in truth["ITEM_MASTER"]:
        row, days = found[item["item_id"]], moved[item["item_id"]]
        age = (AS_OF.replace(tzinfo=None) - max(days)).days if days else None
        velocity = "Dormant" if age is None else "Fast" if age <= 7 else "Regular" if age <= 30 else "Slow"
        assert (row["allocation_count_90d"], row["days_since_movement"], row["velocity_category"]) == (len(days), age, velocity)
        assert (row["allocated_quantity_90d"], row["ordered_quantity_90d"]) == (quantity[item["item_id"]], wanted[item["item_id"]])
        assert row["allocated_value_90d"] == rounded(quantity[item["item_id"]] * item["standard_cost"], 2)


def test_movements_are_outbound_and_add_up(warehouse, truth):
    movements = defaultdict(list)
    for row in sorted(truth["ALLOCATION"], key=lambda each: (each["created_date"], each["allocation_id"])):
        movements[(day(row["created_date"]), row["item_id"])].append(row)
    found = {int(row["allocation_id"]): row for row in warehouse.rows("fact_inventory_movement")}
    assert len(found) == len(truth["ALLOCATION"])
    for mine in movements.values():
        total = Decimal(0)
        for number, each in enumerate(mine, 1):
            row = found[each["allocation_id"]]
            total += each["quantity_allocated"] if counted(each) else 0
            assert (row["direction"], row["quantity_running_total"], row["quantity_running_count"]) == ("OUTBOUND", total, number)
            assert (row["stock_balance"], row["stock_balance_empty_reason"]) == (None, "inbound receipts and adjustments are not loaded")

"""The dbt project on the mimic, with the simulator's rows: it builds, its rules find what was planted, its figures are right."""

import fcntl
import json
import subprocess
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
from tests.transform import ROOT, TRANSFORM, Dbt

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
        self.server = server
        self.dbt = Dbt(home, port=server.port, service="FREEPDB1", username=USER, password=PASSWORD, DBT_READER="REPORTER")

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
    users = {USER: PASSWORD, "REPORTER": PASSWORD}
    with MimicServer(users=users) as server, closing(Warehouse(server, tmp_path_factory.mktemp("transform"))) as made:
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


# --- macros and commands, as the README and the specification call them ---


def test_running_totals_as_the_specification_calls_them(warehouse):
    rows = """(select 1 as item_id, 5 as quantity, date '2026-01-02' as "DATE" from dual union all select 1, 3, date '2026-01-01' from dual
        union all select 2, null, date '2026-01-01' from dual union all select 1, null, date '2026-01-03' from dual)"""
    inline = (
        "select item_id, quantity, {{ oracle_running_totals('quantity', ['item_id'], 'date') }} from " + rows + ' order by item_id, "DATE"'
    )
    found = [tuple(row.values()) for row in warehouse.rows(f"({warehouse.dbt.sql(inline)})")]
    assert found == [(1, 3, 3, 3, 1), (1, 5, 8, 4, 2), (1, None, 8, 4, 2), (2, None, None, None, 0)]


def test_percentiles_in_all_three_forms(warehouse):
    rows = "(select mod(level, 2) as parity, level as processing_time from dual connect by level <= 5 union all select 0, null from dual)"
    [aggregate] = warehouse.rows(
        f"({warehouse.dbt.sql('select {{ oracle_percentile_analysis(' + chr(39) + 'processing_time' + chr(39) + ') }} from ' + rows)})"
    )
    assert aggregate == {
        "processing_time_p25": 2,
        "processing_time_p50": 3,
        "processing_time_p75": 4,
        "processing_time_p90": Decimal("4.6"),
    }
    over_all = (
        "select parity, {{ oracle_percentile_analysis('processing_time', partition_by=[], percentiles=[50], alias='t') }} from " + rows
    )
    assert [row["t_p50"] for row in warehouse.rows(f"({warehouse.dbt.sql(over_all)})")] == [3] * 6
    within = over_all.replace("partition_by=[]", "partition_by=['parity']")
    assert {(row["parity"], row["t_p50"]) for row in warehouse.rows(f"({warehouse.dbt.sql(within)})")} == {(0, 3), (1, 3)}


def test_statistics_are_gathered_when_they_are_missing_or_stale(warehouse):
    def analyzed():
        [(rows,)] = warehouse.raw.query("select num_rows from user_tables where table_name = 'DIM_ITEMS'")
        return rows

    count = len(warehouse.rows("dim_items", "item_id"))
    assert analyzed() == count  # by the post-hook of the build
    block = warehouse.dbt.sql("{{ oracle_analyze_table(ref('dim_items')) }}")
    for share, expected in ((20, count), (5, count + count // 20 + count // 5)):  # 5 percent new rows are not stale, 25 percent are
        keys = f"'x' || {share} || '-' || rownum, -1000 * {share} - rownum"
        sql = f"insert into dim_items (item_key, item_id) select {keys} from all_objects where rownum <= {count // share}"
        warehouse.raw.execute(sql)
        warehouse.raw.connection.commit()
        warehouse.raw.execute(block)
        assert analyzed() == expected
    warehouse.raw.execute("delete from dim_items where item_id < 0")
    warehouse.raw.connection.commit()


@pytest.mark.parametrize(
    ("arguments", "success"),
    [("{}", True), ("{fail_on: warn}", False), ("{models: stg_wms_locations, fail_on: none}", True), ("{fail_on: sometimes}", False)],
)
def test_quality_checks_say_so_by_their_exit_code(warehouse, arguments, success):
    before = len(warehouse.dbt.said.read_text())
    assert warehouse.dbt.ask("run-operation", "oracle_data_quality_checks", "--args", arguments)[0] is success
    said = warehouse.dbt.said.read_text()[before:]
    if arguments == "{}":
        lines = {
            words[0]: (int(words[-2]), words[-1])
            for words in (line.split() for line in said.splitlines())
            if words and words[-1] in {"ok", "warn", "error"}
        }
        faults = {rule: sum(1 for _ in warehouse.rows(f"dq_{rule}", "1")) for rule in RULES}
        assert {rule: lines[rule] for rule in RULES} == {rule: (count, "warn") for rule, count in faults.items()}


def test_freshness_and_the_site(warehouse):
    success, nodes, _ = warehouse.dbt.ask("source", "freshness")
    assert (success, {state[0] for state in nodes.values()}) == (False, {"error"})  # the rows are of January 2026
    warehouse.dbt("docs", "generate")
    catalog = json.loads((warehouse.dbt.home / "target" / "catalog.json").read_text())
    assert "ITEM_KEY" in catalog["nodes"]["model.wms.dim_items"]["columns"]


def test_descriptions_are_comments_in_the_database(warehouse):
    [(comment,)] = warehouse.raw.query("select comments from user_tab_comments where table_name = 'DIM_ITEMS'")
    assert comment.startswith("One row per item")
    missing = "select count(*) from user_col_comments where table_name in ('DIM_ITEMS', 'FACT_ALLOCATION_PERFORMANCE') and comments is null"
    assert warehouse.raw.query(missing) == [(0,)]


def test_the_reader_reads_the_marts_and_nothing_else(warehouse):
    with oracledb.connect(user="REPORTER", password=PASSWORD, dsn=warehouse.server.dsn) as reader, reader.cursor() as cursor:
        for mart in ("dim_items", "dim_locations", "fact_order_fulfillment", "fact_user_productivity"):
            assert cursor.execute(f"select count(*) from {USER}.{mart}").fetchone()[0] > 0
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            cursor.execute(f"select count(*) from {USER}.int_item_daily")


def test_dbt_as_a_user_calls_it(warehouse, tmp_path):
    """`cd transform && dbt debug --profiles-dir profiles`, with the variables of .env; what is in the environment wins."""
    connection = {name: value for name, value in warehouse.dbt.variables.items() if name.startswith("TARGET_")}
    (tmp_path / ".env").write_text(
        "# a comment\n" + "".join(f"{name}={value}\n" for name, value in {**connection, "DBT_THREADS": "7"}.items())
    )
    own = {"PATH": f"{ROOT / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path), "MELTANO_ENV_FILE": str(tmp_path / ".env")}
    own |= {"DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path / "logs"), "DBT_SCHEMA": "REPORTER"}
    done = subprocess.run(
        ["dbt", "debug", "--profiles-dir", "profiles"], cwd=TRANSFORM, env=own, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "All checks passed!" in done.stdout) == (0, True), done.stdout
    assert "schema: REPORTER" in done.stdout
    assert connection["TARGET_ORACLE_PASSWORD"] not in done.stdout + (tmp_path / "logs" / "dbt.log").read_text()


def test_only_one_dbt_writes_at_a_time(tmp_path):
    (tmp_path / ".meltano" / "run").mkdir(parents=True)
    with (tmp_path / ".meltano" / "run" / "dbt-dev.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = {
            "PATH": "/usr/bin:/bin",
            "MELTANO_PROJECT_ROOT": str(tmp_path),
            "MELTANO_ENV_FILE": "/dev/null",
            "DBT_TARGET_PATH": str(tmp_path),
        }
        done = subprocess.run([ROOT / "bin" / "dbt", "run"], env=own, capture_output=True, text=True, check=False)
    assert (done.returncode, "at work in the environment dev already" in done.stderr) == (1, True)

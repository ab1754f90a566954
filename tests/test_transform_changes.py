"""Incremental runs of dbt: what changed, and nothing else, is recomputed; the result is that of a full refresh, row for row."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from oracle_mimic.server import MimicServer

from demo.rows import FIRST_ITEM_ID, FIRST_LOCATION_ID, Plan
from tests.pipeline import until
from tests.test_transform import PASSWORD, USER, Warehouse

PLAN = Plan(orders=150, seed=11, as_of=datetime(2026, 1, 1, tzinfo=UTC))
TABLES = [
    "int_allocation_performance",
    "int_item_daily",
    "int_user_activity",
    "dim_items",
    "dim_locations",
    "fact_allocation_performance",
    "fact_inventory_movement",
    "fact_order_fulfillment",
    "fact_daily_fulfillment",
    "fact_user_productivity",
]
# When a row was computed says nothing of what it holds.
VOLATILE = {"fact_updated_at", "dim_created_at", "dim_updated_at"}
RUN = ("run", "--select", "config.materialized:incremental")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    with (
        MimicServer(users={USER: PASSWORD, "REPORTER": PASSWORD}) as server,
        closing(Warehouse(server, tmp_path_factory.mktemp("changes"))) as made,
    ):
        made.raw.create(PLAN)
        made.dbt("run", as_of="2026-01-01")
        yield made


def content(warehouse):
    """All rows of all models, without the volatile columns."""
    found = {}
    for name in TABLES:
        rows = ([value for column, value in row.items() if column not in VOLATILE] for row in warehouse.rows(name))
        found[name] = sorted(rows, key=repr)
    return found


def stamps(warehouse, name, column="fact_updated_at"):
    """When each row of a fact was computed, by its day."""
    day = {"fact_allocation_performance": "allocation_date", "fact_inventory_movement": "movement_day"}[name]
    return {(row[day], row[column]) for row in warehouse.rows(name, day, column)}


class History:
    """Random changes of raw rows as loads bring them; the same for the same seed."""

    def __init__(self, warehouse, seed: int) -> None:
        self.warehouse, self.raw, self.random = warehouse, warehouse.raw, random.Random(seed)
        self.next_allocation = 10**9 + seed * 10**6
        self.kinds = [self.pick, self.ship, self.cancel, self.move, self.other_item, self.other_user, self.correct_quantity]
        self.kinds += [self.new_allocation, self.delete, self.come_back, self.reopen, self.cancel_order, self.delete_order]
        self.kinds += [self.ship_lines, self.line_item, self.cost, self.fill_location]

    def some(self, table: str, key: str, most: int, condition: str = '"_SDC_DELETED_AT" IS NULL') -> list[int]:
        keys = sorted(int(each) for (each,) in self.raw.query(f'SELECT {key} FROM "{USER}"."{table}" WHERE {condition}'))
        return self.random.sample(keys, min(len(keys), self.random.randint(1, most)))

    def step(self) -> str:
        """One load with one kind of change; what it was."""
        kind = self.random.choice(self.kinds)
        kind()
        return kind.__name__

    def _allocations(self, most=4, condition='"_SDC_DELETED_AT" IS NULL', **values):
        with self.raw.load("ALLOCATION") as at:
            self.raw.update("ALLOCATION", self.some("ALLOCATION", "ALLOCATION_ID", most, condition), at, **values)

    def pick(self):
        self._allocations(
            allocation_status="PICKED", picked_by_user=f"user {self.random.randint(1, 3)}", quantity_picked="=QUANTITY_ALLOCATED",
            picked_ts=f"=CREATED_DATE+NUMTODSINTERVAL({self.random.randint(1, 9000)},'SECOND')",
        )  # fmt: skip

    def ship(self):
        self._allocations(allocation_status="SHIPPED", shipped_ts="=NVL(PICKED_TS,CREATED_DATE)+NUMTODSINTERVAL(1,'DAY')")

    def cancel(self):
        self._allocations(allocation_status="CANCELLED")

    def move(self):
        self._allocations(location_id=FIRST_LOCATION_ID + self.random.randrange(20))

    def other_item(self):
        self._allocations(1, item_id=FIRST_ITEM_ID + self.random.randrange(PLAN.items))

    def other_user(self):
        self._allocations(allocated_by_user=f"user {self.random.randint(1, 3)}", picked_by_user=None, picked_ts="=NULL")

    def correct_quantity(self):
        self._allocations(quantity_allocated=Decimal(self.random.randint(-20, 900)).scaleb(-1))

    def delete(self):
        with self.raw.load("ALLOCATION") as at:
            keys = self.some("ALLOCATION", "ALLOCATION_ID", 3)
            self.raw.update("ALLOCATION", keys, at, _SDC_DELETED_AT="=TIMESTAMP '2026-01-02 00:00:00'")

    def come_back(self):
        with self.raw.load("ALLOCATION") as at:
            keys = self.some("ALLOCATION", "ALLOCATION_ID", 2, '"_SDC_DELETED_AT" IS NOT NULL')
            if keys:
                self.raw.update("ALLOCATION", keys, at, _SDC_DELETED_AT="=NULL")

    def new_allocation(self):
        """A row whose day is long past: it was made late, or comes late."""
        with self.raw.load("ALLOCATION") as at:
            for key in self.some("ALLOCATION", "ALLOCATION_ID", 2):
                self.next_allocation += 1
                columns = [each.name for each in _columns("ALLOCATION") if each.name != "ALLOCATION_ID"]
                names = ",".join(f'"{each}"' for each in columns)
                self.raw.execute(
                    f'INSERT INTO "{USER}"."ALLOCATION" ("ALLOCATION_ID",{names},"_SDC_BATCHED_AT") '
                    f'SELECT :new_key,{names},:batched FROM "{USER}"."ALLOCATION" WHERE "ALLOCATION_ID"=:old_key',
                    {"new_key": self.next_allocation, "batched": at, "old_key": key},
                )

    def _orders(self, **values):
        with self.raw.load("ORDER_HDR") as at:
            self.raw.update("ORDER_HDR", self.some("ORDER_HDR", "ORDER_ID", 3), at, **values)

    def reopen(self):
        self._orders(order_status="IN_PROGRESS", shipped_ts="=NULL")

    def cancel_order(self):
        self._orders(order_status="CANCELLED")

    def delete_order(self):
        with self.raw.load("ORDER_HDR") as at:
            keys = self.some("ORDER_HDR", "ORDER_ID", 1)
            self.raw.update("ORDER_HDR", keys, at, _SDC_DELETED_AT="=TIMESTAMP '2026-01-02 00:00:00'")

    def ship_lines(self):
        with self.raw.load("ORDER_DTL") as at:
            self.raw.update("ORDER_DTL", self.some("ORDER_DTL", "ORDER_DETAIL_ID", 5), at, quantity_shipped="=QUANTITY_ORDERED")

    def line_item(self):
        with self.raw.load("ORDER_DTL") as at:
            item = FIRST_ITEM_ID + self.random.randrange(PLAN.items)
            self.raw.update("ORDER_DTL", self.some("ORDER_DTL", "ORDER_DETAIL_ID", 2), at, item_id=item)

    def cost(self):
        with self.raw.load("ITEM_MASTER") as at:
            self.raw.update(
                "ITEM_MASTER", self.some("ITEM_MASTER", "ITEM_ID", 3), at, standard_cost=Decimal(self.random.randint(1, 99_999)).scaleb(-2)
            )

    def fill_location(self):
        with self.raw.load("LOCATION") as at:
            self.raw.update("LOCATION", self.some("LOCATION", "LOCATION_ID", 3), at, current_volume="=CAPACITY_VOLUME")


def _columns(table):
    from demo.schema import TABLES as SCHEMA

    return SCHEMA[table].columns


def check_equal_to_full_refresh(warehouse, as_of="2026-01-01"):
    incremental = content(warehouse)
    warehouse.dbt(*RUN, "--full-refresh", as_of=as_of)
    full = content(warehouse)
    for name in TABLES:
        assert incremental[name] == full[name], name


def test_after_many_changes_incremental_is_full_refresh(warehouse):
    history = History(warehouse, seed=1)
    done = [history.step() for _ in range(25)]
    assert len(set(done)) > 10
    warehouse.dbt(*RUN, as_of="2026-01-01")
    check_equal_to_full_refresh(warehouse)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
def test_after_each_run_of_a_long_history_incremental_is_full_refresh(warehouse, seed):
    history = History(warehouse, seed=100 + seed)
    for day in range(8):
        as_of = f"2026-01-{day + 1:02}"
        for _ in range(history.random.randint(1, 15)):
            history.step()
        warehouse.dbt(*RUN, as_of=as_of)
        check_equal_to_full_refresh(warehouse, as_of)


def test_velocity_ages_without_any_new_row(warehouse):
    before = {row["velocity_category"] for row in warehouse.rows("dim_items")}
    warehouse.dbt("run", "--select", "dim_items", as_of="2026-02-15")
    assert "Fast" in before
    assert {row["velocity_category"] for row in warehouse.rows("dim_items")} == {"Slow", "Dormant"}


def test_a_touched_row_recomputes_its_day_and_nothing_else(warehouse):
    before = {name: stamps(warehouse, name) for name in ("fact_allocation_performance", "fact_inventory_movement")}
    orders = {row["order_id"]: row["fact_updated_at"] for row in warehouse.rows("fact_order_fulfillment")}
    [(key, day)] = warehouse.raw.query(f'SELECT MIN(ALLOCATION_ID), TRUNC(MIN(CREATED_DATE)) FROM "{USER}"."ALLOCATION"')
    with warehouse.raw.load("ALLOCATION") as at:
        warehouse.raw.update("ALLOCATION", [key], at, quantity_allocated=77)
    warehouse.dbt(*RUN, as_of="2026-01-01")
    for name, old in before.items():
        assert {each for each, _ in stamps(warehouse, name) - old} == {day}, name
    assert {row["order_id"]: row["fact_updated_at"] for row in warehouse.rows("fact_order_fulfillment")} == orders


def test_a_load_of_twenty_minutes_is_not_missed(warehouse):
    """Lines are loaded and transformed while a load of headers, begun before them, is still at work; it ends later and is found."""
    raw, model = warehouse.raw, "fact_order_fulfillment"
    [(order,)] = raw.query(f'SELECT MIN(ORDER_ID) FROM "{USER}"."ORDER_HDR" WHERE ORDER_STATUS <> \'CANCELLED\'')
    began = raw.clock + timedelta(minutes=1)
    raw.clock = began + timedelta(minutes=15)
    with raw.load("ORDER_DTL") as at:
        raw.update("ORDER_DTL", [order * 100 + 1], at, quantity_shipped=1)
    warehouse.dbt("run", "--select", model)
    [seen] = warehouse.rows(model, "max(headers_batched_at) as headers", "max(lines_batched_at) as lines")
    assert seen["headers"] < began < seen["lines"]
    raw.update("ORDER_HDR", [order], began, order_status="CANCELLED")
    raw.audit("ORDER_HDR", began, began + timedelta(minutes=20), 1)
    raw.connection.commit()
    raw.clock = began + timedelta(minutes=20)
    warehouse.dbt("run", "--select", model)
    [row] = [row for row in warehouse.rows(model) if row["order_id"] == order]
    assert (row["order_status"], row["headers_batched_at"]) == ("CANCELLED", began)


@pytest.mark.long
def test_a_load_that_ended_after_a_younger_one_is_found_by_its_audit_row(warehouse):
    """Another loader, without the lock: the transaction that began first commits last, below the watermark, in the same table."""
    raw, model = warehouse.raw, "int_allocation_performance"
    first, last = raw.clock + timedelta(minutes=1), raw.clock + timedelta(minutes=10)
    [(early,), (late,)] = raw.query(f'SELECT ALLOCATION_ID FROM "{USER}"."ALLOCATION" ORDER BY 1 FETCH FIRST 2 ROWS ONLY')
    raw.update("ALLOCATION", [late], last, quantity_allocated=5)
    raw.audit("ALLOCATION", last, last + timedelta(seconds=1), 1)
    raw.connection.commit()
    warehouse.dbt("run", "--select", model)
    raw.update("ALLOCATION", [early], first, quantity_allocated=6)
    raw.audit("ALLOCATION", first, last + timedelta(minutes=5), 1)
    raw.connection.commit()
    raw.clock = last + timedelta(minutes=5)
    warehouse.dbt("run", "--select", model)
    [row] = [row for row in warehouse.rows(model) if row["allocation_id"] == early]
    assert row["quantity_allocated"] == 6


class Meanwhile:
    """Holds the replacement's block of a model back on the server, long enough to do something between the run's read and its write."""

    SECONDS = 3.0

    def __init__(self, warehouse, model: str) -> None:
        self.warehouse, self.model = warehouse, model

    def __call__(self, something) -> list:
        """Run the model with `something` done in between; the model's result (status, failures, message, seconds)."""
        faults = self.warehouse.server.faults
        number = faults.arm("delay", "statement", matching=rf"lock table \S*{self.model} in exclusive mode", seconds=self.SECONDS)
        with ThreadPoolExecutor() as pool:
            run = pool.submit(self.warehouse.dbt.ask, "run", "--select", self.model)
            until(lambda: faults.struck(number) or run.done(), pause=0.02)
            assert not run.done(), run.result()
            something()
            _, nodes, _ = run.result()
        faults.disarm(number)
        return nodes[self.model]


def touch_allocations(warehouse, quantity):
    with warehouse.raw.load("ALLOCATION") as at:
        keys = warehouse.raw.query(f'SELECT MIN(ALLOCATION_ID) FROM "{USER}"."ALLOCATION" GROUP BY TRUNC(CREATED_DATE) ORDER BY 1')[:4]
        warehouse.raw.update("ALLOCATION", [key for (key,) in keys], at, quantity_allocated=quantity)


def test_a_replacement_that_fails_leaves_the_old_days(warehouse):
    """The INSERT fails after the DELETE. dbt-oracle's clean-up then runs DDL, which commits: it must find nothing to commit."""
    raw, model = warehouse.raw, "fact_inventory_movement"
    touch_allocations(warehouse, 31)
    warehouse.dbt("run", "--select", "int_allocation_performance")
    before = content(warehouse)[model]

    def fill_disk():
        warehouse.server.faults.disk_full(True)

    try:
        status, _, message, _ = Meanwhile(warehouse, model)(fill_disk)
    finally:
        warehouse.server.faults.disk_full(False)
    assert (status, "ORA-01653" in message) == ("error", True), message
    assert content(warehouse)[model] == before

    raw.execute(f"update {model} set movement_day = date '1999-01-01' where movement_id = (select min(movement_id) from {model})")
    raw.connection.commit()  # its key comes again, on its true day: ORA-00001 from the INSERT, certainly after the DELETE
    before = content(warehouse)[model]
    success, nodes, _ = warehouse.dbt.ask("run", "--select", model)
    assert (success, "ORA-00001" in nodes[model][2]) == (False, True), nodes
    assert content(warehouse)[model] == before
    assert not raw.query("SELECT TABLE_NAME FROM USER_TABLES WHERE TABLE_NAME LIKE 'O$PT%'")
    raw.execute(f"delete from {model} where movement_day = date '1999-01-01'")
    raw.connection.commit()


def test_a_day_that_another_run_brought_further_is_not_taken_back(warehouse):
    raw, model = warehouse.raw, "fact_allocation_performance"
    touch_allocations(warehouse, 33)
    warehouse.dbt("run", "--select", "int_allocation_performance")

    def another_run():
        raw.execute(f"update {model} set sdc_batched_at = timestamp '2030-01-01 00:00:00'")
        raw.connection.commit()

    status, _, message, _ = Meanwhile(warehouse, model)(another_run)
    assert (status, "ORA-20001" in message) == ("error", True), message
    assert {row["sdc_batched_at"].year for row in warehouse.rows(model, "sdc_batched_at")} == {2030}

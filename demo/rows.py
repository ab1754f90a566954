"""The rows of the seed, generated column by column: a function of (seed, number of orders, point in time), in Arrow batches.

Orders come in blocks of `BLOCK_ORDERS`; each block has its own random generator, so any block can be made again alone. Keys say where a row
belongs: an order line is `ORDER_ID * 100 + LINE_NUMBER`, an allocation `ORDER_DETAIL_ID * 10 + n`. Times are microseconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demo import words
from demo.faults import FAULTS
from demo.schema import ALLOCATION, ITEM_MASTER, LOCATION, ORDER_DTL, ORDER_HDR, Table

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FIRST_ORDER_ID = 1_000_001
FIRST_ITEM_ID = 5_001
FIRST_LOCATION_ID = 20_001
BLOCK_ORDERS = 20_000
HISTORY_DAYS = 90
MAX_LINES = 60

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate: `orders` orders whose history ends at `as_of` (UTC)."""

    orders: int
    seed: int = 1
    as_of: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def items(self) -> int:
        return min(50_000, max(200, self.orders // 5))

    @property
    def locations(self) -> int:
        return min(20_000, max(120, self.orders // 10))

    @property
    def end_us(self) -> int:
        return int(self.as_of.timestamp()) * _SECOND

    def generator(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.orders, *stream])

    def batches(self) -> Iterator[tuple[Table, pa.Table]]:
        """Every row of every table, master data first, then block after block the orders, their lines and their allocations."""
        yield ITEM_MASTER, items(self)
        yield LOCATION, locations(self)
        for first in range(0, self.orders, BLOCK_ORDERS):
            yield from order_block(self, first, min(BLOCK_ORDERS, self.orders - first))


def decimals(scaled: Ints, precision: int, scale: int, mask: Bools | None = None) -> pa.Array:
    """Integers counted in units of 10^-scale, as decimal128 without passing through floats; `mask` is true where NULL."""
    pairs = np.empty((len(scaled), 2), dtype=np.int64)
    pairs[:, 0] = scaled
    pairs[:, 1] = scaled >> 63
    array = pa.Array.from_buffers(pa.decimal128(precision, scale), len(scaled), [None, pa.py_buffer(np.ascontiguousarray(pairs))])
    return array if mask is None else pc.if_else(pa.array(mask), pa.scalar(None, array.type), array)


def micros(values: Ints, mask: Bools | None = None) -> pa.Array:
    return pa.array(values, mask=mask).cast(pa.timestamp("us"))


def seconds(values: Ints, mask: Bools | None = None) -> pa.Array:
    return pa.array(values // _SECOND, mask=mask).cast(pa.timestamp("s"))


def pick(choices: list[str] | tuple[str, ...], index: Ints, mask: Bools | None = None) -> pa.Array:
    return pa.array(choices, pa.string()).take(pa.array(index % len(choices), mask=mask))


def numbered(prefix: str, numbers: Ints, width: int, mask: Bools | None = None) -> pa.Array:
    """`prefix` and the number, padded with zeros to `width` digits."""
    digits = pc.utf8_lpad(pa.array(numbers, mask=mask).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def table(of: Table, columns: dict[str, pa.Array]) -> pa.Table:
    """The columns in the table's order and types; a missing one is an error."""
    return pa.table([columns[field.name] for field in of.arrow_schema], schema=of.arrow_schema)


def zipf(generator: np.random.Generator, size: int, count: int) -> Ints:
    """`size` ranks below `count` where rank k is about 1/k as frequent as rank 1: a few items make most of the business."""
    return (count ** generator.random(size)).astype(np.int64) - 1


def items(plan: Plan) -> pa.Table:
    rng, count = plan.generator(1), plan.items
    index = np.arange(count, dtype=np.int64)
    keys = index + FIRST_ITEM_ID
    nouns, kinds = len(words.ITEM_NOUNS), len(words.ITEM_KINDS)
    described = pc.binary_join_element_wise(
        pick(words.ITEM_NOUNS, index), pick(words.ITEM_KINDS, index // nouns), pick(words.ITEM_SIZES, index // (nouns * kinds)), " "
    )
    category = index % len(words.ITEM_CATEGORIES)
    codes = pc.binary_join_element_wise(pick(words.CATEGORY_CODES, category), numbered("", keys, 6), "-")
    bad_code = pc.binary_join_element_wise("item ", pa.array(keys).cast(pa.string()), "")
    weight = rng.integers(1, 40_000_000, count)  # micrograms: up to 40 kg
    # Unconstrained NUMBER: kg to 20 places, the last of them from a division that never ends.
    weights = decimals(weight, 38, 6).cast(pa.decimal128(38, 20)).to_pylist()
    weights = [w / 3 if i % 7 == 0 else w for i, w in enumerate(weights)]
    created = plan.end_us - HISTORY_DAYS * 4 * _DAY + rng.integers(0, HISTORY_DAYS * _DAY, count)
    updated = created + rng.integers(0, HISTORY_DAYS * _DAY, count)
    perishable = rng.random(count) < 0.3
    return table(
        ITEM_MASTER,
        {
            "ITEM_ID": pa.array(keys),
            "ITEM_CODE": pc.if_else(pa.array(FAULTS["item_code_convention"].hits(keys)), bad_code, codes),
            "ITEM_DESCRIPTION": pc.if_else(
                pa.array(FAULTS["item_without_description"].hits(keys)), pa.scalar(None, pa.string()), described
            ),
            "ITEM_CATEGORY": pick(words.ITEM_CATEGORIES, category),
            "UNIT_OF_MEASURE": pick(words.UNITS, rng.integers(0, len(words.UNITS), count)),
            "STANDARD_COST": decimals(rng.integers(5_000, 9_000_000, count), 19, 4),
            "IS_ACTIVE": pick(("S", "N"), (rng.random(count) < 0.04).astype(np.int64)),
            "ITEM_WEIGHT": pa.array(
                [None if i % 90 == 4 else w.quantize(_TWENTY_PLACES) for i, w in enumerate(weights)], pa.decimal128(38, 20)
            ),
            "ITEM_VOLUME": decimals(rng.integers(10, 9_000_000, count), 38, 5).cast(pa.decimal128(38, 20)),
            "STORAGE_TYPE": pick(words.STORAGE_TYPES, rng.integers(0, len(words.STORAGE_TYPES), count)),
            "SHELF_LIFE_DAYS": pa.array(rng.integers(30, 720, count), mask=~perishable),
            "HAZMAT_CLASS": pick(words.HAZMAT_CLASSES, rng.integers(0, 9, count), mask=rng.random(count) < 0.97),
            "CREATED_DATE": micros(created),
            "LAST_UPDATED": micros(updated),
        },
    )


def locations(plan: Plan) -> pa.Table:
    rng, count = plan.generator(2), plan.locations
    index = np.arange(count, dtype=np.int64)
    keys = index + FIRST_LOCATION_ID
    aisle, bay, level = index // 48 + 1, index // 6 % 8 + 1, index % 6
    code = pc.binary_join_element_wise(numbered("R", aisle, 3), numbered("", bay, 2), numbered("", level, 1), "-")
    capacity = rng.integers(5_000_000, 90_000_000, count)
    used = (capacity * rng.random(count)).astype(np.int64)
    used = np.where(FAULTS["location_over_capacity"].hits(keys), capacity + 12_345, used)
    load = rng.integers(1_000_000, 20_000_000, count)
    return table(
        LOCATION,
        {
            "LOCATION_ID": pa.array(keys),
            "LOCATION_CODE": code,
            "LOCATION_TYPE": pick(words.LOCATION_TYPES, rng.integers(0, 20, count)),
            "ZONE_ID": pick(words.ZONES, aisle),
            "AISLE": numbered("R", aisle, 3),
            "BAY": numbered("", bay, 2),
            "LEVEL": numbered("N", level, 1, mask=level == 5),
            "PICK_SEQUENCE": pa.array(index * 10, mask=level > 2),
            "CAPACITY_VOLUME": decimals(capacity, 19, 4),
            "CAPACITY_WEIGHT": decimals(load, 19, 4),
            "CURRENT_VOLUME": decimals(used, 19, 4),
            "CURRENT_WEIGHT": decimals((load * rng.random(count)).astype(np.int64), 19, 4),
            "TEMPERATURE_ZONE": pick(words.TEMPERATURES, rng.integers(0, 12, count)),
            "SECURITY_LEVEL": pick(("NORMAL", "RESTRITO", "COFRE"), rng.integers(0, 3, count), mask=rng.random(count) < 0.6),
            "IS_ACTIVE": pick(("S", "N"), (rng.random(count) < 0.03).astype(np.int64)),
            "LAST_UPDATED": micros(plan.end_us - rng.integers(_HOUR, HISTORY_DAYS * _DAY, count)),
        },
    )


@dataclass(frozen=True, slots=True)
class _Orders:
    """What the lines and allocations of a block need to know of its orders; one array element per order."""

    keys: Ints
    placed: Ints
    status: Ints
    updated: Ints
    lines: Ints


def order_block(plan: Plan, first: int, count: int) -> Iterator[tuple[Table, pa.Table]]:
    """The orders `first` .. `first + count - 1` with their lines and allocations, as three tables."""
    rng = plan.generator(3, first)
    keys = np.arange(first, first + count, dtype=np.int64) + FIRST_ORDER_ID
    span = HISTORY_DAYS * _DAY
    placed = plan.end_us - span + (keys - FIRST_ORDER_ID) * span // max(plan.orders, 1) + rng.integers(0, 60 * _SECOND, count)
    placed = np.minimum(placed, plan.end_us - 60 * _SECOND)
    age = (plan.end_us - placed) / _DAY
    # Old orders are completed, young ones new or under way; a few are cancelled at any age.
    draw = rng.random(count)
    status = np.select(
        [draw < 0.03, age > 6 + 4 * draw, age > 2 + draw, age > 0.7 + draw / 2], [_CANCELLED, _COMPLETED, _IN_PROGRESS, _CONFIRMED], _NEW
    ).astype(np.int64)
    updated = np.minimum(placed + (rng.random(count) * np.minimum(age, 9) * _DAY).astype(np.int64) + _SECOND, plan.end_us - 1)
    orders = _Orders(keys, placed, status, updated, np.minimum(rng.geometric(0.26, count), MAX_LINES).astype(np.int64))
    lines, line_table = _lines(plan, rng, orders)
    amount = np.zeros(count, dtype=np.int64)
    np.add.at(amount, lines.order, lines.total_cents)
    yield ORDER_HDR, _headers(rng, orders, amount)
    yield ORDER_DTL, line_table
    yield ALLOCATION, _allocations(plan, rng, orders, lines)


_NEW, _CONFIRMED, _IN_PROGRESS, _COMPLETED, _CANCELLED = range(5)
_TWENTY_PLACES = Decimal(1).scaleb(-20)


def _headers(rng: np.random.Generator, orders: _Orders, amount_cents: Ints) -> pa.Table:
    keys, count = orders.keys, len(orders.keys)
    customer = zipf(rng, count, 4_000)
    city = rng.integers(0, len(words.CITIES), count)
    shipped = orders.status == _COMPLETED
    requested = orders.placed + rng.integers(1, 8, count) * _DAY
    too_early = FAULTS["ship_date_before_order"].hits(keys)
    requested = np.where(too_early, orders.placed - 2 * _DAY, requested)
    names = pc.binary_join_element_wise(
        pick(words.COMPANY_FORMS, customer), pick(words.SURNAMES, customer // 7), pick(words.COMPANY_ENDS, customer), " "
    )
    nameless = FAULTS["customer_name_missing"].hits(keys)
    notes = pick(words.INSTRUCTIONS, rng.integers(0, 1000, count), mask=rng.random(count) < 0.85).to_pylist()
    for position in np.flatnonzero(keys % 997 == 1):  # texts that no VARCHAR2 holds
        notes[position] = " ".join(words.INSTRUCTIONS) * (20 + int(keys[position]) % 23)
    return table(
        ORDER_HDR,
        {
            "ORDER_ID": pa.array(keys),
            "ORDER_NUMBER": numbered("PED-", keys, 10),
            "FACILITY_CODE": pick(words.FACILITIES, keys % 3),
            "COMPANY_CODE": pick(("GNOS01", "GNOS02"), customer % 2),
            "CUSTOMER_ID": pa.array(customer + 70_001),
            "ORDER_STATUS": pick(words.ORDER_STATUSES, orders.status),
            "ORDER_TYPE": pick(("VENDA", "TRANSFERÊNCIA", "DEVOLUÇÃO", "AMOSTRA"), zipf(rng, count, 4)),
            "PRIORITY_CODE": pick(("NORMAL", "ALTA", "URGENTE"), zipf(rng, count, 3), mask=rng.random(count) < 0.05),
            "ORDER_DATE": seconds(orders.placed),
            "REQUESTED_SHIP_DATE": seconds(requested, mask=(rng.random(count) < 0.08) & ~too_early),
            "SHIPPED_TS": micros(orders.updated, mask=~shipped),
            "CARRIER_CODE": pick(words.CARRIERS, rng.integers(0, 50, count), mask=orders.status == _NEW),
            "SHIP_TO_NAME": pc.if_else(pa.array(nameless), pa.scalar(None, pa.string()), names),
            "SHIP_TO_CITY": pick([name for name, _ in words.CITIES], city),
            "SHIP_TO_STATE": pick([state for _, state in words.CITIES], city),
            "SHIP_TO_ZIP": numbered("", rng.integers(1_000_000, 99_999_999, count), 8),
            "CURRENCY_CODE": pick(("BRL", "USD"), (rng.random(count) < 0.02).astype(np.int64)),
            "TOTAL_AMOUNT": decimals(amount_cents + 100 * FAULTS["order_total_mismatch"].hits(keys), 19, 2),
            "TOTAL_LINES": pa.array(orders.lines),
            "SPECIAL_INSTRUCTIONS": pa.array(notes, pa.string()),
            "ERP_REFERENCE": numbered("ERP/", keys * 7, 12, mask=rng.random(count) < 0.1),
            "CREATED_DATE": micros(orders.placed + rng.integers(0, _SECOND, count)),
            "LAST_UPDATED": micros(orders.updated),
        },
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """One array element per order line; `order` is the position of its order in the block. Quantities in units of 10^-4."""

    keys: Ints
    order: Ints
    item: Ints
    quantity: Ints
    total_cents: Ints


def _lines(plan: Plan, rng: np.random.Generator, orders: _Orders) -> tuple[_Lines, pa.Table]:
    order = np.repeat(np.arange(len(orders.keys), dtype=np.int64), orders.lines)
    number = np.arange(len(order), dtype=np.int64) - np.repeat(np.cumsum(orders.lines) - orders.lines, orders.lines) + 1
    keys, count = orders.keys[order] * 100 + number, len(order)
    item = zipf(rng, count, plan.items) + FIRST_ITEM_ID
    item = np.where(FAULTS["line_with_unknown_item"].hits(keys), 9_999_999, item)
    # Most quantities are pieces; some are weighed (four places).
    pieces = rng.integers(1, 200, count) * 10_000
    quantity = np.where(rng.random(count) < 0.15, rng.integers(1_000, 2_000_000, count), pieces)
    price = rng.integers(10_000, 5_000_000, count)  # units of 10^-4
    total_cents = (quantity * price + 500_000) // 1_000_000
    status = orders.status[order]
    allocated, shipped = (status == _IN_PROGRESS) | (status == _COMPLETED), status == _COMPLETED
    lines = _Lines(keys, order, item, quantity, total_cents)
    return lines, table(
        ORDER_DTL,
        {
            "ORDER_DETAIL_ID": pa.array(keys),
            "ORDER_ID": pa.array(orders.keys[order]),
            "LINE_NUMBER": pa.array(number),
            "ITEM_ID": pa.array(item),
            "QUANTITY_ORDERED": decimals(quantity, 19, 4),
            "QUANTITY_ALLOCATED": decimals(quantity, 19, 4, mask=~allocated),
            "QUANTITY_SHIPPED": decimals(quantity, 19, 4, mask=~shipped),
            "UNIT_PRICE": decimals(price, 19, 4),
            "LINE_TOTAL": decimals(total_cents, 19, 2),
            "LINE_STATUS": pick(words.ORDER_STATUSES, status),
            "LOT_NUMBER": numbered("LOTE-", rng.integers(1, 90_000, count), 6, mask=rng.random(count) < 0.5),
            "CREATED_DATE": micros(orders.placed[order] + number),
            "LAST_UPDATED": micros(orders.updated[order]),
        },
    )


def _allocations(plan: Plan, rng: np.random.Generator, orders: _Orders, lines: _Lines) -> pa.Table:
    status = orders.status[lines.order]
    per_line = np.where((status == _NEW) | (status == _CONFIRMED), 0, np.minimum(rng.geometric(0.75, len(status)), 4)).astype(np.int64)
    line = np.repeat(np.arange(len(lines.keys), dtype=np.int64), per_line)
    part = np.arange(len(line), dtype=np.int64) - np.repeat(np.cumsum(per_line) - per_line, per_line) + 1
    keys, count = lines.keys[line] * 10 + part, len(line)
    order, parts = lines.order[line], per_line[line]
    share = lines.quantity[line] // parts
    quantity = np.where(part == parts, lines.quantity[line] - share * (parts - 1), share)
    quantity = np.where(FAULTS["allocation_not_positive"].hits(keys), -quantity, quantity)
    order_status = orders.status[order]
    # ALLOCATED, RESERVED, PICKED, SHIPPED, CANCELLED
    state = np.select([order_status == _COMPLETED, order_status == _CANCELLED], [3, 4], rng.integers(0, 3, count)).astype(np.int64)
    picked, shipped = (state == 2) | (state == 3), state == 3
    picked_quantity = np.where(FAULTS["picked_above_allocated"].hits(keys), quantity + 10_000, quantity)
    created = orders.placed[order] // (15 * 60 * _SECOND) * (15 * 60 * _SECOND) + 15 * 60 * _SECOND  # the wave's own time: many ties
    created = np.minimum(created, plan.end_us - 1)
    updated = np.maximum(orders.updated[order], created)
    users = len(words.USERS)
    return table(
        ALLOCATION,
        {
            "ALLOCATION_ID": pa.array(keys),
            "ORDER_ID": pa.array(orders.keys[order]),
            "ORDER_DETAIL_ID": pa.array(lines.keys[line]),
            "ITEM_ID": pa.array(lines.item[line]),
            "LOCATION_ID": pa.array(zipf(rng, count, plan.locations) + FIRST_LOCATION_ID),
            "WAVE_ID": pa.array(created // (15 * 60 * _SECOND), mask=rng.random(count) < 0.02),
            "QUANTITY_ALLOCATED": decimals(quantity, 19, 4),
            "QUANTITY_PICKED": decimals(picked_quantity, 19, 4, mask=~picked & (picked_quantity == quantity)),
            "UNIT_OF_MEASURE": pick(words.UNITS, lines.item[line]),
            "ALLOCATION_STATUS": pick(words.ALLOCATION_STATUSES, state),
            "PRIORITY_LEVEL": pa.array(rng.integers(1, 10, count), mask=rng.random(count) < 0.1),
            "ALLOCATED_BY_USER": pick(words.USERS, rng.integers(0, users, count)),
            "PICKED_BY_USER": pick(words.USERS, rng.integers(0, users, count), mask=~picked),
            "LOT_NUMBER": numbered("LOTE-", rng.integers(1, 90_000, count), 6, mask=rng.random(count) < 0.5),
            "PICKED_TS": micros(np.maximum(updated - _HOUR, created), mask=~picked),
            "SHIPPED_TS": micros(updated, mask=~shipped),
            "CREATED_DATE": micros(created),
            "LAST_UPDATED": micros(updated),
        },
    )

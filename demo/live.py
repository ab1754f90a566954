"""The warehouse at work: several connections that change orders, lines and allocations in transactions, some of which commit late.

Each connection has its own random generator and its own share of the orders, so its history depends on the seed only.
LAST_UPDATED is always the database's own UTC time inside the transaction; a wave or a pick gives many rows the same one.
What a transaction wrote is read back inside it and goes to the ledger once COMMIT has returned.
Master data is changed by the first connection only.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import oracledb

from demo import words
from demo.ledger import Ledger
from demo.rows import FIRST_ITEM_ID, FIRST_LOCATION_ID, Plan
from demo.schema import ALLOCATION, ITEM_MASTER, ORDER_DTL, ORDER_HDR, Table

UTC_NOW = "SYS_EXTRACT_UTC(SYSTIMESTAMP)"
RECENT_ORDERS = 2_000
# The keys of an order's rows: a key range per table, as `demo.rows` builds them.
KEYS_PER_ORDER = {ORDER_HDR.name: 1, ORDER_DTL.name: 100, ALLOCATION.name: 1000}
RECONNECT_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast: until `seconds` have passed or each connection did `transactions`, whichever comes first (None: no limit).

    pause_seconds: between two transactions of a connection; late_seconds: how long the late connection keeps each transaction open.
    """

    connections: int = 2
    seconds: float | None = None
    transactions: int | None = None
    pause_seconds: float = 0.2
    late_seconds: float = 20.0


@dataclass(slots=True)
class Tally:
    """What happened, counted by the simulator. rows: changes of rows (a row changed twice counts twice)."""

    transactions: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    rolled_back: int = 0
    late: int = 0
    late_rows: int = 0
    reconnects: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.transactions + other.transactions,
            self.rows + other.rows,
            self.rolled_back + other.rolled_back,
            self.late + other.late,
            self.late_rows + other.late_rows,
            self.reconnects + other.reconnects,
        )


class Shift(threading.Thread):
    """One connection at work on its share of the orders, in its own thread. `error` is set when it ended by one."""

    def __init__(
        self,
        number: int,
        *,
        plan: Plan,
        pace: Pace,
        ledger: Ledger,
        connect: Callable[[], oracledb.Connection],
        last_order: int,
        late: bool,
    ) -> None:
        super().__init__(name=f"shift-{number}")
        self.tally = Tally()
        self.error: BaseException | None = None
        self.closing = threading.Event()
        self._number, self._pace, self._ledger, self._connect, self._late = number, pace, ledger, connect, late
        self._plan = plan
        self._random = random.Random(f"{plan.seed}/{number}")
        self._shifts = pace.connections + 1
        self._next_order = last_order + 1 + number
        first = max(last_order - RECENT_ORDERS, last_order - plan.orders + 1)
        self._orders = [order for order in range(first, last_order + 1) if order % self._shifts == number]
        self._touched: set[tuple[str, int]] = set()
        self._deleted: dict[str, set[int]] = {}
        self._changes: Counter[str] = Counter()
        self._connection: oracledb.Connection

    def run(self) -> None:
        """Work until the pace says stop; an error is kept for the one who joins."""
        try:
            self._connection = self._connect()
            with self._connection.cursor() as cursor:
                self._cursor = cursor
                self._work()
            self._connection.close()
        except (oracledb.Error, LookupError, ArithmeticError) as error:
            self.error = error

    def _work(self) -> None:
        deadline = None if self._pace.seconds is None else time.monotonic() + self._pace.seconds
        actions = [
            (self._take_orders, 4),
            (self._release_wave, 5),
            (self._pick, 6),
            (self._ship, 4),
            (self._reopen, 1),
            (self._cancel, 2),
            (self._correct_prices, 2),
            (self._delete_cancelled, 2),
            (self._write_instructions, 1),
        ]
        if self._number == 0:
            actions.append((self._change_items, 2))
        functions, weights = zip(*actions, strict=True)
        done = 0
        while not self.closing.is_set() and (self._pace.transactions is None or done < self._pace.transactions):
            if deadline is not None and time.monotonic() >= deadline:
                break
            self._transaction(self._random.choices(functions, weights)[0])
            done += 1
            self.closing.wait(self._pace.pause_seconds)

    def _transaction(self, action: Callable[[], None]) -> None:
        """Run one action and commit it; one in twenty is rolled back. A lost connection is opened again and the truth asked for."""
        self._touched, self._deleted, self._changes = set(), {}, Counter()
        roll_back = self._random.random() < 0.05
        try:
            action()
            if roll_back:
                self._connection.rollback()
                self.tally.rolled_back += 1
                return
            rows = self._read_touched()
            if self._late:
                self.closing.wait(self._pace.late_seconds)
                self.tally.late += 1
            self._connection.commit()
        except oracledb.Error as error:
            if not error.args[0].isrecoverable:
                raise
            self._reconnect()
            rows = self._read_touched()  # whether the lost COMMIT was done is what the database now says
            self._deleted = {name: keys - {int(row[0]) for row in rows.get(name, ())} for name, keys in self._deleted.items()}
        self.tally.transactions[action.__name__.lstrip("_")] += 1
        self.tally.rows += self._changes
        self.tally.late_rows += self._changes.total() if self._late else 0
        for table in (ORDER_HDR, ORDER_DTL, ALLOCATION, ITEM_MASTER):
            found, gone = rows.get(table.name, []), self._deleted.get(table.name, set())
            if found or gone:
                self._ledger.record(table, found, gone)

    def _reconnect(self) -> None:
        deadline = time.monotonic() + RECONNECT_SECONDS
        while True:
            try:
                self._connection = self._connect()
                self._cursor = self._connection.cursor()
                self.tally.reconnects += 1
                return
            except oracledb.Error:
                if time.monotonic() > deadline:
                    raise
                self.closing.wait(1)

    def _read_touched(self) -> dict[str, list[tuple[object, ...]]]:
        """The rows of every order (or item) this transaction touched, as the transaction sees them."""
        rows: dict[str, list[tuple[object, ...]]] = {}
        for table in (ORDER_HDR, ORDER_DTL, ALLOCATION, ITEM_MASTER):
            for name, number in sorted(self._touched):
                if name == table.name:
                    low, high = _key_range(table, number)
                    rows.setdefault(name, []).extend(self._select(table, low, high))
        return rows

    def _select(self, table: Table, low: int, high: int) -> list[tuple[object, ...]]:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        self._cursor.execute(
            f'SELECT {columns} FROM "{table.name}" WHERE "{table.key}" BETWEEN :low AND :high',
            low=low,
            high=high,
            fetch_lobs=False,
            fetch_decimals=True,
        )
        return self._cursor.fetchall()

    def _change(self, table: Table, order: int, assignments: str, condition: str = "1 = 1", **binds: object) -> int:
        """UPDATE the order's rows in `table` where `condition` holds; LAST_UPDATED moves with them. The number of rows."""
        low, high = _key_range(table, order)
        self._cursor.execute(
            f'UPDATE "{table.name}" SET {assignments}, "LAST_UPDATED" = {UTC_NOW} '
            f'WHERE "{table.key}" BETWEEN :low AND :high AND {condition}',
            {**binds, "low": low, "high": high},
        )
        if self._cursor.rowcount:
            self._touched.add((table.name, order))
            self._changes[table.name] += self._cursor.rowcount
        return self._cursor.rowcount

    def _some_orders(self, most: int) -> list[int]:
        return sorted(self._random.sample(self._orders, min(len(self._orders), self._random.randint(1, most))))

    def _take_orders(self) -> None:
        """New orders with their lines."""
        r = self._random
        for _ in range(r.randint(1, 4)):
            order = self._next_order
            self._next_order += self._shifts
            city, state = r.choice(words.CITIES)
            lines = []
            for number in range(1, r.randint(1, 9) + 1):
                quantity, price = Decimal(r.randint(1, 99)), Decimal(r.randint(10_000, 5_000_000)).scaleb(-4)
                total = (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
                item = FIRST_ITEM_ID + r.randrange(self._plan.items)
                lines.append((order * 100 + number, order, number, item, quantity, price, total))
            self._cursor.execute(
                "INSERT INTO ORDER_HDR (ORDER_ID, ORDER_NUMBER, FACILITY_CODE, COMPANY_CODE, CUSTOMER_ID, ORDER_STATUS, ORDER_TYPE, "
                "ORDER_DATE, SHIP_TO_NAME, SHIP_TO_CITY, SHIP_TO_STATE, CURRENCY_CODE, TOTAL_AMOUNT, TOTAL_LINES, SPECIAL_INSTRUCTIONS, "
                f"CREATED_DATE, LAST_UPDATED) VALUES (:1, :2, :3, 'GNOS01', :4, 'NEW', 'VENDA', CAST({UTC_NOW} AS DATE), :5, :6, :7, "
                f"'BRL', :8, :9, :10, {UTC_NOW}, {UTC_NOW})",
                [
                    order,
                    f"PED-{order:010d}",
                    r.choice(words.FACILITIES),
                    70_001 + r.randrange(4_000),
                    f"{r.choice(words.COMPANY_FORMS)} {r.choice(words.SURNAMES)}",
                    city,
                    state,
                    sum(line[-1] for line in lines),
                    len(lines),
                    r.choice(words.INSTRUCTIONS) if r.random() < 0.2 else None,
                ],
            )
            self._cursor.executemany(
                "INSERT INTO ORDER_DTL (ORDER_DETAIL_ID, ORDER_ID, LINE_NUMBER, ITEM_ID, QUANTITY_ORDERED, UNIT_PRICE, LINE_TOTAL, "
                f"LINE_STATUS, CREATED_DATE, LAST_UPDATED) VALUES (:1, :2, :3, :4, :5, :6, :7, 'NEW', {UTC_NOW}, {UTC_NOW})",
                lines,
            )
            self._orders.append(order)
            self._touched |= {(ORDER_HDR.name, order), (ORDER_DTL.name, order)}
            self._changes.update({ORDER_HDR.name: 1, ORDER_DTL.name: len(lines)})

    def _release_wave(self) -> None:
        """One wave allocates every open line of many orders; all its rows carry one time, asked of the database in this transaction."""
        self._cursor.execute(f"SELECT {UTC_NOW} FROM DUAL")
        (now,) = self._cursor.fetchone()
        allocations = []
        for order in self._some_orders(25):
            low, high = _key_range(ALLOCATION, order)
            self._cursor.execute("SELECT ALLOCATION_ID FROM ALLOCATION WHERE ALLOCATION_ID BETWEEN :1 AND :2", [low, high])
            allocated = {key // 10 for (key,) in self._cursor}
            low, high = _key_range(ORDER_DTL, order)
            self._cursor.execute(
                "SELECT ORDER_DETAIL_ID, ITEM_ID, QUANTITY_ORDERED FROM ORDER_DTL WHERE ORDER_DETAIL_ID BETWEEN :1 AND :2 ORDER BY 1",
                [low, high],
                fetch_decimals=True,
            )
            for line, item, quantity in self._cursor.fetchall():
                if int(line) not in allocated:
                    location = FIRST_LOCATION_ID + self._random.randrange(self._plan.locations)
                    user = self._random.choice(words.USERS)
                    allocations.append((line * 10 + 1, order, line, item, location, int(now.timestamp()) // 900, quantity, user, now, now))
                    self._touched.add((ALLOCATION.name, order))
            if (ALLOCATION.name, order) in self._touched:
                self._change(ORDER_HDR, order, "ORDER_STATUS = 'IN_PROGRESS'")
                self._change(ORDER_DTL, order, "LINE_STATUS = 'IN_PROGRESS', QUANTITY_ALLOCATED = QUANTITY_ORDERED")
        if allocations:
            self._changes[ALLOCATION.name] += len(allocations)
            self._cursor.executemany(
                "INSERT INTO ALLOCATION (ALLOCATION_ID, ORDER_ID, ORDER_DETAIL_ID, ITEM_ID, LOCATION_ID, WAVE_ID, QUANTITY_ALLOCATED, "
                "ALLOCATION_STATUS, ALLOCATED_BY_USER, CREATED_DATE, LAST_UPDATED) "
                "VALUES (:1, :2, :3, :4, :5, :6, :7, 'ALLOCATED', :8, :9, :10)",
                allocations,
            )

    def _pick(self) -> None:
        for order in self._some_orders(12):
            self._change(
                ALLOCATION,
                order,
                f"ALLOCATION_STATUS = 'PICKED', QUANTITY_PICKED = QUANTITY_ALLOCATED, PICKED_BY_USER = :picker, PICKED_TS = {UTC_NOW}",
                "ALLOCATION_STATUS IN ('ALLOCATED', 'RESERVED')",
                picker=self._random.choice(words.USERS),
            )

    def _ship(self) -> None:
        for order in self._some_orders(10):
            shipped = f"ALLOCATION_STATUS = 'SHIPPED', SHIPPED_TS = {UTC_NOW}"
            if self._change(ALLOCATION, order, shipped, "ALLOCATION_STATUS = 'PICKED'"):
                self._change(ORDER_HDR, order, f"ORDER_STATUS = 'COMPLETED', SHIPPED_TS = {UTC_NOW}, CARRIER_CODE = 'JADLOG'")
                self._change(ORDER_DTL, order, "LINE_STATUS = 'COMPLETED', QUANTITY_SHIPPED = QUANTITY_ALLOCATED")

    def _reopen(self) -> None:
        for order in self._some_orders(3):
            self._change(ORDER_HDR, order, "ORDER_STATUS = 'IN_PROGRESS', SHIPPED_TS = NULL", "ORDER_STATUS = 'COMPLETED'")

    def _cancel(self) -> None:
        for order in self._some_orders(3):
            if self._change(ORDER_HDR, order, "ORDER_STATUS = 'CANCELLED'", "ORDER_STATUS <> 'COMPLETED'"):
                self._change(ORDER_DTL, order, "LINE_STATUS = 'CANCELLED'")
                self._change(ALLOCATION, order, "ALLOCATION_STATUS = 'CANCELLED'")

    def _correct_prices(self) -> None:
        """A price was wrong by a few ten-thousandths: line totals and the order's total follow."""
        for order in self._some_orders(4):
            lines = self._select(ORDER_DTL, *_key_range(ORDER_DTL, order))
            names = [column.name for column in ORDER_DTL.columns]
            total = Decimal(0)
            for line in lines:
                row = dict(zip(names, line, strict=True))
                price = row["UNIT_PRICE"] + Decimal(self._random.randint(1, 99)).scaleb(-4)
                amount = (row["QUANTITY_ORDERED"] * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
                total += amount
                self._cursor.execute(
                    f"UPDATE ORDER_DTL SET UNIT_PRICE = :1, LINE_TOTAL = :2, LAST_UPDATED = {UTC_NOW} WHERE ORDER_DETAIL_ID = :3",
                    [price, amount, row["ORDER_DETAIL_ID"]],
                )
                self._touched.add((ORDER_DTL.name, order))
                self._changes[ORDER_DTL.name] += 1
            self._change(ORDER_HDR, order, "TOTAL_AMOUNT = :total", total=total)

    def _delete_cancelled(self) -> None:
        for order in self._some_orders(40):
            low, high = _key_range(ALLOCATION, order)
            condition = "ALLOCATION_ID BETWEEN :1 AND :2 AND ALLOCATION_STATUS = 'CANCELLED'"
            self._cursor.execute(f"SELECT ALLOCATION_ID FROM ALLOCATION WHERE {condition}", [low, high])
            keys = {int(key) for (key,) in self._cursor}
            if keys:
                self._cursor.execute(f"DELETE FROM ALLOCATION WHERE {condition}", [low, high])
                self._deleted.setdefault(ALLOCATION.name, set()).update(keys)
                self._changes[ALLOCATION.name] += len(keys)
                self._touched.add((ALLOCATION.name, order))

    def _write_instructions(self) -> None:
        for order in self._some_orders(2):
            notes = " ".join(self._random.choices(words.INSTRUCTIONS, k=self._random.choice((1, 3, 120))))
            self._change(ORDER_HDR, order, "SPECIAL_INSTRUCTIONS = :notes", notes=notes)

    def _change_items(self) -> None:
        """Costs move; only the first connection does this, so nobody waits for its locks."""
        for _ in range(self._random.randint(1, 5)):
            item = FIRST_ITEM_ID + self._random.randrange(self._plan.items)
            self._change(ITEM_MASTER, item, "STANDARD_COST = :cost", cost=Decimal(self._random.randint(5_000, 9_000_000)).scaleb(-4))


def _key_range(table: Table, number: int) -> tuple[int, int]:
    """The keys in `table` that belong to order (or item) `number`, both ends included."""
    width = KEYS_PER_ORDER.get(table.name, 1)
    return number * width, number * width + width - 1


def live(plan: Plan, pace: Pace, ledger: Ledger, connect: Callable[[], oracledb.Connection], closing: threading.Event) -> Tally:
    """Work as `pace` says, or until `closing` is set; what was done. The last connection is the late one.

    Raises the first error that ended a shift (an oracledb.Error that is not a lost connection).
    """
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MAX(ORDER_ID) FROM ORDER_HDR")
        (last_order,) = cursor.fetchone()
    if last_order is None:
        raise LookupError("ORDER_HDR is empty: run `python -m demo seed` first")
    shifts = [
        Shift(number, plan=plan, pace=pace, ledger=ledger, connect=connect, last_order=int(last_order), late=number == pace.connections)
        for number in range(pace.connections + 1)
    ]
    for shift in shifts:
        shift.start()
    while any(shift.is_alive() for shift in shifts):
        if closing.wait(0.2):
            for shift in shifts:
                shift.closing.set()
        for shift in shifts:
            shift.join(0.1)
    failed = next((shift.error for shift in shifts if shift.error is not None), None)
    if failed is not None:
        raise failed
    return sum((shift.tally for shift in shifts), Tally())

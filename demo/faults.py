"""The deliberate data-quality faults of the seeded rows: which rows carry which fault, as a rule on the key.

A dbt test that looks for such a fault must find exactly these rows and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of `table` whose key modulo `modulus` is `remainder` carry the fault."""

    table: str
    modulus: int
    remainder: int
    what: str

    def hits(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return keys % self.modulus == self.remainder


FAULTS = {
    "item_code_convention": Fault("ITEM_MASTER", 50, 17, "ITEM_CODE in lower case with blanks instead of AAA-999999"),
    "item_without_description": Fault("ITEM_MASTER", 61, 5, "ITEM_DESCRIPTION is null"),
    "location_over_capacity": Fault("LOCATION", 40, 11, "CURRENT_VOLUME is above CAPACITY_VOLUME"),
    "order_total_mismatch": Fault("ORDER_HDR", 97, 13, "TOTAL_AMOUNT is 1.00 above the sum of LINE_TOTAL"),
    "ship_date_before_order": Fault("ORDER_HDR", 89, 3, "REQUESTED_SHIP_DATE is before ORDER_DATE"),
    "customer_name_missing": Fault("ORDER_HDR", 71, 9, "SHIP_TO_NAME is null"),
    "line_with_unknown_item": Fault("ORDER_DTL", 1511, 3, "ITEM_ID is not in ITEM_MASTER"),
    "allocation_not_positive": Fault("ALLOCATION", 199, 0, "QUANTITY_ALLOCATED is negative"),
    "picked_above_allocated": Fault("ALLOCATION", 211, 5, "QUANTITY_PICKED is above QUANTITY_ALLOCATED"),
}

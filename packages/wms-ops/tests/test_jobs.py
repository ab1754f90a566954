"""What is read from this repository's own meltano.yml."""

from pathlib import Path

import pytest
from wms_ops.jobs import full_sync_reader

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("entity", "reader"),
    [
        ("allocation", "allocation"),
        ("order_dtl", "order_dtl"),
        ("item_master", "item_master_incremental"),
        ("nothing", None),
        ("wms", None),
    ],
)
def test_whose_state_a_redo_opens(entity, reader):
    assert full_sync_reader(ROOT, entity) == reader

"""Messages delivered again, from the beginning and in part, any number of times, leave the same table (property-based)."""

from __future__ import annotations

import shutil
import uuid

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle_connection.contract import Mode

GONE = "2026-11-22T21:00:00+00:00"
COLUMNS = '"ID","NAME","_SDC_SEQUENCE","_SDC_DELETED_AT"'
change = st.tuples(st.integers(1, 4), st.sampled_from(["a", "b", None, "deleted"]))


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=st.lists(st.tuples(st.booleans(), st.lists(change, min_size=1, max_size=4)), min_size=1, max_size=5),
    prefixes=st.lists(st.integers(0, 5), max_size=3),
    batch_rows=st.integers(1, 5),
)
def test_prefixes_delivered_again_change_nothing(warehouse, make_stream, tmp_path, *, batches, prefixes, batch_rows):
    """Deletes travel as RECORDs only; each batch is read at a later SCN than the one before."""
    name = f"r{uuid.uuid4().hex[:8]}"
    stream = make_stream(name, mode=Mode.FULL_TABLE, generation=1)
    messages = []
    for scn, (as_file, changes) in enumerate(batches, 1):
        live = [{"ID": key, "NAME": value} for key, value in changes if value != "deleted"]
        if as_file and live:
            messages.append(stream.batch(live, read_scn=10 * scn))
        else:  # one SCN shows one version of a row, and a prefix may end between two versions
            for step, (key, value) in enumerate(changes):
                row = {"ID": key, "_sdc_deleted_at": GONE} if value == "deleted" else {"ID": key, "NAME": value}
                messages.append(stream.record(row, sequence=10 * scn + step))
    kept = tmp_path / name
    if stream.directory.exists():
        shutil.copytree(stream.directory, kept)

    def deliver(some):
        if kept.exists():
            shutil.copytree(kept, stream.directory, dirs_exist_ok=True)
        warehouse.load([stream.schema(), *some], batch_size_rows=batch_rows, delete_cap_percent=100, allow_empty_overwrite=True)
        table = f'"{warehouse.prefix}{name.upper()}"'
        return warehouse.query(f"SELECT {COLUMNS} FROM {table} ORDER BY 1") if some else None

    whole = deliver(messages)
    for length in prefixes:
        again = deliver(messages[:length])
        assert again is None or again == whole
    assert deliver(messages) == whole

"""Record batches to parts and files."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_connection.contract import BATCH_METADATA_KEY, BatchMetadata, Mode
from tap_oracle_wms.batches import Part, parts, write_file

SCHEMA = pa.schema([("ID", pa.int64()), ("T", pa.string())])


def batch(start: int, rows: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(range(start, start + rows), pa.int64()), pa.array(["x" * 10] * rows)], schema=SCHEMA)


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 60), st.integers(1, 3000))
def test_parts_hold_every_row_once_in_order_and_only_the_last_is_complete(sizes: list[int], rows: int, size_bytes: int) -> None:
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    made = list(parts((batch(start, size) for start, size in zip(starts, sizes, strict=True)), rows=rows, size_bytes=size_bytes))
    ids = [value for part in made for each in part.batches for value in each.column("ID").to_pylist()]
    assert ids == list(range(sum(sizes)))
    assert [part.number for part in made] == list(range(1, len(made) + 1))
    assert [part.complete for part in made] == [False] * (len(made) - 1) + [True]
    assert all(part.rows <= rows for part in made)
    assert all(part.rows > 0 for part in made[:-1])
    assert all(sum(each.nbytes for each in part.batches) <= size_bytes or len(part.batches) == 1 for part in made)


def test_parts_are_lazy_and_only_one_fetch_ahead() -> None:
    fetched = []

    def fetches():
        for number in range(10):
            fetched.append(number)
            yield batch(number, 10)

    made = parts(fetches(), rows=10, size_bytes=10**9)
    next(made)
    assert len(fetched) == 2


def metadata(rows: int) -> BatchMetadata:
    return BatchMetadata(
        "s", "run", Mode.FULL, "attempt", "2026-11-22T20:15:00.000000Z", rows, ("ID", "T"), generation=1, chunk=0, complete=True
    )


@pytest.mark.parametrize("compression", ["lz4", "zstd", "none"])
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_a_file_is_one_record_batch_that_describes_itself(tmp_path: Path, compression: str, rows: int) -> None:
    path = tmp_path / "x.arrow"
    pieces = tuple(each for each in (batch(0, rows // 2), batch(rows // 2, rows - rows // 2)) if each.num_rows)
    size = write_file(path, SCHEMA, Part(1, pieces, complete=True), metadata(rows), compression)
    assert size == path.stat().st_size
    with pa.ipc.open_stream(path) as reader:
        assert list(reader.schema.metadata) == [BATCH_METADATA_KEY]
        assert BatchMetadata.parse(reader.schema.metadata[BATCH_METADATA_KEY]) == metadata(rows)
        read = list(reader)
    assert [each.num_rows for each in read] == ([rows] if rows else [])
    assert [value for each in read for value in each.column("ID").to_pylist()] == list(range(rows))


def test_a_file_shows_up_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    wrong = pa.schema([("ID", pa.int64()), ("T", pa.int64())])
    with pytest.raises(pa.ArrowException):
        write_file(tmp_path / "x.arrow", wrong, Part(1, (batch(0, 1),), complete=True), metadata(1), "lz4")
    assert not (tmp_path / "x.arrow").exists()

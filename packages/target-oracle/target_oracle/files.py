"""Files that BATCH messages name: Arrow IPC streams of our tap, Parquet of other taps.

A file is removed once its rows are committed, and its directory with the last one (docs/batch-contract.md, rule 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from oracle_connection.contract import ARROW_FORMAT, BATCH_METADATA_KEY, COMPRESSIONS, BatchMetadata, ContractError

PARQUET_FORMAT = "parquet"
PARQUET_ROWS = 50_000
"""Rows of a foreign Parquet file that make a batch: such files have no bound of their own."""


def local_path(url: str) -> Path:
    """The path of a `file://` URL. Raises ContractError for any other place."""
    parts = urlsplit(url)
    if parts.scheme not in {"file", ""} or parts.netloc not in {"", "localhost"}:
        message = f"BATCH names {parts.scheme}://{parts.netloc}...: only files of this machine can be read"
        raise ContractError(message)
    return Path(unquote(parts.path))


def check_encoding(format_: str, compression: str | None) -> None:
    """Refuse encodings that this target does not read. Raises ContractError."""
    if format_ == ARROW_FORMAT and compression in {*COMPRESSIONS, None}:
        return
    if format_ == PARQUET_FORMAT:
        return
    message = f"BATCH encoding {format_}/{compression} is not read: use arrow with {', '.join(COMPRESSIONS)}, or parquet, or RECORDs"
    raise ContractError(message)


def read_arrow(path: Path) -> tuple[pa.Table, BatchMetadata | None]:
    """The rows of an Arrow IPC stream file and what the tap says about them. Raises ContractError."""
    try:
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
            table = reader.read_all()
    except (OSError, pa.ArrowException) as error:
        message = f"cannot read the batch file {path.name}: {error}"
        raise ContractError(message) from error
    text = (table.schema.metadata or {}).get(BATCH_METADATA_KEY)
    metadata = BatchMetadata.parse(text) if text else None
    if metadata is not None and metadata.rows != table.num_rows:
        message = f"the batch file {path.name} has {table.num_rows} rows, its metadata says {metadata.rows}: it is not whole"
        raise ContractError(message)
    return table, metadata


def read_metadata(path: Path) -> BatchMetadata | None:
    """What the tap says about the rows of an Arrow IPC stream file, without reading them. Raises ContractError."""
    try:
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
            text = (reader.schema.metadata or {}).get(BATCH_METADATA_KEY)
    except (OSError, pa.ArrowException) as error:
        message = f"cannot read the batch file {path.name}: {error}"
        raise ContractError(message) from error
    return BatchMetadata.parse(text) if text else None


def read_parquet(path: Path) -> Iterator[pa.Table]:
    """The rows of a Parquet file, in bounded tables. Raises ContractError."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(PARQUET_ROWS):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        message = f"cannot read the batch file {path.name}: {error}"
        raise ContractError(message) from error


def remove(path: Path) -> None:
    """Remove a loaded file, and its directory when nothing else is in it. Harmless when it is gone."""
    path.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError:
        return  # more files are waiting in it, or it is not ours to remove

"""The figures of a run record as SDK metrics, one `METRIC` log line each."""

from __future__ import annotations

from enum import StrEnum

from oracle_connection.run_record import RunRecord
from singer_sdk import metrics


class TargetMetric(StrEnum):
    """What the target measures of a stream beside the SDK's record count and batch time; the names are those of the run record."""

    BYTES = "bytes"
    ROWS_PER_SECOND = "rows_per_second"
    LOAD_SECONDS = "load_seconds"
    MERGE_SECONDS = "merge_seconds"
    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    REJECTED = "rejected"


def log_metrics(record: RunRecord) -> None:
    """Log those that were measured."""
    logger = metrics.get_metrics_logger()
    tags = {metrics.Tag.STREAM.value: record.stream, "run_id": record.run_id}
    for metric in TargetMetric:
        value = getattr(record, metric.value)
        if value is not None:
            kind = "timer" if metric.value.endswith("seconds") else "counter"
            metrics.log(logger, metrics.Point(kind, metric, value, dict(tags)))  # type: ignore[arg-type] # the SDK's own enumeration is closed

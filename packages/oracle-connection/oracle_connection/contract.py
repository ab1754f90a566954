"""What passes between tap and target, as values: `wms.batch` of an Arrow file and `x-wms-run` of a stream's schema.

docs/batch-contract.md says what the fields mean; this module writes and reads them and refuses what it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

CONTRACT_VERSION = 1
BATCH_METADATA_KEY = b"wms.batch"
RUN_METADATA_KEY = "x-wms-run"
ARROW_FORMAT = "arrow"
COMPRESSIONS = ("lz4", "zstd", "none")


class ContractError(Exception):
    """The other side speaks a contract that this side does not; the message names both versions or the field."""


class Mode(StrEnum):
    """Why rows were read."""

    FULL = "full"
    INCREMENTAL = "incremental"
    FULL_TABLE = "full_table"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Window:
    """The replication key's range that was asked for, in the key's text form; None is an open end."""

    key: str
    from_: str | None
    to: str | None

    def to_json(self) -> dict[str, str | None]:
        return {"key": self.key, "from": self.from_, "to": self.to}


@dataclass(frozen=True, slots=True)
class FullSyncComplete:
    """The whole generation has been sent: `chunks` numbers 0..chunks-1 with `rows` rows; the incremental starts at `watermark`."""

    chunks: int
    rows: int
    watermark: str | None


@dataclass(frozen=True, slots=True)
class BatchMetadata:
    """`wms.batch`: what the BATCH message itself cannot say (section 3 of the contract)."""

    stream: str
    run_id: str
    mode: Mode
    attempt: str
    extracted_at: str
    rows: int
    columns: tuple[str, ...]
    generation: int | None = None
    chunk: int | None = None
    window: Window | None = None
    part: int = 1
    complete: bool = False
    read_scn: int | None = None
    full_sync: FullSyncComplete | None = None
    contract: int = CONTRACT_VERSION

    def make(self) -> bytes:
        """The JSON text for the Arrow schema's metadata."""
        value = asdict(self)
        value["columns"] = list(self.columns)
        value["window"] = self.window.to_json() if self.window else None
        value["full_sync"] = {"complete": True, **asdict(self.full_sync)} if self.full_sync else None
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def parse(cls, text: bytes) -> BatchMetadata:
        """The reverse of `make`. Raises ContractError for a higher version or a field that is missing or ill-typed."""
        value = _object(text, "wms.batch")
        _check_version(value, "wms.batch")
        try:
            window = value.get("window")
            full_sync = value.get("full_sync")
            known = {each.name for each in fields(cls)}
            return cls(
                **{
                    **{name: each for name, each in value.items() if name in known},
                    "mode": Mode(value["mode"]),
                    "columns": tuple(value["columns"]),
                    "window": Window(window["key"], window["from"], window["to"]) if window else None,
                    "full_sync": FullSyncComplete(full_sync["chunks"], full_sync["rows"], full_sync["watermark"]) if full_sync else None,
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"wms.batch is not what contract {CONTRACT_VERSION} says: {error}"
            raise ContractError(message) from error


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """`x-wms-run`, at the root of a stream's schema: what the target must know before the first row.

    redo: somebody decided that a full sync which is done is to be done again.
    """

    run_id: str
    mode: Mode
    generation: int | None = None
    contract: int = CONTRACT_VERSION
    redo: bool = False

    def make(self) -> dict[str, Any]:
        """The value for the schema's root."""
        about = {"contract": self.contract, "run_id": self.run_id, "mode": str(self.mode), "generation": self.generation}
        return {**about, "redo": True} if self.redo else about

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> RunMetadata:
        """The reverse of `make`; raises ContractError."""
        _check_version(value, RUN_METADATA_KEY)
        try:
            return cls(value["run_id"], Mode(value["mode"]), value.get("generation"), value["contract"], value.get("redo") is True)
        except (KeyError, TypeError, ValueError) as error:
            message = f"{RUN_METADATA_KEY} is not what contract {CONTRACT_VERSION} says: {error}"
            raise ContractError(message) from error


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with six digits and `Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _object(text: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        message = f"{name} is not JSON"
        raise ContractError(message) from error
    if not isinstance(value, dict):
        message = f"{name} is not a JSON object"
        raise ContractError(message)
    return value


def _check_version(value: Mapping[str, Any], name: str) -> None:
    version = value.get("contract")
    if not isinstance(version, int) or version < 1:
        message = f"{name} names no contract version; this side speaks {CONTRACT_VERSION}"
        raise ContractError(message)
    if version > CONTRACT_VERSION:
        message = f"{name} is written in contract version {version}; this side reads up to {CONTRACT_VERSION}: upgrade it"
        raise ContractError(message)

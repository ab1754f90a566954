"""RECORD messages become batches: validated, converted column by column, in the same Arrow types as files bring."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from oracle_connection.types import Kind, arrow_type

from target_oracle.columns import LOADED_METADATA, Column, TableModel
from target_oracle.errors import DataError


class InvalidRecordError(DataError):
    """A RECORD that contradicts its stream's schema or has no place in its table; the message names the property."""


def make_validator(schema: Mapping[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """A compiled validator of a stream's JSON Schema; it raises InvalidRecordError.

    What validation leaves to the conversion is left out: formats, and lengths, which Oracle counts in its own way.
    """
    import fastjsonschema

    plain = _with_decimals(schema)
    compiled = fastjsonschema.compile(plain, use_formats=False, use_default=False)

    def validate(record: dict[str, Any]) -> None:
        try:
            compiled(record)
        except fastjsonschema.JsonSchemaValueException as error:
            name = error.name.removeprefix("data.")
            message = f"property {name}: {error.message.removeprefix(error.name).strip()}"
            raise InvalidRecordError(message) from error

    return validate


_LEFT_OUT = {"maxLength", "minLength", "format", "pattern", "description", "title", "default", "examples", "multipleOf", "$schema"}


def _with_decimals(schema: Any) -> Any:
    """The schema without keywords that do not concern validation here. `additionalProperties: false` is a hint, not a rule."""
    if isinstance(schema, Mapping):
        left = {name: _with_decimals(each) for name, each in schema.items() if name == "properties" or name not in _LEFT_OUT}
        if "properties" in schema:
            left["properties"] = {name: _with_decimals(each) for name, each in schema["properties"].items()}
        left.pop("additionalProperties", None)
        return left
    if isinstance(schema, list):
        return [_with_decimals(each) for each in schema]
    return schema


@dataclass(slots=True)
class RecordBuffer:
    """RECORDs of one stream that wait to become a batch."""

    model: TableModel
    batch_id: str = field(default_factory=lambda: f"records/{uuid.uuid4().hex}")
    records: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[str | None, int | None, int | None]] = field(default_factory=list)
    size_bytes: int = 0
    warned: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.records)

    def add(self, record: dict[str, Any], message: Mapping[str, Any], version: int | None) -> None:
        """Keep a record. Raises InvalidRecordError when a key property is absent or null."""
        for name in self.model.key:
            source = self.model.column(name).source
            if record.get(source or "") in {None, ""}:
                text = f"key property {source} has no value in {_short(record)}"
                raise InvalidRecordError(text)
        self.records.append(record)
        self.messages.append((message.get("time_extracted"), message.get("sequence"), version))

    def take(self) -> tuple[str, list[dict[str, Any]], list[tuple[str | None, int | None, int | None]], int]:
        """Everything that waits: batch id, records, their messages' metadata, bytes. The buffer is empty then."""
        taken = (self.batch_id, self.records, self.messages, self.size_bytes)
        self.batch_id = f"records/{uuid.uuid4().hex}"
        self.records, self.messages, self.size_bytes = [], [], 0
        return taken


def to_table(records: list[dict[str, Any]], messages: list[tuple[str | None, int | None, int | None]], model: TableModel) -> Any:
    """Records as an Arrow table in the load table's columns. Raises ValueError naming the column that did not fit."""
    import pyarrow as pa

    columns = [_column(records, each) for each in model.columns]
    names = [each.name for each in model.columns]
    extracted = [_instant(each[0]) for each in messages]
    deleted = [_instant(each.get("_sdc_deleted_at")) for each in records]
    own: tuple[list[Any], ...] = (extracted, deleted, [each[1] for each in messages], [each[2] for each in messages])
    for column, values in zip(LOADED_METADATA, own, strict=True):
        type_ = pa.timestamp("us") if column.type.kind is Kind.TIMESTAMP else pa.int64()
        if any(each is not None for each in values):
            columns.append(pa.array(values, type_))
            names.append(column.name)
    return pa.table(columns, names=names)


def _column(records: list[dict[str, Any]], column: Column) -> Any:
    """One property of all records, as the column's Arrow array."""
    import pyarrow as pa
    from oracle_connection.values import from_json

    source = column.source or column.name
    values = [each.get(source) for each in records]
    try:
        if pa.types.is_string(arrow_type(column.sent_as)) and column.sent_as.kind not in {Kind.NUMBER, Kind.FLOAT}:
            values = [each if each is None or isinstance(each, str) else _json_text(each) for each in values]
        array = from_json(values, column.sent_as)
    except (ValueError, TypeError, ArithmeticError, pa.ArrowException) as error:
        message = f"property {source} does not fit {column.type}: {error}"
        raise ValueError(message) from error
    return array.cast(pa.timestamp(array.type.unit)) if pa.types.is_timestamp(array.type) and array.type.tz else array


_encode: Callable[[Any], bytes] | None = None


def _json_text(value: Any) -> str:
    """Objects, arrays and scalars of mixed properties as JSON text, numbers with every digit."""
    global _encode  # noqa: PLW0603 - the encoder is made once, and only when a stream needs it
    if _encode is None:
        import msgspec

        _encode = msgspec.json.Encoder(decimal_format="number").encode
    return _encode(value).decode()


def _instant(value: Any) -> datetime | None:
    """A time of a message as UTC clock fields."""
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _short(record: Mapping[str, Any]) -> str:
    """A record for a message: its first properties only."""
    shown = {name: str(each) if isinstance(each, Decimal) else each for name, each in list(record.items())[:4]}
    return str(shown)[:300]

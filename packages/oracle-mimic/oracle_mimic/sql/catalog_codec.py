"""Catalog entries as JSON text and back, driven by the dataclasses' own annotations.

What is stored: one row per entry (`kind`, `key`, `body`). `difference` names the rows that DDL must write or delete.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal

from oracle_mimic.sql import catalog as definitions
from oracle_mimic.sql.catalog import Catalog

_ENTRY_TYPES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        definitions.User, definitions.Role, definitions.Table, definitions.View, definitions.Sequence, definitions.Synonym,
        definitions.Index, definitions.ObjectGrant, definitions.SystemGrant, definitions.RoleGrant, definitions.Profile,
    )
}  # fmt: skip


def to_json(entry: Any) -> str:
    """JSON of a catalog entry."""
    return json.dumps(_plain(entry), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


_hints_of: dict[str, dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    """The resolved annotations of a dataclass, looked up once."""
    found = _hints_of.get(cls.__name__)
    if found is None:
        found = _hints_of[cls.__name__] = typing.get_type_hints(cls)
    return found


def _build(hint: Any, value: Any) -> Any:
    """The value of an annotation from its plain form."""
    if value is None:
        return None
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _build(next(argument for argument in arguments if argument is not type(None)), value)
    if origin is Literal:
        return value
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in value)
    if origin is dict:
        return {key: _build(arguments[1], item) for key, item in value.items()}
    if is_dataclass(hint):
        hints = _hints(typing.cast(type[Any], hint))
        return typing.cast(type[Any], hint)(**{name: _build(hints[name], item) for name, item in value.items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return value


def from_json(kind: str, text: str) -> Any:
    """The catalog entry of a stored row."""
    return _build(_ENTRY_TYPES[kind], json.loads(text))


def entries(catalog: Catalog) -> Iterator[tuple[str, str, Any]]:
    """(kind, key, entry) of everything stored."""
    for mapping in (
        catalog.users, catalog.roles, catalog.profiles, catalog.objects, catalog.object_grants, catalog.system_grants, catalog.role_grants,
    ):  # fmt: skip
        for key, entry in typing.cast(dict[Any, Any], mapping).items():
            yield type(entry).__name__, json.dumps(key), entry


def difference(old: Catalog, new: Catalog) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Rows to delete (kind, key) and rows to write (kind, key, body) that turn the stored `old` into `new`."""
    before = {(kind, key): entry for kind, key, entry in entries(old)}
    after = {(kind, key): entry for kind, key, entry in entries(new)}
    changed = [(*row, to_json(entry)) for row, entry in after.items() if before.get(row) is not entry]
    return [row for row in before if row not in after or before[row] is not after[row]], changed


def load(rows: list[tuple[str, str, str]], version: int, next_object_id: int, next_constraint_number: int) -> Catalog:
    """The catalog from its stored rows."""
    catalog = Catalog(version=version, next_object_id=next_object_id, next_constraint_number=next_constraint_number)
    for kind, key, body in rows:
        entry = from_json(kind, body)
        if kind == "User":
            catalog.users[entry.name] = entry
        elif kind == "Role":
            catalog.roles[entry.name] = entry
        elif kind == "Profile":
            catalog.profiles[entry.name] = entry
        elif kind == "ObjectGrant":
            catalog.object_grants[tuple(json.loads(key))] = entry
        elif kind == "SystemGrant":
            catalog.system_grants[tuple(json.loads(key))] = entry
        elif kind == "RoleGrant":
            catalog.role_grants[tuple(json.loads(key))] = entry
        else:
            catalog.put(entry)
    return catalog


__all__ = ["difference", "entries", "from_json", "load", "to_json"]

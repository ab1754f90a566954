"""Walking over syntax trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

from oracle_mimic.sql.syntax import And, Condition, Node, QueryBody

N = TypeVar("N", bound=Node)


def walk(node: Node, *, into_queries: bool = False) -> Iterator[Node]:
    """A node and all below it, in the order of the text; subqueries are other blocks and are left out unless asked for."""
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(reversed(item))
        elif isinstance(item, Node) and (into_queries or item is node or not isinstance(item, QueryBody)):
            yield item
            stack.extend(getattr(item, field.name) for field in reversed(fields(item)))


def transform(node: N, change: Callable[[Node], Node]) -> N:
    """A copy in which every node (subqueries left as they are) went through `change`, children first."""
    values = {field.name: _transform_value(getattr(node, field.name), change) for field in fields(node)}
    result: Any = change(replace(node, **values))
    return result  # type: ignore[no-any-return]  # `change` keeps the kind of node that stands here


def _transform_value(value: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(value, Node) and not isinstance(value, QueryBody):
        return transform(value, change)
    if isinstance(value, tuple):
        return tuple(_transform_value(item, change) for item in value)
    return value


def conjuncts(condition: Condition | None) -> list[Condition]:
    """The conditions that must all hold."""
    if condition is None:
        return []
    if isinstance(condition, And):
        return [part for item in condition.items for part in conjuncts(item)]
    return [condition]

"""What reading cost the source, as its session statistics tell where they are granted; None, never 0, where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """The statistics of a session at one moment. `session` tells one session of this process from the next."""

    session: int
    figures: Mapping[str, int]


Cost = dict[str, int]


def between(before: Reading | None, after: Reading | None) -> Cost | None:
    """What happened between two readings; None when the session was lost in between, and its figures with it."""
    if before is None or after is None or before.session != after.session:
        return None
    return {_field(name): value - before.figures.get(name, 0) for name, value in after.figures.items()}


def together(one: Cost | None, other: Cost | None) -> Cost | None:
    """The sum of two costs; None when either is unknown."""
    if one is None or other is None:
        return None
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _field(statistic: str) -> str:
    """`bytes sent via SQL*Net to client` as a field of the run record."""
    return statistic.replace(" ", "_").replace("*", "").replace("/", "_")

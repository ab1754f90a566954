"""CREATE, ALTER and DROP SEQUENCE; the options that identity columns share with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.catalog import Sequence
from oracle_mimic.sql.ddl.change import Action, Change, object_name
from oracle_mimic.sql.engine import run
from oracle_mimic.sql.engine_storage import create_sequence, drop_sequence, sequence_name
from oracle_mimic.sql.parser.tokens import TokenReader

_MAXIMUM, _MINIMUM = 10**28 - 1, -(10**27 - 1)
_MISSING = OracleError(2289, "sequence does not exist")


@dataclass(slots=True)
class SequenceOptions:
    """What was written; None: not given."""

    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    no_minimum: bool = False
    no_maximum: bool = False
    cycle: bool | None = None
    cache: int | None = None
    ordered: bool | None = None
    restart: bool = False

    def values(self, old: Sequence | None = None) -> dict[str, Any]:
        """The sequence's definition, defaults filled in (by direction), checked. ORA-04002.. for what contradicts itself."""
        increment = self.increment if self.increment is not None else old.increment if old else 1
        if increment == 0:
            raise OracleError(4002, "INCREMENT must be a nonzero integer")
        up = increment > 0
        minimum = old.minimum if old else 1 if up else _MINIMUM
        maximum = old.maximum if old else _MAXIMUM if up else -1
        minimum = self.minimum if self.minimum is not None else (1 if up else _MINIMUM) if self.no_minimum else minimum
        maximum = self.maximum if self.maximum is not None else (_MAXIMUM if up else -1) if self.no_maximum else maximum
        if minimum >= maximum:
            raise OracleError(4004, "MINVALUE must be less than MAXVALUE")
        start = self.start if self.start is not None else old.start if old else minimum if up else maximum
        if start < minimum:
            raise OracleError(4006, "START WITH cannot be less than MINVALUE")
        if start > maximum:
            raise OracleError(4008, "START WITH cannot be more than MAXVALUE")
        cache = self.cache if self.cache is not None else old.cache if old else 20
        cycle = self.cycle if self.cycle is not None else bool(old and old.cycle)
        ordered = self.ordered if self.ordered is not None else bool(old and old.ordered)
        return {
            "start": start, "increment": increment, "minimum": minimum, "maximum": maximum, "cycle": cycle, "cache": cache,
            "ordered": ordered,
        }  # fmt: skip


def _integer(reader: TokenReader) -> int:
    negative = reader.take_op("-") is not None
    value = reader.unsigned_integer(1722, "invalid number")
    return -value if negative else value


def sequence_options(reader: TokenReader) -> SequenceOptions:
    """Read the options, in any order."""
    options = SequenceOptions()
    while True:
        if reader.take_words("START", "WITH"):
            if reader.at_words("LIMIT", "VALUE"):
                raise refused("START WITH LIMIT VALUE", offset=reader.token.start)
            options.start = _integer(reader)
        elif reader.take_word("INCREMENT"):
            reader.expect_word("BY")
            options.increment = _integer(reader)
        elif reader.take_word("MINVALUE"):
            options.minimum = _integer(reader)
        elif reader.take_word("MAXVALUE"):
            options.maximum = _integer(reader)
        elif reader.take_word("NOMINVALUE"):
            options.no_minimum = True
        elif reader.take_word("NOMAXVALUE"):
            options.no_maximum = True
        elif reader.take_word("CYCLE"):
            options.cycle = True
        elif reader.take_word("NOCYCLE"):
            options.cycle = False
        elif reader.take_word("CACHE"):
            options.cache = reader.unsigned_integer()
            if options.cache < 2:
                raise OracleError(4010, "the number of values to CACHE must be greater than 1")
        elif reader.take_word("NOCACHE"):
            options.cache = 0
        elif reader.take_word("ORDER"):
            options.ordered = True
        elif reader.take_word("NOORDER"):
            options.ordered = False
        elif reader.take_word("RESTART"):
            options.restart = True
        elif reader.take_word("KEEP", "NOKEEP", "NOSCALE", "NOSHARD", "NOPARTITION", "GLOBAL"):
            continue
        elif reader.at_word("SCALE", "SHARD", "SESSION", "SHARING"):
            raise refused(f"sequence option {reader.token.value}", offset=reader.token.start)
        else:
            return options


def parse_create(reader: TokenReader) -> Action:
    """CREATE SEQUENCE."""
    name = object_name(reader, 2277, "invalid sequence name")
    options = sequence_options(reader)

    def apply(change: Change) -> None:
        owner = change.owner_of(name)
        change.require_create(owner, "SEQUENCE")
        change.require_free(owner, name.name)
        values = options.values()
        sequence = Sequence(change.catalog.allot_object_id(), owner, name.name, change.moment, change.moment, **values)
        change.put(sequence)
        create_sequence(change.cursor, sequence)

    return Action(apply)


def next_value(change: Change, sequence: Sequence) -> int:
    """The value NEXTVAL would give."""
    rows = run(
        change.cursor,
        f"SELECT last_value FROM duckdb_sequences() WHERE schema_name = 'data' AND sequence_name = 's{sequence.object_id}'",
    )
    return sequence.start if not rows or rows[0][0] is None else int(rows[0][0]) + sequence.increment


def parse_alter(reader: TokenReader) -> Action:
    """ALTER SEQUENCE: the next value stays, but for INCREMENT BY (counted from the last one) and RESTART."""
    name = object_name(reader, 2277, "invalid sequence name")
    options = sequence_options(reader)
    if options.start is not None and not options.restart:
        raise OracleError(2283, "cannot alter starting sequence number")

    def apply(change: Change) -> None:
        sequence = change.find(name, Sequence, _MISSING)
        change.require(sequence, "ALTER")
        if sequence.identity:
            raise OracleError(32793, "cannot alter a system-generated sequence")
        last = next_value(change, sequence) - sequence.increment
        altered = replace(sequence, **options.values(sequence))
        start = altered.start if options.restart else last + altered.increment
        if not options.restart and not altered.minimum <= start <= altered.maximum:
            raise OracleError(4007 if start < altered.minimum else 4009, "MINVALUE cannot be made to exceed the current value")
        change.put(altered)
        drop_sequence(change.cursor, sequence.object_id)
        create_sequence(change.cursor, altered, start)

    return Action(apply)


def parse_drop(reader: TokenReader) -> Action:
    """DROP SEQUENCE."""
    name = object_name(reader, 2277, "invalid sequence name")

    def apply(change: Change) -> None:
        sequence = change.find(name, Sequence, _MISSING)
        change.require(sequence, "DROP")
        if sequence.identity:
            raise OracleError(32794, "cannot drop a system-generated sequence")
        remove_sequence(change, sequence)

    return Action(apply)


def remove_sequence(change: Change, sequence: Sequence) -> None:
    """Forget a sequence and its values."""
    change.catalog.remove(sequence.object_id)
    change.catalog.drop_grants(sequence.owner, sequence.name)
    drop_sequence(change.cursor, sequence.object_id)


__all__ = [
    "SequenceOptions",
    "next_value",
    "parse_alter",
    "parse_create",
    "parse_drop",
    "remove_sequence",
    "sequence_name",
    "sequence_options",
]

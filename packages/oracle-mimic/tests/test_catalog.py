"""The dictionary as values: stored and read back, resolved, judged; ROWIDs and the SCN log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_mimic.errors import OracleError
from oracle_mimic.sql import catalog_codec, rowids
from oracle_mimic.sql.catalog import (
    PUBLIC,
    Catalog,
    Constraint,
    Identity,
    Index,
    IndexColumn,
    ObjectGrant,
    Role,
    RoleGrant,
    Sequence,
    Synonym,
    SystemGrant,
    Table,
    TableColumn,
    User,
    View,
)  # fmt: skip
from oracle_mimic.sql.privileges import Privileges
from oracle_mimic.sql.scn import Clock, ScnLog, zone_offset
from oracle_mimic.sql.transactions import STATEMENT_BITS, TransactionRegistry
from oracle_mimic.types import Column, Kind, OracleType
from sql_room import ora

NOW = datetime(2026, 7, 1, 12, 30, 15)

_TYPES = st.builds(
    OracleType,
    st.sampled_from(list(Kind)),
    precision=st.none() | st.integers(1, 38),
    scale=st.none() | st.integers(-84, 127),
    length=st.none() | st.integers(1, 4000),
    char_semantics=st.booleans(),
)
_TEXT = st.text(min_size=1, max_size=12)
_COLUMNS = st.lists(
    st.builds(
        TableColumn,
        _TEXT,
        _TYPES,
        st.integers(1, 1000),
        nullable=st.booleans(),
        default=st.none() | _TEXT,
        identity=st.none() | st.builds(Identity, st.integers(1, 99999), st.booleans(), st.booleans()),
        comment=st.none() | _TEXT,
    ),
    max_size=4,
).map(tuple)
_CONSTRAINTS = st.lists(
    st.builds(
        Constraint,
        _TEXT,
        st.sampled_from(["P", "U", "R", "C"]),
        st.lists(_TEXT, max_size=3).map(tuple),
        condition=st.none() | _TEXT,
        parent_table=st.none() | st.integers(1, 99),
        last_change=st.none() | st.just(NOW),
    ),
    max_size=3,
).map(tuple)
_ENTRIES = st.one_of(
    st.builds(Table, st.integers(1, 99), _TEXT, _TEXT, st.just(NOW), st.just(NOW), st.integers(1, 99), _COLUMNS, _CONSTRAINTS,
              attributes=st.dictionaries(_TEXT, _TEXT, max_size=2), num_rows=st.none() | st.integers(0, 10**12)),
    st.builds(View, st.integers(1, 99), _TEXT, _TEXT, st.just(NOW), st.just(NOW), _TEXT,
              st.lists(st.builds(Column, _TEXT, _TYPES, st.booleans()), max_size=3).map(tuple)),
    st.builds(Index, st.integers(1, 99), _TEXT, _TEXT, st.just(NOW), st.just(NOW), st.integers(1, 99),
              st.lists(st.builds(IndexColumn, _TEXT, st.booleans(), st.booleans()), max_size=3).map(tuple), st.booleans()),
    st.builds(Sequence, st.integers(1, 99), _TEXT, _TEXT, st.just(NOW), st.just(NOW), maximum=st.integers(1, 10**28)),
    st.builds(User, _TEXT, st.integers(0, 999), st.just(NOW), salt=st.none() | _TEXT, locked_at=st.none() | st.just(NOW)),
)  # fmt: skip


@given(_ENTRIES)
def test_an_entry_read_back_is_the_entry_stored(entry: object) -> None:
    assert catalog_codec.from_json(type(entry).__name__, catalog_codec.to_json(entry)) == entry


def _catalog() -> Catalog:
    catalog = Catalog()
    for number, name in enumerate(("A", "B", "C")):
        catalog.users[name] = User(name, number, NOW)
    catalog.put(Table(1, "A", "T", NOW, NOW, 1, (TableColumn("ID", OracleType(Kind.NUMBER), 1),)))
    catalog.put(Synonym(2, "B", "MINE", NOW, NOW, "A", "T"))
    catalog.put(Synonym(3, PUBLIC, "EVERYONES", NOW, NOW, "B", "MINE"))
    catalog.put(Synonym(4, "C", "X", NOW, NOW, "C", "Y"))
    catalog.put(Synonym(5, "C", "Y", NOW, NOW, "C", "X"))
    return catalog


def test_names_are_resolved_through_synonyms() -> None:
    catalog = _catalog()
    assert catalog.resolve("A", None, "T") == ("A", "T")
    assert catalog.resolve("B", None, "MINE") == ("A", "T")
    assert catalog.resolve("C", None, "EVERYONES") == ("A", "T")
    assert catalog.resolve("B", "A", "EVERYONES") == ("A", "EVERYONES")
    assert catalog.resolve("B", None, "NOWHERE") == ("B", "NOWHERE")
    with ora(1775):
        catalog.resolve("C", None, "X")


def test_a_copy_does_not_change_the_original_and_its_difference_is_small() -> None:
    old = _catalog()
    new = old.copy()
    new.remove(2)
    new.users["D"] = User("D", 9, NOW)
    new.role_grants["D", "R"] = RoleGrant("D", "R")
    assert old.get("B", "MINE") is not None
    assert new.get("B", "MINE") is None
    removed, changed = catalog_codec.difference(old, new)
    assert [kind for kind, _ in removed] == ["Synonym"]
    assert sorted(kind for kind, _, _ in changed) == ["RoleGrant", "User"]
    stored = [(kind, key, catalog_codec.to_json(entry)) for kind, key, entry in catalog_codec.entries(new)]
    assert catalog_codec.load(stored, new.version, new.next_object_id, new.next_constraint_number) == new


def test_rights_come_from_ownership_grants_roles_and_any_privileges() -> None:
    catalog = _catalog()
    table = catalog.table(1)
    assert Privileges(catalog, "A").has_object(table, "SELECT")
    with ora(942):
        Privileges(catalog, "B").require_object(table, "SELECT")
    catalog.roles["R"] = Role("R", 50)
    catalog.roles["INNER"] = Role("INNER", 51)
    catalog.role_grants["B", "R"] = RoleGrant("B", "R")
    catalog.role_grants["R", "INNER"] = RoleGrant("R", "INNER")
    catalog.object_grants["INNER", "A", "T", "INSERT", "A"] = ObjectGrant("INNER", "A", "T", 1, "INSERT", "A")
    with ora(1031):
        Privileges(catalog, "B").require_object(table, "SELECT")
    Privileges(catalog, "B").require_object(table, "INSERT")
    catalog.system_grants["C", "SELECT ANY TABLE"] = SystemGrant("C", "SELECT ANY TABLE")
    assert Privileges(catalog, "C").has_object(table, "SELECT")
    assert not Privileges(catalog, "C").has_object(table, "DELETE")


@given(st.integers(0, 2**40), st.integers(0, 2**32 - 1))
def test_rowids_keep_order_and_come_back(ordinal: int, data_object_id: int) -> None:
    rid = rowids.rid_of(ordinal)
    assert rid < 2**63
    assert rowids.ordinal_of(rid) == ordinal
    assert rowids.rid_of(ordinal + 1) > rid
    rowid = rowids.rowid_offset(data_object_id) + rid
    assert rowids.from_text(rowids.to_text(rowid)) == rowid


@pytest.mark.parametrize("text", ["", "AAAA", "AAARFxAAEAAAAAAAA!", "AAARFxAAEAAAAAAAAAA"])
def test_what_is_no_rowid_is_refused(text: str) -> None:
    with ora(1410):
        rowids.from_text(text)


@given(st.lists(st.tuples(st.sampled_from(["commit", "tick"]), st.integers(0, 5)), max_size=30))
def test_the_scn_log_answers_both_ways(events: list[tuple[str, int]]) -> None:
    clock = Clock(frozen_at=datetime(2026, 1, 1, tzinfo=UTC))
    log = ScnLog()
    registry = TransactionRegistry(clock, log, 1, 900)
    registry.current_scn()
    for event, seconds in events:
        clock.advance(seconds)
        if event == "commit":
            transaction = registry.begin(1)
            scn = log.reserve()
            assert registry.current_scn() < scn, "time must not take a reserved number"
            registry.committed(transaction, scn, clock.now())
        scn = registry.current_scn()
        assert log.at(clock.now()) == scn
    assert log.scns == sorted(set(log.scns))
    for scn, moment in zip(log.scns, log.moments, strict=True):
        assert log.moment_of(scn) == moment
        assert log.at(moment) >= scn
    with pytest.raises(OracleError):
        log.moment_of(log.current + 1)


@given(st.lists(st.sampled_from(["begin", "commit", "rollback"]), min_size=1, max_size=25), st.data())
def test_a_snapshot_sees_exactly_what_was_committed_and_its_own(actions: list[str], data: st.DataObject) -> None:
    clock = Clock(frozen_at=datetime(2026, 1, 1, tzinfo=UTC))
    registry = TransactionRegistry(clock, ScnLog(), 1, 900)
    committed: dict[int, int] = {}
    for action in actions:
        if action == "begin":
            registry.begin(1)
        elif registry.open:
            number = data.draw(st.sampled_from(sorted(registry.open)))
            if action == "commit":
                scn = registry.log.reserve()
                registry.committed(registry.open[number], scn, clock.now())
                committed[number] = scn
            else:
                registry.ended(registry.open[number])
                committed[number] = -1  # its versions are gone: whether they would be seen does not matter
    own = data.draw(st.sampled_from([None, *registry.open.values()]))
    wanted = data.draw(st.sampled_from([None, *registry.log.scns]))
    snapshot = registry.snapshot(wanted, own)
    for number in range(1, registry.next_number):
        if committed.get(number) == -1:
            continue
        sees = number << STATEMENT_BITS <= snapshot.limit and number not in snapshot.excluded
        expected = (own is not None and number == own.number) or (number in committed and committed[number] <= snapshot.scn)
        assert sees is expected


def test_zones_and_clocks() -> None:
    summer, winter = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert zone_offset("America/New_York", summer) == timedelta(hours=-4)
    assert zone_offset("America/New_York", winter) == timedelta(hours=-5)
    assert zone_offset("-03:30", winter) == timedelta(hours=-3, minutes=-30)
    with ora(1882):
        zone_offset("Nowhere/Land", winter)
    clock = Clock()
    before = clock.now()
    clock.advance(3600)
    assert clock.now() - before >= timedelta(hours=1)
    clock.freeze(winter)
    clock.advance(1)
    assert clock.now() == winter + timedelta(seconds=1)

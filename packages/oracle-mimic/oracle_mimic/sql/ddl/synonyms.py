"""CREATE [OR REPLACE] [PUBLIC] SYNONYM, DROP [PUBLIC] SYNONYM."""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import PUBLIC, Synonym
from oracle_mimic.sql.ddl.change import Action, Change, ObjectName, object_name
from oracle_mimic.sql.parser.tokens import TokenReader


def parse_create(reader: TokenReader, *, replace: bool, public: bool) -> Action:
    """CREATE SYNONYM name FOR [owner.]object; the object need not exist."""
    name = object_name(reader, 995, "missing or invalid synonym identifier")
    reader.expect_word("FOR")
    target = object_name(reader)

    def apply(change: Change) -> None:
        if public:
            change.privileges.require_system("CREATE PUBLIC SYNONYM")
            owner = PUBLIC
        else:
            owner = change.owner_of(name)
            change.require_create(owner, "SYNONYM")
        old = change.catalog.get(owner, name.name)
        if old is not None and not (replace and isinstance(old, Synonym)):
            raise OracleError(955, "name is already used by an existing object")
        target_owner = target.owner or change.session.current_schema
        if (target_owner, target.name) == (owner, name.name):
            raise OracleError(1471, "cannot create a synonym with same name as object")
        object_id = old.object_id if old is not None else change.catalog.allot_object_id()
        change.put(Synonym(object_id, owner, name.name, change.moment, change.moment, target_owner, target.name))

    return Action(apply)


def parse_drop(reader: TokenReader, *, public: bool) -> Action:
    """DROP SYNONYM [FORCE]."""
    name = object_name(reader, 995, "missing or invalid synonym identifier")
    reader.take_word("FORCE")

    def apply(change: Change) -> None:
        missing = OracleError(1432 if public else 1434, f"{'public' if public else 'private'} synonym to be dropped does not exist")
        if public:
            change.privileges.require_system("DROP PUBLIC SYNONYM")
            found = change.find(ObjectName(PUBLIC, name.name), Synonym, missing)
        else:
            found = change.find(name, Synonym, missing)
            change.require(found, "DROP")
        change.catalog.remove(found.object_id)

    return Action(apply)

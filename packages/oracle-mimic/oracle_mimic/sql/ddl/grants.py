"""GRANT and REVOKE: object privileges (WITH GRANT OPTION), system privileges and roles (WITH ADMIN OPTION)."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.catalog import PUBLIC, ObjectGrant, RoleGrant, Sequence, SystemGrant, Table, View
from oracle_mimic.sql.ddl.change import Action, Change, ObjectName, object_name
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.sql.privileges import GRANTED_PACKAGES, OBJECT_PRIVILEGES, ROLE_PRIVILEGES, SYSTEM_PRIVILEGES, object_type


@dataclass(slots=True)
class _Grant:
    privileges: list[str]
    target: ObjectName | None
    grantees: list[str]
    option: bool = False


def _privilege(reader: TokenReader) -> str:
    """One privilege or role: words up to a comma, ON, TO or FROM."""
    if reader.token.kind is TokenKind.QUOTED:
        return reader.advance().value
    words: list[str] = []
    while reader.token.kind is TokenKind.WORD and not reader.at_word("ON", "TO", "FROM"):
        words.append(reader.advance().value)
        if words == ["ON"]:
            break
    if reader.at_op("("):
        raise refused("privileges on columns", offset=reader.token.start)
    if not words:
        raise reader.error(990, "missing or invalid privilege")
    return " ".join(words)


def _parse(reader: TokenReader, word: str) -> _Grant:
    privileges = [_privilege(reader)]
    while reader.take_op(","):
        privileges.append(_privilege(reader))
    target: ObjectName | None = None
    if reader.take_word("ON"):
        if reader.at_word("DIRECTORY", "USER", "EDITION", "JAVA", "MINING"):
            raise refused(f"privileges ON {reader.token.value}", offset=reader.token.start)
        target = object_name(reader)
    reader.expect_word(word)
    grantees = [_grantee(reader)]
    while reader.take_op(","):
        grantees.append(_grantee(reader))
    return _Grant(privileges, target, grantees)


def _grantee(reader: TokenReader) -> str:
    if reader.take_word("PUBLIC"):
        return PUBLIC
    return reader.identifier(987, "missing or invalid username(s)").name


def parse_grant(reader: TokenReader) -> Action:
    """GRANT ... TO ... [WITH GRANT | ADMIN OPTION]."""
    grant = _parse(reader, "TO")
    if reader.at_word("IDENTIFIED"):
        raise refused("GRANT ... IDENTIFIED BY", offset=reader.token.start)
    if reader.take_word("WITH"):
        reader.expect_word("GRANT" if grant.target is not None else "ADMIN", "HIERARCHY")
        reader.expect_word("OPTION")
        grant.option = True
    target = grant.target
    return Action(lambda change: _grant_object(change, grant, target) if target is not None else _grant_system(change, grant))


def parse_revoke(reader: TokenReader) -> Action:
    """REVOKE ... FROM ... [CASCADE CONSTRAINTS]."""
    grant = _parse(reader, "FROM")
    reader.take_words("CASCADE", "CONSTRAINTS")
    reader.take_word("FORCE")
    target = grant.target
    return Action(lambda change: _revoke_object(change, grant, target) if target is not None else _revoke_system(change, grant))


def _check_grantee(change: Change, grantee: str) -> None:
    if grantee != PUBLIC and grantee not in change.catalog.users and grantee not in change.catalog.roles:
        raise OracleError(1917, f"user or role '{grantee}' does not exist")


def _object(change: Change, target: ObjectName) -> tuple[str, str, int, str]:
    """(owner, name, object id, kind) of a table, view, sequence, or of a dictionary view or package of SYS; ORA-00942."""
    owner, name = change.catalog.resolve(change.session.current_schema, target.owner, target.name)
    found = change.catalog.get(owner, name)
    if isinstance(found, (Table, View, Sequence)):
        if not change.privileges.sees(found) and not change.privileges.has_system("GRANT ANY OBJECT PRIVILEGE"):
            raise OracleError(942, "table or view does not exist")
        return found.owner, found.name, found.object_id, object_type(found)
    if target.name in GRANTED_PACKAGES and target.owner in (None, "SYS"):
        return "SYS", target.name, 0, "PACKAGE"
    virtual = change.session.database.virtual.find(target.owner, target.name, change.privileges, change.session.current_schema)
    if virtual is None:
        raise OracleError(942, "table or view does not exist")
    if virtual.name != target.name:
        raise OracleError(2030, "can only select from fixed tables/views")
    return "SYS", virtual.name, 0, "VIEW"


def _object_privileges(grant: _Grant, kind: str) -> list[str]:
    known = OBJECT_PRIVILEGES[kind]
    names: list[str] = []
    for privilege in grant.privileges:
        if privilege in ("ALL", "ALL PRIVILEGES"):
            names += sorted(known - {"READ", "ON COMMIT REFRESH", "QUERY REWRITE"})
        elif privilege in known:
            names.append(privilege)
        elif any(privilege in others for others in OBJECT_PRIVILEGES.values()):
            raise OracleError(2204 if kind == "VIEW" else 2205, f"{privilege} not allowed for {kind.lower()}s")
        else:
            raise OracleError(990, "missing or invalid privilege")
    return names


def _grant_object(change: Change, grant: _Grant, target: ObjectName) -> None:
    owner, name, object_id, kind = _object(change, target)
    privileges = _object_privileges(grant, kind)
    user = change.session.user
    may_all = user in (owner, "SYS") or change.privileges.has_system("GRANT ANY OBJECT PRIVILEGE")
    if owner == "SYS" and not may_all:
        may_all = change.privileges.has_role("DBA")
    for privilege in privileges:
        held = [g for g in change.catalog.object_grants.values() if (g.owner, g.name, g.privilege) == (owner, name, privilege)]
        if not may_all and not any(g.grantable and g.grantee in change.privileges.grantees for g in held):
            raise OracleError(1031, "insufficient privileges")
        grantor = owner if may_all else user
        for grantee in grant.grantees:
            _check_grantee(change, grantee)
            if grantee == owner:
                raise OracleError(1749, "you may not GRANT/REVOKE privileges to/from yourself")
            if grant.option and grantee in change.catalog.roles:
                raise OracleError(1926, "cannot GRANT to a role WITH GRANT OPTION")
            key = (grantee, owner, name, privilege, grantor)
            old = change.catalog.object_grants.get(key)
            option = grant.option or (old is not None and old.grantable)
            change.catalog.object_grants[key] = ObjectGrant(grantee, owner, name, object_id, privilege, grantor, option)


def _revoke_object(change: Change, grant: _Grant, target: ObjectName) -> None:
    owner, name, _, kind = _object(change, target)
    user = change.session.user
    everything = user in (owner, "SYS") or change.privileges.has_system("GRANT ANY OBJECT PRIVILEGE")
    for grantee in grant.grantees:
        _check_grantee(change, grantee)
        found = False
        for privilege in _object_privileges(grant, kind):
            for key in [k for k in change.catalog.object_grants if k[:4] == (grantee, owner, name, privilege)]:
                if everything or key[4] == user:
                    del change.catalog.object_grants[key]
                    found = True
                    _revoke_passed_on(change, owner, name, privilege, grantee)
        if not found and not any(p.startswith("ALL") for p in grant.privileges):
            raise OracleError(1927, "cannot REVOKE privileges you did not grant")


def _revoke_passed_on(change: Change, owner: str, name: str, privilege: str, grantor: str) -> None:
    """What the loser had granted further is lost, too."""
    if any(k[:4] == (grantor, owner, name, privilege) for k in change.catalog.object_grants):
        return
    for key in [k for k in change.catalog.object_grants if k[1:] == (owner, name, privilege, grantor)]:
        del change.catalog.object_grants[key]
        _revoke_passed_on(change, owner, name, privilege, key[0])


def _split(change: Change, grant: _Grant) -> tuple[list[str], list[str]]:
    """(roles, system privileges) of a statement without ON; ORA-01919 or ORA-00990 for what is neither."""
    roles: list[str] = []
    system: list[str] = []
    for privilege in grant.privileges:
        if privilege in change.catalog.roles:
            roles.append(privilege)
        elif privilege in SYSTEM_PRIVILEGES:
            system.append(privilege)
        elif privilege == "ALL PRIVILEGES":
            system += sorted(ROLE_PRIVILEGES["DBA"])
        elif " " in privilege:
            raise OracleError(990, "missing or invalid privilege")
        else:
            raise OracleError(1919, f"role '{privilege}' does not exist")
    return roles, system


def _grant_system(change: Change, grant: _Grant) -> None:
    roles, system = _split(change, grant)
    _require_admin(change, roles, system)
    catalog = change.catalog
    for grantee in grant.grantees:
        _check_grantee(change, grantee)
        for role in roles:
            if role == grantee or (role in catalog.roles and grantee in catalog.grantees(role) and grantee in catalog.roles):
                raise OracleError(1934, "circular role grant detected")
            catalog.role_grants[grantee, role] = RoleGrant(grantee, role, grant.option)
        for privilege in system:
            catalog.system_grants[grantee, privilege] = SystemGrant(grantee, privilege, grant.option)


def _require_admin(change: Change, roles: list[str], system: list[str]) -> None:
    grantees = change.privileges.grantees
    for role in roles:
        admin = any(g.admin and g.role == role and g.grantee in grantees for g in change.catalog.role_grants.values())
        if not admin and not change.privileges.has_system("GRANT ANY ROLE"):
            raise OracleError(1932, f"ADMIN option not granted for role '{role}'")
    for privilege in system:
        admin = any(g.admin and g.privilege == privilege and g.grantee in grantees for g in change.catalog.system_grants.values())
        if not admin and not change.privileges.has_system("GRANT ANY PRIVILEGE"):
            raise OracleError(1031, "insufficient privileges")


def _revoke_system(change: Change, grant: _Grant) -> None:
    roles, system = _split(change, grant)
    _require_admin(change, roles, system)
    for grantee in grant.grantees:
        _check_grantee(change, grantee)
        for role in roles:
            if change.catalog.role_grants.pop((grantee, role), None) is None:
                raise OracleError(1951, f"ROLE '{role}' not granted to '{grantee}'")
        for privilege in system:
            if change.catalog.system_grants.pop((grantee, privilege), None) is None and "ALL PRIVILEGES" not in grant.privileges:
                raise OracleError(1952, f"system privileges not granted to '{grantee}'")


__all__ = ["parse_grant", "parse_revoke"]

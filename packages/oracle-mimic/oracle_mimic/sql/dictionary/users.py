"""Users, roles and what was granted to whom: USERS, ROLES, *_PRIVS, SESSION_PRIVS, SESSION_ROLES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from oracle_mimic.sql import accounts
from oracle_mimic.sql.catalog import ObjectGrant, User
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, single
from oracle_mimic.sql.privileges import SYSTEM_PRIVILEGES, object_type

_ALL_USERS = """
    USERNAME VARCHAR2(128) NOT NULL
    USER_ID NUMBER NOT NULL
    CREATED DATE NOT NULL
    COMMON VARCHAR2(3) = NO
    ORACLE_MAINTAINED VARCHAR2(1)
    INHERITED VARCHAR2(3) = NO
    DEFAULT_COLLATION VARCHAR2(100) = USING_NLS_COMP
    IMPLICIT VARCHAR2(3) = NO
    ALL_SHARD VARCHAR2(3) = NO
"""
_USER_USERS = """
    USERNAME VARCHAR2(128) NOT NULL
    USER_ID NUMBER NOT NULL
    ACCOUNT_STATUS VARCHAR2(32) NOT NULL
    LOCK_DATE DATE
    EXPIRY_DATE DATE
    DEFAULT_TABLESPACE VARCHAR2(30) NOT NULL
    TEMPORARY_TABLESPACE VARCHAR2(30) NOT NULL
    LOCAL_TEMP_TABLESPACE VARCHAR2(30)
    CREATED DATE NOT NULL
    INITIAL_RSRC_CONSUMER_GROUP VARCHAR2(128)
    EXTERNAL_NAME VARCHAR2(4000)
    PROXY_ONLY_CONNECT VARCHAR2(1) = N
    COMMON VARCHAR2(3) = NO
    ORACLE_MAINTAINED VARCHAR2(1)
    INHERITED VARCHAR2(3) = NO
    DEFAULT_COLLATION VARCHAR2(100) = USING_NLS_COMP
    IMPLICIT VARCHAR2(3) = NO
    ALL_SHARD VARCHAR2(3) = NO
"""
_DBA_USERS = """
    USERNAME VARCHAR2(128) NOT NULL
    USER_ID NUMBER NOT NULL
    PASSWORD VARCHAR2(4000)
    ACCOUNT_STATUS VARCHAR2(32) NOT NULL
    LOCK_DATE DATE
    EXPIRY_DATE DATE
    DEFAULT_TABLESPACE VARCHAR2(30) NOT NULL
    TEMPORARY_TABLESPACE VARCHAR2(30) NOT NULL
    LOCAL_TEMP_TABLESPACE VARCHAR2(30)
    CREATED DATE NOT NULL
    PROFILE VARCHAR2(128) = DEFAULT
    INITIAL_RSRC_CONSUMER_GROUP VARCHAR2(128)
    EXTERNAL_NAME VARCHAR2(4000)
    PASSWORD_VERSIONS VARCHAR2(17)
    EDITIONS_ENABLED VARCHAR2(1) = N
    AUTHENTICATION_TYPE VARCHAR2(8)
    PROXY_ONLY_CONNECT VARCHAR2(1) = N
    COMMON VARCHAR2(3) = NO
    ORACLE_MAINTAINED VARCHAR2(1)
    INHERITED VARCHAR2(3) = NO
    DEFAULT_COLLATION VARCHAR2(100) = USING_NLS_COMP
    IMPLICIT VARCHAR2(3) = NO
    ALL_SHARD VARCHAR2(3) = NO
"""
_DBA_PROFILES = """
    PROFILE VARCHAR2(128) NOT NULL
    RESOURCE_NAME VARCHAR2(32) NOT NULL
    RESOURCE_TYPE VARCHAR2(8)
    LIMIT VARCHAR2(128)
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
    IMPLICIT VARCHAR2(3) = NO
"""
_LIMITS = """
    RESOURCE_NAME VARCHAR2(32) NOT NULL
    LIMIT VARCHAR2(128)
"""
_GRANT_TAIL = """
    PRIVILEGE VARCHAR2(40) NOT NULL
    GRANTABLE VARCHAR2(3)
    HIERARCHY VARCHAR2(3) = NO
    COMMON VARCHAR2(3) = NO
    TYPE VARCHAR2(24)
    INHERITED VARCHAR2(3) = NO
"""
_GRANTEE, _GRANTOR = "\n    GRANTEE VARCHAR2(128) NOT NULL", "\n    GRANTOR VARCHAR2(128) NOT NULL"
_OWNER, _TABLE = "\n    OWNER VARCHAR2(128) NOT NULL", "\n    TABLE_NAME VARCHAR2(128) NOT NULL"
_SCHEMA = "\n    TABLE_SCHEMA VARCHAR2(128) NOT NULL"
_COLUMN_TAIL = """
    COLUMN_NAME VARCHAR2(128) NOT NULL
    PRIVILEGE VARCHAR2(40) NOT NULL
    GRANTABLE VARCHAR2(3)
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""
_SYS_PRIVS = """
    {holder} VARCHAR2(128)
    PRIVILEGE VARCHAR2(40)
    ADMIN_OPTION VARCHAR2(3)
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""
_DBA_ROLE_PRIVS = """
    GRANTEE VARCHAR2(128)
    GRANTED_ROLE VARCHAR2(128) NOT NULL
    ADMIN_OPTION VARCHAR2(3)
    DELEGATE_OPTION VARCHAR2(3) = NO
    DEFAULT_ROLE VARCHAR2(3) = YES
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""
_USER_ROLE_PRIVS = """
    USERNAME VARCHAR2(128)
    GRANTED_ROLE VARCHAR2(128) NOT NULL
    ADMIN_OPTION VARCHAR2(3)
    DELEGATE_OPTION VARCHAR2(3) = NO
    DEFAULT_ROLE VARCHAR2(3) = YES
    OS_GRANTED VARCHAR2(3) = NO
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""
_ROLES = """
    ROLE VARCHAR2(128) NOT NULL
    ROLE_ID NUMBER NOT NULL
    PASSWORD_REQUIRED VARCHAR2(8) = NO
    AUTHENTICATION_TYPE VARCHAR2(11) = NONE
    COMMON VARCHAR2(3) = NO
    ORACLE_MAINTAINED VARCHAR2(1)
    INHERITED VARCHAR2(3) = NO
    IMPLICIT VARCHAR2(3) = NO
    EXTERNAL_NAME VARCHAR2(4000)
"""
_ROLE_ROLE_PRIVS = """
    ROLE VARCHAR2(128) NOT NULL
    GRANTED_ROLE VARCHAR2(128) NOT NULL
    ADMIN_OPTION VARCHAR2(3)
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""
_ROLE_TAB_PRIVS = """
    ROLE VARCHAR2(128) NOT NULL
    OWNER VARCHAR2(128) NOT NULL
    TABLE_NAME VARCHAR2(128) NOT NULL
    COLUMN_NAME VARCHAR2(128)
    PRIVILEGE VARCHAR2(40) NOT NULL
    GRANTABLE VARCHAR2(3)
    COMMON VARCHAR2(3) = NO
    INHERITED VARCHAR2(3) = NO
"""


def _yes_no(condition: bool) -> str:
    return "YES" if condition else "NO"


def _user_row(scope: Scope, user: User) -> Row:
    return {
        "USERNAME": user.name,
        "USER_ID": user.user_id,
        "CREATED": scope.local(user.created),
        "ORACLE_MAINTAINED": "Y" if user.oracle_maintained else "N",
        "ACCOUNT_STATUS": accounts.status(scope.catalog, user, scope.database.clock.now().astimezone(UTC).replace(tzinfo=None)),
        "EXPIRY_DATE": scope.local(accounts.expires_at(scope.catalog, user)),
        "PROFILE": user.profile,
        "LOCK_DATE": scope.local(user.locked_at),
        "DEFAULT_TABLESPACE": user.default_tablespace,
        "TEMPORARY_TABLESPACE": user.temporary_tablespace,
        "LOCAL_TEMP_TABLESPACE": user.temporary_tablespace,
        "PASSWORD_VERSIONS": None if user.key is None else "12C",
        "AUTHENTICATION_TYPE": "NONE" if user.key is None else "PASSWORD",
    }


def _profiles(scope: Scope) -> Iterator[Row]:
    for profile in scope.catalog.profiles.values():
        for resource, value in profile.limits.items():
            kind = "KERNEL" if resource in accounts.KERNEL_LIMITS else "PASSWORD"
            yield {"PROFILE": profile.name, "RESOURCE_NAME": resource, "RESOURCE_TYPE": kind, "LIMIT": value}


def _own_limits(scope: Scope, resources: Iterable[str]) -> Iterator[Row]:
    """The limits of the user's profile, those of DEFAULT in place of DEFAULT."""
    profiles = scope.catalog.profiles
    limits, standard = profiles[scope.catalog.users[scope.user].profile].limits, profiles[accounts.DEFAULT_PROFILE].limits
    for resource in resources:
        value = limits[resource]
        yield {"RESOURCE_NAME": resource, "LIMIT": standard[resource] if value == accounts.DEFAULT_PROFILE else value}


def _password_limits(scope: Scope) -> Iterator[Row]:
    return _own_limits(scope, accounts.PASSWORD_LIMITS)


def _resource_limits(scope: Scope) -> Iterator[Row]:
    return _own_limits(scope, accounts.KERNEL_LIMITS)


def _users(scope: Scope) -> Iterator[Row]:
    shown = [scope.catalog.users[scope.user]] if scope.level == "USER" else scope.catalog.users.values()
    return (_user_row(scope, user) for user in shown)


def _own_names(scope: Scope) -> frozenset[str]:
    """Through whom a user holds grants in the ALL_ views: himself, PUBLIC and his roles."""
    return scope.privileges.grantees


def _type_of(scope: Scope, grant: ObjectGrant) -> str:
    entry = scope.catalog.objects.get(grant.object_id)
    return "VIEW" if entry is None else object_type(entry)


def _shown_grants(scope: Scope) -> Iterator[ObjectGrant]:
    for grant in scope.catalog.object_grants.values():
        if scope.level == "DBA":
            yield grant
        elif scope.level == "ALL":
            if scope.user in (grant.owner, grant.grantor) or grant.grantee in _own_names(scope):
                yield grant
        elif scope.user in (grant.owner, grant.grantor, grant.grantee):
            yield grant


def _grant_row(scope: Scope, grant: ObjectGrant) -> Row:
    return {
        "GRANTEE": grant.grantee,
        "GRANTOR": grant.grantor,
        "OWNER": grant.owner,
        "TABLE_SCHEMA": grant.owner,
        "TABLE_NAME": grant.name,
        "PRIVILEGE": grant.privilege,
        "GRANTABLE": _yes_no(grant.grantable),
        "TYPE": _type_of(scope, grant),
    }


def _tab_privs(scope: Scope) -> Iterator[Row]:
    return (_grant_row(scope, grant) for grant in _shown_grants(scope) if grant.column is None)


def _col_privs(scope: Scope) -> Iterator[Row]:
    shown = (grant for grant in _shown_grants(scope) if grant.column is not None)
    return ({**_grant_row(scope, grant), "COLUMN_NAME": grant.column} for grant in shown)


def _tab_privs_made(scope: Scope) -> Iterator[Row]:
    shown = (grant for grant in _shown_grants(scope) if grant.column is None)
    if scope.level == "USER":
        return (_grant_row(scope, grant) for grant in shown if grant.owner == scope.user)
    return (_grant_row(scope, grant) for grant in shown if scope.user in (grant.owner, grant.grantor))


def _tab_privs_received(scope: Scope) -> Iterator[Row]:
    names = {scope.user} if scope.level == "USER" else _own_names(scope)
    return (_grant_row(scope, grant) for grant in _shown_grants(scope) if grant.column is None and grant.grantee in names)


def _sys_privs(scope: Scope) -> Iterator[Row]:
    for grant in scope.catalog.system_grants.values():
        if scope.level == "DBA" or grant.grantee in (scope.user, "PUBLIC"):
            yield {
                "GRANTEE": grant.grantee, "USERNAME": grant.grantee, "PRIVILEGE": grant.privilege, "ADMIN_OPTION": _yes_no(grant.admin),
            }  # fmt: skip


def _role_privs(scope: Scope) -> Iterator[Row]:
    for grant in scope.catalog.role_grants.values():
        if scope.level == "DBA" or grant.grantee in (scope.user, "PUBLIC"):
            yield {
                "GRANTEE": grant.grantee, "USERNAME": grant.grantee, "GRANTED_ROLE": grant.role, "ADMIN_OPTION": _yes_no(grant.admin),
            }  # fmt: skip


def _roles(scope: Scope) -> Iterator[Row]:
    for role in scope.catalog.roles.values():
        yield {"ROLE": role.name, "ROLE_ID": role.role_id, "ORACLE_MAINTAINED": "Y" if role.oracle_maintained else "N"}


def _own_roles(scope: Scope) -> frozenset[str]:
    """The roles a user may look into: those he holds."""
    return frozenset(scope.catalog.roles) & scope.privileges.grantees


def _role_sys_privs(scope: Scope) -> Iterator[Row]:
    roles = _own_roles(scope)
    for grant in scope.catalog.system_grants.values():
        if grant.grantee in roles:
            yield {"ROLE": grant.grantee, "PRIVILEGE": grant.privilege, "ADMIN_OPTION": _yes_no(grant.admin)}


def _role_role_privs(scope: Scope) -> Iterator[Row]:
    roles = _own_roles(scope)
    for grant in scope.catalog.role_grants.values():
        if grant.grantee in roles:
            yield {"ROLE": grant.grantee, "GRANTED_ROLE": grant.role, "ADMIN_OPTION": _yes_no(grant.admin)}


def _role_tab_privs(scope: Scope) -> Iterator[Row]:
    roles = _own_roles(scope)
    for grant in scope.catalog.object_grants.values():
        if grant.grantee in roles:
            yield {**_grant_row(scope, grant), "COLUMN_NAME": grant.column, "ROLE": grant.grantee}


def _session_privs(scope: Scope) -> Iterator[Row]:
    held = SYSTEM_PRIVILEGES - {"SYSDBA", "SYSOPER"} if scope.user == "SYS" else scope.privileges.system
    return ({"PRIVILEGE": privilege} for privilege in sorted(held))


def _session_roles(scope: Scope) -> Iterator[Row]:
    return ({"ROLE": role} for role in sorted(_own_roles(scope)))


VIEWS: tuple[DictionaryView, ...] = (
    *single("ALL_USERS", _ALL_USERS, _users, level="ALL", lasting=True),
    *single("USER_USERS", _USER_USERS, _users, level="USER"),
    *single("DBA_USERS", _DBA_USERS, _users, open_to_all=False),
    *single("DBA_PROFILES", _DBA_PROFILES, _profiles, open_to_all=False, lasting=True),
    *single("USER_PASSWORD_LIMITS", _LIMITS, _password_limits, level="USER", lasting=True),
    *single("USER_RESOURCE_LIMITS", _LIMITS, _resource_limits, level="USER", lasting=True),
    *single("ALL_TAB_PRIVS", f"{_GRANTOR}{_GRANTEE}{_SCHEMA}{_TABLE}{_GRANT_TAIL}", _tab_privs, level="ALL", lasting=True),
    *single("USER_TAB_PRIVS", f"{_GRANTEE}{_OWNER}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs, level="USER", lasting=True),
    *single("DBA_TAB_PRIVS", f"{_GRANTEE}{_OWNER}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs, open_to_all=False, lasting=True),
    *single("ALL_COL_PRIVS", f"{_GRANTOR}{_GRANTEE}{_SCHEMA}{_TABLE}{_COLUMN_TAIL}", _col_privs, level="ALL", lasting=True),
    *single("USER_COL_PRIVS", f"{_GRANTEE}{_OWNER}{_TABLE}{_COLUMN_TAIL}", _col_privs, level="USER", lasting=True),
    *single("DBA_COL_PRIVS", f"{_GRANTEE}{_OWNER}{_TABLE}{_COLUMN_TAIL}", _col_privs, open_to_all=False, lasting=True),
    *single("ALL_TAB_PRIVS_MADE", f"{_GRANTEE}{_OWNER}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs_made, level="ALL", lasting=True),
    *single("USER_TAB_PRIVS_MADE", f"{_GRANTEE}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs_made, level="USER", lasting=True),
    *single("ALL_TAB_PRIVS_RECD", f"{_GRANTEE}{_OWNER}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs_received, level="ALL", lasting=True),
    *single("USER_TAB_PRIVS_RECD", f"{_OWNER}{_TABLE}{_GRANTOR}{_GRANT_TAIL}", _tab_privs_received, level="USER", lasting=True),
    *single("USER_SYS_PRIVS", _SYS_PRIVS.format(holder="USERNAME"), _sys_privs, level="USER", lasting=True),
    *single("DBA_SYS_PRIVS", _SYS_PRIVS.format(holder="GRANTEE"), _sys_privs, open_to_all=False, lasting=True),
    *single("USER_ROLE_PRIVS", _USER_ROLE_PRIVS, _role_privs, level="USER", lasting=True),
    *single("DBA_ROLE_PRIVS", _DBA_ROLE_PRIVS, _role_privs, open_to_all=False, lasting=True),
    *single("DBA_ROLES", _ROLES, _roles, open_to_all=False, lasting=True),
    *single("ROLE_SYS_PRIVS", _SYS_PRIVS.format(holder="ROLE"), _role_sys_privs, lasting=True),
    *single("ROLE_ROLE_PRIVS", _ROLE_ROLE_PRIVS, _role_role_privs, lasting=True),
    *single("ROLE_TAB_PRIVS", _ROLE_TAB_PRIVS, _role_tab_privs, lasting=True),
    *single("SESSION_PRIVS", "PRIVILEGE VARCHAR2(40) NOT NULL", _session_privs, lasting=True),
    *single("SESSION_ROLES", "ROLE VARCHAR2(128) NOT NULL", _session_roles, lasting=True),
)

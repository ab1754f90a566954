"""Who may do what: system privileges, roles and object privileges judged on a `Catalog`.

A missing right to see an object is ORA-00942, a missing right to do something with a visible one ORA-01031, as in Oracle.
"""

from __future__ import annotations

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Catalog, Sequence, Table, View

OBJECT_PRIVILEGES: dict[str, frozenset[str]] = {
    "TABLE": frozenset(
        {"SELECT", "INSERT", "UPDATE", "DELETE", "ALTER", "INDEX", "REFERENCES", "READ", "FLASHBACK", "DEBUG", "ON COMMIT REFRESH"}
        | {"QUERY REWRITE"}
    ),
    "VIEW": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "READ", "FLASHBACK", "DEBUG"}),
    "SEQUENCE": frozenset({"SELECT", "ALTER"}),
    "PACKAGE": frozenset({"EXECUTE", "DEBUG"}),
}

# SYS's packages that take EXECUTE; the other supplied ones are open to PUBLIC
GRANTED_PACKAGES = frozenset({"DBMS_CRYPTO", "DBMS_FLASHBACK"})

# object privilege -> the system privilege that gives it on every schema but SYS
ANY_PRIVILEGE: dict[tuple[str, str], tuple[str, ...]] = {
    ("TABLE", "SELECT"): ("SELECT ANY TABLE",),
    ("TABLE", "READ"): ("READ ANY TABLE", "SELECT ANY TABLE"),
    ("TABLE", "INSERT"): ("INSERT ANY TABLE",),
    ("TABLE", "UPDATE"): ("UPDATE ANY TABLE",),
    ("TABLE", "DELETE"): ("DELETE ANY TABLE",),
    ("TABLE", "LOCK"): ("LOCK ANY TABLE",),
    ("TABLE", "ALTER"): ("ALTER ANY TABLE",),
    ("TABLE", "DROP"): ("DROP ANY TABLE",),
    ("TABLE", "COMMENT"): ("COMMENT ANY TABLE",),
    ("TABLE", "INDEX"): ("CREATE ANY INDEX",),
    ("TABLE", "FLASHBACK"): ("FLASHBACK ANY TABLE",),
    ("VIEW", "SELECT"): ("SELECT ANY TABLE",),
    ("VIEW", "READ"): ("READ ANY TABLE", "SELECT ANY TABLE"),
    ("VIEW", "DROP"): ("DROP ANY VIEW",),
    ("VIEW", "COMMENT"): ("COMMENT ANY TABLE",),
    ("SEQUENCE", "SELECT"): ("SELECT ANY SEQUENCE",),
    ("SEQUENCE", "ALTER"): ("ALTER ANY SEQUENCE",),
    ("SEQUENCE", "DROP"): ("DROP ANY SEQUENCE",),
    ("SYNONYM", "DROP"): ("DROP ANY SYNONYM",),
    ("INDEX", "DROP"): ("DROP ANY INDEX",),
    ("INDEX", "ALTER"): ("ALTER ANY INDEX",),
}

_CONNECT = ("CREATE SESSION", "SET CONTAINER")
_RESOURCE = (
    "CREATE CLUSTER", "CREATE INDEXTYPE", "CREATE OPERATOR", "CREATE PROCEDURE", "CREATE SEQUENCE", "CREATE TABLE", "CREATE TRIGGER",
    "CREATE TYPE",
)  # fmt: skip
_DBA = (
    *_CONNECT, *_RESOURCE, "ALTER ANY INDEX", "ALTER ANY SEQUENCE", "ALTER ANY TABLE", "ALTER DATABASE", "ALTER PROFILE",
    "ALTER SESSION", "ALTER SYSTEM", "ALTER USER", "ANALYZE ANY", "COMMENT ANY TABLE", "CREATE ANY INDEX", "CREATE ANY SEQUENCE",
    "CREATE ANY SYNONYM", "CREATE ANY TABLE", "CREATE ANY VIEW", "CREATE MATERIALIZED VIEW", "CREATE PROFILE",
    "CREATE PUBLIC SYNONYM", "CREATE ROLE", "CREATE SYNONYM", "CREATE USER", "CREATE VIEW", "DELETE ANY TABLE", "DROP ANY INDEX",
    "DROP ANY ROLE", "DROP ANY SEQUENCE", "DROP ANY SYNONYM", "DROP ANY TABLE", "DROP ANY VIEW", "DROP PROFILE",
    "DROP PUBLIC SYNONYM", "DROP USER", "FLASHBACK ANY TABLE", "GRANT ANY OBJECT PRIVILEGE", "GRANT ANY PRIVILEGE", "GRANT ANY ROLE",
    "INSERT ANY TABLE", "LOCK ANY TABLE", "READ ANY TABLE", "RESTRICTED SESSION", "SELECT ANY DICTIONARY", "SELECT ANY SEQUENCE",
    "SELECT ANY TABLE", "SELECT ANY TRANSACTION", "UNLIMITED TABLESPACE", "UPDATE ANY TABLE",
)  # fmt: skip
ROLE_PRIVILEGES: dict[str, tuple[str, ...]] = {
    "CONNECT": _CONNECT,
    "RESOURCE": _RESOURCE,
    "DBA": tuple(sorted(_DBA)),
    "SELECT_CATALOG_ROLE": (),
    "EXECUTE_CATALOG_ROLE": (),
}
SYSTEM_PRIVILEGES: frozenset[str] = frozenset(_DBA) | {"SYSDBA", "SYSOPER", "EXECUTE ANY PROCEDURE", "CREATE JOB", "CREATE DATABASE LINK"}


def object_type(entry: object) -> str:
    """TABLE, VIEW, SEQUENCE, SYNONYM or INDEX, as USER_OBJECTS prints it."""
    return type(entry).__name__.upper()


class Privileges:
    """The rights of one user in one catalog version; cheap to ask many times."""

    def __init__(self, catalog: Catalog, user: str) -> None:
        self.catalog = catalog
        self.user = user
        self.grantees = catalog.grantees(user)
        self.system = frozenset(g.privilege for g in catalog.system_grants.values() if g.grantee in self.grantees)
        self._objects: set[tuple[str, str, str]] = {
            (g.owner, g.name, g.privilege) for g in catalog.object_grants.values() if g.grantee in self.grantees
        }

    def has_role(self, role: str) -> bool:
        """The role is granted, directly or through another."""
        return role in self.grantees

    def has_system(self, *privileges: str) -> bool:
        """Any of the system privileges; SYS has all."""
        return self.user == "SYS" or any(privilege in self.system for privilege in privileges)

    def require_system(self, *privileges: str) -> None:
        """ORA-01031 unless the user has one of them."""
        if not self.has_system(*privileges):
            raise OracleError(1031, "insufficient privileges")

    def has_object(self, entry: Table | View | Sequence, *privileges: str) -> bool:
        """Owner, an object grant, or the matching ANY privilege (which does not reach SYS's objects)."""
        if self.user in ("SYS", entry.owner):
            return True
        kind = object_type(entry)
        return any(
            (entry.owner, entry.name, privilege) in self._objects
            or (entry.owner != "SYS" and self.has_system(*ANY_PRIVILEGE.get((kind, privilege), ("",))))
            for privilege in privileges
        )

    def has_named(self, owner: str, name: str, *privileges: str) -> bool:
        """An explicit grant on an object that is not in the catalog (dictionary views of SYS)."""
        return self.user == owner or any((owner, name, privilege) in self._objects for privilege in privileges)

    def may_execute(self, package: str) -> bool:
        """A package of SYS: open to PUBLIC, or granted by name or through a role."""
        if package not in GRANTED_PACKAGES or self.has_named("SYS", package, "EXECUTE"):
            return True
        return self.has_role("DBA") or self.has_role("EXECUTE_CATALOG_ROLE")

    def sees(self, entry: Table | View | Sequence) -> bool:
        """Whether ALL_OBJECTS would list it: any right on it makes it visible."""
        return self.has_object(entry, *OBJECT_PRIVILEGES[object_type(entry)])

    def require_object(self, entry: Table | View | Sequence, *privileges: str) -> None:
        """ORA-01031 if the object may be seen but not used so, ORA-00942 (02289 for sequences) if it may not be seen."""
        if self.has_object(entry, *privileges):
            return
        if isinstance(entry, Sequence):
            raise OracleError(2289, "sequence does not exist")
        raise OracleError(1031, "insufficient privileges") if self.sees(entry) else OracleError(942, "table or view does not exist")

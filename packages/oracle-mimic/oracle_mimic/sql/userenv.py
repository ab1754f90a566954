"""SYS_CONTEXT: what a session knows about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

_USERENV: dict[str, Callable[[Session], str | None]] = {
    "ACTION": lambda s: s.client_info.get("action"),
    "AUDITED_CURSORID": lambda s: None,
    "AUTHENTICATION_METHOD": lambda s: "PASSWORD",
    "AUTHENTICATED_IDENTITY": lambda s: s.user,
    "BG_JOB_ID": lambda s: None,
    "CDB_NAME": lambda s: None,
    "CLIENT_IDENTIFIER": lambda s: s.client_info.get("client_identifier"),
    "CLIENT_INFO": lambda s: s.client_info.get("client_info"),
    "CLIENT_PROGRAM_NAME": lambda s: s.attributes.get("program"),
    "CON_ID": lambda s: "0",
    "CON_NAME": lambda s: s.database.db_name,
    "CURRENT_EDITION_NAME": lambda s: "ORA$BASE",
    "CURRENT_SCHEMA": lambda s: s.current_schema,
    "CURRENT_SCHEMAID": lambda s: str(s.database.catalog.users[s.current_schema].user_id),
    "CURRENT_USER": lambda s: s.user,
    "CURRENT_USERID": lambda s: str(s.database.catalog.users[s.user].user_id),
    "DATABASE_ROLE": lambda s: "PHYSICAL STANDBY" if s.database.standby else "PRIMARY",
    "DB_DOMAIN": lambda s: None,
    "DB_NAME": lambda s: s.database.db_name,
    "DB_UNIQUE_NAME": lambda s: s.database.db_name,
    "ENTERPRISE_IDENTITY": lambda s: None,
    "HOST": lambda s: s.attributes.get("machine"),
    "INSTANCE": lambda s: "1",
    "INSTANCE_NAME": lambda s: s.database.instance_name,
    "ISDBA": lambda s: "FALSE",
    "LANG": lambda s: "US",
    "LANGUAGE": lambda s: f"{s.nls.date_language}_{s.nls.territory}.AL32UTF8",
    "MODULE": lambda s: s.client_info.get("module"),
    "NETWORK_PROTOCOL": lambda s: "tcp",
    "NLS_CALENDAR": lambda s: "GREGORIAN",
    "NLS_CURRENCY": lambda s: "$",
    "NLS_DATE_FORMAT": lambda s: s.nls.date_format,
    "NLS_DATE_LANGUAGE": lambda s: s.nls.date_language,
    "NLS_SORT": lambda s: "BINARY",
    "NLS_TERRITORY": lambda s: s.nls.territory,
    "ORACLE_HOME": lambda s: None,
    "OS_USER": lambda s: s.attributes.get("osuser"),
    "PROXY_USER": lambda s: None,
    "SCHEDULER_JOB": lambda s: "N",
    "SERVER_HOST": lambda s: "localhost",
    "SERVICE_NAME": lambda s: s.attributes.get("service") or s.database.services[0],
    "SESSION_USER": lambda s: s.user,
    "SESSION_USERID": lambda s: str(s.database.catalog.users[s.user].user_id),
    "SESSIONID": lambda s: str(s.audit_id),
    "SID": lambda s: str(s.session_id),
    "TERMINAL": lambda s: s.attributes.get("terminal"),
}


def sys_context(session: Session, namespace: str, parameter: str) -> str | None:
    """The value, None for an unset one or an unknown namespace; ORA-02003 for an unknown USERENV parameter."""
    if namespace.upper() != "USERENV":
        return None
    found = _USERENV.get(parameter.upper())
    if found is None:
        raise OracleError(2003, "invalid USERENV parameter")
    return found(session)

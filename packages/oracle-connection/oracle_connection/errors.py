"""Every ORA- and DPY- code by what a client has to do about it: three classes, a remedy for a person, and nothing secret.

`explain` turns a driver's exception into one of the three exceptions. Codes that are not listed are fatal: repeating what is not
understood helps nobody. Facts are from the Oracle Database Error Messages manual and python-oracledb's appendix of error codes.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from enum import StrEnum


class Recovery(StrEnum):
    """What helps. The values are those of `error.class` in the run record."""

    CONFIGURATION = "configuration"
    RETRIABLE = "retriable"
    FATAL = "fatal"


class Scope(StrEnum):
    """What has to be done again before a retriable call may succeed."""

    STATEMENT = "statement"  # the same statement on the same connection
    SNAPSHOT = "snapshot"  # the read: its snapshot, segment or rows are gone; smaller or planned anew
    CONNECTION = "connection"  # reconnect first


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known about one code. `remedy` tells a person what to do, without naming values."""

    recovery: Recovery
    remedy: str
    scope: Scope | None = None


class DatabaseError(Exception):
    """A database call failed. `code` is the ORA-/DPY- code or None; the message is fit for a log: it holds no secret."""

    recovery = Recovery.FATAL

    def __init__(self, message: str, *, code: str | None = None, scope: Scope | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.scope = scope

    def __reduce__(self) -> tuple[object, ...]:
        """Exceptions cross process borders (parallel readers); keyword arguments must come along."""
        return (_rebuild, (type(self), str(self), self.code, self.scope))


class ConfigurationError(DatabaseError):
    """Someone must change a setting, a grant or an account; repeating is useless."""

    recovery = Recovery.CONFIGURATION


class RetriableError(DatabaseError):
    """The same work may succeed a moment later; `scope` says what must be done again."""

    recovery = Recovery.RETRIABLE


class FatalError(DatabaseError):
    """Neither repeating nor a setting is known to help; a person must look."""


def _rebuild(kind: type[DatabaseError], message: str, code: str | None, scope: Scope | None) -> DatabaseError:
    return kind(message, code=code, scope=scope)


def _configuration(remedy: str, codes: str) -> dict[str, Entry]:
    return {code: Entry(Recovery.CONFIGURATION, remedy) for code in codes.split()}


def _retriable(scope: Scope, remedy: str, codes: str) -> dict[str, Entry]:
    return {code: Entry(Recovery.RETRIABLE, remedy, scope) for code in codes.split()}


def _fatal(remedy: str, codes: str) -> dict[str, Entry]:
    return {code: Entry(Recovery.FATAL, remedy) for code in codes.split()}


UNKNOWN_HOST = "ORA-12545"
CATALOGUE: dict[str, Entry] = {
    # who and where
    **_configuration("check the settings username and password", "ORA-01017 ORA-01005 DPY-4001"),
    **_configuration("unlock the account, or wait until its lock time has passed", "ORA-28000"),
    **_configuration("the password has expired: change it in the database and in the setting password", "ORA-28001"),
    **_configuration("grant CREATE SESSION to the user in the setting username", "ORA-01045"),
    **_configuration("check the settings service_name, host and port: the listener knows no such service", "ORA-12514 DPY-6001"),
    **_configuration("check the settings sid, host and port: the listener knows no such SID", "ORA-12505 DPY-6003"),
    **_configuration("check the setting dsn: the name cannot be resolved", "ORA-12154 DPY-4000 DPY-4017 DPY-4018 DPY-4026 DPY-4027"),
    **_configuration("check the setting host: the name cannot be resolved", UNKNOWN_HOST),
    **_configuration(
        "install the Oracle Instant Client and name its directory in the setting client_directory, or leave thick_mode off",
        "DPI-1047 DPI-1050 DPI-1072 DPY-2019",
    ),
    **_configuration(
        "the server's certificate has another name: check ssl_server_cert_dn and host; do not switch ssl_server_dn_match off",
        "DPY-6002 DPY-6006 ORA-29002 ORA-24263",
    ),
    **_configuration(
        "check the settings wallet_location, wallet_password and ssl_ca_file", "DPY-2018 ORA-28759 ORA-28791 ORA-29024 ORA-28860"
    ),
    **_configuration(
        "the server speaks a version or an encryption that the thin driver lacks: see the setting thick_mode",
        "DPY-3001 DPY-3010 DPY-3015 ORA-12660 DPY-3012",
    ),
    # what one may see and do
    **_configuration(
        "the table or view does not exist or the user may not read it: check the settings schema and entities, and the grants",
        "ORA-00942 ORA-04043",
    ),
    **_configuration("the user lacks a privilege: see docs/grants", "ORA-01031 ORA-01720 ORA-41900"),
    **_configuration("a column does not exist any more: discover again (catalog) or check the settings entities", "ORA-00904"),
    **_configuration("the object is no table or view: check the setting entities", "ORA-00903 ORA-04044"),
    **_configuration("the schema does not exist: check the setting schema", "ORA-01435 ORA-01918"),
    **_configuration("raise the quota of the user on the tablespace", "ORA-01536 ORA-01950"),
    **_configuration("the tablespace is full: let the DBA extend it", "ORA-01652 ORA-01653 ORA-01654 ORA-01658 ORA-01659 ORA-30036"),
    **_configuration("the database is open read only: point the target to a primary", "ORA-16000"),
    **_configuration("resource limit of the user's profile: let the DBA raise it, or lower parallelism", "ORA-02391 ORA-02392 ORA-02395"),
    # comes and goes
    **_retriable(
        Scope.CONNECTION,
        "the listener does not answer: is the database up, are host and port right?",
        "ORA-12541 DPY-6005 DPY-6000 ORA-12170 ORA-12543 ORA-12203",
    ),
    **_retriable(
        Scope.CONNECTION,
        "the listener cannot hand the connection over now",
        "ORA-12516 ORA-12518 ORA-12519 ORA-12520 ORA-12500 ORA-12528 ORA-12526 ORA-12527 ORA-00018 ORA-00020",
    ),
    **_retriable(
        Scope.CONNECTION,
        "the database is starting or shutting down",
        "ORA-01033 ORA-01034 ORA-01089 ORA-01090 ORA-01092 ORA-27101 ORA-01109",
    ),
    **_retriable(
        Scope.CONNECTION,
        "the connection was lost",
        "ORA-03113 ORA-03114 ORA-03135 ORA-03136 ORA-12537 ORA-12547 ORA-12570 ORA-12571 ORA-12583 "
        "ORA-12153 ORA-25408 ORA-25402 ORA-25401 ORA-25405 ORA-25407 DPY-4011 DPY-1001 ORA-01012 "
        "ORA-00028 ORA-00031 ORA-02396 ORA-02399 DPY-4033 ORA-00022 ORA-00603 ORA-00602 ORA-00609 "
        "ORA-01041 DPY-5006 DPY-5004 ORA-03111 ORA-10387",
    ),
    **_retriable(Scope.STATEMENT, "the call took longer than call_timeout_seconds, or somebody cancelled it", "ORA-01013"),
    # the driver may take rows that were under way for the answer to its break, and is out of step then
    **_retriable(Scope.CONNECTION, "the call took longer than call_timeout_seconds", "DPY-4024"),
    **_retriable(Scope.STATEMENT, "another session holds the lock", "ORA-00054 ORA-00060 ORA-30006 ORA-04021 ORA-04020 ORA-00051"),
    **_retriable(
        Scope.STATEMENT,
        "concurrent work changed what the statement relied on",
        "ORA-08177 ORA-04068 ORA-04061 ORA-12838 ORA-12860 ORA-04031 ORA-00379",
    ),
    # a read outlived what it was reading
    **_retriable(
        Scope.SNAPSHOT,
        "undo was overwritten before the read ended: a smaller chunk_rows, or a longer undo retention",
        "ORA-01555 ORA-30052 ORA-22924",
    ),
    **_retriable(
        Scope.SNAPSHOT,
        "the table's definition or storage changed while it was read",
        "ORA-01466 ORA-08103 ORA-01410 ORA-01502 ORA-12805 ORA-00376",
    ),
    **_retriable(Scope.SNAPSHOT, "the moment asked for is outside of what the database remembers", "ORA-08180 ORA-08181 ORA-08186"),
    # wrong data, wrong program
    **_fatal(
        "a value does not fit the target column: see the column named by the server", "ORA-01438 ORA-12899 ORA-01401 ORA-01426 DPY-8000"
    ),
    **_fatal("a mandatory column got no value", "ORA-01400 ORA-01407 DPY-8001"),
    **_fatal("a constraint of the table was violated", "ORA-00001 ORA-02290 ORA-02291 ORA-02292"),
    **_fatal("a key arrives twice in one MERGE", "ORA-30926"),
    **_fatal("a value cannot be converted", "ORA-01722 ORA-01858 ORA-01861 ORA-01843 ORA-01830 ORA-01841 ORA-01840 ORA-06502"),
    **_fatal("a NUMBER is wider than its column says: this is a defect, please report it", "DPY-4042 DPY-4036 DPY-4037 DPY-4038"),
    **_fatal("the server has no such function: it is older than what this program supports", "ORA-03001 ORA-00439"),
    **_fatal("the server met an internal error: the DBA finds it in the alert log", "ORA-00600 ORA-07445 ORA-00604"),
}

SHORTEST_SECRET = 3
"""Shorter passwords occur in any text: replacing them would only make messages unreadable, and show where they were."""

WRAPPERS = frozenset({"DPY-6005", "DPY-6000"})
"""What the driver says about any attempt to connect that failed; the reason is a second code in the same message, if there is one."""

UNRESOLVED = frozenset(f"[Errno {code}]" for code in (socket.EAI_NONAME, socket.EAI_NODATA))
"""How a name that does not exist shows up, by itself or inside of DPY-6005. A resolver that does not answer (EAI_AGAIN) may do so later."""

_CONNECTION_ID = re.compile(r"\s*\(CONNECTION_ID=[^)]*\)")
_CODE = re.compile(r"\b(ORA|DPY|DPI|TNS)-(\d{4,5})\b")
_UNKNOWN = Entry(Recovery.FATAL, "this code is not in the error catalogue; see the Oracle Database Error Messages manual")


def error_codes(error: BaseException) -> list[str]:
    """All codes of a driver's exception, the most specific one first (the driver's own DPY code wraps ORA codes)."""
    texts: list[str] = []
    for argument in error.args:
        texts += [str(getattr(argument, "full_code", "") or ""), str(getattr(argument, "message", argument))]
    if not texts:
        texts = [str(error)]
    found = [
        f"{prefix}-{int(number):05d}" if prefix == "ORA" else f"{prefix}-{number}" for prefix, number in _CODE.findall("\n".join(texts))
    ]
    return list(dict.fromkeys(found))


def explain(error: BaseException, doing: str, *, secrets: tuple[str | None, ...] = ()) -> DatabaseError:
    """The exception to raise for a driver's exception.

    doing: what was attempted, naming setting, table or statement ("read WMS.ALLOCATION"); it opens the message.
    secrets: values that must not appear, even if the server repeats them.
    The class comes from the first code that the catalogue knows and that does not merely wrap another; the message ends with what to do.
    """
    codes = error_codes(error)
    known = [each for each in codes if each in CATALOGUE]
    code = next((each for each in known if each not in WRAPPERS), next(iter(known or codes), None))
    entry = CATALOGUE.get(code or "", _UNKNOWN)
    detail = _first_lines(error)
    if "certificate verify failed" in detail.lower():  # the driver reports it as a connection that failed, which repeating never cures
        entry = CATALOGUE["ORA-29024"]
    for secret in secrets:
        if secret and len(secret) >= SHORTEST_SECRET:
            detail = detail.replace(secret, "****")
    if code in {None, *WRAPPERS} and any(each in detail for each in UNRESOLVED):
        entry = CATALOGUE[UNKNOWN_HOST]
    elif code is None and isinstance(error, (OSError, EOFError)):
        entry = Entry(Recovery.RETRIABLE, "the network failed", Scope.CONNECTION)
    if code is not None and code not in detail:
        detail = f"{code}: {detail}"
    kind = {Recovery.CONFIGURATION: ConfigurationError, Recovery.RETRIABLE: RetriableError, Recovery.FATAL: FatalError}[entry.recovery]
    return kind(f"cannot {doing}: {detail} [{entry.recovery}] {entry.remedy}", code=code, scope=entry.scope)


def _first_lines(error: BaseException) -> str:
    """The server's message on one line, without the manual's address that the driver adds."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Help:")]
    return _CONNECTION_ID.sub("", "; ".join(lines[:3]))[:1000]

"""The instance and the database as a whole: V$VERSION, V$INSTANCE, V$DATABASE, V$PARAMETER, NLS settings, undo, standby lag.

Parameters are those that mean something here or that tell a client a limit that is really kept; others are not listed.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from datetime import timedelta

from oracle_mimic.sql.bound import Nls
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, fixed, single
from oracle_mimic.sql.rowids import BLOCK_SIZE_BYTES

PRODUCT = "Oracle Database 19c Enterprise Edition"
DEFAULT_LENGTH_SEMANTICS = "BYTE"
CHARACTER_SET, NATIONAL_CHARACTER_SET = "AL32UTF8", "AL16UTF16"

_VERSION = """
    BANNER VARCHAR2(80)
    BANNER_FULL VARCHAR2(160)
    BANNER_LEGACY VARCHAR2(80)
    CON_ID NUMBER = 0
"""
_PRODUCT_COMPONENT_VERSION = """
    PRODUCT VARCHAR2(80)
    VERSION VARCHAR2(80)
    VERSION_FULL VARCHAR2(80)
    STATUS VARCHAR2(80)
"""
_INSTANCE = """
    INSTANCE_NUMBER NUMBER = 1
    INSTANCE_NAME VARCHAR2(16)
    HOST_NAME VARCHAR2(64)
    VERSION VARCHAR2(17)
    VERSION_LEGACY VARCHAR2(17)
    VERSION_FULL VARCHAR2(17)
    STARTUP_TIME DATE
    STATUS VARCHAR2(12) = OPEN
    PARALLEL VARCHAR2(3) = NO
    THREAD# NUMBER = 1
    ARCHIVER VARCHAR2(7) = STOPPED
    LOG_SWITCH_WAIT VARCHAR2(15)
    LOGINS VARCHAR2(10) = ALLOWED
    SHUTDOWN_PENDING VARCHAR2(3) = NO
    DATABASE_STATUS VARCHAR2(17) = ACTIVE
    INSTANCE_ROLE VARCHAR2(18) = PRIMARY_INSTANCE
    ACTIVE_STATE VARCHAR2(9) = NORMAL
    BLOCKED VARCHAR2(3) = NO
    CON_ID NUMBER = 0
    INSTANCE_MODE VARCHAR2(11) = REGULAR
    EDITION VARCHAR2(7) = EE
    FAMILY VARCHAR2(80)
    DATABASE_TYPE VARCHAR2(15) = SINGLE
"""
_DATABASE = """
    DBID NUMBER
    NAME VARCHAR2(9)
    CREATED DATE
    LOG_MODE VARCHAR2(12) = NOARCHIVELOG
    CONTROLFILE_TYPE VARCHAR2(7)
    OPEN_MODE VARCHAR2(20)
    PROTECTION_MODE VARCHAR2(20) = MAXIMUM PERFORMANCE
    PROTECTION_LEVEL VARCHAR2(20) = MAXIMUM PERFORMANCE
    DATABASE_ROLE VARCHAR2(16)
    SWITCHOVER_STATUS VARCHAR2(20) = NOT ALLOWED
    DATAGUARD_BROKER VARCHAR2(8) = DISABLED
    GUARD_STATUS VARCHAR2(7) = NONE
    SUPPLEMENTAL_LOG_DATA_MIN VARCHAR2(8) = NO
    FORCE_LOGGING VARCHAR2(39) = NO
    FLASHBACK_ON VARCHAR2(18) = NO
    CURRENT_SCN NUMBER
    DB_UNIQUE_NAME VARCHAR2(30)
    CDB VARCHAR2(3) = NO
    CON_ID NUMBER = 0
"""
_PARAMETER = """
    NUM NUMBER
    NAME VARCHAR2(80)
    TYPE NUMBER
    VALUE VARCHAR2(4000)
    DISPLAY_VALUE VARCHAR2(4000)
    ISDEFAULT VARCHAR2(9)
    ISSES_MODIFIABLE VARCHAR2(5)
    ISSYS_MODIFIABLE VARCHAR2(9) = FALSE
    ISMODIFIED VARCHAR2(10)
    ISADJUSTED VARCHAR2(5) = FALSE
    ISDEPRECATED VARCHAR2(5) = FALSE
    CON_ID NUMBER = 0
"""
_NLS_PARAMETERS = """
    PARAMETER VARCHAR2(128)
    VALUE VARCHAR2(64)
"""
_V_NLS_PARAMETERS = """
    PARAMETER VARCHAR2(64)
    VALUE VARCHAR2(64)
    CON_ID NUMBER = 0
"""
_DATABASE_PROPERTIES = """
    PROPERTY_NAME VARCHAR2(128)
    PROPERTY_VALUE VARCHAR2(4000)
    DESCRIPTION VARCHAR2(4000)
"""
_UNDOSTAT = """
    BEGIN_TIME DATE
    END_TIME DATE
    UNDOTSN NUMBER = 2
    TXNCOUNT NUMBER
    TUNED_UNDORETENTION NUMBER
    CON_ID NUMBER = 0
"""
_DATAGUARD_STATS = """
    NAME VARCHAR2(32)
    VALUE VARCHAR2(64)
    UNIT VARCHAR2(30)
    TIME_COMPUTED VARCHAR2(30)
    DATUM_TIME VARCHAR2(30)
    CON_ID NUMBER = 0
"""
_UNDO_INTERVAL = timedelta(minutes=10)
_NUMBER_TYPE, _BOOLEAN_TYPE, _TEXT_TYPE = 3, 1, 2  # V$PARAMETER.TYPE
_SESSION_MODIFIABLE_PREFIX = "nls_"


def _base_release(scope: Scope) -> str:
    return f"{scope.database.version[0]}.0.0.0.0"


def _full_release(scope: Scope) -> str:
    return ".".join(map(str, scope.database.version))


def _version(scope: Scope) -> Iterator[Row]:
    banner = f"{PRODUCT} Release {_base_release(scope)} - Production"
    yield {"BANNER": banner, "BANNER_FULL": f"{banner}\nVersion {_full_release(scope)}", "BANNER_LEGACY": banner}


def _product_component_version(scope: Scope) -> Iterator[Row]:
    yield {"PRODUCT": PRODUCT, "VERSION": _base_release(scope), "VERSION_FULL": _full_release(scope), "STATUS": "Production"}


def _instance(scope: Scope) -> Iterator[Row]:
    database = scope.database
    yield {
        "INSTANCE_NAME": database.instance_name,
        "HOST_NAME": socket.gethostname(),
        "VERSION": _base_release(scope),
        "VERSION_LEGACY": _base_release(scope),
        "VERSION_FULL": _full_release(scope),
        "STARTUP_TIME": scope.local(database.started_at),
    }


def _database(scope: Scope) -> Iterator[Row]:
    database = scope.database
    standby = database.standby
    yield {
        "DBID": int.from_bytes(hashlib.sha256(database.db_name.encode()).digest()[:4], "big"),
        "NAME": database.db_name,
        "DB_UNIQUE_NAME": database.db_name,
        "CREATED": scope.local(scope.catalog.users["SYS"].created),
        "CONTROLFILE_TYPE": "STANDBY" if standby else "CURRENT",
        "OPEN_MODE": "READ ONLY WITH APPLY" if standby else "READ WRITE",
        "DATABASE_ROLE": "PHYSICAL STANDBY" if standby else "PRIMARY",
        "CURRENT_SCN": scope.session.snapshot().scn if standby else database.registry.current_scn(),
    }


def _session_parameters(scope: Scope) -> Iterator[Row]:
    semantics = scope.session.parameters.get("NLS_LENGTH_SEMANTICS", DEFAULT_LENGTH_SEMANTICS)
    return _parameters(scope, scope.session.nls, semantics)


def _system_parameters(scope: Scope) -> Iterator[Row]:
    """What a new session begins with."""
    return _parameters(scope, Nls(), DEFAULT_LENGTH_SEMANTICS)


def _parameters(scope: Scope, nls: Nls, length_semantics: str) -> Iterator[Row]:
    database = scope.database
    values: dict[str, int | bool | str | None] = {
        "cluster_database": False,
        "compatible": f"{database.version[0]}.0.0",
        "db_block_size": BLOCK_SIZE_BYTES,
        "db_name": database.db_name,
        "db_unique_name": database.db_name,
        "deferred_segment_creation": False,
        "instance_name": database.instance_name,
        "max_string_size": "STANDARD",
        "nls_date_format": nls.date_format,
        "nls_date_language": nls.date_language,
        "nls_length_semantics": length_semantics,
        "nls_numeric_characters": nls.numeric_characters,
        "nls_territory": nls.territory,
        "nls_timestamp_format": nls.timestamp_format,
        "nls_timestamp_tz_format": nls.timestamp_tz_format,
        "processes": database.session_limit,
        "recyclebin": "off",
        "service_names": ", ".join(database.services),
        "sessions": database.session_limit,
        "undo_management": "AUTO",
        "undo_retention": int(database.registry.retention_seconds),
        "undo_tablespace": "UNDOTBS1",
    }
    for number, (name, value) in enumerate(values.items(), start=1):
        text = str(value).upper() if isinstance(value, bool) else None if value is None else str(value)
        yield {
            "NUM": number,
            "NAME": name,
            "TYPE": _BOOLEAN_TYPE if isinstance(value, bool) else _NUMBER_TYPE if isinstance(value, int) else _TEXT_TYPE,
            "VALUE": text,
            "DISPLAY_VALUE": text,
            "ISSES_MODIFIABLE": "TRUE" if name.startswith(_SESSION_MODIFIABLE_PREFIX) else "FALSE",
        }


def _nls_session(scope: Scope) -> dict[str, str]:
    """The settings of the session, in the order and under the names of NLS_SESSION_PARAMETERS."""
    nls = scope.session.nls
    given = scope.session.parameters
    return {
        "NLS_LANGUAGE": given.get("NLS_LANGUAGE", "AMERICAN"),
        "NLS_TERRITORY": nls.territory,
        "NLS_CURRENCY": given.get("NLS_CURRENCY", "$"),
        "NLS_ISO_CURRENCY": given.get("NLS_ISO_CURRENCY", nls.territory),
        "NLS_NUMERIC_CHARACTERS": nls.numeric_characters,
        "NLS_CALENDAR": "GREGORIAN",
        "NLS_DATE_FORMAT": nls.date_format,
        "NLS_DATE_LANGUAGE": nls.date_language,
        "NLS_SORT": given.get("NLS_SORT", "BINARY"),
        "NLS_TIME_FORMAT": "HH.MI.SSXFF AM",
        "NLS_TIMESTAMP_FORMAT": nls.timestamp_format,
        "NLS_TIME_TZ_FORMAT": "HH.MI.SSXFF AM TZR",
        "NLS_TIMESTAMP_TZ_FORMAT": nls.timestamp_tz_format,
        "NLS_DUAL_CURRENCY": given.get("NLS_DUAL_CURRENCY", "$"),
        "NLS_COMP": given.get("NLS_COMP", "BINARY"),
        "NLS_LENGTH_SEMANTICS": given.get("NLS_LENGTH_SEMANTICS", DEFAULT_LENGTH_SEMANTICS),
        "NLS_NCHAR_CONV_EXCP": given.get("NLS_NCHAR_CONV_EXCP", "FALSE"),
    }


def _nls_database(scope: Scope) -> dict[str, str]:
    """The settings of the database: what a session begins with."""
    nls = Nls()
    return {
        "NLS_RDBMS_VERSION": _base_release(scope),
        "NLS_NCHAR_CONV_EXCP": "FALSE",
        "NLS_LENGTH_SEMANTICS": DEFAULT_LENGTH_SEMANTICS,
        "NLS_COMP": "BINARY",
        "NLS_DUAL_CURRENCY": "$",
        "NLS_TIMESTAMP_TZ_FORMAT": nls.timestamp_tz_format,
        "NLS_TIME_TZ_FORMAT": "HH.MI.SSXFF AM TZR",
        "NLS_TIMESTAMP_FORMAT": nls.timestamp_format,
        "NLS_TIME_FORMAT": "HH.MI.SSXFF AM",
        "NLS_SORT": "BINARY",
        "NLS_DATE_LANGUAGE": nls.date_language,
        "NLS_DATE_FORMAT": nls.date_format,
        "NLS_CALENDAR": "GREGORIAN",
        "NLS_NUMERIC_CHARACTERS": nls.numeric_characters,
        "NLS_NCHAR_CHARACTERSET": NATIONAL_CHARACTER_SET,
        "NLS_CHARACTERSET": CHARACTER_SET,
        "NLS_ISO_CURRENCY": nls.territory,
        "NLS_CURRENCY": "$",
        "NLS_TERRITORY": nls.territory,
        "NLS_LANGUAGE": "AMERICAN",
    }


def _named(values: dict[str, str]) -> Iterator[Row]:
    return ({"PARAMETER": name, "VALUE": value} for name, value in values.items())


def _v_nls_parameters(scope: Scope) -> Iterator[Row]:
    return _named({**_nls_session(scope), "NLS_CHARACTERSET": CHARACTER_SET, "NLS_NCHAR_CHARACTERSET": NATIONAL_CHARACTER_SET})


def _database_properties(scope: Scope) -> Iterator[Row]:
    values = {
        "DEFAULT_TEMP_TABLESPACE": ("TEMP", "Name of default temporary tablespace"),
        "DEFAULT_PERMANENT_TABLESPACE": ("USERS", "Name of default permanent tablespace"),
        "DEFAULT_EDITION": ("ORA$BASE", "Name of the database default edition"),
        "DBTIMEZONE": ("+00:00", "DB time zone"),
        "GLOBAL_DB_NAME": (scope.database.db_name, "Global database name"),
    }
    for name, (value, description) in values.items():
        yield {"PROPERTY_NAME": name, "PROPERTY_VALUE": value, "DESCRIPTION": description}
    for name, value in _nls_database(scope).items():
        yield {"PROPERTY_NAME": name, "PROPERTY_VALUE": value}


def _undo_statistics(scope: Scope) -> Iterator[Row]:
    """Commits in spans of ten minutes since the start, newest first, as far as the SCN log reaches."""
    database = scope.database
    registry = database.registry
    with registry.lock:
        registry.current_scn()
        committed = [moment for moment, number in zip(registry.log.moments, registry.log.transactions, strict=True) if number]
    end = database.clock.now()
    oldest = max(database.started_at, end - timedelta(seconds=registry.retention_seconds))
    while True:
        elapsed = (end - database.started_at) % _UNDO_INTERVAL or _UNDO_INTERVAL
        begin = max(end - elapsed, database.started_at)
        yield {
            "BEGIN_TIME": scope.local(begin),
            "END_TIME": scope.local(end),
            "TXNCOUNT": sum(begin < moment <= end for moment in committed),
            "TUNED_UNDORETENTION": int(registry.retention_seconds),
        }
        if begin <= oldest:
            return
        end = begin


def _dataguard_statistics(scope: Scope) -> Iterator[Row]:
    """How far a standby is behind; no rows on a primary."""
    database = scope.database
    lag = database.standby_lag_seconds
    if lag is None:
        return
    now = scope.local(database.clock.now())
    computed = f"{now:%m/%d/%Y %H:%M:%S}"
    whole = timedelta(seconds=int(lag))
    days, rest = whole.days, whole.seconds
    value = f"+{days:02d} {rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    for name in ("transport lag", "apply lag"):
        shown = value if name == "apply lag" else "+00 00:00:00"
        unit = "day(2) to second(0) interval"
        yield {"NAME": name, "VALUE": shown, "UNIT": unit, "TIME_COMPUTED": computed, "DATUM_TIME": computed}


VIEWS: tuple[DictionaryView, ...] = (
    *fixed("VERSION", _VERSION, _version, open_to_all=True),
    *single("PRODUCT_COMPONENT_VERSION", _PRODUCT_COMPONENT_VERSION, _product_component_version),
    *fixed("INSTANCE", _INSTANCE, _instance),
    *fixed("DATABASE", _DATABASE, _database),
    *fixed("PARAMETER", _PARAMETER, _session_parameters),
    *fixed("SYSTEM_PARAMETER", _PARAMETER, _system_parameters),
    *single("NLS_SESSION_PARAMETERS", _NLS_PARAMETERS, lambda scope: _named(_nls_session(scope))),
    *single("NLS_DATABASE_PARAMETERS", _NLS_PARAMETERS, lambda scope: _named(_nls_database(scope))),
    *fixed("NLS_PARAMETERS", _V_NLS_PARAMETERS, _v_nls_parameters, open_to_all=True),
    *single("DATABASE_PROPERTIES", _DATABASE_PROPERTIES, _database_properties),
    *fixed("UNDOSTAT", _UNDOSTAT, _undo_statistics),
    *fixed("DATAGUARD_STATS", _DATAGUARD_STATS, _dataguard_statistics),
)

"""Session statistics: V$STATNAME, V$MYSTAT, V$SESSTAT. Only what is really counted has a name; STATISTIC# is the mimic's own."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, fixed
from oracle_mimic.sql.session import BYTES_RECEIVED, BYTES_SENT, ROUND_TRIPS, Session

_STATNAME = """
    STATISTIC# NUMBER
    NAME VARCHAR2(64)
    CLASS NUMBER = 1
    STAT_ID NUMBER
    DISPLAY_NAME VARCHAR2(64)
    CON_ID NUMBER = 0
"""
_SESSTAT = """
    SID NUMBER
    STATISTIC# NUMBER
    VALUE NUMBER
    CON_ID NUMBER = 0
"""
STATISTICS = (BYTES_SENT, BYTES_RECEIVED, ROUND_TRIPS)


def _names(scope: Scope) -> Iterator[Row]:
    del scope
    for number, name in enumerate(STATISTICS):
        yield {"STATISTIC#": number, "NAME": name, "STAT_ID": zlib.crc32(name.encode()), "DISPLAY_NAME": name}


def _values(session: Session) -> Iterator[Row]:
    for number, name in enumerate(STATISTICS):
        yield {"SID": session.session_id, "STATISTIC#": number, "VALUE": session.statistics.get(name, 0)}


def _own(scope: Scope) -> Iterator[Row]:
    return _values(scope.session)


def _of_all(scope: Scope) -> Iterator[Row]:
    for session in sorted(scope.database.sessions.values(), key=lambda session: session.session_id):
        yield from _values(session)


VIEWS: tuple[DictionaryView, ...] = (
    *fixed("STATNAME", _STATNAME, _names),
    *fixed("MYSTAT", _SESSTAT, _own),
    *fixed("SESSTAT", _SESSTAT, _of_all),
)

"""PL/SQL's exceptions by name, and which handler takes which error."""

from __future__ import annotations

from collections.abc import Callable

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.plsql.fragments import line_and_column
from oracle_mimic.sql.plsql.syntax import Handler

PREDEFINED = {
    "ACCESS_INTO_NULL": 6530,
    "CASE_NOT_FOUND": 6592,
    "COLLECTION_IS_NULL": 6531,
    "CURSOR_ALREADY_OPEN": 6511,
    "DUP_VAL_ON_INDEX": 1,
    "INVALID_CURSOR": 1001,
    "INVALID_NUMBER": 1722,
    "LOGIN_DENIED": 1017,
    "NO_DATA_FOUND": 1403,
    "NOT_LOGGED_ON": 1012,
    "PROGRAM_ERROR": 6501,
    "ROWTYPE_MISMATCH": 6504,
    "STORAGE_ERROR": 6500,
    "SUBSCRIPT_BEYOND_COUNT": 6533,
    "SYS_INVALID_ROWID": 1410,
    "TIMEOUT_ON_RESOURCE": 51,
    "TOO_MANY_ROWS": 1422,
    "VALUE_ERROR": 6502,
    "ZERO_DIVIDE": 1476,
}
TEXTS = {
    1: "unique constraint violated",
    51: "timeout occurred while waiting for a resource",
    1001: "invalid cursor",
    1012: "not logged on",
    1017: "invalid username/password; logon denied",
    1403: "no data found",
    1410: "invalid ROWID",
    1422: "exact fetch returns more than requested number of rows",
    1476: "divisor is equal to zero",
    1722: "invalid number",
    6500: "PL/SQL: storage error",
    6501: "PL/SQL: program error",
    6502: "PL/SQL: numeric or value error",
    6504: "PL/SQL: Return types of Result Set variables or query do not match",
    6510: "PL/SQL: unhandled user-defined exception",
    6511: "PL/SQL: cursor already open",
    6530: "Reference to uninitialized composite",
    6531: "Reference to uninitialized collection",
    6533: "Subscript beyond count",
    6592: "CASE not found while executing CASE statement",
}


class UserException(OracleError):  # noqa: N818  # Oracle's term
    """An exception that the block declared and raised by name."""

    def __init__(self, name: str) -> None:
        super().__init__(6510, TEXTS[6510])
        self.name = name


def catches(handler: Handler, error: OracleError, declared: Callable[[str], tuple[bool, int | None]]) -> bool:
    """Whether a handler takes an error. Nothing takes a cancelled call or a lost session."""
    if error.fatal or error.code == 1013:
        return False
    for name in handler.names:
        if name == "OTHERS":
            return True
        known, code = declared(name)
        if isinstance(error, UserException):
            if known and code is None and error.name == name:
                return True
            continue
        if (code if known else PREDEFINED.get(name)) == error.code:
            return True
    return False


def traced(error: OracleError, sql: str, offset: int) -> OracleError:
    """The error as it leaves the block: with the line it came from."""
    line, _ = line_and_column(sql, offset)
    result = OracleError(error.code, f"{error.text}\nORA-06512: at line {line}", fatal=error.fatal)
    result.__cause__ = error
    return result

"""Oracle's errors as exceptions: a code, the text Oracle prints, and the position in the statement.

Raised where the fault is noticed, turned into a message in one place of the wire room.
"""

from __future__ import annotations


class OracleError(Exception):
    """An error that the client sees as `ORA-nnnnn: text`.

    Args:
        code: the ORA number, e.g. 942.
        text: the message without the code, as Oracle words it, names filled in.
        offset: 0-based position in the SQL text, as Oracle reports it for parse errors.
        fatal: the session ends after the message (the wire room closes the connection).
        rows_done: of an array DML without batch errors: the rows that were done before the one that failed.
    """

    def __init__(self, code: int, text: str, *, offset: int = 0, fatal: bool = False, rows_done: int = 0) -> None:
        super().__init__(f"ORA-{code:05d}: {text}")
        self.code = code
        self.text = text
        self.offset = offset
        self.fatal = fatal
        self.rows_done = rows_done


def refused(construct: str, *, offset: int = 0) -> OracleError:
    """ORA-03001 naming a construct that the mimic does not know to be faithful: better no answer than a wrong one."""
    return OracleError(3001, f"unimplemented feature: {construct} (refused by oracle-mimic)", offset=offset)

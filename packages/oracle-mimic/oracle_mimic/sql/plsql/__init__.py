"""Anonymous PL/SQL blocks as clients send them, interpreted.

syntax:      the statements of a block
parser:      from tokens to statements; what is not spoken is refused by name
values:      variables and their conversion
expressions: expressions and SQL statements, with variables as binds; both are run as SQL, so they mean what they mean there
interpreter: runs statements, raises and handles exceptions
packages:    the DBMS_ procedures that clients call

Stored procedures, packages and functions of one's own are refused: nothing is compiled or kept.
"""

from __future__ import annotations

from oracle_mimic.sql.plsql.host import Host, ServerOutput
from oracle_mimic.sql.plsql.interpreter import execute

__all__ = ["Host", "ServerOutput", "execute"]

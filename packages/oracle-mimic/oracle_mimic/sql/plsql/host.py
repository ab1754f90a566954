"""What a block needs of the session that runs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from oracle_mimic.door import Binds, Outcome, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.types import Column, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.parallel_execute import ParallelExecute
    from oracle_mimic.sql.session import Session

MAX_LINE_BYTES = 32767


@dataclass(slots=True)
class ServerOutput:
    """DBMS_OUTPUT of one session: the lines that were put and not yet fetched."""

    enabled: bool = False
    limit: int | None = None  # bytes; None: no limit
    lines: deque[str] = field(default_factory=deque)
    partial: str = ""

    def put(self, text: str, *, end: bool) -> None:
        """PUT, PUT_LINE and NEW_LINE. ORA-20000 when a line or the buffer overflows, as the package raises it."""
        if not self.enabled:
            return
        self.partial += text
        if len(self.partial.encode()) > MAX_LINE_BYTES:
            self.partial = ""
            raise OracleError(20000, f"ORU-10028: line length overflow, limit of {MAX_LINE_BYTES} bytes per line")
        if not end:
            return
        if self.limit is not None and sum(len(line.encode()) for line in self.lines) + len(self.partial.encode()) > self.limit:
            raise OracleError(20000, f"ORU-10027: buffer overflow, limit of {self.limit} bytes")
        self.lines.append(self.partial)
        self.partial = ""

    def disable(self) -> None:
        """DISABLE: nothing is kept."""
        self.enabled = False
        self.lines.clear()
        self.partial = ""


class Host(Protocol):
    """The session, as the interpreter uses it. `output` lives as long as the session.

    call_depth: how many blocks are running inside each other (EXECUTE IMMEDIATE of a block); 0 to begin with.
    """

    output: ServerOutput
    call_depth: int

    def describe(self, sql: str, bind_types: Sequence[OracleType]) -> tuple[Column, ...]:
        """The columns of a query; see `door.Session.describe`."""
        ...

    def check(self, sql: str, bind_types: Sequence[OracleType]) -> None:
        """Read and bind a query or DML statement without running it; ORA-00942 and the like."""
        ...

    def query(self, sql: str, binds: Binds) -> Rows:
        """Run a query; see `door.Session.query`."""
        ...

    def execute(self, sql: str, binds: Binds) -> Outcome:
        """Run DML, DDL, a control statement or an inner block; see `door.Session.execute`."""
        ...

    def set_client_info(self, info: dict[str, str]) -> None:
        """See `door.Session.set_client_info`."""
        ...

    def client_info(self, key: str) -> str | None:
        """What `set_client_info` last set."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; ends with ORA-01013 when the session is interrupted."""
        ...

    def gather_statistics(self, owner: str | None, table: str) -> None:
        """DBMS_STATS.GATHER_TABLE_STATS: count the rows and note the time; ORA-20000 for a table that does not exist."""
        ...

    def flush_modifications(self) -> None:
        """DBMS_STATS.FLUSH_DATABASE_MONITORING_INFO: the counts are never late here; ORA-20000 without ANALYZE ANY."""
        ...

    def parallel_execute(self, action: Callable[[ParallelExecute, Session], None]) -> None:
        """Do something with the tasks of DBMS_PARALLEL_EXECUTE."""
        ...

"""The supplied procedures that clients call: DBMS_OUTPUT, DBMS_APPLICATION_INFO, DBMS_SESSION, DBMS_LOCK, DBMS_STATS, ...

Functions of packages are called in expressions and belong to SQL. A procedure that is not here is ORA-06550 with PLS-00201.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.host import Host
from oracle_mimic.sql.plsql.values import Value

_DEFAULT_BUFFER = 20000


@dataclass(slots=True)
class Arguments:
    """The arguments of one call: those given, and those to give back."""

    given: dict[str, Value]
    out: dict[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        if name not in self.given:
            return None
        value = self.given[name].python()
        if isinstance(value, Decimal):
            text = format(value.normalize(), "f")
            return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text  # as TO_CHAR prints it
        return None if value is None else str(value)

    def number(self, name: str) -> float | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return float(text)
        except ValueError as error:
            raise values.value_error("character to number conversion error") from error


@dataclass(frozen=True, slots=True)
class Procedure:
    """parameters: names in order; out: those that give back; required: how many must be given. others: further names are let pass."""

    run: Callable[[Host, Arguments], None]
    parameters: tuple[str, ...]
    out: frozenset[str] = frozenset()
    required: int = 0
    others: bool = False


PROCEDURES: dict[str, Procedure] = {}


def procedure(
    name: str, *parameters: str, out: tuple[str, ...] = (), required: int | None = None, others: bool = False
) -> Callable[[Callable[[Host, Arguments], None]], Callable[[Host, Arguments], None]]:
    def define(function: Callable[[Host, Arguments], None]) -> Callable[[Host, Arguments], None]:
        least = len(parameters) if required is None else required
        PROCEDURES[name] = Procedure(function, parameters, frozenset(out), least, others)
        return function

    return define


@procedure("DBMS_OUTPUT.ENABLE", "BUFFER_SIZE", required=0)
def _enable(host: Host, arguments: Arguments) -> None:
    host.output.enabled = True
    if "BUFFER_SIZE" not in arguments.given:
        host.output.limit = _DEFAULT_BUFFER
        return
    size = arguments.number("BUFFER_SIZE")
    host.output.limit = None if size is None else min(max(int(size), 2000), 1_000_000)


@procedure("DBMS_OUTPUT.DISABLE")
def _disable(host: Host, arguments: Arguments) -> None:
    host.output.disable()


@procedure("DBMS_OUTPUT.PUT_LINE", "A")
def _put_line(host: Host, arguments: Arguments) -> None:
    host.output.put(arguments.text("A") or "", end=True)


@procedure("DBMS_OUTPUT.PUT", "A")
def _put(host: Host, arguments: Arguments) -> None:
    host.output.put(arguments.text("A") or "", end=False)


@procedure("DBMS_OUTPUT.NEW_LINE")
def _new_line(host: Host, arguments: Arguments) -> None:
    host.output.put("", end=True)


@procedure("DBMS_OUTPUT.GET_LINE", "LINE", "STATUS", out=("LINE", "STATUS"))
def _get_line(host: Host, arguments: Arguments) -> None:
    lines = host.output.lines
    arguments.out["STATUS"] = values.integer(0 if lines else 1)
    arguments.out["LINE"] = values.text(lines.popleft() if lines else None)


@procedure("DBMS_APPLICATION_INFO.SET_MODULE", "MODULE_NAME", "ACTION_NAME")
def _set_module(host: Host, arguments: Arguments) -> None:
    host.set_client_info({"module": arguments.text("MODULE_NAME") or "", "action": arguments.text("ACTION_NAME") or ""})


@procedure("DBMS_APPLICATION_INFO.SET_ACTION", "ACTION_NAME")
def _set_action(host: Host, arguments: Arguments) -> None:
    host.set_client_info({"action": arguments.text("ACTION_NAME") or ""})


@procedure("DBMS_APPLICATION_INFO.SET_CLIENT_INFO", "CLIENT_INFO")
def _set_client_info(host: Host, arguments: Arguments) -> None:
    host.set_client_info({"client_info": arguments.text("CLIENT_INFO") or ""})


@procedure("DBMS_APPLICATION_INFO.READ_MODULE", "MODULE_NAME", "ACTION_NAME", out=("MODULE_NAME", "ACTION_NAME"))
def _read_module(host: Host, arguments: Arguments) -> None:
    arguments.out["MODULE_NAME"] = values.text(host.client_info("module"))
    arguments.out["ACTION_NAME"] = values.text(host.client_info("action"))


@procedure("DBMS_APPLICATION_INFO.READ_CLIENT_INFO", "CLIENT_INFO", out=("CLIENT_INFO",))
def _read_client_info(host: Host, arguments: Arguments) -> None:
    arguments.out["CLIENT_INFO"] = values.text(host.client_info("client_info"))


@procedure("DBMS_SESSION.SET_IDENTIFIER", "CLIENT_ID")
def _set_identifier(host: Host, arguments: Arguments) -> None:
    host.set_client_info({"client_identifier": arguments.text("CLIENT_ID") or ""})


@procedure("DBMS_SESSION.CLEAR_IDENTIFIER")
def _clear_identifier(host: Host, arguments: Arguments) -> None:
    host.set_client_info({"client_identifier": ""})


@procedure("DBMS_SESSION.SET_NLS", "PARAM", "VALUE")
def _set_nls(host: Host, arguments: Arguments) -> None:
    """VALUE is written as in ALTER SESSION, with its quotes."""
    parameter, value = arguments.text("PARAM") or "", arguments.text("VALUE") or ""
    if not parameter.replace("_", "").isalnum():
        raise OracleError(922, "missing or invalid option")
    host.execute(f"ALTER SESSION SET {parameter} = {value}", Binds())


def _sleep(host: Host, arguments: Arguments) -> None:
    seconds = arguments.number("SECONDS")
    if seconds is None or seconds < 0:
        raise OracleError(20000, "invalid number of seconds to sleep")
    host.sleep(seconds)


PROCEDURES["DBMS_SESSION.SLEEP"] = PROCEDURES["DBMS_LOCK.SLEEP"] = Procedure(_sleep, ("SECONDS",), required=1)

_STATISTICS = ("OWNNAME", "TABNAME", "PARTNAME", "ESTIMATE_PERCENT", "BLOCK_SAMPLE", "METHOD_OPT", "DEGREE", "GRANULARITY", "CASCADE")


@procedure("DBMS_STATS.GATHER_TABLE_STATS", *_STATISTICS, required=2, others=True)
def _gather_table_statistics(host: Host, arguments: Arguments) -> None:
    owner, table = arguments.text("OWNNAME"), arguments.text("TABNAME")
    if table is None:
        raise OracleError(20001, "NULL is an invalid value for TABNAME")
    if arguments.text("PARTNAME") is not None:
        raise refused("statistics of a partition")
    host.gather_statistics(_stored_name(owner), _stored_name(table) or "")


@procedure("DBMS_STATS.FLUSH_DATABASE_MONITORING_INFO")
def _flush_modifications(host: Host, arguments: Arguments) -> None:
    host.flush_modifications()


def _stored_name(name: str | None) -> str | None:
    """DBMS_STATS reads names as SQL does: upper case unless in double quotes."""
    if name is None:
        return None
    return name[1:-1] if name.startswith('"') and name.endswith('"') else name.upper()

"""Calls of supplied procedures, and RAISE_APPLICATION_ERROR."""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.plsql import parallel_execute, values
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.packages import PROCEDURES, Arguments
from oracle_mimic.sql.plsql.statements import SqlRunner, target_of
from oracle_mimic.sql.plsql.syntax import CallProcedure, Fragment, Target
from oracle_mimic.sql.plsql.values import Frame, Value
from oracle_mimic.types import Kind

_DEFINING = (parallel_execute,)  # imported for the procedures it defines


class ProcedureCaller(SqlRunner):
    """Calls procedures; a part of the interpreter."""

    def call(self, statement: CallProcedure, frame: Frame) -> None:
        name = statement.name.removeprefix("SYS.")
        if name == "RAISE_APPLICATION_ERROR":
            raise self._application_error(statement, frame)
        procedure = PROCEDURES.get(name)
        if procedure is None:
            raise self._unknown_procedure(name, statement)
        given: dict[str, Value] = {}
        outputs: dict[str, Target] = {}
        for position, (named, fragment) in enumerate(statement.arguments):
            parameter = named or (procedure.parameters[position] if position < len(procedure.parameters) else "")
            if not parameter or (parameter not in procedure.parameters and not procedure.others):
                text = f"PLS-00306: wrong number or types of arguments in call to '{name.rsplit('.', 1)[-1]}'"
                raise compile_error(self.sql, statement.offset, text)
            if parameter in procedure.out:
                outputs[parameter] = target_of(fragment)
            else:
                given[parameter] = self._argument(fragment, frame)
        if len(given) + len(outputs) < procedure.required:
            text = f"PLS-00306: wrong number or types of arguments in call to '{name.rsplit('.', 1)[-1]}'"
            raise compile_error(self.sql, statement.offset, text)
        arguments = Arguments(given)
        procedure.run(self.host, arguments)
        for parameter, target in outputs.items():
            self.assign(target, arguments.out[parameter], frame)

    def _argument(self, fragment: Fragment, frame: Frame) -> Value:
        """An argument as text or number. Dates and the like become text as TO_CHAR makes them."""
        value = self.evaluate(fragment, frame)
        if value.type.kind in (Kind.NUMBER, Kind.VARCHAR2, Kind.CHAR, Kind.NVARCHAR2, Kind.NCHAR, Kind.BOOLEAN, Kind.CLOB):
            return value
        return self.assigner.converted(value, values.TEXT)

    def _application_error(self, statement: CallProcedure, frame: Frame) -> OracleError:
        if not 2 <= len(statement.arguments) <= 3:
            return compile_error(
                self.sql, statement.offset, "PLS-00306: wrong number or types of arguments in call to 'RAISE_APPLICATION_ERROR'"
            )
        code = self.integer(statement.arguments[0][1], frame)
        message = self.assigner.converted(self.evaluate(statement.arguments[1][1], frame), values.TEXT).python()
        if not -20999 <= code <= -20000:
            return OracleError(21000, f"error number argument to raise_application_error of {code} is out of range")
        return OracleError(-code, message or "")

    def _unknown_procedure(self, name: str, statement: CallProcedure) -> OracleError:
        if name.startswith(("DBMS_", "UTL_", "CTX_", "APEX_", "OWA_")):
            return refused(f"procedure {name}", offset=statement.offset)
        return compile_error(self.sql, statement.offset, f"PLS-00201: identifier '{name}' must be declared")

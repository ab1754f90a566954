"""SQL of a block: static statements, EXECUTE IMMEDIATE, cursors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from oracle_mimic.door import Binds, Outcome, Rows
from oracle_mimic.errors import OracleError
from oracle_mimic.sql.inspect import inspect
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.plsql import values
from oracle_mimic.sql.plsql.compiler import Compiler
from oracle_mimic.sql.plsql.evaluation import values_of
from oracle_mimic.sql.plsql.exceptions import TEXTS
from oracle_mimic.sql.plsql.fragments import compile_error
from oracle_mimic.sql.plsql.syntax import ExecuteImmediate, Fragment, OpenCursor, Target
from oracle_mimic.sql.plsql.values import Cursor, Frame, Value


class SqlRunner(Compiler):
    """Runs SQL; a part of the interpreter."""

    def query(self, fragment: Fragment, frame: Frame) -> Rows:
        text = self.statement_text(fragment, frame)
        return self.host.query(text, self.binds(text, frame))

    def run_sql(self, fragment: Fragment, into: Sequence[Target], frame: Frame) -> None:
        if fragment.tokens[0].is_word("SELECT", "WITH"):
            self._select_into(self.query(fragment, frame), into, frame)
            return
        text = self.statement_text(fragment, frame, self.into_clause(len(into)))
        if not fragment.tokens[0].is_word("INSERT", "UPDATE", "DELETE", "MERGE"):
            self.host.execute(text, Binds())
            return
        binds = self.binds(text, frame)
        if into:
            binds.columns = [*binds.columns[: -len(into)], *([None] * len(into))]
        outcome = self.host.execute(text, binds)
        self.status.row_count = outcome.row_count
        if into:
            self._returned(outcome, into, frame)

    def _returned(self, outcome: Outcome, into: Sequence[Target], frame: Frame) -> None:
        arrays = [per_execution[0] for per_execution in outcome.returning]
        if not arrays or len(arrays[0]) == 0:
            return
        if len(arrays[0]) > 1:
            raise OracleError(1422, TEXTS[1422])
        row = [Value(type_, array.slice(0, 1)) for type_, array in zip(outcome.returning_types, arrays, strict=True)]
        self.assign_row(into, row, frame)

    def _select_into(self, rows: Rows, into: Sequence[Target], frame: Frame) -> None:
        found = list(islice(values_of(rows), 2))
        rows.close()
        if not found:
            self.status.row_count = 0
            raise OracleError(1403, TEXTS[1403])
        if len(found) > 1:
            self.status.row_count = 1
            raise OracleError(1422, TEXTS[1422])
        self.status.row_count = 1
        self.assign_row(into, found[0], frame)

    def execute_immediate(self, statement: ExecuteImmediate, frame: Frame) -> None:
        """Dynamic SQL: USING gives the binds by position (PL/SQL: by first appearance)."""
        text = str(self.evaluate(statement.text, frame).python() or "")
        info = inspect(text)
        if info.kind != "plsql":
            text = text.rstrip()
        if info.kind in ("ddl", "other"):
            if statement.using:
                raise OracleError(1027, "bind variables not allowed for data definition operations")
            self.host.execute(text, Binds())
            return
        if len(statement.using) < len(info.bind_names):
            raise OracleError(1008, "not all variables bound")
        if len(statement.using) > len(info.bind_names):
            raise OracleError(1006, "bind variable does not exist")
        given = [self.evaluate(part, frame) if mode != "OUT" else self._type_of(part, frame) for mode, part in statement.using]
        columns = [None if mode == "OUT" and info.kind == "dml" else v.array for (mode, _), v in zip(statement.using, given, strict=True)]
        binds = Binds([value.type for value in given], columns)
        if info.kind == "query":
            rows = self.host.query(text, binds)
            if statement.into:
                self._select_into(rows, statement.into, frame)
            else:
                rows.close()
            return
        outcome = self.host.execute(text, binds)
        if info.kind == "dml":
            self.status.row_count = outcome.row_count
        outputs = [part for mode, part in statement.using if mode != "IN"]
        if info.kind == "dml" and outputs:
            self._returned(outcome, [target_of(part) for part in outputs], frame)
        elif outputs and outcome.out_values is not None:
            for (mode, part), array, value in zip(statement.using, outcome.out_values, given, strict=True):
                if mode != "IN" and array is not None:
                    self.assign(target_of(part), Value(value.type, array), frame)

    def _type_of(self, fragment: Fragment, frame: Frame) -> Value:
        """An OUT argument: nothing but its type."""
        value = self.simple(fragment, frame)
        return values.null(value.type if value is not None else values.TEXT)

    def cursor(self, name: str, offset: int, frame: Frame) -> Cursor:
        entry = frame.find(name)
        if not isinstance(entry, Cursor):
            raise compile_error(self.sql, offset, f"PLS-00201: identifier '{name}' must be declared")
        return entry

    def open(self, statement: OpenCursor, frame: Frame) -> None:
        rows: Rows
        if statement.query is not None:
            rows = self.query(statement.query, frame)
        elif statement.text is not None:
            text = str(self.evaluate(statement.text, frame).python() or "")
            given = [self.evaluate(part, frame) for part in statement.using]
            rows = self.host.query(text, Binds([v.type for v in given], [v.array for v in given]))
        else:
            cursor = self.cursor(statement.cursor.name, statement.offset, frame)
            if cursor.rows is not None:
                raise OracleError(6511, TEXTS[6511])
            if cursor.open is None:
                raise OracleError(1001, "invalid cursor")
            rows = cursor.open(tuple(self.evaluate(argument, frame) for argument in statement.arguments))
        if statement.cursor.is_bind:
            self.assign(statement.cursor, rows, frame)
            return
        cursor = self.cursor(statement.cursor.name, statement.offset, frame)
        cursor.rows, cursor.reader, cursor.found, cursor.row_count = rows, values_of(rows), None, 0

    def fetch(self, cursor: Cursor, into: Sequence[Target], frame: Frame) -> None:
        if cursor.rows is None or cursor.reader is None:
            raise OracleError(1001, "invalid cursor")
        row = next(cursor.reader, None)
        cursor.found = row is not None
        if row is not None:
            cursor.row_count += 1
            self.assign_row(into, row, frame)

    def close(self, cursor: Cursor) -> None:
        if cursor.rows is None:
            raise OracleError(1001, "invalid cursor")
        cursor.rows.close()
        cursor.rows = cursor.reader = None


def target_of(fragment: Fragment) -> Target:
    token = fragment.tokens[0]
    if len(fragment.tokens) == 1 and token.kind is TokenKind.BIND:
        return Target(token.value, True, token.start)
    return Target("".join(part.value for part in fragment.tokens), False, token.start)

"""The grammar of INSERT, INSERT ALL, UPDATE, DELETE and MERGE."""

from __future__ import annotations

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.queries import QueryParser
from oracle_mimic.sql.syntax import (
    Assignment,
    Condition,
    DefaultValue,
    Delete,
    Expression,
    Identifier,
    Insert,
    InsertAll,
    InsertBranch,
    Merge,
    Name,
    Node,
    Query,
    ReturningInto,
    ScalarQuery,
    Statement,
    Table,
    TableReference,
    Update,
)  # fmt: skip


class DmlParser(QueryParser):
    """Reads a whole statement."""

    def statement(self) -> Statement:
        """A query or a DML statement; ORA-00900 for anything else."""
        token = self.token
        if self.at_query() or token.is_op("("):
            return self.query()
        match token.value if token.kind is TokenKind.WORD else "":
            case "INSERT":
                return self._insert()
            case "UPDATE":
                return self._update()
            case "DELETE":
                return self._delete()
            case "MERGE":
                return self._merge()
        raise self.error(900, "invalid SQL statement")

    def _hinted_append(self) -> bool:
        hint = self.take_hint()
        words = (hint or "").upper().replace("(", " ").replace(",", " ").split()
        return "APPEND" in words or "APPEND_VALUES" in words

    def _target(self) -> Table:
        """The table that DML changes: no sample, no flashback, no inline view."""
        if self.at_op("("):
            raise refused("DML on an inline view", offset=self.token.start)
        table = self.table()
        if table.sample or table.flashback or table.pivot:
            raise OracleError(933, "SQL command not properly ended", offset=table.start)
        return table

    def _insert(self) -> Insert | InsertAll:
        start = self.advance().start
        append = self._hinted_append()
        if self.at_word("ALL", "FIRST"):
            return self._insert_all(start, append=append)
        self.expect_word("INTO")
        table = self._target()
        columns = self._insert_columns()
        if self.take_word("VALUES"):
            if not self.at_op("("):
                raise refused("INSERT of a record", offset=self.token.start)
            values = self._assigned_values()
            if self.at_op(","):
                raise self.error(933, "SQL command not properly ended")  # several rows: 23ai
            query = None
        elif self.at_query() or self.at_op("("):
            values, query = None, self.query()
        else:
            raise self.error(926, "missing VALUES keyword")
        if self.at_words("LOG", "ERRORS"):
            raise refused("LOG ERRORS", offset=self.token.start)
        returning = self._returning()
        if query is not None and returning is not None:
            raise OracleError(933, "SQL command not properly ended", offset=returning.start)
        return Insert(table, columns, values, query, append, returning, start=start, end=self.last_end)

    def _insert_columns(self) -> tuple[Identifier, ...]:
        """The column list; a name may be qualified with the table's."""
        if not self.at_op("(") or self.peek().is_word("SELECT", "WITH") or self.peek().is_op("("):
            return ()
        self.expect_op("(")
        names = [self.column_name().parts[-1]]
        while self.take_op(","):
            names.append(self.column_name().parts[-1])
        if not self.take_op(")"):
            raise OracleError(917, "missing comma", offset=self.token.start)
        return tuple(names)

    def _assigned_values(self) -> tuple[Expression, ...]:
        self.expect_op("(")
        values = [self._assigned_value()]
        while self.take_op(","):
            values.append(self._assigned_value())
        self.expect_op(")")
        return tuple(values)

    def _assigned_value(self) -> Expression:
        if token := self.take_word("DEFAULT"):
            return DefaultValue(start=token.start, end=token.end)
        return self.expression()

    def _insert_all(self, start: int, *, append: bool) -> InsertAll:
        first = self.advance().value == "FIRST"
        groups: list[tuple[Condition | None, tuple[InsertBranch, ...]]] = []
        otherwise: tuple[InsertBranch, ...] = ()
        if self.at_word("WHEN"):
            while self.take_word("WHEN"):
                condition = self.condition()
                self.expect_word("THEN")
                groups.append((condition, self._branches()))
            if self.take_word("ELSE"):
                otherwise = self._branches()
        else:
            groups.append((None, self._branches()))
        query = self.query()
        return InsertAll(first, tuple(groups), otherwise, query, append, start=start, end=self.last_end)

    def _branches(self) -> tuple[InsertBranch, ...]:
        branches: list[InsertBranch] = []
        while not branches or self.at_word("INTO"):
            start = self.expect_word("INTO").start
            table = self._target()
            columns = self._insert_columns()
            values = self._assigned_values() if self.take_word("VALUES") else None
            branches.append(InsertBranch(table, columns, values, start=start, end=self.last_end))
        return tuple(branches)

    def _update(self) -> Update:
        start = self.advance().start
        self.take_hint()
        table = self._target()
        self.expect_word("SET")
        assignments = self._assignments()
        where = self.condition() if self.take_word("WHERE") else None
        if self.at_words("LOG", "ERRORS"):
            raise refused("LOG ERRORS", offset=self.token.start)
        return Update(table, assignments, where, self._returning(), start=start, end=self.last_end)

    def _assignments(self) -> tuple[Assignment, ...]:
        assignments = [self._assignment()]
        while self.take_op(","):
            assignments.append(self._assignment())
        return tuple(assignments)

    def _assignment(self) -> Assignment:
        start = self.token.start
        if not self.take_op("("):
            column = self.column_name()
            self.expect_op("=")
            return Assignment((column,), self._assigned_value(), start=start, end=self.last_end)
        columns: list[Name] = [self.column_name()]
        while self.take_op(","):
            columns.append(self.column_name())
        self.expect_op(")")
        self.expect_op("=")
        value = self.expression()
        if not isinstance(value, ScalarQuery):
            raise OracleError(1767, "UPDATE ... SET expression must be a subquery", offset=value.start)
        return Assignment(tuple(columns), value, start=start, end=self.last_end)

    def _delete(self) -> Delete:
        start = self.advance().start
        self.take_hint()
        self.take_word("FROM")
        table = self._target()
        where = self.condition() if self.take_word("WHERE") else None
        if self.at_words("LOG", "ERRORS"):
            raise refused("LOG ERRORS", offset=self.token.start)
        return Delete(table, where, self._returning(), start=start, end=self.last_end)

    def _returning(self) -> ReturningInto | None:
        start = self.token.start
        if not self.take_word("RETURNING", "RETURN"):
            return None
        expressions = [self.expression()]
        while self.take_op(","):
            expressions.append(self.expression())
        if self.at_word("BULK"):
            raise refused("RETURNING BULK COLLECT", offset=self.token.start)
        self.expect_word("INTO")
        into = [self._into_bind()]
        while self.take_op(","):
            into.append(self._into_bind())
        if len(into) < len(expressions):
            raise OracleError(947, "not enough values", offset=start)
        if len(into) > len(expressions):
            raise OracleError(913, "too many values", offset=start)
        return ReturningInto(tuple(expressions), tuple(into), start=start, end=self.last_end)

    def _into_bind(self) -> Node:
        token = self.token
        if token.kind is not TokenKind.BIND:
            raise self.error(925, "missing INTO keyword")
        self.advance()
        return self._bind(token.value, token.start, token.end)

    def _merge(self) -> Merge:
        start = self.advance().start
        append = self._hinted_append()
        self.expect_word("INTO")
        table = self._target()
        self.expect_word("USING")
        source = self._merge_source()
        self.expect_word("ON")
        if not self.at_op("("):
            raise self.error(906, "missing left parenthesis")
        self.advance()
        on = self.condition()
        self.expect_op(")")
        merge = _MergeBranches(self)
        merge.read()
        return Merge(
            table, source, on, merge.assignments, merge.update_where, merge.delete_where, merge.insert_columns,
            merge.insert_values, merge.insert_where, append, start=start, end=self.last_end,
        )  # fmt: skip

    def _merge_source(self) -> TableReference:
        source = self._table_primary()
        if self._join_kind() is not None:
            raise self.error(969, "missing ON keyword")
        return source


class _MergeBranches:
    """WHEN [NOT] MATCHED, each at most once, in either order."""

    def __init__(self, parser: DmlParser) -> None:
        self.parser = parser
        self.assignments: tuple[Assignment, ...] = ()
        self.update_where: Condition | None = None
        self.delete_where: Condition | None = None
        self.insert_columns: tuple[Name, ...] = ()
        self.insert_values: tuple[Expression, ...] | None = None
        self.insert_where: Condition | None = None

    def read(self) -> None:
        p = self.parser
        if not p.at_word("WHEN"):
            raise p.error(905, "missing keyword")
        while p.take_word("WHEN"):
            negated = p.take_word("NOT")
            p.expect_word("MATCHED")
            p.expect_word("THEN")
            if negated:
                self._insert()
            else:
                self._update()
        if p.at_words("LOG", "ERRORS"):
            raise refused("LOG ERRORS", offset=p.token.start)

    def _update(self) -> None:
        p = self.parser
        if self.assignments:
            raise p.error(933, "SQL command not properly ended")
        p.expect_word("UPDATE")
        p.expect_word("SET")
        self.assignments = p._assignments()
        self.update_where = p.condition() if p.take_word("WHERE") else None
        if p.take_word("DELETE"):
            p.expect_word("WHERE")
            self.delete_where = p.condition()

    def _insert(self) -> None:
        p = self.parser
        if self.insert_values is not None:
            raise p.error(933, "SQL command not properly ended")
        p.expect_word("INSERT")
        columns: list[Name] = []
        if p.take_op("("):
            columns.append(p.column_name())
            while p.take_op(","):
                columns.append(p.column_name())
            p.expect_op(")")
        p.expect_word("VALUES")
        self.insert_columns = tuple(columns)
        self.insert_values = p._assigned_values()
        self.insert_where = p.condition() if p.take_word("WHERE") else None


__all__ = ["DmlParser", "Query"]

"""One try of a data manipulation statement: stage its rows, write their versions, check keys, read RETURNING.

The source is read without the write lock into a temporary table of the cursor (unless it is a row of values); then, under the lock
and in one DuckDB transaction, versions are written. What other transactions stand in the way of is told by BlockedError.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from oracle_mimic.errors import OracleError
from oracle_mimic.sql import engine_constraints, rowids
from oracle_mimic.sql.bound import BoundDelete, BoundDml, BoundInsert, BoundMerge, BoundUpdate
from oracle_mimic.sql.carriers import TZ_STRUCT
from oracle_mimic.sql.catalog import Catalog, Table
from oracle_mimic.sql.engine import Connection, arrow_table, changed, run
from oracle_mimic.sql.engine_constraints import Check, UniqueKey
from oracle_mimic.sql.engine_versions import STAGE, ChangedError, Write, end_rows, insert_row, insert_rows, replace_rows
from oracle_mimic.sql.relations import ROWID_COLUMN
from oracle_mimic.sql.row_checks import RowChecks
from oracle_mimic.sql.transactions import LIVE, Snapshot

_KEPT_STAGE_ROWS = 1000  # a larger stage is dropped at once, to free its memory


class OrderDependentError(Exception):
    """Executions of an array touch each other's rows: they have to be done in smaller groups, in order."""


class KeyClashError(OracleError):
    """ORA-00001 for an array of new rows of which is known which executions are at fault, all of them."""

    def __init__(self, text: str, executions: set[int]) -> None:
        super().__init__(1, text)
        self.executions = executions


@dataclass(frozen=True, slots=True)
class DmlPlan:
    """A bound statement with what the table asks of new rows.

    new_values: per column of the table, its value in a row to insert over the source `s`; `insert_checks`, `update_checks`: what
    `row_checks` made; needs_stage: the source reads tables; keys: what must be unique.
    """

    bound: BoundDml
    table: Table
    catalog: Catalog
    new_values: tuple[str, ...] = ()
    insert_checks: RowChecks | None = None
    update_checks: RowChecks | None = None
    needs_stage: bool = True
    keys: tuple[UniqueKey, ...] = ()

    @property
    def is_direct_path(self) -> bool:
        """INSERT /*+ APPEND */ ... SELECT into a table without foreign keys, which alone may be loaded so."""
        references = any(c.kind == "R" and c.enabled for c in self.table.constraints)
        return isinstance(self.bound, BoundInsert) and self.bound.direct and self.needs_stage and not references


@dataclass(slots=True)
class Written:
    """What one try did.

    inserted: row numbers used up; counts: execution -> rows, for arrays; returning: per execution, the expressions' values;
    updated, deleted: of `rows`, those of the table itself.
    """

    rows: int = 0
    updated: int = 0
    deleted: int = 0
    inserted: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    returning: dict[int, pa.Table] = field(default_factory=dict)
    last_rid: int | None = None


@dataclass(slots=True)
class Staged:
    """The rows a statement is about to write: how many, and the `rid` of one (of the only one)."""

    rows: int
    some_rid: int | None


class DmlTry:
    """One try: `stage` first, then `write` inside the DuckDB transaction."""

    def __init__(
        self,
        cursor: Connection,
        plan: DmlPlan,
        snapshot: Snapshot,
        parameters: Mapping[str, Any],
        *,
        executions: range | None,
        left_out: Collection[int] = (),
        session_id: int,
    ) -> None:
        """executions: the part of the bind array, None for a single execution; left_out: those of them that are not in it."""
        self.cursor = cursor
        self.plan = plan
        self.table = plan.table
        self.snapshot = snapshot
        self.parameters = {**parameters, "snapshot": snapshot.limit}
        self.executions = executions
        self.left_out = frozenset(left_out)
        self.session_id = session_id
        self.sql = snapshot.apply(plan.bound.sql)
        self.inserted_keys: dict[str, Any] | None = None  # of a single new row: physical column -> value
        self.touched = {plan.table.object_id}  # tables whose versions it wrote or ended, by ON DELETE too

    # staging

    def stage(self) -> Staged:
        """Read the source. A statement that changes rows gets their `rid`s; ORA-30926 for a MERGE that meets a row twice."""
        bound = self.plan.bound
        if isinstance(bound, BoundInsert):
            if not self.plan.needs_stage:
                return Staged(1 if self.executions is None else len(self._present), None)
            return Staged(self._create_stage("q.*"), None)
        rows = self._create_stage(f"{self._rid('q.rid')} AS rid, q.* EXCLUDE (rid)")
        if rows == 0 or (self.executions is None and not isinstance(bound, BoundMerge)):
            return Staged(rows, run(self.cursor, f"SELECT rid FROM {STAGE}")[0][0] if rows == 1 else None)
        doing = "do_update" if isinstance(bound, BoundMerge) else "TRUE"
        met, distinct, some = run(
            self.cursor,
            f"SELECT count(rid) FILTER ({doing}), count(DISTINCT rid) FILTER ({doing}), min(rid) FILTER ({doing}) FROM {STAGE}",
        )[0]
        if met != distinct:
            if self.executions is not None and len(self.executions) > 1:
                raise OrderDependentError
            raise OracleError(30926, "unable to get a stable set of rows in the source tables")
        return Staged(rows, some)

    def _rid(self, rowid: str) -> str:
        return f"CAST({rowid} - {rowids.rowid_offset(self.table.data_object_id)}::HUGEINT AS BIGINT)"

    def _create_stage(self, selected: str) -> int:
        return changed(self.cursor, f"CREATE OR REPLACE TEMP TABLE stage AS SELECT {selected} FROM ({self.sql}) q", self.parameters)

    def drop_stage(self, rows: int) -> None:
        """Free the stage of a large statement."""
        if rows > _KEPT_STAGE_ROWS:
            run(self.cursor, f"DROP TABLE IF EXISTS {STAGE}")

    # writing

    def write(self, staged: Staged, check: Check, first_ordinal: int) -> Written:
        """Write the versions and check keys. Raises BlockedError, ChangedError, OrderDependentError, OracleError."""
        bound = self.plan.bound
        written = Written()
        if isinstance(bound, BoundInsert):
            self._insert(written, check.write_id, first_ordinal)
            self._check_new_keys(check, first_ordinal)
        elif isinstance(bound, BoundUpdate):
            self._update(written, check.write_id, STAGE, _numbered(bound.columns, "c"), staged.rows)
            self._check_keys(check, set(bound.columns))
            self._check_children(check, self.table, set(bound.columns))
        elif isinstance(bound, BoundDelete):
            end_rows(self.cursor, self._writing(check.write_id), STAGE, staged.rows)
            written.rows = written.deleted = staged.rows
            self._check_children(check, self.table, None)
        else:
            self._merge(written, bound, check, first_ordinal)
        if written.rows == 1 and written.last_rid is None:
            written.last_rid = staged.some_rid
        self._check_order(bound, check)
        self._count_executions(written, bound)
        self._return(written, bound, check.write_id)
        return written

    def _writing(self, write_id: int, values: Sequence[str] = (), checks: RowChecks | None = None) -> Write:
        return Write(
            self.table, write_id, self.snapshot, values, checks.values if checks else (), checks.guard if checks else None,
            self.session_id, self.parameters,
        )  # fmt: skip

    def _insert(self, written: Written, write_id: int, first_ordinal: int) -> None:
        plan = self.plan
        writing = self._writing(write_id, plan.new_values, plan.insert_checks)
        if self._is_single_row:
            row = insert_row(self.cursor, writing, f"({self.sql})", ordinal=first_ordinal, returning=["rid", *self._key_columns()])[0]
            self.inserted_keys = dict(zip(self._key_columns(), row[1:], strict=True))
            written.rows = written.inserted = 1
            written.last_rid = row[0]
            return
        if plan.needs_stage:
            source, ordinal = STAGE, "(row_number() OVER (ORDER BY s.execution) - 1)" if self.executions is not None else None
        else:
            source = f"({self.sql})"
            ordinal = "0" if self.executions is None else f"(s.execution - {self.executions.start})"
        written.rows = insert_rows(self.cursor, writing, source, first_ordinal=first_ordinal, ordinal=ordinal)
        written.inserted = written.rows
        if written.rows:
            written.last_rid = rowids.rid_of(first_ordinal + written.rows - 1)
        if self.executions is not None and not plan.needs_stage:
            written.inserted = len(self.executions)  # numbers, not rows: those left out have theirs

    def _update(self, written: Written, write_id: int, source: str, named: Mapping[str, str], rows: int) -> None:
        """New versions with the source's columns that `named` tells (column -> column of the source), the others as they were."""
        values = [f"s.{named[column.name]}" if column.name in named else f"t.{column.physical}" for column in self.table.columns]
        replace_rows(self.cursor, self._writing(write_id, values, self.plan.update_checks), source, rows)
        written.rows += rows
        written.updated += rows

    def _merge(self, written: Written, bound: BoundMerge, check: Check, first_ordinal: int) -> None:
        counts = run(
            self.cursor,
            f"SELECT count(*) FILTER (do_update AND NOT coalesce(do_delete, FALSE)), count(*) FILTER (do_update AND do_delete), "
            f"count(*) FILTER (do_insert) FROM {STAGE}",
        )[0]
        if counts[0]:
            source = f"(SELECT * FROM {STAGE} WHERE do_update AND NOT coalesce(do_delete, FALSE))"
            self._update(written, check.write_id, source, _numbered(bound.update_columns, "u"), counts[0])
        if counts[1]:
            end_rows(self.cursor, self._writing(check.write_id), f"(SELECT * FROM {STAGE} WHERE do_update AND do_delete)", counts[1])
            written.rows += counts[1]
            written.deleted = counts[1]
        if counts[2]:
            writing = self._writing(check.write_id, self.plan.new_values, self.plan.insert_checks)
            source = f"(SELECT * FROM {STAGE} WHERE do_insert)"
            written.inserted = insert_rows(self.cursor, writing, source, first_ordinal=first_ordinal, ordinal=None)
            written.rows += written.inserted
        if counts[0] or counts[2]:
            self._check_keys(check, None if counts[2] else set(bound.update_columns))
        if counts[0] or counts[1]:
            self._check_children(check, self.table, None if counts[1] else set(bound.update_columns))

    # keys

    @property
    def _is_single_row(self) -> bool:
        """INSERT ... VALUES once, into a table whose keys DuckDB can search for a value."""
        plan = self.plan
        return (
            self.executions is None
            and not plan.needs_stage
            and plan.table.temporary is None
            and all(column.carrier != TZ_STRUCT for column in plan.table.columns if column.physical in self._key_columns())
        )

    @property
    def _present(self) -> list[int]:
        return [execution for execution in self.executions or () if execution not in self.left_out]

    def _check_new_keys(self, check: Check, first_ordinal: int) -> None:
        """`_check_keys` for an insert; a clash within an array of rows tells which executions are at fault, where that is certain."""
        try:
            self._check_keys(check, None)
        except OracleError as error:
            executions, keys = self.executions, self.plan.keys
            if error.code != 1 or executions is None or len(executions) < 2 or len(keys) != 1 or self.plan.needs_stage:
                raise
            rids = engine_constraints.clashing_rids(self.cursor, self.table, keys[0], check)
            at_fault = {rowids.ordinal_of(rid) - first_ordinal + executions.start for rid in rids}
            raise KeyClashError(error.text, at_fault) from error

    def _key_columns(self) -> list[str]:
        names = {name for key in self.plan.keys for name in key.columns}
        return [column.physical for column in self.table.columns if column.name in names]

    def _check_keys(self, check: Check, changed: set[str] | None) -> None:
        for key in self.plan.keys:
            if self.inserted_keys is not None:
                values = [self.inserted_keys[column.physical] for name in key.columns if (column := self.table.column(name)) is not None]
                engine_constraints.check_unique_row(self.cursor, self.table, key, values, check)
            elif changed is None or changed & {*key.columns}:
                engine_constraints.check_unique(self.cursor, self.table, key, check)
        for constraint in self.table.constraints:
            if constraint.kind == "R" and constraint.enabled and (changed is None or changed & {*constraint.columns}):
                engine_constraints.check_parents(self.cursor, self.table, constraint, check)

    def _check_children(self, check: Check, parent: Table, changed: set[str] | None, depth: int = 0) -> None:
        """ORA-02292, or what ON DELETE says. `changed`: an update of these columns, never cascaded."""
        for child, key in check.catalog.children_of(parent.object_id):
            target = parent.constraint(key.parent_constraint or "")
            if not key.enabled or target is None or (changed is not None and not changed & {*target.columns}):
                continue
            orphans = engine_constraints.orphaned_children(self.cursor, parent, child, key, check)
            name = f"orphans{depth}"
            run(self.cursor, f"CREATE OR REPLACE TEMP TABLE {name} AS {orphans}")
            rows = run(self.cursor, f"SELECT count(*) FROM {name}")[0][0]
            if not rows:
                continue
            if changed is not None or key.delete_rule == "NO ACTION":
                raise engine_constraints.child_found(child.owner, key)
            self.touched.add(child.object_id)
            write = Write(child, check.write_id, self.snapshot, (), (), session_id=self.session_id)
            if key.delete_rule == "CASCADE":
                end_rows(self.cursor, write, f"temp.{name}", rows)
                self._check_children(check, child, None, depth + 1)
            else:
                physical = tuple(column.physical for column in child.columns)
                values = [
                    f"CAST(NULL AS {column.carrier})" if column.name in key.columns else f"t.{column.physical}" for column in child.columns
                ]
                replaced = Write(child, check.write_id, self.snapshot, values, physical, session_id=self.session_id)
                replace_rows(self.cursor, replaced, f"temp.{name}", rows)

    # arrays

    def _check_order(self, bound: BoundDml, check: Check) -> None:
        """OrderDependentError when, after the write, an execution would meet other rows than it did: then they are not independent."""
        if self.executions is None or len(self.executions) < 2 or not isinstance(bound, (BoundUpdate, BoundMerge)):
            return
        now = Snapshot(self.snapshot.scn, max(self.snapshot.limit, check.write_id), tuple(sorted(check.open_numbers)))
        sql = now.apply(bound.sql)
        parameters = {**self.parameters, "snapshot": now.limit}
        if isinstance(bound, BoundUpdate):
            again = f"SELECT execution, {self._rid('q.rid')} FROM ({sql}) q"
            before = f"SELECT execution, rid FROM {STAGE}"
            moved = run(self.cursor, f"SELECT 1 FROM (({again} EXCEPT {before}) UNION ALL ({before} EXCEPT {again})) LIMIT 1", parameters)
        else:
            fresh = f"SELECT rid FROM {self.table.physical} WHERE bx = {check.write_id} AND ex = {LIVE}"
            twice = f"SELECT {self._rid('q.rid')} AS rid FROM ({sql}) q WHERE q.rid IS NOT NULL"
            moved = run(
                self.cursor,
                f"SELECT 1 FROM ({twice}) WHERE rid IN ({fresh}) AND rid NOT IN (SELECT rid FROM {STAGE} WHERE rid IS NOT NULL) "
                "GROUP BY rid HAVING count(*) > 1 LIMIT 1",
                parameters,
            )
        if moved:
            raise OrderDependentError

    def _count_executions(self, written: Written, bound: BoundDml) -> None:
        if self.executions is None:
            return
        if not self.plan.needs_stage:
            written.counts = dict.fromkeys(self._present, 1)
            return
        touched = " WHERE do_update OR do_insert" if isinstance(bound, BoundMerge) else ""
        written.counts = dict(run(self.cursor, f"SELECT execution, count(*) FROM {STAGE}{touched} GROUP BY execution"))

    # RETURNING

    def _return(self, written: Written, bound: BoundDml, write_id: int) -> None:
        if isinstance(bound, BoundMerge) or bound.returning is None:
            return
        versions = f"ex = {write_id}" if isinstance(bound, BoundDelete) else f"bx = {write_id} AND ex = {LIVE}"
        offset = rowids.rowid_offset(self.table.data_object_id)
        rows = f"(SELECT *, (rid::HUGEINT + {offset}::HUGEINT) AS {ROWID_COLUMN} FROM {self.table.physical} WHERE {versions}) r"
        selected = ", ".join(f"{e.sql} AS c{n}" for n, e in enumerate(bound.returning.expressions))
        if self.executions is None:
            written.returning[0] = arrow_table(self.cursor, f"SELECT {selected} FROM {rows} ORDER BY rid", self.parameters)
            return
        if isinstance(bound, BoundInsert):
            present = ", ".join(map(str, self._present))
            order = f"SELECT unnest([{present}]) AS execution, unnest((SELECT list(rid ORDER BY rid) FROM {rows})) AS rid"
        else:
            order = f"SELECT execution, rid FROM {STAGE}"
        found = arrow_table(
            self.cursor,
            f"SELECT {selected}, o.execution FROM {rows} JOIN ({order}) o USING (rid) ORDER BY o.execution, r.rid",
            self.parameters,
        )
        values = found.select(range(found.num_columns - 1))
        counts = Counter(found.column(found.num_columns - 1).to_pylist())
        position = 0
        for execution in self.executions:
            written.returning[execution] = values.slice(position, counts[execution])
            position += counts[execution]


def _numbered(columns: Sequence[str], prefix: str) -> dict[str, str]:
    return {name: f"{prefix}{number}" for number, name in enumerate(columns)}


__all__ = ["ChangedError", "DmlPlan", "DmlTry", "OrderDependentError", "Staged", "Written"]

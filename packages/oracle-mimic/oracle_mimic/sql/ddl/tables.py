"""CREATE TABLE (columns, AS query, temporary), DROP, TRUNCATE, RENAME; ANALYZE and PURGE as far as they mean anything here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import binder, engine_storage, expressions, quotas, rowids
from oracle_mimic.sql.bound import BoundQuery, Typed
from oracle_mimic.sql.catalog import Catalog, Constraint, Index, Sequence, Synonym, Table, View
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Action, Change, ObjectName, object_name
from oracle_mimic.sql.ddl.clauses import physical_clause, skip_parentheses
from oracle_mimic.sql.ddl.columns import ColumnSpec, ConstraintSpec, add_column, add_constraint, parse_column, parse_constraint
from oracle_mimic.sql.ddl.references import is_referring, referred_type
from oracle_mimic.sql.ddl.sequences import remove_sequence
from oracle_mimic.sql.ddl.validation import check_rows
from oracle_mimic.sql.engine import changed, duckdb_transaction, registered, run
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.sql.plans import Plan
from oracle_mimic.sql.row_checks import row_checks
from oracle_mimic.sql.transactions import LIVE
from oracle_mimic.types import Kind, OracleType

if TYPE_CHECKING:
    from oracle_mimic.sql.session import Session

_MISSING = OracleError(942, "table or view does not exist")


@dataclass(slots=True)
class _CreateTable:
    """What CREATE TABLE says; built: the query of AS, bound and run into `object_id`'s physical table before the locks are taken."""

    name: ObjectName
    temporary: Literal["DELETE", "PRESERVE"] | None
    columns: list[ColumnSpec] = field(default_factory=list)
    constraints: list[ConstraintSpec] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    query: str | None = None
    bound: BoundQuery | None = None
    object_id: int = 0


def parse_create(session: Session, parser: DmlParser, *, temporary: bool) -> Action:
    """CREATE [GLOBAL TEMPORARY] TABLE."""
    if parser.at_words("IF", "NOT", "EXISTS"):
        raise OracleError(922, "missing or invalid option", offset=parser.token.start)
    create = _CreateTable(object_name(parser), "DELETE" if temporary else None)
    char_semantics = session.has_char_semantics
    if parser.take_op("("):
        while True:
            if parser.at_word("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"):
                create.constraints.append(parse_constraint(parser))
            elif parser.at_word("SUPPLEMENTAL", "PERIOD"):
                raise refused(f"table clause {parser.token.value}", offset=parser.token.start)
            else:
                create.columns.append(parse_column(parser, char_semantics=char_semantics, type_required=False))
            if not parser.take_op(","):
                break
        parser.expect_op(")")
    while True:
        if temporary and parser.take_words("ON", "COMMIT"):
            create.temporary = "DELETE" if parser.expect_word("DELETE", "PRESERVE").value == "DELETE" else "PRESERVE"
            parser.expect_word("ROWS")
        elif not physical_clause(parser, create.attributes):
            break
    if parser.take_word("AS"):
        start = parser.token.start
        parser.query()
        create.query = parser.text_since(start)
    if parser.token.kind is not TokenKind.END and not parser.at_op(";"):
        raise parser.error(922, "missing or invalid option")
    if not create.columns and create.query is None:
        raise parser.error(906, "missing left parenthesis")
    declared = [*create.constraints, *(inline for column in create.columns for inline in column.constraints)]
    unknown = (c for c in create.columns if c.type is None and c.identity is None and not is_referring(c.name, declared))
    if create.query is None and (untyped := next(unknown, None)):
        raise OracleError(2263, "need to specify the datatype for this column", offset=untyped.offset)
    return Action(lambda change: _create(change, create), lambda session, catalog: _run_query(session, catalog, create))


def _run_query(session: Session, catalog: Catalog, create: _CreateTable) -> None:
    """CREATE TABLE AS: bind the query, check names early, fill the physical table. A failed statement's table is dropped by `_create`."""
    if create.query is None:
        return
    context = SessionContext(session, catalog)
    bound = create.bound = binder.bind_query(create.query, (), context)
    session.database.check_segment_space()
    owner = create.name.owner or session.current_schema
    if catalog.get(owner, create.name.name) is not None:
        raise OracleError(955, "name is already used by an existing object")
    _take_types(create, bound)
    create.object_id = catalog.allot_object_id()
    values = []
    for number, (spec, column, carrier) in enumerate(zip(create.columns, bound.columns, bound.carriers, strict=True), start=1):
        stored = expressions.assign(Typed(f"q.c{number - 1}", column.type, carrier), spec.type or column.type, context)
        values.append(f"{stored.sql} AS c{number}")
    snapshot = session.snapshot()
    plan = Plan(bound, context.dependencies, dict(bound.parameters))
    session_rows = f", {session.session_id}::BIGINT AS sx" if create.temporary else ""
    text = (
        f"CREATE TABLE data.t{create.object_id} AS SELECT {rowids.rid_sql('row_number() OVER () - 1')}::BIGINT AS rid, 0::BIGINT AS bx, "
        f"{LIVE}::BIGINT AS ex{session_rows}, {', '.join(values)} FROM ({snapshot.apply(bound.sql)}) q"
    )
    with session.database.engine.cursor() as cursor, session.running(cursor), registered(cursor, plan.virtual_rows(session)):
        run(cursor, f"DROP TABLE IF EXISTS data.t{create.object_id}")
        run(cursor, text, {**plan.parameters, **session.statement_parameters(), "snapshot": snapshot.limit})


def _take_types(create: _CreateTable, bound: BoundQuery) -> None:
    """Column names and types of CREATE TABLE AS, from the query where the statement does not say. ORA-00998, 00957, 01723, 01730."""
    if create.columns and len(create.columns) != len(bound.columns):
        raise OracleError(1730, "invalid number of column names specified")
    if not create.columns:
        create.columns = [ColumnSpec(column.name, 0) for column in bound.columns]
    for spec, column in zip(create.columns, bound.columns, strict=True):
        if spec.type is not None:
            raise OracleError(1773, "may not specify column datatypes in this CREATE TABLE")
        type_ = column.type
        if type_.kind in (Kind.VARCHAR2, Kind.CHAR, Kind.RAW, Kind.NVARCHAR2, Kind.NCHAR) and not type_.length:
            raise OracleError(1723, "zero-length columns are not allowed")
        if type_.kind in (Kind.LONG, Kind.LONG_RAW):
            raise OracleError(997, "illegal use of LONG datatype")
        if any(character in "(+-*/|' ," for character in spec.name):
            raise OracleError(998, "must name this expression with a column alias")
        spec.type = type_


def _create(change: Change, create: _CreateTable) -> None:
    session = change.session
    owner = change.owner_of(create.name)
    try:
        change.require_create(owner, "TABLE")
        change.require_free(owner, create.name.name)
        object_id = create.object_id or change.catalog.allot_object_id()
        table = Table(
            object_id, owner, create.name.name, change.moment, change.moment, object_id, (), temporary=create.temporary,
            changed_scn=change.scn, attributes=create.attributes,
        )  # fmt: skip
        specs = [*(inline for column in create.columns for inline in column.constraints), *create.constraints]
        for spec in create.columns:
            type_ = spec.type or referred_type(change, table, spec.name, specs) or OracleType(Kind.NUMBER)
            table = add_column(change, table, spec, type_)
        specs = [*(inline for column in create.columns for inline in column.constraints), *create.constraints]
        change.put(table)
        for constraint in sorted(specs, key=lambda spec: spec.kind == "R"):
            table = add_constraint(change, table, constraint)
            change.put(table)
        _bind_texts(change, table)
        if create.query is None:
            engine_storage.create_table(change.cursor, table)
        else:
            _require_existing_rows(change, table)
    except BaseException:
        if create.object_id:
            with session.database.engine.cursor() as cursor:
                run(cursor, f"DROP TABLE IF EXISTS data.t{create.object_id}")
        raise


def _bind_texts(change: Change, table: Table) -> None:
    """Defaults and checks are bound once, so that a wrong one is refused now."""
    context = SessionContext(change.session, change.catalog)
    row_checks(table, context)
    for column in table.columns:
        if column.default is not None:
            binder.bind_default(column.default, column.type, context)


def _require_existing_rows(change: Change, table: Table) -> None:
    """The rows of CREATE TABLE AS obey the constraints that were declared with it, and fit the owner's quota."""
    rows = run(change.cursor, f"SELECT count(*) FROM {table.physical}")[0][0]
    quotas.require(change.catalog, table, 0, rows, partial(change.session.database.ordinals, change.cursor))
    for constraint in table.constraints:
        check_rows(change, table, constraint)


def drop_table(change: Change, table: Table, *, cascade: bool) -> None:
    """Forget a table, its indexes, grants, identity sequence and rows. ORA-02449 while foreign keys refer to it."""
    for child, key in change.catalog.children_of(table.object_id):
        if child.object_id == table.object_id:
            continue
        if not cascade:
            raise OracleError(2449, "unique/primary keys in table referenced by foreign keys")
        kept: tuple[Constraint, ...] = tuple(c for c in change.catalog.table(child.object_id).constraints if c.name != key.name)
        change.put(replace(change.catalog.table(child.object_id), constraints=kept))
    for index in change.catalog.indexes_of(table.object_id):
        change.catalog.remove(index.object_id)
    for column in table.columns:
        if column.identity is not None:
            sequence = change.catalog.objects.get(column.identity.sequence_id)
            if isinstance(sequence, Sequence):
                remove_sequence(change, sequence)
    change.catalog.remove(table.object_id)
    change.catalog.drop_grants(table.owner, table.name)
    engine_storage.drop_table(change.cursor, table)


def parse_drop(parser: DmlParser) -> Action:
    """DROP TABLE [CASCADE CONSTRAINTS] [PURGE]. There is no recycle bin: without PURGE the rows are gone, too."""
    name = object_name(parser)
    cascade = parser.take_words("CASCADE", "CONSTRAINTS")
    parser.take_word("PURGE")

    def apply(change: Change) -> None:
        table = change.find(name, Table, _MISSING)
        if not change.may(table, "DROP"):
            raise OracleError(1031, "insufficient privileges") if change.privileges.sees(table) else _MISSING
        change.lock(table)
        drop_table(change, table, cascade=cascade)

    return Action(apply)


def parse_truncate(parser: DmlParser) -> Action:
    """TRUNCATE TABLE: a new, empty segment (DATA_OBJECT_ID) unless it was empty and new already."""
    name = object_name(parser)
    for words in (("PRESERVE", "MATERIALIZED", "VIEW", "LOG"), ("PURGE", "MATERIALIZED", "VIEW", "LOG")):
        parser.take_words(*words)
    if parser.take_word("DROP", "REUSE"):
        parser.take_word("ALL")
        parser.expect_word("STORAGE")
    if parser.at_word("CASCADE"):
        raise refused("TRUNCATE ... CASCADE", offset=parser.token.start)

    def apply(change: Change) -> None:
        table = change.find_table(name, privilege="DROP")
        for child, key in change.catalog.children_of(table.object_id):
            if key.enabled and child.object_id != table.object_id:
                raise OracleError(2266, "unique/primary keys in table referenced by enabled foreign keys")
        if table.temporary is not None:
            changed(change.cursor, f"DELETE FROM {table.physical} WHERE sx = {change.session.session_id}")
            return
        change.lock(table)
        rows = run(change.cursor, f"SELECT count(*) FROM {table.physical} WHERE ex = {LIVE}")[0][0]
        renew_segment(change, table)
        database = change.session.database
        database.modifications.count(table.object_id, database.clock.now(), deletes=rows, truncated=True)

    return Action(apply)


def renew_segment(change: Change, table: Table) -> Table:
    """Empty the table into a new segment."""
    emptied = replace(table, data_object_id=change.catalog.allot_object_id())
    change.put_table(emptied)
    engine_storage.drop_table(change.cursor, table)
    engine_storage.create_table(change.cursor, emptied)
    return emptied


def parse_rename(parser: DmlParser) -> Action:
    """RENAME old TO new: a table, view, sequence or private synonym of one's own."""
    old = parser.identifier(903, "invalid table name").name
    parser.expect_word("TO")
    new = parser.identifier(903, "invalid table name").name

    def apply(change: Change) -> None:
        owner = change.session.user
        entry = change.catalog.get(owner, old)
        if entry is None:
            raise OracleError(4043, f"object {old} does not exist")
        rename(change, entry, new)

    return Action(apply)


def rename(change: Change, entry: Table | View | Sequence | Synonym, new: str) -> None:
    """Give an object another name in its schema; grants follow it."""
    change.require_free(entry.owner, new)
    if isinstance(entry, Table):
        change.lock(entry)
    for key, grant in list(change.catalog.object_grants.items()):
        if grant.owner == entry.owner and grant.name == entry.name:
            del change.catalog.object_grants[key]
            renamed = replace(grant, name=new)
            change.catalog.object_grants[renamed.grantee, renamed.owner, new, renamed.privilege, key[4]] = renamed
    change.put(replace(entry, name=new))


def parse_analyze(parser: DmlParser) -> Action:
    """ANALYZE TABLE ... COMPUTE|ESTIMATE|DELETE STATISTICS; VALIDATE STRUCTURE checks nothing here."""
    parser.expect_word("TABLE")
    name = object_name(parser)
    if parser.take_words("VALIDATE", "STRUCTURE"):
        parser.take_word("CASCADE")
        return Action(lambda change: None)
    delete = parser.expect_word("COMPUTE", "ESTIMATE", "DELETE").value == "DELETE"
    parser.expect_word("STATISTICS")
    if parser.at_word("FOR", "SAMPLE"):
        raise refused(f"ANALYZE ... {parser.token.value}", offset=parser.token.start)

    def apply(change: Change) -> None:
        table = change.find_table(name)
        gather_statistics(change, table, delete=delete)

    return Action(apply)


def gather_statistics(change: Change, table: Table, *, delete: bool = False) -> None:
    """NUM_ROWS and LAST_ANALYZED of a table."""
    snapshot = change.session.database.registry.snapshot()
    rows = run(change.cursor, f"SELECT count(*) FROM {table.physical} WHERE {snapshot.predicate()}")[0][0]
    change.catalog.put(replace(table, num_rows=None if delete else int(rows), last_analyzed=None if delete else change.moment))


def parse_purge(parser: DmlParser) -> Action:
    """PURGE RECYCLEBIN: there is none, so it is empty. ORA-38307 for an object in it."""
    if parser.take_word("RECYCLEBIN", "DBA_RECYCLEBIN"):
        return Action(lambda change: None)
    parser.expect_word("TABLE", "INDEX")
    object_name(parser)

    def apply(change: Change) -> None:
        raise OracleError(38307, "object not in RECYCLE BIN")

    return Action(apply)


__all__ = [
    "Index", "drop_table", "duckdb_transaction", "gather_statistics", "parse_analyze", "parse_create", "parse_drop", "parse_purge",
    "parse_rename", "parse_truncate", "rename", "renew_segment", "skip_parentheses",
]  # fmt: skip

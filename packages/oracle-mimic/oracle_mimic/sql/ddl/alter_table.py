"""ALTER TABLE: ADD, MODIFY, DROP, RENAME, ENABLE, DISABLE, MOVE; several clauses in one statement are done one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import engine_storage, rowids
from oracle_mimic.sql.catalog import Constraint, IndexColumn, Sequence, Table
from oracle_mimic.sql.context import SessionContext
from oracle_mimic.sql.ddl.change import Action, Change, object_name
from oracle_mimic.sql.ddl.clauses import physical_clause, skip_parentheses
from oracle_mimic.sql.ddl.columns import (
    ColumnSpec,
    add_column,
    key_index,
    parse_column,
    parse_constraint,
    with_nullability,
)
from oracle_mimic.sql.ddl.modify_column import existing_column, modify_column
from oracle_mimic.sql.ddl.references import is_referring, referred_type
from oracle_mimic.sql.ddl.sequences import remove_sequence
from oracle_mimic.sql.ddl.tables import rename
from oracle_mimic.sql.ddl.validation import check_rows, has_rows, with_constraints
from oracle_mimic.sql.engine import run
from oracle_mimic.sql.lexer import TokenKind, tokenize
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.sql.plans import default_value
from oracle_mimic.sql.transactions import LIVE
from oracle_mimic.types import Kind, OracleType

Step = Callable[[Change, Table], Table]
_CONSTRAINT_STARTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK")
_TEXT = frozenset({Kind.VARCHAR2, Kind.NVARCHAR2, Kind.CHAR, Kind.NCHAR, Kind.RAW})
_NOTHING_TO_DO = (("SHRINK", "SPACE"), ("ENABLE", "TABLE", "LOCK"), ("ENABLE", "ALL", "TRIGGERS"), ("DISABLE", "ALL", "TRIGGERS"))


def parse_alter(parser: DmlParser, *, char_semantics: bool) -> Action:
    """ALTER TABLE name clause [clause ...]."""
    name = object_name(parser)
    steps: list[Step] = []
    attributes: dict[str, str] = {}
    while parser.token.kind is not TokenKind.END and not parser.at_op(";"):
        if any(parser.take_words(*words) for words in _NOTHING_TO_DO):
            parser.take_word("COMPACT", "CASCADE")
        elif not physical_clause(parser, attributes):
            steps += _clause(parser, char_semantics=char_semantics)
    if not steps and not attributes:
        raise parser.error(1735, "invalid ALTER TABLE option")

    def apply(change: Change) -> None:
        table = change.find_table(name)
        change.lock(table)
        for step in steps:
            table = step(change, table)
            if change.catalog.objects.get(table.object_id) is not None:
                change.put_table(table)
                table = change.catalog.table(table.object_id)
        if attributes:
            change.catalog.put(replace(table, attributes={**table.attributes, **attributes}, last_ddl=change.moment))

    return Action(apply)


def _clause(parser: DmlParser, *, char_semantics: bool) -> list[Step]:
    word = parser.advance()
    if word.is_word("ADD"):
        return _add(parser, char_semantics=char_semantics)
    if word.is_word("MODIFY"):
        return _modify(parser, char_semantics=char_semantics)
    if word.is_word("DROP"):
        return _drop(parser)
    if word.is_word("RENAME"):
        return [_rename(parser)]
    if word.is_word("ENABLE", "DISABLE"):
        return [_enable(parser, enabled=word.value == "ENABLE")]
    if word.is_word("SET") and parser.take_word("UNUSED"):
        return _drop_columns(parser)
    if word.is_word("MOVE"):
        parser.take_word("ONLINE")
        while physical_clause(parser, {}):
            pass
        parser.take_words("UPDATE", "INDEXES")
        return [_move]
    if word.is_word("READ"):
        raise refused("ALTER TABLE ... READ ONLY", offset=word.start)
    raise OracleError(1735, "invalid ALTER TABLE option", offset=word.start)


# --- ADD -------------------------------------------------------------------------------------------------------------------


def _add(parser: DmlParser, *, char_semantics: bool) -> list[Step]:
    parenthesised = parser.take_op("(") is not None
    steps: list[Step] = []
    while True:
        if parser.at_word(*_CONSTRAINT_STARTS):
            spec = parse_constraint(parser)
            steps.append(partial(with_constraints, specs=[spec]))
        elif parser.at_word("PARTITION", "SUPPLEMENTAL", "PERIOD"):
            raise refused(f"ALTER TABLE ADD {parser.token.value}", offset=parser.token.start)
        else:
            column = parse_column(parser, char_semantics=char_semantics, type_required=False)
            if column.type is None and column.identity is None and not is_referring(column.name, column.constraints):
                raise OracleError(2263, "need to specify the datatype for this column", offset=column.offset)
            steps.append(partial(_add_column, spec=column))
        if not (parenthesised and parser.take_op(",")):
            break
    if parenthesised:
        parser.expect_op(")")
    return steps


def _add_column(change: Change, table: Table, spec: ColumnSpec) -> Table:
    type_ = spec.type or referred_type(change, table, spec.name, spec.constraints) or OracleType(Kind.NUMBER)
    if table.column(spec.name) is not None:
        raise OracleError(1430, "column being added already exists in table")
    added = add_column(change, table, spec, type_)
    column = added.columns[-1]
    run(change.cursor, f"ALTER TABLE {table.physical} ADD COLUMN {column.physical} {column.carrier}")
    if column.default is not None or column.identity is not None:
        value = default_value(SessionContext(change.session, change.catalog), added, column)
        parameters = change.session.statement_parameters()
        run(change.cursor, f"UPDATE {table.physical} SET {column.physical} = {value}", parameters)
    mandatory = any(c.not_null or c.kind == "P" for c in spec.constraints)
    if mandatory and column.default is None and column.identity is None and has_rows(change, table):
        raise OracleError(1758, "table must be empty to add mandatory (NOT NULL) column")
    change.put_table(added)
    return with_constraints(change, added, spec.constraints)


# --- MODIFY ---------------------------------------------------------------------------------------------------------------


def _modify(parser: DmlParser, *, char_semantics: bool) -> list[Step]:
    if parser.at_word("CONSTRAINT", "PRIMARY", "UNIQUE"):
        find = _which(parser)
        enabled = parser.expect_word("ENABLE", "DISABLE").value == "ENABLE"
        return [lambda change, table: _set_enabled(change, table, find(table), enabled=enabled, validated=True)]
    parenthesised = parser.take_op("(") is not None
    steps: list[Step] = []
    while True:
        column = parse_column(parser, char_semantics=char_semantics, type_required=False)
        steps.append(partial(modify_column, spec=column))
        if not (parenthesised and parser.take_op(",")):
            break
    if parenthesised:
        parser.expect_op(")")
    return steps


# --- DROP ------------------------------------------------------------------------------------------------------------------


def _drop(parser: DmlParser) -> list[Step]:
    if parser.take_word("COLUMN"):
        return _drop_columns(parser, single=True)
    if parser.at_op("("):
        return _drop_columns(parser)
    if parser.take_words("UNUSED", "COLUMNS"):
        return [lambda change, table: table]
    if parser.at_word("CONSTRAINT", "PRIMARY", "UNIQUE"):
        find = _which(parser)
        cascade = parser.take_word("CASCADE") is not None
        if parser.take_word("KEEP", "DROP"):
            parser.expect_word("INDEX")
        return [lambda change, table: _drop_constraint(change, table, find(table), cascade=cascade)]
    raise refused(f"ALTER TABLE DROP {parser.token.value}", offset=parser.token.start)


def _drop_columns(parser: DmlParser, *, single: bool = False) -> list[Step]:
    names: list[str] = []
    if not single and parser.take_word("COLUMN"):
        single = True
    if single:
        names.append(parser.identifier().name)
    else:
        parser.expect_op("(")
        names.append(parser.identifier().name)
        while parser.take_op(","):
            names.append(parser.identifier().name)
        parser.expect_op(")")
    cascade = parser.take_words("CASCADE", "CONSTRAINTS")
    parser.take_word("INVALIDATE")
    return [partial(_drop_column, name=name, cascade=cascade) for name in names]


def _drop_column(change: Change, table: Table, name: str, *, cascade: bool) -> Table:
    column = existing_column(table, name)
    if len(table.columns) == 1:
        raise OracleError(12983, "cannot drop all columns in a table")
    for constraint in [c for c in table.constraints if name in c.columns]:
        referenced = any(key.parent_constraint == constraint.name for _, key in change.catalog.children_of(table.object_id))
        if not cascade and len(constraint.columns) > 1:
            raise OracleError(12991, "column is referenced in a multi-column constraint")
        if not cascade and referenced:
            raise OracleError(12992, "cannot drop parent key column")
        table = _drop_constraint(change, table, constraint, cascade=True)
    for index in change.catalog.indexes_of(table.object_id):
        mentioned = (
            {token.value for part in index.columns for token in tokenize(part.text)} if any(p.expression for p in index.columns) else set()
        )
        if name in {part.text for part in index.columns} | mentioned:
            change.catalog.remove(index.object_id)
    if column.identity is not None:
        sequence = change.catalog.objects.get(column.identity.sequence_id)
        if isinstance(sequence, Sequence):
            remove_sequence(change, sequence)
    run(change.cursor, f"ALTER TABLE {table.physical} DROP COLUMN {column.physical}")
    return replace(table, columns=tuple(c for c in table.columns if c.name != name))


def _which(parser: DmlParser) -> Callable[[Table], Constraint]:
    """CONSTRAINT name | PRIMARY KEY | UNIQUE (columns): how to find it. ORA-02443, ORA-02441, ORA-02442."""
    if parser.take_word("CONSTRAINT"):
        name = parser.identifier().name

        def named(table: Table) -> Constraint:
            found = table.constraint(name)
            if found is None:
                raise OracleError(2443, "Cannot drop constraint  - nonexistent constraint")
            return found

        return named
    if parser.take_word("PRIMARY"):
        parser.expect_word("KEY")

        def primary(table: Table) -> Constraint:
            if table.primary_key is None:
                raise OracleError(2441, "Cannot drop nonexistent primary key")
            return table.primary_key

        return primary
    parser.expect_word("UNIQUE")
    names = {token.value for token in tokenize(skip_parentheses(parser)) if token.kind in (TokenKind.WORD, TokenKind.QUOTED)}

    def unique(table: Table) -> Constraint:
        found = next((c for c in table.constraints if c.kind == "U" and {*c.columns} == names), None)
        if found is None:
            raise OracleError(2442, "Cannot drop nonexistent unique key")
        return found

    return unique


def _drop_constraint(change: Change, table: Table, constraint: Constraint, *, cascade: bool) -> Table:
    for child, key in change.catalog.children_of(table.object_id):
        if key.parent_constraint != constraint.name:
            continue
        if not cascade:
            raise OracleError(2273, "this unique/primary key is referenced by some foreign keys")
        if child.object_id != table.object_id:
            change.put_table(replace(child, constraints=tuple(c for c in child.constraints if c.name != key.name)))
        else:
            table = replace(table, constraints=tuple(c for c in table.constraints if c.name != key.name))
    _drop_key_index(change, constraint)
    return with_nullability(replace(table, constraints=tuple(c for c in table.constraints if c.name != constraint.name)))


def _drop_key_index(change: Change, constraint: Constraint) -> None:
    """The index that came with a key goes with it."""
    index = change.catalog.objects.get(constraint.index_id or 0)
    if index is not None and index.name == constraint.name:
        change.catalog.remove(index.object_id)


# --- RENAME, ENABLE, MOVE --------------------------------------------------------------------------------------------------


def _rename(parser: DmlParser) -> Step:
    if parser.take_word("TO"):
        new = parser.identifier(903, "invalid table name").name

        def rename_table(change: Change, table: Table) -> Table:
            rename(change, table, new)
            return change.catalog.table(table.object_id)

        return rename_table
    kind = parser.expect_word("COLUMN", "CONSTRAINT").value
    old = parser.identifier().name
    parser.expect_word("TO")
    new = parser.identifier().name
    return partial(_rename_column if kind == "COLUMN" else _rename_constraint, old=old, new=new)


def _rename_constraint(change: Change, table: Table, old: str, new: str) -> Table:
    constraint = table.constraint(old)
    if constraint is None:
        raise OracleError(23292, f'The constraint does not exist: "{old}"')
    if change.catalog.constraint_owner(table.owner, new) is not None:
        raise OracleError(2264, "name already used by an existing constraint")
    for child, key in change.catalog.children_of(table.object_id):
        if key.parent_constraint == old and child.object_id != table.object_id:
            keys = tuple(replace(c, parent_constraint=new) if c.name == key.name else c for c in child.constraints)
            change.put(replace(child, constraints=keys))
    renamed = replace(constraint, name=new, generated_name=False)
    own = tuple(renamed if c.name == old else replace(c, parent_constraint=new) if _refers(c, table, old) else c for c in table.constraints)
    return replace(table, constraints=own)


def _refers(constraint: Constraint, table: Table, name: str) -> bool:
    return constraint.parent_table == table.object_id and constraint.parent_constraint == name


def _rename_column(change: Change, table: Table, old: str, new: str) -> Table:
    existing_column(table, old)
    if table.column(new) is not None:
        raise OracleError(957, "duplicate column name")
    columns = tuple(replace(c, name=new) if c.name == old else c for c in table.columns)
    constraints = tuple(
        replace(
            c,
            columns=tuple(new if name == old else name for name in c.columns),
            condition=None if c.condition is None else _renamed_in(c.condition, old, new),
        )
        for c in table.constraints
    )
    for index in change.catalog.indexes_of(table.object_id):
        parts = tuple(
            replace(part, text=_renamed_in(part.text, old, new) if part.expression else new if part.text == old else part.text)
            for part in index.columns
        )
        change.catalog.put(replace(index, columns=tuple[IndexColumn, ...](parts)))
    return replace(table, columns=columns, constraints=constraints)


def _renamed_in(text: str, old: str, new: str) -> str:
    """A condition's text with a column's name replaced wherever the name stands."""
    result, at = [], 0
    for token in tokenize(text):
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED) and token.value == old:
            result += [text[at : token.start], f'"{new}"']
            at = token.end
    return "".join(result) + text[at:]


def _enable(parser: DmlParser, *, enabled: bool) -> Step:
    validated = enabled
    if parser.take_word("NOVALIDATE"):
        validated = False
    elif parser.take_word("VALIDATE"):
        validated = True
    find = _which(parser)
    cascade = parser.take_word("CASCADE") is not None
    if parser.take_words("USING", "INDEX"):
        while physical_clause(parser, {}):
            pass
    if parser.take_word("KEEP", "DROP"):
        parser.expect_word("INDEX")
    return lambda change, table: _set_enabled(change, table, find(table), enabled=enabled, validated=validated, cascade=cascade)


def _set_enabled(change: Change, table: Table, constraint: Constraint, *, enabled: bool, validated: bool, cascade: bool = False) -> Table:
    children = [(t, k) for t, k in change.catalog.children_of(table.object_id) if k.parent_constraint == constraint.name and k.enabled]
    if not enabled and constraint.kind in ("P", "U") and children:
        if not cascade:
            raise OracleError(2297, f"cannot disable constraint ({table.owner}.{constraint.name}) - dependencies exist")
        for child, key in children:
            change.put_table(_with_constraint(child, replace(key, enabled=False, validated=False)))
        table = change.catalog.table(table.object_id)
    renewed = replace(constraint, enabled=enabled, validated=validated and enabled, last_change=change.moment)
    if constraint.kind in ("P", "U"):
        if not enabled:
            _drop_key_index(change, constraint)
            renewed = replace(renewed, index_id=None)
        elif renewed.index_id is None:
            renewed = replace(renewed, index_id=key_index(change, table, renewed))
    check_rows(change, table, renewed)
    return with_nullability(_with_constraint(table, renewed))


def _with_constraint(table: Table, constraint: Constraint) -> Table:
    return replace(table, constraints=tuple(constraint if c.name == constraint.name else c for c in table.constraints))


def _move(change: Change, table: Table) -> Table:
    """New segment, new ROWIDs; the undo of the old rows is gone (ORA-01466 for older SCNs)."""
    moved = replace(table, data_object_id=change.catalog.allot_object_id())
    columns = ", ".join(column.physical for column in table.columns)
    run(
        change.cursor,
        f"CREATE OR REPLACE TEMP TABLE moving AS SELECT {rowids.rid_sql('row_number() OVER (ORDER BY rid) - 1')} AS rid, bx, ex, {columns} "
        f"FROM {table.physical} WHERE ex = {LIVE}",
    )
    engine_storage.drop_table(change.cursor, table)
    engine_storage.create_table(change.cursor, moved)
    run(change.cursor, f"INSERT INTO {moved.physical} (rid, bx, ex, {columns}) SELECT rid, bx, ex, {columns} FROM temp.moving")
    run(change.cursor, "DROP TABLE temp.moving")
    return moved

"""Column definitions and constraints as CREATE TABLE and ALTER TABLE write them: parsed into specifications, then made part of a table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.catalog import Constraint, ConstraintKind, DeleteRule, Identity, Index, IndexColumn, Sequence, Table, TableColumn
from oracle_mimic.sql.ddl import references
from oracle_mimic.sql.ddl.change import Change, ObjectName, object_name
from oracle_mimic.sql.ddl.clauses import physical_clause, skip_parentheses
from oracle_mimic.sql.ddl.sequences import SequenceOptions, sequence_options
from oracle_mimic.sql.engine_storage import create_sequence
from oracle_mimic.sql.lexer import TokenKind, tokenize
from oracle_mimic.sql.parser import data_type
from oracle_mimic.sql.parser.dml import DmlParser
from oracle_mimic.types import Kind, OracleType

MAX_COLUMNS = 1000
_UNKEYED = frozenset({Kind.CLOB, Kind.NCLOB, Kind.BLOB, Kind.LONG, Kind.LONG_RAW})


@dataclass(slots=True)
class ConstraintSpec:
    """A constraint as written. not_null: NOT NULL (kind C); null: the word NULL, which takes a NOT NULL away in MODIFY."""

    kind: ConstraintKind
    name: str | None = None
    columns: tuple[str, ...] = ()
    condition: str | None = None
    not_null: bool = False
    null: bool = False
    parent: ObjectName | None = None
    parent_columns: tuple[str, ...] = ()
    delete_rule: DeleteRule = "NO ACTION"
    enabled: bool = True
    validated: bool = True
    index_name: str | None = None


@dataclass(slots=True)
class ColumnSpec:
    """A column as written; type None: not given (MODIFY, or taken from a query)."""

    name: str
    offset: int
    type: OracleType | None = None
    default: str | None = None
    default_given: bool = False
    default_on_null: bool = False
    identity: SequenceOptions | None = None
    identity_always: bool = True
    identity_on_null: bool = False
    invisible: bool | None = None
    constraints: list[ConstraintSpec] = field(default_factory=list)


_CONSTRAINT_WORDS = ("CONSTRAINT", "NOT", "NULL", "UNIQUE", "PRIMARY", "REFERENCES", "CHECK", "FOREIGN")


def parse_column(parser: DmlParser, *, char_semantics: bool, type_required: bool = True) -> ColumnSpec:
    """One column definition."""
    name = parser.identifier(904, "invalid identifier")
    spec = ColumnSpec(name.name, name.start)
    ends = parser.at_op(",", ")") or parser.token.kind is TokenKind.END
    if not ends and not parser.at_word(*_CONSTRAINT_WORDS, "DEFAULT", "GENERATED", "VISIBLE", "INVISIBLE", "AS"):
        spec.type = data_type(parser, char_semantics=char_semantics)
    elif type_required and not parser.at_word("GENERATED", "AS"):
        raise parser.error(902, "invalid datatype")
    while True:
        if parser.take_word("DEFAULT"):
            _parse_default(parser, spec)
        elif parser.take_word("GENERATED"):
            _parse_generated(parser, spec)
        elif parser.at_word("AS"):
            raise refused("virtual columns", offset=parser.token.start)
        elif parser.at_word("VISIBLE", "INVISIBLE"):
            spec.invisible = parser.advance().value == "INVISIBLE"
        elif parser.at_word(*_CONSTRAINT_WORDS):
            spec.constraints.append(parse_constraint(parser, spec.name))
        elif parser.at_word("SORT", "ENCRYPT"):
            raise refused(f"column clause {parser.token.value}", offset=parser.token.start)
        else:
            return spec


def _parse_default(parser: DmlParser, spec: ColumnSpec) -> None:
    if parser.take_word("ON"):
        parser.expect_word("NULL")
        spec.default_on_null = True
    start = parser.token.start
    parser.expression()
    text = parser.text_since(start).strip()
    spec.default, spec.default_given = None if text.upper() == "NULL" else text, True


def _parse_generated(parser: DmlParser, spec: ColumnSpec) -> None:
    spec.identity_always = parser.take_word("ALWAYS") is not None
    if not spec.identity_always:
        parser.expect_word("BY")
        parser.expect_word("DEFAULT")
        if parser.take_words("ON", "NULL"):
            spec.identity_on_null = True
    parser.expect_word("AS")
    if not parser.take_word("IDENTITY"):
        raise refused("virtual columns", offset=parser.token.start)
    if parser.take_op("("):
        spec.identity = sequence_options(parser)
        parser.expect_op(")")
    else:
        spec.identity = sequence_options(parser)


def parse_constraint(parser: DmlParser, column: str | None = None) -> ConstraintSpec:
    """An inline (column given) or out-of-line constraint with its state."""
    name = parser.identifier().name if parser.take_word("CONSTRAINT") else None
    spec = _constraint_body(parser, column)
    spec.name = name
    _state(parser, spec)
    return spec


def _constraint_body(parser: DmlParser, column: str | None) -> ConstraintSpec:
    own: tuple[str, ...] = (column,) if column is not None else ()
    if parser.take_word("NOT"):
        parser.expect_word("NULL")
        return ConstraintSpec("C", columns=own, condition=f'"{column}" IS NOT NULL', not_null=True)
    if parser.take_word("NULL"):
        return ConstraintSpec("C", columns=own, null=True)
    if parser.take_word("PRIMARY"):
        parser.expect_word("KEY")
        return ConstraintSpec("P", columns=own or _names(parser))
    if parser.take_word("UNIQUE"):
        return ConstraintSpec("U", columns=own or _names(parser))
    if parser.take_word("CHECK"):
        parser.expect_op("(")
        start = parser.token.start
        parser.condition()
        text = parser.text_since(start)
        parser.expect_op(")")
        return ConstraintSpec("C", columns=own, condition=text)
    if column is None:
        parser.expect_word("FOREIGN")
        parser.expect_word("KEY")
        own = _names(parser)
    parser.expect_word("REFERENCES")
    spec = ConstraintSpec("R", columns=own, parent=object_name(parser))
    if parser.at_op("("):
        spec.parent_columns = _names(parser)
    if parser.take_words("ON", "DELETE"):
        if parser.take_word("CASCADE"):
            spec.delete_rule = "CASCADE"
        else:
            parser.expect_word("SET")
            parser.expect_word("NULL")
            spec.delete_rule = "SET NULL"
    return spec


def _names(parser: DmlParser) -> tuple[str, ...]:
    parser.expect_op("(")
    names = [parser.identifier().name]
    while parser.take_op(","):
        names.append(parser.identifier().name)
    parser.expect_op(")")
    return tuple(names)


def _state(parser: DmlParser, spec: ConstraintSpec) -> None:
    while True:
        if parser.take_word("ENABLE"):
            spec.enabled = True
        elif parser.take_word("DISABLE"):
            spec.enabled = spec.validated = False
        elif parser.take_word("VALIDATE"):
            spec.validated = True
        elif parser.take_word("NOVALIDATE"):
            spec.validated = False
        elif parser.take_word("RELY", "NORELY") or parser.take_words("NOT", "DEFERRABLE") or parser.take_words("INITIALLY", "IMMEDIATE"):
            continue
        elif parser.at_word("DEFERRABLE", "INITIALLY"):
            raise refused("deferrable constraints", offset=parser.token.start)
        elif parser.take_words("USING", "INDEX"):
            _using_index(parser, spec)
        elif parser.at_words("EXCEPTIONS", "INTO"):
            raise refused("EXCEPTIONS INTO", offset=parser.token.start)
        else:
            return


def _using_index(parser: DmlParser, spec: ConstraintSpec) -> None:
    if parser.at_op("("):
        raise refused("USING INDEX (CREATE INDEX ...)", offset=parser.token.start)
    ignored: dict[str, str] = {}
    if parser.at_identifier() and not physical_clause(parser, ignored):
        spec.index_name = object_name(parser).name
    while physical_clause(parser, ignored):
        pass


def condition_columns(condition: str, table: Table) -> tuple[str, ...]:
    """The columns of a table that a check's text mentions, in the table's order."""
    mentioned = {token.value for token in tokenize(condition) if token.kind in (TokenKind.WORD, TokenKind.QUOTED)}
    return tuple(column.name for column in table.columns if column.name in mentioned)


# --- from specifications to the dictionary ---------------------------------------------------------------------------------


def add_column(change: Change, table: Table, spec: ColumnSpec, type_: OracleType) -> Table:
    """The table with one more column (its constraints are added by `add_constraint`). ORA-01430, ORA-01792."""
    if table.column(spec.name) is not None:
        raise OracleError(1430 if table.data_object_id in change.catalog.objects else 957, "column being added already exists in table")
    if len(table.columns) >= MAX_COLUMNS:
        raise OracleError(1792, "maximum number of columns in a table or view is 1000")
    if type_.kind in (Kind.LONG, Kind.LONG_RAW) and any(c.type.kind in (Kind.LONG, Kind.LONG_RAW) for c in table.columns):
        raise OracleError(1754, "a table may contain only one column of type LONG")
    identity = _identity(change, table, spec, type_)
    column = TableColumn(
        spec.name, type_, table.next_column_number, default=spec.default, default_on_null=spec.default_on_null, identity=identity,
        invisible=bool(spec.invisible),
    )  # fmt: skip
    changed = replace(table, columns=(*table.columns, column), next_column_number=table.next_column_number + 1)
    implied = spec.default_on_null or identity is not None
    if implied and not any(constraint.not_null for constraint in spec.constraints):
        spec.constraints.insert(0, ConstraintSpec("C", columns=(spec.name,), condition=f'"{spec.name}" IS NOT NULL', not_null=True))
    return changed


def _identity(change: Change, table: Table, spec: ColumnSpec, type_: OracleType) -> Identity | None:
    if spec.identity is None:
        return None
    if type_.kind not in (Kind.NUMBER, Kind.FLOAT):
        raise OracleError(30675, "identity column must be a numeric type")
    if any(column.identity is not None for column in table.columns):
        raise OracleError(30669, "table can have only one identity column")
    if spec.default_given:
        raise OracleError(30674, "identity column cannot have a default value")
    object_id = change.catalog.allot_object_id()
    sequence = Sequence(
        object_id, table.owner, f"ISEQ$$_{table.object_id}", change.moment, change.moment, identity=True, **spec.identity.values()
    )
    change.put(sequence)
    create_sequence(change.cursor, sequence)
    return Identity(object_id, spec.identity_always, spec.identity_on_null)


def add_constraint(change: Change, table: Table, spec: ConstraintSpec) -> Table:
    """The table with one more constraint, and its index in the dictionary; rows are not checked here. ORA-02261.. and others."""
    for name in spec.columns:
        column = table.column(name)
        if column is None:
            raise OracleError(904, f'"{name}": invalid identifier')
        if spec.kind != "C" and column.type.kind in _UNKEYED:
            raise OracleError(2329, f"column of datatype {column.type.kind.value} cannot be unique or a primary key")
    if spec.null:
        return table
    if spec.not_null and not (table.column(spec.columns[0]) or table.columns[0]).nullable and has_not_null(table, spec.columns[0]):
        raise OracleError(1442, "column to be modified to NOT NULL is already NOT NULL")
    name = spec.name or change.catalog.allot_constraint_name()
    if change.catalog.constraint_owner(table.owner, name) is not None or table.constraint(name) is not None:
        raise OracleError(2264, "name already used by an existing constraint")
    columns = spec.columns
    if spec.kind == "C" and not spec.not_null:
        columns = condition_columns(spec.condition or "", table)
    constraint = Constraint(
        name, spec.kind, columns, spec.condition, spec.not_null, delete_rule=spec.delete_rule, enabled=spec.enabled,
        validated=spec.validated, generated_name=spec.name is None, last_change=change.moment,
    )  # fmt: skip
    if spec.kind in ("P", "U"):
        constraint = _keyed(change, table, spec, constraint)
    elif spec.kind == "R":
        constraint = references.refer(change, table, spec, constraint)
    return with_nullability(replace(table, constraints=(*table.constraints, constraint)))


def has_not_null(table: Table, column: str) -> bool:
    """Whether a NOT NULL constraint is declared on the column."""
    return any(c.not_null and c.columns == (column,) for c in table.constraints)


def with_nullability(table: Table) -> Table:
    """The table with each column's `nullable` as its enabled NOT NULL and primary key constraints make it."""
    required = {name for c in table.constraints if c.enabled and (c.not_null or c.kind == "P") for name in c.columns}
    columns = tuple(replace(c, nullable=c.name not in required) for c in table.columns)
    return table if columns == table.columns else replace(table, columns=columns)


def _keyed(change: Change, table: Table, spec: ConstraintSpec, constraint: Constraint) -> Constraint:
    if spec.kind == "P" and table.primary_key is not None:
        raise OracleError(2260, "table can have only one primary key")
    if len({*spec.columns}) != len(spec.columns):
        raise OracleError(957, "duplicate column name")
    if any(c.kind in ("P", "U") and {*c.columns} == {*spec.columns} for c in table.constraints):
        raise OracleError(2261, "such unique or primary key already exists in the table")
    if not spec.enabled:
        return constraint
    return replace(constraint, index_id=key_index(change, table, constraint, spec.index_name))


def key_index(change: Change, table: Table, constraint: Constraint, index_name: str | None = None) -> int:
    """The index that enforces a key: an existing one over its columns, else a new unique one with the constraint's name."""
    for index in change.catalog.indexes_of(table.object_id):
        texts = [column.text for column in index.columns]
        if (index_name is None or index.name == index_name) and texts[: len(constraint.columns)] == [*constraint.columns]:
            return index.object_id
    name = index_name or constraint.name
    if (table.owner, name) in change.catalog.index_names:
        raise OracleError(955, "name is already used by an existing object")
    index = Index(
        change.catalog.allot_object_id(), table.owner, name, change.moment, change.moment, table.object_id,
        tuple(IndexColumn(column) for column in constraint.columns), unique=True, generated=constraint.generated_name,
    )  # fmt: skip
    change.put(index)
    return index.object_id


__all__ = [
    "ColumnSpec", "ConstraintSpec", "add_column", "add_constraint", "condition_columns", "has_not_null", "key_index", "parse_column",
    "parse_constraint", "skip_parentheses", "with_nullability",
]  # fmt: skip

"""The syntax tree of Oracle's queries and DML: what the parser makes and the binder walks.

One class per construct, and nothing that the parser does not set: a construct without a class cannot reach the binder.
Every node knows its place in the text: sql[start:end]. The module is long because it is one flat list of declarations that refer to
each other (expressions hold queries, queries hold expressions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle_mimic.types import OracleType


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name as the dictionary spells it."""

    name: str
    quoted: bool = False


# Expressions


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """A value."""


@dataclass(frozen=True, slots=True)
class NumberLiteral(Expression):
    text: str


@dataclass(frozen=True, slots=True)
class StringLiteral(Expression):
    value: str
    national: bool = False


@dataclass(frozen=True, slots=True)
class NullLiteral(Expression):
    pass


@dataclass(frozen=True, slots=True)
class DateLiteral(Expression):
    value: str


@dataclass(frozen=True, slots=True)
class TimestampLiteral(Expression):
    value: str


@dataclass(frozen=True, slots=True)
class IntervalUnits(Node):
    """DAY(p) TO SECOND(s), YEAR(p) TO MONTH, or one unit alone (last = first)."""

    first: str
    last: str
    precision: int | None = None
    fraction: int | None = None


@dataclass(frozen=True, slots=True)
class IntervalLiteral(Expression):
    value: str
    units: IntervalUnits


OWN_RETURNING = "RETURNED "  # begins the names of the binds by which a PL/SQL block takes what its own RETURNING gives


@dataclass(frozen=True, slots=True)
class Bind(Expression):
    """A bind variable: its name, and which occurrence in the statement it is (0-based)."""

    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A column, pseudo column, sequence value or function without parentheses; outer_join: it carries (+)."""

    parts: tuple[Identifier, ...]
    outer_join: bool = False


@dataclass(frozen=True, slots=True)
class Star(Expression):
    """`*` or `t.*` in a select list, `*` in COUNT(*)."""

    qualifier: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    operator: Literal["-", "+", "PRIOR", "CONNECT_BY_ROOT"]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    operator: Literal["+", "-", "*", "/", "||"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class IntervalConversion(Expression):
    """(a - b) DAY TO SECOND: the difference of two datetimes as an interval."""

    operand: Expression
    units: IntervalUnits


@dataclass(frozen=True, slots=True)
class OrderItem(Node):
    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class FrameBound(Node):
    """UNBOUNDED PRECEDING (value None), n PRECEDING, CURRENT ROW, n FOLLOWING, UNBOUNDED FOLLOWING."""

    direction: Literal["PRECEDING", "CURRENT ROW", "FOLLOWING"]
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class Window(Node):
    partition_by: tuple[Expression, ...] = ()
    order_by: tuple[OrderItem, ...] = ()
    frame: Literal["ROWS", "RANGE"] | None = None
    frame_start: FrameBound | None = None
    frame_end: FrameBound | None = None


@dataclass(frozen=True, slots=True)
class ListOverflow(Node):
    """LISTAGG's ON OVERFLOW: error, or truncate with a filler and with or without the count."""

    truncate: bool
    filler: str | None = None
    with_count: bool = True


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function. arguments of COUNT(*) is one Star. named: PL/SQL's name => value."""

    name: tuple[Identifier, ...]
    arguments: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()
    distinct: bool = False
    ignore_nulls: bool | None = None
    within_group: tuple[OrderItem, ...] = ()
    keep_first: bool | None = None
    keep_order: tuple[OrderItem, ...] = ()
    overflow: ListOverflow | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Extract(Expression):
    field: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Trim(Expression):
    side: Literal["BOTH", "LEADING", "TRAILING"]
    characters: Expression | None
    operand: Expression


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    operand: Expression
    type: OracleType


@dataclass(frozen=True, slots=True)
class AtTimeZone(Expression):
    """zone None: AT LOCAL."""

    operand: Expression
    zone: Expression | None


@dataclass(frozen=True, slots=True)
class Case(Expression):
    """operand None: searched CASE (the whens hold conditions); else simple CASE (the whens hold values)."""

    operand: Expression | None
    whens: tuple[tuple[Expression | Condition, Expression], ...]
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class Row(Expression):
    """(a, b): comparisons of several values at once."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ScalarQuery(Expression):
    query: Query


# Conditions: never values before 23ai


@dataclass(frozen=True, slots=True)
class Condition(Node):
    """True, false or unknown."""


@dataclass(frozen=True, slots=True)
class And(Condition):
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or(Condition):
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Condition):
    operand: Condition


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """quantifier: right is ANY/SOME or ALL of a Row or a ScalarQuery."""

    operator: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Expression
    right: Expression
    quantifier: Literal["ANY", "ALL"] | None = None


@dataclass(frozen=True, slots=True)
class Between(Condition):
    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In(Condition):
    """right: the values, or one ScalarQuery."""

    operand: Expression
    right: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(Condition):
    operand: Expression
    pattern: Expression
    escape: Expression | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Is(Condition):
    what: Literal["NULL", "NAN", "INFINITE"]
    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists(Condition):
    query: Query


@dataclass(frozen=True, slots=True)
class CallCondition(Condition):
    """REGEXP_LIKE(..): a function that is a condition."""

    call: Call


# FROM


@dataclass(frozen=True, slots=True)
class TableReference(Node):
    pass


@dataclass(frozen=True, slots=True)
class Flashback(Node):
    kind: Literal["SCN", "TIMESTAMP"]
    moment: Expression


@dataclass(frozen=True, slots=True)
class Sample(Node):
    percent: Expression
    block: bool = False
    seed: Expression | None = None


@dataclass(frozen=True, slots=True)
class PivotAggregate(Node):
    call: Call
    alias: Identifier | None


@dataclass(frozen=True, slots=True)
class PivotValue(Node):
    values: tuple[Expression, ...]
    alias: Identifier | None


@dataclass(frozen=True, slots=True)
class Pivot(Node):
    aggregates: tuple[PivotAggregate, ...]
    columns: tuple[Identifier, ...]
    values: tuple[PivotValue, ...]


@dataclass(frozen=True, slots=True)
class UnpivotValue(Node):
    columns: tuple[Identifier, ...]
    labels: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unpivot(Node):
    values: tuple[Identifier, ...]
    labels: tuple[Identifier, ...]
    inputs: tuple[UnpivotValue, ...]
    include_nulls: bool = False


@dataclass(frozen=True, slots=True)
class Table(TableReference):
    parts: tuple[Identifier, ...]
    alias: Identifier | None = None
    flashback: Flashback | None = None
    sample: Sample | None = None
    pivot: Pivot | Unpivot | None = None


@dataclass(frozen=True, slots=True)
class DerivedTable(TableReference):
    query: Query
    alias: Identifier | None = None
    lateral: bool = False
    pivot: Pivot | Unpivot | None = None


@dataclass(frozen=True, slots=True)
class XmlSeries(TableReference):
    """XMLTABLE('1 to n'): the generated series that clients use; its column is COLUMN_VALUE."""

    first: int
    last: int
    alias: Identifier | None = None


@dataclass(frozen=True, slots=True)
class ValueTable(TableReference):
    """TABLE(SYS.ODCINUMBERLIST(..)) and its like: a list of values as rows of COLUMN_VALUE."""

    kind: Literal["ODCINUMBERLIST", "ODCIVARCHAR2LIST", "ODCIDATELIST"]
    values: tuple[Expression, ...]
    alias: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Join(TableReference):
    kind: Literal["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "CROSS APPLY", "OUTER APPLY"]
    left: TableReference
    right: TableReference
    on: Condition | None = None
    using: tuple[Identifier, ...] = ()
    natural: bool = False


# Queries


@dataclass(frozen=True, slots=True)
class SelectItem(Node):
    expression: Expression
    alias: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Grouping(Node):
    """One element of GROUP BY: a plain expression (kind None), or ROLLUP, CUBE, GROUPING SETS over sets of expressions."""

    sets: tuple[tuple[Expression, ...], ...]
    kind: Literal["ROLLUP", "CUBE", "GROUPING SETS"] | None = None


@dataclass(frozen=True, slots=True)
class Hierarchy(Node):
    connect_by: Condition
    start_with: Condition | None = None
    no_cycle: bool = False


@dataclass(frozen=True, slots=True)
class QueryBody(Node):
    pass


@dataclass(frozen=True, slots=True)
class Select(QueryBody):
    items: tuple[SelectItem, ...]
    from_: tuple[TableReference, ...]
    distinct: bool = False
    where: Condition | None = None
    hierarchy: Hierarchy | None = None
    group_by: tuple[Grouping, ...] = ()
    having: Condition | None = None


@dataclass(frozen=True, slots=True)
class SetOperation(QueryBody):
    operator: Literal["UNION", "UNION ALL", "MINUS", "INTERSECT"]
    left: QueryBody
    right: QueryBody


@dataclass(frozen=True, slots=True)
class CommonTable(Node):
    name: Identifier
    columns: tuple[Identifier, ...]
    query: Query


@dataclass(frozen=True, slots=True)
class Fetch(Node):
    """OFFSET .. FETCH: count None is OFFSET alone."""

    offset: Expression | None = None
    count: Expression | None = None
    percent: bool = False
    with_ties: bool = False


@dataclass(frozen=True, slots=True)
class ForUpdate(Node):
    """wait: None for ever, 0 NOWAIT, n seconds, -1 SKIP LOCKED."""

    columns: tuple[Name, ...] = ()
    wait: int | None = None


@dataclass(frozen=True, slots=True)
class Query(QueryBody):
    body: QueryBody
    with_: tuple[CommonTable, ...] = ()
    order_by: tuple[OrderItem, ...] = ()
    order_siblings: bool = False
    fetch: Fetch | None = None
    for_update: ForUpdate | None = None


# DML


@dataclass(frozen=True, slots=True)
class DefaultValue(Expression):
    """The keyword DEFAULT where a value is assigned."""


@dataclass(frozen=True, slots=True)
class ReturningInto(Node):
    expressions: tuple[Expression, ...]
    into: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Insert(Node):
    table: Table
    columns: tuple[Identifier, ...]
    values: tuple[Expression, ...] | None  # or
    query: Query | None
    append: bool = False
    returning: ReturningInto | None = None


@dataclass(frozen=True, slots=True)
class InsertBranch(Node):
    table: Table
    columns: tuple[Identifier, ...]
    values: tuple[Expression, ...] | None  # None: the row of the query


@dataclass(frozen=True, slots=True)
class InsertAll(Node):
    """INSERT ALL / FIRST: each group of branches is under a condition, or none; otherwise: the ELSE branches."""

    first: bool
    groups: tuple[tuple[Condition | None, tuple[InsertBranch, ...]], ...]
    otherwise: tuple[InsertBranch, ...]
    query: Query
    append: bool = False


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """SET a = x (one column), or SET (a, b) = (query)."""

    columns: tuple[Name, ...]
    value: Expression


@dataclass(frozen=True, slots=True)
class Update(Node):
    table: Table
    assignments: tuple[Assignment, ...]
    where: Condition | None = None
    returning: ReturningInto | None = None


@dataclass(frozen=True, slots=True)
class Delete(Node):
    table: Table
    where: Condition | None = None
    returning: ReturningInto | None = None


@dataclass(frozen=True, slots=True)
class Merge(Node):
    table: Table
    source: TableReference
    on: Condition
    assignments: tuple[Assignment, ...] = ()
    update_where: Condition | None = None
    delete_where: Condition | None = None
    insert_columns: tuple[Name, ...] = ()
    insert_values: tuple[Expression, ...] | None = None
    insert_where: Condition | None = None
    append: bool = False


Dml = Insert | InsertAll | Update | Delete | Merge
Statement = Query | Dml

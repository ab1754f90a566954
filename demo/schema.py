"""The five tables of the invented WMS: columns, keys, comments, and the DDL that creates them.

Nothing in tap, target or jobs depends on these names except as configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its exact Oracle type as DDL says it, and whether NULL is allowed."""

    name: str
    oracle_type: str
    nullable: bool = True

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type in which the simulator generates this column. Bare NUMBER: 20 digits behind the point."""
        match = _TYPE.fullmatch(self.oracle_type)
        if match is None:
            raise ValueError(f"{self.name}: the demo has no type {self.oracle_type}")
        name, precision, scale = match.groups()
        if name == "NUMBER":
            if precision is None:
                return pa.decimal128(38, 20)
            return pa.decimal128(int(precision), int(scale)) if scale else pa.int64()
        return {"DATE": pa.timestamp("s"), "TIMESTAMP": pa.timestamp("us")}.get(name, pa.string())

    @property
    def ddl(self) -> str:
        """The column as CREATE TABLE takes it."""
        return f'"{self.name}" {self.oracle_type}{"" if self.nullable else " NOT NULL"}'


_TYPE = re.compile(r"(\w+)(?:\((\d+)(?:,(\d+))?(?: CHAR)?\))?")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the first column is its primary key."""

    name: str
    comment: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        return self.columns[0].name

    @property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    def ddl(self) -> list[str]:
        """Statements that create the table, its index on LAST_UPDATED and its comments."""
        columns = ",\n  ".join(column.ddl for column in self.columns)
        return [
            f'CREATE TABLE "{self.name}" (\n  {columns},\n  CONSTRAINT "{self.name}_PK" PRIMARY KEY ("{self.key}")\n)',
            f'CREATE INDEX "{self.name}_LAST_UPDATED_IX" ON "{self.name}" ("LAST_UPDATED")',
            f"COMMENT ON TABLE \"{self.name}\" IS '{self.comment}'",
            *(f'COMMENT ON COLUMN "{self.name}"."{name}" IS \'{text}\'' for name, text in COMMENTS.get(self.name, {}).items()),
        ]


COMMENTS = {
    "ALLOCATION": {
        "QUANTITY_ALLOCATED": "Quantity reserved for the order line, in UNIT_OF_MEASURE",
        "LAST_UPDATED": "UTC, set by the database",
    },
    "ITEM_MASTER": {"ITEM_WEIGHT": "Peso unitário em kg", "ITEM_VOLUME": "Volume unitário em litros"},
    "LOCATION": {"CAPACITY_VOLUME": "litres", "CAPACITY_WEIGHT": "kg", "LEVEL": "Nível da prateleira"},
}


def _columns(text: str) -> tuple[Column, ...]:
    """`NAME TYPE [NN]` a line."""
    columns = []
    for line in text.strip().splitlines():
        name, _, rest = line.strip().partition(" ")
        nullable = not rest.endswith(" NN")
        columns.append(Column(name, rest.removesuffix(" NN"), nullable))
    return tuple(columns)


ALLOCATION = Table(
    "ALLOCATION",
    "One row per allocation of stock to an order line",
    _columns("""
        ALLOCATION_ID NUMBER(19) NN
        ORDER_ID NUMBER(19) NN
        ORDER_DETAIL_ID NUMBER(19) NN
        ITEM_ID NUMBER(19) NN
        LOCATION_ID NUMBER(19) NN
        WAVE_ID NUMBER(19)
        QUANTITY_ALLOCATED NUMBER(19,4) NN
        QUANTITY_PICKED NUMBER(19,4)
        UNIT_OF_MEASURE VARCHAR2(10 CHAR)
        ALLOCATION_STATUS VARCHAR2(20 CHAR) NN
        PRIORITY_LEVEL NUMBER(3)
        ALLOCATED_BY_USER VARCHAR2(100 CHAR)
        PICKED_BY_USER VARCHAR2(100 CHAR)
        LOT_NUMBER VARCHAR2(60 CHAR)
        PICKED_TS TIMESTAMP(6)
        SHIPPED_TS TIMESTAMP(6)
        CREATED_DATE TIMESTAMP(6) NN
        LAST_UPDATED TIMESTAMP(6) NN
    """),
)

ORDER_HDR = Table(
    "ORDER_HDR",
    "One row per order",
    _columns("""
        ORDER_ID NUMBER(19) NN
        ORDER_NUMBER VARCHAR2(40 CHAR) NN
        FACILITY_CODE VARCHAR2(20 CHAR) NN
        COMPANY_CODE VARCHAR2(20 CHAR) NN
        CUSTOMER_ID NUMBER(19) NN
        ORDER_STATUS VARCHAR2(20 CHAR) NN
        ORDER_TYPE VARCHAR2(20 CHAR)
        PRIORITY_CODE VARCHAR2(20 CHAR)
        ORDER_DATE DATE NN
        REQUESTED_SHIP_DATE DATE
        SHIPPED_TS TIMESTAMP(6)
        CARRIER_CODE VARCHAR2(30 CHAR)
        SHIP_TO_NAME VARCHAR2(200 CHAR)
        SHIP_TO_CITY VARCHAR2(100 CHAR)
        SHIP_TO_STATE VARCHAR2(2 CHAR)
        SHIP_TO_ZIP VARCHAR2(10 CHAR)
        CURRENCY_CODE CHAR(3 CHAR)
        TOTAL_AMOUNT NUMBER(19,2)
        TOTAL_LINES NUMBER(6)
        SPECIAL_INSTRUCTIONS CLOB
        ERP_REFERENCE VARCHAR2(100 CHAR)
        CREATED_DATE TIMESTAMP(6) NN
        LAST_UPDATED TIMESTAMP(6) NN
    """),
)

ORDER_DTL = Table(
    "ORDER_DTL",
    "One row per order line",
    _columns("""
        ORDER_DETAIL_ID NUMBER(19) NN
        ORDER_ID NUMBER(19) NN
        LINE_NUMBER NUMBER(6) NN
        ITEM_ID NUMBER(19) NN
        QUANTITY_ORDERED NUMBER(19,4) NN
        QUANTITY_ALLOCATED NUMBER(19,4)
        QUANTITY_SHIPPED NUMBER(19,4)
        UNIT_PRICE NUMBER(19,4) NN
        LINE_TOTAL NUMBER(19,2) NN
        LINE_STATUS VARCHAR2(20 CHAR) NN
        LOT_NUMBER VARCHAR2(60 CHAR)
        CREATED_DATE TIMESTAMP(6) NN
        LAST_UPDATED TIMESTAMP(6) NN
    """),
)

ITEM_MASTER = Table(
    "ITEM_MASTER",
    "One row per item",
    _columns("""
        ITEM_ID NUMBER(19) NN
        ITEM_CODE VARCHAR2(50 CHAR) NN
        ITEM_DESCRIPTION VARCHAR2(400 CHAR)
        ITEM_CATEGORY VARCHAR2(50 CHAR)
        UNIT_OF_MEASURE VARCHAR2(10 CHAR) NN
        STANDARD_COST NUMBER(19,4)
        IS_ACTIVE CHAR(1 CHAR) NN
        ITEM_WEIGHT NUMBER
        ITEM_VOLUME NUMBER
        STORAGE_TYPE VARCHAR2(30 CHAR)
        SHELF_LIFE_DAYS NUMBER(6)
        HAZMAT_CLASS VARCHAR2(20 CHAR)
        CREATED_DATE TIMESTAMP(6) NN
        LAST_UPDATED TIMESTAMP(6) NN
    """),
)

LOCATION = Table(
    "LOCATION",
    "One row per storage location",
    _columns("""
        LOCATION_ID NUMBER(19) NN
        LOCATION_CODE VARCHAR2(50 CHAR) NN
        LOCATION_TYPE VARCHAR2(20 CHAR) NN
        ZONE_ID VARCHAR2(20 CHAR)
        AISLE VARCHAR2(10 CHAR)
        BAY VARCHAR2(10 CHAR)
        LEVEL VARCHAR2(10 CHAR)
        PICK_SEQUENCE NUMBER(9)
        CAPACITY_VOLUME NUMBER(19,4)
        CAPACITY_WEIGHT NUMBER(19,4)
        CURRENT_VOLUME NUMBER(19,4)
        CURRENT_WEIGHT NUMBER(19,4)
        TEMPERATURE_ZONE VARCHAR2(20 CHAR)
        SECURITY_LEVEL VARCHAR2(20 CHAR)
        IS_ACTIVE CHAR(1 CHAR) NN
        LAST_UPDATED TIMESTAMP(6) NN
    """),
)

TABLES = {table.name: table for table in (ALLOCATION, ORDER_HDR, ORDER_DTL, ITEM_MASTER, LOCATION)}

"""Raw tables as target-oracle leaves them, without running it: its own DDL, the simulator's rows, stamps and audit rows as it writes them.

For tests of the transformations that need many loads in little time. That the loader really writes this is shown by the tests that run it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import oracledb
import pyarrow as pa
from oracle_connection.types import parse_type
from target_oracle import definitions
from target_oracle.columns import Column, TableModel
from target_oracle.control import AUDIT, DEFINITIONS

from demo.rows import Plan
from demo.schema import TABLES, Table

CLOB_COLUMNS = {"SPECIAL_INSTRUCTIONS"}
FIRST_LOAD = datetime(2026, 1, 1, 0, 0, 1)


def model_of(table: Table, schema: str) -> TableModel:
    columns = tuple(Column(each.name, parse_type(each.oracle_type), nullable=each.nullable) for each in table.columns)
    return TableModel(schema, table.name, columns, (table.key,))


class RawTables:
    """The five raw tables and the load audit in one schema, with a clock that the test moves."""

    def __init__(self, connection: oracledb.Connection, schema: str) -> None:
        self.connection, self.schema = connection, schema
        self.clock = FIRST_LOAD
        self._batches = 0

    def create(self, plan: Plan, at: datetime = FIRST_LOAD) -> None:
        """All tables, filled with the plan's rows by one load each."""
        self.clock = at
        self.execute(f'CREATE TABLE "{self.schema}"."{AUDIT}" {" ".join(DEFINITIONS[AUDIT].split())}')
        for table in TABLES.values():
            model = model_of(table, self.schema)
            self.execute(definitions.create_table(model))
            self.execute(definitions.add_primary_key(self.schema, table.name, f"{table.name}_PK", model.key))
            self.execute(definitions.create_index(self.schema, table.name, f"{table.name}_BATCHED_IX", ["_SDC_BATCHED_AT"]))
        for table, batch in plan.batches():
            stamp = pa.array([at] * batch.num_rows, pa.timestamp("us"))
            loaded = batch
            for name in ("_SDC_EXTRACTED_AT", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT"):
                loaded = loaded.append_column(name, stamp)
            self.connection.direct_path_load(self.schema, table.name, loaded.column_names, loaded)
            self.audit(table.name, at, at + timedelta(seconds=5), loaded.num_rows)
        self.connection.commit()

    def execute(self, statement: str, binds: dict[str, Any] | None = None) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, binds or {})
            return int(cursor.rowcount)

    def query(self, statement: str, binds: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            return cursor.execute(statement, binds or {}, fetch_decimals=True, fetch_lobs=False).fetchall()

    def audit(self, table: str, began: datetime, ended: datetime, rows: int) -> None:
        self._batches += 1
        self.execute(
            f'INSERT INTO "{self.schema}"."{AUDIT}" ("BATCH_ID","RUN_ID","STREAM","TABLE_NAME","LOADED_AT","LOAD_MODE","ROWS_READ",'
            '"ROWS_INSERTED","ROWS_UPDATED","ROWS_UNCHANGED","ROWS_DELETED","ROWS_REJECTED","BATCHED_AT") '
            "VALUES (:batch_id,'test',LOWER(:table_name),:table_name,:loaded_at,'incremental',:row_count,0,:row_count,0,0,0,:batched_at)",
            {"batch_id": f"b{self._batches}", "table_name": table, "loaded_at": ended, "batched_at": began, "row_count": rows},
        )

    @contextmanager
    def load(self, table: str, seconds: float = 1.0):
        """One load transaction into `table`: statements run inside carry the stamp it yields; COMMIT and audit row at its end.

        seconds: how long it takes by the test's clock.
        """
        self.clock += timedelta(seconds=1)
        began = self.clock
        yield began
        self.clock = max(self.clock, began + timedelta(seconds=seconds))
        self.audit(table, began, self.clock, 1)
        self.connection.commit()

    def update(self, table: str, keys: Iterable[int], at: datetime, **values: Any) -> int:
        """Change rows of a load, with its stamp; SQL expressions go as text that begins with `=`."""
        assignments, binds = [], {"batched": at}
        for name, value in values.items():
            if isinstance(value, str) and value.startswith("="):
                assignments.append(f'"{name.upper()}"={value[1:]}')
            else:
                assignments.append(f'"{name.upper()}"=:{name}_')
                binds[f"{name}_"] = value
        listed = ",".join(str(int(key)) for key in keys)
        return self.execute(
            f'UPDATE "{self.schema}"."{table}" SET {",".join([*assignments, chr(34) + "_SDC_BATCHED_AT" + chr(34) + "=:batched"])} '
            f'WHERE "{TABLES[table].key}" IN ({listed})',
            binds,
        )

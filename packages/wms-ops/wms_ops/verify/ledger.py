"""What is proven, in the warehouse: one row per range of keys and one per entity, beside the control tables of the target.

| table | one row per |
|---|---|
| WMS_LOAD_PROOF | target table: proven until when, how many ranges are open, and which |
| WMS_LOAD_PROOF_RANGE | range of keys; the ranges of a table follow each other without a gap |

Each run also leaves a row in WMS_LOAD_AUDIT, with the mode `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from oracle_connection.errors import DatabaseError

from wms_ops.verify.database import Database, table_name
from wms_ops.verify.keys import Key, KeyRange

PROOF, RANGE, AUDIT, CONTROL = "WMS_LOAD_PROOF", "WMS_LOAD_PROOF_RANGE", "WMS_LOAD_AUDIT", "WMS_LOAD_CONTROL"
NAME_IN_USE = "ORA-00955"
NOW = "SYS_EXTRACT_UTC(SYSTIMESTAMP)"
MASK = "'YYYY-MM-DD HH24:MI:SS.FF6'"
KEY_BYTES = 2000
MAX_OPEN_SHOWN = 20
VERIFY = "verify"

DEFINITIONS = {
    PROOF: """("TABLE_NAME" VARCHAR2(128 CHAR) PRIMARY KEY, "STREAM" VARCHAR2(400 CHAR) NOT NULL, "PROVEN_UNTIL" TIMESTAMP(6),
        "WATERMARK" VARCHAR2(100 CHAR), "RANGES" NUMBER(10) NOT NULL, "OPEN_RANGES" NUMBER(10) NOT NULL, "OPEN_KEYS" VARCHAR2(4000 BYTE),
        "FINDINGS" NUMBER(19) NOT NULL, "RUN_ID" VARCHAR2(100 CHAR) NOT NULL, "CHECKED_AT" TIMESTAMP(6) NOT NULL)""",
    RANGE: f"""("TABLE_NAME" VARCHAR2(128 CHAR) NOT NULL, "LOWER_KEY" VARCHAR2({KEY_BYTES} BYTE), "UPPER_KEY" VARCHAR2({KEY_BYTES} BYTE),
        "PROVEN_UNTIL" TIMESTAMP(6), "WATERMARK" VARCHAR2(100 CHAR), "ROWS_COMPARED" NUMBER(19), "FINDINGS" NUMBER(19) NOT NULL,
        "RUN_ID" VARCHAR2(100 CHAR), "CHECKED_AT" TIMESTAMP(6))""",
}


@dataclass(frozen=True, slots=True)
class ProofRange:
    """A range and until when it is proven (naive UTC; None: never). findings: wrong rows that are still in it. rows: None, unknown."""

    keys: KeyRange
    proven_until: datetime | None = None
    watermark: str | None = None
    rows: int | None = None
    findings: int = 0
    run_id: str | None = None
    checked_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.proven_until is None or self.findings > 0


@dataclass(frozen=True, slots=True)
class Proof:
    """Of a whole entity: every row of every range was equal up to `proven_until`; None while a range has never been proven."""

    proven_until: datetime | None
    watermark: str | None
    ranges: int
    open_ranges: tuple[KeyRange, ...]
    findings: int

    @classmethod
    def of(cls, ranges: Sequence[ProofRange]) -> Proof:
        """The proof of ranges that cover a table."""
        proven = [each.proven_until for each in ranges if each.proven_until is not None]
        whole = len(proven) == len(ranges)
        oldest = min((each for each in ranges if each.proven_until), key=lambda each: str(each.proven_until), default=None)
        return cls(
            min(proven) if whole and proven else None,
            oldest.watermark if whole and oldest else None,
            len(ranges),
            tuple(each.keys for each in ranges if each.open),
            sum(each.findings for each in ranges),
        )


@dataclass(slots=True)
class Ledger:
    """Reads and writes the proofs of one target table."""

    database: Database
    table: str
    stream: str
    run_id: str

    def name(self, table: str) -> str:
        return table_name(self.database.schema, table)

    def create(self) -> None:
        """Create the two tables where they are missing. Two runs may do so at the same moment."""
        text = "SELECT TABLE_NAME FROM ALL_TABLES WHERE OWNER=:owner AND TABLE_NAME IN (:one,:other)"
        binds = {"owner": self.database.schema, "one": PROOF, "other": RANGE}
        there = {name for (name,) in self.database.query(text, binds, doing="look for the ledger of proofs")}
        for table, definition in DEFINITIONS.items():
            if table in there:
                continue
            try:
                self.database.execute(f"CREATE TABLE {self.name(table)} {' '.join(definition.split())}", doing=f"create {table}")
            except DatabaseError as error:
                if error.code != NAME_IN_USE:
                    raise

    def ranges(self) -> list[ProofRange]:
        """The ranges in order; one open range over all keys when there are none, or when they do not fit together."""
        text = (
            'SELECT "LOWER_KEY","UPPER_KEY","PROVEN_UNTIL","WATERMARK","ROWS_COMPARED","FINDINGS","RUN_ID","CHECKED_AT" '
            f'FROM {self.name(RANGE)} WHERE "TABLE_NAME"=:table_name'
        )
        by_lower: dict[Key | None, ProofRange] = {}
        for lower, upper, *rest in self.database.query(text, {"table_name": self.table}, doing="read the ledger of proofs"):
            proven, watermark, rows, findings, run_id, checked = rest
            keys = KeyRange(_parse(lower), _parse(upper))
            counted = None if rows is None else int(rows)
            by_lower[keys.lower] = ProofRange(keys, proven, watermark, counted, int(findings), run_id, checked)
        chain: list[ProofRange] = []
        end: Key | None = None
        while (found := by_lower.pop(end, None)) is not None:
            chain.append(found)
            end = found.keys.upper
            if end is None:
                break
        if chain and end is None and not by_lower:
            return chain
        self._forget()
        first = ProofRange(KeyRange())
        self._insert(first)
        self.database.commit()
        return [first]

    def replace(self, old: ProofRange, new: Sequence[ProofRange]) -> None:
        """Put ranges that cover the same keys in place of one. Commits."""
        lower = _text(old.keys.lower)
        where = '"LOWER_KEY" IS NULL' if lower is None else '"LOWER_KEY"=:lower_key'
        binds = {"table_name": self.table} | ({} if lower is None else {"lower_key": lower})
        text = f'DELETE FROM {self.name(RANGE)} WHERE "TABLE_NAME"=:table_name AND {where}'
        self.database.execute(text, binds, doing="write the ledger of proofs")
        for each in new:
            self._insert(each)
        self.database.commit()

    def _forget(self) -> None:
        text = f'DELETE FROM {self.name(RANGE)} WHERE "TABLE_NAME"=:table_name'
        self.database.execute(text, {"table_name": self.table}, doing="write the ledger of proofs")

    def _insert(self, each: ProofRange) -> None:
        self.database.execute(
            f'INSERT INTO {self.name(RANGE)} ("TABLE_NAME","LOWER_KEY","UPPER_KEY","PROVEN_UNTIL","WATERMARK","ROWS_COMPARED",'
            f'"FINDINGS","RUN_ID","CHECKED_AT") VALUES (:table_name,:lower_key,:upper_key,TO_TIMESTAMP(:proven_until,{MASK}),'
            f":watermark,:rows_compared,:findings,:run_id,TO_TIMESTAMP(:checked_at,{MASK}))",
            {
                "table_name": self.table,
                "lower_key": _text(each.keys.lower),
                "upper_key": _text(each.keys.upper),
                "proven_until": _moment(each.proven_until),
                "watermark": each.watermark,
                "rows_compared": each.rows,
                "findings": each.findings,
                "run_id": each.run_id,
                "checked_at": _moment(each.checked_at),
            },
            doing="write the ledger of proofs",
        )

    def publish(self, proof: Proof, *, rows: int, seconds: float, scn: int | None) -> None:
        """Write the entity's row, and the run's row of the audit. Commits."""
        shown = [str(each) for each in proof.open_ranges[:MAX_OPEN_SHOWN]]
        values: dict[str, Any] = {
            "table_name": self.table,
            "stream": self.stream,
            "proven_until": _moment(proof.proven_until),
            "watermark": proof.watermark,
            "ranges": proof.ranges,
            "open_ranges": len(proof.open_ranges),
            "open_keys": json.dumps(shown)[:1000] if shown else None,
            "findings": proof.findings,
            "run_id": self.run_id,
        }
        text = f'DELETE FROM {self.name(PROOF)} WHERE "TABLE_NAME"=:table_name'
        self.database.execute(text, {"table_name": self.table}, doing=f"write {PROOF}")
        names = ",".join(f'"{name.upper()}"' for name in values)
        marks = ",".join(f"TO_TIMESTAMP(:{name},{MASK})" if name == "proven_until" else f":{name}" for name in values)
        self.database.execute(
            f'INSERT INTO {self.name(PROOF)} ({names},"CHECKED_AT") VALUES ({marks},{NOW})', values, doing=f"write {PROOF}"
        )
        self.database.execute(
            f'INSERT INTO {self.name(AUDIT)} ("BATCH_ID","RUN_ID","STREAM","TABLE_NAME","LOADED_AT","LOAD_MODE","READ_SCN","ROWS_READ",'
            '"ROWS_INSERTED","ROWS_UPDATED","ROWS_UNCHANGED","ROWS_DELETED","ROWS_REJECTED","WATERMARK","LOAD_SECONDS") '
            f"VALUES (:batch_id,:run_id,:stream,:table_name,{NOW},:load_mode,:read_scn,:rows_read,0,0,0,0,0,:watermark,:seconds)",
            {
                "batch_id": f"{VERIFY}/{self.run_id}/{self.table}"[:200],
                "run_id": self.run_id,
                "stream": self.stream,
                "table_name": self.table,
                "load_mode": VERIFY,
                "read_scn": scn,
                "rows_read": rows,
                "watermark": None if proof.proven_until is None else proof.proven_until.isoformat(timespec="microseconds"),
                "seconds": round(seconds, 3),
            },
            doing=f"write {AUDIT}",
        )
        self.database.commit()


def cut(old: ProofRange, limit: Key) -> tuple[ProofRange, ProofRange]:
    """A range in two; both keep what was known of the whole."""
    below, above = old.keys.cut([limit])
    return replace(old, keys=below, rows=None), replace(old, keys=above, rows=None)


def _text(key: Key | None) -> str | None:
    return None if key is None else json.dumps(list(key), ensure_ascii=False)


def _parse(text: str | None) -> Key | None:
    return None if text is None else tuple(json.loads(text))


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(sep=" ", timespec="microseconds")

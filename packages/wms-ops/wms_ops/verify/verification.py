"""One run of verify over an entity: which ranges, as of when, within which budget; then the repair, and the proof that is published."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Protocol

from oracle_connection.contract import utc_text
from oracle_connection.errors import RetriableError, Scope
from oracle_connection.types import TIMESTAMPS, ZONED
from oracle_connection.types import Kind as OracleKind

from wms_ops.verify.comparing import Comparison, Finding, Kind, Outcome, Snapshot
from wms_ops.verify.keys import Key, KeyRange
from wms_ops.verify.ledger import Ledger, Proof, ProofRange, cut
from wms_ops.verify.reading import Watermark

ATTEMPTS = 3
"""How often a range is begun when its snapshot is too old or the connection is lost."""
EMPTY_SOURCE = "not deleted: the source has no row in this whole range; look at the source, or compare larger ranges (--range-rows)"

NO_KEY = "the table has lost its key, without which target-oracle loads nothing: a new full sync builds it anew"


class Repairer(Protocol):
    """Brings rows in order through tap and target. Each method says why it could not, or None."""

    def read_again(self, keys: Sequence[Key]) -> str | None:
        """Read these rows from the source and load them."""
        ...

    def delete(self, keys: Sequence[Key], scn: int | None) -> str | None:
        """Mark these rows as deleted, as of an SCN of the source."""
        ...


RANGE_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What one run is to do. ranges: only these, and the ledger stays as it is; rolling: the ranges proven longest ago first.

    seconds, rows: the budget, rows of the source; no further range is begun after it. max_findings: after so many the run stops.
    """

    range_rows: int = RANGE_ROWS
    ranges: tuple[KeyRange, ...] = ()
    rolling: bool = False
    seconds: float | None = None
    rows: int | None = None
    max_findings: int = 100_000


@dataclass(slots=True)
class Result:
    """What a run found. complete: nothing that was asked for is left to compare."""

    ranges: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True
    stopped_by: str | None = None
    proof: Proof | None = None
    scn: int | None = None
    watermark: str | None = None
    taken_at: datetime | None = None
    open_column: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Findings by kind."""
        return {str(kind): sum(each.kind is kind for each in self.findings) for kind in Kind}

    @property
    def unrepaired(self) -> int:
        return sum(each.repaired is not True for each in self.findings)


@dataclass(slots=True)
class Verification:
    """zone: of the clock that sets a replication key without a zone of its own; None: the server's. is_clock: the key is one."""

    comparison: Comparison
    ledger: Ledger
    options: Options
    repairer: Repairer | None = None
    zone: tzinfo | None = UTC
    is_clock: bool = True
    result: Result = field(default_factory=Result)
    _snapshot: Snapshot | None = None
    _started: float = field(default_factory=time.monotonic)
    _wrong: list[tuple[ProofRange | None, Outcome]] = field(default_factory=list)

    def run(self) -> Result:
        """Compare, repair, publish. Raises the classes of `oracle_connection.errors`; what is proven until then stays proven."""
        missing = self.comparison.entity.missing
        self.result.open_column = missing
        if self.options.ranges:
            for keys in self.options.ranges:
                self._wrong += [(None, outcome) for outcome in self._pieces(keys) if outcome.findings]
        else:
            self.ledger.create()
            self._work_through(self.ledger.ranges())
        if self.repairer is not None and self.result.findings:
            self._repair(self.repairer)
        if not self.options.ranges:
            self.result.proof = Proof.of(self.ledger.ranges())
            seconds = time.monotonic() - self._started
            self.ledger.publish(self.result.proof, rows=self.result.rows, seconds=seconds, scn=self.result.scn)
        return self.result

    # --- which ranges ---

    def _work_through(self, ranges: list[ProofRange]) -> None:
        """The ranges of the ledger, cut where they are too large, until they are done or the budget is used up."""
        waiting = sorted(ranges, key=_age) if self.options.rolling else ranges
        while waiting:
            if self._used_up():
                self.result.complete = False
                return
            each = waiting.pop(0)
            if each.keys.upper is None or each.rows is None or each.rows > 2 * self.options.range_rows:
                limit = self._snapshot_now().target.after(each.keys, self.options.range_rows)
                if limit is not None:
                    below, above = cut(each, limit)
                    self.ledger.replace(each, [below, above])
                    waiting.insert(0, above)
                    each = below
            outcome = self._compare(each.keys)
            checked = self._checked(each, outcome)
            self.ledger.replace(each, [checked])
            if outcome.findings:
                self._wrong.append((checked, outcome))

    def _pieces(self, keys: KeyRange) -> Iterator[Outcome]:
        """A range given by hand, in pieces."""
        rest: KeyRange | None = keys
        while rest is not None:
            if self._used_up():
                self.result.complete = False
                return
            limit = self._snapshot_now().target.after(rest, self.options.range_rows)
            here, rest = rest.cut([limit]) if limit is not None else (rest, None)
            yield self._compare(here)

    def _used_up(self) -> bool:
        """Whether no further range may be begun; the first one always may."""
        if self.result.ranges == 0:
            return False
        if self.options.seconds is not None and time.monotonic() - self._started >= self.options.seconds:
            self.result.stopped_by = f"the budget of {self.options.seconds:g} seconds"
        elif self.options.rows is not None and self.result.rows >= self.options.rows:
            self.result.stopped_by = f"the budget of {self.options.rows} rows"
        elif len(self.result.findings) >= self.options.max_findings:
            self.result.stopped_by = f"{len(self.result.findings)} findings: a new full sync may be cheaper (wms-ops redo)"
        return self.result.stopped_by is not None

    # --- one range ---

    def _compare(self, keys: KeyRange) -> Outcome:
        """One range, as of the run's snapshot; of a new one when that has become too old to read."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = self.comparison.compare(keys, self._snapshot_now())
                break
            except RetriableError as error:
                if attempt == ATTEMPTS:
                    raise
                if error.scope is Scope.CONNECTION:
                    for side in (self.comparison.entity.source, self.comparison.entity.target):
                        side.database.close()
                self._snapshot = None
        self.result.ranges += 1
        self.result.rows += outcome.rows
        self.result.findings += outcome.findings
        return outcome

    def _snapshot_now(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = self.comparison.snapshot()
            self.result.scn = self._snapshot.source.scn
            self.result.watermark = self._snapshot.watermark.value if self._snapshot.watermark else None
            self.result.taken_at = self._snapshot.taken_at
        return self._snapshot

    def _checked(self, before: ProofRange, outcome: Outcome) -> ProofRange:
        """The ledger's row of a range after it was compared. A range with findings keeps the proof it had."""
        snapshot = self._snapshot_now()
        checked = replace(
            before, rows=outcome.rows, findings=sum(each.repaired is not True for each in outcome.findings),
            run_id=self.ledger.run_id, checked_at=snapshot.taken_at,
        )  # fmt: skip
        if checked.findings or self.comparison.entity.missing:
            return checked
        watermark = snapshot.watermark.value if snapshot.watermark else None
        return replace(checked, proven_until=self._proven_until(snapshot), watermark=watermark)

    def _proven_until(self, snapshot: Snapshot) -> datetime:
        """Naive UTC: the moment before which every change has been compared; the snapshot's own where the key is no clock."""
        mark = snapshot.watermark
        if mark is None or not self.is_clock:
            return snapshot.taken_at
        at = _instant(mark, self.zone, snapshot.server_offset)
        return snapshot.taken_at if at is None else min(at, snapshot.taken_at)

    # --- repair ---

    def _repair(self, repairer: Repairer) -> None:
        """Everything that was found, in at most one run of tap and target and one of the target; then each of it is looked at again."""
        for _, outcome in self._wrong:
            for each in outcome.findings:
                if outcome.empty_source:
                    each.repaired, each.note = False, EMPTY_SOURCE
                elif each.kind is Kind.EXTRA_VERSION:
                    each.repaired, each.note = False, f"{each.note}; {NO_KEY} (meltano invoke wms-ops redo {self.ledger.stream})"
        wanted = [each for each in self.result.findings if each.repaired is None]
        gone = [each for each in wanted if each.kind is Kind.MISSING_IN_SOURCE]
        to_read = [each for each in wanted if each.kind is not Kind.MISSING_IN_SOURCE]
        refusals: dict[int, str] = {}
        if gone:
            scns = [each.scn for each in gone if each.scn is not None]
            error = repairer.delete([each.key for each in gone], min(scns, default=None))
            refusals |= {id(each): error for each in gone if error}
        if to_read:
            error = repairer.read_again([each.key for each in to_read])
            refusals |= {id(each): error for each in to_read if error}
        self._snapshot = None
        left = {each.key for each in self.comparison.confirm(sorted(each.key for each in wanted))}
        for each in wanted:
            each.repaired = each.key not in left
            each.note = None if each.repaired else refusals.get(id(each), "still wrong after the repair")
        self._prove_again()

    def _prove_again(self) -> None:
        """The ranges that had findings, compared once more, so that they count as proven."""
        for before, outcome in self._wrong:
            if before is None:
                continue
            if any(each.repaired is not True for each in outcome.findings):
                self.ledger.replace(before, [self._checked(before, outcome)])
                continue
            again = self.comparison.compare(outcome.keys, self._snapshot_now())
            self.ledger.replace(before, [self._checked(before, again)])


def _age(each: ProofRange) -> tuple[bool, str]:
    """Never proven first, then the one proven longest ago. Equal ones stay in the order of the key."""
    return (each.proven_until is not None, "" if each.proven_until is None else each.proven_until.isoformat())


def _instant(mark: Watermark, zone: tzinfo | None, server_offset: str) -> datetime | None:
    """A bookmark as naive UTC; None for a number or a text. Of an hour that comes twice, the earlier."""
    oracle = mark.type
    if oracle.kind is not OracleKind.DATE and oracle.kind not in TIMESTAMPS:
        return None
    head, _, fraction = mark.value.removesuffix("+00:00").partition(".")
    at = datetime.fromisoformat(f"{head}.{fraction[:6].ljust(6, '0')}")
    if oracle.kind in ZONED or zone is UTC:
        return at
    if zone is not None:
        return at.replace(tzinfo=zone, fold=0).astimezone(UTC).replace(tzinfo=None)
    sign = -1 if server_offset.startswith("-") else 1
    hours, _, minutes = server_offset.lstrip("+-").partition(":")
    return at - sign * timedelta(hours=int(hours), minutes=int(minutes))


def to_json(verification: Verification, stream: str) -> dict[str, Any]:
    """The result for a program."""
    result, entity = verification.result, verification.comparison.entity
    proof = result.proof
    return {
        "entity": stream,
        "equal": not result.findings and not result.open_column,
        "complete": result.complete,
        "stopped_by": result.stopped_by,
        "rows": result.rows,
        "ranges": result.ranges,
        "columns": len(entity.columns),
        "not_compared": entity.left_out,
        "columns_missing_in_target": list(result.open_column),
        "findings": result.counts,
        "repaired": sum(each.repaired is True for each in result.findings),
        "rows_found": [each.to_json() for each in result.findings],
        "source_scn": result.scn,
        "watermark": result.watermark,
        "snapshot_at": None if result.taken_at is None else utc_text(result.taken_at.replace(tzinfo=UTC)),
        "proven_until": None if proof is None or proof.proven_until is None else utc_text(proof.proven_until.replace(tzinfo=UTC)),
        "open_ranges": None if proof is None else [each.to_json() for each in proof.open_ranges],
        "flashback": verification.comparison.flashback,
        "statements": {side.database.name: side.database.statements for side in (entity.source, entity.target)},
        "seconds": {side.database.name: round(side.database.seconds, 3) for side in (entity.source, entity.target)},
        "notes": entity.notes,
    }

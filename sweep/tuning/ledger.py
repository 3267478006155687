"""The driver's book of a sweep: every trial and every row, kept in step with the store.

All that decides anything (early stopping, search, the live table, resume) reads it, so that a sweep continued from its
files knows what it knew before.
"""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from sweep.spec import SweepSpec
from sweep.store.reader import SweepTables
from sweep.store.schema import EPOCHS
from sweep.tuning.trial_record import TrialRecord

# How long the row of a trial that runs may be behind its epochs.
PUT_EVERY_S = 10.0


class Listener:
    """Told of every change of a sweep, after the ledger has taken it; overrides what it wants to hear."""

    def trial_started(self, record: TrialRecord) -> None:
        """A trial has started, or started again."""

    def epoch_told(self, record: TrialRecord, row: dict[str, Any]) -> None:
        """A trial has told an epoch for the first time; `row` is its line of the `epochs` table."""

    def trial_ended(self, record: TrialRecord) -> None:
        """A trial's row is final."""


class RowWriter(Protocol):
    """Where a ledger writes: a StoreWriter, whose methods these are."""

    def add_epoch(self, row: dict[str, Any]) -> object: ...

    def put_trial(self, row: dict[str, Any]) -> None: ...

    def flush_if_due(self) -> None: ...


class Ledger:
    """`trials`: every trial handed out so far, by id. Whoever is in `listeners` is told of each change."""

    def __init__(self, writer: RowWriter, sweep_id: str, spec: SweepSpec) -> None:
        self.trials: dict[str, TrialRecord] = {}
        self.listeners: list[Listener] = []
        self._writer = writer
        self.sweep_id = sweep_id
        self._spec = spec
        self._orphans: set[str] = set()
        self._put_at = time.monotonic()

    def restore(self, tables: SweepTables, *, retry_failed: bool = False) -> None:
        """Take over what earlier drivers have stored. Trials with work left become unfinished again: those that lost
        rows, those that ended at fewer epochs than the spec now has, and the failed ones if so asked.
        """
        for record in records_from(tables):
            ended_early = record.status == "COMPLETED" and len(record.epochs) < self._spec.epochs
            if record.lost_epochs or ended_early or (retry_failed and record.status == "FAILED"):
                record.status, record.error, record.ended = "RUNNING", None, None
                record.stop_reason, record.stop_value = None, None
                self._put(record)  # a kill before its next start must not forget it
            self.trials[record.trial_id] = record
        self._orphans = set(tables.epochs["trial_id"].to_pylist()) - self.trials.keys()

    @property
    def epochs(self) -> int:
        """How many a trial has when nothing cuts it."""
        return self._spec.epochs

    def plan(self, record: TrialRecord) -> None:
        """A trial that is to be handed out; it enters the store when it starts."""
        self.trials[record.trial_id] = record

    def start(self, trial_id: str) -> None:
        """A trial starts, or starts again after a failure or a resume."""
        record = self.trials[trial_id]
        if record.waits:
            record.waits, record.promoted_at = False, len(record.epochs)
        else:
            record.attempts += 1
        record.status = "RUNNING"
        record.started = record.started or _now()
        self._put(record)
        for listener in self.listeners:
            listener.trial_started(record)

    def pause(self, trial_id: str) -> None:
        """A trial waits for others and occupies no place; its next start is no further attempt."""
        record = self.trials[trial_id]
        record.waits = True
        self._put(record)

    def add_epoch(self, trial_id: str, metrics: dict[str, Any], *, node: str) -> None:
        """A trial tells an epoch. One that is known already (a continued trial tells it again) changes nothing."""
        record = self.trials[trial_id]
        row = {
            **{name: metrics[name] for name in EPOCHS.names if name in metrics},
            "sweep_id": self.sweep_id,
            "trial_id": trial_id,
            "attempt": record.attempts,
            "node": node,
            "timestamp": _now(),
        }
        if row["epoch"] <= len(record.epochs):
            return
        # The store may have it all the same: its trial had lost an earlier row, or its line of `trials`.
        self._writer.add_epoch(row)
        record.epochs.append(row)
        for listener in self.listeners:
            listener.epoch_told(record, row)

    def end(
        self,
        trial_id: str,
        status: str,
        *,
        stop_reason: str | None = None,
        stop_value: float | None = None,
        error: str | None = None,
    ) -> None:
        """A trial has ended; its row is final."""
        record = self.trials[trial_id]
        record.status, record.error, record.waits = status, error, False
        record.stop_reason, record.stop_value = stop_reason, stop_value
        record.ended = _now()
        self._put(record)
        for listener in self.listeners:
            listener.trial_ended(record)

    def unfinished(self) -> list[TrialRecord]:
        """Trials that started and have not ended."""
        return [record for record in self.trials.values() if record.status == "RUNNING"]

    def put_unfinished(self) -> None:
        """Bring the rows of trials that have not ended up to their last epoch."""
        self._put_at = time.monotonic()
        for record in self.unfinished():
            if not record.waits:  # else its row is as it was when it began to
                self._put(record)

    def abandon_orphans(self) -> None:
        """Mark stored epochs whose trial nobody knows any more: its line of `trials` was lost to damage."""
        for trial_id in sorted(self._orphans - self.trials.keys()):
            self._writer.put_trial({"sweep_id": self.sweep_id, "trial_id": trial_id, "status": "ABANDONED"})

    def flush_if_due(self) -> None:
        """Let the store write what is pending, about once a second."""
        if time.monotonic() - self._put_at > PUT_EVERY_S:
            self.put_unfinished()
        self._writer.flush_if_due()

    def _put(self, record: TrialRecord) -> None:
        self._writer.put_trial(record.row(sweep_id=self.sweep_id, model=self._spec.model, dataset=self._spec.dataset))


def records_from(tables: SweepTables) -> Iterable[TrialRecord]:
    """The stored trials, each with its epochs in order, up to the first one that is missing."""
    epochs: dict[str, list[dict[str, Any]]] = {}
    for row in tables.epochs.to_pylist():
        told = epochs.setdefault(row["trial_id"], [])
        if row["epoch"] == len(told) + 1:
            told.append(row)
    for row in tables.trials.to_pylist():
        if row["configuration"] is None:
            continue  # an abandoned one
        told = epochs.get(row["trial_id"], [])
        yield TrialRecord(
            trial_id=row["trial_id"],
            configuration=json.loads(row["configuration"]),
            configuration_id=row["configuration_id"],
            replicate=row["replicate"],
            status=row["status"],
            stop_reason=row["stop_reason"],
            stop_value=row["stop_value"],
            error=row["error"],
            promoted_at=row["promoted_at"],
            attempts=row["attempts"],
            started=row["started"] or row["ended"],  # lost with its worker before it could begin
            ended=row["ended"],
            epochs=told,
            lost_epochs=len(told) < row["epochs_run"],
        )


def _now() -> datetime:
    return datetime.now(UTC)

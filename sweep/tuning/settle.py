"""What a driver makes of the rows it finds, before it hands out trials."""

from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate
from operator import itemgetter

from sweep.stopping.early_stopping import EarlyStopping
from sweep.stopping.verdict import GO_ON
from sweep.tuning.ledger import Ledger
from sweep.tuning.trial_record import TrialRecord


def settle(ledger: Ledger, stopping: EarlyStopping) -> None:
    """Bring early stopping to what the stored rows say, and end trials whose driver died just before it could."""
    verdicts = {}
    for record, epoch in _as_told(ledger.trials.values()):
        if epoch is None:
            stopping.ended(record.trial_id, record.configuration_id)
        else:
            verdict = stopping.told(record.trial_id, record.configuration_id, record.epochs[:epoch])
            verdicts[record.trial_id] = verdict
    for record in ledger.trials.values():
        if record.has_ended:
            stopping.ended(record.trial_id, record.configuration_id, diverged=record.stop_reason == "diverged")
    for record in ledger.unfinished():
        verdict = verdicts.get(record.trial_id, GO_ON)
        if verdict.action == "cut":
            ledger.end(record.trial_id, "STOPPED", stop_reason=verdict.reason, stop_value=verdict.value)
        elif len(record.epochs) >= ledger.epochs:
            ledger.end(record.trial_id, "COMPLETED")
        elif record.promoted_at == len(record.epochs):
            stopping.let_pass(record.configuration_id, record.promoted_at)
    for trial in stopping.held:
        ledger.pause(trial)


def _as_told(records: Iterable[TrialRecord]) -> list[tuple[TrialRecord, int | None]]:
    """Epochs and failures (None) in the order in which they were told, so that the rungs are as they were.

    A trial's own stay in their order even where a clock was set back.
    """
    told: list[tuple[datetime, TrialRecord, int | None]] = []
    for record in records:
        times = list(accumulate((row["timestamp"] for row in record.epochs), max))
        told += [(time, record, row["epoch"]) for time, row in zip(times, record.epochs, strict=True)]
        if record.status == "FAILED" and record.ended is not None:
            told.append((max([*times[-1:], record.ended]), record, None))
    return [(record, epoch) for _, record, epoch in sorted(told, key=itemgetter(0))]

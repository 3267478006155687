"""The rungs after a resume are those of the driver before it, whatever order the stored rows suggest."""

from datetime import UTC, datetime, timedelta
from typing import Any

from planted_sweep import epoch

from sweep.simulation.simulate import NoStore
from sweep.spec import SweepSpec
from sweep.stopping.early_stopping import EarlyStopping
from sweep.tuning.build_stopping import build_stopping
from sweep.tuning.ledger import Ledger
from sweep.tuning.settle import settle
from sweep.tuning.trial_record import TrialRecord

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RUNG = 2


def book(replicates: int) -> tuple[Ledger, EarlyStopping]:
    asked: dict[str, Any] = {"name": "s", "model": "mlp", "dataset": "digits", "epochs": 8, "replicates": replicates}
    scheduler = {"grace_period": RUNG, "reduction_factor": 2}
    spec = SweepSpec.load({**asked, "space": {"lr": {"loguniform": [1e-4, 1e-1]}}, "scheduler": scheduler})
    return Ledger(NoStore(), "s-1", spec), build_stopping(spec)


def stored(ledger: Ledger, replicate: int, told_at: list[int], **more: Any) -> TrialRecord:
    """A trial whose epochs were told so many seconds after noon."""
    rows = [
        {**epoch(1.0, 0.9, 0.5), "epoch": number, "epoch_s": 1.0, "timestamp": NOON + timedelta(seconds=seconds)}
        for number, seconds in enumerate(told_at, 1)
    ]
    record = TrialRecord(f"t{replicate}", {}, "c", replicate, epochs=rows, **{"status": "RUNNING", **more})
    ledger.trials[record.trial_id] = record
    return record


def test_a_seed_that_failed_counts_from_when_it_did() -> None:
    ledger, stopping = book(replicates=2)
    # It waited at the rung from second 20 on, went on when the other seed had failed, and told epoch 3.
    lives = stored(ledger, 0, [10, 20, 40])
    stored(ledger, 1, [15], status="FAILED", ended=NOON + timedelta(seconds=30))
    settle(ledger, stopping)
    assert stopping.asha is not None
    (place,) = stopping.asha.standings()[0, RUNG]
    assert (place[0], place[3]) == (lives.configuration_id, True)


def test_a_clock_that_was_set_back_does_not_take_a_trial_past_its_rung() -> None:
    ledger, stopping = book(replicates=1)
    waits = stored(ledger, 0, [100, 20])
    settle(ledger, stopping)
    assert stopping.held == {waits.trial_id}

"""What the driver's book puts into the store, and when."""

from pathlib import Path
from typing import Any

import pytest

from sweep.spec import SweepSpec
from sweep.store.folder import LocalFolder
from sweep.store.manifest import write_manifest
from sweep.store.reader import read_sweep
from sweep.store.writer import StoreWriter
from sweep.tuning import ledger as ledger_module
from sweep.tuning.ledger import Ledger
from sweep.tuning.trial_record import TrialRecord

METRICS = dict.fromkeys(("train_loss", "train_eval_loss", "val_loss", "val_acc", "gap_loss", "gap_acc", "epoch_s"), 0.5)


@pytest.fixture
def sweep(tmp_path: Path) -> LocalFolder:
    folder = LocalFolder(tmp_path / "s-1")
    spec = SweepSpec.load({"name": "s", "model": "mlp", "dataset": "digits", "epochs": 9})
    write_manifest(folder, {"sweep_id": "s-1", "spec": spec.to_dict()})
    return folder


def ledger_on(sweep: LocalFolder, **restored: Any) -> Ledger:
    """A driver's book over what is stored; what it has put is dropped unless it is flushed, as by kill -9."""
    tables = read_sweep(sweep)
    spec = SweepSpec.load(tables.manifest["spec"])
    ledger = Ledger(StoreWriter(sweep, flush_interval_s=0.0, take_over=True), "s-1", spec)
    ledger.restore(read_sweep(sweep), **restored)
    return ledger


def begun(sweep: LocalFolder, *trials: str) -> Ledger:
    ledger = ledger_on(sweep)
    for trial in trials:
        configuration: dict[str, Any] = SweepSpec.load(read_sweep(sweep).manifest["spec"]).search_space.resolve({})
        ledger.plan(TrialRecord(trial, configuration, "c", 0))
        ledger.start(trial)
    return ledger


def stored(sweep: LocalFolder, column: str) -> dict[str, Any]:
    trials = read_sweep(sweep).trials
    return dict(zip(trials["trial_id"].to_pylist(), trials[column].to_pylist(), strict=True))


def test_a_trial_that_waits_is_stored_as_far_as_it_has_come(sweep: LocalFolder) -> None:
    ledger = begun(sweep, "waits", "runs")
    for trial in ("waits", "runs"):
        ledger.add_epoch(trial, {**METRICS, "epoch": 1}, node="here")
    ledger.pause("waits")
    ledger.flush_if_due()
    assert stored(sweep, "epochs_run") == {"waits": 1, "runs": 0}


def test_the_rows_of_running_trials_follow_their_epochs(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = begun(sweep, "runs")
    ledger.add_epoch("runs", {**METRICS, "epoch": 1}, node="here")
    monkeypatch.setattr(ledger_module, "PUT_EVERY_S", -1.0)
    ledger.flush_if_due()
    assert (stored(sweep, "epochs_run"), stored(sweep, "last_val_loss")) == ({"runs": 1}, {"runs": 0.5})


def test_failed_trials_that_are_to_be_tried_again_stay_so_after_a_kill(sweep: LocalFolder) -> None:
    ledger = begun(sweep, "a", "b")
    for trial in ("a", "b"):
        ledger.end(trial, "FAILED", stop_reason="error", error="boom")
    ledger.flush_if_due()
    assert set(stored(sweep, "status").values()) == {"FAILED"}
    ledger_on(sweep, retry_failed=True).flush_if_due()
    assert set(stored(sweep, "status").values()) == {"RUNNING"}
    assert len(ledger_on(sweep).unfinished()) == 2

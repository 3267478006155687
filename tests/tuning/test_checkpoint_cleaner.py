"""Checkpoints stay until nothing needs them, and go then."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.simulation.simulate import NoStore
from sweep.spec import SweepSpec
from sweep.store.folder import LocalFolder
from sweep.tuning.checkpoint_cleaner import CheckpointCleaner
from sweep.tuning.ledger import Ledger
from sweep.tuning.trial_record import TrialRecord


@dataclass(frozen=True)
class Stubborn(LocalFolder):
    """Files in `kept` cannot be removed."""

    kept: frozenset[str] = frozenset()

    def remove(self, name: str) -> None:
        if name in self.kept:
            raise PermissionError(name)
        super().remove(name)


def ledger_of(**statuses: str) -> Ledger:
    spec = SweepSpec.load({"name": "s", "model": "mlp", "dataset": "digits", "epochs": 2})
    ledger = Ledger(NoStore(), "s-1", spec)
    configuration: dict[str, Any] = spec.search_space.resolve({})
    for trial, status in statuses.items():
        ledger.trials[trial] = TrialRecord(trial, configuration, "c", 0, status=status)
    return ledger


def test_a_checkpoint_goes_once_its_trial_has_ended_and_its_rows_are_stored(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for name in ("before.pt", "ends.pt", "runs.pt"):
        folder.write(name, b"state")
    ledger = ledger_of(before="COMPLETED", ends="RUNNING", runs="RUNNING")
    cleaner = CheckpointCleaner(folder, ledger)
    ledger.listeners.append(cleaner)
    ledger.end("ends", "COMPLETED")
    assert folder.files() == ["before.pt", "ends.pt", "runs.pt"]
    cleaner.rows_are_stored()
    assert folder.files() == ["runs.pt"]


def test_one_that_cannot_be_removed_fails_no_trial_and_is_tried_again(tmp_path: Path) -> None:
    LocalFolder(tmp_path).write("a.pt", b"state")
    stubborn = Stubborn(tmp_path, frozenset({"a.pt"}))
    cleaner = CheckpointCleaner(stubborn, ledger_of(a="STOPPED"))
    cleaner.rows_are_stored()
    assert stubborn.files() == ["a.pt"]
    object.__setattr__(stubborn, "kept", frozenset())
    cleaner.rows_are_stored()
    assert stubborn.files() == []


def test_that_of_a_trial_whose_workers_were_lost_too_often_stays_for_a_retry(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for name in ("lost.pt", "wrong.pt"):
        folder.write(name, b"state")
    ledger = ledger_of(lost="RUNNING", wrong="RUNNING")
    cleaner = CheckpointCleaner(folder, ledger)
    ledger.listeners.append(cleaner)
    ledger.end("lost", "FAILED", stop_reason="worker", error="the worker died")
    ledger.end("wrong", "FAILED", stop_reason="error", error="ValueError")
    cleaner.rows_are_stored()
    assert folder.files() == ["lost.pt"]
    CheckpointCleaner(folder, ledger).rows_are_stored()  # the next driver's
    assert folder.files() == ["lost.pt"]

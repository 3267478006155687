"""Workers that are of no use to the trial that is to have them next: it loses an attempt, and no more."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from typer.testing import CliRunner

import sweep
from sweep.cli.app import app
from sweep.tuning.ledger import Ledger, Listener
from sweep.tuning.trial_record import TrialRecord
from sweep.tuning.watch import Watch

TRIALS = 3
STUDY: dict[str, Any] = {
    "name": "idle",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 200,
    "epochs": 2,
    "space": {"lr": {"loguniform": [1e-4, 1e-2]}},
    "search": {"trials": TRIALS},
    "scheduler": "none",
    "resources": {"max_concurrent": 1},
    "max_retries": 1,
}


class KillsTheWorkerOnce(Listener):
    """kill -9 of whatever trains, right after the first trial has ended."""

    def __init__(self) -> None:
        self.killed: list[int] = []

    def trial_ended(self, record: TrialRecord) -> None:
        if self.killed:
            return
        for process in psutil.Process(os.getpid()).children(recursive=True):
            if any("ray::ImplicitFunc" in word for word in process.cmdline()):
                process.kill()
                self.killed.append(process.pid)


@pytest.mark.parametrize("max_retries", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_it_costs_the_next_trial_an_attempt_and_its_life_where_it_has_but_one(tmp_path: Path, max_retries: int) -> None:
    killer = KillsTheWorkerOnce()

    def listener(spec: sweep.SweepSpec, ledger: Ledger) -> Listener:
        return killer

    result = sweep.run({**STUDY, "max_retries": max_retries}, storage=tmp_path, watch=Watch(listener=listener))
    assert killer.killed
    trials = pd.read_parquet(Path(result.path) / "trials.parquet")
    lost = trials[trials["status"] == "FAILED"]
    assert lost["stop_reason"].tolist() == ["worker"] * (1 - max_retries)
    assert result.exit_code == (0 if max_retries else 3)
    if not max_retries:
        done = CliRunner().invoke(app, ["retry", str(result.path), "--failed"])
        assert done.exit_code == 0, done.output
        trials = pd.read_parquet(Path(result.path) / "trials.parquet")
    assert trials["status"].tolist() == ["COMPLETED"] * TRIALS
    assert trials["epochs_run"].tolist() == [2] * TRIALS


@pytest.mark.slow
def test_a_worker_that_is_still_busy_costs_an_attempt_and_not_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How long Tune lets the trial before come to its end, in seconds; Ray's workers take it from here.
    monkeypatch.setenv("TUNE_FUNCTION_THREAD_TIMEOUT_S", "0")
    waits_at_rungs = {"scheduler": {"variant": "promote", "grace_period": 1}, "epochs": 4, "max_retries": 20}
    result = sweep.run({**STUDY, **waits_at_rungs, "search": {"trials": 6}}, storage=tmp_path)
    assert (result.state, result.statuses["FAILED"], result.statuses.total()) == ("COMPLETED", 0, 6)

"""kill -9 and signals against a real `sweep run`, then `sweep resume`: every epoch once, and the numbers of a run
that was left alone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from real_sweeps import RealSweep, check_exactly_once, check_same_numbers, reference_rows

from analysis import load
from sweep.store.folder import open_folder
from sweep.tuning.overview import overview

MakeSweep = Callable[..., RealSweep]
STUDY: dict[str, Any] = {
    "name": "killed",
    "model": "mlp",
    "model_args": {"hidden": [512]},
    "dataset": "digits",
    "precision": "int16",
    "epochs": 12,
    "mode": "study",
    "replicates": 2,
    "space": {"layer_order": {"choice": ["lbrd", "lrbd"]}, "augment": "full"},
}
ROWS = 48


def interrupt(sweep: RealSweep, process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    """Send a signal that ends a sweep in order, and look at what it leaves. Returns the exit code."""
    assert len(sweep.processes()) > 2
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert f"sweep resume {sweep.folder}" in printed
    assert load(sweep.folder).manifest["state"] == "INTERRUPTED"
    epochs, trials = sweep.tables()
    assert "RUNNING" in set(trials["status"])
    # How far every trial is, and the best one of all, those that have yet to end included.
    reached = epochs.groupby("trial_id").agg(epochs_run=("epoch", "max"), best_val_acc=("val_acc", "max"))
    told = trials[trials["epochs_run"] > 0].set_index("trial_id")[["epochs_run", "best_val_acc"]]
    pd.testing.assert_frame_equal(told.sort_index(), reached.sort_index(), check_dtype=False)
    assert f"val_acc {epochs['val_acc'].max():.4f} at epoch" in printed
    sweep.wait_until_gone(90)  # Ray's agents now and then take 40 s to notice that its other processes are gone
    return process.returncode


def test_a_sweep_killed_and_interrupted_has_every_epoch_once_and_the_numbers_of_trials_left_alone(
    make_sweep: MakeSweep,
) -> None:
    # Long enough to be met twice in the middle: rows are stored once a second.
    sweep, rows = make_sweep({**STUDY, "epochs": 18, "resources": {"max_concurrent": 2}}), 18 * 4
    process = sweep.start()
    sweep.wait_for_rows(process, 8)
    process.kill()
    process.wait()
    before = load(sweep.folder).epochs
    assert 8 <= len(before) < rows
    assert overview(open_folder(sweep.folder))["best_val_acc"] == before["val_acc"].max()
    process = sweep.start("resume", str(sweep.folder))
    sweep.wait_for_rows(process, len(before) + 8)
    assert interrupt(sweep, process, signal.SIGINT) == 128 + signal.SIGINT
    sweep.resume()

    epochs, trials = sweep.tables()
    assert len(epochs) == rows
    check_exactly_once(epochs, trials)
    assert check_same_numbers(epochs, reference_rows(sweep, trials)) == rows
    # What was acknowledged before the kill is what is there now, times included.
    kept = epochs.merge(before[["trial_id", "epoch", "timestamp"]], on=["trial_id", "epoch", "timestamp"])
    assert len(kept) == len(before)
    assert set(trials["status"]) == {"COMPLETED"}
    assert 2 <= trials["attempts"].max() <= 3


@pytest.mark.slow
def test_rays_own_files_may_be_damaged(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(STUDY)
    process = sweep.start()
    sweep.wait_for_rows(process, 8)
    sweep.kill_all()
    process.communicate()
    sweep.wait_until_gone()
    # Ray Tune's folder of this sweep: its snapshots and whatever else it keeps.
    (left,) = Path("/tmp").glob(f"gapsweep-*/{sweep.folder.name}")
    files = [path for path in left.rglob("*") if path.is_file()]
    assert files
    for number, path in enumerate(files):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 * (number % 2)])
    sweep.resume()
    check_exactly_once(*sweep.tables())
    assert len(sweep.tables()[0]) == ROWS


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_that_end_a_sweep_in_order(make_sweep: MakeSweep, number: signal.Signals) -> None:
    sweep = make_sweep(STUDY)
    process = sweep.start()
    sweep.wait_for_rows(process, 4)
    assert interrupt(sweep, process, number) == 128 + number


@pytest.mark.slow
def test_a_second_interrupt_ends_at_once_and_loses_nothing_stored(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(STUDY)
    process = sweep.start()
    sweep.wait_for_rows(process, 4)
    stored = sweep.rows()
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    sweep.wait_until_gone()
    assert sweep.rows() >= stored
    sweep.resume()
    check_exactly_once(*sweep.tables())
    assert len(sweep.tables()[0]) == ROWS


@pytest.mark.slow
def test_killed_workers_are_started_again_and_their_trials_lose_no_epoch(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(STUDY)
    process = sweep.start()
    sweep.wait_for_rows(process, 4)
    pids = sweep.workers()
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=180) == 0
    epochs, trials = sweep.tables()
    assert len(epochs) == ROWS
    check_exactly_once(epochs, trials)
    assert set(trials["status"]) == {"COMPLETED"}
    assert trials["attempts"].max() == 2
    assert epochs["attempt"].max() == 2


@pytest.mark.slow
def test_under_nohup_the_end_of_the_terminal_ends_nothing(make_sweep: MakeSweep) -> None:
    sweep = make_sweep({**STUDY, "epochs": 3})
    sweep.within = ["nohup"]
    process = sweep.start()
    sweep.wait_for_rows(process, 1)
    process.send_signal(signal.SIGHUP)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    assert sweep.rows() == 12

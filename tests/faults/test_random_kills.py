"""kill -9 at random moments, again and again: every epoch once, bitwise the numbers of a sweep left alone, and early
stopping that decides on what was known."""

import contextlib
import os
import random
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
from sweep.stopping.asha import Asha
from sweep.stopping.verdict import GO_ON

MakeSweep = Callable[..., RealSweep]
EPOCHS, TRIALS = 9, 24
STUDY: dict[str, Any] = {
    "name": "kills",
    "model": "mlp",
    "model_args": {"hidden": [512]},
    "dataset": "digits",
    "precision": "fp32",
    "epochs": EPOCHS,
    "space": {"lr": {"loguniform": [1e-4, 1e-1]}, "drop_rate": {"uniform": [0.0, 0.6]}, "augment": "full"},
    "search": {"algorithm": "random", "trials": TRIALS, "seed": 3},
    "scheduler": {"type": "asha", "variant": "stop", "rank_by": "val_acc", "grace_period": 1, "reduction_factor": 3},
    "max_retries": 30,
}


def study(algorithm: str) -> dict[str, Any]:
    return {**STUDY, "search": {**STUDY["search"], "algorithm": algorithm}}


def kill_driver_until_done(sweep: RealSweep, kills: int, rng: random.Random) -> int:
    """Start, kill -9 after a random number of further rows, resume, and so on. Returns the kills that hit."""
    process = sweep.start()
    for done in range(kills):
        sweep_has_ended = False
        try:
            sweep.wait_for_rows(process, sweep.rows() + rng.randint(1, 4))
        except AssertionError:
            sweep_has_ended = True
        time.sleep(rng.uniform(0, 0.5))
        process.kill()
        process.communicate()
        if sweep_has_ended:
            return done
        process = sweep.start("resume", str(sweep.folder))
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return kills


def check_early_stopping(epochs: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Each cut at a rung, and justified by the rows that stood at that rung at the end or when it was made."""
    asha = Asha(epochs=EPOCHS, grace_period=1, reduction_factor=3)
    ends = trials.set_index("trial_id")
    kept_at_arrival: set[tuple[str, int]] = set()
    for row in epochs.sort_values("timestamp").itertuples():
        told = {"epoch": row.epoch, "val_acc": row.val_acc, "val_loss": row.val_loss}
        if asha.told(row.trial_id, row.trial_id, told) == GO_ON:
            kept_at_arrival.add((row.trial_id, row.epoch))
    for trial_id, trial in ends.iterrows():
        last = trial["epochs_run"]
        if trial["status"] == "STOPPED":
            assert trial["stop_reason"] == "asha"
            assert last in asha.rungs
        else:
            assert trial["status"] == "COMPLETED"
            assert last == EPOCHS
        for rung in asha.rungs:
            passed, kept = last > rung, (trial_id, rung) in kept_at_arrival
            # A driver that died between storing a row and deciding on it leaves the decision to the next one.
            assert passed == kept or last < rung or trial["attempts"] > 1, f"{trial_id} at rung {rung}"


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "tpe"])
def test_a_driver_killed_five_times(make_sweep: MakeSweep, algorithm: str) -> None:
    sweep = make_sweep(study(algorithm))
    assert kill_driver_until_done(sweep, 5, random.Random(algorithm)) == 5
    epochs, trials = sweep.tables()
    assert len(trials) == TRIALS
    assert trials["configuration"].is_unique
    check_exactly_once(epochs, trials)
    check_early_stopping(epochs, trials)
    assert check_same_numbers(epochs, reference_rows(sweep, trials)) == len(epochs)


@pytest.mark.slow
def test_workers_killed_twenty_times(make_sweep: MakeSweep) -> None:
    sweep = make_sweep({**study("random"), "epochs": 27, "scheduler": "none"})
    process = sweep.start()
    rng = random.Random(1)
    kills, rows = 0, 0
    while kills < 20:
        rows += rng.randint(1, 5)
        sweep.wait_for_rows(process, rows)
        workers = sweep.workers()
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                kills += 1
    printed, _ = process.communicate(timeout=900)
    assert process.returncode == 0, printed
    epochs, trials = sweep.tables()
    assert len(epochs) == 27 * TRIALS
    check_exactly_once(epochs, trials)
    assert set(trials["status"]) == {"COMPLETED"}
    attempts = int((trials["attempts"] - 1).sum())
    assert 10 <= attempts <= 20, "a kill may hit a worker that waits for its next trial"
    print(f"20 kills, {attempts} restarts of trials")


@pytest.mark.slow
def test_everything_killed_at_once_and_again_during_the_resume(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(study("random"))
    process = sweep.start()
    sweep.wait_for_rows(process, 6)
    sweep.kill_all()
    process.communicate()
    sweep.wait_until_gone()
    process = sweep.start("resume", str(sweep.folder))
    time.sleep(6)  # Ray is up or nearly so; the first rows of the resume may or may not be there
    sweep.kill_all()
    process.communicate()
    sweep.wait_until_gone()
    sweep.resume()
    epochs, trials = sweep.tables()
    assert len(trials) == TRIALS
    check_exactly_once(epochs, trials)
    check_early_stopping(epochs, trials)
    assert check_same_numbers(epochs, reference_rows(sweep, trials)) == len(epochs)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_thousand_trials_with_a_kill_every_ten_seconds(make_sweep: MakeSweep) -> None:
    study = {
        **STUDY,
        "model_args": {"hidden": [8]},
        "train_size": 50,
        "epochs": 1,
        "search": {"algorithm": "random", "trials": 2000},
        "scheduler": "none",
    }
    sweep = make_sweep(study)
    process = sweep.start()
    kills, peak_mib = 0, 0.0
    while process.poll() is None:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            sweep.wait_for_rows(process, sweep.rows() + 1)
            process.wait(timeout=5)  # starting takes about as long
        if process.poll() is None:
            peak_mib = max(peak_mib, peak_memory_mib(process.pid))
            process.kill()
            kills += 1
        if process.stdout is not None and not process.stdout.closed:  # the wait reads what ended before it
            process.communicate()
        if sweep.rows() == 2000 and len(load(sweep.folder).trials) == 2000 and process.returncode == 0:
            break
        process = sweep.start("resume", str(sweep.folder))
    print(f"{kills} kills, peak memory of the driver {peak_mib:.0f} MiB")
    assert kills >= 10
    epochs, trials = sweep.tables()
    assert len(trials) == len(epochs) == 2000
    check_exactly_once(epochs, trials)
    assert trials["configuration"].is_unique
    assert set(trials["status"]) == {"COMPLETED"}


def peak_memory_mib(pid: int) -> float:
    """The most that a process has had in memory so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

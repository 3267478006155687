"""Trials that hang, and sweeps in which everything fails."""

import os
import signal
from collections.abc import Callable

from real_sweeps import RealSweep, check_exactly_once
from test_killed_driver import ROWS, STUDY

MakeSweep = Callable[..., RealSweep]


def test_a_trial_that_hangs_is_restarted(make_sweep: MakeSweep) -> None:
    sweep = make_sweep({**STUDY, "trial_timeout": 20.0})
    process = sweep.start()
    sweep.wait_for_rows(process, 4)
    os.kill(sweep.workers()[0], signal.SIGSTOP)
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    assert "told no epoch for `trial_timeout`" in printed
    epochs, trials = sweep.tables()
    assert len(epochs) == ROWS
    check_exactly_once(epochs, trials)
    assert sorted(trials["attempts"].unique()) == [1, 2]


def test_a_sweep_in_which_everything_fails_stops_early_and_shows_why(make_sweep: MakeSweep) -> None:
    # Six poolings need 64 x 64 pixels; only the data say that there are 32.
    broken = {"model": "cnn", "model_args": {"channels": [4] * 6}}
    sweep = make_sweep({**STUDY, **broken, "space": {"lr": {"choice": [0.001 * k for k in range(1, 21)]}}})
    printed = sweep.run(code=1)
    assert "every trial fails with the same error" in printed
    assert "Traceback" in printed
    assert "channels: 6 blocks halve the image 6 times" in printed
    trials = sweep.tables()[1]
    assert 5 <= (trials["status"] == "FAILED").sum() < 15
    assert "FAILED" in sweep.run("retry", str(sweep.folder), "--failed", code=1)
    again = sweep.tables()[1]
    assert again["attempts"].max() == 2
    assert len(again) == len(trials)

"""A trial that hangs."""

import os
import signal
from collections.abc import Callable

import pytest
from real_sweeps import RealSweep, check_exactly_once
from test_killed_driver import ROWS, STUDY

MakeSweep = Callable[..., RealSweep]


@pytest.mark.slow
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

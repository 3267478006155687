"""`sweep stop`, from another process that shares the storage only."""

from collections.abc import Callable
from typing import Any

import pytest
from real_sweeps import RealSweep, check_exactly_once

# More than any machine trains before it hears of the wish to stop.
TRIALS, EPOCHS = 3, 2000

STUDY: dict[str, Any] = {
    "name": "stopped",
    "model": "mlp",
    "model_args": {"hidden": [32]},
    "dataset": "digits",
    "epochs": EPOCHS,
    "space": {"lr": {"loguniform": [1e-4, 1e-2]}},
    "search": {"algorithm": "random", "trials": TRIALS},
    "scheduler": "none",
}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "waiting for the running epochs of"),
        pytest.param(("--now",), "asked to stop at once: storing what is there", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_sweep_goes_on(make_sweep: Callable[..., RealSweep], options: tuple[str, ...], said: str) -> None:
    sweep = make_sweep(STUDY)
    stop = ("stop", "stopped", "--storage", str(sweep.storage), *options)
    process = sweep.start()
    sweep.wait_for_rows(process, 5)
    assert "INTERRUPTED, not running" in sweep.run(*stop)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert said in printed
    assert "go on: sweep resume" in printed
    sweep.wait_until_gone()
    before = sweep.rows()
    assert 5 <= before < TRIALS * EPOCHS
    assert "not running" in sweep.run(*stop), "a second stop has nothing to do"
    sweep.resume("--set", f"budget.max_epochs_total={before + 20}", code=4)
    epochs, trials = sweep.tables()
    check_exactly_once(epochs, trials)
    assert len(epochs) >= before + 20

"""A sweep that reaches a bound of its budget: stopped in order, exit code 4, and gone on with once it has more."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from search_spaces.errors import SpecError
from sweep.spec import SweepSpec
from sweep.stopping.budget import Budget, BudgetSettings

STUDY: dict[str, Any] = {
    "name": "budget",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 200,
    "epochs": 3,
    "space": {"lr": {"choice": [0.001, 0.01, 0.1, 0.3]}},
    "search": {"algorithm": "grid"},
    "scheduler": "none",
}


@pytest.mark.parametrize(
    ("bound", "more"),
    [
        ("max_epochs_total=5", "max_epochs_total=100"),
        ("max_trials=2", "max_trials=4"),
    ],
)
@pytest.mark.slow
def test_a_bound_ends_a_sweep_in_order_and_more_of_it_lets_it_complete(tmp_path: Path, bound: str, more: str) -> None:
    result = sweep.run(STUDY, storage=tmp_path, overrides=[f"budget.{bound}"])
    assert (result.exit_code, result.state) == (4, "INTERRUPTED")
    assert result.budget is not None
    assert result.budget.startswith(f"budget.{bound.partition('=')[0]}: ")
    epochs = pd.read_parquet(Path(result.path) / "epochs.parquet")
    # The running epochs of as many trials as run at once end, too.
    assert 5 <= len(epochs) < 12
    again = sweep.resume(result.path)
    assert again.exit_code == 4
    assert len(pd.read_parquet(Path(result.path) / "epochs.parquet")) == len(epochs)
    done = sweep.resume(result.path, overrides=[f"budget.{more}"])
    assert (done.exit_code, done.budget) == (0, None)
    rows = pd.read_parquet(Path(result.path) / "epochs.parquet")
    assert len(rows) == 12
    assert not rows.duplicated(["trial_id", "epoch"]).any()


@pytest.mark.slow
def test_a_sweep_whose_last_epoch_used_the_budget_up_is_complete_when_it_is_resumed(tmp_path: Path) -> None:
    small = {**STUDY, "epochs": 1, "space": {"lr": {"choice": [0.001, 0.01]}}}
    result = sweep.run(small, storage=tmp_path, overrides=["budget.max_epochs_total=2"])
    assert result.statuses["COMPLETED"] == 2
    done = sweep.resume(result.path)
    assert (done.exit_code, done.state) == (0, "COMPLETED")


@pytest.mark.slow
def test_out_of_trials_the_best_is_trained_to_its_end_and_the_others_wait_on(tmp_path: Path) -> None:
    promote = {**STUDY, "scheduler": {"variant": "promote", "reduction_factor": 2}}
    result = sweep.run(promote, storage=tmp_path, overrides=["budget.max_trials=2"])
    assert (result.exit_code, result.statuses) == (4, {"COMPLETED": 1, "RUNNING": 1})
    done = sweep.resume(result.path, overrides=["budget.max_trials=4"])
    assert (done.exit_code, done.state) == (0, "COMPLETED")
    assert done.statuses.keys() <= {"COMPLETED", "STOPPED"}
    assert done.statuses.total() == 4


@pytest.mark.slow
def test_what_waits_at_a_rung_falls_though_the_last_epoch_uses_a_budget_up(tmp_path: Path) -> None:
    promote = {**STUDY, "scheduler": {"variant": "promote", "reduction_factor": 2}, "resources": {"max_concurrent": 1}}
    free = sweep.run(promote, storage=tmp_path)
    assert free.statuses["STOPPED"] > 0
    needed = len(pd.read_parquet(Path(free.path) / "epochs.parquet"))
    bounded = sweep.run(promote, storage=tmp_path, overrides=[f"budget.max_epochs_total={needed}"])
    assert (bounded.exit_code, bounded.state, bounded.statuses) == (0, "COMPLETED", free.statuses)


@pytest.mark.slow
def test_a_grid_no_larger_than_max_trials_is_complete(tmp_path: Path) -> None:
    result = sweep.run(STUDY, storage=tmp_path, overrides=["budget.max_trials=4"])
    assert (result.exit_code, result.state, result.budget) == (0, "COMPLETED", None)


def test_the_epoch_that_uses_a_budget_up_is_the_last_one_to_begin(tmp_path: Path) -> None:
    result = sweep.run(STUDY, storage=tmp_path, overrides=["budget.max_epochs_total=5", "resources.max_concurrent=1"])
    assert (result.exit_code, result.budget) == (4, "budget.max_epochs_total: 5 of 5 epochs")
    assert len(pd.read_parquet(Path(result.path) / "epochs.parquet")) == 5
    assert sweep.resume(result.path).exit_code == 4
    assert len(pd.read_parquet(Path(result.path) / "epochs.parquet")) == 5


@pytest.mark.slow
def test_a_budget_that_the_last_epoch_of_all_uses_up_ends_nothing(tmp_path: Path) -> None:
    result = sweep.run(STUDY, storage=tmp_path, overrides=["budget.max_epochs_total=12", "resources.max_concurrent=1"])
    assert (result.exit_code, result.state, result.budget) == (0, "COMPLETED", None)


def test_hours_are_of_this_run_and_cost_is_of_all_training() -> None:
    budget = Budget(BudgetSettings(max_hours=2.0), cpus_per_trial=1, gpus_per_trial=0)
    assert budget.reached(7199) is None
    assert budget.reached(7200) == "budget.max_hours: 2.00 of 2 hours"
    settings = BudgetSettings(max_cost=3.0, price_per_cpu_hour=0.5, price_per_gpu_hour=2.0)
    budget = Budget(settings, cpus_per_trial=2, gpus_per_trial=0.5)  # 2 an hour
    budget.epoch_told(3600.0)
    assert budget.reached(1e9) is None
    assert budget.reached(1e9, and_epoch_s=1800.0) == "budget.max_cost: 3.00 of 3"
    budget.epoch_told(1800.0)
    assert budget.reached(0) == "budget.max_cost: 3.00 of 3"


def test_a_cost_without_a_price_is_refused() -> None:
    with pytest.raises(SpecError, match=r"budget\.max_cost: got 5 and no price"):
        SweepSpec.load({**STUDY, "budget": {"max_cost": 5.0}})

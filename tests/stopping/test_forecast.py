"""The forecast that rungs rank by: its formula, and what it is worth on recorded curves."""

from pathlib import Path

import pandas as pd
import pytest

from sweep.spec import SweepSpec
from sweep.stopping.asha import Asha
from sweep.stopping.forecast import forecast
from sweep.stopping.settings import default_grace_period

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"


def row(epoch: int, val_acc: float, gap_acc: float) -> dict[str, float]:
    return {"epoch": epoch, "val_acc": val_acc, "gap_acc": gap_acc, "val_loss": 1.0}


def test_an_open_gap_costs_less_the_later_it_is_and_nothing_at_the_end() -> None:
    assert forecast(row(1, 0.5, 0.1), 20) == pytest.approx(0.5 - 0.1)
    assert forecast(row(2, 0.5, 0.1), 20) == pytest.approx(0.5 - 0.09)
    assert forecast(row(10, 0.5, 0.1), 20) == pytest.approx(0.5 - 0.01)
    assert forecast(row(20, 0.5, 0.1), 20) == 0.5
    # A sweep that was made shorter after the epoch was told.
    assert forecast(row(30, 0.5, 0.1), 20) == 0.5


@pytest.mark.parametrize(("rank_by", "first"), [("forecast", "slow"), ("val_acc", "fast")])
def test_a_slow_starter_without_a_gap_passes_the_one_ahead_that_overfits(rank_by: str, first: str) -> None:
    asha = Asha(epochs=20, grace_period=2, reduction_factor=2, rank_by=rank_by)
    asha.told("fast", "fast", row(2, 0.40, 0.08))
    asha.told("slow", "slow", row(2, 0.36, 0.00))
    assert next(name for name, *_ in asha.standings()[0, 2]) == first


@pytest.mark.parametrize("curves", ["cifar10-mlp", "cifar10-cnn"])
@pytest.mark.parametrize("epoch", [2, 3, 4, 6, 9])
def test_on_recorded_curves_the_best_stand_higher_by_forecast_than_by_accuracy(curves: str, epoch: int) -> None:
    epochs = pd.read_parquet(CURVES / curves / "epochs.parquet")
    trials = pd.read_parquet(CURVES / curves / "trials.parquet").set_index("trial_id")
    here = epochs[epochs["epoch"] == epoch].set_index("trial_id")
    by_trial = pd.DataFrame(
        {
            "forecast": [forecast(row, int(epochs["epoch"].max())) for row in here.reset_index().to_dict("records")],
            "val_acc": here["val_acc"],
            "end": trials["best_val_acc"].loc[here.index],
        },
        index=here.index,
    )
    means = by_trial.groupby(trials["configuration_id"].loc[here.index]).mean()
    best = means["end"].rank(ascending=False) <= max(3, len(means) // 28)
    places = means[["forecast", "val_acc"]].rank(ascending=False)[best].max()
    assert places["forecast"] < places["val_acc"]


FIRST = {"lr": 0.01, "drop_rate": 0.4, "augment": "full", "flip_prob": 0.5, "layer_order": "lrd"}


@pytest.mark.parametrize(
    ("epochs", "factor", "searched", "grace"),
    [
        (20, 3, ["lr", "drop_rate"], 2),
        (20, 3, ["augment"], 2),
        (20, 3, ["lr", "layer_order"], 1),
        (90, 3, ["lr", "flip_prob"], 10),
        (90, 3, ["lr"], 3),
        (5, 3, ["drop_rate"], 1),
        (20, 2, ["drop_rate"], 5),
    ],
)
def test_the_first_rung_comes_later_where_configurations_start_at_different_speeds(
    epochs: int, factor: int, searched: list[str], grace: int
) -> None:
    assert default_grace_period(epochs, factor, searched) == grace
    domains = {"lr": {"loguniform": [1e-3, 1e-1]}, "augment": {"choice": ["none", "full"]}}
    domains |= {"drop_rate": {"uniform": [0, 0.5]}, "flip_prob": {"uniform": [0, 1]}}
    domains |= {"layer_order": {"choice": ["lbrd", "lrd"]}}
    spec = {
        "name": "s",
        "model": "mlp",
        "dataset": "digits",
        "epochs": epochs,
        "space": {name: domains[name] for name in searched},
        "scheduler": {"reduction_factor": factor},
    }
    assert SweepSpec.load(spec).scheduler.grace_period == grace
    listed = {**spec, "space": {}, "configurations": [{"lr": 0.1}, {name: FIRST[name] for name in searched}]}
    assert SweepSpec.load(listed).scheduler.grace_period == grace
    assert SweepSpec.load(spec, ["scheduler.grace_period=1"]).scheduler.grace_period == 1

"""Real curves of nine drop rates: the strongest start last and end first. Early stopping is to keep them."""

from pathlib import Path

import pytest

from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.repetitions import TARGET, Repetitions, repeat
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec

CURVES = RecordedCurves.read(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-dropout")
ORDERS = 20


def searched(workers: int, **scheduler: str) -> Repetitions:
    """27 drop rates at random, in 20 orders."""
    spec = {
        "name": "slow-starters",
        "model": CURVES.spec.model,
        "dataset": "digits",  # not looked at
        "epochs": CURVES.spec.epochs,
        "space": {"lr": CURVES.spec.space["lr"], "drop_rate": {"uniform": [0.0, 0.8]}},
        "search": {"algorithm": "random", "trials": 27},
        "scheduler": scheduler,
    }
    return repeat(CURVES, SweepSpec.load(spec), VirtualCluster(workers), ORDERS)


def test_the_best_in_the_end_is_among_the_last_at_first() -> None:
    curves = {rate / 10: CURVES.curve({"drop_rate": rate / 10}, 0) for rate in range(9)}
    best = max(curves, key=lambda rate: max(row["val_acc"] for row in curves[rate]))
    assert best >= 0.6
    for epoch in (1, 2, 3):
        better = [rate for rate in curves if curves[rate][epoch - 1]["val_acc"] > curves[best][epoch - 1]["val_acc"]]
        assert len(better) >= 6


@pytest.mark.parametrize("workers", [2, 9])
def test_the_default_settings_keep_it_in_every_order(workers: int) -> None:
    found = searched(workers)
    assert found.reached == ORDERS
    assert found.epochs.median < found.full_epochs / 3


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_ranked_by_the_accuracy_so_far_it_is_lost_more_often_than_not(variant: str) -> None:
    found = searched(9, variant=variant, rank_by="val_acc")
    assert found.reached < ORDERS / 2
    assert found.best_val_acc.median < CURVES.best_val_acc - TARGET

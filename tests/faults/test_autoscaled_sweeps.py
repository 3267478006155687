"""Sweeps on a cluster without a node to train on, whose autoscaler (Ray's own) starts them when trials wait."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from real_cluster import RealCluster
from real_sweeps import RealSweep, check_exactly_once

MakeSweep = Callable[..., RealSweep]
MakeCluster = Callable[..., RealCluster]


def study(resources: dict[str, float]) -> dict[str, Any]:
    return {
        "name": "autoscaled",
        "model": "mlp",
        "model_args": {"hidden": [32]},
        "dataset": "digits",
        "epochs": 100,
        "space": {"lr": {"loguniform": [1e-4, 1e-2]}},
        "search": {"algorithm": "random", "trials": 4},
        "scheduler": "none",
        "resources": resources,
    }


def on_cluster(sweep: RealSweep, cluster: RealCluster, code: int = 0) -> str:
    spec = str(sweep.storage / "study.yaml")
    return sweep.run("run", spec, "--storage", str(sweep.storage), "--address", cluster.address, code=code)


@pytest.mark.slow
def test_nodes_come_for_trials_that_wait_and_a_trial_that_no_node_can_hold_is_refused(
    make_sweep: MakeSweep, make_cluster: MakeCluster
) -> None:
    cluster = make_cluster(autoscaled={"CPU": 1})
    said = on_cluster(make_sweep(study({"cpus_per_trial": 3}), "impossible"), cluster, code=2)
    assert "resources.cpus_per_trial: a trial asks for 3 CPUs" in said
    assert "nor may the autoscaler start a node that has it" in said

    sweep = make_sweep(study({"cpus_per_trial": 1, "max_concurrent": 2}))
    said = on_cluster(sweep, cluster)
    assert "waiting for 1 CPU on one node; free now: 0 of 0 CPU; the autoscaler is starting" in said
    epochs, trials = sweep.tables()
    check_exactly_once(epochs, trials)
    assert len(epochs) == 400
    assert most_at_once(trials) == 2, "the second node, of one CPU, has not come"


def most_at_once(trials: pd.DataFrame) -> int:
    """How many trials ran at the same time, at most."""
    steps = [(row["started"], 1) for row in trials.to_dict("records")]
    steps += [(row["ended"], -1) for row in trials.to_dict("records")]
    count = most = 0
    for _, step in sorted(steps):
        count += step
        most = max(most, count)
    return most

"""Against a real Ray: the first trials run in processes that were there, and had imported what they need, before."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray import tune

from cluster.connect import ray_session
from sweep.spec import SweepSpec
from sweep.tuning.ready_workers import modules_to_preload, trials_use_waiting_workers

MODULE = "colorsys"  # which nothing else imports


def test_trials_run_in_the_workers_that_waited_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of a user with a bucket")  # which Tune passes on

    def look_around(config: dict[str, Any], module: str = MODULE) -> None:
        del config
        tune.report({"process": os.getpid(), "imported": module in sys.modules})

    with ray_session(num_cpus=2, preload=[MODULE]):
        time.sleep(2)  # longer than Ray by itself lets a worker wait whose CPU is promised to a trial
        waiting = {process.pid for process in psutil.Process().children(recursive=True)}
        with trials_use_waiting_workers():
            told = tune.run(look_around, num_samples=2, storage_path=str(tmp_path), verbose=0)
    results = [trial.last_result for trial in told.trials]
    assert {result["process"] for result in results} <= waiting
    assert all(result["imported"] for result in results)


@pytest.mark.parametrize(
    ("resources", "preloaded"),
    [
        ({}, True),
        ({"cpus_per_trial": 0.5, "max_concurrent": 8}, True),
        ({"cpus_per_trial": 2}, False),
        ({"max_concurrent": 3}, False),
        ({"gpus_per_trial": 0.5}, False),
    ],
)
def test_workers_import_early_where_trials_take_them_all(
    monkeypatch: pytest.MonkeyPatch, resources: dict[str, Any], preloaded: bool
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    spec = {"name": "early", "model": "mlp", "dataset": "digits", "mode": "study", "epochs": 1}
    spec |= {"space": {"lr": {"loguniform": [0.1, 1.0], "points": 8}}}
    assert bool(modules_to_preload(SweepSpec.load({**spec, "resources": resources}))) == preloaded
    assert not modules_to_preload(SweepSpec.load({**spec, "space": {"lr": {"choice": [0.1]}}}))

"""Two trials that do not fit into the machine's memory together: Ray kills a worker, and its trial runs alone."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest
from real_sweeps import RealSweep, check_exactly_once

WIDTH = 8_000
# A hidden layer's weights, their gradients, and Adam's two moments, 4 bytes each. A trial takes twice that.
WEIGHTS = 4 * 4 * WIDTH**2

STUDY: dict[str, Any] = {
    "name": "large",
    "model": "mlp",
    "model_args": {"hidden": [WIDTH, WIDTH]},
    "dataset": "digits",
    "train_size": 100,
    "epochs": 2,
    "space": {"lr": {"loguniform": [1e-4, 1e-3]}},
    "search": {"algorithm": "random", "trials": 2},
    "scheduler": "none",
    "resources": {"max_concurrent": 2},
}


@pytest.mark.slow
def test_a_trial_without_enough_memory_is_tried_again_alone(make_sweep: Callable[..., RealSweep]) -> None:
    memory = psutil.virtual_memory()
    if memory.available < 4 * WEIGHTS:
        pytest.skip(f"needs {4 * WEIGHTS / 2**30:.0f} GiB of free memory")
    sweep = make_sweep(STUDY)
    # Room for one trial and a half.
    limit = (memory.total - memory.available + 3 * WEIGHTS) / memory.total
    sweep.environment |= {"RAY_memory_usage_threshold": f"{limit:.4f}", "RAY_memory_monitor_refresh_ms": "100"}
    said = sweep.run("run", str(sweep.storage / "study.yaml"), "--storage", str(sweep.storage))
    assert "ran out of memory; its next attempt gets a node's" in said
    epochs, trials = sweep.tables()
    check_exactly_once(epochs, trials)
    assert list(trials["status"]) == ["COMPLETED"] * 2
    assert sorted(trials["attempts"]) == [1, 2]

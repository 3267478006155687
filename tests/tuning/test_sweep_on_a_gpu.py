"""Trials that share one GPU, through real Ray."""

from pathlib import Path

import pandas as pd
import pytest
import torch

import sweep

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine")


def test_four_trials_share_a_gpu_and_every_epoch_arrives(tmp_path: Path) -> None:
    spec = {
        "name": "shared",
        "model": "cnn",
        "model_args": {"channels": [4, 8]},
        "dataset": "digits",
        "epochs": 3,
        "mode": "study",
        "replicates": 2,
        "space": {"layer_order": {"choice": ["lbrd", "ldbr"]}, "augment": {"choice": ["none", "full"]}},
        "resources": {"gpus_per_trial": 0.25},
    }
    result = sweep.run(spec, storage=tmp_path)
    epochs, trials = (pd.read_parquet(result.path / f"{name}.parquet") for name in ("epochs", "trials"))
    assert trials["status"].tolist() == ["COMPLETED"] * 8, trials["error"].tolist()
    assert len(epochs) == 24
    assert not epochs.duplicated(["trial_id", "epoch"]).any()


def test_a_trial_too_large_for_its_share_of_the_gpu_is_tried_again_with_all_of_it(tmp_path: Path) -> None:
    spec = {
        "name": "tight",
        "model": "mlp",
        "model_args": {"hidden": [8192, 8192, 8192]},
        "dataset": "digits",
        "epochs": 1,
        # Some hundred MiB, where the weights and Adam's moments take 3 GB.
        "resources": {"gpus_per_trial": 0.005},
        "search": {"algorithm": "random", "trials": 1},
        "space": {"lr": {"loguniform": [1e-4, 1e-3]}},
    }
    result = sweep.run(spec, storage=tmp_path)
    (trial,) = pd.read_parquet(result.path / "trials.parquet").to_dict("records")
    assert (trial["status"], trial["attempts"]) == ("COMPLETED", 2), trial["error"]

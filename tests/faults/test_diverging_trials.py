"""Losses that leave the numbers after some epochs: real ones, of linear networks with a learning rate too high."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from optuna.trial import TrialState

import sweep
from sweep.spec import SweepSpec
from sweep.store import read_sweep
from sweep.tuning.assignments import build_proposer
from sweep.tuning.ledger import records_from
from sweep.tuning.optuna_proposer import OptunaProposer
from sweep.tuning.proposer import outcome_of

# On digits: with lr 0.1 a loss is infinite from epoch 4 on, with the others it is not a number from 3, 2 and 1 on.
DIVERGES_AT = {0.1: 4, 0.2: 3, 0.3: 2, 100.0: 1}
EPOCHS = 6


def run(storage: Path, **keys: Any) -> tuple[pd.DataFrame, pd.DataFrame, Path]:
    space = {"lr": {"choice": [0.01, *DIVERGES_AT]}, "layer_order": "l"}
    study = {"name": "small", "model": "mlp", "model_args": {"hidden": [32]}, "dataset": "digits", "epochs": EPOCHS}
    result = sweep.run({**study, "precision": "fp32", "optimizer": "sgd", "space": space, **keys}, storage=storage)
    assert result.exit_code == 0
    epochs = pd.read_parquet(result.path / "epochs.parquet")
    return epochs, pd.read_parquet(result.path / "trials.parquet").set_index("lr"), result.path


def test_the_row_is_stored_and_never_the_best(tmp_path: Path) -> None:
    epochs, trials, path = run(tmp_path, mode="study")
    assert trials.loc[0.01, "status"] == "COMPLETED"
    for lr, epoch in DIVERGES_AT.items():
        trial = trials.loc[lr]
        rows = epochs[epochs["trial_id"] == trial["trial_id"]].set_index("epoch")
        assert (trial["status"], trial["stop_reason"], trial["epochs_run"]) == ("STOPPED", "diverged", epoch)
        losses = rows[["train_loss", "train_eval_loss", "val_loss"]]
        assert np.isfinite(losses.loc[: epoch - 1]).all(axis=None)
        assert not np.isfinite(losses.loc[epoch]).all()
        if epoch == 1:
            assert pd.isna(trial["best_epoch"])
            continue
        assert trial["best_epoch"] < epoch
        assert np.isfinite(trial["best_val_loss"])
    assert trials["best_val_acc"].idxmax() == 0.01
    assert sweep.resume(path).statuses == {"COMPLETED": 1, "STOPPED": len(DIVERGES_AT)}
    assert len(pd.read_parquet(path / "epochs.parquet")) == len(epochs)


def test_search_and_early_stopping_are_told_the_truth(tmp_path: Path) -> None:
    search = {"algorithm": "tpe", "trials": 1 + len(DIVERGES_AT), "seed": 0}
    epochs, trials, path = run(tmp_path, search=search, scheduler={"type": "asha", "grace_period": 2})
    # Whatever the order in which they came to the rung at epoch 2: a loss that is no number keeps nobody from staying.
    assert trials.loc[0.01, "status"] == "COMPLETED"
    assert tuple(trials.loc[0.3, ["stop_reason", "epochs_run"]]) == ("diverged", 2)

    tables = read_sweep(path)
    proposer = build_proposer(SweepSpec.load(tables.manifest["spec"]))
    assert isinstance(proposer, OptunaProposer)
    for record in records_from(tables):
        proposer.adopt(record.configuration)
        proposer.tell(outcome_of([record]))
    told = {trial.params["lr"]: trial for trial in proposer.study.trials}
    assert {lr: trial.state for lr, trial in told.items()} == {
        **dict.fromkeys(DIVERGES_AT, TrialState.PRUNED),
        0.01: TrialState.COMPLETE,
        100.0: TrialState.FAIL,  # without an epoch that could be told
    }
    assert list(told[0.3].intermediate_values) == [1]
    assert told[0.01].value == epochs[epochs["trial_id"] == trials.loc[0.01, "trial_id"]]["val_acc"].max()

"""A real sweep whose trials wait at rungs, interrupted in the middle, and the Optuna study of it."""

import json
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import sweep

EPOCHS = 6
STUDY: dict[str, Any] = {
    "name": "promotion",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 300,
    "epochs": EPOCHS,
    "replicates": 2,
    "space": {"lr": {"loguniform": [1e-4, 1e-1]}, "drop_rate": {"uniform": [0.0, 0.6]}},
    "search": {"algorithm": "tpe", "trials": 8, "seed": 2},
    "scheduler": {"variant": "promote", "reduction_factor": 2},
}
RUNGS = [1, 2, 4]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped after some epochs, and gone on with."""
    storage = tmp_path_factory.mktemp("promotion")
    result = sweep.run(STUDY, storage=storage, overrides=["budget.max_epochs_total=12"])
    assert result.exit_code == 4
    assert list((Path(result.path) / "checkpoints").glob("*.pt"))
    done = sweep.resume(result.path, overrides=["budget.max_epochs_total=1000"])
    assert (done.exit_code, done.state) == (0, "COMPLETED")
    return Path(result.path)


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(folder / "epochs.parquet"), pd.read_parquet(folder / "trials.parquet")


def test_no_epoch_is_missing_or_told_twice(interrupted: Path) -> None:
    epochs, trials = tables(interrupted)
    assert len(trials) == 16
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert epochs.groupby("trial_id")["epoch"].max().to_dict() == trials.set_index("trial_id")["epochs_run"].to_dict()
    assert not list((interrupted / "checkpoints").glob("*.pt"))


def test_replicates_end_together_at_a_rung_or_at_the_end(interrupted: Path) -> None:
    _, trials = tables(interrupted)
    for _, replicates in trials.groupby("configuration_id"):
        assert len(replicates) == 2
        assert replicates["epochs_run"].nunique() == replicates["status"].nunique() == 1
    stopped = trials[trials["status"] == "STOPPED"]
    assert set(stopped["stop_reason"]) == {"asha"}
    assert set(stopped["epochs_run"]) <= set(RUNGS)
    assert stopped["stop_value"].between(0, 1).all()
    assert set(trials.loc[trials["status"] == "COMPLETED", "epochs_run"]) == {EPOCHS}


@pytest.mark.slow
def test_more_places_than_trials(tmp_path: Path) -> None:
    """The second place asks for a trial while the only one has yet to come to its first rung."""
    result = sweep.run({**STUDY, "replicates": 1, "search": {"trials": 1}}, storage=tmp_path)
    assert (result.exit_code, result.state) == (0, "COMPLETED")


@pytest.mark.slow
def test_what_goes_on_does_so_from_its_checkpoint(tmp_path: Path) -> None:
    """Seen by a checkpoint that was tampered with: trained from the start, the second epoch would be as usual."""
    spec = {**STUDY, "replicates": 1, "search": {"trials": 1}, "epochs": 2}
    usual, _ = tables(Path(sweep.run(spec, storage=tmp_path / "usual").path))
    result = sweep.run(spec, storage=tmp_path / "tampered", overrides=["budget.max_epochs_total=1"])
    (checkpoint,) = (Path(result.path) / "checkpoints").glob("*.pt")
    state = torch.load(checkpoint, weights_only=True)
    for name, value in state["model"].items():
        if name.startswith("head."):
            value.zero_()
    torch.save(state, checkpoint)
    done = sweep.resume(result.path, overrides=["budget.max_epochs_total=2"])
    epochs, _ = tables(Path(done.path))
    assert epochs["epoch"].tolist() == usual["epoch"].tolist() == [1, 2]
    assert epochs["val_loss"].iloc[0] == usual["val_loss"].iloc[0]
    assert epochs["val_loss"].iloc[1] != usual["val_loss"].iloc[1]


def test_waiting_is_no_attempt(interrupted: Path) -> None:
    _, trials = tables(interrupted)
    assert trials["promoted_at"].notna().any()
    # The interruption costs those that ran a second one.
    assert trials["attempts"].max() <= 2
    assert (trials["attempts"] == 1).any()


def test_the_study_holds_each_configuration_with_the_epoch_at_which_it_was_cut(interrupted: Path) -> None:
    epochs, trials = tables(interrupted)
    means = (
        epochs.merge(trials[["trial_id", "configuration_id"]]).groupby(["configuration_id", "epoch"])["val_acc"].mean()
    )
    storage = JournalStorage(JournalFileBackend(str(interrupted / "optuna.journal")))
    study = optuna.load_study(study_name=interrupted.name, storage=storage)
    by_lr = {trial.params["lr"]: trial for trial in study.trials}
    assert len(study.trials) == len(by_lr) == 8
    for configuration, replicates in trials.groupby("configuration_id"):
        trial = by_lr[json.loads(replicates["configuration"].iloc[0])["lr"]]
        if replicates["status"].iloc[0] == "COMPLETED":
            assert trial.state.name == "COMPLETE"
            assert trial.value == pytest.approx(means[configuration].max())
        else:
            assert trial.state.name == "PRUNED"
            assert trial.intermediate_values == pytest.approx(means[configuration].to_dict())

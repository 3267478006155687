"""Whole sweeps through real Ray, on digits."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from cluster.errors import PreflightError
from sweep.spec import SweepSpec
from sweep.stopping.asha import rung_epochs
from sweep.tuning.watch import Watch

TIMES = ["sweep_id", "epoch_s", "images_per_s", "timestamp", "node"]


def small(**keys: Any) -> dict[str, Any]:
    return {"name": "small", "model": "mlp", "model_args": {"hidden": [32]}, "dataset": "digits", "epochs": 3, **keys}


def tables(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a user opens: pandas alone, no code of ours."""
    return pd.read_parquet(path / "epochs.parquet"), pd.read_parquet(path / "trials.parquet")


def check_rows(epochs: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Each reported epoch once, from 1 to epochs_run, and a trials row that agrees with them."""
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert trials["trial_id"].is_unique
    for trial in trials.to_dict("records"):
        rows = epochs[epochs["trial_id"] == trial["trial_id"]]
        assert rows["epoch"].tolist() == list(range(1, trial["epochs_run"] + 1))
        best = rows.loc[rows["val_acc"].idxmax()]
        assert (trial["best_epoch"], trial["best_val_acc"], trial["gap_at_best"]) == (
            best["epoch"],
            best["val_acc"],
            best["gap_loss"],
        )
        assert trial["last_val_loss"] == rows["val_loss"].iloc[-1]


def test_the_same_study_twice_gives_identical_epochs_but_for_times(tmp_path: Path) -> None:
    spec = small(
        mode="study",
        replicates=2,
        space={"layer_order": {"choice": ["lbrd", "lrd"]}, "augment": {"choice": ["none", "full"]}},
    )
    runs = [sweep.run(spec, storage=tmp_path) for _ in range(2)]
    assert [run.state for run in runs] == ["COMPLETED", "COMPLETED"]
    assert runs[0].path != runs[1].path
    first, second = (
        tables(run.path)[0].drop(columns=TIMES).sort_values(["trial_id", "epoch"], ignore_index=True) for run in runs
    )
    assert len(first) == 2 * 4 * 3
    pd.testing.assert_frame_equal(first, second, check_exact=True)

    epochs, trials = tables(runs[0].path)
    check_rows(epochs, trials)
    assert set(trials["status"]) == {"COMPLETED"}
    assert trials.groupby("configuration_id")["replicate"].apply(sorted).tolist() == [[0, 1]] * 4
    manifest = json.loads((runs[0].path / "sweep.json").read_text())
    assert manifest["state"] == "COMPLETED"
    assert SweepSpec.load(manifest["spec"]) == SweepSpec.load(spec)
    assert manifest["versions"]["torch"]
    assert manifest["dataset"]["fingerprint"]


def test_a_search_with_tpe_and_asha_cuts_at_rungs_and_repeats_itself(tmp_path: Path) -> None:
    spec = small(
        epochs=10,
        space={"lr": {"loguniform": [1e-5, 1.0]}, "drop_rate": {"uniform": [0, 0.6]}},
        search={"algorithm": "tpe", "trials": 14, "seed": 1},
        # One at a time, so that the order in which trials reach a rung is the same in both runs.
        resources={"max_concurrent": 1},
    )
    runs = [sweep.run(spec, storage=tmp_path) for _ in range(2)]
    first, second = (tables(run.path)[0].drop(columns=TIMES) for run in runs)
    pd.testing.assert_frame_equal(first, second, check_exact=True)

    epochs, trials = tables(runs[0].path)
    check_rows(epochs, trials)
    assert len(trials) == 14
    assert set(trials["status"]) == {"COMPLETED", "STOPPED"}
    cut = trials[trials["status"] == "STOPPED"]
    assert set(cut["stop_reason"]) == {"asha"}
    assert set(cut["epochs_run"]) <= set(rung_epochs(10, 1, 3))
    assert (trials.loc[trials["status"] == "COMPLETED", "epochs_run"] == 10).all()
    assert trials.loc[trials["status"] == "COMPLETED", "stop_reason"].isna().all()


@pytest.mark.slow
def test_two_objectives_run_without_early_stopping(tmp_path: Path) -> None:
    spec = small(
        epochs=2,
        space={"drop_rate": {"uniform": [0, 0.6]}},
        search={"algorithm": "multi-objective", "trials": 4},
    )
    result = sweep.run(spec, storage=tmp_path)
    assert dict(result.statuses) == {"COMPLETED": 4}
    check_rows(*tables(result.path))


def test_a_diverged_trial_keeps_its_row_and_names_its_reason(tmp_path: Path) -> None:
    spec = small(
        optimizer="sgd",
        mode="study",
        space={"lr": {"choice": [0.01, 100.0]}, "layer_order": "l"},  # a linear network cannot die, only explode
    )
    result = sweep.run(spec, storage=tmp_path)
    epochs, trials = tables(result.path)
    trials = trials.set_index("lr")
    assert result.exit_code == 0
    assert trials.loc[0.01, "status"] == "COMPLETED"
    assert (trials.loc[100.0, "status"], trials.loc[100.0, "stop_reason"]) == ("STOPPED", "diverged")
    rows = epochs[epochs["trial_id"] == trials.loc[100.0, "trial_id"]]
    assert len(rows) == trials.loc[100.0, "epochs_run"] >= 1
    assert not math.isfinite(rows["train_loss"].iloc[-1] + rows["val_loss"].iloc[-1])


def test_an_error_in_a_trial_is_recorded_with_its_traceback_and_not_retried(tmp_path: Path) -> None:
    # The spec's own check would refuse a layer of no units; model_copy does not check.
    spec = SweepSpec.load(small(space={"lr": {"choice": [0.1, 0.01]}}, search={"algorithm": "grid"}))
    result = sweep.run(spec.model_copy(update={"model_args": {"hidden": [0]}}), storage=tmp_path)
    assert (result.state, dict(result.statuses), result.exit_code) == ("COMPLETED", {"FAILED": 2}, 1)
    epochs, trials = tables(result.path)
    assert len(epochs) == 0
    assert set(trials["attempts"]) == {1}
    assert set(trials["stop_reason"]) == {"error"}
    assert trials["error"].str.contains("Traceback").all()
    assert trials["error"].str.contains("hidden").all()


def test_a_sweep_in_which_everything_fails_stops_early_and_says_why(tmp_path: Path) -> None:
    space = {"lr": {"choice": [0.001 * k for k in range(1, 21)]}}
    spec = SweepSpec.load(small(space=space, search={"algorithm": "grid"}))
    told: list[str] = []
    result = sweep.run(
        spec.model_copy(update={"model_args": {"hidden": [0]}}), storage=tmp_path, watch=Watch(announce=told.append)
    )
    assert (result.state, result.exit_code) == ("INTERRUPTED", 1)
    assert any("every trial fails with the same error" in sentence for sentence in told)
    assert result.first_error is not None
    assert "Traceback" in result.first_error
    assert 5 <= result.statuses["FAILED"] < 15
    trials = tables(Path(result.path))[1]
    assert set(trials["attempts"]) == {1}


def test_what_cannot_run_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"gpus_per_trial: 64 asked"):
        sweep.run(small(resources={"gpus_per_trial": 64}), storage=tmp_path)
    with pytest.raises(PreflightError, match=r"cpus_per_trial: 1000 asked"):
        sweep.run(small(resources={"cpus_per_trial": 1000}), storage=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PreflightError, match="cannot be written"):
        sweep.run(small(), storage=tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_more_training_images_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sweep.SpecError, match="train_size"):
        sweep.run(small(train_size=5000), storage=tmp_path)
    assert list(tmp_path.iterdir()) == []

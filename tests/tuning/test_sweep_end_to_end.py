"""Whole sweeps through real Ray, on digits."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from cluster.errors import PreflightError
from cluster.preflight import has_gpu
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


def test_a_study_trains_every_configuration_on_every_seed(tmp_path: Path) -> None:
    spec = small(
        mode="study",
        replicates=2,
        space={"layer_order": {"choice": ["lbrd", "lrd"]}, "augment": {"choice": ["none", "full"]}},
    )
    result = sweep.run(spec, storage=tmp_path)
    assert result.state == "COMPLETED"
    epochs, trials = tables(result.path)
    check_rows(epochs, trials)
    assert len(epochs) == 2 * 4 * 3
    assert set(trials["status"]) == {"COMPLETED"}
    assert trials.groupby("configuration_id")["replicate"].apply(sorted).tolist() == [[0, 1]] * 4
    manifest = json.loads((result.path / "sweep.json").read_text())
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


def test_a_sweep_in_which_everything_fails_stops_early_and_says_why(tmp_path: Path) -> None:
    space = {"lr": {"choice": [0.001 * k for k in range(1, 21)]}}
    spec = SweepSpec.load(small(space=space, search={"algorithm": "grid"}, precision="fp32"))
    told: list[str] = []
    result = sweep.run(
        spec.model_copy(update={"model_args": {"hidden": [0]}}), storage=tmp_path, watch=Watch(announce=told.append)
    )
    assert (result.state, result.exit_code) == ("INTERRUPTED", 1)
    assert any("all fail with the same error" in sentence for sentence in told)
    assert result.first_error is not None
    assert "Traceback" in result.first_error
    assert 5 <= result.statuses["FAILED"] < 15
    epochs, trials = tables(Path(result.path))
    assert len(epochs) == 0
    assert set(trials["attempts"]) == {1}
    # The sweep ends as soon as enough have failed; a trial that has only just started is left for a resume.
    assert set(trials["status"]) <= {"FAILED", "RUNNING"}
    failed = trials[trials["status"] == "FAILED"]
    assert set(failed["stop_reason"]) == {"error"}
    assert failed["error"].str.contains("Traceback").all()
    assert failed["error"].str.contains("hidden").all()


def test_what_cannot_run_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    if not has_gpu():
        with pytest.raises(PreflightError, match=r"gpus_per_trial: 1 asked"):
            sweep.run(small(resources={"gpus_per_trial": 1}), storage=tmp_path)
    with pytest.raises(PreflightError, match=r"cpus_per_trial: 1000 asked"):
        sweep.run(small(resources={"cpus_per_trial": 1000}), storage=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PreflightError, match="cannot be written"):
        sweep.run(small(), storage=tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

"""A final choice: halving over fresh seeds, the last ones on the test images, and going on after an interruption."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import analysis
import sweep
from search_spaces.errors import SpecError
from sweep.cli.app import app
from sweep.store.errors import StoreError
from sweep.store.folder import LocalFolder
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.reader import read_sweep
from sweep.store.writer import StoreWriter
from sweep.tuning import finalize
from sweep.tuning.finalize import Round, rounds
from sweep.tuning.result import SweepResult

SEARCH: dict[str, Any] = {
    "name": "search",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 200,
    "epochs": 3,
    "batch_size": 50,
    "space": {"lr": {"choice": [1e-5, 0.003, 0.03, 0.1]}},
    "search": {"algorithm": "grid"},
    "stop_rules": {"divergence": {}},
    "budget": {"max_trials": 100},
}


def tables(place: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(place / "trials.parquet"), pd.read_parquet(place / "epochs.parquet")


def test_each_round_has_a_third_of_the_configurations_on_more_seeds() -> None:
    assert rounds(9, 3, 5) == [Round(9, 2), Round(3, 5)]
    assert rounds(27, 1, 18) == [Round(27, 2), Round(9, 2), Round(3, 6), Round(1, 18)]
    assert rounds(4, 3, 1) == [Round(4, 1), Round(3, 1)]
    assert rounds(3, 3, 5) == [Round(3, 5)]


def test_the_best_compete_on_fresh_seeds_and_only_the_last_meet_the_test_images(tmp_path: Path) -> None:
    found = sweep.run(SEARCH, storage=tmp_path, sweep_id="a")
    result = sweep.finalize(found.path, top=1, replicates=2)
    assert (result.state, result.exit_code) == ("COMPLETED", 0)
    assert {place.name for place in tmp_path.iterdir()} == {"search-a", "search-round1-a", "search-final-a"}

    searched, _ = tables(tmp_path / "search-a")
    round1, round1_epochs = tables(tmp_path / "search-round1-a")
    final, final_epochs = tables(tmp_path / "search-final-a")
    best = searched.sort_values("best_val_acc", ascending=False)["configuration_id"]
    assert set(round1["configuration_id"]) == set(best[:3])
    assert final["configuration_id"].unique().tolist() == [
        round1.groupby("configuration_id")["best_val_acc"].mean().idxmax()
    ]
    assert (len(round1), len(final)) == (6, 2)
    # The search's spec but for the choice: nothing is cut, the batch size is as it was.
    assert (round1["status"].unique().tolist(), round1["batch_size"].unique().tolist()) == (["COMPLETED"], [50])
    # Fresh seeds each time: the same configuration never gives the same numbers twice.
    losses = pd.concat([round1_epochs, final_epochs])["val_loss"]
    assert losses.is_unique
    assert not set(losses) & set(tables(tmp_path / "search-a")[1]["val_loss"])

    assert searched["test_acc"].isna().all()
    assert round1["test_acc"].isna().all()
    assert final["test_acc"].between(0, 1).all()
    at_best = final.merge(final_epochs, left_on=["trial_id", "best_epoch"], right_on=["trial_id", "epoch"])
    assert at_best["test_acc_x"].tolist() == at_best["test_acc_y"].tolist()
    assert analysis.final_scores(analysis.load(result.path))["n"].tolist() == [2]

    # Measured in the last round alone, with the search's number format.
    assert round1_epochs["train_mode_loss"].isna().all()
    assert final_epochs["train_mode_loss"].notna().all()
    manifests = [
        read_manifest(LocalFolder(tmp_path / name)) for name in ("search-a", "search-round1-a", "search-final-a")
    ]
    assert len({manifest["precision"] for manifest in manifests}) == 1

    # Again, and after an interruption of the final sweep (its driver died before it could publish): the same rows.
    manifest = read_manifest(LocalFolder(tmp_path / "search-final-a"))
    write_manifest(LocalFolder(tmp_path / "search-final-a"), {**manifest, "state": "RUNNING"})
    sweep.finalize(found.path, top=1, replicates=2)
    pd.testing.assert_frame_equal(tables(tmp_path / "search-final-a")[1], final_epochs)

    done = CliRunner().invoke(app, ["finalize", str(found.path), "--top", "1", "--replicates", "2", "--json"])
    assert done.exit_code == 0, done.output
    assert [each["n"] for each in json.loads(done.stdout)["finalists"]] == [2]

    with pytest.raises(SpecError, match=r"search-final-a: begun by .* after a look at the test images"):
        sweep.finalize(found.path, top=1, replicates=3)
    for part in ("search-round1-a", "search-final-a"):
        with pytest.raises(SpecError, match="is part of the final choice of search-a"):
            sweep.finalize(tmp_path / part)
    with pytest.raises(SpecError, match=r"--extend epochs=9: .* looked at the test images"):
        sweep.resume(result.path, extend=["epochs=9"])
    with pytest.raises(SpecError, match="--top: got 5; allowed: 1 to 4"):
        sweep.finalize(found.path, top=5)
    with pytest.raises(SpecError, match="--candidates: got 2; allowed: 3"):
        sweep.finalize(found.path, top=3, candidates=2)


@pytest.mark.slow
def test_a_budget_that_is_given_bounds_each_round_and_that_of_the_search_does_not(tmp_path: Path) -> None:
    found = sweep.run({**SEARCH, "budget": {"max_trials": 4}}, storage=tmp_path, sweep_id="a")
    result = sweep.finalize(found.path, top=2, replicates=2, overrides=["budget.max_epochs_total=2"])
    assert (result.exit_code, Path(result.path).name) == (4, "search-round1-a")
    assert read_manifest(LocalFolder(tmp_path / "search-round1-a"))["spec"]["budget"]["max_trials"] is None


def test_a_signal_at_the_end_of_a_round_ends_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep.run({**SEARCH, "epochs": 1}, storage=tmp_path, sweep_id="a")
    begun: list[str] = []

    def through(spec: sweep.SweepSpec, *_: Any, **__: Any) -> SweepResult:
        begun.append(spec.name)
        return replace(found, interrupted_by=signal.SIGTERM)

    monkeypatch.setattr(finalize, "start_or_go_on", through)
    result = sweep.finalize(found.path, top=1, replicates=2)
    assert (begun, result.state, result.exit_code) == (["search-round1"], "INTERRUPTED", 143)


@pytest.mark.slow
def test_an_unfinished_sweep_and_other_images_are_refused(tmp_path: Path) -> None:
    found = sweep.run({**SEARCH, "epochs": 1}, storage=tmp_path, sweep_id="a", overrides=["budget.max_trials=3"])
    assert found.exit_code == 4
    with pytest.raises(SpecError, match="has work left"):
        sweep.finalize(found.path)
    folder = LocalFolder(tmp_path / "search-a")
    manifest = read_manifest(folder)
    write_manifest(folder, {**manifest, "dataset": {**manifest["dataset"], "fingerprint": "of other images"}})
    with pytest.raises(StoreError, match="of fingerprint of other images"):
        sweep.finalize(found.path, top=1, unfinished=True)
    assert not (tmp_path / "search-round1-a" / "sweep.json").exists()


@pytest.mark.slow
def test_a_failed_training_ends_the_choice_until_it_is_tried_again(tmp_path: Path) -> None:
    found = sweep.run({**SEARCH, "epochs": 1}, storage=tmp_path, sweep_id="a")
    # A round that had a failure: as it stands in the store when one of its trials raised.
    sweep.finalize(found.path, top=1, replicates=2)
    final, round1 = (tmp_path / f"search-{kind}-a" for kind in ("final", "round1"))
    shutil.rmtree(final)
    writer = StoreWriter(LocalFolder(round1))
    try:
        failed = read_sweep(round1).trials.to_pylist()[0]
        writer.put_trial({**failed, "status": "FAILED", "error": "RuntimeError: planted"})
        writer.compact()
    finally:
        writer.close()
    result = sweep.finalize(found.path, top=1, replicates=2)
    assert (Path(result.path).name, result.exit_code) == ("search-round1-a", 3)
    assert not final.exists()
    sweep.resume(result.path, retry_failed=True)
    assert sweep.finalize(found.path, top=1, replicates=2).path == final

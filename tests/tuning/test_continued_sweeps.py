"""Sweeps that go on with more than they began with, and what may not change."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweep
from search_spaces.errors import SpecError
from sweep.store import read_sweep
from sweep.store.errors import StoreError
from sweep.store.folder import LocalFolder
from sweep.store.generations import committed
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.verify import quarantine
from sweep.store.writer import StoreWriter
from sweep.tuning.continued_spec import continued_spec

STUDY: dict[str, Any] = {
    "name": "more",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 200,
    "epochs": 2,
    "space": {"lr": {"loguniform": [1e-4, 1e-1]}},
    "search": {"algorithm": "random", "trials": 3, "seed": 1},
    "scheduler": "none",
}
NUMBERS = ["trial_id", "epoch", "train_loss", "val_loss"]


def epochs(path: Path | str) -> pd.DataFrame:
    table = pd.read_parquet(Path(path) / "epochs.parquet")
    return table.sort_values(["trial_id", "epoch"], ignore_index=True)


def test_more_trials_and_more_epochs_give_what_a_larger_sweep_gives(tmp_path: Path) -> None:
    small = sweep.run(STUDY, storage=tmp_path / "small")
    before = epochs(small.path)
    assert sweep.resume(small.path).exit_code == 0  # nothing to do
    with pytest.raises(SpecError, match=r"gpus_per_trial: got 0\.5 for a sweep that has begun on CPUs; allowed: 0"):
        sweep.resume(small.path, extend=["trials=5"], overrides=["resources.gpus_per_trial=0.5"])
    larger = sweep.resume(small.path, extend=["trials=5", "epochs=4"], overrides=["resources.max_concurrent=1"])
    assert dict(larger.statuses) == {"COMPLETED": 5}
    whole = sweep.run({**STUDY, "epochs": 4, "search": {**STUDY["search"], "trials": 5}}, storage=tmp_path / "whole")
    after = epochs(small.path)
    pd.testing.assert_frame_equal(after[NUMBERS], epochs(whole.path)[NUMBERS], check_exact=True)
    # What was there stays as it was, times included.
    kept = after.merge(before[["trial_id", "epoch", "timestamp"]], on=["trial_id", "epoch", "timestamp"])
    assert len(kept) == len(before) == 6


@pytest.mark.slow
def test_on_other_images_it_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = LocalFolder(Path(shutil.copytree(Path(__file__).parents[1] / "assets/older/interrupted", tmp_path / "a")))
    manifest = read_manifest(folder)
    write_manifest(folder, {**manifest, "dataset": {**manifest["dataset"], "fingerprint": "of other images"}})
    before = read_sweep(folder)
    with pytest.raises(StoreError, match=r"of fingerprint of other images, .* restore the data"):
        sweep.resume(folder.root)
    assert read_sweep(folder).epochs == before.epochs


def test_a_run_with_an_id_starts_a_sweep_or_goes_on_with_it(tmp_path: Path) -> None:
    first = sweep.run(STUDY, storage=tmp_path, sweep_id="nightly")
    assert Path(first.path).name == "more-nightly"
    before = epochs(first.path)
    again = sweep.run({**STUDY, "max_retries": 5}, storage=tmp_path, sweep_id="nightly")
    assert again.path == first.path
    pd.testing.assert_frame_equal(epochs(first.path), before)
    with pytest.raises(SpecError, match=r"epochs: got 9, and the sweep .*more-nightly has 2; .*another --id"):
        sweep.run({**STUDY, "epochs": 9}, storage=tmp_path, sweep_id="nightly")
    with pytest.raises(SpecError, match=r"--id: got '\.\./x'; allowed"):
        sweep.run(STUDY, storage=tmp_path, sweep_id="../x")


@pytest.mark.parametrize(
    ("extend", "overrides", "message"),
    [
        (["trials=3"], [], "an integer above 3"),
        (["trials=x"], [], "an integer above 3"),
        (["replicates=2"], [], "trials=N or epochs=N"),
        ([], ["space.lr=0.1"], r"space\.lr: .*--warm-start"),
        ([], ["epochs=3"], "--extend"),
        ([], ["resources.cpus_per_trial=-1"], r"resources\.cpus_per_trial"),
    ],
)
def test_what_may_not_change_is_refused(extend: list[str], overrides: list[str], message: str) -> None:
    stored = sweep.SweepSpec.load(STUDY).to_dict()
    with pytest.raises(SpecError, match=message):
        continued_spec(stored, extend, overrides)


def test_a_grid_has_no_more_trials() -> None:
    stored = sweep.SweepSpec.load(
        {**STUDY, "mode": "study", "search": {}, "space": {"lr": {"choice": [0.1, 0.2]}}}
    ).to_dict()
    with pytest.raises(SpecError, match="no more"):
        continued_spec(stored, ["trials=9"])


@pytest.mark.slow
@pytest.mark.parametrize("table", ["epochs", "trials"])
def test_rows_lost_to_damage_are_trained_again(tmp_path: Path, table: str) -> None:
    result = sweep.run(STUDY, storage=tmp_path)
    whole = epochs(result.path)
    folder = LocalFolder(Path(result.path))
    generation = committed(folder / "log")
    assert generation is not None
    (part,) = generation.of(table)
    (folder / "log").write(part.name, b"")
    folder.remove(f"{table}.parquet")  # from which it would be put back
    (damage,) = quarantine(folder)
    assert f"{part.rows} rows of {table}" in str(damage)
    again = sweep.resume(result.path)
    assert dict(again.statuses) == {"COMPLETED": 3}
    pd.testing.assert_frame_equal(epochs(result.path)[NUMBERS], whole[NUMBERS], check_exact=True)


@pytest.mark.slow
def test_failed_trials_are_tried_again_when_asked(tmp_path: Path) -> None:
    result = sweep.run(STUDY, storage=tmp_path)
    whole = epochs(result.path)
    folder = LocalFolder(Path(result.path))
    row = read_sweep(folder).trials.to_pylist()[1]
    writer = StoreWriter(folder)
    writer.put_trial({**row, "status": "FAILED", "stop_reason": "worker", "error": "its machine went away"})
    writer.compact()
    writer.close()
    failed = sweep.resume(folder.root)
    assert (dict(failed.statuses), failed.exit_code) == ({"COMPLETED": 2, "FAILED": 1}, 3)
    assert failed.first_error == "its machine went away"
    again = sweep.resume(folder.root, retry_failed=True)
    assert (dict(again.statuses), again.first_error) == ({"COMPLETED": 3}, None)
    pd.testing.assert_frame_equal(epochs(folder.root)[NUMBERS], whole[NUMBERS], check_exact=True)


def test_a_sweep_that_an_older_version_left_unfinished_is_resumed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(Path(__file__).parents[1] / "assets/older/interrupted", tmp_path / "older"))
    before = read_sweep(folder).epochs.to_pandas()
    assert dict(sweep.resume(folder).statuses) == {"COMPLETED": 6}
    after = epochs(folder)
    assert after.groupby("trial_id")["epoch"].apply(list).tolist() == [list(range(1, 31))] * 6
    kept = after.merge(before[["trial_id", "epoch", "timestamp"]], on=["trial_id", "epoch", "timestamp"])
    assert len(kept) == len(before) == 177

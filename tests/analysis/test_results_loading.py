"""Loading and the derived columns."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis.results import Results
from sweep.store import NotASweepError
from sweep.store.folder import LocalFolder
from sweep.store.lease import Lease


def test_loading_gives_every_row_the_manifest_and_the_path(tmp_path: Path):
    folder = write_sweep(tmp_path / "a", [trial([epoch(1, 0.8, 0.5)] * 3), trial([epoch(1, 0.8, 0.5)], lr=0.1)])
    r = analysis.load(folder)
    assert (len(r.trials), len(r.epochs)) == (2, 4)
    assert r.path == folder
    assert r.manifest["spec"]["name"] == "planted"
    assert r.trials["best_epoch"].tolist() == [1, 1]
    assert str(r.trials["best_epoch"].dtype) == "Int32"


def test_two_sweeps_come_under_each_other_told_apart_by_sweep_id(tmp_path: Path):
    same = [trial([epoch(1, 0.8, 0.5)] * 2)]
    a, b = write_sweep(tmp_path / "a", same), write_sweep(tmp_path / "b", [trial([epoch(2, 0.8, 0.4)])])
    r = analysis.load([a, b])
    assert r.trials["trial_id"].nunique() == 1
    assert r.trials["sweep_id"].tolist() == ["a", "b"]
    table = analysis.gaps(r, "last").set_index("sweep_id")
    assert table["gap_loss"].to_dict() == pytest.approx({"a": 0.2, "b": 1.2})
    assert table["epoch"].to_dict() == {"a": 2, "b": 1}
    with pytest.raises(ValueError, match="hold 2 sweeps"):
        _ = r.manifest


def test_a_folder_given_twice_or_none_or_no_sweep_is_refused(tmp_path: Path):
    folder = write_sweep(tmp_path / "a", [trial([])])
    with pytest.raises(ValueError, match="given twice"):
        analysis.load([folder, folder])
    with pytest.raises(ValueError, match="empty list"):
        analysis.load([])
    with pytest.raises(NotASweepError):
        analysis.load(tmp_path)


def test_a_copy_of_a_sweep_is_refused_and_a_renamed_one_has_one_id(tmp_path: Path):
    folder = write_sweep(tmp_path / "a", [trial([epoch(1, 0.8, 0.5)] * 3)])
    shutil.copytree(folder, tmp_path / "elsewhere" / "a")
    with pytest.raises(ValueError, match="two of the folders have the sweep_id a"):
        analysis.load([folder, tmp_path / "elsewhere" / "a"])
    # As a version has left it that went on with it under the folder's new name.
    epochs = pd.read_parquet(folder / "epochs.parquet")
    epochs.loc[2, "sweep_id"] = "renamed"
    epochs.to_parquet(folder / "epochs.parquet", index=False)
    assert analysis.gaps(analysis.load(folder), "last")["epoch"].tolist() == [3]


def test_a_sweep_without_a_driver_does_not_run(tmp_path: Path):
    folder = write_sweep(tmp_path / "a", [trial([epoch(1, 0.8, 0.5)] * 3, status="RUNNING")], state="RUNNING")
    assert analysis.load(folder).manifest["state"] == "INTERRUPTED"
    lease = Lease(LocalFolder(folder))
    assert analysis.load(folder).manifest["state"] == "RUNNING"
    lease.release()


def test_an_abandoned_trial_of_which_only_epochs_are_left_is_in_no_figure(tmp_path: Path):
    folder = write_sweep(tmp_path / "a", [trial([epoch(1, 0.8, 0.5)] * 3, lr=lr) for lr in (0.1, 0.2)])
    whole = pd.read_parquet(folder / "trials.parquet")
    lost = whole["trial_id"].iloc[1]
    row = pd.DataFrame([{"sweep_id": "a", "trial_id": lost, "status": "ABANDONED"}])
    pd.concat([whole.iloc[:1], row]).to_parquet(folder / "trials.parquet", index=False)
    r = analysis.load(folder)
    assert r.trials["status"].tolist() == ["COMPLETED", "ABANDONED"]
    gaps = analysis.gaps(r, "last").dropna(subset=["gap_loss"])
    assert gaps["trial_id"].tolist() == [whole["trial_id"].iloc[0]]
    assert "ABANDONED" in analysis.report(r, tmp_path / "report.html").read_text()


def derived(tmp_path: Path, **configuration: object) -> pd.Series:
    return analysis.load(write_sweep(tmp_path / "s", [trial([], **configuration)])).trials.iloc[0]


@pytest.mark.parametrize(
    ("order", "drop", "expected"),
    [
        ("lbrd", 0.2, {"has_bn": True, "has_dropout": True, "bn_before_dropout": True, "bn_before_relu": True,
                       "relu_before_dropout": True, "linear_first": True}),
        ("drlb", 0.2, {"bn_before_dropout": False, "bn_before_relu": False, "relu_before_dropout": False,
                       "linear_first": False, "linear_before_bn": True, "linear_before_dropout": False}),
        ("lrd", 0.2, {"has_bn": False, "bn_before_dropout": None, "bn_before_relu": None, "relu_before_dropout": True}),
        ("lbrd", 0.0, {"has_dropout": False, "bn_before_dropout": None, "bn_before_relu": True}),
        (None, 0.2, {"has_bn": None, "has_dropout": None, "bn_before_relu": None, "linear_first": None}),
    ],
)  # fmt: skip
def test_precedence_is_na_where_a_layer_is_absent(tmp_path: Path, order: str, drop: float, expected: dict):
    row = derived(tmp_path, layer_order=order, drop_rate=drop)
    assert {name: None if pd.isna(row[name]) else bool(row[name]) for name in expected} == expected


@pytest.mark.parametrize(
    ("status", "reason", "censored"),
    [("COMPLETED", None, False), ("STOPPED", "asha", True), ("STOPPED", "diverged", False), ("RUNNING", None, True),
     ("FAILED", None, True), ("STOPPED", "plateau", False)],
)  # fmt: skip
def test_a_curve_that_was_cut_is_censored(tmp_path: Path, status: str, reason: str | None, censored: bool):
    assert bool(derived(tmp_path, status=status, stop_reason=reason)["censored"]) is censored


def test_derived_columns_are_nullable_booleans(tmp_path: Path):
    trials = analysis.load(write_sweep(tmp_path / "s", [trial([]), trial([], layer_order="l")])).trials
    names = ["has_bn", "has_dropout", "bn_before_dropout", "linear_first", "censored"]
    assert {str(trials[name].dtype) for name in names} == {"boolean"}


def modules_after(code: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(ran.stdout.split())


def test_importing_analysis_loads_neither_torch_nor_ray_nor_plotly_nor_scipy():
    loaded = modules_after("import analysis")
    assert "analysis" in loaded
    assert not loaded & {"torch", "ray", "plotly", "scipy"}


def test_a_whole_report_loads_neither_torch_nor_ray(tmp_path: Path):
    folder = write_sweep(tmp_path / "s", [trial([epoch(1, 0.8, 0.5)] * 2)])
    loaded = modules_after(
        f"import analysis; analysis.report(analysis.load({str(folder)!r}), {str(tmp_path / 'r.html')!r})"
    )
    assert "plotly" in loaded
    assert not loaded & {"torch", "ray"}


def test_the_exported_functions_stay_functions_after_every_module_was_imported():
    code = """
import analysis, pkgutil, importlib
for module in pkgutil.walk_packages(analysis.__path__, "analysis."): importlib.import_module(module.name)
assert all(callable(getattr(analysis, name)) for name in ("load", "gaps", "gaps_by", "report"))
assert analysis.figures.learning_curves
"""
    assert "analysis.page.document" in modules_after(code)


def test_results_are_frozen(tmp_path: Path):
    r = analysis.load(write_sweep(tmp_path / "s", [trial([])]))
    assert isinstance(r, Results)
    with pytest.raises(AttributeError):
        r.trials = r.epochs  # type: ignore[misc]

"""The parts of the usual difference, of a real sweep."""

from pathlib import Path

import numpy as np
import pandas as pd

import analysis
import sweep
from analysis.decomposition import PARTS


def test_the_parts_sum_to_the_plain_difference_in_every_row(tmp_path: Path) -> None:
    study = {
        "name": "parts",
        "model": "mlp",
        "model_args": {"hidden": [32]},
        "dataset": "digits",
        "epochs": 4,
        "mode": "study",
        "space": {"drop_rate": {"choice": [0.0, 0.5]}, "augment": {"choice": ["none", "full"]}},
    }
    results = analysis.load(sweep.run(study, storage=tmp_path).path)
    parts = analysis.decompose(results)
    assert len(parts) == 16
    epochs = results.epochs
    assert np.isfinite(parts[list(PARTS)]).all(axis=None)
    assert (parts[list(PARTS)].sum(axis=1) - (epochs["val_loss"] - epochs["train_loss"])).abs().max() < 1e-6
    assert (parts["overfitting"] - epochs["gap_loss"]).abs().max() < 1e-12

    # The table as anybody opens it, batch norm's measurements among the rest.
    plain = pd.read_parquet(Path(results.path) / "epochs.parquet")
    assert [len(shifts) for shifts in plain["variance_shift"]] == [1] * 16
    costs = analysis.batch_norm_effects(results)[["worst_shift", "shift_cost", "lag_cost"]]
    assert len(costs) == 4
    assert np.isfinite(costs).all(axis=None)

    # Dropout and augmentation regularise; without either, batch norm alone makes a small difference.
    by_trial = parts.merge(results.trials[["trial_id", "drop_rate", "augment"]], on="trial_id")
    mean = by_trial.groupby(["drop_rate", "augment"])["regularisation"].mean()
    assert mean.idxmax() == (0.0, "none")
    assert mean.idxmin() == (0.5, "full")


def test_a_search_measures_it_only_when_asked() -> None:
    base = {"name": "s", "model": "mlp", "dataset": "digits", "epochs": 2}
    load = sweep.SweepSpec.load
    assert not load(base).decompose
    assert load({**base, "decompose": True}).decompose
    assert load({**base, "mode": "study"}).decompose
    assert not load({**base, "mode": "study", "decompose": False}).decompose


def test_without_the_measurement_the_figure_says_how_to_get_it() -> None:
    results = analysis.load(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-cnn")
    parts = analysis.decompose(results)
    assert parts["overfitting"].notna().all()
    assert pd.isna(parts["regularisation"]).all()
    assert "decompose: true" in analysis.figures.gap_decomposition_sentence(results)

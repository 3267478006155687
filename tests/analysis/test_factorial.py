"""The model of all factors: against least squares, and its error rates on simulated studies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_sweep import epoch, trial, write_sweep
from scipy.stats import f as f_distribution

import analysis
from analysis.factorial import NotFactorialError
from analysis.findings import findings

ORDERS, RATES = ("lbrd", "ldbr", "lrdb"), (0.1, 0.3, 0.5)


def study(folder: Path, y: np.ndarray) -> analysis.Results:
    """y: validation losses (order, drop rate, replicate)."""
    trials = [
        trial([epoch(float(y[i, j, k]), 0.5, 0.5)], layer_order=order, drop_rate=rate, replicate=k)
        for i, order in enumerate(ORDERS)
        for j, rate in enumerate(RATES)
        for k in range(y.shape[2])
    ]
    return analysis.load(write_sweep(folder, trials))


def test_effects_intervals_and_interactions_are_those_of_least_squares(tmp_path: Path):
    rng = np.random.default_rng(0)
    y = rng.normal(1, 0.1, (3, 3, 4)) + 0.2 * np.arange(3)[:, None, None] + rng.normal(0, 1, 4)
    table = analysis.factorial_model(study(tmp_path / "s", y))
    # The same as a regression: intercept, replicates, main effects and interactions as sums to zero.
    i, j, k = (axis.ravel() for axis in np.indices(y.shape))
    sums = np.vstack([np.eye(2), -np.ones(2)])
    a, b = sums[i], sums[j]
    blocks = np.vstack([np.eye(3), -np.ones(3)])[k]
    ab = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
    x = np.column_stack([np.ones(len(i)), blocks, a, b, ab])
    beta, square, *_ = np.linalg.lstsq(x, y.ravel())
    freedom = len(x) - x.shape[1]
    contrast = np.zeros(x.shape[1])
    contrast[4:6] = sums[1] - sums[0]
    error = (square[0] / freedom * contrast @ np.linalg.inv(x.T @ x) @ contrast) ** 0.5
    row = table[(table["term"] == "layer_order") & (table["level"] == "ldbr")].iloc[0]
    assert (row["against"], row["n"], row["freedom"]) == ("lbrd", 4, freedom)
    assert row["effect"] == pytest.approx(contrast @ beta)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.0639 * error, rel=1e-4)  # t of 24 degrees of freedom
    smaller, *_ = np.linalg.lstsq(x[:, :8], y.ravel())
    f = (((y.ravel() - x[:, :8] @ smaller) ** 2).sum() - square[0]) / 4 / (square[0] / freedom)
    both = table[table["term"] == "drop_rate × layer_order"].iloc[0]
    assert both["p"] == pytest.approx(f_distribution.sf(f, 4, freedom))
    assert np.isnan(both["effect"])


def test_settings_that_train_the_same_network_are_refused(tmp_path: Path):
    """As drop rates of an order without dropout do: they would count as if each had noise of its own."""
    y = np.random.default_rng(0).normal(1, 0.1, (3, 3, 4))
    y[1, 1:] = y[1, 0]
    with pytest.raises(NotFactorialError, match=r"0\.1, ldbr and 0\.3, ldbr train the same network"):
        analysis.factorial_model(study(tmp_path / "s", y))


def test_in_400_studies_without_effects_each_test_rejects_at_its_rate(tmp_path: Path):
    rng = np.random.default_rng(1)
    results = study(tmp_path / "s", np.ones((3, 3, 3)))
    order = results.trials.merge(results.epochs, on="trial_id").sort_values(["layer_order", "drop_rate", "replicate"])
    rejected = []
    for _ in range(400):
        y = rng.normal(1, 0.05, (3, 3, 3)) + rng.normal(0, 0.2, 3)
        losses = pd.Series(y.ravel(), index=order["trial_id"])
        epochs = results.epochs.assign(val_loss=results.epochs["trial_id"].map(losses))
        simulated = analysis.Results(results.paths, results.manifests, results.trials, epochs)
        rejected.append(analysis.factorial_model(simulated)["p"].to_numpy() < 0.05)
    rates = np.mean(rejected, axis=0)
    print("\nrejected of 400 at 5 %:", rates)
    assert rates == pytest.approx(0.05, abs=0.033)  # three standard errors


def test_a_factor_that_changes_another_is_found_and_its_share_is_said(tmp_path: Path):
    y = np.random.default_rng(2).normal(1, 0.01, (3, 3, 3))
    y[1, 2] += 0.3
    table = analysis.factorial_model(study(tmp_path / "s", y)).set_index("term")
    assert table.loc["drop_rate × layer_order", "p_holm"] < 1e-6
    shares = table[~table.index.duplicated()]["share"]
    assert shares.to_dict() == pytest.approx(
        {"drop_rate": 0.25, "layer_order": 0.25, "drop_rate × layer_order": 0.5}, abs=0.03
    )


def test_what_is_no_full_factorial_is_refused_with_its_numbers(tmp_path: Path):
    whole = study(tmp_path / "s", np.random.default_rng(0).normal(1, 0.1, (3, 3, 2)))
    part = analysis.Results(whole.paths, whole.manifests, whole.trials.iloc[:-1], whole.epochs)
    with pytest.raises(ValueError, match=r"17 trials have a finite val_loss.* has 18 \(3 x 3 x 2\)"):
        analysis.factorial_model(part)
    one = study(tmp_path / "one", np.ones((3, 3, 1)))
    with pytest.raises(ValueError, match="one replicate leaves no noise"):
        analysis.factorial_model(one)


def test_the_report_says_which_factors_work_together_and_when_none_do(tmp_path: Path):
    y = np.random.default_rng(2).normal(1, 0.01, (3, 3, 3))
    told = {f.title: f.text for f in findings(study(tmp_path / "alone", y))}
    assert "no two of them change each other's effect" in told["Which settings work together."]
    y[1, 2] += 0.3
    told = {f.title: f.text for f in findings(study(tmp_path / "both", y))}
    assert "what drop_rate does to the gap depends on layer_order: 49 %" in told["Which settings work together."]
    assert "p < 0.001 after Holm, n = 3" in told["Which settings work together."]


def test_drawn_values_are_refused_before_their_product_is_listed(tmp_path: Path):
    rng = np.random.default_rng(0)
    names = ("lr", "drop_rate", "momentum", "weight_decay")
    drawn = [dict(zip(names, rng.random(4).tolist(), strict=True)) for _ in range(300)]
    trials = [trial([epoch(1.0, 0.9, 0.5)], replicate=r, **values) for values in drawn for r in range(2)]
    results = analysis.load(write_sweep(tmp_path / "s", trials, space={name: {"uniform": [0, 1]} for name in names}))
    with pytest.raises(NotFactorialError, match=r"600 trials .* has 16200000000 "):
        analysis.factorial_model(results)

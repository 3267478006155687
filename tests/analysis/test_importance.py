"""Importance of hyper-parameters, on planted sweeps and recorded curves."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis import figures

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"
SPACE = {
    "lr": {"loguniform": [1e-4, 1e-1]},
    "drop_rate": {"uniform": [0.0, 0.6]},
    "momentum": {"uniform": [0.05, 0.3]},
    "layer_order": {"choice": ["lbrd", "lrbd"]},
}


def planted(folder: Path, n: int, effect: float = 1.0) -> analysis.Results:
    """The accuracy depends on lr (variance 4 parts) and the layer order (1 part), with a little noise; the gap on the
    drop rate alone."""
    random = Random(0)
    trials = []
    for _ in range(n):
        exponent, drop_rate = random.uniform(-4, -1), random.uniform(0, 0.6)
        order = random.choice(["lbrd", "lrbd"])
        # Uniform over an interval of length 3: variance 3/4; a coin of height h: h²/4.
        acc = 0.5 + effect * 0.04 * (exponent + 2.5 + 0.75**0.5 * (order == "lbrd")) + random.gauss(0, 0.005)
        gap = 0.5 - 0.5 * drop_rate + random.gauss(0, 0.005)
        trials.append(
            trial(
                [epoch(1.0 + gap, 1.0, acc)],
                lr=10**exponent,
                drop_rate=drop_rate,
                momentum=random.uniform(0.05, 0.3),
                layer_order=order,
            )
        )
    return analysis.load(write_sweep(folder, trials, space=SPACE))


def test_the_shares_are_those_of_the_planted_variances(tmp_path: Path) -> None:
    results = planted(tmp_path / "a", 300)
    table = analysis.importance(results).set_index("hyperparameter")
    assert table["n"].eq(300).all()
    assert table["r2"].iloc[0] > 0.9
    assert table.loc["lr", "permutation"] == pytest.approx(0.8, abs=0.15)
    assert table.loc["layer_order", "permutation"] == pytest.approx(0.2, abs=0.1)
    assert table.loc[["drop_rate", "momentum"], "permutation"].abs().max() < 0.02
    assert table["ped_anova"].idxmax() == "lr"
    gap = analysis.importance(results, "gap_loss").set_index("hyperparameter")
    assert gap["permutation"].idxmax() == gap["ped_anova"].idxmax() == "drop_rate"
    said = figures.importances_sentence(results)
    assert "For the validation accuracy lr matters most: " in said
    assert "For the gap drop_rate matters most: " in said
    assert said.count("PED-ANOVA agrees") == 2


def test_where_nothing_matters_the_forest_says_so(tmp_path: Path) -> None:
    results = planted(tmp_path / "a", 100, effect=0.0)
    assert analysis.importance(results)["r2"].iloc[0] < 0.2
    assert "The validation accuracy of unseen configurations cannot be foretold" in figures.importances_sentence(
        results
    )


def test_few_configurations_are_not_weighed(tmp_path: Path) -> None:
    results = planted(tmp_path / "a", 19)
    assert analysis.importance(results).empty
    assert "Fewer than 20" in figures.importances(results).layout.meta["empty"]


def test_the_same_results_give_the_same_numbers() -> None:
    recorded = analysis.load(CURVES / "cifar10-cnn")
    first, second = (analysis.importance(recorded, "gap_loss") for _ in range(2))
    assert first.equals(second)
    assert np.isfinite(first[["permutation", "ped_anova"]]).all(axis=None)


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="'accuracy' is not a measure; choose one of gap_loss"):
        analysis.importance(analysis.load(CURVES / "cifar10-cnn"), "accuracy")

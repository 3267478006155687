"""What batch norm's statistics cost, as tables and as a figure, on planted sweeps."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis import figures
from analysis.running_statistics import roughness_by_lag

EPOCHS = 20
# Layer order: its layers' shift, what shift and lag cost (nats).
ORDERS = {"lbrd": ([1.0, 0.95], 0.0, 0.01), "ldbr": ([0.5, 0.9], 0.1, 0.02), "lrdb": ([0.3, 1.1], 0.3, 0.03)}


def planted(folder: Path, noise: float = 0.0, lag_noise: float = 0.0, replicates: int = 3) -> analysis.Results:
    """noise stays when the statistics are gathered anew; lag_noise goes."""
    random = Random(0)
    trials = []
    for order, (shift, shift_cost, lag_cost) in ORDERS.items():
        for replicate in range(replicates):
            curve = []
            for number in range(1, EPOCHS + 1):
                without_shift = 1.2 + 1 / number**2 + random.gauss(0, noise)
                without_lag = without_shift + shift_cost
                val_loss = without_lag + lag_cost + random.gauss(0, lag_noise)
                measured = {"val_loss_without_lag": without_lag, "val_loss_without_shift": without_shift}
                curve.append(epoch(val_loss, 1.0, 0.6, **measured, variance_shift=shift))
            trials.append(trial(curve, layer_order=order, replicate=replicate))
    curve = [epoch(1.3 + random.gauss(0, noise), 1.0, 0.5) for _ in range(EPOCHS)]
    trials += [trial(curve, layer_order="lrd", replicate=replicate) for replicate in range(replicates)]
    space = {"layer_order": {"choice": [*ORDERS, "lrd"]}}
    return analysis.load(write_sweep(folder, trials, space=space))


def test_shift_and_lag_cost_what_was_planted_and_nothing_without_batch_norm(tmp_path: Path) -> None:
    table = analysis.batch_norm_effects(planted(tmp_path / "a"))
    assert (table["epoch"] == EPOCHS).all()
    means = table.groupby("layer_order")[["worst_shift", "shift_cost", "lag_cost"]].mean()
    for order, (shift, shift_cost, lag_cost) in ORDERS.items():
        assert means.loc[order].tolist() == pytest.approx([min(shift), shift_cost, lag_cost], abs=1e-12)
    assert means.loc["lrd"].isna().all()
    assert table.loc[table["layer_order"] == "lrd", "shift"].isna().all()


def test_the_worst_shift_is_the_one_farthest_from_1_as_a_ratio(tmp_path: Path) -> None:
    curve = [epoch(1.0, 1.0, 0.5, variance_shift=[0.6, 2.0, 1.0])]
    results = analysis.load(write_sweep(tmp_path / "a", [trial(curve)]))
    assert analysis.batch_norm_effects(results)["worst_shift"].tolist() == [2.0]


def test_roughness_is_the_planted_noise_and_so_is_the_share_of_the_lag(tmp_path: Path) -> None:
    results = planted(tmp_path / "a", noise=0.01, lag_noise=0.02, replicates=30)
    table = analysis.batch_norm_effects(results)
    with_norm = table[table["layer_order"] != "lrd"]
    assert with_norm["roughness"].median() == pytest.approx(5**0.5 * 0.01, rel=0.1)
    assert with_norm["roughness_without_lag"].median() == pytest.approx(0.01, rel=0.1)
    assert roughness_by_lag(table) == pytest.approx(0.8, abs=0.05)
    found = analysis.compare(results, "has_bn", "roughness")
    assert (found["a"][0], found["b"][0], found["verdict"][0]) == ("no", "yes", "b higher")


def test_few_epochs_have_no_roughness_and_older_sweeps_no_costs(tmp_path: Path) -> None:
    short = analysis.load(write_sweep(tmp_path / "a", [trial([epoch(1.0, 1.0, 0.5)] * 7)]))
    assert analysis.batch_norm_effects(short)["roughness"].isna().all()
    recorded = analysis.load(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-mlp")
    table = analysis.batch_norm_effects(recorded)
    assert len(table) == len(recorded.trials)
    assert table["shift_cost"].isna().all()
    assert np.isfinite(table["roughness"]).all()


def test_the_figure_ranks_the_orders_and_names_the_largest_shift(tmp_path: Path) -> None:
    results = planted(tmp_path / "a")
    said = figures.variance_shift_sentence(results)
    assert said.startswith(
        "At epoch 20 the largest shift is that of lrdb: a batch norm meets 0.3 times the variance it normalises by. "
        "Statistics gathered without dropout would change its validation loss by −0.300 nats, without lag by "
        "−0.030 nats."
    )
    assert (
        "It is not certain that the 3 layer orders that differ rank by the distance of their shift from 1 as by "
        "validation loss (Kendall's tau +1.00, p = 0.333)." in said
    )
    points, shift_bars, lag_bars = figures.variance_shift(results).data
    assert points.text == ("lbrd", "ldbr", "lrdb")
    assert list(shift_bars.x) == [0.0, 0.1, 0.3]
    assert list(lag_bars.x) == [0.01, 0.02, 0.03]


def test_one_order_is_shown_by_configuration(tmp_path: Path) -> None:
    trials = [
        trial(
            [epoch(loss, 1.0, 0.5, val_loss_without_lag=1.0, val_loss_without_shift=0.9, variance_shift=[0.8])],
            drop_rate=drop_rate,
        )
        for drop_rate, loss in ((0.2, 1.1), (0.5, 1.0))
    ]
    space = {"drop_rate": {"choice": [0.2, 0.5]}}
    drawn = figures.variance_shift(analysis.load(write_sweep(tmp_path / "a", trials, space=space)))
    assert drawn.data[0].text == ("drop_rate 0.5", "drop_rate 0.2")


def test_without_the_measurement_the_figure_says_how_to_get_it(tmp_path: Path) -> None:
    results = analysis.load(write_sweep(tmp_path / "a", [trial([epoch(1.0, 1.0, 0.5)])]))
    assert "`decompose: true`" in figures.variance_shift(results).layout.meta["empty"]
    assert "`decompose: true`" in figures.variance_shift_sentence(results)


def test_measures_of_batch_norm_need_a_matched_epoch(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="roughness_without_lag at a matched epoch"):
        analysis.gaps_by(planted(tmp_path / "a"), "layer_order", at="last", value="lag_cost")


def test_without_a_shift_the_sentence_says_so_and_ranks_nothing(tmp_path: Path) -> None:
    parts = {"val_loss_without_lag": 1.0, "val_loss_without_shift": 1.0, "variance_shift": [0.999]}
    trials = [trial([epoch(1.02, 0.5, 0.5, **parts)], layer_order=order) for order in ("lbr", "lrb", "blr")]
    said = figures.variance_shift_sentence(analysis.load(write_sweep(tmp_path / "s", trials)))
    assert "no batch norm meets another variance than it normalises by, within 2 %" in said
    assert "Lag costs +0.020 nats" in said
    assert "Kendall" not in said

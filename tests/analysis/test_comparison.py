"""Differences between levels: their size, their certainty, and how many seeds it takes."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

import analysis
from analysis.comparison import compare_levels, holm, pairs_needed
from analysis.gap_levels import Levels

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-mlp"
STUDIES = 1000


@pytest.fixture(scope="module")
def recorded() -> analysis.Results:
    """Two replicates of 224 configurations of an MLP on CIFAR-10."""
    return analysis.load(CURVES)


def seed_noise(recorded: analysis.Results) -> np.ndarray:
    """What the seed did to the last validation loss of each recorded configuration (nats), mean 0."""
    pairs = recorded.trials.pivot_table(index="configuration_id", columns="replicate", values="last_val_loss").dropna()
    halves = ((pairs[0] - pairs[1]) / 2**0.5).to_numpy()
    return np.concatenate([halves, -halves])


def studies(recorded: analysis.Results, replicates: int, effect: float) -> list[Levels]:
    """Full factorials of 3 levels x 8 settings with real noise; the first level's loss is `effect` above the others."""
    rng, noise = np.random.default_rng([replicates, round(1000 * effect)]), seed_noise(recorded)
    found = []
    for _ in range(STUDIES):
        shared = rng.choice(noise, replicates)  # a split or a start that is hard for all
        values = {
            level: pd.Series(1.5 + shift + shared + rng.choice(noise, (8, replicates)).mean(0))
            for level, shift in (("a", effect), ("b", 0.0), ("c", 0.0))
        }
        found.append(Levels("factor", "replicates", values, {}))
    return found


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_where_nothing_differs_one_pair_in_twenty_rejects_and_one_study_in_twenty_at_most(
    recorded: analysis.Results, replicates: int
) -> None:
    # What `compare_levels` makes its tables of; the rest of them would take most of the time.
    pairs = [
        [levels.difference(a, b) for a, b in combinations(levels.values, 2)]
        for levels in studies(recorded, replicates, 0.0)
    ]
    single = np.mean([first.p < 0.05 for first, *_ in pairs])
    family = np.mean([(holm(np.array([pair.p for pair in each])) < 0.05).any() for each in pairs])
    covered = np.mean([first.low <= 0 <= first.high for first, *_ in pairs])
    print(f"n = {replicates}: a pair rejects in {single:.1%}, any pair after Holm in {family:.1%} of {STUDIES}")
    assert 0.035 <= single <= 0.065
    assert family <= 0.065
    assert covered == pytest.approx(1 - single)


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_the_interval_covers_a_planted_effect(recorded: analysis.Results, replicates: int) -> None:
    found = [levels.difference("a", "b") for levels in studies(recorded, replicates, 0.03)]
    covered = np.mean([each.low <= 0.03 <= each.high for each in found])
    print(f"n = {replicates}: the interval covers the planted effect in {covered:.1%} of {STUDIES}")
    assert 0.93 <= covered <= 0.97


def test_as_many_seeds_as_it_says_find_the_difference_four_times_in_five(recorded: analysis.Results) -> None:
    noise = seed_noise(recorded)
    needed = int(pairs_needed(float(noise.std()) * 2**0.5, 0.02))
    rng = np.random.default_rng(0)
    found = [
        ttest_rel(0.02 + rng.choice(noise, needed), rng.choice(noise, needed)).pvalue < 0.05 for _ in range(STUDIES)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_pairs_needed_is_what_the_tables_of_power_say() -> None:
    # Two-sided paired t test, 5 %, power 0.8, as G*Power 3.1 has it.
    assert [pairs_needed(1.0, effect) for effect in (1.0, 0.8, 0.5, 0.2, 0.1)] == [10, 15, 34, 199, 787]
    assert pairs_needed(0.0, 0.01) == 2
    assert pairs_needed(1.0, 0.001) == np.inf


def test_holm_steps_down_and_leaves_what_is_no_number() -> None:
    adjusted = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    assert adjusted.tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


def test_a_factor_is_compared_over_replicates_at_equal_settings_of_the_others(recorded: analysis.Results) -> None:
    table = analysis.compare(recorded, "augment", "val_loss", epoch=20)
    (row,) = table.to_dict("records")
    last = recorded.epochs[recorded.epochs["epoch"] == 20].merge(recorded.trials, on="trial_id")
    means = last.groupby(["augment", "replicate"])["val_loss"].mean().unstack()
    by_hand = means.loc["crop-flip"] - means.loc["none"]
    assert (row["a"], row["b"], row["unit"], row["n"]) == ("crop-flip", "none", "replicates", 2)
    assert row["difference"] == pytest.approx(by_hand.mean())
    assert row["p"] == pytest.approx(ttest_rel(means.loc["crop-flip"], means.loc["none"]).pvalue)
    assert row["verdict"] == "b higher"
    assert (row["a_above_b"], row["a_above_b_low"], row["p_wilcoxon"]) == (0.0, 0.0, 0.5)
    assert row["a_above_b_high"] == pytest.approx(1 - 0.025**0.5)  # both of two below


def test_which_layer_comes_first_is_compared_over_the_orders_that_say_so(recorded: analysis.Results) -> None:
    (row,) = analysis.compare(recorded, "bn_before_dropout", "val_loss", epoch=20).to_dict("records")
    dropped = recorded.trials[recorded.trials["drop_rate"] > 0]
    last = recorded.epochs[recorded.epochs["epoch"] == 20].merge(dropped, on="trial_id")
    means = last.groupby("layer_order")["val_loss"].mean()
    assert (row["a"], row["b"], row["unit"]) == ("no", "yes", "replicates")
    assert row["difference"] == pytest.approx(means["ldbr"] - means["lbrd"])


def test_a_baseline_leaves_the_pairs_with_it(recorded: analysis.Results) -> None:
    table = analysis.compare(recorded, "drop_rate", "val_acc", baseline="0")
    assert table[["a", "b"]].to_numpy().tolist() == [["0.3", "0"], ["0.6", "0"], ["0.8", "0"]]
    for written in ("6e-1", "0.60", 0.6):
        assert analysis.compare(recorded, "drop_rate", baseline=written)["b"].unique().tolist() == ["0.6"]
    with pytest.raises(ValueError, match=r"baseline '0.5' is no level of drop_rate; choose one of \['0', '0.3'"):
        analysis.compare(recorded, "drop_rate", baseline="0.5")
    with pytest.raises(ValueError, match="relevant=0 is not above 0"):
        analysis.compare(recorded, "drop_rate", relevant=0)


def test_the_numbers_of_a_grid_are_levels_however_many() -> None:
    many = analysis.load(CURVES.parent / "cifar10-dropout")
    assert len(analysis.compare(many, "drop_rate")) == 36
    levels = analysis.gaps_by(many, "drop_rate")
    assert levels["level"].tolist() == [f"{rate:g}" for rate in sorted(many.trials["drop_rate"])]
    assert set(levels["unit"]) == {"replicates"}


def test_the_verdict_says_alike_only_where_the_interval_does() -> None:
    def verdict(differences: list[float], relevant: float = 0.02) -> str:
        values = {"a": pd.Series(differences), "b": pd.Series([0.0] * len(differences))}
        return str(compare_levels(Levels("f", "replicates", values, {}), relevant)["verdict"].iloc[0])

    assert verdict([0.101, 0.1, 0.102]) == "a higher"
    assert verdict([0.001, -0.001, 0.0005]) == "alike"
    assert verdict([0.05, -0.04, 0.02]) == "undecided: about 44 replicates would tell"
    assert verdict([0.1]) == "no interval: n = 1"


def test_the_more_pairs_the_more_seeds_it_takes() -> None:
    rng = np.random.default_rng(1)
    values = {name: pd.Series(rng.normal(size=5)) for name in "abcd"}
    one = compare_levels(Levels("f", "replicates", {name: values[name] for name in "ab"}, {}), 0.5)
    six = compare_levels(Levels("f", "replicates", values, {}), 0.5)
    spread = float((values["a"] - values["b"]).std())
    assert one["n_needed"].iloc[0] == pairs_needed(spread, 0.5)
    assert six["n_needed"].iloc[0] == pairs_needed(spread, 0.5, 0.05 / 6) > pairs_needed(spread, 0.5)


def test_equal_differences_of_a_few_seeds_are_no_certainty() -> None:
    values = {"a": pd.Series([0.91, 0.92]), "b": pd.Series([0.90, 0.91])}
    (row,) = compare_levels(Levels("f", "replicates", values, {}), 0.005).to_dict("records")
    assert row["difference"] == pytest.approx(0.01)
    assert row["verdict"] == "no interval: n = 2"

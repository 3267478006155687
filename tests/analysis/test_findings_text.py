"""Sentences change with the finding."""

from pathlib import Path

import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis.figures import (
    gap_curves_sentence,
    gap_scatter_sentence,
    learning_curves_sentence,
    parallel_coordinates_sentence,
    slices_sentence,
)
from analysis.findings import findings
from analysis.intervals import Interval
from sweep.store.folder import LocalFolder
from sweep.store.lease import Lease


def told(folder: Path) -> dict[str, str]:
    return {finding.title: finding.text for finding in findings(analysis.load(folder))}


SETTING = "Which setting goes with the gap."


def orders(folder: Path, gap: dict[str, list[float]]) -> Path:
    trials = [
        trial([epoch(1 + g, 1, 0.5)] * 2, layer_order=order, replicate=k)
        for order, gs in gap.items()
        for k, g in enumerate(gs)
    ]
    return write_sweep(folder, trials)


def test_opposite_effects_give_opposite_sentences(tmp_path: Path):
    large, small = [0.50, 0.52, 0.51, 0.53], [0.10, 0.13, 0.11, 0.12]
    one = told(orders(tmp_path / "a", {"lbrd": large, "lrbd": small}))[SETTING]
    other = told(orders(tmp_path / "b", {"lbrd": small, "lrbd": large}))[SETTING]
    assert "the gap is larger at layer_order lbrd (0.515 nats" in one
    assert "the gap is larger at layer_order lrbd (0.515 nats" in other
    assert "n = 4" in one
    assert "n counts replicates" in one
    assert "too small for a claim" not in one + other
    assert "association" not in one + other


def test_a_difference_within_the_noise_is_no_claim(tmp_path: Path):
    text = told(orders(tmp_path / "a", {"lbrd": [0.1, 0.5, 0.3], "lrbd": [0.3, 0.2, 0.5]}))[SETTING]
    assert "includes zero: n is too small for a claim" in text


def test_one_replicate_is_no_claim_however_large_the_difference(tmp_path: Path):
    text = told(orders(tmp_path / "a", {"lbrd": [0.1], "lrbd": [5.0]}))[SETTING]
    assert "With n = 1 this is too small for a claim" in text


def test_equal_levels_are_said_to_be_equal(tmp_path: Path):
    text = told(orders(tmp_path / "a", {"lbrd": [0.25, 0.5], "lrbd": [0.25, 0.5]}))[SETTING]
    assert text == "At epoch 2 no setting differs from another."


def test_both_means_are_of_the_seeds_that_both_have(tmp_path: Path):
    """Over all seeds of each the means would be 0.4 and 0.163, the other way round than the paired difference."""
    text = told(orders(tmp_path / "a", {"lbrd": [0.10, 0.20, 0.90], "lrbd": [0.11, 0.215]}))[SETTING]
    assert "the gap is larger at layer_order lrbd (0.163 nats" in text
    assert "than at lbrd (0.150 nats" in text


def test_what_is_said_of_the_best_is_of_the_configuration_that_is_called_the_best(tmp_path: Path):
    """The most accurate trial of all belongs to another one."""
    turns = [epoch(v, t, 0.6) for v, t in zip([1.1, 0.9, 0.8, 0.9, 1.0, 1.1], FALLING, strict=True)]
    falls = [epoch(v, v, 0.7) for v in (1.1, 1.0, 0.9, 0.8, 0.75, 0.7)]
    trials = [trial(falls, replicate=k) for k in range(3)]
    trials += [
        trial([*turns[:-1], turns[-1] | {"val_acc": acc}], lr=0.1, replicate=k)
        for k, acc in enumerate((0.6, 0.6, 0.76))
    ]
    said = told(write_sweep(tmp_path / "a", trials))
    assert said["Best configuration."].startswith("lr 0.001")
    assert said["Overfitting."].startswith("The best configuration does not overfit so far")


def test_a_loss_above_the_stop_rule_s_is_finite(tmp_path: Path):
    trials = [
        trial([epoch(60.0, 60.0, 0.1)], status="STOPPED", stop_reason="diverged"),
        trial([epoch(1, 1, 0.5)], lr=0.1),
    ]
    spec = {"name": "a", "stop_rules": {"divergence": {"max_loss": 50.0}}, "space": {}}
    text = told(write_sweep(tmp_path / "a", trials, spec=spec))["Diverged."]
    assert text == "1 of 2 trials stopped on a loss that was not finite, or above that of `stop_rules.divergence`."


def test_a_search_that_runs_is_said_to_run(tmp_path: Path):
    cut = trial([epoch(1, 1, 0.1)], status="STOPPED", stop_reason="asha")
    runs = trial([epoch(1, 1, 0.5)] * 2, status="RUNNING", lr=0.1)
    folder = write_sweep(tmp_path / "a", [cut, runs], state="RUNNING")
    assert "1 of 2 trials have epochs left: all of this may change." in told(folder)["What can be compared."]  # killed
    lease = Lease(LocalFolder(folder))
    text = told(folder)
    lease.release()
    assert "ASHA cut 1 of 2" in text["What can be compared."]
    assert "1 of 2 trials are still running: all of this may change." in text["What can be compared."]


def test_unequal_conditions_make_an_association(tmp_path: Path):
    trials = [
        trial(
            [epoch(1 + (0.5 if order == "lbrd" else 0.1) + k / 1000, 1, 0.5)],
            layer_order=order,
            lr=1e-3 * (1 + k + 9 * (order == "lbrd")),
        )
        for order in ("lbrd", "lrbd")
        for k in range(4)
    ]
    text = told(write_sweep(tmp_path / "a", trials))[SETTING]
    assert "association, not an effect" in text
    assert "n counts configurations" in text


def best_trial(folder: Path, val: list[float], train: list[float]) -> str:
    curve = [epoch(v, t, 0.5 + k / 100) for k, (v, t) in enumerate(zip(val, train, strict=True))]
    return told(write_sweep(folder, [trial(curve)]))["Overfitting."]


FALLING = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3]


@pytest.mark.parametrize(
    ("val", "train", "said"),
    [
        (
            [1.1, 0.9, 0.8, 0.9, 1.0, 1.1],
            FALLING,
            "overfits since epoch 3",
        ),
        (
            [1.1, 1.0, 0.9, 0.8, 0.75, 0.7],
            FALLING,
            "its validation loss still falls after 6 epochs",
        ),
        (
            [1.1, 0.9, 0.8, 0.801, 0.799, 0.8, 0.801, 0.8, 0.8, 0.8],
            [*FALLING, 0.3, 0.3, 0.3, 0.3],
            "a gap of 0.500 nats",
        ),
        (
            [1.1, 0.9, 0.8, 1.5, 2.0, 3.0],
            [1.0, 0.8, 0.7, 1.4, 1.9, 2.9],
            "not overfitting but training",
        ),
        # A training loss that has reached its floor while the validation loss rises is overfitting all the same.
        ([1.1, 0.9, 0.8, 0.9, 1.0, 1.1], [0.5, 0.1, 0.004, 0.005, 0.005, 0.005], "overfits since epoch 3"),
        ([1.1, 0.9], FALLING[:2], "does not turn in 2 epochs; it was cut, is not through"),
        ([1.1, 0.9, 0.8, 0.9, 1.0, float("inf")], FALLING, "diverged."),
    ],
)
def test_overfitting_is_told_from_the_best_configuration_s_curve(tmp_path: Path, val: list, train: list, said: str):
    assert said in best_trial(tmp_path / "s", val, train)


def test_the_verdicts_on_all_trials_are_counted(tmp_path: Path):
    turns = [1.1, 0.9, 0.8, 0.9, 1.0, 1.1]
    trials = [trial([epoch(v, t, 0.5) for v, t in zip(turns, FALLING, strict=True)], replicate=k) for k in range(2)]
    trials.append(trial([epoch(v, v - 0.1, 0.4) for v in (1.1, 1.0)], lr=0.1))
    text = told(write_sweep(tmp_path / "a", trials))["Overfitting."]
    assert "Of 3 trials: 2 overfit (since epoch 3 in the median), 1 undecided." in text


def test_the_best_configuration_comes_with_accuracy_gap_epoch_and_interval(tmp_path: Path):
    trials = [trial([epoch(1.0, 0.9, a - 0.1), epoch(1.0, 0.8, a)], replicate=k) for k, a in enumerate((0.70, 0.72))]
    trials += [trial([epoch(1.0, 0.9, 0.6)] * 2, lr=0.1, replicate=k) for k in (0, 1)]
    text = told(write_sweep(tmp_path / "s", trials))["Best configuration."]
    # mean 0.71, s = 0.0141421, half width 12.7062 * 0.0141421 / sqrt 2 = 0.127
    assert "lr 0.001: validation accuracy 71.0 % (95 % interval 58.3 % to 83.7 %, n = 2 replicates) at epoch 2" in text
    assert "gap of 0.200 nats" in text
    assert "highest of 2 configurations" in text


def test_cut_trials_are_counted_and_what_follows_is_said(tmp_path: Path):
    whole = trial([epoch(1, 0.9, 0.5)] * 9)
    cut = [trial([epoch(1, 0.9, 0.4)] * 3, lr=lr, status="STOPPED", stop_reason="asha") for lr in (0.1, 0.2)]
    text = told(write_sweep(tmp_path / "a", [whole, *cut]))["What can be compared."]
    assert "ASHA cut 2 of 3 trials early" in text
    assert "compared at epoch 3, the last that every trial reached (this says little about late overfitting)" in text
    none_cut = told(write_sweep(tmp_path / "b", [whole, trial([epoch(1, 0.9, 0.5)] * 9, lr=0.1)]))
    assert (
        none_cut["What can be compared."]
        == "No trial was cut by ASHA; gaps are compared at epoch 9, the last that every trial reached."
    )


def test_failures_name_the_most_frequent_error(tmp_path: Path):
    trials = [
        trial([], lr=lr, status="FAILED", error=f"Traceback\n{e}")
        for lr, e in ((0.1, "A: x"), (0.2, "B: y"), (0.3, "B: y"))
    ]
    text = told(write_sweep(tmp_path / "s", trials))["Failed."]
    assert text == "3 of 3 trials failed; their curves end where they did. Most often (2): B: y"


def test_a_figure_s_sentence_follows_its_data(tmp_path: Path):
    def sweep(name: str, sign: int) -> analysis.Results:
        trials = [
            trial(
                [epoch(1, 1, 0.5), epoch(2 + k / 9, 2 + k / 9 - 0.11 - sign * k / 50, 0.5 + k / 50)],
                lr=10.0 ** (k - 9),
                drop_rate=k / 100,
            )
            for k in range(1, 13)
        ]
        return analysis.load(write_sweep(tmp_path / name, trials))

    assert "smaller gap also have the lower validation loss" in gap_scatter_sentence(sweep("a", 1))
    assert "smaller gap have the higher validation loss" in gap_scatter_sentence(sweep("b", -1))
    assert "grew in 12 of 12 trials" in gap_curves_sentence(sweep("c", 1))
    assert "grew in 5 of 12 trials" in gap_curves_sentence(sweep("d", -1))
    assert "The best 3 of 12 trials agree most in" in parallel_coordinates_sentence(sweep("e", 1))


def test_an_interval_around_zero_claims_nothing():
    assert Interval(3, 0.1, 0.05, 0.15).excludes_zero
    assert not Interval(3, 0.1, -0.05, 0.25).excludes_zero
    assert not Interval(1, 0.1, float("nan"), float("nan")).excludes_zero


def test_two_seeds_that_happen_to_agree_are_given_no_interval(tmp_path: Path):
    trials = [trial([epoch(1.0, 0.9, 0.7)], replicate=k) for k in range(2)]
    text = told(write_sweep(tmp_path / "s", trials))["Best configuration."]
    assert "validation accuracy 70.0 % (2 replicates alike: no interval) at epoch 1" in text


def test_trials_without_epochs_are_not_said_to_have_reached_one(tmp_path: Path):
    trials = [trial([epoch(1, 0.9, 0.5)] * 3), trial([], lr=0.1, status="RUNNING")]
    text = told(write_sweep(tmp_path / "s", trials))["What can be compared."]
    assert "compared at epoch 3, the last that every trial that has epochs has reached" in text
    trials.append(trial([epoch(1, 0.9, 0.5)], lr=0.2, status="FAILED"))
    text = told(write_sweep(tmp_path / "t", trials))["What can be compared."]
    assert "the last that every trial that has epochs and neither failed nor diverged has reached" in text


def test_replicates_are_no_points_of_their_own_in_a_trend(tmp_path: Path):
    curves = {10.0 ** (k - 9): [epoch(2 + k / 9, 2, k / 9)] for k in range(1, 4)}
    trials = [trial(curve, lr=lr, replicate=r) for lr, curve in curves.items() for r in range(5)]
    results = analysis.load(write_sweep(tmp_path / "s", trials, space={"lr": {"loguniform": [1e-9, 1]}}))
    assert gap_scatter_sentence(results).startswith("3 configurations have complete trials, too few for a trend.")
    assert "15 trials of 3 configurations. Its rank goes" in slices_sentence(results)


def test_the_learning_curves_are_told_at_the_end_of_the_mean_curve(tmp_path: Path):
    trials = [trial([epoch(1.0, 0.9, 0.5)] * (3 + k), replicate=k) for k in range(2)]
    trials[1]["curve"][-1] = epoch(7.0, 0.9, 0.4)
    text = learning_curves_sentence(analysis.load(write_sweep(tmp_path / "s", trials)))
    assert text.startswith("At epoch 3 the best configuration")
    assert "a validation loss of 1.000 nats" in text

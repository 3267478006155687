"""The gap of each trial, against numbers worked out by hand."""

from pathlib import Path

import pandas as pd
import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis.gap_table import matched_epoch

NAN = float("nan")


def small(tmp_path: Path) -> analysis.Results:
    """Three trials: complete (4 epochs), cut after 2, failed after 1; best epochs 2 (tied with 3), 2 and 1."""
    whole = [epoch(1.0, 0.9, 0.4), epoch(0.8, 0.6, 0.6), epoch(0.9, 0.5, 0.6), epoch(1.2, 0.3, 0.5)]
    return analysis.load(
        write_sweep(
            tmp_path / "small",
            [
                trial(whole),
                trial([epoch(1.5, 1.4, 0.2), epoch(1.3, 1.25, 0.3)], lr=0.01, status="STOPPED", stop_reason="asha"),
                trial([epoch(2.0, 2.1, 0.1)], lr=0.1, status="FAILED", error="boom"),
                trial([], lr=1.0, status="RUNNING"),
            ],
            space={"lr": {"loguniform": [1e-3, 1.0]}},
        )
    )


def column(table: pd.DataFrame, name: str) -> list:
    return [None if pd.isna(v) else round(float(v), 9) for v in table[name]]


def test_gaps_at_the_best_epoch_take_the_earliest_of_equal_accuracies(tmp_path: Path):
    table = analysis.gaps(small(tmp_path), "best")
    assert column(table, "epoch") == [2, 2, 1, None]
    assert column(table, "gap_loss") == [0.2, 0.05, -0.1, None]
    assert column(table, "gap_acc") == [0.3, 0.6, 0.8, None]
    assert table["censored"].tolist() == [False, True, True, True]


def test_gaps_at_the_last_epoch(tmp_path: Path):
    table = analysis.gaps(small(tmp_path), "last")
    assert column(table, "epoch") == [4, 2, 1, None]
    assert column(table, "gap_loss") == [0.9, 0.05, -0.1, None]
    assert column(table, "val_acc") == [0.5, 0.3, 0.1, None]


def test_the_matched_epoch_is_the_last_that_every_trial_reached_the_failed_one_aside(tmp_path: Path):
    r = small(tmp_path)
    assert matched_epoch(r) == 2
    table = analysis.gaps(r)
    assert column(table, "gap_loss") == [0.2, 0.05, None, None]
    assert column(table, "train_eval_loss") == [0.6, 1.25, None, None]
    # At an epoch that a cut trial did reach it is as good as any other.
    assert table["censored"].tolist() == [False, False, True, True]


def test_a_given_epoch_leaves_na_and_censored_where_a_trial_did_not_reach_it(tmp_path: Path):
    table = analysis.gaps(small(tmp_path), "matched", epoch=3)
    assert column(table, "gap_loss") == [0.4, None, None, None]
    assert column(table, "epoch") == [3, None, None, None]
    assert table["censored"].tolist() == [False, True, True, True]


def test_a_diverged_trial_does_not_pull_the_matched_epoch_down(tmp_path: Path):
    diverged = [epoch(float("inf"), NAN, NAN)]
    trials = [trial([epoch(1, 0.9, 0.5)] * 3), trial(diverged, lr=0.1, status="STOPPED", stop_reason="diverged")]
    assert matched_epoch(analysis.load(write_sweep(tmp_path / "s", trials))) == 3


def test_one_row_a_trial_with_the_searched_hyper_parameters_only(tmp_path: Path):
    table = analysis.gaps(small(tmp_path))
    assert len(table) == 4
    assert "lr" in table
    assert "drop_rate" not in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("middle",), "choose 'matched', 'best' or 'last'"), (("best", 3), "leave one of them out"),
     (("matched", 0), "epochs count from 1")],
)  # fmt: skip
def test_arguments_that_mean_nothing_are_refused(tmp_path: Path, arguments: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        analysis.gaps(small(tmp_path), *arguments)


def test_strengths_that_follow_from_augment_are_not_searched(tmp_path: Path):
    trials = [trial([epoch(1, 0.9, 0.5)], augment=a, crop_padding=p) for a, p in (("none", 0), ("crop-flip", 4))]
    table = analysis.gaps(analysis.load(write_sweep(tmp_path / "s", trials)))
    assert "augment" in table
    assert "crop_padding" not in table


def test_an_accuracy_beside_a_loss_that_is_no_number_is_none(tmp_path: Path):
    nan = float("nan")
    trials = [trial([epoch(nan, nan, 0.1)], lr=100.0), trial([epoch(1.0, 0.9, 0.4), epoch(nan, 0.9, 0.6)], lr=0.1)]
    results = analysis.load(write_sweep(tmp_path / "s", trials))
    best = analysis.gaps(results, "best").set_index("lr")
    assert pd.isna(best.loc[100.0, "epoch"])
    assert (best.loc[0.1, "epoch"], best.loc[0.1, "val_acc"]) == (1, 0.4)
    assert analysis.gaps(results)["val_acc"].isna().sum() == 1


def test_an_unknown_factor_or_measure_is_refused(tmp_path: Path):
    r = small(tmp_path)
    with pytest.raises(ValueError, match="factor 'colour'"):
        analysis.gaps_by(r, "colour")
    with pytest.raises(ValueError, match="value 'speed'"):
        analysis.gaps_by(r, "lr", value="speed")

"""What a final choice is said to show, on planted scores."""

from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import t as student

import analysis
from analysis.final_choice import final_sentences
from analysis.findings import findings
from tests.planted_sweep import epoch, trial, write_sweep

FRESH = {"chosen": [0.62, 0.60, 0.61], "tester": [0.58, 0.57, 0.60]}
TEST = {"chosen": [0.59, 0.60, 0.58], "tester": [0.60, 0.63, 0.59]}


NOTE = {
    "search": "before",
    "kind": "final",
    "configurations": 40,
    "finalists": {"chosen": {"val_acc": 0.65, "epochs_run": 30}, "tester": {"val_acc": 0.66, "epochs_run": 9}},
}


def planted_trials() -> list[dict]:
    return [
        trial(
            [epoch(1.2, 1.0, 0.3), epoch(1.1, 0.9, acc), epoch(1.3, 0.7, 0.4)],
            replicate=seed,
            lr=lr,
            configuration_id=name,
            test_acc=tested,
            test_loss=1.15,
        )
        for name, lr in (("tester", 0.1), ("chosen", 0.01))
        for seed, (acc, tested) in enumerate(zip(FRESH[name], TEST[name], strict=True))
    ]


@pytest.fixture
def results(tmp_path: Path) -> analysis.Results:
    return analysis.load(write_sweep(tmp_path / "final", planted_trials(), final_round=NOTE))


def test_validation_on_fresh_seeds_chooses_and_the_test_only_measures(results: analysis.Results) -> None:
    scores = analysis.final_scores(results)
    assert scores["configuration_id"].tolist() == ["chosen", "tester"]
    first, second = (row for _, row in scores.iterrows())
    assert (first["n"], first["test_acc"], first["search_val_acc"]) == (3, pytest.approx(0.59), 0.65)
    half = student.ppf(0.975, 2) * 0.01 / 3**0.5
    assert (first["test_acc_low"], first["test_acc_high"]) == pytest.approx((0.59 - half, 0.59 + half))
    assert (first["search_minus_test"], first["search_minus_test_low"]) == pytest.approx((0.06, 0.06 - half))
    assert (first["pairs"], second["pairs"]) == (0, 3)
    assert pd.isna(first["behind"])
    # Seed by seed: -0.01, -0.03, -0.01.
    assert second["behind"] == pytest.approx(-0.05 / 3)
    assert second["behind_high"] - second["behind"] == pytest.approx(
        student.ppf(0.975, 2) * pd.Series([-0.01, -0.03, -0.01]).std() / 3**0.5
    )


def test_the_sentences_say_what_was_chosen_how_far_off_the_search_was_and_what_cannot_be_told(
    results: analysis.Results,
) -> None:
    chosen, search, others = final_sentences(results)
    assert "lr 0.01" in chosen
    assert "59.0 % (95 % interval 56.5 to 61.5)" in chosen
    assert "40 configurations" in search
    assert "6.0 points above" in search
    assert "cut" not in search
    assert others == (
        "The other finalist, on the test images and paired over 3 seeds, is not to be told apart from it."
    )
    assert "On the test images." in [finding.title for finding in findings(results)]


def test_a_finalist_that_loses_a_seed_comes_last_and_is_compared_on_the_seeds_that_both_have(tmp_path: Path) -> None:
    trials = planted_trials()
    trials[3] |= {"status": "STOPPED", "stop_reason": "diverged"}  # the first seed of `chosen`
    scores = analysis.final_scores(analysis.load(write_sweep(tmp_path / "final", trials, final_round=NOTE)))
    assert scores["configuration_id"].tolist() == ["tester", "chosen"]
    assert scores["n"].tolist() == [3, 2]
    assert scores["lost"].tolist() == [0, 1]
    assert scores["pairs"].tolist() == [0, 2]
    # Seeds 1 and 2: 0.63 - 0.60 and 0.59 - 0.58.
    assert scores["behind"].iloc[1] == pytest.approx(0.02)


def test_what_still_runs_is_not_lost_and_what_lost_all_its_seeds_is_told(tmp_path: Path) -> None:
    trials = planted_trials()
    trials[3] |= {"status": "RUNNING"}  # the first seed of `chosen`
    for place in range(3):
        trials[place] |= {"status": "STOPPED", "stop_reason": "diverged"}
    results = analysis.load(write_sweep(tmp_path / "final", trials, final_round=NOTE))
    assert analysis.final_scores(results)[["configuration_id", "n", "lost"]].to_numpy().tolist() == [["chosen", 2, 0]]
    assert final_sentences(results)[-2:] == [
        "3 of the final trainings failed or diverged and are left out.",
        "1 of them are not through: all of this may change.",
    ]


def test_a_sweep_that_is_no_final_choice_says_how_to_make_one(tmp_path: Path) -> None:
    plain = analysis.load(write_sweep(tmp_path / "plain", [trial([epoch(1.2, 1.0, 0.3)])]))
    with pytest.raises(ValueError, match="sweep finalize"):
        analysis.final_scores(plain)

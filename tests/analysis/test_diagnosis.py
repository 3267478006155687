"""Verdicts on planted curves and on real ones."""

from pathlib import Path

import numpy as np
import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"
EPOCHS = np.arange(1, 21)
FALLING = 1.4 + np.exp(-EPOCHS / 3)


def planted(val: np.ndarray, train: np.ndarray) -> list[dict]:
    noise = np.random.default_rng(0).normal(0, 0.005, (2, len(val)))
    return [epoch(float(v), float(t), 0.5) for v, t in zip(val + noise[0], train + noise[1], strict=True)]


CASES = {
    "overfits": (FALLING + 0.04 * np.maximum(0, EPOCHS - 8), FALLING - 0.03 * EPOCHS),
    "unstable": (FALLING + 0.05 * np.maximum(0, EPOCHS - 8), FALLING + 0.05 * np.maximum(0, EPOCHS - 8)),
    "learning": (2.5 - 0.03 * EPOCHS, 2.45 - 0.03 * EPOCHS),
    "underfits": (2 + np.exp(-EPOCHS / 2), 1.95 + np.exp(-EPOCHS / 2)),
    "memorises": (1.4 + np.exp(-EPOCHS / 2), 1.3 - 0.03 * EPOCHS),
    "healthy": (1.4 + np.exp(-EPOCHS / 2), 1.2 + np.exp(-EPOCHS / 2)),
}


def test_each_kind_of_curve_gets_its_verdict_and_advice(tmp_path: Path) -> None:
    cut = [part[:4] for part in CASES["overfits"]]
    lost = [*planted(*(part[:7] for part in CASES["healthy"])), epoch(float("nan"), 1.0, 0.1)]
    trials = [
        *(trial(planted(*curves), weight_decay=0.1 * place) for place, curves in enumerate(CASES.values())),
        trial(planted(*cut), status="STOPPED", stop_reason="asha", weight_decay=0.8),
        trial(lost, status="STOPPED", stop_reason="diverged", weight_decay=0.9),
    ]
    results = analysis.load(write_sweep(tmp_path, trials))
    table = analysis.diagnose(results).merge(results.trials[["trial_id", "weight_decay"]], on="trial_id")
    table = table.sort_values("weight_decay").set_index(np.array([*CASES, "cut", "lost"]))
    assert table["verdict"].to_dict() == {
        **{name: name for name in CASES},
        "cut": "undecided",
        "lost": "diverged",
    }
    assert table.loc["overfits", "since"] == pytest.approx(9, abs=1)  # FALLING still falls a little
    assert table.loc["overfits", "gl"] > 20
    assert table["since"].notna().sum() == 2
    assert table.loc["learning", "advice"] == "train longer, or raise the learning rate"


def test_stronger_dropout_overfits_later_on_real_curves() -> None:
    results = analysis.load(CURVES / "cifar10-dropout")
    table = analysis.diagnose(results).merge(results.trials[["trial_id", "drop_rate"]], on="trial_id")
    table = table.sort_values("drop_rate")
    print("\n" + table[["drop_rate", "verdict", "since", "since_low", "since_high", "rise"]].to_string(index=False))
    assert table["verdict"].tolist() == ["overfits"] * 8 + ["learning"]
    assert table["since"].dropna().is_monotonic_increasing
    assert table["rise"].dropna().is_monotonic_decreasing


def test_a_configuration_is_judged_by_the_mean_of_its_seeds(tmp_path: Path) -> None:
    """A turn that is lost in each seed's noise shows in the mean of twelve; one that diverged condemns all."""
    val, train = FALLING + 0.02 * np.maximum(0, EPOCHS - 10), FALLING - 0.02 * EPOCHS
    noise = np.random.default_rng(1).normal(0, 0.1, (12, len(EPOCHS)))
    trials = [
        trial([epoch(float(v), float(t), 0.5) for v, t in zip(val + own, train, strict=True)], replicate=k)
        for k, own in enumerate(noise)
    ]
    lost = [*planted(*(part[:7] for part in CASES["healthy"])), epoch(float("nan"), 1.0, 0.1)]
    trials += [
        trial(planted(*CASES["healthy"]), lr=0.1, replicate=0),
        trial(lost, lr=0.1, replicate=1, status="STOPPED", stop_reason="diverged"),
    ]
    results = analysis.load(write_sweep(tmp_path, trials))
    alone = analysis.diagnose(results)
    table = analysis.diagnose(results, by="configuration").merge(
        results.trials[["configuration_id", "lr"]].drop_duplicates(), on="configuration_id"
    )
    turned, condemned = table.sort_values("lr").to_dict("records")
    assert (turned["verdict"], turned["n"]) == ("overfits", 12)
    assert turned["agree"] == (alone["verdict"].iloc[:12] == "overfits").sum() < 12
    assert turned["since_low"] <= 11 <= turned["since_high"]
    assert (condemned["verdict"], condemned["n"], condemned["agree"]) == ("diverged", 2, 1)


def test_a_seed_that_failed_early_does_not_shorten_its_configuration_s_curve(tmp_path: Path) -> None:
    curve = planted(*CASES["healthy"])
    trials = [trial(curve, replicate=0), trial(curve[:2], replicate=1, status="FAILED", stop_reason="error")]
    (row,) = analysis.diagnose(analysis.load(write_sweep(tmp_path, trials)), by="configuration").to_dict("records")
    assert (row["verdict"], row["n"], row["epochs"]) == ("healthy", 1, len(curve))


def test_what_its_own_rule_ended_has_come_to_its_end(tmp_path: Path) -> None:
    trials = [
        trial(planted(*CASES["healthy"]), status="STOPPED", stop_reason=reason, lr=lr)
        for reason, lr in (("plateau", 0.1), ("asha", 0.2))
    ]
    assert analysis.diagnose(analysis.load(write_sweep(tmp_path, trials)))["verdict"].tolist() == [
        "healthy",
        "undecided",
    ]


def test_another_by_is_refused(tmp_path: Path) -> None:
    results = analysis.load(write_sweep(tmp_path, []))
    with pytest.raises(ValueError, match="by='sweep' is not known; choose 'trial' or 'configuration'"):
        analysis.diagnose(results, by="sweep")  # type: ignore[arg-type]


def test_a_trial_underfits_by_the_measure_of_its_own_data_set(tmp_path: Path) -> None:
    level = [2.0, 1.6, *[1.5, 1.501] * 6]
    easy = trial([epoch(x - 1.4, x - 1.45, 0.9) for x in level])
    hard = trial([epoch(x, x - 0.05, 0.5) for x in level], dataset="cifar10")
    results = analysis.load([write_sweep(tmp_path / "easy", [easy]), write_sweep(tmp_path / "hard", [hard])])
    assert set(analysis.diagnose(results)["verdict"]) == {"healthy"}

"""Since when a validation loss rises, held against curves whose onset is known, with the noise of real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.onset import CRITICAL, onset, rise_statistic

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"
EPOCHS = 30


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """(C, 20) nats: what is left of each recorded MLP's validation loss around a running mean of five epochs."""
    epochs = analysis.load(CURVES / "cifar10-mlp").epochs
    table = epochs.pivot_table(index="trial_id", columns="epoch", values="val_loss").to_numpy()
    smooth = np.apply_along_axis(lambda y: np.convolve(np.pad(y, 2, mode="edge"), np.ones(5) / 5, "valid"), 1, table)
    # The window holds the value itself, which takes a fifth of its noise; at the edges there is no window.
    rest = ((table - smooth) / 0.8**0.5)[:, 3:-2]
    return rest[np.abs(rest).max(axis=1) < 0.5]


def noisy(noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """EPOCHS of one configuration's noise, in the order in which it came."""
    mine = noise[rng.integers(len(noise))]
    start = rng.integers(len(mine))
    return np.resize(np.roll(mine, -start), EPOCHS)


def falling(rng: np.random.Generator) -> np.ndarray:
    """A loss that falls from about 2 nats and levels off."""
    epoch = np.arange(1, EPOCHS + 1)
    return 1.4 + rng.uniform(0.3, 0.8) * np.exp(-epoch / rng.uniform(1.5, 6))


def rising_from(turn: int, slope: float) -> np.ndarray:
    return slope * np.maximum(0, np.arange(1, EPOCHS + 1) - turn)


def test_the_critical_values_are_those_of_pure_noise() -> None:
    rng = np.random.default_rng(1)
    for epochs, bound in list(CRITICAL.items())[::2]:
        found = [rise_statistic(rng.standard_normal(epochs)) > bound for _ in range(60000 // epochs)]
        assert np.mean(found) == pytest.approx(0.05, abs=0.02), epochs


def test_planted_onsets_are_found_within_an_epoch_and_seldom_where_there_is_none(noise: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    alarms = np.mean([onset(falling(rng) + noisy(noise, rng)) is not None for _ in range(1000)])
    print(f"\nnoise {noise.std():.4f} nats, {EPOCHS} epochs; false alarms: {alarms:.1%} of 1000 curves that level off")
    assert alarms <= 0.05

    rows = []
    for slope in (0.01, 0.02, 0.04):
        for turn in (3, 5, 10, 15, 20, 25):
            planted = [falling(rng) + rising_from(turn, slope) for _ in range(100)]
            truth = [1 + int(np.argmin(curve)) for curve in planted]
            found = [onset(curve + noisy(noise, rng)) for curve in planted]
            pairs = [(each, epoch) for each, epoch in zip(found, truth, strict=True) if each is not None]
            errors = [each.epoch - epoch for each, epoch in pairs]
            inside = np.mean([each.low <= epoch <= each.high for each, epoch in pairs])
            rows.append((slope, turn, len(pairs), np.median(np.abs(errors)), np.mean(errors), inside))
    table = pd.DataFrame(
        rows, columns=["nats an epoch", "from epoch", "found of 100", "median error", "bias", "inside"]
    )
    print(table.round(2).to_string(index=False))
    assert (table["median error"] <= 1).all()
    assert table["inside"].mean() >= 0.9
    # Ten epochs of rise are enough even where they are lost in the noise from one epoch to the next.
    assert (table.loc[table["from epoch"] <= 20, "found of 100"] >= 80).all()
    assert table.loc[table["nats an epoch"] == 0.04, "found of 100"].min() >= 95


def test_a_curve_of_hundreds_of_epochs_is_read_in_stretches() -> None:
    rng = np.random.default_rng(0)
    epoch = np.arange(1, 751)
    curve = 1.4 + np.exp(-epoch / 80) + 0.001 * np.maximum(0, epoch - 400) + 0.01 * rng.standard_normal(750)
    found = onset(curve)
    assert found is not None
    assert found.epoch == pytest.approx(400, abs=40)
    assert found.low <= found.epoch <= found.high
    assert found.rise == pytest.approx(0.35, abs=0.03)


def test_few_epochs_and_a_lone_high_one_are_no_onset() -> None:
    assert onset(np.array([2.0, 1.0, 1.5, 2.0, 2.5])) is None
    assert onset(np.array([2.0, 1.6, 1.4, 1.3, 1.25, 1.22, 1.20, 1.19, 1.18, 1.3, 1.17, 1.165])) is None


def test_a_loss_that_stands_still_has_no_noise_and_its_rise_is_found() -> None:
    assert onset(np.full(10, 2.5)) is None
    assert onset(np.array([3.0, 2.0, 1.0, *[1.0] * 7])) is None
    found = onset(np.array([2.0, 1.0, *[1.5] * 6]))
    assert found is not None
    assert (found.epoch, found.rise) == (2, pytest.approx(0.5))

"""Our successive halving, on hand-made scores."""

import pytest

from sweep.tuning.asha import Asha, rung_epochs


@pytest.mark.parametrize(
    ("epochs", "grace", "factor", "rungs"),
    [
        (20, 1, 3, [1, 3, 9]),
        (27, 1, 3, [1, 3, 9]),
        (28, 1, 3, [1, 3, 9, 27]),
        (10, 4, 2, [4, 8]),
        (5, 5, 3, []),
        (1, 1, 2, []),
    ],
)
def test_rungs_are_powers_of_the_factor_below_the_last_epoch(
    epochs: int, grace: int, factor: int, rungs: list[int]
) -> None:
    assert rung_epochs(epochs, grace, factor) == rungs


def reach(asha: Asha, trial: str, epoch: int, val_acc: float, val_loss: float = 1.0) -> bool:
    asha.record(trial, epoch, val_acc=val_acc, val_loss=val_loss)
    return asha.keeps(trial, epoch)


def test_of_those_that_reached_a_rung_the_best_third_goes_on() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    kept = [reach(asha, f"t{i}", 1, val_acc) for i, val_acc in enumerate([0.5, 0.4, 0.6, 0.55, 0.61, 0.58, 0.60])]
    # Places: 1 1 1 1 1 2 2; 0.58 is third of six, 0.60 is third of seven.
    assert kept == [True, False, True, False, True, False, False]


def test_epochs_between_rungs_never_cut() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "good", 2, 0.9)
    assert reach(asha, "bad", 2, 0.1)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ranks_last(loss: float) -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "bad", 1, 0.1)
    assert not reach(asha, "diverged", 1, 0.99, loss)
    assert reach(asha, "better", 1, 0.2)


def test_ties_in_accuracy_are_broken_by_the_lower_loss_and_full_ties_are_cut() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "a", 1, 0.5, 1.0)
    assert reach(asha, "lower loss", 1, 0.5, 0.9)
    assert not reach(asha, "higher loss", 1, 0.5, 1.1)
    assert not reach(asha, "same as the best", 1, 0.5, 0.9)


def test_a_rung_told_again_stays_as_it_was() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert asha.record("a", 1, val_acc=0.5, val_loss=1.0)
    assert asha.record("b", 1, val_acc=0.4, val_loss=1.0)
    assert not asha.record("b", 1, val_acc=0.9, val_loss=1.0)
    assert not asha.keeps("b", 1)
    assert not asha.record("b", 2, val_acc=0.9, val_loss=1.0)  # no rung


def test_a_trial_without_a_record_is_kept() -> None:
    assert Asha(epochs=20, grace_period=1, reduction_factor=3).keeps("unknown", 1)

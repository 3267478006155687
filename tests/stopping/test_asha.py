"""Our successive halving, on hand-made scores."""

import math
import random
import sys

import pytest

from sweep.stopping.asha import Asha, bracket_rungs, expected_epochs, rung_epochs
from sweep.stopping.verdict import GO_ON, Verdict


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


def reach(asha: Asha, trial: str, epoch: int, val_acc: float, val_loss: float = 1.0, configuration: str = "") -> str:
    """What becomes of a trial; a configuration of its own unless one is given."""
    return asha.told(trial, configuration or trial, {"epoch": epoch, "val_acc": val_acc, "val_loss": val_loss}).action


def test_of_those_that_reached_a_rung_the_best_third_goes_on() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    came = [reach(asha, f"t{i}", 1, val_acc) for i, val_acc in enumerate([0.5, 0.4, 0.6, 0.55, 0.61, 0.58, 0.60])]
    # Places: 1 1 1 1 1 2 2; 0.58 is third of six, 0.60 is third of seven.
    assert came == ["go on", "cut", "go on", "cut", "go on", "cut", "cut"]


def test_a_cut_says_which_part_of_the_rung_was_better() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    for i, val_acc in enumerate([0.5, 0.6, 0.7]):
        reach(asha, f"t{i}", 1, val_acc)
    verdict = asha.told("last", "last", {"epoch": 1, "val_acc": 0.55, "val_loss": 1.0})
    assert (verdict.action, verdict.reason, verdict.value) == ("cut", "asha", 0.5)


def test_epochs_between_rungs_never_cut() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "good", 2, 0.9) == "go on"
    assert reach(asha, "bad", 2, 0.1) == "go on"


@pytest.mark.parametrize("variant", ["stop", "promote"])
@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_loss_that_is_not_finite_never_advances_and_holds_up_nobody(variant: str, loss: float, place: int) -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant=variant)
    arrivals = [(f"t{i}", 0.1 * i, 1.0) for i in range(1, 5)]
    arrivals.insert(place, ("diverged", 0.99, loss))
    came = {trial: reach(asha, trial, 1, val_acc, val_loss) for trial, val_acc, val_loss in arrivals}
    assert came["diverged"] != "go on"
    assert came["t4"] == "go on"
    asha.close(one_must_finish=True)
    released = asha.next_released()
    assert released != "diverged"


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_nothing_finite_at_all_ends_without_a_survivor(variant: str) -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant=variant)
    came = [reach(asha, f"t{i}", 1, float("nan"), float("nan")) for i in range(9)]
    assert "go on" not in came
    asha.close(one_must_finish=True)
    assert asha.next_released() is None
    if variant == "promote":
        asha.close(one_must_finish=False)
        assert len(asha.take_fallen()) == 9
    assert not asha.held


def test_ties_in_accuracy_are_broken_by_the_lower_loss_and_full_ties_are_cut() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "a", 1, 0.5, 1.0) == "go on"
    assert reach(asha, "lower loss", 1, 0.5, 0.9) == "go on"
    assert reach(asha, "higher loss", 1, 0.5, 1.1) == "cut"
    assert reach(asha, "same as the best", 1, 0.5, 0.9) == "cut"


def test_a_rung_told_again_stays_as_it_was() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3)
    assert reach(asha, "a", 1, 0.5) == "go on"
    assert reach(asha, "b", 1, 0.4) == "cut"
    assert reach(asha, "b", 1, 0.9) == "go on"  # passed before, whatever it says now
    assert reach(asha, "c", 1, 0.6) == "go on"  # the best of three: b's second 0.9 was not taken in


def test_promotion_takes_the_best_third_of_those_that_wait_and_never_too_early() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant="promote")
    assert [reach(asha, f"t{i}", 1, val_acc) for i, val_acc in enumerate([0.5, 0.4])] == ["wait", "wait"]
    assert asha.next_released() is None  # two of them: a third is nobody
    assert reach(asha, "t2", 1, 0.3) == "wait"
    assert asha.next_released() == "t0"
    assert asha.next_released() is None
    assert reach(asha, "t3", 1, 0.6) == "go on"  # now the best of four; that t0 went on before does not hinder it
    assert reach(asha, "t4", 1, 0.55) == "wait"  # second of five, and a third of five is one
    assert asha.held == {"t1", "t2", "t4"}


def test_promotion_prefers_the_trial_furthest_up() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, variant="promote")
    verdicts = [reach(asha, f"t{i}", 1, 0.1 * i) for i in range(4)]
    assert verdicts == ["wait", "go on", "go on", "go on"]
    assert asha.next_released() is None
    reach(asha, "t2", 2, 0.3)
    assert reach(asha, "t3", 2, 0.2) == "wait"
    for i in range(4, 8):
        reach(asha, f"t{i}", 1, 0.05)
    assert asha.next_released() == "t2"  # at epoch 2, before anybody at epoch 1


def test_who_can_no_longer_be_among_the_best_waits_no_longer() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant="promote", configurations=5)
    assert [reach(asha, name, 1, val_acc) for name, val_acc in (("a", 0.5), ("b", 0.4))] == ["wait", "wait"]
    assert reach(asha, "c", 1, 0.3) == "cut"  # one of five goes on, and one is kept should it fail
    assert asha.next_released() == "a"
    assert reach(asha, "d", 1, 0.45) == "wait"
    assert asha.take_fallen() == {"b": Verdict("cut", "asha", 0.5)}
    assert asha.held == {"d"}


@pytest.mark.parametrize("replicates", [1, 2])
def test_what_an_earlier_driver_let_go_on_does_so_whatever_has_come_since(replicates: int) -> None:
    asha = Asha(
        epochs=20, grace_period=1, reduction_factor=3, variant="promote", configurations=3, replicates=replicates
    )
    for name, val_acc in (("went on", 0.5), ("b", 0.6), ("c", 0.7)):  # as a resume tells the rows, all at once
        for replicate in range(replicates):
            reach(asha, f"{name}-{replicate}", 1, val_acc, configuration=name)
    asha.let_pass("went on", 1)
    assert not any(trial.startswith("went on") for trial in asha.take_fallen())
    released = [asha.next_released() for _ in range(2 * replicates)]
    # c's last seed has been told to go on.
    last_of_c = ["c-0"] if replicates == 2 else []
    assert sorted(filter(None, released)) == [*last_of_c, *(f"went on-{replicate}" for replicate in range(replicates))]


@pytest.mark.parametrize("seed", range(100))
def test_letting_go_of_the_hopeless_changes_nothing_for_the_others(seed: int) -> None:
    draw = random.Random(seed)
    count, factor = draw.randint(1, 40), draw.randint(2, 4)
    both = [
        Asha(epochs=30, grace_period=1, reduction_factor=factor, variant="promote", configurations=known)
        for known in (count, sys.maxsize)
    ]
    names = [f"c{i}" for i in range(count)]
    at = dict.fromkeys(names, 0)
    longest = 0
    while True:
        released = [asha.next_released() for asha in both]
        assert released[0] == released[1]
        trial = released[0] or (names.pop() if names else None)
        if trial is None:
            break
        actions = ("go on", "go on")
        while actions == ("go on", "go on") and at[trial] < 30:
            at[trial] = next((rung for rung in both[0].rungs if rung > at[trial]), 30)
            row = {
                "epoch": at[trial],
                "val_acc": draw.randint(0, 20) / 20,
                "val_loss": draw.choice([1.0, 2.0, math.nan]),
            }
            actions = tuple(asha.told(trial, trial, row).action for asha in both)
        assert actions[0] == actions[1] or actions == ("cut", "wait")
        both[0].take_fallen()
        longest = max(longest, sum(at[held] == 1 for held in both[0].held))
    assert both[0].held <= both[1].held
    assert longest <= count // factor + 1


def test_when_nothing_new_comes_one_trial_is_trained_to_its_end_and_the_rest_falls() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant="promote")
    reach(asha, "a", 1, 0.5)
    reach(asha, "b", 1, 0.6)
    asha.close(one_must_finish=True)
    assert asha.next_released() == "b"
    asha.close(one_must_finish=False)
    assert list(asha.take_fallen()) == ["a"]
    assert not asha.held


def test_a_trial_that_ended_while_it_waited_holds_its_place_and_is_not_released() -> None:
    """As after `--extend trials`: an earlier driver had closed its rungs."""
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant="promote")
    for trial, val_acc in (("cut before", 0.9), ("waits", 0.8)):
        assert reach(asha, trial, 1, val_acc) == "wait"
    asha.ended("cut before", "cut before")
    assert reach(asha, "c", 1, 0.1) == "wait"
    assert asha.next_released() is None  # the one place of three is that of the best
    for i in range(3):
        reach(asha, f"d{i}", 1, 0.1 - 0.01 * i)
    assert asha.next_released() == "waits"
    asha.close(one_must_finish=True)
    assert asha.next_released() == "c"


def test_replicates_wait_for_one_another_and_are_judged_by_their_mean() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, replicates=2)
    assert reach(asha, "good-0", 1, 0.5, configuration="good") == "wait"
    assert reach(asha, "good-1", 1, 0.5, configuration="good") == "go on"
    assert asha.next_released() == "good-0"
    # A lucky seed and an unlucky one: 0.45 on average.
    assert reach(asha, "lucky-0", 1, 0.7, configuration="lucky") == "wait"
    assert reach(asha, "lucky-1", 1, 0.2, configuration="lucky") == "cut"
    assert list(asha.take_fallen()) == ["lucky-0"]
    assert asha.next_released() is None


def test_a_replicate_that_failed_is_not_waited_for_and_one_that_diverged_condemns_the_others() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, replicates=2)
    assert reach(asha, "a-0", 1, 0.5, configuration="a") == "wait"
    asha.ended("a-1", "a")
    assert asha.next_released() == "a-0"
    assert reach(asha, "b-0", 1, 0.9, configuration="b") == "wait"
    asha.ended("b-1", "b", diverged=True)
    assert list(asha.take_fallen()) == ["b-0"]


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_a_replicate_that_is_tried_again_goes_where_the_others_went(variant: str) -> None:
    """What a resume replays: `a-1` had failed before the first rung, so that `a-0` was judged there alone."""
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, variant=variant, replicates=2, configurations=4)
    reach(asha, "a-0", 1, 0.9, configuration="a")
    reach(asha, "a-0", 2, 0.9, configuration="a")
    for name in "bcd":
        for replicate in range(2):
            reach(asha, f"{name}-{replicate}", 1, 0.8, configuration=name)
    asha.take_fallen()
    assert reach(asha, "a-1", 1, 0.1, configuration="a") == "go on"
    assert "a-0" not in asha.take_fallen()
    assert "a-1" not in asha.held


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_a_replicate_that_is_tried_again_falls_where_the_others_fell(variant: str) -> None:
    """`a-1` had failed before the first rung; `a-0` waited there alone, and was cut as the search ended."""
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, variant=variant, replicates=2, configurations=4)
    assert reach(asha, "a-0", 1, 0.9, configuration="a") == "wait"
    asha.ended("a-0", "a")
    verdict = asha.told("a-1", "a", {"epoch": 1, "val_acc": 0.9, "val_loss": 1.0})
    assert (verdict.action, verdict.reason) == ("cut", "asha")
    assert asha.held == set()


def test_who_waits_beside_a_diverged_replicate_is_cut_at_once() -> None:
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, variant="promote", replicates=2, configurations=999)
    assert reach(asha, "a-0", 1, 0.9, configuration="a") == "wait"
    asha.ended("a-1", "a", diverged=True)
    assert list(asha.take_fallen()) == ["a-0"]


def test_brackets_leave_out_the_first_rungs_and_cost_alike() -> None:
    assert bracket_rungs(20, 1, 3, 3) == [[1, 3, 9], [3, 9], [9]]
    assert bracket_rungs(20, 1, 3, 9) == [[1, 3, 9], [3, 9], [9]]
    asha = Asha(epochs=20, grace_period=1, reduction_factor=3, brackets=3)
    drawn = [asha.bracket_of(f"c{i}") for i in range(6000)]
    costs = [drawn.count(b) * expected_epochs(rungs, 20, 3) for b, rungs in enumerate(bracket_rungs(20, 1, 3, 3))]
    assert max(costs) / min(costs) < 1.15
    late = next(f"c{i}" for i in range(100) if asha.bracket_of(f"c{i}") == 2)
    assert asha.told(late, late, {"epoch": 1, "val_acc": 0.0, "val_loss": 9.0}) == GO_ON


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_told_the_same_rows_another_asha_holds_the_same_trials(variant: str) -> None:
    """What a resume does: the rows in their order, without the moments at which trials were handed out."""
    rows = []
    asha = Asha(epochs=20, grace_period=1, reduction_factor=2, variant=variant, replicates=2)
    at_work = [(f"{c}-{r}", f"c{c}", 1) for c in range(12) for r in range(2)]
    while at_work:
        trial, configuration, epoch = at_work.pop(0)
        row = {"epoch": epoch, "val_acc": (int(configuration[1:]) * 7 % 12) / 20 + 0.01 * epoch, "val_loss": 1.0}
        rows.append((trial, configuration, row))
        if asha.told(trial, configuration, row) == GO_ON and epoch < 7:
            at_work.append((trial, configuration, epoch + 1))
        asha.take_fallen()
        released = asha.next_released()
        if released is not None and len(rows) < 60:
            last = max(row["epoch"] for told, _, row in rows if told == released)
            at_work.append((released, f"c{released.split('-')[0]}", last + 1))
    again = Asha(epochs=20, grace_period=1, reduction_factor=2, variant=variant, replicates=2)
    for trial, configuration, row in rows:
        again.told(trial, configuration, row)
    again.take_fallen()
    handed_out = set()
    while (released := again.next_released()) is not None:
        handed_out.add(released)
    while (released := asha.next_released()) is not None:
        handed_out.discard(released)
    reached = {trial: max(row["epoch"] for told, _, row in rows if told == trial) for trial, _, _ in rows}
    # What only the second one hands out had been handed out before the break, and had told nothing since.
    assert all(reached[trial] in asha.rungs for trial in handed_out)
    assert {t for t in again.held if t not in handed_out} == asha.held

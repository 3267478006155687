"""What configurations cut at different epochs would have reached, worked out by hand."""

import pytest

from sweep.tuning.estimates import estimated_best
from sweep.tuning.proposer import Outcome


def outcome(*val_acc: float) -> Outcome:
    return Outcome({}, "STOPPED", dict(enumerate(val_acc, 1)), {})


def test_a_short_curve_gains_what_the_longer_ones_gained_from_there() -> None:
    full, half, short = outcome(0.1, 0.3, 0.6), outcome(0.2, 0.3), outcome(0.15)
    # From epoch 1 to 2 they gained 0.2 and 0.1, from 2 to 3 only the first one did: 0.3.
    assert estimated_best([full, half, short]) == pytest.approx([0.6, 0.6, 0.15 + 0.15 + 0.3])


def test_a_curve_that_falls_again_counts_by_its_best_and_holes_do_not_matter() -> None:
    fallen, gap = outcome(0.5, 0.2), Outcome({}, "STOPPED", {1: 0.4, 3: 0.5}, {})
    assert estimated_best([fallen]) == [0.5]
    assert estimated_best([gap]) == [0.5]
    assert estimated_best([]) == []


def test_the_order_at_one_epoch_is_kept_and_length_alone_is_worth_nothing() -> None:
    curves = [outcome(0.3), outcome(0.2), outcome(0.3, 0.4, 0.45), outcome(0.1, 0.2)]
    estimates = estimated_best(curves)
    assert estimates[0] > estimates[1]
    assert estimates[3] < estimates[0]  # trained twice as long, and worse at every epoch

"""What configurations at different epochs would reach, so that a search may compare them."""

from collections.abc import Iterable
from statistics import fmean

from sweep.tuning.proposer import Outcome


def estimated_best(outcomes: Iterable[Outcome]) -> list[float]:
    """Of each outcome: the highest val_acc by its last epoch, and what others have gained on average from there on.

    Those others are all that have gone further, each with what it gained to its own last epoch. That is generous to
    weak configurations, as the ones that went further are the better ones, but keeps their order at each epoch, and
    neither rewards nor punishes a configuration for how long it was let train.
    """
    curves = [_running_best(outcome) for outcome in outcomes]
    longest = max((len(curve) for curve in curves), default=0)
    # What is gained from epoch t to t + 1, by those that have trained it; what nobody has trained gains nothing.
    steps = [
        fmean(curve[t + 1] - curve[t] for curve in curves if len(curve) > t + 1)
        for t in range(longest - 1)
    ]
    return [curve[-1] + sum(steps[len(curve) - 1 :]) for curve in curves]


def _running_best(outcome: Outcome) -> list[float]:
    """The highest val_acc by each epoch that was told; at least one was."""
    best, curve = 0.0, []
    for epoch in sorted(outcome.val_acc):
        best = max(best, outcome.val_acc[epoch])
        curve.append(best)
    return curve

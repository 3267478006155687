"""Asynchronous successive halving, stopping variant (Li et al. 2020, "A System for Massively Parallel Hyperparameter
Tuning"): a trial that reaches a rung stays if it is among the best 1/eta of those that have reached it so far.

Plain bookkeeping without Ray, so that a resumed sweep can fill the rungs from the stored rows.
"""

import math


class Asha:
    """The rungs of one bracket and who stood on them.

    Against Ray Tune's own: a loss that is not finite ranks last instead of passing every rung, ties in accuracy are
    broken by the lower loss, and being told the same (trial, rung) twice changes nothing.
    """

    def __init__(self, *, epochs: int, grace_period: int, reduction_factor: int) -> None:
        """The rungs are at grace_period * reduction_factor**k epochs, below `epochs`."""
        self.reduction_factor = reduction_factor
        self.rungs = rung_epochs(epochs, grace_period, reduction_factor)
        self._scores: dict[int, dict[str, tuple[float, float]]] = {rung: {} for rung in self.rungs}

    def record(self, trial_id: str, epoch: int, *, val_acc: float, val_loss: float) -> bool:
        """Note what a trial had when it reached `epoch`. False if that is no rung, or is known already."""
        if epoch not in self._scores or trial_id in self._scores[epoch]:
            return False
        finite = math.isfinite(val_loss) and math.isfinite(val_acc)
        self._scores[epoch][trial_id] = (val_acc, -val_loss) if finite else (-math.inf, -math.inf)
        return True

    def keeps(self, trial_id: str, epoch: int) -> bool:
        """Whether a recorded trial may train beyond `epoch`, by what is known now."""
        scores = self._scores.get(epoch, {})
        if trial_id not in scores:
            return True
        places = max(1, len(scores) // self.reduction_factor)
        better = sum(score > scores[trial_id] for score in scores.values())
        equal = sum(score == scores[trial_id] for score in scores.values()) - 1
        return better + equal < places


def rung_epochs(epochs: int, grace_period: int, reduction_factor: int) -> list[int]:
    """The epochs after which trials are compared, ascending; none if grace_period >= epochs."""
    rungs = []
    rung = grace_period
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return rungs

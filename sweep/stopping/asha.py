"""Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning").

At each rung (an epoch) 1 in `reduction_factor` of the configurations goes on. Two variants: `stop` decides at once,
among those that have come so far, and what is cut is gone; `promote` lets a configuration wait at the rung, its
place free for another, and trains it on once it is among the best of those that have come by then. It is cut
when it no longer can be, however those that are still to come do.

Against Ray Tune's own: configurations may be ranked by what they promise instead of what they show (see `forecast`),
what is not finite never advances, ties are broken by the lower loss, the replicates
of a configuration advance or fall together, by their mean, brackets share the configurations so that each costs as many
epochs, and being told the same epoch twice changes nothing, so that a resumed sweep fills the rungs from stored rows.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal

from sweep.stopping.forecast import RankBy, forecast
from sweep.stopping.rung import Rung
from sweep.stopping.verdict import GO_ON, WAIT, Verdict

Variant = Literal["stop", "promote"]


class Asha:
    """The rungs, who stands on them, and who waits there."""

    def __init__(
        self,
        *,
        epochs: int,
        grace_period: int,
        reduction_factor: int,
        variant: Variant = "stop",
        brackets: int = 1,
        replicates: int = 1,
        rank_by: RankBy = "val_acc",
        configurations: int = sys.maxsize,
    ) -> None:
        """Bracket b has its rungs at grace_period * reduction_factor**(b + k) epochs, below `epochs`.

        configurations: how many will come, at most.
        """
        self._epochs = epochs
        self._variant = variant
        self._rank_by = rank_by
        self._replicates = replicates
        self._brackets = [
            {rung: Rung(reduction_factor, configurations) for rung in rungs}
            for rungs in bracket_rungs(epochs, grace_period, reduction_factor, brackets)
        ]
        self.rungs = sorted({rung for rungs in self._brackets for rung in rungs})  # of all brackets
        self._shares = _equal_cost_shares([list(rungs) for rungs in self._brackets], epochs, reduction_factor)
        self._waiting: dict[str, dict[str, int]] = {}  # by configuration: its waiting trials, and at which rung
        self._gone: dict[str, dict[str, bool]] = {}  # by configuration: trials that ended on their own; diverged?
        self._released: list[str] = []  # trials that may train on, but are not at work
        self._fallen: dict[str, Verdict] = {}  # waiting trials that have been cut

    def told(self, trial: str, configuration: str, row: Mapping[str, Any]) -> Verdict:
        """A trial of a configuration has told an epoch.

        row: of the `epochs` table, with `epoch`, `val_acc`, `val_loss`, and `gap_acc` to rank by forecast.
        """
        epoch = row["epoch"]
        self._at_work(trial, configuration)
        rungs = self._brackets[self.bracket_of(configuration)]
        for passed, rung in rungs.items():
            if passed < epoch and trial in rung.trials_of(configuration) and configuration not in rung.advanced:
                self._advance(configuration, passed)  # it could not be here otherwise: an earlier driver let it pass
        rung_here = rungs.get(epoch)
        if rung_here is None:
            return GO_ON
        score = forecast(row, self._epochs) if self._rank_by == "forecast" else row["val_acc"]
        if not rung_here.enter(configuration, trial, score, row["val_loss"]):
            return GO_ON
        waiting = self._waiting.setdefault(configuration, {})
        waiting[trial] = epoch
        if configuration in rung_here.advanced:
            self._advance(configuration, epoch)  # a replicate that is tried again goes where the others went
        elif (rung_here.trials_of(configuration).keys() - {trial}) & self._gone.get(configuration, {}).keys():
            # A replicate that is tried again falls where the others fell.
            if configuration not in rung_here:
                rung_here.rank(configuration)
            self._let_fall(configuration)
            return self._fallen.pop(trial)
        self._rank_if_complete(configuration, epoch)
        if trial in self._released:
            self._released.remove(trial)
            return GO_ON
        return self._fallen.pop(trial, WAIT)

    def ended(self, trial: str, configuration: str, *, diverged: bool = False) -> None:
        """A trial will reach no further rung: it completed, failed, or another rule ended it. Nobody waits for it.

        diverged: its configuration ranks last from here on, whatever its other replicates do.
        """
        self._at_work(trial, configuration)
        gone = self._gone.setdefault(configuration, {})
        gone[trial] = diverged or gone.get(trial, False)
        for epoch in set(self._waiting.get(configuration, {}).values()):
            self._rank_if_complete(configuration, epoch)

    def let_pass(self, configuration: str, epoch: int) -> None:
        """An earlier driver let a configuration go on from the rung at `epoch`, whatever has come since."""
        rung = self._brackets[self.bracket_of(configuration)].get(epoch)
        if rung is not None and configuration not in rung.advanced:
            fallen = [trial for trial in rung.trials_of(configuration) if self._fallen.pop(trial, None)]
            self._advance(configuration, epoch)
            self._released += fallen

    def next_released(self) -> str | None:
        """A waiting trial that may train on now, the one furthest up first; None if there is none."""
        if not self._released and self._variant == "promote":
            self._advance_best()
        return self._released.pop(0) if self._released else None

    def take_fallen(self) -> dict[str, Verdict]:
        """The waiting trials that were cut since this was last asked."""
        fallen, self._fallen = self._fallen, {}
        return fallen

    @property
    def lets_wait(self) -> bool:
        """Whether any trial may come to wait: for others to compare with, or for the other replicates."""
        return bool(self.rungs) and (self._variant == "promote" or self._replicates > 1)

    @property
    def held(self) -> set[str]:
        """The trials that have reached a rung and not left it: waiting, released but not handed out, or fallen."""
        waiting = (trial for trials in self._waiting.values() for trial in trials)
        return {*waiting, *self._released, *self._fallen}

    def standings(self) -> dict[tuple[int, int], list[tuple[str, float, float, bool]]]:
        """By (bracket, epoch), the best first: configuration, mean score, mean val_loss, and whether it advanced."""
        return {
            (bracket, epoch): rung.standing()
            for bracket, rungs in enumerate(self._brackets)
            for epoch, rung in rungs.items()
        }

    def close(self, *, one_must_finish: bool) -> None:
        """No other configuration will come: what waits falls. one_must_finish: but the best of the highest rung."""
        if one_must_finish and self._advance_best(anywhere=True):
            return
        for configuration in list(self._waiting):
            self._let_fall(configuration)

    def bracket_of(self, configuration: str) -> int:
        """Drawn from its identity, so that a resumed sweep draws the same."""
        draw = int.from_bytes(hashlib.sha256(configuration.encode()).digest()[:8]) / 2**64
        for bracket, share in enumerate(self._shares):
            draw -= share
            if draw < 0:
                return bracket
        return len(self._shares) - 1

    def _rank_if_complete(self, configuration: str, epoch: int) -> None:
        rung = self._brackets[self.bracket_of(configuration)][epoch]
        gone = self._gone.get(configuration, {})
        if configuration in rung or len(rung.trials_of(configuration).keys() | gone.keys()) < self._replicates:
            return
        rung.rank(configuration, last=any(gone.values()))
        if configuration not in rung.advanced:
            if rung.is_among_the_best(configuration, at_least=1 if self._variant == "stop" else 0):
                self._advance(configuration, epoch)
            elif self._variant == "stop" or any(gone.values()):
                self._let_fall(configuration)  # nothing can bring it among the best
        hopeless = rung.pushed_out(configuration)
        if hopeless is not None and self._waits(epoch, hopeless):
            self._let_fall(hopeless)

    def _advance_best(self, *, anywhere: bool = False) -> bool:
        """Let the best configuration of the highest rung that has one go on. False if none does."""
        for epoch in reversed(self.rungs):
            for rungs in self._brackets:
                waits = partial(self._waits, epoch)
                best = rungs[epoch].best(waits, anywhere=anywhere) if epoch in rungs else None
                if best is not None:
                    self._advance(best, epoch)
                    return True
        return False

    def _waits(self, epoch: int, configuration: str) -> bool:
        return epoch in self._waiting.get(configuration, {}).values()

    def _at_work(self, trial: str, configuration: str) -> None:
        """It neither waits nor is about to leave its rung."""
        self._waiting.get(configuration, {}).pop(trial, None)
        if trial in self._released:
            self._released.remove(trial)
        self._fallen.pop(trial, None)

    def _advance(self, configuration: str, epoch: int) -> None:
        self._brackets[self.bracket_of(configuration)][epoch].advanced.add(configuration)
        waiting = self._waiting.get(configuration, {})
        released = [trial for trial, rung in waiting.items() if rung == epoch]  # others may wait further up
        for trial in released:
            del waiting[trial]
        self._released += released

    def _let_fall(self, configuration: str) -> None:
        """What waits of it is cut, with its place at the rung, from 0 for the best to 1."""
        rungs = self._brackets[self.bracket_of(configuration)]
        for trial, epoch in self._waiting.pop(configuration, {}).items():
            place = rungs[epoch].place_of(configuration) if configuration in rungs[epoch] else None
            self._fallen[trial] = Verdict("cut", "asha", place)


def bracket_rungs(epochs: int, grace_period: int, reduction_factor: int, brackets: int) -> list[list[int]]:
    """The rungs of each bracket; brackets that would have none but the first are left out."""
    first = rung_epochs(epochs, grace_period, reduction_factor)
    return [first, *(first[b:] for b in range(1, brackets) if first[b:])]


def rung_epochs(epochs: int, grace_period: int, reduction_factor: int) -> list[int]:
    """The epochs after which trials are compared, ascending; none if grace_period >= epochs."""
    rungs = []
    rung = grace_period
    while rung < epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return rungs


def expected_epochs(rungs: Iterable[int], epochs: int, reduction_factor: int) -> float:
    """What a configuration costs on average when one in `reduction_factor` passes each rung."""
    cost, alive, reached = 0.0, 1.0, 0
    for rung in [*rungs, epochs]:
        cost += alive * (rung - reached)
        alive, reached = alive / reduction_factor, rung
    return cost


def _equal_cost_shares(brackets: list[list[int]], epochs: int, reduction_factor: int) -> list[float]:
    """The part of the configurations that each bracket gets, so that all brackets cost alike."""
    weights = [1 / expected_epochs(rungs, epochs, reduction_factor) for rungs in brackets]
    return [weight / sum(weights) for weight in weights]

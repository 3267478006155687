"""All that may end a trial before its last epoch, asked once an epoch."""

from collections.abc import Sequence
from typing import Any

from sweep.stopping.asha import Asha
from sweep.stopping.divergence import Divergence
from sweep.stopping.rule import StopRule
from sweep.stopping.verdict import GO_ON, Verdict
from sweep.training.divergence import not_finite


class EarlyStopping:
    """Divergence first, then the rules on the trial's own curve, then its comparison with others at the rungs.

    The live driver, a resumed one that reads the stored rows, and the simulation ask the same object.
    """

    def __init__(self, asha: Asha | None, rules: Sequence[StopRule] = (), *, epochs: int) -> None:
        """epochs: of a trial that nothing ends early."""
        self.asha = asha
        self._rules = tuple(rules)
        self._epochs = epochs

    def told(self, trial: str, configuration: str, history: Sequence[dict[str, Any]]) -> Verdict:
        """What is to become of a trial after the last epoch of `history`, its rows from epoch 1 on.

        A trial that is started again tells earlier epochs again; those it has passed, whoever has come since.
        """
        verdict = self._on_its_own(history)
        if self.asha is None:
            return verdict
        if verdict.action == "cut":
            self.asha.ended(trial, configuration, diverged=verdict.reason == "diverged")
            return verdict
        return self.asha.told(trial, configuration, history[-1])

    def ended(self, trial: str, configuration: str, *, diverged: bool = False) -> None:
        """A trial has ended, however it did. diverged: of a loss that its stored rows need not have."""
        if self.asha is not None:
            self.asha.ended(trial, configuration, diverged=diverged)

    @property
    def rungs(self) -> list[int]:
        """The epochs after which trials are compared, ascending."""
        return [] if self.asha is None else self.asha.rungs

    @property
    def lets_wait(self) -> bool:
        """Whether any trial may come to wait at a rung."""
        return self.asha is not None and self.asha.lets_wait

    @property
    def held(self) -> set[str]:
        """Trials that wait at a rung, or are about to leave it."""
        return set() if self.asha is None else self.asha.held

    def let_pass(self, configuration: str, epoch: int) -> None:
        """A configuration goes on from the rung at `epoch`: an earlier driver has let it."""
        if self.asha is not None:
            self.asha.let_pass(configuration, epoch)

    def next_released(self) -> str | None:
        """A trial that has waited and is to train on now; None if there is none."""
        return None if self.asha is None else self.asha.next_released()

    def take_fallen(self) -> dict[str, Verdict]:
        """Trials that waited and have been cut, each once."""
        return {} if self.asha is None else self.asha.take_fallen()

    def close(self, *, one_must_finish: bool) -> None:
        """Nothing runs and nothing new will come: all that waits falls, but for one if none has finished yet."""
        if self.asha is not None:
            self.asha.close(one_must_finish=one_must_finish)

    def _on_its_own(self, history: Sequence[dict[str, Any]]) -> Verdict:
        value = not_finite(history[-1])
        if value is not None:
            return Verdict("cut", "diverged", value)
        at_its_end = history[-1]["epoch"] >= self._epochs
        for rule in self._rules:
            if at_its_end and not isinstance(rule, Divergence):
                continue  # nothing is left to be spared
            value = rule.fires(history)
            if value is not None:
                return Verdict("cut", rule.reason, value)
        return GO_ON

"""Ends a Tune run gently: no trial starts any more, and those that run end with the epoch they are in."""

from collections.abc import Iterable


class Drain:
    """`begun`: whether it is under way. `done`: whether nothing that ran when it began runs any more."""

    def __init__(self) -> None:
        self.begun = False
        self.reason: str | None = None  # of the budget, if that is why
        self._running: set[str] = set()

    @property
    def done(self) -> bool:
        return self.begun and not self._running

    def begin(self, running: Iterable[str], *, reason: str | None = None) -> None:
        """running: the ids of the trials whose epochs are waited for. reason: what of the budget is used up."""
        self.begun = True
        self.reason = reason
        self._running = set(running)

    def ended(self, trial_id: str) -> None:
        """A trial has told its epoch, or failed."""
        self._running.discard(trial_id)

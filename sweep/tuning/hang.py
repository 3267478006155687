"""Ends trials that give no sign of life."""

import time
from typing import Any

import ray
from ray.tune.experiment import Trial as TuneTrial

# The part of `trial_timeout` for which the driver itself has to stand still to be blamed for the silence.
PAUSE = 0.1


class HangWatch:
    """Kills the worker of a trial that tells no epoch for `timeout_s`; Tune then starts the trial again.

    From outside, as a process that hangs may not run any code of ours.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._looked = time.monotonic()
        # Of those that run, by Tune's id: the trial, and when; monotonic, which stands still while a laptop sleeps.
        self._last_sign: dict[str, tuple[TuneTrial, float]] = {}

    def alive(self, trial: TuneTrial) -> None:
        """A trial has started or told an epoch."""
        self._last_sign[trial.trial_id] = trial, time.monotonic()

    def ended(self, trial: TuneTrial) -> None:
        """A trial has ended, or its worker is gone."""
        self._last_sign.pop(trial.trial_id, None)

    def end_hanging(self) -> list[TuneTrial]:
        """Kill the workers of those that hang. Returns their trials."""
        if self._timeout_s is None:
            return []
        now = time.monotonic()
        pause = now - self._looked
        self._looked = now
        if pause > PAUSE * self._timeout_s:  # what workers have told meanwhile waits to be read
            self._last_sign = {key: (trial, sign + pause) for key, (trial, sign) in self._last_sign.items()}
        late = now - self._timeout_s
        hanging = [trial for trial, sign in self._last_sign.values() if sign < late]
        for trial in hanging:
            self.ended(trial)
            _kill_worker(trial)
        return hanging


def _kill_worker(trial: Any) -> None:
    actor = trial.temporary_state.ray_actor
    if actor is not None:
        ray.kill(actor)

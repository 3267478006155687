"""Says what trials wait for while none can run."""

import time
from collections.abc import Callable
from typing import Any

from cluster.waiting import SAY_EVERY_S, what_is_missing
from sweep.resources import ResourceSettings

# Workers that start take seconds, too.
PATIENCE_S = 20.0
LOOK_EVERY_S = 1.0


class Waiting:
    """Looked at after every step of Tune."""

    def __init__(self, resources: ResourceSettings, announce: Callable[[str], None]) -> None:
        self._resources = resources
        self._announce = announce
        self._next_at: float | None = None  # monotonic; None while something runs
        self._looked = time.monotonic()

    def look(self, trials: list[Any]) -> None:
        """trials: Tune's, all of them."""
        if time.monotonic() - self._looked < LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        states = {trial.status for trial in trials}
        if "RUNNING" in states or "PENDING" not in states:
            self._next_at = None
        elif self._next_at is None:
            self._next_at = time.monotonic() + PATIENCE_S
        elif time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + SAY_EVERY_S
            self._announce(what_is_missing(self._resources.cpus_per_trial, self._resources.gpus_per_trial))

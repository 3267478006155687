"""How many trials may run at once, on a cluster that nodes join and leave."""

import time

from cluster.errors import PreflightError
from cluster.preflight import trials_at_once
from sweep.spec import ResourceSettings

LOOK_EVERY_S = 5.0


class Places:
    """Counted when it is made, which raises PreflightError if no node can hold a trial, and every few seconds after."""

    def __init__(self, resources: ResourceSettings, *, elastic: bool) -> None:
        """elastic: whether nodes may join or leave."""
        self._resources = resources
        self._elastic = elastic
        self._count = self._counted()
        self._looked = time.monotonic()

    def now(self) -> int:
        """At least 1: where the last node has gone, a trial waits for the next one."""
        if self._elastic and time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            try:
                self._count = self._counted()
            except PreflightError:
                self._count = 1
        return self._count

    def _counted(self) -> int:
        places = trials_at_once(self._resources.cpus_per_trial, self._resources.gpus_per_trial)
        return min(places, self._resources.max_concurrent or places)

"""How many trials may be under way at once, on a cluster that nodes join and leave."""

import os
import time

from cluster.autoscaler import has_autoscaler
from cluster.preflight import places_by_gpu, trials_at_once
from sweep.resources import ResourceSettings

LOOK_EVERY_S = 5.0


class Places:
    """Counted when it is made, and every few seconds after where nodes may join or leave."""

    def __init__(self, resources: ResourceSettings, *, elastic: bool) -> None:
        self._resources = resources
        self._elastic = elastic
        self._autoscaled = elastic and has_autoscaler()
        self._count = self._counted()
        self._looked = time.monotonic()

    def now(self) -> int:
        """At least 1: where the last node has gone, a trial waits for the next one."""
        if self._elastic and time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            self._count = self._counted()
        return self._count

    def _counted(self) -> int:
        places = max(1, trials_at_once(self._resources.cpus_per_trial, self._resources.gpus_per_trial))
        most = self._resources.max_concurrent
        if self._autoscaled:
            # Only for trials that wait are nodes started.
            return most or 2 * places
        return min(places, most or places)


def places_here(resources: ResourceSettings) -> int:
    """How many trials may be under way at once on this machine, before Ray runs; at least 1.

    Its GPUs do not count where it has none, and the sweep is for another machine.
    """
    places = int((os.cpu_count() or 1) / resources.cpus_per_trial)
    if resources.gpus_per_trial > 0:
        import torch

        if gpus := torch.cuda.device_count():
            places = min(places, int(places_by_gpu(gpus, resources.gpus_per_trial)))
    return max(1, min(places, resources.max_concurrent or places))

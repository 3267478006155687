"""The machines of a simulated sweep: how many trials at once, how fast, how reliable."""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class VirtualCluster:
    """workers: trials at once. speed_spread: standard deviation of the logarithm of a worker's speed, 0: all alike.

    failure_rate: the probability that an epoch is lost with its process, to be trained again.
    start_s: from a place's being free to a trial's first step, in seconds. slowdown: of every epoch against the
    recorded time, for other hardware or more trials on one.
    """

    workers: int
    speed_spread: float = 0.0
    failure_rate: float = 0.0
    start_s: float = 0.0
    slowdown: float = 1.0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers: got {self.workers}; allowed: an integer from 1")
        if not 0 <= self.failure_rate < 1:
            raise ValueError(f"failure_rate: got {self.failure_rate}; allowed: a number from 0 to below 1")
        for name in ("speed_spread", "start_s", "slowdown"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: got {getattr(self, name)}; allowed: a finite number from 0")

    def durations(self, rng: random.Random) -> list[float]:
        """Of each worker: its factor on the recorded time of an epoch."""
        return [self.slowdown * rng.lognormvariate(0.0, self.speed_spread) for _ in range(self.workers)]

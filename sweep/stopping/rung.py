"""One rung of successive halving: the configurations that have reached it, ranked."""

import math
import sys
from bisect import bisect_left, insort
from collections.abc import Callable
from statistics import fmean

# Higher is better: accuracy (or its forecast), then the lower loss.
Score = tuple[float, float]

WORST: Score = (-math.inf, -math.inf)


class Rung:
    """Ranks a configuration by the mean over its replicates, once all of them are here."""

    def __init__(self, reduction_factor: int, most: int = sys.maxsize) -> None:
        """most: how many configurations will ever come, at most."""
        self.advanced: set[str] = set()  # configurations that may train beyond it
        self._reduction_factor = reduction_factor
        self._most_places = most // reduction_factor + 1  # one to spare, should those fail that go on
        self._scores: dict[str, dict[str, Score]] = {}  # by configuration, by trial
        self._ranked: dict[str, Score] = {}
        self._sorted: list[tuple[float, float, str]] = []  # best first: both numbers negated

    def __contains__(self, configuration: str) -> bool:
        """Whether it is ranked."""
        return configuration in self._ranked

    def trials_of(self, configuration: str) -> dict[str, Score]:
        """Its trials that have reached this rung."""
        return self._scores.get(configuration, {})

    def enter(self, configuration: str, trial: str, score: float, val_loss: float) -> bool:
        """A trial has reached the rung. False if that is known. What is not finite ranks last."""
        scores = self._scores.setdefault(configuration, {})
        if trial in scores:
            return False
        finite = math.isfinite(val_loss) and math.isfinite(score)
        scores[trial] = (score, -val_loss) if finite else WORST
        return True

    def rank(self, configuration: str, *, last: bool = False) -> None:
        """All trials of a configuration that will ever come are here. last: rank it behind all others."""
        scores = self._scores[configuration].values()
        mean = WORST if last else (fmean(score[0] for score in scores), fmean(score[1] for score in scores))
        self._ranked[configuration] = mean
        insort(self._sorted, (-mean[0], -mean[1], configuration))

    def is_among_the_best(self, configuration: str, *, at_least: int) -> bool:
        """Whether it is in the top 1/reduction_factor, of which there are `at_least` so many. Full ties are not."""
        mean = self._ranked[configuration]
        not_worse = bisect_left(self._sorted, (-mean[0], -mean[1], "\U0010ffff"))
        return not_worse <= self._places(at_least) and mean != WORST

    def best(self, waits: Callable[[str], bool], *, anywhere: bool = False) -> str | None:
        """The best of the configurations that wait here in the top 1/reduction_factor; None if there is none.

        anywhere: wherever it stands. One whose loss is not finite it never is.
        """
        for _, _, configuration in self._sorted[: None if anywhere else self._places(0)]:
            if waits(configuration) and self._ranked[configuration] != WORST:
                return configuration
        return None

    def pushed_out(self, configuration: str) -> str | None:
        """Who can no longer be among the best since `configuration` was ranked: itself, another, or nobody."""
        score, loss = self._ranked[configuration]
        position = bisect_left(self._sorted, (-score, -loss, configuration))
        beyond = max(position, self._most_places)
        return self._sorted[beyond][2] if beyond < len(self._sorted) else None

    def standing(self) -> list[tuple[str, float, float, bool]]:
        """The best first: configuration, mean score, mean val_loss, whether it has advanced."""
        return [(name, -score, loss, name in self.advanced) for score, loss, name in self._sorted]

    def place_of(self, configuration: str) -> float:
        """The part of the ranked configurations that are better, from 0 (the best) to below 1."""
        mean = self._ranked[configuration]
        return bisect_left(self._sorted, (-mean[0], -mean[1], "")) / len(self._sorted)

    def _places(self, at_least: int) -> int:
        return max(at_least, len(self._sorted) // self._reduction_factor)

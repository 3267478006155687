"""Search without feedback: a list of configurations made beforehand, in full, at random or evenly spread."""

import json
import math
import random
from collections import OrderedDict
from typing import Any

from search_spaces.effective import distinct, training_key
from search_spaces.space import MAX_GRID, SearchSpace
from sweep.tuning.proposer import Outcome

# Draws in a row that give nothing new before what is left of a finite space is taken as it comes.
_PATIENCE = 1000


class ListedProposer:
    """Gives the configurations of a list in order; is not interested in how they end."""

    learns = False

    def __init__(self, configurations: list[dict[str, Any]]) -> None:
        # The first one goes at no cost, which a plain dict makes dearer each time.
        self._left = OrderedDict((json.dumps(configuration), configuration) for configuration in configurations)
        self._by_training: dict[str, str] | None = None  # worked out once it is needed

    def propose(self) -> dict[str, Any] | None:
        return self._left.popitem(last=False)[1] if self._left else None

    def adopt(self, configuration: dict[str, Any]) -> None:
        if self._left.pop(json.dumps(configuration), None) is not None:
            return
        if self._by_training is None:
            self._by_training = {training_key(each): text for text, each in self._left.items()}
        alike = self._by_training.get(training_key(configuration))
        if alike is not None and self._left.pop(alike, None) is not None:
            return
        if self._left:
            self._left.popitem()  # an earlier version drew another list, which was as long

    def tell(self, outcome: Outcome) -> None:
        del outcome

    def observe(self, outcome: Outcome) -> None:
        del outcome


def sample_configurations(space: SearchSpace, count: int, seed: int) -> list[dict[str, Any]]:
    """`count` configurations drawn at random that train differently, or all of a space that has no more."""
    rng = random.Random(seed)
    there_are = math.inf if space.cardinality is None else space.cardinality
    if there_are <= min(count, MAX_GRID):
        listed = distinct(space)
        return rng.sample(listed, len(listed))
    drawn: dict[str, dict[str, Any]] = {}
    misses = 0
    while len(drawn) < count and misses < _PATIENCE:
        configuration = space.sample(rng)
        new = drawn.setdefault(training_key(configuration), configuration) is configuration
        misses = 0 if new else misses + 1
    if len(drawn) < count and there_are <= MAX_GRID:
        grid = space.grid()
        for configuration in rng.sample(grid, len(grid)):
            drawn.setdefault(training_key(configuration), configuration)
    return list(drawn.values())[:count]

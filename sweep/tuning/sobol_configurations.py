"""Configurations spread evenly over a space: a scrambled Sobol sequence (Sobol 1967, Owen 1998), as scipy draws it."""

import math
from typing import Any

from search_spaces.effective import count_distinct, training_key
from search_spaces.space import MAX_GRID, SearchSpace

# Points drawn for each configuration wanted before the rest of a finite space is taken in its own order.
_PATIENCE = 16


def sobol_configurations(space: SearchSpace, count: int, seed: int) -> list[dict[str, Any]]:
    """`count` configurations that train differently, or all of a space that has no more.

    More of them begin with the same ones.
    """
    from scipy.stats import qmc  # loads for more than a second, and only this search needs it

    wanted = min(number for number in (count, count_distinct(space)) if number is not None)
    sequence = qmc.Sobol(len(space.searched), scramble=True, rng=seed)
    spread: dict[str, dict[str, Any]] = {}
    block = 2 ** math.ceil(math.log2(max(wanted, 2)))  # powers of two keep the sequence balanced
    while len(spread) < wanted and sequence.num_generated < _PATIENCE * block:
        for point in sequence.random(block).tolist():
            values = {name: domain.at(part) for (name, domain), part in zip(space.searched.items(), point, strict=True)}
            configuration = space.resolve(values)
            spread.setdefault(training_key(configuration), configuration)
    if len(spread) < wanted and space.cardinality is not None and space.cardinality <= MAX_GRID:
        for configuration in space.grid():
            spread.setdefault(training_key(configuration), configuration)
    return list(spread.values())[:wanted]

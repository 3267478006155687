"""Which configurations train the same network in the same way: those that differ only in what has no effect."""

import json
from collections.abc import Mapping

from search_spaces.domains import Value
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.space import SearchSpace

# What a layer that is not there would have been given.
OF_LAYER = {"d": ("drop_rate",), "b": ("momentum", "eps")}
# Of more the copies are not counted: that takes a fifth of a second for so many.
_COUNTED = 10_000


def training_key(configuration: Mapping[str, Value]) -> str:
    """The same text for canonical configurations whose trials would be copies of each other, number by number."""
    # Dropout multiplies by 0 or by a positive number, so that it and a ReLU beside it may change places.
    order = str(configuration["layer_order"]).replace("dr", "rd")
    if configuration["drop_rate"] == 0:
        order = order.replace("d", "")
    inert = [name for letter, names in OF_LAYER.items() if letter not in order for name in names]
    if configuration["optimizer"] == "adam":
        inert.append("sgd_momentum")
    inert.append("augment")  # the name of a preset, whose strengths are there by themselves
    defaults = {name: HYPERPARAMETERS[name].default for name in inert}
    return json.dumps({**configuration, "layer_order": order, **defaults})


def distinct(space: SearchSpace) -> list[dict[str, Value]]:
    """Every configuration of a finite space, in the grid's order; of those that train the same the first.

    Raises SpecError as `grid` does.
    """
    first: dict[str, dict[str, Value]] = {}
    for configuration in space.grid():
        first.setdefault(training_key(configuration), configuration)
    return list(first.values())


def count_distinct(space: SearchSpace) -> int | None:
    """How many configurations there are that train differently; None if a domain is continuous.

    Of a very large space, where it makes no difference, how many there are.
    """
    count = space.cardinality
    return count if count is None or count > _COUNTED else len(distinct(space))

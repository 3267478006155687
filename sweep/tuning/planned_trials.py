"""How large a sweep is meant to be."""

from search_spaces.effective import count_distinct
from sweep.spec import SweepSpec


def planned_trials(spec: SweepSpec) -> int:
    """How many trials a sweep of `spec` has when it is done."""
    return planned_configurations(spec) * spec.replicates


def planned_configurations(spec: SweepSpec) -> int:
    """How many configurations it tries, each with all its replicates."""
    if spec.configurations is not None:
        return len(spec.configurations[: spec.search.trials])
    space = spec.search_space
    there_are = space.cardinality if spec.search.algorithm == "grid" else count_distinct(space)
    return min(count for count in (spec.search.trials, there_are) if count is not None)

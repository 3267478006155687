"""How large a sweep is meant to be."""

from sweep.spec import SweepSpec


def planned_trials(spec: SweepSpec) -> int:
    """How many trials a sweep of `spec` has when it is done."""
    return planned_configurations(spec) * spec.replicates


def planned_configurations(spec: SweepSpec) -> int:
    """How many configurations it tries, each with all its replicates."""
    if spec.configurations is not None:
        return len(spec.configurations[: spec.search.trials])
    return min(count for count in (spec.search.trials, spec.search_space.cardinality) if count is not None)

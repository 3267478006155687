"""How large a sweep is meant to be."""

from sweep.spec import SweepSpec


def planned_trials(spec: SweepSpec) -> int:
    """How many trials a sweep of `spec` has when it is done."""
    if spec.configurations is not None:
        return len(spec.configurations[: spec.search.trials]) * spec.replicates
    counts = [count for count in (spec.search.trials, spec.search_space.cardinality) if count is not None]
    return min(counts) * spec.replicates

"""How large a sweep is meant to be."""

from sweep.spec import SweepSpec


def planned_trials(spec: SweepSpec) -> int:
    """How many trials a sweep of `spec` has when it is done."""
    counts = [count for count in (spec.search.trials, spec.search_space.cardinality) if count is not None]
    return min(counts) * spec.replicates

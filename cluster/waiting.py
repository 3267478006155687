"""Trials that wait for a place: what they wait for, and whether it can come."""

from collections.abc import Callable

from cluster.autoscaler import has_autoscaler, nodes_on_their_way, says_impossible
from cluster.errors import PreflightError
from cluster.preflight import no_place, trials_at_once

SAY_EVERY_S = 60
IMPOSSIBLE_FOR_S = 10
_LOOK_EVERY_S = 1


def wait_for_a_place(cpus_per_trial: float, gpus_per_trial: float, announce: Callable[[str], None]) -> bool:
    """Return once a node could hold a trial, which may take until the autoscaler has started one: whether it did.

    Raises PreflightError if none has that and the autoscaler has no such node to start, or there is no autoscaler.
    """
    if trials_at_once(cpus_per_trial, gpus_per_trial) > 0:
        return False
    if not has_autoscaler():
        raise PreflightError(no_place(cpus_per_trial, gpus_per_trial))
    from ray.util.placement_group import placement_group, remove_placement_group

    bundle = _bundle(cpus_per_trial, gpus_per_trial)
    wish = placement_group([bundle])  # what the autoscaler looks at
    waited = impossible_s = 0
    try:
        while trials_at_once(cpus_per_trial, gpus_per_trial) == 0:
            # It says the same while all that it may have of a type still start, for somebody else's sweep, say.
            impossible = says_impossible(bundle) and not nodes_on_their_way()
            impossible_s = impossible_s + _LOOK_EVERY_S if impossible else 0
            if impossible_s > IMPOSSIBLE_FOR_S:
                raise PreflightError(
                    f"{no_place(cpus_per_trial, gpus_per_trial)}; nor may the autoscaler start a node that has it"
                )
            if waited % SAY_EVERY_S == 0:
                announce(what_is_missing(cpus_per_trial, gpus_per_trial))
            wish.wait(_LOOK_EVERY_S)
            waited += _LOOK_EVERY_S
    finally:
        remove_placement_group(wish)
    return True


def what_is_missing(cpus_per_trial: float, gpus_per_trial: float) -> str:
    """A sentence for trials that wait: what one needs, what of it is free, and what is on its way."""
    import ray

    free, present = ray.available_resources(), ray.cluster_resources()
    needs = [(name, need) for name, need in (("CPU", cpus_per_trial), ("GPU", gpus_per_trial)) if need > 0]
    sentence = (
        f"waiting for {' and '.join(f'{need:g} {name}' for name, need in needs)} on one node; free now: "
        + ", ".join(f"{free.get(name, 0):g} of {present.get(name, 0):g} {name}" for name, _ in needs)
    )
    if has_autoscaler():
        coming = nodes_on_their_way()
        being_started = ", ".join(f"{count} x {name}" for name, count in sorted(coming.items()))
        sentence += f"; the autoscaler is starting {being_started or 'nothing'}"
    return sentence


def _bundle(cpus: float, gpus: float) -> dict[str, float]:
    return {"CPU": cpus} | ({"GPU": gpus} if gpus > 0 else {})

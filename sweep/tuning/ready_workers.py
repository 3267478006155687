"""Worker processes that import what a trial needs while Ray still starts, and are then given to the first trials."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sweep.spec import SweepSpec
from sweep.tuning.planned_trials import planned_trials

# Not our own: workers learn where the driver's modules are only when it has connected, and may find others before.
_MODULES = ("torch", "ray.tune", "numba")


def modules_to_preload(spec: SweepSpec) -> tuple[str, ...]:
    """What a process for every CPU of this machine should import at once; nothing if trials would not take them all."""
    resources = spec.resources
    trials = min(count for count in (planned_trials(spec), resources.max_concurrent) if count is not None)
    one_a_cpu = resources.cpus_per_trial <= 1 and resources.gpus_per_trial == 0
    return _MODULES if one_a_cpu and trials * resources.cpus_per_trial >= (os.cpu_count() or 1) else ()


@contextmanager
def trials_use_waiting_workers() -> Iterator[None]:
    """Within this block, Ray Tune sets no environment variable for a trial; else no waiting worker would do for it.

    Only where Ray was started by this process: its workers have these variables anyway.
    """
    from ray.tune.execution.class_cache import DEFAULT_ENV_VARS, ENV_VARS_TO_PROPAGATE

    fixed, passed_on = dict(DEFAULT_ENV_VARS), set(ENV_VARS_TO_PROPAGATE)
    DEFAULT_ENV_VARS.clear()
    ENV_VARS_TO_PROPAGATE.clear()
    try:
        yield
    finally:
        DEFAULT_ENV_VARS.update(fixed)
        ENV_VARS_TO_PROPAGATE.update(passed_on)

"""What becomes of a trial that ran out of memory: it is tried again alone, as others may have taken what it lacked."""

from collections.abc import Callable
from typing import Any

from cluster.preflight import largest_node
from sweep.resources import ResourceSettings
from sweep.tuning.worker_error import last_error

_SIGNS = (
    "MemoryError",  # Python's
    "OutOfMemoryError",  # PyTorch's for a GPU
    "CUDA error: out of memory",  # what is beside PyTorch's allocator, such as a process's own context
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "can't allocate memory",  # PyTorch's for the CPU
    "running low on memory",  # Ray's, before it kills a worker
)


def ran_out_of_memory(error: BaseException | str) -> bool:
    """Whether an error, or the text of one, is a lack of memory."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    return any(sign in text for sign in _SIGNS)


def survive_memory_kills() -> None:
    """Let Tune take a worker that Ray has killed for a node's memory for lost, like any other.

    As Ray 2.60 has it, such a kill ends the whole Tune run, which knows two of Ray's errors, and not this one.
    """
    from ray.air.execution._internal import RayActorManager
    from ray.exceptions import OutOfMemoryError, RayActorError

    handle = RayActorManager._actor_task_failed
    if hasattr(handle, "handles_memory_kills"):
        return

    def handle_more(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, OutOfMemoryError):
            exception = RayActorError(error_msg=str(exception))
        handle(self, tracked_actor_task, exception)

    handle_more.handles_memory_kills = True  # type: ignore[attr-defined]
    RayActorManager._actor_task_failed = handle_more


class TriedAgainAlone:
    """Gives a trial that ran out of memory a GPU of its own for its next attempt, or all CPUs of a node."""

    def __init__(self, resources: ResourceSettings, announce: Callable[[str], None]) -> None:
        self._resources = resources
        self._announce = announce

    def after(self, trial: Any) -> None:
        """A Tune trial has failed, and has not been queued again yet. One that still counts as running will not be."""
        cpus, gpus = self._resources.cpus_per_trial, self._resources.gpus_per_trial
        if gpus >= 1 or trial.status == "RUNNING" or not ran_out_of_memory(last_error(trial) or ""):
            return
        alone = {"cpu": cpus, "gpu": 1.0} if gpus > 0 else {"cpu": largest_node()}
        trial.update_resources(alone)
        room = "a whole GPU" if gpus > 0 else f"a node's {alone['cpu']:g} CPUs"
        self._announce(f"{trial.config['trial_id']} ran out of memory; its next attempt gets {room}")

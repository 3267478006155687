"""A Ray to run on: this machine's own, or a cluster's when it is asked for."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from cluster.environment import prepare_ray_environment
from cluster.errors import ClusterError
from cluster.job_access import refuse_exposed
from cluster.scratch_folder import scratch_folder


@contextmanager
def ray_session(
    address: str | None = None, *, num_cpus: int | None = None, preload: Sequence[str] = ()
) -> Iterator[None]:
    """Connect to Ray for the length of a `with` block.

    address: None starts a Ray of this machine alone, with its own temporary folder, and stops it at the end; a plain
    `ray.init()` could attach to somebody else's cluster. Anything else is handed to Ray ("auto", "HOST:PORT", "ray://…").
    num_cpus: what the local Ray may use; None: all. preload: modules that a worker process for each of these CPUs
    imports, and every later one, while the rest of the local Ray still starts.
    Raises ClusterError if the cluster does not answer, or this process is connected already.
    """
    prepare_ray_environment()
    import ray

    if ray.is_initialized():
        raise ClusterError("this process is connected to Ray already; call ray.shutdown() before running a sweep")
    with ExitStack() as at_the_end:
        if address is None:
            folder = at_the_end.enter_context(scratch_folder())
            at_the_end.callback(ray.shutdown)
            ray.init(
                address="local",
                num_cpus=num_cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=str(folder),
                _system_config=_preloading(preload) if preload else None,
            )
        else:
            _refuse_unreachable(address)
            at_the_end.callback(ray.shutdown)
            try:
                context = ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
                raise ClusterError(f"--address {address}: no Ray cluster answers ({error}); is its head up?") from error
            if context.dashboard_url:
                refuse_exposed(f"http://{context.dashboard_url}")
        yield


def _preloading(modules: Sequence[str]) -> dict[str, Any]:
    """Ray's settings by which workers that wait have these imported."""
    return {
        "enable_worker_prestart": True,
        "preload_python_modules": [*modules],
        # After 1 s, which they need for importing, Ray would end them as soon as their CPUs are promised to trials.
        "idle_worker_killing_time_threshold_ms": 60_000,
    }


def _refuse_unreachable(address: str) -> None:
    """Raise ClusterError if nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto" and the like, which Ray looks up
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise ClusterError(f"--address {address}: nothing answers there ({error}); is the head node up?") from None

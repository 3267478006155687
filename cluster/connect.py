"""A Ray to run on: this machine's own, or a cluster's when it is asked for."""

import logging
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.environment import prepare_ray_environment
from cluster.errors import ClusterError


@contextmanager
def ray_session(address: str | None = None, *, num_cpus: int | None = None) -> Iterator[None]:
    """Connect to Ray for the length of a `with` block.

    address: None starts a Ray of this machine alone, with its own temporary folder, and stops it at the end; a plain
    `ray.init()` could attach to somebody else's cluster. Anything else is handed to Ray ("auto", "HOST:PORT", "ray://…").
    num_cpus: what the local Ray may use; None: all.
    Raises ClusterError if the cluster does not answer, or this process is connected already.
    """
    prepare_ray_environment()
    import ray

    if ray.is_initialized():
        raise ClusterError("this process is connected to Ray already; call ray.shutdown() before running a sweep")
    # Unix socket paths are limited to about 100 characters, so the folder must be short and directly under /tmp.
    temporary = tempfile.mkdtemp(prefix="gapsweep-", dir="/tmp") if address is None else None
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=num_cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=temporary,
            )
        else:
            _refuse_unreachable(address)
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise ClusterError(f"--address {address}: no Ray cluster answers ({error}); is its head up?") from error
        yield
    finally:
        ray.shutdown()
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _refuse_unreachable(address: str) -> None:
    """Raise ClusterError if nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto" and the like, which Ray looks up
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise ClusterError(f"--address {address}: nothing answers there ({error}); is the head node up?") from None

"""Checks before the first trial: Ray itself would wait for ever for a resource that no node has."""

import math
import os
from pathlib import Path
from typing import Any

from cluster.errors import PreflightError


def check_this_machine(cpus_per_trial: float, gpus_per_trial: float) -> None:
    """Refuse at once what this machine cannot have, before a Ray is started. Raises PreflightError."""
    present = os.cpu_count() or 1
    if cpus_per_trial > present:
        raise PreflightError(
            f"resources.cpus_per_trial: {cpus_per_trial:g} asked, this machine has {present}; lower it, or run on a "
            "cluster with --address"
        )
    if gpus_per_trial > 0 and not has_gpu():  # where there is one, Ray itself counts
        raise PreflightError(
            f"resources.gpus_per_trial: {gpus_per_trial:g} asked, this machine has no GPU; set it to 0, or run on a "
            "cluster with --address"
        )


def has_gpu() -> bool:
    """Whether this machine has any."""
    # NVIDIA's devices, those of Windows' Linux subsystem, AMD's.
    return any(any(Path("/dev").glob(name)) for name in ("nvidia[0-9]*", "dxg", "kfd"))


def trials_at_once(cpus_per_trial: float, gpus_per_trial: float) -> int:
    """How many trials the nodes of the connected Ray can hold at the same time; 0 if no single node can hold one."""
    places = 0
    for node in _nodes():
        resources = node["Resources"]
        by_cpu = resources.get("CPU", 0.0) / cpus_per_trial
        places += math.floor(min(by_cpu, places_by_gpu(resources.get("GPU", 0.0), gpus_per_trial)) + 1e-9)
    return places


def places_by_gpu(gpus: float, share: float) -> float:
    """How many trials that many GPUs can hold: a part of one is never made of two."""
    if share == 0:
        return math.inf
    return gpus * math.floor(1 / share + 1e-9) if share < 1 else gpus / share


def idle_gpus(gpus_per_trial: float) -> float:
    """How many GPUs of the connected Ray stay idle because trials ask for none."""
    return 0.0 if gpus_per_trial > 0 else sum(node["Resources"].get("GPU", 0.0) for node in _nodes())


def largest_node() -> float:
    """The CPUs of the node of the connected Ray that has most."""
    return max((node["Resources"].get("CPU", 0.0) for node in _nodes()), default=0.0)


def no_place(cpus_per_trial: float, gpus_per_trial: float) -> str:
    """The error for a cluster none of whose nodes can hold a trial."""
    nodes = _nodes()
    present = "; ".join(
        f"{node['NodeManagerHostname']}: {node['Resources'].get('CPU', 0):g} CPUs, "
        f"{node['Resources'].get('GPU', 0):g} GPUs"
        for node in nodes
    )
    gpus_missing = all(node["Resources"].get("GPU", 0) < gpus_per_trial for node in nodes)
    key = "gpus_per_trial" if gpus_missing else "cpus_per_trial"
    return (
        f"resources.{key}: a trial asks for {cpus_per_trial:g} CPUs and {gpus_per_trial:g} GPUs on one node, and no "
        f"node has that ({present}); lower it, or run on another cluster with --address"
    )


def _nodes() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]

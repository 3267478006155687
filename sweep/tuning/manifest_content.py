"""What sweep.json says about a sweep."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.environment import owner
from cluster.nodes import versions_here
from sweep.data.dataset import ImageDataset
from sweep.spec import SweepSpec
from sweep.tuning.number_format import number_format

_PACKAGES = ("gapsweep", "torch", "torchvision", "ray", "optuna", "pandas", "pyarrow", "numpy")


def manifest_content(
    sweep_id: str, spec: SweepSpec, dataset: ImageDataset, *, on_a_cluster: bool = False
) -> dict[str, Any]:
    """The manifest of a sweep that starts now."""
    return {
        "sweep_id": sweep_id,
        "name": spec.name,
        "owner": owner(),
        "state": "RUNNING",
        "created": timestamp(),
        "ended": None,
        "spec": spec.to_dict(),
        "seed": spec.search.seed,
        # As resolved here, so that a sweep resumed on another machine goes on in the same format.
        "precision": number_format(spec, on_a_cluster=on_a_cluster),
        "dataset": {
            "name": spec.dataset,
            "fingerprint": dataset.fingerprint,
            "train_images": len(dataset.train_images),
            "classes": list(dataset.class_names),
            "mean": list(dataset.mean),
            "std": list(dataset.std),
        },
        "versions": versions_here(_PACKAGES),
        "hardware": {
            "platform": platform.platform(),
            "cpu": _cpu_name(),
            "cpus": os.cpu_count(),
            "gpus": _gpu_names(),
        },
    }


def timestamp() -> str:
    """Now, in UTC, as ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()


def _gpu_names() -> list[str]:
    """Of NVIDIA's, as its driver tells them, one for each."""
    names = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        names += [line.split(":", 1)[1].strip() for line in file.read_text().splitlines() if line.startswith("Model")]
    return names

"""What a figure was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine_line() -> str:
    """Processor, cores and the versions that matter, in one line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "ray", "pandas", "pyarrow"))
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, {packages}"

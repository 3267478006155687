"""What the fault tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_sweeps import RealSweep


@pytest.fixture
def make_sweep(tmp_path: Path, data_cache: Path) -> Iterator[Callable[..., RealSweep]]:
    """make_sweep(study, name): a sweep on a storage of that name, not started; no process of it outlives the test."""
    made: list[RealSweep] = []

    def make(study: dict[str, Any], name: str = "storage", storage: Path | None = None) -> RealSweep:
        made.append(RealSweep(study, storage or tmp_path / name, data_cache))
        return made[-1]

    yield make
    for sweep in made:
        sweep.kill_all()

"""Shared by all tests: one torch thread a process, real data where it is at hand."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

CIFAR10 = Path(__file__).parents[2] / "shared" / "data" / "cifar10"


def pytest_configure() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cifar10_parquet() -> Path:
    """The folder of the real CIFAR-10 Parquet files; skips where they are not laid out beside the checkout."""
    if not CIFAR10.is_dir():
        pytest.skip("CIFAR-10 as Parquet is not at ../shared/data/cifar10")
    return CIFAR10


@pytest.fixture(scope="session", autouse=True)
def data_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Decoded images lie in a cache that all tests of one run share, and not in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPSWEEP_CACHE", str(folder))
        yield folder

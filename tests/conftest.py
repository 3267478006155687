"""Shared by all tests: one torch thread a process, real data where it is at hand."""

import os
import sys
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


@pytest.fixture(scope="session")
def data_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset cache shared by all tests of one run."""
    return tmp_path_factory.mktemp("cache")

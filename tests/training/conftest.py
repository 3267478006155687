"""What the tests of training share."""

from pathlib import Path

import pytest

from sweep.data.dataset import ImageDataset, load_dataset


@pytest.fixture(scope="session")
def digits(data_cache: Path) -> ImageDataset:
    return load_dataset("digits", cache_dir=data_cache)

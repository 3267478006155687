"""CIFAR-10 and CIFAR-100 through torchvision's downloader, which checks the archives' checksums."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sweep.data.errors import DataError
from sweep.data.raw import Progress, RawDataset

# Means and standard deviations of the training images' channels in [0, 1] units, as usually published.
PUBLISHED = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
}
STALLED_AFTER_S = 30.0


def read_cifar(name: str, folder: Path, progress: Progress, dataset_class: Any = None) -> RawDataset:
    """50,000 training and 10,000 test images, downloaded into folder unless the archive is there.

    dataset_class: the torchvision class, by default the one of that name.
    Raises DataError if the archive is neither there nor to be had, or damaged.
    """
    from torchvision import datasets  # heavy: only whoever decodes CIFAR pays for it

    dataset_class = dataset_class or {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    archive = folder / dataset_class.filename
    progress(f"{name}: reading {archive}" if archive.exists() else f"{name}: downloading {dataset_class.url}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _stalled_connections_end():
            train, test = (dataset_class(root=folder, train=part, download=True) for part in (True, False))
    except (OSError, RuntimeError, EOFError) as error:  # no network; wrong checksum; truncated archive
        raise DataError(
            f"dataset {name}: cannot get it ({error}); put the official {dataset_class.filename} into {folder}, or use "
            "data that is here: digits, parquet:PATH or folder:PATH"
        ) from error
    return RawDataset(
        class_names=tuple(train.classes),
        labels=np.array([*train.targets, *test.targets], dtype=np.int64),
        is_test=np.repeat([False, True], [len(train.targets), len(test.targets)]),
        batches=(split.data.transpose(0, 3, 1, 2) for split in (train, test)),
        normalisation=PUBLISHED[name],
    )


@contextmanager
def _stalled_connections_end() -> Iterator[None]:
    """torchvision sets no timeout: without one, a network that swallows packets would hang every worker."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_AFTER_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

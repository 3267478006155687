"""What each kind of dataset is read into before it is cached."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

IMAGE_SHAPE = (3, 32, 32)
Progress = Callable[[str], None]
PerChannel = tuple[float, float, float]


@dataclass(frozen=True)
class RawDataset:
    """All images of a dataset, in the order of its files, each marked as training or test.

    labels: int64 (N,) in [0, len(class_names)). is_test: bool (N,). batches: uint8 (B, 3, 32, 32) arrays, N images in
    all, decoded as they are asked for, once. normalisation: published mean and std of the channels in [0, 1] units;
    None to compute them from the training images.
    """

    class_names: tuple[str, ...]
    labels: np.ndarray
    is_test: np.ndarray
    batches: Iterable[np.ndarray]
    normalisation: tuple[PerChannel, PerChannel] | None = None

"""The seeded split of the training images into train and validation; the test images are kept elsewhere."""

from typing import NamedTuple

import numpy as np

from search_spaces.errors import SpecError
from sweep.data.errors import DataError


class Split(NamedTuple):
    """int64 indices into the training images; train and val share none, train_eval is part of train."""

    train: np.ndarray
    train_eval: np.ndarray
    val: np.ndarray


def split_indices(n: int, *, seed: int, train_size: int | None = None) -> Split:
    """80 % of n images to train on and 20 % to validate on, by a seeded permutation.

    train_size: keep only the first so many of the 80 %; a smaller train_size is part of a larger one, and val does not
    depend on it. train_eval: the first of train, as many as val (all of train if it is smaller).
    Raises DataError for n < 10, as batch norm has no variance of one image, and SpecError for a train_size outside
    [2, size of the 80 %].
    """
    n_val = n // 5
    if n_val < 2:
        raise DataError(f"got {n} training images; at least 10 are needed to split off a fifth for validation")
    n_train = n - n_val
    if train_size is not None and not 2 <= train_size <= n_train:
        raise SpecError(
            f"train_size: got {train_size}; it lies in [2, {n_train}], 80 % of the {n} training images "
            "(leave it out to train on all of these)"
        )
    shuffled = seeded_permutation(n, seed)
    val, train = shuffled[:n_val], shuffled[n_val:][:train_size]
    return Split(train=train, train_eval=train[:n_val], val=val)


def seeded_permutation(n: int, seed: int) -> np.ndarray:
    """A random order of 0 .. n-1, int64 (n,). seed: any integer >= 0.

    Sorts raw output of PCG64, which NumPy keeps the same across versions; Generator.permutation it may change.
    """
    return np.argsort(np.random.PCG64(seed).random_raw(n), kind="stable").astype(np.int64)

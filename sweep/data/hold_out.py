"""A fixed test set for data that comes without one."""

import numpy as np

from sweep.data.errors import DataError
from sweep.data.split import seeded_permutation

# A constant: the same files always give the same test set, whatever the sweep's seed.
SEED = 20_260_101
FRACTION = 0.2


def held_out(labels: np.ndarray, origin: str) -> np.ndarray:
    """Mark a fifth of every class as test images, by a constant seed.

    labels: int64 (N,). Returns bool (N,). Raises DataError, naming origin, if that leaves nothing to test on.
    """
    is_test = np.zeros(len(labels), dtype=bool)
    shuffled = seeded_permutation(len(labels), SEED)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        is_test[members[: round(FRACTION * len(members))]] = True
    if not is_test.any():
        raise DataError(
            f"{origin}: too few images to hold a test set out ({len(labels)} in {len(np.unique(labels))} classes); "
            "at least 3 of one class are needed, or test files of your own"
        )
    return is_test

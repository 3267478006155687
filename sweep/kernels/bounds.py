"""What a compiled loop checks itself: it reads and writes wherever an index says."""

import numpy as np

from sweep.kernels.compiled import inner


class OutOfBoundsError(IndexError):
    """Its arguments: of what, the index that was given, and how many there are."""

    def __str__(self) -> str:
        what, index, count = self.args
        return f"{what} {index} is out of bounds; allowed are 0 to {count - 1}"


@inner
def image_at(images: np.ndarray, index: int) -> np.ndarray:
    """That one of the images. Raises OutOfBoundsError for one that there is not."""
    if index < 0 or index >= len(images):
        raise OutOfBoundsError("image", index, len(images))
    image: np.ndarray = images[index]
    return image

"""From pixels to what a network takes, in one pass over memory.

Shapes: N images of a data set, B of them, C colours, P pixels.
"""

import numpy as np

from sweep.kernels.bounds import image_at
from sweep.kernels.compiled import compiled


@compiled
def gather_centred(
    images_NCP: np.ndarray, labels_N: np.ndarray, index_B: np.ndarray, pixels_BCP: np.ndarray, y_B: np.ndarray
) -> None:
    """Write pixel - 128 of the uint8 images at index_B (int64) as int16, and their labels (int64).

    Raises OutOfBoundsError for an image that there is not.
    """
    for b in range(len(index_B)):
        image, y_B[b] = image_at(images_NCP, index_B[b]), labels_N[index_B[b]]
        for c in range(image.shape[0]):
            colour, out = image[c], pixels_BCP[b, c]
            for p in range(len(colour)):
                out[p] = np.int16(colour[p]) - np.int16(128)


@compiled
def gather_normalised(
    images_NCP: np.ndarray,
    labels_N: np.ndarray,
    index_B: np.ndarray,
    mean_C: np.ndarray,
    std_C: np.ndarray,
    x_BCP: np.ndarray,
    y_B: np.ndarray,
) -> None:
    """Write (pixel - mean) / std of the uint8 images at index_B (int64) as float32, and their labels (int64).

    mean, std: in units of a pixel.

    Raises OutOfBoundsError for an image that there is not.
    """
    for b in range(len(index_B)):
        image, y_B[b] = image_at(images_NCP, index_B[b]), labels_N[index_B[b]]
        for c in range(len(mean_C)):
            mean, std = mean_C[c], std_C[c]
            colour, out = image[c], x_BCP[b, c]
            for p in range(len(colour)):
                out[p] = (np.float32(colour[p]) - mean) / std

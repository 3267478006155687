"""2×2 max-pool of images with their features last.

Shapes: N images, H and W their height and width, C features; a last odd row or column is left out.
"""

import numpy as np

from sweep.kernels.compiled import compiled


@compiled
def forward(x_NHWC: np.ndarray, y_NHWC: np.ndarray, place_NHWC: np.ndarray) -> None:
    """Write the maximum of each 2×2 window, and at which of its four places it stands (uint8); a NaN is the maximum."""
    images, height, width, features = y_NHWC.shape
    for n in range(images):
        for h in range(height):
            for w in range(width):
                for c in range(features):
                    best = x_NHWC[n, 2 * h, 2 * w, c]
                    place = np.uint8(0)
                    right = x_NHWC[n, 2 * h, 2 * w + 1, c]
                    if right > best or right != right:
                        best, place = right, np.uint8(1)
                    below = x_NHWC[n, 2 * h + 1, 2 * w, c]
                    if below > best or below != below:
                        best, place = below, np.uint8(2)
                    across = x_NHWC[n, 2 * h + 1, 2 * w + 1, c]
                    if across > best or across != across:
                        best, place = across, np.uint8(3)
                    y_NHWC[n, h, w, c] = best
                    place_NHWC[n, h, w, c] = place


@compiled
def backward(dy_NHWC: np.ndarray, place_NHWC: np.ndarray, dx_NHWC: np.ndarray) -> None:
    """Write each gradient to the place its maximum came from, and zero elsewhere."""
    images, height, width, features = dy_NHWC.shape
    zero = dy_NHWC.dtype.type(0)
    for n in range(images):
        for h in range(height):
            for w in range(width):
                for k in range(4):
                    for c in range(features):
                        dy = dy_NHWC[n, h, w, c]
                        dx_NHWC[n, 2 * h + k // 2, 2 * w + k % 2, c] = dy if place_NHWC[n, h, w, c] == k else zero
        dx_NHWC[n, 2 * height :] = zero
        dx_NHWC[n, :, 2 * width :] = zero

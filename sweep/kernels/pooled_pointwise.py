"""Batch norm, ReLU and dropout that follow each other before a 2×2 max-pool, in one pass over memory with it.

What stands between them is never written: before the pool it is four times as large as behind it.
Shapes: R places of all images (N, H, W), P places of all pooled images (N, H // 2, W // 2), C features. All arrays are
contiguous, and of one float type where nothing else is said. A place of the pool (uint8) is the first of its four that
holds the maximum, 0 to 3, or 4 where ReLU or dropout lets no gradient through there.
"""

import numpy as np

from sweep.kernels.compiled import compiled

NOWHERE = 4


@compiled
def forward(
    x_RC: np.ndarray,
    height: int,
    width: int,
    mean_C: np.ndarray,
    scale_C: np.ndarray,
    bias_C: np.ndarray,
    rectify: bool,
    noise_RC: np.ndarray,
    threshold: int,
    factor: float,
    y_PC: np.ndarray,
    place_PC: np.ndarray,
    source_PC: np.ndarray,
) -> None:
    """Write the pooled y of `sweep.kernels.pointwise.forward`, its places, and the x that each y was made of.

    noise_RC (int16) may have more columns than there are features.
    """
    rows, features = x_RC.shape
    zero = x_RC.dtype.type(0)
    factor = x_RC.dtype.type(factor)
    least = np.int16(threshold)
    floor = zero if rectify else x_RC.dtype.type(-np.inf)
    for n in range(rows // (height * width)):
        for i in range(height // 2):
            for j in range(width // 2):
                p = (n * (height // 2) + i) * (width // 2) + j
                for c in range(features):
                    mean, scale, bias = mean_C[c], scale_C[c], bias_C[c]
                    best, source, place = zero, zero, np.uint8(NOWHERE)
                    for k in range(4):
                        r = (n * height + 2 * i + k // 2) * width + 2 * j + k % 2
                        x = x_RC[r, c]
                        y = (x - mean) * scale + bias
                        # Written so that a NaN stays one, and is the maximum.
                        below = y <= floor
                        kept = noise_RC[r, c] >= least
                        y = (floor if below else y) * (factor if kept else zero)
                        wins = (k == 0) | (y > best) | (y != y)
                        best = y if wins else best
                        source = x if wins else source
                        here = np.uint8(k) if kept & (not below) else np.uint8(NOWHERE)
                        place = here if wins else place
                    y_PC[p, c] = best
                    place_PC[p, c] = place
                    source_PC[p, c] = source


@compiled
def backward(
    dy_PC: np.ndarray,
    place_PC: np.ndarray,
    factor: float,
    x_RC: np.ndarray,
    height: int,
    width: int,
    mean_C: np.ndarray,
    scale_C: np.ndarray,
    slope_C: np.ndarray,
    offset_C: np.ndarray,
    dx_RC: np.ndarray,
) -> None:
    """Write dx = scale * g - slope * (x - mean) - offset, with g = dy * factor at the place of each maximum, else 0."""
    rows, features = x_RC.shape
    zero = x_RC.dtype.type(0)
    factor = x_RC.dtype.type(factor)
    for n in range(rows // (height * width)):
        for h in range(height):
            for w in range(width):
                r = (n * height + h) * width + w
                p = (n * (height // 2) + h // 2) * (width // 2) + w // 2
                k = h % 2 * 2 + w % 2
                if h // 2 < height // 2 and w // 2 < width // 2:
                    for c in range(features):
                        g = dy_PC[p, c] * factor if place_PC[p, c] == k else zero
                        dx_RC[r, c] = scale_C[c] * g - slope_C[c] * (x_RC[r, c] - mean_C[c]) - offset_C[c]
                else:
                    for c in range(features):
                        dx_RC[r, c] = -slope_C[c] * (x_RC[r, c] - mean_C[c]) - offset_C[c]

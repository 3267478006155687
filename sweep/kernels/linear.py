"""x Wᵀ + b, the forward product of a linear layer with a large weight.

Blocked as in Goto & van de Geijn 2008 (ACM TOMS 34), section 4, but the weight is read row after row, from end to end:
it does not stay in the last cache beside all else that trials use, and memory is slow where reading starts anew.

Shapes: B of a batch, I inputs, O outputs. Arrays are float32 and contiguous.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner
from sweep.kernels.vectors import LANES, outer_products, transpose

# Of the result at a time: 6 images, 16 outputs. A panel holds the weights of so many outputs.
IMAGES, PANEL = 6, 16
# Of images at a time, which are read again for each panel: so they stay in the last cache.
IMAGES_BYTES = 2**22
# Inputs after which the sums are added up: rounding, too, grows with their number.
DEPTH = 768

_add_outer_products = outer_products(IMAGES, PANEL // LANES, add=True)


@compiled
def forward(x_BI: np.ndarray, weight_OI: np.ndarray, bias_O: np.ndarray, y_BO: np.ndarray) -> None:
    """Write x Wᵀ + b; I is at least 8."""
    images = max(1, IMAGES_BYTES // (4 * x_BI.shape[1]))
    for b in range(0, len(x_BI), images):
        _forward(x_BI[b : b + images], weight_OI, bias_O, y_BO[b : b + images])


@compiled
def sum_of_rows(dy_BO: np.ndarray, dbias_O: np.ndarray) -> None:
    """Write the gradient of the bias."""
    dbias_O[:] = 0
    for b in range(len(dy_BO)):
        for o in range(len(dbias_O)):
            dbias_O[o] += dy_BO[b, o]


@inner
def _forward(x_BI: np.ndarray, weight_OI: np.ndarray, bias_O: np.ndarray, y_BO: np.ndarray) -> None:
    batch, inputs = x_BI.shape
    outputs = len(weight_OI)
    tiles = -(-batch // IMAGES)
    images = np.empty(tiles * IMAGES * inputs + LANES, np.float32)
    panel = np.empty(PANEL * inputs, np.float32)
    edge = np.empty((IMAGES, PANEL), np.float32)
    for tile in range(tiles):
        pack(x_BI, tile * IMAGES, IMAGES, images, tile * IMAGES * inputs)
    for b in range(batch):
        for o in range(outputs):
            y_BO[b, o] = bias_O[o]
    for o in range(0, outputs, PANEL):
        pack(weight_OI, o, PANEL, panel, 0)
        for i in range(0, inputs, DEPTH):
            for tile in range(tiles):
                b = tile * IMAGES
                factors = images, b * inputs + i * IMAGES, panel, i * PANEL, min(inputs - i, DEPTH)
                # A row of the next panel with each of the first tiles.
                ahead = weight_OI, min(o + PANEL + tile, outputs - 1), i, 1 if tile < PANEL else 0
                if b + IMAGES <= batch and o + PANEL <= outputs:
                    _add_outer_products(*factors, y_BO, b, o, *ahead)
                else:
                    edge[:] = 0
                    _add_outer_products(*factors, edge, 0, 0, *ahead)
                    for row in range(min(batch - b, IMAGES)):
                        for column in range(min(outputs - o, PANEL)):
                            y_BO[b + row, o + column] += edge[row, column]


@inner
def pack(values: np.ndarray, first: int, count: int, packed: np.ndarray, start: int) -> None:
    """Of `count` rows of values the first column, the second, and so on. What is written too much is written over."""
    for row in range(0, count, LANES):
        for i in range(0, values.shape[1], LANES):
            column = min(i, values.shape[1] - LANES)
            transpose(values, first + row, column, packed, start + column * count + row, count)

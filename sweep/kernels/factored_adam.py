"""Adam's step of the weight of a linear layer, whose gradient is a product that nothing else wants.

A library writes the gradient to memory, and the step reads it again. Here a piece of it goes from the cache into the
step, and while the core multiplies the next one, it fetches the weight and the moments that belong to it. Products are
blocked as in Goto & van de Geijn 2008 (ACM TOMS 34), section 4.

Shapes: B of a batch, I inputs, O outputs. Arrays are float32 and contiguous.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner
from sweep.kernels.vectors import LANES, LINE, outer_products, prefetch

# Of the gradient at a time. A panel holds a batch's values of so many inputs; the panels in use fill a part of the
# core's second cache.
OUTPUTS, PANEL = 4, 24
PANELS_BYTES = 2**16

_write_outer_products = outer_products(OUTPUTS, PANEL // LANES)


@compiled
def step(
    dy_BO: np.ndarray,
    x_BI: np.ndarray,
    weight_OI: np.ndarray,
    mean_OI: np.ndarray,
    square_OI: np.ndarray,
    weight_decay: float,
    beta1: float,
    beta2: float,
    lr: float,
    inverse_root: float,
    eps: float,
) -> None:
    """Move the weight by one step of Adam along dyᵀ x + weight_decay * weight, and the two moments.

    lr is divided by Adam's first bias correction; inverse_root is 1 / the root of the second.
    """
    batch, outputs = dy_BO.shape
    inputs = x_BI.shape[1]
    settings = (
        np.float32(weight_decay),
        np.float32(1 - beta1),
        np.float32(beta2),
        np.float32(1 - beta2),
        np.float32(lr),
        np.float32(inverse_root),
        np.float32(eps),
    )
    tiles = -(-outputs // OUTPUTS)
    dy = np.zeros((tiles, batch, OUTPUTS), np.float32)
    for b in range(batch):
        for o in range(outputs):
            dy[o // OUTPUTS, b, o % OUTPUTS] = dy_BO[b, o]
    most_panels = max(1, PANELS_BYTES // (4 * PANEL * batch))
    panels = np.zeros((most_panels, batch, PANEL), np.float32)
    flat_dy, flat_panels = dy.reshape(-1), panels.reshape(-1)
    gradient = np.empty((OUTPUTS, most_panels * PANEL), np.float32)
    for i in range(0, inputs, most_panels * PANEL):
        width = min(inputs - i, most_panels * PANEL)
        used = -(-width // PANEL)
        for b in range(batch):
            for panel in range(used):
                _copy(x_BI[b, i + panel * PANEL : i + min((panel + 1) * PANEL, width)], panels[panel, b])
        for tile in range(tiles):
            first, last = tile * OUTPUTS, min((tile + 1) * OUTPUTS, outputs)
            for panel in range(used):
                for o in range(first, last):
                    for ahead in range(i + panel * PANEL, i + (panel + 1) * PANEL, LINE):
                        prefetch(weight_OI, o, ahead)
                        prefetch(mean_OI, o, ahead)
                        prefetch(square_OI, o, ahead)
                _write_outer_products(
                    flat_dy,
                    tile * batch * OUTPUTS,
                    flat_panels,
                    panel * batch * PANEL,
                    batch,
                    gradient,
                    panel * PANEL,
                )
            for o in range(first, last):
                _adam_row(
                    gradient[o - first],
                    weight_OI[o, i : i + width],
                    mean_OI[o, i : i + width],
                    square_OI[o, i : i + width],
                    *settings,
                )


@inner
def _copy(values: np.ndarray, to: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] = values[i]


@inner
def _adam_row(
    gradient: np.ndarray,
    weight: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    weight_decay: np.float32,
    mean_share: np.float32,
    beta2: np.float32,
    square_share: np.float32,
    lr: np.float32,
    inverse_root: np.float32,
    eps: np.float32,
) -> None:
    for i in range(len(weight)):
        g = gradient[i] + weight_decay * weight[i]
        mean[i] += mean_share * (g - mean[i])
        square[i] = beta2 * square[i] + square_share * g * g
        weight[i] -= lr * mean[i] / (np.sqrt(square[i]) * inverse_root + eps)

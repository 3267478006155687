"""Adam's step of the weight of a linear layer, whose gradient is a product that nothing else wants.

A library writes the gradient to memory, and the step reads it again. Here a piece of it goes from the cache into the
step, and while the core multiplies the next one, it fetches what the step of this one needs. Products are blocked as in
Goto & van de Geijn 2008 (ACM TOMS 34), section 4, but weight and moments are walked through row after row, from end to
end: they do not fit the last cache, and memory is slow where reading starts anew.

Shapes: B of a batch, I inputs, O outputs. Arrays are float32 and contiguous.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner
from sweep.kernels.vectors import LANES, LINE, outer_products

# Of the gradient at a time: 4 outputs, 24 inputs. A panel holds a batch's values of so many inputs.
OUTPUTS, PANEL = 4, 24
# Of so many outputs the gradient is multiplied while the step is taken of as many before. The fewer, the more often all
# panels are read; the more, the less of both gradients stays in the core's second cache.
ROWS = 16
# Inputs at a time, and at most so many bytes of panels.
WIDTH, PANELS_BYTES = 3072, 2**21

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
    groups = -(-outputs // ROWS)
    dy = np.zeros((groups * ROWS // OUTPUTS, batch, OUTPUTS), np.float32)
    for b in range(batch):
        for o in range(outputs):
            dy[o // OUTPUTS, b, o % OUTPUTS] = dy_BO[b, o]
    most_panels = max(1, min(-(-min(inputs, WIDTH) // PANEL), PANELS_BYTES // (4 * PANEL * batch)))
    panels = np.zeros((most_panels, batch, PANEL), np.float32)
    flat_dy, flat_panels = dy.reshape(-1), panels.reshape(-1)
    gradients = np.empty((2, ROWS, most_panels * PANEL), np.float32)
    arrays = weight_OI, mean_OI, square_OI
    for i in range(0, inputs, most_panels * PANEL):
        width = min(inputs - i, most_panels * PANEL)
        used = -(-width // PANEL)
        for b in range(batch):
            for panel in range(used):
                _copy(x_BI[b, i + panel * PANEL : i + min((panel + 1) * PANEL, width)], panels[panel, b])
        # Between two rows of the step so many products fetch a piece of each array.
        products = max(1, used // ROWS * (ROWS // OUTPUTS) // len(arrays))
        piece = -(-width // products)
        for group in range(groups + 1):
            for row in range(ROWS):
                stepped = (group - 1) * ROWS + row
                fetched = min(max(stepped, 0), outputs - 1)
                product = 0
                for panel in range(row * used // ROWS, (row + 1) * used // ROWS if group < groups else 0):
                    for tile in range(group * ROWS // OUTPUTS, (group + 1) * ROWS // OUTPUTS):
                        _write_outer_products(
                            flat_dy,
                            tile * batch * OUTPUTS,
                            flat_panels,
                            panel * batch * PANEL,
                            batch,
                            gradients[group % 2],
                            tile * OUTPUTS - group * ROWS,
                            panel * PANEL,
                            arrays[min(product // products, len(arrays) - 1)],
                            fetched,
                            i + product % products * piece,
                            min(LINE, -(-piece // batch)),
                        )
                        product += 1
                if 0 <= stepped < outputs:
                    _adam_row(
                        gradients[1 - group % 2, row],
                        weight_OI[stepped, i : i + width],
                        mean_OI[stepped, i : i + width],
                        square_OI[stepped, i : i + width],
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

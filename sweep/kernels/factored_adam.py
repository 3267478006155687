"""Adam's step of the weight of a linear layer, whose gradient is a product that nothing else wants.

A library writes the gradient to memory, and the step reads it again. Here a piece of it goes from the cache into the
step, and while the core multiplies the next one, it fetches what the step of this one needs. Products are blocked as in
Goto & van de Geijn 2008 (ACM TOMS 34), section 4, but weight and moments are walked through row after row, from end to
end: they do not fit the last cache, and memory is slow where reading starts anew.

Shapes: B of a batch, I inputs, O outputs. Arrays are float32 and contiguous; `walk` also takes words (`vectors`).
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner
from sweep.kernels.vectors import LANES, LINE, outer_products

# Of the gradient at a time: 6 outputs, 16 inputs. A panel holds a batch's values of so many inputs.
OUTPUTS, PANEL = 6, 16
# Of so many outputs the gradient is multiplied while the step is taken of as many before. The fewer, the more often all
# panels are read; the more, the less of both gradients stays in the core's second cache.
ROWS = 12
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
    settings = adam_settings(weight_decay, beta1, beta2, lr, inverse_root, eps)
    dy = np.zeros((tiles(outputs), batch, OUTPUTS), np.float32)
    for b in range(batch):
        for o in range(outputs):
            dy[o // OUTPUTS, b, o % OUTPUTS] = dy_BO[b, o]
    panels = np.zeros((panels_at_once(inputs, batch), batch, PANEL), np.float32)
    gradients = np.empty((2, ROWS, len(panels) * PANEL), np.float32)
    one_C, one_O = np.ones(1, np.float32), np.ones(outputs, np.float32)
    zero_C, zero_O, zero_I = np.zeros(1, np.float32), np.zeros(outputs, np.float32), np.zeros(inputs, np.float32)
    as_it_is = one_C, zero_C, one_O, zero_O, zero_O, zero_I
    for i in range(0, inputs, len(panels) * PANEL):
        width = min(inputs - i, len(panels) * PANEL)
        for b in range(batch):
            for panel in range(-(-width // PANEL)):
                _copy(x_BI[b, i + panel * PANEL : i + min((panel + 1) * PANEL, width)], panels[panel, b])
        walk(dy, panels, gradients, as_it_is, weight_OI, mean_OI, square_OI, i, width, settings)


@inner
def adam_settings(
    weight_decay: float, beta1: float, beta2: float, lr: float, inverse_root: float, eps: float
) -> tuple[np.float32, ...]:
    """What `_adam_row` takes of `step`'s arguments."""
    return (
        np.float32(weight_decay),
        np.float32(1 - beta1),
        np.float32(beta2),
        np.float32(1 - beta2),
        np.float32(lr),
        np.float32(inverse_root),
        np.float32(eps),
    )


@inner
def tiles(outputs: int) -> int:
    """How many of OUTPUTS are multiplied, in whole groups of ROWS."""
    return -(-outputs // ROWS) * ROWS // OUTPUTS


@inner
def panels_at_once(inputs: int, places: int) -> int:
    """How many panels of `places` times PANEL values are taken at a time."""
    return max(1, min(-(-min(inputs, WIDTH) // PANEL), PANELS_BYTES // (4 * PANEL * places)))


@inner
def walk(
    dy: np.ndarray,
    panels: np.ndarray,
    gradients: np.ndarray,
    meaning: tuple[np.ndarray, ...],
    weight_OI: np.ndarray,
    mean_OI: np.ndarray,
    square_OI: np.ndarray,
    i: int,
    width: int,
    settings: tuple[np.float32, ...],
) -> None:
    """Multiply dy (tiles, places, OUTPUTS) and panels (panels, places, PANEL), and move the rows, from i on.

    gradients (2, ROWS, inputs of all panels): of the rows that are multiplied, and of those that are moved meanwhile.
    meaning: slope_C, shift_C, scale_O, sum_O, left_O, centre_I; a gradient is slope * scale * (what the product gives
    + left * centre) + shift * sum. C colours, each with I / C of the inputs.
    """
    slope_C, shift_C, scale_O, sum_O, left_O, centre_I = meaning
    outputs = len(weight_OI)
    groups = -(-outputs // ROWS)
    places = panels.shape[1]
    flat_dy, flat_panels = dy.reshape(-1), panels.reshape(-1)
    arrays = weight_OI, mean_OI, square_OI
    of_colour = weight_OI.shape[1] // len(slope_C)
    used = -(-width // PANEL)
    # Between two rows of the step so many products fetch a piece of each array.
    products = max(1, used // ROWS * (ROWS // OUTPUTS) // len(arrays))
    piece = -(-width // products)
    for group in range(groups + 1):
        for row in range(ROWS):
            moved = (group - 1) * ROWS + row
            fetched = min(max(moved, 0), outputs - 1)
            product = 0
            for panel in range(row * used // ROWS, (row + 1) * used // ROWS if group < groups else 0):
                for tile in range(group * ROWS // OUTPUTS, (group + 1) * ROWS // OUTPUTS):
                    _write_outer_products(
                        flat_dy,
                        tile * places * OUTPUTS,
                        flat_panels,
                        panel * places * PANEL,
                        places,
                        gradients[group % 2],
                        tile * OUTPUTS - group * ROWS,
                        panel * PANEL,
                        arrays[min(product // products, len(arrays) - 1)],
                        fetched,
                        i + product % products * piece,
                        min(LINE, -(-piece // places)),
                    )
                    product += 1
            if 0 <= moved < outputs:
                for c in range(len(slope_C)):
                    start, stop = max(i, c * of_colour), min(i + width, (c + 1) * of_colour)
                    if start < stop:
                        _adam_row(
                            gradients[1 - group % 2, row, start - i : stop - i],
                            slope_C[c] * scale_O[moved],
                            shift_C[c] * sum_O[moved],
                            left_O[moved],
                            centre_I[start:stop],
                            weight_OI[moved, start:stop],
                            mean_OI[moved, start:stop],
                            square_OI[moved, start:stop],
                            *settings,
                        )


@inner
def _copy(values: np.ndarray, to: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] = values[i]


@inner
def _adam_row(
    gradient: np.ndarray,
    slope: np.float32,
    shift: np.float32,
    left: np.float32,
    centre: np.ndarray,
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
        g = slope * (np.float32(gradient[i]) + left * centre[i]) + shift + weight_decay * weight[i]
        mean[i] += mean_share * (g - mean[i])
        square[i] = beta2 * square[i] + square_share * g * g
        weight[i] -= lr * mean[i] / (np.sqrt(square[i]) * inverse_root + eps)

"""Batch norm, ReLU and dropout that follow each other, in one pass over memory.

Loops over single values also where an operation on a whole array would do: Numba takes up to a second to compile one.

Shapes: R rows (images, or the places of all images), C features. All arrays are contiguous, of one float type.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner

# Rows whose sums are taken in the arrays' own type, before they are added up in float64: they stay in a core's cache.
ROWS = 64


@inner
def mean_and_variance(x_RC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each feature's mean_C and biased var_C, as float64.

    Rows are taken in blocks, whose squares are about the block's own mean: E[x²] - E[x]² cancels badly. Blocks are put
    together as in Chan, Golub & LeVeque 1983 (The American Statistician 37), section 3.
    """
    rows, features = x_RC.shape
    mean_C = np.zeros(features)
    squares_C = np.zeros(features)
    block_mean_C = np.empty(features, x_RC.dtype)
    block_squares_C = np.empty(features, x_RC.dtype)
    for start in range(0, rows, ROWS):
        stop = min(start + ROWS, rows)
        block_mean_C[:] = 0
        block_squares_C[:] = 0
        for r in range(start, stop):
            for c in range(features):
                block_mean_C[c] += x_RC[r, c]
        for c in range(features):
            block_mean_C[c] /= stop - start
        for r in range(start, stop):
            for c in range(features):
                off = x_RC[r, c] - block_mean_C[c]
                block_squares_C[c] += off * off
        share = (stop - start) / stop
        for c in range(features):
            apart = block_mean_C[c] - mean_C[c]
            mean_C[c] += apart * share
            squares_C[c] += block_squares_C[c] + apart * apart * share * start
    for c in range(features):
        squares_C[c] /= rows
    return mean_C, squares_C


@compiled
def normalisation(
    x_RC: np.ndarray, weight_C: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each feature's mean_C, biased var_C, rstd_C = 1 / sqrt(var + eps) and scale_C = rstd * weight, of x's type."""
    mean_and_var = mean_and_variance(x_RC)
    mean_C, var_C = np.empty_like(weight_C), np.empty_like(weight_C)
    rstd_C, scale_C = np.empty_like(weight_C), np.empty_like(weight_C)
    one, eps = x_RC.dtype.type(1), x_RC.dtype.type(eps)
    for c in range(len(weight_C)):
        mean_C[c], var_C[c] = mean_and_var[0][c], mean_and_var[1][c]
        rstd_C[c] = one / np.sqrt(var_C[c] + eps)
        scale_C[c] = rstd_C[c] * weight_C[c]
    return mean_C, var_C, rstd_C, scale_C


@compiled
def move_running_statistics(
    running_mean_C: np.ndarray,
    running_var_C: np.ndarray,
    batches: np.ndarray,
    mean_C: np.ndarray,
    var_C: np.ndarray,
    momentum: float,
    rows: int,
) -> None:
    """Move them by momentum towards a batch's mean and unbiased variance (var_C is the biased), and count the batch.

    batches: int64, of no dimension.
    """
    batches[()] += 1
    share, rest = mean_C.dtype.type(momentum), mean_C.dtype.type(1 - momentum)
    unbias = mean_C.dtype.type(rows / (rows - 1))
    for c in range(len(mean_C)):
        mean, var = mean_C[c], var_C[c] * unbias
        # With a momentum of 1 exactly the batch's.
        if momentum < 0.5:
            running_mean_C[c] += share * (mean - running_mean_C[c])
            running_var_C[c] += share * (var - running_var_C[c])
        else:
            running_mean_C[c] = mean - rest * (mean - running_mean_C[c])
            running_var_C[c] = var - rest * (var - running_var_C[c])


@compiled
def forward(
    x_RC: np.ndarray,
    mean_C: np.ndarray,
    scale_C: np.ndarray,
    bias_C: np.ndarray,
    rectify: bool,
    drop: bool,
    noise_RC: np.ndarray,
    threshold: int,
    factor: float,
    y_RC: np.ndarray,
    passed_RC: np.ndarray,
) -> None:
    """Write y = (x - mean) * scale + bias, then ReLU and dropout of it if asked for.

    Dropout keeps what has noise_RC (int16) >= threshold, times factor. passed_RC: bool, where the gradient passes both.
    """
    rows, features = x_RC.shape
    zero = x_RC.dtype.type(0)
    factor = x_RC.dtype.type(factor)
    least = np.int16(threshold)
    floor = zero if rectify else x_RC.dtype.type(-np.inf)
    for r in range(rows):
        for c in range(features):
            y = (x_RC[r, c] - mean_C[c]) * scale_C[c] + bias_C[c]
            # Written so that a NaN stays one.
            below = y <= floor
            y = floor if below else y
            kept = not drop or noise_RC[r, c] >= least
            y_RC[r, c] = y * (factor if kept else zero)
            passed_RC[r, c] = kept and not below


@compiled
def norm_forward(
    x_RC: np.ndarray,
    weight_C: np.ndarray,
    bias_C: np.ndarray,
    eps: float,
    rectify: bool,
    drop: bool,
    noise_RC: np.ndarray,
    threshold: int,
    factor: float,
    norm_4C: np.ndarray,
    y_RC: np.ndarray,
    passed_RC: np.ndarray,
) -> None:
    """Write what `normalisation` returns to norm_4C, then as `forward`."""
    mean_C, var_C, rstd_C, scale_C = normalisation(x_RC, weight_C, eps)
    for c in range(len(mean_C)):
        norm_4C[0, c], norm_4C[1, c], norm_4C[2, c], norm_4C[3, c] = mean_C[c], var_C[c], rstd_C[c], scale_C[c]
    forward(x_RC, mean_C, scale_C, bias_C, rectify, drop, noise_RC, threshold, factor, y_RC, passed_RC)


@inner
def backward_sums(
    dy_RC: np.ndarray,
    passed_RC: np.ndarray,
    factor: float,
    x_RC: np.ndarray,
    mean_C: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """With g = dy * factor where it passed, else 0: each feature's Σ g and Σ g * (x - mean), as float64."""
    rows, features = x_RC.shape
    zero = x_RC.dtype.type(0)
    factor = x_RC.dtype.type(factor)
    sum_C = np.zeros(features)
    product_C = np.zeros(features)
    block_sum_C = np.empty(features, x_RC.dtype)
    block_product_C = np.empty(features, x_RC.dtype)
    for start in range(0, rows, ROWS):
        block_sum_C[:] = 0
        block_product_C[:] = 0
        for r in range(start, min(start + ROWS, rows)):
            for c in range(features):
                g = dy_RC[r, c] * factor if passed_RC[r, c] else zero
                block_sum_C[c] += g
                block_product_C[c] += g * (x_RC[r, c] - mean_C[c])
        for c in range(features):
            sum_C[c] += block_sum_C[c]
            product_C[c] += block_product_C[c]
    return sum_C, product_C


@compiled
def norm_gradients(
    dy_RC: np.ndarray,
    passed_RC: np.ndarray,
    factor: float,
    x_RC: np.ndarray,
    mean_C: np.ndarray,
    rstd_C: np.ndarray,
    scale_C: np.ndarray,
    rows: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """dweight_C, dbias_C, and slope_C and offset_C of dx = scale * g - slope * (x - mean) - offset.

    With the g of `backward_sums`, the gradient behind batch norm, and h = (x - mean) * rstd: dbias = Σ g, dweight =
    Σ g * h, dx = scale * (g - dbias/rows - h * dweight/rows), the chain rule of Ioffe & Szegedy 2015 (arXiv
    1502.03167), section 3, solved for dx. rows: of the batch, of which these may be a part, if g is 0 in the others.
    """
    sum_C, product_C = backward_sums(dy_RC, passed_RC, factor, x_RC, mean_C)
    dweight_C, dbias_C = np.empty_like(scale_C), np.empty_like(scale_C)
    slope_C, offset_C = np.empty_like(scale_C), np.empty_like(scale_C)
    share = x_RC.dtype.type(1 / rows)
    for c in range(len(scale_C)):
        dweight_C[c] = x_RC.dtype.type(product_C[c]) * rstd_C[c]
        dbias_C[c] = sum_C[c]
        slope_C[c] = scale_C[c] * rstd_C[c] * dweight_C[c] * share
        offset_C[c] = scale_C[c] * dbias_C[c] * share
    return dweight_C, dbias_C, slope_C, offset_C


@inner
def backward(
    dy_RC: np.ndarray,
    passed_RC: np.ndarray,
    factor: float,
    x_RC: np.ndarray,
    mean_C: np.ndarray,
    scale_C: np.ndarray,
    slope_C: np.ndarray,
    offset_C: np.ndarray,
    dx_RC: np.ndarray,
) -> None:
    """Write dx = scale * g - slope * (x - mean) - offset, with the g of `backward_sums`."""
    rows, features = x_RC.shape
    zero = x_RC.dtype.type(0)
    factor = x_RC.dtype.type(factor)
    for r in range(rows):
        for c in range(features):
            g = dy_RC[r, c] * factor if passed_RC[r, c] else zero
            dx_RC[r, c] = scale_C[c] * g - slope_C[c] * (x_RC[r, c] - mean_C[c]) - offset_C[c]


@compiled
def norm_backward(
    dy_RC: np.ndarray,
    passed_RC: np.ndarray,
    factor: float,
    x_RC: np.ndarray,
    norm_4C: np.ndarray,
    with_dx: bool,
    dx_RC: np.ndarray,
    gradients_2C: np.ndarray,
) -> None:
    """Write dx, if asked for, and dweight and dbias to gradients_2C. norm_4C: of `norm_forward`."""
    mean_C, rstd_C, scale_C = norm_4C[0], norm_4C[2], norm_4C[3]
    dweight_C, dbias_C, slope_C, offset_C = norm_gradients(
        dy_RC, passed_RC, factor, x_RC, mean_C, rstd_C, scale_C, len(x_RC)
    )
    for c in range(len(dweight_C)):
        gradients_2C[0, c], gradients_2C[1, c] = dweight_C[c], dbias_C[c]
    if with_dx:
        backward(dy_RC, passed_RC, factor, x_RC, mean_C, scale_C, slope_C, offset_C, dx_RC)


@compiled
def backward_where_passed(dy_RC: np.ndarray, passed_RC: np.ndarray, factor: float, dx_RC: np.ndarray) -> None:
    """Write dx = g: without batch norm, that is all."""
    rows, features = dy_RC.shape
    zero = dy_RC.dtype.type(0)
    factor = dy_RC.dtype.type(factor)
    for r in range(rows):
        for c in range(features):
            dx_RC[r, c] = dy_RC[r, c] * factor if passed_RC[r, c] else zero

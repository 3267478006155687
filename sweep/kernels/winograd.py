"""The linear maps of Winograd's convolution F(4×4, 3×3), between images and tiles.

Lavin & Gray 2016 (CVPR, arXiv 1509.09308), section 4 and appendix: an output tile of 4×4 takes 36 products, of 6×6
transformed inputs by 6×6 transformed weights, where 144 are needed otherwise. A transform is applied down the columns,
then along the rows; each of them is a matrix of small numbers, written out here as sums.

Shapes: N images, H and W their height and width, F features (of inputs or of outputs), T = N * down * across tiles in
that order, where `down` is H/4 and `across` W/4, rounded up. Features are last. Arrays are contiguous, of one float
type.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner

TILE = 4
PATCH = 6

_G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
# G w Gᵀ as one matrix, (36, 9): from the nine weights of a 3×3 kernel, row by row, to the 36 transformed ones.
OF_WEIGHTS = np.kron(_G, _G)


@compiled
def inputs_to_tiles(x_NHWF: np.ndarray, down: int, across: int, tiles_36TF: np.ndarray) -> None:
    """Write Bᵀ x B of each tile's patch x: its 4×4 pixels and a border of one, with zeros outside the image."""
    images, _, _, features = x_NHWF.shape
    columns = TILE * across + 2
    rows = np.zeros((PATCH, columns, features), x_NHWF.dtype)
    half = np.empty_like(rows)
    for n in range(images):
        for i in range(down):
            for p in range(PATCH):
                _copy_row(x_NHWF[n], TILE * i + p - 1, rows[p, 1:])
            _b_transposed(rows.reshape(PATCH, 1, -1), 0, 1, 0, half.reshape(PATCH, 1, -1), 0, 1, 0)
            pixels = half.reshape(-1, 1, features)
            for p in range(PATCH):
                for j in range(across):
                    t = (n * down + i) * across + j
                    _b_transposed(pixels, p * columns + TILE * j, 1, 0, tiles_36TF, PATCH * p, 1, t)


@compiled
def tiles_to_outputs(tiles_36TF: np.ndarray, bias_F: np.ndarray, down: int, across: int, y_NHWF: np.ndarray) -> None:
    """Write Aᵀ m A + bias of each tile m, as far as the image reaches."""
    images, height, width, features = y_NHWF.shape
    half = np.empty((TILE * PATCH, across, features), y_NHWF.dtype)
    row = np.empty((TILE * across, 1, features), y_NHWF.dtype)
    rows_of_tiles = tiles_36TF.reshape(PATCH * PATCH, images * down, -1)
    for n in range(images):
        for i in range(down):
            for q in range(PATCH):
                _a_transposed(rows_of_tiles, q, PATCH, n * down + i, half.reshape(TILE * PATCH, 1, -1), q, PATCH, 0)
            for p in range(min(TILE, height - TILE * i)):
                for j in range(across):
                    _a_transposed(half, PATCH * p, 1, j, row, TILE * j, 1, 0)
                for w in range(width):
                    for f in range(features):
                        y_NHWF[n, TILE * i + p, w, f] = row[w, 0, f] + bias_F[f]


@compiled
def gradients_to_tiles(dy_NHWF: np.ndarray, down: int, across: int, tiles_36TF: np.ndarray) -> None:
    """Write A dy Aᵀ of each tile of dy, the transposed map of `tiles_to_outputs`."""
    images, _, _, features = dy_NHWF.shape
    columns = TILE * across
    rows = np.zeros((TILE, columns, features), dy_NHWF.dtype)
    half = np.empty((PATCH, columns, features), dy_NHWF.dtype)
    for n in range(images):
        for i in range(down):
            for p in range(TILE):
                _copy_row(dy_NHWF[n], TILE * i + p, rows[p])
            _a(rows.reshape(TILE, 1, -1), 0, 1, 0, half.reshape(PATCH, 1, -1), 0, 1, 0)
            pixels = half.reshape(-1, 1, features)
            for p in range(PATCH):
                for j in range(across):
                    t = (n * down + i) * across + j
                    _a(pixels, p * columns + TILE * j, 1, 0, tiles_36TF, PATCH * p, 1, t)


@compiled
def tiles_to_gradients(tiles_36TF: np.ndarray, down: int, across: int, dx_NHWF: np.ndarray) -> None:
    """Write the sum of B m Bᵀ over the patches of all tiles m, the transposed map of `inputs_to_tiles`."""
    images, height, width, features = dx_NHWF.shape
    columns = TILE * across + 2
    half = np.empty((PATCH * PATCH, across, features), dx_NHWF.dtype)
    image = np.empty((TILE * down + 2, columns, features), dx_NHWF.dtype)
    rows_of_tiles = tiles_36TF.reshape(PATCH * PATCH, images * down, -1)
    for n in range(images):
        image[:] = 0
        for i in range(down):
            half[:] = 0
            for q in range(PATCH):
                _add_b(rows_of_tiles, q, PATCH, n * down + i, half.reshape(PATCH * PATCH, 1, -1), q, PATCH, 0)
            pixels = image.reshape(-1, 1, features)
            for p in range(PATCH):
                for j in range(across):
                    _add_b(half, PATCH * p, 1, j, pixels, (TILE * i + p) * columns + TILE * j, 1, 0)
        for h in range(height):
            for w in range(width):
                for f in range(features):
                    dx_NHWF[n, h, w, f] = image[h + 1, w + 1, f]


@inner
def _copy_row(image_HWF: np.ndarray, h: int, row_WF: np.ndarray) -> None:
    """Row h of the image, zeros where it has none. In loops: assigning slices takes Numba seconds more to compile."""
    height, width, features = image_HWF.shape
    inside = 0 <= h < height
    zero = image_HWF.dtype.type(0)
    for w in range(width):
        for f in range(features):
            row_WF[w, f] = image_HWF[h, w, f] if inside else zero


# Each of these maps the arrays x[at + k * step, t] to y[to + k * gap, u].


@inner
def _b_transposed(x: np.ndarray, at: int, step: int, t: int, y: np.ndarray, to: int, gap: int, u: int) -> None:
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    for c in range(x.shape[2]):
        x0, x1, x2 = x[at, t, c], x[at + step, t, c], x[at + 2 * step, t, c]
        x3, x4, x5 = x[at + 3 * step, t, c], x[at + 4 * step, t, c], x[at + 5 * step, t, c]
        y[to, u, c] = four * x0 - five * x2 + x4
        y[to + gap, u, c] = (x4 - four * x2) + (x3 - four * x1)
        y[to + 2 * gap, u, c] = (x4 - four * x2) - (x3 - four * x1)
        y[to + 3 * gap, u, c] = (x4 - x2) + two * (x3 - x1)
        y[to + 4 * gap, u, c] = (x4 - x2) - two * (x3 - x1)
        y[to + 5 * gap, u, c] = four * x1 - five * x3 + x5


@inner
def _add_b(x: np.ndarray, at: int, step: int, t: int, y: np.ndarray, to: int, gap: int, u: int) -> None:
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    for c in range(x.shape[2]):
        x0, x1, x2 = x[at, t, c], x[at + step, t, c], x[at + 2 * step, t, c]
        x3, x4, x5 = x[at + 3 * step, t, c], x[at + 4 * step, t, c], x[at + 5 * step, t, c]
        y[to, u, c] += four * x0
        y[to + gap, u, c] += four * (x2 - x1 + x5) + two * (x4 - x3)
        y[to + 2 * gap, u, c] -= five * x0 + four * (x1 + x2) + (x3 + x4)
        y[to + 3 * gap, u, c] += (x1 - x2) + two * (x3 - x4) - five * x5
        y[to + 4 * gap, u, c] += x0 + (x1 + x2) + (x3 + x4)
        y[to + 5 * gap, u, c] += x5


@inner
def _a_transposed(x: np.ndarray, at: int, step: int, t: int, y: np.ndarray, to: int, gap: int, u: int) -> None:
    two, four, eight = x.dtype.type(2), x.dtype.type(4), x.dtype.type(8)
    for c in range(x.shape[2]):
        x0, x1, x2 = x[at, t, c], x[at + step, t, c], x[at + 2 * step, t, c]
        x3, x4, x5 = x[at + 3 * step, t, c], x[at + 4 * step, t, c], x[at + 5 * step, t, c]
        y[to, u, c] = x0 + (x1 + x2) + (x3 + x4)
        y[to + gap, u, c] = (x1 - x2) + two * (x3 - x4)
        y[to + 2 * gap, u, c] = (x1 + x2) + four * (x3 + x4)
        y[to + 3 * gap, u, c] = (x1 - x2) + eight * (x3 - x4) + x5


@inner
def _a(x: np.ndarray, at: int, step: int, t: int, y: np.ndarray, to: int, gap: int, u: int) -> None:
    two, four, eight = x.dtype.type(2), x.dtype.type(4), x.dtype.type(8)
    for c in range(x.shape[2]):
        x0, x1, x2, x3 = x[at, t, c], x[at + step, t, c], x[at + 2 * step, t, c], x[at + 3 * step, t, c]
        y[to, u, c] = x0
        y[to + gap, u, c] = (x0 + x2) + (x1 + x3)
        y[to + 2 * gap, u, c] = (x0 + x2) - (x1 + x3)
        y[to + 3 * gap, u, c] = (x0 + four * x2) + (two * x1 + eight * x3)
        y[to + 4 * gap, u, c] = (x0 + four * x2) - (two * x1 + eight * x3)
        y[to + 5 * gap, u, c] = x3

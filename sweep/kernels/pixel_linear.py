"""The products of a first linear layer with pixels, in integers: forward, and along the gradient of the weight.

A pixel is a whole number of 8 bits. Where what it is multiplied by is rounded to 16 bits, AVX2 makes 16 products in one
instruction, for 8 in float32, and the one that adds them up runs beside others' products. The weights of an output, and
the gradients that a batch has for it, are rounded to 1/32767 of the largest of them; sums are exact, in any order.

Shapes: B of a batch, I inputs, O outputs, C colours, each with I / C of the inputs, an even number of 16 or more.
Pixels are centred: int16, pixel - 128. The input that stands for one is slope * pixel + shift. All else is float32, and
everything contiguous.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner, inner_sum
from sweep.kernels.factored_adam import OUTPUTS, ROWS, adam_settings, panels_at_once, tiles, walk
from sweep.kernels.factored_adam import PANEL as GRADIENT_PANEL
from sweep.kernels.linear import IMAGES, IMAGES_BYTES, PANEL, pack
from sweep.kernels.vectors import LANES, outer_products, transpose_rounded

LEVELS = 32767
# 128 * LEVELS * 512 is the largest sum of these that an int32 holds.
MOST_SUMMED = 512
# Below, 1 / scale would not be finite.
SMALLEST_SCALE = 1e-37
# The bits of a float32 but for its sign. As whole numbers they are in the same order; their maximum is made of vectors.
MAGNITUDE = 0x7FFFFFFF

_write_sums = outer_products(IMAGES, PANEL // LANES)


@compiled
def forward(
    pixels_BI: np.ndarray,
    slope_C: np.ndarray,
    shift_C: np.ndarray,
    weight_OI: np.ndarray,
    bias_O: np.ndarray,
    y_BO: np.ndarray,
) -> None:
    """Write (slope * pixels + shift) Wᵀ + b."""
    images = max(1, IMAGES_BYTES // (2 * pixels_BI.shape[1]))
    for b in range(0, len(pixels_BI), images):
        _forward(pixels_BI[b : b + images], slope_C, shift_C, weight_OI, bias_O, y_BO[b : b + images])


@inner
def _forward(
    pixels_BI: np.ndarray,
    slope_C: np.ndarray,
    shift_C: np.ndarray,
    weight_OI: np.ndarray,
    bias_O: np.ndarray,
    y_BO: np.ndarray,
) -> None:
    """As `linear.forward`, with two inputs in a word."""
    batch, inputs = pixels_BI.shape
    outputs, words, depth = len(weight_OI), inputs // 2, MOST_SUMMED // 2
    pairs = pixels_BI.view(np.int32)
    image_tiles = -(-batch // IMAGES)
    images = np.empty(image_tiles * IMAGES * words + LANES, np.int32)
    panel = np.empty(PANEL * words, np.int32)
    scales, offsets = np.empty(PANEL, np.float32), np.empty(PANEL, np.float32)
    factors = np.empty((len(slope_C), PANEL), np.float32)
    bits_C = np.empty(len(slope_C), np.int32)
    sums = np.empty((IMAGES, PANEL), np.int32)
    for tile in range(image_tiles):
        pack(pairs, tile * IMAGES, IMAGES, images, tile * IMAGES * words)
    for o in range(0, outputs, PANEL):
        columns = min(outputs - o, PANEL)
        for column in range(columns):
            weight_I = weight_OI[o + column]
            scales[column], offset = _scale_and_offset(weight_I, slope_C, shift_C, bits_C)
            offsets[column] = bias_O[o + column] + offset
            for c in range(len(slope_C)):
                factors[c, column] = slope_C[c] / scales[column]
        _pack_rounded(weight_OI, o, factors, panel)
        for b in range(batch):
            for column in range(columns):
                y_BO[b, o + column] = offsets[column]
        for w in range(0, words, depth):
            for tile in range(image_tiles):
                b = tile * IMAGES
                levels = images, b * words + w * IMAGES, panel, w * PANEL, min(words - w, depth)
                # A row of the next panel with each of the first tiles.
                ahead = weight_OI, min(o + PANEL + tile, outputs - 1), 2 * w, 2 if tile < PANEL else 0
                _write_sums(*levels, sums, 0, 0, *ahead)
                for row in range(min(batch - b, IMAGES)):
                    _add_scaled(sums[row], scales, y_BO[b + row, o : o + columns])


@inner
def _scale_and_offset(
    weight_I: np.ndarray, slope_C: np.ndarray, shift_C: np.ndarray, bits_C: np.ndarray
) -> tuple[np.float32, np.float32]:
    """What one level of slope * weight stands for, and the sum of shift * weight. bits_C: room."""
    places = len(weight_I) // len(slope_C)
    largest, offset = np.float32(0), np.float32(0)
    for c in range(len(slope_C)):
        weight = weight_I[c * places : (c + 1) * places]
        bits_C[c], total = _largest_bits_and_sum(weight, weight.view(np.int32))
        largest = max(largest, slope_C[c] * bits_C.view(np.float32)[c])
        offset += shift_C[c] * total
    return _scale(largest, offset), offset


@inner
def _pack_rounded(weight_OI: np.ndarray, first: int, factors: np.ndarray, panel: np.ndarray) -> None:
    """As `pack` a panel of rows of the weight, times the factor of the colour and the row, in levels."""
    places = weight_OI.shape[1] // len(factors)
    for row in range(0, PANEL, LANES):
        for c in range(len(factors)):
            for i in range(0, places, 2 * LANES):
                column = c * places + min(i, places - 2 * LANES)
                transpose_rounded(
                    weight_OI, factors[c, row:], first + row, column, panel, column // 2 * PANEL + row, PANEL
                )


@compiled
def adam_step(
    dy_BO: np.ndarray,
    pixels_BI: np.ndarray,
    slope_C: np.ndarray,
    shift_C: np.ndarray,
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
    """As `factored_adam.step` with x = slope * pixels + shift; B is at most 512."""
    batch, outputs = dy_BO.shape
    inputs, pairs = pixels_BI.shape[1], -(-batch // 2)
    settings = adam_settings(weight_decay, beta1, beta2, lr, inverse_root, eps)
    dy = np.zeros((tiles(outputs), pairs, OUTPUTS), np.int32)
    # A pixel that is the same in all images has no gradient where batch norm follows, and Adam's steps are as long for
    # the smallest gradient as for the largest: what rounding leaves of dy is put to each pixel's mean.
    meaning = slope_C, shift_C, *_round_gradients(dy_BO, dy), _means(pixels_BI)
    panels = np.zeros((panels_at_once(inputs, pairs), pairs, GRADIENT_PANEL), np.int32)
    gradients = np.empty((2, ROWS, len(panels) * GRADIENT_PANEL), np.int32)
    none_I = np.zeros(inputs, np.int16)
    for i in range(0, inputs, len(panels) * GRADIENT_PANEL):
        width = min(inputs - i, len(panels) * GRADIENT_PANEL)
        for pair in range(pairs):
            first_I = pixels_BI[2 * pair]
            second_I = pixels_BI[2 * pair + 1] if 2 * pair + 1 < batch else none_I
            for panel in range(-(-width // GRADIENT_PANEL)):
                start, stop = i + panel * GRADIENT_PANEL, i + min((panel + 1) * GRADIENT_PANEL, width)
                _put_together(first_I[start:stop], second_I[start:stop], panels[panel, pair])
        walk(dy, panels, gradients, meaning, weight_OI, mean_OI, square_OI, i, width, settings)


@inner
def _round_gradients(dy_BO: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write dy in levels, two images in a word.

    Returns what one of an output's levels stands for, the sum of its dy, and what its levels lack of that, in levels.
    """
    batch, outputs = dy_BO.shape
    bits_O, sum_O, left_O = np.zeros(outputs, np.int32), np.zeros(outputs, np.float32), np.zeros(outputs, np.float32)
    scale_O, factor_O = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for b in range(batch):
        _keep_largest_bits_and_sum(dy_BO[b], dy_BO[b].view(np.int32), bits_O, sum_O)
    for o in range(outputs):
        scale_O[o] = _scale(bits_O.view(np.float32)[o], sum_O[o])
        factor_O[o] = 1 / scale_O[o]
    levels_2O, words_O = np.zeros((2, outputs), np.int16), np.empty(outputs, np.int32)
    for pair in range(dy.shape[1]):
        for half in range(2):
            if 2 * pair + half < batch:
                _round_each(dy_BO[2 * pair + half], factor_O, levels_2O[half], left_O)
            else:
                levels_2O[half] = 0
        _put_together(levels_2O[0], levels_2O[1], words_O)
        for o in range(outputs):
            dy[o // OUTPUTS, pair, o % OUTPUTS] = words_O[o]
    return scale_O, sum_O, left_O


@inner
def _means(pixels_BI: np.ndarray) -> np.ndarray:
    sum_I, mean_I = np.zeros(pixels_BI.shape[1], np.int32), np.empty(pixels_BI.shape[1], np.float32)
    for b in range(len(pixels_BI)):
        _add(pixels_BI[b], sum_I)
    for i in range(len(sum_I)):
        mean_I[i] = np.float32(sum_I[i]) / np.float32(len(pixels_BI))
    return mean_I


@inner
def _add(values: np.ndarray, to: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] += values[i]


@inner_sum
def _largest_bits_and_sum(values: np.ndarray, bits: np.ndarray) -> tuple[np.int32, np.float32]:
    largest, total = np.int32(0), np.float32(0)
    for i in range(len(values)):
        magnitude = np.int32(bits[i] & np.int32(MAGNITUDE))
        largest = magnitude if magnitude > largest else largest
        total += values[i]
    return largest, total


@inner
def _keep_largest_bits_and_sum(values: np.ndarray, bits: np.ndarray, largest: np.ndarray, totals: np.ndarray) -> None:
    for i in range(len(values)):
        magnitude = np.int32(bits[i] & np.int32(MAGNITUDE))
        largest[i] = magnitude if magnitude > largest[i] else largest[i]
        totals[i] += values[i]


@inner
def _scale(largest: np.float32, total: np.float32) -> np.float32:
    """What one level stands for. total: a sum of all values: finite only if they are, as the scale is to be."""
    if not np.isfinite(total):
        return np.float32(np.nan)
    return max(largest / np.float32(LEVELS), np.float32(SMALLEST_SCALE))


@inner
def _round_each(values: np.ndarray, factors: np.ndarray, levels: np.ndarray, left: np.ndarray) -> None:
    """What is not finite becomes 0: its scale tells."""
    for i in range(len(values)):
        value = values[i] * factors[i]
        level = np.rint(value)
        levels[i] = np.int16(level) if abs(level) <= np.float32(LEVELS) else np.int16(0)
        left[i] += value - level


@inner
def _put_together(first: np.ndarray, second: np.ndarray, words: np.ndarray) -> None:
    """Words of two halves."""
    for i in range(len(first)):
        words[i] = (np.int32(first[i]) & np.int32(0xFFFF)) | (np.int32(second[i]) << np.int32(16))


@inner
def _add_scaled(sums: np.ndarray, scales: np.ndarray, to: np.ndarray) -> None:
    for i in range(len(to)):
        to[i] += scales[i] * np.float32(sums[i])

"""Crop, flip and colour changes of a batch of images, each image with its own draw, while it is in a core's cache.

The formulas are those of `sweep.data.colour`, which says where they come from.
Shapes: N images of 3 colours, H and W their height and width.
"""

import numpy as np

from sweep.kernels.bounds import image_at
from sweep.kernels.compiled import compiled, inner

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


@compiled
def augment(
    images_M3HW: np.ndarray,
    index_N: np.ndarray,
    u_7N: np.ndarray,
    padding: int,
    flip_prob: float,
    strength_4: np.ndarray,
    order: np.ndarray,
    grey_3: np.ndarray,
    mean_3: np.ndarray,
    std_3: np.ndarray,
    out_N3HW: np.ndarray,
) -> None:
    """Write the uint8 images at index_N (int64) as float32, changed by what is drawn, then (x - mean) / std of [0, 1].

    u_7N: uniform, float32, which `sweep.data.augmentation.draw` makes the same parameters of. strength_4: of the colour
    changes; order: in which they come. grey_3: what red, green and blue weigh in grey.

    Raises OutOfBoundsError for an image that there is not.
    """
    for i in range(len(index_N)):
        image = out_N3HW[i]
        _change(images_M3HW, index_N[i], u_7N[:, i], padding, flip_prob, strength_4, order, grey_3, image)
        for c in range(3):
            mean, std = mean_3[c], std_3[c]
            for y in range(image.shape[1]):
                for x in range(image.shape[2]):
                    image[c, y, x] = (image[c, y, x] - mean) / std


@compiled
def augment_pixels(
    images_M3HW: np.ndarray,
    index_N: np.ndarray,
    u_7N: np.ndarray,
    padding: int,
    flip_prob: float,
    strength_4: np.ndarray,
    order: np.ndarray,
    grey_3: np.ndarray,
    out_N3HW: np.ndarray,
) -> None:
    """As `augment`, but write pixels, rounded to 8 bits again, as int16: pixel - 128. Raises OutOfBoundsError, too."""
    image: np.ndarray = np.empty(images_M3HW.shape[1:], np.float32)
    for i in range(len(index_N)):
        _change(images_M3HW, index_N[i], u_7N[:, i], padding, flip_prob, strength_4, order, grey_3, image)
        for c in range(3):
            for y in range(image.shape[1]):
                for x in range(image.shape[2]):
                    out_N3HW[i, c, y, x] = np.int16(np.rint(np.float32(255) * image[c, y, x])) - np.int16(128)


@inner
def _change(
    images_M3HW: np.ndarray,
    index: int,
    u_7: np.ndarray,
    padding: int,
    flip_prob: float,
    strength_4: np.ndarray,
    order: np.ndarray,
    grey_3: np.ndarray,
    image_3HW: np.ndarray,
) -> None:
    """Write one image, in [0, 1]."""
    down, right = _offset(u_7[0], padding), _offset(u_7[1], padding)
    _crop_and_flip(image_at(images_M3HW, index), down, right, u_7[2] < np.float32(flip_prob), image_3HW)
    for change in order:
        strength = strength_4[change]
        if strength == 0:
            continue
        deviation = strength * (np.float32(2) * u_7[3 + change] - np.float32(1))
        if change == BRIGHTNESS:
            _brighten(image_3HW, np.float32(1) + deviation)
        elif change == CONTRAST:
            _contrast(image_3HW, np.float32(1) + deviation, grey_3)
        elif change == SATURATION:
            _saturate(image_3HW, np.float32(1) + deviation, grey_3)
        else:
            _turn_hue(image_3HW, deviation)


@inner
def _offset(u: np.float32, padding: int) -> int:
    return min(int(u * np.float32(2 * padding + 1)), 2 * padding) - padding


@inner
def _crop_and_flip(image_3HW: np.ndarray, down: int, right: int, flip: bool, out_3HW: np.ndarray) -> None:
    colours, height, width = image_3HW.shape
    # The columns of the result that lie in the image.
    first, last = max(0, -right), max(0, min(width, width - right))
    if flip:
        first, last = max(0, right), max(0, min(width, width + right))
    count = max(0, last - first)
    for c in range(colours):
        for y in range(height):
            out = out_3HW[c, y]
            if count == 0 or not 0 <= y + down < height:
                for x in range(width):
                    out[x] = 0
                continue
            for x in range(first):
                out[x] = 0
            for x in range(last, width):
                out[x] = 0
            start = width - last + right if flip else first + right
            row, inside = image_3HW[c, y + down, start : start + count], out[first:last]
            if flip:
                for i in range(count):
                    # Unsigned, which Numba need not test for places counted from the end.
                    inside[i] = np.float32(row[np.uint64(count - 1) - np.uint64(i)]) / np.float32(255)
            else:
                for i in range(count):
                    inside[i] = np.float32(row[i]) / np.float32(255)


@inner
def _clamped(x: np.float32) -> np.float32:
    return min(max(x, np.float32(0)), np.float32(1))


@inner
def _brighten(image_3HW: np.ndarray, factor: np.float32) -> None:
    for c in range(3):
        for y in range(image_3HW.shape[1]):
            for x in range(image_3HW.shape[2]):
                image_3HW[c, y, x] = _clamped(image_3HW[c, y, x] * factor)


@inner
def _contrast(image_3HW: np.ndarray, factor: np.float32, grey_3: np.ndarray) -> None:
    _, height, width = image_3HW.shape
    red, green, blue = grey_3
    sum_W = np.zeros(width, np.float32)
    for y in range(height):
        for x in range(width):
            sum_W[x] += red * image_3HW[0, y, x] + green * image_3HW[1, y, x] + blue * image_3HW[2, y, x]
    offset = (np.float32(1) - factor) * np.float32(sum_W.sum() / (height * width))
    for c in range(3):
        for y in range(height):
            for x in range(width):
                image_3HW[c, y, x] = _clamped(image_3HW[c, y, x] * factor + offset)


@inner
def _saturate(image_3HW: np.ndarray, factor: np.float32, grey_3: np.ndarray) -> None:
    rest = np.float32(1) - factor
    red, green, blue = grey_3
    for y in range(image_3HW.shape[1]):
        for x in range(image_3HW.shape[2]):
            r, g, b = image_3HW[0, y, x], image_3HW[1, y, x], image_3HW[2, y, x]
            grey = rest * (red * r + green * g + blue * b)
            image_3HW[0, y, x] = _clamped(r * factor + grey)
            image_3HW[1, y, x] = _clamped(g * factor + grey)
            image_3HW[2, y, x] = _clamped(b * factor + grey)


@inner
def _turn_hue(image_3HW: np.ndarray, turns: np.float32) -> None:
    for y in range(image_3HW.shape[1]):
        for x in range(image_3HW.shape[2]):
            r, g, b = image_3HW[0, y, x], image_3HW[1, y, x], image_3HW[2, y, x]
            value, lowest = max(max(r, g), b), min(min(r, g), b)
            extent = value - lowest
            # A grey pixel has no hue: anything finite, as its extent of 0 brings it back unchanged.
            sixths = ((value - r) + (g - lowest) + (b - lowest)) / (extent if extent > 0 else np.float32(1))
            hue = (sixths if g >= b else -sixths) * np.float32(1 / 6) + turns
            image_3HW[0, y, x] = value - extent * _depth(hue - np.float32(1 / 2))
            image_3HW[1, y, x] = value - extent * _depth(hue - np.float32(5 / 6))
            image_3HW[2, y, x] = value - extent * _depth(hue - np.float32(7 / 6))


@inner
def _depth(turns: np.float32) -> np.float32:
    """How far below the value a colour lies, in [0, 1], at this many turns from the hue opposite to it."""
    distance = abs(turns - np.floor(turns + np.float32(0.5)))
    return _clamped(np.float32(2) - np.float32(6) * distance)

"""Crop, flip and colour changes of a batch of images, each image with its own draw, while it is in a core's cache.

The formulas are those of `sweep.data.colour`, which says where they come from.
Shapes: N images of 3 colours, H and W their height and width.
"""

import numpy as np

from sweep.kernels.compiled import compiled, inner

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


@compiled
def augment(
    images_N3HW: np.ndarray,
    down_N: np.ndarray,
    right_N: np.ndarray,
    flip_N: np.ndarray,
    colour_4N: np.ndarray,
    order: np.ndarray,
    grey_3: np.ndarray,
    out_N3HW: np.ndarray,
) -> None:
    """Write uint8 images as float32 in [0, 1], changed.

    Pixel (y, x) comes from (y + down, x + right), where the image is zero outside, with x mirrored first where flip.
    Then the changes of `order` are made one after the other, with the parameters colour[change]. grey_3: what red,
    green and blue weigh in grey.
    """
    for n in range(len(images_N3HW)):
        image = out_N3HW[n]
        _crop_and_flip(images_N3HW[n], down_N[n], right_N[n], flip_N[n], image)
        for change in order:
            parameter = colour_4N[change, n]
            if change == BRIGHTNESS:
                _brighten(image, parameter)
            elif change == CONTRAST:
                _contrast(image, parameter, grey_3)
            elif change == SATURATION:
                _saturate(image, parameter, grey_3)
            else:
                _turn_hue(image, parameter)


@inner
def _crop_and_flip(image_3HW: np.ndarray, down: int, right: int, flip: bool, out_3HW: np.ndarray) -> None:
    colours, height, width = image_3HW.shape
    # The columns of the result that lie in the image.
    first, last = max(0, -right), max(0, min(width, width - right))
    if flip:
        first, last = max(0, right), max(0, min(width, width + right))
    for c in range(colours):
        for y in range(height):
            if not 0 <= y + down < height:
                out_3HW[c, y] = 0
                continue
            out_3HW[c, y, :first] = 0
            out_3HW[c, y, last:] = 0
            row = image_3HW[c, y + down]
            if flip:
                for x in range(first, last):
                    out_3HW[c, y, x] = np.float32(row[width - 1 - x + right]) / np.float32(255)
            else:
                for x in range(first, last):
                    out_3HW[c, y, x] = np.float32(row[x + right]) / np.float32(255)


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

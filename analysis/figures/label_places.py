"""Where the names of points go so that they do not lie on each other."""

from collections.abc import Sequence

CHARACTER_PX, LINE_PX, POINT_PX = 6.5, 13.0, 9.0

# Plotly's words, with how far to the right and up the label's centre lies from the point's: 1 is as far as they need to
# touch. The first place that is free is taken.
_PLACES = {
    "top center": (0.0, 1.0),
    "bottom center": (0.0, -1.0),
    "middle right": (1.0, 0.0),
    "middle left": (-1.0, 0.0),
    "top right": (1.0, 1.0),
    "top left": (-1.0, 1.0),
    "bottom right": (1.0, -1.0),
    "bottom left": (-1.0, -1.0),
}

_Box = tuple[float, float, float, float]  # left, bottom, right, top, in pixels


def label_places(x: Sequence[float], y: Sequence[float], labels: Sequence[str], size_px: tuple[int, int]) -> list[str]:
    """A `textposition` for each point of a scatter plot.

    x, y: as drawn (the logarithm for a logarithmic axis), of equal length. size_px: width and height of the plot.
    """
    across, up = _pixels(x, size_px[0]), _pixels(y, size_px[1])
    half = POINT_PX / 2
    taken: list[_Box] = [(a - half, b - half, a + half, b + half) for a, b in zip(across, up, strict=True)]
    chosen = []
    for a, b, label in zip(across, up, labels, strict=True):
        boxes = {place: _box(a, b, label, *shares) for place, shares in _PLACES.items()}
        # Of equal ones the first. Its own point is among those taken, and every place only touches it.
        best = min(boxes, key=lambda place: sum(_shared(boxes[place], other) for other in taken))
        taken.append(boxes[best])
        chosen.append(best)
    return chosen


def _pixels(values: Sequence[float], size_px: int) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return [size_px * (value - low) / ((high - low) or 1.0) for value in values]


def _box(a: float, b: float, label: str, right: float, up: float) -> _Box:
    width, height = CHARACTER_PX * len(label), LINE_PX
    a += right * (width + POINT_PX) / 2
    b += up * (height + POINT_PX) / 2
    return a - width / 2, b - height / 2, a + width / 2, b + height / 2


def _shared(one: _Box, other: _Box) -> float:
    """The area that two boxes have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)

"""Means with Student's t intervals."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

ROUNDING = 1e-12  # a spread that is smaller, as a part of the mean, is none


@dataclass(frozen=True)
class Interval:
    """A mean over n independent values; low and high are NaN where there is no interval.

    That is for n < 2, and where all values are equal but not zero: accuracies are counts of images, so that a few of
    them agree by chance, and a spread of nothing would make sure of any difference.

    p: of a mean as far from zero as this, in either direction, if the true one is zero.
    """

    n: int
    mean: float
    low: float
    high: float
    p: float = np.nan

    @property
    def has_bounds(self) -> bool:
        return not np.isnan(self.low)

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def t_interval(values: Iterable[float], confidence: float = 0.95) -> Interval:
    """Mean and two-sided t interval of independent values; non-finite ones are left out and not counted in n."""
    x = _finite(values)
    if len(x) == 0:
        return Interval(0, np.nan, np.nan, np.nan)
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(1, mean, np.nan, np.nan)
    return _interval(len(x), mean, float(x.std(ddof=1)) / len(x) ** 0.5, len(x) - 1, confidence)


def welch_interval(a: Iterable[float], b: Iterable[float], confidence: float = 0.95) -> Interval:
    """Mean of a minus mean of b with Welch's interval (1947, unequal variances); n is the smaller group's."""
    x, y = _finite(a), _finite(b)
    n = min(len(x), len(y))
    if n == 0:
        return Interval(0, np.nan, np.nan, np.nan)
    difference = float(x.mean() - y.mean())
    if n == 1:
        return Interval(1, difference, np.nan, np.nan)
    vx, vy = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    squares = vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1)
    freedom = (vx + vy) ** 2 / squares if squares else n - 1
    return _interval(n, difference, (vx + vy) ** 0.5, freedom, confidence)


def _interval(n: int, mean: float, error: float, freedom: float, confidence: float) -> Interval:
    if error <= ROUNDING * abs(mean):
        return Interval(n, mean, 0.0, 0.0, 1.0) if mean == 0 else Interval(n, mean, np.nan, np.nan)
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Interval(n, mean, mean - half, mean + half, p)


def _finite(values: Iterable[float]) -> np.ndarray:
    x = np.asarray(list(values), dtype=float)
    return x[np.isfinite(x)]

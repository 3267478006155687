"""Since which epoch a validation loss rises, if it does."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression, nnls

FEWEST = 6  # epochs; with fewer the noise cannot be told from a turn
MOST = 100  # longer curves are averaged into so many stretches
# An epoch counts as possible while turning there fits worse by no more than this many variances of the noise.
LIKELY = 4.0
# Level means within so many standard deviations of the noise of the lowest: without it, the end of a long level stretch
# would be missed for whichever of its epochs the noise made lowest.
LEVEL = 0.25

# The statistic of `rise` that 5 % of curves exceed which are white noise around a constant, by their number of epochs.
# Of the curves that do not rise these look most as if they did. tests/analysis/test_onset.py measures it again.
CRITICAL = {6: 13.0, 8: 14.6, 10: 15.8, 12: 16.6, 15: 17.5, 20: 17.8, 30: 18.5, 50: 19.7, 75: 21.0, 100: 21.7}


@dataclass(frozen=True)
class Onset:
    """epoch: the last one before the loss rises; low, high: the first and the last epoch that may as well be it;
    rise: the fitted loss at the end less the lowest (nats).
    """

    epoch: float
    low: float
    high: float
    rise: float


def onset(val_loss: np.ndarray) -> Onset | None:
    """Where a validation loss turns from falling to rising; None where it does not, or in fewer than six epochs.

    val_loss: (E,) nats, one per epoch from the first one on, all finite.
    Whether: curves of any shape that fall up to some epoch and rise after it are fitted by least squares (unimodal
    regression: Frisén 1986), and curves that only fall. The rise counts where it explains so much more that pure noise
    does so in one curve of twenty.
    When: the end of the lowest stretch of a convex fit (Hildreth 1954), which noise moves less; low and high: the turns
    whose unimodal fit is hardly worse than the best.
    """
    y_E, width = _in_stretches(np.asarray(val_loss, dtype=float))
    # Of stretch i, the epoch in its middle.
    first = 1 + len(val_loss) % width + (width - 1) / 2
    if len(y_E) < FEWEST or rise_statistic(y_E) <= critical(len(y_E)):
        return None
    noise = noise_variance(y_E)
    error_E = _unimodal_errors(y_E)
    fit_E = _fit(y_E, int(np.argmin(error_E)))
    convex_E = _convex(y_E)
    turn = int(np.flatnonzero(convex_E <= convex_E.min() + LEVEL * noise**0.5)[-1])
    possible = np.flatnonzero(error_E <= error_E.min() + LIKELY * noise)
    bottoms = [_bottom(_fit(y_E, int(other))) for other in possible]
    return Onset(
        epoch=first + width * turn,
        low=first + width * min(turn, *(left for left, _ in bottoms)),
        high=first + width * max(turn, *(right for _, right in bottoms)),
        rise=float(fit_E[-1] - fit_E.min()),
    )


def rise_statistic(y_E: np.ndarray) -> float:
    """How much better a falling and rising curve fits than one that only falls, in variances of the noise."""
    error_E = _unimodal_errors(y_E)
    spared = float(error_E[-1] - error_E.min())
    return spared / noise_variance(y_E) if spared > 0 else 0.0


def critical(n: int) -> float:
    """What `rise_statistic` exceeds in 5 % of curves of n epochs that are pure noise; between table entries linear."""
    return float(np.interp(n, list(CRITICAL), list(CRITICAL.values())))


def _unimodal_errors(y_E: np.ndarray) -> np.ndarray:
    """(E,): the squared error of the best curve that falls over the first e + 1 epochs and rises over the others."""
    n = len(y_E)
    falling = [_squared(y_E[:e], _isotonic(y_E[:e], rising=False)) for e in range(1, n + 1)]
    rising = [_squared(y_E[e:], _isotonic(y_E[e:], rising=True)) for e in range(1, n)]
    return np.array(falling) + np.array([*rising, 0.0])


def _fit(y_E: np.ndarray, turn: int) -> np.ndarray:
    return np.concatenate([_isotonic(y_E[: turn + 1], rising=False), _isotonic(y_E[turn + 1 :], rising=True)])


def _bottom(fit_E: np.ndarray) -> tuple[int, int]:
    """The first and the last index of the lowest stretch."""
    lowest = np.flatnonzero(fit_E == fit_E.min())
    return int(lowest[0]), int(lowest[-1])


def _isotonic(y_E: np.ndarray, *, rising: bool) -> np.ndarray:
    if len(y_E) == 0:
        return y_E
    fitted: np.ndarray = isotonic_regression(y_E, increasing=rising).x
    return fitted


def _convex(y_E: np.ndarray) -> np.ndarray:
    """The convex curve nearest to the values: a line, and bends upward at any of the epochs."""
    n = len(y_E)
    x_E = np.arange(n, dtype=float)
    line_E4 = np.stack([np.ones(n), -np.ones(n), x_E, -x_E], axis=1)
    design = np.concatenate([line_E4, np.maximum(0, x_E[:, None] - np.arange(1, n - 1))], axis=1)
    fitted: np.ndarray = design @ nnls(design, y_E, maxiter=100 * n)[0]
    return fitted


def _squared(y_E: np.ndarray, fit_E: np.ndarray) -> float:
    return float(((y_E - fit_E) ** 2).sum())


def noise_variance(y_E: np.ndarray) -> float:
    """Variance of the noise around a smooth curve, from second differences (Gasser et al. 1986), whose median the steep
    first epochs do not move.

    Not below what rounding to float32 leaves: a network that has come to a standstill repeats its loss exactly.
    """
    rounding = float(np.finfo(np.float32).eps * np.abs(y_E).max())
    return max(float(np.median(np.abs(np.diff(y_E, 2))) / 0.6745) ** 2 / 6, rounding**2)


def _in_stretches(y_E: np.ndarray) -> tuple[np.ndarray, int]:
    """Means of equally many epochs each, and how many; what is left over at the start is left out."""
    width = -(-len(y_E) // MOST)
    return y_E[len(y_E) % width :].reshape(-1, width).mean(axis=1), width

"""Whether the levels of one factor differ, by how much, and how many seeds it would take to tell."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import betaincinv, nctdtr, stdtrit
from scipy.stats import wilcoxon

from analysis.gap_levels import Levels, level_name, levels_of
from analysis.gap_table import At
from analysis.results import Results

ALPHA = 0.05
POWER = 0.8
MOST_NEEDED = 10_000
# Differences below these are seldom worth a decision: half a point of accuracy, 0.02 nats of loss or gap.
RELEVANT = {"val_acc": 0.005, "train_eval_acc": 0.005, "gap_acc": 0.005}
RELEVANT_LOSS = 0.02


def compare(
    results: Results,
    factor: str,
    value: str = "val_loss",
    at: At = "matched",
    epoch: int | None = None,
    baseline: object = None,
    relevant: float | None = None,
) -> pd.DataFrame:
    """One row per pair of a factor's levels, or per level against `baseline`: level a minus level b.

    factor: a column of `results.trials`, derived ones (such as bn_before_dropout) included. It, value, at and epoch: as
    for `analysis.gaps_by`.
    relevant: the least difference worth knowing (default: 0.005 of accuracy, 0.02 nats).

    Columns: a, b, n, unit, mean_a, mean_b, difference, low, high (95 %, for this pair alone), p, p_holm, p_wilcoxon,
    a_above_b with a_above_b_low and _high, n_needed, verdict.
    unit "replicates": every level met the same settings of the other hyper-parameters with the same seeds, a value is a
    replicate's mean over them, and the differences are paired (Student's t over n replicates). Else "configurations":
    a value is a configuration's mean over its replicates, Welch's t, and a difference is an association, not an effect.
    p_holm: p after Holm (1979) for all rows of this table. p_wilcoxon: exact signed-rank test of the pairs, which can
    not fall below 2^(1 - n): 0.25 with three seeds. a_above_b: the share of pairs in which a is above b (Bouthillier et
    al. 2021, "Accounting for variance in machine learning benchmarks": speak of better from 0.75 on), ties half, with
    the interval of Clopper and Pearson (1934), since a bootstrap of few pairs that agree has none.
    n_needed: replicates with which a difference of `relevant` is found 4 times in 5, with the spread seen here, at 5 %
    divided by the rows of this table, as Holm does for the first of them; NaN where it is not paired or n < 2, infinite
    above 10,000.
    verdict: "a higher", "b higher" (p_holm < 0.05), "alike" (the interval lies within +-relevant), "undecided", with
    n_needed where that is more than n, "no interval: n = 1", or with another n where all differences are equal.
    Raises ValueError for an unknown factor, value or baseline, or a `relevant` that is not above 0.
    """
    least = RELEVANT.get(value, RELEVANT_LOSS) if relevant is None else relevant
    if not least > 0:
        raise ValueError(f"compare: relevant={relevant} is not above 0; give the smallest difference worth knowing")
    return compare_levels(levels_of(results, factor, at, epoch, value), least, baseline)


def compare_levels(levels: Levels, relevant: float, baseline: object = None) -> pd.DataFrame:
    """The table of `compare`."""
    pairs = _pairs(levels, baseline)
    rows = [_row(levels, a, b, relevant, ALPHA / len(pairs)) for a, b in pairs]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["p_holm"] = holm(table["p"].to_numpy(float))
    table["verdict"] = [_verdict(row, relevant) for row in table.to_dict("records")]
    return table


_COLUMNS = [
    *("a", "b", "n", "unit", "mean_a", "mean_b", "difference", "low", "high", "p", "p_holm", "p_wilcoxon"),
    *("a_above_b", "a_above_b_low", "a_above_b_high", "n_needed", "verdict"),
]


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of p-values; NaN stays NaN and does not count."""
    adjusted = np.full(len(p), np.nan)
    order = [i for i in np.argsort(p) if not np.isnan(p[i])]
    running = 0.0
    for place, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - place) * float(p[i])))
        adjusted[i] = running
    return adjusted


def pairs_needed(spread: float, difference: float, alpha: float = ALPHA) -> float:
    """Pairs with which a two-sided paired t test at the level alpha finds `difference` with a power of 0.8.

    spread: standard deviation of the paired differences. inf above 10,000; 2 at least.
    """

    def power(n: int) -> float:
        bound, shift = float(stdtrit(n - 1, 1 - alpha / 2)), difference / spread * n**0.5
        return float(1 - nctdtr(n - 1, shift, bound) + nctdtr(n - 1, shift, -bound))

    if spread == 0:
        return 2.0
    # From below: far beyond what is needed the noncentral t has no digits left.
    low, high = 2, 2
    while power(high) < POWER:
        low, high = high, 2 * high
        if low > MOST_NEEDED:
            return float("inf")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle + 1, high)
    return float(low)


def _pairs(levels: Levels, baseline: object) -> list[tuple[str, str]]:
    names = [name for name, values in levels.values.items() if len(values)]
    if baseline is None:
        return list(combinations(names, 2))
    base = next((name for name in names if _is_level(name, baseline)), None)
    if base is None:
        raise ValueError(f"compare: baseline {baseline!r} is no level of {levels.factor}; choose one of {names}")
    return [(name, base) for name in names if name != base]


def _is_level(name: str, wanted: object) -> bool:
    """Whether a level's name is what somebody wrote: 0.001 may be 1e-3."""
    if name == level_name(wanted):
        return True
    try:
        return float(name) == float(str(wanted))
    except ValueError:
        return False


def _row(levels: Levels, a: str, b: str, relevant: float, alpha: float) -> dict[str, object]:
    paired = levels.unit == "replicates"
    difference = levels.difference(a, b)
    own_a, own_b = levels.pair(a, b)
    row: dict[str, object] = {
        "a": a,
        "b": b,
        "n": difference.n,
        "unit": levels.unit,
        "mean_a": own_a.mean,
        "mean_b": own_b.mean,
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
    }
    if paired:
        each = (levels.values[a] - levels.values[b]).dropna().to_numpy(float)
        above = float((each > 0).sum() + (each == 0).sum() / 2)
        row |= {
            "p_wilcoxon": float(wilcoxon(each).pvalue) if each.any() else np.nan,
            "a_above_b": above / len(each) if len(each) else np.nan,
            "a_above_b_low": _clopper_pearson(above, len(each))[0],
            "a_above_b_high": _clopper_pearson(above, len(each))[1],
            "n_needed": pairs_needed(float(each.std(ddof=1)), relevant, alpha) if len(each) > 1 else np.nan,
        }
    return row


def _clopper_pearson(successes: float, n: int) -> tuple[float, float]:
    if n == 0:
        return np.nan, np.nan
    low = float(betaincinv(successes, n - successes + 1, ALPHA / 2)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - ALPHA / 2)) if successes < n else 1.0
    return low, high


def _verdict(row: dict, relevant: float) -> str:
    if np.isnan(row["low"]):
        return f"no interval: n = {row['n']}"
    if row["p_holm"] < ALPHA:
        return "a higher" if row["difference"] > 0 else "b higher"
    if -relevant < row["low"] and row["high"] < relevant:
        return "alike"
    needed = row["n_needed"]
    if np.isnan(needed) or needed <= row["n"]:
        return "undecided"
    return f"undecided: about {needed:.0f} replicates would tell" if np.isfinite(needed) else "undecided: too noisy"

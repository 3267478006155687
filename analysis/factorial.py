"""All factors of a full factorial in one model: what each does on average, and whether one changes another."""

import json
import math
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from analysis.comparison import ALPHA, holm
from analysis.gap_levels import WITHOUT_BEARING, level_name, measured
from analysis.gap_table import At
from analysis.results import Results
from analysis.searched import searched, specs


class NotFactorialError(ValueError):
    """The trials are no full factorial with two or more replicates."""


def factorial_model(
    results: Results, value: str = "val_loss", at: At = "matched", epoch: int | None = None
) -> pd.DataFrame:
    """One row per level of each factor against its first one, and one per pair of factors.

    The mixed model with a random effect of the replicate, fixed effects of the factors, and all their two-way
    interactions. In a full factorial it has a closed form, the analysis of variance of randomised complete blocks
    (Montgomery, Design and Analysis of Experiments, ch. 4 and 5), so that intervals and tests are exact for normal
    noise. It pools the noise of all settings, and so is surer than `compare` with few seeds; the price is that a seed
    has to move all settings alike, which `compare` does not ask for.

    value, at, epoch: as for `analysis.gaps_by`. Columns: term (a factor, or "a × b"), level, against, effect (level
    minus the first one, means over all others), low, high (95 %, for this row alone), p, p_holm (Holm over all rows),
    share (of the variance in the table, replicates aside, the whole term's), n (replicates), freedom (of the noise).
    An interaction's row has no effect, and the p of its F test.
    Raises NotFactorialError where the trials are no full factorial with two or more replicates and a finite value in
    each, where some settings train the same network, or several sweeps differ in more than their space; ValueError for
    an unknown value.
    """
    _refuse_unlike(results)
    table = measured(results, at, epoch, value)
    names = [name for name in searched(results) if table[name].nunique() > 1]
    y, levels = _array(table, names, value)
    terms = _terms(y)
    factors = [(i,) for i in range(len(names))]
    pairs = list(combinations(range(len(names)), 2))
    within = y - y.mean() - terms[(len(names),)][0]  # without what a seed does to all settings alike
    rest = within - sum(terms[key][0] for key in (*factors, *pairs))
    freedom = y.size - y.shape[-1] - sum(terms[key][1] for key in (*factors, *pairs))
    noise = _square(rest) / freedom
    between = _square(within) or np.nan  # NaN where nothing differs
    rows = []
    for (i,) in factors:
        means = y.mean(axis=tuple(axis for axis in range(y.ndim) if axis != i))
        error = (2 * noise * len(means) / y.size) ** 0.5
        half = float(stdtrit(freedom, 1 - ALPHA / 2)) * error
        for level, mean in zip(levels[i][1:], means[1:], strict=True):
            effect = float(mean - means[0])
            p = 2 * float(stdtr(freedom, -abs(effect) / error)) if error else float(effect == 0)
            told = (names[i], level, levels[i][0], effect, effect - half, effect + half, p)
            rows.append((*told, _square(terms[(i,)][0]) / between))
    for i, j in pairs:
        deviations, own = terms[(i, j)]
        square = _square(deviations)
        p = float(fdtrc(own, freedom, square / own / noise)) if noise else float(square == 0)
        rows.append((f"{names[i]} × {names[j]}", "", "", np.nan, np.nan, np.nan, p, square / between))
    found = pd.DataFrame(rows, columns=["term", "level", "against", "effect", "low", "high", "p", "share"])
    found.insert(7, "p_holm", holm(found["p"].to_numpy(float)))
    return found.assign(n=y.shape[-1], freedom=freedom)


def _refuse_unlike(results: Results) -> None:
    """What else differs between sweeps would count as an effect of a hyper-parameter; other seeds pair nothing."""
    kinds = {
        json.dumps(
            [
                {key: spec[key] for key in spec if key not in (*WITHOUT_BEARING, "space", "configurations")},
                (spec.get("search") or {}).get("seed"),
            ],
            sort_keys=True,
        )
        for spec in specs(results)
    }
    if len(kinds) > 1:
        raise NotFactorialError("factorial_model: these sweeps differ in more than their space; give one of them")


def _array(table: pd.DataFrame, names: list[str], value: str) -> tuple[np.ndarray, list[list[str]]]:
    """The values, an axis a factor and the replicates last; and the levels' names."""
    if not names:
        raise NotFactorialError("factorial_model: no hyper-parameter has two or more values here")
    axes = [table[name].drop_duplicates().sort_values().tolist() for name in [*names, "replicate"]]
    if len(axes[-1]) < 2:
        raise NotFactorialError("factorial_model: one replicate leaves no noise; `replicates: 3` or more does")
    wanted = math.prod(len(axis) for axis in axes)  # of drawn values too many to list
    finite = table[np.isfinite(table[value].astype(float))]
    cells = finite.set_index([*names, "replicate"])[value]
    if cells.index.has_duplicates or len(cells) != wanted:
        raise NotFactorialError(
            f"factorial_model: {len(cells)} trials have a finite {value}, a full factorial of {', '.join(names)} has "
            f"{wanted} ({' x '.join(str(len(axis)) for axis in axes)}); run it in `mode: study` with listed values"
        )
    _refuse_copies(finite, names)
    y = cells.reindex(pd.MultiIndex.from_product(axes)).to_numpy(float).reshape([len(axis) for axis in axes])
    return y, [[level_name(level) for level in axis] for axis in axes[:-1]]


def _refuse_copies(cells: pd.DataFrame, names: list[str]) -> None:
    """Drop rates of an order without dropout are one training, and would count as if each had noise of its own."""
    losses = cells.pivot(index=names, columns="replicate", values="val_loss")
    copies = losses[losses.duplicated(keep=False)]
    if len(copies) and len(losses.drop_duplicates()) > 1:
        alike = copies[copies.eq(copies.iloc[0]).all(axis=1)].index[:2]
        first, second = (", ".join(map(str, np.atleast_1d(setting))) for setting in alike)
        raise NotFactorialError(
            f"factorial_model: {first} and {second} train the same network; run the study without one of them, or "
            "compare settings pair by pair with `analysis.compare`"
        )


def _terms(y: np.ndarray) -> dict[tuple[int, ...], tuple[np.ndarray, int]]:
    """Per axis and pair of axes the deviations that are its own, broadcast to y's shape, and their degrees of freedom.

    In a full factorial these are orthogonal, so that none depends on which others are in the model.
    """
    found: dict[tuple[int, ...], tuple[np.ndarray, int]] = {}
    for key in (*((i,) for i in range(y.ndim)), *combinations(range(y.ndim - 1), 2)):
        others = tuple(axis for axis in range(y.ndim) if axis not in key)
        mean = np.broadcast_to(y.mean(axis=others, keepdims=True), y.shape) - y.mean()
        inner = sum((found[(i,)][0] for i in key), np.zeros(y.shape)) if len(key) > 1 else 0.0
        found[key] = mean - inner, int(np.prod([y.shape[i] - 1 for i in key]))
    return found


def _square(deviations: np.ndarray) -> float:
    return float((deviations**2).sum())

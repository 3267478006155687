"""A verdict on every trial or configuration: does it overfit, since when, and what to do."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.onset import FEWEST, onset
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results
from analysis.wording import nats

ADVICE = {
    "overfits": "more regularisation, a smaller model, more data, or stop at that epoch",
    "learning": "train longer, or raise the learning rate",
    "underfits": "less regularisation, a larger model, or another learning rate",
    "memorises": "more regularisation or more data; more epochs only widen the gap",
    "healthy": "leave it",
    "unstable": "lower the learning rate",
    "diverged": "lower the learning rate",
    "undecided": "train it to its end",
}
_LAST = 3  # epochs that stand for the end, since one is noisy


By = Literal["trial", "configuration"]


def diagnose(results: Results, by: By = "trial") -> pd.DataFrame:
    """One row per trial with epochs: its verdict, since which epoch it overfits, and what to do.

    Columns: sweep_id, trial_id, configuration_id, replicate, verdict; since, since_low, since_high (the last epoch
    before the validation loss rises, and where that may as well be; NaN where it does not), rise (nats, from there to
    the end), gl (generalisation loss of Prechelt 1998, percent: the last validation loss above the lowest), gap (nats,
    mean of the last three epochs), epochs, advice.

    verdict, the first that holds:
    diverged   it stopped on a loss that was not finite or above the stop rule's, or ended on one that was not finite;
    overfits   its validation loss turned (`analysis.onset`) and the gap to the training loss has grown since;
    unstable   it turned, and the training loss rose as much: training came apart;
    undecided  it was cut before or is not through, or has fewer than six epochs;
    learning   its validation loss still falls in the last third of its epochs (slope, one-sided 5 %);
    underfits  it is level, and has a higher loss on its training images than the best trial of the same data set has on
               validation images;
    memorises  it is level while the gap still grows in the last third of its epochs (slope, one-sided 5 %);
    healthy    none of these.

    by="configuration": one row per configuration, judged by the mean curve of its replicates, over the epochs that all
    of them have: less noise, so that a later or weaker turn shows. It diverged if one of them did; one that failed is
    left out, unless all did. In place of trial_id and replicate: n (replicates) and agree (how many of them have the
    same verdict alone).
    Raises ValueError for another `by`.
    """
    if by not in ("trial", "configuration"):
        raise ValueError(f"diagnose: by={by!r} is not known; choose 'trial' or 'configuration'")
    judged = _judged(results)
    if by == "trial":
        told = [*TRIAL_KEY, "configuration_id", "replicate"]
        rows = [{name: known[name] for name in told} | verdict for known, _, verdict in judged]
        return pd.DataFrame(rows, columns=[*told, *_COLUMNS])
    groups: dict[tuple, list] = {}
    for known, curve, verdict in judged:
        key = tuple(known[name] for name in CONFIGURATION_KEY)
        groups.setdefault(key, []).append((known["status"] == "FAILED", curve, verdict))
    rows = []
    for key, trials in groups.items():
        group = [each for failed, *each in trials if not failed] or [each for _, *each in trials]
        verdict = group[0][1] if len(group) == 1 else _verdict(_Curve.mean([curve for curve, _ in group]))
        agree = sum(alone["verdict"] == verdict["verdict"] for _, alone in group)
        rows.append(dict(zip(CONFIGURATION_KEY, key, strict=True)) | {"n": len(group), "agree": agree} | verdict)
    return pd.DataFrame(rows, columns=[*CONFIGURATION_KEY, "n", "agree", *_COLUMNS])


_COLUMNS = ["verdict", "since", "since_low", "since_high", "rise", "gl", "gap", "epochs", "advice"]


@lru_cache(maxsize=1)  # milliseconds a trial, and a report asks twice
def _judged(results: Results) -> list[tuple[dict[Hashable, Any], "_Curve", dict[str, object]]]:
    """Each trial with its curve and verdict."""
    return [(known, curve, _verdict(curve)) for known, curve in _curves(results)]


@dataclass(frozen=True)
class _Curve:
    """losses: val_loss and train_eval_loss by epoch (E, 2). It ended on a loss that was not finite, or too early.

    lowest: the validation loss of the best trial of the same data set.
    """

    losses: np.ndarray
    diverged: bool
    censored: bool
    lowest: float

    @classmethod
    def mean(cls, curves: list["_Curve"]) -> "_Curve":
        shortest = min(len(curve.losses) for curve in curves)
        mean = np.mean([curve.losses[:shortest] for curve in curves], axis=0)
        diverged, censored = any(curve.diverged for curve in curves), any(curve.censored for curve in curves)
        return cls(mean, diverged, censored, curves[0].lowest)


def _curves(results: Results) -> Iterator[tuple[dict[Hashable, Any], _Curve]]:
    """Each trial with epochs, in the order of `results.trials`."""
    order = results.epochs.sort_values([*TRIAL_KEY, "epoch"])
    losses = dict(iter(order.groupby(TRIAL_KEY)[["val_loss", "train_eval_loss"]]))
    finite = results.epochs[np.isfinite(results.epochs["val_loss"])]
    lowest = finite.merge(results.trials[[*TRIAL_KEY, "dataset"]], on=TRIAL_KEY).groupby("dataset")["val_loss"].min()
    columns = [*TRIAL_KEY, "configuration_id", "replicate", "status", "stop_reason", "censored", "dataset"]
    for trial in results.trials[columns].to_dict("records"):
        own = losses.get(tuple(trial[name] for name in TRIAL_KEY))
        if own is not None:
            diverged, best = trial["stop_reason"] == "diverged", float(lowest.get(trial["dataset"], np.nan))
            yield trial, _Curve(own.to_numpy(float), diverged, bool(trial["censored"]), best)


def verdict_words(row: Mapping[Any, Any]) -> str:
    """A row of `diagnose` in two words, such as "overfits since 8 (6 to 12)"."""
    since = "" if pd.isna(row["since"]) else f" since {_epochs(row['since'], row['since_low'], row['since_high'])}"
    return f"{row['verdict']}{since}"


def diagnosis_sentences(results: Results) -> list[str]:
    """What `diagnose` says of the best configuration and of all trials, in plain text. `results` has epochs."""
    ranked = rank_configurations(results)[[*CONFIGURATION_KEY, "n", "rank", "best_epoch"]].rename(
        columns={"n": "seeds"}
    )
    configurations = diagnose(results, by="configuration").merge(ranked, on=CONFIGURATION_KEY, how="left")
    if configurations.empty:
        return []
    best = configurations.sort_values("rank", kind="stable").iloc[0]
    told = _SAID[best["verdict"]].format(
        since=_epochs(best["since"], best["since_low"], best["since_high"]),
        rise=nats(best["rise"]),
        gap=nats(best["gap"]),
        epochs=f"{best['epochs']} epochs" if best["epochs"] > 1 else "one epoch",
        peak=f"Its accuracy was highest at epoch {best['best_epoch']:.0f}"
        if best["seeds"] == 1
        else f"Its seeds' accuracies were highest at epoch {best['best_epoch']:g} in the median",
    )
    table = diagnose(results)
    if len(table) == 1:
        return [told]
    said = [] if ranked.empty else [told]
    counts = table["verdict"].value_counts()
    since = table.loc[table["verdict"] == "overfits", "since"]
    when = {"overfits": f" (since epoch {since.median():.0f} in the median)"} if len(since) > 1 else {}
    listed = [f"{counts[name]} {word}{when.get(name, '')}" for name, word in _COUNTED.items() if name in counts]
    return [*said, f"Of {len(table)} trials: {', '.join(listed)}."]


_SAID = {
    "overfits": "The best configuration overfits since epoch {since}: from there to its end the validation loss rises "
    "by {rise}, and the training loss by less than half as much, if at all. {peak}.",
    "unstable": "The best configuration is unstable: its validation loss rises by {rise} after epoch {since}, and the "
    "training loss with it. That is not overfitting but training that came apart, as with a large learning rate.",
    "learning": "The best configuration does not overfit so far: its validation loss still falls after {epochs}, and "
    "more may help.",
    "underfits": "The best configuration underfits: in {epochs} its validation loss has levelled off, and its training "
    "loss is still above the lowest validation loss on these images.",
    "memorises": "The best configuration memorises: its validation loss has levelled off in {epochs}, but its training "
    "loss has not. The gap, {gap} at the end, still grows, and what is learnt now does not generalise.",
    "healthy": "The best configuration does not overfit in {epochs}: its validation loss has levelled off, with a gap "
    "of {gap}.",
    "undecided": "The best configuration's validation loss does not turn in {epochs}; it was cut, is not through, or "
    "has too few of them to say more.",
    "diverged": "The best configuration diverged.",
}
_COUNTED = {
    "overfits": "overfit",
    "unstable": "unstable",
    "learning": "learning",
    "underfits": "underfit",
    "memorises": "memorise",
    "healthy": "healthy",
    "undecided": "undecided",
    "diverged": "diverged",
}


def _epochs(epoch: float, low: float, high: float) -> str:
    return f"{epoch:.0f}" if low == high else f"{epoch:.0f} ({low:.0f} to {high:.0f})"


def _verdict(curve: _Curve) -> dict[str, object]:
    val_E, train_E = curve.losses.T
    whole = bool(np.isfinite(curve.losses).all())
    row: dict[str, object] = {"epochs": len(val_E)}
    last_third = slice(-max(FEWEST, len(val_E) // 3), None)
    turn = None
    if whole:
        row["gl"] = 100 * (val_E[-1] / val_E.min() - 1)
        row["gap"] = float((val_E - train_E)[-_LAST:].mean())
        turn = onset(val_E)
    if curve.diverged or not whole:
        verdict = "diverged"
    elif turn is not None:
        row |= {"since": turn.epoch, "since_low": turn.low, "since_high": turn.high, "rise": turn.rise}
        turned = slice(max(0, round(turn.epoch) - 2), round(turn.epoch))
        rise, train_rise = (y_E[-_LAST:].mean() - y_E[turned].mean() for y_E in (val_E, train_E))
        # A training loss near zero cannot fall any more: what tells overfitting is that the two part.
        verdict = "overfits" if train_rise < rise / 2 else "unstable"
    elif curve.censored or len(val_E) < FEWEST:
        verdict = "undecided"
    elif _falls(val_E[last_third]):
        verdict = "learning"
    elif train_E[-_LAST:].mean() > curve.lowest:
        verdict = "underfits"
    else:
        verdict = "memorises" if _falls((train_E - val_E)[last_third]) else "healthy"
    return row | {"verdict": verdict, "advice": ADVICE[verdict]}


def _falls(y_E: np.ndarray) -> bool:
    """Whether a straight line through the values goes down, by a one-sided t test of its slope at 5 %."""
    x_E = np.arange(len(y_E)) - (len(y_E) - 1) / 2
    slope = float(x_E @ y_E / (x_E @ x_E))
    rest = y_E - y_E.mean() - slope * x_E
    error = float((rest @ rest / (len(y_E) - 2) / (x_E @ x_E)) ** 0.5)
    return slope < 0 if error == 0 else float(stdtr(len(y_E) - 2, slope / error)) < 0.05

"""What the data say, in sentences that change with them. Plain text: whoever prints it escapes it."""

from dataclasses import dataclass

import pandas as pd

from analysis.comparison import ALPHA
from analysis.diagnosis import diagnosis_sentences
from analysis.factorial import NotFactorialError, factorial_model
from analysis.final_choice import final_sentences
from analysis.gap_levels import levels_of, widest_difference
from analysis.gap_table import gaps, matched_epoch
from analysis.intervals import Interval, t_interval
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results, is_lost
from analysis.searched import searched, specs
from analysis.wording import last_line, nats, p_value


@dataclass(frozen=True)
class Finding:
    title: str
    text: str


def findings(results: Results) -> list[Finding]:
    """The best configuration, what was cut, which factor goes with the larger gap, since when the best one overfits."""
    if results.trials.empty:
        return [Finding("Nothing yet.", "No trial has started.")]
    if results.epochs.empty:
        return [
            Finding("No epochs.", "No trial has finished an epoch, so there is nothing to compare."),
            *_lost(results),
        ]
    if len(results.manifests) == 1 and results.manifest.get("final_round", {}).get("kind") == "final":
        tested = Finding("On the test images.", " ".join(final_sentences(results)))
        return [tested, *_overfitting(results), *_lost(results)]
    return [
        *_best(results),
        *_overfitting(results),
        *_cut(results),
        *_factor(results),
        *_interaction(results),
        *_lost(results),
    ]


def _best(results: Results) -> list[Finding]:
    ranked = rank_configurations(results)
    if ranked.empty:
        return [Finding("No best configuration.", "No trial has a finite validation accuracy.")]
    best = ranked.iloc[0]
    table = gaps(results, "best").merge(best.to_frame().T[CONFIGURATION_KEY], on=CONFIGURATION_KEY)
    acc, gap = t_interval(table["val_acc"]), t_interval(table["gap_loss"])
    epochs = table["epoch"].dropna()
    when = f"epoch {epochs.min()}" if epochs.nunique() == 1 else f"epochs {epochs.min()} to {epochs.max()}"
    if acc.has_bounds:
        # An interval of Student's t knows of no bounds.
        low, high = _percent(max(acc.low, 0.0)), _percent(min(acc.high, 1.0))
        size = f"validation accuracy {_percent(acc.mean)} (95 % interval {low} to {high}, n = {acc.n} replicates)"
    else:
        few = "one replicate, so" if acc.n == 1 else f"{acc.n} replicates alike:"
        size = f"validation accuracy {_percent(acc.mean)} ({few} no interval)"
    text = f"{best['label']}: {size} at {when}, with a gap of {nats(gap.mean)}."
    same = " on the same validation images" if len(results.manifests) == 1 else ""
    compared = ranked[ranked["lost"] == best["lost"]]
    if len(compared) > 1:
        which = " of which no seed was lost" if ranked["lost"].any() and not best["lost"] else ""
        text += f" It is the highest of {len(compared)} configurations{which}{same}, so expect less on new images."
    return [Finding("Best configuration.", text)]


def _overfitting(results: Results) -> list[Finding]:
    return [Finding("Overfitting.", " ".join(diagnosis_sentences(results)))]


def _cut(results: Results) -> list[Finding]:
    trials = results.trials
    matched = matched_epoch(results)
    asha = int((trials["stop_reason"] == "asha").sum())
    running = int((trials["status"] == "RUNNING").sum())
    if matched is None:
        return []
    lost = is_lost(trials)
    begun = len(trials.loc[~lost, TRIAL_KEY].merge(results.epochs[TRIAL_KEY].drop_duplicates(), on=TRIAL_KEY))
    which = ["has epochs"] if begun < int((~lost).sum()) else []
    which += ["neither failed nor diverged"] if lost.any() else []
    of_them = f" that {' and '.join(which)} has" if which else ""
    at = f"epoch {matched}, the last that every trial{of_them} reached"
    longest = int(results.epochs["epoch"].max())
    if asha:
        text = (
            f"ASHA cut {asha} of {len(trials)} trials early, because they were behind. Their last gaps come from "
            f"earlier epochs than those of the others, so gaps are compared at {at}"
        )
    elif len(trials) > 1 or running:
        text = f"No trial was cut by ASHA; gaps are compared at {at}"
    else:
        return []
    text += " (this says little about late overfitting)." if matched * 3 <= longest else "."
    if running:
        goes_on = any(manifest.get("state") == "RUNNING" for manifest in results.manifests)
        are = "are still running" if goes_on else "have epochs left"
        text += f" {running} of {len(trials)} trials {are}: all of this may change."
    return [Finding("What can be compared.", text)]


def _factor(results: Results) -> list[Finding]:
    """The factor whose levels differ most surely in gap at the matched epoch."""
    matched = matched_epoch(results)
    factors = [name for name in searched(results) if results.trials[name].nunique() > 1]
    if matched is None or not factors:
        return []
    all_levels = [levels_of(results, name) for name in factors]
    looks = sum(len(levels.values) * (len(levels.values) - 1) // 2 for levels in all_levels)
    found = [(levels, widest) for levels in all_levels if (widest := widest_difference(levels, looks))]
    if not found:
        return []
    sure = [pair for pair in found if pair[1][2].excludes_zero]
    # Among differences that hold, or among those with an interval, the largest is the one worth a sentence.
    levels, (a, b, diff) = max(sure or found, key=lambda pair: (pair[1][2].has_bounds, pair[1][2].mean))
    if diff.mean == 0:
        return [Finding("Which setting goes with the gap.", f"At epoch {matched} no setting differs from another.")]
    i, j = (f"{_with_interval(i)}, n = {i.n}" for i in levels.pair(a, b))
    text = (
        f"At epoch {matched} the gap is larger at {levels.factor} {a} ({i}) than at {b} ({j}; n counts {levels.unit})."
    )
    if not diff.has_bounds:
        text += f" With n = {diff.n} this is too small for a claim: it may be luck."
    elif diff.excludes_zero:
        text += f" The difference is {nats(diff.mean)} ({nats(diff.low)} to {nats(diff.high)}, {_looks(looks)})."
        if levels.unit == "configurations":
            text += " The other hyper-parameters were not held equal, so this is an association, not an effect."
    else:
        text += (
            f" The difference of {nats(diff.mean)} ({nats(diff.low)} to {nats(diff.high)}, {_looks(looks)}) includes "
            "zero: n is too small for a claim."
        )
    return [Finding("Which setting goes with the gap.", text)]


def _interaction(results: Results) -> list[Finding]:
    """Whether two factors change each other's effect on the gap; nothing where the design cannot tell."""
    try:
        model = factorial_model(results, "gap_loss")
    except NotFactorialError:
        return []
    pairs = model[model["level"] == ""].sort_values("p_holm", kind="stable")
    if pairs.empty:
        return []
    first, n = pairs.iloc[0], pairs["n"].iloc[0]
    at = f"At epoch {matched_epoch(results)}"
    if first["p_holm"] >= ALPHA:
        text = f"{at} no two of them change each other's effect on the gap for sure (mixed model, n = {n} replicates)."
    else:
        a, b = first["term"].split(" × ")
        text = (
            f"{at} what {a} does to the gap depends on {b}: {100 * first['share']:.0f} % of the variance, "
            f"replicates aside, is neither's alone (mixed model, "
            f"{p_value(first['p_holm'])} after Holm, n = {n} replicates)."
        )
    return [Finding("Which settings work together.", text)]


def _lost(results: Results) -> list[Finding]:
    trials = results.trials
    failed = trials[trials["status"] == "FAILED"]
    diverged = int((trials["stop_reason"] == "diverged").sum())
    damaged = int((trials["status"] == "ABANDONED").sum())
    told = []
    if len(failed):
        text = f"{len(failed)} of {len(trials)} trials failed; their curves end where they did."
        errors = failed["error"].dropna()
        if len(errors):
            last_lines = errors.map(last_line)
            message, n = last_lines.mode().iloc[0], int(last_lines.value_counts().iloc[0])
            text += f" Most often ({n}): {str(message)[:200]}"
        told.append(Finding("Failed.", text))
    if diverged:
        rules = [spec.get("stop_rules") or {} for spec in specs(results)]
        bound = ", or above that of `stop_rules.divergence`" if any(rule.get("divergence") for rule in rules) else ""
        text = f"{diverged} of {len(trials)} trials stopped on a loss that was not finite{bound}."
        told.append(Finding("Diverged.", text))
    if damaged:
        text = f"The rows of {damaged} of {len(trials)} trials were lost to damage; their epochs are left out."
        told.append(Finding("Damaged.", text))
    return told


def _looks(looks: int) -> str:
    return "95 % interval" if looks == 1 else f"95 % interval, widened for {looks} comparisons"


def _percent(x: float) -> str:
    return f"{100 * x:.1f} %"


def _with_interval(i: Interval) -> str:
    said = nats(i.mean) if pd.isna(i.low) else f"{nats(i.mean)}, 95 % interval {i.low:.3f} to {i.high:.3f}"
    return said.replace("-", "−")

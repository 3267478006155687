"""The gap by the levels of one factor, and whether two levels differ."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.decomposition import decompose
from analysis.derive import DERIVED_FROM
from analysis.gap_table import MEASURES, At, gaps
from analysis.intervals import Interval, t_interval, welch_interval
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results
from analysis.running_statistics import EFFECTS, batch_norm_effects
from analysis.searched import HYPERPARAMETERS, is_drawn, searched, specs
from analysis.wording import short

DECOMPOSED = ("difference", "regularisation", "averaging")  # overfitting is gap_loss
ALSO = "the levels also differ in"
MOST_LEVELS = 6  # a number with more values than this is cut into a lower and an upper half,
MOST_LISTED = 50  # one whose values are listed, with more than this
# Keys of a spec that make no other study, of `search` all but the seed.
WITHOUT_BEARING = ("name", "search", "replicates", "resources", "budget", "max_retries", "trial_timeout")


@dataclass(frozen=True)
class Levels:
    """The independent values of each level of a factor.

    values: per level a Series indexed by what it stands on. unit "replicates": a value is one replicate's mean over
    the other hyper-parameters, which are the same at every level. unit "configurations": they are not, so that a
    value is one configuration's mean over its replicates, and a difference is an association, not an effect.
    trials: per level, how many have part in its values. left_out: how many have not, since they have no finite value,
    a setting of the others that another level lacks, or one in which the factor changes nothing. also: of a derived
    factor compared over replicates, the derived columns in which its levels differ besides.
    """

    factor: str
    unit: str
    values: dict[str, pd.Series]
    trials: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    def interval(self, level: str) -> Interval:
        return t_interval(self.values[level])

    def pair(self, a: str, b: str) -> tuple[Interval, Interval]:
        """The two levels whose difference is told: paired, over the replicates that both have."""
        x, y = self.values[a], self.values[b]
        if self.unit == "replicates":
            both = x.index.intersection(y.index)
            x, y = x[both], y[both]
        return t_interval(x), t_interval(y)

    def difference(self, a: str, b: str, confidence: float = 0.95) -> Interval:
        """Level a minus level b: paired over replicates (they share their random numbers), else Welch's."""
        if self.unit == "replicates":
            return t_interval(self.values[a] - self.values[b], confidence)
        return welch_interval(self.values[a], self.values[b], confidence)


def gaps_by(
    results: Results, factor: str, at: At = "matched", epoch: int | None = None, value: str = "gap_loss"
) -> pd.DataFrame:
    """The mean gap per level of a factor, with a 95 % t interval.

    factor: a column of `results.trials`, derived ones included; a number with more than 6 values, or 50
    where the spec lists them, is cut at its median.
    value: a measure of `gaps`; a part of `decompose` (regularisation, averaging) or their sum (difference); or with
    at="matched" one of `batch_norm_effects` (worst_shift, shift_cost, lag_cost, roughness, roughness_without_lag).
    Columns: level, n, unit (what n counts, see `Levels`), trials, mean, low, high, note. Where there is no interval
    (`Interval`), low and high are NA and the note says so, as it does of trials that have no part in a mean, and of
    what a derived factor's levels differ in besides.
    Raises ValueError for an unknown factor or value.
    """
    levels = levels_of(results, factor, at, epoch, value)
    rows = []
    for level in levels.values:
        i = levels.interval(level)
        notes = [] if i.has_bounds else [f"n = {i.n}: no interval"]
        used, left_out = levels.trials[level], levels.left_out[level]
        notes += [f"{left_out} of {used + left_out} trials left out"] if left_out else []
        notes += [f"{ALSO} {', '.join(levels.also)}"] if levels.also else []
        rows.append((level, i.n, levels.unit, used, i.mean, i.low, i.high, "; ".join(notes)))
    return pd.DataFrame(rows, columns=["level", "n", "unit", "trials", "mean", "low", "high", "note"])


def levels_of(
    results: Results,
    factor: str,
    at: At = "matched",
    epoch: int | None = None,
    value: str = "gap_loss",
) -> Levels:
    """The values behind `gaps_by`."""
    if factor not in results.trials:
        raise ValueError(f"factor {factor!r} is not a column of trials; choose one of {list(results.trials)}")
    if factor == "replicate":
        raise ValueError("factor 'replicate': differences are paired over replicates; choose a hyper-parameter")
    table = measured(results, at, epoch, value)
    if factor not in table:
        table = table.merge(results.trials[[*TRIAL_KEY, factor]], on=TRIAL_KEY)
    cut = _is_cut(results, factor, table[factor])
    level, names = _halves(table[factor]) if cut else _levels(table[factor])
    if not names and factor in DERIVED_FROM:
        raise ValueError(f"factor {factor!r} says nothing of any trial here, such as which of two layers comes first")
    if _is_one_study(results):
        # The same study on other seeds: each has its own, and they count alike.
        table = table.assign(replicate=table.groupby(["sweep_id", "replicate"]).ngroup(), sweep_id="")
    table = table.assign(level=level)[level.notna()]
    finite = table[np.isfinite(table[value].astype(float))]

    def levels(unit: str, used: pd.DataFrame, values: pd.Series) -> Levels:
        trials, all_trials = ({name: int((rows["level"] == name).sum()) for name in names} for rows in (used, table))
        left_out = {name: all_trials[name] - trials[name] for name in names}
        # Where the other hyper-parameters are not held equal, it says so anyway.
        also = _also(results, factor, used) if unit == "replicates" else ()
        return Levels(factor, unit, _split(values, names), trials, left_out, also)

    if factor == "configuration_id":
        return levels("replicates", finite, finite.groupby(["level", "replicate"])[value].mean())
    # Halves of a number hold different values of it, so there the configurations are the sample.
    others = [name for name in searched(results) if name not in (factor, *DERIVED_FROM.get(factor, ()))]
    is_study = all(spec.get("mode") == "study" for spec in specs(results))
    balanced = None if cut else _balanced(table, finite, others, value, is_study)
    if balanced is not None:
        return levels("replicates", *balanced)
    return levels("configurations", finite, finite.groupby(["level", *CONFIGURATION_KEY])[value].mean())


def measured(results: Results, at: At = "matched", epoch: int | None = None, value: str = "gap_loss") -> pd.DataFrame:
    """The table of `gaps`, with the value if it has another source."""
    table = gaps(results, at, epoch)
    if value in DECOMPOSED:
        apart = decompose(results)[[*TRIAL_KEY, "epoch", value]]
        return table.merge(apart.astype({"epoch": "Int32"}), on=[*TRIAL_KEY, "epoch"], how="left")
    if value in EFFECTS and at == "matched":
        return table.merge(batch_norm_effects(results, epoch)[[*TRIAL_KEY, value]], on=TRIAL_KEY, how="left")
    if value not in MEASURES:
        known = f"{', '.join((*MEASURES, *DECOMPOSED))}, or {', '.join(EFFECTS)} at a matched epoch"
        raise ValueError(f"value {value!r} is not a measure; choose one of {known}")
    return table


def widest_difference(levels: Levels, comparisons: int) -> tuple[str, str, Interval] | None:
    """The two levels (higher first) that differ most surely, with the interval of their difference.

    The interval is widened by Bonferroni for `comparisons` looks, so that it covers at 95 % although the pair was
    picked. None if fewer than two levels have values; low and high are NaN if no pair has an interval.
    """
    best: tuple[float, str, str, Interval] | None = None
    for a, b in combinations([name for name, values in levels.values.items() if len(values)], 2):
        i = levels.difference(a, b, 1 - 0.05 / max(comparisons, 1))
        if i.n == 0:
            continue
        if i.mean < 0:
            a, b, i = b, a, Interval(i.n, -i.mean, -i.high, -i.low, i.p)
        half = i.high - i.mean
        # Without an interval every pair comes after those with one.
        sureness = i.mean / max(half, 1e-12) if i.has_bounds else -1 / (1 + i.mean)
        if best is None or sureness > best[0]:
            best = (sureness, a, b, i)
    return None if best is None else best[1:]


def _is_one_study(results: Results) -> bool:
    """Whether the sweeps are one study, each on seeds of its own."""
    studies = specs(results)
    seeds = [(spec.get("search") or {}).get("seed") for spec in studies]
    alike = [{key: spec[key] for key in spec if key not in WITHOUT_BEARING} for spec in studies]
    return len(studies) > 1 and len(set(seeds)) == len(seeds) and all(each == alike[0] for each in alike)


def _also(results: Results, factor: str, used: pd.DataFrame) -> tuple[str, ...]:
    """The other derived columns that are not as often true at each level of a derived factor."""
    if factor not in DERIVED_FROM:
        return ()
    others = [name for name in DERIVED_FROM if name != factor]
    derived = results.trials[["trial_id", *others]].drop_duplicates("trial_id").astype(dict.fromkeys(others, float))
    settings = used.drop_duplicates(["level", "configuration_id"])[
        ["trial_id", "level"]
    ]  # however many seeds came through
    shares = settings.merge(derived, on="trial_id").groupby("level")[others].mean().dropna(axis=1)
    return tuple(str(name) for name in shares if shares[name].max() - shares[name].min() > 1e-9)


def _is_cut(results: Results, factor: str, column: pd.Series) -> bool:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    listed = factor in HYPERPARAMETERS and not is_drawn(results, factor, "uniform", "loguniform", "int")
    return numeric and column.nunique() > (MOST_LISTED if listed else MOST_LEVELS)


def _halves(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Whether each row is in the lower or in the upper half of a number (NA where it is), as text; both in order."""
    present = column.dropna().astype(float)
    median = float(present.median())
    # Where half of the rows or more have the highest value, the others are the lower half.
    upper = present > median if (present > median).any() else present >= median
    names = [f"{short(half.min())} to {short(half.max())}" for half in (present[~upper], present[upper])]
    return upper.map({False: names[0], True: names[1]}).reindex(column.index), names


def _levels(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """The level of every row as text (NA where the factor is), and the levels in order."""
    texts = {value: level_name(value) for value in sorted(column.dropna().unique())}
    return column.map(texts, na_action="ignore").astype(object), list(dict.fromkeys(texts.values()))


def level_name(value: object) -> str:
    """How a level is written in tables and figures."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _balanced(
    table: pd.DataFrame, finite: pd.DataFrame, others: list[str], value: str, is_study: bool
) -> tuple[pd.DataFrame, pd.Series] | None:
    """The rows of `finite` that have part in it, and the mean by (level, replicate), if every level meets the same
    settings of the others; None if not. Of a study, which may still run, those that all levels have met will do.

    Settings in which all levels train the same network leave, too, if others do not: a drop rate without a dropout
    layer has no effect that could be averaged. Settings without a finite value at some level and replicate leave all
    levels, so that means stay comparable; where none would be left, the replicates leave that some setting lacks. A
    replicate counts as lacking where one of the configurations does that a derived factor has put on one level, unless
    that has no value in any. What no setting has, such as the one seed that failed where there is one setting, is
    missing at that level and replicate alone.
    """
    setting = table.groupby(["sweep_id", *others], dropna=False).ngroup()
    met = setting.groupby(table["level"]).agg(frozenset)
    if met.empty or (met.nunique() != 1 and not is_study):
        return None
    finite, have = finite.assign(setting=setting), set(finite["level"])
    finite = finite[finite["setting"].isin(frozenset.intersection(*met))]
    of = finite.groupby(["setting", "level"])["configuration_id"].transform("nunique")
    groups = finite.assign(of=of).groupby(["setting", "level", "replicate"])
    losses = {f"own_{name}": (name, "mean") for name in ("val_loss", "train_eval_loss")}
    cells = groups.agg(mean=(value, "mean"), finite=(value, "size"), of=("of", "first"), **losses)
    cells = cells[cells["finite"] == cells["of"]]
    wide = cells["mean"].unstack(["level", "replicate"])
    complete = wide.dropna()
    if complete.empty:  # each setting lacks some seed: those seeds leave instead
        lacking = set(wide.columns[wide.isna().any()].get_level_values("replicate"))
        finite = finite[~finite["replicate"].isin(lacking)]
        complete = wide.drop(columns=lacking, level="replicate").dropna()
    distinct = cells[list(losses)].groupby(["setting", "replicate"]).nunique()
    felt = (distinct > 1).any(axis=1).groupby("setting").any()[complete.index]
    complete = complete[felt] if felt.any() else complete
    lost = have - set(complete.columns.get_level_values("level"))
    return None if complete.empty or lost else (finite[finite["setting"].isin(complete.index)], complete.mean())


def _split(rows: pd.Series, names: list[str]) -> dict[str, pd.Series]:
    have = set(rows.index.get_level_values("level"))
    return {name: rows.xs(name, level="level") if name in have else pd.Series(dtype=float) for name in names}

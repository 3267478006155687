"""Which hyper-parameters matter, by two methods that may disagree."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.gap_levels import MOST_LEVELS
from analysis.gap_table import MEASURES, gaps, matched_epoch
from analysis.results import Results
from analysis.searched import is_log, searched

FEWEST = 20  # configurations; with fewer neither method says anything
MOST = 2000  # of more a random sample: a report should not wait minutes for a forest
FOLDS = 5
SHUFFLES = 10
TREES = 100
HIGHER_IS_BETTER = {"val_acc", "train_eval_acc"}
TOP = 0.1  # PED-ANOVA asks what sets the best tenth apart


def importance(results: Results, value: str = "val_acc", epoch: int | None = None) -> pd.DataFrame:
    """One row per searched hyper-parameter with more than one value, the most important first.

    value: a measure of `gaps`, taken at one epoch that all trials reached (`epoch`, or else `matched_epoch`), since
    values at different epochs would make what early stopping did look like what a hyper-parameter does. A
    configuration counts once, with the mean of its replicates.
    Columns: hyperparameter; permutation: the share of the variance that goes through it, interactions included, so that
    shares may sum to more than 1: half of what shuffling its column adds to the squared error of a random forest on
    configurations that it has not seen (Breiman 2001, in the units of Jansen 1999); permutation_sd: over 5 folds × 10
    shuffles; ped_anova: by how much it sets the best tenth of configurations apart (PED-ANOVA, Watanabe et al. 2023,
    arXiv 2304.10255), as a share of the sum; best are high accuracies, low losses, low gaps; r2: of the forest on
    unseen configurations; n: configurations, 2,000 at most (drawn at random).
    Where r2 is near 0 or below, the forest has learnt nothing, and permutation says nothing.
    Empty below 20 configurations with a finite value, and where all have the same.
    Raises ValueError for an unknown value.
    """
    if value not in MEASURES:
        raise ValueError(f"importance: value {value!r} is not a measure; choose one of {', '.join(MEASURES)}")
    names, table = _configurations(results, value, epoch)
    if len(table) < FEWEST or not names or table[value].nunique() < 2:
        return pd.DataFrame(columns=_COLUMNS)
    rises, r2 = _permutation(_encoded(table, names), table[value].to_numpy(float))
    shares = _ped_anova(results, table, names, value)
    rows = pd.DataFrame(
        {
            "hyperparameter": names,
            "permutation": rises.mean(axis=0),
            "permutation_sd": rises.std(axis=0, ddof=1),
            "ped_anova": [shares[name] for name in names],
            "r2": r2,
            "n": len(table),
        }
    )
    return rows.sort_values("permutation", ascending=False, ignore_index=True)


_COLUMNS = ["hyperparameter", "permutation", "permutation_sd", "ped_anova", "r2", "n"]


def _configurations(results: Results, value: str, epoch: int | None) -> tuple[list[str], pd.DataFrame]:
    wanted = matched_epoch(results) if epoch is None else epoch
    table = gaps(results, epoch=wanted)
    table = table[np.isfinite(table[value].astype(float))]
    names = [name for name in searched(results) if table[name].nunique() > 1]
    if not names:
        return names, table
    # By what was set, so that another sweep's copy of a configuration is no further point, nor is one that trains the
    # same network.
    own = ["val_loss", "train_eval_loss"]
    each = dict.fromkeys([value, *own], "mean")
    means = table.groupby(names, sort=False, dropna=False).agg(each).reset_index().drop_duplicates(own)
    return names, means.sample(MOST, random_state=0) if len(means) > MOST else means


def _encoded(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Numbers as they are (a tree asks for their order alone), words by a number each."""
    numeric = [
        table[name] if pd.api.types.is_numeric_dtype(table[name]) else table[name].astype("category").cat.codes
        for name in names
    ]
    return np.stack([column.to_numpy(float) for column in numeric], axis=1)


def _permutation(x_NF: np.ndarray, y_N: np.ndarray) -> tuple[np.ndarray, float]:
    """The shares (folds * shuffles, F), and R² over all held-out values."""
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    (n, features), variance = x_NF.shape, float(y_N.var())
    missed_N, rises = np.zeros(n), []
    for held_out in _folds(n, rng):
        rest = np.setdiff1d(np.arange(n), held_out)
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(x_NF[rest], y_N[rest])
        seen, y = x_NF[held_out], y_N[held_out]
        # All shuffles and the held-out rows as they are in one call: a call costs more than its rows.
        asked = np.tile(seen, (SHUFFLES * features + 1, 1, 1))
        for place in range(SHUFFLES * features):
            asked[place, :, place % features] = rng.permutation(seen[:, place % features])
        errors = ((forest.predict(asked.reshape(-1, features)).reshape(len(asked), -1) - y) ** 2).mean(axis=1)
        missed_N[held_out] = errors[-1]
        rises.append((errors[:-1] - errors[-1]).reshape(SHUFFLES, features) / (2 * variance))
    return np.concatenate(rises), 1 - float(missed_N.mean()) / variance


def _folds(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    yield from np.array_split(rng.permutation(n), FOLDS)


def _ped_anova(results: Results, table: pd.DataFrame, names: list[str], value: str) -> dict[str, float]:
    import optuna  # here, since it takes as long to import as all the rest
    from optuna.importance import PedAnovaImportanceEvaluator

    distributions: dict[str, optuna.distributions.BaseDistribution] = {}
    for name in names:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_LEVELS:
            low, high = float(column.min()), float(column.max())
            distributions[name] = optuna.distributions.FloatDistribution(low, high, log=is_log(results, name))
        else:
            distributions[name] = optuna.distributions.CategoricalDistribution(column.unique().tolist())
    told = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would say that a study was created
    try:
        study = optuna.create_study(direction="maximize" if value in HIGHER_IS_BETTER else "minimize")
    finally:
        optuna.logging.set_verbosity(told)
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={name: row[name] for name in names}, distributions=distributions, value=row[value]
            )
            for row in table[[*names, value]].astype(object).to_dict("records")
        ]
    )
    divergence = PedAnovaImportanceEvaluator(target_quantile=TOP).evaluate(study, params=names)
    total = sum(divergence.values())
    return {name: divergence[name] / total if total > 0 else np.nan for name in names}

"""The curves of the best configurations, told apart from all others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.figures.theme import COLOURS
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results

FEW_TRIALS = 30  # up to here every trial gets a line; above, quantile bands stand for the crowd
HIGHLIGHTED = 6


@dataclass(frozen=True)
class Curves:
    """The epochs of all trials, told apart into the best (each configuration with its colour) and the crowd.

    best: (label, colour, the configuration's epochs with its trials under each other), best first.
    crowd: epochs of the other trials; `everyone`: of all. Both in order of trial and epoch.
    """

    best: list[tuple[str, str, pd.DataFrame]]
    crowd: pd.DataFrame
    everyone: pd.DataFrame
    n_trials: int

    def shown(self, *columns: str) -> np.ndarray:
        """All values of these columns that a figure draws: its lines, and the outer band's edges for the crowd."""
        own = [epochs[list(columns)].to_numpy().ravel() for _, _, epochs in self.best]
        if not self.banded:
            return np.concatenate([*own, self.crowd[list(columns)].to_numpy().ravel()])
        finite = self.everyone[list(columns)].where(np.isfinite(self.everyone[list(columns)]))
        edges = finite.groupby(self.everyone["epoch"]).quantile(np.array([0.1, 0.9]))
        return np.concatenate([*own, edges.to_numpy().ravel()])

    @property
    def banded(self) -> bool:
        return self.n_trials > FEW_TRIALS


def curves(results: Results) -> Curves:
    """Split the curves for a figure: the six best configurations in colour, the rest grey."""
    key = results.trials[[*TRIAL_KEY, "configuration_id"]]
    everyone = results.epochs.merge(key, on=TRIAL_KEY).sort_values([*TRIAL_KEY, "epoch"])
    ranked = rank_configurations(results)
    chosen = ranked.head(HIGHLIGHTED)
    ids = everyone[CONFIGURATION_KEY].merge(chosen[[*CONFIGURATION_KEY, "rank"]], on=CONFIGURATION_KEY, how="left")
    rank = ids["rank"].to_numpy()
    best = [
        (f"{place}. {text}", COLOURS[place - 1], everyone[rank == place])
        for place, text in zip(chosen["rank"], chosen["label"], strict=True)
    ]
    n_trials = len(everyone.drop_duplicates(TRIAL_KEY))
    return Curves(best, everyone[pd.isna(rank)], everyone, n_trials)


def replicate_mean(epochs: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The mean curve of a configuration's replicates, up to the last epoch that all of them reached."""
    by_epoch = epochs.groupby("epoch")
    # Where one replicate's loss is no number, the mean of the others would jump.
    mean = by_epoch[columns].mean().where(by_epoch[columns].count().eq(by_epoch.size(), axis=0)).reset_index()
    return mean[(by_epoch.size() == by_epoch.size().max()).to_numpy()].assign(sweep_id="", trial_id="mean")


def joined(epochs: pd.DataFrame, column: str) -> tuple[list[int | None], list[float | None]]:
    """Epochs and values of several trials as one line with a break after each trial; thinned to 60 points a trial."""
    x: list[int | None] = []
    y: list[float | None] = []
    for _, trial in epochs.groupby(TRIAL_KEY, sort=False):
        step = -(-len(trial) // 60)
        kept = trial.iloc[::step] if (len(trial) - 1) % step == 0 else pd.concat([trial.iloc[::step], trial.iloc[-1:]])
        x += [int(e) for e in kept["epoch"]] + [None]
        y += [round_or_none(v) for v in kept[column]] + [None]
    return x, y


def round_or_none(value: float) -> float | None:
    return float(f"{value:.4g}") if abs(value) < float("inf") else None

"""The gap of every trial at its best, its last, or one matched epoch."""

from typing import Literal

import numpy as np
import pandas as pd

from analysis.results import TRIAL_KEY, Results, is_lost
from analysis.searched import searched

At = Literal["matched", "best", "last"]
MEASURES = ["gap_loss", "gap_acc", "val_loss", "val_acc", "train_eval_loss", "train_eval_acc"]
_ACCURACIES = {"val_loss": ["val_acc", "gap_acc"], "train_eval_loss": ["train_eval_acc", "gap_acc"]}


def gaps(results: Results, at: At = "matched", epoch: int | None = None) -> pd.DataFrame:
    """One row a trial: its gap and losses at one epoch, in the order of `results.trials`.

    at: "matched", the same epoch for all (`epoch`, or else `matched_epoch(results)`): the one fair comparison;
    "best", each trial's epoch of highest val_acc (the earliest on ties); "last", each trial's last epoch.
    Columns: sweep_id, trial_id, configuration_id, replicate, status, the searched hyper-parameters, epoch, gap_loss
    (val_loss - train_eval_loss, nats), gap_acc (train_eval_acc - val_acc, fraction), val_*, train_eval_*, censored.
    A trial without such an epoch has NA there, and accuracies are NA where their loss is not finite: such a network
    answers with the first class always. censored: at "matched", the trial did not reach the epoch; else, its
    curve was cut (see `analysis.derive`), so its best and last epochs are not comparable with those of others.
    Raises ValueError for another `at`, an epoch below 1, or an epoch without at="matched".
    """
    if at not in ("matched", "best", "last"):
        raise ValueError(f"gaps: at={at!r} is not known; choose 'matched', 'best' or 'last'")
    if epoch is not None and at != "matched":
        raise ValueError(f"gaps: epoch={epoch} goes with at='matched' only, got at={at!r}; leave one of them out")
    if epoch is not None and epoch < 1:
        raise ValueError(f"gaps: epoch={epoch} is below 1; epochs count from 1")
    rows = results.epochs[[*TRIAL_KEY, "epoch", *MEASURES]]
    for loss, accuracies in _ACCURACIES.items():
        rows = rows.assign(**{name: rows[name].where(np.isfinite(rows[loss])) for name in accuracies})
    if at == "best":
        rows = rows[rows["val_acc"].notna()]
        rows = rows.sort_values(["val_acc", "epoch"], ascending=[False, True]).drop_duplicates(TRIAL_KEY)
    elif at == "last":
        rows = rows.sort_values("epoch").drop_duplicates(TRIAL_KEY, keep="last")
    else:
        wanted = matched_epoch(results) if epoch is None else epoch
        rows = rows[rows["epoch"] == (-1 if wanted is None else wanted)]
    names = [*TRIAL_KEY, "configuration_id", "replicate", "status", *searched(results)]
    table = results.trials[[*names, "censored"]].merge(rows, on=TRIAL_KEY, how="left", validate="1:1")
    table["epoch"] = table["epoch"].astype("Int32")
    censored = table.pop("censored")
    table["censored"] = table["epoch"].isna().astype("boolean") if at == "matched" else censored
    return table


def matched_epoch(results: Results) -> int | None:
    """The largest epoch that every trial reached, among those with epochs that neither failed nor diverged.

    None if there is no such trial.
    """
    trials = results.trials
    reached = results.epochs.groupby(TRIAL_KEY)["epoch"].max().rename("reached").reset_index()
    reached = trials.loc[~is_lost(trials), TRIAL_KEY].merge(reached, on=TRIAL_KEY)
    return None if reached.empty else int(reached["reached"].min())

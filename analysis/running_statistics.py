"""What batch norm's running statistics cost in evaluation, and how rough they make the curve."""

import numpy as np
import pandas as pd

from analysis.gap_table import matched_epoch
from analysis.onset import FEWEST, noise_variance
from analysis.results import TRIAL_KEY, Results
from analysis.searched import searched

EFFECTS = ["worst_shift", "shift_cost", "lag_cost", "roughness", "roughness_without_lag"]


def batch_norm_effects(results: Results, epoch: int | None = None) -> pd.DataFrame:
    """One row per trial that reached the epoch (default: `matched_epoch`), in the order of `results.trials`.

    Columns: sweep_id, trial_id, configuration_id, replicate, the searched hyper-parameters, epoch, val_loss, and
    shift         a list, per batch-norm layer from input to output: the variance that it meets in evaluation mode over
                  its running variance, 1 where they agree; below 1 behind dropout, which raises the variance while
                  training and not in evaluation (Li et al. 2018, arXiv 1801.05134);
    worst_shift   of these the one farthest from 1 as a ratio;
    shift_cost    validation loss that comes back when the statistics are gathered without dropout (nats);
    lag_cost      that which comes back when they are gathered anew at the epoch's own weights, dropout as in training;
    roughness     standard deviation of the validation loss around a smooth curve (nats, from second differences:
                  Gasser, Sroka & Jennen-Steinmetz 1986) over the epochs up to this one without their first third, in
                  which even a smooth curve bends; NaN in fewer than eight epochs;
    roughness_without_lag   the same of the curve with statistics gathered anew in each epoch.
    Without batch norm, or where it was not measured (`decompose: true` in the spec; the default in mode study), all
    but roughness are NaN, and shift is None.
    """
    wanted = matched_epoch(results) if epoch is None else epoch
    names = [*TRIAL_KEY, "configuration_id", "replicate", *searched(results)]
    epochs = results.epochs
    measured = epochs.reindex(columns=[*TRIAL_KEY, "epoch", "val_loss", *_COLUMNS])
    rows = measured[measured["epoch"] == (-1 if wanted is None else wanted)]
    table = results.trials[names].merge(rows, on=TRIAL_KEY, validate="1:1")
    table = table.rename(columns={"variance_shift": "shift"})
    without_lag, without_shift = (table.pop(name).astype(float) for name in _COLUMNS[:2])
    table["worst_shift"] = [_worst(shift) for shift in table["shift"]]
    table["shift_cost"] = without_lag - without_shift
    table["lag_cost"] = table["val_loss"] - without_lag
    before = measured[measured["epoch"] <= (-1 if wanted is None else wanted)].sort_values("epoch")
    curves = dict(iter(before.groupby(TRIAL_KEY)[["val_loss", "val_loss_without_lag"]]))
    keys = [tuple(key) for key in table[TRIAL_KEY].to_numpy()]
    for column, name in (("val_loss", "roughness"), ("val_loss_without_lag", "roughness_without_lag")):
        table[name] = [_roughness(curves[key][column].to_numpy(float)) for key in keys]
    return table


_COLUMNS = ("val_loss_without_lag", "val_loss_without_shift", "variance_shift")


def roughness_by_lag(table: pd.DataFrame) -> float:
    """The share of the roughness, as variances over all trials of `batch_norm_effects`, that goes without the lag.

    NaN where no trial has both; below 0 where the curves are rougher without it.
    """
    both = table[["roughness", "roughness_without_lag"]].dropna() ** 2
    return float(1 - both["roughness_without_lag"].sum() / both["roughness"].sum()) if len(both) else np.nan


def _worst(shift: object) -> float:
    ratios = np.asarray(shift if isinstance(shift, list | tuple | np.ndarray) else [], dtype=float)
    return float(ratios[np.argmax(np.abs(np.log(ratios)))]) if len(ratios) and np.all(ratios > 0) else np.nan


def _roughness(y_E: np.ndarray) -> float:
    late_E = y_E[len(y_E) // 3 :]
    return noise_variance(late_E) ** 0.5 if len(late_E) >= FEWEST and np.isfinite(late_E).all() else np.nan
